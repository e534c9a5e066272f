#ifndef PSN_CLI_WRITING_H
#define PSN_CLI_WRITING_H

#include "cli/cli.h"

/*
 * A text for people, written once and read twice: as plain lines, and as a page for a
 * browser and for paper, without script. Every text is escaped here.
 */
enum cli_tone {
    CLI_TONE_PLAIN,
    CLI_TONE_GOOD,
    CLI_TONE_WAIT, /* something is still to be done */
    CLI_TONE_BAD,
};

struct cli_writing {
    struct psn_buf out;
    bool html;
    const char *footer;   /* of each printed sheet, before its number; borrowed until
                             cli_writing_begin(); NULL: none */
    bool stacked;         /* tables become blocks on a narrow screen */
    size_t columns;       /* of the table that is open */
    const char *heads[8]; /* borrowed until it is closed */
    size_t column;
};

struct cli_writing cli_writing_init(bool html);
void cli_writing_release(struct cli_writing *writing);

/* The page's head, up to its title; and its end. Nothing in plain text. */
void cli_writing_begin(struct cli_writing *writing, const char *title);
void cli_writing_end(struct cli_writing *writing);

void cli_writing_title(struct cli_writing *writing, const char *text);
void cli_writing_heading(struct cli_writing *writing, const char *text);
void cli_writing_line(struct cli_writing *writing, enum cli_tone tone, const char *format,
                      ...) PSN_PRINTF(3, 4);
void cli_writing_item(struct cli_writing *writing, size_t number, const char *format, ...)
    PSN_PRINTF(3, 4);
/* A command or a key, to be copied as it is. */
void cli_writing_code(struct cli_writing *writing, const char *text);

/* heads ends with NULL. Cells follow row by row. */
void cli_writing_table(struct cli_writing *writing, const char *const *heads);
void cli_writing_cell(struct cli_writing *writing, enum cli_tone tone, const char *text);
/* The same with a second, quieter line; "" or NULL: none. */
void cli_writing_cell_more(struct cli_writing *writing, enum cli_tone tone,
                           const char *text, const char *more);
/* Hexadecimal digits, in groups that an eye can compare. */
void cli_writing_cell_hash(struct cli_writing *writing, const char *hex);
void cli_writing_table_end(struct cli_writing *writing);

/* --- what a document for signature needs --- */

/* Text in a language, on a sheet of its own if wanted. */
void cli_writing_section(struct cli_writing *writing, const char *language,
                         bool on_sheet);
void cli_writing_section_end(struct cli_writing *writing);
/* What stands under a title or a heading, quieter. */
void cli_writing_lead(struct cli_writing *writing, const char *format, ...)
    PSN_PRINTF(2, 3);
/* In a frame. */
void cli_writing_note(struct cli_writing *writing, const char *text);
void cli_writing_subheading(struct cli_writing *writing, const char *text);
/* value "": a line to be filled in by hand. */
void cli_writing_field(struct cli_writing *writing, const char *label, const char *value);
void cli_writing_blank(struct cli_writing *writing);
/* A box for each of the parties, whose names end with NULL, to sign in. */
void cli_writing_signatures(struct cli_writing *writing, const char *const *parties);

/* Escaped for markup; for what writes its own (a drawing). */
void cli_writing_text(struct cli_writing *writing, const char *text);

#endif
