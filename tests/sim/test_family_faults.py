"""Every fault of a call, on each newer family: what comes back, and whether it was done."""

import http.client
import ssl
import unittest

import familylib
from familylib import NEW, OLD, SLOTS, ZIMBRA

# Kind, further members, and whether the password is changed in the end.
BROKEN = [
    ("lost_before", {}, False),
    ("lost_after", {}, True),
    ("reset", {}, False),
    ("reset_after", {}, True),
    ("truncated", {}, True),
    ("garbage_http", {}, True),
    ("stall", {"ms": 50}, False),
    ("stall_after", {"ms": 50}, True),
]
BREAKS = (OSError, http.client.HTTPException, ssl.SSLError)
STATUS = [
    ("409", {}, 409, False),
    ("429", {"retry_after": 7}, 429, False),
    ("500", {}, 500, False),
    ("503", {}, 503, False),
    ("5xx_after", {}, 500, True),
    ("redirect_3xx", {}, 302, False),
    ("partial_headers", {}, 200, True),  # Python makes that of it
    ("not_json", {}, 200, True),
    ("html", {}, 200, True),
    ("empty_body", {}, 200, True),
    ("null_body", {}, 200, True),
    ("wrong_types", {}, 200, True),
    ("wrong_mailbox", {}, 200, True),
    ("slow", {"ms": 5}, 200, True),
    ("revoke_credential", {"after": True}, 200, True),
    ("revoke_credential", {}, 403, False),
    ("expire_service", {}, 460, False),
    ("suspend_service", {}, 403, False),
    ("drop_account", {}, 404, False),
    ("task_silent_fail", {}, 200, False),
    ("task_error", {}, 200, False),
    ("task_cancelled", {}, 200, False),
    ("task_stuck", {}, 200, False),
    ("task_slow", {"ms": 60000}, 200, True),
]


class FamilyFaults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = familylib.World("--imap-responder")

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def setUp(self):
        self.sim.fresh(task_delay_ms=60000)

    def families(self):
        for family in [*SLOTS, "zimbra"]:
            self.sim.fresh(task_delay_ms=60000)
            self.box = None if family != "zimbra" else self.sim.zimbra()["id"]
            yield family

    def address(self, family):
        return "contact@" + (SLOTS[family][1] if family in SLOTS else "z.example")

    def write(self, family, password=NEW):
        if family == "zimbra":
            body = {"targetSpec": {"password": password}}
            return self.sim.call("PUT", ZIMBRA + "/account/" + self.box, body)
        path = self.sim.box(family) + "/changePassword"
        return self.sim.call("POST", path, {"password": password})

    def read(self, family):
        if family == "zimbra":
            return self.sim.call("GET", ZIMBRA + "/account/" + self.box)
        return self.sim.call("GET", self.sim.box(family))

    def plant(self, family, kind, **more):
        method = "PUT" if family == "zimbra" else "POST"
        self.sim.order("DELETE", "/faults")
        self.sim.fault(kind, method=method, path="*/account/*", **more)

    def test_broken_exchanges(self):
        for family in self.families():
            for kind, more, done in BROKEN:
                self.sim.order("POST", "/password", self.old(family))
                self.plant(family, kind, **more)
                with self.assertRaises(BREAKS, msg=(family, kind)):
                    self.write(family)
                self.sim.run_tasks()
                self.check(family, NEW if done else OLD, kind)

    def old(self, family):
        return {"address": self.address(family), "password": OLD}

    def check(self, family, password, kind):
        got = self.sim.mailbox(self.address(family))["password"]
        self.assertEqual(got, password, (family, kind))
        self.assertIs(self.sim.login(password, self.address(family)), True)

    def test_answers_that_are_none(self):
        for kind, more, status, done in STATUS:
            for family in self.families():
                self.plant(family, kind, **more)
                answer = self.write(family)
                self.assertEqual(answer.status, status, (family, kind, answer.body))
                if "retry_after" in more:
                    self.assertEqual(answer.headers["Retry-After"], "7")
                self.sim.run_tasks()
                if kind != "drop_account":
                    self.check(family, NEW if done else OLD, kind)

    def test_a_stuck_task_is_released_with_its_effect_or_without(self):
        for fail in (False, True):
            for family in self.families():
                self.plant(family, "task_stuck")
                self.write(family)
                self.assertEqual(self.sim.run_tasks(), 0)
                self.assertEqual(self.write(family).status, 409)
                self.sim.order("POST", "/task/release", {"fail": fail})
                self.check(family, OLD if fail else NEW, "released")

    def test_a_failed_task_says_so_and_a_silent_one_does_not(self):
        words = {
            "task_silent_fail": ("done", "READY"),
            "task_error": ("error", "ERROR"),
            "task_cancelled": ("cancelled", "ERROR"),
        }
        for kind, (status, resource) in words.items():
            for family in self.families():
                self.plant(family, kind)
                task = self.write(family).json
                self.sim.run_tasks()
                if family == "zimbra":
                    shown = self.read(family).json
                    self.assertEqual(shown["resourceStatus"], resource)
                    failed = resource == "ERROR"
                    self.assertEqual(len(shown["currentTasks"]), 1 if failed else 0)
                    if failed:
                        self.assertTrue(shown["currentTasks"][0]["errors"])
                else:
                    at = SLOTS[family][0]
                    shown = self.sim.get("%s/task/%d" % (at, task["id"]))
                    self.assertEqual(shown["status"], status)
                self.assertEqual(self.write(family).status, 200)
                self.sim.run_tasks()
                self.check(family, NEW, kind)

    def test_wrong_types_turn_all_of_an_answer(self):
        for family in self.families():
            self.sim.fault("wrong_types", path="*/account/*")
            answer = self.read(family).json
            self.assertIsInstance(answer["id"], int if family == "zimbra" else str)
            self.sim.fault("wrong_types", path="*/account*")
            at = ZIMBRA if family == "zimbra" else SLOTS[family][0]
            self.assertIsInstance(self.sim.get(at + "/account"), dict)

    def test_another_mailbox_stands_in_the_answer(self):
        for family in self.families():
            right = self.read(family).json
            self.sim.fault("wrong_mailbox", path="*/account/*")
            wrong = self.read(family).json
            other = "quelquun-dautre@" + self.address(family).split("@")[1]
            if family == "zimbra":
                self.assertEqual(wrong["currentState"]["email"], other)
                self.assertEqual(wrong["targetSpec"]["email"], other)
            else:
                self.assertEqual(wrong["primaryEmailAddress"], other)
                self.assertEqual(wrong["login"], "quelquun-dautre")
                self.assertNotEqual(wrong["id"], right["id"])
            self.sim.fault("wrong_mailbox", path="*/account*")
            at = ZIMBRA if family == "zimbra" else SLOTS[family][0]
            self.assertIn("quelquun-dautre", self.sim.call("GET", at + "/account").body.decode())
            if family != "zimbra":
                self.sim.fault("wrong_mailbox", path="*/changePassword")
                task = self.write(family).json
                at = SLOTS[family][0]
                self.assertNotIn(task["id"], self.sim.get(at + "/task"))

    def test_front_end_2_comes_late(self):
        for family in self.families():
            self.plant(family, "late_front", ms=-1)
            self.write(family)
            self.sim.run_tasks()
            address = self.address(family)
            self.assertEqual(self.sim.mailbox(address)["fronts"], [NEW, OLD])
            self.sim.order("POST", "/fronts/converge")
            self.assertEqual(self.sim.mailbox(address)["fronts"], [NEW, NEW])

    def test_ended_tasks_stay_listed_as_long_as_the_setting_says(self):
        self.sim.order("POST", "/set", {"task_keep_s": 0})
        for family, (at, _, _) in SLOTS.items():
            self.box = None
            task = self.write(family).json
            self.assertEqual(self.sim.get(at + "/task"), [task["id"]])
            self.sim.run_tasks()
            self.assertEqual(self.sim.get(at + "/task"), [])
            path = "%s/task/%d" % (at, task["id"])
            self.assertEqual(self.sim.call("GET", path).status, 404)

    def test_the_second_version_may_want_the_address_in_a_put(self):
        self.sim.order("POST", "/set", {"v2_full_put": True})
        self.box = self.sim.zimbra()["id"]
        self.assertEqual(self.write("zimbra").status, 400)
        body = {"targetSpec": {"password": NEW, "email": "contact@z.example"}}
        answer = self.sim.call("PUT", ZIMBRA + "/account/" + self.box, body)
        self.assertEqual(answer.status, 200)

    def test_rules_name_the_second_version_as_the_setting_says(self):
        def status(path):
            rules = [{"method": "GET", "path": path}]
            change = {"consumer_key": self.sim.consumer, "rules": rules}
            self.sim.order("POST", "/set", {"credential": change})
            return self.sim.call("GET", ZIMBRA).status

        for setting, with_v2, without in ((0, 200, 200), (1, 200, 403), (2, 403, 200)):
            self.sim.order("POST", "/set", {"v2_rules": setting})
            self.assertEqual(status("/v2/zimbra/*"), with_v2)
            self.assertEqual(status("/zimbra/*"), without)


if __name__ == "__main__":
    unittest.main()
