#include "cli/clipboard_tool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/limits.h"
#include "cli/output.h"
#include "cli/spawn.h"

enum {
    ARGS_MAX = 6
};

struct kind {
    const char *copy;
    const char *paste;
    const char *session; /* the variable that a session of its kind has, or NULL */
    const char *copy_args[ARGS_MAX];
    const char *paste_args[ARGS_MAX];
    const char *clear_args[ARGS_MAX];
};

/* wl-copy is told the type, or it would have the content looked at to guess it. */
static const struct kind kinds[] = {
    { "wl-copy",
      "wl-paste",
      "WAYLAND_DISPLAY",
      { "--type", "text/plain;charset=utf-8" },
      { "--no-newline" },
      { "--clear" } },
    { "xclip",
      "xclip",
      "DISPLAY",
      { "-selection", "clipboard", "-in" },
      { "-selection", "clipboard", "-out" },
      { "-selection", "clipboard", "-in" } },
    { "xsel",
      "xsel",
      "DISPLAY",
      { "--clipboard", "--input" },
      { "--clipboard", "--output" },
      { "--clipboard", "--clear" } },
    { "pbcopy", "pbpaste", NULL, { NULL }, { NULL }, { NULL } },
};

static const char *const wl_sensitive_args[] = { "--sensitive", "--type",
                                                 "text/plain;charset=utf-8", NULL };

static bool take(const struct kind *kind, struct cli_clipboard_tool *ret_tool)
{
    ret_tool->copy_args = kind->copy_args;
    ret_tool->paste_args = kind->paste_args;
    ret_tool->clear_args = kind->clear_args;
    return cli_find_program(kind->copy, ret_tool->copy) &&
           cli_find_program(kind->paste, ret_tool->paste);
}

/* --- running one --- */

static enum psn_code failed(const char *path, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_UNEXPECTED, _("'%s' failed"), path);
    return psn_hint(err, PSN_E_UNEXPECTED,
                    _("is there a graphical session? DISPLAY or WAYLAND_DISPLAY tells"));
}

enum psn_code cli_clipboard_put(const struct cli_clipboard_tool *tool,
                                const struct psn_secret *secret, struct psn_error *err)
{
    struct cli_spawn spawn = { .path = tool->copy, .args = tool->copy_args, .out = -1 };
    bool written = false;
    int ends[2];
    int status;
    pid_t pid;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return psn_fail(err, PSN_E_UNEXPECTED, _("cannot make a pipe: %s"),
                        strerror(errno));
    spawn.in = ends[0];
    status = cli_spawn(&spawn, &pid);
    (void)close(ends[0]);
    if (status == 0)
        written = psn_file_write_fd(ends[1], psn_secret_bytes(secret),
                                    psn_secret_size(secret)) == 0;
    else
        pid = -1;
    (void)close(ends[1]);
    if (pid < 0 || !cli_spawn_succeeded(pid) || !written)
        return failed(tool->copy, err);
    return PSN_OK;
}

/* Runs a program and returns what it says; its descriptor is read to the end. */
static enum psn_code capture(const char *path, const char *const *args,
                             struct psn_secret **ret_output, struct psn_error *err)
{
    struct cli_spawn spawn = { .path = path, .args = args, .in = -1 };
    struct psn_secret *output = NULL;
    int ends[2];
    pid_t pid;
    int status;
    enum psn_code rc;

    if (pipe2(ends, O_CLOEXEC) != 0)
        return psn_fail(err, PSN_E_UNEXPECTED, _("cannot make a pipe: %s"),
                        strerror(errno));
    spawn.out = ends[1];
    status = cli_spawn(&spawn, &pid);
    (void)close(ends[1]);
    if (status != 0) {
        (void)close(ends[0]);
        return failed(path, err);
    }
    /* The bare read: psn_secret_read_fd() would take a final newline away. */
    rc = psn_secret_new(PSN_SECRET_MAX + 1, &output, err);
    if (!rc)
        cli_spawn_read(ends[0], output);
    (void)close(ends[0]);
    if (!cli_spawn_succeeded(pid) && !rc)
        rc = failed(path, err);
    if (rc)
        psn_secret_free(output);
    else
        *ret_output = output;
    return rc;
}

enum psn_code cli_clipboard_get(const struct cli_clipboard_tool *tool,
                                struct psn_secret **ret_content, struct psn_error *err)
{
    return capture(tool->paste, tool->paste_args, ret_content, err);
}

enum psn_code cli_clipboard_clear(const struct cli_clipboard_tool *tool,
                                  struct psn_error *err)
{
    const struct cli_spawn spawn = {
        .path = tool->copy, .args = tool->clear_args, .in = -1, .out = -1
    };
    pid_t pid;

    if (cli_spawn(&spawn, &pid) != 0 || !cli_spawn_succeeded(pid))
        return failed(tool->copy, err);
    return PSN_OK;
}

/* Newer ones of wl-copy can tell clipboard managers that the content is sensitive. */
static void mark_sensitive(struct cli_clipboard_tool *tool)
{
    static const char *const help_args[] = { "--help", NULL };
    PSN_AUTO(psn_secret) *help = NULL;

    if (capture(tool->copy, help_args, &help, NULL) == PSN_OK &&
        strstr((const char *)psn_secret_bytes(help), "--sensitive"))
        tool->copy_args = wl_sensitive_args;
}

enum psn_code cli_clipboard_tool_find(struct cli_clipboard_tool *ret_tool,
                                      struct psn_error *err)
{
    /* First those of this session, then whatever there is, which will say why not. */
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            const char *session = kinds[i].session ? getenv(kinds[i].session) : "yes";

            if ((round == 0 && (!session || !session[0])) || !take(&kinds[i], ret_tool))
                continue;
            if (strcmp(kinds[i].copy, "wl-copy") == 0)
                mark_sensitive(ret_tool);
            return PSN_OK;
        }
    }
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("no program for the clipboard is installed"));
    return psn_hint(err, PSN_E_NOT_FOUND,
                    _("install wl-clipboard (Wayland) or xclip (X11)"));
}
