#include "core/own_key.h"

#include <stdio.h>

#include "age/identity.h"
#include "base/i18n.h"
#include "crypto/sign.h"

static const char signing_name[] = "signing";
static const char identity_name[] = "identity";

/* Each row's plaintext is the 32 bytes alone. */
static enum psn_code put(struct psn_vault *vault, const char *name,
                         const struct psn_secret *key, struct psn_error *err)
{
    struct psn_row_key row_key;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_OWN_KEY, name, &row_key, err);

    return rc ? rc
              : psn_row_put(vault, PSN_TABLE_OWN_KEY, &row_key, 1, vault->rows_key,
                            psn_secret_bytes(key), psn_secret_size(key), err);
}

static enum psn_code get(struct psn_vault *vault, const char *name,
                         struct psn_secret **ret_key, struct psn_error *err)
{
    struct psn_row_key row_key;
    uint64_t revision;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_OWN_KEY, name, &row_key, err);

    return rc ? rc
              : psn_row_get_secret(vault, PSN_TABLE_OWN_KEY, &row_key, vault->rows_key,
                                   ret_key, &revision, err);
}

enum psn_code psn_own_keys_make(struct psn_vault *vault, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *seed = NULL;
    PSN_AUTO(psn_secret) *scalar = NULL;
    enum psn_code rc = psn_kdf_random(&seed, err);

    if (!rc)
        rc = psn_age_identity_new(&scalar, err);
    if (!rc)
        rc = put(vault, signing_name, seed, err);
    return rc ? rc : put(vault, identity_name, scalar, err);
}

enum psn_code psn_own_signing_key(struct psn_vault *vault, struct psn_secret **ret_seed,
                                  struct psn_error *err)
{
    return get(vault, signing_name, ret_seed, err);
}

enum psn_code psn_own_identity(struct psn_vault *vault, struct psn_secret **ret_scalar,
                               struct psn_error *err)
{
    return get(vault, identity_name, ret_scalar, err);
}

static enum psn_code describe(struct psn_vault *vault, struct psn_vault_keys *ret_keys,
                              struct psn_error *err)
{
    PSN_AUTO(psn_secret) *seed = NULL;
    PSN_AUTO(psn_secret) *scalar = NULL;
    uint8_t key[PSN_SIGN_PUBLIC_SIZE];
    enum psn_code rc = psn_own_signing_key(vault, &seed, err);

    if (!rc)
        rc = psn_own_identity(vault, &scalar, err);
    if (!rc)
        rc = psn_sign_public(seed, key, err);
    if (!rc)
        rc = psn_age_recipient(scalar, ret_keys->age, err);
    if (rc)
        return rc;
    psn_sign_ssh_text(key, ret_keys->ssh);
    psn_sign_fingerprint(key, ret_keys->fingerprint);
    psn_sign_minisign_text(key, ret_keys->minisign);
    (void)snprintf(
        ret_keys->allowed_signers, sizeof ret_keys->allowed_signers,
        "%s namespaces=\"passation-issue,passation-file,passation-statement\" %s",
        vault->actor, ret_keys->ssh);
    return PSN_OK;
}

enum psn_code psn_vault_public_keys(struct psn_vault *vault,
                                    struct psn_vault_keys *ret_keys,
                                    struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc : psn_vault_end(vault, describe(vault, ret_keys, err), err);
}
