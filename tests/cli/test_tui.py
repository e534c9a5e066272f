#!/usr/bin/env python3
"""The text interface, driven by keys in an emulated terminal, as a person sees it.

usage: test_tui.py BUILD
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support import fake_time  # noqa: E402
from support.tui import Interface  # noqa: E402
from support.world import World  # noqa: E402

BUILD = None
STRIPE = "Stripe-Key-0001"
BOX = "box0@essai.example"
HOSTILE = "été\u3000漢字"


def read(path):
    with open(path, encoding="utf-8") as file:
        return file.read()


class Tui(Interface):
    @classmethod
    def setUpClass(cls):
        cls.world = World(BUILD)
        cls.world.__enter__()
        world = cls.world
        world.control("POST", "/set", {"task_delay_ms": 0, "slot_delay_ms": 0})
        world.allow_all()
        world.setup_client(mailboxes=3)
        world.run("person", "add", "jp", "--kind", "provider", "--name", "Jean-Pierre Été",
                  check=0)
        world.run("secret", "add", BOX, "Stripe", "--note", HOSTILE, "--secret-fd", "0",
                  stdin=STRIPE, check=0)

    @classmethod
    def tearDownClass(cls):
        cls.world.run("lock")
        cls.world.__exit__()

    def password(self, address=BOX):
        return self.world.in_force(address)

    # --- every page ---

    def test_every_page_fits_at_80_and_200_columns_in_both_languages(self):
        for language in ("en_US.UTF-8", "fr_FR.UTF-8"):
            for size in ((24, 80), (50, 200)):
                with self.subTest(language=language, size=size):
                    screen = self.open(size, language)
                    first = screen.text()
                    self.assertIn("essai", first)
                    for key, wanted in (("2", BOX), ("3", "jp"), ("4", "4 "),
                                        ("5", r"\d\d:\d\d\s\+\d\d +me")):
                        screen.type(key)
                        screen.wait(wanted)
                        self.assertTrue(screen.lines()[0].startswith(" passation"))
                        self.assertTrue(screen.lines()[-1])
                        self.assertNotIn(self.password(), screen.text())
                    if language.startswith("fr"):
                        self.assertRegex(screen.text(), "QUI +ÉVÉNEMENT")
                    else:
                        self.assertRegex(screen.text(), "WHO +EVENT")
                    screen.type("q")
                    self.assertEqual(screen.finish(), 0)
                    self.assertTrue(screen.is_cooked())

    def test_from_a_client_into_a_secret_and_out_again(self):
        screen = self.open()
        screen.type("enter")
        screen.wait(r"Clients › essai +1/3")
        screen.type("j", "k", "enter")
        screen.wait(r"essai › " + BOX)
        screen.wait("Stripe")
        screen.type("down")
        screen.wait("漢字")
        screen.type("esc")
        screen.wait(r"Clients › essai +1/3")
        screen.type("h")
        screen.wait(r"Clients +1/1")

    def test_a_filter_keeps_what_holds_it_until_escape(self):
        screen = self.open()
        screen.type("2", "/", "BOX1")
        screen.wait(r"/BOX1_ +1/3")
        self.assertNotIn(BOX, screen.text())
        screen.type("enter")
        screen.wait(r"/BOX1 +1/3")
        screen.type("esc")
        screen.wait(BOX)
        screen.type("/", "zzz")
        screen.wait("Nothing fits")

    def test_what_is_to_be_judged_is_counted_and_listed_without_a_judgement(self):
        self.world.run("sweep", "essai", check=12)
        [row] = [row for row in self.world.json("due", check=12)["due"] if row["kind"] == "unjudged"]
        screen = self.open((40, 120))
        screen.type("4")
        screen.wait(rf"{row['count']} ways? in: not judged yet")
        screen.type("enter")
        screen.wait(r"Run this\?")
        self.assertIn("passation sweep essai", screen.text())
        screen.type("n", "q")
        self.assertEqual(screen.finish(), 0)

    def test_help_is_a_key_away(self):
        screen = self.open()
        screen.type("?")
        screen.wait("Ctrl-C|access map")
        screen.type("x")
        screen.wait("1 Clients")

    def test_the_map_says_who_may_and_who_has_seen(self):
        screen = self.open((40, 160))
        screen.type("3")
        screen.wait(r"ADDRESS +jp +me")
        screen.wait(BOX + r" +✓•")
        screen.type("right")
        screen.wait("unlocks the vault")
        screen.wait("made it")

    # --- secrets ---

    def test_a_secret_is_written_down_before_it_is_shown_and_hidden_by_any_key(self):
        before = len(self.entries("secret.revealed"))
        screen = self.open()
        screen.type("2", "s")
        screen.wait(r"\[y/N\]")
        screen.type("n")
        screen.wait(r"\[y/N\]", gone=True)
        self.assertEqual(len(self.entries("secret.revealed")), before)
        screen.type("s", "y")
        screen.wait(re.escape(self.password()))
        self.assertEqual(len(self.entries("secret.revealed")), before + 1)
        screen.type("x")
        screen.wait(re.escape(self.password()), gone=True)
        # Nothing but the one picture held it, and what comes after is without it.
        self.assertEqual(screen.raw.count(self.password().encode()), 1)
        screen.type("q")
        self.assertEqual(screen.finish(), 0)
        self.assertNotIn(self.password(), screen.text())

    def test_a_resize_hides_what_is_shown_and_draws_the_page_anew(self):
        screen = self.open()
        screen.type("2", "s", "y")
        screen.wait(re.escape(self.password()))
        screen.resize(40, 160)
        screen.wait(re.escape(self.password()), gone=True)
        screen.wait(r"│ Address +" + BOX)
        screen.resize(8, 30)
        screen.wait("too small")
        self.assertIn("50 columns and 12 rows are needed; it has 30 and 8.",
                      " ".join(screen.text().split()))
        screen.resize(24, 80)
        screen.wait(BOX)

    def test_a_copy_is_the_one_of_show(self):
        clip, env = self.clipboard()
        screen = self.open(**env)
        screen.type("2", "c", "y")
        screen.wait("on the clipboard")
        self.assertEqual(read(clip), self.password())
        self.assertNotIn(self.password(), screen.text())
        self.assertEqual(self.entries("secret.revealed")[-1]["text"], "copied")

    def test_the_lock_takes_off_the_clipboard_what_was_copied_here(self):
        clip, env = self.clipboard()
        screen = self.open(**env)
        screen.type("2", "c", "y")
        screen.wait("on the clipboard")
        self.assertEqual(read(clip), self.password())
        screen.type("L")
        screen.wait("Locked: nothing is shown")
        screen.type("q")
        self.assertEqual(screen.finish(), 0)
        self.assertEqual(read(clip), "")

    def test_the_lock_leaves_what_was_copied_elsewhere(self):
        clip, env = self.clipboard()
        screen = self.open(**env)
        self.world.run("show", BOX, "-c", env=self.world.env(**env), check=0)
        screen.type("L")
        screen.wait("Locked: nothing is shown")
        screen.type("q")
        self.assertEqual(screen.finish(), 0)
        self.assertEqual(read(clip), self.password())
        self.world.run("lock", check=0)
        self.assertEqual(read(clip), "")

    # --- what changes something ---

    def test_a_rotation_is_the_commands_own_and_shows_its_result(self):
        before = self.password("box2@essai.example")
        screen = self.open()
        screen.type("2", "G", "r", "y")
        screen.wait(r"\$ passation rotate box2@essai.example")
        screen.wait("password changed and proved")
        screen.type("enter")
        screen.wait("Done: passation rotate")
        self.assertNotEqual(self.password("box2@essai.example"), before)
        screen.type("q")
        self.assertEqual(screen.finish(), 0)

    def test_nobody_is_granted_anything_who_was_not_chosen(self):
        screen = self.open()
        screen.type("2", "g")
        screen.wait("Grant " + BOX)
        self.assertNotIn("nobody was chosen", screen.text())
        for key in ("up", "enter", "down", "zz"):
            screen.type(key, "enter")
            screen.wait("nobody was chosen")
            self.assertIn("Grant " + BOX, screen.text())
        screen.type("m", "up", "enter")
        screen.wait(f"passation grant me {BOX}")
        screen.type("n", "g")
        screen.wait("Grant " + BOX)
        screen.type("xj", "up", "enter")
        screen.wait(f"passation grant jp {BOX}")
        screen.type("n")

    def test_a_grant_follows_the_commands_rules_and_tells_the_code_once(self):
        screen = self.open()
        screen.type("2", "down", "g")
        screen.wait("Grant box1@essai.example")
        screen.type("JP", "down", "2031-02-28", "down", "maintenance été", "down", "down",
                    "enter")
        screen.wait(r"passation grant jp box1@essai.example")
        screen.type("y")
        code = screen.wait(r"^ +([a-z]+(?: |-))([a-z]+[ -]?){8}").group(0).strip()
        screen.wait("Enter: back")
        screen.type("enter")
        screen.wait("Done: passation grant")
        self.assertNotIn(code, screen.text())
        grants = self.world.json("grant", "ls", "jp")["grants"]
        self.assertEqual([(row["address"], row["reason"]) for row in grants],
                         [("box1@essai.example", "maintenance été")])
        screen.type("3", "down")
        screen.wait(r"box1@essai.example +✓•")

    def test_a_command_is_shown_whole_before_it_is_agreed_to(self):
        screen = self.open()
        screen.type("2", "down", "g")
        screen.wait("Grant box1@essai.example")
        screen.type("jp", "down", "down", "'" * 230, "down", "down", "enter")
        screen.wait(r"Run this\?")
        # Each of them takes four characters, and what follows is seen, too.
        inside = [line.split("│")[1].strip() for line in screen.lines() if line.count("│") == 2]
        self.assertIn("--format age -o .", " ".join(inside))
        screen.type("n")
        screen.wait(r"\[y/N\]", gone=True)

    def test_what_a_window_cannot_show_is_not_asked(self):
        before = len(self.entries("secret.revealed"))
        screen = self.open()
        screen.resize(8, 60)
        screen.wait("The window is too small")
        for key in ("s", "g", "r"):
            screen.type("2", key)
            screen.wait("too small for the question")
            screen.type("y", "1")
            screen.wait("too small for the question", gone=True)
        screen.resize(13, 80)
        screen.wait("1 Clients")
        screen.type("2", "g")
        screen.wait(r"too small for the question: 14 rows needed \(13 here\)")
        # A question that is asked goes with the room for it.
        screen.type("s")
        screen.wait(r"\[y/N\]")
        screen.resize(8, 60)
        screen.wait("too small for the question")
        screen.type("y", "q")
        self.assertEqual(screen.finish(), 0)
        self.assertEqual(len(self.entries("secret.revealed")), before)

    # --- what is chosen stays so ---

    def test_the_chosen_row_is_the_same_after_the_page_is_read_anew(self):
        screen = self.open((40, 160))
        screen.type("5")
        screen.wait("WHO +EVENT")
        screen.type("down", "down", "down", "down")
        chosen = screen.wait(r"│ No\. +(\d+)").group(1)
        # Newer ones stand before it, and others of the same minute beside it.
        for _ in range(3):
            self.world.run("person", "add", f"zz{len(self.entries('person.added'))}",
                           "--kind", "team", check=0)
        screen.type("R")
        screen.wait("zz")
        self.assertEqual(screen.wait(r"│ No\. +(\d+)").group(1), chosen)

    def test_the_chosen_person_is_the_same_after_the_map_is_read_anew(self):
        screen = self.open((40, 160))
        screen.type("3")
        screen.wait(r"│ Person +jp, ")
        self.world.run("person", "add", "aaron", "--kind", "team", check=0)
        self.addCleanup(self.world.run, "person", "rm", "aaron", check=0)
        screen.type("R")
        screen.wait(r"ADDRESS +aaron +jp")
        screen.wait(r"│ Person +jp, ")

    # --- leaving ---

    def test_a_lock_elsewhere_and_idle_time_hide_everything(self):
        world = self.world
        world.run("unlock", "--for", "4s", check=0)
        screen = self.open(agent=True)
        screen.type("2")
        screen.wait(BOX)
        screen.wait("Locked: nothing is shown")
        self.assertNotIn(BOX, screen.text())
        world.run("unlock", "--for", "10m", check=0)
        screen.type("enter")
        screen.wait(BOX)
        world.run("lock", check=0)
        screen.wait("Locked: nothing is shown")
        screen.type("q")
        self.assertEqual(screen.finish(), 0)

    def test_the_lock_counts_while_the_end_of_a_command_is_read(self):
        world = self.world
        world.run("unlock", "--for", "10m", check=0)
        screen = self.open(agent=True)
        screen.type("2", "v", "y")
        screen.wait("Enter: back")
        world.run("lock", check=0)
        screen.wait("Locked: nothing is shown")
        self.assertNotIn(BOX, screen.text())
        screen.type("q")
        self.assertEqual(screen.finish(), 0)

    def test_a_key_that_comes_after_the_idle_time_keeps_nothing_open(self):
        clock = os.path.join(self.world.home, "clock")
        with open(clock, "w", encoding="ascii") as file:
            file.write("+0")
        screen = self.open(prefix=["env", fake_time.preload()],
                           FAKETIME_NO_CACHE="1", FAKETIME_TIMESTAMP_FILE=clock)
        screen.type("2")
        screen.wait(BOX)
        os.kill(screen.process.pid, signal.SIGSTOP)
        with open(clock, "w", encoding="ascii") as file:
            file.write("+20m")
        screen.type("s")
        os.kill(screen.process.pid, signal.SIGCONT)
        screen.wait("Locked: nothing is shown")
        self.assertNotIn(BOX, screen.text())

    def test_a_closed_terminal_ends_it_also_after_a_command(self):
        screen = self.open()
        screen.type("2", "v", "y")
        screen.wait("Enter: back")
        screen.hang_up()
        self.assertEqual(screen.process.wait(60), -signal.SIGHUP)

    def test_a_closed_terminal_ends_it_though_no_signal_tells(self):
        # The shell, to which the signal goes, takes no notice.
        script = 'trap "" HUP; "$@"; exit 0'
        for keys, wanted in (("2", BOX), ("2vy", "Enter: back"), ("2s", r"\[y/N\]")):
            with self.subTest(keys=keys):
                screen = self.open(prefix=["sh", "-c", script, "sh"])
                screen.type(*keys)
                screen.wait(wanted)
                screen.hang_up()
                self.assertEqual(screen.process.wait(60), 0)

    def test_a_signal_while_a_command_runs_ends_that_and_the_interface(self):
        world = self.world
        screen = self.open()
        screen.type("2", "G", "r")
        screen.wait(r"\[y/N\]")
        world.control("POST", "/set", {"task_delay_ms": 1500})
        try:
            screen.type("y")
            screen.wait(r"\$ passation rotate")
            time.sleep(0.5)
            os.kill(screen.process.pid, signal.SIGTERM)
            self.assertEqual(screen.finish(), -signal.SIGTERM)
        finally:
            world.control("POST", "/set", {"task_delay_ms": 0})
        self.assertTrue(screen.is_cooked())
        self.assertNotIn("Enter: back", screen.text())
        time.sleep(1)
        world.run("resume", check=0)

    def test_where_it_cannot_draw_any_more_it_fails(self):
        world = self.world
        known = os.path.join(world.home, "terminals")
        text = subprocess.run(["infocmp", "screen-256color"], capture_output=True, text=True,
                              check=True).stdout
        text = re.sub("^screen-256color.*", "essai-terminal|one of ours,", text, flags=re.M)
        subprocess.run(["tic", "-x", "-o", known, "-"], input=text, text=True, check=True)
        world.run("unlock", "--for", "10m", check=0)
        screen = self.open(agent=True, TERM="essai-terminal", TERMINFO=known)
        world.run("lock", check=0)
        screen.wait("Locked: nothing is shown")
        shutil.rmtree(known)
        screen.type("enter")
        screen.wait("vault is locked|Passphrase")
        self.assertEqual(screen.finish(), 2)
        self.assertIn("cannot be drawn on", screen.text())

    def test_every_ending_signal_gives_the_terminal_back(self):
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            with self.subTest(signal=number):
                screen = self.open()
                screen.type("2", "s", "y")
                screen.wait(re.escape(self.password()))
                self.assertFalse(screen.is_cooked())
                os.kill(screen.process.pid, number)
                self.assertEqual(screen.finish(), -number)
                self.assertTrue(screen.is_cooked())
                self.assertNotIn(self.password(), screen.text())
                self.assertIn(b"\x1b[?1049l", screen.raw)

    def test_no_other_command_maps_ncurses(self):
        done = subprocess.run(["ldd", self.world.binary], capture_output=True, text=True,
                              check=False)
        self.assertNotIn("ncurses", done.stdout)

    def test_a_window_too_small_says_so_in_french_too(self):
        screen = self.open(language="fr_FR.UTF-8")
        screen.resize(10, 70)
        screen.wait("il faut 50 colonnes et 12 lignes\u00a0; elle en a 70 et 10")
        screen.resize(13, 80)
        screen.wait("1 Clients")
        screen.type("2", "g")
        screen.wait(r"trop petite pour la question\u00a0: il faut 14 lignes \(13 ici\)")

    def test_it_needs_a_terminal_and_says_so(self):
        done = self.world.run("tui", check=2)
        self.assertIn("terminal", done.stderr)

    def test_the_bare_name_of_the_program_tells_of_it(self):
        done = subprocess.run([self.world.binary], env=self.world.env(), capture_output=True,
                              text=True, check=False)
        self.assertIn("passation tui", done.stderr)


if __name__ == "__main__":
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
