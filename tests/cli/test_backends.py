#!/usr/bin/env python3
"""What the services of the newer back-ends ask for, by the real binary: test_backends.py BUILD"""

import os
import re
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.world import World  # noqa: E402

BUILD = None
MANUAL = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "man",
                      "passation-ovh.1.scd")
ROOTS = {"domain": "/email/domain", "mxplan-owa": "/email/mxplan", "mxplan-zimbra": "/email/mxplan",
         "pro": "/email/pro", "exchange": "/email/exchange", "exchange-own": "/email/exchange",
         "zimbra": "/v2/zimbra/platform"}


def least_rules(family, domain):
    """What the manual says that a key for this family needs, and nothing besides."""
    with open(MANUAL) as manual:
        rules = re.findall(r"^(GET|PUT|POST) +(/\S+)$", manual.read(), re.MULTILINE)
    return [(method, path.replace("DOMAIN", domain)) for method, path in rules
            if path in ("/me", "/auth/currentCredential") or path.startswith(ROOTS[family])]


class Backends(unittest.TestCase):
    def setUp(self):
        self.world = World(BUILD).__enter__()
        self.addCleanup(self.world.__exit__)
        self.world.run("init", check=0)
        self.world.allow_all()

    def client(self, family, free_slots=1, **policy):
        self.domain = family + ".example"
        self.address = "box@" + self.domain
        self.service = self.world.seed_service(family, self.domain, free_slots=free_slots,
                                               policy=policy)
        self.world.add_client([self.domain])

    def error(self, *args):
        done = self.world.run("--json", *args)
        for line in done.stdout.splitlines():
            if '"error": {' in line or '"error":{' in line:
                return done.returncode, line
        return done.returncode, done.stdout

    def test_a_longer_minimum_makes_a_longer_password(self):
        self.client("pro", minPasswordLength=28, complexityEnabled=True)
        self.world.run("role", "adopt", self.address, check=0)
        password = self.world.run("show", self.address, "--reveal", check=0).stdout.splitlines()[0]
        self.assertEqual(len(password), 29)
        self.assertEqual(password, self.world.in_force(self.address))

    def test_the_minimum_age_refuses_before_any_candidate_is_made(self):
        self.client("exchange", minPasswordAge=3)
        self.world.run("role", "adopt", self.address, check=0)
        before = self.world.versions(self.address)
        self.world.control("DELETE", "/log")
        code, line = self.error("rotate", self.address)
        self.assertEqual(code, 13)
        self.assertIn("no new password before", line)
        self.assertEqual(self.world.versions(self.address), before)
        self.assertEqual(self.world.role(self.address)["state"], "stable")
        self.assertNotIn("POST", str(self.world.control("GET", "/log")))
        self.assertEqual(self.world.run("rotate", "-n", self.address).returncode, 13)

    def test_nothing_is_sent_while_the_library_that_reads_the_answer_is_missing(self):
        self.client("pro")
        self.world.run("role", "adopt", self.address, check=0)
        before = self.world.versions(self.address)
        self.world.control("DELETE", "/log")
        with tempfile.TemporaryDirectory() as folder:
            # Found before the system's, and no library.
            with open(os.path.join(folder, "libjansson.so.4"), "w"):
                pass
            done = self.world.run("rotate", self.address,
                                  env=self.world.env(LD_LIBRARY_PATH=folder))
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("cannot load the library libjansson", done.stderr)
        self.assertIn("libjansson4", done.stderr)
        self.assertEqual(self.world.control("GET", "/log")["log"], [])
        self.assertEqual(self.world.versions(self.address), before)
        self.assertEqual(self.world.role(self.address)["state"], "stable")

    def test_the_maximum_age_is_told(self):
        self.client("pro", maxPasswordAge=10)
        self.world.run("role", "adopt", self.address, check=0)
        self.assertIsNotNone(self.world.role(self.address)["expires_at"])
        self.assertEqual(self.world.json("status")["roles"]["ending"], 1)

    def test_a_lock_at_the_first_refused_login_is_refused(self):
        self.client("pro", lockoutThreshold=1)
        self.assertEqual(self.world.run("role", "adopt", self.address).returncode, 13)

    def test_refused_logins_stay_below_the_lock_out(self):
        self.client("pro", lockoutThreshold=3, lockoutObservationWindow=30, lockoutDuration=30)
        self.world.run("role", "adopt", self.address, check=0)
        self.world.run("rotate", self.address, check=0)
        self.world.control("POST", "/password", {"address": self.address,
                                                 "password": "Somebody-Else-77"})
        for _ in range(4):
            self.world.run("verify", self.address)
        self.world.control("POST", "/password", {
            "address": self.address,
            "password": self.world.run("show", self.address, "--reveal").stdout.splitlines()[0]})
        state = str(self.world.control("GET", "/state?address=" + self.address))
        self.assertNotIn("'locked': True", state)

    def test_without_a_free_slot_nothing_is_created(self):
        for family in ("mxplan-owa", "zimbra"):
            with self.subTest(family):
                world = self.world
                domain = family + ".example"
                world.seed_service(family, domain, free_slots=0)
                world.add_client([domain], client=family)
                code, line = self.error("role", "add", "new@" + domain)
                self.assertEqual(code, 8)
                self.assertIn("no free slot", line)
                self.assertEqual(world.run("role", "ls", "new@" + domain).returncode, 4)

    def test_a_change_from_outside_is_drift(self):
        self.client("pro")
        self.world.run("role", "adopt", self.address, check=0)
        self.world.run("verify", self.address, check=0)
        import time
        time.sleep(1.1)  # OVH's dates have whole seconds
        self.world.control("POST", "/password", {"address": self.address,
                                                 "password": "Somebody-Else-77"})
        found = [row for row in self.world.json("ovh", "inventory", "essai")["findings"]
                 if row["subject"] == self.address and row["kind"] == "mailbox"]
        self.assertEqual(found[0]["state"], "changed")
        line = self.world.lines("verify", self.address)[0]
        self.assertEqual(line["result"], "refused")
        self.assertTrue(line["drifted"])
        self.assertIn("after ours", line["error"]["message"])

    def test_the_date_of_ovh_stands_with_the_evidence(self):
        self.client("mxplan-owa")
        self.world.run("role", "adopt", self.address, check=0)
        self.assertIsNotNone(self.world.role(self.address)["ovh_changed_at"])
        log = str(self.world.json("log"))
        self.assertIn("OVH says changed on", log)

    def test_delegations_and_redirections_are_in_the_inventory(self):
        world = self.world
        world.control("POST", "/seed", {"services": [
            {"family": "pro", "nic": world.ready["nic"], "domains": ["a.example"],
             "accounts": [{"name": "box", "password": "First-Pass-0-word",
                           "fullAccess": ["jp@a.example"], "sendAs": ["jp@a.example"]},
                          {"name": "jp", "password": "First-Pass-1-word"}]},
            {"family": "zimbra", "nic": world.ready["nic"], "domains": ["b.example"],
             "redirections": [{"from": "info@b.example", "to": "x@evil.example"}]}]})
        world.add_client(["a.example", "b.example"])
        found = {(row["kind"], row["subject"], row["detail"].split(",")[0], row["external"])
                 for row in world.json("ovh", "inventory", "essai")["findings"]}
        self.assertIn(("delegation", "box@a.example", "fullAccess: jp@a.example", False), found)
        self.assertIn(("delegation", "box@a.example", "sendAs: jp@a.example", False), found)
        self.assertIn(("redirection", "info@b.example", "x@evil.example", True), found)

    def test_where_several_services_have_room_one_is_named(self):
        world = self.world
        world.seed_service("pro", "a.example")
        world.seed_service("zimbra", "a.example", mailboxes=("other",))
        world.add_client(["a.example"])
        self.assertEqual(world.run("role", "add", "new@a.example").returncode, 2)
        world.run("role", "add", "--on", "zimbra", "new@a.example", check=0)
        self.assertEqual(world.role("new@a.example")["backend"], "zimbra")
        world.run("rotate", "*@a.example", check=0)

    def seed(self, family, domain, free_slots):
        if family == "domain":
            self.world.control("POST", "/seed", {"domains": [
                {"domain": domain, "nic": self.world.ready["nic"],
                 "accounts": [{"name": "box", "password": "First-Pass-0-word"}]}]})
        elif family == "exchange-own":
            self.world.seed_service("exchange", domain, free_slots=0, offer="provider")
        else:
            self.world.seed_service(family, domain, free_slots=free_slots)

    def test_a_key_with_exactly_the_least_rules_does_all_the_work(self):
        world = self.world
        for family in ROOTS:
            with self.subTest(family):
                domain = family + ".example"
                boxes = [f"{name}@{domain}" for name in ("box", "one", "two", "three")]
                self.seed(family, domain, free_slots=3)
                world.allow(least_rules(family, domain))
                found = world.add_client([domain], client=family, wide=False)
                self.assertEqual((found["missing"], found["wide"]), (0, False), found)
                world.run("role", "adopt", boxes[0], check=0)
                world.run("role", "add", *boxes[1:], check=0)
                world.run("rotate", "*@" + domain, check=0)
                world.run("verify", "*@" + domain, check=0)
                for box in boxes:
                    password = world.run("show", box, "--reveal", check=0).stdout.splitlines()[0]
                    self.assertEqual(password, world.in_force(box))
                managed = {row["subject"] for row in world.json("ovh", "inventory", family)["findings"]
                           if row["kind"] == "mailbox" and row["state"] == "managed"}
                self.assertEqual(managed, set(boxes))

    def test_mailboxes_that_are_made_at_once_take_a_slot_each(self):
        world = self.world
        for family in ("mxplan-owa", "pro", "exchange", "zimbra"):
            with self.subTest(family):
                domain = family + ".example"
                new = [f"new{i}@{domain}" for i in range(4)]
                world.seed_service(family, domain, free_slots=4)
                world.add_client([domain], client=family)
                world.run("role", "add", "--jobs", "16", *new, check=0)
                for box in new:
                    password = world.run("show", box, "--reveal", check=0).stdout.splitlines()[0]
                    self.assertEqual(password, world.in_force(box))


if __name__ == "__main__":
    BUILD = sys.argv.pop()
    unittest.main()
