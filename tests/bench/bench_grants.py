#!/usr/bin/env python3
"""What grants cost: the whole command against its own cryptography and fsync.

    bench_grants.py BUILD [--rounds N]

  1000 grants   one group of 100 people gets 10 mailboxes: 100 issues, 200 files
  1000 secrets  one person gets a mailbox with 999 other secrets, in one file
  growth        one more person in a vault of 10 and of 10 000 mailboxes

Cryptography and fsync are timed inside the same process (cost_shim), so that a busy machine slows
both sides alike; the median round is printed.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time


class Bench:
    def __init__(self, build, folder):
        self.build = os.path.abspath(build)
        self.folder = folder
        self.identity = os.path.join(folder, "identity.txt")
        subprocess.run(["age-keygen", "-o", self.identity], check=True, capture_output=True)
        os.chmod(self.identity, 0o600)
        self.public = subprocess.run(["age-keygen", "-y", self.identity], check=True,
                                     capture_output=True, text=True).stdout
        self.vault = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def make(self, count):
        self.vault = self.path(f"vault-{count}.db")
        subprocess.run([os.path.join(self.build, "tests", "make_vault"), self.vault,
                        self.identity, str(count), str(count)], check=True)

    def run(self, *args, stdin=None, cost=False):
        env = {**os.environ, "HOME": self.folder, "XDG_STATE_HOME": self.path("state"),
               "XDG_DATA_HOME": self.path("data"), "LC_ALL": "C"}
        if cost:
            env["LD_PRELOAD"] = os.path.join(self.build, "tests", "libcost_shim.so")
            env["COST_FILE"] = self.path("cost")
        start = time.monotonic()
        done = subprocess.run([os.path.join(self.build, "passation"), "--no-input", "--vault",
                               self.vault, "--identity-file", self.identity, *args], env=env,
                              input=stdin, capture_output=True, text=True)
        taken = time.monotonic() - start
        if done.returncode:
            raise SystemExit(f"{args}: exit {done.returncode}: {done.stderr}")
        return done, taken

    def person(self, name, *more):
        self.run("person", "add", name, "--kind", "provider", "--key", "-", *more,
                 stdin=self.public)

    def grant(self, *args):
        """Seconds of the whole, of cryptography and of fsync."""
        out = self.path("out")
        shutil.rmtree(out, ignore_errors=True)
        os.mkdir(out, 0o700)
        done, taken = self.run("--json", "grant", *args, "--until", "2033-01-01", "-o", out,
                               cost=True)
        with open(self.path("cost")) as file:
            crypto, sync, calls, syncs = map(int, file.read().split())
        return {"all": taken, "crypto": crypto / 1e9, "sync": sync / 1e9, "calls": calls,
                "syncs": syncs, "issues": len(json.loads(done.stdout)["issues"])}

    def median(self, rounds, *args):
        results = [self.grant(*args) for _ in range(rounds)]
        middle = statistics.median_low([row["all"] / (row["crypto"] + row["sync"])
                                        for row in results])
        return next(row for row in results
                    if row["all"] / (row["crypto"] + row["sync"]) == middle)


def show(name, row):
    ratio = row["all"] / (row["crypto"] + row["sync"])
    print(f"{name:28} {row['all'] * 1e3:8.1f} ms  cryptography {row['crypto'] * 1e3:8.1f} ms "
          f"({row['calls']})  fsync {row['sync'] * 1e3:8.1f} ms ({row['syncs']})  "
          f"ratio {ratio:.2f}")
    return ratio


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="psn-bench-") as folder:
        bench = Bench(args.build, folder)
        bench.make(10)
        for index in range(100):
            bench.person(f"p{index}", "--group", "all")
        row = bench.median(args.rounds, "@all", "*")
        assert row["issues"] == 100
        ratio = show("1000 grants, 100 people", row)
        small = bench.median(args.rounds, "p1", "box0@d0.example")
        show("1 grant of 10 mailboxes", small)
        listed = bench.path("secrets.csv")
        with open(listed, "w") as file:
            file.write("title,username,password,url\n")
            file.writelines(f"s{index},,value-{index},\n" for index in range(999))
        bench.run("import", listed, "--format", "csv", "--role", "box0@d0.example", "-y")
        show("1000 secrets in one issue",
             bench.median(args.rounds, "p0", "box0@d0.example", "--with", "all"))
        bench.make(10000)
        bench.person("p1")
        large = bench.median(args.rounds, "p1", "box0@d0.example")
        show("1 grant of 10000 mailboxes", large)
    print(f"ratio to cryptography and fsync {ratio:.2f} (at most 1.50)")
    return 0 if ratio <= 1.5 else 1


if __name__ == "__main__":
    sys.exit(main())
