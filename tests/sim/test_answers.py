"""Calls every route of the table and holds each answer against OVH's description: all
members there, none besides, each of its type. The recorded error forms and the published
signatures are held against their files."""

import json
import subprocess
import unittest

import apidata
import simlib

DOMAIN = "/email/domain/" + simlib.DOMAIN

# The newer families: test_family_answers.py calls them.
OTHERS = ("/email/mxplan", "/email/pro", "/email/exchange", "/zimbra")


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = simlib.Sim("--no-imap")
        cls.description = apidata.Description()
        cls.seen = set()
        text = subprocess.run(
            [simlib.SIM, "--routes"], check=True, capture_output=True, text=True
        ).stdout
        lines = [json.loads(line) for line in text.splitlines()]
        cls.rows = {
            (r["method"], r["path"])
            for r in lines
            if "path" in r and not r["path"].startswith(OTHERS)
        }

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def ask(self, method, route, body=None, query="", **names):
        path = "/v2" + route if route.startswith("/iam") else route
        for name, value in dict(domain=simlib.DOMAIN, **names).items():
            path = path.replace("{%s}" % name, str(value))
        answer = self.sim.call(method, path + query, body)
        self.assertEqual(answer.status, 200, (method, path, answer.body))
        operation, models = self.description.operations[(method, route)]
        wrong = self.description.check(models, operation["responseType"], answer.json)
        self.assertIsNone(wrong, (method, path, wrong))
        self.seen.add((method, route))
        return answer.json

    def test_every_route_answers_in_the_described_form(self):
        self.sim.reset(task_delay_ms=86400000, task_all=True)
        self.read_account()
        self.read_services()
        self.read_around()
        self.change_around()
        self.change_rules()
        self.change_lists()
        self.change_mailboxes()
        self.ask("DELETE", "/me/api/credential/{credentialId}", credentialId=301774020)
        self.ask("DELETE", "/me/api/application/{applicationId}", applicationId=90211)
        self.change_service_accounts()
        self.change_identities()
        self.change_policies()
        self.change_contacts()
        self.ask("POST", "/auth/logout")
        self.assertEqual(self.rows - self.seen, set())

    def change_identities(self):
        users = "/me/identity/user"
        one = users + "/{user}"
        self.ask("POST", users, {"login": "jp", "email": "jp@example.org", "password": "x"})
        self.assertEqual(self.ask("GET", users), ["jp"])
        self.ask("POST", one + "/disable", user="jp")
        self.assertEqual(self.ask("GET", one, user="jp")["status"], "DISABLED")
        self.ask("POST", one + "/enable", user="jp")
        wish = {"name": "ci", "description": "x", "expiresIn": 3600}
        self.ask("POST", one + "/token", wish, user="jp")
        self.assertEqual(self.ask("GET", one + "/token", user="jp"), ["ci"])
        self.ask("GET", one + "/token/{name}", user="jp", name="ci")
        self.ask("DELETE", one + "/token/{name}", user="jp", name="ci")
        self.ask("DELETE", one, user="jp")
        self.assertEqual(self.ask("GET", users), [])
        number = self.ask("POST", "/me/subAccount", {"description": "agence"})
        self.assertEqual(self.ask("GET", "/me/subAccount"), [number])
        self.ask("GET", "/me/subAccount/{id}", id=number)

    def change_policies(self):
        wish = {
            "name": "mail",
            "identities": ["urn:v1:eu:identity:user:xy000000-ovh/jp"],
            "permissions": {"allow": [{"action": "emailDomain:apiovh:*"}]},
            "resources": [{"urn": "urn:v1:eu:resource:emailDomain:" + simlib.DOMAIN}],
        }
        made = self.ask("POST", "/iam/policy", wish)
        self.assertEqual(self.ask("GET", "/iam/policy"), [made])
        self.ask("GET", "/iam/policy/{policyId}", policyId=made["id"])
        self.ask("DELETE", "/iam/policy/{policyId}", policyId=made["id"])
        self.assertEqual(self.ask("GET", "/iam/policy"), [])

    def change_contacts(self):
        nics = [{"nichandle": "ab12345-ovh"}]
        hosting = [{"nic": "xy000000-ovh", "service": "h.example"}]
        services = [{"family": "pro", "nic": "xy000000-ovh", "service": "pro-1"}]
        seed = {"nics": nics, "hosting": hosting, "services": services}
        self.sim.order("POST", "/seed", seed)
        self.assertEqual(self.ask("GET", "/hosting/web"), ["h.example"])
        self.assertEqual(self.ask("GET", "/domain/zone"), [simlib.DOMAIN])
        own = {"contactTech": "xy000000-ovh"}
        tasks = self.ask("POST", "/email/domain/{domain}/changeContact", own)
        self.assertEqual(self.ask("GET", "/me/task/contactChange"), tasks)
        one = "/me/task/contactChange/{id}"
        self.ask("GET", one, id=tasks[0])
        self.ask("POST", one + "/resendEmail", id=tasks[0])
        self.ask("POST", one + "/accept", {"token": self.token(tasks[0])}, id=tasks[0])
        other = {"contactBilling": "ab12345-ovh"}
        self.ask("POST", "/email/pro/{service}/changeContact", other, service="pro-1")
        for kind, name, value in (
            ("/domain/zone", "zoneName", simlib.DOMAIN),
            ("/domain", "serviceName", simlib.DOMAIN),
            ("/hosting/web", "serviceName", "h.example"),
        ):
            at = "%s/{%s}" % (kind, name)
            self.ask("GET", at + "/serviceInfos", **{name: value})
            tasks = self.ask("POST", at + "/changeContact", other, **{name: value})
        records = "/domain/zone/{zoneName}/record"
        for number in self.ask("GET", records, zoneName=simlib.DOMAIN):
            self.ask("GET", records + "/{id}", zoneName=simlib.DOMAIN, id=number)
        self.ask("POST", one + "/refuse", {"token": self.token(tasks[0])}, id=tasks[0])
        self.assertEqual(self.ask("GET", one, id=tasks[0])["state"], "refused")

    def token(self, number):
        tasks = self.sim.order("GET", "/state")["contact_changes"]
        return tasks[str(number)]["_tokens"]["xy000000-ovh"]

    def change_service_accounts(self):
        one = "/me/api/oauth2/client/{clientId}"
        wish = {"name": "passation", "description": "x", "flow": "CLIENT_CREDENTIALS"}
        made = self.ask("POST", "/me/api/oauth2/client", wish)
        self.ask("GET", "/me/api/oauth2/client")
        self.ask("GET", one, clientId=made["clientId"])
        self.ask("PUT", one, {"name": "other"}, clientId=made["clientId"])
        self.ask("DELETE", one, clientId=made["clientId"])

    def read_account(self):
        self.ask("GET", "/auth/time")
        rules = [{"method": "GET", "path": "/me"}]
        self.ask("POST", "/auth/credential", {"accessRules": rules, "allowedIPs": None})
        self.ask("GET", "/auth/currentCredential")
        self.ask("GET", "/auth/details")
        self.ask("GET", "/me")
        self.assertEqual(len(self.ask("GET", "/me/api/credential")), 3)
        mine = self.ask("GET", "/me/api/credential", query="?applicationId=90211")
        self.assertEqual(mine, [301774020])
        waiting = self.ask("GET", "/me/api/credential", query="?status=pendingValidation")
        self.assertEqual(len(waiting), 1)
        for number in self.ask("GET", "/me/api/credential"):
            self.ask("GET", "/me/api/credential/{credentialId}", credentialId=number)
        self.ask(
            "GET", "/me/api/credential/{credentialId}/application", credentialId=498601349
        )
        for number in self.ask("GET", "/me/api/application"):
            self.ask("GET", "/me/api/application/{applicationId}", applicationId=number)

    def read_services(self):
        self.assertEqual(self.ask("GET", "/email/domain"), [simlib.DOMAIN])
        tags = "?iamTags=%7B%22a%22%3A%5B%5D%7D"
        self.assertEqual(self.ask("GET", "/email/domain", query=tags), [])
        self.assertEqual(self.ask("GET", "/domain"), [simlib.DOMAIN])
        for route in ("/email/mxplan", "/email/pro", "/email/exchange", "/hosting/web"):
            self.assertEqual(self.ask("GET", route), [])
        self.ask("GET", "/domain/{serviceName}/serviceInfos", serviceName=simlib.DOMAIN)
        for end in ("", "/serviceInfos", "/quota"):
            self.ask("GET", "/email/domain/{domain}" + end)
        summary = self.ask("GET", "/email/domain/{domain}/summary")
        self.assertEqual(
            summary, {"account": 2, "mailingList": 1, "redirection": 2, "responder": 1}
        )

    def read_around(self):
        at = "/email/domain/{domain}"
        box = at + "/account/{accountName}"
        for name in self.ask("GET", at + "/account"):
            self.ask("GET", box, accountName=name)
        self.assertEqual(
            self.ask("GET", box + "/filter", accountName="contact"), ["copie-devis"]
        )
        self.ask("GET", box + "/filter/{name}", accountName="contact", name="copie-devis")
        self.ask("GET", box + "/delegation", accountName="ancien")
        self.ask(
            "GET",
            box + "/delegation/{accountId}",
            accountName="ancien",
            accountId="ab12345-ovh",
        )
        self.ask("GET", at + "/acl")
        self.ask("GET", at + "/acl/{accountId}", accountId="ab12345-ovh")
        for number in self.ask("GET", at + "/redirection"):
            self.ask("GET", at + "/redirection/{id}", id=number)
        info = "?from=info@" + simlib.DOMAIN
        self.assertEqual(len(self.ask("GET", at + "/redirection", query=info)), 1)
        for name in self.ask("GET", at + "/responder"):
            self.ask("GET", at + "/responder/{account}", account=name)
        for name in self.ask("GET", at + "/mailingList"):
            self.ask("GET", at + "/mailingList/{name}", name=name)
            self.ask("GET", at + "/mailingList/{name}/moderator", name=name)
            self.ask("GET", at + "/mailingList/{name}/subscriber", name=name)

    def change_around(self):
        at = "/email/domain/{domain}"
        box = at + "/account/{accountName}"
        nic = {"accountId": "cd67890-ovh"}
        self.ask("POST", at + "/acl", nic)
        self.ask("DELETE", at + "/acl/{accountId}", accountId="cd67890-ovh")
        self.assertEqual(self.ask("GET", at + "/acl"), ["ab12345-ovh"])
        self.ask("POST", box + "/delegation", nic, accountName="contact")
        self.ask(
            "DELETE",
            box + "/delegation/{accountId}",
            accountName="contact",
            accountId="cd67890-ovh",
        )
        self.assertEqual(self.ask("GET", box + "/delegation", accountName="contact"), [])
        new = {"from": "a@" + simlib.DOMAIN, "to": "b@example.org", "localCopy": False}
        task = self.ask("POST", at + "/redirection", new)
        self.assertEqual(self.ask("GET", at + "/task/redirection"), [task["id"]])
        self.ask("GET", at + "/task/redirection/{id}", id=task["id"])
        self.assertEqual(len(self.ask("GET", at + "/redirection")), 2)
        self.sim.order("POST", "/task/run")
        self.assertEqual(len(self.ask("GET", at + "/redirection")), 3)
        number = self.ask("GET", at + "/redirection", query="?to=b@example.org")[0]
        self.assertNotEqual(number, task["id"])
        self.ask("DELETE", at + "/redirection/{id}", id=number)
        self.sim.order("POST", "/task/run")
        self.assertEqual(len(self.ask("GET", at + "/redirection")), 2)

    def change_rules(self):
        at = "/email/domain/{domain}"
        box = at + "/account/{accountName}"
        rule = {"name": "n", "action": "redirect", "actionParam": "b@example.org"}
        rule.update(active=True, header="Subject", operand="contains", priority=2, value="x")
        task = self.ask("POST", box + "/filter", rule, accountName="ancien")
        self.assertEqual(self.ask("GET", at + "/task/filter"), [task["id"]])
        self.ask("GET", at + "/task/filter/{id}", id=task["id"])
        self.assertEqual(self.ask("GET", box + "/filter", accountName="ancien"), [])
        self.sim.order("POST", "/task/run")
        self.assertEqual(self.ask("GET", box + "/filter", accountName="ancien"), ["n"])
        self.ask("GET", box + "/filter/{name}", accountName="ancien", name="n")
        self.ask("DELETE", box + "/filter/{name}", accountName="ancien", name="n")
        out = {"account": "contact", "content": "x", "copy": True, "copyTo": "b@example.org"}
        self.ask("POST", at + "/responder", out)
        self.sim.order("POST", "/task/run")
        self.assertEqual(self.ask("GET", box + "/filter", accountName="ancien"), [])
        self.ask("GET", at + "/responder/{account}", account="contact")
        task = self.ask("DELETE", at + "/responder/{account}", account="contact")
        self.assertEqual(self.ask("GET", at + "/task/responder"), [int(task["id"])])
        self.ask("GET", at + "/task/responder/{id}", id=task["id"])
        self.sim.order("POST", "/task/run")
        self.assertEqual(self.ask("GET", at + "/responder"), ["ancien"])

    def change_lists(self):
        at = "/email/domain/{domain}"
        for kind in ("moderator", "subscriber"):
            people = at + "/mailingList/{name}/" + kind
            before = self.ask("GET", people, name="equipe")
            task = self.ask("POST", people, {"email": "b@example.org"}, name="equipe")
            self.assertEqual(self.ask("GET", at + "/task/mailinglist"), [task["id"]])
            self.ask("GET", at + "/task/mailinglist/{id}", id=task["id"])
            self.sim.order("POST", "/task/run")
            self.ask("GET", people + "/{email}", name="equipe", email="b@example.org")
            self.ask("DELETE", people + "/{email}", name="equipe", email="b@example.org")
            self.sim.order("POST", "/task/run")
            self.assertEqual(self.ask("GET", people, name="equipe"), before)

    def change_mailboxes(self):
        at = "/email/domain/{domain}"
        box = at + "/account/{accountName}"
        new = {"accountName": "devis", "password": "Un-mot-de-passe", "size": 2500000000}
        task = self.ask("POST", at + "/account", new)
        self.assertEqual(task["action"], "addAccount")
        self.assertEqual(
            self.ask("GET", at + "/task/account", query="?name=devis"), [task["id"]]
        )
        self.ask("GET", at + "/task/account/{id}", id=task["id"])
        self.assertEqual(self.ask("GET", at + "/task/all"), [task["id"]])
        self.ask("GET", at + "/task/all/{id}", id=task["id"])
        self.ask("PUT", box, {"description": "Devis"}, accountName="devis")
        self.ask("GET", box, accountName="devis")
        self.sim.order("POST", "/task/run")
        word = {"password": "Un-autre-mot-9"}
        self.ask("POST", box + "/changePassword", word, accountName="devis")
        self.sim.order("POST", "/task/run")
        self.ask("DELETE", box, accountName="devis")
        self.sim.order("POST", "/task/run")
        self.assertNotIn("devis", self.ask("GET", at + "/account"))

    def test_recorded_errors_come_in_their_recorded_form(self):
        def forms(word):
            return [
                (e["status"], e["body"])
                for e in apidata.read("errors.json")["errors"]
                if word in json.dumps(e["body"])
            ]

        self.sim.reset()
        box = DOMAIN + "/account/contact"
        wrong = {"X-Ovh-Signature": "$1$" + "0" * 40}
        unknown = {"X-Ovh-Consumer": "x"}
        self.same(self.sim.call("GET", "/me", headers=wrong), forms("INVALID_SIGNATURE"))
        self.same(self.sim.call("GET", "/me", headers=unknown), forms("NOT_CREDENTIAL"))
        self.same(
            self.sim.call("GET", "/me", headers={"X-Ovh-Application": "x"}),
            forms("INVALID_KEY"),
        )
        self.same(self.sim.call("GET", "/me", offset=3600), forms("QUERY_TIME_OUT"))
        self.same(self.sim.call("POST", "/me"), forms("empty) URL"))
        self.same(self.sim.call("DELETE", "/auth/nothing"), forms("empty) URL"))
        self.same(
            self.sim.call("GET", "/email/domain/nowhere.example"),
            forms("This service does not exist"),
        )
        self.same(
            self.sim.call("POST", box + "/changePassword", {"password": "court"}),
            forms("'password' is too short"),
        )
        self.sim.order("POST", "/set", {"domain": {"domain": simlib.DOMAIN, "expired": True}})
        self.same(self.sim.call("GET", DOMAIN), forms("is expired"))
        change = {"consumer_key": self.sim.consumer, "rules": []}
        self.sim.order("POST", "/set", {"credential": change})
        self.same(self.sim.call("GET", "/me"), forms("NOT_GRANTED_CALL"))
        change["revoked"] = True
        self.sim.order("POST", "/set", {"credential": change})
        self.same(self.sim.call("GET", "/me"), forms("INVALID_CREDENTIAL"))

    def same(self, answer, forms):
        self.assertIn((answer.status, answer.json), forms)
        self.assertRegex(answer.headers["X-Ovh-Queryid"], r"^FR\.ws-3\.")

    def test_busy_mailbox_as_recorded(self):
        recorded = [
            e for e in apidata.read("recorded-examples.json")["examples"] if e["status"] == 409
        ][0]
        self.sim.reset(task_delay_ms=60000)
        path = DOMAIN + "/account/contact/changePassword"
        self.sim.call("POST", path, {"password": "Un-mot-de-passe"})
        again = self.sim.call("POST", path, {"password": "Un-mot-de-passe"})
        wanted = recorded["body"]["message"]
        wanted = wanted.replace("<accountName>", "contact").replace("<domain>", simlib.DOMAIN)
        self.assertEqual((again.status, again.reason), (409, recorded["reason"]))
        self.assertEqual(again.json, {"message": wanted})

    def test_published_signatures(self):
        data = apidata.read("signature-vectors.json")
        count = 0
        for group in (data["published"], data.get("computed", {})):
            for vector in group.get("vectors", []):
                order = {
                    "application_secret": vector.get(
                        "application_secret", group.get("application_secret")
                    ),
                    "consumer_key": vector.get("consumer_key", group.get("consumer_key")),
                    "method": vector["method"],
                    "url": vector["url"],
                    "body": vector["body"] or "",
                    "timestamp": str(vector["timestamp"]),
                }
                made = self.sim.order("POST", "/sign", order)["signature"]
                self.assertEqual(made, vector["signature"])
                count += 1
        self.assertGreaterEqual(count, 23)


if __name__ == "__main__":
    apidata.need()
    unittest.main()
