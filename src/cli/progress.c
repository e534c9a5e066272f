#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/output.h"

/* --- stopping a run --- */

/* Which signal asks; read by the run between two steps, written by the handler. */
static volatile sig_atomic_t stopped_by;

void cli_stop_by(int number)
{
    /* Ctrl-C ends a run, the others the whole program. */
    if (stopped_by == 0 || stopped_by == SIGINT)
        stopped_by = number;
}

/* What the handler says: a run that waits for an answer of OVH's stops only when it has
 * it, and must not look as if it had heard nothing. Made ready before, as a handler may
 * call nothing that allocates or locks. */
static struct {
    char text[512];
    volatile sig_atomic_t size; /* 0: nothing is said */
} stop_words;

void cli_stop_words(const char *sentence)
{
    int size = 0;

    stop_words.size = 0;
    if (sentence)
        size = snprintf(stop_words.text, sizeof stop_words.text, "%s%s%s\n",
                        isatty(STDERR_FILENO) ? "\n" : "", _("passation: "), sentence);
    if (size > 0 && size < (int)sizeof stop_words.text)
        stop_words.size = size;
}

static void stop(int number)
{
    int kept = errno;

    cli_stop_by(number);
    if (stop_words.size > 0)
        (void)!write(STDERR_FILENO, stop_words.text, (size_t)stop_words.size);
    stop_words.size = 0;
    errno = kept;
}

/* SA_RESETHAND: the second signal of a kind has its usual effect. */
void cli_catch_signals(void)
{
    static const int numbers[] = { SIGINT, SIGTERM, SIGHUP };
    struct sigaction action = { .sa_handler = stop, .sa_flags = (int)SA_RESETHAND };

    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction old;

        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            (void)sigaction(numbers[i], &action, NULL);
    }
}

bool cli_stop_asked(void)
{
    return stopped_by != 0;
}

int cli_stop_forget(void)
{
    int number = stopped_by;

    stopped_by = 0;
    return number;
}

/* --- the line on the terminal --- */

enum {
    QUIET_MS = 1000,    /* what is done by then needs no display */
    REDRAW_MS = 100,    /* many work at once: more would only flicker */
    ESTIMATE_MS = 5000, /* before, nothing can be said about the end */
    BAR_COLUMNS = 20,
    LINE_MAX_BYTES = 2048,
};

struct cli_progress {
    bool draws;
    bool drawn;
    int64_t since_ms;
    int64_t drawn_ms;
};

bool cli_progress_is_able(const struct cli *cli)
{
    const char *term = getenv("TERM");

    return !cli->quiet && isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

struct cli_progress *cli_progress_new(struct cli *cli)
{
    struct cli_progress *progress = calloc(1, sizeof *progress);

    if (!progress)
        return NULL;
    progress->draws = cli_progress_is_able(cli);
    progress->since_ms = psn_clock_boot_ms();
    return progress;
}

void cli_progress_cut(char *text, size_t columns)
{
    while (psn_text_columns(text) > columns && text[0]) {
        text[strlen(text) - 1] = '\0';
        psn_text_cut_utf8(text);
    }
}

/* How long it still takes, if it goes on as it went so far. */
static void append_rest(struct psn_buf *line, const struct psn_progress *state,
                        int64_t passed_ms)
{
    int64_t left_s;

    if (passed_ms < ESTIMATE_MS || state->ended == 0)
        return;
    left_s = passed_ms / 1000 * (int64_t)(state->count - state->ended) /
                 (int64_t)state->ended +
             1;
    if (left_s < 100)
        psn_buf_format(line, _(", %lld s left"), (long long)left_s);
    else
        psn_buf_format(line, _(", %lld min left"), (long long)(left_s + 59) / 60);
}

static void compose(struct psn_buf *line, const struct psn_progress *state,
                    int64_t passed_ms)
{
    size_t done = state->count ? state->ended * BAR_COLUMNS / state->count : 0;

    if (state->count > 1) {
        psn_buf_char(line, '[');
        for (size_t i = 0; i < BAR_COLUMNS; i++)
            psn_buf_char(line, i < done ? '=' : ' ');
        psn_buf_format(line, "] %zu/%zu", state->ended, state->count);
        append_rest(line, state, passed_ms);
        psn_buf_text(line, "  ");
    }
    psn_buf_format(line, _("%s: %s"), CLI_SHOWN(state->address ? state->address : ""),
                   CLI_SHOWN(state->step ? state->step : ""));
    if (state->wait_s > 0)
        psn_buf_format(line, " (%lld s)", (long long)state->wait_s);
}

static void draw(const char *text)
{
    PSN_AUTO_RELEASE(psn_buf) bytes = psn_buf_init(LINE_MAX_BYTES + 16);

    psn_buf_format(&bytes, "\r%s\033[K", text);
    if (!bytes.failed)
        (void)psn_file_write_fd(STDERR_FILENO, bytes.data, bytes.size);
}

void cli_progress_update(struct cli_progress *progress, const struct psn_progress *state)
{
    PSN_AUTO_RELEASE(psn_buf) line = psn_buf_init(LINE_MAX_BYTES);
    int64_t now_ms = psn_clock_boot_ms();

    if (!progress || !progress->draws ||
        (now_ms - progress->since_ms < QUIET_MS && state->wait_s <= 0) ||
        (progress->drawn && now_ms - progress->drawn_ms < REDRAW_MS))
        return;
    compose(&line, state, now_ms - progress->since_ms);
    if (line.failed)
        return;
    cli_progress_cut((char *)line.data, cli_terminal_columns(STDERR_FILENO) - 1);
    draw((const char *)line.data);
    progress->drawn = true;
    progress->drawn_ms = now_ms;
}

void cli_progress_clear(struct cli_progress *progress)
{
    if (!progress || !progress->drawn)
        return;
    draw("");
    progress->drawn = false;
}

void cli_progress_free(struct cli_progress *progress)
{
    cli_progress_clear(progress);
    free(progress);
}
