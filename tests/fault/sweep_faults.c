/*
 * The calls that can fail. They are defined here, in the executable, and so stand before
 * those of libc for every library that it loads: libpassation, SQLite, libsodium,
 * jansson. What libc itself calls inside of it (stdio, opendir) does not come by.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include "fault/sweep.h"

const struct sweep_kind sweep_kinds[] = {
    { "alloc", SWEEP_ALLOC, ENOMEM, true },
    { "open-eio", SWEEP_OPEN, EIO, true },
    { "open-emfile", SWEEP_OPEN, EMFILE, true },
    { "open-enomem", SWEEP_OPEN, ENOMEM, false },
    { "open-eintr", SWEEP_OPEN, EINTR, false },
    { "create-enospc", SWEEP_CREATE, ENOSPC, true },
    { "create-edquot", SWEEP_CREATE, EDQUOT, true },
    { "create-erofs", SWEEP_CREATE, EROFS, true },
    { "read-eio", SWEEP_READ, EIO, true },
    { "read-eintr", SWEEP_READ, EINTR, false },
    { "read-short", SWEEP_READ, SWEEP_SHORT, false },
    { "write-eio", SWEEP_WRITE, EIO, true },
    { "write-enospc", SWEEP_WRITE, ENOSPC, true },
    { "write-edquot", SWEEP_WRITE, EDQUOT, true },
    { "write-eintr", SWEEP_WRITE, EINTR, false },
    { "write-short", SWEEP_WRITE, SWEEP_SHORT, false },
    { "sync-eio", SWEEP_SYNC, EIO, true },
    { "sync-enospc", SWEEP_SYNC, ENOSPC, true },
    { "sync-edquot", SWEEP_SYNC, EDQUOT, false },
    { "truncate-eio", SWEEP_TRUNCATE, EIO, true },
    { "truncate-enospc", SWEEP_TRUNCATE, ENOSPC, false },
    { "rename-eio", SWEEP_RENAME, EIO, true },
    { "rename-enospc", SWEEP_RENAME, ENOSPC, true },
    { "rename-erofs", SWEEP_RENAME, EROFS, true },
    { "unlink-eio", SWEEP_UNLINK, EIO, true },
    { "unlink-erofs", SWEEP_UNLINK, EROFS, true },
    { "link-eio", SWEEP_LINK, EIO, true },
    { "link-enospc", SWEEP_LINK, ENOSPC, true },
    { "link-edquot", SWEEP_LINK, EDQUOT, true },
    { "mkdir-eio", SWEEP_MKDIR, EIO, true },
    { "mkdir-enospc", SWEEP_MKDIR, ENOSPC, true },
    { "mkdir-erofs", SWEEP_MKDIR, EROFS, true },
    { "close-eio", SWEEP_CLOSE, EIO, true },
    { "close-eintr", SWEEP_CLOSE, EINTR, false },
    { "lock-eio", SWEEP_LOCK, EIO, true },
    { "lock-eagain", SWEEP_LOCK, EAGAIN, true },
    { "lock-eintr", SWEEP_LOCK, EINTR, false },
    { "mmap-enomem", SWEEP_MMAP, ENOMEM, true },
    { "mmap-eagain", SWEEP_MMAP, EAGAIN, true },
    { "mlock-enomem", SWEEP_MLOCK, ENOMEM, true },
    { "mlock-eagain", SWEEP_MLOCK, EAGAIN, true },
    { "random-eintr", SWEEP_RANDOM, EINTR, false },
    { "stat-eio", SWEEP_STAT, EIO, true },
    { "stat-enomem", SWEEP_STAT, ENOMEM, false },
    { "http-not-sent", SWEEP_HTTP, SWEEP_NOT_SENT, true },
    { "http-request-lost", SWEEP_HTTP, SWEEP_REQUEST_LOST, true },
    { "http-answer-lost", SWEEP_HTTP, SWEEP_ANSWER_LOST, true },
    { "http-500", SWEEP_HTTP, SWEEP_STATUS_500, true },
    { "http-500-done", SWEEP_HTTP, SWEEP_DONE_500, true },
    { "http-429", SWEEP_HTTP, SWEEP_STATUS_429, true },
    { "http-401", SWEEP_HTTP, SWEEP_STATUS_401, true },
    { "http-403", SWEEP_HTTP, SWEEP_STATUS_403, true },
    { "http-nonsense", SWEEP_HTTP, SWEEP_NONSENSE, true },
    { "http-shortened", SWEEP_HTTP, SWEEP_SHORTENED, true },
    { "imap-silent", SWEEP_IMAP, SWEEP_NOT_SENT, true },
    { "kill", SWEEP_CHANGE, SWEEP_DIES, false },
    { "store-eio", SWEEP_STORE, EIO, false },
    { "record-cut", SWEEP_RECORD, SWEEP_CUT, false },
    { "field-text", SWEEP_FIELD, SWEEP_NO_TEXT, false },
    { "field-number", SWEEP_FIELD, SWEEP_NO_NUMBER, false },
    { "field-absent", SWEEP_FIELD, SWEEP_ABSENT, false },
};
const size_t sweep_kind_count = sizeof sweep_kinds / sizeof *sweep_kinds;

static struct {
    const struct sweep_kind *kind; /* NULL: counts only */
    uint64_t index;
    bool sticky;
    bool armed;
    struct sweep_counts *counts;
} fault;

void sweep_arm(const struct sweep_kind *kind, uint64_t index, bool sticky,
               struct sweep_counts *counts)
{
    memset(counts, 0, sizeof *counts);
    fault.kind = index ? kind : NULL;
    fault.index = index;
    fault.sticky = sticky;
    fault.counts = counts;
    fault.armed = true;
}

void sweep_disarm(void)
{
    fault.armed = false;
    fault.counts = NULL;
}

void sweep_pause(void)
{
    fault.armed = false;
}

void sweep_go_on(void)
{
    fault.armed = fault.counts != NULL;
}

static void note(enum sweep_call call, uint64_t index, uint64_t place)
{
    fault.armed = false;
    sweep_sites_note(call, index, place);
    fault.armed = true;
}

int sweep_strikes_at(enum sweep_call call, uint64_t place)
{
    uint64_t count;

    if (!fault.armed)
        return 0;
    count = ++fault.counts->of[call];
    if (!fault.kind) {
        note(call, count, place);
        return 0;
    }
    if (fault.kind->call != call || count < fault.index ||
        (count > fault.index && !fault.sticky))
        return 0;
    fault.counts->fired = true;
    if (fault.kind->error == SWEEP_DIES) {
        sweep_disarm();
        _exit(SWEEP_DEAD_STATUS);
    }
    return fault.kind->error;
}

int sweep_strikes(enum sweep_call call)
{
    return sweep_strikes_at(call, 0);
}

/* For calls that change a file: the process may die before it. */
static int strikes_change(enum sweep_call call)
{
    (void)sweep_strikes(SWEEP_CHANGE);
    return sweep_strikes(call);
}

static bool fails(int error)
{
    if (error == 0)
        return false;
    errno = error;
    return true;
}

/* --- memory --- */

#define SEEN __attribute__((visibility("default"), used))

/* libc's own, by the names under which it gives them to such as this. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);

SEEN void *malloc(size_t size)
{
    return fails(sweep_strikes(SWEEP_ALLOC)) ? NULL : __libc_malloc(size);
}

SEEN void *calloc(size_t count, size_t size)
{
    return fails(sweep_strikes(SWEEP_ALLOC)) ? NULL : __libc_calloc(count, size);
}

SEEN void *realloc(void *old, size_t size)
{
    return fails(sweep_strikes(SWEEP_ALLOC)) ? NULL : __libc_realloc(old, size);
}

SEEN void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    if (fails(sweep_strikes(SWEEP_MMAP)))
        return MAP_FAILED;
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): syscall() tells all as numbers. */
    return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, offset);
}

SEEN void *mmap64(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
    return mmap(at, size, protection, flags, fd, offset);
}

SEEN int mlock(const void *at, size_t size)
{
    return fails(sweep_strikes(SWEEP_MLOCK)) ? -1 : (int)syscall(SYS_mlock, at, size);
}

/* --- files --- */

static int open_at(int folder, const char *path, int flags, mode_t mode)
{
    bool writes = (flags & O_ACCMODE) != O_RDONLY;

    if (fails(sweep_strikes(SWEEP_OPEN)))
        return -1;
    if (writes && fails(flags & O_CREAT ? strikes_change(SWEEP_CREATE)
                                        : sweep_strikes(SWEEP_CREATE)))
        return -1;
    return (int)syscall(SYS_openat, folder, path, flags, mode);
}

static mode_t mode_of(int flags, va_list args)
{
    return flags & (O_CREAT | O_TMPFILE) ? (mode_t)va_arg(args, int) : 0;
}

SEEN int open(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = mode_of(flags, args);
    va_end(args);
    return open_at(AT_FDCWD, path, flags, mode);
}

SEEN int open64(const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = mode_of(flags, args);
    va_end(args);
    return open_at(AT_FDCWD, path, flags, mode);
}

SEEN int openat(int folder, const char *path, int flags, ...)
{
    va_list args;
    mode_t mode;

    va_start(args, flags);
    mode = mode_of(flags, args);
    va_end(args);
    return open_at(folder, path, flags, mode);
}

/* Half of what was asked for; all of a single byte. */
static size_t size_under(int error, size_t size)
{
    return error == SWEEP_SHORT && size > 1 ? size / 2 : size;
}

SEEN ssize_t read(int fd, void *bytes, size_t size)
{
    int error = sweep_strikes(SWEEP_READ);

    if (error != SWEEP_SHORT && fails(error))
        return -1;
    return syscall(SYS_read, fd, bytes, size_under(error, size));
}

SEEN ssize_t pread(int fd, void *bytes, size_t size, off_t at)
{
    int error = sweep_strikes(SWEEP_READ);

    if (error != SWEEP_SHORT && fails(error))
        return -1;
    return syscall(SYS_pread64, fd, bytes, size_under(error, size), at);
}

SEEN ssize_t pread64(int fd, void *bytes, size_t size, off_t at)
{
    return pread(fd, bytes, size, at);
}

/* As a hardened build calls them. */
ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room);
ssize_t __pread64_chk(int fd, void *bytes, size_t size, off_t at, size_t room);

SEEN ssize_t __read_chk(int fd, void *bytes, size_t size, size_t room)
{
    if (size > room)
        abort();
    return read(fd, bytes, size);
}

SEEN ssize_t __pread64_chk(int fd, void *bytes, size_t size, off_t at, size_t room)
{
    if (size > room)
        abort();
    return pread(fd, bytes, size, at);
}

SEEN ssize_t write(int fd, const void *bytes, size_t size)
{
    int error = strikes_change(SWEEP_WRITE);

    if (error != SWEEP_SHORT && fails(error))
        return -1;
    return syscall(SYS_write, fd, bytes, size_under(error, size));
}

SEEN ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    int error = strikes_change(SWEEP_WRITE);

    if (error != SWEEP_SHORT && fails(error))
        return -1;
    return syscall(SYS_pwrite64, fd, bytes, size_under(error, size), at);
}

SEEN ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at)
{
    return pwrite(fd, bytes, size, at);
}

SEEN int fsync(int fd)
{
    return fails(strikes_change(SWEEP_SYNC)) ? -1 : (int)syscall(SYS_fsync, fd);
}

SEEN int fdatasync(int fd)
{
    return fails(strikes_change(SWEEP_SYNC)) ? -1 : (int)syscall(SYS_fdatasync, fd);
}

SEEN int ftruncate(int fd, off_t size)
{
    if (fails(strikes_change(SWEEP_TRUNCATE)))
        return -1;
    return (int)syscall(SYS_ftruncate, fd, size);
}

SEEN int ftruncate64(int fd, off_t size)
{
    return ftruncate(fd, size);
}

SEEN int close(int fd)
{
    int error = fd > STDERR_FILENO ? sweep_strikes(SWEEP_CLOSE) : 0;
    int result = (int)syscall(SYS_close, fd);

    return result == 0 && fails(error) ? -1 : result;
}

SEEN int flock(int fd, int operation)
{
    return fails(sweep_strikes(SWEEP_LOCK)) ? -1 : (int)syscall(SYS_flock, fd, operation);
}

static int control(int fd, int command, void *argument)
{
    bool locks = command == F_SETLK || command == F_SETLKW || command == F_OFD_SETLK;

    if (locks && ((struct flock *)argument)->l_type != F_UNLCK &&
        fails(sweep_strikes(SWEEP_LOCK)))
        return -1;
    return (int)syscall(SYS_fcntl, fd, command, argument);
}

SEEN int fcntl(int fd, int command, ...)
{
    void *argument;
    va_list args;

    va_start(args, command);
    argument = va_arg(args, void *);
    va_end(args);
    return control(fd, command, argument);
}

SEEN int fcntl64(int fd, int command, ...)
{
    void *argument;
    va_list args;

    va_start(args, command);
    argument = va_arg(args, void *);
    va_end(args);
    return control(fd, command, argument);
}

/* --- names --- */

SEEN int rename(const char *from, const char *to)
{
    return fails(strikes_change(SWEEP_RENAME)) ? -1 : (int)syscall(SYS_rename, from, to);
}

SEEN int unlink(const char *path)
{
    return fails(strikes_change(SWEEP_UNLINK)) ? -1 : (int)syscall(SYS_unlink, path);
}

SEEN int unlinkat(int folder, const char *path, int flags)
{
    if (fails(strikes_change(SWEEP_UNLINK)))
        return -1;
    return (int)syscall(SYS_unlinkat, folder, path, flags);
}

SEEN int rmdir(const char *path)
{
    return fails(strikes_change(SWEEP_UNLINK)) ? -1 : (int)syscall(SYS_rmdir, path);
}

SEEN int link(const char *from, const char *to)
{
    return fails(strikes_change(SWEEP_LINK)) ? -1 : (int)syscall(SYS_link, from, to);
}

SEEN int linkat(int from_folder, const char *from, int to_folder, const char *to,
                int flags)
{
    if (fails(strikes_change(SWEEP_LINK)))
        return -1;
    return (int)syscall(SYS_linkat, from_folder, from, to_folder, to, flags);
}

SEEN int mkdir(const char *path, mode_t mode)
{
    return fails(strikes_change(SWEEP_MKDIR)) ? -1 : (int)syscall(SYS_mkdir, path, mode);
}

static int status_of(int folder, const char *path, struct stat *info, int flags)
{
    if (fails(sweep_strikes(SWEEP_STAT)))
        return -1;
    return (int)syscall(SYS_newfstatat, folder, path, info, flags);
}

SEEN int stat(const char *path, struct stat *info)
{
    return status_of(AT_FDCWD, path, info, 0);
}

SEEN int lstat(const char *path, struct stat *info)
{
    return status_of(AT_FDCWD, path, info, AT_SYMLINK_NOFOLLOW);
}

SEEN int fstat(int fd, struct stat *info)
{
    return status_of(fd, "", info, AT_EMPTY_PATH);
}

/* The same structure on a 64-bit machine. */
SEEN int stat64(const char *path, struct stat64 *info)
{
    return status_of(AT_FDCWD, path, (struct stat *)(void *)info, 0);
}

SEEN int lstat64(const char *path, struct stat64 *info)
{
    return status_of(AT_FDCWD, path, (struct stat *)(void *)info, AT_SYMLINK_NOFOLLOW);
}

SEEN int fstat64(int fd, struct stat64 *info)
{
    return status_of(fd, "", (struct stat *)(void *)info, AT_EMPTY_PATH);
}

/* --- chance and time: the same in every run, and never twice in one world --- */

static uint64_t draw(void)
{
    uint64_t z = ++sweep_server->draws * UINT64_C(0x9e3779b97f4a7c15);

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

SEEN ssize_t getrandom(void *bytes, size_t size, unsigned flags)
{
    unsigned char *at = bytes;

    (void)flags;
    if (fails(sweep_strikes(SWEEP_RANDOM)))
        return -1;
    for (size_t left = size; left > 0;) {
        uint64_t number = draw();
        size_t part = left < sizeof number ? left : sizeof number;

        memcpy(at, &number, part);
        at += part;
        left -= part;
    }
    return (ssize_t)size;
}

SEEN int clock_gettime(clockid_t id, struct timespec *now)
{
    int64_t ms = sweep_server->clock_ms - (id == CLOCK_REALTIME ? 0 : 1700000000000);

    now->tv_sec = ms / 1000;
    now->tv_nsec = ms % 1000 * 1000000;
    return 0;
}

SEEN int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    (void)zone;
    now->tv_sec = sweep_server->clock_ms / 1000;
    now->tv_usec = sweep_server->clock_ms % 1000 * 1000;
    return 0;
}

SEEN time_t time(time_t *now)
{
    time_t second = sweep_server->clock_ms / 1000;

    if (now)
        *now = second;
    return second;
}

SEEN int nanosleep(const struct timespec *wait, struct timespec *left)
{
    (void)left;
    sweep_server->clock_ms += wait->tv_sec * 1000 + wait->tv_nsec / 1000000;
    return 0;
}

SEEN int usleep(useconds_t wait)
{
    sweep_server->clock_ms += wait / 1000 + 1;
    return 0;
}

SEEN int poll(struct pollfd *fds, nfds_t count, int wait_ms)
{
    if (count > 0)
        return (int)syscall(SYS_poll, fds, count, wait_ms);
    sweep_server->clock_ms += wait_ms > 0 ? wait_ms : 0;
    return 0;
}
