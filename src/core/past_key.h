#ifndef PSN_CORE_PAST_KEY_H
#define PSN_CORE_PAST_KEY_H

#include "core/vault.h"
#include "passation/person.h"

/* Public keys that somebody had, and that no row of a person has any more. What opens
 * with one, its owner reads for ever, under whichever name it comes back. Inside a
 * transaction. */

struct psn_past_key {
    char text[PSN_RECIPIENT_TEXT_MAX];
    char person[PSN_PERSON_ID_MAX]; /* who may have been removed since */
    int64_t noted_s;
};

/* Again is no change. */
PSN_MUST_CHECK enum psn_code psn_past_key_note(struct psn_vault *vault, const char *text,
                                               const char *person, struct psn_error *err);
/* Those of somebody whom nothing is held against. */
PSN_MUST_CHECK enum psn_code psn_past_key_forget(struct psn_vault *vault,
                                                 const char *person,
                                                 struct psn_error *err);

/* Each that was somebody's; text NULL: all. */
typedef enum psn_code psn_past_key_fn(void *arg, const struct psn_past_key *key,
                                      struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_past_key_each(struct psn_vault *vault, const char *text,
                                               psn_past_key_fn *each, void *arg,
                                               struct psn_error *err);

/* Copies a row of another vault: for a rekey, and for a backup that replaces it. */
PSN_MUST_CHECK enum psn_code psn_past_key_put(struct psn_vault *vault,
                                              const struct psn_past_key *key,
                                              struct psn_error *err);

#endif
