#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "cli/display.h"
#include "cli/options.h"
#include "cli/output.h"
#include "tui/tui.h"

/*
 * Commands run from here are the ones of the command line, parsed from the same words:
 * their rules, questions, journal entries and sentences are theirs. They run on the plain
 * terminal of the alternate screen, so that nothing that they print is left behind.
 */
enum {
    WAIT_MS = 500, /* the lock is looked after */
};

static enum psn_code run_words(struct tui *ui, const char *const *words, size_t count,
                               struct psn_error *err)
{
    const char *argv[TUI_COMMAND_WORDS + 2] = { "passation" };
    struct cli inner = { .vault_path = ui->cli->vault_path,
                         .vault = ui->cli->vault,
                         .ca_file = ui->cli->ca_file,
                         .vault_options = ui->cli->vault_options,
                         .ca_noted = ui->cli->ca_noted,
                         .unlocked_by_agent = ui->cli->unlocked_by_agent };
    struct cli_line line = { 0 };
    enum psn_code rc;

    assert(count <= TUI_COMMAND_WORDS);
    for (size_t i = 0; i < count; i++)
        argv[i + 1] = words[i];
    memcpy(inner.vault_path_default, ui->cli->vault_path_default,
           sizeof inner.vault_path_default);
    memcpy(inner.state_dir, ui->cli->state_dir, sizeof inner.state_dir);
    rc = cli_options_parse(cli_commands, (int)count + 1, argv, &inner, &line, err);
    if (!rc)
        rc = inner.command->run(&inner, line.options, err);
    if (!rc)
        rc = cli_finish(&inner, err);
    (void)fflush(stdout);
    if (rc)
        (void)cli_report(&inner, err);
    ui->cli->ca_noted = inner.ca_noted;
    cli_line_release(&line);
    return rc;
}

/* What was printed may be read for as long as the vault may lie open: the lock takes it
 * off, too. */
static void wait_for_enter(struct tui *ui)
{
    bool typed = false;

    if (tui_signal())
        return;
    cli_print(ui->cli, _("\nEnter: back "));
    (void)fflush(stdout);
    while (!typed && ui->cli->vault) {
        typed = tui_screen_enter(WAIT_MS);
        tui_lock_check(ui);
    }
}

static enum psn_code run_suspended(struct tui *ui, const char *const *words, size_t count,
                                   const char *text, struct psn_error *err)
{
    enum psn_code rc;

    tui_screen_suspend(ui->screen);
    cli_print(ui->cli, "$ %s\n\n", text);
    (void)fflush(stdout);
    rc = run_words(ui, words, count, err);
    tui_signals_take();
    tui_lock_touch(ui); /* a command that runs is use, until it ends */
    wait_for_enter(ui);
    tui_screen_resume(ui->screen);
    return rc;
}

void tui_run(struct tui *ui, const char *const *words, size_t count)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(TUI_COMMAND_BYTES);
    PSN_AUTO_RELEASE(psn_buf) shown = psn_buf_init((size_t)4 * TUI_COMMAND_BYTES);
    struct psn_error err = { 0 };
    enum psn_code rc;

    cli_display_command(&text, words, count);
    psn_text_escape(&shown, psn_buf_str(&text), text.size);
    rc = psn_buf_check(&text, &err);
    if (!rc)
        rc = psn_buf_check(&shown, &err);
    if (!rc)
        rc = run_suspended(ui, words, count, psn_buf_str(&shown), &err);
    if (!ui->cli->vault) /* a locked screen names nothing */
        return;
    tui_lock_touch(ui);
    if (rc)
        tui_tell_error(ui, &err);
    else
        tui_tell(ui, TUI_GOOD, _("Done: %s"), psn_buf_str(&text));
    tui_reload(ui);
}
