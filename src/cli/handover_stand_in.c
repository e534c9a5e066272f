#include "cli/cli.h"

/*
 * The words of a handover, until the core has them: take this file away then. They are
 * defined strongly, so that the linker insists on it.
 */
const char *psn_handover_mode_name(enum psn_handover_mode mode)
{
    static const char *const names[] = { "open",    "transferred", "given",
                                         "removed", "none",        "reserve" };

    return names[mode];
}

const char *psn_handover_stage_name(enum psn_handover_stage stage)
{
    static const char *const names[] = { "inventory", "rotation", "issue",
                                         "receipt",   "contacts", "owned",
                                         "accesses",  "closing",  "stages" };

    return names[stage];
}

const char *psn_handover_block_name(enum psn_handover_block block)
{
    static const char *const names[] = {
        "not_looked", "unmanaged", "item",         "unfinished", "old",     "known",
        "not_issued", "stale",     "not_compared", "no_receipt", "contact", "still_ours",
        "one_round",  "access",    "own_key",      "copies"
    };

    return names[block];
}

const char *psn_handover_who_name(enum psn_handover_who who)
{
    static const char *const names[] = { "us", "client", "ovh", "other" };

    return names[who];
}

struct psn_handover_item_info psn_handover_item_info(size_t number)
{
    static const struct {
        const char *word;
        const char *title;
    } items[PSN_HANDOVER_ITEMS] = {
        { "account", N_("OVH account of the client") },
        { "second-factor", N_("Two-factor authentication and recovery codes") },
        { "domain", N_("Domain name: owner, lock, renewal") },
        { "zone", N_("DNS zone") },
        { "hosting", N_("Hosting: FTP, SSH, keys, scheduled tasks") },
        { "databases", N_("Databases") },
        { "site", N_("Administrators of the site") },
        { "mailboxes", N_("Mailboxes") },
        { "keys", N_("API keys, applications, users, policies") },
        { "payment", N_("Payment services and bank") },
        { "analytics", N_("Audience measurement, search console, business profile") },
        { "social", N_("Social networks, advertising, newsletter, forms") },
        { "licences", N_("Software licences, extensions, support accounts") },
        { "source", N_("Source code and deployment keys") },
        { "backups", N_("Backups, and the last test of a restoration") },
        { "services", N_("Services of the shop: helpdesk, chat, carriers, SMS") },
        { "calendar", N_("Subscriptions and due dates") },
        { "papers", N_("Contract papers and documentation") },
        { "copies", N_("Our copies") },
    };

    return (struct psn_handover_item_info){
        .word = items[number].word, .title = _(items[number].title), .how = "", .trap = ""
    };
}
