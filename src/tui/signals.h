#ifndef PSN_TUI_SIGNALS_H
#define PSN_TUI_SIGNALS_H

#include <signal.h>

/* The signals that end the text interface: noted, so that it gives the terminal back. */
enum {
    TUI_SIGNALS = 4,
};

/* What was there before. */
struct tui_signals {
    struct sigaction actions[TUI_SIGNALS];
};

void tui_signals_begin(struct tui_signals *ret_before);
void tui_signals_end(const struct tui_signals *before);
/* After something, as a command, that may have handled them in its own way. Ctrl-C was
 * for it alone and is forgotten; another signal that came to it is noted here. */
void tui_signals_take(void);
/* As if the signal had come; for handlers. */
void tui_signals_note(int number);
/* The signal that came in and is to end the program, or 0. */
int tui_signal(void);

#endif
