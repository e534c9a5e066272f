#ifndef SIM_ROUTE_H
#define SIM_ROUTE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "call.h"

enum {
    SIM_ROUTE_PARAMS_MAX = 6,
};

enum sim_place {
    SIM_PATH,
    SIM_QUERY,
    SIM_BODY,
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
    const char *path;
    enum sim_access access;
    sim_handler *handler;
    const char *returns;
    struct sim_param params[SIM_ROUTE_PARAMS_MAX];
};

/* The route of a method and a path behind /1.0 (escapes still in place), or NULL. */
const struct sim_route *sim_route_find(const char *method, const char *path);

/* Fills call->args and call->body from path, query and body. False: call has its answer,
 * a 400 or a 404. */
bool sim_route_read_params(struct sim_call *call, const char *raw_path);

/* Writes the table as JSON lines, with the models that the parameters need. */
void sim_route_print(FILE *out);

#endif
