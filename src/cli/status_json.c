#include <stdio.h>
#include <string.h>

#include "cli/display.h"
#include "cli/key_show.h"
#include "cli/status.h"

enum {
    STATES = PSN_ROLE_RECEIVED + 1
};

bool cli_status_wants(const struct cli_status *status, const char *client)
{
    return !status->client || strcmp(status->client, client) == 0;
}

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

static const char *id_shown(const struct psn_vault *vault,
                            char out[2 * PSN_VAULT_ID_SIZE + 1])
{
    for (size_t i = 0; i < PSN_VAULT_ID_SIZE; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", psn_vault_id(vault)[i]);
    return out;
}

static void put_clients(struct cli_json *json, const struct cli_status *status)
{
    cli_json_open(json, "overview", '[');
    for (size_t i = 0; i < status->overview->client_count; i++) {
        const struct psn_overview_client *at = &status->overview->clients[i];

        if (!cli_status_wants(status, at->id))
            continue;
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "client", at->id);
        cli_json_text(json, "name", at->name[0] ? at->name : NULL);
        cli_json_number(json, "mailboxes", (int64_t)at->mailboxes);
        for (int c = 0; c < PSN_OVERVIEW_COLUMNS; c++)
            cli_json_number(json, psn_overview_column_name((enum psn_overview_column)c),
                            (int64_t)at->counts[c]);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void put_unfinished(struct cli_json *json, const struct cli_status *status)
{
    cli_json_open(json, "unfinished", '[');
    for (size_t i = 0; i < status->overview->unfinished_count; i++) {
        const struct psn_overview_role *role = &status->overview->unfinished[i];

        if (!cli_status_wants(status, role->client))
            continue;
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "address", role->address);
        cli_json_text(json, "client", role->client);
        cli_json_text(json, "state", psn_role_state_name(role->state));
        cli_json_text(json, "reason", role->reason[0] ? role->reason : NULL);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void put_ends(struct cli_json *json, const struct cli_status *status)
{
    cli_json_open(json, "ends", '[');
    for (size_t i = 0; i < status->overview->end_count; i++) {
        const struct psn_overview_end *end = &status->overview->ends[i];

        if (!cli_status_wants(status, end->client))
            continue;
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "kind", psn_overview_end_name(end->kind));
        cli_json_text(json, "client", end->client);
        cli_json_text(json, "address", end->address[0] ? end->address : NULL);
        cli_json_text(json, "person", end->person[0] ? end->person : NULL);
        cli_json_time(json, "at", end->at_s);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
}

static void put_keys(struct cli_json *json, const struct cli_status *status)
{
    cli_json_open(json, "keys", '[');
    for (size_t i = 0; i < status->overview->client_count; i++) {
        const struct psn_overview_client *client = &status->overview->clients[i];
        struct cli_key keys[CLI_KEYS_MAX];
        size_t count =
            cli_status_wants(status, client->id)
                ? cli_keys_of(client->linked, client->key_expires_s, &client->keys, keys)
                : 0;

        for (size_t k = 0; k < count; k++)
            cli_key_json(json, client->id, &keys[k]);
    }
    cli_json_close(json, ']');
}

static void put_counts(struct cli_json *json, const struct cli_status *status)
{
    const struct psn_overview *overview = status->overview;

    cli_json_open(json, "clients", '{');
    cli_json_number(json, "count", (int64_t)overview->client_count);
    cli_json_number(json, "linked", (int64_t)status->linked);
    cli_json_close(json, '}');
    cli_json_open(json, "roles", '{');
    cli_json_number(json, "count", (int64_t)overview->role_count);
    for (int i = 0; i < STATES; i++)
        cli_json_number(json, psn_role_state_name((enum psn_role_state)i),
                        (int64_t)overview->roles[i]);
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

struct known {
    const struct cli_status *status;
    struct cli_json *json;
};

static enum psn_code put_known(void *arg, const char *client, struct psn_error *err)
{
    const struct known *known = arg;

    (void)err;
    if (cli_status_wants(known->status, client))
        cli_json_text(known->json, NULL, client);
    return PSN_OK;
}

enum psn_code cli_status_json(struct cli_status *status, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct cli *cli = status->cli;
    char id[2 * PSN_VAULT_ID_SIZE + 1];
    enum psn_code rc;

    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "vault", psn_vault_path(cli->vault));
    cli_json_text(&json, "id", id_shown(cli->vault, id));
    cli_json_text(&json, "generation", seen_word(psn_vault_seen(cli->vault)));
    put_clients(&json, status);
    put_unfinished(&json, status);
    put_ends(&json, status);
    put_keys(&json, status);
    cli_json_open(&json, "keys_to_replace", '[');
    rc = psn_due_credential_each(cli->vault, put_known, &(struct known){ status, &json },
                                 err);
    cli_json_close(&json, ']');
    cli_due_list_json(&json, "due", &status->due);
    cli_due_list_keep_drift(&status->due);
    cli_due_list_json(&json, "drift", &status->due);
    put_counts(&json, status);
    cli_json_close(&json, '}');
    return rc ? rc : cli_json_print(cli, &json, err);
}
