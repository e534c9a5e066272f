#ifndef PSN_OVH_BACKEND_H
#define PSN_OVH_BACKEND_H

#include "ovh/call.h"
#include "ovh/directory.h"
#include "ovh/mailbox.h"
#include "ovh/walk.h"

/*
 * What each of OVH's mail APIs has to bring; ovh/mailbox.c chooses and ovh/directory.c
 * finds out. A new one is a file of its own with such a table, and a row in mailbox.c.
 * A mailbox whose local part is "" stands for its service.
 */
struct psn_backend_table {
    const char *name; /* as in the vault and in JSON */
    const char *root; /* the path that lists its services */

    /* Finding: the services of the account (into list->items, each with its place), the
     * domains of one, and what it says of itself (service->state, rules, place). */
    enum psn_code (*services)(struct psn_ovh *ovh, const char *domain,
                              struct psn_services *list, struct psn_error *err);
    enum psn_code (*domains)(struct psn_ovh *ovh, const struct psn_service *service,
                             struct psn_names *ret_domains, struct psn_error *err);
    enum psn_code (*describe)(struct psn_ovh *ovh, struct psn_service *service,
                              struct psn_error *err);
    /* May one more mailbox be made there? */
    enum psn_code (*has_room)(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                              bool *ret_room, struct psn_error *err);

    enum psn_code (*check_name)(const struct psn_mailbox *mailbox, struct psn_error *err);
    struct psn_password_rules rules; /* while the service's own are not known */
    enum psn_code (*get)(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                         struct psn_mailbox_info *ret_info, struct psn_error *err);
    void (*create)(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                   const struct psn_secret *password, struct psn_ovh_answer *ret_answer,
                   struct psn_error *err);
    void (*set_password)(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                         const struct psn_secret *password,
                         struct psn_ovh_answer *ret_answer, struct psn_error *err);
    enum psn_code (*tasks)(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                           size_t *ret_count, bool *ret_absent, struct psn_error *err);
    /* Mailboxes, delegations and the like of a service: findings. */
    enum psn_code (*walk)(const struct psn_walk *walk, const struct psn_service *service,
                          struct psn_error *err);
};

extern const struct psn_backend_table psn_backend_email_domain;
extern const struct psn_backend_table psn_backend_email_mxplan;
extern const struct psn_backend_table psn_backend_email_pro;
extern const struct psn_backend_table psn_backend_email_exchange;
extern const struct psn_backend_table psn_backend_zimbra;

/* NULL for NONE. */
const struct psn_backend_table *psn_backend_table(enum psn_backend backend);

/* What the back-ends share. */

/* The failure of a read that must not leave a trace if it is passed over. */
enum psn_code psn_backend_hand_up(const struct psn_error *from, struct psn_error *err);
/* JSON bodies in wiped memory: text as it is, and a string with its quotes. */
PSN_MUST_CHECK enum psn_code psn_body_text(struct psn_secret *body, const char *text,
                                           struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_body_string(struct psn_secret *body, const void *bytes,
                                             size_t size, struct psn_error *err);
/* {"password":"…"}, the whole body or, open, without its last brace. */
PSN_MUST_CHECK enum psn_code psn_body_password(const struct psn_secret *password,
                                               struct psn_secret **ret_body,
                                               struct psn_error *err);
/* local@domain, written to out[PSN_ADDRESS_SIZE]. */
enum {
    PSN_ADDRESS_SIZE = 320
};
const char *psn_mailbox_address(const struct psn_mailbox *mailbox, char *out);
/* E_NETWORK unless the member is the mailbox's address, in any case of letters. */
PSN_MUST_CHECK enum psn_code psn_expect_address(const json_t *object, const char *name,
                                                const struct psn_mailbox *mailbox,
                                                struct psn_error *err);

#endif
