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
 *
 * A sweep finds what lets somebody in whatever the passwords are: whose each access is,
 * how bad that is, and what call would remove it; and which mailboxes there are. An
 * inventory reads less, and lists domains besides.
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
    /* A sweep alone has these. */
    PSN_FINDING_MODERATOR,    /* subject: list address; whose: an address outside */
    PSN_FINDING_SUBSCRIBER,   /* subject: list address; whose: an address outside */
    PSN_FINDING_OAUTH_CLIENT, /* subject: client id; detail: name, flow */
    PSN_FINDING_IAM_USER,     /* subject: login; detail: group, status */
    PSN_FINDING_IAM_TOKEN,    /* subject: login; detail: the token's name, dates */
    PSN_FINDING_IAM_POLICY,   /* subject: its name; detail: actions; whose: identities */
    PSN_FINDING_SUB_ACCOUNT,  /* subject: its number; detail: its description */
    PSN_FINDING_UNREADABLE,   /* subject: the path; detail: OVH's reason */
};

/* What an access means if nobody wants it. */
enum psn_danger {
    PSN_DANGER_INFO,   /* stays inside, is ours, or is off */
    PSN_DANGER_NOTICE, /* somebody should know of it */
    PSN_DANGER_DANGER, /* lets somebody outside read mail, or take the account over */
};

enum {
    PSN_FINDING_TEXT_MAX = 256,
    PSN_FINDING_ID_MAX = 160,
    PSN_FINDING_PATH_MAX = 768,
    PSN_FINDING_BODY_MAX = 128,
    PSN_FINDING_SOURCE_MAX = 512,
};

struct psn_finding {
    enum psn_finding_kind kind;
    char id[PSN_FINDING_ID_MAX];        /* stable from run to run: "redirection:12345" */
    char subject[PSN_FINDING_TEXT_MAX]; /* as OVH wrote it: escape it before display */
    char detail[PSN_FINDING_TEXT_MAX];  /* for people, in the language of who reads it */
    bool external;                      /* leads outside the domain: a leak, perhaps */
    char platform[24]; /* of a mailbox: "email/domain", as psn_role has it; or "" */
    int64_t changed_s; /* of a mailbox: when its password changed, as OVH says; 0: it
                          does not */

    /* Who gets in: an address, an account (NIC), a key's id, or the URNs of identities,
     * separated by blanks; see psn_finding_is_of(). "" if nobody is named. As OVH wrote
     * it. */
    char whose[PSN_FINDING_TEXT_MAX];
    int64_t since_s; /* 0: OVH does not say */
    enum psn_danger danger;
    bool own;       /* passation's own key */
    bool elsewhere; /* passation's own, for another client in the same account */

    /* What removes it. An empty method: OVH cannot by its API, or should not; obstacle
     * then says why: a message as it is in the sources (of an earlier version a
     * translated one), which psn_finding_obstacle() translates. */
    char method[8];
    char path[PSN_FINDING_PATH_MAX];
    char body[PSN_FINDING_BODY_MAX]; /* JSON, or "" */
    char obstacle[PSN_FINDING_TEXT_MAX];

    /* What detail is made of, as it is stored: with messages that psn_finding_detail()
     * translates. "": detail is all there is. */
    char source[PSN_FINDING_SOURCE_MAX];
};

/* The detail in the language in use now, whatever it was when the finding was made or
 * read; returns out. */
PSN_API const char *psn_finding_detail(const struct psn_finding *finding,
                                       char out[PSN_FINDING_TEXT_MAX]);

/* The obstacle in the language in use now; "" if there is none. */
PSN_API const char *psn_finding_obstacle(const struct psn_finding *finding);

/* What became of the removal of a finding. */
enum psn_cut_state {
    PSN_CUT_GONE,       /* a second look did not find it any more */
    PSN_CUT_UNDER_WAY,  /* OVH has taken the order; a task is to carry it out */
    PSN_CUT_WAITING,    /* the same, and people have to agree first (contacts) */
    PSN_CUT_IMPOSSIBLE, /* nothing was sent: see the finding's obstacle */
};

/* Called for each finding; anything but PSN_OK stops the walk and is its result. */
typedef enum psn_code psn_finding_fn(void *arg, const struct psn_finding *finding,
                                     struct psn_error *err);

/* A stable word such as "redirection". Never NULL. */
PSN_API const char *psn_finding_kind_name(enum psn_finding_kind kind);
/* "info", "notice", "danger". Never NULL. */
PSN_API const char *psn_danger_name(enum psn_danger danger);
/* "gone", "under_way", "waiting", "impossible". Never NULL. */
PSN_API const char *psn_cut_state_name(enum psn_cut_state state);

/* Does the access belong to that address, account, key or user? In any case of letters; a
 * name is also found as a part of an identity's URN. */
PSN_API bool psn_finding_is_of(const struct psn_finding *finding, const char *name);

#ifdef __cplusplus
}
#endif

#endif
