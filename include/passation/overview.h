#ifndef PASSATION_OVERVIEW_H
#define PASSATION_OVERVIEW_H

#include <stddef.h>
#include <stdint.h>

#include "passation/client.h"
#include "passation/due.h"
#include "passation/role.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * How things stand, client by client, the worst first. It is read from the vault in one
 * transaction, each table once; nothing of it is stored, so it is never out of date.
 *
 * What psn_due_each() names of a client is counted in one of four columns, so that their
 * sum is the number of its lines.
 */
enum psn_overview_column {
    PSN_OVERVIEW_EXPOSED, /* a secret that somebody without right knows: ROTATE, SECRET,
                             and RESUME of a person's */
    PSN_OVERVIEW_UNFINISHED, /* a mailbox whose change was interrupted: RESUME */
    PSN_OVERVIEW_DRIFT,      /* OUTSIDE to ACCESS */
    PSN_OVERVIEW_DUE,        /* all else: grants, issues, envelopes, a handover */
    PSN_OVERVIEW_ENDING,     /* ends within 14 days, or has: see below; not due yet */
    PSN_OVERVIEW_COLUMNS,
};
/* "exposed", "unfinished", "drift", "due", "ending". Never NULL. */
PSN_API const char *psn_overview_column_name(enum psn_overview_column column);
/* Which one a line of psn_due_each() is counted in. */
PSN_API enum psn_overview_column psn_overview_column_of(const struct psn_due *due);

struct psn_overview_client {
    char id[PSN_CLIENT_ID_MAX];
    char name[PSN_NAME_MAX];
    bool linked;
    int64_t key_expires_s;
    struct psn_client_keys keys;
    size_t mailboxes;
    size_t counts[PSN_OVERVIEW_COLUMNS];
};

enum psn_overview_end_kind {
    PSN_END_PASSWORD, /* its service ends a password: address */
    PSN_END_KEY,      /* the API key for the daily work */
    PSN_END_GRANT,    /* a grant that is in force: address, person */
};
/* "password", "key", "grant". Never NULL. */
PSN_API const char *psn_overview_end_name(enum psn_overview_end_kind kind);

struct psn_overview_end {
    enum psn_overview_end_kind kind;
    char client[PSN_CLIENT_ID_MAX];
    char address[PSN_ADDRESS_TEXT_MAX];
    char person[PSN_PERSON_ID_MAX];
    int64_t at_s;
};

struct psn_overview_role {
    char address[PSN_ADDRESS_TEXT_MAX];
    char client[PSN_CLIENT_ID_MAX];
    enum psn_role_state state;
    const char *reason; /* translated, or ""; not owned */
};

struct psn_overview {
    struct psn_overview_client *clients; /* more exposed first, then more unfinished … in
                                            the order of columns, then by id */
    size_t client_count;
    struct psn_due *due; /* as psn_due_each() */
    size_t due_count;
    /* What those who are leaving know, which due has one line for, DEPARTURE, of each. */
    struct psn_due *left;
    size_t left_count;
    struct psn_overview_end *ends; /* by time */
    size_t end_count;
    struct psn_overview_role *unfinished; /* by address */
    size_t unfinished_count;
    size_t role_count;
    size_t roles[PSN_ROLE_RECEIVED + 1]; /* by state */
};
/* The caller frees *ret_overview. */
PSN_API PSN_MUST_CHECK enum psn_code psn_overview_get(struct psn_vault *vault,
                                                      struct psn_overview **ret_overview,
                                                      struct psn_error *err);
PSN_API void psn_overview_free(struct psn_overview *overview);

#ifdef __cplusplus
}
#endif

#endif
