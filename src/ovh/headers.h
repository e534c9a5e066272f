#ifndef PSN_OVH_HEADERS_H
#define PSN_OVH_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

#include "net/http.h"
#include "ovh/credential.h"

/* The headers of one call: what it accepts, and who sends it (a signature by the consumer
 * key, a service account's token, or the application key alone). */
struct psn_ovh_headers {
    struct psn_http_header items[PSN_HTTP_HEADERS_MAX];
    size_t count;
};

struct psn_ovh_headed {
    const struct psn_ovh_credential *credential;
    const struct psn_secret *bearer; /* of a service account */
    const char *method;
    const char *url;
    const struct psn_secret *body;
    const char *cursor; /* of a paged list; "": its first page; NULL: not paged */
    int64_t time_s;     /* OVH's */
    bool is_signed;
};

/* The list begins as { 0 } and is released whatever comes out. */
PSN_MUST_CHECK enum psn_code psn_ovh_headers_build(const struct psn_ovh_headed *call,
                                                   struct psn_ovh_headers *list,
                                                   struct psn_error *err);
void psn_ovh_headers_release(struct psn_ovh_headers *list);

#endif
