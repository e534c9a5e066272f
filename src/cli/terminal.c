#include "cli/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "cli/busy.h"
#include "cli/output.h"
#include "cli/wrap.h"

/*
 * Dialogue is on /dev/tty, past stdio, which keeps copies of what it reads. While the
 * echo is off every signal that ends or stops the process first puts it back on, then has
 * its usual effect; after a stop (Ctrl-Z, fg) the question is asked again.
 */
enum {
    TRIES = 3,
    QUESTION_MAX = 1024,
};

static const int watched[] = { SIGINT,  SIGTERM, SIGHUP,  SIGQUIT,
                               SIGALRM, SIGTSTP, SIGTTIN, SIGTTOU };
enum {
    WATCHED = sizeof watched / sizeof *watched
};

static volatile sig_atomic_t caught[WATCHED];

static void note(int number)
{
    for (size_t i = 0; i < WATCHED; i++)
        if (watched[i] == number)
            caught[i] = 1;
}

static bool any_caught(void)
{
    bool any = false;

    for (size_t i = 0; i < WATCHED; i++)
        any = any || caught[i];
    return any;
}

static int open_terminal(void)
{
    return open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
}

bool cli_terminal_exists(void)
{
    PSN_AUTO_FD int tty = open_terminal();

    return tty >= 0;
}

bool cli_has_terminal(const struct cli *cli)
{
    return !cli->no_input;
}

static enum psn_code must_open(int *ret_tty, struct psn_error *err)
{
    cli_busy_end(); /* a dialogue, or a code: nothing may be written over it */
    *ret_tty = open_terminal();
    if (*ret_tty < 0)
        return psn_fail(err, PSN_E_INVALID, _("there is no terminal to ask on"));
    return PSN_OK;
}

/* Writes what may be written of each text, in one piece or two: stdio never sees it. */
static enum psn_code write_tty(int tty, const void *bytes, size_t size,
                               struct psn_error *err)
{
    int errnum = psn_file_write_fd(tty, bytes, size);

    if (errnum)
        return psn_fail(err, PSN_E_IO, _("cannot write to the terminal: %s"),
                        strerror(errnum));
    return PSN_OK;
}

static enum psn_code say(int tty, const char *text, struct psn_error *err)
{
    return write_tty(tty, text, strlen(text), err);
}

/* --- one hidden line --- */

/* How the terminal and the signals were before. */
struct quiet {
    int tty;
    struct termios before;
    struct sigaction actions[WATCHED];
};

static enum psn_code begin_quiet(int tty, struct quiet *quiet, struct psn_error *err)
{
    struct sigaction action = { .sa_handler = note }; /* no SA_RESTART: read() ends */
    struct termios silent;

    quiet->tty = tty;
    if (tcgetattr(tty, &quiet->before) != 0)
        return psn_fail(err, PSN_E_IO, _("cannot turn off the terminal's echo: %s"),
                        strerror(errno));
    (void)sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < WATCHED; i++) {
        caught[i] = 0;
        (void)sigaction(watched[i], NULL, &quiet->actions[i]);
        if (quiet->actions[i].sa_handler != SIG_IGN)
            (void)sigaction(watched[i], &action, NULL);
    }
    silent = quiet->before;
    silent.c_lflag &= ~(tcflag_t)(ECHO | ECHONL);
    while (tcsetattr(tty, TCSAFLUSH, &silent) != 0 && errno == EINTR && !any_caught())
        continue;
    return PSN_OK;
}

/* Puts everything back, then lets the caught signals do their work. True if the process
 * was stopped and goes on. */
static bool end_quiet(const struct quiet *quiet)
{
    bool again = false;

    /* In the background every try brings another SIGTTOU, and nothing was changed. */
    for (int i = 0; i < 16; i++)
        if (tcsetattr(quiet->tty, TCSAFLUSH, &quiet->before) == 0 || errno != EINTR)
            break;
    (void)psn_file_write_fd(quiet->tty, "\n", 1);
    for (size_t i = 0; i < WATCHED; i++)
        (void)sigaction(watched[i], &quiet->actions[i], NULL);
    for (size_t i = 0; i < WATCHED; i++) {
        if (!caught[i])
            continue;
        (void)kill(getpid(), watched[i]);
        again = true;
    }
    return again;
}

static bool is_silent(int tty)
{
    struct termios now;

    return tcgetattr(tty, &now) == 0 && (now.c_lflag & ECHO) == 0;
}

/* Reads up to the newline. True if the line has one; false after a signal, at the end
 * of input, or when the secret is full, whose last byte is then the one too many. */
static bool read_line(int tty, struct psn_secret *secret)
{
    size_t size = 0;

    while (size < psn_secret_capacity(secret)) {
        uint8_t *at = psn_secret_fill(secret) + size;
        ssize_t got = read(tty, at, 1);

        if (got <= 0)
            break;
        if (*at == '\n') {
            psn_secret_set_size(secret, size);
            return true;
        }
        size++;
    }
    psn_secret_set_size(secret, size);
    return false;
}

static enum psn_code ask_once(int tty, const char *prompt, struct psn_secret *secret,
                              bool *ret_again, struct psn_error *err)
{
    struct quiet quiet;
    bool complete = false;
    enum psn_code rc = begin_quiet(tty, &quiet, err);

    if (rc)
        return rc;
    if (!any_caught() && !is_silent(tty))
        rc = psn_fail(err, PSN_E_IO, _("cannot turn off the terminal's echo: %s"),
                      strerror(errno));
    if (!rc && !any_caught())
        rc = say(tty, prompt, err);
    if (!rc && !any_caught())
        complete = read_line(tty, secret);
    *ret_again = end_quiet(&quiet);
    if (rc || *ret_again || complete)
        return rc;
    if (psn_secret_size(secret) == psn_secret_capacity(secret))
        return psn_fail(err, PSN_E_LIMIT, _("what was typed is longer than %zu bytes"),
                        psn_secret_capacity(secret) - 1);
    return psn_fail(err, PSN_E_ABORTED, _("nothing was typed"));
}

enum psn_code cli_ask_secret(struct cli *cli, const char *prompt, size_t size_max,
                             struct psn_secret **ret_secret, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *line = NULL;
    PSN_AUTO_FD int tty = -1;
    bool again = true;
    enum psn_code rc = PSN_OK;

    if (!cli_has_terminal(cli))
        return psn_fail(err, PSN_E_INVALID, _("there is no terminal to ask on"));
    rc = must_open(&tty, err);
    if (!rc)
        rc = psn_secret_new(size_max + 1, &line, err);
    while (!rc && again)
        rc = ask_once(tty, prompt, line, &again, err);
    if (rc)
        return rc;
    return psn_secret_copy(psn_secret_bytes(line), psn_secret_size(line), ret_secret,
                           err);
}

bool cli_is_typed(const struct cli *cli, int fd)
{
    return cli_has_terminal(cli) && isatty(fd);
}

enum psn_code cli_read_secret(struct cli *cli, int fd, const char *prompt,
                              struct psn_secret **ret_secret, struct psn_error *err)
{
    if (cli_is_typed(cli, fd))
        return cli_ask_secret(cli, prompt, PSN_SECRET_MAX, ret_secret, err);
    return psn_secret_read_fd(fd, PSN_SECRET_MAX, ret_secret, err);
}

/* *ret_secret stays NULL: the two differ. */
static enum psn_code ask_twice(struct cli *cli, const char *prompt, size_t size_max,
                               struct psn_secret **ret_secret, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *first = NULL;
    PSN_AUTO(psn_secret) *second = NULL;
    enum psn_code rc = cli_ask_secret(cli, prompt, size_max, &first, err);

    if (!rc && psn_secret_size(first) == 0)
        return psn_fail(err, PSN_E_ABORTED, _("nothing was typed"));
    if (!rc)
        rc = cli_ask_secret(cli, _("Once more: "), size_max, &second, err);
    if (rc)
        return rc;
    if (!psn_secret_equal(first, second))
        return cli_tell(_("The two differ."), err);
    *ret_secret = PSN_TAKE(first);
    return PSN_OK;
}

enum psn_code cli_ask_new_secret(struct cli *cli, const char *prompt, size_t size_max,
                                 struct psn_secret **ret_secret, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *typed = NULL;
    enum psn_code rc = PSN_OK;

    for (int i = 0; !rc && !typed && i < TRIES; i++)
        rc = ask_twice(cli, prompt, size_max, &typed, err);
    if (rc)
        return rc;
    if (typed) {
        *ret_secret = PSN_TAKE(typed);
        return PSN_OK;
    }
    return psn_fail(err, PSN_E_ABORTED, _("the two entries differed %d times"), TRIES);
}

/* --- open dialogue --- */

enum psn_code cli_tell(const char *text, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) line = psn_buf_init(PSN_TEXT_MAX);
    PSN_AUTO_FD int tty = -1;
    enum psn_code rc = must_open(&tty, err);

    psn_buf_text(&line, text);
    psn_buf_char(&line, '\n');
    if (!rc)
        rc = psn_buf_check(&line, err);
    return rc ? rc : write_tty(tty, line.data, line.size, err);
}

enum psn_code cli_tell_secret(struct cli *cli, const char *label,
                              const struct psn_secret *secret, struct psn_error *err)
{
    PSN_AUTO_FD int tty = -1;
    enum psn_code rc = PSN_OK;

    if (!cli_has_terminal(cli))
        return psn_fail(err, PSN_E_INVALID, _("there is no terminal to show it on"));
    rc = must_open(&tty, err);
    if (!rc)
        rc = say(tty, label, err);
    if (!rc)
        rc = say(tty, "\n\n    ", err);
    if (!rc)
        rc = write_tty(tty, psn_secret_bytes(secret), psn_secret_size(secret), err);
    return rc ? rc : say(tty, "\n\n", err);
}

/* A question as wide as the terminal at most; the blank at its end stays. */
static enum psn_code ask_wrapped(int tty, const char *prompt, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) shown = psn_buf_init((size_t)4 * QUESTION_MAX);
    struct cli_margins margins = { .columns = cli_wrap_columns(tty) };
    size_t size = strlen(prompt);
    bool has_blank = size > 0 && prompt[size - 1] == ' ';
    PSN_AUTO_FREE char *text = strndup(prompt, size - has_blank);

    if (text)
        cli_wrap(&shown, text, &margins);
    if (has_blank)
        psn_buf_char(&shown, ' ');
    return say(tty, text && !shown.failed ? psn_buf_str(&shown) : prompt, err);
}

enum psn_code cli_ask_line(const char *prompt, char *ret_line, size_t size,
                           struct psn_error *err)
{
    PSN_AUTO_FD int tty = -1;
    size_t used = 0;
    char c = '\0';
    enum psn_code rc = must_open(&tty, err);

    if (!rc)
        rc = ask_wrapped(tty, prompt, err);
    while (!rc && c != '\n') {
        ssize_t got = read(tty, &c, 1);

        if (got < 0 && errno == EINTR && !cli_stop_asked())
            continue;
        if (got <= 0) {
            (void)say(tty, "\n", NULL); /* what is said next begins a line */
            return psn_fail(err, PSN_E_ABORTED, _("nothing was typed"));
        }
        if (c != '\n' && used + 1 < size)
            ret_line[used++] = c;
    }
    ret_line[used] = '\0';
    return rc;
}

/* --- questions --- */

static bool is_yes(const char *answer)
{
    /* Translators: the letter and the word that mean yes. */
    const char *const words[] = { _("y"), _("yes"), "y", "yes" };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(answer, words[i]) == 0)
            return true;
    return false;
}

enum psn_code cli_confirm(struct cli *cli, struct psn_error *err, const char *format, ...)
{
    char question[QUESTION_MAX];
    char prompt[QUESTION_MAX + 32];
    char answer[32];
    enum psn_code rc;
    va_list args;

    if (cli->yes)
        return PSN_OK;
    if (!cli_has_terminal(cli)) {
        (void)psn_fail(err, PSN_E_INVALID,
                       _("this must be confirmed, and there is nobody "
                         "to ask"));
        return psn_hint(err, PSN_E_INVALID, _("give -y if you are sure"));
    }
    va_start(args, format);
    (void)vsnprintf(question, sizeof question, format, args);
    va_end(args);
    psn_text_cut_utf8(question);
    /* Translators: the letters for yes and no; the capital one is what Enter means. */
    (void)snprintf(prompt, sizeof prompt, "%s %s ", question, _("[y/N]"));
    rc = cli_ask_line(prompt, answer, sizeof answer, err);
    if (rc)
        return rc;
    return is_yes(answer) ? PSN_OK
                          : psn_fail(err, PSN_E_ABORTED, _("nothing was changed"));
}

enum psn_code cli_confirm_typed(struct cli *cli, const char *expected,
                                struct psn_error *err, const char *format, ...)
{
    char question[QUESTION_MAX];
    char prompt[QUESTION_MAX + 8];
    char answer[QUESTION_MAX];
    enum psn_code rc;
    va_list args;

    if (!cli_has_terminal(cli))
        return psn_fail(err, PSN_E_INVALID,
                        _("this must be confirmed on a terminal, and there is none"));
    va_start(args, format);
    (void)vsnprintf(question, sizeof question, format, args);
    va_end(args);
    psn_text_cut_utf8(question);
    (void)snprintf(prompt, sizeof prompt, "%s ", question);
    rc = cli_ask_line(prompt, answer, sizeof answer, err);
    if (rc)
        return rc;
    return strcmp(answer, expected) == 0
               ? PSN_OK
               : psn_fail(err, PSN_E_ABORTED,
                          _("what was typed does not match: nothing was done"));
}
