#!/usr/bin/env python3
"""A handover from its beginning to the closing statement and to the successor, over the real
binary: three back-ends, a former provider, staff, another client, a backup. What was handed
over is opened by stock programs and compared; what is destroyed is looked for in every file.

    test_handover.py BUILD
"""

import hashlib
import hmac
import imaplib
import json
import os
import plistlib
import shutil
import ssl
import subprocess
import sys
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.handover import (LIMITS, NIC, OTHER, OURS, Handing, age_with_code,  # noqa: E402
                              keepassxc, read_document, verify_minisign, verify_ssh)
from support.world import keygen  # noqa: E402

BUILD = sys.argv.pop(1)
DOMAIN, PRO, ZIMBRA = "essai.example", "pro.example", "zimbra.example"
BOXES = [f"box0@{DOMAIN}", f"box1@{DOMAIN}", f"un@{PRO}", f"deux@{PRO}", f"seul@{ZIMBRA}"]
THEIRS = "accueil@garage.example"
SECRETS = (  # address, label, value, type, user, url
    (BOXES[0], "Stripe", "sk_live_Stripe-Key-0001", "stripe", "shop", "https://stripe.com"),
    (BOXES[0], "site « é & <b> »", "Admin-Mot-2026-é<&>", "cms", "admin", "https://essai.example/wp-admin/"),
    (BOXES[1], "ftp", "Ftp-Word-Xy7pq-Rs8tu", "ftp", "boulangerie", "ftp://ftp.essai.example/"),
    (BOXES[2], "licence", "LICENCE-1234-5678-9012", "licence", "", ""),
    (BOXES[3], "base", "Base-Word-Kd8wn-Pz3vh", "database", "site", "mysql://localhost/site"),
    (BOXES[4], "codes", "1111 2222\n3333 4444\n", "recovery", "", ""),
)
OWN = {address: f"Chosen-By-Client-{i}-2026" for i, address in enumerate(BOXES)}
FORMER = "jp"


class Shop(Handing):
    """The client, the neighbours and the people of the story."""

    def settle_in(self):
        contacts = {"admin": NIC, "tech": OURS, "billing": NIC}
        self.run("init", check=0)
        self.control("POST", "/seed", {
            "nics": [{"nichandle": OURS, "unpaid": True}, {"nichandle": OTHER}],
            "domains": [
                {"domain": DOMAIN, "nic": NIC, "contacts": contacts, "accounts": [
                    {"name": name, "password": "First-Pass-0-word"} for name in ("box0", "box1")]},
                {"domain": "garage.example", "nic": OTHER, "accounts": [
                    {"name": "accueil", "password": "First-Pass-0-word"}]}]})
        self.seed_service("pro", PRO, mailboxes=("un", "deux"), contacts=contacts)
        self.seed_service("zimbra", ZIMBRA, mailboxes=("seul",))
        self.add_client([DOMAIN, PRO, ZIMBRA])
        self.run("client", "set", "essai", "--name", "Boulangerie Essai", "--smtp",
                 "smtps://smtp.essai.example:465", check=0)
        self.neighbour()
        self.run("role", "adopt", *BOXES, check=0)
        for address, label, value, kind, user, url in SECRETS:
            self.secret(address, label, value, "--type", kind, "--user", user, "--url", url)
        self.people()
        self.codes = {}

    def neighbour(self):
        self.run("client", "add", "garage", "--nic", OTHER, "--domain", "garage.example",
                 "--endpoint", self.ready["endpoint"], "--imap", self.ready["imap"], *LIMITS,
                 check=0)
        self.run("ovh", "link", "garage", "--config", self.credential(71000, OTHER),
                 "--accept-wide", check=0)
        self.run("role", "adopt", THEIRS, check=0)
        self.secret(THEIRS, "ftp", "Garage-Ftp-Word-1")

    def people(self):
        self.run("person", "add", "martine", "--kind", "client", "--name", "Martine Martin",
                 "--email", "martine@perso.example", check=0)
        for name in ("ana", "kim", FORMER):
            kind = "provider" if name == FORMER else "team"
            self.person(name, kind, "--email", f"{name}@studio.example")
        for name, *boxes in (("ana", BOXES[0], BOXES[4], THEIRS), ("kim", *BOXES[:3]),
                             (FORMER, *BOXES[:3])):
            self.run("grant", name, *boxes, "--until", "2031-03-31", "-o", self.out, "--with",
                     "all", check=0)
        self.run("revoke", FORMER, "--no-rotate", check=12)
        self.run("slot", "add", "ana", "--new-identity-file",
                 os.path.join(self.home, "ana.txt"), check=0)
        self.phrase = self.file("phrase", "quatre mots tres longs pour kim 2026")
        with open(self.phrase) as phrase:
            self.run("slot", "add", "kim", "--new-passphrase-fd", str(phrase.fileno()),
                     pass_fds=(phrase.fileno(),), check=0)

    def as_other(self, *args):
        return [subprocess.run([self.binary, "--no-input", *key, "--json", *args],
                               env=self.env(), capture_output=True, text=True)
                for key in (["--identity-file", os.path.join(self.home, "ana.txt")],
                            ["--passphrase-file", self.phrase])]

    def of_the_neighbour(self):
        """All that the vault says of him."""
        return {
            "roles": self.json("role", "ls", "*@garage.example"),
            "show": self.json("show", THEIRS, "--reveal"),
            "ftp": self.json("show", THEIRS, "ftp", "--reveal"),
            "versions": self.json("show", THEIRS, "--versions", "--reveal"),
            "log": self.json("log", "--client", "garage"),
            "client": self.json("client", "show", "garage"),
            "who": self.json("who", THEIRS),
        }

    def logs_in(self, address, password):
        host = urllib.parse.urlsplit(self.ready["imap"])
        tls = ssl.create_default_context(cafile=self.ready["ca"])
        with imaplib.IMAP4_SSL(host.hostname, host.port, ssl_context=tls, timeout=60) as mail:
            try:
                return mail.login(address, password)[0] == "OK"
            except imaplib.IMAP4.error:
                return False


class Story(unittest.TestCase):
    """Told once, in order; each test then looks at what came of a part of it."""

    @classmethod
    def setUpClass(cls):
        cls.world = world = Shop(BUILD).__enter__()
        cls.addClassCleanup(world.__exit__)
        world.settle_in()
        cls.seen = {}
        cls.begin()
        cls.change_contacts()
        cls.hand_over()
        cls.take_possession()
        cls.close()

    # --- the story ---

    @classmethod
    def begin(cls):
        world = cls.world
        cls.seen["due before"] = world.json("due", check=12)["due"]
        world.run("handover", "start", "essai", "--to", "martine", "--contract",
                  "Maintenance 2024-17", "--giver", "Studio SARL", "--receiver",
                  "Boulangerie Essai SAS", check=0)
        cls.seen["first status"] = world.run("handover", "status", "essai").stdout
        cls.seen["early issue"] = world.issue(check=13) + (os.listdir(world.out),)
        world.run("handover", "next", "essai", check=0)
        cls.seen["first look"] = world.status()["blockers"]
        world.settle_items()
        world.judge()
        cls.old = world.vault_says(("*@essai.example", "*@pro.example", "*@zimbra.example"))
        world.run("handover", "next", "essai", check=0)
        for address, label, _, _, _, _ in SECRETS:
            if any(row["block"] == "known" and (row["address"], row["label"]) == (address, label)
                   for row in world.status()["blockers"]):
                cls.seen.setdefault("by hand", []).append((address, label))
                world.run("secret", "set", address, label, "--secret-fd", "0",
                          stdin="New-Value-After-Jp-" + label, check=0)

    @classmethod
    def change_contacts(cls):
        world = cls.world
        cls.seen["contacts without the key"] = world.run("handover", "contacts", "essai",
                                                         "--tech", NIC)
        world.run("ovh", "link", "essai", "--for", "cut", "--config",
                  world.other_key("cutconsumerkey000000000000000001"), "--accept-wide", check=0)
        ask = ("handover", "contacts", "essai", "--tech", NIC)
        cls.seen["unpaid"] = world.json(*ask)["changes"]
        world.control("POST", "/seed", {"nics": [{"nichandle": OURS, "unpaid": False}]})
        cls.seen["asked"] = world.json(*ask)["changes"]
        cls.seen["waiting"] = world.blocks(stage="contacts")
        cls.seen["first contacts"] = [row for row in world.status()["blockers"]
                                      if row["stage"] == "contacts"]
        waiting = world.changes()
        cls.seen["services"] = sorted(waiting)
        world.decide(waiting["zone/" + DOMAIN], OURS, "refuse")
        world.decide(waiting["mail/" + DOMAIN], OURS, "expire")
        cls.seen["answered"] = world.json("handover", "contacts", "essai")["changes"]
        for service in waiting:
            if service not in ("zone/" + DOMAIN, "mail/" + DOMAIN):
                cls.seen["accepted"] = waiting[service], world.accept_ours(waiting[service])
                cls.seen["after ours"] = world.json("handover", "contacts", "essai")["changes"]
                cls.seen["who is next"] = [
                    row["account"] for row in world.status()["blockers"]
                    if row.get("task") == waiting[service]["id"]]
                world.decide(waiting[service], OURS, "accept")
        again = ("handover", "contacts", "essai", "--to", NIC)
        cls.seen["again"] = world.json(*again)["changes"]
        for task in world.changes().values():
            world.decide(task, OURS, "accept")
            world.accept_ours(task)
        world.control("POST", "/task/run")
        world.run("handover", "next", "essai", check=0)
        cls.seen["contacts after"] = world.json("handover", "contacts", "essai")
        cls.seen["blocks after contacts"] = world.blocks(stage="contacts")

    @classmethod
    def hand_over(cls):
        world = cls.world
        cls.given = world.vault_says(("*@essai.example", "*@pro.example", "*@zimbra.example"))
        cls.folder, cls.code = world.issue()
        cls.copy = os.path.join(world.home, "for-the-client")
        shutil.copytree(cls.folder, cls.copy)
        cls.keys = world.json("key", "show")
        cls.allowed = world.file("allowed", cls.keys["allowed_signers"] + "\n")
        cls.opened = world.opened(cls.copy + "/trousseau.html", cls.code, "--reveal")
        world.run("handover", "compare", "essai", cls.copy, "--code-fd", "0", stdin=cls.code,
                  check=0)
        world.run("handover", "confirm", "essai", cls.opened["receipt"], check=0)
        cls.seen["after confirm"] = world.status()
        cls.seen["rotate"] = world.run("rotate", BOXES[0])

    @classmethod
    def take_possession(cls):
        """The client sets passwords of his own; nobody tells us."""
        world = cls.world
        world.run("handover", "next", "essai")
        cls.seen["ours still"] = world.blocks(stage="owned")
        for address, password in OWN.items():
            world.control("POST", "/password", {"address": address, "password": password})
        world.run("handover", "next", "essai", check=0)
        cls.seen["one round"] = world.blocks(stage="owned")
        cls.seen["close after one"] = world.run("handover", "close", "essai", "--confirm",
                                                "essai", "-o", world.out)
        time.sleep(2.1)
        world.run("handover", "next", "essai", check=0)
        cls.seen["two rounds"] = world.blocks(stage="owned")

    @classmethod
    def close(cls):
        world = cls.world
        cls.backup = os.path.join(world.home, "vault.backup")
        world.run("backup", cls.backup, check=0)
        cls.neighbour = world.of_the_neighbour()
        cls.seen["blocks at the end"] = world.blocks()
        cls.seen["persons"] = world.json("person", "ls")["persons"]
        cls.last = os.path.join(world.home, "last")
        os.mkdir(cls.last, 0o700)
        cls.closed = world.run("handover", "close", "essai", "--confirm", "essai", "-o",
                               cls.last, "--backup", cls.backup)
        cls.neighbour_after = world.of_the_neighbour()

    # --- the beginning ---

    def test_what_a_former_provider_knew_was_due_before_and_is_replaced(self):
        known = {(row["kind"], row["address"]) for row in self.seen["due before"]
                 if row["person"] == FORMER}
        self.assertLessEqual({("rotate", BOXES[0]), ("rotate", BOXES[2])}, known)
        self.assertEqual({(row["block"], row["address"]) for row in self.seen["first look"]
                          if row["block"] == "known" and not row["label"]},
                         {("known", box) for box in BOXES[:3]})
        self.assertEqual(sorted(self.seen["by hand"]), sorted(
            (address, label) for address, label, *_ in SECRETS if address in BOXES[:3]))
        for address in BOXES:
            self.assertNotEqual(self.old[address, ""], self.given[address, ""])
            self.assertFalse(self.world.logs_in(address, self.old[address, ""]))

    def test_as_many_items_are_told_open_as_wait_for_somebody(self):
        text = " ".join(self.seen["first status"].split())
        count = text.count("not settled yet")
        self.assertGreater(count, 10)
        self.assertIn(f" {count} items of the list below", text)
        self.assertIn("by passation, with the trousseau", text)

    def test_no_trousseau_is_made_before_the_inventory_is_complete(self):
        done, code, listed = self.seen["early issue"]
        self.assertIn("handover status essai", done.stdout + done.stderr)
        self.assertEqual(code, "")
        self.assertFalse([name for name in listed if "trousseau" in name])

    # --- contacts ---

    def test_contacts_are_not_changed_with_the_key_for_daily_work(self):
        done = self.seen["contacts without the key"]
        self.assertEqual(done.returncode, 13)
        self.assertIn("ovh link essai --for cut", done.stderr)

    def test_an_unpaid_bill_stops_a_change_and_the_advice_says_so(self):
        refused = [row for row in self.seen["unpaid"] if row["state"] == "refused"]
        self.assertEqual(len(refused), 4)
        self.assertIn("unpaid bill", refused[0]["advice"])

    def test_who_changes_what_is_seen_until_all_is_done(self):
        self.assertEqual([service.split("/")[0] for service in self.seen["services"]],
                         ["domain", "mail", "pro", "zone"])
        self.assertEqual([what.split(" ")[0] for _, what in self.seen["waiting"]],
                         ["domain", "mail", "pro", "zone"])
        states = {row["kind"]: row["state"] for row in self.seen["answered"]}
        self.assertEqual((states["zone"], states["mail"]), ("refused", "expired"))
        self.assertEqual(self.seen["blocks after contacts"], [])
        for row in self.seen["contacts after"]["services"]:
            self.assertEqual((row["admin"], row["tech"], row["billing"]), (NIC,) * 3, row)

    def test_who_agrees_is_told_to_what_and_who_is_next(self):
        task, done = self.seen["accepted"]
        for word in ("technical contact", task["_service"].split("/")[1], OURS, NIC,
                     f"Now {OURS} has to agree"):
            self.assertIn(word, done.stderr)
        self.assertEqual(self.seen["who is next"], [OURS])
        row = " ".join(done.stdout.split()).split(f" {task['id']} ")[1]
        self.assertIn(f"waits for {OURS}", row)
        self.assertLess(row.index(f"waits for {OURS}"), (row + "both").index("both"))
        [again] = [row for row in self.seen["after ours"] if row["task"] == task["id"]]
        self.assertEqual((again["state"], again["agreed"]), ("waiting", True))
        self.assertIn("the other one has to agree", again["advice"])

    def test_changes_are_told_apart_by_contact_and_accounts(self):
        texts = [row["text"] for row in self.seen["first contacts"]]
        self.assertEqual(len(texts), len(set(texts)), texts)
        self.assertTrue(all("technical contact" in text and OURS in text and NIC in text
                            for text in texts), texts)

    def test_what_the_provider_closed_is_not_called_gone(self):
        with open(self.last + "/essai-proces-verbal.json") as file:
            told = json.load(file)["accesses"]
        ours = [row for row in told if row["own"]]
        self.assertTrue(ours)
        self.assertEqual([row["id"] for row in ours if not row["removal_ordered_at"]
                          or row["state"] != "gone"], [])
        with open(self.last + "/essai-proces-verbal.txt") as file:
            text = " ".join(file.read().replace("|", " ").split())
        for said in ("fermé par le prestataire", "closed by the provider"):
            self.assertIn(said, text)
        self.assertNotIn(": disparu", text)

    def test_each_contact_that_was_replaced_has_the_number_of_its_own_change(self):
        with open(self.last + "/essai-proces-verbal.json") as file:
            told = json.load(file)
        done = {row["service"]: row["task"] for row in told["contacts"]
                if row["state"] == "done" and row["tech"]}
        gone = {row["id"]: row.get("task") for row in told["accesses"]
                if row["kind"] == "contact" and row["state"] == "gone"}
        self.assertEqual(gone, {f"contact:{'' if kind == 'mail' else kind + '/'}{name}:tech": task
                                for (kind, name), task in
                                ((service.split(" "), task) for service, task in done.items())})
        self.assertGreater(len(set(gone.values())), 1)

    def test_only_what_was_not_done_is_asked_for_again(self):
        self.assertEqual(sorted(row["kind"] for row in self.seen["again"]
                                if row["state"] == "waiting"), ["mail", "zone"])

    # --- the trousseau ---

    def text(self):
        return age_with_code(self.copy + "/trousseau.age", self.code).decode()

    def test_age_opens_it_and_it_holds_every_secret(self):
        blocks = read_document(self.text())
        found = {(block["Mailbox"], ""): block["Password"] for block in blocks
                 if "Mailbox" in block}
        found.update({(block["Of"], block["Secret"]): block["Value"] for block in blocks
                      if "Secret" in block})
        self.assertEqual(found, self.given)
        self.assertEqual(len(found), len(BOXES) + len(SECRETS))

    def test_the_page_and_the_age_file_hold_the_same(self):
        for secret in self.opened["secrets"]:
            key = secret["address"], secret["label"] or ""
            self.assertEqual(secret.get("value", secret.get("password")), self.given[key])
        page = subprocess.run(["sed", "-n", "/^-----BEGIN AGE/,/^-----END AGE/p",
                               self.copy + "/trousseau.html"], capture_output=True).stdout
        path = os.path.join(self.world.home, "page.age")
        with open(path, "wb") as file:
            file.write(page)
        self.assertEqual(age_with_code(path, self.code).decode(), self.text())

    def test_keepassxc_opens_it_with_the_same_code(self):
        found = keepassxc(self.copy + "/trousseau.kdbx", self.code)
        expected = {}
        for address in BOXES:
            expected[address, address] = (self.given[address, ""], address)
        for address, label, _, _, user, url in SECRETS:
            expected[address, label] = (self.given[address, label], user, url)
        self.assertEqual(set(found), set(expected))
        for key, row in found.items():
            shown = (row["Password"], row["UserName"], row["URL"])
            self.assertEqual(shown[:len(expected[key])], expected[key], key)

    def test_bitwarden_gets_every_secret(self):
        files = {block["File"]: block["Content"] for block in read_document(self.text())
                 if "File" in block}
        found = json.loads(files["bitwarden.json"])
        folders = {row["id"]: row["name"] for row in found["folders"]}
        items = {(folders[row["folderId"]], row["name"]): row["login"] for row in found["items"]}
        self.assertEqual(len(items), len(self.given))
        for (address, label), value in self.given.items():
            self.assertEqual(items[address, label or address]["password"], value)
            self.assertEqual(items[address, label or address]["username"] or "",
                             address if not label else
                             next(row[4] for row in SECRETS if row[:2] == (address, label)))
        self.assertIn(DOMAIN + ".zone", files)

    def test_every_signature_is_good_for_ssh_keygen_and_minisign(self):
        signed = [name for name in os.listdir(self.copy) if name + ".sig" in
                  os.listdir(self.copy)]
        self.assertLessEqual({"trousseau.html", "trousseau.age", "trousseau.kdbx", "SHA256SUMS",
                              "proces-verbal.html", "proces-verbal.txt", "proces-verbal.json",
                              "LISEZMOI.txt"}, set(signed))
        key = [line for line in self.keys["minisign"].splitlines() if line.startswith("RW")][0]
        for name in signed:
            path = os.path.join(self.copy, name)
            self.assertEqual(verify_ssh(path, self.allowed), 0, name)
            self.assertEqual(verify_minisign(path, key), 0, name)
        self.assertNotEqual(verify_ssh(self.copy + "/trousseau.age", self.allowed,
                                       signature=self.copy + "/trousseau.kdbx.sig"), 0)

    def test_the_digests_are_those_of_every_file(self):
        done = subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=self.copy,
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout)
        with open(self.copy + "/SHA256SUMS") as file:
            named = {line.rstrip("\n").split("  ", 1)[1] for line in file}
        there = {os.path.relpath(os.path.join(where, name), self.copy)
                 for where, _, names in os.walk(self.copy) for name in names}
        self.assertEqual({name for name in there - named
                          if not name.endswith((".sig", ".minisig"))}, {"SHA256SUMS"})

    def test_a_mailbox_can_be_set_up_from_its_settings(self):
        folder = os.path.join(self.copy, "reglages")
        host = urllib.parse.urlsplit(self.world.ready["imap"])
        for address in BOXES:
            with self.subTest(address=address):
                with open(os.path.join(folder, address + ".mobileconfig"), "rb") as file:
                    mail = plistlib.load(file)["PayloadContent"][0]
                self.assertEqual(mail["EmailAddress"], address)
                self.assertEqual((mail["IncomingMailServerHostName"],
                                  mail["IncomingMailServerPortNumber"]),
                                 (host.hostname, host.port))
                self.assertNotIn("IncomingPassword", mail)

    def test_the_statement_holds_no_secret_and_neither_does_any_file_without_the_code(self):
        needles = {value.strip() for value in self.given.values()} | set(self.old.values())
        clear = os.path.join(self.world.home, "clear")
        shutil.copytree(self.copy, clear,
                        ignore=lambda _, names: [name for name in names if name in (
                            "trousseau.html", "trousseau.age", "trousseau.kdbx")])
        self.assertEqual(self.world.traces([*needles, self.code, self.opened["receipt"],
                                            self.opened["account"]["fingerprint_key"]], clear), [])

    def test_the_statements_fingerprints_prove_each_secret(self):
        key = bytes.fromhex(self.opened["account"]["fingerprint_key"])
        with open(self.copy + "/proces-verbal.json") as file:
            listed = json.load(file)["secrets"]
        with open(self.copy + "/proces-verbal.txt") as file:
            text = file.read()
        self.assertEqual(len(listed), len(self.given))
        for row in listed:
            address, label = row["address"], row["label"] or ""
            proof = hmac.new(key, f"{address}\n{label}\n{self.given[address, label]}".encode(),
                             hashlib.sha256).hexdigest()
            self.assertEqual(row["fingerprint"], proof)
            self.assertIn(proof, text)

    # --- possession ---

    def test_the_receipt_moves_it_on_and_a_mailbox_that_was_handed_over_is_not_rotated(self):
        self.assertEqual(self.seen["after confirm"]["stage"], "owned")
        self.assertEqual(self.seen["rotate"].returncode, 13)

    def test_that_the_client_has_passwords_of_his_own_is_noticed_in_two_rounds(self):
        self.assertEqual(self.seen["ours still"], [("still_ours", box) for box in sorted(BOXES)])
        self.assertEqual(self.seen["one round"], [("one_round", box) for box in sorted(BOXES)])
        self.assertEqual(self.seen["close after one"].returncode, 13)
        self.assertEqual(self.seen["two rounds"], [])
        self.assertEqual([block for block, _ in self.seen["blocks at the end"]],
                         ["own_key", "copies"])

    # --- the end ---

    def test_it_is_closed(self):
        self.assertEqual(self.closed.returncode, 0, self.closed.stderr)

    def test_no_key_of_ours_is_left_at_ovh(self):
        state = self.world.control("GET", "/state")
        ours = [row for row in state["credentials"].values()
                if row["_nic"] == NIC and row["applicationId"] == 105668
                and not row.get("_revoked")]
        self.assertEqual(ours, [])
        self.assertNotIn("105668", state["applications"])
        self.assertIn("90211", state["applications"])

    def needles(self):
        passwords = {value.strip() for value in [*self.given.values(), *self.old.values()]}
        return [*passwords, *BOXES, DOMAIN, PRO, ZIMBRA, NIC, OURS, "Boulangerie Essai",
                "SimConsumerKey000000000000000001", "cutconsumerkey000000000000000001",
                "Maintenance 2024-17"]

    def test_no_file_of_the_vault_holds_anything_of_the_client(self):
        self.assertEqual(self.world.traces(self.needles(), *self.world.data_folders()), [])

    def test_no_list_shows_anything_of_the_client(self):
        for command in (["client", "ls"], ["role", "ls"], ["person", "ls"], ["grant", "ls"],
                        ["secret", "ls"], ["slot", "ls"], ["log"], ["due"], ["who"],
                        ["envelope", "ls"], ["handover", "status"], ["outbox", "--all"],
                        ["person", "show", "martine"], ["person", "show", "ana"],
                        ["who", "ana"], ["who", FORMER], ["status"]):
            for form in ([], ["--json"]):
                with self.subTest(command=form + command):
                    done = self.world.run(*form, *command)
                    self.assertIn(done.returncode, (0, 12), done.stderr)
                    shown = done.stdout + done.stderr
                    self.assertEqual([needle for needle in self.needles() if needle in shown], [])
        for command in (["show", BOXES[0]], ["who", BOXES[0]], ["client", "show", "essai"],
                        ["handover", "status", "essai"], ["log", "--client", "essai"]):
            with self.subTest(command=command):
                done = self.world.run(*command)
                self.assertIn(done.returncode, (0, 4), done.stderr)
                self.assertNotIn("password", done.stdout)

    def test_the_other_client_is_untouched(self):
        after = self.neighbour_after
        before = {**self.neighbour, "log": self.neighbour["log"]["log"]}
        entries = after["log"]["log"]
        self.assertEqual({**after, "log": entries[:len(before["log"])]}, before)
        self.assertEqual({row["event"] for row in entries[len(before["log"]):]},
                         {"secret.revealed"})
        self.assertTrue(self.world.logs_in(THEIRS, self.neighbour["show"]["password"]))
        self.world.run("verify", THEIRS, check=0)

    def test_every_other_slot_still_opens_the_vault(self):
        for done in self.world.as_other("show", THEIRS, "--reveal"):
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(json.loads(done.stdout)["password"],
                             self.neighbour["show"]["password"])

    def test_the_backup_was_rewritten_too(self):
        self.assertIn(self.backup, self.closed.stderr)
        folder = os.path.join(self.world.home, "only-the-backup")
        os.mkdir(folder)
        shutil.copy(self.backup, folder)
        self.assertEqual(self.world.traces(self.needles(), folder), [])
        done = self.world.run("--json", "--vault", os.path.join(folder, "vault.backup"), "client",
                              "ls", env=self.world.env(XDG_STATE_HOME=folder), check=0)
        self.assertEqual([row["id"] for row in json.loads(done.stdout)["clients"]], ["garage"])

    def test_both_statements_are_signed_and_the_journal_leads_through_them(self):
        for name in ("essai-proces-verbal", "essai-cloture"):
            self.assertLessEqual({name + end for end in (".html", ".txt", ".json")},
                                 set(os.listdir(self.last)))
            self.world.run("log", "--verify", f"{self.last}/{name}.txt", check=0)
            for extension in (".html", ".json"):
                self.assertEqual(verify_ssh(f"{self.last}/{name}{extension}", self.allowed), 0)
        with open(self.last + "/essai-proces-verbal.txt", "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        with open(self.last + "/essai-cloture.txt") as file:
            closing = file.read()
        self.assertIn(digest, closing)
        with open(self.last + "/edited.txt", "w") as file:
            file.write(closing.replace("destroyed", "kept"))
        self.world.run("log", "--verify", self.last + "/edited.txt", check=6)
        secrets = [value.strip() for value in self.given.values()]
        self.assertEqual(self.world.traces(secrets, self.last), [])

    def test_the_last_statement_lists_only_who_knows_what_is_in_force(self):
        with open(self.last + "/essai-proces-verbal.json") as file:
            told = json.load(file)
        self.assertEqual({row["address"] for row in told["secrets"] if row["refused"]}, set(OWN))
        for row in told["stay"]:
            self.assertEqual(row["by"], "memory", row)
            self.assertTrue(row["label"] and row["knows"], row)
        with open(self.copy + "/proces-verbal.json") as file:
            given = json.load(file)
        self.assertFalse(any(row["refused"] for row in given["secrets"]))
        self.assertIn("slot", {row["by"] for row in given["stay"]})

    def test_the_statement_in_the_trousseau_is_still_verified(self):
        done = self.world.run("log", "--verify", self.copy + "/proces-verbal.txt", check=0)
        self.assertIn("destroyed here", " ".join(done.stdout.split()))
        self.assertNotIn("its heads are in the journal", done.stdout)
        told = self.world.json("log", "--verify", self.copy + "/proces-verbal.txt")
        self.assertEqual([(row["heads"], row["heads_gone"]) for row in told["statements"]],
                         [(2, 1)])

    def test_closing_again_only_writes_the_statement_again(self):
        again = self.world.folder("again")
        self.world.run("handover", "close", "essai", "--confirm", "essai", "-o", again, check=0)
        self.assertIn("essai-cloture.txt", os.listdir(again))

    def test_z_the_clients_person_stays_until_he_is_removed_too(self):
        self.assertIn("martine", self.world.run("person", "ls", check=0).stdout)
        self.world.run("person", "rm", "martine", check=0)

    # --- the successor ---

    def test_z_a_successor_takes_over_from_the_trousseau_alone(self):
        world = self.world
        home = world.folder("successor")
        keygen(os.path.join(home, "key.txt"))
        env = world.env(HOME=home, XDG_DATA_HOME=home + "/data", XDG_STATE_HOME=home + "/state",
                        XDG_RUNTIME_DIR=home + "/run")

        def run(*args, check=0, stdin=None):
            done = subprocess.run([world.binary, "--no-input", "--identity-file",
                                   home + "/key.txt", *args], env=env, capture_output=True,
                                  text=True, input=stdin or "")
            self.assertEqual(done.returncode, check, (args, done.stdout, done.stderr))
            return done

        run("init")
        taken = json.loads(run("--json", "client", "import", self.copy + "/trousseau.age",
                               "--code-fd", "0", "--issuer", self.keys["fingerprint"],
                               "--endpoint", world.ready["endpoint"], "--imap",
                               world.ready["imap"], stdin=self.code).stdout)
        self.assertEqual((taken["roles"], taken["secrets"], taken["linked"]),
                         (len(BOXES), len(SECRETS), False))
        former = taken["former"]
        self.assertEqual(former, "former-essai")
        run("client", "set", "essai", *LIMITS)
        run("ovh", "link", "essai", "--config", world.credential(72000, NIC), "--accept-wide")
        due = json.loads(run("--json", "due", check=12).stdout)["due"]
        known = {(row["address"], row["label"] or "") for row in due if row["person"] == former}
        self.assertEqual(known, set(self.given))
        done = run("--json", "due", "--apply", "-o", home, check=12)
        for address in BOXES:
            shown = json.loads(run("--json", "show", address, "--reveal").stdout)["password"]
            self.assertTrue(world.logs_in(address, shown), address)
            self.assertNotIn(shown, (OWN[address], self.given[address, ""]))
            self.assertFalse(world.logs_in(address, OWN[address]))
            self.assertFalse(world.logs_in(address, self.given[address, ""]))
        left = json.loads(run("--json", "due", check=12).stdout)["due"]
        self.assertEqual({row["kind"] for row in left}, {"secret"}, done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
