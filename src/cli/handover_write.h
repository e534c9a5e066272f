#ifndef PSN_CLI_HANDOVER_WRITE_H
#define PSN_CLI_HANDOVER_WRITE_H

#include "cli/cli.h"

/* The files that are left at the end of a handover, signed; and the statement that lies
 * in the trousseau, too. */

/* The statement as signed text, whose journal heads 'log --verify' checks. Freed by the
 * caller. */
PSN_MUST_CHECK enum psn_code cli_handover_statement(
    struct cli *cli, const struct psn_handover_facts *facts, char **ret_text,
    struct psn_error *err);

/* CLIENT-proces-verbal.html, .txt and .json with their signatures, in the folder.
 * *ret_text: the signed text, freed by the caller. */
PSN_MUST_CHECK enum psn_code cli_handover_write_final(
    struct cli *cli, const struct psn_handover_facts *facts, const char *folder,
    char **ret_text, struct psn_error *err);

/* CLIENT-cloture.html, .txt and .json: what was destroyed. */
PSN_MUST_CHECK enum psn_code cli_handover_write_end(struct cli *cli,
                                                    const struct psn_handover_end *end,
                                                    const char *folder,
                                                    struct psn_error *err);

#endif
