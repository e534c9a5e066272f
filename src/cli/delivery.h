#ifndef PSN_CLI_DELIVERY_H
#define PSN_CLI_DELIVERY_H

#include "cli/doubt.h"

/*
 * Issues on their way to people: where the files go, how the codes are told, and what is
 * said about each. For grant, and for what makes issues that are due: outbox, due,
 * resume.
 *
 *     struct cli_delivery delivery;
 *     cli_delivery_begin(&delivery, cli, &options->where);
 *     rc = psn_grant_make(cli->vault, &request, &delivery.to, err);
 *     return cli_delivery_end(&delivery, rc, err);
 */
struct cli_delivery_options {
    const char *directory;
    int code_fd;
    bool force;
};

/* Rows for a command's table; `at` is where the options stand in its struct. */
#define CLI_DELIVERY_OPTIONS(at)                                                     \
    { "output",  'o',                                                                \
      CLI_TEXT,  (at) + offsetof(struct cli_delivery_options, directory),            \
      N_("DIR"), N_("where the files go (default: here)") },                         \
        { "code-fd",                                                                 \
          0,                                                                         \
          CLI_FD,                                                                    \
          (at) + offsetof(struct cli_delivery_options, code_fd),                     \
          N_("N"),                                                                   \
          N_("write the codes to file descriptor N, one SERIAL<TAB>CODE a line") },  \
    {                                                                                \
        "force", 'f', CLI_FLAG, (at) + offsetof(struct cli_delivery_options, force), \
            NULL, N_("write over a file of that name")                               \
    }

struct cli_delivery {
    struct cli *cli;
    struct psn_delivery to;
    int code_fd;
    struct cli_json json;
    size_t count;
    size_t codes;
    char (*by_key)[PSN_PERSON_ID_MAX]; /* whose issues open with a key */
    size_t by_key_count;
    struct cli_doubts doubts; /* of what was written */
};

void cli_delivery_begin(struct cli_delivery *delivery, struct cli *cli,
                        const struct cli_delivery_options *options);
/* Prints the issues as JSON if asked for, and what to do with them, whose key nobody has
 * compared and what may not be in force, too; returns rc, or why that could not be told.
 */
PSN_MUST_CHECK enum psn_code cli_delivery_end(struct cli_delivery *delivery,
                                              enum psn_code rc, struct psn_error *err);

enum cli_deliver {
    CLI_DELIVER_HERE, /* into the folder that is named, or the current one */
    CLI_DELIVER_REST, /* into the one named, or where each was to go; silent if none is */
};

struct cli_delivered {
    size_t written;
    size_t waiting; /* for a code that cannot be told now */
};

/* Makes the issues that are due, for a person or everybody (NULL), and says so. */
PSN_MUST_CHECK enum psn_code cli_deliver_due(struct cli *cli,
                                             const struct cli_delivery_options *where,
                                             const char *person, enum cli_deliver how,
                                             struct cli_delivered *ret_delivered,
                                             struct psn_error *err);
/* E_FINDINGS: so many issues wait. */
PSN_MUST_CHECK enum psn_code cli_fail_waiting(size_t waiting, struct psn_error *err);

/* One issue of a list, as JSON. */
void cli_issue_json(struct cli_json *json, const struct psn_issue *issue);

#endif
