#ifndef PSN_TESTS_ODDS_H
#define PSN_TESTS_ODDS_H

#include <stddef.h>
#include <stdint.h>

/* How likely what was counted is, if nothing is wrong. */

/* The chance that a chi-square of so many degrees of freedom is at least that large. */
double odds_chi_square(double sum, double freedom);

/* The same of counts against what was expected of them; cells that expect fewer than ten
 * are put together. -1 if there are too few to tell: one cell is left. */
double odds_of_counts(const uint64_t *counts, const double *expected, size_t cells);

/* The chance of at least so many where so many are expected (Poisson). */
double odds_of_many(uint64_t count, double expected);

/* What the smallest (or one less the largest) of so many p-values is worth, by Šidák: the
 * chance that one of them is that small. */
double odds_of_smallest(double smallest, size_t tests);

#endif
