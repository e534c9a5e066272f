#include "passation/overview.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "core/due.h"

enum {
    SOON_S = 14 * 24 * 3600
};
_Static_assert((int)SOON_S == (int)PSN_KEY_SOON_S, "keys and the rest end alike");

const char *psn_overview_column_name(enum psn_overview_column column)
{
    switch (column) {
    case PSN_OVERVIEW_EXPOSED:
        return "exposed";
    case PSN_OVERVIEW_UNFINISHED:
        return "unfinished";
    case PSN_OVERVIEW_DRIFT:
        return "drift";
    case PSN_OVERVIEW_DUE:
        return "due";
    case PSN_OVERVIEW_ENDING:
        return "ending";
    case PSN_OVERVIEW_COLUMNS:
        break;
    }
    return "unknown";
}

const char *psn_overview_end_name(enum psn_overview_end_kind kind)
{
    switch (kind) {
    case PSN_END_PASSWORD:
        return "password";
    case PSN_END_KEY:
        return "key";
    case PSN_END_GRANT:
        return "grant";
    }
    return "unknown";
}

enum psn_overview_column psn_overview_column_of(const struct psn_due *due)
{
    switch (due->kind) {
    case PSN_DUE_ROTATE:
    case PSN_DUE_SECRET:
        return PSN_OVERVIEW_EXPOSED;
    case PSN_DUE_RESUME:
        return due->person[0] ? PSN_OVERVIEW_EXPOSED : PSN_OVERVIEW_UNFINISHED;
    case PSN_DUE_OUTSIDE:
    case PSN_DUE_VANISHED:
    case PSN_DUE_MOVED:
    case PSN_DUE_APPEARED:
    case PSN_DUE_ACCESS:
    case PSN_DUE_UNJUDGED:
        return PSN_OVERVIEW_DRIFT;
    case PSN_DUE_GRANT:
    case PSN_DUE_ISSUE:
    case PSN_DUE_ENVELOPE:
    case PSN_DUE_DEPARTURE:
    case PSN_DUE_RESTORED:
    case PSN_DUE_LEAVER:
    case PSN_DUE_ENVELOPE_LEFT:
    case PSN_DUE_ENVELOPE_REMADE:
    case PSN_DUE_HANDOVER:
        break;
    }
    return PSN_OVERVIEW_DUE;
}

void psn_overview_free(struct psn_overview *overview)
{
    if (!overview)
        return;
    free(overview->clients);
    free(overview->due);
    free(overview->left);
    free(overview->ends);
    free(overview->unfinished);
    free(overview);
}
PSN_DEFINE_AUTO(psn_overview)

/* --- what ends soon --- */

struct making {
    struct psn_overview *overview;
    const struct psn_survey *survey;
};

static enum psn_code add_end(struct making *making, const struct psn_overview_end *end,
                             struct psn_error *err)
{
    struct psn_overview *overview = making->overview;
    enum psn_code rc = PSN_GROW(overview->ends, overview->end_count, err);

    if (!rc)
        overview->ends[overview->end_count++] = *end;
    return rc;
}

static bool is_soon(const struct making *making, int64_t at_s)
{
    return at_s && at_s < making->survey->reach.now_s + SOON_S;
}

static enum psn_code add_grants(struct making *making, struct psn_error *err)
{
    const struct psn_grant_briefs *grants = &making->survey->reach.grants;
    int64_t now_s = making->survey->reach.now_s;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < grants->count; i++) {
        const struct psn_grant_brief *grant = &grants->items[i];
        struct psn_overview_end end = { .kind = PSN_END_GRANT, .at_s = grant->until_s };

        /* One that has run out is due. */
        if (psn_grant_brief_state(grant, now_s) != PSN_GRANT_ACTIVE ||
            !is_soon(making, grant->until_s))
            continue;
        memcpy(end.client, grant->client, sizeof end.client);
        memcpy(end.address, grant->address, sizeof end.address);
        memcpy(end.person, grant->person, sizeof end.person);
        rc = add_end(making, &end, err);
    }
    return rc;
}

static enum psn_code add_keys(struct making *making, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < making->survey->client_count; i++) {
        const struct psn_client_brief *client = &making->survey->clients[i];
        struct psn_overview_end end = { .kind = PSN_END_KEY,
                                        .at_s = client->key_expires_s };

        if (!client->linked || !is_soon(making, client->key_expires_s))
            continue;
        memcpy(end.client, client->id, sizeof end.client);
        rc = add_end(making, &end, err);
    }
    return rc;
}

static int compare_ends(const void *a, const void *b)
{
    const struct psn_overview_end *left = a;
    const struct psn_overview_end *right = b;

    if (left->at_s != right->at_s)
        return left->at_s < right->at_s ? -1 : 1;
    if (strcmp(left->client, right->client) != 0)
        return strcmp(left->client, right->client);
    return strcmp(left->address, right->address);
}

/* --- mailboxes --- */

static enum psn_code add_roles(struct making *making, struct psn_error *err)
{
    struct psn_overview *overview = making->overview;
    const struct psn_survey *survey = making->survey;
    enum psn_code rc = PSN_OK;

    overview->unfinished = calloc(survey->role_count + 1, sizeof *overview->unfinished);
    if (!overview->unfinished)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    overview->role_count = survey->role_count;
    for (size_t i = 0; !rc && i < survey->role_count; i++) {
        const struct psn_role_brief *role = &survey->roles[i];
        enum psn_role_state state = psn_role_state_of(role->phase, role->reason);
        struct psn_overview_end end = { .kind = PSN_END_PASSWORD,
                                        .at_s = role->expires_s };
        struct psn_overview_role *open;

        overview->roles[state]++;
        if (is_soon(making, role->expires_s)) {
            memcpy(end.client, role->client, sizeof end.client);
            memcpy(end.address, role->address, sizeof end.address);
            rc = add_end(making, &end, err);
        }
        if (role->phase == PSN_ROTATION_STABLE)
            continue;
        open = &overview->unfinished[overview->unfinished_count++];
        open->state = state;
        open->reason = psn_rotation_explain(role->reason);
        memcpy(open->address, role->address, sizeof open->address);
        memcpy(open->client, role->client, sizeof open->client);
    }
    return rc;
}

/* --- clients --- */

static int compare_client(const void *key, const void *item)
{
    return strcmp(key, ((const struct psn_overview_client *)item)->id);
}

/* In the order of their ids, as the survey has them. */
static enum psn_code add_clients(struct psn_overview *overview,
                                 const struct psn_survey *survey, struct psn_error *err)
{
    overview->clients = calloc(survey->client_count + 1, sizeof *overview->clients);
    if (!overview->clients)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < survey->client_count; i++) {
        const struct psn_client_brief *client = &survey->clients[i];
        struct psn_overview_client *at = &overview->clients[i];

        memcpy(at->id, client->id, sizeof at->id);
        memcpy(at->name, client->name, sizeof at->name);
        at->linked = client->linked;
        at->key_expires_s = client->key_expires_s;
        at->keys = client->keys;
    }
    overview->client_count = survey->client_count;
    return PSN_OK;
}

static struct psn_overview_client *find(struct psn_overview *overview, const char *id)
{
    return overview->client_count ? bsearch(id, overview->clients, overview->client_count,
                                            sizeof *overview->clients, compare_client)
                                  : NULL;
}

/* Both are in the order of clients. */
static void count_mailboxes(struct psn_overview *overview,
                            const struct psn_survey *survey)
{
    size_t at = 0;

    for (size_t i = 0; i < survey->role_count; i++) {
        int order = -1;

        while (at < overview->client_count &&
               (order = strcmp(overview->clients[at].id, survey->by_client[i]->client)) <
                   0)
            at++;
        if (order == 0)
            overview->clients[at].mailboxes++;
    }
}

static void count_due(struct psn_overview *overview, const struct psn_due *items,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct psn_overview_client *at = find(overview, items[i].client);

        if (at)
            at->counts[psn_overview_column_of(&items[i])]++;
    }
}

/* A departure is of no client, but what the leaver knows is. */
static void count(struct psn_overview *overview)
{
    struct psn_overview_client *at;

    count_due(overview, overview->due, overview->due_count);
    count_due(overview, overview->left, overview->left_count);
    for (size_t i = 0; i < overview->end_count; i++) {
        at = find(overview, overview->ends[i].client);
        if (at)
            at->counts[PSN_OVERVIEW_ENDING]++;
    }
}

static int worst_first(const void *a, const void *b)
{
    const struct psn_overview_client *left = a;
    const struct psn_overview_client *right = b;

    for (int i = 0; i < PSN_OVERVIEW_COLUMNS; i++)
        if (left->counts[i] != right->counts[i])
            return left->counts[i] > right->counts[i] ? -1 : 1;
    return strcmp(left->id, right->id);
}

static enum psn_code make(struct psn_vault *vault, struct psn_overview *overview,
                          struct psn_survey *survey, struct psn_error *err)
{
    struct making making = { overview, survey };
    struct psn_due_list due = { 0 };
    struct psn_due_list left = { 0 };
    enum psn_code rc = psn_survey_load(vault, survey, err);

    if (!rc)
        rc = psn_due_list(vault, survey, NULL, &due, &left, err);
    overview->due = due.items;
    overview->due_count = due.count;
    overview->left = left.items;
    overview->left_count = left.count;
    if (!rc)
        rc = add_roles(&making, err);
    if (!rc)
        rc = add_keys(&making, err);
    if (!rc)
        rc = add_grants(&making, err);
    if (!rc)
        rc = add_clients(overview, survey, err);
    if (rc)
        return rc;
    if (overview->end_count > 1)
        qsort(overview->ends, overview->end_count, sizeof *overview->ends, compare_ends);
    count_mailboxes(overview, survey);
    count(overview);
    if (overview->client_count > 1)
        qsort(overview->clients, overview->client_count, sizeof *overview->clients,
              worst_first);
    return PSN_OK;
}

enum psn_code psn_overview_get(struct psn_vault *vault,
                               struct psn_overview **ret_overview, struct psn_error *err)
{
    PSN_AUTO(psn_overview) *overview = calloc(1, sizeof *overview);
    struct psn_survey survey = { 0 };
    enum psn_code rc = overview ? psn_vault_begin(vault, PSN_STORE_READ, err)
                                : psn_fail(err, PSN_E_NOMEM, _("out of memory"));

    if (rc)
        return rc;
    rc = psn_vault_end(vault, make(vault, overview, &survey, err), err);
    psn_survey_release(&survey);
    if (!rc)
        *ret_overview = PSN_TAKE(overview);
    return rc;
}
