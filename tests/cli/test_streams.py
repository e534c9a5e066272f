#!/usr/bin/env python3
"""Where results go: "-" is no file's name, and a result that is lost is told as what it is.

    test_streams.py BUILD
"""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.cases import Cases, describe, equal, exits, true  # noqa: E402
from support.world import World, keygen  # noqa: E402

BOX = f"box0@{World.DOMAIN}"
UNTIL = ("--until", "2031-01-01")
DASHES = [
    ("backup", "-"),
    ("backup", "-f", "-"),
    ("key", "rotate", "-o", "-"),
    ("--vault", "new.db", "init", "--recovery-out", "-"),
    ("grant", "jp", BOX, *UNTIL, "-o", "-"),
    ("envelope", "create", "essai", "--to", "martine", "-o", "-"),
    ("depart", "jp", "--plan", "-o", "-"),
    ("depart", "jp", "-o", "-"),
    ("export", "--format", "pass", "-o", "-", "--to", "jp"),
]


def check_dash(world, cases, folder):
    entries = len(world.json("log")["log"])
    for words in DASHES:
        with cases.case("'-' is refused: passation " + " ".join(words)):
            done = exits(world.run("--json", "-y", *words, cwd=folder), 2)
            error = json.loads(done.stdout)["error"]
            equal(error["code"], "usage")
            equal(os.listdir(folder), [], "what was made")
    with cases.case("what is refused changes nothing"):
        equal(len(world.json("log")["log"]), entries)
    with cases.case("./- is a file's name"):
        exits(world.run("backup", "./-", cwd=folder), 0)
        equal(os.listdir(folder), ["-"])
        os.unlink(os.path.join(folder, "-"))


def lost(world, redirection, *words):
    return subprocess.run(
        ["bash", "-c", f'"$@" {redirection}', "bash", *world.command(*words)], env=world.env(),
        capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)


def check_lost(world, cases):
    for redirection, why in ((">&-", "Bad file descriptor"),
                             (">/dev/full", "No space left on device")):
        for words in (("grant", "jp", BOX, *UNTIL, "-o", world.home), ("who", BOX), ("doctor",),
                      ("--json", "status"), ("key", "rotate"),
                      ("envelope", "create", "essai", "--to", "martine", "-o", world.home)):
            with cases.case(f"{' '.join(words[:2])} {redirection}: {why}, exit 1"):
                done = exits(lost(world, redirection, *words), 1)
                true(f"cannot write the result: {why}" in done.stderr, describe(done))


def check_record(world, cases):
    """The record of what was seen, by which an older copy is noticed."""
    nowhere = world.env(XDG_STATE_HOME="/dev/null/x")
    with cases.case("a record that cannot be written is told, once, and no failure"):
        done = exits(world.run("show", BOX, "--reveal", env=nowhere), 0)
        equal(done.stderr.count("an older copy that takes this vault's place"), 1, describe(done))
        true("/dev/null/x" in done.stderr, describe(done))
    with cases.case("doctor names the folder"):
        found = json.loads(world.run("--json", "doctor", "--offline", env=nowhere).stdout)
        (why,) = [row["why"] for row in found["unlooked"] if row["part"] == "rollback"]
        true("/dev/null/x" in why, why)
    with cases.case("a damaged record is told, once, and made anew"):
        state = os.path.join(world.home, "state/passation")
        (path,) = [os.path.join(state, name) for name in os.listdir(state)
                   if name.startswith("seen-")]
        with open(path, "w", encoding="ascii") as file:
            file.write("passation-seen 1\ngeneration")
        done = exits(world.run("show", BOX, "--reveal"), 0)
        true("cannot be read: this one may be older" in done.stderr and path in done.stderr,
             describe(done))
        equal(exits(world.run("show", BOX, "--reveal"), 0).stderr, "")


def check_authorities(world, cases):
    with cases.case("authorities are not read from a pipe, which nobody may ever write into"):
        path = os.path.join(world.home, "pipe.pem")
        os.mkfifo(path)
        done = world.run("verify", BOX, env=world.env(PASSATION_CA_FILE=path))
        true(done.returncode != 0, describe(done))
        true(f"'{path}' is no file of certificate authorities" in done.stdout + done.stderr,
             describe(done))


def check_hints(world, cases):
    """A line to be pasted does nothing but what it says."""
    def pasted(done, *known):
        (line,) = [line for line in (done.stdout + done.stderr).splitlines() if "chmod" in line]
        command = line[line.index("chmod"):]
        subprocess.run(["sh", "-c", command], cwd=folder, check=True, timeout=60)
        equal(sorted(os.listdir(folder)), sorted(known), command)
        return command

    folder = os.path.join(world.home, "hints")
    os.mkdir(folder)
    with cases.case("the hint for an open configuration quotes its name"):
        name = "a;touch PWNED"
        with open(world.config, encoding="ascii") as file:
            content = file.read()
        path = os.path.join(folder, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(content)
        os.chmod(path, 0o644)
        done = world.run("ovh", "link", "essai", "--config", name, "--accept-wide", cwd=folder)
        pasted(done, name)
        equal(os.stat(path).st_mode & 0o777, 0o600)
        os.unlink(path)
    with cases.case("the hint for the agent's folder quotes its name"):
        runtime = os.path.join(folder, "a';touch PWNED;'")
        os.makedirs(os.path.join(runtime, "passation"))
        os.chmod(runtime, 0o700)
        os.chmod(os.path.join(runtime, "passation"), 0o755)
        done = exits(world.run("unlock", env=world.env(XDG_RUNTIME_DIR=runtime)), 13)
        pasted(done, os.path.basename(runtime))
        equal(os.stat(os.path.join(runtime, "passation")).st_mode & 0o777, 0o700)


def main():
    cases = Cases()
    with World(sys.argv[1]) as world:
        world.setup_client()
        key = os.path.join(world.home, "jp.txt")
        keygen(key)
        world.run("person", "add", "jp", "--kind", "provider", "--key", key + ".pub", check=0)
        world.run("person", "add", "martine", "--kind", "client", check=0)
        folder = os.path.join(world.home, "here")
        os.mkdir(folder)
        check_dash(world, cases, folder)
        check_lost(world, cases)
        check_record(world, cases)
        check_authorities(world, cases)
        check_hints(world, cases)
    sys.exit(cases.finish())


if __name__ == "__main__":
    main()
