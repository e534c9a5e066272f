#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/grow.h"
#include "cli/busy.h"
#include "cli/cli.h"
#include "cli/doubt.h"
#include "cli/envelope.h"
#include "cli/owned.h"

/* envelope: what opens everything without us, from the first day on. */

/* What its key opens is what the vault has, which may not be what works. */
static enum psn_code warn_of_doubts(struct cli *cli, const char *client,
                                    struct psn_error *err)
{
    struct cli_doubts doubts = { 0 };
    enum psn_code rc = cli_doubts_find(cli, &doubts, &client, 1, err);

    if (!rc)
        cli_doubts_warn(cli, &doubts);
    cli_doubts_release(&doubts);
    return rc;
}

/* --- create --- */

struct cmd_envelope_create_options {
    const char *to;
    const char *folder;
};

static const struct cli_option create_options[] = {
    { "to", 0, CLI_TEXT, offsetof(struct cmd_envelope_create_options, to), N_("PERSON"),
      N_("whose envelope it is: the client") },
    { "output", 'o', CLI_TEXT, offsetof(struct cmd_envelope_create_options, folder),
      N_("DIR"), N_("where the files go, now and later (default: here)") },
    { 0 },
};

static enum psn_code print_sheet(void *arg, const struct psn_envelope *envelope,
                                 const struct psn_secret *key, struct psn_error *err)
{
    return cli_envelope_sheet(arg, envelope, key, err);
}

static void tell_created(struct cli *cli, const char *folder,
                         const struct cli_doubts *doubts)
{
    const char *client = cli->args[0];

    cli_print(
        cli, "%s/enveloppe-%s-cle.html\n%s/enveloppe-%s.html\n%s/enveloppe-%s.age\n",
        CLI_SHOWN(folder), client, CLI_SHOWN(folder), client, CLI_SHOWN(folder), client);
    cli_note(
        cli,
        _("Print the sheet (enveloppe-%s-cle.html), put it into an envelope, seal it, "
          "give it to the client, and delete the file: it holds the key, and the "
          "vault does not keep it."),
        client);
    cli_note(cli,
             _("The two other files may lie anywhere; 'passation outbox' makes them anew "
               "when something changes."));
    cli_doubts_warn(cli, doubts);
}

/* All that can fail comes before the result is printed. */
static enum psn_code run_create(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_envelope_create_options *options = arg;
    const struct psn_envelope_request request = {
        .client = cli->args[0],
        .person = options->to,
        .directory = options->folder ? options->folder : ".",
        .print = print_sheet,
        .arg = cli,
    };
    struct cli_doubts doubts = { 0 };
    enum psn_code rc;

    if (!options->to)
        return psn_fail(err, PSN_E_INVALID, _("an envelope is somebody's: --to PERSON"));
    rc = cli_display_ca(cli, err);
    if (!rc)
        rc = cli_doubts_find(cli, &doubts, &request.client, 1, err);
    cli_busy_begin(cli, _("writing the envelope"));
    if (!rc)
        rc = psn_envelope_create(cli->vault, &request, err);
    cli_busy_end();
    if (!rc)
        tell_created(cli, request.directory, &doubts);
    cli_doubts_release(&doubts);
    return rc;
}

const struct cli_command cmd_envelope_create = {
    .name = "envelope create",
    .arguments = N_("CLIENT"),
    .summary = N_("make the client's recovery envelope: a sheet, and what it opens"),
    .examples = N_("passation envelope create martin --to martine -o enveloppes\t"
                   "on the first day\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = create_options,
    .options_size = sizeof(struct cmd_envelope_create_options),
    .run = run_create,
};

/* --- update --- */

struct cmd_envelope_update_options {
    const char *folder;
};

static const struct cli_option update_options[] = {
    { "output", 'o', CLI_TEXT, offsetof(struct cmd_envelope_update_options, folder),
      N_("DIR"), N_("where the files go from now on (default: where they were)") },
    { 0 },
};

static enum psn_code run_update(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_envelope_update_options *options = arg;
    enum psn_code rc = cli_display_ca(cli, err);

    for (size_t i = 0; !rc && i < cli->arg_count; i++) {
        cli_busy_begin(cli, _("writing the envelope"));
        rc = psn_envelope_update(cli->vault, cli->args[i], options->folder, err);
        cli_busy_end();
        if (!rc)
            cli_note(cli, _("✓ The envelope of %s is up to date."),
                     CLI_SHOWN(cli->args[i]));
        if (!rc)
            rc = warn_of_doubts(cli, cli->args[i], err);
    }
    return rc;
}

const struct cli_command cmd_envelope_update = {
    .name = "envelope update",
    .arguments = N_("CLIENT…"),
    .summary = N_("write what the envelope's key opens anew"),
    .examples =
        N_("passation envelope update martin -o /media/usb\tinto another folder\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = SIZE_MAX,
    .options = update_options,
    .options_size = sizeof(struct cmd_envelope_update_options),
    .run = run_update,
};

/* --- end --- */

static void tell_removed(void *arg, const char *path)
{
    cli_note(arg, _("✓ Deleted: %s"), CLI_SHOWN(path));
}

static enum psn_code run_end(struct cli *cli, const void *arg, struct psn_error *err)
{
    enum psn_code rc;

    (void)arg;
    rc = psn_envelope_end(cli->vault, cli->args[0], tell_removed, cli, err);
    if (rc)
        return rc;
    cli_note(cli, _("✓ The envelope of %s is kept up to date no more."),
             CLI_SHOWN(cli->args[0]));
    cli_note(cli, _("Copies of its files, with the sheet, still open what was in them: "
                    "see what has to be replaced: passation due"));
    return cli_owner_of_tell(cli, cli->args[0], err);
}

const struct cli_command cmd_envelope_end = {
    .name = "envelope end",
    .arguments = N_("CLIENT"),
    .summary = N_("keep the client's envelope up to date no more, and delete its files"),
    .examples = N_("passation envelope end martin\twhen the sheet was lost, or seen\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .run = run_end,
};

/* --- those that are due --- */

struct stale_list {
    char (*clients)[PSN_CLIENT_ID_MAX];
    size_t count;
    bool all; /* those that need somebody, too */
};

static enum psn_code collect_stale(void *arg, const struct psn_envelope *envelope,
                                   struct psn_error *err)
{
    struct stale_list *list = arg;
    enum psn_code rc;

    bool needs_person = envelope->is_left || envelope->is_remade;

    if (!envelope->is_stale || (needs_person && !list->all))
        return PSN_OK;
    rc = PSN_GROW(list->clients, list->count, err);
    if (!rc)
        memcpy(list->clients[list->count++], envelope->client, sizeof *list->clients);
    return rc;
}

enum psn_code cli_envelope_renew(struct cli *cli, bool all, struct psn_error *err)
{
    struct stale_list list = { .all = all };
    enum psn_code first = psn_envelope_each(cli->vault, collect_stale, &list, err);

    for (size_t i = 0; i < list.count; i++) {
        struct psn_error cause = { 0 };
        enum psn_code rc;

        cli_busy_begin(cli, _("writing the envelope"));
        rc = psn_envelope_update(cli->vault, list.clients[i], NULL, &cause);
        cli_busy_end();

        if (!rc)
            cli_note(cli, _("✓ The envelope of %s is up to date."), list.clients[i]);
        if (!rc)
            rc = warn_of_doubts(cli, list.clients[i], &cause);
        if (rc && !first && err)
            *err = cause;
        first = first ? first : rc;
    }
    free(list.clients);
    return first;
}

/* --- ls --- */

struct listing {
    struct cli_json *json;
    struct cli_table *table;
    size_t count;
};

static enum psn_code list_one(void *arg, const struct psn_envelope *envelope,
                              struct psn_error *err)
{
    struct listing *listing = arg;
    char created[PSN_TIME_SIZE];
    char written[PSN_TIME_SIZE];

    (void)err;
    listing->count++;
    if (listing->json) {
        cli_json_open(listing->json, NULL, '{');
        cli_json_text(listing->json, "client", envelope->client);
        cli_json_text(listing->json, "person", envelope->person);
        cli_json_text(listing->json, "recipient", envelope->recipient);
        cli_json_time(listing->json, "created_at", envelope->created_s);
        cli_json_time(listing->json, "written_at", envelope->written_s);
        cli_json_text(listing->json, "folder", envelope->folder);
        cli_json_bool(listing->json, "due", envelope->is_stale);
        cli_json_close(listing->json, '}');
        return PSN_OK;
    }
    cli_table_cell(listing->table, envelope->client);
    cli_table_cell(listing->table, envelope->person);
    cli_table_cell(listing->table, cli_display_moment(envelope->created_s, created));
    cli_table_cell(listing->table, cli_display_moment(envelope->written_s, written));
    cli_table_cell(listing->table,
                   envelope->is_stale ? _("out of date") : _("up to date"));
    cli_table_cell(listing->table, envelope->folder);
    return PSN_OK;
}

static enum psn_code run_ls(struct cli *cli, const void *arg, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    PSN_AUTO(cli_table) *table = cli_table_new(6);
    struct listing listing = { .json = cli->json ? &json : NULL, .table = table };
    enum psn_code rc;

    (void)arg;
    cli_table_cell(table, _("CLIENT"));
    cli_table_cell(table, _("OF"));
    cli_table_cell(table, _("SINCE"));
    cli_table_cell(table, _("WRITTEN"));
    cli_table_cell(table, _("STATE"));
    cli_table_cell(table, _("FOLDER"));
    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "envelopes", '[');
    rc = psn_envelope_each(cli->vault, list_one, &listing, err);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    if (rc)
        return rc;
    if (cli->json)
        return cli_json_print(cli, &json, err);
    if (listing.count == 0)
        cli_note(cli, _("No client has a recovery envelope."));
    else
        cli_table_print(cli, table);
    return PSN_OK;
}

const struct cli_command cmd_envelope_ls = {
    .name = "envelope ls",
    .summary = N_("list the recovery envelopes, and whether they are up to date"),
    .examples = N_("passation envelope ls\twhose, since when\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .run = run_ls,
};
