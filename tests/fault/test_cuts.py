#!/usr/bin/env python3
"""Every access that the simulator knows is found, cut and gone, on good days and on bad
ones; only what has no call for it stays, and what the walk itself works with.

    test_cuts.py SWEEP_PROBE PASSATION_SIM
"""

import os
import subprocess
import sys
import unittest

PROBE, os.environ["PASSATION_SIM"] = sys.argv[1:3]
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "sim"))

import simlib  # noqa: E402 (it reads the environment)

NIC = "xy000000-ovh"
OTHER = "ab12345-ovh"
DAY_S = 86400

SEED = {
    "nics": [{"nichandle": OTHER}],
    "hosting": [{"nic": NIC, "service": "h.example", "contacts": {"tech": OTHER}}],
    "oauth2_clients": [{"nic": NIC, "client_id": "agence", "client_secret": "s"}],
    "sub_accounts": [{"nic": NIC, "description": "agence", "age": DAY_S}],
    "users": [
        {"nic": NIC, "login": NIC, "type": "ROOT"},
        {"nic": NIC, "login": "jp", "email": "jp@agence.example", "age": DAY_S,
         "tokens": [{"name": "ci"}]},
    ],
    "policies": [
        {"nic": NIC, "name": "agence", "permissions": {"allow": [{"action": "*"}]},
         "identities": ["urn:v1:eu:identity:account:" + OTHER]},
        {"nic": NIC, "name": "admin", "readOnly": True},
    ],
    "services": [
        {"family": "pro", "nic": NIC, "service": "pro-1", "domains": [simlib.DOMAIN],
         "contacts": {"tech": OTHER},
         "accounts": [{"name": "anne", "password": "Pain-de-campagne-2019"},
                      {"name": "pro", "password": "Pain-de-campagne-2019",
                       "fullAccess": ["anne@" + simlib.DOMAIN],
                       "sendAs": ["anne@" + simlib.DOMAIN],
                       "sendOnBehalfTo": ["anne@" + simlib.DOMAIN]}]},
        {"family": "exchange", "nic": NIC, "service": "ex-1", "organization": "ex-1",
         "domains": [simlib.DOMAIN],
         "accounts": [{"name": "boss", "password": "Pain-de-campagne-2019",
                       "forwardingEmail": "jp@agence.example"}]},
        {"family": "zimbra", "nic": NIC, "domains": [simlib.DOMAIN],
         "redirections": [{"from": "z@" + simlib.DOMAIN, "to": "jp@agence.example"}]},
    ],
}
MODERATOR = {"email": "jp@agence.example"}


class Cuts(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = simlib.Sim("--no-imap", "--task-delay", "86400000")

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def setUp(self):
        self.sim.reset(task_delay_ms=DAY_S * 1000, slot_delay_ms=0)
        self.sim.order("POST", "/seed", SEED)
        at = "/email/domain/" + simlib.DOMAIN
        self.sim.call("POST", at + "/mailingList/equipe/moderator", MODERATOR)
        self.run_tasks()

    def run_tasks(self):
        self.sim.order("POST", "/task/run")

    def probe(self, *ids):
        command = [PROBE, self.sim.endpoint, self.sim.ready["ca"],
                   self.sim.ready["config"], simlib.DOMAIN, *ids]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line.split("\t") for line in done.stdout.splitlines()]

    def findings(self):
        names = ("id", "danger", "own", "whose", "since", "method", "path")
        return {row[0]: dict(zip(names, row)) for row in self.probe()}

    def cut(self, *ids):
        return {row[0]: row[1:] for row in self.probe(*ids)}

    def decide(self):
        """Both sides agree to all changes of contacts that wait."""
        for task in self.sim.order("GET", "/state")["contact_changes"].values():
            if task["state"] == "validatingByCustomers":
                for nic in task["_tokens"]:
                    order = {"id": task["id"], "nic": nic, "answer": "accept"}
                    self.sim.order("POST", "/contact", order)

    def test_each_kind_of_access_is_found(self):
        found = self.findings()
        kinds = {}
        for name in found:
            kinds.setdefault(name.split(":")[0], []).append(name)
        wanted = {
            "account_mail": 1, "acl": 1, "api_application": 2, "api_key": 2, "contact": 5,
            "delegation": 4, "filter": 1, "iam_policy": 2, "iam_token": 1, "iam_user": 1,
            "mailbox": 5, "moderator": 1, "oauth_client": 1, "redirection": 4, "responder": 1,
            "sub_account": 1, "subscriber": 1,
        }
        self.assertEqual({kind: len(names) for kind, names in kinds.items()}, wanted)
        for name, row in found.items():
            self.assertEqual(row["own"], str(int(name in (
                "api_key:498601349", "api_application:105668"))), name)
        for kind in ("iam_user", "iam_token", "sub_account", "oauth_client", "iam_policy"):
            self.assertGreater(int(found[kinds[kind][0]]["since"]), 0, kind)
        for name in kinds["delegation"]:
            self.assertEqual(int(found[name]["since"]) > 0, "pro@" in name, name)
        self.assertEqual(found["api_key:301774020"]["danger"], "danger")
        log = self.sim.order("GET", "/log")["log"]
        self.assertEqual({row["status"] for row in log if row["method"] == "GET"}, {200})

    def test_all_that_can_be_cut_is_gone_in_the_end(self):
        found = self.findings()
        cuttable = [name for name, row in found.items() if row["method"]]
        states = self.cut(*cuttable)
        busy = {name for name, state in states.items() if state[0] == "7"}
        self.assertEqual({name.split(":")[0] for name in busy}, {"delegation"})
        at_once = ("acl", "api_application", "api_key", "iam_policy", "iam_token",
                   "iam_user", "oauth_client")
        for name, state in states.items():
            kind = name.split(":")[0]
            if name.endswith("forwarding"): # carried out beside the answer
                self.assertIn(state[0], ("gone", "under_way"), name)
            elif kind in at_once:
                self.assertEqual(state[0], "gone", name)
            elif kind == "contact":
                self.assertEqual(state[0], "waiting", name)
                self.assertGreater(int(state[1]), 0, name)
            elif kind in ("redirection", "filter", "responder", "moderator", "subscriber"):
                self.assertEqual(state[0], "under_way", name)
        # The rights on one mailbox go one after the other: each is a task that holds it.
        self.decide()
        for _ in range(4):
            self.run_tasks()
            self.cut(*[name for name, row in self.findings().items() if row["method"]])
        left = {name for name, row in self.findings().items()}
        self.assertEqual(left, {name for name, row in found.items() if not row["method"]})
        self.assertEqual({name.split(":")[0] for name in left},
                         {"account_mail", "api_application", "api_key", "iam_policy",
                          "mailbox", "sub_account"})

    def test_a_lost_answer_is_settled(self):
        victims = ["api_key:301774020", "iam_user:jp", "acl:%s:%s" % (simlib.DOMAIN, OTHER)]
        self.sim.fault("lost_after", method="DELETE", times=3)
        for state in self.cut(*victims).values():
            self.assertEqual(state[0], "gone")
        self.sim.fault("lost_before", method="DELETE")
        state = self.cut("oauth_client:agence")["oauth_client:agence"]
        self.assertEqual(state[0], "9")
        state = self.cut("oauth_client:agence")["oauth_client:agence"]
        self.assertEqual(state[0], "gone")

    def test_a_task_that_fails_in_silence_is_seen(self):
        name = "responder:ancien@" + simlib.DOMAIN
        self.sim.fault("task_silent_fail", method="DELETE")
        self.assertEqual(self.cut(name)[name][0], "under_way")
        self.run_tasks()
        self.assertIn(name, self.findings())
        self.assertEqual(self.cut(name)[name][0], "under_way")
        self.run_tasks()
        self.assertNotIn(name, self.findings())

    def test_a_key_that_may_only_read_says_so(self):
        rules = [{"method": "GET", "path": "/*"}]
        change = {"consumer_key": self.sim.consumer, "rules": rules}
        self.sim.order("POST", "/set", {"credential": change})
        for name, row in self.findings().items():
            if row["method"]:
                state = self.cut(name)[name]
                self.assertEqual(state[0], "8", name)
                self.assertIn("no rule", state[1])

    def test_the_default_key_finds_what_it_may_read(self):
        paths = ("/me", "/me/api/*", "/auth/*", "/email/*")
        rules = [{"method": "GET", "path": path} for path in paths]
        change = {"consumer_key": self.sim.consumer, "rules": rules}
        self.sim.order("POST", "/set", {"credential": change})
        unreadable = {name for name in self.findings() if name.startswith("unreadable:")}
        self.assertEqual(unreadable, {"unreadable:" + path for path in (
            "/domain/%s/serviceInfos" % simlib.DOMAIN,
            "/domain/zone/%s/serviceInfos" % simlib.DOMAIN, "/hosting/web",
            "/me/identity/user", "/me/subAccount", "/v2/iam/policy",
            "/v2/zimbra/platform")})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
