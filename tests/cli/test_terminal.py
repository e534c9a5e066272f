#!/usr/bin/env python3
"""Dialogue on a terminal: what is asked, what is echoed, what signals leave behind.

usage: test_terminal.py PASSATION
"""

import fcntl
import os
import pty
import re
import select
import signal
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

BINARY = None
SECONDS = 60
GOOD = "violet-hangar-97-tortue-braise"


class Session:
    """A process whose controlling terminal is ours; stdout and stderr are pipes apart."""

    def __init__(self, home, *args, env=None, stdout_tty=False, shell=None):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        self.slave = slave
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": home,
            "TERM": "xterm",
            "LC_ALL": "C.UTF-8",
            **(env or {}),
        }

        def own_terminal():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            [*(["sh", "-mc", shell] if shell else []), BINARY, *args],
            stdin=slave,
            stdout=slave if stdout_tty else subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            preexec_fn=own_terminal,
        )
        self.seen = ""

    def expect(self, pattern):
        """Reads the terminal until the pattern is there; returns the match."""
        end = time.monotonic() + SECONDS
        while True:
            found = re.search(pattern, self.seen)
            if found:
                self.seen = self.seen[found.end():]
                return found
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.master], [], [], left)[0]:
                raise AssertionError(f"no {pattern!r} in {self.seen!r}")
            self.seen += os.read(self.master, 4096).decode("utf-8", "replace")

    def rest(self):
        """What the terminal shows without waiting for more."""
        while select.select([self.master], [], [], 0.3)[0]:
            self.seen += os.read(self.master, 4096).decode("utf-8", "replace")
        return self.seen

    def type(self, text):
        os.write(self.master, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.slave)[3] & termios.ECHO)

    def finish(self):
        out, err = self.process.communicate(timeout=SECONDS)
        self.out = (out or b"").decode()
        self.err = (err or b"").decode()
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        os.close(self.master)
        os.close(self.slave)


class Terminal(unittest.TestCase):
    def setUp(self):
        self.home = tempfile.mkdtemp(prefix="passation-terminal-")
        self.addCleanup(shutil.rmtree, self.home, True)
        # Before the folder goes, so does an agent that a test left in it.
        self.addCleanup(self.run_plain, "lock")

    def session(self, *args, **options):
        session = Session(self.home, *args, **options)
        self.addCleanup(session.close)
        return session

    def run_plain(self, *args, given=None):
        """Without any terminal."""
        return subprocess.run(
            [BINARY, *args],
            input=given,
            capture_output=True,
            env={"PATH": os.environ["PATH"], "HOME": self.home, "LC_ALL": "C.UTF-8"},
            start_new_session=True,
            timeout=SECONDS,
            check=False,
        )

    def make_vault(self):
        done = self.run_plain("init", "--passphrase-fd", "0", given=GOOD.encode())
        self.assertEqual(done.returncode, 0, done.stderr)

    # --- init ---

    def test_enter_takes_the_proposed_passphrase_and_the_code_is_shown_once(self):
        session = self.session("init")
        proposed = session.expect(r"\n +([a-z]+(?:-[a-z]+){8})\r?\n").group(1)
        session.expect(r"own: $")
        self.assertFalse(session.echoes())
        session.type("\n")
        code = session.expect(r"\n +([0-9A-Z]{4}(?:-[0-9A-Z]{4}){6})\r?\n").group(1)
        self.assertEqual(session.finish(), 0, session.err)
        self.assertTrue(session.echoes())
        for secret in (proposed, code):
            self.assertNotIn(secret, session.out + session.err)
        opened = self.run_plain("slot", "ls", "--passphrase-fd", "0",
                                given=proposed.encode())
        self.assertEqual(opened.returncode, 0, opened.stderr)
        opened = self.run_plain("slot", "ls", "--recovery-fd", "0",
                                given=code.lower().replace("-", " ").encode())
        self.assertEqual(opened.returncode, 0, opened.stderr)

    def test_the_proposal_is_french_for_a_french_user(self):
        session = self.session("init", env={"LC_ALL": "fr_FR.UTF-8"})
        session.expect(r"\n +([a-z]+(?:-[a-z]+){8})\r?\n")
        session.type("\x03")
        self.assertEqual(session.finish(), -signal.SIGINT)

    def test_an_own_passphrase_is_typed_twice_and_never_echoed(self):
        session = self.session("init")
        session.expect(r"own: $")
        session.type("short\n")
        session.expect(r"own: $")
        session.type(GOOD + "\n")
        session.expect(r"more: $")
        session.type("another one entirely\n")
        session.expect(r"differ")
        session.expect(r"own: $")
        session.type(GOOD + "\n")
        session.expect(r"more: $")
        session.type(GOOD + "\n")
        session.expect(r"[0-9A-Z]{4}(-[0-9A-Z]{4}){6}")
        self.assertEqual(session.finish(), 0, session.err)
        self.assertNotIn(GOOD, session.rest() + session.out + session.err)
        opened = self.run_plain("slot", "ls", "--passphrase-fd", "0", given=GOOD.encode())
        self.assertEqual(opened.returncode, 0, opened.stderr)

    def test_nobody_types_a_passphrase_for_a_vault_that_cannot_be_made(self):
        taken = os.path.join(self.home, "code.txt")
        with open(taken, "w", encoding="ascii") as file:
            file.write("mine")
        for args, status in ((["--recovery-out", taken], 7), (["--as", "Jean Pierre"], 2),
                             (["--recovery-out", os.path.join(self.home, "no", "code")], 4)):
            session = self.session("init", *args)
            self.assertEqual(session.finish(), status, session.err)
            self.assertEqual(session.rest(), "", args)
        with open(taken, encoding="ascii") as file:
            self.assertEqual(file.read(), "mine")

    def test_three_weak_ones_end_it_and_leave_nothing(self):
        session = self.session("init")
        for _ in range(3):
            session.expect(r"own: $")
            session.type("motdepasse\n")
        self.assertEqual(session.finish(), 3)
        self.assertEqual([], [name for _, _, names in os.walk(self.home)
                              for name in names])

    # --- unlocking ---

    def test_the_passphrase_is_asked_three_times_at_most(self):
        self.make_vault()
        session = self.session("status")
        for wrong in ("one", "two", "three"):
            session.expect(r"Passphrase: $")
            self.assertFalse(session.echoes())
            session.type(wrong + "\n")
        self.assertEqual(session.finish(), 5)
        self.assertEqual(session.out, "")
        self.assertTrue(session.echoes())

    def test_the_right_one_at_the_second_try_opens(self):
        self.make_vault()
        session = self.session("status", "--json")
        session.expect(r"Passphrase: $")
        session.type("wrong\n")
        session.expect(r"Passphrase: $")
        session.type(GOOD + "\n")
        self.assertEqual(session.finish(), 0, session.err)
        self.assertTrue(session.out.startswith('{"vault"'))
        self.assertNotIn(GOOD, session.rest())

    def test_unlock_asks_once_and_then_nobody_does(self):
        self.make_vault()
        session = self.session("unlock", "--for", "5m")
        session.expect(r"Passphrase: $")
        session.type(GOOD + "\n")
        self.assertEqual(session.finish(), 0, session.err)
        self.assertEqual(self.run_plain("status").returncode, 0)
        self.assertEqual(self.run_plain("lock").returncode, 0)
        self.assertEqual(self.run_plain("status").returncode, 5)

    def test_an_agents_key_opens_no_vault_that_was_put_in_the_place_of_its_own(self):
        self.make_vault()
        key, given = ("--passphrase-fd", "0"), GOOD.encode()
        backup = os.path.join(self.home, "backup")
        self.assertEqual(self.run_plain("backup", backup, *key, given=given).returncode, 0)
        self.assertEqual(self.run_plain("-y", "rekey", *key, given=given).returncode, 0)
        self.assertEqual(self.run_plain("unlock", *key, given=given).returncode, 0)
        self.assertEqual(self.run_plain("client", "ls").returncode, 0)
        done = self.run_plain("-y", "restore", backup, "--accept-older", *key, given=given)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.run_plain("client", "ls")
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn(b"The agent's key no longer fits this vault.", done.stderr)
        session = self.session("client", "ls")
        session.expect(r"Passphrase: $")
        session.type(GOOD + "\n")
        self.assertEqual(session.finish(), 0, session.err)
        shutil.rmtree(os.path.join(self.home, ".local/share/passation"))
        self.make_vault()
        self.assertEqual(self.run_plain("client", "ls").returncode, 5)

    def test_a_secret_of_a_descriptor_that_is_the_terminal_is_asked_for_and_not_shown(self):
        code_file = os.path.join(self.home, "code")
        done = self.run_plain("init", "--passphrase-fd", "0", "--recovery-out", code_file,
                              given=GOOD.encode())
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(code_file, encoding="ascii") as file:
            code = re.search(r"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){6}", file.read()).group(0)
        session = self.session("slot", "set", "--recovery-fd", "0")
        session.expect(r"Recovery code: $")
        self.assertFalse(session.echoes())
        session.type(code + "\n")
        session.expect(r"own: $")
        session.type(GOOD.upper() + "\n")
        session.expect(r"more: $")
        session.type(GOOD.upper() + "\n")
        session.expect(r"\[y/N\]")
        session.type("y\n")
        self.assertEqual(session.finish(), 0, session.err)
        shown = session.rest() + session.out + session.err
        for secret in (code, GOOD.upper()):
            self.assertNotIn(secret, shown)
        session = self.session("slot", "ls", "--passphrase-fd", "0")
        session.expect(r"Passphrase: $")
        session.type(GOOD.upper() + "\n")
        self.assertEqual(session.finish(), 0, session.err)

    def test_a_recovery_code_unlocks_and_tells_how_a_passphrase_is_set(self):
        code_file = os.path.join(self.home, "code")
        self.run_plain("init", "--passphrase-fd", "0", "--recovery-out", code_file,
                       given=GOOD.encode())
        with open(code_file, "rb") as file:
            code = re.search(rb"[0-9A-Z]{4}(?:-[0-9A-Z]{4}){6}", file.read()).group(0)
        done = self.run_plain("unlock", "--recovery-fd", "0", given=code)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(b"passation slot set --recovery-fd 0", done.stderr)
        done = self.run_plain("slot", "ls", "--passphrase-fd", "0", given=b"another one entirely")
        self.assertEqual(done.returncode, 5, done.stderr)
        self.assertIn(b"--recovery-fd 0", done.stderr)

    def test_a_backup_is_restored_on_a_computer_that_has_nothing_yet(self):
        self.make_vault()
        backup = os.path.join(self.home, "backup")
        key = ("--passphrase-fd", "0")
        done = self.run_plain("backup", backup, *key, given=GOOD.encode())
        self.assertEqual(done.returncode, 0, done.stderr)
        shutil.rmtree(os.path.join(self.home, ".local"))
        done = self.run_plain("restore", backup + "x", *key, given=GOOD.encode())
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertNotIn(b"passation init", done.stderr)
        self.assertFalse(os.path.exists(os.path.join(self.home, ".local")))
        session = self.session("restore", backup)
        session.expect(r"Passphrase of the backup: $")
        session.type(GOOD + "\n")
        self.assertEqual(session.finish(), 0, session.err)
        done = self.run_plain("client", "ls", *key, given=GOOD.encode())
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_end_of_input_aborts(self):
        self.make_vault()
        session = self.session("status")
        session.expect(r"Passphrase: $")
        session.type("\x04")
        self.assertEqual(session.finish(), 3)
        self.assertTrue(session.echoes())

    def test_a_line_that_is_too_long_is_refused(self):
        self.make_vault()
        session = self.session("status")
        session.expect(r"Passphrase: $")
        for _ in range(5):
            session.type("x" * 4000 + "\x04")
            time.sleep(0.1)
        self.assertEqual(session.finish(), 2)
        self.assertIn("longer than", session.err)

    # --- signals ---

    def test_every_ending_signal_restores_the_echo_and_ends(self):
        self.make_vault()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
            with self.subTest(signal=number):
                session = self.session("status")
                session.expect(r"Passphrase: $")
                self.assertFalse(session.echoes())
                os.kill(session.process.pid, number)
                self.assertEqual(session.finish(), -number)
                self.assertTrue(session.echoes())

    def test_ctrl_c_restores_the_echo_and_ends(self):
        self.make_vault()
        session = self.session("status")
        session.expect(r"Passphrase: $")
        session.type("half a passphr\x03")
        self.assertEqual(session.finish(), -signal.SIGINT)
        self.assertTrue(session.echoes())
        self.assertNotIn("half", session.rest() + session.out + session.err)

    def test_a_stop_restores_the_echo_and_going_on_asks_again(self):
        self.make_vault()
        # A shell with job control: without one, the group is orphaned and never stopped.
        session = self.session("status", shell='"$0" "$@"; echo "[stopped: $?]"; '
                               'stty -a | grep -ow -- "-*echo"; fg >/dev/null')
        session.expect(r"Passphrase: $")
        self.assertFalse(session.echoes())
        session.type("half a passphr\x1a")
        session.expect(r"Passphrase: $")
        self.assertFalse(session.echoes())
        session.type(GOOD + "\n")
        self.assertEqual(session.finish(), 0, session.err)
        self.assertTrue(session.echoes())
        self.assertIn(f"[stopped: {128 + signal.SIGTSTP}]\necho\n", session.out)
        self.assertNotIn("half", session.rest() + session.out + session.err)

    # --- questions ---

    def test_a_question_is_answered_no_by_default(self):
        self.make_vault()
        backup = os.path.join(self.home, "backup.db")
        done = self.run_plain("backup", backup, "--passphrase-fd", "0",
                              given=GOOD.encode())
        self.assertEqual(done.returncode, 0, done.stderr)
        passphrase = os.path.join(self.home, "passphrase")
        with open(passphrase, "w", encoding="utf-8", opener=private) as file:
            file.write(GOOD)
        for answer, status in (("\n", 3), ("n\n", 3), ("\x04", 3), ("yes\n", 0), ("Y\n", 0)):
            with self.subTest(answer=answer):
                # Taken again: a backup that was restored from is older than what is there.
                again = self.run_plain("backup", "-f", backup, "--passphrase-file",
                                       passphrase)
                self.assertEqual(again.returncode, 0, again.stderr)
                session = self.session("restore", backup, "--accept-older",
                                       "--passphrase-file", passphrase)
                session.expect(r"\[y/N\] $")
                self.assertTrue(session.echoes())
                session.type(answer)
                self.assertEqual(session.finish(), status, session.err)

    def test_the_copy_of_another_vault_is_named_in_the_question(self):
        self.make_vault()
        backup = os.path.join(self.home, "backup.db")
        other = os.path.join(self.home, "other.db")
        key = ("--passphrase-fd", "0")
        for words in (("init",), ("backup", backup)):
            done = self.run_plain("--vault", other, *words, *key, given=GOOD.encode())
            self.assertEqual(done.returncode, 0, done.stderr)
        session = self.session("restore", backup)
        session.expect(r"(?s)is a copy of another vault\..*\[y/N\] $")
        session.type("\n")
        self.assertEqual(session.finish(), 3, session.err)

    def test_nobody_is_asked_without_a_terminal_or_with_no_input(self):
        self.make_vault()
        self.assertEqual(self.run_plain("status").returncode, 5)
        session = self.session("status", "--no-input")
        self.assertEqual(session.finish(), 5)
        self.assertEqual(session.rest(), "")
        session = self.session("--vault", os.path.join(self.home, "other.db"), "init",
                               "--no-input")
        self.assertEqual(session.finish(), 2)

    # --- output ---

    def test_hostile_arguments_reach_the_terminal_escaped(self):
        for hostile in ("\x1b[2J", "\x1b]52;c;AAAA\x07", "a\rb", "\u202egpj", "\x9b2J"):
            with self.subTest(hostile=hostile):
                session = self.session(hostile, stdout_tty=True)
                self.assertEqual(session.finish(), 2)
                shown = session.err + session.rest()
                for bad in "\x1b\x07\r\x9b\u202e":
                    self.assertNotIn(bad, shown.replace("\r\n", "\n"))


def private(path, flags):
    return os.open(path, flags, 0o600)


if __name__ == "__main__":
    BINARY = os.path.abspath(sys.argv.pop(1))
    unittest.main()
