#ifndef PSN_CORE_ID_H
#define PSN_CORE_ID_H

#include <stdbool.h>

/* The one grammar of ids, for clients, people and groups: lower-case letters, digits,
 * '.',
 * '_' and '-', at most PSN_ID_MAX, beginning with a letter or digit. */
bool psn_id_is_valid(const char *id);

#endif
