#ifndef SIM_STATE_H
#define SIM_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "sim.h"

/* Empties the state: no account, no domain, no task, the settings of the command line. */
void sim_state_clear(struct sim *sim);

/* The server's clock, seconds since 1970. */
int64_t sim_state_now_s(const struct sim *sim);

/* The next id of any object. They count up from a fixed number. */
json_int_t sim_state_id(struct sim *sim);

/* A copy without the members that begin with '_'. New reference. */
json_t *sim_state_public(json_t *object);

/* The mailbox of an address in whatever family it is now. Borrowed, or NULL. */
json_t *sim_state_mailbox(const struct sim *sim, const char *address);
const char *sim_state_address(const json_t *account);

/* Borrowed, or NULL. */
json_t *sim_state_domain(const struct sim *sim, const char *domain);
json_t *sim_state_account(const struct sim *sim, const char *domain, const char *name);

/* Borrowed text of a member, "" if it is absent or no string. */
const char *sim_state_text(const json_t *object, const char *member);
bool sim_state_flag(const json_t *object, const char *member);

/* Puts a password in force on one front end, and lets the mail service know. */
void sim_state_put_password(struct sim *sim, json_t *account, int front,
                            const char *password);
/* Adds an entry to the mailbox's history of passwords, and dates its present one. */
void sim_state_remember(const struct sim *sim, json_t *account, const char *password,
                        const char *by);
/* The password in force on a front end, or NULL: no log-in is possible. */
const char *sim_state_password(const json_t *account, int front);
/* Tells the mail service what is in force for the mailbox on both front ends. */
void sim_state_publish(struct sim *sim, const json_t *account);
/* Lets nobody log in any more; what still knows the mailbox sees that it is gone. */
void sim_state_retire(struct sim *sim, json_t *account);
/* Removes the mailbox of email/domain, and what hangs on it. */
void sim_state_remove_account(struct sim *sim, const char *domain, const char *name);

#endif
