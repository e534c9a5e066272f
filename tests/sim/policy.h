#ifndef SIM_POLICY_H
#define SIM_POLICY_H

#include <stdbool.h>

#include "call.h"

/* The rules that each newer family has for passwords and names. */

/* May the password be set on the mailbox (NULL: a new one) now? Where it is refused call
 * has its answer, which never shows it; where the setting wants that, the task fails. */
enum sim_policy {
    SIM_POLICY_GOOD,
    SIM_POLICY_LATE, /* the task is to fail */
    SIM_POLICY_REFUSED,
};
enum sim_policy sim_policy_apply(const struct sim *sim, struct sim_call *call,
                                 const json_t *account, const char *password);

/* Is it the local part of an address? */
bool sim_policy_is_login(const json_t *service, const char *login);

/* Log-ins, for the built-in mail server: is the mailbox locked out, or its password too
 * old? A wrong password counts. */
bool sim_policy_may_log_in(const struct sim *sim, const json_t *account);
void sim_policy_note_login(const struct sim *sim, json_t *account, bool right);

#endif
