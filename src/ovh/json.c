#include "ovh/json.h"

#include <pthread.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/library.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/wiped.h"

enum {
    /* A text of 1 MiB may make jansson build 350 000 lists: a bomb is not even begun. */
    VALUES_MAX = 100 * 1000,
    /* More than jansson takes for a value with its share of tables, and for a byte of
     * text. */
    VALUE_COST = 640,
    BYTE_COST = 8,
    FIXED_COST = 4096,
};

struct psn_jansson psn_jansson;

static const struct psn_library_symbol symbols[] = {
#define PSN_JANSSON_SYMBOL(name) { "json_" #name, offsetof(struct psn_jansson, name) },
    PSN_JANSSON_EACH(PSN_JANSSON_SYMBOL)
#undef PSN_JANSSON_SYMBOL
};

enum psn_code psn_json_load(struct psn_error *err)
{
    static const char *const names[] = {
#ifdef __APPLE__
        "libjansson.4.dylib",
#else
        "libjansson.so.4",
#endif
        NULL,
    };
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static bool is_loaded;
    enum psn_code rc = PSN_OK;

    (void)pthread_mutex_lock(&mutex);
    if (!is_loaded) {
        rc = psn_library_load(names, symbols, sizeof symbols / sizeof *symbols,
                              &psn_jansson, err);
        is_loaded = rc == PSN_OK;
        if (is_loaded)
            psn_jansson.set_alloc_funcs(psn_wiped_malloc, psn_wiped_free);
    }
    (void)pthread_mutex_unlock(&mutex);
    if (rc)
        return psn_hint(err, rc, _("install jansson (Debian: apt install libjansson4)"));
    return PSN_OK;
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
static bool is_bounded(const char *text, size_t size, size_t *ret_values)
{
    size_t depth = 0;
    size_t values = 1;

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
    *ret_values = values;
    return true;
}

/* All memory for one text is taken at once: jansson 2.14 runs over the end of its token
 * buffer when that cannot grow. */
enum psn_code psn_json_parse(const void *bytes, size_t size, json_t **ret_value,
                             struct psn_error *err)
{
    struct psn_wiped_pool *pool;
    json_t *value;
    size_t values = 0;
    enum psn_code rc;

    if (size > PSN_BODY_MAX || !is_bounded(bytes, size, &values))
        return fail_garbage(err, _("JSON beyond all bounds"));
    rc = psn_json_load(err);
    if (rc)
        return rc;
    pool = psn_wiped_pool_begin(FIXED_COST + values * VALUE_COST + size * BYTE_COST);
    if (!pool)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    value = json_loadb(bytes ? bytes : "", size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
                       NULL);
    psn_wiped_pool_end(pool);
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
