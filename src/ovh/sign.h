#ifndef PSN_OVH_SIGN_H
#define PSN_OVH_SIGN_H

#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/secret.h"

enum {
    PSN_OVH_SIGNATURE_SIZE = 44, /* "$1$", forty hex digits, NUL */
};

/* What a signature covers: the exact bytes that are sent. */
struct psn_ovh_signed {
    const char *method; /* upper case */
    const char *url;
    const void *body; /* NULL: none */
    size_t body_size;
    int64_t time_s; /* server time, the same as in the header */
};

/* OVH's request signature: "$1$" and the SHA-1 of secret+consumer
 * key+method+URL+body+time joined with '+'. */
PSN_MUST_CHECK enum psn_code psn_ovh_sign(const struct psn_secret *application_secret,
                                          const struct psn_secret *consumer_key,
                                          const struct psn_ovh_signed *call,
                                          char ret_signature[PSN_OVH_SIGNATURE_SIZE],
                                          struct psn_error *err);

#endif
