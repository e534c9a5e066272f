#!/usr/bin/env python3
"""The daily screen over thousands of domains, unlocked by the agent: `status` beside one verified
walk over the mailboxes alone (`role ls`), by turns.

    bench_status.py BUILD [--runs 40]

Each mailbox is granted and issued to one of 100 people; every tenth is exposed.
"""

import argparse
import os
import shutil
import sys
import tempfile

from holders import Passation
from machine import Contender, median, paired, race

VAULTS = ((3000, 1), (10000, 4))  # mailboxes, of each client
PEOPLE = 100


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=os.path.abspath)
    parser.add_argument("--runs", type=int, default=40)
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="psn-b-")
    try:
        for count, each in VAULTS:
            kind = type("Granted", (Passation,), {"more": (str(each), str(PEOPLE))})
            vault = kind(options.build, folder, count)
            taken = race({"role ls": Contender(lambda _: vault.of("role", "ls")),
                          "status": Contender(lambda _: vault.of("status"))}, options.runs)
            vault.close()
            print(f"{count} mailboxes of {count // each} clients: role ls "
                  f"{median(taken['role ls']):.0f} ms, status {median(taken['status']):.0f} ms, "
                  f"ratio {paired(taken, 'status', 'role ls'):.2f}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
