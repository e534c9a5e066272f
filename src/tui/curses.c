#include "tui/curses.h"

#include <stddef.h>

#include "base/i18n.h"
#include "base/library.h"

static const struct psn_library_symbol symbols[] = {
#define TUI_CURSES_SYMBOL(name) { #name, offsetof(struct tui_curses, name) },
    TUI_CURSES_EACH(TUI_CURSES_SYMBOL)
#undef TUI_CURSES_SYMBOL
    /* From libtinfo, which the library brings where it is a part of its own. */
    { "tigetstr", offsetof(struct tui_curses, tigetstr) },
    { "tiparm", offsetof(struct tui_curses, tiparm) },
};

enum psn_code tui_curses_load(struct tui_curses *ret_curses, struct psn_error *err)
{
    static const char *const names[] = { "libncursesw.so.6", "libncursesw.6.dylib",
                                         "libncurses.dylib", NULL };

    if (psn_library_load(names, symbols, sizeof symbols / sizeof *symbols, ret_curses,
                         NULL) == PSN_OK)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_NOT_FOUND,
                   _("the text interface needs ncurses, which is not installed"));
    return psn_hint(err, PSN_E_NOT_FOUND, _("install it: apt install libncursesw6"));
}
