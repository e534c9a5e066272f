#include <stdio.h>
#include <string.h>

#include "cli/departure_report.h"

/*
 * The map: a line for each mailbox, a column for each person, before on the left and
 * after on the right. A full dot: has it; a cross: cut; a ring: still to be cut. Shapes
 * carry the meaning, colour only helps. Many mailboxes are drawn as their clients.
 */
enum {
    LINES_MAX = 40,
    PEOPLE_MAX = 9, /* the one who leaves, and eight who stay */
    LINE_HEIGHT = 26,
    NAMES_WIDTH = 250,
    COLUMN_WIDTH = 34,
    TOP = 120,
    GAP = 46,
};

struct line {
    char text[PSN_ADDRESS_TEXT_MAX];
    bool open; /* something of it is still his */
};

struct map {
    const struct psn_departure_report *report;
    struct cli_writing *writing;
    struct line lines[LINES_MAX];
    size_t line_count;
    size_t left_out;
    bool by_client;
    const struct psn_departure_stay *people[PEOPLE_MAX];
    size_t person_count; /* of those who stay */
};

static bool is_open(const struct psn_departure_secret *secret)
{
    return !secret->replaced || secret->again || secret->outside_s ||
           (!secret->label[0] && !secret->dead);
}

static size_t count_mailboxes(const struct psn_departure_report *report)
{
    size_t count = 0;

    for (size_t i = 0; i < report->secret_count; i++)
        count += i == 0 ||
                 strcmp(report->secrets[i].address, report->secrets[i - 1].address) != 0;
    return count;
}

/* The next one; NULL if there are too many. */
static struct line *add_line(struct map *map, const char *text)
{
    struct line *line = &map->lines[map->line_count];

    if (map->line_count == LINES_MAX) {
        map->left_out++;
        return NULL;
    }
    map->line_count++;
    *line = (struct line){ .open = false };
    (void)snprintf(line->text, sizeof line->text, "%s", text);
    return line;
}

/* The secrets are sorted by client and address. */
static void find_lines(struct map *map)
{
    const char *before = "";
    struct line *line = NULL;

    map->by_client = count_mailboxes(map->report) > LINES_MAX;
    for (size_t i = 0; i < map->report->secret_count; i++) {
        const struct psn_departure_secret *at = &map->report->secrets[i];
        const char *text = map->by_client ? at->client : at->address;

        if (strcmp(before, text) != 0)
            line = add_line(map, text);
        if (line)
            line->open = line->open || is_open(at);
        before = text;
    }
}

static void find_people(struct map *map)
{
    for (size_t i = 0; i < map->report->stay_count; i++) {
        const struct psn_departure_stay *at = &map->report->stays[i];
        bool known = false;

        for (size_t j = 0; j < map->person_count; j++)
            known = known || strcmp(map->people[j]->person, at->person) == 0;
        if (!known && map->person_count < PEOPLE_MAX - 1)
            map->people[map->person_count++] = at;
    }
}

/* Has somebody who stays a mailbox of this line? */
static bool has(const struct map *map, const char *person, const struct line *line)
{
    for (size_t i = 0; i < map->report->stay_count; i++) {
        const struct psn_departure_stay *at = &map->report->stays[i];

        if (strcmp(at->person, person) != 0)
            continue;
        if (at->by_slot || strcmp(at->address, line->text) == 0)
            return true;
        for (size_t j = 0; map->by_client && j < map->report->secret_count; j++)
            if (strcmp(map->report->secrets[j].client, line->text) == 0 &&
                strcmp(map->report->secrets[j].address, at->address) == 0)
                return true;
    }
    return false;
}

static size_t panel_width(const struct map *map)
{
    return (map->person_count + 1) * COLUMN_WIDTH;
}

static void put_text(struct map *map, size_t x, size_t y, const char *more,
                     const char *text)
{
    psn_buf_format(&map->writing->out, "<text x=\"%zu\" y=\"%zu\"%s>", x, y, more);
    cli_writing_text(map->writing, text);
    psn_buf_text(&map->writing->out, "</text>\n");
}

static void put_slanted(struct map *map, size_t x, const char *text)
{
    char more[64];

    (void)snprintf(more, sizeof more, " transform=\"rotate(-50 %zu %d)\"", x, TOP - 12);
    put_text(map, x, TOP - 12, more, text);
}

static void put_heads(struct map *map, size_t x, const char *title)
{
    const struct psn_person *person = &map->report->person;

    put_text(map, x, 18, " class=\"q\"", title);
    put_slanted(map, x + COLUMN_WIDTH / 2, person->id);
    for (size_t i = 0; i < map->person_count; i++)
        put_slanted(map, x + (i + 1) * COLUMN_WIDTH + COLUMN_WIDTH / 2,
                    map->people[i]->person);
}

static void put_dot(struct map *map, size_t x, size_t y)
{
    psn_buf_format(&map->writing->out,
                   "<circle class=\"k\" cx=\"%zu\" cy=\"%zu\" r=\"6\"/>\n", x, y);
}

static void put_cut(struct map *map, size_t x, size_t y)
{
    psn_buf_format(&map->writing->out,
                   "<path class=\"c\" d=\"M%zu %zul11 11m0 -11l-11 11\"/>\n", x - 5,
                   y - 5);
}

static void put_ring(struct map *map, size_t x, size_t y)
{
    psn_buf_format(&map->writing->out,
                   "<circle class=\"w\" cx=\"%zu\" cy=\"%zu\" r=\"6\"/>\n", x, y);
}

static void put_line(struct map *map, size_t index)
{
    const struct line *line = &map->lines[index];
    size_t y = TOP + index * LINE_HEIGHT + LINE_HEIGHT / 2;
    size_t before = NAMES_WIDTH + COLUMN_WIDTH / 2;
    size_t after = before + panel_width(map) + GAP;

    put_text(map, 0, y + 4, "", line->text);
    psn_buf_format(&map->writing->out, "<path class=\"l\" d=\"M0 %zuH%zu\"/>\n",
                   y + LINE_HEIGHT / 2, NAMES_WIDTH + 2 * panel_width(map) + GAP);
    put_dot(map, before, y);
    if (line->open)
        put_ring(map, after, y);
    else
        put_cut(map, after, y);
    for (size_t i = 0; i < map->person_count; i++)
        if (has(map, map->people[i]->person, line)) {
            put_dot(map, before + (i + 1) * COLUMN_WIDTH, y);
            put_dot(map, after + (i + 1) * COLUMN_WIDTH, y);
        }
}

static void put_legend(struct map *map, size_t y)
{
    put_dot(map, 8, y);
    put_text(map, 20, y + 4, " class=\"q\"", _("has it"));
    put_cut(map, 128, y);
    put_text(map, 142, y + 4, " class=\"q\"", _("cut"));
    put_ring(map, 228, y);
    put_text(map, 240, y + 4, " class=\"q\"", _("still to be cut"));
}

void cli_departure_map(const struct psn_departure_report *report,
                       struct cli_writing *writing)
{
    struct map map = { .report = report, .writing = writing };
    size_t width;
    size_t height;

    if (!writing->html || report->secret_count == 0)
        return;
    find_lines(&map);
    find_people(&map);
    width = NAMES_WIDTH + 2 * panel_width(&map) + GAP + 60;
    height = TOP + map.line_count * LINE_HEIGHT + 40;
    cli_writing_heading(writing, _("Who has what: before and after"));
    psn_buf_format(&writing->out,
                   "<svg role=\"img\" viewBox=\"0 0 %zu %zu\" width=\"%zu\" "
                   "xmlns=\"http://www.w3.org/2000/svg\">\n<title>",
                   width, height, width);
    cli_writing_text(writing, _("Who has what: before and after"));
    psn_buf_text(&writing->out, "</title>\n");
    put_heads(&map, NAMES_WIDTH, _("before"));
    put_heads(&map, NAMES_WIDTH + panel_width(&map) + GAP, _("after"));
    for (size_t i = 0; i < map.line_count; i++)
        put_line(&map, i);
    put_legend(&map, height - 18);
    psn_buf_text(&writing->out, "</svg>\n");
    if (map.left_out)
        cli_writing_line(writing, CLI_TONE_PLAIN,
                         PSN_NGETTEXT("Not drawn: %zu more line.",
                                      "Not drawn: %zu more lines.", map.left_out),
                         map.left_out);
}
