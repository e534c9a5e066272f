#include "passation/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"

#undef psn_fail
#undef psn_wrap
#undef psn_hint

static const struct {
    const char *word;
    int status;
} codes[] = {
#define PSN_CODE_ROW(name, word, status) { word, status },
    PSN_CODES(PSN_CODE_ROW)
#undef PSN_CODE_ROW
};

const char *psn_code_word(enum psn_code code)
{
    return (size_t)code < sizeof codes / sizeof *codes ? codes[code].word : "unexpected";
}

int psn_code_exit_status(enum psn_code code)
{
    return (size_t)code < sizeof codes / sizeof *codes ? codes[code].status : 1;
}

/* A message that is too long is cut, at a character's edge. Messages quote paths and
 * names that others chose: nothing in them may reach a terminal as a command. */
static PSN_PRINTF(3, 0) void format_cut(char *out, size_t size, const char *format,
                                        va_list args)
{
    int length = vsnprintf(out, size, format, args);

    if (length < 0)
        out[0] = '\0';
    psn_text_cut_utf8(out);
    psn_text_mask(out);
}

/* Whoever says that something failed is not contradicted. */
static enum psn_code never_ok(enum psn_code code)
{
    return code == PSN_OK ? PSN_E_UNEXPECTED : code;
}

enum psn_code psn_fail(struct psn_error *err, enum psn_code code, const char *format, ...)
{
    va_list args;

    code = never_ok(code);
    if (!err || err->code != PSN_OK)
        return code;
    err->code = code;
    va_start(args, format);
    format_cut(err->message, sizeof err->message, format, args);
    va_end(args);
    return code;
}

enum psn_code psn_wrap(struct psn_error *err, enum psn_code code, const char *format, ...)
{
    char inner[PSN_ERROR_MESSAGE_MAX];
    va_list args;
    size_t used;

    code = never_ok(code);
    if (!err)
        return code;
    if (err->code == PSN_OK)
        err->code = code;
    memcpy(inner, err->message, sizeof inner);
    va_start(args, format);
    format_cut(err->message, sizeof err->message, format, args);
    va_end(args);
    used = strlen(err->message);
    if (inner[0]) {
        (void)snprintf(err->message + used, sizeof err->message - used, _(": %s"), inner);
        psn_text_cut_utf8(err->message);
    }
    return err->code;
}

enum psn_code psn_hint(struct psn_error *err, enum psn_code code, const char *format, ...)
{
    va_list args;

    code = never_ok(code);
    if (!err || err->hint[0])
        return code;
    va_start(args, format);
    format_cut(err->hint, sizeof err->hint, format, args);
    va_end(args);
    return code;
}

void psn_error_clear(struct psn_error *err)
{
    if (err)
        *err = (struct psn_error){ 0 };
}
