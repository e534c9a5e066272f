#!/usr/bin/env python3
"""A handover killed at every step, and under errors of the system and of OVH.

    handover_campaign.py BUILD kills|faults [--all] [--count N] [--workers N] [--only TEXT]

The story is in support/handover_story.py: what each step is, what holds at every moment, and what
the step must leave.

  kills   each command is killed at one of the system calls that it really makes (support/kills.py);
  faults  one of those calls of `issue`, `next`, `contacts` and `close` fails, or a fault of the
          simulator meets one of the calls to OVH that they make.

Then the vault opens and its journal verifies, `handover status` answers, nothing that the client
needs is lost, no half of a trousseau stands under its name, the envelope's key opens what is
current or the envelope is due, and the other client is as before. What failed said so, with a code
that passation(1) knows. The same command again ends it; every few trials the handover goes on to
its end from there: our keys gone at OVH, our copies gone here and in the backup, the last
statements written and signed, every password in the trousseau that was confirmed.

Prints tried/survived, for each step. Exit 1 if one did not survive, or if too few were tried.
"""

import argparse
import collections
import json
import os
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from support import kills  # noqa: E402
from support.campaign import Campaign, hold, kinds_for, pattern, rule_of, spread  # noqa: E402
from support.handover_story import PATIENCE_S, STEPS, Story  # noqa: E402
from support.record import record  # noqa: E402

# What changes a file or a folder, or goes to another machine or program.
WRITES = ["connect", "sendto", "write", "pwrite64", "fdatasync", "fsync", "ftruncate", "rename",
          "renameat", "link", "linkat", "unlink", "unlinkat", "rmdir", "mkdir"]

# More of them where more than one transaction, or a secret, is on its way.
SHARES = {"close": 6, "create": 3, "next": 3, "contacts": 3, "issue": 2, "update": 2}
SHARE = 2

# Steps of which one trial goes on to the end in the usual run; making a trousseau takes its time.
ENDED = ["start", "create", "issue", "confirm", "contacts"]

# At the same call: these, one after the other.
ERRORS = {"write": ["ENOSPC", "EIO"], "pwrite64": ["ENOSPC", "EIO"], "fdatasync": ["EIO"],
          "fsync": ["EIO", "ENOSPC"], "ftruncate": ["EIO"], "rename": ["EACCES", "ENOSPC"],
          "link": ["EACCES"], "linkat": ["EACCES", "ENOSPC"], "unlink": ["EACCES"],
          "unlinkat": ["EACCES"], "rmdir": ["EACCES"], "mkdir": ["ENOSPC", "EACCES"],
          "openat": ["EACCES", "EMFILE"], "connect": ["ENETUNREACH"], "sendto": ["EPIPE"]}
FAULTED = ["issue", "contacts", "next", "close"]
KINDS = ["lost_before", "lost_after", "409", "429", "500", "503", "5xx_after", "slow", "404",
         "403", "truncated", "not_json", "wrong_types"]

LAST_CODE = 13  # of passation(1), EXIT STATUS

# How many the usual run makes, in all, and of each step at least.
FLOORS = {"kills": (25, 2), "faults": (12, 2)}
USUAL = {"kills": 1, "faults": 16}


# --- kills ---

def calls_of(story, step, names):
    """The calls of a whole run of the step, which must succeed."""
    story.fresh(step)
    with story.typed(step) as (words, fds):
        code, stderr, calls = kills.traced(story.world, words, PATIENCE_S, names, fds)
    hold(code == 0, f"{step} without any disturbance: exit {code}: {stderr}")
    return calls


def some(rows, count):
    """So many of them, evenly spread; 0: all."""
    if not count or count >= len(rows):
        return rows
    return [rows[int((n + 0.5) * len(rows) / count)] for n in range(count)]


def kill_jobs(story, count):
    jobs = []
    for step in STEPS:
        calls = calls_of(story, step, WRITES)
        places = some(range(len(calls)), count and SHARES.get(step, SHARE) * count)
        wheres = list(dict.fromkeys(kills.point(calls, place) for place in places))
        # Some go on to the end: in the long run each twelfth.
        for number, where in enumerate(wheres):
            on = number % 12 == 0
            if count:
                on = step in ENDED and number == len(wheres) // 2
            jobs.append((step, where, on))
    return jobs


def kill_trial(story, job, result):
    step, where, goes_on = job
    story.fresh(step)
    with story.typed(step) as (words, fds):
        is_cut, _ = kills.killed_at(story.world, words, where, PATIENCE_S, fds)
    result[step + " cut"] += is_cut
    story.world.control("POST", "/task/run", {})
    story.check_between()
    end(story, step, goes_on, result)


def end(story, step, goes_on, result):
    story.again(step)
    story.check_after(step)
    if goes_on and step != "import":
        story.finish(step)
        result["ended"] += 1


# --- faults ---

def ovh_jobs(story, step):
    """(fault's name, rule) of each kind of call that the step makes."""
    story.fresh(step)
    before = story.world.control("GET", "/state")["counters"]
    story.run(step, check=True)
    found = collections.Counter((row["method"], pattern(row["path"]))
                                for row in story.world.control("GET", "/log")["log"])
    after = story.world.control("GET", "/state")["counters"]
    logins = sum(after[name] - before[name] for name in ("logins_accepted", "logins_refused"))
    if logins:
        found["IMAP", "*"] = logins
    for (method, path), times in found.items():
        kinds = kinds_for(method, path)
        for kind in kinds if method == "IMAP" else [one for one in KINDS if one in kinds]:
            for nth in sorted({1, times}):
                yield kind, rule_of(method, path, kind, nth=nth)


def fault_jobs(story, count):
    jobs = []
    share = count // len(FAULTED) // 2
    for step in FAULTED:
        calls = calls_of(story, step, list(ERRORS))
        wheres = list(dict.fromkeys(kills.point(calls, place) for place in
                                    some(range(len(calls)), share)))
        errors = [(where, ERRORS[where[0]]) for where in wheres]
        jobs += [(step, "system", (where, error), number % 6 == 3)
                 for number, (where, names) in enumerate(errors)
                 for error in (names if not count else [names[number % len(names)]])]
        rows = list(ovh_jobs(story, step))
        jobs += [(step, "ovh", row, number % 12 == 3)
                 for number, row in enumerate(spread(rows, share) if count else rows)]
    return jobs


def fault_trial(story, job, result):
    step, kind, (what, how), goes_on = job
    story.fresh(step)
    world = story.world
    if kind == "ovh":
        world.control("POST", "/faults", how)
        code, stderr = story.run(step)
        struck = any(row["used"] for row in world.control("GET", "/faults")["faults"])
    else:
        with story.typed(step) as (words, fds):
            code, stderr = kills.injected(world, words, what, "error=" + how, PATIENCE_S, fds)
        struck = True
    result[step + " met"] += struck
    result["went through"] += code == 0
    hold(0 <= code <= LAST_CODE, f"exit {code}: {stderr.strip()}")
    hold(code in (0, 12) or "error: " in stderr, f"exit {code} without a word: {stderr.strip()}")
    story.mend()
    story.check_between()
    end(story, step, goes_on, result)


# --- many of them ---

class Steps(Campaign):
    def one(self, world, job):
        survived = super().one(world, job)
        with self.lock:
            self.result[job[0] + " tried"] += 1
            self.result[job[0] + " survived"] += survived


def report(options, campaign, began):
    """Prints it; [what is too little]."""
    result, short = campaign.result, []
    floor, floor_of_step = FLOORS[options.campaign]
    for failure in campaign.failures:
        print("FAILED", failure, file=sys.stderr)
    for step in STEPS if options.campaign == "kills" else FAULTED:
        tried, met = result[step + " tried"], result[step + " cut"] + result[step + " met"]
        print(f"handover {options.campaign}: {step}: tried {tried} survived "
              f"{result[step + ' survived']}; met {met}")
        if tried < floor_of_step or met < (0.6 * tried if tried > 4 else 1):
            short.append(f"{step}: {tried}, of which {met} were met")
    print(f"handover {options.campaign}: tried {result['tried']} survived {result['survived']}; "
          f"{result['ended']} to the end; {time.monotonic() - began:.0f} s")
    record("5.1", f"handover, {options.campaign}", result["tried"], result["survived"])
    if result["tried"] < floor:
        short.append(f"tried {result['tried']}, at least {floor} are asked for")
    return [] if options.only or options.count else short


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("campaign", choices=FLOORS)
    parser.add_argument("--all", action="store_true", help="each call, each fault at each call")
    parser.add_argument("--count", type=int, help="more of them: so many times the usual kills, "
                                                  "or so many faults")
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--only", help="trials whose description holds this text")
    options = parser.parse_args()
    if not shutil.which("strace"):
        print("no strace", file=sys.stderr)
        return 77
    find_jobs, trial = {"kills": (kill_jobs, kill_trial),
                        "faults": (fault_jobs, fault_trial)}[options.campaign]
    count = 0 if options.all else options.count or USUAL[options.campaign]

    began = time.monotonic()
    story = Story(options.build)
    try:
        jobs = find_jobs(story, count)
    except BaseException:
        story.close()
        raise
    jobs = [job for job in jobs if not options.only or options.only in json.dumps(job)]
    campaign = Steps(options.workers, lambda: Story(options.build), trial)
    campaign.run(story, jobs)
    short = report(options, campaign, began)
    for what in short:
        print("too few to mean much:", what, file=sys.stderr)
    return 1 if short or campaign.failures or not campaign.result["tried"] else 0


if __name__ == "__main__":
    sys.exit(main())
