#ifndef PSN_CLI_HANDOVER_PV_PART_H
#define PSN_CLI_HANDOVER_PV_PART_H

#include "cli/cli.h"
#include "cli/writing.h"

/* The parts of the procès-verbal, by the numbers of their headings, each in the language
 * in use. */
void cli_pv_heading(struct cli_writing *writing, unsigned number, const char *text);

void cli_pv_given(const struct psn_handover_facts *facts,
                  struct cli_writing *writing); /* 4 */
void cli_pv_not_given(const struct psn_handover_facts *facts,
                      struct cli_writing *writing); /* 5 */
void cli_pv_accesses(const struct psn_handover_facts *facts,
                     struct cli_writing *writing); /* 6 */
void cli_pv_stays(const struct psn_handover_facts *facts,
                  struct cli_writing *writing); /* 7 */
void cli_pv_destruction(const struct psn_handover_facts *facts,
                        struct cli_writing *writing); /* 8 */
void cli_pv_under_way(const struct psn_handover_facts *facts,
                      struct cli_writing *writing); /* 9 */
void cli_pv_files(const struct psn_handover_facts *facts,
                  struct cli_writing *writing); /* 11 */

/* The name, or the id of who has none. */
const char *cli_pv_name(const struct psn_person *person);

const char *cli_pv_capacity(enum psn_person_kind kind);

/* 64 digits and their end. */
enum {
    CLI_PV_HASH_MAX = 2 * PSN_HEAD_SIZE + 1,
};
const char *cli_pv_hash(const uint8_t hash[PSN_HEAD_SIZE], char out[CLI_PV_HASH_MAX]);

/* A change of contact that OVH still waits for; and until when, as it says itself. */
bool cli_pv_is_waiting(const struct psn_handover_contact *contact);
int64_t cli_pv_contact_end(const struct psn_handover_contact *contact);

/* Appends what was written to out, and releases the writing. */
PSN_MUST_CHECK enum psn_code cli_pv_take(struct cli_writing *writing, struct psn_buf *out,
                                         struct psn_error *err);

#endif
