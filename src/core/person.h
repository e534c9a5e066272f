#ifndef PSN_CORE_PERSON_H
#define PSN_CORE_PERSON_H

#include "core/vault.h"

/* E_INVALID unless the id is [a-z0-9][a-z0-9._-]{0,63}. */
PSN_MUST_CHECK enum psn_code psn_person_check_id(const char *id, struct psn_error *err);
/* The same for all fields. */
PSN_MUST_CHECK enum psn_code psn_person_check(const struct psn_person *person,
                                              struct psn_error *err);

/* Inside a transaction. */
PSN_MUST_CHECK enum psn_code psn_person_insert(struct psn_vault *vault,
                                               const struct psn_person *person,
                                               struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_person_read(struct psn_vault *vault, const char *id,
                                             struct psn_person *ret_person,
                                             struct psn_error *err);

/* The one grammar of ids, for clients and people. */
bool psn_id_is_valid(const char *id);

#endif
