#ifndef PSN_TESTS_TMPDIR_H
#define PSN_TESTS_TMPDIR_H

#include <stddef.h>

/* A folder of its own for each test, under $TMPDIR or /tmp. Failures end the test. */
struct tmpdir {
    char path[256];
};

void tmpdir_make(struct tmpdir *dir);

/* Removes it with all that is in it. */
void tmpdir_remove(struct tmpdir *dir);

/* Writes "FOLDER/name" into out[TMPDIR_PATH_MAX]; returns out. */
enum {
    TMPDIR_PATH_MAX = 512
};
const char *tmpdir_path(const struct tmpdir *dir, const char *name,
                        char out[TMPDIR_PATH_MAX]);

/* The number of entries in the folder. */
size_t tmpdir_count(const struct tmpdir *dir);

#endif
