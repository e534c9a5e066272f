#include "support/foreign_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/stream.h"

static void put(struct psn_buf *out, const char *name, const char *text)
{
    if (text[0])
        psn_buf_format(out, "%s=%s;", name, text);
}

enum psn_code foreign_write_down(void *arg, const struct psn_foreign *entry,
                                 struct psn_error *err)
{
    struct psn_buf *out = arg;

    put(out, "g", entry->group);
    put(out, "t", entry->title);
    put(out, "u", entry->user);
    if (entry->password_size)
        psn_buf_format(out, "p=%.*s;", (int)entry->password_size, entry->password);
    put(out, "w", entry->url);
    put(out, "n", entry->note);
    put(out, "o", entry->totp);
    put(out, "e", entry->expires);
    put(out, "k", entry->type);
    put(out, "c", entry->used);
    if (entry->note_kind == PSN_FOREIGN_NOTE_SECRET)
        psn_buf_text(out, "sealed;");
    if (entry->note_kind == PSN_FOREIGN_NOTE_OPEN)
        psn_buf_text(out, "open;");
    for (size_t i = 0; i < entry->field_count; i++)
        psn_buf_format(out, "%s%s%s=%s;", entry->fields[i].is_secret ? "!" : "",
                       entry->fields[i].is_lost ? "lost " : "", entry->fields[i].name,
                       entry->fields[i].value);
    if (entry->problem[0])
        psn_buf_text(out, "problem;");
    psn_buf_char(out, '\n');
    return psn_buf_check(out, err);
}

enum psn_code foreign_read(enum foreign_kind kind, const char *text, size_t size,
                           const struct psn_csv_column *map, size_t map_count,
                           struct psn_buf *out, struct psn_error *err)
{
    struct psn_stream_memory memory = { .bytes = text, .size = size };
    struct psn_source source = psn_source_memory(&memory);

    psn_buf_text(out, "");
    if (kind == FOREIGN_CSV)
        return psn_csv_read(&source, map, map_count, foreign_write_down, out, err);
    return kind == FOREIGN_XML
               ? psn_keepass_xml_read(&source, foreign_write_down, out, err)
               : psn_bitwarden_read(&source, foreign_write_down, out, err);
}

void foreign_expect(enum foreign_kind kind, const char *text, const char *wanted)
{
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1024 * 1024);
    struct psn_error err = { 0 };

    if (foreign_read(kind, text, strlen(text), NULL, 0, &out, &err))
        fail_msg("%s: %s", text, err.message);
    assert_string_equal(psn_buf_str(&out), wanted);
}

void foreign_refuse(enum foreign_kind kind, const char *text, const char *message)
{
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1024 * 1024);
    struct psn_error err = { 0 };
    enum psn_code rc = foreign_read(kind, text, strlen(text), NULL, 0, &out, &err);

    assert_int_equal(rc, PSN_E_INVALID);
    assert_int_equal(err.code, rc);
    if (!strstr(err.message, message))
        fail_msg("%s: %s", text, err.message);
}
