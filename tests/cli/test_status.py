#!/usr/bin/env python3
"""`status` over many clients: its sums are what `due`, `who` and `role ls` say.

    test_status.py BUILD
"""

import collections
import json
import os
import subprocess
import sys
import tempfile
import unittest

BUILD = None
MAILBOXES, A_CLIENT, PEOPLE = 300, 3, 7
COLUMNS = ("exposed", "unfinished", "drift", "due", "ending")
DRIFT = ("outside", "vanished", "moved", "appeared", "access")


def column(row):
    """Which column a line of `due` belongs to, as the manual page says."""
    if row["kind"] in ("rotate", "secret") or (row["kind"] == "resume" and row["person"]):
        return "exposed"
    if row["kind"] == "resume":
        return "unfinished"
    return "drift" if row["kind"] in DRIFT else "due"


class Status(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="psn-status-")
        cls.identity = os.path.join(cls.folder.name, "identity.txt")
        subprocess.run(["age-keygen", "-o", cls.identity], check=True, capture_output=True)
        os.chmod(cls.identity, 0o600)
        cls.vault = os.path.join(cls.folder.name, "v.db")
        subprocess.run([os.path.join(BUILD, "tests/make_vault"), cls.vault, cls.identity,
                        str(MAILBOXES), str(A_CLIENT), str(PEOPLE)], check=True)
        # It ends, and what he knows cannot be replaced: no client is linked.
        cls.passation("revoke", "p1", "box1@d0.example", status=13)
        cls.passation("grant", "p2", "box2@d0.example", "--until", "2099-01-01", "--code-fd", "1", "-o",
                cls.folder.name)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @classmethod
    def passation(cls, *args, status=0):
        done = subprocess.run(
            [os.path.join(BUILD, "passation"), "--no-input", "--vault", cls.vault,
             "--identity-file", cls.identity, *args], capture_output=True, text=True,
            env={"HOME": cls.folder.name, "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"},
            check=False)
        if done.returncode != status:
            raise AssertionError(f"{args}: {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout

    def json(self, *args, status=0):
        return json.loads(self.passation("--json", *args, status=status).splitlines()[0])

    def test_its_sums_are_those_of_due_and_role_ls(self):
        status = self.json("status")
        due = self.json("due", status=12)["due"]
        self.assertEqual(status["due"], due)
        wanted = collections.Counter((row["client"], column(row)) for row in due)
        self.assertGreater(len(wanted), MAILBOXES // A_CLIENT // 4)
        for row in status["overview"]:
            for name in COLUMNS[:4]:
                self.assertEqual(row[name], wanted[row["client"], name], row)
        self.assertEqual(sum(row[name] for row in status["overview"] for name in COLUMNS[:4]),
                         len(due))
        roles = self.json("role", "ls")["roles"]
        self.assertEqual(status["roles"]["count"], len(roles))
        boxes = collections.Counter(row["address"].split("@d")[1].split(".")[0] for row in roles)
        for row in status["overview"]:
            self.assertEqual(row["mailboxes"], boxes[row["client"][1:]], row)

    def test_what_it_calls_exposed_is_what_who_says(self):
        board = {row["client"]: row["secrets"] for row in self.json("who")["clients"]}
        self.assertEqual(board, {row["client"]: row["exposed"]
                                 for row in self.json("status")["overview"] if row["exposed"]})

    def test_the_worst_stand_first(self):
        rows = self.json("status")["overview"]
        self.assertEqual(len(rows), MAILBOXES // A_CLIENT)
        keys = [[-row[name] for name in COLUMNS] for row in rows]
        self.assertEqual(keys, sorted(keys))
        self.assertEqual(rows[0]["client"], "c0")  # box0 as the vault was made, box1 since

    def test_the_screen_is_cut_and_all_is_not(self):
        cut, whole = self.passation("status"), self.passation("status", "--all")
        named = [row["client"] for row in self.json("status")["overview"]
                 if any(row[name] for name in COLUMNS)]
        self.assertGreater(len(named), 20)
        words = set(cut.split())
        self.assertEqual([name in words for name in named], [i < 20 for i in range(len(named))])
        self.assertIn(f"and {len(named) - 20} more clients: passation status --all", cut)
        self.assertLessEqual(set(named), set(whole.split()))
        self.assertLessEqual(max(map(len, cut.splitlines()[7:])), 80)

    def test_one_client_is_told_in_full_with_what_to_type(self):
        shown = self.passation("status", "c0")
        for word in ("box0@d0.example", "box1@d0.example", "p0", "p1", "c0"):
            self.assertIn(word, shown)
        self.assertNotIn("d10.example", shown)
        whole, one = self.json("status"), self.json("status", "c0")
        self.assertEqual(one["due"], [row for row in whole["due"] if row["client"] == "c0"])
        self.assertEqual([row["client"] for row in one["overview"]], ["c0"])
        self.passation("status", "nobody", status=4)


if __name__ == "__main__":
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
