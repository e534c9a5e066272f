#ifndef PSN_CORE_BULK_H
#define PSN_CORE_BULK_H

#include "core/queue.h"
#include "core/rotation.h"

/*
 * One command's work on many mailboxes: each in a fiber of its own (base/loop.h), as many
 * at once as the run allows, fair between clients. An outcome is reported when it is
 * known; the run's result is that of the first failure in input order.
 */
enum {
    PSN_JOBS_DEFAULT = 16,
    PSN_JOBS_MAX = 64,
};

/* Reads the row when its turn comes, in a transaction. */
typedef enum psn_code psn_bulk_load_fn(struct psn_session *session, const char *address,
                                       struct psn_role_row *ret_row,
                                       struct psn_error *err);
/* Does one mailbox. Its own failure is in the outcome; anything but PSN_OK ends the run.
 */
typedef enum psn_code psn_bulk_each_fn(struct psn_session *session,
                                       struct psn_role_row *row,
                                       struct psn_outcome *outcome,
                                       struct psn_error *err);

struct psn_bulk {
    struct psn_session *session;
    struct psn_queue *queue;
    psn_bulk_load_fn *load; /* NULL: the row as it is in the vault */
    psn_bulk_each_fn *each;
    /* With run->prove: asks once more about an old password, after all are changed. */
    psn_bulk_each_fn *prove;
};

PSN_MUST_CHECK enum psn_code psn_bulk_run(const struct psn_bulk *bulk,
                                          struct psn_error *err);

/* Changes the password of one mailbox at OVH, after a look that it is there. */
psn_bulk_each_fn psn_rotate_one;
/* E_NOT_FOUND: there is no such mailbox at OVH. */
enum psn_code psn_fail_absent(const struct psn_role_row *row, struct psn_error *err);

/* What is known of a mailbox before anything is done. */
struct psn_outcome psn_outcome_of(const struct psn_role_row *row);
/* Makes it a failure. */
void psn_outcome_fail(struct psn_outcome *outcome, enum psn_code rc);

#endif
