#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/display.h"
#include "tui/tui.h"

/* The journal, the newest first. */
enum {
    NEWEST = 1000, /* of each chain; older ones are for `passation log` */
};

static enum psn_code keep(void *arg, const struct psn_journal_entry *entry,
                          struct psn_error *err)
{
    struct tui *ui = arg;
    struct psn_journal_entry *grown = ui->entries;

    if ((ui->entry_count & (ui->entry_count - 1)) == 0) {
        size_t capacity = ui->entry_count ? 2 * ui->entry_count : 1;

        grown = reallocarray(grown, capacity, sizeof *grown);
        if (!grown)
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        ui->entries = grown;
    }
    grown[ui->entry_count++] = *entry;
    return PSN_OK;
}

static int newest_first(const void *a, const void *b)
{
    const struct psn_journal_entry *left = a;
    const struct psn_journal_entry *right = b;
    int order = (left->time_s < right->time_s) - (left->time_s > right->time_s);

    if (!order)
        order = strcmp(left->chain, right->chain);
    return order ? order
                 : (left->number < right->number) - (left->number > right->number);
}

static enum psn_code add(struct tui *ui, const struct psn_journal_entry *entry,
                         struct psn_error *err)
{
    char time[PSN_TIME_SIZE];
    char subject[sizeof entry->subject + sizeof entry->label + 2];
    char id[sizeof entry->chain + 24];
    const char *const cells[] = { cli_display_moment(entry->time_s, time),
                                  entry->actor,
                                  entry->event,
                                  subject,
                                  entry->chain[0] ? entry->chain : "-",
                                  entry->is_shredded ? _("(shredded)") : entry->text };

    (void)snprintf(subject, sizeof subject, "%s%s%s", entry->subject,
                   entry->label[0] ? " " : "", entry->label);
    (void)snprintf(id, sizeof id, "%s %llu", entry->chain,
                   (unsigned long long)entry->number);
    return tui_list_add(&ui->lists[TUI_LOG], TUI_PLAIN, id, cells, err);
}

static enum psn_code load(struct tui *ui, struct psn_error *err)
{
    struct tui_list *list = &ui->lists[TUI_LOG];
    const char *const titles[] = { _("WHEN"), _("WHO"),   _("EVENT"),
                                   _("WHAT"), _("CHAIN"), _("MORE") };
    enum psn_code rc;

    list->keeps_first = true;
    list->columns = sizeof titles / sizeof *titles;
    memcpy(list->titles, titles, sizeof titles);
    ui->entry_count = 0;
    free(ui->entries);
    ui->entries = NULL;
    rc = psn_journal_each(ui->cli->vault, NULL, NEWEST, keep, ui, err);
    if (ui->entry_count > 1)
        qsort(ui->entries, ui->entry_count, sizeof *ui->entries, newest_first);
    for (size_t i = 0; !rc && i < ui->entry_count; i++)
        rc = add(ui, &ui->entries[i], err);
    return rc;
}

static enum psn_code describe(struct tui *ui, size_t row, struct tui_lines *out,
                              struct psn_error *err)
{
    const struct psn_journal_entry *entry = &ui->entries[row];
    char hash[2 * PSN_HEAD_SIZE + 1];
    char number[24];
    char time[PSN_TIME_SIZE];

    (void)err;
    for (size_t i = 0; i < PSN_HEAD_SIZE; i++)
        (void)snprintf(hash + 2 * i, 3, "%02x", entry->hash[i]);
    tui_lines_row(out, _("When"), cli_display_moment(entry->time_s, time));
    tui_lines_row(out, _("Who"), entry->actor);
    tui_lines_row(out, _("Event"), entry->event);
    tui_lines_row(out, _("What"), entry->subject);
    tui_lines_row(out, _("Label"), entry->label);
    if (entry->version)
        tui_lines_row(out, _("Version"), cli_display_count(entry->version, number));
    tui_lines_row(out, _("More"), entry->is_shredded ? _("(shredded)") : entry->text);
    tui_lines_row(out, _("Chain"), entry->chain[0] ? entry->chain : _("of the vault"));
    tui_lines_row(out, _("No."), cli_display_count(entry->number, number));
    tui_lines_row(out, _("Hash"), hash);
    return PSN_OK;
}

static bool key(struct tui *ui, unsigned pressed)
{
    size_t row;

    if (pressed != TUI_KEY_ENTER || !tui_list_chosen(tui_list(ui), &row))
        return false;
    tui_read(ui, ui->entries[row].event, &ui->detail);
    return true;
}

const struct tui_view tui_view_log = {
    .load = load,
    .describe = describe,
    .key = key,
    .keys = N_("Enter: details"),
    .empty = N_("There is no entry."),
};
