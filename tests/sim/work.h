#ifndef SIM_WORK_H
#define SIM_WORK_H

#include <stdbool.h>

#include "call.h"
#include "task.h"

/*
 * Tasks of the newer families. Each is a record of its service that stays when the task
 * has ended, and is shown in the form of email/mxplan, pro and exchange or of the second
 * version of the API. What it does is a function; it runs when the task falls due.
 */
struct sim_work;

/* `run` is false if the task ends without its effect. Under the lock. */
typedef void sim_work_effect(struct sim *sim, struct sim_work *work, bool run);

struct sim_work {
    sim_work_effect *effect;
    json_t *service; /* these are references of its own */
    json_t *target;  /* mailbox or other resource; _gone: removed meanwhile */
    json_t *record;
    json_t *detail; /* what to do, or NULL */
    struct sim_task_fronts fronts;
};

struct sim_work_order {
    const char *function; /* as the API names it */
    sim_work_effect *effect;
    json_t *service;
    json_t *target;
    json_t *detail;      /* taken over; NULL: nothing */
    json_int_t delay_ms; /* below 0: the usual one */
    const struct sim_plan *plan;
};

/* Queues a task. Returns its record, borrowed. */
const json_t *sim_work_add(struct sim *sim, const struct sim_work_order *order);

/* Is a task under way on a mailbox or another resource? */
bool sim_work_busy(const json_t *target);

/* The task has fallen due. `mode` says whether it has its effect. */
void sim_work_end(struct sim *sim, struct sim_work *work, enum sim_task_mode mode);
void sim_work_free(struct sim_work *work);

/* A record in the two forms of the API. New references. */
json_t *sim_work_task(const json_t *record);
json_t *sim_work_task_v2(const json_t *service, const json_t *record);

/* The record of an id, if it is still listed; of one target alone, unless that is NULL.
 * Borrowed. */
const json_t *sim_work_find(struct sim *sim, const json_t *service, const json_t *target,
                            const char *id);
/* Ids of the listed records of a service, or of one target; the newest last. */
json_t *sim_work_ids(struct sim *sim, const json_t *service, const json_t *target);

/* common.CurrentTask of all that has not ended well on a resource. New reference. */
json_t *sim_work_current(const json_t *service, const json_t *target);

/* An id of the second version's form. */
enum {
    SIM_UUID_SIZE = 40,
};
void sim_work_uuid(json_int_t id, char ret_uuid[SIM_UUID_SIZE]);

#endif
