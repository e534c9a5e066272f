#!/usr/bin/env python3
"""Which lines and branches of src/ the tests take: of a build with the preset `coverage`, after its
tests ran.

    coverage.py BUILD [--list]
    coverage.py BUILD --measure [CTEST ARGUMENT…]
    coverage.py --check

Prints a row for each folder; with --list also each file, with the lines that no test ran. Then what
is missing in the files that are to be tried whole, but for what uncovered_explained.txt explains;
exit 1 if there is any. --measure first forgets what ran, and runs all tests, and the fault sweep at
each place that calls what can fail: for half an hour or more. --check: only whether the lines that
are explained still stand.

A branch that only a failed allocation takes (`PSN_E_NOMEM`) counts like any other. Of an assertion
the way by which it fails does not: that there is none is what it says.
"""

import collections
import concurrent.futures
import gzip
import json
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, os.path.join(HERE, ".."))
from support.record import record  # noqa: E402

EXPLAINED = os.path.join(HERE, "uncovered_explained.txt")

# Of these every branch is asked for: age, the state machine, sealing, the escapers.
WHOLE = ("src/age/", "src/core/rotation_machine.c", "src/core/rotation_state.c",
         "src/core/rotation_turn.c", "src/crypto/seal.c", "src/base/text.c",
         "src/base/json_quote.c", "src/interop/xml_text.c")


def read(counts):
    """gcov's JSON of one file of counts: the files of ours that it tells of."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["gcov", "--json-format", "--branch-probabilities", counts], cwd=folder,
                       capture_output=True, check=False)
        for name in os.listdir(folder):
            with gzip.open(os.path.join(folder, name), "rt", encoding="utf-8") as file:
                told = json.load(file)
            for row in told["files"]:
                path = os.path.join(told["current_working_directory"], row["file"])
                if not os.path.exists(path):  # named from the root by -ffile-prefix-map
                    path = os.path.join(ROOT, row["file"])
                yield {**row, "file": path}


def assertions(path):
    """The numbers of the lines of a source on which its assertions stand."""
    found, inside = set(), False
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            inside = inside or re.match(r"\s*assert\(", line) is not None
            if inside:
                found.add(number)
                inside = not line.split("/*")[0].rstrip().endswith(";")
    return found


class Totals:
    """Per source file and line: how often it ran, and how often each of its branches was taken.
    A file that is compiled twice has its best counts."""

    def __init__(self):
        self.lines = collections.defaultdict(dict)
        self.branches = collections.defaultdict(dict)
        self.asserted = {}

    def add(self, file):
        path = os.path.relpath(os.path.join(ROOT, file["file"]), ROOT)
        if not path.startswith("src/") or not path.endswith(".c"):
            return
        if path not in self.asserted:
            self.asserted[path] = assertions(os.path.join(ROOT, path))
        for line in file["lines"]:
            number = line["line_number"]
            self.lines[path][number] = self.lines[path].get(number, 0) + line["count"]
            for at, branch in enumerate(line["branches"]):
                if branch["throw"] or number in self.asserted[path]:
                    continue
                key = number, at
                self.branches[path][key] = self.branches[path].get(key, 0) + branch["count"]


def explained():
    """(file, line as it stands) of the branches of which it is said why none takes them."""
    with open(EXPLAINED, encoding="utf-8") as file:
        text = "".join(line for line in file if not line.startswith("#"))
    return [tuple(part.split("\n")[:2]) for part in text.strip().split("\n\n")]


def check():
    lost = []
    for path, line in explained():
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            if line not in (one.strip() for one in file):
                lost.append(f"{path}: {line}")
    for one in lost:
        print("explained, and not there any more:", one, file=sys.stderr)
    return 1 if lost else 0


def missing_of_whole(totals):
    """Prints it; how many branches nobody explains."""
    known, taken, of, told, missing = set(explained()), 0, 0, 0, []
    for path in sorted(totals.branches):
        if not path.startswith(WHOLE):
            continue
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            source = [line.strip() for line in file]
        for (number, _), count in sorted(totals.branches[path].items()):
            of += 1
            taken += count > 0
            if not count and (path, source[number - 1]) in known:
                told += 1
            elif not count:
                missing.append(f"{path}:{number}: {source[number - 1]}")
    print(f"to be whole: {taken} of {of} branches, {told} explained, {len(missing)} missing")
    for one in missing:
        print("  " + one)
    return len(missing)


def share(counts):
    return sum(count > 0 for count in counts.values()), len(counts)


def gaps(lines):
    """The numbers of lines that never ran, in runs: 12-15, 20."""
    missing = sorted(number for number, count in lines.items() if not count)
    runs = []
    for number in missing:
        if runs and number - runs[-1][1] <= 2:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ", ".join(f"{a}-{b}" if a != b else str(a) for a, b in runs)


def measure(build, words):
    """Runs what is to be counted. Some tests look at each call of the program, of which those that
    write the counts are none of theirs: that they fail in such a build says nothing."""
    for folder, _, names in os.walk(build):
        for name in names:
            if name.endswith(".gcda"):
                os.unlink(os.path.join(folder, name))
    quiet = {name: value for name, value in os.environ.items() if name != "PASSATION_RECORD"}
    jobs = str(os.cpu_count() or 1)
    for run in (["ctest", "--test-dir", build, "-j" + jobs, "-LE", "style|bench", "-E",
                 "^fault-sweep", *words],
                [os.path.join(build, "tests", "fault_sweep"), "--sites", "--workers", jobs]):
        subprocess.run(run, env=quiet, check=False)


def main():
    if sys.argv[1:] == ["--check"]:
        return check()
    build = os.path.abspath(sys.argv[1])
    if sys.argv[2:3] == ["--measure"]:
        measure(build, sys.argv[3:])
    found = [os.path.join(folder, name) for folder, _, names in os.walk(os.path.join(build, "src"))
             for name in names if name.endswith(".gcda")]
    totals = Totals()
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for files in pool.map(lambda one: list(read(one)), found):
            for file in files:
                totals.add(file)
    folders = collections.defaultdict(lambda: [0, 0, 0, 0])
    for path in sorted(totals.lines):
        row = [*share(totals.lines[path]), *share(totals.branches[path])]
        folder = folders[os.path.dirname(path)]
        for at, value in enumerate(row):
            folder[at] += value
        if "--list" in sys.argv:
            print(f"{path}: {row[2]} of {row[3]} branches; lines never run: "
                  f"{gaps(totals.lines[path]) or 'none'}")
    for name, (ran, lines, taken, branches) in sorted(folders.items()):
        print(f"{name:14} {ran:6} of {lines:6} lines {100 * ran / max(lines, 1):5.1f} %   "
              f"{taken:6} of {branches:6} branches {100 * taken / max(branches, 1):5.1f} %")
        record("coverage", f"lines of {name}", lines, ran)
        record("coverage", f"branches of {name}", branches, taken)
    return 1 if missing_of_whole(totals) or not folders else 0


if __name__ == "__main__":
    sys.exit(main())
