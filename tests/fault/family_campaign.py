#!/usr/bin/env python3
"""Each of OVH's mail back-ends: created, adopted, rotated, killed and resumed, under faults.

    family_campaign.py BUILD [--kills N] [--brief] [--whole] [--faults N] [--imap responder|dovecot]
                             [--workers N] [--patience S] [--family F]

A fault of the simulator is set, a command (`rotate`, `role adopt` or `role add`) is killed at a
chosen one of its system calls (see support/kills.py), then

  1. the password that is in force is in the vault, and with it each that may still come into force;
  2. the fault is gone and ONE `passation resume` makes the role stable;
  3. what the vault then calls current is what opens the mailbox.

Without any fault a command is killed at points from its first call to its last; with one, from
the moment on where the request that meets the fault has left. A command that was still waiting
for OVH after --patience is killed there. Prints tried/survived for each back-end, how many were cut
in the middle, and how many of these after the fault had struck. Exit 1 if one did not survive,
or if fewer than nine in ten of the kills cut a run short.
"""

import argparse
import concurrent.futures
import imaplib
import json
import os
import queue
import ssl
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support import kills  # noqa: E402
from support.record import LOGINS, record  # noqa: E402
from support.world import World  # noqa: E402

FAMILIES = ["domain", "mxplan-owa", "mxplan-zimbra", "pro", "exchange", "zimbra"]
COMMANDS = {"rotate": ["rotate"], "create": ["role", "add"], "adopt": ["role", "adopt"]}

# The calls that change a mailbox: a password, a slot's name, an account.
PASSWORD = {family: ("POST", "*/changePassword") for family in FAMILIES}
PASSWORD["zimbra"] = ("PUT", "*/account/*")
CREATE = {family: ("PUT", "*/account/*") for family in FAMILIES}
CREATE["domain"] = CREATE["zimbra"] = ("POST", "*/account")

LOST = ["lost_before", "lost_after", "reset", "reset_after"]
STATUS = ["409", "429", "500", "502", "503", "504", "408", "5xx_after"]
BODIES = ["truncated", "partial_headers", "garbage_http", "wrong_types", "not_json", "html",
          "empty_body", "null_body", "wrong_mailbox", "redirect_3xx"]
TASKS = ["task_silent_fail", "task_error", "task_cancelled", "task_stuck"]
OTHER = ["revoke_credential", "expire_service", "suspend_service"]
IMAP = ["unavailable", "bye", "close", "refuse_right", "accept_old"]

FIRST = "First-Pass-0-word"
# A world is given up after so many mailboxes: its slots run out, its vault grows.
MAILBOXES_MAX = 30
GOLDEN = 0.6180339887


def rule_of(family, verb, kind):
    method, path = (CREATE if verb == "create" else PASSWORD)[family]
    rule = {"method": method, "path": path, "kind": kind, "times": 1}
    if kind == "429":
        rule["retry_after"] = "1"
    return rule


def faults_of(family, imap):
    """Every fault with every command that can meet it: (name, {verb: rules})."""
    rows = [(kind, {verb: [rule_of(family, verb, kind)] for verb in COMMANDS})
            for kind in LOST + STATUS + BODIES + TASKS + OTHER]
    if imap == "responder":
        rows += [("imap_" + kind, {"rotate": [{"method": "IMAP", "path": "*", "kind": kind,
                                               "times": 1}]}) for kind in IMAP]
    return rows


class Worker:
    """A world with a service of each family, and one mailbox after the other in them."""

    def __init__(self, build, imap, families, patience_s):
        self.imap = imap
        self.patience_s = patience_s
        self.failures = []
        self.ended = []
        self.count = 0
        self.services = {}
        self.world = World(build, imap=imap)
        self.world.__enter__()
        try:
            self.set_up(families)
        except BaseException:
            self.close()
            raise

    def set_up(self, families):
        world = self.world
        world.run("init", check=0)
        world.allow_all()
        old = {"prefix": "old", "count": MAILBOXES_MAX, "password": FIRST}
        for family in families:
            domain = family + ".example"
            if family == "domain":
                world.control("POST", "/seed", {"domains": [{
                    "domain": domain, "nic": world.ready["nic"], "accounts_max": 1000,
                    "accounts": [{"name": "box", "password": FIRST}], "bulk": old}]})
            else:
                self.services[family] = world.seed_service(
                    family, domain, free_slots=MAILBOXES_MAX, bulk={**old, "domain": domain})
        world.add_client([family + ".example" for family in families])
        world.run("role", "adopt", *(f"box@{family}.example" for family in families), check=0)
        world.control("POST", "/set", {"task_delay_ms": 0, "slot_delay_ms": 0})

    def close(self):
        self.world.__exit__()

    def mend(self, family):
        world = self.world
        world.control("DELETE", "/faults")
        world.allow_all()
        well = {"expired": False, "suspended": False}
        service = self.services.get(family)
        if service:
            world.control("POST", "/set", {"service": {
                "family": service["family"], "service": service["service"], **well}})
        else:
            world.control("POST", "/set", {"domain": {"domain": family + ".example", **well}})
        world.control("POST", "/task/release", {})

    def address_for(self, family, verb):
        if verb == "rotate":
            return f"box@{family}.example"
        self.count += 1
        return f"{'new' if verb == 'create' else 'old'}{self.count:05}@{family}.example"

    def calibrate(self, family, verb):
        """The calls of an undisturbed run, and which of them is the first after the request that
        a fault can meet. A second run tells that, in which OVH lets this request wait; what comes
        after its wait is not looked at, since a longer run also writes more."""
        world = self.world
        runs = []
        for rules in [], {**rule_of(family, verb, "slow"), "ms": 800}:
            world.control("POST", "/faults", rules)
            command = [*COMMANDS[verb], self.address_for(family, verb)]
            code, stderr, calls = kills.traced(world, command, 60)
            self.mend(family)
            if code:
                raise RuntimeError(f"{family} {verb} without any fault: exit {code}: {stderr}")
            runs.append(calls)
        return runs[0], kills.longest_wait(runs[1])

    def opens(self, address, password):
        """Asks the mail server, as any mail program would."""
        place = urllib.parse.urlsplit(self.world.ready["imap"])
        context = ssl.create_default_context(cafile=self.world.ready["ca"])
        link = imaplib.IMAP4_SSL(place.hostname, place.port, ssl_context=context, timeout=60)
        try:
            link.login(address, password)
            return True
        except imaplib.IMAP4.error:
            return False
        finally:
            link.logout()

    def shown(self, address):
        """All passwords that the vault has of the role; None if it has no such role."""
        done = self.world.run("--json", "show", address, "--versions", "--reveal")
        return None if done.returncode else json.loads(done.stdout)

    def after_the_cut(self, verb, role, mailbox):
        """What is wrong in the moment after the kill, before anything is mended."""
        held = [row["password"] for row in role["versions"]] if role else []
        if verb == "adopt":
            held.append(FIRST)
        for password in {mailbox["password"], *mailbox.get("fronts", [])} if mailbox else []:
            if password and password not in held:
                return "the password in force is not in the vault"
        return None if role or verb != "rotate" else "the role is gone"

    def after_resume(self, verb, address):
        resumed = self.world.run("resume", address, timeout=300)
        role = self.shown(address)
        state = self.world.role(address)["state"]
        if state != "stable":
            return f"{state} after resume ({resumed.returncode}): {resumed.stderr.strip()}"
        mailbox = self.world.mailbox(address)
        current = [row["password"] for row in role["versions"] if row["state"] == "current"]
        if not current:
            if verb == "rotate" or (verb == "create" and mailbox and mailbox["password"]):
                return "stable without any password"
            return None
        if current != [mailbox["password"]]:
            return "the vault's current password is not the one in force"
        if self.imap == "dovecot" and not self.opens(address, current[0]):
            return "the vault's current password does not open the mailbox"
        return None

    def trial(self, job, where, result):
        """One command; where: killed there, or None: whole. Its calls, if it was whole."""
        world = self.world
        family, verb = job["family"], job["verb"]
        address = self.address_for(family, verb)
        command = [*COMMANDS[verb], address]
        if job["rules"]:
            world.control("POST", "/faults", job["rules"])
        calls, is_cut = None, False
        if where:
            is_cut, stderr = kills.killed_at(world, command, where, self.patience_s)
            if not is_cut:
                self.ended.append(f"{family} {verb} {job['name']} {where}: {stderr.strip()}")
        else:
            _, stderr, calls = kills.traced(world, command, self.patience_s)
        struck = any(row["used"] for row in world.control("GET", "/faults")["faults"])
        role = self.shown(address)
        wrong = self.after_the_cut(verb, role, world.mailbox(address))
        self.mend(family)
        if not wrong and role:
            wrong = self.after_resume(verb, address)
        if wrong:
            self.failures.append(f"{family} {verb} {job['name']} {where}: {wrong} | before: "
                                 f"{stderr.strip()}")
        result["tried"] += 1
        result["survived"] += not wrong
        result["kills"] += bool(where)
        result["cut"] += is_cut
        result["struck"] += is_cut and struck
        return calls


def plan(options):
    """One entry for each fault and command, with the points to be killed at: parts of the way."""
    columns = []
    for number, family in enumerate(options.family or FAMILIES):
        jobs = [{"family": family, "verb": verb, "name": "none", "rules": [],
                 "points": [(n + 0.5) / (3 * options.kills) for n in range(3 * options.kills)]}
                for verb in COMMANDS]
        faults = faults_of(family, options.imap)
        if options.faults:
            step = len(faults) / options.faults
            faults = [faults[int(n * step + number) % len(faults)] for n in range(options.faults)]
            jobs = []
        for index, (name, rules) in enumerate(faults):
            verbs = list(rules)
            for verb in [verbs[(index + number) % len(verbs)]] if options.brief else verbs:
                shift = (len(jobs) + 7 * number) * GOLDEN % 1
                jobs.append({"family": family, "verb": verb, "name": name, "rules": rules[verb],
                             "points": [(n + shift) / options.kills
                                        for n in range(options.kills)]})
        columns.append(jobs)
    return [jobs[n] for n in range(max(map(len, columns))) for jobs in columns if n < len(jobs)]


class Campaign:
    def __init__(self, options):
        self.options = options
        self.families = options.family or FAMILIES
        self.lock = threading.Lock()
        self.ways = {}
        self.failures = []
        self.ended = []
        self.results = {family: {"tried": 0, "survived": 0, "kills": 0, "cut": 0, "struck": 0}
                        for family in self.families}
        self.jobs = queue.SimpleQueue()
        for job in plan(options):
            self.jobs.put(job)

    def way(self, worker, family, verb):
        with self.lock:
            slot = self.ways.setdefault((family, verb), {"lock": threading.Lock()})
        with slot["lock"]:
            if "way" not in slot:
                slot["way"] = worker.calibrate(family, verb)
            return slot["way"]

    def do(self, worker, job):
        result = dict.fromkeys(self.results[job["family"]], 0)
        try:
            calls, sent = self.way(worker, job["family"], job["verb"])
            if self.options.whole:
                calls = worker.trial(job, None, result)
            begin = min(sent, len(calls) - 1) if job["rules"] else 0
            end = len(calls)
            if job["name"] in OTHER and not self.options.whole:
                end = (begin + end) // 2  # OVH's refusal ends the run sooner
            for part in job["points"]:
                position = begin + int(part * (end - begin))
                worker.trial(job, kills.point(calls, position), result)
        except Exception as error:  # noqa: BLE001 a trial that breaks did not survive
            worker.failures.append(f"{job['family']} {job['verb']} {job['name']}: {error!r}")
            result["tried"] += 1
            worker.count = MAILBOXES_MAX
        with self.lock:
            for name, number in result.items():
                self.results[job["family"]][name] += number

    def give_up(self, worker):
        with self.lock:
            self.failures.extend(worker.failures)
            self.ended.extend(worker.ended)
        worker.close()

    def work(self):
        worker = None
        try:
            while True:
                job = self.jobs.get_nowait()
                if worker and worker.count + len(job["points"]) >= MAILBOXES_MAX:
                    self.give_up(worker)
                    worker = None
                if not worker:
                    worker = Worker(self.options.build, self.options.imap, self.families,
                                    self.options.patience)
                self.do(worker, job)
        except queue.Empty:
            pass
        finally:
            if worker:
                self.give_up(worker)

    def run(self):
        workers = self.options.workers
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            for future in [pool.submit(self.work) for _ in range(workers)]:
                future.result()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--kills", type=int, default=1, help="for each fault and command")
    parser.add_argument("--brief", action="store_true", help="each fault with one command only")
    parser.add_argument("--whole", action="store_true",
                        help="each fault first without a kill, which then also counts the calls")
    parser.add_argument("--faults", type=int, default=0, help="only so many, for each back-end")
    parser.add_argument("--imap", default="responder", choices=["responder", "dovecot"])
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--patience", type=float, default=5)
    parser.add_argument("--family", action="append", choices=FAMILIES)
    options = parser.parse_args()

    began = time.monotonic()
    campaign = Campaign(options)
    campaign.run()
    total = dict.fromkeys(["tried", "survived", "kills", "cut", "struck"], 0)
    for family, row in campaign.results.items():
        print(f"{family:14} tried/survived {row['tried']}/{row['survived']}, cut in the middle "
              f"{row['cut']} of {row['kills']} kills, {row['struck']} after the fault had struck")
        for name in total:
            total[name] += row[name]
    for failure in campaign.failures[:20]:
        print("FAILED", failure, file=sys.stderr)
    print(f"tried {total['tried']} survived {total['survived']}, cut {total['cut']} of "
          f"{total['kills']} kills, login by {options.imap}, {time.monotonic() - began:.0f} s")
    record(LOGINS[options.imap], "rotation at every back-end", total["tried"], total["survived"],
           killed=total["cut"])
    # How long a run takes to a certain call varies with the machine's load: of few, three in four.
    if total["cut"] < (0.75 if total["kills"] < 100 else 0.9) * total["kills"]:
        print("too few runs were cut short for this to mean much:", file=sys.stderr)
        print("\n".join(campaign.ended), file=sys.stderr)
        return 1
    return 0 if total["tried"] == total["survived"] and not campaign.failures else 1


if __name__ == "__main__":
    sys.exit(main())
