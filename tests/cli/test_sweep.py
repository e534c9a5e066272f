#!/usr/bin/env python3
"""The sweep over the real binary: who can still get in whatever the passwords are, what is kept,
what is removed, and what is new since.

    test_sweep.py BUILD
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.world import World  # noqa: E402

BUILD = sys.argv.pop(1)
CLIENT = "martin"
DOMAIN = "boulangerie-martin.fr"
LEAK = "claire.martin@example.org"


class Sweeps(unittest.TestCase):
    """Each on the simulator's own account, which has one of many kinds."""

    def setUp(self):
        self.world = world = World(BUILD).__enter__()
        self.addCleanup(world.__exit__)
        world.run("init", check=0)
        world.run("client", "add", CLIENT, "--nic", world.ready["nic"], "--domain", DOMAIN,
                  "--endpoint", world.ready["endpoint"], "--imap", world.ready["imap"],
                  "--rate", "0", check=0)
        world.run("ovh", "link", CLIENT, "--config", world.config, "--accept-wide", check=0)
        world.allow_all()
        world.control("POST", "/set", {"task_delay_ms": 0})

    def sweep(self, *args, check=12):
        done = self.world.run("-y", "--json", "sweep", CLIENT, *args, check=check)
        return json.loads(done.stdout.splitlines()[0]), done.stderr

    def findings(self, *args, check=12):
        return {row["id"]: row for row in self.sweep(*args, check=check)[0]["findings"]}

    def pending(self, findings):
        return {key for key, row in findings.items()
                if not row["own"] and row["danger"] != "info"
                and row["state"] in ("open", "cutting")}

    def orders(self):
        return len([row for row in self.world.control("GET", "/log")["log"]
                    if row["method"] in ("DELETE", "PUT", "POST")])

    def redirections(self):
        return {row["to"] for row in
                self.world.control("GET", "/state")["domains"][DOMAIN]["redirections"].values()}

    def one(self, findings, kind, **fields):
        rows = [row for row in findings.values() if row["kind"] == kind
                and all(row[name] == value for name, value in fields.items())]
        self.assertEqual(len(rows), 1, (kind, fields, rows))
        return rows[0]

    def test_each_access_says_whose_it_is_how_bad_and_what_removes_it(self):
        found = self.findings()
        leak = self.one(found, "redirection", whose=LEAK)
        self.assertEqual((leak["danger"], leak["state"], leak["new"], leak["external"]),
                         ("danger", "open", True, True))
        self.assertEqual(leak["removal"]["method"], "DELETE")
        inside = self.one(found, "redirection", danger="info")
        self.assertFalse(inside["external"])
        self.assertEqual(self.one(found, "delegation")["whose"], "ab12345-ovh")
        self.assertTrue(self.one(found, "account_mail")["removal"]["obstacle"])
        own = self.one(found, "api_key", own=True)
        self.assertEqual(own["state"], "open")
        for kind in ("contact", "filter", "acl", "api_key", "api_application", "subscriber"):
            self.assertTrue([row for row in found.values() if row["kind"] == kind], kind)

    def test_what_is_kept_stays_and_needs_no_second_judgement(self):
        found = self.findings()
        leak = self.one(found, "redirection", whose=LEAK)["id"]
        again = self.findings("--keep", leak)
        self.assertEqual((again[leak]["state"], again[leak]["new"], again[leak]["decided_by"]),
                         ("kept", False, "me"))
        self.assertNotIn(leak, self.pending(again))
        self.assertEqual(self.pending(found) - self.pending(again), {leak})
        self.findings("--all")
        self.assertIn(LEAK, self.redirections())

    def test_what_is_cut_is_gone_at_ovh_and_nothing_else_is(self):
        before = self.redirections()
        leak = self.one(self.findings(), "redirection", whose=LEAK)["id"]
        after = self.findings("--cut", leak)
        end = time.monotonic() + 60  # OVH's task may not have run yet when it looks again
        while after.get(leak, {}).get("state") == "cutting" and time.monotonic() < end:
            after = self.findings()
        self.assertEqual(self.redirections(), before - {LEAK})
        self.assertEqual(after.get(leak, {"state": "gone"})["state"], "gone")
        log = [row["event"] for row in self.world.json("log")["log"]]
        self.assertLess(log.index("access.cut"), log.index("access.gone"))

    def test_all_removes_what_nobody_kept_and_leaves_what_stays_inside(self):
        inside = self.one(self.findings(), "redirection", danger="info")
        left = self.findings("--all")
        self.assertEqual(left[inside["id"]]["state"], "open")
        self.assertEqual(self.redirections(), {inside["whose"]})
        for key in self.pending(left):
            self.assertTrue(left[key]["state"] == "cutting" or left[key]["removal"]["obstacle"],
                            left[key])
        self.assertTrue(self.one(left, "api_key", own=True))
        self.assertEqual(self.world.run("ovh", "inventory", CLIENT).returncode, 0)

    def test_all_lists_what_it_will_remove_and_removes_nothing_unless_somebody_says_yes(self):
        found = self.findings()
        leak = self.one(found, "redirection", whose=LEAK)["id"]
        keep = self.one(found, "delegation")["id"]
        before = self.redirections()
        done = self.world.run("sweep", CLIENT, "--keep", keep, "--all", check=2)
        self.assertIn("-y", done.stderr)
        self.assertIn(leak, done.stderr)
        self.assertNotIn(keep, done.stderr)
        self.assertEqual(self.redirections(), before)
        after = self.findings()
        self.assertEqual({after[key]["state"] for key in self.pending(found)}, {"open"})
        self.assertEqual([row for row in self.world.json("log")["log"]
                          if row["event"] in ("access.cut", "access.kept")], [])

    def test_what_ovh_is_removing_is_neither_asked_about_nor_ordered_again(self):
        self.world.control("POST", "/set", {"task_delay_ms": 3600000})
        self.findings("--all")
        under_way = {key for key, row in self.findings().items() if row["state"] == "cutting"}
        self.assertTrue(under_way)
        said = self.world.run("sweep", CLIENT, check=12).stderr
        self.assertIn(f"{len(under_way)} more", said)
        self.assertFalse([key for key in under_way if f"--keep {key}" in " ".join(said.split())])
        orders = self.orders()
        said = self.world.run("-y", "sweep", CLIENT, "--all", check=12).stderr
        self.assertFalse([key for key in under_way if key in said], said)
        self.assertEqual(self.orders(), orders)
        for key in self.pending(self.findings()) - under_way:
            self.findings("--keep", key)
        said = self.world.run("sweep", CLIENT, check=12).stderr
        self.assertIn("being removed by OVH", said)
        self.assertIn(f"passation sweep {CLIENT}", said)
        self.assertNotIn("--keep", said)

    def test_the_advice_names_one_that_can_be_removed(self):
        self.world.allow([("GET", "/auth/*"), ("GET", "/me"), ("GET", "/email/domain*")])
        found = self.findings()
        said = " ".join(self.world.run("sweep", CLIENT, check=12).stderr.split())
        named = re.search(r"passation sweep martin --keep ([^ ;]+)", said).group(1)
        self.assertTrue(found[named]["removal"]["method"], named)
        for key in self.pending(found):
            if found[key]["removal"]["method"]:
                self.findings("--keep", key)
        said = " ".join(self.world.run("sweep", CLIENT, check=12).stderr.split())
        self.assertIn("--keep unreadable:", said)
        self.assertNotIn("--cut", said)

    def test_a_list_of_what_goes_has_no_blanks_at_its_ends(self):
        said = self.world.run("sweep", CLIENT, "--all", check=2).stderr
        self.assertEqual(re.findall(r"(?m) +$", said), [])

    def test_a_kept_access_that_changes_hands_is_to_be_judged_anew(self):
        world, contact = self.world, f"contact:{DOMAIN}:tech"
        self.assertEqual(self.findings()[contact]["whose"], "ab12345-ovh")
        self.assertEqual(self.findings("--keep", contact)[contact]["state"], "kept")
        self.assertEqual(self.findings()[contact]["state"], "kept")
        world.control("POST", "/seed", {"nics": [{"nichandle": "cd98765-ovh"}], "domains": [
            {"domain": DOMAIN, "nic": world.ready["nic"], "contacts": {"tech": "cd98765-ovh"}}]})
        now = self.findings()[contact]
        self.assertEqual((now["whose"], now["state"], now["new"]), ("cd98765-ovh", "open", True))

    def test_ids_that_no_sweep_showed_are_refused_and_nothing_is_kept(self):
        leak = self.one(self.findings(), "redirection", whose=LEAK)["id"]
        for option in ("--keep", "--cut"):
            done = self.world.run("sweep", CLIENT, option, leak, option, "redirection:1",
                                  check=4)
            self.assertIn("redirection:1", done.stderr)
        self.assertEqual(self.findings()[leak]["state"], "open")
        self.assertIn(LEAK, self.redirections())

    def test_the_key_that_passation_works_with_is_not_cut(self):
        own = self.one(self.findings(), "api_key", own=True)["id"]
        self.world.run("sweep", CLIENT, "--cut", own, check=13)
        self.findings()

    def second_key(self):
        self.world.run("ovh", "link", CLIENT, "--for", "cut", "--config",
                       self.world.other_key("secondconsumerkeyforthecuts00001"), "--accept-wide",
                       check=0)

    def test_neither_of_our_two_keys_cuts_the_other(self):
        self.second_key()
        found = self.findings()
        ours = {key for key, row in found.items() if row["own"]}
        self.assertEqual(len([key for key in ours if key.startswith("api_key:")]), 2)
        self.assertEqual(len([key for key in ours if key.startswith("api_application:")]), 1)
        left = self.findings("--all")
        self.assertEqual({key for key in ours if left[key]["state"] != "open"}, set())
        self.assertNotIn(LEAK, self.redirections())
        self.world.run("ovh", "inventory", CLIENT, check=0)

    def neighbour(self, config):
        """Another client in the same account."""
        ready = self.world.ready
        self.world.run("client", "add", "leroy", "--nic", ready["nic"].upper(), "--domain",
                       "menuiserie-leroy.fr", "--endpoint", ready["endpoint"], "--imap",
                       ready["imap"], "--rate", "0", check=0)
        self.world.run("ovh", "link", "leroy", "--config", config, "--accept-wide", check=0)

    def test_the_key_of_another_client_in_the_account_is_not_cut(self):
        before = {key for key, row in self.findings().items() if row["kind"] == "api_key"}
        self.neighbour(self.world.other_key("consumerkeyofanotherclient00001"))
        found = self.findings()
        self.assertEqual([row["id"] for row in found.values() if row["own"]
                          and row["kind"] == "api_key"],
                         [row for row in before if found[row]["own"]])
        theirs = self.one(found, "api_key", elsewhere=True)
        self.assertNotIn(theirs["id"], before)
        self.assertEqual((theirs["danger"], theirs["removal"]["method"]), ("info", None))
        self.assertIn("ours, for another client", self.world.run("sweep", CLIENT).stdout)
        left = self.findings("--all")
        self.assertEqual(left[theirs["id"]]["state"], "open")
        self.world.run("-y", "sweep", CLIENT, "--cut", theirs["id"], check=13)
        self.world.run("ovh", "inventory", "leroy", check=0)

    def test_a_key_of_another_client_that_will_not_tell_what_it_is_is_not_cut_unnamed(self):
        key = "consumerkeyofanotherclient00001"
        self.neighbour(self.world.other_key(key))
        theirs = self.one(self.findings(), "api_key", elsewhere=True)["id"]
        self.world.control("POST", "/set", {"credential": {"consumer_key": key, "rules": [
            {"method": "GET", "path": "/me"}]}})
        self.assertEqual(self.findings("--all")[theirs]["state"], "open")
        self.assertIn(f"{theirs}: it may be a key of ours",
                      self.world.run("sweep", CLIENT, check=12).stderr)
        self.assertNotIn(LEAK, self.redirections())

    def test_a_key_of_another_client_that_ovh_has_ended_keeps_nothing_back(self):
        key = "consumerkeyofanotherclient00001"
        self.neighbour(self.world.other_key(key))
        theirs = self.one(self.findings(), "api_key", elsewhere=True)["id"]
        self.world.control("POST", "/set", {"credential": {"consumer_key": key,
                                                           "revoked": True}})
        self.assertEqual(self.findings().get(theirs, {"state": "gone"})["state"], "gone")

    def test_a_key_that_may_not_remove_says_what_to_ask_for_and_nothing_is_lost(self):
        leak = self.one(self.findings(), "redirection", whose=LEAK)["id"]
        self.world.allow([("GET", "/*")])
        done = self.world.run("sweep", CLIENT, "--cut", leak, check=8)
        self.assertIn(f"passation ovh link {CLIENT} --for cut", done.stderr)
        self.assertEqual(self.findings()[leak]["state"], "open")
        self.assertIn(LEAK, self.redirections())

    def test_a_part_that_is_not_shown_any_more_hides_nothing_that_was_seen(self):
        found = self.findings()
        self.world.allow([("GET", "/auth/*"), ("GET", "/me"), ("GET", "/email/domain*")])
        now = self.findings()
        key = self.one(found, "api_key", own=False)["id"]
        self.assertEqual(now[key]["state"], "open")
        self.assertTrue([row for row in now.values() if row["kind"] == "unreadable"])

    def test_a_run_that_is_killed_in_the_middle_is_settled_by_the_next_sweep(self):
        leak = self.one(self.findings(), "redirection", whose=LEAK)["id"]
        self.world.control("POST", "/faults", {"method": "DELETE", "path": "*/redirection/*",
                                               "kind": "stall_after", "times": 1})
        run = subprocess.Popen(self.world.command("sweep", CLIENT, "--cut", leak),
                               env=self.world.env(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        end = time.monotonic() + 20
        while time.monotonic() < end and not [
                row for row in self.world.control("GET", "/log")["log"]
                if row["method"] == "DELETE"]:
            time.sleep(0.05)
        run.send_signal(signal.SIGKILL)
        run.wait()
        self.assertEqual(self.world.json("log")["log"][-1]["event"], "access.cut")
        now = self.findings()
        self.assertEqual(now[leak]["state"], "gone")
        self.assertNotIn(LEAK, self.redirections())

    def test_the_mailboxes_of_the_vault_are_named_with_what_nobody_can_see(self):
        self.world.run("role", "adopt", "contact@" + DOMAIN, check=0)
        told = self.sweep()[0]["unseen"]
        self.assertEqual([row["address"] for row in told], ["contact@" + DOMAIN])
        self.assertIn("contact@" + DOMAIN, self.world.run("sweep", CLIENT).stdout)

    def test_a_rekey_and_a_backup_keep_what_was_judged(self):
        leak = self.one(self.findings(), "redirection", whose=LEAK)["id"]
        self.findings("--keep", leak)
        self.world.run("rekey", "--recovery-out", os.path.join(self.world.home, "code"), check=0)
        self.assertEqual(self.findings()[leak]["state"], "kept")
        self.world.run("backup", os.path.join(self.world.home, "copy.db"), check=0)
        self.world.run("client", "rm", CLIENT, check=0)
        self.world.run("log", "--verify", check=0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
