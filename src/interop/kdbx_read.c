#include <limits.h>
#include <string.h>

#include <expat.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "crypto/base64.h"
#include "crypto/secret.h"
#include "interop/entry.h"
#include "interop/kdbx.h"
#include "interop/otpauth.h"
#include "interop/xml_parser.h"
#include "interop/xml_text.h"

/* The elements there may be, by where they stand. Those from LEAF on hold text alone. */
enum node {
    DOCUMENT,
    FILE_ELEMENT,
    META,
    MEMORY,
    ROOT,
    TOP,
    GROUP,
    ENTRY,
    TIMES,
    STRING,
    LEAF,
    PASSED_OVER = LEAF,
    GROUP_NAME,
    ID,
    CHANGED,
    EXPIRY,
    EXPIRES,
    KEY,
    VALUE,
};

static const struct psn_xml_row rows[] = {
    { DOCUMENT, FILE_ELEMENT, "KeePassFile" },
    { FILE_ELEMENT, META, "Meta" },
    { META, PASSED_OVER, "Generator" },
    { META, PASSED_OVER, "DatabaseName" },
    { META, MEMORY, "MemoryProtection" },
    { MEMORY, PASSED_OVER, "ProtectTitle" },
    { MEMORY, PASSED_OVER, "ProtectUserName" },
    { MEMORY, PASSED_OVER, "ProtectPassword" },
    { MEMORY, PASSED_OVER, "ProtectURL" },
    { MEMORY, PASSED_OVER, "ProtectNotes" },
    { FILE_ELEMENT, ROOT, "Root" },
    { ROOT, TOP, "Group" },
    { ROOT, PASSED_OVER, "DeletedObjects" },
    { TOP, PASSED_OVER, "UUID" },
    { TOP, PASSED_OVER, "Name" },
    { TOP, ENTRY, "Entry" },
    { TOP, GROUP, "Group" },
    { GROUP, PASSED_OVER, "UUID" },
    { GROUP, GROUP_NAME, "Name" },
    { GROUP, ENTRY, "Entry" },
    { ENTRY, ID, "UUID" },
    { ENTRY, TIMES, "Times" },
    { ENTRY, STRING, "String" },
    { TIMES, PASSED_OVER, "CreationTime" },
    { TIMES, CHANGED, "LastModificationTime" },
    { TIMES, EXPIRY, "ExpiryTime" },
    { TIMES, EXPIRES, "Expires" },
    { STRING, KEY, "Key" },
    { STRING, VALUE, "Value" },
};

enum {
    DEPTH_MAX = 8,
    VALUE_MAX = 1024 * 1024, /* one text, with room for Base64 and URIs */
    TEXTS_MAX = 16 * 1024 * 1024,
};

static const int64_t time_max_s = INT64_C(253402300799); /* the end of the year 9999 */

/* A text of the entry in reader.texts: where it begins, plus 1; 0: not there. */
typedef size_t place;

struct reader {
    XML_Parser parser;
    struct psn_keystream *mask;
    psn_entry_fn *each;
    void *arg;
    struct psn_error *err;
    enum psn_code rc;

    enum node stack[DEPTH_MAX];
    size_t depth;
    struct psn_buf text;  /* of the leaf that is open */
    struct psn_buf group; /* the name of the group that is open */

    /* The entry that is open. */
    struct psn_buf texts;
    struct psn_buf value;
    struct psn_secret *password;
    uint8_t id[PSN_ENTRY_ID_SIZE];
    bool has_id;
    bool is_protected;
    bool expires;
    int64_t changed_s;
    int64_t expiry_s;
    place title;
    place user;
    place url;
    place note;
    place type;
    place otp;
    place key; /* of the string that is open */
    place names[PSN_ENTRY_FIELDS_MAX];
    place values[PSN_ENTRY_FIELDS_MAX];
    size_t field_count;
};

/* ---- failing ---- */

static void stop(struct reader *reader, enum psn_code rc)
{
    reader->rc = rc;
    (void)psn_expat.stop_parser(reader->parser, XML_FALSE);
}

static void refuse(struct reader *reader)
{
    if (!reader->rc)
        stop(reader, psn_fail(reader->err, PSN_E_INVALID,
                              _("the KDBX file is not of the form that passation writes: "
                                "another program saved it")));
}

/* ---- the entry's texts ---- */

static const char *text_at(const struct reader *reader, place at)
{
    return at ? psn_buf_str(&reader->texts) + at - 1 : "";
}

/* Keeps the bytes, which hold no NUL, as one of the entry's texts. */
static place keep(struct reader *reader, const struct psn_buf *text)
{
    place at = reader->texts.size + 1;

    psn_buf_bytes(&reader->texts, text->data, text->size);
    psn_buf_char(&reader->texts, '\0');
    return at;
}

static void entry_clear(struct reader *reader)
{
    psn_buf_reset(&reader->texts);
    psn_secret_free(PSN_TAKE(reader->password));
    memset(reader->id, 0, sizeof reader->id);
    reader->has_id = reader->expires = false;
    reader->changed_s = reader->expiry_s = 0;
    reader->title = reader->user = reader->url = reader->note = reader->type = 0;
    reader->otp = reader->key = 0;
    reader->field_count = 0;
}

/* The seed for codes has to be what would be written for this entry. */
static enum psn_code check_otp(struct reader *reader, const struct psn_entry *entry)
{
    PSN_AUTO_RELEASE(psn_buf) uri = psn_buf_init_wiped(VALUE_MAX);
    enum psn_code rc;

    psn_otpauth_uri(entry, &uri);
    rc = psn_buf_check(&uri, reader->err);
    if (!rc && strcmp(psn_buf_str(&uri), text_at(reader, reader->otp)) != 0) {
        refuse(reader);
        rc = reader->rc;
    }
    return rc;
}

/* Whether all that makes an entry is there, and could have been written. */
static enum psn_code check_entry(struct reader *reader, const struct psn_entry *entry)
{
    enum psn_code rc = psn_buf_check(&reader->texts, reader->err);

    if (!rc)
        rc = psn_buf_check(&reader->group, reader->err);
    if (rc)
        return rc;
    if (!reader->has_id || reader->expires != (reader->expiry_s != 0) ||
        psn_entries_check(entry, 1, NULL)) {
        refuse(reader);
        return reader->rc;
    }
    return check_otp(reader, entry);
}

static void tell_entry(struct reader *reader)
{
    struct psn_entry_field fields[PSN_ENTRY_FIELDS_MAX];
    char expiry[PSN_TIME_SIZE] = "";
    struct psn_entry entry = {
        .group =
            reader->stack[reader->depth - 1] == GROUP ? psn_buf_str(&reader->group) : "",
        .title = text_at(reader, reader->title),
        .user = text_at(reader, reader->user),
        .password = reader->password,
        .url = text_at(reader, reader->url),
        .note = text_at(reader, reader->note),
        .expires = expiry,
        .type = text_at(reader, reader->type),
        .fields = fields,
        .field_count = reader->field_count,
        .changed_s = reader->changed_s,
    };
    enum psn_code rc;

    memcpy(entry.id, reader->id, sizeof entry.id);
    for (size_t i = 0; i < reader->field_count; i++)
        fields[i] = (struct psn_entry_field){ text_at(reader, reader->names[i]),
                                              text_at(reader, reader->values[i]) };
    if (reader->expires) {
        (void)psn_clock_format(reader->expiry_s, expiry);
        expiry[sizeof "2026-11-24" - 1] = '\0';
    }
    rc = check_entry(reader, &entry);
    if (!rc)
        rc = reader->each(reader->arg, &entry, reader->err);
    if (rc && !reader->rc)
        stop(reader, rc);
}

/* ---- strings ---- */

static place *own_place(struct reader *reader, const char *key)
{
    return strcmp(key, "Title") == 0                ? &reader->title
           : strcmp(key, "UserName") == 0           ? &reader->user
           : strcmp(key, "URL") == 0                ? &reader->url
           : strcmp(key, "Notes") == 0              ? &reader->note
           : strcmp(key, PSN_ENTRY_FIELD_TYPE) == 0 ? &reader->type
                                                    : NULL;
}

static void take_plain(struct reader *reader, const char *key)
{
    place *at = own_place(reader, key);
    bool further = !at && reader->field_count < PSN_ENTRY_FIELDS_MAX;

    if (at ? *at != 0 : !further) {
        refuse(reader);
        return;
    }
    if (further) {
        reader->names[reader->field_count] = reader->key;
        at = &reader->values[reader->field_count++];
    }
    *at = keep(reader, &reader->text);
}

/* Takes the mask off the open leaf's text, into reader.value. */
static bool unmask(struct reader *reader)
{
    size_t size = 0;
    uint8_t *at;

    psn_buf_reset(&reader->value);
    at = psn_buf_reserve(&reader->value, reader->text.size);
    if (!at || !psn_base64_decode(PSN_BASE64, psn_buf_str(&reader->text),
                                  reader->text.size, at, reader->text.size, &size))
        return false;
    psn_keystream_apply(reader->mask, at, size);
    reader->value.size = size;
    return true;
}

static enum psn_code set_password(struct reader *reader)
{
    if (reader->value.size == 0)
        return PSN_OK;
    return psn_secret_copy(reader->value.data, reader->value.size, &reader->password,
                           reader->err);
}

/* What could have been written as text would have been. */
static enum psn_code set_password_bytes(struct reader *reader)
{
    PSN_AUTO(psn_secret) *bytes = NULL;
    size_t size = 0;
    enum psn_code rc = psn_secret_new(reader->value.size, &bytes, reader->err);

    if (rc)
        return rc;
    if (!psn_base64_decode(PSN_BASE64, psn_buf_str(&reader->value), reader->value.size,
                           psn_secret_fill(bytes), reader->value.size, &size) ||
        psn_xml_can_hold((const char *)psn_secret_bytes(bytes), size)) {
        refuse(reader);
        return reader->rc;
    }
    psn_secret_set_size(bytes, size);
    reader->password = PSN_TAKE(bytes);
    return PSN_OK;
}

static void take_protected(struct reader *reader, const char *key)
{
    enum psn_code rc = PSN_OK;

    if (!unmask(reader)) {
        rc = psn_buf_check(&reader->value, reader->err);
        if (!rc)
            refuse(reader);
    } else if (strcmp(key, "Password") == 0 && !reader->password) {
        rc = set_password(reader);
    } else if (strcmp(key, PSN_ENTRY_FIELD_BASE64) == 0 && !reader->password) {
        rc = set_password_bytes(reader);
    } else if (strcmp(key, PSN_ENTRY_FIELD_OTP) == 0 && !reader->otp &&
               !memchr(reader->value.data, '\0', reader->value.size)) {
        reader->otp = keep(reader, &reader->value);
    } else {
        refuse(reader);
    }
    if (rc && !reader->rc)
        stop(reader, rc);
}

static void take_value(struct reader *reader)
{
    const char *key;
    enum psn_code rc = psn_buf_check(&reader->texts, reader->err);

    if (rc) {
        stop(reader, rc);
        return;
    }
    if (!reader->key) {
        refuse(reader);
        return;
    }
    key = text_at(reader, reader->key);
    if (reader->is_protected)
        take_protected(reader, key);
    else if (strcmp(key, "Password") == 0 || strcmp(key, PSN_ENTRY_FIELD_BASE64) == 0 ||
             strcmp(key, PSN_ENTRY_FIELD_OTP) == 0)
        refuse(reader);
    else
        take_plain(reader, key);
    reader->key = 0;
}

/* ---- leaves ---- */

static void take_id(struct reader *reader)
{
    reader->has_id =
        !reader->has_id &&
        psn_base64_decode_exact(PSN_BASE64, psn_buf_str(&reader->text), reader->text.size,
                                reader->id, sizeof reader->id);
    if (!reader->has_id)
        refuse(reader);
}

/* Seconds since the year 1, in Base64. 0 is what is left out, and so is not written. */
static void take_time(struct reader *reader, int64_t *time_s)
{
    uint8_t bytes[sizeof(int64_t)];
    uint64_t seconds = 0;
    bool good = psn_base64_decode_exact(PSN_BASE64, psn_buf_str(&reader->text),
                                        reader->text.size, bytes, sizeof bytes);

    for (unsigned i = 0; good && i < sizeof bytes; i++)
        seconds |= (uint64_t)bytes[i] << (8 * i);
    if (!good || *time_s || seconds > (uint64_t)(time_max_s + PSN_KDBX_EPOCH_S)) {
        refuse(reader);
        return;
    }
    *time_s = (int64_t)seconds - PSN_KDBX_EPOCH_S;
}

static void take_expires(struct reader *reader)
{
    const char *text = psn_buf_str(&reader->text);

    reader->expires = strcmp(text, "True") == 0;
    if (!reader->expires && strcmp(text, "False") != 0)
        refuse(reader);
}

static void take_group_name(struct reader *reader)
{
    psn_buf_reset(&reader->group);
    psn_buf_bytes(&reader->group, reader->text.data, reader->text.size);
}

static void end_node(struct reader *reader, enum node node)
{
    if (node == GROUP_NAME)
        take_group_name(reader);
    else if (node == ID)
        take_id(reader);
    else if (node == CHANGED)
        take_time(reader, &reader->changed_s);
    else if (node == EXPIRY)
        take_time(reader, &reader->expiry_s);
    else if (node == EXPIRES)
        take_expires(reader);
    else if (node == KEY)
        reader->key = keep(reader, &reader->text);
    else if (node == VALUE)
        take_value(reader);
    else if (node == ENTRY)
        tell_entry(reader);
}

/* ---- what expat calls ---- */

static enum node open_node(const struct reader *reader)
{
    return reader->depth ? reader->stack[reader->depth - 1] : DOCUMENT;
}

static bool attributes_are_known(enum node node, const XML_Char **attributes)
{
    return !attributes[0] || (node == VALUE && strcmp(attributes[0], "Protected") == 0 &&
                              strcmp(attributes[1], "True") == 0 && !attributes[2]);
}

static void XMLCALL on_start(void *self, const XML_Char *name,
                             const XML_Char **attributes)
{
    struct reader *reader = self;
    const struct psn_xml_row *row =
        psn_xml_find(rows, sizeof rows / sizeof *rows, open_node(reader), name);

    if (reader->rc)
        return;
    if (!row || reader->depth == DEPTH_MAX ||
        !attributes_are_known(row->node, attributes)) {
        refuse(reader);
        return;
    }
    reader->stack[reader->depth++] = row->node;
    reader->is_protected = attributes[0] != NULL;
    psn_buf_reset(&reader->text);
    if (row->node == ENTRY)
        entry_clear(reader);
    else if (row->node == GROUP)
        psn_buf_reset(&reader->group);
    else if (row->node == STRING)
        reader->key = 0;
}

static void XMLCALL on_end(void *self, const XML_Char *name)
{
    struct reader *reader = self;
    enum psn_code rc;

    (void)name; /* expat has matched it */
    if (reader->rc)
        return;
    rc = psn_buf_check(&reader->text, reader->err);
    if (rc) {
        stop(reader, rc);
        return;
    }
    psn_buf_bytes(&reader->text, "", 0); /* so that it is a string */
    end_node(reader, reader->stack[--reader->depth]);
}

static void XMLCALL on_text(void *self, const XML_Char *text, int size)
{
    struct reader *reader = self;

    if (reader->rc)
        return;
    if (open_node(reader) >= LEAF) {
        psn_buf_bytes(&reader->text, text, (size_t)size);
        return;
    }
    for (int i = 0; i < size; i++)
        if (!strchr(" \t\r\n", text[i]) || !text[i])
            refuse(reader);
}

/* No document type, so no entities; no instructions and no comments. */
static void XMLCALL on_doctype(void *self, const XML_Char *name, const XML_Char *system,
                               const XML_Char *public, int has_internal)
{
    (void)name;
    (void)system;
    (void)public;
    (void)has_internal;
    refuse(self);
}

static void XMLCALL on_instruction(void *self, const XML_Char *target,
                                   const XML_Char *text)
{
    (void)target;
    (void)text;
    refuse(self);
}

static void XMLCALL on_comment(void *self, const XML_Char *text)
{
    (void)text;
    refuse(self);
}

/* ---- all of it ---- */

static void reader_release(struct reader *reader)
{
    if (reader->parser)
        psn_expat.parser_free(reader->parser);
    psn_buf_release(&reader->text);
    psn_buf_release(&reader->group);
    psn_buf_release(&reader->texts);
    psn_buf_release(&reader->value);
    psn_secret_free(reader->password);
}

static enum psn_code parse(struct reader *reader, const char *xml, size_t size,
                           struct psn_error *err)
{
    enum XML_Status status;

    psn_expat.set_user_data(reader->parser, reader);
    psn_expat.set_element_handler(reader->parser, on_start, on_end);
    psn_expat.set_text_handler(reader->parser, on_text);
    psn_expat.set_doctype_handler(reader->parser, on_doctype);
    psn_expat.set_instruction_handler(reader->parser, on_instruction);
    psn_expat.set_comment_handler(reader->parser, on_comment);
    status = psn_expat.parse(reader->parser, xml, (int)size, 1);
    if (reader->rc)
        return reader->rc;
    if (status == XML_STATUS_OK)
        return PSN_OK;
    if (psn_expat.get_error_code(reader->parser) == XML_ERROR_NO_MEMORY)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    refuse(reader);
    return reader->rc;
}

enum psn_code psn_kdbx_xml_read(const char *xml, size_t size, struct psn_keystream *mask,
                                psn_entry_fn *each, void *arg, struct psn_error *err)
{
    PSN_AUTO_RELEASE(reader)
    reader = { .mask = mask,
               .each = each,
               .arg = arg,
               .err = err,
               .text = psn_buf_init_wiped(VALUE_MAX),
               .group = psn_buf_init_wiped(VALUE_MAX),
               .texts = psn_buf_init_wiped(TEXTS_MAX),
               .value = psn_buf_init_wiped(VALUE_MAX) };
    enum psn_code rc;

    if (size > INT_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("the KDBX file is too large"));
    rc = psn_xml_parser_new(&reader.parser, err);
    return rc ? rc : parse(&reader, xml, size, err);
}
