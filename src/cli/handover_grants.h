#ifndef PSN_CLI_HANDOVER_GRANTS_H
#define PSN_CLI_HANDOVER_GRANTS_H

#include "cli/cli.h"

/* Who but the receiver has grants at the client that are in force. A grant holds up no
 * handover, but who has it knows what is in the trousseau. */
struct cli_handover_grants {
    struct psn_grant *items; /* in the order of people; owned */
    size_t count;
    const char *client;
    const char *to;
};

PSN_MUST_CHECK enum psn_code cli_handover_grants_read(struct cli *cli,
                                                      const struct psn_handover *handover,
                                                      struct cli_handover_grants *grants,
                                                      struct psn_error *err);
void cli_handover_grants_release(struct cli_handover_grants *grants);

/* The line of the person whose grants begin at `from`; returns where those of the next
 * begin. */
size_t cli_handover_grants_text(const struct cli_handover_grants *grants, size_t from,
                                struct psn_buf *out);

/* "grants": an object each. */
void cli_handover_grants_json(const struct cli_handover_grants *grants,
                              struct cli_json *json);

#endif
