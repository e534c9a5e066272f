#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "cli/cli.h"
#include "cli/display.h"
#include "cli/due_list.h"
#include "cli/key_show.h"
#include "cli/linking.h"

/* The screen to look at in the morning: what there is, what is not finished, what to
 * do. */

enum {
    STATES = PSN_ROLE_RECEIVED + 1
};

struct status {
    struct cli *cli;
    struct cli_table *unfinished;
    struct cli_table *keys;
    struct cli_json *json;
    uint64_t roles[STATES];
    uint64_t role_count;
    uint64_t unlisted; /* not stable, not in the table: it would be too long */
    uint64_t listed;
    uint64_t ending; /* passwords that their service ends soon */
    int64_t now_s;
    uint64_t clients;
    uint64_t linked;
    uint64_t key_rows;
    uint64_t keys_to_renew; /* that end soon, or have ended */
    uint64_t keys_asked;
    uint64_t drift; /* departures that are open, and what happened without us */
    bool agent;
    int64_t idle_s;
    int64_t absolute_s;
};

enum {
    LISTED_MAX = 100,
    SOON_S = 14 * 24 * 3600
};

static const char *seen_word(enum psn_seen seen)
{
    switch (seen) {
    case PSN_SEEN_SAME:
        return "same";
    case PSN_SEEN_OLDER:
        return "newer";
    case PSN_SEEN_UNKNOWN:
        break;
    }
    return "unchecked";
}

static const char *seen_shown(enum psn_seen seen)
{
    switch (seen) {
    case PSN_SEEN_SAME:
        return _("as last seen here");
    case PSN_SEEN_OLDER:
        return _("newer than last seen here, and it goes on from there");
    case PSN_SEEN_UNKNOWN:
        break;
    }
    return _("not checkable here: this machine has not seen the vault before");
}

/* What a state asks of the user. */
static const char *advice(enum psn_role_state state)
{
    switch (state) {
    case PSN_ROLE_ROTATING:
    case PSN_ROLE_UNCERTAIN:
        return _("passation resume");
    case PSN_ROLE_STUCK:
        return _("look at it, then: passation resume --again");
    case PSN_ROLE_MISSING:
        return _("gone at OVH: passation ovh inventory");
    case PSN_ROLE_STABLE:
    case PSN_ROLE_RECEIVED:
        break;
    }
    return "";
}

static const char *state_shown(enum psn_role_state state)
{
    switch (state) {
    case PSN_ROLE_STABLE:
        return _("stable");
    case PSN_ROLE_ROTATING:
        return _("being changed");
    case PSN_ROLE_UNCERTAIN:
        return _("not known yet");
    case PSN_ROLE_STUCK:
        return _("stuck");
    case PSN_ROLE_MISSING:
        return _("missing");
    case PSN_ROLE_RECEIVED:
        return _("received");
    }
    return "";
}

/* --- gathering --- */

static void list_unfinished(struct status *status, const struct psn_role *role)
{
    if (status->json) {
        cli_json_open(status->json, NULL, '{');
        cli_json_text(status->json, "address", role->address);
        cli_json_text(status->json, "client", role->client);
        cli_json_text(status->json, "state", psn_role_state_name(role->state));
        cli_json_text(status->json, "reason", role->reason[0] ? role->reason : NULL);
        cli_json_close(status->json, '}');
        return;
    }
    if (status->listed == LISTED_MAX) {
        status->unlisted++;
        return;
    }
    status->listed++;
    cli_table_cell(status->unfinished, role->address);
    cli_table_cell(status->unfinished, state_shown(role->state));
    cli_table_cell(status->unfinished, advice(role->state));
    cli_table_cell(status->unfinished, role->reason);
}

static enum psn_code count_role(void *arg, const struct psn_role *role,
                                struct psn_error *err)
{
    struct status *status = arg;

    (void)err;
    status->role_count++;
    if ((unsigned)role->state < STATES)
        status->roles[role->state]++;
    if (role->expires_s && role->expires_s < status->now_s + SOON_S)
        status->ending++;
    if (role->state != PSN_ROLE_STABLE && role->state != PSN_ROLE_RECEIVED)
        list_unfinished(status, role);
    return PSN_OK;
}

static void list_key(struct status *status, const struct psn_client *client,
                     const struct cli_key *key)
{
    char expires[PSN_TIME_SIZE];
    char used[PSN_TIME_SIZE];
    char remark[128];

    status->keys_asked += key->state == CLI_KEY_ASKED;
    status->keys_to_renew +=
        key->use == PSN_KEY_WORK &&
        (key->state == CLI_KEY_EXPIRING || key->state == CLI_KEY_EXPIRED);
    if (status->json) {
        cli_key_json(status->json, client->id, key);
        return;
    }
    if (status->key_rows == LISTED_MAX && key->state == CLI_KEY_GOOD)
        return;
    if (status->key_rows++ == 0) {
        cli_table_cell(status->keys, _("API keys"));
        cli_table_cell(status->keys, _("for"));
        cli_table_cell(status->keys, _("expires"));
        cli_table_cell(status->keys, _("last use"));
        cli_table_cell(status->keys, "");
    }
    cli_table_cell(status->keys, client->id);
    cli_table_cell(status->keys, key->use == PSN_KEY_CUT ? _("cuts") : _("work"));
    cli_table_cell(status->keys,
                   key->state == CLI_KEY_ASKED || client->keys.is_account ? "-"
                   : key->expires_s ? cli_display_time(key->expires_s, expires)
                                    : _("never"));
    cli_table_cell(status->keys, cli_display_time(key->last_use_s, used));
    cli_table_cell(status->keys, cli_key_remark(key, remark, sizeof remark));
}

static enum psn_code list_keys(void *arg, const struct psn_client *client,
                               struct psn_error *err)
{
    struct status *status = arg;
    struct cli_key keys[CLI_KEYS_MAX];
    size_t count = cli_keys_of(client, keys);

    (void)err;
    for (size_t i = 0; i < count; i++)
        list_key(status, client, &keys[i]);
    return PSN_OK;
}

static enum psn_code count_client(void *arg, const struct psn_client *client,
                                  struct psn_error *err)
{
    struct status *status = arg;

    (void)err;
    status->clients++;
    status->linked += client->linked ? 1 : 0;
    return PSN_OK;
}

static enum psn_code gather(struct status *status, struct psn_error *err)
{
    struct psn_vault *vault = status->cli->vault;
    enum psn_code rc = psn_client_each(vault, count_client, status, err);

    status->now_s = psn_clock_now_s();
    if (!rc)
        rc = psn_role_each(vault, NULL, 0, false, count_role, status, err);
    status->agent = cli_agent_state(psn_vault_id(vault), &status->idle_s,
                                    &status->absolute_s, NULL) == PSN_OK;
    return rc;
}

static const char *id_shown(const struct psn_vault *vault,
                            char out[2 * PSN_VAULT_ID_SIZE + 1])
{
    for (size_t i = 0; i < PSN_VAULT_ID_SIZE; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", psn_vault_id(vault)[i]);
    return out;
}

/* --- for programs --- */

static void put_counts(struct cli_json *json, const struct status *status)
{
    cli_json_open(json, "clients", '{');
    cli_json_number(json, "count", (int64_t)status->clients);
    cli_json_number(json, "linked", (int64_t)status->linked);
    cli_json_close(json, '}');
    cli_json_open(json, "roles", '{');
    cli_json_number(json, "count", (int64_t)status->role_count);
    for (int i = 0; i < STATES; i++)
        cli_json_number(json, psn_role_state_name((enum psn_role_state)i),
                        (int64_t)status->roles[i]);
    cli_json_number(json, "ending", (int64_t)status->ending);
    cli_json_close(json, '}');
    cli_json_open(json, "agent", '{');
    cli_json_bool(json, "unlocked", status->agent);
    if (status->agent) {
        cli_json_number(json, "idle_s", status->idle_s);
        cli_json_number(json, "absolute_s", status->absolute_s);
    }
    cli_json_close(json, '}');
}

static enum psn_code read_drift(struct cli *cli, struct cli_due_list *drift,
                                struct psn_error *err)
{
    enum psn_code rc = cli_due_list_read(cli, NULL, drift, err);

    if (!rc)
        cli_due_list_keep_drift(drift);
    return rc;
}

static enum psn_code put_known(void *arg, const char *client, struct psn_error *err)
{
    (void)err;
    cli_json_text(arg, NULL, client);
    return PSN_OK;
}

static enum psn_code print_json(struct cli *cli, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct status status = { .cli = cli, .json = &json };
    struct cli_due_list drift = { 0 };
    char id[2 * PSN_VAULT_ID_SIZE + 1];
    enum psn_code rc;

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "vault", psn_vault_path(cli->vault));
    cli_json_text(&json, "id", id_shown(cli->vault, id));
    cli_json_text(&json, "generation", seen_word(psn_vault_seen(cli->vault)));
    cli_json_open(&json, "unfinished", '[');
    rc = gather(&status, err);
    cli_json_close(&json, ']');
    cli_json_open(&json, "keys", '[');
    if (!rc)
        rc = psn_client_each(cli->vault, list_keys, &status, err);
    cli_json_close(&json, ']');
    cli_json_open(&json, "keys_to_replace", '[');
    if (!rc)
        rc = psn_due_credential_each(cli->vault, put_known, &json, err);
    cli_json_close(&json, ']');
    if (!rc)
        rc = read_drift(cli, &drift, err);
    cli_due_list_json(&json, "drift", &drift);
    cli_due_list_release(&drift);
    put_counts(&json, &status);
    cli_json_close(&json, '}');
    return rc ? rc : cli_json_print(cli, &json, err);
}

/* --- for people --- */

static void print_facts(const struct status *status)
{
    struct cli *cli = status->cli;
    PSN_AUTO(cli_table) *table = cli_table_new(2);
    char text[128];

    cli_table_cell(table, _("Vault"));
    cli_table_cell(table, psn_vault_path(cli->vault));
    cli_table_cell(table, _("State"));
    cli_table_cell(table, seen_shown(psn_vault_seen(cli->vault)));
    cli_table_cell(table, _("Clients"));
    (void)snprintf(text, sizeof text,
                   _("%" PRIu64 ", of which %" PRIu64 " linked to OVH"), status->clients,
                   status->linked);
    cli_table_cell(table, text);
    cli_table_cell(table, _("Mailboxes"));
    (void)snprintf(text, sizeof text, _("%" PRIu64 ", of which %" PRIu64 " stable"),
                   status->role_count, status->roles[PSN_ROLE_STABLE]);
    cli_table_cell(table, text);
    if (status->ending > 0) {
        cli_table_cell(table, _("Ending soon"));
        (void)snprintf(text, sizeof text,
                       PSN_NGETTEXT("%llu password that its service ends within 14 days; "
                                    "change it: passation rotate",
                                    "%llu passwords that their services end within 14 "
                                    "days; change them: passation rotate",
                                    (unsigned long)status->ending),
                       (unsigned long long)status->ending);
        cli_table_cell(table, text);
    }
    cli_table_cell(table, _("Agent"));
    if (status->agent)
        (void)snprintf(
            text, sizeof text,
            _("unlocked, until unused for %lld min, for %lld h %02lld min at most"),
            (long long)(status->idle_s + 59) / 60,
            (long long)(status->absolute_s + 59) / 3600,
            (long long)(status->absolute_s + 59) % 3600 / 60);
    cli_table_cell(table, status->agent ? text : _("locked"));
    cli_table_print(cli, table);
}

static void print_next_step(const struct status *status)
{
    struct cli *cli = status->cli;

    if (status->clients == 0)
        cli_print(cli, _("\nNext: passation client add ID --nic NIC --domain DOMAIN\n"));
    else if (status->linked == 0)
        cli_print(cli, _("\nNext: passation ovh link CLIENT\n"));
    else if (status->role_count == 0)
        cli_print(cli, _("\nNext: passation ovh inventory CLIENT\n"));
    else if (status->listed == 0 && status->drift == 0)
        cli_print(cli, _("\nNothing is left to be finished.\n"));
}

static enum psn_code print_keys(struct status *status, struct psn_error *err)
{
    PSN_AUTO(cli_table) *keys = cli_table_new(5);
    struct cli *cli = status->cli;
    enum psn_code rc;

    status->keys = keys;
    rc = keys ? psn_client_each(cli->vault, list_keys, status, err)
              : psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (rc || status->key_rows == 0)
        return rc;
    cli_print(cli, "\n");
    cli_table_print(cli, keys);
    if (status->keys_to_renew > 0)
        cli_warn(cli,
                 PSN_NGETTEXT("%llu API key ends soon or has ended: passation ovh link "
                              "CLIENT --new",
                              "%llu API keys end soon or have ended: passation ovh link "
                              "CLIENT --new",
                              (unsigned long)status->keys_to_renew),
                 (unsigned long long)status->keys_to_renew);
    if (status->keys_asked > 0)
        cli_note(cli, _("Look whether an owner has approved: passation resume"));
    return PSN_OK;
}

/* What the last look at OVH, or a login, has told. */
static enum psn_code print_drift(struct status *status, struct psn_error *err)
{
    struct cli_due_list drift = { 0 };
    enum psn_code rc = read_drift(status->cli, &drift, err);

    status->drift = drift.count;
    if (!rc && drift.count > 0) {
        cli_print(status->cli, "\n%s\n", _("To be looked at:"));
        rc = cli_due_print(status->cli, &drift, err);
    }
    cli_due_list_release(&drift);
    return rc;
}

static enum psn_code warn_known(void *arg, const char *client, struct psn_error *err)
{
    (void)err;
    cli_warn(arg, _("a leaver may know the API key for %s: passation ovh link %s --new"),
             client, client);
    return PSN_OK;
}

static enum psn_code run_status(struct cli *cli, const void *options,
                                struct psn_error *err)
{
    PSN_AUTO(cli_table) *unfinished = NULL;
    struct status status = { .cli = cli };
    enum psn_code rc;

    (void)options;
    if (cli->json)
        return print_json(cli, err);
    unfinished = cli_table_new(4);
    status.unfinished = unfinished;
    rc = gather(&status, err);
    if (rc)
        return rc;
    print_facts(&status);
    rc = print_keys(&status, err);
    if (!rc)
        rc = psn_due_credential_each(cli->vault, warn_known, cli, err);
    if (rc)
        return rc;
    if (status.listed > 0) {
        cli_print(cli, "\n%s\n", _("Not finished:"));
        cli_table_print(cli, unfinished);
    }
    if (status.unlisted > 0)
        cli_print(cli,
                  PSN_NGETTEXT("and %llu more: passation role ls\n",
                               "and %llu more: passation role ls\n",
                               (unsigned long)status.unlisted),
                  (unsigned long long)status.unlisted);
    rc = print_drift(&status, err);
    if (!rc)
        print_next_step(&status);
    return rc;
}

const struct cli_command cmd_status = {
    .name = "status",
    .summary = N_("say how things stand, and what is left to do"),
    .examples = N_("passation status\twhat is there, what is not finished\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .run = run_status,
};
