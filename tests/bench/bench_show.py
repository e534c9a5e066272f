#!/usr/bin/env python3
"""What a person waits for, with the real binary: `show` of one secret, unlocked by the agent,
in a small vault and in a large one, and start-up without network.

    bench_show.py BUILD [--rows 10,100000] [--runs 200] [--check wall|cpu]

The runs of all vaults take turns, so that a busy machine is busy for each. The table gives the
lower quartile and the median of the time that passed, and the median of the processor's time.
With --check the exit code is 1 if the largest vault takes more than twice the smallest one's
time, or if a start takes 5 ms: by the lower quartile of the time that passed, which wants a
quiet machine; or by the processor's time, for busy ones, where a start may also take four times
an empty program's.
"""

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

RATIO_MAX = 2.0
START_MAX_MS = 5.0
EMPTY, EMPTY_MAX = "an empty program (true)", 4
ADDRESS = "box0@d0.example"


class Vault:
    def __init__(self, build, folder, rows):
        self.rows = rows
        self.path = os.path.join(folder, f"{rows}.db")
        self.identity = os.path.join(folder, "identity.txt")
        start = time.monotonic()
        subprocess.run([os.path.join(build, "tests/make_vault"), self.path, self.identity,
                        str(rows)], check=True)
        self.made_s = time.monotonic() - start
        self.size = os.path.getsize(self.path)


class Bench:
    def __init__(self, build, folder):
        self.binary = os.path.join(build, "passation")
        run = os.path.join(folder, "run")
        os.mkdir(run, 0o700)
        self.env = {"HOME": folder, "PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8",
                    "XDG_STATE_HOME": os.path.join(folder, "state"), "XDG_RUNTIME_DIR": run}
        self.null = os.open(os.devnull, os.O_RDWR)
        self.actions = [(os.POSIX_SPAWN_DUP2, self.null, fd) for fd in (0, 1, 2)]

    def run(self, *args):
        subprocess.run([self.binary, *args], env=self.env, check=True,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def once(self, args):
        """Milliseconds from the start of the process to its end, and of the processor."""
        words = ["/bin/true"] if args is None else [self.binary, *args]
        start = time.perf_counter()
        child = os.posix_spawn(words[0], words, self.env, file_actions=self.actions)
        _, status, usage = os.wait4(child, 0)
        took = time.perf_counter() - start
        if status != 0:
            raise SystemExit(f"bench_show: {' '.join(words)}: status {status}")
        return took * 1000, (usage.ru_utime + usage.ru_stime) * 1000

    def take_turns(self, commands, runs):
        """What `once` says of each command's runs, by name."""
        taken = {name: [] for name in commands}
        for turn in range(runs + 3):
            for name, args in commands.items():
                took = self.once(args)
                if turn >= 3:  # the first ones warm the page cache
                    taken[name].append(took)
        return taken


def figures(runs):
    """Lower quartile and median of the time that passed, median of the processor's time."""
    wall = [run[0] for run in runs]
    return {"wall": statistics.quantiles(wall, n=4)[0], "median": statistics.median(wall),
            "cpu": statistics.median(run[1] for run in runs)}


def table(title, taken):
    print(f"{title:44} {'quartile':>10} {'median':>10} {'processor':>10}")
    for name, runs in taken.items():
        of = figures(runs)
        print(f"  {name:42} {of['wall']:7.2f} ms {of['median']:7.2f} ms {of['cpu']:7.2f} ms")


def bench(options, folder):
    subprocess.run(["age-keygen", "-o", os.path.join(folder, "identity.txt")], check=True,
                   capture_output=True)
    os.chmod(os.path.join(folder, "identity.txt"), 0o600)
    bench = Bench(options.build, folder)
    vaults = [Vault(options.build, folder, rows) for rows in options.rows]
    for vault in vaults:
        bench.run("--vault", vault.path, "--no-input", "unlock", "--for", "1h",
                  "--identity-file", vault.identity)
        print(f"a vault of {vault.rows} secrets: {vault.size / 2**20:.2f} MiB, "
              f"made in {vault.made_s:.1f} s")
    by = options.check or "wall"
    try:
        starts = bench.take_turns({EMPTY: None, "--version": ["--version"], "help": ["help"]},
                                  options.runs)
        table("start-up, no vault, no network", starts)
        limit = START_MAX_MS
        if by == "cpu":  # a busy machine slows an empty program as well
            limit = max(limit, EMPTY_MAX * figures(starts[EMPTY])[by])
        faults = [name for name, runs in starts.items() if figures(runs)[by] >= limit]
        for title, more in (("show ADDRESS", []), ("show ADDRESS --reveal", ["--reveal"])):
            taken = bench.take_turns(
                {f"of {vault.rows}": ["--vault", vault.path, "--no-input", "show", ADDRESS,
                                      *more] for vault in vaults}, options.runs)
            table(f"{title}, unlocked by the agent", taken)
            all_runs = list(taken.values())
            small, large = figures(all_runs[0])[by], figures(all_runs[-1])[by]
            print(f"  {'the largest over the smallest':42} {large / small:7.2f}")
            if large > RATIO_MAX * small:
                faults.append(title)
    finally:
        bench.run("lock")
    for fault in faults:
        print(f"too slow: {fault}")
    return 1 if faults and options.check else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=os.path.abspath)
    parser.add_argument("--rows", type=lambda text: [int(word) for word in text.split(",")],
                        default=[10, 100000])
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--check", choices=("wall", "cpu"))
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="psn-bench-")
    try:
        return bench(options, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
