#include "ovh/json.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"

enum {
    /* jansson needs up to 300 bytes a value: this keeps a bomb of 1 MiB under 32 MiB. */
    VALUES_MAX = 100 * 1000,
};

/* Each block carries its size in front. */
struct block {
    _Alignas(max_align_t) size_t size;
};

/* jansson does not always say why it fails. */
static _Thread_local bool has_lacked_memory;

static void *wiping_malloc(size_t size)
{
    struct block *block = NULL;

    if (size <= SIZE_MAX - sizeof *block)
        block = malloc(sizeof *block + size);
    if (!block) {
        has_lacked_memory = true;
        return NULL;
    }
    block->size = size;
    return block + 1;
}

static void wiping_free(void *memory)
{
    struct block *block = memory;

    if (!block)
        return;
    block--;
    explicit_bzero(block + 1, block->size);
    free(block);
}

static void set_allocator(void)
{
    json_set_alloc_funcs(wiping_malloc, wiping_free);
}

void psn_json_init_wiping(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, set_allocator);
}

static enum psn_code fail_garbage(struct psn_error *err, const char *what)
{
    return psn_fail(err, PSN_E_NETWORK, _("garbage from the server (%s)"), what);
}

/* The index of the quote that ends a string, or size. */
static size_t skip_string(const char *text, size_t size, size_t at)
{
    for (at++; at < size && text[at] != '"'; at++)
        if (text[at] == '\\')
            at++;
    return at;
}

/* Counts what the parser would build, before it does. */
static bool is_bounded(const char *text, size_t size)
{
    size_t depth = 0;
    size_t values = 0;

    for (size_t i = 0; i < size; i++) {
        switch (text[i]) {
        case '"':
            i = skip_string(text, size, i);
            break;
        case '[':
        case '{':
            depth++;
            values++;
            break;
        case ']':
        case '}':
            depth -= depth > 0;
            break;
        case ',':
            values++;
            break;
        default:
            break;
        }
        if (depth > PSN_JSON_DEPTH_MAX || values > VALUES_MAX)
            return false;
    }
    return true;
}

enum psn_code psn_json_parse(const void *bytes, size_t size, json_t **ret_value,
                             struct psn_error *err)
{
    json_error_t error;
    json_t *value;

    if (size > PSN_BODY_MAX || !is_bounded(bytes, size))
        return fail_garbage(err, _("JSON beyond all bounds"));
    psn_json_init_wiping();
    has_lacked_memory = false;
    value = json_loadb(bytes ? bytes : "", size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
                       &error);
    if (!value && has_lacked_memory)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (!value)
        return fail_garbage(err, _("not JSON"));
    *ret_value = value;
    return PSN_OK;
}

static enum psn_code fail_member(struct psn_error *err, const char *name)
{
    return psn_fail(err, PSN_E_NETWORK,
                    _("garbage from the server (member '%s' is missing or of a wrong "
                      "kind)"),
                    name);
}

/* Absent and null are the same. */
static const json_t *member(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);

    return json_is_null(value) ? NULL : value;
}

enum psn_code psn_json_text(const json_t *object, const char *name, char *ret_text,
                            size_t size, struct psn_error *err)
{
    const json_t *value = member(object, name);

    if (!json_is_string(value) || json_string_length(value) >= size)
        return fail_member(err, name);
    memcpy(ret_text, json_string_value(value), json_string_length(value) + 1);
    return PSN_OK;
}

enum psn_code psn_json_int(const json_t *object, const char *name, int64_t *ret_value,
                           struct psn_error *err)
{
    const json_t *value = member(object, name);

    if (!json_is_integer(value))
        return fail_member(err, name);
    *ret_value = json_integer_value(value);
    return PSN_OK;
}

enum psn_code psn_json_bool(const json_t *object, const char *name, bool *ret_value,
                            struct psn_error *err)
{
    const json_t *value = member(object, name);

    if (!json_is_boolean(value))
        return fail_member(err, name);
    *ret_value = json_is_true(value);
    return PSN_OK;
}

enum psn_code psn_json_text_or_empty(const json_t *object, const char *name,
                                     char *ret_text, size_t size, struct psn_error *err)
{
    if (member(object, name))
        return psn_json_text(object, name, ret_text, size, err);
    ret_text[0] = '\0';
    return PSN_OK;
}

enum psn_code psn_json_int_or(const json_t *object, const char *name, int64_t fallback,
                              int64_t *ret_value, struct psn_error *err)
{
    if (member(object, name))
        return psn_json_int(object, name, ret_value, err);
    *ret_value = fallback;
    return PSN_OK;
}

enum psn_code psn_json_time_or_0(const json_t *object, const char *name,
                                 int64_t *ret_time_s, struct psn_error *err)
{
    const json_t *value = member(object, name);
    int64_t time_s = 0;

    if (value &&
        (!json_is_string(value) || !psn_clock_parse(json_string_value(value), &time_s)))
        return fail_member(err, name);
    *ret_time_s = time_s;
    return PSN_OK;
}

enum psn_code psn_json_expect_array(const json_t *value, struct psn_error *err)
{
    return json_is_array(value) ? PSN_OK : fail_garbage(err, _("not a list"));
}

enum psn_code psn_json_expect_object(const json_t *value, struct psn_error *err)
{
    return json_is_object(value) ? PSN_OK : fail_garbage(err, _("not an object"));
}
