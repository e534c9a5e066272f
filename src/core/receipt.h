#ifndef PSN_CORE_RECEIPT_H
#define PSN_CORE_RECEIPT_H

#include "passation/error.h"

/* The code inside an issue that says it was opened: 10 random digits of Crockford's
 * base32 (50 bits) and one check digit, "K7MQ2-9XWVT-A". Random, so it tells nothing of
 * the key or content, and may travel in clear. */
enum {
    PSN_RECEIPT_SIZE = 14, /* with its NUL */
};
void psn_receipt_new(char ret_code[PSN_RECEIPT_SIZE]);

/* The normal form of what a person typed: upper case, O for 0, I and L for 1, blanks and
 * hyphens free. E_INVALID for a slip of the pen: wrong length or check digit (31 of 32).
 */
PSN_MUST_CHECK enum psn_code psn_receipt_normalize(const char *typed,
                                                   char ret_code[PSN_RECEIPT_SIZE],
                                                   struct psn_error *err);

#endif
