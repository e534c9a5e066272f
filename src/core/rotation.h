#ifndef PSN_CORE_ROTATION_H
#define PSN_CORE_ROTATION_H

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
    int64_t refused_ms; /* when its mail server last refused a login (steady clock); 0:
                           never */
};

struct psn_session {
    struct psn_vault *vault;
    const struct psn_run *run;
    size_t index;
    size_t count;
    struct psn_account *accounts;
    size_t account_count;
};

PSN_MUST_CHECK enum psn_code psn_session_open(struct psn_vault *vault, const char *what,
                                              const struct psn_run *run,
                                              struct psn_session *session,
                                              struct psn_error *err);
void psn_session_close(struct psn_session *session);

/* Borrowed until the session is closed or another account is asked for. */
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

/* One login at the mailbox's server with a version (or, version 0, with `value`). Keeps
 * the pause between refused logins of OVH's own servers. */
enum psn_login psn_session_login(struct psn_session *session,
                                 const struct psn_role_row *row,
                                 const struct psn_secret *value, struct psn_error *err);

/* The rotation policy of a client. */
struct psn_rotation_policy psn_session_policy(const struct psn_client *client);

/* Drives the machine for one mailbox from an event to an end. The outcome is complete;
 * the result is PSN_OK unless the vault itself failed. */
void psn_rotation_drive(struct psn_session *session, struct psn_role_row *row,
                        enum psn_rotation_event_kind event, struct psn_outcome *outcome);

#endif
