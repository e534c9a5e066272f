#include "cli/handover_words.h"

#include <string.h>

#include "cli/display.h"

const char *cli_handover_mode_text(enum psn_handover_mode mode)
{
    switch (mode) {
    case PSN_HANDOVER_OPEN:
        return _("not settled yet");
    case PSN_HANDOVER_TRANSFERRED:
        return _("transferred at the provider of the service");
    case PSN_HANDOVER_GIVEN:
        return _("given in the trousseau");
    case PSN_HANDOVER_REMOVED:
        return _("our access is removed");
    case PSN_HANDOVER_NONE:
        return _("there is none");
    case PSN_HANDOVER_RESERVE:
        return _("reserve: not handed over");
    case PSN_HANDOVER_LAST:
        return _("at the closing");
    }
    return psn_handover_mode_name(mode);
}

const char *cli_handover_stage_text(enum psn_handover_stage stage)
{
    switch (stage) {
    case PSN_HANDOVER_INVENTORY:
        return _("Inventory and list of items");
    case PSN_HANDOVER_ROTATION:
        return _("New passwords");
    case PSN_HANDOVER_ISSUE:
        return _("Trousseau");
    case PSN_HANDOVER_RECEIPT:
        return _("Receipt");
    case PSN_HANDOVER_CONTACTS:
        return _("OVH's contacts");
    case PSN_HANDOVER_OWNED:
        return _("Passwords that the client has chosen");
    case PSN_HANDOVER_ACCESSES:
        return _("Lasting accesses");
    case PSN_HANDOVER_CLOSING:
        return _("Destruction and closing");
    case PSN_HANDOVER_STAGES:
        break;
    }
    return psn_handover_stage_name(stage);
}

const char *cli_handover_who_text(const struct psn_handover_blocker *blocker)
{
    switch (blocker->who) {
    case PSN_WHO_US:
        return _("the provider");
    case PSN_WHO_CLIENT:
        return _("the client");
    case PSN_WHO_OVH:
        return "OVHcloud";
    case PSN_WHO_OTHER:
        return blocker->account;
    }
    return psn_handover_who_name(blocker->who);
}

/* The words are those of the contacts' ids, see ovh/inventory_contact.c. */
void cli_handover_service(const char *service, struct psn_buf *out)
{
    static const struct {
        const char *word;
        const char *text;
    } kinds[] = {
        { "domain ", N_("domain name") },  { "zone ", N_("DNS zone") },
        { "hosting ", N_("web hosting") }, { "email/domain ", N_("e-mail of") },
        { "mail ", N_("e-mail of") },
    };

    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t size = strlen(kinds[i].word);

        if (strncmp(service, kinds[i].word, size) == 0) {
            psn_buf_format(out, "%s %s", _(kinds[i].text), service + size);
            return;
        }
    }
    psn_buf_text(out, service);
}

/* --- what blocks --- */

static const char *title_of(const char *word)
{
    for (size_t i = 0; i < PSN_HANDOVER_ITEMS; i++) {
        struct psn_handover_item_info info = psn_handover_item_info(i);

        if (strcmp(info.word, word) == 0)
            return info.title;
    }
    return word;
}

/* "acme.fr mailbox, label", or the mailbox alone. */
static void put_subject(const struct psn_handover_blocker *blocker, struct psn_buf *out)
{
    psn_buf_text(out, blocker->address);
    if (blocker->label[0])
        psn_buf_format(out, ", %s", blocker->label);
}

void cli_handover_contact_roles(bool admin, bool tech, bool billing, struct psn_buf *out)
{
    const char *const names[] = { admin ? _("administrator contact") : NULL,
                                  tech ? _("technical contact") : NULL,
                                  billing ? _("billing contact") : NULL };
    const char *between = "";

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (names[i]) {
            psn_buf_format(out, "%s%s", between, names[i]);
            between = ", ";
        }
}

/* Of one service there may be several, which differ in the contact, or in who it is. */
static void put_contact(const struct psn_handover_blocker *blocker, struct psn_buf *out)
{
    cli_handover_service(blocker->text, out);
    if (blocker->admin || blocker->tech || blocker->billing) {
        psn_buf_text(out, ", ");
        cli_handover_contact_roles(blocker->admin, blocker->tech, blocker->billing, out);
    }
    if (!blocker->from[0] && blocker->to[0])
        psn_buf_format(out,
                       _(": %s since the change; nobody has said yet whether that may "
                         "stay"),
                       blocker->account);
    else if (!blocker->from[0])
        psn_buf_format(out, _(": still %s"), blocker->account);
    else if (blocker->id)
        psn_buf_format(out, _(": the change from %s to %s (OVH task %lld) waits for %s"),
                       blocker->from, blocker->to, (long long)blocker->id,
                       cli_handover_who_text(blocker));
    else
        psn_buf_format(out,
                       _(": the change from %s to %s was asked for, and OVH's answer "
                         "is not known"),
                       blocker->from, blocker->to);
}

/* About one mailbox or one of its secrets. */
static const char *about_mailbox(enum psn_handover_block block)
{
    switch (block) {
    case PSN_BLOCKER_UNMANAGED:
        return _(": exists at OVH, and the vault does not have it");
    case PSN_BLOCKER_UNFINISHED:
        return _(": a change of its password is not finished");
    case PSN_BLOCKER_OUTSIDE:
        return _(
            ": its password was changed by somebody else, and the vault does not have "
            "it");
    case PSN_BLOCKER_OLD:
        return _(": its password is older than the handover");
    case PSN_BLOCKER_KNOWN:
        return _(": known to somebody who has no right to it any more");
    case PSN_BLOCKER_REPLACEMENT:
        return _(": a new value was made ready; say whether it is in use");
    case PSN_BLOCKER_STALE:
        return _(": was changed after the trousseau was made");
    case PSN_BLOCKER_HIDDEN:
        return _(
            ": was removed from the provider's lists earlier; the trousseau does not "
            "hold it, and it is destroyed with the provider's copies");
    case PSN_BLOCKER_STILL_OURS:
        return _(": the password that the provider knows still opens it, or was not "
                 "tried yet");
    case PSN_BLOCKER_NOT_LOOKED:
    case PSN_BLOCKER_ITEM:
    case PSN_BLOCKER_RECEIVER:
    case PSN_BLOCKER_NOT_ISSUED:
    case PSN_BLOCKER_NOT_COMPARED:
    case PSN_BLOCKER_NO_RECEIPT:
    case PSN_BLOCKER_CONTACT:
    case PSN_BLOCKER_ONE_ROUND:
    case PSN_BLOCKER_ACCESS:
    case PSN_BLOCKER_DOOR:
    case PSN_BLOCKER_OWN_KEY:
    case PSN_BLOCKER_COPIES:
        break;
    }
    return NULL;
}

/* About the whole handover. */
static const char *about_all(enum psn_handover_block block)
{
    switch (block) {
    case PSN_BLOCKER_NOT_LOOKED:
        return _("the OVH account was not looked at since the handover began");
    case PSN_BLOCKER_NOT_ISSUED:
        return _("the trousseau is not made yet");
    case PSN_BLOCKER_NOT_COMPARED:
        return _("the trousseau was not reopened from the disk and compared yet");
    case PSN_BLOCKER_NO_RECEIPT:
        return _("the receipt code of the trousseau has not come back yet");
    case PSN_BLOCKER_OWN_KEY:
        return _("the provider's keys to the OVH account are still there");
    case PSN_BLOCKER_COPIES:
        return _("the provider's copies are not destroyed yet");
    case PSN_BLOCKER_UNMANAGED:
    case PSN_BLOCKER_ITEM:
    case PSN_BLOCKER_UNFINISHED:
    case PSN_BLOCKER_RECEIVER:
    case PSN_BLOCKER_OUTSIDE:
    case PSN_BLOCKER_OLD:
    case PSN_BLOCKER_KNOWN:
    case PSN_BLOCKER_REPLACEMENT:
    case PSN_BLOCKER_STALE:
    case PSN_BLOCKER_HIDDEN:
    case PSN_BLOCKER_CONTACT:
    case PSN_BLOCKER_STILL_OURS:
    case PSN_BLOCKER_ONE_ROUND:
    case PSN_BLOCKER_ACCESS:
    case PSN_BLOCKER_DOOR:
        break;
    }
    return psn_handover_block_name(block);
}

void cli_handover_blocker_what(const struct psn_handover_blocker *blocker,
                               struct psn_buf *out)
{
    const char *mailbox = about_mailbox(blocker->block);
    char until[CLI_CLOCK_MAX];

    if (mailbox) {
        put_subject(blocker, out);
        psn_buf_text(out, mailbox);
    } else if (blocker->block == PSN_BLOCKER_ITEM) {
        psn_buf_format(out, _("%s: nobody has said yet how it is handed over"),
                       title_of(blocker->text));
    } else if (blocker->block == PSN_BLOCKER_RECEIVER) {
        psn_buf_format(out, _("%s, to whom all is handed over, is leaving or has left"),
                       blocker->text);
    } else if (blocker->block == PSN_BLOCKER_CONTACT) {
        put_contact(blocker, out);
    } else if (blocker->block == PSN_BLOCKER_ONE_ROUND) {
        psn_buf_format(out,
                       _("%s: the password that the provider knows was refused once; it "
                         "is tried again after %s"),
                       blocker->address, cli_display_moment(blocker->until_s, until));
    } else if (blocker->block == PSN_BLOCKER_ACCESS) {
        psn_buf_format(out, _("%s: nobody has said yet whether this access may stay"),
                       blocker->text);
    } else if (blocker->block == PSN_BLOCKER_DOOR) {
        psn_buf_format(out, _("%s: a way in of somebody who is leaving is open"),
                       blocker->text);
    } else {
        psn_buf_text(out, about_all(blocker->block));
    }
}

/* --- what to do --- */

static void put_word(struct psn_buf *out, const char *word)
{
    psn_buf_char(out, ' ');
    cli_display_word(out, word);
}

static void put_command(struct psn_buf *out, const char *command, const char *word)
{
    psn_buf_text(out, command);
    put_word(out, word);
}

static void put_known(const struct psn_handover_blocker *blocker, struct psn_buf *out)
{
    if (!blocker->label[0]) {
        put_command(out, "passation rotate", blocker->address);
        return;
    }
    put_command(out, "passation secret set", blocker->address);
    put_word(out, blocker->label);
    if (blocker->block != PSN_BLOCKER_REPLACEMENT)
        return;
    psn_buf_text(out, " --replacement");
    psn_buf_text(out, _("; not in use: "));
    put_command(out, "passation secret rm", blocker->address);
    put_word(out, blocker->label);
    psn_buf_text(out, " --replacement");
}

static void put_keep(const char *client, const char *id, struct psn_buf *out)
{
    put_command(out, "passation sweep", client);
    put_command(out, " --keep", id);
}

static void put_contact_command(const struct psn_handover_blocker *blocker,
                                const char *client, struct psn_buf *out)
{
    if (!blocker->from[0] && blocker->to[0]) {
        put_keep(client, blocker->label, out);
        return;
    }
    put_command(out, "passation handover contacts", client);
    if (blocker->from[0])
        return;
    psn_buf_format(out, " --to %s", _("NIC"));
    psn_buf_text(out, _("; legitimate: "));
    put_keep(client, blocker->label, out);
}

static void put_owned(const struct psn_handover_blocker *blocker, const char *client,
                      struct psn_buf *out)
{
    psn_buf_text(out, blocker->block == PSN_BLOCKER_STILL_OURS
                          ? _("the client sets a password of their own; then: ")
                          : _("after that time: "));
    put_command(out, "passation handover next", client);
}

/* What a sweep found. */
static void put_found(const struct psn_handover_blocker *blocker, const char *client,
                      struct psn_buf *out)
{
    if (blocker->block == PSN_BLOCKER_DOOR) {
        put_command(out, "passation sweep", client);
        put_command(out, " --cut", blocker->text);
        return;
    }
    if (blocker->block == PSN_BLOCKER_UNMANAGED) {
        put_command(out, "passation role adopt", blocker->address);
        psn_buf_text(out, _("; if it stays out: "));
    }
    put_keep(client, blocker->text, out);
    if (blocker->block == PSN_BLOCKER_ACCESS && !blocker->fixed)
        psn_buf_text(out, _(", or --cut instead of --keep"));
}

static void put_do(const struct psn_handover_blocker *blocker, const char *client,
                   struct psn_buf *out)
{
    switch (blocker->block) {
    case PSN_BLOCKER_NOT_LOOKED:
        put_command(out, "passation handover next", client);
        return;
    case PSN_BLOCKER_UNMANAGED:
    case PSN_BLOCKER_DOOR:
    case PSN_BLOCKER_ACCESS:
        put_found(blocker, client, out);
        return;
    case PSN_BLOCKER_ITEM:
        put_command(out, "passation handover item", client);
        put_word(out, blocker->text);
        psn_buf_format(out, " --transferred|--given|--removed|--none|--reserve %s",
                       _("TEXT"));
        return;
    case PSN_BLOCKER_UNFINISHED:
        put_command(out, "passation resume", blocker->address);
        return;
    case PSN_BLOCKER_RECEIVER:
        put_command(out, "passation handover start", client);
        psn_buf_format(out, " --to %s", _("PERSON"));
        return;
    case PSN_BLOCKER_OUTSIDE:
    case PSN_BLOCKER_OLD:
    case PSN_BLOCKER_KNOWN:
    case PSN_BLOCKER_REPLACEMENT:
        put_known(blocker, out);
        return;
    case PSN_BLOCKER_NOT_ISSUED:
    case PSN_BLOCKER_STALE:
        put_command(out, "passation handover issue", client);
        psn_buf_format(out, " -o %s", _("DIR"));
        return;
    case PSN_BLOCKER_NOT_COMPARED:
        put_command(out, "passation handover compare", client);
        return;
    case PSN_BLOCKER_NO_RECEIPT:
        psn_buf_text(out, _("the client reads out the receipt code; then: "));
        put_command(out, "passation handover confirm", client);
        psn_buf_text(out, " CODE");
        return;
    case PSN_BLOCKER_CONTACT:
        put_contact_command(blocker, client, out);
        return;
    case PSN_BLOCKER_STILL_OURS:
    case PSN_BLOCKER_ONE_ROUND:
        put_owned(blocker, client, out);
        return;
    case PSN_BLOCKER_HIDDEN:
        psn_buf_text(out, _("to hand it over after all: "));
        put_command(out, "passation secret set", blocker->address);
        put_word(out, blocker->label);
        return;
    case PSN_BLOCKER_OWN_KEY:
    case PSN_BLOCKER_COPIES:
        put_command(out, "passation handover close", client);
        return;
    }
}

void cli_handover_blocker_text(const struct psn_handover_blocker *blocker,
                               const char *client, struct psn_buf *out)
{
    cli_handover_blocker_what(blocker, out);
    psn_buf_text(out, _(" → "));
    put_do(blocker, client, out);
}
