#include "cli/output.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/file.h"
#include "base/unset.h"
#include "cli/busy.h"
#include "cli/wrap.h"

/* Results on stdout, everything else on stderr. */

/* What the first flush of stdout that failed said, wherever it was: the stream keeps only
 * that it failed, and errno soon says something else. */
static int flush_errno;

static int flush(void)
{
    int errnum = fflush(stdout) == 0 ? 0 : errno ? errno : EIO;

    if (flush_errno == 0)
        flush_errno = errnum;
    return errnum;
}

/* --- stderr --- */

static void say(const char *kind, const char *format, va_list args) PSN_PRINTF(2, 0);

/* One write per message: lines of two processes do not mix. */
static void say(const char *kind, const char *format, va_list args)
{
    PSN_AUTO_RELEASE(psn_buf) line = psn_buf_init(8192);
    PSN_AUTO_RELEASE(psn_buf) shown = psn_buf_init(16384);
    struct cli_margins margins = { .columns = cli_wrap_columns(STDERR_FILENO) };
    char text[4096];

    if (vsnprintf(text, sizeof text, format, args) < 0)
        return;
    psn_text_cut_utf8(text);
    psn_buf_text(&line, kind);
    psn_buf_text(&line, text);
    cli_wrap(&shown, psn_buf_str(&line), &margins);
    psn_buf_char(&shown, '\n');
    /* What was printed before stands before it, where both go to one place. */
    (void)flush();
    cli_busy_hold();
    if (!line.failed && !shown.failed)
        (void)psn_file_write_fd(STDERR_FILENO, shown.data, shown.size);
    else /* no memory to wrap it in, which is no reason to be silent */
        (void)dprintf(STDERR_FILENO, "%s%s\n", kind, text);
    cli_busy_release();
}

void cli_note(const struct cli *cli, const char *format, ...)
{
    va_list args;

    if (cli->quiet)
        return;
    va_start(args, format);
    say("", format, args);
    va_end(args);
}

void cli_next(const struct cli *cli, const char *format, ...)
{
    va_list args;

    if (cli->quiet || cli->json || !isatty(STDERR_FILENO))
        return;
    va_start(args, format);
    say("", format, args);
    va_end(args);
}

void cli_warn(const struct cli *cli, const char *format, ...)
{
    va_list args;

    (void)cli;
    va_start(args, format);
    say(_("passation: warning: "), format, args);
    va_end(args);
}

static PSN_PRINTF(2, 3) void say_as(const char *kind, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    say(kind, format, args);
    va_end(args);
}

void cli_note_ca(struct cli *cli)
{
    if (!cli->ca_file || cli->ca_noted)
        return;
    cli->ca_noted = true;
    say_as("",
           _("passation: also trusting the authorities in '%s' (PASSATION_CA_FILE), for "
             "hosts given by URL only"),
           CLI_SHOWN(cli->ca_file));
}

/* --- errors --- */

static void describe(struct cli_json *json, const struct psn_error *err)
{
    cli_json_open(json, NULL, '{');
    cli_json_open(json, "error", '{');
    cli_json_text(json, "code", psn_code_word(err->code));
    cli_json_text(json, "message", err->message);
    cli_json_text(json, "hint", err->hint[0] ? err->hint : NULL);
    cli_json_number(json, "exit", psn_code_exit_status(err->code));
    cli_json_close(json, '}');
    cli_json_close(json, '}');
}

static bool report_as_json(struct cli *cli, const struct psn_error *err)
{
    struct cli_json json = cli_json_init();
    enum psn_code rc;

    describe(&json, err);
    rc = cli_json_print(cli, &json, NULL);
    cli_json_release(&json);
    return rc == PSN_OK;
}

void cli_error_json(struct psn_buf *out, const struct psn_error *err)
{
    struct cli_json json = cli_json_init();

    describe(&json, err);
    psn_buf_bytes(out, json.text.data, json.text.size);
    psn_buf_char(out, '\n');
    cli_json_release(&json);
}

void cli_error_text(struct psn_buf *out, const struct psn_error *err)
{
    struct cli_margins margins = { .columns = cli_wrap_columns(STDERR_FILENO) };
    char line[PSN_ERROR_MESSAGE_MAX + PSN_ERROR_HINT_MAX];

    (void)snprintf(line, sizeof line, "%s%s", _("passation: error: "), err->message);
    cli_wrap(out, line, &margins);
    (void)snprintf(line, sizeof line, "\n%s%s", _("passation: hint: "), err->hint);
    cli_wrap(out, line, &margins);
    psn_buf_char(out, '\n');
}

int cli_report(struct cli *cli, const struct psn_error *err)
{
    int status = psn_code_exit_status(err->code);

    /* Who stopped reading ("| head") has what he wanted. */
    if (cli->output_errno == EPIPE && err->code == psn_file_code(EPIPE))
        return status;
    if (cli->json && !cli->result_printed && report_as_json(cli, err))
        return status;
    say_as(_("passation: error: "), "%s", err->message);
    if (err->hint[0])
        say_as(_("passation: hint: "), "%s", err->hint);
    return status;
}

/* --- stdout --- */

static enum psn_code lost(struct cli *cli, int errnum, struct psn_error *err)
{
    if (cli->output_errno == 0)
        cli->output_errno = flush_errno ? flush_errno : errnum ? errnum : EIO;
    return psn_fail(err, psn_file_code(cli->output_errno),
                    _("cannot write the result: %s"), strerror(cli->output_errno));
}

static void note_lost(struct cli *cli, bool is_lost)
{
    if (is_lost && cli->output_errno == 0)
        cli->output_errno = errno ? errno : EIO;
}

void cli_print(struct cli *cli, const char *format, ...)
{
    va_list args;
    int length;

    cli->result_printed = true;
    cli_busy_hold();
    va_start(args, format);
    length = vfprintf(stdout, format, args);
    va_end(args);
    cli_busy_release();
    note_lost(cli, length < 0);
}

void cli_print_name(struct cli *cli, const char *name)
{
    PSN_UNSET char shown[1024];
    const char *line = psn_text_shown(name, shown, sizeof shown);
    bool is_lost;

    cli->result_printed = true;
    cli_busy_hold();
    is_lost = fputs(line, stdout) == EOF || putc('\n', stdout) == EOF;
    cli_busy_release();
    note_lost(cli, is_lost);
}

void cli_print_line(struct cli *cli, const char *text)
{
    cli_print_hanging(cli, 0, text);
}

void cli_print_hanging(struct cli *cli, size_t indent, const char *text)
{
    PSN_AUTO_RELEASE(psn_buf) shown = psn_buf_init(16384);
    struct cli_margins margins = { .columns = cli_wrap_columns(STDOUT_FILENO),
                                   .indent = indent };

    cli_wrap(&shown, text, &margins);
    cli_print(cli, "%s\n", shown.failed ? text : psn_buf_str(&shown));
}

enum psn_code cli_write(struct cli *cli, const void *bytes, size_t size,
                        struct psn_error *err)
{
    int errnum = flush();

    cli->result_printed = true;
    if (errnum == 0)
        errnum = psn_file_write_fd(STDOUT_FILENO, bytes, size);
    return errnum ? lost(cli, errnum, err) : PSN_OK;
}

/* True if a terminal shows the bytes and obeys none: lines of plain text. */
static bool is_fit_for_terminal(const struct psn_secret *secret)
{
    const char *at = (const char *)psn_secret_bytes(secret);
    size_t left = psn_secret_size(secret);

    while (left > 0) {
        size_t size = 0;

        while (size < left && at[size] != '\n' && at[size] != '\t')
            size++;
        if (!psn_text_is_plain(at, size))
            return false;
        size += size < left ? 1 : 0;
        at += size;
        left -= size;
    }
    return true;
}

enum psn_code cli_print_secret(struct cli *cli, const struct psn_secret *secret,
                               struct psn_error *err)
{
    if (isatty(STDOUT_FILENO) && !is_fit_for_terminal(secret)) {
        (void)psn_fail(
            err, PSN_E_POLICY,
            _("the secret holds control characters, which a terminal would obey"));
        return psn_hint(err, PSN_E_POLICY, _("send the output into a file or a pipe"));
    }
    return cli_write(cli, psn_secret_bytes(secret), psn_secret_size(secret), err);
}

enum psn_code cli_finish(struct cli *cli, struct psn_error *err)
{
    int errnum = flush();

    return errnum || ferror(stdout) || cli->output_errno ? lost(cli, errnum, err)
                                                         : PSN_OK;
}

size_t cli_terminal_columns(int fd)
{
    struct winsize size = { 0 };

    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col < 20)
        return 80;
    return size.ws_col;
}
