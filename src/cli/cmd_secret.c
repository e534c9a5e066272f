#include <string.h>

#include "base/limits.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/fields.h"

/* secret add, set and rm; ls is in cmd_secret_list.c. */

struct cmd_secret_options {
    const char *type;
    const char *user;
    const char *url;
    const char *expires;
    const char *note;
    int secret_fd;
    bool generate;
    bool replacement;
    const char *unchangeable;
};

#define TEXT_OPTION(option, member, value, help)                                      \
    {                                                                                 \
        option, 0, CLI_TEXT, offsetof(struct cmd_secret_options, member), value, help \
    }

#define SECRET_OPTIONS                                                                \
    TEXT_OPTION("type", type, N_("TYPE"),                                             \
                N_("what it is: ftp, database, cms, licence, stripe, totp …; see "  \
                   "passation-secret(1)")),                                           \
        TEXT_OPTION("user", user, N_("USER"), N_("the user name that goes with it")), \
        TEXT_OPTION("url", url, N_("URL"), N_("where it is used")),                   \
        TEXT_OPTION("expires", expires, N_("YYYY-MM-DD"),                             \
                    N_("the last day it is valid")),                                  \
        TEXT_OPTION("note", note, N_("TEXT"), N_("anything else; not a secret")),     \
        { "secret-fd", 0,                                                             \
          CLI_FD,      offsetof(struct cmd_secret_options, secret_fd),                \
          N_("N"),     N_("read the secret from this descriptor, up to its end") },   \
    {                                                                                 \
        "generate", 0, CLI_FLAG, offsetof(struct cmd_secret_options, generate), NULL, \
            N_("make a random password")                                              \
    }

static const struct cli_option add_options[] = { SECRET_OPTIONS, { 0 } };

static const struct cli_option set_options[] = {
    SECRET_OPTIONS,
    { "replacement", 0, CLI_FLAG, offsetof(struct cmd_secret_options, replacement), NULL,
      N_("the one that was made ready when somebody left") },
    TEXT_OPTION("unchangeable", unchangeable, N_("WHY"),
                N_("nobody can change it (an IBAN): no departure or handover waits for "
                   "another one; '' takes that back")),
    { 0 },
};

/* --- the value -----------------------------------------------------------------------
 */

static enum psn_code read_value(const char *where, int fd, struct psn_secret **ret_value,
                                struct psn_error *err)
{
    enum psn_code rc = psn_secret_read_fd(fd, PSN_SECRET_MAX, ret_value, err);

    if (rc)
        return psn_wrap(err, rc, "%s", where);
    if (psn_secret_size(*ret_value) == 0)
        return psn_fail(err, PSN_E_INVALID, _("%s: the secret that was given is empty"),
                        where);
    return PSN_OK;
}

/* By descriptor, made, or typed twice on the terminal. */
static enum psn_code take_value(struct cli *cli, const struct cmd_secret_options *options,
                                struct psn_secret **ret_value, struct psn_error *err)
{
    const char *where = CLI_SHOWN(cli->args[0]);

    if (options->generate && options->secret_fd >= 0)
        return psn_fail(err, PSN_E_INVALID,
                        _("%s: --generate and --secret-fd exclude each other"), where);
    if (options->secret_fd >= 0 && !cli_is_typed(cli, options->secret_fd))
        return read_value(where, options->secret_fd, ret_value, err);
    if (options->generate)
        return psn_new_password(ret_value, err);
    if (cli_has_terminal(cli))
        return cli_ask_new_secret(cli, _("Secret: "), PSN_SECRET_MAX, ret_value, err);
    (void)psn_fail(err, PSN_E_INVALID, _("%s, %s: no secret was given"), where,
                   CLI_SHOWN(cli->args[1]));
    return psn_hint(err, PSN_E_INVALID,
                    _("give it with --secret-fd N, or make one with --generate"));
}

static enum psn_code print_version(struct cli *cli, uint64_t version, bool is_new,
                                   struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    if (!cli->json && !is_new) {
        cli_print(cli, _("%s, %s: changed; version %llu stays the current one\n"),
                  CLI_SHOWN(cli->args[0]), CLI_SHOWN(cli->args[1]),
                  (unsigned long long)version);
        return PSN_OK;
    }
    if (!cli->json) {
        cli_print(cli, _("%s, %s: version %llu is stored\n"), CLI_SHOWN(cli->args[0]),
                  CLI_SHOWN(cli->args[1]), (unsigned long long)version);
        return PSN_OK;
    }
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "address", cli->args[0]);
    cli_json_text(&json, "label", cli->args[1]);
    cli_json_number(&json, "version", (int64_t)version);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

/* --- add -----------------------------------------------------------------------------
 */

static enum psn_code copy_option(const char *name, const char *text, char *ret_field,
                                 size_t size, struct psn_error *err)
{
    return text ? cli_field_copy(name, text, ret_field, size, err) : PSN_OK;
}

static enum psn_code fill(struct cli *cli, const struct cmd_secret_options *options,
                          struct psn_secret_info *info, struct psn_error *err)
{
    enum psn_code rc = cli_field_copy(_("the address"), cli->args[0], info->address,
                                      sizeof info->address, err);

    if (!rc)
        rc = cli_field_copy(_("the label"), cli->args[1], info->label, sizeof info->label,
                            err);
    if (!rc)
        rc = copy_option("--type", options->type, info->type, sizeof info->type, err);
    if (!rc)
        rc = copy_option("--user", options->user, info->user, sizeof info->user, err);
    if (!rc)
        rc = copy_option("--url", options->url, info->url, sizeof info->url, err);
    if (!rc)
        rc = copy_option("--expires", options->expires, info->expires,
                         sizeof info->expires, err);
    return rc ? rc
              : copy_option("--note", options->note, info->note, sizeof info->note, err);
}

/* A list that was taken for one code is noticed here, not when it is needed. */
static void tell_codes(const struct cli *cli, const struct psn_secret_info *added)
{
    if (!cli->json && strcmp(added->type, "recovery") == 0)
        cli_note(cli,
                 PSN_NGETTEXT("It holds %zu code, each on a line or behind a comma",
                              "It holds %zu codes, each on a line or behind a comma",
                              added->code_count),
                 added->code_count);
}

/* --- a value that comes back --- */

struct returning {
    const struct cli *cli;
    char told[PSN_PERSON_ID_MAX]; /* last; the list is sorted by people */
};

static enum psn_code warn_if_known(void *arg, const struct psn_exposure *exposure,
                                   struct psn_error *err)
{
    struct returning *returning = arg;

    (void)err;
    if (exposure->how == PSN_HOW_TYPED || strcmp(exposure->person, returning->told) == 0)
        return PSN_OK;
    memcpy(returning->told, exposure->person, sizeof returning->told);
    cli_warn(
        returning->cli,
        exposure->how == PSN_HOW_RETURNED
            ? _("'%s' may know this value: a secret of this name went with the mailbox "
                "when it was removed")
            : _("'%s' knows this value: it was a secret of this mailbox before"),
        exposure->person);
    return PSN_OK;
}

/* Nobody else has seen a new value: whoever is told to has seen it as another one. */
static void warn_of_return(const struct cli *cli, uint64_t version)
{
    struct returning returning = { .cli = cli };

    PSN_IGNORE(psn_exposure_each_of(cli->vault, cli->args[0], cli->args[1], version,
                                    warn_if_known, &returning, NULL));
}

static enum psn_code run_add(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_secret_options *options = arg;
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_secret_info info = { 0 };
    struct psn_secret_info added = { 0 };
    enum psn_code rc = fill(cli, options, &info, err);

    if (!rc)
        rc = psn_secret_check_new(cli->vault, &info, err);
    if (!rc)
        rc = take_value(cli, options, &value, err);
    if (!rc)
        rc = psn_secret_add(cli->vault, &info, value,
                            options->generate ? PSN_SECRET_GENERATED : PSN_SECRET_GIVEN,
                            err);
    if (!rc) /* where a mailbox was before, the first version is not number 1 */
        rc = psn_secret_get(cli->vault, info.address, info.label, &added, err);
    if (rc)
        return rc;
    warn_of_return(cli, added.version);
    rc = print_version(cli, added.version, true, err);
    if (!rc)
        tell_codes(cli, &added);
    return rc;
}

const struct cli_command cmd_secret_add = {
    .name = "secret add",
    .arguments = N_("ADDRESS LABEL"),
    .summary = N_("hang another secret on a role: a licence, an FTP or Stripe account …"),
    .examples =
        N_("passation secret add technique@martin.fr ftp --type ftp\t"
           "asks for the secret, twice\n"
           "passation secret add facturation@martin.fr stripe --secret-fd 3 3<FILE\t"
           "reads it from a file\n"
           "passation secret add technique@martin.fr cms --type cms --generate\t"
           "makes a password\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED | CLI_NEW,
    .min_args = 2,
    .max_args = 2,
    .options = add_options,
    .options_size = sizeof(struct cmd_secret_options),
    .run = run_add,
};

/* --- set -----------------------------------------------------------------------------
 */

static enum psn_code run_set(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_secret_options *options = arg;
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_secret_change change = {
        .type = options->type,
        .user = options->user,
        .url = options->url,
        .note = options->note,
        .expires = options->expires,
        .unchangeable = options->unchangeable,
        .replacement = options->replacement,
    };
    bool only_fields = options->secret_fd < 0 && !options->generate &&
                       (options->type || options->user || options->url || options->note ||
                        options->expires || options->unchangeable);
    struct psn_secret_info known;
    uint64_t version = 0;
    enum psn_code rc = PSN_OK;

    if (options->replacement && (options->generate || options->secret_fd >= 0))
        return psn_fail(err, PSN_E_INVALID,
                        _("--replacement goes without --generate and --secret-fd"));
    if (options->replacement)
        only_fields = false;
    else if (!only_fields)
        rc = psn_secret_get(cli->vault, cli->args[0], cli->args[1], &known, err);
    if (!rc && !options->replacement && !only_fields)
        rc = take_value(cli, options, &value, err);
    change.value = value;
    if (!rc)
        rc = psn_secret_set(cli->vault, cli->args[0], cli->args[1], &change, &version,
                            err);
    if (!rc && value)
        warn_of_return(cli, version);
    return rc ? rc : print_version(cli, version, !only_fields, err);
}

const struct cli_command cmd_secret_set = {
    .name = "secret set",
    .arguments = N_("ADDRESS LABEL"),
    .summary = N_("give a secret a new version, or other fields"),
    .examples = N_("passation secret set technique@martin.fr ftp\t"
                   "asks for the new secret, twice; the old one is kept\n"
                   "passation secret set technique@martin.fr ftp --expires 2027-06-30\t"
                   "changes a field, not the secret\n"
                   "passation secret set facturation@martin.fr iban --unchangeable 'bank "
                   "account'\twhoever has seen it keeps it\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 2,
    .max_args = 2,
    .options = set_options,
    .options_size = sizeof(struct cmd_secret_options),
    .run = run_set,
};

/* --- rm ------------------------------------------------------------------------------
 */

struct cmd_secret_rm_options {
    bool replacement;
};

static const struct cli_option rm_options[] = {
    { "replacement", 0, CLI_FLAG, offsetof(struct cmd_secret_rm_options, replacement),
      NULL, N_("not the secret: the new value that was made ready, and was not used") },
    { 0 },
};

static enum psn_code print_put_aside(struct cli *cli, uint64_t current, uint64_t aside,
                                     struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    if (!cli->json) {
        cli_print(cli,
                  _("%s, %s: the new value was not used, and is put aside; version %llu "
                    "stays the current one\n"),
                  CLI_SHOWN(cli->args[0]), CLI_SHOWN(cli->args[1]),
                  (unsigned long long)current);
        return PSN_OK;
    }
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "address", cli->args[0]);
    cli_json_text(&json, "label", cli->args[1]);
    cli_json_number(&json, "version", (int64_t)current);
    cli_json_number(&json, "put_aside", (int64_t)aside);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

/* Where it was set already, it is the only one that works: nobody puts that aside by
 * mistake. */
static enum psn_code put_aside(struct cli *cli, struct psn_error *err)
{
    struct psn_secret_info info = { 0 };
    uint64_t aside = 0;
    enum psn_code rc = psn_secret_get(cli->vault, cli->args[0], cli->args[1], &info, err);

    if (!rc && info.replacement)
        rc = cli_confirm(cli, err,
                         _("%s, %s: the new value that was made ready is in use nowhere, "
                           "and is to be put aside?"),
                         CLI_SHOWN(cli->args[0]), CLI_SHOWN(cli->args[1]));
    if (!rc)
        rc = psn_secret_rm_replacement(cli->vault, cli->args[0], cli->args[1], &aside,
                                       err);
    return rc ? rc : print_put_aside(cli, info.version, aside, err);
}

static enum psn_code run_rm(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_secret_rm_options *options = arg;
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    enum psn_code rc = options->replacement
                           ? put_aside(cli, err)
                           : psn_secret_rm(cli->vault, cli->args[0], cli->args[1], err);

    if (rc || options->replacement)
        return rc;
    if (!cli->json) {
        cli_print(cli, _("%s, %s: hidden; its versions stay in the vault\n"),
                  CLI_SHOWN(cli->args[0]), CLI_SHOWN(cli->args[1]));
        return PSN_OK;
    }
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "address", cli->args[0]);
    cli_json_text(&json, "label", cli->args[1]);
    cli_json_bool(&json, "removed", true);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

const struct cli_command cmd_secret_rm = {
    .name = "secret rm",
    .arguments = N_("ADDRESS LABEL"),
    .summary = N_("hide a secret; its versions stay"),
    .examples = N_("passation secret rm technique@martin.fr ftp\tno longer listed\n"
                   "passation show technique@martin.fr ftp --versions\t"
                   "what it was is still there\n"
                   "passation secret rm technique@martin.fr ftp --replacement\t"
                   "the new value that was made ready was not used\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 2,
    .max_args = 2,
    .options = rm_options,
    .options_size = sizeof(struct cmd_secret_rm_options),
    .run = run_rm,
};
