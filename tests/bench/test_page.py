#!/usr/bin/env python3
"""The page of figures is what bench.py writes: between the markers, with a row for each goal.

    test_page.py docs/performance.md
"""

import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import page  # noqa: E402
from measure import PARTS  # noqa: E402
from support.cases import Cases, equal, true  # noqa: E402

# What a generated page says of each goal's row.
VERDICTS = ("met", "met; aim missed", "**missed**", "not measured")


def goal_rows(text):
    return re.findall(r"^\| (\d+) \| (.*?) \| (.*?) \| (.*?) \| (.*?) \|$", text, re.M)


def main():
    cases = Cases()
    with open(sys.argv[1], encoding="utf-8") as file:
        whole = file.read()
    generated = whole.split(page.BEGIN)[1].split(page.END)[0]
    with cases.case("each goal has its row, in order, with a figure and a verdict"):
        rows = goal_rows(generated)
        equal([int(row[0]) for row in rows], list(range(1, len(page.GOALS) + 1)), "numbers")
        for row, (what, goal, _) in zip(rows, page.GOALS):
            equal((row[1], row[2]), (what, goal), "what and goal")
            true(row[4] in VERDICTS, f"verdict {row[4]!r}")
            true(row[4] == "not measured" or row[3], "no figure")
    with cases.case("each section is there, and none that the programs do not make"):
        equal(re.findall(r"^## (.*)$", generated, re.M), [title for title, _ in page.SECTIONS],
              "sections")
    with cases.case("a result that was not measured is said to be none, in every table"):
        empty = page.compose({})
        equal(empty.count("not measured"), len(page.GOALS), "goals without figure")
        equal(empty.count("Not measured"), len(page.SECTIONS) - 1, "sections without figures")
    with cases.case("writing leaves what a hand wrote before and after the markers"):
        with tempfile.NamedTemporaryFile("w+", suffix=".md") as file:
            file.write(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n")
            file.flush()
            page.write(file.name, "new")
            file.seek(0)
            equal(file.read(), f"before\n{page.BEGIN}\n\nnew\n{page.END}\nafter\n", "page")
    with cases.case("the page names no part that cannot be measured again"):
        named = re.findall(r"^\| (\w+) \| \d+ s \| \d+ % \|$", generated, re.M)
        true(set(named) <= set(PARTS), f"parts {named}")
    return cases.finish()


if __name__ == "__main__":
    sys.exit(main())
