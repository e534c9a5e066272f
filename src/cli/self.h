#ifndef PSN_CLI_SELF_H
#define PSN_CLI_SELF_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "cli/cli.h"

/* This program as a file, and as the parent of helpers that outlive it. */

enum {
    CLI_HELPER_FD = 3, /* where a helper finds the socket to whoever started it */
};

/* The folder that the program's file is in, without a final '/'. False if unknown. */
bool cli_self_folder(char *out, size_t size);

/* Starts this program again with a hidden command, detached: a session of its own,
 * stdio on /dev/null, one end of a socket pair as CLI_HELPER_FD. The other end is
 * *ret_fd, the caller's. Nothing secret goes by argv or environment. */
PSN_MUST_CHECK enum psn_code cli_self_start(const char *command, int *ret_fd,
                                            struct psn_error *err);

/* In the helper: closes what it does not need and checks that CLI_HELPER_FD is a socket
 * to a process of this user. */
PSN_MUST_CHECK enum psn_code cli_self_is_helper(struct psn_error *err);

/* True if the process at the other end of the socket belongs to this user. */
bool cli_self_peer_is_ours(int fd);

/* Reads or writes exactly size bytes of a socket; false if the other end stops before, or
 * is not done when the clock that counts sleep stands at deadline_boot_ms. */
bool cli_self_read(int fd, void *bytes, size_t size, int64_t deadline_boot_ms);
bool cli_self_write(int fd, const void *bytes, size_t size, int64_t deadline_boot_ms);
/* Takes what has come of size bytes, without waiting. Returns how many, 0 if there is
 * nothing yet, -1 if the other end has stopped. */
ssize_t cli_self_read_some(int fd, void *bytes, size_t size);

/* The moment so many seconds from now. */
int64_t cli_self_deadline(int seconds);

/* Gives connect() on a socket this long. */
void cli_self_limit(int fd, int seconds);

enum cli_wake {
    CLI_WAKE_READY,  /* fd can be read */
    CLI_WAKE_TIME,   /* the deadline has passed */
    CLI_WAKE_SIGNAL, /* SIGTERM, SIGINT or SIGHUP came in, now or before */
};

/* Blocks the signals that end a helper, so that cli_self_wait() alone sees them. */
void cli_self_hold_signals(void);

/* Waits for fd (-1: none), a deadline on the clock that counts sleep, or a signal. A
 * machine that wakes up late finds the deadline passed at once. */
enum cli_wake cli_self_wait(int fd, int64_t deadline_boot_ms);

#endif
