#ifndef PSN_CORE_RESTORED_H
#define PSN_CORE_RESTORED_H

#include "core/vault.h"

#define PSN_RESTORED_NAME "restored"

/* Does the log beside the file that a backup is to replace belong to it? True if there is
 * none. backup: its keys open the file, or they are of another day. */
bool psn_restored_fits_log(const char *path, const struct psn_vault *backup);

/* Opens what a restore has put aside with the restored vault's keys, and takes over what
 * it tells of people: inside a write. *ret_carried says whether it could be read, and
 * knows all itself. */
PSN_MUST_CHECK enum psn_code psn_restored_carry(struct psn_vault *vault, const char *kept,
                                                struct psn_carried *ret_carried,
                                                struct psn_error *err);

/* Since when somebody is to look whether grants and people are right, as an older backup
 * has replaced a vault that could not be read; 0: nobody is. Inside a transaction. */
PSN_MUST_CHECK enum psn_code psn_restored_unjudged_since(struct psn_vault *vault,
                                                         int64_t *ret_since_s,
                                                         struct psn_error *err);
/* Inside a write. */
PSN_MUST_CHECK enum psn_code psn_restored_note(struct psn_vault *vault, bool unjudged,
                                               struct psn_error *err);

#endif
