#!/usr/bin/env python3
"""What happens at OVH without us: due and status tell it, with what to do about it.

    test_drift.py BUILD
"""

import json
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.world import World  # noqa: E402

BUILD = sys.argv.pop(1)
CLIENT, DOMAIN = "martin", "boulangerie-martin.fr"
CONTACT, OLD = "contact@" + DOMAIN, "ancien@" + DOMAIN


class Drift(unittest.TestCase):
    def setUp(self):
        self.world = world = World(BUILD).__enter__()
        self.addCleanup(world.__exit__)
        world.run("init", check=0)
        world.run("client", "add", CLIENT, "--nic", world.ready["nic"], "--domain", DOMAIN,
                  "--endpoint", world.ready["endpoint"], "--imap", world.ready["imap"],
                  "--rate", "0", check=0)
        world.run("ovh", "link", CLIENT, "--config", world.config, "--accept-wide", check=0)
        world.allow_all()
        world.control("POST", "/set", {"task_delay_ms": 0})
        world.run("role", "adopt", CONTACT, OLD, check=0)
        self.judge_all()
        self.assertEqual(self.due("--look", check=0), [])

    def pending(self):
        rows = self.world.json("sweep", CLIENT, check=None)["findings"]
        return [row["id"] for row in rows if not row["own"] and row["danger"] != "info"
                and row["state"] == "open"]

    def judge_all(self):
        self.world.run("sweep", CLIENT, *(word for one in self.pending()
                                          for word in ("--keep", one)), check=0)

    def due(self, *args, check=12):
        rows = self.world.json("due", *args, check=check)["due"]
        return [(row["kind"], row["address"]) for row in rows]

    def drift(self):
        return [(row["kind"], row["address"]) for row in self.world.json("status")["drift"]]

    def seed(self, **domain):
        """The domain as it is seeded, but for this."""
        self.world.control("POST", "/seed", {"domains": [
            {"domain": DOMAIN, "nic": self.world.ready["nic"], **domain}]})

    def accounts(self, *names):
        return [{"name": name, "password": self.world.in_force(f"{name}@{DOMAIN}")}
                for name in names]

    def change_outside(self, address):
        self.world.control("POST", "/password", {"address": address,
                                                 "password": "Change-dehors-2027"})

    def versions(self):
        return [(row["version"], row["state"]) for row in
                self.world.json("show", CONTACT, "--versions")["versions"]]

    def adopt(self, password, check=0):
        return self.world.run("role", "adopt", CONTACT, "--secret-fd", "0", stdin=password,
                              check=check)

    def test_what_somebody_else_has_set_is_taken_into_the_vault_when_we_are_told_it(self):
        world = self.world
        before = world.in_force(CONTACT)
        world.control("POST", "/password", {"address": CONTACT, "password": "Told-By-The-Client-1"})
        self.assertIn("passation verify " + CONTACT,
                      self.adopt("Told-By-The-Client-1", check=7).stderr)
        self.assertIn("role adopt " + CONTACT + " --secret-fd",
                      world.run("verify", CONTACT, check=11).stderr)
        self.assertIn("passation rotate " + CONTACT, self.adopt("Not-That-One-1", check=11).stderr)
        self.assertEqual(self.versions(), [(1, "current")])
        self.adopt("Told-By-The-Client-1")
        self.assertEqual(self.versions(), [(2, "current"), (1, "superseded")])
        self.assertEqual(world.run("show", CONTACT, "--reveal", check=0).stdout.splitlines()[0],
                         "Told-By-The-Client-1")
        world.run("resume", check=0)
        self.assertEqual(self.due(check=0), [])
        world.control("POST", "/password", {"address": CONTACT, "password": before})
        world.run("verify", CONTACT, check=11)
        self.adopt(before)
        self.assertEqual(self.versions()[0], (3, "current"))
        world.run("verify", CONTACT, check=0)

    def test_the_same_password_set_again_is_no_new_version(self):
        """Two versions of one value: the older one could never be seen refused."""
        world = self.world
        before = world.in_force(CONTACT)
        self.change_outside(CONTACT)
        world.run("verify", CONTACT, check=11)
        world.control("POST", "/password", {"address": CONTACT, "password": before})
        self.adopt(before)
        self.assertEqual(self.versions(), [(1, "current")])
        self.assertIn("mailbox.adopted", world.run("log", check=0).stdout)
        world.run("resume", check=0)
        self.assertEqual(self.due(check=0), [])

    def test_a_mailbox_that_is_changed_outside_while_two_old_ones_may_work_stays_readable(self):
        """Its record has a field for the older one of them, which comes behind those of drift."""
        world = self.world
        for password in ("Told-First-0001", "Told-Second-0001"):
            world.control("POST", "/password", {"address": CONTACT, "password": password})
            world.run("verify", CONTACT, check=11)
            self.adopt(password)
        self.change_outside(CONTACT)
        world.run("verify", CONTACT, check=11)
        self.assertIn(CONTACT, world.run("role", "ls", check=0).stdout)
        world.run("rotate", CONTACT, check=0)
        world.run("log", "--verify", check=0)

    def test_an_import_never_says_what_became_of_a_password_that_somebody_else_changed(self):
        """A file may be older than the change: only a login tells."""
        world = self.world
        path = os.path.join(world.home, "told.csv")
        with open(path, "w", encoding="ascii") as file:
            file.write(f"name,username,password\n{CONTACT},{CONTACT},Out-Of-An-Old-File-1\n")
        words = ["-y", "import", path, "--client", CLIENT, "--format", "csv", "--replace"]
        self.assertIn("a login has proved", world.run(*words, check=0).stdout)
        self.change_outside(CONTACT)
        world.run("verify", CONTACT, check=11)
        self.assertIn("role adopt", world.run(*words, check=0).stdout)
        self.assertEqual(self.versions(), [(1, "current")])
        self.assertEqual(self.due(), [("changed_outside", CONTACT)])

    def test_a_password_that_somebody_else_changed_is_told_until_it_is_taken_back(self):
        self.change_outside(CONTACT)
        self.world.run("verify", "*", check=11)
        self.assertEqual(self.due(), [("changed_outside", CONTACT)])
        self.assertEqual(self.drift(), [("changed_outside", CONTACT)])
        self.assertIn("passation rotate", self.world.run("due", check=12).stderr)
        self.world.run("rotate", CONTACT, check=0)
        self.assertEqual(self.due(check=0), [])

    def test_a_look_finds_it_without_being_told_where(self):
        self.change_outside(OLD)
        self.assertEqual(self.due(check=0), [])
        self.assertEqual(self.due("--look"), [("changed_outside", OLD)])

    def test_a_mailbox_is_not_forgotten_while_a_request_is_on_its_way(self):
        """Adopted again at once it would have another password when the late one arrives."""
        world = self.world
        world.run("client", "set", CLIENT, "--settle", "10m", check=0)
        world.control("POST", "/faults", [{"kind": "lost_before", "method": "POST",
                                           "path": "*/changePassword", "nth": 1, "times": 1}])
        world.run("rotate", CONTACT, check=0)
        world.control("DELETE", "/faults")
        for args in (["role", "rm", CONTACT, "--confirm", CONTACT],
                     ["role", "rm", CONTACT, "--confirm", CONTACT, "--unchanged", "weg"],
                     ["client", "rm", CLIENT, "--confirm", CLIENT]):
            done = world.run(*args)
            self.assertEqual(done.returncode, 13, args)
            self.assertIn("wait 10 minutes, then again", done.stderr)
        world.run("role", "rm", OLD, "--confirm", OLD, check=0)
        world.run("client", "set", CLIENT, "--settle", "0s", check=0)
        world.run("role", "rm", CONTACT, "--confirm", CONTACT, check=0)

    def test_mailboxes_that_went_and_came_are_told_apart(self):
        self.seed(accounts=self.accounts("contact") + [
            {"name": "nouveau", "password": "Un-mot-de-passe-9"}])
        self.assertEqual(self.due("--look"), [("vanished", OLD),
                                              ("appeared", "nouveau@" + DOMAIN)])
        self.world.run("role", "adopt", "nouveau@" + DOMAIN, check=0)
        self.assertEqual(self.due(), [("vanished", OLD)])
        self.seed(accounts=self.accounts("contact", "nouveau") + [
            {"name": "ancien", "password": "Un-mot-de-passe-9"}])
        self.assertEqual(self.due("--look"), [("changed_outside", OLD)])

    def test_an_access_that_is_new_is_told_and_one_that_was_judged_is_not(self):
        self.seed(accounts=self.accounts("contact", "ancien"),
                  redirections=[{"from": CONTACT, "to": "jp@ailleurs.example"}])
        self.assertEqual(self.due("--look"), [("access", CONTACT)])
        found = self.world.json("due", check=12)["due"][0]["access"]
        self.assertTrue(found.startswith("redirection:"))
        self.world.run("sweep", CLIENT, "--keep", found)
        self.assertEqual(self.due("--look", check=0), [])

    def test_an_access_of_the_first_sweep_is_told_until_it_is_judged(self):
        """Another client of the same account, that nobody has looked at yet."""
        other = "martin-fils"
        self.world.run("client", "add", other, "--nic", self.world.ready["nic"], "--domain",
                       "fils.example", "--endpoint", self.world.ready["endpoint"], "--imap",
                       self.world.ready["imap"], "--rate", "0", check=0)
        self.world.run("ovh", "link", other, "--config", self.world.config, "--accept-wide",
                       check=0)
        found = [row["id"] for row in json.loads(
            self.world.run("--json", "sweep", other).stdout)["findings"]
            if not row["own"] and row["danger"] != "info"]
        self.assertGreater(len(found), 1)
        for left in range(len(found), 0, -1):
            rows = self.world.json("due", check=12)["due"]
            self.assertEqual([(row["kind"], row["client"], row["count"]) for row in rows],
                             [("unjudged", other, left)])
            self.assertEqual(self.drift(), [("unjudged", None)])
            shown = self.world.run("due", check=12).stdout
            self.assertRegex(shown, rf"(?m)^{left} ways? in: not judged yet +{other} +- +- ")
            self.world.run("sweep", other, "--keep", found[left - 1])
        self.assertEqual(self.due(check=0), [])

    def test_what_ovh_does_not_show_has_not_vanished(self):
        self.world.allow([("GET", "/auth/*"), ("GET", "/me*")])
        self.assertEqual(self.due("--look", check=0), [])

    def test_a_look_at_an_account_that_does_not_answer_says_so_and_forgets_nothing(self):
        self.change_outside(CONTACT)
        self.due("--look")
        self.world.stop_sim()
        done = self.world.run("due", "--look", check=12)
        self.assertIn(CLIENT, done.stderr)
        self.assertEqual(self.due(), [("changed_outside", CONTACT)])


if __name__ == "__main__":
    unittest.main(verbosity=2)
