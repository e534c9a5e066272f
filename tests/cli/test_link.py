#!/usr/bin/env python3
"""Linking a client to its OVH account, from the request for a key to its end, over the real
binary: the owner's approval is given on the page that the URL leads to, by its own form.

    test_link.py BUILD
"""

import calendar
import html.parser
import json
import os
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.cases import (Cases, Fd, describe, equal, exits, refusal, run,  # noqa: E402
                           true, vault_files)
from support.world import World  # noqa: E402

DOMAIN = World.DOMAIN
BOX = f"box0@{DOMAIN}"
KEY, SECRET = "SimAppKey0000001", "SimAppSecret00000000000000000001"
PAIR = Fd(f"{KEY}:{SECRET}\n".encode())
WORK = ["GET /me", "GET /auth/currentCredential", "GET /email/domain",
        f"GET /email/domain/{DOMAIN}", f"GET /email/domain/{DOMAIN}/*", f"POST /email/domain/{DOMAIN}/account",
        f"POST /email/domain/{DOMAIN}/account/*/changePassword"]


class Form(html.parser.HTMLParser):
    """The one form of a page: where it goes, and what it sends if nothing is touched."""

    def __init__(self, text):
        super().__init__()
        self.action = None
        self.fields = {}
        self.buttons = []
        self.select = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if tag == "form":
            self.action = attrs["action"]
        elif tag == "input":
            self.fields[attrs["name"]] = attrs.get("value", "")
        elif tag == "select":
            self.select = attrs["name"]
        elif tag == "option" and "selected" in attrs:
            self.fields[self.select] = attrs["value"]
        elif tag == "button":
            self.buttons.append(attrs["value"])


class Owner:
    """Opens the validation page as a browser would."""

    def __init__(self, world):
        self.tls = ssl.create_default_context(cafile=world.ready["ca"])

    def open(self, url, data=None):
        body = None if data is None else urllib.parse.urlencode(data).encode()
        with urllib.request.urlopen(url, data=body, context=self.tls, timeout=60) as page:
            return page.read().decode()

    def answer(self, url, decision, **changes):
        form = Form(self.open(url))
        true(decision in form.buttons, form.buttons)
        target = urllib.parse.urljoin(url, form.action)
        return self.open(target, {**form.fields, **changes, "decision": decision})


class Linked:
    """A world with a client that is not linked yet."""

    def __init__(self, world):
        self.world = world
        self.owner = Owner(world)

    def set_up(self):
        world = self.world
        exits(run(world, "init"), 0)
        world.control("POST", "/seed", {"domains": [{
            "domain": DOMAIN, "nic": world.ready["nic"],
            "accounts": [{"name": "box0", "password": "First-Pass-0-word"}]}]})
        self.add_client("essai")

    def add_client(self, name, domain=DOMAIN, nic=None):
        world = self.world
        exits(run(world, "client", "add", name, "--nic", nic or world.ready["nic"],
                  "--domain", domain, "--endpoint", world.ready["endpoint"], "--imap",
                  world.ready["imap"], "--rate", "0", "--settle", "1s", "--login-cache", "1s",
                  "--failed-logins", "16/1s"), 0)

    def set(self, **settings):
        self.world.control("POST", "/set", settings)

    def key_of(self, url):
        token = url.split("credentialToken=")[1]
        return next(row for row in self.world.control("GET", "/state")["credentials"].values()
                    if row.get("_token") == token)

    def link(self, *args, client="essai", **kwargs):
        return run(self.world, "--json", "ovh", "link", client, *args, **kwargs)

    def ask(self, *args, client="essai"):
        """The URL of a request that is left waiting."""
        done = self.link(*args, "--no-wait", client=client)
        if done.returncode == 2 and "--new" in done.stdout:
            done = self.link(*args, "--no-wait", "--new", client=client)
        exits(done, 10)
        return json.loads(done.stdout.splitlines()[0])["validation_url"]

    def client(self, name="essai"):
        return json.loads(exits(run(self.world, "--json", "client", "show", name), 0).stdout)

    def start(self, *args):
        """A waiting `ovh link`, and the URL that it prints."""
        args = ["--json", "--no-input", "--identity-file", self.world.identity, "ovh", "link",
                "essai", *args]
        process = subprocess.Popen([self.world.binary, *args], env=self.world.env(),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   stdin=subprocess.DEVNULL)
        url = json.loads(process.stdout.readline())["validation_url"]
        return process, url


def unwrap(found):
    return found.get("client", found) if isinstance(found.get("client"), dict) else found


def error_of(done, status):
    """The hint and message of a failed run, which may have printed a result before."""
    exits(done, status)
    return done.stderr + done.stdout


def check_asking(at, cases):
    with cases.case("the exact rules are asked for, and no more"):
        url = at.ask("--secret-fd", PAIR)
        rules = [f"{rule['method']} {rule['path']}" for rule in at.key_of(url)["rules"]]
        for rule in WORK:
            true(rule in rules, f"{rule} is not asked for: {rules}")
        changes = [rule for rule in rules if not rule.startswith("GET ")]
        true(all(rule.startswith(("POST /email/", "PUT /email/", "POST /v2/zimbra",
                                  "PUT /v2/zimbra", "POST /zimbra", "PUT /zimbra"))
                 for rule in changes), changes)
        true(not [rule for rule in rules if "domain/*" in rule], rules)
    with cases.case("the page lists what is asked for and has a form"):
        page = at.owner.open(url)
        true(f"POST /email/domain/{DOMAIN}/account/*/changePassword" in page, page)
        equal(Form(page).buttons, ["approve", "refuse"])
    with cases.case("a second try shows the same page and asks for no other key"):
        before = len(at.world.control("GET", "/state")["credentials"])
        equal(at.ask(), url)
        equal(len(at.world.control("GET", "/state")["credentials"]), before)
    with cases.case("resume looks after the key, too, and says where to agree"):
        done = exits(run(at.world, "resume"), 10)
        true(url in done.stdout and "ovh link essai" in done.stderr, describe(done))
    with cases.case("status and client show tell that a key waits"):
        found = json.loads(run(at.world, "--json", "status").stdout)["keys"]
        equal([(row["client"], row["for"], row["state"]) for row in found],
              [("essai", "work", "pending")])
        equal(unwrap(at.client())["keys"][0]["state"], "pending")
    with cases.case("the vault holds the pending key sealed"):
        secret = at.key_of(url)["_key"].encode()
        for name, text in vault_files(at.world).items():
            for word in (secret, SECRET.encode(), url.encode()):
                true(word not in text, f"{name} holds it in clear")
    with cases.case("a client that is not linked yet is told what it waits for"):
        error = refusal(run(at.world, "--json", "ovh", "inventory", "essai"), 13, "policy")
        true("approval" in error["hint"], error)


def check_approval(at, cases):
    with cases.case("the wait ends when the owner has approved on the page"):
        process, url = at.start("--wait", "60s")
        time.sleep(0.5)
        page = at.owner.answer(url, "approve", validity="2592000")
        true("validated" in page, page)
        out, errors = process.communicate(timeout=60)
        equal(process.returncode, 0, errors)
        found = json.loads(out.splitlines()[-1])
        equal((found["state"], found["nic"], found["missing"], found["wide"]),
              ("linked", at.world.ready["nic"], 0, False), found)
    with cases.case("the key works and its dates are shown"):
        exits(run(at.world, "role", "adopt", BOX), 0)
        exits(run(at.world, "ovh", "inventory", "essai"), 0)
        row = unwrap(at.client())["keys"][0]
        equal((row["for"], row["state"]), ("work", "good"))
        true(row["expires_at"] and row["last_use_at"], row)
        events = [row["event"] for row in
                  json.loads(run(at.world, "--json", "log").stdout)["log"]]
        true("ovh.key-asked" in events and "ovh.linked" in events, events)
    with cases.case("a key that ends in less than 14 days is warned of"):
        url = at.ask()
        at.owner.answer(url, "approve", validity="604800")
        exits(at.link(), 0)
        done = exits(run(at.world, "status"), 0)
        true("ends within 7 days" in done.stdout and "ends soon" in done.stderr,
             describe(done))


    with cases.case("no owner is bothered for a key that is there and good"):
        at.owner.answer(at.ask(), "approve", validity="7776000")
        exits(at.link(), 0)
        error = refusal(at.link(), 2, "usage", "linked already")
        true("--new" in error["hint"], error)


def check_refusal(at, cases):
    with cases.case("a refusal that OVH tells ends the request"):
        at.set(state_shown=True)
        url = at.ask()
        at.owner.answer(url, "refuse")
        error = refusal(at.link(), 8, "refused", "essai", "has refused")
        true("--new" in error["hint"], error)
        true(at.ask() != url, "the refused key is waited for again")
    with cases.case("a request that has expired ends, too"):
        url = at.ask()
        at.world.control("POST", "/credential/approve",
                         {"consumer_key": at.key_of(url)["_key"], "expire": True})
        refusal(at.link(), 8, "refused", "essai", "has expired")
    with cases.case("a request that OVH has forgotten ends"):
        at.set(state_shown=False, pending_ttl_s=1)
        at.ask()
        time.sleep(1.1)
        refusal(at.link(), 8, "refused", "essai", "dropped")
    with cases.case("a refusal that OVH does not tell leaves the key waiting"):
        at.set(pending_ttl_s=0)
        url = at.ask()
        at.owner.answer(url, "refuse")
        told = error_of(at.link("--wait", "1s"), 10)
        true("or has refused" in told, told)
    with cases.case("--new asks for another key"):
        true(at.ask("--new") != url, "the same key")
    with cases.case("a pending key that gets INVALID_SIGNATURE is waited for"):
        at.set(pending_signature=True)
        process, url = at.start("--new", "--wait", "60s")
        time.sleep(1.2)
        at.owner.answer(url, "approve")
        out, errors = process.communicate(timeout=60)
        equal(process.returncode, 0, out + errors)
        true("application secret" in errors, errors)
        at.set(pending_signature=False)
    with cases.case("an owner with another account is refused"):
        at.world.control("POST", "/seed", {"nics": [{"nichandle": "zz999999-ovh"}]})
        url = at.ask()
        at.owner.answer(url, "approve", account="zz999999-ovh")
        refusal(at.link(), 13, "policy", "zz999999-ovh")
        at.owner.answer(at.ask("--new"), "approve")
        exits(at.link(), 0)


def check_interruption(at, cases):
    with cases.case("Ctrl-C ends the wait with 10 and the next run goes on with the same key"):
        process, url = at.start("--new", "--wait", "60s")
        time.sleep(0.7)
        process.send_signal(signal.SIGINT)
        out, errors = process.communicate(timeout=60)
        equal(process.returncode, 10, out + errors)
        true("interrupted" in errors and "ovh link essai" in errors, errors)
        equal(at.ask(), url)
    with cases.case("a wait that is killed is gone on with by resume"):
        process, again = at.start("--wait", "60s")
        process.kill()
        process.wait()
        equal(again, url)
        at.owner.answer(url, "approve")
        done = exits(run(at.world, "--json", "resume"), 0)
        true('"state": "linked"' in done.stdout, describe(done))
        equal([row for row in json.loads(run(at.world, "--json", "status").stdout)["keys"]
               if row["state"] == "pending"], [])
    with cases.case("other runs work while one waits for an owner"):
        process, url = at.start("--new", "--wait", "60s")
        exits(run(at.world, "rotate", BOX), 0)
        at.owner.answer(url, "approve")
        out, errors = process.communicate(timeout=60)
        equal(process.returncode, 0, out + errors)
    with cases.case("the network fails while it waits, and comes back"):
        process, url = at.start("--new", "--wait", "60s")
        at.world.control("POST", "/faults", {"method": "GET", "path": "/auth/currentCredential",
                                             "kind": "502", "times": 5})
        at.owner.answer(url, "approve")
        out, errors = process.communicate(timeout=60)
        at.world.control("DELETE", "/faults")
        equal(process.returncode, 0, out + errors)
    with cases.case("no answer at all until the wait is over is a network error"):
        at.ask()
        at.world.control("POST", "/faults", {"method": "GET", "path": "/auth/*",
                                             "kind": "lost_before", "sticky": True})
        told = error_of(at.link("--no-wait"), 9)
        at.world.control("DELETE", "/faults")
        true("essai" in told, told)


def check_wrong_keys(at, cases):
    def config(**changes):
        fields = {"application_key": KEY, "application_secret": SECRET,
                  "consumer_key": at.world.ready["consumer_key"], **changes}
        path = os.path.join(at.world.home, "wrong.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("[ovh-eu]\n" + "".join(f"{n}={v}\n" for n, v in fields.items()))
        os.chmod(path, 0o600)
        return path

    at.add_client("faux", domain="faux.example")
    for name, changes, words in (
            ("application key", {"application_key": "x" * 16}, "application key"),
            ("application secret", {"application_secret": "x" * 32}, "application secret"),
            ("consumer key", {"consumer_key": "x" * 32}, "consumer key")):
        with cases.case(f"a wrong {name} in a file has its own message"):
            refusal(at.link("--config", config(**changes), client="faux"), 8, "refused",
                    words, "faux")
    with cases.case("a wrong application key in a request has its own message"):
        refusal(at.link("--secret-fd", Fd(b"nonsense:nonsense"), client="faux"), 8, "refused",
                "does not know the application key", "faux")
    with cases.case("a wrong application secret in a request is told at once and at the end"):
        bad = Fd(f"{KEY}:{'x' * 32}".encode())
        told = error_of(at.link("--secret-fd", bad, "--wait", "1s", client="faux"), 8)
        true("application secret" in told, told)
    with cases.case("the right secret for the same application goes on with the same key"):
        url = json.loads(at.link("--secret-fd", bad, "--no-wait", client="faux")
                         .stdout.splitlines()[0])["validation_url"]
        equal(at.ask("--secret-fd", PAIR, client="faux"), url)
        at.owner.answer(url, "approve")
        exits(at.link(client="faux"), 0)
    for state in ("pendingValidation", "expired", "refused"):
        with cases.case(f"a key that is {state} is told as such where OVH tells it"):
            key = {"consumer_key": at.world.ready["consumer_key"]}
            at.set(state_shown=True, credential={**key, "status": state})
            words = {"pendingValidation": "not approved", "expired": "has expired",
                     "refused": "has refused"}[state]
            refusal(at.link("--config", config(), client="faux"), 8, "refused", words)
            at.set(state_shown=False)
            refusal(at.link("--config", config(), client="faux"), 8, "refused",
                    "pending, expired, refused or revoked")
            at.set(credential={**key, "status": "validated"})
    with cases.case("a pair without a colon is a usage error"):
        refusal(at.link("--secret-fd", Fd(b"nonsense"), client="faux"), 2, "usage", "faux")
    with cases.case("options that contradict each other are usage errors"):
        for args in (["--for", "all"], ["--config", "x", "--no-wait"],
                     ["--wait", "1s", "--no-wait"], ["--service-account", "--new"]):
            refusal(at.link(*args), 2, "usage")


def check_rights(at, cases):
    config = at.world.config
    key = at.world.ready["consumer_key"]

    def rules(*texts):
        parts = [text.split(" ") for text in texts]
        at.set(credential={"consumer_key": key, "rules": [{"method": m, "path": p}
                                                          for m, p in parts]})

    with cases.case("each missing right is named, with the page to make a whole key"):
        rules(*WORK[:-1])
        done = exits(at.link("--config", config), 0)
        found = json.loads(done.stdout)
        equal((found["missing"], found["missing_rules"]), (1, [WORK[-1]]))
        query = urllib.parse.urlsplit(found["create_token"])
        true(query.path == "/createToken/" and f"POST=/email/domain/{DOMAIN}/account/*/"
             "changePassword" in query.query, found["create_token"])
        true(WORK[-1] in done.stderr and found["create_token"] in done.stderr, describe(done))
    with cases.case("a rule for any domain covers the client's"):
        rules("GET /me", "GET /auth/*", "GET /email/domain", "GET /email/domain/*",
              "POST /email/domain/*/account", "POST /email/domain/*/account/*/changePassword")
        found = json.loads(exits(at.link("--config", config), 0).stdout)
        equal((found["missing"], found["wide"]), (0, False), found)
    for wide in (f"DELETE /email/domain/{DOMAIN}/account/*", "POST /email/*", "PUT /*",
                 f"DELETE /email/domain/{DOMAIN}/redirection/*"):
        with cases.case(f"{wide} is wider than the work needs"):
            rules(*WORK, wide)
            refusal(at.link("--config", config), 13, "policy", wide)
    with cases.case("a wide key is taken when that is wished, and journalled"):
        found = json.loads(exits(at.link("--config", config, "--accept-wide"), 0).stdout)
        true(found["wide"], found)
        last = json.loads(run(at.world, "--json", "log").stdout)["log"]
        true([row for row in last if row["event"] == "ovh.linked-wide"], "not journalled")


def check_ends(at, cases):
    with cases.case("a key revoked in the middle of a rotation loses nothing"):
        at.owner.answer(at.ask("--new", "--secret-fd", PAIR), "approve")
        exits(at.link(), 0)
        at.world.control("POST", "/faults", {"method": "POST", "path": "*/changePassword",
                                             "kind": "revoke_credential"})
        done = run(at.world, "--json", "rotate", BOX)
        at.world.control("DELETE", "/faults")
        true(done.returncode in (8, 10), describe(done))
        true("revoked, expired" in done.stdout, describe(done))
        refusal(run(at.world, "--json", "ovh", "inventory", "essai"), 8, "refused",
                "was revoked")
        at.owner.answer(at.ask(), "approve")
        exits(at.link(), 0)
        exits(run(at.world, "resume"), 0)
        shown = run(at.world, "show", BOX, "--reveal").stdout.splitlines()[0]
        equal(shown, at.world.in_force(BOX))
    with cases.case("a key revoked before anything is sent ends the rotation at once"):
        at.world.control("POST", "/faults", {"method": "GET", "path": "*/task/account",
                                             "kind": "revoke_credential"})
        done = run(at.world, "--json", "rotate", BOX)
        at.world.control("DELETE", "/faults")
        exits(done, 8)
        true("was revoked" in done.stdout, describe(done))
        shown = run(at.world, "show", BOX, "--reveal").stdout.splitlines()[0]
        equal(shown, at.world.in_force(BOX))
        equal(at.world.role(BOX)["state"], "stable")
        at.owner.answer(at.ask(), "approve")
        exits(at.link(), 0)
    with cases.case("a key that expires in the middle of a rotation loses nothing"):
        url = at.ask()
        at.world.control("POST", "/credential/approve",
                         {"consumer_key": at.key_of(url)["_key"], "duration_s": 3600})
        exits(at.link(), 0)
        # The second look at the tasks finds the key's hour over, and the task does not end.
        at.world.control("POST", "/faults", [
            {"method": "POST", "path": "*/changePassword", "kind": "task_stuck"},
            {"method": "GET", "path": "*/task/account", "kind": "clock_skew", "nth": 2,
             "seconds": 7200}])
        done = run(at.world, "--json", "rotate", BOX)
        at.world.control("DELETE", "/faults")
        exits(done, 10)
        true("revoked, expired" in done.stdout, describe(done))
        refusal(run(at.world, "--json", "ovh", "inventory", "essai"), 8, "refused",
                "has expired")
        at.set(skew_s=0)
        at.world.control("POST", "/task/release", {})
        at.owner.answer(at.ask(), "approve")
        exits(at.link(), 0)
        exits(run(at.world, "resume"), 0)
        shown = run(at.world, "show", BOX, "--reveal").stdout.splitlines()[0]
        equal(shown, at.world.in_force(BOX))
    with cases.case("an expired key is told with its name in status"):
        url = at.ask()
        at.world.control("POST", "/credential/approve",
                         {"consumer_key": at.key_of(url)["_key"], "duration_s": 2})
        exits(at.link(), 0)
        time.sleep(2.1)
        keys = json.loads(run(at.world, "--json", "status").stdout)["keys"]
        equal([row["state"] for row in keys if row["client"] == "essai"], ["expired"])
        error = refusal(run(at.world, "--json", "ovh", "inventory", "essai"), 8, "refused",
                        "has expired")
        true("ovh link" in error["hint"], error)
        at.owner.answer(at.ask(), "approve")
        exits(at.link(), 0)


def check_cut(at, cases):
    with cases.case("the second key is for cutting only, and kept apart"):
        before = unwrap(at.client())["key_expires_at"]
        url = at.ask("--for", "cut")
        rules = [f"{rule['method']} {rule['path']}" for rule in at.key_of(url)["rules"]]
        for rule in (f"DELETE /email/domain/{DOMAIN}/redirection/*",
                     f"DELETE /email/domain/{DOMAIN}/account/*/delegation/*",
                     f"DELETE /email/domain/{DOMAIN}/mailingList/*/moderator/*",
                     "DELETE /email/mxplan/*/account/*/fullAccess/*",
                     "DELETE /me/api/credential/*", "DELETE /me/api/application/*",
                     f"POST /domain/{DOMAIN}/changeContact"):
            true(rule in rules, f"{rule} is not asked for")
        true(not [rule for rule in rules if rule.endswith("changePassword")], rules)
        at.owner.answer(url, "approve", validity="86400")
        found = json.loads(exits(at.link("--for", "cut"), 0).stdout)
        equal((found["for"], found["missing"], found["wide"]), ("cut", 0, False), found)
        shown = unwrap(at.client())
        equal(shown["key_expires_at"], before)
        equal(sorted(row["for"] for row in shown["keys"]), ["cut", "work"])
        exits(run(at.world, "rotate", BOX), 0)
    with cases.case("an owner who grants it for ever grants a day"):
        url = at.ask("--for", "cut", "--new")
        at.owner.answer(url, "approve", validity="0")
        found = json.loads(exits(at.link("--for", "cut"), 0).stdout)
        ends = time.strptime(found["expires_at"], "%Y-%m-%dT%H:%M:%SZ")
        left = calendar.timegm(ends) - time.time()
        true(23 * 3600 < left <= 24 * 3600 + 5, found)
    with cases.case("a key that may change passwords is too wide for cutting"):
        at.set(credential={"consumer_key": at.world.ready["consumer_key"],
                           "rules": [{"method": m, "path": "/*"}
                                     for m in ("GET", "POST", "PUT", "DELETE")]})
        refusal(at.link("--for", "cut", "--config", at.world.config), 13, "policy", "essai")


def check_account(at, cases):
    secret = Fd(b"client-0001:secret-0001")
    at.add_client("compte", domain="compte.example")
    at.world.control("POST", "/seed", {
        "oauth2_clients": [{"nic": at.world.ready["nic"], "client_id": "client-0001",
                            "client_secret": "secret-0001", "actions": []}],
        "domains": [{"domain": "compte.example", "nic": at.world.ready["nic"],
                     "accounts": [{"name": "sav", "password": "First-Pass-0-word"}]}]})

    def account(**change):
        at.set(oauth2={"client_id": "client-0001", **change})

    def tokens():
        return at.world.control("GET", "/oauth2")["tokens_given"]

    def link(pair=secret):
        return at.link("--service-account", "--secret-fd", pair, client="compte")

    with cases.case("a wrong service account, and a wrong secret of one, are refused"):
        for wrong in (b"client-0001:nonsense", b"nonsense:secret-0001"):
            refusal(link(Fd(wrong)), 8, "refused", "service account", "compte")
    with cases.case("what its IAM policies do not allow is named"):
        found = json.loads(exits(link(), 0).stdout)
        equal((found["service_account"], found["missing"]), (True, 1), found)
        told = json.loads(run(at.world, "--json", "role", "adopt", "sav@compte.example")
                          .stdout.splitlines()[0])
        true("emailDomain:apiovh:get" in told["error"]["message"], told)
    with cases.case("a service account works, and no call of it is signed"):
        account(actions=["emailDomain:apiovh:*"])
        equal(json.loads(exits(link(), 0).stdout)["missing"], 0)
        exits(run(at.world, "role", "adopt", "sav@compte.example"), 0)
        shown = run(at.world, "client", "show", "compte").stdout
        true("Service account" in shown, shown)
    with cases.case("one run asks for one token"):
        before = tokens()
        exits(run(at.world, "rotate", "sav@compte.example"), 0)
        equal(tokens() - before, 1)
    with cases.case("a token that ends in the middle of a rotation is renewed"):
        before = tokens()
        at.set(token_lifetime_s=1, task_delay_ms=2500)
        exits(run(at.world, "rotate", "sav@compte.example"), 0)
        at.set(token_lifetime_s=3599, task_delay_ms=300)
        true(tokens() - before >= 2, tokens() - before)
        shown = run(at.world, "show", "sav@compte.example", "--reveal").stdout.splitlines()[0]
        equal(shown, at.world.in_force("sav@compte.example"))
    with cases.case("a token that OVH forgets early is renewed after a 401"):
        before = tokens()
        at.set(task_delay_ms=2000)
        forget = threading.Timer(1.0, account, kwargs={"forget_tokens": True})
        forget.start()
        exits(run(at.world, "rotate", "sav@compte.example"), 0)
        forget.join()
        at.set(task_delay_ms=300)
        equal(tokens() - before, 2)
    with cases.case("a service account that was removed is refused"):
        account(revoked=True)
        done = run(at.world, "--json", "rotate", "sav@compte.example")
        exits(done, 8)
        true("service account" in done.stdout, describe(done))
        account(revoked=False)
    with cases.case("an ovh.conf may hold a service account"):
        path = os.path.join(at.world.home, "account.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write("[ovh-eu]\nclient_id=client-0001\nclient_secret=secret-0001\n")
        os.chmod(path, 0o600)
        found = json.loads(exits(at.link("--config", path, client="compte"), 0).stdout)
        equal(found["service_account"], True)
    with cases.case("nothing of a service account stands in clear"):
        for name, text in vault_files(at.world).items():
            true(b"secret-0001" not in text or name.endswith("account.conf"), name)


def main():
    cases = Cases()
    with World(sys.argv[1]) as world:
        at = Linked(world)
        at.set_up()
        for check in (check_asking, check_approval, check_refusal, check_interruption,
                      check_wrong_keys, check_rights, check_ends, check_cut, check_account):
            check(at, cases)
    sys.exit(cases.finish())


if __name__ == "__main__":
    main()
