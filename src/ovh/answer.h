#ifndef PSN_OVH_ANSWER_H
#define PSN_OVH_ANSWER_H

#include "net/http.h"
#include "ovh/client.h"
#include "passation/error.h"
#include "passation/secret.h"

/*
 * What a complete answer says: decided by status, then errorCode, then class, never by
 * OVH's message. A pure function: no I/O.
 */
enum psn_ovh_reason {
    PSN_OVH_REASON_NONE,
    PSN_OVH_REASON_SIGNATURE,   /* wrong application secret, most likely */
    PSN_OVH_REASON_APPLICATION, /* application key unknown */
    PSN_OVH_REASON_NO_KEY,      /* consumer key unknown */
    PSN_OVH_REASON_KEY_ENDED,   /* consumer key pending, expired, refused or revoked */
    PSN_OVH_REASON_KEY_EXPIRED, /* the same, and it was to end by now */
    PSN_OVH_REASON_KEY_REVOKED, /* the same, and it was good, and to last longer */
    PSN_OVH_REASON_TOKEN,       /* a service account's token, a new one too */
    PSN_OVH_REASON_NO_RULE,     /* the key has no rule (or policy) for this call */
    PSN_OVH_REASON_FORBIDDEN,   /* the account or the object is barred */
    PSN_OVH_REASON_CLOCK,       /* timestamp too far from the server's time */
    PSN_OVH_REASON_SERVICE,     /* service expired or suspended */
};

struct psn_ovh_verdict {
    enum psn_ovh_outcome outcome; /* DONE for any 2xx: the caller parses it */
    enum psn_ovh_reason reason;
    const char *client; /* whose account, for advice; borrowed; or NULL */
    long status;
    int64_t retry_after_s;
    char text[160]; /* OVH's own words, escaped and cut, or "" */
    char query_id[96];
};

/* True if the text holds a part of the secret that is no chance: eight bytes in a row, or
 * all of a shorter one. */
bool psn_ovh_tells(const char *text, const struct psn_secret *secret);

/* hidden (or NULL): words that tell it are withheld. */
struct psn_ovh_verdict psn_ovh_judge(const struct psn_http_response *response,
                                     const struct psn_secret *hidden);

/* True if reading again later may go better. */
bool psn_ovh_is_passing(const struct psn_ovh_verdict *verdict);

/* Records the error of a verdict that is not DONE: E_REFUSED, E_NOT_FOUND, E_BUSY or
 * E_NETWORK, with err->remote, what was called and what to do next. */
enum psn_code psn_ovh_report(const struct psn_ovh_verdict *verdict, const char *host,
                             const char *method, const char *path, struct psn_error *err);

#endif
