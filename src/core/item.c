#include "core/item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/client.h"
#include "core/counters.h"
#include "core/departure_returned.h"
#include "core/document_form.h"
#include "core/exposure.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/record.h"
#include "core/recovery.h"
#include "core/version.h"
#include "crypto/generate.h"

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

/* --- the row --- */

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

static enum psn_code fail_unknown(const char *address, const char *label,
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
        return fail_unknown(address, label, err);
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

/* --- changes --- */

enum psn_code psn_item_begin(struct psn_vault *vault, const char *address,
                             const char *label, char ret_address[PSN_ADDRESS_TEXT_MAX],
                             struct psn_error *err)
{
    enum psn_code rc = psn_role_normalize(address, ret_address, err);

    if (!rc)
        rc = psn_item_check_label(label, err);
    return rc ? rc : psn_vault_begin(vault, PSN_STORE_WRITE, err);
}

static enum psn_code note(struct psn_vault *vault, const struct psn_item *item,
                          const char *event, struct psn_error *err)
{
    return psn_journal_note(vault, item->client,
                            &(struct psn_note){ .event = event,
                                                .subject = item->info.address,
                                                .label = item->info.label,
                                                .version = item->info.version,
                                                .text = item->info.type },
                            err);
}

/* The value that was given becomes the current version, and its giver has seen it. */
static enum psn_code put_value(struct psn_vault *vault, const struct psn_item *item,
                               const struct psn_secret *value, struct psn_error *err)
{
    const struct psn_secret_info *info = &item->info;
    enum psn_code rc = psn_version_put(vault, item->client, info->address, info->label,
                                       info->version, PSN_VERSION_CURRENT, value, err);

    return rc ? rc
              : psn_exposure_put(vault, info->address, info->label, info->version,
                                 PSN_HOW_TYPED, err);
}

/* Whoever has seen the same value before knows it under this number, too. */
static struct psn_coming coming_of(const struct psn_item *item,
                                   const struct psn_secret *value)
{
    return (struct psn_coming){ .client = item->client,
                                .address = item->info.address,
                                .label = item->info.label,
                                .version = item->info.version,
                                .value = value };
}

enum psn_code psn_item_insert(struct psn_vault *vault, const struct psn_secret_info *info,
                              const struct psn_secret *value,
                              struct psn_forgotten_list *forgotten, struct psn_error *err)
{
    struct psn_item item = { .info = *info };
    struct psn_role_row role;
    enum psn_code rc = psn_item_check_free(vault, info, &role, err);

    if (!rc)
        rc = psn_versions_after(vault, 0, &item.info.version, err);
    if (rc)
        return rc;
    (void)snprintf(item.client, sizeof item.client, "%s", role.client);
    item.info.created_s = vault->world.now_s();
    item.info.changed_s = item.info.created_s;
    item.info.hidden = false;
    rc = psn_item_put(vault, &item, err);
    if (!rc)
        rc = put_value(vault, &item, value, err);
    if (!rc && forgotten)
        rc = psn_departure_note_item_returned(vault, &item, forgotten, err);
    return rc ? rc : note(vault, &item, "secret.added", err);
}

/* Of an import, which may hold thousands, only psn_item_set() compares. */
static enum psn_code add(struct psn_vault *vault, const struct psn_secret_info *info,
                         const struct psn_secret *value, struct psn_error *err)
{
    struct psn_forgotten_list forgotten = { 0 };
    struct psn_item item = { 0 };
    struct psn_coming coming;
    enum psn_code rc =
        psn_item_insert(vault, info, value, info->generated ? NULL : &forgotten, err);

    psn_forgotten_list_release(&forgotten);
    if (!rc)
        rc = psn_item_read(vault, info->address, info->label, &item, err);
    coming = coming_of(&item, value);
    return rc ? rc : psn_exposure_carry(vault, &coming, err);
}

enum psn_code psn_secret_add(struct psn_vault *vault, const struct psn_secret_info *info,
                             const struct psn_secret *value, struct psn_error *err)
{
    struct psn_secret_info checked;
    enum psn_code rc = psn_item_check_new(info, &checked, err);

    if (!rc)
        rc = psn_item_check_value(&checked, value, err);
    memset(checked.code_used_s, 0, sizeof checked.code_used_s);
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    return rc ? rc : psn_vault_end(vault, add(vault, &checked, value, err), err);
}

static enum psn_code change_text(char *field, size_t size, const char *text,
                                 const char *name, struct psn_error *err)
{
    if (!text)
        return PSN_OK;
    if (strlen(text) >= size)
        return psn_fail(err, PSN_E_INVALID, _("%s is too long: at most %zu bytes"), name,
                        size - 1);
    memcpy(field, text, strlen(text) + 1);
    return PSN_OK;
}

static enum psn_code change_fields(struct psn_secret_info *info,
                                   const struct psn_secret_change *change,
                                   struct psn_error *err)
{
    enum psn_code rc =
        change_text(info->type, sizeof info->type, change->type, "--type", err);

    if (!rc)
        rc = change_text(info->user, sizeof info->user, change->user, "--user", err);
    if (!rc)
        rc = change_text(info->url, sizeof info->url, change->url, "--url", err);
    if (!rc)
        rc = change_text(info->note, sizeof info->note, change->note, "--note", err);
    if (!rc)
        rc = change_text(info->expires, sizeof info->expires, change->expires,
                         "--expires", err);
    return rc ? rc : psn_item_check_fields(info, err);
}

static enum psn_code label_version(struct psn_vault *vault, const struct psn_item *item,
                                   uint64_t number, enum psn_version_state state,
                                   struct psn_error *err)
{
    return psn_version_label(vault, item->client, item->info.address, item->info.label,
                             number, state, err);
}

/* A number that no version has: of one that is ready, and one that was given up, too. */
static enum psn_code next_version(struct psn_vault *vault, const struct psn_item *item,
                                  uint64_t *ret_number, struct psn_error *err)
{
    const struct psn_secret_info *info = &item->info;

    return psn_version_next(vault, item->client, info->address, info->label,
                            info->version, ret_number, err);
}

static enum psn_code fail_no_replacement(const struct psn_secret_info *info,
                                         struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("%s, %s: no replacement was made ready"),
                   info->address, info->label);
    return psn_hint(err, PSN_E_NOT_FOUND,
                    _("give the new secret with --secret-fd N, or make one with "
                      "--generate"));
}

/* What somebody who is leaving, or has left, knows of this secret is not replaced by a
 * value that he knows, whichever version it was. */
static enum psn_code check_differs(struct psn_vault *vault, const struct psn_item *item,
                                   const struct psn_exposure_list *known,
                                   struct psn_error *err)
{
    for (size_t i = 0; i < known->count; i++) {
        struct psn_person person = { .departing_s = 0 };
        enum psn_code missing =
            psn_person_read(vault, known->items[i].person, &person, NULL);

        if (!missing && !person.departing_s)
            continue;
        (void)psn_fail(err, PSN_E_POLICY,
                       _("%s, %s: that is a secret which somebody who left knows"),
                       item->info.address, item->info.label);
        return psn_hint(err, PSN_E_POLICY,
                        _("who, and which version: passation who %s; change it where it "
                          "is used, and give the new one"),
                        item->info.address);
    }
    return PSN_OK;
}

/* The current value is superseded by the one that is given, or by the one that was made
 * ready. */
static enum psn_code supersede(struct psn_vault *vault, struct psn_item *item,
                               const struct psn_secret_change *change,
                               struct psn_error *err)
{
    struct psn_secret_info *info = &item->info;
    uint64_t ready = info->replacement;
    uint64_t next = ready;
    enum psn_code rc =
        change->replacement && !ready
            ? fail_no_replacement(info, err)
            : label_version(vault, item, info->version, PSN_VERSION_SUPERSEDED, err);

    if (!rc && !change->replacement)
        rc = next_version(vault, item, &next, err);
    if (rc)
        return rc;
    info->version = next;
    info->replacement = 0;
    info->changed_s = vault->world.now_s();
    info->hidden = false;
    info->unchangeable[0] = info->unchangeable_by[0] = '\0'; /* it was changed */
    memset(info->code_used_s, 0, sizeof info->code_used_s);
    if (change->replacement)
        return label_version(vault, item, ready, PSN_VERSION_CURRENT, err);
    if (ready)
        rc = label_version(vault, item, ready, PSN_VERSION_REFUSED, err);
    return rc ? rc : put_value(vault, item, change->value, err);
}

static enum psn_code set_value(struct psn_vault *vault, struct psn_item *item,
                               const struct psn_secret_change *change,
                               struct psn_error *err)
{
    struct psn_exposure_list known = { 0 };
    struct psn_coming coming = coming_of(item, change->value);
    enum psn_code rc = PSN_OK;

    coming.version = 0; /* it has none yet, so the present one is compared, too */
    if (change->value)
        rc = psn_exposure_list_knowing(vault, &coming, &known, err);
    if (!rc)
        rc = check_differs(vault, item, &known, err);
    if (!rc)
        rc = supersede(vault, item, change, err);
    coming.version = item->info.version;
    if (!rc)
        rc = psn_exposure_put_known(vault, &coming, &known, err);
    psn_exposure_list_release(&known);
    return rc;
}

enum psn_code psn_item_set(struct psn_vault *vault, const char *address,
                           const char *label, const struct psn_secret_change *change,
                           uint64_t *ret_version, struct psn_error *err)
{
    struct psn_item item = { 0 };
    enum psn_code rc = psn_item_read(vault, address, label, &item, err);

    if (!rc)
        rc = change_fields(&item.info, change, err);
    if (rc)
        return rc;
    item.info.hidden = false; /* who changes it wants it */
    rc = psn_item_check_change(vault, &item, change, err);
    if (!rc && (change->value || change->replacement))
        rc = set_value(vault, &item, change, err);
    if (!rc)
        rc = psn_item_call_unchangeable(vault, &item, change->unchangeable, err);
    if (!rc)
        rc = psn_item_put(vault, &item, err);
    if (!rc)
        rc = note(vault, &item, "secret.changed", err);
    if (!rc)
        *ret_version = item.info.version;
    return rc;
}

enum psn_code psn_secret_set(struct psn_vault *vault, const char *address,
                             const char *label, const struct psn_secret_change *change,
                             uint64_t *ret_version, struct psn_error *err)
{
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_item_begin(vault, address, label, normal, err);

    return rc ? rc
              : psn_vault_end(
                    vault, psn_item_set(vault, normal, label, change, ret_version, err),
                    err);
}

/* --- replacements --- */

/* Only whoever runs the service can make another of these. */
static bool is_given_out(const char *type)
{
    static const char *const given[] = { "ovh-api",  "ssh-key", "licence", "plugin",
                                         "recovery", "totp",    "bank",    NULL };

    for (size_t i = 0; given[i]; i++)
        if (strcmp(given[i], type) == 0)
            return true;
    return false;
}

/* Made ready when it was of another type. */
static enum psn_code give_up_replacement(struct psn_vault *vault, struct psn_item *item,
                                         struct psn_error *err)
{
    enum psn_code rc =
        label_version(vault, item, item->info.replacement, PSN_VERSION_REFUSED, err);

    item->info.replacement = 0;
    return rc ? rc : psn_item_put(vault, item, err);
}

enum psn_code psn_item_replace(struct psn_vault *vault, struct psn_item *item,
                               struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_secret_info *info = &item->info;
    uint64_t next = 0;
    enum psn_code rc;

    if (is_given_out(info->type) || info->unchangeable[0])
        return info->replacement ? give_up_replacement(vault, item, err) : PSN_OK;
    rc = psn_generate_password(&value, err);
    if (!rc)
        rc = next_version(vault, item, &next, err);
    if (!rc && info->replacement)
        rc = label_version(vault, item, info->replacement, PSN_VERSION_REFUSED, err);
    info->replacement = next;
    if (!rc)
        rc = psn_version_put(vault, item->client, info->address, info->label,
                             info->replacement, PSN_VERSION_PENDING, value, err);
    if (!rc)
        rc = psn_item_put(vault, item, err);
    return rc ? rc : note(vault, item, "secret.replacement", err);
}

/* Somebody says that it was set nowhere. */
static enum psn_code put_aside(struct psn_vault *vault, const char *address,
                               const char *label, uint64_t *ret_version,
                               struct psn_error *err)
{
    struct psn_item item = { 0 };
    uint64_t ready;
    enum psn_code rc = psn_item_read(vault, address, label, &item, err);

    if (rc)
        return rc;
    ready = item.info.replacement;
    if (!ready)
        return psn_fail(err, PSN_E_NOT_FOUND, _("%s, %s: no replacement was made ready"),
                        item.info.address, item.info.label);
    rc = label_version(vault, &item, ready, PSN_VERSION_SUPERSEDED, err);
    item.info.replacement = 0;
    if (!rc)
        rc = psn_item_put(vault, &item, err);
    if (!rc)
        rc = psn_journal_note(vault, item.client,
                              &(struct psn_note){ .event = "secret.replacement.unused",
                                                  .subject = item.info.address,
                                                  .label = item.info.label,
                                                  .version = ready,
                                                  .text = item.info.type },
                              err);
    if (!rc)
        *ret_version = ready;
    return rc;
}

enum psn_code psn_secret_rm_replacement(struct psn_vault *vault, const char *address,
                                        const char *label, uint64_t *ret_version,
                                        struct psn_error *err)
{
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_item_begin(vault, address, label, normal, err);

    return rc ? rc
              : psn_vault_end(vault, put_aside(vault, normal, label, ret_version, err),
                              err);
}

static enum psn_code hide(struct psn_vault *vault, const char *address, const char *label,
                          struct psn_error *err)
{
    struct psn_item item = { 0 };
    enum psn_code rc = psn_item_read(vault, address, label, &item, err);

    if (rc)
        return rc;
    if (item.info.hidden)
        return fail_unknown(address, label, err);
    item.info.hidden = true;
    rc = psn_item_put(vault, &item, err);
    return rc ? rc : note(vault, &item, "secret.hidden", err);
}

enum psn_code psn_secret_rm(struct psn_vault *vault, const char *address,
                            const char *label, struct psn_error *err)
{
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_item_begin(vault, address, label, normal, err);

    return rc ? rc : psn_vault_end(vault, hide(vault, normal, label, err), err);
}

/* --- reading --- */

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
