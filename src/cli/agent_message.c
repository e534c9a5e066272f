#include "cli/agent_message.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cli/self.h"

static const uint8_t head[] = { 'P', 'S', 'N', 'a', 1 };

void cli_message_reset(struct psn_secret *message, enum cli_message_kind kind)
{
    psn_secret_set_size(message, 0); /* wipes */
    memcpy(psn_secret_fill(message), head, sizeof head);
    psn_secret_fill(message)[CLI_FIELD_KIND] = (uint8_t)kind;
    psn_secret_set_size(message, CLI_MESSAGE_SIZE);
}

enum psn_code cli_message_new(enum cli_message_kind kind, struct psn_secret **ret_message,
                              struct psn_error *err)
{
    enum psn_code rc = psn_secret_new(CLI_MESSAGE_SIZE, ret_message, err);

    if (!rc)
        cli_message_reset(*ret_message, kind);
    return rc;
}

unsigned cli_message_kind(const struct psn_secret *message)
{
    return psn_secret_bytes(message)[CLI_FIELD_KIND];
}

const uint8_t *cli_message_at(const struct psn_secret *message,
                              enum cli_message_field field)
{
    return psn_secret_bytes(message) + field;
}

void cli_message_put(struct psn_secret *message, enum cli_message_field field,
                     const uint8_t *bytes, size_t size)
{
    assert((size_t)field + size <= CLI_MESSAGE_SIZE);
    memcpy(psn_secret_fill(message) + field, bytes, size);
}

void cli_message_put_number(struct psn_secret *message, enum cli_message_field field,
                            int64_t value)
{
    uint8_t bytes[8];

    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)((uint64_t)value >> (56 - 8 * i));
    cli_message_put(message, field, bytes, sizeof bytes);
}

int64_t cli_message_number(const struct psn_secret *message, enum cli_message_field field)
{
    const uint8_t *at = cli_message_at(message, field);
    uint64_t value = 0;

    for (size_t i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value > INT64_MAX ? -1 : (int64_t)value;
}

bool cli_message_send(int fd, const struct psn_secret *message, int64_t deadline_boot_ms)
{
    return cli_self_write(fd, psn_secret_bytes(message), CLI_MESSAGE_SIZE,
                          deadline_boot_ms);
}

bool cli_message_receive(int fd, struct psn_secret *message, int64_t deadline_boot_ms)
{
    psn_secret_set_size(message, 0);
    if (!cli_self_read(fd, psn_secret_fill(message), CLI_MESSAGE_SIZE, deadline_boot_ms))
        return false;
    psn_secret_set_size(message, CLI_MESSAGE_SIZE);
    return memcmp(psn_secret_bytes(message), head, sizeof head) == 0;
}

bool cli_message_receive_some(int fd, struct psn_secret *message)
{
    size_t have = psn_secret_size(message);
    ssize_t got;

    assert(have < CLI_MESSAGE_SIZE);
    got =
        cli_self_read_some(fd, psn_secret_fill(message) + have, CLI_MESSAGE_SIZE - have);
    if (got < 0)
        return false;
    psn_secret_set_size(message, have + (size_t)got);
    return !cli_message_is_whole(message) ||
           memcmp(psn_secret_bytes(message), head, sizeof head) == 0;
}

bool cli_message_is_whole(const struct psn_secret *message)
{
    return psn_secret_size(message) == CLI_MESSAGE_SIZE;
}

enum psn_code cli_message_address(const char *folder, struct sockaddr_un *ret_address,
                                  int *ret_fd, struct psn_error *err)
{
    size_t room = sizeof ret_address->sun_path;

    *ret_address = (struct sockaddr_un){ .sun_family = AF_UNIX };
    *ret_fd = -1;
    if (snprintf(ret_address->sun_path, room, "%s/agent.sock", folder) < (int)room)
        return PSN_OK;
#ifdef __linux__
    *ret_fd = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*ret_fd < 0)
        return psn_fail(err, PSN_E_IO, _("cannot open folder '%s': %s"), folder,
                        strerror(errno));
    (void)snprintf(ret_address->sun_path, room, "/proc/self/fd/%d/agent.sock", *ret_fd);
    return PSN_OK;
#else
    (void)psn_fail(err, PSN_E_INVALID,
                   _("the path '%s' is too long for the agent's socket"), folder);
    return psn_hint(err, PSN_E_INVALID, _("set XDG_RUNTIME_DIR to a shorter one"));
#endif
}
