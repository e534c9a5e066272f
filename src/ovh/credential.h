#ifndef PSN_OVH_CREDENTIAL_H
#define PSN_OVH_CREDENTIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "crypto/secret.h"

/* The three keys of a signed v1 call. All are secrets: together they can reset every
 * mailbox of the account. */
struct psn_ovh_credential {
    struct psn_secret *application_key;
    struct psn_secret *application_secret;
    struct psn_secret *consumer_key;
};
void psn_ovh_credential_release(struct psn_ovh_credential *credential);

/* Reads an ovh.conf (INI). The section is the one named `endpoint`, else the one that
 * [default] endpoint names, else the only one. E_INVALID says which key is missing, or
 * that application key and client id stand together; OAuth2 pairs alone are E_POLICY
 * here. */
PSN_MUST_CHECK enum psn_code psn_ovh_credential_parse(
    const char *config, size_t size, const char *endpoint,
    struct psn_ovh_credential *ret_credential, struct psn_error *err);

/* The v1 root URL of an endpoint name ("ovh-eu", "ovh-ca", "ovh-us"), or the URL itself
 * if it is https:// and well formed (no user, query, fragment or trailing slash; port
 * allowed). E_INVALID otherwise. ret_is_ovh tells OVH's own endpoints from a URL. */
PSN_MUST_CHECK enum psn_code psn_ovh_endpoint_root(const char *endpoint, char *ret_root,
                                                   size_t size, bool *ret_is_ovh,
                                                   struct psn_error *err);

#endif
