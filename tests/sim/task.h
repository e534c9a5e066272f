#ifndef SIM_TASK_H
#define SIM_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "fault.h"
#include "sim.h"

/*
 * What OVH does later. A task of email/domain is listed from the call until it ends; its
 * effect and its disappearance are one step. Those of the newer families are in work.h;
 * here they only wait. One thread of the simulator runs those that are due.
 */
enum sim_task_kind {
    SIM_TASK_ADD,
    SIM_TASK_DELETE,
    SIM_TASK_PASSWORD,
    SIM_TASK_REDIRECTION_ADD,
    SIM_TASK_REDIRECTION_DELETE,
    SIM_TASK_RESPONDER_ADD,
    SIM_TASK_RESPONDER_DELETE,
    SIM_TASK_FILTER_ADD,
    SIM_TASK_FILTER_DELETE,
    SIM_TASK_MODERATOR_ADD,
    SIM_TASK_MODERATOR_DELETE,
    SIM_TASK_SUBSCRIBER_ADD,
    SIM_TASK_SUBSCRIBER_DELETE,
    SIM_TASK_CONTACT,  /* a change of contacts that both sides agreed to */
    SIM_TASK_WORK,     /* of a newer family */
    SIM_TASK_CONVERGE, /* ours: front end 2 follows; no list shows it */
};

/* Where email/domain lists its tasks: task/account and so on. Each has a form and a kind
 * of id of its own. */
enum sim_task_list {
    SIM_LIST_ACCOUNT,
    SIM_LIST_REDIRECTION,
    SIM_LIST_RESPONDER,
    SIM_LIST_FILTER,
    SIM_LIST_MAILING,
    SIM_LIST_NONE,
};

struct sim_work;

struct sim_task_order {
    enum sim_task_kind kind;
    const char *domain;
    const char *name;      /* mailbox, mailing list, or `from` of a redirection */
    const char *password;  /* of ADD and PASSWORD */
    const char *target;    /* id of the redirection, name of the filter, address */
    struct sim_work *work; /* of WORK; taken over */
    json_int_t delay_ms;   /* of WORK */
    const struct sim_plan *plan;
};

/* Queues a task and returns its id. */
json_int_t sim_task_add(struct sim *sim, const struct sim_task_order *order);

/* Puts a password in force: on front end 1 now, on front end 2 as the setting or, unless
 * NULL, the plan's fault wants it. `by` is for the history. */
struct sim_task_fronts {
    bool late; /* by the fault, not by the setting */
    json_int_t ms;
};
void sim_task_put_password(struct sim *sim, json_t *account, const char *password,
                           const char *by, const struct sim_task_fronts *fronts);

/* Is a task under way on the mailbox of email/domain? */
bool sim_task_busy(const struct sim *sim, const char *domain, const char *name);

/* The task as email/domain shows it; NULL if it has ended, or is not of that list. New
 * reference. */
json_t *sim_task_show(const struct sim *sim, enum sim_task_list list, const char *domain,
                      json_int_t id);
enum sim_task_list sim_task_list_of(enum sim_task_kind kind);
/* Ids of the tasks of a list that fit the name filter (NULL: all). New reference. */
json_t *sim_task_ids(const struct sim *sim, enum sim_task_list list, const char *domain,
                     const char *name);

/* The mailbox has moved: what waits for it acts on the new one, or (`lost`) on none. */
void sim_task_follow(struct sim *sim, const json_t *from, json_t *to, bool lost);

/* Ends tasks now: the waiting ones; with `stuck` also those that would never end, which
 * then run (or, with `fail`, end without effect). Returns how many. */
json_int_t sim_task_run(struct sim *sim, bool stuck, bool fail);
/* Lets front end 2 follow now. Returns how many passwords moved. */
json_int_t sim_task_converge(struct sim *sim);

void sim_task_clear(struct sim *sim);
/* All tasks, ours included. New reference. */
json_t *sim_task_dump(const struct sim *sim);

/* Starts the thread that runs tasks as they fall due. */
bool sim_task_start(struct sim *sim);

#endif
