#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/json_quote.h"
#include "crypto/base64.h"
#include "crypto/secret.h"
#include "interop/entry.h"
#include "interop/otpauth.h"
#include "interop/uuid.h"

/* https://bitwarden.com/help/condition-bitwarden-import/, the form for one's own vault.
 */
enum {
    TYPE_LOGIN = 1,
    FIELD_TEXT = 0,
    FIELD_HIDDEN = 1,
    BASE64_MAX = PSN_BASE64_TEXT_SIZE(PSN_ENTRY_TEXT_MAX),
    OTP_MAX = 8 * PSN_ENTRY_TEXT_MAX,
};

static void put_string(struct psn_buf *out, const char *text)
{
    psn_json_quote(out, text, strlen(text));
}

/* "name": the text, or null; and a comma. */
static void put_text(struct psn_buf *out, const char *name, const char *text)
{
    psn_buf_format(out, "\"%s\": ", name);
    if (psn_entry_has(text))
        put_string(out, text);
    else
        psn_buf_text(out, "null");
    psn_buf_text(out, ", ");
}

static void put_bytes(struct psn_buf *out, const char *name, const void *bytes,
                      size_t size)
{
    psn_buf_format(out, "\"%s\": ", name);
    if (size > 0)
        psn_json_quote(out, bytes, size);
    else
        psn_buf_text(out, "null");
}

static void put_uuid(struct psn_buf *out, const char *name,
                     const uint8_t uuid[PSN_UUID_SIZE])
{
    char text[PSN_UUID_TEXT_SIZE];

    put_text(out, name, psn_uuid_text(uuid, text));
}

/* The folder's id depends on its name alone, so that a second import finds it. */
static void put_folder_id(struct psn_buf *out, const char *name, const char *group)
{
    uint8_t uuid[PSN_UUID_SIZE];

    psn_uuid_of("bitwarden-folder", group, uuid);
    put_uuid(out, name, uuid);
}

static void put_folders(struct psn_buf *out, const struct psn_entry **list, size_t count)
{
    const char *last = "";

    psn_buf_text(out, "  \"folders\": [");
    for (size_t i = 0; i < count; i++) {
        const char *group = psn_entry_text(list[i]->group);

        if (strcmp(group, last) == 0)
            continue;
        psn_buf_text(out, last[0] ? ",\n    {" : "\n    {");
        put_folder_id(out, "id", group);
        psn_buf_text(out, "\"name\": ");
        put_string(out, group);
        psn_buf_char(out, '}');
        last = group;
    }
    psn_buf_text(out, "\n  ],\n");
}

/* ---- an item ---- */

static void put_field(struct psn_buf *out, bool *first, const char *name,
                      const char *value, int type)
{
    psn_buf_text(out, *first ? "{" : ", {");
    *first = false;
    psn_buf_text(out, "\"name\": ");
    put_string(out, name);
    psn_buf_text(out, ", \"value\": ");
    put_string(out, psn_entry_text(value));
    psn_buf_format(out, ", \"type\": %d}", type);
}

static void put_base64_field(struct psn_buf *out, bool *first,
                             const struct psn_entry *entry)
{
    PSN_AUTO_RELEASE(psn_buf) base64 = psn_buf_init_wiped(BASE64_MAX);
    PSN_AUTO_RELEASE(psn_buf) remark = psn_buf_init(1024);

    psn_entry_put_base64(entry, &base64);
    if (base64.failed) {
        out->failed = base64.failed;
        return;
    }
    put_field(out, first, PSN_ENTRY_FIELD_BASE64, psn_buf_str(&base64), FIELD_HIDDEN);
    psn_buf_format(&remark,
                   _("The password is not text. It stands, encoded in Base64, in the "
                     "field '%s'."),
                   PSN_ENTRY_FIELD_BASE64);
    put_field(out, first, PSN_ENTRY_FIELD_REMARK, psn_buf_str(&remark), FIELD_TEXT);
    if (remark.failed)
        out->failed = remark.failed;
}

static void put_fields(struct psn_buf *out, const struct psn_entry *entry)
{
    bool first = true;

    psn_buf_text(out, "\"fields\": [");
    if (psn_entry_has(entry->type))
        put_field(out, &first, PSN_ENTRY_FIELD_TYPE, entry->type, FIELD_TEXT);
    if (psn_entry_has(entry->expires))
        put_field(out, &first, PSN_ENTRY_FIELD_EXPIRES, entry->expires, FIELD_TEXT);
    for (size_t i = 0; i < entry->field_count; i++)
        put_field(out, &first, entry->fields[i].name, entry->fields[i].value, FIELD_TEXT);
    if (psn_entry_password_is_bytes(entry))
        put_base64_field(out, &first, entry);
    psn_buf_text(out, "],\n     ");
}

static void put_login(struct psn_buf *out, const struct psn_entry *entry)
{
    PSN_AUTO_RELEASE(psn_buf) uri = psn_buf_init_wiped(OTP_MAX);
    bool is_text = psn_entry_password_is_text(entry);

    psn_buf_text(out, "\"login\": {\"uris\": [");
    if (psn_entry_has(entry->url)) {
        psn_buf_text(out, "{\"match\": null, \"uri\": ");
        put_string(out, entry->url);
        psn_buf_char(out, '}');
    }
    psn_buf_text(out, "], ");
    put_text(out, "username", entry->user);
    put_bytes(out, "password", is_text ? psn_secret_bytes(entry->password) : NULL,
              is_text ? psn_secret_size(entry->password) : 0);
    psn_buf_text(out, ", ");
    psn_otpauth_uri(entry, &uri);
    if (uri.failed)
        out->failed = uri.failed;
    put_bytes(out, "totp", uri.data, uri.size);
    psn_buf_text(out, "},\n     ");
}

static void put_item(struct psn_buf *out, const struct psn_entry *entry)
{
    char time[PSN_TIME_SIZE] = "";

    if (entry->changed_s)
        (void)psn_clock_format(entry->changed_s, time);
    psn_buf_text(out, "    {");
    put_text(out, "passwordHistory", NULL);
    put_text(out, "revisionDate", time);
    put_text(out, "creationDate", time);
    put_text(out, "deletedDate", NULL);
    put_uuid(out, "id", entry->id);
    put_text(out, "organizationId", NULL);
    if (psn_entry_has(entry->group))
        put_folder_id(out, "folderId", entry->group);
    else
        put_text(out, "folderId", NULL);
    psn_buf_format(out, "\"type\": %d, \"reprompt\": 0, \"name\": ", TYPE_LOGIN);
    put_string(out, psn_entry_text(entry->title));
    psn_buf_text(out, ", ");
    put_text(out, "notes", entry->note);
    psn_buf_text(out, "\"favorite\": false,\n     ");
    put_fields(out, entry);
    put_login(out, entry);
    psn_buf_text(out, "\"collectionIds\": null}");
}

enum psn_code psn_bitwarden_write(const struct psn_entry *entries, size_t count,
                                  struct psn_secret **ret_json, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init_wiped(PSN_BITWARDEN_MAX);
    PSN_AUTO_FREE const struct psn_entry **list = NULL;
    enum psn_code rc = psn_entries_check(entries, count, err);

    if (!rc)
        rc = psn_entries_sorted(entries, count, &list, err);
    if (rc)
        return rc;
    psn_buf_text(&out, "{\n  \"encrypted\": false,\n");
    put_folders(&out, list, count);
    psn_buf_text(&out, "  \"items\": [");
    for (size_t i = 0; i < count; i++) {
        psn_buf_text(&out, i ? ",\n" : "\n");
        put_item(&out, &entries[i]);
    }
    psn_buf_text(&out, "\n  ]\n}\n");
    rc = psn_buf_check(&out, err);
    return rc ? rc : psn_secret_copy(out.data, out.size, ret_json, err);
}
