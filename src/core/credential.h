#ifndef PSN_CORE_CREDENTIAL_H
#define PSN_CORE_CREDENTIAL_H

#include "core/vault.h"
#include "ovh/authorization.h"
#include "ovh/credential.h"
#include "passation/client.h"

/*
 * Everything that a client's OVH account is reached with, in one row sealed under the
 * client's data key: the credential of the daily work, the second one for cuts, and the
 * keys that wait for the owner's approval. Absent ones are empty.
 */
struct psn_credentials {
    struct psn_ovh_credential of[PSN_KEY_USES];
    struct psn_asked_key {
        struct psn_ovh_credential credential;
        char url[PSN_OVH_VALIDATION_URL_MAX];
    } asked[PSN_KEY_USES];
};
void psn_credentials_release(struct psn_credentials *all);
/* True if there is something to call with. */
bool psn_credential_is_whole(const struct psn_ovh_credential *credential);

/* All below inside a transaction. */

/* E_NOT_FOUND: the client has none of them. */
PSN_MUST_CHECK enum psn_code psn_credentials_get(struct psn_vault *vault,
                                                 const char *client,
                                                 struct psn_credentials *ret_all,
                                                 struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_credentials_put(struct psn_vault *vault,
                                                 const char *client,
                                                 const struct psn_credentials *all,
                                                 struct psn_error *err);

/* The credential of the daily work alone; a put leaves the others. E_NOT_FOUND: the
 * client is not linked. */
PSN_MUST_CHECK enum psn_code psn_credential_put(
    struct psn_vault *vault, const char *client,
    const struct psn_ovh_credential *credential, struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_credential_get(struct psn_vault *vault,
                                                const char *client,
                                                struct psn_ovh_credential *ret_credential,
                                                struct psn_error *err);

#endif
