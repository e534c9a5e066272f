#ifndef SIM_FAMILY_H
#define SIM_FAMILY_H

#include "route.h"
#include "service.h"
#include "work.h"

/* What the newer families are made of: each its routes and its own answers, three of them
 * on the slots of slot.c and grant.c, the second version of the API on resource.h. */
extern const struct sim_route_table sim_mxplan_table;
extern const struct sim_route_table sim_pro_table;
extern const struct sim_route_table sim_exchange_table;
extern const struct sim_route_table sim_zimbra_table;

/* Texts and numbers of a seed's entry, or others. */
const char *sim_seed_text_or(const json_t *entry, const char *member,
                             const char *otherwise);
json_int_t sim_seed_number_or(const json_t *entry, const char *member,
                              json_int_t otherwise);

/* How the families with slots differ. New references. */
struct sim_slot_family {
    json_t *(*new_service)(struct sim *sim, const json_t *entry, const char *name);
    json_t *(*new_domain)(const char *name, bool first);
    json_t *(*new_server)(void);
    /* Adds the members that this family alone has. */
    void (*fill_account)(struct sim *sim, json_t *account);
};
const struct sim_slot_family *sim_slot_family_of(enum sim_family family);
extern const struct sim_slot_family sim_mxplan_slots;
extern const struct sim_slot_family sim_pro_slots;
extern const struct sim_slot_family sim_exchange_slots;

/* The members that the service of all three has: policy, state, sizes. New reference. */
json_t *sim_slot_service(const struct sim *sim, const json_t *entry, const char *name,
                         const char *prefix);
json_t *sim_slot_domain(const char *name);
/* The same with what email/pro and exchange have looked up in the DNS. */
json_t *sim_slot_checked_domain(const char *name);
json_t *sim_slot_spam(void);

/* A mailbox, or with an address NULL a free slot. Borrowed. */
json_t *sim_slot_add(struct sim *sim, json_t *service, const char *address);

/* slot.c */
sim_handler sim_slot_accounts;
sim_handler sim_slot_account;
sim_handler sim_slot_edit;
sim_handler sim_slot_delete;
sim_handler sim_slot_change_password;
sim_handler sim_slot_create; /* email/exchange alone */

/* Is no task under way on the mailbox? Else the call has its answer. */
bool sim_slot_check_idle(const struct sim *sim, struct sim_call *call);
/* Queues a task on the mailbox of the call and answers with it. Takes the detail over. */
void sim_slot_answer_task(struct sim *sim, struct sim_call *call, const char *function,
                          sim_work_effect *effect, json_t *detail);

/* grant.c: who and what else reaches the mailbox */
sim_handler sim_grant_list;
sim_handler sim_grant_add;
sim_handler sim_grant_show;
sim_handler sim_grant_delete;
sim_handler sim_grant_aliases;
sim_handler sim_grant_add_alias;
sim_handler sim_grant_alias;
sim_handler sim_grant_delete_alias;

#endif
