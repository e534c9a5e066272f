#ifndef PSN_TESTS_FUZZ_TARGET_H
#define PSN_TESTS_FUZZ_TARGET_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

/* What each fuzz target defines: runs the code on some bytes, and aborts if a property
 * that must hold does not. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* An assertion whose failure is a finding. */
#define MUST(condition)   \
    do {                  \
        if (!(condition)) \
            abort();      \
    } while (0)

#endif
