#!/usr/bin/env python3
"""A departure over the real binary: what somebody could read stops working, what is his is cut,
what is not his stays, and whoever stays goes on. Held against the simulator's own state and log,
and real logins.

    test_depart.py BUILD
"""

import html.parser
import imaplib
import json
import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
import unittest
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support import accesses, chromium  # noqa: E402
from support.accesses import AL, JP, SERVICES  # noqa: E402
from support.world import World, keygen  # noqa: E402

BUILD = sys.argv.pop(1)
DOMAIN = World.DOMAIN
AT = "/email/domain/" + DOMAIN
BOXES = [f"box{i}@{DOMAIN}" for i in range(3)]
OTHER = "boulangerie-martin.fr"
OUTSIDE = JP.email


class Departing(unittest.TestCase):
    """A vault with three mailboxes. jp, who leaves, and kim, who stays, have keys."""

    IMAP = "responder"

    def setUp(self):
        self.world = world = World(BUILD, imap=self.IMAP).__enter__()
        self.addCleanup(world.__exit__)
        world.control("POST", "/set", {"task_delay_ms": 0, "slot_delay_ms": 0})
        world.allow_all()
        self.prepare()
        self.keys = {}
        self.out = os.path.join(world.home, "out")
        os.mkdir(self.out, 0o700)

    def prepare(self):
        self.world.setup_client(mailboxes=len(BOXES))

    # --- the vault ---

    def keygen(self, name):
        self.keys[name] = os.path.join(self.world.home, name + ".txt")
        keygen(self.keys[name])
        return self.keys[name]

    def person(self, name, *more, email=OUTSIDE):
        self.world.run("person", "add", name, "--kind", "provider", "--key",
                       self.keygen(name) + ".pub", "--email", email, *more, check=0)

    def grant(self, name, *addresses, more=()):
        self.world.run("grant", name, *addresses, "--until", "2031-03-31", "-o", self.out, *more,
                       check=0)

    def leaver_and_stayer(self, *boxes, aliases=(), more=()):
        self.person("jp", *(word for name in aliases for word in ("--alias", name)))
        self.person("kim", email="kim@maison.example")
        for name in ("jp", "kim"):
            self.grant(name, *(boxes or BOXES[:1]), more=more)

    def judge(self):
        """All that is there already is legitimate: the departures find their own only."""
        found = json.loads(self.world.run("--json", "sweep", "essai", check=12).stdout)
        self.world.run("sweep", "essai", *(word for row in found["findings"] if not row["own"]
                                           for word in ("--keep", row["id"])), check=0)

    def depart(self, *args, check=0):
        return self.summary(self.world.run("--json", "depart", "jp", "-o", self.out, *args,
                                           check=check))

    def resume(self, check=0):
        return self.summary(self.world.run("--json", "resume", check=check))

    def with_key(self, name, *args):
        return subprocess.run([self.world.binary, "--no-input", "--identity-file",
                               self.keys[name], *args], env=self.world.env(),
                              capture_output=True, text=True)

    def summary(self, done, name="jp"):
        rows = [json.loads(line).get("summary", {}) for line in done.stdout.splitlines()]
        found = [row["departure"] for row in rows if "departure" in row]
        self.assertIn(name, [row["person"] for row in found], done.stdout + done.stderr)
        return next(row for row in found if row["person"] == name)

    def is_closed(self):
        events = [row["event"] for row in self.world.json("log")["log"]]
        self.assertLessEqual(events.count("departure.closed"), 1)
        return "departure.closed" in events

    def reveal(self, *args):
        return self.world.run("show", *args, "--reveal", check=0).stdout.splitlines()[0]

    # --- OVH ---

    def changes(self):
        """All that the simulator was asked for and that is no reading."""
        return [row["path"] for row in self.world.control("GET", "/log")["log"]
                if row["method"] != "GET"]

    def rotations(self, address=BOXES[0]):
        name = address.split("@")[0]
        return sum(path.endswith(f"/{name}/changePassword") for path in self.changes())

    def forward(self, address=BOXES[0], to=OUTSIDE):
        self.world.call(AT + "/redirection", {"from": address, "to": to, "localCopy": False})
        self.world.control("POST", "/task/run")

    def seed(self, **fields):
        nic = self.world.ready["nic"]
        self.world.control("POST", "/seed", {kind: [{"nic": nic, **row} for row in rows]
                                             for kind, rows in fields.items()})

    def redirections(self):
        domain = self.world.control("GET", "/state")["domains"][DOMAIN]
        return {(row["from"], row["to"]) for row in domain["redirections"].values()}

    def fault(self, method, path, kind, **more):
        self.world.control("POST", "/faults", {"method": method, "path": path, "kind": kind,
                                               **more})

    def agree(self):
        """Both sides accept each change of contacts."""
        for task in self.world.control("GET", "/state")["contact_changes"].values():
            for nic in task["_tokens"] if task["state"] == "validatingByCustomers" else ():
                self.world.control("POST", "/contact", {"id": task["id"], "nic": nic,
                                                        "answer": "accept"})


class Accesses(Departing):
    def prepare(self):
        self.world.control("POST", "/seed", accesses.seed(DOMAIN, self.world.ready["nic"]))
        self.world.run("init", check=0)
        self.world.add_client([DOMAIN, *SERVICES.values()])
        self.world.run("client", "set", "essai", "--smtp", "smtps://127.0.0.1:465", check=0)
        told = self.world.run("role", "adopt", *BOXES[:2], check=0).stderr
        self.assertIn(f"passation profile {BOXES[0]} --format sheet", " ".join(told.split()))

    def setUp(self):
        super().setUp()
        self.leaver_and_stayer(aliases=JP.aliases)

    def accesses(self):
        return accesses.listed(self.world, DOMAIN)

    def test_what_is_his_is_cut_and_what_is_not_stays(self):
        before = self.accesses()
        kinds = {row[0] for row in JP.of(before)}
        self.assertEqual(kinds - {"contactTech"},
                         {row[0] for row in AL.of(before)} - {"contactBilling"})
        self.assertEqual(len(kinds), 17)
        found = self.depart(check=10)
        left = JP.of(self.accesses())
        self.assertEqual({row[0] for row in left}, {"contactTech"})
        self.assertEqual(found["open"]["accesses"], len(left))
        self.agree()
        found = self.resume(check=12)
        after = self.accesses()
        self.assertEqual(JP.of(after), set())
        self.assertEqual(before - JP.of(before) - after, set())
        self.assertEqual({row[0::2] for row in after - before},
                         {("contactTech", self.world.ready["nic"])})
        self.assertTrue(found["complete"])

    @unittest.skipUnless(chromium.FOUND, "chromium is not installed")
    def test_the_report_fits_the_screen_of_a_telephone(self):
        self.depart(check=10)
        page = os.path.join(self.out, "depart-jp.html")
        self.assertLessEqual(chromium.width_on_a_phone(page), chromium.PHONE)

    def test_all_cuts_what_is_nobodys_but_nothing_kept_and_not_our_key(self):
        listed = json.loads(self.world.run("--json", "sweep", "essai").stdout)["findings"]
        kept = ["api_key:301774020", "api_application:90211", f"contact:{DOMAIN}:billing",
                *(row["id"] for row in listed if row["kind"] == "iam_policy"
                  and AL.nic in row["whose"])]
        self.world.run("sweep", "essai", *(word for key in kept for word in ("--keep", key)))
        before = self.accesses()
        self.depart("--all", check=10)
        self.agree()
        self.world.run("resume")
        after = self.accesses()
        self.assertEqual(JP.of(after), set())
        self.assertEqual(AL.of(after), {
            row for row in AL.of(before)
            # Neither a bill nor what stays inside lets anybody in: nobody judges it.
            if row[0] in ("policy", "contactBilling")})
        self.assertLessEqual({("api_key", "", "498601349"), ("api_application", "", "105668"),
                              ("api_key", "", "301774020"), ("api_application", "", "90211"),
                              ("redirection", BOXES[0], BOXES[0])}, after)
        told = self.world.run("ovh", "inventory", "essai", check=0).stderr
        self.assertIn("passation sweep essai", " ".join(told.split()))


class Passwords(Departing):
    IMAP = "dovecot"

    def logs_in(self, address, password):
        at = urllib.parse.urlsplit(self.world.ready["imap"])
        tls = ssl.create_default_context(cafile=self.world.ready["ca"])
        with imaplib.IMAP4_SSL(at.hostname, at.port, ssl_context=tls) as server:
            try:
                return server.login(address, password)[0] == "OK"
            except server.error:
                return False

    def apply_due(self, left):
        while not left.is_set():
            self.world.run("due", "--apply", "-o", self.out)
        self.world.run("due", "--apply", "-o", self.out, check=0)

    def test_what_he_knew_is_refused_and_those_who_stay_get_what_works(self):
        self.leaver_and_stayer(*BOXES[:2])
        self.judge()
        old = {box: self.world.in_force(box) for box in BOXES}
        written, done = set(os.listdir(self.out)), len(self.changes())
        left = threading.Event()
        due = threading.Thread(target=self.apply_due, args=(left,))
        due.start()
        self.addCleanup(due.join)
        self.addCleanup(left.set)
        self.depart()
        left.set()
        due.join()
        for box in BOXES[:2]:
            new = self.world.in_force(box)
            self.assertEqual((self.logs_in(box, old[box]), self.logs_in(box, new)), (False, True))
            self.assertEqual(self.reveal(box), new)
        self.assertEqual(self.world.in_force(BOXES[2]), old[BOXES[2]])
        self.assertEqual({path.split("/")[5] for path in self.changes()[done:]},
                         {"box0", "box1"})
        new = [name for name in set(os.listdir(self.out)) - written if name.endswith(".age")]
        self.assertEqual({name.split("-")[0] for name in new}, {"kim"})
        shown = "".join(self.with_key("kim", "open", os.path.join(self.out, name), "--issuer",
                                      self.world.json("key", "show")["fingerprint"],
                                      "--reveal").stdout for name in new)
        for box in BOXES[:2]:
            self.assertIn(self.world.in_force(box), shown)
        states = {row["state"] for row in self.world.json("outbox", "--all", "jp")["issues"]}
        self.assertEqual(states, {"void"})
        self.assertEqual(self.world.json("outbox", "jp", "-o", self.out)["issues"], [])
        self.world.run("grant", "jp", BOXES[2], "-o", self.out, check=13)


    def test_what_is_proposed_to_be_cut_can_be_cut(self):
        self.leaver_and_stayer()
        told = " ".join(self.world.run("depart", "jp", "-o", self.out, check=12).stderr.split())
        example = re.search(r"legitimate: --keep (\S+); else --cut", told).group(1)
        found = {row["id"]: row["removal"]["obstacle"] for row in json.loads(
            self.world.run("--json", "sweep", "essai").stdout)["findings"]}
        self.assertIsNone(found[example])
        self.assertTrue(any(found.values()))


class Since(Departing):
    """What becomes of a departure that was complete."""

    def setUp(self):
        super().setUp()
        self.leaver_and_stayer(*BOXES[:2])
        self.judge()

    def report(self, kind="txt"):
        with open(os.path.join(self.out, "depart-jp." + kind), encoding="utf-8") as file:
            return file.read()

    def test_a_mailbox_that_came_back_is_rotated_and_no_departure_is_to_be_finished(self):
        self.world.allow([("GET", "/*")])
        self.depart(check=10)
        self.assertIn("His departure is to be finished: passation resume",
                      self.world.run("who", "jp", check=0).stderr)
        told = self.world.run("doctor").stdout
        self.assertIn("passation resume", told)
        self.assertNotIn("passation depart", told)
        self.world.allow_all()
        self.world.run("role", "rm", BOXES[0], "--confirm", BOXES[0], "--unchanged", "sold",
                       check=0)
        self.world.run("resume")
        self.assertTrue(self.is_closed())
        self.world.run("role", "adopt", BOXES[0], "--secret-fd", "0",
                       stdin=self.world.in_force(BOXES[0]), check=0)
        self.assertIn("Nothing is unfinished.", self.world.run("resume", check=0).stderr)
        said = self.world.run("who", "jp", check=0).stderr
        self.assertNotIn("passation resume", said)
        self.assertIn("passation rotate " + BOXES[0], said)
        self.world.run("rotate", BOXES[0], check=0)
        self.assertEqual(self.world.run("who", "jp", check=0).stderr, "")

    def test_a_password_of_before_that_comes_back_with_its_mailbox_is_known_to_who_left(self):
        old = self.world.in_force(BOXES[0])
        self.depart()
        self.assertNotEqual(self.world.in_force(BOXES[0]), old)
        self.world.run("role", "rm", BOXES[0], "--confirm", BOXES[0], check=0)
        self.world.control("POST", "/password", {"address": BOXES[0], "password": old})
        self.world.run("role", "adopt", BOXES[0], "--secret-fd", "0", stdin=old, check=0)
        self.assertIn("may know it from before", self.world.run("who", "jp", check=0).stdout)
        due = json.loads(self.world.run("--json", "due", check=12).stdout)["due"]
        self.assertIn(("rotate", BOXES[0], "jp"),
                      [(row["kind"], row["address"], row["person"]) for row in due])
        self.world.run("due", "--apply", "-o", self.out)
        self.assertNotEqual(self.world.in_force(BOXES[0]), old)
        self.world.run("due", check=0)

    def test_a_password_of_before_that_is_told_once_its_mailbox_is_back_is_known_too(self):
        old = self.world.in_force(BOXES[0])
        self.depart()
        self.world.run("role", "rm", BOXES[0], "--confirm", BOXES[0], check=0)
        self.world.run("role", "adopt", BOXES[0], check=0)
        self.world.run("due", check=0)
        self.world.control("POST", "/password", {"address": BOXES[0], "password": old})
        self.world.run("verify", BOXES[0], check=11)
        self.world.run("role", "adopt", BOXES[0], "--secret-fd", "0", stdin=old, check=0)
        due = json.loads(self.world.run("--json", "due", check=12).stdout)["due"]
        self.assertIn(("rotate", BOXES[0], "jp"),
                      [(row["kind"], row["address"], row["person"]) for row in due])
        self.world.run("due", "--apply", "-o", self.out)
        self.assertNotEqual(self.world.in_force(BOXES[0]), old)
        self.world.run("due", check=0)

    def test_a_password_changed_by_somebody_else_since_is_called_proved_no_more(self):
        known = self.world.in_force(BOXES[0])
        self.assertTrue(self.depart()["complete"])
        self.assertIn("\nComplete: yes\n", self.report())
        self.world.control("POST", "/password", {"address": BOXES[0], "password": known})
        self.world.run("verify", BOXES[0], check=11)
        self.world.run("due", check=12)
        done = self.world.run("who", "jp", check=0)
        self.assertIn("not known: changed by somebody else", done.stdout)
        self.assertNotIn("passation resume", done.stderr)
        done = self.world.run("--json", "depart", "jp", "-o", self.out, check=12)
        found = self.summary(done)
        self.assertEqual((found["complete"], found["changed_outside"]), (False, 1))
        self.assertIn("passation rotate " + BOXES[0], done.stderr)
        said = " ".join(self.report().replace("\n|", " ").split())
        self.assertIn(" Complete: no ", said)
        self.assertIn("! changed by somebody else since", said)
        self.assertIn("rotate it: passation rotate " + BOXES[0], said)
        self.assertNotIn("✓ Complete", said)
        self.assertIn("changed by somebody else since", self.report("html"))
        rows = {row["address"]: row for row in json.loads(self.report("json"))["secrets"]}
        self.assertIsNotNone(rows[BOXES[0]]["changed_outside_at"])
        self.assertIsNone(rows[BOXES[1]]["changed_outside_at"])
        self.world.run("rotate", BOXES[0], check=0)
        self.assertTrue(self.depart()["complete"])
        self.assertIn("\nComplete: yes\n", self.report())


class Doors(Departing):
    def setUp(self):
        super().setUp()
        self.leaver_and_stayer(aliases=[JP.nic])

    def closes_after(self, release, rotations):
        """Cuts, of which one is pending; then its end."""
        before = self.rotations()
        for args in ["depart", "jp"], ["resume"], ["due", "--apply"]:
            done = self.world.run("--json", *args, "-o", self.out, check=10)
            self.assertEqual(self.summary(done)["open"]["accesses"], 1)
            self.assertEqual(self.rotations() - before, 1, args)
            self.assertFalse(self.is_closed())
        release()
        for _ in range(2):
            self.world.run("resume", check=0)
            self.assertEqual(self.rotations() - before, rotations)
        self.assertTrue(self.is_closed())

    def release(self):
        self.world.control("POST", "/task/release", {"fail": False})

    def test_a_password_set_while_a_task_was_pending_is_replaced_once_more(self):
        self.judge()
        self.forward()
        self.fault("DELETE", "*/redirection/*", "task_stuck")
        self.world.run("client", "set", "essai", "--settle", "10m", check=0)  # asked for once
        self.closes_after(self.release, 2)

    def test_a_password_set_while_a_contact_was_his_is_replaced_once_more(self):
        self.judge()
        self.seed(nics=[{"nichandle": JP.nic}],
                  hosting=[{"service": "h.example", "contacts": {"tech": JP.nic}}])
        self.world.run("sweep", "essai", check=12)
        self.closes_after(self.agree, 2)

    def test_what_leads_to_no_mailbox_makes_no_password_known(self):
        self.world.run("client", "set", "essai", "--domain", DOMAIN, "--domain", OTHER, check=0)
        self.judge()
        self.world.call(f"/email/domain/{OTHER}/mailingList/equipe/subscriber", {"email": OUTSIDE})
        self.world.control("POST", "/task/run")
        self.fault("DELETE", "*/subscriber/*", "task_stuck")
        self.world.run("client", "set", "essai", "--settle", "10m", check=0)
        self.closes_after(self.release, 1)

    def test_a_way_in_of_somebody_who_was_never_granted_anything_is_cut_too(self):
        self.judge()
        self.person("al", email=AL.email)
        self.forward(to=AL.email)
        self.world.run("depart", "al", "-o", self.out, check=0)
        self.assertEqual(self.redirections(), set())

    def test_a_way_in_that_is_known_late_opens_the_departure_again(self):
        self.judge()
        self.forward(to="jp@elsewhere.example")
        self.world.run("depart", "jp", "-o", self.out, check=12)
        self.world.run("person", "set", "jp", "--alias", "jp@elsewhere.example", check=0)
        self.fault("DELETE", "*/redirection/*", "task_stuck")
        self.depart(check=10)
        self.release()
        self.assertTrue(self.resume()["complete"])

    def test_a_policy_of_ovhs_that_nothing_removes_does_not_hold_him_for_ever(self):
        user = f"urn:v1:eu:identity:user:{self.world.ready['nic']}/{JP.nic}"
        self.seed(users=[{"login": JP.nic}],
                  policies=[{"name": "admin", "readOnly": True, "identities": [user],
                             "permissions": {"allow": [{"action": "*"}]}}])
        self.judge()
        self.depart()

    def test_a_key_that_may_not_remove_holds_up_no_password(self):
        self.judge()
        self.forward()
        before = self.rotations()
        self.world.allow([("GET", "/*"), ("POST", "*/changePassword")])
        done = self.world.run("--json", "depart", "jp", "-o", self.out, check=10)
        self.assertIn("ovh link essai --for cut", done.stderr)
        self.assertEqual(self.summary(done)["open"]["accesses"], 1)
        self.assertEqual(self.rotations() - before, 1)
        self.assertIn((BOXES[0], OUTSIDE), self.redirections())
        self.world.run("ovh", "link", "essai", "--for", "cut", "--config",
                       self.world.other_key("cutconsumerkey000000000000000001"), "--accept-wide",
                       check=0)
        self.resume(check=0)
        self.assertNotIn((BOXES[0], OUTSIDE), self.redirections())
        self.assertEqual(self.rotations() - before, 2)
        self.assertTrue(self.is_closed())

    def test_a_dry_run_says_that_what_was_found_is_noted(self):
        before = len(self.world.json("log")["log"])
        said = self.world.run("depart", "jp", "-n").stderr
        self.assertIn("Nothing was changed at OVH", said)
        self.assertIn("is noted", said)
        self.assertGreater(len(self.world.json("log")["log"]), before)

    def test_a_plan_keeps_nothing_that_nobody_could_read(self):
        self.world.allow([("GET", "/auth/*"), ("GET", "/me"), ("GET", "/email/domain*")])
        said = self.world.run("depart", "jp", "-n").stdout
        said += self.world.run("depart", "jp", "-n").stderr
        self.assertIn("essai", said)
        self.assertNotIn("--keep unreadable", said)

    def test_whose_key_nobody_has_compared_is_told_with_the_file(self):
        self.judge()
        told = self.world.run("depart", "jp", "-o", self.out, check=0).stderr
        self.assertIn("nobody has compared the key of kim", told)
        self.assertNotIn("the key of jp", told)

    def test_what_a_leaver_still_knows_is_exposed_at_its_client(self):
        self.judge()
        self.fault("POST", "*/changePassword", "403", times=1)
        self.depart(check=10)
        status = self.world.json("status", "essai")
        self.assertEqual([row["exposed"] for row in status["overview"]], [1])
        self.assertEqual([(row["kind"], row["person"]) for row in status["due"]
                          if row["kind"] == "departure"], [("departure", "jp")])
        said = self.world.run("status", "essai", check=0).stdout
        self.assertIn("Next: passation resume", said)
        self.assertIn("jp", said)
        self.resume()
        status = self.world.json("status", "essai")
        self.assertEqual(status["overview"][0]["exposed"], 0)
        self.assertNotIn("departure", [row["kind"] for row in status["due"]])

    # --- plans ---

    def untouched(self):
        self.world.control("DELETE", "/log")
        return {"changes": self.changes(), "people": self.world.json("person", "ls"),
                "force": [self.world.in_force(box) for box in BOXES]}

    def test_a_plan_changes_nothing_and_is_carried_out_as_it_was_read(self):
        self.judge()
        self.forward()
        plan = os.path.join(self.out, "jp.plan")
        before = self.untouched()
        steps = self.world.json("depart", "jp", "-n")["plan"]
        self.assertEqual([(row["step"], row["address"] or row["whose"]) for row in steps],
                         [("end", BOXES[0]), ("cut", OUTSIDE), ("rotate", BOXES[0])])
        self.world.run("depart", "jp", "--plan", "-o", plan, check=0)
        self.assertEqual(self.changes(), [])
        self.assertEqual(self.world.run("depart", "jp", "--plan", "-o", plan).returncode, 7)
        self.assertEqual(self.untouched(), before)
        self.summary(self.world.run("--json", "apply", plan, "-o", self.out, check=0))
        self.assertNotIn((BOXES[0], OUTSIDE), self.redirections())
        self.assertTrue(self.is_closed())

    def test_a_plan_that_does_not_hold_any_more_is_refused(self):
        self.judge()
        self.forward(BOXES[2], "al@studio.example")
        plan = os.path.join(self.out, "jp.plan")
        self.world.run("depart", "jp", "--plan", "-o", plan, check=0)
        with open(plan) as file:
            text = file.read()
        vault = text.split("vault: ")[1].split("\n")[0]
        for spoilt, status in ((text[:-1], 7), (text + "\n", 7), ("", 2), (text[:40], 2),
                               (text.replace(vault, vault[::-1]), 7), ("x" + text, 2),
                               (text.replace("person: jp", "person: me"), 13),
                               (text.replace("others: leave", "others: cut"), 7)):
            with open(plan + "-2", "w") as file:
                file.write(spoilt)
            self.assertEqual(self.world.run("apply", plan + "-2", "-o", self.out).returncode,
                             status, spoilt)
        self.forward()
        self.world.run("apply", plan, "-o", self.out, check=7)
        self.assertEqual(self.rotations(), 1)
        self.world.run("grant", "jp", BOXES[1], "-o", self.out, check=0)

    # --- runs that end early ---

    STEPS = (("GET", "*/redirection/*"), ("DELETE", "*/redirection/*"),
             ("POST", "*/changePassword"), ("GET", "*/task/account*"), ("IMAP", "*"))

    def test_a_run_that_is_stopped_or_cut_off_anywhere_is_gone_on_with(self):
        self.judge()
        for number, (method, path) in enumerate(self.STEPS * 2):
            kind, box = ("stall", "close")[number % 2], BOXES[number % 3]
            kind = "lost_before" if kind == "close" and method != "IMAP" else kind
            name, outside = f"p{number}", f"p{number}@studio.example"
            with self.subTest(step=method + " " + path, kind=kind):
                self.person(name, email=outside)
                self.grant(name, box)
                self.forward(box, outside)
                old = self.world.in_force(box)
                self.fault(method, path, kind, sticky=True, ms=500)
                run = subprocess.Popen(self.world.command("depart", name, "-o", self.out),
                                       env=self.world.env(), stdin=subprocess.DEVNULL,
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                self.addCleanup(run.kill)
                met = self.wait_for_fault()
                run.send_signal(signal.SIGINT)
                status = run.wait(60)
                self.world.control("DELETE", "/faults")
                self.assertEqual((met, status), (True, 10))
                done = self.world.run("--json", "resume")
                self.assertTrue(self.summary(done, name)["complete"], done.stderr)
                self.assertNotEqual(self.world.in_force(box), old)
                self.assertNotIn((box, outside), self.redirections())

    def wait_for_fault(self):
        end = time.monotonic() + 20
        while time.monotonic() < end:
            if self.world.control("GET", "/faults")["faults"][0]["used"]:
                return True
            time.sleep(0.02)
        return False


class Secrets(Departing):
    def test_a_secret_that_no_api_changes_is_made_ready_and_waits_for_a_hand(self):
        for label in ("stripe", "cms", "licence"):
            self.world.run("secret", "add", BOXES[0], label, "--type", label, "--secret-fd", "0",
                           stdin="old-" + label, check=0)
        self.leaver_and_stayer(more=("--with", "all"))
        self.judge()
        self.assertEqual(self.depart(check=12)["open"], {
            "passwords": 0, "unproved": 0, "tasks": 3, "accesses": 0, "api_keys": 0})
        self.world.run("show", BOXES[0], "licence", "--replacement", "--reveal", check=4)
        ready = self.reveal(BOXES[0], "stripe", "--replacement")
        self.assertEqual(self.reveal(BOXES[0], "stripe"), "old-stripe")
        self.assertGreaterEqual(len(ready), 16)
        self.world.run("secret", "set", BOXES[0], "stripe", "--replacement", check=0)
        self.assertEqual(self.reveal(BOXES[0], "stripe"), ready)
        self.world.run("secret", "set", BOXES[0], "stripe", "--replacement", check=4)
        for label in ("cms", "licence"):
            self.assertFalse(self.is_closed())
            self.world.run("secret", "set", BOXES[0], label, "--secret-fd", "0",
                           stdin="new-" + label, check=0)
        self.world.run("show", BOXES[0], "cms", "--replacement", check=4)
        self.assertTrue(self.resume()["complete"])
        self.assertTrue(self.is_closed())

    def test_a_secret_that_is_set_to_what_he_knows_is_not_replaced(self):
        self.world.run("secret", "add", BOXES[0], "cms", "--secret-fd", "0", stdin="old", check=0)
        self.leaver_and_stayer(more=("--with", "all"))
        self.judge()
        self.depart(check=12)
        for value, code in (("old", 13), ("other", 0), ("old", 13)):
            self.assertFalse(self.is_closed())
            self.world.run("secret", "set", BOXES[0], "cms", "--secret-fd", "0", stdin=value,
                           check=code)
        self.assertEqual(self.reveal(BOXES[0], "cms"), "other")
        self.resume()


    def lasting(self, code=0):
        return self.world.run("secret", "set", BOXES[0], "iban", "--unchangeable",
                              "the account at the bank", check=code)

    def iban(self):
        self.world.run("secret", "add", BOXES[0], "iban", "--type", "bank", "--secret-fd", "0",
                       stdin="FR7630006000011234567890189", check=0)

    def test_what_nobody_can_change_stays_known_is_named_and_waits_for_nothing(self):
        self.iban()
        self.leaver_and_stayer(more=("--with", "all"))
        self.judge()
        self.assertEqual(self.depart(check=12)["open"]["tasks"], 1)
        self.lasting()
        self.assertEqual(self.world.json("show", BOXES[0], "iban")["unchangeable"],
                         "the account at the bank")
        found = self.resume()
        self.assertEqual((found["open"]["tasks"], found["stays_known"]), (0, 1))
        self.assertFalse(found["complete"])
        self.assertTrue(self.is_closed())
        self.world.run("due", check=0)
        with open(os.path.join(self.out, "depart-jp.txt"), encoding="utf-8") as file:
            said = " ".join(file.read().replace("\n|", " ").split())
        self.assertIn("Complete: except-unchanged", said)
        self.assertIn(f"Stays known, since nobody can change it: {BOXES[0]}, iban. Why: the "
                      "account at the bank", said)
        self.assertNotIn("nothing that could be read works any more", said)
        self.assertIn("in force, and nobody can change it",
                      self.world.run("who", "jp", check=0).stdout)
        said = self.world.run("who", check=0).stderr
        self.assertIn("1 of these secrets stays known", said)
        self.assertNotIn("passation due", said)
        self.world.run("secret", "set", BOXES[0], "iban", "--unchangeable", "", check=0)
        self.assertEqual([row["label"] for row in json.loads(
            self.world.run("--json", "due", check=12).stdout)["due"]], ["iban"])

    def test_for_what_can_be_changed_after_all_a_replacement_is_made_ready(self):
        self.world.run("secret", "add", BOXES[0], "iban", "--generate", check=0)
        self.leaver_and_stayer(more=("--with", "all"))
        self.judge()
        self.lasting()
        self.assertEqual(self.depart()["stays_known"], 1)
        known = self.reveal(BOXES[0], "iban")
        self.world.run("secret", "set", BOXES[0], "iban", "--unchangeable", "", check=0)
        ready = self.world.run("show", BOXES[0], "iban", "--reveal", "--replacement",
                               check=0).stdout.splitlines()[0]
        self.assertNotEqual(ready, known)
        self.world.run("secret", "set", BOXES[0], "iban", "--replacement", check=0)
        due = json.loads(self.world.run("--json", "due").stdout)["due"]
        self.assertEqual([row for row in due if row["person"] == "jp"], [])

    def test_who_left_with_what_nobody_can_change_may_be_removed_and_is_named_still(self):
        self.iban()
        self.leaver_and_stayer(more=("--with", "all"))
        self.judge()
        self.lasting()
        self.world.run("revoke", "jp", check=0)
        said = " ".join(self.world.run("person", "rm", "jp", check=13).stderr.split())
        self.assertIn("which nobody can change", said)
        self.assertIn("passation depart jp", said)
        self.depart()
        self.world.run("person", "rm", "jp", check=0)
        self.assertIn("jp", self.world.run("who", BOXES[0], check=0).stdout)

    def test_what_is_given_another_value_can_be_changed(self):
        self.iban()
        self.lasting()
        self.world.run("secret", "set", BOXES[0], "iban", "--generate", check=0)
        self.assertIsNone(self.world.json("show", BOXES[0], "iban")["unchangeable"])

    def report(self):
        with open(os.path.join(self.out, "depart-jp.txt"), encoding="utf-8") as file:
            return " ".join(file.read().replace("\n|", " ").split())

    def test_what_comes_back_after_its_mailbox_was_removed_is_known_to_who_left(self):
        self.iban()
        for label in ("cms", "old"):
            self.world.run("secret", "add", BOXES[0], label, "--generate", check=0)
        self.leaver_and_stayer(more=("--with", "all"))
        for label in ("cms", "old"):
            self.world.run("secret", "set", BOXES[0], label, "--generate", check=0)
        self.judge()
        self.lasting()
        self.assertEqual(self.depart()["stays_known"], 1)
        self.world.run("role", "rm", BOXES[0], "--confirm", BOXES[0], check=0)
        self.world.run("role", "adopt", BOXES[0], check=0)
        self.depart()
        self.assertIn("Complete: as-far-as-known", self.report())
        said = self.world.run("secret", "add", BOXES[0], "iban", "--type", "bank", "--secret-fd",
                              "0", stdin="FR7630006000011234567890189", check=0).stderr
        self.assertIn("'jp' may know this value", said)
        self.world.run("secret", "add", BOXES[0], "cms", "--generate", check=0)
        self.world.run("secret", "add", BOXES[0], "new", "--secret-fd", "0", stdin="new", check=0)
        path = os.path.join(self.world.home, "store.csv")
        with open(path, "w", encoding="ascii") as file:
            file.write("title,password\nold,as-it-was-before\n")
        self.world.run("-y", "import", path, "--role", BOXES[0], check=0)
        due = json.loads(self.world.run("--json", "due", check=12).stdout)["due"]
        self.assertEqual({row["label"] for row in due if row["person"] == "jp"}, {"iban", "old"})
        self.assertFalse(self.depart(check=12)["complete"])
        self.assertIn("Complete: no ", self.report())
        self.lasting()
        self.world.run("secret", "set", BOXES[0], "old", "--secret-fd", "0", stdin="other", check=0)
        self.assertEqual(self.depart()["stays_known"], 1)
        self.assertIn("Complete: except-unchanged", self.report())
        self.assertNotIn("Removed from the vault", self.report())

    def test_a_mailbox_that_is_back_without_all_that_was_given_up_with_it_stays_in_the_report(self):
        self.iban()
        self.leaver_and_stayer(more=("--with", "all"))
        self.judge()
        self.depart(check=12)
        self.world.run("role", "rm", BOXES[0], "--confirm", BOXES[0], "--unchanged", "the bank",
                       check=0)
        self.resume()
        self.world.run("role", "adopt", BOXES[0], check=0)
        found = self.depart()
        self.assertEqual((found["complete"], found["unchanged"]), (False, 1))
        self.assertIn("Complete: except-unchanged", self.report())
        self.assertIn(f"{BOXES[0]}. Why: the bank", self.report())

    def test_a_plan_says_what_stays_known(self):
        self.iban()
        self.lasting()
        self.leaver_and_stayer(more=("--with", "all"))
        self.judge()
        steps = [(row["step"], row["label"]) for row in
                 self.world.json("depart", "jp", "-n")["plan"]]
        self.assertEqual(steps, [("end", None), ("rotate", None), ("stays-known", "iban")])

    def test_for_what_can_be_changed_a_value_lies_ready_and_it_is_not_called_unchangeable(self):
        self.world.run("secret", "add", BOXES[0], "iban", "--generate", check=0)
        self.leaver_and_stayer(more=("--with", "all"))
        self.judge()
        self.depart(check=12)
        self.assertIn("secret rm", self.lasting(code=7).stderr)
        self.world.run("-y", "secret", "rm", BOXES[0], "iban", "--replacement", check=0)
        self.lasting()
        self.resume()
        self.world.run("secret", "set", BOXES[0], "iban", "--unchangeable", " ", check=2)


class Slots(Departing):
    def setUp(self):
        super().setUp()
        self.person("jp")
        self.grant("jp", BOXES[0])
        self.world.run("slot", "add", "jp", "--new-identity-file", self.keygen("jp-slot"), check=0)
        self.judge()

    def go(self, *args, holding=lambda: None, meanwhile=lambda: None):
        """How often each mailbox was rotated. Something may happen while he still opens the
        vault, and while OVH still takes the key that he could read."""
        before = [self.rotations(box) for box in BOXES]
        for _ in range(2):
            done = self.world.run("--json", "depart", "jp", *args, "-o", self.out, check=10)
            self.assertIn("slot rm jp; then", done.stderr)
            self.assertTrue(self.summary(done)["holds_slot"])
        self.assertEqual([self.rotations(box) for box in BOXES], before)
        holding()
        self.world.run("slot", "rm", "jp", "--leaver", "--recovery-out",
                       os.path.join(self.out, "code"), check=12)
        done = self.world.run("--json", "resume", check=10)
        self.assertIn("ovh link essai --new", done.stderr)
        self.assertFalse(self.is_closed())
        meanwhile()
        self.world.run("ovh", "link", "essai", "--config",
                       self.world.other_key("workconsumerkey00000000000000001"), "--accept-wide",
                       check=0)
        self.summary(self.world.run("--json", "resume"))
        self.assertEqual(self.with_key("jp-slot", "role", "ls").returncode, 5)
        return [self.rotations(box) - count for box, count in zip(BOXES, before)]

    def test_that_a_secret_cannot_be_changed_is_not_believed_of_the_one_who_leaves(self):
        def holding():
            self.assertEqual(set_by_him("cms").returncode, 0)

        self.person("kim", email="kim@maison.example")
        for label in ("ftp", "cms"):
            self.world.run("secret", "add", BOXES[0], label, "--generate", check=0)
        self.grant("kim", BOXES[0], more=("--with", "all"))

        def set_by_him(label):
            return self.with_key("jp-slot", "secret", "set", BOXES[0], label, "--unchangeable",
                                 "no way")
        self.assertEqual(set_by_him("ftp").returncode, 0)
        self.assertEqual(set_by_him("cms").returncode, 0)
        self.assertEqual({row["step"] for row in self.world.json("depart", "jp", "-n")["plan"]
                          if row["label"]}, {"task"})
        self.assertEqual({row["step"] for row in self.world.json("depart", "kim", "-n")["plan"]
                          if row["label"]}, {"stays-known"})
        self.go(holding=holding)
        self.assertEqual(self.resume(check=12)["open"]["tasks"], 2)
        self.assertEqual({row["step"] for row in self.world.json("depart", "kim", "-n")["plan"]
                          if row["label"]}, {"task"})
        self.assertIsNone(self.world.json("show", BOXES[0], "ftp")["unchangeable"])

    def test_who_lost_his_slot_is_named_until_he_has_left(self):
        done = self.world.run("slot", "rm", "jp", "--recovery-out",
                              os.path.join(self.out, "code"), check=0)
        self.assertIn("passation depart jp", done.stderr)
        self.assertIn("ovh link essai --new", done.stderr)
        self.assertIn("could open the vault", self.world.run("due", check=12).stdout)
        for asked in ([], ["jp"]):
            self.assertIn("passation depart jp", self.world.run("who", *asked, check=0).stderr)
        self.world.run("revoke", "jp", "--no-rotate")
        self.assertIn("passation depart jp", self.world.run("person", "rm", "jp", check=13).stderr)
        before = [self.rotations(box) for box in BOXES]
        self.world.run("depart", "jp", "-o", self.out, check=10)
        self.assertTrue(all(self.rotations(box) > count for box, count in zip(BOXES, before)))

    def test_who_lost_his_slot_gets_nothing_newer_until_he_has_one_again(self):
        self.person("kim", email="kim@maison.example")
        self.grant("kim", BOXES[0])
        self.world.run("slot", "rm", "jp", "--recovery-out", os.path.join(self.out, "code"),
                       check=0)
        self.world.run("rotate", BOXES[0], check=0)
        for command in (["due", "--apply"], ["outbox"], ["resume"]):
            self.world.run(*command, "-o", self.out)
        self.assertEqual((self.issued("kim"), self.issued("jp")), (2, 1))
        due = {(row["kind"], row["person"]) for row in
               json.loads(self.world.run("--json", "due", check=12).stdout)["due"]}
        self.assertIn(("leaver", "jp"), due)
        self.assertNotIn(("issue", "jp"), due)
        self.assertEqual([row["due"] for row in self.world.json("grant", "ls", "jp")["grants"]],
                         [False])
        for command in (["outbox", "jp"], ["grant", "jp", BOXES[1], "--until", "2031-03-31"]):
            said = self.world.run(*command, "-o", self.out, check=13).stderr
            self.assertIn("passation depart jp", said)
            self.assertIn("passation slot add jp", said)
        self.assertEqual(len(self.world.json("grant", "ls", "jp")["grants"]), 1)
        self.world.run("person", "add", "jean", "--kind", "provider", "--key",
                       self.keys["jp"] + ".pub", check=13)
        self.world.run("slot", "add", "jp", "--new-identity-file", self.keygen("again"), check=0)
        self.world.run("outbox", "jp", "-o", self.out, check=0)
        self.assertEqual(self.issued("jp"), 2)

    def test_the_envelope_of_who_lost_his_slot_is_left_as_it_is(self):
        self.world.run("envelope", "create", "essai", "--to", "jp", "-o", self.out, check=0)
        with open(os.path.join(self.out, "enveloppe-essai.age"), "rb") as file:
            before = file.read()
        self.world.run("slot", "rm", "jp", "--recovery-out", os.path.join(self.out, "code"),
                       check=0)
        self.world.run("rotate", "*", check=0)
        said = self.world.run("due", "--apply", "-o", self.out, check=12).stderr
        self.assertIn("passation envelope end essai", said)
        self.world.run("envelope", "update", "essai", check=13)
        with open(os.path.join(self.out, "enveloppe-essai.age"), "rb") as file:
            self.assertEqual(file.read(), before)

    def issued(self, name):
        return sum(file.startswith(name + "-") and file.endswith(".age")
                   for file in os.listdir(self.out))

    def test_whoever_could_open_the_vault_makes_all_of_it_new(self):
        self.assertTrue(all(self.go()))

    def test_a_narrow_departure_replaces_only_what_was_seen(self):
        self.assertEqual([bool(count) for count in self.go("--narrow")], [True, False, False])
        self.assertIn("is known to have seen", self.headline())
        self.world.run("depart", "jp", "-o", self.out, check=0)
        self.assertIn("could read works", self.headline())
        self.assertTrue(all(self.rotations(box) for box in BOXES))

    def headline(self):
        with open(os.path.join(self.out, "depart-jp.txt")) as file:
            return file.read().replace("\n| ", " ").split("Begun on")[0]

    def test_no_departure_is_closed_while_ovh_takes_a_key_that_he_could_read(self):
        self.go()
        key = self.world.control("GET", "/state")["credentials"].get("498601349", {})
        self.assertTrue(not key or key["_revoked"] or not self.is_closed())

    def test_what_is_set_while_he_still_opens_the_vault_is_replaced_too(self):
        def holding():
            self.world.run("rotate", BOXES[1], check=0)
            self.world.run("due", "--apply", "-o", self.out)
            self.world.run("secret", "add", BOXES[1], "cms", "--generate", check=0)
            known.update((box, self.world.in_force(box)) for box in BOXES)

        known = {}
        self.go(holding=holding)
        self.assertEqual([box for box in BOXES if self.world.in_force(box) == known[box]], [])
        self.assertFalse(self.is_closed(), "he may know the new secret")

    def test_a_password_that_he_set_by_the_old_key_does_not_outlive_it(self):
        his = {"address": BOXES[0], "password": "His-Own-Word-2026"}
        self.go(meanwhile=lambda: self.world.control("POST", "/password", his))
        self.assertNotEqual(self.world.in_force(BOXES[0]), his["password"])

    def test_nobody_takes_leave_of_himself(self):
        for args in ([], ["-n"], ["--plan", "-o", os.path.join(self.out, "me.plan")]):
            self.world.run("depart", "me", *args, check=13)


class OldPasswords(Departing):
    """The mail server goes on accepting what was replaced."""

    def replace_in_vain(self, *args):
        self.fault("IMAP", BOXES[0], "accept_old", sticky=True)
        return self.world.run(*args)

    def dying(self):
        rows = self.world.json("due", check=12)["due"]
        return [(row["address"], row["person"]) for row in rows if row["kind"] == "resume"]

    def test_one_that_is_not_proved_dead_outlives_the_next_rotation(self):
        self.person("jp")
        self.grant("jp", BOXES[0])
        self.judge()
        self.replace_in_vain("revoke", "jp")
        self.world.run("rotate", BOXES[0], check=0)
        self.assertEqual(self.dying(), [(BOXES[0], "jp")])
        self.assertTrue(self.world.json("who", "jp")["seen"][0]["in_force"])
        self.depart(check=10)
        self.assertFalse(self.is_closed())
        self.world.control("DELETE", "/faults")
        self.resume()
        self.assertTrue(self.is_closed())
        dead = [row["version"] for row in self.world.json("log")["log"]
                if row["event"] == "password.dead"]
        self.assertEqual(sorted(dead), [1, 2])

    def test_one_that_a_leaver_could_read_counts_though_it_was_replaced_before_he_departs(self):
        self.person("jp")
        self.world.run("slot", "add", "jp", "--new-identity-file", self.keygen("jp-slot"),
                       check=0)
        self.judge()
        self.world.run("slot", "rm", "jp", "--leaver", "--recovery-out",
                       os.path.join(self.out, "code"), check=12)
        self.replace_in_vain("rotate", "*")
        self.assertIn((BOXES[0], None), self.dying())
        self.world.run("ovh", "link", "essai", "--config",
                       self.world.other_key("workconsumerkey00000000000000001"), "--accept-wide",
                       check=0)
        self.depart(check=10)
        self.assertFalse(self.is_closed())
        self.world.control("DELETE", "/faults")
        self.resume()
        self.assertTrue(self.is_closed())


class Page(html.parser.HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, attrs))

    def handle_data(self, data):
        self.text += data


class Reports(Departing):
    HOSTILE = ("<img src=x onerror=1>", "| Journal: - 1 00", "a&amp;b\"'")

    def setUp(self):
        super().setUp()
        self.person("jp", "--name", self.HOSTILE[0])
        for label in self.HOSTILE[1:]:
            self.world.run("secret", "add", BOXES[0], label, "--secret-fd", "0", stdin="v", check=0)
        self.grant("jp", *BOXES[:2], more=("--with", "all"))
        self.judge()

    def report(self, extension):
        with open(os.path.join(self.out, "depart-jp." + extension)) as file:
            return file.read()

    def test_each_mailbox_is_an_object_and_the_summary_is_last(self):
        done = self.world.run("--json", "depart", "jp", "-o", self.out, check=12)
        rows = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual(sorted(row["address"] for row in rows if "address" in row), BOXES[:2])
        self.assertEqual(list(rows[-1]), ["summary"])
        self.assertEqual((rows[-1]["summary"]["exit"], rows[-1]["summary"]["departure"]["person"]),
                         (12, "jp"))

    def test_the_report_is_signed_and_no_edited_one_is_accepted(self):
        self.depart(check=12)
        text = os.path.join(self.out, "depart-jp.txt")
        self.world.run("log", "--verify", text, check=0)
        for old, new in (("Complete: no", "Complete: yes"), (BOXES[0], BOXES[2])):
            with open(text + "-2", "w") as file:
                self.assertIn(old, self.report("txt"))
                file.write(self.report("txt").replace(old, new, 1))
            self.assertNotEqual(self.world.run("log", "--verify", text + "-2").returncode, 0)
        for extension in ("html", "json"):
            path = os.path.join(self.out, "depart-jp." + extension)
            for more, status in (("", 0), (" ", 255)):
                checked = subprocess.run(["ssh-keygen", "-Y", "check-novalidate", "-n",
                                          "passation-file", "-s", path + ".sig"],
                                         input=self.report(extension) + more, text=True,
                                         capture_output=True)
                self.assertEqual(checked.returncode, status, checked.stderr)

    def is_signed(self, path):
        with open(path, "rb") as file:
            done = subprocess.run(["ssh-keygen", "-Y", "check-novalidate", "-n", "passation-file",
                                   "-s", path + ".sig"], stdin=file, capture_output=True)
        return done.returncode == 0

    def test_a_report_that_is_written_anew_never_lies_beside_another_signature(self):
        self.depart(check=12)
        pages = [os.path.join(self.out, f"depart-jp.{form}") for form in ("html", "json")]
        self.assertTrue(all(self.is_signed(page) for page in pages))
        runs = 0
        for step in range(1, 40):
            # Something else is to be told; and each file is put in its place by a rename.
            self.world.run("client", "set", "essai", "--name", f"Essai {step}", check=0)
            kill = f"inject=rename,renameat,renameat2:signal=KILL:when={step}"
            done = subprocess.run(["strace", "-f", "-qq", "-o", "/dev/null", "-e",
                                   "trace=rename,renameat,renameat2", "-e", kill,
                                   *self.world.command("depart", "jp", "-o", self.out)],
                                  env=self.world.env(), capture_output=True,
                                  stdin=subprocess.DEVNULL)
            for page in pages:
                self.assertTrue(self.is_signed(page) or not os.path.exists(page + ".sig"), step)
            if done.returncode == 12:
                break
            runs += 1
        self.assertGreater(runs, 4)
        self.assertTrue(all(self.is_signed(page) for page in pages))

    def test_hostile_names_stay_text(self):
        self.depart(check=12)
        page = Page(self.report("html"))
        self.assertEqual({tag for tag, _ in page.tags} & {"script", "img", "iframe", "link"}, set())
        self.assertEqual([attrs for _, attrs in page.tags
                          for name, _ in attrs if name.startswith("on")], [])
        found = json.loads(self.report("json"))
        self.assertEqual(found["name"], self.HOSTILE[0])
        self.assertEqual({row["label"] for row in found["secrets"]} - {None},
                         set(self.HOSTILE[1:]))
        for name in self.HOSTILE:
            self.assertIn(name, page.text)
        heads = [line for line in self.report("txt").splitlines() if line.startswith("Journal:")]
        self.assertEqual(len(heads), len(found["journal"]))
        self.assertNotIn("Journal: - 1 00", heads)


if __name__ == "__main__":
    unittest.main(verbosity=2)
