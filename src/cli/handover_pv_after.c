#include <stdio.h>
#include <string.h>

#include "cli/display.h"
#include "cli/finding_show.h"
#include "cli/handover_pv_part.h"
#include "cli/handover_words.h"

/* Parts 6 to 9: who else could get in, who still can, what is destroyed, what comes. */

enum {
    DAY_S = 24 * 3600,
    CONTACT_DAYS = 7, /* both sides have so long to agree to a change, OVH says */
};

/* --- 6: lasting accesses --- */

static enum cli_tone access_tone(const struct psn_access *access)
{
    return psn_access_is_pending(access) || access->state == PSN_ACCESS_CUTTING
               ? CLI_TONE_WAIT
               : CLI_TONE_PLAIN;
}

static const char *access_state(const struct psn_access *access, bool by_us)
{
    if (access->finding.elsewhere && access->state != PSN_ACCESS_GONE)
        return _("the provider's, for another customer in the same account; it stays");
    switch (access->state) {
    case PSN_ACCESS_GONE:
        return by_us ? _("closed by the provider") : _("gone");
    case PSN_ACCESS_CUTTING:
        return _("being removed");
    case PSN_ACCESS_KEPT:
        return _("kept, as legitimate");
    case PSN_ACCESS_OPEN:
        break;
    }
    if (access->finding.own)
        return _("the provider's; removed at the closing");
    return psn_access_is_pending(access) ? _("still open; nobody has judged it")
                                         : _("left as it is: harmless");
}

/* What the provider closed is told with OVH's number for it, where there is one. */
static void cell_closed(struct cli_writing *writing, const struct psn_access *access)
{
    char clock[CLI_CLOCK_MAX];
    char when[128];

    if (access->task)
        (void)snprintf(when, sizeof when, _("on %s, OVHcloud's request %lld"),
                       cli_display_moment(access->gone_s, clock),
                       (long long)access->task);
    else
        (void)snprintf(when, sizeof when, _("on %s"),
                       cli_display_moment(access->gone_s, clock));
    cli_writing_cell_more(writing, CLI_TONE_PLAIN, access_state(access, true), when);
}

static void cell_access_state(struct cli_writing *writing,
                              const struct psn_access *access)
{
    char clock[CLI_CLOCK_MAX];
    char when[128];
    int64_t at_s = access->state == PSN_ACCESS_GONE   ? access->gone_s
                   : access->state == PSN_ACCESS_OPEN ? 0
                                                      : access->decided_s;

    if (access->state == PSN_ACCESS_GONE && access->ordered_s) {
        cell_closed(writing, access);
        return;
    }
    when[0] = '\0';
    if (at_s && access->state == PSN_ACCESS_GONE)
        (void)snprintf(when, sizeof when, _("not found any more on %s"),
                       cli_display_moment(at_s, clock));
    else if (at_s)
        (void)snprintf(when, sizeof when, _("decided on %s"),
                       cli_display_moment(at_s, clock));
    cli_writing_cell_more(writing, access_tone(access), access_state(access, false),
                          when);
}

/* Domains and mailboxes are found as well, and are no accesses. */
static bool is_shown(const struct psn_access *access)
{
    return access->finding.kind != PSN_FINDING_DOMAIN &&
           access->finding.kind != PSN_FINDING_MAILBOX;
}

void cli_pv_accesses(const struct psn_handover_facts *facts, struct cli_writing *writing)
{
    const char *const heads[] = { _("Access"), _("Of what"), _("Whose"),
                                  _("What became of it"), NULL };
    size_t count = 0;

    for (size_t i = 0; i < facts->access_count; i++)
        count += is_shown(&facts->accesses[i]);
    cli_pv_heading(writing, 6,
                   _("Lasting accesses that were found, and what became of them"));
    cli_writing_line(
        writing, CLI_TONE_PLAIN,
        _("A lasting access lets somebody in, or sends mail elsewhere, "
          "whatever the passwords are: a redirection, a delegation, a key."));
    if (count == 0)
        cli_writing_line(writing, CLI_TONE_PLAIN, _("None was found."));
    else
        cli_writing_table(writing, heads);
    for (size_t i = 0; i < facts->access_count; i++) {
        const struct psn_access *at = &facts->accesses[i];
        char object[2 * PSN_FINDING_TEXT_MAX];

        if (!is_shown(at))
            continue;
        cli_writing_cell(writing, CLI_TONE_PLAIN, cli_finding_noun(at->finding.kind));
        cli_writing_cell(writing, CLI_TONE_PLAIN,
                         cli_finding_object(&at->finding, object, sizeof object));
        cli_writing_cell(writing, CLI_TONE_PLAIN, at->finding.whose);
        cell_access_state(writing, at);
    }
    if (count)
        cli_writing_table_end(writing);
    cli_writing_line(writing, CLI_TONE_PLAIN,
                     _("OVHcloud's API does not show everything. Look yourself, in the "
                       "webmail of each mailbox, at its rules, its forwards, its shared "
                       "folders and the devices connected to it; and close the sessions "
                       "that are open."));
}

/* --- 7: those who still have an access --- */

static const char *stay_until(const struct psn_handover_stay *stay,
                              char out[CLI_CLOCK_MAX])
{
    if (stay->by_slot)
        return _("until our copies are destroyed");
    if (stay->lasting[0])
        return _("for good: nobody can change it");
    if (!stay->by_grant)
        return _("until the secret is changed");
    return stay->until_s ? cli_display_moment(stay->until_s, out)
                         : _("no end was agreed");
}

/* At the closing the provider's own passwords are worth what mail servers said of them.
 */
static void write_ended(const struct psn_handover_facts *facts,
                        struct cli_writing *writing)
{
    size_t count = 0;

    for (size_t i = 0; i < facts->secret_count; i++)
        count += facts->secrets[i].is_refused;
    cli_writing_line(writing, CLI_TONE_PLAIN,
                     _("The closing ends every access that the provider had granted, and "
                       "destroys the copies by which it had its own: see part 8."));
    if (count > 0)
        cli_writing_line(
            writing, CLI_TONE_PLAIN,
            PSN_NGETTEXT(
                "Of %zu mailbox, the password that was handed over has since been "
                "refused twice by the mail server: who has seen it can use it no more.",
                "Of %zu mailboxes, the passwords that were handed over have since been "
                "refused twice by the mail server: who has seen them can use them no "
                "more.",
                count),
            count);
}

static const char *what_known(const struct psn_handover_stay *stay)
{
    if (stay->knows)
        return _("has seen the present secret");
    return stay->former ? _("has seen the one before, which is not proved refused yet")
                        : _("has not seen the present secret");
}

void cli_pv_stays(const struct psn_handover_facts *facts, struct cli_writing *writing)
{
    const char *const heads[] = { _("Person"), _("Mailbox and secret"), _("Kept until"),
                                  _("What they know"), NULL };

    cli_pv_heading(writing, 7, _("Accesses kept after this day, and until when"));
    if (facts->final)
        write_ended(facts, writing);
    if (facts->stay_count == 0) {
        cli_writing_line(writing, CLI_TONE_PLAIN,
                         _("None: nobody but the client keeps an access."));
        return;
    }
    cli_writing_table(writing, heads);
    for (size_t i = 0; i < facts->stay_count; i++) {
        const struct psn_handover_stay *at = &facts->stays[i];
        char clock[CLI_CLOCK_MAX];

        cli_writing_cell_more(writing, CLI_TONE_PLAIN,
                              at->name[0] ? at->name : at->person,
                              cli_pv_capacity(at->kind));
        if (at->by_slot)
            cli_writing_cell(writing, CLI_TONE_PLAIN,
                             _("all of them: opens the provider's vault"));
        else
            cli_writing_cell_more(writing, CLI_TONE_PLAIN, at->address,
                                  at->label[0] ? at->label
                                               : _("password of the mailbox"));
        cli_writing_cell_more(writing, CLI_TONE_PLAIN, stay_until(at, clock),
                              at->lasting);
        cli_writing_cell(writing, CLI_TONE_PLAIN, what_known(at));
    }
    cli_writing_table_end(writing);
    cli_writing_line(writing, CLI_TONE_PLAIN,
                     _("Whoever has seen a secret knows it until it is changed: see "
                       "part 10."));
}

/* --- 8: our copies --- */

static void write_media(struct cli_writing *writing)
{
    cli_writing_item(
        writing, 0,
        _("in the vault of passation: the client's rows and the key that opens "
          "them, after which the whole file is written anew;"));
    cli_writing_item(
        writing, 0,
        _("in the backups of the vault that the provider can still open: the "
          "same; the others are named in the closing statement;"));
    cli_writing_item(writing, 0,
                     _("the provider's keys to the OVHcloud account, which are removed "
                       "first;"));
    cli_writing_item(writing, 0,
                     _("the provider's copy of the trousseau, and what is written on "
                       "paper, in messages or in a browser: by hand."));
}

void cli_pv_destruction(const struct psn_handover_facts *facts,
                        struct cli_writing *writing)
{
    char clock[CLI_CLOCK_MAX];

    cli_pv_heading(writing, 8, _("Destruction of our copies"));
    if (facts->final)
        cli_writing_line(
            writing, CLI_TONE_PLAIN,
            _("As soon as this final version is written, the provider destroys the "
              "copies that it holds, and gives the client a closing statement that "
              "dates it. Destroyed are:"));
    else
        cli_writing_line(
            writing, CLI_TONE_PLAIN,
            _("The provider undertakes to destroy the copies that it holds as soon as "
              "the receipt code has come back, the contacts have changed and the client "
              "has chosen new passwords, and to give the client a closing statement that "
              "dates it. To be destroyed are:"));
    write_media(writing);
    if (facts->handover.keys_gone_s)
        cli_writing_line(writing, CLI_TONE_PLAIN,
                         _("The provider's keys to the OVHcloud account were removed on "
                           "%s."),
                         cli_display_moment(facts->handover.keys_gone_s, clock));
    cli_writing_line(
        writing, CLI_TONE_PLAIN,
        _("What nobody can know: whether the cells of a solid-state disk, a snapshot of "
          "a file system or a backup out of reach still hold an older copy, and what was "
          "copied into mails, telephones or onto paper. That is why the client changes "
          "the passwords (part 10): what is left then opens nothing."));
    cli_writing_line(
        writing, CLI_TONE_PLAIN,
        _("For personal data that the provider processes on the client's behalf, this "
          "destruction is the one of article 28(3)(g) of Regulation (EU) 2016/679 "
          "(GDPR)."));
}

/* --- 9: what is under way --- */

/* What comes after the handing over, and is told nowhere else. A record that lies in the
 * trousseau does not say that the trousseau is not made. */
static bool is_step(const struct psn_handover_blocker *blocker)
{
    return blocker->block == PSN_BLOCKER_NO_RECEIPT ||
           blocker->block == PSN_BLOCKER_CONTACT ||
           blocker->block == PSN_BLOCKER_STILL_OURS ||
           blocker->block == PSN_BLOCKER_ONE_ROUND;
}

bool cli_pv_is_waiting(const struct psn_handover_contact *contact)
{
    return strcmp(contact->state, psn_contact_state_name(PSN_CONTACT_WAITING)) == 0;
}

int64_t cli_pv_contact_end(const struct psn_handover_contact *contact)
{
    return cli_pv_is_waiting(contact) && contact->at_s
               ? contact->at_s + (int64_t)CONTACT_DAYS * DAY_S
               : 0;
}

static const char *contact_state(const char *state)
{
    static const char *const texts[PSN_CONTACT_STATES] = {
        [PSN_CONTACT_WAITING] = N_("asked; both sides have to accept"),
        [PSN_CONTACT_CHECKING] = N_("asked; OVHcloud checks it"),
        [PSN_CONTACT_DOING] = N_("accepted; OVHcloud carries it out"),
        [PSN_CONTACT_DONE] = N_("change made"),
        [PSN_CONTACT_REFUSED] = N_("change refused"),
        [PSN_CONTACT_ABORTED] = N_("given up"),
        [PSN_CONTACT_EXPIRED] = N_("expired, as nobody accepted in time"),
        [PSN_CONTACT_FAILED] = N_("failed at OVHcloud"),
    };

    for (int i = 0; i < PSN_CONTACT_STATES; i++)
        if (strcmp(state, psn_contact_state_name((enum psn_contact_state)i)) == 0)
            return _(texts[i]);
    return state;
}

static void cell_contact_state(struct cli_writing *writing,
                               const struct psn_handover_contact *contact)
{
    char clock[CLI_CLOCK_MAX];
    char end[128];

    end[0] = '\0';
    if (cli_pv_contact_end(contact))
        (void)snprintf(end, sizeof end, _("before %s, or it expires"),
                       cli_display_moment(cli_pv_contact_end(contact), clock));
    cli_writing_cell_more(
        writing, strcmp(contact->state, "done") == 0 ? CLI_TONE_PLAIN : CLI_TONE_WAIT,
        contact_state(contact->state), end);
}

static void write_contacts(const struct psn_handover_facts *facts,
                           struct cli_writing *writing)
{
    const char *const heads[] = { _("Service"), _("From → to"), _("Asked on"), _("State"),
                                  NULL };

    cli_writing_subheading(writing, _("Changes of OVHcloud's contacts"));
    if (facts->contact_count == 0) {
        cli_writing_line(writing, CLI_TONE_PLAIN, _("No change was asked for."));
        return;
    }
    cli_writing_table(writing, heads);
    for (size_t i = 0; i < facts->contact_count; i++) {
        const struct psn_handover_contact *at = &facts->contacts[i];
        char clock[CLI_CLOCK_MAX];
        PSN_AUTO_RELEASE(psn_buf) service = psn_buf_init(4096);
        PSN_AUTO_RELEASE(psn_buf) roles = psn_buf_init(256);
        char between[2 * PSN_NIC_MAX + 8];
        char task[64];

        (void)snprintf(between, sizeof between, "%s → %s", at->from, at->to);
        cli_handover_contact_roles(at->admin, at->tech, at->billing, &roles);
        task[0] = '\0';
        if (at->task)
            (void)snprintf(task, sizeof task, _("OVHcloud's request %lld"),
                           (long long)at->task);
        cli_handover_service(at->service, &service);
        cli_writing_cell_more(writing, CLI_TONE_PLAIN, psn_buf_str(&service), task);
        cli_writing_cell_more(writing, CLI_TONE_PLAIN, between, psn_buf_str(&roles));
        cli_writing_cell(writing, CLI_TONE_PLAIN, cli_display_moment(at->at_s, clock));
        cell_contact_state(writing, at);
    }
    cli_writing_table_end(writing);
    cli_writing_line(
        writing, CLI_TONE_PLAIN,
        _("OVHcloud writes to each of the two accounts, and each accepts with the code "
          "of "
          "its own mail, within 7 days. An unpaid invoice of either blocks the change."));
}

static void write_steps(const struct psn_handover_facts *facts,
                        struct cli_writing *writing)
{
    size_t count = 0;

    for (size_t i = 0; i < facts->handover.blocker_count; i++) {
        const struct psn_handover_blocker *blocker = &facts->handover.blockers[i];
        PSN_AUTO_RELEASE(psn_buf) what = psn_buf_init(4096);

        if (!is_step(blocker))
            continue;
        if (count++ == 0)
            cli_writing_subheading(writing, _("What remains to be done, and by whom"));
        cli_handover_blocker_what(blocker, &what);
        if (blocker->id) /* it says so itself */
            cli_writing_item(writing, 0, "%s", psn_buf_str(&what));
        else
            cli_writing_item(writing, 0, _("%s (to act: %s)"), psn_buf_str(&what),
                             cli_handover_who_text(blocker));
    }
}

static void cell_date_kind(struct cli_writing *writing,
                           const struct psn_handover_date *date)
{
    if (date->kind == PSN_DATE_SECRET)
        cli_writing_cell(writing, CLI_TONE_WAIT, _("ends: to be replaced before"));
    else if (date->is_renewed)
        cli_writing_cell(writing, CLI_TONE_PLAIN, _("renewed by OVHcloud, by itself"));
    else
        cli_writing_cell(writing, CLI_TONE_WAIT, _("not renewed by itself: to be paid"));
}

static void write_dates(const struct psn_handover_facts *facts,
                        struct cli_writing *writing)
{
    const char *const heads[] = { _("Date"), _("What"), _("What happens then"), NULL };

    cli_writing_subheading(writing, _("Due dates of the next twelve months"));
    if (facts->date_count == 0) {
        cli_writing_line(writing, CLI_TONE_PLAIN, _("None is known."));
        return;
    }
    cli_writing_table(writing, heads);
    for (size_t i = 0; i < facts->date_count; i++) {
        const struct psn_handover_date *at = &facts->dates[i];
        char day[CLI_CLOCK_MAX];

        cli_writing_cell(writing, CLI_TONE_PLAIN, cli_display_day(at->on, day));
        cli_writing_cell(writing, CLI_TONE_PLAIN, at->what);
        cell_date_kind(writing, at);
    }
    cli_writing_table_end(writing);
}

void cli_pv_under_way(const struct psn_handover_facts *facts, struct cli_writing *writing)
{
    cli_pv_heading(writing, 9, _("Operations under way, and due dates"));
    write_contacts(facts, writing);
    cli_writing_subheading(writing, _("Owner of the domain name"));
    cli_writing_line(
        writing, CLI_TONE_PLAIN,
        _("passation does not change the owner of a domain name: the client does, in the "
          "OVHcloud customer area. The former and the new owner confirm within 14 days; "
          "then the name cannot go to another registrar for 60 days. A change of the "
          "owner's name, organisation, legal form or e-mail address counts as a change "
          "of owner."));
    write_steps(facts, writing);
    write_dates(facts, writing);
}
