#!/usr/bin/env python3
"""Kills and faults while a password is rotated, over the real binary.

    rotation_campaign.py BUILD [--kills N] [--imap responder|dovecot] [--workers N] [--report FILE]

Each trial: a fault of the simulator is set, `passation rotate` is killed at the n-th system call
(or at the n-th fdatasync, which is each step of the journal), then

  1. the password that is in force, and each that may still come into force, is in the vault;
  2. the fault is gone and ONE `passation resume` makes the role stable;
  3. what the vault then calls current is what opens the mailbox.

Prints tried/survived for each fault, and in all. Exit 1 if they differ.
"""

import argparse
import concurrent.futures
import os
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.record import LOGINS, record  # noqa: E402
from support.world import World  # noqa: E402

CHANGE = {"method": "POST", "path": "*/changePassword"}

# name, rules to set, whether the API must be mended before resume
FAULTS = [
    ("none", []),
    ("lost_before", [{**CHANGE, "kind": "lost_before", "times": 1}]),
    ("lost_after", [{**CHANGE, "kind": "lost_after", "times": 1}]),
    ("reset", [{**CHANGE, "kind": "reset", "times": 1}]),
    ("reset_after", [{**CHANGE, "kind": "reset_after", "times": 1}]),
    ("409", [{**CHANGE, "kind": "409", "times": 2}]),
    ("429", [{**CHANGE, "kind": "429", "times": 1, "retry_after": "1"}]),
    ("429_bare", [{**CHANGE, "kind": "429", "times": 1}]),
    ("500", [{**CHANGE, "kind": "500", "times": 1}]),
    ("502", [{**CHANGE, "kind": "502", "times": 1}]),
    ("503", [{**CHANGE, "kind": "503", "times": 1}]),
    ("504", [{**CHANGE, "kind": "504", "times": 1}]),
    ("408", [{**CHANGE, "kind": "408", "times": 1}]),
    ("5xx_after", [{**CHANGE, "kind": "5xx_after", "times": 1}]),
    ("truncated", [{**CHANGE, "kind": "truncated", "times": 1}]),
    ("partial_headers", [{**CHANGE, "kind": "partial_headers", "times": 1}]),
    ("garbage_http", [{**CHANGE, "kind": "garbage_http", "times": 1}]),
    ("wrong_types", [{**CHANGE, "kind": "wrong_types", "times": 1}]),
    ("not_json", [{**CHANGE, "kind": "not_json", "times": 1}]),
    ("html", [{**CHANGE, "kind": "html", "times": 1}]),
    ("empty_body", [{**CHANGE, "kind": "empty_body", "times": 1}]),
    ("null_body", [{**CHANGE, "kind": "null_body", "times": 1}]),
    ("wrong_mailbox", [{**CHANGE, "kind": "wrong_mailbox", "times": 1}]),
    ("redirect_3xx", [{**CHANGE, "kind": "redirect_3xx", "times": 1}]),
    ("slow", [{**CHANGE, "kind": "slow", "times": 1, "ms": 200}]),
    ("task_silent_fail", [{**CHANGE, "kind": "task_silent_fail", "times": 1}]),
    ("task_stuck", [{**CHANGE, "kind": "task_stuck", "times": 1}]),
    ("late_front", [{**CHANGE, "kind": "late_front", "times": 1, "ms": 500}]),
    ("clock_skew", [{"method": "GET", "path": "*/account/*", "kind": "clock_skew", "times": 1,
                     "seconds": 3600}]),
    ("revoke_credential", [{**CHANGE, "kind": "revoke_credential", "times": 1}]),
    ("expire_service", [{**CHANGE, "kind": "expire_service", "times": 1}]),
    ("list_500", [{"method": "GET", "path": "*/task/account", "kind": "500", "times": 2}]),
]
IMAP_FAULTS = [
    ("imap_unavailable", [{"method": "IMAP", "path": "*", "kind": "unavailable", "times": 2}]),
    ("imap_bye", [{"method": "IMAP", "path": "*", "kind": "bye", "times": 1}]),
    ("imap_close", [{"method": "IMAP", "path": "*", "kind": "close", "times": 1}]),
    ("imap_negative_cache", [{"method": "IMAP", "path": "*", "kind": "refuse_right", "times": 1}]),
    ("imap_positive_cache", [{"method": "IMAP", "path": "*", "kind": "accept_old", "times": 1}]),
]

# A task that hangs keeps a run waiting for up to a quarter of an hour (R10). The trial kills it
# in its wait, which is one more place to be killed at.
PATIENCE_S = 20

STRACE = ["strace", "-f", "-qq", "-o", "/dev/null"]


class Worker:
    """A world of its own, and one mailbox after the other in it."""

    def __init__(self, build, imap):
        self.world = World(build, imap=imap)
        self.world.__enter__()
        self.address = self.world.setup_client(mailboxes=1)[0]
        self.world.control("POST", "/set", {"task_delay_ms": 0})
        self.failures = []

    def close(self):
        self.world.__exit__()

    def mend(self):
        world = self.world
        world.control("DELETE", "/faults")
        world.control("POST", "/set", {
            "skew_s": 0,
            "credential": {"consumer_key": world.ready["consumer_key"], "status": "validated",
                           "revoked": False},
            "domain": {"domain": world.DOMAIN, "expired": False, "suspended": False},
        })
        world.control("POST", "/task/release", {})
        world.control("POST", "/fronts/converge", {})

    def rotate(self, inject):
        prefix = [*STRACE, "-e", "trace=" + inject[0],
                  "-e", f"inject={inject[0]}:signal=SIGKILL:when={inject[1]}"] if inject else []
        run = subprocess.Popen([*prefix, *self.world.command("rotate", self.address)],
                               env=self.world.env(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
        try:
            stderr = run.communicate(timeout=PATIENCE_S)[1]
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            stderr = run.communicate()[1]
        return run.returncode, stderr

    def fail(self, name, inject, why):
        self.failures.append(f"{name} {inject}: {why}")

    def trial(self, name, rules, inject):
        """True if the rotation was cut short, False if it ran to its end first."""
        world = self.world
        if rules:
            world.control("POST", "/faults", rules)
        code, stderr = self.rotate(inject)
        killed = code in (137, -9)
        held = [password for _, password in world.versions(self.address)]
        state = world.control("GET", "/state")
        mailbox = next(row for row in state["mailboxes"] if row["address"] == self.address)
        for password in {mailbox["password"], *mailbox["fronts"]}:
            if password and password not in held:
                self.fail(name, inject, "the password in force is not in the vault")
        self.mend()
        resumed = world.run("resume", self.address, timeout=300)
        role = world.role(self.address)
        if role["state"] != "stable":
            self.fail(name, inject, f"{role['state']} after one resume ({resumed.returncode}): "
                                    f"{resumed.stderr.strip()} | before: {stderr.strip()}")
        else:
            shown = world.run("show", self.address, "--reveal", check=0).stdout.splitlines()[0]
            if shown != world.in_force(self.address):
                self.fail(name, inject, "the vault's current password is not the one in force")
        if role["state"] != "stable":
            world.run("resume", self.address, "--again", timeout=300)
        return killed


def plan(kills, imap):
    faults = FAULTS + (IMAP_FAULTS if imap == "responder" else [])
    steps = [(name, rules, ("fdatasync", n)) for name, rules in faults for n in range(1, 6)]
    calls = []
    n = 10
    while len(calls) < max(kills - len(steps), 0):
        for index, (name, rules) in enumerate(faults):
            calls.append((name, rules, ("all", n + 10 * (index % 7))))
        n += 40
    whole = [(name, rules, None) for name, rules in faults]
    return whole + steps + calls[:max(kills - len(steps), 0)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--kills", type=int, default=320)
    parser.add_argument("--imap", default="responder")
    parser.add_argument("--workers", type=int, default=2)
    options = parser.parse_args()

    jobs = plan(options.kills, options.imap)
    counts = {}
    killed = 0
    lock = threading.Lock()
    position = iter(jobs)
    failures = []

    def work():
        nonlocal killed
        worker = Worker(options.build, options.imap)
        try:
            while True:
                with lock:
                    job = next(position, None)
                if job is None:
                    break
                before = len(worker.failures)
                try:
                    cut = worker.trial(*job)
                except Exception as error:  # noqa: BLE001 a trial that breaks did not survive
                    worker.fail(job[0], job[2], repr(error))
                    cut = False
                    worker.close()
                    failures.extend(worker.failures)
                    worker = Worker(options.build, options.imap)
                    before = -1
                with lock:
                    killed += cut
                    row = counts.setdefault(job[0], [0, 0])
                    row[0] += 1
                    row[1] += len(worker.failures) == before
        finally:
            failures.extend(worker.failures)
            worker.close()

    with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        for future in [pool.submit(work) for _ in range(options.workers)]:
            future.result()

    for name, (tried, survived) in sorted(counts.items()):
        print(f"{name:22} {tried:5} / {survived:5}")
    tried = sum(row[0] for row in counts.values())
    survived = sum(row[1] for row in counts.values())
    for failure in failures[:20]:
        print("FAILED", failure, file=sys.stderr)
    print(f"tried {tried} survived {survived} killed {killed}, login by {options.imap}")
    record(LOGINS[options.imap], "rotation", tried, survived, killed=killed)
    if killed < options.kills * 0.6:
        print("too few runs were cut short for this to mean much", file=sys.stderr)
        return 1
    return 0 if tried == survived else 1


if __name__ == "__main__":
    sys.exit(main())
