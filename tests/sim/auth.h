#ifndef SIM_AUTH_H
#define SIM_AUTH_H

#include "call.h"

/*
 * The checks before a call is carried out, in this order: application key, consumer key,
 * signature, state of the consumer key, time, addresses, rules, rate. The first two are
 * known from live tests, the place of the others is ours. True: go on. False: call has
 * its answer.
 */
bool sim_auth_check(struct sim *sim, struct sim_call *call, const char *peer);

/* The application key alone, for the calls that need no log-in but name one. */
bool sim_auth_application(struct sim *sim, struct sim_call *call);

/* "$1$" and the SHA-1 of the six fields, for POST /sign of the control port, too. */
enum {
    SIM_AUTH_SIGNATURE_SIZE = 44,
};
struct sim_auth_signed {
    const char *application_secret;
    const char *consumer_key;
    const char *method;
    const char *url;
    const char *body;
    size_t body_size;
    const char *timestamp;
};
void sim_auth_sign(const struct sim_auth_signed *fields,
                   char ret_signature[SIM_AUTH_SIGNATURE_SIZE]);

/* Finds the credential of a consumer key; borrowed, or NULL. */
json_t *sim_auth_find_key(const struct sim *sim, const char *consumer_key);

/* The owner's answer to a key that waits. False, with the reason, if it is not waiting,
 * or there is no such account. */
enum {
    SIM_AUTH_DAY_S = 86400,
};
struct sim_decision {
    bool refuse;
    int64_t duration_s; /* 0: without limit */
    const char *nic;    /* the account that is logged in; NULL: the application's own */
};
bool sim_auth_decide(struct sim *sim, json_t *credential,
                     const struct sim_decision *decision, char *ret_why, size_t why_size);
/* True if the key waited for longer than the setting pending_ttl_s. */
bool sim_auth_is_forgotten(const struct sim *sim, const json_t *credential);

/* Brings `status` up to date where `expiration` has passed. */
void sim_auth_refresh(const struct sim *sim, json_t *credential);

/* Routes. */
sim_handler sim_auth_time;
sim_handler sim_auth_request_credential;
sim_handler sim_auth_current;
sim_handler sim_auth_details;
sim_handler sim_auth_logout;

#endif
