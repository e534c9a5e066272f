#!/usr/bin/env python3
"""Runs what a README promises: its code blocks marked `sh`, in order, in one bash, with a
home of its own, against a simulator that is up already. Standard library only.

    test_readme.py README BUILD

BUILD holds passation and passation-sim. The blocks find them on the PATH, and what a
reader sets by hand in the variables OVH_API, OVH_IMAP, OVH_SMTP, OVH_CONF and PASSATION_CA_FILE.
Exit status 77 (skipped) if a program that the blocks call is not there.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

BLOCK_TIMEOUT_S = 300
MARK = "@@block"


def blocks_of(text):
    """(line number, content) of each fenced block whose info string is `sh`."""
    found = []
    inside = None
    for number, line in enumerate(text.splitlines(), 1):
        if inside is None:
            fence = re.match(r"^(`{3,})\s*(\S*)\s*$", line)
            if fence:
                inside = (fence.group(1), fence.group(2), number + 1, [])
        elif line.strip() == inside[0]:
            if inside[1] == "sh":
                found.append((inside[2], "\n".join(inside[3])))
            inside = None
        else:
            inside[3].append(line)
    if inside is not None:
        raise SystemExit("line %d: a code block that does not end" % inside[2])
    return found


def script_of(blocks):
    """One program; a line on stderr before each block tells where it stopped."""
    parts = ["set -euo pipefail"]
    for line, content in blocks:
        parts.append("printf '%s %d\\n' >&2" % (MARK, line))
        parts.append(content)
    parts.append("printf '%s end\\n' >&2" % MARK)
    return "\n".join(parts) + "\n"


class Simulator:
    def __init__(self, program, folder):
        self.dir = os.path.join(folder, "ovh")
        os.mkdir(self.dir, 0o755)
        self.log = open(os.path.join(folder, "sim.log"), "w+b")
        self.process = subprocess.Popen(
            [program, "--dir", self.dir], stdout=self.log, stderr=subprocess.STDOUT
        )

    def wait(self):
        ready = os.path.join(self.dir, "ready.json")
        end = time.monotonic() + 60
        while not os.path.exists(ready):
            if self.process.poll() is not None or time.monotonic() > end:
                self.log.seek(0)
                sys.stderr.write(self.log.read().decode("utf-8", "replace"))
                raise SystemExit("the simulator did not come up")
            time.sleep(0.05)
        with open(ready, encoding="utf-8") as file:
            return json.load(file)

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()


def environment(folder, build, ready):
    home = os.path.join(folder, "home")
    run = os.path.join(home, "run")
    os.mkdir(home, 0o700)
    os.mkdir(run, 0o700)
    keep = ("LANG", "LC_ALL", "LC_MESSAGES", "LANGUAGE", "TMPDIR", "ASAN_OPTIONS")
    return {
        **{name: os.environ[name] for name in keep if name in os.environ},
        "PATH": build + os.pathsep + os.environ["PATH"],
        "HOME": home,
        "XDG_DATA_HOME": os.path.join(home, "data"),
        "XDG_STATE_HOME": os.path.join(home, "state"),
        "XDG_CONFIG_HOME": os.path.join(home, "config"),
        "XDG_RUNTIME_DIR": run,
        "OVH_API": ready["endpoint"],
        "OVH_IMAP": ready["imap"],
        "OVH_SMTP": "smtps://127.0.0.1:465",  # proposed to mail programs; nothing is sent
        "OVH_CONF": ready["config"],
        "PASSATION_CA_FILE": ready["ca"],
    }


def run(readme, build, folder):
    with open(readme, encoding="utf-8") as file:
        blocks = blocks_of(file.read())
    if not blocks:
        raise SystemExit("%s has no block marked sh" % readme)
    simulator = Simulator(os.path.join(build, "passation-sim"), folder)
    try:
        env = environment(folder, build, simulator.wait())
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-c", script_of(blocks)],
            cwd=env["HOME"],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            timeout=BLOCK_TIMEOUT_S,
        )
    finally:
        # The agent of an unfinished run must not outlive it.
        if "env" in locals():
            subprocess.run(["passation", "lock"], env=env, capture_output=True, timeout=30)
        simulator.stop()
    return blocks, done


def report(readme, blocks, done):
    output = done.stdout.decode("utf-8", "replace")
    errors = done.stderr.decode("utf-8", "replace")
    marks = re.findall(r"^%s (\S+)$" % MARK, errors, re.MULTILINE)
    if done.returncode == 0 and marks and marks[-1] == "end":
        commands = sum(1 for _, text in blocks for line in text.splitlines() if line.strip())
        print("%s: %d blocks, %d lines run" % (readme, len(blocks), commands))
        return 0
    last = marks[-1] if marks else "?"
    print("%s: the block at line %s ended with %d" % (readme, last, done.returncode))
    print("--- stdout\n" + output[-4000:])
    print("--- stderr\n" + errors[-4000:])
    return 1


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    readme, build = os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2])
    for program in ("bash", "age-keygen"):
        if not shutil.which(program):
            print("skipped: %s is not installed" % program)
            return 77
    folder = tempfile.mkdtemp(prefix="passation-readme-")
    # Dovecot's own user must reach the simulator's folder.
    os.chmod(folder, 0o755)
    try:
        blocks, done = run(readme, build, folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return report(readme, blocks, done)


if __name__ == "__main__":
    sys.exit(main())
