"""A mailbox moves to another family: its address and password stay, its ids do not; also
while a task waits for it, and at a chosen call."""

import unittest

import familylib
import simlib
from familylib import NEW, OLD, ZIMBRA

CONTACT = "contact@" + simlib.DOMAIN
FIRST = "Pain-de-campagne-2019"


class Migration(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = familylib.World("--imap-responder")

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def setUp(self):
        self.sim.fresh(task_delay_ms=60000)

    def migrate(self, **order):
        return self.sim.order("POST", "/migrate", order)

    def test_a_whole_domain_moves_from_the_first_mx_plan_to_the_second(self):
        moved = self.migrate(domain=simlib.DOMAIN, to="mxplan-zimbra", service="new-1")
        self.assertEqual(len(moved["moved"]), 2)
        self.assertEqual((moved["family"], moved["service"]), ("mxplan", "new-1"))
        self.assertIs(self.sim.get("/email/mxplan/new-1")["isZimbra"], True)
        self.assertIn("new-1", self.sim.get("/email/mxplan"))
        self.assertEqual(self.sim.get("/email/domain/%s/account" % simlib.DOMAIN), [])
        old = self.sim.get("/email/domain/" + simlib.DOMAIN)
        self.assertEqual(old["migratedMXPlanServiceName"], "new-1")
        self.assertEqual(self.sim.call("GET", simlib.BOX).status, 404)
        box = self.sim.get("/email/mxplan/new-1/account/" + CONTACT)
        self.assertIs(box["configured"], True)
        self.assertIsNotNone(box["passwordLastUpdate"])
        self.assertIs(self.sim.login(FIRST, CONTACT), True)
        self.assertEqual(self.sim.mailbox()["history"][0]["password"], FIRST)

    def test_one_mailbox_moves_from_owa_to_a_platform(self):
        box = self.sim.get(self.sim.box("owa"))
        address = "contact@owa.example"
        moved = self.migrate(address=address, to="zimbra", service=familylib.PLATFORM)
        self.assertEqual(moved["moved"], [address])
        self.assertEqual(self.sim.call("GET", self.sim.box("owa")).status, 404)
        found = self.sim.zimbra(address)
        self.assertNotEqual(found["id"], box["id"])
        self.assertIs(self.sim.login(OLD, address), True)
        self.assertIs(self.sim.login(OLD, "technique@owa.example"), True)
        change = {"targetSpec": {"password": NEW}}
        self.sim.call("PUT", ZIMBRA + "/account/" + found["id"], change)
        self.sim.run_tasks()
        self.assertIs(self.sim.login(NEW, address), True)

    def test_a_service_turns_over_in_place(self):
        before = self.sim.get(self.sim.box("owa"))
        moved = self.migrate(**{"from": "mxplan-owa", "to": "mxplan-zimbra"})
        self.assertEqual(len(moved["moved"]), 3)
        after = self.sim.get(self.sim.box("owa"))
        self.assertNotEqual(after["id"], before["id"])
        service = self.sim.get("/email/mxplan/mxplan-owa")
        self.assertEqual((service["isZimbra"], service["minPasswordLength"]), (True, None))
        self.assertIs(self.sim.login(OLD, "contact@owa.example"), True)

    def test_what_waits_follows_the_mailbox_or_is_lost(self):
        cases = (
            (simlib.BOX, CONTACT, {"domain": simlib.DOMAIN, "to": "mxplan-zimbra"}, FIRST),
            (
                self.sim.box("owa"),
                "contact@owa.example",
                {"address": "contact@owa.example", "to": "zimbra"},
                OLD,
            ),
            (
                self.sim.box("owa"),
                "contact@owa.example",
                {"from": "mxplan-owa", "to": "mxplan-zimbra"},
                OLD,
            ),
        )
        for path, address, order, old in cases:
            for tasks, outcome in (("follow", NEW), ("lost", old)):
                self.sim.fresh(task_delay_ms=60000)
                answer = self.sim.call("POST", path + "/changePassword", {"password": NEW})
                self.assertEqual(answer.status, 200)
                self.migrate(tasks=tasks, **order)
                self.assertEqual(self.sim.in_force(address), old)
                self.assertEqual(self.sim.run_tasks(), 1)
                self.assertEqual(self.sim.in_force(address), outcome, (order, tasks))
                self.assertIs(self.sim.login(outcome, address), True)

    def test_the_second_front_end_follows_a_mailbox_that_has_moved(self):
        self.sim.order("POST", "/set", {"front_delay_ms": 60000})
        self.sim.call("POST", simlib.BOX + "/changePassword", {"password": NEW})
        self.sim.run_tasks()
        self.assertEqual(self.sim.mailbox()["fronts"], [NEW, FIRST])
        self.migrate(address=CONTACT, to="zimbra")
        self.assertEqual(self.sim.mailbox()["fronts"], [NEW, FIRST])
        self.sim.order("POST", "/fronts/converge")
        self.assertEqual(self.sim.mailbox()["fronts"], [NEW, NEW])

    def test_it_happens_at_a_chosen_call_before_its_effect_or_after_it(self):
        path = simlib.BOX + "/changePassword"
        for after, status, outcome in ((False, 404, FIRST), (True, 200, NEW)):
            self.sim.fresh(task_delay_ms=60000)
            self.sim.fault(
                "migrate",
                method="POST",
                path="*/changePassword",
                after=after,
                domain=simlib.DOMAIN,
                to="mxplan-zimbra",
            )
            self.assertEqual(self.sim.call("POST", path, {"password": NEW}).status, status)
            self.assertEqual(self.sim.mailbox()["family"], "mxplan")
            self.sim.run_tasks()
            self.assertEqual(self.sim.in_force(CONTACT), outcome)

    def test_orders_that_name_nothing_are_refused(self):
        for order in (
            {"address": "nobody@nowhere.example", "to": "zimbra"},
            {"address": CONTACT, "to": "gmail"},
            {"from": "nothing", "to": "mxplan-zimbra"},
            {"to": "zimbra"},
        ):
            self.sim.order("POST", "/migrate", order, expect=400)
        self.assertEqual(self.sim.mailbox()["family"], "domain")


class MigrationOnDovecot(unittest.TestCase):
    def test_the_password_still_opens_the_mailbox(self):
        with familylib.World() as sim:
            sim.fresh(task_delay_ms=0)
            self.assertIs(sim.login(FIRST, CONTACT), True)
            sim.order("POST", "/migrate", {"domain": simlib.DOMAIN, "to": "mxplan-zimbra"})
            self.assertIs(sim.login(FIRST, CONTACT), True)
            sim.call("POST", sim.box("pro") + "/changePassword", {"password": NEW})
            box = sim.zimbra()
            change = {"targetSpec": {"password": NEW}}
            sim.call("PUT", ZIMBRA + "/account/" + box["id"], change)
            simlib.wait_for(lambda: sim.in_force("contact@z.example") == NEW)
            for address in ("contact@pro.example", "contact@z.example"):
                self.assertIs(sim.login(NEW, address), True)
                self.assertIs(sim.login(OLD, address), False)


if __name__ == "__main__":
    unittest.main()
