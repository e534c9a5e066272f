#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/i18n.h"
#include "base/text.h"
#include "interop/characters.h"
#include "interop/csv.h"
#include "interop/foreign.h"

/*
 * CSV row by row: the cells of one row lie in a wiped buffer, and are told as an entry
 * before the next row is read.
 */
enum {
    ROW_MAX = PSN_FOREIGN_ENTRY_MAX,
    NAME_SIZE = 64,
    FILE_SIZE = 256, /* of a file's name in quotes */
};

/* The names that exports give to their columns, in lower case. */
static const struct {
    const char *name;
    enum psn_foreign_part part;
} known[] = {
    { "group", PSN_FOREIGN_GROUP },
    { "folder", PSN_FOREIGN_GROUP },
    { "grouping", PSN_FOREIGN_GROUP },
    { "collections", PSN_FOREIGN_GROUP },
    { "groupe", PSN_FOREIGN_GROUP },
    { "dossier", PSN_FOREIGN_GROUP },
    { "title", PSN_FOREIGN_TITLE },
    { "name", PSN_FOREIGN_TITLE },
    { "account", PSN_FOREIGN_TITLE },
    { "titre", PSN_FOREIGN_TITLE },
    { "nom", PSN_FOREIGN_TITLE },
    { "username", PSN_FOREIGN_USER },
    { "user name", PSN_FOREIGN_USER },
    { "login name", PSN_FOREIGN_USER },
    { "login_username", PSN_FOREIGN_USER },
    { "login", PSN_FOREIGN_USER },
    { "user", PSN_FOREIGN_USER },
    { "identifiant", PSN_FOREIGN_USER },
    { "utilisateur", PSN_FOREIGN_USER },
    { "nom d'utilisateur", PSN_FOREIGN_USER },
    { "password", PSN_FOREIGN_PASSWORD },
    { "login_password", PSN_FOREIGN_PASSWORD },
    { "mot de passe", PSN_FOREIGN_PASSWORD },
    { "url", PSN_FOREIGN_URL },
    { "web site", PSN_FOREIGN_URL },
    { "website", PSN_FOREIGN_URL },
    { "login_uri", PSN_FOREIGN_URL },
    { "uri", PSN_FOREIGN_URL },
    { "site", PSN_FOREIGN_URL },
    { "adresse", PSN_FOREIGN_URL },
    { "notes", PSN_FOREIGN_NOTE },
    { "note", PSN_FOREIGN_NOTE },
    { "comments", PSN_FOREIGN_NOTE },
    { "extra", PSN_FOREIGN_NOTE },
    { "commentaires", PSN_FOREIGN_NOTE },
    { "commentaire", PSN_FOREIGN_NOTE },
    { "totp", PSN_FOREIGN_TOTP },
    { "otpauth", PSN_FOREIGN_TOTP },
    { "login_totp", PSN_FOREIGN_TOTP },
    { "otp", PSN_FOREIGN_TOTP },
    { "expires", PSN_FOREIGN_EXPIRES },
    { "type", PSN_FOREIGN_TYPE },
    { "fields", PSN_FOREIGN_FIELDS },
    { "base64", PSN_FOREIGN_BASE64 },
    { "escaped", PSN_FOREIGN_ESCAPED },
    { "favorite", PSN_FOREIGN_IGNORED },
    { "fav", PSN_FOREIGN_IGNORED },
    { "archived", PSN_FOREIGN_IGNORED },
    { "reprompt", PSN_FOREIGN_IGNORED },
    { "icon", PSN_FOREIGN_IGNORED },
    { "last modified", PSN_FOREIGN_IGNORED },
    { "created", PSN_FOREIGN_IGNORED },
    { "timecreated", PSN_FOREIGN_IGNORED },
    { "timelastused", PSN_FOREIGN_IGNORED },
    { "timepasswordchanged", PSN_FOREIGN_IGNORED },
    { "guid", PSN_FOREIGN_IGNORED },
};

struct column {
    char name[NAME_SIZE];
    enum psn_foreign_part part;
};

struct csv {
    struct psn_characters characters;
    int separator;
    bool backslash;   /* KeePass 1's own way of quoting */
    bool rows_by_cr;  /* a CR alone ends a row, as it does the header */
    bool row_ended;   /* by what was passed last */
    bool ended_by_cr; /* alone */
    bool held_cr;     /* it was passed, and is the cell's */
    struct psn_buf row;
    size_t cells[PSN_FOREIGN_COLUMNS_MAX + 1]; /* where each begins; and the end */
    size_t cell_count;
    size_t line; /* of the row */
    struct column columns[PSN_FOREIGN_COLUMNS_MAX];
    size_t column_count;
    struct psn_foreign_draft draft;
    char problem[FILE_SIZE + 128]; /* of a row, the last one that had such */
};

static const char *cell_text(const struct csv *csv, size_t i)
{
    return (const char *)csv->row.data + csv->cells[i];
}

static size_t cell_size(const struct csv *csv, size_t i)
{
    return csv->cells[i + 1] - csv->cells[i] - 1;
}

/* ---- rows ---- */

/* Passes over a row's end, if this is one. A CR alone is part of a cell, as RFC 4180 has
 * it, unless all rows end so. */
static bool pass_row_end(struct csv *csv)
{
    struct psn_characters *from = &csv->characters;
    int c = csv->held_cr ? PSN_NO_CHARACTER : psn_characters_peek(from);

    if (c != '\r' && c != '\n')
        return false;
    (void)psn_characters_next(from);
    csv->ended_by_cr = c == '\r' && psn_characters_peek(from) != '\n';
    if (c == '\r' && !csv->ended_by_cr)
        (void)psn_characters_next(from);
    csv->held_cr = csv->ended_by_cr && !csv->rows_by_cr &&
                   psn_characters_peek(from) != PSN_NO_CHARACTER;
    return !csv->held_cr;
}

/* Takes over what lies in the window up to the next byte that may mean something: nearly
 * all of a file. */
static void read_run(struct csv *csv)
{
    struct psn_characters *from = &csv->characters;
    size_t end = from->at;

    for (; end < from->size; end++) {
        int c = from->window[end];

        if (c == csv->separator || c == '"' || c == '\\' || c == '\r' || c == '\n')
            break;
    }
    psn_buf_bytes(&csv->row, from->window + from->at, end - from->at);
    from->at = end;
}

/* Behind an opening quote, up to the one that closes. */
static enum psn_code read_quoted(struct csv *csv)
{
    struct psn_characters *from = &csv->characters;
    size_t line = from->line;

    for (;;) {
        int c = psn_characters_next(from);

        if (c == PSN_NO_CHARACTER)
            return psn_characters_refuse(from, line, _("a quote is not closed"));
        if (c == '\\' && csv->backslash)
            c = psn_characters_next(from);
        else if (c == '"' && psn_characters_peek(from) == '"')
            (void)psn_characters_next(from);
        else if (c == '"')
            return PSN_OK;
        psn_buf_char(&csv->row, (char)c);
        read_run(csv);
        if (csv->row.failed)
            return PSN_OK;
    }
}

/* The next byte of a cell without quotes; none behind its last one. */
static int next_plain(struct csv *csv)
{
    struct psn_characters *from = &csv->characters;

    if (!csv->held_cr && psn_characters_peek(from) == csv->separator)
        return PSN_NO_CHARACTER;
    csv->row_ended = pass_row_end(csv);
    if (csv->row_ended)
        return PSN_NO_CHARACTER;
    if (!csv->held_cr)
        return psn_characters_next(from);
    csv->held_cr = false;
    return '\r';
}

/* One cell, with the end of its row, but without the separator. */
static enum psn_code read_cell(struct csv *csv)
{
    struct psn_characters *from = &csv->characters;
    enum psn_code rc = PSN_OK;
    bool quoted = !csv->held_cr && psn_characters_peek(from) == '"';
    int c;

    if (quoted) {
        (void)psn_characters_next(from);
        rc = read_quoted(csv);
    }
    while (!rc && !csv->row.failed && (c = next_plain(csv)) != PSN_NO_CHARACTER) {
        if (quoted)
            return psn_characters_refuse(from, from->line,
                                         _("there is text behind a closing quote"));
        psn_buf_char(&csv->row, (char)c);
        read_run(csv);
    }
    psn_buf_char(&csv->row, '\0');
    return rc;
}

/* *ret_is_there false: the end. A line without anything is no row. */
static enum psn_code read_row(struct csv *csv, bool *ret_is_there)
{
    struct psn_characters *from = &csv->characters;
    enum psn_code rc = PSN_OK;

    while (pass_row_end(csv))
        continue;
    psn_buf_reset(&csv->row);
    csv->cell_count = 0;
    csv->line = from->line;
    csv->row_ended = false;
    *ret_is_there = csv->held_cr || psn_characters_peek(from) != PSN_NO_CHARACTER;
    while (*ret_is_there && !rc) {
        if (csv->cell_count == PSN_FOREIGN_COLUMNS_MAX)
            return psn_characters_refuse(from, csv->line,
                                         _("there are too many columns"));
        csv->cells[csv->cell_count++] = csv->row.size;
        rc = read_cell(csv);
        csv->cells[csv->cell_count] = csv->row.size;
        if (csv->row.failed == PSN_E_LIMIT)
            return psn_fail(from->err, PSN_E_LIMIT, _("line %zu: the entry is too large"),
                            csv->line);
        if (!rc)
            rc = psn_buf_check(&csv->row, from->err);
        if (!rc && (csv->row_ended || psn_characters_peek(from) != csv->separator))
            break;
        (void)psn_characters_next(from);
    }
    return rc ? rc : from->rc;
}

/* ---- the header ---- */

/* What parts the cells: whichever of these is first seen outside quotes in the header. */
static int find_separator(struct psn_characters *from)
{
    bool quoted = false;

    (void)psn_characters_peek(from);
    for (size_t i = from->at; i < from->size; i++) {
        int c = from->window[i];

        if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == ',' || c == ';' || c == '\t'))
            return c;
        else if (!quoted && c == '\n')
            break;
    }
    return ',';
}

static enum psn_foreign_part part_of(const char *name)
{
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strcasecmp(name, known[i].name) == 0)
            return known[i].part;
    return PSN_FOREIGN_FIELD;
}

/* KeePass 1's form, which KeePass 2 writes too, has no doubled quotes. */
static bool is_keepass1(const struct csv *csv)
{
    static const char *const names[] = { "Account", "Login Name", "Password", "Web Site",
                                         "Comments" };
    bool same = csv->column_count == sizeof names / sizeof *names;

    for (size_t i = 0; same && i < csv->column_count; i++)
        same = strcmp(csv->columns[i].name, names[i]) == 0;
    return same;
}

static size_t count_quotes(const char *text)
{
    size_t count = 0;

    while ((text = strchr(text, '\'')) != NULL) {
        count++;
        text++;
    }
    return count;
}

/* As a word of the command that converts it. */
static void name_file(const struct csv *csv, char *out, size_t size)
{
    const char *name = csv->characters.source->name;

    if (name && strcmp(name, "-") != 0 && psn_text_is_plain(name, strlen(name)) &&
        strlen(name) + sizeof "'\\''" * count_quotes(name) + sizeof "''" < size)
        (void)psn_text_quoted(name, out, size);
    else
        (void)snprintf(out, size, "%s", _("FILE"));
}

/* WINDOWS-1252: what spreadsheets of France write unless they are told otherwise. */
static enum psn_code fail_encoding(struct csv *csv, const char *utf16)
{
    struct psn_error *err = csv->characters.err;
    char file[FILE_SIZE];

    name_file(csv, file, sizeof file);
    if (utf16)
        (void)psn_fail(err, PSN_E_INVALID, _("this is UTF-16, and UTF-8 is needed"));
    else
        (void)psn_fail(err, PSN_E_INVALID, _("line %zu: this is not UTF-8"), csv->line);
    return psn_hint(err, PSN_E_INVALID,
                    _("convert the file: iconv -f %s -t UTF-8 %s >NEW"),
                    utf16 ? utf16 : "WINDOWS-1252", file);
}

/* A NUL is none of the characters that another encoding would have given. */
static const char *row_problem(struct csv *csv, const char *text, size_t size)
{
    char file[FILE_SIZE];

    if (memchr(text, '\0', size))
        return _("it holds what is not text");
    name_file(csv, file, sizeof file);
    (void)snprintf(csv->problem, sizeof csv->problem,
                   _("it is not UTF-8; convert the file: iconv -f WINDOWS-1252 -t UTF-8 "
                     "%s >NEW"),
                   file);
    psn_text_cut_utf8(csv->problem);
    return csv->problem;
}

static enum psn_code read_header(struct csv *csv)
{
    struct psn_characters *from = &csv->characters;
    const char *utf16 = psn_characters_utf16(from);
    bool is_there = false;
    enum psn_code rc;

    if (utf16)
        return fail_encoding(csv, utf16);
    psn_characters_skip_mark(from);
    csv->separator = find_separator(from);
    csv->rows_by_cr = true;
    rc = read_row(csv, &is_there);
    csv->rows_by_cr = csv->ended_by_cr;
    if (rc)
        return rc;
    if (!is_there)
        return psn_characters_refuse(from, 1, _("the file is empty"));
    for (size_t i = 0; i < csv->cell_count; i++) {
        struct column *column = &csv->columns[csv->column_count++];
        size_t size = cell_size(csv, i);

        if (!psn_text_is_utf8(cell_text(csv, i), size) &&
            !memchr(cell_text(csv, i), '\0', size))
            return fail_encoding(csv, NULL);
        if (!psn_text_is_plain(cell_text(csv, i), size) || size >= sizeof column->name)
            return psn_characters_refuse(from, csv->line,
                                         _("a column's name is too long or no text"));
        memcpy(column->name, cell_text(csv, i), size + 1);
        column->part = size ? part_of(column->name) : PSN_FOREIGN_IGNORED;
    }
    csv->backslash = is_keepass1(csv);
    return PSN_OK;
}

static enum psn_code apply_map(struct csv *csv, const struct psn_csv_column *map,
                               size_t count)
{
    struct psn_error *err = csv->characters.err;

    for (size_t k = 0; k < count; k++) {
        bool found = false;

        for (size_t i = 0; i < csv->column_count; i++)
            if (strcasecmp(csv->columns[i].name, map[k].name) == 0) {
                csv->columns[i].part = map[k].part;
                found = true;
            }
        if (!found)
            return psn_fail(err, PSN_E_INVALID, _("the file has no column '%s'"),
                            map[k].name);
    }
    for (size_t i = 0; i < csv->column_count; i++)
        if (csv->columns[i].part == PSN_FOREIGN_PASSWORD)
            return PSN_OK;
    (void)psn_fail(err, PSN_E_INVALID,
                   _("line %zu: no column is known to hold the passwords"), csv->line);
    return psn_hint(err, PSN_E_INVALID,
                    _("the first line must name the columns; tell which is which: --map "
                      "COLUMN=password --map COLUMN=title"));
}

/* ---- entries ---- */

/* "name: value", one a line, as Bitwarden writes its further fields. */
static void put_fields(struct csv *csv, const char *text, size_t size)
{
    for (const char *end = text + size; text < end;) {
        size_t line = strcspn(text, "\n");
        const char *colon = memchr(text, ':', line);
        char name[NAME_SIZE];

        if (colon && colon > text && (size_t)(colon - text) < sizeof name) {
            const char *value = colon + 1 + (colon[1] == ' ');

            memcpy(name, text, (size_t)(colon - text));
            name[colon - text] = '\0';
            psn_foreign_draft_field(&csv->draft, name, value,
                                    (size_t)(text + line - value), false);
        } else {
            psn_foreign_draft_put(&csv->draft, PSN_FOREIGN_NOTE, text, line);
        }
        text += line + (text + line < end);
    }
}

/* Is the column named in the row's own list of what is escaped? */
static bool is_escaped(const struct csv *csv, size_t column)
{
    const char *name = csv->columns[column].name;

    for (size_t i = 0; i < csv->cell_count && i < csv->column_count; i++) {
        const char *at = cell_text(csv, i);

        if (csv->columns[i].part != PSN_FOREIGN_ESCAPED)
            continue;
        while (*at) {
            size_t size = strcspn(at, " ");

            if (size == strlen(name) && strncasecmp(at, name, size) == 0)
                return true;
            at += size + strspn(at + size, " ");
        }
    }
    return false;
}

static void put_cell(struct csv *csv, size_t i)
{
    const struct column *column = &csv->columns[i];
    const char *text = cell_text(csv, i);
    size_t size = cell_size(csv, i);

    if (size > 0 && text[0] == PSN_CSV_ESCAPE && is_escaped(csv, i)) {
        text++;
        size--;
    }
    if (column->part < PSN_FOREIGN_PARTS)
        psn_foreign_draft_put(&csv->draft, column->part, text, size);
    else if (column->part == PSN_FOREIGN_BASE64 && size > 0)
        psn_foreign_draft_password_base64(&csv->draft, text, size);
    else if (column->part == PSN_FOREIGN_FIELDS)
        put_fields(csv, text, size);
    else if (column->part == PSN_FOREIGN_FIELD || column->part == PSN_FOREIGN_SECRET)
        psn_foreign_draft_field(&csv->draft, column->name, text, size,
                                column->part == PSN_FOREIGN_SECRET);
}

static enum psn_code tell_row(struct csv *csv, psn_foreign_fn *each, void *arg)
{
    if (csv->cell_count > csv->column_count)
        return psn_characters_refuse(&csv->characters, csv->line,
                                     _("there are more cells than columns"));
    psn_foreign_draft_begin(&csv->draft, csv->line);
    for (size_t i = 0; i < csv->cell_count; i++) {
        put_cell(csv, i);
        /* Taken as it is, a password would be another one. */
        if (!psn_text_is_utf8(cell_text(csv, i), cell_size(csv, i)))
            csv->draft.problem = row_problem(csv, cell_text(csv, i), cell_size(csv, i));
    }
    return psn_foreign_draft_tell(&csv->draft, each, arg, csv->characters.err);
}

static enum psn_code read_rows(struct csv *csv, psn_foreign_fn *each, void *arg)
{
    bool is_there = true;
    enum psn_code rc = PSN_OK;

    while (!rc && is_there) {
        rc = read_row(csv, &is_there);
        if (!rc && is_there)
            rc = tell_row(csv, each, arg);
    }
    return rc;
}

enum psn_code psn_csv_read(const struct psn_source *source,
                           const struct psn_csv_column *columns, size_t column_count,
                           psn_foreign_fn *each, void *arg, struct psn_error *err)
{
    struct csv *csv = calloc(1, sizeof *csv);
    enum psn_code rc;

    if (!csv)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    psn_characters_begin(&csv->characters, source, err);
    csv->row = psn_buf_init_wiped(ROW_MAX);
    csv->draft = psn_foreign_draft_init();
    rc = read_header(csv);
    if (!rc)
        rc = apply_map(csv, columns, column_count);
    if (!rc)
        rc = read_rows(csv, each, arg);
    psn_foreign_draft_release(&csv->draft);
    psn_buf_release(&csv->row);
    psn_characters_release(&csv->characters);
    free(csv);
    return rc;
}
