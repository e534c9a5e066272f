#ifndef PSN_BASE_CLOCK_H
#define PSN_BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Time. Wall-clock times are seconds since 1970-01-01 UTC; they are shown and
 * compared with OVH's, never used to order events (counters do that). */

/* At least 1: a clock that is before 1970 makes no negative number. */
int64_t psn_clock_now_s(void);

/* Milliseconds of a clock that goes on while the machine sleeps and never jumps
 * (CLOCK_BOOTTIME). */
int64_t psn_clock_boot_ms(void);

/* Sleeps; returns early when a signal arrives. */
void psn_clock_sleep_ms(int64_t duration_ms);

/* Of "2026-11-24T03:44:00Z" and its NUL, or of a time that people read, whose blanks are
 * two bytes each. */
#define PSN_TIME_SIZE 24

/* Writes the RFC 3339 form, UTC. Returns out. */
const char *psn_clock_format(int64_t time_s, char out[PSN_TIME_SIZE]);

/* Reads an RFC 3339 date-time with any offset, as OVH writes them. */
bool psn_clock_parse(const char *text, int64_t *ret_time_s);

/* Reads YYYY-MM-DD and checks that the day exists. */
bool psn_clock_parse_date(const char *text, int *ret_year, int *ret_month, int *ret_day);

/* Days since 1970-01-01 of a date of the Gregorian calendar. */
int64_t psn_clock_days(int64_t year, int month, int day);

#endif
