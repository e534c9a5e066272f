#ifndef SIM_TEXT_H
#define SIM_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `*` stands for any bytes, also slashes, also none. */
bool sim_text_glob(const char *pattern, const char *text);

/* The API's list filters: `%` stands for any bytes; without one the match is exact. */
bool sim_text_like(const char *pattern, const char *text);

void sim_text_lower(char *text);

/* Undoes percent-escapes in place ('+' is left alone unless plus_is_blank). False if an
 * escape is broken, stands for NUL, or the outcome is not UTF-8. */
bool sim_text_unescape(char *text, bool plus_is_blank);

/* Decodes one code point and moves on; 0 at the end, UINT32_MAX if it is not UTF-8. */
uint32_t sim_text_next(const char **text);

/* Forms of the API: "2020-03-28T08:07:14+01:00" (Paris time) and "2020-03-28". */
enum {
    SIM_TEXT_DATETIME_SIZE = 40,
};
void sim_text_datetime(int64_t time_s, char ret_text[SIM_TEXT_DATETIME_SIZE]);
void sim_text_date(int64_t time_s, char ret_text[SIM_TEXT_DATETIME_SIZE]);
/* RFC 3339; false if it is none. */
bool sim_text_parse_datetime(const char *text, int64_t *ret_time_s);

/* Digits with an optional minus sign, nothing else. */
bool sim_text_parse_long(const char *text, int64_t *ret_value);

int64_t sim_text_now_ms(void);  /* monotonic */
int64_t sim_text_wall_ms(void); /* since 1970 */
void sim_text_sleep_ms(int64_t ms);

/* size-1 letters and digits that depend on the number alone: runs repeat exactly. */
void sim_text_key(const char *purpose, unsigned number, char *ret_key, size_t size);

#endif
