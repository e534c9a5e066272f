#ifndef PSN_PAGE_PAGE_H
#define PSN_PAGE_PAGE_H

#include <stddef.h>

#include "base/buf.h"
#include "passation/page.h"

/* The page that opens an issue in a browser: a shell, the same for every issue, around
 * an armored age file. */

enum {
    PSN_PAGE_ARMOR_MAX = 24 * 1024 * 1024, /* the page opens files of up to 16 MiB */
};

/*
 * Appends the whole page to page: the shell's first half, a line with the armor's SHA-256
 * (by which the page tells a damaged file from a wrong code), the armor on lines of its
 * own, the second half. page must have room for the armor and 512 KiB.
 * E_INVALID if this build has no page; E_LIMIT if the armor is too large; E_UNEXPECTED if
 * it is no armor: nothing else can stand between the halves.
 */
PSN_MUST_CHECK enum psn_code psn_page_wrap(const char *armor, size_t size,
                                           struct psn_buf *page, struct psn_error *err);

#endif
