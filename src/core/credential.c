#include "core/credential.h"

#include "base/i18n.h"
#include "core/client.h"

/* The plaintext, in locked memory only: three keys, each with its size in two bytes. */
enum {
    KEY_MAX = 1024
};

static enum psn_code append_key(struct psn_secret *plain, const struct psn_secret *key,
                                struct psn_error *err)
{
    size_t size = psn_secret_size(key);
    uint8_t head[2] = { (uint8_t)(size >> 8), (uint8_t)size };
    enum psn_code rc;

    if (size > KEY_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("an API key of more than %d bytes"), KEY_MAX);
    rc = psn_secret_append(plain, head, sizeof head, err);
    return rc ? rc : psn_secret_append(plain, psn_secret_bytes(key), size, err);
}

static enum psn_code take_key(const struct psn_secret *plain, size_t *at,
                              struct psn_secret **ret_key, struct psn_error *err)
{
    const uint8_t *bytes = psn_secret_bytes(plain);
    size_t left = psn_secret_size(plain) - *at;
    size_t size;

    if (left < 2)
        return psn_fail(err, PSN_E_INTEGRITY, _("a stored API credential is malformed"));
    size = (size_t)bytes[*at] << 8 | bytes[*at + 1];
    if (size > left - 2)
        return psn_fail(err, PSN_E_INTEGRITY, _("a stored API credential is malformed"));
    *at += 2 + size;
    return psn_secret_copy(bytes + *at - size, size, ret_key, err);
}

enum psn_code psn_credential_put(struct psn_vault *vault, const char *client,
                                 const struct psn_ovh_credential *credential,
                                 struct psn_error *err)
{
    PSN_AUTO(psn_secret) *plain = NULL;
    PSN_AUTO_RELEASE(psn_store_row) known = psn_store_row_init();
    const struct psn_secret *data_key;
    struct psn_row_key key;
    uint64_t revision = 1;
    enum psn_code rc = psn_secret_new(3 * (size_t)(KEY_MAX + 2), &plain, err);

    if (!rc)
        rc = append_key(plain, credential->application_key, err);
    if (!rc)
        rc = append_key(plain, credential->application_secret, err);
    if (!rc)
        rc = append_key(plain, credential->consumer_key, err);
    if (!rc)
        rc = psn_client_data_key(vault, client, &data_key, err);
    if (!rc)
        rc = psn_row_key_init(vault, PSN_TABLE_CREDENTIAL, client, &key, err);
    if (rc)
        return rc;
    rc = psn_store_get(vault->store, PSN_TABLE_CREDENTIAL, key.bytes, key.size, &known,
                       NULL);
    if (rc == PSN_OK)
        revision = known.revision + 1;
    else if (rc != PSN_E_NOT_FOUND)
        return psn_fail(err, rc, _("cannot read the API credential of '%s'"), client);
    return psn_row_put(vault, PSN_TABLE_CREDENTIAL, &key, revision, data_key,
                       psn_secret_bytes(plain), psn_secret_size(plain), err);
}

enum psn_code psn_credential_get(struct psn_vault *vault, const char *client,
                                 struct psn_ovh_credential *ret_credential,
                                 struct psn_error *err)
{
    PSN_AUTO(psn_secret) *plain = NULL;
    struct psn_ovh_credential credential = { 0 };
    const struct psn_secret *data_key;
    struct psn_row_key key;
    uint64_t revision;
    size_t at = 0;
    enum psn_code rc = psn_client_data_key(vault, client, &data_key, err);

    if (!rc)
        rc = psn_row_key_init(vault, PSN_TABLE_CREDENTIAL, client, &key, err);
    if (!rc)
        rc = psn_row_get_secret(vault, PSN_TABLE_CREDENTIAL, &key, data_key, &plain,
                                &revision, err);
    if (!rc)
        rc = take_key(plain, &at, &credential.application_key, err);
    if (!rc)
        rc = take_key(plain, &at, &credential.application_secret, err);
    if (!rc)
        rc = take_key(plain, &at, &credential.consumer_key, err);
    if (rc)
        psn_ovh_credential_release(&credential);
    else
        *ret_credential = credential;
    return rc;
}
