"""import_kills.py BUILD [--every N]: imports and exports of the real binary, stopped by strace at
every N-th system call that changes a file, or made to fail there; and exports to a full disk.

After each, an import has taken all of its rows or none, the rest of the vault is as it was, and the
same command once more takes what is missing. An export is whole or not there, nothing is left
beside it unless it was killed, and the vault holds what it held."""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

from rekey_kills import CALLS, FAILS, Campaign

CALLS.extend(["linkat", "mkdir", "renameat2"])
FAILS.extend([("linkat", "ENOSPC"), ("mkdir", "ENOSPC"), ("renameat2", "EIO"), ("write", "ENOSPC")])

ROWS = 60
OLD = 45  # of them stand in the vault with another value. Of both kinds some wait (waiting.c)
ROLE = "box3@d0.example"


class Import(Campaign):
    """Rows that are new, that replace another value, and new mailboxes, in one run."""

    def rows(self, values, count):
        path = os.path.join(self.folder, values + ".csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write("title,username,password,notes,PIN\n")
            file.writelines(f"Site {i},user{i},{values}-{i},note {i},{values}-pin-{i}\n"
                            for i in range(count))
            if count == ROWS:
                file.writelines(f"new{i}@d0.example,,{values}-box-{i},,\n" for i in range(2))
        return path

    def prepare(self, size):
        super().prepare(size)
        mine = ("--identity-file", self.keys[0], "-y")
        self.must(*mine, "import", self.rows("old", OLD), "--role", ROLE, home=self.template)
        self.wanted = self.rows("new", ROWS)
        self.none = self.look(self.template)
        self.all = {"same": 2 * ROWS + 2}
        assert self.none == {"added": 2 * (ROWS - OLD) + 2, "replaced": 2 * OLD}, self.none

    def importing(self, *words):
        return ("--identity-file", self.keys[0], "-y", "--json", "import", self.wanted, "--role",
                ROLE, "--replace", *words)

    def look(self, home):
        """What a run would do: the values of all rows, read at once."""
        summary = json.loads(self.must(*self.importing("-n"), home=home))["summary"]
        return {name: count for name, count in summary.items() if count and name != "new_roles"}

    def change(self, prefix):
        return self.run(*self.importing(), prefix=prefix)

    def check(self, succeeded):
        mine = ("--identity-file", self.keys[0])
        found = self.look(self.work)
        assert found in (self.none, self.all), f"a part of it: {found}"
        assert found == self.all or not succeeded, "success was told, and nothing is there"
        self.new += found == self.all
        shown = self.run(*mine, "show", self.address, "--reveal")
        assert shown.stdout == self.secret, f"another secret: {shown.stderr}"
        checked = self.run(*mine, "log", "--verify")
        assert checked.returncode == 0, checked.stderr
        again = self.run(*self.importing())
        assert again.returncode == 0, again.stderr
        assert self.look(self.work) == self.all, "the second run did not take the rest"


class Export(Campaign):
    """To a folder of its own, in a form that is told when the campaign is made."""

    form = "csv"

    def prepare(self, size):
        super().prepare(size)
        with open(self.keys[1], encoding="utf-8") as file:
            self.to = next(line.split()[-1] for line in file if "public key" in line)
        self.fresh()
        done = self.change(())
        assert done.returncode == 0, done.stderr
        self.whole = self.measure()

    def exporting(self, folder):
        to = ["--to", self.to] if self.form == "passage" else []
        return ("--identity-file", self.keys[0], "-y", "export", "--format", self.form, *to, "-o",
                os.path.join(folder, "out"))

    def fresh(self):
        super().fresh()
        os.mkdir(self.work + "/target")

    def change(self, prefix):
        return self.run(*self.exporting(self.work + "/target"), prefix=prefix)

    def measure(self, folder=None):
        """What stands in the target: the file as it is, of a tree the names."""
        path = os.path.join(folder or self.work + "/target", "out")
        if os.path.isdir(path):
            return sorted(os.path.join(at, name)[len(path):]
                          for at, _, names in os.walk(path) for name in names)
        if not os.path.exists(path):
            return None
        with open(path, "rb") as file:
            return file.read()

    def check(self, succeeded):
        found = self.measure()
        assert found in (None, self.whole), "half of it"
        assert found is not None or not succeeded, "success was told, and nothing is there"
        self.new += found is not None
        left = [name for name in os.listdir(self.work + "/target") if name != "out"]
        assert self.killed or not left, f"left over: {left}"
        self.check_vault()

    def check_vault(self):
        mine = ("--identity-file", self.keys[0])
        shown = self.run(*mine, "show", self.address, "--reveal")
        assert shown.stdout == self.secret, f"another secret: {shown.stderr}"
        checked = self.run(*mine, "log", "--verify")
        assert checked.returncode == 0, checked.stderr

    def inject(self, inject):
        self.killed = "SIGKILL" in inject
        return super().inject(inject)

    def fill_disk(self):
        """Exports to a real file system that has no room left, or none for all of it."""
        self.killed = False
        for pages in (1, 2, 3, 4, 6, 8):
            disk = os.path.join(self.folder, f"disk-{self.form}-{pages}")
            os.mkdir(disk)
            if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={pages * 4096}", "none", disk],
                              capture_output=True).returncode:
                print("no file system can be mounted here", file=sys.stderr)
                return
            self.fresh()
            try:
                done = self.run(*self.exporting(disk))
                found = self.measure(disk)
                left = [name for name in os.listdir(disk) if name != "out"]
                self.tried += 1
                if (found == self.whole) == (done.returncode == 0) and not left and (
                        found is None or done.returncode == 0):
                    self.check_vault()
                    self.survived += 1
                else:
                    print(f"{self.form}, {pages} pages: {done.returncode} {left} {done.stderr}",
                          file=sys.stderr)
            finally:
                subprocess.run(["umount", disk], check=True)


def sweep(campaign, every):
    counts = campaign.counts()
    for call in CALLS:
        for n in range(1, counts[call] + 1, every if counts[call] > 9 else 1):
            campaign.trial(f"{call}:signal=SIGKILL:when={n}")
    for call, error in FAILS:
        for n in range(1, counts[call] + 1, every if counts[call] > 9 else 1):
            campaign.trial(f"{call}:error={error}:when={n}")
            campaign.trial(f"{call}:error={error}:when={n}+")
    print(f"calls: {json.dumps(counts)}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    if not shutil.which("strace") or not shutil.which("age-keygen"):
        print("no strace, or no age-keygen", file=sys.stderr)
        return 77
    good = True
    for form in (None, "csv", "passage"):
        with tempfile.TemporaryDirectory(prefix="psn-import-") as folder:
            campaign = (Export if form else Import)(options.build, folder)
            campaign.form = form
            campaign.prepare(12)
            sweep(campaign, options.every)
            if form:
                campaign.fill_disk()
            print(f"{form or 'import'}: {campaign.tried} tried, {campaign.survived} survived "
                  f"({campaign.new} of them with all of it)")
            good = good and campaign.tried == campaign.survived and campaign.tried > 20
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
