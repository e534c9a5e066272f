"""What docs/proof.md counts, and what it does not."""

import unittest

import mutate
import report

NAME = ["src/a.c", "f", "a == b;", "a != b;", 1]


def drawn(case, on, tried, survived, **more):
    return {"class": "5.16", "part": "age", "source": "s" + case, "case": case, "on": on,
            "tried": tried, "survived": survived, "explained": 0, **more}


def alive(line):
    return {"mutant": NAME, "line": line}


def line_of(rows, title):
    return next(line for line in report.page_of(rows).split("\n") if line.startswith("| " + title))


class Counts(unittest.TestCase):
    MUTANTS = "5.16 mutants"

    def test_of_draws_the_newest_whole_one_counts_alone(self):
        rows = [drawn("1", "2026-01-03", 200, 150), drawn("2", "2026-01-04", 120, 115),
                drawn("2", "2026-01-04", 80, 78) | {"part": "base"},
                drawn("3", "2026-01-01", 200, 9)]
        self.assertIn("| 200 | 193 | 200 mutants, 95 % |", line_of(rows, self.MUTANTS))
        self.assertEqual(report.complaints(rows, lambda row: 0), [])

    def test_a_newer_draw_that_is_not_whole_does_not_count_yet(self):
        rows = [drawn("1", "2026-01-03", 200, 194), drawn("2", "2026-01-04", 20, 20)]
        self.assertIn("| 200 | 194 | 200 mutants, 95 % |", line_of(rows, self.MUTANTS))

    def test_where_none_is_whole_that_is_said(self):
        rows = [drawn("1", "2026-01-03", 20, 20), drawn("2", "2026-01-04", 30, 29)]
        self.assertIn("| 30 | 29 | 200 mutants, 95 %: not yet |", line_of(rows, self.MUTANTS))

    def test_a_share_that_is_missed_is_said_to_be(self):
        rows = [drawn("1", "2026-01-03", 200, 189)]
        self.assertIn("| 200 | 189 | 200 mutants, 95 %: missed |", line_of(rows, self.MUTANTS))
        self.assertEqual(len(report.complaints(rows, lambda row: 0)), 1)

    def test_every_other_class_adds_up(self):
        rows = [{"class": "2.1", "part": "swaps", "source": source, "on": on, "tried": 1500,
                 "survived": 1500} for source, on in (("a", "2026-01-01"), ("b", "2026-01-02"))]
        self.assertIn("| 3 000 | 3 000 | 2 000 swaps | 1 500 |", line_of(rows, "2.1"))

    def test_what_was_killed_later_does_not_change_what_the_draw_counted(self):
        rows = [drawn("1", "2026-01-03", 200, 199, alive=[alive(7)])]
        mutate.put_since(rows, {tuple(NAME): (mutate.mutants.Mutant(*NAME, 6), mutate.KILLED)})
        self.assertIn("| 200 | 199 |", line_of(rows, self.MUTANTS))
        self.assertIn("| 200 | 199 | 0 | 1 | 1 | 0 |", line_of(rows, "2026-01-03"))

    def test_who_is_still_alive_is_named_where_it_stands_now_and_once(self):
        rows = [drawn("1", "2026-01-03", 200, 199, alive=[alive(7)]),
                drawn("2", "2026-01-04", 200, 199, alive=[alive(8)])]
        mutate.put_since(rows, {tuple(NAME): (mutate.mutants.Mutant(*NAME, 40), mutate.ALIVE)})
        self.assertEqual(report.page_of(rows).count("| src/a.c:41, f |"), 1)
        self.assertEqual(report.page_of(rows).count("| src/a.c:"), 1)

    def test_who_is_gone_with_its_line_is_neither_alive_nor_killed(self):
        rows = [drawn("1", "2026-01-03", 200, 199, alive=[alive(7)])]
        mutate.put_since(rows, {})
        self.assertIn("| 200 | 199 | 0 | 1 | 0 | 0 |", line_of(rows, "2026-01-03"))

    def test_a_draw_that_named_nobody_says_so(self):
        row = drawn("1", "2026-01-03", 200, 138)
        del row["explained"]
        self.assertIn("| 62 | 0 | not named |", line_of([row], "2026-01-03"))


if __name__ == "__main__":
    unittest.main()
