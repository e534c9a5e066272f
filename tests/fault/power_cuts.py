#!/usr/bin/env python3
"""Power cuts on a real ext4: what the disk holds at that moment is all there is afterwards.

    power_cuts.py BUILD [--cuts N] [--seed S] [--workers N] [--only COMMAND…] [--run COMMAND:SEED]

A vault, its state and the folder for issues lie on an ext4 in a file, mounted through a loop
device. A command runs and is stopped after each of its calls; each time the file is copied as it
lies there, without what the kernel has not written yet. Now and then the kernel is made to write
one of the files early, as it may at any time. Of two copies between which something was written,
mixtures are made that a disk may hold when the current ends within a sync: any of the sectors,
as long as the file system's journal has not closed the transaction.

Each copy is mounted, which replays that journal, the mailboxes get the passwords that they had
then, and

  1. the vault opens, and all of it is sound from the first entry of its journal to the last;
  2. every password that opens a mailbox is in it; what the command had said to be done is there;
     what was not done is wholly as it was; no file with a final name is half;
  3. the command again, or `resume`, finishes; then nothing is left beside.

A cut is one such copy. Copies that are alike, with the same passwords at OVH and the same things
said, are judged once; `states` is the number of those that differ. First of all the method itself
is put to the proof: a file that nobody has synced must be lost.
"""

import argparse
import collections
import concurrent.futures
import os
import random
import subprocess
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from support import cuts, machine, stops  # noqa: E402
from support.record import record  # noqa: E402
from support.world import World  # noqa: E402

COMMANDS = {command.name: command for command in cuts.COMMANDS}
JOURNAL_MAGIC = bytes.fromhex("c03b3998")
COMMIT, SUPERBLOCKS = 2, (3, 4)
SECTOR = 512
USUAL_CUTS = 95  # of one run of a command, with the mixtures


def loses_what_is_not_synced(folder):
    """Puts the method to the proof."""
    disk, copy = (machine.Disk(os.path.join(folder, name)) for name in ("one", "two"))
    disk.make(8 << 20, 1024)
    at = os.path.join(folder, "at")
    os.mkdir(at)
    with disk.mounted(at):
        for name in ("kept", "lost"):
            fd = os.open(os.path.join(at, name), os.O_WRONLY | os.O_CREAT)
            os.write(fd, b"written")
            if name == "kept":
                os.fsync(fd)
            os.close(fd)
        with open(os.path.join(at, "lost"), "rb") as file:
            there = file.read()
        copy.put(disk.held(), disk.size)
    with copy.mounted(at):
        left = {}
        for name in os.listdir(at):
            if name != "lost+found":
                with open(os.path.join(at, name), "rb") as file:
                    left[name] = file.read()
    os.rmdir(at)
    return there == b"written" and left.get("kept") == b"written" and not left.get("lost")


# --- one run of a command, and what the disk held meanwhile ---

Cut = collections.namedtuple("Cut", "pieces in_force told what")


class Run:
    """Stops the command, and collects the cuts."""

    def __init__(self, rig, command, rng):
        self.rig, self.command, self.rng = rig, command, rng
        self.out = os.path.join(rig.world.dir, "output")
        self.cuts = []
        self.number = 0
        self.writes = None

    def look(self, what):
        writes = self.rig.disk.writes()
        if writes == self.writes:
            pieces = self.cuts[-1].pieces
        else:
            pieces = self.rig.disk.held()
            if self.cuts and self.cuts[-1].pieces == pieces:
                pieces = self.cuts[-1].pieces
        self.writes = writes
        in_force = self.rig.in_force() if self.command.at_ovh else self.rig.passwords
        told = self.command.tells and self.number > 0 and os.path.getsize(self.out) > 0
        self.cuts.append(Cut(pieces, in_force, told, what))

    def at_call(self, name):
        self.number += 1
        self.look(f"{name} (call {self.number})")
        if self.rng.random() < 0.1:
            self.write_early()

    def write_early(self):
        """The kernel takes one of the files to write, with the journal as it is then."""
        files = [os.path.join(folder, name) for folder, _, names in os.walk(self.rig.world.home)
                 for name in names]
        path = self.rng.choice(sorted(files))
        fd = os.open(path, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)
        self.look(f"{os.path.basename(path)} written early after call {self.number}")

    def go(self):
        rig = self.rig
        rig.fresh()
        with rig.disk.mounted(rig.place):
            self.look("nothing yet")
            words, fds = self.command.words(rig)
            for fd in fds:
                os.set_inheritable(fd, True)
            status = stops.run(rig.world.command(*words), rig.world.env(), self.out, self.at_call)
            for fd in fds:
                os.close(fd)
            self.look("its end")
        self.cuts[-1] = self.cuts[-1]._replace(told=True)
        if status:
            with open(self.out + ".err") as file:
                raise RuntimeError(f"{self.command.name}: exit {status}: {file.read()}")
        return self.cuts


def sectors(before, after):
    """Where two copies differ: [(offset of the piece, offset in it)]."""
    zero = bytes(machine.PIECE)
    found = []
    for offset in sorted({*before, *after}):
        old, new = before.get(offset, zero), after.get(offset, zero)
        if old != new:
            found += [(offset, at) for at in range(0, machine.PIECE, SECTOR)
                      if old[at:at + SECTOR] != new[at:at + SECTOR]]
    return found


def torn(before, after, rng):
    """What the disk may hold if the current ends while `after` is being written; None if that is
    not for us to say: where the file system moves the beginning of its journal."""
    zero, kept = bytes(machine.PIECE), []
    for offset, at in sectors(before, after):
        new = after.get(offset, zero)[at:at + 8]
        kind = int.from_bytes(new[4:], "big") if new.startswith(JOURNAL_MAGIC) else 0
        if kind in SUPERBLOCKS:
            return None
        if kind != COMMIT:
            kept.append((offset, at))
    if len(kept) < 2:
        return None
    share = rng.choice((0.2, 0.5, 0.8, 1))
    pieces = dict(before)
    for offset, at in kept:
        if rng.random() < share:
            old, new = pieces.get(offset, zero), after.get(offset, zero)
            pieces[offset] = old[:at] + new[at:at + SECTOR] + old[at + SECTOR:]
    return pieces


def with_torn(found, rng, each):
    """The cuts, and between two that differ some that are mixtures."""
    mixed = []
    for before, after in zip(found, found[1:]):
        mixed.append(before)
        if before.pieces is not after.pieces:
            for number in range(each):
                pieces = torn(before.pieces, after.pieces, rng)
                if pieces:
                    what = f"mixture {number + 1} before {after.what}"
                    mixed.append(before._replace(pieces=pieces, what=what))
    return mixed + found[-1:]


# --- many of them ---

class Worker:
    """A world whose home is on the disk, and the disk as it is before each command."""

    def __init__(self, build, block):
        self.world = World(build)
        self.world.__enter__()
        self.rig = cuts.Rig(self.world, block)

    def close(self):
        self.world.__exit__()

    def run(self, name, seed, at_most, each):
        """(tried, survived, states)"""
        rng = random.Random(f"{name}:{seed}")
        command = COMMANDS[name]
        found = with_torn(Run(self.rig, command, rng).go(), rng, each)
        if at_most < len(found):
            found = [found[index] for index in sorted(rng.sample(range(len(found)), at_most))]
        alike = {}
        for cut in found:
            key = id(cut.pieces), tuple(sorted(cut.in_force.items())), cut.told
            alike.setdefault(key, []).append(cut)
        survived = 0
        for group in alike.values():
            why = self.judge(command, group[0])
            if why:
                print(f"FAILED --run {name}:{seed}: {group[0].what} (and {len(group) - 1} alike): "
                      f"{why}", file=sys.stderr, flush=True)
            else:
                survived += len(group)
        return len(found), survived, len(alike)

    def judge(self, command, cut):
        """What is wrong with what it left, or None."""
        rig = self.rig
        rig.disk.put(cut.pieces, rig.disk.size)
        rig.set_in_force(cut.in_force)
        try:
            with rig.disk.mounted(rig.place):
                rig.check(command, cut.told, cut.in_force)
        except (AssertionError, RuntimeError, OSError, KeyError, ValueError, cuts.Wrong,
                subprocess.SubprocessError) as why:
            at = traceback.extract_tb(why.__traceback__)[-1]
            return f"{type(why).__name__} in {at.name}: {why}"
        return None


def work(build, number, jobs, at_most, each):
    """A share of the runs, in a process of its own."""
    worker = Worker(build, (1024, 4096)[number % 2])
    try:
        return [(name, *worker.run(name, seed, at_most, each)) for name, seed in jobs]
    finally:
        worker.close()


def run_all(options, jobs, at_most, each):
    if options.workers == 1:
        yield from work(options.build, 0, jobs, at_most, each)
        return
    with concurrent.futures.ProcessPoolExecutor(options.workers) as pool:
        futures = [pool.submit(work, options.build, number, jobs[number::options.workers], at_most,
                               each) for number in range(options.workers)]
        for future in futures:
            yield from future.result()


def plan(options):
    """The runs, how many cuts of each, and how many mixtures of a sync."""
    names = options.only or list(COMMANDS)
    if options.run:
        return [tuple(options.run.split(":"))], sys.maxsize, 3
    rounds = -(-options.cuts // (len(names) * USUAL_CUTS))
    jobs = [(name, str(options.seed + number)) for number in range(rounds) for name in names]
    return jobs, -(-options.cuts // len(jobs)) if rounds == 1 else sys.maxsize, 3


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--cuts", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=list(COMMANDS))
    parser.add_argument("--run", help="COMMAND:SEED, as a failure names it")
    options = parser.parse_args()
    if not stops.CALLS:
        print("the numbers of this machine's system calls are not known", file=sys.stderr)
        return 77
    machine.alone()
    folder = machine.folder()
    if not loses_what_is_not_synced(folder):
        print("what was not synced is not lost here: nothing would be proved", file=sys.stderr)
        return 1
    jobs, at_most, each = plan(options)
    rows = collections.Counter()
    for name, tried, survived, states in run_all(options, jobs, at_most, each):
        for key, value in (("tried", tried), ("survived", survived), ("states", states)):
            rows[name, key] += value
            rows["all", key] += value
    for name in [*sorted({name for name, _ in jobs}), "all"]:
        print(f"{name}: tried {rows[name, 'tried']} survived {rows[name, 'survived']}, "
              f"{rows[name, 'states']} states of disk and OVH", flush=True)
    record("5.2", "commands", rows["all", "tried"], rows["all", "survived"],
           states=rows["all", "states"])
    return 0 if 0 < rows["all", "tried"] == rows["all", "survived"] else 1


if __name__ == "__main__":
    sys.exit(main())
