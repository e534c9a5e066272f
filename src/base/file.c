#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/beside.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"

enum psn_code psn_file_code(int errnum)
{
    switch (errnum) {
    case ENOENT:
    case ENOTDIR:
    case ENAMETOOLONG:
        return PSN_E_NOT_FOUND;
    case EEXIST:
        return PSN_E_EXISTS;
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        return PSN_E_FULL;
    case ENOMEM:
        return PSN_E_NOMEM;
    default:
        return PSN_E_IO;
    }
}

static enum psn_code read_all(int fd, const char *name, struct psn_buf *buf,
                              struct psn_error *err)
{
    uint8_t chunk[4096];
    ssize_t got;
    enum psn_code rc = PSN_OK;

    do {
        got = read(fd, chunk, sizeof chunk);
        if (got > 0)
            psn_buf_bytes(buf, chunk, (size_t)got);
    } while ((got > 0 && !buf->failed) || (got < 0 && errno == EINTR));
    if (got < 0)
        rc = psn_fail(err, psn_file_code(errno), _("cannot read '%s': %s"), name,
                      strerror(errno));
    else if (psn_buf_check(buf, err))
        rc = psn_wrap(err, PSN_E_LIMIT, _("cannot read '%s'"), name);
    if (buf->wipe)
        explicit_bzero(chunk, sizeof chunk);
    return rc;
}

static bool is_regular(int fd)
{
    struct stat info;

    return fstat(fd, &info) == 0 && S_ISREG(info.st_mode);
}

/* O_NONBLOCK: a FIFO that nobody writes to must not hold us up. It means nothing to
 * a regular file. */
enum psn_code psn_file_open(const char *path, int *ret_fd, struct psn_error *err)
{
    int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 && errno == ELOOP)
        return psn_fail(err, PSN_E_IO,
                        _("'%s' is a symbolic link, which is not followed"), path);
    if (fd < 0)
        return psn_fail(err, psn_file_code(errno), _("cannot open '%s': %s"), path,
                        strerror(errno));
    if (!is_regular(fd)) {
        (void)close(fd);
        return psn_fail(err, PSN_E_IO, _("'%s' is not a regular file"), path);
    }
    *ret_fd = fd;
    return PSN_OK;
}

enum psn_code psn_file_read(const char *path, struct psn_buf *buf, struct psn_error *err)
{
    PSN_AUTO_FD int fd = -1;
    enum psn_code rc;

    rc = psn_file_open(path, &fd, err);
    return rc ? rc : read_all(fd, path, buf, err);
}

enum psn_code psn_file_read_fd(int fd, struct psn_buf *buf, struct psn_error *err)
{
    char name[32];
    enum psn_code rc;

    (void)snprintf(name, sizeof name, "fd %d", fd);
    if (fcntl(fd, F_GETFD) < 0)
        return psn_fail(err, PSN_E_INVALID, _("file descriptor %d is not open"), fd);
    rc = read_all(fd, name, buf, err);
    if (fd > STDERR_FILENO)
        (void)close(fd);
    if (rc)
        return rc;
    if (buf->size > 0 && buf->data[buf->size - 1] == '\n')
        buf->data[--buf->size] = '\0';
    return PSN_OK;
}

bool psn_file_is_exposed(const char *path)
{
    struct stat info;

    return stat(path, &info) == 0 && (info.st_mode & 077) != 0;
}

char *psn_file_dir_of(const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}

enum psn_code psn_file_sync_dir_of(const char *path, struct psn_error *err)
{
    PSN_AUTO_FREE char *dir = psn_file_dir_of(path);
    PSN_AUTO_FD int fd = -1;

    if (!dir)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) != 0)
        return psn_fail(err, psn_file_code(errno), _("cannot make '%s' durable: %s"), dir,
                        strerror(errno));
    return PSN_OK; /* cppcheck-suppress resourceLeak; PSN_AUTO_FD closes it */
}

int psn_file_write_fd(int fd, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        ssize_t done = write(fd, at, size);

        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return errno;
        at += done;
        size -= (size_t)done;
    }
    return 0;
}

/* "PATH.XXXXXXXXXXXXXXXX" beside path, so that the rename stays on one file system and
 * nobody can guess the name; to be freed. NULL with errno. */
static char *sibling_of(const char *path)
{
    size_t size = strlen(path) + 18;
    char *name = malloc(size);
    uint64_t random;

    if (name && getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random) {
        free(name);
        return NULL;
    }
    if (name)
        (void)snprintf(name, size, "%s.%016llx", path, (unsigned long long)random);
    return name;
}

/* The bytes are durable under the sibling's name; now they get their own. */
static int settle(const char *sibling, const char *path, enum psn_file_mode mode)
{
    if (mode != PSN_FILE_NEW)
        return rename(sibling, path) == 0 ? 0 : errno;
    if (link(sibling, path) != 0)
        return errno;
    (void)unlink(sibling);
    return 0;
}

static int write_sibling(const char *path, const void *bytes, size_t size,
                         enum psn_file_mode mode)
{
    PSN_AUTO_FREE char *sibling = sibling_of(path);
    int cause;
    int fd;

    if (!sibling)
        return errno;
    fd = open(sibling, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    cause = psn_file_write_fd(fd, bytes, size);
    if (cause == 0 && mode != PSN_FILE_HINT && fsync(fd) != 0)
        cause = errno;
    if (close(fd) != 0 && cause == 0)
        cause = errno;
    if (cause == 0)
        cause = settle(sibling, path, mode);
    if (cause != 0)
        (void)unlink(sibling);
    return cause;
}

/* The nameless file gets its name; one that replaces another, by way of a sibling's. */
static int name_it(const char *self, const char *path, enum psn_file_mode mode)
{
    PSN_AUTO_FREE char *sibling = NULL;
    int cause;

    if (linkat(AT_FDCWD, self, AT_FDCWD, path, AT_SYMLINK_FOLLOW) == 0)
        return 0;
    if (errno == ENOENT)
        return ENOTSUP; /* no /proc */
    if (errno != EEXIST || mode == PSN_FILE_NEW)
        return errno;
    sibling = sibling_of(path);
    if (!sibling || linkat(AT_FDCWD, self, AT_FDCWD, sibling, AT_SYMLINK_FOLLOW) != 0)
        return errno;
    cause = settle(sibling, path, mode);
    if (cause != 0)
        (void)unlink(sibling);
    return cause;
}

/* Nobody counts on a new file that is told to have failed, and its name is wanted when it
 * is written again. Returns the cause. */
static int take_back(const char *path, enum psn_file_mode mode, int cause)
{
    if (mode == PSN_FILE_NEW)
        (void)unlink(path);
    return cause;
}

/* A file has no name until it is whole and durable, so that a kill leaves nothing behind.
 * ENOTSUP where the file system knows no nameless files. */
static int write_nameless(const char *path, const void *bytes, size_t size,
                          enum psn_file_mode mode)
{
    PSN_AUTO_FREE char *dir = psn_file_dir_of(path);
    char self[32];
    int cause;
    int fd;

    if (!dir)
        return ENOMEM;
    fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EISDIR || errno == EOPNOTSUPP || errno == EINVAL ? ENOTSUP
                                                                         : errno;
    (void)snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    cause = psn_file_write_fd(fd, bytes, size);
    if (cause == 0 && fsync(fd) != 0)
        cause = errno;
    if (cause == 0)
        cause = name_it(self, path, mode);
    if (close(fd) != 0 && cause == 0)
        cause = take_back(path, mode, errno);
    return cause;
}

enum psn_code psn_file_write(const char *path, const void *bytes, size_t size,
                             enum psn_file_mode mode, struct psn_error *err)
{
    enum psn_code rc = psn_beside_check(path, err);
    int cause;

    if (!rc && mode == PSN_FILE_REPLACE)
        rc = psn_beside_check_replaced(path, err);
    if (rc)
        return rc;
    cause = mode == PSN_FILE_HINT ? ENOTSUP : write_nameless(path, bytes, size, mode);
    if (cause == ENOTSUP)
        cause = write_sibling(path, bytes, size, mode);
    if (cause != 0)
        return psn_fail(err, psn_file_code(cause), _("cannot write '%s': %s"), path,
                        strerror(cause));
    if (mode != PSN_FILE_HINT)
        rc = psn_file_sync_dir_of(path, err);
    if (rc)
        (void)take_back(path, mode, 0);
    return rc;
}

enum psn_code psn_file_check_dir(const char *path, struct psn_error *err)
{
    struct stat info;
    enum psn_code rc = psn_beside_check_dash(path, err);

    if (rc)
        return rc;
    if (stat(path, &info) != 0)
        return psn_fail(err, psn_file_code(errno), _("the folder '%s': %s"), path,
                        strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return psn_fail(err, PSN_E_INVALID, _("'%s' is no folder"), path);
    if (access(path, W_OK | X_OK) != 0)
        return psn_fail(err, psn_file_code(errno), _("the folder '%s': %s"), path,
                        strerror(errno));
    return PSN_OK;
}

enum psn_code psn_file_check_new(const char *path, struct psn_error *err)
{
    PSN_AUTO_FREE char *dir = psn_file_dir_of(path);
    struct stat info;
    enum psn_code rc;

    if (!dir)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_beside_check(path, err);
    if (!rc && lstat(path, &info) == 0)
        rc = psn_fail(err, PSN_E_EXISTS, _("cannot write '%s': %s"), path,
                      strerror(EEXIST));
    return rc ? rc : psn_file_check_dir(dir, err);
}

static enum psn_code check_own_dir(const char *path, struct psn_error *err)
{
    char word[PSN_ERROR_HINT_MAX];
    struct stat info;

    if (lstat(path, &info) != 0)
        return psn_fail(err, psn_file_code(errno), _("cannot open folder '%s': %s"), path,
                        strerror(errno));
    if (!S_ISDIR(info.st_mode))
        return psn_fail(err, PSN_E_POLICY, _("'%s' is not a folder"), path);
    if (info.st_uid != geteuid() || (info.st_mode & 022) != 0) {
        (void)psn_fail(err, PSN_E_POLICY, _("others can write in the folder '%s'"), path);
        return psn_hint(err, PSN_E_POLICY,
                        _("choose a folder of your own, or: chmod 700 %s"),
                        psn_text_quoted(path, word, sizeof word));
    }
    return PSN_OK;
}

enum psn_code psn_file_make_dir(const char *path, struct psn_error *err)
{
    PSN_AUTO_FREE char *work = strdup(path);

    if (!work)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (char *at = work + 1; work[0]; at++) {
        char here = *at;

        if (here != '/' && here != '\0')
            continue;
        *at = '\0';
        if (mkdir(work, 0700) != 0 && errno != EEXIST && errno != EISDIR)
            return psn_fail(err, psn_file_code(errno), _("cannot create folder '%s': %s"),
                            work, strerror(errno));
        if (here == '\0')
            break;
        *at = here;
    }
    return check_own_dir(path, err);
}

/* The holder's line, as far as it is fit to be shown. */
static void read_holder(int fd, char *out, size_t size)
{
    char line[160] = "";
    ssize_t got = pread(fd, line, sizeof line - 1, 0);

    line[got > 0 ? got : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    (void)psn_text_shown(line, out, size);
}

/* The line only informs: a full disk must not stop who holds the lock, and no byte goes
 * into a file that has another name, too. */
static void write_holder(int fd, const char *what)
{
    struct stat info;
    char line[160];
    char now[PSN_TIME_SIZE];

    if (fstat(fd, &info) != 0 || info.st_nlink != 1)
        return;
    (void)snprintf(line, sizeof line, "pid %ld, since %s, %s", (long)getpid(),
                   psn_clock_format(psn_clock_now_s(), now), what);
    psn_text_cut_utf8(line);
    if (ftruncate(fd, 0) == 0)
        (void)!pwrite(fd, line, strlen(line), 0);
}

enum {
    LOCK_TRIES = 4,
    LOCK_PAUSE_MS = 25,
};

/* A lock on a file that was removed, or replaced, keeps nobody out. */
static bool is_named(int fd, const char *path)
{
    struct stat held;
    struct stat named;

    return fstat(fd, &held) == 0 && lstat(path, &named) == 0 &&
           held.st_ino == named.st_ino && held.st_dev == named.st_dev;
}

enum psn_code psn_file_lock(const char *path, const char *what,
                            struct psn_file_lock *lock, struct psn_error *err)
{
    PSN_AUTO_FD int fd =
        open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
    bool held;

    if (fd < 0)
        return psn_fail(err, psn_file_code(errno), _("cannot open the lock '%s': %s"),
                        path, strerror(errno));
    if (!is_regular(fd))
        return psn_fail(err, PSN_E_IO, _("'%s' is not a regular file"), path);
    held = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (!held && errno == EWOULDBLOCK) {
        char holder[256];

        read_holder(fd, holder, sizeof holder);
        (void)psn_fail(err, PSN_E_BUSY,
                       _("another passation is at work on this vault: %s"), holder);
        return psn_hint(err, PSN_E_BUSY, _("wait until it has finished, then try again"));
    }
    if (!held)
        return psn_fail(err, PSN_E_IO, _("cannot lock '%s': %s"), path, strerror(errno));
    if (!is_named(fd, path))
        return psn_fail(err, PSN_E_BUSY, _("cannot lock '%s': %s"), path,
                        strerror(ESTALE));
    write_holder(fd, what);
    lock->fd = PSN_TAKE_FD(fd); /* cppcheck-suppress unreadVariable; read at the end */
    return PSN_OK;
}

enum psn_code psn_file_lock_soon(const char *path, const char *what,
                                 struct psn_file_lock *lock, struct psn_error *err)
{
    enum psn_code rc = psn_file_lock(path, what, lock, err);

    for (int i = 1; rc == PSN_E_BUSY && i < LOCK_TRIES; i++) {
        psn_clock_sleep_ms(LOCK_PAUSE_MS);
        psn_error_clear(err);
        rc = psn_file_lock(path, what, lock, err);
    }
    return rc;
}

void psn_file_unlock(struct psn_file_lock *lock)
{
    if (lock->fd >= 0)
        (void)close(lock->fd);
    lock->fd = -1;
}
