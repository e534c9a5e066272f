#!/usr/bin/env python3
"""The campaigns, their records and the report. scripts/prove builds what this runs.

    prove.py BUILD --quick [--all] [CTEST ARGUMENT…]
                            every class in small: what is labelled `proof` in ctest; with --all the
                            other tests of the programs, too
    prove.py BUILD [--step NAME]… [--again] [--minutes N]
                            the release's campaign, step by step; a step that was finished at this
                            state of the sources is not run again without --again
    prove.py --report       writes docs/proof.md from the records
    prove.py --check        exit 1 if the page is not what the records say, or a class is silent
"""

import argparse
import datetime
import json
import os
import subprocess
import sys
import time

import records
import report
from steps import STEPS

HERE = os.path.dirname(os.path.abspath(__file__))


def say(text):
    print(text, flush=True)


def rows_of(path, **more):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%MZ")
    state = records.source()
    return [{**row, "source": state, "on": now, **more} for row in records.read(path)]


def quick(build, words):
    place = os.path.join(build, "proof-quick.jsonl")
    if os.path.exists(place):
        os.unlink(place)
    began = time.monotonic()
    words = list(words)
    which = ["-L", "proof"]
    if "--all" in words:
        words.remove("--all")
        which = ["-LE", "unit"]
    jobs = 5 * (os.cpu_count() or 1)  # most of them wait more than they work
    done = subprocess.run(["ctest", "--test-dir", build, "--output-on-failure", f"-j{jobs}", *which,
                           *words], env={**os.environ, "PASSATION_RECORD": place})
    found = records.added_up(rows_of(place))
    for row in found:
        print(f"{row['class']:6} {row['part']}: tried {row['tried']} survived {row['survived']}")
    say(f"{report.sentence(found)}; {time.monotonic() - began:.0f} s")
    missing = report.complaints(found, lambda row: row.quick) if not words else []
    # Some classes need root: without it their tests are skipped.
    is_whole = os.geteuid() == 0
    for what in missing:
        print("FAILED" if is_whole else "not tried here:", what, file=sys.stderr)
    return 1 if done.returncode or (missing and is_whole) else 0


class Progress:
    """Which steps were finished at which state of the sources."""

    def __init__(self, build):
        self.path = os.path.join(build, "proof-done.json")
        self.state = records.source()
        self.done = {}
        if os.path.exists(self.path):
            with open(self.path, encoding="utf-8") as file:
                self.done = json.load(file)

    def has(self, name):
        return name in self.done.get(self.state, [])

    def finish(self, name):
        self.done.setdefault(self.state, []).append(name)
        with open(self.path + ".new", "w", encoding="utf-8") as file:
            json.dump(self.done, file)
        os.replace(self.path + ".new", self.path)


def one_step(build, step):
    """Runs it, and keeps what it recorded, also of one that failed. True if it went well."""
    place = os.path.join(build, "proof-step.jsonl")
    state = records.source()  # as it is tried; it may be another one when that is over
    if step.goes_on:
        place = os.path.join(build, f"proof-{step.name}-{state}.jsonl")
    elif os.path.exists(place):
        os.unlink(place)
    say(f"== {step.name}")
    began = time.monotonic()
    names = {"build": build, "tests": os.path.join(HERE, ".."), "record": place,
             "seed": str(time.time_ns() % 2**31)}
    words = [word.format(**names) for word in step.words]
    done = subprocess.run(words, env={**os.environ, **step.env, "PASSATION_RECORD": place})
    if done.returncode == 77:
        say(f"{step.name}: skipped on this machine")
        return True
    # Cases that are drawn anew each time add up; others replace what was recorded of them.
    case = {"case": names["seed"]} if step.draws else {}
    records.keep(rows_of(place, source=state, **case))
    say(f"{step.name}: exit {done.returncode}, {time.monotonic() - began:.0f} s")
    return done.returncode == 0


def campaign(build, options):
    progress, failed = Progress(build), []
    end = time.monotonic() + options.minutes * 60 if options.minutes else None
    for step in STEPS:
        if options.step and step.name not in options.step:
            continue
        if progress.has(step.name) and not options.again:
            say(f"== {step.name}: done at these sources")
            continue
        if end and time.monotonic() > end:
            say("the time is over; the same command goes on")
            break
        if one_step(build, step):
            progress.finish(step.name)
        else:
            failed.append(step.name)
    write_report()
    for name in failed:
        print("FAILED", name, file=sys.stderr)
    return 1 if failed else 0


def write_report():
    with open(report.PAGE, "w", encoding="utf-8") as file:
        file.write(report.written())


def check():
    with open(report.PAGE, encoding="utf-8") as file:
        if file.read() != report.written():
            print("docs/proof.md is not what the records say: scripts/prove --report",
                  file=sys.stderr)
            return 1
    silent = report.silent(records.read())
    for row in silent:
        print(f"{row.number} {row.title}: nothing was ever tried", file=sys.stderr)
    return 1 if silent else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", nargs="?")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--report", action="store_true")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--step", action="append", choices=[step.name for step in STEPS])
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--minutes", type=float)
    options, rest = parser.parse_known_args()
    if options.report:
        write_report()
        return 0
    if options.check:
        return check()
    if not options.build:
        parser.error("which build?")
    build = os.path.abspath(options.build)
    if options.quick:
        return quick(build, rest)
    if rest:
        parser.error("unknown: " + " ".join(rest))
    return campaign(build, options)


if __name__ == "__main__":
    sys.exit(main())
