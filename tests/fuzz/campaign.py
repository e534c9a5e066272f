"""Runs the fuzz targets for long.

    campaign.py BUILD [--seconds N] [--engine libfuzzer|afl] [--target NAME]… [--jobs N]
                [--corpus FOLDER] [--record FILE] [--keep] [--total FILE]

BUILD is build/fuzz (preset fuzz) for libFuzzer, build/afl (preset afl) for AFL++; --seconds is
for each target. A campaign goes on where the one before ended: what was found to reach new code
lies in the corpus folder (BUILD/corpus), one folder a target. --keep merges it, minimised and at
most FILES_MAX small files, into tests/fuzz/seeds, which every test run replays.

--record appends one line of JSON a target: {"campaign": "fuzz", "class": "fuzz", "part":
"age_header/libfuzzer", "tried": RUNS, "survived": RUNS - FINDINGS, "findings": …, "seconds": …}.
--total FILE adds up such lines, and runs nothing.

What a target stumbles over is kept in BUILD/findings/TARGET-ENGINE: exit 1 if there is any. A
finding counts each time until its file is removed."""

import argparse
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SEEDS = os.path.join(HERE, "seeds")
DICTS = os.path.join(HERE, "dict")
FILES_MAX = 50        # kept of a target …
FILE_BYTES_MAX = 4096  # … and how large each may be, seeds that are there already left alone
INPUT_BYTES_MAX = 16384
RSS_MB = 2048
ENV = {"ASAN_OPTIONS": "abort_on_error=1:symbolize=0:detect_leaks=1:allocator_may_return_null=1",
       "UBSAN_OPTIONS": "halt_on_error=1:abort_on_error=1:symbolize=0"}
# A whole vault is opened, used and written in each run: a second is long, but no hang.
TIMEOUT_S = 25
# Where another size of inputs is of use.
LARGE = {"vault": 4096, "page": 65536, "kdbx": 65536, "document": 65536}


def dictionary(target):
    """That of the target, or of its family: ovh.dict is for ovh_zone, too."""
    for name in (target, target.split("_")[0]):
        path = os.path.join(DICTS, name + ".dict")
        if os.path.exists(path):
            return path
    return None


class Target:
    def __init__(self, options, name):
        self.options = options
        self.name = name
        self.program = os.path.join(options.build, "tests", "fuzz_" + name)
        self.seeds = os.path.join(SEEDS, name)
        self.corpus = os.path.join(options.corpus, name)
        self.findings = os.path.join(options.build, "findings", f"{name}-{options.engine}")
        for folder in (self.corpus, self.findings):
            os.makedirs(folder, exist_ok=True)
        self.log = os.path.join(self.findings, "log")

    def count_findings(self):
        """What is merely slow is kept there, too, and is none."""
        return sum(name != "log" and not name.startswith("slow-unit")
                   for name in os.listdir(self.findings))

    def run(self):
        before = self.count_findings()
        began = time.monotonic()
        runs = (self.run_libfuzzer if self.options.engine == "libfuzzer" else self.run_afl)()
        found = self.count_findings()
        return {"campaign": "fuzz", "class": "fuzz", "part": f"{self.name}/{self.options.engine}",
                "tried": runs, "survived": max(runs - found, 0), "findings": found,
                "new": found - before, "seconds": round(time.monotonic() - began, 1)}

    # --- libFuzzer ---

    def libfuzzer(self, *words):
        limit = LARGE.get(self.name, INPUT_BYTES_MAX)
        book = dictionary(self.name)
        return [self.program, f"-max_len={limit}", f"-timeout={TIMEOUT_S}", f"-rss_limit_mb={RSS_MB}",
                f"-artifact_prefix={self.findings}/", *([f"-dict={book}"] if book else []), *words]

    def run_libfuzzer(self):
        """A finding ends libFuzzer: it is begun again until the time is up."""
        end = time.monotonic() + self.options.seconds
        runs = 0
        with open(self.log, "wb") as log:
            while (left := end - time.monotonic()) > 0.5:
                subprocess.run(
                    self.libfuzzer(f"-max_total_time={max(int(left), 1)}", "-print_final_stats=1",
                                   "-verbosity=1", self.corpus, self.seeds),
                    stdout=log, stderr=log, check=False, env={**os.environ, **ENV},
                    cwd=self.findings)
                log.flush()
                with open(self.log, "rb") as text:
                    told = re.findall(rb"stat::number_of_executed_units: *(\d+)|#(\d+)\t",
                                      text.read())
                ran = sum_of_runs(told)
                if ran == runs:
                    break  # it does not even start
                runs = ran
        return runs

    # --- AFL++ ---

    def run_afl(self):
        out = os.path.join(self.options.corpus, "afl-" + self.name)
        book = dictionary(self.name)
        go_on = os.path.isdir(os.path.join(out, "default", "queue"))
        before = afl_runs(out) if go_on else 0
        env = {**os.environ, "ASAN_OPTIONS": ENV["ASAN_OPTIONS"].replace("detect_leaks=1",
                                                                        "detect_leaks=0"),
               "UBSAN_OPTIONS": ENV["UBSAN_OPTIONS"], "AFL_NO_UI": "1", "AFL_SKIP_CPUFREQ": "1",
               "AFL_I_DONT_CARE_ABOUT_MISSING_CRASHES": "1", "AFL_NO_AFFINITY": "1",
               "AFL_AUTORESUME": "1", "AFL_IGNORE_SEED_PROBLEMS": "1"}
        with open(self.log, "wb") as log:
            subprocess.run(["afl-fuzz", "-i", "-" if go_on else self.starting_points(), "-o", out,
                            "-V", str(self.options.seconds), "-m", "none", "-t", "5000+",
                            *(["-x", book] if book else []), "--", self.program],
                           stdout=log, stderr=log, check=False, env=env)
        for kind in ("crashes", "hangs"):
            folder = os.path.join(out, "default", kind)
            for name in os.listdir(folder) if os.path.isdir(folder) else []:
                if name.startswith("id:"):
                    shutil.copy(os.path.join(folder, name),
                                os.path.join(self.findings, f"{kind}-{name.replace(':', '_')}"))
        self.gather(os.path.join(out, "default", "queue"))
        return afl_runs(out) - before

    def starting_points(self):
        """Seeds and corpus in one folder: AFL++ takes one."""
        folder = os.path.join(self.options.corpus, "afl-in-" + self.name)
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        for place in (self.seeds, self.corpus):
            for name in os.listdir(place):
                shutil.copy(os.path.join(place, name), os.path.join(folder, name))
        return folder

    def gather(self, queue):
        """Its queue joins the corpus, so that libFuzzer goes on from there."""
        for name in os.listdir(queue) if os.path.isdir(queue) else []:
            if name.startswith("id:"):
                shutil.copy(os.path.join(queue, name),
                            os.path.join(self.corpus, name.split(",")[0].replace(":", "_")))

    # --- keeping ---

    def keep(self):
        """The smallest set of files that reaches what all together reach; needs libFuzzer."""
        whole = self.corpus + ".merged"
        shutil.rmtree(whole, ignore_errors=True)
        os.makedirs(whole)
        small = self.corpus + ".small"
        shutil.rmtree(small, ignore_errors=True)
        os.makedirs(small)
        for name in os.listdir(self.corpus):
            path = os.path.join(self.corpus, name)
            if os.path.getsize(path) <= FILE_BYTES_MAX:
                shutil.copy(path, small)
        subprocess.run(self.libfuzzer("-merge=1", whole, self.seeds, small), check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                       env={**os.environ, **ENV})
        there = {open(os.path.join(self.seeds, name), "rb").read() for name in os.listdir(self.seeds)}
        room = max(FILES_MAX - len(there), 0)
        new = []
        for name in os.listdir(whole):
            with open(os.path.join(whole, name), "rb") as file:
                content = file.read()
            if content not in there:
                new.append((len(content), name))
        for _, name in spread(sorted(new), room):
            shutil.copy(os.path.join(whole, name), os.path.join(self.seeds, name[:12]))
        shutil.rmtree(whole)
        shutil.rmtree(small)
        print(f"{self.name}: {len(there)} seeds, {len(new)} more reach something new, "
              f"{min(room, len(new))} kept", flush=True)


def sum_of_runs(told):
    """Of each run in the log its last word: the final figure, or, where it ended in a finding,
    the last count that was printed."""
    total, last = 0, 0
    for final, at in told:
        if final:
            total, last = total + int(final), 0
        else:
            if int(at) < last:
                total += last
            last = int(at)
    return total + last


def afl_runs(out):
    try:
        with open(os.path.join(out, "default", "fuzzer_stats"), encoding="ascii") as file:
            return int(re.search(r"execs_done\s*:\s*(\d+)", file.read()).group(1))
    except (OSError, AttributeError):
        return 0


def spread(rows, count):
    """So many of them, from small to large."""
    if count >= len(rows):
        return rows
    return [rows[i * len(rows) // count] for i in range(count)]


def total(path):
    """All campaigns so far, added up."""
    parts = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            if row.get("campaign") != "fuzz":
                continue
            sums = parts.setdefault(row["part"].split("/")[0], [0, 0, 0])
            sums[0] += row["tried"]
            sums[1] += row["new"]
            sums[2] += row["seconds"]
    for name, (runs, findings, seconds) in sorted(parts.items()):
        print(f"{name:18} {runs:>14,} runs {findings:3} findings {seconds:>9,.0f} s")
    print(f"{'all':18} {sum(row[0] for row in parts.values()):>14,} runs "
          f"{sum(row[1] for row in parts.values()):3} findings "
          f"{sum(row[2] for row in parts.values()):>9,.0f} s")


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", nargs="?")
    parser.add_argument("--seconds", type=int, default=300)
    parser.add_argument("--engine", choices=["libfuzzer", "afl"], default="libfuzzer")
    parser.add_argument("--target", action="append")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--corpus")
    parser.add_argument("--record")
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--total", metavar="FILE")
    options = parser.parse_args()
    if not options.total and not options.build:
        parser.error("BUILD is missing")
    return options


def main():
    options = arguments()
    if options.total:
        total(options.total)
        return 0
    options.build = os.path.abspath(options.build)
    options.corpus = os.path.abspath(options.corpus or os.path.join(options.build, "corpus"))
    names = options.target or sorted(os.listdir(SEEDS))
    targets = [Target(options, name) for name in names]
    missing = [target.name for target in targets if not os.path.exists(target.program)]
    if missing:
        print("not built:", " ".join(missing), file=sys.stderr)
        return 2
    lock, found = threading.Lock(), 0
    if options.seconds > 0:
        with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
            for future in concurrent.futures.as_completed([pool.submit(target.run)
                                                           for target in targets]):
                row = future.result()
                found += row["findings"]
                with lock:
                    rate = row["tried"] / max(row["seconds"], 1)
                    print(f"{row['part']:28} {row['tried']:>12,} runs {rate:>9,.0f}/s "
                          f"{row['findings']} findings", flush=True)
                    if options.record:
                        with open(options.record, "a", encoding="utf-8") as file:
                            file.write(json.dumps(row) + "\n")
    if options.keep:
        for target in targets:
            target.keep()
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
