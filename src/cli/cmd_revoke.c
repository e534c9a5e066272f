#include <stdint.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/due_list.h"
#include "cli/handed.h"
#include "cli/owned.h"

/* revoke: ends the grants, then makes what the person knows worthless. */
struct cmd_revoke_options {
    bool no_rotate;
};

static const struct cli_option revoke_options[] = {
    { "no-rotate", 0, CLI_FLAG, offsetof(struct cmd_revoke_options, no_rotate), NULL,
      N_("end the grants only; what was seen stays due for rotation") },
    { 0 },
};

/* What he still knows: ours to change by hand or later, and the client's. */
static enum psn_code print_left(struct cli *cli, const struct cli_due_list *list,
                                const struct cli_handed *handed, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    enum psn_code rc;

    if (!cli->json || handed->count == 0) {
        rc = list->count ? cli_due_print(cli, list, err) : PSN_OK;
        cli_handed_tell(cli, handed, NULL);
        return rc;
    }
    cli_json_open(&json, NULL, '{');
    cli_due_list_json(&json, "due", list);
    cli_handed_json(&json, "handed_over", handed);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

static enum psn_code hint_left(const struct cli_due_list *list,
                               const struct cli_handed *handed, struct psn_error *err)
{
    if (cli_due_list_can_apply(list))
        return psn_hint(err, PSN_E_FINDINGS, "%s",
                        _("rotate mailboxes with 'passation due --apply'; change "
                          "others where they are used, then note the new ones here"));
    return list->count ? cli_due_hint_by_hand(list, err) : cli_handed_hint(handed, err);
}

static enum psn_code fail_left(struct cli *cli, const char *person, struct psn_error *err)
{
    struct cli_due_list list = { 0 };
    struct cli_handed handed = { 0 };
    enum psn_code rc = cli_due_list_read(cli, person, &list, err);
    size_t count;

    if (!rc)
        cli_due_list_drop(&list, PSN_DUE_ISSUE); /* of what he keeps */
    if (!rc)
        rc = cli_handed_read(cli, person, &handed, err);
    count = list.count + handed.count;
    if (!rc && count > 0)
        rc = print_left(cli, &list, &handed, err);
    if (!rc && count > 0) {
        (void)psn_fail(err, PSN_E_FINDINGS,
                       PSN_NGETTEXT("%zu secret in force is still known to '%s'",
                                    "%zu secrets in force are still known to '%s'",
                                    count),
                       count, person);
        rc = hint_left(&list, &handed, err);
    }
    cli_handed_release(&handed);
    cli_due_list_release(&list);
    return rc;
}

struct slot_search {
    const char *person;
    bool found;
};

static enum psn_code look(void *arg, const struct psn_slot *slot, struct psn_error *err)
{
    struct slot_search *search = arg;

    (void)err;
    search->found = search->found || strcmp(slot->person, search->person) == 0;
    return PSN_OK;
}

/* No rotation shuts out who can unlock the vault. */
static enum psn_code warn_slot(struct cli *cli, const char *person, struct psn_error *err)
{
    struct slot_search search = { .person = person };
    enum psn_code rc = psn_slot_each(cli->vault, look, &search, err);

    if (!rc && search.found)
        cli_warn(cli,
                 _("%s can unlock the vault and reaches everything in it, whatever "
                   "grants have ended; see: passation slot ls"),
                 CLI_SHOWN(person));
    return rc;
}

static enum psn_code run(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_revoke_options *options = arg;
    const char *person = cli->args[0];
    struct cli_due_list list = { 0 };
    size_t count = 0;
    size_t rotated;
    enum psn_code rc =
        psn_grant_end(cli->vault, person, cli->args + 1, cli->arg_count - 1, &count, err);

    if (rc)
        return rc;
    cli_note(cli, PSN_NGETTEXT("%zu grant has ended.", "%zu grants have ended.", count),
             count);
    rc = warn_slot(cli, person, err);
    if (!rc &&
        !options->no_rotate) /* else nothing changes between this look and the last */
        rc = cli_due_list_read(cli, person, &list, err);
    if (!rc && !options->no_rotate)
        rc = cli_due_rotate(cli, &list, err);
    rotated = cli_due_list_count(&list, PSN_DUE_ROTATE);
    cli_due_list_release(&list);
    if (!rc)
        rc = fail_left(cli, person, err);
    if (!rc)
        rc = cli_owned_fail_known(cli, person, err);
    if (!rc && rotated)
        cli_note(
            cli,
            _("Those who keep these roles get the new passwords with: passation outbox"));
    return rc;
}

const struct cli_command cmd_revoke = {
    .name = "revoke",
    .arguments = N_("PERSON [GLOB…]"),
    .summary = N_("end a person's grants, and change every password he has seen"),
    .examples = N_("passation revoke jp technique@martin.fr\tone role\n"
                   "passation revoke jp\tall of them\n"
                   "passation revoke jp --no-rotate\tthe passwords later: passation due "
                   "--apply\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = SIZE_MAX,
    .options = revoke_options,
    .options_size = sizeof(struct cmd_revoke_options),
    .run = run,
};
