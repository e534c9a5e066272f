#include "cli/display.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/until.h"

const char *cli_display_moment(int64_t time_s, char out[PSN_TIME_SIZE])
{
    enum {
        HOUR_S = 3600
    };
    char text[96];
    struct tm local;

    out[0] = '\0';
    if (!time_s)
        return out;
    cli_until_local(time_s, &local);
    (void)snprintf(text, sizeof text, _("%04d-%02d-%02d %02d:%02d %+03ld"),
                   local.tm_year + 1900, local.tm_mon + 1, local.tm_mday, local.tm_hour,
                   local.tm_min, local.tm_gmtoff / HOUR_S);
    (void)snprintf(out, PSN_TIME_SIZE, "%.*s", PSN_TIME_SIZE - 1, text);
    return out;
}

const char *cli_display_time(int64_t time_s, char out[PSN_TIME_SIZE])
{
    return time_s ? cli_display_moment(time_s, out) : "-";
}

const char *cli_display_day(const char *day, char out[CLI_CLOCK_MAX])
{
    int year;
    int month;
    int number;

    if (psn_clock_parse_date(day, &year, &month, &number))
        (void)snprintf(out, CLI_CLOCK_MAX, _("%04d-%02d-%02d"), year, month, number);
    else
        (void)snprintf(out, CLI_CLOCK_MAX, "%s", day);
    return out;
}

const char *cli_display_grouped(uint64_t number, char out[48])
{
    static const char gap[] = "\xc2\xa0";
    char digits[24];
    size_t size =
        (size_t)snprintf(digits, sizeof digits, "%llu", (unsigned long long)number);
    size_t used = 0;

    for (size_t i = 0; i < size; i++) {
        if (i && (size - i) % 3 == 0) {
            memcpy(out + used, gap, sizeof gap - 1);
            used += sizeof gap - 1;
        }
        out[used++] = digits[i];
    }
    out[used] = '\0';
    return out;
}

void cli_display_word(struct psn_buf *out, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789@._:+-/";
    PSN_AUTO_FREE char *quoted = NULL;
    size_t size = 4 * strlen(word) + sizeof "''";

    if (word[0] && word[0] != '-' && !word[strspn(word, plain)]) {
        psn_buf_text(out, word);
        return;
    }
    quoted = malloc(size + 4);
    psn_buf_text(out, quoted ? psn_text_quoted(word, quoted, size + 4) : word);
}

/* An option begins with a '-', and stays as it is. */
static bool is_plain_word(const char *word)
{
    return word[0] && strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789@._+-/:=,") == strlen(word);
}

void cli_display_command(struct psn_buf *out, const char *const *words, size_t count)
{
    psn_buf_text(out, "passation");
    for (size_t i = 0; i < count; i++) {
        psn_buf_char(out, ' ');
        if (is_plain_word(words[i]))
            psn_buf_text(out, words[i]);
        else
            cli_display_word(out, words[i]);
    }
}

const char *cli_display_task(const char *proof, char *out, size_t size)
{
    static const char head[] = "OVH task ";
    const char *number = proof + sizeof head - 1;

    if (strncmp(proof, head, sizeof head - 1) != 0)
        return "";
    (void)snprintf(out, size, _("task %.*s"), (int)strspn(number, "0123456789"), number);
    return out;
}

const char *cli_display_count(uint64_t number, char out[24])
{
    if (number == 0)
        return "-";
    (void)snprintf(out, 24, "%llu", (unsigned long long)number);
    return out;
}

void cli_display_json_count(struct cli_json *json, const char *name, uint64_t number)
{
    if (number == 0)
        cli_json_null(json, name);
    else
        cli_json_number(json, name, (int64_t)number);
}

void cli_display_json_secret(struct cli_json *json, const struct psn_secret_info *info)
{
    cli_json_text(json, "address", info->address);
    cli_json_text(json, "label", info->label);
    cli_json_text(json, "type", info->type);
    cli_json_text(json, "user", info->user);
    cli_json_text(json, "url", info->url);
    cli_json_text(json, "note", info->note);
    cli_json_text(json, "expires", info->expires[0] ? info->expires : NULL);
    cli_json_text(json, "unchangeable",
                  info->unchangeable[0] ? info->unchangeable : NULL);
    cli_display_json_count(json, "version", info->version);
    cli_json_time(json, "changed_at", info->changed_s);
    if (info->code_count == 0)
        return;
    cli_json_open(json, "codes", '{');
    cli_json_number(json, "count", (int64_t)info->code_count);
    cli_json_number(json, "left", (int64_t)psn_recovery_left(info));
    cli_json_close(json, '}');
}

const char *cli_display_state(const struct psn_role *role)
{
    switch (role->state) {
    case PSN_ROLE_STABLE:
        return role->doubt == PSN_DOUBT_NONE ? _("stable") : _("in doubt");
    case PSN_ROLE_ROTATING:
        return _("rotating");
    case PSN_ROLE_UNCERTAIN:
        return _("uncertain");
    case PSN_ROLE_STUCK:
        return _("stuck");
    case PSN_ROLE_MISSING:
        return _("missing");
    case PSN_ROLE_RECEIVED:
        return _("received");
    }
    return psn_role_state_name(role->state);
}

void cli_display_json_platform(struct cli_json *json, const struct psn_role *role)
{
    cli_json_text(json, "platform", role->platform[0] ? role->platform : NULL);
    cli_json_time(json, "ovh_changed_at", role->ovh_changed_s);
    cli_json_time(json, "expires_at", role->expires_s);
    cli_json_open(json, "platforms", '[');
    for (size_t i = 0; i < role->platform_count; i++) {
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "platform", role->platforms[i].name);
        cli_json_time(json, "until", role->platforms[i].until_s);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

void cli_display_row(struct cli_table *table, const char *label, const char *value)
{
    cli_table_cell(table, label);
    cli_table_cell(table, value[0] ? value : "-");
}

const char *cli_display_fate(const struct psn_exposure *exposure)
{
    if (exposure->outside)
        return _("not known: changed by somebody else");
    if (exposure->dying)
        return _("replaced, not proved refused");
    if (exposure->lasting)
        return _("in force, and nobody can change it");
    return exposure->in_force ? _("in force") : _("replaced");
}

const char *cli_display_how(enum psn_how how)
{
    switch (how) {
    case PSN_HOW_CREATED:
        return _("made it");
    case PSN_HOW_TYPED:
        return _("typed it");
    case PSN_HOW_SHOWN:
        return _("saw it");
    case PSN_HOW_COPIED:
        return _("copied it");
    case PSN_HOW_QR:
        return _("saw its QR code");
    case PSN_HOW_PRINTED:
        return _("printed it");
    case PSN_HOW_EXPORTED:
        return _("exported it");
    case PSN_HOW_ISSUED:
        return _("was issued it");
    case PSN_HOW_REACHED:
        return _("could open the vault");
    case PSN_HOW_ACCESS:
        return _("had another way in");
    case PSN_HOW_RETURNED:
        return _("may know it from before");
    }
    return "";
}

static enum psn_code look_for_url(void *arg, const struct psn_client *client,
                                  struct psn_error *err)
{
    bool *found = arg;

    (void)err;
    *found = *found || strncmp(client->endpoint, "https://", 8) == 0 || client->imap[0] ||
             client->smtp[0];
    return PSN_OK;
}

enum psn_code cli_display_ca(struct cli *cli, struct psn_error *err)
{
    bool found = false;
    enum psn_code rc;

    if (!cli->ca_file || cli->ca_noted)
        return PSN_OK;
    rc = psn_client_each(cli->vault, look_for_url, &found, err);
    if (!rc && found)
        cli_note_ca(cli);
    return rc;
}
