"""What the end-to-end tests share: counting cases, and running the binary in a world.

    cases = Cases()
    with cases.case("a wrong passphrase is refused"):
        done = run(world, "status", "--passphrase-fd", Fd(b"wrong"))
        equal(done.returncode, 5)
    sys.exit(cases.finish())
"""

import contextlib
import json
import os
import subprocess
import sys
import traceback

from support.record import record


class Skip(Exception):
    """The machine cannot do what the case needs; the text says why."""


class Cases:
    def __init__(self, only=None):
        self.passed = 0
        self.failed = 0
        self.skipped = 0
        self.only = only

    @contextlib.contextmanager
    def case(self, name):
        try:
            yield
            self.passed += 1
        except Skip as why:
            self.skipped += 1
            print(f"skipped: {name}: {why}", file=sys.stderr)
        except Exception as error:  # noqa: BLE001 a case that breaks has failed
            self.failed += 1
            place = traceback.extract_tb(error.__traceback__)
            lines = [f"{os.path.basename(row.filename)}:{row.lineno}" for row in place[1:]]
            print(f"FAILED {name} ({' '.join(lines)}): {error}", file=sys.stderr)

    def finish(self, number=None, part=None):
        """The exit status; the count is recorded as that part of a class of tests/proof/classes.py."""
        if number:
            record(number, part, self.passed + self.failed, self.passed)
        skipped = f", {self.skipped} skipped" if self.skipped else ""
        print(f"{self.passed} passed, {self.failed} failed{skipped}")
        return 1 if self.failed or not self.passed else 0


class Fd(bytes):
    """Among arguments: becomes the number of a descriptor from which these bytes are read."""


def describe(done):
    return (f"{' '.join(map(str, done.args))}: exit {done.returncode}\n"
            f"--- stdout\n{done.stdout}\n--- stderr\n{done.stderr}")


def equal(found, expected, what=""):
    if found != expected:
        raise AssertionError(f"{what}: {found!r} instead of {expected!r}")


def true(condition, what):
    if not condition:
        raise AssertionError(what)


def exits(done, status):
    if done.returncode != status:
        raise AssertionError(f"expected exit {status}: {describe(done)}")
    return done


def run(world, *args, env=None, key=True, stdin=None, pass_fds=(), timeout=120, text=True,
        prefix=(), **kwargs):
    """Runs `passation ARGS`; with key, unlocked by the world's identity and without input."""
    fds = list(pass_fds)
    own = []
    words = [*prefix, world.binary]
    if key:
        words += ["--no-input", "--identity-file", world.identity]
    for word in args:
        if isinstance(word, Fd):
            reading, writing = os.pipe()
            os.set_inheritable(reading, True)
            os.write(writing, word)
            os.close(writing)
            fds.append(reading)
            own.append(reading)
            word = str(reading)
        words.append(word)
    try:
        return subprocess.run(words, env=world.env() if env is None else env, text=text,
                              capture_output=True, timeout=timeout, pass_fds=fds,
                              stdin=subprocess.DEVNULL if stdin is None else stdin, **kwargs)
    finally:
        for fd in own:
            os.close(fd)


def refusal(done, status, code=None, *names):
    """The error object of a failed --json run: alone on stdout, and as it must be."""
    exits(done, status)
    lines = done.stdout.splitlines()
    equal(len(lines), 1, f"lines on stdout of {describe(done)}")
    found = json.loads(lines[0])
    equal(sorted(found), ["error"], "members")
    error = found["error"]
    equal(sorted(error), ["code", "exit", "hint", "message"], "members of error")
    equal(error["exit"], status, "error.exit")
    if code:
        equal(error["code"], code, "error.code")
    for name in names:
        if name not in error["message"]:
            raise AssertionError(f"{name!r} is not in {error['message']!r}")
    return error


def vault_files(world):
    """Every file below the world's home, with its bytes: what a refused command must leave."""
    found = {}
    for folder, _, names in os.walk(world.home):
        for name in names:
            path = os.path.join(folder, name)
            if name.endswith("-shm") or not os.path.isfile(path) or os.path.islink(path):
                continue
            with open(path, "rb") as file:
                found[os.path.relpath(path, world.home)] = file.read()
    return found


def differences(before, after):
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
