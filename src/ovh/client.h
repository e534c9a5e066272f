#ifndef PSN_OVH_CLIENT_H
#define PSN_OVH_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/auto.h"
#include "base/buf.h"
#include "net/http.h"
#include "ovh/credential.h"
#include "passation/error.h"

/*
 * Calls to one OVH account, signed or with a service account's token: server time, rate
 * limit (a token bucket), retries of reads, classification of answers. JSON stays inside
 * ovh/: callers get structs. Several fibers of a loop may use one account at once.
 */
enum {
    PSN_OVH_TEXT_MAX =
        256, /* a name or an address in an answer; a longer one is garbage */
};

struct psn_ovh_options {
    const char *root;          /* v1 root URL */
    const char *client;        /* whose account, for advice; or NULL */
    const char *ca_file;       /* extra CA, only for a URL endpoint; or NULL */
    double rate_per_min;       /* token bucket, burst 28; 0: no limit */
    struct psn_rate *rate;     /* the bucket that handles of one key share; borrowed, and
                                  begun by the first; NULL: one of its own */
    struct psn_http http;      /* the port */
    int64_t (*clock_ms)(void); /* a steady clock; NULL: psn_clock_boot_ms */
    void (*sleep_ms)(int64_t); /* NULL: psn_loop_sleep_ms */
    bool key_known;            /* the consumer key was good once … */
    int64_t key_expires_s;     /* … and ends then; 0: never */
};

struct psn_ovh;
/* Whose account it is, for advice. */
const char *psn_ovh_client(const struct psn_ovh *ovh);
PSN_MUST_CHECK enum psn_code psn_ovh_open(const struct psn_ovh_options *options,
                                          const struct psn_ovh_credential *credential,
                                          struct psn_ovh **ret_ovh,
                                          struct psn_error *err);
void psn_ovh_free(struct psn_ovh *ovh);
PSN_DEFINE_AUTO(psn_ovh)

/* How a call that changes something ended. */
enum psn_ovh_outcome {
    PSN_OVH_NOT_SENT,    /* not one byte left */
    PSN_OVH_DONE,        /* 2xx, parsed, about the right object */
    PSN_OVH_BAD_REQUEST, /* definite 400: a parameter was refused (or it is the password
                            in force) */
    PSN_OVH_NOT_ALLOWED, /* definite 401 or 403: key revoked, expired, rule missing */
    PSN_OVH_EXPIRED,     /* definite 460: service expired or suspended */
    PSN_OVH_ABSENT,      /* definite 404 */
    PSN_OVH_BUSY,        /* 409: a task is under way */
    PSN_OVH_THROTTLED,   /* 429 or 503: see retry_after_s */
    PSN_OVH_CLOCK,       /* the timestamp was refused even after a fresh /auth/time */
    PSN_OVH_UNKNOWN,     /* everything else: it may have been done */
};

struct psn_ovh_answer {
    enum psn_ovh_outcome outcome;
    int64_t task_id;       /* of DONE, or 0 */
    int64_t retry_after_s; /* of THROTTLED, or -1 */
    bool wrong_object;     /* of UNKNOWN: the answer named another mailbox */
};

/* Reads map failures thus: E_NOT_FOUND (404), E_REFUSED (401, 403, 460, 400, clock),
 * E_BUSY (409), E_NETWORK (network, TLS, time-out, 429/5xx after retries, garbage). Every
 * message names the host or the object, OVH's own words escaped, and its query id. */

struct psn_ovh_account {
    char nic[65];
    char email[PSN_OVH_TEXT_MAX];
    char name[PSN_OVH_TEXT_MAX];
};
/* True if a read has failed since the server's certificate does not verify: nothing was
 * sent, and trying again would not help. */
bool psn_ovh_is_untrusted(const struct psn_ovh *ovh);

/* What OVH's clock shows, for which no key is needed; it is asked once, and not signed.
 */
PSN_MUST_CHECK enum psn_code psn_ovh_time(struct psn_ovh *ovh, int64_t *ret_time_s,
                                          struct psn_error *err);

/* GET /me */
PSN_MUST_CHECK enum psn_code psn_ovh_me(struct psn_ovh *ovh,
                                        struct psn_ovh_account *ret_account,
                                        struct psn_error *err);

/* GET /auth/currentCredential */
struct psn_ovh_key_info {
    int64_t credential_id;
    int64_t application_id;
    char status[32];
    int64_t expires_s;  /* 0: never */
    int64_t last_use_s; /* 0: never */
    size_t rule_count;
    struct psn_ovh_rule {
        char method[8];
        char path[256];
    } rules[128];
};
PSN_MUST_CHECK enum psn_code psn_ovh_key_info(struct psn_ovh *ovh,
                                              struct psn_ovh_key_info *ret_info,
                                              struct psn_error *err);

/* GET /auth/details: whose the credential is, whatever its kind. */
struct psn_ovh_details {
    char nic[65];
    char method[64]; /* "account", "oauth2_client_credentials" … */
};
PSN_MUST_CHECK enum psn_code psn_ovh_details(struct psn_ovh *ovh,
                                             struct psn_ovh_details *ret_details,
                                             struct psn_error *err);

#endif
