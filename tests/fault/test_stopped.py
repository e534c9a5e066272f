#!/usr/bin/env python3
"""One process is stopped in the middle of what it does, others go on, then it does:

    test_stopped.py BUILD [TEST…]

nothing that somebody was told is lost, no vault is removed or mixed with another one, and none is
said to be damaged that is not."""

import contextlib
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support import machine  # noqa: E402
from support.record import record  # noqa: E402
from support.world import World  # noqa: E402

BUILD = None
PATIENCE_S = 120
LABEL = "common"


class Stopped(unittest.TestCase):
    def setUp(self):
        self.world = World(BUILD)
        self.world.__enter__()
        self.addCleanup(self.world.__exit__)
        (self.box,) = self.world.setup_client(mailboxes=1)
        self.folder = os.path.join(self.world.home, "data", "passation")
        self.vault = os.path.join(self.folder, "vault.db")
        self.copy = os.path.join(self.world.home, "copy.db")
        self.put("the-first", "add")

    # --- what the others do ---

    def put(self, value, verb="set", check=0):
        return self.world.run("secret", verb, self.box, LABEL, "--secret-fd", "0", stdin=value,
                              check=check)

    def shown(self, env=None):
        return self.world.run("show", self.box, LABEL, "--reveal", check=0,
                              env=env).stdout.splitlines()[0]

    def people(self, count, prefix):
        for number in range(count):
            self.world.run("person", "add", f"{prefix}{number}", "--kind", "team", check=0)

    def restore(self, *more, check=0):
        return self.world.run("--json", "-y", "restore", *(more or (self.copy,)), "--accept-older",
                              check=check)

    def start(self, *words, **kwargs):
        return subprocess.Popen(self.world.command(*words), env=self.world.env(), text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, **kwargs)

    # --- the one that is stopped ---

    def index(self, call, pattern, *words):
        """Which of a run's calls of that name has the pattern first; 0: none."""
        log = os.path.join(self.world.dir, "calls")
        subprocess.run(["strace", "-f", "-qq", "-e", "trace=" + call, "-o", log,
                        *self.world.command(*words)], env=self.world.env(),
                       stdin=subprocess.DEVNULL, capture_output=True)
        with open(log, encoding="latin-1") as file:
            calls = [line for line in file if f" {call}(" in line]
        return 1 + next((at for at, line in enumerate(calls) if pattern in line), -1)

    def stop(self, call, number, *words, how="SIGSTOP"):
        """Starts it, and returns when it is stopped, the call done; or killed, before it."""
        self.assertGreater(number, 0, f"{words} makes no such {call}")
        log = os.path.join(self.world.dir, "stopped")
        open(log, "w").close()
        run = subprocess.Popen(
            ["strace", "-f", "-qq", "-o", log, "-e", "trace=" + call, "-e",
             f"inject={call}:signal={how}:when={number}", *self.world.command(*words)],
            env=self.world.env(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(run.kill)
        if how == "SIGKILL":
            run.communicate(timeout=PATIENCE_S)
            return run
        end = time.monotonic() + PATIENCE_S
        while True:
            with open(log, encoding="latin-1") as file:
                said = file.read()
            if "--- stopped by SIGSTOP ---" in said:
                run.stopped = int(said.split("--- stopped by SIGSTOP")[0].split("\n")[-1].split()[0])
                return run
            self.assertIsNone(run.poll(), "it was never stopped")
            self.assertLess(time.monotonic(), end)
            time.sleep(0.01)

    def go_on(self, run):
        os.kill(run.stopped, signal.SIGCONT)
        out, err = run.communicate(timeout=PATIENCE_S)
        return subprocess.CompletedProcess(run.args, run.returncode, out, err)

    @staticmethod
    def names(done):
        return [row["name"] for row in json.loads(done.stdout)["clients"]]

    def assert_whole(self):
        self.world.run("log", "--verify", check=0)

    # --- restore ---

    def test_who_opened_the_vault_before_a_restore_sees_the_one_that_was_put_back(self):
        self.world.run("backup", self.copy, check=0)
        with open(os.path.join(self.world.home, "many.csv"), "w", encoding="ascii") as file:
            file.write("Title,Username,Password\n")
            file.writelines(f"n{number},{self.box},value-{number}\n" for number in range(300))
        self.world.run("-y", "import", file.name, "--role", self.box, check=0)
        # What a client is called is not taken over.
        before = self.names(self.world.run("--json", "client", "ls", check=0))
        self.world.run("client", "set", "essai", "--name", "Later", check=0)
        words = ("--json", "client", "ls")
        late = self.stop("openat", self.index("openat", '/vault.db", O_RDWR', *words), *words)
        self.restore()
        self.put("the-second")
        done = self.go_on(late)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(self.names(done), before)

    def test_a_vault_left_without_its_log_is_opened_at_any_time_beside_a_restore(self):
        """A killed rekey leaves it so: a reader holds no lock until it has the log again."""
        self.world.run("backup", self.copy, check=0)
        number = self.index("rename", '.rekeying", "', "rekey")
        self.restore()
        self.people(30, "old")
        words = ("--json", "person", "ls")
        home = os.path.join(self.world.dir, "before")
        self.stop("rename", number, "rekey", how="SIGKILL")
        with open(self.vault, "rb") as file:
            self.assertEqual(file.read(20)[18:], b"\1\1", "it is in WAL mode")
        shutil.copytree(self.world.home, home)
        count = self.index("pread64", "", *words)
        log = os.path.join(self.world.dir, "calls")
        with open(log, encoding="latin-1") as file:
            count = sum("pread64(" in line for line in file)
        self.assertGreater(count, 4)
        for number in range(1, count + 1, max(count // 6, 1)):
            with self.subTest(pread64=number):
                shutil.rmtree(self.world.home)
                shutil.copytree(home, self.world.home)
                late = self.stop("pread64", number, *words)
                if self.restore(check=None).returncode == 0:  # else it holds the vault
                    self.people(8, "new")
                said = self.go_on(late)
                self.assertIn(said.returncode, (0, 7), said.stdout)
                self.assert_whole()

    def is_open(self, process):
        """Has it the vault open? What it has, comes and goes."""
        for path in glob.glob(f"/proc/{process.pid}/fd/*"):
            with contextlib.suppress(OSError):
                if os.readlink(path) == os.path.realpath(self.vault):
                    return True
        return False

    def test_what_is_committed_while_a_restore_waits_is_not_undone_unasked(self):
        self.world.run("backup", self.copy, check=0)
        writer = self.start("secret", "set", self.box, LABEL, "--secret-fd", "0",
                            stdin=subprocess.PIPE)
        while not self.is_open(writer):
            time.sleep(0.01)
        waiting = self.start("--json", "-y", "restore", self.copy, stdin=subprocess.DEVNULL)
        time.sleep(1)
        told = writer.communicate("the-second", timeout=PATIENCE_S)
        self.assertEqual(writer.returncode, 0, told)
        said = waiting.communicate(timeout=PATIENCE_S)[0]
        self.assertEqual(json.loads(said)["error"]["code"], "rolled_back")
        self.assertEqual(self.shown(), "the-second")

    def test_what_is_committed_before_a_restore_has_its_lock_is_not_undone_unasked(self):
        self.world.run("backup", self.copy, check=0)
        words = ("--json", "-y", "restore", self.copy)
        number = self.index("openat", '/vault.db.lock"', *words)
        self.put("the-second")
        self.world.run("backup", "-f", self.copy, check=0)
        late = self.stop("openat", number, *words)
        self.put("the-third")
        done = self.go_on(late)
        self.assertEqual(json.loads(done.stdout)["error"]["code"], "rolled_back", done)
        self.assertEqual(self.shown(), "the-third")

    def test_a_vault_made_while_a_restore_finds_none_stays(self):
        self.world.run("backup", self.copy, check=0)
        words = ("--json", "-y", "restore", self.copy)

        def clear():
            for path in glob.glob(self.folder + "/*"):
                os.unlink(path)
            shutil.rmtree(os.path.join(self.world.home, "state"), ignore_errors=True)

        clear()
        self.index("link,fsync", "", *words)
        with open(os.path.join(self.world.dir, "calls"), encoding="latin-1") as file:
            before = file.read().split('vault.db.restoring", "')[-2]
        clear()
        late = self.stop("fsync", before.count(" fsync("), *words)
        self.assertFalse(os.path.exists(self.vault), "it was too late")
        self.world.run("init", check=0)
        self.people(20, "new")
        done = self.go_on(late)
        self.assertEqual(json.loads(done.stdout)["error"]["code"], "exists", done)
        self.assertEqual(len(self.world.json("person", "ls")["persons"]), 21)
        self.assert_whole()

    def test_a_killed_restore_leaves_a_file_that_can_itself_be_put_back(self):
        self.world.run("backup", self.copy, check=0)
        words = ("-y", "restore", self.copy, "--accept-older")
        number = self.index("rename", '.restoring", "', *words)
        self.stop("rename", number, *words, how="SIGKILL")
        left = self.vault + ".restoring"
        self.assertTrue(os.path.exists(left))
        for path in glob.glob(self.vault) + glob.glob(self.vault + "-*"):
            os.unlink(path)
        os.unlink(self.copy)
        self.restore(left)
        self.assertEqual(self.shown(), "the-first")
        self.assertTrue(os.path.exists(left), "the backup that was given is gone")

    def test_a_second_name_that_a_killed_restore_leaves_goes_with_the_next_rekey(self):
        self.world.run("backup", self.copy, check=0)
        words = ("-y", "restore", self.copy, "--accept-older")
        self.stop("rename", self.index("rename", '.restoring", "', *words), *words, how="SIGKILL")
        for path in glob.glob(self.vault + ".before-restore-*"):
            if os.stat(path).st_ino != os.stat(self.vault).st_ino:
                os.unlink(path)
        self.assertEqual(os.stat(self.vault).st_nlink, 2)
        self.world.run("rekey", check=0)
        self.assertEqual(glob.glob(self.vault + ".before-restore-*"), [])
        self.assertEqual(self.shown(), "the-first")

    def test_a_restore_whose_lock_was_removed_does_not_mix_two_vaults(self):
        self.people(10, "old")
        self.world.run("backup", self.copy, check=0)
        words = ("--json", "-y", "restore", self.copy, "--accept-older")
        log = os.path.join(self.world.dir, "calls")
        self.index("openat", '/vault.db", O_RDWR', *words)
        with open(log, encoding="latin-1") as file:
            calls = [line for line in file if " openat(" in line]
        # The first one that opens it is who holds it.
        number = 1 + next(at for at, line in enumerate(calls) if '/vault.db", O_RDWR' in line)
        late = self.stop("openat", number, *words)
        os.unlink(self.vault + ".lock")
        self.restore()
        self.people(10, "new")
        self.put("the-second")
        self.go_on(late)
        # It is the last restore; what was there before it is kept, all of it.
        kept = [path for path in glob.glob(self.vault + ".before-restore-*")
                if not path.endswith(("-wal", "-shm"))]
        held = {self.shown(self.world.env(PASSATION_VAULT=path, XDG_STATE_HOME=path + ".state"))
                for path in [self.vault, *kept]}
        self.assertIn("the-second", held)
        self.assert_whole()

    # --- others ---

    def test_of_two_that_make_a_vault_one_does(self):
        for wait_s in (0, 0.1, 0.3):
            for path in glob.glob(self.folder + "/*"):
                os.unlink(path)
            shutil.rmtree(os.path.join(self.world.home, "state"), ignore_errors=True)
            makers = []
            for _ in range(2):
                makers.append(self.start("--json", "init", stdin=subprocess.DEVNULL))
                time.sleep(wait_s)
            said = [maker.communicate(timeout=PATIENCE_S)[0] for maker in makers]
            self.assertEqual(sorted(maker.returncode == 0 for maker in makers), [False, True], said)
            self.assert_whole()

    def test_doctor_does_not_wait_for_who_writes_a_pipe_in_place_of_the_lock(self):
        lock = self.vault + ".lock"
        if os.path.exists(lock):
            os.unlink(lock)
        os.mkfifo(lock)
        self.assertIn(self.world.run("doctor", "--offline", timeout=PATIENCE_S).returncode, (0, 12))

    def test_an_agent_that_nobody_can_find_any_more_ends(self):
        def agents():
            mine = f"HOME={self.world.home}".encode()
            found = []
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{pid}/environ", "rb") as file:
                        is_mine = mine in file.read().split(b"\0")
                    with open(f"/proc/{pid}/cmdline", "rb") as file:
                        words = file.read().split(b"\0")
                except OSError:
                    continue
                if is_mine and b"agent" in words:
                    found.append(pid)
            return found

        folder = self.world.env()["XDG_RUNTIME_DIR"]
        os.makedirs(folder, 0o700, exist_ok=True)
        self.world.run("unlock", "--for", "2h", check=0)
        self.assertEqual(len(agents()), 1)
        shutil.rmtree(folder)
        end = time.monotonic() + PATIENCE_S
        while agents():
            self.assertLess(time.monotonic(), end, "it still has the key")
            time.sleep(0.2)


def main():
    global BUILD
    machine.alone(must=False)
    BUILD = os.path.abspath(sys.argv[1])
    if not shutil.which("strace"):
        print("no strace", file=sys.stderr)
        return 77
    program = unittest.main(argv=[sys.argv[0], *sys.argv[2:]], exit=False)
    result = program.result
    bad = len(result.failures) + len(result.errors)
    record("2.20", "one is stopped", result.testsRun, result.testsRun - bad)
    return 0 if result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
