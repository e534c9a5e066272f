#ifndef PSN_CORE_ACCESS_H
#define PSN_CORE_ACCESS_H

#include "core/vault.h"
#include "passation/access.h"
#include "passation/client.h"

/* The journal: OVH has taken the order to remove it, and given it a number. */
#define PSN_ACCESS_TAKEN "access.cut-taken"

/* The rows of persistent accesses: one for each client and finding. All inside a
 * transaction. */
struct psn_access_row {
    char client[PSN_CLIENT_ID_MAX];
    struct psn_access access;
    uint64_t revision; /* 0: not in the vault */
};

/* E_NOT_FOUND without a message if there is none. */
PSN_MUST_CHECK enum psn_code psn_access_row_read(struct psn_vault *vault,
                                                 const char *client, const char *id,
                                                 struct psn_access_row *ret_row,
                                                 struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_access_row_write(struct psn_vault *vault,
                                                  struct psn_access_row *row,
                                                  struct psn_error *err);
typedef enum psn_code psn_access_row_fn(void *arg, const struct psn_access_row *row,
                                        struct psn_error *err);
/* Of a client, or (NULL) of all. */
PSN_MUST_CHECK enum psn_code psn_access_row_each(struct psn_vault *vault,
                                                 const char *client,
                                                 psn_access_row_fn *each, void *arg,
                                                 struct psn_error *err);
/* Copies all into another vault, for a rekey. *ret_count: how many. */
PSN_MUST_CHECK enum psn_code psn_access_row_copy(struct psn_vault *from,
                                                 struct psn_vault *to,
                                                 uint64_t *ret_count,
                                                 struct psn_error *err);

/* psn_access_cut() of what the caller wants of all that a sweep finds, without the
 * operation lock: whoever works on many clients at once holds it. What is wanted and
 * being removed already is left to its task, for as long as the client's settle time. */
typedef bool psn_access_wanted_fn(const void *arg, const struct psn_access *access);
struct psn_access_choice {
    psn_access_wanted_fn *wanted;
    const void *arg;
    psn_access_cut_fn *each; /* with each_arg */
    void *each_arg;
};
PSN_MUST_CHECK enum psn_code psn_access_cut_wanted(struct psn_vault *vault,
                                                   const char *client,
                                                   const struct psn_access_choice *choice,
                                                   struct psn_error *err);
/* Looks at those alone whose removal is a task of OVH's that is under way, as cheaply as
 * that goes; without the lock. Contacts, for which people have to agree, are left out. */
PSN_MUST_CHECK enum psn_code psn_access_follow(struct psn_vault *vault,
                                               const char *client, struct psn_error *err);
/* Is it such a one? */
bool psn_access_is_followed(const struct psn_access *access);
/* A sweep without the lock, and without a call for each. */
PSN_MUST_CHECK enum psn_code psn_access_look(struct psn_vault *vault, const char *client,
                                             psn_access_fn *each, void *arg,
                                             struct psn_error *err);

#endif
