#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "core/exposure.h"
#include "core/handover.h"
#include "core/person.h"
#include "core/reach.h"

/*
 * What somebody knows without right, and no rotation of ours takes back: its client has
 * received it, has it now, and is to change it himself.
 */

static bool same_secret(const struct psn_exposure *a, const struct psn_exposure *b)
{
    return strcmp(a->address, b->address) == 0 && strcmp(a->label, b->label) == 0;
}

/* In place. Of an old password that is not proved refused the proof is due, whoever has
 * the new one. */
static enum psn_code keep_theirs(struct psn_vault *vault, struct psn_exposure_list *list,
                                 struct psn_error *err)
{
    enum psn_code rc = PSN_OK;
    size_t kept = 0;

    for (size_t i = 0; !rc && i < list->count; i++) {
        const struct psn_exposure *at = &list->items[i];
        bool is_theirs = false;

        if (!at->in_force || at->dying || at->lasting ||
            (kept > 0 && same_secret(&list->items[kept - 1], at)))
            continue;
        rc = psn_handover_is_theirs(vault, at->client, at->address, at->label, at->person,
                                    &is_theirs, err);
        if (is_theirs)
            list->items[kept++] = *at;
    }
    list->count = kept;
    return rc;
}

/* In place. Who has which right is read where there is something to ask it for. */
static enum psn_code drop_rightful(struct psn_vault *vault,
                                   struct psn_exposure_list *list, struct psn_error *err)
{
    struct psn_reach_map map = { 0 };
    size_t kept = 0;
    enum psn_code rc = list->count > 0 ? psn_reach_map_load(vault, &map, err) : PSN_OK;

    for (size_t i = 0; !rc && i < list->count; i++) {
        const struct psn_exposure *at = &list->items[i];

        if (!psn_reach_has_right(&map, at->person, at->client, at->address, at->label))
            list->items[kept++] = *at;
    }
    list->count = kept;
    psn_reach_map_release(&map);
    return rc;
}

static enum psn_code list_handed(struct psn_vault *vault, const char *id,
                                 struct psn_exposure_list *list, struct psn_error *err)
{
    struct psn_person person;
    enum psn_code rc = psn_person_read(vault, id, &person, err);

    if (!rc)
        rc = psn_exposure_list(vault, id, NULL, list, err);
    if (!rc)
        rc = keep_theirs(vault, list, err);
    return rc ? rc : drop_rightful(vault, list, err);
}

enum psn_code psn_handed_each(struct psn_vault *vault, const char *person,
                              psn_exposure_fn *each, void *arg, struct psn_error *err)
{
    struct psn_exposure_list list = { 0 };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, list_handed(vault, person, &list, err), err);
    for (size_t i = 0; !rc && i < list.count; i++)
        rc = each(arg, &list.items[i], err);
    psn_exposure_list_release(&list);
    return rc;
}
