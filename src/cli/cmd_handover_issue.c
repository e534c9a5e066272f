#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/limits.h"
#include "cli/busy.h"
#include "cli/cli.h"
#include "cli/delivery.h"
#include "cli/display.h"
#include "cli/handover_grants.h"
#include "cli/handover_pv.h"
#include "cli/handover_show.h"
#include "cli/handover_write.h"
#include "cli/opening.h"

/* handover issue, compare and confirm: the trousseau on its way to the client. */

/* --- the statement in it --- */

static enum psn_code add_page(const struct psn_handover_facts *facts,
                              struct psn_trousseau *trousseau, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) page = psn_buf_init(PSN_ISSUE_FILE_MAX);
    enum psn_code rc = cli_handover_pv_page(facts, &page, err);

    return rc ? rc
              : psn_trousseau_add(trousseau, "proces-verbal.html", page.data, page.size,
                                  err);
}

static enum psn_code add_json(const struct psn_handover_facts *facts,
                              struct psn_trousseau *trousseau, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    enum psn_code rc;

    cli_handover_pv_json(facts, &json);
    psn_buf_char(&json.text, '\n');
    rc = psn_buf_check(&json.text, err);
    return rc ? rc
              : psn_trousseau_add(trousseau, "proces-verbal.json", json.text.data,
                                  json.text.size, err);
}

/* A signed statement, whose journal heads `log --verify` checks. */
static enum psn_code add_text(struct cli *cli, const struct psn_handover_facts *facts,
                              struct psn_trousseau *trousseau, struct psn_error *err)
{
    PSN_AUTO_FREE char *statement = NULL;
    enum psn_code rc = cli_handover_statement(cli, facts, &statement, err);

    return rc ? rc
              : psn_trousseau_add(trousseau, "proces-verbal.txt", statement,
                                  strlen(statement), err);
}

/* What each file is for, in both languages: the client did not choose ours. */
static const char readme[] =
    "LISEZ-MOI\n"
    "\n"
    "Ouvrez trousseau.html dans un navigateur, sans internet si vous voulez, et tapez "
    "le\n"
    "code que l’on vous a dicté : tous vos accès s’y trouvent. Gardez ce dossier et le\n"
    "code à deux endroits différents.\n"
    "\n"
    "trousseau.html        vos accès, dans un navigateur\n"
    "trousseau.kdbx        les mêmes, pour KeePassXC ou KeePass, avec le même code\n"
    "trousseau.age         les mêmes, pour un informaticien : age -d trousseau.age\n"
    "proces-verbal.html    ce qui vous a été remis, à imprimer et à signer\n"
    "reglages/             pour installer une boîte sur un iPhone, un Mac, Thunderbird\n"
    "zones/                la zone DNS de vos noms de domaine, pour un informaticien\n"
    "SHA256SUMS            l’empreinte de chaque fichier : sha256sum -c SHA256SUMS\n"
    "*.sig, *.minisig      les signatures, pour un informaticien : voir la fin du\n"
    "                      procès-verbal\n"
    "\n"
    "READ ME\n"
    "\n"
    "Open trousseau.html in a browser, offline if you like, and type the code that you\n"
    "were told: all your accesses are in it. Keep this folder and the code in two\n"
    "different places.\n"
    "\n"
    "trousseau.html        your accesses, in a browser\n"
    "trousseau.kdbx        the same, for KeePassXC or KeePass, with the same code\n"
    "trousseau.age         the same, for a technician: age -d trousseau.age\n"
    "proces-verbal.html    what was handed over to you, to be printed and signed\n"
    "reglages/             to set up a mailbox on an iPhone, a Mac, Thunderbird\n"
    "zones/                the DNS zones of your domain names, for a technician\n"
    "SHA256SUMS            the digest of each file: sha256sum -c SHA256SUMS\n"
    "*.sig, *.minisig      the signatures, for a technician: see the end of the\n"
    "                      statement\n";

static enum psn_code write_statement(void *arg, const struct psn_handover_facts *facts,
                                     struct psn_trousseau *trousseau,
                                     struct psn_error *err)
{
    struct cli_delivery *delivery = arg;
    enum psn_code rc = add_page(facts, trousseau, err);

    if (!rc)
        rc = add_text(delivery->cli, facts, trousseau, err);
    if (!rc)
        rc = add_json(facts, trousseau, err);
    return rc ? rc
              : psn_trousseau_add(trousseau, CLI_HANDOVER_README, readme,
                                  sizeof readme - 1, err);
}

/* --- issue --- */

struct cmd_handover_issue_options {
    struct cli_delivery_options where;
};

static const struct cli_option issue_options[] = {
    { "output", 'o', CLI_TEXT,
      offsetof(struct cmd_handover_issue_options, where) +
          offsetof(struct cli_delivery_options, directory),
      N_("DIR"), N_("where the trousseau's folder is made (default: here)") },
    { "code-fd", 0, CLI_FD,
      offsetof(struct cmd_handover_issue_options, where) +
          offsetof(struct cli_delivery_options, code_fd),
      N_("N"), N_("write the code to file descriptor N, as SERIAL<TAB>CODE") },
    { 0 },
};

/* What was just handed over is theirs, too, until the receipt comes back or they are
 * revoked. */
static enum psn_code warn_of_grants(struct cli *cli, const struct psn_handover *handover,
                                    struct psn_error *err)
{
    struct cli_handover_grants grants;
    enum psn_code rc = cli_handover_grants_read(cli, handover, &grants, err);

    for (size_t at = 0; !rc && at < grants.count;) {
        PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(4096);

        at = cli_handover_grants_text(&grants, at, &text);
        rc = psn_buf_check(&text, err);
        if (!rc)
            cli_warn(cli, "%s", CLI_SHOWN(psn_buf_str(&text)));
    }
    cli_handover_grants_release(&grants);
    return rc;
}

static enum psn_code tell_issued(struct cli *cli, struct psn_error *err)
{
    struct psn_handover handover = { 0 };
    enum psn_code rc = psn_handover_get(cli->vault, cli->args[0], &handover, err);

    if (rc)
        return rc;
    if (cli->json) {
        PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

        cli_json_open(&json, NULL, '{');
        cli_json_text(&json, "client", handover.client);
        cli_json_text(&json, "person", handover.to);
        cli_json_number(&json, "serial", (int64_t)handover.serial);
        cli_json_text(&json, "path", handover.path);
        cli_json_time(&json, "compared_at", handover.compared_s);
        cli_json_close(&json, '}');
        rc = cli_json_print(cli, &json, err);
    } else {
        cli_print(cli, "%s\n", CLI_SHOWN(handover.path));
        cli_note(cli, _("✓ Every file was opened again from the disk with the code, and "
                        "compared with the vault."));
        cli_note(cli,
                 _("Give the client the folder; tell the code by another way (a call, a "
                   "text message). It is written down nowhere. Then: passation handover "
                   "confirm %s CODE, with the receipt code that the page shows."),
                 handover.client);
    }
    if (!rc)
        rc = warn_of_grants(cli, &handover, err);
    psn_handover_release(&handover);
    return rc;
}

static enum psn_code run_issue(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_handover_issue_options *options = arg;
    struct cli_delivery delivery;
    struct psn_trousseau_request request = { .client = cli->args[0],
                                             .language = cli_language(),
                                             .state = write_statement,
                                             .arg = &delivery };
    enum psn_code rc;

    cli_delivery_begin(&delivery, cli, &options->where);
    cli_json_release(&delivery.json);
    request.directory = delivery.to.directory;
    request.tell_code = delivery.to.tell_code;
    rc = cli_display_ca(cli, err);
    if (!rc && !request.tell_code)
        rc = psn_fail(err, PSN_E_INVALID,
                      _("the code can be told to nobody: run it on a terminal, or give "
                        "--code-fd N"));
    cli_busy_begin(cli, _("making the trousseau"));
    if (!rc)
        rc = psn_handover_issue(cli->vault, &request, err);
    cli_busy_end();
    return rc ? rc : tell_issued(cli, err);
}

const struct cli_command cmd_handover_issue = {
    .name = "handover issue",
    .arguments = N_("CLIENT"),
    .summary = N_("make the trousseau: every access of the client, with the statement"),
    .examples = N_("passation handover issue martin -o remise\t"
                   "the code is told on the terminal\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = issue_options,
    .options_size = sizeof(struct cmd_handover_issue_options),
    .run = run_issue,
};

/* --- compare --- */

struct cmd_handover_compare_options {
    int code_fd;
};

static const struct cli_option compare_options[] = {
    { "code-fd", 0, CLI_FD, offsetof(struct cmd_handover_compare_options, code_fd),
      N_("N"), N_("the code is on file descriptor N") },
    { 0 },
};

static enum psn_code run_compare(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_handover_compare_options *options = arg;
    PSN_AUTO(psn_secret) *code = NULL;
    enum psn_code rc =
        cli_read_code(cli, options->code_fd, _("Code of the trousseau: "), &code, err);

    cli_busy_begin(cli, _("reading the trousseau"));
    if (!rc)
        rc = psn_handover_compare(cli->vault, cli->args[0],
                                  cli->arg_count > 1 ? cli->args[1] : NULL, code, err);
    cli_busy_end();
    if (!rc)
        cli_note(cli, _("✓ The trousseau holds what the vault has."));
    return rc;
}

const struct cli_command cmd_handover_compare = {
    .name = "handover compare",
    .arguments = N_("CLIENT [FOLDER]"),
    .summary = N_("open a trousseau again with its code, and compare it with the vault"),
    .examples = N_("passation handover compare martin /media/usb/trousseau-martin-1795\t"
                   "a copy, before it is given away\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 2,
    .options = compare_options,
    .options_size = sizeof(struct cmd_handover_compare_options),
    .run = run_compare,
};

/* --- confirm --- */

/* What is newer is not the client's yet: he has what does not work any more. */
static enum psn_code warn_of_stale(struct cli *cli, struct psn_error *err)
{
    struct psn_handover handover = { 0 };
    size_t count = 0;
    enum psn_code rc = psn_handover_get(cli->vault, cli->args[0], &handover, err);

    for (size_t i = 0; i < handover.blocker_count; i++)
        count += handover.blockers[i].block == PSN_BLOCKER_STALE;
    psn_handover_release(&handover);
    if (count > 0)
        cli_warn(
            cli,
            PSN_NGETTEXT("%zu thing is newer than that trousseau, or not in it: make "
                         "another one",
                         "%zu things are newer than that trousseau, or not in it: "
                         "make another one",
                         count),
            count);
    return rc;
}

static enum psn_code run_confirm(struct cli *cli, const void *arg, struct psn_error *err)
{
    enum psn_code rc = psn_handover_confirm(cli->vault, cli->args[0], cli->args[1], err);

    (void)arg;
    if (rc)
        return rc;
    cli_note(cli, _("The receipt code is right: the trousseau was opened. This is a "
                    "delivery note; it does not prove who opened it."));
    rc = warn_of_stale(cli, err);
    return rc ? rc : cli_handover_show(cli, cli->args[0], false, err);
}

const struct cli_command cmd_handover_confirm = {
    .name = "handover confirm",
    .arguments = N_("CLIENT CODE"),
    .summary = N_("note that the trousseau was opened, by the receipt code in it"),
    .examples = N_("passation handover confirm martin K7MQ2-9XWVT-A\t"
                   "as the client read it out\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 2,
    .max_args = 2,
    .run = run_confirm,
};
