#include <stdio.h>
#include <string.h>

#include "cli/departure_report.h"
#include "cli/display.h"
#include "cli/finding_show.h"

/* What the report of a departure proves: each password, secret and access, who stays, and
 * the heads of the journal. */

static bool has_any(const struct psn_departure_report *report, bool password)
{
    for (size_t i = 0; i < report->secret_count; i++)
        if (password == !report->secrets[i].label[0])
            return true;
    return false;
}

static bool is_gone(const struct psn_departure_access *access)
{
    return access->access.state == PSN_ACCESS_GONE;
}

static void cell_time(struct cli_writing *writing, enum cli_tone tone, int64_t time_s)
{
    char time[PSN_TIME_SIZE];

    cli_writing_cell(writing, tone, cli_display_moment(time_s, time));
}

static const char *state_of(const struct psn_departure_secret *at)
{
    if (at->again)
        return _("! replaced; once more when no way in is open");
    if (at->outside_s)
        return _("! changed by somebody else since");
    if (at->set_since_s)
        return _("! changed since it was handed over");
    return at->replaced ? _("! replaced; old one not proved refused")
                        : _("! not replaced");
}

static void write_password(const struct psn_departure_secret *at,
                           struct cli_writing *writing)
{
    bool done = at->replaced && at->dead && !at->again && !at->outside_s;
    char proof[64];

    cli_writing_cell(writing, CLI_TONE_PLAIN, at->address);
    cell_time(writing, CLI_TONE_PLAIN, at->replaced_s);
    cell_time(writing, CLI_TONE_PLAIN, at->dead ? at->dead_s : 0);
    cli_writing_cell(writing, CLI_TONE_PLAIN,
                     at->replaced ? cli_display_task(at->proof, proof, sizeof proof)
                                  : "");
    cli_writing_cell(writing, done ? CLI_TONE_GOOD : CLI_TONE_WAIT,
                     done ? _("✓ replaced and proved") : state_of(at));
}

static void write_passwords(const struct psn_departure_report *report,
                            struct cli_writing *writing)
{
    const char *const heads[] = { _("Mailbox"),
                                  _("New one accepted on"),
                                  _("Old one refused on"),
                                  _("OVH's proof"),
                                  _("State"),
                                  NULL };

    cli_writing_heading(writing, _("Mailboxes"));
    if (!has_any(report, true)) {
        cli_writing_line(writing, CLI_TONE_PLAIN, _("None."));
        return;
    }
    cli_writing_table(writing, heads);
    for (size_t i = 0; i < report->secret_count; i++)
        if (!report->secrets[i].label[0])
            write_password(&report->secrets[i], writing);
    cli_writing_table_end(writing);
}

static void write_secrets(const struct psn_departure_report *report,
                          struct cli_writing *writing)
{
    const char *const heads[] = { _("Mailbox"), _("Secret"), _("Replaced on"), _("State"),
                                  NULL };

    if (!has_any(report, false))
        return;
    cli_writing_heading(writing, _("Secrets that are changed by hand"));
    cli_writing_table(writing, heads);
    for (size_t i = 0; i < report->secret_count; i++) {
        const struct psn_departure_secret *at = &report->secrets[i];

        if (!at->label[0])
            continue;
        cli_writing_cell(writing, CLI_TONE_PLAIN, at->address);
        cli_writing_cell(writing, CLI_TONE_PLAIN, at->label);
        cell_time(writing, CLI_TONE_PLAIN, at->replaced_s);
        cli_writing_cell(writing, at->replaced ? CLI_TONE_GOOD : CLI_TONE_WAIT,
                         at->replaced     ? _("✓ replaced")
                         : at->lasting[0] ? _("! stays known: nobody can change it")
                                          : _("! to be changed"));
    }
    cli_writing_table_end(writing);
}

static const char *access_shown(const struct psn_departure_access *at)
{
    if (is_gone(at))
        return _("✓ closed");
    if (at->access.state == PSN_ACCESS_KEPT)
        return _("kept, as legitimate");
    if (at->access.state == PSN_ACCESS_CUTTING)
        return _("! being removed");
    return at->his ? _("! still open") : _("? to be judged");
}

static void write_accesses(const struct psn_departure_report *report,
                           struct cli_writing *writing, bool his)
{
    const char *const heads[] = { _("Way in"), _("Of what"), _("Whose"),
                                  _("Client"), _("State"),   NULL };
    size_t count = 0;

    for (size_t i = 0; i < report->access_count; i++)
        count += report->accesses[i].his == his;
    cli_writing_heading(writing, his ? _("Ways in of the person who leaves")
                                     : _("Other ways in, not known to be theirs"));
    if (count == 0) {
        cli_writing_line(writing, CLI_TONE_PLAIN, _("None was found."));
        return;
    }
    cli_writing_table(writing, heads);
    for (size_t i = 0; i < report->access_count; i++) {
        const struct psn_departure_access *at = &report->accesses[i];
        char object[2 * PSN_FINDING_TEXT_MAX];

        if (at->his != his)
            continue;
        cli_writing_cell(writing, CLI_TONE_PLAIN,
                         cli_finding_noun(at->access.finding.kind));
        cli_writing_cell(writing, CLI_TONE_PLAIN,
                         cli_finding_object(&at->access.finding, object, sizeof object));
        cli_writing_cell(writing, CLI_TONE_PLAIN, at->access.finding.whose);
        cli_writing_cell(writing, CLI_TONE_PLAIN, at->client);
        cli_writing_cell(writing,
                         is_gone(at)                           ? CLI_TONE_GOOD
                         : at->access.state == PSN_ACCESS_KEPT ? CLI_TONE_PLAIN
                                                               : CLI_TONE_WAIT,
                         access_shown(at));
    }
    cli_writing_table_end(writing);
}

static void write_stays(const struct psn_departure_report *report,
                        struct cli_writing *writing)
{
    const char *const heads[] = { _("Person"), _("Mailbox"), _("State"), NULL };

    cli_writing_heading(writing, _("Those who stay"));
    if (report->stay_count == 0) {
        cli_writing_line(writing, CLI_TONE_PLAIN, _("Nobody."));
        return;
    }
    cli_writing_table(writing, heads);
    for (size_t i = 0; i < report->stay_count; i++) {
        const struct psn_departure_stay *at = &report->stays[i];

        cli_writing_cell(writing, CLI_TONE_PLAIN, at->name[0] ? at->name : at->person);
        cli_writing_cell(writing, CLI_TONE_PLAIN,
                         at->by_slot ? _("all: opens the vault") : at->address);
        cli_writing_cell(writing, at->due ? CLI_TONE_WAIT : CLI_TONE_GOOD,
                         at->due ? _("! the new password is to be handed over")
                                 : _("✓ has the present password"));
    }
    cli_writing_table_end(writing);
}

static void write_unseen(struct cli *cli, const struct psn_departure_report *report,
                         struct cli_writing *writing)
{
    const char *const heads[] = { _("Mailbox"), _("Look at"), NULL };
    bool any = false;

    cli_writing_heading(writing, _("What OVH's API does not show; look yourself"));
    for (size_t i = 0; i < report->secret_count; i++) {
        const struct psn_departure_secret *at = &report->secrets[i];
        struct psn_role role;

        if (at->label[0] || psn_role_get(cli->vault, at->address, &role, NULL))
            continue;
        if (!any)
            cli_writing_table(writing, heads);
        any = true;
        cli_writing_cell(writing, CLI_TONE_PLAIN, at->address);
        cli_writing_cell(writing, CLI_TONE_PLAIN, cli_unseen_of(&role));
    }
    if (any)
        cli_writing_table_end(writing);
    cli_writing_line(
        writing, CLI_TONE_PLAIN,
        _("What somebody has read stays read, and mail that was copied stays "
          "copied: no change of a password undoes that."));
}

static void write_heads(const struct psn_departure_report *report,
                        struct cli_writing *writing)
{
    const char *id = report->facts.person;
    char command[2 * PSN_PERSON_ID_MAX + 128];

    cli_writing_heading(writing, _("Signature and journal"));
    cli_writing_line(
        writing, CLI_TONE_PLAIN,
        _("Signed by the vault with the key %s. Whoever has the vault checks the "
          "text with the first of these, anybody else the page with the "
          "second:"),
        report->fingerprint);
    (void)snprintf(command, sizeof command, "passation log --verify depart-%s.txt", id);
    cli_writing_code(writing, command);
    (void)snprintf(command, sizeof command,
                   "ssh-keygen -Y check-novalidate -n passation-file -s "
                   "depart-%s.html.sig < depart-%s.html",
                   id, id);
    cli_writing_code(writing, command);
    for (size_t i = 0; i < report->head_count; i++) {
        const struct psn_head *head = &report->heads[i];
        char hash[2 * PSN_HEAD_SIZE + 1];

        for (size_t j = 0; j < PSN_HEAD_SIZE; j++)
            (void)snprintf(hash + 2 * j, 3, "%02x", head->hash[j]);
        cli_writing_item(writing, 0, _("Journal of %s, entry %llu: %s"),
                         head->chain[0] ? head->chain : _("the vault"),
                         (unsigned long long)head->count, hash);
    }
}

void cli_departure_proofs(struct cli *cli, const struct psn_departure_report *report,
                          struct cli_writing *writing)
{
    write_passwords(report, writing);
    write_secrets(report, writing);
    write_accesses(report, writing, true);
    write_accesses(report, writing, false);
    write_stays(report, writing);
    write_unseen(cli, report, writing);
    write_heads(report, writing);
}
