#include "ovh/headers.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "ovh/sign.h"

enum {
    HEADER_VALUE_MAX = 8 * 1024, /* a token is long */
};

/* Of a list, in one answer: what OVH allows. */
static const char page_size[] = "100";

void psn_ovh_headers_release(struct psn_ovh_headers *list)
{
    for (size_t i = 0; i < list->count; i++)
        psn_buf_release(&list->items[i].value);
}

static void add_header(struct psn_ovh_headers *list, const char *name, const void *value,
                       size_t size)
{
    struct psn_http_header *header = &list->items[list->count++];

    assert(list->count <= PSN_HTTP_HEADERS_MAX);
    (void)snprintf(header->name, sizeof header->name, "%s", name);
    header->value = psn_buf_init_wiped(HEADER_VALUE_MAX);
    psn_buf_bytes(&header->value, value, size);
}

static void add_secret_header(struct psn_ovh_headers *list, const char *name,
                              const struct psn_secret *value)
{
    add_header(list, name, psn_secret_bytes(value), psn_secret_size(value));
}

static enum psn_code add_bearer(const struct psn_ovh_headed *call,
                                struct psn_ovh_headers *list, struct psn_error *err)
{
    struct psn_http_header *header;

    add_header(list, "Authorization", "Bearer ", strlen("Bearer "));
    header = &list->items[list->count - 1];
    psn_buf_bytes(&header->value, psn_secret_bytes(call->bearer),
                  psn_secret_size(call->bearer));
    return psn_buf_check(&header->value, err);
}

static enum psn_code add_signature(const struct psn_ovh_headed *call,
                                   struct psn_ovh_headers *list, struct psn_error *err)
{
    const struct psn_ovh_credential *credential = call->credential;
    char signature[PSN_OVH_SIGNATURE_SIZE];
    char time[24];
    struct psn_ovh_signed what = {
        .method = call->method,
        .url = call->url,
        .body = call->body ? psn_secret_bytes(call->body) : NULL,
        .body_size = call->body ? psn_secret_size(call->body) : 0,
        .time_s = call->time_s,
    };
    int time_size = snprintf(time, sizeof time, "%lld", (long long)what.time_s);
    enum psn_code rc = psn_ovh_sign(credential->application_secret,
                                    credential->consumer_key, &what, signature, err);

    if (rc)
        return rc;
    add_secret_header(list, "X-Ovh-Consumer", credential->consumer_key);
    add_header(list, "X-Ovh-Timestamp", time, (size_t)time_size);
    add_header(list, "X-Ovh-Signature", signature, strlen(signature));
    return PSN_OK;
}

enum psn_code psn_ovh_headers_build(const struct psn_ovh_headed *call,
                                    struct psn_ovh_headers *list, struct psn_error *err)
{
    static const char json[] = "application/json";
    bool is_account = psn_ovh_credential_is_account(call->credential);
    enum psn_code rc = PSN_OK;

    add_header(list, "Accept", json, strlen(json));
    /* Without one, OVH can still be asked for its time. */
    if (!is_account && call->credential->application_key)
        add_secret_header(list, "X-Ovh-Application", call->credential->application_key);
    if (call->body)
        add_header(list, "Content-Type", json, strlen(json));
    if (call->cursor)
        add_header(list, "X-Pagination-Size", page_size, strlen(page_size));
    if (call->cursor && call->cursor[0])
        add_header(list, "X-Pagination-Cursor", call->cursor, strlen(call->cursor));
    if (is_account)
        return add_bearer(call, list, err);
    if (call->is_signed)
        rc = add_signature(call, list, err);
    for (size_t i = 0; i < list->count && rc == PSN_OK; i++)
        rc = psn_buf_check(&list->items[i].value, err);
    return rc;
}
