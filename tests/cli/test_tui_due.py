#!/usr/bin/env python3
"""The text interface over a vault in which much has happened: what is due, and why; who may, who
has seen what; what is known of clients and mailboxes.

usage: test_tui_due.py BUILD
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
from support.world import World, keygen  # noqa: E402

BUILD = None
LATE = "+500d"

# The kind as the list has it; words of what it means; the command; who must see to it first.
DUE = (("rotate: still known", "no right to it any more knows the password", "rotate box0@essai", False),
       ("by hand: still known", "no API changes it", "secret set box0@essai.example", True),
       ("issue to be written", "something newer than what this person was given", "outbox ana", False),
       ("unfinished: resume", "A change was interrupted", "resume", False),
       ("envelope to be renewed", "lacks something that is newer", "envelope update essai", False),
       ("departure: resume", "A departure is not complete", "resume", False),
       ("could open the vault", "could open the vault and cannot any more", "depart paul", True),
       ("envelope of a leaver", "for somebody who leaves", "envelope end autre", True),
       ("envelope to be made again", "which sheet opens it is not known",
        "envelope create tiers --to martine", True),
       ("handover is open", "see what blocks, and who must act", "handover status essai", False),
       ("changed by somebody else", "Somebody else has changed this password", "rotate box4@", True),
       ("gone at OVH", "is not at OVH any more", "role rm box5@", True),
       ("new mailbox at OVH", "ask who made it", "role adopt nouveau@", True),
       ("new way in", "Is it legitimate", "sweep essai --keep redirection:", True),
       ("not judged yet", "that nobody has judged since", "sweep autre", False))


def words(screen):
    """What is on the screen, without its line ends."""
    return " ".join(screen.text().split())


def inside(screen):
    """The same of the box that is open."""
    return " ".join(" ".join(line.split("│")[1] for line in screen.lines()
                             if line.count("│") == 2).split())


def beside(screen):
    """The same of what stands beside the list of a wide window."""
    return " ".join(" ".join(line.split("│", 1)[-1] for line in screen.lines()
                             if "│" in line).split())


class Due(Interface):
    @classmethod
    def setUpClass(cls):
        cls.world = world = World(BUILD)
        world.__enter__()
        world.control("POST", "/set", {"task_delay_ms": 0, "slot_delay_ms": 0})
        world.allow_all()
        cls.out = os.path.join(world.home, "out")
        os.mkdir(cls.out)
        cls.boxes = world.setup_client(mailboxes=10)
        for name in ("jp", "ana", "martine", "paul", "lea", "zoe"):
            keygen(os.path.join(world.home, name))
            world.run("person", "add", name, "--kind", "provider", "--key",
                      os.path.join(world.home, name + ".pub"), check=0)
        for client in ("autre", "tiers"):
            world.control("POST", "/seed", {"domains": [
                {"domain": client + ".example", "nic": world.ready["nic"],
                 "accounts": [{"name": "box", "password": "First-Pass-0-word"}]}]})
            world.add_client([client + ".example"], client)
            world.run("role", "adopt", f"box@{client}.example", check=0)
        cls.leavers()
        cls.grants()
        cls.outside()
        world.run("handover", "start", "essai", "--to", "martine", check=0)

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__()

    @classmethod
    def stop(cls, box, *words_):
        """Ctrl-C while OVH changes the mailbox."""
        cls.world.control("POST", "/set", {"task_delay_ms": 3600000})
        with subprocess.Popen(cls.world.command(*words_), env=cls.world.env(),
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            while process.poll() is None and [row["state"] for row in cls.world.json(
                    "role", "ls", check=None)["roles"] if row["address"] == box] in ([], ["stable"]):
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
        cls.world.control("POST", "/set", {"task_delay_ms": 0})
        assert process.returncode == 10, process.returncode

    @classmethod
    def leavers(cls):
        """Envelopes that wait, and one of who may no more."""
        world, out = cls.world, cls.out
        world.run("slot", "add", "paul", "--new-identity-file", os.path.join(world.home, "paul"),
                  check=0)
        for client, person in (("autre", "paul"), ("tiers", "martine"), ("essai", "martine")):
            world.run("envelope", "create", client, "--to", person, "-o", out, check=0)
        sheet = os.path.join(out, "enveloppe-tiers-cle.html")
        os.unlink(sheet)
        os.mkdir(sheet)
        world.run("envelope", "create", "tiers", "--to", "martine", "-o", out, check=1)
        world.run("slot", "rm", "paul", "--recovery-out", os.path.join(out, "code"), check=0)
        world.run("slot", "add", "zoe", "--new-identity-file", os.path.join(world.home, "zoe"),
                  check=0)
        world.run("rotate", "box@autre.example", check=0)

    @classmethod
    def grants(cls):
        world, out, boxes = cls.world, cls.out, cls.boxes
        for box, label in ((boxes[0], "ftp"), (boxes[0], "cle"), (boxes[7], "jeton"),
                           (boxes[2], "cle"), (boxes[8], "ftp")):
            world.run("secret", "add", box, label, "--secret-fd", "0", stdin="Essai-1", check=0)
        world.run("grant", "jp", boxes[9], "-o", out, check=0)
        world.run("revoke", "jp", boxes[9], check=0)
        world.run("grant", "jp", boxes[0], "--with", "all", "-o", out, check=0)
        world.run("revoke", "jp", boxes[0], "--no-rotate", check=12)
        world.run("grant", "ana", boxes[1], "--until", "2027-12-31", "--reason", "essais", "-o", out,
                  check=0)
        world.run("grant", "jp", boxes[8], "--with", "all", "-o", out, check=0)
        world.run("revoke", "jp", boxes[8], "--no-rotate", check=12)
        world.run("grant", "jp", boxes[8], "-o", out, check=0)
        world.run("grant", "lea", boxes[7], "--with", "all", "-o", out, check=0)
        cls.stop(boxes[7], "depart", "lea", "-o", out)
        world.run("grant", "ana", boxes[2], "--with", "all", "-o", out, check=0)
        world.run("grant", "ana", boxes[6], "-o", out, check=0)
        world.run("grant", "ana", boxes[0], "--with", "cle", "-o", out, check=0)
        world.run("rotate", boxes[6], check=0)
        cls.stop("neuve@essai.example", "role", "add", "neuve@essai.example")

    @classmethod
    def outside(cls):
        world, boxes = cls.world, cls.boxes
        world.run("sweep", "essai", check=12)
        world.control("POST", "/password", {"address": boxes[4], "password": "Change-dehors-2027"})
        world.run("verify", boxes[4], check=11)
        accounts = [{"name": f"box{i}", "password": world.in_force(box)}
                    for i, box in enumerate(boxes) if i != 5]
        world.control("POST", "/seed", {"domains": [{
            "domain": world.DOMAIN, "nic": world.ready["nic"],
            "accounts": [*accounts, {"name": "nouveau", "password": "Un-mot-de-passe-9"}],
            "redirections": [{"from": boxes[1], "to": "jp@ailleurs.example"}]}]})
        world.run("due", "--look", check=12)

    def choose(self, screen, kind):
        """The first row of what is due that is of this kind."""
        screen.type("4")
        screen.wait("^ Due ")
        screen.type("esc", "/", kind, "enter")
        screen.wait(rf"/{kind} +[1-9]")
        screen.wait(rf"^ .*{kind}.* 20\d\d-")

    # --- what is due ---

    def test_each_thing_that_is_due_says_what_it_means_and_what_settles_it(self):
        screen = self.open((40, 120))
        for kind, meaning, command, needs in DUE:
            with self.subTest(kind):
                self.choose(screen, kind)
                for said in (meaning, "passation " + command, "The command, once that is settled"
                             if needs else "The command (Enter runs it)"):
                    self.assertIn(said, words(screen))
                screen.type("enter")
                if kind.startswith("by hand"):
                    screen.wait("This needs the new secret: run it in a shell: passation secret set")
                    continue
                screen.wait("Run this all the same" if needs else r"Run this\?")
                self.assertIn(meaning, inside(screen))
                self.assertIn("passation " + command, inside(screen))
                screen.type("n")
                screen.wait(r"\[y/N\]", gone=True)
        self.leave(screen)

    def test_a_grant_that_has_run_out_is_due_and_its_last_day_is_told(self):
        screen = self.open((40, 200), prefix=fake_time.at(LATE))
        self.choose(screen, "grant has run out")
        self.assertIn("passation revoke ana box1@essai.example", words(screen))
        screen.type("3", "/", "box1@essai", "enter")
        self.person(screen, "ana")
        screen.wait("ran out on 2027-12-31|ran out on 2028-01-01")
        self.leave(screen)

    def test_a_command_that_is_due_runs_from_the_list(self):
        screen = self.open((40, 200))
        self.choose(screen, "handover is open")
        screen.type("enter", "y")
        screen.wait("Enter: back")
        self.assertIn("Every line: passation handover status essai", screen.text())
        screen.type("enter")
        screen.wait("WHAT +ADDRESS")
        self.leave(screen)

    # --- the map ---

    def person(self, screen, name):
        """Goes to the column of a person."""
        screen.type(*(["left"] * 8))
        screen.wait("^.*│ Person +ana")
        for _ in range(8):
            if re.search(rf"│ Person +{name}\b", screen.text()):
                return
            screen.type("right")
            screen.settle(0.05)
        raise AssertionError(name + " is not on\n" + screen.text())

    def test_each_cell_has_the_sign_of_what_the_person_may_and_knows(self):
        screen = self.open((40, 200))
        screen.type("3")
        screen.wait("ADDRESS +ana +jp +lea +martine +me +paul")
        heads = screen.lines()[3]
        for box, person, sign in ((0, "jp", "•!"), (6, "ana", "✓·"), (8, "jp", "✓•!"),
                                  (9, "jp", "·"), (1, "ana", "✓•"), (3, "zoe", "✓"),
                                  (7, "lea", "•!"), (3, "jp", "")):
            with self.subTest(box=box, person=person):
                row = next(line for line in screen.lines() if line.startswith(f" box{box}@essai"))
                at = heads.index(" " + person + " ") + 1
                self.assertEqual(row[at:at + 5].strip(" │"), sign)

    def test_a_cell_tells_by_what_the_person_may_and_what_he_has_seen(self):
        screen = self.open((40, 200))
        screen.type("3")
        screen.wait("ADDRESS +ana")
        for box, person, told in (
                (1, "ana", "by a grant of me, from .* until 2027-12-31|until 2028-01-01"),
                (2, "ana", "with: all other secrets"),
                (3, "martine", "it is his own: he owns the client's accesses"),
                (3, "zoe", "unlocks the vault Has seen it never"),
                (3, "jp", "May read it today no right"),
                (7, "lea", "is leaving: no right to anything"),
                (8, "jp", "Knows what is in force without a right"),
                (0, "ana", "without an end with: cle")):
            with self.subTest(box=box, person=person):
                screen.type("/", f"box{box}@essai", "enter")
                screen.wait(rf"/box{box}@essai +1/")
                self.person(screen, person)
                self.assertRegex(beside(screen), told)
                screen.type("esc")
                screen.wait(rf"/box{box}@essai", gone=True)

    def test_nothing_is_granted_to_who_leaves(self):
        screen = self.open((40, 200))
        screen.type("2", "g")
        screen.wait("Grant box")
        for person in ("ana", "jp", "martine", "me", "paul", "zoe", "ana"):
            screen.type("right")
            screen.wait(rf"│ Person +{person} +│")
        screen.type("lea")
        screen.settle()
        self.assertNotRegex(screen.text(), r"│ Person +lea +│")
        screen.type("esc", "q")
        self.assertEqual(screen.finish(), 0)

    # --- clients and mailboxes ---

    def test_a_client_tells_of_its_owner_its_handover_and_its_envelope(self):
        screen = self.open((40, 200))
        screen.type("/", "essai", "enter")
        screen.wait(r"│ Client +essai")
        day = r"20\d\d-\d\d-\d\d"
        for label, value in (("Owner", "martine"), ("Handover since", day), ("Envelope of", day)):
            screen.wait(rf"│ {label} +{value}")
        screen.wait("^ essai +xy.* +yes")

    def test_a_mailbox_tells_what_is_not_certain_of_it(self):
        screen = self.open((40, 200))
        for box, told in (("neuve@essai", "none proved yet"), ("neuve@essai", "rotating"),
                          ("box4@essai", "changed by somebody else"),
                          ("box7@essai", "A change is under way: a newer password may be in force")):
            with self.subTest(box):
                screen.type("2", "/", box, "enter")
                screen.wait(rf"/{box} +1/1")
                self.assertIn(told, beside(screen))
                screen.type("esc")
                screen.wait(rf"/{box}", gone=True)

    def test_a_secret_that_a_leaver_knows_tells_that_another_is_ready(self):
        screen = self.open((40, 200))
        screen.type("2", "/", "box7@", "enter", "enter")
        screen.wait("jeton")
        screen.type("down")
        screen.wait(r"│ Label +jeton")
        screen.wait("A replacement was made ready, since a leaver knows this one")


class Back(Interface):
    """An older copy of the vault stands in its place."""

    @classmethod
    def setUpClass(cls):
        cls.world = world = World(BUILD)
        world.__enter__()
        copy = os.path.join(world.home, "copy")
        world.run("init", check=0)
        world.run("client", "add", "brief", "--nic", "bb1-ovh", "--domain", "brief.example", check=0)
        world.run("backup", copy, check=0)
        world.run("-y", "client", "rm", "brief", check=0)
        world.run("-y", "restore", copy, "--accept-older", check=0)

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__()

    def test_an_older_copy_is_to_be_judged_before_anything_is_issued(self):
        screen = self.open((30, 110))
        screen.type("4")
        screen.wait("backup: to be judged")
        self.assertIn("Nothing is issued before", words(screen))
        screen.type("enter")
        screen.wait("Run this all the same")
        self.assertIn("passation outbox --judged", words(screen))
        screen.type("n")


if __name__ == "__main__":
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
