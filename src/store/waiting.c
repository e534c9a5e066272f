#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/i18n.h"
#include "store/internal.h"

/*
 * Rows of a large transaction that SQLite does not have yet. Their keys come in no order,
 * so each would be written into another page: read, changed, and pushed out of SQLite's
 * cache again before its neighbour comes. Here they lie one behind the other as they
 * came, and go to SQLite in the order of their places, so that each page is written once.
 *
 * They are sealed rows, as SQLite's own file holds them. What does not fit into memory is
 * in a file without a name beside the vault, of which nothing is left after a crash.
 * Where there can be no such file, rows do not wait.
 *
 * A slot is where a row's bucket is, where its size and bytes begin, and what it is for
 * SQLite; a bucket has as many as it has rows that wait. An open-addressed table.
 */
enum {
    MEMORY = 1024 * 1024,   /* rows in memory */
    SLOTS_FIRST = 4 * 1024, /* a power of two */
    SLOTS = 256 * 1024,
    LOAD_NUM = 3,
    LOAD_DEN = 4,
    PLACE_SHIFT = 64 - PSN_SORT_BITS,
    IS_USED = 1,
    REPLACES = 2,     /* SQLite has the row, or will have it by then */
    FLAGS = 2,        /* so many bits */
    READ_FIRST = 512, /* most rows are smaller */
};

static const uint64_t file_max = (UINT64_C(1) << (PLACE_SHIFT - FLAGS)) - 1;

struct psn_waiting {
    uint64_t *slots;
    size_t capacity;
    size_t count;
    uint8_t *bytes; /* the rows that came last */
    size_t used;
    uint64_t written; /* bytes that the file has; those in memory come behind them */
    int fd;           /* of the file; -1: none yet */
    bool is_refused;  /* there can be no file */
};

static uint64_t place_of(unsigned table, uint32_t bucket)
{
    return (uint64_t)table << PSN_TREE_BUCKET_BITS | bucket;
}

enum psn_code psn_waiting_new(struct psn_waiting **ret_waiting, struct psn_error *err)
{
    struct psn_waiting *waiting = calloc(1, sizeof *waiting);

    if (!waiting)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    waiting->fd = -1;
    *ret_waiting = waiting;
    return PSN_OK;
}

void psn_waiting_clear(struct psn_waiting *waiting)
{
    free(PSN_TAKE(waiting->slots));
    free(PSN_TAKE(waiting->bytes));
    if (waiting->fd >= 0)
        (void)close(waiting->fd);
    *waiting = (struct psn_waiting){ .fd = -1, .is_refused = waiting->is_refused };
}

void psn_waiting_free(struct psn_waiting *waiting)
{
    if (waiting)
        psn_waiting_clear(waiting);
    free(waiting);
}

/* --- where rows are --- */

/* Keys are PRFs, and so the buckets' numbers are spread already. */
static size_t home_of(const struct psn_waiting *waiting, uint64_t place)
{
    return (place + (place >> PSN_TREE_BUCKET_BITS) * 40503) & (waiting->capacity - 1);
}

static void put_slot(struct psn_waiting *waiting, uint64_t slot)
{
    size_t at = home_of(waiting, slot >> PLACE_SHIFT);

    while (waiting->slots[at])
        at = (at + 1) & (waiting->capacity - 1);
    waiting->slots[at] = slot;
}

static enum psn_code grow(struct psn_waiting *waiting, struct psn_error *err)
{
    struct psn_waiting grown = *waiting;

    grown.capacity = waiting->capacity ? 2 * waiting->capacity : (size_t)SLOTS_FIRST;
    grown.slots = calloc(grown.capacity, sizeof *grown.slots);
    if (!grown.slots)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < waiting->capacity; i++)
        if (waiting->slots[i])
            put_slot(&grown, waiting->slots[i]);
    free(waiting->slots);
    *waiting = grown;
    return PSN_OK;
}

bool psn_waiting_has(const struct psn_store *store, unsigned table, uint32_t bucket)
{
    const struct psn_waiting *waiting = store->waiting;
    uint64_t place = place_of(table, bucket);

    if (waiting->count == 0)
        return false;
    for (size_t at = home_of(waiting, place); waiting->slots[at];
         at = (at + 1) & (waiting->capacity - 1))
        if (waiting->slots[at] >> PLACE_SHIFT == place)
            return true;
    return false;
}

/* --- their bytes --- */

static enum psn_code fail_file(const struct psn_store *store, int cause,
                               struct psn_error *err)
{
    return psn_fail(err, psn_file_code(cause),
                    _("cannot read or write the vault '%s': %s"), store->path,
                    strerror(cause));
}

/* False: there can be none here. */
static bool open_file(struct psn_store *store)
{
    struct psn_waiting *waiting = store->waiting;
    PSN_AUTO_FREE char *dir = psn_file_dir_of(store->file);

    if (dir && waiting->fd < 0)
        waiting->fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    waiting->is_refused = waiting->fd < 0;
    return !waiting->is_refused;
}

/* What is in memory goes into the file. */
static enum psn_code spill(struct psn_store *store, struct psn_error *err)
{
    struct psn_waiting *waiting = store->waiting;
    int cause = psn_file_write_fd(waiting->fd, waiting->bytes, waiting->used);

    if (cause)
        return fail_file(store, cause, err);
    waiting->written += waiting->used;
    waiting->used = 0;
    return PSN_OK;
}

static enum psn_code read_file(const struct psn_store *store, uint64_t at, uint8_t *bytes,
                               size_t size, size_t *ret_size, struct psn_error *err)
{
    ssize_t got;

    *ret_size = 0;
    while (*ret_size < size) {
        got = pread(store->waiting->fd, bytes + *ret_size, size - *ret_size,
                    (off_t)(at + *ret_size));
        if (got < 0 && errno != EINTR)
            return fail_file(store, errno, err);
        if (got == 0)
            break;
        if (got > 0)
            *ret_size += (size_t)got;
    }
    return PSN_OK;
}

/* Puts the row at `at` of the file into the buffer. */
static enum psn_code read_row(const struct psn_store *store, uint64_t at,
                              struct psn_buf *row, struct psn_error *err)
{
    uint8_t first[READ_FIRST];
    size_t got;
    uint32_t size = 0;
    uint8_t *bytes;
    enum psn_code rc = read_file(store, at, first, sizeof first, &got, err);

    if (rc)
        return rc;
    memcpy(&size, first, sizeof size);
    if (got < sizeof size || size > MEMORY)
        return fail_file(store, EIO, err);
    got -= sizeof size;
    psn_buf_reset(row);
    bytes = psn_buf_reserve(row, size);
    if (!bytes)
        return psn_buf_check(row, err);
    memcpy(bytes, first + sizeof size, got < size ? got : size);
    if (got < size)
        rc = read_file(store, at + sizeof size, bytes, size, &got, err);
    if (!rc && (got < size || !psn_bucket_is_row(bytes, size)))
        rc = fail_file(store, EIO, err);
    return rc;
}

/* The bytes of a slot's row: borrowed from memory, or read into the buffer. */
static enum psn_code bytes_of(const struct psn_store *store, uint64_t slot,
                              struct psn_buf *row, const uint8_t **ret_bytes,
                              struct psn_error *err)
{
    const struct psn_waiting *waiting = store->waiting;
    uint64_t at = slot << PSN_SORT_BITS >> (PSN_SORT_BITS + FLAGS);
    enum psn_code rc;

    if (at >= waiting->written) {
        *ret_bytes = waiting->bytes + (at - waiting->written) + sizeof(uint32_t);
        return PSN_OK;
    }
    rc = read_row(store, at, row, err);
    *ret_bytes = row->data;
    return rc;
}

/* --- in --- */

bool psn_waiting_takes(const struct psn_store *store)
{
    return store->changes >= PSN_STORE_MANY_CHANGES && !store->waiting->is_refused;
}

/* Room for one row more; *ret_has_room false: there can be none. */
static enum psn_code reserve(struct psn_store *store, size_t size, bool *ret_has_room,
                             struct psn_error *err)
{
    struct psn_waiting *waiting = store->waiting;
    enum psn_code rc = PSN_OK;

    *ret_has_room = size <= MEMORY;
    if (!*ret_has_room)
        return PSN_OK;
    if (LOAD_DEN * (waiting->count + 1) > (size_t)LOAD_NUM * SLOTS ||
        waiting->written > file_max - MEMORY)
        rc = psn_waiting_flush(store, err);
    if (!rc && !waiting->bytes) {
        waiting->bytes = malloc(MEMORY);
        if (!waiting->bytes)
            rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    if (!rc && LOAD_DEN * (waiting->count + 1) > LOAD_NUM * waiting->capacity)
        rc = grow(waiting, err);
    if (rc || waiting->used + size <= MEMORY)
        return rc;
    if (open_file(store))
        return spill(store, err);
    *ret_has_room = false;
    psn_sql_make_room(store);
    return psn_waiting_flush(store, err);
}

enum psn_code psn_waiting_add(struct psn_store *store, unsigned table, uint32_t bucket,
                              const struct psn_store_part *row, bool replaces,
                              bool *ret_taken, struct psn_error *err)
{
    struct psn_waiting *waiting = store->waiting;
    uint32_t size = (uint32_t)row->size;
    uint64_t at;
    enum psn_code rc = reserve(store, sizeof size + row->size, ret_taken, err);

    if (rc || !*ret_taken)
        return rc;
    at = waiting->written + waiting->used;
    memcpy(waiting->bytes + waiting->used, &size, sizeof size);
    memcpy(waiting->bytes + waiting->used + sizeof size, row->bytes, row->size);
    waiting->used += sizeof size + row->size;
    put_slot(waiting, place_of(table, bucket) << PLACE_SHIFT | at << FLAGS | IS_USED |
                          (replaces ? REPLACES : 0));
    waiting->count++;
    store->changes++;
    return PSN_OK;
}

/* --- out --- */

enum psn_code psn_waiting_overlay(const struct psn_store *store, unsigned table,
                                  uint32_t bucket, struct psn_bucket *rows,
                                  struct psn_error *err)
{
    const struct psn_waiting *waiting = store->waiting;
    PSN_AUTO_RELEASE(psn_buf) row = psn_buf_init(PSN_STORE_BUCKET_MAX);
    uint64_t place = place_of(table, bucket);
    uint64_t last = 0;
    enum psn_code rc = PSN_OK;

    /* In the order in which they came: a later one of the same key replaces. */
    while (!rc && waiting->count > 0) {
        const uint8_t *bytes = NULL;
        uint64_t next = UINT64_MAX;

        for (size_t at = home_of(waiting, place); waiting->slots[at];
             at = (at + 1) & (waiting->capacity - 1))
            if (waiting->slots[at] >> PLACE_SHIFT == place && waiting->slots[at] > last &&
                waiting->slots[at] < next)
                next = waiting->slots[at];
        if (next == UINT64_MAX)
            break;
        last = next;
        rc = bytes_of(store, next, &row, &bytes, err);
        if (!rc)
            rc = psn_bucket_put(rows, bytes, err);
    }
    return rc;
}

static enum psn_code write_slot(struct psn_store *store, uint64_t slot,
                                struct psn_buf *row, struct psn_error *err)
{
    struct psn_row_view view;
    const uint8_t *bytes = NULL;
    enum psn_code rc = bytes_of(store, slot, row, &bytes, err);

    if (rc)
        return rc;
    psn_bucket_view(bytes, &view);
    return psn_row_write(store, (unsigned)(slot >> (PLACE_SHIFT + PSN_TREE_BUCKET_BITS)),
                         &view, (slot & REPLACES) != 0, err);
}

/* All slots, sorted by place, those of one place as they came: at the beginning. */
static enum psn_code sort(struct psn_waiting *waiting, struct psn_error *err)
{
    PSN_AUTO_FREE uint64_t *scratch = malloc(waiting->count * sizeof *scratch);
    size_t count = 0;

    if (!scratch)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < waiting->capacity; i++)
        if (waiting->slots[i])
            waiting->slots[count++] = waiting->slots[i];
    assert(count == waiting->count);
    psn_sort(waiting->slots, count, scratch);
    return PSN_OK;
}

enum psn_code psn_waiting_flush(struct psn_store *store, struct psn_error *err)
{
    struct psn_waiting *waiting = store->waiting;
    PSN_AUTO_RELEASE(psn_buf) row = psn_buf_init(PSN_STORE_BUCKET_MAX);
    enum psn_code rc;

    if (waiting->count == 0)
        return PSN_OK;
    rc = sort(waiting, err);
    for (size_t i = 0; !rc && i < waiting->count; i++)
        rc = write_slot(store, waiting->slots[i], &row, err);
    if (rc) {
        store->spoiled = rc;
        return rc;
    }
    psn_waiting_clear(waiting);
    return PSN_OK;
}
