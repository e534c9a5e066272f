#ifndef PASSATION_TESTS_RECORD_H
#define PASSATION_TESTS_RECORD_H

#include <stdint.h>

/* What was tried, and what survived it, for scripts/prove: one line of JSON at the end of
 * the file that PASSATION_RECORD names; without it, nothing. NUMBER is a row of
 * tests/proof/classes.py, PART the campaign, the same in each run; neither needs escapes.
 */
void record_figure(const char *number, const char *part, uint64_t tried,
                   uint64_t survived);

#endif
