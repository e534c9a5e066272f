#ifndef PSN_BASE_LOCKER_H
#define PSN_BASE_LOCKER_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Who holds a lock of POSIX's on a file, as SQLite's are; for a message, never for a
 * decision: he may be gone when it is read. Nothing is opened, since to close a file is
 * to lose one's own locks on it (fcntl(2)).
 */
enum {
    PSN_LOCKER_MAX = 64,
};

/* "passation, process 4711": another process that holds such a lock, with `writing` one
 * that keeps others out. False, and "": nobody does, or this system does not tell. */
bool psn_locker_of(const char *path, bool writing, char ret_text[PSN_LOCKER_MAX]);

#endif
