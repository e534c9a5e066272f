#include "core/survey.h"

#include <stdlib.h>
#include <string.h>

#include "base/allow.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "core/client.h"
#include "core/exposure.h"
#include "core/person.h"

void psn_survey_release(struct psn_survey *survey)
{
    free(survey->clients);
    free(survey->roles);
    free(survey->by_client);
    free(survey->table);
    psn_reach_map_release(&survey->reach);
    *survey = (struct psn_survey){ 0 };
}

/* --- clients --- */

static enum psn_code keep_client(void *arg, const struct psn_client *client,
                                 struct psn_error *err)
{
    struct psn_survey *survey = arg;
    struct psn_client_brief *brief;
    enum psn_code rc = PSN_GROW(survey->clients, survey->client_count, err);

    if (rc)
        return rc;
    brief = &survey->clients[survey->client_count++];
    *brief = (struct psn_client_brief){
        .linked = client->linked,
        .key_expires_s = client->key_expires_s,
        .keys = client->keys,
        .handover_s = client->handover_s,
        .envelope_s = client->envelope_s,
    };
    memcpy(brief->id, client->id, sizeof brief->id);
    memcpy(brief->name, client->name, sizeof brief->name);
    memcpy(brief->owner, client->owner, sizeof brief->owner);
    return psn_reach_map_add_owner(&survey->reach, client, err);
}

static int compare_clients(const void *a, const void *b)
{
    return strcmp(((const struct psn_client_brief *)a)->id,
                  ((const struct psn_client_brief *)b)->id);
}

/* --- roles --- */

static enum psn_code keep_role(void *arg, const struct psn_role_row *row,
                               struct psn_error *err)
{
    struct psn_survey *survey = arg;
    const struct psn_rotation_state *rotation = &row->rotation;
    struct psn_role_brief *brief;
    enum psn_code rc = PSN_GROW(survey->roles, survey->role_count, err);

    if (rc)
        return rc;
    brief = &survey->roles[survey->role_count++];
    *brief = (struct psn_role_brief){
        .phase = rotation->phase,
        .reason = psn_role_reason_of(row),
        .old_is_alive = rotation->old_dead == PSN_ROTATION_OLD_ALIVE,
        .cur = rotation->cur,
        .pend = rotation->pend,
        .old = rotation->old,
        .undead = psn_rotation_undead(rotation),
        .last_send_s = rotation->last_send_s,
        .expires_s = row->expires_s,
        .outside_s = row->outside_s,
        .gone_s = row->gone_s,
        .moved_s = row->moved_s,
    };
    memcpy(brief->address, row->address, sizeof brief->address);
    memcpy(brief->client, row->client, sizeof brief->client);
    return PSN_OK;
}

static int compare_roles(const void *a, const void *b)
{
    return strcmp(((const struct psn_role_brief *)a)->address,
                  ((const struct psn_role_brief *)b)->address);
}

static int compare_by_client(const void *a, const void *b)
{
    const struct psn_role_brief *left = *(struct psn_role_brief *const *)a;
    const struct psn_role_brief *right = *(struct psn_role_brief *const *)b;
    int order = strcmp(left->client, right->client);

    return order ? order : strcmp(left->address, right->address);
}

/* FNV-1a. Each grant and each exposure asks for its mailbox: by halving that would be a
 * dozen comparisons far apart in memory. */
static size_t slot_of(const struct psn_survey *survey, const char *address)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (const char *at = address; *at; at++)
        hash = (hash ^ (uint8_t)*at) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 32) & (survey->table_size - 1);
}

static enum psn_code tabulate(struct psn_survey *survey, struct psn_error *err)
{
    enum psn_code rc;

    survey->table_size = 16;
    while (survey->table_size < 2 * survey->role_count)
        survey->table_size *= 2;
    rc = PSN_ROOM(survey->table, survey->table_size, err);
    for (size_t i = 0; !rc && i < survey->role_count; i++) {
        size_t slot = slot_of(survey, survey->roles[i].address);

        while (survey->table[slot])
            slot = (slot + 1) & (survey->table_size - 1);
        survey->table[slot] = (uint32_t)i + 1;
    }
    return rc;
}

const struct psn_role_brief *psn_survey_role(const struct psn_survey *survey,
                                             const char *address)
{
    size_t slot = slot_of(survey, address);

    for (; survey->table[slot]; slot = (slot + 1) & (survey->table_size - 1)) {
        const struct psn_role_brief *role = &survey->roles[survey->table[slot] - 1];

        if (strcmp(role->address, address) == 0)
            return role;
    }
    return NULL;
}

struct psn_role_brief *const *psn_survey_roles_of(const struct psn_survey *survey,
                                                  const char *client, size_t *ret_count)
{
    size_t low = 0;
    size_t high = survey->role_count;
    size_t end;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (strcmp(survey->by_client[middle]->client, client) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    for (end = low; end < survey->role_count; end++)
        if (strcmp(survey->by_client[end]->client, client) != 0)
            break;
    *ret_count = end - low;
    return survey->by_client + low;
}

/* --- all --- */

static enum psn_code sort(struct psn_survey *survey, struct psn_error *err)
{
    enum psn_code rc;

    if (survey->client_count > 1)
        qsort(survey->clients, survey->client_count, sizeof *survey->clients,
              compare_clients);
    if (survey->role_count > 1)
        qsort(survey->roles, survey->role_count, sizeof *survey->roles, compare_roles);
    rc = PSN_ROOM(survey->by_client, survey->role_count, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < survey->role_count; i++)
        survey->by_client[i] = &survey->roles[i];
    if (survey->role_count > 1)
        qsort((void *)survey->by_client, survey->role_count, sizeof(void *),
              compare_by_client);
    psn_reach_map_settle(&survey->reach);
    return tabulate(survey, err);
}

enum psn_code psn_survey_load(struct psn_vault *vault, struct psn_survey *ret_survey,
                              struct psn_error *err)
{
    struct psn_survey survey = { 0 };
    enum psn_code rc = psn_reach_map_begin(vault, NULL, &survey.reach, err);

    if (!rc)
        rc = psn_client_scan(vault, keep_client, &survey, err);
    if (!rc)
        rc = psn_role_scan(vault, NULL, 0, keep_role, &survey, err);
    if (!rc)
        rc = sort(&survey, err);
    if (rc) {
        psn_survey_release(&survey);
        return rc;
    }
    *ret_survey = survey;
    return PSN_OK;
}

/* --- what concerns one person --- */

static enum psn_code add_client_of(struct psn_vault *vault, struct psn_survey *survey,
                                   const char *id, struct psn_error *err)
{
    struct psn_client client = psn_client_init();
    bool is_gone;
    enum psn_code rc;

    for (size_t i = 0; i < survey->client_count; i++)
        if (strcmp(survey->clients[i].id, id) == 0)
            return PSN_OK;
    rc = psn_allow(PSN_E_NOT_FOUND, psn_client_read(vault, id, &client, err), &is_gone,
                   err);
    if (!rc && !is_gone)
        rc = keep_client(survey, &client, err);
    psn_client_release(&client);
    return rc;
}

static enum psn_code add_role_of(struct psn_vault *vault, struct psn_survey *survey,
                                 const char *address, struct psn_error *err)
{
    struct psn_role_row row = { 0 };
    bool is_gone;
    enum psn_code rc = psn_allow(PSN_E_NOT_FOUND,
                                 psn_role_read(vault, address, &row, err), &is_gone, err);

    return rc || is_gone ? rc : keep_role(survey, &row, err);
}

enum psn_code psn_survey_load_of(struct psn_vault *vault, const char *person,
                                 const struct psn_exposure_list *seen,
                                 struct psn_survey *ret_survey, struct psn_error *err)
{
    struct psn_survey survey = { 0 };
    const struct psn_grant_briefs *grants = &survey.reach.grants;
    enum psn_code rc = psn_reach_map_begin(vault, person, &survey.reach, err);

    for (size_t i = 0; !rc && i < grants->count; i++) {
        rc = add_role_of(vault, &survey, grants->items[i].address, err);
        if (!rc)
            rc = add_client_of(vault, &survey, grants->items[i].client, err);
    }
    for (size_t i = 0; !rc && i < seen->count; i++)
        if (seen->items[i].in_force)
            rc = add_client_of(vault, &survey, seen->items[i].client, err);
    if (!rc)
        rc = sort(&survey, err);
    if (rc) {
        psn_survey_release(&survey);
        return rc;
    }
    *ret_survey = survey;
    return PSN_OK;
}
