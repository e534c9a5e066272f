#ifndef PSN_CLI_FIELDS_H
#define PSN_CLI_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "cli/cli.h"

/* What several commands read or show in the same way. */

/* Copies an option's value into a field of a fixed size. E_INVALID names the option. */
PSN_MUST_CHECK enum psn_code cli_field_copy(const char *option, const char *text,
                                            char *ret_field, size_t size,
                                            struct psn_error *err);

/* "60/min", "2/s", or "0" for no limit. */
PSN_MUST_CHECK enum psn_code cli_field_rate(const char *text, uint32_t *ret_per_min,
                                            struct psn_error *err);

/* "45s", "10m", "2h", "3d"; at most 30 days. */
PSN_MUST_CHECK enum psn_code cli_field_duration(const char *option, const char *text,
                                                int64_t *ret_s, struct psn_error *err);

/* "3/5m": at most 3 refused logins in 5 minutes. */
PSN_MUST_CHECK enum psn_code cli_field_failed_logins(const char *text,
                                                     uint32_t *ret_count,
                                                     int64_t *ret_window_s,
                                                     struct psn_error *err);

/* True if the local part reads like a person's name (prenom.nom@): such a mailbox cannot
 * be passed on, a role's can. */
bool cli_field_is_personal(const char *address);

/* True if the text selects by pattern instead of naming one role. */
bool cli_field_is_glob(const char *text);

/* RFC 3339 UTC, or "-" for never (0). Returns out. */
const char *cli_field_time(int64_t time_s, char out[PSN_TIME_SIZE]);

/* The number, or "-" for none (0). Returns out. */
const char *cli_field_count(uint64_t number, char out[24]);
void cli_field_json_count(struct cli_json *json, const char *name, uint64_t number);

/* A role's state in the user's language. */
const char *cli_field_state(enum psn_role_state state);

/* One row of a table of two columns. An empty value is shown as "-". */
void cli_field_row(struct cli_table *table, const char *label, const char *value);

/* Says that PASSATION_CA_FILE is in use if a client has a host given by URL. */
PSN_MUST_CHECK enum psn_code cli_field_note_ca(struct cli *cli, struct psn_error *err);

PSN_DEFINE_AUTO(cli_table)

#endif
