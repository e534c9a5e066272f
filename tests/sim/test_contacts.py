"""Changes of contacts beyond the plain one (test_accesses.py): checks, bills, tokens and
time; and the records of a zone."""

import time
import unittest

import simlib

AT = "/email/domain/" + simlib.DOMAIN
ZONE = "/domain/zone/" + simlib.DOMAIN
NIC = "xy000000-ovh"
OTHER = "ab12345-ovh"
POOR = "pp00000-ovh"
TASKS = "/me/task/contactChange"
WEEK = 7 * 86400


class Contacts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = simlib.Sim("--no-imap")

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def setUp(self):
        self.sim.reset(task_delay_ms=86400000)
        self.sim.order(
            "POST",
            "/seed",
            {"nics": [{"nichandle": OTHER}, {"nichandle": POOR, "unpaid": True}]},
        )

    def set(self, **settings):
        self.sim.order("POST", "/set", settings)

    def ask(self, path=AT, **wish):
        return self.sim.call("POST", path + "/changeContact", wish or {"contactTech": NIC})

    def task(self, number):
        return self.sim.get("%s/%d" % (TASKS, number))

    def tokens(self, number):
        return self.sim.order("GET", "/state")["contact_changes"][str(number)]["_tokens"]

    def answer(self, number, word, token):
        path = "%s/%d/%s" % (TASKS, number, word)
        return self.sim.call("POST", path, {"token": token}).status

    # Checks.

    def test_the_check_is_over_at_once_unless_a_test_slows_it(self):
        self.assertEqual(self.task(self.ask().json[0])["state"], "validatingByCustomers")
        self.set(contact_check_ms=600)
        number = self.ask("/domain/" + simlib.DOMAIN).json[0]
        seen = []
        while not seen or seen[-1] != "validatingByCustomers":
            state = self.task(number)["state"]
            if state not in seen:
                seen.append(state)
            time.sleep(0.02)
        self.assertEqual(seen, ["todo", "checkValidity", "validatingByCustomers"])

    def test_nobody_answers_before_the_check_and_no_second_change_begins(self):
        self.set(contact_check_ms=600000)
        number = self.ask().json[0]
        self.assertEqual(self.answer(number, "accept", self.tokens(number)[NIC]), 403)
        self.assertEqual(self.ask().status, 409)

    def test_a_bill_that_is_not_paid_refuses_the_change(self):
        number = self.ask(contactBilling=POOR).json[0]
        task = self.task(number)
        self.assertEqual(task["state"], "refused")
        self.assertIsNotNone(task["dateDone"])
        self.assertNotIn("_unpaid", self.sim.get("/me"))
        self.assertEqual(self.ask().status, 200)

    def test_the_one_who_leaves_must_have_paid_too(self):
        contacts = {"admin": NIC, "tech": POOR, "billing": NIC}
        self.sim.order(
            "POST",
            "/seed",
            {"domains": [{"domain": "x.example", "nic": NIC, "contacts": contacts}]},
        )
        number = self.ask("/email/domain/x.example").json[0]
        self.assertEqual(self.task(number)["state"], "refused")

    # Tokens and time.

    def test_each_side_has_a_token_of_its_own_and_a_new_one_replaces_it(self):
        number = self.ask().json[0]
        old = self.tokens(number)
        self.assertNotEqual(old[NIC], old[OTHER])
        self.assertEqual(self.answer(number, "accept", old[OTHER]), 400)
        self.sim.call("POST", "%s/%d/resendEmail" % (TASKS, number), {})
        new = self.tokens(number)
        self.assertNotEqual(new[NIC], old[NIC])
        self.assertEqual(self.answer(number, "accept", old[NIC]), 400)
        self.assertEqual(self.answer(number, "accept", new[NIC]), 200)
        self.assertEqual(self.task(number)["state"], "validatingByCustomers")

    def test_after_seven_days_it_is_over(self):
        number = self.ask().json[0]
        token = self.tokens(number)[NIC]
        self.set(skew_s=WEEK - 60)
        self.assertEqual(self.task_at(number, WEEK - 60)["state"], "validatingByCustomers")
        self.set(skew_s=WEEK + 60)
        self.assertEqual(self.task_at(number, WEEK + 60)["state"], "expired")
        path = "%s/%d/accept" % (TASKS, number)
        late = self.sim.call("POST", path, {"token": token}, offset=WEEK + 60)
        self.assertEqual(late.status, 403)
        again = self.sim.call(
            "POST", AT + "/changeContact", {"contactTech": NIC}, offset=WEEK + 60
        )
        self.assertEqual(again.status, 200)

    def task_at(self, number, offset):
        return self.sim.call("GET", "%s/%d" % (TASKS, number), offset=offset).json

    # Zones.

    def test_records_are_listed_and_shown(self):
        ids = self.sim.get(ZONE + "/record")
        self.assertEqual(len(ids), 9)
        mx = self.sim.get(ZONE + "/record?fieldType=MX")
        self.assertEqual(
            [self.sim.get("%s/record/%d" % (ZONE, n))["target"] for n in mx],
            ["1 mx0.mail.ovh.net.", "5 mx1.mail.ovh.net."],
        )
        self.assertEqual(len(self.sim.get(ZONE + "/record?subDomain=www")), 1)
        self.assertEqual(len(self.sim.get(ZONE + "/record?subDomain=")), 6)
        self.assertEqual(self.sim.get(ZONE + "/record?subDomain=www&fieldType=A"), [])

    def test_what_is_no_zone_type_or_record_is_refused(self):
        rows = [
            (ZONE + "/record?fieldType=X", 400),
            (ZONE + "/record?name=www", 400),
            (ZONE + "/record/x", 400),
            (ZONE + "/record/1", 404),
            ("/domain/zone/other.example/record", 404),
        ]
        for path, status in rows:
            self.assertEqual(self.sim.call("GET", path).status, status, path)


if __name__ == "__main__":
    unittest.main()
