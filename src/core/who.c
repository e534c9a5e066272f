#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/allow.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "core/exposure.h"
#include "core/item.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/role.h"

/* Who can reach what, and the board of what people without right still know. */

struct reachable_list {
    struct psn_vault *vault;
    const struct psn_reach_map *map;
    const struct psn_person *people; /* whom to ask about */
    size_t person_count;
    struct psn_reachable *items;
    size_t count;
};

static enum psn_code append(struct reachable_list *list, const char *person,
                            const char *address, const char *label, struct psn_error *err)
{
    struct psn_reachable *row;
    enum psn_code rc = PSN_GROW(list->items, list->count, err);

    if (rc)
        return rc;
    row = &list->items[list->count++];
    *row = (struct psn_reachable){ .by = psn_reach_holds_slot(list->map, person)
                                             ? PSN_REACH_SLOT
                                             : PSN_REACH_GRANT };
    (void)snprintf(row->person, sizeof row->person, "%s", person);
    (void)snprintf(row->address, sizeof row->address, "%s", address);
    (void)snprintf(row->label, sizeof row->label, "%s", label);
    return PSN_OK;
}

static enum psn_code reach_secret(struct reachable_list *list, const char *client,
                                  const char *address, const char *label,
                                  struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < list->person_count; i++)
        if (psn_reach_holds_slot(list->map, list->people[i].id) ||
            psn_reach_is_granted(list->map, list->people[i].id, client, address, label))
            rc = append(list, list->people[i].id, address, label, err);
    return rc;
}

struct labels {
    struct reachable_list *list;
    const char *client;
    const char *address;
};

static enum psn_code reach_label(void *arg, const struct psn_secret_info *info,
                                 struct psn_error *err)
{
    struct labels *labels = arg;

    return reach_secret(labels->list, labels->client, labels->address, info->label, err);
}

/* Nearly all grants are of the password alone: then its other secrets are not read. */
static bool reaches_labels(const struct reachable_list *list,
                           const struct psn_role_row *row)
{
    bool reaches = false;

    for (size_t i = 0; !reaches && i < list->person_count; i++)
        reaches = psn_reach_holds_slot(list->map, list->people[i].id) ||
                  psn_reach_has_labels(list->map, list->people[i].id, row->client,
                                       row->address);
    return reaches;
}

static enum psn_code reach_role(void *arg, const struct psn_role_row *row,
                                struct psn_error *err)
{
    struct labels labels = { arg, row->client, row->address };
    enum psn_code rc = reach_secret(arg, row->client, row->address, "", err);

    return rc || !reaches_labels(arg, row)
               ? rc
               : psn_item_each(labels.list->vault, row->address, reach_label, &labels,
                               err);
}

static int compare(const void *a, const void *b)
{
    const struct psn_reachable *left = a;
    const struct psn_reachable *right = b;
    int order = strcmp(left->address, right->address);

    if (!order)
        order = strcmp(left->label, right->label);
    return order ? order : strcmp(left->person, right->person);
}

/* Who holds no slot reaches what his grants name, and nothing else is read. */
static enum psn_code reach_granted(struct reachable_list *list, struct psn_error *err)
{
    const struct psn_grant_briefs *grants = &list->map->grants;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < grants->count; i++) {
        struct psn_role_row row = { 0 };
        bool is_gone;

        rc = psn_allow(PSN_E_NOT_FOUND,
                       psn_role_read(list->vault, grants->items[i].address, &row, err),
                       &is_gone, err);
        if (!rc && !is_gone)
            rc = reach_role(list, &row, err);
    }
    return rc;
}

static enum psn_code collect(struct psn_vault *vault, const char *person,
                             const char *address, struct reachable_list *list,
                             struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *people = NULL;
    struct psn_reach_map map = { 0 };
    const char *globs[] = { address };
    bool is_one;
    enum psn_code rc =
        person ? psn_person_select(vault, person, &people, &list->person_count, err)
               : psn_person_list(vault, &people, &list->person_count, err);

    is_one = !rc && person && list->person_count == 1;
    if (!rc)
        rc = psn_reach_map_begin(vault, is_one ? people->id : NULL, &map, err);
    list->vault = vault;
    list->map = &map;
    list->people = people;
    if (!rc && is_one && !address && !psn_reach_holds_slot(&map, people->id))
        rc = reach_granted(list, err);
    else if (!rc)
        rc = psn_role_scan(vault, globs, address ? 1 : 0, reach_role, list, err);
    list->map = NULL;
    list->people = NULL;
    psn_reach_map_release(&map);
    return rc;
}

enum psn_code psn_reachable_each(struct psn_vault *vault, const char *person,
                                 const char *address, psn_reachable_fn *each, void *arg,
                                 struct psn_error *err)
{
    struct reachable_list list = { 0 };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, collect(vault, person, address, &list, err), err);
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, compare);
    for (size_t i = 0; !rc && i < list.count; i++)
        rc = each(arg, &list.items[i], err);
    free(list.items);
    return rc;
}

/* --- the board --- */

struct board {
    struct psn_board_row *items;
    size_t count;
};

static int by_client(const void *a, const void *b)
{
    const struct psn_exposure *left = a;
    const struct psn_exposure *right = b;
    int order = strcmp(left->client, right->client);

    if (!order)
        order = strcmp(left->address, right->address);
    return order ? order : strcmp(left->label, right->label);
}

/* How many different people are in the exposures from..to. */
static size_t count_people(const struct psn_exposure_list *list, size_t from, size_t to)
{
    size_t people = 0;

    for (size_t i = from; i < to; i++) {
        size_t j = from;

        while (j < i && strcmp(list->items[j].person, list->items[i].person) != 0)
            j++;
        people += j == i;
    }
    return people;
}

static void describe(const struct psn_exposure_list *list, size_t from, size_t to,
                     struct psn_board_row *row)
{
    *row = (struct psn_board_row){ .people = count_people(list, from, to) };
    memcpy(row->client, list->items[from].client, sizeof row->client);
    for (size_t i = from; i < to; i++) {
        const struct psn_exposure *at = &list->items[i];

        bool is_next = i == from || strcmp(at->address, at[-1].address) != 0 ||
                       strcmp(at->label, at[-1].label) != 0;

        row->secrets += is_next;
        row->lasting += is_next && at->lasting;
        if (row->oldest_s == 0 || at->at_s < row->oldest_s) {
            row->oldest_s = at->at_s;
            memcpy(row->address, at->address, sizeof row->address);
            memcpy(row->person, at->person, sizeof row->person);
        }
    }
}

/* More people first, then more secrets, then the older. */
static int worst_first(const void *a, const void *b)
{
    const struct psn_board_row *left = a;
    const struct psn_board_row *right = b;

    if (left->people != right->people)
        return left->people > right->people ? -1 : 1;
    if (left->secrets != right->secrets)
        return left->secrets > right->secrets ? -1 : 1;
    return left->oldest_s < right->oldest_s ? -1 : left->oldest_s > right->oldest_s;
}

static enum psn_code make_board(struct psn_vault *vault, struct board *board,
                                struct psn_error *err)
{
    struct psn_survey survey = { 0 };
    struct psn_exposure_list list = { 0 };
    enum psn_code rc = psn_survey_load(vault, &survey, err);

    if (!rc)
        rc = psn_exposure_list_known(vault, &survey, NULL, &list, err);
    if (!rc) {
        if (list.count > 1)
            qsort(list.items, list.count, sizeof *list.items, by_client);
        board->items = calloc(list.count + 1, sizeof *board->items);
        if (!board->items)
            rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    for (size_t from = 0, to; !rc && from < list.count; from = to) {
        to = from + 1;
        while (to < list.count &&
               strcmp(list.items[to].client, list.items[from].client) == 0)
            to++;
        describe(&list, from, to, &board->items[board->count++]);
    }
    psn_exposure_list_release(&list);
    psn_survey_release(&survey);
    return rc;
}

enum psn_code psn_board_each(struct psn_vault *vault, psn_board_fn *each, void *arg,
                             struct psn_error *err)
{
    struct board board = { 0 };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, make_board(vault, &board, err), err);
    if (board.count > 1)
        qsort(board.items, board.count, sizeof *board.items, worst_first);
    for (size_t i = 0; !rc && i < board.count; i++)
        rc = each(arg, &board.items[i], err);
    free(board.items);
    return rc;
}
