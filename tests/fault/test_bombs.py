#!/usr/bin/env python3
"""Files that are large, deep or costly, given to every command that reads one.

    test_bombs.py BUILD [--only WORDS]

Lists of other password managers, trees of pass, age files, pages, keys, configurations, plans,
statements, vaults with what lies beside them. Each is refused (never exit 0, never a signal), in
less than a second of processor time and 64 MiB. What is HARMLESS need not be refused.
"""

import argparse
import concurrent.futures
import itertools
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.record import record  # noqa: E402
from support.world import World, keygen  # noqa: E402

FLOOR = 100
CPU_S, MEMORY_KIB = 1.0, 64 * 1024
PATIENCE_S = 120  # on a machine that is busy
BIG = 20 << 20  # more than any command reads
# May be taken: nothing of it is used, so only what it costs counts.
HARMLESS = ("passage: many_files", "passage: a_ring", "passage: deep_folders",
            "vault: a header and 1 GiB of zeros")
SHARE = b"TEiF0ypqr+bpvcqXNyCVJpL7OuwPdVwPL7KQEbFDOCc"


class Wrong(Exception):
    pass


class Bomb:
    """Bytes that are made only as they are written: (piece, how often), one after the other."""

    def __init__(self, parts):
        self.parts = parts

    def __add__(self, other):
        return Bomb(self.parts + (other.parts if isinstance(other, Bomb) else [(other, 1)]))

    def __radd__(self, other):
        return Bomb([(other, 1)] + self.parts)

    def write(self, file):
        for piece, count in self.parts:
            many = max(1, min(count, (1 << 18) // len(piece)))
            block = piece * many
            for _ in range(count // many):
                file.write(block)
            file.write(piece * (count % many))


def repeated(piece, size=BIG):
    return Bomb([(piece, size // len(piece))])


# --- what is in the files: (name, content) ---

CSV_HEADS = {
    "csv": b"title,username,password,url,notes\n",
    "keepass-csv": b'"Account","Login Name","Password","Web Site","Comments"\n',
    "bitwarden-csv": b"folder,favorite,type,name,notes,fields,reprompt,login_uri,login_username,"
                     b"login_password,login_totp\n",
    "1password-csv": b"Title,Url,Username,Password,OTPAuth,Favorite,Archived,Tags,Notes\n",
}


def csv(head):
    yield "a field of 20 MiB", head + b"a," + repeated(b"x") + b"\n"
    yield "a quoted field that never ends", head + b'"' + repeated(b"x,\n")
    yield "20 MiB of commas", head + repeated(b",")
    yield "20 MiB of quotes", head + repeated(b'"')
    yield "a million columns", repeated(b"c,", 2 << 20) + b"\n1\n"
    yield "zeros", repeated(b"\0")


def json():
    yield "lists in lists", repeated(b"[", 1 << 20)
    yield "objects in objects", repeated(b'{"a":', 1 << 20)
    yield "lists in an item", b'{"items":[' + b"[" * 100000 + b"]" * 100000 + b"]}"
    yield "numbers without end", b"[" + repeated(b"0,")
    yield "a string of 20 MiB", b'{"items":[{"name":"' + repeated(b"x") + b'"}]}'
    yield "a number of a million digits", b'{"items":[' + repeated(b"9", 1 << 20) + b"]}"
    yield "20 MiB of blanks", repeated(b" ") + b"{}"
    yield "20 MiB of escapes", b'{"items":[{"name":"' + repeated(b"\\u0041") + b'"}]}'
    yield "20 MiB of one key", b"{" + repeated(b'"a":1,') + b'"a":1}'
    yield "20 MiB of empty items", b'{"items":[' + repeated(b"{},") + b"{}]}"
    yield "20 MiB of folders", b'{"folders":[' + repeated(b'{"id":"a","name":"b"},') + b"{}]}"
    yield "zeros", repeated(b"\0")


def xml():
    head = b"<KeePassFile><Root><Group>"
    laughs = b'<!DOCTYPE x [<!ENTITY a "ha">' + b"".join(
        b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(12)) + b"]>"
    yield "a billion laughs", laughs + head + b"<Name>&m;</Name>"
    yield "an entity of 1 MiB, 10 000 times", (
        b'<!DOCTYPE x [<!ENTITY a "' + repeated(b"x", 1 << 20) + b'">]>' + head + b"<Name>"
        + b"&a;" * 10000)
    yield "an entity of another file", (
        b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///dev/zero">]>' + head + b"<Name>&a;</Name>")
    yield "a parameter entity", b'<!DOCTYPE x [<!ENTITY % a SYSTEM "/dev/zero"> %a;]>' + head
    yield "another file's grammar", b'<!DOCTYPE x SYSTEM "/dev/zero">' + head
    yield "groups in groups", b"<KeePassFile><Root>" + repeated(b"<Group>", 4 << 20)
    yield "an attribute of 16 MiB", b'<KeePassFile a="' + repeated(b"x", 16 << 20) + b'"><Root/>'
    yield "a hundred thousand attributes", b"<KeePassFile " + b"".join(
        b'a%d="" ' % n for n in range(100_000)) + b"><Root/>"
    yield "a text of 20 MiB", head + b"<Name>" + repeated(b"x")
    yield "a comment of 20 MiB", b"<!--" + repeated(b"x")
    yield "20 MiB of comments", repeated(b"<!--x-->")
    yield "a CDATA of 20 MiB", head + b"<Name><![CDATA[" + repeated(b"x")
    yield "a name of 20 MiB", b"<" + repeated(b"x")
    yield "20 MiB of empty entries", head + repeated(b"<Entry/>")
    yield "zeros in UTF-16", b"\xff\xfe" + repeated(b"\0")


def age():
    stanza = b"-> grease x\n\n"
    one = b"-> X25519 " + SHARE + b"\n" + SHARE + b"\n"
    yield "20 MiB of empty stanzas", b"age-encryption.org/v1\n" + repeated(stanza)
    yield "one line of 20 MiB", b"age-encryption.org/v1\n-> " + repeated(b"x")
    yield "20 MiB without a line", repeated(b"A")
    yield "blanks before the armor", repeated(b" \n") + b"-----BEGIN AGE ENCRYPTED FILE-----\n"
    yield "an armored line of 20 MiB", b"-----BEGIN AGE ENCRYPTED FILE-----\n" + repeated(b"A")
    yield "blanks behind the armor", (b"-----BEGIN AGE ENCRYPTED FILE-----\nYQ==\n"
                                      b"-----END AGE ENCRYPTED FILE-----\n" + repeated(b" \n"))
    yield "65536 arguments", b"age-encryption.org/v1\n->" + b" x" * 65536 + b"\n\n--- "
    yield "500 recipients", b"age-encryption.org/v1\n" + one * 500 + b"--- " + SHARE + b"\n"
    for work in (23, 31, 32, 63, 64, 99, 4294967296):
        yield f"a work factor of 2^{work}", (
            b"age-encryption.org/v1\n-> scrypt rF0/NwblUHHTpgQgRpe5CQ %d\n" % work + SHARE
            + b"\n--- " + SHARE + b"\n")
    yield "a page of 20 MiB", b"<!doctype html>\n" + repeated(b"<p>x</p>\n")
    yield "a page with an endless payload", (
        b"<!doctype html>\nPayload-SHA256: " + b"0" * 64 + b"\n-----BEGIN AGE ENCRYPTED FILE-----\n"
        + repeated(b"A" * 64 + b"\n"))
    yield "a page with many payloads", (
        b"<!doctype html>\n" + repeated(b"Payload-SHA256: " + b"0" * 64 + b"\n", 8 << 20))


def text():
    yield "one line of 20 MiB", repeated(b"x")
    yield "20 MiB of empty lines", repeated(b"\n")
    yield "20 MiB of lines", repeated(b"name=value\n")
    yield "zeros", repeated(b"\0")


def keys():
    yield from text()
    yield "age's letters, 20 MiB of them", b"age1" + repeated(b"q")
    yield "20 MiB of base64", b"ssh-ed25519 " + repeated(b"A")


# --- where they go ---

class Bench:
    def __init__(self, world, image, beside):
        self.world, self.image, self.beside = world, image, beside
        self.dir = tempfile.mkdtemp(prefix="psn-bombs-")

    def at(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, content):
        with open(os.open(self.at(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                  "wb") as file:
            if isinstance(content, Bomb):
                content.write(file)
            else:
                file.write(content)
        return self.at(name)

    def sparse(self, name, size=1 << 30):
        path = self.write(name, b"")
        os.truncate(path, size)
        return path

    def fresh(self):
        for name in os.listdir(self.dir):
            removed(self.at(name))
        self.write("vault.db", self.image)
        self.write("code", b"amande-brique-cigale-dune-etoile-fable-girafe-houle-iris\n")

    def run(self, args, stdin=None):
        """Exit status, seconds of processor time, KiB."""
        env = self.world.env(HOME=self.dir, XDG_STATE_HOME=self.at("state"),
                             XDG_RUNTIME_DIR=self.at("none"))
        with open(self.at("code")) as code, open(stdin or os.devnull, "rb") as reading:
            words = [str(code.fileno()) if word == "CODE" else word for word in args]
            own = [] if "--identity-file" in words or "--passphrase-file" in words else \
                ["--identity-file", self.world.identity]
            vault = [] if "--vault" in words else ["--vault", self.at("vault.db")]
            # By way of time(1): this process's own memory would count for its child's.
            child = subprocess.Popen(
                ["/usr/bin/time", "-q", "-f", "%U %S %M", "-o", self.at("spent"),
                 self.world.binary, "--no-input", "-y", *own, *vault, *words], env=env,
                stdin=reading, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                pass_fds=[code.fileno()], start_new_session=True)
            try:
                child.wait(PATIENCE_S)
            except subprocess.TimeoutExpired as why:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
                raise Wrong("hangs") from why
        with open(self.at("spent")) as file:
            user, system, memory = file.read().split()
        return child.returncode, float(user) + float(system), int(memory)

    def close(self):
        removed(self.dir)


def removed(path):
    """Also a tree that is deeper than Python goes."""
    subprocess.run(["rm", "-rf", path], check=True)


def into(content, *args):
    """A file named BOMB among the arguments."""
    def act(bench):
        path = bench.write("bomb", content)
        return [path if word == "BOMB" else word for word in args], None
    return act


def on_stdin(content, *args):
    return lambda bench: (list(args), bench.write("bomb", content))


def sparse(*args):
    return lambda bench: ([bench.sparse("bomb") if word == "BOMB" else word for word in args],
                          None)


def vault_with(change, args=("role", "ls")):
    """A command over a vault that was changed as a database."""
    def act(bench):
        db = sqlite3.connect(bench.at("vault.db"), isolation_level=None)
        db.execute("PRAGMA writable_schema = ON")
        change(db)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        for tail in ("-wal", "-shm"):
            if os.path.exists(bench.at("vault.db" + tail)):
                os.unlink(bench.at("vault.db" + tail))
        return list(args), None
    return act


def sql(*statements, **more):
    return vault_with(lambda db: [db.execute(one) for one in statements], **more)


def tree(make):
    """A folder in which make(path) puts files."""
    def act(bench):
        os.mkdir(bench.at("tree"))
        make(bench.at("tree"))
        return ["import", "-n", "--format", "passage", "--identity", bench.world.identity,
                bench.at("tree")], None
    return act


def many_files(folder):
    for number in range(20000):
        open(os.path.join(folder, f"{number}.age"), "w").close()


def deep_folders(folder):
    here = os.open(folder, os.O_RDONLY)
    for _ in range(1000):
        os.mkdir("d", dir_fd=here)
        inner = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = inner
    os.close(here)


def large_files(folder):
    for number in range(4):
        path = os.path.join(folder, f"{number}.age")
        open(path, "w").close()
        os.truncate(path, 1 << 30)


def a_pipe(folder):
    os.mkfifo(os.path.join(folder, "x.age"))


def a_ring(folder):
    os.symlink(".", os.path.join(folder, "again"))
    os.symlink("/", os.path.join(folder, "all"))


def costly_files(folder):
    for number in range(50):
        with open(os.path.join(folder, f"{number}.age"), "wb") as file:
            file.write(b"age-encryption.org/v1\n-> scrypt rF0/NwblUHHTpgQgRpe5CQ 22\n" + SHARE
                       + b"\n--- " + SHARE + b"\n")


def beside_vault(tail, content):
    def act(bench):
        bench.write("vault.db" + tail, content)
        return ["role", "ls"], None
    return act


def bombs():
    for name, head in CSV_HEADS.items():
        for what, content in csv(head):
            yield f"{name}: {what}", into(content, "import", "-n", "--format", name, "BOMB")
    for what, content in json():
        yield f"bitwarden-json: {what}", into(content, "import", "-n", "--format",
                                              "bitwarden-json", "BOMB")
    for what, content in xml():
        yield f"keepass-xml: {what}", into(content, "import", "-n", "--format", "keepass-xml",
                                           "BOMB")
    yield "import: a sparse file of 1 GiB", sparse("import", "-n", "--format", "csv", "BOMB")
    for make in (many_files, deep_folders, large_files, a_pipe, a_ring, costly_files):
        yield f"passage: {make.__name__}", tree(make)
    for what, content in age():
        how = ["--code-fd", "CODE"] if "work" in what or "page" in what else []
        yield f"issue: {what}", into(content, "open", "BOMB", *how)
    for what, content in list(age())[::3]:
        yield f"trousseau: {what}", into(content, "client", "import", "BOMB", "--code-fd", "CODE")
    yield "issue: a sparse file of 1 GiB", sparse("open", "BOMB")
    for what, content in keys():
        yield f"key: {what}", into(content, "person", "key", "jp", "--add", "BOMB")
    yield "key: a sparse file of 1 GiB", sparse("person", "key", "jp", "--add", "BOMB")
    yield "key on stdin: 20 MiB", on_stdin(repeated(b"x"), "person", "key", "jp", "--add", "-")
    for what, content in text():
        yield f"identity: {what}", into(content, "--identity-file", "BOMB", "role", "ls")
        yield f"OVH's configuration: {what}", into(content, "ovh", "link", "essai", "--config",
                                                   "BOMB")
        yield f"plan: {what}", into(content, "apply", "BOMB")
        yield f"statement: {what}", into(content, "log", "--verify", "BOMB")
    yield "identity: a sparse file of 1 GiB", sparse("--identity-file", "BOMB", "role", "ls")
    yield "passphrase: a sparse file of 1 GiB", sparse("--passphrase-file", "BOMB", "role", "ls")
    yield "OVH's configuration: a sparse file of 1 GiB", sparse("ovh", "link", "essai",
                                                                "--config", "BOMB")
    yield "OVH's configuration: a million sections", into(
        repeated(b"[x]\n", 16 << 20), "ovh", "link", "essai", "--config", "BOMB")
    yield "plan: a sparse file of 1 GiB", sparse("apply", "BOMB")
    yield "secret: 20 MiB", on_stdin(repeated(b"x"), "secret", "set", "box0@essai.example", "ftp",
                                     "--secret-fd", "0")
    yield "code: 20 MiB", lambda bench: (["open", bench.beside, "--code-fd", "0"],
                                         bench.write("bomb", repeated(b"x")))
    for what, statements in {
            "a root box of 60 MiB": ["UPDATE root SET box = zeroblob(60000000)"],
            "a row of 60 MiB": ["UPDATE record SET box = zeroblob(60000000) WHERE tab = 6"],
            "a key of 60 MiB": ["INSERT INTO record VALUES (6, zeroblob(60000000), 1, x'', x'00')"],
            "a node of 60 MiB": ["UPDATE node SET children = zeroblob(60000000)"],
            "a schema of 16 MiB": ["CREATE TABLE x (" + ",".join(
                f"c{n:032d}" for n in range(1900)) + ")"],
            "a view": ["CREATE VIEW v AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 "
                       "FROM c) SELECT x FROM c"],
            "a trigger that recurses": [
                "CREATE TRIGGER t AFTER UPDATE ON root BEGIN UPDATE root SET box = box; END"],
            "a million rows": ["INSERT INTO node WITH RECURSIVE c(x) AS (SELECT 1 + max(id) FROM "
                               "node UNION ALL "
                               "SELECT x + 1 FROM c LIMIT 300000) SELECT x, zeroblob(32) FROM c",
                               "DELETE FROM root"]}.items():
        yield f"vault: {what}", sql(*statements)
    yield "vault: an entry of 60 MiB", sql("UPDATE journal SET box = zeroblob(60000000) "
                                           "WHERE number = 1",
                                           args=("log", "--verify"))
    yield "vault: a sparse file of 1 GiB", sparse("--vault", "BOMB", "role", "ls")
    yield "vault: a header and 1 GiB of zeros", lambda bench: (
        os.truncate(bench.at("vault.db"), 1 << 30) or bench.write("head", b"") and
        [word for word in ("log", "--verify")], None)
    yield "vault: 20 MiB of 'SQLite format 3'", into(repeated(b"SQLite format 3\0"), "--vault",
                                                     "BOMB", "role", "ls")
    yield "restore: a sparse file of 1 GiB", sparse("restore", "BOMB")
    yield "restore: 20 MiB of text", into(repeated(b"x"), "restore", "BOMB")


def attempt(bench, name, act):
    for turn in range(2):
        bench.fresh()
        args, stdin = act(bench)
        status, seconds, memory = bench.run(args, stdin)
        if not (name.startswith(HARMLESS) and status == 0) and not 0 < status <= 64:
            raise Wrong(f"exit {status}")
        if memory >= MEMORY_KIB:
            raise Wrong(f"{memory} KiB")
        if seconds < CPU_S:
            return
    raise Wrong(f"{seconds:.2f} s of processor time")


def work(world, image, beside, todo, workers):
    place, lock, failed, count = iter(todo), threading.Lock(), [], [0]

    def worker():
        bench = Bench(world, image, beside)
        try:
            while True:
                with lock:
                    job = next(place, None)
                    count[0] += job is not None
                if job is None:
                    return
                try:
                    attempt(bench, *job)
                except (Wrong, OSError, sqlite3.Error, subprocess.SubprocessError) as why:
                    failed.append(f"{job[0]}: {why}")
                    print("FAILED", failed[-1], file=sys.stderr, flush=True)
        finally:
            bench.close()

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for future in [pool.submit(worker) for _ in range(workers)]:
            future.result()
    return count[0], failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--only", default="", help="bombs whose name has this")
    parser.add_argument("--without", action="append", default=[],
                        help="not those whose name begins so")
    parser.add_argument("--from", type=int, default=0, dest="first", help="the Nth bomb first")
    parser.add_argument("--every", type=int, default=1, help="only each Nth bomb")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = "/dev/shm"
    began = time.monotonic()
    with World(options.build) as world:
        box = world.setup_client(mailboxes=1)[0]
        key = os.path.join(world.home, "jp.txt")
        keygen(key)
        world.run("person", "add", "jp", "--kind", "provider", "--key", key + ".pub", check=0)
        world.run("secret", "add", box, "ftp", "--secret-fd", "0", stdin="ftp-word-1", check=0)
        with open(os.path.join(world.home, "code"), "w") as code:
            world.run("grant", "jp", box, "--format", "html", "--code-fd", str(code.fileno()),
                      "-o", world.home, pass_fds=[code.fileno()], check=0)
        issue = next(os.path.join(world.home, name) for name in os.listdir(world.home)
                     if name.endswith(".html"))
        path = os.path.join(world.home, "data/passation/vault.db")
        db = sqlite3.connect(path)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        with open(path, "rb") as file:
            image = file.read()
        todo = itertools.islice((job for job in bombs() if options.only in job[0]
                                 and not job[0].startswith(tuple(options.without))),
                                options.first, None, options.every)
        tried, failed = work(world, image, issue, todo, options.workers)
    print(f"bombs: tried {tried} survived {tried - len(failed)} in "
          f"{time.monotonic() - began:.0f} s")
    record("2.15", "files that commands read", tried, tried - len(failed))
    return 1 if failed or (not options.only and tried < FLOOR // options.every) else 0


if __name__ == "__main__":
    sys.exit(main())
