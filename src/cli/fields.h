#ifndef PSN_CLI_FIELDS_H
#define PSN_CLI_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cli/cli.h"

/* Values of options, as several commands read them. */

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

#endif
