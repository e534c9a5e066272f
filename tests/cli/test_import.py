#!/usr/bin/env python3
"""What other password managers hold comes in, and what goes out is opened by them: with
the real pass, gpg, age and keepassxc-cli.

usage: test_import.py PASSATION
"""

import json
import os
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.importing import PASSPHRASE, Importing, main  # noqa: E402

BITWARDEN = {
    "encrypted": False,
    "folders": [{"id": "f", "name": "Clients"}],
    "items": [
        {
            "folderId": "f",
            "type": 1,
            "name": "Stripe",
            "notes": "compte pro",
            "login": {
                "uris": [{"match": None, "uri": "https://stripe.com/login"}],
                "username": "compta@martin.fr",
                "password": '=p"w,1',
                "totp": "JBSWY3DPEHPK3PXP",
            },
            "fields": [{"name": "PIN", "value": "pin-7741", "type": 1}],
        },
        {
            "type": 1,
            "name": "compta@martin.fr",
            "login": {"username": "compta@martin.fr", "password": "Boîte-1"},
        },
    ],
}
SECRETS = {
    ("compta@martin.fr", ""): "Boîte-1",
    ("compta@martin.fr", "Stripe"): '=p"w,1',
    ("compta@martin.fr", "Stripe totp"): "JBSWY3DPEHPK3PXP",
    ("compta@martin.fr", "Stripe PIN"): "pin-7741",
}


class ImportTest(Importing):
    def check_secrets(self, secrets=None):
        for (address, label), value in (secrets or SECRETS).items():
            self.assertEqual(self.reveal(address, label), value, label)

    def bitwarden(self):
        return self.write("bw.json", json.dumps(BITWARDEN))

    # --- in ---

    def test_a_preview_tells_all_and_changes_nothing(self):
        before = self.passation("--json", "log")
        out = self.passation("import", self.bitwarden(), "-n")
        self.assertIn("Stripe totp", out)
        self.assertNotIn("pin-7741", out)
        self.assertEqual(self.passation("--json", "log"), before)
        self.assertEqual(json.loads(self.passation("--json", "role", "ls"))["roles"], [])

    def test_bitwarden_comes_in_once_and_is_found_again(self):
        answer = self.take(self.bitwarden())
        self.assertEqual(set(self.results(answer).values()), {"added"})
        self.check_secrets()
        answer = self.take(self.bitwarden())
        self.assertEqual(set(self.results(answer).values()), {"same"})
        seen = json.loads(self.passation("--json", "who", "jp"))["seen"]
        self.assertIn("typed", {one["how"] for one in seen})

    def test_nothing_is_imported_unless_all_has_a_place(self):
        path = self.write("x.csv", "title,password\ncompta@martin.fr,a\nLoin,b\n")
        self.passation("-y", "import", path, exit=4)
        self.assertEqual(json.loads(self.passation("--json", "role", "ls"))["roles"], [])
        answer = self.take(path, "--skip")
        self.assertEqual(answer["summary"]["added"], 1)
        self.assertEqual(answer["summary"]["unplaced"], 1)
        answer = self.take(path, "--client", "martin", "--role", "compta")
        self.assertEqual(self.results(answer)[("compta@martin.fr", "Loin")], "added")

    def test_another_value_stays_unless_it_is_to_be_replaced(self):
        self.take(self.bitwarden())
        path = self.write("x.csv", "title,username,password,url\n"
                          "compta@martin.fr,,new1,\n"
                          "Stripe,compta@martin.fr,new2,https://stripe.com\n")
        self.assertEqual(set(self.results(self.take(path)).values()), {"different"})
        self.check_secrets()
        answer = self.take(path, "--replace")
        self.assertEqual(set(self.results(answer).values()), {"replaced"})
        self.check_secrets({("compta@martin.fr", ""): "new1",
                            ("compta@martin.fr", "Stripe"): "new2"})

    def test_a_note_without_a_password_is_never_the_mailboxs_password(self):
        self.take(self.write("one.json", json.dumps(BITWARDEN)), "--client", "martin")
        for user in ("compta@martin.fr", ""):
            note = {"encrypted": False, "folders": [], "items": [
                {"type": 1, "name": "compta@martin.fr", "notes": "call him first",
                 "login": {"username": user, "password": None}}]}
            answer = self.take(self.write("note.json", json.dumps(note)), "--replace")
            self.assertNotIn(("compta@martin.fr", ""), self.results(answer))
            self.assertEqual(self.reveal("compta@martin.fr", ""), "Boîte-1")
        self.assertNotIn("", {row["label"] for row in json.loads(
            self.passation("--json", "secret", "ls"))["secrets"]})
        other = json.loads(json.dumps(BITWARDEN))
        other["items"][1]["login"]["password"] = "Boîte-2"
        self.take(self.write("two.json", json.dumps(other)), "--replace")
        self.assertEqual(self.reveal("compta@martin.fr", ""), "Boîte-2")

    def test_a_second_password_of_an_entry_is_kept_too(self):
        self.take(self.write("one.json", json.dumps(BITWARDEN)), "--client", "martin")
        path = self.write("two.csv", "name,password,Mot de passe\nBank,first-1,second-2\n")
        self.take(path, "--role", "compta@martin.fr")
        found = {row["label"]: self.reveal("compta@martin.fr", row["label"])
                 for row in json.loads(self.passation("--json", "secret", "ls"))["secrets"]
                 if row["label"].startswith("Bank")}
        self.assertEqual(set(found.values()), {"first-1", "second-2"})

    def test_the_source_is_only_to_be_deleted_when_all_of_it_was_taken(self):
        self.take(self.write("one.json", json.dumps(BITWARDEN)))
        other = json.loads(json.dumps(BITWARDEN))
        other["items"][1]["login"]["password"] = "Boîte-2"
        path = self.write("two.json", json.dumps(other))
        done = subprocess.run(
            [self.binary, "--vault", self.at(self.vault), "--no-input", "--identity-file",
             self.identity, "-y", "import", path], env=self.environment, capture_output=True,
            text=True, cwd=self.home)
        self.assertIn("once the rest is taken", done.stderr)

    def test_a_login_with_an_address_is_not_its_mailbox(self):
        path = self.write("x.csv", "title,username,password,url\n"
                          "compta@martin.fr,compta@martin.fr,web,https://boutique.fr\n")
        self.passation("-y", "import", path, exit=4)

    def taken_for_the_mailbox(self, urls, title="Messagerie"):
        """Those sites at which the address's account is taken for the mailbox's password."""
        path = self.write("sites.csv", "title,username,password,url\n" + "".join(
            f"{title},compta@martin.fr,secret-{i},{url}\n" for i, url in enumerate(urls)))
        answer = json.loads(self.run_raw("--json", "import", path, "-n", "--skip").stdout)
        own = {e["line"] for e in answer["entries"] if e["label"] == "" and e["address"]}
        return [url for i, url in enumerate(urls) if i + 2 in own]

    def test_a_login_at_a_webmail_or_mail_server_of_ovh_is_the_mailboxs_password(self):
        urls = ["https://www.ovh.com/fr/mail/", "https://www.ovhcloud.com/fr/mail/",
                "https://www.ovhcloud.com/en-gb/mail", "https://ovh.com/mail?x=1",
                "https://www.ovh.co.uk/mail/", "https://mail.ovh.net/roundcube/",
                "mail.ovh.net", "https://webmail.mail.ovh.net", "https://webmail.ovh.net/",
                "https://ex5.mail.ovh.net/owa", "https://PRO1.mail.ovh.net:443/",
                "https://zimbra1.mail.ovh.net/#inbox", "imap://ssl0.ovh.net",
                "imaps://compta%40martin.fr@ssl0.ovh.net:993", "smtp://smtp.mail.ovh.net:465",
                "mailbox://pop3.ovh.net", "ns0.ovh.net", "imap.mail.ovh.ca:993",
                "mailto:compta@martin.fr"]
        self.assertEqual(self.taken_for_the_mailbox(urls), urls)

    def test_a_login_within_the_mailboxs_own_domain_is_its_password_only_at_a_mail_server(self):
        own = ["https://webmail.martin.fr", "https://mail.martin.fr/", "imap://martin.fr",
               "imaps://in.martin.fr:993", "smtp.martin.fr"]
        others = ["https://martin.fr/wp-login.php", "https://www.martin.fr/mail",
                  "https://webmail.martin.fr.evil.com", "https://webmail.xmartin.fr",
                  "https://webmail.durand.fr"]
        self.assertEqual(self.taken_for_the_mailbox(own + others), own)

    def test_a_login_at_the_servers_of_the_client_is_the_mailboxs_password(self):
        servers = ["https://mx.relais.example/webmail", "imap://mx.relais.example",
                   "smtp://OUT.relais.example:465"]
        others = ["https://relais.example", "https://mx.relais.example.evil.com"]
        self.assertEqual(self.taken_for_the_mailbox(servers + others), [])
        self.passation("client", "set", "martin", "--imap", "imaps://mx.relais.example:993",
                       "--smtp", "smtps://out.relais.example:465")
        self.assertEqual(self.taken_for_the_mailbox(servers + others), servers)

    def test_another_sites_password_is_never_the_mailboxs(self):
        urls = ["https://mail.google.com/", "https://webmail.evil.com", "imap://imap.gmail.com",
                "https://ovh.net.evil.com/webmail", "https://mail.ovh.net.evil.com",
                "https://evil.com\\.mail.ovh.net/", "https://mail.ovh.net@evil.com/",
                "https://evil.com/mail.ovh.net/", "https://evil.com?.mail.ovh.net",
                "https://evilmail.ovh.net", "https://xmail.ovh.net", "https://notovh.com/mail/",
                "https://www.ovh.com/manager/#/web/email_domain", "https://www.ovh.com",
                "https://www.ovh.com/manager/mail/", "https://www.ovh.com/fr/#/mail",
                "https://vps1.ovh.net/mail", "https://webmail.vps1.ovh.net"]
        for title in ("Messagerie", "", "compta@martin.fr"):
            self.assertEqual(self.taken_for_the_mailbox(urls, title), [])

    def test_an_entry_named_by_the_address_goes_before_one_with_it_as_user_name(self):
        path = self.write("x.csv", "title,username,password,url\n"
                          "Ancien,compta@martin.fr,web,https://www.ovh.com/fr/mail/\n"
                          "compta@martin.fr,compta@martin.fr,own,\n")
        results = [(e["title"], e["result"]) for e in self.take(path)["entries"]]
        self.assertEqual(results, [("compta@martin.fr", "added"), ("Ancien", "different")])
        self.assertEqual(self.reveal("compta@martin.fr", ""), "own")

    def test_malformed_files_are_refused_and_change_nothing(self):
        for name, text in (("x.csv", 'title,password\n"a,b\n'), ("x.json", '{"items": ['),
                           ("x.xml", "<KeePassFile>")):
            self.passation("-y", "import", self.write(name, text), exit=2)

    def test_what_is_imported_must_be_confirmed(self):
        self.passation("import", self.bitwarden(), exit=2)

    def test_a_thousand_entries_are_one_transaction(self):
        rows = "".join(f"Site {i},u{i},secret-{i}\n" for i in range(1000))
        path = self.write("x.csv", "title,username,password\ncompta@martin.fr,,a\n" + rows)
        self.take(self.write("y.csv", "title,password\ncompta@martin.fr,a\n"))
        answer = self.take(path, "--role", "compta@martin.fr")
        self.assertEqual(answer["summary"]["added"], 1000)
        self.assertEqual(answer["summary"]["same"], 1)
        self.assertEqual(self.reveal("compta@martin.fr", "Site 999"), "secret-999")

    @unittest.skipUnless(shutil.which("pass"), "no pass")
    def test_a_store_of_pass_comes_in(self):
        os.mkdir(self.at("g"), 0o700)
        self.tool("gpg", "--batch", "--passphrase", "", "--quick-gen-key", "a@b.fr",
                  "rsa2048", "encr", "0")
        self.addCleanup(subprocess.run, ["gpgconf", "--kill", "all"], env=self.environment)
        self.tool("pass", "init", "a@b.fr")
        self.tool("pass", "insert", "-m", "compta@martin.fr", given="Boîte-1\n")
        self.tool("pass", "insert", "-m", "compta@martin.fr/Stripe",
                  given='=p"w,1\nlogin: bob\nurl: https://stripe.com\nPIN: 12\n')
        store = self.at(".password-store")
        answer = self.take(store)
        self.assertEqual(set(self.results(answer).values()), {"added"})
        self.check_secrets({("compta@martin.fr", ""): "Boîte-1",
                            ("compta@martin.fr", "Stripe"): '=p"w,1'})
        with open(os.path.join(store, "bad.gpg"), "w", encoding="utf-8") as file:
            file.write("not encrypted")
        self.passation("-y", "import", store, exit=4)
        self.assertEqual(self.take(store, "--skip")["summary"]["unusable"], 1)

    def test_an_age_tree_comes_in(self):
        to = self.tool("age-keygen", "-y", self.identity).strip()
        os.makedirs(self.at("store/compta@martin.fr"))
        for name, text in (("compta@martin.fr", "Boîte-1\n"),
                           ("compta@martin.fr/Stripe", '=p"w,1\nuser: bob\n')):
            self.tool("age", "-r", to, "-o", self.at(f"store/{name}.age"), given=text)
        self.take(self.at("store"), "--format", "passage", "--identity", self.identity)
        self.check_secrets({("compta@martin.fr", ""): "Boîte-1",
                            ("compta@martin.fr", "Stripe"): '=p"w,1'})

    def test_a_link_in_a_tree_is_told_and_not_followed_whatever_it_is_called(self):
        to = self.tool("age-keygen", "-y", self.identity).strip()
        for name in ("store/compta@martin.fr", "team/shared"):
            os.makedirs(os.path.dirname(self.at(name)), exist_ok=True)
            self.tool("age", "-r", to, "-o", self.at(f"{name}.age"), given="Boîte-1\n")
        os.mkdir(self.at("store/sub"))
        os.symlink(self.at("team"), self.at("store/team"))
        os.symlink(self.at("team/shared.age"), self.at("store/sub/one.age"))
        os.symlink("nowhere", self.at("store/lost"))
        os.symlink(self.at("team"), self.at("store/.hidden"))
        args = (self.at("store"), "--format", "passage", "--identity", self.identity)
        self.passation("-y", "import", *args, exit=4)
        entries = self.take(*args, "--skip")["entries"]
        self.assertEqual({(e["group"], e["title"], e["why"]) for e in entries
                          if e["result"] == "unusable"},
                         {(group, title, "it is a link, which is not followed")
                          for group, title in (("", "team"), ("sub", "one"), ("", "lost"))})
        self.assertEqual(len(entries), 4)

    # --- out, and in again ---

    def again(self, *args):
        """Into a new vault."""
        self.new_vault("two")
        answer = self.take(*args)
        self.assertEqual(set(self.results(answer).values()), {"added"})
        self.assertEqual(set(self.results(answer)), set(SECRETS))
        self.check_secrets()

    @unittest.skipUnless(shutil.which("keepassxc-cli"), "no keepassxc-cli")
    def test_keepassxc_opens_the_kdbx_and_its_exports_come_in(self):
        self.take(self.bitwarden())
        fd = self.with_fd(PASSPHRASE)
        self.passation("-y", "export", "martin", "--format", "kdbx", "-o", "m.kdbx",
                       "--new-passphrase-fd", str(fd), fds=(fd,))
        for form in ("xml", "csv"):
            text = self.tool("keepassxc-cli", "export", "-q", "-f", form, "m.kdbx",
                             given=PASSPHRASE + "\n")
            self.vault = "one"
            path = self.write("x." + form, text)
            answer = self.take(path)
            self.assertEqual(set(self.results(answer).values()), {"same"}, form)
        self.again(self.at("x.xml"))

    def test_bitwarden_json_has_its_documented_form_and_comes_in(self):
        self.take(self.bitwarden())
        self.passation("-y", "export", "--format", "bitwarden-json", "-o", "m.json")
        self.assertEqual(os.stat(self.at("m.json")).st_mode & 0o777, 0o600)
        with open(self.at("m.json"), encoding="utf-8") as file:
            found = json.load(file)
        self.assertEqual(set(found), {"encrypted", "folders", "items"})
        self.assertIs(found["encrypted"], False)
        folders = {one["id"]: one["name"] for one in found["folders"]}
        self.assertEqual(set(folders.values()), {"compta@martin.fr"})
        for item in found["items"]:
            self.assertEqual(
                set(item),
                {"passwordHistory", "revisionDate", "creationDate", "deletedDate", "id",
                 "organizationId", "folderId", "type", "reprompt", "name", "notes",
                 "favorite", "fields", "login", "collectionIds"})
            self.assertEqual(set(item["login"]), {"uris", "username", "password", "totp"})
            self.assertEqual((item["type"], item["reprompt"], item["favorite"]),
                             (1, 0, False))
            self.assertIn(item["folderId"], folders)
            for field in item["fields"]:
                self.assertEqual(set(field), {"name", "value", "type"})
        stripe = next(i for i in found["items"] if i["name"] == "Stripe")
        self.assertEqual(stripe["login"]["password"], '=p"w,1')
        self.assertEqual(stripe["login"]["uris"],
                         [{"match": None, "uri": "https://stripe.com/login"}])
        self.again(self.at("m.json"))

    def test_csv_is_safe_for_spreadsheets_and_comes_in(self):
        self.take(self.bitwarden())
        self.passation("-y", "export", "--format", "csv", "-o", "m.csv")
        with open(self.at("m.csv"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn("\"'=p\"\"w,1\"", text)
        self.assertNotIn(',"=', text)
        self.again(self.at("m.csv"))

    def test_age_opens_the_passage_tree_and_it_comes_in(self):
        self.take(self.bitwarden())
        to = self.tool("age-keygen", "-y", self.identity).strip()
        self.passation("-y", "export", "--format", "passage", "--to", to, "-o", "tree")
        text = self.tool("age", "-d", "-i", self.identity,
                         self.at("tree/compta@martin.fr/Stripe.age"))
        self.assertEqual(text.split("\n")[0], '=p"w,1')
        self.again(self.at("tree"), "--identity", self.identity)

    def test_what_is_exported_counts_as_seen(self):
        self.take(self.bitwarden())
        self.passation("-y", "export", "--format", "csv", "-o", "m.csv")
        seen = json.loads(self.passation("--json", "who", "jp"))["seen"]
        exported = {one["label"] or "" for one in seen if one["how"] == "exported"}
        self.assertEqual(exported, {label for _, label in SECRETS})

    def test_an_export_writes_over_nothing_and_asks_first(self):
        self.take(self.bitwarden())
        self.passation("export", "--format", "csv", "-o", "m.csv", exit=2)
        self.assertFalse(os.path.exists(self.at("m.csv")))
        self.write("m.csv", "mine")
        self.passation("-y", "export", "--format", "csv", "-o", "m.csv", exit=7)
        self.passation("-y", "export", "nobody", "--format", "csv", "-o", "n.csv", exit=4)
        self.assertNotIn("exported", self.passation("--json", "who", "jp"))

    def test_the_journal_is_a_json_object_a_line_without_secrets(self):
        self.take(self.bitwarden())
        self.passation("export", "--format", "journal", "-o", "j.jsonl")
        with open(self.at("j.jsonl"), encoding="utf-8") as file:
            text = file.read()
        events = [json.loads(line)["event"] for line in text.splitlines()]
        self.assertIn("mailbox.imported", events)
        for value in SECRETS.values():
            self.assertNotIn(value, text)


if __name__ == "__main__":
    main()
