"""What the tests of this folder share: the tool, a folder of their own, keys."""

import os
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from support.cases import Cases, Skip, describe, equal, exits, true  # noqa: E402,F401

TOOL = sys.argv[1]
NODE_DIR = sys.argv[2]
STATUS = {"success": 0, "header failure": 20, "no match": 21, "HMAC failure": 22,
          "payload failure": 23, "armor failure": 24}


class Place(tempfile.TemporaryDirectory):
    """A folder that writes and reads files by name."""

    def __enter__(self):
        return self

    def path(self, name):
        return os.path.join(self.name, name)

    def write(self, name, content):
        data = content.encode() if isinstance(content, str) else content
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600),
                  "wb") as file:
            file.write(data)
        return self.path(name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()


def command(*words, check=True, stdin=b"", text=False):
    done = subprocess.run(words, capture_output=True, input=stdin, check=False, timeout=300)
    if check and done.returncode != 0:
        raise AssertionError(describe(done))
    return done


def tool(*words):
    return command(TOOL, *words, check=False)


def says(done, status, words):
    exits(done, status)
    true(words in done.stderr.decode(), f"{words!r} is not said: {describe(done)}")


def need(*programs):
    for program in programs:
        if not shutil.which(program):
            print(f"skipped: {program} is not installed")
            sys.exit(77)


def need_npm(package):
    if not shutil.which("node") or not os.path.isdir(
            os.path.join(NODE_DIR, "node_modules", package)):
        print(f"skipped: {package} is not installed (target interop-node-modules)")
        sys.exit(77)


def age_key(place, name="identity"):
    """A new age identity: its file, its text and its recipient."""
    text = command("age-keygen").stdout.decode()
    secret = [line for line in text.splitlines() if line.startswith("AGE-")][0]
    path = place.write(name, text)
    return path, secret, command("age-keygen", "-y", path).stdout.decode().strip()


def ssh_key(place, name="ssh", *options):
    """A new ssh-ed25519 key: its file and its public line."""
    command("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "tester@example.org",
            "-f", place.path(name), *options)
    return place.path(name), place.read(name + ".pub").decode().strip()
