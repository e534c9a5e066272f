#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/fields.h"
#include "cli/knowing.h"
#include "cli/outcome.h"
#include "cli/profile.h"

/* role add and adopt; ls and rm are in cmd_role_list.c. */

/* A person's mailbox ends with the person and is closed; a role's goes to the next one.
 */
static void warn_of_personal(struct cli *cli)
{
    for (size_t i = 0; i < cli->arg_count; i++)
        if (cli_field_is_personal(cli->args[i]))
            cli_warn(cli,
                     _("%s reads like a person's name; what a person received cannot be "
                       "passed on, so prefer a mailbox named after the job, such as "
                       "contact@"),
                     CLI_SHOWN(cli->args[i]));
}

/* --- add -----------------------------------------------------------------------------
 */

struct cmd_role_add_options {
    const char *on;
    uint64_t jobs;
};

static const struct cli_option add_options[] = {
    { "on", 0, CLI_TEXT, offsetof(struct cmd_role_add_options, on), N_("SERVICE"),
      N_("where several could take it: email/domain, email/mxplan, email/pro, "
         "email/exchange or zimbra") },
    CLI_JOBS_OPTION(cmd_role_add_options),
    { 0 },
};

static enum psn_code run_add(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_role_add_options *options = arg;
    struct cli_outcomes outcomes;
    struct psn_run run;
    enum psn_code rc = cli_outcomes_begin(&outcomes, cli, &run, err);

    run.backend = options->on;
    if (!rc)
        rc = cli_outcomes_set_jobs(&run, options->jobs, err);
    warn_of_personal(cli);
    if (!rc)
        rc = psn_roles_create(cli->vault, cli->args, cli->arg_count, &run, err);
    return cli_outcomes_end(&outcomes, rc, err);
}

const struct cli_command cmd_role_add = {
    .name = "role add",
    .arguments = N_("ADDRESS…"),
    .summary = N_("create mailboxes at OVH, with generated passwords"),
    .examples = N_("passation role add technique@martin.fr\tcreate one mailbox\n"
                   "passation role add contact@martin.fr sav@martin.fr\t"
                   "create two in one run\n"
                   "passation role add --on email/pro sav@martin.fr\t"
                   "on the Email Pro service, which has a free slot\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED | CLI_NEW,
    .min_args = 1,
    .max_args = SIZE_MAX,
    .options = add_options,
    .options_size = sizeof(struct cmd_role_add_options),
    .run = run_add,
};

/* --- adopt ---------------------------------------------------------------------------
 */

struct cmd_role_adopt_options {
    int secret_fd;
    uint64_t jobs;
};

static const struct cli_option adopt_options[] = {
    { "secret-fd", 0, CLI_FD, offsetof(struct cmd_role_adopt_options, secret_fd), N_("N"),
      N_("read the mailbox's known password from this descriptor, and keep it") },
    CLI_JOBS_OPTION(cmd_role_adopt_options),
    { 0 },
};

static enum psn_code read_known(struct cli *cli, int fd, struct psn_secret **ret_known,
                                struct psn_error *err)
{
    enum psn_code rc;

    if (cli->arg_count != 1) {
        (void)psn_fail(err, PSN_E_INVALID,
                       _("--secret-fd is the password of one mailbox, and %zu are named"),
                       cli->arg_count);
        return psn_hint(err, PSN_E_INVALID,
                        _("adopt them one by one, or without --secret-fd: each gets a "
                          "new password then"));
    }
    rc = cli_read_secret(cli, fd, _("Password of the mailbox: "), ret_known, err);
    return rc ? psn_wrap(err, rc, "%s", CLI_SHOWN(cli->args[0])) : PSN_OK;
}

static void tell_dead(struct cli *cli)
{
    if (!cli_kit_is_there(cli, cli->args[0])) {
        cli_note(cli, _("The passwords of before are dead, on every device."));
        return;
    }
    cli_note(cli,
             cli->arg_count == 1
                 ? _("The passwords of before are dead, on every device: passation "
                     "profile %s --format sheet")
                 : _("The passwords of before are dead, on every device. Of each: "
                     "passation profile %s --format sheet"),
             CLI_SHOWN(cli->args[0]));
}

static enum psn_code run_adopt(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_role_adopt_options *options = arg;
    PSN_AUTO(psn_secret) *known = NULL;
    struct cli_outcomes outcomes;
    struct psn_run run;
    enum psn_code rc = PSN_OK;

    if (options->secret_fd >= 0)
        rc = read_known(cli, options->secret_fd, &known, err);
    if (rc)
        return rc;
    rc = cli_outcomes_begin(&outcomes, cli, &run, err);
    outcomes.known = known != NULL;
    if (!rc)
        rc = cli_outcomes_set_jobs(&run, options->jobs, err);
    warn_of_personal(cli);
    if (!rc)
        rc = psn_roles_adopt(cli->vault, cli->args, cli->arg_count, known, &run, err);
    rc = cli_outcomes_end(&outcomes, rc, err);
    if (!rc && known)
        rc = cli_knowing_warn_back(cli, cli->args[0], err);
    if (!rc && !known && !cli->json)
        tell_dead(cli);
    return rc;
}

const struct cli_command cmd_role_adopt = {
    .name = "role adopt",
    .arguments = N_("ADDRESS…"),
    .summary = N_("take over mailboxes that exist at OVH"),
    .examples = N_("passation role adopt contact@martin.fr sav@martin.fr\t"
                   "give both a new password, to be retyped on every device\n"
                   "passation role adopt contact@martin.fr --secret-fd 3 3<FILE\t"
                   "keep its password, once a login proves it\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED | CLI_NEW,
    .min_args = 1,
    .max_args = SIZE_MAX,
    .options = adopt_options,
    .options_size = sizeof(struct cmd_role_adopt_options),
    .run = run_adopt,
};
