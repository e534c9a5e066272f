#!/usr/bin/env python3
"""Mutants: would the tests notice? One token of one line is changed, and the unit's tests run.

    mutate.py [--count N] [--seed S] [--only FILE] [--workers W]

The units are those where a wrong bit loses or shows a password: the rotation's machine, sealing,
derivation, the tree of hashes, the journal, age, signatures, the escaper, addresses. A mutant is
killed when it does not build with our warnings, a test fails, or one runs ten times too long.
Survivors are printed as they would stand in a diff; docs/proof.md counts them.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.abspath(os.path.join(HERE, "..", ".."))
sys.path.insert(0, os.path.join(HERE, ".."))
from support.record import record  # noqa: E402

UNITS = {
    "src/core/rotation_machine.c": ["test_rotation_machine", "test_rotation_model"],
    "src/crypto/seal.c": ["test_seal"],
    "src/crypto/kdf.c": ["test_kdf"],
    "src/crypto/keystream.c": ["test_keystream"],
    "src/crypto/hash.c": ["test_hash", "test_kdf"],
    "src/crypto/sign.c": ["test_sign"],
    "src/crypto/generate.c": ["test_generate"],
    "src/crypto/digest.c": ["test_hash", "test_kdbx", "test_sign"],
    "src/age/stream.c": ["test_age_file"],
    "src/age/header.c": ["test_age_header", "test_age_file", "test_age_identity"],
    "src/age/wrap.c": ["test_age_header", "test_age_file", "test_age_identity"],
    "src/age/bech32.c": ["test_age_identity"],
    "src/age/armor.c": ["test_age_armor", "test_age_file"],
    "src/base/text.c": ["test_text"],
    "src/ovh/mailbox.c": ["test_mailbox", "test_email_domain", "test_email_service"],
    "src/ovh/sign.c": ["test_ovh_sign"],
    "src/store/tree.c": ["test_store_tree", "test_store", "test_store_tamper", "test_store_alloc"],
    "src/store/journal.c": ["test_store", "test_store_tree", "test_store_tamper"],
    "src/core/document_check.c": ["test_document"],
    "src/core/receipt.c": ["test_receipt"],
    "src/core/code.c": ["test_code"],
}

# (what, by what): each place where the left stands is a possible mutant.
CHANGES = [(re.compile(what), by) for what, by in (
    (r"==", "!="), (r"!=", "=="), (r"<=", "<"), (r">=", ">"),
    (r"(?<![<\-])< (?!<)", "<= "), (r"(?<![>\-=])> (?!>)", ">= "),
    (r"&&", "||"), (r"\|\|", "&&"), (r"(?<=[\w\])] )\+(?= )", "-"),
    (r"(?<=[\w\])] )-(?= )", "+"), (r"\bif \(!", "if ("), (r"\bif \((?!!)", "if (!("),
    (r"\breturn rc;", "return PSN_OK;"), (r"\btrue\b", "false"), (r"\bfalse\b", "true"),
    (r"(?<![\w.])0(?![\w.])", "1"), (r"(?<![\w.])1(?![\w.])", "2"),
)]


def candidates(path):
    """(line number, line, changed line) of every mutant of a file."""
    in_comment = False
    with open(os.path.join(ROOT, path), encoding="utf-8") as file:
        lines = file.readlines()
    for number, line in enumerate(lines):
        stripped = line.strip()
        in_comment = in_comment or stripped.startswith("/*")
        ends = "*/" in stripped
        if in_comment or stripped.startswith("#") or '"' in line or "assert" in line:
            in_comment = in_comment and not ends
            continue
        for what, by in CHANGES:
            for found in what.finditer(line):
                changed = line[:found.start()] + by + line[found.end():]
                if by == "if (!(":
                    changed = closed(line, found)
                if changed:
                    yield number, line, changed


def closed(line, found):
    """`if (x)` as `if (!(x))`, if the condition ends on its line."""
    depth = 0
    for at in range(found.end() - 1, len(line)):
        depth += {"(": 1, ")": -1}.get(line[at], 0)
        if depth == 0:
            return line[:found.end()] + "!(" + line[found.end():at] + ")" + line[at:]
    return None


class Nest:
    """A copy of the tree with a build of its own, where one mutant lives at a time."""

    def __init__(self, folder):
        self.folder = folder
        for name in ("CMakeLists.txt", "CMakePresets.json", "VERSION", "src", "include", "tests",
                     "scripts", "docs", "dist", "LICENSE"):
            place = os.path.join(ROOT, name)
            if os.path.isdir(place):
                shutil.copytree(place, os.path.join(folder, name),
                                ignore=shutil.ignore_patterns("node_modules"))
            elif os.path.exists(place):
                shutil.copy2(place, folder)
        self.build = os.path.join(folder, "build")
        self.call("cmake", "-S", folder, "-B", self.build, "-G", "Ninja",
                  "-DCMAKE_BUILD_TYPE=Debug", "-DCMAKE_C_FLAGS=-O1", "-DPASSATION_PAGE=OFF")

    def call(self, *words, seconds=600):
        try:
            return subprocess.run(words, capture_output=True, timeout=seconds).returncode
        except subprocess.TimeoutExpired:
            return -1

    def prepare(self, tests):
        if self.call("cmake", "--build", self.build, "--target", *tests, seconds=3000):
            raise RuntimeError("the tests do not build without a mutant")

    def is_killed(self, path, number, changed, tests):
        place = os.path.join(self.folder, path)
        with open(place, encoding="utf-8") as file:
            before = file.readlines()
        try:
            with open(place, "w", encoding="utf-8") as file:
                file.writelines([*before[:number], changed, *before[number + 1:]])
            if self.call("cmake", "--build", self.build, "--target", *tests):
                return True
            env = {**os.environ, "PASSATION_TEST_PASSWORDS": "20000"}
            env.pop("PASSATION_RECORD", None)
            for test in tests:
                try:
                    if subprocess.run([os.path.join(self.build, "tests", test)], env=env,
                                      capture_output=True, timeout=120).returncode:
                        return True
                except subprocess.TimeoutExpired:
                    return True
            return False
        finally:
            with open(place, "w", encoding="utf-8") as file:
                file.writelines(before)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=UNITS)
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()
    everything = [(path, *mutant) for path in UNITS if not options.only or path == options.only
                  for mutant in candidates(path)]
    chosen = random.Random(options.seed).sample(everything, min(options.count, len(everything)))
    lock, results = threading.Lock(), []

    def work(folder):
        nest = Nest(folder)
        nest.prepare(sorted({test for path, *_ in chosen for test in UNITS[path]}))
        while True:
            with lock:
                if not chosen:
                    return
                path, number, line, changed = chosen.pop()
            killed = nest.is_killed(path, number, changed, UNITS[path])
            with lock:
                results.append((path, killed))
                if not killed:
                    print(f"survived: {path}:{number + 1}\n-{line.rstrip()}\n+{changed.rstrip()}",
                          flush=True)

    with tempfile.TemporaryDirectory(prefix="psn-mutants-") as place:
        folders = [os.path.join(place, str(number)) for number in range(options.workers)]
        for folder in folders:
            os.mkdir(folder)
        threads = [threading.Thread(target=work, args=(folder,)) for folder in folders]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    for path in UNITS:
        some = [killed for of, killed in results if of == path]
        if some:
            print(f"{path}: {sum(some)} of {len(some)} killed")
            record("5.16", path.removeprefix("src/"), len(some), sum(some))
    print(f"{sum(killed for _, killed in results)} of {len(results)} mutants killed, of "
          f"{len(everything)} that there are")
    return 0 if results else 1


if __name__ == "__main__":
    sys.exit(main())
