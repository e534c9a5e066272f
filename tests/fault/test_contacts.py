"""Contacts handed over, and our own access ended, against the simulator: each call of OVH's
lost before and after its effect.

    test_contacts.py BUILD
"""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "support"))
from world import World  # noqa: E402

CLIENT, DOMAIN, NEW = "essai", "essai.example", "cl000000-ovh"
RECORDS = [
    {"fieldType": "MX", "target": "1 mx0.mail.ovh.net."},
    {"fieldType": "TXT", "ttl": 600, "target": '"v=spf1 include:mx.ovh.com ~all"'},
    {"fieldType": "CNAME", "subDomain": "www", "target": DOMAIN + "."},
]


class Contacts(unittest.TestCase):
    def setUp(self):
        self.world = World(BUILD).__enter__()
        self.addCleanup(self.world.__exit__)
        self.world.run("init", check=0)
        nic = self.world.ready["nic"]
        self.world.control("POST", "/seed", {
            "nics": [{"nichandle": NEW}, {"nichandle": "pp000000-ovh", "unpaid": True}],
            "hosting": [{"nic": nic, "service": "h.example"}],
            "domains": [{"domain": DOMAIN, "nic": nic, "records": RECORDS}]})
        self.world.add_client([DOMAIN])
        self.link_cut()
        self.vault = os.path.join(self.world.home, "data", "passation", "vault.db")

    def link_cut(self):
        """A second key with just the rules that passation asks for."""
        self.world.run("ovh", "link", CLIENT, "--for", "cut", "--wait", "0s", check=10)
        state = self.world.control("GET", "/state")
        self.cut = next(row["_key"] for row in state["credentials"].values()
                        if row["status"] == "pendingValidation")
        self.world.control("POST", "/credential/approve",
                           {"consumer_key": self.cut, "nic": self.world.ready["nic"]})
        self.world.run("ovh", "link", CLIENT, "--for", "cut", "--wait", "0s", check=0)

    def probe(self, *args, stdin="", check=0):
        done = subprocess.run(
            [os.path.join(BUILD, "tests", "contact_probe"), self.vault, self.world.identity,
             self.world.ready["ca"], CLIENT, *args],
            input=stdin, capture_output=True, text=True, timeout=60, env=self.world.env())
        if check is not None and done.returncode != check:
            raise AssertionError(f"{args}: {done.returncode}\n{done.stdout}{done.stderr}")
        self.said = done.stderr
        return [line.split("\t") for line in done.stdout.splitlines()]

    def changes(self):
        return self.world.control("GET", "/state")["contact_changes"]

    def lose(self, kind, method, path, nth=1):
        self.world.control("DELETE", "/faults")
        self.world.control("POST", "/faults", {"kind": kind, "method": method, "path": path,
                                               "nth": nth})

    # Contacts.

    def test_every_service_changes_hands(self):
        nic = self.world.ready["nic"]
        rows = self.probe("services")
        self.assertEqual([row[:2] for row in rows], [
            ["domain", DOMAIN], ["zone", DOMAIN], ["mail", DOMAIN], ["hosting", "h.example"]])
        asked = self.probe("request", NEW)
        self.assertEqual({row[3] for row in asked}, {"waiting"})
        self.assertEqual(self.probe("request", NEW), asked)
        for number, task in self.changes().items():
            self.probe("accept", number, stdin="wrong", check=8)
            self.probe("accept", number, stdin=task["_tokens"][nic])
            self.world.control("POST", "/contact", {"id": int(number), "nic": NEW,
                                                    "answer": "accept"})
        self.world.control("POST", "/task/run")
        self.assertEqual({row[3] for row in self.probe("look")}, {"done"})
        self.assertEqual(self.probe("look"), [])
        self.assertEqual({tuple(row[2:]) for row in self.probe("services")}, {(NEW,) * 3})
        self.assertEqual([row[:3] for row in self.probe("history")],
                         [row[:3] for row in asked])

    def test_a_lost_answer_is_looked_for(self):
        for kind in ("lost_before", "lost_after"):
            for nth in range(1, 5):
                self.setUp()
                self.lose(kind, "POST", "*/changeContact", nth)
                self.probe("request", NEW, check=None)
                self.world.control("DELETE", "/faults")
                self.assertEqual(len(self.probe("request", NEW)), 4, (kind, nth))
                self.assertEqual(len(self.changes()), 4, (kind, nth))
                kinds = {task["_service"].split("/")[0] for task in self.changes().values()}
                self.assertEqual(kinds, {row[1] for row in self.probe("history")})

    def test_a_bill_refuses_and_is_advised_on(self):
        rows = self.probe("request", "pp000000-ovh")
        self.assertEqual({row[3] for row in rows}, {"refused"})
        self.probe("request", "nobody-ovh", check=8)
        self.assertIn("same region", self.said)

    def test_a_zone_is_kept_as_a_file(self):
        text = ["\t".join(row) for row in self.probe("zone", DOMAIN)]
        self.assertEqual(text, [
            f"$ORIGIN {DOMAIN}.", "$TTL 3600", "@ IN MX 1 mx0.mail.ovh.net.",
            '@ 600 IN TXT "v=spf1 include:mx.ovh.com ~all"',
            f"www IN CNAME {DOMAIN}."])
        self.assertEqual(self.probe("facts", DOMAIN), [["1", "1", "ok"]])

    # Our own access.

    def left(self):
        state = self.world.control("GET", "/state")
        return {row["_key"] for row in state["credentials"].values() if not row.get("_revoked")}

    def test_our_own_access_ends(self):
        listed = self.probe("own")
        self.assertEqual(listed[-1], ["api_application:105668", "1", "0"])
        row = self.probe("revoke")[0]
        self.assertEqual(row[2], "0")
        self.assertIn("INVALID_KEY", row[3])
        self.assertFalse(self.left() & {self.cut, self.world.ready["consumer_key"]})
        self.assertEqual(self.probe("revoke")[0][2], "1")

    def test_a_lost_removal_is_finished(self):
        for kind in ("lost_before", "lost_after"):
            for nth in (1, 2):
                self.setUp()
                self.lose(kind, "DELETE", "/me/*", nth)
                self.probe("revoke", check=None)
                self.world.control("DELETE", "/faults")
                self.probe("revoke")
                self.assertFalse(self.left() & {self.cut, self.world.ready["consumer_key"]})


if __name__ == "__main__":
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
