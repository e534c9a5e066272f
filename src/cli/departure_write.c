#include <stdio.h>
#include <string.h>

#include "cli/departure_report.h"
#include "cli/display.h"
#include "cli/finding_show.h"

/* The report of a departure, for people: first how it stands, then what is left to do,
 * then each proof (departure_proofs.c). */

static const char *name_of(const struct psn_person *person)
{
    return person->name[0] ? person->name : person->id;
}

static size_t count_secrets(const struct psn_departure_report *report, bool password,
                            bool (*is)(const struct psn_departure_secret *secret))
{
    size_t count = 0;

    for (size_t i = 0; i < report->secret_count; i++)
        count += password == !report->secrets[i].label[0] && is(&report->secrets[i]);
    return count;
}

static bool is_replaced(const struct psn_departure_secret *secret)
{
    return secret->replaced;
}

static bool is_dead(const struct psn_departure_secret *secret)
{
    return secret->dead;
}

static bool is_any(const struct psn_departure_secret *secret)
{
    (void)secret;
    return true;
}

static bool is_gone(const struct psn_departure_access *access)
{
    return access->access.state == PSN_ACCESS_GONE;
}

static size_t count_accesses(const struct psn_departure_report *report, bool his,
                             bool gone)
{
    size_t count = 0;

    for (size_t i = 0; i < report->access_count; i++)
        count += report->accesses[i].his == his && is_gone(&report->accesses[i]) == gone;
    return count;
}

/* --- how it stands --- */

/* The name of who did it, if he is still known. */
static const char *actor_of(struct cli *cli, const struct psn_departure_report *report,
                            struct psn_person *person)
{
    if (psn_person_get(cli->vault, report->by, person, NULL))
        return report->by;
    return name_of(person);
}

static void write_summary(struct cli *cli, const struct psn_departure_report *report,
                          struct cli_writing *writing)
{
    struct psn_person actor;
    const struct psn_departure *facts = &report->facts;
    const char *name = name_of(&report->person);
    char began[PSN_TIME_SIZE];
    size_t passwords = count_secrets(report, true, is_any);

    (void)cli_display_moment(facts->began_s, began);
    cli_departure_headline(report, writing);
    cli_writing_line(writing, CLI_TONE_PLAIN, _("Begun on %s by %s."), began,
                     actor_of(cli, report, &actor));
    cli_writing_item(
        writing, 0,
        facts->narrow
            ? _("Mailbox passwords that %s is known to have seen: %zu. "
                "Replaced, and the new one proved by a login: %zu. The old "
                "one refused by the mail server: %zu.")
            : _("Mailbox passwords that %s could read: %zu. Replaced, and the new "
                "one proved by a login: %zu. The old one refused by the mail "
                "server: %zu."),
        name, passwords, count_secrets(report, true, is_replaced),
        count_secrets(report, true, is_dead));
    if (count_secrets(report, false, is_any))
        cli_writing_item(
            writing, 0,
            _("Other secrets (licences, payment, FTP …): %zu. Replaced: %zu."),
            count_secrets(report, false, is_any),
            count_secrets(report, false, is_replaced));
    cli_writing_item(writing, 0,
                     _("Other ways in (forwards, delegates, contacts, API keys …) of %s: "
                       "closed %zu, still open %zu."),
                     name, count_accesses(report, true, true),
                     count_accesses(report, true, false));
    if (facts->held_slot)
        cli_writing_item(writing, 0,
                         facts->holds_slot
                             ? _("%s can still open the vault.")
                             : _("%s could open the vault; it has new keys since."),
                         name);
    if (facts->narrow)
        cli_writing_item(writing, 0,
                         _("By explicit choice only what %s is known to have seen was "
                           "replaced, not all that the vault holds."),
                         name);
}

/* --- what is left --- */

static void write_open_accesses(const struct psn_departure_report *report,
                                struct cli_writing *writing, size_t *number)
{
    const char *client = NULL; /* where our key may not close them */

    for (size_t i = 0; i < report->access_count; i++) {
        const struct psn_departure_access *at = &report->accesses[i];
        const struct psn_finding *finding = &at->access.finding;
        char object[2 * PSN_FINDING_TEXT_MAX];

        if (!at->his || is_gone(at))
            continue;
        if (finding->obstacle[0])
            cli_writing_item(writing, ++*number, _("%s, %s: %s"),
                             cli_finding_noun(finding->kind),
                             cli_finding_object(finding, object, sizeof object),
                             psn_finding_obstacle(finding));
        else if (at->access.state == PSN_ACCESS_CUTTING)
            cli_writing_item(
                writing, ++*number,
                finding->kind == PSN_FINDING_CONTACT
                    ? _("%s, %s: both sides have to agree, by the e-mail that OVH sent "
                        "them. Look again: passation resume")
                    : _("%s, %s: OVH was told to remove it and has not yet. Look again: "
                        "passation resume"),
                cli_finding_noun(finding->kind),
                cli_finding_object(finding, object, sizeof object));
        else
            cli_writing_item(writing, ++*number, _("%s, %s: still open."),
                             cli_finding_noun(finding->kind),
                             cli_finding_object(finding, object, sizeof object));
        if (!finding->obstacle[0] && at->access.state != PSN_ACCESS_CUTTING)
            client = at->client;
    }
    if (client)
        cli_writing_item(
            writing, ++*number,
            _("To close what is still open, ask the owner for a key that may: "
              "passation ovh link %s --for cut; then: passation resume"),
            client);
}

/* A value that is ready may be in use where nobody told the vault: then it is the only
 * copy, and its report says both ways. */
static void write_open_item(const struct psn_departure_secret *at,
                            struct cli_writing *writing, size_t number)
{
    char room[5 * PSN_LABEL_TEXT_MAX];
    const char *label = psn_text_quoted(at->label, room, sizeof room);

    if (at->handed && at->replacement)
        cli_writing_item(
            writing, number,
            _("%s, %s: a new password was made ready before the client received it. If "
              "it is in use: passation secret set %s %s --replacement, and he gets "
              "another trousseau. If it is not: passation secret rm %s %s --replacement, "
              "and the client must set it: he is told in the handover's statement"),
            at->address, at->label, at->address, label, at->address, label);
    else if (at->handed)
        cli_writing_item(writing, number,
                         _("%s, %s: the client must set it: he is told in the "
                           "handover's statement"),
                         at->address, at->label);
    else if (at->replacement)
        cli_writing_item(
            writing, number,
            _("%s, %s: change it where it is used; a new password is ready: passation "
              "show %s %s --replacement --reveal; then: passation secret set %s %s "
              "--replacement. If it is not to be used: passation secret rm %s %s "
              "--replacement"),
            at->address, at->label, at->address, label, at->address, label, at->address,
            label);
    else
        cli_writing_item(writing, number,
                         _("%s, %s: ask its service for a new one; then: passation "
                           "secret set %s %s"),
                         at->address, at->label, at->address, label);
}

/* What is still to be done about its own password, the first thing first. */
static void write_open_mailbox(const struct psn_departure_secret *at,
                               struct cli_writing *writing, size_t *number)
{
    bool waits = !at->replaced || at->again;
    char seen[PSN_TIME_SIZE];

    if (waits && at->set_since_s)
        cli_writing_item(writing, ++*number,
                         _("%s: what was handed over is refused, as was seen on %s: "
                           "have the client confirm that it was them who changed it"),
                         at->address, cli_display_moment(at->set_since_s, seen));
    else if (waits && at->handed)
        cli_writing_item(writing, ++*number,
                         _("%s: the client must set it: he is told in the handover's "
                           "statement"),
                         at->address);
    else if (!at->replaced)
        cli_writing_item(writing, ++*number,
                         _("%s: its password is not replaced yet: passation resume"),
                         at->address);
    else if (at->again)
        cli_writing_item(writing, ++*number,
                         _("%s: its password is replaced once more, as soon as no way "
                           "in of theirs is open: passation resume"),
                         at->address);
    else if (at->outside_s)
        cli_writing_item(writing, ++*number,
                         _("%s: its password was changed by somebody else since, as "
                           "was seen on %s; rotate it: passation rotate %s"),
                         at->address, cli_display_moment(at->outside_s, seen),
                         at->address);
    else if (!at->dead)
        cli_writing_item(writing, ++*number,
                         _("%s: the new password works; that the old one is refused "
                           "is still to be seen (mail servers may remember it for an "
                           "hour): passation resume"),
                         at->address);
}

static void write_open_secrets(const struct psn_departure_report *report,
                               struct cli_writing *writing, size_t *number)
{
    for (size_t i = 0; i < report->secret_count; i++) {
        const struct psn_departure_secret *at = &report->secrets[i];

        if (at->lasting[0])
            continue;
        if (!at->label[0])
            write_open_mailbox(at, writing, number);
        else if (!at->replaced)
            write_open_item(at, writing, ++*number);
    }
}

/* Whoever has that mailbox gets the OVH account back. */
static void write_recovery(const struct psn_departure_report *report,
                           struct cli_writing *writing, size_t *number)
{
    for (size_t i = 0; i < report->access_count; i++) {
        const struct psn_finding *finding = &report->accesses[i].access.finding;
        bool changed = false;

        if (finding->kind != PSN_FINDING_ACCOUNT_MAIL || is_gone(&report->accesses[i]))
            continue;
        for (size_t j = 0; j < report->secret_count; j++)
            changed =
                changed || (!report->secrets[j].label[0] &&
                            strcmp(report->secrets[j].address, finding->subject) == 0);
        if (changed)
            cli_writing_item(
                writing, ++*number,
                _("%s receives the mail by which the OVH account is got back: "
                  "make sure that its owner has the new password."),
                finding->subject);
    }
}

static void write_due_issues(const struct psn_departure_report *report,
                             struct cli_writing *writing, size_t *number)
{
    for (size_t i = 0; i < report->stay_count; i++)
        if (report->stays[i].due)
            cli_writing_item(writing, ++*number,
                             _("%s waits for the new password of %s: passation outbox"),
                             report->stays[i].name[0] ? report->stays[i].name
                                                      : report->stays[i].person,
                             report->stays[i].address);
}

struct received {
    struct cli_writing *writing;
    size_t *number;
};

static enum psn_code write_received(void *arg, const struct psn_received *received,
                                    struct psn_error *err)
{
    struct received *at = arg;

    (void)err;
    cli_writing_item(
        at->writing, ++*at->number,
        _("%s was given to you by somebody else, and could be read: ask them "
          "to replace it."),
        received->address);
    return PSN_OK;
}

static bool is_others(const struct psn_departure_access *at)
{
    return !at->his && psn_access_is_pending(&at->access);
}

/* They are in the order of clients: a line for each. */
static void write_others(const struct psn_departure_report *report,
                         struct cli_writing *writing, size_t *number)
{
    size_t count = 0;

    for (size_t i = 0; i < report->access_count; i++) {
        const struct psn_departure_access *at = &report->accesses[i];
        bool is_last = i + 1 == report->access_count || report->accesses[i + 1].his ||
                       strcmp(report->accesses[i + 1].client, at->client) != 0;

        count += is_others(at);
        if (!is_last)
            continue;
        if (count > 0)
            cli_writing_item(
                writing, ++*number,
                _("Other ways in, not known to be theirs (%zu, see below): judge "
                  "each: passation sweep %s --keep ID, or --cut ID"),
                count, at->client);
        count = 0;
    }
}

static void write_left(struct cli *cli, const struct psn_departure_report *report,
                       struct cli_writing *writing)
{
    const struct psn_departure *facts = &report->facts;
    size_t number = 0;

    cli_writing_heading(writing, _("What is left to do"));
    if (facts->holds_slot)
        cli_writing_item(writing, ++number,
                         _("Give the vault new keys: passation slot rm %s; then: "
                           "passation resume"),
                         facts->person);
    if (facts->keys)
        cli_writing_item(
            writing, ++number,
            _("Replace OVH's API keys that were in the vault (%zu): passation "
              "ovh link %s --new; then: passation resume"),
            facts->keys, facts->key_client);
    write_open_accesses(report, writing, &number);
    write_open_secrets(report, writing, &number);
    write_due_issues(report, writing, &number);
    write_recovery(report, writing, &number);
    if (facts->held_slot && !facts->narrow)
        PSN_IGNORE(psn_received_each(cli->vault, write_received,
                                     &(struct received){ writing, &number }, NULL));
    write_others(report, writing, &number);
    cli_writing_item(writing, ++number,
                     _("Look yourself at what OVH's API does not show (see below)."));
}

void cli_departure_write(struct cli *cli, const struct psn_departure_report *report,
                         struct cli_writing *writing)
{
    char title[PSN_NAME_MAX + 64];

    (void)snprintf(title, sizeof title, _("Departure of %s"), name_of(&report->person));
    cli_writing_begin(writing, title);
    cli_writing_title(writing, title);
    write_summary(cli, report, writing);
    write_left(cli, report, writing);
    cli_departure_map(report, writing);
    cli_departure_proofs(cli, report, writing);
    cli_writing_end(writing);
}
