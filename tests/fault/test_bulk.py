#!/usr/bin/env python3
"""Many mailboxes in one run: killed, stopped, refused, limited; with the real binary.

usage: test_bulk.py BUILD
"""

import collections
import json
import os
import pty
import select
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from bench.bench_bulk import Field, run_measured, read_log  # noqa: E402
from support.world import World  # noqa: E402

BUILD = None
JOBS = 8
RESIDENT_MAX_KIB = 64 * 1024


def changes(log):
    return [call for call in log if call["path"].endswith("/changePassword")]


class Bulk(unittest.TestCase):
    mailboxes = 50
    clients = 5

    def setUp(self):
        self.world = World(BUILD)
        self.world.__enter__()
        self.field = Field(self.world, self.mailboxes, self.clients)
        self.world.control("POST", "/set", {"task_delay_ms": 0})
        self.world.run("role", "adopt", *self.field.addresses(), check=0)
        self.world.control("DELETE", "/log")

    def tearDown(self):
        self.world.__exit__()

    def start(self, *args, **kwargs):
        return subprocess.Popen(self.world.command(*args), env=self.world.env(),
                                stdin=subprocess.DEVNULL, text=True, **kwargs)

    def wait_for_changes(self, count, process):
        end = time.monotonic() + 120
        while len(changes(read_log(self.world))) < count:
            self.assertIsNone(process.poll(), "the run ended too soon")
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def in_force(self):
        state = self.world.control("GET", "/state")
        return {row["address"]: row["password"] for row in state["mailboxes"]}

    def assert_all_kept(self):
        """Whatever opens a mailbox now is in the vault."""
        in_force = self.in_force()
        for address in self.field.addresses():
            held = [password for _, password in self.world.versions(address)]
            self.assertIn(in_force[address], held, address)

    def assert_all_proved(self):
        in_force = self.in_force()
        for role in self.world.json("role", "ls")["roles"]:
            self.assertEqual(role["state"], "stable", role)
        for address in self.field.addresses():
            shown = self.world.run("show", address, "--reveal", check=0).stdout.splitlines()[0]
            self.assertEqual(shown, in_force[address], address)


class Kills(Bulk):
    def test_a_killed_run_loses_nothing_and_one_resume_ends_it(self):
        for count in (2, 40):
            self.world.control("DELETE", "/log")
            run = self.start("rotate", "*", "--jobs", str(JOBS), stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
            self.wait_for_changes(count, run)
            run.kill()
            run.wait()
            time.sleep(0.2)
            self.assert_all_kept()
            self.world.run("resume", check=0, timeout=300)
            self.assert_all_proved()
            # Only what was under way when it was killed is sent once more.
            sends = collections.Counter(call["path"] for call in changes(read_log(self.world)))
            repeated = sum(count - 1 for count in sends.values())
            self.assertLessEqual(repeated, JOBS)
            self.assertLessEqual(max(sends.values()), 2)


class Stops(Bulk):
    def test_ctrl_c_ends_with_10_and_resume_goes_on(self):
        master, slave = pty.openpty()

        def own_terminal():
            os.setsid()
            import fcntl
            import termios
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.world.control("POST", "/set", {"latency_ms": 40})
        run = subprocess.Popen(self.world.command("rotate", "*", "--jobs", str(JOBS)),
                               env=self.world.env(TERM="xterm"), stdin=slave,
                               stdout=subprocess.PIPE, stderr=slave, text=True,
                               preexec_fn=own_terminal)
        self.wait_for_changes(10, run)
        os.write(master, b"\x03")
        out = run.communicate(timeout=60)[0]
        seen = b""
        while select.select([master], [], [], 0.2)[0]:
            seen += os.read(master, 65536)
        os.close(slave)
        os.close(master)
        self.assertEqual(run.returncode, 10, out + seen.decode())
        self.assertIn(b"passation resume", seen)
        self.world.control("POST", "/set", {"latency_ms": 0})
        done = len(changes(read_log(self.world)))
        self.assertLess(done, self.mailboxes)
        self.assert_all_kept()
        self.world.run("resume", check=0, timeout=300)
        self.assert_all_proved()


class Results(Bulk):
    mailboxes = 20
    clients = 4

    def test_the_first_failure_in_input_order_is_the_exit_status(self):
        late, early = self.field.addresses()[3], self.field.addresses()[2]
        self.world.control("POST", "/faults", [
            {"kind": "drop_account", "method": "GET", "sticky": True,
             "path": f"*/account/{early.split('@')[0]}"},
            {"kind": "revoke_credential", "method": "GET", "sticky": True,
             "path": f"*/account/{late.split('@')[0]}"},
        ])
        lines = self.world.lines("rotate", early, late, self.field.addresses()[0])
        by_address = {line["address"]: line for line in lines if "address" in line}
        self.assertEqual(by_address[early]["error"]["exit"], 4)
        self.assertEqual(by_address[late]["error"]["exit"], 8)
        self.assertEqual(by_address[self.field.addresses()[0]]["result"], "rotated")
        summary = next(line["summary"] for line in lines if "summary" in line)
        self.assertEqual(summary["exit"], 4)
        reverse = self.world.run("rotate", late, early)
        self.assertEqual(reverse.returncode, 8)

    def test_nothing_is_called_when_one_address_is_wrong(self):
        self.world.control("DELETE", "/log")
        self.world.run("role", "add", "new@d0.example", "new@nowhere.example", check=2)
        self.world.run("rotate", self.field.addresses()[0], "gone@d0.example", check=4)
        self.assertEqual(read_log(self.world), [])

    def test_clients_take_turns(self):
        self.world.run("rotate", "*", "--jobs", "4", check=0)
        first = [call["path"].split("/")[3] for call in changes(read_log(self.world))][:8]
        self.assertEqual(len(set(first)), self.clients, first)

    def test_a_known_rate_is_never_exceeded(self):
        self.field.set_rate(600)
        self.world.control("POST", "/set", {"rate_per_min": 600, "rate_burst": 30})
        self.world.run("rotate", "*", check=0)
        log = read_log(self.world)
        self.assertEqual([call for call in log if call["status"] == 429], [])

    def test_an_unknown_rate_is_learned(self):
        self.world.control("POST", "/set", {"rate_per_min": 120, "rate_burst": 5})
        self.world.run("rotate", "*", check=0, timeout=300)
        statuses = collections.Counter(call["status"] for call in read_log(self.world))
        self.assertGreater(statuses[429], 0)
        self.assert_all_proved()

    def test_the_old_passwords_are_proved_dead_with_prove(self):
        # A mailbox whose old password is still accepted at first.
        self.world.control("POST", "/faults", [
            {"kind": "accept_old", "method": "IMAP", "path": self.field.addresses()[0],
             "times": 1, "nth": 3}])
        lines = self.world.lines("rotate", "*", "--prove", check=0)
        told = [line["address"] for line in lines if "address" in line]
        self.assertEqual(sorted(told), sorted(self.field.addresses()))
        for line in lines:
            if "address" in line:
                self.assertEqual((line["result"], line["old_dead"]), ("rotated", True), line)

    def test_jobs_has_its_bounds(self):
        self.world.run("rotate", "*", "--jobs", "65", check=2)
        self.world.run("verify", "*", "--jobs", "1", check=0)
        self.world.run("verify", "*", "--jobs", "64", check=0)


class Memory(Bulk):
    mailboxes = 200
    clients = 20

    def test_two_hundred_mailboxes_take_little_memory_and_few_requests(self):
        _, resident, _, done = run_measured(self.world, "--json", "rotate", "*")
        self.assertEqual(done.returncode, 0, done.stdout[-500:] + done.stderr[-500:])
        if "ASAN_OPTIONS" not in os.environ and not is_sanitized():
            self.assertLess(resident, RESIDENT_MAX_KIB)
        log = read_log(self.world)
        self.assertEqual(len(changes(log)), self.mailboxes)
        # A look, a change, two at the tasks; the clock and the platform once a client.
        self.assertLessEqual(len(log), 4 * self.mailboxes + 4 * self.clients)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(len([line for line in lines if "address" in line]), self.mailboxes)


def is_sanitized():
    with open(os.path.join(BUILD, "CMakeCache.txt")) as cache:
        return any(line.startswith("PASSATION_SANITIZE") and line.strip()[-1] != "="
                   for line in cache)


if __name__ == "__main__":
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
