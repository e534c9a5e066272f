#ifndef PSN_BASE_I18N_H
#define PSN_BASE_I18N_H

#include <libintl.h>

/* Every string that a user can see goes through one of these. The library never
 * sets the locale: that is the program's business. */
#define PSN_TEXT_DOMAIN "passation"

#define _(text)                    dgettext(PSN_TEXT_DOMAIN, text)
#define N_(text)                   text
#define PSN_NGETTEXT(one, many, n) dngettext(PSN_TEXT_DOMAIN, one, many, n)

#endif
