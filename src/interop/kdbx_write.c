#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "crypto/base64.h"
#include "crypto/secret.h"
#include "interop/entry.h"
#include "interop/kdbx.h"
#include "interop/otpauth.h"
#include "interop/uuid.h"
#include "interop/xml_text.h"

enum {
    SECRET_MAX = PSN_BASE64_TEXT_SIZE(PSN_ENTRY_TEXT_MAX),
    OTP_MAX = 8 * PSN_ENTRY_TEXT_MAX, /* title and user in a URI */
};

/* Appends Base64 of the bytes. */
static void put_base64(struct psn_buf *out, const void *bytes, size_t size)
{
    size_t text_size = PSN_BASE64_TEXT_SIZE(size);
    char *at = (char *)psn_buf_reserve(out, text_size);

    if (!at)
        return;
    (void)psn_base64_encode(PSN_BASE64, bytes, size, at);
    out->size--; /* its own NUL */
}

static void put_uuid(struct psn_buf *out, const uint8_t uuid[PSN_UUID_SIZE])
{
    psn_buf_text(out, "<UUID>");
    put_base64(out, uuid, PSN_UUID_SIZE);
    psn_buf_text(out, "</UUID>\n");
}

static void put_uuid_of(struct psn_buf *out, const char *purpose, const char *name)
{
    uint8_t uuid[PSN_UUID_SIZE];

    psn_uuid_of(purpose, name, uuid);
    put_uuid(out, uuid);
}

/* ---- values ---- */

static void put_string(struct psn_buf *out, const char *key, const char *value)
{
    psn_buf_text(out, "<String>\n");
    psn_xml_element(out, "Key", key);
    psn_xml_element(out, "Value", value);
    psn_buf_text(out, "</String>\n");
}

/* The masked copy is made in place of a plain one, in a buffer that is wiped. */
static void put_secret(struct psn_buf *out, struct psn_keystream *mask, const char *key,
                       const void *bytes, size_t size)
{
    PSN_AUTO_RELEASE(psn_buf) masked = psn_buf_init_wiped(OTP_MAX);

    psn_buf_bytes(&masked, bytes, size);
    if (masked.failed) {
        out->failed = masked.failed;
        return;
    }
    psn_keystream_apply(mask, masked.data, masked.size);
    psn_buf_text(out, "<String>\n");
    psn_xml_element(out, "Key", key);
    psn_buf_text(out, "<Value Protected=\"True\">");
    put_base64(out, masked.data, masked.size);
    psn_buf_text(out, "</Value>\n</String>\n");
}

static void put_password(struct psn_buf *out, struct psn_keystream *mask,
                         const struct psn_entry *entry)
{
    PSN_AUTO_RELEASE(psn_buf) base64 = psn_buf_init_wiped(SECRET_MAX);
    bool is_text = psn_entry_password_is_text(entry);

    put_secret(out, mask, "Password", is_text ? psn_secret_bytes(entry->password) : NULL,
               is_text ? psn_secret_size(entry->password) : 0);
    if (!psn_entry_password_is_bytes(entry))
        return;
    psn_entry_put_base64(entry, &base64);
    if (base64.failed)
        out->failed = base64.failed;
    else
        put_secret(out, mask, PSN_ENTRY_FIELD_BASE64, base64.data, base64.size);
}

static void put_otp(struct psn_buf *out, struct psn_keystream *mask,
                    const struct psn_entry *entry)
{
    PSN_AUTO_RELEASE(psn_buf) uri = psn_buf_init_wiped(OTP_MAX);

    psn_otpauth_uri(entry, &uri);
    if (uri.failed)
        out->failed = uri.failed;
    else if (uri.size > 0)
        put_secret(out, mask, PSN_ENTRY_FIELD_OTP, uri.data, uri.size);
}

/* ---- times ---- */

static void put_time(struct psn_buf *out, const char *name, int64_t time_s)
{
    uint64_t seconds = (uint64_t)(time_s + PSN_KDBX_EPOCH_S);
    uint8_t bytes[sizeof seconds];

    for (unsigned i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(seconds >> (8 * i));
    psn_buf_format(out, "<%s>", name);
    put_base64(out, bytes, sizeof bytes);
    psn_buf_format(out, "</%s>\n", name);
}

/* A day without a zone is written as its noon in UTC, which is that day nearly
 * everywhere. */
static void put_times(struct psn_buf *out, const struct psn_entry *entry)
{
    int year = 0;
    int month = 0;
    int day = 0;
    bool expires = psn_entry_has(entry->expires) &&
                   psn_clock_parse_date(entry->expires, &year, &month, &day);

    psn_buf_text(out, "<Times>\n");
    if (entry->changed_s) {
        put_time(out, "CreationTime", entry->changed_s);
        put_time(out, "LastModificationTime", entry->changed_s);
    }
    if (expires)
        put_time(out, "ExpiryTime",
                 psn_clock_days(year, month, day) * 86400 + PSN_KDBX_NOON_S);
    psn_xml_element(out, "Expires", expires ? "True" : "False");
    psn_buf_text(out, "</Times>\n");
}

/* ---- the tree ---- */

static void put_entry(struct psn_buf *out, struct psn_keystream *mask,
                      const struct psn_entry *entry)
{
    psn_buf_text(out, "<Entry>\n");
    put_uuid(out, entry->id);
    put_times(out, entry);
    put_string(out, "Title", psn_entry_text(entry->title));
    put_string(out, "UserName", psn_entry_text(entry->user));
    put_password(out, mask, entry);
    put_string(out, "URL", psn_entry_text(entry->url));
    put_string(out, "Notes", psn_entry_text(entry->note));
    put_otp(out, mask, entry);
    if (psn_entry_has(entry->type))
        put_string(out, PSN_ENTRY_FIELD_TYPE, entry->type);
    for (size_t i = 0; i < entry->field_count; i++)
        put_string(out, entry->fields[i].name, psn_entry_text(entry->fields[i].value));
    psn_buf_text(out, "</Entry>\n");
}

static void put_group(struct psn_buf *out, struct psn_keystream *mask,
                      const struct psn_entry **list, size_t count)
{
    psn_buf_text(out, "<Group>\n");
    put_uuid_of(out, "kdbx-group", list[0]->group);
    psn_xml_element(out, "Name", list[0]->group);
    for (size_t i = 0; i < count; i++)
        put_entry(out, mask, list[i]);
    psn_buf_text(out, "</Group>\n");
}

static size_t group_size(const struct psn_entry **list, size_t count)
{
    size_t size = 1;

    while (size < count &&
           strcmp(psn_entry_text(list[size]->group), psn_entry_text(list[0]->group)) == 0)
        size++;
    return size;
}

static void put_root(struct psn_buf *out, struct psn_keystream *mask, const char *name,
                     const struct psn_entry **list, size_t count)
{
    size_t i = 0;

    psn_buf_text(out, "<Root>\n<Group>\n");
    put_uuid_of(out, "kdbx-root", name);
    psn_xml_element(out, "Name", name);
    for (; i < count && !psn_entry_has(list[i]->group); i++)
        put_entry(out, mask, list[i]);
    for (size_t size; i < count; i += size) {
        size = group_size(list + i, count - i);
        put_group(out, mask, list + i, size);
    }
    psn_buf_text(out, "</Group>\n<DeletedObjects></DeletedObjects>\n</Root>\n");
}

static void put_meta(struct psn_buf *out, const char *name)
{
    psn_buf_text(out, "<Meta>\n<Generator>passation</Generator>\n");
    psn_xml_element(out, "DatabaseName", name);
    psn_buf_text(out, "<MemoryProtection>\n"
                      "<ProtectTitle>False</ProtectTitle>\n"
                      "<ProtectUserName>False</ProtectUserName>\n"
                      "<ProtectPassword>True</ProtectPassword>\n"
                      "<ProtectURL>False</ProtectURL>\n"
                      "<ProtectNotes>False</ProtectNotes>\n"
                      "</MemoryProtection>\n</Meta>\n");
}

enum psn_code psn_kdbx_xml_write(const char *name, const struct psn_entry *entries,
                                 size_t count, struct psn_keystream *mask,
                                 struct psn_buf *out, struct psn_error *err)
{
    PSN_AUTO_FREE const struct psn_entry **list = NULL;
    enum psn_code rc = psn_entries_sorted(entries, count, &list, err);

    if (rc)
        return rc;
    psn_buf_text(out, "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\"?>\n"
                      "<KeePassFile>\n");
    put_meta(out, name);
    put_root(out, mask, name, list, count);
    psn_buf_text(out, "</KeePassFile>\n");
    return psn_buf_check(out, err);
}
