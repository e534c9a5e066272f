#!/usr/bin/env python3
"""Kills while grants are made and issues are written (F24, F25 of the rotation's failures).

    test_issue_kills.py BUILD [--kills N]

Each trial: a grant or an outbox is killed at the n-th system call of a kind. Then

  1. no half file under a final name: each that is there opens, is signed, and its exposure is
     in the vault;
  2. no other file was left behind;
  3. ONE `passation resume` gives the person what is in force, in the folder that was named to
     the killed command, and an outbox after it has nothing to do.

Prints tried/survived.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.record import record  # noqa: E402
from support.world import World  # noqa: E402

STRACE = ["strace", "-f", "-qq", "-o", "/dev/null"]


class Trials:
    def __init__(self, world):
        self.world = world
        self.box = world.setup_client(mailboxes=1)[0]
        self.key = os.path.join(world.home, "reader.txt")
        subprocess.run(["age-keygen", "-o", self.key], check=True, capture_output=True)
        public = subprocess.run(["age-keygen", "-y", self.key], check=True, capture_output=True,
                                text=True).stdout
        world.run("person", "add", "reader", "--kind", "provider", "--key", "-", stdin=public,
                  check=0)
        self.out = os.path.join(world.home, "out")
        self.failures = []
        self.killed = 0

    def fail(self, trial, why):
        self.failures.append(f"{trial}: {why}")

    def look_at_files(self, trial):
        exposed = {row["version"] for row in self.world.json("who", "reader")["seen"]}
        for name in os.listdir(self.out):
            path = os.path.join(self.out, name)
            if name.endswith(".sig"):
                continue
            if not name.endswith(".age"):
                self.fail(trial, f"left behind: {name}")
                continue
            done = subprocess.run(["age", "-d", "-i", self.key, path], capture_output=True,
                                  text=True)
            if done.returncode or "-----END SSH SIGNATURE-----\n" not in done.stdout:
                self.fail(trial, f"half a file: {name}")
                continue
            version = int(done.stdout.split("\nVersion: ")[1].split("\n")[0])
            if version not in exposed:
                self.fail(trial, f"{name} holds version {version}, which nobody is said to know")
            if not os.path.exists(path + ".sig"):
                self.fail(trial, f"{name} has no signature beside it")

    def resume(self):
        done = self.world.run("--json", "resume", check=0)
        return [issue for line in done.stdout.splitlines()
                for issue in json.loads(line).get("issues", [])]

    def trial(self, command, inject):
        trial = (command[0], inject)
        shutil.rmtree(self.out, ignore_errors=True)
        os.mkdir(self.out, 0o700)
        before = len(self.failures)
        done = subprocess.run([*STRACE, "-e", "trace=" + inject[0], "-e",
                               f"inject={inject[0]}:signal=SIGKILL:when={inject[1]}",
                               *self.world.command(*command, "-o", self.out)],
                              env=self.world.env(), stdin=subprocess.DEVNULL,
                              capture_output=True, timeout=60)
        killed = done.returncode in (137, -9)
        self.killed += killed
        self.look_at_files(trial)
        granted = self.world.json("grant", "ls", "reader")["grants"]
        if granted and granted[0]["state"] == "active":
            issues = self.resume()
            self.look_at_files(trial)
            grant = self.world.json("grant", "ls", "reader")["grants"][0]
            if grant["due"] or grant["version"] != grant["current"]:
                self.fail(trial, f"still due after one resume: {grant}")
            for issue in issues:
                if os.path.dirname(issue["path"]) != self.out:
                    self.fail(trial, f"resume wrote {issue['path']}")
            if issues:
                plain = subprocess.run(["age", "-d", "-i", self.key, issues[0]["path"]],
                                       capture_output=True, text=True).stdout
                if f"Password: {self.world.in_force(self.box)}\n" not in plain:
                    self.fail(trial, "the new issue does not hold the password in force")
            if self.world.json("outbox", "-o", self.out)["issues"]:
                self.fail(trial, "an outbox after it found something to do")
        return killed, len(self.failures) == before


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--kills", type=int, default=60)
    options = parser.parse_args()
    tried = survived = 0
    with World(options.build) as world:
        trials = Trials(world)
        box = trials.box
        for kind, most in (("fdatasync", 6), ("fsync", 8), ("linkat", 3), ("write", 6),
                           ("openat", 60), ("pwrite64", 30)):
            for n in range(1, most + 1):
                if tried >= options.kills:
                    break
                for command in (("grant", "reader", box, "--until", "2031-01-01"),
                                ("outbox",)):
                    if command[0] == "outbox":
                        world.run("rotate", box, check=0)
                    killed, good = trials.trial(command, (kind, n))
                    tried += 1
                    survived += good
                if not killed:
                    break
    for failure in trials.failures[:20]:
        print("FAILED", failure, file=sys.stderr)
    print(f"tried {tried} survived {survived} killed {trials.killed}")
    record("5.1", "issue", tried, survived, killed=trials.killed)
    if trials.killed < tried * 0.5:
        print("too few runs were cut short for this to mean much", file=sys.stderr)
        return 1
    return 0 if tried == survived else 1


if __name__ == "__main__":
    sys.exit(main())
