#ifndef PASSATION_VAULT_H
#define PASSATION_VAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/person.h"
#include "passation/secret.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The vault: one encrypted file. Calling sequence:
 *
 *     psn_init()                                   once per process, or psn_init_alone()
 *     psn_vault_create(…) or psn_vault_open(…)     the handle
 *     psn_vault_unlock(…) or psn_vault_unlock_key(…)
 *     … everything else …
 *     psn_vault_free(vault)                        wipes the keys
 *
 * One handle per thread and per process. Each function is one transaction: it is done
 * whole and durable when it returns PSN_OK, or not at all.
 *
 * E_INTEGRITY: the file was edited or damaged; E_ROLLED_BACK, E_FORKED: it is an older or
 * another copy than the one last seen by this user; E_TOO_NEW: written by a newer
 * version.
 */
struct psn_vault;

enum {
    PSN_VAULT_ID_SIZE = 16,
    PSN_SLOT_ID_SIZE = 16,
    PSN_VAULT_KEY_SIZE = 32,
};

PSN_API PSN_MUST_CHECK enum psn_code psn_init(struct psn_error *err);
/* The same in a program in which nobody uses SQLite but one thread, through this library:
 * it then takes no locks of its own. */
PSN_API PSN_MUST_CHECK enum psn_code psn_init_alone(struct psn_error *err);

/* Slots: ways to unlock the vault. Whoever holds one reaches everything. */
enum psn_slot_kind {
    PSN_SLOT_PASSPHRASE = 1, /* Argon2id */
    PSN_SLOT_RECOVERY = 2,   /* the recovery code, in any spelling */
    PSN_SLOT_IDENTITY = 3,   /* the content of an age-keygen file */
};
PSN_API const char *psn_slot_kind_name(enum psn_slot_kind kind);

/* Whether a key of this kind can open the vault at all; also while it is locked. */
PSN_API bool psn_vault_has_slot(const struct psn_vault *vault, enum psn_slot_kind kind);

struct psn_key {
    enum psn_slot_kind kind;
    const struct psn_secret *secret; /* borrowed */
};

/* Where to keep what was last seen of each vault (rollback detection); a folder, made
 * when needed. NULL: nothing is remembered, and status says "not checkable here". */
struct psn_vault_options {
    const char *path;
    const char *state_dir;
    const char *ca_file; /* extra trusted CA, only for hosts given by URL; or NULL */
    /* For psn_doctor_inside() alone: the vault opens and unlocks although rows of it are
     * damaged, or it is an older copy than the one last seen. It cannot be written then,
     * and nothing is remembered of it. */
    bool examine;
};

/* Creates the file (never over an existing one: E_EXISTS) with its first person and his
 * slots (at least one key), and opens it unlocked. */
PSN_API PSN_MUST_CHECK enum psn_code psn_vault_create(
    const struct psn_vault_options *options, const struct psn_person *person,
    const struct psn_key *keys, size_t key_count, struct psn_vault **ret_vault,
    struct psn_error *err);

/* Opens the file, still locked. E_NOT_FOUND with advice if there is none. */
PSN_API PSN_MUST_CHECK enum psn_code psn_vault_open(
    const struct psn_vault_options *options, struct psn_vault **ret_vault,
    struct psn_error *err);
PSN_API void psn_vault_free(struct psn_vault *vault);

/* Known without unlocking. */
PSN_API const uint8_t *psn_vault_id(const struct psn_vault *vault);
PSN_API const char *psn_vault_path(const struct psn_vault *vault);

/* Unlocks with a key: tries every slot of its kind. E_DENIED if none fits. Checks the
 * state and the rollback record before anything is used. */
PSN_API PSN_MUST_CHECK enum psn_code psn_vault_unlock(struct psn_vault *vault,
                                                      const struct psn_key *key,
                                                      struct psn_error *err);

/* The unlocked vault's key and the slot in use, for an agent to keep; and back.
 * E_DENIED if the key is not (or no longer) this vault's. */
PSN_API PSN_MUST_CHECK enum psn_code psn_vault_export_key(
    const struct psn_vault *vault, struct psn_secret **ret_key,
    uint8_t ret_slot[PSN_SLOT_ID_SIZE], struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_vault_unlock_key(
    struct psn_vault *vault, const struct psn_secret *key,
    const uint8_t slot[PSN_SLOT_ID_SIZE], struct psn_error *err);

struct psn_slot {
    uint8_t id[PSN_SLOT_ID_SIZE];
    enum psn_slot_kind kind;
    char person[PSN_PERSON_ID_MAX];
    int64_t created_s;
    bool in_use; /* unlocked this handle */
};
typedef enum psn_code psn_slot_fn(void *arg, const struct psn_slot *slot,
                                  struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_slot_each(struct psn_vault *vault,
                                                   psn_slot_fn *each, void *arg,
                                                   struct psn_error *err);

/* Adds a way in for a person, who is made (kind team) if not known yet; *ret_new_person
 * tells. E_POLICY if another slot has the same key. */
PSN_API PSN_MUST_CHECK enum psn_code psn_slot_add(struct psn_vault *vault,
                                                  const char *person,
                                                  const struct psn_key *key,
                                                  bool *ret_new_person,
                                                  struct psn_error *err);

/* The vault's public keys, in the forms that stock tools read. */
struct psn_vault_keys {
    char fingerprint[64];      /* SHA256:…, as ssh-keygen -l prints it */
    char ssh[128];             /* ssh-ed25519 AAAA… */
    char allowed_signers[320]; /* one line for ssh-keygen -Y verify -f */
    char minisign[64];         /* for minisign -P */
    char age[72];              /* age1… */
};
PSN_API PSN_MUST_CHECK enum psn_code psn_vault_public_keys(
    struct psn_vault *vault, struct psn_vault_keys *ret_keys, struct psn_error *err);

/*
 * A new signing key and a new age identity. Former and new key sign one statement, in
 * OpenSSH's form, so that whoever trusts the one can go over to the other; it is kept
 * with the vault, as is the former identity, which still opens what was encrypted to it.
 * Signatures of former keys stay good for `log --verify`.
 */
PSN_API PSN_MUST_CHECK enum psn_code psn_key_rotate(struct psn_vault *vault,
                                                    struct psn_error *err);
struct psn_former_key {
    uint64_t number; /* from 1 */
    int64_t replaced_s;
    char fingerprint[64];
    char ssh[128];
    char age[72];
    const char *statement; /* signed by this key and its successor; borrowed */
};
typedef enum psn_code psn_former_key_fn(void *arg, const struct psn_former_key *key,
                                        struct psn_error *err);
/* The former keys, oldest first. */
PSN_API PSN_MUST_CHECK enum psn_code psn_former_key_each(struct psn_vault *vault,
                                                         psn_former_key_fn *each,
                                                         void *arg,
                                                         struct psn_error *err);

/* Which slot a key opens. E_DENIED if none. */
PSN_API PSN_MUST_CHECK enum psn_code psn_slot_find(struct psn_vault *vault,
                                                   const struct psn_key *key,
                                                   uint8_t ret_slot[PSN_SLOT_ID_SIZE],
                                                   struct psn_error *err);
/* Puts another key in a slot's place and leaves every other key of the vault as it is:
 * who kept a copy of the file and the former key of the slot, still reads what comes
 * later. Else use psn_vault_rekey(). E_POLICY if another slot has the key. */
PSN_API PSN_MUST_CHECK enum psn_code psn_slot_set(struct psn_vault *vault,
                                                  const uint8_t slot[PSN_SLOT_ID_SIZE],
                                                  const struct psn_key *key,
                                                  struct psn_error *err);

/*
 * Rekey: a new root key and new client keys; every row sealed anew in a new file that
 * takes the vault's place when it is whole and has been opened with each of its keys.
 * Stopped anywhere, the vault is the old one or the new one. Slots that are not given are
 * gone; copies of the old file stay open to them. E_POLICY if one of the keys opens a
 * slot of somebody else that goes, or two slots.
 */
struct psn_rekey_slot {
    const char *person;  /* whose; known to the vault */
    struct psn_key key;  /* what opens it */
    const uint8_t *from; /* the id of the slot that it carries on, or NULL: a new one */
    bool is_changed;     /* another key than that slot has had */
};
typedef void psn_rekey_progress_fn(void *arg, uint64_t done, uint64_t total);
struct psn_rekey {
    const struct psn_rekey_slot *slots;
    size_t slot_count;
    bool for_leaver; /* also a new signing key and age identity; and the OVH credentials
                        are noted as to be replaced. So it is, whatever is said here, once
                        somebody has no slot any more: what lay in the vault counts as
                        known to him when his departure begins */
    psn_rekey_progress_fn *progress; /* in rows; or NULL */
    void *arg;
};
/* The handle goes on with the new vault. *ret_replaced: the new file is the vault, also
 * when something failed after that. E_FULL before anything is written if the disk has no
 * room for a second file; E_BUSY while another command has the vault open. */
PSN_API PSN_MUST_CHECK enum psn_code psn_vault_rekey(struct psn_vault *vault,
                                                     const struct psn_rekey *rekey,
                                                     bool *ret_replaced,
                                                     struct psn_error *err);
/* Clients whose OVH credential a leaver may know: linked before he left and not since. */
typedef enum psn_code psn_due_credential_fn(void *arg, const char *client,
                                            struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_due_credential_each(struct psn_vault *vault,
                                                             psn_due_credential_fn *each,
                                                             void *arg,
                                                             struct psn_error *err);

/* Checks everything: SQLite's structure, every row of every table, every chain to its
 * head, and that every box opens. */
struct psn_vault_check {
    uint64_t generation;
    uint64_t rows;
    uint64_t entries;
};
PSN_API PSN_MUST_CHECK enum psn_code psn_vault_check(struct psn_vault *vault,
                                                     struct psn_vault_check *ret_check,
                                                     struct psn_error *err);

/* What the rollback record says, known after unlocking. */
enum psn_seen {
    PSN_SEEN_UNKNOWN, /* no record for this vault: not checkable here */
    PSN_SEEN_SAME,
    PSN_SEEN_OLDER, /* our record is older: another copy or machine went on, its chain
                       holds it */
};
PSN_API enum psn_seen psn_vault_seen(const struct psn_vault *vault);
/* Writes what of it is still to be written. Any other code than OK: the record could not
 * be read or written, and err tells what follows; the vault itself is as it should be. */
PSN_API PSN_MUST_CHECK enum psn_code psn_vault_settle_seen(struct psn_vault *vault,
                                                           struct psn_error *err);

/* Writes a consistent copy, verified by opening it again, while others may use the vault.
 * E_EXISTS unless replace. Journalled as "vault.backup-checked" once it is verified. */
PSN_API PSN_MUST_CHECK enum psn_code psn_vault_backup(struct psn_vault *vault,
                                                      const char *path, bool replace,
                                                      struct psn_error *err);

/* What lay in the place that a backup has taken. */
enum psn_replaced {
    PSN_REPLACED_NOTHING,
    PSN_REPLACED_READ, /* the same vault, whose state could be compared */
    /* It may have been newer: damaged, of other keys since a rekey, of a later format.
     * Nothing is issued unasked before somebody has looked. */
    PSN_REPLACED_UNREADABLE,
    PSN_REPLACED_ANOTHER, /* a vault that has nothing to do with this one */
};

/* What was taken over from the vault that an older backup has replaced. */
struct psn_carried {
    enum psn_replaced replaced; /* also without accept_older */
    bool is_elsewhere;          /* the same: nothing lay there, but it was seen here */
    bool is_read;               /* else it is not there, damaged, or of other keys */
    /* It knows all that was done here; else nothing is issued unasked before somebody has
     * looked. */
    bool is_whole;
    size_t people;
    size_t departures; /* begun or complete there: open again */
    size_t grants;     /* ended there, and so here */
    size_t exposures;
    size_t passwords;      /* of mailboxes, newer there */
    size_t secrets;        /* that hang on mailboxes, newer there, and shown */
    size_t clients;        /* only there, and taken over */
    size_t mailboxes;      /* only there, and taken over */
    size_t mailboxes_left; /* another's there, or made again: not taken over */
    size_t clients_back;   /* not there any more */
    /* Changed in both, as neither goes on from the other: which counts is not known. */
    size_t passwords_apart; /* the other one is among the mailbox's versions */
    size_t secrets_apart;   /* the other one is in the file that is kept */
};

struct psn_restore {
    const char *backup;
    struct psn_key key;
    const struct psn_secret *exported_key; /* instead of key, with slot; or NULL */
    const uint8_t *slot;
    bool accept_older;
    /* With accept_older: passwords and secrets that are newer, who has seen what, ended
     * grants and departures are taken over from the vault that is there, as far as its
     * keys are the backup's. Or NULL. */
    struct psn_carried *carried;
};
/* Puts a backup in the place of options->path, after opening it with the key and checking
 * all of it. An existing vault there is kept beside it as PATH.before-restore-TIME, whose
 * name is returned. An older copy than the one last seen, or than the one that lies
 * there, is E_ROLLED_BACK, one that went on apart from it E_FORKED, unless accept_older,
 * which is journalled. E_BUSY while another process works on the vault. */
PSN_API PSN_MUST_CHECK enum psn_code psn_vault_restore(
    const struct psn_vault_options *options, const struct psn_restore *restore,
    char *ret_kept, size_t kept_size, struct psn_vault **ret_vault,
    struct psn_error *err);

/* Generated secrets for people: see crypto/generate.h for their form. language: "fr" or
 * "en". */
PSN_API PSN_MUST_CHECK enum psn_code psn_new_passphrase(
    const char *language, struct psn_secret **ret_passphrase, struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_new_recovery_code(struct psn_secret **ret_code,
                                                           struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_new_password(struct psn_secret **ret_password,
                                                      struct psn_error *err);
/* E_POLICY if a chosen passphrase is too weak (12 characters, zxcvbn 10^10 guesses). */
PSN_API PSN_MUST_CHECK enum psn_code psn_passphrase_check(
    const struct psn_secret *passphrase, struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
