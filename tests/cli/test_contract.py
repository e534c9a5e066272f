#!/usr/bin/env python3
"""The contract of the command line, held against the real binary.

    test_contract.py BUILD

What scripts rely on: JSON members, exit codes, which stream says what, how secrets are given,
and that --no-input never asks.
"""

import json
import os
import pty
import re
import select
import signal
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.cases import (Cases, Fd, describe, differences, equal, exits, refusal,  # noqa: E402
                           run, true, vault_files)
from support.world import World  # noqa: E402

COMMANDS = ["init", "unlock", "lock", "status", "client add", "client ls", "client show",
            "client set", "client rm", "ovh link", "ovh inventory", "role add", "role adopt",
            "role ls", "role rm", "show", "secret add", "secret set", "secret ls", "secret rm",
            "verify", "rotate", "resume", "log", "slot add", "slot ls", "key show", "backup",
            "restore"]
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
PASSPHRASE = b"peaufiner-caillou-dromadaire-47-violon"
DOMAIN = World.DOMAIN


def is_time(value):
    return isinstance(value, str) and bool(TIME.match(value))


def words(done, status=0):
    """The JSON object that a command printed, alone."""
    exits(done, status)
    equal(len(done.stdout.splitlines()), 1, f"lines on stdout: {describe(done)}")
    return json.loads(done.stdout)


def rows(done, status=0):
    """One object per mailbox, and the summary."""
    exits(done, status)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    true(found and list(found[-1]) == ["summary"], f"no summary at the end: {describe(done)}")
    for row in found[:-1]:
        for name in ("address", "result", "version", "verified", "old_dead", "error"):
            true(name in row, f"'{name}' is missing in {row}")
        true(isinstance(row["verified"], bool), "verified is no boolean")
        true(row["old_dead"] in (None, True, False), "old_dead is no truth value")
    return found[:-1], found[-1]["summary"]


def member(found, *names):
    for name in names:
        true(name in found, f"'{name}' is missing in {found}")
    return found


# --- before there is a vault ---

def check_help(world, cases):
    with cases.case("--version"):
        done = exits(run(world, "--version", key=False), 0)
        true(re.match(r"passation \d+\.\d+", done.stdout), done.stdout)
        equal(done.stderr, "")
    with cases.case("--exit-codes prints 0 to 13"):
        done = exits(run(world, "--exit-codes", key=False), 0)
        equal([int(line.split()[0]) for line in done.stdout.splitlines()], list(range(14)))
    for name in COMMANDS:
        with cases.case(f"help {name}"):
            done = exits(run(world, "help", *name.split(), key=False), 0)
            true(f"passation {name}" in done.stdout, "the command is not named")
            true("Examples:" in done.stdout, "no examples")
            true(done.stdout.index("Examples:") < done.stdout.index("Usage:"),
                 "examples come first")
            equal(done.stderr, "", "stderr")
            same = exits(run(world, *name.split(), "--help", key=False), 0)
            equal(same.stdout, done.stdout, f"{name} --help")
            equal(exits(run(world, "-h", *name.split(), key=False), 0).stdout, done.stdout)
    with cases.case("help lists every command, and no helper of our own"):
        done = exits(run(world, "help", key=False), 0)
        for name in COMMANDS:
            true(re.search(rf"^  {re.escape(name)}\b", done.stdout, re.M), name)
        true("cleaner" not in done.stdout and "  agent" not in done.stdout, "helpers are listed")


def check_usage(world, cases):
    wrong = [
        ("no command", [], ""),
        ("an unknown command", ["frobnicate"], "frobnicate"),
        ("half a command", ["role"], "role"),
        ("an unknown second word", ["role", "frob"], "role frob"),
        ("an unknown option", ["status", "--frob"], "--frob"),
        ("an unknown letter", ["status", "-Z"], "-Z"),
        ("a missing argument", ["client", "add"], "client add"),
        ("an argument too many", ["status", "extra", "more"], "more"),
        ("a value for a flag", ["status", "--json=yes"], "--json"),
        ("an option twice", ["status", "--vault", "a", "--vault", "b"], "--vault"),
        ("a flag twice", ["--yes", "status", "-y"], "--yes"),
        ("a letter twice", ["rotate", "a@b.fr", "-n", "-n"], "--dry-run"),
        ("no value", ["status", "--vault"], "--vault"),
        ("a descriptor that is no number", ["status", "--passphrase-fd", "x"], "'x'"),
        ("a descriptor that is not open", ["status", "--passphrase-fd", "77"], "77"),
        ("a descriptor twice", ["status", "--passphrase-fd", "0", "--recovery-fd", "0"], "0"),
    ]
    for name, args, said in wrong:
        with cases.case(f"usage: {name}"):
            done = exits(run(world, *args, key=False), 2)
            equal(done.stdout, "", "stdout")
            true(said in done.stderr, describe(done))
            true("passation" in done.stderr, "no next step")
    with cases.case("a slip of the finger is recognized"):
        true("'rotate'" in run(world, "rotat", key=False).stderr, "did you mean rotate?")
        true("--reveal" in run(world, "show", "--reveel", key=False).stderr, "--reveal?")
        true("'role adopt'" in run(world, "role", "adpt", key=False).stderr, "role adopt?")
    with cases.case("an error of usage is JSON too"):
        refusal(run(world, "--json", "status", "extra", "more", key=False), 2, "usage", "more")
    for args in (["status"], ["role", "ls"], ["show", "a@b.fr"], ["backup", "x"], ["unlock"]):
        with cases.case(f"no vault: {' '.join(args)}"):
            error = refusal(run(world, "--json", *args), 4, "not_found", "vault.db")
            true("passation init" in error["hint"], "no advice")
    with cases.case("nothing of that left a file"):
        equal([name for name in vault_files(world) if name != "identity.txt"], [])


# --- init and ways in ---

def check_init(world, cases):
    home = world.home
    recovery = os.path.join(home, "recovery.txt")
    vault = os.path.join(home, "data/passation/vault.db")
    with cases.case("init without a key under --no-input"):
        refusal(run(world, "--json", "--no-input", "init", key=False), 2, "usage")
        true(not os.path.exists(vault), "a vault was made")
    for name, text in (("short", b"Kx7-vq9-Pz"), ("common", b"passwordpassword1")):
        with cases.case(f"init with a passphrase that is too weak: {name}"):
            refusal(run(world, "--json", "--no-input", "init", "--passphrase-fd", Fd(text),
                        key=False), 13, "policy")
            true(not os.path.exists(vault), "a vault was made")
    with cases.case("init with an identity that is not there"):
        refusal(run(world, "--json", "--no-input", "--identity-file", home + "/none", "init",
                    key=False), 4, "not_found", "none")
    with cases.case("init with an identity that is none"):
        path = os.path.join(home, "no-identity")
        with open(path, "w") as file:
            file.write("hello\n")
        os.chmod(path, 0o600)
        done = run(world, "--json", "--no-input", "--identity-file", path, "init", key=False)
        true(done.returncode in (2, 5), describe(done))
        os.unlink(path)
    with cases.case("init never writes over a file with the recovery code"):
        with open(recovery, "w") as file:
            file.write("mine\n")
        refusal(run(world, "--json", "init", "--recovery-out", recovery), 7, "exists",
                "recovery.txt")
        with open(recovery) as file:
            equal(file.read(), "mine\n")
        os.unlink(recovery)
        true(not os.path.exists(vault), "a vault was made")
    with cases.case("init without a way to give the recovery code says so"):
        other = os.path.join(home, "other.db")
        done = exits(run(world, "--vault", other, "init"), 0)
        true("warning" in done.stderr and "recovery" in done.stderr, describe(done))
        listed = words(run(world, "--vault", other, "--json", "slot", "ls"))["slots"]
        equal([slot["kind"] for slot in listed], ["identity"])
    with cases.case("init"):
        done = run(world, "--json", "init", "--recovery-out", recovery, "--as", "jp",
                   "--name", "Jean-Pierre", "--email", "jp@agence.example",
                   "--passphrase-fd", Fd(PASSPHRASE + b"\n"))
        words(done)
        for path in (recovery, vault):
            equal(stat.S_IMODE(os.stat(path).st_mode), 0o600, path)
        with open(recovery) as file:
            code = re.search(r"([0-9A-Z]{4,}(-[0-9A-Z]+)+)", file.read().upper())
        true(code, "no code in the file")
        true(code.group(1) not in (done.stdout + done.stderr).upper(), "the code was printed")
        world.recovery = code.group(1)
    with cases.case("init over a vault"):
        refusal(run(world, "--json", "init"), 7, "exists", "vault.db")
    with cases.case("slot ls"):
        listed = words(run(world, "--json", "slot", "ls"))["slots"]
        equal(sorted(slot["kind"] for slot in listed), ["identity", "passphrase", "recovery"])
        for slot in listed:
            equal(slot["person"], "jp")


def check_unlocking(world, cases):
    base = ["--json", "--no-input", "slot", "ls"]
    recovery = world.recovery.encode()

    def attempt(*args):
        return run(world, *base, *args, key=False)

    with cases.case("the passphrase, with its final newline, opens"):
        words(attempt("--passphrase-fd", Fd(PASSPHRASE + b"\n")))
    path = os.path.join(world.home, "passphrase")
    with cases.case("--passphrase-file"):
        with open(path, "wb") as file:
            file.write(PASSPHRASE + b"\n")
        os.chmod(path, 0o600)
        words(attempt("--passphrase-file", path))
        os.unlink(path)
    with cases.case("only one final newline is removed"):
        refusal(attempt("--passphrase-fd", Fd(PASSPHRASE + b"\n\n")), 5, "wrong_passphrase")
    with cases.case("a wrong passphrase"):
        refusal(attempt("--passphrase-fd", Fd(b"not-this-one-at-all-91")), 5,
                "wrong_passphrase")
    for name, code in (("as printed", recovery), ("in lower case", recovery.lower()),
                       ("without hyphens", recovery.replace(b"-", b"")),
                       ("with blanks", recovery.replace(b"-", b" "))):
        with cases.case(f"the recovery code {name}"):
            words(attempt("--recovery-fd", Fd(code)))
    with cases.case("a wrong recovery code"):
        swapped = recovery[:-1] + (b"2" if recovery[-1:] != b"2" else b"3")
        done = attempt("--recovery-fd", Fd(swapped))
        refusal(done, 5)
    with cases.case("another identity"):
        other = os.path.join(world.home, "other.txt")
        subprocess.run(["age-keygen", "-o", other], check=True, capture_output=True)
        refusal(attempt("--identity-file", other), 5, "wrong_passphrase")
    with cases.case("no key at all under --no-input"):
        error = refusal(attempt(), 5, "locked")
        true(error["hint"], "no hint")
    with cases.case("no terminal counts as --no-input"):
        done = run(world, "--json", "slot", "ls", key=False, start_new_session=True)
        refusal(done, 5, "locked")
    with cases.case("slot add makes a way in for another person"):
        words(run(world, "--json", "slot", "add", "claire", "--new-passphrase-fd",
                  Fd(b"brouette-hibou-savane-33-ficelle")))
        listed = words(run(world, "--json", "slot", "ls", "--passphrase-fd",
                           Fd(b"brouette-hibou-savane-33-ficelle"), "--no-input",
                           key=False))["slots"]
        equal(sorted(slot["person"] for slot in listed), ["claire", "jp", "jp", "jp"])
    with cases.case("slot add with a weak passphrase"):
        refusal(run(world, "--json", "slot", "add", "paul", "--new-passphrase-fd",
                    Fd(b"azertyuiop12")), 13, "policy")
    with cases.case("slot add of a person whose id has a wrong form"):
        refusal(run(world, "--json", "slot", "add", "Paul@x", "--new-identity-file",
                    os.path.join(world.home, "other.txt")), 2, "usage")
    with cases.case("slot add with an identity"):
        words(run(world, "--json", "slot", "add", "paul", "--new-identity-file",
                  os.path.join(world.home, "other.txt")))
        words(attempt("--identity-file", os.path.join(world.home, "other.txt")))


# --- clients and OVH ---

def check_clients(world, cases):
    nic = world.ready["nic"]
    add = ["--json", "client", "add"]
    wrong = [
        ("a wrong id", ["Martin@x", "--nic", nic, "--domain", "a.fr"], "Martin@x"),
        ("no NIC handle", ["martin", "--domain", "a.fr"], "martin"),
        ("no domain", ["martin", "--nic", nic], "martin"),
        ("a NIC handle that is an address", ["martin", "--nic", "x@y.fr", "--domain", "a.fr"],
         "x@y.fr"),
        ("a NIC handle without -ovh", ["martin", "--nic", "xm12345", "--domain", "a.fr"],
         "xm12345"),
        ("a domain that is none", ["martin", "--nic", nic, "--domain", "not a domain"],
         "not a domain"),
        ("http", ["martin", "--nic", nic, "--domain", "a.fr", "--endpoint",
                  "http://127.0.0.1/1.0"], "http://127.0.0.1/1.0"),
        ("imap in clear", ["martin", "--nic", nic, "--domain", "a.fr", "--imap",
                           "imap://127.0.0.1:143"], "imap://127.0.0.1:143"),
        ("smtp in clear", ["martin", "--nic", nic, "--domain", "a.fr", "--smtp",
                           "smtp://127.0.0.1:25"], "smtp://127.0.0.1:25"),
        ("a rate above OVH's", ["martin", "--nic", nic, "--domain", "a.fr", "--rate",
                                "61/min"], "60/min"),
        ("no rate limit at OVH", ["martin", "--nic", nic, "--domain", "a.fr", "--rate", "0"],
         "60"),
        ("a settle time under OVH's floor", ["martin", "--nic", nic, "--domain", "a.fr",
                                             "--settle", "9m"], "10m"),
        ("a login cache under OVH's floor", ["martin", "--nic", nic, "--domain", "a.fr",
                                             "--login-cache", "60m"], "61m"),
        ("more failed logins than OVH's floor", ["martin", "--nic", nic, "--domain", "a.fr",
                                                 "--failed-logins", "4/5m"], "3/5m"),
        ("a duration that is none", ["martin", "--nic", nic, "--domain", "a.fr", "--settle",
                                     "soon"], "soon"),
    ]
    for name, args, said in wrong:
        with cases.case(f"client add: {name}"):
            refusal(run(world, *add, *args), 2, "usage", said)
    with cases.case("client add at OVH itself, slower than the floors"):
        words(run(world, *add, "durand", "--nic", "XD000000-OVH", "--domain", "durand.fr",
                  "--domain", "durand.com", "--name", "Menuiserie Durand", "--rate", "30/min",
                  "--settle", "15m", "--login-cache", "2h", "--failed-logins", "2/10m"))
        found = words(run(world, "--json", "client", "show", "durand"))
        equal(found["nic"], "xd000000-ovh")
        equal(found["domains"], ["durand.fr", "durand.com"])
        equal(found["name"], "Menuiserie Durand")
    with cases.case("client add with a URL endpoint takes any limit"):
        words(run(world, *add, "essai", "--nic", nic, "--domain", DOMAIN, "--endpoint",
                  world.ready["endpoint"], "--imap", world.ready["imap"], "--rate", "0",
                  "--settle", "1s", "--login-cache", "1s", "--failed-logins", "16/1s"))
    with cases.case("client add of an id that exists"):
        refusal(run(world, *add, "durand", "--nic", nic, "--domain", "new.fr"), 7, "exists",
                "durand")
    with cases.case("client add of a domain that another client has"):
        refusal(run(world, *add, "dupont", "--nic", nic, "--domain", "DURAND.fr"), 7, "exists",
                "durand.fr")
    with cases.case("client ls"):
        found = words(run(world, "--json", "client", "ls"))
        equal([row["id"] for row in found["clients"]], ["durand", "essai"])
        plain = exits(run(world, "client", "ls"), 0)
        true("durand.fr" in plain.stdout and "essai" in plain.stdout, plain.stdout)
    with cases.case("client set under the floor of OVH's endpoint"):
        for option, value in (("--rate", "90/min"), ("--settle", "1s"),
                              ("--login-cache", "1m"), ("--failed-logins", "9/5m")):
            refusal(run(world, "--json", "client", "set", "durand", option, value), 2, "usage")
        found = words(run(world, "--json", "client", "show", "durand"))
        equal(found["limits"], {"rate_per_min": 30, "settle_s": 900, "login_cache_s": 7200,
                                "failed_logins": 2, "failed_logins_window_s": 600})
    with cases.case("client set"):
        found = words(run(world, "--json", "client", "set", "durand", "--domain", "durand.fr"))
        equal(found["domains"], ["durand.fr"])
    with cases.case("client set and show of one that is unknown"):
        refusal(run(world, "--json", "client", "set", "nobody", "--rate", "30/min"), 4,
                "not_found", "nobody")
        refusal(run(world, "--json", "client", "show", "nobody"), 4, "not_found", "nobody")
    with cases.case("client rm of one without passwords"):
        words(run(world, "--json", "client", "rm", "durand"))
        equal([row["id"] for row in words(run(world, "--json", "client", "ls"))["clients"]],
              ["essai"])


def check_ovh(world, cases):
    with cases.case("ovh inventory before ovh link"):
        error = refusal(run(world, "--json", "ovh", "inventory", "essai"), 13, "policy",
                        "essai")
        true("ovh link" in error["hint"], error)
    with cases.case("ovh link without a credential, no one to ask"):
        refusal(run(world, "--json", "ovh", "link", "essai"), 2, "usage", "essai")
    world.control("POST", "/set", {"credential": {
        "consumer_key": world.ready["consumer_key"],
        "rules": [{"method": method, "path": "/*"} for method in ("GET", "POST", "PUT", "DELETE")],
    }})
    with cases.case("ovh link with a key that may do more than needed"):
        refusal(run(world, "--json", "ovh", "link", "essai", "--config", world.config), 13,
                "policy", "essai")
    with cases.case("ovh link --accept-wide is journalled"):
        done = run(world, "--json", "ovh", "link", "essai", "--config", world.config,
                   "--accept-wide")
        found = words(done)
        equal(found["nic"], world.ready["nic"])
        true("PASSATION_CA_FILE" in done.stderr, "the extra CA is not told")
        listed = words(run(world, "--json", "log"))["log"]
        true([row for row in listed if row.get("event") == "ovh.linked-wide"], "not journalled")
    with cases.case("ovh inventory"):
        found = words(run(world, "--json", "ovh", "inventory", "essai"))
        true(found["findings"], "nothing was found")
        for row in found["findings"]:
            member(row, "id", "kind", "subject", "detail")
        boxes = [row["subject"] for row in found["findings"] if row["kind"] == "mailbox"]
        equal(sorted(boxes), [f"box{i}@{DOMAIN}" for i in range(4)])
        before = world.control("GET", "/state")["counters"]["requests"]
        exits(run(world, "ovh", "inventory", "essai"), 0)
        log = [row for row in world.control("GET", f"/log?since={before}")["log"]]
        true(all(row.get("method") == "GET" for row in log), "inventory is not read-only")


# --- roles ---

def check_roles(world, cases):
    boxes = [f"box{i}@{DOMAIN}" for i in range(4)]
    with cases.case("role add"):
        done = run(world, "--json", "role", "add", f"technique@{DOMAIN}", f"sav@{DOMAIN}")
        found, summary = rows(done)
        # As they end, not as they were named.
        equal(sorted((row["address"], row["result"], row["version"], row["verified"])
                     for row in found),
              [(f"sav@{DOMAIN}", "created", 1, True), (f"technique@{DOMAIN}", "created", 1,
                                                       True)])
        true(summary, "an empty summary")
    with cases.case("role adopt by rotation"):
        found, _ = rows(run(world, "--json", "role", "adopt", boxes[0], boxes[1]))
        equal([row["result"] for row in found], ["adopted", "adopted"])
        true(world.in_force(boxes[0]) != "First-Pass-0-word", "the password is the old one")
    with cases.case("role adopt with a wrong known password"):
        done = run(world, "--json", "role", "adopt", boxes[2], "--secret-fd",
                   Fd(b"Not-The-Password"))
        found, _ = rows(done, 11)
        equal(found[0]["result"], "failed")
        equal(found[0]["error"]["exit"], 11)
        refusal(run(world, "--json", "show", boxes[2]), 4, "not_found", boxes[2])
    with cases.case("role adopt with the known password"):
        found, _ = rows(run(world, "--json", "role", "adopt", boxes[2], "--secret-fd",
                            Fd(b"First-Pass-2-word\n")))
        equal((found[0]["result"], found[0]["verified"]), ("adopted", True))
        equal(world.in_force(boxes[2]), "First-Pass-2-word")
    with cases.case("role adopt with one password for two mailboxes"):
        refusal(run(world, "--json", "role", "adopt", boxes[3], boxes[2], "--secret-fd",
                    Fd(b"x")), 2, "usage")
    with cases.case("role add of what exists at OVH"):
        found, _ = rows(run(world, "--json", "role", "add", boxes[3]), 7)
        equal(found[0]["error"]["code"], "exists")
        true("role adopt" in found[0]["error"]["hint"], found)
    with cases.case("role add and adopt of what is in the vault"):
        refusal(run(world, "--json", "role", "add", boxes[0]), 7, "exists", boxes[0])
        refusal(run(world, "--json", "role", "adopt", boxes[0]), 7, "exists", boxes[0])
    with cases.case("role ls: members and order"):
        found = words(run(world, "--json", "role", "ls"))["roles"]
        equal([row["address"] for row in found],
              [*boxes[:3], f"sav@{DOMAIN}", f"technique@{DOMAIN}"])
        for row in found:
            member(row, "address", "client", "backend", "version", "changed_at", "verified_at",
                   "state")
            equal((row["client"], row["backend"], row["state"]),
                  ("essai", "email/domain", "stable"))
            true(is_time(row["changed_at"]) and is_time(row["verified_at"]), row)
    for glob, count in (("box?@*", 3), ("*@essai.example", 5), ("technique@*", 1), ("*", 5),
                        ("BOX1@ESSAI.EXAMPLE", 1), ("*@autre.example", 0)):
        with cases.case(f"role ls {glob}"):
            found = words(run(world, "--json", "role", "ls", glob))["roles"]
            equal(len(found), count)
    with cases.case("role list is role ls"):
        equal(run(world, "role", "list").stdout, run(world, "role", "ls").stdout)
    with cases.case("role ls --names has each address once, and nothing else"):
        named = run(world, "role", "ls", "--names").stdout.splitlines()
        listed = words(run(world, "--json", "role", "ls"))["roles"]
        equal(sorted(named), sorted(row["address"] for row in listed))
        refusal(run(world, "--json", "role", "ls", "--names"), 2, "usage", "--names")
    with cases.case("role ls of an address that is unknown"):
        error = refusal(run(world, "--json", "role", "ls", f"boxx@{DOMAIN}"), 4, "not_found",
                        f"boxx@{DOMAIN}")
        true(error["hint"], "no hint")
    with cases.case("role rm wants the address again"):
        refusal(run(world, "--json", "role", "rm", f"sav@{DOMAIN}"), 13, "policy",
                f"sav@{DOMAIN}")
        refusal(run(world, "--json", "-y", "role", "rm", f"sav@{DOMAIN}"), 13, "policy")
        refusal(run(world, "--json", "role", "rm", f"sav@{DOMAIN}", "--confirm", boxes[0]), 13)
        words(run(world, "--json", "role", "remove", f"sav@{DOMAIN}", "--confirm",
                  f"sav@{DOMAIN}"))
        true(world.in_force(f"sav@{DOMAIN}"), "the mailbox is gone at OVH")
    with cases.case("client rm wants the id again"):
        refusal(run(world, "--json", "client", "rm", "essai"), 13, "policy", "essai")
        refusal(run(world, "--json", "client", "rm", "essai", "--confirm", "durand"), 13)


def check_show(world, cases):
    box = f"box0@{DOMAIN}"
    with cases.case("show masks"):
        done = exits(run(world, "show", box), 0)
        true(world.in_force(box) not in done.stdout + done.stderr, "the password is shown")
        equal(words(run(world, "--json", "show", box))["password"], None)
    with cases.case("show --reveal: the password alone on line 1"):
        done = exits(run(world, "show", box, "--reveal"), 0)
        equal(done.stdout.splitlines()[0], world.in_force(box))
        true(re.fullmatch(r"(?:[^-]{5}-){3}[^-]{5}", done.stdout.splitlines()[0]), "its form")
        true(world.in_force(box) not in done.stderr, "on stderr too")
    with cases.case("show --reveal --json"):
        found = words(run(world, "--json", "show", box, "--reveal"))
        member(found, "address", "username", "password", "version", "changed_at",
               "verified_at", "imap", "smtp", "webmail")
        equal((found["address"], found["username"], found["password"], found["version"]),
              (box, box, world.in_force(box), 1))
        for name in ("imap", "smtp"):
            equal(sorted(found[name]), ["host", "port", "security"])
    with cases.case("global options may stand after the command"):
        done = exits(run(world, "show", box, "--reveal", "--json", "--vault",
                         os.path.join(world.home, "data/passation/vault.db")), 0)
        equal(json.loads(done.stdout)["password"], world.in_force(box))
    with cases.case("show of an unknown address"):
        refusal(run(world, "--json", "show", f"bxo0@{DOMAIN}", "--reveal"), 4, "not_found",
                f"bxo0@{DOMAIN}")
    with cases.case("show of something that is no address"):
        refusal(run(world, "--json", "show", "box0"), 2, "usage", "box0")
    with cases.case("options that exclude each other"):
        for args in (["--reveal", "-c"], ["-c", "-q"], ["--versions", "-c"]):
            exits(run(world, "show", box, *args), 2)
    with cases.case("show -q does not draw into a pipe"):
        done = run(world, "show", box, "-q")
        true(done.returncode in (4, 13), describe(done))
        equal(done.stdout, "")


def check_secrets(world, cases):
    box = f"box0@{DOMAIN}"
    add = ["--json", "secret", "add", box]
    with cases.case("secret add"):
        found = words(run(world, *add, "ftp", "--type", "ftp", "--user", "martin", "--url",
                          "ftp://ftp.martin.fr", "--expires", "2027-06-30", "--note", "old",
                          "--secret-fd", Fd(b"Ftp-Value-One\n")))
        first = found["version"]  # not 1: a mailbox was removed before
        true(first > 1, found)
    with cases.case("secret add over a label"):
        refusal(run(world, *add, "ftp", "--secret-fd", Fd(b"x")), 7, "exists", "ftp")
    for name, args, said in (("type", ["--type", "gizmo"], "gizmo"),
                             ("date", ["--expires", "30/06/2027"], box),
                             ("empty value", [], box)):
        with cases.case(f"secret add: wrong {name}"):
            value = Fd(b"" if name == "empty value" else b"x")
            refusal(run(world, *add, "other", *args, "--secret-fd", value), 2, "usage", said)
    with cases.case("secret add without a value"):
        refusal(run(world, *add, "other"), 2, "usage", box)
    with cases.case("secret add for an unknown role"):
        refusal(run(world, "--json", "secret", "add", f"no@{DOMAIN}", "ftp", "--secret-fd",
                    Fd(b"x")), 4, "not_found", f"no@{DOMAIN}")
    with cases.case("secret ls"):
        found = words(run(world, "--json", "secret", "ls", box))["secrets"]
        equal(len(found), 1)
        expected = {"address": box, "label": "ftp", "type": "ftp", "user": "martin",
                    "url": "ftp://ftp.martin.fr", "expires": "2027-06-30", "version": first}
        equal({name: found[0].get(name) for name in expected}, expected)
        true("Ftp-Value-One" not in run(world, "secret", "ls").stdout, "the value is listed")
    with cases.case("show ADDRESS LABEL"):
        true("Ftp-Value-One" not in run(world, "show", box, "ftp").stdout, "not masked")
        done = exits(run(world, "show", box, "ftp", "--reveal"), 0)
        equal(done.stdout.splitlines()[0], "Ftp-Value-One")
    with cases.case("secret set makes a version, secret set of a field does not"):
        equal(words(run(world, "--json", "secret", "set", box, "ftp", "--secret-fd",
                        Fd(b"Ftp-Value-Two")))["version"], first + 1)
        equal(words(run(world, "--json", "secret", "set", box, "ftp", "--note",
                        "new"))["version"], first + 1)
        found = words(run(world, "--json", "show", box, "ftp", "--versions", "--reveal"))
        equal([(row["version"], row["state"], row["password"]) for row in found["versions"]],
              [(first + 1, "current", "Ftp-Value-Two"),
               (first, "superseded", "Ftp-Value-One")])
    with cases.case("secret set of an unknown label"):
        refusal(run(world, "--json", "secret", "set", box, "nope", "--secret-fd", Fd(b"x")), 4,
                "not_found", "nope")
    with cases.case("secret rm hides, versions stay"):
        words(run(world, "--json", "secret", "rm", box, "ftp"))
        equal(words(run(world, "--json", "secret", "ls", box))["secrets"], [])
        found = words(run(world, "--json", "show", box, "ftp", "--versions"))
        equal(len(found["versions"]), 2)
        true("password" not in found["versions"][0], "revealed unasked")
    with cases.case("a secret of many lines and bytes comes back as it was"):
        value = "-----BEGIN KEY-----\nà\tb\n\n-----END KEY-----\n".encode()
        words(run(world, *add, "key", "--type", "ssh-key", "--secret-fd", Fd(value + b"\n")))
        done = run(world, "show", box, "key", "--reveal", text=False)
        true(done.stdout.startswith(value), repr(done.stdout))
        found = words(run(world, "--json", "show", box, "key", "--reveal"))
        equal(found["value"], value.decode())


# --- the work at OVH ---

def check_rotation(world, cases):
    box, other = f"box0@{DOMAIN}", f"box1@{DOMAIN}"
    with cases.case("rotate -n changes nothing"):
        before, old = world.control("GET", "/state"), vault_files(world)
        found, summary = rows(run(world, "--json", "rotate", box, "-n"))
        equal(found[0]["result"], "unchanged")
        equal(world.control("GET", "/state")["mailboxes"], before["mailboxes"])
        equal(world.control("GET", "/state")["tasks"], before["tasks"])
        equal([name for name in differences(old, vault_files(world))
               if not name.endswith(".lock")], [])
    with cases.case("rotate"):
        old = world.in_force(box)
        done = run(world, "--json", "rotate", box)
        found, _ = rows(done)
        equal((found[0]["result"], found[0]["version"], found[0]["verified"]),
              ("rotated", 2, True))
        true(world.in_force(box) != old, "the same password")
        equal(found[0]["error"], None)
        shown = words(run(world, "--json", "show", box, "--versions", "--reveal"))["versions"]
        equal([(row["version"], row["state"]) for row in shown],
              [(2, "current"), (1, "superseded")])
        equal((shown[0]["password"], shown[1]["password"]), (world.in_force(box), old))
        true(all(is_time(row["created_at"]) for row in shown), shown)
    with cases.case("rotate of several, by glob, for people"):
        done = exits(run(world, "rotate", "box1@*", other), 0)
        true(other in done.stdout and world.in_force(other) not in done.stdout, done.stdout)
    with cases.case("verify"):
        found, summary = rows(run(world, "--json", "verify", "*"))
        equal({row["result"] for row in found}, {"accepted"})
        equal(len(found), 4)
    with cases.case("verify of a password that was changed outside"):
        held = words(run(world, "--json", "show", box, "--reveal"))["password"]
        world.control("POST", "/password", {"address": box, "password": "Changed-Outside-1"})
        found, _ = rows(run(world, "--json", "verify", box, other), 11)
        found = {row["address"]: row for row in found}
        equal((found[box]["result"], found[other]["result"]), ("refused", "accepted"))
        equal(found[box]["error"]["code"], "verify_failed")
        world.control("POST", "/password", {"address": box, "password": held})
    with cases.case("verify without an answer"):
        world.control("POST", "/imap", {"down": True})
        found, _ = rows(run(world, "--json", "verify", box), 9)
        equal(found[0]["result"], "unknown")
        world.control("POST", "/imap", {"down": False})
    with cases.case("verify of what is not there"):
        refusal(run(world, "--json", "verify", f"no@{DOMAIN}"), 4, "not_found", f"no@{DOMAIN}")


def interrupted(world, is_time, *args, **env):
    """Runs a command and sends it Ctrl-C when the simulator's log says so."""
    since = world.control("GET", "/log")["log"][-1]["n"]
    child = subprocess.Popen(world.command(*args), env=world.env(**env), text=True,
                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
    deadline = time.monotonic() + 60
    while not is_time(world.control("GET", f"/log?since={since}")["log"]):
        true(time.monotonic() < deadline and child.poll() is None, "the call never came")
        time.sleep(0.02)
    time.sleep(0.3)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    return subprocess.CompletedProcess(child.args, child.returncode, out, err)


def check_resume(world, cases):
    box = f"box0@{DOMAIN}"
    change = {"method": "POST", "path": "*/changePassword"}
    with cases.case("resume with nothing to do"):
        found, _ = rows(run(world, "--json", "resume"))
        exits(run(world, "resume"), 0)
    with cases.case("Ctrl-C in a run ends it soon, with exit 10 and the state kept"):
        world.control("POST", "/faults", [{**change, "kind": "task_stuck", "times": 1}])
        found, _ = rows(interrupted(world, lambda log: any(
            row.get("path", "").endswith("/changePassword") for row in log),
            "--json", "rotate", box), 10)
        equal(found[0]["result"], "uncertain")
        equal(found[0]["error"]["exit"], 10)
        true(words(run(world, "--json", "role", "ls", box))["roles"][0]["state"] in
             ("rotating", "uncertain"), "called stable")
    with cases.case("--abandon of what may have been sent"):
        error = refusal(run(world, "--json", "resume", "--abandon", box), 13, "policy", box)
        true("resume" in error["hint"], error)
        exits(run(world, "resume", "--abandon", box, "--again"), 2)
    with cases.case("both passwords are in the vault meanwhile"):
        shown = words(run(world, "--json", "show", box, "--versions"))["versions"]
        equal([row["state"] for row in shown][:2], ["pending", "current"])
        done = run(world, "show", box, "--reveal")
        true("resume" in done.stderr, "the doubt is not told")
    with cases.case("resume finishes"):
        world.control("DELETE", "/faults")
        world.control("POST", "/task/release", {})
        found, _ = rows(run(world, "--json", "resume", box))
        equal((found[0]["result"], found[0]["verified"]), ("rotated", True))
        equal(words(run(world, "--json", "show", box, "--reveal"))["password"],
              world.in_force(box))
    for language, begin in (("C.UTF-8", "passation: stopping"), ("fr", "passation\u00a0: arrêt")):
        with cases.case(f"Ctrl-C says at once what stays open, whatever OVH answers: {language}"):
            world.control("POST", "/faults", [{**change, "kind": "task_stuck", "times": 1}])
            done = interrupted(world, lambda log: any(
                row.get("path", "").endswith("/changePassword") for row in log), "rotate", box,
                LC_ALL=language)
            equal(done.returncode, 10)
            said = [line for line in done.stderr.splitlines() if line.startswith(begin)]
            equal(len(said), 1)
            true(f"passation resume {box}" in said[0], said)
            world.control("DELETE", "/faults")
            world.control("POST", "/task/release", {})
            exits(run(world, "resume", box), 0)
    with cases.case("--abandon of what was never sent"):
        held = world.in_force(box)
        world.control("POST", "/faults", [
            {"method": "IMAP", "path": "*", "kind": "unavailable", "sticky": True}])
        rows(interrupted(world, lambda log: any(
            row.get("path", "").endswith("/task/account") for row in log),
            "--json", "rotate", box), 10)
        found, _ = rows(run(world, "--json", "resume", "--abandon", box))
        equal(found[0]["result"], "unchanged")
        world.control("DELETE", "/faults")
        equal(world.in_force(box), held)
        equal(words(run(world, "--json", "show", box, "--reveal"))["password"], held)
        rows(run(world, "--json", "verify", box))
    with cases.case("resume --again where nothing is stuck"):
        found, summary = rows(run(world, "--json", "resume", box, "--again"))
        equal((found, summary["total"]), ([], 0))
    with cases.case("--abandon where nothing is under way"):
        refusal(run(world, "--json", "resume", "--abandon", box), 13, "policy", box)


# --- the vault's own ---

def check_log(world, cases):
    with cases.case("log"):
        found = words(run(world, "--json", "log"))["log"]
        true(len(found) > 10, "too few entries")
        for row in found:
            member(row, "client", "number", "at", "actor", "event", "subject", "label",
                   "version", "hash")
            true(is_time(row["at"]), row)
        true(world.in_force(f"box0@{DOMAIN}") not in json.dumps(found), "a secret in the log")
    with cases.case("log --verify"):
        found = words(run(world, "--json", "log", "--verify"))
        exits(run(world, "log", "--verify"), 0)
        true("essai" in json.dumps(found), "the client's chain is not named")
    with cases.case("status"):
        found = words(run(world, "--json", "status"))
        true(isinstance(found, dict) and found, "nothing")
        done = exits(run(world, "status"), 0)
        true(done.stdout, "nothing on stdout")
    with cases.case("key show, by ssh-keygen"):
        found = words(run(world, "--json", "key", "show"))
        keys = [value for value in found.values() if isinstance(value, str)]
        ssh = next(value for value in keys if value.startswith("ssh-ed25519 "))
        mark = next(value for value in keys if value.startswith("SHA256:"))
        path = os.path.join(world.home, "key.pub")
        with open(path, "w") as file:
            file.write(ssh + "\n")
        said = subprocess.run(["ssh-keygen", "-lf", path], check=True, capture_output=True,
                              text=True).stdout
        equal(said.split()[1], mark)
        true([value for value in keys if re.fullmatch(r"age1[0-9a-z]{58}", value)], "no age key")
        true([value for value in keys if re.fullmatch(r"RW[0-9A-Za-z+/]{54}", value)],
             "no minisign key")
        true([value for value in keys if "namespaces=" in value or " ssh-ed25519 " in value],
             "no allowed_signers line")
        os.unlink(path)
        plain = exits(run(world, "key", "show"), 0).stdout
        true(ssh in plain and mark in plain, plain)


def check_backup(world, cases):
    vault = os.path.join(world.home, "data/passation/vault.db")
    copy = os.path.join(world.home, "copy.db")
    box = f"box2@{DOMAIN}"
    with cases.case("backup"):
        words(run(world, "--json", "backup", copy))
        equal(stat.S_IMODE(os.stat(copy).st_mode), 0o600)
        true(not os.path.exists(copy + "-wal"), "a log lies beside the copy")
    with cases.case("backup never writes over a file"):
        with open(copy, "rb") as file:
            old = file.read()
        refusal(run(world, "--json", "backup", copy), 7, "exists", "copy.db")
        with open(copy, "rb") as file:
            equal(file.read(), old, "the copy")
    with cases.case("restore of an older copy is refused"):
        exits(run(world, "rotate", box), 0)
        new = world.in_force(box)
        error = refusal(run(world, "--json", "-y", "restore", copy), 6, "rolled_back")
        true("--accept-older" in error["hint"], error)
        equal(words(run(world, "--json", "show", box, "--reveal"))["password"], new)
    with cases.case("a whole older file in its place is found"):
        kept = vault_files(world)
        for tail in ("-wal", "-shm"):
            if os.path.exists(vault + tail):
                os.unlink(vault + tail)
        with open(copy, "rb") as file, open(vault, "wb") as target:
            target.write(file.read())
        refusal(run(world, "--json", "show", box, "--reveal"), 6, "rolled_back", "vault.db")
        for tail in ("", "-wal"):
            name = "data/passation/vault.db" + tail
            if name in kept:
                with open(os.path.join(world.home, name), "wb") as file:
                    file.write(kept[name])
        if os.path.exists(vault + "-shm"):
            os.unlink(vault + "-shm")
        equal(words(run(world, "--json", "show", box, "--reveal"))["password"], new)
    with cases.case("restore of a newer copy"):
        newer = os.path.join(world.home, "newer.db")
        words(run(world, "--json", "backup", newer))
        words(run(world, "--json", "-y", "restore", newer))
        equal(words(run(world, "--json", "show", box, "--reveal"))["password"], new)
    with cases.case("restore of a file that is no vault"):
        refusal(run(world, "--json", "-y", "restore", world.identity), 6, "integrity",
                "identity.txt")
        refusal(run(world, "--json", "-y", "restore", copy + "x"), 4, "not_found")
    with cases.case("restore --accept-older, journalled"):
        time.sleep(1.1)  # the copy that is kept has the second in its name
        words(run(world, "--json", "-y", "restore", copy, "--accept-older"))
        equal(words(run(world, "--json", "show", box, "--reveal"))["password"], new)
        events = [row["event"] for row in words(run(world, "--json", "log"))["log"]]
        true("vault.restored-older" in events, "not journalled")
        exits(run(world, "log", "--verify"), 0)


def check_agent(world, cases):
    bare = ["--json", "--no-input"]
    with cases.case("lock without an agent"):
        exits(run(world, *bare, "lock", key=False), 0)
        refusal(run(world, *bare, "role", "ls", key=False), 5, "locked")
    with cases.case("unlock, and nothing is asked any more"):
        exits(run(world, *bare, "unlock", "--passphrase-fd", Fd(PASSPHRASE), key=False), 0)
        words(run(world, *bare, "role", "ls", key=False))
        words(run(world, *bare, "secret", "add", f"box1@{DOMAIN}", "cms", "--secret-fd",
                  Fd(b"Cms-Value"), key=False))
    with cases.case("the socket is ours alone"):
        found = []
        for folder, _, names in os.walk(world.home):
            for name in names:
                path = os.path.join(folder, name)
                if stat.S_ISSOCK(os.lstat(path).st_mode):
                    found.append(path)
        equal(len(found), 1, "sockets")
        equal(stat.S_IMODE(os.stat(os.path.dirname(found[0])).st_mode), 0o700)
        equal(stat.S_IMODE(os.stat(found[0]).st_mode) & 0o077, 0, "mode of the socket")
    with cases.case("lock"):
        exits(run(world, *bare, "lock", key=False), 0)
        refusal(run(world, *bare, "role", "ls", key=False), 5, "locked")
    with cases.case("unlock --for ends by itself"):
        exits(run(world, *bare, "unlock", "--for", "1s", "--passphrase-fd", Fd(PASSPHRASE),
                  key=False), 0)
        deadline = time.monotonic() + 60
        time.sleep(1.2)
        while run(world, *bare, "role", "ls", key=False).returncode == 0:
            true(time.monotonic() < deadline, "still unlocked after a minute")
            time.sleep(1.5)
        refusal(run(world, *bare, "role", "ls", key=False), 5, "locked")
    with cases.case("unlock with a wrong form of time"):
        exits(run(world, "unlock", "--for", "a while"), 2)


# --- prompts and languages ---

def on_terminal(world, *args, env=None, wait_s=8):
    """Runs a command on a terminal of its own, types nothing; what it said, and its status."""
    pid, master = pty.fork()
    if pid == 0:
        os.execve(world.binary, [world.binary, *args], env or world.env())
    said = b""
    deadline = time.monotonic() + wait_s
    while time.monotonic() < deadline:
        ready, _, _ = select.select([master], [], [], 0.2)
        if ready:
            try:
                piece = os.read(master, 65536)
            except OSError:
                break
            if not piece:
                break
            said += piece
            if said.rstrip().endswith(b":"):
                break
    asked = said.rstrip().endswith(b":")
    if asked:
        os.kill(pid, 9)
    _, status = os.waitpid(pid, 0)
    os.close(master)
    return said.decode(errors="replace"), asked, status


def check_prompts(world, cases):
    with cases.case("on a terminal the passphrase is asked for"):
        said, asked, _ = on_terminal(world, "role", "ls")
        true(asked, f"not asked: {said}")
    for args, status in ((["role", "ls"], 5), (["slot", "add", "eve"], 2),
                         (["secret", "add", f"box1@{DOMAIN}", "zip"], 2),
                         (["ovh", "link", "essai"], 2),
                         (["role", "rm", f"box1@{DOMAIN}"], 13),
                         (["init", "--vault", "/nonexistent/v.db"], 2)):
        with cases.case(f"--no-input asks nothing: {' '.join(args)}"):
            key = [] if args == ["role", "ls"] or args[0] == "init" else \
                ["--identity-file", world.identity]
            said, asked, found = on_terminal(world, "--no-input", *key, *args)
            true(not asked, said)
            equal(os.waitstatus_to_exitcode(found), status, said)


def check_languages(world, cases):
    def said(**names):
        env = world.env()
        for name in ("LC_ALL", "LC_MESSAGES", "LANG", "LANGUAGE"):
            env.pop(name, None)
        env.update(names)
        done = run(world, "show", "personne@essai.example", env=env)
        exits(done, 4)
        return done.stderr

    english = said()
    french = said(LC_ALL="fr_FR.UTF-8")
    with cases.case("French and English differ"):
        true(english != french, french)
    for names, expected in (({"LC_ALL": "C.UTF-8", "LANG": "fr_FR.UTF-8"}, english),
                            ({"LC_MESSAGES": "fr_FR.UTF-8", "LANG": "en_GB.UTF-8"}, french),
                            ({"LANG": "fr_FR.UTF-8"}, french),
                            ({"LANG": "fr_BE.UTF-8"}, french), ({"LANG": "fr"}, french),
                            ({"LC_ALL": "", "LANG": "fr_FR.UTF-8"}, french),
                            ({"LANG": "de_DE.UTF-8"}, english), ({"LC_ALL": "C"}, english),
                            ({"LC_ALL": "POSIX"}, english),
                            ({"LC_ALL": "en_US.UTF-8", "LANGUAGE": "fr"}, english)):
        with cases.case(f"language of {names}"):
            equal(said(**names), expected)
    with cases.case("commands, options and JSON stay English"):
        env = world.env(LC_ALL="fr_FR.UTF-8")
        found = words(run(world, "--json", "role", "ls", env=env))
        true(all(row["state"] == "stable" for row in found["roles"]), found)
        true("--reveal" in run(world, "help", "show", env=env, key=False).stdout, "options")


def check_restores_in_a_row(world, cases):
    box = f"box2@{DOMAIN}"
    with cases.case("restore again and again, within a second"):
        held = words(run(world, "--json", "show", box, "--reveal"))["password"]
        for number in range(3):
            path = os.path.join(world.home, f"fast{number}.db")
            words(run(world, "--json", "backup", path))
            words(run(world, "--json", "-y", "restore", path))
        equal(words(run(world, "--json", "show", box, "--reveal"))["password"], held)


def seed(world):
    world.control("POST", "/set", {"task_delay_ms": 0})
    world.control("POST", "/seed", {"domains": [{
        "domain": DOMAIN, "nic": world.ready["nic"],
        "accounts": [{"name": f"box{i}", "password": f"First-Pass-{i}-word"} for i in range(4)],
    }]})


def main():
    cases = Cases()
    with World(sys.argv[1]) as world:
        seed(world)
        try:
            for check in (check_help, check_usage, check_init, check_unlocking, check_clients,
                          check_ovh, check_roles, check_show, check_secrets, check_rotation,
                          check_resume, check_log, check_backup, check_agent, check_prompts,
                          check_languages, check_restores_in_a_row):
                with cases.case(check.__name__):
                    check(world, cases)
        finally:
            run(world, "lock", "--no-input", key=False)
    return cases.finish()


if __name__ == "__main__":
    sys.exit(main())
