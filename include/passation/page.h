#ifndef PASSATION_PAGE_H
#define PASSATION_PAGE_H

#include "passation/error.h"

#ifdef __cplusplus
extern "C" {
#endif

/* The SHA-256, in hex, of the page's shell: of an issue's HTML file without the lines of
 * its payload. NULL if this library was built without the page. */
PSN_API const char *psn_page_sha256(void);

#ifdef __cplusplus
}
#endif

#endif
