"""What survives a change of password: it is listed, removed by a task or at once, and only
by a key that has the rule for it."""

import http.client
import json
import unittest
import urllib.parse

import simlib

AT = "/email/domain/" + simlib.DOMAIN
NIC = "xy000000-ovh"
OTHER = "ab12345-ovh"
ACTION = "emailDomain:apiovh:account/get"

SEED = {
    "nics": [{"nichandle": OTHER}],
    "hosting": [{"nic": NIC, "service": "h.example", "contacts": {"tech": OTHER}}],
    "oauth2_clients": [{"nic": NIC, "client_id": "agence", "client_secret": "s"}],
    "sub_accounts": [{"nic": NIC, "description": "agence", "age": 86400}],
    "users": [
        {"nic": NIC, "login": NIC, "type": "ROOT"},
        {"nic": NIC, "login": "jp", "tokens": [{"name": "ci", "expiration": 3600}]},
        {"nic": OTHER, "login": "anne"},
    ],
    "policies": [
        {
            "nic": NIC,
            "name": "agence",
            "identities": ["urn:v1:eu:identity:credential:%s/oauth2-agence" % NIC],
            "permissions": {"allow": [{"action": "emailDomain:apiovh:*"}]},
        },
        {"nic": NIC, "name": "admin", "readOnly": True},
        {"nic": OTHER, "name": "other"},
    ],
}


class Accesses(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = simlib.Sim("--no-imap")

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def setUp(self):
        self.sim.reset(task_delay_ms=86400000)
        self.sim.order("POST", "/seed", SEED)

    def status(self, method, path, body=None):
        return self.sim.call(method, path, body).status

    def state(self):
        return self.sim.order("GET", "/state")

    def run_tasks(self):
        self.sim.order("POST", "/task/run")

    # Around the mailboxes.

    def test_a_local_copy_is_a_redirection_to_itself(self):
        source = "sav@" + simlib.DOMAIN
        new = {"from": source, "to": "b@example.org", "localCopy": True}
        self.sim.call("POST", AT + "/redirection", new)
        self.run_tasks()
        ids = self.sim.get(AT + "/redirection?from=" + source)
        targets = [self.sim.get(AT + "/redirection/" + number)["to"] for number in ids]
        self.assertEqual(sorted(targets), ["b@example.org", source])

    def test_what_is_cut_is_there_until_its_task_ends(self):
        filters = AT + "/account/contact/filter"
        rows = [
            (filters, "copie-devis"),
            (AT + "/responder", "ancien"),
            (AT + "/mailingList/equipe/moderator", "contact@" + simlib.DOMAIN),
            (AT + "/mailingList/equipe/subscriber", "claire.martin@example.org"),
            (AT + "/redirection", self.sim.get(AT + "/redirection")[0]),
        ]
        for path, name in rows:
            one = path + "/" + name
            self.assertEqual(self.status("DELETE", one), 200, one)
            self.assertIn(name, self.sim.get(path))
            self.run_tasks()
            self.assertNotIn(name, self.sim.get(path))
            self.assertEqual(self.status("GET", one), 404, one)
            self.assertEqual(self.status("DELETE", one), 404, one)
        lists = self.state()["domains"][simlib.DOMAIN]["lists"]
        self.assertEqual(lists["equipe"]["nbSubscribers"], 1)

    def test_a_task_that_fails_in_silence_leaves_it(self):
        self.sim.fault("task_silent_fail", method="DELETE")
        path = AT + "/responder"
        self.sim.call("DELETE", path + "/ancien")
        self.run_tasks()
        self.assertEqual(self.sim.get(AT + "/task/responder"), [])
        self.assertEqual(self.sim.get(path), ["ancien"])

    def test_what_could_not_be_made_is_not_there(self):
        self.sim.fault("task_silent_fail", method="POST")
        new = {"account": "contact", "content": "x", "copy": False}
        self.sim.call("POST", AT + "/responder", new)
        self.assertEqual(self.status("GET", AT + "/responder/contact"), 404)
        self.run_tasks()
        self.assertEqual(self.sim.get(AT + "/responder"), ["ancien"])
        self.assertEqual(self.status("POST", AT + "/responder", new), 200)
        self.assertEqual(self.status("POST", AT + "/responder", new), 409)

    # Identities.

    def test_without_a_rule_nothing_is_removed(self):
        rules = [{"method": "GET", "path": "/*"}]
        change = {"consumer_key": self.sim.consumer, "rules": rules}
        self.sim.order("POST", "/set", {"credential": change})
        policy = self.sim.get("/v2/iam/policy")[0]["id"]
        paths = [
            "/me/identity/user/jp",
            "/me/identity/user/jp/token/ci",
            "/me/api/oauth2/client/agence",
            "/me/api/credential/301774020",
            "/v2/iam/policy/" + policy,
            AT + "/responder/ancien",
            AT + "/account/contact/filter/copie-devis",
        ]
        for path in paths:
            answer = self.sim.call("DELETE", path)
            self.assertEqual(answer.json.get("errorCode"), "NOT_GRANTED_CALL", path)
            self.assertEqual(self.status("GET", path), 200, path)

    def test_the_account_itself_and_ovhs_policies_stay(self):
        policies = {p["name"]: p["id"] for p in self.sim.get("/v2/iam/policy")}
        self.assertEqual(sorted(policies), ["admin", "agence"])
        self.assertEqual(self.status("DELETE", "/v2/iam/policy/" + policies["admin"]), 403)
        self.assertEqual(self.status("DELETE", "/me/identity/user/" + NIC), 403)
        self.assertEqual(self.status("POST", "/me/identity/user/%s/disable" % NIC), 403)
        self.assertEqual(self.status("DELETE", "/me/identity/user/anne"), 404)

    def test_a_user_goes_with_its_tokens(self):
        self.assertEqual(self.status("DELETE", "/me/identity/user/jp"), 200)
        self.assertEqual(self.sim.get("/me/identity/user"), [NIC])
        self.assertEqual(self.status("GET", "/me/identity/user/jp/token"), 404)
        self.assertEqual(len(self.state()["users"]), 2)

    def test_nothing_removes_a_sub_account(self):
        number = self.sim.get("/me/subAccount")[0]
        self.assertEqual(self.status("DELETE", "/me/subAccount/%d" % number), 404)
        self.assertIsNotNone(self.sim.get("/me/subAccount/%d" % number)["creationDate"])

    def bearer(self, path):
        parts = urllib.parse.urlsplit(self.sim.endpoint)
        link = http.client.HTTPSConnection(parts.hostname, parts.port, context=self.sim.tls)
        form = "grant_type=client_credentials&scope=all&client_id=agence&client_secret=s"
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        link.request("POST", "/auth/oauth2/token", form, kind)
        token = json.loads(link.getresponse().read())["access_token"]
        link.request("GET", parts.path + path, headers={"Authorization": "Bearer " + token})
        got = link.getresponse()
        got.read()
        link.close()
        return got.status

    def test_a_service_account_can_do_what_its_policy_says(self):
        path = AT + "/account"
        self.assertEqual(self.bearer(path), 200)
        self.assertEqual(self.bearer("/me"), 403)
        policies = {p["name"]: p["id"] for p in self.sim.get("/v2/iam/policy")}
        self.assertEqual(self.status("DELETE", "/v2/iam/policy/" + policies["agence"]), 200)
        self.assertEqual(self.bearer(path), 403)

    def test_a_policy_ends_by_itself(self):
        policies = {p["name"]: p["id"] for p in self.sim.get("/v2/iam/policy")}
        self.sim.call("DELETE", "/v2/iam/policy/" + policies["agence"])
        wish = dict(SEED["policies"][0], resources=[], expiredAt="2020-01-01T00:00:00Z")
        del wish["nic"]
        self.assertEqual(self.status("POST", "/v2/iam/policy", wish), 200)
        self.assertEqual(self.bearer(AT + "/account"), 403)

    # Contacts.

    def decide(self, number, nic, answer="accept", expect=200):
        order = {"id": number, "nic": nic, "answer": answer}
        self.sim.order("POST", "/contact", order, expect=expect)

    def test_contacts_change_when_both_sides_have_agreed(self):
        paths = [AT, "/domain/" + simlib.DOMAIN, "/domain/zone/" + simlib.DOMAIN]
        for path in paths + ["/hosting/web/h.example"]:
            wish = {"contactTech": NIC}
            tasks = self.sim.call("POST", path + "/changeContact", wish).json
            self.assertEqual(len(tasks), 1)
            one = "/me/task/contactChange/%d" % tasks[0]
            self.assertEqual(self.sim.get(one)["fromAccount"], OTHER)
            self.assertEqual(self.status("POST", path + "/changeContact", wish), 409)
            self.decide(tasks[0], NIC)
            self.assertEqual(self.sim.get(one)["state"], "validatingByCustomers")
            self.decide(tasks[0], OTHER)
            self.assertEqual(self.sim.get(one)["state"], "doing")
            self.assertEqual(self.sim.get(path + "/serviceInfos")["contactTech"], OTHER)
            self.run_tasks()
            self.assertEqual(self.sim.get(one)["state"], "done")
            self.assertEqual(self.sim.get(path + "/serviceInfos")["contactTech"], NIC)
            self.decide(tasks[0], OTHER, expect=400)

    def test_a_change_may_be_refused_or_run_out(self):
        path = AT + "/changeContact"
        for answer, end in (("refuse", "refused"), ("expire", "expired")):
            number = self.sim.call("POST", path, {"contactTech": NIC}).json[0]
            self.decide(number, OTHER, answer)
            self.assertEqual(
                self.sim.get("/me/task/contactChange/%d" % number)["state"], end
            )
        self.assertEqual(self.sim.get(AT + "/serviceInfos")["contactTech"], OTHER)

    def test_one_account_that_enters_twice_is_one_task(self):
        wish = {"contactBilling": OTHER, "contactAdmin": OTHER, "contactTech": NIC}
        tasks = self.sim.call("POST", AT + "/changeContact", wish).json
        kinds = [self.sim.get("/me/task/contactChange/%d" % n)["contactTypes"] for n in tasks]
        self.assertEqual(kinds, [["contactAdmin", "contactBilling"], ["contactTech"]])
        self.assertEqual(
            self.status("POST", AT + "/changeContact", {"contactTech": "nobody-ovh"}), 400
        )

    def test_who_is_not_the_administrator_replaces_himself_only(self):
        contacts = {"admin": OTHER, "tech": NIC, "billing": OTHER}
        domain = {"domain": "other.example", "nic": NIC, "contacts": contacts}
        self.sim.order("POST", "/seed", {"domains": [domain]})
        path = "/email/domain/other.example/changeContact"
        self.assertEqual(self.status("POST", path, {"contactAdmin": NIC}), 403)
        self.assertEqual(self.status("POST", path, {"contactTech": OTHER}), 200)


if __name__ == "__main__":
    unittest.main()
