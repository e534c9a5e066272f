#!/usr/bin/env python3
"""Bulk rotation against what the server allows, and against an ideal client.

    bench_bulk.py BUILD [--mailboxes N] [--clients N] [--families F,...] [--jobs N]
                  [--latency MS] [--rate PER_MIN] [--runs limited,free,unknown] [--band X]
                  [--json FILE] [--depart] [--system-ca]

The clients take the back-ends in turn: client c has its mailboxes in family c % 5. Each has an
OVH account, a key, a domain and a service of its own. Tasks end at once: how long OVH takes for
one is OVH's affair, not this program's.

  limited  the server answers after its latency and refuses what comes faster than the rate.
           Ideal: the key with the most to do, (requests - burst) / rate, or all requests
           at so many at once, whichever takes longer.
  unknown  the server has the rate, but nobody has told the client's row: it is learned from
           refusals. Told: what was still refused when a key had backed off once.
  free     no rate. Ideal: bench_ideal, a bare libcurl multi client with as many transfers at
           once, which makes the same requests and logins and nothing else.

Both print the time, the ideal, the ratio, the refused requests, the largest resident size, and
what others used of the processors meanwhile: above a few per cent the figures are theirs, too.
The negative pass, one refused login a mailbox, is told apart.
Exit 1 if a ratio is over --band (nothing is checked without it).

With --system-ca the simulator's CA is among the system's certificates, as OVH's is, in place of
being the only one: what a connection costs in earnest. The ideal client has the one alone.

With --depart it is not `rotate '*'` but the departure of somebody who could read all: two
looks at each account for other ways in, the same rotations between them, and the report.
"""

import argparse
import collections
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.system_ca import SystemCa  # noqa: E402
from support.world import World  # noqa: E402

BURST = 30
FAMILIES = ["email/domain", "email/mxplan", "email/pro", "email/exchange", "zimbra"]
BACK_OFF_MS = 1000
OWN_PACE_S = 2  # at OVH's own mail servers one refused login in so many seconds


class Field:
    """A simulator with many clients, each with an account, a key and a domain of its own."""

    def __init__(self, world, mailboxes, clients, families=("email/domain",)):
        self.world = world
        self.clients = clients
        self.count = mailboxes
        self.families = [families[c % len(families)] for c in range(clients)]
        self.keys = [f"bulkconsumerkeynumber{c:011d}" for c in range(clients)]
        seeded = world.control("POST", "/seed", self.seed())
        self.key_of_credential = {row["id"]: row["consumer_key"]
                                  for row in seeded["credentials"]}
        world.run("init", check=0)
        for c in range(clients):
            self.add_client(c)

    def nic(self, c):
        return f"bk{c}-ovh"

    def seed(self):
        seed = {"nics": [], "domains": [], "services": [], "credentials": []}
        for c, family in enumerate(self.families):
            mail = {"nic": self.nic(c), "accounts": [
                {"name": f"box{i}", "password": f"First-Pass-{i}-word"}
                for i in range(c, self.count, self.clients)]}
            if family == "email/domain":
                seed["domains"].append({"domain": f"d{c}.example", **mail})
            else:
                seed["services"].append({"family": family.split("/")[-1],
                                         "domains": [f"d{c}.example"], **mail})
            seed["nics"].append({"nichandle": self.nic(c)})
            seed["credentials"].append({
                "application_key": self.world.ready["application_key"],
                "consumer_key": self.keys[c], "nic": self.nic(c), "status": "validated",
                "rules": [{"method": m, "path": "/*"} for m in ("GET", "POST", "PUT", "DELETE")]})
        return seed

    def add_client(self, c):
        world = self.world
        world.run("client", "add", f"c{c}", "--nic", self.nic(c), "--domain",
                  f"d{c}.example", "--endpoint", world.ready["endpoint"], "--imap",
                  world.ready["imap"], "--rate", "0", "--settle", "1s", "--login-cache", "1s",
                  "--failed-logins", "16/1s", check=0)
        with tempfile.NamedTemporaryFile("w", suffix=".conf") as conf:
            os.chmod(conf.name, 0o600)
            conf.write("[default]\nendpoint=own\n[own]\n"
                       f"endpoint={world.ready['endpoint']}\n"
                       f"application_key={world.ready['application_key']}\n"
                       f"application_secret={world.ready['application_secret']}\n"
                       f"consumer_key={self.keys[c]}\n")
            conf.flush()
            world.run("ovh", "link", f"c{c}", "--config", conf.name, "--accept-wide", check=0)

    def addresses(self):
        return [f"box{i}@d{i % self.clients}.example" for i in range(self.count)]

    def set_rate(self, per_min):
        for c in range(self.clients):
            self.world.run("client", "set", f"c{c}", "--rate",
                           f"{per_min}/min" if per_min else "0", check=0)

    def family_of(self, call):
        """The back-end of the client whose key made the call; None for an unsigned one."""
        key = self.key_of_credential.get(call["credential"])
        return self.families[self.keys.index(key)] if key else None


def busy_s():
    """Processor seconds that all processes of the machine have used."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, *rest = (int(word) for word in file.readline().split()[1:8])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


def used_s(pid):
    """Processor seconds of one process."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Others:
    """What neither we nor the simulator used of the processors, from 0 to 1."""

    def __init__(self, world):
        self.pid = world.sim.pid
        self.at = self.now()

    def now(self):
        own = sum(os.times()[:4]) + used_s(self.pid)
        return time.monotonic(), busy_s(), own

    def share(self):
        took, busy, own = (b - a for a, b in zip(self.at, self.now()))
        return max(0.0, busy - own) / took / os.cpu_count()


def run_measured(world, *args, timeout=3600, ca=None):
    """(seconds, largest resident KiB, CPU seconds, completed process)"""
    prefix, env = ["/usr/bin/time", "-f", "RSS %M %U %S"], world.env()
    if ca:
        prefix = ca.words() + prefix
        del env["PASSATION_CA_FILE"]
    world.control("DELETE", "/log")
    begun = time.monotonic()
    done = world.run(*args, timeout=timeout, prefix=prefix, env=env)
    took = time.monotonic() - begun
    words = [line for line in done.stderr.splitlines() if line.startswith("RSS ")][-1].split()
    return took, int(words[1]), float(words[2]) + float(words[3]), done


def read_log(world):
    calls = world.control("GET", "/log")
    return calls["log"]


def logins(world):
    counters = world.control("GET", "/state")["counters"]
    return counters["logins_accepted"], counters["logins_refused"]


def refused_later(calls):
    """The refused requests (429) of a key after its first back-off. That lasts a second at least,
    in which what was under way already is refused, too."""
    first, later = {}, 0
    for call in calls:
        if call["status"] == 429:
            began_ms = first.setdefault(call["credential"], call["at_ms"])
            later += call["at_ms"] > began_ms + BACK_OFF_MS
    return later


def tell(run, ideal):
    calls = run["calls"]
    refused = sum(1 for call in calls if call["status"] == 429)
    requests = max(1, len(calls))
    row = {"name": run["name"], "seconds": run["took"], "ideal": ideal,
           "ratio": run["took"] / ideal, "requests": len(calls), "refused": refused,
           "logins_accepted": run["accepted"], "logins_refused": run["denied"],
           "refused_later": refused_later(calls), "lost": run["lost"],
           "rss_kib": run["rss"], "cpu_s": run["cpu"], "others": run["others"]}
    print(f"{run['name']:8} {row['seconds']:8.2f} s  ideal {ideal:8.2f} s  ratio {row['ratio']:5.2f}"
          f"  requests {requests}  refused {refused}  CPU {1000 * run['cpu'] / requests:.2f} ms a "
          f"request  resident {run['rss'] / 1024:.1f} MiB  others {100 * run['others']:.0f} %",
          flush=True)
    return row


def tell_families(field, calls):
    """What a mailbox costs in requests, and the client of it that has the most to do."""
    by_key = collections.Counter((call["credential"], field.family_of(call)) for call in calls)
    counted = collections.Counter(field.families[i % field.clients] for i in range(field.count))
    for family in dict.fromkeys(field.families):
        counts = [n for (_, its), n in by_key.items() if its == family]
        print(f"  {family:15} {sum(counts) / max(1, counted[family]):5.2f} requests a mailbox, "
              f"at most {max(counts, default=0)} a client", flush=True)


def tell_negative(run, alone=None):
    """One refused login a mailbox. It is part of the run at a server that is given by URL."""
    by_itself = "" if alone is None else f"; alone, by the ideal client, {alone:.2f} s"
    print(f"  the negative pass: {run['denied']} refused logins{by_itself}; at OVH's own servers "
          f"{run['denied'] * OWN_PACE_S} s, whatever the machine", flush=True)


def check(done, count):
    """How many were not rotated, which has to be none."""
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    summary = next((line["summary"] for line in lines if "summary" in line), {})
    if done.returncode not in (0, 12) or summary.get("rotated") != count:
        raise RuntimeError(f"exit {done.returncode}: {summary} {done.stdout[-600:]} {done.stderr[-400:]}")
    return count - summary["rotated"]


def grant_all(field, person):
    """Somebody who has been issued every password."""
    world = field.world
    key = os.path.join(world.home, person)
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    world.run("person", "add", person, "--kind", "provider", "--key", key + ".pub", check=0)
    world.run("grant", person, "*", "-o", world.home, check=0, timeout=3600)


def change_all(name, field, options):
    """One bulk rotation, or departure, and all that was seen of it."""
    world = field.world
    words = ["rotate", "*"]
    if options.depart:
        grant_all(field, name)
        words = ["depart", name, "-o", world.home]
    before = logins(world)
    others = Others(world)
    ca = None
    if options.system_ca:
        ca = SystemCa.with_more(os.path.join(world.home, "system.pem"), world.ready["ca"])
    took, rss, cpu, done = run_measured(world, "--json", *words, "--jobs", str(options.jobs), ca=ca)
    share = others.share()
    lost = check(done, field.count)
    accepted, denied = (now - then for now, then in zip(logins(world), before))
    return {"name": name, "took": took, "rss": rss, "cpu": cpu, "calls": read_log(world),
            "accepted": accepted, "denied": denied, "others": share, "lost": lost}


def limited(field, options, is_known=True):
    world = field.world
    world.control("POST", "/set", {"latency_ms": options.latency,
                                   "rate_per_min": options.rate, "rate_burst": BURST})
    field.set_rate(options.rate if is_known else 0)
    run = change_all("limited" if is_known else "unknown", field, options)
    calls = run["calls"]
    # What needs no key, the clock, has no rate; what was refused is no work that had to be done.
    by_key = collections.Counter(call["credential"] for call in calls
                                 if call["credential"] and call["status"] != 429)
    by_rate = max((n - BURST) / (options.rate / 60) for n in by_key.values())
    by_latency = len(calls) * options.latency / 1000 / options.jobs
    world.control("POST", "/set", {"rate_per_min": 0, "latency_ms": 0})
    field.set_rate(0)
    row = tell(run, max(by_rate, by_latency))
    print(f"  {options.rate} a minute and key: {by_rate:.2f} s by the rate, {by_latency:.2f} s by "
          f"the latency", flush=True)
    tell_families(field, calls)
    tell_negative(run)
    return row


def unknown(field, options):
    return limited(field, options, is_known=False)


def free(field, options):
    world = field.world
    world.control("POST", "/set", {"latency_ms": options.latency})
    run = change_all("free", field, options)
    ideal = Ideal(field, options)
    took, cpu_s = ideal.replay(run)
    alone = ideal.negative(run["denied"])
    world.control("POST", "/set", {"latency_ms": 0})
    row = tell(run, took) | {"ideal_cpu_s": cpu_s}
    tell_families(field, run["calls"])
    tell_negative(run, alone)
    return row


class Ideal:
    """The same requests, signed by the same keys, with bodies of the same size, and as many
    logins; done by bench_ideal. A password is set to what it is, so that every order of
    requests and logins comes to the same."""

    def __init__(self, field, options):
        self.field = field
        self.options = options
        self.ready = field.world.ready
        self.origin = self.ready["endpoint"].rsplit("/", 1)[0]
        rows = field.world.control("GET", "/state")["mailboxes"]
        wanted = set(field.addresses())
        self.passwords = {row["address"]: row["password"] for row in rows
                          if row["address"] in wanted}
        self.by_id = {row["id"]: row["address"] for row in rows if row["family"] == "zimbra"}

    def mailbox_of(self, path):
        words = path.split("/")
        if words[1] == "v2":
            return self.by_id[words[6]]
        name = words[words.index("account") + 1]
        return name if "@" in name else f"{name}@{words[3]}"

    def body(self, call):
        """Of the size that was sent; what passation says besides the password is blanks here."""
        if not call["body_size"]:
            return ""
        password = {"password": self.passwords[self.mailbox_of(call["path"])]}
        body = {"targetSpec": password} if call["path"].startswith("/v2/") else password
        text = json.dumps(body, separators=(",", ":")).ljust(call["body_size"])
        if len(text.encode()) != call["body_size"]:
            raise RuntimeError(f"no body of {call['body_size']} bytes for {call['path']}")
        return text

    def request(self, call):
        url, body = self.origin + call["target"], self.body(call)
        words = [call["method"], url, body]
        key = self.field.key_of_credential.get(call["credential"])
        if key:
            now = str(int(time.time()))
            signed = "+".join([self.ready["application_secret"], key, call["method"], url, body,
                               now])
            words += [f"X-Ovh-Application: {self.ready['application_key']}",
                      f"X-Ovh-Consumer: {key}", f"X-Ovh-Timestamp: {now}",
                      "X-Ovh-Signature: $1$" + hashlib.sha1(signed.encode()).hexdigest()]
        if body:
            words.append("Content-Type: application/json")
        return "\t".join(words)

    def logins(self, accepted, denied):
        """So many of each, mixed, over all mailboxes in turn."""
        boxes = list(self.passwords.items())
        for i in range(accepted + denied):
            # The refused ones at even distances between the others.
            is_denied = (i + 1) * denied // (accepted + denied) > i * denied // (accepted + denied)
            address, password = boxes[i % len(boxes)]
            yield "\t".join(["LOGIN", self.ready["imap"], address,
                             "refused" if is_denied else password])

    def run(self, lines, expected):
        with tempfile.NamedTemporaryFile("w", suffix=".plan") as plan:
            plan.writelines(line + "\n" for line in lines)
            plan.flush()
            begun = time.monotonic()
            done = subprocess.run([os.path.join(self.options.build, "tests", "bench_ideal"),
                                   self.ready["ca"], str(self.options.jobs), plan.name],
                                  check=True, stdout=subprocess.PIPE, text=True)
            took = time.monotonic() - begun
        answers = json.loads(done.stdout)
        if any(answers[name] != count for name, count in expected.items()):
            raise RuntimeError(f"the ideal client had {answers}, not {expected}")
        return took

    def replay(self, run):
        """In the order of the run, with the logins spread over it as they were: seconds, and those
        of the processor."""
        calls, world = run["calls"], self.field.world
        lines, made = [], 0
        entries = list(self.logins(run["accepted"], run["denied"]))
        for i, call in enumerate(calls):
            lines.append(self.request(call))
            until = (i + 1) * len(entries) // len(calls)
            lines += entries[made:until]
            made = until
        good = sum(1 for call in calls if call["status"] < 300)
        # What is signed now is sent later.
        world.control("POST", "/set", {"tolerance_s": 3600})
        others, before = Others(world), os.times()
        took = self.run(lines, {"done": good, "refused": len(calls) - good,
                                "accepted": run["accepted"], "denied": run["denied"]})
        share, after = others.share(), os.times()
        world.control("POST", "/set", {"tolerance_s": 300})
        cpu = sum(after[2:4]) - sum(before[2:4])
        print(f"ideal    {took:8.2f} s  requests {len(calls)}  logins {run['accepted']} accepted, "
              f"{run['denied']} refused  CPU {1000 * cpu / max(1, len(calls)):.2f} ms a request  "
              f"others {100 * share:.0f} %", flush=True)
        return took, cpu

    def negative(self, denied):
        return self.run(self.logins(0, denied), {"denied": denied}) if denied else 0.0


RUNS = {"limited": limited, "unknown": unknown, "free": free}


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
    parser.add_argument("--depart", action="store_true")
    parser.add_argument("--system-ca", action="store_true")
    parser.add_argument("--json")
    parser.add_argument("--families", default=",".join(FAMILIES),
                        help="back-ends that the clients take in turn")
    options = parser.parse_args()
    families = options.families.split(",")
    if not set(families) <= set(FAMILIES):
        parser.error("families: " + ", ".join(FAMILIES))
    results = []

    with World(options.build) as world:
        field = Field(world, options.mailboxes, options.clients, families)
        world.control("POST", "/set", {"task_delay_ms": 0, "slot_delay_ms": 0,
                                       "front_delay_ms": 0})
        took, rss, _, done = run_measured(world, "--json", "role", "adopt", *field.addresses())
        if done.returncode:
            raise RuntimeError(done.stdout[-400:] + done.stderr[-400:])
        print(f"{options.mailboxes} mailboxes over {options.clients} clients; taken over in "
              f"{took:.1f} s, resident {rss / 1024:.1f} MiB", flush=True)
        for name in options.runs.split(","):
            results.append(RUNS[name](field, options))
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file, indent=1)
    if options.band and any(row["ratio"] > options.band for row in results):
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
