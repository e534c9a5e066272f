#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/client.h"
#include "core/item.h"
#include "core/record.h"
#include "core/recovery.h"

/* What hangs on a role beside its own password. A row under the client's data key
 * describes the secret; its values are versions. */
enum {
    TAG_ADDRESS = 1,
    TAG_LABEL = 2,
    TAG_TYPE = 3,
    TAG_USER = 4,
    TAG_URL = 5,
    TAG_NOTE = 6,
    TAG_EXPIRES = 7,
    TAG_VERSION = 8,
    TAG_CREATED = 9,
    TAG_CHANGED = 10,
    TAG_HIDDEN = 11,
    TAG_REPLACEMENT = 12,
    TAG_CODES_USED = 13,
    TAG_UNCHANGEABLE = 14,
    TAG_UNCHANGEABLE_BY = 15,
    TAG_MAX = 15,
    LABEL_PRF = 8,
};

static enum psn_code item_key(struct psn_vault *vault, const char *address,
                              const char *label, struct psn_row_key *ret_key,
                              struct psn_error *err)
{
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_SECRET, address, ret_key, err);

    return rc ? rc
              : psn_row_key_add_prf(vault, PSN_TABLE_SECRET, label, LABEL_PRF, ret_key,
                                    err);
}

enum psn_code psn_item_put(struct psn_vault *vault, const struct psn_item *item,
                           struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    const struct psn_secret_info *info = &item->info;
    const struct psn_secret *data_key;
    struct psn_row_key key;
    enum psn_code rc = item_key(vault, info->address, info->label, &key, err);

    psn_record_begin(&plain);
    psn_record_put_text(&plain, TAG_ADDRESS, info->address);
    psn_record_put_text(&plain, TAG_LABEL, info->label);
    psn_record_put_text(&plain, TAG_TYPE, info->type);
    psn_record_put_text(&plain, TAG_USER, info->user);
    psn_record_put_text(&plain, TAG_URL, info->url);
    psn_record_put_text(&plain, TAG_NOTE, info->note);
    psn_record_put_text(&plain, TAG_EXPIRES, info->expires);
    psn_record_put_number(&plain, TAG_VERSION, info->version);
    psn_record_put_number(&plain, TAG_CREATED, (uint64_t)info->created_s);
    psn_record_put_number(&plain, TAG_CHANGED, (uint64_t)info->changed_s);
    psn_record_put_number(&plain, TAG_HIDDEN, info->hidden);
    psn_record_put_number(&plain, TAG_REPLACEMENT, info->replacement);
    psn_recovery_put_marks(&plain, TAG_CODES_USED, info);
    psn_record_put_text(&plain, TAG_UNCHANGEABLE, info->unchangeable);
    psn_record_put_text(&plain, TAG_UNCHANGEABLE_BY, info->unchangeable_by);
    if (!rc)
        rc = psn_buf_check(&plain, err);
    if (!rc)
        rc = psn_client_data_key(vault, item->client, &data_key, err);
    return rc ? rc
              : psn_row_put(vault, PSN_TABLE_SECRET, &key, item->revision + 1, data_key,
                            plain.data, plain.size, err);
}

enum psn_code psn_item_decode(const struct psn_buf *plain, struct psn_secret_info *info,
                              struct psn_error *err)
{
    struct psn_record record;
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    if (rc)
        return rc;
    if (!psn_record_text(&record, TAG_ADDRESS, info->address, sizeof info->address) ||
        !psn_record_text(&record, TAG_LABEL, info->label, sizeof info->label) ||
        !psn_record_text(&record, TAG_TYPE, info->type, sizeof info->type) ||
        !psn_record_text(&record, TAG_USER, info->user, sizeof info->user) ||
        !psn_record_text(&record, TAG_URL, info->url, sizeof info->url) ||
        !psn_record_text(&record, TAG_NOTE, info->note, sizeof info->note) ||
        !psn_record_text(&record, TAG_EXPIRES, info->expires, sizeof info->expires) ||
        !psn_recovery_get_marks(&record, TAG_CODES_USED, info) ||
        !psn_record_text(&record, TAG_UNCHANGEABLE, info->unchangeable,
                         sizeof info->unchangeable) ||
        !psn_record_text(&record, TAG_UNCHANGEABLE_BY, info->unchangeable_by,
                         sizeof info->unchangeable_by))
        return psn_fail(err, PSN_E_INTEGRITY, _("the record of a secret is malformed"));
    info->version = psn_record_number(&record, TAG_VERSION);
    info->created_s = (int64_t)psn_record_number(&record, TAG_CREATED);
    info->changed_s = (int64_t)psn_record_number(&record, TAG_CHANGED);
    info->hidden = psn_record_number(&record, TAG_HIDDEN) != 0;
    info->replacement = psn_record_number(&record, TAG_REPLACEMENT);
    info->code_count = 0;
    return PSN_OK;
}

enum psn_code psn_item_fail_unknown(const char *address, const char *label,
                                    struct psn_error *err)
{
    char shown[128];

    (void)psn_fail(err, PSN_E_NOT_FOUND, _("%s has no secret '%s'"), address,
                   psn_text_shown(label, shown, sizeof shown));
    return psn_hint(err, PSN_E_NOT_FOUND, _("see them with: passation secret ls %s"),
                    address);
}

/* The mailbox's own password has no row of its own: the role's row says it all. */
static void describe_password(const struct psn_role_row *role,
                              struct psn_secret_info *info)
{
    *info = (struct psn_secret_info){ .version = role->rotation.cur,
                                      .created_s = role->created_s,
                                      .changed_s = role->changed_s };
    (void)snprintf(info->address, sizeof info->address, "%s", role->address);
    (void)snprintf(info->user, sizeof info->user, "%s", role->address);
}

enum psn_code psn_item_read_of(struct psn_vault *vault, const char *client,
                               const char *address, const char *label,
                               struct psn_item *ret_item, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    const struct psn_secret *data_key;
    struct psn_row_key key;
    enum psn_code rc = psn_client_data_key(vault, client, &data_key, err);

    (void)snprintf(ret_item->client, sizeof ret_item->client, "%s", client);
    if (!rc)
        rc = item_key(vault, address, label, &key, err);
    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_SECRET, &key, data_key, &plain,
                          &ret_item->revision, err);
    if (!rc && ret_item->revision == 0)
        return psn_item_fail_unknown(address, label, err);
    return rc ? rc : psn_item_decode(&plain, &ret_item->info, err);
}

enum psn_code psn_item_read(struct psn_vault *vault, const char *address,
                            const char *label, struct psn_item *ret_item,
                            struct psn_error *err)
{
    struct psn_role_row role;
    enum psn_code rc = psn_role_read(vault, address, &role, err);

    if (rc)
        return rc;
    if (label[0])
        return psn_item_read_of(vault, role.client, address, label, ret_item, err);
    (void)snprintf(ret_item->client, sizeof ret_item->client, "%s", role.client);
    describe_password(&role, &ret_item->info);
    return PSN_OK;
}

static enum psn_code get(struct psn_vault *vault, const char *address, const char *label,
                         struct psn_secret_info *ret_info, struct psn_error *err)
{
    struct psn_item item = { 0 };
    enum psn_code rc = psn_item_read(vault, address, label, &item, err);

    if (!rc)
        rc = psn_recovery_count(vault, item.client, &item.info, err);
    if (!rc)
        *ret_info = item.info;
    return rc;
}

enum psn_code psn_secret_get(struct psn_vault *vault, const char *address,
                             const char *label, struct psn_secret_info *ret_info,
                             struct psn_error *err)
{
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_role_begin(vault, PSN_STORE_READ, address, normal, err);

    return rc ? rc : psn_vault_end(vault, get(vault, normal, label, ret_info, err), err);
}
