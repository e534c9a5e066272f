#ifndef PSN_CORE_RESTORED_PART_H
#define PSN_CORE_RESTORED_PART_H

#include "core/vault.h"

/* What a vault that is put aside tells: inside a write of `to` and a transaction of
 * `from`, whose keys are the same. */
struct psn_carrying {
    struct psn_vault *from;
    struct psn_vault *to;
    /* `from` went on from the state that `to` is a copy of, so that the same number is
     * the same version. Of two that went on apart only what is new is taken. */
    bool is_later;
    struct psn_carried *carried;
};

/* What is as it is in the later vault, row by row: the vault's own keys (one that was
 * replaced may have been stolen), issuers that are trusted, what was received, and what
 * is known of accesses at OVH. */
PSN_MUST_CHECK enum psn_code psn_restored_rows(const struct psn_carrying *at,
                                               struct psn_error *err);
/* One row as it stands there, under the same place. keys: it is sealed with there, and
 * here. */
PSN_MUST_CHECK enum psn_code psn_restored_put_row(const struct psn_carrying *at,
                                                  enum psn_table table,
                                                  const struct psn_store_row *there,
                                                  const struct psn_secret *const keys[2],
                                                  uint64_t revision,
                                                  struct psn_error *err);

/* Whose the clients' accesses are, by which keys of the API they are worked for, their
 * handover and envelope; one that is only there comes whole, unless a domain of his is
 * another's here. */
PSN_MUST_CHECK enum psn_code psn_restored_clients(struct psn_carrying *at,
                                                  struct psn_error *err);
/* All issues, with what became of them. */
PSN_MUST_CHECK enum psn_code psn_restored_issues(struct psn_carrying *at,
                                                 struct psn_error *err);

/* The mailboxes, with their passwords and the secrets that hang on them: what OVH has in
 * force, and what nobody gives again, is as it is there. A mailbox that was removed
 * meanwhile and made again, or is another client's there, is counted as left. */
PSN_MUST_CHECK enum psn_code psn_restored_roles(struct psn_carrying *at,
                                                struct psn_error *err);

#endif
