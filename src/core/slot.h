#ifndef PSN_CORE_SLOT_H
#define PSN_CORE_SLOT_H

#include "core/vault.h"

/* Opens the root key with a person's key: tries each slot of its kind in vault->state,
 * which needs no more than an opened file. E_DENIED if none fits. */
PSN_MUST_CHECK enum psn_code psn_slot_open(const struct psn_vault *vault,
                                           const struct psn_key *key,
                                           struct psn_secret **ret_root_key,
                                           uint8_t ret_slot[PSN_SLOT_ID_SIZE],
                                           struct psn_error *err);

/* Does the key open this slot? It costs what unlocking costs. */
PSN_MUST_CHECK enum psn_code psn_slot_fits(const struct psn_vault *vault,
                                           const struct psn_slot_head *slot,
                                           const struct psn_key *key, bool *ret_fits,
                                           struct psn_error *err);
/* Would the two open the same slots? E_INVALID: one of them cannot be a key. */
PSN_MUST_CHECK enum psn_code psn_slot_same_key(const struct psn_key *a,
                                               const struct psn_key *b, bool *ret_same,
                                               struct psn_error *err);
/* E_POLICY: that key is another slot's, of this person. */
enum psn_code psn_slot_fail_twin(enum psn_slot_kind kind, const char *person,
                                 struct psn_error *err);

/* Inside a write: adds a slot for a person who exists. ret_slot may be NULL. E_POLICY if
 * another slot has the same key. */
PSN_MUST_CHECK enum psn_code psn_slot_insert(struct psn_vault *vault, const char *person,
                                             const struct psn_key *key,
                                             uint8_t ret_slot[PSN_SLOT_ID_SIZE],
                                             struct psn_error *err);

/* The same without a word in the journal, for a slot that a rekey carries on. */
PSN_MUST_CHECK enum psn_code psn_slot_write(struct psn_vault *vault, const char *person,
                                            int64_t created_s, const struct psn_key *key,
                                            uint8_t ret_slot[PSN_SLOT_ID_SIZE],
                                            struct psn_error *err);
/* Inside a write: notes what became of a slot. */
PSN_MUST_CHECK enum psn_code psn_slot_note(struct psn_vault *vault, const char *event,
                                           const char *person, enum psn_slot_kind kind,
                                           struct psn_error *err);

/* Inside a transaction: psn_slot_each(). */
PSN_MUST_CHECK enum psn_code psn_slot_list(struct psn_vault *vault, psn_slot_fn *each,
                                           void *arg, struct psn_error *err);

/* E_DENIED unless the slot stands in vault->state, which needs no more than an opened
 * file. */
PSN_MUST_CHECK enum psn_code psn_slot_check_listed(const struct psn_vault *vault,
                                                   const uint8_t slot[PSN_SLOT_ID_SIZE],
                                                   struct psn_error *err);

/* Inside a transaction: whose slot it is. E_DENIED if it is gone. */
PSN_MUST_CHECK enum psn_code psn_slot_owner(struct psn_vault *vault,
                                            const uint8_t slot[PSN_SLOT_ID_SIZE],
                                            char ret_person[PSN_PERSON_ID_MAX],
                                            struct psn_error *err);

#endif
