#include <string.h>

#include "base/auto.h"
#include "base/i18n.h"
#include "base/stream.h"
#include "crypto/secret.h"
#include "interop/csv.h"
#include "interop/entry.h"
#include "interop/otpauth.h"

/* In the order of the columns. */
enum column {
    GROUP,
    TITLE,
    USER,
    PASSWORD,
    URL,
    NOTE,
    TOTP,
    TYPE,
    EXPIRES,
    BASE64,
    FIELDS,
    ESCAPED,
    COLUMNS,
};

static const char *const names[COLUMNS] = {
    [GROUP] = "Group",       [TITLE] = "Title",   [USER] = "Username",
    [PASSWORD] = "Password", [URL] = "URL",       [NOTE] = "Notes",
    [TOTP] = "TOTP",         [TYPE] = "Type",     [EXPIRES] = "Expires",
    [BASE64] = "Base64",     [FIELDS] = "Fields", [ESCAPED] = "Escaped",
};

enum {
    ROW_MAX = 16 * PSN_ENTRY_TEXT_MAX,
};

struct cell {
    const char *text;
    size_t size;
};

/* What a spreadsheet takes for a formula, and what would look like our mark. */
static bool is_formula(const struct cell *cell)
{
    return cell->size > 0 && cell->text[0] && strchr("=+-@\t\r'", cell->text[0]);
}

static void put_cell(struct psn_buf *out, const struct cell *cell, bool escape)
{
    psn_buf_char(out, '"');
    if (escape)
        psn_buf_char(out, PSN_CSV_ESCAPE);
    for (size_t i = 0; i < cell->size; i++) {
        if (cell->text[i] == '"')
            psn_buf_char(out, '"');
        psn_buf_char(out, cell->text[i]);
    }
    psn_buf_char(out, '"');
}

static void put_row(struct psn_buf *out, struct cell cells[COLUMNS])
{
    PSN_AUTO_RELEASE(psn_buf) escaped = psn_buf_init(256);

    for (size_t i = 0; i < ESCAPED; i++)
        if (is_formula(&cells[i]))
            psn_buf_format(&escaped, "%s%s", escaped.size ? " " : "", names[i]);
    cells[ESCAPED] = (struct cell){ psn_buf_str(&escaped), escaped.size };
    for (size_t i = 0; i < COLUMNS; i++) {
        if (i > 0)
            psn_buf_char(out, ',');
        put_cell(out, &cells[i], i < ESCAPED && is_formula(&cells[i]));
    }
    psn_buf_text(out, "\r\n");
}

static struct cell text_cell(const char *text)
{
    return (struct cell){ psn_entry_text(text), strlen(psn_entry_text(text)) };
}

static struct cell buf_cell(const struct psn_buf *buf)
{
    return (struct cell){ psn_buf_str(buf), buf->size };
}

/* Further fields share a column, one a line, as in Bitwarden's CSV. */
static void put_fields(struct psn_buf *out, const struct psn_entry *entry)
{
    for (size_t i = 0; i < entry->field_count; i++)
        if (psn_entry_has(entry->fields[i].value))
            psn_buf_format(out, "%s%s: %s", out->size ? "\n" : "", entry->fields[i].name,
                           entry->fields[i].value);
}

static void put_entry(struct psn_buf *out, const struct psn_entry *entry)
{
    PSN_AUTO_RELEASE(psn_buf) fields = psn_buf_init_wiped(ROW_MAX);
    PSN_AUTO_RELEASE(psn_buf) totp = psn_buf_init_wiped(ROW_MAX);
    PSN_AUTO_RELEASE(psn_buf) base64 = psn_buf_init_wiped(ROW_MAX);
    struct cell cells[COLUMNS] = {
        [GROUP] = text_cell(entry->group),    [TITLE] = text_cell(entry->title),
        [USER] = text_cell(entry->user),      [URL] = text_cell(entry->url),
        [NOTE] = text_cell(entry->note),      [TYPE] = text_cell(entry->type),
        [EXPIRES] = text_cell(entry->expires)
    };

    put_fields(&fields, entry);
    psn_otpauth_uri(entry, &totp);
    if (psn_entry_password_is_bytes(entry))
        psn_entry_put_base64(entry, &base64);
    if (fields.failed || totp.failed || base64.failed)
        out->failed = fields.failed ? fields.failed
                      : totp.failed ? totp.failed
                                    : base64.failed;
    cells[PASSWORD] =
        psn_entry_password_is_text(entry)
            ? (struct cell){ (const char *)psn_secret_bytes(entry->password),
                             psn_secret_size(entry->password) }
            : text_cell("");
    cells[TOTP] = buf_cell(&totp);
    cells[BASE64] = buf_cell(&base64);
    cells[FIELDS] = buf_cell(&fields);
    put_row(out, cells);
}

enum psn_code psn_csv_write(const struct psn_entry *entries, size_t count,
                            const struct psn_sink *sink, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) row = psn_buf_init_wiped(ROW_MAX);
    struct cell head[COLUMNS];
    enum psn_code rc = psn_entries_check(entries, count, err);

    for (size_t i = 0; i < COLUMNS; i++)
        head[i] = text_cell(names[i]);
    for (size_t i = 0; !rc && i <= count; i++) {
        psn_buf_reset(&row);
        if (i == 0)
            for (size_t k = 0; k < COLUMNS; k++) {
                put_cell(&row, &head[k], false);
                psn_buf_text(&row, k + 1 < COLUMNS ? "," : "\r\n");
            }
        else
            put_entry(&row, &entries[i - 1]);
        rc = psn_buf_check(&row, err);
        if (!rc)
            rc = sink->write(sink->self, row.data, row.size, err);
    }
    return rc;
}
