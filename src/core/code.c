#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "crypto/generate.h"
#include "crypto/secret.h"
#include "passation/received.h"

/* The code of an issue, as people type it. */

/* The plain letter of a French accented one (its second byte in UTF-8), or NUL. */
static char plain_letter(uint8_t second)
{
    static const struct {
        uint8_t from;
        uint8_t to;
        char letter;
    } ranges[] = {
        { 0x80, 0x85, 'a' }, { 0x87, 0x87, 'c' }, { 0x88, 0x8b, 'e' },
        { 0x8c, 0x8f, 'i' }, { 0x92, 0x96, 'o' }, { 0x99, 0x9c, 'u' },
    };
    uint8_t upper = second >= 0xa0 ? (uint8_t)(second - 0x20) : second;

    for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
        if (upper >= ranges[i].from && upper <= ranges[i].to)
            return ranges[i].letter;
    return '\0';
}

/* An accent that follows its letter: U+0300, 0301, 0302, 0308, 0327. */
static bool is_accent(const uint8_t *at, size_t left)
{
    return left > 1 && at[0] == 0xcc && at[1] && strchr("\200\201\202\210\247", at[1]);
}

/* Reads one character: a letter in lower case without accent, or '-' for whatever parts
 * words. NUL if it is neither. */
static char next_letter(const uint8_t *bytes, size_t size, size_t *at)
{
    size_t gap = psn_text_gap((const char *)bytes + *at, size - *at);
    uint8_t byte = bytes[*at];
    char letter = '\0';

    if (gap || byte == ',' || byte == '.') {
        *at += gap ? gap : 1;
        return '-';
    }
    (*at)++;
    if (byte >= 'A' && byte <= 'Z')
        letter = (char)(byte - 'A' + 'a');
    else if (byte >= 'a' && byte <= 'z')
        letter = (char)byte;
    else if (byte == 0xc3 && *at < size)
        letter = plain_letter(bytes[(*at)++]);
    if (letter && is_accent(bytes + *at, size - *at))
        *at += 2;
    return letter;
}

static enum psn_code fail_form(struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_INVALID, _("this is no code of an issue"));
    return psn_hint(err, PSN_E_INVALID,
                    _("it has %d words; capitals, accents and hyphens do not matter"),
                    PSN_PASSPHRASE_WORDS);
}

enum psn_code psn_code_normalize(const struct psn_secret *typed,
                                 struct psn_secret **ret_code, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *code = NULL;
    const uint8_t *bytes = psn_secret_bytes(typed);
    size_t size = psn_secret_size(typed);
    size_t words = 0;
    bool in_word = false;
    enum psn_code rc = psn_secret_new(size, &code, err);

    for (size_t at = 0; !rc && at < size;) {
        char letter = next_letter(bytes, size, &at);

        if (!letter)
            return fail_form(err);
        if (letter != '-' && !in_word && words++)
            rc = psn_secret_append(code, "-", 1, err);
        if (letter != '-' && !rc)
            rc = psn_secret_append(code, &letter, 1, err);
        in_word = letter != '-';
    }
    if (rc)
        return rc;
    if (words != PSN_PASSPHRASE_WORDS)
        return fail_form(err);
    *ret_code = PSN_TAKE(code);
    return PSN_OK;
}

bool psn_issue_asks_code(const char *path)
{
    enum {
        HEAD_MAX = 256
    };
    static const char binary[] = "age-encryption.org/v1\n-> scrypt ";
    /* The same, as the armor has it. */
    static const char armored[] = "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwd";
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_ISSUE_FILE_MAX);
    size_t size;

    if (psn_file_read(path, &file, NULL) || file.size == 0)
        return false;
    size = file.size < HEAD_MAX ? file.size : HEAD_MAX;
    return file.data[0] == '<' || memmem(file.data, size, binary, sizeof binary - 1) ||
           memmem(file.data, size, armored, sizeof armored - 1);
}
