#!/usr/bin/env python3
"""A grant ends in one process while another one makes its issue.

    test_ended_meanwhile.py BUILD

The maker is held after its first transaction and before its last: by a pipe for codes that is full,
or by a SIGSTOP at the system call that gives a file its name. A second process then revokes.
"""

import contextlib
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.cases import Cases, equal, true  # noqa: E402
from support.world import World  # noqa: E402

UNTIL = ("--until", "2031-01-01")
CONFLICT = 7
PATIENCE_S = 60


def wait_for(condition, what):
    deadline = time.monotonic() + PATIENCE_S
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"never: {what}")
        time.sleep(0.005)
    return found


class FullPipe:
    """A pipe for --code-fd in which no code finds room until drain()."""

    def __enter__(self):
        self.read, self.write = os.pipe()
        self.size = fcntl.fcntl(self.write, fcntl.F_SETPIPE_SZ, 4096)
        os.write(self.write, b"\n" * self.size)
        return self

    def drain(self):
        """What is told from now on, when all who write have ended."""
        os.close(self.write)
        self.write = None
        with os.fdopen(self.read, closefd=False) as pipe:
            return pipe.read().strip()

    def __exit__(self, *_):
        os.close(self.read)
        if self.write is not None:
            os.close(self.write)


class Maker:
    """One process that makes an issue; the pid is of passation, not of strace before it."""

    def __init__(self, world, words, prefix=(), fds=()):
        self.run = subprocess.Popen([*prefix, *world.command("--json", *words)], env=world.env(),
                                    pass_fds=fds, stdin=subprocess.DEVNULL,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def end(self):
        """(exit code, stdout, stderr)"""
        out, said = self.run.communicate(timeout=PATIENCE_S)
        return self.run.returncode, out, said

    def traced(self):
        with open(f"/proc/{self.run.pid}/task/{self.run.pid}/children") as file:
            return int(file.read().split()[0])


class Meanwhile:
    def __init__(self, world):
        self.world = world
        self.boxes = world.setup_client(mailboxes=2)
        self.out = os.path.join(world.home, "out")
        os.mkdir(self.out, 0o700)
        world.run("person", "add", "emma", "--kind", "client", check=0)
        for name in ("reader", "stayer"):
            self.add(name)

    def add(self, name):
        path = os.path.join(self.world.home, name + ".txt")
        subprocess.run(["age-keygen", "-o", path], check=True, capture_output=True)
        public = subprocess.run(["age-keygen", "-y", path], check=True, capture_output=True,
                                text=True).stdout
        self.world.run("person", "add", name, "--kind", "provider", "--key", "-", stdin=public,
                       check=0)

    def states(self, person):
        return [row["state"] for row in self.world.json("outbox", "--all")["issues"]
                if row["person"] == person]

    def check_taken_back(self, person, code, out, said, others=()):
        """The maker's end was the conflict, it left nothing, and what the person may have read
        is written down and due."""
        equal(code, CONFLICT, f"the exit code, with {said}")
        documents = [json.loads(line) for line in out.splitlines()]
        error = documents[0].get("error")
        if error:  # else it stands behind what was made for others, on standard error
            equal((error["code"], error["exit"]), ("conflict", CONFLICT), "the error")
            true("grant ls" in (error["hint"] or ""), f"the hint: {error['hint']}")
        message = error["message"] if error else said.split("error: ")[1]
        true(message.startswith(f"the issue for {person}: "), f"{person} in {message!r}")
        made = {row["person"] for document in documents for row in document.get("issues", [])}
        equal(made, set(others), "who was served")
        left = [name for name in os.listdir(self.out) if name.split("-")[0] not in others]
        equal(left, [], "files left behind")
        equal([state for state in self.states(person) if state in ("prepared", "written")], [],
              "issues that count")
        grants = self.world.json("grant", "ls", person)["grants"]
        equal({(row["state"], row["due"]) for row in grants}, {("ended", False)}, "the grants")
        done = self.world.run("--json", "due")
        named = {row["person"] for row in json.loads(done.stdout)["due"]
                 if row["kind"] == "rotate"}
        true(person in named, f"the password is due for {person}: {done.stdout}")
        equal(self.world.json("outbox", person, "-o", self.out)["issues"], [],
              "what a later outbox makes for him")
        self.world.run("log", "--verify", check=0)

    def forget(self, person):
        """The next case begins with passwords that nobody knows."""
        self.world.run("due", "--apply", "-o", self.out)
        shutil.rmtree(self.out)
        os.mkdir(self.out, 0o700)
        done = self.world.run("--json", "due")
        equal([row for row in json.loads(done.stdout)["due"] if row["person"] == person], [],
              "still due")

    # --- held by the pipe for the code ---

    def by_pipe(self, words, *ending):
        with FullPipe() as pipe:
            maker = Maker(self.world, [*words, "--code-fd", str(pipe.write)], fds=[pipe.write])
            wait_for(lambda: [name for name in os.listdir(self.out) if name.endswith((".html",
                                                                                     ".age"))],
                     "the file, before its code")
            true(maker.run.poll() is None, "the maker waits for room in the pipe")
            self.world.run(*ending, check=12)
            told = pipe.drain()
            return *maker.end(), told

    def grant_by_code(self, *more):
        code, out, said, _ = self.by_pipe(["grant", "emma", self.boxes[0], *UNTIL, "-o", self.out,
                                           *more],
                                          "revoke", "emma", self.boxes[0], "--no-rotate")
        self.check_taken_back("emma", code, out, said)
        self.forget("emma")

    def outbox_by_code(self):
        read, write = os.pipe()
        self.world.run("grant", "emma", self.boxes[0], *UNTIL, "--format", "html", "-o", self.out,
                       "--code-fd", str(write), pass_fds=[write], check=0)
        os.close(write)
        os.close(read)
        self.world.run("grant", "stayer", self.boxes[0], *UNTIL, "-o", self.out, check=0)
        self.world.run("rotate", self.boxes[0], check=0)
        shutil.rmtree(self.out)
        os.mkdir(self.out, 0o700)
        code, out, said, _ = self.by_pipe(["outbox", "-o", self.out], "revoke", "emma",
                                          self.boxes[0], "--no-rotate")
        self.check_taken_back("emma", code, out, said, others=["stayer"])
        served = [name for name in os.listdir(self.out) if name.startswith("stayer-")]
        equal(sorted(name.rsplit(".", 1)[1] for name in served), ["age", "sig"],
              "what the other one got")
        self.world.run("revoke", "stayer")
        self.forget("emma")

    # --- held by a signal at a system call ---

    @contextlib.contextmanager
    def stopped(self, words, call, n):
        log = os.path.join(self.world.dir, "strace.log")
        with open(log, "w"):
            pass
        maker = Maker(self.world, words,
                      ["strace", "-f", "-q", "-o", log, "-e", f"trace={call}", "-e",
                       f"inject={call}:signal=SIGSTOP:when={n}"])

        def is_stopped():
            with open(log) as file:
                return "stopped by SIGSTOP" in file.read()

        try:
            wait_for(is_stopped, f"the stop at {call} {n}")
            yield maker
        finally:
            if maker.run.poll() is None:
                with contextlib.suppress(ProcessLookupError, IndexError):
                    os.kill(maker.traced(), signal.SIGCONT)

    def by_signal(self, n):
        words = ["grant", "reader", self.boxes[1], *UNTIL, "-o", self.out]
        with self.stopped(words, "linkat", n) as maker:
            true(maker.run.poll() is None, "the maker is stopped")
            self.world.run("revoke", "reader", self.boxes[1], "--no-rotate", check=12)
        self.check_taken_back("reader", *maker.end())
        self.forget("reader")


def main():
    if not shutil.which("strace"):
        print("no strace", file=sys.stderr)
        return 77
    cases = Cases()
    with World(sys.argv[1]) as world:
        meanwhile = Meanwhile(world)
        with cases.case("a page whose grant ended before its code was told is taken back"):
            meanwhile.grant_by_code("--format", "html")
        with cases.case("so is a file to a code, and one that replaces files"):
            meanwhile.grant_by_code()
            meanwhile.grant_by_code("--force")
        with cases.case("an outbox takes back the one issue, makes the others, and says whose"):
            meanwhile.outbox_by_code()
        with cases.case("a grant that ended before its issue had a signature leaves no file"):
            meanwhile.by_signal(1)
        with cases.case("a grant that ended between the signature and the issue leaves no file"):
            meanwhile.by_signal(2)
    return cases.finish()


if __name__ == "__main__":
    sys.exit(main())
