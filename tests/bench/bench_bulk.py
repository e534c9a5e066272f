#!/usr/bin/env python3
"""Bulk rotation against what the server allows, and against an ideal client.

    bench_bulk.py BUILD [--mailboxes N] [--clients N] [--jobs N] [--latency MS] [--rate PER_MIN]
                  [--runs limited,free] [--band X] [--json FILE]

  limited  the server answers after its latency and refuses what comes faster than the rate.
           Ideal: the client with the most to do, (requests - burst) / rate, or all requests
           at so many at once, whichever takes longer.
  free     no rate. Ideal: bench_ideal, a bare libcurl multi client with as many transfers at
           once, which makes the same requests and logins and nothing else.

Both print the time, the ideal, the ratio, the refused requests and the largest resident size.
Exit 1 if a ratio is over --band (nothing is checked without it).
"""

import argparse
import collections
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.world import World  # noqa: E402

BURST = 30


class Field:
    """A simulator with many clients, each with a key and a domain of its own."""

    def __init__(self, world, mailboxes, clients):
        self.world = world
        self.clients = clients
        self.count = mailboxes
        domains, credentials = [], []
        for c in range(clients):
            own = range(c, mailboxes, clients)
            domains.append({
                "domain": f"d{c}.example", "nic": world.ready["nic"],
                "accounts": [{"name": f"box{i}", "password": f"First-Pass-{i}-word"}
                             for i in own]})
            credentials.append({
                "application_key": world.ready["application_key"],
                "consumer_key": f"bulkconsumerkeynumber{c:011d}", "nic": world.ready["nic"],
                "status": "validated",
                "rules": [{"method": m, "path": "/*"} for m in ("GET", "POST", "PUT", "DELETE")]})
        world.control("POST", "/seed", {"domains": domains, "credentials": credentials})
        world.run("init", check=0)
        for c in range(clients):
            self.add_client(c, credentials[c]["consumer_key"])

    def add_client(self, c, key):
        world = self.world
        world.run("client", "add", f"c{c}", "--nic", world.ready["nic"], "--domain",
                  f"d{c}.example", "--endpoint", world.ready["endpoint"], "--imap",
                  world.ready["imap"], "--rate", "0", "--settle", "1s", "--login-cache", "1s",
                  "--failed-logins", "16/1s", check=0)
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as conf:
            os.chmod(conf.name, 0o600)
            conf.write("[default]\nendpoint=own\n[own]\n"
                       f"endpoint={world.ready['endpoint']}\n"
                       f"application_key={world.ready['application_key']}\n"
                       f"application_secret={world.ready['application_secret']}\n"
                       f"consumer_key={key}\n")
            conf.flush()
            world.run("ovh", "link", f"c{c}", "--config", conf.name, "--accept-wide", check=0)

    def addresses(self):
        return [f"box{i}@d{i % self.clients}.example" for i in range(self.count)]

    def set_rate(self, per_min):
        for c in range(self.clients):
            self.world.run("client", "set", f"c{c}", "--rate",
                           f"{per_min}/min" if per_min else "0", check=0)


def run_measured(world, *args, timeout=3600):
    """(seconds, largest resident KiB, CPU seconds, completed process)"""
    world.control("DELETE", "/log")
    begun = time.monotonic()
    done = world.run(*args, timeout=timeout, prefix=("/usr/bin/time", "-f", "RSS %M %U %S"))
    took = time.monotonic() - begun
    words = [line for line in done.stderr.splitlines() if line.startswith("RSS ")][-1].split()
    return took, int(words[1]), float(words[2]) + float(words[3]), done


def read_log(world):
    calls = world.control("GET", "/log")
    return calls["log"]


def tell(name, took, ideal, rss, cpu, calls, extra=""):
    refused = sum(1 for call in calls if call["status"] == 429)
    requests = max(1, len(calls))
    print(f"{name:8} {took:8.2f} s  ideal {ideal:8.2f} s  ratio {took / ideal:5.2f}  "
          f"requests {len(calls)}  refused {refused}  CPU {1000 * cpu / requests:.2f} ms a request"
          f"  resident {rss / 1024:.1f} MiB{extra}", flush=True)
    return {"name": name, "seconds": took, "ideal": ideal, "ratio": took / ideal,
            "requests": len(calls), "refused": refused, "rss_kib": rss, "cpu_s": cpu}


def check(done, count):
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    summary = next((line["summary"] for line in lines if "summary" in line), {})
    if done.returncode != 0 or summary.get("rotated") != count:
        raise RuntimeError(f"exit {done.returncode}: {summary} {done.stdout[-600:]} {done.stderr[-400:]}")


def limited(field, options):
    world = field.world
    world.control("POST", "/set", {"latency_ms": options.latency, "task_delay_ms": 0,
                                   "rate_per_min": options.rate, "rate_burst": BURST})
    field.set_rate(options.rate)
    took, rss, cpu, done = run_measured(world, "--json", "rotate", "*", "--jobs",
                                        str(options.jobs))
    check(done, field.count)
    calls = read_log(world)
    by_key = collections.Counter(call["credential"] for call in calls)
    by_rate = max((n - BURST) / (options.rate / 60) for n in by_key.values())
    by_latency = len(calls) * options.latency / 1000 / options.jobs
    world.control("POST", "/set", {"rate_per_min": 0, "latency_ms": 0})
    field.set_rate(0)
    return tell("limited", took, max(by_rate, by_latency), rss, cpu, calls)


def free(field, options):
    world = field.world
    world.control("POST", "/set", {"latency_ms": options.latency, "task_delay_ms": 0})
    took, rss, cpu, done = run_measured(world, "--json", "rotate", "*", "--jobs",
                                        str(options.jobs))
    check(done, field.count)
    calls = read_log(world)
    ideal = ideal_time(field, options, calls)
    world.control("POST", "/set", {"latency_ms": 0})
    return tell("free", took, ideal, rss, cpu, calls)


def ideal_time(field, options, calls):
    """The same requests, in the same number, and three logins for each mailbox."""
    world = field.world
    wanted = set(field.addresses())
    with tempfile.NamedTemporaryFile("w", suffix=".plan") as plan:
        for call in calls:
            plan.write(f"{call['method']} {world.ready['endpoint']}{call['path']}\n")
        for row in world.control("GET", "/state")["mailboxes"]:
            if row["address"] in wanted:
                for password in (row["password"], row["password"], "refused"):
                    plan.write(f"LOGIN {world.ready['imap']} {row['address']} {password}\n")
        plan.flush()
        begun, before = time.monotonic(), os.times()
        subprocess.run([os.path.join(options.build, "tests", "bench_ideal"), world.ready["ca"],
                        str(options.jobs), plan.name], check=True)
        took, after = time.monotonic() - begun, os.times()
        cpu = sum(after[2:4]) - sum(before[2:4])
        print(f"ideal    {took:8.2f} s  CPU {1000 * cpu / max(1, len(calls)):.2f} ms a request")
        return took


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--mailboxes", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--jobs", type=int, default=16)
    parser.add_argument("--latency", type=int, default=50)
    parser.add_argument("--rate", type=int, default=60)
    parser.add_argument("--runs", default="limited,free")
    parser.add_argument("--band", type=float)
    parser.add_argument("--json")
    options = parser.parse_args()
    results = []

    with World(options.build) as world:
        field = Field(world, options.mailboxes, options.clients)
        world.control("POST", "/set", {"task_delay_ms": 0})
        took, rss, _, done = run_measured(world, "--json", "role", "adopt", *field.addresses())
        if done.returncode:
            raise RuntimeError(done.stdout[-400:] + done.stderr[-400:])
        print(f"{options.mailboxes} mailboxes over {options.clients} clients; taken over in "
              f"{took:.1f} s, resident {rss / 1024:.1f} MiB", flush=True)
        for name in options.runs.split(","):
            results.append({"limited": limited, "free": free}[name](field, options))
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)
    if options.band and any(row["ratio"] > options.band for row in results):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
