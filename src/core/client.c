#include "core/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/client_check.h"
#include "core/client_domain.h"
#include "core/client_row.h"
#include "core/credential.h"
#include "core/journal.h"
#include "crypto/seal.h"

struct psn_client psn_client_init(void)
{
    return (struct psn_client){ .endpoint = "ovh-eu",
                                .limits = { .rate_per_min = 60,
                                            .settle_s = 600,
                                            .login_cache_s = INT64_C(61) * 60,
                                            .failed_logins = 3,
                                            .failed_logins_window_s = 300 } };
}

enum psn_code psn_client_add_domain(struct psn_client *client, const char *domain,
                                    struct psn_error *err)
{
    char normal[PSN_DOMAIN_NAME_MAX];
    enum psn_code rc = psn_client_check_domain(domain, normal, err);

    for (size_t i = 0; !rc && i < client->domain_count; i++)
        if (strcmp(client->domains[i], normal) == 0)
            return PSN_OK;
    return rc ? rc : psn_client_row_add_domain(client, normal, err);
}

/* --- the row --- */

enum psn_code psn_client_read(struct psn_vault *vault, const char *id,
                              struct psn_client *ret_client, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    uint64_t revision;
    enum psn_code rc = psn_client_row_read(vault, id, &plain, &revision, err);

    return rc ? rc : psn_client_row_decode(&plain, ret_client, err);
}

/* --- data keys --- */

static void key_ad(const struct psn_vault *vault, const char *id, struct psn_buf *out)
{
    psn_buf_text(out, "passation client key v1");
    psn_buf_bytes(out, vault->id, sizeof vault->id);
    psn_buf_text(out, id);
}

static enum psn_code new_key_box(const struct psn_vault *vault, const char *id,
                                 struct psn_buf *ret_box, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *key = NULL;
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(PSN_RECORD_MAX);
    enum psn_code rc = psn_kdf_random(&key, err);

    key_ad(vault, id, &ad);
    if (!rc)
        rc = psn_buf_check(&ad, err);
    return rc ? rc
              : psn_seal(vault->wrap_key, ad.data, ad.size, psn_secret_bytes(key),
                         psn_secret_size(key), ret_box, err);
}

/* Opens the box of a client's data key that is in its row, and tells where it is. */
static enum psn_code open_data_key(struct psn_vault *vault, const char *id,
                                   const struct psn_buf *plain, const uint8_t **ret_box,
                                   size_t *ret_size, struct psn_secret **ret_key,
                                   struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(PSN_RECORD_MAX);
    enum psn_code rc = psn_client_row_key_box(plain, ret_box, ret_size, err);

    key_ad(vault, id, &ad);
    if (!rc)
        rc = psn_buf_check(&ad, err);
    return rc ? rc
              : psn_unseal_secret(vault->wrap_key, ad.data, ad.size, *ret_box, *ret_size,
                                  ret_key, err);
}

static enum psn_code keep_data_key(struct psn_vault *vault, const char *id,
                                   const struct psn_buf *plain, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *key = NULL;
    const uint8_t *box;
    size_t size;
    enum psn_code rc = open_data_key(vault, id, plain, &box, &size, &key, err);

    if (rc)
        return rc;
    psn_secret_free(vault->client_key);
    vault->client_key = PSN_TAKE(key);
    (void)snprintf(vault->client_key_id, sizeof vault->client_key_id, "%s", id);
    return PSN_OK;
}

enum psn_code psn_client_data_key(struct psn_vault *vault, const char *id,
                                  const struct psn_secret **ret_key,
                                  struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (!vault->client_key || strcmp(vault->client_key_id, id) != 0) {
        PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
        uint64_t revision;

        rc = psn_client_row_read(vault, id, &plain, &revision, err);
        if (!rc)
            rc = keep_data_key(vault, id, &plain, err);
    }
    if (!rc)
        *ret_key = vault->client_key;
    return rc;
}

/* --- add and set --- */

enum psn_code psn_client_copy(struct psn_vault *to, const struct psn_client *client,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) key_box = psn_buf_init(256);
    enum psn_code rc = new_key_box(to, client->id, &key_box, err);

    if (!rc)
        rc = psn_client_row_put(to, client, 1, key_box.data, key_box.size, err);
    return rc ? rc : psn_client_domains_put(to, client, err);
}

enum psn_code psn_client_insert(struct psn_vault *vault, const struct psn_client *client,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) key_box = psn_buf_init(256);
    struct psn_error cause = { 0 };
    struct psn_client made = *client;
    enum psn_code rc = new_key_box(vault, client->id, &key_box, err);

    made.created_s = vault->world.now_s();
    made.linked = false;
    made.linked_nic[0] = '\0';
    made.key_expires_s = 0;
    made.keys = (struct psn_client_keys){ 0 };
    made.owner[0] = '\0';
    made.handover_s = made.envelope_s = 0;
    if (rc)
        return rc;
    rc = psn_client_row_put(vault, &made, 1, key_box.data, key_box.size, &cause);
    if (rc == PSN_E_EXISTS)
        return psn_fail(err, rc, _("the client '%s' exists already"), client->id);
    if (rc && err)
        *err = cause;
    if (!rc)
        rc = psn_client_domains_put(vault, client, err);
    if (!rc)
        rc = psn_journal_note(vault, NULL,
                              &(struct psn_note){ .event = "client.added",
                                                  .subject = client->id,
                                                  .text = client->nic },
                              err);
    return rc;
}

enum psn_code psn_client_add(struct psn_vault *vault, const struct psn_client *client,
                             struct psn_error *err)
{
    struct psn_client checked = *client;
    enum psn_code rc = psn_client_check(&checked, err);

    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    return rc ? rc : psn_vault_end(vault, psn_client_insert(vault, &checked, err), err);
}

/* Writes a changed client over its old row, whose data key stays: one that does not open
 * is not written on, for all that is under it would be lost. */
static enum psn_code replace(struct psn_vault *vault, const struct psn_client *client,
                             uint64_t revision, const struct psn_buf *old_plain,
                             struct psn_error *err)
{
    PSN_AUTO(psn_secret) *key = NULL;
    const uint8_t *box;
    size_t size;
    enum psn_code rc =
        open_data_key(vault, client->id, old_plain, &box, &size, &key, err);

    if (rc)
        return rc;
    return psn_client_row_put(vault, client, revision + 1, box, size, err);
}

static enum psn_code set(struct psn_vault *vault, const struct psn_client *client,
                         struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_client old;
    struct psn_client new = *client;
    uint64_t revision;
    bool same;
    enum psn_code rc = psn_client_row_read(vault, client->id, &plain, &revision, err);

    if (!rc)
        rc = psn_client_row_decode(&plain, &old, err);
    if (rc)
        return rc;
    same = strcmp(old.endpoint, new.endpoint) == 0;
    new.created_s = old.created_s;
    new.linked = old.linked &&same;
    memcpy(new.owner, old.owner, sizeof new.owner);
    new.handover_s = old.handover_s;
    new.envelope_s = old.envelope_s;
    new.keys = same ? old.keys : (struct psn_client_keys){ 0 };
    new.key_expires_s = new.linked ? old.key_expires_s : 0;
    (void)snprintf(new.linked_nic, sizeof new.linked_nic, "%s",
                   new.linked ? old.linked_nic : "");
    rc = psn_client_domains_move(vault, &old, &new, err);
    psn_client_release(&old);
    if (!rc)
        rc = replace(vault, &new, revision, &plain, err);
    if (!rc)
        rc = psn_journal_note(
            vault, NULL,
            &(struct psn_note){ .event = "client.changed", .subject = client->id }, err);
    return rc;
}

enum psn_code psn_client_set(struct psn_vault *vault, const struct psn_client *client,
                             struct psn_error *err)
{
    struct psn_client checked = *client;
    enum psn_code rc = psn_client_check(&checked, err);

    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    return rc ? rc : psn_vault_end(vault, set(vault, &checked, err), err);
}

/* --- reading --- */

enum psn_code psn_client_get(struct psn_vault *vault, const char *id,
                             struct psn_client *ret_client, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(vault, psn_client_read(vault, id, ret_client, err), err);
}

struct client_list {
    struct psn_client *items;
    size_t count;
};

static enum psn_code collect(void *arg, const struct psn_store_row *row,
                             const struct psn_buf *plain, struct psn_error *err)
{
    struct client_list *list = arg;
    enum psn_code rc = PSN_GROW(list->items, list->count, err);

    (void)row;
    if (!rc)
        rc = psn_client_row_decode(plain, &list->items[list->count], err);
    if (!rc)
        list->count++;
    return rc;
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(((const struct psn_client *)a)->id, ((const struct psn_client *)b)->id);
}

static enum psn_code list_clients(struct psn_vault *vault, struct client_list *list,
                                  struct psn_error *err)
{
    enum psn_code rc =
        psn_row_each(vault, PSN_TABLE_CLIENT, NULL, vault->rows_key, collect, list, err);

    if (!rc && list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare_ids);
    return rc;
}

static void release_list(struct client_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        psn_client_release(&list->items[i]);
    free(list->items);
}

struct scanning {
    psn_client_fn *each;
    void *arg;
};

static enum psn_code scan_one(void *arg, const struct psn_store_row *row,
                              const struct psn_buf *plain, struct psn_error *err)
{
    struct scanning *scanning = arg;
    struct psn_client client = { 0 };
    enum psn_code rc = psn_client_row_decode(plain, &client, err);

    (void)row;
    if (!rc)
        rc = scanning->each(scanning->arg, &client, err);
    psn_client_release(&client);
    return rc;
}

enum psn_code psn_client_scan(struct psn_vault *vault, psn_client_fn *each, void *arg,
                              struct psn_error *err)
{
    struct scanning scanning = { each, arg };

    return psn_row_each(vault, PSN_TABLE_CLIENT, NULL, vault->rows_key, scan_one,
                        &scanning, err);
}

enum psn_code psn_client_ids(struct psn_vault *vault, psn_client_id_fn *each, void *arg,
                             struct psn_error *err)
{
    struct client_list list = { 0 };
    enum psn_code rc = list_clients(vault, &list, err);

    for (size_t i = 0; !rc && i < list.count; i++)
        rc = each(arg, list.items[i].id, err);
    release_list(&list);
    return rc;
}

enum psn_code psn_client_each(struct psn_vault *vault, psn_client_fn *each, void *arg,
                              struct psn_error *err)
{
    struct client_list list = { 0 };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, list_clients(vault, &list, err), err);
    for (size_t i = 0; !rc && i < list.count; i++)
        rc = each(arg, &list.items[i], err);
    release_list(&list);
    return rc;
}

/* --- the link --- */

enum psn_code psn_client_put_link(struct psn_vault *vault, const char *id,
                                  const struct psn_link *link,
                                  const struct psn_ovh_credential *credential,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_client client;
    uint64_t revision;
    enum psn_code rc = psn_client_row_read(vault, id, &plain, &revision, err);

    if (!rc)
        rc = psn_client_row_decode(&plain, &client, err);
    if (rc)
        return rc;
    client.linked = true;
    client.key_expires_s = link->expires_s;
    client.keys.is_account = link->is_account;
    (void)snprintf(client.linked_nic, sizeof client.linked_nic, "%s", link->nic);
    rc = replace(vault, &client, revision, &plain, err);
    psn_client_release(&client);
    return rc ? rc : psn_credential_put(vault, id, credential, err);
}

enum psn_code psn_client_put_keys(struct psn_vault *vault, const struct psn_client *facts,
                                  const struct psn_credentials *all,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_client client;
    uint64_t revision;
    enum psn_code rc = psn_client_row_read(vault, facts->id, &plain, &revision, err);

    if (!rc)
        rc = psn_client_row_decode(&plain, &client, err);
    if (rc)
        return rc;
    client.linked = facts->linked;
    client.key_expires_s = facts->key_expires_s;
    client.keys = facts->keys;
    memcpy(client.linked_nic, facts->linked_nic, sizeof client.linked_nic);
    rc = replace(vault, &client, revision, &plain, err);
    psn_client_release(&client);
    return rc || !all ? rc : psn_credentials_put(vault, facts->id, all, err);
}

/* --- what it has --- */

enum psn_code psn_client_put_domain(struct psn_vault *vault, const char *id,
                                    const char *domain, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_client client = psn_client_init();
    uint64_t revision;
    enum psn_code rc = psn_client_row_read(vault, id, &plain, &revision, err);

    if (!rc)
        rc = psn_client_row_decode(&plain, &client, err);
    if (!rc)
        rc = psn_client_row_add_domain(&client, domain, err);
    if (!rc)
        rc = psn_client_domain_put(vault, domain, id, err);
    if (!rc)
        rc = replace(vault, &client, revision, &plain, err);
    psn_client_release(&client);
    return rc;
}

/* --- whom it belongs to --- */

enum psn_code psn_client_put_owner(struct psn_vault *vault,
                                   const struct psn_client *facts, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_client client;
    uint64_t revision;
    enum psn_code rc = psn_client_row_read(vault, facts->id, &plain, &revision, err);

    if (!rc)
        rc = psn_client_row_decode(&plain, &client, err);
    if (rc)
        return rc;
    memcpy(client.owner, facts->owner, sizeof client.owner);
    client.handover_s = facts->handover_s;
    client.envelope_s = facts->envelope_s;
    rc = replace(vault, &client, revision, &plain, err);
    psn_client_release(&client);
    return rc;
}
