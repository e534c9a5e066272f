#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/busy.h"
#include "cli/cli.h"
#include "cli/display.h"
#include "cli/end_copies.h"
#include "cli/handover_words.h"
#include "cli/handover_write.h"

/* handover close: our keys at OVH, our copies, the closing statement. */

struct cmd_handover_close_options {
    const char *confirm;
    const char *folder;
    struct cli_texts backups;
    bool unchanged;
};

static const struct cli_option close_options[] = {
    { "confirm", 0, CLI_TEXT, offsetof(struct cmd_handover_close_options, confirm),
      N_("ID"), N_("the client's id once more: its copies here are destroyed") },
    { "output", 'o', CLI_TEXT, offsetof(struct cmd_handover_close_options, folder),
      N_("DIR"), N_("where the last statements go (default: here)") },
    { "backup", 0, CLI_TEXTS, offsetof(struct cmd_handover_close_options, backups),
      N_("FILE"), N_("a backup that is to lose the client, too; may be repeated") },
    { "unchanged", 0, CLI_FLAG, offsetof(struct cmd_handover_close_options, unchanged),
      NULL,
      N_("though the client has not replaced every password; the statement says so") },
    { 0 },
};

struct closing {
    struct cli *cli;
    const char *folder;
    struct cli_progress *progress;
    struct cli_json json;
    struct cli_end_copies copies;
    struct psn_destruction destruction;
};

/* --- what is seen --- */

static enum psn_code write_final(void *arg, const struct psn_handover_facts *facts,
                                 char **ret_text, struct psn_error *err)
{
    struct closing *closing = arg;

    return cli_handover_write_final(closing->cli, facts, closing->folder, ret_text, err);
}

static void show_progress(void *arg, uint64_t done, uint64_t total)
{
    const struct closing *closing = arg;
    const struct psn_progress state = { .ended = (size_t)done,
                                        .count = (size_t)total,
                                        .address = closing->cli->args[0],
                                        .step = _("writing the vault anew") };

    cli_progress_update(closing->progress, &state);
}

static void tell_destroyed(void *arg, const struct psn_destruction *done)
{
    struct closing *closing = arg;

    closing->destruction = *done;
    cli_progress_clear(closing->progress);
    cli_note(closing->cli, _("✓ Destroyed here: %" PRIu64 " rows and the journal of %s."),
             done->rows_removed, CLI_SHOWN(closing->cli->args[0]));
    if (done->is_overwritten)
        cli_note(closing->cli,
                 _("✓ The old file was written over: %" PRIu64 " bytes, and %" PRIu64
                   " of its log."),
                 done->file_bytes, done->log_bytes);
    else
        cli_warn(closing->cli,
                 _("the old file could not be written over: what is left of it lies in "
                   "free blocks of the disk"));
}

static void tell_backup(void *arg, const char *path, const struct psn_scrub *scrub,
                        const struct psn_error *failed)
{
    struct closing *closing = arg;

    cli_end_copies_add_backup(&closing->copies, path, scrub, failed);
}

static void tell_file(void *arg, const char *path, enum psn_copy_fate fate)
{
    struct closing *closing = arg;

    cli_end_copies_add_file(&closing->copies, path, fate);
}

/* --- the closing statement --- */

static bool is_written(const struct closing *closing, const char *name)
{
    char path[CLI_PATH_MAX];

    return snprintf(path, sizeof path, "%s/%s-%s.txt", closing->folder,
                    closing->cli->args[0], name) < (int)sizeof path &&
           access(path, F_OK) == 0;
}

/* What became of what is noted before, so that whoever is killed here loses nothing. One
 * that lies there is only replaced when there is something to add. */
static enum psn_code write_end(const struct closing *closing,
                               const struct psn_handover_end *end, struct psn_error *err)
{
    struct cli *cli = closing->cli;
    enum psn_code rc = psn_handover_end_note(cli->vault, end, err);

    if (!rc &&
        (!end->stated || closing->copies.told > 0 || !is_written(closing, "cloture")))
        rc = cli_handover_write_end(cli, end, closing->folder, err);
    if (!rc && !end->stated)
        rc = psn_handover_stated(cli->vault, cli->args[0], err);
    return rc;
}

static void tell_closed(const struct closing *closing)
{
    struct cli *cli = closing->cli;
    const char *client = cli->args[0];
    const char *folder = closing->folder;

    cli_note(cli, _("✓ The handover of %s is closed."), CLI_SHOWN(client));
    /* The record was written where the handover was closed first. */
    if (is_written(closing, "proces-verbal"))
        cli_note(
            cli,
            _("The last statements: %s/%s-proces-verbal and %s/%s-cloture, as .html, "
              ".txt and .json, signed."),
            CLI_SHOWN(folder), CLI_SHOWN(client), CLI_SHOWN(folder), CLI_SHOWN(client));
    else
        cli_note(cli,
                 _("The closing statement: %s/%s-cloture, as .html, .txt and .json, "
                   "signed."),
                 CLI_SHOWN(folder), CLI_SHOWN(client));
    cli_note(cli, _("What this cannot reach: other backups, other computers, mails, "
                    "telephones, paper. Look there, too."));
}

static enum psn_code state_end(struct closing *closing, struct psn_error *err)
{
    struct cli *cli = closing->cli;
    struct psn_handover_end end = { 0 };
    enum psn_code rc = psn_handover_end_get(cli->vault, cli->args[0], &end, err);

    if (!rc)
        rc = cli_end_copies_look(&closing->copies, err);
    end.copies = closing->copies.items;
    end.copy_count = closing->copies.count;
    end.lost_count = closing->copies.lost;
    if (closing->destruction.is_done)
        end.destruction = closing->destruction;
    if (!rc)
        rc = write_end(closing, &end, err);
    if (rc)
        return rc;
    cli_json_close(&closing->json, ']');
    cli_json_text(&closing->json, "client", end.client);
    cli_json_time(&closing->json, "destroyed_at", end.destroyed_s);
    cli_json_text(&closing->json, "folder", closing->folder);
    cli_json_close(&closing->json, '}');
    if (cli->json)
        return cli_json_print(cli, &closing->json, err);
    tell_closed(closing);
    return PSN_OK;
}

/* --- all of it --- */

struct own {
    struct cli *cli;
    size_t count;
};

static enum psn_code list_own(void *arg, const struct psn_own_access *access,
                              struct psn_error *err)
{
    struct own *own = arg;

    (void)err;
    if (access->is_kept)
        return PSN_OK;
    if (own->count++ == 0)
        cli_note(own->cli, _("Of ours, to be removed at OVH:"));
    cli_note(own->cli, "  %s  %s", CLI_SHOWN(access->id), CLI_SHOWN(access->detail));
    return PSN_OK;
}

/* What cannot be looked at is no reason not to ask: closing says why it fails. */
static void show_own(struct cli *cli)
{
    struct own own = { .cli = cli };
    struct psn_error cause = { 0 };
    enum psn_code rc;

    cli_busy_begin(cli, _("looking at the client's OVH account"));
    rc = psn_own_access_list(cli->vault, cli->args[0], list_own, &own, &cause);
    cli_busy_end();
    if (rc)
        cli_warn(cli, "%s", cause.message);
}

/* What the trousseau does not hold and nobody will have afterwards. */
static enum psn_code warn_of_hidden(struct cli *cli, struct psn_error *err)
{
    struct psn_handover handover = { 0 };
    enum psn_code rc = psn_handover_get(cli->vault, cli->args[0], &handover, err);

    for (size_t i = 0; !rc && i < handover.blocker_count; i++) {
        const struct psn_handover_blocker *at = &handover.blockers[i];
        PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(PSN_ERROR_MESSAGE_MAX);

        if (at->block != PSN_BLOCKER_HIDDEN)
            continue;
        cli_handover_blocker_text(at, cli->args[0], &text);
        rc = psn_buf_check(&text, err);
        if (!rc)
            cli_warn(cli, "%s", CLI_SHOWN(psn_buf_str(&text)));
    }
    psn_handover_release(&handover);
    return rc;
}

static enum psn_code confirm(struct cli *cli, const char **id, struct psn_error *err)
{
    enum psn_code rc;

    if (*id || !cli_has_terminal(cli))
        return PSN_OK;
    show_own(cli);
    rc = cli_confirm_typed(
        cli, cli->args[0], err,
        _("Everything that this vault has of %s is destroyed, and our keys at OVH are "
          "removed; nothing brings them back. Type the client's id to do it:"),
        CLI_SHOWN(cli->args[0]));
    if (!rc)
        *id = cli->args[0];
    return rc;
}

/* The vault has nothing of the client any more, and OVH knows us no more. */
static enum psn_code confirm_backups(struct cli *cli, size_t count, const char **id,
                                     struct psn_error *err)
{
    enum psn_code rc;

    if (*id || !cli_has_terminal(cli))
        return PSN_OK;
    rc = cli_confirm_typed(
        cli, cli->args[0], err,
        PSN_NGETTEXT("%zu backup is written anew without %s; nothing brings back what it "
                     "has of him. Type the client's id to do it:",
                     "%zu backups are written anew without %s; nothing brings back what "
                     "they have of him. Type the client's id to do it:",
                     count),
        count, CLI_SHOWN(cli->args[0]));
    if (!rc)
        *id = cli->args[0];
    return rc;
}

static bool is_here(struct cli *cli)
{
    struct psn_client client = { 0 };
    struct psn_error cause = { 0 };
    enum psn_code rc = psn_client_get(cli->vault, cli->args[0], &client, &cause);

    psn_client_release(&client);
    return rc == PSN_OK;
}

/* One that is mistyped is found before anything is destroyed. */
static enum psn_code check_backups(const struct cli_texts *backups, struct psn_error *err)
{
    for (size_t i = 0; i < backups->count; i++)
        if (access(backups->items[i], R_OK) != 0) {
            enum psn_code rc =
                psn_fail(err, psn_file_code(errno), _("cannot open '%s': %s"),
                         CLI_SHOWN(backups->items[i]), strerror(errno));

            return psn_hint(err, rc, _("nothing was done"));
        }
    return PSN_OK;
}

/* Nobody types an id to be refused then, and whoever types it knows what is left. */
static enum psn_code ask(struct closing *closing,
                         const struct cmd_handover_close_options *options,
                         const char **id, struct psn_error *err)
{
    struct cli *cli = closing->cli;
    struct psn_handover_end end;
    enum psn_code rc;

    if (is_here(cli)) {
        rc = psn_handover_check_closable(cli->vault, cli->args[0], options->unchanged,
                                         err);
        if (!rc)
            rc = warn_of_hidden(cli, err);
        if (!rc)
            rc = cli_end_copies_warn(&closing->copies, err);
        return rc ? rc : confirm(cli, id, err);
    }
    if (options->backups.count == 0 ||
        psn_handover_end_get(cli->vault, cli->args[0], &end, NULL))
        return PSN_OK; /* what there is to refuse, closing refuses */
    return confirm_backups(cli, options->backups.count, id, err);
}

static enum psn_code fail_left(const struct closing *closing, struct psn_error *err)
{
    size_t left = closing->copies.left;

    (void)psn_fail(err, PSN_E_FINDINGS,
                   PSN_NGETTEXT("%zu backup still holds the client",
                                "%zu backups still hold the client", left),
                   left);
    return psn_hint(err, PSN_E_FINDINGS,
                    PSN_NGETTEXT("have it written anew (passation handover close %s "
                                 "--backup FILE), or destroy it by hand",
                                 "have them written anew (passation handover close %s "
                                 "--backup FILE), or destroy them by hand",
                                 left),
                    CLI_SHOWN(closing->cli->args[0]));
}

static enum psn_code close_it(struct closing *closing,
                              const struct cmd_handover_close_options *options,
                              struct psn_error *err)
{
    struct cli *cli = closing->cli;
    struct psn_handover_close close = { .client = cli->args[0],
                                        .confirm = options->confirm,
                                        .unchanged = options->unchanged,
                                        .backups = options->backups.items,
                                        .backup_count = options->backups.count,
                                        .state = write_final,
                                        .progress = show_progress,
                                        .destroyed = tell_destroyed,
                                        .backup = tell_backup,
                                        .file = tell_file,
                                        .arg = closing };
    enum psn_code rc = check_backups(&options->backups, err);

    if (!rc)
        rc = cli_end_copies_find(&closing->copies, err);
    if (!rc)
        rc = ask(closing, options, &close.confirm, err);
    cli_json_open(&closing->json, NULL, '{');
    cli_json_open(&closing->json, "backups", '[');
    if (!rc)
        rc = psn_handover_close(cli->vault, &close, err);
    if (!rc)
        rc = state_end(closing, err);
    return rc || closing->copies.left == 0 ? rc : fail_left(closing, err);
}

static enum psn_code run_close(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_handover_close_options *options = arg;
    PSN_AUTO_FREE char *folder = NULL;
    struct closing closing = { .cli = cli };
    const char *named = options->folder ? options->folder : ".";
    enum psn_code rc = psn_file_check_dir(named, err);

    if (!rc)
        rc = cli_display_ca(cli, err);
    if (rc)
        return rc;
    folder = realpath(named, NULL);
    if (!folder)
        return psn_fail(err, PSN_E_IO, _("cannot find the folder '%s'"),
                        CLI_SHOWN(named));
    closing.folder = folder;
    closing.progress = cli_progress_new(cli);
    closing.json = cli_json_init();
    closing.copies = (struct cli_end_copies){ .cli = cli,
                                              .json = &closing.json,
                                              .named = &options->backups };
    rc = close_it(&closing, options, err);
    cli_progress_free(closing.progress);
    cli_json_release(&closing.json);
    cli_end_copies_release(&closing.copies);
    return rc;
}

const struct cli_command cmd_handover_close = {
    .name = "handover close",
    .arguments = N_("CLIENT"),
    .summary = N_("remove our keys at OVH, destroy our copies, and state it"),
    .examples = N_("passation handover close martin -o remise\tasks for the client's id\n"
                   "passation handover close martin --confirm martin --backup "
                   "/media/usb/vault.backup\tand out of a backup, too\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .min_args = 1,
    .max_args = 1,
    .options = close_options,
    .options_size = sizeof(struct cmd_handover_close_options),
    .run = run_close,
};
