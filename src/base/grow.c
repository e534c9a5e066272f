#include "base/grow.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"

enum psn_code psn_grow(void *items, size_t count, size_t size, struct psn_error *err)
{
    void *grown;

    if ((count & (count - 1)) != 0)
        return PSN_OK;
    if (count > SIZE_MAX / 2 / size) /* sanitizers stop a program that asks for so much */
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    memcpy(&grown, items, sizeof grown);
    grown = reallocarray(grown, count ? 2 * count : 1, size);
    if (!grown)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    memcpy(items, &grown, sizeof grown);
    return PSN_OK;
}

enum psn_code psn_room(void *items, size_t count, size_t size, struct psn_error *err)
{
    void *room = calloc(count ? count : 1, size);

    if (!room)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    memcpy(items, &room, sizeof room);
    return PSN_OK;
}
