#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/display.h"
#include "cli/due_list.h"
#include "cli/key_show.h"
#include "cli/linking.h"
#include "cli/output.h"
#include "cli/status.h"

/* The screen to look at in the morning: what there is, what is not finished, what to
 * do. */

struct cmd_status_options {
    bool all;
};

static const struct cli_option status_options[] = {
    { "all", 0, CLI_FLAG, offsetof(struct cmd_status_options, all), NULL,
      N_("every client and line, not the first ones only") },
    { 0 },
};

enum {
    LISTED = 20, /* rows of a table, unless all are asked for */
};

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

static void release(struct cli_status *status)
{
    psn_overview_free(status->overview);
    cli_due_list_release(&status->due);
}

/* A departure is of no client: it is listed with those of whom the leaver still knows
 * something. */
static bool wants_due(const struct cli_status *status, const struct psn_due *due)
{
    const struct psn_overview *overview = status->overview;

    for (size_t i = 0; due->kind == PSN_DUE_DEPARTURE && i < overview->left_count; i++)
        if (strcmp(overview->left[i].person, due->person) == 0 &&
            cli_status_wants(status, overview->left[i].client))
            return true;
    return cli_status_wants(status, due->client);
}

static enum psn_code add_due(struct cli_status *status, struct psn_error *err)
{
    const struct psn_overview *overview = status->overview;
    struct cli_due_list *list = &status->due;
    const char *waits;

    list->items = calloc(overview->due_count + 1, sizeof *list->items);
    if (!list->items)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < overview->due_count; i++)
        if (wants_due(status, &overview->due[i]))
            list->items[list->count++] = overview->due[i];
    status->can_apply = cli_due_list_can_apply(list);
    waits = cli_due_waits_for_code(list);
    (void)snprintf(status->waits, sizeof status->waits, "%s", waits ? waits : "");
    return status->client ? PSN_OK : cli_due_list_add_unstated(status->cli, list, err);
}

static enum psn_code gather(struct cli_status *status, struct psn_error *err)
{
    struct psn_vault *vault = status->cli->vault;
    struct psn_client known = { 0 };
    enum psn_code rc =
        status->client ? psn_client_get(vault, status->client, &known, err) : PSN_OK;

    psn_client_release(&known);
    if (!rc)
        rc = psn_overview_get(vault, &status->overview, err);
    if (!rc)
        rc = add_due(status, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < status->overview->client_count; i++)
        status->linked += status->overview->clients[i].linked ? 1 : 0;
    for (size_t i = 0; i < status->overview->end_count; i++)
        status->ending += status->overview->ends[i].kind == PSN_END_PASSWORD;
    status->agent = cli_agent_state(psn_vault_id(vault), &status->idle_s,
                                    &status->absolute_s, NULL) == PSN_OK;
    return PSN_OK;
}

/* --- for people --- */

static void print_facts(const struct cli_status *status)
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
                   _("%" PRIu64 ", of which %" PRIu64 " linked to OVH"),
                   (uint64_t)status->overview->client_count, status->linked);
    cli_table_cell(table, text);
    cli_table_cell(table, _("Mailboxes"));
    (void)snprintf(text, sizeof text, _("%" PRIu64 ", of which %" PRIu64 " stable"),
                   (uint64_t)status->overview->role_count,
                   (uint64_t)status->overview->roles[PSN_ROLE_STABLE]);
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

/* --- client by client --- */

static const char *column_shown(enum psn_overview_column column)
{
    switch (column) {
    case PSN_OVERVIEW_EXPOSED:
        return _("EXPOSED");
    case PSN_OVERVIEW_UNFINISHED:
        return _("UNFINISHED");
    case PSN_OVERVIEW_DRIFT:
        return _("DRIFT");
    case PSN_OVERVIEW_DUE:
        return _("DUE");
    case PSN_OVERVIEW_ENDING:
        return _("ENDING");
    case PSN_OVERVIEW_COLUMNS:
        break;
    }
    return "";
}

static bool has_any(const struct psn_overview_client *at)
{
    for (int i = 0; i < PSN_OVERVIEW_COLUMNS; i++)
        if (at->counts[i])
            return true;
    return false;
}

static void put_row(struct cli_table *table, const char *name,
                    const size_t counts[PSN_OVERVIEW_COLUMNS], size_t mailboxes)
{
    char number[24];

    cli_table_cell(table, name);
    for (int i = 0; i < PSN_OVERVIEW_COLUMNS; i++) {
        (void)snprintf(number, sizeof number, "%zu", counts[i]);
        cli_table_cell(table, counts[i] ? number : "-");
    }
    (void)snprintf(number, sizeof number, "%zu", mailboxes);
    cli_table_cell(table, number);
}

/* The worst clients, then the sum of all. What is nobody's, as a departure, is in none.
 */
static enum psn_code print_clients(const struct cli_status *status, struct psn_error *err)
{
    const struct psn_overview *overview = status->overview;
    PSN_AUTO(cli_table) *table = cli_table_new(PSN_OVERVIEW_COLUMNS + 2);
    size_t total[PSN_OVERVIEW_COLUMNS] = { 0 };
    size_t rows = 0;
    size_t left = 0;

    if (!table)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    cli_table_cell(table, _("CLIENT"));
    for (int i = 0; i < PSN_OVERVIEW_COLUMNS; i++)
        cli_table_cell(table, column_shown((enum psn_overview_column)i));
    cli_table_cell(table, _("MAILBOXES"));
    for (size_t i = 0; i < overview->client_count; i++) {
        const struct psn_overview_client *at = &overview->clients[i];

        for (int c = 0; c < PSN_OVERVIEW_COLUMNS; c++)
            total[c] += at->counts[c];
        if (!cli_status_wants(status, at->id) || (!status->client && !has_any(at)))
            continue;
        if (rows == LISTED && !status->all) {
            left++;
            continue;
        }
        rows++;
        put_row(table, at->id, at->counts, at->mailboxes);
    }
    if (rows == 0)
        return PSN_OK;
    if (rows + left > 1)
        put_row(table, _("all"), total, overview->role_count);
    cli_print(status->cli, "\n");
    cli_table_print(status->cli, table);
    if (left > 0)
        cli_print(status->cli,
                  PSN_NGETTEXT("and %llu more client: passation status --all\n",
                               "and %llu more clients: passation status --all\n",
                               (unsigned long)left),
                  (unsigned long long)left);
    return PSN_OK;
}

/* --- lists --- */

static void list_key(struct cli_status *status, struct cli_table *table,
                     const struct psn_overview_client *client, const struct cli_key *key)
{
    char expires[PSN_TIME_SIZE];
    char used[PSN_TIME_SIZE];
    char remark[128];

    cli_table_cell(table, client->id);
    cli_table_cell(table, key->use == PSN_KEY_CUT ? _("cuts") : _("work"));
    cli_table_cell(table, key->state == CLI_KEY_ASKED || client->keys.is_account ? "-"
                          : key->expires_s ? cli_display_time(key->expires_s, expires)
                                           : _("never"));
    cli_table_cell(table, cli_display_time(key->last_use_s, used));
    cli_table_cell(table, cli_key_remark(key, remark, sizeof remark));
    status->keys_asked += key->state == CLI_KEY_ASKED;
    status->keys_to_renew +=
        key->use == PSN_KEY_WORK &&
        (key->state == CLI_KEY_EXPIRING || key->state == CLI_KEY_EXPIRED);
}

/* A good one is shown where all have room. */
static enum psn_code print_keys(struct cli_status *status, struct psn_error *err)
{
    const struct psn_overview *overview = status->overview;
    PSN_AUTO(cli_table) *table = cli_table_new(5);
    struct cli *cli = status->cli;
    bool good = status->all || status->client || status->linked <= LISTED;
    size_t rows = 0;

    if (!table)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    cli_table_cell(table, _("API keys"));
    cli_table_cell(table, _("for"));
    cli_table_cell(table, _("expires"));
    cli_table_cell(table, _("last use"));
    cli_table_cell(table, "");
    for (size_t i = 0; i < overview->client_count; i++) {
        const struct psn_overview_client *client = &overview->clients[i];
        struct cli_key keys[CLI_KEYS_MAX];
        size_t count =
            cli_status_wants(status, client->id)
                ? cli_keys_of(client->linked, client->key_expires_s, &client->keys, keys)
                : 0;

        for (size_t k = 0; k < count; k++)
            if (good || keys[k].state != CLI_KEY_GOOD) {
                list_key(status, table, client, &keys[k]);
                rows++;
            }
    }
    if (rows == 0)
        return PSN_OK;
    cli_print(cli, "\n");
    cli_table_print(cli, table);
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

static enum psn_code print_unfinished(const struct cli_status *status,
                                      struct psn_error *err)
{
    const struct psn_overview *overview = status->overview;
    PSN_AUTO(cli_table) *table = cli_table_new(4);
    size_t rows = 0;
    size_t left = 0;

    if (!table)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < overview->unfinished_count; i++) {
        const struct psn_overview_role *role = &overview->unfinished[i];

        if (!cli_status_wants(status, role->client))
            continue;
        if (rows == LISTED && !status->all) {
            left++;
            continue;
        }
        rows++;
        cli_table_cell(table, role->address);
        cli_table_cell(table, state_shown(role->state));
        cli_table_cell(table, advice(role->state));
        cli_table_cell(table, role->reason);
    }
    if (rows == 0)
        return PSN_OK;
    cli_print(status->cli, "\n%s\n", _("Not finished:"));
    cli_table_print(status->cli, table);
    if (left > 0)
        cli_print(status->cli,
                  PSN_NGETTEXT("and %llu more: passation role ls\n",
                               "and %llu more: passation role ls\n", (unsigned long)left),
                  (unsigned long long)left);
    return PSN_OK;
}

/* Of one client all that is due; of all of them what the last look at OVH, or a login,
 * has told, and departures. */
static enum psn_code print_due(struct cli_status *status, struct psn_error *err)
{
    struct cli_due_list *list = &status->due;
    size_t total;
    enum psn_code rc;

    if (!status->client)
        cli_due_list_keep_drift(list);
    total = list->count;
    if (total == 0)
        return PSN_OK;
    if (!status->all && !status->client && total > LISTED)
        list->count = LISTED;
    cli_print(status->cli, "\n%s\n", _("To be looked at:"));
    rc = cli_due_print(status->cli, list, err);
    if (!rc && list->count < total)
        cli_print(status->cli,
                  PSN_NGETTEXT("and %llu more line: passation due\n",
                               "and %llu more lines: passation due\n",
                               (unsigned long)(total - list->count)),
                  (unsigned long long)(total - list->count));
    list->count = total;
    return rc;
}

static const char *end_shown(enum psn_overview_end_kind kind)
{
    switch (kind) {
    case PSN_END_PASSWORD:
        return _("password ends: passation rotate");
    case PSN_END_KEY:
        return _("API key ends: passation ovh link CLIENT --new");
    case PSN_END_GRANT:
        return _("grant ends: passation grant, to go on");
    }
    return "";
}

static enum psn_code print_ends(const struct cli_status *status, struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(4);
    char time[PSN_TIME_SIZE];
    size_t rows = 0;

    if (!table)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < status->overview->end_count; i++) {
        const struct psn_overview_end *end = &status->overview->ends[i];

        if (!status->client || !cli_status_wants(status, end->client))
            continue;
        rows++;
        cli_table_cell(table, cli_display_time(end->at_s, time));
        cli_table_cell(table, end->address[0] ? end->address : end->client);
        cli_table_cell(table, end->person[0] ? end->person : "-");
        cli_table_cell(table, end_shown(end->kind));
    }
    if (rows > 0) {
        cli_print(status->cli, "\n%s\n", _("Ending within 14 days:"));
        cli_table_print(status->cli, table);
    }
    return PSN_OK;
}

/* --- all of it --- */

static bool is_quiet(const struct cli_status *status)
{
    for (size_t i = 0; i < status->overview->client_count; i++)
        if (cli_status_wants(status, status->overview->clients[i].id) &&
            has_any(&status->overview->clients[i]))
            return false;
    return status->due.count == 0;
}

/* The first client that nobody has linked, or that somebody has. */
static const char *first_client(const struct cli_status *status, bool linked)
{
    const struct psn_overview *overview = status->overview;

    for (size_t i = 0; i < overview->client_count; i++)
        if (overview->clients[i].linked == linked)
            return overview->clients[i].id;
    return "";
}

static void print_next_of_all(const struct cli_status *status)
{
    /* The worst is the first. */
    cli_print(status->cli, _("\nOne client in detail: passation status %s\n"),
              status->overview->clients[0].id);
    if (status->can_apply)
        cli_print(status->cli, _("Do what is due: passation due --apply\n"));
    else if (status->waits[0])
        cli_print(status->cli,
                  _("An issue needs a code, which you pass on: passation outbox %s\n"),
                  status->waits);
}

static void print_next_step(const struct cli_status *status)
{
    struct cli *cli = status->cli;

    if (status->overview->client_count == 0)
        cli_print(cli, _("\nNext: passation client add ID --nic NIC --domain DOMAIN\n"));
    else if (status->linked == 0)
        cli_print(cli, _("\nNext: passation ovh link %s\n"), first_client(status, false));
    else if (status->overview->role_count == 0)
        cli_print(cli, _("\nNext: passation ovh inventory %s\n"),
                  first_client(status, true));
    else if (is_quiet(status))
        cli_print(cli, _("\nNothing is left to be finished.\n"));
    else if (!status->client)
        print_next_of_all(status);
    else if (status->can_apply && (cli_due_list_count(&status->due, PSN_DUE_ROTATE) ||
                                   cli_due_list_count(&status->due, PSN_DUE_GRANT) ||
                                   cli_due_list_count(&status->due, PSN_DUE_ISSUE)))
        cli_print(cli, _("\nNext: passation due --apply\n"));
    else if (cli_due_list_count(&status->due, PSN_DUE_RESUME) ||
             cli_due_list_count(&status->due, PSN_DUE_DEPARTURE))
        cli_print(cli, _("\nNext: passation resume\n"));
    else if (status->waits[0])
        cli_print(cli, _("\nNext: passation outbox %s\n"), status->waits);
    else if (cli_due_list_count(&status->due, PSN_DUE_HANDOVER))
        cli_print(cli, _("\nNext: passation handover status %s\n"), status->client);
}

static enum psn_code warn_known(void *arg, const char *client, struct psn_error *err)
{
    const struct cli_status *status = arg;

    (void)err;
    if (cli_status_wants(status, client))
        cli_warn(status->cli,
                 _("a leaver may know the API key for %s: passation ovh link %s --new"),
                 client, client);
    return PSN_OK;
}

static enum psn_code print(struct cli_status *status, struct psn_error *err)
{
    enum psn_code rc;

    if (!status->client)
        print_facts(status);
    rc = print_clients(status, err);
    if (!rc)
        rc = print_keys(status, err);
    if (!rc)
        rc = psn_due_credential_each(status->cli->vault, warn_known, status, err);
    if (!rc)
        rc = print_unfinished(status, err);
    if (!rc)
        rc = print_due(status, err);
    if (!rc)
        rc = print_ends(status, err);
    if (!rc)
        print_next_step(status);
    return rc;
}

static enum psn_code run_status(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_status_options *options = arg;
    struct cli_status status = { .cli = cli, .all = options->all };
    enum psn_code rc;

    status.client = cli->arg_count > 0 ? cli->args[0] : NULL;
    rc = gather(&status, err);
    if (!rc)
        rc = cli->json ? cli_status_json(&status, err) : print(&status, err);
    release(&status);
    return rc;
}

const struct cli_command cmd_status = {
    .name = "status",
    .arguments = N_("[CLIENT]"),
    .summary = N_("say how things stand, and what is left to do"),
    .examples = N_("passation status\tthe worst clients first\n"
                   "passation status --all\tall of them\n"
                   "passation status boulangerie\tone, with what to do next\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .max_args = 1,
    .options = status_options,
    .options_size = sizeof(struct cmd_status_options),
    .run = run_status,
};
