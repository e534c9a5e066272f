#include "core/version.h"

#include <stdio.h>
#include <string.h>

#include "base/allow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/client.h"
#include "core/counters.h"
#include "core/grant.h"

/*
 * A version's plaintext never leaves locked memory:
 *
 *     format (1) || state (1) || created (8) || size (4) || value, zeros up to a step of
 * 64
 *
 * so that all values of 1 to 64 bytes give rows of one length.
 */
enum {
    VERSION_FORMAT = 1,
    VERSION_HEAD = 14,
    VALUE_STEP = 64,
    LABEL_PRF = 8,
};

const char *psn_version_state_name(enum psn_version_state state)
{
    switch (state) {
    case PSN_VERSION_CURRENT:
        return "current";
    case PSN_VERSION_PENDING:
        return "pending";
    case PSN_VERSION_REFUSED:
        return "refused";
    case PSN_VERSION_SUPERSEDED:
        return "superseded";
    }
    return "unknown";
}

static enum psn_code secret_key(struct psn_vault *vault, enum psn_table table,
                                const char *address, const char *label,
                                struct psn_row_key *ret_key, struct psn_error *err)
{
    enum psn_code rc = psn_row_key_init(vault, table, address, ret_key, err);

    return rc ? rc : psn_row_key_add_prf(vault, table, label, LABEL_PRF, ret_key, err);
}

enum psn_code psn_version_key(struct psn_vault *vault, const char *address,
                              const char *label, uint64_t number,
                              struct psn_row_key *ret_key, struct psn_error *err)
{
    enum psn_code rc = secret_key(vault, PSN_TABLE_VERSION, address, label, ret_key, err);

    if (!rc)
        psn_row_key_add_number(ret_key, number);
    return rc;
}

static void put_number(uint8_t *at, uint64_t value, int size)
{
    for (int i = 0; i < size; i++)
        at[i] = (uint8_t)(value >> (8 * (size - 1 - i)));
}

static uint64_t get_number(const uint8_t *at, int size)
{
    uint64_t value = 0;

    for (int i = 0; i < size; i++)
        value = value << 8 | at[i];
    return value;
}

static enum psn_code encode(const struct psn_version *version,
                            const struct psn_secret *value, struct psn_secret **ret_plain,
                            struct psn_error *err)
{
    PSN_AUTO(psn_secret) *plain = NULL;
    size_t size = psn_secret_size(value);
    size_t padded = (size + VALUE_STEP - 1) / VALUE_STEP * VALUE_STEP;
    uint8_t *at;
    enum psn_code rc = psn_secret_new(VERSION_HEAD + padded, &plain, err);

    if (rc)
        return rc;
    at = psn_secret_fill(plain);
    memset(at, 0, VERSION_HEAD + padded);
    at[0] = VERSION_FORMAT;
    at[1] = (uint8_t)version->state;
    put_number(at + 2, (uint64_t)version->created_s, 8);
    put_number(at + 10, size, 4);
    memcpy(at + VERSION_HEAD, psn_secret_bytes(value), size);
    psn_secret_set_size(plain, VERSION_HEAD + padded);
    *ret_plain = PSN_TAKE(plain);
    return PSN_OK;
}

static enum psn_code decode(const struct psn_secret *plain, uint64_t number,
                            struct psn_version *ret_version,
                            struct psn_secret **ret_value, struct psn_error *err)
{
    const uint8_t *at = psn_secret_bytes(plain);
    size_t size = psn_secret_size(plain);
    uint64_t value_size;

    if (size < VERSION_HEAD)
        return psn_fail(err, PSN_E_INTEGRITY, _("a version of a secret is malformed"));
    if (at[0] != VERSION_FORMAT)
        return psn_fail(err, PSN_E_TOO_NEW, _("a newer passation wrote this vault"));
    value_size = get_number(at + 10, 4);
    if (value_size > size - VERSION_HEAD || at[1] > PSN_VERSION_SUPERSEDED)
        return psn_fail(err, PSN_E_INTEGRITY, _("a version of a secret is malformed"));
    ret_version->number = number;
    ret_version->state = (enum psn_version_state)at[1];
    ret_version->created_s = (int64_t)get_number(at + 2, 8);
    return psn_secret_copy(at + VERSION_HEAD, value_size, ret_value, err);
}

static enum psn_code write_version(struct psn_vault *vault, const struct psn_row_key *key,
                                   uint64_t revision, const struct psn_secret *data_key,
                                   const struct psn_version *version,
                                   const struct psn_secret *value, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *plain = NULL;
    enum psn_code rc = encode(version, value, &plain, err);

    return rc ? rc
              : psn_row_put(vault, PSN_TABLE_VERSION, key, revision, data_key,
                            psn_secret_bytes(plain), psn_secret_size(plain), err);
}

enum psn_code psn_version_put(struct psn_vault *vault, const char *client,
                              const char *address, const char *label, uint64_t number,
                              enum psn_version_state state,
                              const struct psn_secret *value, struct psn_error *err)
{
    struct psn_version version = { number, state, vault->world.now_s() };
    const struct psn_secret *data_key;
    struct psn_row_key key;
    enum psn_code rc;

    if (psn_secret_size(value) == 0 || psn_secret_size(value) > PSN_SECRET_MAX)
        return psn_fail(err, PSN_E_INVALID, _("a secret has 1 to %d bytes"),
                        PSN_SECRET_MAX);
    rc = psn_client_data_key(vault, client, &data_key, err);
    if (!rc)
        rc = psn_version_key(vault, address, label, number, &key, err);
    if (!rc)
        rc = write_version(vault, &key, 1, data_key, &version, value, err);
    if (rc != PSN_E_EXISTS)
        return rc;
    /* Who asked counted on from a row that is not the last one any more. */
    psn_error_clear(err);
    (void)psn_fail(err, PSN_E_CONFLICT,
                   _("another command has changed this entry in the meantime"));
    return psn_hint(err, PSN_E_CONFLICT, _("run the command again"));
}

static enum psn_code read_version(struct psn_vault *vault, const struct psn_row_key *key,
                                  uint64_t number, const struct psn_secret *data_key,
                                  struct psn_version *ret_version,
                                  struct psn_secret **ret_value, uint64_t *ret_revision,
                                  struct psn_error *err)
{
    PSN_AUTO(psn_secret) *plain = NULL;
    enum psn_code rc = psn_row_get_secret(vault, PSN_TABLE_VERSION, key, data_key, &plain,
                                          ret_revision, err);

    return rc ? rc : decode(plain, number, ret_version, ret_value, err);
}

enum psn_code psn_version_get(struct psn_vault *vault, const char *client,
                              const char *address, const char *label, uint64_t number,
                              struct psn_version *ret_version,
                              struct psn_secret **ret_value, struct psn_error *err)
{
    const struct psn_secret *data_key;
    struct psn_row_key key;
    uint64_t revision;
    enum psn_code rc = psn_client_data_key(vault, client, &data_key, err);

    if (!rc)
        rc = psn_version_key(vault, address, label, number, &key, err);
    return rc ? rc
              : read_version(vault, &key, number, data_key, ret_version, ret_value,
                             &revision, err);
}

enum psn_code psn_version_next(struct psn_vault *vault, const char *client,
                               const char *address, const char *label, uint64_t above,
                               uint64_t *ret_number, struct psn_error *err)
{
    uint64_t spent = 0;
    enum psn_code failed = psn_versions_spent(vault, &spent, err);

    if (failed)
        return failed;
    for (uint64_t number = (above > spent ? above : spent) + 1;; number++) {
        PSN_AUTO(psn_secret) *value = NULL;
        struct psn_version version;
        struct psn_error why = { 0 };
        enum psn_code rc = psn_version_get(vault, client, address, label, number,
                                           &version, &value, &why);

        if (rc == PSN_E_NOT_FOUND) {
            *ret_number = number;
            return PSN_OK;
        }
        if (rc) {
            if (err)
                *err = why;
            return rc;
        }
    }
}

enum psn_code psn_version_label(struct psn_vault *vault, const char *client,
                                const char *address, const char *label, uint64_t number,
                                enum psn_version_state state, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    const struct psn_secret *data_key;
    struct psn_version version;
    struct psn_row_key key;
    uint64_t revision;
    enum psn_code rc = psn_client_data_key(vault, client, &data_key, err);

    if (!rc)
        rc = psn_version_key(vault, address, label, number, &key, err);
    if (!rc)
        rc =
            read_version(vault, &key, number, data_key, &version, &value, &revision, err);
    if (rc)
        return rc;
    version.state = state;
    return write_version(vault, &key, revision + 1, data_key, &version, value, err);
}

enum psn_code psn_version_carry(struct psn_vault *vault, const char *client,
                                const char *address, const char *label,
                                const struct psn_version *version,
                                const struct psn_secret *value, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *known = NULL;
    const struct psn_secret *data_key;
    struct psn_version here;
    struct psn_row_key key;
    bool is_new = false;
    uint64_t revision = 0;
    enum psn_code rc = psn_client_data_key(vault, client, &data_key, err);

    if (!rc)
        rc = psn_version_key(vault, address, label, version->number, &key, err);
    if (!rc)
        rc = psn_allow(PSN_E_NOT_FOUND,
                       read_version(vault, &key, version->number, data_key, &here, &known,
                                    &revision, err),
                       &is_new, err);
    if (rc)
        return rc;
    if (is_new)
        return write_version(vault, &key, 1, data_key, version, value, err);
    if (here.state == version->state)
        return PSN_OK;
    here.state = version->state;
    return write_version(vault, &key, revision + 1, data_key, &here, known, err);
}

enum psn_code psn_version_scan(struct psn_vault *vault, const char *client,
                               const char *address, const char *label,
                               psn_version_value_fn *each, void *arg,
                               struct psn_error *err)
{
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    const struct psn_secret *data_key;
    struct psn_row_key prefix;
    bool found = true;
    enum psn_code rc = psn_client_data_key(vault, client, &data_key, err);

    if (!rc)
        rc = secret_key(vault, PSN_TABLE_VERSION, address, label, &prefix, err);
    if (!rc)
        rc = psn_store_scan_open(vault->store, PSN_TABLE_VERSION, prefix.bytes,
                                 prefix.size, &scan, err);
    while (!rc) {
        PSN_AUTO(psn_secret) *plain = NULL;
        PSN_AUTO(psn_secret) *value = NULL;
        struct psn_version version;

        rc = psn_store_scan_next(scan, &row, &found, err);
        if (rc || !found)
            break;
        rc = psn_row_open_secret(vault, PSN_TABLE_VERSION, &row, data_key, &plain, err);
        if (!rc)
            rc = decode(plain, get_number(row.key + row.key_size - 8, 8), &version,
                        &value, err);
        if (!rc)
            rc = each(arg, &version, value, err);
    }
    return rc;
}

enum psn_code psn_version_delete_all(struct psn_vault *vault, const char *address,
                                     struct psn_error *err)
{
    static const enum psn_table tables[] = { PSN_TABLE_VERSION, PSN_TABLE_SECRET,
                                             PSN_TABLE_EXPOSURE };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++) {
        struct psn_row_key prefix;

        rc = psn_row_key_init(vault, tables[i], address, &prefix, err);
        if (!rc)
            rc = psn_row_delete_all(vault, tables[i], &prefix, err);
    }
    return rc ? rc : psn_grant_delete_of(vault, address, err);
}
