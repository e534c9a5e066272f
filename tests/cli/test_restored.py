#!/usr/bin/env python3
"""What an older backup does not know of people, and what a restore does about it.

    test_restored.py BUILD
"""

import glob
import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.handover import Handing  # noqa: E402
from support.world import World, keygen  # noqa: E402

BUILD = sys.argv.pop(1)


def fold(vault):
    """Moves what is in the log into the file."""
    db = sqlite3.connect(vault)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


class Vault(unittest.TestCase):
    """One for all tests of a class."""

    @classmethod
    def setUpClass(cls):
        cls.world = World(BUILD).__enter__()
        cls.box, cls.other = cls.world.setup_client(mailboxes=2)
        cls.vault = os.path.join(cls.world.home, "data/passation/vault.db")

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__()

    def setUp(self):
        self.name = self.id().rsplit(".", 1)[1]
        self.out = os.path.join(self.world.dir, "out-" + self.name)
        os.mkdir(self.out, 0o700)
        self.copy = os.path.join(self.out, "backup.db")

    def run_(self, *args, check=0, **more):
        return self.world.run(*args, check=check, **more)

    def person(self, name):
        path = os.path.join(self.world.home, name + ".txt")
        keygen(path)
        self.run_("person", "add", name, "--kind", "provider", "--key", path + ".pub")

    def grant(self, name, *addresses):
        self.run_("grant", name, *addresses, "--until", "2099-12-31", "-o", self.out)

    def restore(self):
        done = self.run_("restore", self.copy, "-y", "--accept-older")
        self.run_("log", "--verify")
        return done

    def due(self, *names):
        """(kind, address, person) of what is due, of these people."""
        done = self.world.run("--json", "due")
        self.assertIn(done.returncode, (0, 12), done.stderr)
        return {(row["kind"], row["address"] or "", row["person"])
                for row in json.loads(done.stdout.splitlines()[0])["due"]
                if row["person"] in names}

    def issues(self, name):
        return glob.glob(os.path.join(self.out, f"{name}-*.age"))


class Restored(Vault):
    """Each test has people of its own, and a backup from before what it does."""

    def test_what_was_granted_since_is_still_known(self):
        self.person("jp")
        self.run_("backup", self.copy)
        self.grant("jp", self.box)
        self.person("late")
        self.grant("late", self.other)
        said = self.restore().stderr
        self.assertIn("passation due", said)
        self.assertEqual(self.due("jp", "late"), {("rotate", self.box, "jp"),
                                                  ("rotate", self.other, "late")})
        self.run_("rotate", self.box, self.other)
        self.assertEqual(self.due("jp", "late"), set())

    def test_who_has_left_since_gets_nothing_and_is_leaving_again(self):
        self.person("left")
        self.grant("left", self.box)
        self.run_("backup", self.copy)
        self.world.run("depart", "left", "-o", self.out)
        before = self.issues("left")
        self.restore()
        self.assertIn(("departure", "", "left"), self.due("left"))
        self.world.run("due", "--apply", "-o", self.out, cwd=self.out)
        self.run_("rotate", self.box)
        self.world.run("due", "--apply", "-o", self.out, cwd=self.out)
        self.assertEqual(self.issues("left"), before)
        self.run_("grant", "left", self.box, "-o", self.out, check=13)

    def test_the_key_of_who_has_left_and_was_removed_since_gets_nothing(self):
        self.person("gone")
        self.grant("gone", self.box)
        self.run_("backup", self.copy)
        self.world.run("depart", "gone", "-o", self.out)
        self.run_("person", "rm", "gone")
        before = self.issues("gone")
        self.restore()
        self.assertIn(("departure", "", "gone"), self.due("gone"))
        self.run_("rotate", self.box)
        self.world.run("due", "--apply", "-o", self.out, cwd=self.out)
        self.assertEqual(self.issues("gone"), before)
        self.run_("person", "add", "anew", "--kind", "provider", "--key",
                  os.path.join(self.world.home, "gone.txt.pub"), check=13)

    def test_a_grant_that_was_ended_since_is_ended(self):
        self.person("former")
        self.grant("former", self.box)
        self.run_("backup", self.copy)
        self.run_("revoke", "former", self.box)
        before = self.issues("former")
        self.restore()
        self.assertEqual(self.due("former"), set())
        self.world.run("due", "--apply", "-o", self.out, cwd=self.out)
        self.assertEqual(self.issues("former"), before)
        self.assertEqual(self.due("former"), set())

    def test_a_key_that_was_replaced_since_gets_nothing(self):
        self.person("robbed")
        self.grant("robbed", self.box)
        self.run_("backup", self.copy)
        new = os.path.join(self.world.home, "robbed-new.txt")
        keygen(new)
        self.run_("person", "key", "robbed", "--add", new + ".pub")
        self.restore()
        self.run_("rotate", self.box)
        before = self.issues("robbed")
        self.run_("outbox", "-o", self.out)
        path, = set(self.issues("robbed")) - set(before)
        for identity, opens in ((new, True), (os.path.join(self.world.home, "robbed.txt"), False)):
            done = subprocess.run(["age", "-d", "-i", identity, path], capture_output=True)
            self.assertEqual(done.returncode == 0, opens, done.stderr)
        self.run_("revoke", "robbed", "--no-rotate", check=None)

    def test_secrets_that_are_newer_are_taken_over_with_who_knows_them(self):
        self.person("keeper")
        self.run_("secret", "add", self.box, "ftp", "--secret-fd", "0", stdin="ftp one")
        self.run_("backup", self.copy)
        self.run_("secret", "set", self.box, "ftp", "--secret-fd", "0", stdin="ftp two")
        self.run_("secret", "add", self.other, "stripe", "--secret-fd", "0", stdin="stripe one")
        self.run_("grant", "keeper", self.box, "--with", "all", "-o", self.out)
        self.assertIn("2 other secrets", self.restore().stderr)
        for address, label, value in ((self.box, "ftp", "ftp two"),
                                      (self.other, "stripe", "stripe one")):
            shown = self.run_("show", address, label, "--reveal").stdout
            self.assertEqual(shown.splitlines()[0], value)
        self.assertIn("ftp one", self.run_("show", self.box, "ftp", "--versions", "--reveal").stdout)
        self.assertIn(("secret", self.box, "keeper"), self.due("keeper"))
        for address, label in ((self.box, "ftp"), (self.other, "stripe")):
            self.run_("secret", "set", address, label, "--generate")
            self.run_("secret", "rm", address, label)
        self.run_("rotate", self.box)

    def test_a_secret_that_was_removed_since_is_back_with_its_newest_value(self):
        for label in ("gone", "changed and gone", "back"):
            self.run_("secret", "add", self.box, label, "--secret-fd", "0", stdin="one")
        self.run_("secret", "rm", self.box, "back")
        self.run_("backup", self.copy)
        self.run_("secret", "set", self.box, "changed and gone", "--secret-fd", "0", stdin="two")
        self.run_("secret", "set", self.box, "back", "--secret-fd", "0", stdin="two")
        self.run_("secret", "add", self.box, "in between", "--secret-fd", "0", stdin="one")
        for label in ("gone", "changed and gone", "in between"):
            self.run_("secret", "rm", self.box, label)
        self.assertIn("2 other secrets", self.restore().stderr)
        listed = {row["label"] for row in
                  json.loads(self.run_("--json", "secret", "ls", self.box).stdout)["secrets"]}
        self.assertLessEqual({"gone", "changed and gone", "back"}, listed)
        self.assertNotIn("in between", listed)
        for label, value in (("gone", "one"), ("changed and gone", "two"), ("back", "two")):
            shown = self.run_("show", self.box, label, "--reveal").stdout
            self.assertEqual(shown.splitlines()[0], value)
            self.run_("secret", "rm", self.box, label)

    def test_a_grant_that_was_narrowed_since_stays_narrow(self):
        self.person("narrow")
        self.run_("secret", "add", self.other, "sftp", "--generate")
        self.run_("grant", "narrow", self.other, "--with", "all", "--until", "2099-12-31", "-o",
                  self.out)
        self.run_("backup", self.copy)
        self.run_("grant", "narrow", self.other, "--until", "2098-01-31", "-o", self.out)
        self.restore()
        listed, = (row for row in json.loads(self.run_("--json", "grant", "ls").stdout)["grants"]
                   if row["person"] == "narrow")
        self.assertTrue(listed["until"].startswith("2098-01-31"), listed)
        before = self.issues("narrow")
        self.run_("rotate", self.other)
        self.run_("outbox", "-o", self.out)
        path, = set(self.issues("narrow")) - set(before)
        opened = subprocess.run(["age", "-d", "-i", os.path.join(self.world.home, "narrow.txt"),
                                 path], capture_output=True, check=True)
        self.assertNotIn(b"sftp", opened.stdout)
        self.run_("revoke", "narrow", "--no-rotate", check=None)

    def test_a_client_who_was_removed_since_waits_to_be_looked_at(self):
        self.run_("client", "add", "brief", "--nic", "bb1-ovh", "--domain", "brief.example")
        self.run_("backup", self.copy)
        self.run_("client", "rm", "brief", "-y")
        self.assertIn("1 client who had been removed is back", self.restore().stderr)
        self.assertIn("restored", {row["kind"] for row in json.loads(
            self.world.run("--json", "due").stdout.splitlines()[0])["due"]})
        self.run_("client", "rm", "brief", "-y")
        self.run_("outbox", "--judged", "-o", self.out)

    def test_who_was_removed_since_gets_nothing(self):
        self.person("removed")
        self.grant("removed", self.box)
        self.run_("backup", self.copy)
        self.run_("revoke", "removed", self.box)
        self.run_("person", "rm", "removed")
        before = self.issues("removed")
        self.restore()
        self.assertEqual(self.due("removed"), set())
        self.world.run("due", "--apply", "-o", self.out, cwd=self.out)
        self.assertEqual(self.issues("removed"), before)
        self.assertEqual(self.due("removed"), set())

    def assert_judging(self, is_due):
        """Who looks at what is due is told that somebody is to judge, and how."""
        lists = [json.loads(self.world.run("--json", *words).stdout.splitlines()[0])["due"]
                 for words in (("due",), ("status",))]
        for rows in lists:
            self.assertEqual(sum(row["kind"] == "restored" for row in rows), int(is_due))
        for words in ("due", "status"):
            done = self.world.run(words)
            for command in ("person ls", "grant ls", "outbox --judged"):
                self.assertEqual(f"passation {command}" in done.stderr + done.stdout, is_due,
                                 (words, done.stdout, done.stderr))
        if is_due:
            self.assertEqual(self.world.run("due").returncode, 12)

    def test_nothing_is_issued_unjudged_where_the_vault_cannot_be_read(self):
        """A rekey lies in between: nobody can tell who has left since."""
        self.person("maybe")
        self.grant("maybe", self.box)
        self.run_("backup", self.copy)
        self.run_("depart", "maybe", "-o", self.out, check=None)
        self.run_("rekey", "--recovery-out", os.path.join(self.out, "code"))
        before = self.issues("maybe")
        said = self.restore().stderr
        self.assertIn("are lost", said)
        self.assertIn("outbox --judged", said)
        self.assert_judging(True)
        # What is put aside now opens, but knows no more.
        self.assertIn("outbox --judged", self.restore().stderr)
        self.run_("rotate", self.box)
        for args in (("due", "--apply"), ("outbox",), ("resume",)):
            done = self.world.run(*args, *(("-o", self.out) if args != ("resume",) else ()))
            self.assertEqual(done.returncode, 13, (args, done.stdout, done.stderr))
            self.assertIn("outbox --judged", done.stderr)
        self.run_("rekey", "--recovery-out", os.path.join(self.out, "code-2"))
        self.run_("outbox", "-o", self.out, check=13)
        self.assertEqual(self.issues("maybe"), before)
        self.run_("outbox", "--judged", "-o", self.out)
        self.assertEqual(len(self.issues("maybe")), len(before) + 1)
        self.assert_judging(False)
        self.run_("revoke", "maybe", "--no-rotate", check=None)


class Mailboxes(Vault):
    """What OVH has in force is in no older copy, and nobody gives it again."""

    def revealed(self, address, *label):
        shown = self.run_("show", address, *label, "--reveal").stdout
        return shown.splitlines()[0]

    def add_mailbox(self, client, domain, name):
        self.world.control("POST", "/seed", {"domains": [{
            "domain": domain, "nic": self.world.ready["nic"],
            "accounts": [{"name": name, "password": "First-Pass-0-word"}]}]})
        self.run_("role", "adopt", f"{name}@{domain}")
        return f"{name}@{domain}"

    def test_passwords_that_are_newer_are_taken_over(self):
        self.run_("backup", self.copy)
        self.run_("rotate", self.box)
        self.run_("rotate", self.box)
        new = self.revealed(self.box)
        self.assertIn("1 passwords of mailboxes", self.restore().stderr)
        self.assertEqual(self.revealed(self.box), new)
        self.assertEqual(new, self.world.in_force(self.box))
        self.run_("verify", self.box)
        states = [state for state, _ in self.world.versions(self.box)]
        self.assertEqual(states.count("current"), 1, states)
        self.run_("rotate", self.box)

    def test_a_rotation_that_was_under_way_is_finished(self):
        self.run_("backup", self.copy)
        self.world.control("POST", "/imap", {"down": True})
        self.run_("rotate", self.other, check=10)
        self.restore()
        self.world.control("POST", "/imap", {"down": False})
        self.run_("resume")
        self.assertEqual(self.revealed(self.other), self.world.in_force(self.other))
        self.run_("verify", self.other)

    def test_clients_and_mailboxes_that_are_new_are_taken_over_with_all_they_have(self):
        self.run_("backup", self.copy)
        domain = "neuf.example"
        self.run_("client", "set", "essai", "--add-domain", "essai-neuf.example")
        first = self.add_mailbox("essai", "essai-neuf.example", "compta")
        self.run_("client", "add", "neuf", "--nic", self.world.ready["nic"], "--domain", domain,
                  "--endpoint", self.world.ready["endpoint"], "--imap", self.world.ready["imap"],
                  "--rate", "0", "--settle", "1s", "--login-cache", "1s",
                  "--failed-logins", "16/1s")
        self.run_("ovh", "link", "neuf", "--config", self.world.config, "--accept-wide")
        second = self.add_mailbox("neuf", domain, "contact")
        self.person("fresh")
        self.run_("secret", "add", second, "stripe", "--secret-fd", "0", stdin="stripe one")
        self.run_("grant", "fresh", second, "--with", "all", "-o", self.out)
        known = {address: self.revealed(address) for address in (first, second)}
        entries = self.run_("log", "--client", "neuf").stdout.splitlines()
        said = self.restore().stderr
        self.assertIn("2 mailboxes and 1 clients that are new", said)
        for address, value in known.items():
            self.assertEqual(self.revealed(address), value)
            self.run_("verify", address)
        self.assertEqual(self.revealed(second, "stripe"), "stripe one")
        after = self.run_("log", "--client", "neuf").stdout.splitlines()
        self.assertEqual(after[:len(entries)], entries)
        self.assertEqual(self.due("fresh"), {("rotate", second, "fresh"),
                                             ("secret", second, "fresh")})
        self.run_("rotate", first, second)
        self.run_("client", "ls")
        self.run_("backup", os.path.join(self.out, "again.db"))

    def test_what_is_older_than_what_was_seen_here_is_not_taken_for_all(self):
        """A sync program has put an older vault.db back; then an older backup is restored."""
        self.person("between")
        self.grant("between", self.box)
        self.run_("backup", self.copy)
        self.run_("secret", "add", self.other, "ftp", "--secret-fd", "0", stdin="ftp one")
        fold(self.vault)
        shutil.copy(self.vault, os.path.join(self.out, "synced"))
        self.run_("revoke", "between", self.box, check=None)
        fold(self.vault)
        os.rename(os.path.join(self.out, "synced"), self.vault)
        said = self.restore().stderr
        self.assertIn("did not know all either", said)
        self.assertIn("outbox --judged", said)
        self.assertEqual(self.revealed(self.other, "ftp"), "ftp one")
        self.run_("rotate", self.box)
        before = self.issues("between")
        self.run_("due", "--apply", "-o", self.out, check=13, cwd=self.out)
        self.assertEqual(self.issues("between"), before)
        self.run_("outbox", "--judged", "-o", self.out)
        self.run_("revoke", "between", "--no-rotate", check=None)

    def test_the_vaults_own_keys_are_as_they_were(self):
        """One that was replaced may be a leaver's now."""
        self.run_("backup", self.copy)
        self.run_("key", "rotate", "-o", os.path.join(self.out, "keys.txt"), "-y")
        shown = self.run_("key", "show").stdout
        self.restore()
        self.assertEqual(self.run_("key", "show").stdout, shown)
        self.run_("log", "--verify")

    def test_a_vault_that_is_damaged_in_any_way_gives_its_place_and_is_kept(self):
        self.run_("backup", self.copy)
        self.run_("secret", "set", self.box, "x", "--generate", check=None)
        fold(self.vault)
        with open(self.vault, "rb") as file:
            whole = file.read()
        for name, spoilt in (("half", whole[:len(whole) // 2]), ("odd", whole[:-1000]),
                             ("empty", b""), ("page", whole[:8192] + bytes(4096) + whole[12288:]),
                             ("bit", whole[:20000] + bytes([whole[20000] ^ 1]) + whole[20001:])):
            with self.subTest(name):
                with open(self.vault, "wb") as file:
                    file.write(spoilt)
                said = self.restore()
                self.assertIn("outbox --judged", said.stderr)
                kept = re.search(r"kept: (\S+)", said.stdout).group(1)
                with open(kept, "rb") as file:
                    self.assertEqual(file.read()[100:], spoilt[100:])  # SQLite's head may differ
                self.run_("show", self.box)
        self.run_("outbox", "--judged", "-o", self.out)

    def test_an_older_file_in_the_vaults_place_changes_nothing_of_the_backup(self):
        self.person("robbed")
        fold(self.vault)
        shutil.copy(self.vault, os.path.join(self.out, "older"))
        new = os.path.join(self.world.home, "robbed-new.txt")
        keygen(new)
        self.run_("person", "key", "robbed", "--add", new + ".pub")
        self.run_("rotate", self.box)
        self.run_("backup", self.copy)
        self.run_("secret", "add", self.box, "later", "--generate")
        fold(self.vault)
        os.rename(os.path.join(self.out, "older"), self.vault)
        self.assertIn("outbox --judged", self.restore().stderr)
        with open(new + ".pub") as file:
            self.assertIn(file.read().split()[0], self.run_("person", "show", "robbed").stdout)
        self.run_("verify", self.box)
        self.run_("outbox", "--judged", "-o", self.out)


class Unseen(Vault):
    """What was seen here is a note of one user on one computer; the vault that lies there
    tells by itself how far it is."""

    def setUp(self):
        super().setUp()
        self.seen = os.path.join(self.world.home, "state")
        self.elsewhere = self.world.env(XDG_STATE_HOME=os.path.join(self.out, "state"))

    def put(self, *more, check=0, env=None):
        return self.run_("--json", "-y", "restore", self.copy, *more, check=check,
                         env=env or self.elsewhere)

    def is_judged(self, env=None):
        done = self.world.run("--json", "due", env=env or self.elsewhere)
        return "restored" not in {row["kind"] for row in
                                  json.loads(done.stdout.splitlines()[0])["due"]}

    def test_a_newer_vault_keeps_its_place_whatever_was_noted(self):
        record, = glob.glob(os.path.join(self.seen, "passation/seen-*"))
        self.run_("backup", self.copy)
        with open(record, "rb") as file:
            earlier = file.read()
        self.run_("rotate", self.box)
        with open(record, "rb") as file:
            whole = file.read()
        for name, content in (("gone", None), ("torn", whole[:30]), ("empty", b""),
                              ("of before", earlier)):
            with self.subTest(name):
                if content is None:
                    os.unlink(record)
                else:
                    with open(record, "wb") as file:
                        file.write(content)
                done = self.put(check=6, env=self.world.env())
                self.assertIn("--accept-older", done.stdout + done.stderr)
                self.assertEqual(glob.glob(self.vault + ".before-restore-*"), [])
        for name, path in (("another shell's", os.path.join(self.out, "none")),
                           ("not to be written", "/proc/nowhere")):
            with self.subTest(name):
                self.put(check=6, env=self.world.env(XDG_STATE_HOME=path))
        self.run_("verify", self.box)

    def test_an_accepted_copy_takes_over_what_is_newer(self):
        self.person("left")
        self.grant("left", self.box)
        self.run_("backup", self.copy)
        self.world.run("depart", "left", "-o", self.out)
        issued = self.issues("left")
        told = json.loads(self.put("--accept-older").stdout)
        self.assertEqual(told["replaced"], "read")
        self.assertTrue(told["taken_over"]["whole"], told)
        self.run_("verify", self.box, env=self.elsewhere)
        due = json.loads(self.world.run("--json", "due", env=self.elsewhere).stdout)["due"]
        self.assertIn(("departure", "left"), {(row["kind"], row["person"]) for row in due})
        self.run_("rotate", self.box, env=self.elsewhere)
        self.world.run("due", "--apply", "-o", self.out, env=self.elsewhere, cwd=self.out)
        self.assertEqual(self.issues("left"), issued)

    def test_one_that_went_on_apart_keeps_its_place(self):
        self.run_("backup", self.copy, env=self.elsewhere)
        folder = os.path.join(self.out, "data")
        there = self.world.env(XDG_DATA_HOME=folder, XDG_STATE_HOME=os.path.join(self.out, "s"))
        self.put(env=there)
        self.run_("secret", "add", self.box, "there", "--generate", env=there)
        self.run_("backup", self.copy, "-f", env=there)
        for _ in range(6):
            self.run_("show", self.box, "--reveal", env=self.elsewhere)
        shutil.rmtree(os.path.join(self.out, "state"))
        self.put(check=6)
        self.put("--accept-older")

    def test_the_same_state_needs_no_word_and_nobody_to_look(self):
        self.run_("backup", self.copy, env=self.elsewhere)
        shutil.rmtree(os.path.join(self.out, "state"))
        done = self.put()
        self.assertEqual(json.loads(done.stdout)["replaced"], "read")
        self.assertNotIn("warning", done.stderr)
        self.assertTrue(self.is_judged())

    def test_after_one_that_cannot_be_read_somebody_has_to_look(self):
        self.run_("backup", self.copy, env=self.elsewhere)
        self.run_("rekey", "--recovery-out", os.path.join(self.out, "code"), env=self.elsewhere)
        fold(self.vault)
        with open(self.vault, "rb") as file:
            rekeyed = file.read()
        for name, content in (("rekeyed", rekeyed), ("cut off", rekeyed[:len(rekeyed) // 2]),
                              ("empty", b"")):
            with self.subTest(name):
                fold(self.vault)
                with open(self.vault, "wb") as file:
                    file.write(content)
                env = self.world.env(XDG_STATE_HOME=os.path.join(self.out, name))
                done = self.put(env=env)
                self.assertEqual(json.loads(done.stdout)["replaced"], "unreadable")
                for words in ("does not open with the keys of this copy", "outbox --judged",
                              "passwords, secrets, grants", "verify '*'"):
                    self.assertIn(words, done.stderr)
                self.assertFalse(self.is_judged(env))
                self.run_("outbox", "--judged", "-o", self.out, env=env)
                self.assertTrue(self.is_judged(env))

    def test_where_nothing_lies_nothing_is_asked(self):
        self.run_("backup", self.copy, env=self.elsewhere)
        there = self.world.env(XDG_DATA_HOME=os.path.join(self.out, "data"),
                               XDG_STATE_HOME=os.path.join(self.out, "s"))
        done = self.put(env=there)
        self.assertIsNone(json.loads(done.stdout)["replaced"])
        self.assertNotIn("warning", done.stderr)
        self.assertTrue(self.is_judged(there))

    def test_a_copy_elsewhere_is_the_vault_unless_it_is_tried_beside_a_state_of_its_own(self):
        """One record tells of the newest state, of all copies on this computer."""
        here = {**self.elsewhere}
        tried = self.world.env(XDG_STATE_HOME=os.path.join(self.out, "tried-state"))
        other = os.path.join(self.out, "tried.db")
        self.run_("backup", self.copy, env=here)
        done = self.run_("--vault", other, "-y", "restore", self.copy, env=tried)
        self.assertNotIn("called an older copy", done.stderr)
        self.run_("--vault", other, "secret", "add", self.box, "tried", "--generate", env=tried)
        self.run_("secret", "add", self.box, "here", "--generate", env=here)
        for name in glob.glob(other + "*"):
            os.unlink(name)
        self.run_("backup", self.copy, "-f", env=here)
        done = self.run_("--vault", other, "-y", "restore", self.copy, env=here)
        self.assertIn("called an older copy", done.stderr)
        self.assertIn("XDG_STATE_HOME", done.stderr)
        self.run_("role", "ls", check=6, env=here)

    def test_another_vault_is_named_as_one(self):
        other = os.path.join(self.out, "other/vault.db")
        self.run_("--vault", other, "init", env=self.elsewhere)
        self.run_("--vault", other, "backup", self.copy, env=self.elsewhere)
        with open(self.vault, "rb") as file:
            before = file.read()
        done = self.put()
        told = json.loads(done.stdout)
        self.assertEqual(told["replaced"], "another")
        self.assertIn("another one", done.stderr)
        with open(told["kept"], "rb") as file:
            self.assertEqual(file.read()[100:4096], before[100:4096])
        self.assertTrue(self.is_judged())
        os.rename(told["kept"], self.vault)
        self.run_("verify", self.box, env=self.elsewhere)


class Apart(Vault):
    """Two copies were used, so that neither goes on from the other."""

    def setUp(self):
        super().setUp()
        self.there = self.world.env(XDG_DATA_HOME=os.path.join(self.out, "data"),
                                    XDG_STATE_HOME=os.path.join(self.out, "state"))

    def tearDown(self):
        self.run_("rotate", "*")
        self.run_("outbox", "--judged", "-o", self.out)

    def part(self):
        """The same vault on two machines from now on."""
        self.run_("backup", self.copy)
        self.run_("restore", self.copy, env=self.there)

    def meet(self, **counts):
        """Puts the other machine's in the place of this one's; what is told of it."""
        self.run_("backup", self.copy, "-f", env=self.there)
        self.run_("-y", "restore", self.copy, check=6)
        done = self.run_("--json", "-y", "restore", self.copy, "--accept-older")
        self.run_("log", "--verify")
        told = json.loads(done.stdout)["taken_over"]
        self.assertEqual({name: told[name] for name in counts}, counts)
        kinds = {row["kind"] for row in json.loads(
            self.world.run("--json", "due").stdout.splitlines()[0])["due"]}
        self.assertEqual("restored" in kinds, not told["whole"])
        return done

    def test_a_password_that_goes_on_from_the_copys_is_taken_over(self):
        """The vault that a restore has kept is put back, after a rotation."""
        self.run_("backup", self.copy)
        self.run_("rotate", self.box)
        done = self.run_("--json", "-y", "restore", self.copy, "--accept-older")
        kept = json.loads(done.stdout)["kept"]
        self.run_("rotate", self.box)
        done = self.run_("--json", "-y", "restore", kept, "--accept-older")
        told = json.loads(done.stdout)["taken_over"]
        self.assertEqual((told["passwords"], told["passwords_apart"], told["whole"]), (1, 0, True))
        shown = self.run_("show", self.box, "--reveal").stdout.splitlines()[0]
        self.assertEqual(shown, self.world.in_force(self.box))
        states = [state for state, _ in self.world.versions(self.box)]
        self.assertEqual(states.count("current"), 1, states)

    def test_a_password_that_both_have_changed_is_told_and_kept(self):
        for first in (self.there, None):
            with self.subTest(here_is_in_force=first is not None):
                self.there["XDG_DATA_HOME"] += "+"
                shutil.rmtree(self.there["XDG_STATE_HOME"], ignore_errors=True)
                if os.path.exists(self.copy):
                    os.unlink(self.copy)
                self.part()
                self.run_("rotate", self.box, env=first)
                self.run_("rotate", self.box, env=None if first else self.there)
                values = {self.run_("show", self.box, "--reveal", env=env).stdout.splitlines()[0]
                          for env in (None, self.there)}
                known = {value for _, value in self.world.versions(self.box)}
                done = self.meet(passwords=0, passwords_apart=1, whole=False)
                self.assertIn("another password", done.stderr)
                versions = [value for _, value in self.world.versions(self.box)]
                self.assertEqual(len(versions), len(set(versions)))
                self.assertLessEqual(values | known, set(versions))
                self.assertIn(self.world.in_force(self.box), versions)
                self.run_("rotate", self.box)
                self.run_("verify", self.box)
                self.run_("outbox", "--judged", "-o", self.out)

    def test_several_of_both_are_kept_under_numbers_of_their_own(self):
        self.part()
        for _ in range(2):
            self.run_("rotate", self.box)
        self.run_("rotate", self.box, env=self.there)
        known = {value for _, value in self.world.versions(self.box)}
        self.meet(passwords=0, passwords_apart=1, whole=False)
        versions = [value for _, value in self.world.versions(self.box)]
        self.assertLessEqual(known, set(versions))
        self.run_("verify", self.box)
        states = [state for state, _ in self.world.versions(self.box)]
        self.assertEqual(states.count("current"), 1, states)

    def test_a_secret_that_both_have_changed_is_told(self):
        for label in ("ftp", "cms"):
            self.run_("secret", "add", self.box, label, "--generate")
        self.part()
        self.run_("secret", "set", self.box, "ftp", "--secret-fd", "0", stdin="here")
        self.run_("secret", "set", self.box, "cms", "--secret-fd", "0", stdin="here alone")
        self.run_("secret", "set", self.box, "ftp", "--secret-fd", "0", stdin="there",
                  env=self.there)
        done = self.meet(secrets=1, secrets_apart=1, passwords_apart=0, whole=False)
        self.assertIn("1 other secret was changed", done.stderr)
        for label, value in (("ftp", "there"), ("cms", "here alone")):
            shown = self.run_("show", self.box, label, "--reveal").stdout
            self.assertEqual(shown.splitlines()[0], value)

    def test_what_only_one_has_changed_is_whole(self):
        self.part()
        self.run_("rotate", self.other)
        self.run_("rotate", self.box, env=self.there)
        self.meet(passwords=1, passwords_apart=0, secrets_apart=0, whole=True)
        self.run_("verify", self.box, self.other)


class Foreign(Vault):
    """A vault of its own: what lies in the log is the test's alone."""

    def test_another_vaults_log_is_kept_apart_from_the_file(self):
        """A sync program has put another machine's vault.db beside our log."""
        listed = os.path.join(self.out, "list.csv")
        with open(listed, "w") as file:
            file.write("title,username,password,url\n")
            file.writelines(f"site {i},u{i},pw-{i},\n" for i in range(400))
        self.run_("import", listed, "--format", "csv", "--role", self.other, "-y")
        fold(self.vault)
        there = os.path.join(self.out, "there")
        shutil.copytree(os.path.dirname(self.vault), os.path.join(there, "data/passation"))
        elsewhere = self.world.env(XDG_DATA_HOME=os.path.join(there, "data"),
                                   XDG_STATE_HOME=os.path.join(there, "state"))
        for i in range(1, 400, 40):
            self.run_("secret", "set", self.other, f"site {i}", "--secret-fd", "0",
                      stdin=f"there {i}\n", env=elsewhere)
        earlier = os.path.join(there, "data/passation/vault.db")
        fold(earlier)
        self.run_("backup", self.copy)
        with open(self.vault + "-wal", "rb") as file:
            log = file.read()
        self.assertTrue(log)
        shutil.copy(earlier, self.vault + ".new")
        os.rename(self.vault + ".new", self.vault)
        with open(self.vault, "rb") as file:
            foreign = file.read()
        self.run_("backup", os.path.join(self.out, "none.db"), check=6)
        said = self.run_("restore", self.copy, "-y", "--accept-older").stdout
        kept, = (path for path in glob.glob(self.vault + ".before-restore-*")
                 if not path.endswith(("-wal", "-shm")) and
                 os.path.exists(path + "-wal"))
        for path, content in ((kept, foreign), (kept + "-wal", log)):
            self.assertIn(path, said)
            with open(path, "rb") as file:
                self.assertEqual(file.read(), content, path)
        self.run_("show", self.box)


class HandedOver(unittest.TestCase):
    def test_what_the_client_has_received_is_still_his(self):
        with Handing(BUILD) as world:
            box, = world.setup_client(mailboxes=1)
            world.person("martine", "client", "--email", "martine@x.example")
            copy = os.path.join(world.dir, "backup.db")
            world.run("backup", copy, check=0)
            world.prepare()
            folder, code = world.issue()
            receipt = world.opened(folder + "/trousseau.age", code)["receipt"]
            world.run("handover", "confirm", "essai", receipt, check=0)
            world.control("POST", "/password", {"address": box, "password": "His-Own-Word-1"})
            world.run("restore", copy, "--accept-older", "-y", check=0)
            done = world.run("due", "--apply", "-o", world.out)
            self.assertEqual(world.in_force(box), "His-Own-Word-1", done.stdout + done.stderr)
            world.run("rotate", box, check=13)


if __name__ == "__main__":
    unittest.main(verbosity=2)
