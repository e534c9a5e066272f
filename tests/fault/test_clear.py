#!/usr/bin/env python3
"""What a thief of the disk reads without a key: metadata in clear.

    test_clear.py BUILD

A vault of three clients with domains, mailboxes, people, e-mails, devices, groups, labels, logins,
addresses of sites, notes, reasons, terms of a contract, passwords, secrets and OVH keys. Each of
them is a needle, looked for as UTF-8, UTF-16 both ways, hex and base64 at its three places:

- in every file of the vault, while a command is at work and after it: database, log, index of the
  log, lock, what a killed rekey leaves, the record of what was seen, the agent's folder, a backup;
- in the names of those files;
- in what is given away sealed: issues and pages, their signatures, the envelope's files, the
  trousseau's three, a KDBX, a tree of age files;
- secrets and notes also in what is given away in clear: the statement, settings, zones, the sheet.

What may be in clear is PLAIN, after docs/vault-format.md section 9, docs/issue-format.md and
docs/threat-model.md. A needle survives if it is nowhere else.
"""

import hashlib
import os
import random
import re
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support import kills  # noqa: E402
from support.cases import Cases, equal, true  # noqa: E402
from support.handover import LIMITS, Handing, forms_of  # noqa: E402
from support.record import record  # noqa: E402
from support.world import keygen  # noqa: E402

FLOOR = 500
CLIENTS, BOXES_EACH, PEOPLE, SECRETS = 3, 8, 24, 36
SECRET_KINDS = ("password", "secret", "note", "OVH key", "passphrase", "code")
TERMS = ("contract", "party", "place", "proof")  # of a handover; they stand in its statement

# (what is in clear, in which files, of which needles): the whole list.
PLAIN = [
    ("names of issues: PERSON-CLIENT-SERIAL", "name", r"\.(age|html)(\.sig)?$",
     {"person", "client"}),
    ("names of the envelope and the trousseau: CLIENT", "name", r"(enveloppe|trousseau)-",
     {"client"}),
    ("minisign's comment beside a file: CLIENT, SERIAL, NAME", "content", r"\.minisig$",
     {"client"}),
]


class Words:
    """Words that stand nowhere else, by what they are."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.kinds = {}

    def make(self, kind, size=6):
        word = "".join(self.random.choice("bcdfghjklmnpqrstvwxz") + self.random.choice("aeiouy")
                       for _ in range(size))
        return self.know(kind, word)

    def know(self, kind, word):
        true(len(word) >= 10, f"'{word}' is too short to look for")
        true(word not in self.kinds, f"'{word}' was made twice")
        self.kinds[word] = kind
        return word

    def patterns(self, path):
        """As a file for grep, whose automaton looks for thousands of them at once."""
        self.path = path
        self.forms = {form: word for word in self.kinds for form in forms_of(word)}
        true(not any(b"\n" in form for form in self.forms), "a form of two lines")
        with open(path, "wb") as file:
            file.write(b"\n".join(self.forms) + b"\n")

    def within(self, content):
        done = subprocess.run(["grep", "-a", "-o", "-F", "-f", self.path], input=content,
                              capture_output=True, env={"LC_ALL": "C"})
        true(done.returncode in (0, 1), done.stderr)
        return {self.forms[form] for form in done.stdout.split(b"\n") if form}


class Search:
    """What was found where it must not be, and how much was searched."""

    def __init__(self, words):
        self.words = words
        self.found = {}
        self.bytes = 0
        self.seen = set()
        self.lock = threading.Lock()

    def allowed(self, where, name):
        return {kind for _, place, pattern, kinds in PLAIN
                if place == where and re.search(pattern, name) for kind in kinds}

    def look(self, where, name, content, kinds):
        may = self.allowed(where, name)
        for word in self.words.within(content):
            kind = self.words.kinds[word]
            if kind in kinds and kind not in may:
                with self.lock:
                    self.found.setdefault(word, f"{kind} '{word}' in the {where} of {name}")

    def file(self, path, root, kinds):
        try:
            with open(path, "rb") as file:
                content = file.read()
        except (FileNotFoundError, OSError):
            return  # a socket, or gone meanwhile
        digest = hashlib.sha256(content).digest()
        if (path, digest) not in self.seen:
            self.seen.add((path, digest))
            self.bytes += len(content)
            self.look("content", path, content, kinds)
        self.look("name", os.path.relpath(path, root), os.fsencode(os.path.relpath(path, root)),
                  kinds)

    def folder(self, root, kinds, fits=lambda name: True):
        count = 0
        for where, _, names in os.walk(root):
            for name in filter(fits, names):
                self.file(os.path.join(where, name), root, kinds)
                count += 1
        return count


class Seeded:
    def __init__(self, world, words):
        self.world, self.words = world, words
        self.boxes, self.people = [], []
        world.run("init", "--as", words.make("person"), "--name", words.make("name"), "--email",
                  words.make("e-mail") + "@" + words.make("domain") + ".example", check=0)
        self.make_clients()
        self.make_people()
        self.make_secrets()
        self.use()

    def sentence(self, kind):
        return f"{self.words.make(kind)} {self.words.make(kind)}"

    def make_clients(self):
        world, words = self.world, self.words
        self.clients = [words.make("client") for _ in range(CLIENTS)]
        for client in self.clients:
            domain = words.make("domain") + ".example"
            boxes = [words.make("mailbox") for _ in range(BOXES_EACH)]
            world.control("POST", "/seed", {"domains": [{
                "domain": domain, "nic": world.ready["nic"],
                "accounts": [{"name": box, "password": words.make("password")}
                             for box in boxes]}]})
            world.run("client", "add", client, "--nic", world.ready["nic"], "--domain", domain,
                      "--name", self.sentence("client's name"), "--endpoint",
                      world.ready["endpoint"], "--imap", world.ready["imap"], *LIMITS, check=0)
            world.run("ovh", "link", client, "--config", world.config, "--accept-wide", check=0)
            addresses = [f"{box}@{domain}" for box in boxes]
            world.run("role", "adopt", *addresses, check=0)
            self.boxes += addresses
        with open(world.config) as file:
            for value in re.findall(r"^(?:application_secret|consumer_key)\s*=\s*(\S+)",
                                    file.read(), re.M):
                words.know("OVH key", value)

    def make_people(self):
        world, words = self.world, self.words
        for number in range(PEOPLE):
            person = words.make("person")
            key = os.path.join(world.home, f"key{number}.txt")
            words.know("public key", keygen(key))
            world.run("person", "add", person, "--kind", "provider" if number else "client",
                      "--name", self.sentence("name"), "--email",
                      words.make("e-mail") + "@boite.example", "--group", words.make("group"),
                      "--device", words.make("device"), "--alias", words.make("alias"), "--key",
                      key + ".pub", check=0)
            self.people.append(person)

    def make_secrets(self):
        words = self.words
        for number in range(SECRETS):
            self.world.secret(self.boxes[number % len(self.boxes)], words.make("label"),
                              words.make("secret"), "--user", words.make("login"), "--url",
                              f"https://{words.make('site')}.example/", "--note",
                              self.sentence("note"))

    def use(self):
        """Grants, versions, a handover: what a vault of some years has."""
        world, words = self.world, self.words
        for number, person in enumerate(self.people[1:9]):
            with open(world.file("code"), "w+") as told:
                world.run("grant", person, self.boxes[number], "--with", "all", "--reason",
                          words.make("reason"), "-o", world.out, "--format",
                          ("age", "html")[number % 2], "--code-fd", str(told.fileno()),
                          pass_fds=(told.fileno(),), check=0)
                told.seek(0)
                for code in told.read().split()[1::2]:
                    words.know("code", code)
        world.run("rotate", *self.boxes[:4], check=0)
        for address in self.boxes:
            for version in world.json("show", address, "--versions", "--reveal")["versions"]:
                if version["password"] not in words.kinds:
                    words.know("password", version["password"])
        world.run("handover", "start", self.clients[0], "--to", self.people[0], "--contract",
                  self.sentence("contract"), "--giver", self.sentence("party"), "--receiver",
                  self.sentence("party"), "--place", self.sentence("place"), "--identity",
                  self.sentence("proof"), check=0)


# --- what is really in the vault ---

def is_in_the_vault(seeded):
    """Each needle but a secret is shown by some command; otherwise nothing was looked for."""
    world, words = seeded.world, seeded.words
    said = []
    for args in (["client", "ls"], ["person", "ls"], ["role", "ls"], ["secret", "ls"],
                 ["handover", "status", seeded.clients[0]], ["log"], ["who", seeded.boxes[0]]):
        said.append(world.run("--json", *args, check=0).stdout)
    said += [world.run("--json", "person", "show", who, check=0).stdout for who in seeded.people]
    said += [world.run("--json", "client", "show", who, check=0).stdout for who in seeded.clients]
    for row in world.json("secret", "ls")["secrets"]:
        said.append(world.run("--json", "show", row["address"], row["label"], "--reveal",
                              check=0).stdout)
    text = "\n".join(said)
    unsaid = ("password", "OVH key", "reason", "code", *TERMS)
    missing = [f"{kind} {word}" for word, kind in words.kinds.items()
               if kind not in unsaid and word not in text]
    equal(missing, [], "needles that no command shows")


def finds_every_form(words):
    """The search itself: each needle in each form, in the middle of something else."""
    hidden = b"".join(b"\x00x" + form + b"y\xff\n" for form in words.forms)
    found = words.within(hidden)
    missing = [word for word in words.kinds if word not in found]
    equal(missing, [], "needles that are not found")
    for form, word in list(words.forms.items())[::97]:
        equal(words.within(b"\x00x" + form + b"y\xff"), {word}, f"found for {form!r}")


# --- where ---

def own_folders(world):
    return [os.path.join(world.home, name) for name in ("data", "state", "run")]


def look_everywhere(seeded, search):
    kinds = set(seeded.words.kinds.values())
    return sum(search.folder(folder, kinds) for folder in own_folders(seeded.world))


def at_work(seeded, search):
    """Database, log, its index and lock as they are while a rotation waits for OVH."""
    world = seeded.world
    world.control("POST", "/set", {"task_delay_ms": 700})
    done = threading.Event()
    names = set()

    def watch():
        while not done.is_set():
            look_everywhere(seeded, search)
            for folder in own_folders(world):
                for _, _, found in os.walk(folder):
                    names.update(found)
            time.sleep(0.15)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        world.run("rotate", *seeded.boxes[4:8], check=0)
    finally:
        done.set()
        watcher.join()
        world.control("POST", "/set", {"task_delay_ms": 0})
    for wanted in ("vault.db", "vault.db-wal", "vault.db-shm", "vault.db.lock"):
        true(wanted in names, f"{wanted} was not there to be searched")


def killed_rekey(seeded, search):
    """What a rekey leaves that is killed while it writes the new file."""
    world = seeded.world
    args = ["rekey", "--recovery-out", os.path.join(world.home, "recovery.txt")]
    _, _, calls = kills.traced(world, args, 60)
    writes = [at for at, (_, name) in enumerate(calls) if name == "pwrite64"]
    where = writes[len(writes) * 2 // 3]
    args[-1] += "2"
    cut, why = kills.killed_at(world, args, kills.point(calls, where), 60)
    true(cut, f"the rekey was not cut short: {why}")
    names = [name for folder in own_folders(world) for _, _, found in os.walk(folder)
             for name in found]
    true(any(".rekeying" in name for name in names), f"nothing is left of it: {names}")
    look_everywhere(seeded, search)


def agents_folder(seeded, search):
    world = seeded.world
    os.makedirs(os.path.join(world.home, "run"), mode=0o700, exist_ok=True)
    world.run("unlock", "--for", "1h", check=0)
    try:
        true("agent.sock" in os.listdir(os.path.join(world.home, "run/passation")), "no agent")
        look_everywhere(seeded, search)
    finally:
        world.run("lock", check=0)


def copies(seeded, search):
    """A backup, and what others read: a KDBX and a tree of age files."""
    world = seeded.world
    kinds = set(seeded.words.kinds.values())
    backup = os.path.join(world.home, "copies")
    os.mkdir(backup, 0o700)
    world.run("backup", os.path.join(backup, "vault.db"), check=0)
    phrase = seeded.words.make("passphrase", 12)
    seeded.words.patterns(seeded.words.path)
    world.run("export", seeded.clients[1], "--format", "kdbx", "-o",
              os.path.join(backup, "all.kdbx"), "--new-passphrase-fd", "0", "-y", stdin=phrase,
              check=0)
    equal(search.folder(backup, kinds), 2, "files")
    tree = os.path.join(world.home, "tree")
    world.run("export", seeded.clients[1], "--format", "passage", "--to", seeded.people[1], "-o",
              tree, "-y", check=0)
    # Its names are a tree's own: pass shows them, too.
    names = [os.path.join(where, name) for where, _, found in os.walk(tree) for name in found
             if name.endswith(".age")]
    true(len(names) >= 10, f"a tree of {len(names)} files")
    for path in names:
        with open(path, "rb") as file:
            search.look("content", path, file.read(), kinds)


def given_away(seeded, search):
    world = seeded.world
    kinds = set(seeded.words.kinds.values())
    secrets = set(SECRET_KINDS)
    true(search.folder(world.out, kinds) >= 16, "too few issues")
    envelope = world.folder("envelope")
    world.run("envelope", "create", seeded.clients[0], "--to", seeded.people[0], "-o", envelope,
              check=0)
    sheet = re.compile(r"-cle\.html$")
    true(search.folder(envelope, kinds, lambda name: not sheet.search(name)) >= 4, "no envelope")
    equal(search.folder(envelope, secrets, sheet.search), 1, "sheets")
    trousseau(seeded, search, kinds, secrets)


def trousseau(seeded, search, kinds, secrets):
    world = seeded.world
    world.run("handover", "next", seeded.clients[0])
    world.settle_items(seeded.clients[0])
    world.judge(seeded.clients[0])
    world.run("handover", "next", seeded.clients[0])
    folder, code = world.issue(seeded.clients[0])
    seeded.words.know("code", code)
    seeded.words.patterns(seeded.words.path)
    sealed = re.compile(r"^trousseau\.(age|html|kdbx)|\.(sig|minisig)$")
    true(search.folder(folder, kinds, sealed.search) >= 9, "no sealed files")
    true(search.folder(folder, secrets) >= 12, "no clear files")
    with open(os.path.join(folder, "proces-verbal.txt")) as file:
        text = file.read()
    equal([word for word, kind in seeded.words.kinds.items() if kind in TERMS
           and word not in text], [], "terms that the statement does not have")


def main():
    cases = Cases()
    words = Words(20261129)
    with Handing(sys.argv[1]) as world:
        seeded = Seeded(world, words)
        words.patterns(os.path.join(world.dir, "needles"))
        search = Search(words)
        with cases.case("every needle is really in the vault"):
            is_in_the_vault(seeded)
        with cases.case("the search finds every form of every needle"):
            finds_every_form(words)
        for part in (at_work, agents_folder, copies, given_away, killed_rekey):
            with cases.case(part.__name__):
                part(seeded, search)
        with cases.case("files, at the end"):
            world.run("log", "--verify", check=0)
            look_everywhere(seeded, search)
    for what in sorted(search.found.values()):
        print(f"FAILED {what}", file=sys.stderr)
    tried = len(words.kinds)
    print(f"{len(search.seen)} files, {search.bytes >> 20} MiB, {len(words.forms)} forms")
    print(f"needles: tried {tried} survived {tried - len(search.found)}")
    record("2.3", "vault, copies and what is given away", tried, tried - len(search.found))
    return 1 if cases.finish() or search.found or tried < FLOOR else 0


if __name__ == "__main__":
    sys.exit(main())
