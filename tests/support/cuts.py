"""What power_cuts.py cuts: a vault on a disk of its own, commands that write, and what each
promises whatever its end."""

import json
import os
import shutil
import subprocess
import sys

from support import machine
from support.world import keygen

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fault"))
from test_grant_kills import UNTIL, People, Revoke, Wrong, hold  # noqa: E402

SIZES = {1024: 8 << 20, 4096: 16 << 20}
IMPORTED = 20


class Rig:
    """A world whose home lies on a disk; fresh() puts disk and mailboxes back as they were."""

    def __init__(self, world, block):
        self.world = world
        self.place = os.path.join(world.dir, "place")
        os.mkdir(self.place)
        for name in ("paul", "nora"):
            keygen(self.key(name))
        keygen(self.key("identity"))
        world.identity = self.key("identity")
        world.home = os.path.join(self.place, "home")
        self.disk = machine.Disk(os.path.join(world.dir, "disk"))
        self.disk.make(SIZES[block], block)
        self.csv = os.path.join(world.dir, "others.csv")
        with open(self.csv, "w") as file:
            file.write("title,username,password\n" +
                       "".join(f"Site {n},u{n},secret-{n}\n" for n in range(IMPORTED)))
        with self.disk.mounted(self.place):
            os.mkdir(world.home, 0o700)
            self.prepare()
            self.files = self.listed()
        self.template = self.disk.held()

    def key(self, name):
        return os.path.join(self.world.dir, name + ".key")

    def at(self, name):
        return os.path.join(self.world.home, name)

    def prepare(self):
        """A client with two mailboxes; a leaver, a stayer, and somebody who gets nothing yet."""
        world = self.world
        self.people = People(world)
        self.boxes = self.people.boxes
        self.people.add("third")
        world.control("POST", "/set", {"task_delay_ms": 0})
        world.run("slot", "add", "paul", "--new-identity-file", self.key("paul"), check=0)
        self.set_secret("old-value", "add")
        world.run("backup", self.at("backup.db"), check=0)
        with open(self.at("backup.db"), "rb") as file:
            self.old_backup = file.read()
        self.leaving = Revoke.__new__(Revoke)
        self.leaving.world, self.leaving.people = world, self.people
        self.leaving.prepare()
        self.leaving.fresh()
        self.passwords = self.in_force()
        self.entries = len(world.lines("log"))

    def set_secret(self, value, verb="set"):
        words, fds = self.secret_words(value, verb)
        self.world.run(*words, pass_fds=fds, check=0)
        os.close(fds[0])

    def secret_words(self, value, verb="set"):
        reading, writing = os.pipe()
        os.write(writing, value.encode())
        os.close(writing)
        return ["secret", verb, self.boxes[0], "ftp", "--secret-fd", str(reading)], [reading]

    def in_force(self):
        return {box: self.world.in_force(box) for box in self.boxes}

    def set_in_force(self, wanted):
        for box, password in self.in_force().items():
            if password != wanted[box]:
                self.world.control("POST", "/password",
                                   {"address": box, "password": wanted[box]})

    def fresh(self):
        self.disk.put(self.template, self.disk.size)
        self.set_in_force(self.passwords)

    def listed(self):
        home = self.world.home
        return {os.path.relpath(os.path.join(folder, name), home)
                for folder, _, names in os.walk(home) for name in names}

    # --- what must hold ---

    def opens(self, key, *words):
        """Whether the vault opens with this key."""
        done = subprocess.run([self.world.binary, "--no-input", "--identity-file", key, *words,
                               "slot", "ls"], env=self.world.env(), capture_output=True, text=True)
        hold(done.returncode in (0, 5), f"{os.path.basename(key)}: {done.stderr}")
        return done.returncode == 0

    def shown(self, box, *label):
        return self.world.run("show", box, *label, "--reveal", check=0).stdout.splitlines()[0]

    def check(self, command, told, in_force):
        self.people.check_vault()
        for box in self.boxes:
            held = [password for _, password in self.world.versions(box)]
            hold(in_force[box] in held, f"what opens {box} is not in the vault")
        command.check(self, told, in_force)
        self.people.check_vault()
        for box in self.boxes:
            hold(self.shown(box) == self.world.in_force(box),
                 f"the vault's current password does not open {box}")
        left = {name for name in self.listed() - self.files
                if not name.startswith(("out/", "state/passation/seen-"))
                and not name.endswith(("-wal", "-shm", ".lock"))}
        hold(left <= command.leaves, f"left beside: {sorted(left - command.leaves)}")


class Command:
    at_ovh = False  # it changes passwords there
    tells = True  # a word on standard output means that all is done
    leaves = frozenset()  # files that it makes
    replaces = ()  # and those in whose place it puts others

    def words(self, rig):
        """The command line, and the descriptors that it reads."""
        raise NotImplementedError

    def check(self, rig, told, in_force):
        raise NotImplementedError

    def again(self, rig, status=0):
        """To its end."""
        words, fds = self.words(rig)
        rig.world.run(*words, pass_fds=fds, check=status)
        for fd in fds:
            os.close(fd)


class Rotate(Command):
    name = "rotate"
    at_ovh = True
    tells = False

    def words(self, rig):
        return ["rotate", rig.boxes[0]], []

    def check(self, rig, told, in_force):
        box = rig.boxes[0]
        if told:
            hold(rig.shown(box) == in_force[box], "it ended well, and another one is current")
            hold(in_force[box] != rig.passwords[box], "it ended well, and nothing has changed")
        rig.world.run("resume", box, check=0)
        hold(rig.world.role(box)["state"] == "stable", "not stable after resume")


class RotateAll(Command):
    """What several mailboxes have to write is one commit."""
    name = "rotate-all"
    at_ovh = True
    tells = False

    def words(self, rig):
        return ["rotate", *rig.boxes, "--jobs", "16"], []

    def check(self, rig, told, in_force):
        for box in rig.boxes:
            if told:
                hold(rig.shown(box) == in_force[box], f"it ended well, and not with {box}'s")
                hold(in_force[box] != rig.passwords[box], f"it ended well, without {box}")
        rig.world.run("resume", *rig.boxes, check=0)
        for box in rig.boxes:
            hold(rig.world.role(box)["state"] == "stable", f"{box} is not stable after resume")


class SecretSet(Command):
    name = "secret"

    def words(self, rig):
        return rig.secret_words("new-value")

    def check(self, rig, told, in_force):
        value = rig.shown(rig.boxes[0], "ftp")
        hold(value in ("new-value",) if told else ("new-value", "old-value"), f"it is {value}")
        self.again(rig)
        hold(rig.shown(rig.boxes[0], "ftp") == "new-value", "it is not set")


class Grant(Command):
    name = "grant"

    def words(self, rig):
        return ["grant", "third", rig.boxes[1], *UNTIL, "-o", rig.people.out], []

    def check(self, rig, told, in_force):
        people, box = rig.people, rig.boxes[1]
        visible = people.check_files({})
        grant = people.state("third", box)
        if told:
            hold(grant and not grant["due"] and grant["serial"] in visible, f"not done: {grant}")
        if not grant:
            hold("third" not in {person for person, _ in visible.values()}, "a file, and no grant")
            self.again(rig)
        people.check_delivery("third", box, {})


class RevokeOne(Command):
    name = "revoke"
    at_ovh = True
    tells = False

    def words(self, rig):
        return ["revoke", "reader", rig.boxes[0]], []

    def check(self, rig, told, in_force):
        if told:
            hold(rig.leaving.check_whole(), "it ended well, and the grant is in force")
            hold(in_force[rig.boxes[0]] != rig.passwords[rig.boxes[0]], "the old one is in force")
        rig.leaving.check({})


class Rekey(Command):
    name = "rekey"
    leaves = frozenset({"code", "code again"})

    def words(self, rig, code="code"):
        return ["rekey", "--drop", "paul", "--recovery-out", rig.at(code)], []

    def recovers(self, rig, code):
        if not os.path.exists(rig.at(code)):
            return False
        with open(rig.at(code)) as file:
            done = subprocess.run([rig.world.binary, "--recovery-fd", "0", "slot", "ls"],
                                  env=rig.world.env(), stdin=file, capture_output=True, text=True)
        hold(done.returncode in (0, 5), f"recovery code: {done.stderr}")
        return done.returncode == 0

    def check(self, rig, told, in_force):
        is_old, is_new = rig.opens(rig.key("paul")), self.recovers(rig, "code")
        hold(is_old != is_new, f"the dropped slot opens: {is_old}, the new code opens: {is_new}")
        hold(is_new or not told, "it had said that it is done")
        words = self.words(rig, "code again")[0]
        if is_new:
            words = ["rekey", "--recovery-out", rig.at("code again")]
        rig.world.run(*words, check=0)
        hold(self.recovers(rig, "code again") and not rig.opens(rig.key("paul")), "not rekeyed")


class SlotAdd(Command):
    name = "slot"

    def words(self, rig):
        return ["slot", "add", "nora", "--new-identity-file", rig.key("nora")], []

    def check(self, rig, told, in_force):
        hold(rig.opens(rig.key("paul")), "another way in is gone")
        is_there = rig.opens(rig.key("nora"))
        hold(is_there or not told, "it had said that it is done")
        if not is_there:
            self.again(rig)
        hold(rig.opens(rig.key("nora")), "it does not open")


class Import(Command):
    name = "import"
    tells = False  # it says first what will come

    def words(self, rig):
        return ["-y", "import", rig.csv, "--role", rig.boxes[1]], []

    def count(self, rig):
        listed = rig.world.json("secret", "ls", rig.boxes[1])["secrets"]
        return sum(row["label"].startswith("Site ") for row in listed)

    def check(self, rig, told, in_force):
        count = self.count(rig)
        hold(count == IMPORTED if told else count in (0, IMPORTED), f"{count} of {IMPORTED}")
        self.again(rig)
        hold(self.count(rig) == IMPORTED, "not all are there")
        last = IMPORTED - 1
        hold(rig.shown(rig.boxes[1], f"Site {last}") == f"secret-{last}", "another value")


class Backup(Command):
    """Over an older one."""
    name = "backup"
    file = "backup.db"
    replaces = ("backup.db",)
    leaves = frozenset({"new.db"})

    def words(self, rig):
        return ["backup", "-f", rig.at(self.file)], []

    def is_new(self, rig):
        """False: as it was before. What is there must be whole, by itself."""
        if not os.path.exists(rig.at(self.file)):
            hold(self.file != "backup.db", "the older backup is gone")
            return False
        with open(rig.at(self.file), "rb") as file:
            if file.read() == rig.old_backup:
                return False
        alone = os.path.join(rig.world.dir, "alone")
        os.mkdir(alone)
        try:
            shutil.copy(rig.at(self.file), os.path.join(alone, "v.db"))
            rig.world.run("--vault", os.path.join(alone, "v.db"), "log", "--verify", check=0,
                          env=rig.world.env(XDG_STATE_HOME=alone))
        finally:
            shutil.rmtree(alone)
        return True

    def check(self, rig, told, in_force):
        hold(self.is_new(rig) or not told, "it had said that it is done")
        rig.world.run("backup", "-f", rig.at(self.file), check=0)
        hold(self.is_new(rig), "no new backup")


class NewBackup(Backup):
    name = "backup-new"
    file = "new.db"
    replaces = ()

    def words(self, rig):
        return ["backup", rig.at(self.file)], []


class ExportJournal(Command):
    name = "export-journal"
    leaves = frozenset({"journal", "journal again"})

    def words(self, rig, file="journal"):
        return ["export", "--format", "journal", "-o", rig.at(file)], []

    def written(self, rig, file):
        if not os.path.exists(rig.at(file)):
            return None
        with open(rig.at(file)) as text:
            return text.read()

    def check(self, rig, told, in_force):
        first = self.written(rig, "journal")
        hold(first or not told, "it had said that it is done")
        rig.world.run(*self.words(rig, "journal again")[0], check=0)
        hold(first is None or first.endswith("\n") and
             len(first.splitlines()) >= rig.entries and
             self.written(rig, "journal again").startswith(first), "half a file")


class ExportSecrets(Command):
    name = "export"
    leaves = frozenset({"export.json", "export again.json"})

    def words(self, rig, file="export.json"):
        return ["-y", "export", "essai", "--format", "bitwarden-json", "-o", rig.at(file)], []

    def check(self, rig, told, in_force):
        is_there = os.path.exists(rig.at("export.json"))
        hold(is_there or not told, "it had said that it is done")
        rig.world.run(*self.words(rig, "export again.json")[0], check=0)
        if is_there:
            items = []
            for file in ("export.json", "export again.json"):
                with open(rig.at(file)) as text:
                    items.append(len(json.load(text)["items"]))
            hold(items[0] == items[1] > 1, f"{items[0]} entries of {items[1]}")


class Init(Command):
    name = "init"
    leaves = frozenset({"second.db"})

    def words(self, rig):
        return ["--vault", rig.at("second.db"), "init"], []

    def check(self, rig, told, in_force):
        is_there = os.path.exists(rig.at("second.db"))
        hold(is_there or not told, "it had said that it is done")
        if not is_there:
            self.again(rig)
        rig.world.run("--vault", rig.at("second.db"), "log", "--verify", check=0)


COMMANDS = [Rotate(), RotateAll(), SecretSet(), Grant(), RevokeOne(), Rekey(), SlotAdd(), Import(),
            Backup(), NewBackup(), ExportJournal(), ExportSecrets(), Init()]

__all__ = ["COMMANDS", "Rig", "Wrong"]
