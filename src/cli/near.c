#include "cli/near.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"

enum {
    POINTS_MAX = 64,
    SHORT_WORD = 5, /* characters: in fewer, two slips make another word */
    BEGINNING = 3,  /* characters that tell which word is meant */
    SLIPS_MAX = 2,
};

/* Reads text into characters; returns how many, or POINTS_MAX + 1 if there are more. */
static size_t read_points(const char *text, uint32_t points[POINTS_MAX])
{
    size_t left = strlen(text);
    size_t count = 0;

    while (left > 0) {
        uint32_t point = (unsigned char)*text;
        size_t size = psn_text_decode(text, left, &point);

        if (count == POINTS_MAX)
            return POINTS_MAX + 1;
        size = size ? size : 1;
        points[count++] = point;
        text += size;
        left -= size;
    }
    return count;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Row by row of the table of distances between beginnings, three rows of which are
 * needed at a time. */
static size_t measure(const uint32_t *a, size_t a_size, const uint32_t *b, size_t b_size)
{
    size_t rows[3][POINTS_MAX + 1];

    for (size_t j = 0; j <= b_size; j++)
        rows[0][j] = j;
    for (size_t i = 1; i <= a_size; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i - 1) % 3];

        row[0] = i;
        for (size_t j = 1; j <= b_size; j++) {
            row[j] = above[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(row[j], least(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], rows[(i - 2) % 3][j - 2] + 1);
        }
    }
    return rows[a_size % 3][b_size];
}

size_t cli_near_slips(const char *a, const char *b)
{
    uint32_t a_points[POINTS_MAX];
    uint32_t b_points[POINTS_MAX];
    size_t a_size = read_points(a, a_points);
    size_t b_size = read_points(b, b_points);

    if (a_size > POINTS_MAX || b_size > POINTS_MAX)
        return strcmp(a, b) == 0 ? 0 : SIZE_MAX;
    return measure(a_points, a_size, b_points, b_size);
}

void cli_near_begin(struct cli_near *near, const char *typed)
{
    uint32_t points[POINTS_MAX];

    *near = (struct cli_near){ .typed = typed };
    near->slips = read_points(typed, points) < SHORT_WORD ? 1 : SLIPS_MAX;
}

static size_t slips_to(const struct cli_near *near, const char *name)
{
    size_t size = strlen(near->typed);
    size_t slips = cli_near_slips(near->typed, name);
    uint32_t points[POINTS_MAX];

    if (slips > 1 && strncmp(name, near->typed, size) == 0 &&
        read_points(near->typed, points) >= BEGINNING)
        return 1;
    return slips;
}

static void keep(struct cli_near *near, const char *name)
{
    size_t at = near->count;

    while (at > 0 && strcmp(name, near->names[at - 1]) < 0)
        at--;
    if (at == CLI_NEAR_MAX)
        return;
    if (at + 1 < CLI_NEAR_MAX)
        memcpy(near->names[at + 1], near->names[at], CLI_NEAR_SIZE);
    (void)snprintf(near->names[at], CLI_NEAR_SIZE, "%s", name);
    near->count += near->count < CLI_NEAR_MAX ? 1 : 0;
}

void cli_near_offer(struct cli_near *near, const char *name)
{
    size_t slips = near->typed[0] ? slips_to(near, name) : SIZE_MAX;

    if (slips > near->slips || strlen(name) >= CLI_NEAR_SIZE)
        return;
    for (size_t i = 0; slips == near->slips && i < near->count; i++)
        if (strcmp(near->names[i], name) == 0)
            return;
    if (slips < near->slips)
        near->count = 0;
    near->slips = slips;
    keep(near, name);
}

const char *cli_near_shown(const struct cli_near *near, const char *prefix, char *out,
                           size_t size)
{
    if (near->count > 1)
        (void)snprintf(out, size, _("'%s%s' or '%s%s'"), prefix,
                       CLI_SHOWN(near->names[0]), prefix, CLI_SHOWN(near->names[1]));
    else
        (void)snprintf(out, size, _("'%s%s'"), prefix, CLI_SHOWN(near->names[0]));
    psn_text_cut_utf8(out);
    return out;
}
