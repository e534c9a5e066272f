"""What was tried, kept from run to run: docs/proof/records.jsonl.

A line is one part of one class at one state of the sources:

    {"source": …, "class": …, "part": …, "case": …, "tried": …, "survived": …, …}

`source` is git's hash of src/ and include/. What is made of the same cases again replaces what was
recorded before; where a part draws new cases each time, `case` tells them apart, and they add up.
Of mutants (5.16), which are recorded one by one, a row counts those that are `explained` too, and
names those that are `alive`. What a draw counted at its first try stays; what became of the living
later is `killed_since` and `explained_since`, and who has left `alive` otherwise is gone with its
line.
"""

import hashlib
import json
import os
import subprocess

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
COUNTS = ("tried", "survived", "lost", "wrong", "explained")
NAMES = ("source", "on", "class", "part", "case")
KEPT = os.path.join(ROOT, "docs", "proof", "records.jsonl")


def source():
    """The state of the sources, as it lies there."""
    git = ["git", "-C", ROOT]
    listed = subprocess.run([*git, "ls-files", "-z", "src", "include"], capture_output=True,
                            check=True).stdout.split(b"\0")
    digest = hashlib.sha256()
    for name in sorted(filter(None, listed)):
        with open(os.path.join(ROOT.encode(), name), "rb") as file:
            digest.update(name + b"\0" + hashlib.sha256(file.read()).digest())
    return digest.hexdigest()[:12]


def read(path=KEPT):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def newest_whole(rows, least):
    """Of the measurements that rows are of, the rows of the newest one that tried `least` or more;
    of the newest one, if none did."""
    by_measurement = {}
    for row in rows:
        name = row["source"], str(row.get("case", ""))
        by_measurement.setdefault(name, []).append(row)

    def rank(name):
        some = by_measurement[name]
        tried = sum(row["tried"] for row in some)
        return tried >= least, max(row.get("on", "") for row in some), name

    return by_measurement[max(by_measurement, key=rank)] if by_measurement else []


def key(row):
    return row["source"], row["class"], row["part"], str(row.get("case", ""))


def is_alive(row):
    """Of a row of one mutant."""
    return row["tried"] > row["survived"] + row.get("explained", 0)


def last_of_each(rows):
    """The rows; of those that are of the same mutant, the last."""
    by_name = {}
    for number, row in enumerate(rows):
        by_name[json.dumps([key(row), row["mutant"]]) if "mutant" in row else number] = row
    return by_name.values()


def added_up(rows):
    """Parts that one run records in pieces are one row; what follows a slash names a piece."""
    sums = {}
    for row in last_of_each(rows):
        row = {**row, "part": row["part"].split("/")[0]}
        total = sums.setdefault(key(row), {name: row[name] for name in NAMES if name in row})
        for name in COUNTS:
            if name in row:
                total[name] = total.get(name, 0) + row[name]
        if "mutant" in row and is_alive(row):
            total.setdefault("alive", []).append({name: row[name] for name in ("mutant", "line")})
    return list(sums.values())


def keep(rows, path=KEPT):
    """Adds the rows of one run to those that are kept."""
    kept = {key(row): row for row in read(path)}
    for row in added_up(rows):
        before = kept.get(key(row))
        if not before or row["tried"] >= before["tried"] or row["survived"] < row["tried"]:
            kept[key(row)] = row
    write(kept, path)


def replace(rows, path=KEPT):
    """Puts rows in the place of those with the same key, whatever those said."""
    write({key(row): row for row in [*read(path), *rows]}, path)


def write(kept, path):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path + ".new", "w", encoding="utf-8") as file:
        for name in sorted(kept):
            file.write(json.dumps(kept[name], sort_keys=True) + "\n")
    os.replace(path + ".new", path)
