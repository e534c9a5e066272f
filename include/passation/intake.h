#ifndef PASSATION_INTAKE_H
#define PASSATION_INTAKE_H

#include <stdbool.h>
#include <stddef.h>

#include "passation/error.h"
#include "passation/foreign.h"
#include "passation/vault.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Entries of other password managers become secrets of this vault, all of them in one
 * transaction. An entry about a mailbox of a known client's domain (its title is the
 * address, or its user name is and its site is OVH's mail, a mail server of the same
 * domain or one that the vault knows) is that mailbox's password, and makes the role
 * where there is none; every other one becomes a secret of the mailbox that its folder or
 * user name tells, or that was named.
 */
enum psn_intake_result {
    PSN_INTAKE_ADDED,
    PSN_INTAKE_REPLACED, /* a new version */
    PSN_INTAKE_SAME,     /* the vault has this value already */
    PSN_INTAKE_DIFFERS,  /* the vault has another value, and keeps it */
    PSN_INTAKE_UNPLACED, /* it cannot be told where it belongs */
    PSN_INTAKE_EMPTY,    /* there is nothing secret in it */
    PSN_INTAKE_UNUSABLE, /* it cannot be read, or not be kept here */
    PSN_INTAKE_LEFT_OUT, /* a part of it is not taken: label tells which */
    PSN_INTAKE_RESULTS,
};
/* "added", "same" …: stable words, never translated. */
PSN_API const char *psn_intake_result_name(enum psn_intake_result result);

/* What became of a secret of an entry; all borrowed for the call. */
struct psn_intake_line {
    const struct psn_foreign *entry;
    enum psn_intake_result result;
    const char *address; /* or "" */
    const char *label;   /* "": the mailbox's password */
    bool is_new_role;
    const char *why; /* translated; or "" */
};
typedef enum psn_code psn_intake_fn(void *arg, const struct psn_intake_line *line,
                                    struct psn_error *err);

struct psn_intake {
    const char *client;  /* only what belongs to this client; or NULL */
    const char *role;    /* what tells no mailbox of its own hangs on this one; or NULL. A
                            local part will do beside a client */
    bool skip;           /* leave out what has no place or is not usable; else that is
                            E_NOT_FOUND, of a dry run, too */
    bool replace;        /* other values become new versions, and what was removed comes
                            back */
    bool dry_run;        /* tell it all, and change nothing */
    psn_intake_fn *each; /* mailboxes first, those that a title tells before the others;
                            else in the list's order */
    void *arg;
};

struct psn_intake_summary {
    size_t counts[PSN_INTAKE_RESULTS];
    size_t roles; /* that were made */
    size_t kept;  /* of those that differ: they would stay with `replace`, too */
};

/* All or nothing; *ret_summary is set also when that which could not be placed makes it
 * nothing. Each value that is taken is noted as typed by the person whose slot is in
 * use. */
PSN_API PSN_MUST_CHECK enum psn_code psn_intake_run(
    struct psn_vault *vault, const struct psn_foreign_list *list,
    const struct psn_intake *intake, struct psn_intake_summary *ret_summary,
    struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
