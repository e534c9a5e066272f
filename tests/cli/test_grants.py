#!/usr/bin/env python3
"""Grants, issues, exposures and receipts over the real binary: what a person may read, what he
has seen, and what follows.

    test_grants.py BUILD
"""

import contextlib
import datetime
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest
import zoneinfo

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support import fake_time  # noqa: E402
from support.world import World, keygen  # noqa: E402

BUILD = sys.argv.pop(1)


def document(text):
    """The fields of a document as (name, value) in their order; a small reader of its own."""
    fields = []
    for line in text.split("-----BEGIN SSH SIGNATURE-----")[0].splitlines():
        if line.startswith("| "):
            fields[-1] = (fields[-1][0], fields[-1][1] + line[2:] + "\n")
        elif line:
            name, value = line.split(":", 1)
            fields.append((name, value.strip()))
    return fields


class Vault(unittest.TestCase):
    """A vault with five mailboxes; each test has a folder of its own."""

    @classmethod
    def setUpClass(cls):
        cls.world = World(BUILD).__enter__()
        cls.boxes = cls.world.setup_client(mailboxes=5)
        cls.keys = os.path.join(cls.world.home, "keys")
        os.mkdir(cls.keys, 0o700)

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__()

    def setUp(self):
        self.out = os.path.join(self.world.home, "out-" + self.id().rsplit(".", 1)[1])
        os.mkdir(self.out, 0o700)

    def person(self, name, key=True, kind="provider", *more):
        public = None
        args = ["person", "add", name, "--kind", kind, *more]
        if key:
            path = os.path.join(self.keys, name + ".txt")
            public = keygen(path)
            args += ["--key", path + ".pub"]
        self.world.run(*args, check=0)
        return public

    def grant(self, *args, check=0):
        return self.world.run("--json", "grant", *args, "-o", self.out, check=check)

    def issue(self, *args):
        issues = json.loads(self.grant(*args).stdout)["issues"]
        self.assertEqual(len(issues), 1)
        return issues[0]

    def decrypt(self, path, name):
        return subprocess.run(["age", "-d", "-i", os.path.join(self.keys, name + ".txt"), path],
                              check=True, capture_output=True, text=True).stdout

    def issuer(self):
        return self.world.json("key", "show")


class Grants(Vault):
    # --- what is in a file ---

    def test_an_issue_opens_with_stock_age_and_holds_the_password_in_force(self):
        public = self.person("alice")
        issue = self.issue("alice", self.boxes[0], "--until", "2031-03-31", "--reason", "refonte")
        fields = document(self.decrypt(issue["path"], "alice"))
        values = dict(fields)
        self.assertEqual(fields[0], ("Passation-Issue", "1"))
        self.assertEqual(values["Mailbox"], self.boxes[0])
        self.assertEqual(values["Password"], self.world.in_force(self.boxes[0]))
        self.assertEqual(values["Recipient"], public)
        self.assertEqual(values["Serial"], str(issue["serial"]))
        self.assertEqual(values["Until"], "2031-03-31T21:59:59Z")
        self.assertEqual(values["Reason"], "refonte")
        self.assertEqual(fields[-1], ("End", "passation-issue 1"))
        self.assertEqual(os.path.basename(issue["path"]), f"alice-essai-{issue['serial']}.age")
        self.assertEqual(os.stat(issue["path"]).st_mode & 0o777, 0o600)

    def test_both_signatures_hold_for_stock_ssh_keygen(self):
        self.person("bert")
        issue = self.issue("bert", self.boxes[0], "--until", "2031-03-31")
        keys = self.issuer()
        allowed = os.path.join(self.out, "allowed")
        with open(allowed, "w") as file:
            file.write(keys["allowed_signers"] + "\n")
        who = keys["allowed_signers"].split()[0]

        def verify(namespace, signature, content):
            return subprocess.run(["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", who, "-n",
                                   namespace, "-s", signature], input=content,
                                  capture_output=True)

        with open(issue["path"], "rb") as file:
            sealed = file.read()
        done = verify("passation-file", issue["path"] + ".sig", sealed)
        self.assertEqual(done.returncode, 0, done.stderr)
        plain = self.decrypt(issue["path"], "bert").encode()
        head, mark, tail = plain.partition(b"-----BEGIN SSH SIGNATURE-----")
        inner = os.path.join(self.out, "inner.sig")
        with open(inner, "wb") as file:
            file.write(mark + tail)
        done = verify("passation-issue", inner, head)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotEqual(verify("passation-issue", inner, head + b" ").returncode, 0)

    def test_other_secrets_come_along_only_if_asked_for(self):
        self.person("carl")
        box = self.boxes[1]
        for label, value in (("ftp", "simple-value"), ("cle", "two\nlines  \n"),
                             ("bin", "tab\there")):
            self.world.run("secret", "add", box, label, "--secret-fd", "0", stdin=value + "\n",
                           check=0)
        plain = self.decrypt(self.issue("carl", box, "--until", "2031-01-01")["path"], "carl")
        self.assertNotIn("Secret:", plain)
        plain = self.decrypt(self.issue("carl", box, "--until", "2031-01-01", "--with",
                                        "ftp")["path"], "carl")
        self.assertIn("Value: simple-value\n", plain)
        self.assertNotIn("Secret: cle", plain)
        plain = self.decrypt(self.issue("carl", box, "--until", "2031-01-01", "--with",
                                        "all")["path"], "carl")
        self.assertIn("Value:\n| two\n| lines  \n| \n", plain)
        self.assertIn("Value-Base64: dGFiCWhlcmU=\n", plain)
        done = self.grant("carl", box, "--with", "nothing-like-it", check=4)
        self.assertIn("nothing-like-it", done.stdout)

    def test_a_code_is_told_once_on_its_descriptor_and_opens_the_file(self):
        self.person("dora", key=False)
        read, write = os.pipe()
        done = subprocess.run(self.world.command("--json", "grant", "dora", self.boxes[0],
                                                 "--until", "2031-01-01", "-o", self.out,
                                                 "--code-fd", str(write)),
                              env=self.world.env(), pass_fds=[write], capture_output=True,
                              text=True, stdin=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as pipe:
            told = pipe.read()
        self.assertEqual(done.returncode, 0, done.stderr)
        issue = json.loads(done.stdout)["issues"][0]
        self.assertRegex(told, rf"^{issue['serial']}\t([a-z]+-){{8}}[a-z]+\n$")
        code = told.split("\t")[1].strip()
        self.assertNotIn(code, done.stdout + done.stderr)
        for spelled in (code, code.upper().replace("-", "  ")):
            shown = subprocess.run([self.world.binary, "--no-input", "open", issue["path"],
                                    "--code-fd", "0", "--issuer", self.issuer()["fingerprint"],
                                    "--reveal"], input=spelled, capture_output=True, text=True,
                                   env=self.world.env())
            self.assertEqual(shown.returncode, 0, shown.stderr)
            self.assertIn(self.world.in_force(self.boxes[0]), shown.stdout)
        wrong = "-".join(reversed(code.split("-")))
        shown = subprocess.run([self.world.binary, "--no-input", "open", issue["path"],
                                "--code-fd", "0", "--issuer", self.issuer()["fingerprint"]],
                               input=wrong, capture_output=True, text=True, env=self.world.env())
        self.assertEqual(shown.returncode, 5, shown.stderr)
        self.assertEqual(shown.stdout, "")

    def test_without_a_way_to_tell_the_code_nothing_is_written_or_granted(self):
        self.person("emma", key=False)
        done = self.grant("emma", self.boxes[0], check=2)
        self.assertEqual(os.listdir(self.out), [])
        self.assertEqual(self.world.json("grant", "ls", "emma")["grants"], [])
        self.assertEqual(json.loads(done.stdout)["error"]["exit"], 2)

    def test_a_group_gets_one_issue_for_each_member(self):
        self.person("fay", True, "team", "--group", "compta")
        self.person("gus", True, "team", "--group", "compta", "--group", "seo")
        issues = json.loads(self.grant("@compta", self.boxes[2]).stdout)["issues"]
        self.assertEqual([issue["person"] for issue in issues], ["fay", "gus"])
        self.assertNotEqual(issues[0]["serial"], issues[1]["serial"])
        self.grant("@nobody", self.boxes[2], check=4)

    # --- who has seen what ---

    def test_who_tells_what_a_person_has_seen_and_whether_it_is_in_force(self):
        self.person("hugo")
        box = self.boxes[2]
        self.issue("hugo", box, "--until", "2031-01-01")
        before = self.world.json("who", "hugo")
        self.assertEqual(before["person"], "hugo")
        self.assertEqual([(row["address"], row["in_force"], row["how"]) for row in
                          before["seen"]], [(box, True, "issued")])
        self.assertEqual(before["reachable"], [{"address": box, "label": None, "by": "grant"}])
        version = before["seen"][0]["version"]
        self.world.run("rotate", box, check=0)
        after = self.world.json("who", "hugo")["seen"]
        self.assertEqual([(row["version"], row["in_force"]) for row in after],
                         [(version, False)])
        people = {row["person"] for row in self.world.json("who", box)["seen"]}
        self.assertIn("hugo", people)

    def test_after_a_rotation_the_outbox_gives_the_new_password_to_who_stays(self):
        self.person("iris")
        box = self.boxes[3]
        first = self.issue("iris", box, "--until", "2031-01-01")
        self.assertEqual(self.world.json("outbox", "iris", "-o", self.out)["issues"], [])
        self.world.run("rotate", box, check=0)
        due = [row for row in self.world.json("due", check=12)["due"]
               if row["person"] == "iris"]
        self.assertEqual([(row["kind"], row["address"]) for row in due], [("issue", box)])
        issues = self.world.json("outbox", "iris", "-o", self.out)["issues"]
        self.assertEqual([issue["addresses"] for issue in issues], [[box]])
        self.assertGreater(issues[0]["serial"], first["serial"])
        self.assertIn("Password: " + self.world.in_force(box) + "\n",
                      self.decrypt(issues[0]["path"], "iris"))
        self.assertEqual(self.world.json("outbox", "iris", "-o", self.out)["issues"], [])
        states = {row["serial"]: row["state"] for row in
                  self.world.json("outbox", "--all", "iris")["issues"]}
        self.assertEqual(states, {first["serial"]: "void", issues[0]["serial"]: "written"})

    def test_revoke_ends_the_grant_and_makes_the_seen_password_worthless(self):
        self.person("jp")
        self.person("kim")
        box = self.boxes[4]
        path = self.issue("jp", box, "--until", "2031-01-01")["path"]
        self.issue("kim", box, "--until", "2031-01-01")
        seen = dict(document(self.decrypt(path, "jp")))["Password"]
        self.world.run("revoke", "jp", box, check=0)
        self.assertNotEqual(self.world.in_force(box), seen)
        self.assertEqual([row["in_force"] for row in self.world.json("who", "jp")["seen"]],
                         [False])
        self.assertEqual(self.world.json("who", "jp")["reachable"], [])
        self.assertEqual([row["state"] for row in
                          self.world.json("grant", "ls", "jp")["grants"]], ["ended"])
        self.assertEqual(self.world.json("outbox", "jp", "-o", self.out)["issues"], [])
        issues = self.world.json("outbox", "kim", "-o", self.out)["issues"]
        self.assertEqual([issue["addresses"] for issue in issues], [[box]])
        self.world.run("revoke", "jp", box, check=4)
        self.world.run("person", "rm", "jp", check=0)

    def test_a_secret_that_no_api_changes_stays_due_until_it_is_set(self):
        self.person("luc")
        box = self.boxes[4]
        self.world.run("secret", "add", box, "stripe", "--type", "stripe", "--secret-fd", "0",
                       stdin="sk_one", check=0)
        self.issue("luc", box, "--until", "2031-01-01", "--with", "stripe")
        done = self.world.run("--json", "revoke", "luc", check=12)
        self.assertIn("stripe", done.stdout)
        self.world.run("person", "rm", "luc", check=13)
        self.world.run("secret", "set", box, "stripe", "--secret-fd", "0", stdin="sk_two",
                       check=0)
        due = json.loads(self.world.run("--json", "due").stdout)["due"]
        self.assertEqual([row for row in due if row["person"] == "luc"], [])
        self.world.run("person", "rm", "luc", check=0)

    def known_to(self, name):
        due = json.loads(self.world.run("--json", "due").stdout)["due"]
        return [row["label"] for row in due if row["person"] == name and row["kind"] == "secret"]

    def test_a_value_that_somebody_knows_is_not_made_new_by_a_new_number(self):
        self.person("gil")
        box = self.boxes[3]

        def give(verb, label, value):
            return self.world.run("secret", verb, box, label, "--secret-fd", "0", stdin=value,
                                  check=0).stderr

        give("add", "ftp", "first-one")
        self.issue("gil", box, "--until", "2031-01-01", "--with", "ftp")
        self.world.run("revoke", "gil", "--no-rotate", check=12)
        self.assertIn("'gil' knows this value", give("set", "ftp", "first-one"))
        self.assertEqual(self.known_to("gil"), ["ftp"])
        self.assertNotIn("gil", give("set", "ftp", "second-one"))
        self.assertEqual(self.known_to("gil"), [])
        give("set", "ftp", "first-one")
        self.assertEqual(self.known_to("gil"), ["ftp"])
        give("set", "ftp", "third-one")
        give("add", "other", "first-one")
        self.assertEqual(self.known_to("gil"), ["other"])

    def test_a_grant_that_runs_out_is_ended_rotated_and_reissued_unattended(self):
        self.person("max")
        self.person("noe")
        box = self.boxes[3]
        today = datetime.datetime.now(zoneinfo.ZoneInfo("Europe/Paris")).date()
        self.grant("max", box, "--until", today.isoformat())
        self.grant("noe", box, "--until", "2033-01-01")
        seen = self.world.in_force(box)
        later = fake_time.at("+2d")
        listed = json.loads(self.world.run("--json", "due", prefix=later).stdout)["due"]
        self.assertIn(("grant", "max"), [(row["kind"], row["person"]) for row in listed])
        self.assertNotIn(("grant", "noe"), [(row["kind"], row["person"]) for row in listed])
        done = self.world.run("--json", "due", "--apply", "-o", self.out, prefix=later)
        self.assertIn(done.returncode, (0, 12), done.stderr)
        self.assertNotEqual(self.world.in_force(box), seen)
        states = {row["person"]: row["state"] for row in self.world.json("grant", "ls",
                                                                         box)["grants"]}
        self.assertEqual((states["max"], states["noe"]), ("ended", "active"))
        of = [name.split("-")[0] for name in os.listdir(self.out) if name.endswith(".age")]
        self.assertEqual((of.count("max"), of.count("noe")), (1, 2))

    def test_a_leaver_is_never_issued_to(self):
        self.person("olga")
        self.issue("olga", self.boxes[0], "--until", "2031-01-01")
        self.world.run("revoke", "olga", "--no-rotate", check=12)
        self.world.run("rotate", self.boxes[0], check=0)
        done = self.world.run("--json", "outbox", "-o", self.out)
        self.assertIn(done.returncode, (0, 12), done.stderr)
        issues = json.loads(done.stdout)["issues"]
        self.assertNotIn("olga", {issue["person"] for issue in issues})

    # --- receipts ---

    def test_a_receipt_code_confirms_its_issue_and_five_wrong_ones_end_the_tries(self):
        self.person("pia")
        issue = self.issue("pia", self.boxes[1], "--until", "2031-01-01")
        code = dict(document(self.decrypt(issue["path"], "pia")))["Receipt"]
        self.world.run("receipt", "check", code[:-1] + ("0" if code[-1] != "0" else "1"), check=2)
        other = dict(document(self.decrypt(
            self.issue("pia", self.boxes[0], "--until", "2031-01-01")["path"], "pia")))["Receipt"]
        self.world.run("receipt", "check", str(issue["serial"]), other, check=11)
        shown = self.world.json("receipt", "check", code.lower().replace("-", " "))
        self.assertEqual((shown["serial"], shown["state"]), (issue["serial"], "confirmed"))
        third = self.issue("pia", self.boxes[2], "--until", "2031-01-01")
        right = dict(document(self.decrypt(third["path"], "pia")))["Receipt"]
        for _ in range(5):
            self.world.run("receipt", "check", str(third["serial"]), code, check=11)
        self.world.run("receipt", "check", str(third["serial"]), right, check=13)
        self.world.run("receipt", "check", "1", right, check=4)

    def test_a_wrong_receipt_code_says_where_the_page_shows_the_right_one(self):
        pages = os.path.join(os.path.dirname(__file__), "..", "..", "src", "page")
        for language in ("en", "fr"):
            with open(os.path.join(pages, f"message_{language}.ts"), encoding="utf-8") as file:
                title = re.search(r'receiptTitle: "(.*)"', file.read()).group(1)
            done = self.world.run("receipt", "check", "00000-00000-0", check=11,
                                  env=self.world.env(LC_ALL=language))
            self.assertIn(title, " ".join(done.stderr.split()))

    def test_a_rekey_keeps_people_grants_issues_and_what_was_seen(self):
        with World(BUILD) as world:
            box = world.setup_client(mailboxes=1)[0]
            path = os.path.join(self.keys, "rekeyed.txt")
            keygen(path)
            world.run("person", "add", "rekeyed", "--kind", "team", "--key", path + ".pub", check=0)
            done = world.run("--json", "grant", "rekeyed", box, "--until", "2031-01-01", "-o",
                             self.out, check=0)
            issue = json.loads(done.stdout)["issues"][0]
            asked = [("person", "show", "rekeyed"), ("grant", "ls"), ("who", "rekeyed"),
                     ("outbox", "--all")]
            before = [world.json(*words) for words in asked]
            self.assertIn(box, json.dumps(before[2]))
            world.run("rekey", "--recovery-out", os.path.join(self.out, "code"), check=0)
            self.assertEqual([world.json(*words) for words in asked], before)
            receipt = dict(document(self.decrypt(issue["path"], "rekeyed")))["Receipt"]
            self.assertEqual(world.json("receipt", "check", receipt)["serial"], issue["serial"])
            world.run("revoke", "rekeyed", check=0)

    # --- the receiver ---

    def test_an_unknown_issuer_is_refused_and_a_pinned_one_is_remembered(self):
        self.person("quin")
        issue = self.issue("quin", self.boxes[0], "--until", "2031-01-01")
        with World(BUILD) as other:
            key = os.path.join(self.keys, "quin.txt")
            other.identity = key
            other.run("init", check=0)
            done = other.run("open", issue["path"], check=13)
            self.assertEqual(done.stdout, "")
            self.assertIn(self.issuer()["fingerprint"], done.stderr)
            other.run("open", issue["path"], "--issuer", "SHA256:" + "A" * 43, check=6)
            other.run("open", issue["path"], "--issuer", self.issuer()["ssh"], check=0)
            shown = other.run("open", issue["path"], check=0)
            self.assertNotIn(self.world.in_force(self.boxes[0]), shown.stdout)
            self.assertIn(issue["path"] and "Receipt", shown.stdout)

    def test_a_received_role_is_kept_and_never_replaced_by_an_older_one(self):
        self.person("rosa")
        box = self.boxes[2]
        old = self.issue("rosa", box, "--until", "2031-01-01")
        old_password = self.world.in_force(box)
        self.world.run("rotate", box, check=0)
        new = [issue for issue in self.world.json("outbox", "rosa", "-o", self.out)["issues"]][0]
        with World(BUILD) as other:
            other.identity = os.path.join(self.keys, "rosa.txt")
            other.run("init", check=0)
            issuer = ["--issuer", self.issuer()["fingerprint"], "--store"]
            other.run("open", old["path"], *issuer, check=0)
            shown = other.run("show", box, "--reveal", check=0).stdout.splitlines()
            self.assertEqual(shown[0], old_password)
            self.assertEqual(other.role(box)["state"], "received")
            other.run("open", new["path"], *issuer, check=0)
            shown = other.run("show", box, "--reveal", check=0).stdout.splitlines()
            self.assertEqual(shown[0], self.world.in_force(box))
            other.run("open", old["path"], *issuer, check=13)
            shown = other.run("show", box, "--reveal", check=0).stdout.splitlines()
            self.assertEqual(shown[0], self.world.in_force(box))
            self.assertEqual(len(other.json("role", "ls")["roles"]), 1)
            other.run("rekey", "--recovery-out", os.path.join(self.out, "code"), check=0)
            shown = other.run("show", box, "--reveal", check=0).stdout.splitlines()
            self.assertEqual(shown[0], self.world.in_force(box))
            other.run("open", old["path"], "--store", check=13)
            other.run("open", new["path"], check=0)
            other.run("log", "--verify", check=0)

    def test_an_issue_to_the_vaults_own_key_needs_no_key_file(self):
        with World(BUILD) as other:
            other.run("init", check=0)
            public = other.json("key", "show")["age"]
            path = os.path.join(self.keys, "sam.pub")
            with open(path, "w") as file:
                file.write(public + "\n")
            self.world.run("person", "add", "sam", "--kind", "team", "--key", path, check=0)
            issue = self.issue("sam", self.boxes[0], "--until", "2031-01-01")
            self.opens_unlocked(other, issue)
            # Nor when the key was replaced since, twice: the vault keeps the former ones.
            other.run("key", "rotate", "-y", check=0)
            self.opens_unlocked(other, issue)
            other.run("rekey", "--leaver", "-y", "--recovery-out", os.path.join(self.out, "sam"),
                      check=0)
            self.opens_unlocked(other, issue, "--store")
            self.assertNotEqual(other.json("key", "show")["age"], public)

    def opens_unlocked(self, other, issue, *more):
        other.run("unlock", check=0)
        done = subprocess.run([other.binary, "--no-input", "open", issue["path"], "--issuer",
                               self.issuer()["fingerprint"], *more], env=other.env(),
                              capture_output=True, text=True, stdin=subprocess.DEVNULL)
        other.run("lock")
        self.assertEqual(done.returncode, 0, done.stderr)

    # --- people ---

    def test_people_have_keys_that_are_checked_over_the_telephone(self):
        public = self.person("tim")
        shown = self.world.json("person", "show", "tim")
        self.assertEqual([key["key"] for key in shown["keys"]], [public])
        self.assertIsNone(shown["keys"][0]["checked_at"])
        fingerprint = shown["keys"][0]["fingerprint"]
        self.assertTrue(re.fullmatch(r"\d{5}( \d{5}){5}", fingerprint))
        self.world.run("person", "key", "tim", "--checked", fingerprint, check=0)
        self.assertIsNotNone(self.world.json("person", "show", "tim")["keys"][0]["checked_at"])
        ssh = os.path.join(self.keys, "tim-ssh")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tim@x", "-f", ssh],
                       check=True)
        self.world.run("person", "key", "tim", "--add", ssh + ".pub", check=0)
        shown = self.world.json("person", "show", "tim")["keys"]
        self.assertTrue(shown[0]["key"].startswith("ssh-ed25519 AAAA") and shown[0]["in_use"])
        issue = self.issue("tim", self.boxes[0], "--until", "2031-01-01")
        plain = subprocess.run(["age", "-d", "-i", ssh, issue["path"]], check=True,
                               capture_output=True, text=True).stdout
        self.assertIn("Recipient: ssh-ed25519 AAAA", plain)
        done = subprocess.run([self.world.binary, "--no-input", "open", issue["path"],
                               "--issuer", self.issuer()["fingerprint"], "--identity-file", ssh],
                              env=self.world.env(), capture_output=True, text=True,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.world.run("person", "key", "tim", "--rm", public, check=0)
        self.assertEqual(len(self.world.json("person", "show", "tim")["keys"]), 1)

    def test_the_key_of_a_leaver_serves_nobody_else(self):
        self.person("ines")
        key = os.path.join(self.keys, "ines.txt.pub")
        done = self.world.run("person", "add", "studio", "--kind", "provider", "--key", key,
                              check=0)
        self.assertIn("'ines' has the same key", done.stderr)
        self.issue("studio", self.boxes[0], "--until", "2031-01-01")
        before = self.world.in_force(self.boxes[0])
        written = set(os.listdir(self.out))
        self.world.run("depart", "ines", "-o", self.out)
        self.assertNotEqual(self.world.in_force(self.boxes[0]), before)
        self.assertEqual([name for name in set(os.listdir(self.out)) - written
                          if name.startswith("studio")], [])
        for args in (("grant", "studio", self.boxes[1], "-o", self.out),
                     ("outbox", "studio", "-o", self.out),
                     ("person", "add", "other", "--kind", "provider", "--key", key),
                     ("person", "key", "studio", "--add", key)):
            done = self.world.run(*args, check=13)
            self.assertIn("also that of 'ines'", done.stderr)

    def test_the_key_of_a_leaver_who_was_removed_serves_nobody_else(self):
        """Nor one that was taken off him while nobody knew that he would leave."""
        old = self.person("rolf")
        self.person("uma")
        new = os.path.join(self.keys, "uma.txt.pub")
        self.world.run("person", "key", "rolf", "--add", new, check=0)
        self.world.run("person", "key", "rolf", "--rm", old, check=0)
        self.world.run("person", "add", "early", "--kind", "provider", "--key",
                       os.path.join(self.keys, "rolf.txt.pub"), check=0)
        self.world.run("person", "rm", "early", check=0)
        self.world.run("person", "rm", "uma", check=0)
        self.world.run("depart", "rolf", "-o", self.out, check=0)
        self.world.run("person", "rm", "rolf", check=0)
        self.person("studio2")
        for code in ("past-1", "past-2"):
            for name in ("rolf", "uma"):
                key = os.path.join(self.keys, f"{name}.txt.pub")
                for args in (("person", "add", "other", "--kind", "provider", "--key", key),
                             ("person", "add", "rolf", "--kind", "provider", "--key", key),
                             ("person", "key", "studio2", "--add", key)):
                    done = self.world.run(*args, check=13)
                    self.assertIn("also that of 'rolf'", done.stderr)
            self.world.run("rekey", "--recovery-out", os.path.join(self.out, code), check=0)

    def test_a_person_who_was_not_leaving_may_come_back_with_his_keys(self):
        first = self.person("vito")
        self.person("walt")
        self.world.run("person", "key", "vito", "--add",
                       os.path.join(self.keys, "walt.txt.pub"), check=0)
        self.world.run("person", "key", "vito", "--rm", first, check=0)
        for name in ("walt", "vito"):
            self.world.run("person", "rm", name, check=0)
        for name in ("walt", "vito"):
            self.world.run("person", "add", "back-" + name, "--kind", "team", "--key",
                           os.path.join(self.keys, f"{name}.txt.pub"), check=0)

    def test_bad_people_and_keys_are_refused_by_name(self):
        for key, code in (("age1qqqq", 2), ("ssh-rsa AAAA", 2), ("", 2),
                          ("AGE-SECRET-KEY-1QQQ", 2)):
            done = self.world.run("person", "add", "uwe", "--kind", "team", "--key", "-",
                                  stdin=key + "\n")
            self.assertEqual(done.returncode, code, (key, done.stderr))
        self.world.run("person", "add", "Bad Id", "--kind", "team", check=2)
        self.world.run("person", "add", "vera", check=2)
        self.world.run("person", "add", "vera", "--kind", "friend", check=2)
        self.world.run("person", "show", "nobody", check=4)
        self.world.run("who", "nobody", check=4)
        self.world.run("grant", "nobody", self.boxes[0], check=4)
        self.person("wim")
        self.grant("wim", "absent@essai.example", check=4)
        self.grant("wim", self.boxes[0], "--until", "2020-01-01", check=2)
        self.grant("wim", self.boxes[0], "--until", "demain", check=2)
        self.grant("wim", self.boxes[0], "--until", "2031-01-01", "--tz", "Mars/Base", check=2)
        self.assertEqual(os.listdir(self.out), [])

    def test_the_board_puts_the_worst_client_first(self):
        self.person("xan")
        self.issue("xan", self.boxes[0], "--until", "2031-01-01")
        self.world.run("revoke", "xan", "--no-rotate", check=12)
        board = self.world.json("who")["clients"]
        self.assertEqual(board[0]["client"], "essai")
        self.assertGreaterEqual(board[0]["people"], 1)
        self.world.run("rotate", self.boxes[0], check=0)


class Leavers(Vault):
    def test_status_names_the_key_that_a_leaver_may_know(self):
        world = self.world
        self.assertEqual(world.json("status")["keys_to_replace"], [])
        world.run("-y", "rekey", "--leaver", "--recovery-out", os.path.join(self.out, "code"),
                  check=12)
        self.assertEqual(world.json("status")["keys_to_replace"], ["essai"])
        self.assertIn("passation ovh link essai --new", world.run("status", check=0).stderr)


class Finishing(Vault):
    def resumed(self, *args, check=0):
        done = self.world.run("--json", "resume", *args, check=check, cwd="/")
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertIn("summary", lines[-1])
        return [issue for line in lines for issue in line.get("issues", [])], done.stderr

    def test_resume_writes_what_is_due_into_the_folder_it_was_to_go_to(self):
        box, other = self.boxes[0], os.path.join(self.world.home, "elsewhere")
        self.person("rest")
        self.issue("rest", box, "--until", "2031-01-01")
        self.world.run("rotate", box, check=0)
        issues, _ = self.resumed()
        self.assertEqual([os.path.dirname(row["path"]) for row in issues], [self.out])
        self.assertIn(f"Password: {self.world.in_force(box)}\n",
                      self.decrypt(issues[0]["path"], "rest"))
        self.assertIn("Nothing is unfinished", self.world.run("resume", check=0).stderr)
        os.mkdir(other, 0o700)
        self.world.run("rotate", box, check=0)
        issues, _ = self.resumed("-o", other)
        self.assertEqual([os.path.dirname(row["path"]) for row in issues], [other])
        self.world.run("rotate", box, check=0)
        os.rename(other, other + "-moved")
        issues, told = self.resumed(check=4)
        self.assertEqual(issues, [])
        self.assertIn(other, told)
        os.rename(other + "-moved", other)
        self.assertEqual(len(self.resumed()[0]), 1)

    def lose(self, folder):
        os.rmdir(folder)
        os.symlink(folder, folder)  # no folder, and not for want of a name: an error of the disk

    def test_a_folder_that_is_lost_holds_up_no_other(self):
        gone = os.path.join(self.world.home, "gone")
        os.mkdir(gone, 0o700)
        for name, folder in (("first", gone), ("second", self.out)):
            self.person(name)
            self.issue(name, self.boxes[3], "--until", "2031-01-01")
            self.world.run("rotate", self.boxes[3], check=0)
            self.world.run("outbox", name, "-o", folder, check=0)
        self.world.run("rotate", self.boxes[3], check=0)
        for name in os.listdir(gone):
            os.unlink(os.path.join(gone, name))
        self.lose(gone)
        issues, told = self.resumed(check=1)
        self.assertEqual([row["person"] for row in issues], ["second"])
        self.assertIn(gone, told)
        self.assertEqual(len(self.resumed("-o", self.out)[0]), 1)

    def test_what_keeps_a_mailbox_hides_nothing_about_an_issue(self):
        gone = os.path.join(self.world.home, "taken")
        os.mkdir(gone, 0o700)
        self.person("hid")
        self.world.run("grant", "hid", self.boxes[4], "--until", "2031-01-01", "-o", gone, check=0)
        self.world.run("rotate", self.boxes[4], check=0)
        os.rename(gone, gone + "-moved")
        with open(os.path.join(self.world.home, "data", "passation", "vault.db.lock"), "a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            told = self.world.run("resume", check=7).stderr
        self.assertIn(gone, told)
        self.assertEqual(len(self.resumed("-o", self.out)[0]), 1)

    def test_resume_of_one_mailbox_writes_no_issue(self):
        self.person("one")
        self.issue("one", self.boxes[1], "--until", "2031-01-01")
        self.world.run("rotate", self.boxes[1], check=0)
        self.assertEqual(self.resumed(self.boxes[1])[0], [])
        self.world.run("resume", self.boxes[1], "-o", self.out, check=2)
        self.world.run("resume", "--abandon", self.boxes[1], "--code-fd", "1", check=2)
        self.assertEqual(len(self.resumed()[0]), 1)

    def test_what_needs_a_code_waits_and_resume_says_so(self):
        self.person("nokey", key=False)
        self.world.run("grant", "nokey", self.boxes[2], "--until", "2031-01-01", "-o", self.out,
                       "--code-fd", "1", check=0)
        self.world.run("rotate", self.boxes[2], check=0)
        issues, told = self.resumed(check=12)
        self.assertEqual(issues, [])
        self.assertIn("--code-fd", told)
        done = self.world.run("resume", "--code-fd", "1", check=0, cwd="/")
        self.assertRegex(done.stdout, r"(?m)^\d+\t\S+$")
        self.assertEqual(self.resumed()[0], [])

    def test_ctrl_c_ends_resume_before_the_next_issue(self):
        for name in ("ann", "bea"):
            self.person(name, key=False)
            self.world.run("grant", name, self.boxes[2], "--until", "2031-01-01", "-o", self.out,
                           "--code-fd", "1", check=0)
        self.world.run("rotate", self.boxes[2], check=0)
        before = set(os.listdir(self.out))
        codes, told = os.pipe()  # full: the first code cannot be told
        os.set_blocking(told, False)
        with contextlib.suppress(BlockingIOError):
            while True:
                os.write(told, b"x" * 4096)
        os.set_blocking(told, True)
        resume = subprocess.Popen(
            self.world.command("resume", "--code-fd", str(told)), env=self.world.env(),
            pass_fds=[told], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE, text=True)
        os.close(told)
        deadline = time.monotonic() + 60
        while not any(name.endswith(".age") for name in set(os.listdir(self.out)) - before):
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)
        resume.send_signal(signal.SIGINT)
        with open(codes) as pipe:
            self.assertEqual(pipe.read().strip("x").count("\n"), 1)
        self.assertIn("passation resume", resume.communicate(timeout=60)[1])
        self.assertEqual(resume.returncode, 10)
        self.assertEqual(len(self.resumed("--code-fd", "2")[0]), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
