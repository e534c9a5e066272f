#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/complete.h"

/* __complete: what the completion scripts of the shells ask. */

struct cmd_complete_options {
    bool quoted;
};

static const struct cli_option complete_options[] = {
    { "quoted", 0, CLI_FLAG, offsetof(struct cmd_complete_options, quoted), NULL,
      "the words are as they stand in the line, with quotation marks" },
    { 0 },
};

enum {
    LINE_MAX_BYTES = 4 * 1024 * 1024,
};

/* All words in `text`, each with its NUL, and where each of them begins. */
static enum psn_code unquote(const struct cli *cli, struct psn_buf *text,
                             const char **words, struct psn_error *err)
{
    const char *at;

    for (size_t i = 0; i < cli->arg_count; i++) {
        cli_complete_unquote(cli->args[i], text);
        psn_buf_char(text, '\0');
    }
    if (text->failed)
        return psn_fail(err, PSN_E_LIMIT, _("the line is too long"));
    at = (const char *)text->data;
    for (size_t i = 0; i < cli->arg_count; i++) {
        words[i] = at;
        at += strlen(at) + 1;
    }
    return PSN_OK;
}

/* The shell's line is on the screen: no message may get between. */
static void be_silent(struct cli *cli)
{
    int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

    cli->quiet = true;
    if (fd < 0)
        return;
    (void)dup2(fd, STDERR_FILENO);
    (void)close(fd);
}

static enum psn_code run_complete(struct cli *cli, const void *arg, struct psn_error *err)
{
    const struct cmd_complete_options *options = arg;
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(LINE_MAX_BYTES);
    PSN_AUTO_FREE const char **words = calloc(cli->arg_count + 1, sizeof *words);
    enum psn_code rc = PSN_OK;

    be_silent(cli);
    if (!words)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (!options->quoted)
        return cli_complete(cli, cli->args, cli->arg_count, err);
    rc = unquote(cli, &text, words, err);
    return rc ? rc : cli_complete(cli, words, cli->arg_count, err);
}

const struct cli_command cmd_complete = {
    .name = "__complete",
    .summary = N_("tell a shell what can be typed next"),
    .needs = CLI_HIDDEN,
    .max_args = SIZE_MAX,
    .options = complete_options,
    .options_size = sizeof(struct cmd_complete_options),
    .run = run_complete,
};
