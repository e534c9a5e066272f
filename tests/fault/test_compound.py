#!/usr/bin/env python3
"""Faults while a fault is repaired: what was disturbed is taken up again, and that is disturbed,
too.

    test_compound.py BUILD [--pairs N] [--seed S] [--workers N] [--only KIND…] [--trial KIND:SEED]

Each trial begins with the same vault and the same mailboxes. A rotation, a rekey or a departure is
killed at its n-th call that anybody could notice (support/stops.py), or one of its calls fails, or
OVH or the mail server does; then what finishes it (`resume`, or the command again) is disturbed at
its m-th; one time in four a third one is. Last it runs whole. After each of them

  rotation   every password that opens the mailbox is in the vault, whose journal holds; in the end
             one `resume` has made it stable, and the current password is the one in force;
  rekey      the vault is wholly the old one or wholly a new one; in the end it has the last keys,
             the same secrets, and nothing lies beside it;
  departure  all that depart_campaign.py asks for, in between and in the end.

Prints tried/survived. Exit 1 if one did not survive, or if too few were disturbed twice.
"""

import argparse
import collections
import concurrent.futures
import errno
import os
import random
import shutil
import subprocess
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
sys.path.insert(0, HERE)
from depart_campaign import Departure  # noqa: E402
from support import kills, machine, stops  # noqa: E402
from support.campaign import Wrong, hold, rule_of  # noqa: E402
from support.record import record  # noqa: E402
from support.world import World, keygen  # noqa: E402

CHANGE, LISTED = ("POST", "*/changePassword"), ("GET", "*/task/account")
AT_OVH = [(kind, *CHANGE) for kind in ("lost_before", "lost_after", "reset", "reset_after", "500",
                                       "503", "5xx_after", "409", "not_json", "empty_body",
                                       "truncated", "task_silent_fail", "wrong_mailbox")]
AT_OVH += [(kind, *LISTED) for kind in ("lost_before", "500", "html", "wrong_types")]
AT_OVH += [(kind, "IMAP", "*") for kind in ("unavailable", "bye", "close", "reset", "garbage",
                                           "inuse", "refuse_right")]
FAILING = {"pwrite64": ("ENOSPC", "EIO"), "fdatasync": ("EIO",), "fsync": ("EIO",),
           "ftruncate": ("EIO",), "rename": ("EIO", "ENOSPC"), "link": ("ENOSPC",),
           "unlink": ("EIO",), "mkdir": ("ENOSPC",), "sendto": ("EPIPE",), "connect": ("ENETDOWN",)}


class Disturber:
    """Draws what goes wrong in a run, and runs it."""

    def __init__(self, world, rng):
        self.world, self.rng = world, rng
        self.story = []
        self.met = 0
        self.out = os.path.join(world.dir, "output")

    def draw(self, calls, at_ovh):
        """One of the calls of an undisturbed run is the last, fails, or is answered badly."""
        draw = self.rng.random()
        if at_ovh and draw < 0.2:
            return ("ovh", *self.rng.choice(AT_OVH))
        if draw < 0.4:
            index = self.rng.choice([n for n, name in enumerate(calls) if name in FAILING])
            name = calls[index]
            return ("error", name, calls[:index + 1].count(name),
                    self.rng.choice(FAILING[name]) + self.rng.choice(("", "+")))
        return ("kill", self.rng.randint(1, len(calls)))

    def run(self, words, calls, at_ovh, patience_s=20):
        """The exit status of a disturbed run; calls: about those that it makes."""
        what = self.draw(calls, at_ovh)
        self.story.append(" ".join(map(str, what)))
        if what[0] == "error":
            status, said = self.failing(words, what, patience_s)
            self.met += status != 0
        else:
            if what[0] == "ovh":
                self.world.control("POST", "/faults", [rule_of(*what[2:], what[1], times=1)])
            status = self.counting(words, what[1] if what[0] == "kill" else None, patience_s)
            self.met += what[0] == "ovh" or status == -9
        self.story[-1] += f" ({status})"
        return status

    def failing(self, words, what, patience_s):
        code, sticky = what[3].rstrip("+"), "+" if what[3].endswith("+") else ""
        assert hasattr(errno, code)
        return kills.run(self.world, words, [
            *kills.STRACE, "-o", "/dev/null", "-e", "trace=" + what[1], "-e",
            f"inject={what[1]}:error={code}:when={what[2]}{sticky}"], patience_s)

    def counting(self, words, last, patience_s):
        number = 0

        def at_call(_):
            nonlocal number
            number += 1
            return number == last
        return stops.run(self.world.command(*words), self.world.env(), self.out, at_call,
                         patience_s)

    def calls(self, words):
        """Those of a run that nothing disturbs."""
        found = []
        status = stops.run(self.world.command(*words), self.world.env(), self.out, found.append)
        hold(status in (0, 12), f"{words}: exit {status} without any fault")
        return found


class Kind:
    """One world. fresh() makes it as it was; trial() disturbs, and raises if that was too much."""

    at_ovh = True

    def __init__(self, build):
        self.world = World(build)
        self.world.__enter__()
        self.set_up()
        self.template = os.path.join(self.world.dir, "template")
        shutil.copytree(self.world.home, self.template)
        self.fresh()
        self.usual = Disturber(self.world, None).calls(self.words())

    def close(self):
        self.world.__exit__()

    def fresh(self):
        shutil.rmtree(self.world.home)
        shutil.copytree(self.template, self.world.home)

    def rest(self, status, disturber):
        """The calls that are likely to be left after a run that was killed."""
        last = disturber.story[-1].split()
        done = int(last[1]) if last[0] == "kill" and status == -9 else len(self.usual) // 2
        return self.usual[max(0, min(done, len(self.usual)) - 25):]

    def trial(self, rng):
        self.fresh()
        disturber = Disturber(self.world, rng)
        try:
            self.disturbed(disturber, 3 if rng.random() < 0.25 else 2)
        except Exception as why:
            raise Wrong(f"{'; '.join(disturber.story)}: {why!r}") from why
        return disturber.met

    def disturbed(self, disturber, times):
        calls = self.usual
        for number in range(times):
            words = self.words() if number == 0 else self.words_again()
            status = disturber.run(words, calls, self.at_ovh)
            calls = self.rest(status, disturber)
            self.world.control("DELETE", "/faults")
            self.between(status, number)
        self.end()


class Rotation(Kind):
    def set_up(self):
        self.box = self.world.setup_client(mailboxes=1)[0]
        self.world.control("POST", "/set", {"task_delay_ms": 0})
        self.password = self.world.in_force(self.box)

    def words(self):
        return ["rotate", self.box]

    def words_again(self):
        return ["resume", self.box]

    def fresh(self):
        super().fresh()
        self.world.control("POST", "/password", {"address": self.box, "password": self.password})

    def shown(self):
        return self.world.run("show", self.box, "--reveal", check=0).stdout.splitlines()[0]

    def between(self, status, _):
        self.world.run("log", "--verify", check=0)
        held = [password for _, password in self.world.versions(self.box)]
        hold(self.world.in_force(self.box) in held, "what is in force is not in the vault")
        if status == 0:
            hold(self.shown() == self.world.in_force(self.box), "exit 0, and another is current")

    def end(self):
        done = self.world.run("resume", self.box, timeout=300)
        state = self.world.role(self.box)["state"]
        hold(done.returncode == 0 and state == "stable",
             f"{state} after a resume ({done.returncode}): {done.stderr}")
        self.between(0, None)


class Rekey(Kind):
    """paul's way in goes; each of the runs writes a recovery code of its own."""

    at_ovh = False

    def set_up(self):
        self.box = self.world.setup_client(mailboxes=2)[0]
        self.paul = os.path.join(self.world.dir, "paul.txt")
        keygen(self.paul)
        self.world.run("slot", "add", "paul", "--new-identity-file", self.paul, check=0)
        self.password = self.world.in_force(self.box)

    def fresh(self):
        super().fresh()
        self.code = 0
        self.valid = None  # the code that opens it

    def name(self, number):
        return os.path.join(self.world.home, f"code{number}")

    def words(self):
        self.code += 1
        drop = ["--drop", "paul"] if self.valid is None else []
        return ["rekey", *drop, "--recovery-out", self.name(self.code)]

    words_again = words

    def opens(self, key):
        done = self.world.run("slot", "ls") if key is None else subprocess.run(
            [self.world.binary, *key[0], "slot", "ls"], env=self.world.env(), text=True,
            stdin=key[1], capture_output=True)
        hold(done.returncode in (0, 5), f"exit {done.returncode}: {done.stderr}")
        return done.returncode == 0

    def recovers(self, number):
        if not os.path.exists(self.name(number)):
            return False
        with open(self.name(number)) as file:
            return self.opens((["--recovery-fd", "0"], file))

    def between(self, status, _):
        self.world.run("log", "--verify", check=0)
        shown = self.world.run("show", self.box, "--reveal", check=0).stdout.splitlines()[0]
        hold(shown == self.password, "another secret")
        is_old = self.opens((["--no-input", "--identity-file", self.paul], subprocess.DEVNULL))
        valid = [number for number in range(1, self.code + 1) if self.recovers(number)]
        hold(len(valid) + is_old == 1, f"the old way in opens: {is_old}; codes: {valid}")
        if status == 0:
            hold(valid == [self.code], f"done, and the codes that open are {valid}")
        hold(is_old or not self.valid or valid[0] >= self.valid, "an older vault has come back")
        self.valid = valid[0] if valid else None

    def end(self):
        self.world.run(*self.words(), check=0)
        self.between(0, None)
        left = [name for folder, _, names in os.walk(self.world.home) for name in names
                if "rekeying" in name]
        hold(not left, f"left beside: {left}")


class Leaving(Kind):
    def __init__(self, build):
        self.departure = Departure(build)
        self.world = self.departure.world
        self.fresh()
        self.usual = Disturber(self.world, None).calls(self.words())

    def fresh(self):
        self.departure.fresh()
        self.leaving = False

    def words(self):
        return self.departure.words

    def words_again(self):
        return ["resume"] if self.leaving else self.departure.words

    def between(self, status, _):
        self.departure.mend(False)
        self.leaving = self.departure.check_between()

    def end(self):
        self.departure.go_on(self.leaving)
        self.departure.check_end()


KINDS = {"rotation": Rotation, "rekey": Rekey, "departure": Leaving}
TURNS = ["rotation"] * 12 + ["rekey"] * 7 + ["departure"]
COST = {"rotation": 1, "rekey": 1, "departure": 5}


def work(build, trials):
    """A share of the trials, in a process of its own: [(kind, disturbed how often, why not)]"""
    worlds, rows = {}, []
    try:
        for kind, seed in trials:
            if kind not in worlds:
                worlds[kind] = KINDS[kind](build)
            met, wrong = 0, None
            try:
                met = worlds[kind].trial(random.Random(f"{kind}:{seed}"))
            except (Wrong, AssertionError, RuntimeError, OSError, KeyError, ValueError,
                    subprocess.SubprocessError) as why:
                at = traceback.extract_tb((why.__cause__ or why).__traceback__)[-1]
                wrong = f"--trial {kind}:{seed}: {at.name}: {why}"
                print("FAILED", wrong, file=sys.stderr, flush=True)
            rows.append((kind, met, wrong))
    finally:
        for world in worlds.values():
            world.close()
    return rows


def plan(options):
    if options.trial:
        return [tuple(options.trial.split(":"))]
    turns = [kind for kind in TURNS if not options.only or kind in options.only]
    return [(turns[number % len(turns)], str(options.seed + number))
            for number in range(options.pairs)]


def shares(trials, workers):
    """One for each worker, that take about as long, and of few kinds: each needs a world."""
    ordered = sorted(trials, key=lambda trial: list(KINDS).index(trial[0]))
    whole = sum(COST[kind] for kind, _ in ordered)
    found, done = [[] for _ in range(workers)], 0
    for trial in ordered:
        found[done * workers // whole].append(trial)
        done += COST[trial[0]]
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--pairs", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=6)
    parser.add_argument("--only", nargs="+", choices=list(KINDS))
    parser.add_argument("--trial", help="KIND:SEED, as a failure names it")
    options = parser.parse_args()
    if not stops.CALLS or not shutil.which("strace"):
        print("no strace, or the numbers of this machine's system calls are not known",
              file=sys.stderr)
        return 77
    machine.alone(must=False)
    trials = plan(options)
    counts = collections.Counter()
    with concurrent.futures.ProcessPoolExecutor(options.workers) as pool:
        futures = [pool.submit(work, options.build, share)
                   for share in shares(trials, options.workers)]
        for future in futures:
            for kind, met, wrong in future.result():
                for name in (kind, "all"):
                    counts[name, "tried"] += 1
                    counts[name, "survived"] += not wrong
                    counts[name, "twice"] += met >= 2
    for name in [*KINDS, "all"]:
        if counts[name, "tried"]:
            print(f"{name}: tried {counts[name, 'tried']} survived {counts[name, 'survived']}, "
                  f"{counts[name, 'twice']} disturbed twice")
    tried, survived = counts["all", "tried"], counts["all", "survived"]
    record("5.12", "pairs", tried, survived, twice=counts["all", "twice"])
    if not options.trial and counts["all", "twice"] < tried * 0.5:
        print("too few were disturbed twice for this to mean much", file=sys.stderr)
        return 1
    return 0 if tried == survived else 1


if __name__ == "__main__":
    sys.exit(main())
