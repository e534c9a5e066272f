#!/usr/bin/env python3
"""Which lines and branches of src/ the tests take: of a build with the preset `coverage`, after its
tests ran.

    coverage.py BUILD [--list]

Prints a row for each folder; with --list also each file, with the lines that no test ran. A branch
that only a failed allocation takes (`PSN_E_NOMEM`) counts like any other.
"""

import collections
import concurrent.futures
import gzip
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, os.path.join(HERE, ".."))
from support.record import record  # noqa: E402


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


class Totals:
    """Per source file and line: how often it ran, and how often each of its branches was taken.
    A file that is compiled twice has its best counts."""

    def __init__(self):
        self.lines = collections.defaultdict(dict)
        self.branches = collections.defaultdict(dict)

    def add(self, file):
        path = os.path.relpath(os.path.join(ROOT, file["file"]), ROOT)
        if not path.startswith("src/") or not path.endswith(".c"):
            return
        for line in file["lines"]:
            number = line["line_number"]
            self.lines[path][number] = self.lines[path].get(number, 0) + line["count"]
            for at, branch in enumerate(line["branches"]):
                if branch["throw"]:
                    continue
                key = number, at
                self.branches[path][key] = self.branches[path].get(key, 0) + branch["count"]


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


def main():
    build = os.path.abspath(sys.argv[1])
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
    return 0 if folders else 1


if __name__ == "__main__":
    sys.exit(main())
