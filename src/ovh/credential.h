#ifndef PSN_OVH_CREDENTIAL_H
#define PSN_OVH_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "crypto/secret.h"

/* What a call is made with: the three keys of a signed call, or the id and secret of an
 * OAuth2 service account. Application keys and service accounts exclude each other. All
 * are secrets: together they can reset every mailbox of the account. */
struct psn_ovh_credential {
    struct psn_secret *application_key;
    struct psn_secret *application_secret;
    struct psn_secret *consumer_key;
    struct psn_secret *client_id;
    struct psn_secret *client_secret;
};
void psn_ovh_credential_release(struct psn_ovh_credential *credential);
/* True for a service account. */
bool psn_ovh_credential_is_account(const struct psn_ovh_credential *credential);
PSN_MUST_CHECK enum psn_code psn_ovh_credential_copy(
    const struct psn_ovh_credential *from, struct psn_ovh_credential *ret_credential,
    struct psn_error *err);

/* Reads an ovh.conf (INI). The section is the one named `endpoint`, else the one that
 * [default] endpoint names, else the only one. E_INVALID says which key is missing, or
 * that application key and client id stand together. */
PSN_MUST_CHECK enum psn_code psn_ovh_credential_parse(
    const char *config, size_t size, const char *endpoint,
    struct psn_ovh_credential *ret_credential, struct psn_error *err);

/* Reads "KEY:SECRET": an application's, or a service account's. The consumer key of an
 * application is then still missing. */
PSN_MUST_CHECK enum psn_code psn_ovh_credential_parse_pair(
    const struct psn_secret *pair, bool is_account,
    struct psn_ovh_credential *ret_credential, struct psn_error *err);

/* The v1 root URL of an endpoint name ("ovh-eu", "ovh-ca", "ovh-us"), or the URL itself
 * if it is https:// and well formed (no user, query, fragment or trailing slash; port
 * allowed). E_INVALID otherwise. ret_is_ovh tells OVH's own endpoints from a URL. */
PSN_MUST_CHECK enum psn_code psn_ovh_endpoint_root(const char *endpoint, char *ret_root,
                                                   size_t size, bool *ret_is_ovh,
                                                   struct psn_error *err);

/* Where a service account gets its tokens, for a v1 root: the region's own URL for OVH's
 * roots, else ORIGIN/auth/oauth2/token. */
PSN_MUST_CHECK enum psn_code psn_ovh_token_url(const char *root, char *ret_url,
                                               size_t size, struct psn_error *err);

/* The scheme, host and port of a root. */
PSN_MUST_CHECK enum psn_code psn_ovh_origin(const char *root, char *ret_origin,
                                            size_t size, struct psn_error *err);

#endif
