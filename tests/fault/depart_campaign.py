#!/usr/bin/env python3
"""A departure killed at every step, and under each fault of the simulator at each of its calls.

    depart_campaign.py BUILD kills|faults [--full] [--count N] [--workers N] [--only TEXT]

jp leaves. He was granted box0, with a secret that hangs on it, and box1, and knows an old password
of box3; the mail of box0 goes to him, a filter of box1 too, his account is a delegate there and on
the domain, and he reads a mailing list. emma stays, with box0 and box2, and so do accesses like
his that are others'. Each trial begins at the same moment: the vault is copied back, the simulator
reset.

  kills   `depart` is killed at one of the system calls that it really makes (support/kills.py),
          taken from all its steps; every third time, the first `resume` is killed, too;
  faults  a fault meets one of the calls that `depart` makes, once, or each time from then on, or it
          meets every call from the n-th on.

Then, after at most three `resume`, all is as after a run that nothing disturbed: his accesses are
gone at OVH and nobody else's is, what he knew is replaced and nothing else, the vault's current
password is the one in force, emma's issue holds it, the journal and the report verify, and he knows
nothing that is in force but what is to be changed by hand. In the moment between: whatever is in
force is in the vault; his leaving is durable as a whole or not at all, and from then on nobody can
issue anything to him. Prints tried/survived. Exit 1 if one did not survive, or if too few were cut
short, at too few steps, or met by their fault.
"""

import argparse
import collections
import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from support import kills  # noqa: E402
from support.campaign import (Campaign, Wrong, hold, kinds_for, kinds_of, pattern,  # noqa: E402
                              rule_of, spread)
from support.record import record  # noqa: E402
from support.world import World  # noqa: E402

DOMAIN = World.DOMAIN
BOXES = [f"box{number}@{DOMAIN}" for number in range(4)]
KNOWN = BOXES[:2]  # to jp, in force
HIS_MAIL, HIS_ACCOUNT = "jp@ailleurs.example", "ab12345-ovh"
OTHER_MAIL, OTHER_ACCOUNT = "claire@ailleurs.example", "cd98765-ovh"
# His ways into a mailbox, by the path that closes them, and how long OVH takes for it.
# It is longer than the way to the first rotation, which so begins while they are open.
TASK_DELAY_MS = 150
LOGGED_MS = 75  # the log tells when an answer went, which is after its task was ordered
DOORS = {BOXES[0]: [("/redirection/", TASK_DELAY_MS), ("/acl/", 0)],
         BOXES[1]: [("/filter/", TASK_DELAY_MS), ("/delegation/", 0), ("/acl/", 0)]}
UNTIL = ("--until", "2031-01-01")
WHOLE = re.compile(r"depart-jp\.(html|json|txt)|emma-essai-\d+\.age")

# The client's --settle of support/world.py is 1 s: what was sent before is not on its way any more.
SETTLED_S = 1.2
PATIENCE_S = 60
RESUMES_MAX = 3
DONE = (0, 12)  # 12: something is left for people


# --- the world ---

def seed():
    """The simulator's own account and key, which may do everything, and one domain."""
    with open(os.path.join(HERE, "..", "sim", "default-seed.json")) as file:
        base = json.load(file)
    key = {**base["credentials"][0],
           "rules": [{"method": verb, "path": "/*"} for verb in ("GET", "POST", "PUT", "DELETE")]}
    accounts = [{"name": f"box{number}", "password": f"First-Pass-{number}-word"}
                for number in range(4)]
    accounts[1]["delegations"] = [HIS_ACCOUNT, OTHER_ACCOUNT]
    accounts[1]["filters"] = [
        {"name": name, "action": "redirect", "actionParam": target, "priority": number}
        for number, (name, target) in enumerate([("copie", HIS_MAIL), ("compta", OTHER_MAIL)], 1)]
    domain = {"domain": DOMAIN, "nic": base["nics"][0]["nichandle"],
              "acl": [HIS_ACCOUNT, OTHER_ACCOUNT], "accounts": accounts,
              "redirections": [{"from": BOXES[0], "to": HIS_MAIL},
                               {"from": BOXES[2], "to": OTHER_MAIL}],
              "mailing_lists": [{"name": "equipe", "owner": BOXES[2], "replyTo": BOXES[2],
                                 "moderators": [BOXES[2]],
                                 "subscribers": [HIS_MAIL, OTHER_MAIL]}]}
    return {"nics": base["nics"] + [{"nichandle": HIS_ACCOUNT}, {"nichandle": OTHER_ACCOUNT}],
            "applications": base["applications"][:1], "credentials": [key], "domains": [domain]}


class Departure:
    """One world, as it was before jp leaves as often as fresh() is called."""

    words = ("depart", "jp", "-o")

    def __init__(self, build):
        self.world = world = World(build)
        self.seed_path = os.path.join(world.dir, "seed.json")
        self.seed = seed()
        self.save_seed()
        world.sim_args = ["--seed", self.seed_path]
        world.__enter__()
        try:
            self.set_up()
        except BaseException:
            self.close()
            raise

    def close(self):
        self.world.__exit__()

    def save_seed(self):
        with open(self.seed_path, "w") as file:
            json.dump(self.seed, file)

    def set_up(self):
        world = self.world
        self.reports = os.path.join(world.home, "reports")
        self.words = [*self.words, self.reports]
        world.run("init", check=0)
        world.add_client([DOMAIN])
        world.run("role", "adopt", *BOXES, check=0)
        os.mkdir(self.reports, 0o700)
        before = os.path.join(world.home, "before")
        os.mkdir(before, 0o700)
        self.add("jp", "--email", HIS_MAIL, "--alias", HIS_ACCOUNT)
        self.add("emma")
        world.run("secret", "add", BOXES[0], "stripe", "--type", "stripe", "--generate", check=0)
        for person, boxes, more in (("jp", [BOXES[0]], ["--with", "all"]),
                                    ("jp", [BOXES[1], BOXES[3]], []),
                                    ("emma", [BOXES[0], BOXES[2]], [])):
            world.run("grant", person, *boxes, *UNTIL, *more, "-o", before, check=0)
        # What he knows of box3 is not in force any more, and its new password is due to him.
        world.run("rotate", BOXES[3], check=0)
        for account, box in zip(self.seed["domains"][0]["accounts"], BOXES):
            account["password"] = world.in_force(box)
        self.save_seed()
        # A rotation in the second in which somebody leaves counts as one after it.
        time.sleep(1.1)
        self.template = os.path.join(world.dir, "template")
        shutil.copytree(world.home, self.template)
        self.fresh()
        self.first = self.passwords()
        self.accesses_before = self.accesses()
        self.issued_before = self.issues("jp").keys()

    def add(self, name, *more):
        path = self.key_of(name)
        subprocess.run(["age-keygen", "-o", path], check=True, capture_output=True)
        public = subprocess.run(["age-keygen", "-y", path], check=True, capture_output=True,
                                text=True).stdout
        self.world.run("person", "add", name, "--kind", "provider", "--key", "-", *more,
                       stdin=public, check=0)

    def key_of(self, name):
        return os.path.join(self.world.home, name + ".txt")

    def fresh(self):
        shutil.rmtree(self.world.home)
        shutil.copytree(self.template, self.world.home)
        self.world.control("POST", "/reset", {})
        self.world.control("POST", "/set", {"task_delay_ms": TASK_DELAY_MS})
        self.world.control("DELETE", "/log")

    def mend(self, fail_stuck):
        """OVH is well again; a task that was stuck ends, with its effect or without."""
        world = self.world
        world.control("DELETE", "/faults")
        world.allow_all()
        world.control("POST", "/set", {"skew_s": 0, "domain": {
            "domain": DOMAIN, "expired": False, "suspended": False}})
        world.control("POST", "/task/release", {"fail": fail_stuck})

    # --- what OVH has ---

    def passwords(self):
        return {box: self.world.in_force(box) for box in BOXES}

    def ask(self, path):
        """What OVH answers to one who asks, behind passation's back."""
        ready = self.world.ready
        url, now = ready["endpoint"] + path, str(int(time.time()))
        parts = [ready["application_secret"], ready["consumer_key"], "GET", url, "", now]
        request = urllib.request.Request(url, headers={
            "X-Ovh-Application": ready["application_key"], "X-Ovh-Consumer": ready["consumer_key"],
            "X-Ovh-Timestamp": now,
            "X-Ovh-Signature": "$1$" + hashlib.sha1("+".join(parts).encode()).hexdigest()})
        with urllib.request.urlopen(request, timeout=60, context=ssl.create_default_context(
                cafile=ready["ca"])) as answer:
            return json.load(answer)

    def accesses(self):
        """All that let somebody in: (what, on what, who)."""
        domain = self.world.control("GET", "/state")["domains"][DOMAIN]
        found = {("redirection", row["from"], row["to"]) for row in domain["redirections"].values()}
        found |= {("acl", DOMAIN, who) for who in domain["acl"]}
        for name, row in domain["lists"].items():
            found |= {("subscriber", name, who) for who in row["_subscribers"]}
            found |= {("moderator", name, who) for who in row["_moderators"]}
        for box in BOXES:
            at = f"/email/domain/{DOMAIN}/account/{box.partition('@')[0]}"
            found |= {("delegation", box, who) for who in self.ask(at + "/delegation")}
            found |= {("filter", box, self.ask(f"{at}/filter/{name}")["actionParam"])
                      for name in self.ask(at + "/filter")}
        return found

    # --- what the vault has ---

    def person(self):
        return self.world.json("person", "show", "jp")

    def issues(self, person):
        return {row["serial"]: row for row in self.world.json("outbox", "--all")["issues"]
                if row["person"] == person}

    def held(self, box, *states):
        return [password for state, password in self.world.versions(box)
                if not states or state in states]

    def check_files(self, is_done=False):
        """Nothing for jp; what is there, is whole. A report that is written anew has no signature
        for a moment, never another's."""
        for name in os.listdir(self.reports):
            path = os.path.join(self.reports, name)
            hold(not name.startswith("jp-"), f"a file for who has left: {name}")
            hold(os.stat(path).st_mode & 0o777 == 0o600, f"{name} is open to others")
            if not WHOLE.fullmatch(name) or name.endswith(".txt"):
                continue
            if not os.path.exists(path + ".sig") and name.startswith("depart-") and not is_done:
                continue
            hold(os.path.exists(path + ".sig"), f"{name} has no signature beside it")
            with open(path, "rb") as file:
                done = subprocess.run(["ssh-keygen", "-Y", "check-novalidate", "-n",
                                       "passation-file", "-s", path + ".sig"], stdin=file,
                                      capture_output=True, text=True)
            hold(done.returncode == 0, f"half a file: {name}: {done.stderr}")

    # --- what must hold in between ---

    def check_between(self):
        """In the moment after the run, whatever became of it. Is his leaving durable?"""
        self.world.run("log", "--verify", check=0)
        leaving = self.person()["departing_at"] is not None
        grants = {row["state"] for row in self.world.json("grant", "ls", "jp")["grants"]}
        issues = self.issues("jp")
        hold(issues.keys() == self.issued_before, f"an issue was made for jp: {issues}")
        states = {row["state"] for row in issues.values()}
        hold(grants == ({"ended"} if leaving else {"active"}), f"leaving {leaving}: {grants}")
        hold(states == ({"void"} if leaving else {"written"}), f"leaving {leaving}: {states}")
        for box, password in self.passwords().items():
            hold(password in self.held(box), f"{box}: what is in force is not in the vault")
        self.check_files()
        if leaving:
            self.check_refused()
        else:
            hold(self.passwords() == self.first and self.accesses() == self.accesses_before,
                 "OVH was told something before the leaving was durable")
        return leaving

    def check_refused(self):
        done = self.world.run("grant", "jp", BOXES[2], *UNTIL, "-o", self.reports)
        hold(done.returncode not in DONE, "who is leaving was granted another mailbox")
        self.check_files()

    # --- the end ---

    def go_on(self, leaving):
        """What the person at the keyboard does: again what did not begin, then `resume`."""
        done = None
        for attempt in range(RESUMES_MAX):
            if attempt:
                time.sleep(SETTLED_S)
            begun = leaving or attempt
            done = self.world.run(*(["resume"] if begun else self.words), timeout=180)
            if done.returncode in DONE:
                return attempt + 1
        raise Wrong(f"exit {done.returncode} after {RESUMES_MAX} resumes: {done.stderr.strip()}")

    def check_end(self):
        self.check_at_ovh()
        self.check_order()
        self.check_in_vault()
        self.check_report()
        self.check_emma()

    def check_at_ovh(self):
        left, wanted = self.accesses(), {row for row in self.accesses_before
                                         if row[2] not in (HIS_MAIL, HIS_ACCOUNT)}
        hold(left == wanted, f"at OVH too much {left - wanted}, too little {wanted - left}")
        for box, password in self.passwords().items():
            hold((password != self.first[box]) == (box in KNOWN),
                 f"{box}: changed {password != self.first[box]}, known to him {box in KNOWN}")
            hold(self.held(box, "current") == [password],
                 f"{box}: the vault's current password is not the one in force")
            state = self.world.role(box)["state"]
            hold(state == "stable", f"{box} is {state}")

    def check_order(self):
        """A password that was set while a way in of his was open is one that he may know."""
        log = self.world.control("GET", "/log")["log"]
        for box, doors in DOORS.items():
            name = box.partition("@")[0]
            gone = [row["at_ms"] + delay_ms for row in log if row["effect"] for door, delay_ms in
                    doors if row["method"] == "DELETE" and door in row["path"]]
            set_at = [row["at_ms"] for row in log if row["effect"] and
                      row["path"].endswith(f"/account/{name}/changePassword")]
            hold(len(gone) >= len(doors) and set_at and max(set_at) >= max(gone) - LOGGED_MS,
                 f"{box}: set at {set_at}, ways in closed at {gone}")

    def check_in_vault(self):
        world = self.world
        world.run("log", "--verify", check=0)
        in_force = {(row["address"], row["label"]) for row in world.json("who", "jp")["seen"]
                    if row["in_force"]}
        hold(in_force == {(BOXES[0], "stripe")}, f"he still knows {in_force}")
        hold(world.json("outbox", "-o", self.reports)["issues"] == [], "something was still due")
        hold(self.issues("jp").keys() == self.issued_before, "an issue was made for jp")
        hold({row["state"] for row in self.issues("jp").values()} == {"void"}, "his issues count")
        hold(self.person()["departing_at"], "he is not leaving any more")
        self.check_files(is_done=True)

    def check_report(self):
        path = os.path.join(self.reports, "depart-jp")
        self.world.run("log", "--verify", path + ".txt", check=0)
        with open(path + ".json") as file:
            report = json.load(file)
        hold(report["open"] == {"passwords": 0, "unproved": 0, "tasks": 1, "accesses": 0,
                                "api_keys": 0}, f"open: {report['open']}")
        proved = {(row["address"], row["label"]): row["replaced"] and row.get("old_dead", True)
                  for row in report["secrets"]}
        hold(proved == {(BOXES[0], None): True, (BOXES[0], "stripe"): False,
                        (BOXES[1], None): True}, f"the report says of the secrets {proved}")
        hold(not [row for row in report["accesses"] if row["theirs"] and row["state"] != "gone"],
             "the report says that accesses of his are there")
        told = collections.Counter(row["kind"] for row in report["accesses"] if row["theirs"])
        gone = collections.Counter(row[0] for row in self.accesses_before
                                   if row[2] in (HIS_MAIL, HIS_ACCOUNT))
        hold(told == gone, f"the report tells of {told}, gone are {gone}")

    def check_emma(self):
        grants = {row["address"]: row for row in self.world.json("grant", "ls", "emma")["grants"]}
        for box, grant in grants.items():
            hold(grant["state"] == "active" and not grant["due"], f"emma is not served: {grant}")
        issue = self.issues("emma")[grants[BOXES[0]]["serial"]]
        done = subprocess.run(["age", "-d", "-i", self.key_of("emma"), issue["path"]],
                              capture_output=True, text=True)
        hold(f"\nPassword: {self.world.in_force(BOXES[0])}\n" in done.stdout,
             "emma's issue does not hold the password in force")

    def undisturbed(self):
        """The calls that a whole run makes; it must leave what every other one is to leave."""
        self.fresh()
        done = self.world.run(*self.words, check=12)
        self.check_between()
        self.check_end()
        return done


# --- kills ---

STEPS = ["begin", "sweep", "cut", "rotate", "issue", "again", "report"]

# An issue's file comes into being by its name.
CALLS = [*kills.CALLS, "linkat"]

# A `resume` of what was killed early makes more of them; later ones are not killed by the last.
RESUME_WRITES = 400


def steps_of(lines):
    """The step of each line of a trace. What people are told begins one; before the first cut the
    look is written down, and issues are made when OVH is asked nothing more."""
    steps, step, network = [], "begin", 0
    for index, line in enumerate(lines):
        if '"Closing other ways' in line:
            step = "sweep"
        elif '"Replacing passwords' in line and step != "again":
            step = "rotate"
        elif '"Looking again' in line:
            step = "again"
        elif "depart-jp" in line:
            step = "report"
        elif step == "sweep" and " fdatasync(" in line:
            step = "cut"
        elif step == "rotate" and "/emma-essai-" in line:
            step = "issue"
            steps[network + 1:] = ["issue"] * (index - network - 1)
        if re.search(r" (sendto|recvfrom|connect)\(", line):
            network = index
        steps.append(step)
    return steps


def trace(departure):
    """The calls of a whole run as (time, name), and the step of each."""
    world, log = departure.world, os.path.join(departure.world.dir, "calls")
    departure.fresh()
    code, stderr = kills.run(world, departure.words,
                             ["strace", "-f", "-qq", "-ttt", "-s", "400", "-o", log, "-e",
                              "trace=" + ",".join(CALLS)], PATIENCE_S)
    if code not in DONE:
        raise RuntimeError(f"depart without any disturbance: exit {code}: {stderr}")
    with open(log, encoding="latin-1") as file:
        found = [(match, line) for line in file if (match := kills.LINE.match(line))]
    calls = [(float(match[1]), match[2]) for match, _ in found]
    return calls, steps_of([line for _, line in found])


def kill_jobs(departure, count):
    """(step, call) to be killed at: the same number of each step, spread over it; or all."""
    calls, steps = trace(departure)
    jobs = []
    resumed = [n for n in range(1, RESUME_WRITES, 7)]
    for step in STEPS:
        places = [index for index, at in enumerate(steps) if at == step]
        if count:
            most = max(1, count // len(STEPS))
            places = [places[int((n + 0.5) * len(places) / most)]
                      for n in range(most)] if len(places) > most else places
        for where in dict.fromkeys(kills.point(calls, place) for place in places):
            again = resumed[len(jobs) % len(resumed)] if len(jobs) % 3 == 2 else None
            jobs.append((step, where, again))
    return jobs


def kill_trial(departure, job, result):
    step, where, again = job
    departure.fresh()
    is_cut, _ = kills.killed_at(departure.world, departure.words, where, PATIENCE_S)
    result["cut"] += is_cut
    result["cut at " + step] += is_cut
    departure.world.control("POST", "/task/run", {})
    leaving = departure.check_between()
    if again and leaving:
        is_cut, _ = kills.killed_at(departure.world, ["resume"], ("pwrite64", again), PATIENCE_S)
        result["cut again"] += is_cut
        hold(departure.check_between(), "he is not leaving any more")
    finish(departure, leaving, result)


def finish(departure, leaving, result):
    result["resumes"] += departure.go_on(leaving)
    departure.check_end()
    hold(all(WHOLE.fullmatch(name.removesuffix(".sig")) for name in os.listdir(departure.reports)),
         "a part of a file was left")


# --- faults ---

# Each time until somebody mends it. drop_account and migrate are not here: after them there is
# another mailbox, or none, and so another end.
STICKY = ["503", "429", "lost_before", "lost_after", "not_json", "task_stuck", "task_silent_fail"]

# Kinds of faults that strike, and of calls that are struck, at least.
FAULTS_FLOOR, CALLS_FLOOR = 42, 42

# From the n-th call of all on: OVH is down, or throws us out.
OUTAGES = ["lost_before", "lost_after", "503", "429", "revoke_credential", "suspend_service"]


def call_kinds(departure):
    """{(method, pattern): how often} of an undisturbed run, in the order of the first of each."""
    departure.undisturbed()
    departure.fresh()
    before = departure.world.control("GET", "/state")["counters"]
    departure.world.run(*departure.words, check=12)
    found = collections.Counter()
    for row in departure.world.control("GET", "/log")["log"]:
        found[row["method"], pattern(row["path"])] += 1
    after = departure.world.control("GET", "/state")["counters"]
    logins = sum(after[name] - before[name] for name in ("logins_accepted", "logins_refused"))
    found["IMAP", "*"] = found["IMAP-GREETING", ""] = logins
    return found


def all_faults(found):
    """Every one: (fault's name, rule)."""
    for (method, path), times in found.items():
        for kind in kinds_for(method, path):
            for nth in sorted({1, (times + 1) // 2, times} if method != "GET" else {1, times}):
                yield kind, rule_of(method, path, kind, nth=nth)
            if kind in STICKY:
                yield kind, rule_of(method, path, kind, nth=1, sticky=True)
    calls = sum(times for (method, _), times in found.items() if not method.startswith("IMAP"))
    for nth in range(2, calls, calls // 12):
        for kind in OUTAGES:
            yield kind, rule_of("*", None, kind, nth=nth, sticky=True)


def some_faults(found, count):
    """Each kind of call and each fault more than once; half of them at a call that changes
    something."""
    rows = list(all_faults(found))
    changes = [row for row in rows if row[1]["method"] != "GET"]
    reads = [row for row in rows if row[1]["method"] == "GET"]
    return spread(changes, count // 2) + spread(reads, count - count // 2)


def fault_jobs(departure, count):
    found = call_kinds(departure)
    return some_faults(found, count) if count else list(all_faults(found))


def fault_trial(departure, job, result):
    kind, rule = job
    world = departure.world
    departure.fresh()
    world.control("POST", "/faults", rule)
    # Who waits for a task that is stuck, gives up at some time.
    code, _ = kills.run(world, departure.words, [], 4 if "stuck" in kind else PATIENCE_S)
    if any(row["used"] for row in world.control("GET", "/faults")["faults"]):
        result["struck"] += 1
        result[f"fault {kind}"] += 1
        result[f"call {rule['method']} {rule.get('path')}"] += 1
    result["went through"] += code in DONE
    departure.mend(fail_stuck=rule.get("nth", 1) % 2 == 0)
    leaving = departure.check_between()
    finish(departure, leaving, result)


def enough_kills(result):
    """What a campaign must have done to mean something: [what is too little]."""
    short = [f"cut at {step}: {result['cut at ' + step]}" for step in STEPS
             if result["cut at " + step] < 3]
    if result["cut"] < 0.8 * result["tried"]:
        short.append(f"cut {result['cut']} of {result['tried']}")
    if result["cut again"] < result["tried"] // 12:
        short.append(f"cut again at a resume: {result['cut again']}")
    return short


def enough_faults(result):
    """A last call may not come, where another run ends sooner or goes another way."""
    short = [f"{what}s: {number}, at least {floor} are asked for"
             for what, floor in (("fault", FAULTS_FLOOR), ("call", CALLS_FLOOR))
             if (number := kinds_of(result, what)) < floor]
    if result["struck"] < 0.9 * result["tried"]:
        short.append(f"met by their fault: {result['struck']} of {result['tried']}")
    return short


# How many are usual, and how many there are at least.
CAMPAIGNS = {"kills": (kill_jobs, kill_trial, enough_kills, 63, 50),
             "faults": (fault_jobs, fault_trial, enough_faults, 72, 72)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("campaign", choices=CAMPAIGNS)
    parser.add_argument("--full", action="store_true", help="each call, each fault at each call")
    parser.add_argument("--count", type=int, help="about so many")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--only", help="trials whose description holds this text")
    options = parser.parse_args()
    if not shutil.which("strace"):
        print("no strace", file=sys.stderr)
        return 77
    find_jobs, trial, enough, usual, floor = CAMPAIGNS[options.campaign]
    count = 0 if options.full or options.only else options.count or usual

    began = time.monotonic()
    departure = Departure(options.build)
    try:
        departure.undisturbed()
        jobs = find_jobs(departure, count)
    except BaseException:
        departure.close()
        raise
    jobs = [job for job in jobs if not options.only or options.only in json.dumps(job)]
    campaign = Campaign(options.workers, lambda: Departure(options.build), trial)
    campaign.run(departure, jobs)

    result = campaign.result
    for failure in campaign.failures:
        print("FAILED", failure, file=sys.stderr)
    more = [f"{name} {number}" for name, number in sorted(result.items())
            if not re.match("(tried|survived)$|(fault|call) ", name)]
    if options.campaign == "faults":
        more.append(f"{kinds_of(result, 'fault')} faults at {kinds_of(result, 'call')} calls")
    print(f"depart {options.campaign}: tried {result['tried']} survived {result['survived']}; "
          f"{', '.join(more)}; {time.monotonic() - began:.0f} s")
    record("5.1", f"depart, {options.campaign}", result["tried"], result["survived"])
    is_partial = options.only or options.count
    short = [] if is_partial else enough(result)
    if not is_partial and result["tried"] < floor:
        short.append(f"tried {result['tried']}, at least {floor} are asked for")
    for what in short:
        print("too few to mean much:", what, file=sys.stderr)
    return 1 if short or campaign.failures or not result["tried"] else 0


if __name__ == "__main__":
    sys.exit(main())
