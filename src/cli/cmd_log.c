#include <inttypes.h>
#include <stdio.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/busy.h"
#include "cli/cli.h"
#include "cli/display.h"
#include "cli/journal_json.h"

struct cmd_log_options {
    const char *client;
    uint64_t count;
    bool verify;
};

static const struct cli_option log_options[] = {
    { "client", 0, CLI_TEXT, offsetof(struct cmd_log_options, client), N_("CLIENT"),
      N_("this client's chain only") },
    { "count", 'n', CLI_NUMBER, offsetof(struct cmd_log_options, count), N_("COUNT"),
      N_("the newest COUNT entries of each chain") },
    { "verify", 0, CLI_FLAG, offsetof(struct cmd_log_options, verify), NULL,
      N_("compute every chain again and print its head") },
    { 0 },
};

static const char *hex(const uint8_t hash[PSN_HEAD_SIZE], char out[2 * PSN_HEAD_SIZE + 1])
{
    for (size_t i = 0; i < PSN_HEAD_SIZE; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
    return out;
}

/* --- entries --- */

static enum psn_code add_row(void *arg, const struct psn_journal_entry *entry,
                             struct psn_error *err)
{
    struct cli_table *table = arg;
    char number[24];
    char time[PSN_TIME_SIZE];
    char what[512];

    (void)err;
    (void)snprintf(number, sizeof number, "%" PRIu64, entry->number);
    (void)snprintf(what, sizeof what, "%s%s%s", entry->subject,
                   entry->label[0] ? " " : "", entry->label);
    cli_table_cell(table, entry->chain[0] ? entry->chain : "-");
    cli_table_cell(table, number);
    cli_table_cell(table, cli_display_moment(entry->time_s, time));
    cli_table_cell(table, entry->actor);
    cli_table_cell(table, entry->event);
    cli_table_cell(table, what);
    (void)snprintf(number, sizeof number, "v%" PRIu64, entry->version);
    cli_table_cell(table, entry->version ? number : "");
    cli_table_cell(table, entry->is_shredded ? _("(shredded)") : entry->text);
    return PSN_OK;
}

static enum psn_code add_object(void *arg, const struct psn_journal_entry *entry,
                                struct psn_error *err)
{
    (void)err;
    cli_journal_json(arg, entry);
    return PSN_OK;
}

static enum psn_code print_entries(struct cli *cli, const struct cmd_log_options *options,
                                   struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = NULL;
    const char *const header[] = { _("CHAIN"), _("NO."),  _("WHEN"),    _("WHO"),
                                   _("EVENT"), _("WHAT"), _("VERSION"), _("MORE") };
    enum psn_code rc;

    table = cli_table_new(sizeof header / sizeof *header);
    for (size_t i = 0; i < sizeof header / sizeof *header; i++)
        cli_table_cell(table, header[i]);
    rc = psn_journal_each(cli->vault, options->client, options->count, add_row, table,
                          err);
    if (!rc)
        cli_table_print(cli, table);
    return rc;
}

static enum psn_code print_entries_json(struct cli *cli,
                                        const struct cmd_log_options *options,
                                        struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    enum psn_code rc;

    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "log", '[');
    rc = psn_journal_each(cli->vault, options->client, options->count, add_object, &json,
                          err);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    return rc ? rc : cli_json_print(cli, &json, err);
}

/* --- heads --- */

static enum psn_code add_head_row(void *arg, const struct psn_head *head,
                                  struct psn_error *err)
{
    struct cli_table *table = arg;
    char count[24];
    char hash[2 * PSN_HEAD_SIZE + 1];

    (void)err;
    (void)snprintf(count, sizeof count, "%" PRIu64, head->count);
    cli_table_cell(table, head->chain[0] ? head->chain : "-");
    cli_table_cell(table, count);
    cli_table_cell(table, hex(head->hash, hash));
    return PSN_OK;
}

static enum psn_code add_head_object(void *arg, const struct psn_head *head,
                                     struct psn_error *err)
{
    struct cli_json *json = arg;
    char hash[2 * PSN_HEAD_SIZE + 1];

    (void)err;
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "client", head->chain[0] ? head->chain : NULL);
    cli_json_number(json, "count", (int64_t)head->count);
    cli_json_text(json, "head", hex(head->hash, hash));
    cli_json_close(json, '}');
    return PSN_OK;
}

/* --- statements --- */

enum {
    STATEMENT_MAX = 8 * 1024 * 1024,
};

static enum psn_code read_statement(struct cli *cli, const char *path,
                                    struct psn_statement *ret_statement,
                                    struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(STATEMENT_MAX);
    enum psn_code rc = psn_file_read(path, &text, err);

    if (!rc)
        rc = psn_statement_verify(cli->vault, text.size ? (char *)text.data : "",
                                  text.size, ret_statement, err);
    return rc ? psn_wrap(err, rc, "%s", CLI_SHOWN(path)) : PSN_OK;
}

/* That it cannot be followed any more is our own doing, and is said so. */
static void print_gone(struct cli *cli, const char *path,
                       const struct psn_statement *statement)
{
    cli_print(cli,
              statement->by_former_key ? _("%s: signed by the former key %s\n")
                                       : _("%s: signed by the key %s\n"),
              CLI_SHOWN(path), statement->fingerprint);
    cli_print(cli,
              PSN_NGETTEXT("  %zu of its %zu heads is of a client whose copies were "
                           "destroyed here, with the journal: nothing contradicts it, "
                           "and it cannot be followed any more; the others are in the "
                           "journal\n",
                           "  %zu of its %zu heads are of clients whose copies were "
                           "destroyed here, with the journals: nothing contradicts them, "
                           "and they cannot be followed any more; the others are in the "
                           "journal\n",
                           statement->heads_gone),
              statement->heads_gone, statement->heads);
}

static enum psn_code verify_statements(struct cli *cli, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < cli->arg_count; i++) {
        struct psn_statement statement = { 0 };

        rc = read_statement(cli, cli->args[i], &statement, err);
        if (rc)
            break;
        if (statement.heads_gone) {
            print_gone(cli, cli->args[i], &statement);
            continue;
        }
        cli_print(
            cli,
            statement.by_former_key
                ? _("%s: signed by the former key %s; its heads are in the journal\n")
                : _("%s: signed by the key %s; its heads are in the journal\n"),
            CLI_SHOWN(cli->args[i]), statement.fingerprint);
    }
    return rc;
}

static enum psn_code add_statements(struct cli *cli, struct cli_json *json,
                                    struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    cli_json_open(json, "statements", '[');
    for (size_t i = 0; !rc && i < cli->arg_count; i++) {
        struct psn_statement statement = { 0 };

        rc = read_statement(cli, cli->args[i], &statement, err);
        if (rc)
            break;
        cli_json_open(json, NULL, '{');
        cli_json_text(json, "file", cli->args[i]);
        cli_json_text(json, "fingerprint", statement.fingerprint);
        cli_json_bool(json, "by_former_key", statement.by_former_key);
        cli_json_number(json, "heads", (int64_t)statement.heads);
        cli_json_number(json, "heads_gone", (int64_t)statement.heads_gone);
        cli_json_close(json, '}');
    }
    cli_json_close(json, ']');
    return rc;
}

static enum psn_code verify_json(struct cli *cli, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    enum psn_code rc;

    cli_json_open(&json, NULL, '{');
    cli_json_bool(&json, "verified", true);
    cli_json_open(&json, "heads", '[');
    cli_busy_begin(cli, _("computing every chain again"));
    rc = psn_journal_verify(cli->vault, add_head_object, &json, err);
    cli_busy_end();
    cli_json_close(&json, ']');
    if (!rc && cli->arg_count > 0)
        rc = add_statements(cli, &json, err);
    cli_json_close(&json, '}');
    return rc ? rc : cli_json_print(cli, &json, err);
}

static enum psn_code verify(struct cli *cli, struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = NULL;
    enum psn_code rc;

    if (cli->json)
        return verify_json(cli, err);
    table = cli_table_new(3);
    cli_table_cell(table, _("CHAIN"));
    cli_table_cell(table, _("ENTRIES"));
    cli_table_cell(table, _("HEAD"));
    cli_busy_begin(cli, _("computing every chain again"));
    rc = psn_journal_verify(cli->vault, add_head_row, table, err);
    cli_busy_end();
    if (rc)
        return rc;
    cli_table_print(cli, table);
    cli_print(cli, "%s\n", _("Every chain holds from its first entry to its head."));
    return verify_statements(cli, err);
}

/* A client's id is typed where its file's would be. */
static enum psn_code fail_argument(struct cli *cli, struct psn_error *err)
{
    struct psn_client client = { 0 };
    bool is_client = psn_client_get(cli->vault, cli->args[0], &client, NULL) == PSN_OK;

    psn_client_release(&client);
    (void)psn_fail(err, PSN_E_INVALID, _("statements are for --verify"));
    return is_client ? psn_hint(err, PSN_E_INVALID,
                                _("one client's chain: passation log --client %s"),
                                CLI_SHOWN(cli->args[0]))
                     : PSN_E_INVALID;
}

static enum psn_code run_log(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_log_options *options = arg;

    if (options->verify && (options->client || options->count))
        return psn_fail(err, PSN_E_INVALID, _("--verify looks at all chains, whole"));
    if (!options->verify && cli->arg_count > 0)
        return fail_argument(cli, err);
    if (options->verify)
        return verify(cli, err);
    return cli->json ? print_entries_json(cli, options, err)
                     : print_entries(cli, options, err);
}

const struct cli_command cmd_log = {
    .name = "log",
    .arguments = N_("[STATEMENT…]"),
    .summary = N_("show the journal: who did what, when"),
    .examples = N_("passation log -n 20\tthe newest entries\n"
                   "passation log --client martin\tone client's\n"
                   "passation log --verify\tis every chain whole?\n"
                   "passation log --verify change.txt\tdoes it lead through this one?\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .max_args = SIZE_MAX,
    .options = log_options,
    .options_size = sizeof(struct cmd_log_options),
    .run = run_log,
};
