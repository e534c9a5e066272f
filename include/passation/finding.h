#ifndef PASSATION_FINDING_H
#define PASSATION_FINDING_H

#include <stdbool.h>
#include <stdint.h>

#include "passation/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What lies in an OVH account, one finding after the other, in a stable order. A part
 * that OVH refuses to show (no rule for it) is a finding of its own (UNREADABLE), not a
 * failure.
 */
enum psn_finding_kind {
    PSN_FINDING_DOMAIN, /* subject: a domain with a mail service; detail: back-end, status
                         */
    PSN_FINDING_MAILBOX,     /* subject: address */
    PSN_FINDING_CONTACT,     /* subject: service; detail: "admin xy1-ovh" … */
    PSN_FINDING_REDIRECTION, /* subject: from; detail: to */
    PSN_FINDING_RESPONDER,   /* subject: account; detail: copy to, if any */
    PSN_FINDING_FILTER,      /* subject: address; detail: name, action and parameter */
    PSN_FINDING_DELEGATION, /* subject: address; detail: the account that may manage it */
    PSN_FINDING_ACL,        /* subject: domain; detail: the account */
    PSN_FINDING_MAILING_LIST, /* subject: list address; detail: moderators and counts */
    PSN_FINDING_API_KEY, /* subject: credential id; detail: application, status, dates */
    PSN_FINDING_API_APP, /* subject: application id; detail: name, status */
    PSN_FINDING_ACCOUNT_MAIL, /* subject: the account's own address, on one of the domains
                               */
    PSN_FINDING_UNREADABLE,   /* subject: the path; detail: OVH's reason */
};

enum {
    PSN_FINDING_TEXT_MAX = 256,
    PSN_FINDING_ID_MAX = 160,
};

struct psn_finding {
    enum psn_finding_kind kind;
    char id[PSN_FINDING_ID_MAX];        /* stable from run to run: "redirection:12345" */
    char subject[PSN_FINDING_TEXT_MAX]; /* as OVH wrote it: escape it before display */
    char detail[PSN_FINDING_TEXT_MAX];  /* for people, in their language */
    bool external;                      /* leads outside the domain: a leak, perhaps */
    int64_t changed_s; /* of a mailbox: when its password changed, as OVH says; 0: it
                          does not */
};

/* Called for each finding; anything but PSN_OK stops the walk and is its result. */
typedef enum psn_code psn_finding_fn(void *arg, const struct psn_finding *finding,
                                     struct psn_error *err);

/* A stable word such as "redirection". Never NULL. */
PSN_API const char *psn_finding_kind_name(enum psn_finding_kind kind);

#ifdef __cplusplus
}
#endif

#endif
