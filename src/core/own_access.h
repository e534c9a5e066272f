#ifndef PSN_CORE_OWN_ACCESS_H
#define PSN_CORE_OWN_ACCESS_H

#include "core/client.h"
#include "core/credential.h"
#include "passation/access.h"

/*
 * What is ours in a client's account: own_access_list.c finds it, own_access.c removes
 * it.
 */

/* The application of one of our keys. */
struct psn_own_application {
    const struct psn_secret *key; /* borrowed; NULL: there is none */
    bool is_shared;               /* another client of the vault uses it, too … */
    bool is_shared_here;          /* … in the same account */
};

enum {
    PSN_OWN_APPLICATIONS = 2 * PSN_KEY_USES, /* of the keys, and of those asked for */
};

struct psn_own_item {
    struct psn_own_access access;
    struct psn_finding finding; /* with what removes it */
};

/* What the journal says of an earlier run. */
struct psn_own_past {
    char (*ordered)[PSN_FINDING_ID_MAX]; /* and not seen gone yet */
    size_t ordered_count;
    bool last_ordered; /* of the keys that the vault has now */
    bool last_is_application;
    bool is_proved;
    bool is_begun; /* something was ordered, with the keys that the vault has now */
};

struct psn_own_run {
    struct psn_vault *vault;
    bool is_locked;
    struct psn_client client;
    struct psn_credentials all;
    char
        same_key[PSN_CLIENT_ID_MAX]; /* another client who has one of these keys; or "" */
    struct psn_own_past past;
    enum psn_key_use use;          /* of the one that acts */
    struct psn_ovh *ovh;           /* its account; NULL: there is none any more */
    bool is_dead;                  /* OVH refuses it, after we had ordered that */
    struct psn_ovh_key_info *info; /* of the one that acts, or NULL: a service account */
    struct psn_own_application applications[PSN_OWN_APPLICATIONS];
    struct psn_own_item *items; /* in their order; the last one is the last */
    size_t count;
};
struct psn_own_run psn_own_run_init(struct psn_vault *vault);
void psn_own_run_release(struct psn_own_run *run);

/* Opens the account, with the key that is to act; is_dead, or no account, where there is
 * nothing left to do. */
PSN_MUST_CHECK enum psn_code psn_own_run_open(struct psn_own_run *run, const char *client,
                                              struct psn_error *err);
/* Finds all that is ours. */
PSN_MUST_CHECK enum psn_code psn_own_run_find(struct psn_own_run *run,
                                              struct psn_error *err);
/* Is the credential one that OVH has ended, as it looks now? */
bool psn_own_is_dead(const struct psn_ovh *ovh, bool is_account);
/* Whether the keys that the vault has are being removed: OVH may refuse them. */
PSN_MUST_CHECK enum psn_code psn_own_access_is_begun(struct psn_vault *vault,
                                                     const char *client, bool *ret_is,
                                                     struct psn_error *err);
/* E_POLICY, with advice: another client of the vault has one of the client's keys. */
PSN_MUST_CHECK enum psn_code psn_own_access_check_alone(struct psn_vault *vault,
                                                        const char *client,
                                                        struct psn_error *err);
/* The credential that acts. */
static inline const struct psn_ovh_credential *psn_own_actor(
    const struct psn_own_run *run)
{
    return &run->all.of[run->use];
}

/* Events of the journal. */
#define PSN_OWN_ORDERED "own_access.ordered"
#define PSN_OWN_GONE    "own_access.gone"
#define PSN_OWN_PROVED  "own_access.proved"
/* What the text of an order begins with that ends the key which gives it. */
#define PSN_OWN_LAST "last: "

#endif
