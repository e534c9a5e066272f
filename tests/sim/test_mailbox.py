"""Mailboxes and their tasks: OVH's rules on names and passwords, one task at a time, a
password in force only when its task has ended."""

import contextlib
import json
import threading
import time
import unittest

import simlib

DOMAIN = "/email/domain/" + simlib.DOMAIN
ACCOUNTS = DOMAIN + "/account"
CHANGE = simlib.BOX + "/changePassword"
GOOD = "Un-mot-de-passe"


class Mailbox(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = simlib.Sim("--imap-responder")

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def setUp(self):
        self.sim.reset(task_delay_ms=86400000)

    def run_tasks(self):
        return self.sim.order("POST", "/task/run")["ended"]

    def create(self, name, password=GOOD, **more):
        body = dict(accountName=name, password=password, **more)
        return self.sim.call("POST", ACCOUNTS, body)

    def refused(self, answer, message=None):
        self.assertEqual((answer.status, answer.json["class"]), (400, "Client::BadRequest"))
        if message:
            self.assertIn(message, answer.json["message"])

    def test_password_rules(self):
        cases = [
            ("12345678", "too short"),
            ("é2345678", "too short"),
            ("1" * 31, "too long"),
            (" 123456789", "blank"),
            ("123456789 ", "blank"),
            ("12345678\t", "blank"),
            ("motdepassé1", "accented"),
            ("motdepasse\u0301", "accented"),
        ]
        for word, message in cases:
            self.refused(self.sim.call("POST", CHANGE, {"password": word}), message)
            self.refused(self.create("neuf", word), message)
        for word in ("123456789", "1" * 30, "a b c d e f", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`"):
            self.assertEqual(self.sim.call("POST", CHANGE, {"password": word}).status, 200)
            self.run_tasks()
            self.assertEqual(self.sim.mailbox()["password"], word)

    def test_name_rules(self):
        for name in ("a", "a" * 33, "-ab", ".ab", "a b", "a@b", "a+b", "é2", "a/b", ""):
            self.refused(self.create(name))
        for name in ("ab", "a" * 32, "a.b-c_d", "_x9", "a..", "9lives"):
            self.assertEqual(self.create(name).status, 200, name)
        self.assertEqual(self.create("Devis").json["name"], "devis")
        self.assertIn("devis", self.sim.get(ACCOUNTS))
        self.assertEqual(self.sim.get(ACCOUNTS + "/DEVIS")["accountName"], "devis")

    def test_parameters_are_checked(self):
        bad = [
            None,
            "[]",
            "{",
            '"x"',
            {},
            {"password": None},
            {"password": 123456789},
            {"password": [GOOD]},
            {"password": GOOD, "more": 1},
            '{"password": "Un-mot-de-passe", "password": "Un-mot-de-passe"}',
            '{"password": "Un-mot-de-passe"',
        ]
        for body in bad:
            self.refused(self.sim.call("POST", CHANGE, body))
        plain = {"Content-Type": "text/plain"}
        self.refused(self.sim.call("POST", CHANGE, {"password": GOOD}, headers=plain))
        self.refused(self.create("devis", size=1))
        self.refused(self.create("devis", size="5000000000"))
        self.refused(self.create("devis", description="a:b"))
        self.refused(self.create("devis", description="x" * 33))
        self.refused(self.sim.call("PUT", simlib.BOX, {"size": 3}))
        self.refused(self.sim.call("PUT", simlib.BOX, {"nothing": 3}))
        self.refused(self.sim.call("GET", ACCOUNTS + "?name=x"))
        self.refused(self.sim.call("GET", ACCOUNTS + "?accountName=x&accountName=y"))
        self.refused(self.sim.call("GET", ACCOUNTS + "?accountName=%zz"))
        self.refused(self.sim.call("GET", DOMAIN + "/task/account/abc"))
        self.assertEqual(self.sim.mailbox()["history"][1:], [])

    def test_no_password_shows_in_an_answer_or_the_log(self):
        word = "Secret-canary-77"
        for body in ({"password": word + "é"}, {"password": word, "x": 1}, {"password": word}):
            answer = self.sim.call("POST", CHANGE, body)
            self.assertNotIn(word, answer.body.decode())
        self.assertNotIn(word, json.dumps(self.sim.order("GET", "/log")))

    def test_a_password_counts_when_its_task_has_ended(self):
        old = self.sim.mailbox()["password"]
        task = self.sim.call("POST", CHANGE, {"password": GOOD}).json
        self.assertEqual(
            (task["action"], task["name"], task["domain"]),
            ("changePassword", "contact", simlib.DOMAIN),
        )
        listed = DOMAIN + "/task/account?name=contact"
        one = DOMAIN + "/task/account/%d" % task["id"]
        self.assertEqual(self.sim.get(listed), [task["id"]])
        self.assertEqual(self.sim.get(DOMAIN + "/task/account?name=ancien"), [])
        self.assertEqual(self.sim.get(one), task)
        self.assertEqual((self.sim.login(old), self.sim.login(GOOD)), (True, False))
        self.assertEqual(self.sim.call("POST", CHANGE, {"password": GOOD}).status, 409)
        self.assertEqual(self.sim.call("DELETE", simlib.BOX).status, 409)
        self.assertEqual(
            self.sim.call("POST", ACCOUNTS + "/ancien/changePassword", {"password": GOOD}).status,
            200,
        )
        self.assertEqual(self.run_tasks(), 2)
        self.assertEqual(self.sim.get(listed), [])
        self.assertEqual(self.sim.call("GET", one).status, 404)
        self.assertEqual((self.sim.login(old), self.sim.login(GOOD)), (False, True))
        self.assertEqual(
            [h["by"] for h in self.sim.mailbox()["history"]], ["seed", "api"]
        )

    def test_tasks_run_by_themselves(self):
        self.sim.order("POST", "/set", {"task_delay_ms": 120})
        began = time.monotonic()
        self.sim.call("POST", CHANGE, {"password": GOOD})
        self.assertTrue(simlib.wait_for(lambda: self.sim.mailbox()["password"] == GOOD))
        self.assertGreaterEqual(time.monotonic() - began, 0.12)

    def test_life_of_a_mailbox(self):
        address = "devis@" + simlib.DOMAIN
        self.assertEqual(self.create("devis", description="Devis").status, 200)
        box = ACCOUNTS + "/devis"
        self.assertEqual(self.sim.get(box)["size"], 5000000000)
        self.assertEqual(self.sim.call("PUT", box, {"size": 10000000000}).json, None)
        self.assertEqual(self.sim.get(ACCOUNTS + "?description=D%25"), ["devis"])
        self.assertEqual(self.sim.call("DELETE", box).status, 409)
        self.assertIs(self.sim.login(GOOD, address), False)
        self.run_tasks()
        self.assertIs(self.sim.login(GOOD, address), True)
        self.assertEqual(self.sim.call("DELETE", box).json["action"], "deleteAccount")
        self.assertEqual(self.sim.call("GET", box).status, 200)
        self.run_tasks()
        self.assertEqual(self.sim.call("GET", box).status, 404)
        self.assertIs(self.sim.login(GOOD, address), False)

    def test_name_taken_and_no_room(self):
        self.refused(self.create("contact"), "already exists")
        self.sim.order("POST", "/set", {"name_taken_status": 409})
        self.assertEqual(self.create("contact").status, 409)
        change = {"domain": {"domain": simlib.DOMAIN, "accounts_max": 2}}
        self.sim.order("POST", "/set", change)
        self.assertEqual(self.create("devis").status, 403)
        self.sim.order("POST", "/set", {"no_slot_status": 400})
        self.assertEqual(self.create("devis").status, 400)

    def test_same_password_is_taken_unless_told(self):
        now = self.sim.mailbox()["password"]
        self.assertEqual(self.sim.call("POST", CHANGE, {"password": now}).status, 200)
        self.run_tasks()
        self.sim.order("POST", "/set", {"same_password_status": 400})
        self.refused(self.sim.call("POST", CHANGE, {"password": now}), "differ")

    def test_services_that_are_expired_suspended_or_of_the_older_404(self):
        self.sim.order("POST", "/set", {"domain": {"domain": simlib.DOMAIN, "suspended": True}})
        self.assertEqual(self.sim.call("GET", simlib.BOX).status, 200)
        answer = self.sim.call("POST", CHANGE, {"password": GOOD})
        self.assertEqual((answer.status, answer.json["errorCode"]), (403, "FORBIDDEN"))
        self.sim.order("POST", "/set", {"domain": {"domain": simlib.DOMAIN, "expired": True}})
        self.assertEqual(self.sim.call("GET", simlib.BOX).status, 460)
        self.sim.reset(plain_not_found=True)
        answer = self.sim.call("GET", ACCOUNTS + "/personne")
        self.assertEqual((answer.status, list(answer.json)), (404, ["message"]))

    def test_outside_changes_and_blocked_mailboxes(self):
        address = "contact@" + simlib.DOMAIN
        order = {"address": address, "password": "Change-ailleurs-1"}
        self.sim.order("POST", "/password", order)
        self.assertIs(self.sim.login("Change-ailleurs-1"), True)
        self.sim.order("POST", "/set", {"account": {"address": address, "blocked": True}})
        self.assertIs(self.sim.login("Change-ailleurs-1"), False)
        self.assertIs(self.sim.get(simlib.BOX)["isBlocked"], True)

    def test_many_at_once(self):
        bulk = {"prefix": "box", "count": 200, "password": "Mot-de-depart"}
        domain = {"domain": "grand.fr", "nic": "xy000000-ovh", "bulk": bulk}
        self.sim.reset(task_delay_ms=20)
        self.sim.order("POST", "/seed", {"domains": [domain]})
        names = self.sim.get("/email/domain/grand.fr/account")
        self.assertEqual(len(names), 200)
        failed = []

        def work(part):
            with contextlib.closing(self.sim.connect()) as link:
                for name in part:
                    path = "/email/domain/grand.fr/account/%s/changePassword" % name
                    answer = self.sim.call("POST", path, {"password": GOOD}, connection=link)
                    if answer.status != 200:
                        failed.append((name, answer.status))

        threads = [threading.Thread(target=work, args=(names[i::8],)) for i in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failed, [])
        self.assertTrue(
            simlib.wait_for(
                lambda: all(
                    self.sim.mailbox(name + "@grand.fr")["password"] == GOOD for name in names
                )
            )
        )
        self.assertEqual(self.sim.get("/email/domain/grand.fr/task/account"), [])

    def test_chunked_answers(self):
        self.sim.order("POST", "/set", {"chunked": True})
        with contextlib.closing(self.sim.connect()) as link:
            for _ in range(3):
                answer = self.sim.call("GET", "/me", connection=link)
                self.assertEqual(answer.headers["Transfer-Encoding"], "chunked")
                self.assertEqual(answer.json["nichandle"], "xy000000-ovh")

    def test_the_log_tells_what_had_an_effect(self):
        self.sim.get(simlib.BOX)
        self.sim.call("POST", CHANGE, {"password": GOOD})
        self.sim.call("POST", CHANGE, {"password": GOOD})
        log = self.sim.order("GET", "/log")["log"]
        self.assertEqual(
            [(e["method"], e["status"], e["effect"]) for e in log],
            [("GET", 200, False), ("POST", 200, True), ("POST", 409, False)],
        )
        self.assertEqual(log[1]["path"], CHANGE)
        rest = self.sim.order("GET", "/log?since=%d" % log[1]["n"])["log"]
        self.assertEqual(rest, log[2:])


if __name__ == "__main__":
    unittest.main()
