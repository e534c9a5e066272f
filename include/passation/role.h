#ifndef PASSATION_ROLE_H
#define PASSATION_ROLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/client.h"
#include "passation/error.h"
#include "passation/person.h"
#include "passation/secret.h"
#include "passation/vault.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A role is a mailbox, named by its address. On it hang secrets: the mailbox's own
 * password, under the label "" (the empty one), and others under labels. A secret has
 * versions, which are never overwritten.
 */
enum {
    PSN_ADDRESS_TEXT_MAX = 255,
    PSN_LABEL_TEXT_MAX = 65,
    PSN_FIELD_MAX = 1025,
    PSN_WHY_MAX = 513, /* a sentence that the journal holds */
    PSN_NOTE_MAX = 4097,
    PSN_ROLE_PLATFORMS_MAX = 4,
    PSN_RECOVERY_CODES_MAX = 100,
    PSN_SERVER_MAX = 280, /* "host port security" */
};

enum psn_role_state {
    PSN_ROLE_STABLE,    /* the current password is in force, proved by a login */
    PSN_ROLE_ROTATING,  /* a change is under way: resume */
    PSN_ROLE_UNCERTAIN, /* a request was sent and its effect is not known yet: resume */
    PSN_ROLE_STUCK,     /* needs a person: see reason */
    PSN_ROLE_MISSING,   /* the mailbox is gone at OVH */
    PSN_ROLE_RECEIVED,  /* from an issue of somebody else (a later command makes these) */
};
PSN_API const char *psn_role_state_name(enum psn_role_state state);

/* Is the password that the vault has in force the one that opens the mailbox? */
enum psn_doubt {
    PSN_DOUBT_NONE,     /* as far as is known it is */
    PSN_DOUBT_CHANGING, /* a newer one was made, and may be in force: resume */
    PSN_DOUBT_OUTSIDE,  /* somebody else was seen to have changed it: rotate */
    PSN_DOUBT_GONE,     /* OVH was seen to have no such mailbox any more: role rm */
};
PSN_API const char *psn_doubt_name(enum psn_doubt doubt);

enum psn_tristate {
    PSN_UNASKED, /* null in JSON */
    PSN_FALSE,
    PSN_TRUE,
};

/* A platform that has served the mailbox before: OVH moves mailboxes. */
struct psn_role_platform {
    char name[24]; /* "email/mxplan owa" */
    int64_t until_s;
};

struct psn_role {
    char address[PSN_ADDRESS_TEXT_MAX];
    char client[PSN_CLIENT_ID_MAX];
    char backend[32]; /* "email/domain", or "" while not known */
    enum psn_role_state state;
    enum psn_doubt doubt; /* about `version`: whoever shows or gives it says so */
    char reason[160];     /* why it is stuck or uncertain, translated; or "" */
    uint64_t version;     /* of the password in force; 0: none known yet */
    uint64_t pending;     /* candidate, or 0 */
    int64_t created_s;
    int64_t changed_s;  /* when the version came into force, by our login; 0: never */
    int64_t verified_s; /* last accepted login with it; 0: never */
    enum psn_tristate old_dead; /* is the superseded password refused? */
    char platform[24];          /* the back-end and what stands behind it, or "" */
    char mail_host[128];        /* the service's own mail server (Pro, Exchange), or "" */
    int64_t ovh_changed_s;      /* when the password changed, as OVH says; 0: not known */
    int64_t expires_s;          /* when the service ends the password; 0: never */
    int64_t outside_s;          /* somebody else was seen to have changed it; 0: no */
    int64_t gone_s;             /* it was seen to be gone at OVH; 0: no */
    size_t platform_count;      /* earlier ones, oldest first; the last four are kept */
    struct psn_role_platform platforms[PSN_ROLE_PLATFORMS_MAX];
};

/* E_NOT_FOUND names the address and, if it is close to a known one, that. */
PSN_API PSN_MUST_CHECK enum psn_code psn_role_get(struct psn_vault *vault,
                                                  const char *address,
                                                  struct psn_role *ret_role,
                                                  struct psn_error *err);

/* Roles whose address fits one of the globs (count 0: all). With sorted, in the order of
 * domain then local part; else streamed in the order of the file. E_NOT_FOUND if a glob
 * without
 * '*' and '?' fits nothing. */
typedef enum psn_code psn_role_fn(void *arg, const struct psn_role *role,
                                  struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_role_each(struct psn_vault *vault,
                                                   const char *const *globs,
                                                   size_t glob_count, bool sorted,
                                                   psn_role_fn *each, void *arg,
                                                   struct psn_error *err);

/* The addresses of the same roles alone, and whose client's each is, streamed: nothing
 * else of a row is looked at. */
typedef enum psn_code psn_role_name_fn(void *arg, const char *address, const char *client,
                                       struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_role_each_name(struct psn_vault *vault,
                                                        const char *const *globs,
                                                        size_t glob_count,
                                                        psn_role_name_fn *each, void *arg,
                                                        struct psn_error *err);

/* Removes a role from the vault, nothing at OVH. E_POLICY while the vault may hold the
 * only copy of its password unless confirm repeats the address; unchanged as of
 * psn_client_rm(). */
PSN_API PSN_MUST_CHECK enum psn_code psn_role_rm(struct psn_vault *vault,
                                                 const char *address, const char *confirm,
                                                 const char *unchanged,
                                                 struct psn_error *err);

/* How a mail program reaches the mailbox. */
struct psn_mail_settings {
    char imap_host[PSN_DOMAIN_NAME_MAX];
    uint16_t imap_port;
    char imap_security[16]; /* "SSL/TLS" or "STARTTLS" */
    char smtp_host[PSN_DOMAIN_NAME_MAX];
    uint16_t smtp_port;
    char smtp_security[16];
    char webmail[128];
};
PSN_API PSN_MUST_CHECK enum psn_code psn_role_mail_settings(
    struct psn_vault *vault, const struct psn_role *role,
    struct psn_mail_settings *ret_settings, struct psn_error *err);

/* --- secrets --- */

struct psn_secret_info {
    char address[PSN_ADDRESS_TEXT_MAX];
    char label[PSN_LABEL_TEXT_MAX]; /* "" is the mailbox's password */
    char type[PSN_LABEL_TEXT_MAX];  /* one of psn_secret_types(), or "" */
    char user[PSN_FIELD_MAX];
    char url[PSN_FIELD_MAX];
    char note[PSN_NOTE_MAX];
    char expires[11];     /* YYYY-MM-DD or "" */
    uint64_t version;     /* current; 0: none */
    uint64_t replacement; /* made ready, since a leaver knows the current one; 0: none */
    int64_t created_s;
    int64_t changed_s;
    bool hidden;                    /* removed: versions stay */
    char unchangeable[PSN_WHY_MAX]; /* why nobody can change it, an IBAN say; "": can */
    char unchangeable_by[PSN_PERSON_ID_MAX]; /* who said so */
    size_t code_count; /* of the type "recovery": how many codes the value holds … */
    int64_t code_used_s[PSN_RECOVERY_CODES_MAX]; /* … and when each was used; 0: not */
};

/* How many of the codes are not used yet. */
PSN_API size_t psn_recovery_left(const struct psn_secret_info *info);

/* The typed kinds: stable words, NULL-terminated. */
PSN_API const char *const *psn_secret_types(void);

enum psn_secret_origin {
    PSN_SECRET_GIVEN,     /* who knew one of its label before may know it */
    PSN_SECRET_GENERATED, /* made just now: nobody has it from before */
};

/* Adds a secret with its first version. E_EXISTS on an existing label (also a hidden
 * one). E_INVALID: a field has a wrong form, unknown type; the password of a mailbox is
 * not added here. */
PSN_API PSN_MUST_CHECK enum psn_code psn_secret_add(struct psn_vault *vault,
                                                    const struct psn_secret_info *info,
                                                    const struct psn_secret *value,
                                                    enum psn_secret_origin origin,
                                                    struct psn_error *err);

/* Whether psn_secret_add() would take it as far as can be told without its value: to be
 * known before somebody types one. */
PSN_API PSN_MUST_CHECK enum psn_code psn_secret_check_new(
    struct psn_vault *vault, const struct psn_secret_info *info, struct psn_error *err);

/* A new version and/or new fields. value may be NULL: fields only. Fields that are NULL
 * stay. */
struct psn_secret_change {
    const char *type;
    const char *user;
    const char *url;
    const char *note;
    const char *expires;
    const char
        *unchangeable; /* why; "" takes it back. Whoever knows it keeps it then, and
                          no rotation, departure or handover waits for another one */
    const struct psn_secret *value; /* or … */
    bool replacement; /* … the one that was made ready. E_NOT_FOUND: there is none */
};
PSN_API PSN_MUST_CHECK enum psn_code psn_secret_set(
    struct psn_vault *vault, const char *address, const char *label,
    const struct psn_secret_change *change, uint64_t *ret_version, struct psn_error *err);
/* Hides the secret; its versions stay. */
PSN_API PSN_MUST_CHECK enum psn_code psn_secret_rm(struct psn_vault *vault,
                                                   const char *address, const char *label,
                                                   struct psn_error *err);
/* Puts the replacement that was made ready aside, since it is in use nowhere: its version
 * stays, as superseded, and what is current remains so. *ret_version: its number.
 * E_NOT_FOUND: there is none. */
PSN_API PSN_MUST_CHECK enum psn_code psn_secret_rm_replacement(struct psn_vault *vault,
                                                               const char *address,
                                                               const char *label,
                                                               uint64_t *ret_version,
                                                               struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_secret_get(struct psn_vault *vault,
                                                    const char *address,
                                                    const char *label,
                                                    struct psn_secret_info *ret_info,
                                                    struct psn_error *err);
/* The secrets of a role by label, without the mailbox's password and without hidden ones.
 */
typedef enum psn_code psn_secret_fn(void *arg, const struct psn_secret_info *info,
                                    struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_secret_each(struct psn_vault *vault,
                                                     const char *address,
                                                     psn_secret_fn *each, void *arg,
                                                     struct psn_error *err);

enum psn_version_state {
    PSN_VERSION_CURRENT,
    PSN_VERSION_PENDING,
    PSN_VERSION_REFUSED,
    PSN_VERSION_SUPERSEDED,
};
PSN_API const char *psn_version_state_name(enum psn_version_state state);
struct psn_version {
    uint64_t number;
    enum psn_version_state state;
    int64_t created_s;
};
/* Every version of a secret, the newest first. */
typedef enum psn_code psn_version_fn(void *arg, const struct psn_version *version,
                                     struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_version_each(struct psn_vault *vault,
                                                      const char *address,
                                                      const char *label,
                                                      psn_version_fn *each, void *arg,
                                                      struct psn_error *err);

/*
 * Reveals a version of a secret (0: the current one). The one way that a secret leaves
 * the vault: the exposure of the person whose slot is in use, and its journal entry, are
 * durable before this returns. E_NOT_FOUND: no such role, label or version.
 * E_UNFINISHED-like doubts are in the role's state, not here.
 */
enum psn_how {
    PSN_HOW_CREATED,
    PSN_HOW_TYPED,
    PSN_HOW_SHOWN,
    PSN_HOW_COPIED,
    PSN_HOW_QR,
    PSN_HOW_PRINTED,
    PSN_HOW_EXPORTED,
    PSN_HOW_ISSUED,
    PSN_HOW_REACHED,  /* he could open the vault, and took leave of it */
    PSN_HOW_ACCESS,   /* it was set while a persistent access of his was open */
    PSN_HOW_RETURNED, /* the mailbox was removed from the vault, and came back with it */
};
enum {
    PSN_HOWS = PSN_HOW_RETURNED + 1
};
PSN_API const char *psn_how_name(enum psn_how how);
PSN_API PSN_MUST_CHECK enum psn_code psn_reveal(struct psn_vault *vault,
                                                const char *address, const char *label,
                                                uint64_t version, enum psn_how how,
                                                struct psn_secret **ret_value,
                                                uint64_t *ret_version,
                                                struct psn_error *err);
/* Reveals every version at once (show --versions --reveal): exposures of all are durable
 * before the first call of each(). */
typedef enum psn_code psn_reveal_fn(void *arg, const struct psn_version *version,
                                    const struct psn_secret *value,
                                    struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_reveal_versions(
    struct psn_vault *vault, const char *address, const char *label, enum psn_how how,
    psn_reveal_fn *each, void *arg, struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
