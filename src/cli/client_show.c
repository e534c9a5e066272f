#include "cli/client_show.h"

#include <stdio.h>

#include "base/buf.h"
#include "cli/display.h"
#include "cli/key_show.h"

enum {
    DOMAINS_TEXT_MAX = PSN_CLIENT_DOMAINS_MAX * (PSN_DOMAIN_NAME_MAX + 2)
};

static void put_keys_json(struct cli_json *json, const struct psn_client *client)
{
    struct cli_key keys[CLI_KEYS_MAX];
    size_t count =
        cli_keys_of(client->linked, client->key_expires_s, &client->keys, keys);

    cli_json_open(json, "keys", '[');
    for (size_t i = 0; i < count; i++)
        cli_key_json(json, NULL, &keys[i]);
    cli_json_close(json, ']');
}

void cli_client_json(struct cli_json *json, const char *name,
                     const struct psn_client *client)
{
    const struct psn_client_limits *limits = &client->limits;

    cli_json_open(json, name, '{');
    cli_json_text(json, "id", client->id);
    cli_json_text(json, "name", client->name);
    cli_json_text(json, "nic", client->nic);
    cli_json_open(json, "domains", '[');
    for (size_t i = 0; i < client->domain_count; i++)
        cli_json_text(json, NULL, client->domains[i]);
    cli_json_close(json, ']');
    cli_json_text(json, "endpoint", client->endpoint);
    cli_json_text(json, "imap", client->imap[0] ? client->imap : NULL);
    cli_json_text(json, "smtp", client->smtp[0] ? client->smtp : NULL);
    cli_json_open(json, "limits", '{');
    cli_json_number(json, "rate_per_min", limits->rate_per_min);
    cli_json_number(json, "settle_s", limits->settle_s);
    cli_json_number(json, "login_cache_s", limits->login_cache_s);
    cli_json_number(json, "failed_logins", limits->failed_logins);
    cli_json_number(json, "failed_logins_window_s", limits->failed_logins_window_s);
    cli_json_close(json, '}');
    cli_json_bool(json, "linked", client->linked);
    cli_json_text(json, "owner", client->owner[0] ? client->owner : NULL);
    cli_json_text(json, "linked_nic", client->linked_nic[0] ? client->linked_nic : NULL);
    cli_json_time(json, "key_expires_at", client->key_expires_s);
    put_keys_json(json, client);
    cli_json_time(json, "created_at", client->created_s);
    cli_json_close(json, '}');
}

static const char *duration(int64_t seconds, char out[32])
{
    long long s = (long long)seconds;

    if (s > 0 && s % 3600 == 0)
        (void)snprintf(out, 32, "%lldh", s / 3600);
    else if (s > 0 && s % 60 == 0)
        (void)snprintf(out, 32, "%lldm", s / 60);
    else
        (void)snprintf(out, 32, "%llds", s);
    return out;
}

static void put_limits(struct cli_table *table, const struct psn_client_limits *limits)
{
    char text[64];
    char window[32];

    if (limits->rate_per_min > 0)
        (void)snprintf(text, sizeof text, "%lu/min", (unsigned long)limits->rate_per_min);
    cli_display_row(table, _("Calls"), limits->rate_per_min > 0 ? text : _("no limit"));
    cli_display_row(table, _("Settle"), duration(limits->settle_s, window));
    cli_display_row(table, _("Login cache"), duration(limits->login_cache_s, window));
    (void)snprintf(text, sizeof text, "%lu/%s", (unsigned long)limits->failed_logins,
                   duration(limits->failed_logins_window_s, window));
    cli_display_row(table, _("Failed logins"), text);
}

/* "2027-02-26T08:00:00Z", and what to do about it. */
static void put_key(struct cli_table *table, const char *label, const struct cli_key *key)
{
    char time[PSN_TIME_SIZE];
    char remark[128];
    char text[192];

    (void)cli_key_remark(key, remark, sizeof remark);
    if (key->state == CLI_KEY_ASKED)
        (void)snprintf(text, sizeof text, "%s", remark);
    else
        (void)snprintf(text, sizeof text, "%s%s%s",
                       key->expires_s ? cli_display_time(key->expires_s, time)
                                      : _("never"),
                       remark[0] ? ": " : "", remark);
    cli_display_row(table, label, text);
}

static void put_last_use(struct cli_table *table, const struct cli_key *key)
{
    char used[PSN_TIME_SIZE];
    char read[PSN_TIME_SIZE];
    char text[128];

    if (key->read_s == 0)
        return;
    (void)snprintf(text, sizeof text, _("%s, as OVH said on %s"),
                   key->last_use_s ? cli_display_time(key->last_use_s, used) : _("never"),
                   cli_display_time(key->read_s, read));
    cli_display_row(table, _("Last use"), text);
}

static void put_link_key(struct cli_table *table, const struct cli_key *key,
                         bool is_account)
{
    bool is_asked = key->state == CLI_KEY_ASKED;

    if (key->use == PSN_KEY_CUT)
        put_key(table, is_asked ? _("New key for cuts") : _("Key for cuts expires"), key);
    else if (is_asked || !is_account)
        put_key(table, is_asked ? _("New key") : _("Key expires"), key);
    if (key->use == PSN_KEY_WORK && !is_asked && !is_account)
        put_last_use(table, key);
}

static void put_link(struct cli_table *table, const struct psn_client *client)
{
    struct cli_key keys[CLI_KEYS_MAX];
    size_t count =
        cli_keys_of(client->linked, client->key_expires_s, &client->keys, keys);

    if (client->linked)
        cli_display_row(
            table, client->keys.is_account ? _("Service account of") : _("API key of"),
            client->linked_nic);
    else
        cli_display_row(table, _("API key"), _("none: not linked"));
    for (size_t i = 0; i < count; i++)
        put_link_key(table, &keys[i], client->keys.is_account);
}

/* Whose the accesses are, and since what. */
static void put_owner(struct cli_table *table, const struct psn_client *client)
{
    char text[PSN_PERSON_ID_MAX + 128];

    if (!client->owner[0])
        return;
    (void)snprintf(text, sizeof text, "%s%s", client->owner,
                   client->handover_s   ? _(": it is being handed over")
                   : client->envelope_s ? _(": by the recovery envelope")
                                        : "");
    cli_display_row(table, _("Owner"), text);
}

enum psn_code cli_client_print(struct cli *cli, const struct psn_client *client,
                               struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(2);
    PSN_AUTO_RELEASE(psn_buf) domains = psn_buf_init(DOMAINS_TEXT_MAX);
    char time[PSN_TIME_SIZE];
    enum psn_code rc;

    for (size_t i = 0; i < client->domain_count; i++)
        psn_buf_format(&domains, "%s%s", i ? ", " : "", client->domains[i]);
    rc = psn_buf_check(&domains, err);
    if (rc)
        return rc;
    if (!table)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    cli_display_row(table, _("Client"), client->id);
    cli_display_row(table, _("Name"), client->name);
    cli_display_row(table, _("OVH account"), client->nic);
    cli_display_row(table, _("Domains"), psn_buf_str(&domains));
    put_owner(table, client);
    cli_display_row(table, _("Endpoint"), client->endpoint);
    if (client->imap[0])
        cli_display_row(table, "IMAP", client->imap);
    if (client->smtp[0])
        cli_display_row(table, "SMTP", client->smtp);
    put_limits(table, &client->limits);
    put_link(table, client);
    cli_display_row(table, _("Added"), cli_display_time(client->created_s, time));
    cli_table_print(cli, table);
    return PSN_OK;
}
