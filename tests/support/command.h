#ifndef PSN_TESTS_COMMAND_H
#define PSN_TESTS_COMMAND_H

#include <stddef.h>

/* Runs a program of the system with nothing on its input. Its output goes to out, as a
 * string cut to size; what it says on stderr is dropped. Returns the exit status, or
 * COMMAND_MISSING if there is no such program. */
enum {
    COMMAND_MISSING = 127
};
int command_run(const char *const argv[], char *out, size_t size);

/* Ends the test as skipped if the program is missing. To be called before the test has
 * taken anything, since a skipped test frees nothing. */
void command_require(const char *name);

#endif
