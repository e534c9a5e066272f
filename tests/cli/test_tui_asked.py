#!/usr/bin/env python3
"""The text interface's questions and forms, what it shows of secrets, and what ends them.

usage: test_tui_asked.py BUILD
"""

import os
import re
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
BOX, OTHER = "box0@d0.example", "box1@d0.example"
LOCKED = "Locked: nothing is shown"
LONG = "".join(f"<{i:04}>" for i in range(900))
SECRETS = {"aa-lines": "first row\nsecond row\nthird row", "bb-wide": "漢字" * 40 + "fin",
           "cc-signs": "é\x1b[31mred\u0378\xff", "dd-long": LONG, "ee-rows": "row\n" * 60}


class Asked(Interface):
    @classmethod
    def setUpClass(cls):
        cls.world = world = World(BUILD)
        world.__enter__()
        os.makedirs(os.path.join(world.home, "data", "passation"), 0o700)
        cls.vault = os.path.join(world.home, "data", "passation", "vault.db")
        subprocess.run([os.path.join(BUILD, "tests/make_vault"), cls.vault, world.identity, "6",
                        "3", "3"], check=True)
        for label, value in SECRETS.items():
            world.run("secret", "add", BOX, label, "--secret-fd", "0", stdin=value, check=0)

    @classmethod
    def tearDownClass(cls):
        cls.world.run("lock")
        cls.world.__exit__()

    def clock(self):
        """A clock that the test moves: what sets it, and how the interface gets it."""
        path = os.path.join(self.world.home, "clock")

        def put(offset):
            with open(path, "w", encoding="ascii") as file:
                file.write(offset)
        put("+0")
        return put, {"prefix": ["env", fake_time.preload()], "FAKETIME_NO_CACHE": "1",
                     "FAKETIME_TIMESTAMP_FILE": path}

    def secret(self, screen, label):
        """Chooses it on the page of its mailbox."""
        screen.type("2", "enter")
        screen.wait(rf"^ Mailboxes [›>] {BOX}")
        screen.type("/", label, "enter")
        screen.wait(rf"^ Label +{label}$")

    def form(self, size=(24, 80), **options):
        screen = self.open(size, **options)
        screen.type("2", "g")
        screen.wait("Grant " + BOX)
        return screen

    def value(self, screen, label):
        """What stands in a field of the form."""
        return screen.wait(rf"│ {label} +(.*?) *│").group(1)

    # --- the form ---

    def test_people_are_chosen_by_arrows_and_by_their_first_letters(self):
        screen = self.form()
        self.assertEqual(self.value(screen, "Person"), "")
        for key, person in (("right", "me"), ("right", "p0"), (" ", "p1"), ("left", "p0"),
                            ("left", "me"), ("left", "p2"), ("right", "me"), ("p1", "p1"),
                            ("back", "p0"), ("x", "p0"), ("xm", "me"), ("zp2", "p2"),
                            ("\x01", "p2"), ("back", "p0"), ("back", "p0")):
            screen.type(key)
            screen.wait(rf"│ Person +{person} +│")
        screen.type("esc")
        screen.wait("Grant " + BOX, gone=True)
        screen.type("g", "left")
        screen.wait(r"│ Person +p2 +│")
        screen.type("esc", "q")
        self.assertEqual(screen.finish(), 0)

    def test_no_field_is_left_that_must_not_be_empty_in_either_direction(self):
        screen = self.form()
        for key in ("tab", "backtab", "up", "down", "enter"):
            screen.type(key, "z")
            screen.wait("nobody was chosen")
        screen.type("me", "backtab", "right")
        screen.wait(r"│ Person +me +│")
        screen.wait("nobody was chosen", gone=True)

    def test_a_field_takes_letters_of_every_size_and_gives_them_back_one_by_one(self):
        screen = self.form()
        screen.type("me", "tab", "tab", "aé€😀", "left", "right", "delete", "\u202e")
        screen.wait("│ Reason +aé€😀 +│")
        screen.settle(0.7)  # nothing is typed for a while
        for left in ("aé€", "aé", "a", "", ""):
            screen.type("back")
            screen.wait(rf"│ Reason +{left} +│")
        screen.type("é" * 200)
        screen.wait(r"│ Reason +é{20,} +│")
        screen.settle()
        screen.type("backtab", "backtab", "backtab", "enter")
        screen.wait(r"Run this\?")
        inside = [line.split("│")[1].strip() for line in screen.lines() if line.count("│") == 2]
        # 255 bytes are room for 127 of them.
        self.assertEqual("".join(inside).count("é"), 127)
        screen.type("n")

    def test_the_form_of_the_file_is_one_of_two_and_no_folder_is_this_one(self):
        screen = self.form()
        screen.type("p0", "tab", "tab", "tab")
        for key, form in (("right", "html"), ("right", "age"), ("left", "html"), ("a", "age"),
                          ("h", "html")):
            screen.type(key)
            screen.wait(rf"│ Form +{form} +│")
        screen.type("tab", "back", "back", "enter")
        screen.wait(rf"passation grant p0 {BOX} --format html -o \.")
        screen.type("é")
        screen.wait(r"\[y/N\]", gone=True)

    def test_a_day_that_is_refused_is_said_and_nobody_is_granted_anything(self):
        screen = self.form()
        screen.type("p2", "tab", "2020-01-01", "up", "up", "enter", "Y")
        screen.wait("Enter: back")
        self.assertIn("2020-01-01", screen.text())
        screen.type("enter")
        screen.wait("2020-01-01.*")
        self.assertEqual([row for row in self.world.json("grant", "ls", "p2")["grants"]
                          if row["address"] == BOX], [])
        self.leave(screen)

    def test_a_form_goes_with_the_room_for_it(self):
        screen = self.form()
        screen.resize(20, 70)
        screen.wait("Grant " + BOX)
        screen.resize(13, 70)
        screen.wait(r"14 rows needed \(13 here\)")
        screen.resize(24, 80)
        screen.wait("1 Clients")
        self.assertNotIn("Grant " + BOX, screen.text())
        self.leave(screen)

    def test_yes_is_said_in_the_language_of_the_question_and_in_english(self):
        for language, keys in (("fr_FR.UTF-8", "oOyY"), ("en_US.UTF-8", "yY")):
            for key in keys:
                with self.subTest(language=language, key=key):
                    screen = self.open(language=language)
                    screen.type("2", "v")
                    screen.wait(r"\[o/N\]" if language[0] == "f" else r"\[y/N\]")
                    screen.type(key)
                    screen.wait(r"\$ passation verify")
                    screen.wait(r"Entr\S+\s?: retour|Enter: back")
                    screen.type("enter")
                    screen.wait("1 Clients")
                    self.leave(screen)

    # --- secrets ---

    def test_a_secret_of_several_rows_is_shown_in_as_many(self):
        screen = self.open()
        self.secret(screen, "aa-lines")
        screen.type("s", "y")
        screen.wait(r"│ first row +│[^│]*\n[^│]*│ second row +│[^│]*\n[^│]*│ third row +│")
        screen.wait(rf"{BOX}, aa-lines, version 1")
        screen.type("x")
        screen.wait(f"{BOX}, aa-lines: hidden again")
        self.assertNotIn("second row", screen.text())

    def test_a_secret_that_is_wider_than_the_window_goes_on_in_the_next_row(self):
        screen = self.open((24, 60))
        self.secret(screen, "bb-wide")
        screen.type("s", "y")
        screen.wait("fin")
        self.assertEqual(len(re.findall("漢", screen.text())), 40)
        screen.type("x")
        screen.wait("漢", gone=True)

    def test_what_a_terminal_would_obey_is_shown_by_its_number(self):
        for language, shown in (("en_US.UTF-8", r"é\\x1B\[31mred"), ("C", r"\\xC3\\xA9\\x1B\[31mred")):
            screen = self.open((40, 100), language)
            self.secret(screen, "cc-signs")
            screen.type("s", "y")
            screen.wait(shown)
            screen.type("x", "q")
            self.assertEqual(screen.finish(), 0)

    def test_of_a_secret_that_does_not_fit_it_says_so(self):
        for label, first in (("dd-long", "<0000><0001>"), ("ee-rows", r"│ row +│")):
            with self.subTest(label):
                screen = self.open((20, 80))
                self.secret(screen, label)
                screen.type("s", "y")
                screen.wait(first)
                screen.wait("Not all of it fits here; all of it: passation show … --reveal")
                self.assertNotIn("<0899>", screen.text())
                screen.type("x")
                screen.wait("hidden again")

    def test_a_terminal_that_wants_pauses_shows_a_secret_where_it_belongs(self):
        screen = self.open(TERM="vt100")
        self.secret(screen, "aa-lines")
        screen.type("s", "y")
        screen.wait(r"first row +\S?[^\n]*\n[^\n]*second row")
        self.assertNotIn("$<", screen.text())
        screen.type("x")
        screen.wait("second row", gone=True)

    def test_a_secret_is_hidden_when_its_time_is_over(self):
        put, options = self.clock()
        screen = self.open(**options)
        self.secret(screen, "aa-lines")
        screen.type("s", "y")
        screen.wait("second row")
        screen.wait("Hidden in [1-9][0-9]? s, or at any key")
        put("+31s")
        screen.wait("second row", gone=True)
        screen.wait("hidden again")

    def test_the_lock_takes_whatever_is_open_with_it(self):
        world = self.world
        for keys, wanted in (("2s", r"\[y/N\]"), ("2g", "Grant " + BOX), ("2d", r"\A " + BOX),
                             ("2sy", "Hidden in")):
            with self.subTest(keys):
                world.run("unlock", "--for", "10m", check=0)
                screen = self.open(agent=True)
                screen.type(*keys)
                screen.wait(wanted)
                world.run("lock", check=0)
                screen.wait(LOCKED)
                self.assertNotIn(BOX, screen.text())
                self.leave(screen)

    def test_no_time_is_told_that_is_longer_than_the_key_is_kept(self):
        self.world.run("unlock", "--for", "12h", check=0)
        self.addCleanup(self.world.run, "lock")
        screen = self.open(agent=True)
        time.sleep(1.2)
        screen.type("2")  # use, from which the idle time counts anew
        screen.wait("PROVED")
        left = int(screen.wait(r"open, locks in (\d+) min").group(1))
        self.assertLessEqual(left, 12 * 60)
        self.assertGreater(left, 11 * 60)
        self.leave(screen)

    def test_the_time_that_is_left_is_told_in_seconds_at_the_end(self):
        self.world.run("unlock", "--for", "50s", check=0)
        screen = self.open(agent=True)
        screen.wait(r"open, locks in [1-9][0-9] s")
        self.world.run("lock", check=0)
        screen.wait(LOCKED)

    # --- the clipboard ---

    def test_without_a_clipboard_it_says_what_is_missing_and_nothing_was_seen(self):
        before = len(self.entries("secret.revealed"))
        screen = self.open()
        screen.type("2", "c")
        screen.wait("clipboard")
        self.assertNotIn("[y/N]", screen.text())
        self.assertEqual(len(self.entries("secret.revealed")), before)
        self.leave(screen)

    def test_a_copy_is_made_after_a_yes_alone_and_by_a_tool_that_works(self):
        _, env = self.clipboard()
        screen = self.open(**env)
        screen.type("2", "c")
        screen.wait(f"{BOX}, password: copy it to the clipboard")
        screen.type("n")
        screen.wait(r"\[y/N\]", gone=True)
        self.assertNotIn("on the clipboard", screen.text())
        with open(os.path.join(self.world.home, "tools", "xclip"), "w", encoding="ascii") as file:
            file.write("#!/bin/sh\nexit 1\n")
        screen.type("c", "y")
        screen.wait("clipboard")
        screen.wait(r"\[y/N\]", gone=True)
        self.assertNotIn("on the clipboard, and goes off", screen.text())
        self.clipboard()
        screen.type("c", "y")
        screen.wait("on the clipboard, and goes off it by itself")
        screen.type("c", "y")
        screen.settle(0.4)
        screen.wait("on the clipboard, and goes off it by itself")
        self.leave(screen)

    def test_what_the_lock_cannot_take_off_the_clipboard_in_time_is_said(self):
        _, env = self.clipboard()
        screen = self.open(**env)
        screen.type("2", "c", "y")
        screen.wait("on the clipboard, and goes off it by itself")
        with open(os.path.join(self.world.home, "tools", "xclip"), "w", encoding="ascii") as file:
            file.write("#!/bin/sh\nexec sleep 30\n")
        screen.type("L")
        screen.wait("the clipboard is not cleared yet")
        screen.wait(LOCKED)
        self.assertIn("copy something else", screen.text())
        self.leave(screen)

    # --- locked ---

    def test_what_keeps_it_locked_is_said(self):
        moved = self.vault + ".moved"
        screen = self.open()
        screen.type("L")
        screen.wait(LOCKED)
        os.rename(self.vault, moved)
        self.addCleanup(lambda: os.path.exists(moved) and os.rename(moved, self.vault))
        screen.type("enter")
        screen.wait("no vault|does not exist|not found")
        screen.wait(LOCKED)
        os.rename(moved, self.vault)
        away = self.world.identity + ".away"
        os.rename(self.world.identity, away)
        self.addCleanup(lambda: os.path.exists(away) and os.rename(away, self.world.identity))
        screen.type("enter")
        screen.wait(LOCKED)
        screen.wait("identity.txt")
        os.rename(away, self.world.identity)
        screen.type("enter")
        screen.wait("1 Clients")
        self.leave(screen)

    # --- signals ---

    def test_ctrl_c_at_the_end_of_a_command_leads_back(self):
        screen = self.open()
        screen.type("2", "v", "y")
        screen.wait("Enter: back")
        screen.type("\x03")
        screen.wait("1 Clients")
        self.leave(screen)

    def test_a_signal_that_ends_it_does_so_at_the_end_of_a_command_too(self):
        screen = self.open()
        screen.type("2", "v", "y")
        screen.wait("Enter: back")
        os.kill(screen.process.pid, signal.SIGTERM)
        self.assertEqual(screen.finish(), -signal.SIGTERM)
        self.assertTrue(screen.is_cooked())

    def test_of_two_signals_the_one_that_ends_it_counts(self):
        for numbers in ((signal.SIGINT, signal.SIGTERM), (signal.SIGHUP, signal.SIGINT)):
            with self.subTest(numbers):
                screen = self.open()
                screen.settle()
                os.kill(screen.process.pid, signal.SIGSTOP)
                for number in numbers:
                    os.kill(screen.process.pid, number)
                os.kill(screen.process.pid, signal.SIGCONT)
                self.assertEqual(screen.finish(), -max(numbers, key=lambda n: n != signal.SIGINT))
                self.assertTrue(screen.is_cooked())

    # --- texts ---

    def test_a_note_of_marks_without_a_width_stays_in_its_row(self):
        self.world.run("secret", "add", OTHER, "marks", "--note", "a" + "\u0301" * 500,
                       "--secret-fd", "0", stdin="x", check=0)
        self.world.run("secret", "add", OTHER, "none", "--note", "<\u0378>", "--secret-fd", "0",
                       stdin="x", check=0)
        screen = self.open((30, 80))
        screen.type("2", "down", "enter", "down")
        screen.wait("^ Note +á")
        screen.wait("May read it today")
        screen.type("down")
        screen.wait(r"^ Note +<.+>$")
        self.leave(screen)


if __name__ == "__main__":
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
