#ifndef PSN_CLI_DOUBT_H
#define PSN_CLI_DOUBT_H

#include "cli/display.h"

enum {
    CLI_DOUBT_MAX = 128,
};

/*
 * A password that may not be the one that opens its mailbox (enum psn_doubt): whatever
 * shows it or gives it away says so, and what to do.
 *
 *     struct cli_doubts doubts = { 0 };
 *     rc = cli_doubts_note(cli, &doubts, address, err);      for each that is given away
 *     cli_doubts_json(&json, &doubts);                       "doubts", or
 *     cli_doubts_warn(cli, &doubts);                         or both
 *     cli_doubts_release(&doubts);
 */
struct cli_doubts {
    struct psn_role *roles; /* in doubt, each once, in the order of their coming */
    size_t count;
};
void cli_doubts_release(struct cli_doubts *doubts);

/* Keeps the mailbox if there is a password of it, in doubt. */
PSN_MUST_CHECK enum psn_code cli_doubts_note(struct cli *cli, struct cli_doubts *doubts,
                                             const char *address, struct psn_error *err);
/* The same of all mailboxes of these clients (by id) and globs (count 0: of all). */
PSN_MUST_CHECK enum psn_code cli_doubts_find(struct cli *cli, struct cli_doubts *doubts,
                                             const char *const *names, size_t count,
                                             struct psn_error *err);
/* A member "doubts": [{address, doubt, seen_at}]. */
void cli_doubts_json(struct cli_json *json, const struct cli_doubts *doubts);
/* Of what is written down for somebody, a line for each. */
void cli_doubts_warn(const struct cli *cli, const struct cli_doubts *doubts);

/* Of one that is looked at; nothing of one without doubt. */
void cli_doubt_warn(const struct cli *cli, const struct psn_role *role);

/* "changed by somebody else, seen on …", "gone at OVH, seen on …"; "" for the others,
 * which have a state of their own. Returns out. */
const char *cli_doubt_text(const struct psn_role *role, char out[CLI_DOUBT_MAX]);
/* Members doubt, changed_outside_at and gone_at of a role. */
void cli_doubt_json(struct cli_json *json, const struct psn_role *role);

#endif
