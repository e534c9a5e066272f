"""Runs of commands that tell codes, ended by SIGKILL at the n-th system call of a kind. For those that talk to OVH see kills.py."""

import os
import subprocess
import tempfile

# Whatever changes a file, a folder or what another program hears.
CALLS = ["pwrite64", "write", "sendto", "fdatasync", "fsync", "linkat", "rename", "unlink",
         "ftruncate", "mkdir", "openat"]


class Codes:
    """A pipe for --code-fd: {serial: code} of what was told before the run ended."""

    def __enter__(self):
        self.read, self.write = os.pipe()
        return self

    def told(self):
        os.close(self.write)
        self.write = None
        with os.fdopen(self.read, closefd=False) as pipe:
            lines = pipe.read().splitlines()
        return {int(serial): code for serial, code in (line.split("\t") for line in lines)}

    def __exit__(self, *_):
        os.close(self.read)
        if self.write is not None:
            os.close(self.write)


def traced(world, options, words, codes):
    """Runs words, and --code-fd with it, under strace; (exit code, codes told, stderr)."""
    with Codes() as pipe:
        if codes:
            words = [*words, "--code-fd", str(pipe.write)]
        done = subprocess.run(["strace", "-f", "-qq", *options, *world.command(*words)],
                              env=world.env(), pass_fds=[pipe.write], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120)
        return done.returncode, pipe.told(), done.stderr


def points(world, words, codes, most):
    """Every (call, n) at which words can be killed, or `most` of them, evenly spread. Runs
    words to their end for that."""
    with tempfile.NamedTemporaryFile("r", dir=world.dir) as log:
        code, _, said = traced(world, ["-o", log.name, "-e", "trace=" + ",".join(CALLS)], words,
                               codes)
        if code:
            raise RuntimeError(f"{words}: exit {code}: {said}")
        calls = log.read()
    found = [(call, n) for call in CALLS for n in range(1, calls.count(f" {call}(") + 1)]
    if most >= len(found):
        return found
    return [found[index * len(found) // most] for index in range(most)]


def killed_at(world, point, words, codes=False):
    """(whether it was killed, codes told)"""
    call, n = point
    code, told, _ = traced(world, ["-o", "/dev/null", "-e", f"trace={call}", "-e",
                                   f"inject={call}:signal=SIGKILL:when={n}"], words, codes)
    return code in (137, -9), told
