#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "tui/tui.h"

/* Questions, in a box over the page. */
enum {
    WAIT_MS = 500,
    FRAME_ROWS = 2,
    BOX_COLUMNS = 72,
    UTF8_MAX = 4,
};

unsigned tui_wait_key(struct tui *ui, int wait_ms)
{
    unsigned key = tui_screen_key(ui->screen, wait_ms);

    tui_lock_key(ui, key);
    return ui->cli->vault ? key : TUI_KEY_QUIT;
}

static size_t box_columns(const struct tui *ui)
{
    size_t columns = tui_screen_columns(ui->screen);

    return columns < BOX_COLUMNS + 8 ? columns - (columns > 8 ? 8 : 0) : BOX_COLUMNS;
}

/* What cannot be read whole is not asked: nobody agrees to what he has not seen. */
static bool fits(struct tui *ui, size_t rows)
{
    size_t here = tui_screen_rows(ui->screen);

    if (!tui_is_large_enough(ui))
        tui_tell(ui, TUI_WATCH, _("The window is too small for the question."));
    else if (rows + FRAME_ROWS > here)
        tui_tell(ui, TUI_WATCH,
                 _("Window too small for the question: %zu rows needed (%zu here)."),
                 rows + FRAME_ROWS, here);
    else
        return true;
    return false;
}

/* --- yes or no --- */

static bool is_letter(unsigned key, const char *letter)
{
    return key < 0x80 && (key | 0x20) == ((unsigned)(unsigned char)letter[0] | 0x20);
}

static bool ask(struct tui *ui, const struct tui_lines *lines)
{
    unsigned key = TUI_KEY_NONE;

    while (key == TUI_KEY_NONE || key == TUI_KEY_RESIZE) {
        struct tui_rect probe = { 0, 0, 0, box_columns(ui) };
        size_t rows = tui_lines_draw(ui->screen, lines, probe, 0) + 2;
        struct tui_rect inside;

        if (!fits(ui, rows))
            return false;
        tui_draw(ui);
        inside = tui_screen_box(ui->screen, rows, box_columns(ui), "");
        (void)tui_lines_draw(ui->screen, lines, inside, 0);
        /* Translators: the letters for yes and no; the capital one is what Enter means.
         */
        tui_screen_put(ui->screen, inside.row + inside.rows - 1, inside.column,
                       inside.columns, TUI_STRONG, _("[y/N]"));
        tui_screen_show(ui->screen);
        key = tui_wait_key(ui, WAIT_MS);
    }
    if (key == TUI_KEY_QUIT && tui_signal())
        ui->done = true;
    return is_letter(key, _("y")) || is_letter(key, "y");
}

bool tui_confirm(struct tui *ui, const char *format, ...)
{
    PSN_AUTO_FREE char *question = NULL;
    struct tui_lines lines = { 0 };
    struct psn_error err = { 0 };
    bool agreed = false;
    va_list args;
    int length;

    va_start(args, format);
    length = vasprintf(&question, format, args);
    va_end(args);
    if (length < 0)
        question = NULL;
    else
        tui_lines_say(&lines, TUI_PLAIN, question);
    if (!question || lines.failed) {
        (void)psn_fail(&err, PSN_E_NOMEM, _("out of memory"));
        tui_tell_error(ui, &err);
    } else {
        agreed = ask(ui, &lines);
    }
    tui_lines_release(&lines);
    return agreed;
}

/* --- a form --- */

enum {
    TYPED_SIZE = 64,
};

struct form {
    struct tui *ui;
    const char *title;
    const struct tui_field *fields;
    size_t count;
    size_t at;
    char typed[TYPED_SIZE]; /* of a choice, since the field was entered */
    bool refused;           /* somebody wanted to leave a field that may not be empty */
};

static size_t label_columns(const struct form *form)
{
    size_t width = 0;

    for (size_t i = 0; i < form->count; i++) {
        size_t columns = psn_text_columns(form->fields[i].label);

        width = columns > width ? columns : width;
    }
    return width;
}

/* The end of a text that is longer than its place. */
static const char *tail(const char *text, size_t columns)
{
    while (*text && psn_text_columns(text) > columns) {
        text++;
        while ((*text & 0xc0) == 0x80)
            text++;
    }
    return text;
}

static size_t form_rows(const struct form *form)
{
    return 2 * form->count + 2;
}

static bool is_missing(const struct form *form, size_t i)
{
    const struct tui_field *field = &form->fields[i];

    return form->refused && field->missing && !field->text[0];
}

static void draw_form(const struct form *form)
{
    struct tui_screen *screen = form->ui->screen;
    size_t label = label_columns(form);
    size_t columns;
    struct tui_rect in;

    tui_draw(form->ui);
    in = tui_screen_box(screen, form_rows(form), box_columns(form->ui), form->title);
    columns = in.columns - label - 4;
    for (size_t i = 0; i < form->count; i++) {
        const struct tui_field *field = &form->fields[i];
        size_t row = in.row + 2 * i;

        tui_screen_put(screen, row, in.column, label, TUI_PLAIN, field->label);
        tui_screen_put(screen, row, in.column + label + 2, columns,
                       i == form->at ? TUI_CHOSEN : TUI_PLAIN,
                       tail(field->text, columns - 1));
        tui_screen_put(screen, row + 1, in.column + label + 2, columns,
                       is_missing(form, i) ? TUI_BAD : TUI_DIM,
                       is_missing(form, i) ? field->missing : field->hint);
    }
    tui_screen_put(screen, in.row + in.rows - 1, in.column, in.columns, TUI_STRONG,
                   _("Enter: go on   ↑ ↓: other field   Esc: give up"));
    tui_screen_cursor(
        screen, !form->fields[form->at].choices, in.row + 2 * form->at,
        in.column + label + 2 +
            psn_text_columns(tail(form->fields[form->at].text, columns - 1)));
    tui_screen_show(screen);
}

static void next_choice(const struct tui_field *field, bool forward)
{
    size_t count = 0;
    size_t at = 0;
    bool chosen = false;

    for (; field->choices[count]; count++)
        if (strcmp(field->choices[count], field->text) == 0) {
            at = count;
            chosen = true;
        }
    assert(count > 0);
    if (chosen || !forward)
        at = (at + (forward ? 1 : count - 1)) % count;
    (void)snprintf(field->text, field->size, "%s", field->choices[at]);
}

static bool choose_typed(const struct tui_field *field, const char *typed)
{
    for (size_t i = 0; typed[0] && field->choices[i]; i++)
        if (strncasecmp(field->choices[i], typed, strlen(typed)) == 0) {
            (void)snprintf(field->text, field->size, "%s", field->choices[i]);
            return true;
        }
    return false;
}

static size_t encode(unsigned point, char out[UTF8_MAX])
{
    if (point < 0x80) {
        out[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        out[0] = (char)(0xc0 | point >> 6);
        out[1] = (char)(0x80 | (point & 0x3f));
        return 2;
    }
    if (point < 0x10000) {
        out[0] = (char)(0xe0 | point >> 12);
        out[1] = (char)(0x80 | (point >> 6 & 0x3f));
        out[2] = (char)(0x80 | (point & 0x3f));
        return 3;
    }
    out[0] = (char)(0xf0 | point >> 18);
    out[1] = (char)(0x80 | (point >> 12 & 0x3f));
    out[2] = (char)(0x80 | (point >> 6 & 0x3f));
    out[3] = (char)(0x80 | (point & 0x3f));
    return 4;
}

bool tui_edit(char *text, size_t size, unsigned key)
{
    size_t used = strlen(text);
    char bytes[UTF8_MAX];
    size_t length;

    if (key == TUI_KEY_BACK) {
        while (used > 0 && (text[used - 1] & 0xc0) == 0x80)
            used--;
        text[used ? used - 1 : 0] = '\0';
        return true;
    }
    if (key < 0x20 || key >= TUI_KEY_ENTER)
        return false;
    length = encode(key, bytes);
    if (used + length < size && psn_text_is_plain(bytes, length)) {
        memcpy(text + used, bytes, length);
        text[used + length] = '\0';
    }
    return true;
}

/* Letters lead to the first choice that begins with them; one that leads nowhere begins
 * anew. */
static void type_choice(struct form *form, unsigned key)
{
    const struct tui_field *field = &form->fields[form->at];

    if (!tui_edit(form->typed, sizeof form->typed, key) ||
        choose_typed(field, form->typed) || key == TUI_KEY_BACK)
        return;
    form->typed[0] = '\0';
    (void)tui_edit(form->typed, sizeof form->typed, key);
    if (!choose_typed(field, form->typed))
        form->typed[0] = '\0';
}

/* What may not be empty is not left so: else all that is typed after it is lost. */
static void stay(struct form *form, size_t before)
{
    const struct tui_field *field = &form->fields[before];

    if (form->at == before || !field->missing || field->text[0])
        return;
    form->at = before;
    form->refused = true;
}

static void form_key(struct form *form, unsigned key)
{
    const struct tui_field *field = &form->fields[form->at];
    size_t before = form->at;

    if (key == TUI_KEY_DOWN || key == TUI_KEY_TAB)
        form->at = (form->at + 1) % form->count;
    else if (key == TUI_KEY_UP || key == TUI_KEY_BACK_TAB)
        form->at = (form->at + form->count - 1) % form->count;
    else if (field->choices &&
             (key == TUI_KEY_LEFT || key == TUI_KEY_RIGHT || key == ' '))
        next_choice(field, key != TUI_KEY_LEFT);
    else if (!field->choices)
        (void)tui_edit(field->text, field->size, key);
    else
        type_choice(form, key);
    stay(form, before);
    if (form->at != before || key == TUI_KEY_LEFT || key == TUI_KEY_RIGHT)
        form->typed[0] = '\0';
}

bool tui_form(struct tui *ui, const char *title, const struct tui_field *fields,
              size_t count)
{
    struct form form = { .ui = ui, .title = title, .fields = fields, .count = count };
    bool agreed = false;

    for (bool open = true; open;) {
        unsigned key;

        if (!fits(ui, form_rows(&form)))
            break;
        draw_form(&form);
        key = tui_wait_key(ui, WAIT_MS);
        agreed = key == TUI_KEY_ENTER && form.at + 1 == count;
        open = !agreed && key != TUI_KEY_ESCAPE && key != TUI_KEY_QUIT;
        form_key(&form, key == TUI_KEY_ENTER ? TUI_KEY_DOWN : key);
    }
    tui_screen_cursor(ui->screen, false, 0, 0);
    if (tui_signal())
        ui->done = true;
    return agreed;
}
