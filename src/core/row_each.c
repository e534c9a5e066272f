/*
 * Walks over the rows of a table. Only one thread may read them from the store; to check
 * and open them is more than half of the work, and needs nothing but the key. So of a
 * long walk another processor does that, while this one reads what comes next and passes
 * on what came before. What the caller sees is the same, in the same order, up to
 * the same first failure.
 */
#include <stdlib.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/worker.h"
#include "core/vault.h"

enum {
    ALONE = 64,  /* rows; to begin a thread for fewer costs more than it spares */
    BATCHES = 4, /* so that neither waits for the other at each of them */
    BATCH_ROWS = 256,
    BATCH_BYTES = 256 * 1024, /* of rows that are read at once */
    HELD_BYTES = 1024 * 1024, /* from here on nothing more is read ahead */
    KEPT_BYTES = 4096,        /* what a row has room for from one batch to the next */
};

struct walk {
    struct psn_vault *vault;
    enum psn_table table;
    const struct psn_secret *key; /* or NULL: the boxes stay shut */
    psn_row_fn *each;
    void *arg;
    struct psn_store_scan *scan;
    size_t told; /* rows, by this thread alone */
};

struct batch {
    const struct walk *walk;
    struct psn_store_span *span;
    struct psn_store_row rows[BATCH_ROWS];
    struct psn_buf plains[BATCH_ROWS];
    size_t opened;
    enum psn_code rc; /* of what came after those */
    struct psn_error err;
};

static enum psn_code open_next(const struct walk *walk, struct psn_store_span *span,
                               struct psn_store_row *row, struct psn_buf *plain,
                               bool *ret_found, struct psn_error *err)
{
    enum psn_code rc = psn_store_span_next(span, row, ret_found, err);

    if (rc || !*ret_found || !walk->key)
        return rc;
    return psn_row_open(walk->vault, walk->table, row, walk->key, plain, err);
}

/* --- by one thread --- */

/* What is left of a span. */
static enum psn_code walk_span(struct walk *walk, struct psn_store_span *span,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_ISSUE_RECORD_MAX);
    bool found = true;
    enum psn_code rc = PSN_OK;

    while (!rc) {
        rc = open_next(walk, span, &row, &plain, &found, err);
        if (rc || !found)
            break;
        rc = walk->each(walk->arg, &row, &plain, err);
        walk->told++;
    }
    return rc;
}

/* One bucket after the other, until so many rows were told. */
static enum psn_code walk_alone(struct walk *walk, size_t max, struct psn_error *err)
{
    PSN_AUTO(psn_store_span) *span = NULL;
    enum psn_code rc = psn_store_span_new(walk->scan, &span, err);

    while (!rc && walk->told < max && !psn_store_scan_is_over(walk->scan)) {
        rc = psn_store_scan_read(walk->scan, 1, 1, span, err);
        if (!rc)
            rc = walk_span(walk, span, err);
    }
    return rc;
}

/* --- by two --- */

static void batch_free(struct batch *batch)
{
    if (!batch)
        return;
    for (size_t i = 0; i < BATCH_ROWS; i++) {
        psn_store_row_release(&batch->rows[i]);
        psn_buf_release(&batch->plains[i]);
    }
    psn_store_span_free(batch->span);
    free(batch);
}

static enum psn_code batch_new(const struct walk *walk, struct batch **ret_batch,
                               struct psn_error *err)
{
    struct batch *batch = calloc(1, sizeof *batch);
    enum psn_code rc;

    if (!batch)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    batch->walk = walk;
    for (size_t i = 0; i < BATCH_ROWS; i++) {
        batch->rows[i] = psn_store_row_init();
        batch->plains[i] = psn_buf_init_wiped(PSN_ISSUE_RECORD_MAX);
    }
    rc = psn_store_span_new(walk->scan, &batch->span, err);
    if (rc)
        batch_free(batch);
    else
        *ret_batch = batch;
    return rc;
}

static void read_batch(const struct walk *walk, struct batch *batch)
{
    batch->err = (struct psn_error){ 0 };
    batch->rc = psn_store_scan_read(walk->scan, BATCH_ROWS, BATCH_BYTES, batch->span,
                                    &batch->err);
}

/* The worker's: as many of the span's rows as there is room for. A failure here comes
 * before one of the reading. */
static void open_batch(void *job)
{
    struct batch *batch = job;
    struct psn_error err = { 0 };
    bool found = true;
    enum psn_code rc = PSN_OK;

    batch->opened = 0;
    while (batch->opened < BATCH_ROWS) {
        rc = open_next(batch->walk, batch->span, &batch->rows[batch->opened],
                       &batch->plains[batch->opened], &found, &err);
        if (rc || !found)
            break;
        batch->opened++;
    }
    if (!rc)
        return;
    batch->rc = rc;
    batch->err = err;
}

/* So that what is kept does not grow to as many large rows as a batch may have. */
static void trim_batch(struct batch *batch)
{
    for (size_t i = 0; i < batch->opened; i++) {
        if (batch->rows[i].box.capacity > KEPT_BYTES)
            psn_store_row_release(&batch->rows[i]);
        if (batch->plains[i].capacity > KEPT_BYTES)
            psn_buf_release(&batch->plains[i]);
    }
}

static enum psn_code tell_batch(struct walk *walk, struct batch *batch,
                                struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < batch->opened; i++)
        rc = walk->each(walk->arg, &batch->rows[i], &batch->plains[i], err);
    trim_batch(batch);
    /* A bucket may have many more rows than there was room for. */
    if (!rc && batch->opened == BATCH_ROWS)
        rc = walk_span(walk, batch->span, err);
    if (rc)
        return rc;
    if (batch->rc && err)
        *err = batch->err;
    return batch->rc;
}

static enum psn_code walk_with(struct psn_worker *worker, struct walk *walk,
                               struct batch *batches[BATCHES], struct psn_error *err)
{
    size_t read = 0;
    size_t told = 0;
    size_t held = 0; /* a bucket may be of any size */
    enum psn_code rc = PSN_OK;

    while (!rc && (told < read || !psn_store_scan_is_over(walk->scan))) {
        for (; read < told + BATCHES && held < HELD_BYTES &&
               !psn_store_scan_is_over(walk->scan);
             read++) {
            read_batch(walk, batches[read % BATCHES]);
            held += psn_store_span_size(batches[read % BATCHES]->span);
            psn_worker_hand(worker, batches[read % BATCHES]);
        }
        psn_worker_await(worker);
        held -= psn_store_span_size(batches[told % BATCHES]->span);
        rc = tell_batch(walk, batches[told++ % BATCHES], err);
    }
    return rc;
}

/* The rest of a long walk. */
static enum psn_code walk_on(struct walk *walk, struct psn_error *err)
{
    PSN_AUTO(psn_worker) *worker = NULL;
    struct batch *batches[BATCHES] = { NULL };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < BATCHES; i++)
        rc = batch_new(walk, &batches[i], err);
    if (!rc)
        rc = psn_worker_new(open_batch, &worker, err);
    if (!rc)
        rc = walk_with(worker, walk, batches, err);
    psn_worker_free(PSN_TAKE(worker));
    for (size_t i = 0; i < BATCHES; i++)
        batch_free(batches[i]);
    return rc;
}

enum psn_code psn_row_each(struct psn_vault *vault, enum psn_table table,
                           const struct psn_row_key *prefix, const struct psn_secret *key,
                           psn_row_fn *each, void *arg, struct psn_error *err)
{
    PSN_AUTO(psn_store_scan) *scan = NULL;
    struct walk walk = {
        .vault = vault, .table = table, .key = key, .each = each, .arg = arg
    };
    enum psn_code rc =
        psn_store_scan_open(vault->store, table, prefix ? prefix->bytes : NULL,
                            prefix ? prefix->size : 0, &scan, err);

    walk.scan = scan;
    if (!rc)
        rc = walk_alone(&walk, key ? ALONE : SIZE_MAX, err);
    if (!rc && !psn_store_scan_is_over(scan))
        rc = walk_on(&walk, err);
    return psn_row_explain(rc, err);
}
