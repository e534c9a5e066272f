#ifndef PSN_CLI_DISPLAY_H
#define PSN_CLI_DISPLAY_H

#include <stdint.h>

#include "base/clock.h"
#include "cli/cli.h"

/* What several commands show in the same way. */

/* The one form in which people read a time, on a screen as in a document: "2026-11-29
 * 02:57 +01", on the clocks of cli_until_zone() with their distance from UTC; "" for
 * never (0). The first ten characters are the day. Returns out. */
const char *cli_display_moment(int64_t time_s, char out[PSN_TIME_SIZE]);
/* The same, "-" for never (0). */
const char *cli_display_time(int64_t time_s, char out[PSN_TIME_SIZE]);

enum {
    CLI_CLOCK_MAX = 64,
};
/* A day, YYYY-MM-DD, in the same way; what is none, as it is. */
const char *cli_display_day(const char *day, char out[CLI_CLOCK_MAX]);

/* "12 345 678", with blanks that no line breaks at. */
const char *cli_display_grouped(uint64_t number, char out[48]);

/* Appends a word of a command, in quotes where a shell would not take it as it is. */
void cli_display_word(struct psn_buf *out, const char *word);

/* Appends a whole command of ours, from "passation" on. */
void cli_display_command(struct psn_buf *out, const char *const *words, size_t count);

/* The number of OVH's task in a proof of the journal's, which is in English; or "". */
const char *cli_display_task(const char *proof, char *out, size_t size);

/* The number, or "-" for none (0). Returns out. */
const char *cli_display_count(uint64_t number, char out[24]);
void cli_display_json_count(struct cli_json *json, const char *name, uint64_t number);

/* The members that a secret has wherever it is told of, but not its value. "codes", how
 * many there are and are left, is one of recovery codes alone. */
void cli_display_json_secret(struct cli_json *json, const struct psn_secret_info *info);

/* A role's state in the user's language, as far as its password is not in doubt. */
const char *cli_display_state(const struct psn_role *role);

/* How somebody came to know a secret, in the user's language: "saw it". */
const char *cli_display_how(enum psn_how how);
/* What became of what somebody has seen: "in force", "replaced". */
const char *cli_display_fate(const struct psn_exposure *exposure);

/* What a mailbox's platform says: its name, earlier ones, and the password's dates. */
void cli_display_json_platform(struct cli_json *json, const struct psn_role *role);

/* One row of a table of two columns. An empty value is shown as "-". */
void cli_display_row(struct cli_table *table, const char *label, const char *value);

/* Says that PASSATION_CA_FILE is in use if a client has a host given by URL. */
PSN_MUST_CHECK enum psn_code cli_display_ca(struct cli *cli, struct psn_error *err);

PSN_DEFINE_AUTO(cli_table)

#endif
