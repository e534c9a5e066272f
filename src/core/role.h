#ifndef PSN_CORE_ROLE_H
#define PSN_CORE_ROLE_H

#include "core/rotation_machine.h"
#include "core/vault.h"
#include "ovh/mailbox.h"
#include "passation/role.h"

/* What the last look at OVH told of a mailbox; not kept. */
struct psn_role_look {
    bool done;
    struct psn_password_rules rules;
    int64_t password_changed_s;             /* 0: OVH does not say */
    char moved_from[PSN_PLATFORM_NAME_MAX]; /* the platform that it has left, or "" */
};

/* A role's row: everything but its secrets. */
struct psn_role_row {
    char address[PSN_ADDRESS_TEXT_MAX];
    char client[PSN_CLIENT_ID_MAX];
    enum psn_backend backend;
    int64_t created_s;
    int64_t changed_s;
    int64_t verified_s;
    struct psn_rotation_state rotation;
    struct psn_place place; /* where it was found last */
    int64_t ovh_changed_s;  /* of the version in force, as OVH says; 0: not known */
    int64_t expires_s;      /* when the service ends it; 0: never */
    uint32_t lockout;       /* refused logins that lock the mailbox; 0: none do */
    int64_t lockout_window_s;
    /* Drift, as a look has told (core/drift.c); 0: none. */
    int64_t outside_s;     /* the password was changed by somebody else */
    int64_t gone_s;        /* the mailbox is not there any more */
    int64_t moved_s;       /* it is on another platform than the row says */
    size_t platform_count; /* earlier ones */
    struct psn_role_platform platforms[PSN_ROLE_PLATFORMS_MAX];
    struct psn_role_look look;
    uint64_t revision; /* of the row as it was read; 0: a new one */
};

/* Normal form of an address. E_INVALID. */
PSN_MUST_CHECK enum psn_code psn_role_normalize(const char *address,
                                                char ret_address[PSN_ADDRESS_TEXT_MAX],
                                                struct psn_error *err);
/* As strcmp() tells: by domain, then by local part, so that a client's mailboxes stand
 * together. */
int psn_role_order(const char *left, const char *right);
/* Begins a transaction about one address: its normal form goes on in it. */
PSN_MUST_CHECK enum psn_code psn_role_begin(struct psn_vault *vault,
                                            enum psn_store_mode mode, const char *address,
                                            char ret_address[PSN_ADDRESS_TEXT_MAX],
                                            struct psn_error *err);

/* All below inside a transaction; addresses in normal form. */

PSN_MUST_CHECK enum psn_code psn_role_read(struct psn_vault *vault, const char *address,
                                           struct psn_role_row *ret_row,
                                           struct psn_error *err);
/* Writes the row over the one that was read (compare and swap: E_CONFLICT), or a new one
 * (E_EXISTS); row->revision is then the written one's. */
PSN_MUST_CHECK enum psn_code psn_role_write(struct psn_vault *vault,
                                            struct psn_role_row *row,
                                            struct psn_error *err);
/* Opens a row's record. */
PSN_MUST_CHECK enum psn_code psn_role_decode(const struct psn_buf *plain,
                                             struct psn_role_row *row,
                                             struct psn_error *err);
/* The same of its address and client alone. */
PSN_MUST_CHECK enum psn_code psn_role_decode_names(const struct psn_buf *plain,
                                                   char ret_address[PSN_ADDRESS_TEXT_MAX],
                                                   char ret_client[PSN_CLIENT_ID_MAX],
                                                   struct psn_error *err);
enum psn_code psn_role_fail_unknown(const char *address, struct psn_error *err);
/* Does OVH say that the password was changed after the version in force was? */
bool psn_role_has_drifted(const struct psn_role_row *row, int64_t password_changed_s);
/* The state that a rotation gives a role. */
enum psn_role_state psn_role_state_of(enum psn_rotation_phase phase,
                                      enum psn_rotation_reason reason);
/* At OVH, and seen so after the last send: nothing is left that could take that. Never of
 * one that is to be created. */
bool psn_role_is_gone(const struct psn_role_row *row);
/* Why its rotation has not ended. What a login tells of a mailbox that is gone is nothing
 * but that. */
enum psn_rotation_reason psn_role_reason_of(const struct psn_role_row *row);
/* The public view of a row. */
struct psn_role psn_role_view(const struct psn_role_row *row);

/* Calls each for every role whose address fits one of the globs (count 0: all); the order
 * is the file's. */
typedef enum psn_code psn_role_row_fn(void *arg, const struct psn_role_row *row,
                                      struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_role_scan(struct psn_vault *vault,
                                           const char *const *globs, size_t glob_count,
                                           psn_role_row_fn *each, void *arg,
                                           struct psn_error *err);

/* For clients: E_POLICY if a role lies on the domain; how many a client has, and how many
 * other secrets hang on them. */
PSN_MUST_CHECK enum psn_code psn_role_check_none(struct psn_vault *vault,
                                                 const char *domain,
                                                 struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_role_count_of_client(struct psn_vault *vault,
                                                      const char *client,
                                                      size_t *ret_count,
                                                      size_t *ret_others,
                                                      struct psn_error *err);

/* For clients: E_POLICY while a new password of one of its mailboxes was sent and may
 * still come into force (with the role nobody would have it), unless that is given up as
 * it is; and while a request is on its way at all. */
PSN_MUST_CHECK enum psn_code psn_role_check_arrived(struct psn_vault *vault,
                                                    const char *client, bool unchanged,
                                                    struct psn_error *err);

/* The sentence for a reason, translated; "" for none. */
const char *psn_rotation_explain(enum psn_rotation_reason reason);
/* What the action WAIT waits for, as a step of the progress. */
const char *psn_rotation_waiting(enum psn_rotation_reason reason);
/* What the user can do after such an end, as a hint; refusal_hint: what OVH's answer
 * suggests, or "". */
void psn_rotation_advise(const struct psn_rotation_action *end, const char *address,
                         const char *refusal_hint, struct psn_error *err);
/* What an end for this reason is to the user. */
enum psn_code psn_rotation_code(enum psn_rotation_reason reason);
/* Did OVH's answer to a send end the rotation, rather than a look or a login? */
bool psn_rotation_is_refusal(enum psn_rotation_reason reason);

/* Where a mailbox of that kind is read and sent from: the client's hosts, or OVH's.
 * mail_host: of its service, or "". */
void psn_mail_settings_of(enum psn_backend backend, const char *mail_host,
                          const struct psn_client *client,
                          struct psn_mail_settings *ret_settings);

#endif
