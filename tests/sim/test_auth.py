"""Who may call: keys, signature, time, rules, addresses, rate; and how a key is asked for."""

import base64
import contextlib
import json
import time
import unittest
import urllib.parse

import simlib

DOMAIN = "/email/domain/" + simlib.DOMAIN


class Auth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = simlib.Sim("--no-imap")

    @classmethod
    def tearDownClass(cls):
        cls.sim.stop()

    def setUp(self):
        self.sim.reset()

    def refused(self, status, code, method="GET", path="/me", body=None, **change):
        answer = self.sim.call(method, path, body, **change)
        self.assertEqual((answer.status, answer.json.get("errorCode")), (status, code))

    def test_each_part_of_the_signed_text_counts(self):
        good = {"password": "Un-mot-de-passe"}
        path = simlib.BOX + "/changePassword"
        sim = self.sim
        text = json.dumps(good)
        stamp = str(int(time.time()))
        url = sim.endpoint + path
        alias = url.replace("/1.0/", "/v1/")
        made = [
            sim.sign("POST", url, text, stamp, secret="x" * 32),
            sim.sign("POST", url, text, stamp, consumer="x" * 32),
            sim.sign("PUT", url, text, stamp),
            sim.sign("POST", url + "?", text, stamp),
            sim.sign("POST", url.replace("https", "http"), text, stamp),
            sim.sign("POST", url.replace("127.0.0.1", "localhost"), text, stamp),
            sim.sign("POST", alias, text, stamp),
            sim.sign("POST", url, text + " ", stamp),
            sim.sign("POST", url, "", stamp),
            sim.sign("POST", url, text, stamp + "0"),
            sim.sign("POST", url, text, stamp).upper(),
            sim.sign("POST", url, text, stamp)[3:],
            "",
        ]
        for signature in made:
            headers = {"X-Ovh-Signature": signature, "X-Ovh-Timestamp": stamp}
            self.refused(
                400, "INVALID_SIGNATURE", "POST", path, text, headers=headers
            )
        self.refused(400, "INVALID_SIGNATURE", headers={"X-Ovh-Signature": None})
        self.assertEqual(sim.call("POST", path, text).status, 200)
        counters = sim.order("GET", "/state")["counters"]
        self.assertEqual(counters["refused_auth"], len(made) + 1)

    def test_query_escapes_and_unicode_are_signed_as_sent(self):
        path = DOMAIN + "/account?accountName=c%25&description=Accueil"
        self.assertEqual(self.sim.get(path), ["contact"])
        body = {"description": "Café"}
        self.assertEqual(self.sim.call("PUT", simlib.BOX, body).status, 200)
        self.assertEqual(self.sim.get(simlib.BOX)["description"], "Café")

    def test_keys_come_before_the_signature_and_the_signature_before_the_time(self):
        bad = {"X-Ovh-Signature": "$1$" + "0" * 40}
        both = dict(bad, **{"X-Ovh-Consumer": "unknown", "X-Ovh-Application": "unknown"})
        self.refused(403, "INVALID_KEY", headers=both, offset=9999)
        both["X-Ovh-Application"] = self.sim.key
        self.refused(403, "NOT_CREDENTIAL", headers=both, offset=9999)
        both["X-Ovh-Consumer"] = self.sim.consumer
        self.refused(400, "INVALID_SIGNATURE", headers=both, offset=9999)
        self.refused(400, "QUERY_TIME_OUT", offset=9999)
        self.refused(403, "INVALID_KEY", headers={"X-Ovh-Application": None})
        self.refused(403, "NOT_CREDENTIAL", headers={"X-Ovh-Consumer": None})

    def test_a_key_of_another_application_is_none(self):
        headers = {"X-Ovh-Application": "SimAppKey0000002"}
        self.refused(403, "NOT_CREDENTIAL", headers=headers)

    def test_the_clock_is_the_servers(self):
        self.refused(400, "QUERY_TIME_OUT", offset=400)
        self.refused(400, "QUERY_TIME_OUT", offset=-400)
        self.assertEqual(self.sim.call("GET", "/me", offset=200).status, 200)
        self.sim.order("POST", "/set", {"skew_s": 86400})
        self.refused(400, "QUERY_TIME_OUT")
        offset = self.sim.get("/auth/time") - int(time.time())
        self.assertAlmostEqual(offset, 86400, delta=60)
        self.assertEqual(self.sim.call("GET", "/me", offset=offset).status, 200)
        self.sim.order("POST", "/set", {"skew_s": 0, "tolerance_s": 5})
        self.refused(400, "QUERY_TIME_OUT", offset=20)

    def test_states_of_a_key(self):
        for status in ("expired", "refused", "pendingValidation"):
            change = {"consumer_key": self.sim.consumer, "status": status}
            self.sim.order("POST", "/set", {"credential": change})
            self.refused(403, "INVALID_CREDENTIAL")

    def test_a_key_expires_by_the_clock(self):
        self.assertEqual(self.sim.call("GET", "/me").status, 200)
        later = 7776000 + 60
        self.sim.order("POST", "/set", {"skew_s": later})
        self.refused(403, "INVALID_CREDENTIAL", offset=later)

    def test_rules(self):
        def allow(*rules):
            change = {
                "consumer_key": self.sim.consumer,
                "rules": [{"method": m, "path": p} for m, p in rules],
            }
            self.sim.order("POST", "/set", {"credential": change})

        allow(("GET", "/email/domain/*"))
        self.refused(403, "NOT_GRANTED_CALL", path="/email/domain")
        self.assertEqual(self.sim.call("GET", DOMAIN).status, 200)
        self.refused(403, "NOT_GRANTED_CALL", "DELETE", simlib.BOX)
        allow(("GET", "/me"))
        self.assertEqual(self.sim.call("GET", "/me").status, 200)
        self.refused(403, "NOT_GRANTED_CALL", path="/me/api/credential")
        allow(("POST", DOMAIN + "/account/*/changePassword"))
        good = {"password": "Un-mot-de-passe"}
        self.assertEqual(
            self.sim.call("POST", simlib.BOX + "/changePassword", good).status, 200
        )
        self.refused(403, "NOT_GRANTED_CALL", "POST", DOMAIN + "/account", good)

    def test_addresses(self):
        for blocks, status in (
            (["127.0.0.1/32"], 200),
            (["10.0.0.0/8", "127.0.0.0/8"], 200),
            (["192.0.2.1"], 403),
            ([], 403),
            (None, 200),
        ):
            change = {"consumer_key": self.sim.consumer, "allowed_ips": blocks}
            self.sim.order("POST", "/set", {"credential": change})
            self.assertEqual(self.sim.call("GET", "/me").status, status, blocks)

    def test_a_key_is_asked_for_granted_used_and_given_up(self):
        rules = [{"method": "GET", "path": "/me"}]
        only = {"X-Ovh-Consumer": None, "X-Ovh-Signature": None, "X-Ovh-Timestamp": None}
        asked = self.sim.call(
            "POST", "/auth/credential", {"accessRules": rules}, headers=only
        ).json
        key = asked["consumerKey"]
        self.assertRegex(key, "^[A-Za-z0-9]{32}$")
        self.assertRegex(asked["validationUrl"], "/auth/.credentialToken=[A-Za-z0-9]{64}$")
        self.refused(403, "INVALID_CREDENTIAL", consumer=key)
        page = self.page(asked["validationUrl"])
        self.assertIn("<li>GET /me</li>", page)
        self.sim.order("POST", "/credential/approve", {"consumer_key": key})
        self.assertEqual(self.sim.call("GET", "/me", consumer=key).status, 200)
        now = self.sim.order("POST", "/credential/approve", {"consumer_key": key}, expect=400)
        self.assertIn("not waiting", now["error"])
        self.refused(403, "NOT_GRANTED_CALL", path="/auth/currentCredential", consumer=key)

    def ask(self):
        only = {"X-Ovh-Consumer": None, "X-Ovh-Signature": None, "X-Ovh-Timestamp": None}
        rules = [{"method": "GET", "path": "/*"}]
        asked = self.sim.call(
            "POST", "/auth/credential", {"accessRules": rules}, headers=only
        ).json
        return asked["consumerKey"], asked["validationUrl"]

    def post(self, path, form, **headers):
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        with contextlib.closing(self.sim.connect()) as link:
            link.request("POST", path, urllib.parse.urlencode(form), headers)
            answer = link.getresponse()
            return answer.status, answer.read().decode()

    def test_the_owner_answers_by_the_form_of_the_page(self):
        self.sim.order("POST", "/seed", {"nics": [{"nichandle": "zz999999-ovh"}]})
        key, url = self.ask()
        path = url[url.index("/auth/") :]
        self.assertIn('<form method="post"', self.page(url))
        self.assertEqual(self.post(path, {"decision": "perhaps"})[0], 400)
        unknown = {"decision": "approve", "account": "nobody"}
        self.assertEqual(self.post(path, unknown)[0], 400)
        form = {"decision": "approve", "validity": "3600", "account": "zz999999-ovh"}
        self.assertEqual(self.post(path, form)[0], 200)
        self.assertEqual(self.post(path, form)[0], 400)
        self.assertEqual(self.sim.call("GET", "/me", consumer=key).json["nichandle"],
                         "zz999999-ovh")
        key, url = self.ask()
        self.post(url[url.index("/auth/") :], {"decision": "refuse"})
        self.refused(403, "INVALID_CREDENTIAL", consumer=key)

    def test_what_a_key_that_waits_is_told_is_a_setting(self):
        key, url = self.ask()
        now = "/auth/currentCredential"
        self.refused(403, "INVALID_CREDENTIAL", path=now, consumer=key)
        self.sim.order("POST", "/set", {"pending_signature": True})
        self.refused(400, "INVALID_SIGNATURE", path=now, consumer=key)
        self.sim.order("POST", "/set", {"state_shown": True})
        state = self.sim.call("GET", now, consumer=key).json["status"]
        self.assertEqual(state, "pendingValidation")
        self.sim.order("POST", "/set", {"pending_ttl_s": 1})
        time.sleep(1.1)
        self.refused(403, "NOT_CREDENTIAL", path=now, consumer=key)
        self.assertIn("No such request", self.page(url))

    def token(self, client, secret, basic=False):
        form = {"grant_type": "client_credentials", "scope": "all"}
        headers = {}
        if basic:
            pair = base64.b64encode(f"{client}:{secret}".encode()).decode()
            headers["Authorization"] = "Basic " + pair
        else:
            form.update(client_id=client, client_secret=secret)
        status, text = self.post("/auth/oauth2/token", form, **headers)
        return status, json.loads(text)

    def with_token(self, path, token):
        with contextlib.closing(self.sim.connect()) as link:
            link.request("GET", "/1.0" + path, headers={"Authorization": "Bearer " + token})
            answer = link.getresponse()
            return answer.status, json.loads(answer.read())

    def test_service_accounts(self):
        one = {"nic": "xy000000-ovh", "client_id": "id-1", "client_secret": "secret-1",
               "actions": ["account:apiovh:me/get"]}
        self.sim.order("POST", "/seed", {"oauth2_clients": [one]})
        for client, secret in (("id-1", "wrong"), ("wrong", "secret-1")):
            status, answer = self.token(client, secret)
            self.assertEqual((status, answer["error"]), (401, "invalid_client"))
        self.assertEqual(self.token("id-1", "secret-1", basic=True)[0], 200)
        token = self.token("id-1", "secret-1")[1]["access_token"]
        self.assertEqual(self.with_token("/me", token)[0], 200)
        status, answer = self.with_token("/email/domain", token)
        self.assertEqual(status, 403)
        self.assertEqual(answer["details"]["unauthorizedActionsByIAM"],
                         "emailDomain:apiovh:get")
        self.assertEqual(self.with_token("/auth/details", token)[1]["method"],
                         "oauth2_client_credentials")
        self.assertEqual(self.with_token("/me", "nonsense")[0], 401)
        self.sim.order("POST", "/set", {"token_lifetime_s": 1})
        short = self.token("id-1", "secret-1")[1]
        self.assertEqual(short["expires_in"], 1)
        time.sleep(1.1)
        self.assertEqual(self.with_token("/me", short["access_token"])[0], 401)
        self.sim.order("POST", "/set", {"oauth2": {"client_id": "id-1", "revoked": True}})
        self.assertEqual(self.with_token("/me", token)[0], 401)

    def page(self, url):
        with contextlib.closing(self.sim.connect()) as link:
            link.request("GET", url[url.index("/auth/") :])
            return link.getresponse().read().decode()

    def test_a_wish_for_a_key_is_checked(self):
        for body in (
            None,
            {},
            {"accessRules": "x"},
            {"accessRules": [{"method": "GET"}]},
            {"accessRules": [{"method": "FETCH", "path": "/me"}]},
            {"accessRules": [], "more": 1},
        ):
            answer = self.sim.call("POST", "/auth/credential", body)
            self.assertEqual(answer.status, 400, body)
        headers = {"X-Ovh-Application": "unknown"}
        answer = self.sim.call(
            "POST", "/auth/credential", {"accessRules": []}, headers=headers
        )
        wanted = {"class": "Client::Forbidden", "message": "Invalid application key"}
        self.assertEqual((answer.status, answer.json), (403, wanted))

    def test_logout_and_revocation(self):
        other = {"application_key": self.sim.key, "rules": [{"method": "*", "path": "/*"}]}
        other["rules"] = [{"method": m, "path": "/*"} for m in ("GET", "POST", "DELETE")]
        key = self.sim.order("POST", "/seed", {"credentials": [other]})["credentials"][0]
        self.assertEqual(self.sim.call("GET", "/me", consumer=key["consumer_key"]).status, 200)
        gone = "/me/api/credential/%d" % key["id"]
        self.assertEqual(self.sim.call("DELETE", gone).json, None)
        self.assertEqual(self.sim.call("GET", gone).status, 404)
        self.refused(403, "INVALID_CREDENTIAL", consumer=key["consumer_key"])
        self.assertEqual(self.sim.call("POST", "/auth/logout").status, 200)
        self.refused(403, "INVALID_CREDENTIAL")

    def test_an_application_takes_its_keys_along(self):
        self.assertEqual(self.sim.call("DELETE", "/me/api/application/105668").status, 200)
        self.refused(403, "INVALID_KEY")

    def test_an_account_sees_its_own_only(self):
        seed = {
            "nics": [{"nichandle": "zz999999-ovh"}],
            "applications": [{"key": "B" * 16, "secret": "s" * 32, "nic": "zz999999-ovh"}],
            "domains": [{"domain": "autre.fr", "nic": "zz999999-ovh"}],
        }
        self.sim.order("POST", "/seed", seed)
        self.assertEqual(self.sim.get("/email/domain"), [simlib.DOMAIN])
        self.assertEqual(self.sim.call("GET", "/email/domain/autre.fr").status, 404)

    def test_rate(self):
        limits = {"rate_per_min": 60, "rate_burst": 3, "rate_retry_after_s": 7}
        self.sim.order("POST", "/set", limits)
        got = [self.sim.call("GET", "/me") for _ in range(5)]
        self.assertEqual([a.status for a in got], [200, 200, 200, 429, 429])
        self.assertEqual(got[4].headers["Retry-After"], "7")
        self.sim.order("POST", "/set", {"rate_retry_after_s": -1})
        self.assertIsNone(self.sim.call("GET", "/me").headers["Retry-After"])
        self.sim.order("POST", "/set", {"rate_per_min": 6000})
        time.sleep(0.05)
        self.assertEqual(self.sim.call("GET", "/me").status, 200)

    def test_both_roots_and_no_other(self):
        sim = self.sim
        first = sim.endpoint
        try:
            sim.endpoint = first.replace("/1.0", "/v1")
            self.assertEqual(sim.call("GET", "/me").status, 200)
            sim.endpoint = first.replace("/1.0", "/v2")
            self.assertEqual(sim.call("GET", "/me").status, 404)
            sim.endpoint = first.replace("/1.0", "")
            self.assertEqual(sim.call("GET", "/me").status, 404)
        finally:
            sim.endpoint = first


if __name__ == "__main__":
    unittest.main()
