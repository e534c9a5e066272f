"""How programs are measured here: by turns, so that a busy machine is busy for each.

    taken = race({"ours": Contender(command), "theirs": Contender(command)}, rounds=20)
    paired(taken, "ours", "theirs")     the median of the ratios, each of two runs of one round

A command is a function of the number of the run (0, 1, …): a run that adds something has to add
something else each time.
"""

import collections
import dataclasses
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from typing import Callable

HERE = os.path.dirname(os.path.abspath(__file__))
WARM = 1  # runs that are not counted: they read from the disk
LIGHT_MS = 50

Run = collections.namedtuple("Run", "round ms cpu_ms")


@dataclasses.dataclass
class Command:
    words: list
    stdin: bytes = b""
    stdin_from: str = None  # or a file, which may be long
    env: dict = dataclasses.field(default_factory=dict)
    ends: tuple = (0,)  # exit statuses that are right
    before: Callable = None  # untimed


@dataclasses.dataclass
class Contender:
    command: Callable
    budget_s: float = 20.0  # a slow one takes part in fewer rounds, but in `least`
    least: int = 3


def open_stdin(command):
    if command.stdin_from:
        return os.open(command.stdin_from, os.O_RDONLY)
    reading, writing = os.pipe()
    os.write(writing, command.stdin)
    os.close(writing)
    return reading


def start(command, stdout):
    reading = open_stdin(command)
    begun = time.perf_counter()
    child = os.posix_spawnp(command.words[0], command.words, {**os.environ, **command.env},
                            file_actions=[(os.POSIX_SPAWN_DUP2, reading, 0),
                                          (os.POSIX_SPAWN_DUP2, stdout, 1),
                                          (os.POSIX_SPAWN_DUP2, stdout, 2)])
    os.close(reading)
    return begun, child


def once(command, number=0):
    """One run: its time, and that of the processor, in ms."""
    if command.before:
        command.before()
    with tempfile.TemporaryFile() as said:
        begun, child = start(command, said.fileno())
        _, status, usage = os.wait4(child, 0)
        took = time.perf_counter() - begun
        if os.waitstatus_to_exitcode(status) not in command.ends:
            said.seek(0)
            raise SystemExit(f"{' '.join(command.words)}: {os.waitstatus_to_exitcode(status)}\n"
                             + said.read(2000).decode(errors="replace"))
    return Run(number, took * 1000, (usage.ru_utime + usage.ru_stime) * 1000)


def settled(contender, made, light, name, turn):
    """A run; of a program whose first one was light the second of two: whoever comes behind one
    that filled the caches would pay for it."""
    run = once(contender.command(made[name]), turn)
    made[name] += 1
    if made[name] == 1:
        light[name] = run.ms < LIGHT_MS
    if light[name]:
        run = once(contender.command(made[name]), turn)
        made[name] += 1
    return run


def race(contenders, rounds=20):
    """The runs of each, by name."""
    taken = {name: [] for name in contenders}
    made = collections.Counter()
    light = {}
    spent = collections.Counter()
    names = list(contenders)
    for turn in range(rounds + WARM):
        for name in names[turn % len(names):] + names[:turn % len(names)]:
            contender = contenders[name]
            if spent[name] > contender.budget_s and len(taken[name]) >= contender.least:
                continue
            run = settled(contender, made, light, name, turn)
            spent[name] += run.ms / 1000
            slow = run.ms > 3000  # what takes seconds is as slow the second time
            if turn >= WARM or slow:
                taken[name].append(run)
    return taken


def median(runs):
    return statistics.median(run.ms for run in runs)


def paired(taken, ours, theirs):
    """ours / theirs: the median over the rounds in which both ran; else of the medians."""
    by_round = {run.round: run.ms for run in taken[theirs]}
    ratios = [run.ms / by_round[run.round] for run in taken[ours] if run.round in by_round]
    if len(ratios) < 3:
        return median(taken[ours]) / median(taken[theirs])
    return statistics.median(ratios)


# --- what does not depend on the clock ---

class Profile:
    """Instructions of a run, in all and by the object file that they are in."""

    def __init__(self, text):
        self.by_object = collections.Counter()
        names = {}
        current, called = None, False
        for line in text.splitlines():
            if line.startswith("ob="):
                match = re.match(r"ob=\((\d+)\)(?: (.*))?", line)
                names.setdefault(match[1], match[2])
                current = os.path.basename(names[match[1]] or "?")
            elif line.startswith("cob="):
                match = re.match(r"cob=\((\d+)\)(?: (.*))?", line)
                names.setdefault(match[1], match[2])
            elif line.startswith("calls="):
                called = True
            elif line[:1] in tuple("0123456789+-*"):
                if not called:  # else it is what the call cost: it stands at its own function
                    self.by_object[current] += int(line.split()[1])
                called = False
        self.total = sum(self.by_object.values())


def profile(command):
    with tempfile.NamedTemporaryFile() as out:
        once(dataclasses.replace(command, words=[
            "valgrind", "--quiet", "--tool=callgrind", "--log-file=/dev/null",
            f"--callgrind-out-file={out.name}", *command.words]))
        with open(out.name, encoding="utf-8") as file:
            return Profile(file.read())


def instructions(command):
    return profile(command).total


def system_calls(command, *names):
    """How often each was made, by name; of `openat`, the files that were opened."""
    with tempfile.NamedTemporaryFile("r") as out:
        once(dataclasses.replace(command, words=[
            "strace", "-f", "-qq", "-e", "trace=" + ",".join((*names, "openat")), "-o", out.name,
            *command.words]))
        text = out.read()
    counts = collections.Counter(re.findall(r"^\d+ +(\w+)\(", text, re.M))
    opened = re.findall(r'openat\([^"]*"([^"]+)"[^\n]*= \d+$', text, re.M)
    return counts, opened


def resident_kib(command):
    """The most that was resident. GNU time is a small parent; Python's size would be counted."""
    with tempfile.NamedTemporaryFile("r") as out:
        once(dataclasses.replace(command, words=["/usr/bin/time", "-q", "-f", "%M", "-o", out.name,
                                                 *command.words]))
        return int(out.read().split()[-1])


def first_byte(command):
    """When the first byte came, as a part of the whole run."""
    begun = time.perf_counter()
    with subprocess.Popen(command.words, env={**os.environ, **command.env},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL) as child:
        child.stdout.read(1)
        first = time.perf_counter() - begun
        while child.stdout.read(1 << 20):
            pass
        child.wait()
    return first / (time.perf_counter() - begun)


# --- where it was measured ---

def line_of(path, name):
    with open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith(name):
                return line.split(":", 1)[1].strip()
    return "?"


def file_system(path):
    done = subprocess.run(["findmnt", "-n", "-o", "FSTYPE", "-T", path], capture_output=True,
                          text=True)
    return done.stdout.strip() or "?"


def version_of(*words):
    try:
        done = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    except OSError:
        return None
    match = re.search(r"\d+\.\d+(\.\d+)*", done.stdout + done.stderr)
    return match[0] if match else "?"


def sync_ms(folder):
    """What it takes to make 4 KiB durable: the disk's part of each write."""
    taken = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(30):
            os.write(file.fileno(), bytes(4096))
            begun = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append((time.perf_counter() - begun) * 1000)
    return statistics.median(taken)


def description(folder):
    memory = int(line_of("/proc/meminfo", "MemTotal").split()[0]) / 2**20
    tools = {"age": ("age", "--version"), "gpg": ("gpg", "--version"), "pass": ("pass", "version"),
             "keepassxc-cli": ("keepassxc-cli", "--version")}
    found = ", ".join(f"{name} {version_of(*words)}" for name, words in tools.items()
                      if version_of(*words))
    return (f"{line_of('/proc/cpuinfo', 'model name')}, {os.cpu_count()} cores, {memory:.0f} GiB, "
            f"Linux {os.uname().release.split('-')[0]}, {file_system(folder)}, where making 4 KiB "
            f"durable takes {sync_ms(folder):.2f} ms; {found}")


def processor_s():
    """Processor seconds that all processes of the machine have used."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, *rest = (int(word) for word in file.readline().split()[1:8])
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


class Others:
    """What other programs than this one, and those it waited for, used of the processors."""

    def __init__(self):
        self.at = self.now()

    @staticmethod
    def now():
        return time.monotonic(), processor_s(), sum(os.times()[:4])

    def share(self):
        took, busy, own = (b - a for a, b in zip(self.at, self.now()))
        return max(0.0, busy - own) / took / os.cpu_count()


def note(text):
    print(text, file=sys.stderr, flush=True)
