#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/allow.h"
#include "base/clock.h"
#include "cli/agent_message.h"
#include "cli/cli.h"
#include "cli/paths.h"
#include "cli/self.h"

/* The side of passation that talks to the agent: docs/agent.md. */

enum {
    START_TRIES = 20,
    START_PAUSE_MS = 50,
};

const struct cli_holder cli_agent_holder = { "agent", "agent.lock", true };

/* E_NOT_FOUND: nobody listens in that folder, which is checked. */
static enum psn_code connect_agent(const char *folder, int *ret_fd, struct psn_error *err)
{
    PSN_AUTO_FD int fd = -1;
    PSN_AUTO_FD int folder_fd = -1;
    struct sockaddr_un address;
    enum psn_code rc = cli_message_address(folder, &address, &folder_fd, err);

    if (rc)
        return rc;
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return psn_fail(err, PSN_E_UNEXPECTED, _("cannot make a socket: %s"),
                        strerror(errno));
    cli_self_limit(fd, CLI_ANSWER_SECONDS);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        if (errno == ENOENT || errno == ECONNREFUSED)
            return psn_fail(err, PSN_E_NOT_FOUND, _("the agent is not running"));
        return psn_fail(err, PSN_E_UNEXPECTED, _("cannot reach the agent: %s"),
                        strerror(errno));
    }
    if (!cli_self_peer_is_ours(fd))
        return psn_fail(err, PSN_E_POLICY,
                        _("another user listens on the agent's socket in '%s'"), folder);
    *ret_fd = PSN_TAKE_FD(fd);
    return PSN_OK;
}

static enum psn_code read_answer(int fd, struct psn_secret *message, int64_t deadline_ms,
                                 struct psn_error *err)
{
    if (!cli_message_receive(fd, message, deadline_ms))
        return psn_fail(err, PSN_E_UNEXPECTED,
                        _("the agent gives no answer that can be understood"));
    switch (cli_message_kind(message)) {
    case CLI_ANSWER_OK:
        return PSN_OK;
    case CLI_ANSWER_NONE:
        return psn_fail(err, PSN_E_NOT_FOUND,
                        _("the agent does not hold this vault's key"));
    case CLI_ANSWER_FULL:
        return psn_fail(err, PSN_E_LIMIT, _("the agent holds as many keys as it can"));
    case CLI_ANSWER_BUSY:
        return psn_fail(err, PSN_E_BUSY, _("another agent is at work"));
    default:
        return psn_fail(err, PSN_E_UNEXPECTED, _("the agent could not do it"));
    }
}

/* Sends the request and puts the answer in its place. */
static enum psn_code exchange_at(const char *folder, struct psn_secret *message,
                                 struct psn_error *err)
{
    PSN_AUTO_FD int fd = -1;
    int64_t deadline_ms = cli_self_deadline(CLI_ANSWER_SECONDS);
    enum psn_code rc = connect_agent(folder, &fd, err);

    if (rc)
        return rc;
    if (!cli_message_send(fd, message, deadline_ms))
        return psn_fail(err, PSN_E_UNEXPECTED, _("cannot reach the agent: %s"),
                        strerror(errno));
    return read_answer(fd, message, deadline_ms, err);
}

static enum psn_code exchange(struct psn_secret *message, struct psn_error *err)
{
    char folder[CLI_PATH_MAX];
    enum psn_code rc = cli_paths_run_dir(false, folder, err);

    return rc ? rc : exchange_at(folder, message, err);
}

enum psn_code cli_agent_get(const uint8_t vault_id[PSN_VAULT_ID_SIZE],
                            struct psn_secret **ret_key,
                            uint8_t ret_slot[PSN_SLOT_ID_SIZE], struct psn_error *err)
{
    PSN_AUTO(psn_secret) *message = NULL;
    enum psn_code rc = cli_message_new(CLI_ASK_GET, &message, err);

    if (rc)
        return rc;
    cli_message_put(message, CLI_FIELD_VAULT, vault_id, PSN_VAULT_ID_SIZE);
    rc = exchange(message, err);
    if (!rc)
        rc = psn_secret_copy(cli_message_at(message, CLI_FIELD_KEY), PSN_VAULT_KEY_SIZE,
                             ret_key, err);
    if (!rc)
        memcpy(ret_slot, cli_message_at(message, CLI_FIELD_SLOT), PSN_SLOT_ID_SIZE);
    return rc;
}

enum psn_code cli_agent_state(const uint8_t vault_id[PSN_VAULT_ID_SIZE],
                              int64_t *ret_idle_s, int64_t *ret_absolute_s,
                              struct psn_error *err)
{
    PSN_AUTO(psn_secret) *message = NULL;
    enum psn_code rc = cli_message_new(CLI_ASK_STATE, &message, err);

    if (rc)
        return rc;
    cli_message_put(message, CLI_FIELD_VAULT, vault_id, PSN_VAULT_ID_SIZE);
    rc = exchange(message, err);
    if (rc)
        return rc;
    *ret_idle_s = cli_message_number(message, CLI_FIELD_IDLE);
    *ret_absolute_s = cli_message_number(message, CLI_FIELD_ABSOLUTE);
    return PSN_OK;
}

/* --- starting it --- */

static enum psn_code start_agent(struct psn_secret *message, struct psn_error *err)
{
    PSN_AUTO_FD int fd = -1;
    int64_t deadline_ms = cli_self_deadline(2 * CLI_ANSWER_SECONDS);
    enum psn_code rc = cli_self_start("agent", &fd, err);

    if (rc)
        return rc;
    if (!cli_message_send(fd, message, deadline_ms))
        return psn_fail(err, PSN_E_UNEXPECTED, _("the agent did not start"));
    rc = read_answer(fd, message, deadline_ms, err);
    return rc ? psn_wrap(err, rc, _("the agent did not start")) : PSN_OK;
}

enum psn_code cli_agent_put(const uint8_t vault_id[PSN_VAULT_ID_SIZE],
                            const struct psn_secret *key,
                            const uint8_t slot[PSN_SLOT_ID_SIZE], int64_t idle_s,
                            int64_t absolute_s, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *message = NULL;
    char folder[CLI_PATH_MAX];
    enum psn_code rc;

    assert(psn_secret_size(key) == PSN_VAULT_KEY_SIZE);
    rc = cli_paths_run_dir(true, folder, err);
    if (!rc)
        rc = cli_message_new(CLI_ASK_PUT, &message, err);
    /* Of two that start an agent at the same time one fails, and then finds the other's.
     */
    for (int i = 0; !rc && i < START_TRIES; i++) {
        cli_message_reset(message, CLI_ASK_PUT);
        cli_message_put(message, CLI_FIELD_VAULT, vault_id, PSN_VAULT_ID_SIZE);
        cli_message_put(message, CLI_FIELD_SLOT, slot, PSN_SLOT_ID_SIZE);
        cli_message_put(message, CLI_FIELD_KEY, psn_secret_bytes(key),
                        PSN_VAULT_KEY_SIZE);
        cli_message_put_number(message, CLI_FIELD_IDLE, idle_s);
        cli_message_put_number(message, CLI_FIELD_ABSOLUTE, absolute_s);
        rc = i % 2 ? start_agent(message, err) : exchange(message, err);
        if (rc != PSN_E_NOT_FOUND && rc != PSN_E_BUSY)
            return rc;
        rc = PSN_OK;
        psn_error_clear(err);
        if (i % 2)
            psn_clock_sleep_ms(START_PAUSE_MS);
    }
    return rc ? rc : psn_fail(err, PSN_E_BUSY, _("the agent did not start"));
}

/* --- ending it --- */

static bool is_deserted(const char *folder)
{
    PSN_AUTO_FD int fd = -1;

    return connect_agent(folder, &fd, NULL) == PSN_E_NOT_FOUND;
}

/* Asks whoever listens there, and ends whoever holds the lock there: one that is stopped,
 * or that nobody can reach any more, answers nothing. */
static enum psn_code lock_at(const char *folder, bool *ret_was, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *message = NULL;
    struct psn_error why = { 0 };
    bool was_ended = false;
    bool is_none;
    enum psn_code asked;
    enum psn_code rc =
        psn_allow(PSN_E_NOT_FOUND, cli_paths_check_private(folder, err), &is_none, err);

    *ret_was = false;
    if (rc || is_none)
        return rc;
    rc = cli_message_new(CLI_ASK_LOCK, &message, err);
    if (rc)
        return rc;
    asked = exchange_at(folder, message, &why);
    rc = cli_holder_end_at(folder, &cli_agent_holder, &was_ended, err);
    *ret_was = asked == PSN_OK || was_ended;
    if (rc || *ret_was || asked == PSN_E_NOT_FOUND)
        return rc;
    /* It may have ended over the question. */
    if (is_deserted(folder))
        return PSN_OK;
    *err = why;
    return asked;
}

enum psn_code cli_agent_lock(const struct cli *cli, bool *ret_was_running,
                             struct psn_error *err)
{
    char places[CLI_RUN_PLACES][CLI_PATH_MAX];
    size_t count = cli_paths_run_places(cli, places);
    enum psn_code rc = PSN_OK;

    *ret_was_running = false;
    for (size_t i = 0; i <= count; i++) { /* the notes come last */
        struct psn_error why = { 0 };
        bool was = false;
        enum psn_code here =
            i < count ? lock_at(places[i], &was, &why)
                      : cli_holder_end_noted(cli, &cli_agent_holder, &was, &why);

        *ret_was_running = *ret_was_running || was;
        /* "busy" is for what ends by itself, as the cleaner of the clipboard. */
        if (here == PSN_E_BUSY)
            here = why.code = PSN_E_UNEXPECTED;
        if (here && !rc) {
            *err = why;
            rc = here;
        }
    }
    return rc ? psn_wrap(err, rc, _("not locked")) : PSN_OK;
}
