#include "core/credential.h"

#include <string.h>

#include "base/i18n.h"
#include "core/client.h"
#include "core/credential_due.h"

/*
 * The plaintext, in locked memory only: the three keys of the daily work, each with its
 * size in two bytes; then what there is besides, as fields in rising order of their tags:
 * tag (u16), size (u32), parts of the form of the keys.
 */
enum {
    KEY_MAX = 1024,
    PLAIN_MAX = 16 * 1024,
    TAG_ACCOUNT = 1,     /* service account of the daily work: id, secret */
    TAG_CUT = 2,         /* the second key: three keys */
    TAG_CUT_ACCOUNT = 3, /* or a second service account */
    TAG_ASKED = 4,       /* a key that waits: three keys and the URL */
    TAG_ASKED_CUT = 5,
    TAG_MAX = 5,
};

void psn_credentials_release(struct psn_credentials *all)
{
    for (size_t use = 0; use < PSN_KEY_USES; use++) {
        psn_ovh_credential_release(&all->of[use]);
        psn_ovh_credential_release(&all->asked[use].credential);
        all->asked[use].url[0] = '\0';
    }
}

bool psn_credential_is_whole(const struct psn_ovh_credential *credential)
{
    return psn_ovh_credential_is_account(credential) || credential->consumer_key;
}

/* --- writing --- */

static enum psn_code append_bytes(struct psn_secret *plain, const void *bytes,
                                  size_t size, struct psn_error *err)
{
    uint8_t head[2] = { (uint8_t)(size >> 8), (uint8_t)size };
    enum psn_code rc;

    if (size > KEY_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("an API key of more than %d bytes"), KEY_MAX);
    rc = psn_secret_append(plain, head, sizeof head, err);
    return rc ? rc : psn_secret_append(plain, bytes, size, err);
}

static enum psn_code append_key(struct psn_secret *plain, const struct psn_secret *key,
                                struct psn_error *err)
{
    return key ? append_bytes(plain, psn_secret_bytes(key), psn_secret_size(key), err)
               : append_bytes(plain, "", 0, err);
}

static enum psn_code append_keys(struct psn_secret *plain,
                                 const struct psn_ovh_credential *credential,
                                 struct psn_error *err)
{
    enum psn_code rc = append_key(plain, credential->application_key, err);

    if (!rc)
        rc = append_key(plain, credential->application_secret, err);
    return rc ? rc : append_key(plain, credential->consumer_key, err);
}

static enum psn_code append_account(struct psn_secret *plain,
                                    const struct psn_ovh_credential *credential,
                                    struct psn_error *err)
{
    enum psn_code rc = append_key(plain, credential->client_id, err);

    return rc ? rc : append_key(plain, credential->client_secret, err);
}

/* A field is made apart, so that its size is known when its head is written. */
static enum psn_code append_field(struct psn_secret *plain, unsigned tag,
                                  const struct psn_secret *value, struct psn_error *err)
{
    size_t size = psn_secret_size(value);
    uint8_t head[6] = { (uint8_t)(tag >> 8),   (uint8_t)tag,
                        (uint8_t)(size >> 24), (uint8_t)(size >> 16),
                        (uint8_t)(size >> 8),  (uint8_t)size };
    enum psn_code rc = psn_secret_append(plain, head, sizeof head, err);

    return rc ? rc : psn_secret_append(plain, psn_secret_bytes(value), size, err);
}

static enum psn_code put_credential(struct psn_secret *plain, unsigned tag,
                                    const struct psn_ovh_credential *credential,
                                    const char *url, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    enum psn_code rc = psn_secret_new(PLAIN_MAX, &value, err);

    if (!rc)
        rc = psn_ovh_credential_is_account(credential)
                 ? append_account(value, credential, err)
                 : append_keys(value, credential, err);
    if (!rc && url)
        rc = append_bytes(value, url, strlen(url), err);
    return rc ? rc : append_field(plain, tag, value, err);
}

static enum psn_code encode(const struct psn_credentials *all, struct psn_secret *plain,
                            struct psn_error *err)
{
    const struct psn_ovh_credential *work = &all->of[PSN_KEY_WORK];
    const struct psn_ovh_credential *cut = &all->of[PSN_KEY_CUT];
    enum psn_code rc = append_keys(plain, work, err);

    if (!rc && psn_ovh_credential_is_account(work))
        rc = put_credential(plain, TAG_ACCOUNT, work, NULL, err);
    if (!rc && psn_credential_is_whole(cut))
        rc = put_credential(
            plain, psn_ovh_credential_is_account(cut) ? TAG_CUT_ACCOUNT : TAG_CUT, cut,
            NULL, err);
    for (unsigned use = 0; !rc && use < PSN_KEY_USES; use++)
        if (all->asked[use].credential.consumer_key)
            rc = put_credential(plain, TAG_ASKED + use, &all->asked[use].credential,
                                all->asked[use].url, err);
    return rc;
}

static bool same_key(const struct psn_secret *a, const struct psn_secret *b)
{
    return a && b ? psn_secret_equal(a, b) : a == b;
}

/* Who knew the daily work's credential knows it no more when it is another one. */
static enum psn_code settle_due(struct psn_vault *vault, const char *client,
                                const struct psn_ovh_credential *work,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_credentials) before = { 0 };
    enum psn_code rc = psn_credentials_get(vault, client, &before, NULL);
    const struct psn_ovh_credential *old = &before.of[PSN_KEY_WORK];

    if (rc && rc != PSN_E_NOT_FOUND)
        return psn_fail(err, rc, _("cannot read the API credential of '%s'"), client);
    if (!psn_credential_is_whole(work) ||
        (same_key(old->consumer_key, work->consumer_key) &&
         same_key(old->client_secret, work->client_secret)))
        return PSN_OK;
    return psn_due_settle(vault, client, err);
}

enum psn_code psn_credentials_put(struct psn_vault *vault, const char *client,
                                  const struct psn_credentials *all,
                                  struct psn_error *err)
{
    PSN_AUTO(psn_secret) *plain = NULL;
    PSN_AUTO_RELEASE(psn_store_row) known = psn_store_row_init();
    const struct psn_secret *data_key;
    struct psn_row_key key;
    uint64_t revision = 1;
    enum psn_code rc = psn_secret_new(PLAIN_MAX, &plain, err);

    if (!rc)
        rc = encode(all, plain, err);
    if (!rc)
        rc = settle_due(vault, client, &all->of[PSN_KEY_WORK], err);
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

/* --- reading --- */

/* What is left of the plaintext, or of one field. */
struct cursor {
    const uint8_t *at;
    size_t left;
};

static enum psn_code malformed(struct psn_error *err)
{
    return psn_fail(err, PSN_E_INTEGRITY, _("a stored API credential is malformed"));
}

static enum psn_code take_bytes(struct cursor *cursor, const uint8_t **ret_bytes,
                                size_t *ret_size, struct psn_error *err)
{
    if (cursor->left < 2)
        return malformed(err);
    *ret_size = (size_t)cursor->at[0] << 8 | cursor->at[1];
    if (*ret_size > cursor->left - 2)
        return malformed(err);
    *ret_bytes = cursor->at + 2;
    cursor->at += 2 + *ret_size;
    cursor->left -= 2 + *ret_size;
    return PSN_OK;
}

/* An empty key is none. */
static enum psn_code take_key(struct cursor *cursor, struct psn_secret **ret_key,
                              struct psn_error *err)
{
    const uint8_t *bytes = NULL;
    size_t size = 0;
    enum psn_code rc = take_bytes(cursor, &bytes, &size, err);

    return rc || size == 0 ? rc : psn_secret_copy(bytes, size, ret_key, err);
}

static enum psn_code take_keys(struct cursor *cursor,
                               struct psn_ovh_credential *credential,
                               struct psn_error *err)
{
    enum psn_code rc = take_key(cursor, &credential->application_key, err);

    if (!rc)
        rc = take_key(cursor, &credential->application_secret, err);
    return rc ? rc : take_key(cursor, &credential->consumer_key, err);
}

static enum psn_code take_account(struct cursor *cursor,
                                  struct psn_ovh_credential *credential,
                                  struct psn_error *err)
{
    enum psn_code rc = take_key(cursor, &credential->client_id, err);

    return rc ? rc : take_key(cursor, &credential->client_secret, err);
}

static enum psn_code take_asked(struct cursor *cursor, struct psn_asked_key *asked,
                                struct psn_error *err)
{
    const uint8_t *bytes = NULL;
    size_t size = 0;
    enum psn_code rc = take_keys(cursor, &asked->credential, err);

    if (!rc)
        rc = take_bytes(cursor, &bytes, &size, err);
    if (rc)
        return rc;
    if (size >= sizeof asked->url)
        return malformed(err);
    memcpy(asked->url, bytes, size);
    asked->url[size] = '\0';
    return PSN_OK;
}

static enum psn_code take_field(struct cursor value, unsigned tag,
                                struct psn_credentials *all, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    switch (tag) {
    case TAG_ACCOUNT:
        rc = take_account(&value, &all->of[PSN_KEY_WORK], err);
        break;
    case TAG_CUT:
        rc = take_keys(&value, &all->of[PSN_KEY_CUT], err);
        break;
    case TAG_CUT_ACCOUNT:
        rc = take_account(&value, &all->of[PSN_KEY_CUT], err);
        break;
    default:
        rc = take_asked(&value, &all->asked[tag - TAG_ASKED], err);
        break;
    }
    return !rc && value.left > 0 ? malformed(err) : rc;
}

static enum psn_code decode(const struct psn_secret *plain, struct psn_credentials *all,
                            struct psn_error *err)
{
    struct cursor cursor = { psn_secret_bytes(plain), psn_secret_size(plain) };
    unsigned last = 0;
    enum psn_code rc = take_keys(&cursor, &all->of[PSN_KEY_WORK], err);

    while (!rc && cursor.left > 0) {
        const uint8_t *head = cursor.at;
        struct cursor value = { head + 6, 0 };
        unsigned tag;

        if (cursor.left < 6)
            return malformed(err);
        tag = (unsigned)head[0] << 8 | head[1];
        value.left = (size_t)head[2] << 24 | (size_t)head[3] << 16 |
                     (size_t)head[4] << 8 | head[5];
        if (tag <= last || value.left > cursor.left - 6)
            return malformed(err);
        if (tag > TAG_MAX)
            return psn_fail(err, PSN_E_TOO_NEW,
                            _("a stored API credential is from a newer version"));
        rc = take_field(value, tag, all, err);
        cursor.at += 6 + value.left;
        cursor.left -= 6 + value.left;
        last = tag;
    }
    return rc;
}

enum psn_code psn_credentials_get(struct psn_vault *vault, const char *client,
                                  struct psn_credentials *ret_all, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *plain = NULL;
    PSN_AUTO_RELEASE(psn_credentials) all = { 0 };
    const struct psn_secret *data_key;
    struct psn_row_key key;
    uint64_t revision;
    enum psn_code rc = psn_client_data_key(vault, client, &data_key, err);

    if (!rc)
        rc = psn_row_key_init(vault, PSN_TABLE_CREDENTIAL, client, &key, err);
    if (!rc)
        rc = psn_row_get_secret(vault, PSN_TABLE_CREDENTIAL, &key, data_key, &plain,
                                &revision, err);
    if (!rc)
        rc = decode(plain, &all, err);
    if (rc)
        return rc;
    *ret_all = all;
    all = (struct psn_credentials){ 0 };
    return PSN_OK;
}

/* --- the daily work's alone --- */

enum psn_code psn_credential_get(struct psn_vault *vault, const char *client,
                                 struct psn_ovh_credential *ret_credential,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_credentials) all = { 0 };
    enum psn_code rc = psn_credentials_get(vault, client, &all, err);

    if (rc)
        return rc;
    if (!psn_credential_is_whole(&all.of[PSN_KEY_WORK]))
        return psn_fail(err, PSN_E_NOT_FOUND, _("the client '%s' has no API key"),
                        client);
    *ret_credential = all.of[PSN_KEY_WORK];
    all.of[PSN_KEY_WORK] = (struct psn_ovh_credential){ 0 };
    return PSN_OK;
}

enum psn_code psn_credential_put(struct psn_vault *vault, const char *client,
                                 const struct psn_ovh_credential *credential,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_credentials) all = { 0 };
    enum psn_code rc = psn_credentials_get(vault, client, &all, NULL);

    if (rc == PSN_E_NOT_FOUND)
        rc = PSN_OK;
    if (!rc) {
        psn_ovh_credential_release(&all.of[PSN_KEY_WORK]);
        rc = psn_ovh_credential_copy(credential, &all.of[PSN_KEY_WORK], err);
    }
    if (rc)
        return psn_fail(err, rc, _("cannot read the API credential of '%s'"), client);
    return psn_credentials_put(vault, client, &all, err);
}
