#include "core/document.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/document_check.h"
#include "core/document_form.h"
#include "core/document_rules.h"
#include "crypto/base64.h"

/* --- writing --- */

enum {
    SIGNATURE_ROOM = 1024,
};

static size_t document_max(unsigned version)
{
    return version == 2 ? PSN_DOCUMENT_SECOND_MAX : PSN_DOCUMENT_MAX;
}

static void fail(struct psn_document_writer *writer, enum psn_code rc)
{
    if (!writer->failed)
        writer->failed = rc;
}

/* Makes room for size more bytes: what has to grow is copied, and the old text wiped. */
static void make_room(struct psn_document_writer *writer, size_t size)
{
    PSN_AUTO(psn_secret) *grown = NULL;
    size_t used = writer->text ? psn_secret_size(writer->text) : 0;
    size_t capacity = writer->text ? psn_secret_capacity(writer->text) : 0;
    size_t max = document_max(writer->version);
    enum psn_code rc;

    if (writer->failed || used + size <= capacity)
        return;
    if (used + size > max - SIGNATURE_ROOM) {
        fail(writer, psn_fail(&writer->error, PSN_E_LIMIT,
                              _("an issue holds at most %d KiB"), (int)(max / 1024)));
        return;
    }
    capacity = capacity ? capacity : 4000;
    while (capacity < used + size)
        capacity *= 2;
    if (capacity > max)
        capacity = max;
    rc = psn_secret_new(capacity, &grown, &writer->error);
    if (!rc && used)
        rc = psn_secret_append(grown, psn_secret_bytes(writer->text), used,
                               &writer->error);
    if (rc) {
        fail(writer, rc);
        return;
    }
    psn_secret_free(writer->text);
    writer->text = PSN_TAKE(grown);
}

static void put(struct psn_document_writer *writer, const void *bytes, size_t size)
{
    make_room(writer, size);
    if (!writer->failed)
        fail(writer, psn_secret_append(writer->text, bytes, size, &writer->error));
}

static void put_text(struct psn_document_writer *writer, const char *text)
{
    put(writer, text, strlen(text));
}

static void put_lines(struct psn_document_writer *writer, struct psn_slice value)
{
    const uint8_t *at = value.at;
    size_t left = value.size;

    put_text(writer, "\n");
    for (;;) {
        const uint8_t *end = left ? memchr(at, '\n', left) : NULL;
        size_t line = end ? (size_t)(end - at) : left;

        put_text(writer, "| ");
        put(writer, at, line);
        put_text(writer, "\n");
        if (!end)
            return;
        at += line + 1;
        left -= line + 1;
    }
}

static void put_base64(struct psn_document_writer *writer, struct psn_slice value)
{
    size_t used;

    put_text(writer, "-Base64: ");
    make_room(writer, PSN_BASE64_TEXT_SIZE(value.size));
    if (writer->failed)
        return;
    used = psn_secret_size(writer->text);
    used += psn_base64_encode(PSN_BASE64, value.at, value.size,
                              (char *)psn_secret_fill(writer->text) + used);
    psn_secret_set_size(writer->text, used);
    put_text(writer, "\n");
}

static void refuse_value(struct psn_document_writer *writer, const struct psn_rule *rule)
{
    fail(writer,
         psn_fail(&writer->error, PSN_E_INVALID,
                  _("the field '%s' of an issue cannot hold this value"), rule->name));
}

static void put_field(struct psn_document_writer *writer, const struct psn_rule *rule,
                      struct psn_slice value)
{
    const char *text = (const char *)value.at;
    bool is_lines = psn_form_is_lines(text, value.size);

    if (value.size == 0 && !(rule->flags & PSN_RULE_MUST))
        return;
    if (((rule->flags & PSN_RULE_SECOND) && writer->version != 2) ||
        ((value.size || (rule->flags & PSN_RULE_LINES)) &&
         !psn_rule_fits(rule, writer->version, text, value.size))) {
        refuse_value(writer, rule);
        return;
    }
    put_text(writer, rule->name);
    if (value.size && psn_form_is_line(text, value.size)) {
        put_text(writer, ": ");
        put(writer, value.at, value.size);
        put_text(writer, "\n");
    } else if (is_lines && (rule->flags & PSN_RULE_LINES)) {
        put_text(writer, ":");
        put_lines(writer, value);
    } else if (rule->flags & PSN_RULE_BASE64) {
        put_base64(writer, value);
    } else {
        refuse_value(writer, rule);
    }
}

static void put_block(struct psn_document_writer *writer, enum psn_block_kind kind,
                      const struct psn_slice *fields)
{
    struct psn_rules rules = psn_rules_of(kind);

    if (writer->text)
        put_text(writer, "\n");
    for (size_t i = 0; i < rules.count; i++)
        put_field(writer, &rules.rules[i], fields[i]);
}

void psn_document_head(struct psn_document_writer *writer,
                       const struct psn_slice fields[PSN_HEAD_FIELDS])
{
    const struct psn_slice *format = &fields[PSN_HEAD_FORMAT];

    writer->version = format->size == 1 && format->at[0] == '2' ? 2 : 1;
    put_block(writer, PSN_BLOCK_HEAD, fields);
}

/* A block that only version 2 has. */
static void put_second(struct psn_document_writer *writer, enum psn_block_kind kind,
                       const struct psn_slice *fields)
{
    if (writer->version == 2)
        put_block(writer, kind, fields);
    else
        refuse_value(writer, psn_rules_of(kind).rules);
}

void psn_document_account(struct psn_document_writer *writer,
                          const struct psn_slice fields[PSN_ACCOUNT_FIELDS])
{
    put_second(writer, PSN_BLOCK_ACCOUNT, fields);
}

void psn_document_mailbox(struct psn_document_writer *writer,
                          const struct psn_slice fields[PSN_MAILBOX_FIELDS])
{
    put_block(writer, PSN_BLOCK_MAILBOX, fields);
}

void psn_document_secret(struct psn_document_writer *writer,
                         const struct psn_slice fields[PSN_SECRET_FIELDS])
{
    put_block(writer, PSN_BLOCK_SECRET, fields);
}

void psn_document_file(struct psn_document_writer *writer,
                       const struct psn_slice fields[PSN_FILE_BLOCK_FIELDS])
{
    put_second(writer, PSN_BLOCK_FILE, fields);
}

enum psn_code psn_document_end(struct psn_document_writer *writer,
                               struct psn_secret **ret_text, struct psn_error *err)
{
    struct psn_rules rules = psn_rules_of(PSN_BLOCK_END);
    unsigned version = writer->version == 2 ? 2 : 1;
    const struct psn_slice fields[PSN_DOCUMENT_FIELDS_MAX] = {
        [PSN_END_MEANS] = psn_slice_of(psn_rules_means(version)),
        [PSN_END_END] = psn_slice_of(rules.rules[PSN_END_END].exact[version - 1]),
    };
    PSN_AUTO(psn_secret) *text = NULL;
    enum psn_code rc;

    writer->version = version; /* there is no head, if what it says could not be read */
    put_block(writer, PSN_BLOCK_END, fields);
    text = PSN_TAKE(writer->text);
    rc = writer->failed;
    if (rc && err && !err->code)
        *err = writer->error;
    *writer = (struct psn_document_writer){ 0 };
    if (!rc)
        *ret_text = PSN_TAKE(text);
    return rc;
}

/* --- reading --- */

struct reader {
    unsigned version;
    const uint8_t *at;
    const uint8_t *end;
    size_t line; /* from 1, for messages */
};

static enum psn_code malformed(const struct reader *reader, struct psn_error *err)
{
    return psn_fail(err, PSN_E_INTEGRITY, _("line %zu of the issue is malformed"),
                    reader->line);
}

/* The next line without its end; false at the end of the text or if it has none. */
static bool peek_line(const struct reader *reader, struct psn_slice *ret_line)
{
    size_t left = (size_t)(reader->end - reader->at);
    const uint8_t *end = left ? memchr(reader->at, '\n', left) : NULL;

    if (!end)
        return false;
    *ret_line = (struct psn_slice){ reader->at, (size_t)(end - reader->at) };
    return true;
}

static void skip_line(struct reader *reader, struct psn_slice line)
{
    reader->at += line.size + 1;
    reader->line++;
}

static bool begins(struct psn_slice line, const char *name, const char *after,
                   struct psn_slice *ret_rest)
{
    size_t name_size = strlen(name);
    size_t after_size = strlen(after);

    if (line.size < name_size + after_size || memcmp(line.at, name, name_size) != 0 ||
        memcmp(line.at + name_size, after, after_size) != 0)
        return false;
    ret_rest->at = line.at + name_size + after_size;
    ret_rest->size = line.size - name_size - after_size;
    return true;
}

/* One value has one form: what could stand behind the name, or be left out, is no
 * lines. */
static bool needs_lines(const struct psn_rule *rule, const struct psn_field *field)
{
    const char *text = (const char *)field->at + 2;
    size_t size = field->size - 3; /* of the first line, if it is the only one */

    if (memchr(text, '\n', field->size - 2) != text + size)
        return true;
    return size ? !psn_form_is_line(text, size) : (rule->flags & PSN_RULE_MUST) != 0;
}

static enum psn_code read_lines(struct reader *reader, const struct psn_rule *rule,
                                struct psn_field *field, struct psn_error *err)
{
    struct psn_slice line;
    struct psn_slice rest;

    *field = (struct psn_field){ .at = reader->at, .form = PSN_FORM_LINES };
    while (peek_line(reader, &line) && begins(line, "", "| ", &rest))
        skip_line(reader, line);
    field->size = (size_t)(reader->at - field->at);
    return field->size && needs_lines(rule, field) ? PSN_OK : malformed(reader, err);
}

/* Neither empty, nor what could be read as it is. */
static enum psn_code read_base64(struct reader *reader, struct psn_slice text,
                                 struct psn_field *field, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;

    *field = (struct psn_field){ text.at, text.size, PSN_FORM_BASE64 };
    if (psn_field_secret(field, &value, NULL) ||
        psn_form_is_lines((const char *)psn_secret_bytes(value), psn_secret_size(value)))
        return malformed(reader, err);
    return PSN_OK;
}

/* Reads the field of a rule if the next line is it. */
static enum psn_code read_field(struct reader *reader, const struct psn_rule *rule,
                                struct psn_field *field, struct psn_error *err)
{
    struct psn_slice line;
    struct psn_slice rest;

    *field = (struct psn_field){ 0 };
    if (!peek_line(reader, &line))
        return rule->flags & PSN_RULE_MUST ? malformed(reader, err) : PSN_OK;
    if (begins(line, rule->name, ": ", &rest)) {
        if (!psn_form_is_line((const char *)rest.at, rest.size) ||
            !psn_rule_fits(rule, reader->version, (const char *)rest.at, rest.size))
            return malformed(reader, err);
        *field = (struct psn_field){ rest.at, rest.size, PSN_FORM_INLINE };
        skip_line(reader, line);
        return PSN_OK;
    }
    if ((rule->flags & PSN_RULE_LINES) && begins(line, rule->name, ":", &rest) &&
        !rest.size) {
        skip_line(reader, line);
        return read_lines(reader, rule, field, err);
    }
    if ((rule->flags & PSN_RULE_BASE64) && begins(line, rule->name, "-Base64: ", &rest)) {
        if (read_base64(reader, rest, field, err))
            return PSN_E_INTEGRITY;
        skip_line(reader, line);
        return PSN_OK;
    }
    return rule->flags & PSN_RULE_MUST ? malformed(reader, err) : PSN_OK;
}

/* The value of a field that does not stand behind its name; read_field() saw the others.
 */
static enum psn_code check_value(const struct reader *reader, const struct psn_rule *rule,
                                 const struct psn_field *field, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    enum psn_code rc;

    if (!field->at || field->form == PSN_FORM_INLINE)
        return PSN_OK;
    rc = psn_field_secret(field, &value, err);
    if (!rc &&
        !psn_rule_fits(rule, reader->version, (const char *)psn_secret_bytes(value),
                       psn_secret_size(value)))
        rc = malformed(reader, err);
    return rc;
}

static enum psn_code read_block(struct reader *reader, struct psn_block *block,
                                struct psn_error *err)
{
    struct psn_rules rules = psn_rules_of(block->kind);
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < rules.count; i++) {
        const struct psn_rule *rule = &rules.rules[i];

        if ((rule->flags & PSN_RULE_SECOND) && reader->version != 2)
            continue;
        rc = read_field(reader, rule, &block->fields[i], err);
        if (!rc)
            rc = check_value(reader, rule, &block->fields[i], err);
    }
    return rc;
}

/* Which block begins here: its first field tells. */
static bool next_kind(const struct reader *reader, enum psn_block_kind *ret_kind)
{
    struct psn_slice line;
    struct psn_slice rest;

    if (!peek_line(reader, &line))
        return false;
    for (enum psn_block_kind kind = PSN_BLOCK_ACCOUNT; kind <= PSN_BLOCK_END; kind++)
        if (begins(line, psn_rules_of(kind).rules[0].name, ":", &rest)) {
            *ret_kind = kind;
            return true;
        }
    return false;
}

static bool same(const struct psn_field *a, const struct psn_field *b)
{
    return a->size == b->size && memcmp(a->at, b->at, a->size) == 0;
}

/* A secret stands after its mailbox, or after another one of it, and names it. */
static bool is_of(const struct psn_block *last, const struct psn_block *secret)
{
    const struct psn_field *of = &secret->fields[PSN_SECRET_OF];

    return (last->kind == PSN_BLOCK_MAILBOX &&
            same(&last->fields[PSN_MAILBOX_ADDRESS], of)) ||
           (last->kind == PSN_BLOCK_SECRET && same(&last->fields[PSN_SECRET_OF], of));
}

/* Version 1: mailboxes with their secrets. Version 2: the account, then those, one
 * mailbox or more, then files. */
static bool is_in_place(const struct psn_document *document, const struct psn_block *next)
{
    const struct psn_block *last = &document->blocks[document->count - 1];
    bool is_second = document->version == 2;
    bool is_body;

    assert(document->blocks); /* the head is there */
    is_body = last->kind == PSN_BLOCK_MAILBOX || last->kind == PSN_BLOCK_SECRET;
    switch (next->kind) {
    case PSN_BLOCK_HEAD:
        return false;
    case PSN_BLOCK_ACCOUNT:
        return is_second && last->kind == PSN_BLOCK_HEAD;
    case PSN_BLOCK_MAILBOX:
        return is_body || last->kind == (is_second ? PSN_BLOCK_ACCOUNT : PSN_BLOCK_HEAD);
    case PSN_BLOCK_SECRET:
        return is_of(last, next);
    case PSN_BLOCK_FILE:
        return is_second && (is_body || last->kind == PSN_BLOCK_FILE);
    case PSN_BLOCK_END:
        return is_body || last->kind == PSN_BLOCK_FILE;
    }
    return false;
}

static enum psn_code append(struct psn_document *document, const struct psn_block *block,
                            struct psn_error *err)
{
    enum psn_code rc = PSN_GROW(document->blocks, document->count, err);

    if (!rc)
        document->blocks[document->count++] = *block;
    return rc;
}

static enum psn_code read_rest(struct reader *reader, struct psn_document *document,
                               struct psn_error *err)
{
    for (;;) {
        struct psn_block block = { 0 };
        struct psn_slice line;
        enum psn_code rc;

        if (!peek_line(reader, &line) || line.size)
            return malformed(reader, err);
        skip_line(reader, line);
        if (!next_kind(reader, &block.kind))
            return malformed(reader, err);
        rc = read_block(reader, &block, err);
        if (rc)
            return rc;
        if (!is_in_place(document, &block))
            return malformed(reader, err);
        if (block.kind == PSN_BLOCK_END)
            return PSN_OK;
        rc = append(document, &block, err);
        if (rc)
            return rc;
    }
}

void psn_document_release(struct psn_document *document)
{
    free(document->blocks);
    *document = (struct psn_document){ 0 };
}

/* What the first line says; whether the text is of that version, its rules tell. */
static unsigned claimed_version(const uint8_t *bytes, size_t size)
{
    static const char second[] = "Passation-Issue: 2\n";

    return size >= sizeof second - 1 && memcmp(bytes, second, sizeof second - 1) == 0 ? 2
                                                                                      : 1;
}

enum psn_code psn_document_parse(const struct psn_secret *text,
                                 struct psn_document *ret_document, struct psn_error *err)
{
    const uint8_t *bytes = psn_secret_bytes(text);
    size_t size = psn_secret_size(text);
    unsigned version = claimed_version(bytes, size);
    struct reader reader = { version, bytes, bytes + size, 1 };
    struct psn_document document = { .version = version };
    struct psn_block head = { .kind = PSN_BLOCK_HEAD };
    enum psn_code rc;

    if (size > document_max(version) || !psn_form_is_lines((const char *)bytes, size))
        return psn_fail(err, PSN_E_INTEGRITY, _("this is no issue of passation"));
    rc = read_block(&reader, &head, err);
    if (!rc)
        rc = append(&document, &head, err);
    if (!rc)
        rc = read_rest(&reader, &document, err);
    if (!rc)
        rc = psn_document_check(&document, err);
    if (rc) {
        psn_document_release(&document);
        return rc;
    }
    document.signed_size = (size_t)(reader.at - bytes);
    *ret_document = document;
    return PSN_OK;
}

/* --- values --- */

static enum psn_code join_lines(const struct psn_field *field, struct psn_secret *out,
                                struct psn_error *err)
{
    const uint8_t *at = field->at;
    const uint8_t *end = field->at + field->size;
    enum psn_code rc = PSN_OK;

    while (!rc && at < end) {
        const uint8_t *stop = memchr(at, '\n', (size_t)(end - at));

        rc = psn_secret_append(out, at + 2, (size_t)(stop - at) - 2, err);
        at = stop + 1;
        if (!rc && at < end)
            rc = psn_secret_append(out, "\n", 1, err);
    }
    return rc;
}

enum psn_code psn_field_secret(const struct psn_field *field,
                               struct psn_secret **ret_value, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    enum psn_code rc = psn_secret_new(field->size + 1, &value, err);
    size_t size = 0;

    if (!rc && field->form == PSN_FORM_LINES)
        rc = join_lines(field, value, err);
    else if (!rc && field->form == PSN_FORM_INLINE)
        rc = field->size ? psn_secret_append(value, field->at, field->size, err) : PSN_OK;
    else if (!rc) {
        if (!psn_base64_decode(PSN_BASE64, (const char *)field->at, field->size,
                               psn_secret_fill(value), field->size, &size))
            return psn_fail(err, PSN_E_INTEGRITY, _("a value of the issue is malformed"));
        psn_secret_set_size(value, size);
    }
    if (!rc)
        *ret_value = PSN_TAKE(value);
    return rc;
}

enum psn_code psn_field_text(const struct psn_field *field, char *ret_text, size_t size,
                             struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    enum psn_code rc = psn_field_secret(field, &value, err);
    size_t used = rc ? 0 : psn_secret_size(value);

    if (rc)
        return rc;
    if (used >= size || memchr(psn_secret_bytes(value), '\n', used))
        return psn_fail(err, PSN_E_INTEGRITY, _("a field of the issue is too long"));
    memcpy(ret_text, psn_secret_bytes(value), used);
    ret_text[used] = '\0';
    return PSN_OK;
}
