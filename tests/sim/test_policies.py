"""Policies for passwords and names, per family, and when a password may not be changed,
may not be used any more, or has been tried too often."""

import unittest

import familylib
import simlib
from familylib import NEW, OLD, SLOTS, ZIMBRA

DAY = 86400


class Policies(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = familylib.World("--imap-responder")

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def setUp(self):
        self.sim.fresh(task_delay_ms=60000)
        self.offset = 0

    def later(self, seconds):
        self.offset += seconds
        self.sim.order("POST", "/set", {"skew_s": self.offset})

    def change(self, family, password):
        if family == "zimbra":
            path = ZIMBRA + "/account/" + self.zimbra_id
            body = {"targetSpec": {"password": password}}
            return self.sim.call("PUT", path, body, offset=self.offset)
        path = self.sim.box(family) + "/changePassword"
        return self.sim.call("POST", path, {"password": password}, offset=self.offset)

    def policy(self, family, **members):
        words = {"owa": ("mxplan", "mxplan-owa"), "pro": ("pro", "emailpro-1")}
        words["exchange"] = ("exchange", "hosted-1")
        kind, name = words[family]
        order = {"family": kind, "service": name, "policy": members}
        self.sim.order("POST", "/set", {"service": order})

    def test_each_family_refuses_what_its_rules_forbid_and_takes_what_they_allow(self):
        self.zimbra_id = self.sim.zimbra()["id"]
        good = {
            "owa": ["Abcdefghi1", "abcdefghi-1", "A" * 28 + "b1"],
            "pro": ["Abcdefghi1"],
            "exchange": ["abcdefghi", "A" * 127],
            "mxz": ["Abcdefgh-1", "A" * 62 + "-1"],
            "zimbra": ["Abcdefgh-1", "A" * 62 + "-1"],
        }
        bad = {
            "owa": ["Abcdefg1", "abcdefghij", "Abcdefghij", "A" * 29 + "b1"],
            "pro": ["Contact-12345", "xx-Martin-12", "Abcd efgh-1", "Abcdéfghi-1"],
            "exchange": ["abcdefgh", "A" * 128],
            "mxz": ["Abcdefg-1", "abcdefgh-1", "Abcdefgh-x", "Abcdefgh11", "A" * 63 + "-1"],
            "zimbra": ["Abcdefg-1", "abcdefgh-1", "Abcdefgh-x", "Abcdefgh11", "Àbcdefgh-1"],
        }
        for family, words in bad.items():
            for word in words:
                answer = self.change(family, word)
                self.assertEqual(answer.status, 400, (family, word))
                self.assertEqual(answer.json["class"], "Client::BadRequest")
                self.assertNotIn(word, answer.body.decode())
        for family, words in good.items():
            for word in words:
                answer = self.change(family, word)
                self.assertEqual(answer.status, 200, (family, word, answer.body))
                self.sim.run_tasks()

    def test_a_policy_may_be_noticed_by_the_task_alone(self):
        self.sim.order("POST", "/set", {"policy_late": True})
        for family, (at, domain, _) in SLOTS.items():
            task = self.change(family, "court").json
            self.sim.run_tasks()
            shown = self.sim.get("%s/task/%d" % (at, task["id"]))
            self.assertEqual(shown["status"], "error")
            self.assertEqual(self.sim.in_force("contact@" + domain), OLD)
        self.zimbra_id = self.sim.zimbra()["id"]
        self.change("zimbra", "court")
        self.sim.run_tasks()
        self.assertEqual(self.sim.zimbra()["resourceStatus"], "ERROR")

    def test_the_least_age_forbids_a_second_change_until_it_is_over(self):
        for family in ("owa", "pro", "exchange"):
            self.policy(family, minPasswordAge=2)
            self.assertEqual(self.change(family, NEW).status, 200)
        self.sim.run_tasks()
        self.later(2 * DAY - 60)
        for family in ("owa", "pro", "exchange"):
            answer = self.change(family, OLD + "-2")
            self.assertEqual(answer.status, 400)
            self.assertIn("minPasswordAge", answer.json["message"])
        self.later(120)
        for family in ("owa", "pro", "exchange"):
            self.assertEqual(self.change(family, OLD + "-2").status, 200)

    def test_a_password_past_its_greatest_age_opens_nothing(self):
        self.policy("pro", maxPasswordAge=30)
        self.change("pro", NEW)
        self.sim.run_tasks()
        self.later(29 * DAY)
        self.assertIs(self.sim.login(NEW, "contact@pro.example"), True)
        self.later(2 * DAY)
        self.assertIs(self.sim.login(NEW, "contact@pro.example"), False)

    def test_wrong_passwords_lock_a_mailbox_out_for_the_time_of_the_policy(self):
        limits = {"lockoutThreshold": 3, "lockoutDuration": 10, "lockoutObservationWindow": 5}
        self.policy("pro", **limits)
        user = "contact@pro.example"
        for _ in range(2):
            self.assertIs(self.sim.login("falsch", user), False)
        self.later(6 * 60)
        for _ in range(2):
            self.assertIs(self.sim.login("falsch", user), False)
        self.assertIs(self.sim.login(OLD, user), True)
        for _ in range(3):
            self.assertIs(self.sim.login("falsch", user), False)
        self.assertIs(self.sim.login(OLD, user), False)
        self.later(11 * 60)
        self.assertIs(self.sim.login(OLD, user), True)

    def test_a_history_refuses_passwords_that_were_used(self):
        self.policy("exchange", passwordHistoryCount=2)
        for word in (NEW, "Encore-un-mot-1"):
            self.assertEqual(self.change("exchange", word).status, 200)
            self.sim.run_tasks()
        self.assertEqual(self.change("exchange", NEW).status, 400)
        self.assertEqual(self.change("exchange", OLD).status, 200)

    def test_the_last_log_in_shows(self):
        self.assertIsNone(self.sim.get(self.sim.box("pro"))["lastLogonDate"])
        self.assertIs(self.sim.login(OLD, "contact@pro.example"), True)
        self.assertIsNotNone(self.sim.get(self.sim.box("pro"))["lastLogonDate"])
        self.assertIs(self.sim.login(OLD, "contact@z.example"), True)
        self.assertIsNotNone(self.sim.zimbra()["currentState"]["lastConnectionAt"])

    def test_the_password_in_force_is_refused_where_the_setting_wants_that(self):
        self.sim.order("POST", "/set", {"same_password_status": 422})
        self.zimbra_id = self.sim.zimbra()["id"]
        for family in [*SLOTS, "zimbra"]:
            self.assertEqual(self.change(family, OLD).status, 422)

    def test_an_address_must_be_well_formed_known_and_free(self):
        for family, (at, domain, _) in SLOTS.items():
            [free] = [a for a in self.sim.get(at + "/account") if "configureme" in a]
            for login, of, status in (
                ("x", domain, 400),
                ("é" * 3, domain, 400),
                ("devis", "elsewhere.example", 400),
                ("contact", domain, 400),
                ("devis", domain, 200),
            ):
                body = {"login": login, "domain": of}
                answer = self.sim.call("PUT", at + "/account/" + free, body)
                self.assertEqual(answer.status, status, (family, login, of))

    def test_expired_and_suspended_services_answer_as_such(self):
        for family, name, path in (
            ("mxplan", "mxplan-owa", self.sim.box("owa")),
            ("exchange", "hosted-1", self.sim.box("exchange")),
            ("zimbra", familylib.PLATFORM, ZIMBRA + "/account"),
        ):
            change = {"family": family, "service": name, "suspended": True}
            self.sim.order("POST", "/set", {"service": change})
            self.assertEqual(self.sim.call("GET", path).status, 200)
            shown = self.sim.get(path.split("/account")[0])
            state = shown.get("state", shown.get("resourceStatus"))
            self.assertEqual(state.lower(), "suspended")
            writing = path if family == "zimbra" else path + "/changePassword"
            spec = {"email": "a@z.example", "password": NEW, "offer": "STARTER"}
            body = {"targetSpec": spec} if family == "zimbra" else {"password": NEW}
            self.assertEqual(self.sim.call("POST", writing, body).status, 403)
            change = {"family": family, "service": name, "expired": True}
            self.sim.order("POST", "/set", {"service": change})
            self.assertEqual(self.sim.call("GET", path).status, 460)
        self.assertEqual(simlib.DOMAIN, self.sim.get("/email/domain")[0])


if __name__ == "__main__":
    unittest.main()
