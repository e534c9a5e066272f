#ifndef PSN_OVH_JSON_H
#define PSN_OVH_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "passation/error.h"

/*
 * JSON from a server that is not trusted to be sane. Parsing is bounded (bytes, depth,
 * number of values), duplicate names are refused, and every getter checks the type. All
 * failures are E_NETWORK: whoever sent this is not the API, or it is broken.
 */

/* Gives jansson an allocator that wipes, for the whole process; done once, before
 * anything is parsed. */
void psn_json_init_wiping(void);

/* Gives back what jansson wrote (json_dumps): wiped. */
void psn_json_free_text(char *text);

/* Parses a whole text; the caller owns the value (json_decref). */
PSN_MUST_CHECK enum psn_code psn_json_parse(const void *bytes, size_t size,
                                            json_t **ret_value, struct psn_error *err);

static inline void psn_json_decrefp(json_t **value)
{
    json_decref(*value);
}
#define PSN_AUTO_JSON __attribute__((cleanup(psn_json_decrefp))) json_t

/* A member that must be there, of that type. Text longer than size - 1 is refused. */
PSN_MUST_CHECK enum psn_code psn_json_text(const json_t *object, const char *name,
                                           char *ret_text, size_t size,
                                           struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_json_int(const json_t *object, const char *name,
                                          int64_t *ret_value, struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_json_bool(const json_t *object, const char *name,
                                           bool *ret_value, struct psn_error *err);

/* Members that may be null or absent: then "", fallback or 0. */
PSN_MUST_CHECK enum psn_code psn_json_text_or_empty(const json_t *object,
                                                    const char *name, char *ret_text,
                                                    size_t size, struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_json_int_or(const json_t *object, const char *name,
                                             int64_t fallback, int64_t *ret_value,
                                             struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_json_time_or_0(const json_t *object, const char *name,
                                                int64_t *ret_time_s,
                                                struct psn_error *err);

/* The value itself. */
PSN_MUST_CHECK enum psn_code psn_json_expect_array(const json_t *value,
                                                   struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_json_expect_object(const json_t *value,
                                                    struct psn_error *err);

#endif
