#include "core/together.h"

#include <assert.h>

#include "base/loop.h"

static void undo(struct psn_together_part *from, const struct psn_together_part *end)
{
    for (; from != end; from = from->next)
        from->undo(from->arg);
}

/* One transaction, from a part up to another one. *ret_again: others may be tried after
 * it. Not after a commit that failed: an fsync that failed says nothing later. */
static enum psn_code write_some(struct psn_vault *vault, struct psn_together_part *from,
                                const struct psn_together_part *end, bool *ret_again,
                                struct psn_error *err)
{
    struct psn_together_part *at = from;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    *ret_again = true;
    if (rc)
        return rc;
    for (; !rc && at != end; at = at->next)
        rc = at->write(at->arg, err);
    *ret_again = rc != PSN_OK;
    rc = psn_vault_end(vault, rc, err);
    if (rc)
        undo(from, at);
    return rc;
}

static void end_part(struct psn_together_part *part, enum psn_code rc,
                     const struct psn_error *err)
{
    part->is_done = true;
    part->rc = rc;
    part->err = *err;
}

/* Those after the first go alone if not all could be written at once. */
static void write_all(struct psn_vault *vault, struct psn_together_part *first)
{
    struct psn_error err = { 0 };
    bool again = false;
    enum psn_code rc = write_some(vault, first, NULL, &again, &err);
    bool each = rc && again && first->next;

    while (first) {
        struct psn_together_part *next = first->next;

        if (each) {
            psn_error_clear(&err);
            rc = write_some(vault, first, next, &again, &err);
        }
        end_part(first, rc, &err);
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
