#!/usr/bin/env python3
"""Completion as people have it: bash, zsh and fish on a terminal, the real binary, a real
agent. What was completed is read back as the words that the shell makes of its line.

usage: test_shell.py BUILD_DIR COMPLETION_DIR
"""

import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import termios
import time
import unicodedata
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from world import World  # noqa: E402

BUILD = SCRIPTS = WORLD = None
SECONDS = 60
HOSTILE = "$(touch pwned) `touch pwned` 'a' \"b\" ;x é"
BASH = """PS1='READY> '
bind 'set enable-bracketed-paste off'
bind 'set bell-style none'
bind 'set completion-query-items 0'
bind 'set page-completions off'
"""
ZSH = """PROMPT='READY> '
unset zle_bracketed_paste
setopt no_beep no_always_last_prompt no_prompt_cr
LISTMAX=1000
fpath=({scripts} $fpath)
autoload -Uz compinit && compinit -u -D
"""
FISH = """function fish_prompt; printf 'READY> '; end
function fish_greeting; end
set -g fish_autosuggestion_enabled 0
source {scripts}/passation.fish
"""


def start(shell, folder):
    """The command that starts a shell without anything of this machine's own set-up."""
    if shell == "bash":
        path = os.path.join(folder, "bashrc")
        with open(path, "w") as file:
            file.write(BASH + f"source {SCRIPTS}/passation.bash\n")
        return ["bash", "--noprofile", "--rcfile", path, "-i"], {}
    if shell == "zsh":
        with open(os.path.join(folder, ".zshrc"), "w") as file:
            file.write(ZSH.format(scripts=SCRIPTS))
        return ["zsh", "-d", "-i"], {"ZDOTDIR": folder}
    return ["fish", "--no-config", "-i", "-C", FISH.format(scripts=SCRIPTS)], {}


class Shell:
    """One shell on a terminal of its own."""

    def __init__(self, kind, columns=100, language="C.UTF-8"):
        self.kind = kind
        self.folder = os.path.join(WORLD.dir, "shell-" + kind)
        os.makedirs(self.folder, exist_ok=True)
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 60, columns, 0, 0))
        command, more = start(kind, self.folder)

        def own_terminal():
            os.setsid()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        self.process = subprocess.Popen(
            command, stdin=slave, stdout=slave, stderr=slave, cwd=self.folder,
            env=WORLD.env(TERM="xterm", LC_ALL=language,
                          PATH=WORLD.build + ":" + os.environ["PATH"], **more),
            preexec_fn=own_terminal)
        os.close(slave)
        self.seen = ""
        self.expect("READY> ")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        os.close(self.master)

    def read(self, seconds):
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        data = os.read(self.master, 65536)
        if b"\x1b[c" in data:  # fish may ask what terminal this is
            os.write(self.master, b"\x1b[?1;2c")
        self.seen += data.decode("utf-8", "replace")
        return True

    def comes(self, pattern, seconds):
        end = time.monotonic() + seconds
        while True:
            found = re.search(pattern, self.seen)
            if found:
                self.seen = self.seen[found.end():]
                return found
            left = end - time.monotonic()
            if left <= 0 or not self.read(left):
                return None

    def expect(self, pattern):
        found = self.comes(pattern, SECONDS)
        if not found:
            raise AssertionError(f"{self.kind}: no {pattern!r} in {self.seen!r}")
        return found

    def give_up_line(self):
        """A shell that is at work on a completion may not heed the first."""
        for _ in range(SECONDS):
            self.type("\x03")
            if self.comes("READY> ", 1):
                return
        raise AssertionError(f"{self.kind}: no prompt in {self.seen!r}")

    def quiet(self, seconds=0.35):
        while self.read(seconds):
            pass

    def type(self, text):
        os.write(self.master, text.encode())

    def listed(self, line, *wanted):
        """What the screen shows once TAB was pressed twice behind the line; with what is
        wanted of it, if ever that comes."""
        end = time.monotonic() + SECONDS
        while True:
            shown = self.listed_once(line)
            if all(word in shown for word in wanted) or time.monotonic() > end:
                return shown

    def listed_once(self, line):
        self.type(line)
        self.quiet(0.15)
        self.seen = ""
        for _ in range(2):
            self.type("\t")
            self.quiet()
        shown = re.sub(r"\x1b(\[[0-9;?]*[A-Za-z]|[()][A-Z0-9]|[=>])", "", self.seen)
        self.give_up_line()
        self.quiet(0.1)
        return shown

    def words(self, line, tabs=1):
        """The words of the line after TAB, as the shell would hand them to a program."""
        path = os.path.join(self.folder, "words")
        with open(path, "w"):
            pass
        # A shell is done with TAB before it reads on.
        self.type(line + "\t" * tabs)
        self.type("\x01printf '%s\\n' \x05 >words; printf '\\nEND%s\\n' ED\r")
        self.expect("\nENDED")
        self.expect("READY> ")
        with open(path) as file:
            return file.read().splitlines()


def each_shell(test):
    def run(self):
        for kind in ("bash", "zsh", "fish"):
            with self.subTest(shell=kind):
                self.assertTrue(shutil.which(kind), f"{kind} is not installed")
                with Shell(kind) as shell:
                    test(self, shell)
    run.__name__ = test.__name__
    return run


class Completion(unittest.TestCase):
    def setUp(self):
        WORLD.run("unlock", check=0)
        self.addCleanup(WORLD.run, "lock", check=0)

    # --- commands and options ---

    @each_shell
    def test_commands_and_options_are_completed_without_a_key(self, shell):
        WORLD.run("lock", check=0)
        self.assertEqual(shell.words("passation rot"), ["passation", "rotate"])
        self.assertEqual(shell.words("passation client sh"), ["passation", "client", "show"])
        self.assertEqual(shell.words("passation rotate --dr"),
                         ["passation", "rotate", "--dry-run"])
        self.assertEqual(shell.words("passation --json handover st"),
                         ["passation", "--json", "handover", "sta"])
        self.assertEqual(shell.words("passation help env"), ["passation", "help", "envelope"])
        shown = shell.listed("passation slot ", "add", "ls", "set", "rm")
        for word in ("add", "ls", "set", "rm"):
            self.assertRegex(shown, rf"\b{word}\b")
        self.assertNotIn("agent", shell.listed("passation ag"))

    @each_shell
    def test_values_of_options_are_completed_beside_and_behind_them(self, shell):
        self.assertEqual(shell.words("passation grant --format ht")[-1], "html")
        self.assertEqual(shell.words("passation grant --format=ht")[-1], "--format=html")
        self.assertEqual(shell.words("passation log --client=es")[-1], "--client=essai")
        with open(os.path.join(shell.folder, "sauve garde.db"), "w"):
            pass
        os.makedirs(os.path.join(shell.folder, "remises"), exist_ok=True)
        self.assertEqual(shell.words("passation restore sauv")[-1], "sauve garde.db")
        self.assertEqual(shell.words("passation outbox --output rem")[-1].rstrip("/"),
                         "remises")
        self.assertEqual(shell.words("passation outbox --output=rem")[-1].rstrip("/"),
                         "--output=remises")

    # --- names ---

    @each_shell
    def test_names_are_completed_while_the_agent_has_the_key(self, shell):
        self.assertEqual(shell.words("passation client show ess")[-1], "essai")
        self.assertEqual(shell.words("passation depart cam")[-1], "camille")
        self.assertEqual(shell.words("passation who cam")[-1], "camille")
        self.assertEqual(shell.words("passation show box0")[-1], "box0@essai.example")
        self.assertEqual(shell.words("passation show box0@ess")[-1], "box0@essai.example")
        self.assertEqual(shell.words("passation grant camille 'box0@ess")[-1],
                         "box0@essai.example")
        self.assertEqual(shell.words("passation show box0@essai.example ft")[-1], "ftp")
        self.assertEqual(shell.words("passation role add neuf@ess")[-1],
                         "neuf@essai.example")
        self.assertEqual(shell.words("passation rotate -n -- box0")[-1],
                         "box0@essai.example")
        shown = shell.listed("passation show box", "box1@essai.example")
        self.assertIn("box1@essai.example", shown)

    @each_shell
    def test_a_locked_vault_says_nothing_and_asks_nothing(self, shell):
        WORLD.run("lock", check=0)
        for line in ("client show ess", "depart cam", "show box0", "role add neuf@"):
            shown = shell.listed("passation " + line)
            for secret in ("essai", "camille", "box0@", "box1", "assphrase"):
                self.assertNotIn(secret, shown.replace(line, ""))
            self.assertEqual(shell.words("passation " + line)[-1], line.split()[-1])
        self.assertEqual(WORLD.json("status")["agent"], {"unlocked": False})

    @each_shell
    def test_a_hostile_label_is_one_word_and_is_never_carried_out(self, shell):
        line = "passation show box1@essai.example "
        shell.listed(line)
        self.assertEqual(shell.words(line)[-1], HOSTILE)
        self.assertEqual(shell.words(line + "\\$")[-1], HOSTILE)
        for folder in (shell.folder, WORLD.home):
            self.assertFalse(os.path.exists(os.path.join(folder, "pwned")))

    def test_bash_completes_files_of_redirections_itself(self):
        with Shell("bash") as shell:
            with open(os.path.join(shell.folder, "mot"), "w") as file:
                file.write("x")
            self.assertIn("mot", shell.listed("passation role adopt 3<", "mot"))
            self.assertEqual(shell.words("passation show 2>mot box0")[-1],
                             "box0@essai.example")

    # --- by itself ---

    def complete(self, *words):
        done = subprocess.run([WORLD.binary, "__complete", "--", "passation", *words],
                              env=WORLD.env(), capture_output=True, text=True, timeout=60,
                              start_new_session=True, check=True)
        self.assertEqual(done.stderr, "")
        return [line.split("\t") for line in done.stdout.splitlines()]

    def test_each_kind_of_word_has_its_names(self):
        def names(*words):
            return {row[0] for row in self.complete(*words)[1:]}

        self.assertIn("domain", names("handover", "item", "essai", ""))
        self.assertIn("--none", names("handover", "item", "essai", "--no"))
        self.assertEqual(names("grant", "camille", "*"), {"*@essai.example"})
        self.assertEqual(names("grant", "@"), {"@equipe"})
        self.assertEqual(names("grant", "camille", "box0@essai.example", "--with", ""),
                         {"ftp"})
        self.assertEqual(names("role", "add", "--on", "email/p"), {"email/pro"})
        self.assertIn("totp", names("secret", "add", "a@b", "x", "--type=t"))
        self.assertEqual(names("secret", "add", "box0@essai.example", ""), set())
        self.assertEqual(names("client", "add", ""), set())
        self.assertEqual(names("client", "rm", "essai", "--confirm", ""), set())
        self.assertTrue({"ls", "camille"} <= names("grant", ""))
        self.assertEqual(names("rotate", "-n"), {"-n"})
        self.assertNotIn("--dry-run", names("rotate", "-n", "--"))
        self.assertIn("--domain", names("client", "add", "x", "--domain", "a.fr", "--do"))
        self.assertEqual(self.complete("outbox", "-or")[0], ["folders", "-o"])
        self.assertEqual(self.complete("restore", "")[0], ["files", ""])
        self.assertEqual(names("nonsense", ""), set())

    def test_another_vault_is_completed_from_only_if_it_is_unlocked(self):
        rows = self.complete("--vault", "/nowhere.db", "client", "show", "")
        self.assertEqual(rows, [["names", ""]])

    # --- the rest of what a shell's user meets ---

    def screen(self, *words, language="C.UTF-8", columns=80, **env):
        """What a command draws on a terminal of so many columns, and its exit status."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        with subprocess.Popen([WORLD.binary, *words], stdin=subprocess.DEVNULL, stdout=slave,
                              stderr=slave, start_new_session=True,
                              env=WORLD.env(TERM="xterm", LC_ALL=language, **env)) as process:
            os.close(slave)
            shown = b""
            while True:
                try:
                    data = os.read(master, 65536)
                except OSError:
                    break
                shown += data
        os.close(master)
        return shown.decode().replace("\r\n", "\n"), process.returncode

    def test_what_is_mistyped_is_named_with_what_is_near(self):
        WORLD.run("person", "add", "jp", "--kind", "prestataire", "--name", "Jean-Pierre", check=0)
        self.assertEqual(WORLD.json("person", "show", "jp")["kind"], "provider")
        for kind in ("Team", "ÉQUIPE", "Prestataire"):
            WORLD.run("person", "set", "jp", "--kind", kind, check=0)
        said = WORLD.run("person", "set", "jp", "--kind", "ami", check=2).stderr
        for kind in ("provider", "prestataire", "équipe"):
            self.assertIn(kind, said)
        before = WORLD.json("person", "show", "jp")
        for email in ("jp", "@studio.fr", "jp@", "jp @studio.fr"):
            self.assertIn("is no e-mail address",
                          WORLD.run("person", "set", "jp", "--email", email, check=2).stderr)
        self.assertIn("nothing to change was given",
                      WORLD.run("person", "set", "jp", check=2).stderr)
        self.assertEqual(WORLD.json("person", "show", "jp"), before)
        for words, near in ((("clients", "list"), "'client ls'"),
                            (("client", "show", "esai"), "'essai'"),
                            (("person", "show", "camile"), "'camille'"),
                            (("show", "box2@essai.example"),
                             "'box0@essai.example' or 'box1@essai.example'"),
                            (("show", "box0@essai.example", "fpt"), "'ftp'"),
                            (("role", "add", "neuf@esai.example"), "'neuf@essai.example'"),
                            (("grant", "camille", "box0@essai.example", "--format", "hmtl"),
                             "'html'"),
                            (("log", "--client", "esai"), "'essai'"),
                            (("client", "show", "ESSAI"), "'essai'"),
                            (("person", "show", "Jean-Pierre"), "'jp'"),
                            (("person", "set", "JP", "--email", "jp@studio.example"), "'jp'"),
                            (("handover", "start", "essai", "--to", "JP"), "'jp'"),
                            (("grant", "jp", "box2@essai.example"),
                             "'box0@essai.example' or 'box1@essai.example'"),
                            (("revoke", "jp", "box2@essai.example"),
                             "'box0@essai.example' or 'box1@essai.example'"),
                            (("rotate", "--dry-rnu", "x"), "'--dry-run'")):
            done = WORLD.run(*words)
            self.assertIn("did you mean " + near, done.stderr, words)
            self.assertNotEqual(done.returncode, 0)
        for words in (("client", "show", "zzz"), ("grant", "jp", "zzz@essai.example"),
                      ("grant", "JP", "box0@essai.example", "-o", "/nowhere"),
                      ("grant", "zzz", "box2@essai.example"),
                      ("grant", "jp", "box0@essai.example", "--until", "bientôt")):
            self.assertNotIn("did you mean", WORLD.run(*words).stderr)
        WORLD.run("lock", check=0)
        locked = subprocess.run([WORLD.binary, "--no-input", "client", "show", "esai"],
                                env=WORLD.env(), capture_output=True, text=True, check=False)
        self.assertNotIn("essai", locked.stderr)

    def test_without_a_vault_the_first_three_commands_are_named(self):
        empty = os.path.join(WORLD.dir, "empty")
        shown, status = self.screen(XDG_DATA_HOME=empty)
        self.assertEqual(status, 2)
        self.assertRegex(shown, r"(?s)\n  passation init\n  passation client add .*"
                                r"\n  passation ovh link ")
        shown, status = self.screen()
        self.assertEqual(status, 2)
        self.assertIn("passation status", shown)

    def test_the_next_step_is_told_to_people_alone(self):
        shown, _ = self.screen("client", "add", "suite", "--nic", "xs12345-ovh", "--domain",
                               "suite.example")
        self.assertIn("Next: passation ovh link suite", shown)
        done = WORLD.run("client", "add", "suite2", "--nic", "xs12345-ovh", "--domain",
                         "suite2.example", check=0)
        self.assertNotIn("Next:", done.stderr)

    def test_nothing_is_wider_than_the_terminal_and_columns_are_straight(self):
        def width(text):
            return sum(0 if unicodedata.combining(c) else
                       2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)

        for language in ("C.UTF-8", "fr_FR.UTF-8"):
            for columns in (80, 200):
                for words in (("help",), ("grant", "--help"), ("person", "set", "--help"),
                              ("depart", "--help"), ("person", "ls"), ("client", "ls")):
                    shown, status = self.screen(*words, language=language, columns=columns)
                    self.assertEqual(status, 0, shown)
                    for line in shown.split("\n"):
                        # A command to be copied is never broken.
                        if "passation " not in line:
                            self.assertLessEqual(width(line), columns, line)
        rows = [line for line in self.screen("person", "ls", columns=200)[0].split("\n")
                if "team" in line or "KIND" in line]
        self.assertEqual(len({width(row[:re.search("team|KIND", row).start()])
                              for row in rows}), 1, rows)

    def test_long_work_says_what_it_does_and_takes_the_line_off_again(self):
        WORLD.control("POST", "/set", {"latency_ms": 700})
        self.addCleanup(WORLD.control, "POST", "/set", {"latency_ms": 0})
        shown, status = self.screen("ovh", "inventory", "essai")
        self.assertEqual(status, 0, shown)
        self.assertRegex(shown, "\rlooking at the client's OVH account … [0-9]+ s\x1b\\[K")
        self.assertNotIn("…", shown.split("\x1b[K")[-1].split("\n")[0])
        self.assertNotIn("looking", WORLD.run("ovh", "inventory", "essai").stderr)

    def test_a_completion_takes_no_longer_than_a_blink(self):
        def took(words):
            begin = time.monotonic()
            self.complete(*words)
            return time.monotonic() - begin

        for words in (["rot"], ["show", "box0"]):  # on a machine that may have much else to do
            self.assertTrue(any(took(words) < 0.1 for _ in range(50)), words)


def main():
    global BUILD, SCRIPTS, WORLD
    BUILD, SCRIPTS = (os.path.abspath(arg) for arg in sys.argv[1:3])
    with World(BUILD) as WORLD:
        # fish would make it, and the agent would be looked for elsewhere from then on.
        os.mkdir(os.path.join(WORLD.home, "run"), 0o700)
        boxes = WORLD.setup_client(mailboxes=2, adopt=False)
        for box, number in zip(boxes, range(2)):
            WORLD.run("role", "adopt", box, "--secret-fd", "0",
                      stdin=f"First-Pass-{number}-word", check=0)
        WORLD.run("person", "add", "camille", "--name", "Camille Roy", "--group", "equipe",
                  "--kind", "team", check=0)
        WORLD.run("person", "add", "tanaka", "--name", "田中 太郎", "--kind", "team", check=0)
        WORLD.run("person", "add", "zoe", "--name", "Zoe\u0301 Ele\u0301gante", "--kind", "team",
                  check=0)
        WORLD.run("secret", "add", boxes[0], "ftp", "--generate", check=0)
        WORLD.run("secret", "add", boxes[1], HOSTILE, "--generate", check=0)
        program = unittest.main(argv=[sys.argv[0], *sys.argv[3:]], exit=False)
        WORLD.run("lock")
    sys.exit(not program.result.wasSuccessful())


if __name__ == "__main__":
    main()
