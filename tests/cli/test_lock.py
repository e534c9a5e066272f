#!/usr/bin/env python3
"""`lock` reaches the agent wherever it was started, whatever it is doing, or says that it did not.

    test_lock.py BUILD
"""

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.cases import Cases, equal, exits, true  # noqa: E402
from support.world import World  # noqa: E402

PATIENCE_S = 60


def is_alive(pid):
    """One that has ended stays in /proc until somebody has asked how."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class At:
    def __init__(self, world):
        self.world = world
        self.run_dir = os.path.join(world.home, "run")
        self.folder = os.path.join(self.run_dir, "passation")
        self.elsewhere = world.env()
        del self.elsewhere["XDG_RUNTIME_DIR"]

    def unlock(self, *more, env=None):
        """The process of the agent that it starts."""
        before = set(self.agents())
        self.world.run("unlock", *more, check=0, env=env)
        (pid,) = set(self.agents()) - before
        return pid

    def agents(self):
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{name}/cmdline", "rb") as file:
                    words = file.read().split(b"\0")
                with open(f"/proc/{name}/environ", "rb") as file:
                    ours = os.fsencode("HOME=" + self.world.home) in file.read().split(b"\0")
            except OSError:
                continue
            if ours and words[:2] == [b"passation", b"agent"]:
                found.append(int(name))
        return found

    def lock(self, status=0, env=None):
        return exits(self.bare("--json", "lock", env=env), status)

    def bare(self, *args, env=None):
        """Without the identity file."""
        return subprocess.run([self.world.binary, "--no-input", *args],
                              env=env or self.world.env(), capture_output=True, text=True,
                              timeout=PATIENCE_S, stdin=subprocess.DEVNULL)

    def is_locked(self, env=None):
        return self.bare("role", "ls", env=env).returncode == 5

    def gone(self, pid, within=PATIENCE_S):
        end = time.monotonic() + within
        while is_alive(pid):
            true(time.monotonic() < end, "the agent is still there")
            time.sleep(0.02)

    def told(self, done):
        found = json.loads(done.stdout)
        equal((found["locked"], found["was_unlocked"]), (True, True))

    def ended(self, done, pid):
        """An agent that looks for its socket just then ends by itself, and is not found; but
        behind lock there is none, whoever ended it."""
        found = json.loads(done.stdout)
        true((found["locked"], found["was_unlocked"]) in ((True, True), (None, False)), found)
        self.gone(pid, within=1)

    def close(self):
        for pid in self.agents():
            os.kill(pid, signal.SIGKILL)
            self.gone(pid)


class Dawdler:
    """A peer that sends a byte now and then."""

    def __init__(self, at):
        self.peer = socket.socket(socket.AF_UNIX)
        self.peer.connect(os.path.join(at.folder, "agent.sock"))
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.drip)

    def drip(self):
        try:
            while not self.ended.wait(0.3):
                self.peer.send(b"P")
        except OSError:
            pass

    def __enter__(self):
        self.peer.send(b"P")
        self.thread.start()
        time.sleep(0.2)
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.peer.close()


def check_elsewhere(at, cases):
    with cases.case("lock without XDG_RUNTIME_DIR reaches the agent of the session"):
        pid = at.unlock()
        at.told(at.lock(env=at.elsewhere))
        at.gone(pid)
        true(at.is_locked(), "the vault is open")
    with cases.case("lock of the session reaches the agent that was started outside of it"):
        pid = at.unlock(env=at.elsewhere)
        at.told(at.lock())
        at.gone(pid)
    with cases.case("lock ends the agents of both places"):
        pids = [at.unlock(), at.unlock(env=at.elsewhere)]
        at.told(at.lock())
        for pid in pids:
            at.gone(pid)
    with cases.case("an agent that has ended leaves no note"):
        equal(os.listdir(os.path.join(at.world.home, "state/passation/helpers")), [])


def check_none(at, cases):
    with cases.case("without an agent lock says where it looked, not that all is locked"):
        found = json.loads(at.lock().stdout)
        equal((found["locked"], found["was_unlocked"]), (None, False))
        equal(found["places"], [at.folder, os.path.join(at.world.home, "state/passation/run")])
        said = exits(at.bare("lock"), 0).stdout
        for place in found["places"]:
            true(f"No agent of yours was found in '{place}'." in said, said)
    with cases.case("the note of an agent that was killed goes"):
        os.kill(at.unlock(), signal.SIGKILL)
        notes = os.path.join(at.world.home, "state/passation/helpers")
        equal(len(os.listdir(notes)), 1)
        equal(json.loads(at.lock().stdout)["was_unlocked"], False)
        equal(os.listdir(notes), [])


def check_lost(at, cases):
    with cases.case("lock ends an agent whose socket was removed"):
        pid = at.unlock()
        os.unlink(os.path.join(at.folder, "agent.sock"))
        at.ended(at.lock(), pid)
    with cases.case("lock ends an agent whose folder was moved"):
        pid = at.unlock()
        os.rename(at.folder, at.folder + ".moved")
        at.ended(at.lock(), pid)
        shutil.rmtree(at.folder + ".moved")
    with cases.case("lock ends an agent that is stopped"):
        pid = at.unlock()
        os.kill(pid, signal.SIGSTOP)
        at.told(at.lock())
        at.gone(pid)
    with cases.case("lock signals no process that is no agent, and says that it is not locked"):
        with open(os.path.join(at.folder, "agent.lock"), "r+", encoding="ascii") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            file.write(f"pid {os.getpid()}, since 2026-11-30T10:00:00Z, agent")
            file.flush()
            done = at.lock(status=1)
        true("not locked" in json.loads(done.stdout)["error"]["message"], done.stdout)


def check_silent(at, cases):
    """Who listens on the agent's socket, is none of ours to end, and says nothing."""
    path = os.path.join(at.folder, "agent.sock")

    def hang_up(listener, stays):
        peer, _ = listener.accept()
        peer.recv(88)
        if not stays:
            listener.close()
        peer.close()

    for stays, status in ((False, 0), (True, 1)):
        with cases.case(f"lock of one that gives no answer and {'stays' if stays else 'ends'}"):
            if os.path.exists(path):
                os.unlink(path)
            listener = socket.socket(socket.AF_UNIX)
            listener.bind(path)
            listener.listen(4)
            thread = threading.Thread(target=hang_up, args=(listener, stays))
            thread.start()
            at.lock(status=status)
            thread.join()
            listener.close()
    os.unlink(path)


def check_dawdler(at, cases):
    with cases.case("a peer that sends a byte now and then is left after two seconds"):
        pid = at.unlock()
        with Dawdler(at) as dawdler:
            equal(at.bare("role", "ls").returncode, 0)
            dawdler.peer.settimeout(PATIENCE_S)
            equal(dawdler.peer.recv(1), b"", "what the agent said to it")
    with cases.case("lock is not kept by it"):
        with Dawdler(at):
            at.told(at.lock())
            at.gone(pid)
    with cases.case("SIGTERM ends the agent while it listens to one"):
        pid = at.unlock()
        with Dawdler(at):
            os.kill(pid, signal.SIGTERM)
            at.gone(pid)
    with cases.case("a key goes when its time is over, while the agent listens to one"):
        pid = at.unlock("--for", "1s")
        with Dawdler(at):
            at.gone(pid)


def main():
    cases = Cases()
    with World(sys.argv[1]) as world:
        world.setup_client()
        at = At(world)
        os.mkdir(at.run_dir, 0o700)
        for check in (check_elsewhere, check_none, check_lost, check_silent, check_dawdler):
            check(at, cases)
        at.close()
    sys.exit(cases.finish())


if __name__ == "__main__":
    main()
