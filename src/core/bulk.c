#include "core/bulk.h"

#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/loop.h"

struct run {
    const struct psn_bulk *bulk;
    psn_bulk_each_fn *each;
    bool is_second;         /* the pass of the negative tests */
    size_t most;            /* of one client at once */
    size_t first_failed;    /* of the first failure in input order … */
    struct psn_error error; /* … and what it was */
    bool unfinished;
};

struct psn_outcome psn_outcome_of(const struct psn_role_row *row)
{
    struct psn_outcome outcome = { .result = PSN_RESULT_UNCHANGED,
                                   .version = row->rotation.cur,
                                   .old_dead =
                                       (enum psn_tristate)row->rotation.old_dead };

    (void)snprintf(outcome.address, sizeof outcome.address, "%s", row->address);
    return outcome;
}

void psn_outcome_fail(struct psn_outcome *outcome, enum psn_code rc)
{
    outcome->result = PSN_RESULT_FAILED;
    if (!outcome->error.code)
        outcome->error.code = rc;
}

static enum psn_code load_row(const struct psn_bulk *bulk, const char *address,
                              struct psn_role_row *ret_row, struct psn_error *err)
{
    struct psn_vault *vault = bulk->session->vault;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = bulk->load ? bulk->load(bulk->session, address, ret_row, err)
                    : psn_role_read(vault, address, ret_row, err);
    return psn_vault_end(vault, rc, err);
}

static enum psn_code report(struct run *run, size_t index,
                            const struct psn_outcome *outcome, struct psn_error *err)
{
    struct psn_session *session = run->bulk->session;

    if (outcome->error.code && index < run->first_failed) {
        run->first_failed = index;
        run->error = outcome->error;
    }
    if (outcome->result == PSN_RESULT_UNCERTAIN)
        run->unfinished = true;
    session->ended++;
    return session->run->done ? session->run->done(session->run->arg, outcome, err)
                              : PSN_OK;
}

/* With --prove an outcome is told once, when the old password was asked for again. */
static bool is_to_be_proved(const struct run *run, const struct psn_outcome *outcome)
{
    return run->bulk->prove && run->bulk->session->run->prove && !run->is_second &&
           outcome->result == PSN_RESULT_ROTATED && outcome->old_dead != PSN_TRUE;
}

static enum psn_code finish(struct run *run, size_t index, struct psn_outcome *outcome,
                            struct psn_error *err)
{
    struct psn_queue_item *item = &run->bulk->queue->items[index];

    if (is_to_be_proved(run, outcome)) {
        item->held = true;
        item->result = (uint8_t)outcome->result;
        return PSN_OK;
    }
    if (item->held) {
        item->held = false;
        outcome->result = (enum psn_result)item->result;
        outcome->verified = true;
        psn_error_clear(&outcome->error);
    }
    return report(run, index, outcome, err);
}

/* --- what the loop asks for --- */

static enum psn_loop_next next(void *arg, void **ret_task)
{
    struct run *run = arg;
    size_t index;

    if (run->bulk->queue->waiting == 0)
        return PSN_LOOP_NONE;
    if (!psn_queue_take(run->bulk->queue, run->most, &index))
        return PSN_LOOP_LATER;
    *ret_task = &run->bulk->queue->items[index];
    return PSN_LOOP_TASK;
}

/* The role went away, or came, after the run had begun: no reason to end all others. */
static bool is_its_own(enum psn_code rc)
{
    return rc == PSN_E_NOT_FOUND || rc == PSN_E_EXISTS || rc == PSN_E_INVALID;
}

static enum psn_code work_on(struct run *run, const char *address,
                             struct psn_outcome *outcome, struct psn_error *err)
{
    struct psn_role_row row;
    struct psn_error cause = { 0 };
    enum psn_code rc = load_row(run->bulk, address, &row, &cause);

    if (!rc) {
        *outcome = psn_outcome_of(&row);
        return run->each(run->bulk->session, &row, outcome, err);
    }
    if (!is_its_own(rc)) {
        if (err)
            *err = cause;
        return rc;
    }
    *outcome = (struct psn_outcome){ .error = cause };
    (void)snprintf(outcome->address, sizeof outcome->address, "%s", address);
    psn_outcome_fail(outcome, rc);
    return PSN_OK;
}

static enum psn_code do_one(void *arg, void *task, struct psn_error *err)
{
    struct run *run = arg;
    struct psn_queue *queue = run->bulk->queue;
    size_t index = (size_t)((struct psn_queue_item *)task - queue->items);
    struct psn_outcome outcome;
    enum psn_code rc = work_on(run, queue->items[index].address, &outcome, err);

    if (!rc)
        rc = finish(run, index, &outcome, err);
    psn_queue_end(queue, index);
    return rc;
}

static bool is_stopped(void *arg)
{
    const struct run *run = arg;

    return psn_session_stopped(run->bulk->session);
}

/* --- passes --- */

/* More fibers than calls: one that waits for a token, a task or a proof makes no call,
 * and each client must have one at work. */
static enum psn_code pass(struct run *run, psn_bulk_each_fn *each, struct psn_error *err)
{
    const struct psn_queue *queue = run->bulk->queue;
    unsigned jobs = run->bulk->session->run->jobs;
    struct psn_loop_work work = { .next = next, .each = do_one, .stop = is_stopped };

    if (jobs == 0)
        jobs = PSN_JOBS_DEFAULT;
    run->most = 2 * (size_t)jobs;
    run->each = each;
    work.arg = run;
    work.calls = jobs;
    work.fibers = run->most > queue->client_count ? run->most : queue->client_count;
    if (work.fibers > PSN_LOOP_FIBERS_MAX)
        work.fibers = PSN_LOOP_FIBERS_MAX;
    if (work.fibers > queue->waiting)
        work.fibers = queue->waiting ? queue->waiting : 1;
    return psn_loop_run(&work, err);
}

/* Those that a stop has left without a second look. */
static enum psn_code tell_held(struct run *run, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < run->bulk->queue->count; i++) {
        struct psn_role_row row;
        struct psn_outcome outcome;

        if (!run->bulk->queue->items[i].held)
            continue;
        rc = load_row(run->bulk, run->bulk->queue->items[i].address, &row, err);
        if (rc)
            return rc;
        outcome = psn_outcome_of(&row);
        rc = finish(run, i, &outcome, err);
    }
    return rc;
}

/* The run's own result: unfinished work first, else the first failure. */
static enum psn_code sum_up(const struct run *run, struct psn_error *err)
{
    if (run->unfinished || psn_session_stopped(run->bulk->session)) {
        (void)psn_fail(err, PSN_E_UNFINISHED, _("some mailboxes are not finished"));
        return psn_hint(err, PSN_E_UNFINISHED,
                        _("nothing is lost; go on with: passation resume"));
    }
    if (run->first_failed == SIZE_MAX)
        return PSN_OK;
    if (err)
        *err = run->error;
    return run->error.code;
}

enum psn_code psn_bulk_run(const struct psn_bulk *bulk, struct psn_error *err)
{
    struct run run = { .bulk = bulk, .first_failed = SIZE_MAX };
    enum psn_code rc;

    bulk->session->count = bulk->queue->count;
    bulk->session->ended = 0;
    rc = pass(&run, bulk->each, err);
    psn_queue_again(bulk->queue);
    if (!rc && bulk->queue->waiting > 0) {
        run.is_second = true;
        rc = pass(&run, bulk->prove, err);
    }
    if (!rc)
        rc = tell_held(&run, err);
    return rc ? rc : sum_up(&run, err);
}
