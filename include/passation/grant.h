#ifndef PASSATION_GRANT_H
#define PASSATION_GRANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/client.h"
#include "passation/error.h"
#include "passation/person.h"
#include "passation/role.h"
#include "passation/secret.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A grant says that a person may read a role: person × mailbox × start × end × reason. An
 * issue is one file made under grants: the current secrets of one client's mailboxes, for
 * one person, with a serial. What an issue holds counts as seen by the person from before
 * its first byte is written.
 *
 * A grant is due when what it covers is newer than what was issued last. psn_outbox()
 * makes the issues that are due; it may be run again after a crash at any point.
 */
enum psn_issue_format {
    PSN_ISSUE_AGE,  /* a file for the stock age program */
    PSN_ISSUE_HTML, /* a page that opens itself in a browser */
};
PSN_API const char *psn_issue_format_name(enum psn_issue_format format);

enum psn_grant_state {
    PSN_GRANT_ACTIVE,
    PSN_GRANT_EXPIRED, /* its end has passed, and nothing was done about it yet */
    PSN_GRANT_ENDED,
};
PSN_API const char *psn_grant_state_name(enum psn_grant_state state);

struct psn_grant {
    char person[PSN_PERSON_ID_MAX];
    char address[PSN_ADDRESS_TEXT_MAX];
    char client[PSN_CLIENT_ID_MAX];
    enum psn_grant_state state;
    int64_t from_s;
    int64_t until_s; /* 0: no end was given */
    int64_t ended_s; /* 0: not ended */
    char reason[PSN_FIELD_MAX];
    char approver[PSN_PERSON_ID_MAX]; /* whose slot was in use */
    enum psn_issue_format format;
    char labels[PSN_FIELD_MAX]; /* other secrets, one a line; "*" all; "" none */
    uint64_t version;           /* of the password issued last; 0: none */
    uint64_t current;           /* of the password now */
    uint64_t serial;            /* of the issue that carried it; 0: none */
    bool due;                   /* active, and something newer is to be issued */
    bool withheld; /* active, but its person lost his slot: nothing is issued */
};

/* person NULL: everybody; globs as for roles (count 0: all). In the order of person, then
 * address. */
typedef enum psn_code psn_grant_fn(void *arg, const struct psn_grant *grant,
                                   struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_grant_each(struct psn_vault *vault,
                                                    const char *person,
                                                    const char *const *globs,
                                                    size_t glob_count, psn_grant_fn *each,
                                                    void *arg, struct psn_error *err);

/* --- issues --- */

enum psn_issue_state {
    PSN_ISSUE_PREPARED,  /* its exposures are written, its file may not be */
    PSN_ISSUE_WRITTEN,   /* the file is there */
    PSN_ISSUE_CONFIRMED, /* its receipt code came back */
    PSN_ISSUE_VOID,      /* replaced, or its grants ended before it was confirmed */
};
PSN_API const char *psn_issue_state_name(enum psn_issue_state state);

struct psn_issue {
    char person[PSN_PERSON_ID_MAX];
    char client[PSN_CLIENT_ID_MAX];
    uint64_t serial;
    enum psn_issue_format format;
    enum psn_issue_state state;
    int64_t created_s;
    int64_t confirmed_s;
    bool by_code;    /* encrypted to a code, not to a key */
    char path[4096]; /* where it was written */
    size_t address_count;
    const char *const *addresses; /* borrowed for the call */
};

typedef enum psn_code psn_issue_fn(void *arg, const struct psn_issue *issue,
                                   struct psn_error *err);

/* All issues of a person (NULL: everybody), by serial. */
PSN_API PSN_MUST_CHECK enum psn_code psn_issue_each(struct psn_vault *vault,
                                                    const char *person,
                                                    psn_issue_fn *each, void *arg,
                                                    struct psn_error *err);

/* Where issues go. */
struct psn_delivery {
    /* NULL: a grant goes to ".", and psn_outbox() finishes what was begun, each issue
     * into the folder that its grant was last issued to, or was to be. */
    const char *directory;
    bool replace;         /* over a file of that name */
    const char *language; /* of codes: "fr" or "en" */
    /* Tells the code of an issue to whoever passes it on; it is stored nowhere. NULL:
     * codes cannot be told, so only issues to keys are made. */
    enum psn_code (*tell_code)(void *arg, const struct psn_issue *issue,
                               const struct psn_secret *code, struct psn_error *err);
    /* After the issue is whole on disk. */
    psn_issue_fn *done;
    bool (*stop)(void *arg); /* psn_outbox() asks it before each issue; may be NULL */
    void *arg;
};

struct psn_grant_request {
    const char *person; /* an id, or "@group" */
    const char *const *globs;
    size_t glob_count;
    const char *const *labels; /* other secrets; "all" alone: all of them */
    size_t label_count;
    int64_t until_s; /* 0: none */
    const char *reason;
    enum psn_issue_format format;
};

/* Grants and issues. Everything is checked before anything is written: E_NOT_FOUND
 * (person, role, label), E_POLICY (a departing person, no password proved yet, the page
 * was left out of this build), E_INVALID (a code would be needed and cannot be told),
 * E_EXISTS (a file of that name). The grant and its exposures are durable before the
 * first file; if the files fail the grant stays, due. */
PSN_API PSN_MUST_CHECK enum psn_code psn_grant_make(
    struct psn_vault *vault, const struct psn_grant_request *request,
    const struct psn_delivery *delivery, struct psn_error *err);

/* Makes every issue that is due, for one person (NULL: everybody). *ret_waiting: issues
 * left because they need a code that cannot be told. E_UNFINISHED: stopped; what was not
 * written is still due. */
PSN_API PSN_MUST_CHECK enum psn_code psn_outbox(struct psn_vault *vault,
                                                const char *person,
                                                const struct psn_delivery *delivery,
                                                size_t *ret_waiting,
                                                struct psn_error *err);
/* After an older backup has replaced a vault that could not be read, everybody's issues
 * wait (E_POLICY) until somebody says that people and grants are as they should be. */
PSN_API PSN_MUST_CHECK enum psn_code psn_outbox_judge(struct psn_vault *vault,
                                                      struct psn_error *err);

/* Ends grants of a person (globs as for roles) and voids what was not confirmed; nothing
 * is issued to him for them any more. What he has seen is not undone: rotate it
 * (psn_due_each() names it). *ret_count: how many ended. */
PSN_API PSN_MUST_CHECK enum psn_code psn_grant_end(struct psn_vault *vault,
                                                   const char *person,
                                                   const char *const *globs,
                                                   size_t glob_count, size_t *ret_count,
                                                   struct psn_error *err);

/* --- receipts --- */

/* Confirms an issue by the code that its reader found inside. serial 0: any issue. The
 * result names no addresses.
 * E_VERIFY if it fits none (a mistyped check digit says so and costs no try); E_POLICY
 * after five wrong codes for an issue, or twenty in an hour without a serial. */
PSN_API PSN_MUST_CHECK enum psn_code psn_receipt_check(struct psn_vault *vault,
                                                       uint64_t serial, const char *code,
                                                       struct psn_issue *ret_issue,
                                                       struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
