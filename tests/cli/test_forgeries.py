#!/usr/bin/env python3
"""Forged, damaged and hostile issues: none is opened, each class has its own message.

    test_forgeries.py BUILD

Forgeries are made with the stock tools (age, ssh-keygen), so that nothing of passation's own
writer is trusted to be able to make them. Prints tried/refused; at least 50 forgeries are tried.
"""

import hashlib
import os
import re
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.counts import Counts  # noqa: E402
from support.world import World  # noqa: E402

BUILD = sys.argv.pop(1)
COUNTS = Counts({"forgeries": 50, "damaged files": 30},
                {"forgeries": "2.6", "damaged files": "2.6"})
BEGIN = b"-----BEGIN SSH SIGNATURE-----"


class Forger:
    """An ssh key of somebody, and what he can do with it."""

    def __init__(self, folder, name):
        self.key = os.path.join(folder, name)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f",
                        self.key], check=True)
        with open(self.key + ".pub") as file:
            self.public = " ".join(file.read().split()[:2])
        listed = subprocess.run(["ssh-keygen", "-l", "-f", self.key + ".pub"], check=True,
                                capture_output=True, text=True).stdout
        self.fingerprint = listed.split()[1]

    def sign(self, content, namespace="passation-issue"):
        return subprocess.run(["ssh-keygen", "-q", "-Y", "sign", "-f", self.key, "-n", namespace],
                              input=content, check=True, capture_output=True).stdout


class Forgeries(unittest.TestCase):
    messages = {}
    sealed = {}  # ciphertext: the text in it, which tells one forgery from another

    @classmethod
    def setUpClass(cls):
        cls.world = World(BUILD).__enter__()
        cls.box = cls.world.setup_client(mailboxes=1)[0]
        cls.dir = tempfile.mkdtemp(dir=cls.world.home)
        cls.identity = os.path.join(cls.dir, "reader.txt")
        subprocess.run(["age-keygen", "-o", cls.identity], check=True, capture_output=True)
        cls.public = subprocess.run(["age-keygen", "-y", cls.identity], check=True,
                                    capture_output=True, text=True).stdout.strip()
        with open(cls.identity + ".pub", "w") as file:
            file.write(cls.public + "\n")
        cls.world.run("person", "add", "reader", "--kind", "provider", "--key",
                      cls.identity + ".pub", check=0)
        cls.world.run("secret", "add", cls.box, "ftp", "--secret-fd", "0", stdin="ftp-secret",
                      check=0)
        issue = cls.world.json("grant", "reader", cls.box, "--until", "2031-01-01", "--with",
                               "all", "--reason", "essai", "-o", cls.dir)["issues"][0]
        cls.path = issue["path"]
        cls.issuer = cls.world.json("key", "show")["fingerprint"]
        cls.plain = subprocess.run(["age", "-d", "-i", cls.identity, cls.path], check=True,
                                   capture_output=True).stdout
        cls.body, mark, tail = cls.plain.partition(BEGIN)
        cls.signature = mark + tail
        cls.mallory = Forger(cls.dir, "mallory")
        cls.canaries = [cls.world.in_force(cls.box).encode(), b"ftp-secret"]

    @classmethod
    def tearDownClass(cls):
        print(f"{len(cls.messages)} messages")
        cls.world.__exit__()

    # --- making and opening ---

    def seal(self, plain, recipient=None, name="forged.age", armor=False):
        path = os.path.join(self.dir, name)
        done = subprocess.run(["age", "-r", recipient or self.public, *(["-a"] if armor else [])],
                              input=plain, check=True, capture_output=True)
        with open(path, "wb") as file:
            file.write(done.stdout)
        self.sealed[done.stdout] = plain
        if os.path.exists(path + ".sig"):
            os.unlink(path + ".sig")
        return path

    def by_mallory(self, body):
        """A body that Mallory signs in his own name."""
        body = body.replace(self.issuer.encode(), self.mallory.fingerprint.encode())
        return body + self.mallory.sign(body)

    def open(self, path, issuer=None, identity=None):
        return subprocess.run([self.world.binary, "--vault", os.path.join(self.dir, "none.db"),
                               "--no-input", "open", path, "--reveal", "--identity-file",
                               identity or self.identity, "--issuer", issuer or self.issuer],
                              env=self.world.env(), capture_output=True, stdin=subprocess.DEVNULL)

    def forgery(self, path):
        """Which one it is: two that hold the same are one."""
        parts = []
        for name in (path, path + ".sig"):
            content = b"absent"
            if os.path.isfile(name):
                with open(name, "rb") as file:
                    content = file.read()
            parts.append(hashlib.sha256(self.sealed.get(content, content)).hexdigest())
        return tuple(parts)

    def refused(self, path, codes=(6,), says=None, issuer=None, identity=None, kind="forgeries"):
        with COUNTS.case(kind, (*self.forgery(path), issuer, identity)):
            done = self.open(path, issuer, identity)
            text = done.stderr.decode()
            self.assertIn(done.returncode, codes, text)
            self.assertEqual(done.stdout, b"")
            for canary in self.canaries:
                self.assertNotIn(canary, done.stderr)
            if says:
                self.assertIn(says, text)
        self.messages[re.sub(r"\d+|SHA256:\S+|'[^']*'", "…", text.splitlines()[0])] = True

    def test_the_genuine_issue_opens(self):
        done = self.open(self.path)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn(self.canaries[0], done.stdout)
        again = self.seal(self.plain, name="again.age", armor=True)
        self.assertEqual(self.open(again).returncode, 0)

    # --- the content ---

    def test_a_change_of_any_field_breaks_the_inner_signature(self):
        lines = self.body.split(b"\n")
        changed = 0
        for index, line in enumerate(lines):
            if b":" not in line and not line.startswith(b"| "):
                continue
            for old, new in ((b"1", b"2"), (b"a", b"b"), (b"e", b"a"), (b"m", b"n")):
                if old in line.split(b":", 1)[-1]:
                    head, _, tail = line.rpartition(old)
                    forged = b"\n".join([*lines[:index], head + new + tail, *lines[index + 1:]])
                    self.refused(self.seal(forged + self.signature))
                    changed += 1
                    break
        self.assertGreater(changed, 25)

    def test_a_line_taken_out_doubled_or_moved_is_no_issue(self):
        lines = self.body.split(b"\n")
        for index in range(0, len(lines) - 1):
            self.refused(self.seal(b"\n".join(lines[:index] + lines[index + 1:]) +
                                   self.signature))
            doubled = b"\n".join(lines[:index + 1] + lines[index:])
            self.refused(self.seal(doubled + self.signature))

    def test_what_a_trusted_issuer_would_never_write_is_refused_all_the_same(self):
        box = self.box.encode()
        cases = [
            (b"Passation-Issue: 1", b"Passation-Issue: 2"),
            (b"Right: read", b"Right: write"),
            (b"Serial: ", b"Serial: 0"),
            (b"Serial: ", b"Serial: 99999999"),
            (b"Until: 2031-", b"Until: never-"),
            (b"Until: ", b"Until:  "),
            (b"Mailbox: " + box, b"Mailbox: " + box.upper()),
            (b"Mailbox: " + box, b"Mailbox: ../../etc/passwd"),
            (b"Of: " + box, b"Of: autre@essai.example"),
            (b"Person: reader", b"Person: ../reader"),
            (b"Person: reader", b"Person: Reader"),
            (b"Client: essai", b"Client: es sai"),
            (b"Reason: essai", b"Reason: \x1b[2Jessai"),
            (b"Reason: essai", b"Reason: \xc2\x9bessai"),
            (b"Reason: essai", b"Reason: \xff\xfe"),
            (b"Reason: essai", b"Reason: a\x00b"),
            (b"Reason: essai", "Reason: a\u2028b".encode()),
            (b"Reason: essai", b"Reason: a\rb"),
            (b"Reason: essai", b"Reason:\n| essai"),
            (b"Reason: essai", b"Reason: "),
            (b"Reason: essai", b"Extra: essai"),
            (b"Reason: essai", b"Reason: " + b"x" * 5000),
            (b"Receipt: ", b"Receipt: I"),
            (b"Receipt: ", b"receipt: "),
            (b"Vault: ", b"Vault: 0"),
            (b"Issued: 20", b"Issued: 0x20"),
            (b"Version: ", b"Version: -"),
            (b"Value: ftp-secret", b"Value-Base64: ZnRw!"),
            (b"Value: ftp-secret", b"Value-Base64: ZnRwLXNlY3JldB=="),
            (b"Value: ftp-secret", b"Value:"),
            (b"Value: ftp-secret", b"Value: ftp-secret "),
            (b"Secret: ftp", b"Secret: \xe2\x80\xa9"),
            (b"End: passation-issue 1", b"End: passation-issue 2"),
            (b"End: passation-issue 1\n", b""),
            (b"\n\nMailbox:", b"\nMailbox:"),
            (b"\n\nMailbox:", b"\n\n\nMailbox:"),
            (b"Passation-Issue: 1\n", b"\xef\xbb\xbfPassation-Issue: 1\n"),
            (b"Passation-Issue: 1\n", b"\nPassation-Issue: 1\n"),
            (b"\n", b"\r\n"),
        ]
        for old, new in cases:
            self.assertIn(old, self.body)
            forged = self.by_mallory(self.body.replace(old, new))
            self.refused(self.seal(forged), issuer=self.mallory.fingerprint)
        for server in (b"IMAP: 127.0.0.1 0 SSL/TLS", b"IMAP: evil 993 plain",
                       b"IMAP: -x 993 SSL/TLS", b"IMAP: h 99999 SSL/TLS", b"IMAP: h"):
            forged = re.sub(rb"IMAP: [^\n]*", server, self.body)
            self.assertNotEqual(forged, self.body)
            self.refused(self.seal(self.by_mallory(forged)), issuer=self.mallory.fingerprint)
        for link in (b"Webmail: javascript:alert(1)", b"Webmail: http://x/", b"Webmail: https://",
                     b"Webmail: https://a\"b/"):
            forged = self.body.replace(b"IMAP: ", link + b"\nIMAP: ")
            self.refused(self.seal(self.by_mallory(forged)), issuer=self.mallory.fingerprint)

    # --- the signatures ---

    def test_an_unsigned_or_wrongly_signed_text_is_refused_with_its_own_message(self):
        self.refused(self.seal(self.body), says="not signed")
        other = self.body.replace(b"essai", b"autre")
        self.refused(self.seal(self.body + self.mallory.sign(other)))
        self.refused(self.seal(self.body + self.mallory.sign(self.body)),
                     says="names another issuer")
        self.refused(self.seal(self.body + self.mallory.sign(self.body, "passation-file")),
                     says="namespace")
        self.refused(self.seal(self.by_mallory(self.body)), says="not by the issuer you named")
        self.refused(self.seal(self.body + self.signature[:-30]))
        self.refused(self.seal(self.body + self.signature.replace(b"A", b"B", 1)))
        self.refused(self.seal(self.body + b"\n" + self.signature))
        self.refused(self.seal(self.body + self.signature.replace(b"SSH", b"PGP")))

    def test_a_byte_behind_the_end_is_a_forgery(self):
        for tail in (b"\n", b" ", b"\n\n", b"x", b"\r\n", self.signature, self.body, b"\0",
                     b"Password: evil\n"):
            self.refused(self.seal(self.plain + tail))
        self.refused(self.seal(self.plain[:-1]))
        self.refused(self.seal(b"Password: evil\n" + self.plain))

    def test_an_issue_that_was_passed_on_is_not_shown_to_who_gets_it(self):
        second = os.path.join(self.dir, "second.txt")
        if not os.path.exists(second):
            subprocess.run(["age-keygen", "-o", second], check=True, capture_output=True)
        public = subprocess.run(["age-keygen", "-y", second], check=True, capture_output=True,
                                text=True).stdout.strip()
        path = self.seal(self.plain, recipient=public)
        self.refused(path, identity=second, says="somebody else")
        self.refused(self.path, codes=(5,), identity=second)
        named = self.by_mallory(self.body.replace(self.public.encode(), b"code"))
        self.refused(self.seal(named), issuer=self.mallory.fingerprint, says="somebody else")

    def test_the_signature_beside_the_file_must_be_of_it_and_of_the_same_hand(self):
        path = self.seal(self.plain, name="beside.age")
        with open(path, "rb") as file:
            sealed = file.read()

        def beside(content):
            with open(path + ".sig", "wb") as file:
                file.write(content)

        with open(self.path + ".sig", "rb") as file:
            genuine = file.read()
        beside(genuine)
        self.refused(path, says="beside the file")
        beside(self.mallory.sign(sealed, "passation-file"))
        self.refused(path, says="different keys")
        beside(self.mallory.sign(sealed, "passation-issue"))
        self.refused(path, says="namespace")
        for garbage in (b"", b"\n", b"garbage", genuine[:-10], b"\0" * 100, genuine * 2):
            beside(garbage)
            self.refused(path)
        os.unlink(path + ".sig")
        os.symlink("/etc/hostname", path + ".sig")
        self.refused(path, codes=(1, 6, 10, 11))
        os.unlink(path + ".sig")

    # --- the wrapping ---

    def test_a_damaged_file_gives_nothing_away(self):
        with open(self.path, "rb") as file:
            sealed = file.read()
        path = os.path.join(self.dir, "damaged.age")
        for index in range(0, len(sealed), 37):
            with open(path, "wb") as file:
                file.write(sealed[:index] + bytes([sealed[index] ^ 1]) + sealed[index + 1:])
            self.refused(path, codes=(2, 5, 6, 13), kind="damaged files")
        for size in (0, 1, 20, 100, len(sealed) // 2, len(sealed) - 1):
            with open(path, "wb") as file:
                file.write(sealed[:size])
            self.refused(path, codes=(2, 5, 6, 13), kind="damaged files")

    def test_a_page_with_no_payload_or_two_is_refused(self):
        armored = subprocess.run(["age", "-r", self.public, "-a"], input=self.plain, check=True,
                                 capture_output=True).stdout
        path = os.path.join(self.dir, "page.html")
        page = b"<!doctype html>\n<pre>\n%s</pre>\n"
        with open(path, "wb") as file:
            file.write(page % armored)
        self.assertEqual(self.open(path).returncode, 0)
        for content in (page % b"", page % (armored + armored), page % armored[:-20],
                        page % armored.replace(b"\n", b"")):
            with open(path, "wb") as file:
                file.write(content)
            self.refused(path)

    def test_what_is_no_file_is_refused_without_harm(self):
        self.refused(os.path.join(self.dir, "absent.age"), codes=(4,), kind="damaged files")
        done = self.open(self.dir)
        self.assertNotEqual(done.returncode, 0)
        os.mkfifo(os.path.join(self.dir, "fifo"))
        done = self.open(os.path.join(self.dir, "fifo"))
        self.assertNotEqual(done.returncode, 0)
        big = os.path.join(self.dir, "big.age")
        with open(big, "wb") as file:
            file.truncate(64 * 1024 * 1024)
        done = self.open(big)
        self.assertIn(done.returncode, (2, 6), done.stderr)

    def test_two_texts_under_one_serial_are_not_both_kept(self):
        with World(BUILD) as other:
            other.identity = self.identity
            other.run("init", check=0)
            issuer = ["--store", "--issuer", self.mallory.fingerprint]
            first = self.seal(self.by_mallory(self.body), name="first.age")
            other.run("open", first, *issuer, check=0)
            other.run("open", first, *issuer, check=0)
            second = self.seal(self.by_mallory(self.body.replace(b"Reason: essai",
                                                                 b"Reason: autre")))
            other.run("open", second, *issuer, check=6)


if __name__ == "__main__":
    some = len(sys.argv) > 1
    result = unittest.main(verbosity=2, exit=False).result
    counted = COUNTS.finish()
    sys.exit(not result.wasSuccessful() or (counted and not some))
