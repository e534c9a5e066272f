#include <stdio.h>
#include <string.h>

#include "base/allow.h"
#include "base/buf.h"
#include "base/i18n.h"
#include "core/departure.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/reach.h"

/*
 * Secrets that nobody can change: whoever has seen one keeps it. Who could open the vault
 * and is leaving could keep a way in by this, so it is noted who said it.
 */
enum {
    PLACES_MAX = 64 * 1024 * 1024,
};

enum psn_code psn_item_call_unchangeable(struct psn_vault *vault, struct psn_item *item,
                                         const char *why, struct psn_error *err)
{
    struct psn_secret_info *info = &item->info;
    enum psn_code rc = why && why[0] ? psn_departure_check_why(why, err) : PSN_OK;

    if (rc || !why ||
        (strcmp(why, info->unchangeable) == 0 &&
         (!why[0] || strcmp(info->unchangeable_by, vault->actor) == 0)))
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

/* Is he leaving, or could he open the vault and cannot any more? */
static enum psn_code is_leaver(struct psn_vault *vault, const char *id,
                               bool *ret_is_leaver, struct psn_error *err)
{
    struct psn_person person;
    bool is_gone = false;
    bool lost = false;
    enum psn_code rc = psn_allow(PSN_E_NOT_FOUND,
                                 psn_person_read(vault, id, &person, err), &is_gone, err);

    if (!rc && !is_gone)
        rc = psn_reach_lost_slot(vault, &person, &lost, err);
    *ret_is_leaver = !rc && !is_gone && (person.departing_s || lost);
    return rc;
}

enum psn_code psn_item_lasts(struct psn_vault *vault, const struct psn_secret_info *info,
                             const char *person, bool *ret_lasts, struct psn_error *err)
{
    bool by_leaver = false;
    enum psn_code rc = PSN_OK;

    if (info->unchangeable[0])
        rc = is_leaver(vault, info->unchangeable_by, &by_leaver, err);
    *ret_lasts = !rc && info->unchangeable[0] && !by_leaver &&
                 strcmp(info->unchangeable_by, person) != 0;
    return rc;
}

/* --- what a leaver has said --- */

struct said {
    struct psn_vault *vault;
    const char *person;
    struct psn_buf places; /* each address and label with its NUL */
};

static enum psn_code find_said(void *arg, const struct psn_secret_info *info,
                               struct psn_error *err)
{
    struct said *said = arg;

    if (!info->unchangeable[0] || strcmp(info->unchangeable_by, said->person) != 0)
        return PSN_OK;
    psn_buf_bytes(&said->places, info->address, strlen(info->address) + 1);
    psn_buf_bytes(&said->places, info->label, strlen(info->label) + 1);
    return psn_buf_check(&said->places, err);
}

static enum psn_code look_at_role(void *arg, const struct psn_role_row *row,
                                  struct psn_error *err)
{
    struct said *said = arg;

    return psn_item_each_all(said->vault, row->address, find_said, said, err);
}

static enum psn_code take_back(struct psn_vault *vault, const char *address,
                               const char *label, struct psn_error *err)
{
    struct psn_item item = { 0 };
    enum psn_code rc = psn_item_read(vault, address, label, &item, err);

    if (!rc)
        rc = psn_item_call_unchangeable(vault, &item, "", err);
    if (!rc)
        rc = psn_item_put(vault, &item, err);
    return rc ? rc : psn_departure_note_changeable(vault, address, label, err);
}

enum psn_code psn_item_judge_anew(struct psn_vault *vault, const char *person,
                                  struct psn_error *err)
{
    struct said said = { .vault = vault,
                         .person = person,
                         .places = psn_buf_init(PLACES_MAX) };
    enum psn_code rc = psn_role_scan(vault, NULL, 0, look_at_role, &said, err);

    for (size_t at = 0; !rc && at < said.places.size;) {
        const char *address = (const char *)said.places.data + at;
        const char *label = address + strlen(address) + 1;

        rc = take_back(vault, address, label, err);
        at += strlen(address) + 1 + strlen(label) + 1;
    }
    psn_buf_release(&said.places);
    return rc;
}
