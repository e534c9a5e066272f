#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/i18n.h"
#include "base/unset.h"
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
 * A slot is a bucket and where the row of it begins that came last: a head, which says
 * where the one before it is, then the row in the form of a bucket's. An open-addressed
 * table.
 */
enum {
    MEMORY = 1024 * 1024,   /* rows in memory */
    SLOTS_FIRST = 4 * 1024, /* a power of two */
    SLOTS = 128 * 1024,
    LOAD_NUM = 3,
    LOAD_DEN = 4,
    PLACE_SHIFT = 64 - PSN_SORT_BITS,
    READ_FIRST = 512, /* most rows are smaller */
};

/* Of 42 bits, less than all that a file may hold. */
static const uint64_t file_max = (UINT64_C(1) << 40) - 1;

struct head {
    uint64_t before; /* the row before it in the bucket, 1 + where it begins; 0: none */
    uint32_t size;   /* of the row */
    bool replaces;   /* SQLite has the row, or will have it by then */
    bool is_unseen;  /* it should have none of the bucket, and was not asked */
};

struct psn_waiting {
    uint64_t *slots; /* place ‖ 1 + where the last row begins; 0: free */
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

/* Where its last row begins, plus 1. */
static uint64_t last_of(uint64_t slot)
{
    return slot & ((UINT64_C(1) << PLACE_SHIFT) - 1);
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

/* The bucket's slot, or the free one where it would be. There is always a free one. */
static uint64_t *slot_of(const struct psn_waiting *waiting, uint64_t place)
{
    size_t at = home_of(waiting, place);

    while (waiting->slots[at] && waiting->slots[at] >> PLACE_SHIFT != place)
        at = (at + 1) & (waiting->capacity - 1);
    return &waiting->slots[at];
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
            *slot_of(&grown, waiting->slots[i] >> PLACE_SHIFT) = waiting->slots[i];
    free(waiting->slots);
    *waiting = grown;
    return PSN_OK;
}

bool psn_waiting_has(const struct psn_store *store, unsigned table, uint32_t bucket)
{
    const struct psn_waiting *waiting = store->waiting;

    return waiting->count > 0 && *slot_of(waiting, place_of(table, bucket)) != 0;
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
                              struct psn_buf *row, struct head *ret_head,
                              struct psn_error *err)
{
    PSN_UNSET uint8_t first[READ_FIRST];
    size_t got;
    uint8_t *bytes;
    enum psn_code rc = read_file(store, at, first, sizeof first, &got, err);

    if (rc)
        return rc;
    memcpy(ret_head, first, sizeof *ret_head);
    if (got < sizeof *ret_head || ret_head->size > MEMORY || ret_head->before > at)
        return fail_file(store, EIO, err);
    got -= sizeof *ret_head;
    psn_buf_reset(row);
    bytes = psn_buf_reserve(row, ret_head->size);
    if (!bytes)
        return psn_buf_check(row, err);
    memcpy(bytes, first + sizeof *ret_head, got < ret_head->size ? got : ret_head->size);
    if (got < ret_head->size)
        rc = read_file(store, at + sizeof *ret_head, bytes, ret_head->size, &got, err);
    if (!rc && (got < ret_head->size || !psn_bucket_is_row(bytes, ret_head->size)))
        rc = fail_file(store, EIO, err);
    return rc;
}

/* The row that begins at `at`: its bytes borrowed from memory, or read into the buffer.
 */
static enum psn_code row_at(const struct psn_store *store, uint64_t at,
                            struct psn_buf *row, struct head *ret_head,
                            const uint8_t **ret_bytes, struct psn_error *err)
{
    const struct psn_waiting *waiting = store->waiting;
    enum psn_code rc = PSN_OK;

    if (at < waiting->written) {
        rc = read_row(store, at, row, ret_head, err);
        *ret_bytes = row->data;
    } else {
        const uint8_t *bytes = waiting->bytes + (at - waiting->written);

        memcpy(ret_head, bytes, sizeof *ret_head);
        *ret_bytes = bytes + sizeof *ret_head;
    }
    return rc;
}

/* What is done with each row of a bucket, in the order in which they came. */
typedef enum psn_code each_fn(void *arg, const struct head *head, const uint8_t *bytes,
                              struct psn_error *err);

/* Where the rows before the last one begin, plus 1, the last of them first. */
static enum psn_code collect(const struct psn_store *store, uint64_t last,
                             struct psn_buf *row, struct psn_buf *places,
                             struct psn_error *err)
{
    struct head head = { .before = last };
    const uint8_t *bytes;
    enum psn_code rc = PSN_OK;

    while (!rc && head.before) {
        psn_buf_bytes(places, &head.before, sizeof head.before);
        rc = row_at(store, head.before - 1, row, &head, &bytes, err);
    }
    return rc ? rc : psn_buf_check(places, err);
}

static enum psn_code each_row(const struct psn_store *store, uint64_t slot, each_fn *each,
                              void *arg, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) row = psn_buf_init(PSN_STORE_BUCKET_MAX);
    PSN_AUTO_RELEASE(psn_buf) places = psn_buf_init(PSN_STORE_BUCKET_MAX);
    struct head head;
    const uint8_t *bytes = NULL;
    uint64_t at = last_of(slot);
    enum psn_code rc = row_at(store, at - 1, &row, &head, &bytes, err);

    if (rc || !head.before) /* most buckets have one */
        return rc ? rc : each(arg, &head, bytes, err);
    rc = collect(store, at, &row, &places, err);
    while (!rc && places.size > 0) {
        memcpy(&at, places.data + places.size - sizeof at, sizeof at);
        psn_buf_cut(&places, places.size - sizeof at);
        rc = row_at(store, at - 1, &row, &head, &bytes, err);
        if (!rc)
            rc = each(arg, &head, bytes, err);
    }
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
                              bool is_unseen, bool *ret_taken, struct psn_error *err)
{
    struct psn_waiting *waiting = store->waiting;
    struct head head = { .size = (uint32_t)row->size,
                         .replaces = replaces,
                         .is_unseen = is_unseen };
    uint64_t place = place_of(table, bucket);
    uint64_t *slot;
    enum psn_code rc = reserve(store, sizeof head + row->size, ret_taken, err);

    if (rc || !*ret_taken)
        return rc;
    slot = slot_of(waiting, place);
    head.before = last_of(*slot);
    waiting->count += *slot == 0;
    *slot = place << PLACE_SHIFT | (waiting->written + waiting->used + 1);
    memcpy(waiting->bytes + waiting->used, &head, sizeof head);
    memcpy(waiting->bytes + waiting->used + sizeof head, row->bytes, row->size);
    waiting->used += sizeof head + row->size;
    store->changes++;
    return PSN_OK;
}

/* --- out --- */

static enum psn_code lay_over(void *arg, const struct head *head, const uint8_t *bytes,
                              struct psn_error *err)
{
    (void)head;
    return psn_bucket_put(arg, bytes, err);
}

enum psn_code psn_waiting_overlay(const struct psn_store *store, unsigned table,
                                  uint32_t bucket, struct psn_bucket *rows,
                                  struct psn_error *err)
{
    return psn_waiting_has(store, table, bucket)
               ? each_row(store, *slot_of(store->waiting, place_of(table, bucket)),
                          lay_over, rows, err)
               : PSN_OK;
}

struct writing {
    struct psn_store *store;
    unsigned table;
    uint32_t bucket;
};

static enum psn_code write_row(void *arg, const struct head *head, const uint8_t *bytes,
                               struct psn_error *err)
{
    const struct writing *writing = arg;
    struct psn_row_view view;
    enum psn_code rc = PSN_OK;

    if (head->is_unseen)
        rc =
            psn_bucket_check_absent(writing->store, writing->table, writing->bucket, err);
    psn_bucket_view(bytes, &view);
    return rc ? rc
              : psn_row_write(writing->store, writing->table, &view, head->replaces, err);
}

/* All slots, sorted by place: at the beginning. */
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
    struct writing writing = { .store = store };
    enum psn_code rc;

    if (waiting->count == 0)
        return PSN_OK;
    rc = sort(waiting, err);
    for (size_t i = 0; !rc && i < waiting->count; i++) {
        uint64_t place = waiting->slots[i] >> PLACE_SHIFT;

        writing.table = (unsigned)(place >> PSN_TREE_BUCKET_BITS);
        writing.bucket = place & (PSN_TREE_BUCKETS - 1);
        rc = each_row(store, waiting->slots[i], write_row, &writing, err);
    }
    if (rc) {
        store->spoiled = rc;
        return rc;
    }
    psn_waiting_clear(waiting);
    return PSN_OK;
}
