#!/usr/bin/env python3
"""The proof of how fast passation is: measured, printed, and written into a page.

    bench.py BUILD [--quick] [--parts daily,people,…] [--mailboxes N] [--rounds N]
             [--page FILE] [--results FILE]

What is measured is kept in the results file, so that one part can be measured again; the page is
made of all of it. --quick leaves 100 000 out, and makes small rotations. Without --page nothing is
written. scripts/bench builds and installs what it takes.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile

import machine
import page
from measure import PARTS, measure


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=os.path.abspath)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--parts", default=",".join(PARTS))
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--mailboxes", type=int, help="of a bulk rotation")
    parser.add_argument("--page")
    parser.add_argument("--results")
    options = parser.parse_args()
    options.sizes = [10, 1000, 10000] if options.quick else [10, 1000, 10000, 100000]
    options.imports = [10000] if options.quick else [10000, 100000]
    options.mailboxes = options.mailboxes or (200 if options.quick else 1000)
    options.pass_count = 100 if options.quick else 1000
    options.rounds = options.rounds or (12 if options.quick else 30)
    options.parts = options.parts.split(",")
    options.results = options.results or os.path.join(options.build, "bench.json")
    if not set(filter(None, options.parts)) <= set(PARTS):
        parser.error("parts: " + ", ".join(PARTS))
    return options


def main():
    options = parse()
    results = {}
    if os.path.exists(options.results):
        with open(options.results, encoding="utf-8") as file:
            results = json.load(file)
    for part in filter(None, options.parts):
        folder = tempfile.mkdtemp(prefix="psn-b-")
        try:
            results[part] = measure(part, options, folder)
            results["machine"] = machine.description(folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        with open(options.results, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    text = page.compose(results)
    print(text)
    if options.page:
        page.write(options.page, text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
