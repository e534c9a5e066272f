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

/* Checks a JSON value. False, with the reason (which never shows the value). `where` is
 * the parameter's name. */
bool sim_model_check(const char *type, json_t *value, const char *where, char *ret_why,
                     size_t why_size);

/* Turns the text of a path or query parameter into a value of its type, or NULL. */
json_t *sim_model_parse(const char *type, const char *text);

/* One JSON line per model and enumeration, for the test against the description. */
void sim_model_print(FILE *out);

#endif
