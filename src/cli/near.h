#ifndef PSN_CLI_NEAR_H
#define PSN_CLI_NEAR_H

#include <stddef.h>

/*
 * Did you mean: the one or two names that lie closest to what was typed.
 *
 *     struct cli_near near;
 *     cli_near_begin(&near, typed);
 *     …  cli_near_offer(&near, name);        for every name there is
 *     if (near.count > 0) …
 */

enum {
    CLI_NEAR_MAX = 2,
    CLI_NEAR_SIZE = 352, /* of an address */
};

struct cli_near {
    const char *typed;
    size_t slips; /* of the names that are kept */
    size_t count;
    char names[CLI_NEAR_MAX][CLI_NEAR_SIZE]; /* in the order of bytes */
};

/* The least number of characters put in, left out, changed, or swapped with their
 * neighbour that make b of a (Damerau's distance, in code points; where there is no
 * character, a byte counts as one). For texts up to 64 characters; longer ones are apart
 * by SIZE_MAX unless equal. */
size_t cli_near_slips(const char *a, const char *b);

/* typed stays the caller's and is kept. */
void cli_near_begin(struct cli_near *near, const char *typed);

/* Keeps the name if it is at most two slips away, or one from a word of less than five
 * characters, and none that was offered is nearer; of those that are as near, the first
 * two in the order of bytes, since a vault tells its names in any order. A name that
 * begins with what was typed, three characters at least, counts as one slip. */
void cli_near_offer(struct cli_near *near, const char *name);

/* "'a'" or "'a' or 'b'" in the user's language, fit for display; prefix goes before each
 * name, within the quotation marks. Returns out. */
const char *cli_near_shown(const struct cli_near *near, const char *prefix, char *out,
                           size_t size);

#endif
