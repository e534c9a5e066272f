#ifndef SIM_CALL_H
#define SIM_CALL_H

#include <stdbool.h>

#include "fault.h"
#include "http.h"
#include "sim.h"

struct sim_route;

/* One call of the API, from its request to its answer. */
struct sim_call {
    const struct sim_http_request *request;
    const struct sim_route *route;
    const char *path;    /* behind /1.0, or from /v2 on; escapes undone */
    json_t *args;        /* parameters by name: checked, typed, names in lower case */
    json_t *body;        /* the whole body, where it is one parameter; borrowed */
    json_t *application; /* borrowed; NULL where no key is asked for */
    json_t *credential;  /* borrowed */
    json_t *domain;      /* borrowed: the {domain} of the path */
    json_t *service;     /* borrowed: the service of the path, in the newer families */
    json_t *account;     /* borrowed: the mailbox of the path */
    struct sim_plan plan;

    int status;
    json_t *answer;  /* owned */
    bool effect;     /* something has changed */
    char cursor[80]; /* of the next page, "" if there is none */
};

typedef void sim_handler(struct sim *sim, struct sim_call *call);

/* A text argument, or NULL if it was not given. */
const char *sim_call_text(const struct sim_call *call, const char *name);

/* Answers 200. Steals the value. */
void sim_call_answer(struct sim_call *call, json_t *value);

/* The error forms of the API. All of them replace an answer that is there already. */
void sim_call_refuse(struct sim_call *call, int status, const char *class_name,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));
void sim_call_refuse_auth(struct sim_call *call, int status, const char *code,
                          const char *message);
void sim_call_refuse_plain(struct sim_call *call, int status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* "The requested object (name = value) does not exist" */
void sim_call_absent(const struct sim *sim, struct sim_call *call, const char *name,
                     const char *value);

#endif
