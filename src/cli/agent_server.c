#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "cli/agent_message.h"
#include "cli/cli.h"
#include "cli/paths.h"
#include "cli/self.h"

/*
 * The agent: keeps the keys of unlocked vaults for programs of this user, until they are
 * unused for a while, a limit is reached, or `lock`. docs/agent.md says what it defends
 * against and what not.
 *
 * 1. Keys lie in locked memory and in requests and answers, nowhere else.
 * 2. A deadline is looked at before every answer, on a clock that counts sleep.
 * 3. Whoever holds agent.lock owns the socket's name; nobody else removes it.
 * 4. Without a key there is no agent, and none that cannot be found: who says `lock`
 *    would not reach it.
 */
enum {
    HELD_MAX = 16,
    ABSOLUTE_MAX_S = 7 * 24 * 3600,
    BACKLOG = 16,
    LOOK_MS = 10 * 1000, /* whether the socket's name is still ours */
};

struct held {
    struct psn_secret *key; /* NULL: free */
    uint8_t vault[PSN_VAULT_ID_SIZE];
    uint8_t slot[PSN_SLOT_ID_SIZE];
    int64_t idle_ms;
    int64_t idle_end_ms;
    int64_t absolute_end_ms;
};

struct agent {
    struct held held[HELD_MAX];
    struct psn_secret *message;
    struct sockaddr_un address;
    dev_t device; /* of the socket's name */
    ino_t inode;
    int listener; /* -1: closed */
    bool done;
};

/* --- keys --- */

static void drop(struct held *held)
{
    psn_secret_free(held->key);
    *held = (struct held){ 0 };
}

static void drop_all(struct agent *agent)
{
    for (size_t i = 0; i < HELD_MAX; i++)
        drop(&agent->held[i]);
}

static int64_t end_of(const struct held *held)
{
    return held->idle_end_ms < held->absolute_end_ms ? held->idle_end_ms
                                                     : held->absolute_end_ms;
}

/* Drops what is over; returns when the next key is, or 0 if none is left. */
static int64_t drop_expired(struct agent *agent)
{
    int64_t now_ms = psn_clock_boot_ms();
    int64_t next_ms = 0;

    for (size_t i = 0; i < HELD_MAX; i++) {
        struct held *held = &agent->held[i];

        if (held->key && end_of(held) <= now_ms)
            drop(held);
        if (held->key && (next_ms == 0 || end_of(held) < next_ms))
            next_ms = end_of(held);
    }
    return next_ms;
}

static struct held *find(struct agent *agent, const uint8_t *vault)
{
    for (size_t i = 0; i < HELD_MAX; i++)
        if (agent->held[i].key &&
            memcmp(agent->held[i].vault, vault, PSN_VAULT_ID_SIZE) == 0)
            return &agent->held[i];
    return NULL;
}

static struct held *find_free(struct agent *agent)
{
    for (size_t i = 0; i < HELD_MAX; i++)
        if (!agent->held[i].key)
            return &agent->held[i];
    return NULL;
}

/* --- requests --- */

static enum cli_message_kind get(struct agent *agent)
{
    struct held *held = find(agent, cli_message_at(agent->message, CLI_FIELD_VAULT));

    cli_message_reset(agent->message, CLI_ANSWER_OK);
    if (!held)
        return CLI_ANSWER_NONE;
    held->idle_end_ms = psn_clock_boot_ms() + held->idle_ms;
    cli_message_put(agent->message, CLI_FIELD_KEY, psn_secret_bytes(held->key),
                    PSN_VAULT_KEY_SIZE);
    cli_message_put(agent->message, CLI_FIELD_SLOT, held->slot, PSN_SLOT_ID_SIZE);
    return CLI_ANSWER_OK;
}

static enum cli_message_kind state(struct agent *agent)
{
    const struct held *held =
        find(agent, cli_message_at(agent->message, CLI_FIELD_VAULT));
    int64_t now_ms = psn_clock_boot_ms();

    cli_message_reset(agent->message, CLI_ANSWER_OK);
    if (!held)
        return CLI_ANSWER_NONE;
    cli_message_put_number(agent->message, CLI_FIELD_IDLE,
                           (held->idle_end_ms - now_ms + 999) / 1000);
    cli_message_put_number(agent->message, CLI_FIELD_ABSOLUTE,
                           (held->absolute_end_ms - now_ms + 999) / 1000);
    return CLI_ANSWER_OK;
}

/* The limits asked for. Zero keeps one: the absolute one so cannot be put off without the
 * passphrase. */
static bool set_limits(struct held *held, const struct psn_secret *message)
{
    int64_t idle_s = cli_message_number(message, CLI_FIELD_IDLE);
    int64_t absolute_s = cli_message_number(message, CLI_FIELD_ABSOLUTE);
    int64_t now_ms = psn_clock_boot_ms();

    if (idle_s < 0 || absolute_s < 0 || idle_s > ABSOLUTE_MAX_S ||
        absolute_s > ABSOLUTE_MAX_S)
        return false;
    if (idle_s > 0)
        held->idle_ms = idle_s * 1000;
    held->idle_end_ms = now_ms + held->idle_ms;
    if (absolute_s > 0)
        held->absolute_end_ms = now_ms + absolute_s * 1000;
    return true;
}

static enum cli_message_kind put(struct agent *agent)
{
    const struct psn_secret *message = agent->message;
    const uint8_t *vault = cli_message_at(message, CLI_FIELD_VAULT);
    struct held *held = find(agent, vault);
    bool is_new = !held;
    struct psn_secret *key = NULL;

    if (is_new && (cli_message_number(message, CLI_FIELD_IDLE) == 0 ||
                   cli_message_number(message, CLI_FIELD_ABSOLUTE) == 0))
        return CLI_ANSWER_NONE;
    held = held ? held : find_free(agent);
    if (!held)
        return CLI_ANSWER_FULL;
    if (!set_limits(held, message) ||
        psn_secret_copy(cli_message_at(message, CLI_FIELD_KEY), PSN_VAULT_KEY_SIZE, &key,
                        NULL)) {
        if (is_new)
            drop(held);
        return CLI_ANSWER_FAILED;
    }
    psn_secret_free(held->key);
    held->key = key;
    memcpy(held->vault, vault, PSN_VAULT_ID_SIZE);
    memcpy(held->slot, cli_message_at(message, CLI_FIELD_SLOT), PSN_SLOT_ID_SIZE);
    return CLI_ANSWER_OK;
}

/* Turns the request in agent->message into its answer. */
static void answer(struct agent *agent)
{
    enum cli_message_kind kind = CLI_ANSWER_FAILED;
    unsigned asked = cli_message_kind(agent->message);

    if (asked == CLI_ASK_GET || asked == CLI_ASK_STATE) {
        kind = asked == CLI_ASK_GET ? get(agent) : state(agent);
        if (kind == CLI_ANSWER_OK)
            return;
    } else if (asked == CLI_ASK_PUT) {
        kind = put(agent);
    } else if (asked == CLI_ASK_LOCK) {
        drop_all(agent);
        agent->done = true;
        kind = CLI_ANSWER_OK;
    }
    cli_message_reset(agent->message, kind);
}

static void note_name(struct agent *agent)
{
    struct stat info;

    if (stat(agent->address.sun_path, &info) == 0) {
        agent->device = info.st_dev;
        agent->inode = info.st_ino;
    }
}

/* A folder that is removed, as at the end of a session, takes the name with it. */
static bool is_found(const struct agent *agent)
{
    struct stat info;

    return stat(agent->address.sun_path, &info) == 0 && info.st_dev == agent->device &&
           info.st_ino == agent->inode;
}

/* Gives the socket's name back: from now on nobody finds us. */
static void stop_listening(struct agent *agent)
{
    if (agent->listener < 0)
        return;
    if (is_found(agent))
        (void)unlink(agent->address.sun_path);
    (void)close(agent->listener);
    agent->listener = -1;
}

/* Takes the peer's request; meanwhile keys expire and a signal ends it all. False if it
 * does not come whole before the deadline. */
static bool receive(struct agent *agent, int fd, int64_t deadline_ms)
{
    psn_secret_set_size(agent->message, 0);
    while (!cli_message_is_whole(agent->message)) {
        int64_t next_ms = drop_expired(agent);
        bool is_first = next_ms > 0 && next_ms < deadline_ms;
        enum cli_wake wake = cli_self_wait(fd, is_first ? next_ms : deadline_ms);

        agent->done = wake == CLI_WAKE_SIGNAL;
        if (agent->done || (wake == CLI_WAKE_TIME && !is_first))
            return false;
        if (wake == CLI_WAKE_READY && !cli_message_receive_some(fd, agent->message))
            return false;
    }
    (void)drop_expired(agent); /* the peer may have taken its time */
    return true;
}

/* One request on one connection; a peer that dawdles is left, however it dawdles. */
static void serve(struct agent *agent, int fd)
{
    int64_t deadline_ms = cli_self_deadline(CLI_MESSAGE_SECONDS);

    if (!cli_self_peer_is_ours(fd) || !receive(agent, fd, deadline_ms))
        return;
    answer(agent);
    if (agent->done)
        stop_listening(agent); /* an unlock that comes next starts another agent */
    (void)!cli_message_send(fd, agent->message, deadline_ms);
}

static void serve_next(struct agent *agent)
{
    PSN_AUTO_FD int fd = accept4(agent->listener, NULL, NULL, SOCK_CLOEXEC);

    if (fd >= 0)
        serve(agent, fd);
    cli_message_reset(agent->message, CLI_ANSWER_FAILED);
}

/* --- life --- */

/* Only with the lock held: what is there belongs to an agent that is no more. */
static enum psn_code listen_at(const struct sockaddr_un *address, int *ret_fd,
                               struct psn_error *err)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return psn_fail(err, PSN_E_UNEXPECTED, _("cannot make a socket: %s"),
                        strerror(errno));
    *ret_fd = fd;
    (void)unlink(address->sun_path);
    (void)umask(0177); /* 0600 from the first moment */
    if (bind(fd, (const struct sockaddr *)address, sizeof *address) != 0 ||
        listen(fd, BACKLOG) != 0)
        return psn_fail(err, PSN_E_UNEXPECTED, _("cannot listen on '%s': %s"),
                        address->sun_path, strerror(errno));
    (void)umask(077);
    return PSN_OK;
}

static void serve_all(struct agent *agent)
{
    int64_t next_ms = drop_expired(agent);

    while (!agent->done && next_ms > 0 && is_found(agent)) {
        int64_t look_ms = psn_clock_boot_ms() + LOOK_MS;
        enum cli_wake wake =
            cli_self_wait(agent->listener, look_ms < next_ms ? look_ms : next_ms);

        (void)drop_expired(agent);
        if (wake == CLI_WAKE_SIGNAL)
            break;
        if (wake == CLI_WAKE_READY)
            serve_next(agent);
        next_ms = drop_expired(agent);
    }
    drop_all(agent);
}

/* The first key comes from whoever started us, and so does the news of how it went. */
static bool take_first_key(struct agent *agent, enum psn_code rc)
{
    int64_t deadline_ms = cli_self_deadline(CLI_MESSAGE_SECONDS);
    bool taken = false;

    if (!cli_message_receive(CLI_HELPER_FD, agent->message, deadline_ms))
        return false;
    if (rc) {
        cli_message_reset(agent->message,
                          rc == PSN_E_BUSY ? CLI_ANSWER_BUSY : CLI_ANSWER_FAILED);
    } else {
        answer(agent);
        taken = cli_message_kind(agent->message) == CLI_ANSWER_OK;
    }
    (void)!cli_message_send(CLI_HELPER_FD, agent->message, deadline_ms);
    (void)close(CLI_HELPER_FD);
    cli_message_reset(agent->message, CLI_ANSWER_FAILED);
    return taken;
}

static enum psn_code live(const struct cli *cli, struct agent *agent,
                          struct psn_file_lock *lock, struct psn_error *err)
{
    PSN_AUTO_FD int folder_fd = -1;
    struct psn_file_lock note = PSN_FILE_LOCK_NONE;
    char folder[CLI_PATH_MAX];
    char lock_path[CLI_PATH_MAX + 16];
    enum psn_code rc = cli_paths_run_dir(true, folder, err);

    if (!rc) {
        (void)snprintf(lock_path, sizeof lock_path, "%s/%s", folder,
                       cli_agent_holder.lock);
        rc = psn_file_lock(lock_path, "agent", lock, err);
    }
    if (!rc)
        rc = cli_message_address(folder, &agent->address, &folder_fd, err);
    if (!rc)
        rc = listen_at(&agent->address, &agent->listener, err);
    note_name(agent);
    if (!rc)
        cli_holder_note(cli, &cli_agent_holder, &note);
    if (take_first_key(agent, rc))
        serve_all(agent);
    stop_listening(agent);
    cli_holder_forget(cli, &cli_agent_holder, &note);
    return rc;
}

static enum psn_code run_agent(struct cli *cli, const void *options,
                               struct psn_error *err)
{
    struct psn_file_lock lock = PSN_FILE_LOCK_NONE;
    struct agent agent = { .listener = -1 };
    enum psn_code rc = cli_self_is_helper(err);

    (void)options;
    if (!rc)
        rc = cli_message_new(CLI_ANSWER_FAILED, &agent.message, err);
    if (rc)
        return rc;
    cli_self_hold_signals();
    rc = live(cli, &agent, &lock, err);
    psn_secret_free(agent.message);
    psn_file_unlock(&lock);
    return rc;
}

const struct cli_command cmd_agent = {
    .name = "agent",
    .summary = N_("keep the keys of unlocked vaults (started by 'unlock')"),
    .needs = CLI_HIDDEN,
    .run = run_agent,
};
