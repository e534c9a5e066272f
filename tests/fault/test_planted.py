#!/usr/bin/env python3
"""Links, pipes, folders and strangers' files where passation writes its own.

    test_planted.py BUILD [--all]

At every path that a command makes, something is planted: a link to a file, to nothing, to a
folder; a second name of a file; a pipe, a folder, a socket; a file that somebody else owns and
keeps open. The umask is 000, and the folder is ours alone, our group's or everybody's in turn. Then
the command runs. It may refuse, but no byte goes through what was planted or comes out of it, it
does not hang, and whatever it wrote is a regular file of its own, 0600. Further runs swap the file for
a link again and again while strace holds up every call that takes a path, and one of each command
is traced: no file is ever made with another mode than 0600, no folder with another than 0700.
"""

import argparse
import concurrent.futures
import contextlib
import itertools
import os
import re
import select
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support import fake_time  # noqa: E402
from support.handover import Handing  # noqa: E402
from support.record import record  # noqa: E402

BOX = f"box0@{Handing.DOMAIN}"
VICTIM = b"What-Is-Anothers-" * 40
STRANGER = 65534
# It stands still, so that the next serial is known; soon, or the simulator's certificate is over.
NOON = (int(time.time()) // 86400 + 1) * 86400 + 43200
CLOCK = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(NOON))
FAKED = fake_time.at(CLOCK)
SERIAL = NOON * 1000
PHRASE = "girouette-sabot-plumeau-58-cerise"
QUICK_MIN, ALL_MIN = 50, 300
PATIENCE_S = 60
# Seconds that the swapper gets at each call which takes a path.
HELD_US = 4000


class Wrong(Exception):
    pass


def hold(condition, what):
    if not condition:
        raise Wrong(what)


# --- the vault that all runs begin with ---

class Seeded:
    def __init__(self, world):
        self.world = world
        world.setup_client(mailboxes=1)
        world.person("jp", "provider")
        world.person("martine", "client", "--email", "martine@perso.example")
        world.secret(BOX, "ftp", "ftp-word-1234")
        world.run("handover", "start", "essai", "--to", "martine", check=0)
        world.run("handover", "next", "essai", check=0)
        world.settle_items()
        world.judge()
        world.run("handover", "next", "essai", check=0)
        world.run("grant", "jp", BOX, "-o", world.out, check=0)
        world.run("client", "set", "essai", "--imap", "imaps://imap.essai.example:993", "--smtp",
                  "smtps://smtp.essai.example:465", check=0)
        path = os.path.join(world.home, "data/passation/vault.db")
        db = sqlite3.connect(path)
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        db.close()
        with open(path, "rb") as file:
            self.image = file.read()
        state = os.path.join(world.home, "state/passation")
        self.seen = {}
        for name in os.listdir(state):
            if name.startswith("seen-"):
                with open(os.path.join(state, name), "rb") as file:
                    self.seen[name] = file.read()
        hold(len(self.seen) == 1, f"records of what was seen: {list(self.seen)}")


class Bench:
    """A folder of its own for a worker: the vault as it was, a place to write, and victims."""

    def __init__(self, seeded):
        self.seeded = seeded
        self.dir = tempfile.mkdtemp(prefix="psn-planted-")
        self.vault = self.at("data/vault.db")
        self.out, self.state, self.run_dir = (self.at(name) for name in ("out", "state", "run"))
        self.victim, self.nothing, self.folder = (
            self.at(os.path.join("victims", name)) for name in ("file", "nothing", "folder"))
        self.planted = None

    def at(self, name):
        return os.path.join(self.dir, name)

    def env(self):
        return self.seeded.world.env(
            HOME=self.dir, XDG_DATA_HOME=self.at("data-home"), XDG_STATE_HOME=self.state,
            XDG_CONFIG_HOME=self.at("config"), XDG_RUNTIME_DIR=self.run_dir, TZ="UTC",
            FAKETIME_DONT_FAKE_MONOTONIC="1")

    def fresh(self, out_mode=0o700):
        for name in os.listdir(self.dir):
            shutil.rmtree(self.at(name), ignore_errors=True)
        for path in (os.path.dirname(self.vault), self.out, self.state,
                     os.path.join(self.state, "passation"), self.run_dir, self.at("victims"),
                     self.folder):
            os.mkdir(path, 0o700)
        self.write(self.vault, self.seeded.image)
        for name, text in self.seeded.seen.items():
            self.write(os.path.join(self.state, "passation", name), text)
        self.write(self.victim, VICTIM)
        self.write(self.at("phrase"), PHRASE.encode())
        os.chmod(self.out, out_mode)

    def write(self, path, text, mode=0o600):
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
            file.write(text)

    def command(self, args):
        return [self.seeded.world.binary, "--no-input", "-y", "--identity-file",
                self.seeded.world.identity,
                *([] if "--vault" in args else ["--vault", self.vault]), *args]

    def run(self, args, prefix=FAKED, umask=0):
        codes = open(self.at("codes"), "w+")
        phrase = open(self.at("phrase"))
        words = [{"CODES": str(codes.fileno()), "PHRASE": str(phrase.fileno())}.get(word, word)
                 for word in args]
        process = subprocess.Popen([*prefix, *self.command(words)], env=self.env(), umask=umask,
                                   pass_fds=(codes.fileno(), phrase.fileno()), cwd=self.dir,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, start_new_session=True)
        try:
            out, err = process.communicate(timeout=PATIENCE_S)
            return subprocess.CompletedProcess(args, process.returncode, out, err)
        except subprocess.TimeoutExpired as why:
            raise Wrong("hangs") from why
        finally:
            with contextlib.suppress(ProcessLookupError):
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
            codes.close()
            phrase.close()
            os.unlink(self.at("codes"))

    def lock(self):
        subprocess.run([self.seeded.world.binary, "--no-input", "lock"], env=self.env(),
                       capture_output=True, timeout=PATIENCE_S)

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


# --- commands, and the paths that each of them makes ---

def seen_name(bench):
    return os.path.join(bench.state, "passation", next(iter(bench.seeded.seen)))


def in_out(*names):
    return [lambda bench, name=name: os.path.join(bench.out, name) for name in names]


def beside_vault(*tails):
    return [lambda bench, tail=tail: bench.vault + tail for tail in tails]


def in_run(*names):
    return [lambda bench, name=name: os.path.join(bench.run_dir, name) for name in names]


def to_out(*args):
    """The command, with OUT for its folder and OUT/NAME for files there."""
    return lambda bench: [bench.out + word[3:] if word.startswith("OUT") else word
                          for word in args]


GRANT = [f"jp-essai-{SERIAL}.age", f"jp-essai-{SERIAL}.age.sig"]
PAGE = [f"jp-essai-{SERIAL}.html", f"jp-essai-{SERIAL}.html.sig"]
ENVELOPE = [f"enveloppe-essai{tail}" for tail in
            (".age", ".html", ".age.sig", ".html.minisig", "-cle.html")]
TROUSSEAU = [f"trousseau-essai-{SERIAL}", f".trousseau-essai-{SERIAL}"]
COMMANDS = [
    # (name, command, paths, is it a folder that the user names, and may be a link to one?)
    ("backup", to_out("backup", "OUT/b.db"), in_out("b.db", "b.db-wal", "b.db-journal"), False),
    ("backup -f", to_out("backup", "-f", "OUT/b.db"), in_out("b.db", "b.db-wal"), False),
    ("export kdbx", to_out("export", "essai", "--format", "kdbx", "-o", "OUT/e",
                           "--new-passphrase-fd", "PHRASE"), in_out("e"), False),
    ("export csv", to_out("export", "essai", "--format", "csv", "-o", "OUT/e"), in_out("e"),
     False),
    ("export bitwarden", to_out("export", "essai", "--format", "bitwarden-json", "-o", "OUT/e"),
     in_out("e"), False),
    ("export journal", to_out("export", "--format", "journal", "-o", "OUT/e"), in_out("e"),
     False),
    ("export passage", to_out("export", "essai", "--format", "passage", "--to", "jp", "-o",
                              "OUT/t"), in_out("t"), False),
    ("profile", to_out("profile", BOX, "--format", "mobileconfig", "-o", "OUT/p"), in_out("p"),
     True),
    ("profile -f", to_out("profile", BOX, "--format", "thunderbird", "-f", "-o", "OUT/p"),
     in_out("p"), True),
    ("profile sheet", to_out("profile", BOX, "--format", "sheet", "-f", "-o", "OUT/p"),
     in_out("p"), True),
    ("key rotate", to_out("key", "rotate", "-o", "OUT/k"), in_out("k"), False),
    ("rekey", to_out("rekey", "--recovery-out", "OUT/r"),
     in_out("r") + beside_vault(".rekeying", ".rekeying-journal", ".rekeying-wal"), False),
    ("init --recovery-out", to_out("--vault", "OUT/new.db", "init", "--recovery-out", "OUT/r"),
     in_out("r"), False),
    ("init", to_out("--vault", "OUT/new.db", "init"),
     in_out("new.db", "new.db-wal", "new.db-shm", "new.db-journal", "new.db.lock"), False),
    ("secret set", to_out("secret", "set", BOX, "ftp", "--note", "changed"),
     beside_vault("-wal", "-shm", "-journal", ".lock") + [seen_name], False),
    ("rotate, refused", to_out("rotate", "--jobs", "1", "none@essai.example"),
     beside_vault(".lock", "-wal"), False),
    ("grant", to_out("grant", "jp", BOX, "-o", "OUT"), in_out(*GRANT), False),
    ("grant -f", to_out("grant", "jp", BOX, "-f", "-o", "OUT"), in_out(*GRANT), False),
    ("grant html", to_out("grant", "jp", BOX, "--format", "html", "--code-fd", "CODES", "-o",
                          "OUT"), in_out(*PAGE), False),
    ("grant into", to_out("grant", "jp", BOX, "-o", "OUT/f"), in_out("f"), True),
    ("envelope create", to_out("envelope", "create", "essai", "--to", "martine", "-o", "OUT"),
     in_out(*ENVELOPE), False),
    ("handover issue", to_out("handover", "issue", "essai", "-o", "OUT", "--code-fd", "CODES"),
     in_out(*TROUSSEAU), False),
    ("depart --plan", to_out("depart", "jp", "--plan", "-o", "OUT/plan"), in_out("plan"), False),
    ("restore", to_out("restore", "OUT/good.db"), beside_vault(".restoring"), False),
    ("unlock", to_out("unlock", "--for", "2s"),
     in_run("passation/agent.lock", "passation/agent.sock", "passation/clipboard.lock"), False),
    ("unlock, its folder", to_out("unlock", "--for", "2s"), in_run("passation"), False),
    ("state folder", to_out("secret", "set", BOX, "ftp", "--note", "changed"),
     [lambda bench: os.path.join(bench.state, "passation")], False),
]


# --- what is planted ---

def plant(bench, kind, path):
    """Puts it there; what has to be looked at afterwards, and closed."""
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    elif os.path.lexists(path):
        os.unlink(path)
    if kind in ("link to a file", "link to nothing", "link to a folder"):
        os.symlink({"link to a file": bench.victim, "link to nothing": bench.nothing,
                    "link to a folder": bench.folder}[kind], path)
    elif kind == "second name":
        os.link(bench.victim, path)
    elif kind == "pipe":
        os.mkfifo(path, 0o666)
        return os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    elif kind == "folder":
        os.mkdir(path, 0o700)
    elif kind == "socket":
        server = socket.socket(socket.AF_UNIX)
        server.bind(path)
        server.close()
    elif kind == "stranger's file":
        bench.write(path, VICTIM, 0o666)
        os.chmod(path, 0o666)
        os.chown(path, STRANGER, STRANGER)
        return os.open(path, os.O_RDONLY)
    return None


KINDS = ["link to a file", "link to nothing", "link to a folder", "second name", "pipe", "folder",
         "socket", "stranger's file"]


def check_victims(bench, before, done):
    now = os.stat(bench.victim)
    hold((now.st_ino, now.st_size, now.st_mtime_ns, now.st_mode) ==
         (before.st_ino, before.st_size, before.st_mtime_ns, before.st_mode),
         "the victim is another file, or was changed")
    with open(bench.victim, "rb") as file:
        hold(file.read() == VICTIM, "the victim's bytes were changed")
    hold(not os.path.lexists(bench.nothing), "what the link named was made")
    hold(not os.listdir(bench.folder), f"written through a link: {os.listdir(bench.folder)}")
    hold(VICTIM[:17] not in done.stdout + done.stderr, "the victim was read and shown")
    hold(0 <= done.returncode < 64, f"exit {done.returncode}: "
         f"{done.stderr[-300:]!r}")


def check_planted(kind, path, held):
    """What was planted itself: nothing went into it."""
    if kind == "pipe":
        poll = select.poll()
        poll.register(held, select.POLLIN)
        hold(not any(event & select.POLLIN for _, event in poll.poll(0)), "bytes in the pipe")
    elif kind == "stranger's file" and not path.endswith((".lock", "-shm")):
        hold(os.pread(held, 1 << 20, 0) == VICTIM, "written into the stranger's file")


def check_modes(bench, args, kind, planted):
    """Under umask 000 whatever is new is 0600, a folder 0700."""
    for root in (bench.out, os.path.dirname(bench.vault), bench.state, bench.run_dir):
        for where, folders, names in os.walk(root):
            for name in folders + names:
                path = os.path.join(where, name)
                info = os.lstat(path)
                if stat.S_ISLNK(info.st_mode) or (path == planted and kind in (
                        "pipe", "socket", "stranger's file", "second name")):
                    continue
                hold(info.st_mode & 0o077 == 0,
                     f"{oct(info.st_mode)} of {os.path.relpath(path, bench.dir)} after {args}")


def prepare(bench, args):
    if "restore" in args:
        shutil.copy(bench.vault, os.path.join(bench.out, "good.db"))
        os.chmod(os.path.join(bench.out, "good.db"), 0o600)


def planted_run(bench, job):
    command, paths, number, kind, mode = job
    bench.fresh(mode)
    args, path = command(bench), paths[number](bench)
    prepare(bench, args)
    held = plant(bench, kind, path)
    before = os.stat(bench.victim)
    try:
        done = bench.run(args)
        if args[0] == "unlock":
            bench.lock()
        check_victims(bench, before, done)
        check_planted(kind, path, held)
        check_modes(bench, args, kind, path)
    finally:
        if held is not None:
            os.close(held)


# --- swapped in between ---

class Swapper:
    """Makes the path a file of ours, a link to a victim, and nothing, in turn."""

    def __init__(self, bench, path):
        self.bench, self.path = bench, path
        self.done = threading.Event()
        self.thread = threading.Thread(target=self.work)

    def __enter__(self):
        self.thread.start()

    def __exit__(self, *_):
        self.done.set()
        self.thread.join()

    def work(self):
        beside = self.path + ".swap"
        for turn in itertools.cycle((0, 1, 2, 1)):
            if self.done.is_set():
                return
            try:
                if turn == 0:
                    self.bench.write(beside, b"ours")
                else:
                    os.symlink(self.bench.victim if turn == 1 else self.bench.nothing, beside)
                os.rename(beside, self.path)
            except OSError:
                pass
            time.sleep(0.001)


HELD = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=%file,fchmod,linkat", "-e",
        f"inject=%file:delay_enter={HELD_US}"]
SWAPPED = [
    # (command, path): those that replace what is there, and those that open what they made
    (to_out("backup", "-f", "OUT/b.db"), "OUT/b.db"),
    (to_out("backup", "OUT/b.db"), "OUT/b.db"),
    (to_out("profile", BOX, "--format", "thunderbird", "-f", "-o", "OUT/p"), "OUT/p"),
    (to_out("export", "essai", "--format", "csv", "-o", "OUT/e"), "OUT/e"),
    (to_out("grant", "jp", BOX, "-f", "-o", "OUT"), "OUT/" + GRANT[0]),
    (to_out("envelope", "create", "essai", "--to", "martine", "-o", "OUT"), "OUT/" + ENVELOPE[0]),
    (to_out("rekey", "--recovery-out", "OUT/r"), "OUT/r"),
    (to_out("secret", "set", BOX, "ftp", "--note", "changed"), "VAULT.lock"),
    (to_out("secret", "set", BOX, "ftp", "--note", "changed"), "VAULT-wal"),
    (to_out("secret", "set", BOX, "ftp", "--note", "changed"), "SEEN"),
    (to_out("--vault", "OUT/new.db", "init"), "OUT/new.db"),
    (to_out("unlock", "--for", "2s"), "RUN/passation/agent.lock"),
]


def path_of(bench, name):
    if name == "SEEN":
        return seen_name(bench)
    return name.replace("OUT", bench.out).replace("VAULT", bench.vault).replace(
        "RUN", bench.run_dir)


def swapped_run(bench, job):
    number, _ = job
    command, name = SWAPPED[number]
    bench.fresh()
    path = path_of(bench, name)
    os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
    before = os.stat(bench.victim)
    args = command(bench)
    with Swapper(bench, path):
        done = bench.run(args, prefix=(*FAKED, *HELD))
    if args[0] == "unlock":
        bench.lock()
    check_victims(bench, before, done)


# --- from the first byte ---

CALL = re.compile(r"\d+ +(\w+)\((.*)")
OCTAL = re.compile(r", (0[0-7]+)\) ")


def traced_run(bench, job):
    (command,) = job
    bench.fresh()
    args = command(bench)
    prepare(bench, args)
    log = bench.at("trace")
    done = bench.run(args, prefix=("strace", "-f", "-qq", "-s", "300", "-o", log, "-e",
                                   "trace=open,openat,creat,mkdir,mkdirat,mknod,mknodat,chmod,"
                                   "fchmod,fchmodat", *FAKED))
    if args[0] == "unlock":
        bench.lock()
    hold(done.returncode in (0, 3), f"exit {done.returncode}: {done.stderr[-300:]!r}")
    made = set()  # by us; SQLite's own mode means nothing to what is there
    with open(log, encoding="latin-1") as file:
        for line in file:
            call = CALL.match(line)
            if not call or '"/dev/shm/' in line and "faketime" in line or '"/dev/shm/sem.' in line:
                continue
            name, rest = call.groups()
            if name in ("open", "openat") and not re.search("O_CREAT|O_TMPFILE", rest):
                continue
            path = rest.split('"')[1] if '"' in rest else None
            if path in made:
                continue
            if path and "= -1" not in rest:
                made.add(path)
            if name.startswith("open"):
                hold("O_CLOEXEC" in rest, f"open in what it starts: {line}")
                hold(re.search("O_NOFOLLOW|O_TMPFILE|O_EXCL", rest), f"follows a link: {line}")
            mode = OCTAL.search(line)
            hold(mode, f"no mode in {line}")
            wanted = 0o700 if name.startswith("mkdir") else 0o600
            hold(int(mode[1], 8) == wanted, f"made with {mode[1]}: {line}")


# --- all of them ---

def jobs(everything):
    modes = itertools.cycle((0o700, 0o770, 0o777))
    planted = [(planted_run, name, (command, paths, number, kind, next(modes)))
               for name, command, paths, follows in COMMANDS
               for number in range(len(paths))
               for kind in KINDS
               if not (follows and kind == "link to a folder")]
    swapped = [(swapped_run, f"swapped at {name}", (number, turn)) for turn in range(3)
               for number, (_, name) in enumerate(SWAPPED)]
    traced = [(traced_run, f"modes of {name}", (command,)) for name, command, _, _ in COMMANDS
              if not name.startswith(("rotate, refused", "grant into"))]
    if everything:
        return planted + swapped + traced
    return planted[::7] + swapped[:len(SWAPPED):2] + traced[::4]


def described(job):
    run, name, (*rest,) = job
    if run is planted_run:
        _, paths, number, kind, mode = rest
        bench = argparse.Namespace(out="OUT", vault="VAULT", run_dir="RUN", state="STATE",
                                   seeded=argparse.Namespace(seen={"seen-ID": b""}))
        return f"{name}: {kind} at {paths[number](bench)}, folder {mode:o}"
    return name


def work(seeded, todo, workers):
    place = iter(todo)
    lock = threading.Lock()
    failed = []

    def worker():
        bench = Bench(seeded)
        try:
            while True:
                with lock:
                    job = next(place, None)
                if job is None:
                    return
                try:
                    job[0](bench, job[2])
                except (Wrong, OSError, KeyError, subprocess.SubprocessError) as why:
                    failed.append(f"{described(job)}: {why}")
        finally:
            bench.lock()
            bench.close()

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for future in [pool.submit(worker) for _ in range(workers)]:
            future.result()
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--only", help="only jobs whose description has this")
    parser.add_argument("--workers", type=int, default=3)
    options = parser.parse_args()
    if os.geteuid() != 0 or not shutil.which("strace") or not fake_time.library():
        print("skipped: needs root, strace and faketime")
        return 77
    if os.access("/dev/shm", os.W_OK):
        tempfile.tempdir = "/dev/shm"
    with Handing(options.build) as world:
        todo = [job for job in jobs(options.all or options.only)
                if not options.only or options.only in described(job)]
        failed = work(Seeded(world), todo, options.workers)
    for why in sorted(failed):
        print("FAILED", why, file=sys.stderr)
    print(f"runs: tried {len(todo)} survived {len(todo) - len(failed)}")
    record("2.13", "all" if options.all else "quick", len(todo), len(todo) - len(failed))
    floor = 0 if options.only else ALL_MIN if options.all else QUICK_MIN
    return 1 if failed or len(todo) < floor else 0


if __name__ == "__main__":
    sys.exit(main())
