#ifndef PSN_CORE_BACKUP_H
#define PSN_CORE_BACKUP_H

#include "core/vault.h"

/* The vault's journal: a copy was made, and opened again. Its text is the file's
 * path, or its name alone from earlier versions. */
#define PSN_BACKUP_CHECKED "vault.backup-checked"

/* Opens a copy as the same vault, with the keys at hand; it leaves no log. */
PSN_MUST_CHECK enum psn_code psn_backup_open_copy(const struct psn_vault *vault,
                                                  const char *path,
                                                  struct psn_vault **ret_copy,
                                                  struct psn_error *err);

/* A copy is one file: a log that only reading has made, and that is empty, goes. */
void psn_backup_drop_empty_log(const char *path);

/* By its first bytes; false for one that cannot be read. */
bool psn_is_a_vault_file(const char *path);

#endif
