#!/usr/bin/env python3
"""Bad input and bad days, over the real binary.

    test_bad_days.py BUILD

Each row: what is wrong, the command, its exit code and what its message must name. Every refusal
is asked for three times: as JSON, in English and in French. It must give its exit code each time,
name the mailbox, client or file, say the next step, in two languages that differ, and leave the
vault, the simulator and the folder as they were.
"""

import json
import os
import re
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.cases import (Cases, Fd, Skip, describe, differences, equal, exits, run,  # noqa: E402
                           true, vault_files)
from support.world import World, keygen  # noqa: E402

DOMAIN = World.DOMAIN
BOX, OTHER, FREE = (f"box{i}@{DOMAIN}" for i in range(3))
STICKY = {"sticky": True}


class Bad:
    """A world with two roles, a mailbox that is not taken over, and ways to spoil it."""

    def __init__(self, world, cases):
        self.world = world
        self.cases = cases
        self.vault = os.path.join(world.home, "data/passation/vault.db")
        self.prefix = ()

    def files(self):
        """Locks only say who holds them; an empty log is no log."""
        return {name: text for name, text in vault_files(self.world).items()
                if not name.endswith(".lock") and (text or not name.endswith("-wal"))}

    def mailboxes(self):
        state = self.world.control("GET", "/state")
        return [state["mailboxes"], state["tasks"]]

    def told(self, done):
        """The error of a --json run: of the run itself, or of its first mailbox."""
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        true(lines, f"nothing on stdout: {describe(done)}")
        if list(lines[-1]) == ["summary"]:
            return next(row["error"] for row in lines if row.get("error"))
        equal((len(lines), list(lines[0])), (1, ["error"]), describe(done))
        return lines[0]["error"]

    def said(self, done):
        """Error and hint lines for people, without their first words."""
        found = [re.split(r"\s?: ", line, maxsplit=2)[-1] for line in done.stderr.splitlines()
                 if re.match(r"passation\s?: (error|erreur|hint|conseil)", line)]
        true(found, f"no error line: {describe(done)}")
        return found

    def refuses(self, name, args, status, code=None, names=(), hint=True, same=True, **more):
        env = more.pop("env", {})
        with self.cases.case(name):
            before, outside = self.files(), self.mailboxes()
            done = run(self.world, "--json", *args, env=self.world.env(**env),
                       prefix=self.prefix, **more)
            equal(done.returncode, status, describe(done))
            error = self.told(done)
            equal(error["exit"], status, "error.exit")
            if code:
                equal(error["code"], code, "error.code")
            for text in names:
                true(text in error["message"], f"{text!r} is not in {error['message']!r}")
            true(error["hint"] or not hint, f"no next step after {error['message']!r}")
            texts = []
            for language in ("C.UTF-8", "fr_FR.UTF-8"):
                done = run(self.world, *args, env=self.world.env(**{**env, "LC_ALL": language}),
                           prefix=self.prefix, **more)
                equal(done.returncode, status, describe(done))
                if not any(line.startswith(("x ", "✗ ", "! ")) for line in
                           done.stdout.splitlines()):
                    equal(done.stdout, "", "stdout of a refusal")
                texts.append(self.said(done))
                for text in names:
                    true(text in done.stderr, f"{text!r} is not in {done.stderr!r}")
            if same:
                equal(differences(before, self.files()), [], "changed files")
            equal(self.mailboxes(), outside, "the simulator's state")
            for english, french in zip(*texts):
                true(english != french, f"not in French: {french!r}")

    def with_faults(self, *rules):
        return Restoring(lambda: self.world.control("POST", "/faults", list(rules)),
                         lambda: self.world.control("DELETE", "/faults"))

    def with_setting(self, spoilt, mended):
        return Restoring(lambda: self.world.control("POST", "/set", spoilt),
                         lambda: self.world.control("POST", "/set", mended))

    def with_imap(self, url):
        return Restoring(
            lambda: exits(run(self.world, "client", "set", "essai", "--imap", url), 0),
            lambda: exits(run(self.world, "client", "set", "essai", "--imap",
                              self.world.ready["imap"]), 0))

    def with_vault(self, spoil):
        """The vault's files spoilt; put back afterwards, with the record of what was seen."""
        kept = vault_files(self.world)

        def mend():
            for name in vault_files(self.world):
                os.unlink(os.path.join(self.world.home, name))
            for path in (self.vault, self.vault + "-shm"):
                if os.path.isdir(path) and not os.path.islink(path):
                    shutil.rmtree(path)
                elif os.path.lexists(path):
                    os.unlink(path)
            for name, text in kept.items():
                path = os.path.join(self.world.home, name)
                with open(path, "wb") as file:
                    file.write(text)
                os.chmod(path, 0o600)
        return Restoring(spoil, mend)


class Gone:
    """A client whose API and mail server are no more: a simulator that was there."""

    DOMAIN = "parti.example"

    def __init__(self, world):
        other = World(world.build)
        other.start_sim()
        try:
            self.config = os.path.join(world.dir, "gone.conf")
            shutil.copy(other.config, self.config)
            authorities = os.path.join(world.dir, "both.pem")
            with open(authorities, "w") as file:
                for path in (world.ready["ca"], other.ready["ca"]):
                    with open(path) as source:
                        file.write(source.read())
            world.ready["ca"] = authorities
            other.control("POST", "/set", {"task_delay_ms": 0})
            other.control("POST", "/seed", {"domains": [{
                "domain": self.DOMAIN, "nic": other.ready["nic"],
                "accounts": [{"name": "box", "password": "First-Pass-word"}]}]})
            limits = ["--rate", "0", "--settle", "1s", "--login-cache", "1s", "--failed-logins",
                      "16/1s"]
            world.run("client", "add", "parti", "--nic", other.ready["nic"], "--domain",
                      self.DOMAIN, "--endpoint", other.ready["endpoint"], "--imap",
                      other.ready["imap"], *limits, check=0)
            world.run("ovh", "link", "parti", "--config", self.config, "--accept-wide", check=0)
            world.run("role", "adopt", f"box@{self.DOMAIN}", check=0)
            world.run("client", "add", "perdu", "--nic", other.ready["nic"], "--domain",
                      "perdu.example", "--endpoint", "https://ovh.invalid/1.0", check=0)
        finally:
            other.stop_sim()
            shutil.rmtree(other.dir, ignore_errors=True)


class Restoring:
    def __init__(self, spoil, mend):
        self.spoil, self.mend = spoil, mend

    def __enter__(self):
        try:
            self.spoil()
        except Exception:
            self.mend()
            raise

    def __exit__(self, *_):
        self.mend()


# --- input ---

def bad_input(bad):
    world = bad.world
    add = ["client", "add", "dupont", "--domain", "dupont.fr", "--nic"]
    for nic in ("jean@dupont.fr", "12345-ovh", "xy12345", "xy12345-ovh2", "x y-ovh"):
        bad.refuses(f"NIC handle {nic}", [*add, nic], 2, "usage", [nic])
    bad.refuses("no domain", ["client", "add", "dupont", "--nic", "xy1-ovh"], 2, "usage",
                ["dupont"])
    outside = "contact@ailleurs.example"
    for command in ("add", "adopt"):
        bad.refuses(f"role {command} outside the client's domains", ["role", command, outside],
                    2, "usage", [outside])
        bad.refuses(f"role {command} of several, one outside",
                    ["role", command, FREE, outside], 2, "usage", [outside])
    for address in ("contact", f"@{DOMAIN}", "contact@", f"a b@{DOMAIN}", f"a@b@{DOMAIN}"):
        bad.refuses(f"no address: {address}", ["role", "add", address], 2, "usage", [address])
    for name in ("x", "n" * 33, "info+devis", "info:devis"):
        address = f"{name}@{DOMAIN}"
        with bad.cases.case(f"rule: {address}"):
            done = run(world, "--json", "role", "add", address)
            true(done.returncode in (2, 13), describe(done))
        bad.refuses(f"a name that OVH does not allow: {address}", ["role", "add", address],
                    13 if name in ("x", "n" * 33, "info+devis") else done.returncode, None,
                    [address], hint=False)
    bad.refuses("a passphrase that is too weak",
                ["slot", "add", "paul", "--new-passphrase-fd", Fd(b"motdepasse12")], 13,
                "policy", hint=False)
    bad.refuses("an empty secret", ["secret", "add", BOX, "ftp", "--secret-fd", Fd(b"")], 2,
                "usage", [BOX], hint=False)
    bad.refuses("a secret that is too long", ["secret", "add", BOX, "ftp", "--secret-fd",
                                              "0"], 2, None, hint=False,
                stdin=Lines(world, b"x" * 300000))
    bad.refuses("a known password that is wrong",
                ["role", "adopt", FREE, "--secret-fd", Fd(b"Not-The-Password")], 11,
                "verify_failed", [FREE])
    bad.refuses("a configuration that is not there",
                ["ovh", "link", "essai", "--config", world.home + "/none.conf"], 4, "not_found",
                ["none.conf"], hint=False)
    path = os.path.join(world.home, "empty.conf")
    with open(path, "w") as file:
        file.write("[default]\n")
    os.chmod(path, 0o600)
    with bad.cases.case("a configuration without a key"):
        done = run(world, "--json", "ovh", "link", "essai", "--config", path)
        true(done.returncode in (2, 4) and bad.told(done)["message"], describe(done))
    os.unlink(path)


class Lines:
    """Standard input that is a file, opened anew for each run."""

    def __init__(self, world, text):
        self.path = os.path.join(world.dir, "stdin")
        with open(self.path, "wb") as file:
            file.write(text)

    def fileno(self):
        self.file = open(self.path, "rb")
        return self.file.fileno()


def exists_or_not(bad):
    bad.refuses("the mailbox exists", ["role", "add", FREE], 7, "exists", [FREE])
    bad.refuses("the role exists", ["role", "add", BOX], 7, "exists", [BOX])
    bad.refuses("the role is taken over already", ["role", "adopt", BOX], 7, "exists", [BOX])
    bad.refuses("the client exists", ["client", "add", "essai", "--nic", "xy1-ovh", "--domain",
                                      "new.example"], 7, "exists", ["essai"], hint=False)
    bad.refuses("there is no such mailbox to take over", ["role", "adopt", f"none@{DOMAIN}"], 4,
                "not_found", [f"none@{DOMAIN}"])
    for command in (["show"], ["rotate"], ["verify"], ["role", "rm"], ["role", "ls"],
                    ["resume"], ["secret", "ls"]):
        bad.refuses(f"no such role: {' '.join(command)}", [*command, f"none@{DOMAIN}"], 4,
                    "not_found", [f"none@{DOMAIN}"])
    for command in (["client", "show"], ["client", "rm"], ["ovh", "inventory"]):
        bad.refuses(f"no such client: {' '.join(command)}", [*command, "nobody"], 4,
                    "not_found", ["nobody"])
    bad.refuses("no such secret", ["show", BOX, "ftp"], 4, "not_found", [BOX, "ftp"])
    with bad.with_faults({"method": "GET", "path": f"*/account/{BOX.split('@')[0]}",
                          "kind": "404", **STICKY}):
        bad.refuses("the mailbox is gone at OVH", ["rotate", BOX], 4, "not_found", [BOX])
        bad.refuses("the mailbox is gone at OVH, only asked", ["rotate", "-n", BOX], 4,
                    "not_found", [BOX])
    bad.refuses("the password is only here", ["role", "rm", BOX], 13, "policy", [BOX])
    bad.refuses("the passwords are only here", ["client", "rm", "essai"], 13, "policy",
                ["essai"])


def files_of_the_vault(bad):
    """What is written under the name of its log, a draft or itself is its end."""
    vault, page = bad.vault, ["profile", BOX, "--format", "outlook", "-f", "-o"]
    bad.world.run("client", "set", "essai", "--smtp", "smtps://127.0.0.1:465", check=0)
    for tail in ("-wal", "-shm", "-journal", ".lock", ".rekeying", ".restoring", ".restoring-2"):
        bad.refuses(f"a backup onto vault.db{tail}", ["backup", vault + tail, "-f"], 2, "usage",
                    [vault + tail])
    for name, args in (("a backup by another way", ["backup", os.path.join(os.path.dirname(vault), ".",
                                                                     "vault.db-wal"), "-f"]),
                       ("a page onto the log", [*page, vault + "-wal"]),
                       ("a page onto the vault", [*page, vault]),
                       ("a list onto a draft", ["export", "--format", "journal", "-o",
                                                vault + ".restoring"]),
                       ("a recovery code onto a draft", ["rekey", "--recovery-out",
                                                         vault + ".rekeying"]),
                       ("a vault onto a draft", ["--vault", vault + ".rekeying", "init"]),
                       ("a restore onto a draft", ["-y", "--vault", vault + ".rekeying", "restore",
                                                   vault])):
        bad.refuses(name, args, 2, "usage", ["vault.db"])
    other = os.path.join(bad.world.dir, "other.db")
    bad.world.run("backup", other, check=0)
    bad.refuses("a page onto a backup", [*page, other], 2, "usage", [other])
    bad.refuses("a backup onto the log of another vault", ["backup", other + "-wal", "-f"], 2,
                "usage", [other + "-wal"])


def what_opens_the_vault(bad):
    """With the key the vault and its new copy would be lost together; a device is no file."""
    key, page = bad.world.identity, ["profile", BOX, "--format", "outlook", "-f", "-o"]
    link, second = os.path.join(bad.world.dir, "link"), os.path.join(bad.world.dir, "second")
    os.symlink(key, link)
    os.link(key, second)
    pipe, null = os.path.join(bad.world.dir, "pipe"), os.path.join(bad.world.dir, "null")
    os.mkfifo(pipe)
    os.symlink("/dev/null", null)
    for path in (key, os.path.join(os.path.dirname(key), ".", os.path.basename(key)), link, second):
        bad.refuses(f"a backup onto the key, {os.path.basename(path)}", ["backup", path, "-f"], 2,
                    "usage", [path])
        bad.refuses(f"a page onto the key, {os.path.basename(path)}", [*page, path], 2, "usage",
                    [path])
    for path in (pipe, null):
        bad.refuses(f"a backup onto {path}", ["backup", path, "-f"], 2, "usage", [path])
        bad.refuses(f"a page onto {path}", [*page, path], 2, "usage", [path])
    for path in (link, second, pipe, null):
        os.unlink(path)
    bad.world.run("show", BOX, check=0)


# --- OVH ---

def at_ovh(bad):
    world = bad.world
    key = world.ready["consumer_key"]
    rules = next(row["rules"] for row in world.control("GET", "/state")["credentials"].values()
                 if row["_key"] == key)
    good = {"consumer_key": key, "status": "validated", "revoked": False, "rules": rules}
    keys = [("revoked", {"revoked": True}), ("expired", {"status": "expired"}),
            ("pending", {"status": "pendingValidation"}), ("refused", {"status": "refused"}),
            ("without the rule", {"rules": [{"method": "GET", "path": "/me"},
                                            {"method": "GET", "path": "/auth/*"}]})]
    for name, change in keys:
        with bad.with_setting({"credential": {**good, **change}}, {"credential": good}):
            bad.refuses(f"key {name}: rotate", ["rotate", BOX], 8, "refused", [BOX])
            bad.refuses(f"key {name}: role add", ["role", "add", f"new@{DOMAIN}"], 8, "refused",
                        [f"new@{DOMAIN}"])
            if name != "without the rule":
                bad.refuses(f"key {name}: ovh link",
                            ["ovh", "link", "essai", "--config", world.config,
                             "--accept-wide"], 8, "refused", ["essai"])
    with bad.with_setting({"credential": {**good, "revoked": True}}, {"credential": good}), \
            bad.cases.case("the advice for a revoked key is given once, whatever it stops"):
        for boxes in ((BOX,), (BOX, OTHER)):
            done = run(world, "rotate", *boxes)
            equal(done.returncode, 8, describe(done))
            said = " ".join((done.stdout + done.stderr).split())
            equal(said.count("passation ovh link essai"), 1, describe(done))
    for name, spoilt in (("suspended", {"suspended": True}), ("expired", {"expired": True})):
        mended = {"domain": {"domain": DOMAIN, "suspended": False, "expired": False}}
        with bad.with_setting({"domain": {"domain": DOMAIN, **spoilt}}, mended):
            # OVH shows nothing before the change is sent: the try is in the vault, and no more.
            seen = name != "suspended"
            bad.refuses(f"service {name}: rotate", ["rotate", BOX], 8, "refused", [BOX],
                        same=seen)
            bad.refuses(f"service {name}: role adopt", ["role", "adopt", FREE], 8, "refused",
                        [FREE], same=seen)
            with bad.cases.case(f"service {name}: the password in force is the current one"):
                equal(world.versions(BOX)[-1], ("current", world.in_force(BOX)))
                equal(world.role(BOX)["state"], "stable")
                exits(run(world, "resume"), 0)
    with bad.with_setting({"domain": {"domain": DOMAIN, "accounts_max": 3}},
                          {"domain": {"domain": DOMAIN, "accounts_max": 100}}):
        with bad.cases.case("no free slot"):
            done = run(world, "--json", "role", "add", f"late@{DOMAIN}")
            equal(done.returncode, 8, describe(done))
            error = bad.told(done)
            true(f"late@{DOMAIN}" in error["message"] and error["hint"], error)
            true(f"late@{DOMAIN}" not in json.dumps(bad.mailboxes()), "the mailbox is there")
    with bad.with_faults({"method": "GET", "path": "/auth/time", "kind": "body",
                          "body": 1000000000, **STICKY}):
        bad.refuses("wrong clock", ["rotate", BOX], 8, "refused", [BOX])
    with bad.with_faults({"method": "GET", "path": "/me", "kind": "body", **STICKY,
                          "body": {"nichandle": "zz999999-ovh", "email": "x@y.example"}}):
        bad.refuses("another account's key",
                    ["ovh", "link", "essai", "--config", world.config, "--accept-wide"], 13,
                    "policy", ["essai"])
    with bad.cases.case("OVH refuses every password"):
        held = world.in_force(OTHER)
        with bad.with_faults({"method": "POST", "path": "*/changePassword", "kind": "400",
                              "message": "bad password", **STICKY}):
            done = run(world, "--json", "rotate", OTHER)
        equal(done.returncode, 13, describe(done))
        error = bad.told(done)
        true(OTHER in error["message"], error)
        equal(world.in_force(OTHER), held)
        shown = json.loads(run(world, "--json", "show", OTHER, "--reveal").stdout)
        equal((shown["password"], shown["state"]), (held, "stable"))
        true(error["hint"], f"no next step after {error['message']!r}")


# --- the network ---

def on_the_net(bad):
    world = bad.world
    gone = f"box@{Gone.DOMAIN}"
    for name, args in (("rotate", ["rotate", gone]), ("verify", ["verify", gone]),
                       ("role adopt", ["role", "adopt", f"free@{Gone.DOMAIN}"]),
                       ("role add", ["role", "add", f"new@{Gone.DOMAIN}"])):
        bad.refuses(f"connection refused: {name}", args, 9, "network", [args[-1]])
    for args in (["ovh", "inventory", "parti"],
                 ["ovh", "link", "parti", "--config", world.config]):
        bad.refuses(f"connection refused: {' '.join(args[:2])}", args, 9, "network", ["parti"])
    bad.refuses("no such host: ovh link", ["ovh", "link", "perdu", "--config", bad.gone.config],
                9, "network", ["perdu"])
    with bad.with_imap("imaps://mail.invalid:993"):
        bad.refuses("no such host: verify", ["verify", BOX], 9, "network", [BOX])
    counters = world.control("GET", "/state")["counters"]
    for name, args in (("rotate", ["rotate", BOX]), ("verify", ["verify", BOX]),
                       ("role add", ["role", "add", f"new@{DOMAIN}"]),
                       ("known password", ["role", "adopt", FREE, "--secret-fd", Fd(b"Any-One")])):
        bad.refuses(f"TLS that does not verify: {name}", args, 9, "network",
                    [next(word for word in args if "@" in word)],
                    env={"PASSATION_CA_FILE": ""})
    with bad.cases.case("not a request nor a login was sent meanwhile"):
        equal(world.control("GET", "/state")["counters"], counters)
    for kind in ("html", "not_json", "wrong_types", "empty_body", "null_body", "truncated",
                 "partial_headers", "garbage_http", "huge_body", "wrong_mailbox",
                 "redirect_3xx"):
        with bad.with_faults({"method": "GET", "path": f"/email/domain/{DOMAIN}*", "kind": kind,
                              **STICKY}):
            bad.refuses(f"garbage from the server: {kind}", ["rotate", BOX], 9, "network", [BOX])
    for kind in ("bye", "close", "garbage", "unavailable"):
        with bad.with_faults({"method": "IMAP", "path": "*", "kind": kind, **STICKY}):
            bad.refuses(f"the mail server: {kind}", ["verify", BOX], 9, "network", [BOX])


def gone_on(bad):
    """All of it left the world in order."""
    with bad.cases.case("the vault and OVH agree at the end of it"):
        exits(run(bad.world, "verify", BOX, OTHER), 0)
        exits(run(bad.world, "rotate", BOX), 0)
        shown = run(bad.world, "show", BOX, "--reveal").stdout.splitlines()[0]
        equal(shown, bad.world.in_force(BOX))
        exits(run(bad.world, "log", "--verify"), 0)
        names = sorted(os.listdir(os.path.dirname(bad.vault)))
        true(set(names) <= {"vault.db", "vault.db-wal", "vault.db-shm", "vault.db.lock"},
             f"stray files: {names}")


# --- the disk ---

WRITES = [["secret", "add", BOX, "disk", "--secret-fd", Fd(b"value")], ["show", BOX, "--reveal"],
          ["rotate", BOX], ["client", "set", "essai", "--name", "Nom"],
          ["slot", "add", "eve", "--new-identity-file", "IDENTITY"]]


def full_disk(bad):
    world = bad.world
    eves = os.path.join(world.home, "eve.key")
    keygen(eves)
    for args in WRITES:
        args = [eves if word == "IDENTITY" else word for word in args]

        def limit():
            wal = bad.vault + "-wal"
            size = max(os.path.getsize(wal) if os.path.exists(wal) else 0, 1)
            resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
        # SQLite keeps no errno of a write to its log: EFBIG is "io" there, and exit 1 as well.
        bad.refuses(f"no room for the vault (ulimit -f): {' '.join(args[:2])}", args, 1,
                    None, ["vault.db"], preexec_fn=limit)
    for args in (["show", BOX, "--reveal"], ["role", "ls"], ["--json", "role", "ls"], ["help"]):
        with bad.cases.case(f"no room for the output: {' '.join(args)}"):
            with open("/dev/full", "w") as full:
                done = subprocess.run(world.command(*args), env=world.env(), stdout=full,
                                      stderr=subprocess.PIPE, text=True)
            equal(done.returncode, 1, done.stderr)
            true(done.stderr, "no message")
    small_disk(bad)


def small_disk(bad):
    """A real file system with a few blocks left, if this machine lets us mount one."""
    with bad.cases.case("a full file system"):
        world = bad.world
        folder = os.path.join(world.dir, "small")
        os.mkdir(folder)
        if os.getuid() != 0 or subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=400k,mode=700", "none", folder],
                capture_output=True).returncode:
            raise Skip("no tmpfs can be mounted here")
        try:
            vault = os.path.join(folder, "v.db")
            exits(run(world, "--vault", vault, "init"), 0)
            exits(run(world, "--vault", vault, "client", "add", "a", "--nic", "xy1-ovh",
                      "--domain", "a.fr"), 0)
            failed = None
            for number in range(400):
                failed = run(world, "--json", "--vault", vault, "client", "set", "a", "--name",
                             f"name {number}" + "x" * 180)
                if failed.returncode:
                    break
            equal(failed.returncode, 1, describe(failed))
            error = bad.told(failed)
            equal(error["code"], "disk_full")
            true("v.db" in error["message"] and error["hint"], error)
            shown = json.loads(run(world, "--json", "--vault", vault, "client", "show",
                                   "a").stdout)
            true(shown["name"].startswith(f"name {number - 1}x"), shown["name"])
            exits(run(world, "--vault", vault, "log", "--verify"), 0)
            done = run(world, "--json", "--vault", vault, "backup", os.path.join(folder, "b"))
            equal(done.returncode, 1, describe(done))
            true(not [name for name in os.listdir(folder) if name.startswith("b")],
                 f"a piece of a backup: {os.listdir(folder)}")
        finally:
            subprocess.run(["umount", "-l", folder])


def read_only(bad):
    """Root may write everywhere: then the commands run without that power of his."""
    world = bad.world
    folder = os.path.dirname(bad.vault)
    closed = os.path.join(world.home, "closed")
    if os.getuid() == 0:
        bad.prefix = ("setpriv", "--bounding-set=-dac_override,-dac_read_search",
                      "--inh-caps=-dac_override,-dac_read_search")
    try:
        exits(run(world, "role", "ls", prefix=bad.prefix), 0)
        for mode, where, name in ((0o400, bad.vault, "vault"), (0o500, folder, "folder")):
            settle(bad.vault)
            old = stat.S_IMODE(os.stat(where).st_mode)
            os.chmod(where, mode)
            try:
                for args in WRITES[:4]:
                    bad.refuses(f"read-only {name}: {' '.join(args[:2])}", args, 1, None,
                                ["vault.db"])
                for args in (["role", "ls"], ["show", BOX], ["log", "--verify"]):
                    with bad.cases.case(f"read-only {name}: {args[0]} is answered"):
                        exits(run(world, *args, prefix=bad.prefix), 0)
            finally:
                os.chmod(where, old)
        os.mkdir(closed, 0o500)
        bad.refuses("init in a folder that is read-only",
                    ["--vault", os.path.join(closed, "v.db"), "init"], 1, "io", [closed],
                    hint=False)
    finally:
        bad.prefix = ()


def settle(vault):
    db = sqlite3.connect(vault)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()


# --- another process ---

def imported(world, path, password):
    with open(path, "w", encoding="utf-8") as file:
        file.write(f"title,password\n{FREE},{password}\n")
    exits(run(world, "-y", "import", path, "--replace"), 0)


def second_process(bad):
    world = bad.world
    with bad.with_faults({"method": "GET", "path": f"/email/domain/{DOMAIN}*", "kind": "slow",
                          "ms": 2500, **STICKY}):
        since = world.control("GET", "/log")["log"][-1]["n"]
        first = subprocess.Popen(world.command("rotate", "-n", OTHER), env=world.env(),
                                 stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=subprocess.DEVNULL)
        while not world.control("GET", f"/log?since={since}")["log"]:
            time.sleep(0.01)
        for args in (["rotate", BOX], ["verify", BOX], ["role", "add", f"new@{DOMAIN}"],
                     ["ovh", "inventory", "essai"], ["resume"]):
            bad.refuses(f"a second process: {' '.join(args[:2])}", args, 7, "busy",
                        [f"pid {first.pid}"])
        with bad.cases.case("show and secret set go on meanwhile"):
            exits(run(world, "show", BOX, "--reveal"), 0)
            exits(run(world, "secret", "add", BOX, "busy", "--secret-fd", Fd(b"value")), 0)
            true(first.poll() is None, "the first process ended too soon for this to mean much")
        first.send_signal(signal.SIGKILL)
        first.wait()
    with bad.cases.case("a lock whose holder was killed is free"):
        exits(run(world, "verify", BOX), 0)
    with bad.cases.case("a password imported while its change has not begun is a conflict"):
        path = os.path.join(world.dir, "free.csv")
        imported(world, path, "before")
        with bad.with_faults({"method": "GET", "path": f"/email/domain/{DOMAIN}*",
                              "kind": "slow", "ms": 1500, **STICKY}):
            since = world.control("GET", "/log")["log"][-1]["n"]
            first = subprocess.Popen(world.command("--json", "rotate", FREE), env=world.env(),
                                     stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                     stderr=subprocess.DEVNULL, text=True)
            while not world.control("GET", f"/log?since={since}")["log"]:
                time.sleep(0.01)
            imported(world, path, "meanwhile")
            out = first.communicate()[0]
        equal(first.returncode, 7, out)
        error = json.loads(out.splitlines()[0])["error"]
        equal(error["code"], "conflict", error)
        true(FREE in error["message"] and "run the command again" in error["hint"], error)
        equal(world.in_force(FREE) in ("before", "meanwhile"), False, "the mailbox's password")
        exits(run(world, "-y", "role", "rm", FREE, "--confirm", FREE), 0)
    with bad.cases.case("another program keeps the file: 7 after ten seconds"):
        db = sqlite3.connect(bad.vault, isolation_level=None)
        db.execute("BEGIN IMMEDIATE")
        start = time.monotonic()
        done = run(world, "--json", "secret", "set", BOX, "busy", "--note", "x")
        took = time.monotonic() - start
        exits(run(world, "role", "ls"), 0)
        db.execute("ROLLBACK")
        db.close()
        equal(done.returncode, 7, describe(done))
        error = bad.told(done)
        true(error["code"] == "busy" and "vault.db" in error["message"] and error["hint"], error)
        true(error["message"].endswith(f", process {os.getpid()}"), error)
        true(8 < took < 15, f"after {took:.1f} s")
    with bad.cases.case("another program looks at the file: it is named"):
        db = sqlite3.connect(bad.vault, isolation_level=None)
        db.execute("BEGIN")
        db.execute("SELECT count(*) FROM record").fetchone()
        done = run(world, "--json", "-y", "rekey")
        db.execute("ROLLBACK")
        db.close()
        exits(done, 7)
        error = bad.told(done)
        true(error["message"].endswith(f", process {os.getpid()}"), error)


# --- the vault's file ---

def spoilt_vaults(bad):
    world, vault = bad.world, bad.vault
    settle(vault)
    with open(vault, "rb") as file:
        image = file.read()
    older = os.path.join(world.dir, "older.db")
    shutil.copy(vault, older)
    exits(run(world, "secret", "add", BOX, "fork", "--secret-fd", Fd(b"one")), 0)

    def write(data):
        def spoil():
            for tail in ("-wal", "-shm"):
                if os.path.exists(vault + tail):
                    os.unlink(vault + tail)
            with open(vault, "wb") as file:
                file.write(data)
        return spoil

    def sql(*statements):
        def spoil():
            settle(vault)
            db = sqlite3.connect(vault, isolation_level=None)
            for statement in statements:
                db.execute(statement)
            db.close()
        return spoil

    def fork():
        write(open(older, "rb").read())()
        for name in os.listdir(os.path.join(world.home, "state/passation")):
            if name.startswith("seen-"):
                os.unlink(os.path.join(world.home, "state/passation", name))
        for number in range(8):
            exits(run(world, "secret", "add", BOX, f"fork{number}", "--secret-fd", Fd(b"two")),
                  0)
        for name, text in seen.items():
            with open(os.path.join(world.home, name), "wb") as file:
                file.write(text)

    def other_kind(make):
        def spoil():
            for tail in ("", "-wal", "-shm"):
                if os.path.exists(vault + tail):
                    os.unlink(vault + tail)
            make()
        return spoil

    seen = {name: text for name, text in vault_files(world).items() if "seen-" in name}
    plain = sqlite3.connect(":memory:")
    plain.execute("CREATE TABLE t (x)")
    plain.commit()
    commands = (["show", BOX, "--reveal"], ["role", "ls"], ["rotate", BOX], ["status"],
                ["backup", os.path.join(world.home, "copy.db")])
    rows = [
        ("corrupted header", write(b"\0" * 100 + image[100:]), 6, "integrity"),
        ("cut in half", write(image[:len(image) // 2]), 6, "integrity"),
        ("a text file", write(b"hello\n" * 1000), 6, "integrity"),
        ("an empty file", write(b""), 6, "integrity"),
        ("another program's database", write(plain.serialize()), 6, "integrity"),
        ("edited: roles deleted", sql("DELETE FROM record WHERE tab IN (6, 8)"), 6,
         "integrity"),
        ("edited: hashes deleted", sql("DELETE FROM node"), 6, "integrity"),
        ("edited: a trigger", sql("CREATE TRIGGER t AFTER INSERT ON record BEGIN "
                                  "DELETE FROM journal; END"), 6, "integrity"),
        ("rolled back", write(image), 6, "rolled_back"),
        ("forked", fork, 6, "forked"),
        ("too new", sql("PRAGMA user_version = 9"), 13, "too_new"),
        ("a folder", other_kind(lambda: os.mkdir(vault)), 1, "io"),
        ("a symbolic link", other_kind(lambda: os.symlink(older, vault)), 1, "io"),
        ("a pipe", other_kind(lambda: os.mkfifo(vault)), 1, "io"),
    ]
    for name, spoil, status, code in rows:
        with bad.cases.case(f"spoilt vault: {name}"), bad.with_vault(spoil):
            for args in commands:
                if name.startswith("edited: roles") and args[0] == "status":
                    continue
                bad.refuses(f"{name}: {' '.join(args[:2])}", args, status, code, ["vault.db"],
                            hint=status != 1)
    with bad.cases.case("missing vault"), bad.with_vault(other_kind(lambda: None)):
        for args in commands:
            bad.refuses(f"missing: {' '.join(args[:2])}", args, 4, "not_found", ["vault.db"])
    for name, data, status, code in (("a text file", b"hello\n" * 1000, 6, "integrity"),
                                     ("half a copy", image[:len(image) // 2], 6, "integrity"),
                                     ("an older copy", image, 6, "rolled_back")):
        path = os.path.join(world.dir, "restore.db")
        with open(path, "wb") as file:
            file.write(data)
        bad.refuses(f"restore of {name}", ["-y", "restore", path], status, code, ["restore.db"])


def main():
    cases = Cases()
    only = sys.argv[2:]
    with World(sys.argv[1]) as world:
        world.control("POST", "/set", {"task_delay_ms": 0})
        world.setup_client(mailboxes=3, adopt=False)
        world.run("role", "adopt", BOX, OTHER, check=0)
        bad = Bad(world, cases)
        bad.gone = Gone(world)
        for check in (bad_input, exists_or_not, files_of_the_vault, what_opens_the_vault, at_ovh,
                      on_the_net, full_disk, read_only, second_process, spoilt_vaults, gone_on):
            if only and check.__name__ not in only:
                continue
            start = time.monotonic()
            with cases.case(check.__name__):
                check(bad)
            print(f"{check.__name__}: {time.monotonic() - start:.1f} s", flush=True)
    return cases.finish("2.14", "refusals: " + (" ".join(only) or "all"))


if __name__ == "__main__":
    sys.exit(main())
