#ifndef PSN_CORE_DEPARTURE_RETURNED_H
#define PSN_CORE_DEPARTURE_RETURNED_H

#include "core/role.h"
#include "core/vault.h"

/* Whoever knew a mailbox when it, or its client, was removed knows it still if it comes
 * back with a password that was not made anew at OVH. */
struct psn_forgotten {
    char name[PSN_ADDRESS_TEXT_MAX]; /* an address, a client's id, or "@domain" of one */
    char label[PSN_LABEL_TEXT_MAX];  /* of another secret of the address, or "" */
    char person[PSN_PERSON_ID_MAX];
};
struct psn_forgotten_list {
    struct psn_forgotten *items; /* by name, label and person */
    size_t count;
    bool is_read;
    bool has_no_labels; /* no version was ever spent, so there is none to look for */
};
void psn_forgotten_list_release(struct psn_forgotten_list *list);

/* Inside a write: the mailbox's version in force is one that is known from elsewhere, so
 * it counts as known to each of those, and is a matter of the departure of who is leaving
 * or has left. Somebody who is gone from the vault is named as well. The list is read
 * from the journal once, for all that come back in one transaction. */
PSN_MUST_CHECK enum psn_code psn_departure_note_returned(struct psn_vault *vault,
                                                         const struct psn_role_row *role,
                                                         struct psn_forgotten_list *list,
                                                         struct psn_error *err);
/* The same of another secret that is given: whoever was forgotten with one of its label.
 */
struct psn_item;
PSN_MUST_CHECK enum psn_code psn_departure_note_item_returned(
    struct psn_vault *vault, const struct psn_item *item, struct psn_forgotten_list *list,
    struct psn_error *err);

#endif
