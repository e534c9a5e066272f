#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/allow.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "core/client.h"
#include "core/handover.h"
#include "core/item.h"
#include "core/person.h"
#include "core/role.h"
#include "core/trousseau.h"

/*
 * What a client has confirmed to have received is his: to replace it would lock him out.
 * What was added or replaced since is not his yet, and is ours to replace.
 */

/* --- the trousseaux whose receipt came back --- */

struct receiving {
    const char *client;
    uint64_t before; /* the last serial when the handover began */
    struct psn_content_list *list;
};

static bool is_of(const struct psn_issue_row *issue, const char *client, uint64_t before)
{
    return issue->serial > before && strcmp(issue->client, client) == 0 &&
           psn_trousseau_is_folder(issue->path, client);
}

/* One that was made again stands beside the one that he has; whatever else was issued to
 * him was lent, not handed over. */
static enum psn_code take_confirmed(void *arg, const struct psn_issue_row *issue,
                                    struct psn_error *err)
{
    struct receiving *receiving = arg;
    struct psn_content_list *list = receiving->list;
    struct psn_content *grown;

    if (!issue->confirmed_s || issue->content_count == 0 ||
        !is_of(issue, receiving->client, receiving->before))
        return PSN_OK;
    grown = reallocarray(list->items, list->count + issue->content_count, sizeof *grown);
    if (!grown)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    list->items = grown;
    memcpy(grown + list->count, issue->contents, issue->content_count * sizeof *grown);
    list->count += issue->content_count;
    return PSN_OK;
}

static enum psn_code collect(struct psn_vault *vault, const char *id,
                             struct psn_content_list *list, struct psn_error *err)
{
    struct psn_handover_row row;
    struct psn_person to;
    struct receiving receiving = { .client = id, .list = list };
    bool is_gone = false;
    enum psn_code rc = psn_handover_row_read_open(vault, id, &row, err);

    receiving.before = row.before;
    if (rc || !row.serial)
        return rc;
    rc = psn_allow(PSN_E_NOT_FOUND, psn_person_read(vault, row.to, &to, err), &is_gone,
                   err);
    if (rc || is_gone || to.departing_s) /* a leaver owns nothing */
        return rc;
    return psn_issue_row_each(vault, row.to, take_confirmed, &receiving, err);
}

enum psn_code psn_handover_received(struct psn_vault *vault, const char *id,
                                    struct psn_content_list *ret_list,
                                    struct psn_error *err)
{
    struct psn_content_list list = { 0 };
    struct psn_client client = { 0 };
    enum psn_code rc = psn_client_read(vault, id, &client, err);
    bool is_open = !rc && client.handover_s;

    psn_client_release(&client);
    if (is_open)
        rc = collect(vault, id, &list, err);
    if (rc) {
        free(list.items);
        return rc;
    }
    *ret_list = list;
    return PSN_OK;
}

enum psn_code psn_handover_is_received(struct psn_vault *vault, const char *client,
                                       bool *ret_is_received, struct psn_error *err)
{
    struct psn_content_list list = { 0 };
    enum psn_code rc = psn_handover_received(vault, client, &list, err);

    *ret_is_received = !rc && list.count > 0;
    free(list.items);
    return rc;
}

bool psn_content_list_has_all(const struct psn_content_list *list,
                              const struct psn_content *contents, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!psn_contents_have(list->items, list->count, contents[i].address,
                               contents[i].label, contents[i].version))
            return false;
    return true;
}

enum psn_code psn_handover_has_all(struct psn_vault *vault, const char *client,
                                   const struct psn_content *contents, size_t count,
                                   bool *ret_has, struct psn_error *err)
{
    struct psn_content_list list = { 0 };
    enum psn_code rc = psn_handover_received(vault, client, &list, err);

    *ret_has = !rc && psn_content_list_has_all(&list, contents, count);
    free(list.items);
    return rc;
}

/* --- whether it may count as received --- */

struct settling {
    const struct psn_issue_row *issue;
    char address[PSN_ADDRESS_TEXT_MAX]; /* the first that is not settled */
};

static enum psn_code find_unsettled(void *arg, const struct psn_role_row *row,
                                    struct psn_error *err)
{
    struct settling *settling = arg;

    (void)err;
    if (!settling->address[0] && row->rotation.phase != PSN_ROTATION_STABLE &&
        psn_contents_have(settling->issue->contents, settling->issue->content_count,
                          row->address, "", row->rotation.cur))
        memcpy(settling->address, row->address, sizeof settling->address);
    return PSN_OK;
}

enum psn_code psn_handover_check_settled(struct psn_vault *vault,
                                         const struct psn_issue_row *issue,
                                         struct psn_error *err)
{
    struct psn_client client = { 0 };
    struct psn_handover_row row = { 0 };
    struct settling settling = { .issue = issue };
    bool is_gone; /* an issue outlives its client */
    enum psn_code rc =
        psn_allow(PSN_E_NOT_FOUND, psn_client_read(vault, issue->client, &client, err),
                  &is_gone, err);
    bool is_open = !rc && !is_gone && client.handover_s;

    psn_client_release(&client);
    if (is_open)
        rc = psn_handover_row_read_open(vault, issue->client, &row, err);
    if (!rc && is_open && is_of(issue, issue->client, row.before))
        rc = psn_role_scan(vault, NULL, 0, find_unsettled, &settling, err);
    if (rc || !settling.address[0])
        return rc;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("%s: a new password was on its way, and is not settled yet"),
                   settling.address);
    return psn_hint(err, PSN_E_POLICY, _("settle it first: passation resume"));
}

/* --- of several clients --- */

struct psn_received {
    char client[PSN_CLIENT_ID_MAX];
    struct psn_content_list contents;
};

enum psn_code psn_received_map_add(struct psn_vault *vault, const char *client,
                                   struct psn_received_map *map, struct psn_error *err)
{
    struct psn_received received = { 0 };
    enum psn_code rc = psn_handover_received(vault, client, &received.contents, err);

    if (rc || received.contents.count == 0)
        return rc;
    (void)snprintf(received.client, sizeof received.client, "%s", client);
    rc = PSN_GROW(map->items, map->count, err);
    if (rc)
        free(received.contents.items);
    else
        map->items[map->count++] = received;
    return rc;
}

const struct psn_content_list *psn_received_of(const struct psn_received_map *map,
                                               const char *client)
{
    for (size_t i = 0; i < map->count; i++)
        if (strcmp(map->items[i].client, client) == 0)
            return &map->items[i].contents;
    return NULL;
}

void psn_received_map_release(struct psn_received_map *map)
{
    for (size_t i = 0; i < map->count; i++)
        free(map->items[i].contents.items);
    free(map->items);
    *map = (struct psn_received_map){ 0 };
}

/* --- one secret --- */

/* 0: there is none. */
static enum psn_code read_version(struct psn_vault *vault, const char *address,
                                  const char *label, uint64_t *ret_version,
                                  struct psn_error *err)
{
    struct psn_role_row role;
    struct psn_item item = { 0 };
    bool is_gone;
    enum psn_code rc =
        psn_allow(PSN_E_NOT_FOUND,
                  label[0] ? psn_item_read(vault, address, label, &item, err)
                           : psn_role_read(vault, address, &role, err),
                  &is_gone, err);

    *ret_version = 0;
    if (!rc && !is_gone)
        *ret_version = label[0] ? item.info.version : role.rotation.cur;
    return rc;
}

enum psn_code psn_handover_is_theirs(struct psn_vault *vault, const char *client,
                                     const char *address, const char *label,
                                     const char *leaver, bool *ret_is_theirs,
                                     struct psn_error *err)
{
    struct psn_content_list list = { 0 };
    struct psn_handover_row row;
    uint64_t version = 0;
    enum psn_code rc = psn_handover_received(vault, client, &list, err);

    if (!rc && list.count > 0 && leaver)
        rc = psn_handover_row_read_open(vault, client, &row, err);
    if (!rc && list.count > 0 && leaver && strcmp(row.to, leaver) == 0)
        list.count = 0;
    if (!rc && list.count > 0)
        rc = read_version(vault, address, label, &version, err);
    *ret_is_theirs =
        !rc && psn_contents_have(list.items, list.count, address, label, version);
    free(list.items);
    return rc;
}

enum psn_code psn_handover_ask_theirs(struct psn_vault *vault, const char *client,
                                      const char *address, const char *label,
                                      const char *leaver, bool *ret_is_theirs,
                                      struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    *ret_is_theirs = false;
    return rc ? rc
              : psn_vault_end(vault,
                              psn_handover_is_theirs(vault, client, address, label,
                                                     leaver, ret_is_theirs, err),
                              err);
}

enum psn_code psn_handover_check_ours(struct psn_vault *vault, const char *client,
                                      const char *address, struct psn_error *err)
{
    bool is_theirs;
    enum psn_code rc =
        psn_handover_ask_theirs(vault, client, address, "", NULL, &is_theirs, err);

    if (rc || !is_theirs)
        return rc;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("%s: '%s' has confirmed that its password was received: it is the "
                     "client's now, and is not replaced from here"),
                   address, client);
    return psn_hint(err, PSN_E_POLICY,
                    _("if the work goes on after all: passation handover abandon %s"),
                    client);
}
