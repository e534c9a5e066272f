#ifndef PSN_CLI_OUTCOME_H
#define PSN_CLI_OUTCOME_H

#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"

/*
 * A run over mailboxes: one line each as soon as it is known, then what is left to do.
 *
 *     struct cli_outcomes outcomes;
 *     struct psn_run run;
 *     rc = cli_outcomes_begin(&outcomes, cli, &run, err);
 *     if (!rc)
 *         rc = psn_rotate(cli->vault, cli->args, cli->arg_count, &run, err);
 *     return cli_outcomes_end(&outcomes, rc, err);
 */
struct cli_outcomes {
    struct cli *cli;
    struct cli_progress *progress;
    bool plan;             /* a dry run: nothing was done */
    bool known;            /* adopted with its known password */
    bool is_refusal_hoped; /* of the logins: the client is to have his own passwords */
    bool single;           /* one mailbox is named: its error need not be told twice */
    const struct psn_departure *departure; /* JSON: what this was for, or NULL */
    const char *nothing; /* what to say if there was no mailbox to work on */
    size_t total;
    size_t counts[PSN_RESULT_UNKNOWN + 1];
    struct psn_buf hints;     /* that were printed, each with its NUL */
    size_t old_open;          /* superseded passwords that are not proved refused */
    bool knows_waiting;       /* the two below are known */
    size_t waiting_people;    /* who had what is no longer in force */
    size_t waiting_envelopes; /* that hold it */
};

/* Catches signals and starts the progress display. */
PSN_MUST_CHECK enum psn_code cli_outcomes_begin(struct cli_outcomes *outcomes,
                                                struct cli *cli, struct psn_run *ret_run,
                                                struct psn_error *err);

/* The option of every command on mailboxes: how many calls at once. */
#define CLI_JOBS_OPTION(options)                                        \
    {                                                                   \
        "jobs", 0, CLI_NUMBER, offsetof(struct options, jobs), N_("N"), \
            N_("requests and logins at once, 1 to 64 (16)")             \
    }
/* 0: as many as usual. E_INVALID. */
PSN_MUST_CHECK enum psn_code cli_outcomes_set_jobs(struct psn_run *run, uint64_t jobs,
                                                   struct psn_error *err);

/* Prints one outcome; what the run calls as `done`. */
PSN_MUST_CHECK enum psn_code cli_outcomes_add(void *arg,
                                              const struct psn_outcome *outcome,
                                              struct psn_error *err);

/* Prints the summary and the next steps; returns rc, or why they could not be printed. */
PSN_MUST_CHECK enum psn_code cli_outcomes_end(struct cli_outcomes *outcomes,
                                              enum psn_code rc, struct psn_error *err);

#endif
