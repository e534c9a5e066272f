#include "core/restored_client.h"

#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "core/client.h"
#include "core/issue.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/role.h"
#include "core/version.h"

struct carrying {
    struct psn_vault *from;
    struct psn_vault *to;
    size_t count;
    size_t left;
};

/* --- clients --- */

/* As it stands there: under the same place, sealed with the data key it has here. */
static enum psn_code put_secret(const struct carrying *at,
                                const struct psn_store_row *row,
                                const struct psn_secret *keys[2], struct psn_error *err)
{
    PSN_AUTO(psn_secret) *plain = NULL;
    struct psn_row_key key = { .size = row->key_size };
    enum psn_code rc =
        psn_row_open_secret(at->from, PSN_TABLE_CREDENTIAL, row, keys[0], &plain, err);

    memcpy(key.bytes, row->key, row->key_size);
    return rc ? rc
              : psn_row_put(at->to, PSN_TABLE_CREDENTIAL, &key, 1, keys[1],
                            psn_secret_bytes(plain), psn_secret_size(plain), err);
}

/* The credentials, the handover and the envelope. */
static enum psn_code replace_secrets(const struct carrying *at, const char *client,
                                     struct psn_error *err)
{
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    const struct psn_secret *keys[2];
    struct psn_row_key prefix;
    bool found = true;
    enum psn_code rc = psn_client_data_key(at->from, client, &keys[0], err);

    if (!rc)
        rc = psn_client_data_key(at->to, client, &keys[1], err);
    if (!rc)
        rc = psn_row_key_init(at->to, PSN_TABLE_CREDENTIAL, client, &prefix, err);
    if (!rc)
        rc = psn_row_delete_all(at->to, PSN_TABLE_CREDENTIAL, &prefix, err);
    if (!rc)
        rc = psn_store_scan_open(at->from->store, PSN_TABLE_CREDENTIAL, prefix.bytes,
                                 prefix.size, &scan, err);
    while (!rc && found) {
        rc = psn_store_scan_next(scan, &row, &found, err);
        if (!rc && found)
            rc = put_secret(at, &row, keys, err);
    }
    return rc;
}

/* *ret_found: both vaults have it. */
static enum psn_code read_client(struct psn_vault *vault, const char *id,
                                 struct psn_client *ret_client, bool *ret_found,
                                 struct psn_error *err)
{
    struct psn_error why = { 0 };
    enum psn_code rc = psn_client_read(vault, id, ret_client, &why);

    *ret_found = rc == PSN_OK;
    return rc && rc != PSN_E_NOT_FOUND ? psn_fail(err, rc, "%s", why.message) : PSN_OK;
}

static enum psn_code carry_client(void *arg, const char *id, struct psn_error *err)
{
    struct carrying *at = arg;
    struct psn_client there = psn_client_init();
    bool found;
    enum psn_code rc = read_client(at->from, id, &there, &found, err);

    at->count += !rc && !found;
    if (!rc && found)
        rc = psn_client_put_keys(at->to, &there, NULL, err);
    if (!rc && found)
        rc = psn_client_put_owner(at->to, &there, err);
    if (!rc && found)
        rc = replace_secrets(at, id, err);
    psn_client_release(&there);
    return rc;
}

enum psn_code psn_restored_clients(struct psn_vault *from, struct psn_vault *to,
                                   size_t *ret_back, struct psn_error *err)
{
    struct carrying at = { .from = from, .to = to };
    enum psn_code rc = psn_client_ids(to, carry_client, &at, err);

    *ret_back = at.count;
    return rc;
}

/* --- secrets that hang on a mailbox --- */

struct comparing {
    struct carrying *at;
    const struct psn_role_row *role; /* here */
};

/* revision 0: it is not here. */
static enum psn_code find_item(struct psn_vault *vault, const char *client,
                               const struct psn_secret_info *info,
                               struct psn_item *ret_item, struct psn_error *err)
{
    struct psn_error why = { 0 };
    enum psn_code rc =
        psn_item_read_of(vault, client, info->address, info->label, ret_item, &why);

    if (rc == PSN_E_NOT_FOUND) {
        *ret_item = (struct psn_item){ .revision = 0 };
        return PSN_OK;
    }
    return rc ? psn_fail(err, rc, "%s", why.message) : PSN_OK;
}

static uint64_t newest(const struct psn_secret_info *info)
{
    return info->version > info->replacement ? info->version : info->replacement;
}

/* A version that is here keeps its bytes, and gets the state that it has there. */
static enum psn_code carry_version(const struct comparing *comparing,
                                   const struct psn_item *item, uint64_t number,
                                   bool is_here, struct psn_error *err)
{
    const struct carrying *at = comparing->at;
    const char *address = item->info.address;
    const char *label = item->info.label;
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_version version;
    enum psn_code rc = psn_version_get(at->from, comparing->role->client, address, label,
                                       number, &version, &value, err);

    if (rc)
        return rc;
    return is_here ? psn_version_label(at->to, comparing->role->client, address, label,
                                       number, version.state, err)
                   : psn_version_put(at->to, comparing->role->client, address, label,
                                     number, version.state, value, err);
}

static enum psn_code carry_item(void *arg, const struct psn_secret_info *info,
                                struct psn_error *err)
{
    const struct comparing *comparing = arg;
    struct carrying *at = comparing->at;
    const char *client = comparing->role->client;
    struct psn_item there;
    struct psn_item here = { .revision = 0 };
    enum psn_code rc =
        psn_item_read_of(at->from, client, info->address, info->label, &there, err);

    if (!rc)
        rc = find_item(at->to, client, info, &here, err);
    if (rc || newest(&here.info) >= newest(&there.info))
        return rc;
    for (uint64_t number = 1; !rc && number <= newest(&there.info); number++)
        rc = carry_version(comparing, &there, number, number <= newest(&here.info), err);
    there.revision = here.revision;
    if (!rc)
        rc = psn_item_put(at->to, &there, err);
    at->count++;
    return rc ? rc
              : psn_journal_note(at->to, client,
                                 &(struct psn_note){ .event = "secret.taken-over",
                                                     .subject = info->address,
                                                     .label = info->label,
                                                     .version = there.info.version },
                                 err);
}

static enum psn_code carry_items(void *arg, const struct psn_role_row *there,
                                 struct psn_error *err)
{
    struct carrying *at = arg;
    struct psn_role_row here;
    struct comparing comparing = { at, &here };
    struct psn_error why = { 0 };
    enum psn_code rc = psn_role_read(at->to, there->address, &here, &why);

    if (rc == PSN_E_NOT_FOUND || (!rc && strcmp(here.client, there->client) != 0)) {
        at->left++;
        return PSN_OK;
    }
    return rc ? psn_fail(err, rc, "%s", why.message)
              : psn_item_each_all(at->from, there->address, carry_item, &comparing, err);
}

enum psn_code psn_restored_secrets(struct psn_vault *from, struct psn_vault *to,
                                   size_t *ret_count, size_t *ret_left,
                                   struct psn_error *err)
{
    struct carrying at = { .from = from, .to = to };
    enum psn_code rc = psn_role_scan(from, NULL, 0, carry_items, &at, err);

    *ret_count = at.count;
    *ret_left = at.left;
    return rc;
}

/* --- issues --- */

static enum psn_code carry_issue(void *arg, const struct psn_store_row *row,
                                 const struct psn_buf *plain, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) here = psn_buf_init_wiped(PSN_ISSUE_RECORD_MAX);
    struct psn_vault *to = arg;
    struct psn_row_key key = { .size = row->key_size };
    uint64_t revision = 0;
    enum psn_code rc;

    memcpy(key.bytes, row->key, row->key_size);
    rc = psn_row_find(to, PSN_TABLE_ISSUE, &key, to->rows_key, &here, &revision, err);
    return rc ? rc
              : psn_row_put(to, PSN_TABLE_ISSUE, &key, revision + 1, to->rows_key,
                            plain->data, plain->size, err);
}

enum psn_code psn_restored_issues(struct psn_vault *from, struct psn_vault *to,
                                  struct psn_error *err)
{
    return psn_row_each(from, PSN_TABLE_ISSUE, NULL, from->rows_key, carry_issue, to,
                        err);
}
