#ifndef PSN_CORE_TOGETHER_H
#define PSN_CORE_TOGETHER_H

#include "core/vault.h"

/*
 * What several fibers have to write goes into one transaction, with one commit: whoever
 * comes first lets the others go on that are ready, and then writes for all that came
 * meanwhile. Nobody waits for more than what is ready. Outside of a loop each is alone.
 */
struct psn_together_part {
    enum psn_code (*write)(void *arg, struct psn_error *err); /* in the transaction */
    void (*undo)(void *arg); /* in memory: it was rolled back; write() may follow again */
    void *arg;
    struct psn_together_part *next;
    enum psn_code rc;
    struct psn_error err;
    bool is_done;
};

struct psn_together {
    struct psn_together_part *first; /* that waits; all zero: none */
};

/* Durable when it returns PSN_OK. Else nothing of it is, and what write() did in memory
 * is undone: the error of write(), or of its transaction. A part that cannot be written
 * does not take the others with it. While it waits it counts as a call over the network
 * (base/loop.h). */
PSN_MUST_CHECK enum psn_code psn_together_write(struct psn_together *together,
                                                struct psn_vault *vault,
                                                struct psn_together_part *part,
                                                struct psn_error *err);

#endif
