#ifndef PSN_CORE_ROTATION_H
#define PSN_CORE_ROTATION_H

#include "core/role.h"
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

/* One login at the mailbox's server with a version (or, version 0, with `value`). Keeps
 * the pause between refused logins of OVH's own servers. */
enum psn_login psn_session_login(struct psn_session *session,
                                 const struct psn_role_row *row,
                                 const struct psn_secret *value, struct psn_error *err);

/* The rotation policy of a mailbox: its client's, and never so many refused logins that
 * its service locks it. */
struct psn_rotation_policy psn_session_policy(const struct psn_client *client,
                                              const struct psn_role_row *row);

/* Drives the machine for one mailbox from an event to an end. The outcome is complete;
 * the result is PSN_OK unless the vault itself failed. */
void psn_rotation_drive(struct psn_session *session, struct psn_role_row *row,
                        enum psn_rotation_event_kind event, struct psn_outcome *outcome);

#endif
