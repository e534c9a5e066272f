#include "cli/help.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/options.h"
#include "cli/output.h"
#include "cli/paths.h"

PSN_DEFINE_AUTO(cli_table)

enum {
    CELL_SIZE = 512
};

static enum psn_code print_table(struct cli *cli, struct cli_table *table,
                                 struct psn_error *err)
{
    if (!table)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    cli_table_print(cli, table);
    return PSN_OK;
}

/* --- parts --- */

/* Lines of "what to type<TAB>what it does". */
static enum psn_code print_examples(struct cli *cli, const char *examples,
                                    struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(2);

    cli_print(cli, "%s\n", _("Examples:"));
    while (*examples) {
        size_t size = strcspn(examples, "\n");
        size_t typed = strcspn(examples, "\t\n");
        char cell[CELL_SIZE];

        (void)snprintf(cell, sizeof cell, "  %.*s", (int)typed, examples);
        cli_table_cell(table, cell);
        (void)snprintf(cell, sizeof cell, "%.*s",
                       typed < size ? (int)(size - typed - 1) : 0, examples + typed + 1);
        cli_table_cell(table, cell);
        examples += size;
        examples += *examples == '\n' ? 1 : 0;
    }
    return print_table(cli, table, err);
}

static enum psn_code print_options(struct cli *cli, const char *title,
                                   const struct cli_option *options,
                                   struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(2);

    cli_print(cli, "\n%s\n", title);
    for (const struct cli_option *row = options; row->name; row++) {
        char letter[4] = "";
        char cell[CELL_SIZE];

        if (row->letter)
            (void)snprintf(letter, sizeof letter, "-%c,", row->letter);
        (void)snprintf(cell, sizeof cell, "  %-3s --%s%s%s", letter, row->name,
                       row->value ? " " : "", row->value ? _(row->value) : "");
        cli_table_cell(table, cell);
        cli_table_cell(table, _(row->help));
    }
    return print_table(cli, table, err);
}

static enum psn_code print_commands(struct cli *cli, const char *group,
                                    struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(2);
    size_t size = group ? strlen(group) : 0;

    for (const struct cli_command *const *at = cli_commands; *at; at++) {
        const struct cli_command *command = *at;
        char cell[CELL_SIZE];

        if ((command->needs & CLI_HIDDEN) ||
            (group &&
             (strncmp(command->name, group, size) != 0 || command->name[size] != ' ')))
            continue;
        (void)snprintf(cell, sizeof cell, "  %s%s%s", command->name,
                       command->arguments ? " " : "",
                       command->arguments ? _(command->arguments) : "");
        cli_table_cell(table, cell);
        cli_table_cell(table, _(command->summary));
    }
    return print_table(cli, table, err);
}

/* --- pages --- */

static enum psn_code help_command(struct cli *cli, const struct cli_command *command,
                                  struct psn_error *err)
{
    bool has_options = command->options && command->options->name;
    enum psn_code rc = PSN_OK;
    char title[CELL_SIZE];

    (void)snprintf(title, sizeof title, _("passation %s: %s\n"), command->name,
                   _(command->summary));
    cli_print_line(cli, title);
    if (command->examples)
        rc = print_examples(cli, _(command->examples), err);
    cli_print(cli, "\n%s\n  passation %s%s%s%s\n", _("Usage:"), command->name,
              has_options ? _(" [OPTIONS]") : "", command->arguments ? " " : "",
              command->arguments ? _(command->arguments) : "");
    if (!rc && has_options)
        rc = print_options(cli, _("Options:"), command->options, err);
    cli_print(cli, "\n%s\n", _("Options for all commands: passation help"));
    return rc;
}

static enum psn_code help_overview(struct cli *cli, struct psn_error *err)
{
    enum psn_code rc;

    cli_print_line(cli, _("passation: mailbox passwords at OVH, one mailbox for each "
                          "role, in a vault"));
    cli_print(cli, "\n");
    rc = print_examples(
        cli,
        _("passation init\tmake a vault\n"
          "passation client add martin --nic xm12345-ovh --domain martin.fr\t"
          "take on a client\n"
          "passation ovh link martin --config ovh.conf\tstore the key to the OVH "
          "account\n"
          "passation role add technique@martin.fr\tmake a mailbox\n"
          "passation show technique@martin.fr --reveal\tread its password\n"
          "passation rotate 'technique@*'\tchange passwords\n"
          "passation resume\tfinish what was interrupted\n"),
        err);
    cli_print(cli, "\n%s\n", _("Commands:"));
    if (!rc)
        rc = print_commands(cli, NULL, err);
    if (!rc)
        rc =
            print_options(cli, _("Options for all commands:"), cli_global_options(), err);
    cli_print(cli, "\n%s\n", _("More on a command: passation help COMMAND"));
    return rc;
}

static void print_version(struct cli *cli)
{
    cli_print(cli, "passation %s\n", PASSATION_VERSION);
    cli_print(cli, _("built with %s\n"), PASSATION_LIBRARIES);
    if (psn_page_sha256())
        cli_print(cli, _("page: SHA-256 %s\n"), psn_page_sha256());
    else
        cli_print(cli, "%s\n", _("page: not built in"));
}

static void print_exit_codes(struct cli *cli)
{
    static const char *const meanings[] = {
        N_("done"),
        N_("unexpected failure: full disk, file that cannot be read or written"),
        N_("usage: wrong form, address outside the client's domains"),
        N_("aborted by the user"),
        N_("not found"),
        N_("locked, or wrong passphrase"),
        N_("integrity: vault edited, damaged, rolled back or forked"),
        N_("busy or conflict: it exists already, a second process is at work"),
        N_("OVH refused"),
        N_("network, or an answer that makes no sense"),
        N_("unfinished: run 'passation resume'"),
        N_("verification failed: a login was refused"),
        N_("findings: something is due or needs a look"),
        N_("refused by policy"),
    };

    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        cli_print(cli, "%2zu  %s\n", i, _(meanings[i]));
}

enum psn_code cli_help(struct cli *cli, struct psn_error *err)
{
    if (cli->version)
        print_version(cli);
    else if (cli->exit_codes)
        print_exit_codes(cli);
    else if (cli->command)
        return help_command(cli, cli->command, err);
    else if (cli->help_group)
        return print_commands(cli, cli->help_group, err);
    else
        return help_overview(cli, err);
    return PSN_OK;
}

enum psn_code cli_help_begin(struct cli *cli, struct psn_error *err)
{
    psn_error_clear(err);
    if (cli_paths_init(cli, err))
        return err->code;
    (void)psn_fail(err, PSN_E_INVALID, _("no command is given"));
    if (access(cli->vault_path, F_OK) == 0)
        return psn_hint(err, PSN_E_INVALID,
                        _("where things stand: passation status; the vault on a full "
                          "screen: passation tui; all commands: passation help"));
    cli_note(cli, _("There is no vault here yet. Begin with:\n"
                    "  passation init\n"
                    "  passation client add martin --nic xm12345-ovh --domain martin.fr\n"
                    "  passation ovh link martin"));
    return psn_hint(err, PSN_E_INVALID, "passation help");
}
