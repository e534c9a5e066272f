#include "core/credential_due.h"

#include <string.h>

#include "base/allow.h"
#include "base/limits.h"
#include "core/client.h"
#include "core/credential.h"
#include "core/record.h"

/*
 * A client stays on the list until the credential of its daily work is another one. A key
 * that was asked for, and waits, replaces nothing yet.
 */
enum {
    TAG_CLIENTS = 1, /* each id followed by a NUL */
    TAG_MAX = 1,
};

static enum psn_code read_list(struct psn_vault *vault, struct psn_buf *ids,
                               uint64_t *ret_revision, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    struct psn_record record;
    const uint8_t *bytes;
    size_t size;
    enum psn_code rc =
        psn_row_key_init(vault, PSN_TABLE_OWN_KEY, PSN_DUE_NAME, &key, err);

    *ret_revision = 0;
    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_OWN_KEY, &key, vault->rows_key, &plain,
                          ret_revision, err);
    if (rc || *ret_revision == 0)
        return rc;
    rc = psn_record_parse(&plain, TAG_MAX, &record, err);
    if (rc)
        return rc;
    if (psn_record_bytes(&record, TAG_CLIENTS, &bytes, &size) && size &&
        bytes[size - 1] == '\0')
        psn_buf_bytes(ids, bytes, size);
    return psn_buf_check(ids, err);
}

/* Is there a credential, and which revision is it? Zero: none. */
static enum psn_code credential_revision(struct psn_vault *vault, const char *client,
                                         uint64_t *ret_revision, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_row_key key;
    bool is_none = true;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_CREDENTIAL, client, &key, err);

    *ret_revision = 0;
    if (!rc)
        rc = psn_allow(PSN_E_NOT_FOUND,
                       psn_store_get(vault->store, PSN_TABLE_CREDENTIAL, key.bytes,
                                     key.size, &row, err),
                       &is_none, err);
    if (!rc && !is_none)
        *ret_revision = row.revision;
    return rc;
}

enum psn_code psn_due_credential_list(struct psn_vault *vault,
                                      psn_due_credential_fn *each, void *arg,
                                      struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) ids = psn_buf_init(PSN_RECORD_MAX);
    uint64_t revision;
    enum psn_code rc = read_list(vault, &ids, &revision, err);

    for (size_t at = 0; !rc && at < ids.size;) {
        const char *id = (const char *)ids.data + at;

        rc = credential_revision(vault, id, &revision, err);
        if (!rc && revision > 0)
            rc = each(arg, id, err);
        at += strlen(id) + 1;
    }
    return rc;
}

enum psn_code psn_due_credential_each(struct psn_vault *vault,
                                      psn_due_credential_fn *each, void *arg,
                                      struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(vault, psn_due_credential_list(vault, each, arg, err), err);
}

struct collecting {
    struct psn_vault *vault;
    struct psn_buf *ids;
};

static enum psn_code collect(void *arg, const char *id, struct psn_error *err)
{
    struct collecting *list = arg;

    psn_buf_bytes(list->ids, id, strlen(id) + 1);
    return psn_buf_check(list->ids, err);
}

/* A key that waits for the owner is the leaver's too: nobody may approve it any more. */
static enum psn_code forget_asked(struct psn_vault *vault, const char *id,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_credentials) all = { 0 };
    struct psn_client client = psn_client_init();
    bool waits = false;
    enum psn_code rc = psn_credentials_get(vault, id, &all, err);

    for (size_t use = 0; !rc && use < PSN_KEY_USES; use++) {
        waits = waits || all.asked[use].credential.consumer_key;
        psn_ovh_credential_release(&all.asked[use].credential);
        all.asked[use].url[0] = '\0';
    }
    if (rc || !waits)
        return rc;
    rc = psn_client_read(vault, id, &client, err);
    for (size_t use = 0; !rc && use < PSN_KEY_USES; use++)
        client.keys.asked_s[use] = 0;
    if (!rc)
        rc = psn_client_put_keys(vault, &client, &all, err);
    psn_client_release(&client);
    return rc;
}

static enum psn_code collect_linked(void *arg, const char *id, struct psn_error *err)
{
    struct collecting *list = arg;
    uint64_t revision;
    enum psn_code rc = credential_revision(list->vault, id, &revision, err);

    if (rc || revision == 0)
        return rc;
    rc = forget_asked(list->vault, id, err);
    return rc ? rc : collect(arg, id, err);
}

static enum psn_code write_list(struct psn_vault *vault, const struct psn_buf *ids,
                                uint64_t revision, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc =
        psn_row_key_init(vault, PSN_TABLE_OWN_KEY, PSN_DUE_NAME, &key, err);

    psn_record_begin(&plain);
    if (ids->size > 0)
        psn_record_put_bytes(&plain, TAG_CLIENTS, ids->data, ids->size);
    if (!rc)
        rc = psn_buf_check(&plain, err);
    return rc ? rc
              : psn_row_put(vault, PSN_TABLE_OWN_KEY, &key, revision, vault->rows_key,
                            plain.data, plain.size, err);
}

enum psn_code psn_due_carry(struct psn_vault *from, struct psn_vault *to, bool all,
                            struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) ids = psn_buf_init(PSN_RECORD_MAX);
    PSN_AUTO_RELEASE(psn_buf) copied = psn_buf_init(PSN_RECORD_MAX);
    struct collecting list = { to, &ids };
    uint64_t revision = 0;
    enum psn_code rc = read_list(to, &copied, &revision, err);

    if (!rc)
        rc = all ? psn_client_ids(from, collect_linked, &list, err)
                 : psn_due_credential_list(from, collect, &list, err);
    if (rc || (ids.size == 0 && revision == 0))
        return rc;
    return write_list(to, &ids, revision + 1, err);
}

static enum psn_code keep_others(const struct psn_buf *ids, const char *client,
                                 struct psn_buf *others, struct psn_error *err)
{
    for (size_t at = 0; at < ids->size;) {
        const char *id = (const char *)ids->data + at;
        size_t size = strlen(id) + 1;

        if (strcmp(id, client) != 0)
            psn_buf_bytes(others, id, size);
        at += size;
    }
    return psn_buf_check(others, err);
}

enum psn_code psn_due_settle(struct psn_vault *vault, const char *client,
                             struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) ids = psn_buf_init(PSN_RECORD_MAX);
    PSN_AUTO_RELEASE(psn_buf) others = psn_buf_init(PSN_RECORD_MAX);
    uint64_t revision;
    enum psn_code rc = read_list(vault, &ids, &revision, err);

    if (!rc)
        rc = keep_others(&ids, client, &others, err);
    return rc || others.size == ids.size ? rc
                                         : write_list(vault, &others, revision + 1, err);
}
