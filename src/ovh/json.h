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

/*
 * jansson, loaded by psn_json_load(): a command that does not talk to OVH starts without
 * it (docs/adr/0008). Below, its functions go by their own names, through this table.
 */
#define PSN_JANSSON_EACH(X) \
    X(array)                \
    X(array_append_new)     \
    X(array_extend)         \
    X(array_get)            \
    X(array_size)           \
    X(delete)               \
    X(dumpb)                \
    X(dumps)                \
    X(integer_value)        \
    X(loadb)                \
    X(object_get)           \
    X(object_iter)          \
    X(object_iter_key)      \
    X(pack)                 \
    X(set_alloc_funcs)      \
    X(string_length)        \
    X(string_value)

struct psn_jansson {
#define PSN_JANSSON_MEMBER(name) __typeof__(json_##name) *(name);
    PSN_JANSSON_EACH(PSN_JANSSON_MEMBER)
#undef PSN_JANSSON_MEMBER
};
extern struct psn_jansson psn_jansson;

#define json_array            psn_jansson.array
#define json_array_append_new psn_jansson.array_append_new
#define json_array_extend     psn_jansson.array_extend
#define json_array_get        psn_jansson.array_get
#define json_array_size       psn_jansson.array_size
#define json_dumpb            psn_jansson.dumpb
#define json_dumps            psn_jansson.dumps
#define json_integer_value    psn_jansson.integer_value
#define json_loadb            psn_jansson.loadb
#define json_object_get       psn_jansson.object_get
#define json_object_iter      psn_jansson.object_iter
#define json_object_iter_key  psn_jansson.object_iter_key
#define json_pack             psn_jansson.pack
#define json_string_length    psn_jansson.string_length
#define json_string_value     psn_jansson.string_value

/* As jansson's own, which is inline and so would link json_delete(). */
static inline void psn_json_decref(json_t *value)
{
    if (value && value->refcount != (size_t)-1 && JSON_INTERNAL_DECREF(value) == 0)
        psn_jansson.delete(value);
}
#define json_decref psn_json_decref

/* Loads jansson and gives it an allocator that wipes, for the whole process; once, before
 * anything is parsed or built. What json_dumps() yields goes to psn_wiped_free().
 * E_UNEXPECTED without it. */
PSN_MUST_CHECK enum psn_code psn_json_load(struct psn_error *err);

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
