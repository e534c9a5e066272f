#include "core/queue.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"

static const size_t none = SIZE_MAX;

void psn_queue_release(struct psn_queue *queue)
{
    for (size_t i = 0; i < queue->count; i++)
        free(queue->items[i].address);
    free(queue->items);
    free(queue->clients);
    *queue = (struct psn_queue){ 0 };
}

static enum psn_code find_client(struct psn_queue *queue, const char *id,
                                 size_t *ret_index, struct psn_error *err)
{
    struct psn_queue_client *client;
    enum psn_code rc;

    for (*ret_index = 0; *ret_index < queue->client_count; (*ret_index)++)
        if (strcmp(queue->clients[*ret_index].id, id) == 0)
            return PSN_OK;
    rc = PSN_GROW(queue->clients, queue->client_count, err);
    if (rc)
        return rc;
    client = &queue->clients[queue->client_count++];
    *client = (struct psn_queue_client){ .first = none, .last = none };
    (void)snprintf(client->id, sizeof client->id, "%s", id);
    return PSN_OK;
}

static void line_up(struct psn_queue *queue, size_t index)
{
    struct psn_queue_client *client = &queue->clients[queue->items[index].client];

    queue->items[index].next = none;
    if (client->first == none)
        client->first = index;
    else
        queue->items[client->last].next = index;
    client->last = index;
    queue->waiting++;
}

static enum psn_code grow(struct psn_queue *queue, struct psn_error *err)
{
    size_t capacity = queue->capacity ? 2 * queue->capacity : 16;
    struct psn_queue_item *grown;

    if (queue->count < queue->capacity)
        return PSN_OK;
    grown = realloc(queue->items, capacity * sizeof *grown);
    if (!grown)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    queue->items = grown;
    queue->capacity = capacity;
    return PSN_OK;
}

/* Only those of its own client can have the same address. */
static bool is_known(const struct psn_queue *queue, size_t client, const char *address)
{
    for (size_t i = queue->clients[client].first; i != none; i = queue->items[i].next)
        if (strcmp(queue->items[i].address, address) == 0)
            return true;
    return false;
}

enum psn_code psn_queue_add(struct psn_queue *queue, const char *address,
                            const char *client, bool *ret_known, struct psn_error *err)
{
    struct psn_queue_item item = { .held = false };
    enum psn_code rc = find_client(queue, client, &item.client, err);

    if (!rc)
        rc = grow(queue, err);
    if (rc)
        return rc;
    if (ret_known)
        *ret_known = is_known(queue, item.client, address);
    if (ret_known && *ret_known)
        return PSN_OK;
    item.address = strdup(address);
    if (!item.address)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    queue->items[queue->count] = item;
    line_up(queue, queue->count++);
    return PSN_OK;
}

static bool comes_before(const struct psn_queue_client *a,
                         const struct psn_queue_client *b)
{
    return a->running != b->running ? a->running < b->running : a->picked < b->picked;
}

bool psn_queue_take(struct psn_queue *queue, size_t most, size_t *ret_index)
{
    struct psn_queue_client *chosen = NULL;

    for (size_t i = 0; i < queue->client_count; i++) {
        struct psn_queue_client *client = &queue->clients[i];

        if (client->first != none && client->running < most &&
            (!chosen || comes_before(client, chosen)))
            chosen = client;
    }
    if (!chosen)
        return false;
    *ret_index = chosen->first;
    chosen->first = queue->items[chosen->first].next;
    chosen->running++;
    chosen->picked = ++queue->picks;
    queue->waiting--;
    return true;
}

void psn_queue_end(struct psn_queue *queue, size_t index)
{
    struct psn_queue_client *client = &queue->clients[queue->items[index].client];

    assert(client->running > 0);
    client->running--;
}

void psn_queue_again(struct psn_queue *queue)
{
    for (size_t i = 0; i < queue->client_count; i++)
        queue->clients[i].first = queue->clients[i].last = none;
    queue->waiting = 0;
    for (size_t i = 0; i < queue->count; i++)
        if (queue->items[i].held)
            line_up(queue, i);
}
