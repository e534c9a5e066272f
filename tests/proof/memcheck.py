#!/usr/bin/env python3
"""The unit tests under valgrind's memcheck, as released: reads of what was never written or is not
ours any more, copies onto themselves, what is lost and never freed. The sanitizers see the same
tests otherwise built.

    memcheck.py BUILD [--only NAME]… [--workers W]

Exit 1, with what valgrind says, if it says anything. No suppressions.
"""

import argparse
import concurrent.futures
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from support.record import record  # noqa: E402

FOUND = 99
PATIENCE_S = 1800
VALGRIND = ["valgrind", "--quiet", f"--error-exitcode={FOUND}", "--leak-check=full",
            "--show-leak-kinds=definite", "--errors-for-leak-kinds=definite",
            "--child-silent-after-fork=yes"]  # some children are meant to die
# Fibers: valgrind takes a switch of stacks for writes beyond one. ASan knows them (fiber.c).
LEFT_OUT = {"test_loop"}
# Measured by their speed, or by counting what valgrind allocates itself.
NOT_THERE = {"PASSATION_TEST_PASSWORDS": "20000"}


def unit_tests(build):
    done = subprocess.run(["ctest", "--test-dir", build, "--show-only=json-v1", "-L", "unit"],
                          capture_output=True, text=True, check=True)
    for test in json.loads(done.stdout)["tests"]:
        if test["name"] in LEFT_OUT:
            continue
        yield test["name"], test["command"], {one["name"]: one["value"]
                                              for one in test["properties"]}


def memcheck(name, command, properties):
    """What valgrind says, or "". A test that fails without a finding is the tests' matter."""
    env = {**os.environ, **NOT_THERE,
           **dict(word.split("=", 1) for word in properties.get("ENVIRONMENT", []))}
    done = subprocess.run([*VALGRIND, *command], env=env, cwd=properties.get("WORKING_DIRECTORY"),
                          stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          errors="replace", timeout=PATIENCE_S)
    if done.returncode not in (0, FOUND):
        print(f"{name}: ends with {done.returncode} under valgrind", flush=True)
    return "\n".join(line for line in done.stderr.splitlines() if line.startswith("=="))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--only", action="append")
    parser.add_argument("--workers", type=int, default=os.cpu_count())
    options = parser.parse_args()
    tests = [test for test in unit_tests(options.build)
             if not options.only or test[0] in options.only]
    with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        said = dict(zip((test[0] for test in tests),
                        pool.map(lambda test: memcheck(*test), tests)))
    found = {name: text for name, text in said.items() if text}
    for name, text in found.items():
        print(f"{name}:\n{text}")
    print(f"{len(tests)} programs of the unit tests, {len(found)} with findings")
    if not options.only:
        record("analysis", "valgrind memcheck, unit tests", len(tests), len(tests) - len(found))
    return 1 if found or not tests else 0


if __name__ == "__main__":
    sys.exit(main())
