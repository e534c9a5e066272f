#!/usr/bin/env python3
"""Recipients that somebody changed who can write the vault's file, or the files that keys come in.

    test_recipients.py BUILD [--every N]

A vault with five people, their keys, grants and issues, two slots and a trusted issuer. Below the tool,
as test_tamper.py does it, each row that says who may read is changed in its bytes, exchanged with
another, dropped, doubled, put back as it was when the person had another key; the slots in the
head are changed, added, put in another order, dropped. After each edit the commands that encrypt to
that person are run. All refuse, before anything is encrypted: no file appears, and the vault's file
is as the edit left it. Keys that are damaged, and names that only look like somebody's, are refused
by every command that takes one.
"""

import argparse
import base64
import concurrent.futures
import itertools
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.handover import Handing  # noqa: E402
from support.record import record  # noqa: E402
from support.world import keygen  # noqa: E402
from test_tamper import (HEAD_SIZE, SLOT_SIZE, edited, put, replace_record, rows,  # noqa: E402
                         settled, with_root)

BOX = f"box0@{Handing.DOMAIN}"
PEOPLE = ["jp", "nora", "paul", "alice", "zoe"]
LOCKED, FOUND, TOO_NEW = 5, 6, 13
TABLES = {"slot": 1, "person": 2, "own key": 11, "grant": 12, "issue": 13, "issuer": 14}
FLOOR = 200


class Wrong(Exception):
    pass


def hold(condition, what):
    if not condition:
        raise Wrong(what)


# --- the vault that is edited ---

class Seeded:
    """owner[row key]: (table, person) of each row that concerns recipients, found by what each
    command added: the keys of rows tell nothing."""

    def __init__(self, world):
        self.world = world
        world.setup_client(mailboxes=1)
        self.path = os.path.join(world.home, "data/passation/vault.db")
        self.keys, self.owner = {}, {}
        self.own_keys = {row[:2] for row in rows(settled(self.path), "record")
                         if row[0] == TABLES["own key"]}
        for person in PEOPLE:
            self.keys[person] = os.path.join(world.home, person + ".txt")
            self.noting("person", person, self.add, person)
        self.older = settled(self.path)
        for person in PEOPLE:
            path = os.path.join(world.home, person + "-2.txt")
            keygen(path)
            world.run("person", "key", person, "--add", path + ".pub", check=0)
        for person in PEOPLE[:4]:
            self.noting("grant", person, world.run, "grant", person, BOX, "-o", world.out)
        self.noting("slot", "nora", world.run, "slot", "add", "nora", "--new-identity-file",
                    self.keys["nora"])
        self.trust()
        self.image = settled(self.path)
        self.public = {person: open(self.keys[person].replace(".txt", "-2.txt.pub")).read().strip()
                       for person in PEOPLE}

    def add(self, person):
        keygen(self.keys[person])
        self.world.run("person", "add", person, "--kind", "provider", "--key",
                       self.keys[person] + ".pub", check=0)

    def noting(self, what, person, act, *args):
        before = {row[:2] for row in rows(settled(self.path), "record")}
        act(*args)
        for row in rows(settled(self.path), "record"):
            if row[:2] in before:
                continue
            for name in ("person", "grant", "issue", "slot"):
                if row[0] == TABLES[name] and (what == name or (what, name) == ("grant", "issue")):
                    self.owner[row[:2]] = (name, person)

    def trust(self):
        """An issuer that is pinned: of an issue that another vault made for our identity."""
        world = self.world
        other = os.path.join(world.home, "other.db")
        public = subprocess.run(["age-keygen", "-y", world.identity], check=True,
                                capture_output=True, text=True).stdout.strip()
        key = os.path.join(world.home, "our.pub")
        with open(key, "w") as file:
            file.write(public + "\n")
        run = lambda *args: world.run("--vault", other, *args, check=0)  # noqa: E731
        run("init")
        run("client", "add", "autre", "--nic", world.ready["nic"], "--domain", world.DOMAIN,
            "--endpoint", world.ready["endpoint"], "--imap", world.ready["imap"], "--rate", "0",
            "--settle", "1s", "--login-cache", "1s", "--failed-logins", "16/1s")
        run("ovh", "link", "autre", "--config", world.config, "--accept-wide")
        world.run("--vault", other, "role", "adopt", BOX, "--secret-fd", "0",
                  stdin=world.in_force(BOX), check=0)
        run("person", "add", "us", "--kind", "team", "--key", key)
        issue = json.loads(run("--json", "grant", "us", BOX, "-o", world.out).stdout)["issues"][0]
        fingerprint = json.loads(run("--json", "key", "show").stdout)["fingerprint"]
        before = {row[:2] for row in rows(settled(self.path), "record")}
        world.run("open", issue["path"], "--issuer", fingerprint, "--store", check=0)
        self.received = issue["path"]
        for row in rows(settled(self.path), "record"):
            if row[0] == TABLES["issuer"] and row[:2] not in before:
                self.owner[row[:2]] = ("issuer", "us")


# --- edits: (name, (table, person), image) ---

def edits_of_rows(seeded):
    records = rows(seeded.image, "record")
    ours = [row for row in records if row[:2] in seeded.owner]
    old = {row[:2]: row for row in rows(seeded.older, "record")}
    nodes = rows(seeded.older, "node")
    for row in ours:
        who = seeded.owner[row[:2]]
        label = f"{who[0]} of {who[1]}"
        box = row[4]
        for at in (0, 24, len(box) // 2, len(box) - 1):
            yield f"{label}: byte {at} changed", who, edited(
                seeded.image, lambda db, row=row, at=at: replace_record(
                    db, row, box=put(row[4], at, bytes([row[4][at] ^ 1]))))
        yield f"{label}: cut", who, edited(
            seeded.image, lambda db, row=row: replace_record(db, row, box=row[4][:-64]))
        yield f"{label}: dropped", who, edited(
            seeded.image, lambda db, row=row: db.execute(
                "DELETE FROM record WHERE tab = ? AND key = ?", row[:2]))
        yield f"{label}: another revision", who, edited(
            seeded.image, lambda db, row=row: replace_record(db, row, revision=row[2] + 1))
        for other in ours:
            if other[0] == row[0] and other[1] > row[1]:
                def swap(db, a=row, b=other):
                    replace_record(db, a, revision=b[2], box=b[4])
                    replace_record(db, b, revision=a[2], box=a[4])
                yield (f"{label}: exchanged with {seeded.owner[other[:2]][1]}'s", who,
                       edited(seeded.image, swap))

                def copied(db, a=row, b=other):
                    replace_record(db, a, revision=b[2], box=b[4])
                yield (f"{label}: {seeded.owner[other[:2]][1]}'s in its place", who,
                       edited(seeded.image, copied))
        if row[:2] in old and old[row[:2]] != row:
            was = old[row[:2]]
            yield f"{label}: the key of before", who, edited(
                seeded.image, lambda db, was=was: replace_record(
                    db, was, revision=was[2], box=was[4]))

            def with_nodes(db, was=was):
                replace_record(db, was, revision=was[2], box=was[4])
                db.executemany("INSERT OR REPLACE INTO node VALUES (?, ?)", nodes)
            yield f"{label}: the key of before, and its hashes", who, edited(seeded.image,
                                                                             with_nodes)


def added_rows(seeded):
    """Somebody's row once more, under a key that nobody has: a recipient who was never added."""
    for row in rows(seeded.image, "record"):
        if row[:2] not in seeded.owner:
            continue
        table, person = who = seeded.owner[row[:2]]
        for at in (0, 7):
            key = row[1][:at] + bytes([row[1][at] ^ 1]) + row[1][at + 1:]
            yield f"{table} of {person}: one more under another key {at}", (table, None), edited(
                seeded.image, lambda db, row=row, key=key: db.execute(
                    "INSERT INTO record VALUES (?, ?, ?, ?, ?)", (row[0], key, *row[2:])))


def shows_keys_without(seeded, row):
    bench = Bench(seeded)
    try:
        bench.place(edited(seeded.image, lambda db: db.execute(
            "DELETE FROM record WHERE tab = ? AND key = ?", row[:2])))
        return bench.run("key", "show").returncode == 0
    finally:
        bench.close()


def own_keys(seeded):
    """The vault's signing key and age identity: with others, its issues would be another's. Their
    table has a row of another kind, too, which nobody reads for a key."""
    mine = [row for row in rows(seeded.image, "record")
            if row[:2] in seeded.own_keys and not shows_keys_without(seeded, row)]
    hold(len(mine) == 2, "no own keys")
    for number, row in enumerate(mine):
        for at in (0, 24, 40, len(row[4]) - 1):
            yield f"own key {number}: byte {at} changed", ("own key", "jp"), edited(
                seeded.image, lambda db, row=row, at=at: replace_record(
                    db, row, box=put(row[4], at, bytes([row[4][at] ^ 1]))))
        yield f"own key {number}: dropped", ("own key", "jp"), edited(
            seeded.image, lambda db, row=row: db.execute(
                "DELETE FROM record WHERE tab = ? AND key = ?", row[:2]))

    def swap(db, a=mine[0], b=mine[1]):
        replace_record(db, a, box=b[4])
        replace_record(db, b, box=a[4])
    yield "own keys: exchanged", ("own key", "jp"), edited(seeded.image, swap)


def slots_in_the_head(seeded):
    box = rows(seeded.image, "root")[0][1]
    count = box[17]
    slots = [box[HEAD_SIZE + i * SLOT_SIZE:HEAD_SIZE + (i + 1) * SLOT_SIZE] for i in range(count)]
    rest = box[HEAD_SIZE + count * SLOT_SIZE:]
    hold(count >= 2, "one slot alone")
    sets = [list(order) for order in itertools.permutations(slots)][1:]
    sets += [[slot for slot in slots if slot is not gone] for gone in slots]
    sets += [slots + [slot] for slot in slots]
    sets += [[put(slot, 0, bytes([slot[0] ^ 1])), *slots] for slot in slots]
    for number, found in enumerate(sets):
        yield f"slots: set {number}", ("head", "jp"), with_root(
            seeded.image, box[:17] + bytes([len(found)]) + b"".join(found) + rest)
    for number in range(count):
        for at in (0, 15, 16, 20, 30, 45, 70, SLOT_SIZE - 1):
            yield f"slot {number}: byte {at} changed", ("head", "jp"), with_root(
                seeded.image, put(box, HEAD_SIZE + number * SLOT_SIZE + at,
                                  bytes([box[HEAD_SIZE + number * SLOT_SIZE + at] ^ 1])))


# --- what is run over an edit ---

class Bench:
    def __init__(self, seeded):
        self.seeded = seeded
        self.dir = tempfile.mkdtemp(prefix="psn-recipients-")
        self.vault, self.out, self.state = (os.path.join(self.dir, name)
                                            for name in ("vault.db", "out", "state"))
        self.env = seeded.world.env(XDG_STATE_HOME=self.state, HOME=self.dir,
                                    XDG_RUNTIME_DIR=os.path.join(self.dir, "none"))

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def place(self, image):
        for name in os.listdir(self.dir):
            path = os.path.join(self.dir, name)
            shutil.rmtree(path) if os.path.isdir(path) else os.unlink(path)
        os.mkdir(self.out, 0o700)
        with open(os.open(self.vault, os.O_WRONLY | os.O_CREAT, 0o600), "wb") as file:
            file.write(image)

    def run(self, *args, stdin=None):
        codes = open(os.path.join(self.dir, "codes"), "w+")
        words = [str(codes.fileno()) if word == "CODES" else word for word in args]
        try:
            return subprocess.run(
                [self.seeded.world.binary, "--vault", self.vault, "--no-input", "-y",
                 "--identity-file", self.seeded.world.identity, *words], env=self.env,
                input=stdin, stdin=subprocess.DEVNULL if stdin is None else None,
                pass_fds=[codes.fileno()], capture_output=True, text=True, timeout=60)
        finally:
            codes.seek(0)
            told = codes.read()
            codes.close()
            hold(not told, "a code was told")

    def refused(self, allowed, *args, stdin=None):
        done = self.run(*args, stdin=stdin)
        hold(done.returncode in allowed, f"{' '.join(args)}: exit {done.returncode}: "
             f"{done.stderr[-300:]!r}")
        hold(not os.listdir(self.out), f"{' '.join(args)}: wrote {os.listdir(self.out)}")
        hold("AGE-SECRET-KEY" not in done.stdout and not done.stdout.strip(),
             f"{' '.join(args)}: says {done.stdout[:200]!r}")


def commands(bench, table, person):
    """What encrypts to him, or gives him a way in, by what was edited."""
    out, target = bench.out, person or "jp"
    grant = ["grant", target, BOX, "-o", out]
    page = [*grant, "--format", "html", "--code-fd", "CODES"]
    passage = ["export", "essai", "--format", "passage", "--to", target, "-o",
               os.path.join(out, "tree")]
    kit = ["envelope", "create", "essai", "--to", target, "-o", out]
    rekey = ["rekey", "--recovery-out", os.path.join(out, "recovery"), "--keep-identity-file",
             bench.seeded.keys["nora"]]
    outbox = ["outbox", "-o", out, "--code-fd", "CODES"]
    if table == "person" and person:
        return [grant, page, passage, kit]
    if table == "person":
        return [rekey, ["log", "--verify"]]
    if table == "grant" and person:
        return [outbox, grant, rekey]
    if table == "own key":
        return [["key", "show"], rekey, ["key", "rotate"]]
    if table == "issuer" and person:
        return [["open", bench.seeded.received, "--store"], rekey, ["log", "--verify"]]
    if table == "head":
        return [grant, rekey, ["slot", "add", target, "--new-identity-file",
                               bench.seeded.keys[target]]]
    return [rekey, ["log", "--verify"]]


def edited_run(bench, job):
    _, (table, person), image = job
    bench.place(image)
    allowed = {FOUND, LOCKED, TOO_NEW} if table == "head" else {FOUND}
    for args in commands(bench, table, person):
        bench.refused(allowed, *args)
    with open(bench.vault, "rb") as file:
        hold(file.read()[100:] == image[100:], "the vault's file was changed")


# --- keys and names that come from outside ---

CASES = {"jp": ["JP", "Jp", "jP", "jр", "ϳp", "ⅉp", "jp\u200b", "\u200bjp", "jp ", "j\u0440",
                "\u0458p", "ｊｐ", "jp\u0301", "jp\u00ad", "jp\n"],
         "nora": ["NORA", "nοra", "norа", "n0ra", "noгa"],
         "paul": ["pаul", "paui", "pauI", "раul"]}


def wrong_names(seeded):
    for person, names in CASES.items():
        for name in names:
            yield (f"the name {name!r} for {person}", None, [
                ["grant", name, BOX, "-o", "OUT"],
                ["export", "essai", "--format", "passage", "--to", name, "-o", "OUT/tree"],
                ["envelope", "create", "essai", "--to", name, "-o", "OUT"]])


def wrong_keys(seeded):
    age = seeded.public["jp"]
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f",
                          os.path.join(seeded.world.home, "key")], check=True)
    with open(os.path.join(seeded.world.home, "key.pub")) as file:
        kind, body, *_ = file.read().split()
    raw = base64.b64decode(body)
    bad = [("its case changed", age[:20] + age[20:].upper()), ("a character less", age[:-1]),
           ("a character more", age + "q"), ("another prefix", "age2" + age[4:]),
           ("two keys in one line", age + " " + age), ("a homograph", age.replace("a", "а", 1)),
           ("a plugin's", "age1yubikey1" + age[4:])]
    bad += [(f"character {at} changed", age[:at] + ("q" if age[at] != "q" else "p") + age[at + 1:])
            for at in range(4, len(age), 3)]
    bad += [(f"characters {at} and {at + 1} exchanged",
             age[:at] + age[at + 1] + age[at] + age[at + 2:])
            for at in range(5, len(age) - 1, 7) if age[at] != age[at + 1]]
    bad += [("ssh: cut", f"{kind} {base64.b64encode(raw[:-1]).decode()}"),
            ("ssh: longer", f"{kind} {base64.b64encode(raw + b'x').decode()}"),
            ("ssh: another kind inside", f"ssh-rsa {body}"),
            ("ssh: its length changed",
             f"{kind} {base64.b64encode(put(raw, 3, bytes([12]))).decode()}"),
            ("ssh: a point of small order",
             f"{kind} {base64.b64encode(raw[:-32] + bytes(32)).decode()}")]
    for name, key in bad:
        yield (f"a key: {name}", None, [
            ["person", "key", "jp", "--add", "-"], ["person", "add", "new", "--kind", "provider",
                                                    "--key", "-"],
            ["export", "essai", "--format", "passage", "--to", key, "-o", "OUT/tree"]], key)


def outside_run(bench, job):
    _, _, lines, *key = job
    bench.place(bench.seeded.image)
    for line in lines:
        args = [bench.out + word[3:] if word.startswith("OUT") else word for word in line]
        bench.refused({2, 4, 7, 13}, *args, stdin=key[0] + "\n" if key else None)
    # None of them left anything behind that the next issue would go to.
    done = bench.run("grant", "jp", BOX, "-o", bench.out, "--json")
    hold(done.returncode == 0, done.stderr)
    told = json.loads(done.stdout)["issues"][0]["path"]
    opened = subprocess.run(["age", "-d", "-i",
                             bench.seeded.keys["jp"].replace(".txt", "-2.txt"), told],
                            capture_output=True, text=True)
    hold(f"\nRecipient: {bench.seeded.public['jp']}\n" in opened.stdout,
         "the next issue is for another key")


def honest(seeded):
    """The vault that nobody edited: each command does what an edit makes it refuse."""
    bench = Bench(seeded)
    try:
        for table in TABLES:
            for args in commands(bench, table, "jp"):
                if "CODES" in args or args[0] == "open":
                    continue
                bench.place(seeded.image)
                done = bench.run(*args)
                hold(done.returncode == 0, f"{' '.join(args)}: exit {done.returncode}: "
                     f"{done.stderr}")
    finally:
        bench.close()


def work(seeded, todo, workers):
    place, lock, failed = iter(todo), threading.Lock(), []

    def worker():
        bench = Bench(seeded)
        try:
            while True:
                with lock:
                    job = next(place, None)
                if job is None:
                    return
                try:
                    (edited_run if isinstance(job[2], bytes) else outside_run)(bench, job)
                except (Wrong, OSError, ValueError, subprocess.SubprocessError) as why:
                    failed.append(f"{job[0]}: {why}")
        finally:
            bench.close()

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for future in [pool.submit(worker) for _ in range(workers)]:
            future.result()
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--every", type=int, default=1, help="only each Nth edit")
    parser.add_argument("--workers", type=int, default=3)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = "/dev/shm"
    with Handing(options.build) as world:
        seeded = Seeded(world)
        kinds = {name for name, _ in seeded.owner.values()}
        if kinds != set(TABLES) - {"own key"}:
            print(f"FAILED only rows of {sorted(kinds)} were found", file=sys.stderr)
            return 1
        honest(seeded)
        todo = [*edits_of_rows(seeded), *added_rows(seeded), *own_keys(seeded),
                *slots_in_the_head(seeded), *wrong_names(seeded),
                *wrong_keys(seeded)][::options.every]
        failed = work(seeded, todo, options.workers)
    for why in sorted(failed):
        print("FAILED", why, file=sys.stderr)
    print(f"edits: tried {len(todo)} survived {len(todo) - len(failed)}")
    record("2.5", "vault, keys and names", len(todo), len(todo) - len(failed))
    return 1 if failed or len(todo) < FLOOR // options.every else 0


if __name__ == "__main__":
    sys.exit(main())
