#ifndef PSN_CLI_SPAWN_H
#define PSN_CLI_SPAWN_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "cli/cli.h"

/* Other programs that do a part of the work: found in PATH, talked to through
 * descriptors, never through a shell. */

/* Looks a program up in PATH, in its absolute folders only. */
bool cli_find_program(const char *name, char out[CLI_PATH_MAX]);

struct cli_spawn {
    const char *path;
    const char *const *args; /* NULL-terminated, without argv[0] */
    int in;                  /* its standard input; -1: /dev/null */
    int out;                 /* its standard output; -1: /dev/null */
};

/* Starts it, with no signal blocked or ignored and its standard error on /dev/null: an
 * errno, or 0. The descriptors stay the caller's. */
int cli_spawn(const struct cli_spawn *spawn, pid_t *ret_pid);

/* Waits for its end: true if it says that it succeeded. */
bool cli_spawn_succeeded(pid_t pid);

/* All that comes from a descriptor, up to the secret's capacity. */
void cli_spawn_read(int fd, struct psn_secret *output);

#endif
