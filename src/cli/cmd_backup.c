#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/busy.h"
#include "cli/cli.h"
#include "cli/paths.h"

struct cmd_backup_options {
    bool force;
};

static const struct cli_option backup_options[] = {
    { "force", 'f', CLI_FLAG, offsetof(struct cmd_backup_options, force), NULL,
      N_("replace FILE if it exists") },
    { 0 },
};

static enum psn_code run_backup(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_backup_options *options = arg;
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    enum psn_code rc = options->force ? cli_check_no_key(cli, cli->args[0], err) : PSN_OK;

    if (rc)
        return rc;
    cli_busy_begin(cli, _("copying the vault, and checking the copy"));
    rc = psn_vault_backup(cli->vault, cli->args[0], options->force, err);
    cli_busy_end();
    if (rc == PSN_E_EXISTS)
        return psn_hint(err, rc, _("give -f to replace it"));
    if (rc)
        return rc;
    if (!cli->json) {
        cli_print(cli, _("A complete copy, opened and checked: %s\n"),
                  CLI_SHOWN(cli->args[0]));
        cli_note(cli,
                 _("Keep it on another disk. The ways in of today open it, also when "
                   "they are removed later."));
        return PSN_OK;
    }
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "backup", cli->args[0]);
    cli_json_bool(&json, "verified", true);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

const struct cli_command cmd_backup = {
    .name = "backup",
    .arguments = N_("FILE"),
    .summary = N_("copy the vault into a file, also while it is in use"),
    .examples = N_("passation backup /media/usb/vault-2026-11-24.db\ta new file\n"
                   "passation backup -f /media/usb/vault.db\treplaces an older copy\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = backup_options,
    .options_size = sizeof(struct cmd_backup_options),
    .run = run_backup,
};

/* --- restore --- */

enum {
    TRIES = 3
};

struct cmd_restore_options {
    bool accept_older;
};

static const struct cli_option restore_options[] = {
    { "accept-older", 0, CLI_FLAG, offsetof(struct cmd_restore_options, accept_older),
      NULL, N_("take a copy that is older than the vault last seen here") },
    { 0 },
};

/* What one attempt at restoring needs and gives. */
struct attempt {
    struct cli *cli;
    struct psn_restore restore;
    struct psn_carried carried;
    char kept[CLI_PATH_MAX];
};

static enum psn_code try_restore(struct attempt *attempt, struct psn_error *err)
{
    struct cli *cli = attempt->cli;
    enum psn_code rc;

    cli_busy_begin(cli, _("opening the backup, and checking all of it"));
    rc = psn_vault_restore(&cli->vault_options, &attempt->restore, attempt->kept,
                           sizeof attempt->kept, &cli->vault, err);
    cli_busy_end();
    return rc;
}

/* The agent knows keys by the vault's id, which the present vault tells. */
static enum psn_code try_agent(struct attempt *attempt, struct psn_error *err)
{
    PSN_AUTO(psn_vault) *present = NULL;
    PSN_AUTO(psn_secret) *key = NULL;
    uint8_t slot[PSN_SLOT_ID_SIZE];
    enum psn_code rc;

    if (psn_vault_open(&attempt->cli->vault_options, &present, NULL) ||
        cli_agent_get(psn_vault_id(present), &key, slot, NULL))
        return PSN_E_DENIED;
    psn_vault_free(PSN_TAKE(present));
    attempt->restore.exported_key = key;
    attempt->restore.slot = slot;
    rc = try_restore(attempt, err);
    attempt->restore.exported_key = NULL;
    attempt->restore.slot = NULL;
    if (rc == PSN_E_DENIED)
        psn_error_clear(err);
    return rc;
}

static enum psn_code try_terminal(struct attempt *attempt, struct psn_error *err)
{
    enum psn_code rc = PSN_E_DENIED;

    if (!cli_has_terminal(attempt->cli)) {
        (void)psn_fail(err, PSN_E_LOCKED, _("the backup is locked"));
        return psn_hint(err, PSN_E_LOCKED,
                        _("give --passphrase-fd N or --identity-file FILE"));
    }
    for (int i = 0; rc == PSN_E_DENIED && i < TRIES; i++) {
        PSN_AUTO(psn_secret) *typed = NULL;

        if (i > 0)
            cli_note(attempt->cli, _("That is not the passphrase."));
        psn_error_clear(err);
        rc = cli_ask_secret(attempt->cli, _("Passphrase of the backup: "), PSN_SECRET_MAX,
                            &typed, err);
        attempt->restore.key = (struct psn_key){ PSN_SLOT_PASSPHRASE, typed };
        if (!rc)
            rc = try_restore(attempt, err);
        attempt->restore.key.secret = NULL;
    }
    return rc;
}

static enum psn_code restore(struct attempt *attempt, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *secret = NULL;
    enum psn_code rc;

    cli_warn_unlocked_memory(attempt->cli);
    rc = cli_unlock_flag(attempt->cli, &attempt->restore.key.kind, &secret, err);
    attempt->restore.key.secret = secret;
    if (rc)
        return rc;
    if (secret)
        return try_restore(attempt, err);
    rc = try_agent(attempt, err);
    return rc == PSN_E_DENIED ? try_terminal(attempt, err) : rc;
}

static void warn_of_clients(const struct cli *cli, const struct psn_carried *carried)
{
    if (carried->mailboxes_left > 0)
        cli_warn(cli,
                 PSN_NGETTEXT("%zu mailbox of the vault that was there was not taken "
                              "over: it is another client's there, or was removed and "
                              "added again",
                              "%zu mailboxes of the vault that was there were not taken "
                              "over: they are another client's there, or were removed "
                              "and added again",
                              carried->mailboxes_left),
                 carried->mailboxes_left);
    if (carried->clients_back > 0)
        cli_warn(cli,
                 PSN_NGETTEXT("%zu client who had been removed is back, with all there "
                              "was of him: see passation client ls, then passation "
                              "outbox --judged (nothing is issued before)",
                              "%zu clients who had been removed are back, with all there "
                              "was of them: see passation client ls, then passation "
                              "outbox --judged (nothing is issued before)",
                              carried->clients_back),
                 carried->clients_back);
}

static void warn_of_place(const struct cli *cli, const struct psn_carried *carried)
{
    if (carried->replaced == PSN_REPLACED_ANOTHER)
        cli_warn(cli, _("the vault that was there is another one, with other clients and "
                        "people: nothing of it is in this copy"));
    if (carried->replaced == PSN_REPLACED_UNREADABLE)
        cli_warn(cli, _("the vault that was there does not open with the keys of this "
                        "copy (it is damaged, or was rekeyed): if it was newer, what is "
                        "newer in it is not taken over"));
}

/* What only somebody who looks can tell. */
/* One record tells of the newest state: two live copies have it in turns. */
static void warn_of_other(const struct cli *cli, const struct psn_carried *carried)
{
    if (carried->is_elsewhere)
        cli_warn(cli, _("this is the vault from now on: one that lies elsewhere on this "
                        "computer is called an older copy. Only to try a backup: "
                        "XDG_STATE_HOME=FOLDER passation --vault COPY restore FILE"));
}

static void warn_of_forks(const struct cli *cli, const struct psn_carried *carried)
{
    if (carried->passwords_apart > 0)
        cli_warn(cli,
                 PSN_NGETTEXT("%zu mailbox has another password in the vault that was "
                              "there, which went on apart from this copy: that one is "
                              "among its versions (passation show ADDRESS --versions), "
                              "or in the file that is kept; see which one works: "
                              "passation verify '*', and passation rotate where it is "
                              "refused; then passation outbox --judged (nothing is "
                              "issued before)",
                              "%zu mailboxes have another password in the vault that was "
                              "there, which went on apart from this copy: that one is "
                              "among their versions (passation show ADDRESS --versions), "
                              "or in the file that is kept; see which one works: "
                              "passation verify '*', and passation rotate where it is "
                              "refused; then passation outbox --judged (nothing is "
                              "issued before)",
                              carried->passwords_apart),
                 carried->passwords_apart);
    if (carried->secrets_apart > 0)
        cli_warn(cli,
                 PSN_NGETTEXT("%zu other secret was changed in the vault that was there, "
                              "too, which went on apart from this copy: see that the "
                              "right one is here (passation secret ls); the other one is "
                              "in the file that is kept; then passation outbox --judged "
                              "(nothing is issued before)",
                              "%zu other secrets were changed in the vault that was "
                              "there, too, which went on apart from this copy: see that "
                              "the right ones are here (passation secret ls); the others "
                              "are in the file that is kept; then passation outbox "
                              "--judged (nothing is issued before)",
                              carried->secrets_apart),
                 carried->secrets_apart);
}

/* What the older copy does not know of people. */
static void warn_of_people(const struct attempt *attempt)
{
    const struct psn_carried *carried = &attempt->carried;
    struct cli *cli = attempt->cli;

    cli_warn(cli, _("whoever could open the vault when this copy was made can open it "
                    "again, those who were removed since, too: passation slot ls, "
                    "then passation rekey"));
    warn_of_clients(cli, carried);
    if (carried->is_read)
        cli_note(
            cli,
            _("Taken over from the vault that was there: %zu passwords of mailboxes, "
              "%zu other secrets, %zu mailboxes and %zu clients that are new, %zu times "
              "that somebody saw something, %zu ends of grants, %zu departures, %zu "
              "people. See what is due: passation due"),
            carried->passwords, carried->secrets, carried->mailboxes, carried->clients,
            carried->exposures, carried->grants, carried->departures, carried->people);
    warn_of_forks(cli, carried);
    if (carried->is_whole || carried->clients_back > 0 || carried->passwords_apart > 0 ||
        carried->secrets_apart > 0)
        return;
    if (carried->is_read)
        cli_warn(cli, _("the vault that was there did not know all either"));
    cli_warn(cli,
             _("passwords, secrets, grants, revocations and departures since this copy "
               "that were not taken over are lost, and who has seen what: run passation "
               "verify '*', see passation person ls and passation grant ls, then "
               "passation outbox --judged (nothing is issued before), and passation "
               "rotate '*'"));
}

/* A log that does not belong to the file beside it was kept apart from it. */
static void print_kept(const struct attempt *attempt)
{
    char log[CLI_PATH_MAX + 8];

    if (!attempt->kept[0])
        return;
    cli_print(attempt->cli, _("The vault that was there is kept: %s\n"),
              CLI_SHOWN(attempt->kept));
    (void)snprintf(log, sizeof log, "%s-wal", attempt->kept);
    if (access(log, F_OK) == 0)
        cli_print(
            attempt->cli,
            _("Its log is kept as it was, and belongs perhaps to another copy of the "
              "vault: %s\n"),
            CLI_SHOWN(log));
}

static const char *replaced_word(enum psn_replaced replaced)
{
    switch (replaced) {
    case PSN_REPLACED_NOTHING:
        return NULL;
    case PSN_REPLACED_READ:
        return "read";
    case PSN_REPLACED_UNREADABLE:
        return "unreadable";
    case PSN_REPLACED_ANOTHER:
        break;
    }
    return "another";
}

static void put_carried(struct cli_json *json, const struct psn_carried *carried)
{
    if (!carried->is_read) {
        cli_json_text(json, "taken_over", NULL);
        return;
    }
    cli_json_open(json, "taken_over", '{');
    cli_json_bool(json, "whole", carried->is_whole);
    cli_json_number(json, "exposures", (int64_t)carried->exposures);
    cli_json_number(json, "grants", (int64_t)carried->grants);
    cli_json_number(json, "departures", (int64_t)carried->departures);
    cli_json_number(json, "people", (int64_t)carried->people);
    cli_json_number(json, "passwords", (int64_t)carried->passwords);
    cli_json_number(json, "secrets", (int64_t)carried->secrets);
    cli_json_number(json, "clients", (int64_t)carried->clients);
    cli_json_number(json, "mailboxes", (int64_t)carried->mailboxes);
    cli_json_number(json, "mailboxes_left", (int64_t)carried->mailboxes_left);
    cli_json_number(json, "clients_back", (int64_t)carried->clients_back);
    cli_json_number(json, "passwords_apart", (int64_t)carried->passwords_apart);
    cli_json_number(json, "secrets_apart", (int64_t)carried->secrets_apart);
    cli_json_close(json, '}');
}

static enum psn_code print_restored(struct attempt *attempt, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct cli *cli = attempt->cli;

    warn_of_place(cli, &attempt->carried);
    warn_of_other(cli, &attempt->carried);
    if (attempt->restore.accept_older ||
        attempt->carried.replaced == PSN_REPLACED_UNREADABLE)
        warn_of_people(attempt);
    if (!cli->json) {
        cli_print(cli, _("Restored and checked: %s\n"), CLI_SHOWN(cli->vault_path));
        print_kept(attempt);
        return PSN_OK;
    }
    cli_json_open(&json, NULL, '{');
    cli_json_text(&json, "vault", cli->vault_path);
    cli_json_text(&json, "kept", attempt->kept[0] ? attempt->kept : NULL);
    cli_json_text(&json, "replaced", replaced_word(attempt->carried.replaced));
    if (attempt->restore.accept_older)
        put_carried(&json, &attempt->carried);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

/* Their ids are in clear. */
static bool is_another(const struct cli *cli, const char *backup)
{
    PSN_AUTO(psn_vault) *there = NULL;
    PSN_AUTO(psn_vault) *copy = NULL;
    const struct psn_vault_options options = { .path = backup };

    return !psn_vault_open(&cli->vault_options, &there, NULL) &&
           !psn_vault_open(&options, &copy, NULL) &&
           memcmp(psn_vault_id(there), psn_vault_id(copy), PSN_VAULT_ID_SIZE) != 0;
}

static enum psn_code ask(struct cli *cli, struct psn_error *err)
{
    const char *backup = cli->args[0];

    if (access(cli->vault_path, F_OK) != 0)
        return PSN_OK;
    if (!cli->yes && is_another(cli, backup))
        return cli_confirm(cli, err,
                           _("'%s' is a copy of another vault. Put it in the place of "
                             "the vault '%s', which it has nothing to do with?"),
                           CLI_SHOWN(backup), CLI_SHOWN(cli->vault_path));
    return cli_confirm(cli, err, _("Put '%s' in the place of the vault '%s'?"),
                       CLI_SHOWN(backup), CLI_SHOWN(cli->vault_path));
}

static enum psn_code run_restore(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_restore_options *options = arg;
    struct attempt attempt = { .cli = cli,
                               .restore = { .backup = cli->args[0],
                                            .accept_older = options->accept_older } };
    enum psn_code rc;

    attempt.restore.carried = &attempt.carried;
    if (access(cli->args[0], F_OK) != 0) {
        (void)psn_fail(err, PSN_E_NOT_FOUND, _("no backup at '%s'"),
                       CLI_SHOWN(cli->args[0]));
        return psn_hint(err, PSN_E_NOT_FOUND,
                        _("name the copy that 'passation backup' made"));
    }
    rc = ask(cli, err);
    if (!rc) /* another computer has no folder yet */
        rc = cli_paths_make_parent(cli->vault_path, err);
    if (!rc)
        rc = restore(&attempt, err);
    return rc ? rc : print_restored(&attempt, err);
}

const struct cli_command cmd_restore = {
    .name = "restore",
    .arguments = N_("FILE"),
    .summary = N_("put a backup in the place of the vault, after checking all of it"),
    .examples = N_("passation restore /media/usb/vault.db\t"
                   "the present vault is kept beside it\n"),
    .min_args = 1,
    .max_args = 1,
    .options = restore_options,
    .options_size = sizeof(struct cmd_restore_options),
    .run = run_restore,
};
