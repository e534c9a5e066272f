#!/usr/bin/env python3
"""What a handover, a recovery envelope and a takeover refuse, and what they do unattended.

    test_handover_edges.py BUILD
"""

import fcntl
import html
import json
import os
import re
import shutil
import subprocess
import sys
import time
import unittest
import unittest.mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support import chromium, fake_time  # noqa: E402
from support.handover import LIMITS, NIC, OURS, Handing, read_document  # noqa: E402
from support.screen import Screen  # noqa: E402
from support.world import World, keygen  # noqa: E402

BUILD = sys.argv.pop(1)
DOMAIN = World.DOMAIN
BOXES = [f"box{i}@{DOMAIN}" for i in range(2)]
MAIN_FILES = ("trousseau.html", "trousseau.age", "trousseau.kdbx", "proces-verbal.html",
              "proces-verbal.txt", "proces-verbal.json", "SHA256SUMS", "LISEZMOI.txt")
COMPARED = ("trousseau.html", "trousseau.kdbx", "proces-verbal.txt", "SHA256SUMS")


class Handovers(unittest.TestCase):
    LANGUAGE = "C"

    def setUp(self):
        self.world = Handing(BUILD, language=self.LANGUAGE).__enter__()
        self.addCleanup(self.world.__exit__)
        self.settle_in(self.world)

    @staticmethod
    def settle_in(world):
        world.setup_client(mailboxes=len(BOXES))
        world.secret(BOXES[0], "Stripe", "sk_live_0001", "--type", "stripe")
        world.run("person", "add", "martine", "--kind", "client", "--email",
                  "martine@perso.example", check=0)

    def confirm(self, path, code):
        receipt = self.world.opened(path + "/trousseau.html", code)["receipt"]
        self.world.run("handover", "confirm", "essai", receipt, check=0)

    def own_passwords(self):
        """The client sets his own, and two rounds of logins notice."""
        for address in BOXES:
            self.world.control("POST", "/password", {"address": address,
                                                     "password": "Chosen-Word-" + address[:4]})
        self.world.run("handover", "next", "essai", check=0)
        time.sleep(2.1)
        self.world.run("handover", "next", "essai", check=0)

    def vault(self):
        """What must not change when something is refused."""
        path = os.path.join(self.world.home, "data", "passation")
        found = {}
        for name in os.listdir(path):
            if not name.endswith((".lock", "-wal", "-shm")):
                with open(os.path.join(path, name), "rb") as file:
                    found[name] = file.read()
        return found

    def report_of(self, person):
        with open(os.path.join(self.world.out, f"depart-{person}.txt"), encoding="utf-8") as file:
            return " ".join(file.read().replace("\n|", " ").split())

    def close(self, *more, check, confirm=("--confirm", "essai")):
        done = self.world.run("handover", "close", "essai", *confirm, "-o", self.world.out, *more)
        self.assertEqual(done.returncode, check, done.stdout + done.stderr)
        self.assertNotIn("essai-cloture.txt", os.listdir(self.world.out))
        self.assertEqual(self.world.role(BOXES[0])["client"], "essai")
        return done


class WhatIsHis(Handovers):
    """What the client has, version by version, and what nobody may tell him that he has."""

    def leaver(self, name="jp", *grant):
        world = self.world
        world.run("person", "add", name, "--kind", "provider", "--email", name + "@x.example",
                  "--key", self.key_of(name), check=0)
        if grant:
            world.run("grant", name, BOXES[0], *grant, "--until", "2031-03-31", "-o", world.out,
                      check=0)

    def key_of(self, name):
        path = os.path.join(self.world.home, name + ".txt")
        keygen(path)
        return path + ".pub"

    def receive(self):
        path, code = self.world.issue()
        self.confirm(path, code)
        return path, code

    def adopt_again(self):
        world = self.world
        world.run("role", "rm", BOXES[0], "--confirm", BOXES[0], check=0)
        world.run("role", "adopt", BOXES[0], check=0)
        world.secret(BOXES[0], "Stripe", "sk_live_NEW", "--type", "stripe")

    def test_a_mailbox_that_was_adopted_again_is_not_what_was_handed_over(self):
        """Its versions have numbers of their own: the first ones meant other values."""
        world = self.world
        world.prepare()
        self.receive()
        self.adopt_again()
        self.assertIn(("stale", BOXES[0]), world.blocks())
        self.close("--unchanged", check=13)
        self.leaver("jp", "--with", "all")
        given = world.in_force(BOXES[0])
        world.run("depart", "jp", "-o", world.out)
        self.assertNotEqual(world.in_force(BOXES[0]), given)

    def restore(self, copy):
        self.world.run("-y", "restore", copy, "--accept-older", check=0)

    def test_a_number_that_was_used_before_a_restore_is_not_used_again(self):
        """The trousseau, and the envelope, know a value by it."""
        world = self.world
        copy = os.path.join(world.home, "before.db")
        world.run("backup", copy, check=0)
        stripe = ["secret", "set", BOXES[0], "Stripe", "--secret-fd", "0"]
        world.run(*stripe, stdin="sk_live_B", check=0)
        world.prepare()
        self.receive()
        world.run("role", "rm", BOXES[0], "--confirm", BOXES[0], check=0)
        self.restore(copy)
        world.run(*stripe, stdin="sk_live_C", check=0)
        # The password's, too, if it was replaced before it was handed over.
        self.assertIn("Stripe", [row["label"] for row in world.status()["blockers"]
                                 if row["block"] == "stale"])
        self.close("--unchanged", check=13)

    def test_a_number_that_a_replacement_had_which_was_put_aside_is_not_used_again(self):
        world = self.world
        self.leaver("jp", "--with", "all")
        world.run("depart", "jp", "-o", world.out)
        copy = os.path.join(world.home, "before.db")
        world.run("backup", copy, check=0)
        spent = max(self.versions())
        world.run("-y", "secret", "rm", BOXES[0], "Stripe", "--replacement", check=0)
        world.run("role", "rm", BOXES[0], "--confirm", BOXES[0], "--unchanged", "why", check=0)
        world.run("role", "adopt", BOXES[0], check=0)
        world.secret(BOXES[0], "Stripe", "sk_live_NEW", "--type", "stripe")
        self.assertGreater(min(self.versions()), spent)
        self.restore(copy)
        self.assertIn("sk_live_NEW", self.versions().values())

    def versions(self):
        shown = self.world.json("show", BOXES[0], "Stripe", "--versions", "--reveal")
        return {row["version"]: row["password"] for row in shown["versions"]}

    def test_a_client_who_comes_again_has_numbers_of_his_own(self):
        world = self.world
        copy = os.path.join(world.home, "before.db")
        world.run("backup", copy, check=0)
        world.run("client", "rm", "essai", "--confirm", "essai", check=0)
        world.run("client", "add", "essai", "--nic", world.ready["nic"], "--domain", DOMAIN,
                  "--endpoint", world.ready["endpoint"], "--imap", world.ready["imap"], *LIMITS,
                  check=0)
        world.run("ovh", "link", "essai", "--config", world.config, "--accept-wide", check=0)
        world.run("role", "adopt", *BOXES, check=0)
        self.assertGreater(world.role(BOXES[0])["version"], 1)
        self.restore(copy)
        self.assertEqual(world.vault_says()[BOXES[0], ""], world.in_force(BOXES[0]))

    def test_an_envelope_does_not_hold_what_came_again(self):
        world = self.world
        world.run("envelope", "create", "essai", "--to", "martine", "-o", world.folder("env"), check=0)
        self.assertFalse(world.json("envelope", "ls")["envelopes"][0]["due"])
        self.adopt_again()
        self.assertTrue(world.json("envelope", "ls")["envelopes"][0]["due"])

    def test_a_password_from_before_that_still_works_is_neither_handed_over_nor_forgotten(self):
        world = self.world
        self.leaver("jp", "--reason", "site")
        time.sleep(1.1)
        world.run("handover", "start", "essai", "--to", "martine", check=0)
        world.control("POST", "/faults", [{"method": "IMAP", "path": "*box0*",
                                           "kind": "accept_old", "sticky": True}])
        world.run("handover", "next", "essai")
        world.settle_items()
        world.judge()
        world.run("handover", "next", "essai")
        self.assertIn(("unfinished", BOXES[0]), world.blocks())
        world.issue(check=13)
        world.control("DELETE", "/faults")
        world.run("handover", "next", "essai", check=0)
        self.assertTrue(world.role(BOXES[0])["old_dead"])
        self.receive()

    def test_a_receiver_who_is_leaving_owns_nothing(self):
        world = self.world
        world.run("person", "add", "theo", "--kind", "client", "--email", "theo@x.example", check=0)
        world.prepare("theo")
        self.receive()
        given = world.in_force(BOXES[0])
        world.run("depart", "theo", "-o", world.out)
        self.assertNotEqual(world.in_force(BOXES[0]), given)
        self.assertIn(("receiver", "theo"), world.blocks())
        self.close("--unchanged", check=13)
        self.assertIn("passation handover start essai --to PERSON",
                      " ".join(world.run("handover", "status", "essai").stdout.split()))
        world.run("handover", "start", "essai", "--to", "martine", check=0)
        self.assertNotIn(("receiver", "theo"), world.blocks())

    def test_the_record_of_a_trousseau_is_about_that_one(self):
        world = self.world
        world.prepare()
        self.receive()
        world.run("role", "add", f"late@{DOMAIN}", check=0)
        path, _ = world.issue()
        with open(path + "/proces-verbal.json", encoding="utf-8") as file:
            record = json.load(file)
        self.assertIsNone(record["confirmed_at"])
        blocks = [row["block"] for row in record["blockers"]]
        self.assertIn("no_receipt", blocks)
        self.assertNotIn("stale", blocks)

    def test_what_is_hidden_after_it_was_given_is_given_all_the_same(self):
        world = self.world
        world.prepare()
        self.receive()
        world.run("secret", "rm", BOXES[0], "Stripe", check=0)
        self.assertNotIn(("hidden", BOXES[0]), world.blocks())

    def test_the_clock_at_the_beginning_does_not_say_what_is_his(self):
        world = self.world
        ahead = ("faketime", "-f", "+1h")
        world.run("handover", "start", "essai", "--to", "martine", check=0, prefix=ahead)
        world.run("handover", "next", "essai", prefix=ahead)
        world.settle_items()
        world.judge()
        world.run("handover", "next", "essai", prefix=ahead)
        self.receive()
        given = world.in_force(BOXES[0])
        world.run("rotate", BOXES[0], check=13)
        self.assertEqual(world.in_force(BOXES[0]), given)

    def stop_rotating(self, address):
        world = self.world
        world.control("POST", "/faults", [{"method": "POST", "path": "*/changePassword",
                                           "kind": "lost_before", "sticky": True}])
        rotation = subprocess.Popen(world.command("rotate", address), env=world.env(),
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while world.role(address)["state"] == "stable":
            time.sleep(0.05)
        rotation.terminate()
        rotation.wait(30)

    def test_a_clock_that_was_ahead_at_the_beginning_rotates_nothing_twice(self):
        world = self.world
        world.run("handover", "start", "essai", "--to", "martine", check=0,
                  prefix=("faketime", "-f", "+1h"))
        world.run("handover", "next", "essai")
        world.settle_items()
        world.judge()
        world.run("handover", "next", "essai")
        version = world.role(BOXES[0])["version"]
        world.run("handover", "next", "essai")
        self.assertEqual(world.role(BOXES[0])["version"], version)
        self.assertNotIn(("old", BOXES[0]), world.blocks())

    def test_no_trousseau_is_received_while_a_password_is_on_its_way(self):
        world = self.world
        world.prepare()
        receipts = [world.opened(path + "/trousseau.html", code)["receipt"]
                    for path, code in (world.issue(), world.issue())]
        self.stop_rotating(BOXES[0])
        for receipt in receipts:
            world.run("receipt", "check", receipt, check=13)

    def test_a_trousseau_is_received_while_a_password_that_it_does_not_hold_is_on_its_way(self):
        world = self.world
        world.prepare()
        path, code = world.issue()
        world.run("role", "add", f"late@{DOMAIN}", check=0)
        self.stop_rotating(f"late@{DOMAIN}")
        self.confirm(path, code)

    def test_what_was_set_while_a_way_in_was_open_is_not_handed_over(self):
        world = self.world
        self.leaver("jp", "--reason", "site")
        world.prepare()
        world.call(f"/email/domain/{DOMAIN}/redirection",
                   {"from": BOXES[0], "to": "jp@x.example", "localCopy": False})
        world.allow([("GET", "/*"), ("POST", "*/changePassword")])
        world.run("depart", "jp", "-o", world.out)
        self.assertIn(("known", BOXES[0]), world.blocks())
        self.assertIn("door", [block for block, _ in world.blocks()])
        world.issue(check=13)
        version = world.role(BOXES[0])["version"]
        world.run("handover", "next", "essai")
        self.assertEqual(world.role(BOXES[0])["version"], version)  # it waits for the door
        self.assertIn("door", [block for block, _ in world.blocks()])
        world.allow_all()
        world.run("resume")
        self.assertNotIn("door", [block for block, _ in world.blocks()])

    def test_a_mailbox_that_stays_out_is_a_reserve(self):
        world = self.world
        world.prepare()
        world.run("role", "rm", BOXES[1], "--confirm", BOXES[1], check=0)
        world.run("handover", "next", "essai")
        self.assertIn(("unmanaged", BOXES[1]), world.blocks(stage="inventory"))
        world.run("sweep", "essai", "--keep", "mailbox:" + BOXES[1])
        self.assertNotIn(("unmanaged", BOXES[1]), world.blocks(stage="inventory"))
        path, _ = world.issue()
        with open(path + "/proces-verbal.txt", encoding="utf-8") as file:
            said = " ".join(file.read().split())
        self.assertIn(BOXES[1] + ": exists at OVH, and the vault does not have it", said)
        self.assertNotIn("makes no reserve", said)

    def test_a_plan_for_who_has_received_says_what_is_done(self):
        world = self.world
        world.prepare()
        self.receive()
        self.assertNotIn("the client must set it", world.run("depart", "martine", "-n", check=0).stdout)

    def record(self, path):
        with open(path + "/proces-verbal.txt", encoding="utf-8") as file:
            return " ".join(file.read().replace("\n|", " ").split())

    def test_what_nobody_can_change_is_handed_over_and_the_record_says_who_keeps_it(self):
        world = self.world
        world.secret(BOXES[0], "iban", "FR7630006000011234567890189", "--type", "bank")
        self.leaver("jp", "--with", "iban")
        world.prepare()
        world.run("depart", "jp", "-o", world.out)
        self.assertIn(("known", BOXES[0]), world.blocks())
        world.run("secret", "set", BOXES[0], "iban", "--unchangeable", "the bank's", check=0)
        world.run("resume")
        self.assertNotIn(("known", BOXES[0]), world.blocks())
        path, code = world.issue()
        said = self.record(path)
        self.assertIn("Kept until: for good: nobody can change it the bank's", said)
        with open(path + "/proces-verbal.json", encoding="utf-8") as file:
            stays = json.load(file)["stay"]
        self.assertEqual([(row["person"], row["unchangeable"]) for row in stays
                          if row["label"] == "iban"], [("jp", "the bank's")])
        self.confirm(path, code)
        self.assertNotIn("iban: jp still knows it", world.run("who", "jp", check=0).stderr)

    def test_a_password_that_somebody_else_has_changed_is_not_handed_over(self):
        world = self.world
        world.prepare()
        world.control("POST", "/password", {"address": BOXES[0], "password": "Somebody-Else-1"})
        world.run("verify", BOXES[0], check=11)
        self.assertIn(("outside", BOXES[0]), world.blocks())
        world.issue(check=13)
        world.run("handover", "next", "essai", check=0)
        self.assertNotIn(("outside", BOXES[0]), world.blocks())
        self.receive()


class Refusals(Handovers):
    def test_words_clients_and_people_that_are_not_there(self):
        run = self.world.run
        for args, status in (
                (["start", "nobody", "--to", "martine"], 4), (["start", "essai", "--to", "x"], 4),
                (["start", "essai"], 2), (["status", "essai"], 4), (["next", "essai"], 4),
                (["issue", "essai"], 2), (["confirm", "essai", "VFXSR-WXECS-M"], 4),
                (["abandon", "essai", "-y"], 4), (["close", "essai"], 4), (["close", "nobody"], 4),
                (["item", "essai", "account", "--none"], 4), (["contacts", "nobody"], 4)):
            done = run("handover", *args, cwd=self.world.out)
            self.assertEqual(done.returncode, status, (args, done.stderr))
        run("person", "add", "jp", "--kind", "provider", check=0)
        run("depart", "jp", "-o", self.world.out)
        self.assertEqual(run("handover", "start", "essai", "--to", "jp").returncode, 13)
        run("handover", "start", "essai", "--to", "martine", check=0)
        for args, status in ((["acount", "--none"], 4), (["account"], 2),
                             (["account", "--none", "--given"], 2),
                             (["account", "--reserve", ""], 2),
                             (["account", "--reserve", "a\nb"], 2)):
            self.assertEqual(run("handover", "item", "essai", *args).returncode, status, args)
        for args in (["--accept", "1", "--refuse", "2"], ["--tech", NIC, "--resend", "3"],
                     ["--token-fd", "0"]):
            self.assertEqual(run("handover", "contacts", "essai", *args).returncode, 2, args)
        self.assertEqual({row["mode"] for row in self.world.status()["items"]},
                         {"open", "last"})

    def test_what_was_received_is_the_clients_to_set_when_somebody_leaves(self):
        world = self.world
        world.run("person", "add", "jp", "--kind", "provider", "--email", "jp@x.example",
                  "--key", self.key_of("jp"), check=0)
        world.prepare()
        world.run("grant", "jp", BOXES[0], "--until", "2031-03-31", "-o", world.out, check=0)
        self.confirm(*world.issue())
        self.assertIn("the client must set it", world.run("depart", "jp", "-n", check=0).stdout)
        done = world.run("depart", "jp", "-o", world.out, check=12)
        self.assertIn("the client must set what he has received", done.stderr)
        self.assertNotIn("passation resume", done.stderr)
        said = self.report_of("jp")
        self.assertIn(BOXES[0] + ": the client must set it: he is told in the handover's "
                      "statement", said)
        self.assertNotIn("passation resume", said)
        world.run("due", "--apply", "-o", world.out, check=12)
        world.control("POST", "/password", {"address": BOXES[0], "password": "Set-By-Martine-1"})
        world.run("verify", BOXES[0], check=11)
        world.run("depart", "jp", "-o", world.out, check=12)
        said = self.report_of("jp")
        self.assertRegex(said, BOXES[0] + ": what was handed over is refused, as was seen on "
                               "[-0-9: +]+: have the client confirm that it was them who "
                               "changed it")
        self.assertNotIn("the client must set it", said)
        self.assertIn("changed since it was handed over", said)

    def test_after_the_receipt_what_a_revoked_person_knows_is_said_to_be_the_clients(self):
        world = self.world
        for name in ("jp", "leo"):
            world.person(name, "provider")
        world.prepare()
        world.run("grant", "jp", BOXES[0], "--with", "all", "--until", "2099-12-31", "-o",
                  world.out, check=0)
        self.confirm(*world.issue())
        in_force = world.in_force(BOXES[0])
        done = world.run("grant", "leo", BOXES[1], "-o", world.out, check=13)
        self.assertIn("it is the client's now, and is not granted from here", done.stderr)
        self.assertIn("passation handover abandon essai", done.stderr)
        world.secret(BOXES[0], "late", "a-late-secret")
        world.run("outbox", "-o", world.out, check=0)
        done = world.run("--json", "revoke", "jp", check=12)
        self.assertEqual(world.in_force(BOXES[0]), in_force)
        self.assertNotIn("passation outbox", done.stderr)
        self.assertIn("3 secrets in force are still known to 'jp'", done.stderr)
        left = json.loads(done.stdout)
        self.assertEqual([row["label"] for row in left["due"]], ["late"])
        self.assertEqual(left["handed_over"],
                         [{"person": "jp", "address": BOXES[0], "client": "essai",
                           "label": label, "version": version} for label, version in
                          ((None, world.role(BOXES[0])["version"]), ("Stripe", 1))])
        said = world.run("who", "jp", check=0).stderr
        self.assertIn(BOXES[0] + ": jp still knows the password; 'essai' has received it", said)
        self.assertIn(BOXES[0] + ", Stripe: jp still knows it; 'essai' has received it", said)
        self.assertIn("To take back what is in force: passation secret set", said)
        self.assertNotIn("late: jp still knows it", said)

    def test_where_all_is_the_clients_revoke_names_the_statement(self):
        world = self.world
        world.person("jp", "provider")
        world.prepare()
        world.run("grant", "jp", BOXES[0], "--until", "2099-12-31", "-o", world.out, check=0)
        self.confirm(*world.issue())
        done = world.run("revoke", "jp", check=12)
        self.assertIn("1 secret in force is still known to 'jp'", done.stderr)
        self.assertIn("jp still knows the password; 'essai' has received it", done.stderr)
        self.assertIn("the handover's statement names jp", done.stderr)
        # Nobody is in his way any more.
        world.run("-y", "handover", "abandon", "essai", check=0)
        known = world.in_force(BOXES[0])
        self.assertIn("rotate: still known", world.run("due", check=12).stdout)
        world.run("due", "--apply", "-o", world.out, check=0)
        self.assertNotEqual(world.in_force(BOXES[0]), known)

    @unittest.skipUnless(fake_time.library(), "faketime is not installed")
    def test_a_grant_that_ran_out_after_the_receipt_leaves_what_the_client_changes(self):
        world = self.world
        world.person("jp", "provider")
        world.prepare()
        world.run("grant", "jp", BOXES[0], "--until",
                  time.strftime("%Y-%m-%d", time.gmtime(time.time() + 86400)), "-o", world.out,
                  check=0)
        self.confirm(*world.issue())
        known = world.in_force(BOXES[0])
        done = world.run("due", "--apply", "-o", world.out, prefix=fake_time.at("+4d"),
                         check=12)
        self.assertIn("jp: the grant for " + BOXES[0] + " has ended", done.stderr)
        self.assertIn(BOXES[0] + ": jp still knows the password; 'essai' has received it",
                      done.stderr)
        self.assertEqual(world.in_force(BOXES[0]), known)

    def test_a_plan_that_was_made_before_the_receipt_does_not_hold_after_it(self):
        world = self.world
        world.person("jp", "provider")
        world.prepare()
        world.run("grant", "jp", BOXES[0], "--with", "all", "--until", "2099-12-31", "-o",
                  world.out, check=0)
        path, code = world.issue()
        plan = os.path.join(world.out, "jp.plan")
        world.run("depart", "jp", "--plan", "-o", plan, check=0)
        self.confirm(path, code)
        with open(plan, encoding="utf-8") as file:
            self.assertNotIn("by=client", file.read())
        in_force = world.in_force(BOXES[0])
        world.run("apply", plan, "-o", world.out, check=7)
        self.assertEqual(world.json("grant", "ls", "jp")["grants"][0]["state"], "active")
        world.run("depart", "jp", "--plan", "-o", plan + "-2", check=0)
        with open(plan + "-2", encoding="utf-8") as file:
            self.assertEqual(file.read().count(" by=client"), 2)
        world.run("apply", plan + "-2", "-o", world.out, check=12)
        self.assertEqual(world.in_force(BOXES[0]), in_force)

    def test_where_only_a_received_secret_is_left_it_is_the_clients_to_change(self):
        world = self.world
        world.person("jp", "provider")
        world.run("grant", "jp", BOXES[0], "--with", "all", "--until", "2099-12-31", "-o",
                  world.out, check=0)
        time.sleep(1.1)
        world.prepare()
        self.confirm(*world.issue())
        done = world.run("depart", "jp", "-o", world.out, check=12)
        self.assertIn("the client must set what he has received", done.stderr)
        self.assertNotIn("where it is used", done.stderr)

    def test_what_was_added_after_the_trousseau_is_not_the_clients_yet(self):
        """His receipt is for what he has: the rest is rotated when somebody leaves."""
        world = self.world
        late = f"late@{DOMAIN}"
        world.run("person", "add", "jp", "--kind", "provider", "--email", "jp@x.example",
                  "--key", self.key_of("jp"), check=0)
        world.prepare()
        path, code = world.issue()
        receipt = world.opened(path + "/trousseau.html", code)["receipt"]
        world.run("role", "add", late, check=0)
        world.run("grant", "jp", BOXES[0], late, "--until", "2031-03-31", "-o", world.out,
                  check=0)
        done = world.run("handover", "confirm", "essai", receipt, check=0)
        self.assertIn("1 thing is newer than that trousseau, or not in it", done.stderr)
        self.assertIn(("stale", late), world.blocks())
        world.run("rotate", BOXES[0], check=13)
        received, given = world.in_force(BOXES[0]), world.in_force(late)
        world.run("depart", "jp", "-o", world.out, check=12)
        self.assertEqual(world.in_force(BOXES[0]), received)
        self.assertNotEqual(world.in_force(late), given)
        # Another trousseau takes nothing back that he has.
        world.issue()
        self.assertEqual(world.status()["stage"], "receipt")
        world.run("rotate", BOXES[0], check=13)
        world.run("rotate", late, check=0)
        self.assertNotIn(("known", BOXES[0]), world.blocks())

    def test_what_was_removed_from_the_lists_is_named_before_it_is_destroyed(self):
        world = self.world
        world.secret(BOXES[1], "Ancien CMS", "an-old-value")
        world.run("secret", "rm", BOXES[1], "Ancien CMS", check=0)
        world.prepare()
        path, code = world.issue()
        with open(path + "/proces-verbal.txt", encoding="utf-8") as file:
            said = " ".join(file.read().split())
        self.assertIn(BOXES[1] + ", Ancien CMS: was removed from the provider's lists earlier", said)
        self.assertNotIn("makes no reserve", said)
        self.confirm(path, code)
        self.own_passwords()
        done = self.close(check=13, confirm=())
        self.assertIn("passation secret set " + BOXES[1] + " 'Ancien CMS'",
                      " ".join(done.stderr.split()))

    def key_of(self, name):
        path = os.path.join(self.world.home, name + ".txt")
        keygen(path)
        return path + ".pub"

    def test_nothing_closes_before_all_is_done(self):
        world = self.world
        world.prepare()
        self.close(check=13)
        path, code = world.issue()
        self.close(check=13)
        for wrong in ("VFXSR-WXECS-M", "x", code, ""):
            done = world.run("handover", "confirm", "essai", wrong)
            self.assertIn(done.returncode, (2, 11), done.stderr)
            self.assertEqual(world.status()["stage"], "receipt")
        self.confirm(path, code)
        self.close(check=13)
        for address in BOXES:
            world.run("rotate", address, check=13)
        self.own_passwords()
        self.close(check=13, confirm=())
        for wrong in ("", "garage", "ESSAI", "essai "):
            self.close(check=13, confirm=("--confirm", wrong))
        world.secret(BOXES[1], "late", "a-late-secret")
        self.assertIn(("stale", BOXES[1]), world.blocks())
        self.close(check=13)
        world.run("secret", "rm", BOXES[1], "late", check=0)
        self.assertEqual([block for block, _ in world.blocks()],
                         ["own_key", "hidden", "copies"])
        world.allow([("GET", "/*"), ("POST", "*/changePassword")])
        done = self.close(check=13)
        self.assertIn("ovh link essai --for cut", done.stderr)
        state = world.control("GET", "/state")
        self.assertFalse(state["credentials"]["498601349"].get("_revoked"))
        world.run("ovh", "link", "essai", "--for", "cut", "--config",
                  world.other_key("cutconsumerkey000000000000000001"), "--accept-wide", check=0)
        world.run("handover", "close", "essai", "--confirm", "essai", "-o", world.out, check=0)
        self.assertNotIn("105668", world.control("GET", "/state")["applications"])

    def test_a_damaged_trousseau_destroys_nothing(self):
        world = self.world
        world.prepare()
        path, code = world.issue()
        self.confirm(path, code)
        self.own_passwords()
        before = self.vault()
        names = [*MAIN_FILES, *(os.path.join(folder, name) for folder in ("reglages", "zones")
                                for name in os.listdir(os.path.join(path, folder)))]
        for name in names:
            with self.subTest(name=name):
                file = os.path.join(path, name)
                with open(file, "rb") as whole:
                    content = whole.read()
                spoilt = bytearray(content)
                spoilt[len(spoilt) // 2] ^= 1
                with open(file, "wb") as damaged:
                    damaged.write(spoilt)
                self.close(check=6)
                if name in COMPARED:
                    done = world.run("handover", "compare", "essai", "--code-fd", "0", stdin=code)
                    self.assertIn(done.returncode, (6, 11), done.stderr)
                with open(file, "wb") as whole:
                    whole.write(content)
        for name in ("trousseau.kdbx", "zones/essai.example.zone"):
            os.rename(os.path.join(path, name), path + "/gone")
            self.close(check=6)
            os.rename(path + "/gone", os.path.join(path, name))
        state = world.control("GET", "/state")
        self.assertFalse(state["credentials"]["498601349"].get("_revoked"))
        self.assertEqual(self.vault(), before)
        world.run("handover", "close", "essai", "--confirm", "essai", "-o", world.out, check=0)

    def test_what_was_given_up_is_open_no_more_and_may_begin_again(self):
        world = self.world
        world.prepare()
        path, code = world.issue()
        self.confirm(path, code)
        world.run("rotate", BOXES[0], check=13)
        world.run("handover", "abandon", "essai", check=2)
        world.run("-y", "handover", "abandon", "essai", "--reason", "contract renewed", check=0)
        self.assertEqual(world.json("handover", "status")["handovers"], [])
        world.run("rotate", BOXES[0], check=0)
        self.close(check=4)
        world.run("handover", "start", "essai", "--to", "martine", check=0)
        self.assertEqual(world.status()["stage"], "inventory")
        self.assertIsNone(world.status()["trousseau"]["path"])


    def test_who_has_confirmed_everything_keeps_it(self):
        world = self.world
        world.run("person", "add", "theo", "--kind", "provider", check=0)
        world.prepare()
        first, _ = world.issue()
        done = world.run("handover", "start", "essai", "--to", "theo", check=0)
        self.assertEqual(world.status()["stage"], "rotation", done.stderr)
        world.run("handover", "start", "essai", "--to", "martine", check=0)
        path, code = world.issue()
        self.assertNotEqual(first, path)
        receipt = world.opened(path + "/trousseau.html", code)["receipt"]
        world.run("receipt", "check", receipt, check=0)
        done = world.run("handover", "start", "essai", "--to", "theo", check=13)
        self.assertIn("handover abandon essai", done.stderr)
        self.assertEqual(world.status()["to"], "martine")
        world.run("-y", "handover", "abandon", "essai", check=0)
        world.run("handover", "start", "essai", "--to", "theo", check=0)
        self.assertEqual(world.status()["to"], "theo")
        world.run("-y", "handover", "abandon", "essai", check=0)
        # He has seen nothing; the client who has everything is the owner again.
        self.assertEqual(world.json("client", "show", "essai")["owner"], "martine")
        self.assertEqual(world.json("due")["due"], [])

    def test_an_owner_is_named_and_is_none_when_it_was_given_up(self):
        world = self.world
        with open(world.file("grant-code"), "w") as file:
            world.run("grant", "martine", BOXES[0], "--until", "2031-03-31", "-o", world.out,
                      "--code-fd", str(file.fileno()), pass_fds=(file.fileno(),), check=0)
        world.run("handover", "start", "essai", "--to", "martine", check=0)
        self.assertEqual(world.json("client", "show", "essai")["owner"], "martine")
        self.assertIn("martine", world.run("client", "show", "essai", check=0).stdout)
        self.assertEqual(world.json("who", "martine")["owns"], ["essai"])
        for asked in (["who", "martine"], ["who", BOXES[0]], ["person", "show", "martine"]):
            self.assertIn("martine owns the accesses of essai",
                          world.run(*asked, check=0).stderr, asked)
        done = world.run("revoke", "martine", check=12)
        self.assertIn("handover abandon essai", done.stderr)
        world.run("-y", "handover", "abandon", "essai", check=0)
        self.assertIsNone(world.json("client", "show", "essai")["owner"])
        self.assertEqual([row["address"] for row in world.json("due", check=12)["due"]],
                         [BOXES[0]])

    def test_a_receiver_who_left_and_was_removed_breaks_no_list(self):
        world = self.world
        world.run("person", "add", "theo", "--kind", "provider", check=0)
        world.prepare("theo")
        world.issue()
        world.run("depart", "theo", "-o", world.out)
        world.run("-y", "person", "rm", "theo")
        for args in (["due"], ["status"], ["handover", "status", "essai"], ["rotate", BOXES[0]]):
            self.assertNotEqual(world.run(*args).returncode, 4, args)
        world.run("handover", "start", "essai", "--to", "martine", check=0)

    def test_what_somebody_leaves_with_is_replaced_before_it_is_handed_over(self):
        """His departure fails, so that only its own line says what is due."""
        world = self.world
        world.person("leo", "provider")
        world.prepare()
        world.run("grant", "leo", BOXES[0], "--until", "2099-12-31", "-o", world.out, check=0)
        world.allow([("GET", "/*")])
        world.run("depart", "leo", "-o", world.out, check=10)
        world.allow_all()
        self.assertIn(("known", BOXES[0]), world.blocks())
        known = world.in_force(BOXES[0])
        world.run("handover", "next", "essai", check=0)
        self.assertNotEqual(world.in_force(BOXES[0]), known)
        self.assertNotIn(("known", BOXES[0]), world.blocks())

    def test_a_value_that_is_ready_and_not_set_is_not_destroyed(self):
        """The report says to type it in at the host: from then on it is the only one."""
        world = self.world
        world.person("leo", "provider")
        world.run("grant", "leo", BOXES[0], "--with", "all", "--until", "2099-12-31", "-o",
                  world.out, check=0)
        world.prepare()
        path, code = world.issue()
        self.confirm(path, code)
        world.secret(BOXES[0], "late", "a-late-secret")
        world.run("outbox", "-o", world.out, check=0)
        world.run("depart", "leo", "-o", world.out)
        self.assertIn(("replacement", BOXES[0]), world.blocks())
        self.assertEqual([row["label"] for row in world.status()["blockers"]
                          if row["block"] == "replacement"], ["late"])
        self.own_passwords()
        self.close("--unchanged", check=13)
        world.run("secret", "set", BOXES[0], "late", "--replacement", check=0)
        self.assertNotIn(("replacement", BOXES[0]), world.blocks())
        self.assertIn(("stale", BOXES[0]), world.blocks())

    def test_a_value_made_ready_before_the_receipt_is_in_use_or_is_put_aside(self):
        """Nobody but the provider knows which; report, resume and status say both ways."""
        world = self.world
        world.person("jp", "provider")
        world.run("grant", "jp", BOXES[0], "--with", "all", "--until", "2099-12-31", "-o",
                  world.out, check=0)
        time.sleep(1.1)
        world.prepare()
        path, code = world.issue()
        world.run("depart", "jp", "-o", world.out, check=12)
        self.confirm(path, code)
        ways = [f"passation secret {verb} {BOXES[0]} {label} --replacement"
                for verb in ("set", "rm") for label in ("Stripe", "'Stripe'")]
        done = world.run("resume", check=12)
        self.assertIn("say whether it is in use, as the report says", done.stderr)
        said = self.report_of("jp")
        self.assertIn(ways[1], said)
        self.assertIn(ways[3], said)
        said = world.run("handover", "status", "essai", check=0).stdout
        self.assertIn(ways[0] + "; not in use: " + ways[2], said)

        aside = ["secret", "rm", BOXES[0], "Stripe", "--replacement"]
        world.run(*aside, check=2)
        self.assertIn(("replacement", BOXES[0]), world.blocks())
        self.assertEqual(world.json("-y", *aside),
                         {"address": BOXES[0], "label": "Stripe", "version": 1, "put_aside": 2})
        world.run("-y", *aside, check=4)
        self.assertNotIn(("replacement", BOXES[0]), world.blocks())
        versions = world.json("show", BOXES[0], "Stripe", "--versions")["versions"]
        self.assertEqual([(row["version"], row["state"]) for row in versions],
                         [(2, "superseded"), (1, "current")])
        self.assertIn("secret.replacement.unused", world.run("log", "--client", "essai", check=0).stdout)
        done = world.run("resume", check=12)
        self.assertIn("the client must set what he has received", done.stderr)
        self.assertNotIn("replacement", self.report_of("jp"))
        # It keeps its number, which nothing newer takes.
        world.run("secret", "set", BOXES[0], "Stripe", "--secret-fd", "0", stdin="sk_live_2",
                  check=0)
        self.assertEqual(world.json("show", BOXES[0], "Stripe", "--versions")["versions"][0],
                         {**versions[0], "version": 3, "state": "current",
                          "created_at": unittest.mock.ANY})

    def test_what_is_added_while_it_closes_is_not_destroyed(self):
        world = self.world
        world.prepare()
        path, code = world.issue()
        self.confirm(path, code)
        self.own_passwords()
        world.control("POST", "/set", {"latency_ms": 700})
        closing = subprocess.Popen(
            world.command("handover", "close", "essai", "--confirm", "essai", "-o", world.out), env=world.env(), text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        time.sleep(1)
        world.secret(BOXES[1], "late", "a-late-secret")
        _, told = closing.communicate(timeout=120)
        self.assertEqual(closing.returncode, 13, told)
        self.assertIn("nothing was destroyed", told)
        world.control("POST", "/set", {"latency_ms": 0})
        self.assertEqual(world.json("show", BOXES[1], "late", "--reveal")["value"],
                         "a-late-secret")
        self.assertIn(("stale", BOXES[1]), world.blocks())

    def test_a_key_that_was_linked_again_is_removed_again(self):
        world = self.world
        world.prepare()
        path, code = world.issue()
        self.assertIn("passation handover confirm essai CODE", " ".join(
            world.run("handover", "status", "essai").stdout.split()))
        self.confirm(path, code)
        self.own_passwords()
        # Our keys go, and the statement finds no place.
        os.mkdir(os.path.join(world.out, "essai-proces-verbal.txt"))
        done = world.run("handover", "close", "essai", "--confirm", "essai", "-o", world.out)
        self.assertNotEqual(done.returncode, 0)
        os.rmdir(os.path.join(world.out, "essai-proces-verbal.txt"))
        self.assertEqual([block for block, _ in world.blocks()], ["copies"])
        world.run("ovh", "link", "essai", "--config", world.credential(73000, NIC),
                  "--accept-wide", check=0)
        self.assertEqual([block for block, _ in world.blocks()], ["own_key", "copies"])
        world.run("handover", "close", "essai", "--confirm", "essai", "-o", world.out, check=0)
        self.assertTrue(world.control("GET", "/state")["credentials"]["73001"].get("_revoked")
                        or "73000" not in world.control("GET", "/state")["applications"])


class Screens(Handovers):
    """No word is cut where the terminal ends."""

    LAST_WORDS = r"its\s+address:"

    def screen(self, *args):
        with Screen([self.world.binary, "--identity-file", self.world.identity, *args],
                    self.world.env(), size=(90, 80)) as screen:
            screen.finish()
            return " ".join(screen.text().split())

    def test_lists_and_lines_are_broken_between_words_at_80_columns(self):
        world = self.world
        world.run("handover", "start", "essai", "--to", "martine", check=0)
        world.run("handover", "next", "essai", check=0)
        for args in (["handover", "status"], ["handover", "status", "essai"], ["status"],
                     ["sweep", "essai"], ["handover", "contacts", "essai"]):
            with self.subTest(args=args):
                shown = self.screen(*args)
                for line in world.run(*args).stdout.splitlines():
                    if world.home not in line:  # a path may be longer than a line
                        self.assertIn(" ".join(line.split()), shown)

    def test_the_question_before_a_role_goes_is_broken_between_words(self):
        world = self.world
        with Screen([world.binary, "--identity-file", world.identity, "role", "rm", BOXES[0]],
                    world.env(), size=(30, 80)) as screen:
            screen.wait(self.LAST_WORDS)
            screen.type("x", "enter")
            screen.finish()
        self.assertEqual(world.role(BOXES[0])["client"], "essai")


class FrenchScreens(Screens):
    LANGUAGE = "fr"
    LAST_WORDS = r"son adresse\W:"

    def test_no_two_columns_of_the_slots_have_one_name(self):
        head = self.world.run("slot", "ls", check=0).stdout.split("\n")[0].split()
        self.assertEqual(len(head), len(set(head)), head)


class Statements(Handovers):
    """What is said of a statement whose heads are not in the journal by our own doing."""

    def verify(self, path, check):
        done = self.world.run("log", "--verify", path, check=check)
        return " ".join((done.stdout + done.stderr).split())

    def test_a_rekey_and_a_restored_backup_are_not_called_tampering(self):
        world = self.world
        backup = os.path.join(world.home, "before")
        world.run("backup", backup, check=0)
        world.prepare()
        path, _ = world.issue()
        statement = path + "/proces-verbal.txt"
        world.run("-y", "rekey", check=0)
        self.assertIn("its heads are in the journal", self.verify(statement, 0))
        world.run("-y", "restore", backup, "--accept-older", check=0)
        said = self.verify(statement, 6)
        self.assertIn("the journal here ends at entry", said)
        self.assertIn("an older backup was restored here on", said)
        self.assertNotIn("another copy", said)

    def test_of_a_client_who_was_removed_it_says_when(self):
        world = self.world
        world.prepare()
        path, _ = world.issue()
        world.run("-y", "client", "rm", "essai", "--confirm", "essai", check=0)
        self.assertIn("removed from this vault, on",
                      self.verify(path + "/proces-verbal.txt", 4))

    def test_a_client_who_came_again_after_his_destruction_changes_nothing(self):
        world = self.world
        world.prepare()
        path, code = world.issue()
        self.confirm(path, code)
        world.run("handover", "close", "essai", "--confirm", "essai", "-o", world.out,
                  "--unchanged", check=0)
        world.run("client", "add", "essai", "--nic", NIC, "--domain", DOMAIN, check=0)
        for statement in (path + "/proces-verbal.txt", world.out + "/essai-proces-verbal.txt"):
            self.assertIn("destroyed here", self.verify(statement, 0))


class Copies(Handovers):
    """Copies of the vault that hold the client, too: what is said of them, and when."""

    def ready(self):
        path, code = self.world.issue()
        self.confirm(path, code)
        self.own_passwords()

    def closing(self, folder=None):
        with open((folder or self.world.out) + "/essai-cloture.txt") as file:
            words = " ".join(line.removeprefix("|") for line in file).split()
        return " ".join(words)  # no-break spaces are spaces here

    def scatter(self):
        """A backup that is there, one that is not any more, and an old file beside."""
        world = self.world
        there, gone = (os.path.join(world.folder("disk"), name) for name in ("there", "gone"))
        world.run("backup", there, check=0)
        world.run("backup", gone, check=0)
        os.unlink(gone)
        beside = os.path.join(os.path.realpath(world.home), "data/passation/vault.db.old")
        shutil.copyfile(os.path.join(world.folder("disk"), "there"), beside)
        return os.path.realpath(there), os.path.realpath(gone), beside

    def test_those_that_the_vault_knows_of_are_listed_before_and_named_after(self):
        world = self.world
        world.prepare()
        self.ready()
        there, gone, beside = self.scatter()
        with Screen([world.binary, "--identity-file", world.identity, "handover", "close",
                     "essai", "-o", world.out], world.env(), size=(60, 200)) as screen:
            screen.wait("Type the client's id")
            asked = screen.text()
            screen.type("no", "enter")
            screen.finish()
        self.assertEqual(world.role(BOXES[0])["client"], "essai")
        for path in (there, gone, beside):
            self.assertIn(path, asked)
        self.assertIn("--backup FILE", asked)
        done = world.run("--json", "handover", "close", "essai", "--confirm", "essai", "-o",
                         world.out)
        self.assertEqual(done.returncode, 12, done.stderr)
        self.assertEqual({row["path"]: row["result"] for row in
                          json.loads(done.stdout.split("\n{")[0])["backups"]},
                         {there: "holds", beside: "holds"})
        text = self.closing()
        for language in ("copie %s : existe encore et contient le client",
                         "copy %s: is still there, and holds the client"):
            for path in (there, beside):
                self.assertIn(language % path, text)
        for said in ("détruites, à l’exception des réserves ci-dessous.",
                     "destroyed, except for the reserves below."):
            self.assertIn(said, text)
        destroyed, reserves = text.split("Annex")[1].split("Reserves: what still lies", 1)
        self.assertNotIn(there, destroyed)
        self.assertIn(there, reserves)
        self.assertNotIn(gone, text)
        with open(world.out + "/essai-cloture.json") as file:
            told = json.load(file)
        self.assertEqual([row["fate"] for row in told["copies"] if row["path"] in
                          (there, beside)], ["holds"] * 2)
        self.assertEqual(told["backups_not_found"], 1)
        self.assertEqual(told["reserves"], 3)
        os.unlink(there)
        os.unlink(beside)
        world.run("handover", "close", "essai", "-o", world.folder("again"), check=0)

    def test_one_that_cannot_be_looked_at_is_a_reserve_and_does_not_end_the_statement(self):
        world = self.world
        world.prepare()
        self.ready()
        there, _, beside = self.scatter()
        with open(there, "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX, 512, 0x40000000)  # where SQLite's own locks are
            done = world.run("--json", "handover", "close", "essai", "--confirm", "essai", "-o",
                             world.out, check=12)
        rows = {row["path"]: row for row in json.loads(done.stdout.split("\n{")[0])["backups"]}
        self.assertEqual({path: row["result"] for path, row in rows.items()},
                         {there: "unseen", beside: "holds"})
        self.assertIn("another command", rows[there]["why"])
        self.assertIn(f"{there}: could not be looked at (another command", done.stderr)
        text = self.closing()
        self.assertIn(f"copie {there} : n’a pas pu être examinée", text)
        self.assertIn(f"copy {there}: could not be looked at", text)
        self.assertIn(f"copy {beside}: is still there", text)
        # When it can be looked at again, the next statement knows.
        os.unlink(beside)
        world.run("handover", "close", "essai", "-o", world.out, check=12)
        self.assertIn(f"copy {there}: is still there, and holds the client", self.closing())

    def test_one_that_was_named_and_written_anew_is_no_reserve(self):
        world = self.world
        world.prepare()
        self.ready()
        there, _, beside = self.scatter()
        done = world.run("handover", "close", "essai", "--confirm", "essai", "-o", world.out,
                         "--backup", there, "--backup", beside, check=0)
        self.assertNotIn("not named with --backup", done.stderr)
        self.assertNotIn("copy " + there, self.closing())
        self.assertEqual(world.traces(["sk_live_0001"], world.folder("disk"),
                                      *world.data_folders()), [])

    def test_a_closing_without_reserves_says_that_all_is_destroyed(self):
        world = self.world
        world.prepare()
        path, code = world.issue()
        self.confirm(path, code)
        self.own_passwords()
        shutil.rmtree(path)
        world.run("handover", "close", "essai", "--confirm", "essai", "-o", world.out, check=0)
        text = self.closing()
        self.assertIn("The provider's copies are destroyed.", text)
        self.assertNotIn("Reserves", text)

    def test_a_second_close_knows_no_less_than_the_first(self):
        world = self.world
        world.prepare()
        trousseau, code = world.issue()
        self.confirm(trousseau, code)
        self.own_passwords()
        there, _, beside = self.scatter()
        relative = os.path.relpath(there, world.folder("disk"))
        kept = os.path.join(world.folder("attic"), "kept")
        shutil.copyfile(there, kept)
        done = world.run("handover", "close", "essai", "--confirm", "essai", "-o", world.out,
                         "--backup", relative, check=12, cwd=world.folder("disk"))
        self.assertIn("--backup FILE", done.stderr)
        first = self.closing()
        overwritten = re.search("written over after that: [0-9, ]+ bytes, and [0-9, ]+ of its log",
                                first).group()
        known = (overwritten, f"backup {there}: written anew without the client",
                 f"trousseau {trousseau}: still lies there, under its code")
        for said in known:
            self.assertIn(said, first)
        done = world.run("handover", "close", "essai", "-o", world.out, "--backup", beside,
                         check=13)
        self.assertIn("the same command with --confirm essai", done.stderr)
        with Screen([world.binary, "--identity-file", world.identity, "handover", "close",
                     "essai", "-o", world.out, "--backup", beside], world.env(),
                    size=(60, 200)) as screen:
            screen.wait("Type the client's id")
            asked = screen.text()
            screen.type("essai", "enter")
            screen.finish()
            self.assertEqual(screen.process.returncode, 0, screen.text())
        self.assertIn("1 backup is written anew without essai", asked)
        for said in ("no client", "our keys at OVH", "warning"):
            self.assertNotIn(said, asked)
        other = world.folder("elsewhere")
        done = world.run("handover", "close", "essai", "-o", other, check=0)
        self.assertNotIn("proces-verbal", done.stderr)
        self.assertIn(other + "/essai-cloture", done.stderr)
        for text in (self.closing(), self.closing(other)):
            for said in (*known, f"backup {beside}: written anew without the client"):
                self.assertIn(said, text)
            self.assertNotIn("copy " + beside, text)
        shutil.rmtree(trousseau)
        world.run("handover", "close", "essai", "-o", world.out, check=0)
        text = self.closing()
        self.assertIn(f"reserve {trousseau}: was there at the closing, and is not there any more",
                      text)
        self.assertNotIn("Reserves", text)
        world.run("log", "--verify", world.out + "/essai-cloture.txt", check=0)
        # One that comes to light later is in the statement, too.
        shutil.copyfile(kept, beside)
        world.run("handover", "close", "essai", "-o", world.out, check=12)
        self.assertIn(f"copy {beside}: is still there, and holds the client", self.closing())

    def test_every_trousseau_that_still_lies_there_is_named(self):
        world = self.world
        world.prepare()
        older, _ = world.issue()
        newer, code = world.issue()
        self.confirm(newer, code)
        self.own_passwords()
        done = world.run("handover", "close", "essai", "--confirm", "essai", "-o", world.out,
                         check=0)
        for path in (older, newer):
            self.assertIn(f"{path} still lies there", done.stderr)
            self.assertIn(f"trousseau {path}: still lies there, under its code", self.closing())

    def test_what_is_said_of_accesses_is_in_the_language_of_each_part(self):
        world = self.world
        world.prepare()
        self.ready()
        world.run("handover", "close", "essai", "--confirm", "essai", "-o", world.out, check=0)
        with open(world.out + "/essai-proces-verbal.txt") as file:
            words = " ".join(" ".join(line.removeprefix("|") for line in file).split())
        french, english = words.split("Annex: record of the handover of accesses", 1)
        for here, said in ((french, (r"validée, création \d\d/\d\d/20", "dernier usage",
                                     "depuis toute adresse")),
                           (english, (r"validated, made 20\d\d-", "last used",
                                      "from any address"))):
            for text in said:
                self.assertRegex(here, text)
                self.assertNotRegex(english if here is french else french, text)

    def test_nobody_is_asked_for_an_id_that_would_be_refused(self):
        world = self.world
        world.run("handover", "start", "essai", "--to", "martine", check=0)
        with Screen([world.binary, "--identity-file", world.identity, "handover", "close",
                     "essai", "-o", world.out], world.env(), size=(40, 120)) as screen:
            screen.finish()
            self.assertEqual(screen.process.returncode, 13)
            self.assertNotIn("Type the client's id", screen.text())
            self.assertIn("keep the handover of 'essai' open", screen.text())


class Neighbours(Handovers):
    """Another client of the vault is in the same OVH account."""

    def neighbour(self, config):
        world = self.world
        world.run("client", "add", "leroy", "--nic", NIC, "--domain", "leroy.example",
                  "--endpoint", world.ready["endpoint"], "--imap", world.ready["imap"], *LIMITS,
                  check=0)
        world.run("ovh", "link", "leroy", "--config", config, "--accept-wide", check=0)

    def test_his_key_stays_and_one_that_both_have_is_not_removed(self):
        world = self.world
        same = world.credential(74000, NIC)
        world.run("ovh", "link", "essai", "--config", same, "--accept-wide", check=0)
        self.neighbour(same)
        world.prepare()
        self.confirm(*world.issue())
        self.own_passwords()
        done = self.close(check=13)
        self.assertIn("the client 'leroy' has the same key", done.stderr)
        self.assertIn("passation ovh link leroy --new", done.stderr)
        world.run("ovh", "link", "leroy", "--config", world.credential(75000, NIC),
                  "--accept-wide", check=0)
        world.judge()
        world.run("handover", "close", "essai", "--confirm", "essai", "-o", world.out, check=0)
        world.run("ovh", "inventory", "leroy", check=0)
        state = world.control("GET", "/state")["credentials"]
        self.assertTrue(state.get("74001", {"_revoked": True}).get("_revoked"))
        with open(world.out + "/essai-proces-verbal.json") as file:
            stays = [row for row in json.load(file)["accesses"] if row["elsewhere"]]
        self.assertIn("api_key:75001", [row["id"] for row in stays])
        with open(world.out + "/essai-proces-verbal.txt") as file:
            words = " ".join(" ".join(line.removeprefix("|") for line in file).split())
        self.assertIn("for another customer in the same account; it stays", words)
        self.assertNotIn("leroy", words)


class FrenchCopies(Copies):
    LANGUAGE = "fr"

    def test_each_language_of_the_statement_is_one_language(self):
        world = self.world
        world.prepare()
        self.ready()
        there, _, _ = self.scatter()
        done = world.run("handover", "close", "essai", "--confirm", "essai", "-o", world.out,
                         "--backup", there, "--backup", world.file("text", "no vault"), check=12)
        self.assertIn(f"✓ {there}\u00a0: réécrite sans le client", done.stderr)
        text = self.closing()
        french, english = text.split("Annex: statement of the destruction of copies", 1)
        self.assertIn("Mention au journal du prestataire : sha256", french)
        for said in ("sauvegarde %s : réécrite sans le client" % there, "impossible à ouvrir"):
            self.assertIn(said, french)
            self.assertNotIn(said, english)
        for said in ("backup %s: written anew without the client" % there, "cannot be opened"):
            self.assertIn(said, english)
            self.assertNotIn(said, french)

    # In this class only what has to do with the language.
    test_one_that_cannot_be_looked_at_is_a_reserve_and_does_not_end_the_statement = None
    test_those_that_the_vault_knows_of_are_listed_before_and_named_after = None
    test_one_that_was_named_and_written_anew_is_no_reserve = None
    test_a_closing_without_reserves_says_that_all_is_destroyed = None
    test_a_second_close_knows_no_less_than_the_first = None
    test_every_trousseau_that_still_lies_there_is_named = None
    test_nobody_is_asked_for_an_id_that_would_be_refused = None


class Takeovers(Handovers):
    """One trousseau; each test is another successor."""

    @classmethod
    def setUpClass(cls):
        cls.world = Handing(BUILD).__enter__()
        cls.addClassCleanup(cls.world.__exit__)
        cls.settle_in(cls.world)
        cls.world.prepare()
        cls.path, cls.code = cls.world.issue()

    def setUp(self):
        home = self.world.folder(self.id())
        self.key = os.path.join(home, "key.txt")
        keygen(self.key)
        self.env = self.world.env(HOME=home, XDG_DATA_HOME=home + "/data",
                                  XDG_STATE_HOME=home + "/state", XDG_RUNTIME_DIR=home + "/run")
        self.issuer = self.world.json("key", "show")["fingerprint"]
        self.run_there("init")

    def run_there(self, *args, check=0, stdin=""):
        done = subprocess.run([self.world.binary, "--no-input", "--identity-file", self.key,
                               *args], env=self.env, capture_output=True, text=True, input=stdin)
        self.assertEqual(done.returncode, check, (args, done.stdout, done.stderr))
        return done

    def take(self, file, *more, check=0, code=None, issuer=True):
        return self.run_there("--json", "client", "import", file, "--code-fd", "0", "--endpoint",
                              self.world.ready["endpoint"], "--imap", self.world.ready["imap"],
                              *(["--issuer", self.issuer] if issuer else []), *more, check=check,
                              stdin=code or self.code)

    def there(self):
        return {word: self.run_there("--json", word, "ls").stdout
                for word in ("client", "role", "person", "secret")}

    def test_only_a_whole_trousseau_is_taken_over_and_only_once(self):
        world, before = self.world, self.there()
        age = self.path + "/trousseau.age"
        self.take(age, check=5, code="lumber-normal-soda-wash-uphold-frame-hurdle-fatal-mansion")
        self.assertNotEqual(subprocess.run(
            [world.binary, "--no-input", "--identity-file", self.key, "client", "import", age,
             "--code-fd", "0"], env=self.env, input=self.code, text=True,
            capture_output=True).returncode, 0, "an issuer that nobody confirmed")
        self.take(self.path + "/proces-verbal.txt", check=6)
        with open(age, "rb") as file:
            content = file.read()
        for at, sidecars in ((40, (True,)), (len(content) // 2, (True, False)),
                             (len(content) - 1, (True,))):
            spoilt = bytearray(content)
            spoilt[at] ^= 1
            for sidecar in sidecars:
                edited = os.path.join(world.folder(f"edited-{at}-{sidecar}"), "trousseau.age")
                with open(edited, "wb") as file:
                    file.write(spoilt)
                if sidecar:
                    shutil.copy(age + ".sig", edited + ".sig")
                done = subprocess.run(
                    [world.binary, "--no-input", "--identity-file", self.key, "client", "import",
                     edited, "--code-fd", "0", "--issuer", self.issuer], env=self.env,
                    input=self.code, text=True, capture_output=True)
                self.assertIn(done.returncode, (6,) if sidecar else (5, 6), done.stderr)
        self.assertEqual(self.there(), before)
        self.assertEqual(self.run_there("client", "import", age, "--code-fd", "0", "--issuer",
                                        self.issuer, "-n", stdin=self.code).returncode, 0)
        self.take(age, "--former", "me", check=13)
        self.assertEqual(self.there(), before)
        self.take(age)
        after = self.there()
        self.take(age, check=7)
        self.take(self.path + "/trousseau.html", "--id", "other", check=7)
        self.assertEqual(self.there(), after)

    def test_an_issue_that_is_to_be_read_only_is_no_trousseau(self):
        world = self.world
        code = world.file("grant-code")
        with open(code, "w") as file:
            done = world.run("--json", "grant", "martine", BOXES[0], "--until", "2031-03-31", "-o",
                             world.out, "--code-fd", str(file.fileno()),
                             pass_fds=(file.fileno(),), check=0)
        with open(code) as file:
            words = file.read().split("\t")[1].strip()
        done = self.take(json.loads(done.stdout)["issues"][0]["path"], check=13, code=words)
        self.assertIn("open FILE --store", done.stdout + done.stderr)

    def test_everything_is_due_for_the_successor_until_it_is_new(self):
        world = self.world
        old = world.vault_says()
        taken = json.loads(self.take(self.path + "/trousseau.html", "--id", "neu", "--former",
                                     "studio").stdout)
        self.assertEqual((taken["client"], taken["former"]), ("neu", "studio"))
        self.run_there("client", "set", "neu", *LIMITS)
        self.run_there("ovh", "link", "neu", "--config", world.credential(72000, NIC),
                       "--accept-wide")
        due = json.loads(self.run_there("--json", "due", check=12).stdout)["due"]
        self.assertEqual({(row["person"], row["address"], row["label"] or "") for row in due},
                         {("studio", *key) for key in old})
        self.run_there("due", "--apply", "-o", world.out, check=12)
        for address in BOXES:
            shown = json.loads(self.run_there("--json", "show", address, "--reveal").stdout)
            self.assertEqual(world.in_force(address), shown["password"])
            self.assertNotEqual(shown["password"], old[address, ""])
            self.run_there("verify", address)
        self.run_there("secret", "set", BOXES[0], "Stripe", "--secret-fd", "0", stdin="sk_new_02")
        self.assertEqual(json.loads(self.run_there("--json", "due").stdout)["due"], [])
        world.run("verify", BOXES[0], check=11)


class Codes(Handovers):
    """Which recovery codes are used is told to the client, and to the successor's vault."""

    def test_used_recovery_codes_are_used_in_the_vault_that_takes_them_over(self):
        world, label = self.world, "Codes"
        world.secret(BOXES[0], label, "aaaa-1111\nbbbb-2222\ncccc-3333", "--type", "recovery",
                     "--note", "kept at the bank")
        for number in ("1", "3"):
            world.run("otp", BOXES[0], label, "--recovery", "--used", number, check=0)
        world.prepare()
        path, code = world.issue()

        def there(*args, **kwargs):
            return world.run("--vault", os.path.join(world.home, "successor.db"), *args, check=0,
                             env=world.env(LC_ALL="C"), **kwargs)
        there("init", "--as", "neo")
        there("client", "import", path + "/trousseau.html", "--code-fd", "0", "--issuer",
              world.json("key", "show")["fingerprint"], "--endpoint", world.ready["endpoint"],
              "--imap", world.ready["imap"], stdin=code)
        shown = json.loads(there("--json", "show", BOXES[0], label).stdout)
        self.assertEqual(shown["codes"], {"count": 3, "left": 1})
        self.assertEqual(shown["note"], "kept at the bank")
        self.assertIn("bbbb-2222", there("otp", BOXES[0], label, "--recovery").stdout)


class FrenchCodes(Codes):
    LANGUAGE = "fr"


class Unattended(Handovers):
    def test_due_and_status_name_an_open_handover_and_follow_it_only(self):
        world = self.world
        contacts = {"admin": NIC, "tech": OURS, "billing": NIC}
        world.control("POST", "/seed", {"nics": [{"nichandle": OURS}], "domains": [
            {"domain": "zwei.example", "nic": NIC, "contacts": contacts,
             "accounts": [{"name": "x", "password": "First-Pass-0-word"}]}]})
        world.run("client", "set", "essai", "--domain", "zwei.example", "--domain", DOMAIN,
                  check=0)
        world.run("handover", "start", "essai", "--to", "martine", check=0)
        rows = world.json("due", check=12)["due"]
        self.assertEqual([(row["kind"], row["client"], row["person"]) for row in rows],
                         [("handover", "essai", "martine")])
        self.assertIn("essai", world.run("status").stdout)
        self.assertRegex(world.run("status").stdout.lower(), "handover")
        world.run("due", "--apply", "-o", world.out)
        self.assertIn(("not_looked", None), world.blocks())
        for address in BOXES:
            self.assertEqual(world.role(address)["version"], 1)
        world.run("handover", "next", "essai")
        self.assertIn(("unmanaged", "x@zwei.example"), world.blocks())
        world.run("role", "adopt", "x@zwei.example", check=0)
        world.settle_items()
        world.judge()
        world.run("handover", "next", "essai")
        world.run("ovh", "link", "essai", "--for", "cut", "--config",
                  world.other_key("cutconsumerkey000000000000000001"), "--accept-wide", check=0)
        world.run("handover", "contacts", "essai", "--tech", NIC, check=0)
        for task in world.changes().values():
            world.accept_ours(task)
            world.decide(task, OURS, "accept")
        world.control("POST", "/task/run")
        self.assertNotEqual(world.blocks(stage="contacts"), [])
        world.run("due", "--apply", "-o", world.out)
        self.assertEqual([row for row in world.status()["blockers"]
                          if row["stage"] == "contacts" and row["who"] != "us"], [])
        path, code = world.issue()
        self.confirm(path, code)
        for address in (*BOXES, "x@zwei.example"):
            world.control("POST", "/password", {"address": address, "password": "Own-Word-2026"})
        world.run("due", "--apply", "-o", world.out)
        self.assertEqual({block for block, _ in world.blocks(stage="owned")}, {"one_round"})
        time.sleep(2.1)
        world.run("due", "--apply", "-o", world.out)
        self.assertEqual(world.blocks(stage="owned"), [])

    def test_a_contact_that_a_change_has_made_is_new_and_not_still_there(self):
        world = self.world
        world.control("POST", "/seed", {"nics": [{"nichandle": OURS}]})
        world.run("ovh", "link", "essai", "--for", "cut", "--config",
                  world.other_key("cutconsumerkey000000000000000001"), "--accept-wide", check=0)
        world.run("handover", "start", "essai", "--to", "martine", check=0)
        world.run("handover", "contacts", "essai", "--tech", OURS, check=0)
        for task in world.changes().values():
            world.accept_ours(task)
            world.decide(task, OURS, "accept")
        world.control("POST", "/task/run")
        world.run("handover", "next", "essai")
        rows = [row for row in world.status()["blockers"] if row["stage"] == "contacts"]
        self.assertTrue(rows)
        for row in rows:
            self.assertIn(f"technical contact: {OURS} since the change", row["text"])
            self.assertNotIn("still", row["text"])
        shown = " ".join(world.run("handover", "status", "essai").stdout.split())
        keep = re.search(r"passation (sweep essai --keep contact:\S+)", shown).group(1)
        world.run(*keep.split())
        self.assertEqual(len(world.blocks(stage="contacts")), len(rows) - 1)


class Envelopes(Handovers):
    def files(self):
        return {name: os.path.join(self.folder, name) for name in os.listdir(self.folder)}

    def create(self, person="martine"):
        self.world.run("envelope", "create", "essai", "--to", person, "-o", self.folder, check=0)
        sheet = self.files()["enveloppe-essai-cle.html"]
        self.assertEqual(os.stat(sheet).st_mode & 0o777, 0o600)
        with open(sheet) as file:
            text = html.unescape(re.sub("<svg.*?</svg>", "", file.read(), flags=re.S))
        key = re.search("<pre class=\"key\">(.*?)</pre>", text, re.S).group(1)
        self.assertEqual(key.split()[0], "AGE-SECRET-KEY-1")
        for words in (r"Made on [0-9].* by \w+", r"Faite le [0-9].* par \w+"):
            self.assertRegex(text, words)
        key = re.sub(r"\s", "", key)
        self.assertRegex(key, "^AGE-SECRET-KEY-1[0-9A-Z]{58}$")
        return key

    def opened(self, key, name="enveloppe-essai.age", check=0):
        identity = self.world.file("envelope-key", key + "\n")
        path = self.files()[name]
        if name.endswith(".html"):
            armored = subprocess.run(["sed", "-n", "/^-----BEGIN AGE/,/^-----END AGE/p", path],
                                     capture_output=True).stdout
            path = os.path.join(self.world.home, "armored.age")
            with open(path, "wb") as file:
                file.write(armored)
        done = subprocess.run(["age", "-d", "-i", identity, path], capture_output=True)
        self.assertEqual(done.returncode == 0, check == 0, done.stderr)
        blocks = read_document(done.stdout.decode())
        found = {(block["Mailbox"], ""): block["Password"] for block in blocks
                 if "Mailbox" in block}
        found.update({(block["Of"], block["Secret"]): block["Value"] for block in blocks
                      if "Secret" in block})
        return found

    def setUp(self):
        super().setUp()
        self.folder = self.world.folder("envelopes")

    def test_a_key_on_paper_opens_what_is_renewed_without_anybody(self):
        world = self.world
        key = self.create()
        for name in ("enveloppe-essai.age", "enveloppe-essai.html"):
            self.assertEqual(self.opened(key, name), world.vault_says())
        self.assertEqual(world.traces([key, key.lower()], *world.data_folders()), [])
        self.assertEqual(world.traces([key], os.path.dirname(self.folder) + "/envelopes"), [])
        self.assertEqual(world.json("due")["due"], [])
        world.run("rotate", BOXES[0], check=0)
        world.secret(BOXES[1], "ftp", "Ftp-Word-1")
        self.assertEqual([(row["kind"], row["client"]) for row in
                          world.json("due", check=12)["due"]], [("envelope", "essai")])
        self.assertTrue(world.json("envelope", "ls")["envelopes"][0]["due"])
        self.assertNotEqual(self.opened(key), world.vault_says())
        world.run("outbox", check=0)
        self.assertEqual(self.opened(key), world.vault_says())
        self.assertEqual(self.opened(key, "enveloppe-essai.html"), world.vault_says())
        self.assertEqual(world.json("due")["due"], [])
        world.run("rotate", BOXES[1], check=0)
        world.run("due", "--apply", "-o", world.out, check=0)
        self.assertEqual(self.opened(key), world.vault_says())

    def test_another_envelope_replaces_the_key(self):
        first = self.create()
        second = self.create()
        self.assertNotEqual(first, second)
        self.assertEqual(self.opened(first, check=1), {})
        self.assertEqual(self.opened(second), self.world.vault_says())
        self.assertEqual(len(self.world.json("envelope", "ls")["envelopes"]), 1)

    def test_the_sheet_may_go_and_the_files_may_move(self):
        key = self.create()
        os.unlink(self.files()["enveloppe-essai-cle.html"])
        self.folder = self.world.folder("elsewhere")
        self.world.run("rotate", BOXES[0], check=0)
        self.world.run("envelope", "update", "essai", "-o", self.folder, check=0)
        self.assertNotIn("enveloppe-essai-cle.html", self.files())
        self.assertEqual(self.opened(key), self.world.vault_says())

    def test_one_that_was_being_made_anew_is_made_again_and_not_renewed(self):
        world = self.world
        self.create()
        sheet = self.files()["enveloppe-essai-cle.html"]
        os.unlink(sheet)
        os.mkdir(sheet)
        done = world.run("envelope", "create", "essai", "--to", "martine", "-o", self.folder)
        self.assertNotEqual(done.returncode, 0)
        os.rmdir(sheet)
        self.assertEqual([row["kind"] for row in world.json("due", check=12)["due"]],
                         ["envelope_remade"])
        done = world.run("outbox")
        self.assertEqual(done.returncode, 13, done.stderr)
        self.assertIn("envelope create essai --to martine", done.stderr)
        # A timer does what can be done, and says what needs somebody: 12, no failure.
        for args in (["due"], ["due", "--apply", "-o", world.out]):
            said = " ".join(world.run(*args, check=12).stderr.split())
            self.assertIn("passation envelope create essai --to martine", said)
            self.assertNotIn("--apply", said.replace("done by --apply", ""))
        found = json.loads(world.run("--json", "doctor", "--offline").stdout)["findings"]
        codes = {row["code"]: row for row in found}
        self.assertNotIn("envelope_old", codes)
        self.assertIn("envelope create essai --to martine", codes["envelope_remade"]["remedy"])
        key = self.create()
        self.assertEqual(self.opened(key), world.vault_says())
        self.assertEqual(world.json("due")["due"], [])

    def test_it_is_nobody_elses_than_who_is_handed_over_to(self):
        world = self.world
        world.run("person", "add", "theo", "--kind", "provider", check=0)
        self.create()
        done = world.run("handover", "start", "essai", "--to", "theo", check=13)
        self.assertIn("envelope end essai", done.stderr)
        world.run("handover", "start", "essai", "--to", "martine", check=0)
        world.run("envelope", "update", "essai", check=0)
        world.run("envelope", "create", "essai", "--to", "theo", "-o", self.folder, check=13)
        self.create()
        world.run("-y", "handover", "abandon", "essai", check=0)
        done = world.run("envelope", "end", "essai", check=0)
        self.assertIn("martine owns the accesses of essai", done.stderr)
        self.assertEqual(self.files(), {})
        self.assertEqual(world.json("envelope", "ls")["envelopes"], [])
        for args in (["update", "essai"], ["end", "essai"], ["end", "nobody"]):
            self.assertEqual(world.run("envelope", *args).returncode, 4, args)
        # The client keeps his right; somebody else does not.
        self.assertEqual(world.json("due")["due"], [])
        world.run("envelope", "create", "essai", "--to", "theo", "-o", self.folder, check=0)
        self.assertEqual({row["person"] for row in world.json("due", check=12)["due"]},
                         {"martine"})
        world.run("envelope", "end", "essai", check=0)
        self.assertEqual({row["person"] for row in world.json("due", check=12)["due"]},
                         {"martine", "theo"})

    @unittest.skipUnless(chromium.FOUND, "chromium is not installed")
    def test_its_sheet_is_one_page_of_paper(self):
        self.create()
        self.assertEqual(chromium.sheets_of_paper(self.files()["enveloppe-essai-cle.html"]), 1)

    def test_its_end_is_gone_on_with_when_a_file_could_not_be_deleted(self):
        world = self.world
        self.create()
        sheet = self.files()["enveloppe-essai-cle.html"]
        os.rename(sheet, sheet + ".away")
        os.mkdir(sheet)
        self.assertEqual(world.run("envelope", "end", "essai").returncode, 1)
        self.assertEqual(set(self.files()),
                         {"enveloppe-essai-cle.html", "enveloppe-essai-cle.html.away"})
        os.rmdir(sheet)
        os.rename(sheet + ".away", sheet)
        world.run("envelope", "end", "essai", check=0)
        self.assertEqual(self.files(), {})
        self.assertEqual(world.run("envelope", "end", "essai").returncode, 4)

    def test_a_client_who_leaves_owns_nothing_any_more(self):
        world = self.world
        self.create()
        self.assertEqual(world.json("client", "show", "essai")["owner"], "martine")
        world.run("depart", "martine", "-o", world.out, check=12)
        owned = "owns the accesses of essai"
        self.assertIsNone(world.json("client", "show", "essai")["owner"])
        self.assertNotIn("martine", world.run("client", "show", "essai", check=0).stdout)
        self.assertNotIn(owned, world.run("envelope", "end", "essai", check=0).stderr)
        self.assertNotIn(owned, world.run("who", BOXES[0], check=0).stderr)

    def test_nobody_owns_by_the_id_of_a_client_who_has_left(self):
        world = self.world
        self.create()
        world.run("envelope", "end", "essai", check=0)
        self.assertEqual(world.json("client", "show", "essai")["owner"], "martine")
        world.run("depart", "martine", "-o", world.out, check=12)
        world.run("secret", "set", BOXES[0], "Stripe", "--secret-fd", "0", stdin="sk_live_0002",
                  check=0)
        world.run("-y", "person", "rm", "martine", check=0)
        for box in (row["address"] for row in world.json("role", "ls")["roles"]):
            world.run("role", "rm", box, "--confirm", box, check=0)
        world.run("person", "add", "martine", "--kind", "client", check=0)
        self.assertIsNone(world.json("client", "show", "essai")["owner"])

    def test_who_leaves_gets_no_more_of_it(self):
        world = self.world
        world.run("person", "add", "theo", "--kind", "provider", check=0)
        key = self.create("theo")
        known = self.opened(key)
        done = world.run("depart", "theo", "-o", world.out, check=12)
        self.assertIn("passation envelope end essai", done.stderr)
        self.assertNotEqual(world.vault_says(), known)
        for args in (["outbox"], ["envelope", "update", "essai"]):
            done = world.run(*args, check=13)
            self.assertIn("passation envelope end essai", done.stderr)
        self.assertEqual(self.opened(key), known)
        world.run("secret", "set", BOXES[0], "Stripe", "--secret-fd", "0", stdin="sk_live_0002",
                  check=0)
        self.assertIn("theo has left", world.run("resume", "-o", world.out, check=12).stderr)
        # A timer does what can be done, and says what needs somebody: 12, no failure.
        done = world.run("due", "--apply", "-o", world.out, check=12)
        self.assertIn("passation envelope end essai", done.stderr)
        self.assertIn("passation envelope create essai --to PERSON", done.stderr)
        self.assertNotIn("passation due --apply", done.stderr)
        self.assertEqual([row["kind"] for row in world.json("due", check=12)["due"]
                          if row["client"] == "essai" and row["person"] == "theo"
                          and not row["address"]], ["envelope_left"])
        found = json.loads(world.run("--json", "doctor", "--offline").stdout)["findings"]
        codes = {row["code"]: row for row in found}
        self.assertNotIn("envelope_old", codes)
        self.assertIn("envelope end essai", codes["envelope_left"]["remedy"])
        self.assertEqual(self.opened(key), known)
        self.assertIn("passation envelope end essai",
                      world.run("-y", "person", "rm", "theo", check=13).stderr)
        world.run("envelope", "end", "essai", check=0)
        world.run("-y", "person", "rm", "theo", check=0)

    def test_a_close_that_is_refused_leaves_it(self):
        world = self.world
        key = self.create()
        world.prepare()
        path, code = world.issue()
        self.confirm(path, code)
        self.own_passwords()
        world.run("outbox", check=0)
        data = os.path.join(world.home, "data", "passation")
        os.makedirs(os.path.join(data, "vault.db.rekeying", "x"))
        self.close(check=1)
        self.assertEqual(self.opened(key), world.vault_says())
        self.assertEqual(len(world.json("envelope", "ls")["envelopes"]), 1)

    def test_it_goes_when_the_handover_closes_and_the_trousseau_is_named(self):
        world = self.world
        self.create()
        world.prepare()
        path, code = world.issue()
        self.confirm(path, code)
        self.own_passwords()
        done = world.run("handover", "close", "essai", "--confirm", "essai", "-o", world.out,
                         check=0)
        self.assertEqual(self.files(), {})
        with open(world.out + "/essai-cloture.txt") as file:
            text = " ".join(file.read().split())
        for said in (done.stderr, text):
            self.assertIn("enveloppe-essai-cle.html", said)
            self.assertIn(path, said)

    def test_what_no_envelope_is_made_of(self):
        run = self.world.run
        for args, status in ((["create", "essai"], 2), (["create", "x", "--to", "martine"], 4),
                             (["create", "essai", "--to", "x"], 4), (["update", "essai"], 4),
                             (["create", "essai", "--to", "martine", "-o", "/nowhere"], 4)):
            done = run("envelope", *args, cwd=self.folder)
            self.assertEqual(done.returncode, status, (args, done.stderr))
        self.assertEqual(self.files(), {})
        self.assertEqual(self.world.json("envelope", "ls")["envelopes"], [])

    def test_it_opens_in_a_browser_with_the_key_of_the_sheet(self):
        key = self.create()
        node = os.path.join(BUILD, "tests", "page")
        script = os.path.join(node, "open_envelope.mjs")
        if not os.path.isdir(os.path.join(node, "node_modules")) or not os.path.exists(script):
            self.skipTest("the page tests' packages are not installed")
        done = subprocess.run(["node", script, self.files()["enveloppe-essai.html"]], input=key,
                              text=True, capture_output=True, timeout=120)
        if done.returncode == 77:
            self.skipTest("no Chromium")
        self.assertEqual(done.returncode, 0, done.stderr)
        shown = json.loads(done.stdout)
        self.assertEqual((shown["problem"], shown["asked"], shown["errors"]), ([], [], []))
        self.assertEqual(shown["mailboxes"], BOXES)
        self.assertLessEqual(set(self.world.vault_says().values()), set(shown["secrets"]))


class French(Handovers):
    LANGUAGE = "fr"

    def test_the_whole_way_goes_the_same_in_french(self):
        world = self.world
        world.run("handover", "start", "essai", "--to", "martine", check=0)
        done, told = world.issue(check=13)
        self.assertEqual(told, "")
        world.prepare()
        path, code = world.issue()
        world.run("handover", "compare", "essai", "--code-fd", "0", stdin=code, check=0)
        self.confirm(path, code)
        done = world.run("handover", "status", "essai", check=0)
        self.assertIn("essai", done.stdout)
        done = world.run("handover", "close", "essai", "--confirm", "essai", "-o", world.out,
                         check=13)
        world.run("handover", "close", "essai", "--confirm", "essai", "-o", world.out,
                  "--unchanged", check=0)
        world.run("log", "--verify", world.out + "/essai-cloture.txt", check=0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
