#include <string.h>

#include "base/i18n.h"
#include "core/handover.h"

/*
 * What a client of a webmaster has, by ownership first and access second: who owns the
 * OVH account and the domain owns the rest. The order is that of the statement.
 */
static const struct psn_handover_item_info items[PSN_HANDOVER_ITEMS] = {
    { "account", N_("the OVH account"),
      N_("its owner is the administrator, technical and billing contact; the login is "
         "never shared"),
      N_("two tokens to accept within 7 days; an unpaid invoice stops it"), false },
    { "second-factor", N_("two-factor authentication of the OVH account"),
      N_("the client enrols a device of their own and makes new backup codes"),
      N_("who loses the last device needs identity papers"), false },
    { "domain", N_("the domain name: owner, lock, renewal"),
      N_("the client is the owner of the name, and of the contacts"),
      N_("a change of owner takes up to 14 days and freezes transfers for 60"), false },
    { "zone", N_("the DNS zone"), N_("the zone as a file in the trousseau"),
      N_("MX, SPF, DKIM and DMARC break without a sound"), true },
    { "hosting", N_("web hosting: FTP, SSH, scheduled tasks"),
      N_("new passwords in the trousseau, our SSH keys removed"),
      N_("keys stay when passwords change"), false },
    { "databases", N_("databases"), N_("new passwords in the trousseau"),
      N_("the site's own configuration has to follow"), false },
    { "cms", N_("administrators of the site (CMS)"),
      N_("an administrator of the client's own, ours removed"),
      N_("a second administrator, application passwords"), false },
    { "mailboxes", N_("mailboxes"), N_("new passwords in the trousseau"),
      N_("devices have to be given the new one; rules and redirections"), true },
    { "api-keys", N_("API keys, applications and users at OVH"), N_("removed"),
      N_("a key without end that nobody remembers"), true },
    { "payment", N_("payment: Stripe, PayPal, bank"),
      N_("the account's ownership is transferred at the provider"),
      N_("a password alone does not make an owner"), false },
    { "analytics", N_("analytics, search console, business profile"),
      N_("ownership is transferred at the provider"),
      N_("only an owner can name another"), false },
    { "social", N_("social networks, advertising, newsletter"),
      N_("ownership is transferred at the provider"),
      N_("the recovery telephone of somebody who left"), false },
    { "licences", N_("licences, plugins, themes, fonts"),
      N_("transferred, or the key in the trousseau"),
      N_("a renewal charged to our own card"), false },
    { "source", N_("source code and deployment"), N_("the repository is transferred"),
      N_("secrets of the deployment stay what they were"), false },
    { "backups", N_("backups, with the last restore test"), N_("given as files"),
      N_("backups of OVH cannot be exported as such"), false },
    { "services", N_("services of the shop: helpdesk, chat, carriers, SMS"),
      N_("transferred, or the password in the trousseau"), N_("contracts in our name"),
      false },
    { "subscriptions", N_("subscriptions and dates of the next twelve months"),
      N_("listed in the statement"), N_("something that ends a week after"), false },
    { "papers", N_("papers: data processing, rights, documentation"),
      N_("given as files"), N_("a licence of rights that was never signed"), false },
    { "copies", N_("our own copies"), N_("destroyed at the end, with a statement"),
      N_("laptop, telephone, backups, mail, chat"), true },
};

struct psn_handover_item_info psn_handover_item_info(size_t number)
{
    struct psn_handover_item_info info = items[number % PSN_HANDOVER_ITEMS];

    info.title = _(info.title);
    info.how = _(info.how);
    info.trap = _(info.trap);
    return info;
}

size_t psn_handover_item_number(const char *word)
{
    size_t number = 0;

    while (number < PSN_HANDOVER_ITEMS && strcmp(items[number].word, word) != 0)
        number++;
    return number;
}

const char *psn_handover_mode_name(enum psn_handover_mode mode)
{
    switch (mode) {
    case PSN_HANDOVER_OPEN:
        return "open";
    case PSN_HANDOVER_TRANSFERRED:
        return "transferred";
    case PSN_HANDOVER_GIVEN:
        return "given";
    case PSN_HANDOVER_REMOVED:
        return "removed";
    case PSN_HANDOVER_NONE:
        return "none";
    case PSN_HANDOVER_RESERVE:
        return "reserve";
    case PSN_HANDOVER_LAST:
        return "last";
    }
    return "open";
}

const char *psn_handover_stage_name(enum psn_handover_stage stage)
{
    static const char *const names[PSN_HANDOVER_STAGES] = {
        [PSN_HANDOVER_INVENTORY] = "inventory", [PSN_HANDOVER_ROTATION] = "rotation",
        [PSN_HANDOVER_ISSUE] = "issue",         [PSN_HANDOVER_RECEIPT] = "receipt",
        [PSN_HANDOVER_CONTACTS] = "contacts",   [PSN_HANDOVER_OWNED] = "owned",
        [PSN_HANDOVER_ACCESSES] = "accesses",   [PSN_HANDOVER_CLOSING] = "closing",
    };

    return stage < PSN_HANDOVER_STAGES ? names[stage] : "closing";
}

const char *psn_handover_block_name(enum psn_handover_block block)
{
    switch (block) {
    case PSN_BLOCKER_NOT_LOOKED:
        return "not_looked";
    case PSN_BLOCKER_UNMANAGED:
        return "unmanaged";
    case PSN_BLOCKER_ITEM:
        return "item";
    case PSN_BLOCKER_UNFINISHED:
        return "unfinished";
    case PSN_BLOCKER_RECEIVER:
        return "receiver";
    case PSN_BLOCKER_OUTSIDE:
        return "outside";
    case PSN_BLOCKER_OLD:
        return "old";
    case PSN_BLOCKER_DOOR:
        return "door";
    case PSN_BLOCKER_KNOWN:
        return "known";
    case PSN_BLOCKER_REPLACEMENT:
        return "replacement";
    case PSN_BLOCKER_NOT_ISSUED:
        return "not_issued";
    case PSN_BLOCKER_STALE:
        return "stale";
    case PSN_BLOCKER_NOT_COMPARED:
        return "not_compared";
    case PSN_BLOCKER_NO_RECEIPT:
        return "no_receipt";
    case PSN_BLOCKER_CONTACT:
        return "contact";
    case PSN_BLOCKER_STILL_OURS:
        return "still_ours";
    case PSN_BLOCKER_ONE_ROUND:
        return "one_round";
    case PSN_BLOCKER_ACCESS:
        return "access";
    case PSN_BLOCKER_OWN_KEY:
        return "own_key";
    case PSN_BLOCKER_HIDDEN:
        return "hidden";
    case PSN_BLOCKER_COPIES:
        return "copies";
    }
    return "unknown";
}

const char *psn_copy_fate_name(enum psn_copy_fate fate)
{
    static const char *const names[] = { "deleted",  "under-code", "rewritten", "lacks",
                                         "not-ours", "unreadable", "missing",   "holds",
                                         "gone",     "unseen",     "issued" };

    return (size_t)fate < sizeof names / sizeof *names ? names[fate] : "unknown";
}

bool psn_copy_is_reserve(enum psn_copy_fate fate)
{
    return fate == PSN_FATE_UNDER_CODE || fate == PSN_FATE_UNREADABLE ||
           fate == PSN_FATE_HOLDS || fate == PSN_FATE_UNSEEN || fate == PSN_FATE_ISSUED;
}

const char *psn_handover_who_name(enum psn_handover_who who)
{
    switch (who) {
    case PSN_WHO_US:
        return "us";
    case PSN_WHO_CLIENT:
        return "client";
    case PSN_WHO_OVH:
        return "ovh";
    case PSN_WHO_OTHER:
        return "other";
    }
    return "us";
}
