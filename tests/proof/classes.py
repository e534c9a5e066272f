"""The classes of failure, and of the ways to provoke them, that `scripts/prove` gives figures for.

Numbers 2.x are failures that password managers had, 5.x are kinds of fault injection, the others
have a word. A campaign records (class, part, tried, survived): see tests/support/record.py.
"""

from typing import NamedTuple


class Class(NamedTuple):
    number: str
    title: str
    unit: str
    release: int  # tried in a release's campaign, at least
    quick: int  # in each run of the tests; 0: not where it may be impossible, or too slow
    is_fault: bool = False  # counts as a fault injected
    least: float = 1  # the share that survives; else all of it

    def is_share(self):
        """It tells of the tests as they are: the newest measurement counts, and no other."""
        return self.least < 1


CLASSES = [Class(*row) for row in (
    ("2.1", "ciphertext moved between entries", "swaps", 2000, 500),
    ("2.2", "rollback and deletion", "edits", 1000, 200),
    ("2.3", "metadata in clear", "needles", 500, 500),
    ("2.4", "weakened key derivation", "edited costs", 64, 64),
    ("2.5", "recipients that were changed", "edits", 200, 60),
    ("2.6", "forged and re-wrapped issues", "forgeries", 50, 50),
    ("2.7", "signatures: moved comments, other algorithms", "cases", 50, 50),
    ("2.8", "secrets left in memory", "memories read", 30, 10),
    ("2.9", "secrets in arguments, environment, files", "system calls read", 10000, 1000),
    ("2.10", "TLS that is not sound", "servers", 48, 48),
    ("2.11", "terminal escapes", "strings", 120, 120),
    ("2.12", "paths that leave their folder", "names", 80, 80),
    ("2.13", "planted links, pipes and folders", "runs", 300, 50),
    ("2.14", "error paths that destroy", "refusals", 100, 100),
    ("2.15", "unbounded input", "bombs", 100, 100),
    ("2.16", "weak or biased generation", "passwords", 147_000_000, 999_000),
    ("2.17", "clipboard left behind", "exits", 20, 20),
    ("2.18", "markup and formulas in exports", "payloads", 200, 200),
    ("2.19", "length of a secret shown by its box", "lengths", 64, 64),
    ("2.20", "races between processes", "commands", 10000, 50),
    ("2.21", "stored data trusted as code", "flips and schemas", 41160, 2000),
    ("2.22", "addresses read in two ways", "spellings", 300, 300),
    ("5.1", "system calls of the program: killed, failing", "runs", 5000, 250, True),
    ("5.2", "power cuts on a real ext4", "cuts", 10000, 0, True),
    ("5.3", "torn and lost writes, in process", "images", 100_000, 500, True),
    ("5.4", "memory that ends", "allocations", 10000, 1500, True),
    ("5.5", "disks that are full", "runs", 500, 0, True),
    ("5.6", "bad networks", "servers", 480, 100, True),
    ("5.9", "wrong and jumping clocks", "clocks", 20, 20),
    ("5.12", "faults while a fault is repaired", "runs", 5000, 12, True),
    ("5.13", "logins at Dovecot: killed, faulty", "runs", 500, 8, True),
    ("sweep", "every command that writes, every call, in process", "faults", 380_000, 200, True),
    ("model", "the rotation's machine, walked whole", "steps", 1_000_000, 1_000_000),
    ("age", "age's own vectors", "vectors", 124, 124),
    ("5.16", "mutants that the tests kill", "mutants", 200, 0, False, 0.95),
    ("coverage", "lines and branches that the tests take", "lines and branches", 10000, 0, False,
     0.9),
    ("analysis", "sources and tests of which the analysers say nothing", "files and programs", 2000,
     0),
    ("fuzz", "parsers and the whole vault, fuzzed", "inputs", 100_000_000, 10_000),
)]

BY_NUMBER = {row.number: row for row in CLASSES}
