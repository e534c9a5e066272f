#include "cli/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __linux__ /* whose <unistd.h> has it; POSIX leaves it to us */
extern char **environ;
#endif

enum {
    ARGS_MAX = 16
};

bool cli_find_program(const char *name, char out[CLI_PATH_MAX])
{
    const char *at = getenv("PATH");

    while (at && *at) {
        size_t size = strcspn(at, ":");

        if (at[0] == '/' &&
            snprintf(out, CLI_PATH_MAX, "%.*s/%s", (int)size, at, name) < CLI_PATH_MAX &&
            access(out, X_OK) == 0)
            return true;
        at += size;
        at += *at == ':' ? 1 : 0;
    }
    return false;
}

static int add_fd(posix_spawn_file_actions_t *actions, int from, int as)
{
    return from >= 0
               ? posix_spawn_file_actions_adddup2(actions, from, as)
               : posix_spawn_file_actions_addopen(actions, as, "/dev/null", O_RDWR, 0);
}

static int start(const struct cli_spawn *spawn, char *const *argv, pid_t *ret_pid)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t defaults;
    int status;

    (void)posix_spawn_file_actions_init(&actions);
    (void)posix_spawnattr_init(&attributes);
    (void)sigemptyset(&defaults);
    (void)posix_spawnattr_setsigmask(&attributes, &defaults);
    (void)sigaddset(&defaults, SIGPIPE);
    (void)posix_spawnattr_setsigdefault(&attributes, &defaults);
    (void)posix_spawnattr_setflags(&attributes,
                                   POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK);
    status = add_fd(&actions, spawn->in, STDIN_FILENO);
    if (status == 0)
        status = add_fd(&actions, spawn->out, STDOUT_FILENO);
    if (status == 0)
        status = add_fd(&actions, -1, STDERR_FILENO);
    if (status == 0)
        status = posix_spawn(ret_pid, spawn->path, &actions, &attributes, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return status;
}

int cli_spawn(const struct cli_spawn *spawn, pid_t *ret_pid)
{
    char *argv[ARGS_MAX + 2] = { 0 };
    bool has_all = true;
    size_t count = 0;
    int status;

    argv[count++] = strdup(spawn->path);
    for (; spawn->args[count - 1] && count <= ARGS_MAX; count++)
        argv[count] = strdup(spawn->args[count - 1]);
    for (size_t i = 0; i < count; i++)
        has_all = has_all && argv[i];
    status = has_all ? start(spawn, argv, ret_pid) : ENOMEM;
    for (size_t i = 0; i < count; i++)
        free(argv[i]);
    return status;
}

bool cli_spawn_succeeded(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return false;
    return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void cli_spawn_read(int fd, struct psn_secret *output)
{
    size_t size = 0;
    ssize_t got = 1;

    while (got > 0 && size < psn_secret_capacity(output)) {
        got =
            read(fd, psn_secret_fill(output) + size, psn_secret_capacity(output) - size);
        if (got < 0 && errno == EINTR)
            got = 1;
        else if (got > 0)
            size += (size_t)got;
    }
    psn_secret_set_size(output, size);
}
