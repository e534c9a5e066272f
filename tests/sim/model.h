#ifndef SIM_MODEL_H
#define SIM_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

/*
 * The types that parameters can have, by the names of the API's own description. Types of
 * answers are not here: they are held against that description by a test.
 */

enum {
    SIM_VALUES_MAX = 32,
};

struct sim_member {
    const char *name; /* NULL ends the list */
    const char *type;
    bool can_be_null;
    bool required;
};

struct sim_model {
    const char *name;
    const struct sim_member *members;
};

struct sim_enumeration {
    const char *name;
    const char *values[SIM_VALUES_MAX];
};

/* model_mail.c: what the newer mail families take in their bodies. */
extern const struct sim_model sim_mail_models[];
extern const size_t sim_mail_model_count;
extern const struct sim_enumeration sim_mail_enumerations[];
extern const size_t sim_mail_enumeration_count;

/* Checks a JSON value. False, with the reason (which never shows the value). `where` is
 * the parameter's name. */
bool sim_model_check(const char *type, json_t *value, const char *where, char *ret_why,
                     size_t why_size);

/* Turns the text of a path or query parameter into a value of its type, or NULL. */
json_t *sim_model_parse(const char *type, const char *text);

/* One JSON line per model and enumeration, for the test against the description. */
void sim_model_print(FILE *out);

#endif
