#ifndef PSN_CORE_DOCTOR_H
#define PSN_CORE_DOCTOR_H

#include "core/vault.h"
#include "passation/doctor.h"

/* What the files of the doctor share. Each looks at one thing, and tells what it finds.
 */

/* Texts that are not given are "". */
void psn_doctor_tell(const struct psn_doctor_options *options,
                     const struct psn_doctor_finding *finding);
#define PSN_DOCTOR_TELL(options, ...) \
    psn_doctor_tell(options, &(struct psn_doctor_finding){ __VA_ARGS__ })
/* code: as for unlooked(). */
void psn_doctor_skip(const struct psn_doctor_options *options, enum psn_doctor_part part,
                     const char *client, enum psn_code code, const char *why);

/* Calls each for the regular files right in a folder, links not followed. OK if there is
 * no folder. */
typedef void psn_doctor_file_fn(void *arg, const char *path);
PSN_MUST_CHECK enum psn_code psn_doctor_each_file(const char *folder,
                                                  psn_doctor_file_fn *each, void *arg,
                                                  struct psn_error *err);

/* doctor_files.c, doctor_machine.c: before the vault is opened. */
void psn_doctor_files(const struct psn_doctor_options *options);
void psn_doctor_machine(const struct psn_doctor_options *options);
/* Is it a file that a command was writing, by what follows the vault's name in its own?
 */
bool psn_doctor_is_leftover(const char *tail);

/* doctor_content.c: rows, chains, what the rollback record says. True if the vault is
 * unlocked, whole, and not behind what was seen here. */
bool psn_doctor_content(struct psn_vault *vault,
                        const struct psn_doctor_options *options);

/* doctor_copies.c: what lies beside the vault. NULL: it is not known to be the one that
 * counts. */
void psn_doctor_copies(struct psn_vault *vault, const struct psn_doctor_options *options);

/* doctor_work.c: ways in, backups, what is open; unlocked but the first. */
void psn_doctor_slots(struct psn_vault *vault, const struct psn_doctor_options *options);
void psn_doctor_backups(struct psn_vault *vault,
                        const struct psn_doctor_options *options);
void psn_doctor_work(struct psn_vault *vault, const struct psn_doctor_options *options);

/* doctor_account.c: keys for OVH, as the vault and as OVH has them; unlocked. */
void psn_doctor_accounts(struct psn_vault *vault,
                         const struct psn_doctor_options *options);
/* Without the key: the clock alone, against OVH's. */
void psn_doctor_clock(struct psn_vault *vault, const struct psn_doctor_options *options);

/* doctor_mail.c: the mail servers; unlocked. */
void psn_doctor_mail(struct psn_vault *vault, const struct psn_doctor_options *options);

#endif
