#!/usr/bin/env python3
"""Clocks that are wrong, jump, stand still or race, over the real binary.

    test_clocks.py BUILD [--only WORDS]

Under each clock a mailbox is rotated at the simulator, which tells its own time; a login is refused;
a secret is replaced; an issue is made; a run is killed while it waits for OVH. Then the clock is
right again. A clock survives if nothing goes wrong under it, nor afterwards:

- the signatures follow OVH's time: every request is taken, whatever the machine believes (but for a
  clock outside the server's certificate, when nothing is sent);
- what is in force at OVH is the current version, versions and the journal are in the order of
  what happened, whatever their dates say, serials rise;
- no lock, budget or waiting time outlives the clock that it was written under: resume and rotate
  go on at once, also after a clock that was years ahead;
- the agent keeps its key for as long as it was told.

Then the ends of grants, a second before and after: at changes of summer time, on leap days, at the
turn of a year, in other zones: what is due is what has ended, under each clock.
"""

import argparse
import concurrent.futures
import contextlib
import datetime
import itertools
import json
import os
import subprocess
import sys
import threading
import time
import zoneinfo

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support import fake_time  # noqa: E402
from support.cases import Cases, equal, true  # noqa: E402
from support.record import record  # noqa: E402
from support.world import World, keygen  # noqa: E402

BOX = f"box0@{World.DOMAIN}"
DAY = 86400
CERTIFICATE_DAYS = 29  # what the simulator's certificates are good for, on both sides
WINDOW_S = 3  # of refused logins
AT_ONCE_S = 120  # on a machine that is busy; what outlives its clock waits for days
WORKERS = 3

# (name, FAKETIME, days off at most: None if it is no matter of days)
CLOCKS = [
    ("right", "+0", 0),
    ("an hour ahead", "+1h", 0),
    ("an hour behind", "-1h", 0),
    ("two days behind", "-2d", 2),
    ("two days ahead", "+2d", 2),
    ("forty days ahead", "+40d", 40),
    ("a year behind", "-1y", 366),
    ("a year ahead", "+1y", 366),
    ("five years ahead", "+5y", 1830),
    ("five years behind", "-5y", 1830),
    ("fifty years ahead", "+50y", 18300),
    ("before 1970", "@1969-12-31 12:00:00", 20000),
    ("about to pass 2038-01-19", "@2038-01-19 03:14:06", 4100),
    ("the year 2100", "@2100-02-28 23:59:58", 27000),
    ("about to begin summer time", "@2027-03-28 01:59:59", 366),
    ("in the hour that comes twice", "@2026-10-25 02:30:00", 366),
    ("standing still", "2027-01-01 00:00:00", 366),
    ("a hundred times too fast", "+0 x100", 1),
    ("five times too slow", "+0 x0.2", 1),
    ("jumping by a day, back and forth", ["+1d", "-1d"], 1),
    ("jumping by a year, back and forth", ["+1y", "-1y"], 366),
    ("jumping back by an hour, again and again", ["+3h", "+2h", "+1h", "+0"], 1),
]


class Clock:
    """What stands before a command, so that it believes in that clock."""

    def __init__(self, world, spec):
        self.spec = spec
        self.path = os.path.join(world.dir, "clock")
        self.world = world
        self.done = threading.Event()

    def environment(self):
        more = {"FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_RESET": "1",
                "TZ": "Europe/Paris"}
        if isinstance(self.spec, list):
            more |= {"FAKETIME_TIMESTAMP_FILE": self.path, "FAKETIME_NO_CACHE": "1",
                     "LD_PRELOAD": fake_time.library()}
        return self.world.env(**more)

    def prefix(self):
        return [] if isinstance(self.spec, list) else fake_time.at(self.spec)

    def run(self, *args, **more):
        return self.world.run(*args, prefix=self.prefix(), env=self.environment(), **more)

    def __enter__(self):
        if isinstance(self.spec, list):
            self.set(self.spec[0])
            self.thread = threading.Thread(target=self.jump)
            self.thread.start()
        return self

    def __exit__(self, *_):
        self.done.set()
        if isinstance(self.spec, list):
            self.thread.join()

    def set(self, text):
        with open(self.path + ".new", "w") as file:
            file.write(text + "\n")
        os.rename(self.path + ".new", self.path)

    def jump(self):
        for text in itertools.cycle(self.spec):
            if self.done.wait(0.02):
                return
            self.set(text)


# --- what holds whatever the clock was ---

def versions(world):
    return world.json("show", BOX, "--versions", "--reveal")["versions"]


def check_vault(world):
    """The password in force is the current version, the newest; every chain is whole."""
    held = versions(world)
    current = [row for row in held if row["state"] == "current"]
    equal(len(current), 1, "current versions")
    equal(current[0]["password"], world.in_force(BOX), "the password in force")
    equal(max(row["version"] for row in held), current[0]["version"], "the newest version")
    world.run("log", "--verify", check=0)


def entries(world):
    return world.json("log", "--client", "essai")["log"]


def timed(world, *args):
    began = time.monotonic()
    done = world.run(*args)
    spent = time.monotonic() - began
    true(spent < AT_ONCE_S, f"{' '.join(args)} took {spent:.0f} s")
    return done


class Trial:
    def __init__(self, world, name, spec, days):
        self.world, self.name, self.spec, self.days = world, name, spec, days
        self.reaches = days < CERTIFICATE_DAYS
        self.before = world.in_force(BOX)
        self.count = len(entries(world))

    def rotation(self, clock):
        done = clock.run("rotate", BOX)
        if not self.reaches:
            equal(done.returncode, 9, f"a rotation outside the certificate: {done.stderr}")
            equal(self.world.in_force(BOX), self.before, "the password in force")
            return
        equal(done.returncode, 0, done.stderr)
        true(self.world.in_force(BOX) != self.before, "the password was not changed")
        check_vault(self.world)

    def refused_logins(self, clock):
        """As many as the budget allows, with dates of that clock."""
        if not self.reaches:
            return
        right = self.world.in_force(BOX)
        self.world.control("POST", "/password", {"address": BOX, "password": "Another-9-word"})
        for _ in range(2):
            true(clock.run("verify", BOX).returncode not in (0, 139), "a login that must fail")
        self.world.control("POST", "/password", {"address": BOX, "password": right})

    def secret(self, clock):
        value = f"value-{len(self.name)}-{time.monotonic_ns()}"
        clock.run("secret", "set", BOX, "ftp", "--secret-fd", "0", stdin=value, check=0)
        for run in (clock.run, self.world.run):
            told = json.loads(run("--json", "show", BOX, "ftp", "--reveal", check=0).stdout)
            equal(told["value"], value, "the secret that was set last")

    def issue(self, clock):
        done = clock.run("--json", "grant", "jp", BOX, "-o", self.world.out)
        equal(done.returncode, 0, done.stdout)
        serial = json.loads(done.stdout)["issues"][0]["serial"]
        true(serial > self.world.serial, f"serial {serial} after {self.world.serial}")
        self.world.serial = serial
        fresh = self.world.json("grant", "jp", BOX, "-o", self.world.out)["issues"][0]["serial"]
        true(fresh > serial, f"serial {fresh} after {serial}")
        self.world.serial = fresh

    def killed_run(self, clock):
        """A rotation that dies while it waits for OVH, with dates of that clock."""
        if not self.reaches:
            return
        self.world.control("POST", "/set", {"task_delay_ms": 1500})
        process = subprocess.Popen([*clock.prefix(), *self.world.command("rotate", BOX)],
                                   env=clock.environment(), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                   start_new_session=True)
        end = time.monotonic() + AT_ONCE_S
        while not self.world.control("GET", "/state")["tasks"] and time.monotonic() < end and \
                process.poll() is None:
            time.sleep(0.05)
        time.sleep(0.2)
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()
        self.world.control("POST", "/set", {"task_delay_ms": 0})

    def afterwards(self):
        """The clock is right again: what was left is finished, and work goes on."""
        equal(timed(self.world, "resume").returncode, 0, "resume")
        check_vault(self.world)
        done = timed(self.world, "verify", BOX)
        if done.returncode == 9 and "too many refused logins" in done.stderr:
            time.sleep(WINDOW_S + 1)  # of which the dates said nothing; not for ever
            done = timed(self.world, "verify", BOX)
        equal(done.returncode, 0, done.stderr)
        held = self.world.in_force(BOX)
        done = timed(self.world, "rotate", BOX)
        equal(done.returncode, 0, done.stderr)
        true(self.world.in_force(BOX) != held, "the password was not changed")
        check_vault(self.world)
        rows = entries(self.world)
        true(len(rows) > self.count, "nothing was written down")
        numbers = [row["number"] for row in rows]
        equal(numbers, sorted(numbers, reverse=numbers[0] > numbers[-1]), "the journal's order")
        equal(len(set(numbers)), len(numbers), "the journal's numbers")

    def agent(self, clock):
        true(json.loads(clock.run("--json", "unlock", "--for", "1h", check=0).stdout),
             "no answer")
        for prefix, env in ((clock.prefix(), clock.environment()), ((), self.world.env())):
            done = subprocess.run([*prefix, self.world.binary, "--no-input", "role", "ls"],
                                  env=env, stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, timeout=60)
            equal(done.returncode, 0, f"the agent's key: {done.stderr}")
        clock.run("lock", check=0)

    def run(self):
        with Clock(self.world, self.spec) as clock:
            self.secret(clock)
            self.rotation(clock)
            self.issue(clock)
            self.agent(clock)
            self.refused_logins(clock)
            self.killed_run(clock)
        self.afterwards()


# --- ends of grants ---

# (last day, zone): it ends at the last second of that day there.
ENDS = [
    ("2027-03-27", "Europe/Paris"), ("2027-03-28", "Europe/Paris"), ("2027-10-30", "Europe/Paris"),
    ("2027-10-31", "Europe/Paris"), ("2027-12-31", "Europe/Paris"), ("2028-02-29", "Europe/Paris"),
    ("2027-03-14", "America/New_York"), ("2027-11-07", "America/New_York"),
    ("2027-04-04", "Australia/Sydney"), ("2027-12-31", "Pacific/Kiritimati"),
]


def last_second(day, zone):
    """In UTC, as the end of the day after which the grant is none."""
    following = datetime.date.fromisoformat(day) + datetime.timedelta(days=1)
    end = datetime.datetime.combine(following, datetime.time(), zoneinfo.ZoneInfo(zone))
    return int(end.timestamp()) - 1


def end_of_a_grant(world, number, day, zone):
    who = f"g{number}"
    world.run("person", "add", who, "--kind", "provider", "--key", world.key, check=0)
    world.run("grant", who, BOX, "--until", day, "--tz", zone, "-o", world.out, check=0)
    end = last_second(day, zone)
    for local in ("UTC", "Europe/Paris", "America/New_York"):
        for seconds, is_due in ((-3600, False), (-30, False), (2, True), (3600, True)):
            at = datetime.datetime.fromtimestamp(end + seconds, zoneinfo.ZoneInfo(local))
            env = world.env(TZ=local, FAKETIME_DONT_FAKE_MONOTONIC="1")
            done = world.run("--json", "due", prefix=fake_time.at(at.strftime("@%Y-%m-%d %H:%M:%S")),
                             env=env)
            # The hour that comes twice cannot be named: the clock stands in one of the two.
            if at.astimezone(datetime.timezone.utc) != at.replace(fold=1 - at.fold).astimezone(
                    datetime.timezone.utc):
                continue
            due = [row for row in json.loads(done.stdout)["due"]
                   if row["kind"] == "grant" and row["person"] == who]
            equal(bool(due), is_due, f"due {seconds} s after {day} in {zone}, clock in {local}")
    world.run("revoke", who, "--no-rotate")


# --- all of them ---

class Clocked(World):
    def __enter__(self):
        super().__enter__()
        self.control("POST", "/set", {"task_delay_ms": 0})
        self.setup_client(mailboxes=1)
        os.makedirs(os.path.join(self.home, "run"), mode=0o700)
        self.run("client", "set", "essai", "--failed-logins", f"4/{WINDOW_S}s", check=0)
        self.run("secret", "add", BOX, "ftp", "--secret-fd", "0", stdin="first-word-1", check=0)
        self.out = os.path.join(self.home, "out")
        os.mkdir(self.out, 0o700)
        key = os.path.join(self.home, "jp.txt")
        keygen(key)
        self.key = key + ".pub"
        self.run("person", "add", "jp", "--kind", "provider", "--key", self.key, check=0)
        self.serial = 0
        return self


def work(build, cases, todo, lock):
    with Clocked(build) as world:
        while True:
            with lock:
                row = next(todo, None)
            if row is None:
                return
            if len(row) == 2:
                with cases.case(f"the end of a grant: {row[1][0]} in {row[1][1]}"):
                    end_of_a_grant(world, row[0], *row[1])
            else:
                with cases.case(f"clock: {row[0]}"):
                    Trial(world, *row).run()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--only", default="", help="clocks whose name has this")
    options = parser.parse_args()
    if not fake_time.library():
        print("skipped: needs faketime")
        return 77
    cases, lock = Cases(), threading.Lock()
    todo = iter([row for row in CLOCKS if options.only in row[0]] +
                [row for row in enumerate(ENDS) if not options.only])
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as pool:
        for done in [pool.submit(work, options.build, cases, todo, lock) for _ in range(WORKERS)]:
            done.result()
    record("5.9", "clocks and ends of grants", cases.passed + cases.failed, cases.passed)
    return cases.finish()


if __name__ == "__main__":
    sys.exit(main())
