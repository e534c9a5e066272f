#include "support/odds.h"

#include <math.h>

enum {
    TERMS_MAX = 20000,
    CELL_MIN = 10,
};

/* The regularized incomplete gamma functions P and Q (Abramowitz and Stegun 6.5.29 and
 * 6.5.31): a series below the mean, a continued fraction (by Lentz) above it. */
static double lower_gamma(double a, double x)
{
    double term = 1 / a;
    double sum = term;

    for (int n = 1; n < TERMS_MAX && term > sum * 1e-16; n++) {
        term *= x / (a + n);
        sum += term;
    }
    return sum * exp(a * log(x) - x - lgamma(a));
}

static double upper_gamma(double a, double x)
{
    static const double tiny = 1e-300;
    double b = x + 1 - a;
    double c = 1 / tiny;
    double d = 1 / b;
    double fraction = d;

    for (int n = 1; n < TERMS_MAX; n++) {
        double factor = -n * (n - a);
        double change;

        b += 2;
        d = factor * d + b;
        d = 1 / (fabs(d) < tiny ? tiny : d);
        c = b + factor / c;
        c = fabs(c) < tiny ? tiny : c;
        change = c * d;
        fraction *= change;
        if (fabs(change - 1) < 1e-15)
            break;
    }
    return fraction * exp(a * log(x) - x - lgamma(a));
}

double odds_chi_square(double sum, double freedom)
{
    double a = freedom / 2;
    double x = sum / 2;

    if (x <= 0)
        return 1;
    return x < a + 1 ? 1 - lower_gamma(a, x) : upper_gamma(a, x);
}

double odds_of_counts(const uint64_t *counts, const double *expected, size_t cells)
{
    double rest = 0;
    double rest_expected = 0;
    double sum = 0;
    size_t used = 0;

    for (size_t i = 0; i < cells; i++) {
        double off = (double)counts[i] - expected[i];

        if (expected[i] < CELL_MIN) {
            rest += (double)counts[i];
            rest_expected += expected[i];
            continue;
        }
        sum += off * off / expected[i];
        used++;
    }
    if (rest_expected >= CELL_MIN) {
        sum += (rest - rest_expected) * (rest - rest_expected) / rest_expected;
        used++;
    }
    return used > 1 ? odds_chi_square(sum, (double)used - 1) : -1;
}

double odds_of_many(uint64_t count, double expected)
{
    double term = exp(-expected);
    double below = 0;

    for (uint64_t i = 0; i < count; i++) {
        below += term;
        term *= expected / (double)(i + 1);
    }
    return below < 1 ? 1 - below : 0;
}

double odds_of_smallest(double smallest, size_t tests)
{
    return -expm1((double)tests * log1p(-smallest));
}
