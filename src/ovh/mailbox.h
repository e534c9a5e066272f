#ifndef PSN_OVH_MAILBOX_H
#define PSN_OVH_MAILBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/imap.h"
#include "ovh/client.h"
#include "passation/error.h"
#include "passation/secret.h"

/*
 * A mailbox, whichever of OVH's mail APIs serves it. One small interface; behind it
 * ovh/email_domain.c, ovh/email_service.c (three APIs that are alike) and ovh/zimbra.c.
 * What serves a mailbox is detected (ovh/directory.h), and may change between two runs.
 */
enum psn_backend {
    PSN_BACKEND_NONE,
    PSN_BACKEND_EMAIL_DOMAIN, /* /email/domain, the first MX Plan */
    PSN_BACKEND_EMAIL_MXPLAN, /* /email/mxplan, the second: OWA, then Zimbra */
    PSN_BACKEND_EMAIL_PRO,    /* /email/pro */
    PSN_BACKEND_EMAIL_EXCHANGE,
    PSN_BACKEND_ZIMBRA, /* v2 /zimbra */
    PSN_BACKENDS,
};

enum {
    PSN_SERVICE_NAME_MAX = 65,
    PSN_ACCOUNT_ID_MAX = 40, /* a UUID */
    PSN_HOST_NAME_MAX = 128,
    PSN_PLATFORM_NAME_MAX = 24,
    PSN_PASSWORD_NAMES_MAX = 128,
};

/* "email/domain" …; and back (NONE if unknown). */
const char *psn_backend_name(enum psn_backend backend);
enum psn_backend psn_backend_parse(const char *name);

/* Which service of the back-end; each "" where there is no such thing. Good as a hint
 * only: another run may find the mailbox elsewhere. */
struct psn_place {
    char organization[PSN_SERVICE_NAME_MAX]; /* of Exchange */
    char service[PSN_SERVICE_NAME_MAX];      /* of Zimbra: the platform's id */
    char account[PSN_ACCOUNT_ID_MAX];        /* of Zimbra: the account's id */
    char host[PSN_HOST_NAME_MAX]; /* the service's own mail server (Pro, Exchange) */
    bool is_zimbra;               /* of MX Plan: moved from OWA to Zimbra */
};

/* Does the back-end tell when a password changed? */
bool psn_backend_tells_dates(enum psn_backend backend);

/* Where to find a mailbox at OVH. */
struct psn_mailbox {
    enum psn_backend backend;
    char local[65]; /* normal form, lower case */
    char domain[254];
    struct psn_place place;
};
/* Are both at the same place? */
bool psn_mailbox_is_where(const struct psn_mailbox *mailbox,
                          const struct psn_mailbox *other);

/* The platform as people and the journal know it: the back-end, and for the second MX
 * Plan what stands behind it: "email/mxplan owa". */
void psn_platform_name(enum psn_backend backend, const struct psn_place *place,
                       char ret_name[PSN_PLATFORM_NAME_MAX]);

/* What a service asks of the passwords of its mailboxes. */
struct psn_password_rules {
    uint16_t min; /* characters */
    uint16_t max;
    uint8_t classes; /* how many of lower, upper, digit and other it must have */
    bool blanks;     /* inside; never at an end */
    bool upper;      /* needed, each of the three */
    bool digit;
    bool special;
    bool no_names;     /* holds neither the login nor a part of the names */
    int64_t min_age_s; /* before it may be changed again; 0: at once */
    int64_t max_age_s; /* when it ends by itself; 0: never */
    uint32_t lockout;  /* refused logins that lock the mailbox; 0: none do */
    int64_t lockout_window_s;
    char names[PSN_PASSWORD_NAMES_MAX]; /* of the mailbox, for no_names */
};

/* The rules while the service's own are not known. */
struct psn_password_rules psn_password_rules_default(enum psn_backend backend);

/*
 * Splits and normalizes an address: ASCII, exactly one '@', lower case, local part and
 * domain inside RFC limits. Accepts what the contract specifies and nothing else: local
 * part of letters, digits, '.', '_', '-', '+', ',' beginning with a letter or digit, no
 * two dots in a row, no dot at an end; domain of at least two LDH labels. E_INVALID names
 * the address.
 */
PSN_MUST_CHECK enum psn_code psn_mailbox_parse(const char *address,
                                               struct psn_mailbox *ret_mailbox,
                                               struct psn_error *err);

/* Rules that hold before any call. E_POLICY with the rule that is broken; local only. */
PSN_MUST_CHECK enum psn_code psn_mailbox_check_name(const struct psn_mailbox *mailbox,
                                                    struct psn_error *err);
/* For a mailbox whose back-end is not known yet: would any of them take the name? */
PSN_MUST_CHECK enum psn_code psn_mailbox_check_any_name(const struct psn_mailbox *mailbox,
                                                        struct psn_error *err);
/* rules NULL: the default ones. */
PSN_MUST_CHECK enum psn_code psn_mailbox_check_password(
    const struct psn_mailbox *mailbox, const struct psn_password_rules *rules,
    const struct psn_secret *password, struct psn_error *err);
/* Draws passwords until one fits: the usual 23 characters, or as many as the rules want.
 * E_POLICY if there can be none. */
PSN_MUST_CHECK enum psn_code psn_mailbox_generate_password(
    const struct psn_mailbox *mailbox, const struct psn_password_rules *rules,
    struct psn_secret **ret_password, struct psn_error *err);

/* Does it exist at OVH? Other failures as for all reads. */
struct psn_mailbox_info {
    bool exists;
    bool blocked;
    int64_t size_bytes;
    char description[PSN_OVH_TEXT_MAX];
    int64_t password_changed_s;         /* as OVH says; 0: it does not */
    char account[PSN_ACCOUNT_ID_MAX];   /* of Zimbra: its id there */
    char names[PSN_PASSWORD_NAMES_MAX]; /* what no password may hold, where that holds */
};
PSN_MUST_CHECK enum psn_code psn_mailbox_get(struct psn_ovh *ovh,
                                             const struct psn_mailbox *mailbox,
                                             struct psn_mailbox_info *ret_info,
                                             struct psn_error *err);

/* Changing calls, sent once. The body is built in wiped memory. err explains every
 * outcome but DONE; the outcome is the result. */
void psn_mailbox_create(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                        const struct psn_secret *password,
                        struct psn_ovh_answer *ret_answer, struct psn_error *err);
void psn_mailbox_set_password(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                              const struct psn_secret *password,
                              struct psn_ovh_answer *ret_answer, struct psn_error *err);

/* How many tasks are under way on the mailbox; one that has failed is not. A mailbox that
 * is not there has none, and *ret_absent (NULL: not asked for) tells. */
PSN_MUST_CHECK enum psn_code psn_mailbox_tasks(struct psn_ovh *ovh,
                                               const struct psn_mailbox *mailbox,
                                               size_t *ret_count, bool *ret_absent,
                                               struct psn_error *err);

/* Where mail programs connect, by back-end, region (ovh-eu/ovh-ca) and, for Pro and
 * Exchange, the service's own server. */
struct psn_mail_host {
    char host[128];
    uint16_t port;
    const char *security; /* "SSL/TLS" or "STARTTLS" */
};
struct psn_mail_hosts {
    struct psn_mail_host imap;
    struct psn_mail_host smtp;
    char webmail[128];
};
void psn_mailbox_hosts(enum psn_backend backend, const char *endpoint,
                       const char *own_host, struct psn_mail_hosts *ret_hosts);

/* The login proof, so that core need not know net/: user name is the whole address. */
PSN_MUST_CHECK enum psn_code psn_mailbox_imap_url(const struct psn_mail_hosts *hosts,
                                                  char *ret_url, size_t size,
                                                  struct psn_error *err);
enum psn_login psn_mailbox_login(struct psn_imap imap, const char *imap_url,
                                 const char *ca_file, const char *address,
                                 const struct psn_secret *password,
                                 struct psn_error *err);
/* Is the mail server there, and who it says it is? Nothing is sent to it. E_NETWORK;
 * *ret_untrusted: its certificate does not verify. */
PSN_MUST_CHECK enum psn_code psn_mailbox_look_at_server(
    struct psn_imap imap, const char *imap_url, const char *ca_file, int64_t timeout_ms,
    bool *ret_untrusted, struct psn_error *err);

#endif
