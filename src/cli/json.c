#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/output.h"

/*
 * A writer, not a tree: what is printed is known in order. The text is wiped, since some
 * of it may be secrets. All that a terminal could obey is escaped, so that JSON is as
 * harmless to look at as the rest of the output.
 */
enum {
    TEXT_MAX = 256 * 1024 * 1024, /* a list of 100 000 roles takes about 20 MB */
};

struct cli_json cli_json_init(void)
{
    return (struct cli_json){ .text = psn_buf_init_wiped(TEXT_MAX) };
}

void cli_json_release(struct cli_json *json)
{
    psn_buf_release(&json->text);
    json->depth = 0;
    json->comma = false;
}

/* --- strings -------------------------------------------------------------------------
 */

/* The length of the UTF-8 character at at[0], or 0 if there is none. */
static size_t character_size(const char *at, size_t size)
{
    unsigned char lead = (unsigned char)at[0];
    size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;

    return length <= size && psn_text_is_utf8(at, length) ? length : 0;
}

static uint32_t code_point(const char *at, size_t length)
{
    uint32_t point = (unsigned char)at[0];

    if (length > 1)
        point &= 0xffU >> (length + 1);
    for (size_t i = 1; i < length; i++)
        point = point << 6 | ((unsigned char)at[i] & 0x3fU);
    return point;
}

static void put_escaped(struct psn_buf *text, uint32_t point)
{
    if (point == '\n')
        psn_buf_text(text, "\\n");
    else if (point == '\t')
        psn_buf_text(text, "\\t");
    else if (point == '\r')
        psn_buf_text(text, "\\r");
    else if (point < 0x10000)
        psn_buf_format(text, "\\u%04x", (unsigned)point);
    else
        psn_buf_format(text, "\\u%04x\\u%04x",
                       (unsigned)(0xd800 + ((point - 0x10000) >> 10)),
                       (unsigned)(0xdc00 + ((point - 0x10000) & 0x3ff)));
}

static void put_string(struct psn_buf *text, const char *bytes, size_t size)
{
    psn_buf_char(text, '"');
    for (size_t i = 0; i < size;) {
        size_t length = bytes[i] ? character_size(bytes + i, size - i) : 0;

        if (bytes[i] == '\0') {
            put_escaped(text, 0);
            length = 1;
        } else if (length == 0) {
            psn_buf_text(text, "\xef\xbf\xbd"); /* U+FFFD */
            length = 1;
        } else if (bytes[i] == '"' || bytes[i] == '\\') {
            psn_buf_char(text, '\\');
            psn_buf_char(text, bytes[i]);
        } else if (!psn_text_is_plain(bytes + i, length)) {
            put_escaped(text, code_point(bytes + i, length));
        } else {
            psn_buf_bytes(text, bytes + i, length);
        }
        i += length;
    }
    psn_buf_char(text, '"');
}

/* --- values --------------------------------------------------------------------------
 */

static void begin_value(struct cli_json *json, const char *name)
{
    if (json->comma)
        psn_buf_text(&json->text, ", ");
    json->comma = true;
    if (!name)
        return;
    put_string(&json->text, name, strlen(name));
    psn_buf_text(&json->text, ": ");
}

void cli_json_open(struct cli_json *json, const char *name, char bracket)
{
    assert(bracket == '{' || bracket == '[');
    begin_value(json, name);
    psn_buf_char(&json->text, bracket);
    json->depth++;
    json->comma = false;
}

void cli_json_close(struct cli_json *json, char bracket)
{
    assert(bracket == '}' || bracket == ']');
    assert(json->depth > 0);
    psn_buf_char(&json->text, bracket);
    json->depth--;
    json->comma = true;
}

void cli_json_text(struct cli_json *json, const char *name, const char *value)
{
    begin_value(json, name);
    if (value)
        put_string(&json->text, value, strlen(value));
    else
        psn_buf_text(&json->text, "null");
}

void cli_json_secret(struct cli_json *json, const char *name,
                     const struct psn_secret *value)
{
    begin_value(json, name);
    put_string(&json->text, (const char *)psn_secret_bytes(value),
               psn_secret_size(value));
}

void cli_json_number(struct cli_json *json, const char *name, int64_t value)
{
    begin_value(json, name);
    psn_buf_format(&json->text, "%lld", (long long)value);
}

void cli_json_bool(struct cli_json *json, const char *name, bool value)
{
    begin_value(json, name);
    psn_buf_text(&json->text, value ? "true" : "false");
}

void cli_json_null(struct cli_json *json, const char *name)
{
    cli_json_text(json, name, NULL);
}

void cli_json_tristate(struct cli_json *json, const char *name, enum psn_tristate value)
{
    if (value == PSN_UNASKED)
        cli_json_null(json, name);
    else
        cli_json_bool(json, name, value == PSN_TRUE);
}

void cli_json_time(struct cli_json *json, const char *name, int64_t time_s)
{
    char text[PSN_TIME_SIZE];

    cli_json_text(json, name, time_s == 0 ? NULL : psn_clock_format(time_s, text));
}

enum psn_code cli_json_print(struct cli *cli, struct cli_json *json,
                             struct psn_error *err)
{
    enum psn_code rc;

    assert(json->depth == 0);
    psn_buf_char(&json->text, '\n');
    rc = psn_buf_check(&json->text, err);
    if (!rc)
        rc = cli_write(cli, json->text.data, json->text.size, err);
    psn_buf_reset(&json->text);
    json->comma = false;
    return rc;
}
