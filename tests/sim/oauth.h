#ifndef SIM_OAUTH_H
#define SIM_OAUTH_H

#include <stddef.h>

#include "call.h"
#include "route.h"

/*
 * OAuth2 service accounts: root.oauth2.{clientId} is an oauth2.client with _secret, _nic,
 * _actions (patterns of IAM actions that are allowed) and _revoked; root.tokens.{token}
 * tells whose a token is and until when.
 */

/* One of the seed's "oauth2_clients". False, with the reason. */
bool sim_oauth_seed(struct sim *sim, json_t *entry, char *why, size_t size);

/* The check of a call with a bearer token: token, IAM action. False: call has its answer.
 */
bool sim_oauth_check(struct sim *sim, struct sim_call *call);
/* True if the call is made with a token, and not with a consumer key. */
bool sim_oauth_is_bearer(const struct sim_call *call);

/* The IAM action of a route, "emailDomain:apiovh:account/create"; "" if it has none. */
void sim_oauth_action(const struct sim_route *route, char *ret_action, size_t size);

/* POST /auth/oauth2/token, beside the API's root. False ends the connection. */
bool sim_oauth_serve(struct sim *sim, struct sim_conn *conn,
                     const struct sim_http_request *request);

/* {"client_id", "actions", "revoked", "forget_tokens"}, by the control port. False: no
 * such client. */
bool sim_oauth_set(struct sim *sim, const json_t *change);
/* The clients with all that is known of them, and how many tokens were given out. */
json_t *sim_oauth_dump(const struct sim *sim);

/* Routes. */
sim_handler sim_oauth_clients;
sim_handler sim_oauth_create;
sim_handler sim_oauth_client;
sim_handler sim_oauth_edit;
sim_handler sim_oauth_delete;

#endif
