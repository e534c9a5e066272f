#include "tui/curses.h"

#include <dlfcn.h>
#include <string.h>

#include "base/i18n.h"

/* POSIX: what dlsym() gives is a function's address, which ISO C cannot say. */
static bool find(void *library, const char *name, void *ret_function)
{
    void *function = dlsym(library, name);

    memcpy(ret_function, &function, sizeof function);
    return function != NULL;
}

static bool find_all(void *library, struct tui_curses *curses)
{
    bool found = true;

#define TUI_CURSES_FIND(name) found = found && find(library, #name, &curses->name);
    TUI_CURSES_EACH(TUI_CURSES_FIND)
#undef TUI_CURSES_FIND
    /* From libtinfo, which the library brings where it is a part of its own. */
    return found && find(library, "tigetstr", &curses->tigetstr) &&
           find(library, "tiparm", &curses->tiparm);
}

enum psn_code tui_curses_load(struct tui_curses *ret_curses, struct psn_error *err)
{
    static const char *const names[] = { "libncursesw.so.6", "libncursesw.6.dylib",
                                         "libncurses.dylib" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        void *library = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);

        if (library && find_all(library, ret_curses))
            return PSN_OK;
    }
    (void)psn_fail(err, PSN_E_NOT_FOUND,
                   _("the text interface needs ncurses, which is not installed"));
    return psn_hint(err, PSN_E_NOT_FOUND, _("install it: apt install libncursesw6"));
}
