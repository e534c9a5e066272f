#include <string.h>

#include "cli/advice.h"
#include "cli/cli.h"
#include "cli/harden.h"
#include "cli/help.h"
#include "cli/last_words.h"
#include "cli/locale.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/paths.h"
#include "cli/terminal.h"

static enum psn_code satisfy(struct cli *cli, struct psn_error *err)
{
    enum psn_code rc = psn_init_alone(err);

    if (!rc)
        rc = cli_paths_init(cli, err);
    if (!rc)
        cli_last_words(cli);
    cli->no_input = cli->no_input || !cli_terminal_exists();
    if (!rc && (cli->command->needs & (CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED)))
        rc = psn_vault_open(&cli->vault_options, &cli->vault, err);
    if (!rc && (cli->command->needs & CLI_NEEDS_UNLOCKED))
        rc = cli_unlock(cli, err);
    return rc;
}

static enum psn_code run(int argc, const char *const *argv, struct cli *cli,
                         struct cli_line *line, struct psn_error *err)
{
    enum psn_code rc = cli_options_parse(cli_commands, argc, argv, cli, line, err);

    if (rc && argc == 1)
        return cli_help_begin(cli, err);
    if (!rc && (cli->help || cli->version || cli->exit_codes))
        return cli_help(cli, err);
    if (!rc)
        rc = satisfy(cli, err);
    if (rc)
        return rc;
    rc = cli->command->run(cli, line->options, err);
    if (rc)
        cli_advise(cli, line, err);
    return rc;
}

/* That something was found is told by the list: if that is lost, nothing was told. */
static enum psn_code finish(struct cli *cli, enum psn_code rc, struct psn_error *err)
{
    struct psn_error why = { 0 };
    enum psn_code lost_rc = rc && rc != PSN_E_FINDINGS ? PSN_OK : cli_finish(cli, &why);

    if (!lost_rc)
        return rc;
    *err = why;
    return lost_rc;
}

/* Once in a run, whatever it did. */
static void warn_of_record(const struct cli *cli)
{
    struct psn_error why = { 0 };

    if (cli->vault && psn_vault_settle_seen(cli->vault, &why))
        cli_warn(cli, "%s", why.message);
}

int main(int argc, char **argv)
{
    struct cli cli = { 0 };
    struct cli_line line = { 0 };
    struct psn_error err = { 0 };
    enum psn_code rc;
    int status = 0;

    cli_harden();
    cli_locale_init();
    rc = run(argc, (const char *const *)argv, &cli, &line, &err);
    rc = finish(&cli, rc, &err);
    if (rc)
        status = cli_report(&cli, &err);
    warn_of_record(&cli);
    psn_vault_free(cli.vault);
    cli_line_release(&line);
    return status;
}
