#ifndef PSN_CLI_UNTIL_H
#define PSN_CLI_UNTIL_H

#include <stdint.h>
#include <time.h>

#include "passation/passation.h"

/* The last second of a day, YYYY-MM-DD, in a time zone (NULL: Europe/Paris, where the
 * people are who read the date). E_INVALID for what is no date or no zone. */
PSN_MUST_CHECK enum psn_code cli_until_parse(const char *date, const char *zone,
                                             int64_t *ret_time_s, struct psn_error *err);

/* Before threads run: the zone of cli_until_local() is the process's own from then on. */
void cli_until_use_zone(void);
/* The zone of cli_until_local(): "Europe/Paris", or "UTC" where that is not installed. */
const char *cli_until_zone(void);
/* What the clocks there show. */
void cli_until_local(int64_t time_s, struct tm *ret_local);

#endif
