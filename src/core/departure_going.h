#ifndef PSN_CORE_DEPARTURE_GOING_H
#define PSN_CORE_DEPARTURE_GOING_H

#include "core/departure.h"

/* One run of a departure: what departure_go.c decides and departure_doors.c does. */
struct psn_going {
    struct psn_vault *vault;
    const struct psn_departure_run *run;
    struct psn_person person;
    struct psn_scope scope;
    struct psn_access_row *doors; /* his, that are open */
    size_t door_count;
    bool *unseen;   /* of the scope's clients: the last look did not see it */
    size_t blind;   /* how many */
    size_t waiting; /* issues */
    size_t worked;  /* mailboxes that a rotation was asked for in this round */
    bool looked;    /* after all that was done */
    bool ordered;   /* a removal that is a task of OVH's, in this run */
    bool failed;    /* a mailbox, an issue or a cut did not end well */
    char cut_client[PSN_CLIENT_ID_MAX];  /* where a cut was refused to our key */
    char (*refused)[PSN_FINDING_ID_MAX]; /* those: not asked for twice in a run */
    size_t refused_count;
};

bool psn_going_is_stopped(const struct psn_going *going);

/* Looks at every account of the scope, or (again) at those where something of his is or
 * was not seen; cuts what is his; and reads which doors are open. Under the operation
 * lock. */
PSN_MUST_CHECK enum psn_code psn_going_sweep(struct psn_going *going, bool again,
                                             struct psn_error *err);
/* A password that is set while a removal is under way would have to be set once more: so
 * OVH is given some time. What takes longer holds up nothing. */
PSN_MUST_CHECK enum psn_code psn_going_wait_for_cuts(struct psn_going *going,
                                                     struct psn_error *err);
/* An account could not be looked at; `blind` of a psn_account_sweep. */
void psn_going_tell_blind(void *arg, const char *client, const struct psn_error *why);

#endif
