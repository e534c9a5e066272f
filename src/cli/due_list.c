#include "cli/due_list.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/display.h"
#include "cli/outcome.h"

enum {
    DAY = 10 /* YYYY-MM-DD, the beginning of a time */
};

void cli_due_list_release(struct cli_due_list *list)
{
    free(list->items);
    *list = (struct cli_due_list){ 0 };
}

static enum psn_code collect(void *arg, const struct psn_due *due, struct psn_error *err)
{
    struct cli_due_list *list = arg;
    struct psn_due *grown = realloc(list->items, (list->count + 1) * sizeof *grown);

    if (!grown)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    list->items = grown;
    grown[list->count++] = *due;
    return PSN_OK;
}

/* --- handovers whose closing statement is missing --- */

static enum psn_code collect_unstated(void *arg, const char *client, int64_t ended_s,
                                      struct psn_error *err)
{
    struct psn_due due = { .kind = PSN_DUE_HANDOVER, .since_s = ended_s };

    (void)snprintf(due.client, sizeof due.client, "%s", client);
    return collect(arg, &due, err);
}

enum psn_code cli_due_list_add_unstated(struct cli *cli, struct cli_due_list *list,
                                        struct psn_error *err)
{
    return psn_handover_unstated_each(cli->vault, collect_unstated, list, err);
}

enum psn_code cli_due_list_read(struct cli *cli, const char *person,
                                struct cli_due_list *ret_list, struct psn_error *err)
{
    struct cli_due_list list = { 0 };
    enum psn_code rc = psn_due_each(cli->vault, person, collect, &list, err);

    if (!rc && !person)
        rc = cli_due_list_add_unstated(cli, &list, err);
    if (rc)
        cli_due_list_release(&list);
    else
        *ret_list = list;
    return rc;
}

size_t cli_due_list_count(const struct cli_due_list *list, enum psn_due_kind kind)
{
    size_t count = 0;

    for (size_t i = 0; i < list->count; i++)
        count += list->items[i].kind == kind;
    return count;
}

bool cli_due_list_can_apply(const struct cli_due_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind <= PSN_DUE_DEPARTURE &&
            list->items[i].kind != PSN_DUE_SECRET && !list->items[i].by_code)
            return true;
    return false;
}

void cli_due_list_drop(struct cli_due_list *list, enum psn_due_kind kind)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind != kind)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

void cli_due_list_keep_drift(struct cli_due_list *list)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind >= PSN_DUE_DEPARTURE)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

enum psn_code cli_due_rotate(struct cli *cli, const struct cli_due_list *list,
                             struct psn_error *err)
{
    PSN_AUTO_FREE const char **addresses = calloc(list->count + 1, sizeof *addresses);
    struct cli_outcomes outcomes;
    struct psn_run run;
    size_t count = 0;
    enum psn_code rc;

    if (!addresses)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    /* The list is sorted: those who know one mailbox stand together. */
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind == PSN_DUE_ROTATE &&
            (count == 0 || strcmp(addresses[count - 1], list->items[i].address) != 0))
            addresses[count++] = list->items[i].address;
    if (count == 0)
        return PSN_OK;
    rc = cli_outcomes_begin(&outcomes, cli, &run, err);
    outcomes.single = false;
    if (!rc)
        rc = psn_rotate(cli->vault, addresses, count, &run, err);
    return cli_outcomes_end(&outcomes, rc, err);
}

/* --- printing --- */

/* Of those that are one line for many, how many. */
static const char *unjudged_shown(const struct psn_due *due, char *out, size_t size)
{
    (void)snprintf(out, size,
                   PSN_NGETTEXT("%llu way in: not judged yet",
                                "%llu ways in: not judged yet",
                                (unsigned long)due->count),
                   (unsigned long long)due->count);
    return out;
}

const char *cli_due_kind_shown(const struct psn_due *due, char out[CLI_DUE_KIND_MAX])
{
    switch (due->kind) {
    case PSN_DUE_GRANT:
        return _("grant has run out");
    case PSN_DUE_ROTATE:
        return _("rotate: still known");
    case PSN_DUE_SECRET:
        return _("by hand: still known");
    case PSN_DUE_ISSUE:
        return _("issue to be written");
    case PSN_DUE_RESUME:
        return _("unfinished: resume");
    case PSN_DUE_ENVELOPE:
        return _("envelope to be renewed");
    case PSN_DUE_DEPARTURE:
        return _("departure: resume");
    case PSN_DUE_RESTORED:
        return _("backup: to be judged");
    case PSN_DUE_LEAVER:
        return _("could open the vault");
    case PSN_DUE_ENVELOPE_LEFT:
        return _("envelope of a leaver");
    case PSN_DUE_ENVELOPE_REMADE:
        return _("envelope to be made again");
    case PSN_DUE_HANDOVER:
        return _("handover is open");
    case PSN_DUE_OUTSIDE:
        return _("changed by somebody else");
    case PSN_DUE_VANISHED:
        return _("gone at OVH");
    case PSN_DUE_MOVED:
        return _("on another platform");
    case PSN_DUE_APPEARED:
        return _("new mailbox at OVH");
    case PSN_DUE_ACCESS:
        return _("new way in");
    case PSN_DUE_UNJUDGED:
        return unjudged_shown(due, out, CLI_DUE_KIND_MAX);
    }
    return "";
}

const char *cli_due_secret_shown(const struct psn_due *due)
{
    if (due->access[0])
        return due->access;
    if (due->label[0])
        return due->label;
    return due->kind < PSN_DUE_ENVELOPE || due->kind == PSN_DUE_OUTSIDE ? _("password")
                                                                        : "-";
}

/* The words of one command line, in turn. */
static void set_words(struct cli_due_command *command, const char *first,
                      const char *second, const char *third, const char *fourth)
{
    const char *const words[] = { first, second, third, fourth };

    command->count = 0;
    for (size_t i = 0; i < sizeof words / sizeof *words && words[i]; i++)
        command->words[command->count++] = words[i];
}

/* Has somebody to judge, or to know something, first? */
static bool needs_person(enum psn_due_kind kind)
{
    return kind == PSN_DUE_SECRET || kind == PSN_DUE_RESTORED || kind == PSN_DUE_LEAVER ||
           kind == PSN_DUE_ENVELOPE_LEFT || kind == PSN_DUE_ENVELOPE_REMADE ||
           kind == PSN_DUE_OUTSIDE || kind == PSN_DUE_VANISHED ||
           kind == PSN_DUE_APPEARED || kind == PSN_DUE_ACCESS;
}

void cli_due_command(const struct psn_due *due, struct cli_due_command *ret_command)
{
    struct cli_due_command *command = ret_command;

    command->needs_person = needs_person(due->kind);
    switch (due->kind) {
    case PSN_DUE_GRANT:
        set_words(command, "revoke", due->person, due->address, NULL);
        return;
    case PSN_DUE_ROTATE:
        set_words(command, "rotate", due->address, NULL, NULL);
        return;
    case PSN_DUE_SECRET:
        set_words(command, "secret", "set", due->address, due->label);
        return;
    case PSN_DUE_ISSUE:
        set_words(command, "outbox", due->person, NULL, NULL);
        return;
    case PSN_DUE_RESUME:
        set_words(command, "resume", due->address[0] ? due->address : NULL, NULL, NULL);
        return;
    case PSN_DUE_ENVELOPE:
        set_words(command, "envelope", "update", due->client, NULL);
        return;
    case PSN_DUE_DEPARTURE:
        set_words(command, "resume", NULL, NULL, NULL);
        return;
    case PSN_DUE_RESTORED:
        set_words(command, "outbox", "--judged", NULL, NULL);
        return;
    case PSN_DUE_LEAVER:
        set_words(command, "depart", due->person, NULL, NULL);
        return;
    case PSN_DUE_ENVELOPE_LEFT:
        set_words(command, "envelope", "end", due->client, NULL);
        return;
    case PSN_DUE_ENVELOPE_REMADE:
        set_words(command, "envelope", "create", due->client, "--to");
        command->words[command->count++] = due->person;
        return;
    case PSN_DUE_HANDOVER:
        set_words(command, "handover", "status", due->client, NULL);
        return;
    case PSN_DUE_OUTSIDE:
        set_words(command, "rotate", due->address, NULL, NULL);
        return;
    case PSN_DUE_VANISHED:
        set_words(command, "role", "rm", due->address, NULL);
        return;
    case PSN_DUE_MOVED:
        set_words(command, "verify", due->address, NULL, NULL);
        return;
    case PSN_DUE_APPEARED:
        set_words(command, "role", "adopt", due->address, NULL);
        return;
    case PSN_DUE_ACCESS:
        set_words(command, "sweep", due->client, "--keep", due->access);
        return;
    case PSN_DUE_UNJUDGED: /* it lists them, and changes nothing */
        set_words(command, "sweep", due->client, NULL, NULL);
        return;
    }
}

static const char *day_shown(int64_t time_s, char out[PSN_TIME_SIZE])
{
    if (!time_s)
        return cli_display_time(time_s, out);
    (void)cli_display_time(time_s, out);
    out[DAY] = '\0';
    return out;
}

static void put_json(struct cli_json *json, const struct psn_due *due)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "kind", psn_due_kind_name(due->kind));
    cli_json_text(json, "person", due->person[0] ? due->person : NULL);
    cli_json_text(json, "address", due->address[0] ? due->address : NULL);
    cli_json_text(json, "client", due->client[0] ? due->client : NULL);
    cli_json_text(json, "label", due->label[0] ? due->label : NULL);
    cli_json_text(json, "access", due->access[0] ? due->access : NULL);
    cli_display_json_count(json, "version", due->version);
    cli_display_json_count(json, "count", due->count);
    cli_json_time(json, "since", due->since_s);
    cli_json_close(json, '}');
}

void cli_due_list_json(struct cli_json *json, const char *name,
                       const struct cli_due_list *list)
{
    cli_json_open(json, name, '[');
    for (size_t i = 0; i < list->count; i++)
        put_json(json, &list->items[i]);
    cli_json_close(json, ']');
}

static enum psn_code print_json(struct cli *cli, const struct cli_due_list *list,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();

    cli_json_open(&json, NULL, '{');
    cli_due_list_json(&json, "due", list);
    cli_json_close(&json, '}');
    return cli_json_print(cli, &json, err);
}

/* What one line of each kind is done with: the first, which is nearly always the only
 * one. NULL: there is none. */
static const struct psn_due *first_of(const struct cli_due_list *list,
                                      enum psn_due_kind kind)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].kind == kind)
            return &list->items[i];
    return NULL;
}

enum psn_code cli_due_hint_by_hand(const struct cli_due_list *list, struct psn_error *err)
{
    const struct psn_due *due = first_of(list, PSN_DUE_SECRET);
    char label[4 * PSN_LABEL_TEXT_MAX];

    return psn_hint(err, PSN_E_FINDINGS,
                    _("no API changes it: change it where it is used, then: passation "
                      "secret set %s %s"),
                    CLI_SHOWN(due->address),
                    psn_text_quoted(due->label, label, sizeof label));
}

const char *cli_due_waits_for_code(const struct cli_due_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].by_code)
            return list->items[i].person;
    return NULL;
}

static enum psn_code count_secret(void *arg, const struct psn_secret_info *info,
                                  struct psn_error *err)
{
    size_t *count = arg;

    (void)info;
    (void)err;
    ++*count;
    return PSN_OK;
}

/* Other secrets than the password hang on a mailbox, and live on without it. */
static void advise_vanished(const struct cli *cli, const char *address)
{
    size_t count = 0;

    if (psn_secret_each(cli->vault, address, count_secret, &count, NULL) || count == 0)
        cli_note(cli,
                 _("Gone at OVH: ask the owner who deleted it; if that is right: "
                   "passation role rm %s"),
                 CLI_SHOWN(address));
    else
        cli_note(cli,
                 PSN_NGETTEXT(
                     "Gone at OVH: ask the owner who deleted it; if that is right, move "
                     "or export the %zu other secret that hangs on it first: passation "
                     "secret ls %s; then: passation role rm %s",
                     "Gone at OVH: ask the owner who deleted it; if that is right, move "
                     "or export the %zu other secrets that hang on it first: passation "
                     "secret ls %s; then: passation role rm %s",
                     count),
                 count, CLI_SHOWN(address), CLI_SHOWN(address));
}

static void advise_drift(const struct cli *cli, const struct cli_due_list *list)
{
    static const struct {
        enum psn_due_kind kind;
        const char *advice;
        const char *command; /* for the address */
    } drifts[] = {
        { PSN_DUE_OUTSIDE,
          N_("Changed by somebody else: ask who did; if it may stay so: passation role "
             "adopt ADDRESS --secret-fd N; take it back with:"),
          "rotate" },
        { PSN_DUE_VANISHED, NULL, NULL },
        { PSN_DUE_MOVED,
          N_("On another platform: its settings may be new; log in and note it:"),
          "verify" },
        { PSN_DUE_APPEARED, N_("A new mailbox: ask who made it; take it over with:"),
          "role adopt" },
    };

    for (size_t i = 0; i < sizeof drifts / sizeof *drifts; i++) {
        const struct psn_due *due = first_of(list, drifts[i].kind);

        if (due && !drifts[i].advice)
            advise_vanished(cli, due->address);
        else if (due)
            cli_note(cli, "%s passation %s %s", _(drifts[i].advice), drifts[i].command,
                     CLI_SHOWN(due->address));
    }
}

void cli_due_tell_leaver(const struct cli *cli, const char *person)
{
    cli_note(cli,
             _("%s could open the vault, and may know whatever was in it. To have it "
               "replaced: passation depart %s"),
             CLI_SHOWN(person), CLI_SHOWN(person));
}

/* What --apply does not do, each kind once. */
static void advise(const struct cli *cli, const struct cli_due_list *list)
{
    size_t handovers = cli_due_list_count(list, PSN_DUE_HANDOVER);
    const struct psn_due *due;

    if (handovers > 0 && handovers < list->count)
        cli_note(cli, _("A handover: what blocks, and who must act: passation handover "
                        "status"));
    if (first_of(list, PSN_DUE_RESTORED))
        cli_note(cli,
                 _("An older backup was restored, which may not know who has left or "
                   "whose grant was ended since. Nothing is issued until you have "
                   "looked: passation person ls; passation grant ls; then: passation "
                   "outbox --judged"));
    due = first_of(list, PSN_DUE_LEAVER);
    if (due)
        cli_due_tell_leaver(cli, due->person);
    due = first_of(list, PSN_DUE_ENVELOPE_LEFT);
    if (due)
        cli_note(
            cli,
            _("The envelope of %s is for %s, who leaves, and gets nothing newer. End "
              "it: passation envelope end %s; or make one for somebody else: "
              "passation envelope create %s --to PERSON"),
            due->client, CLI_SHOWN(due->person), due->client, due->client);
    due = first_of(list, PSN_DUE_ENVELOPE_REMADE);
    if (due)
        cli_note(
            cli,
            _("A new envelope of %s was being made, and that was stopped: which sheet "
              "opens it is not known. Make it again, and print that sheet: passation "
              "envelope create %s --to %s"),
            due->client, due->client, CLI_SHOWN(due->person));
    advise_drift(cli, list);
    due = first_of(list, PSN_DUE_ACCESS);
    if (due)
        cli_note(cli,
                 _("A new way in: legitimate: passation sweep %s --keep %s; "
                   "else: --cut %s"),
                 due->client, CLI_SHOWN(due->access), CLI_SHOWN(due->access));
    due = first_of(list, PSN_DUE_UNJUDGED);
    if (due)
        cli_note(cli, _("Ways in that nobody has judged: see each: passation sweep %s"),
                 due->client);
}

enum psn_code cli_due_print(struct cli *cli, const struct cli_due_list *list,
                            struct psn_error *err)
{
    PSN_AUTO(cli_table) *table = NULL;
    char kind[CLI_DUE_KIND_MAX];
    char time[PSN_TIME_SIZE];

    if (cli->json)
        return print_json(cli, list, err);
    if (list->count == 0)
        return PSN_OK;
    table = cli_table_new(5);
    cli_table_cell(table, _("WHAT"));
    cli_table_cell(table, _("ADDRESS"));
    cli_table_cell(table, _("SECRET"));
    cli_table_cell(table, _("PERSON"));
    cli_table_cell(table, _("SINCE"));
    for (size_t i = 0; i < list->count; i++) {
        const struct psn_due *due = &list->items[i];

        cli_table_cell(table, cli_due_kind_shown(due, kind));
        cli_table_cell(table, due->address[0]  ? due->address
                              : due->client[0] ? due->client
                                               : "-");
        cli_table_cell(table, cli_due_secret_shown(due));
        cli_table_cell(table, due->person[0] ? due->person : "-");
        cli_table_cell(table, day_shown(due->since_s, time));
    }
    cli_table_print(cli, table);
    advise(cli, list);
    return PSN_OK;
}
