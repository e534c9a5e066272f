#ifndef PSN_OVH_OAUTH_H
#define PSN_OVH_OAUTH_H

#include <stdbool.h>
#include <stdint.h>

#include "net/http.h"
#include "ovh/answer.h"
#include "ovh/credential.h"

/*
 * Tokens of an OAuth2 service account: the client-credentials grant. A token is a secret
 * like the account's own, but lives an hour.
 */
struct psn_ovh_token_request {
    struct psn_http http;
    const char *url;
    const char *ca_file; /* an extra trusted CA for this host, or NULL */
    const struct psn_ovh_credential *credential;
};

struct psn_ovh_token {
    struct psn_secret *bearer; /* NULL: none yet */
    int64_t lifetime_s;        /* from now */
};

/* Asks once. E_REFUSED: OVH does not know the account, or its secret is wrong (decided by
 * the answer's "error", whatever the status); E_NETWORK: no usable answer, and
 * *ret_passing tells whether asking again may go better. */
PSN_MUST_CHECK enum psn_code psn_ovh_token_ask(
    const struct psn_ovh_token_request *request, struct psn_ovh_token *ret_token,
    bool *ret_passing, struct psn_error *err);

#endif
