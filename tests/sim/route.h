#ifndef SIM_ROUTE_H
#define SIM_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "call.h"

enum {
    SIM_ROUTE_PARAMS_MAX = 40, /* a mailbox of email/exchange takes nearly as many */
};

enum sim_place {
    SIM_PATH,
    SIM_QUERY,
    SIM_BODY,
    SIM_HEADER,
};

struct sim_param {
    enum sim_place place;
    const char *name; /* "" under SIM_BODY: the whole body */
    const char *type; /* NULL ends the list */
    bool required;
};

/* Who may call. */
enum sim_access {
    SIM_OPEN,        /* anybody */
    SIM_APPLICATION, /* the application key, no signature */
    SIM_SIGNED,
};

struct sim_route {
    const char *method;
    const char *path; /* begins with /v2 in the second version of the API */
    enum sim_access access;
    sim_handler *handler;
    const char *returns;
    struct sim_param params[SIM_ROUTE_PARAMS_MAX];
};

/* The tables: what belongs to the account and to email/domain, and one per family. */
struct sim_route_table {
    const struct sim_route *routes;
    size_t count;
};
extern const struct sim_route_table *const sim_route_tables[]; /* ends with NULL */

/* Those beside the mail families. */
extern const struct sim_route_table sim_contact_table;
extern const struct sim_route_table sim_zone_table;
extern const struct sim_route_table sim_identity_table;
extern const struct sim_route_table sim_iam_table;

/* The nth parameter, or NULL behind the last one. */
const struct sim_param *sim_route_param(const struct sim_route *route, size_t n);

/* Does the path of the route name this parameter? */
bool sim_route_has(const struct sim_route *route, const char *name);

/* The route of a method and a path behind /1.0 (escapes still in place), or NULL. */
const struct sim_route *sim_route_find(const char *method, const char *path);

/* Does the path of a rule cover a path? Whether rules name the /v2 is a setting. */
bool sim_route_allows(const struct sim *sim, const char *rule, const char *path);

/* Fills call->args and call->body from path, query, headers and body. False: call has its
 * answer, a 400 or a 404. */
bool sim_route_read_params(struct sim_call *call, const char *raw_path);

/* Writes the tables as JSON lines, with the models that the parameters need. */
void sim_route_print(FILE *out);

#endif
