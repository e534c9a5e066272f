#ifndef PSN_OVH_BACKEND_H
#define PSN_OVH_BACKEND_H

#include "ovh/mailbox.h"

/*
 * What each of OVH's mail APIs has to bring; ovh/mailbox.c chooses. A new one is a file
 * of its own with such a table, and a row in mailbox.c.
 */
struct psn_backend_table {
    const char *name; /* as in the vault and in JSON */
    enum psn_code (*detect)(struct psn_ovh *ovh, const char *domain, bool *ret_serves,
                            struct psn_error *err);
    enum psn_code (*check_name)(const struct psn_mailbox *mailbox, struct psn_error *err);
    enum psn_code (*check_password)(const struct psn_secret *password,
                                    struct psn_error *err);
    enum psn_code (*get)(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                         struct psn_mailbox_info *ret_info, struct psn_error *err);
    void (*create)(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                   const struct psn_secret *password, struct psn_ovh_answer *ret_answer,
                   struct psn_error *err);
    void (*set_password)(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                         const struct psn_secret *password,
                         struct psn_ovh_answer *ret_answer, struct psn_error *err);
    enum psn_code (*tasks)(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                           size_t *ret_count, struct psn_error *err);
    enum psn_code (*list)(struct psn_ovh *ovh, const char *domain,
                          psn_mailbox_each_fn *each, void *arg, struct psn_error *err);
    void (*hosts)(const char *endpoint, struct psn_mail_hosts *ret_hosts);
};

extern const struct psn_backend_table psn_backend_email_domain;

#endif
