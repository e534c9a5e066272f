#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "core/departure.h"
#include "core/item.h"
#include "core/journal.h"

/*
 * Secrets that nobody can change: whoever has seen one keeps it. Who could open the vault
 * and is leaving could keep a way in by this, so it is noted who said it.
 */

enum psn_code psn_item_call_unchangeable(struct psn_vault *vault, struct psn_item *item,
                                         const char *why, struct psn_error *err)
{
    struct psn_secret_info *info = &item->info;
    enum psn_code rc = why && why[0] ? psn_departure_check_why(why, err) : PSN_OK;

    if (rc || !why || strcmp(why, info->unchangeable) == 0)
        return rc;
    if (why[0] && info->replacement) {
        (void)psn_fail(err, PSN_E_CONFLICT,
                       _("%s, %s: a new value was made ready, so it can be changed"),
                       info->address, info->label);
        return psn_hint(err, PSN_E_CONFLICT,
                        _("if it is in use nowhere, put it aside first: passation secret "
                          "rm, with --replacement"));
    }
    (void)snprintf(info->unchangeable, sizeof info->unchangeable, "%s", why);
    (void)snprintf(info->unchangeable_by, sizeof info->unchangeable_by, "%s",
                   why[0] ? vault->actor : "");
    return psn_journal_note(
        vault, item->client,
        &(struct psn_note){ .event = why[0] ? "secret.unchangeable" : "secret.changeable",
                            .subject = info->address,
                            .label = info->label,
                            .version = info->version,
                            .text = why },
        err);
}

enum psn_code psn_item_judge_anew(struct psn_vault *vault, const char *address,
                                  const char *label, const char *person,
                                  struct psn_error *err)
{
    struct psn_item item = { 0 };
    enum psn_code rc = psn_item_read(vault, address, label, &item, err);

    if (rc || !item.info.unchangeable[0] ||
        strcmp(item.info.unchangeable_by, person) != 0)
        return rc;
    rc = psn_item_call_unchangeable(vault, &item, "", err);
    return rc ? rc : psn_item_put(vault, &item, err);
}
