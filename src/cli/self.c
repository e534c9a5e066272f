#include "cli/self.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#ifdef __linux__
#    include <sys/timerfd.h>
#endif
#ifdef __APPLE__
#    include <mach-o/dyld.h>
#endif

#include "base/clock.h"

#ifndef __linux__ /* whose <unistd.h> has it; POSIX leaves it to us */
extern char **environ;
#endif

enum {
    SLICE_MS = 60 * 1000,
};

/* --- the file --- */

#ifdef __linux__
/* Works after an upgrade has replaced the file, too. */
static const char self_file[] = "/proc/self/exe";

static bool self_path(char *out, size_t size)
{
    ssize_t length = readlink(self_file, out, size - 1);

    if (length <= 0 || (size_t)length >= size - 1)
        return false;
    out[length] = '\0';
    return true;
}
#else
static char self_file[CLI_PATH_MAX];

static bool self_path(char *out, size_t size)
{
#    ifdef __APPLE__
    uint32_t room = (uint32_t)size;

    return _NSGetExecutablePath(out, &room) == 0;
#    else
    (void)out;
    (void)size;
    return false;
#    endif
}
#endif

bool cli_self_folder(char *out, size_t size)
{
    char *slash;

    if (!self_path(out, size))
        return false;
    slash = strrchr(out, '/');
    if (!slash)
        return false;
    *slash = '\0';
    return true;
}

/* --- starting a helper --- */

static int start(const char *command, int socket, pid_t *ret_pid)
{
    char *const argv[] = { (char[]){ "passation" }, strdupa(command), NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int status = posix_spawn_file_actions_init(&actions);

    if (status != 0)
        return status;
    status = posix_spawnattr_init(&attributes);
    if (status != 0) {
        (void)posix_spawn_file_actions_destroy(&actions);
        return status;
    }
    (void)sigemptyset(&none);
    (void)posix_spawnattr_setsigmask(&attributes, &none);
    (void)posix_spawnattr_setflags(&attributes,
                                   POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
    for (int fd = STDIN_FILENO; status == 0 && fd <= STDERR_FILENO; fd++)
        status = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
    if (status == 0)
        status = posix_spawn_file_actions_adddup2(&actions, socket, CLI_HELPER_FD);
    if (status == 0)
        status = posix_spawn(ret_pid, self_file, &actions, &attributes, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attributes);
    return status;
}

enum psn_code cli_self_start(const char *command, int *ret_fd, struct psn_error *err)
{
    int pair[2];
    int status;
    pid_t pid;

#ifndef __linux__
    if (!self_path(self_file, sizeof self_file))
        return psn_fail(err, PSN_E_UNEXPECTED,
                        _("this program cannot find its own file"));
#endif
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) != 0)
        return psn_fail(err, PSN_E_UNEXPECTED, _("cannot make a socket: %s"),
                        strerror(errno));
    /* dup2() of a descriptor onto itself would leave it to be closed by exec. */
    status = pair[1] == CLI_HELPER_FD ? fcntl(pair[1], F_DUPFD_CLOEXEC, 4) : 0;
    if (status > 0) {
        (void)close(pair[1]);
        pair[1] = status;
    }
    status = start(command, pair[1], &pid);
    (void)close(pair[1]);
    if (status != 0) {
        (void)close(pair[0]);
        return psn_fail(err, PSN_E_UNEXPECTED, _("cannot start a helper process: %s"),
                        strerror(status));
    }
    *ret_fd = pair[0];
    return PSN_OK;
}

/* --- being a helper --- */

bool cli_self_peer_is_ours(int fd)
{
#ifdef __linux__
    struct ucred peer;
    socklen_t size = sizeof peer;

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.uid == geteuid();
#else
    uid_t user;
    gid_t group;

    return getpeereid(fd, &user, &group) == 0 && user == geteuid();
#endif
}

enum psn_code cli_self_is_helper(struct psn_error *err)
{
    if (!cli_self_peer_is_ours(CLI_HELPER_FD))
        return psn_fail(err, PSN_E_INVALID,
                        _("passation starts this command by itself, when it needs it"));
    (void)fcntl(CLI_HELPER_FD, F_SETFD, FD_CLOEXEC);
#ifdef __linux__
    (void)close_range(CLI_HELPER_FD + 1, ~0U, 0);
#endif
    if (chdir("/") != 0)
        return psn_fail(err, PSN_E_UNEXPECTED, _("cannot change to folder '/': %s"),
                        strerror(errno));
    return PSN_OK;
}

int64_t cli_self_deadline(int seconds)
{
    return psn_clock_boot_ms() + (int64_t)seconds * 1000;
}

/* False when the time is over. poll()'s own clock may stand still: it is asked anew. */
static bool wait_for(int fd, short events, int64_t deadline_boot_ms)
{
    struct pollfd one = { .fd = fd, .events = events };
    int64_t left_ms;

    while ((left_ms = deadline_boot_ms - psn_clock_boot_ms()) > 0) {
        int count = poll(&one, 1, (int)(left_ms < SLICE_MS ? left_ms : SLICE_MS));

        if (count > 0)
            return true;
        if (count < 0 && errno != EINTR)
            return false;
    }
    return false;
}

ssize_t cli_self_read_some(int fd, void *bytes, size_t size)
{
    ssize_t got = recv(fd, bytes, size, MSG_DONTWAIT);

    if (got > 0)
        return got;
    return got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK) ? 0
                                                                                  : -1;
}

bool cli_self_read(int fd, void *bytes, size_t size, int64_t deadline_boot_ms)
{
    char *at = bytes;

    while (size > 0) {
        ssize_t got = wait_for(fd, POLLIN, deadline_boot_ms)
                          ? cli_self_read_some(fd, at, size)
                          : -1;

        if (got < 0)
            return false;
        at += got;
        size -= (size_t)got;
    }
    return true;
}

bool cli_self_write(int fd, const void *bytes, size_t size, int64_t deadline_boot_ms)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t done = send(fd, at, size, MSG_DONTWAIT); /* SIGPIPE is ignored */

        if (done < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK)
            return false;
        if (done < 0 && !wait_for(fd, POLLOUT, deadline_boot_ms))
            return false;
        at += done > 0 ? done : 0;
        size -= done > 0 ? (size_t)done : 0;
    }
    return true;
}

void cli_self_limit(int fd, int seconds)
{
    struct timeval limit = { .tv_sec = seconds };

    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

/* --- waiting --- */

static volatile sig_atomic_t was_told_to_end;

static void note_signal(int number)
{
    (void)number;
    was_told_to_end = 1;
}

void cli_self_hold_signals(void)
{
    static const int numbers[] = { SIGTERM, SIGINT, SIGHUP };
    struct sigaction action = { .sa_handler = note_signal };
    sigset_t held;

    (void)sigemptyset(&action.sa_mask);
    (void)sigemptyset(&held);
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        (void)sigaction(numbers[i], &action, NULL);
        (void)sigaddset(&held, numbers[i]);
    }
    (void)sigprocmask(SIG_BLOCK, &held, NULL);
}

/* A timer on the clock that counts sleep: poll's own time-out stands still while the
 * machine sleeps. -1 where there is none; then the wait is cut into short ones. */
static int make_timer(int64_t deadline_boot_ms)
{
#ifdef __linux__
    struct itimerspec when = { .it_value = {
                                   .tv_sec = deadline_boot_ms / 1000,
                                   .tv_nsec = deadline_boot_ms % 1000 * 1000000 + 1 } };
    int fd = timerfd_create(CLOCK_BOOTTIME, TFD_CLOEXEC | TFD_NONBLOCK);

    if (fd >= 0 && timerfd_settime(fd, TFD_TIMER_ABSTIME, &when, NULL) == 0)
        return fd;
    psn_closep(&fd);
#else
    (void)deadline_boot_ms;
#endif
    return -1;
}

/* Waits for either, and the signals that are held back otherwise; without a timer, for a
 * slice of time at most. Whether fd is ready; -1: a signal came. */
static int wait_once(int fd, int timer)
{
    const struct timespec slice = { .tv_sec = 5 };
    sigset_t none;
    fd_set ready;
    int count;

    (void)sigemptyset(&none);
    FD_ZERO(&ready);
    if (fd >= 0)
        FD_SET(fd, &ready);
    if (timer >= 0)
        FD_SET(timer, &ready);
    count = pselect((fd > timer ? fd : timer) + 1, &ready, NULL, NULL,
                    timer < 0 ? &slice : NULL, &none);
    if (count < 0)
        return -1;
    return count > 0 && fd >= 0 && FD_ISSET(fd, &ready);
}

enum cli_wake cli_self_wait(int fd, int64_t deadline_boot_ms)
{
    PSN_AUTO_FD int timer = make_timer(deadline_boot_ms);

    while (!was_told_to_end && psn_clock_boot_ms() < deadline_boot_ms) {
        int ready = wait_once(fd, timer);

        if (ready)
            return ready < 0 ? CLI_WAKE_SIGNAL : CLI_WAKE_READY;
    }
    return was_told_to_end ? CLI_WAKE_SIGNAL : CLI_WAKE_TIME;
}
