/* What is told of a finding: made once, read in any language. */
#include "ovh/detail.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "ovh/walk.h"

#define MARK_BEGIN "\x01"
#define MARK_TEXT  "\x02" /* before each text that fills the message */
#define MARK_END   "\x03"

#define YEAR_9999_END_S 253402300799

/* --- making --- */

struct psn_detail psn_detail_init(void)
{
    return (struct psn_detail){ psn_buf_init(PSN_RECORD_MAX) };
}

void psn_detail_release(struct psn_detail *detail)
{
    psn_buf_release(&detail->source);
}

static void add_texts(struct psn_detail *detail, const char *before,
                      struct psn_ovh_parts texts)
{
    for (size_t i = 0; i < sizeof texts.part / sizeof *texts.part && texts.part[i]; i++) {
        psn_buf_text(&detail->source, before);
        psn_text_escape(&detail->source, texts.part[i], strlen(texts.part[i]));
    }
}

void psn_detail_add(struct psn_detail *detail, struct psn_ovh_parts texts)
{
    add_texts(detail, "", texts);
}

void psn_detail_say(struct psn_detail *detail, const char *message,
                    struct psn_ovh_parts texts)
{
    psn_buf_text(&detail->source, MARK_BEGIN);
    psn_buf_text(&detail->source, message);
    add_texts(detail, MARK_TEXT, texts);
    psn_buf_text(&detail->source, MARK_END);
}

/* A message of no words, filled by the seconds. */
void psn_detail_day(struct psn_detail *detail, int64_t time_s)
{
    psn_buf_format(&detail->source, MARK_BEGIN MARK_TEXT "%lld" MARK_END,
                   (long long)time_s);
}

enum psn_code psn_detail_put(const struct psn_detail *detail, struct psn_finding *finding,
                             struct psn_error *err)
{
    /* One that grew beyond its maximum is cut anyway. */
    if (detail->source.failed == PSN_E_NOMEM)
        return psn_buf_check(&detail->source, err);
    psn_walk_cut(finding->source, sizeof finding->source, psn_buf_str(&detail->source));
    (void)psn_finding_detail(finding, finding->detail);
    return PSN_OK;
}

/* --- reading --- */

struct line {
    char *out;
    size_t used;
};

static void append(struct line *line, const char *bytes, size_t size)
{
    size_t room = PSN_FINDING_TEXT_MAX - 1 - line->used;

    size = size < room ? size : room;
    memcpy(line->out + line->used, bytes, size);
    line->used += size;
}

static void append_day(struct line *line, const char *digits, size_t size)
{
    char number[24];
    char day[48];
    uint64_t time_s;
    time_t time;
    struct tm local;

    (void)snprintf(number, sizeof number, "%.*s", (int)size, digits);
    if (!psn_text_parse_u64(number, YEAR_9999_END_S, &time_s))
        return;
    time = (time_t)time_s;
    if (!localtime_r(&time, &local))
        return;
    (void)snprintf(day, sizeof day, _("%04d-%02d-%02d"), local.tm_year + 1900,
                   local.tm_mon + 1, local.tm_mday);
    append(line, day, strlen(day));
}

/* Appends the message that begins here; returns what stands behind it. */
static const char *append_message(struct line *line, const char *at)
{
    char message[PSN_FINDING_SOURCE_MAX];
    size_t size = strcspn(at, MARK_TEXT MARK_END);
    const char *text = at + size;
    const char *end = text + strcspn(text, MARK_END);
    const char *gap;

    memcpy(message, at, size);
    message[size] = '\0';
    if (size == 0 && text < end && *end) /* one that was cut is another day */
        append_day(line, text + 1, (size_t)(end - text - 1));
    at = size ? _(message) : "";
    while ((gap = strstr(at, "%s")) != NULL) {
        append(line, at, (size_t)(gap - at));
        at = gap + strlen("%s");
        if (text == end)
            continue;
        size = strcspn(++text, MARK_TEXT MARK_END);
        append(line, text, size);
        text += size;
    }
    append(line, at, strlen(at));
    return *end ? end + 1 : end;
}

/* The message of no text is the head of the translations. */
const char *psn_finding_obstacle(const struct psn_finding *finding)
{
    return finding->obstacle[0] ? _(finding->obstacle) : "";
}

const char *psn_finding_detail(const struct psn_finding *finding,
                               char out[PSN_FINDING_TEXT_MAX])
{
    struct line line = { out, 0 };
    const char *at = finding->source;

    if (!at[0]) {
        memmove(out, finding->detail, sizeof finding->detail);
        return out;
    }
    while (*at) {
        size_t plain = strcspn(at, MARK_BEGIN);

        append(&line, at, plain);
        at += plain;
        if (*at)
            at = append_message(&line, at + 1);
    }
    out[line.used] = '\0';
    psn_text_cut_utf8(out);
    return out;
}
