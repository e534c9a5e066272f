#ifndef PSN_CLI_CMD_SHOW_H
#define PSN_CLI_CMD_SHOW_H

#include "cli/cli.h"

struct cmd_show_options {
    bool reveal;
    bool copy;
    bool qr;
    bool versions;
    bool replacement;
};

/* What is shown: a role's password, or another secret of it. */
struct cli_shown {
    const char *label;
    bool hidden_too; /* one that was removed from the list, too */
    struct psn_role role;
    struct psn_mail_settings mail;
    struct psn_secret_info info;
};

/* The object of JSON; the secret is null without a value. */
PSN_MUST_CHECK enum psn_code cli_shown_json(struct cli *cli,
                                            const struct cli_shown *subject,
                                            const struct psn_secret *value,
                                            struct psn_error *err);

/* show --versions (cmd_show_versions.c): every version of the secret, candidates too. */
PSN_MUST_CHECK enum psn_code cli_show_versions(struct cli *cli, const char *label,
                                               bool reveal, struct psn_error *err);

#endif
