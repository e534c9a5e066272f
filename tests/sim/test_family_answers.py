"""Calls every route of the newer families and holds each answer against OVH's description:
all members there, none besides, each of its type."""

import json
import subprocess
import unittest

import apidata
import familylib
import simlib
from familylib import NEW, NIC, OLD, PLATFORM, SLOTS, ZIMBRA

OURS = ("/email/mxplan", "/email/pro", "/email/exchange", "/zimbra")
NAMES = {
    "owa": {"service": "mxplan-owa"},
    "mxz": {"service": "mxplan-zim"},
    "pro": {"service": "emailpro-1"},
    "exchange": {"organizationName": "org-1", "exchangeService": "hosted-1"},
}
ROUTES = {
    "owa": "/email/mxplan/{service}",
    "mxz": "/email/mxplan/{service}",
    "pro": "/email/pro/{service}",
    "exchange": "/email/exchange/{organizationName}/service/{exchangeService}",
}
GRANTS = {
    "fullAccess": "allowedAccountId",
    "sendAs": "allowAccountId",
    "sendOnBehalfTo": "allowAccountId",
}


class Answers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = familylib.World("--no-imap")
        cls.description = apidata.Description()
        cls.seen = set()
        text = subprocess.run(
            [simlib.SIM, "--routes"], check=True, capture_output=True, text=True
        ).stdout
        lines = [json.loads(line) for line in text.splitlines()]
        cls.rows = {
            (r["method"], r["path"])
            for r in lines
            if "path" in r and r["path"].startswith(OURS)
        }

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def ask(self, method, route, body=None, query="", **names):
        path = route
        for name, value in names.items():
            path = path.replace("{%s}" % name, str(value))
        if path.startswith("/zimbra"):
            path = "/v2" + path
        answer = self.sim.call(method, path + query, body)
        self.assertEqual(answer.status, 200, (method, path, answer.body))
        operation, models = self.description.operations[(method, route)]
        wrong = self.description.check(models, operation["responseType"], answer.json)
        self.assertIsNone(wrong, (method, path, wrong))
        self.seen.add((method, route))
        return answer.json

    def test_every_route_answers_in_the_described_form(self):
        self.sim.fresh(task_delay_ms=86400000, slot_delay_ms=86400000)
        for route in ("/email/mxplan", "/email/pro"):
            tags = "?iamTags=%7B%22a%22%3A%5B%5D%7D"
            self.assertGreater(len(self.ask("GET", route)), 0)
            self.assertEqual(self.ask("GET", route, query=tags), [])
        self.assertEqual(self.ask("GET", "/email/exchange"), ["org-1"])
        services = self.ask(
            "GET", "/email/exchange/{organizationName}/service", organizationName="org-1"
        )
        self.assertEqual(services, ["hosted-1"])
        for family in SLOTS:
            self.read_service(family)
            self.change_mailbox(family)
            self.change_grants(family)
            self.change_aliases(family)
            self.empty_a_slot(family)
        self.create_in_an_exchange_of_ones_own()
        self.read_platform()
        self.change_platform()
        self.assertEqual(self.rows - self.seen, set())

    def at(self, family, method, end, body=None, query="", **names):
        box = "primaryEmailAddress" if family == "exchange" else "email"
        route = ROUTES[family] + end.replace("{box}", "{%s}" % box)
        if "box" in names:
            names[box] = names.pop("box")
        return self.ask(method, route, body, query, **NAMES[family], **names)

    def read_service(self, family):
        _, domain, _ = SLOTS[family]
        shown = self.at(family, "GET", "")
        self.assertEqual(shown.get("isZimbra"), {"owa": False, "mxz": True}.get(family))
        self.at(family, "GET", "/server")
        if family in ("pro", "exchange"):
            self.at(family, "GET", "/serviceInfos")
        if family == "pro":
            nobody = {"contactTech": "xy000000-ovh"}
            self.assertEqual(self.at(family, "POST", "/changeContact", nobody), [])
        self.assertEqual(self.at(family, "GET", "/domain"), [domain])
        self.assertEqual(self.at(family, "GET", "/domain", query="?state=deleting"), [])
        self.at(family, "GET", "/domain/{domainName}", domainName=domain)
        for address in self.at(family, "GET", "/account"):
            number = self.at(family, "GET", "/account/{box}", box=address)["id"]
            for query in ("?id=%d" % number, "?primaryEmailAddress=" + address):
                self.assertEqual(self.at(family, "GET", "/account", query=query), [address])

    def change_mailbox(self, family):
        _, domain, tasks = SLOTS[family]
        box = "contact@" + domain
        self.assertIsNone(
            self.at(family, "PUT", "/account/{box}", {"displayName": "Vente"}, box=box)
        )
        self.sim.run_tasks()
        shown = self.at(family, "GET", "/account/{box}", box=box)
        self.assertEqual(shown["displayName"], "Vente")
        made = self.at(
            family, "POST", "/account/{box}/changePassword", {"password": NEW}, box=box
        )
        one = self.at(family, "GET", "/account/{box}/%s/{id}" % tasks, box=box, id=made["id"])
        self.assertEqual(one["function"], "changePassword")
        self.assertIn(made["id"], self.at(family, "GET", "/account/{box}/" + tasks, box=box))
        self.assertIn(made["id"], self.at(family, "GET", "/task"))
        self.at(family, "GET", "/task/{id}", id=made["id"])
        self.sim.run_tasks()
        self.at(family, "GET", "/task/{id}", id=made["id"])

    def change_grants(self, family):
        _, domain, _ = SLOTS[family]
        box = "contact@" + domain
        other = self.at(family, "GET", "/account/{box}", box="technique@" + domain)["id"]
        for name, member in GRANTS.items():
            end = "/account/{box}/" + name
            self.assertEqual(self.at(family, "GET", end, box=box), [])
            self.at(family, "POST", end, {member: other}, box=box)
            self.sim.run_tasks()
            self.assertEqual(self.at(family, "GET", end, box=box), [other])
            end += "/{allowedAccountId}"
            self.at(family, "GET", end, box=box, allowedAccountId=other)
            self.at(family, "DELETE", end, box=box, allowedAccountId=other)
            self.sim.run_tasks()
            self.assertEqual(self.at(family, "GET", "/account/{box}/" + name, box=box), [])

    def change_aliases(self, family):
        _, domain, _ = SLOTS[family]
        box, alias = "contact@" + domain, "info@" + domain
        self.at(family, "POST", "/account/{box}/alias", {"alias": alias}, box=box)
        self.sim.run_tasks()
        self.assertEqual(self.at(family, "GET", "/account/{box}/alias", box=box), [alias])
        self.at(family, "GET", "/account/{box}/alias/{alias}", box=box, alias=alias)
        self.at(family, "DELETE", "/account/{box}/alias/{alias}", box=box, alias=alias)
        self.sim.run_tasks()
        self.assertEqual(self.at(family, "GET", "/account/{box}/alias", box=box), [])

    def empty_a_slot(self, family):
        _, domain, _ = SLOTS[family]
        task = self.at(family, "DELETE", "/account/{box}", box="technique@" + domain)
        self.assertEqual(task["function"], "deleteAccount")
        self.sim.run_tasks()
        for address in self.at(family, "GET", "/account"):
            self.at(family, "GET", "/account/{box}", box=address)

    def create_in_an_exchange_of_ones_own(self):
        entry = familylib.service("exchange", "own.example", service="private-1")
        entry.update(organization="org-1", offer="dedicated", free_slots=0, accounts_max=3)
        self.sim.order("POST", "/seed", {"services": [entry]})
        new = {"login": "devis", "domain": "own.example", "password": NEW}
        new.update(license="standard", displayName="Devis")
        names = {"organizationName": "org-1", "exchangeService": "private-1"}
        route = ROUTES["exchange"] + "/account"
        task = self.ask("POST", route, new, **names)
        self.assertEqual(task["function"], "addAccount")
        box = route + "/{primaryEmailAddress}"
        names["primaryEmailAddress"] = "devis@own.example"
        self.assertEqual(self.ask("GET", box, **names)["state"], "creating")
        self.sim.run_tasks()
        self.assertEqual(self.ask("GET", box, **names)["state"], "ok")
        self.assertEqual(self.sim.in_force("devis@own.example"), NEW)
        path = "/email/exchange/org-1/service/private-1/account"
        new["login"] = "encore"
        self.assertEqual(self.sim.call("POST", path, new).status, 403)

    def zimbra(self, method, end, body=None, query="", **names):
        return self.ask(
            method,
            "/zimbra/platform/{platformId}" + end,
            body,
            query,
            platformId=PLATFORM,
            **names,
        )

    def read_platform(self):
        [platform] = self.ask("GET", "/zimbra/platform")
        self.assertEqual(platform["id"], PLATFORM)
        self.zimbra("GET", "")
        [domain] = self.zimbra("GET", "/domain")
        self.zimbra("GET", "/domain/{domainId}", domainId=domain["id"])
        [organization] = self.zimbra("GET", "/organization")
        number = organization["id"]
        self.zimbra("GET", "/organization/{organizationId}", organizationId=number)
        accounts = self.zimbra("GET", "/account", query="?domainId=" + domain["id"])
        self.assertEqual(len(accounts), 2)
        for one in accounts:
            self.zimbra("GET", "/account/{accountId}", accountId=one["id"])
        for slot in self.zimbra("GET", "/slot"):
            self.zimbra("GET", "/slot/{slotId}", slotId=slot["id"])
        self.assertEqual(len(self.zimbra("GET", "/slot", query="?used=true")), 2)

    def change_platform(self):
        spec = {"email": "devis@z.example", "password": NEW, "offer": "STARTER"}
        made = self.zimbra("POST", "/account", {"targetSpec": spec})
        self.zimbra("GET", "/task")
        self.sim.run_tasks()
        number = made["id"]
        change = {"displayName": "Devis", "password": OLD}
        self.zimbra(
            "PUT", "/account/{accountId}", {"targetSpec": change}, accountId=number
        )
        self.sim.run_tasks()
        shown = self.zimbra("GET", "/account/{accountId}", accountId=number)
        self.assertEqual(shown["currentState"]["displayName"], "Devis")
        self.around("alias", {"alias": "info@z.example", "targetId": number})
        away = {"source": "ventes@z.example", "destination": "x@example.org"}
        self.around("redirection", away)
        self.zimbra("DELETE", "/account/{accountId}", accountId=number)
        self.sim.run_tasks()
        self.zimbra("GET", "/task")

    def around(self, kind, spec):
        made = self.zimbra("POST", "/" + kind, {"targetSpec": spec})
        one = "/%s/{%sId}" % (kind, kind)
        name = {kind + "Id": made["id"]}
        self.sim.run_tasks()
        self.assertEqual(self.zimbra("GET", one, **name)["resourceStatus"], "READY")
        self.assertEqual(len(self.zimbra("GET", "/" + kind)), 1)
        self.zimbra("DELETE", one, **name)
        self.sim.run_tasks()
        self.assertEqual(self.zimbra("GET", "/" + kind), [])

    def test_what_is_not_there_and_what_is_refused_has_a_class(self):
        self.sim.fresh()
        absent = self.sim.call("GET", "/email/pro/emailpro-1/account/x@pro.example")
        self.assertEqual((absent.status, absent.json["class"]), (404, "Client::NotFound"))
        nowhere = self.sim.call("GET", "/email/pro/nothing")
        self.assertEqual(nowhere.json["message"], "This service does not exist")
        none = self.sim.call("GET", ZIMBRA + "/account/" + PLATFORM)
        self.assertEqual((none.status, none.json["details"]), (404, {"accountId": PLATFORM}))
        ill = self.sim.call("GET", ZIMBRA + "/account/no-uuid")
        self.assertEqual((ill.status, ill.json["class"]), (400, "Client::BadRequest"))
        cursor = {"X-Pagination-Cursor": "nonsense"}
        wrong = self.sim.call("GET", ZIMBRA + "/account", headers=cursor)
        self.assertEqual(wrong.status, 400)

    def test_services_of_another_account_are_not_there(self):
        self.sim.fresh()
        other = {"nics": [{"nichandle": "zz000000-ovh"}], "services": []}
        other["services"] = [familylib.service("pro", "far.example", service="far-1")]
        other["services"][0]["nic"] = "zz000000-ovh"
        self.sim.order("POST", "/seed", other)
        self.assertNotIn("far-1", self.sim.get("/email/pro"))
        self.assertEqual(self.sim.call("GET", "/email/pro/far-1").status, 404)
        self.assertNotEqual(NIC, "zz000000-ovh")


if __name__ == "__main__":
    apidata.need()
    unittest.main()
