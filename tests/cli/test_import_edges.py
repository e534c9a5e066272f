#!/usr/bin/env python3
"""What comes in is neither lost nor shown to the wrong eyes, comes in once, and goes out and in
again as it was.

usage: test_import_edges.py PASSATION
"""

import json
import os
import pty
import select
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.importing import PASSPHRASE, Importing, main  # noqa: E402

# A secret of each kind, and what could be taken for something else on its way.
KINDS = [
    ("ovh", "ovh-login", b"=p\"w,1", {"user": "ab12345-ovh", "url": "https://www.ovh.com"}),
    ("Accès FTP", "ftp", "été-'x'".encode(), {"user": "+me", "note": "the code is on paper"}),
    ("base", "database", b"two\nlines\n", {"note": "lists show this\nIMAP: x 993 ssl"}),
    ("seed", "totp", b"jbsw y3dp ehpk 3pxp", {"user": "bob"}),
    ("seed 2", "totp", b"otpauth://totp/x?secret=GEZDGNBVGY3TQOJQ&digits=8", {}),
    ("key", "ssh-key", b"-----BEGIN KEY-----\nabc\n-----END KEY-----\n", {}),
    ("codes", "recovery", b"aaaa-1111\nbbbb-2222\ncccc-3333\n", {"note": "kept at the bank"}),
    ("blob", "licence", b"\xff\xfe\x00bytes", {"expires": "2027-01-31"}),
    ("plain", "", b"- plain -", {"note": "a note"}),
    ("a/b.c", "", b"\ttab", {}),
    (".hidden", "", b"\r", {}),
    ("@formula", "", b"'quoted", {"user": "=1+1", "note": "-1"}),
    ("sav@martin.fr", "", b"no mailbox", {"user": "contact@martin.fr"}),
    ("compta@martin.fr", "", b"its own mailbox's name", {}),
    ("Compta@Martin.FR", "ftp", b"the same", {"user": "compta@martin.fr"}),
    ("Webmail", "", b"not contact's", {"user": "contact@martin.fr",
                                       "url": "https://webmail.ovh.net"}),
    ("Twin", "", b"one", {}),
    ("Twin (2)", "", b"two", {}),
    ("notes", "", b"pin: 1234", {}),
]
KEEPASS = """<KeePassFile><Meta/><Root><Group><Name>R</Name><Entry>
<String><Key>Title</Key><Value>Bank</Value></String>
<String><Key>Password</Key><Value>p1</Value></String>
%s</Entry></Group></Root></KeePassFile>
"""


class EdgesTest(Importing):
    def mailbox(self, address="compta@martin.fr", password="Boîte-1"):
        self.take(self.write("mailbox.csv", f"title,password\n{address},{password}\n"))

    def secrets(self):
        rows = json.loads(self.passation("--json", "secret", "ls"))["secrets"]
        return {(row["address"], row["label"]): row for row in rows}

    # --- nothing is lost without a word ---

    def test_one_time_codes_of_keepass_come_in_with_their_settings(self):
        self.mailbox()
        path = self.write("k.xml", KEEPASS % """
<String><Key>TimeOtp-Secret-Base32</Key><Value>GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ</Value></String>
<String><Key>TimeOtp-Length</Key><Value>8</Value></String>
<String><Key>TimeOtp-Algorithm</Key><Value>HMAC-SHA-256</Value></String>""")
        self.take(path, "--role", "compta@martin.fr")
        seed = self.reveal("compta@martin.fr", "Bank totp")
        self.assertIn("digits=8&algorithm=SHA256", seed)
        code = self.passation("otp", "compta@martin.fr", "Bank totp").splitlines()[0]
        self.assertEqual(len(code), 8)

    def test_what_is_left_out_is_told_and_the_rest_comes_in(self):
        self.mailbox()
        path = self.write("k.xml", KEEPASS % """
<Binary><Key>contrat.pdf</Key><Value Ref="0"/></Binary>
<String><Key>TOTP Seed</Key><Value>JBSWY3DPEHPK3PXP</Value></String>
<String><Key>TOTP Settings</Key><Value>30;S</Value></String>""")
        answer = self.take(path, "--role", "compta@martin.fr")
        self.assertEqual(answer["summary"]["left_out"], 2)
        self.assertEqual(answer["summary"]["added"], 1)
        left = {row["label"]: row["why"] for row in answer["entries"]
                if row["result"] == "left_out"}
        self.assertIn("attachment contrat.pdf", left)
        self.assertIn("kind that is not known", left["TOTP"])
        done = self.run_raw("-y", "import", path, "--role", "compta@martin.fr")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("contrat.pdf", done.stdout)
        self.assertIn("2 parts of entries are left out", done.stderr)
        self.assertIn("once the rest is taken", done.stderr)

    def test_a_library_that_cannot_be_loaded_is_named_with_its_package(self):
        path = self.write("k.xml", KEEPASS % "")
        os.mkdir(self.at("lib"))
        self.write("lib/libexpat.so.1", "")  # found before the system's, and no library
        self.environment["LD_LIBRARY_PATH"] = self.at("lib")
        done = self.run_raw("-y", "import", path)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("cannot load the library libexpat", done.stderr)
        self.assertIn("libexpat1", done.stderr)
        self.assertEqual(self.secrets(), {})

    def test_what_pass_keeps_encrypted_stands_in_no_list(self):
        self.mailbox()
        to = self.tool("age-keygen", "-y", self.identity).strip()
        os.makedirs(self.at("store"))
        self.tool("age", "-r", to, "-o", self.at("store/Bank.age"),
                  given="p1\nuser: bob\npin: 1234\ncolour: blue-5\n\nfree text 99\n")
        self.take(self.at("store"), "--format", "passage", "--identity", self.identity,
                  "--role", "compta@martin.fr")
        self.assertEqual(self.reveal("compta@martin.fr", "Bank pin"), "1234")
        self.assertEqual(self.reveal("compta@martin.fr", "Bank notes"),
                         "colour: blue-5\n\nfree text 99")
        listed = self.passation("--json", "secret", "ls")
        for text in ("1234", "blue-5", "free text"):
            self.assertNotIn(text, listed)

    def test_a_note_or_field_that_speaks_of_a_secret_is_sealed(self):
        self.mailbox()
        path = self.write("x.csv", "title,password,notes,PIN,Agence\n"
                          "Bank,p1,Code porte 77B,4711,Lyon\nShop,p2,compte pro,,\n")
        self.take(path, "--role", "compta@martin.fr")
        self.assertEqual(self.reveal("compta@martin.fr", "Bank notes"), "Code porte 77B")
        self.assertEqual(self.reveal("compta@martin.fr", "Bank PIN"), "4711")
        known = self.secrets()
        self.assertEqual(known["compta@martin.fr", "Bank"]["note"], "Agence: Lyon")
        self.assertEqual(known["compta@martin.fr", "Shop"]["note"], "compte pro")

    def test_a_reference_of_keepass_is_told_and_never_taken_for_the_value(self):
        self.mailbox()
        text = (KEEPASS % "<String><Key>UserName</Key><Value>{REF:U@I:0A}</Value></String>")
        path = self.write("k.xml", text)
        args = (path, "--role", "compta@martin.fr")
        entries = self.take(*args)["entries"]
        self.assertEqual([(e["label"], e["result"]) for e in entries],
                         [("Bank", "added"), ("user name", "left_out")])
        path = self.write("k.xml", text.replace("p1", "{REF:P@I:46C9B1FFBD4ABC4BBB260C6190BAD20C}"))
        self.passation("-y", "import", *args, exit=4)
        entry, = self.take(*args, "--skip", "--replace")["entries"]
        self.assertEqual((entry["result"], entry["why"]),
                         ("unusable", "its password refers to another entry of KeePass"))
        self.assertEqual(self.reveal("compta@martin.fr", "Bank"), "p1")

    def test_what_bitwarden_has_beside_the_values_in_force_is_as_the_manual_says(self):
        self.mailbox()
        item = {"type": 1, "name": "Steam", "login": {"password": "now", "totp": "steam://ABC234"},
                "passwordHistory": [{"lastUsedDate": "2026-01-01T00:00:00Z", "password": "old"}]}
        items = [item, {**item, "name": "Trash", "deletedDate": "2026-01-01T00:00:00Z"}]
        path = self.write("b.json", json.dumps({"encrypted": False, "items": items}))
        answer = self.take(path, "--role", "compta@martin.fr")
        self.assertEqual(self.results(answer), {("compta@martin.fr", "Steam"): "added",
                                                ("compta@martin.fr", "Steam totp"): "added"})
        self.assertEqual(self.reveal("compta@martin.fr", "Steam totp"), "steam://ABC234")
        self.assertFalse(self.secrets()["compta@martin.fr", "Steam totp"]["type"])

    # --- once ---

    def test_two_entries_of_one_account_settle_with_the_first_run(self):
        self.mailbox()
        path = self.write("x.csv", "title,username,password,url\n"
                          "Shop,bob,one,https://shop.fr\nShop,bob,two,https://shop.fr\n"
                          "compta@martin.fr,,Boîte-2,\ncompta@martin.fr,,Boîte-3,\n")
        args = (path, "--role", "compta@martin.fr", "--replace")
        summary = self.take(*args)["summary"]
        self.assertEqual((summary["added"], summary["replaced"]), (2, 1))
        self.assertEqual(self.reveal("compta@martin.fr", ""), "Boîte-2")
        self.assertEqual({self.reveal("compta@martin.fr", label)
                          for label in ("Shop", "Shop (2)")}, {"one", "two"})
        for _ in range(2):
            summary = self.take(*args)["summary"]
            self.assertEqual((summary["added"], summary["replaced"]), (0, 0))
            self.assertEqual((summary["same"], summary["different"]), (3, 1))
        done = self.run_raw("-y", "import", *args)
        self.assertNotIn("--replace", done.stderr)
        self.assertIn("an entry before it", done.stdout)

    def test_what_was_removed_comes_back_with_replace_alone(self):
        self.mailbox()
        path = self.write("x.csv", "title,password\nShop,one\n")
        args = ("-y", "import", path, "--role", "compta@martin.fr")
        self.run_raw(*args)
        for value in ("one", "two"):
            self.write("x.csv", f"title,password\nShop,{value}\n")
            self.passation("-y", "secret", "rm", "compta@martin.fr", "Shop")
            done = self.run_raw(*args)
            self.assertIn("removed here", done.stdout)
            self.assertIn("--replace", done.stderr)
            self.assertNotIn(("compta@martin.fr", "Shop"), self.secrets())
            self.run_raw(*args, "--replace")
            self.assertEqual(self.reveal("compta@martin.fr", "Shop"), value)
            self.assertIn("already here", self.run_raw(*args, "--replace").stdout)

    def test_a_file_that_is_not_utf8_says_how_to_convert_it_and_nothing_of_it_is_taken(self):
        self.mailbox()
        path = self.write("x.csv", "")
        for text in ("title,password\nécole,b\n", "title,mot de passe,libellé\nEcole,b,x\n",
                     "title,password\nEcole,Sésame-Ouvre-99\n"):
            with open(path, "w", encoding="latin-1") as file:
                file.write(text)
            done = self.run_raw("-y", "import", path, "--role", "compta@martin.fr")
            self.assertIn(f"iconv -f WINDOWS-1252 -t UTF-8 '{path}' >NEW", " ".join(
                (done.stdout + done.stderr).split()))
            self.assertEqual(self.secrets(), {})
        for encoding in ("utf-16-le", "utf-16-be"):
            with open(path, "w", encoding=encoding) as file:
                file.write("\ufefftitle,password\nEcole,Sésame-Ouvre-99\n")
            done = self.run_raw("-y", "import", path, "--role", "compta@martin.fr")
            self.assertIn(f"iconv -f UTF-16 -t UTF-8 '{path}' >NEW",
                          " ".join(done.stderr.split()))
            self.assertNotIn("1252", done.stderr)
            self.assertEqual(self.secrets(), {})
        for encoding in ("UTF-16LE", "UTF-16BE"):
            with open(path, "w", encoding=encoding) as file:
                file.write("title,password\nEcole,Sésame-Ouvre-99\n")
            done = self.run_raw("-y", "import", path, "--role", "compta@martin.fr")
            self.assertIn(f"iconv -f {encoding} -t UTF-8 '{path}' >NEW",
                          " ".join(done.stderr.split()))

    def test_a_nul_in_a_csv_file_is_not_taken_for_another_encoding(self):
        self.mailbox()
        for text, said in (("title,password\nEcole,a\0b\n", "it holds what is not text"),
                           ("ti\0tle,password\nEcole,b\n", "no text")):
            done = self.run_raw("-y", "import", self.write("x.csv", text), "--role",
                                "compta@martin.fr")
            self.assertIn(said, done.stdout + done.stderr)
            self.assertNotIn("iconv", done.stdout + done.stderr)
            self.assertEqual(self.secrets(), {})

    def test_a_file_that_holds_no_secret_is_not_said_to_hold_passwords(self):
        self.mailbox()
        for text, warned in (("title,password\n", False), ("title,password\nEcole,\n", False),
                             ("title,password\nEcole,b\n", True)):
            done = self.run_raw("-y", "import", self.write("x.csv", text), "--role",
                                "compta@martin.fr")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual("in clear" in done.stderr, warned, done.stderr)
        done = self.run_raw("-y", "import", self.at("x.csv"), "--role", "compta@martin.fr")
        self.assertIn("Imported: 0 secrets", done.stderr + done.stdout)
        self.assertIn("in clear", done.stderr)

    # --- a preview is as good as the run ---

    def test_a_preview_ends_as_the_run_would(self):
        self.mailbox()
        long = "x" * 20000
        path = self.write("x.csv", f"title,password\nLoin,b\nLong,{long}\n")
        for args in (("-n",), ("-y",)):
            done = self.run_raw("import", path, *args)
            self.assertEqual(done.returncode, 4, done.stderr)
            self.assertIn("no place", done.stdout)
            self.assertIn("not usable", done.stdout)
        done = self.run_raw("--json", "import", path, "-n")
        self.assertEqual(done.returncode, 4)
        summary = json.loads(done.stdout)["summary"]
        self.assertEqual((summary["unplaced"], summary["unusable"]), (1, 1))
        told = self.run_raw("import", path, "-n", "--skip")
        self.assertEqual(told.returncode, 0)
        self.assertIn("has no place here, and is left out", told.stderr)
        self.assertNotIn("--skip", told.stderr)
        path = self.write("y.csv", f"title,password\nLong,{long}\n")
        done = self.run_raw("import", path, "-n", "--role", "compta@martin.fr")
        self.assertEqual(done.returncode, 4)
        self.assertIn("cannot be used", done.stderr)
        self.assertNotIn("--role", done.stderr)

    # --- out, and in again ---

    def kinds(self):
        """A vault with a secret of each kind; what it holds."""
        for address in ("compta@martin.fr", "sav@martin.fr", "contact@martin.fr"):
            self.mailbox(address, "of " + address)
        for label, kind, value, more in KINDS:
            reading, writing = os.pipe()
            # One final newline is taken away from what is read.
            os.write(writing, value + b"\n")
            os.close(writing)
            options = [word for name, text in more.items() for word in (f"--{name}={text}",)]
            kind = ["--type", kind] if kind else []
            self.passation("secret", "add", *kind, *options, "--secret-fd", str(reading), "--",
                           "compta@martin.fr", label, fds=(reading,))
            os.close(reading)
        self.passation("otp", "compta@martin.fr", "codes", "--recovery", "--used", "1")
        self.passation("otp", "compta@martin.fr", "codes", "--recovery", "--used", "3")
        return self.holds()

    def holds(self):
        """All there is, without when it was put there."""
        found = {}
        for address in ("compta@martin.fr", "sav@martin.fr", "contact@martin.fr"):
            found[address, ""] = self.reveal(address, "")
        for key, row in self.secrets().items():
            shown = json.loads(self.passation("--json", "show", *key[:1], "--reveal", "--",
                                              key[1]))
            value = shown.get("value", shown.get("password")) or shown.get("value_base64")
            found[key] = [value, shown.get("encoding"), *(row.get(name) for name in
                          ("type", "username", "url", "note", "expires", "codes"))]
        listed = json.loads(self.passation("--json", "otp", "compta@martin.fr", "codes",
                                           "--recovery", "--list"))
        found["used"] = listed
        return found

    def check_again(self, before, *args):
        self.new_vault("two")
        summary = self.take(*args)["summary"]
        self.assertEqual({name for name, count in summary.items() if count},
                         {"added", "new_roles"})
        self.assertEqual(summary["added"], len(KINDS) + 3)
        after = self.holds()
        for key, value in before.items():
            self.assertEqual(after.get(key), value, key)
        self.assertEqual(after, before)
        summary = self.take(*args)["summary"]
        self.assertEqual({name for name, count in summary.items() if count}, {"same"})

    def test_csv_comes_back_as_it_went(self):
        before = self.kinds()
        self.passation("-y", "export", "--format", "csv", "-o", "m.csv")
        self.check_again(before, "m.csv")

    def test_bitwarden_json_comes_back_as_it_went(self):
        before = self.kinds()
        self.passation("-y", "export", "--format", "bitwarden-json", "-o", "m.json")
        self.check_again(before, "m.json")

    def test_a_passage_tree_comes_back_as_it_went(self):
        before = self.kinds()
        to = self.tool("age-keygen", "-y", self.identity).strip()
        self.passation("-y", "export", "--format", "passage", "--to", to, "-o", "tree/")
        self.check_again(before, "tree", "--identity", self.identity)

    @unittest.skipUnless(shutil.which("keepassxc-cli"), "no keepassxc-cli")
    def test_a_kdbx_comes_back_by_keepassxc_as_it_went(self):
        before = self.kinds()
        fd = self.with_fd(PASSPHRASE)
        self.passation("-y", "export", "--format", "kdbx", "-o", "m.kdbx",
                       "--new-passphrase-fd", str(fd), fds=(fd,))
        text = subprocess.run(["keepassxc-cli", "export", "-q", "-f", "xml", "m.kdbx"],
                              env=self.environment, input=PASSPHRASE.encode() + b"\n",
                              capture_output=True, cwd=self.home, check=True).stdout
        with open(self.at("m.xml"), "wb") as file:
            file.write(text)
        # KeePassXC's XML has a CR as it is, of which a parser of XML makes a line end.
        before["compta@martin.fr", ".hidden"][0] = "\n"
        self.check_again(before, "m.xml")

    # --- an export that cannot be written has disclosed nothing ---

    def test_nothing_counts_as_exported_that_could_not_be_written(self):
        self.mailbox()
        os.mkdir(self.at("closed"), 0o500)
        name = "x" * 300
        for path, code in (("m.csv/", 2), ("nowhere/m.csv", 4), (f"{name}.csv", None),
                           ("mailbox.csv/m.csv", None), ("closed/m.csv", 1)):
            if path.startswith("closed") and os.geteuid() == 0:
                continue
            done = self.run_raw("-y", "export", "--format", "csv", "-o", path)
            self.assertNotEqual(done.returncode, 0, path)
            if code is not None:
                self.assertEqual(done.returncode, code, done.stderr)
        self.assertNotIn("exported", self.passation("--json", "who", "jp"))

    def test_the_journals_export_ends_with_an_object(self):
        answer = json.loads(self.passation("--json", "export", "--format", "journal", "-o",
                                           "j.jsonl"))
        with open(self.at("j.jsonl"), encoding="utf-8") as file:
            lines = len(file.read().splitlines())
        self.assertEqual(answer, {"format": "journal", "path": "j.jsonl", "entries": lines})
        out = self.passation("--json", "export", "--format", "journal", "-o", "-")
        self.assertTrue(all("event" in json.loads(line) for line in out.splitlines()))

    # --- what lies in memory, and what gpg is told ---

    @unittest.skipUnless(os.geteuid() == 0, "not root: another process's memory is closed")
    def test_while_the_question_waits_no_password_lies_in_unlocked_memory(self):
        self.mailbox()
        rows = "".join(f"Site {i},u{i},needle-{i:06}-in-the-hay\n" for i in range(5000))
        path = self.write("x.csv", "title,username,password\n" + rows)
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.home)
            os.execve(self.binary, [self.binary, "--vault", self.at(self.vault),
                                    "--identity-file", self.identity, "import", path,
                                    "--role", "compta@martin.fr"],
                      {**self.environment, "TERM": "dumb"})
        try:
            said = b""
            end = time.monotonic() + 60
            while b"Import 5000 secrets?" not in said and time.monotonic() < end:
                if select.select([terminal], [], [], 1)[0]:
                    said += os.read(terminal, 65536)
            self.assertIn(b"Import 5000 secrets?", said)
            self.assertEqual(self.unlocked(pid, b"-in-the-hay"), [])
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            os.close(terminal)

    def unlocked(self, pid, needle):
        """The mappings that hold it, without those that are locked."""
        found = []
        with open(f"/proc/{pid}/smaps", encoding="utf-8") as file, \
                open(f"/proc/{pid}/mem", "rb", 0) as memory:
            where = None
            for line in file:
                words = line.split()
                if "-" in words[0] and ":" not in words[0]:
                    begin, end = (int(word, 16) for word in words[0].split("-"))
                    where = (begin, end, words[1], words[-1])
                elif words[0] == "VmFlags:" and where[2][0] == "r" and "lo" not in words:
                    memory.seek(where[0])
                    try:
                        if needle in memory.read(where[1] - where[0]):
                            found.append(where)
                    except OSError:
                        pass
        return found

    def test_gpg_is_asked_to_decrypt_and_to_reach_no_network(self):
        self.mailbox()
        os.makedirs(self.at("bin"))
        os.makedirs(self.at("store"))
        self.write("store/.gpg-id", "x\n")
        self.write("store/Bank.gpg", "sealed")
        script = self.write("bin/gpg", '#!/bin/sh\necho "$@" >> "$HOME/asked"\necho p1\n')
        os.chmod(script, stat.S_IRWXU)
        self.environment["PATH"] = self.at("bin") + ":" + self.environment["PATH"]
        self.take(self.at("store"), "--role", "compta@martin.fr")
        with open(self.at("asked"), encoding="utf-8") as file:
            asked = file.read().split()
        for word in ("--no-auto-key-retrieve", "--no-auto-key-locate", "--disable-dirmngr",
                     "--batch", "--decrypt"):
            self.assertIn(word, asked)

    def heads(self):
        """How often the head of each client's journal was written."""
        with sqlite3.connect(f"file:{self.at(self.vault)}?mode=ro", uri=True) as db:
            return sorted(number for number, in
                          db.execute("SELECT revision FROM record WHERE tab = 10"))

    def lines(self, domains, count):
        rows = (f"n{row}@{domain},pw-{row}\n" for row in range(count) for domain in domains)
        return self.write("many.csv", "title,password\n" + "".join(rows))

    def test_many_entries_write_the_head_of_a_journal_once(self):
        self.mailbox()
        before, = self.heads()
        self.take(self.lines(["martin.fr"], 5))
        self.assertEqual(self.heads(), [before + 1])
        log = json.loads(self.passation("--json", "log"))["log"]
        self.assertEqual(6, sum(one["event"] == "mailbox.imported" for one in log))
        self.passation("log", "--verify")

    def test_entries_of_two_clients_by_turns_are_all_in_their_journals(self):
        self.passation("client", "add", "durand", "--nic", "cd12345-ovh", "--domain", "durand.fr")
        self.take(self.lines(["martin.fr", "durand.fr"], 4))
        self.passation("log", "--verify")
        for client in ("martin", "durand"):
            log = json.loads(self.passation("--json", "log", "--client", client))["log"]
            self.assertEqual(4, sum(one["event"] == "mailbox.imported" for one in log), client)

    def test_the_formats_are_completed(self):
        out = self.passation("__complete", "--", "passation", "import", "--format", "")
        for word in ("pass", "keepass-xml", "1password-csv"):
            self.assertIn(word, [line.split("\t")[0] for line in out.splitlines()])


if __name__ == "__main__":
    main()
