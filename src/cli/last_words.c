#include "cli/last_words.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/output.h"

/*
 * SQLite keeps the index of its log in a file that it maps, and which it has made longer
 * by one byte in each 4 KiB. Where the file system's blocks are smaller, or when its disk
 * is taken away, the kernel finds out at a store that there is no place for it. No call
 * is under way that could return an error: it sends SIGBUS. What was committed is safe,
 * as after any other end. In the handler nothing may be called that allocates or locks,
 * so the words are made ready before.
 */
static struct {
    struct cli *cli;
    char text[2048];
    size_t text_size;
    char json[2048];
    size_t json_size;
} words;

static void say_and_end(int number)
{
    bool is_json = words.cli->json && !words.cli->result_printed;

    (void)number;
    if (is_json)
        (void)psn_file_write_fd(STDOUT_FILENO, words.json, words.json_size);
    else
        (void)psn_file_write_fd(STDERR_FILENO, words.text, words.text_size);
    _exit(psn_code_exit_status(PSN_E_FULL));
}

static size_t keep(char *place, size_t size, const struct psn_buf *from)
{
    if (from->failed || from->size == 0 || from->size > size)
        return 0;
    memcpy(place, from->data, from->size);
    return from->size;
}

void cli_last_words(struct cli *cli)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(sizeof words.text);
    PSN_AUTO_RELEASE(psn_buf) json = psn_buf_init(sizeof words.json);
    struct sigaction action = { .sa_handler = say_and_end };
    struct psn_error err = { 0 };

    (void)psn_fail(&err, PSN_E_FULL,
                   _("the disk of the vault '%s' is full, or was taken away"),
                   cli->vault_path);
    (void)psn_hint(&err, PSN_E_FULL,
                   _("make room on it, then run the command again; a rotation that has "
                     "begun: passation resume"));
    cli_error_text(&text, &err);
    if (cli->json)
        cli_error_json(&json, &err);
    words.cli = cli;
    words.text_size = keep(words.text, sizeof words.text, &text);
    words.json_size = keep(words.json, sizeof words.json, &json);
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGBUS, &action, NULL);
}
