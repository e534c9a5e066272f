#include "cli/handover_pv.h"

#include <stdio.h>
#include <string.h>

#include "cli/display.h"
#include "cli/handover_pv_part.h"
#include "cli/locale.h"
#include "cli/until.h"

/*
 * Twelve parts under fixed numbers, so that a lawyer, the client and his next provider
 * find each in the same place. What is not known is a line to be filled in by hand, never
 * a guess.
 */
enum {
    DOMAINS_MAX = 64 * 1024,
    HOUR_S = 3600,
};

void cli_pv_heading(struct cli_writing *writing, unsigned number, const char *text)
{
    char heading[256];

    (void)snprintf(heading, sizeof heading, "%u. %s", number, text);
    cli_writing_heading(writing, heading);
}

const char *cli_pv_name(const struct psn_person *person)
{
    return person->name[0] ? person->name : person->id;
}

const char *cli_pv_hash(const uint8_t hash[PSN_HEAD_SIZE], char out[CLI_PV_HASH_MAX])
{
    for (size_t i = 0; i < PSN_HEAD_SIZE; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", hash[i]);
    return out;
}

enum psn_code cli_pv_take(struct cli_writing *writing, struct psn_buf *out,
                          struct psn_error *err)
{
    enum psn_code rc = psn_buf_check(&writing->out, err);

    if (!rc)
        psn_buf_bytes(out, writing->out.data, writing->out.size);
    cli_writing_release(writing);
    return rc ? rc : psn_buf_check(out, err);
}

/* --- who, when --- */

static const char *named(const struct psn_person *person, char *out, size_t size)
{
    (void)snprintf(out, size, person->email[0] ? "%s, %s" : "%s", cli_pv_name(person),
                   person->email);
    return out;
}

static void write_parties(const struct psn_handover_facts *facts,
                          struct cli_writing *writing)
{
    PSN_AUTO_RELEASE(psn_buf) domains = psn_buf_init(DOMAINS_MAX);
    const struct psn_client *client = &facts->client;
    char person[2 * PSN_NAME_MAX];

    for (size_t i = 0; i < client->domain_count; i++)
        psn_buf_format(&domains, i ? ", %s" : "%s", client->domains[i]);
    cli_pv_heading(writing, 1, _("Parties and contract"));
    cli_writing_field(writing, _("Provider, who hands over"), facts->handover.giver);
    cli_writing_field(writing, _("On the provider's behalf"),
                      named(&facts->by, person, sizeof person));
    cli_writing_field(writing, _("Client, who receives"),
                      facts->handover.receiver[0] ? facts->handover.receiver
                                                  : client->name);
    if (client->domain_count)
        cli_writing_field(writing, _("Domain names"), psn_buf_str(&domains));
    if (client->nic[0])
        cli_writing_field(writing, _("OVHcloud account (NIC)"), client->nic);
    cli_writing_field(writing, _("Contract"), facts->handover.contract);
}

static void write_when(const struct psn_handover_facts *facts,
                       struct cli_writing *writing)
{
    const struct psn_handover *handover = &facts->handover;
    struct tm local;
    char zone[160];
    char clock[CLI_CLOCK_MAX];

    cli_pv_heading(writing, 2, _("Date, time zone, place or channel"));
    cli_writing_field(writing, _("Date of this record"),
                      cli_display_moment(facts->now_s, clock));
    cli_until_local(facts->now_s, &local);
    (void)snprintf(zone, sizeof zone,
                   _("%s, for every time in this record (UTC%+ld at its date)"),
                   cli_until_zone(), local.tm_gmtoff / HOUR_S);
    cli_writing_field(writing, _("Time zone"), zone);
    cli_writing_field(writing, _("Place or channel"), handover->place);
    cli_writing_field(writing, _("Handover begun on"),
                      cli_display_moment(handover->began_s, clock));
    if (handover->issued_s)
        cli_writing_field(writing, _("Trousseau made on"),
                          cli_display_moment(handover->issued_s, clock));
    if (handover->compared_s)
        cli_writing_field(writing, _("Reopened from the disk and compared on"),
                          cli_display_moment(handover->compared_s, clock));
    if (handover->confirmed_s)
        cli_writing_field(writing, _("Receipt code come back on"),
                          cli_display_moment(handover->confirmed_s, clock));
}

const char *cli_pv_capacity(enum psn_person_kind kind)
{
    switch (kind) {
    case PSN_PERSON_TEAM:
        return _("of the provider's team");
    case PSN_PERSON_PROVIDER:
        return _("another provider");
    case PSN_PERSON_CLIENT:
        return _("for the client");
    }
    return psn_person_kind_name(kind);
}

static void write_receiver(const struct psn_handover_facts *facts,
                           struct cli_writing *writing)
{
    cli_pv_heading(writing, 3,
                   _("The person who receives, and how their identity was checked"));
    cli_writing_field(writing, _("Person"), cli_pv_name(&facts->to));
    if (facts->to.email[0])
        cli_writing_field(writing, _("E-mail"), facts->to.email);
    cli_writing_field(writing, _("Capacity"), cli_pv_capacity(facts->to.kind));
    cli_writing_field(writing, _("Identity checked by"), facts->handover.identity);
}

/* --- what the client does from now on --- */

static void write_advice(struct cli_writing *writing)
{
    cli_pv_heading(writing, 10, _("Recommendation: change the passwords yourself"));
    cli_writing_line(
        writing, CLI_TONE_PLAIN,
        _("As soon as you have received the trousseau, choose new passwords yourself: "
          "first that of the mailbox by which your OVHcloud account is recovered, then "
          "those of the other mailboxes, then those of the other services. From that "
          "moment nobody but you knows them, the provider included."));
    cli_writing_item(
        writing, 0,
        _("The mailboxes: in your OVHcloud customer area, under e-mails. The "
          "telephones and computers that use a mailbox then ask for the new "
          "password."));
    cli_writing_item(writing, 0,
                     _("Your OVHcloud account: a password of its own, two-factor "
                       "authentication on a device of yours, new recovery codes."));
    cli_writing_item(writing, 0,
                     _("The trousseau and its code: never in the same place. Once every "
                       "password is changed, the trousseau is only a proof."));
}

/* --- signatures --- */

/* The code is a proof that the trousseau was opened, by somebody who has its code. */
static void write_code(const struct psn_handover_facts *facts,
                       struct cli_writing *writing)
{
    if (facts->handover.confirmed_s) {
        cli_writing_line(writing, CLI_TONE_PLAIN,
                         _("The receipt code, which only the opened trousseau shows, was "
                           "given back by the client: see part 2."));
        return;
    }
    cli_writing_line(writing, CLI_TONE_PLAIN,
                     _("Receipt code, which the opened trousseau shows and the client "
                       "copies here:"));
    cli_writing_blank(writing);
}

static void write_signatures(const struct psn_handover_facts *facts, bool french,
                             struct cli_writing *writing)
{
    const char *const parties[] = { _("The provider, who hands over"),
                                    _("The client, who receives"), NULL };

    cli_pv_heading(writing, 12, _("Signatures"));
    if (!french) {
        cli_writing_line(writing, CLI_TONE_PLAIN,
                         _("The French text is the one that is signed. This annex says "
                           "the same; if they differ, the French text prevails."));
        return;
    }
    cli_writing_line(writing, CLI_TONE_PLAIN,
                     _("Made in two copies, one for each party. The signatures record "
                       "that the accesses were handed over, with the reserves of part 5. "
                       "They do not say that the provider's services were carried out "
                       "or comply."));
    write_code(facts, writing);
    cli_writing_signatures(writing, parties);
}

/* --- the whole --- */

static void write_top(const struct psn_handover_facts *facts, bool french,
                      struct cli_writing *writing)
{
    const char *client = facts->client.name[0] ? facts->client.name : facts->client.id;
    char clock[CLI_CLOCK_MAX];

    cli_writing_title(writing, french ? _("Record of the handover of accesses")
                                      : _("Annex: record of the handover of accesses"));
    if (facts->final)
        cli_writing_lead(writing, _("%s. Final version, made at the closing on %s."),
                         client, cli_display_moment(facts->now_s, clock));
    else if (facts->handover.serial)
        cli_writing_lead(writing, _("%s. Made on %s, with trousseau no. %llu."), client,
                         cli_display_moment(facts->now_s, clock),
                         (unsigned long long)facts->handover.serial);
    else
        cli_writing_lead(writing, _("%s. Made on %s, with the trousseau."), client,
                         cli_display_moment(facts->now_s, clock));
    cli_writing_note(writing, _("This record states that the accesses were handed over; "
                                "it is no acceptance of the services."));
}

void cli_handover_pv_write(const struct psn_handover_facts *facts, bool french,
                           struct cli_writing *writing)
{
    cli_locale_use(french ? "fr" : "en");
    cli_writing_section(writing, french ? "fr" : "en", !french);
    write_top(facts, french, writing);
    write_parties(facts, writing);
    write_when(facts, writing);
    write_receiver(facts, writing);
    cli_pv_given(facts, writing);
    cli_pv_not_given(facts, writing);
    cli_pv_accesses(facts, writing);
    cli_pv_stays(facts, writing);
    cli_pv_destruction(facts, writing);
    cli_pv_under_way(facts, writing);
    write_advice(writing);
    cli_pv_files(facts, writing);
    write_signatures(facts, french, writing);
    cli_writing_section_end(writing);
    cli_locale_back();
}

static enum psn_code write_both(const struct psn_handover_facts *facts, bool html,
                                struct psn_buf *out, struct psn_error *err)
{
    struct cli_writing writing = cli_writing_init(html);
    char title[PSN_NAME_MAX + 96];
    char footer[sizeof title + 64];

    cli_locale_use("fr");
    (void)snprintf(title, sizeof title, "%s – %s",
                   _("Record of the handover of accesses"),
                   facts->client.name[0] ? facts->client.name : facts->client.id);
    (void)snprintf(footer, sizeof footer, "%s\xe2\x80\x83\xe2\x80\x83%s", title,
                   _("Initials:"));
    writing.footer = footer;
    writing.stacked = true;
    cli_writing_begin(&writing, title);
    cli_locale_back();
    cli_handover_pv_write(facts, true, &writing);
    cli_handover_pv_write(facts, false, &writing);
    cli_writing_end(&writing);
    return cli_pv_take(&writing, out, err);
}

enum psn_code cli_handover_pv_page(const struct psn_handover_facts *facts,
                                   struct psn_buf *out, struct psn_error *err)
{
    return write_both(facts, true, out, err);
}

enum psn_code cli_handover_pv_text(const struct psn_handover_facts *facts,
                                   struct psn_buf *out, struct psn_error *err)
{
    return write_both(facts, false, out, err);
}
