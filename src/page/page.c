#include "page/page.h"

#include <stdbool.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "crypto/hash.h"

/* shell_before, shell_after, their sizes, shell_sha256: made by build.mjs, or empty. */
#include "page/shell.inc"

static const char armor_begin[] = "-----BEGIN AGE ENCRYPTED FILE-----\n";
static const char armor_end[] = "\n-----END AGE ENCRYPTED FILE-----\n";

enum {
    ARMOR_BEGIN_SIZE = sizeof armor_begin - 1,
    ARMOR_END_SIZE = sizeof armor_end - 1,
};

const char *psn_page_sha256(void)
{
    return shell_sha256[0] ? shell_sha256 : NULL;
}

static bool is_base64(char c)
{
    return psn_text_is_digit(c) || psn_text_is_lower(c) || psn_text_is_upper(c) ||
           c == '+' || c == '/' || c == '=';
}

/* Nothing but base64 between the two lines: no byte of it can mean anything in HTML. */
static bool is_armor(const char *armor, size_t size)
{
    if (size <= ARMOR_BEGIN_SIZE + ARMOR_END_SIZE ||
        memcmp(armor, armor_begin, ARMOR_BEGIN_SIZE) != 0 ||
        memcmp(armor + size - ARMOR_END_SIZE, armor_end, ARMOR_END_SIZE) != 0)
        return false;
    for (size_t i = ARMOR_BEGIN_SIZE; i < size - ARMOR_END_SIZE; i++)
        if (!is_base64(armor[i]) && armor[i] != '\n')
            return false;
    return true;
}

enum psn_code psn_page_wrap(const char *armor, size_t size, struct psn_buf *page,
                            struct psn_error *err)
{
    char digest[PSN_SHA256_HEX_SIZE];

    if (!psn_page_sha256()) {
        (void)psn_fail(err, PSN_E_INVALID,
                       _("this passation was built without the page"));
        return psn_hint(err, PSN_E_INVALID,
                        _("use --format age, or build with -DPASSATION_PAGE=ON"));
    }
    if (size > PSN_PAGE_ARMOR_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("the issue is too large for a page"));
    if (!is_armor(armor, size))
        return psn_fail(err, PSN_E_UNEXPECTED,
                        _("only an armored age file can stand in a page"));
    psn_sha256_hex(&(struct psn_part){ armor, size }, 1, digest);
    psn_buf_bytes(page, shell_before, shell_before_size);
    psn_buf_format(page, "Payload-SHA256: %s\n", digest);
    psn_buf_bytes(page, armor, size);
    psn_buf_bytes(page, shell_after, shell_after_size);
    return psn_buf_check(page, err);
}
