#ifndef PASSATION_PERSON_H
#define PASSATION_PERSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"

#ifdef __cplusplus
extern "C" {
#endif

struct psn_vault;

/*
 * People: who holds slots, who receives issues. A person has zero or more public keys;
 * the first one is what issues are encrypted to. A key that came by mail is as good as
 * the mail: its fingerprint is read over the telephone, and that this was done is kept.
 */
enum {
    PSN_PERSON_ID_MAX = 65,
    PSN_NAME_MAX = 257,
    PSN_PERSON_KEYS_MAX = 8,
    PSN_PERSON_WORDS_MAX = 16, /* groups, devices */
    PSN_PERSON_WORD_MAX = 65,
    PSN_PERSON_ALIASES_MAX = 8, /* what OVH knows him by */
    PSN_PERSON_ALIAS_MAX = 129,
    PSN_PERSON_FOLDER_MAX = 1024,
    PSN_RECIPIENT_TEXT_MAX = 128,
    PSN_PHONE_FINGERPRINT_MAX = 40,
};

enum psn_person_kind {
    PSN_PERSON_TEAM,
    PSN_PERSON_PROVIDER,
    PSN_PERSON_CLIENT,
};
PSN_API const char *psn_person_kind_name(enum psn_person_kind kind);

struct psn_person_key {
    char text[PSN_RECIPIENT_TEXT_MAX]; /* "age1…" or "ssh-ed25519 AAAA…" */
    int64_t added_s;
    int64_t checked_s; /* when its fingerprint was compared; 0: never */
};

/* How a departure was begun, see passation/departure.h. */
struct psn_departure_terms {
    bool narrow;         /* of a slot-holder, only what he is known to have seen */
    bool all;            /* accesses that are nobody's known go, too */
    bool held_slot;      /* he could open the vault … */
    bool slot_gone;      /* … and what was set until he could not is counted, too */
    int64_t slot_lost_s; /* when a rekey left him without one; or 0 */
    bool report_due;     /* it is complete, and its last report is not written */
    char by[PSN_PERSON_ID_MAX];
    char folder[PSN_PERSON_FOLDER_MAX]; /* where the report goes; or "" */
};

struct psn_person {
    char id[PSN_PERSON_ID_MAX]; /* [a-z0-9][a-z0-9._-]{0,63} */
    enum psn_person_kind kind;
    char name[PSN_NAME_MAX];  /* may be empty */
    char email[PSN_NAME_MAX]; /* may be empty */
    int64_t created_s;
    int64_t departing_s; /* nothing is issued to him from then on; 0: no */
    int64_t departed_s;  /* nothing that he knew works any more; 0: no */
    struct psn_departure_terms departure;
    size_t key_count;
    struct psn_person_key keys[PSN_PERSON_KEYS_MAX]; /* the first is used */
    size_t group_count;
    char groups[PSN_PERSON_WORDS_MAX][PSN_PERSON_WORD_MAX]; /* in the form of ids */
    size_t device_count;
    char devices[PSN_PERSON_WORDS_MAX][PSN_PERSON_WORD_MAX]; /* "iPhone", "Outlook" … */
    /* Other addresses, accounts (NIC handles), API keys and logins of his at OVH: what is
     * looked for when he leaves, beside `email`. */
    size_t alias_count;
    char aliases[PSN_PERSON_ALIASES_MAX][PSN_PERSON_ALIAS_MAX];
};

/* Whether the fields of a person have their forms, keys apart: psn_person_add() and
 * psn_vault_create() want them so. E_INVALID. */
PSN_API PSN_MUST_CHECK enum psn_code psn_person_check(const struct psn_person *person,
                                                      struct psn_error *err);

/* E_INVALID: id, name, e-mail, group, device, alias or key has a wrong form; E_EXISTS. Of
 * the keys only the texts are taken. */
PSN_API PSN_MUST_CHECK enum psn_code psn_person_add(struct psn_vault *vault,
                                                    const struct psn_person *person,
                                                    struct psn_error *err);

/* E_NOT_FOUND with advice. */
PSN_API PSN_MUST_CHECK enum psn_code psn_person_get(struct psn_vault *vault,
                                                    const char *id,
                                                    struct psn_person *ret_person,
                                                    struct psn_error *err);

/* In the order of ids. */
typedef enum psn_code psn_person_fn(void *arg, const struct psn_person *person,
                                    struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_person_each(struct psn_vault *vault,
                                                     psn_person_fn *each, void *arg,
                                                     struct psn_error *err);

/* Replaces kind, name, e-mail, groups, devices and aliases; keys, dates and departure
 * stay. */
PSN_API PSN_MUST_CHECK enum psn_code psn_person_set(struct psn_vault *vault,
                                                    const struct psn_person *person,
                                                    struct psn_error *err);

/* Forgets a person. E_POLICY while he holds a slot or a grant, could open the vault and
 * has not left, or has seen a secret that is still in force: what he knows would be
 * forgotten with him. */
PSN_API PSN_MUST_CHECK enum psn_code psn_person_rm(struct psn_vault *vault,
                                                   const char *id, struct psn_error *err);

/* Puts a key first, so that it is the one in use from now on; a key he has already moves
 * there. text: one line, "age1…" or "ssh-ed25519 AAAA… comment". E_INVALID if it is no
 * such key, or of small order. */
PSN_API PSN_MUST_CHECK enum psn_code psn_person_key_add(struct psn_vault *vault,
                                                        const char *id, const char *text,
                                                        struct psn_error *err);

/* which: the key's text, or either of its fingerprints. E_NOT_FOUND. */
PSN_API PSN_MUST_CHECK enum psn_code psn_person_key_rm(struct psn_vault *vault,
                                                       const char *id, const char *which,
                                                       struct psn_error *err);

/* Records that the key's fingerprint was compared with the person by another way. */
PSN_API PSN_MUST_CHECK enum psn_code psn_person_key_check(struct psn_vault *vault,
                                                          const char *id,
                                                          const char *which,
                                                          struct psn_error *err);

/* Calls each for everybody else who has this key, in use or not. */
PSN_API PSN_MUST_CHECK enum psn_code psn_person_key_others(struct psn_vault *vault,
                                                           const char *id,
                                                           const char *text,
                                                           psn_person_fn *each, void *arg,
                                                           struct psn_error *err);

/* Thirty digits in six groups of five, to be read over the telephone: of
 * BLAKE2b-256("passation key fingerprint 1" || the key's text) each five bytes, as a
 * number modulo 100 000. */
PSN_API void psn_person_key_fingerprint(const char *text,
                                        char ret_text[PSN_PHONE_FINGERPRINT_MAX]);

#ifdef __cplusplus
}
#endif

#endif
