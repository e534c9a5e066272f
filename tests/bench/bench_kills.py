"""A bulk rotation that is killed, and goes on: what it does again.

    bench_kills.py BUILD [--mailboxes 40] [--jobs 8] [--kills 6] [--json FILE]

One run for each kill, after another number of requests, spread over the whole. Told: how many
passwords were sent again, and of these how many whose first answer could not have been lost, since
as many requests as there are jobs had ended after it.
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from bench_bulk import Field, read_log  # noqa: E402
from support.world import World  # noqa: E402

FAMILIES = ["email/domain", "email/pro"]


def sent(calls):
    """Where each password went to, in the order of the requests: (place, path)."""
    return [(place, call["path"]) for place, call in enumerate(calls)
            if call["path"].endswith("/changePassword")]


def kill_after(field, requests, jobs):
    """Starts a rotation, and kills it when so many requests were answered. None: it was done."""
    world = field.world
    world.control("DELETE", "/log")
    run = subprocess.Popen(world.command("rotate", "*", "--jobs", str(jobs)), env=world.env(),
                           stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
    while len(read_log(world)) < requests and run.poll() is None:
        time.sleep(0.005)
    run.kill()
    run.wait()
    time.sleep(0.2)  # what the simulator still has of it
    return len(read_log(world))


def one(field, requests, jobs):
    before = kill_after(field, requests, jobs)
    field.world.run("resume", check=0, timeout=600)
    calls = read_log(field.world)
    counts = collections.Counter(path for _, path in sent(calls))
    again = {path for path, count in counts.items() if count > 1}
    long_done = {path for place, path in sent(calls[:before - jobs])} if before > jobs else set()
    for role in field.world.json("role", "ls")["roles"]:
        if role["state"] != "stable":
            raise RuntimeError(f"not done: {role}")
    return {"killed_after": before, "requests": len(calls), "mailboxes": field.count, "jobs": jobs,
            "repeated": sum(counts[path] - 1 for path in again), "twice": len(again & long_done)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--mailboxes", type=int, default=40)
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--kills", type=int, default=6)
    parser.add_argument("--json")
    options = parser.parse_args()
    rows = []
    with World(options.build) as world:
        field = Field(world, options.mailboxes, 4, FAMILIES)
        world.control("POST", "/set", {"task_delay_ms": 0, "slot_delay_ms": 0, "latency_ms": 10})
        world.run("role", "adopt", *field.addresses(), check=0, timeout=600)
        whole = one(field, 1 << 30, options.jobs)["requests"]
        for index in range(options.kills):
            row = one(field, 2 + whole * index // options.kills, options.jobs)
            print("killed after {killed_after} of {requests} requests: {repeated} again, {twice} "
                  "of them for nothing".format(**row), flush=True)
            rows.append(row)
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(rows, file, indent=1)
    return 1 if any(row["repeated"] > row["jobs"] for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
