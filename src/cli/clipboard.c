#include "cli/clipboard.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/allow.h"
#include "base/clock.h"
#include "base/file.h"
#include "cli/clipboard_tool.h"
#include "cli/holder.h"
#include "cli/paths.h"
#include "cli/self.h"

/*
 * Copying leaves a cleaner behind, a process of its own, which takes the secret off again
 * after a while, on SIGTERM, SIGINT or SIGHUP, or on `lock`, unless something else has
 * been copied since. It holds clipboard.lock for as long as it lives; there is one at
 * most. It looks only when the copier has hung up: before, the secret may be on its way.
 */
enum {
    DEFAULT_S = 45,
    SECONDS_MAX = 24 * 3600,
    START_SECONDS = 10,
    LOOK_TRIES = 3, /* of a program that fails, perhaps because there is nothing */
    CLEAR_TRIES = 150,
    RETRY_PAUSE_MS = 200,
    READY = 'r',
};

/* --- SipHash --- */

struct sip {
    uint64_t v0;
    uint64_t v1;
    uint64_t v2;
    uint64_t v3;
};

static uint64_t rotated(uint64_t value, unsigned bits)
{
    return value << bits | value >> (64 - bits);
}

static void sip_rounds(struct sip *s, int rounds)
{
    while (rounds-- > 0) {
        s->v0 += s->v1;
        s->v1 = rotated(s->v1, 13) ^ s->v0;
        s->v0 = rotated(s->v0, 32);
        s->v2 += s->v3;
        s->v3 = rotated(s->v3, 16) ^ s->v2;
        s->v0 += s->v3;
        s->v3 = rotated(s->v3, 21) ^ s->v0;
        s->v2 += s->v1;
        s->v1 = rotated(s->v1, 17) ^ s->v2;
        s->v2 = rotated(s->v2, 32);
    }
}

static void sip_word(struct sip *s, uint64_t word)
{
    s->v3 ^= word;
    sip_rounds(s, 2);
    s->v0 ^= word;
}

uint64_t cli_clipboard_hash(const uint64_t key[2], const uint8_t *bytes, size_t size)
{
    struct sip s = { key[0] ^ UINT64_C(0x736f6d6570736575),
                     key[1] ^ UINT64_C(0x646f72616e646f6d),
                     key[0] ^ UINT64_C(0x6c7967656e657261),
                     key[1] ^ UINT64_C(0x7465646279746573) };
    uint64_t word = 0;
    uint64_t hash;

    for (size_t i = 0; i < size; i++) {
        word |= (uint64_t)bytes[i] << 8 * (i % 8);
        if (i % 8 == 7) {
            sip_word(&s, word);
            word = 0;
        }
    }
    sip_word(&s, word | (uint64_t)(size & 0xff) << 56);
    s.v2 ^= 0xff;
    sip_rounds(&s, 4);
    hash = s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
    explicit_bzero(&s, sizeof s);
    return hash;
}

/* --- the cleaner that is at work --- */

static enum psn_code lock_path(char out[CLI_PATH_MAX], bool make, struct psn_error *err)
{
    char folder[CLI_PATH_MAX];
    enum psn_code rc = cli_paths_run_dir(make, folder, err);

    if (!rc && snprintf(out, CLI_PATH_MAX, "%s/clipboard.lock", folder) >= CLI_PATH_MAX)
        rc = psn_fail(err, PSN_E_INVALID, _("the path '%s' is too long"), folder);
    return rc;
}

/* Killed it would leave the secret there. */
static const struct cli_holder cleaner_holder = { "clipboard-cleaner", "clipboard.lock",
                                                  false };

/* Its folder is looked at before: one that others may enter has no cleaner of ours. */
static enum psn_code clear_at(const char *folder, struct psn_error *err)
{
    bool is_none;
    bool was;
    enum psn_code rc =
        psn_allow(PSN_E_NOT_FOUND, cli_paths_check_private(folder, err), &is_none, err);

    return rc || is_none ? rc : cli_holder_end_at(folder, &cleaner_holder, &was, err);
}

enum psn_code cli_clear_clipboard(const struct cli *cli, struct psn_error *err)
{
    char places[CLI_RUN_PLACES][CLI_PATH_MAX];
    size_t count = cli_paths_run_places(cli, places);
    enum psn_code rc = PSN_OK;
    bool was;

    for (size_t i = 0; !rc && i < count; i++)
        rc = clear_at(places[i], err);
    if (!rc)
        rc = cli_holder_end_noted(cli, &cleaner_holder, &was, err);
    if (rc != PSN_E_BUSY)
        return rc;
    psn_error_clear(err);
    (void)psn_fail(err, rc, _("the clipboard is not cleared yet"));
    return psn_hint(err, rc, _("copy something else, which takes its place"));
}

/* --- copying --- */

static enum psn_code read_seconds(uint64_t *ret_seconds, struct psn_error *err)
{
    const char *text = getenv("PASSATION_CLIP_TIME");

    *ret_seconds = DEFAULT_S;
    if (!text || !text[0])
        return PSN_OK;
    if (!psn_text_parse_u64(text, SECONDS_MAX, ret_seconds) || *ret_seconds == 0)
        return psn_fail(
            err, PSN_E_INVALID,
            _("PASSATION_CLIP_TIME is '%s', not a number of seconds from 1 to "
              "%d"),
            text, SECONDS_MAX);
    return PSN_OK;
}

/* The cleaner is there before the secret is: whatever happens to us, it goes. The
 * descriptor is to be closed when the secret is there. */
static enum psn_code start_cleaner(const struct cli_clipboard_order *order, int *ret_fd,
                                   struct psn_error *err)
{
    PSN_AUTO_FD int fd = -1;
    char ready = 0;
    int64_t deadline_ms = cli_self_deadline(START_SECONDS);
    enum psn_code rc = cli_self_start("clipboard-cleaner", &fd, err);

    if (rc)
        return rc;
    if (!cli_self_write(fd, order, sizeof *order, deadline_ms) ||
        !cli_self_read(fd, &ready, 1, deadline_ms) || ready != READY)
        return psn_fail(err, PSN_E_UNEXPECTED,
                        _("nothing was copied: what would clear the clipboard did not "
                          "start"));
    *ret_fd = PSN_TAKE_FD(fd);
    return PSN_OK;
}

enum psn_code cli_check_clipboard(struct psn_error *err)
{
    struct cli_clipboard_tool tool;
    uint64_t seconds;
    enum psn_code rc = read_seconds(&seconds, err);

    return rc ? rc : cli_clipboard_tool_find(&tool, err);
}

enum psn_code cli_copy_secret(struct cli *cli, const struct psn_secret *secret,
                              struct psn_error *err)
{
    struct cli_clipboard_tool tool;
    struct cli_clipboard_order order;
    PSN_AUTO_FD int cleaner = -1;
    char path[CLI_PATH_MAX];
    enum psn_code rc = read_seconds(&order.seconds, err);

    if (!rc)
        rc = cli_clipboard_tool_find(&tool, err);
    if (!rc)
        rc = lock_path(path, true, err);
    if (!rc)
        rc = cli_clear_clipboard(cli, err);
    if (rc)
        return rc;
    if (getrandom(order.key, sizeof order.key, 0) != (ssize_t)sizeof order.key)
        return psn_fail(err, PSN_E_UNEXPECTED, _("the system gives no random numbers"));
    order.hash =
        cli_clipboard_hash(order.key, psn_secret_bytes(secret), psn_secret_size(secret));
    rc = start_cleaner(&order, &cleaner, err);
    if (!rc)
        rc = cli_clipboard_put(&tool, secret, err);
    psn_closep(&cleaner);
    if (rc)
        PSN_IGNORE(cli_clear_clipboard(cli, NULL)); /* what failed may have copied it */
    else
        cli_note(cli,
                 PSN_NGETTEXT("Copied to the clipboard for %llu second.",
                              "Copied to the clipboard for %llu seconds.",
                              (unsigned long)order.seconds),
                 (unsigned long long)order.seconds);
    explicit_bzero(&order, sizeof order);
    return rc;
}

/* --- being the cleaner --- */

enum content {
    AWAY,    /* the program is not where it was: it is being updated, perhaps */
    UNKNOWN, /* the program failed; some do where there is nothing */
    OURS,
    OTHERS,
};

static enum content look(const struct cli_clipboard_tool *tool,
                         const struct cli_clipboard_order *order)
{
    PSN_AUTO(psn_secret) *content = NULL;
    const uint8_t *bytes;
    size_t size;

    if (cli_clipboard_get(tool, &content, NULL))
        return access(tool->paste, X_OK) == 0 ? UNKNOWN : AWAY;
    bytes = psn_secret_bytes(content);
    size = psn_secret_size(content);
    if (cli_clipboard_hash(order->key, bytes, size) == order->hash)
        return OURS;
    /* Some programs end what they give with a newline. */
    if (size > 0 && bytes[size - 1] == '\n' &&
        cli_clipboard_hash(order->key, bytes, size - 1) == order->hash)
        return OURS;
    return OTHERS;
}

/* As long as it is there and does not go: the lock that is held tells `lock` so. */
static enum psn_code take_off(const struct cli_clipboard_tool *tool,
                              const struct cli_clipboard_order *order,
                              struct psn_error *err)
{
    enum psn_code rc = PSN_OK;
    int unknown = 0;

    for (int i = 0; i < CLEAR_TRIES; i++) {
        enum content content = look(tool, order);

        unknown += content == UNKNOWN;
        if (content == OTHERS || (unknown >= LOOK_TRIES && !rc))
            return PSN_OK;
        if (content == OURS) {
            rc = cli_clipboard_clear(tool, err);
            if (!rc)
                return PSN_OK;
        }
        psn_clock_sleep_ms(RETRY_PAUSE_MS);
    }
    return rc;
}

/* Whoever copies hangs up when the secret is there, or dies. A signal waits so long. */
static void wait_for_copier(void)
{
    char none;

    (void)cli_self_read(CLI_HELPER_FD, &none, 1, INT64_MAX);
    (void)close(CLI_HELPER_FD);
}

static enum psn_code run_cleaner(struct cli *cli, const void *options,
                                 struct psn_error *err)
{
    struct psn_file_lock lock = PSN_FILE_LOCK_NONE;
    struct psn_file_lock note = PSN_FILE_LOCK_NONE;
    struct cli_clipboard_tool tool;
    struct cli_clipboard_order order;
    const char ready = READY;
    char path[CLI_PATH_MAX];
    int64_t deadline_ms = cli_self_deadline(START_SECONDS);
    enum psn_code rc = cli_self_is_helper(err);

    (void)options;
    cli_self_hold_signals();
    if (!rc && !cli_self_read(CLI_HELPER_FD, &order, sizeof order, deadline_ms))
        rc = psn_fail(err, PSN_E_INVALID, _("there is nothing to clear"));
    if (!rc)
        rc = lock_path(path, true, err);
    if (!rc)
        rc = psn_file_lock(path, "clipboard", &lock, err);
    if (!rc)
        rc = cli_clipboard_tool_find(&tool, err);
    if (rc)
        return rc;
    cli_holder_note(cli, &cleaner_holder, &note);
    if (cli_self_write(CLI_HELPER_FD, &ready, 1, deadline_ms)) {
        wait_for_copier();
        (void)cli_self_wait(-1, psn_clock_boot_ms() + (int64_t)order.seconds * 1000);
        rc = take_off(&tool, &order, err);
    }
    explicit_bzero(&order, sizeof order);
    cli_holder_forget(cli, &cleaner_holder, &note);
    psn_file_unlock(&lock);
    return rc;
}

const struct cli_command cmd_clipboard_cleaner = {
    .name = "clipboard-cleaner",
    .summary = N_("take a secret off the clipboard (started by 'show -c')"),
    .needs = CLI_HIDDEN,
    .run = run_cleaner,
};
