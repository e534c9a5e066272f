#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/tui.h"

/* Which page is open, what is read for it, and what all pages have in common. */

const struct tui_view *tui_view(const struct tui *ui)
{
    static const struct tui_view *const views[TUI_PAGES] = {
        [TUI_CLIENTS] = &tui_view_clients, [TUI_ROLES] = &tui_view_roles,
        [TUI_SECRETS] = &tui_view_secrets, [TUI_ACCESS] = &tui_view_access,
        [TUI_DUE] = &tui_view_due,         [TUI_LOG] = &tui_view_log,
    };

    return views[ui->page];
}

struct tui_list *tui_list(struct tui *ui)
{
    return &ui->lists[ui->page];
}

/* --- what is said on the last line --- */

void tui_tell(struct tui *ui, enum tui_style style, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(ui->status, sizeof ui->status, format, args);
    va_end(args);
    psn_text_cut_utf8(ui->status);
    ui->status_style = style;
}

void tui_tell_error(struct tui *ui, const struct psn_error *err)
{
    if (err->hint[0])
        tui_tell(ui, TUI_BAD, "%s → %s", err->message, err->hint);
    else
        tui_tell(ui, TUI_BAD, "%s", err->message);
}

/* --- reading --- */

static void count_due(struct tui *ui)
{
    struct cli_due_list due = { 0 };

    ui->due_count = 0;
    if (cli_due_list_read(ui->cli, NULL, &due, NULL))
        return;
    ui->due_count = due.count;
    cli_due_list_release(&due);
}

void tui_reload(struct tui *ui)
{
    struct tui_list *list = tui_list(ui);
    struct psn_error err = { 0 };
    PSN_AUTO_FREE char *was = NULL;
    size_t row;
    enum psn_code rc;

    if (!ui->cli->vault)
        return;
    if (tui_list_chosen(list, &row))
        was = strdup(tui_list_id(list, row));
    tui_list_clear(list);
    rc = tui_view(ui)->load(ui, &err);
    if (rc)
        tui_tell_error(ui, &err);
    tui_list_settle(list, was);
    ui->detail_row = SIZE_MAX;
    count_due(ui);
}

void tui_forget(struct tui *ui)
{
    for (size_t i = 0; i < TUI_PAGES; i++)
        tui_list_release(&ui->lists[i]);
    cli_due_list_release(&ui->due);
    tui_lines_release(&ui->detail);
    tui_access_free(ui->access);
    free(ui->labels);
    free(ui->entries);
    ui->access = NULL;
    ui->labels = NULL;
    ui->entries = NULL;
    ui->entry_count = 0;
    ui->detail_row = SIZE_MAX;
    ui->due_count = 0;
    ui->filtering = false;
}

/* --- from page to page --- */

void tui_go(struct tui *ui, enum tui_tab tab, enum tui_page page)
{
    bool inward = tab == ui->tab && (page == TUI_SECRETS || page == TUI_ROLES);

    ui->filtering = false;
    ui->tab = tab;
    ui->page = page;
    if (page == TUI_ROLES && tab == TUI_TAB_ROLES)
        ui->client[0] = '\0';
    if (inward) {
        tui_list_clear(tui_list(ui));
        tui_list(ui)->chosen = 0;
        tui_list(ui)->filter[0] = '\0';
    }
    tui_reload(ui);
}

bool tui_back(struct tui *ui)
{
    enum tui_page to = TUI_ROLES;

    if (ui->page == TUI_ROLES && ui->tab == TUI_TAB_CLIENTS)
        to = TUI_CLIENTS;
    else if (ui->page != TUI_SECRETS)
        return false;
    ui->page = to;
    tui_reload(ui);
    return true;
}

const char *tui_chosen_address(struct tui *ui)
{
    size_t row;

    if (!tui_list_chosen(tui_list(ui), &row))
        return NULL;
    return tui_list_cell(tui_list(ui), row, 0);
}

/* --- what is done with a mailbox --- */

static void rotate(struct tui *ui, const char *address)
{
    const char *const words[] = { "rotate", address };

    if (tui_confirm(ui, _("Change the password of %s at OVH, and prove it by a login?"),
                    address))
        tui_run(ui, words, sizeof words / sizeof *words);
}

static void verify(struct tui *ui, const char *address)
{
    const char *const words[] = { "verify", address };

    if (tui_confirm(ui, _("Log in to %s with the current password?"), address))
        tui_run(ui, words, sizeof words / sizeof *words);
}

bool tui_key_on_role(struct tui *ui, unsigned key, const char *address, const char *label)
{
    char where[PSN_ADDRESS_TEXT_MAX];
    char what[PSN_LABEL_TEXT_MAX];

    (void)snprintf(where, sizeof where, "%s", address);
    (void)snprintf(what, sizeof what, "%s", label);
    switch (key) {
    case 's':
        tui_reveal(ui, where, what);
        return true;
    case 'c':
        tui_copy(ui, where, what);
        return true;
    case 'g':
        tui_grant(ui, NULL, where, what);
        return true;
    case 'r':
        if (what[0])
            tui_tell(ui, TUI_WATCH,
                     _("No API changes this one: change it where it is used, then: "
                       "passation secret set %s %s"),
                     where, what);
        else
            rotate(ui, where);
        return true;
    case 'v':
        verify(ui, where);
        return true;
    default:
        return false;
    }
}
