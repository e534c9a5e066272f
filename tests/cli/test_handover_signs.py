#!/usr/bin/env python3
"""What the signs and lines of a handover say to whoever does his first one.

    test_handover_signs.py BUILD
"""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.handover import Handing  # noqa: E402
from support.world import World  # noqa: E402

BUILD = sys.argv.pop(1)
BOXES = [f"box{i}@{World.DOMAIN}" for i in range(2)]


class Signs(unittest.TestCase):
    LANGUAGE = "C.UTF-8"
    UNSEEN = "not looked at yet"
    STAGES = ("OVH's contacts", "Lasting accesses")
    LETS_US_IN = ": our password still lets us in"
    REFUSED = ": our password is refused"
    WAITING = ("{} people wait for what is new: passation outbox -o",
               "1 recovery envelope waits for what is new: passation outbox")
    GRANT = "karim still has a grant ({}): "
    LIES_THERE = "still lies there: it opens with the code or the key of the person"
    OF_THE_TEAM = "lea is one of the team: everything is handed over to the client"
    NO_MATCH = "'essay' is not the client's id, which is 'essai'"

    def setUp(self):
        self.world = Handing(BUILD, language=self.LANGUAGE).__enter__()
        self.addCleanup(self.world.__exit__)
        self.world.setup_client(mailboxes=len(BOXES))
        self.world.run("person", "add", "martine", "--kind", "client", "--email",
                       "martine@perso.example", check=0)

    def lines(self, *args, check=0, **kwargs):
        """What a command says, without the line breaks of the screen."""
        done = self.world.run(*args, check=check, **kwargs)
        return " ".join((done.stdout + done.stderr).split())

    def waiting(self, *globs):
        """What a rotation tells a program of who waits for what is new."""
        last = self.world.run("--json", "rotate", *globs, check=0).stdout.splitlines()[-1]
        summary = json.loads(last)["summary"]
        return summary.get("waiting_people"), summary.get("waiting_envelopes")

    def test_what_was_never_looked_at_has_no_sign_that_it_is_done(self):
        start = ("handover", "start", "essai", "--to", "martine")
        before = self.lines(*start)
        self.assertEqual(before.count(self.UNSEEN), 2, before)
        for stage in self.STAGES:
            self.assertIn("· " + stage, before)
        self.world.run("handover", "next", "essai", check=0)
        self.assertNotIn(self.UNSEEN, self.lines(*start))

    def test_every_line_of_every_stage_is_shown_when_asked_for(self):
        world = self.world
        world.run("handover", "start", "essai", "--to", "martine", check=0)
        world.run("handover", "next", "essai", check=0)
        texts = [" ".join(row["text"].split()) for row in world.status()["blockers"]
                 if row["block"] != "item"]
        short = self.lines("handover", "status", "essai")
        self.assertIn("passation handover status essai --all", short)
        self.assertTrue([text for text in texts if text not in short])
        whole = self.lines("handover", "status", "essai", "--all")
        self.assertEqual([text for text in texts if text not in whole], [])
        self.assertNotIn("--all", whole)
        self.world.run("handover", "status", "--all", check=2)

    def test_nothing_is_handed_over_to_one_of_the_team(self):
        self.world.run("person", "add", "lea", "--kind", "team", check=0)
        told = self.lines("handover", "start", "essai", "--to", "lea", check=13)
        self.assertIn(self.OF_THE_TEAM, told)
        self.assertIn("passation person set lea --kind client", told)
        self.assertEqual(self.world.json("handover", "status")["handovers"], [])

    def test_who_is_to_own_the_accesses_is_added_as_a_client(self):
        for command in (("handover", "start"), ("envelope", "create")):
            told = self.lines(*command, "essai", "--to", "unknown", check=4)
            self.assertIn("passation person add unknown --kind client", told)
        told = self.lines("grant", "unknown", BOXES[0], "--until", "2031-03-31", check=4)
        self.assertIn("passation person add unknown --kind provider", told)

    def received(self):
        """The client has it all, and his contacts are in order."""
        world = self.world
        world.prepare()
        path, code = world.issue()
        receipt = world.opened(path + "/trousseau.html", code)["receipt"]
        world.run("handover", "confirm", "essai", receipt, check=0)

    def test_a_grant_is_named_before_the_trousseau_and_gets_nothing_after_the_receipt(self):
        world = self.world
        world.person("karim", "team")
        world.run("grant", "karim", *BOXES, "--until", "2031-03-31", "-o", world.out, check=0)
        world.run("handover", "start", "essai", "--to", "martine", check=0)
        named = self.GRANT.format(", ".join(BOXES)) + "passation revoke karim"
        self.assertIn(named, self.lines("handover", "status", "essai"))
        self.assertEqual([(row["person"], row["address"]) for row in world.status()["grants"]],
                         [("karim", address) for address in BOXES])
        world.prepare()
        world.run("rotate", *BOXES, check=0)
        self.assertTrue([row for row in json.loads(world.run("--json", "due").stdout)["due"]
                         if row["kind"] == "issue"])
        with open(world.file("other"), "w") as other:
            told = self.lines("handover", "issue", "essai", "-o", world.out, "--code-fd",
                              str(other.fileno()), pass_fds=(other.fileno(),))
        self.assertIn(named, told)
        path, code = world.issue()
        receipt = world.opened(path + "/trousseau.html", code)["receipt"]
        world.run("handover", "confirm", "essai", receipt, check=0)
        before = len(world.json("outbox", "--all")["issues"])
        self.assertNotIn('"issue"', world.run("--json", "due").stdout)
        world.run("outbox", "-o", world.out, "-f", check=0)
        world.run("outbox", "karim", "-o", world.out, "-f", check=0)
        world.run("due", "--apply", "-o", world.out)
        self.assertEqual(len(world.json("outbox", "--all")["issues"]), before)
        world.run("-y", "handover", "abandon", "essai", check=0)
        world.run("outbox", "karim", "-o", world.out, "-f", check=0)
        self.assertEqual(len(world.json("outbox", "--all")["issues"]), before + 1)

    def test_a_password_that_is_refused_to_us_is_what_one_hopes_for(self):
        self.received()
        told = self.lines("handover", "next", "essai")
        for address in BOXES:
            self.assertIn(f"! {address}{self.LETS_US_IN}", told)
            self.world.control("POST", "/password", {"address": address,
                                                     "password": "Chosen-" + address[:4]})
        self.assertNotIn("✓ box", told)
        told = self.lines("handover", "next", "essai")
        for address in BOXES:
            self.assertIn(f"✓ {address}{self.REFUSED}", told)
        self.assertNotIn("✗", told)
        self.assertIn("✗ " + BOXES[0], self.lines("verify", "*", check=11))

    def test_a_rotation_says_who_waits_for_the_new_password(self):
        world = self.world
        people, envelope = self.WAITING
        for name, boxes in (("jp", BOXES), ("lea", BOXES[:1]), ("theo", BOXES[1:])):
            world.person(name, "provider")
            world.run("grant", name, *boxes, "--until", "2031-03-31", "-o", world.out, check=0)
        world.run("envelope", "create", "essai", "--to", "martine", "-o", world.folder("env"),
                  check=0)
        for globs, count in ((BOXES[:1], 2), (BOXES, 3), (["BOX*@*"], 3), ([BOXES[1], "b*"], 3)):
            told = self.lines("rotate", *globs)
            self.assertIn(people.format(count), told)
            self.assertIn(envelope, told)
        self.assertNotIn(people.format(3), self.lines("rotate", "*", "-n"))
        self.assertEqual(self.waiting("*", "-n"), (None, None))
        self.assertEqual(self.waiting(*BOXES), (3, 1))
        world.run("outbox", "-o", world.out, "-f", check=0)
        world.run("revoke", "jp", "--no-rotate")
        world.run("revoke", "theo", "--no-rotate")
        told = self.lines("rotate", BOXES[1])
        self.assertNotIn("outbox -o", told)
        self.assertIn(envelope, told)
        world.run("envelope", "end", "essai", check=0)
        self.assertNotIn(envelope, self.lines("rotate", BOXES[1]))
        self.assertEqual(self.waiting(BOXES[1]), (0, 0))

    def test_due_counts_the_ways_in_that_sweep_lists(self):
        world = self.world
        world.allow([("GET", "/auth/*"), ("GET", "/me"), ("GET", "/email/domain*")])
        found = json.loads(world.run("--json", "sweep", "essai").stdout)["findings"]
        listed = [row for row in found if not row["own"] and row["danger"] != "info"
                  and row["kind"] != "mailbox" and row["state"] == "open"]
        self.assertTrue([row for row in listed if row["kind"] == "unreadable"])
        [due] = [row for row in json.loads(world.run("--json", "due").stdout)["due"]
                 if row["kind"] == "unjudged"]
        self.assertEqual(due["count"], len(listed))

    def test_a_key_of_ours_that_waited_for_its_owner_is_no_intruder(self):
        world = self.world
        world.run("sweep", "essai")
        before = world.control("GET", "/state")["credentials"]
        world.run("ovh", "link", "essai", "--for", "cut", "--no-wait", check=10)
        world.run("sweep", "essai")
        [key] = [row for name, row in world.control("GET", "/state")["credentials"].items()
                 if name not in before]
        [row] = [row for row in json.loads(world.run("--json", "due").stdout)["due"]
                 if row["kind"] == "access"]
        world.control("POST", "/credential/approve", {"consumer_key": key["_key"]})
        world.run("ovh", "link", "essai", "--for", "cut", check=0)
        self.assertNotIn(row["access"], world.run("due").stdout)
        self.assertNotIn('"access":"' + row["access"], world.run("--json", "due").stdout)

    def test_a_glob_that_fits_no_role_is_not_found_and_nothing_is_done(self):
        for command in ("rotate", "verify", "resume"):
            for globs in (("tecnique@*",), (BOXES[0], "tecnique@*")):
                told = self.lines(command, *globs, check=4)
                self.assertIn("tecnique@*", told)
        self.assertEqual(self.world.role(BOXES[0])["version"], 1)
        self.world.run("verify", "BOX?@*", check=0)
        for address in BOXES:
            self.world.run("role", "rm", address, "--confirm", address, check=0)
        self.world.run("verify", "*", check=0)
        self.world.run("verify", "*@*", check=4)

    def test_what_was_issued_to_people_and_still_lies_there_is_a_reserve(self):
        world = self.world
        world.person("karim", "team")
        folder = world.folder("karim")
        world.run("grant", "karim", *BOXES, "--until", "2031-03-31", "-o", folder, check=0)
        world.run("envelope", "create", "essai", "--to", "martine", "-o", world.folder("env"),
                  check=0)
        self.received()
        path = os.path.join(folder, next(name for name in sorted(os.listdir(folder))
                                         if not name.endswith(".sig")))
        close = ("handover", "close", "essai", "--unchanged", "--confirm", "essai", "-o")
        told = self.lines(*close, world.out)
        self.assertIn(f"{path} {self.LIES_THERE}", told)
        statement = os.path.join(world.out, "essai-cloture")
        with open(statement + ".json", encoding="utf-8") as file:
            copies = {row["path"]: row["fate"] for row in json.load(file)["copies"]}
        self.assertEqual(copies[path], "issued")
        self.assertFalse([copy for copy, fate in copies.items()
                          if "/env/" in copy and fate != "deleted"])
        with open(statement + ".txt", encoding="utf-8") as file:
            text = " ".join(" ".join(line.removeprefix("|") for line in file).split())
        self.assertIn(f"issue to a person {path}: still lies there", text)
        self.assertIn(f"remise à une personne {path} : toujours là", text)
        os.unlink(path)
        world.run(*close, world.folder("again"))
        with open(world.folder("again") + "/essai-cloture.json", encoding="utf-8") as file:
            copies = {row["path"]: row["fate"] for row in json.load(file)["copies"]}
        self.assertEqual(copies[path], "gone")

    def test_an_id_that_does_not_match_is_said_not_to_match(self):
        world = self.world
        self.received()
        close = ("handover", "close", "essai", "--unchanged", "-o", world.out)
        self.assertIn(self.NO_MATCH, self.lines(*close, "--confirm", "essay", check=13))
        self.assertNotIn(self.NO_MATCH, self.lines(*close, check=13))
        self.assertEqual(world.role(BOXES[0])["client"], "essai")


class FrenchSigns(Signs):
    LANGUAGE = "fr"
    UNSEEN = "pas encore regardé"
    STAGES = ("Contacts OVH", "Accès persistants")
    LETS_US_IN = " : notre mot de passe nous ouvre encore"
    REFUSED = " : notre mot de passe est refusé"
    WAITING = ("{} personnes attendent ce qui est nouveau : passation outbox -o",
               "1 enveloppe de secours attend ce qui est nouveau : passation outbox")
    GRANT = "karim a encore un octroi ({}) : "
    LIES_THERE = "est toujours là : il s’ouvre avec le code ou la clé de la personne"
    OF_THE_TEAM = "lea fait partie de l’équipe : c’est au client que tout est remis"
    NO_MATCH = "« essay » n’est pas l’identifiant du client, qui est « essai »"


if __name__ == "__main__":
    unittest.main()
