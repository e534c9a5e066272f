#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/display.h"
#include "cli/due_list.h"
#include "cli/handed.h"
#include "cli/owned.h"

/*
 * who: of a person, what he has seen and what he can reach; of an address, who has seen
 * it and who can reach it; of nobody, the board of what people without right still know.
 */
enum {
    COMMAND_BYTES = 1024,
};

struct view {
    struct cli *cli;
    struct cli_json *json; /* or NULL */
    struct cli_table *table;
    bool by_person; /* the question is about a person */
    size_t count;
    size_t in_force;
    size_t lasting; /* of the board's secrets … */
    bool is_due;    /* … and there are others */
};

static void seen_json(struct view *view, const struct psn_exposure *exposure)
{
    struct cli_json *json = view->json;

    cli_json_open(json, NULL, '{');
    if (!view->by_person)
        cli_json_text(json, "person", exposure->person);
    cli_json_text(json, "address", exposure->address);
    cli_json_text(json, "label", exposure->label[0] ? exposure->label : NULL);
    cli_json_number(json, "version", (int64_t)exposure->version);
    cli_json_bool(json, "in_force", exposure->in_force);
    cli_json_bool(json, "changed_outside", exposure->outside);
    cli_json_bool(json, "unchangeable", exposure->lasting);
    cli_json_text(json, "how", psn_how_name(exposure->how));
    cli_json_time(json, "at", exposure->at_s);
    cli_json_close(json, '}');
}

static enum psn_code put_seen(void *arg, const struct psn_exposure *exposure,
                              struct psn_error *err)
{
    struct view *view = arg;
    char number[24];
    char time[PSN_TIME_SIZE];

    (void)err;
    view->count++;
    view->in_force += exposure->in_force;
    if (view->json) {
        seen_json(view, exposure);
        return PSN_OK;
    }
    cli_table_cell(view->table, view->by_person ? exposure->address : exposure->person);
    cli_table_cell(view->table, exposure->label[0] ? exposure->label : _("password"));
    cli_table_cell(view->table, cli_display_count(exposure->version, number));
    cli_table_cell(view->table, cli_display_fate(exposure));
    cli_table_cell(view->table, cli_display_how(exposure->how));
    cli_table_cell(view->table, cli_display_time(exposure->at_s, time));
    return PSN_OK;
}

static enum psn_code put_reachable(void *arg, const struct psn_reachable *reachable,
                                   struct psn_error *err)
{
    struct view *view = arg;

    (void)err;
    view->count++;
    if (view->json) {
        cli_json_open(view->json, NULL, '{');
        if (!view->by_person)
            cli_json_text(view->json, "person", reachable->person);
        cli_json_text(view->json, "address", reachable->address);
        cli_json_text(view->json, "label", reachable->label[0] ? reachable->label : NULL);
        cli_json_text(view->json, "by",
                      reachable->by == PSN_REACH_SLOT ? "slot" : "grant");
        cli_json_close(view->json, '}');
        return PSN_OK;
    }
    cli_table_cell(view->table, view->by_person ? reachable->address : reachable->person);
    cli_table_cell(view->table, reachable->label[0] ? reachable->label : _("password"));
    cli_table_cell(view->table, reachable->by == PSN_REACH_SLOT ? _("unlocks the vault")
                                                                : _("by a grant"));
    return PSN_OK;
}

/* --- as JSON --- */

static enum psn_code who_json(struct cli *cli, const char *person, const char *address,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct view view = { .cli = cli, .json = &json, .by_person = person != NULL };
    enum psn_code rc;

    cli_json_open(&json, NULL, '{');
    if (person)
        cli_json_text(&json, "person", person);
    else
        cli_json_text(&json, "address", address);
    cli_json_open(&json, "seen", '[');
    rc = psn_exposure_each(cli->vault, person, address, put_seen, &view, err);
    cli_json_close(&json, ']');
    cli_json_open(&json, "reachable", '[');
    if (!rc)
        rc = psn_reachable_each(cli->vault, person, address, put_reachable, &view, err);
    cli_json_close(&json, ']');
    if (!rc && person)
        rc = cli_owned_json(cli, &json, "owns", person, err);
    cli_json_close(&json, '}');
    return rc ? rc : cli_json_print(cli, &json, err);
}

/* --- for people --- */

static enum psn_code who_seen(struct cli *cli, const char *person, const char *address,
                              size_t *ret_in_force, struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(6);
    struct view view = { .cli = cli, .table = table, .by_person = person != NULL };
    enum psn_code rc;

    cli_table_cell(table, person ? _("ADDRESS") : _("PERSON"));
    cli_table_cell(table, _("SECRET"));
    cli_table_cell(table, _("VERSION"));
    cli_table_cell(table, _("TODAY"));
    cli_table_cell(table, _("HOW"));
    cli_table_cell(table, _("WHEN"));
    rc = psn_exposure_each(cli->vault, person, address, put_seen, &view, err);
    *ret_in_force = view.in_force;
    if (rc)
        return rc;
    cli_print(cli, "%s\n", _("Has seen:"));
    if (view.count > 0)
        cli_table_print(cli, table);
    else
        cli_print(cli, "%s\n", _("nothing"));
    return PSN_OK;
}

static enum psn_code who_reaches(struct cli *cli, const char *person, const char *address,
                                 struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(3);
    struct view view = { .cli = cli, .table = table, .by_person = person != NULL };
    enum psn_code rc =
        psn_reachable_each(cli->vault, person, address, put_reachable, &view, err);

    if (rc)
        return rc;
    cli_print(cli, "\n%s\n", _("Can reach today:"));
    if (view.count > 0)
        cli_table_print(cli, table);
    else
        cli_print(cli, "%s\n", _("nothing"));
    return PSN_OK;
}

/* --- who could open the vault --- */

static void tell_leavers(const struct cli *cli, const struct cli_due_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind == PSN_DUE_LEAVER)
            cli_due_tell_leaver(cli, list->items[i].person);
}

/* What is due is asked for only where there may be somebody: it is a long list. */
static bool may_be_leaver(const struct psn_person *person)
{
    return person->departure.held_slot && !person->departing_s;
}

static enum psn_code note_leaver(void *arg, const struct psn_person *person,
                                 struct psn_error *err)
{
    bool *has_one = arg;

    (void)err;
    *has_one = *has_one || may_be_leaver(person);
    return PSN_OK;
}

static enum psn_code read_leavers(struct cli *cli, struct cli_due_list *ret_list,
                                  struct psn_error *err)
{
    bool has_one = false;
    enum psn_code rc = psn_person_each(cli->vault, note_leaver, &has_one, err);

    return rc || !has_one ? rc : cli_due_list_read(cli, NULL, ret_list, err);
}

static void put_leavers(struct cli_json *json, const struct cli_due_list *list)
{
    cli_json_open(json, "could_unlock", '[');
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind == PSN_DUE_LEAVER)
            cli_json_text(json, NULL, list->items[i].person);
    cli_json_close(json, ']');
}

/* --- the board --- */

static enum psn_code put_board(void *arg, const struct psn_board_row *row,
                               struct psn_error *err)
{
    struct view *view = arg;
    char people[24];
    char secrets[24];
    char time[PSN_TIME_SIZE];

    (void)err;
    view->count++;
    view->lasting += row->lasting;
    view->is_due = view->is_due || row->lasting < row->secrets;
    if (view->json) {
        cli_json_open(view->json, NULL, '{');
        cli_json_text(view->json, "client", row->client);
        cli_json_number(view->json, "people", (int64_t)row->people);
        cli_json_number(view->json, "secrets", (int64_t)row->secrets);
        cli_json_number(view->json, "unchangeable", (int64_t)row->lasting);
        cli_json_time(view->json, "since", row->oldest_s);
        cli_json_text(view->json, "address", row->address);
        cli_json_text(view->json, "person", row->person);
        cli_json_close(view->json, '}');
        return PSN_OK;
    }
    cli_table_cell(view->table, row->client);
    cli_table_cell(view->table, cli_display_count(row->people, people));
    cli_table_cell(view->table, cli_display_count(row->secrets, secrets));
    cli_table_cell(view->table, cli_display_time(row->oldest_s, time));
    cli_table_cell(view->table, row->address);
    cli_table_cell(view->table, row->person);
    return PSN_OK;
}

static void print_board(struct cli *cli, const struct view *view,
                        const struct cli_due_list *list)
{
    if (view->count > 0) {
        cli_table_print(cli, view->table);
        if (view->is_due)
            cli_note(cli,
                     _("These people have no right any more and still know what is in "
                       "force. What to do: passation due"));
        if (view->lasting)
            cli_note(cli,
                     PSN_NGETTEXT("%zu of these secrets stays known, since nobody can "
                                  "change it: passation who PERSON",
                                  "%zu of these secrets stay known, since nobody can "
                                  "change them: passation who PERSON",
                                  view->lasting),
                     view->lasting);
    } else if (cli_due_list_count(list, PSN_DUE_LEAVER) == 0) {
        cli_print(cli, "%s\n",
                  _("Nobody knows a secret in force without having the right to."));
    }
    tell_leavers(cli, list);
}

static enum psn_code board(struct cli *cli, struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = cli_table_new(6);
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct cli_due_list list = { 0 };
    struct view view = { .cli = cli, .json = cli->json ? &json : NULL, .table = table };
    enum psn_code rc;

    cli_table_cell(table, _("CLIENT"));
    cli_table_cell(table, _("PEOPLE"));
    cli_table_cell(table, _("SECRETS"));
    cli_table_cell(table, _("SINCE"));
    cli_table_cell(table, _("WORST"));
    cli_table_cell(table, _("KNOWN TO"));
    cli_json_open(&json, NULL, '{');
    cli_json_open(&json, "clients", '[');
    rc = psn_board_each(cli->vault, put_board, &view, err);
    cli_json_close(&json, ']');
    if (!rc)
        rc = read_leavers(cli, &list, err);
    put_leavers(&json, &list);
    cli_json_close(&json, '}');
    if (!rc && cli->json)
        rc = cli_json_print(cli, &json, err);
    else if (!rc)
        print_board(cli, &view, &list);
    if (!rc && !cli->json)
        rc = cli_owner_tell(cli, NULL, err);
    cli_due_list_release(&list);
    return rc;
}

/* --- what takes it back --- */

static enum psn_code look_for_grant(void *arg, const struct psn_grant *grant,
                                    struct psn_error *err)
{
    bool *has_grant = arg;

    (void)err;
    *has_grant = *has_grant || grant->state != PSN_GRANT_ENDED;
    return PSN_OK;
}

/* Without a grant there is nothing to revoke: what he knows is changed as it is due, or
 * by the client who has received it. Anything else he may know. */
static enum psn_code advise_due(struct cli *cli, const char *id, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(COMMAND_BYTES);
    struct cli_due_list list = { 0 };
    struct cli_handed handed = { 0 };
    struct cli_due_command command;
    enum psn_code rc = cli_due_list_read(cli, id, &list, err);

    if (!rc && list.count > 0) {
        cli_due_command(&list.items[0], &command);
        cli_display_command(&text, command.words, command.count);
        rc = psn_buf_check(&text, err);
    }
    if (!rc && list.count > 1)
        cli_note(cli, _("All that is due: passation due"));
    if (!rc && list.count > 0)
        cli_note(cli, _("To take back what is in force: %s"),
                 CLI_SHOWN(psn_buf_str(&text)));
    if (!rc)
        rc = cli_handed_read(cli, id, &handed, err);
    if (!rc)
        cli_handed_tell(cli, &handed, NULL);
    cli_handed_release(&handed);
    cli_due_list_release(&list);
    return rc;
}

static enum psn_code advise(struct cli *cli, const struct psn_person *person,
                            size_t in_force, struct psn_error *err)
{
    struct cli_due_list list = { 0 };
    bool has_grant = false;
    bool is_leaver = false;
    enum psn_code rc =
        may_be_leaver(person) ? cli_due_list_read(cli, person->id, &list, err) : PSN_OK;

    if (!rc)
        tell_leavers(cli, &list);
    is_leaver = cli_due_list_count(&list, PSN_DUE_LEAVER) > 0;
    cli_due_list_release(&list);
    if (rc || is_leaver || in_force == 0)
        return rc;
    /* What came back after it was complete is due like anything else. */
    if (person->departing_s && !person->departed_s) {
        cli_note(cli,
                 _("His departure is to be finished: passation resume; the report "
                   "says what is left: passation depart %s"),
                 person->id);
        return PSN_OK;
    }
    rc = psn_grant_each(cli->vault, person->id, NULL, 0, look_for_grant, &has_grant, err);
    if (rc || !has_grant)
        return rc ? rc : advise_due(cli, person->id, err);
    cli_note(cli, _("To take back what is in force: passation revoke %s"), person->id);
    return PSN_OK;
}

static enum psn_code of_address(struct cli *cli, const char *address,
                                struct psn_error *err)
{
    size_t in_force = 0;
    enum psn_code rc;

    if (cli->json)
        return who_json(cli, NULL, address, err);
    rc = who_seen(cli, NULL, address, &in_force, err);
    if (!rc)
        rc = who_reaches(cli, NULL, address, err);
    return rc ? rc : cli_owner_tell(cli, address, err);
}

static enum psn_code of_person(struct cli *cli, const char *id, struct psn_error *err)
{
    struct psn_person person;
    size_t in_force = 0;
    enum psn_code rc = psn_person_get(cli->vault, id, &person, err);

    if (rc)
        return rc;
    if (cli->json)
        return who_json(cli, id, NULL, err);
    rc = who_seen(cli, id, NULL, &in_force, err);
    if (!rc)
        rc = who_reaches(cli, id, NULL, err);
    if (!rc)
        rc = cli_owned_tell(cli, id, err);
    return rc ? rc : advise(cli, &person, in_force, err);
}

static enum psn_code run(struct cli *cli, const void *arg, struct psn_error *err)
{
    const char *who = cli->arg_count ? cli->args[0] : NULL;

    (void)arg;
    if (!who)
        return board(cli, err);
    return strchr(who, '@') ? of_address(cli, who, err) : of_person(cli, who, err);
}

const struct cli_command cmd_who = {
    .name = "who",
    .arguments = N_("[PERSON|ADDRESS]"),
    .summary = N_("who has seen which secret, and who can reach it"),
    .examples =
        N_("passation who jp\twhat he has seen, and whether it is still in force\n"
           "passation who technique@martin.fr\twho knows it\n"
           "passation who\tall clients, the worst first\n"),
    .needs = CLI_NEEDS_VAULT | CLI_NEEDS_UNLOCKED,
    .max_args = 1,
    .run = run,
};
