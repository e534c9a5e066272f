#!/usr/bin/env python3
"""Many processes on one vault, some of them killed: nothing that was said to be done is lost.

    test_races.py BUILD [--processes N] [--seconds N] [--seed S]

So many actors run one command after the other, drawn at random: secrets are added and set, one of
them by all actors, people are added, granted a mailbox, their grants ended, passwords rotated and
shown, the journal read. Some are killed with SIGKILL after a moment. Each actor notes what it was
told (exit 0), and what may have happened (killed). In the end

  - everything that was told is there, with the value that was told last, and every value that
    somebody gave the common secret is one of its versions, no two under one number;
  - no command ended otherwise than it may: never 6, never 1;
  - OVH has heard one new password for each rotation that was told, none for those that were refused
    since another one was at work, and each is in the vault; `resume` leaves all mailboxes stable,
    with the password that is in force;
  - the journal holds from the first entry to the last, and names each secret that was told.

Then backups are put back while others write: what they were told is in the vault, or in one of the
files that restore says it kept.

Counts commands.
"""

import argparse
import collections
import concurrent.futures
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support import machine  # noqa: E402
from support.record import record  # noqa: E402
from support.world import World, keygen  # noqa: E402

MAILBOXES = 4
COMMON = "common"
UNTIL = ("--until", "2031-01-01")
# 7: another process is at work, or the vault was busy for ten seconds.
# 12: the grants are ended, and what was read is due.
DONE = (0, 12)
MAY_END = {"rotate": (0, 7, 10), "resume": (0, 7, 10), "revoke": (0, 7, 12)}
KILLED = -signal.SIGKILL
DRAWN = [("add", 18), ("set", 14), ("common", 12), ("person", 8), ("grant", 8), ("revoke", 5),
         ("rotate", 8), ("resume", 4), ("show", 8), ("roles", 5), ("log", 4), ("verify", 3),
         ("backup", 3)]


class Actor(threading.Thread):
    """What one of the people does, and what he was told."""

    def __init__(self, stage, number, seed):
        super().__init__()
        self.stage, self.number = stage, number
        self.rng = random.Random(f"{seed}:{number}")
        self.serial = 0
        self.values = {}  # of his own secrets: (box, label): [told last, what may have come after]
        self.common = {True: set(), False: set()}  # values: told, perhaps
        self.people = {True: set(), False: set()}
        self.grants = {}  # (person, box): "active", "ended", or None if that is not known
        self.ended = collections.Counter()  # (command, exit status)
        self.wrong = []

    def run(self):
        names, weights = zip(*DRAWN)
        while time.monotonic() < self.stage.end:
            name = self.rng.choices(names, weights)[0]
            try:
                getattr(self, "do_" + name)()
            except Exception as why:  # noqa: BLE001 one that breaks has failed
                self.wrong.append(f"{name}: {why!r}")

    def command(self, *words, value=None, out=False):
        """True: it was told to be done. False: refused. None: killed, nobody knows."""
        world, fd = self.stage.world, ()
        if value is not None:
            reading, writing = os.pipe()
            os.write(writing, value.encode())
            os.close(writing)
            words, fd = (*words, "--secret-fd", str(reading)), (reading,)
        run = subprocess.Popen(world.command(*words), env=world.env(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               pass_fds=fd)
        for number in fd:
            os.close(number)
        patience_s = self.rng.uniform(0, self.stage.usual_s) if self.rng.random() < 0.2 else 120
        try:
            said = run.communicate(timeout=patience_s)
        except subprocess.TimeoutExpired:
            run.kill()
            said = run.communicate()
        verb = " ".join(words[:2]) if words[0] in ("secret", "person", "role") else words[0]
        self.ended[verb, run.returncode] += 1
        if run.returncode == KILLED:
            return None
        if run.returncode not in MAY_END.get(verb, (0, 7)):
            self.wrong.append(f"{' '.join(words)}: exit {run.returncode}: {said[1][-300:]}")
        self.said = said[0]
        return run.returncode in DONE

    def new(self, what):
        self.serial += 1
        return f"{what}{self.number}-{self.serial}"

    def box(self):
        return self.rng.choice(self.stage.boxes)

    def give(self, verb, key):
        value = self.new("value-")
        done = self.command("secret", verb, *key, value=value)
        last = self.values.get(key, [None, set()])
        if done:
            self.values[key] = [value, set()]
        elif done is None:
            self.values[key] = [last[0], last[1] | {value}]

    def do_add(self):
        self.give("add", (self.box(), self.new("label")))

    def do_set(self):
        told = [key for key, value in self.values.items() if value[0]]
        if told:
            self.give("set", self.rng.choice(told))

    def do_common(self):
        value = self.new("shared-")
        done = self.command("secret", "set", self.stage.boxes[0], COMMON, value=value)
        if done is not False:
            self.common[bool(done)].add(value)

    def do_person(self):
        name = self.new("p")
        done = self.command("person", "add", name, "--kind", "provider", "--key", self.stage.key)
        if done is not False:
            self.people[bool(done)].add(name)

    def do_grant(self):
        if self.people[True]:
            key = self.rng.choice(sorted(self.people[True])), self.box()
            if key not in self.grants:
                done = self.command("grant", *key, *UNTIL, "-o", self.stage.out)
                if done is not False:
                    self.grants[key] = "active" if done else None

    def do_revoke(self):
        active = sorted(key for key, state in self.grants.items() if state == "active")
        if active:
            key = self.rng.choice(active)
            done = self.command("revoke", *key, "--no-rotate")
            if done is not False:
                self.grants[key] = "ended" if done else None

    def do_rotate(self):
        self.command("rotate", self.box())

    def do_resume(self):
        self.command("resume", self.box())

    def do_show(self):
        box = self.box()
        told = {key: value for key, value in self.values.items() if value[0] and not value[1]}
        if not told:
            self.command("show", box, "--reveal")
            return
        key = self.rng.choice(sorted(told))
        if self.command("show", *key, "--reveal") and self.said.split("\n")[0] != told[key][0]:
            self.wrong.append(f"{key} shows {self.said!r} instead of {told[key][0]}")

    def do_roles(self):
        self.command("role", "ls")

    def do_log(self):
        self.command("log", "-n", "5")

    def do_verify(self):
        self.command("log", "--verify")

    def do_backup(self):
        self.command("backup", "-f", self.stage.backup)


class Stage:
    """The vault and the actors on it."""

    def __init__(self, world, options):
        self.world = world
        self.boxes = world.setup_client(mailboxes=MAILBOXES)
        world.control("POST", "/set", {"task_delay_ms": 50})
        self.out = os.path.join(world.home, "out")
        os.mkdir(self.out, 0o700)
        self.backup = os.path.join(world.home, "backup.db")
        keygen(os.path.join(world.dir, "reader"))
        self.key = os.path.join(world.dir, "reader.pub")
        self.usual_s = 60
        began = time.monotonic()
        if not Actor(self, 0, options.seed).command("secret", "add", self.boxes[0], COMMON, value="the-first"):
            raise RuntimeError("no common secret")
        self.usual_s = (time.monotonic() - began) * max(2, options.processes / (os.cpu_count() or 1))
        self.heard_before = self.heard()
        self.actors = [Actor(self, number, options.seed)
                       for number in range(1, options.processes + 1)]
        self.end = time.monotonic() + options.seconds

    def heard(self):
        """The passwords that OVH was ever told to set: (mailbox, password)."""
        return {(box, row["password"]) for box in self.boxes
                for row in self.world.control("GET", "/state?address=" + box)["history"]
                if row["by"] == "api"}

    def go(self):
        for actor in self.actors:
            actor.start()
        for actor in self.actors:
            actor.join()

    # --- what must hold ---

    def wrong(self):
        """Everything that is not as it was told."""
        found = [why for actor in self.actors for why in actor.wrong]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            for more in pool.map(self.check_values, self.actors):
                found += more
        for check in (self.check_common, self.check_people, self.check_vault,
                      self.check_rotations):
            found += check()
        return found

    def shown(self, *words):
        done = self.world.run("--json", "show", *words, "--reveal")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def check_values(self, actor):
        found = []
        for key, (told, perhaps) in actor.values.items():
            shown = self.shown(*key)
            if shown is None and told is None:
                continue
            value = shown and shown["password"]
            if value != told and value not in perhaps:
                found.append(f"{key}: {told} was told, perhaps {perhaps}; it is {value}")
        return found

    def check_common(self):
        shown = self.shown(self.boxes[0], COMMON, "--versions")["versions"]
        values = {row["password"] for row in shown}
        numbers = [row["version"] for row in shown]
        found = [f"lost: {value} of the common secret" for actor in self.actors
                 for value in actor.common[True] - values]
        perhaps = {value for actor in self.actors for told in actor.common.values()
                   for value in told} | {"the-first"}
        found += [f"nobody gave the common secret {value}" for value in values - perhaps]
        if len(set(numbers)) != len(numbers) or len(values) != len(numbers):
            found.append(f"two versions of the common secret are one: {numbers}")
        return found

    def check_people(self):
        people = {row["id"] for row in self.world.json("person", "ls")["persons"]}
        grants = {(row["person"], row["address"]): row["state"]
                  for row in self.world.json("grant", "ls")["grants"]}
        found = [f"lost: {name}" for actor in self.actors for name in actor.people[True] - people]
        found += [f"grant {key}: {state} was told, it is {grants.get(key)}"
                  for actor in self.actors for key, state in actor.grants.items()
                  if state and grants.get(key) != state]
        return found

    def check_rotations(self):
        ended = sum((actor.ended for actor in self.actors), collections.Counter())
        told = ended["rotate", 0]
        perhaps = sum(ended["rotate", status] for status in (KILLED, 10))
        heard, found, used = self.heard(), [], set()
        for box in self.boxes:
            versions = self.world.versions(box)
            used |= {(box, password) for state, password in versions
                     if state in ("current", "superseded")}
            if len(versions) != len(set(versions)):
                found.append(f"{box}: one password is two versions")
        if heard != used:
            found.append(f"OVH has set {len(heard - used)} that the vault does not know as such, "
                         f"the vault has {len(used - heard)} that OVH never set")
        number = len(heard - self.heard_before)
        if not told <= number <= told + perhaps:
            found.append(f"{number} passwords were set, by {told} rotations and perhaps {perhaps}")
        return found

    def check_vault(self):
        found = []
        for words, allowed in ((("resume",), (0,)), (("log", "--verify"), (0,)),
                               (("status",), (0, 12)), (("outbox", "-o", self.out), (0, 12))):
            done = self.world.run(*words, timeout=300)
            if done.returncode not in allowed:
                found.append(f"{words}: exit {done.returncode}: {done.stderr[-300:]}")
        for box in self.boxes:
            if self.world.role(box)["state"] != "stable":
                found.append(f"{box} is not stable")
            if self.shown(box)["password"] != self.world.in_force(box):
                found.append(f"{box}: another password than the current one is in force")
        return found


# --- restore, while others write ---

RESTORES, WRITERS = 4, 2


def in_vault(world, path, box):
    """The versions, read by somebody who never saw that vault."""
    env = world.env(PASSATION_VAULT=path, XDG_STATE_HOME=path + ".state")
    done = world.run("--json", "show", box, COMMON, "--versions", "--reveal", env=env, check=0)
    return {row["password"] for row in json.loads(done.stdout)["versions"]}


def restores_beside_writers(build):
    """How many commands ran, and what is wrong."""
    with World(build) as world:
        (box,) = world.setup_client(mailboxes=1)
        world.run("secret", "add", box, COMMON, "--secret-fd", "0", stdin="the-first", check=0)
        copy, over = os.path.join(world.home, "copy.db"), threading.Event()
        told, ended, found = set(), collections.Counter(), []

        def write(number):
            for serial in range(10**6):
                if over.is_set():
                    return
                value = f"value-{number}-{serial}"
                done = world.run("--json", "secret", "set", box, COMMON, "--secret-fd", "0", stdin=value)
                ended[done.returncode] += 1
                if done.returncode == 0:
                    told.add(value)
                # The older one was put back meanwhile; or it was busy.
                elif json.loads(done.stdout)["error"]["code"] not in ("rolled_back", "forked",
                                                                      "busy", "conflict"):
                    found.append(f"secret set: exit {done.returncode}: {done.stdout}")

        writers = [threading.Thread(target=write, args=(number,)) for number in range(WRITERS)]
        for writer in writers:
            writer.start()
        vault, kept = None, []
        for _ in range(RESTORES):
            world.run("backup", "-f", copy, check=0)
            time.sleep(0.3)
            done = world.run("--json", "-y", "restore", copy, "--accept-older")
            ended[done.returncode] += 1
            if done.returncode == 0:
                told_of = json.loads(done.stdout)
                vault, kept = told_of["vault"], [*kept, told_of["kept"]]
            elif done.returncode != 7:
                found.append(f"restore: exit {done.returncode}: {done.stderr}")
        over.set()
        for writer in writers:
            writer.join()
        if not kept or not told:
            return sum(ended.values()), [*found, f"nothing at once: {dict(ended)}"]
        held = set().union(*(in_vault(world, path, box) for path in [vault, *kept]))
        found += [f"lost beside a restore: {value}" for value in told - held]
        return sum(ended.values()), found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--processes", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    machine.alone(must=False)
    with World(options.build) as world:
        stage = Stage(world, options)
        stage.go()
        wrong = stage.wrong()
    ended = sum((actor.ended for actor in stage.actors), collections.Counter())
    beside, found = restores_beside_writers(options.build)
    wrong += found
    tried = sum(ended.values()) + beside
    killed = sum(count for (_, status), count in ended.items() if status == KILLED)
    for verb in sorted({verb for verb, _ in ended}):
        print(f"{verb:14} " + ", ".join(f"exit {status}: {count}" for (name, status), count
                                        in sorted(ended.items()) if name == verb))
    for why in wrong:
        print(f"FAILED --processes {options.processes} --seed {options.seed}: {why}",
              file=sys.stderr)
    print(f"commands: tried {tried} survived {max(tried - len(wrong), 0)}, {killed} killed, "
          f"{options.processes} processes at once")
    record("2.20", "processes", tried, max(tried - len(wrong), 0), killed=killed)
    return 1 if wrong or not killed or tried < options.processes else 0


if __name__ == "__main__":
    sys.exit(main())
