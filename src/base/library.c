#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

#include "base/i18n.h"

_Static_assert(sizeof(void *) == sizeof(void (*)(void)), "dlsym() yields functions");

void *psn_library_open(const char *const *names)
{
    void *library = NULL;

    for (; !library && *names; names++)
        library = dlopen(*names, RTLD_NOW | RTLD_LOCAL);
    return library;
}

/* ISO C has no cast from an object's address to a function's; POSIX lets the bytes be
 * copied. */
static void put(char *place, void *const *address)
{
    memcpy(place, address, sizeof *address);
}

const char *psn_library_find(void *library, const struct psn_library_symbol *symbols,
                             size_t count, void *table)
{
    for (size_t i = 0; i < count; i++) {
        void *address = dlsym(library, symbols[i].name);

        if (!address)
            return symbols[i].name;
        put((char *)table + symbols[i].offset, &address);
    }
    return NULL;
}

enum psn_code psn_library_load(const char *const *names,
                               const struct psn_library_symbol *symbols, size_t count,
                               void *table, struct psn_error *err)
{
    void *library = psn_library_open(names);
    const char *missing;

    if (!library)
        return psn_fail(err, PSN_E_UNEXPECTED, _("cannot load the library %s"), names[0]);
    missing = psn_library_find(library, symbols, count, table);
    if (missing)
        return psn_fail(err, PSN_E_UNEXPECTED, _("the library %s lacks %s"), names[0],
                        missing);
    return PSN_OK;
}
