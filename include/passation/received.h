#ifndef PASSATION_RECEIVED_H
#define PASSATION_RECEIVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/grant.h"
#include "passation/secret.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The receiver's side: issues that others made. Nothing of an issue is handed out before
 * its signature holds, under a key that the receiver trusts and never under one that the
 * file brings; nor to an identity that the document does not name.
 */
struct psn_opened;

struct psn_open_request {
    const char
        *path; /* .age, armored or not, or .html; PATH.sig is checked if it is there */
    const struct psn_secret *identity; /* content of an age or ssh-ed25519 key file … */
    const struct psn_secret *code; /* … or the code; neither: the vault's own identity */
    const char
        *issuer; /* a fingerprint or "ssh-ed25519 AAAA…" that the user trusts; NULL */
    /* Asks whether an unknown issuer is trusted, by its fingerprint; not called for one
     * that is pinned. NULL: it is refused. */
    enum psn_code (*confirm)(void *arg, const char *fingerprint, const char *name,
                             struct psn_error *err);
    void *arg;
};

/* True if the file opens by a code. False also if it cannot be read: psn_open() says
 * why. */
PSN_API bool psn_issue_asks_code(const char *path);

/* The one form of a code that a person typed: nine words in lower case without accents,
 * joined by '-'. E_INVALID. */
PSN_API PSN_MUST_CHECK enum psn_code psn_code_normalize(const struct psn_secret *typed,
                                                        struct psn_secret **ret_code,
                                                        struct psn_error *err);

/* vault (unlocked) holds the pinned issuers, and keeps a newly trusted one; NULL: none
 * are known. E_DENIED: wrong code or identity; E_INTEGRITY: each forgery has its own
 * message; E_POLICY: an issuer whom nobody vouched for. The caller owns the result. */
PSN_API PSN_MUST_CHECK enum psn_code psn_open(struct psn_vault *vault,
                                              const struct psn_open_request *request,
                                              struct psn_opened **ret_opened,
                                              struct psn_error *err);
PSN_API void psn_opened_free(struct psn_opened *opened);

struct psn_opened_head {
    unsigned version; /* 1: a grant's issue; 2: a trousseau, which is the reader's own */
    uint64_t serial;
    int64_t issued_s;
    char issuer[64]; /* the fingerprint that verified it */
    char issued_by[PSN_NAME_MAX];
    char reply_to[PSN_NAME_MAX];
    char vault[33];
    char person[PSN_PERSON_ID_MAX];
    char name[PSN_NAME_MAX];
    char client[PSN_CLIENT_ID_MAX];
    char client_name[PSN_NAME_MAX];
    int64_t from_s;
    int64_t until_s; /* 0: none */
    char reason[PSN_FIELD_MAX];
    char receipt[16];
    bool outer_checked; /* PATH.sig was there and holds */
};
PSN_API const struct psn_opened_head *psn_opened_head(const struct psn_opened *opened);

struct psn_opened_secret {
    char address[PSN_ADDRESS_TEXT_MAX];
    char label[PSN_LABEL_TEXT_MAX]; /* "": the mailbox's password */
    uint64_t version;
    int64_t changed_s;
    int64_t proved_s;
    char type[PSN_LABEL_TEXT_MAX];
    char user[PSN_FIELD_MAX];
    char url[PSN_FIELD_MAX]; /* of the password: the webmail */
    char expires[11];
    char note[PSN_NOTE_MAX];
    char imap[PSN_SERVER_MAX]; /* "host port security" */
    char smtp[PSN_SERVER_MAX];
    char self_change[8]; /* of a trousseau's password: "webmail", "panel" or "" */
    const struct psn_secret *value; /* borrowed for the call */
};
typedef enum psn_code psn_opened_fn(void *arg, const struct psn_opened_secret *secret,
                                    struct psn_error *err);
/* In the order of the document: each mailbox, then its other secrets. */
PSN_API PSN_MUST_CHECK enum psn_code psn_opened_each(const struct psn_opened *opened,
                                                     psn_opened_fn *each, void *arg,
                                                     struct psn_error *err);

/* What a trousseau says about the client's OVH account. */
struct psn_opened_account {
    char nic[PSN_NAME_MAX];
    char panel[PSN_FIELD_MAX];                /* of OVH's customer panel, or "" */
    const struct psn_secret *domains;         /* one a line; borrowed for the call */
    const struct psn_secret *fingerprint_key; /* 64 hex digits; borrowed for the call */
};
typedef enum psn_code psn_opened_account_fn(void *arg,
                                            const struct psn_opened_account *account,
                                            struct psn_error *err);
/* Calls account once for a trousseau, and not at all for a grant's issue. */
PSN_API PSN_MUST_CHECK enum psn_code psn_opened_account(const struct psn_opened *opened,
                                                        psn_opened_account_fn *account,
                                                        void *arg, struct psn_error *err);

/* A file that a trousseau holds. */
struct psn_opened_file {
    char name[PSN_LABEL_TEXT_MAX];      /* [a-z0-9][a-z0-9._-]* */
    char media[2 * PSN_LABEL_TEXT_MAX]; /* type/subtype */
    const struct psn_secret *content;   /* borrowed for the call */
};
typedef enum psn_code psn_opened_file_fn(void *arg, const struct psn_opened_file *file,
                                         struct psn_error *err);
/* In the order of the document. */
PSN_API PSN_MUST_CHECK enum psn_code psn_opened_each_file(const struct psn_opened *opened,
                                                          psn_opened_file_fn *each,
                                                          void *arg,
                                                          struct psn_error *err);

/* Keeps the issue's roles in our vault, under (issuer, vault, address). E_POLICY if a
 * newer one of them is there already, and for a trousseau, whose roles are no received
 * ones; the same one again is no change. */
PSN_API PSN_MUST_CHECK enum psn_code psn_opened_store(struct psn_vault *vault,
                                                      const struct psn_opened *opened,
                                                      struct psn_error *err);

/*
 * Taking over from another webmaster: a trousseau becomes a client of this vault, with
 * its mailboxes and secrets, all or nothing. Whoever made it still knows all of it: he is
 * noted as somebody who does, without a right, so that all of it is due.
 */
struct psn_takeover {
    const char *client;   /* its id here; NULL: as the trousseau calls it */
    const char *former;   /* who made it, a person; made unless known. NULL: "former-" and
                             the client's id */
    const char *endpoint; /* as of a client; NULL: OVH's own for Europe */
    const char *imap;     /* NULL: the mail service's own */
    const char *smtp;
};
struct psn_taken {
    char client[PSN_CLIENT_ID_MAX];
    char former[PSN_PERSON_ID_MAX];
    size_t roles;
    size_t secrets;
    bool is_linked; /* the client was here before, with a key of its own */
};
/* A client of that id that is here already is taken, if it has the domains and none of
 * the mailboxes. E_POLICY: no trousseau, or the former provider opens this vault;
 * E_EXISTS, E_CONFLICT: not as above. */
PSN_API PSN_MUST_CHECK enum psn_code psn_client_import(
    struct psn_vault *vault, const struct psn_opened *opened,
    const struct psn_takeover *takeover, struct psn_taken *ret_taken,
    struct psn_error *err);

/* --- what is kept --- */

struct psn_received {
    char address[PSN_ADDRESS_TEXT_MAX];
    char client[PSN_CLIENT_ID_MAX]; /* as the issuer calls it */
    char issuer[64];
    char issued_by[PSN_NAME_MAX];
    char vault[33];
    uint64_t serial;
    uint64_t version;
    int64_t stored_s;
    int64_t changed_s;
    int64_t proved_s;
    int64_t until_s; /* 0: none */
};
typedef enum psn_code psn_received_fn(void *arg, const struct psn_received *received,
                                      struct psn_error *err);
/* In the order of domain, then local part. */
PSN_API PSN_MUST_CHECK enum psn_code psn_received_each(struct psn_vault *vault,
                                                       psn_received_fn *each, void *arg,
                                                       struct psn_error *err);

/* Reveals a received role: journalled first. Calls each for the mailbox and its secrets,
 * or for the one with the label (NULL: all). E_NOT_FOUND; E_CONFLICT if two issuers gave
 * the same address. */
PSN_API PSN_MUST_CHECK enum psn_code psn_received_reveal(
    struct psn_vault *vault, const char *address, const char *label, enum psn_how how,
    psn_opened_fn *each, void *arg, struct psn_error *err);

/* The same without values, which are NULL: nothing is revealed, nothing journalled. */
PSN_API PSN_MUST_CHECK enum psn_code psn_received_describe(struct psn_vault *vault,
                                                           const char *address,
                                                           const char *label,
                                                           psn_opened_fn *each, void *arg,
                                                           struct psn_error *err);

/* Pinned issuers: whose issues open without a question. */
struct psn_issuer {
    char fingerprint[64];
    char name[PSN_NAME_MAX];
    int64_t pinned_s;
};
typedef enum psn_code psn_issuer_fn(void *arg, const struct psn_issuer *issuer,
                                    struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_issuer_each(struct psn_vault *vault,
                                                     psn_issuer_fn *each, void *arg,
                                                     struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
