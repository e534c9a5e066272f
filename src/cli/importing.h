#ifndef PSN_CLI_IMPORTING_H
#define PSN_CLI_IMPORTING_H

#include "cli/cli.h"

/* Reading what another password manager has exported. */

struct cli_importing {
    const char *source;          /* a path; "-": standard input */
    const char *format;          /* NULL: as the name tells */
    const char *identity;        /* of a passage tree; NULL: passage's own place */
    const struct cli_texts *map; /* COLUMN=FIELD */
};

/* The words for formats, one after the other; NULL behind the last one. */
const char *cli_import_format(size_t i);

/* All entries of the source. *ret_is_plain: its passwords lie there in clear. E_INVALID,
 * E_NOT_FOUND, E_LIMIT … with the line. The caller frees the list. */
PSN_MUST_CHECK enum psn_code cli_read_foreign(struct cli *cli,
                                              const struct cli_importing *importing,
                                              struct psn_foreign_list **ret_list,
                                              bool *ret_is_plain, struct psn_error *err);

#include "base/auto.h"
PSN_DEFINE_AUTO(psn_foreign_list)

#endif
