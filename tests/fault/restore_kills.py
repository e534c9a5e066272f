#!/usr/bin/env python3
"""restore_kills.py BUILD [--every N]: `restore` of the real binary, stopped by strace at every N-th
system call that changes a file, or made to fail there: over a whole vault, a spoilt one, and over
none, where only a log is left.

After each, nothing is issued to somebody whose grant was ended since the backup; then the same
command once more puts the backup back. What was there before is kept whole
under another name: a vault with all that was in its log, a spoilt one byte for byte, its log with
it; and nothing of it is applied to the backup."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

from rekey_kills import CALLS, FAILS, Campaign, record

CALLS.extend(["mkdir"])
FAILS.extend([("link", "EIO"), ("unlink", "EIO"), ("openat", "EMFILE")])
LATER = "later"


def content(path):
    with open(path, "rb") as file:
        return file.read()


class Restore(Campaign):
    kind = "whole"

    def prepare(self, size):
        super().prepare(size)
        mine = ("--identity-file", self.keys[0])
        self.out = os.path.join(self.folder, "out")
        os.mkdir(self.out, 0o700)
        self.must(*mine, "person", "add", "leaver", "--kind", "provider", "--key",
                  self.recipient(), home=self.template)
        self.must(*mine, "grant", "leaver", self.address, "--with", "all", "-o", self.out,
                  home=self.template)
        self.must(*mine, "secret", "add", self.address, "due", "--generate", home=self.template)
        self.must(*mine, "client", "add", LATER, "--nic", "ab1-ovh", "--domain", "later.example",
                  "--name", "Before", home=self.template)
        self.must(*mine, "backup", self.folder + "/copy.db", home=self.template)
        ended = self.run(*mine, "revoke", "leaver", self.address, "--no-rotate",
                         home=self.template)
        assert ended.returncode == 12, ended.stderr  # the secrets that the leaver knows
        # What a client is called is not taken over.
        self.must(*mine, "client", "set", LATER, "--name", "After", home=self.template)
        self.later = self.must(*mine, "client", "show", LATER, home=self.template)
        vault = self.template + "/vault.db"
        for path in [vault, vault + "-wal"] if self.kind == "spoilt" else []:
            with open(path, "r+b") as file:
                file.write(bytes(100))
        self.before = [content(vault), content(vault + "-wal")]
        assert self.before[1], "there is no log"
        if self.kind == "missing":
            os.unlink(vault)

    def recipient(self):
        path = os.path.join(self.folder, "leaver.pub")
        subprocess.run(["age-keygen", "-y", "-o", path, self.keys[1]], check=True)
        return path

    def issues_nothing(self):
        """An older backup in the vault's place knows of the end, or that it may not know."""
        before = os.listdir(self.out)
        shutil.copytree(self.work, self.work + ".asked", dirs_exist_ok=True)
        done = self.run("--identity-file", self.keys[0], "outbox", "-o", self.out,
                        home=self.work + ".asked")
        shutil.rmtree(self.work + ".asked")
        assert os.listdir(self.out) == before, f"issued to somebody who is out: {done.stderr}"

    def change(self, prefix):
        return self.run("--identity-file", self.keys[0], "--json", "-y", "restore",
                        self.folder + "/copy.db", "--accept-older", prefix=prefix)

    def kept(self):
        return [os.path.join(self.work, name) for name in os.listdir(self.work)
                if ".before-restore-" in name]

    def has_later(self, path):
        """Asked of a copy, by somebody who never saw that vault."""
        with tempfile.TemporaryDirectory(dir=self.folder) as home:
            for tail in ("", "-wal"):
                if os.path.exists(path + tail):
                    shutil.copy(path + tail, home + "/vault.db" + tail)
            return self.run("--identity-file", self.keys[0], "client", "show", LATER,
                            home=home).stdout == self.later

    def check_kept(self):
        if self.kind == "whole":
            vaults = [path for path in self.kept() if path[-4:] not in ("-wal", "-shm")]
            assert any(map(self.has_later, vaults)), f"what was there is lost: {self.kept()}"
            return
        files = [content(os.path.join(self.work, name)) for name in os.listdir(self.work)
                 if os.path.isfile(os.path.join(self.work, name))]
        for was in self.before[self.kind == "missing":]:
            assert was in files, f"what was there is lost: {os.listdir(self.work)}"

    def check(self, succeeded):
        mine = ("--identity-file", self.keys[0])
        first = self.run(*mine, "client", "show", LATER)
        is_back = "Before" in first.stdout
        assert is_back or not succeeded, f"it was told to be put back: {first}"
        # Put back, and not yet noted here as such: it is refused until the same again.
        unseen = "is an older copy" in first.stderr
        assert self.kind != "whole" or first.returncode == 0 or unseen, first.stderr
        self.new += is_back or unseen
        self.issues_nothing()
        again = self.change(())
        assert again.returncode == 0, again.stderr + again.stdout
        self.issues_nothing()
        shown = self.run(*mine, "show", self.address, "--reveal")
        assert shown.stdout == self.secret, f"another secret: {shown.stderr}"
        assert "Before" in self.run(*mine, "client", "show", LATER).stdout, "the log was applied"
        checked = self.run(*mine, "log", "--verify")
        assert checked.returncode == 0, checked.stderr
        left = [name for name in os.listdir(self.work) if "restoring" in name]
        assert not left, f"left over: {left}"
        self.check_kept()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    if not shutil.which("strace"):
        print("no strace", file=sys.stderr)
        return 77
    good = True
    for kind in ("whole", "spoilt", "missing"):
        with tempfile.TemporaryDirectory(prefix="psn-restore-") as folder:
            campaign = Restore(options.build, folder)
            campaign.kind = kind
            campaign.prepare(6)
            counts = campaign.counts()
            for call in CALLS:
                names = call in ("rename", "link", "unlink")  # each of them, in any run
                every = options.every if counts[call] > 9 and not names else 1
                for n in range(1, counts[call] + 1, every):
                    campaign.trial(f"{call}:signal=SIGKILL:when={n}")
            for call, error in FAILS:
                for n in range(1, counts[call] + 1, options.every if counts[call] > 9 else 1):
                    campaign.trial(f"{call}:error={error}:when={n}")
                    campaign.trial(f"{call}:error={error}:when={n}+")
            print(f"calls: {json.dumps(counts)}")
            print(f"restore over a vault that is {kind}: {campaign.tried} tried, "
                  f"{campaign.survived} survived ({campaign.new} of them with the backup)")
            record("5.1", f"restore, {kind}", campaign.tried, campaign.survived)
            good = good and campaign.tried == campaign.survived and campaign.tried > 20
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
