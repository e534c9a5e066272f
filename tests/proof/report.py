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

Two rows are shares, and tell of the tests: the mutants that they kill, the lines and branches that
they take. There the newest measurement counts alone, as it came out at its first try. An analyser's
row counts the files that it read, and those of which it had nothing to say.

A fault is one that was injected: an allocation, a system call, a request or a sync that failed, a
kill, a lost power, a server that misbehaves. It *survived* when the command gave no success that
was none, lost no password and showed none that was wrong, and the same command or `resume` finished
the work afterwards. Every other row counts all states of the sources that were tried; the last
column counts the newest alone.

"""


def total(rows, name):
    return sum(row.get(name, 0) for row in rows)


def number(value):
    return f"{value:,}".replace(",", " ")


def counted(rows):
    """The rows of each class that count."""
    by_class = collections.defaultdict(list)
    for row in rows:
        by_class[row["class"]].append(row)
    for row in CLASSES:
        if row.is_share():
            by_class[row.number] = records.newest_whole(by_class[row.number], row.release)
    return by_class


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


def table(by_class, last):
    lines = ["| class | tried | survived | asked for | at the newest sources |",
             "|---|--:|--:|--:|--:|"]
    for row in CLASSES:
        some = by_class[row.number]
        tried, survived = total(some, "tried"), total(some, "survived")
        name = f"{row.number} {row.title}" if row.number[0].isdigit() else row.title
        asked = f"{number(row.release)} {row.unit}"
        if row.is_share():
            asked += f", {100 * row.least:.0f} %"
        if tried < row.release:
            asked += ": not yet"
        elif survived < row.least * tried:
            asked += ": missed"
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


DRAWS = ["| draw | sources | drawn | killed | explained | alive | killed since | alive now |",
         "|---|---|--:|--:|--:|--:|--:|--:|"]


def draw_line(some):
    """What became of one draw: at its first try, and since. Some never named what was alive."""
    tried, killed, explained, since = (total(some, name) for name in
                                       ("tried", "survived", "explained", "killed_since"))
    lives = tried - killed - explained
    named = all("explained" in row for row in some)
    now = number(sum(len(row.get("alive", [])) for row in some)) if named else "not named"
    return (f"| {max(row['on'] for row in some)[:10]} | `{some[0]['source']}` | {number(tried)} | "
            f"{number(killed)} | {number(explained)} | {number(lives)} | {number(since)} | {now} |")


def mutants(rows):
    """What became of each draw, and where those are that are alive."""
    draws = collections.defaultdict(list)
    for row in rows:
        draws[row["source"], row.get("case", "")].append(row)
    lines = ["## Mutants", "",
             "One token of one line is another: do the tests notice? A draw takes them at random, "
             "and stands as it came out at its first try; the newest whole one is the row above. "
             "What compiles to the same machine code is none. Those that are "
             "[explained](../tests/proof/mutants_explained.txt) do not count as killed. What was "
             "alive is tried again with each campaign: it was killed since, is explained, is gone "
             "with its line, or is named below. The oldest draws did not name theirs.", "",
             *DRAWS]
    lines += [draw_line(some) for some in
              sorted(draws.values(), key=lambda some: (some[0]["on"], some[0]["source"]))]
    alive = {tuple(one["mutant"]): one["line"] for row in rows for one in row.get("alive", [])}
    if alive:
        lines += ["", "| alive | it reads | and could read |", "|---|---|---|"]
    for name, line in sorted(alive.items(), key=lambda one: (one[0][0], one[1], one[0][3])):
        path, function, was, becomes, _ = name
        was, becomes = (text.replace("|", "\\|") for text in (was, becomes))
        lines.append(f"| {path}:{line}, {function} | `{was}` | `{becomes}` |")
    return lines


def written():
    return page_of([row for row in records.read() if row["class"] in BY_NUMBER])


def page_of(rows):
    by_class, last = counted(rows), newest(rows)
    drawn = [row for row in rows if row["class"] == "5.16"]
    lines = [f"**{sentence(rows)}.**", "",
             f"{len({row['source'] for row in rows})} states of the sources; the newest is "
             f"`{last}`.", "", *table(by_class, last), "", *mutants(drawn), "",
             *parts(by_class), ""]
    return HEAD + "\n".join(lines)


def silent(rows):
    """Classes that were never tried; a share that is measured may be missing."""
    tried = {row["class"] for row in rows if row["tried"]}
    return [row for row in CLASSES if row.number not in tried and row.least == 1]


def complaints(rows, floor_of):
    """What is missing: a class that is silent, too few tries, or one that did not survive."""
    found, by_class = [], counted(rows)
    for row in CLASSES:
        some = by_class[row.number]
        tried, survived = total(some, "tried"), total(some, "survived")
        if tried < floor_of(row):
            found.append(f"{row.number} {row.title}: {tried} {row.unit} tried, at least "
                         f"{floor_of(row)} are asked for")
        if survived < row.least * tried:
            found.append(f"{row.number} {row.title}: {tried - survived} of {tried} did not survive")
    unknown = {row["class"] for row in rows} - set(BY_NUMBER)
    return found + [f"{name}: no such class" for name in sorted(unknown)]
