"""What the campaigns share that kill commands and disturb OVH: many trials, each in a world that is
as it was before, on several threads; the faults of the simulator, and which fit which call."""

import collections
import concurrent.futures
import hashlib
import json
import queue
import re
import subprocess
import threading


class Wrong(Exception):
    pass


def hold(condition, what):
    if not condition:
        raise Wrong(what)


# --- faults ---

LOST = ["lost_before", "lost_after", "reset", "reset_after", "stall", "stall_after"]
STATUS = ["400", "401", "403", "404", "408", "409", "429", "500", "502", "503", "504", "5xx_after",
          "redirect_3xx"]
BODIES = ["truncated", "partial_headers", "garbage_http", "huge_body", "wrong_types", "not_json",
          "html", "empty_body", "null_body", "body", "wrong_mailbox"]
OTHER = ["slow", "revoke_credential", "expire_service", "suspend_service", "clock_skew"]
TASKS = ["task_silent_fail", "task_error", "task_cancelled", "task_stuck", "task_slow",
         "late_front"]
IMAP = ["unavailable", "inuse", "limit", "contactadmin", "bye", "close", "reset", "stall", "slow",
        "garbage", "refuse_right", "accept_old"]
GREETING = ["bye", "close", "reset", "stall", "slow", "garbage"]

MORE = {"429": {"retry_after": "1"}, "huge_body": {"bytes": 20_000_000}, "body": {"body": []},
        "slow": {"ms": 300}, "stall": {"ms": 1500}, "stall_after": {"ms": 1500},
        "task_slow": {"ms": 900}, "late_front": {"ms": 300}, "clock_skew": {"seconds": 1000}}


def pattern(path):
    """One for all mailboxes, and for whatever has a number."""
    path = re.sub(r"/box\d", "/box*", path)
    return re.sub(r"/\d+", "/*", path)


def kinds_for(method, path):
    if method == "IMAP":
        return IMAP
    if method == "IMAP-GREETING":
        return GREETING
    kinds = LOST + STATUS + BODIES + OTHER
    if not path.startswith("/email/domain/"):
        kinds = [kind for kind in kinds if kind not in ("expire_service", "suspend_service")]
    return kinds + (TASKS if method != "GET" else [])


def rule_of(method, path, kind, **more):
    rule = {"method": method, "kind": kind, **MORE.get(kind, {}), **more}
    if path:
        rule["path"] = path
    return rule


def spread(rows, count):
    """So many of them: each time the one whose call and fault were taken least."""
    calls, kinds, taken = collections.Counter(), collections.Counter(), []
    rest = list(rows)
    while rest and len(taken) < count:
        best = min(range(len(rest)), key=lambda n: (
            calls[rest[n][1]["method"], rest[n][1].get("path")] + kinds[rest[n][0]],
            hashlib.sha1(json.dumps(rest[n]).encode()).digest()))
        kind, rule = rest.pop(best)
        calls[rule["method"], rule.get("path")] += 1
        kinds[kind] += 1
        taken.append((kind, rule))
    return taken


# --- many of them ---

class Campaign:
    """trial(world, job, result) raises if the job was not survived; open_world() makes one more
    of what is given to run(), with a close() of its own."""

    def __init__(self, workers, open_world, trial):
        self.workers = workers
        self.open_world = open_world
        self.trial = trial
        self.lock = threading.Lock()
        self.jobs = queue.SimpleQueue()
        self.result = collections.Counter()
        self.failures = []

    def one(self, world, job):
        result, wrong = collections.Counter(), None
        try:
            self.trial(world, job, result)
        except (Wrong, AssertionError, RuntimeError, OSError, KeyError, ValueError,
                subprocess.SubprocessError) as why:
            wrong = f"{json.dumps(job)}: {why if isinstance(why, Wrong) else repr(why)}"
        with self.lock:
            self.result.update(result)
            self.result["tried"] += 1
            self.result["survived"] += not wrong
            if wrong:
                self.failures.append(wrong)
        return not wrong

    def work(self, world):
        """With a world of its own, or the one that is there already."""
        world = world or self.open_world()
        try:
            while True:
                self.one(world, self.jobs.get_nowait())
        except queue.Empty:
            pass
        finally:
            world.close()

    def run(self, world, jobs):
        for job in jobs:
            self.jobs.put(job)
        with concurrent.futures.ThreadPoolExecutor(self.workers) as pool:
            for future in [pool.submit(self.work, world if not number else None)
                           for number in range(self.workers)]:
                future.result()


def kinds_of(result, what):
    return sum(name.startswith(what + " ") for name in result)
