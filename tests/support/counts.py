"""How many cases of each kind were tried, and how many had no effect that they must not have.

    counts = Counts({"hostile names": 80}, {"hostile names": "2.12"})
    with counts.case("hostile names", name):
        …                           # raises if the name had an effect
    sys.exit(counts.finish())

A case is counted once, however often it is tried, and survives if it does so each time. The kinds
that are of a class of tests/proof/classes.py are recorded there.
"""

import contextlib
import sys

from support.record import record


class Counts:
    def __init__(self, floors, classes=None):
        self.floors = floors
        self.classes = classes or {}
        self.tried = {kind: set() for kind in floors}
        self.failed = {kind: set() for kind in floors}

    @contextlib.contextmanager
    def case(self, kind, case):
        self.tried[kind].add(case)
        try:
            yield
        except BaseException:
            self.failed[kind].add(case)
            raise

    def finish(self):
        """Prints the counts. 1 if a kind has too few cases, or one of them had an effect."""
        good = True
        for kind, floor in self.floors.items():
            tried, failed = len(self.tried[kind]), len(self.failed[kind])
            print(f"{kind}: tried {tried} survived {tried - failed}")
            if kind in self.classes:
                record(self.classes[kind], kind, tried, tried - failed)
            if tried < floor or failed:
                print(f"{kind}: at least {floor} are asked for, and no effect", file=sys.stderr)
                good = False
        return 0 if good else 1
