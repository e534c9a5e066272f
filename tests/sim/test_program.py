"""The program itself: options, files, the control port, and requests that are no good."""

import contextlib
import http.client
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import unittest
import urllib.parse

import simlib


def run(*options):
    return subprocess.run(
        [simlib.SIM, *options], capture_output=True, text=True, timeout=60, check=False
    )


class Program(unittest.TestCase):
    def test_options(self):
        self.assertEqual(run("--help").returncode, 0)
        self.assertIn("passation-sim", run("--version").stdout)
        for options in (
            (),
            ("--dir",),
            ("--dir", "x", "y"),
            ("--dir", "x", "--port", "70000"),
            ("--dir", "x", "--port", "-1"),
            ("--dir", "x", "--task-delay", "1s"),
            ("--dir", "x", "--failure-delay", "2"),
            ("--nothing",),
        ):
            got = run(*options)
            self.assertEqual(got.returncode, 2, options)
            self.assertNotEqual(got.stderr, "")
        got = run("--dir", "/proc/nowhere", "--no-imap")
        self.assertEqual((got.returncode, got.stdout), (1, ""))

    def test_a_seed_that_is_no_good(self):
        for text in ("{", '{"credentials": [{"application_key": "unknown"}]}'):
            with tempfile.TemporaryDirectory() as place:
                seed = os.path.join(place, "seed.json")
                with open(seed, "w", encoding="utf-8") as file:
                    file.write(text)
                got = run("--dir", place, "--no-imap", "--seed", seed)
                self.assertEqual(got.returncode, 1)
                self.assertIn("seed", got.stderr)
                self.assertFalse(os.path.exists(os.path.join(place, "ready.json")))

    def test_a_seed_of_ones_own(self):
        seed = {
            "nics": [{"nichandle": "qa1-ovh"}],
            "applications": [{"nic": "qa1-ovh"}],
            "domains": [{"domain": "un.fr", "nic": "qa1-ovh"}],
        }
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(seed, file)
            file.flush()
            place = tempfile.mkdtemp()
            process = subprocess.Popen(
                [simlib.SIM, "--dir", place, "--no-imap", "--seed", file.name]
            )
            ready = os.path.join(place, "ready.json")
            self.assertTrue(simlib.wait_for(lambda: os.path.exists(ready)))
            with open(ready, encoding="utf-8") as text:
                self.assertNotIn("consumer_key", json.load(text))
            process.terminate()
            self.assertEqual(process.wait(timeout=60), 0)

    def test_it_is_ready_within_half_a_second(self):
        for _ in range(20):  # of a machine that may have much else to do
            with simlib.Sim("--imap-responder", "--two-fronts") as sim:
                if sim.start_s < 0.5:
                    return
        self.fail("not once in twenty starts")

    def test_files(self):
        with simlib.Sim("--imap-responder", "--two-fronts") as sim:
            ready = sim.ready
            self.assertRegex(ready["endpoint"], r"^https://127\.0\.0\.1:\d+/1\.0$")
            self.assertRegex(ready["imap"], r"^imaps://127\.0\.0\.1:\d+$")
            self.assertNotEqual(ready["imap"], ready["imap2"])
            self.assertRegex(ready["control"], r"^http://127\.0\.0\.1:\d+$")
            self.assertEqual(ready["pid"], sim.process.pid)
            for name in ("ready.json", "ovh.conf", "server.key"):
                mode = os.stat(os.path.join(sim.dir, name)).st_mode
                self.assertEqual(stat.S_IMODE(mode), 0o600, name)
            with open(ready["config"], encoding="utf-8") as file:
                text = file.read()
            wanted = "[default]\nendpoint=%s\n\n[%s]\napplication_key=%s\n" % (
                (ready["endpoint"],) * 2 + (ready["application_key"],)
            )
            self.assertTrue(text.startswith(wanted))

    def test_the_certificate_is_for_loopback_only(self):
        with simlib.Sim("--no-imap") as sim:
            port = urllib.parse.urlsplit(sim.endpoint).port
            for name in ("127.0.0.1", "127.0.0.2", "localhost"):
                with socket.create_connection(("127.0.0.1", port), 60) as bare:
                    with sim.tls.wrap_socket(bare, server_hostname=name) as link:
                        self.assertIn(link.version(), ("TLSv1.2", "TLSv1.3"))
            for context, name in (
                (sim.tls, "eu.api.ovh.com"),
                (ssl.create_default_context(), "127.0.0.1"),
            ):
                with socket.create_connection(("127.0.0.1", port), 60) as bare:
                    with self.assertRaises(ssl.SSLCertVerificationError):
                        context.wrap_socket(bare, server_hostname=name)

    def test_it_ends_with_its_parent(self):
        with tempfile.TemporaryDirectory() as place:
            code = (
                "import subprocess, sys, time\n"
                "subprocess.Popen(sys.argv[1:])\n"
                "time.sleep(60)\n"
            )
            command = [simlib.SIM, "--dir", place, "--no-imap", "--with-parent"]
            parent = subprocess.Popen([sys.executable, "-c", code, *command])
            ready = os.path.join(place, "ready.json")
            self.assertTrue(simlib.wait_for(lambda: os.path.exists(ready)))
            with open(ready, encoding="utf-8") as file:
                pid = json.load(file)["pid"]
            parent.send_signal(signal.SIGKILL)
            parent.wait()
            self.assertTrue(simlib.wait_for(lambda: not os.path.exists(ready)))
            self.assertTrue(simlib.wait_for(lambda: not self.lives(pid)))

    @staticmethod
    def lives(pid):
        try:
            with open("/proc/%d/stat" % pid, encoding="latin-1") as file:
                return file.read().rsplit(")", 1)[1].split()[0] != "Z"
        except OSError:
            return False


class Control(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = simlib.Sim("--no-imap")

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def setUp(self):
        self.sim.reset()

    def test_runs_repeat(self):
        def state():
            text = json.dumps(self.sim.order("GET", "/state"))
            return re.sub(r'"(at_ms|now_s|due_in_ms)": \d+|"20\d\d-[^"]*"|"_(asked|expires)_s": \d+', "", text)

        asked = {"accessRules": [{"method": "GET", "path": "/me"}]}
        first = []
        for _ in range(2):
            self.sim.reset(task_delay_ms=100000)
            self.sim.call("POST", "/auth/credential", asked)
            self.sim.call("POST", simlib.BOX + "/changePassword", {"password": "Un-mot-de-p"})
            first.append(state())
        self.assertEqual(first[0], first[1])

    def test_orders_that_are_no_good(self):
        sim = self.sim
        for method, path, body in (
            ("POST", "/set", {"nothing": 1}),
            ("POST", "/set", {"task_delay_ms": "1"}),
            ("POST", "/set", {"task_delay_ms": -1}),
            ("POST", "/set", {"chunked": 1}),
            ("POST", "/set", {"domain": {"domain": "nowhere.fr"}}),
            ("POST", "/set", {"credential": {"consumer_key": "x"}}),
            ("POST", "/set", {"account": {"address": "x"}}),
            ("POST", "/password", {"address": "x@y", "password": "z"}),
            ("POST", "/credential/approve", {"consumer_key": "x"}),
            ("POST", "/faults", [{"kind": "x"}]),
            ("POST", "/seed", {"nics": [{}]}),
            ("POST", "/seed", {"domains": [{}]}),
            ("GET", "/state?address=nobody@nowhere.fr", None),
            ("GET", "/log?since=x", None),
        ):
            self.assertIn("error", sim.order(method, path, body, expect=400), (path, body))
        self.assertIn("error", sim.order("GET", "/nothing", expect=404))
        sim.order("POST", "/set", {"task_delay_ms": 7, "tolerance_s": "x"}, expect=400)
        self.assertEqual(sim.order("GET", "/state")["settings"]["task_delay_ms"], 300)

    def test_an_empty_state(self):
        self.sim.order("POST", "/reset", {"empty": True})
        self.assertEqual(self.sim.call("GET", "/me").json["errorCode"], "INVALID_KEY")
        state = self.sim.order("GET", "/state")
        self.assertEqual((state["mailboxes"], state["tasks"]), ([], []))

    def test_refusing_a_key(self):
        rules = {"accessRules": [{"method": "GET", "path": "/me"}]}
        for order, status in (({"refuse": True}, 403), ({"duration_s": None}, 200)):
            key = self.sim.call("POST", "/auth/credential", rules).json["consumerKey"]
            self.sim.order("POST", "/credential/approve", dict(order, consumer_key=key))
            self.assertEqual(self.sim.call("GET", "/me", consumer=key).status, status)

    def test_requests_that_are_no_http(self):
        address = urllib.parse.urlsplit(self.sim.endpoint)
        for text, answer in (
            (b"hello\r\n\r\n", b"HTTP/1.1 400"),
            (b"GET\r\n\r\n", b"HTTP/1.1 400"),
            (b"GET /1.0/me HTTP/2\r\n\r\n", b"HTTP/1.1 400"),
            (b"GET me HTTP/1.1\r\n\r\n", b"HTTP/1.1 400"),
            (b"GET /1.0/me HTTP/1.1\r\nno colon\r\n\r\n", b"HTTP/1.1 400"),
            (b"GET /1.0/me HTTP/1.1\r\n: x\r\n\r\n", b"HTTP/1.1 400"),
            (b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\n\r\n", b"HTTP/1.1 431"),
            (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 70 + b"\r\n", b"HTTP/1.1 400"),
            (b"POST /1.0/me HTTP/1.1\r\nContent-Length: x\r\n\r\n", b"HTTP/1.1 400"),
            (b"POST /1.0/me HTTP/1.1\r\nContent-Length: -1\r\n\r\n", b"HTTP/1.1 400"),
            (b"POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n", b"HTTP/1.1 413"),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"HTTP/1.1 411"),
            (b"GET /1.0/%ff%fe HTTP/1.1\r\nConnection: close\r\n\r\n", b"HTTP/1.1 404"),
            (b"GET /1.0/\xff\xfe HTTP/1.1\r\nConnection: close\r\n\r\n", b"HTTP/1.1 404"),
            (b"GE\xff /1.0/me HTTP/1.1\r\nConnection: close\r\n\r\n", b"HTTP/1.1 404"),
            (b"GET /1.0/email/domain/%ff HTTP/1.1\r\nConnection: close\r\n\r\n", b"HTTP/1.1 403"),
        ):
            got, _ = self.sim.ending(self.sim.endpoint, text)
            self.assertTrue(got.startswith(answer), (text[:60], got[:60]))
        self.assertNotIn(b"HTTP", self.in_plain(address))
        self.assertEqual(self.sim.call("GET", "/me").status, 200)
        self.assertGreater(len(self.sim.order("GET", "/log")["log"]), 3)

    @staticmethod
    def in_plain(address):
        """What the TLS port says to a request that is not encrypted."""
        with socket.create_connection((address.hostname, address.port), 10) as bare:
            bare.sendall(b"GET /1.0/me HTTP/1.1\r\n\r\n")
            try:
                return bare.recv(100)
            except ConnectionResetError:
                return b""

    def test_a_connection_serves_many_calls(self):
        with contextlib.closing(self.sim.connect()) as link:
            for _ in range(50):
                self.assertEqual(self.sim.call("GET", "/me", connection=link).status, 200)
        parts = urllib.parse.urlsplit(self.sim.ready["control"])
        link = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60)
        with contextlib.closing(link):
            for _ in range(3):
                link.request("GET", "/faults")
                self.assertEqual(json.loads(link.getresponse().read()), {"faults": []})

    def test_expect_continue(self):
        text = json.dumps({"password": "Un-mot-de-passe"})
        path = simlib.BOX + "/changePassword"
        request = self.sim.request_text("POST", path, text).replace(
            b"Content-Length", b"Connection: close\r\nExpect: 100-continue\r\nContent-Length"
        )
        got, _ = self.sim.ending(self.sim.endpoint, request)
        self.assertTrue(got.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK"), got)


if __name__ == "__main__":
    unittest.main()
