#ifndef PSN_CLI_OPTIONS_H
#define PSN_CLI_OPTIONS_H

#include "cli/cli.h"

enum {
    CLI_FDS_MAX = 8,
    CLI_OPTIONS_MAX = 64, /* rows of one table */
};

/* What a command line comes to. */
struct cli_line {
    void *options; /* the command's struct, with rows of this table: */
    const struct cli_option *table;
    const char **args; /* cli->args points here */
    int fds[CLI_FDS_MAX];
    size_t fd_count;
    uint64_t seen_globals; /* bit i: row i of the table was given */
    uint64_t seen;
};

/* Reads the command line into cli and line: GNU conventions, global options anywhere.
 * With cli->help, cli->command may be NULL, and nothing is checked to be complete. */
PSN_MUST_CHECK enum psn_code cli_options_parse(const struct cli_command *const *commands,
                                               int argc, const char *const *argv,
                                               struct cli *cli, struct cli_line *line,
                                               struct psn_error *err);
void cli_line_release(struct cli_line *line);

/* The table of global options, for the help. */
const struct cli_option *cli_global_options(void);

#endif
