#!/usr/bin/env python3
"""Kills while an issue is made for a code, while an outbox serves two people, and while a grant
is taken back.

    test_grant_kills.py BUILD [--kills N] [html|outbox|revoke]…

Each trial kills one command at the n-th call of a kind that writes; N of these points are taken,
evenly spread, or all. Then

  1. the vault opens and its journal holds from the first entry to the last;
  2. no half file has a final name: each is whole under its signature, and its person is said to
     know what is in it; nothing else was left behind;
  3. a grant is delivered, by a file that opens with a code that was told, or it is due, and ONE
     outbox makes a file that opens and holds the password in force; a second one has nothing to do;
  4. a grant that was being taken back is wholly in force or wholly ended. Ended, it is never
     issued again, and `due` names the password as long as it is the one its person has read; one
     `resume` and one `due --apply` later nobody without a right knows what is in force.

Prints tried/survived for each.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from support.code_kills import Codes, killed_at, points  # noqa: E402
from support.record import record  # noqa: E402
from support.world import World  # noqa: E402

ON_A_TERMINAL = os.path.join(HERE, "..", "page", "on_a_terminal.py")
UNTIL = ("--until", "2031-01-01")
NAME = re.compile(r"([a-z]+)-essai-(\d+)\.(age|html)")

# There are at least so many points of each kind; fewer, and the trials mean less than they say.
FLOORS = {"html": 80, "outbox": 90, "revoke": 150}


class Wrong(Exception):
    pass


def hold(condition, what):
    if not condition:
        raise Wrong(what)


class People:
    """A vault with emma, who has no key and gets pages, and reader and stayer, who have one."""

    def __init__(self, world):
        self.world = world
        self.boxes = world.setup_client(mailboxes=2)
        self.out = os.path.join(world.home, "out")
        self.keys = {}
        self.opened = {}
        os.mkdir(self.out, 0o700)
        world.run("person", "add", "emma", "--kind", "client", check=0)
        for name in ("reader", "stayer"):
            self.add(name)

    def add(self, name):
        path = os.path.join(self.world.home, name + ".txt")
        subprocess.run(["age-keygen", "-o", path], check=True, capture_output=True)
        os.chmod(path, 0o600)
        public = subprocess.run(["age-keygen", "-y", path], check=True, capture_output=True,
                                text=True).stdout
        self.world.run("person", "add", name, "--kind", "provider", "--key", "-", stdin=public,
                       check=0)
        self.keys[name] = path

    def grant(self, name, box, *more):
        return self.world.json("grant", name, box, *UNTIL, "-o", self.out, *more)["issues"][0]

    def issue(self, *words, check=0):
        """Runs words to their end with a pipe for codes: (issues, codes)."""
        with Codes() as pipe:
            done = subprocess.run(self.world.command("--json", *words, "-o", self.out, "--code-fd",
                                                     str(pipe.write)), env=self.world.env(),
                                  pass_fds=[pipe.write], capture_output=True, text=True,
                                  stdin=subprocess.DEVNULL, timeout=120)
            told = pipe.told()
        hold(done.returncode == check, f"{words}: exit {done.returncode}: {done.stderr}")
        return json.loads(done.stdout)["issues"], told

    def empty_out(self):
        shutil.rmtree(self.out)
        os.mkdir(self.out, 0o700)

    # --- what is in a file, by stock tools ---

    def plain(self, person, path, code):
        about = os.stat(path)
        key = (path, about.st_ino, about.st_mtime_ns, code)
        if key not in self.opened:
            self.opened[key] = self.decrypt(person, path, code)
        return self.opened[key]

    def decrypt(self, person, path, code):
        if path.endswith(".age"):
            done = subprocess.run(["age", "-d", "-i", self.keys[person], path],
                                  capture_output=True, text=True)
        else:
            hold(code, f"{os.path.basename(path)} is delivered, and nobody heard its code")
            plain = path + ".txt"
            done = subprocess.run([sys.executable, ON_A_TERMINAL,
                                   "sed -n '/^-----BEGIN AGE/,/^-----END AGE/p' "
                                   f"'{path}' | age -d >'{plain}'"], input=code + "\n",
                                  capture_output=True, text=True)
            if done.returncode == 0:
                with open(plain) as file:
                    done.stdout = file.read()
            if os.path.exists(plain):
                os.unlink(plain)
        hold(done.returncode == 0 and done.stdout.endswith("-----END SSH SIGNATURE-----\n"),
             f"{os.path.basename(path)} does not open: {done.stderr}")
        return done.stdout

    def seen(self, person):
        return {(row["address"], row["version"])
                for row in self.world.json("who", person)["seen"]}

    def read(self, person, path, code):
        """The (address, version) pairs of the file; the person must be said to know each."""
        found = re.findall(r"\nMailbox: (\S+)\nVersion: (\d+)\n(?:[A-Z]\S+: .*\n)*?Password: (.*)\n",
                           self.plain(person, path, code))
        hold(found, f"{os.path.basename(path)} holds no mailbox")
        seen = self.seen(person)
        for address, version, password in found:
            hold((address, int(version)) in seen,
                 f"{person} is not said to know version {version} of {address}")
        return {address: password for address, _, password in found}

    # --- what must hold whatever happened ---

    def check_vault(self):
        self.world.run("log", "--verify", check=0)
        code = self.world.run("status").returncode
        hold(code in (0, 12), f"status: exit {code}")

    def check_files(self, told):
        """The issues that are visible: {serial: (person, path)}."""
        names = set(os.listdir(self.out))
        listed = {row["serial"]: row for row in self.world.json("outbox", "--all")["issues"]}
        visible = {}
        for name in sorted(names):
            path = os.path.join(self.out, name)
            hold(os.stat(path).st_mode & 0o777 == 0o600, f"{name} is open to others")
            match = NAME.fullmatch(name.removesuffix(".sig"))
            hold(match, f"left behind: {name}")
            person, serial = match[1], int(match[2])
            hold(serial in listed and listed[serial]["person"] == person,
                 f"{name} is not in the list of issues")
            if name.endswith(".sig"):
                with open(path) as file:
                    hold(file.read().endswith("-----END SSH SIGNATURE-----\n"), f"half: {name}")
                continue
            hold(name + ".sig" in names, f"{name} has no signature beside it")
            with open(path, "rb") as file:
                done = subprocess.run(["ssh-keygen", "-Y", "check-novalidate", "-n",
                                       "passation-file", "-s", path + ".sig"], stdin=file,
                                      capture_output=True, text=True)
            hold(done.returncode == 0, f"half a file: {name}: {done.stderr}")
            visible[serial] = (person, path)
            if name.endswith(".age") or serial in told:
                self.read(person, path, told.get(serial))
                continue
            for address in listed[serial]["addresses"]:
                known = address, self.state(person, address)["current"]
                hold(known in self.seen(person),
                     f"{person} is not said to know {known}, and {name} is there")
        for serial in told:
            hold(serial in visible, f"the code of {serial} was told, and there is no file")
        return visible

    def state(self, person, box):
        grants = [row for row in self.world.json("grant", "ls", person)["grants"]
                  if row["address"] == box]
        return grants[0] if grants else None

    def check_delivery(self, person, box, told):
        """The grant is delivered already, or one outbox delivers it."""
        visible = self.check_files(told)
        grant = self.state(person, box)
        if grant["due"]:
            issues, more = self.issue("outbox", person)
            hold(len(issues) == 1 and issues[0]["addresses"] == [box],
                 f"the outbox made {issues}")
            hold(all(issues[0]["serial"] > serial for serial in visible), "a serial went back")
            told = told | more
            visible = self.check_files(told)
            grant = self.state(person, box)
        hold(not grant["due"] and grant["version"] == grant["current"], f"still due: {grant}")
        hold(grant["serial"] in visible, f"delivered, and there is no file: {grant}")
        path = visible[grant["serial"]][1]
        hold(self.read(person, path, told.get(grant["serial"]))[box] == self.world.in_force(box),
             "the file does not hold the password in force")
        hold(self.issue("outbox", person)[0] == [], "a second outbox found something to do")


class Campaign:
    """Kills of one command; fresh() makes the world as it was before it."""

    codes = True

    def __init__(self, world):
        self.world = world
        self.people = People(world)
        self.prepare()
        self.template = os.path.join(world.dir, "template")
        shutil.copytree(world.home, self.template)

    def fresh(self):
        shutil.rmtree(self.world.home)
        shutil.copytree(self.template, self.world.home)

    def run(self, most):
        """(tried, survived, killed)"""
        chosen = points(self.world, self.words(), self.codes, most)
        survived = killed = 0
        for point in chosen:
            self.fresh()
            cut, told = killed_at(self.world, point, self.words(), self.codes)
            killed += cut
            try:
                self.people.check_vault()
                self.check(told)
                self.people.check_vault()
                survived += 1
            except (Wrong, AssertionError, subprocess.SubprocessError) as why:
                print(f"FAILED {self.words()[0]} at {point}: {why}", file=sys.stderr)
        return len(chosen), survived, killed


class Html(Campaign):
    """A page for a person with a code, by `grant --format html --code-fd`."""

    def prepare(self):
        self.box = self.people.boxes[0]

    def words(self):
        return ["grant", "emma", self.box, *UNTIL, "--format", "html", "-o", self.people.out]

    def check(self, told):
        people = self.people
        visible = people.check_files(told)
        if people.state("emma", self.box) is None:
            hold(not visible and not os.listdir(people.out), "files, and there is no grant")
            told = people.issue(*self.words()[:-2])[1]
        people.check_delivery("emma", self.box, told)


class Outbox(Campaign):
    """The files after a rotation, for one person with a code and one with a key."""

    def prepare(self):
        people = self.people
        self.box = people.boxes[0]
        people.issue("grant", "emma", self.box, *UNTIL, "--format", "html")
        people.grant("reader", self.box)
        self.world.run("rotate", self.box, check=0)
        people.empty_out()

    def words(self):
        return ["outbox", "-o", self.people.out]

    def check(self, told):
        for person in ("emma", "reader"):
            self.people.check_delivery(person, self.box, told)


class Revoke(Campaign):
    """The end of one of two grants, with the new password at OVH, for one who goes and beside
    one who stays. What OVH has heard cannot be copied back: each trial begins with new grants."""

    codes = False

    def prepare(self):
        self.box, self.other = self.people.boxes
        for person, box in (("stayer", self.box), ("reader", self.other), ("reader", self.box)):
            self.people.grant(person, box)
        self.kept = self.people.state("reader", self.other)

    def fresh(self):
        self.people.empty_out()
        self.issued = self.people.grant("reader", self.box)
        self.old = self.world.in_force(self.box)
        hold(self.people.read("reader", self.issued["path"], None)[self.box] == self.old,
             "the new grant does not hold the password in force")

    def words(self):
        return ["revoke", "reader", self.box]

    def of_reader(self, issues):
        return [row for row in issues if row["person"] == "reader"]

    def check_whole(self):
        """Wholly in force, or wholly ended: True if ended."""
        grant = self.people.state("reader", self.box)
        states = {row["serial"]: row["state"] for row in self.world.json("outbox", "--all")["issues"]}
        ended = grant["state"] == "ended"
        hold(ended == (grant["ended_at"] is not None), f"half ended: {grant}")
        hold(states[self.issued["serial"]] == ("void" if ended else "written"),
             f"the grant is {grant['state']}, its issue {states[self.issued['serial']]}")
        if not ended:
            hold(grant["state"] == "active" and not grant["due"], f"half in force: {grant}")
            hold(self.world.in_force(self.box) == self.old,
                 "the password was changed under a grant in force")
        hold(self.people.state("reader", self.other) == self.kept, "another grant has changed")
        return ended

    def due(self):
        done = self.world.run("--json", "due")
        due = json.loads(done.stdout)["due"]
        hold(done.returncode == (12 if due else 0), f"due: exit {done.returncode} with {due}")
        return due

    def check_due(self):
        """What the leaver knows and OVH still takes is named by `due`."""
        due = self.due()
        named = [row["kind"] for row in due if row["address"] == self.box and
                 (row["kind"] == "resume" or
                  row["kind"] == "rotate" and row["person"] == "reader")]
        if self.world.in_force(self.box) == self.old:
            hold(named, f"the old password is in force, and due says {due}")
        for row in self.world.json("who", "reader")["seen"]:
            if row["address"] == self.box and row["in_force"]:
                hold(named, f"the leaver knows {row}, and due says {due}")

    def check(self, told):
        people = self.people
        people.check_files(told)
        if self.check_whole():
            self.check_due()
            hold(not self.of_reader(people.issue("outbox")[0]), "an ended grant was issued again")
            self.world.run("resume", check=0)
            self.check_due()
            done = self.world.run("--json", "due", "--apply", "-o", people.out)
            hold(done.returncode in (0, 12), f"due --apply: {done.returncode}: {done.stderr}")
        else:
            self.world.run("revoke", "reader", self.box, check=0)
        new = self.world.in_force(self.box)
        hold(new != self.old, "the password that the leaver knows is still in force")
        hold(self.check_whole(), "the grant has come back")
        hold(not self.of_reader(people.issue("outbox")[0]), "an ended grant was issued again")
        shown = self.world.run("show", self.box, "--reveal", check=0).stdout.splitlines()[0]
        hold(shown == new, "the vault does not hold the password in force")
        hold(self.due() == [], "something is still due")
        hold(not [row for row in self.world.json("who", "reader")["seen"]
                  if row["address"] == self.box and row["in_force"]],
             "the leaver still knows what is in force")
        self.check_stayer(new)

    def check_stayer(self, new):
        people = self.people
        visible = people.check_files({})
        grant = people.state("stayer", self.box)
        hold(not grant["due"] and grant["serial"] in visible, f"not served: {grant}")
        hold(people.read("stayer", visible[grant["serial"]][1], None)[self.box] == new,
             "who stays did not get the password in force")


CAMPAIGNS = {"html": Html, "outbox": Outbox, "revoke": Revoke}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("campaigns", nargs="*", default=list(CAMPAIGNS))
    parser.add_argument("--kills", type=int, default=sys.maxsize)
    options = parser.parse_args()
    if not shutil.which("strace"):
        print("no strace", file=sys.stderr)
        return 77
    good = True
    for name in options.campaigns:
        with World(options.build) as world:
            tried, survived, killed = CAMPAIGNS[name](world).run(options.kills)
        print(f"{name}: tried {tried} survived {survived} killed {killed}", flush=True)
        record("5.1", name, tried, survived, killed=killed)
        floor = min(options.kills, FLOORS[name])
        if tried < floor or killed < tried * 0.8:
            print(f"{name}: too few runs, or too few cut short: at least {floor} are asked for",
                  file=sys.stderr)
            good = False
        good = good and tried == survived
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
