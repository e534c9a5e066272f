#ifndef PSN_CLI_STATUS_H
#define PSN_CLI_STATUS_H

#include "cli/cli.h"
#include "cli/due_list.h"

/* What `status` has gathered, for the screen and for programs. */
struct cli_status {
    struct cli *cli;
    const char *client; /* the one that was asked for; NULL: all */
    bool all;
    struct psn_overview *overview; /* owned */
    struct cli_due_list due;       /* of the one asked for, or all; owned */
    bool can_apply;                /* `due --apply` does some of it */
    /* Whose issue needs a code, which `due --apply` cannot tell from a timer; or "". */
    char waits[PSN_PERSON_ID_MAX];
    uint64_t linked;
    uint64_t ending;        /* passwords that their service ends soon */
    uint64_t keys_to_renew; /* that end soon, or have ended */
    uint64_t keys_asked;
    bool agent;
    int64_t idle_s;
    int64_t absolute_s;
};

/* Is it of the client that was asked for? */
bool cli_status_wants(const struct cli_status *status, const char *client);

/* Prints it as one object; the list of what is due is spent. */
PSN_MUST_CHECK enum psn_code cli_status_json(struct cli_status *status,
                                             struct psn_error *err);

#endif
