#ifndef SIM_IDENTITY_H
#define SIM_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

#include "call.h"

/*
 * Who else may act for an account:
 *
 *   root.users.{nic/login}      auth.User, _login, _nic, _tokens {name: token}
 *   root.sub_accounts.{id}      nichandle.SubAccount, _nic
 *   root.policies.{id}          iam.policy.Response, _nic
 */

/* identity.c, iam.c: parts of the seed. False, with the reason. */
bool sim_identity_seed_user(struct sim *sim, json_t *entry, char *why, size_t size);
bool sim_identity_seed_sub_account(struct sim *sim, json_t *entry, char *why,
                                   size_t size);
bool sim_iam_seed(struct sim *sim, json_t *entry, char *why, size_t size);

/* Does a policy that has not ended allow an identity (its URN) an action? */
bool sim_iam_allows(const struct sim *sim, const char *identity, const char *action);

#endif
