#include "cli/handover_show.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/display.h"
#include "cli/handover_grants.h"
#include "cli/handover_words.h"
#include "cli/output.h"

enum {
    TEXT_MAX = 4096,
    HANGING = 6, /* blanks before what goes on with a line of a stage */
};

/* --- for programs --- */

static void put_blocker(struct cli_json *json, const struct psn_handover_blocker *at,
                        const char *client)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(TEXT_MAX);

    cli_handover_blocker_text(at, client, &text);
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "stage", psn_handover_stage_name(at->stage));
    cli_json_text(json, "block", psn_handover_block_name(at->block));
    cli_json_text(json, "who", psn_handover_who_name(at->who));
    cli_json_text(json, "address", at->address[0] ? at->address : NULL);
    cli_json_text(json, "label", at->label[0] ? at->label : NULL);
    cli_json_text(json, "what", at->text[0] ? at->text : NULL);
    cli_json_text(json, "account", at->account[0] ? at->account : NULL);
    if (at->id)
        cli_json_number(json, "task", at->id);
    cli_json_time(json, "until", at->until_s);
    cli_json_text(json, "text", psn_buf_str(&text));
    cli_json_close(json, '}');
}

static void put_item(struct cli_json *json, size_t number,
                     const struct psn_handover_item *item)
{
    struct psn_handover_item_info info = psn_handover_item_info(number);

    cli_json_open(json, NULL, '{');
    cli_json_text(json, "item", info.word);
    cli_json_text(json, "title", info.title);
    cli_json_text(json, "mode", psn_handover_mode_name(item->mode));
    cli_json_bool(json, "by_machine", info.by_machine);
    cli_json_text(json, "note", item->note[0] ? item->note : NULL);
    cli_json_time(json, "set_at", item->set_s);
    cli_json_close(json, '}');
}

static void put_facts(struct cli_json *json, const struct psn_handover *handover)
{
    cli_json_text(json, "client", handover->client);
    cli_json_text(json, "to", handover->to);
    cli_json_text(json, "by", handover->by);
    cli_json_text(json, "stage", psn_handover_stage_name(handover->stage));
    cli_json_time(json, "began_at", handover->began_s);
    cli_json_time(json, "looked_at", handover->looked_s);
    cli_json_open(json, "trousseau", '{');
    cli_display_json_count(json, "serial", handover->serial);
    cli_json_time(json, "issued_at", handover->issued_s);
    cli_json_time(json, "compared_at", handover->compared_s);
    cli_json_time(json, "confirmed_at", handover->confirmed_s);
    cli_json_text(json, "path", handover->path[0] ? handover->path : NULL);
    cli_json_close(json, '}');
    cli_json_time(json, "own_keys_gone_at", handover->keys_gone_s);
}

static void put_handover(struct cli_json *json, const struct psn_handover *handover,
                         const struct cli_handover_grants *grants)
{
    cli_json_open(json, NULL, '{');
    put_facts(json, handover);
    cli_json_open(json, "blockers", '[');
    for (size_t i = 0; i < handover->blocker_count; i++)
        put_blocker(json, &handover->blockers[i], handover->client);
    cli_json_close(json, ']');
    cli_json_open(json, "items", '[');
    for (size_t i = 0; i < PSN_HANDOVER_ITEMS; i++)
        put_item(json, i, &handover->items[i]);
    cli_json_close(json, ']');
    cli_handover_grants_json(grants, json);
    cli_json_close(json, '}');
}

/* --- for people --- */

static size_t count_of(const struct psn_handover *handover, enum psn_handover_stage stage,
                       bool items)
{
    size_t count = 0;

    for (size_t i = 0; i < handover->blocker_count; i++)
        count += handover->blockers[i].stage == stage &&
                 items == (handover->blockers[i].block == PSN_BLOCKER_ITEM);
    return count;
}

/* Only a look at the account tells of these: that nothing is known is no sign that
 * nothing is there. */
static bool is_unseen(const struct psn_handover *handover, enum psn_handover_stage stage)
{
    return handover->looked_s == 0 &&
           (stage == PSN_HANDOVER_CONTACTS || stage == PSN_HANDOVER_ACCESSES);
}

static const char *mark_of(const struct psn_handover *handover,
                           enum psn_handover_stage stage)
{
    if (stage == handover->stage)
        return "→";
    return is_unseen(handover, stage) ||
                   count_of(handover, stage, true) + count_of(handover, stage, false)
               ? "·"
               : "✓";
}

/* Whoever reads this is the provider. */
static const char *who_of(const struct psn_handover_blocker *blocker)
{
    return blocker->who == PSN_WHO_US ? _("you") : cli_handover_who_text(blocker);
}

/* Of what a stage waits for. What there was no memory for is told at the end, as for a
 * line of a table. */
static void print_hanging(struct cli *cli, const struct psn_buf *text)
{
    if (text->failed)
        cli->output_errno = ENOMEM;
    else
        cli_print_hanging(cli, HANGING, CLI_SHOWN(psn_buf_str(text)));
}

/* The checklist is below: what is open on it is told in one line. */
static void show_open_items(struct cli *cli, const struct psn_handover *handover)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(TEXT_MAX);
    size_t count = count_of(handover, PSN_HANDOVER_INVENTORY, true);

    if (count == 0)
        return;
    psn_buf_format(&text, _("    %s: "), _("you"));
    psn_buf_format(&text,
                   PSN_NGETTEXT("%zu item of the list below: say how it is handed over",
                                "%zu items of the list below: say how they are handed "
                                "over",
                                count),
                   count);
    psn_buf_format(&text,
                   _(" → passation handover item %s ITEM… "
                     "--transferred|--given|--removed|--none|--reserve TEXT"),
                   handover->client);
    print_hanging(cli, &text);
}

/* What comes later is told in short. Returns how many lines were left out. */
static size_t show_stage(struct cli *cli, const struct psn_handover *handover,
                         enum psn_handover_stage stage, bool all)
{
    size_t shown_max = all ? SIZE_MAX : stage == handover->stage ? 8 : 1;
    size_t count = 0;

    cli_print(cli, "%s %s\n", mark_of(handover, stage), cli_handover_stage_text(stage));
    for (size_t i = 0; i < handover->blocker_count; i++) {
        const struct psn_handover_blocker *at = &handover->blockers[i];
        PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(TEXT_MAX);

        if (at->stage != stage || at->block == PSN_BLOCKER_ITEM || ++count > shown_max)
            continue;
        psn_buf_format(&text, _("    %s: "), who_of(at));
        cli_handover_blocker_text(at, handover->client, &text);
        print_hanging(cli, &text);
    }
    if (count > shown_max)
        cli_print(cli,
                  PSN_NGETTEXT("    … and %zu more\n", "    … and %zu more\n",
                               count - shown_max),
                  count - shown_max);
    if (stage == PSN_HANDOVER_INVENTORY)
        show_open_items(cli, handover);
    if (count == 0 && is_unseen(handover, stage))
        cli_print(cli, "%s", _("    not looked at yet\n"));
    return count > shown_max ? count - shown_max : 0;
}

static void show_items(struct cli *cli, const struct psn_handover *handover)
{
    PSN_AUTO(cli_table) *table = cli_table_new(4);

    cli_table_cell(table, _("ITEM"));
    cli_table_cell(table, _("HANDED OVER"));
    cli_table_cell(table, _("WHAT"));
    cli_table_cell(table, _("NOTE"));
    cli_table_has_titles(table);
    for (size_t i = 0; i < PSN_HANDOVER_ITEMS; i++) {
        struct psn_handover_item_info info = psn_handover_item_info(i);

        cli_table_cell(table, info.word);
        cli_table_cell(table,
                       info.by_machine && handover->items[i].mode == PSN_HANDOVER_OPEN
                           ? _("by passation, with the trousseau")
                           : cli_handover_mode_text(handover->items[i].mode));
        cli_table_cell(table, info.title);
        cli_table_cell(table, handover->items[i].note);
    }
    cli_print(cli, "\n");
    cli_table_print(cli, table);
}

/* They hold up nothing, and are better ended before the passwords are new. */
static void show_grants(struct cli *cli, const struct cli_handover_grants *grants)
{
    for (size_t at = 0; at < grants->count;) {
        PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(TEXT_MAX);

        psn_buf_format(&text, _("    %s: "), _("you"));
        at = cli_handover_grants_text(grants, at, &text);
        print_hanging(cli, &text);
    }
}

static void show(struct cli *cli, const struct psn_handover *handover,
                 const struct cli_handover_grants *grants, bool all)
{
    char began[PSN_TIME_SIZE];
    size_t left = 0;

    cli_print(cli, _("Handover of %s to %s, begun on %s\n\n"), handover->client,
              handover->to, cli_display_moment(handover->began_s, began));
    for (int stage = 0; stage < PSN_HANDOVER_STAGES; stage++) {
        left += show_stage(cli, handover, (enum psn_handover_stage)stage, all);
        if (stage == PSN_HANDOVER_ROTATION)
            show_grants(cli, grants);
    }
    show_items(cli, handover);
    if (left > 0)
        cli_note(cli, _("Every line: passation handover status %s --all"),
                 CLI_SHOWN(handover->client));
}

/* A run of `close` that was stopped there has only its statement left to write. */
static enum psn_code fail_ended(struct cli *cli, const char *client, enum psn_code rc,
                                const struct psn_error *why, struct psn_error *err)
{
    struct psn_handover_end end;

    if (rc == PSN_E_NOT_FOUND && !psn_handover_end_get(cli->vault, client, &end, NULL) &&
        !end.stated) {
        (void)psn_fail(err, rc,
                       _("what was here of '%s' is destroyed, and the closing statement "
                         "was not written yet"),
                       client);
        return psn_hint(err, rc, _("write it: passation handover close %s"), client);
    }
    if (err)
        *err = *why;
    return rc;
}

enum psn_code cli_handover_show(struct cli *cli, const char *client, bool all,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct psn_handover handover = { 0 };
    struct cli_handover_grants grants = { 0 };
    struct psn_error why = { 0 };
    enum psn_code rc = psn_handover_get(cli->vault, client, &handover, &why);

    if (rc)
        return fail_ended(cli, client, rc, &why, err);
    rc = cli_handover_grants_read(cli, &handover, &grants, err);
    if (!rc && cli->json) {
        put_handover(&json, &handover, &grants);
        rc = cli_json_print(cli, &json, err);
    } else if (!rc) {
        show(cli, &handover, &grants, all);
    }
    cli_handover_grants_release(&grants);
    psn_handover_release(&handover);
    return rc;
}

/* --- all of them --- */

struct listing {
    struct cli *cli;
    struct cli_json *json;
    struct cli_table *table;
    size_t count;
};

static enum psn_code list_one(void *arg, const struct psn_handover *handover,
                              struct psn_error *err)
{
    struct listing *listing = arg;
    const struct psn_handover_blocker *first = &handover->blockers[0];
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(TEXT_MAX);
    char began[PSN_TIME_SIZE];

    listing->count++;
    if (listing->json) {
        struct cli_handover_grants grants;
        enum psn_code rc = cli_handover_grants_read(listing->cli, handover, &grants, err);

        if (!rc)
            put_handover(listing->json, handover, &grants);
        cli_handover_grants_release(&grants);
        return rc;
    }
    cli_handover_blocker_what(first, &text);
    cli_table_cell(listing->table, handover->client);
    cli_table_cell(listing->table, handover->to);
    cli_table_cell(listing->table, cli_display_moment(handover->began_s, began));
    cli_table_cell(listing->table, cli_handover_stage_text(handover->stage));
    cli_table_cell(listing->table, who_of(first));
    cli_table_cell(listing->table, psn_buf_str(&text));
    return psn_buf_check(&text, err);
}

enum psn_code cli_handover_list(struct cli *cli, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    PSN_AUTO(cli_table) *table = cli_table_new(6);
    struct listing listing = { .cli = cli,
                               .json = cli->json ? &json : NULL,
                               .table = table };
    enum psn_code rc;

    cli_table_cell(table, _("CLIENT"));
    cli_table_cell(table, _("TO"));
    cli_table_cell(table, _("SINCE"));
    cli_table_cell(table, _("STAGE"));
    cli_table_cell(table, _("WHO"));
    cli_table_cell(table, _("WHAT BLOCKS"));
    cli_table_has_titles(table);
    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "handovers", '[');
    rc = psn_handover_each(cli->vault, list_one, &listing, err);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    if (rc)
        return rc;
    if (cli->json)
        return cli_json_print(cli, &json, err);
    if (listing.count == 0)
        cli_note(cli, _("No handover is open."));
    else
        cli_table_print(cli, table);
    return PSN_OK;
}
