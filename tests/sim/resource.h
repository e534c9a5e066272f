#ifndef SIM_RESOURCE_H
#define SIM_RESOURCE_H

#include "family.h"

/*
 * Resources of the second version of the API: what is wanted (targetSpec), what is
 * (currentState), the tasks that lead from the one to the other, and a checksum that
 * changes with each of them.
 */

/* What a list shows of one entry of a collection; NULL leaves the entry out. */
typedef json_t *sim_resource_view(struct sim *sim, const struct sim_call *call,
                                  json_t *entry);

/* Answers with one page of a collection, and with the cursor of the next. */
void sim_resource_page(struct sim *sim, struct sim_call *call, json_t *collection,
                       sim_resource_view *view);

/* A resource that is ready. Takes both over; `target` NULL: it has none. New reference.
 */
json_t *sim_resource_new(struct sim *sim, json_t *state, json_t *target);

/* The resource as the API shows it. New reference. */
json_t *sim_resource_show(const json_t *service, json_t *resource);

/* The resource of the path out of a collection of the service, or call has its answer. */
json_t *sim_resource_find(const struct sim *sim, struct sim_call *call,
                          const char *collection, const char *argument);
void sim_resource_answer(const struct sim *sim, struct sim_call *call,
                         const char *collection, const char *argument);

/* May the resource be changed: no task, and the checksum, if given, fits? */
bool sim_resource_check(const struct sim *sim, struct sim_call *call,
                        const json_t *resource);

/* Queues a task that leads to what is wanted. The detail is taken over. */
void sim_resource_change(struct sim *sim, struct sim_call *call, json_t *resource,
                         const char *status, const char *function,
                         sim_work_effect *effect, json_t *detail);

/* Does a filter of the call fit a text (or is there none)? */
bool sim_resource_fits(const struct sim_call *call, const char *argument,
                       const char *text);

/* zimbra.c: parts of a platform, as seeds and migrations make them. Borrowed. */
void sim_zimbra_begin(struct sim *sim, json_t *service, const json_t *entry);
void sim_zimbra_add_domain(struct sim *sim, json_t *service, const char *name);
json_t *sim_zimbra_domain(const json_t *service, const char *address);
void sim_zimbra_add_redirection(struct sim *sim, json_t *service, const char *from,
                                const char *to);
void sim_zimbra_add_alias(struct sim *sim, json_t *service, const char *alias,
                          const json_t *account);

/* zimbra_account.c */
json_t *sim_zimbra_add_slot(struct sim *sim, json_t *service, const char *offer);
/* Takes a free slot, or adds one. */
json_t *sim_zimbra_add_account(struct sim *sim, json_t *service, const char *address,
                               const char *offer);
sim_handler sim_zimbra_accounts;
sim_handler sim_zimbra_create;
sim_handler sim_zimbra_account;
sim_handler sim_zimbra_edit;
sim_handler sim_zimbra_delete;
sim_handler sim_zimbra_slots;
sim_handler sim_zimbra_slot;

#endif
