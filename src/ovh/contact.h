#ifndef PSN_OVH_CONTACT_H
#define PSN_OVH_CONTACT_H

#include "ovh/call.h"
#include "ovh/walk.h"
#include "passation/contact.h"

/*
 * The contacts of services, and how they change; see passation/contact.h. Answers are
 * strict: a name, an account, a state or a kind of contact that cannot be one is garbage.
 */

/* The three contacts, in the order of the API's members. */
enum psn_contact_role {
    PSN_CONTACT_ADMIN,
    PSN_CONTACT_TECH,
    PSN_CONTACT_BILLING,
    PSN_CONTACT_ROLES,
};
extern const char *const psn_contact_members[PSN_CONTACT_ROLES]; /* "contactAdmin" … */

/* Where a service's contacts are listed and replaced. A pattern without `change` has no
 * call that replaces them. */
struct psn_contact_place {
    const char *subject; /* as people know it */
    const char *id;      /* of the finding, before the contact's word */
    const char *what;    /* "DNS zone" …, or NULL: the mail service of the subject */
    const char *infos;   /* pattern of what lists them */
    const char *change;  /* pattern of what replaces them, or NULL */
    struct psn_ovh_parts parts;
};
/* That of a kind (not UNKNOWN), without subject and parts. */
const struct psn_contact_place *psn_contact_place_of(enum psn_contact_kind kind);

/* Can it be an account, and stand in a JSON text as it is? */
bool psn_contact_is_nic(const char *nic);

struct psn_ovh_contact_scope {
    const char *const *domains;
    size_t domain_count;
    bool named_hostings_only; /* those of the domains, not all of the account's */
};

/* Services and their contacts, in a stable order. */
PSN_MUST_CHECK enum psn_code psn_ovh_contact_services(
    struct psn_ovh *ovh, const struct psn_ovh_contact_scope *scope,
    psn_contact_service_fn *each, void *arg, struct psn_error *err);

/* One service as it is now. E_NOT_FOUND: it is not in this account. */
PSN_MUST_CHECK enum psn_code psn_ovh_contact_service(
    struct psn_ovh *ovh, enum psn_contact_kind kind, const char *name,
    struct psn_contact_service *ret_service, struct psn_error *err);

/* The numbers that OVH gave to what was asked for. */
struct psn_contact_ids {
    int64_t id[PSN_CONTACT_ROLES];
    size_t count;
};
/* Asks for a change: to[role] is an account, or "" for a contact that stays. Sent once;
 * err explains every outcome but DONE. The result tells only what kept it from being
 * sent. */
PSN_MUST_CHECK enum psn_code psn_ovh_contact_change(
    struct psn_ovh *ovh, const struct psn_contact_service *service,
    const char *const to[PSN_CONTACT_ROLES], struct psn_ovh_answer *ret_answer,
    struct psn_contact_ids *ret_ids, struct psn_error *err);

/* A task; its kind is always UNKNOWN. E_NOT_FOUND. */
PSN_MUST_CHECK enum psn_code psn_ovh_contact_task(struct psn_ovh *ovh, int64_t id,
                                                  struct psn_contact_change *ret_change,
                                                  struct psn_error *err);
/* Those that have not ended, by their numbers, each once. */
PSN_MUST_CHECK enum psn_code psn_ovh_contact_open_tasks(struct psn_ovh *ovh,
                                                        psn_contact_change_fn *each,
                                                        void *arg, struct psn_error *err);

/* Sent once, as a change is. */
PSN_MUST_CHECK enum psn_code psn_ovh_contact_answer(struct psn_ovh *ovh, int64_t id,
                                                    bool accept,
                                                    const struct psn_secret *token,
                                                    struct psn_ovh_answer *ret_answer,
                                                    struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_ovh_contact_resend(struct psn_ovh *ovh, int64_t id,
                                                    struct psn_ovh_answer *ret_answer,
                                                    struct psn_error *err);

#endif
