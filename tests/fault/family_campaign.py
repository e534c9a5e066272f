#!/usr/bin/env python3
"""Each of OVH's mail back-ends: created, adopted, rotated, killed and resumed, under faults.

    family_campaign.py BUILD [--kills N] [--imap responder|dovecot] [--workers N] [--family F]

What rotation_campaign.py does for /email/domain, here for the others: a fault of the simulator is
set, a command (`rotate`, `role adopt` or `role add`) is killed at the n-th system call, then

  1. the password that is in force, and each that may still come into force, is in the vault;
  2. the fault is gone and `passation resume` makes the role stable;
  3. what the vault then calls current is what opens the mailbox.

Prints tried/survived for each back-end, and in all. Exit 1 if they differ.
"""

import argparse
import concurrent.futures
import os
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.world import World  # noqa: E402

FAMILIES = ["mxplan-owa", "mxplan-zimbra", "pro", "exchange", "zimbra"]

# The calls that change a mailbox: a password, a slot's name, an account.
PASSWORD = {"mxplan-owa": ("POST", "*/changePassword"), "mxplan-zimbra": ("POST", "*/changePassword"),
            "pro": ("POST", "*/changePassword"), "exchange": ("POST", "*/changePassword"),
            "zimbra": ("PUT", "*/account/*")}
CREATE = {"mxplan-owa": ("PUT", "*/account/*"), "mxplan-zimbra": ("PUT", "*/account/*"),
          "pro": ("PUT", "*/account/*"), "exchange": ("PUT", "*/account/*"),
          "zimbra": ("POST", "*/account")}

LOST = ["lost_before", "lost_after", "reset", "reset_after"]
STATUS = ["409", "429", "500", "502", "503", "504", "408", "5xx_after"]
BODIES = ["truncated", "partial_headers", "garbage_http", "wrong_types", "not_json", "html",
          "empty_body", "null_body", "wrong_mailbox", "redirect_3xx"]
TASKS = ["task_silent_fail", "task_error", "task_cancelled", "task_stuck"]
OTHER = ["revoke_credential", "expire_service", "suspend_service"]
IMAP = ["unavailable", "bye", "close", "refuse_right", "accept_old"]

STRACE = ["strace", "-f", "-qq", "-o", "/dev/null"]
PATIENCE_S = 20


def rules_of(family, call):
    method, path = call[family]
    for kind in [None, *LOST, *STATUS, *BODIES, *TASKS, *OTHER]:
        rule = {"method": method, "path": path, "kind": kind, "times": 1}
        if kind == "429":
            rule["retry_after"] = "1"
        yield kind or "none", [rule] if kind else []


def imap_rules():
    for kind in IMAP:
        yield "imap_" + kind, [{"method": "IMAP", "path": "*", "kind": kind, "times": 1}]


class Worker:
    """A world of its own with one service, and one mailbox after the other in it."""

    def __init__(self, build, imap, family):
        self.family = family
        self.world = World(build, imap=imap)
        self.world.__enter__()
        self.failures = []
        self.count = 0
        self.domain = f"{family}.example"
        self.address = f"box@{self.domain}"
        self.set_up()

    def set_up(self):
        world = self.world
        world.run("init", check=0)
        world.allow_all()
        self.service = world.seed_service(self.family, self.domain, free_slots=60)
        world.add_client([self.domain])
        world.run("role", "adopt", self.address, check=0)
        world.control("POST", "/set", {"task_delay_ms": 0, "slot_delay_ms": 0})

    def close(self):
        self.world.__exit__()

    def mend(self):
        world = self.world
        world.control("DELETE", "/faults")
        world.allow_all()
        world.control("POST", "/set", {"service": {
            "family": self.service["family"], "service": self.service["service"],
            "expired": False, "suspended": False}})
        world.control("POST", "/task/release", {})

    def run(self, command, address, inject):
        prefix = [*STRACE, "-e", "trace=" + inject[0],
                  "-e", f"inject={inject[0]}:signal=SIGKILL:when={inject[1]}"] if inject else []
        run = subprocess.Popen([*prefix, *self.world.command(*command, address)],
                               env=self.world.env(), stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                               start_new_session=True)
        try:
            stderr = run.communicate(timeout=PATIENCE_S)[1]
        except subprocess.TimeoutExpired:
            os.killpg(run.pid, signal.SIGKILL)
            stderr = run.communicate()[1]
        return run.returncode, stderr

    def new_address(self, adopt):
        self.count += 1
        local = f"new{self.count}"
        address = f"{local}@{self.domain}"
        if adopt:
            self.world.add_account(self.service, address, f"First-Pass-{self.count}-word")
        return address

    def trial(self, verb, name, rules, inject):
        """True if the command was cut short, False if it ran to its end first."""
        world = self.world
        address = self.address if verb == "rotate" else self.new_address(verb == "adopt")
        command = {"rotate": ["rotate"], "adopt": ["role", "adopt"], "create": ["role", "add"]}[verb]
        where = f"{self.family} {verb} {name} {inject}"
        if rules:
            world.control("POST", "/faults", rules)
        code, stderr = self.run(command, address, inject)
        known = world.run("role", "ls", address).returncode == 0
        held = [password for _, password in world.versions(address)] if known else []
        mailbox = world.mailbox(address)
        if verb == "rotate" or (mailbox and mailbox["password"] and verb == "create"):
            for password in {mailbox["password"], *mailbox.get("fronts", [])}:
                if password and password not in held:
                    self.failures.append(f"{where}: the password in force is not in the vault")
        self.mend()
        if not known:
            return code in (137, -9)  # killed before anything was written: nothing was sent
        for _ in range(2):
            resumed = world.run("resume", address, "--again", timeout=300)
            role = world.role(address)
            if role["state"] == "stable":
                break
        if role["state"] != "stable":
            self.failures.append(f"{where}: {role['state']} after resume ({resumed.returncode}): "
                                 f"{resumed.stderr.strip()} | before: {stderr.strip()}")
        elif role["version"]:
            shown = world.run("show", address, "--reveal", check=0).stdout.splitlines()[0]
            if shown != world.in_force(address):
                self.failures.append(f"{where}: the current password is not the one in force")
        return code in (137, -9)


def plan(family, kills, imap):
    """Every fault with every command whole, then killed at ever other calls."""
    faults = [("rotate", *rule) for rule in rules_of(family, PASSWORD)]
    faults += [("create", *rule) for rule in rules_of(family, CREATE)]
    if imap == "responder":
        faults += [("rotate", *rule) for rule in imap_rules()]
    faults += [("adopt", *rule) for rule in rules_of(family, PASSWORD)]
    jobs = []
    n = 0
    while len(jobs) < kills:
        for index, (verb, name, rules) in enumerate(faults):
            turn = n + index
            if turn % 4 == 0:
                inject = None
            elif turn % 4 == 1:
                inject = ("fdatasync", 1 + turn // 4 % 5)
            else:
                inject = ("all", 10 + turn * 37 % 640)
            jobs.append((verb, name, rules, inject))
        n += 1
    step = max(len(faults) // 7, 1)
    order = [jobs[i] for start in range(step) for i in range(start, len(jobs), step)]
    return order[:kills]


def campaign(options, family, lock, results):
    jobs = plan(family, options.kills, options.imap)
    worker = Worker(options.build, options.imap, family)
    tried = survived = killed = 0
    try:
        for job in jobs:
            before = len(worker.failures)
            try:
                killed += worker.trial(*job)
            except Exception as error:  # noqa: BLE001 a trial that breaks did not survive
                worker.failures.append(f"{family} {job[0]} {job[1]} {job[3]}: {error!r}")
                with lock:
                    results["failures"].extend(worker.failures)
                worker.close()
                worker = Worker(options.build, options.imap, family)
                before = -1
            tried += 1
            survived += len(worker.failures) == before
    finally:
        with lock:
            results["failures"].extend(worker.failures)
            results["rows"][family] = (tried, survived, killed)
        worker.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--kills", type=int, default=24, help="trials for each back-end")
    parser.add_argument("--imap", default="responder")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--family", action="append", choices=FAMILIES)
    options = parser.parse_args()

    lock = threading.Lock()
    results = {"rows": {}, "failures": []}
    with concurrent.futures.ThreadPoolExecutor(options.workers) as pool:
        for future in [pool.submit(campaign, options, family, lock, results)
                       for family in options.family or FAMILIES]:
            future.result()
    for family, (tried, survived, killed) in sorted(results["rows"].items()):
        print(f"{family:16} tried {tried:5} survived {survived:5} killed {killed:5}")
    for failure in results["failures"][:20]:
        print("FAILED", failure, file=sys.stderr)
    tried = sum(row[0] for row in results["rows"].values())
    survived = sum(row[1] for row in results["rows"].values())
    print(f"tried {tried} survived {survived}, login by {options.imap}")
    return 0 if tried == survived else 1


if __name__ == "__main__":
    sys.exit(main())
