#ifndef PSN_BASE_BESIDE_H
#define PSN_BASE_BESIDE_H

#include "passation/error.h"

/*
 * What belongs to a vault's file by its name alone: "vault.db-wal" is the log of
 * "vault.db", whoever wrote it. A log that is not the vault's ruins it, and the drafts
 * are removed or replaced unasked.
 */
#define PSN_BESIDE_WAL      "-wal"
#define PSN_BESIDE_SHM      "-shm"
#define PSN_BESIDE_JOURNAL  "-journal"
#define PSN_BESIDE_LOCK     ".lock"
#define PSN_BESIDE_DRAFT    ".rekeying"
#define PSN_BESIDE_STAGED   ".restoring"
#define PSN_BESIDE_STAGED_2 ".restoring-2"

/* E_INVALID if path is "-", which means standard output in other programs: what writes a
 * file would make one of that name, and whoever reads the pipe would get nothing. */
PSN_MUST_CHECK enum psn_code psn_beside_check_dash(const char *path,
                                                   struct psn_error *err);
/* E_INVALID if that, or if path is such a name and the file that it belongs to is there:
 * nothing that somebody asks for is written under it. */
PSN_MUST_CHECK enum psn_code psn_beside_check(const char *path, struct psn_error *err);
/* E_INVALID if path, or what a link leads to, is there and neither a file nor a folder: a
 * device, a socket or a pipe is not replaced by what is to be written into it. */
PSN_MUST_CHECK enum psn_code psn_beside_check_ordinary(const char *path,
                                                       struct psn_error *err);
/* E_INVALID if that, or if the file is a database: no page, list or key takes a vault's
 * place. */
PSN_MUST_CHECK enum psn_code psn_beside_check_replaced(const char *path,
                                                       struct psn_error *err);

#endif
