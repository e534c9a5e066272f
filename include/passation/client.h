#ifndef PASSATION_CLIENT_H
#define PASSATION_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/finding.h"
#include "passation/secret.h"
#include "passation/vault.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A client: an owner with an OVH account and domains, a data key and a journal chain of
 * its own. An address belongs to the one client that has its domain.
 */
enum {
    PSN_CLIENT_ID_MAX = 65,
    PSN_NIC_MAX = 65,
    PSN_URL_MAX = 257,
    PSN_CLIENT_DOMAINS_MAX = 256,
    PSN_DOMAIN_NAME_MAX = 254,
};

struct psn_client_limits {
    uint32_t rate_per_min;          /* calls a minute, burst 28; 0: no limit */
    int64_t settle_s;               /* ROTATION's Q: after it no request is on the way */
    int64_t login_cache_s;          /* how long a mail server may remember a refusal */
    uint32_t failed_logins;         /* at most so many refused logins … */
    int64_t failed_logins_window_s; /* … in so long, per mailbox */
};

/* What an API key is for. Cutting persistent accesses asks for more rights than the daily
 * work: a second key, kept apart, for a day. */
enum psn_key_use {
    PSN_KEY_WORK,
    PSN_KEY_CUT,
    PSN_KEY_USES, /* how many there are */
};
enum {
    PSN_KEY_SOON_S = 14 * 24 * 3600, /* a key that ends sooner is warned of */
};

/* What is known of a client's API keys, besides key_expires_s; times, 0: none. */
struct psn_client_keys {
    bool is_account;               /* an OAuth2 service account: no consumer key */
    int64_t read_s;                /* when OVH was last asked */
    int64_t last_use_s;            /* what it said of the last use before */
    int64_t cut_expires_s;         /* the second key is good until then; 0: none */
    int64_t asked_s[PSN_KEY_USES]; /* a key waits for the owner's approval since then */
};

struct psn_client {
    char id[PSN_CLIENT_ID_MAX]; /* [a-z0-9][a-z0-9._-]{0,63} */
    char name[PSN_NAME_MAX];
    char nic[PSN_NIC_MAX];      /* xy000000-ovh, lower case */
    char endpoint[PSN_URL_MAX]; /* "ovh-eu" or a v1 root URL */
    char imap[PSN_URL_MAX];     /* imaps://host:port instead of the back-end's, or "" */
    char smtp[PSN_URL_MAX];     /* smtps://host:port instead of the back-end's, or "" */
    struct psn_client_limits limits;
    size_t domain_count;
    char (*domains)[PSN_DOMAIN_NAME_MAX]; /* domain_count names, lower case */
    int64_t created_s;
    bool linked;                  /* an API credential is stored */
    char linked_nic[PSN_NIC_MAX]; /* what OVH's /me said when it was, or "" */
    int64_t key_expires_s;        /* of the consumer key; 0: never or not linked */
    struct psn_client_keys keys;
    /* Whom its accesses belong to: nothing that he knows is known to somebody without
     * right. A handover or an envelope names him; "" before. */
    char owner[PSN_PERSON_ID_MAX];
    int64_t handover_s; /* a handover is open since then; 0: none */
    int64_t envelope_s; /* a recovery envelope was made then; 0: none */
};

/* A client with the defaults of OVH's own endpoints: 60 a minute, 10 min, 61 min, 3 in 5
 * min. */
PSN_API struct psn_client psn_client_init(void);
PSN_API void psn_client_release(struct psn_client *client);
/* Appends a domain in normal form. E_INVALID if it is none. */
PSN_API PSN_MUST_CHECK enum psn_code psn_client_add_domain(struct psn_client *client,
                                                           const char *domain,
                                                           struct psn_error *err);

/* E_INVALID: id, NIC handle, endpoint or URL has a wrong form, no domain, or limits under
 * the floors of OVH's own endpoints; E_EXISTS: id or domain is taken. NIC upper case is
 * folded. */
PSN_API PSN_MUST_CHECK enum psn_code psn_client_add(struct psn_vault *vault,
                                                    const struct psn_client *client,
                                                    struct psn_error *err);
/* Replaces everything but id and link. Domains that still have roles cannot be dropped.
 */
PSN_API PSN_MUST_CHECK enum psn_code psn_client_set(struct psn_vault *vault,
                                                    const struct psn_client *client,
                                                    struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_client_get(struct psn_vault *vault,
                                                    const char *id,
                                                    struct psn_client *ret_client,
                                                    struct psn_error *err);
/* In the order of ids. The client is borrowed for the call. */
typedef enum psn_code psn_client_fn(void *arg, const struct psn_client *client,
                                    struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_client_each(struct psn_vault *vault,
                                                     psn_client_fn *each, void *arg,
                                                     struct psn_error *err);
/* Removes a client and all it has from the vault, nothing at OVH. While the vault holds
 * passwords of it, which nobody else may have, E_POLICY unless confirm repeats the id.
 * E_POLICY, too, while a rotation of it is unfinished, or somebody who is leaving knows a
 * secret of it that is in force, unless `unchanged` (else NULL) says why that cannot be
 * changed: the reports of whoever knew it will name each mailbox, and why. */
PSN_API PSN_MUST_CHECK enum psn_code psn_client_rm(struct psn_vault *vault,
                                                   const char *id, const char *confirm,
                                                   const char *unchanged,
                                                   struct psn_error *err);

/* --- the link to OVH --- */

enum {
    PSN_LINK_MISSING_MAX = 16,
    PSN_RULE_TEXT_MAX = 272, /* "GET /me" */
};
struct psn_link {
    char nic[PSN_NIC_MAX];
    enum psn_key_use use;
    bool is_account;   /* a service account: its rights are its IAM policies */
    int64_t expires_s; /* 0: never */
    int64_t last_use_s;
    size_t rules;
    size_t missing; /* rules that passation needs and the key lacks … */
    char missing_rules[PSN_LINK_MISSING_MAX][PSN_RULE_TEXT_MAX]; /* … the first of them */
    bool wide;
    char wide_rule[PSN_RULE_TEXT_MAX]; /* the widest rule, if wide */
};

struct psn_link_options {
    enum psn_key_use use;
    const struct psn_secret *config; /* an ovh.conf, or NULL */
    const struct psn_secret *pair;   /* "KEY:SECRET" of an application, or NULL: the one
                                        that the vault has for the client … */
    bool is_account;                 /* … or of a service account */
    bool accept_wide;
    bool anew;      /* ask for a new key even where one waits for its approval */
    int64_t wait_s; /* for the owner; 0: look once */
    /* Called once the owner may be told where to agree. `why` is NULL, or what may be
     * wrong. Anything but PSN_OK ends the call; the key goes on waiting. */
    enum psn_code (*show)(void *arg, const char *url, const char *why,
                          struct psn_error *err);
    void (*progress)(void *arg, int64_t left_s); /* may be NULL */
    bool (*stop)(void *arg);                     /* asked often; may be NULL */
    void *arg;
};

/*
 * Stores an API credential for a client: from an ovh.conf, from a service account's pair,
 * or by asking the owner for a consumer key with exactly the rights that are needed. A
 * key that was asked for is sealed in the vault before its URL is shown; when the call
 * ends before the owner has agreed (E_UNFINISHED), the next one goes on waiting for the
 * same key.
 *
 * OVH is asked whose the credential is and what it may do before it is stored. E_POLICY:
 * it belongs to another NIC handle than the client's, or may do more than passation needs
 * and accept_wide is false (the message names the widest rule); E_REFUSED: OVH or the
 * owner refuses, or the key has ended: the message says which; E_INVALID: a form, or
 * nothing was given and the vault has no application of the client.
 */
PSN_API PSN_MUST_CHECK enum psn_code psn_client_link(
    struct psn_vault *vault, const char *id, const struct psn_link_options *options,
    struct psn_link *ret_link, struct psn_error *err);

/* True if psn_client_link() needs no pair: a key waits, or the vault has an application.
 */
PSN_API bool psn_client_has_application(const struct psn_client *client,
                                        enum psn_key_use use);

/* The address of the page where the owner makes a key with these rights by hand. Freed by
 * the caller. */
PSN_API PSN_MUST_CHECK enum psn_code psn_client_key_page(struct psn_vault *vault,
                                                         const char *id,
                                                         enum psn_key_use use,
                                                         char **ret_page,
                                                         struct psn_error *err);

/* Walks the client's account, read only. What is found of mailboxes is compared with the
 * vault: see psn_inventory_state. */
enum psn_inventory_state {
    PSN_INVENTORY_OTHER,   /* not a mailbox */
    PSN_INVENTORY_MANAGED, /* a role of the vault */
    PSN_INVENTORY_FREE,    /* at OVH, not in the vault: adopt it? */
    PSN_INVENTORY_MISSING, /* in the vault, no longer at OVH */
    PSN_INVENTORY_CHANGED, /* a role whose password OVH says was changed after ours */
};
typedef enum psn_code psn_inventory_fn(void *arg, const struct psn_finding *finding,
                                       enum psn_inventory_state state,
                                       struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_client_inventory(struct psn_vault *vault,
                                                          const char *id,
                                                          psn_inventory_fn *each,
                                                          void *arg,
                                                          struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
