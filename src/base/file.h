#ifndef PSN_BASE_FILE_H
#define PSN_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "passation/error.h"

/* Files, as a program that must survive a crash and a hostile folder treats them:
 * no link is followed, every new file is 0600 from its first byte, and a file
 * appears whole or not at all. */

/* Reads the whole file into buf (whose maximum applies). Follows no symbolic link
 * and refuses anything but a regular file. E_NOT_FOUND, E_IO, E_LIMIT. */
PSN_MUST_CHECK enum psn_code psn_file_read(const char *path, struct psn_buf *buf,
                                           struct psn_error *err);

/* Opens such a file for reading. The caller closes it. */
PSN_MUST_CHECK enum psn_code psn_file_open(const char *path, int *ret_fd,
                                           struct psn_error *err);

/* Reads a descriptor up to its end into buf and removes one final newline. The
 * descriptor is closed if it is above 2. E_INVALID if it is not open. */
PSN_MUST_CHECK enum psn_code psn_file_read_fd(int fd, struct psn_buf *buf,
                                              struct psn_error *err);

/* Writes all of it to a descriptor. Returns 0 or an errno: what follows may change the
 * global one. */
int psn_file_write_fd(int fd, const void *bytes, size_t size);

/* Warnings about a file that holds a secret: true if others may read it. */
bool psn_file_is_exposed(const char *path);

enum psn_file_mode {
    PSN_FILE_REPLACE, /* an older file of that name is replaced, atomically */
    PSN_FILE_NEW,     /* E_EXISTS if there is one */
    PSN_FILE_HINT,    /* as REPLACE without fsync: a power cut may undo it */
};

/* Writes a file: without a name where that can be (not HINT), else as a random sibling;
 * 0600, fsync, link or rename, fsync of the folder. On failure the folder is as before; a
 * kill can leave a sibling only where there is a file to be replaced. E_INVALID for a
 * name that belongs to a vault's file, and for a vault that would be replaced. */
PSN_MUST_CHECK enum psn_code psn_file_write(const char *path, const void *bytes,
                                            size_t size, enum psn_file_mode mode,
                                            struct psn_error *err);

/* E_NOT_FOUND, E_INVALID or E_IO unless it is a folder in which we may write. */
PSN_MUST_CHECK enum psn_code psn_file_check_dir(const char *path, struct psn_error *err);

/* Whether psn_file_write() in the mode PSN_FILE_NEW would find the name free and the
 * folder there: before somebody is asked for what the file is to hold. */
PSN_MUST_CHECK enum psn_code psn_file_check_new(const char *path, struct psn_error *err);

/* Makes the folder and its parents, 0700. Only we may write in the last one, or
 * E_POLICY. */
PSN_MUST_CHECK enum psn_code psn_file_make_dir(const char *path, struct psn_error *err);

/* Removes a folder with all that is in it, as far as it can; follows no link. */
void psn_file_remove_tree(const char *path);

/* Makes a completed rename in the file's folder durable. */
PSN_MUST_CHECK enum psn_code psn_file_sync_dir_of(const char *path,
                                                  struct psn_error *err);

/* Maps an errno of a failed file operation to a code: E_NOT_FOUND, E_EXISTS, E_FULL,
 * E_NOMEM or E_IO. */
enum psn_code psn_file_code(int errnum);

/* Copies the folder part of path ("." if none) into a new string; NULL without
 * memory. */
char *psn_file_dir_of(const char *path);

/*
 * An exclusive lock on a file of its own, held until psn_file_unlock() or the end
 * of the process. The file keeps the holder's line for others to read.
 */
struct psn_file_lock {
    int fd; /* -1: not held */
};

#define PSN_FILE_LOCK_NONE ((struct psn_file_lock){ -1 })

/* E_BUSY names the holder. `what` is what this process does, one plain line. */
PSN_MUST_CHECK enum psn_code psn_file_lock(const char *path, const char *what,
                                           struct psn_file_lock *lock,
                                           struct psn_error *err);
/* The same, a few times within a tenth of a second: who only looks whether it is held has
 * it for a moment. */
PSN_MUST_CHECK enum psn_code psn_file_lock_soon(const char *path, const char *what,
                                                struct psn_file_lock *lock,
                                                struct psn_error *err);
void psn_file_unlock(struct psn_file_lock *lock);

#endif
