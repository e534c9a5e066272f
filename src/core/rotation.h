#ifndef PSN_CORE_ROTATION_H
#define PSN_CORE_ROTATION_H

#include "base/loop.h"
#include "core/pace.h"
#include "core/role.h"
#include "ovh/client.h"
#include "passation/rotation.h"

/*
 * A run: one command's work at OVH for any number of mailboxes. It holds the operation
 * lock, and one open account per client.
 */
struct psn_account {
    struct psn_client client;
    struct psn_ovh *ovh;              /* NULL until connected */
    char domain[PSN_DOMAIN_NAME_MAX]; /* whose back-end was detected last … */
    enum psn_backend backend;         /* … and it */
    struct psn_gate look_gate;        /* one looks for it, the others wait */
};

/* A mail server, which the mailboxes of several clients may share. */
struct psn_host {
    char url[PSN_URL_MAX];
    const char *ca_file; /* borrowed from the vault */
    struct psn_pace pace;
};

struct psn_session {
    struct psn_vault *vault;
    const struct psn_run *run;
    size_t ended; /* of the mailboxes … */
    size_t count; /* … that there are */
    struct psn_account **accounts;
    size_t account_count;
    struct psn_host **hosts;
    size_t host_count;
    const struct psn_secret *known; /* of the one that is adopted so; borrowed */
};

PSN_MUST_CHECK enum psn_code psn_session_open(struct psn_vault *vault, const char *what,
                                              const struct psn_run *run,
                                              struct psn_session *session,
                                              struct psn_error *err);
void psn_session_close(struct psn_session *session);

/* Borrowed until the session is closed. */
PSN_MUST_CHECK enum psn_code psn_session_account(struct psn_session *session,
                                                 const char *client,
                                                 struct psn_account **ret_account,
                                                 struct psn_error *err);
/* The same, with its OVH account opened. */
PSN_MUST_CHECK enum psn_code psn_session_connect(struct psn_session *session,
                                                 const char *client,
                                                 struct psn_account **ret_account,
                                                 struct psn_error *err);
bool psn_session_stopped(const struct psn_session *session);
void psn_session_progress(const struct psn_session *session, const char *address,
                          const char *step, int64_t wait_s);

/* Asks OVH again which back-end serves the mailbox, and whether it is there. */
PSN_MUST_CHECK enum psn_code psn_session_detect(struct psn_session *session,
                                                struct psn_role_row *row,
                                                bool *ret_exists, struct psn_error *err);

/* One login at the mailbox's server, after the pause that its host needs (core/pace.h).
 */
struct psn_login_try {
    const struct psn_secret *password;
    bool doubtful;        /* it may well be refused */
    int64_t *ret_asked_s; /* when it began; may be NULL */
};
enum psn_login psn_session_login(struct psn_session *session,
                                 const struct psn_role_row *row,
                                 const struct psn_login_try *try, struct psn_error *err);
/* Would a login that may be refused have to wait? */
bool psn_session_login_waits(struct psn_session *session, const struct psn_role_row *row);

/* The rotation policy of a client. */
struct psn_rotation_policy psn_session_policy(const struct psn_client *client);

/* Drives the machine for one mailbox from an event to an end. The outcome is complete;
 * the result is PSN_OK unless the vault itself failed. */
void psn_rotation_drive(struct psn_session *session, struct psn_role_row *row,
                        enum psn_rotation_event_kind event, struct psn_outcome *outcome);

#endif
