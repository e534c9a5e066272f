#ifndef SUPPORT_CRASH_VFS_H
#define SUPPORT_CRASH_VFS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * A SQLite VFS that counts every operation which changes files, and at the n-th one
 * fails it, or ends the process as a kill or a power cut would. Link, rename, unlink,
 * fsync and pwrite of the code under test count too (linked with --wrap=link,
 * --wrap=rename, --wrap=unlink, --wrap=fsync, --wrap=pwrite).
 *
 * A power cut keeps what was synced. Of what was not, each 512-byte sector is kept or
 * lost as the seed has it, in any order, the write under way included; a file that has
 * grown may keep its old size. Names are durable at once.
 */
enum crash_mode {
    CRASH_NONE,  /* only count */
    CRASH_KILL,  /* the process ends before the n-th operation */
    CRASH_POWER, /* the machine ends in the middle of it */
    CRASH_IO,    /* it fails with EIO */
    CRASH_FULL,  /* it fails with ENOSPC; syncs and deletions are not counted */
};

enum {
    CRASH_STATUS = 42,        /* the exit status of a process that was ended */
    CRASH_STATUS_AT_END = 43, /* and by crash_vfs_cut_power() */
};

/* Makes it the default VFS of this process. Before any database is opened. */
void crash_vfs_install(void);

/* From now on the n-th operation (from 1) is the one; sticky: it and all after it. */
void crash_vfs_arm(enum crash_mode mode, unsigned n, bool sticky, uint64_t seed);
void crash_vfs_disarm(void);

/* The power fails now: for the time after all work was done. Does not return. */
void crash_vfs_cut_power(void);

/* The operations since it was armed, and whether the n-th was among them. */
unsigned crash_vfs_count(void);
bool crash_vfs_fired(void);

#endif
