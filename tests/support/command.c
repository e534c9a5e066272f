#include "support/command.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

_Noreturn static void become(const char *const argv[], int output)
{
    char *arguments[16] = { NULL };
    int null = open("/dev/null", O_RDWR);

    for (size_t i = 0; i < 15 && argv[i]; i++)
        arguments[i] = strdup(argv[i]);
    if (dup2(null, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
        dup2(null, STDERR_FILENO) < 0)
        _exit(126);
    if (!arguments[0])
        _exit(126);
    (void)execvp(arguments[0], arguments);
    _exit(errno == ENOENT ? COMMAND_MISSING : 126);
}

int command_run(const char *const argv[], char *out, size_t size)
{
    size_t used = 0;
    ssize_t got;
    int status;
    int ends[2];
    pid_t child;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        become(argv, ends[1]);
    (void)close(ends[1]);
    do {
        got = read(ends[0], out + used, size - 1 - used);
        used += got > 0 ? (size_t)got : 0;
    } while (got > 0);
    out[used] = '\0';
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void command_require(const char *name)
{
    const char *const argv[] = { name, "--version", NULL };
    char out[64];

    if (command_run(argv, out, sizeof out) == COMMAND_MISSING)
        skip();
}
