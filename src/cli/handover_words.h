#ifndef PSN_CLI_HANDOVER_WORDS_H
#define PSN_CLI_HANDOVER_WORDS_H

#include "cli/cli.h"

/* The words of a handover for people, in their language: what `handover status` prints
 * and the procès-verbal says. What comes from outside is not escaped here. */

/* "Given in the trousseau": how an item is handed over. */
const char *cli_handover_mode_text(enum psn_handover_mode mode);
const char *cli_handover_stage_text(enum psn_handover_stage stage);
/* Who has to act: the provider, the client, OVH, or the account of that name, which is
 * borrowed from the blocker. */
const char *cli_handover_who_text(const struct psn_handover_blocker *blocker);

/* Appends what a service is called, as "domain name acme.fr" for "domain acme.fr". */
void cli_handover_service(const char *service, struct psn_buf *out);

/* Appends what blocks, in plain words. */
void cli_handover_blocker_what(const struct psn_handover_blocker *blocker,
                               struct psn_buf *out);
/* The same, and what to do about it: the exact command. client: the id. */
void cli_handover_blocker_text(const struct psn_handover_blocker *blocker,
                               const char *client, struct psn_buf *out);

/* "administrator, technical and billing contact", or fewer; nothing for none. */
void cli_handover_contact_roles(bool admin, bool tech, bool billing, struct psn_buf *out);

#endif
