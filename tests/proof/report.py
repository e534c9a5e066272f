"""docs/proof.md from docs/proof/records.jsonl, and what it may not be silent about."""

import collections
import os

import records
from classes import BY_NUMBER, CLASSES

PAGE = os.path.join(records.ROOT, "docs", "proof.md")

HEAD = """# What was tried, and what survived

Written by `scripts/prove --report` from [the records](proof/records.jsonl); a test compares them.
`scripts/prove` adds to the records: it goes on where it was stopped, and each run adds up. What did
not survive was a bug: it was mended, what had failed was tried again, and that second try is what
stands here. Some rows come from runs of `scripts/test`, which tries every class in small.

A fault is one that was injected: an allocation, a system call, a request or a sync that failed, a
kill, a lost power, a server that misbehaves. It *survived* when the command gave no success that
was none, lost no password and showed none that was wrong, and the same command or `resume` finished
the work afterwards. A row counts every state of the sources that was tried; the last column counts
the newest alone.

"""


def total(rows, name):
    return sum(row.get(name, 0) for row in rows)


def number(value):
    return f"{value:,}".replace(",", " ")


def newest(rows):
    """The state of the sources that was recorded last."""
    last = max(rows, key=lambda row: (row.get("on", ""), row["source"]), default=None)
    return last["source"] if last else None


def sentence(rows):
    faults = [row for row in rows if BY_NUMBER[row["class"]].is_fault]
    tried, survived = total(faults, "tried"), total(faults, "survived")
    return (f"{number(tried)} faults injected, {number(survived)} survived, "
            f"{total(faults, 'lost')} passwords lost, {total(faults, 'wrong')} wrong passwords "
            "shown")


def table(rows, by_class, last):
    lines = ["| class | tried | survived | asked for | at the newest sources |",
             "|---|--:|--:|--:|--:|"]
    for row in CLASSES:
        some = by_class[row.number]
        tried, survived = total(some, "tried"), total(some, "survived")
        name = f"{row.number} {row.title}" if row.number[0].isdigit() else row.title
        asked = f"{number(row.release)} {row.unit}"
        if tried < row.release:
            asked += ": not yet"
        now = total([one for one in some if one["source"] == last], "tried")
        lines.append(f"| {name} | {number(tried)} | {number(survived)} | {asked} | {number(now)} |")
    return lines


def parts(by_class):
    lines = ["## Part by part", "", "| class | part | tried | survived |", "|---|---|--:|--:|"]
    for row in CLASSES:
        sums = collections.OrderedDict()
        for one in sorted(by_class[row.number], key=lambda one: one["part"]):
            pair = sums.setdefault(one["part"], [0, 0])
            pair[0] += one["tried"]
            pair[1] += one["survived"]
        lines += [f"| {row.number} | {part} | {number(tried)} | {number(survived)} |"
                  for part, (tried, survived) in sums.items()]
    return lines


def mutants(rows):
    """What became of those that were drawn, and where those are that are alive."""
    alive = [one for row in rows for one in row.get("alive", [])]
    tried, killed, explained = (total(rows, name) for name in ("tried", "survived", "explained"))
    unnamed = tried - killed - explained - len(alive)
    lines = ["## Mutants", "",
             f"Of {number(tried)} that were drawn, {number(killed)} were killed, "
             f"{number(explained)} are [explained](../tests/proof/mutants_explained.txt) and "
             f"{number(tried - killed - explained)} are alive. What compiles to the same machine "
             "code is none, and what is alive is tried again with each campaign."]
    if unnamed:
        lines += ["", f"{number(unnamed)} of them were recorded without their names."]
    if alive:
        lines += ["", "| alive | it reads | and could read |", "|---|---|---|"]
    for one in sorted(alive, key=lambda one: (one["mutant"][0], one["line"], one["mutant"][3])):
        path, function, was, becomes, _ = one["mutant"]
        was, becomes = (text.replace("|", "\\|") for text in (was, becomes))
        lines.append(f"| {path}:{one['line']}, {function} | `{was}` | `{becomes}` |")
    return lines


def written():
    rows = [row for row in records.read() if row["class"] in BY_NUMBER]
    by_class = collections.defaultdict(list)
    for row in rows:
        by_class[row["class"]].append(row)
    last = newest(rows)
    lines = [f"**{sentence(rows)}.**", "",
             f"{len({row['source'] for row in rows})} states of the sources; the newest is "
             f"`{last}`.", "", *table(rows, by_class, last), "", *mutants(by_class["5.16"]),
             "", *parts(by_class), ""]
    return HEAD + "\n".join(lines)


def silent(rows):
    """Classes that were never tried; a share that is measured may be missing."""
    tried = {row["class"] for row in rows if row["tried"]}
    return [row for row in CLASSES if row.number not in tried and row.least == 1]


def complaints(rows, floor_of):
    """What is missing: a class that is silent, too few tries, or one that did not survive."""
    found = []
    for row in CLASSES:
        some = [one for one in rows if one["class"] == row.number]
        tried, survived = total(some, "tried"), total(some, "survived")
        if tried < floor_of(row):
            found.append(f"{row.number} {row.title}: {tried} {row.unit} tried, at least "
                         f"{floor_of(row)} are asked for")
        if survived < row.least * tried:
            found.append(f"{row.number} {row.title}: {tried - survived} of {tried} did not survive")
    unknown = {row["class"] for row in rows} - set(BY_NUMBER)
    return found + [f"{name}: no such class" for name in sorted(unknown)]
