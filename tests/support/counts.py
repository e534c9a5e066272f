"""How many cases of each kind were tried, and how many had no effect that they must not have.

    counts = Counts({"hostile names": 80})
    with counts.case("hostile names", name):
        …                           # raises if the name had an effect
    sys.exit(counts.finish())

A case is counted once, however often it is tried, and survives if it does so each time.
"""

import contextlib
import sys


class Counts:
    def __init__(self, floors):
        self.floors = floors
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
            if tried < floor or failed:
                print(f"{kind}: at least {floor} are asked for, and no effect", file=sys.stderr)
                good = False
        return 0 if good else 1
