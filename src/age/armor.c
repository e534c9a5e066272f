#include "age/armor.h"

#include <string.h>
#include <strings.h>

#include "crypto/base64.h"

/*
 * One spelling only, since whoever could respell a file in two ways could mark it: lines
 * of 64 characters, the last one shorter or equal and never empty, '=' to the full four,
 * no bits left over, nothing between the lines. Two liberties remain, both the format's
 * own: white space before and after, and CRLF for LF, in all lines or none.
 */
static const char begin_line[] = "-----BEGIN AGE ENCRYPTED FILE-----";
static const char end_line[] = "-----END AGE ENCRYPTED FILE-----";

enum {
    END_SIZE = sizeof end_line - 1
};

enum { /* struct psn_age_dearmor.state */
    BEFORE,
    BODY,
    AFTER
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool all_blank(const char *line, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (!is_blank(line[i]))
            return false;
    return true;
}

static bool is_line(const char *line, size_t size, const char *text)
{
    return size == strlen(text) && memcmp(line, text, size) == 0;
}

/* Blanks on the begin line's own line are before it, so they are allowed too. */
static bool before(struct psn_age_dearmor *armor, const char *line, size_t size,
                   bool ended)
{
    if (all_blank(line, size)) {
        armor->blank += size + 1;
        return armor->blank <= PSN_AGE_ARMOR_BLANK_MAX;
    }
    while (is_blank(*line)) {
        line++;
        size--;
    }
    armor->crlf = line[size - 1] == '\r';
    armor->state = BODY;
    armor->blank = 0;
    return ended && is_line(line, size - armor->crlf, begin_line);
}

static bool after(struct psn_age_dearmor *armor, const char *line, size_t size)
{
    armor->blank += size + 1;
    return all_blank(line, size) && armor->blank <= PSN_AGE_ARMOR_BLANK_MAX;
}

static bool is_end(const char *line, size_t size)
{
    return size >= END_SIZE && memcmp(line, end_line, END_SIZE) == 0;
}

/* Blanks behind the end line are after it. */
static bool at_end(struct psn_age_dearmor *armor, const char *rest, size_t size,
                   bool ended)
{
    armor->state = AFTER;
    if (ended && !armor->crlf && size == 1 && rest[0] == '\r')
        return false;
    return after(armor, rest, size);
}

bool psn_age_dearmor_line(struct psn_age_dearmor *armor, const char *line, size_t size,
                          bool ended, uint8_t *out, size_t *ret_size)
{
    *ret_size = 0;
    if (armor->state == BEFORE)
        return before(armor, line, size, ended);
    if (armor->state == AFTER)
        return after(armor, line, size);
    if (is_end(line, size))
        return at_end(armor, line + END_SIZE, size - END_SIZE, ended);
    if (armor->crlf && (size == 0 || line[--size] != '\r'))
        return false;
    if (armor->last || !ended || size == 0 || size > PSN_AGE_ARMOR_CHARS ||
        !psn_base64_decode(PSN_BASE64, line, size, out, PSN_AGE_ARMOR_BYTES, ret_size))
        return false;
    armor->last = *ret_size < PSN_AGE_ARMOR_BYTES;
    return true;
}

bool psn_age_dearmor_is_done(const struct psn_age_dearmor *armor)
{
    return armor->state == AFTER;
}

/* A damaged begin line still means armor, so that the reason given is the right one. */
bool psn_age_looks_armored(const uint8_t *bytes, size_t size)
{
    static const char mark[] = "-----BEGIN AGE";
    static const char magic[] = "age-encryption.org/";
    size_t at = 0;

    size = size < PSN_AGE_ARMOR_PEEK ? size : PSN_AGE_ARMOR_PEEK;
    if (memmem(bytes, size, magic, sizeof magic - 1) == bytes)
        return false;
    while (at < size && is_blank((char)bytes[at]))
        at++;
    return (size - at >= 5 && memcmp(bytes + at, mark, 5) == 0) ||
           memmem(bytes, size, mark, sizeof mark - 1);
}

enum {
    LINES_AT_ONCE = 512
};

/* Encodes whole lines, many to a write. */
static enum psn_code write_lines(const struct psn_sink *to, const uint8_t *bytes,
                                 size_t count, struct psn_error *err)
{
    char text[LINES_AT_ONCE * (PSN_AGE_ARMOR_CHARS + 1) + 1];
    enum psn_code rc = PSN_OK;

    while (!rc && count > 0) {
        size_t used = count < LINES_AT_ONCE ? count : LINES_AT_ONCE;
        char *at = text;

        for (size_t i = 0; i < used; i++) {
            at += psn_base64_encode(PSN_BASE64, bytes, PSN_AGE_ARMOR_BYTES, at);
            *at++ = '\n';
            bytes += PSN_AGE_ARMOR_BYTES;
        }
        rc = to->write(to->self, text, (size_t)(at - text), err);
        count -= used;
    }
    return rc;
}

static enum psn_code begin(struct psn_age_armorer *armorer, struct psn_error *err)
{
    const struct psn_sink *to = armorer->to;
    enum psn_code rc = PSN_OK;

    if (!armorer->begun)
        rc = to->write(to->self, begin_line, sizeof begin_line - 1, err);
    if (!rc && !armorer->begun)
        rc = to->write(to->self, "\n", 1, err);
    armorer->begun = true;
    return rc;
}

static enum psn_code armor_write(void *self, const void *bytes, size_t size,
                                 struct psn_error *err)
{
    struct psn_age_armorer *armorer = self;
    const uint8_t *at = bytes;
    size_t whole;
    enum psn_code rc;

    rc = begin(armorer, err);
    while (!rc && size > 0 && armorer->held_size > 0) {
        armorer->held[armorer->held_size++] = *at++;
        size--;
        if (armorer->held_size == sizeof armorer->held) {
            armorer->held_size = 0;
            rc = write_lines(armorer->to, armorer->held, 1, err);
        }
    }
    whole = size / PSN_AGE_ARMOR_BYTES;
    if (!rc)
        rc = write_lines(armorer->to, at, whole, err);
    at += whole * PSN_AGE_ARMOR_BYTES;
    size -= whole * PSN_AGE_ARMOR_BYTES;
    if (!rc && size > 0) {
        memcpy(armorer->held, at, size);
        armorer->held_size = size;
    }
    return rc;
}

struct psn_sink psn_age_armor_sink(struct psn_age_armorer *armorer,
                                   const struct psn_sink *to)
{
    *armorer = (struct psn_age_armorer){ .to = to };
    return (struct psn_sink){ armor_write, armorer };
}

enum psn_code psn_age_armor_finish(struct psn_age_armorer *armorer, struct psn_error *err)
{
    char text[PSN_AGE_ARMOR_CHARS + sizeof end_line + 2];
    const struct psn_sink *to = armorer->to;
    size_t size = 0;
    enum psn_code rc;

    rc = begin(armorer, err);
    if (rc)
        return rc;
    if (armorer->held_size > 0) {
        size = psn_base64_encode(PSN_BASE64, armorer->held, armorer->held_size, text);
        text[size++] = '\n';
    }
    memcpy(text + size, end_line, sizeof end_line - 1);
    size += sizeof end_line - 1;
    text[size++] = '\n';
    return to->write(to->self, text, size, err);
}
