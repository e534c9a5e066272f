#include <stdio.h>
#include <string.h>

#include "cli/display.h"
#include "cli/profile.h"

/* Pages for whoever sits in front of the device. Neither holds a password. */

/* A page for the hand: boxes to tick, and values that one tap selects whole. */
static const char style[] =
    "<style>dl{grid-template-columns:13rem 1fr}ul{list-style:none;"
    "padding-left:.2rem}dd{user-select:all;-webkit-user-select:all;"
    "font-weight:600}h2{margin-top:1.4rem;padding-top:.6rem}td:last-child{white-space:"
    "nowrap}@media print{@page{size:A4;margin:12mm 14mm}html,body{font-size:9.5pt;"
    "line-height:1.35}h1{font-size:15pt}h2{font-size:11pt;margin:.7rem 0 .2rem;"
    "padding-top:.3rem}p,li{margin:.1rem 0}td,th{padding:.2rem .5rem .2rem 0}"
    ".note{margin:.5rem 0;padding:.4rem .6rem}}</style>\n";

static void begin(struct cli_writing *writing, const char *title)
{
    writing->stacked = true;
    cli_writing_begin(writing, title);
    if (writing->html)
        psn_buf_text(&writing->out, style);
    cli_writing_title(writing, title);
}

static void put_server(struct cli_writing *writing, const char *label, const char *host,
                       unsigned port, const char *security)
{
    char text[PSN_SERVER_MAX + 32];

    cli_writing_field(writing, label, host);
    (void)snprintf(text, sizeof text, _("%u, %s"), port, security);
    cli_writing_field(writing, _("Port, encryption"), text);
}

static void put_settings(const struct cli_kit *kit, struct cli_writing *writing)
{
    const struct psn_mail_settings *mail = &kit->mail;

    cli_writing_field(writing, _("Address"), kit->role.address);
    cli_writing_field(writing, _("User name"), kit->role.address);
    put_server(writing, _("Incoming server (IMAP)"), mail->imap_host, mail->imap_port,
               mail->imap_security);
    put_server(writing, _("Outgoing server (SMTP)"), mail->smtp_host, mail->smtp_port,
               mail->smtp_security);
    if (mail->webmail[0])
        cli_writing_field(writing, _("Webmail"), mail->webmail);
    cli_writing_line(writing, CLI_TONE_PLAIN, "%s",
                     _("The outgoing server asks for the same user name and password, "
                       "even where a program calls them optional."));
    if (cli_kit_has_older_name(kit))
        cli_writing_line(writing, CLI_TONE_PLAIN,
                         _("Older instructions call both servers ssl0.ovh.net: the older "
                           "name of the same servers as %s and %s. A device that has it "
                           "keeps it; a new one gets the new names."),
                         mail->imap_host, mail->smtp_host);
}

/* --- Outlook --- */

static void put_steps(struct cli_writing *writing, const char *const *steps)
{
    for (size_t i = 0; steps[i]; i++)
        cli_writing_item(writing, i + 1, "%s", _(steps[i]));
}

static bool is_exchange(const struct cli_kit *kit)
{
    return strcmp(kit->role.backend, "email/exchange") == 0;
}

/* docs.ovh.com, how_to_configure_outlook_2016 (30 January 2026) and
 * how_to_configure_windows_10 (26 September 2025). */
void cli_kit_outlook(const struct cli_kit *kit, struct cli_writing *writing)
{
    static const char *const classic[] = {
        N_("File > Add Account. Type the address."),
        N_("Advanced options: tick Let me set up my account manually, then Connect."),
        N_("Choose IMAP."),
        (N_("Compare both servers, their ports and encryption with those above; Change "
            "settings, if they differ.")),
        N_("Type the password, then Connect."),
        N_("Later, for a new password: File > Account Settings > Update Password."),
        NULL
    };
    static const char *const new[] = {
        N_("Settings > Accounts > Add account. Type the address, then Continue."),
        N_("Choose IMAP, and Show more: type both servers as above. Leave the password "
           "of the outgoing server empty: it is the same."),
        N_("Type the password, then Continue."),
        N_("A server that was mistyped cannot be corrected later: remove the account, "
           "and add it again. No mail is lost, it lies on the server."),
        NULL
    };
    char title[PSN_ADDRESS_TEXT_MAX + 64];

    (void)snprintf(title, sizeof title, _("%s in Outlook"), kit->role.address);
    begin(writing, title);
    cli_writing_lead(writing, "%s",
                     _("The password is not on this page; you get it by another way."));
    put_settings(kit, writing);
    if (is_exchange(kit))
        cli_writing_note(writing,
                         _("This is an Exchange mailbox: Outlook mostly finds all of "
                           "this by itself, from the address and the password alone. "
                           "The steps below are for when it does not."));
    cli_writing_heading(writing, _("Outlook for Windows (classic)"));
    put_steps(writing, classic);
    cli_writing_heading(writing, _("The new Outlook, for Windows and Mac"));
    put_steps(writing, new);
    cli_writing_line(writing, CLI_TONE_WAIT, "%s",
                     _("The new Outlook keeps the password and the mail of such accounts "
                       "in Microsoft's cloud, too. The classic one and Thunderbird do "
                       "not."));
    cli_writing_end(writing);
}

/* --- the sheet after a change --- */

static void describe_way(const struct cli_kit_person *person, char *out, size_t size)
{
    unsigned long long serial = (unsigned long long)person->serial;

    switch (person->way) {
    case CLI_KIT_VAULT:
        (void)snprintf(out, size, "%s", _("reads it in the vault"));
        return;
    case CLI_KIT_DUE:
        (void)snprintf(out, size, "%s", _("gets a new file: passation outbox"));
        return;
    case CLI_KIT_FILE:
        (void)snprintf(out, size, _("file no. %llu; not confirmed yet"), serial);
        return;
    case CLI_KIT_CONFIRMED:
        (void)snprintf(out, size, _("file no. %llu; opened"), serial);
        return;
    case CLI_KIT_OWNER:
        (void)snprintf(out, size, "%s", _("is the owner: agree on how"));
        return;
    case CLI_KIT_NONE:
        (void)snprintf(out, size, "%s",
                       _("does not get it: takes the account off the device"));
        return;
    }
}

static void put_row(struct cli_writing *writing, const struct cli_kit_person *person,
                    const char *device)
{
    enum cli_tone tone = person->way == CLI_KIT_NONE ? CLI_TONE_BAD : CLI_TONE_PLAIN;
    const char *name = person->person.name[0] ? person->person.name : person->person.id;
    char way[256];

    describe_way(person, way, sizeof way);
    cli_writing_cell_more(writing, CLI_TONE_PLAIN, name,
                          strcmp(name, person->person.id) ? person->person.id : NULL);
    cli_writing_cell(writing, CLI_TONE_PLAIN, device);
    cli_writing_cell(writing, tone, way);
    cli_writing_cell(writing, CLI_TONE_PLAIN, _("☐ on ____"));
}

/* What is not known of somebody is asked on the paper. */
static void put_person(struct cli_writing *writing, const struct cli_kit_person *person)
{
    for (size_t i = 0; i < person->person.device_count; i++)
        put_row(writing, person, person->person.devices[i]);
    if (person->person.device_count == 0)
        put_row(writing, person,
                _("☐ telephone  ☐ tablet  ☐ computer  ☐ other: __________"));
}

static void put_people(const struct cli_kit_people *people, struct cli_writing *writing)
{
    const char *const heads[] = { _("Who"), _("On what"), _("How the password comes"),
                                  _("Done"), NULL };

    cli_writing_heading(writing, _("Who has to type it, and on what"));
    if (people->count == 0)
        cli_writing_line(writing, CLI_TONE_PLAIN, "%s",
                         _("Nobody is known to use this mailbox on a device of theirs."));
    if (people->count == 0)
        return;
    cli_writing_table(writing, heads);
    for (size_t i = 0; i < people->count; i++)
        put_person(writing, &people->items[i]);
    cli_writing_table_end(writing);
}

static void put_machines(struct cli_writing *writing)
{
    cli_writing_heading(writing, _("Machines that use it: ask, and tick"));
    cli_writing_item(writing, 0, "%s",
                     _("☐ contact form or shop of the website (its SMTP settings)"));
    cli_writing_item(writing, 0, "%s",
                     _("☐ printer or scanner that sends by mail (its own page, SMTP)"));
    cli_writing_item(writing, 0, "%s",
                     _("☐ invoicing, CRM, helpdesk, newsletter: ____________________"));
    cli_writing_item(writing, 0, "%s",
                     _("☐ another mailbox that fetches this one (Gmail, Outlook.com)"));
    cli_writing_item(writing, 0, "%s",
                     _("☐ backup, NAS, alarm that sends reports: ____________________"));
}

static void put_ways(struct cli_writing *writing)
{
    cli_writing_heading(writing, _("Where it is typed"));
    cli_writing_item(writing, 0, "%s",
                     _("iPhone, iPad: Settings > Apps > Mail > Mail Accounts > the "
                       "account > the address: Password; then SMTP: the same password "
                       "again. Before iOS 18: Settings > Mail > Accounts."));
    cli_writing_item(writing, 0, "%s",
                     _("Android, Gmail app: it asks by itself; or Settings > the address "
                       "> Incoming settings, then Outgoing settings."));
    cli_writing_item(writing, 0, "%s",
                     _("Outlook: it asks by itself; or File > Account Settings > Update "
                       "Password."));
    cli_writing_item(writing, 0, "%s",
                     _("Thunderbird: it asks by itself, once to read and once to send."));
    cli_writing_item(writing, 0, "%s",
                     _("Mail on a Mac: System Settings > Internet Accounts, or Mail > "
                       "Settings > Accounts > Server Settings, both servers."));
}

void cli_kit_sheet(const struct cli_kit *kit, const struct cli_kit_people *people,
                   struct cli_writing *writing)
{
    const struct psn_role *role = &kit->role;
    char title[PSN_ADDRESS_TEXT_MAX + 64];
    char time[CLI_CLOCK_MAX];

    (void)snprintf(title, sizeof title, _("New password of %s"), role->address);
    begin(writing, title);
    cli_writing_lead(writing,
                     _("In force since %s (version %llu). It is not on this "
                       "sheet: each person gets it as the table says."),
                     cli_display_moment(role->changed_s, time),
                     (unsigned long long)role->version);
    cli_writing_note(writing,
                     _("A device with the old password keeps trying it, and too many "
                       "refused tries can lock the mailbox for a while: turn its mail "
                       "off until the new one is typed."));
    put_people(people, writing);
    put_machines(writing);
    cli_writing_heading(writing, _("Nothing else changes"));
    put_settings(kit, writing);
    put_ways(writing);
    cli_writing_end(writing);
}
