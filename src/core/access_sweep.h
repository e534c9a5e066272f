#ifndef PSN_CORE_ACCESS_SWEEP_H
#define PSN_CORE_ACCESS_SWEEP_H

#include "core/access.h"
#include "core/client.h"
#include "ovh/client.h"
#include "ovh/walk.h"

/* What looking (access.c) and cutting (access_cut.c) share: a sweep of one client. */

struct psn_access_list {
    struct psn_access_row *items;
    size_t count;
};

PSN_MUST_CHECK enum psn_code psn_access_append(struct psn_access_list *list,
                                               const struct psn_access_row *row,
                                               struct psn_error *err);
/* The same, as what psn_access_row_each() calls. */
PSN_MUST_CHECK enum psn_code psn_access_collect(void *arg,
                                                const struct psn_access_row *row,
                                                struct psn_error *err);

struct psn_access_account {
    struct psn_client client;
    struct psn_ovh *ovh;
    struct psn_ovh *work; /* the key for daily work, if ovh is not that; or NULL */
    /* Ids of findings: keys of the client's, the one in use or not, and their
     * applications; then those of other clients of the vault in the same account. */
    struct psn_names own;
    struct psn_names elsewhere;
    bool is_unsure; /* a key that is not the one in use may not tell which it is */
};

/* access_account.c: opens the client's account, with the key that may do most, and learns
 * which keys there are ours. */
PSN_MUST_CHECK enum psn_code psn_access_account_open(struct psn_vault *vault,
                                                     const char *client,
                                                     struct psn_access_account *account,
                                                     struct psn_error *err);
void psn_access_account_release(struct psn_access_account *account);

/* A sweep under way. */
struct psn_access_sweep {
    struct psn_vault *vault; /* whose operation lock it holds, or NULL */
    struct psn_access_account account;
    struct psn_access_list found;
    struct psn_access_list gone;
};

struct psn_access_sweep psn_access_sweep_init(void);
void psn_access_sweep_release(struct psn_access_sweep *sweep);
/* Takes the operation lock, for whoever has not taken it. */
PSN_MUST_CHECK enum psn_code psn_access_sweep_lock(struct psn_vault *vault,
                                                   struct psn_access_sweep *sweep,
                                                   struct psn_error *err);
/* Opens the client's account, with the key that may do most. */
PSN_MUST_CHECK enum psn_code psn_access_sweep_open(struct psn_vault *vault,
                                                   const char *client,
                                                   struct psn_access_sweep *sweep,
                                                   struct psn_error *err);
/* The same, then asks OVH and compares. */
PSN_MUST_CHECK enum psn_code psn_access_sweep_begin(struct psn_vault *vault,
                                                    const char *client,
                                                    struct psn_access_sweep *sweep,
                                                    struct psn_error *err);

/* Inside a write: what became of an access, for the journal. */
PSN_MUST_CHECK enum psn_code psn_access_note(struct psn_vault *vault, const char *client,
                                             const char *event,
                                             const struct psn_access *access,
                                             struct psn_error *err);

#endif
