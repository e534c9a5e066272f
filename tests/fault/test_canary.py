#!/usr/bin/env python3
"""Where secrets may not be: argv, environment, files, output, and memory after their last use.

    test_canary.py BUILD

Every secret of a world is known: passphrase, recovery code, mailbox passwords of all versions, a
typed secret, the OVH keys, the vault's root key (which the agent gives to its own user). Each is
looked for raw, in hex, base64, UTF-16 and reversed:

- in what every process of the commands is started with and writes, by strace;
- in every file that they leave;
- in what they print, but for the reveals;
- in the whole memory of each command as it ends, error paths too (not of the child in which
  libzxcvbn measures a chosen passphrase, whose copies end with it);
- in the agent's memory: the root key in locked pages only while it is unlocked, and nowhere once
  its time is over, though the agent lives on for another vault. After `lock` there is no agent.

Without strace, or without root to read other processes' memory, it is skipped (77).
"""

import base64
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.cases import Cases, Fd, equal, exits, run, true  # noqa: E402
from support.record import record  # noqa: E402
from support.world import World  # noqa: E402

PASSPHRASE = b"canari-tunnel-moustache-73-abricot"
TYPED = "Canary-Stripe-51-Vermillon"
KNOWN = "Canary-Known-42-Pervenche"
BOX, OTHER, MISSING = (f"{name}@{World.DOMAIN}" for name in ("box0", "box1", "none"))


def encodings(secret):
    """The forms in which a secret could lie somewhere, by name."""
    forms = {"raw": secret, "hex": secret.hex().encode(), "HEX": secret.hex().upper().encode(),
             "reversed": secret[::-1], "UTF-16": secret.decode("latin-1").encode("utf-16-le")}
    for shift in range(3):
        # Only the characters that depend on nothing around the secret.
        text = base64.b64encode(b"\0" * shift + secret)
        forms[f"base64+{shift}"] = text[4 if shift else 0:len(text) - 4]
    return forms


class Needles:
    def __init__(self):
        self.forms = {}

    def add(self, name, secret):
        secret = secret.encode() if isinstance(secret, str) else secret
        true(len(secret) >= 8, f"{name} is too short to look for")
        for form, text in encodings(secret).items():
            self.forms[text] = f"{name} ({form})"
        self.pattern = re.compile(b"|".join(re.escape(text) for text in self.forms))

    def within(self, data):
        return sorted({self.forms[found] for found in self.pattern.findall(data)})


# --- memory ---

def mappings(pid):
    """(first, last, locked) of each mapping that can be read."""
    found = []
    with open(f"/proc/{pid}/smaps") as file:
        for line in file:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line)
            if head:
                found.append([int(head[1], 16), int(head[2], 16), head[3], False])
            elif line.startswith("Locked:"):
                found[-1][3] = int(line.split()[1]) > 0
    return [(a, b, locked) for a, b, mode, locked in found if mode.startswith("r")]


def scan_memory(pid, needles):
    """What is found in locked pages, and what elsewhere."""
    inside, outside, size = set(), set(), 0
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for first, last, locked in mappings(pid):
            try:
                memory.seek(first)
                data = memory.read(last - first)
            except (OSError, ValueError, OverflowError):
                continue
            size += len(data)
            (inside if locked else outside).update(needles.within(data))
    true(size > 100000, f"only {size} bytes of process {pid} could be read")
    return sorted(inside), sorted(outside)


# --- commands ---

class Traced:
    """Commands under strace, each held for a moment as it ends, while its memory is read."""

    HOLD_US = 1500000

    def __init__(self, world, needles, cases):
        self.world, self.needles, self.cases = world, needles, cases
        self.calls = self.commands = self.scans = 0
        self.traces = []

    def prefix(self):
        path = os.path.join(self.world.dir, f"trace.{self.commands}")
        self.commands += 1
        self.traces.append(path)
        return path, ["strace", "-f", "-v", "-xx", "-s", "65536", "-o", path,
                      "-e", "trace=execve,openat,write,pwrite64,writev,sendto,sendmsg,rename,link,exit_group",
                      "-e", f"inject=exit_group:delay_enter={self.HOLD_US}"]

    @staticmethod
    def command_of(path):
        """The command's own process: the first that the trace names."""
        if not os.path.exists(path):
            return None
        with open(path, "rb") as file:
            first = re.match(rb"(\d+) ", file.readline())
        return int(first[1]) if first else None

    def watch(self, path, done, seen):
        """Reads the command's memory as it stands before its end."""
        while not done.is_set() and not seen:
            pid = self.command_of(path)
            try:
                with open(f"/proc/{pid}/syscall") as file:
                    ending = file.read().split()[0] == "231"
                if ending and os.readlink(f"/proc/{pid}/exe") == self.world.binary:
                    seen.append(scan_memory(pid, self.needles))
            except (OSError, IndexError):
                pass
            time.sleep(0.02)

    def run(self, *args, status=0, reveals=False, **more):
        name = " ".join(word if isinstance(word, str) else "FD" for word in args)
        with self.cases.case(name):
            path, prefix = self.prefix()
            done, seen = threading.Event(), []
            watcher = threading.Thread(target=self.watch, args=(path, done, seen))
            watcher.start()
            try:
                ended = run(self.world, *args, prefix=prefix, **more)
            finally:
                done.set()
                watcher.join()
            exits(ended, status)
            true(seen, "its memory was not read as it ended")
            self.scans += len(seen)
            for locked, elsewhere in seen:
                equal((locked, elsewhere), ([], []), "memory at the end")
            if not reveals:
                equal(self.needles.within((ended.stdout + ended.stderr).encode()), [], "output")
            self.check_trace(path, reveals)
            return ended
        return None

    def check_trace(self, path, reveals):
        with open(path, "rb") as file:
            for line in file:
                self.calls += 1
                if reveals and re.search(rb" write\(1, ", line):
                    continue
                text = re.sub(rb"\\x([0-9a-f]{2})", lambda m: bytes([int(m[1], 16)]), line)
                equal(self.needles.within(text), [], f"system call {text[:80]!r}")


def scan_files(world, needles):
    """Every file of the world but what a user wrote there himself, and the traces."""
    count, allowed = 0, {world.identity, os.path.join(world.home, "recovery.txt")}
    for folder, _, names in os.walk(world.dir):
        if os.path.join(world.dir, "sim") in folder:
            continue
        for name in names:
            path = os.path.join(folder, name)
            if path in allowed or name.startswith("trace.") or not os.path.isfile(path):
                continue
            count += 1
            with open(path, "rb") as file:
                equal(needles.within(file.read()), [], path)
    return count


# --- the agent ---

def ask_agent(world, vault_id):
    """The key that the agent holds of a vault: docs/agent.md."""
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(os.path.join(world.home, "run/passation/agent.sock"))
        peer.sendall((b"PSNa\x01\x01\0\0" + vault_id).ljust(88, b"\0"))
        answer = b""
        while len(answer) < 88:
            part = peer.recv(88)
            true(part, "the agent hung up")
            answer += part
    return answer[40:72] if answer[5] == 128 else None


def agent_pids(world):
    found = []
    for name in os.listdir("/proc"):
        try:
            with open(f"/proc/{name}/cmdline", "rb") as file:
                words = file.read().split(b"\0")
            with open(f"/proc/{name}/environ", "rb") as file:
                ours = world.home.encode() in file.read()
        except (OSError, ValueError):
            continue
        if ours and b"agent" in words[1:] and words[0].endswith(b"passation"):
            found.append(int(name))
    return found


def vault_id(path):
    import sqlite3
    db = sqlite3.connect(path)
    box = db.execute("SELECT box FROM root").fetchone()[0]
    db.close()
    return box[1:17]


def the_agent(world, needles, cases):
    first = os.path.join(world.home, "data/passation/vault.db")
    second = os.path.join(world.dir, "second.db")
    exits(run(world, "--vault", second, "init"), 0)
    plain = Needles()
    with cases.case("while unlocked: the root key in locked pages of the agent, nothing else"):
        exits(run(world, "--no-input", "unlock", "--for", "1h", "--passphrase-fd",
                  Fd(PASSPHRASE), key=False), 0)
        plain.add("root key", ask_agent(world, vault_id(first)))
        pids = agent_pids(world)
        equal(len(pids), 1, "agents")
        locked, elsewhere = scan_memory(pids[0], plain)
        equal((locked, elsewhere), (["root key (raw)"], []))
        equal(scan_memory(pids[0], needles), ([], []), "other secrets")
        status = open(f"/proc/{pids[0]}/status").read()
        true(int(re.search(r"VmLck:\s+(\d+)", status)[1]) > 0, "no locked pages")
        for name in ("environ", "cmdline"):
            data = open(f"/proc/{pids[0]}/{name}", "rb").read()
            equal(needles.within(data) + plain.within(data), [], name)
    with cases.case("a key whose time is over is wiped, though the agent goes on"):
        exits(run(world, "--vault", second, "unlock", "--for", "1h"), 0)
        exits(run(world, "--no-input", "unlock", "--for", "1s", "--passphrase-fd",
                  Fd(PASSPHRASE), key=False), 0)
        time.sleep(2.5)
        equal(agent_pids(world), pids, "the agent")
        equal(ask_agent(world, vault_id(first)), None)
        true(ask_agent(world, vault_id(second)), "the second vault's key")
        equal(scan_memory(pids[0], plain), ([], []))
    with cases.case("after lock: no agent, and no process of ours has a secret"):
        exits(run(world, "--no-input", "unlock", "--passphrase-fd", Fd(PASSPHRASE), key=False), 0)
        exits(run(world, "--no-input", "show", BOX, "--reveal", key=False), 0)
        exits(run(world, "--no-input", "lock", key=False), 0)
        deadline = time.monotonic() + 60
        while agent_pids(world) and time.monotonic() < deadline:
            time.sleep(0.05)
        equal(agent_pids(world), [])


# --- a run that hangs at OVH ---

def a_long_run(world, needles, cases):
    """Meanwhile no one else can see a secret of it: argv, environment, and unlocked pages but
    libcurl's own copies of the request that is under way."""
    with cases.case("a run that waits for OVH keeps its passwords to itself"):
        world.control("POST", "/faults", [{"method": "GET", "path": "*/account/box1",
                                           "kind": "slow", "ms": 4000, "times": 1}])
        process = subprocess.Popen(world.command("rotate", OTHER), env=world.env(),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.DEVNULL)
        time.sleep(2)
        passwords = Needles()
        passwords.add("password", world.in_force(OTHER))
        for name in ("environ", "cmdline"):
            equal(needles.within(open(f"/proc/{process.pid}/{name}", "rb").read()), [], name)
        equal(scan_memory(process.pid, passwords)[1], [], "unlocked pages")
        equal(process.wait(60), 0)


def seed(world, needles):
    ready = world.ready
    exits(run(world, "init", "--passphrase-fd", Fd(PASSPHRASE), "--recovery-out",
              os.path.join(world.home, "recovery.txt")), 0)
    code = re.search(r"([0-9A-Z]{4}(-[0-9A-Z]{4}){6})",
                     open(os.path.join(world.home, "recovery.txt")).read())[1]
    needles.add("recovery code", code)
    needles.add("passphrase", PASSPHRASE)
    needles.add("typed secret", TYPED)
    needles.add("known password", KNOWN)
    needles.add("identity", re.search(r"AGE-SECRET-KEY-\S+", open(world.identity).read())[0])
    for name, value in re.findall(r"^(application_secret|consumer_key)\s*=\s*(\S+)",
                                  open(world.config).read(), re.M):
        needles.add(name, value)
    world.control("POST", "/set", {"task_delay_ms": 0})
    world.control("POST", "/seed", {"domains": [{
        "domain": World.DOMAIN, "nic": ready["nic"],
        "accounts": [{"name": f"box{i}", "password": KNOWN} for i in range(2)]}]})


def main():
    if os.geteuid() != 0 or not shutil.which("strace"):
        print("skipped: needs root and strace")
        return 77
    cases, needles = Cases(), Needles()
    with World(sys.argv[1]) as world:
        os.mkdir(os.path.join(world.home, "run"), 0o700)
        seed(world, needles)
        ready = world.ready
        traced = Traced(world, needles, cases)
        traced.run("client", "add", "essai", "--nic", ready["nic"], "--domain", World.DOMAIN,
                   "--endpoint", ready["endpoint"], "--imap", ready["imap"], "--rate", "0",
                   "--settle", "1s", "--login-cache", "1s", "--failed-logins", "16/1s")
        traced.run("ovh", "link", "essai", "--config", world.config, "--accept-wide")
        traced.run("ovh", "inventory", "essai")
        traced.run("role", "adopt", BOX, "--secret-fd", Fd(KNOWN.encode()))
        traced.run("role", "adopt", OTHER)
        traced.run("rotate", BOX)
        for address in (BOX, OTHER):
            for state, password in world.versions(address):
                needles.add(f"{address} {state}", password)
        traced.run("secret", "add", BOX, "stripe", "--secret-fd", Fd(TYPED.encode()))
        for args in (["role", "ls"], ["show", BOX], ["show", BOX, "--versions"],
                     ["secret", "ls", BOX], ["client", "show", "essai"], ["status"],
                     ["verify", BOX], ["resume"], ["log"], ["log", "--verify"], ["key", "show"],
                     ["slot", "ls"], ["backup", os.path.join(world.dir, "backup.db")],
                     ["client", "set", "essai", "--name", "Nom"]):
            traced.run(*args)
        traced.run("slot", "add", "paul", "--new-passphrase-fd",
                   Fd(b"girouette-sabot-plumeau-58-cerise"))
        traced.run("--vault", os.path.join(world.dir, "other.db"), "init", "--passphrase-fd",
                   Fd(PASSPHRASE))
        traced.run("show", BOX, "--reveal", reveals=True)
        traced.run("show", BOX, "stripe", "--reveal", "--json", reveals=True)
        # What is refused must not be remembered either.
        traced.run("rotate", MISSING, status=4)
        traced.run("role", "adopt", BOX, "--secret-fd", Fd(KNOWN.encode()), status=7)
        traced.run("secret", "add", BOX, "stripe", "--secret-fd", Fd(TYPED.encode()), status=7)
        traced.run("--no-input", "status", "--passphrase-fd", Fd(PASSPHRASE + b"x"), status=5,
                   key=False)
        traced.run("--no-input", "status", "--passphrase-fd", Fd(PASSPHRASE), key=False)
        with cases.case("files"):
            print(f"{scan_files(world, needles)} files scanned")
        a_long_run(world, needles, cases)
        the_agent(world, needles, cases)
        with cases.case("files, at the end"):
            scan_files(world, needles)
        print(f"{traced.commands} commands, {traced.calls} system calls, {traced.scans} memories "
              f"scanned for {len(needles.forms)} needles")
    good = 0 if cases.failed else 1
    record("2.8", "memories scanned", traced.scans, traced.scans * good)
    record("2.9", "system calls scanned", traced.calls, traced.calls * good)
    return cases.finish()


if __name__ == "__main__":
    sys.exit(main())
