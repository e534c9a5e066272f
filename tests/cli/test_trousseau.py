#!/usr/bin/env python3
"""`passation open` on a trousseau: what is shown, what is masked, and what is refused.

    test_trousseau.py BUILD VECTORS

The trousseau is the frozen one, made out to an age key, signed with ssh-keygen and encrypted
with age.
"""

import json
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.world import World  # noqa: E402

VECTORS = sys.argv.pop()
BUILD = sys.argv.pop()
KEY = "00112233445566778899aabbccddeeff" * 2
PASSWORD = "Tb4kn-Xw8pa-Rr2dm-Hq7ue"


class Trousseau(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.world = World(BUILD).__enter__()
        cls.dir = tempfile.mkdtemp(dir=cls.world.home)
        cls.world.run("init", check=0)
        public = subprocess.run(["age-keygen", "-y", cls.world.identity], check=True,
                                capture_output=True, text=True).stdout.strip()
        with open(os.path.join(VECTORS, "fingerprint")) as file:
            cls.issuer = file.read().strip()
        with open(os.path.join(VECTORS, "trousseau.txt"), "rb") as file:
            body = file.read().rpartition(b"-----BEGIN SSH SIGNATURE-----")[0]
        cls.path = cls.seal(body.replace(b"Recipient: code", b"Recipient: " + public.encode()),
                            public)

    @classmethod
    def tearDownClass(cls):
        cls.world.__exit__()

    @classmethod
    def seal(cls, body, public):
        key = os.path.join(cls.dir, "issuer")
        with open(os.path.join(VECTORS, "issuer")) as file, \
                open(os.open(key, os.O_CREAT | os.O_WRONLY, 0o600), "w") as copy:
            copy.write(file.read())
        signature = subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", key, "-n",
                                    "passation-issue"], input=body, check=True,
                                   capture_output=True).stdout
        path = os.path.join(cls.dir, "martine-martin-1795892400002.age")
        with open(path, "wb") as file:
            file.write(subprocess.run(["age", "-r", public], input=body + signature, check=True,
                                      capture_output=True).stdout)
        return path

    def open(self, *options, check=0):
        return self.world.run("open", self.path, "--issuer", self.issuer, *options, check=check)

    def test_a_person_sees_the_account_the_roles_and_the_files_but_no_secret(self):
        done = self.open()
        for shown in ("xm000000-ovh", "pain-martin.fr", "https://manager.eu.ovhcloud.com/",
                      "technique@boulangerie-martin.fr", "bitwarden.json",
                      "boulangerie-martin.fr.zone"):
            self.assertIn(shown, done.stdout)
        self.assertIn("These accesses are yours", done.stderr)
        for hidden in (KEY, PASSWORD):
            self.assertNotIn(hidden, done.stdout + done.stderr)

    def test_what_is_revealed_is_revealed_whole(self):
        done = self.open("--reveal")
        self.assertIn(KEY, done.stdout)
        self.assertIn(PASSWORD, done.stdout)
        self.assertNotIn("\"items\"", done.stdout)

    def test_a_program_reads_the_same(self):
        done = self.open("--json")
        found = json.loads(done.stdout)
        self.assertEqual(found["right"], "own")
        self.assertIsNone(found["until"])
        self.assertEqual(found["account"], {
            "nic": "xm000000-ovh", "domains": ["boulangerie-martin.fr", "pain-martin.fr"],
            "panel": "https://manager.eu.ovhcloud.com/"})
        self.assertEqual([(one["name"], one["media"]) for one in found["files"]], [
            ("bitwarden.json", "application/json"), ("boulangerie-martin.fr.zone", "text/dns"),
            ("lisez-moi.txt", "text/plain"), ("vide.txt", "text/plain")])
        self.assertEqual(found["files"][3]["size"], 0)
        self.assertEqual([one.get("self_change") for one in found["secrets"]],
                         ["webmail", None, None, "panel", None, "webmail", None])
        self.assertEqual(len(found["secrets"]), 7)
        self.assertIsNone(re.search(KEY + "|" + PASSWORD, done.stdout))
        found = json.loads(self.open("--json", "--reveal").stdout)
        self.assertEqual(found["account"]["fingerprint_key"], KEY)

    def test_its_roles_are_not_kept_as_received_ones(self):
        done = self.open("--store", check=13)
        self.assertIn("passation client import", done.stderr)
        self.assertNotIn("received", self.world.run("role", "ls", check=0).stdout)


if __name__ == "__main__":
    unittest.main()
