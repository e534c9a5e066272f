#!/usr/bin/env python3
"""Mutants: would the tests notice? One token of one line is changed, and the unit's tests run.

    mutate.py [--count N] [--seed S] [--only FILE] [--record FILE] [--workers W]
                draws N mutants and tries them; a draw that FILE has in part is gone on with
    mutate.py --retry [--workers W]
                tries again what is alive in docs/proof/records.jsonl, at the sources and tests as
                they lie there; what the draw counted stays
    mutate.py --check
                exit 1 if tests/proof/mutants_explained.txt explains what is not there

The units are those where a wrong bit loses or shows a password: the rotation's machine, sealing,
derivation, the tree of hashes, the journal, age, signatures, the escaper, addresses. A mutant is
killed when it does not build with our warnings, a test fails under the sanitizers, or one runs ten
times too long. What compiles to the same machine code is no mutant: another is drawn. A survivor is
explained by tests/proof/mutants_explained.txt, or it is alive: docs/proof.md names it.
"""

import argparse
import collections
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import mutants
import records
from mutants import ROOT, UNITS

KILLED, SAME, EXPLAINED, ALIVE = "killed", "same code", "explained", "alive"
SINCE = {KILLED: "killed_since", EXPLAINED: "explained_since"}


class Nest:
    """A copy of the tree with a build of its own, where one mutant lives at a time."""

    def __init__(self, folder):
        self.folder = folder
        self.build = os.path.join(folder, "build")
        self.running = None
        self.seconds = {}
        self.same = {}
        for name in ("CMakeLists.txt", "CMakePresets.json", "VERSION", "src", "include", "tests",
                     "scripts", "docs", "dist", "LICENSE"):
            place = os.path.join(ROOT, name)
            if os.path.isdir(place):
                shutil.copytree(place, os.path.join(folder, name),
                                ignore=shutil.ignore_patterns("node_modules"))
            elif os.path.exists(place):
                shutil.copy2(place, folder)
        os.mkdir(os.path.join(folder, "tmp"))
        self.env = {**os.environ, "PASSATION_TEST_PASSWORDS": "20000",
                    "TMPDIR": os.path.join(folder, "tmp")}
        self.env.pop("PASSATION_RECORD", None)

    def call(self, *words, seconds=600):
        self.running = subprocess.Popen(words, stdout=subprocess.DEVNULL, env=self.env,
                                        stderr=subprocess.DEVNULL, cwd=self.folder,
                                        start_new_session=True)
        try:
            return self.running.wait(seconds)
        except subprocess.TimeoutExpired:
            self.stop()
            return -1

    def stop(self):
        """Ends what runs, and all that it has started."""
        if self.running and self.running.poll() is None:
            os.killpg(self.running.pid, signal.SIGKILL)
            self.running.wait()

    def make(self, test, seconds=600):
        return self.call("cmake", "--build", self.build, "--target", test, seconds=seconds)

    def run(self, test):
        return self.call(os.path.join(self.build, "tests", test),
                         seconds=self.seconds.get(test, 600))

    def prepare(self, units):
        """Builds the tests, and sees how long each one takes when nothing is wrong."""
        self.call("cmake", "-S", self.folder, "-B", self.build, "-G", "Ninja",
                  "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS_DEBUG=-g0",
                  "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON", "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON",
                  "-DPASSATION_SANITIZE=address,undefined", "-DPASSATION_PAGE=OFF")
        for test in sorted({test for unit in units for test in UNITS[unit]}):
            if self.make(test, 3000):
                raise RuntimeError(f"{test} does not build without a mutant")
            began = time.monotonic()
            if self.run(test):
                raise RuntimeError(f"{test} fails without a mutant")
            self.seconds[test] = 10 + 10 * (time.monotonic() - began)
        with open(os.path.join(self.build, "compile_commands.json"), encoding="utf-8") as file:
            lines = {os.path.relpath(one["file"], self.folder): one["command"].split()
                     for one in json.load(file)}
        self.commands = {unit: lines[unit] for unit in units}

    def code(self, path):
        """The machine code of a unit, as a release has it; None if it does not compile."""
        into = os.path.join(self.folder, "code.o")
        words = [word for word in self.commands[path] if not word.startswith("-fsanitize")]
        words[words.index("-o") + 1] = into
        if self.call("sh", "-c", 'cd "$1" && shift && exec "$@" -O2 -g0', "sh", self.build, *words):
            return None
        with open(into, "rb") as file:
            return file.read()

    def tried(self, mutant):
        """Whether it is killed, alive, or no mutant at all."""
        place = os.path.join(self.folder, mutant.path)
        with open(place, encoding="utf-8") as file:
            before = file.read()
        if mutant.path not in self.same:
            self.same[mutant.path] = self.code(mutant.path)
        lines = before.split("\n")
        line = lines[mutant.number]
        lines[mutant.number] = line[:len(line) - len(line.lstrip())] + mutant.becomes
        try:
            with open(place, "w", encoding="utf-8") as file:
                file.write("\n".join(lines))
            for test in UNITS[mutant.path]:
                if self.make(test) or self.run(test):
                    return KILLED
            return SAME if self.code(mutant.path) == self.same[mutant.path] else ALIVE
        finally:
            with open(place, "w", encoding="utf-8") as file:
                file.write(before)


class Trial:
    """Mutants, in the order in which they are drawn, and what became of each."""

    def __init__(self, drawn, wanted, known=()):
        self.drawn, self.wanted = drawn, wanted
        self.outcomes = {mutant: outcome for mutant, outcome in known}
        self.explained = mutants.explained()
        self.lock = threading.Lock()
        self.taken = set(self.outcomes)
        self.failed = None

    def count(self):
        return sum(outcome != SAME for outcome in self.outcomes.values())

    def next(self):
        """The next one; as many are on their way as are still wanted."""
        with self.lock:
            under_way = len(self.taken) - len(self.outcomes)
            if self.failed or self.count() + under_way >= self.wanted:
                return None
            mutant = next((one for one in self.drawn if one not in self.taken), None)
            if mutant:
                self.taken.add(mutant)
            return mutant

    def put(self, mutant, outcome):
        if outcome == ALIVE and mutant.name() in self.explained:
            outcome = EXPLAINED
        with self.lock:
            self.outcomes[mutant] = outcome
            if outcome == ALIVE:
                print(f"alive: {mutant.written()}", flush=True)
            if outcome == KILLED and mutant.name() in self.explained:
                print(f"explained, but killed: {mutant.written()}", flush=True)
        return outcome

    def run(self, workers, after=lambda mutant, outcome: None):
        """Tries all that are wanted. after() is told of each, one at a time."""
        units = sorted({mutant.path for mutant in self.drawn if mutant not in self.outcomes})
        nests = []

        def work(folder):
            try:
                nest = Nest(folder)
                nests.append(nest)
                nest.prepare(units)
                while mutant := self.next():
                    outcome = nest.tried(mutant)
                    if self.failed:  # it was stopped, and is not killed by that
                        return
                    outcome = self.put(mutant, outcome)
                    with self.lock:
                        after(mutant, outcome)
            except Exception as error:  # the other workers stop, too
                self.failed = error

        with tempfile.TemporaryDirectory(prefix="psn-mutants-",
                                         ignore_cleanup_errors=True) as place:
            folders = [os.path.join(place, str(number)) for number in range(workers)]
            threads = [threading.Thread(target=work, args=(folder,), daemon=True)
                       for folder in folders]
            try:
                for folder, thread in zip(folders, threads):
                    os.mkdir(folder)
                    thread.start()
                for thread in threads:
                    thread.join()
            finally:
                self.failed = self.failed or (sys.exc_info()[1])
                for nest in nests:
                    nest.stop()
        if self.failed:
            raise self.failed

    def print(self):
        tally = collections.defaultdict(collections.Counter)
        for mutant, outcome in self.outcomes.items():
            tally[mutant.path][outcome] += 1
        for path, some in sorted(tally.items()):
            print(f"{path}: " + ", ".join(f"{some[of]} {of}" for of in
                                          (KILLED, EXPLAINED, ALIVE, SAME) if some[of]))
        every = sum(tally.values(), collections.Counter())
        print(f"{every[KILLED]} of {self.count()} mutants killed, {every[EXPLAINED]} explained, "
              f"{every[ALIVE]} alive")


def row_of(mutant, outcome, case):
    """A line of a record: of one mutant."""
    row = {"class": "5.16", "part": mutant.part(), "case": case, "tried": int(outcome != SAME),
           "survived": int(outcome == KILLED), "explained": int(outcome == EXPLAINED),
           "mutant": list(mutant.name()), "line": mutant.number + 1}
    return row


def outcome_of(row):
    return (KILLED if row["survived"] else EXPLAINED if row["explained"] else
            ALIVE if row["tried"] else SAME)


def drawn(seed, only):
    every = [mutant for path in UNITS if not only or path == only
             for mutant in mutants.candidates(path)]
    random.Random(seed).shuffle(every)
    return every


def is_whole(trial):
    return trial.count() >= trial.wanted or len(trial.outcomes) == len(trial.drawn)


def known_of(every, rows):
    by_name = {mutant.name(): mutant for mutant in every}
    for row in rows:
        mutant = by_name.get(tuple(row["mutant"]))
        if mutant:
            yield mutant, outcome_of(row)


def draw(options):
    """A draw, or the rest of the one that the record has in part."""
    rows = records.read(options.record) if options.record else []
    trial = None
    if rows:
        seed = int(rows[-1]["case"])
        every = drawn(seed, options.only)
        trial = Trial(every, options.count, known_of(every, rows))
        if is_whole(trial):  # it was kept: the record begins anew
            os.unlink(options.record)
            trial = None
    if not trial:
        seed = options.seed
        trial = Trial(drawn(seed, options.only), options.count)

    def after(mutant, outcome):
        if options.record:
            with open(options.record, "a", encoding="utf-8") as file:
                file.write(json.dumps(row_of(mutant, outcome, str(seed))) + "\n")

    trial.run(options.workers, after)
    trial.print()
    return 0


def put_since(rows, outcomes):
    """Writes into rows of draws what became of those that were alive: {name: (mutant, outcome)}.
    Who is not among them is gone with its line; what a draw counted stays."""
    for row in rows:
        alive, row["alive"] = row["alive"], []
        for one in alive:
            mutant, outcome = outcomes.get(tuple(one["mutant"]), (None, SAME))
            if outcome in SINCE:
                row[SINCE[outcome]] = row.get(SINCE[outcome], 0) + 1
            elif outcome == ALIVE:
                row["alive"].append({**one, "line": mutant.number + 1})


def retry(options):
    """What is alive in the records is tried again."""
    rows = [row for row in records.read() if row.get("alive")]
    there = mutants.there_are()
    names = {tuple(one["mutant"]) for row in rows for one in row["alive"]}
    again = [there[name] for name in sorted(names & set(there))]
    trial = Trial(again, len(again))
    if again:
        trial.run(options.workers)
    put_since(rows, {mutant.name(): (mutant, outcome)
                     for mutant, outcome in trial.outcomes.items()})
    records.replace(rows)
    print(f"{len(names) - len(again)} are gone with their lines")
    trial.print()
    return 0


def check():
    unknown = set(mutants.explained()) - set(mutants.there_are())
    for name in sorted(unknown):
        print(f"explained, but there is no such mutant: {name}", file=sys.stderr)
    return 1 if unknown else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=UNITS)
    parser.add_argument("--record")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--retry", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # what runs is ended, too
    if options.check:
        return check()
    return retry(options) if options.retry else draw(options)


if __name__ == "__main__":
    sys.exit(main())
