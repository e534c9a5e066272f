#include "ovh/sign.h"

#include <stdio.h>
#include <string.h>

#include "crypto/hash.h"

/* "$1$" names the scheme: SHA-1, chosen by OVH. It is no keyed hash, but the time bounds
 * what a replay can do. */
enum psn_code psn_ovh_sign(const struct psn_secret *application_secret,
                           const struct psn_secret *consumer_key,
                           const struct psn_ovh_signed *call,
                           char ret_signature[PSN_OVH_SIGNATURE_SIZE],
                           struct psn_error *err)
{
    char time[24];
    char digest[PSN_SHA1_HEX_SIZE];
    int time_size = snprintf(time, sizeof time, "%lld", (long long)call->time_s);
    const struct psn_part parts[] = {
        { psn_secret_bytes(application_secret), psn_secret_size(application_secret) },
        { "+", 1 },
        { psn_secret_bytes(consumer_key), psn_secret_size(consumer_key) },
        { "+", 1 },
        { call->method, strlen(call->method) },
        { "+", 1 },
        { call->url, strlen(call->url) },
        { "+", 1 },
        { call->body, call->body ? call->body_size : 0 },
        { "+", 1 },
        { time, (size_t)time_size },
    };
    enum psn_code rc = psn_sha1_hex(parts, sizeof parts / sizeof *parts, digest, err);

    if (rc)
        return rc;
    (void)snprintf(ret_signature, PSN_OVH_SIGNATURE_SIZE, "$1$%s", digest);
    return PSN_OK;
}
