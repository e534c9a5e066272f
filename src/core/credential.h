#ifndef PSN_CORE_CREDENTIAL_H
#define PSN_CORE_CREDENTIAL_H

#include "core/vault.h"
#include "ovh/credential.h"

/* A client's API credential, sealed under its data key. Inside a transaction. */
PSN_MUST_CHECK enum psn_code psn_credential_put(
    struct psn_vault *vault, const char *client,
    const struct psn_ovh_credential *credential, struct psn_error *err);
/* E_NOT_FOUND: the client is not linked. */
PSN_MUST_CHECK enum psn_code psn_credential_get(struct psn_vault *vault,
                                                const char *client,
                                                struct psn_ovh_credential *ret_credential,
                                                struct psn_error *err);

#endif
