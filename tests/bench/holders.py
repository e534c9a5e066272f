"""What people keep passwords in, each with the same operations over a store of N secrets.

    for kind in (Floor, Passation, Pass, Age, KeePassXC):
        holder = kind(build, folder, count=1000)
        holder.get(0), holder.add(7) …      a machine.Command, or None: it has no such thing

`Floor` is tests/bench/floor.c: the bare operation. age is one file for each secret, as passage and
people with scripts keep them. keepassxc-cli has a key file, and the cheapest derivation that it
can make; gpg and age have keys without a passphrase, passation its agent: no one waits for a KDF.
"""

import contextlib
import functools
import os
import sqlite3
import subprocess
import xml.sax.saxutils

import machine
from machine import Command

LOG_MAX = 448 * 1024  # PSN_STORE_WAL_KEPT_MAX
LINKS_MAX = 50000  # a file of ext4 has at most 65 000 names


def name_of(index):
    return f"box{index % 100}@d{index // 100}.example"


def value_of(index):
    return f"pw-{index}-Kx7-mQ2z"


def call(*words, **kwargs):
    done = subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL, **kwargs)
    if done.returncode:
        raise SystemExit(f"{' '.join(words)}: {done.returncode}\n{done.stderr.decode()[-1000:]}")
    return done.stdout.decode()


class Holder:
    """Kept in a folder of its own."""
    name = None

    def __init__(self, build, folder, count):
        self.build, self.count = build, count
        self.folder = os.path.join(folder, f"{self.name}-{count}")
        os.mkdir(self.folder, 0o700)
        self.make()

    def at(self, *names):
        return os.path.join(self.folder, *names)

    def none(self, *_):
        return None

    start = get = list = add = share = end = import_many = none

    def lines(self, number, rows, header=""):
        """A file with so many names that are new in each run, and values."""
        path = self.at(f"import{number}.csv")
        with open(path, "w", encoding="ascii") as file:
            file.write(header)
            file.writelines(f"n{number}-{row}@d0.example,{value_of(row)}\n" for row in range(rows))
        return path

    def close(self):
        pass


class Floor(Holder):
    name = "floor"

    def make(self):
        self.program = os.path.join(self.build, "tests", "floor")
        self.db, self.key = self.at("floor.db"), self.at("key")
        call(self.program, "make", self.db, self.key, str(self.count))

    def of(self, verb, *words, **kwargs):
        return Command([self.program, verb, self.db, self.key, *words], **kwargs)

    def start(self, _):
        return Command([self.program, "start"])

    def get(self, number):
        return self.of("get", name_of(number % self.count))

    def get_noted(self, number):
        return self.of("note", name_of(number % self.count))

    def list(self, _):
        return self.of("list")

    def add(self, number):
        return self.of("add", f"new{number}@x.example", stdin=value_of(number).encode() + b"\n")

    def share(self, number):
        return self.of("share", name_of(0), f"p{number}", self.at(f"p{number}.sealed"))

    def end(self, number):
        return self.of("revoke", name_of(0), f"p{number}")

    def import_many(self, number, rows):
        return self.of("import", stdin_from=self.lines(number, rows))


class Passation(Holder):
    name = "passation"
    more = ()  # for make_vault

    def make(self):
        self.binary = os.path.join(self.build, "passation")
        self.vault, self.identity = self.at("vault.db"), self.at("identity.txt")
        call("age-keygen", "-o", self.identity)
        os.chmod(self.identity, 0o600)
        self.public = call("age-keygen", "-y", self.identity).strip()
        call(os.path.join(self.build, "tests", "make_vault"), self.vault, self.identity,
             str(self.count), *self.more)
        # One agent for each: its socket's name is short, since a socket's has to be.
        os.mkdir(self.at("r"), 0o700)
        self.env = {"HOME": self.folder, "LC_ALL": "C.UTF-8", "XDG_RUNTIME_DIR": self.at("r"),
                    "XDG_STATE_HOME": self.at("state"), "XDG_DATA_HOME": self.at("data")}
        os.mkdir(self.at("out"), 0o700)
        self.run("unlock", "--for", "10h", "--identity-file", self.identity)

    def run(self, *words, given=None, ends=(0,)):
        done = subprocess.run([self.binary, "--vault", self.vault, "--no-input", *words],
                              input=given, env={**os.environ, **self.env}, text=True,
                              stdin=subprocess.DEVNULL if given is None else None,
                              capture_output=True)
        if done.returncode not in ends:
            raise SystemExit(f"passation {' '.join(words)}: {done.returncode}\n{done.stderr}")
        return done.stdout

    def close(self):
        self.run("lock")

    def of(self, *words, **kwargs):
        return Command([self.binary, "--vault", self.vault, "--no-input", *words], env=self.env,
                       **kwargs)

    def start(self, _):
        return Command([self.binary, "--version"], env=self.env)

    def get(self, number):
        return self.of("show", name_of(number % self.count), "--reveal")

    def look(self, number):
        """Without the secret: nothing is noted."""
        return self.of("show", name_of(number % self.count))

    def list(self, _):
        return self.of("role", "ls", "--names")

    def fold_log(self):
        """Into the file, as a command does when the log is long."""
        with contextlib.closing(sqlite3.connect(self.vault)) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def fill_log(self, number):
        """As long as it ever is: with one more it is folded in. Adds secrets from number on."""
        self.fold_log()
        size = grown = 0
        while size + grown <= LOG_MAX:
            machine.once(self.add(number))
            grown = os.path.getsize(self.vault + "-wal") - size
            size += grown
            number += 1

    def add(self, number):
        return self.of("secret", "add", name_of(number % self.count), f"s{number}",
                       "--secret-fd", "0", stdin=value_of(number).encode())

    @functools.cache
    def add_person(self, number):
        self.run("person", "add", f"p{number}", "--kind", "provider", "--key", "-",
                 given=self.public + "\n")

    def share(self, number, name=name_of(0)):
        return self.of("grant", f"p{number}", name, "--until", "2033-01-01", "-o",
                       self.at("out"), before=lambda: self.add_person(number))

    def end(self, number):
        # 12: what he knows is due for rotation.
        return self.of("revoke", f"p{number}", name_of(0), "--no-rotate", ends=(0, 12))

    def import_many(self, number, rows):
        """New mailboxes of a client that is known."""
        return self.of("-y", "import", self.lines(number, rows, "title,password\n"))


class Pass(Holder):
    """With GnuPG, a key of Curve25519, and gpg's own agent."""
    name = "pass"

    def make(self):
        self.store = self.at("store")
        self.env = {"GNUPGHOME": self.at("g"), "PASSWORD_STORE_DIR": self.store,
                    "LC_ALL": "C.UTF-8", "HOME": self.folder}
        os.mkdir(self.at("g"), 0o700)
        env = {**os.environ, **self.env}
        for who in ("me", "other"):
            call("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-gen-key",
                 f"{who}@x.example", "future-default", "default", "0", env=env)
        call("pass", "init", "me@x.example", env=env)
        subprocess.run(["pass", "insert", "-m", name_of(0)], input=value_of(0).encode(), env=env,
                       check=True, capture_output=True)
        # The same file under each name: what pass and gpg do with it is the same.
        first = os.path.join(self.store, name_of(0) + ".gpg")
        with open(first, "rb") as file:
            sealed = file.read()
        for index in range(1, self.count):
            path = os.path.join(self.store, name_of(index) + ".gpg")
            if self.count <= 1000 or index % LINKS_MAX == 0:
                with open(path, "wb") as file:
                    file.write(sealed)
                first = path
            else:
                os.link(first, path)

    def close(self):
        subprocess.run(["gpgconf", "--kill", "gpg-agent"], env={**os.environ, **self.env},
                       capture_output=True)

    def of(self, *words, **kwargs):
        return Command(["pass", *words], env=self.env, **kwargs)

    def start(self, _):
        return Command(["gpg", "--version"], env=self.env)

    def get(self, number):
        return self.of("show", name_of(number % self.count))

    def list(self, _):
        return self.of("ls")

    def add(self, number):
        return self.of("insert", "-m", f"new{number}", stdin=value_of(number).encode())

    def init(self, *who, before=None):
        """Everything is encrypted anew, and only if the ids differ from those of before."""
        return self.of("init", *(f"{name}@x.example" for name in who), before=before)

    def share(self, _):
        return self.init("me", "other", before=self.narrow)

    def end(self, _):
        return self.init("me", before=self.widen)

    def set_ids(self, *who):
        with open(os.path.join(self.store, ".gpg-id"), encoding="ascii") as file:
            if len(file.read().split()) != len(who):
                call(*self.init(*who).words, env={**os.environ, **self.env})

    def narrow(self):
        self.set_ids("me")

    def widen(self):
        self.set_ids("me", "other")

    def import_many(self, number, rows):
        """pass itself imports nothing: one call for each line, as its importers do."""
        script = ('while IFS=, read -r name value; do '
                  'printf %s "$value" | pass insert -m -f "i/$name"; done')
        return Command(["bash", "-c", script], env=self.env,
                       stdin_from=self.lines(number, rows))


class Age(Holder):
    """One file for each secret; nothing to list, to grant or to end but with files."""
    name = "age"

    def make(self):
        self.identity = self.at("identity.txt")
        call("age-keygen", "-o", self.identity)
        self.public = call("age-keygen", "-y", self.identity).strip()
        plain = self.at("plain")
        with open(plain, "w", encoding="ascii") as file:
            file.write(value_of(0))
        call("age", "-r", self.public, "-o", self.at("0.age"), plain)

    def start(self, _):
        return Command(["age", "--version"])

    def get(self, _):
        return Command(["age", "-d", "-i", self.identity, self.at("0.age")])

    def add(self, number):
        return Command(["age", "-r", self.public, "-o", self.at(f"new{number}.age")],
                       stdin=value_of(number).encode())


def keepass_xml(names, values):
    """What keepassxc-cli imports."""
    quote = xml.sax.saxutils.escape
    entries = "".join(
        f"<Entry><String><Key>Title</Key><Value>{quote(name)}</Value></String>"
        f"<String><Key>Password</Key><Value ProtectInMemory=\"True\">{quote(value)}</Value>"
        "</String></Entry>" for name, value in zip(names, values))
    return ('<?xml version="1.0" encoding="UTF-8"?><KeePassFile><Meta><Generator>x</Generator>'
            f"</Meta><Root><Group><Name>Root</Name>{entries}</Group></Root></KeePassFile>")


class KeePassXC(Holder):
    name = "keepassxc-cli"
    KDF_MS = "100"  # it makes none that is cheaper

    def make(self):
        self.db, self.key = self.at("k.kdbx"), self.at("key")
        self.env = {"HOME": self.folder, "LC_ALL": "C.UTF-8", "QT_QPA_PLATFORM": "offscreen"}
        with open(self.key, "wb") as file:
            file.write(os.urandom(64))
        xml_path = self.at("all.xml")
        with open(xml_path, "w", encoding="utf-8") as file:
            file.write(keepass_xml(map(name_of, range(self.count)),
                                   map(value_of, range(self.count))))
        call("keepassxc-cli", "import", "--set-key-file", self.key, "-t", self.KDF_MS, xml_path,
             self.db, env={**os.environ, **self.env})

    def of(self, verb, *words, **kwargs):
        return Command(["keepassxc-cli", verb, "-q", "--no-password", "-k", self.key, *words],
                       env=self.env, **kwargs)

    def start(self, _):
        return Command(["keepassxc-cli", "--version"], env=self.env)

    def get(self, number):
        return self.of("show", "-s", "-a", "Password", self.db, name_of(number % self.count))

    def list(self, _):
        return self.of("ls", "-R", "-f", self.db)

    def add(self, number):
        return self.of("add", "-p", self.db, f"new{number}",
                       stdin=value_of(number).encode() + b"\n")

    def import_many(self, number, rows):
        """Into a new database: it has no other import."""
        xml_path = self.at("import.xml")
        with open(xml_path, "w", encoding="utf-8") as file:
            file.write(keepass_xml(map(name_of, range(rows)), map(value_of, range(rows))))
        return Command(["keepassxc-cli", "import", "-q", "--set-key-file", self.key, "-t",
                        self.KDF_MS, xml_path, self.at(f"imported{number}.kdbx")], env=self.env)
