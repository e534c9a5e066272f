#include "cli/writing.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum {
    WRITING_MAX = 64 * 1024 * 1024, /* a secret takes 2 KB in two languages */
    LINE_MAX_BYTES = 4096,
    TEXT_COLUMNS = 88,
};

/* No script, nothing from elsewhere: what is not written here is not shown. */
static const char style[] =
    ":root{--ink:#1d2433;--quiet:#5b6475;--line:#d9dee8;--paper:#fff;--soft:#f5f7fa;"
    "--good:#0b6b3a;--wait:#8a5300;--bad:#b3001b}"
    "@media(prefers-color-scheme:dark){:root{--ink:#e8ebf2;--quiet:#a3adbf;"
    "--line:#384154;--paper:#141821;--soft:#1c2230;--good:#5fd39a;--wait:#f0b35a;"
    "--bad:#ff7a87}}"
    "*{box-sizing:border-box}"
    "body{margin:0;background:var(--paper);color:var(--ink);"
    "font:16px/1.5 system-ui,-apple-system,'Segoe UI',sans-serif}"
    "main{max-width:60rem;margin:0 auto;padding:2rem 1.25rem 4rem}"
    "h1{font-size:1.75rem;line-height:1.2;margin:0 0 .75rem}"
    "h2{font-size:1.15rem;margin:2.25rem 0 .6rem;padding-top:.9rem;"
    "border-top:1px solid var(--line)}"
    "p,li{overflow-wrap:anywhere}p{margin:.35rem "
    "0}.good{color:var(--good)}.wait{color:var(--wait)}"
    ".bad{color:var(--bad)}p.good,p.wait,p.bad{font-weight:600}"
    "table{border-collapse:collapse;width:100%;font-size:.92rem}"
    "th,td{text-align:left;vertical-align:top;padding:.4rem .7rem .4rem 0;"
    "border-bottom:1px solid var(--line);overflow-wrap:break-word}"
    "th{color:var(--quiet);font-weight:600;font-size:.82rem}"
    ".wide{overflow-x:auto}ol,ul{padding-left:1.4rem;margin:.35rem 0}li{margin:.3rem 0}"
    "code{font:.86rem/1.4 ui-monospace,Menlo,Consolas,monospace;background:var(--soft);"
    "padding:.12rem .35rem;border-radius:.25rem;overflow-wrap:anywhere}"
    "svg{display:block;max-width:100%;height:auto}svg text{fill:var(--ink);"
    "font:13px system-ui,-apple-system,'Segoe UI',sans-serif}svg .q{fill:var(--quiet)}"
    "svg .l{stroke:var(--line)}svg .k{fill:var(--ink)}svg .c{stroke:var(--bad);"
    "fill:none;stroke-width:2.5}svg .w{fill:none;stroke:var(--wait);stroke-width:2.5}"
    ".note{border:1.5px solid var(--ink);border-radius:.3rem;padding:.7rem .9rem;"
    "margin:1rem 0;font-weight:600}h3{font-size:1rem;margin:1.3rem 0 .4rem}"
    ".lead{color:var(--quiet);margin-bottom:1rem}"
    "dl{display:grid;grid-template-columns:14rem 1fr;gap:0 1rem;margin:.3rem 0}"
    "dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}"
    ".more{display:block;color:var(--quiet);font-size:.86rem;overflow-wrap:anywhere}"
    ".hex{font:.76rem/1.35 ui-monospace,Menlo,Consolas,monospace;white-space:nowrap}"
    ".blank{display:block;border-bottom:1px dotted var(--quiet);height:1.7rem}"
    ".boxes{display:flex;flex-wrap:wrap;gap:1rem;margin:1rem 0;break-inside:avoid}"
    ".box{flex:1 1 16rem;border:1px solid var(--ink);border-radius:.3rem;padding:.8rem}"
    ".box h3{margin-top:0}.box dl{grid-template-columns:8.5rem 1fr}"
    ".box .tall{height:4.5rem}.sheet{border-top:3px double var(--ink);margin-top:3rem;"
    "padding-top:1rem}"
    "@media screen and (max-width:40rem){dl{display:block}dd{margin-bottom:.4rem}"
    ".stack thead,.stack td:empty{display:none}.stack tr{display:block;padding:.5rem 0;"
    "border-bottom:1px solid var(--line)}.stack td{display:block;border:0;"
    "padding:.15rem 0}.stack td:first-child{font-weight:600}.stack .more{font-weight:400}"
    ".stack td[data-head]::before{content:attr(data-head);display:block;"
    "color:var(--quiet);font:400 .8rem/1.5 system-ui,-apple-system,'Segoe UI',"
    "sans-serif}}"
    "@media print{:root{--ink:#000;--quiet:#444;--line:#bbb;--paper:#fff;--soft:#eee;"
    "--good:#0b6b3a;--wait:#8a5300;--bad:#b3001b}body{font-size:10.5pt}"
    "main{max-width:none;padding:0}h2{break-after:avoid}tr,li,svg{break-inside:avoid}"
    ".wide{overflow:visible}@page{margin:16mm}h3{break-after:avoid}"
    ".sheet{break-before:page;border:0;margin:0;padding:0}.note{break-inside:avoid}"
    "p{orphans:3;widows:3}thead{display:table-header-group}.blank{height:2.1rem}}";

/* What is filled in by hand, where there is no paper to draw a line on. */
static const char blank[] = "________________________________________";

struct cli_writing cli_writing_init(bool html)
{
    return (struct cli_writing){ .out = psn_buf_init(WRITING_MAX), .html = html };
}

void cli_writing_release(struct cli_writing *writing)
{
    psn_buf_release(&writing->out);
}

static void put_markup(struct psn_buf *out, const char *text)
{
    for (; *text; text++)
        switch (*text) {
        case '&':
            psn_buf_text(out, "&amp;");
            break;
        case '<':
            psn_buf_text(out, "&lt;");
            break;
        case '>':
            psn_buf_text(out, "&gt;");
            break;
        case '"':
            psn_buf_text(out, "&quot;");
            break;
        default:
            psn_buf_char(out, *text);
        }
}

void cli_writing_text(struct cli_writing *writing, const char *text)
{
    PSN_AUTO_RELEASE(psn_buf) shown = psn_buf_init(WRITING_MAX);

    psn_text_escape(&shown, text, strlen(text));
    if (writing->html)
        put_markup(&writing->out, psn_buf_str(&shown));
    else
        psn_buf_bytes(&writing->out, shown.data, shown.size);
    if (shown.failed)
        writing->out.failed = shown.failed;
}

/* Plain text, broken at blanks; what follows the first line is moved in by `indent`. */
static void put_wrapped(struct cli_writing *writing, const char *text, size_t indent)
{
    size_t column = indent;

    for (const char *word = text; *word;) {
        size_t size = strcspn(word, " ");
        char copy[LINE_MAX_BYTES];
        size_t width;

        (void)snprintf(copy, sizeof copy, "%.*s", (int)size, word);
        width = psn_text_columns(copy);
        if (column > indent && column + 1 + width > TEXT_COLUMNS) {
            psn_buf_format(&writing->out, "\n%*s", (int)indent, "");
            column = indent;
        } else if (column > indent) {
            psn_buf_char(&writing->out, ' ');
            column++;
        }
        psn_buf_text(&writing->out, copy);
        column += width;
        word += size + (word[size] == ' ');
    }
    psn_buf_char(&writing->out, '\n');
}

/* What OVH wrote may hold anything: it is made fit before it is broken into lines. */
static void put_escaped(struct cli_writing *writing, const char *text, size_t indent)
{
    PSN_AUTO_RELEASE(psn_buf) shown = psn_buf_init(WRITING_MAX);

    psn_text_escape(&shown, text, strlen(text));
    put_wrapped(writing, psn_buf_str(&shown), indent);
    if (shown.failed)
        writing->out.failed = shown.failed;
}

static const char *class_of(enum cli_tone tone)
{
    static const char *const names[] = { "", " class=\"good\"", " class=\"wait\"",
                                         " class=\"bad\"" };

    return names[tone];
}

/* A string of a style sheet: what could end it, or the sheet, is written as a number. */
static void put_style_string(struct psn_buf *out, const char *text)
{
    PSN_AUTO_RELEASE(psn_buf) shown = psn_buf_init(WRITING_MAX);

    psn_text_escape(&shown, text, strlen(text));
    psn_buf_char(out, '"');
    for (const char *at = psn_buf_str(&shown); *at; at++)
        if (strchr("\"\\<>&", *at))
            psn_buf_format(out, "\\%x ", (unsigned)*at);
        else
            psn_buf_char(out, *at);
    psn_buf_char(out, '"');
    if (shown.failed)
        out->failed = shown.failed;
}

/* On paper each sheet says what it belongs to, and which it is of how many. */
static void put_footer(struct cli_writing *writing)
{
    static const char look[] = "font:8.5pt system-ui,sans-serif;color:#444";

    if (!writing->footer)
        return;
    psn_buf_text(&writing->out, "<style>@media print{html,body{font-size:9.5pt}"
                                "h2{margin-top:1.5rem;padding-top:.6rem}}"
                                "@page{size:A4;margin:15mm 16mm 18mm;"
                                "@bottom-left{content:");
    put_style_string(&writing->out, writing->footer);
    psn_buf_format(&writing->out,
                   ";%s}@bottom-right{content:counter(page) \" / \" "
                   "counter(pages);%s}}</style>\n",
                   look, look);
}

void cli_writing_begin(struct cli_writing *writing, const char *title)
{
    if (!writing->html)
        return;
    psn_buf_format(&writing->out,
                   "<!doctype html>\n<html lang=\"%s\">\n<head>\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src "
                   "'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action "
                   "'none'\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" "
                   "content=\"width=device-width,initial-scale=1\">\n"
                   "<meta name=\"referrer\" content=\"no-referrer\">\n<title>",
                   cli_language());
    cli_writing_text(writing, title);
    psn_buf_format(&writing->out, "</title>\n<style>%s</style>\n", style);
    put_footer(writing);
    psn_buf_text(&writing->out, "</head>\n<body>\n<main>\n");
}

void cli_writing_end(struct cli_writing *writing)
{
    if (writing->html)
        psn_buf_text(&writing->out, "</main>\n</body>\n</html>\n");
}

static void put_underlined(struct cli_writing *writing, const char *text, char line)
{
    psn_buf_format(&writing->out, "%s\n", text);
    for (size_t i = psn_text_columns(text); i > 0; i--)
        psn_buf_char(&writing->out, line);
    psn_buf_char(&writing->out, '\n');
}

static void put_rule(struct cli_writing *writing, const char *before, char line,
                     const char *after)
{
    psn_buf_text(&writing->out, before);
    for (size_t i = 0; i < TEXT_COLUMNS; i++)
        psn_buf_char(&writing->out, line);
    psn_buf_text(&writing->out, after);
}

void cli_writing_title(struct cli_writing *writing, const char *text)
{
    if (!writing->html) {
        put_underlined(writing, text, '=');
        return;
    }
    psn_buf_text(&writing->out, "<h1>");
    cli_writing_text(writing, text);
    psn_buf_text(&writing->out, "</h1>\n");
}

void cli_writing_heading(struct cli_writing *writing, const char *text)
{
    if (!writing->html) {
        psn_buf_char(&writing->out, '\n');
        put_underlined(writing, text, '-');
        return;
    }
    psn_buf_text(&writing->out, "<h2>");
    cli_writing_text(writing, text);
    psn_buf_text(&writing->out, "</h2>\n");
}

void cli_writing_line(struct cli_writing *writing, enum cli_tone tone, const char *format,
                      ...)
{
    char text[LINE_MAX_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!writing->html) {
        put_escaped(writing, text, 0);
        return;
    }
    psn_buf_format(&writing->out, "<p%s>", class_of(tone));
    cli_writing_text(writing, text);
    psn_buf_text(&writing->out, "</p>\n");
}

void cli_writing_item(struct cli_writing *writing, size_t number, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    char mark[24];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!writing->html) {
        (void)snprintf(mark, sizeof mark, number ? "%zu. " : "- ", number);
        psn_buf_text(&writing->out, mark);
        put_escaped(writing, text, strlen(mark));
        return;
    }
    if (number)
        psn_buf_format(&writing->out, "<ol start=\"%zu\"><li>", number);
    else
        psn_buf_text(&writing->out, "<ul><li>");
    cli_writing_text(writing, text);
    psn_buf_text(&writing->out, number ? "</li></ol>\n" : "</li></ul>\n");
}

void cli_writing_code(struct cli_writing *writing, const char *text)
{
    psn_buf_text(&writing->out, writing->html ? "<p><code>" : "    ");
    cli_writing_text(writing, text);
    psn_buf_text(&writing->out, writing->html ? "</code></p>\n" : "\n");
}

/* --- tables: in plain text, a block for each row --- */

void cli_writing_table(struct cli_writing *writing, const char *const *heads)
{
    size_t count = 0;

    for (; heads[count]; count++)
        writing->heads[count] = heads[count];
    writing->columns = count;
    writing->column = 0;
    if (!writing->html)
        return;
    psn_buf_format(&writing->out, "<div class=\"wide\"><table%s>\n<thead><tr>",
                   writing->stacked ? " class=\"stack\"" : "");
    for (size_t i = 0; i < count; i++) {
        psn_buf_text(&writing->out, "<th scope=\"col\">");
        cli_writing_text(writing, heads[i]);
        psn_buf_text(&writing->out, "</th>");
    }
    psn_buf_text(&writing->out, "</tr></thead>\n<tbody>\n");
}

static void put_plain_cell(struct cli_writing *writing, const char *text)
{
    if (writing->column == 0) {
        psn_buf_text(&writing->out, "- ");
        cli_writing_text(writing, text);
        psn_buf_char(&writing->out, '\n');
    } else if (text[0]) {
        psn_buf_text(&writing->out, "    ");
        psn_buf_format(&writing->out, _("%s: "), writing->heads[writing->column]);
        cli_writing_text(writing, text);
        psn_buf_char(&writing->out, '\n');
    }
}

static void begin_cell(struct cli_writing *writing, const char *class)
{
    if (writing->column == 0)
        psn_buf_text(&writing->out, "<tr>");
    psn_buf_format(&writing->out, "<td%s", class);
    if (writing->stacked && writing->column) {
        psn_buf_text(&writing->out, " data-head=\"");
        cli_writing_text(writing, writing->heads[writing->column]);
        psn_buf_char(&writing->out, '"');
    }
    psn_buf_char(&writing->out, '>');
}

static void end_cell(struct cli_writing *writing)
{
    if (writing->html) {
        psn_buf_text(&writing->out, "</td>");
        if (writing->column + 1 == writing->columns)
            psn_buf_text(&writing->out, "</tr>\n");
    }
    writing->column = (writing->column + 1) % writing->columns;
}

void cli_writing_cell(struct cli_writing *writing, enum cli_tone tone, const char *text)
{
    cli_writing_cell_more(writing, tone, text, NULL);
}

void cli_writing_cell_more(struct cli_writing *writing, enum cli_tone tone,
                           const char *text, const char *more)
{
    bool is_more = more && more[0];

    if (writing->html) {
        begin_cell(writing, class_of(tone));
        cli_writing_text(writing, text);
        if (is_more) {
            psn_buf_text(&writing->out, "<span class=\"more\">");
            cli_writing_text(writing, more);
            psn_buf_text(&writing->out, "</span>");
        }
    } else {
        put_plain_cell(writing, text);
        if (is_more) {
            psn_buf_text(&writing->out, "    ");
            cli_writing_text(writing, more);
            psn_buf_char(&writing->out, '\n');
        }
    }
    end_cell(writing);
}

void cli_writing_cell_hash(struct cli_writing *writing, const char *hex)
{
    enum {
        GROUP = 4,
        LINE = 16,
        ROOMY = 3, /* columns that leave room for twice as much */
    };
    size_t line = writing->columns > ROOMY ? LINE : (size_t)2 * LINE;

    if (writing->html) {
        begin_cell(writing, " class=\"hex\"");
        for (size_t i = 0; hex[i]; i++) {
            if (i && i % GROUP == 0)
                psn_buf_text(&writing->out, i % line ? " " : "<br>");
            cli_writing_text(writing, (char[]){ hex[i], '\0' });
        }
    } else {
        put_plain_cell(writing, hex);
    }
    end_cell(writing);
}

void cli_writing_table_end(struct cli_writing *writing)
{
    if (writing->html)
        psn_buf_text(&writing->out, "</tbody></table></div>\n");
}

/* --- what a document for signature needs --- */

void cli_writing_section(struct cli_writing *writing, const char *language, bool on_sheet)
{
    if (writing->html) {
        psn_buf_format(&writing->out, "<section lang=\"%s\"%s>\n", language,
                       on_sheet ? " class=\"sheet\"" : "");
        return;
    }
    if (on_sheet)
        put_rule(writing, "\n\n", '=', "\n\n");
}

void cli_writing_section_end(struct cli_writing *writing)
{
    if (writing->html)
        psn_buf_text(&writing->out, "</section>\n");
}

void cli_writing_lead(struct cli_writing *writing, const char *format, ...)
{
    char text[LINE_MAX_BYTES];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!writing->html) {
        put_escaped(writing, text, 0);
        return;
    }
    psn_buf_text(&writing->out, "<p class=\"lead\">");
    cli_writing_text(writing, text);
    psn_buf_text(&writing->out, "</p>\n");
}

void cli_writing_note(struct cli_writing *writing, const char *text)
{
    if (!writing->html) {
        put_rule(writing, "\n", '-', "\n");
        put_escaped(writing, text, 0);
        put_rule(writing, "", '-', "\n");
        return;
    }
    psn_buf_text(&writing->out, "<p class=\"note\">");
    cli_writing_text(writing, text);
    psn_buf_text(&writing->out, "</p>\n");
}

void cli_writing_subheading(struct cli_writing *writing, const char *text)
{
    psn_buf_text(&writing->out, writing->html ? "<h3>" : "\n");
    cli_writing_text(writing, text);
    psn_buf_text(&writing->out, writing->html ? "</h3>\n" : "\n\n");
}

void cli_writing_field(struct cli_writing *writing, const char *label, const char *value)
{
    enum {
        INDENT = 4
    };

    if (!writing->html) {
        PSN_AUTO_RELEASE(psn_buf) line = psn_buf_init(LINE_MAX_BYTES);

        psn_buf_format(&line, _("%s: "), label);
        psn_buf_text(&line, value[0] ? value : blank);
        put_escaped(writing, psn_buf_str(&line), INDENT);
        return;
    }
    psn_buf_text(&writing->out, "<dl><dt>");
    cli_writing_text(writing, label);
    psn_buf_text(&writing->out, "</dt><dd>");
    if (value[0])
        cli_writing_text(writing, value);
    else
        psn_buf_text(&writing->out, "<span class=\"blank\"></span>");
    psn_buf_text(&writing->out, "</dd></dl>\n");
}

void cli_writing_blank(struct cli_writing *writing)
{
    if (writing->html)
        psn_buf_text(&writing->out, "<p><span class=\"blank\"></span></p>\n");
    else
        psn_buf_format(&writing->out, "%s%s\n", blank, blank);
}

void cli_writing_signatures(struct cli_writing *writing, const char *const *parties)
{
    if (writing->html)
        psn_buf_text(&writing->out, "<div class=\"boxes\">\n");
    for (; *parties; parties++) {
        if (writing->html)
            psn_buf_text(&writing->out, "<div class=\"box\">");
        cli_writing_subheading(writing, *parties);
        cli_writing_field(writing, _("Name and capacity"), "");
        cli_writing_field(writing, _("Date"), "");
        if (writing->html) {
            psn_buf_text(&writing->out, "<p>");
            cli_writing_text(writing, _("Signature"));
            psn_buf_text(&writing->out, "</p><div class=\"tall\"></div></div>\n");
        } else {
            cli_writing_field(writing, _("Signature"), "");
        }
    }
    if (writing->html)
        psn_buf_text(&writing->out, "</div>\n");
}
