"""The real mail server behind the simulator: what is in force there, who may run it, and
that nothing of it is left behind."""

import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import simlib

CHANGE = simlib.BOX + "/changePassword"
GOOD = "Un-mot-de-passe"
ODD = "a: \"b\\c{d}'$%e<f>&g"
NOBODY = 65534


def dovecots(pids):
    """Those of the processes that still live."""
    alive = []
    for pid in pids:
        try:
            with open("/proc/%d/stat" % pid, encoding="latin-1") as file:
                if file.read().rsplit(")", 1)[1].split()[0] != "Z":
                    alive.append(pid)
        except OSError:
            pass
    return alive


def descendants(pid):
    found = []
    for entry in glob.glob("/proc/[0-9]*/stat"):
        try:
            with open(entry, encoding="latin-1") as file:
                text = file.read()
        except OSError:
            continue
        if int(text.rsplit(")", 1)[1].split()[1]) == pid:
            child = int(text.split(" ", 1)[0])
            found += [child] + descendants(child)
    return found


class Dovecot(unittest.TestCase):
    def change(self, sim, password):
        answer = sim.call("POST", CHANGE, {"password": password})
        self.assertEqual(answer.status, 200)

    def settled(self, sim, password):
        self.assertTrue(simlib.wait_for(lambda: sim.mailbox()["password"] == password))

    def test_the_password_follows_at_once(self):
        with simlib.Sim("--task-delay", "8000") as sim:  # time to log in meanwhile
            old = sim.mailbox()["password"]
            self.assertIs(sim.login(old), True)
            self.change(sim, GOOD)
            self.assertIs(sim.login(old), True)
            self.settled(sim, GOOD)
            self.assertIs(sim.login(GOOD), True)
            self.assertIs(sim.login(old), False)
            sim.order("POST", "/set", {"task_delay_ms": 0})
            # Many changes within one second: each counts at once.
            for i in range(10):
                word = "Mot-numero-%02d" % i
                self.change(sim, word)
                self.settled(sim, word)
                self.assertIs(sim.login(word), True)
            self.assertIs(sim.login("Mot-numero-08"), False)
            self.change(sim, ODD)
            self.settled(sim, ODD)
            self.assertIs(sim.login(ODD, initial=False), True)

    def test_new_deleted_and_blocked_mailboxes(self):
        with simlib.Sim("--task-delay", "0") as sim:
            address = "devis@" + simlib.DOMAIN
            box = "/email/domain/%s/account" % simlib.DOMAIN
            self.assertIs(sim.login(GOOD, address), False)
            sim.call("POST", box, {"accountName": "devis", "password": GOOD})
            simlib.wait_for(lambda: sim.mailbox(address)["created"])
            self.assertIs(sim.login(GOOD, address), True)
            sim.order("POST", "/set", {"account": {"address": address, "blocked": True}})
            self.assertIs(sim.login(GOOD, address), False)
            sim.order("POST", "/set", {"account": {"address": address, "blocked": False}})
            self.assertIs(sim.login(GOOD, address), True)
            sim.call("DELETE", box + "/devis")
            simlib.wait_for(lambda: sim.call("GET", box + "/devis").status == 404)
            self.assertIs(sim.login(GOOD, address), False)
            sim.order("POST", "/reset", {"empty": True})
            self.assertIs(sim.login("Pain-de-campagne-2019"), False)

    def test_two_front_ends(self):
        with simlib.Sim("--task-delay", "0", "--two-fronts") as sim:
            old = sim.mailbox()["password"]
            second = sim.ready["imap2"]
            sim.fault("late_front", method="POST", ms=-1)
            self.change(sim, GOOD)
            self.settled(sim, GOOD)
            self.assertIs(sim.login(GOOD), True)
            self.assertIs(sim.login(old, imap=second), True)
            self.assertIs(sim.login(GOOD, imap=second), False)
            sim.order("POST", "/fronts/converge")
            self.assertIs(sim.login(old, imap=second), False)
            self.assertIs(sim.login(GOOD, imap=second), True)

    def test_the_cache_of_log_ins(self):
        with simlib.Sim("--task-delay", "0", "--auth-cache") as sim:
            old = sim.mailbox()["password"]
            self.assertIs(sim.login(old), True)
            self.change(sim, GOOD)
            self.settled(sim, GOOD)
            self.assertIs(sim.login(old), True, "the positive cache")
            self.assertIs(sim.login(GOOD), True)
            self.assertIs(sim.login(old), False)

    def test_delay_after_a_wrong_password(self):
        def took(sim):
            began = time.monotonic()
            self.assertIs(sim.login("faux-mot-de-passe"), False)
            return time.monotonic() - began

        with simlib.Sim() as sim:  # any will do, of a machine that may have much else to do
            self.assertTrue(any(took(sim) < 1.5 for _ in range(20)))
        with simlib.Sim("--failure-delay", "default") as sim:
            self.assertGreater(took(sim), 1.5)

    def test_down_and_up_again(self):
        with simlib.Sim() as sim:
            old = sim.mailbox()["password"]
            sim.order("POST", "/imap", {"down": True})
            self.assertEqual(sim.login(old), "ConnectionRefusedError")
            sim.order("POST", "/imap", {"down": False})
            self.assertIs(sim.login(old), True)

    def test_nothing_is_left_behind(self):
        for how in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            sim = simlib.Sim()
            self.assertIs(sim.login("Pain-de-campagne-2019"), True)
            before = descendants(sim.process.pid)
            place = [d for d in glob.glob("/tmp/passation-sim-*") if self.is_of(d, sim)]
            self.assertEqual(len(place), 1)
            self.assertGreater(len(before), 3)
            sim.process.send_signal(how)
            status = sim.process.wait(timeout=60)
            self.assertEqual(status, 0 if how != signal.SIGKILL else -signal.SIGKILL)
            self.assertTrue(simlib.wait_for(lambda: not dovecots(before)), how)
            self.assertTrue(simlib.wait_for(lambda: not os.path.exists(place[0])), how)
            self.assertEqual(
                os.path.exists(os.path.join(sim.dir, "ready.json")), how == signal.SIGKILL
            )
            sim.stop()

    @staticmethod
    def is_of(place, sim):
        try:
            with open(os.path.join(place, "dovecot.conf"), encoding="utf-8") as file:
                return sim.dir in file.read()
        except OSError:
            return False

    def test_no_password_lies_in_a_file(self):
        with simlib.Sim("--task-delay", "0") as sim:
            self.change(sim, GOOD)
            self.settled(sim, GOOD)
            sim.login(GOOD)
            words = [GOOD.encode(), b"Pain-de-campagne-2019"]
            places = [d for d in glob.glob("/tmp/passation-sim-*") if self.is_of(d, sim)]
            for root in places + [sim.dir]:
                for folder, _, names in os.walk(root):
                    for name in names:
                        path = os.path.join(folder, name)
                        if not os.path.isfile(path):
                            continue
                        with open(path, "rb") as file:
                            content = file.read()
                        self.assertFalse(any(w in content for w in words), path)

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_as_a_normal_user(self):
        home = tempfile.mkdtemp(prefix="simuser-")
        program = os.path.join(home, "passation-sim")
        shutil.copy(simlib.SIM, program)
        os.chmod(home, 0o755)
        before, simlib.SIM = simlib.SIM, program
        made = tempfile.mkdtemp

        def own(*args, **kwargs):
            place = made(*args, **kwargs)
            os.chown(place, NOBODY, NOBODY)
            return place

        prefix = ["setpriv", "--reuid=%d" % NOBODY, "--regid=%d" % NOBODY, "--clear-groups"]
        try:
            tempfile.mkdtemp = own
            with simlib.Sim("--task-delay", "0", prefix=prefix) as sim:
                old = sim.mailbox()["password"]
                for pid in descendants(sim.process.pid):
                    self.assertEqual(os.stat("/proc/%d" % pid).st_uid, NOBODY)
                self.assertIs(sim.login(old), True)
                self.change(sim, GOOD)
                self.settled(sim, GOOD)
                self.assertEqual((sim.login(GOOD), sim.login(old)), (True, False))
        finally:
            tempfile.mkdtemp = made
            simlib.SIM = before
            shutil.rmtree(home)


if __name__ == "__main__":
    if not any(shutil.which("dovecot", path=p) for p in ("/usr/sbin", "/usr/local/sbin")):
        print("skipped: dovecot is not installed")
        sys.exit(77)
    subprocess.run([simlib.SIM, "--version"], check=True, stdout=subprocess.DEVNULL)
    unittest.main()
