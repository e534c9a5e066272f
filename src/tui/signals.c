#include "tui/signals.h"

#include "cli/cli.h"

static const int watched[TUI_SIGNALS] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

/* Read between two keys, written by the handler. */
static volatile sig_atomic_t caught;

/* Ctrl-C may be for a command alone, and is forgotten then: it hides no other. A command
 * that runs, or asks something, stops for either. */
void tui_signals_note(int number)
{
    if (caught == 0 || caught == SIGINT)
        caught = number;
    cli_stop_by(number);
}

int tui_signal(void)
{
    return caught;
}

static void watch(struct tui_signals *ret_before)
{
    /* No SA_RESTART: a wait ends. */
    struct sigaction action = { .sa_handler = tui_signals_note };

    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < TUI_SIGNALS; i++)
        (void)sigaction(watched[i], &action, ret_before ? &ret_before->actions[i] : NULL);
}

void tui_signals_begin(struct tui_signals *ret_before)
{
    caught = 0;
    (void)cli_stop_forget();
    watch(ret_before);
}

void tui_signals_end(const struct tui_signals *before)
{
    for (size_t i = 0; i < TUI_SIGNALS; i++)
        (void)sigaction(watched[i], &before->actions[i], NULL);
}

void tui_signals_take(void)
{
    int number;

    watch(NULL);
    number = cli_stop_forget();
    if (number && number != SIGINT)
        tui_signals_note(number);
    if (caught == SIGINT)
        caught = 0;
}
