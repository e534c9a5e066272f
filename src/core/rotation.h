#ifndef PSN_CORE_ROTATION_H
#define PSN_CORE_ROTATION_H

#include "base/loop.h"
#include "core/pace.h"
#include "core/role.h"
#include "core/together.h"
#include "ovh/client.h"
#include "ovh/directory.h"
#include "passation/rotation.h"

/*
 * A run: one command's work at OVH for any number of mailboxes. It holds the operation
 * lock, and one open account per client.
 */
struct psn_account {
    struct psn_client client;
    struct psn_ovh *ovh;             /* NULL until connected … */
    struct psn_directory *directory; /* … and what it has, as far as it was needed */
    struct psn_gate create_gate;     /* one takes a free slot, the others wait */
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
    struct psn_together together; /* what several mailboxes have to write at once */
    size_t ended;                 /* of the mailboxes … */
    size_t count;                 /* … that there are */
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

/* Asks OVH again which service has the mailbox, what it wants of passwords, and whether
 * the mailbox is there. Fills row->backend, ->place and ->look; writes nothing. */
PSN_MUST_CHECK enum psn_code psn_session_detect(struct psn_session *session,
                                                struct psn_role_row *row,
                                                bool *ret_exists, struct psn_error *err);
/* The same for one that is to be made: where it goes. */
PSN_MUST_CHECK enum psn_code psn_session_place(struct psn_session *session,
                                               struct psn_role_row *row,
                                               struct psn_error *err);
/* After a look that found the mailbox on another platform than before: writes it down,
 * an event of the journal and a line of the row's history. */
PSN_MUST_CHECK enum psn_code psn_session_note_platform(struct psn_session *session,
                                                       struct psn_role_row *row,
                                                       struct psn_error *err);
/* May its password be changed now, by the service's own rules? E_POLICY says from when.
 */
PSN_MUST_CHECK enum psn_code psn_session_may_change(const struct psn_session *session,
                                                    const struct psn_role_row *row,
                                                    struct psn_error *err);

/* Where OVH tells when a password changed, it is asked: a newer date is drift, whatever a
 * login says. The login alone decides, so that no answer from OVH is no failure. */
PSN_MUST_CHECK enum psn_code psn_session_look_for_drift(struct psn_session *session,
                                                        struct psn_role_row *row,
                                                        struct psn_outcome *outcome,
                                                        struct psn_error *err);

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

/* The rotation policy of a mailbox: its client's, and never so many refused logins that
 * its service locks it. */
PSN_MUST_CHECK enum psn_code psn_session_policy(struct psn_vault *vault,
                                                const struct psn_client *client,
                                                const struct psn_role_row *row,
                                                struct psn_rotation_policy *ret_policy,
                                                struct psn_error *err);

/* Drives the machine for one mailbox from an event to an end. The outcome is complete;
 * the result is PSN_OK unless the vault itself failed. */
void psn_rotation_drive(struct psn_session *session, struct psn_role_row *row,
                        enum psn_rotation_event_kind event, struct psn_outcome *outcome);

#endif
