#ifndef PSN_CORE_SUCCESSOR_H
#define PSN_CORE_SUCCESSOR_H

#include "core/vault.h"

/*
 * Writing a vault anew: into a draft beside it, which takes its name when it is whole.
 * Stopped anywhere, the vault is the old one or the new one.
 */
struct psn_successor {
    const char *what; /* who holds the operation lock, for others to read */
    bool same_key;    /* under the root key of the old one; else under a new one */
    /* Inside a transaction of `from`, which others cannot write to meanwhile, and the
     * founding write of `to`, which has no rows: puts everything there. */
    enum psn_code (*fill)(void *arg, struct psn_vault *from, struct psn_vault *to,
                          struct psn_error *err);
    /* The draft was checked whole and is closed: does it open as it should? */
    enum psn_code (*prove)(void *arg, const struct psn_vault *to, struct psn_error *err);
    void *arg;
    struct psn_store_wiped
        *ret_wiped; /* the old file's bytes are written over; or NULL */
};

/* Outside a transaction. The handle goes on with the new file. *ret_replaced: it is the
 * vault, also when something failed after that. E_FULL before anything is written if the
 * disk has no room; E_BUSY while another process has the vault open. */
PSN_MUST_CHECK enum psn_code psn_vault_succeed(struct psn_vault *vault,
                                               const struct psn_successor *successor,
                                               bool *ret_replaced, struct psn_error *err);

/* Removes what an interrupted one left beside an opened vault, unless one is at work.
 * Not getting to it is no failure: it is in nobody's way. */
void psn_successor_clean_up(const struct psn_vault *vault);

#endif
