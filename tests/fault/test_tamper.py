#!/usr/bin/env python3
"""Edits of the vault's file, by somebody who can write it and holds no key.

    test_tamper.py BUILD [--all] [--only KIND] [--every N]

A vault with two clients, six roles, several versions and secrets is edited below the tool: rows
swapped, replayed, deleted, inserted; slot headers, the schema, single bytes of the main file and
of the log. After each edit `show --reveal` of every role, `role ls`, `status` and `log --verify`
are run. An edit survives if no command gives another answer than before without an error, and if
the full check finds each edit that changes what the file holds. Prints `tried N survived N`.
"""

import argparse
import concurrent.futures
import itertools
import json
import os
import random
import re
import resource
import shutil
import sqlite3
import struct
import subprocess
import sys
import tempfile
import threading
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.cases import Fd, exits, run  # noqa: E402
from support.record import record  # noqa: E402
from support.world import World  # noqa: E402

PASSPHRASE = b"girouette-sabot-plumeau-58-cerise"
FOUND = 6
LOCKED = 5
TOO_NEW = 13
SLOT_SIZE = 16 + 1 + 4 + 8 + 16 + 104
HEAD_SIZE = 1 + 16 + 1
PASSPHRASE_SLOT, IDENTITY_SLOT = 1, 3
CLASSES = {"swap": "2.1", "other swap": "2.1", "foreign": "2.1", "replay": "2.2", "deletion": "2.2",
           "insertion": "2.2", "rollback": "2.2", "cost": "2.4", "schema": "2.21", "head": "2.21",
           "flip": "2.21", "log flip": "2.21"}


# --- images of vaults, edited in memory ---

def opened(image):
    """The image as a database in memory, which knows no WAL: the header says so for now."""
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.deserialize(image[:18] + b"\1\1" + image[20:])
    return db


def edited(image, change):
    db = opened(image)
    change(db)
    after = db.serialize()
    db.close()
    return after[:18] + b"\2\2" + after[20:]


def content(image):
    """All that the file says; None if SQLite cannot read it to the end."""
    try:
        db = opened(image)
        said = [db.execute("PRAGMA application_id").fetchall(),
                db.execute("PRAGMA user_version").fetchall(),
                db.execute("SELECT type, name, tbl_name, sql FROM sqlite_schema").fetchall()]
        for table in ("root", "node", "record", "journal"):
            said.append(sorted(db.execute(f"SELECT * FROM {table}").fetchall(), key=repr))
        db.close()
        return said
    except (sqlite3.Error, UnicodeDecodeError, OverflowError, MemoryError):
        return None


def rows(image, table):
    db = opened(image)
    found = db.execute(f"SELECT * FROM {table}").fetchall()
    db.close()
    return found


def settled(path):
    """The file with its log moved into it."""
    db = sqlite3.connect(path)
    db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    db.close()
    with open(path, "rb") as file:
        return file.read()


# --- the vault that is edited ---

class Seeded:
    """Two vaults over one simulator: A as it is and as it was, B with the same addresses."""

    CLIENTS = {"essai": "essai.example", "autre": "autre.example"}

    def __init__(self, world):
        self.world = world
        self.addresses = [f"box{i}@{domain}" for domain in self.CLIENTS.values()
                          for i in range(3)]
        self.labels = ("ftp", "cms")
        self.path = os.path.join(world.dir, "a.db")
        self.seed_simulator()
        self.older = []
        self.fill(self.path, history=True)
        self.remember()
        other = os.path.join(world.dir, "b.db")
        self.fill(other, history=False)
        self.other = settled(other)

    def seed_simulator(self):
        self.world.control("POST", "/set", {"task_delay_ms": 0})
        self.world.control("POST", "/seed", {"domains": [
            {"domain": domain, "nic": self.world.ready["nic"],
             "accounts": [{"name": f"box{i}", "password": f"Seed-{i}-{domain[:5]}"}
                          for i in range(3)]}
            for domain in self.CLIENTS.values()]})

    def do(self, path, *args):
        return exits(run(self.world, "--vault", path, *args), 0)

    def fill(self, path, history):
        ready = self.world.ready
        self.do(path, "init", "--passphrase-fd", Fd(PASSPHRASE), "--recovery-out",
                path + ".recovery")
        for client, domain in self.CLIENTS.items():
            self.do(path, "client", "add", client, "--nic", ready["nic"], "--domain", domain,
                    "--endpoint", ready["endpoint"], "--imap", ready["imap"], "--rate", "0",
                    "--settle", "1s", "--login-cache", "1s", "--failed-logins", "16/1s")
            if history:
                self.do(path, "ovh", "link", client, "--config", self.world.config,
                        "--accept-wide")
        for number, address in enumerate(self.addresses):
            held = self.world.in_force(address)
            self.do(path, "role", "adopt", address, "--secret-fd", Fd(held.encode()))
            for label in self.labels:
                self.do(path, "secret", "add", address, label, "--secret-fd",
                        Fd(f"{label}-{number}-one".encode()))
        if not history:
            return
        self.older.append(settled(path))
        for number, address in enumerate(self.addresses):
            self.do(path, "secret", "set", address, "ftp", "--secret-fd",
                    Fd(f"ftp-{number}-two".encode()))
        self.older.append(settled(path))
        self.do(path, "rotate", "box0@*", "box1@*")
        self.older.append(settled(path))
        for number, address in enumerate(self.addresses):
            self.do(path, "show", address, "--reveal")

    def remember(self):
        self.image = settled(self.path)
        self.content = content(self.image)
        self.seen = self.seen_files()
        self.passwords = {address: self.world.in_force(address) for address in self.addresses}
        self.values = {(address, "ftp"): f"ftp-{number}-two"
                       for number, address in enumerate(self.addresses)}
        self.values.update({(address, "cms"): f"cms-{number}-one"
                            for number, address in enumerate(self.addresses)})
        self.roles = json.loads(self.do(self.path, "--json", "role", "ls").stdout)
        self.status = set(json.loads(self.do(self.path, "--json", "status").stdout))
        # One more change, left in the log: what lies in both files.
        self.do(self.path, "secret", "add", self.addresses[0], "zip", "--secret-fd", Fd(b"zip"))
        with open(self.path, "rb") as file:
            self.main = file.read()
        with open(self.path + "-wal", "rb") as file:
            self.wal = file.read()
        self.wal_seen = self.seen_files()

    def seen_files(self):
        folder = os.path.join(self.world.home, "state/passation")
        found = {}
        for name in os.listdir(folder):
            if name.startswith("seen-"):
                with open(os.path.join(folder, name), "rb") as file:
                    found[name] = file.read()
        return found


# --- edits: (name, image) for each ---

def replace_record(db, row, **changes):
    names = ", ".join(f"{name} = ?" for name in changes)
    db.execute(f"UPDATE record SET {names} WHERE tab = ? AND key = ?",
               [*changes.values(), row[0], row[1]])


def swaps(seeded, limit):
    """Each pair of rows whose boxes are as long: boxes, and all but the key, change places."""
    records = rows(seeded.image, "record")
    pairs = [(a, b) for a, b in itertools.combinations(records, 2)
             if len(a[4]) == len(b[4]) and a[4] != b[4]]
    if limit and len(pairs) > limit:
        pairs = random.Random(7).sample(pairs, limit)
    for number, (a, b) in enumerate(pairs):
        def boxes(db, a=a, b=b):
            replace_record(db, a, box=b[4])
            replace_record(db, b, box=a[4])

        def all_but_keys(db, a=a, b=b):
            replace_record(db, a, revision=b[2], clear=b[3], box=b[4])
            replace_record(db, b, revision=a[2], clear=a[3], box=a[4])
        yield f"swap {number}", edited(seeded.image, all_but_keys if number % 4 == 3 else boxes)


def swaps_of_others(seeded, limit):
    journal = rows(seeded.image, "journal")
    pairs = [(a, b) for a, b in itertools.combinations(journal, 2) if len(a[3]) == len(b[3])]
    if limit:
        pairs = random.Random(8).sample(pairs, min(limit, len(pairs)))
    for number, (a, b) in enumerate(pairs):
        def change(db, a=a, b=b, whole=number % 2):
            for to, source in ((a, b), (b, a)):
                db.execute("UPDATE journal SET box = ?, hash = ? WHERE chain = ? AND number = ?",
                           [source[3], source[2] if whole else to[2], to[0], to[1]])
        yield f"journal swap {number}", edited(seeded.image, change)
    nodes = rows(seeded.image, "node")
    pairs = [(a, b) for a, b in itertools.combinations(nodes, 2) if a[1] != b[1]]
    if limit:
        pairs = random.Random(9).sample(pairs, min(limit, len(pairs)))
    for number, (a, b) in enumerate(pairs):
        def change(db, a=a, b=b):
            db.execute("UPDATE node SET children = ? WHERE id = ?", [b[1], a[0]])
            db.execute("UPDATE node SET children = ? WHERE id = ?", [a[1], b[0]])
        yield f"node swap {number}", edited(seeded.image, change)


def foreign(seeded, limit):
    """Rows of vault B, which has the same addresses and opens by the same identity, in A."""
    mine, theirs = rows(seeded.image, "record"), rows(seeded.other, "record")
    pairs = [(a, b) for a in mine for b in theirs
             if a[0] == b[0] and len(a[4]) == len(b[4])]
    if limit and len(pairs) > limit:
        pairs = random.Random(10).sample(pairs, limit)
    for number, (a, b) in enumerate(pairs):
        yield f"foreign box {number}", edited(
            seeded.image, lambda db, a=a, b=b: replace_record(
                db, a, revision=b[2] if number % 2 else a[2], clear=b[3], box=b[4]))
    for number, b in enumerate(theirs):
        yield f"foreign row {number}", edited(
            seeded.image, lambda db, b=b: db.execute(
                "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)", b))
    for table in ("record", "node", "journal", "root"):
        def change(db, table=table):
            columns = len(rows(seeded.other, table)[0])
            db.execute(f"DELETE FROM {table}")
            db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})",
                           rows(seeded.other, table))
        yield f"foreign table {table}", edited(seeded.image, change)


def replays(seeded):
    """Each row as it once was: alone, with its table, with all the hashes of that time."""
    now = {row[:2]: row for row in rows(seeded.image, "record")}
    for age, image in enumerate(seeded.older):
        old = {row[:2]: row for row in rows(image, "record")}
        nodes = rows(image, "node")
        for number, (key, row) in enumerate(sorted(old.items())):
            if now.get(key) == row:
                continue
            yield f"replay {age} row {number}", edited(
                seeded.image, lambda db, row=row: replace_record(
                    db, row, revision=row[2], clear=row[3], box=row[4]))

            def with_nodes(db, row=row):
                replace_record(db, row, revision=row[2], clear=row[3], box=row[4])
                db.executemany("INSERT OR REPLACE INTO node VALUES (?, ?)", nodes)
            yield f"replay {age} row and nodes {number}", edited(seeded.image, with_nodes)
        for number, (key, row) in enumerate(sorted(now.items())):
            if key not in old:
                yield f"unborn {age} row {number}", edited(
                    seeded.image, lambda db, row=row: db.execute(
                        "DELETE FROM record WHERE tab = ? AND key = ?", row[:2]))
        for table in ("record", "node", "journal", "root"):
            def whole(db, table=table, image=image):
                columns = len(rows(image, table)[0])
                db.execute(f"DELETE FROM {table}")
                db.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * columns)})",
                               rows(image, table))
            yield f"replay {age} table {table}", edited(seeded.image, whole)


def deletions(seeded):
    for number, row in enumerate(rows(seeded.image, "record")):
        yield f"delete row {number}", edited(
            seeded.image, lambda db, row=row: db.execute(
                "DELETE FROM record WHERE tab = ? AND key = ?", row[:2]))
    for row in rows(seeded.image, "node"):
        yield f"delete node {row[0]}", edited(
            seeded.image, lambda db, row=row: db.execute("DELETE FROM node WHERE id = ?",
                                                         row[:1]))
    for number, row in enumerate(rows(seeded.image, "journal")):
        yield f"delete entry {number}", edited(
            seeded.image, lambda db, row=row: db.execute(
                "DELETE FROM journal WHERE chain = ? AND number = ?", row[:2]))
    for tab in sorted({row[0] for row in rows(seeded.image, "record")}):
        yield f"delete table {tab}", edited(
            seeded.image, lambda db, tab=tab: db.execute("DELETE FROM record WHERE tab = ?",
                                                         [tab]))
    chains = {row[0] for row in rows(seeded.image, "journal")}
    for number, chain in enumerate(sorted(chains)):
        for keep in (0, 1, 2):
            yield f"cut chain {number} to {keep}", edited(
                seeded.image, lambda db, chain=chain, keep=keep: db.execute(
                    "DELETE FROM journal WHERE chain = ? AND number > ?", [chain, keep]))
    for table in ("root", "node", "record", "journal"):
        yield f"empty {table}", edited(
            seeded.image, lambda db, table=table: db.execute(f"DELETE FROM {table}"))


def insertions(seeded):
    """Rows that nobody wrote: copies under other keys, revisions, numbers, tables."""
    records = rows(seeded.image, "record")
    for number, row in enumerate(records):
        tab, key, revision, clear, box = row
        edits = [
            (tab, key[:-1] + bytes([key[-1] ^ 1]), revision, clear, box),
            (tab, key + b"\0", revision, clear, box),
            (tab % 11 + 1, key, revision, clear, box),
        ]
        for kind, new in enumerate(edits[number % 3:number % 3 + 1]):
            yield f"insert {number} {kind}", edited(
                seeded.image, lambda db, new=new: db.execute(
                    "INSERT OR REPLACE INTO record VALUES (?, ?, ?, ?, ?)", new))
        yield f"revision {number}", edited(
            seeded.image, lambda db, row=row: replace_record(
                db, row, revision=row[2] + (1 if number % 2 else -1)))
        yield f"cut box {number}", edited(
            seeded.image, lambda db, row=row: replace_record(
                db, row, box=row[4][:(0, 24, len(row[4]) - 1)[number % 3]]))
        yield f"clear {number}", edited(
            seeded.image, lambda db, row=row: replace_record(db, row, clear=row[3] + b"\0"))
        yield f"move {number}", edited(
            seeded.image, lambda db, row=row, number=number: db.execute(
                "UPDATE record SET key = ? WHERE tab = ? AND key = ?",
                [bytes([row[1][0] ^ 128]) + row[1][1:], *row[:2]]))
    for number, row in enumerate(rows(seeded.image, "journal")):
        chain, count, digest, box = row
        if number % 4 == 0:
            new = (chain, count + 1000, digest, box)
        elif number % 4 == 1:
            new = (chain, count, bytes([digest[0] ^ 1]) + digest[1:], box)
        elif number % 4 == 2:
            new = (chain, count, digest, box[:-1] + bytes([box[-1] ^ 1]))
        else:
            new = (chain[:-1] + bytes([chain[-1] ^ 1]), count, digest, box)
        yield f"entry {number}", edited(
            seeded.image, lambda db, new=new: db.execute(
                "INSERT OR REPLACE INTO journal VALUES (?, ?, ?, ?)", new))


def schemas(seeded):
    """Code and tables of somebody else's."""
    columns = {"root": ["id", "box"], "node": ["id", "children"],
               "record": ["tab", "key", "revision", "clear", "box"],
               "journal": ["chain", "number", "hash", "box"]}
    statements = []
    for table, names in columns.items():
        for when, event in itertools.product(("BEFORE", "AFTER"),
                                             ("INSERT", "UPDATE", "DELETE")):
            statements.append(
                f"CREATE TRIGGER t {when} {event} ON {table} BEGIN "
                f"UPDATE record SET box = (SELECT box FROM record LIMIT 1); END")
        statements += [f"CREATE TRIGGER t AFTER UPDATE ON {table} BEGIN "
                       f"DELETE FROM journal; END",
                       f"CREATE VIEW v AS SELECT * FROM {table}",
                       f"CREATE TABLE stolen AS SELECT * FROM {table}",
                       f"ALTER TABLE {table} ADD COLUMN extra BLOB",
                       f"ALTER TABLE {table} ADD COLUMN twice BLOB AS ({names[-1]})",
                       f"ALTER TABLE {table} RENAME COLUMN {names[-1]} TO other",
                       f"ALTER TABLE {table} RENAME TO renamed",
                       f"DROP TABLE {table}",
                       f"CREATE TABLE other (x REFERENCES {table} ON DELETE CASCADE)"]
        statements += [f"CREATE INDEX i ON {table} ({name})" for name in names]
        statements.append(f"CREATE UNIQUE INDEX i ON {table} ({names[-1]}, {names[0]})")
    statements += [
        "CREATE VIRTUAL TABLE f USING fts5(x)", "CREATE TABLE t (x ANY) STRICT",
        "CREATE TABLE sequence (id INTEGER PRIMARY KEY AUTOINCREMENT)", "ANALYZE",
        "PRAGMA application_id = 1", "PRAGMA application_id = 0", "PRAGMA user_version = 0",
        "PRAGMA user_version = 2", "PRAGMA user_version = 2147483647",
        "PRAGMA user_version = -1",
    ]
    for number, statement in enumerate(statements):
        try:
            yield f"schema: {statement}", edited(seeded.image,
                                                 lambda db: db.execute(statement))
        except sqlite3.OperationalError as error:
            if "no such module" not in str(error):
                raise
    for table in columns:
        for old, new in (("NOT NULL", "not null"), (" STRICT", " strict"), ("(", "( ")):
            def change(db, table=table, old=old, new=new):
                db.execute("PRAGMA writable_schema = ON")
                db.execute("UPDATE sqlite_schema SET sql = replace(sql, ?, ?) WHERE name = ?",
                           [old, new, table])
            yield f"schema text of {table}: {old!r}", edited(seeded.image, change)


def flips(image, count):
    """One bit of a byte, spread evenly; count 0: every byte."""
    chance = random.Random(11)
    step = max(1, len(image) // count) if count else 1
    for start in range(0, len(image), step):
        at = min(start + chance.randrange(step), len(image) - 1)
        bit = 1 << chance.randrange(8)
        yield f"flip {at} {bit}", image[:at] + bytes([image[at] ^ bit]) + image[at + 1:]


# --- the clear part of the root box: slots ---

def slot_positions(box, kind):
    count = box[17]
    starts = [HEAD_SIZE + i * SLOT_SIZE for i in range(count)]
    return [start for start in starts if box[start + 16] == kind]


def with_root(image, box):
    return edited(image, lambda db: db.execute("UPDATE root SET box = ?", [box]))


def put(box, at, data):
    return box[:at] + data + box[at + len(data):]


def cost_edits(seeded):
    """Costs that no slot of ours can have: (name, image), for the passphrase."""
    box = rows(seeded.image, "root")[0][1]
    start = slot_positions(box, PASSPHRASE_SLOT)[0]
    passes = [0, 1, 2, 65, 100, 1000, 2**16, 2**31 - 1, 2**31, 2**32 - 1]
    memory = [0, 1, 1023, 1024, 8192, 2**20, 2**27, 2**28 - 1024, 2**28 - 1, 2**28 + 1,
              2**32 + 1024, 2**32 + 1, 2**33, 2**40, 2**62, 2**63 - 1, 2**63, 2**64 - 1024,
              2**64 - 1]
    for value in passes:
        yield f"passes {value}", with_root(seeded.image,
                                           put(box, start + 17, struct.pack(">I", value)))
    for value in memory:
        yield f"memory {value}", with_root(seeded.image,
                                           put(box, start + 21, struct.pack(">Q", value)))
    for a, b in itertools.product((0, 1, 2, 2**31, 2**32 - 1),
                                  (0, 1, 2**28 - 1, 2**31, 2**63, 2**64 - 1, 2**20)):
        yield f"passes {a} memory {b}", with_root(
            seeded.image, put(box, start + 17, struct.pack(">IQ", a, b)))


def head_edits(seeded):
    """Everything else in clear, for a run that unlocks with the identity."""
    box = rows(seeded.image, "root")[0][1]
    start = slot_positions(box, IDENTITY_SLOT)[0]
    for field, size in (("id", 16), ("kind", 1), ("passes", 4), ("memory", 8), ("salt", 16),
                        ("wrap", 104)):
        offset = {"id": 0, "kind": 16, "passes": 17, "memory": 21, "salt": 29,
                  "wrap": 45}[field]
        for at in range(0, size, max(1, size // 8)):
            for bit in (1, 128):
                edit = bytes([box[start + offset + at] ^ bit])
                yield f"slot {field} {at} {bit}", with_root(
                    seeded.image, put(box, start + offset + at, edit))
    for kind in (0, 1, 2, 4, 5, 255):
        yield f"kind {kind}", with_root(seeded.image, put(box, start + 16, bytes([kind])))
    for count in (0, 1, 2, 4, 5, 32, 33, 255):
        yield f"slot count {count}", with_root(seeded.image, put(box, 17, bytes([count])))
    for version in (0, 2, 3, 255):
        yield f"format {version}", with_root(seeded.image, put(box, 0, bytes([version])))
    for at in range(1, 17):
        yield f"vault id {at}", with_root(seeded.image, put(box, at, bytes([box[at] ^ 1])))
    slots = [box[HEAD_SIZE + i * SLOT_SIZE:HEAD_SIZE + (i + 1) * SLOT_SIZE]
             for i in range(box[17])]
    rest = box[HEAD_SIZE + len(slots) * SLOT_SIZE:]
    orders = [list(order) for order in itertools.permutations(slots)][1:]
    fewer = [[slot for slot in slots if slot is not gone] for gone in slots]
    more = [slots + [slot] for slot in slots]
    for number, found in enumerate(orders + fewer + more):
        yield f"slots {number}", with_root(
            seeded.image, box[:17] + bytes([len(found)]) + b"".join(found) + rest)
    for at in range(len(box) - len(rest), len(box), max(1, len(rest) // 24)):
        yield f"state {at}", with_root(seeded.image, put(box, at, bytes([box[at] ^ 4])))
    for size in (0, 1, 17, 18, 100, HEAD_SIZE + 149, len(box) - len(rest), len(box) - 1):
        yield f"root cut to {size}", with_root(seeded.image, box[:size])
    yield "root and more", with_root(seeded.image, box + b"\0")
    other = rows(seeded.other, "root")[0][1]
    yield "foreign root", with_root(seeded.image, other)
    yield "foreign head", with_root(
        seeded.image, other[:HEAD_SIZE + other[17] * SLOT_SIZE] + rest)


# --- running the commands over an edited vault ---

class Bench:
    """A folder with one vault in it, which is edited again and again."""

    def __init__(self, seeded):
        self.seeded = seeded
        self.dir = tempfile.mkdtemp(prefix="psn-tamper-")
        self.path = os.path.join(self.dir, "vault.db")
        self.state = os.path.join(self.dir, "state")
        self.env = seeded.world.env(XDG_STATE_HOME=self.state,
                                    XDG_RUNTIME_DIR=os.path.join(self.dir, "none"))
        self.runs = 0

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)

    def place(self, image, wal=None, seen=None):
        for tail in ("-wal", "-shm"):
            if os.path.exists(self.path + tail):
                os.unlink(self.path + tail)
        with open(self.path, "wb") as file:
            file.write(image)
        if wal is not None:
            with open(self.path + "-wal", "wb") as file:
                file.write(wal)
        folder = os.path.join(self.state, "passation")
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder, mode=0o700)
        for name, text in (seen or {}).items():
            with open(os.path.join(folder, name), "wb") as file:
                file.write(text)

    def run(self, *args):
        self.runs += 1
        world = self.seeded.world
        return subprocess.run([world.binary, "--vault", self.path, "--no-input",
                               "--identity-file", world.identity, *args], env=self.env,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)


class Judge:
    """Runs the commands and says what is wrong with their answers, if anything."""

    def __init__(self, bench, allowed):
        self.bench = bench
        self.allowed = allowed
        self.wrong = []

    def answer(self, is_right, *args):
        done = self.bench.run(*args)
        name = " ".join(args)
        if done.returncode == 0:
            if not is_right(done.stdout):
                self.wrong.append(f"{name}: a wrong answer, exit 0: {done.stdout[:300]!r}")
        elif done.returncode not in self.allowed:
            self.wrong.append(f"{name}: exit {done.returncode}: {done.stderr[-300:]!r}")
        elif b"--json" not in args and "--json" not in args and done.stdout:
            self.wrong.append(f"{name}: refused, but says {done.stdout[:200]!r}")
        return done

    def ask_all(self, full=True):
        seeded = self.bench.seeded
        addresses = seeded.addresses if full else seeded.addresses[:2]
        for address in addresses:
            password = seeded.passwords[address].encode()
            self.answer(lambda out, p=password: out.split(b"\n")[0] == p, "show", address,
                        "--reveal")
        address, label = self.bench.seeded.addresses[self.bench.runs % 6], "ftp"
        value = seeded.values[address, label].encode()
        self.answer(lambda out: out.split(b"\n")[0] == value, "show", address, label, "--reveal")
        self.answer(lambda out: json.loads(out) == seeded.roles, "role", "ls", "--json")
        self.answer(lambda out: set(json.loads(out)) == seeded.status, "status", "--json")

    def check(self):
        return self.answer(lambda out: True, "log", "--verify").returncode


def try_logical(bench, name, image):
    """An edit of what the file holds: the full check finds it, no command answers wrongly."""
    changed = content(image) != bench.seeded.content
    too_new = name.startswith(("schema: PRAGMA user_version", "format"))
    judge = Judge(bench, {FOUND, TOO_NEW} if too_new else {FOUND})
    bench.place(image)
    status = judge.check()
    if changed and status == 0:
        judge.wrong.append("log --verify finds nothing")
    judge.ask_all()
    if changed and not judge.wrong and zlib.crc32(name.encode()) % 7 == 0:
        address = bench.seeded.addresses[0]
        bench.run("secret", "set", address, "cms", "--note", "written after the edit")
        if judge.check() == 0:
            judge.wrong.append("a write made the edit unseen")
    return judge.wrong


def try_flip(bench, name, image):
    said = content(image)
    changed = said != bench.seeded.content
    allowed = {FOUND}
    if 60 <= int(name.split()[1]) < 64:  # the header's user_version
        allowed.add(TOO_NEW)
    if said and said[3] != bench.seeded.content[3]:  # the root box: a slot, or the format
        allowed |= {LOCKED, TOO_NEW}
    judge = Judge(bench, allowed)
    bench.place(image)
    status = judge.check()
    if changed and status == 0:
        judge.wrong.append("log --verify finds nothing")
    judge.ask_all(full=False)
    return judge.wrong


def try_head(bench, name, image):
    """Slots and state: 5 where only the way in is concerned."""
    allowed = {FOUND, LOCKED}
    if name.startswith("format"):
        allowed.add(TOO_NEW)
    judge = Judge(bench, allowed)
    bench.place(image)
    if judge.check() == 0:
        judge.wrong.append("log --verify finds nothing")
    judge.ask_all(full=False)
    return judge.wrong


def measured(bench, *args, secret=None):
    """Exit status, seconds of the processor and peak memory (KiB) of a run."""
    world = bench.seeded.world
    reading, writing = os.pipe()
    os.write(writing, secret or b"")
    os.close(writing)
    words = [world.binary, "--vault", bench.path, "--no-input", "--passphrase-fd", str(reading),
             *args]
    child = subprocess.Popen(words, env=bench.env, stdin=subprocess.DEVNULL,
                             stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             pass_fds=[reading])
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    os.close(reading)
    return child.returncode, usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def try_cost(bench, name, image):
    bench.place(image)
    status, seconds, memory = measured(bench, "role", "ls", secret=PASSPHRASE)
    wrong = []
    if status not in (FOUND, LOCKED):
        wrong.append(f"exit {status}")
    best = seconds
    for _ in range(3):
        if best < 0.1:
            break
        best = min(best, measured(bench, "role", "ls", secret=PASSPHRASE)[1])
    if best >= 0.1:
        wrong.append(f"took {best:.3f} s")
    if memory >= bench.seeded.base_memory + 16 * 1024:
        wrong.append(f"took {memory} KiB")
    return wrong


def try_wal(bench, name, wal):
    """The log is cut where it is damaged: an older vault, which the seen record tells."""
    bench.place(bench.seeded.main, wal, bench.seeded.wal_seen)
    judge = Judge(bench, {FOUND})
    judge.answer(lambda out: out.split(b"\n")[0] == b"zip", "show",
                 bench.seeded.addresses[0], "zip", "--reveal")
    judge.check()
    judge.ask_all(full=False)
    return judge.wrong


def rollbacks(seeded):
    for age, image in enumerate(seeded.older):
        yield f"whole file {age}", image
    yield "whole file of before the log", seeded.image


def try_rollback(bench, name, image):
    bench.place(image, seen=bench.seeded.wal_seen)
    judge = Judge(bench, {FOUND})
    for args in (["show", bench.seeded.addresses[0], "--reveal"], ["role", "ls"], ["status"],
                 ["log", "--verify"]):
        if bench.run(*args).returncode != FOUND:
            judge.wrong.append(f"{' '.join(args)}: the older file is not found")
    return judge.wrong


def plans(seeded, everything):
    def some(count):
        return 0 if everything else count

    return [
        ("swap", try_logical, swaps(seeded, some(560))),
        ("other swap", try_logical, swaps_of_others(seeded, some(60))),
        ("foreign", try_logical, foreign(seeded, some(100))),
        ("replay", try_logical, replays(seeded)),
        ("deletion", try_logical, deletions(seeded)),
        ("insertion", try_logical, insertions(seeded)),
        ("schema", try_logical, schemas(seeded)),
        ("head", try_head, head_edits(seeded)),
        ("cost", try_cost, cost_edits(seeded)),
        ("flip", try_flip, flips(seeded.image, some(1000))),
        ("log flip", try_wal, flips(seeded.wal, some(150))),
        ("rollback", try_rollback, rollbacks(seeded)),
    ]


def work(seeded, plan, workers):
    """Takes jobs off the plan until it is empty; (kind, name, what is wrong) of each."""
    position = ((kind, attempt, name, image) for kind, attempt, edits in plan
                for name, image in edits)
    lock = threading.Lock()
    results = []

    def worker():
        bench = Bench(seeded)
        try:
            while True:
                with lock:
                    job = next(position, None)
                if job is None:
                    return
                kind, attempt, name, image = job
                try:
                    wrong = attempt(bench, name, image)
                except Exception as error:  # noqa: BLE001 a trial that breaks did not survive
                    wrong = [repr(error)]
                results.append((kind, name, wrong))
        finally:
            bench.close()

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for future in [pool.submit(worker) for _ in range(workers)]:
            future.result()
    return results


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only")
    parser.add_argument("--every", type=int, default=1, help="only each Nth edit of a kind")
    parser.add_argument("--workers", type=int, default=3)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = "/dev/shm"

    with World(options.build) as world:
        seeded = Seeded(world)
        bench = Bench(seeded)
        bench.place(seeded.image)
        seeded.base_memory = measured(bench, "--version")[2]
        honest = Judge(bench, set())
        honest.check()
        honest.ask_all()
        bench.close()
        if honest.wrong:
            print("the vault that nobody edited:", honest.wrong, file=sys.stderr)
            return 1
        plan = [(kind, attempt, itertools.islice(edits, 0, None, options.every))
                for kind, attempt, edits in plans(seeded, options.all)
                if not options.only or kind == options.only]
        results = work(seeded, plan, options.workers)

    counts = {}
    for kind, name, wrong in results:
        row = counts.setdefault(kind, [0, 0])
        row[0] += 1
        row[1] += not wrong
    for kind, (tried, survived) in counts.items():
        print(f"{kind:12} {tried:6} / {survived:6}")
        record(CLASSES[kind], f"{kind}, over the binary", tried, survived)
    failures = {}
    for _, name, wrong in results:
        for why in wrong:
            failures.setdefault(re.sub(r"\d+|box\S+", "", why), []).append(f"{name}: {why}")
    for found in failures.values():
        print(f"FAILED {len(found)} times, as in {found[0]}", file=sys.stderr)
    tried = len(results)
    survived = sum(not wrong for _, _, wrong in results)
    print(f"tried {tried} survived {survived}")
    return 0 if tried == survived and (options.only or tried * options.every >= 2000) else 1


if __name__ == "__main__":
    sys.exit(main())
