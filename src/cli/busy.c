#include "cli/busy.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/output.h"

enum {
    LINE_BYTES = 1024,
    SECONDS_COLUMNS = 12,
};

/* The work has this thread for itself; another one, which touches nothing else, writes
 * the line once a second. */
static struct {
    pthread_t thread;
    pthread_mutex_t lock; /* of all that follows, and of the terminal */
    pthread_cond_t wake;
    bool runs;
    bool ends;
    bool drawn;
    int64_t since_ms;
    char what[LINE_BYTES];
} busy = { .lock = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER };

static void clear(void)
{
    static const char text[] = "\r\033[K";

    if (busy.drawn)
        (void)psn_file_write_fd(STDERR_FILENO, text, sizeof text - 1);
    busy.drawn = false;
}

/* Translates and measures nothing: the locale is the other thread's. */
static void draw(void)
{
    char line[LINE_BYTES + 64];
    long long seconds = (psn_clock_boot_ms() - busy.since_ms) / 1000;
    int size = snprintf(line, sizeof line, "\r%s … %lld s\033[K", busy.what, seconds);

    if (size > 0)
        (void)psn_file_write_fd(STDERR_FILENO, line, (size_t)size);
    busy.drawn = true;
}

static void *show(void *arg)
{
    struct timespec next;

    (void)arg;
    (void)pthread_mutex_lock(&busy.lock);
    (void)clock_gettime(CLOCK_REALTIME, &next);
    while (!busy.ends) {
        next.tv_sec++;
        if (pthread_cond_timedwait(&busy.wake, &busy.lock, &next) != 0 && !busy.ends)
            draw();
    }
    clear();
    (void)pthread_mutex_unlock(&busy.lock);
    return NULL;
}

void cli_busy_begin(struct cli *cli, const char *what)
{
    sigset_t all;
    sigset_t old;

    if (busy.runs || !cli_progress_is_able(cli))
        return;
    busy.ends = false;
    busy.drawn = false;
    busy.since_ms = psn_clock_boot_ms();
    (void)psn_text_shown(what, busy.what, sizeof busy.what);
    cli_progress_cut(busy.what, cli_terminal_columns(STDERR_FILENO) - SECONDS_COLUMNS);
    /* Signals are for the thread that works. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &old);
    busy.runs = pthread_create(&busy.thread, NULL, show, NULL) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &old, NULL);
}

void cli_busy_end(void)
{
    if (!busy.runs)
        return;
    (void)pthread_mutex_lock(&busy.lock);
    busy.ends = true;
    (void)pthread_cond_signal(&busy.wake);
    (void)pthread_mutex_unlock(&busy.lock);
    (void)pthread_join(busy.thread, NULL);
    busy.runs = false;
}

void cli_busy_hold(void)
{
    (void)pthread_mutex_lock(&busy.lock);
    clear();
}

void cli_busy_release(void)
{
    (void)pthread_mutex_unlock(&busy.lock);
}
