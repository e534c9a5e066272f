#!/usr/bin/env python3
"""Disks that are full, at each number of blocks that are left and at several steps of a command.

    test_full_disk.py BUILD [--runs N] [--seed S] [--workers N] [--only COMMAND…]
                      [--trial KIND:COMMAND:STEP:ROOM]

The vault, its state and the folders for what is written lie on an ext4 or a tmpfs of their own, or
under `ulimit -f`. A command runs; before it begins, or when it is so many hundredths of its way
along, all but ROOM blocks are taken away. Then

  1. it ended with another status than 0, or all that it promises is there; it was no crash, and it
     never took the vault for a damaged one;
  2. if it failed, the files that it was to replace are what they were, byte by byte;
  3. with room again the vault is sound, every password that opens a mailbox is in it, no file with
     a final name is half, and `resume` or the command again finishes, and leaves nothing beside.

Prints tried/survived, and how the runs ended.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from support import cuts, machine, stops  # noqa: E402
from support.campaign import Wrong, hold  # noqa: E402
from support.record import record  # noqa: E402
from support.world import World  # noqa: E402

COMMANDS = {command.name: command for command in cuts.COMMANDS}
KINDS = ("ext4", "tmpfs", "limit")
STEPS = (0, 20, 40, 60, 80)
# So many blocks at least leave room for all of them: 1 KiB on ext4, a page on tmpfs.
ROOM_MAX = {"ext4": 420, "tmpfs": 110, "limit": 300}
TAKEN = "taken"
# A refusal of the disk, or "unfinished", which a rotation that OVH has heard of is.
REFUSED = (1, 10)


class Full:
    """A rig on a disk that can be filled."""

    def __init__(self, build):
        self.world = World(build)
        self.world.__enter__()
        self.rig = cuts.Rig(self.world, 1024)
        self.copy = os.path.join(self.world.dir, "copy")
        with self.rig.disk.mounted(self.rig.place):
            shutil.copytree(self.world.home, self.copy, symlinks=True)
        self.lengths = {}
        self.vault = os.path.join(self.copy, "data", "passation", "vault.db")
        self.check_last_words()

    def close(self):
        self.world.__exit__()

    @contextlib.contextmanager
    def fresh(self, kind):
        """The disk as it is before each command."""
        rig = self.rig
        rig.set_in_force(rig.passwords)
        if kind != "tmpfs":
            rig.disk.put(rig.template, rig.disk.size)
            with rig.disk.mounted(rig.place):
                yield
            return
        machine.mount("none", rig.place, "tmpfs", options="size=16m,mode=755")
        try:
            shutil.copytree(self.copy, self.world.home)
            yield
        finally:
            machine.umount(rig.place)

    def check_last_words(self):
        """What the kernel does for want of a block below a mapped file, sent from here."""
        for is_json in (False, True):
            reading, writing = os.pipe()
            run = subprocess.Popen(
                [self.world.binary, *(["--json"] if is_json else []), "--passphrase-fd",
                 str(reading), "--vault", self.vault, "status"], env=self.world.env(),
                pass_fds=[reading], text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE)
            while "pipe" not in self.wait_of(run.pid):
                time.sleep(0.01)
            run.send_signal(signal.SIGBUS)
            stdout, stderr = run.communicate(timeout=60)
            os.close(reading)
            os.close(writing)
            hold(run.returncode == 1, f"SIGBUS: exit {run.returncode}")
            said = json.loads(stdout)["error"]["message"] if is_json else stderr
            hold("is full, or was taken away" in said, f"SIGBUS: {stdout!r} {stderr!r}")
            hold(is_json or not stdout, f"SIGBUS: {stdout!r}")

    @staticmethod
    def wait_of(pid):
        """Where in the kernel the process waits."""
        with open(f"/proc/{pid}/wchan") as file:
            return file.read()

    def left(self):
        about = os.statvfs(self.rig.place)
        return about.f_bfree

    def take(self, room):
        """All but so many blocks; what the file system itself needs for that counts as taken."""
        place = self.rig.place
        fd = os.open(place, os.O_RDONLY)
        machine.LIBC.syncfs(fd)
        os.close(fd)
        block = os.statvfs(place).f_frsize
        file = os.open(os.path.join(place, TAKEN), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            size = max(self.left() - room, 0) * block
            while size > 0:
                try:
                    os.posix_fallocate(file, 0, size)
                    break
                except OSError:
                    size -= block
            while self.left() < room and size > 0:
                size -= block
                os.ftruncate(file, size)
        finally:
            os.close(file)

    def length(self, command):
        """How many calls it makes when there is room."""
        if command.name not in self.lengths:
            with self.fresh("ext4"):
                self.lengths[command.name] = self.stepped(command, None, 0)[1]
        return self.lengths[command.name]

    def stepped(self, command, at, room):
        """Exit status and calls of a run whose disk is full from its at-th call on."""
        rig = self.rig
        out = os.path.join(self.world.dir, "output")
        number = 0

        def at_call(_):
            nonlocal number
            number += 1
            if number == at:
                self.take(room)
        if at == 0:
            self.take(room)
        words, fds = command.words(rig)
        for fd in fds:
            os.set_inheritable(fd, True)
        status = stops.run(self.world.command(*words), self.world.env(), out, at_call)
        for fd in fds:
            os.close(fd)
        with open(out + ".err") as file:
            self.said = file.read()
        return status, number

    def limited(self, command, room):
        """Exit status of a run that may make no file longer than so many KiB."""
        words, fds = command.words(self.rig)
        done = self.world.run(*words, pass_fds=fds,
                              prefix=["prlimit", f"--fsize={room * 1024}"])
        for fd in fds:
            os.close(fd)
        self.said = done.stderr
        return done.returncode

    def trial(self, kind, name, step, room):
        """How the command ended."""
        command, rig = COMMANDS[name], self.rig
        at = step * self.length(command) // 100 if kind != "limit" else 0
        with self.fresh(kind):
            before = self.kept(command)
            if kind == "limit":
                status = self.limited(command, room)
            else:
                status, _ = self.stepped(command, at, room)
            ended = f"exit {status}: {self.said.strip()[-400:]}"
            try:
                hold(status == 0 or status in REFUSED, "it should be refused")
                hold(status == 0 or self.said.strip(), "it says nothing")
                hold(status == 0 or self.kept(command) == before or "is a good copy" in self.said,
                     "what it was to replace is other")
                if kind != "limit" and os.path.exists(os.path.join(rig.place, TAKEN)):
                    os.unlink(os.path.join(rig.place, TAKEN))
                rig.check(command, status == 0, rig.in_force())
            except Exception as why:
                raise Wrong(f"{ended}: {why!r}") from why
        return status

    def kept(self, command):
        found = {}
        for name in command.replaces:
            with open(self.rig.at(name), "rb") as file:
                found[name] = file.read()
        return found


def work(build, trials):
    """A share of the trials, in a process of its own: [(command, exit status or None)]"""
    full = Full(build)
    try:
        rows = []
        for trial in trials:
            status = None
            try:
                status = full.trial(*trial)
            except (Wrong, AssertionError, RuntimeError, OSError, KeyError, ValueError,
                    subprocess.SubprocessError) as why:
                at = traceback.extract_tb((why.__cause__ or why).__traceback__)[-1]
                print(f"FAILED --trial {':'.join(map(str, trial))}: {at.name}: {why}",
                      file=sys.stderr, flush=True)
            rows.append((trial[1], status))
        return rows
    finally:
        full.close()


def plan(options):
    """The kinds, commands and steps in turn, and for each the room from none to enough."""
    if options.trial:
        kind, name, step, room = options.trial.split(":")
        return [(kind, name, int(step), int(room))]
    rng = random.Random(options.seed)
    ways = [("ext4", step) for step in STEPS] + [("tmpfs", 0), ("tmpfs", 50), ("limit", 0)]
    rows = [(kind, name, step) for kind, step in ways for name in options.only or COMMANDS]
    rng.shuffle(rows)
    rows = rows[:max(options.runs, 1)]
    each = -(-options.runs // len(rows))
    trials = []
    for kind, name, step in rows:
        # Small numbers are met more often: there every block is another place to fail at.
        rooms = {int(ROOM_MAX[kind] * (number / max(each - 1, 1)) ** 2) for number in range(each)}
        for room in sorted(rooms) if each > 1 else [rng.randrange(ROOM_MAX[kind] // 4)]:
            trials.append((kind, name, step, room))
    more = options.runs - len(trials)
    for _ in range(more):
        kind, name, step = rng.choice(rows)
        trials.append((kind, name, step, rng.randrange(ROOM_MAX[kind])))
    rng.shuffle(trials)
    return trials[:options.runs]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--only", nargs="+", choices=list(COMMANDS))
    parser.add_argument("--trial", help="KIND:COMMAND:STEP:ROOM, as a failure names it")
    options = parser.parse_args()
    if not stops.CALLS:
        print("the numbers of this machine's system calls are not known", file=sys.stderr)
        return 77
    machine.alone()
    trials = plan(options)
    counts = collections.Counter()
    with concurrent.futures.ProcessPoolExecutor(options.workers) as pool:
        futures = [pool.submit(work, options.build, trials[number::options.workers])
                   for number in range(options.workers)]
        for future in futures:
            for name, status in future.result():
                for key in (name, "all"):
                    counts[key, "tried"] += 1
                    counts[key, "survived"] += status is not None
                    counts[key, "refused"] += status not in (None, 0)
    for name in [*sorted({trial[1] for trial in trials}), "all"]:
        print(f"{name}: tried {counts[name, 'tried']} survived {counts[name, 'survived']}, "
              f"{counts[name, 'refused']} refused for want of room")
    tried, survived = counts["all", "tried"], counts["all", "survived"]
    record("5.5", "commands", tried, survived, refused=counts["all", "refused"])
    if not options.trial and counts["all", "refused"] < tried * 0.25:
        print("too few were refused for this to mean much", file=sys.stderr)
        return 1
    return 0 if tried == survived else 1


if __name__ == "__main__":
    sys.exit(main())
