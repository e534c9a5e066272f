#ifndef PSN_CORE_BACKUP_H
#define PSN_CORE_BACKUP_H

#include <stdbool.h>

/* The vault's journal: a copy was made, and opened again. Its text is the file's
 * path, or its name alone from earlier versions. */
#define PSN_BACKUP_CHECKED "vault.backup-checked"

/* A copy is one file: a log that only reading has made, and that is empty, goes. */
void psn_backup_drop_empty_log(const char *path);

/* By its first bytes; false for one that cannot be read. */
bool psn_is_a_vault_file(const char *path);

#endif
