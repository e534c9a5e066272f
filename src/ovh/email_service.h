#ifndef PSN_OVH_EMAIL_SERVICE_H
#define PSN_OVH_EMAIL_SERVICE_H

#include "ovh/backend.h"

/*
 * /email/mxplan, /email/pro and /email/exchange are one API three times, with the
 * differences of struct psn_email_family. Accounts are slots: a free one has an address
 * at configureme.me, and is taken by giving it a name.
 */
struct psn_email_family {
    const char *root;    /* lists the services; of Exchange, the organizations */
    const char *service; /* the path of one */
    const char *tasks;   /* of an account */
    const char *task;
};

/* The path of the mailbox's service and, behind it, the suffix with its parts. */
PSN_MUST_CHECK enum psn_code psn_email_path(const struct psn_mailbox *mailbox,
                                            const char *suffix,
                                            struct psn_ovh_parts parts,
                                            struct psn_buf *path, struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_email_get(struct psn_ovh *ovh,
                                           const struct psn_mailbox *mailbox,
                                           const char *suffix, struct psn_ovh_parts parts,
                                           json_t **ret_value, struct psn_error *err);

/* Where one more mailbox may be made: the first free slot by name ("": none), or by a
 * call of its own, which Exchange has except where it is hosted. */
struct psn_email_room {
    char slot[PSN_ADDRESS_SIZE];
    bool busy; /* a slot is being set up */
    bool by_post;
};
PSN_MUST_CHECK enum psn_code psn_email_find_room(struct psn_ovh *ovh,
                                                 const struct psn_mailbox *mailbox,
                                                 struct psn_email_room *ret_room,
                                                 struct psn_error *err);

/* The columns of the tables, in email_service.c and email_change.c. */
enum psn_code psn_email_account(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                                struct psn_mailbox_info *ret_info, struct psn_error *err);
void psn_email_create(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                      const struct psn_secret *password,
                      struct psn_ovh_answer *ret_answer, struct psn_error *err);
void psn_email_set_password(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                            const struct psn_secret *password,
                            struct psn_ovh_answer *ret_answer, struct psn_error *err);
enum psn_code psn_email_walk(const struct psn_walk *walk,
                             const struct psn_service *service, struct psn_error *err);

#endif
