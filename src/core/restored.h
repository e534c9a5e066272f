#ifndef PSN_CORE_RESTORED_H
#define PSN_CORE_RESTORED_H

#include "core/state.h"

#define PSN_RESTORED_NAME "restored"

/* Does the log beside the file that a backup is to replace belong to it? True if there is
 * none. backup: its keys open the file, or they are of another day. */
PSN_MUST_CHECK enum psn_code psn_restored_check_log(const char *path,
                                                    const struct psn_vault *backup,
                                                    bool *ret_fits,
                                                    struct psn_error *err);

/* What is known of the states in play. */
struct psn_restored_states {
    struct psn_seen_state backup; /* that the restored vault goes on from */
    struct psn_seen_record seen;  /* the last one that was seen here, before that */
};

/* The vault that a restore is about to replace, and holds. */
struct psn_restored_there {
    enum psn_replaced replaced;
    struct psn_seen_record state; /* if it could be read */
    bool goes_on;                 /* from the backup's state */
};
/* How far that is, if the keys of `like`, the backup, open it; its rows may be damaged.
 * E_NOMEM; E_IO only if `strict`: a disk that fails may not fail the next time. */
PSN_MUST_CHECK enum psn_code psn_restored_look(
    const char *path, const struct psn_vault *like, const struct psn_seen_state *backup,
    bool strict, struct psn_restored_there *ret_there, struct psn_error *err);

/* Opens the vault that a restore is about to replace, and holds, with the keys of the
 * copy that takes its place, and takes over what it tells: inside a write of the copy.
 * E_IO, E_NOMEM if it cannot be told now what it holds; what is damaged is not read. */
PSN_MUST_CHECK enum psn_code psn_restored_carry(struct psn_vault *copy, const char *path,
                                                const struct psn_restored_states *states,
                                                struct psn_carried *ret_carried,
                                                struct psn_error *err);
/* What to do where the vault that is there cannot be read now. Returns the error's code.
 */
enum psn_code psn_restored_hint(const char *path, struct psn_error *err);

/* Since when somebody is to look whether grants and people are right, as an older backup
 * has replaced a vault that could not be read; 0: nobody is. Inside a transaction. */
PSN_MUST_CHECK enum psn_code psn_restored_unjudged_since(struct psn_vault *vault,
                                                         int64_t *ret_since_s,
                                                         struct psn_error *err);
/* Inside a write. */
PSN_MUST_CHECK enum psn_code psn_restored_note(struct psn_vault *vault, bool unjudged,
                                               struct psn_error *err);

#endif
