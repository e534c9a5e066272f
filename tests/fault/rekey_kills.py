"""rekey_kills.py BUILD [--every N] [--size N] [--destroy]: the real binary, stopped by strace at
every N-th system call that changes a file, or made to fail there; with --destroy the destruction
of a client, which is written anew in the same way.

After each the vault must be wholly the old one or wholly the new one: the secret is there, the
dropped identity opens exactly the old one, the new recovery code exactly the new one, the rollback
record agrees, and nothing is left beside it after the next command. A client that is destroyed is
there with all he has, or not at all, and who stays is untouched."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.record import record  # noqa: E402

CALLS = ["pwrite64", "write", "fdatasync", "fsync", "rename", "unlink", "ftruncate", "link",
         "openat"]
FAILS = [("pwrite64", "ENOSPC"), ("pwrite64", "EIO"), ("fdatasync", "EIO"), ("fsync", "EIO"),
         ("rename", "EIO"), ("ftruncate", "EIO")]


class Campaign:
    def __init__(self, build, folder):
        self.build = os.path.abspath(build)
        self.folder = folder
        self.template = os.path.join(folder, "template")
        self.work = os.path.join(folder, "work")
        self.keys = [os.path.join(folder, name) for name in ("mine.txt", "pauls.txt")]
        self.tried = 0
        self.survived = 0
        self.new = 0

    def environment(self, home):
        return {"PATH": os.environ["PATH"], "HOME": home, "LC_ALL": "C.UTF-8",
                "XDG_STATE_HOME": home + "/state", "XDG_DATA_HOME": home + "/data",
                "XDG_RUNTIME_DIR": home, "PASSATION_VAULT": home + "/vault.db"}

    def run(self, *args, home=None, prefix=()):
        return subprocess.run([*prefix, os.path.join(self.build, "passation"), *args],
                              env=self.environment(home or self.work), text=True,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60,
                              start_new_session=True)

    def must(self, *args, home):
        done = self.run(*args, home=home)
        if done.returncode:
            raise RuntimeError(f"{args}: {done.stderr}")
        return done.stdout

    def prepare(self, size):
        os.mkdir(self.template, 0o700)
        for key in self.keys:
            subprocess.run(["age-keygen", "-o", key], check=True, capture_output=True)
            os.chmod(key, 0o600)
        vault = os.path.join(self.template, "vault.db")
        subprocess.run([os.path.join(self.build, "tests", "make_vault"), vault, self.keys[0],
                        str(size), "10"], check=True)
        mine = ("--identity-file", self.keys[0])
        self.must(*mine, "slot", "add", "paul", "--new-identity-file", self.keys[1],
                  home=self.template)
        self.address = "box3@d0.example"
        self.secret = self.must(*mine, "show", self.address, "--reveal", home=self.template)

    def inject(self, inject):
        return self.change(["strace", "-f", "-qq", "-o", "/dev/null", "-e",
                            f"trace={inject.split(':')[0]}", "-e", f"inject={inject}"])

    def change(self, prefix):
        """What is stopped."""
        return self.run("--identity-file", self.keys[0], "rekey", "--drop", "paul",
                        "--recovery-out", self.work + "/code.txt", prefix=prefix)

    def counts(self):
        """How often it makes each call."""
        self.fresh()
        log = os.path.join(self.folder, "counts")
        done = self.change(["strace", "-f", "-qq", "-o", log, "-e", "trace=" + ",".join(CALLS)])
        if done.returncode:
            raise RuntimeError(done.stderr)
        with open(log) as file:
            lines = file.read()
        return {call: lines.count(f" {call}(") for call in CALLS}

    def fresh(self):
        shutil.rmtree(self.work, ignore_errors=True)
        shutil.copytree(self.template, self.work)

    def opens(self, *key):
        if key[0] == "--recovery-fd":
            if not os.path.exists(key[1]):
                return False
            with open(key[1]) as file:
                done = subprocess.run([os.path.join(self.build, "passation"), "--recovery-fd",
                                       "0", "slot", "ls"], env=self.environment(self.work),
                                      stdin=file, capture_output=True, timeout=60,
                                      start_new_session=True)
        else:
            done = self.run(*key, "slot", "ls")
        if done.returncode not in (0, 5):
            raise AssertionError(f"{key[0]}: exit {done.returncode}: {done.stderr}")
        return done.returncode == 0

    def check(self, succeeded):
        shown = self.run("--identity-file", self.keys[0], "show", self.address, "--reveal")
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout == self.secret, "another secret"
        left = [name for name in os.listdir(self.work) if "rekeying" in name]
        assert not left, f"left over: {left}"
        is_old = self.opens("--identity-file", self.keys[1])
        is_new = self.opens("--recovery-fd", self.work + "/code.txt")
        assert is_old != is_new, f"old {is_old}, new {is_new}"
        assert is_new or not succeeded, "success was told, and it is the old one"
        self.new += is_new

    def trial(self, inject):
        self.fresh()
        done = self.inject(inject)
        self.tried += 1
        try:
            self.check(done.returncode == 0)
            self.survived += 1
        except AssertionError as why:
            print(f"{inject}: {why} (it ended: {done.returncode} {done.stderr[-300:]})",
                  file=sys.stderr)


class Destruction(Campaign):
    """Client c0 has the mailboxes of d0.example and goes, c1 stays."""

    def prepare(self, size):
        super().prepare(size + 10)
        self.gone = self.address
        self.address = "box1@d1.example"
        self.secret = self.must("--identity-file", self.keys[0], "show", self.address, "--reveal",
                                home=self.template)

    def change(self, prefix):
        return subprocess.run([*prefix, os.path.join(self.build, "tests", "destroy_client"),
                               self.work + "/vault.db", self.keys[0],
                               self.work + "/state/passation", "c0"],
                              env=self.environment(self.work), text=True, capture_output=True,
                              stdin=subprocess.DEVNULL, timeout=60, start_new_session=True)

    def check(self, succeeded):
        mine = ("--identity-file", self.keys[0])
        shown = self.run(*mine, "show", self.address, "--reveal")
        assert shown.returncode == 0, shown.stderr
        assert shown.stdout == self.secret, "another secret"
        left = [name for name in os.listdir(self.work) if "rekeying" in name]
        assert not left, f"left over: {left}"
        assert self.opens("--identity-file", self.keys[1]), "a slot is gone"
        checked = self.run(*mine, "log", "--verify")
        assert checked.returncode == 0, checked.stderr
        his = self.run(*mine, "show", self.gone, "--reveal")
        assert his.returncode in (0, 4), his.stderr
        is_new = his.returncode == 4
        log = self.run(*mine, "log")
        assert ("client.destroyed" in log.stdout) == is_new, log.stdout
        assert is_new or not succeeded, "success was told, and it is the old one"
        self.new += is_new


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--size", type=int, default=6)
    parser.add_argument("--destroy", action="store_true")
    options = parser.parse_args()
    if not shutil.which("strace"):
        print("no strace", file=sys.stderr)
        return 77
    with tempfile.TemporaryDirectory(prefix="psn-rekey-") as folder:
        campaign = (Destruction if options.destroy else Campaign)(options.build, folder)
        campaign.prepare(options.size)
        counts = campaign.counts()
        for call in CALLS:
            for n in range(1, counts[call] + 1, options.every if counts[call] > 9 else 1):
                campaign.trial(f"{call}:signal=SIGKILL:when={n}")
        for call, error in FAILS:
            for n in range(1, counts[call] + 1, options.every if counts[call] > 9 else 1):
                campaign.trial(f"{call}:error={error}:when={n}")
                campaign.trial(f"{call}:error={error}:when={n}+")
        what = "destruction" if options.destroy else "rekey"
        print(f"calls: {json.dumps(counts)}")
        print(f"{what}: {campaign.tried} tried, {campaign.survived} survived "
              f"({campaign.new} of them with the new file)")
        record("5.1", what, campaign.tried, campaign.survived)
        return 0 if campaign.tried == campaign.survived and campaign.tried > 20 else 1


if __name__ == "__main__":
    sys.exit(main())
