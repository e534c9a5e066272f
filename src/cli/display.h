#ifndef PSN_CLI_DISPLAY_H
#define PSN_CLI_DISPLAY_H

#include <stdint.h>

#include "base/clock.h"
#include "cli/cli.h"

/* What several commands show in the same way. */

/* RFC 3339 UTC, or "-" for never (0). Returns out. */
const char *cli_display_time(int64_t time_s, char out[PSN_TIME_SIZE]);

/* For people who read a page: "2026-11-28 23:00 UTC", or "" for never (0). */
const char *cli_display_moment(int64_t time_s, char out[PSN_TIME_SIZE]);

/* The number, or "-" for none (0). Returns out. */
const char *cli_display_count(uint64_t number, char out[24]);
void cli_display_json_count(struct cli_json *json, const char *name, uint64_t number);

/* A role's state in the user's language. */
const char *cli_display_state(enum psn_role_state state);

/* What a mailbox's platform says: its name, earlier ones, and the password's dates. */
void cli_display_json_platform(struct cli_json *json, const struct psn_role *role);

/* One row of a table of two columns. An empty value is shown as "-". */
void cli_display_row(struct cli_table *table, const char *label, const char *value);

/* Says that PASSATION_CA_FILE is in use if a client has a host given by URL. */
PSN_MUST_CHECK enum psn_code cli_display_ca(struct cli *cli, struct psn_error *err);

PSN_DEFINE_AUTO(cli_table)

#endif
