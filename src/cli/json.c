#include <assert.h>
#include <string.h>

#include "base/clock.h"
#include "base/json_quote.h"
#include "cli/cli.h"
#include "cli/output.h"

/*
 * A writer, not a tree: what is printed is known in order. The text is wiped, since some
 * of it may be secrets.
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

static void begin_value(struct cli_json *json, const char *name)
{
    if (json->comma)
        psn_buf_text(&json->text, ", ");
    json->comma = true;
    if (!name)
        return;
    psn_json_quote(&json->text, name, strlen(name));
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
        psn_json_quote(&json->text, value, strlen(value));
    else
        psn_buf_text(&json->text, "null");
}

void cli_json_secret(struct cli_json *json, const char *name,
                     const struct psn_secret *value)
{
    begin_value(json, name);
    psn_json_quote(&json->text, (const char *)psn_secret_bytes(value),
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
