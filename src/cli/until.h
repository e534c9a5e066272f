#ifndef PSN_CLI_UNTIL_H
#define PSN_CLI_UNTIL_H

#include <stdint.h>

#include "passation/passation.h"

/* The last second of a day, YYYY-MM-DD, in a time zone (NULL: Europe/Paris, where the
 * people are who read the date). E_INVALID for what is no date or no zone. */
PSN_MUST_CHECK enum psn_code cli_until_parse(const char *date, const char *zone,
                                             int64_t *ret_time_s, struct psn_error *err);

#endif
