#ifndef PSN_CORE_QUEUE_H
#define PSN_CORE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "core/role.h"

/*
 * The mailboxes of a run, in input order, and whose turn it is: the client with the
 * fewest under way, and among those the one that has waited longest. Only addresses are
 * held, so that ten thousand take a megabyte: a row is read when its turn comes.
 */
struct psn_queue_item {
    char *address;
    size_t client;  /* its number */
    size_t next;    /* item of the same client, or SIZE_MAX */
    bool held;      /* its outcome is told after the second pass */
    uint8_t result; /* enum psn_result, of a held one */
};

struct psn_queue_client {
    char id[PSN_CLIENT_ID_MAX];
    size_t first; /* item that waits, or SIZE_MAX */
    size_t last;
    size_t running;
    uint64_t picked; /* when it was picked last */
};

struct psn_queue {
    struct psn_queue_item *items;
    size_t count;
    size_t capacity;
    struct psn_queue_client *clients;
    size_t client_count;
    size_t waiting;
    uint64_t picks;
};
void psn_queue_release(struct psn_queue *queue);

/* Puts a mailbox at the end, unless it is there already (*ret_known). NULL: it cannot be.
 */
PSN_MUST_CHECK enum psn_code psn_queue_add(struct psn_queue *queue, const char *address,
                                           const char *client, bool *ret_known,
                                           struct psn_error *err);

/* The item whose turn it is, which is under way from now on. False if none waits, or if
 * each client that has one has `most` under way. */
bool psn_queue_take(struct psn_queue *queue, size_t most, size_t *ret_index);
void psn_queue_end(struct psn_queue *queue, size_t index);
/* Lets those that are held wait once more. */
void psn_queue_again(struct psn_queue *queue);

#endif
