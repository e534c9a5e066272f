#ifndef PSN_BASE_TEXT_H
#define PSN_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "passation/error.h"

/* Text from outside: checks, normal forms, and safe display. */

/* Reads the character at bytes[0] (RFC 3629: no overlong form, no surrogate); NUL is one.
 * size is not 0. Returns its length in bytes, or 0, with *ret_point untouched, if there
 * is none. */
size_t psn_text_decode(const char *bytes, size_t size, uint32_t *ret_point);

/* True if the bytes are UTF-8 (RFC 3629: no overlong form, no surrogate) without
 * NUL. */
bool psn_text_is_utf8(const char *bytes, size_t size);

/* True if the text is UTF-8 and holds no control character (C0, DEL, C1), no
 * bidirectional override or isolate, no line or paragraph separator. */
bool psn_text_is_plain(const char *bytes, size_t size);

/* Removes an incomplete UTF-8 sequence from the end of text, in place. */
void psn_text_cut_utf8(char *text);

/* What stands between groups of characters that somebody types from paper or pastes from
 * a chat: a blank, a hyphen, a newline, U+00A0, U+2010 to U+2014, U+202F. Its size in
 * bytes of at[left]; 0: none of these. */
size_t psn_text_gap(const char *at, size_t left);

/* Copies text, or as much of it as out[size] holds; size is not 0. Returns out. */
char *psn_text_copy(const char *text, char *out, size_t size);

/* A copy that the caller frees. E_NOMEM; *ret_copy is as it was then. */
PSN_MUST_CHECK enum psn_code psn_text_keep(const char *text, char **ret_copy,
                                           struct psn_error *err);

/* Puts '?' in the place of whatever psn_text_is_plain() refuses, in place: for where
 * no memory may be taken, else psn_text_escape() tells more. */
void psn_text_mask(char *text);

/*
 * Appends text as it may be shown on a terminal: what psn_text_is_plain() refuses
 * appears as \xNN or \u{NNNN}, a backslash stays one. The result holds no control
 * byte, and escaping it again changes nothing.
 */
void psn_text_escape(struct psn_buf *out, const char *bytes, size_t size);

/* Copies text into out[size] in that form, cut at a character's edge; returns
 * out, for use in an argument list. */
const char *psn_text_shown(const char *text, char *out, size_t size);

/* As a word of a shell's: what a label holds must not be carried out by whoever pastes
 * the line. Returns out, of at least four bytes. */
const char *psn_text_quoted(const char *text, char *out, size_t size);

/* The number of terminal columns that plain UTF-8 text takes (wcwidth of the
 * current locale; 1 for what it does not know). */
size_t psn_text_columns(const char *text);

/* ASCII only, whatever the locale. */
void psn_text_lower(char *text);
bool psn_text_is_digit(char c);
bool psn_text_is_lower(char c);
bool psn_text_is_upper(char c);

/* Matches text against a glob of '*' and '?'; every other byte stands for itself.
 * Linear in size(glob) x size(text). */
bool psn_text_glob(const char *glob, const char *text);

/* Reads a whole decimal number without sign; false if text is anything else or
 * more than max. */
bool psn_text_parse_u64(const char *text, uint64_t max, uint64_t *ret_value);

/* Reads "45s", "15m", "2h", "3d" into seconds (a bare number counts seconds). */
bool psn_text_parse_duration(const char *text, int64_t max_s, int64_t *ret_s);

#endif
