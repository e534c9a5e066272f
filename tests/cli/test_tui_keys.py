#!/usr/bin/env python3
"""Each key of the text interface, on lists that are longer than the screen, and on empty ones.

usage: test_tui_keys.py BUILD
"""

import os
import re
import signal
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.tui import Interface  # noqa: E402
from support.world import World  # noqa: E402

BUILD = None
MAILBOXES, A_CLIENT, PEOPLE, SECRETS = 90, 3, 14, 40
FIRST = "box0@d0.example"


def colours(raw):
    return set(re.findall(rb"\x1b\[[0-9;]*?(3[0-7])m", raw))


class Keys(Interface):
    @classmethod
    def setUpClass(cls):
        cls.world = world = World(BUILD)
        world.__enter__()
        folder = os.path.join(world.home, "data", "passation")
        os.makedirs(folder, 0o700)
        cls.vault = os.path.join(folder, "vault.db")
        subprocess.run([os.path.join(BUILD, "tests/make_vault"), cls.vault, world.identity,
                        str(MAILBOXES), str(A_CLIENT), str(PEOPLE), str(SECRETS)], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.world.run("lock")
        cls.world.__exit__()

    def at(self, screen, place):
        """Waits until the line over the list ends with it."""
        screen.wait(rf"(?<![0-9]){re.escape(place)}$")

    def on(self, screen, wanted):
        """Waits until the details are those of this: of the chosen row."""
        screen.wait(rf"^ (?:Client|Address|Mailbox|Label) +{re.escape(wanted)}$")

    # --- lists ---

    def test_a_list_longer_than_the_screen_is_walked_by_every_key(self):
        clients = MAILBOXES // A_CLIENT
        screen = self.open()
        self.at(screen, f"1/{clients}")
        for key, place in (("up", 1), ("k", 1), ("pgup", 1), ("home", 1), ("<", 1), ("down", 2),
                           ("j", 3), ("up", 2), ("k", 1), ("pgdn", 10), ("pgdn", 19),
                           ("pgdn", 28), ("pgdn", clients), ("pgdn", clients),
                           ("down", clients), ("j", clients), ("pgup", clients - 9),
                           ("end", clients), ("home", 1), ("G", clients), ("<", 1),
                           (">", clients)):
            screen.type(key)
            self.at(screen, f"{place}/{clients}")
        self.assertIn("c9 ", screen.text())
        self.assertNotIn("c0 ", screen.text())

    def test_a_key_that_is_none_changes_nothing(self):
        screen = self.open()
        screen.type("down")
        screen.wait(r"2/30$")
        before = screen.text().splitlines()[2:]
        screen.type("f2", "delete", "\x01", "\x1f", "z", "é", "\u0085", "漢")
        screen.settle(0.3)
        self.assertEqual(screen.text().splitlines()[2:], before)
        self.leave(screen)

    def test_a_larger_window_leaves_no_gap_below_the_end_of_a_list(self):
        screen = self.open()
        screen.type("end")
        screen.wait("c9 ")
        screen.resize(50, 80)
        screen.wait(r"c16 [^─]*\n c9 .*\n──")

    def test_the_tabs_go_round_in_both_directions(self):
        screen = self.open()
        heads = ["NIC HANDLE", "PROVED", "ADDRESS +me", "WHAT +ADDRESS", "WHO +EVENT"]
        for head in [*heads[1:], heads[0]]:
            screen.type("tab")
            screen.wait(head)
        for head in reversed(heads):
            screen.type("backtab")
            screen.wait(head)

    def test_into_a_row_and_out_of_it_by_every_key(self):
        screen = self.open()
        for inward, outward in (("enter", "esc"), ("right", "left"), ("l", "h"),
                                ("enter", "back")):
            screen.type(inward)
            screen.wait("^ Clients › c0 +1/3$")
            screen.type(inward)
            screen.wait(rf"^ Clients › c0 › {FIRST} +1/{SECRETS + 1}$")
            screen.type(outward)
            screen.wait("^ Clients › c0 +1/3$")
            screen.type(outward)
            screen.wait("^ Clients +1/30$")
            screen.type(outward)  # there is nothing further out
            screen.settle()
            screen.wait("^ Clients +1/30$")
        screen.type("2", "enter")
        screen.wait(rf"^ Mailboxes › {FIRST} +1/41$")
        screen.type("esc")
        screen.wait("^ Mailboxes +1/90$")

    def test_the_secrets_of_a_mailbox_each_with_its_own_keys(self):
        screen = self.open()
        screen.type("2", "enter", "down")
        self.on(screen, "secret0")
        screen.type("r")
        screen.wait("No API changes this one")
        self.assertIn(f"then: passation secret set {FIRST} secret0", " ".join(screen.text().split()))
        screen.type("v")
        screen.wait(rf"Log in to {FIRST} with the current")
        screen.type("n", "g")
        screen.wait(f"Grant {FIRST}")
        screen.type("p1", "up", "enter")
        screen.wait(rf"passation grant p1 {FIRST} --with secret0")
        screen.type("n", "enter")
        screen.wait(rf"{FIRST}, secret0: show it")
        screen.type("esc", "z")
        screen.wait(r"\[y/N\]", gone=True)
        self.on(screen, "secret0")

    # --- the filter ---

    def test_a_filter_is_typed_and_erased_a_letter_at_a_time(self):
        screen = self.open()
        screen.type("/", "c1é€😀")
        screen.wait(r"/c1é€😀_ +0/30")
        screen.wait("Nothing fits the filter")
        # On nothing no key does anything.
        for _ in range(3):
            screen.type("back")
        screen.wait(r"/c1_ +11/30$")
        screen.type("left", "f2", "\x01")
        screen.settle()
        screen.wait(r"/c1_ +11/30$")
        for _ in range(4):
            screen.type("\x08")
        screen.wait(r"/_ +30/30$")
        screen.type("C2", "\n")
        screen.wait(r"/C2 +11/30$")
        screen.type("/", "down")
        screen.wait(r"/C2 +11/30$")
        screen.type("down")
        self.on(screen, "c20")
        screen.type("/", "0", "up")
        screen.wait(r"/C20 +1/30$")
        screen.type("esc", "/", "q?1", "\x0c")
        screen.wait(r"/q\?1_ +0/30")
        screen.type("\x03")
        self.assertEqual(screen.finish(), 0)

    def test_a_filter_finds_letters_of_either_case_with_their_accents(self):
        self.world.run("secret", "add", "box2@d0.example", "clé-d'été", "--secret-fd", "0", stdin="x",
                       check=0)
        screen = self.open()
        screen.type("2", "down", "down", "enter")
        screen.wait("clé-d'été")
        screen.type("/", "ÉTÉ")
        screen.wait(r"/ÉTÉ_ +1/2$")
        self.on(screen, "clé-d'été")

    def test_a_filter_as_long_as_the_line_leaves_room_for_what_fits(self):
        screen = self.open((24, 60))
        screen.type("/")
        for length in range(1, 140):
            screen.type("x")
            screen.settle(0.01)
        screen.wait("^ Clients$")
        self.assertIn("Nothing fits the filter", screen.text())
        screen.type("esc")
        screen.wait(r"^ Clients +1/30$")

    def test_where_a_filter_leaves_nothing_no_key_does_anything(self):
        screen = self.open()
        for tab in "12345":
            screen.type(tab, "/", "zzz", "enter")
            screen.wait("/zzz +0/")
            screen.wait("Nothing fits the filter")
            before = screen.text()
            screen.type("enter", "right", "l", "down", "up", "pgdn", "end", "s", "c", "g", "x",
                        "r", "v", "d")
            screen.settle()
            self.assertEqual(screen.text(), before)
            screen.type("esc")
            screen.wait("Nothing fits the filter", gone=True)
        screen.type("2", "enter", "/", "zzz", "enter")
        screen.wait("Nothing fits the filter")
        screen.type("s", "enter", "R", "esc")
        screen.wait("secret0")

    # --- reading ---

    def test_a_text_that_is_longer_than_the_screen_is_scrolled_by_every_key(self):
        screen = self.open((14, 80))
        screen.type("f1")
        screen.wait("^ Help")
        top = r"\A.*\n\n {2}%s"
        for key, first in (("up", "1 to 5"), ("k", "1 to 5"), ("pgup", "1 to 5"), ("down", "↑ ↓"),
                           ("j", "Enter"), ("k", "↑ ↓"), ("up", "1 to 5"), ("pgdn", "v "),
                           ("pgup", "1 to 5"), (" ", "v "), ("up", "r ")):
            screen.type(key)
            screen.wait(top % first)
        screen.type(*(["pgdn"] * 6))
        screen.wait(r"says more\.\n\n ↑ ↓: scroll")
        screen.resize(40, 80)
        screen.wait(r"says more\.\n")
        screen.wait(top % "1 to 5")
        screen.type("x")
        screen.wait("1 Clients")

    def test_all_that_is_known_of_a_row_is_read_by_a_key(self):
        screen = self.open()
        screen.type("2", "d")
        screen.wait(rf"\A {FIRST}\n")
        screen.wait("issued")
        screen.type("esc", "5", "enter")
        screen.wait(r"\A [a-z]+\.[a-z]+\n")
        screen.wait("Hash +[0-9a-f]{20}")
        screen.type("q")  # back: any key
        screen.wait("1 Clients")
        screen.type("d")
        screen.wait("Hash +[0-9a-f]{20}")
        screen.type("\x03")
        screen.wait("1 Clients")
        self.leave(screen)

    # --- the map ---

    def test_the_map_is_walked_in_both_directions_and_scrolls(self):
        people = ["me", *sorted(f"p{i}" for i in range(PEOPLE))]
        screen = self.open()
        screen.type("3")
        screen.wait(r"ADDRESS +me +p0 +p1 .*›$")
        for key, person in [("left", 0), ("h", 0), ("right", 1), ("l", 2), ("left", 1), ("h", 0),
                            *(("right", i) for i in range(1, PEOPLE + 1)), ("right", PEOPLE),
                            *(("h", i) for i in range(PEOPLE - 1, -1, -1))]:
            screen.type(key)
            screen.wait(rf"^ Person +{people[person]}$")
        screen.type(*(["l"] * PEOPLE))
        screen.wait(r"ADDRESS.* p9$")
        self.assertNotIn(" me ", screen.lines()[3])
        screen.type("end", "z")
        self.on(screen, "box2@d9.example")
        screen.type("enter")
        screen.wait(r"\A box2@d9.example\n")
        screen.wait("May read it today")

    def test_who_knows_a_password_without_a_right_is_marked_and_what_is_to_be_done_is_said(self):
        screen = self.open((40, 160))
        screen.type("3")
        screen.wait(rf"{FIRST} +✓• +•!")
        screen.type("right")
        screen.wait("Knows what is in force without a right: rotate it")
        screen.type("r")
        screen.wait(rf"Change the password of {FIRST} at OVH")
        screen.type("n", "x")
        screen.wait(rf"End the grants of p0 for {FIRST}")
        screen.type("\x03")
        screen.wait(r"\[y/N\]", gone=True)
        screen.type("g")
        screen.wait(rf"Person +p0")
        screen.type("esc")
        screen.wait(f"Grant {FIRST}", gone=True)

    def test_a_command_that_fails_says_so_and_the_interface_goes_on(self):
        screen = self.open((40, 160))
        screen.type("3", "down", "right", "right", "x", "Y")
        screen.wait(r"\$ passation revoke p1 box1@d0.example")
        screen.wait("Enter: back")
        screen.wait("→ link it: passation ovh link c0")
        # A line longer than what is read at once, and one as long.
        screen.type("x" * 200, "enter")
        screen.wait("1 Clients")
        screen.wait("the client 'c0' is not linked to its OVH account")
        screen.type("x", "Y")
        screen.wait("Enter: back")
        screen.type("x" * 63, "enter")
        screen.wait("1 Clients")
        screen.wait("p1 has no grant in force for 'box1@d0.example'")
        screen.wait(r"box1@d0.example +✓• +•!")
        screen.type("n")
        self.leave(screen)

    def test_a_person_who_went_meanwhile_leaves_the_nearest_one_chosen(self):
        world = self.world
        world.run("person", "add", "zz", "--kind", "team", check=0)
        screen = self.open((40, 160))
        screen.type("3", *(["l"] * (PEOPLE + 1)))
        screen.wait("Person +zz")
        world.run("person", "rm", "zz", check=0)
        screen.type("f5")
        screen.wait("Person +p9")
        world.run("person", "add", "aa", "--kind", "team", check=0)
        screen.type("f5", *(["h"] * (PEOPLE + 2)))
        screen.wait("Person +aa")
        world.run("person", "rm", "aa", check=0)
        screen.type("f5")
        screen.wait("Person +me")

    # --- what went meanwhile ---

    def test_what_went_meanwhile_is_said_to_be_gone(self):
        world = self.world
        world.run("client", "add", "passant", "--nic", "pa000000-ovh", "--domain", "pa.example",
                  check=0)
        gone = "box2@d9.example"
        world.run("secret", "add", gone, "aube", "--secret-fd", "0", stdin="Aube-1", check=0)
        clip, env = self.clipboard()
        screen = self.open((30, 100), **env)
        screen.type("2", "end", "enter")
        screen.wait("aube")
        world.run("role", "rm", gone, "--confirm", gone, "--unchanged", "essai", check=0)
        screen.type("down")
        screen.wait(f"no role '{gone}' in the vault")
        screen.type("c", "y")
        screen.wait("There is nothing here")
        screen.wait(f"no role '{gone}' in the vault")
        self.assertFalse(os.path.exists(clip))
        screen.type("3")
        screen.wait("ADDRESS +me")
        self.assertNotIn(gone, screen.text())
        screen.type("1", "end")
        screen.wait("pa000000-ovh")
        screen.type("up")
        world.run("client", "rm", "passant", check=0)
        screen.type("down")
        screen.wait("passant'? is not|no client '?passant|not found")
        screen.type("R")
        screen.wait("/30$")

    # --- the terminal ---

    def test_without_colours_nothing_is_coloured(self):
        for env, coloured in (({}, True), ({"NO_COLOR": ""}, True), ({"NO_COLOR": "1"}, False),
                              ({"TERM": "vt100"}, False)):
            with self.subTest(env):
                screen = self.open((40, 160), **env)
                screen.type("3")
                screen.wait("ADDRESS +me")
                self.assertEqual(colours(screen.raw) >= {b"31", b"32"}, coloured)
                if not coloured:
                    self.assertEqual(colours(screen.raw), set())
                self.leave(screen)

    def test_a_terminal_that_cannot_go_back_to_its_own_colours_is_used_without(self):
        known = os.path.join(self.world.home, "few")
        text = subprocess.run(["infocmp", "-1", "screen-256color"], capture_output=True, text=True,
                              check=True).stdout
        text = re.sub("^screen-256color.*", "essai-terminal|one of ours,", text, flags=re.M)
        text = re.sub(r"\top=[^\n]*\n", "", text)
        subprocess.run(["tic", "-x", "-o", known, "-"], input=text, text=True, check=True)
        screen = self.open((40, 160), TERM="essai-terminal", TERMINFO=known)
        screen.type("3")
        screen.wait(rf"{FIRST} +✓• +•!")
        self.assertEqual(colours(screen.raw) & {b"31", b"32", b"33"}, set())
        self.leave(screen)

    def test_where_nothing_can_be_drawn_it_says_so(self):
        for term in ("dumb", "no-such-terminal", ""):
            with self.subTest(term):
                # What libtinfo keeps of one that it does not know is no leak of ours.
                screen = self.start(TERM=term, LSAN_OPTIONS="detect_leaks=0")
                self.assertEqual(screen.finish(), 2)
                self.assertIn("this terminal cannot be drawn on", screen.text())
                self.assertIn("set TERM to what the terminal is", screen.text())
                self.assertTrue(screen.is_cooked())

    def test_without_ncurses_it_says_what_to_install(self):
        broken = os.path.join(self.world.home, "broken")
        os.makedirs(broken, exist_ok=True)
        with open(os.path.join(broken, "libncursesw.so.6"), "w", encoding="ascii") as file:
            file.write("no library")
        screen = self.start(LD_LIBRARY_PATH=broken)
        self.assertEqual(screen.finish(), 4)
        self.assertIn("the text interface needs ncurses", screen.text())
        self.assertIn("apt install libncursesw6", screen.text())

    def test_output_that_goes_elsewhere_is_no_terminal(self):
        screen = self.start(prefix=["sh", "-c", '"$@" | cat; exit 7', "sh"])
        self.assertEqual(screen.finish(), 7)
        self.assertIn("the text interface needs a terminal", screen.text())

    def test_a_terminal_of_ascii_alone_has_signs_that_it_can_show(self):
        screen = self.open((40, 100), "C")
        screen.type("3")
        screen.wait(rf"{FIRST} +\+\* +\*!")
        screen.wait(r"ADDRESS +me +p0.*>$")
        screen.resize(40, 60)
        screen.wait(r"1 Clients")
        self.assertTrue(screen.raw.isascii())
        screen.type("1", "enter", "enter", "s")
        screen.wait(r"\+-{50,}\+")
        screen.type("n")
        self.leave(screen)

    def test_json_is_refused(self):
        screen = self.start("--json")
        self.assertEqual(screen.finish(), 2)
        self.assertIn("for people", screen.text())

    # --- windows ---

    def test_a_window_of_hardly_anything_is_drawn_into_and_left_whole(self):
        screen = self.open()
        for size in ((1, 20), (2, 5), (1, 1), (24, 40), (6, 6), (9, 90)):
            screen.resize(*size)
            screen.settle(0.3)
            screen.type("2", "s")
            screen.settle(0.3)
            self.assertNotIn("[y/N]", screen.text())
        screen.resize(24, 80)
        screen.wait("PROVED")
        screen.type("d")
        screen.wait(rf"\A {FIRST}")
        for size in ((10, 12), (5, 3), (2, 2), (1, 1)):
            screen.resize(*size)
            screen.settle(0.3)
        screen.resize(24, 80)
        screen.wait(rf"\A {FIRST}")
        screen.type("x")
        screen.wait("PROVED")
        self.leave(screen)

    def test_a_locked_window_of_hardly_anything_comes_back(self):
        screen = self.open()
        screen.type("L")
        screen.wait("Locked: nothing is shown")
        for size in ((3, 5), (1, 1), (4, 12), (24, 80)):
            screen.resize(*size)
            screen.settle(0.3)
        screen.wait("Locked: nothing is shown")
        screen.type("enter")
        screen.wait("1 Clients")

    def test_a_window_that_is_very_wide_is_filled(self):
        screen = self.open((24, 1200))
        screen.type("3")
        screen.wait("ADDRESS +me")
        self.leave(screen)

    def test_the_narrowest_window_shows_the_beginning_of_every_column(self):
        screen = self.open((12, 50))
        screen.type("5")
        screen.wait(r"^ WHEN +WHO")
        screen.wait(r"\d{4}-\d\d-\d\d \d\d:\d\d")
        screen.type("?", "x", "2", "d")
        screen.wait(rf"\A {FIRST}")
        screen.type("x")
        screen.wait("1 Clients")
        self.leave(screen)

    # --- stopping and ending ---

    def test_ctrl_z_gives_the_terminal_back_until_it_goes_on(self):
        shell = '"$@"; while [ $? -gt 128 ]; do echo the shell; read x; fg; done'
        screen = self.open(prefix=["sh", "-mc", shell, "sh"])
        for locked in (False, True):
            if locked:
                screen.type("L")
                screen.wait("Locked: nothing is shown")
            screen.type("\x1a")
            screen.wait("^the shell")
            self.assertTrue(screen.is_cooked())
            self.assertNotIn("c0", screen.text())
            screen.type("enter")
            screen.wait("Locked: nothing is shown" if locked else "1 Clients")
        screen.type("\x0c", "z")
        screen.wait("Locked: nothing is shown")
        screen.type("\x03")
        self.assertEqual(screen.finish(), 0)

    def test_ctrl_l_draws_again_what_another_program_wrote_over(self):
        screen = self.open()
        os.write(screen.slave, b"\x1b[2J\x1b[Hrubbish")
        screen.wait("rubbish")
        screen.type("\x0c")
        screen.wait("rubbish", gone=True)
        screen.wait("1 Clients")

    def test_ctrl_c_ends_a_question_alone(self):
        screen = self.open()
        screen.type("2", "s")
        screen.wait(r"\[y/N\]")
        screen.type("\x03")
        screen.wait(r"\[y/N\]", gone=True)
        screen.type("g")
        screen.wait("Grant " + FIRST)
        screen.type("\x03")
        screen.wait("Grant " + FIRST, gone=True)
        screen.type("?")
        screen.wait("^ Help")
        screen.type("\x03")
        screen.wait("1 Clients")
        self.leave(screen)

    def test_a_signal_ends_it_in_every_question(self):
        for keys, wanted in (("2s", r"\[y/N\]"), ("2g", "Grant "), ("?", "^ Help"),
                             ("2d", r"\A " + FIRST), ("/", "Type what to look for"),
                             ("L", "Locked: nothing is shown")):
            for number in (signal.SIGTERM, signal.SIGHUP):
                with self.subTest(keys=keys, signal=number):
                    screen = self.open()
                    screen.type(*keys)
                    screen.wait(wanted)
                    os.kill(screen.process.pid, number)
                    self.assertEqual(screen.finish(), -number)
                    self.assertTrue(screen.is_cooked())


class Empty(Interface):
    @classmethod
    def setUpClass(cls):
        cls.world = World(BUILD)
        cls.world.__enter__()
        cls.world.run("init", check=0)

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__()

    def test_where_nothing_is_yet_each_page_says_what_to_do(self):
        screen = self.open((24, 120))
        for tab, said in (("1", "There is no client yet: passation client add"),
                          ("2", "There is no mailbox yet: passation role add"),
                          ("3", "There is no mailbox yet: passation role add"),
                          ("4", "Nothing is due.")):
            screen.type(tab)
            screen.wait(said)
            screen.type("enter", "right", "down", "s", "g", "x", "r", "d", "left", "esc")
            screen.settle()
            screen.wait(said)
        self.leave(screen)

    def test_a_client_without_a_mailbox_has_an_empty_page(self):
        self.world.run("client", "add", "vide", "--nic", "vi000000-ovh", "--domain", "vi.example",
                       "--domain", "de.example", check=0)
        self.addCleanup(self.world.run, "client", "rm", "vide", check=0)
        screen = self.open((24, 120))
        screen.wait("vide +vi000000-ovh +0 +- +no")
        screen.wait(r"Domains +vi\.example\n +de\.example")
        screen.type("enter")
        screen.wait("There is no mailbox yet")
        screen.wait("Clients › vide +0/0$")
        self.leave(screen)

    def test_no_vault_at_all_is_said_and_how_to_make_one(self):
        screen = self.start("--vault", os.path.join(self.world.home, "none.db"))
        self.assertEqual(screen.finish(), 4)
        self.assertIn("passation init", screen.text())


if __name__ == "__main__":
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
