#ifndef PSN_OVH_OWN_H
#define PSN_OVH_OWN_H

#include "ovh/answer.h"
#include "ovh/client.h"
#include "passation/finding.h"

/*
 * What acts for an account by the API, with what tells whose it is: for the end of our
 * own access, which a sweep leaves alone.
 */
struct psn_ovh_own {
    struct psn_finding finding; /* kind, id, detail, and the call that removes it */
    char application_key[PSN_OVH_TEXT_MAX]; /* of a key or an application; or "" */
    char client_id[PSN_OVH_TEXT_MAX];       /* of a service account, and of a policy that
                                               names one; or "" */
    bool is_over;                           /* a key: expired or refused */
    bool names_others;                      /* a policy: more identities than that one */
};
typedef enum psn_code psn_ovh_own_fn(void *arg, const struct psn_ovh_own *own,
                                     struct psn_error *err);

/* Keys, then (with_accounts) policies that name a service account and service accounts,
 * then applications. A policy that names several accounts is told once for each. What is
 * gone by the time it is looked at is left out. */
PSN_MUST_CHECK enum psn_code psn_ovh_own_walk(struct psn_ovh *ovh, bool with_accounts,
                                              psn_ovh_own_fn *each, void *arg,
                                              struct psn_error *err);

/* The findings of a key and of a service account that are known by their id. */
void psn_ovh_own_key(int64_t credential_id, struct psn_finding *ret_finding);
void psn_ovh_own_client(const char *client_id, struct psn_finding *ret_finding);

/* Why the last call was refused: "INVALID_KEY" …, a word of OVH's or ours; never NULL. */
const char *psn_ovh_reason_word(enum psn_ovh_reason reason);

/* POST /auth/logout: ends the key in use. Sent once. */
PSN_MUST_CHECK enum psn_code psn_ovh_logout(struct psn_ovh *ovh,
                                            struct psn_ovh_answer *ret_answer,
                                            struct psn_error *err);
/* Sends what removes a finding, once, without a look before or behind. */
PSN_MUST_CHECK enum psn_code psn_ovh_own_remove(struct psn_ovh *ovh,
                                                const struct psn_finding *finding,
                                                struct psn_ovh_answer *ret_answer,
                                                struct psn_error *err);

#endif
