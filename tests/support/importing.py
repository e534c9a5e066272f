"""Vaults, and the tools beside them, for what comes in and goes out."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

PASSPHRASE = "violet-hangar-97-tortue-braise"


def main():
    """Takes the binary from the command line, and runs the tests of the program."""
    Importing.binary = os.path.abspath(sys.argv.pop(1))
    unittest.main()


class Importing(unittest.TestCase):
    binary = None

    def setUp(self):
        self.home = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, self.home, True)
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": self.home,
            "LC_ALL": "C.UTF-8",
            "XDG_RUNTIME_DIR": self.home,
            "GNUPGHOME": os.path.join(self.home, "g"),
        }
        self.identity = self.at("id.txt")
        self.tool("age-keygen", "-o", self.identity)
        os.chmod(self.identity, 0o600)
        self.vault = "one"
        self.new_vault("one")

    def at(self, name):
        return os.path.join(self.home, name)

    def tool(self, *args, given=None, fds=()):
        done = subprocess.run(
            args,
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            pass_fds=fds,
            cwd=self.home,
        )
        self.assertEqual(done.returncode, 0, f"{args}: {done.stderr}")
        return done.stdout

    def passation(self, *args, exit=0, given=None, fds=()):
        done = subprocess.run(
            [self.binary, "--vault", self.at(self.vault), "--no-input", "--identity-file",
             self.identity, *args],
            env=self.environment,
            input=given,
            capture_output=True,
            text=True,
            pass_fds=fds,
            cwd=self.home,
        )
        self.assertEqual(done.returncode, exit, f"{args}: {done.stdout}{done.stderr}")
        return done.stdout

    def run_raw(self, *args):
        return subprocess.run(
            [self.binary, "--vault", self.at(self.vault), "--no-input", "--identity-file",
             self.identity, *args], env=self.environment, capture_output=True, text=True,
            cwd=self.home)

    def new_vault(self, name):
        self.vault = name
        self.passation("init", "--as", "jp")
        self.passation("client", "add", "martin", "--nic", "ab12345-ovh", "--domain",
                       "martin.fr")

    def take(self, *args, exit=0):
        out = self.passation("--json", "-y", "import", *args, exit=exit)
        return json.loads(out)

    def results(self, answer):
        return {(e["address"], e["label"]): e["result"] for e in answer["entries"]}

    def reveal(self, address, label):
        args = [label] if label else []
        answer = json.loads(
            self.passation("--json", "show", address, *args, "--reveal"))
        return answer["password"] if not label else answer.get("value",
                                                                answer.get("password"))

    def write(self, name, text):
        with open(self.at(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.at(name)

    def with_fd(self, text):
        reading, writing = os.pipe()
        os.write(writing, text.encode())
        os.close(writing)
        self.addCleanup(os.close, reading)
        return reading
