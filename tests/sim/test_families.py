"""The families with slots (email/mxplan, pro, exchange) and the second version's zimbra:
each creates, changes a password, lists its tasks and says what it is."""

import unittest

import familylib
from familylib import NEW, OLD, SLOTS, ZIMBRA


class Slots(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = familylib.World("--imap-responder")

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def setUp(self):
        self.sim.fresh(task_delay_ms=60000, slot_delay_ms=60000)

    @staticmethod
    def each():
        for family, (at, domain, tasks) in SLOTS.items():
            yield family, at, domain, tasks

    def test_a_changed_password_counts_when_its_task_is_done(self):
        for family, at, domain, tasks in self.each():
            box = self.sim.box(family)
            task = self.sim.call("POST", box + "/changePassword", {"password": NEW}).json
            self.assertEqual(task["function"], "changePassword")
            self.assertEqual(task["status"], "todo")
            self.assertEqual(self.sim.get(box)["taskPendingId"], task["id"])
            self.assertEqual(self.sim.get(box + "/" + tasks), [task["id"]])
            self.assertEqual(self.sim.get(at + "/task"), [task["id"]])
            self.assertIs(self.sim.login(OLD, "contact@" + domain), True)
            before = self.sim.get(box)["passwordLastUpdate"]
            self.sim.run_tasks()
            done = self.sim.get("%s/%s/%d" % (box, tasks, task["id"]))
            self.assertEqual(done["status"], "done")
            self.assertIsNotNone(done["finishDate"])
            self.assertGreater(self.sim.get(box)["passwordLastUpdate"], before)
            self.assertIsNone(self.sim.get(box)["taskPendingId"])
            self.assertIs(self.sim.login(OLD, "contact@" + domain), False)
            self.assertIs(self.sim.login(NEW, "contact@" + domain), True)

    def test_a_free_slot_is_configured_and_shows_it_later(self):
        for family, at, domain, _ in self.each():
            free = [a for a in self.sim.get(at + "/account") if a.endswith("@configureme.me")]
            self.assertEqual(len(free), 1)
            self.assertIs(self.sim.get(at + "/account/" + free[0])["configured"], False)
            put = self.sim.call(
                "PUT", at + "/account/" + free[0], {"login": "Devis", "domain": domain}
            )
            self.assertEqual((put.status, put.json), (200, None))
            box = self.sim.box(family, "devis")
            word = {"password": NEW}
            self.assertEqual(self.sim.call("POST", box + "/changePassword", word).status, 404)
            self.sim.run_tasks()
            self.assertEqual(self.sim.call("GET", at + "/account/" + free[0]).status, 404)
            self.assertIs(self.sim.get(box)["configured"], True)
            self.assertIs(self.sim.login(NEW, "devis@" + domain), False)
            self.assertEqual(self.sim.call("POST", box + "/changePassword", word).status, 200)
            self.sim.run_tasks()
            self.assertIs(self.sim.login(NEW, "devis@" + domain), True)

    def test_a_deleted_mailbox_is_a_free_slot_again(self):
        for family, at, domain, _ in self.each():
            number = self.sim.get(self.sim.box(family))["id"]
            self.sim.call("DELETE", self.sim.box(family))
            self.sim.run_tasks()
            self.assertEqual(self.sim.call("GET", self.sim.box(family)).status, 404)
            [freed] = self.sim.get("%s/account?id=%d" % (at, number))
            self.assertTrue(freed.endswith("@configureme.me"))
            self.assertIs(self.sim.login(OLD, "contact@" + domain), False)

    def test_a_mailbox_with_a_task_is_busy_unless_the_setting_says_no(self):
        for family, at, _, _ in self.each():
            box = self.sim.box(family) + "/changePassword"
            self.assertEqual(self.sim.call("POST", box, {"password": NEW}).status, 200)
            self.assertEqual(self.sim.call("POST", box, {"password": NEW}).status, 409)
        self.sim.order("POST", "/set", {"busy_status": 0})
        for family, at, _, _ in self.each():
            box = self.sim.box(family) + "/changePassword"
            self.assertEqual(self.sim.call("POST", box, {"password": OLD + "x"}).status, 200)
        self.sim.run_tasks()
        for family, _, domain, _ in self.each():
            self.assertEqual(self.sim.in_force("contact@" + domain), OLD + "x")


class Zimbra(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = familylib.World("--imap-responder")

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def setUp(self):
        self.sim.fresh(task_delay_ms=60000)

    def put(self, box, spec, **more):
        path = ZIMBRA + "/account/" + box["id"]
        return self.sim.call("PUT", path, dict({"targetSpec": spec}, **more))

    def test_a_put_leads_from_updating_to_ready(self):
        box = self.sim.zimbra()
        answer = self.put(box, {"password": NEW}).json
        self.assertEqual(answer["resourceStatus"], "UPDATING")
        self.assertNotEqual(answer["checksum"], box["checksum"])
        [task] = answer["currentTasks"]
        self.assertEqual(task["status"], "PENDING")
        self.assertIs(self.sim.login(OLD, "contact@z.example"), True)
        self.sim.run_tasks()
        after = self.sim.zimbra()
        self.assertEqual((after["resourceStatus"], after["currentTasks"]), ("READY", []))
        self.assertIs(self.sim.login(NEW, "contact@z.example"), True)
        [listed] = self.sim.get(ZIMBRA + "/task")
        self.assertEqual((listed["id"], listed["status"]), (task["id"], "DONE"))

    def test_a_stale_checksum_is_refused(self):
        box = self.sim.zimbra()
        self.put(box, {"password": NEW})
        self.sim.run_tasks()
        answer = self.put(box, {"password": OLD}, checksum=box["checksum"])
        self.assertEqual(answer.status, 409)
        self.assertEqual(answer.json["class"], "Client::Conflict::ChecksumMismatch")

    def test_a_mailbox_takes_a_slot_until_none_is_left(self):
        spec = {"email": "devis@z.example", "password": NEW, "offer": "STARTER"}
        answer = self.sim.call("POST", ZIMBRA + "/account", {"targetSpec": spec})
        self.assertEqual(answer.status, 200, answer.body)
        self.assertEqual(answer.json["resourceStatus"], "CREATING")
        self.assertIs(self.sim.login(NEW, "devis@z.example"), False)
        self.sim.run_tasks()
        self.assertIs(self.sim.login(NEW, "devis@z.example"), True)
        spec["email"] = "encore@z.example"
        full = self.sim.call("POST", ZIMBRA + "/account", {"targetSpec": spec})
        self.assertEqual((full.status, full.json["class"]), (403, "Client::Forbidden"))
        path = ZIMBRA + "/account/" + answer.json["id"]
        self.assertIsNone(self.sim.call("DELETE", path).json)
        self.assertEqual(self.sim.get(path)["resourceStatus"], "DELETING")
        self.sim.run_tasks()
        self.assertEqual(self.sim.call("GET", path).status, 404)
        self.assertEqual(len(self.sim.get(ZIMBRA + "/slot?used=false")), 1)

    def test_lists_come_in_pages(self):
        more = {"family": "zimbra", "nic": familylib.NIC, "domains": ["many.example"]}
        more["bulk"] = {"prefix": "b", "count": 7, "password": OLD}
        made = self.sim.order("POST", "/seed", {"services": [more]})
        at = "/v2/zimbra/platform/" + made["services"][0]["service"] + "/account"
        seen, cursor, pages = [], None, 0
        while pages == 0 or cursor:
            headers = {"X-Pagination-Size": "3", "X-Pagination-Cursor": cursor}
            answer = self.sim.call("GET", at, headers=headers)
            seen += [a["currentState"]["email"] for a in answer.json]
            cursor = answer.headers["X-Pagination-Cursor-Next"]
            pages += 1
        self.assertEqual(pages, 3)
        self.assertEqual(seen, ["b%05d@many.example" % n for n in range(1, 8)])


if __name__ == "__main__":
    unittest.main()
