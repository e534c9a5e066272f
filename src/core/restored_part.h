#ifndef PSN_CORE_RESTORED_PART_H
#define PSN_CORE_RESTORED_PART_H

#include "core/role.h"
#include "core/vault.h"

/* What a vault that is put aside tells: inside a write of `to` and a transaction of
 * `from`, whose keys are the same. */
struct psn_carrying {
    struct psn_vault *from;
    struct psn_vault *to;
    /* `from` went on from the state that `to` is a copy of, so that the same number is
     * the same version. Of two that went on apart what is new is taken, and counted where
     * both have changed the same. */
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

/* How the versions of one secret here lie to those there, by number and value. */
struct psn_restored_relation {
    size_t same;
    size_t other; /* the same number, another value */
    size_t only_here;
    size_t only_there;
};
PSN_MUST_CHECK enum psn_code psn_restored_relate(
    const struct psn_carrying *at, const char *client, const char *address,
    const char *label, struct psn_restored_relation *ret_relation, struct psn_error *err);
/* Of one password in two vaults that went on apart: has it all that is here, and was
 * proved later? */
bool psn_restored_goes_on(const struct psn_restored_relation *relation,
                          const struct psn_role_row *there,
                          const struct psn_role_row *here);
/* Of one password that both have changed: what is only there comes as what was replaced,
 * so that it can still be tried. */
PSN_MUST_CHECK enum psn_code psn_restored_keep_passwords(const struct psn_carrying *at,
                                                         const struct psn_role_row *there,
                                                         const struct psn_role_row *here,
                                                         struct psn_error *err);

/* The mailboxes, with their passwords and the secrets that hang on them: what OVH has in
 * force, and what nobody gives again, is as it is there. A mailbox that was removed
 * meanwhile and made again, or is another client's there, is counted as left. */
PSN_MUST_CHECK enum psn_code psn_restored_roles(struct psn_carrying *at,
                                                struct psn_error *err);

#endif
