#ifndef PSN_CORE_PERSON_H
#define PSN_CORE_PERSON_H

#include "core/vault.h"

/* E_INVALID unless the id is [a-z0-9][a-z0-9._-]{0,63}. */
PSN_MUST_CHECK enum psn_code psn_person_check_id(const char *id, struct psn_error *err);

/* Inside a transaction. */
PSN_MUST_CHECK enum psn_code psn_person_insert(struct psn_vault *vault,
                                               const struct psn_person *person,
                                               struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_person_read(struct psn_vault *vault, const char *id,
                                             struct psn_person *ret_person,
                                             struct psn_error *err);
/* The same of who is to own a client's accesses: the advice is to add a client. */
PSN_MUST_CHECK enum psn_code psn_person_read_owner(struct psn_vault *vault,
                                                   const char *id,
                                                   struct psn_person *ret_person,
                                                   struct psn_error *err);
/* In a transaction of its own. */
PSN_MUST_CHECK enum psn_code psn_person_get_owner(struct psn_vault *vault, const char *id,
                                                  struct psn_person *ret_person,
                                                  struct psn_error *err);
/* The same with the revision that a write must follow, and that write. */
PSN_MUST_CHECK enum psn_code psn_person_load(struct psn_vault *vault, const char *id,
                                             struct psn_person *ret_person,
                                             uint64_t *ret_revision,
                                             struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_person_store(struct psn_vault *vault,
                                              const struct psn_person *person,
                                              uint64_t revision, struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_person_decode(const struct psn_buf *plain,
                                               struct psn_person *ret_person,
                                               struct psn_error *err);
/* The members of a group, or the one person (who: "@group" or an id), in the order of
 * ids; E_NOT_FOUND if there is none. The caller frees *ret_people. */
PSN_MUST_CHECK enum psn_code psn_person_select(struct psn_vault *vault, const char *who,
                                               struct psn_person **ret_people,
                                               size_t *ret_count, struct psn_error *err);
/* Everybody, in the order of ids. They are the vault's, until they are asked for again.
 */
PSN_MUST_CHECK enum psn_code psn_person_known(struct psn_vault *vault,
                                              const struct psn_person **ret_people,
                                              size_t *ret_count, struct psn_error *err);
/* The same, to keep; the caller frees. */
PSN_MUST_CHECK enum psn_code psn_person_list(struct psn_vault *vault,
                                             struct psn_person **ret_people,
                                             size_t *ret_count, struct psn_error *err);

/* Do two people hold a key in common, in use or not? What is made for one, the other
 * reads. */
bool psn_person_shares_key(const struct psn_person *a, const struct psn_person *b);
/* E_POLICY if the key in use of a person is also one of somebody who is leaving, or has
 * left, or was one. */
PSN_MUST_CHECK enum psn_code psn_person_check_key(struct psn_vault *vault,
                                                  const struct psn_person *person,
                                                  struct psn_error *err);

/* Is his departure open, or its last report still to be written? */
bool psn_person_is_leaving(const struct psn_person *person);

/* The name to show: the name, else the id. */
const char *psn_person_name(const struct psn_person *person);

#endif
