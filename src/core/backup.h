#ifndef PSN_CORE_BACKUP_H
#define PSN_CORE_BACKUP_H

/* The vault's journal: a copy was made, and opened again. Its text is the file's name. */
#define PSN_BACKUP_CHECKED "vault.backup-checked"

/* A copy is one file: a log that only reading has made, and that is empty, goes. */
void psn_backup_drop_empty_log(const char *path);

#endif
