#!/usr/bin/env python3
"""What is installed can be used: the program, its French, its man pages, and the library by
find_package() and by pkg-config, from a folder it was not configured for.

    test_install.py BUILD
"""

import glob
import os
import shlex
import subprocess
import sys
import tempfile
import unittest

BUILD = None
HERE = os.path.dirname(os.path.abspath(__file__))


def run(*words, env=None, status=0):
    done = subprocess.run(words, env=env, capture_output=True, text=True)
    if done.returncode != status:
        raise AssertionError(f"{shlex.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="psn-install-")
        cls.prefix = os.path.join(cls.folder.name, "moved here")
        run("cmake", "--install", BUILD, "--prefix", cls.prefix)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def env(self, **more):
        return {"PATH": os.environ["PATH"], "HOME": self.folder.name, **more}

    def found(self, *pattern):
        names = glob.glob(os.path.join(self.prefix, "**", *pattern), recursive=True)
        self.assertTrue(names, pattern)
        return names[0]

    def use(self, program):
        """The library through a consumer: a vault that is not there, and one that is."""
        folder = tempfile.mkdtemp(dir=self.folder.name)
        path = os.path.join(folder, "v.db")
        self.assertTrue(run(program, path, status=4, env=self.env()).startswith("not_found"))
        key = os.path.join(folder, "key")
        run("age-keygen", "-o", key)
        os.chmod(key, 0o600)
        run(self.found("bin", "passation"), "--no-input", "--vault", path, "--identity-file", key,
            "init", env=self.env())
        self.assertEqual(run(program, path, env=self.env()), "ok: opened\n")

    def test_the_program_and_its_pages_are_there(self):
        self.assertIn("passation", run(self.found("bin", "passation"), "--version",
                                       env=self.env()))
        self.found("man1", "passation-rotate.1*")
        self.found("passation.mo")

    def test_shells_find_their_completion(self):
        self.found("share", "bash-completion", "completions", "passation")
        self.found("share", "zsh", "site-functions", "_passation")
        self.found("share", "fish", "vendor_completions.d", "passation.fish")

    def test_find_package(self):
        build = os.path.join(self.folder.name, "cmake")
        run("cmake", "-S", HERE, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}",
            "-DCMAKE_BUILD_TYPE=Release", env=self.env())
        run("cmake", "--build", build, env=self.env())
        self.use(os.path.join(build, "consumer"))

    def test_pkg_config(self):
        where = os.path.dirname(self.found("passation.pc"))
        words = run("pkg-config", "--cflags", "--libs", "passation",
                    env=self.env(PKG_CONFIG_PATH=where))
        for name in ("jansson", "expat", "curl"):  # loaded by those who need them
            self.assertNotIn(name, words)
        program = os.path.join(self.folder.name, "consumer")
        run("cc", os.path.join(HERE, "consumer.c"), "-o", program, *shlex.split(words))
        self.use(program)


if __name__ == "__main__":
    BUILD = os.path.abspath(sys.argv.pop(1))
    unittest.main()
