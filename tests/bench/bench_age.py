"""Encrypting and decrypting 64 MiB to nowhere, beside Debian's age: the same key, the same
file, run by turns so that both meet the same machine.

    bench_age.py TOOL [--runs 15] [--size-mib 64]

Prints the medians, and the ratio ours / age's as the median over the pairs, for the time on
the clock and for processor time; fails if the time on the clock is above 1.00 for either.
"""

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time


def measure(words, stdout):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.monotonic()
    subprocess.run(words, check=True, stdout=stdout)
    clock = time.monotonic() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return clock, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def compare(name, ours, theirs, runs):
    pairs = []
    with open(os.devnull, "wb") as nowhere:
        for words in (ours, theirs):
            measure(words, nowhere)  # the first run of each reads from the disk
        for turn in range(runs):
            if turn % 2:  # who goes first alternates too
                their = measure(theirs, nowhere)
                our = measure(ours, nowhere)
            else:
                our = measure(ours, nowhere)
                their = measure(theirs, nowhere)
            pairs.append((our, their))
    clock = statistics.median(our[0] / their[0] for our, their in pairs)
    processor = statistics.median(our[1] / their[1] for our, their in pairs)
    print(f"{name}: passation {statistics.median(our[0] for our, _ in pairs) * 1000:.0f} ms, "
          f"age {statistics.median(their[0] for _, their in pairs) * 1000:.0f} ms, "
          f"ratio {clock:.2f} (processor {processor:.2f})")
    return clock


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--size-mib", type=int, default=64)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        plain, identity = os.path.join(folder, "plain"), os.path.join(folder, "identity")
        sealed = os.path.join(folder, "plain.age")
        with open(plain, "wb") as file:
            for _ in range(args.size_mib):
                file.write(os.urandom(1 << 20))
        subprocess.run(["age-keygen", "-o", identity], check=True, stderr=subprocess.DEVNULL)
        recipient = subprocess.run(["age-keygen", "-y", identity], check=True, text=True,
                                   capture_output=True).stdout.strip()
        subprocess.run(["age", "-r", recipient, "-o", sealed, plain], check=True)
        version = subprocess.run(["age", "--version"], check=True, text=True,
                                 capture_output=True).stdout.strip()
        print(f"{args.size_mib} MiB, {args.runs} pairs, age {version}")
        ratios = [
            compare("encrypt", [args.tool, "age-encrypt", "-r", recipient, "-o", "/dev/null",
                                plain],
                    ["age", "-r", recipient, "-o", "/dev/null", plain], args.runs),
            compare("decrypt (all of it proved before the first byte)",
                    [args.tool, "age-decrypt", "-i", identity, sealed],
                    ["age", "-d", "-i", identity, sealed], args.runs),
        ]
    return 0 if max(ratios) <= 1 else 1


if __name__ == "__main__":
    sys.exit(main())
