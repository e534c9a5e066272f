#!/usr/bin/env python3
"""Where results go: "-" is no file's name.

    test_streams.py BUILD
"""

import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from support.cases import Cases, equal, exits  # noqa: E402
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
    sys.exit(cases.finish())


if __name__ == "__main__":
    main()
