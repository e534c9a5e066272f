"""Every fault does what it is there for, once and when it was told to."""

import contextlib
import http.client
import json
import socket
import ssl
import time
import unittest

import simlib

DOMAIN = "/email/domain/" + simlib.DOMAIN
CHANGE = simlib.BOX + "/changePassword"
GOOD = "Un-mot-de-passe"
BROKEN = (
    ConnectionResetError,
    http.client.HTTPException,
    ssl.SSLError,
    BrokenPipeError,
    ConnectionAbortedError,
)


class Faults(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = simlib.Sim("--imap-responder", "--two-fronts")

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def setUp(self):
        self.sim.reset(task_delay_ms=86400000)
        self.old = self.sim.mailbox()["password"]

    def change(self, timeout=60):
        return self.sim.call("POST", CHANGE, {"password": GOOD}, timeout=timeout)

    def carried_out(self):
        """Whether the latest call had an effect, by the log and by the tasks."""
        effect = self.sim.order("GET", "/log")["log"][-1]["effect"]
        tasks = self.sim.order("GET", "/state")["tasks"]
        self.assertEqual(effect, any(t["name"] == "contact" for t in tasks))
        return effect

    def fault(self, kind, **more):
        self.sim.fault(kind, method="POST", path="*/changePassword", **more)

    def no_answer(self, kind, effect, error=BROKEN, **more):
        self.setUp()
        self.fault(kind, **more)
        with self.assertRaises(error, msg=kind):
            self.change()
        self.assertEqual(self.carried_out(), effect, kind)
        entry = self.sim.order("GET", "/log")["log"][-1]
        self.assertEqual((entry["fault"], entry["answered"]), (kind, False))
        self.assertEqual(self.change().status, 409 if effect else 200, kind)

    def test_lost_answers(self):
        self.no_answer("lost_before", False)
        self.no_answer("lost_after", True)
        self.no_answer("lost_before", True, after=True)
        self.no_answer("reset", False)
        self.no_answer("reset_after", True)
        self.no_answer("garbage_http", True)
        self.no_answer("truncated", True, error=http.client.IncompleteRead)

    def test_how_the_connection_ends(self):
        cases = [
            ("lost_before", "notified", b"^$"),
            ("lost_after", "notified", b"^$"),
            ("reset", "reset", b"^$"),
            ("reset_after", "reset", b"^$"),
            ("partial_headers", "notified", b"^HTTP/1.1 200 OK\r\nDate: [^\r]*\r\nConte$"),
            ("garbage_http", "notified", b"^[^H]"),
            ("truncated", "notified", b"Content-Length: 126\r\n\r\n.{63}$"),
        ]
        text = self.sim.request_text("POST", CHANGE, json.dumps({"password": GOOD}))
        for kind, ending, pattern in cases:
            self.setUp()
            self.fault(kind)
            got, how = self.sim.ending(self.sim.endpoint, text)
            self.assertEqual(how, ending, kind)
            self.assertRegex(got, pattern)
            self.assertEqual(self.carried_out(), kind not in ("lost_before", "reset"))
        hello = b"a AUTHENTICATE PLAIN AGEAYg==\r\n"
        self.sim.fault("reset", method="IMAP")
        self.assertEqual(self.sim.ending(self.sim.ready["imap"], hello)[1], "reset")
        self.sim.fault("close", method="IMAP")
        self.assertEqual(self.sim.ending(self.sim.ready["imap"], hello)[1], "notified")

    def test_stall_ends_when_the_client_gives_up(self):
        for kind, effect in (("stall", False), ("stall_after", True)):
            self.setUp()
            self.fault(kind)
            began = time.monotonic()
            with self.assertRaises(socket.timeout):
                self.change(timeout=1)
            self.assertGreater(time.monotonic() - began, 0.9)
            self.assertEqual(self.carried_out(), effect)
        self.fault("stall", ms=100)
        with self.assertRaises(http.client.RemoteDisconnected):
            self.change()

    def test_answers_with_a_status(self):
        html = {408, 502, 503, 504}
        for status in (400, 401, 403, 404, 408, 409, 429, 460, 500, 502, 503, 504):
            self.setUp()
            self.fault(str(status))
            answer = self.change()
            self.assertEqual(answer.status, status)
            if status in html:
                self.assertIn(b"<h1>%d" % status, answer.body)
                self.assertTrue(answer.headers["Content-Type"].startswith("text/html"))
            else:
                self.assertIn("message", answer.json)
            self.assertFalse(self.carried_out())
            self.assertEqual(self.change().status, 200)

    def test_form_of_a_status(self):
        self.fault("500", html=True)
        self.assertIn(b"<html>", self.change().body)
        self.fault("503", html=False, retry_after=9)
        answer = self.change()
        self.assertEqual(answer.json["class"], "Server::InternalServerError")
        self.assertEqual(answer.headers["Retry-After"], "9")
        date = "Tue, 02 Jun 2026 08:00:00 GMT"
        self.fault("429", retry_after=date)
        self.assertEqual(self.change().headers["Retry-After"], date)
        self.fault("429")
        self.assertIsNone(self.change().headers["Retry-After"])
        self.fault("400", message="'password' is refused by the policy")
        self.assertEqual(self.change().json["message"], "'password' is refused by the policy")
        self.fault("418", body={"any": ["thing"]})
        answer = self.change()
        self.assertEqual((answer.status, answer.json), (418, {"any": ["thing"]}))
        self.fault("404", body="<not json>")
        self.assertEqual(self.change().body, b"<not json>")

    def test_a_5xx_after_the_effect(self):
        self.fault("5xx_after")
        self.assertEqual(self.change().status, 500)
        self.assertTrue(self.carried_out())
        self.setUp()
        self.fault("5xx_after", status=504)
        self.assertEqual(self.change().status, 504)
        self.assertTrue(self.carried_out())

    def test_redirection(self):
        self.fault("redirect_3xx")
        answer = self.change()
        self.assertEqual(answer.status, 302)
        self.assertTrue(answer.headers["Location"].startswith("https://"))
        self.fault("redirect_3xx", status=307, location="https://example.org/")
        answer = self.change()
        self.assertEqual((answer.status, answer.body), (307, b""))
        self.assertEqual(answer.headers["Location"], "https://example.org/")
        self.assertFalse(self.carried_out())

    def test_bodies_that_are_not_what_they_should_be(self):
        cases = [
            ("empty_body", b""),
            ("null_body", b"null"),
            ("not_json", b'{"id": 12, "action": changePassword'),
        ]
        for kind, body in cases:
            self.setUp()
            self.fault(kind)
            answer = self.change()
            self.assertEqual((answer.status, answer.body), (200, body))
            self.assertTrue(self.carried_out())
        self.setUp()
        self.fault("html")
        self.assertIn(b"<html>", self.change().body)
        self.setUp()
        self.fault("wrong_types")
        answer = self.change().json
        self.assertIsInstance(answer["id"], str)
        self.assertIsInstance(answer["name"], int)
        self.sim.fault("wrong_types", path="/email/domain")
        self.assertIsInstance(self.sim.get("/email/domain"), dict)
        self.setUp()
        self.fault("body", body={"id": 1e300})
        self.assertEqual(self.change().json, {"id": 1e300})

    def test_another_mailbox_in_the_answer(self):
        self.fault("wrong_mailbox")
        answer = self.change()
        self.assertEqual((answer.status, answer.json["name"]), (200, "quelquun-dautre"))
        self.assertTrue(self.carried_out())
        self.sim.fault("wrong_mailbox", method="GET", path=simlib.BOX)
        box = self.sim.get(simlib.BOX)
        self.assertEqual(box["email"], "quelquun-dautre@" + simlib.DOMAIN)

    def test_a_huge_body(self):
        self.fault("huge_body", bytes=3000000)
        answer = self.change()
        self.assertEqual(len(answer.body), 3000000)
        self.assertEqual(answer.json["id"], 1)
        self.fault("huge_body")
        link = self.sim.connect()
        root = "/1.0"
        text = json.dumps({"password": GOOD})
        link.request("POST", root + CHANGE, text, self.sim.headers("POST", CHANGE, text))
        with contextlib.closing(link), link.getresponse() as got:
            self.assertEqual(got.length, 64 * 1024 * 1024)
            self.assertEqual(len(got.read(100000)), 100000)
        self.assertEqual(self.sim.call("GET", "/me").status, 200)

    def test_slow(self):
        for more in ({}, {"after": True}):
            self.setUp()
            self.fault("slow", ms=200, **more)
            began = time.monotonic()
            self.assertEqual(self.change().status, 200)
            self.assertGreater(time.monotonic() - began, 0.19)
        self.sim.order("POST", "/set", {"latency_ms": 150})
        began = time.monotonic()
        self.sim.get("/me")
        self.assertGreater(time.monotonic() - began, 0.14)

    def test_others_go_on_while_one_is_slow(self):
        self.sim.fault("stall", path="/me")
        link = self.sim.connect()
        link.request("GET", "/1.0/me", headers=self.sim.headers("GET", "/me"))
        self.assertEqual(self.change().status, 200)
        link.sock.settimeout(0)
        with self.assertRaises(ssl.SSLWantReadError):  # that one has no answer yet
            link.sock.recv(1)
        link.close()

    def test_tasks_that_fail_silently(self):
        self.fault("task_silent_fail")
        task = self.change().json
        one = DOMAIN + "/task/account/%d" % task["id"]
        self.assertEqual(self.sim.call("GET", one).status, 200)
        self.sim.order("POST", "/task/run")
        self.assertEqual(self.sim.call("GET", one).status, 404)
        self.assertEqual(self.sim.mailbox()["password"], self.old)
        self.sim.fault("task_silent_fail", method="POST", path=DOMAIN + "/account")
        new = {"accountName": "devis", "password": GOOD}
        self.assertEqual(self.sim.call("POST", DOMAIN + "/account", new).status, 200)
        self.sim.order("POST", "/task/run")
        self.assertEqual(self.sim.call("GET", DOMAIN + "/account/devis").status, 404)

    def test_tasks_that_are_stuck_or_slow(self):
        self.sim.order("POST", "/set", {"task_delay_ms": 0})
        self.fault("task_stuck")
        self.change()
        self.assertEqual(self.sim.order("POST", "/task/run")["ended"], 0)
        time.sleep(0.05)
        self.assertEqual(self.change().status, 409)
        self.assertEqual(self.sim.order("POST", "/task/release")["ended"], 1)
        self.assertEqual(self.sim.mailbox()["password"], GOOD)
        self.setUp()
        self.sim.order("POST", "/set", {"task_delay_ms": 0})
        self.fault("task_stuck")
        self.change()
        self.sim.order("POST", "/task/release", {"fail": True})
        self.assertEqual(self.sim.mailbox()["password"], self.old)
        self.fault("task_slow", ms=150)
        self.change()
        time.sleep(0.05)
        self.assertEqual(self.sim.mailbox()["password"], self.old)
        self.assertTrue(simlib.wait_for(lambda: self.sim.mailbox()["password"] == GOOD))

    def test_a_front_end_that_is_late(self):
        self.sim.order("POST", "/set", {"task_delay_ms": 0})
        self.fault("late_front", ms=-1)
        self.change()
        self.assertTrue(simlib.wait_for(lambda: self.sim.mailbox()["password"] == GOOD))
        second = self.sim.ready["imap2"]
        self.assertEqual((self.sim.login(self.old), self.sim.login(GOOD)), (False, True))
        self.assertIs(self.sim.login(self.old, imap=second), True)
        self.assertIs(self.sim.login(GOOD, imap=second), False)
        self.assertEqual(self.sim.order("POST", "/fronts/converge")["moved"], 1)
        self.assertIs(self.sim.login(self.old, imap=second), False)
        self.assertIs(self.sim.login(GOOD, imap=second), True)

    def test_a_late_front_end_never_goes_back(self):
        self.sim.order("POST", "/set", {"task_delay_ms": 0, "front_delay_ms": 100})
        self.change()
        simlib.wait_for(lambda: self.sim.mailbox()["password"] == GOOD)
        self.sim.order("POST", "/set", {"front_delay_ms": 0})
        self.sim.call("POST", CHANGE, {"password": "Encore-un-autre"})
        simlib.wait_for(lambda: self.sim.mailbox()["password"] == "Encore-un-autre")
        time.sleep(0.2)
        self.assertEqual(self.sim.mailbox()["fronts"], ["Encore-un-autre"] * 2)

    def test_front_ends_that_take_turns(self):
        self.sim.order("POST", "/set", {"task_delay_ms": 0, "alternate_fronts": True})
        self.fault("late_front", ms=-1)
        self.change()
        simlib.wait_for(lambda: self.sim.mailbox()["password"] == GOOD)
        self.assertEqual([self.sim.login(GOOD) for _ in range(4)], [True, False] * 2)

    def test_keys_and_services_that_go_away(self):
        self.fault("revoke_credential")
        self.assertEqual(self.change().json["errorCode"], "INVALID_CREDENTIAL")
        self.assertFalse(self.carried_out())
        self.setUp()
        self.fault("revoke_credential", after=True)
        self.assertEqual(self.change().status, 200)
        self.assertEqual(self.sim.call("GET", "/me").status, 403)
        self.setUp()
        self.fault("expire_service")
        self.assertEqual(self.change().status, 460)
        self.assertEqual(self.sim.call("GET", simlib.BOX).status, 460)
        self.setUp()
        self.fault("suspend_service")
        self.assertEqual(self.change().status, 403)
        self.setUp()
        self.fault("drop_account")
        self.assertEqual(self.change().status, 404)
        self.assertIs(self.sim.login(self.old), False)

    def test_a_clock_that_jumps(self):
        self.fault("clock_skew", seconds=7200)
        self.assertEqual(self.change().json["errorCode"], "QUERY_TIME_OUT")
        self.assertAlmostEqual(
            self.sim.get("/auth/time", offset=7200), time.time() + 7200, delta=60
        )

    def test_when_and_how_often(self):
        def got(count):
            return [self.sim.call("GET", "/me").status for _ in range(count)]

        self.sim.fault("500", path="/me", nth=2, times=2)
        self.assertEqual(got(5), [200, 500, 500, 200, 200])
        self.sim.order("DELETE", "/faults")
        self.sim.fault("500", path="/me", sticky=True)
        self.assertEqual(got(3), [500] * 3)
        dump = self.sim.order("GET", "/faults")["faults"]
        self.assertEqual((dump[0]["met"], dump[0]["used"]), (3, 3))
        self.sim.order("DELETE", "/faults")
        self.sim.fault("500", method="POST", path="/me")
        self.assertEqual(got(1), [200])
        self.sim.order("POST", "/faults", [{"kind": "500", "path": "/m?"}, {"kind": "slow"}])
        self.sim.order("POST", "/faults", {"kind": "nothing like it"}, expect=400)
        rules = [{"kind": "500"}, {"kind": "wrong"}]
        before = len(self.sim.order("GET", "/faults")["faults"])
        self.sim.order("POST", "/faults", rules, expect=400)
        self.assertEqual(len(self.sim.order("GET", "/faults")["faults"]), before)

    def test_faults_join(self):
        self.sim.order("POST", "/set", {"task_delay_ms": 0})
        self.fault("task_silent_fail")
        self.fault("lost_after")
        with self.assertRaises(http.client.RemoteDisconnected):
            self.change()
        self.assertTrue(
            simlib.wait_for(lambda: not self.sim.order("GET", "/state")["tasks"])
        )
        self.assertEqual(self.sim.mailbox()["password"], self.old)
        entry = self.sim.order("GET", "/log")["log"][-1]
        self.assertEqual(entry["fault"], "task_silent_fail,lost_after")

    def test_log_in_faults(self):
        for kind in ("unavailable", "inuse", "limit", "contactadmin"):
            self.sim.fault(kind, method="IMAP")
            self.assertIn("NO [%s]" % kind.upper(), self.sim.login(self.old))
        self.sim.fault("bye", method="IMAP")
        self.assertIn("* BYE", self.sim.login(self.old))
        for kind in ("close", "lost_before"):
            self.sim.fault(kind, method="IMAP")
            self.assertEqual(self.sim.login(self.old), "closed")
        self.sim.fault("garbage", method="IMAP")
        self.assertNotIn(self.sim.login(self.old), (True, False))
        self.sim.fault("stall", method="IMAP")
        self.assertIn(self.sim.login(self.old, timeout=0.2), ("TimeoutError", "timeout"))
        self.sim.fault("slow", method="IMAP", ms=150)
        began = time.monotonic()
        self.assertIs(self.sim.login(self.old), True)
        self.assertGreater(time.monotonic() - began, 0.14)
        self.sim.fault("bye", method="IMAP-GREETING")
        self.assertIn("* BYE", self.sim.login(self.old))
        self.sim.fault("close", method="IMAP-GREETING")
        self.assertNotIn(self.sim.login(self.old), (True, False))
        counters = self.sim.order("GET", "/state")["counters"]
        self.assertEqual(counters["logins_accepted"], 1)
        self.assertEqual(counters["logins_refused"], 0)

    def test_log_in_caches(self):
        self.sim.fault("refuse_right", method="IMAP", path="contact@*", times=2)
        self.assertEqual([self.sim.login(self.old) for _ in range(3)], [False, False, True])
        self.sim.order("POST", "/set", {"task_delay_ms": 0})
        self.change()
        simlib.wait_for(lambda: self.sim.mailbox()["password"] == GOOD)
        self.sim.fault("accept_old", method="IMAP", times=3)
        self.assertIs(self.sim.login(self.old), True)
        self.assertIs(self.sim.login(GOOD), True)
        self.assertIs(self.sim.login("jamais-en-vigueur"), False)
        self.assertIs(self.sim.login(self.old), False)

    def test_log_in_forms(self):
        self.assertIs(self.sim.login(self.old, initial=False), True)
        self.assertIs(self.sim.login(self.old, user="CONTACT@" + simlib.DOMAIN), True)
        self.assertIs(self.sim.login(self.old, user="personne@" + simlib.DOMAIN), False)
        self.sim.order("POST", "/imap", {"down": True})
        self.assertNotIn(self.sim.login(self.old), (True, False))
        self.sim.order("POST", "/imap", {"down": False})
        self.assertIs(self.sim.login(self.old), True)


if __name__ == "__main__":
    unittest.main()
