#include "core/together.h"

#include <assert.h>

#include "base/loop.h"

enum outcome {
    WRITTEN,
    NOT_BEGUN_OR_WRITTEN,
    NOT_COMMITTED, /* it is not tried again: an fsync that failed says nothing later */
};

static void undo(struct psn_together_part *from, const struct psn_together_part *end)
{
    for (; from != end; from = from->next)
        from->undo(from->arg);
}

/* One transaction, from a part up to another one. */
static enum outcome write_some(struct psn_vault *vault, struct psn_together_part *from,
                               const struct psn_together_part *end, struct psn_error *err)
{
    struct psn_together_part *at = from;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    enum psn_code written;

    if (rc)
        return NOT_BEGUN_OR_WRITTEN;
    for (; !rc && at != end; at = at->next)
        rc = at->write(at->arg, err);
    written = rc;
    rc = psn_vault_end(vault, rc, err);
    if (!rc)
        return WRITTEN;
    undo(from, at);
    return written ? NOT_BEGUN_OR_WRITTEN : NOT_COMMITTED;
}

static void end_part(struct psn_together_part *part, enum outcome outcome,
                     const struct psn_error *err)
{
    part->is_done = true;
    part->rc = outcome == WRITTEN ? PSN_OK : err->code;
    part->err = *err;
}

/* Those after the first go alone if not all could be written at once. */
static void write_all(struct psn_vault *vault, struct psn_together_part *first)
{
    struct psn_error err = { 0 };
    enum outcome outcome = write_some(vault, first, NULL, &err);
    bool each = outcome == NOT_BEGUN_OR_WRITTEN && first->next;

    while (first) {
        struct psn_together_part *next = first->next;

        if (each) {
            psn_error_clear(&err);
            outcome = write_some(vault, first, next, &err);
        }
        end_part(first, outcome, &err);
        first = next;
    }
}

static void line_up(struct psn_together *together, struct psn_together_part *part)
{
    struct psn_together_part **end = &together->first;

    while (*end)
        end = &(*end)->next;
    *end = part;
}

enum psn_code psn_together_write(struct psn_together *together, struct psn_vault *vault,
                                 struct psn_together_part *part, struct psn_error *err)
{
    bool leads = !together->first;

    part->next = NULL;
    part->is_done = false;
    line_up(together, part);
    psn_loop_yield();
    if (leads) {
        struct psn_together_part *first = together->first;

        together->first = NULL;
        write_all(vault, first);
    }
    /* Who came later began to wait later, and goes on later. */
    assert(part->is_done);
    if (part->rc && err)
        *err = part->err;
    return part->rc;
}
