#include <stdio.h>
#include <string.h>

#include "cli/display.h"
#include "tui/tui.h"

/* What is due, and the command that does it. */
enum {
    DAY = 10,
};

static enum psn_code add_due(struct tui *ui, const struct psn_due *due,
                             struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) id = psn_buf_init(sizeof *due);
    char kind[CLI_DUE_KIND_MAX];
    char time[PSN_TIME_SIZE];
    enum psn_code rc;
    const char *const cells[] = { cli_due_kind_shown(due, kind),
                                  due->address[0]  ? due->address
                                  : due->client[0] ? due->client
                                                   : "-",
                                  cli_due_secret_shown(due),
                                  due->person[0] ? due->person : "-", time };
    bool is_bad = due->kind == PSN_DUE_ROTATE || due->kind == PSN_DUE_SECRET ||
                  due->kind == PSN_DUE_OUTSIDE || due->kind == PSN_DUE_VANISHED;

    (void)cli_display_time(due->since_s, time);
    if (due->since_s)
        time[DAY] = '\0';
    else
        (void)snprintf(time, sizeof time, "-");
    psn_buf_format(&id, "%d\n%s\n%s\n%s\n%s\n%s", (int)due->kind, due->client,
                   due->address, due->label, due->person, due->access);
    rc = psn_buf_check(&id, err);
    return rc ? rc
              : tui_list_add(&ui->lists[TUI_DUE], is_bad ? TUI_BAD : TUI_WATCH,
                             psn_buf_str(&id), cells, err);
}

static enum psn_code load(struct tui *ui, struct psn_error *err)
{
    struct tui_list *list = &ui->lists[TUI_DUE];
    const char *const titles[] = { _("WHAT"), _("ADDRESS"), _("SECRET"), _("PERSON"),
                                   _("SINCE") };
    enum psn_code rc;

    list->columns = sizeof titles / sizeof *titles;
    memcpy(list->titles, titles, sizeof titles);
    cli_due_list_release(&ui->due);
    rc = cli_due_list_read(ui->cli, NULL, &ui->due, err);
    for (size_t i = 0; !rc && i < ui->due.count; i++)
        rc = add_due(ui, &ui->due.items[i], err);
    return rc;
}

static const char *meaning(enum psn_due_kind kind)
{
    switch (kind) {
    case PSN_DUE_GRANT:
        return _("The last day of this grant has passed: end it, and change what was "
                 "seen under it.");
    case PSN_DUE_ROTATE:
        return _("Somebody who has no right to it any more knows the password that is in "
                 "force. Change it at OVH.");
    case PSN_DUE_SECRET:
        return _("Somebody who has no right to it any more knows it, and no API changes "
                 "it: change it where it is used, then note the new one here.");
    case PSN_DUE_ISSUE:
        return _("There is something newer than what this person was given: write the "
                 "file for him.");
    case PSN_DUE_RESUME:
        return _("A change was interrupted, or an old password is not proved refused: go "
                 "on with it.");
    case PSN_DUE_ENVELOPE:
        return _("The recovery envelope lacks something that is newer.");
    case PSN_DUE_DEPARTURE:
        return _("A departure is not complete: go on with it.");
    case PSN_DUE_RESTORED:
        return _(
            "An older backup was restored, which may not know who has left or whose "
            "grant was ended since: look at people and grants, and end what is over. "
            "Nothing is issued before.");
    case PSN_DUE_LEAVER:
        return _("This person could open the vault and cannot any more, so whatever was "
                 "in it may be known: have it replaced.");
    case PSN_DUE_ENVELOPE_LEFT:
        return _("The recovery envelope lacks something that is newer, but it is for "
                 "somebody who leaves: end it, or make one for somebody else with "
                 "passation envelope create.");
    case PSN_DUE_ENVELOPE_REMADE:
        return _("A new recovery envelope was being made, and that was stopped: which "
                 "sheet opens it is not known. Make it again, and print that sheet.");
    case PSN_DUE_HANDOVER:
        return _("A handover is open: see what blocks, and who must act.");
    case PSN_DUE_OUTSIDE:
        return _("Somebody else has changed this password: ask who did, or take it back "
                 "by changing it.");
    case PSN_DUE_VANISHED:
        return _("This mailbox is not at OVH any more. If that is right, remove it here; "
                 "else ask the owner who deleted it.");
    case PSN_DUE_MOVED:
        return _(
            "The mailbox is on another platform, and its settings may be new: log in "
            "and note it.");
    case PSN_DUE_APPEARED:
        return _(
            "A mailbox at OVH that is not here: ask who made it, then take it over.");
    case PSN_DUE_ACCESS:
        return _(
            "A way in that is new. Is it legitimate? Then keep it; else cut it, with "
            "--cut in place of --keep.");
    case PSN_DUE_UNJUDGED:
        return _("Ways in that were there when passation first looked, and that nobody "
                 "has judged since: see each, then keep it or cut it.");
    }
    return "";
}

static enum psn_code describe(struct tui *ui, size_t row, struct tui_lines *out,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(TUI_COMMAND_BYTES);
    const struct psn_due *due = &ui->due.items[row];
    struct cli_due_command command;
    char kind[CLI_DUE_KIND_MAX];
    char version[24];
    char time[PSN_TIME_SIZE];
    enum psn_code rc;

    cli_due_command(due, &command);
    cli_display_command(&text, command.words, command.count);
    rc = psn_buf_check(&text, err);
    if (rc)
        return rc;
    tui_lines_say(out, TUI_PLAIN, meaning(due->kind));
    tui_lines_head(out, command.needs_person ? _("The command, once that is settled")
                                             : _("The command (Enter runs it)"));
    tui_lines_say(out, TUI_STRONG, psn_buf_str(&text));
    tui_lines_head(out, cli_due_kind_shown(due, kind));
    tui_lines_row(out, _("Address"), due->address);
    tui_lines_row(out, _("Client"), due->client);
    tui_lines_row(out, _("Secret"), due->label);
    tui_lines_row(out, _("Access"), due->access);
    tui_lines_row(out, _("Person"), due->person);
    if (due->version)
        tui_lines_row(out, _("Version"), cli_display_count(due->version, version));
    tui_lines_row(out, _("Since"), cli_display_moment(due->since_s, time));
    return PSN_OK;
}

/* The words are the row's, which goes when the page is read anew. */
static void run_command(struct tui *ui, size_t row)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(TUI_COMMAND_BYTES);
    const struct psn_due due = ui->due.items[row];
    struct cli_due_command command;

    cli_due_command(&due, &command);
    cli_display_command(&text, command.words, command.count);
    if (due.kind == PSN_DUE_SECRET)
        tui_tell(ui, TUI_WATCH, _("This needs the new secret: run it in a shell: %s"),
                 psn_buf_str(&text));
    else if (tui_confirm(ui,
                         command.needs_person ? _("%s\n\nRun this all the same?\n\n%s")
                                              : _("%s\n\nRun this?\n\n%s"),
                         meaning(due.kind), psn_buf_str(&text)))
        tui_run(ui, command.words, command.count);
}

static bool key(struct tui *ui, unsigned pressed)
{
    size_t row;

    if (pressed != TUI_KEY_ENTER || !tui_list_chosen(tui_list(ui), &row))
        return false;
    run_command(ui, row);
    return true;
}

const struct tui_view tui_view_due = {
    .load = load,
    .describe = describe,
    .key = key,
    .keys = N_("Enter: do it  d: details"),
    .empty = N_("Nothing is due."),
};
