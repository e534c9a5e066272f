#!/usr/bin/env python3
"""A password that may not be the one that opens its mailbox is shown and given with a word.

    test_doubt.py BUILD
"""

import json
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.world import World, keygen  # noqa: E402

BUILD = sys.argv.pop(1)


class Doubt(unittest.TestCase):
    def setUp(self):
        self.world = world = World(BUILD).__enter__()
        self.addCleanup(world.__exit__)
        world.control("POST", "/set", {"task_delay_ms": 0})
        self.box, self.other = world.setup_client(mailboxes=2)
        key = os.path.join(world.home, "jp.txt")
        keygen(key)
        world.run("person", "add", "jp", "--kind", "provider", "--email", "jp@x.example", "--key",
                  key + ".pub", check=0)

    def path(self, name):
        return os.path.join(self.world.home, name)

    def granted(self, *command):
        done = self.world.run("--json", *command, "-o", self.world.home, check=0)
        return json.loads(done.stdout)["doubts"], done.stderr

    def exported(self, name, *names):
        done = self.world.run("--json", "-y", "export", *names, "--format", "csv", "-o",
                              self.path(name), check=0)
        return json.loads(done.stdout)["doubts"], done.stderr

    def change_outside(self):
        self.world.control("POST", "/password", {"address": self.box,
                                                 "password": "Dehors-2027-ailleurs"})
        self.world.run("verify", self.box, check=11)

    def make_uncertain(self):
        """The answer is lost, and then no login answers."""
        self.world.control("POST", "/faults", [
            {"kind": "lost_after", "method": "POST", "path": "*/changePassword"},
            {"kind": "unavailable", "method": "IMAP", "nth": 2, "sticky": True}])
        subprocess.run(["timeout", "-s", "INT", "4", *self.world.command("rotate", self.box)],
                       env=self.world.env(), capture_output=True, stdin=subprocess.DEVNULL)
        self.assertEqual(self.world.role(self.box)["state"], "uncertain")

    def test_what_is_certain_is_shown_and_given_without_a_word(self):
        done = self.world.run("show", self.box, "--reveal", check=0)
        self.assertIn("\nProved ", done.stdout)
        self.assertEqual(done.stderr, "")
        self.assertIsNone(self.world.role(self.box)["doubt"])
        self.assertEqual(self.exported("all.csv")[0], [])
        self.assertEqual(self.granted("grant", "jp", self.box, "--until", "2099-01-01")[0], [])

    def test_a_password_changed_by_somebody_else_is_not_shown_as_proved(self):
        self.change_outside()
        for args in (("--reveal",), ()):
            done = self.world.run("show", self.box, *args, check=0)
            self.assertNotIn("\nProved ", done.stdout)
            self.assertRegex(done.stdout, r"(?m)^In doubt +changed by somebody else, seen on 20")
            self.assertRegex(done.stdout, r"(?m)^State +in doubt$")
            self.assertIn(f"passation rotate {self.box}", done.stderr)
        self.assertIn("passation rotate", self.world.run("show", self.box, "--versions").stderr)
        shown = self.world.json("show", self.box)
        self.assertEqual((shown["doubt"], shown["state"]), ("changed_outside", "stable"))
        self.assertTrue(shown["changed_outside_at"])
        self.world.run("rotate", self.box, check=0)
        self.assertEqual(self.world.run("show", self.box, check=0).stderr.count("warning"), 0)
        self.assertIsNone(self.world.json("show", self.box)["doubt"])

    def test_the_list_of_roles_says_which_is_in_doubt_and_what_to_do(self):
        self.change_outside()
        listed = self.world.run("role", "ls", check=0).stdout
        self.assertRegex(listed, rf"(?m)^{self.box} +essai +in doubt .* -$")
        self.assertRegex(listed, rf"(?m)^{self.other} +essai +stable ")
        self.assertRegex(listed, rf"(?m)^! {self.box}: changed by somebody else, seen on 20.*"
                                 rf"passation rotate {self.box}$")
        self.assertEqual([role["doubt"] for role in self.world.json("role", "ls")["roles"]],
                         ["changed_outside", None])

    def test_whoever_gives_it_away_is_told(self):
        self.change_outside()
        for doubts, stderr in (
                self.granted("grant", "jp", self.box, self.other, "--until", "2099-01-01"),
                self.exported("client.csv", "essai"), self.exported("glob.csv", "box0*")):
            self.assertEqual([(row["address"], row["doubt"]) for row in doubts],
                             [(self.box, "changed_outside")])
            self.assertTrue(doubts[0]["seen_at"])
            self.assertIn(f"passation rotate {self.box}", stderr)
        self.assertEqual(self.exported("other.csv", self.other)[0], [])

    def test_an_issue_that_was_due_is_told_of_as_well(self):
        self.granted("grant", "jp", self.box, self.other, "--until", "2099-01-01")
        self.world.run("rotate", self.box, self.other, check=0)
        self.change_outside()
        doubts, stderr = self.granted("outbox")
        self.assertEqual([row["address"] for row in doubts], [self.box])
        self.assertIn(f"passation rotate {self.box}", stderr)

    def test_while_a_change_is_under_way_the_older_password_goes_with_a_word(self):
        self.make_uncertain()
        self.assertEqual(self.world.role(self.box)["doubt"], "changing")
        self.assertIn(f"passation resume {self.box}", self.world.run("show", self.box).stderr)
        for doubts, stderr in (self.granted("grant", "jp", self.box, "--until", "2099-01-01"),
                               self.exported("all.csv")):
            self.assertEqual(doubts, [{"address": self.box, "doubt": "changing",
                                       "seen_at": None}])
            self.assertIn(f"passation resume {self.box}", stderr)
        self.world.control("DELETE", "/faults")
        self.world.run("resume", "-o", self.world.home, check=0)
        self.assertIsNone(self.world.role(self.box)["doubt"])

    def seed(self, **passwords):
        self.world.control("POST", "/seed", {"domains": [{
            "domain": World.DOMAIN, "nic": self.world.ready["nic"],
            "accounts": [{"name": name, "password": password}
                         for name, password in passwords.items()]}]})

    def lose_while_rotating(self):
        """OVH has no such mailbox any more when the new password is sent."""
        self.world.control("POST", "/faults", [
            {"kind": "drop_account", "method": "POST", "path": "*/changePassword"}])
        self.world.run("rotate", self.box, check=10)
        self.world.control("DELETE", "/faults")

    def state(self):
        role = self.world.role(self.box)
        return role["state"], role["doubt"]

    def test_a_mailbox_that_goes_while_its_password_changes_stays_missing_and_can_be_removed(self):
        self.lose_while_rotating()
        missing = self.world.role(self.box)
        self.assertEqual(self.state(), ("missing", "gone"))
        for command in (["--json", "resume"], ["ovh", "inventory", "essai"],
                        ["--json", "resume"]):
            done = self.world.run(*command)
            self.assertIn(f"passation role rm {self.box}", done.stdout + done.stderr)
            self.assertEqual(self.state(), ("missing", "gone"), command)
            self.assertEqual(self.world.role(self.box)["reason"], missing["reason"])
        self.assertTrue(self.world.role(self.box)["gone_at"])
        self.world.run("role", "rm", self.box, "--confirm", self.box, check=0)

    def test_one_that_went_meanwhile_is_changed_once_it_is_back(self):
        self.lose_while_rotating()
        self.world.run("resume", check=10)
        self.seed(box0="Un-mot-de-passe-9", box1=self.world.in_force(self.other))
        self.world.run("due", "--look")
        self.assertEqual(self.state(), ("stuck", "changing"))
        self.world.run("resume", "--again", check=0)
        self.assertEqual(self.state(), ("stable", None))

    def test_one_that_a_look_misses_after_a_resume_is_missing(self):
        self.lose_while_rotating()
        self.seed(box0="Un-mot-de-passe-9", box1=self.world.in_force(self.other))
        self.world.run("resume", check=10)
        self.assertEqual(self.state(), ("stuck", "changing"))
        self.world.run("role", "rm", self.box, "--confirm", self.box, check=13)
        self.seed(box1=self.world.in_force(self.other))
        self.world.run("due", "--look")
        self.assertEqual(self.state(), ("missing", "gone"))
        self.world.run("role", "rm", self.box, "--confirm", self.box, check=0)

    def test_a_mailbox_that_is_gone_is_in_doubt_too(self):
        self.seed(box1=self.world.in_force(self.other))
        self.world.run("due", "--look")
        done = self.world.run("show", self.box, check=0)
        self.assertRegex(done.stdout, r"(?m)^In doubt +gone at OVH, seen on 20")
        self.assertIn(f"passation role rm {self.box}", done.stderr)
        self.assertEqual(self.exported("all.csv")[0][0]["doubt"], "gone")


if __name__ == "__main__":
    unittest.main(verbosity=2)
