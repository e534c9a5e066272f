#ifndef PSN_OVH_AUTHORIZATION_H
#define PSN_OVH_AUTHORIZATION_H

#include "ovh/client.h"

/*
 * Asking the owner of an account for a consumer key: POST /auth/credential gives one that
 * opens nothing until he has agreed on the page behind its URL.
 */
enum {
    PSN_OVH_VALIDATION_URL_MAX = 512,
};

struct psn_ovh_asked_key {
    struct psn_secret *consumer_key;
    char url[PSN_OVH_VALIDATION_URL_MAX]; /* https://, printable */
};
void psn_ovh_asked_key_release(struct psn_ovh_asked_key *key);

/* The handle needs an application key only. E_REFUSED: OVH does not know it, or refuses
 * the rules. Nothing is lost when the answer is: a key that nobody approves is none. */
PSN_MUST_CHECK enum psn_code psn_ovh_ask_key(struct psn_ovh *ovh,
                                             const struct psn_ovh_rule *rules,
                                             size_t count,
                                             struct psn_ovh_asked_key *ret_key,
                                             struct psn_error *err);

#endif
