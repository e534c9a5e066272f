#ifndef PSN_TESTS_DRAWS_H
#define PSN_TESTS_DRAWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Everything that is generated for people, drawn very often and counted: passwords of
 * each size that a rule of OVH's leads to, passphrases, recovery and receipt codes.
 *
 * What was drawn is thrown away; what stays is a chunk: how often each symbol stood at
 * each position, how often each pair stood side by side, how many of each class a
 * password had, and a hash of 64 bits of each, sorted. Chunks are files, so that a
 * campaign can go on another day, and several processes can draw.
 */
enum {
    DRAW_POSITIONS_MAX = 64,
    DRAW_CLASSES = 3, /* upper, lower, digit */
    DRAW_UPPER = 24,
    DRAW_LOWER = 25,
    DRAW_DIGITS = 8,
    DRAW_ALPHABET = DRAW_UPPER + DRAW_LOWER + DRAW_DIGITS,
    DRAW_SYMBOLS_MAX = 2048,
};

struct draw_policy {
    const char *name;
    size_t positions; /* that are drawn, hyphens and check characters left out */
    size_t symbols;   /* each of them one of so many */
    size_t checks;    /* check characters behind them, each as even */
    bool has_classes; /* drawn again unless each class is there */
    unsigned weight;  /* which part of a campaign */
};
extern const struct draw_policy draw_policies[];
extern const size_t draw_policy_count;

/* How many bits of chance one draw has. */
double draw_bits(const struct draw_policy *policy);

struct draw_tally {
    uint64_t count;
    /* [position][symbol] */
    uint64_t *at;
    /* [position - 1][symbol before][symbol], for alphabets of up to 64 */
    uint64_t *pairs;
    /* [class][how many] */
    uint64_t classes[DRAW_CLASSES][DRAW_POSITIONS_MAX + 1];
};
void draw_tally_init(struct draw_tally *tally, const struct draw_policy *policy);
void draw_tally_release(struct draw_tally *tally);
size_t draw_pair_cells(const struct draw_policy *policy);

/* Draws so many into a chunk. Ends the process with a message if the form of one is
 * wrong. */
void draw_chunk(const struct draw_policy *policy, uint64_t count, const char *path);
/* Adds a chunk's counts. False if there is none; ends the process if it is damaged. */
bool draw_chunk_add(const struct draw_policy *policy, const char *path,
                    struct draw_tally *tally);
/* How often a hash comes a second time in all these chunks. */
uint64_t draw_repeats(const struct draw_policy *policy, char (*paths)[512], size_t count);

#endif
