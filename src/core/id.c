#include "core/id.h"

#include <string.h>

#include "base/limits.h"
#include "base/text.h"

bool psn_id_is_valid(const char *id)
{
    size_t length = strlen(id);

    if (length == 0 || length > PSN_ID_MAX || id[0] == '.' || id[0] == '_' ||
        id[0] == '-')
        return false;
    for (size_t i = 0; i < length; i++)
        if (!psn_text_is_lower(id[i]) && !psn_text_is_digit(id[i]) &&
            !strchr("._-", id[i]))
            return false;
    return true;
}
