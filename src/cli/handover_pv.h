#ifndef PSN_CLI_HANDOVER_PV_H
#define PSN_CLI_HANDOVER_PV_H

#include "cli/cli.h"
#include "cli/writing.h"

/*
 * The procès-verbal de remise des accès: what was handed over, to whom, what was not, and
 * what remains. It holds no secret. French is what is signed; the English annex says the
 * same. Both are written in one run, whatever the user's language: see cli/locale.h.
 */

/* Writes one language's text, without the head and the end of a page. */
void cli_handover_pv_write(const struct psn_handover_facts *facts, bool french,
                           struct cli_writing *writing);

/* French first, the English annex behind it on a sheet of its own, appended to out. */
PSN_MUST_CHECK enum psn_code cli_handover_pv_page(const struct psn_handover_facts *facts,
                                                  struct psn_buf *out,
                                                  struct psn_error *err);
PSN_MUST_CHECK enum psn_code cli_handover_pv_text(const struct psn_handover_facts *facts,
                                                  struct psn_buf *out,
                                                  struct psn_error *err);
/* For programs: one object, times in UTC. */
void cli_handover_pv_json(const struct psn_handover_facts *facts, struct cli_json *json);

/* The closing statement, from what the vault knows when the client's rows are gone. */
PSN_MUST_CHECK enum psn_code cli_handover_end_page(const struct psn_handover_end *end,
                                                   struct psn_buf *out,
                                                   struct psn_error *err);
PSN_MUST_CHECK enum psn_code cli_handover_end_text(const struct psn_handover_end *end,
                                                   struct psn_buf *out,
                                                   struct psn_error *err);
void cli_handover_end_json(const struct psn_handover_end *end, struct cli_json *json);

#endif
