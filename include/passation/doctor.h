#ifndef PASSATION_DOCTOR_H
#define PASSATION_DOCTOR_H

#include <stdbool.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/vault.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What is wrong with a vault, the machine it is used on, and the accounts that it
 * reaches. Nothing is changed, here or at OVH. Calling sequence:
 *
 *     psn_doctor_outside(&options)            before the vault is opened: what lies
 * around it, which opening changes psn_vault_open, examine set             a damaged or
 * older vault opens, too psn_vault_unlock                        if the key is at hand
 *     psn_doctor_inside(vault, &options)      all the rest, as far as that goes
 *
 * Each thing that is wrong is a finding, told through `found` when it is met; each part
 * that could not be looked at is told through `unlooked`, so that no silence means
 * "good". Neither may use the vault.
 */

enum psn_doctor_severity {
    PSN_DOCTOR_DAMAGE, /* the vault is not whole: restore a backup */
    PSN_DOCTOR_DANGER, /* something may be lost, read by others, or fail when needed */
    PSN_DOCTOR_ADVICE, /* better otherwise */
};

/* name, stable word (JSON "code"), severity; what subject, detail, time_s and number are
 * is in the comment. "-": the vault as a whole. Also in passation-doctor(1). */
#define PSN_DOCTOR_CODES(X)                                                              \
    /* the vault's file. subject: the file; detail: why, in the reader's language */     \
    X(VAULT_UNREADABLE, "vault_unreadable", DAMAGE)                                      \
    X(VAULT_PAGES, "vault_pages", DAMAGE)                                                \
    X(VAULT_STATE, "vault_state", DAMAGE)                                                \
    X(VAULT_OLDER, "vault_older", DAMAGE)                                                \
    X(VAULT_FORKED, "vault_forked", DAMAGE)                                              \
    /* subject: what the table holds, a stable word; number: in how many places */       \
    X(ROWS, "rows_damaged", DAMAGE)                                                      \
    X(ROWS_STRAY, "rows_stray", DAMAGE)                                                  \
    /* subject: an address, or what the table holds; detail */                           \
    X(UNOPENABLE, "unopenable", DAMAGE)                                                  \
    /* client, or "-"; detail */                                                         \
    X(JOURNAL, "journal_broken", DAMAGE)                                                 \
    X(HISTORY, "history_broken", DAMAGE)                                                 \
    /* files and folders. subject: the path; number: its mode, or its names */           \
    X(VAULT_MODE, "vault_mode", DANGER)                                                  \
    X(VAULT_OWNER, "vault_owner", DANGER)                                                \
    X(VAULT_READ_ONLY, "vault_read_only", DANGER)                                        \
    X(VAULT_LINKED, "vault_linked", DANGER)                                              \
    X(SIDE_MODE, "side_mode", DANGER)                                                    \
    X(FOLDER_WRITABLE, "folder_writable", DANGER)                                        \
    X(STATE_MODE, "state_mode", DANGER)                                                  \
    X(KEY_FILE_MODE, "key_file_mode", DANGER)                                            \
    X(IDENTITY_BESIDE, "identity_beside", DANGER)                                        \
    X(RECOVERY_BESIDE, "recovery_beside", DANGER)                                        \
    X(AGENT_FOLDER, "agent_folder", DANGER)                                              \
    X(AGENT_SOCKET, "agent_socket", DANGER)                                              \
    X(CA_MISSING, "ca_missing", DANGER)                                                  \
    X(CA_WRITABLE, "ca_writable", DANGER)                                                \
    X(OVH_CONFIG, "ovh_config", DANGER)                                                  \
    /* subject: the variable's name */                                                   \
    X(OVH_ENVIRONMENT, "ovh_environment", DANGER)                                        \
    /* the machine. number: bytes that may be locked; seconds that the clock is ahead,   \
     * below 0: behind; time_s: when the vault was written. subject: the file, host */   \
    X(MEMORY_UNLOCKED, "memory_unlocked", DANGER)                                        \
    X(CORE_DUMPS, "core_dumps", DANGER)                                                  \
    X(CLOCK_BEHIND, "clock_behind", DANGER)                                              \
    X(CLOCK_OFF, "clock_off", DANGER)                                                    \
    /* ways in; number: how many */                                                      \
    X(SLOT_SINGLE, "slot_single", DANGER)                                                \
    /* copies. time_s: of the last backup, or of what it lacks */                        \
    X(BACKUP_NONE, "backup_none", DANGER)                                                \
    X(BACKUP_KEYS, "backup_keys", DANGER)                                                \
    /* the client's OVH account. page: where its owner makes a key by hand; time_s: the  \
     * key's end; detail: OVH's words, the rules, or the other account; number: rules */ \
    X(KEY_EXPIRED, "key_expired", DANGER)                                                \
    X(KEY_REFUSED, "key_refused", DANGER)                                                \
    X(KEY_ACCOUNT, "key_account", DANGER)                                                \
    X(KEY_KNOWN, "key_known", DANGER)                                                    \
    X(RULES_MISSING, "rules_missing", DANGER)                                            \
    X(TLS, "tls", DANGER)                                                                \
    X(ACCOUNT_MAIL, "account_mail", DANGER)                                              \
    /* work that is open. subject: an address or a person; detail: why; number */        \
    X(UNFINISHED, "unfinished", DANGER)                                                  \
    X(STUCK, "stuck", DANGER)                                                            \
    X(DEPARTURE_OPEN, "departure_open", DANGER)                                          \
    X(DUE, "due", ADVICE)                                                                \
    X(HANDOVER_OPEN, "handover_open", ADVICE)                                            \
    X(ENVELOPE_OLD, "envelope_old", ADVICE)                                              \
    X(ENVELOPE_LEFT, "envelope_left", ADVICE)                                            \
    X(ENVELOPE_REMADE, "envelope_remade", ADVICE)                                        \
    X(PASSWORD_ENDING, "password_ending", ADVICE)                                        \
    X(KEY_EXPIRING, "key_expiring", ADVICE)                                              \
    X(KEY_WAITING, "key_waiting", ADVICE)                                                \
    X(KEY_WIDE, "key_wide", ADVICE)                                                      \
    X(CLIENT_UNLINKED, "client_unlinked", ADVICE)                                        \
    X(SLOT_NO_RECOVERY, "slot_no_recovery", ADVICE)                                      \
    X(BACKUP_OLD, "backup_old", ADVICE)                                                  \
    X(FOLDER_READABLE, "folder_readable", ADVICE)                                        \
    X(IDENTITY_ON_DISK, "identity_on_disk", ADVICE)                                      \
    X(LEFTOVER, "leftover", ADVICE)                                                      \
    /* copies beside the vault that it went on from; any other ones */                   \
    X(KEPT_COPY, "kept_copy", ADVICE)                                                    \
    X(KEPT_UNSURE, "kept_unsure", ADVICE)

enum psn_doctor_code {
#define PSN_DOCTOR_ENUM(name, word, severity) PSN_DOCTOR_##name,
    PSN_DOCTOR_CODES(PSN_DOCTOR_ENUM)
#undef PSN_DOCTOR_ENUM
};
/* Never NULL. */
PSN_API const char *psn_doctor_code_name(enum psn_doctor_code code);
PSN_API enum psn_doctor_severity psn_doctor_severity_of(enum psn_doctor_code code);
/* "damage", "danger", "advice". Never NULL. */
PSN_API const char *psn_doctor_severity_name(enum psn_doctor_severity severity);

/* Borrowed for the call. Texts are never NULL but page; paths and what OVH wrote are as
 * they were found: escape them before display. */
struct psn_doctor_finding {
    enum psn_doctor_code code;
    const char *client;
    const char *subject;
    const char *detail;
    const char *page;
    int64_t time_s;
    int64_t number;
};

enum psn_doctor_part {
    PSN_DOCTOR_FILES,    /* what lies beside the vault */
    PSN_DOCTOR_CONTENT,  /* rows and chains */
    PSN_DOCTOR_ROLLBACK, /* is it the vault last seen here? */
    PSN_DOCTOR_BACKUPS,
    PSN_DOCTOR_WORK,     /* what is open */
    PSN_DOCTOR_ACCOUNTS, /* what the vault says of the keys for OVH */
    PSN_DOCTOR_OVH,      /* what OVH says */
    PSN_DOCTOR_MAIL,     /* the mail servers, to which passwords go */
};
/* "files", "content", "rollback" … Never NULL. */
PSN_API const char *psn_doctor_part_name(enum psn_doctor_part part);

struct psn_doctor_options {
    const char *vault;      /* the file */
    const char *state_dir;  /* as in psn_vault_options */
    const char *config_dir; /* where identity files may lie; or NULL */
    const char *run_dir;    /* of the agent's socket; or NULL */
    const char *home;       /* where OVH's tools keep .ovh.conf; or NULL */
    const char *ca_file;    /* or NULL */
    const char *key_file;   /* a passphrase's or identity's file in use, or NULL … */
    bool key_is_identity;   /* … and which */
    bool offline;           /* neither OVH nor a mail server is asked */
    int64_t backup_age_s;   /* an older backup is a finding */
    void (*found)(void *arg, const struct psn_doctor_finding *finding);
    /* client "": of all; code: PSN_OK if it was left out on purpose, or cannot be looked
     * at here, else what went wrong; why: in the reader's language. */
    void (*unlooked)(void *arg, enum psn_doctor_part part, const char *client,
                     enum psn_code code, const char *why);
    bool (*stop)(void *arg); /* asked between accounts; may be NULL */
    void *arg;
};
PSN_API void psn_doctor_outside(const struct psn_doctor_options *options);
/* vault: opened with examine, locked or not; NULL if it does not open. */
PSN_API void psn_doctor_inside(struct psn_vault *vault,
                               const struct psn_doctor_options *options);

#ifdef __cplusplus
}
#endif

#endif
