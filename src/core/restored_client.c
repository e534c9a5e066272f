#include <string.h>

#include "base/allow.h"
#include "base/limits.h"
#include "core/client.h"
#include "core/issue.h"
#include "core/journal.h"
#include "core/restored_part.h"

/* --- clients --- */

/* The credentials, the handover and the envelope. */
static enum psn_code replace_secrets(const struct psn_carrying *at, const char *client,
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
            rc = psn_restored_put_row(at, PSN_TABLE_CREDENTIAL, &row, keys, 1, err);
    }
    return rc;
}

static enum psn_code carry_known(void *arg, const char *id, struct psn_error *err)
{
    const struct psn_carrying *at = arg;
    struct psn_client there = psn_client_init();
    bool is_gone;
    enum psn_code rc = psn_allow(
        PSN_E_NOT_FOUND, psn_client_read(at->from, id, &there, err), &is_gone, err);

    at->carried->clients_back += is_gone;
    if (!rc && !is_gone)
        rc = psn_client_put_keys(at->to, &there, NULL, err);
    if (!rc && !is_gone)
        rc = psn_client_put_owner(at->to, &there, err);
    if (!rc && !is_gone)
        rc = replace_secrets(at, id, err);
    psn_client_release(&there);
    return rc;
}

/* A domain that is somebody else's here may be in dispute: nothing is decided then. */
static enum psn_code has_free_domains(struct psn_vault *vault,
                                      const struct psn_client *client, bool *ret_free,
                                      struct psn_error *err)
{
    char owner[PSN_CLIENT_ID_MAX];
    enum psn_code rc = PSN_OK;

    *ret_free = true;
    for (size_t i = 0; !rc && *ret_free && i < client->domain_count; i++)
        rc = psn_allow(PSN_E_NOT_FOUND,
                       psn_client_of_domain(vault, client->domains[i], owner, err),
                       ret_free, err);
    return rc;
}

static enum psn_code carry_new(void *arg, const char *id, struct psn_error *err)
{
    const struct psn_carrying *at = arg;
    struct psn_client there = psn_client_init();
    struct psn_client here = psn_client_init();
    bool is_new;
    bool is_free = false;
    enum psn_code rc =
        psn_allow(PSN_E_NOT_FOUND, psn_client_read(at->to, id, &here, err), &is_new, err);

    psn_client_release(&here);
    if (!rc && is_new)
        rc = psn_client_read(at->from, id, &there, err);
    if (!rc && is_new)
        rc = has_free_domains(at->to, &there, &is_free, err);
    if (!rc && is_free)
        rc = psn_client_copy(at->to, &there, err);
    if (!rc && is_free)
        rc = replace_secrets(at, id, err);
    if (!rc && is_free)
        rc = psn_journal_copy(at->from, at->to, id, NULL, err);
    at->carried->clients += !rc && is_free;
    psn_client_release(&there);
    return rc;
}

enum psn_code psn_restored_clients(struct psn_carrying *at, struct psn_error *err)
{
    enum psn_code rc = psn_client_ids(at->to, carry_known, at, err);

    return rc ? rc : psn_client_ids(at->from, carry_new, at, err);
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

enum psn_code psn_restored_issues(struct psn_carrying *at, struct psn_error *err)
{
    return psn_row_each(at->from, PSN_TABLE_ISSUE, NULL, at->from->rows_key, carry_issue,
                        at->to, err);
}
