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
 * A mailbox, whichever of OVH's mail APIs serves it. One small interface, one file per
 * back-end (ovh/email_domain.c is the first); what serves a mailbox is detected, and may
 * change between two runs.
 */
enum psn_backend {
    PSN_BACKEND_NONE,
    PSN_BACKEND_EMAIL_DOMAIN, /* /email/domain, the first MX Plan */
};

/* "email/domain" …; and back (NONE if unknown). */
const char *psn_backend_name(enum psn_backend backend);
enum psn_backend psn_backend_parse(const char *name);

/* Where to find a mailbox at OVH. */
struct psn_mailbox {
    enum psn_backend backend;
    char local[65]; /* normal form, lower case */
    char domain[254];
};

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

/* Finds which back-end serves the domain, asking OVH. E_NOT_FOUND if none. */
PSN_MUST_CHECK enum psn_code psn_backend_detect(struct psn_ovh *ovh, const char *domain,
                                                enum psn_backend *ret_backend,
                                                struct psn_error *err);

/* Rules that hold before any call. E_POLICY with the rule that is broken; local only. */
PSN_MUST_CHECK enum psn_code psn_mailbox_check_name(const struct psn_mailbox *mailbox,
                                                    struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_mailbox_check_password(const struct psn_mailbox *mailbox,
                                                        const struct psn_secret *password,
                                                        struct psn_error *err);

/* Does it exist at OVH? Other failures as for all reads. */
struct psn_mailbox_info {
    bool exists;
    bool blocked;
    int64_t size_bytes;
    char description[PSN_OVH_TEXT_MAX];
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

/* How many tasks are under way on the mailbox. An E_NOT_FOUND mailbox has none. */
PSN_MUST_CHECK enum psn_code psn_mailbox_tasks(struct psn_ovh *ovh,
                                               const struct psn_mailbox *mailbox,
                                               size_t *ret_count, struct psn_error *err);

/* Lists the mailboxes of a domain: calls `each` for every local part, in OVH's order. */
typedef enum psn_code psn_mailbox_each_fn(void *arg, const char *local,
                                          struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_mailbox_list(struct psn_ovh *ovh,
                                              enum psn_backend backend,
                                              const char *domain,
                                              psn_mailbox_each_fn *each, void *arg,
                                              struct psn_error *err);

/* Where mail programs connect, by back-end and region (ovh-eu/ovh-ca). */
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
                       struct psn_mail_hosts *ret_hosts);

/* The login proof, so that core need not know net/: user name is the whole address. */
PSN_MUST_CHECK enum psn_code psn_mailbox_imap_url(const struct psn_mail_hosts *hosts,
                                                  char *ret_url, size_t size,
                                                  struct psn_error *err);
enum psn_login psn_mailbox_login(struct psn_imap imap, const char *imap_url,
                                 const char *ca_file, const char *address,
                                 const struct psn_secret *password,
                                 struct psn_error *err);

#endif
