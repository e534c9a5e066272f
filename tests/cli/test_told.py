#!/usr/bin/env python3
"""What stays open is told: test_told.py BUILD [TEST…]

Who got a password by an export, by a role that is removed, or by a key that was replaced while he
could open the vault, is not forgotten; and what is mistyped destroys nothing."""

import json
import os
import pty
import re
import shlex
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.world import World, keygen  # noqa: E402

BUILD = None


class Told(unittest.TestCase):
    def setUp(self):
        self.world = World(BUILD)
        self.world.__enter__()
        self.addCleanup(self.world.__exit__)
        self.boxes = self.world.setup_client(mailboxes=2)
        self.box = self.boxes[0]

    def person(self, name):
        """With a key of his own; its public half."""
        path = os.path.join(self.world.home, name + ".key")
        public = keygen(path)
        with open(path + ".pub", "w", encoding="ascii") as file:
            file.write(public + "\n")
        self.world.run("person", "add", name, "--kind", "provider", "--key", file.name, check=0)
        return public

    def export(self, to, *more, check=0):
        return self.world.run("-y", "export", self.box, "--format", "passage", "--to", to, "-o",
                              os.path.join(self.world.home, f"tree-{len(os.listdir(self.world.home))}"),
                              *more, check=check)

    def due(self):
        done = self.world.run("--json", "due")
        return [(row["kind"], row["address"], row["person"])
                for row in json.loads(done.stdout)["due"]]

    def asked(self, *args, answers=()):
        """On a terminal, what is typed as each question is there; its status, and what it says."""
        child, terminal = pty.fork()
        if child == 0:
            words = [word for word in self.world.command(*args) if word != "--no-input"]
            os.execvpe(words[0], words, self.world.env(TERM="xterm"))
        said, left = "", list(answers)
        while True:
            try:
                said += os.read(terminal, 4096).decode("utf-8", "replace")
            except OSError:  # the other end is closed
                break
            if left and re.search(r"[:?\]] $", said):
                os.write(terminal, left.pop(0).encode())
        os.close(terminal)
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), said

    def seen(self, name):
        return self.world.run("who", name, check=0).stdout

    def test_nothing_is_proposed_that_would_fail_as_the_sending_server_is_not_known(self):
        self.assertNotIn("passation profile", self.world.run("rotate", self.box, check=0).stderr)
        told = self.world.run("profile", self.box, "--format", "sheet", check=4).stderr
        self.assertIn("passation client set essai --smtp smtps://HOST:465", told)
        self.world.run("client", "set", "essai", "--smtp", "smtps://127.0.0.1:465", check=0)
        self.assertIn("passation profile", self.world.run("rotate", self.box, check=0).stderr)

    def test_a_reader_who_has_enough_is_no_error(self):
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(self.world.command("log"), env=self.world.env(), stdout=writing,
                              stderr=subprocess.PIPE, text=True)
        os.close(writing)
        self.assertEqual((done.returncode, done.stderr), (1, ""))

    def test_after_a_question_without_an_answer_the_error_begins_a_line(self):
        status, said = self.asked("client", "rm", "essai", answers=["\x04"])
        self.assertNotEqual(status, 0)
        self.assertRegex(said, r"\n\S*passation: error: nothing was typed")

    def test_the_board_names_a_client_whose_owner_is_not_on_it(self):
        self.person("theo")
        self.world.run("handover", "start", "essai", "--to", "theo", check=0)
        told = " ".join(self.world.run("who").stderr.split())
        self.assertIn("belong to its owner", told)
        self.assertIn("passation client show essai", told)

    def test_whom_an_export_is_for_knows_what_is_in_it(self):
        theo, lea = self.person("theo"), self.person("lea")
        self.export("theo")
        self.export(lea)  # by her key
        for name in ("theo", "lea"):
            self.assertIn(self.box, self.seen(name))
            self.assertIn(("rotate", self.box, name), self.due())
        self.assertIn("to theo, exported", self.world.run("log", check=0).stdout)
        self.assertNotEqual(self.world.run("person", "rm", "theo").returncode, 0)

    def test_a_change_of_keys_that_a_leaver_signs_in_his_copy_is_none_of_the_vaults(self):
        """He has the key that was the vault's; by its signature alone he names a successor."""
        world = self.world
        path = os.path.join
        copy, own, forged = (path(world.home, name) for name in ("copy.db", "own.txt", "forged.txt"))
        world.run("backup", copy, check=0)
        world.run("-y", "rekey", "--leaver", "--recovery-out", path(world.home, "code"))
        world.run("key", "rotate", "-o", own, check=0)
        before = world.json("key", "show")
        world.run("key", "rotate", "-o", own, check=7)
        self.assertEqual(world.json("key", "show"), before)
        world.run("--vault", copy, "key", "rotate", "-o", forged, check=0,
                  env=world.env(XDG_STATE_HOME=path(world.home, "his")))
        world.run("log", "--verify", own, check=0)
        end = "-----END SSH SIGNATURE-----\n"
        with open(forged, encoding="ascii") as file:
            whole = file.read()
        for text in (whole, whole[:whole.index(end) + len(end)]):
            with open(forged, "w", encoding="ascii") as file:
                file.write(text)
            world.run("log", "--verify", forged, check=6)
        with open(own, encoding="ascii") as file:
            whole = file.read()
        with open(forged, "w", encoding="ascii") as file:
            file.write(whole[:whole.index(end) + len(end)])
        said = world.run("log", "--verify", forged, check=6).stderr
        self.assertIn("none that the vault has made", said)

    def test_who_loses_his_slot_leaves_no_agent_that_has_the_new_keys(self):
        """Not even one of this account, which he unlocked."""
        world = self.world
        os.mkdir(os.path.join(world.home, "run"), 0o700)
        key = os.path.join(world.home, "paul.key")
        keygen(key)
        world.run("slot", "add", "paul", "--new-identity-file", key, check=0)
        by_agent = [word for word in world.command("show", self.box, "--reveal")
                    if word not in ("--identity-file", world.identity)]
        for mine, status in ((False, 5), (True, 0)):
            unlock = world.command("unlock", "--for", "9m")
            if not mine:
                unlock[unlock.index("--identity-file") + 1] = key
            subprocess.run(unlock, env=world.env(), check=True, capture_output=True)
            self.assertEqual(self.agents(by_agent), 0)
            if not mine:
                said = world.run("-y", "slot", "rm", "paul", check=0).stderr
                self.assertIn("The agent's key is the old one", said)
            else:
                world.run("-y", "rekey", "--recovery-out", os.path.join(world.home, "code"),
                          check=0)
                self.assertGreater(world.json("status")["agent"]["idle_s"], 500)
            self.assertEqual(self.agents(by_agent), status)
            world.run("lock", check=0)

    def agents(self, command):
        return subprocess.run(command, env=self.world.env(), capture_output=True).returncode

    def test_nothing_is_exported_to_the_key_of_somebody_who_leaves(self):
        key = self.person("theo")
        self.world.run("-y", "depart", "theo", "-o", self.world.home)
        for to in ("theo", key):
            self.assertEqual(self.export(to, check=None).returncode, 13, to)
        self.assertNotIn(("rotate", self.box, "theo"), self.due())

    def test_nothing_is_exported_nor_handed_over_to_somebody_who_lost_his_slot(self):
        key = self.person("theo")
        self.world.run("slot", "add", "theo", "--new-identity-file",
                       os.path.join(self.world.home, "theo.key"), check=0)
        self.world.run("slot", "rm", "theo", "--recovery-out",
                       os.path.join(self.world.home, "code"), check=0)
        for done in (*(self.export(to, check=13) for to in ("theo", key)),
                     self.world.run("handover", "start", "essai", "--to", "theo", check=13)):
            self.assertIn("passation slot add theo", done.stderr)
        self.assertNotIn(self.box, self.seen("theo"))

    def test_an_ssh_key_of_somebody_who_leaves_is_known_with_its_comment(self):
        path = os.path.join(self.world.home, "luc_ed25519")
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "luc@portable", "-f",
                        path], check=True)
        with open(path + ".pub", encoding="ascii") as file:
            key = file.read().strip()
        self.world.run("person", "add", "luc", "--kind", "provider", "--key", path + ".pub",
                       check=0)
        self.export(key)
        self.assertIn(self.box, self.seen("luc"))
        self.world.run("-y", "depart", "luc", "-o", self.world.home)
        self.assertEqual(self.export(key, check=None).returncode, 13)

    def test_who_knows_the_password_of_a_role_that_is_removed_is_named(self):
        self.person("theo")
        self.person("the")
        for name in ("theo", "the"):
            self.world.run("grant", name, self.box, "--until", "2031-01-01", "-o", self.world.home,
                           check=0)
        said = self.world.run("role", "rm", self.box, "--confirm", self.box, check=0).stderr
        self.assertRegex(said, r"until it is changed at\s+OVH")
        names = said.split("OVH:")[1].replace(",", " ").split()
        self.assertLessEqual({"theo", "the"}, set(names))
        self.assertNotIn("me", names)  # he asks

    def test_no_client_goes_while_somebody_who_leaves_knows_a_password_of_it(self):
        self.person("theo")
        self.world.allow_all()
        self.world.run("grant", "theo", self.box, "--until", "2031-01-01", "-o", self.world.home,
                       check=0)
        self.world.control("POST", "/faults", {"method": "*", "path": "*", "kind": "close",
                                               "times": 100000})
        self.world.run("depart", "theo", "-o", self.world.home)
        said = self.world.run("client", "rm", "essai", "--confirm", "essai", check=13).stderr
        self.assertIn("passation resume", " ".join(said.split()))

    def test_a_departure_is_no_more_than_complete_as_far_as_is_known_of_what_was_removed(self):
        self.person("theo")
        self.world.allow_all()
        self.world.run("grant", "theo", self.box, "--until", "2031-01-01", "-o", self.world.home,
                       check=0)
        self.world.run("role", "rm", self.box, "--confirm", self.box, check=0)
        said = " ".join(self.world.run("depart", "theo", "-o", self.world.home).stderr.split())
        self.assertNotIn("nothing that could be read works any more", said)
        self.assertRegex(said, f"as far as the vault knows.*{self.box}")
        with open(os.path.join(self.world.home, "depart-theo.txt"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn("\nComplete: as-far-as-known\n", text)
        self.assertNotIn("Complete: yes", text)
        self.assertRegex(text, f"Removed from the vault[^.]*{self.box}")
        with open(os.path.join(self.world.home, "depart-theo.json"), encoding="utf-8") as file:
            report = json.load(file)
        self.assertEqual((report["removed"], report["removed_names"]), (1, [self.box]))

    def removed_though_theo_knows_it(self):
        """Its password, which stays what it is at OVH."""
        self.person("theo")
        self.world.allow_all()
        self.world.run("grant", "theo", self.box, "--until", "2031-01-01", "-o", self.world.home,
                       check=0)
        password = self.world.in_force(self.box)
        self.world.run("role", "rm", self.box, "--confirm", self.box, check=0)
        return password

    def reported_as_replaced(self):
        text, report = self.report_of_theo()
        self.assertRegex(" ".join(text.replace("|", " ").split()),
                         r"Mailbox passwords that theo [^:]*: 1\. Replaced[^:]*: 1\. The old one "
                         r"refused by the mail server: 1")
        self.assertEqual((report["removed"], report["open"]["passwords"]), (0, 0))

    def adopt(self, password):
        """With the password of before; what is warned of, in one line."""
        done = self.world.run("role", "adopt", self.box, "--secret-fd", "0", stdin=password,
                              check=0)
        return " ".join(done.stderr.split())

    def test_who_knew_a_mailbox_knows_it_when_it_is_back_with_its_password(self):
        password = self.removed_though_theo_knows_it()
        said = self.adopt(password)
        self.assertRegex(said, f"this password may be known from before to theo; .*passation rotate {self.box}")
        self.assertIn(("rotate", self.box, "theo"), self.due())
        self.world.run("depart", "theo", "-o", self.world.home)
        self.assertNotEqual(self.world.in_force(self.box), password)
        self.reported_as_replaced()
        self.assertNotIn(("rotate", self.box, "theo"), self.due())

    def test_what_is_back_with_its_password_after_he_has_left_is_to_be_replaced(self):
        password = self.removed_though_theo_knows_it()
        self.world.run("depart", "theo", "-o", self.world.home)
        self.assertEqual(self.report_of_theo()[1]["removed_names"], [self.box])
        self.assertIn("this password may be known from before to theo", self.adopt(password))
        self.assertIn(("rotate", self.box, "theo"), self.due())
        self.world.run("person", "rm", "theo", check=13)
        self.world.run("depart", "theo", "-o", self.world.home)
        self.assertNotEqual(self.world.in_force(self.box), password)
        self.reported_as_replaced()

    def test_what_is_back_is_known_to_who_is_gone_from_the_vault(self):
        password = self.removed_though_theo_knows_it()
        self.world.run("depart", "theo", "-o", self.world.home)
        self.world.run("person", "rm", "theo", check=0)
        self.assertIn("this password may be known from before to theo", self.adopt(password))
        self.assertIn(("rotate", self.box, "theo"), self.due())
        self.world.run("rotate", self.box, check=0)
        self.assertNotIn(("rotate", self.box, "theo"), self.due())

    def test_an_import_brings_back_who_knew_the_mailbox(self):
        password = self.removed_though_theo_knows_it()
        path = os.path.join(self.world.home, "browser.csv")
        with open(path, "w", encoding="ascii") as file:
            file.write("name,url,username,password\n"
                       f"mail,https://mail.ovh.net,{self.box},{password}\n")
        self.world.run("-y", "import", path, check=0)
        self.assertIn(("rotate", self.box, "theo"), self.due())

    def test_a_client_that_is_back_under_another_id_is_known_to_who_knew_it(self):
        self.person("theo")
        self.world.run("secret", "add", self.box, "iban", "--secret-fd", "0", stdin="FR76", check=0)
        self.world.run("grant", "theo", self.box, "--with", "iban", "--until", "2031-01-01", "-o",
                       self.world.home, check=0)
        passwords = [self.world.in_force(box) for box in self.boxes]
        self.world.run("client", "rm", "essai", "--confirm", "essai", check=0)
        ready = self.world.ready
        self.world.run("client", "add", "other", "--nic", ready["nic"], "--domain",
                       self.world.DOMAIN, "--endpoint", ready["endpoint"], "--imap",
                       ready["imap"], "--rate", "0", check=0)
        self.world.run("ovh", "link", "other", "--config", self.world.config, "--accept-wide",
                       check=0)
        self.assertIn("this password may be known from before to theo", self.adopt(passwords[0]))
        for box in self.boxes:
            if box != self.box:
                self.world.run("role", "adopt", box, check=0)
            self.world.run("secret", "add", box, "IBAN", "--secret-fd", "0", stdin="FR76", check=0)
        self.assertEqual({row for row in self.due() if row[2] == "theo"},
                         {("rotate", self.box, "theo"), ("secret", self.box, "theo")})

    def test_a_mailbox_that_is_back_with_a_new_password_is_known_to_nobody(self):
        self.removed_though_theo_knows_it()
        said = self.world.run("role", "adopt", self.box, check=0).stderr
        self.assertNotIn("theo", said)
        self.assertNotIn(("rotate", self.box, "theo"), self.due())

    def leaving_when_our_key_is_withdrawn(self):
        """theo knows box0, and OVH takes our key no more: nobody can change what he knows."""
        self.person("theo")
        self.world.allow_all()
        self.world.run("grant", "theo", self.box, "--until", "2031-01-01", "-o", self.world.home,
                       check=0)
        self.world.control("POST", "/set", {"credential": {
            "consumer_key": self.world.ready["consumer_key"], "status": "expired",
            "revoked": True}})
        self.world.run("depart", "theo", "-o", self.world.home, check=10)

    def report_of_theo(self):
        """Its text, in one line for each, and what programs read of it."""
        with open(os.path.join(self.world.home, "depart-theo.txt"), encoding="utf-8") as file:
            text = file.read()
        with open(os.path.join(self.world.home, "depart-theo.json"), encoding="utf-8") as file:
            return text, json.load(file)

    def test_a_client_that_withdrew_our_key_is_given_up_and_the_report_says_so(self):
        self.leaving_when_our_key_is_withdrawn()
        remove = ["client", "rm", "essai", "--confirm", "essai"]
        said = " ".join(self.world.run(*remove, check=13).stderr.split())
        self.assertIn("passation client rm essai --confirm essai --unchanged", said)
        why = "the owner withdrew our key"
        self.world.run(*remove, "--unchanged", "\t", check=2)
        self.world.run(*remove, "--unchanged", why, check=0)
        done = self.world.run("resume", check=0)
        self.assertRegex(" ".join(done.stderr.split()), f"{self.box} was NOT changed at OVH: {why}")
        self.assertNotIn("nothing that could be read works any more", done.stderr)
        text, report = self.report_of_theo()
        self.assertIn("\nComplete: except-unchanged\n", text)
        self.assertRegex(" ".join(text.replace("|", " ").split()),
                         f"NOT changed at OVH[^.]*{self.box}. Why: {why}")
        self.assertNotIn(self.boxes[1], text)  # which he did not know
        self.assertEqual(report["unchanged_mailboxes"], [{"address": self.box, "why": why}])
        self.assertEqual((report["unchanged"], report["complete"]), (1, False))
        self.assertIsNotNone(report["closed_at"])
        self.world.run("log", "--verify", os.path.join(self.world.home, "depart-theo.txt"), check=0)
        self.assertNotIn("depart", [kind for kind, _, _ in self.due()])

    def test_a_role_that_nobody_can_change_any_more_is_given_up_by_name(self):
        self.leaving_when_our_key_is_withdrawn()
        remove = ["role", "rm", self.box, "--confirm", self.box]
        said = " ".join(self.world.run(*remove, check=13).stderr.split())
        self.assertIn(f"passation role rm {self.box} --confirm {self.box} --unchanged", said)
        self.world.run(*remove, "--unchanged", "no key", check=0)
        self.world.run("resume", check=10)  # the account's ways in could not be looked at
        text, report = self.report_of_theo()
        self.assertIn("\nComplete: no\n", text)
        self.assertEqual(report["unchanged_mailboxes"], [{"address": self.box, "why": "no key"}])
        self.world.run("client", "rm", "essai", "--confirm", "essai", check=0)
        self.world.run("resume", check=0)
        text, report = self.report_of_theo()
        self.assertIn("\nComplete: except-unchanged\n", text)
        self.assertEqual((report["unchanged"], report["complete"]), (1, False))

    def rotation_that_hangs(self):
        """Killed when OVH has taken the new password, and not put it in force."""
        self.world.allow_all()
        self.world.control("POST", "/faults", {"method": "POST", "path": "*/changePassword",
                                               "kind": "task_stuck", "times": 1})
        run = subprocess.Popen(self.world.command("rotate", self.box), env=self.world.env(),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not self.world.control("GET", "/faults")["faults"][0]["used"]:
            self.assertIsNone(run.poll())
        run.kill()
        run.wait()
        self.world.control("DELETE", "/faults")

    def delete_at_ovh(self, name, keep):
        password = self.world.in_force(f"{keep}@{self.world.DOMAIN}")
        self.world.control("POST", "/seed", {"domains": [{
            "domain": self.world.DOMAIN, "nic": self.world.ready["nic"],
            "accounts": [{"name": keep, "password": password}]}]})
        return self.world.json("due", "--look", check=12)["due"]

    def test_no_role_is_removed_while_its_new_password_may_come_into_force(self):
        self.rotation_that_hangs()
        for command in (["role", "rm", self.box, "--confirm", self.box],
                        ["client", "rm", "essai", "--confirm", "essai"]):
            said = self.world.run(*command, check=13).stderr
            self.assertIn(f"passation resume {self.box}", " ".join(said.split()))
            self.assertIn("--unchanged", said)
        self.world.control("POST", "/task/release", {})
        self.world.run("resume", check=0)
        self.assertIn(("current", self.world.in_force(self.box)), self.world.versions(self.box))
        time.sleep(1.1)  # --settle: the request whose answer was lost is on its way so long
        self.world.run("role", "rm", self.box, "--confirm", self.box, check=0)

    def test_a_rotation_that_cannot_be_finished_is_given_up_with_its_role(self):
        self.rotation_that_hangs()
        self.world.run("role", "rm", self.box, "--confirm", self.box, "--unchanged", "no key",
                       check=0)
        self.assertIn("role.unchanged", [row["event"] for row in self.world.json("log")["log"]])

    def test_a_mailbox_that_went_in_the_middle_of_a_rotation_can_be_removed(self):
        self.rotation_that_hangs()
        self.delete_at_ovh("box0", keep="box1")
        self.world.run("role", "rm", self.box, "--confirm", self.box, check=0)

    def test_what_hangs_on_a_mailbox_is_named_before_it_is_removed_with_it(self):
        self.person("theo")
        self.world.allow_all()
        self.world.run("grant", "theo", self.box, "--until", "2031-01-01", "-o", self.world.home,
                       check=0)
        for label in ("stripe", "ftp"):
            self.world.run("secret", "add", self.box, label, "--secret-fd", "0",
                           stdin="only here\n", check=0)
        said = self.world.run("role", "rm", self.box, check=13).stderr
        self.assertRegex(" ".join(said.split()), r"2 other secrets.*: ftp, stripe")
        self.assertIn("still gets in", " ".join(said.split()))
        said = " ".join(self.world.run("client", "rm", "essai", check=13).stderr.split())
        self.assertRegex(said, r"\(mailboxes: 2\) and 2 other secrets, perhaps the only copies")
        self.delete_at_ovh("box0", keep="box1")
        said = " ".join(self.world.run("due", check=12).stderr.split())
        self.assertIn(f"passation secret ls {self.box}; then: passation role rm {self.box}", said)
        for command in (["role", "rm", self.box], ["client", "rm", "essai"]):
            said = " ".join(self.world.run(*command, check=13).stderr.split())
            self.assertNotIn("still gets in", said)

    def test_a_key_that_nobody_compared_is_warned_of_until_somebody_has(self):
        self.person("theo")
        grant = ["grant", "theo", self.box, "--until", "2031-01-01", "-o", self.world.home, "-f"]
        said = self.world.run(*grant, check=0).stderr
        self.assertEqual(said.count("compared the key of theo"), 1, said)
        digits = re.search(r"--checked\s+'([0-9\s]+)'", said).group(1)
        self.world.run("person", "key", "theo", "--checked", " ".join(digits.split()), check=0)
        self.assertNotIn("compared", self.world.run(*grant, check=0).stderr)
        self.world.run("person", "add", "lea", "--kind", "team", check=0)
        self.assertNotIn("compared", self.asked("grant", "lea", self.box, "-o", self.world.home)[1])

    def test_a_handover_that_cannot_be_closed_asks_nobody(self):
        self.person("martine")
        self.world.run("handover", "start", "essai", "--to", "martine")
        code, said = self.asked("handover", "close", "essai")
        self.assertNotIn("Type the client's id", said)
        self.assertEqual(code, 13)
        self.assertNotIn("own_access", json.dumps(self.world.json("log")))

    def test_who_knows_a_password_of_a_client_that_is_removed_is_named_before_it_is(self):
        self.person("theo")
        self.person("lea")
        self.world.run("grant", "theo", self.box, "--until", "2031-01-01", "-o", self.world.home,
                       check=0)
        said = self.world.run("client", "rm", "essai", check=13).stderr
        self.assertRegex(said, r"until\s+it\s+is\s+changed\s+at\s+OVH:\s+.*theo")
        self.assertNotIn("lea", said)
        self.world.run("client", "rm", "essai", "--confirm", "essai", check=0)

    def test_an_account_that_is_copied_from_an_invoice_is_taken_without_its_blanks(self):
        self.world.run("client", "add", "durand", "--nic", " XD12345-OVH\t", "--domain",
                       "durand.example", check=0)
        self.assertEqual(self.world.json("client", "show", "durand")["nic"], "xd12345-ovh")

    def test_a_client_that_is_given_to_log_is_told_how(self):
        client = self.world.json("client", "ls")["clients"][0]["id"]
        self.assertIn(f"passation log --client {client}",
                      self.world.run("log", client, check=2).stderr)

    def test_a_domain_is_added_beside_those_there_are(self):
        client = self.world.json("client", "ls")["clients"][0]["id"]
        said = self.world.run("role", "add", "sav@martin.shop").stderr
        self.assertIn("client set ID --add-domain martin.shop", said)
        self.assertIn("client add ID --nic NIC --domain martin.shop", " ".join(said.split()))
        before = self.world.json("client", "show", client)["domains"]
        self.world.run("client", "set", client, "--add-domain", "martin.shop", check=0)
        self.assertEqual(self.world.json("client", "show", client)["domains"],
                         [*before, "martin.shop"])

    def test_nobody_types_a_secret_that_cannot_be_stored(self):
        self.world.run("secret", "add", self.box, "stripe", "--generate", check=0)
        for args in (["add", self.box, "stripe"], ["add", "nobody@" + self.world.DOMAIN, "ftp"],
                     ["add", self.box, "ftp", "--type", "nonsense"], ["set", self.box, "ftp"]):
            code, said = self.asked("secret", *args)
            self.assertNotEqual(code, 0, said)
            self.assertNotIn("Secret:", said)

    def test_nothing_counts_as_copied_where_there_is_no_clipboard(self):
        env = self.world.env(PATH="/nowhere", DISPLAY="", WAYLAND_DISPLAY="")
        self.world.run("secret", "add", self.box, "codes", "--type", "recovery", "--secret-fd",
                       "0", stdin="11111\n22222\n", check=0)
        before = self.world.json("log")
        for args in (["show", self.box], ["otp", self.box, "codes", "--recovery"]):
            self.world.run(*args, "-c", env=env, check=4)
        self.assertEqual(self.world.json("log"), before)

    def test_a_removed_secret_that_is_changed_is_there_again(self):
        self.world.run("secret", "add", self.box, "stripe", "--generate", check=0)
        self.world.run("secret", "rm", self.box, "stripe", check=0)
        self.world.run("secret", "set", self.box, "stripe", "--user", "claire", check=0)
        labels = [row["label"] for row in self.world.json("secret", "ls", self.box)["secrets"]]
        self.assertEqual(labels, ["stripe"])

    def test_advice_names_what_it_is_about_and_what_really_does_it(self):
        self.person("theo")
        self.world.run("secret", "add", self.box, "mon coffre", "--generate", check=0)
        self.world.run("grant", "theo", self.box, "--with", "all", "--until", "2031-01-01", "-o",
                       self.world.home, check=0)
        ended = self.world.run("revoke", "theo", check=12).stderr
        due = self.world.run("due", check=12).stderr
        for said in (ended, due):
            self.assertNotIn("--apply", said)
            self.assertIn(f"passation secret set {self.box} 'mon coffre'", " ".join(said.split()))
        status = self.world.run("status").stdout
        self.assertNotIn("--apply", status)
        self.assertIn("passation status essai", status)
        pending = self.world.run("sweep", "essai", check=12).stderr
        self.assertRegex(pending, r"passation\s+sweep\s+essai\s+--keep\s+[a-z_]+:")
        self.world.run("person", "add", "luc", "--kind", "team", "--email", "luc@x.example",
                       check=0)
        plan = os.path.join(self.world.home, "départ de luc.plan")
        said = self.world.run("depart", "luc", "--plan", "-o", plan, check=0).stderr
        self.assertIn(f"passation apply '{plan}'", said)

    def test_what_is_advised_of_somebody_who_knows_something_works(self):
        self.world.run("secret", "add", self.box, "clé d'or", "--generate", check=0)
        self.person("lea")
        self.world.run("grant", "lea", self.box, "--with", "all", "--until", "2031-01-01", "-o",
                       self.world.home, check=0)
        self.assertIn("passation revoke lea", self.world.run("who", "lea", check=0).stderr)
        self.world.run("revoke", "lea", "--no-rotate", check=12)
        said = self.world.run("who", "lea", check=0).stderr
        self.assertNotIn("revoke", said)
        self.assertIn(f"passation rotate {self.box}", said)
        self.assertIn(f"passation rotate {self.box}",
                      self.world.run("person", "rm", "lea", check=13).stderr)
        self.world.run("rotate", self.box, check=0)
        set_it = f"passation secret set {self.box} 'clé d'\\''or'"
        self.assertIn(set_it, " ".join(self.world.run("who", "lea", check=0).stderr.split()))
        refused = " ".join(self.world.run("person", "rm", "lea", check=13).stderr.split())
        self.assertIn(set_it, refused)
        self.assertNotIn("rotate", refused)
        self.world.run(*shlex.split(set_it)[1:], "--generate", check=0)
        self.assertNotIn("take back", self.world.run("who", "lea", check=0).stderr)
        self.world.run("person", "rm", "lea", check=0)

    def test_a_grant_to_a_group_says_how_it_is_taken_back_from_each(self):
        for name in "abcdefg":
            self.world.run("person", "add", name, "--kind", "team", "--group", "seo", check=0)
        said = self.world.run("grant", "@seo", self.box, "--until", "2031-01-01", "--code-fd", "1",
                              "-o", self.world.home, check=0).stderr
        self.assertNotIn("revoke @seo", said)
        hints = re.findall(r"(?m)^  passation (revoke [a-z])$", said)
        self.assertEqual(hints, [f"revoke {name}" for name in "abcde"])
        self.assertIn("…", said.split("revoke e")[1])
        self.world.run(*hints[0].split(), "--no-rotate", check=12)

    def test_an_issue_that_needs_a_code_is_not_said_to_be_written_by_apply(self):
        self.world.run("person", "add", "lea", "--kind", "team", check=0)
        grant = ["lea", self.box, "--until", "2031-01-01", "-o", self.world.home]
        self.world.run("grant", *grant, "--code-fd", "1", check=0)
        self.world.run("rotate", self.box, check=0)
        listed = self.world.run("due", check=12).stderr
        applied = self.world.run("due", "--apply", "-o", self.world.home, check=12).stderr
        for said in (listed, applied, self.world.run("status").stdout,
                     self.world.run("status", "essai").stdout):
            self.assertNotIn("--apply", said)
            self.assertIn("passation outbox lea", " ".join(said.split()))
        self.world.run("outbox", "lea", "--code-fd", "1", "-o", self.world.home, check=0)
        self.assertNotIn("issue", [kind for kind, _, _ in self.due()])
        self.person("theo")
        self.world.run("grant", "theo", *grant[1:], check=0)
        self.world.run("rotate", self.box, check=0)
        self.assertIn("passation due --apply", self.world.run("due", check=12).stderr)

    def test_what_he_keeps_does_not_count_as_known_after_a_revoke(self):
        self.world.run("person", "add", "lea", "--kind", "team", check=0)
        for box in self.boxes:
            self.world.run("grant", "lea", box, "--until", "2031-01-01", "--code-fd", "1", "-o",
                           self.world.home, check=0)
        self.world.run("rotate", self.boxes[1], check=0)
        self.world.run("revoke", "lea", self.box, check=0)

    def test_a_key_replaced_while_somebody_could_read_it_is_one_of_his_ways_in(self):
        self.person("luc")
        self.world.run("slot", "add", "luc", "--new-identity-file",
                       os.path.join(self.world.home, "luc.key"), check=0)
        old = next(key for key, row in self.world.control("GET", "/state")["credentials"].items())
        client = self.world.json("client", "ls")["clients"][0]["id"]
        self.world.run("ovh", "link", client, "--config",
                       self.world.other_key("workconsumerkey00000000000000001"), "--accept-wide",
                       check=0)
        self.world.run("depart", "luc", "-o", self.world.home)
        self.world.run("slot", "rm", "luc", "--leaver", "--recovery-out",
                       os.path.join(self.world.home, "code"))
        self.world.run("ovh", "link", client, "--config",
                       self.world.other_key("workconsumerkey00000000000000002"), "--accept-wide",
                       check=0)
        done = self.world.run("--json", "resume")
        state = self.world.control("GET", "/state")["credentials"].get(old, {"_revoked": True})
        self.assertTrue(state.get("_revoked") or done.returncode != 0,
                        f"complete, and {old} still works: {done.stdout}{done.stderr}")


def main():
    global BUILD
    BUILD = os.path.abspath(sys.argv[1])
    program = unittest.main(argv=[sys.argv[0], *sys.argv[2:]], exit=False)
    return 0 if program.result.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
