#ifndef PSN_CORE_CONTACT_H
#define PSN_CORE_CONTACT_H

#include "core/client.h"
#include "ovh/contact.h"
#include "passation/contact.h"

/*
 * Changes of contacts as the journal of a client tells them: contact_note.c writes and
 * reads its notes, contact.c asks and answers, contact_look.c follows.
 */

struct psn_contact_list {
    struct psn_contact_change *items;
    size_t count;
};
void psn_contact_list_release(struct psn_contact_list *list);
PSN_MUST_CHECK enum psn_code psn_contact_append(struct psn_contact_list *list,
                                                const struct psn_contact_change *change,
                                                struct psn_error *err);
/* The same, as what psn_ovh_contact_open_tasks() calls. */
psn_contact_change_fn psn_contact_collect;
/* NULL: not in the list. */
struct psn_contact_change *psn_contact_find(const struct psn_contact_list *list,
                                            int64_t id);

/* Outside a transaction: all changes that the journal knows, the last state of each. id
 * 0: asked for, and never answered. */
PSN_MUST_CHECK enum psn_code psn_contact_known(struct psn_vault *vault,
                                               const char *client,
                                               struct psn_contact_list *list,
                                               struct psn_error *err);

/* Outside a transaction: notes one change under an event, durable on return. */
PSN_MUST_CHECK enum psn_code psn_contact_note(struct psn_vault *vault, const char *client,
                                              const char *event,
                                              const struct psn_contact_change *change,
                                              struct psn_error *err);
/* The event that tells of a state: "contact.done" …; "contact.task" of one that has not
 * ended. */
const char *psn_contact_event(enum psn_contact_state state);

/* Events that are no state. */
#define PSN_CONTACT_ASKED    "contact.asked"    /* before OVH hears it; id 0 */
#define PSN_CONTACT_DROPPED  "contact.dropped"  /* it came to nothing; id 0 */
#define PSN_CONTACT_TASK     "contact.task"     /* OVH has given it a number */
#define PSN_CONTACT_ACCEPTED "contact.accepted" /* for the linked account */

/* Do both tell of the same contacts, service and accounts? The kind of one that OVH has
 * told of is not known. */
bool psn_contact_is_same(const struct psn_contact_change *asked,
                         const struct psn_contact_change *task);

/* A client, its account and what its journal tells, while OVH is asked. */
struct psn_contact_run {
    struct psn_vault *vault;
    struct psn_client client;
    struct psn_ovh *ovh;
    bool is_locked; /* it has taken the operation lock */
    bool is_daily;  /* ovh is the key for daily work: it may read less */
    bool is_shared; /* another client of the vault has the same account */
    struct psn_contact_list known;
};
struct psn_contact_run psn_contact_run_init(struct psn_vault *vault);
void psn_contact_run_release(struct psn_contact_run *run);
/* Opens it. For reading alone the key for daily work does, if there is no other. */
PSN_MUST_CHECK enum psn_code psn_contact_run_open(struct psn_contact_run *run,
                                                  const char *client, bool to_change,
                                                  struct psn_error *err);
/* What a failure means where the key for daily work may be too small: E_POLICY. */
PSN_MUST_CHECK enum psn_code psn_contact_run_explain(const struct psn_contact_run *run,
                                                     enum psn_code rc,
                                                     struct psn_error *err);
/* The services of the client. */
PSN_MUST_CHECK enum psn_code psn_contact_run_services(const struct psn_contact_run *run,
                                                      psn_contact_service_fn *each,
                                                      void *arg, struct psn_error *err);
/* Sets whether the linked account is one of the two sides. */
void psn_contact_run_mark(const struct psn_contact_run *run,
                          struct psn_contact_change *change);
/* Gives a task that the journal does not know to what was asked for and not answered, if
 * that is the same; and notes it. *ret_kind: of which it is now, or UNKNOWN. */
PSN_MUST_CHECK enum psn_code psn_contact_run_adopt(struct psn_contact_run *run,
                                                   struct psn_contact_change *task,
                                                   struct psn_error *err);

#endif
