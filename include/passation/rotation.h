#ifndef PASSATION_ROTATION_H
#define PASSATION_ROTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/role.h"
#include "passation/vault.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Passwords at OVH: create, take over, prove, change, and finish what was interrupted, by
 * the protocol of docs/rotation.md. The working password is in the vault at every moment;
 * only an accepted login makes a password the current one. These functions hold the
 * vault's operation lock (E_BUSY names the holder), and may be stopped or killed at any
 * point: psn_resume() goes on.
 */
enum psn_result {
    PSN_RESULT_ROTATED,
    PSN_RESULT_CREATED,
    PSN_RESULT_ADOPTED,
    PSN_RESULT_UNCHANGED,
    PSN_RESULT_FAILED,
    PSN_RESULT_UNCERTAIN, /* unfinished: resume goes on */
    PSN_RESULT_ACCEPTED,  /* verify */
    PSN_RESULT_REFUSED,   /* verify */
    PSN_RESULT_UNKNOWN,   /* verify: no answer */
};
PSN_API const char *psn_result_name(enum psn_result result);

struct psn_outcome {
    char address[PSN_ADDRESS_TEXT_MAX];
    enum psn_result result;
    uint64_t version; /* in force now as far as known */
    bool verified;    /* by a login in this run */
    enum psn_tristate old_dead;
    struct psn_error error; /* why it failed or is uncertain; code PSN_OK if neither */
    int64_t ovh_changed_s;  /* when the password changed, as OVH says; 0: not known */
    int64_t expires_s;      /* when the service ends the password; 0: never */
    bool drifted; /* verify: OVH knows of a change that is newer than the vault's */
};

/* What goes on, for a progress display. steps are short translated words. */
struct psn_progress {
    size_t ended;        /* mailboxes whose outcome is known … */
    size_t count;        /* … of so many */
    const char *address; /* of one that is being worked on */
    const char *step;    /* "login", "waiting for OVH" … translated */
    int64_t wait_s;      /* seconds still to wait, or 0 */
};

struct psn_run {
    /* One call per mailbox, as soon as its outcome is known, in that order. Anything but
     * PSN_OK stops. */
    enum psn_code (*done)(void *arg, const struct psn_outcome *outcome,
                          struct psn_error *err);
    void (*progress)(void *arg, const struct psn_progress *progress); /* may be NULL */
    bool (*stop)(
        void *arg); /* asked often; true ends the run soon, state kept. May be NULL */
    void *arg;
    bool
        again; /* the user agreed to send the same candidate once more when stuck (F26) */
    bool prove;          /* rotate: wait until every old password was asked for */
    unsigned jobs;       /* requests and logins under way at once, up to 64; 0: 16 */
    const char *backend; /* psn_roles_create: the one to create on ("email/pro"), or NULL
                          */
};

/* All return PSN_OK if each mailbox succeeded; E_UNFINISHED if resume has work, else the
 * code of the first failure in input order (err holds it). Checks that need no network
 * are done for all addresses before the first call. */

/* Creates mailboxes at OVH with generated passwords. E_INVALID: outside the client's
 * domains; E_EXISTS: in the vault already, or at OVH (adopt it); E_POLICY: the name
 * breaks a rule. */
PSN_API PSN_MUST_CHECK enum psn_code psn_roles_create(struct psn_vault *vault,
                                                      const char *const *addresses,
                                                      size_t count,
                                                      const struct psn_run *run,
                                                      struct psn_error *err);

/* Takes over existing mailboxes: by rotating each (known NULL), or one address with its
 * known password, which must log in (E_VERIFY: refused; E_NETWORK: no answer).
 * E_NOT_FOUND: no such mailbox at OVH. */
PSN_API PSN_MUST_CHECK enum psn_code psn_roles_adopt(
    struct psn_vault *vault, const char *const *addresses, size_t count,
    const struct psn_secret *known, const struct psn_run *run, struct psn_error *err);

/* Replaces the passwords of the roles that the globs select. E_NOT_FOUND, and nothing is
 * done: an address, or a glob other than "*", that fits none; so for those below. */
PSN_API PSN_MUST_CHECK enum psn_code psn_rotate(struct psn_vault *vault,
                                                const char *const *globs, size_t count,
                                                const struct psn_run *run,
                                                struct psn_error *err);

/* What psn_rotate() would do: one outcome per role (UNCHANGED, or FAILED with why), no
 * call that changes anything, nothing written. */
PSN_API PSN_MUST_CHECK enum psn_code psn_rotate_plan(struct psn_vault *vault,
                                                     const char *const *globs,
                                                     size_t count,
                                                     const struct psn_run *run,
                                                     struct psn_error *err);

/* Goes on with whatever is unfinished among the selected roles (count 0: all), and asks
 * again whether superseded passwords are dead. */
PSN_API PSN_MUST_CHECK enum psn_code psn_resume(struct psn_vault *vault,
                                                const char *const *globs, size_t count,
                                                const struct psn_run *run,
                                                struct psn_error *err);

/* Gives up a candidate that was never sent. E_POLICY if it may have been: it could still
 * come into force. */
PSN_API PSN_MUST_CHECK enum psn_code psn_abandon(struct psn_vault *vault,
                                                 const char *address,
                                                 struct psn_error *err);

/* Logs in with the current password of each selected role. E_VERIFY if one was refused,
 * E_NETWORK if one gave no answer. */
PSN_API PSN_MUST_CHECK enum psn_code psn_verify(struct psn_vault *vault,
                                                const char *const *globs, size_t count,
                                                const struct psn_run *run,
                                                struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
