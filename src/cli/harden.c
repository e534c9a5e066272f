#include "cli/harden.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#    include <linux/close_range.h>
#    include <sys/prctl.h>
#endif

/* A closed descriptor 0, 1 or 2 would be taken by the next file that is opened, the
 * vault perhaps, and messages would be written into it. */
static void check_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        /* Readable or writable the wrong way round, so that using it fails. */
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(1);
    }
}

void cli_harden(void)
{
    static const struct rlimit none = { 0, 0 };
    struct sigaction ignore = { .sa_handler = SIG_IGN };

    check_standard_descriptors();
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        _exit(1);
#ifdef __linux__
    /* No core file through a pipe handler either, and no other process of this user
     * may attach or read the memory. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        _exit(1);
    /* Older kernels do not know it: then only what others left open goes on. */
    (void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
#endif
    (void)umask(077);
    (void)sigemptyset(&ignore.sa_mask);
    (void)sigaction(SIGPIPE, &ignore, NULL); /* a write that fails says so */
    (void)sigaction(SIGXFSZ, &ignore, NULL);
    (void)unsetenv("SSLKEYLOGFILE"); /* libcurl would write TLS keys there */
}
