#include "support/crash_vfs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

enum {
    SECTOR = 512,
    FILES_MAX = 16
};

/* A sector that was changed since the file's last sync, as it was then. */
struct old_sector {
    struct old_sector *next;
    int64_t offset;
    uint8_t bytes[SECTOR];
};

/* A file by its name; several connections may have it open. */
struct file_log {
    char name[512];
    int64_t synced_size;
    struct old_sector *changed;
};

struct crash_file {
    sqlite3_file base;
    struct file_log *log; /* NULL: a file without a name */
    sqlite3_file *real;   /* lies behind this struct */
};

static struct {
    enum crash_mode mode;
    unsigned n;
    bool sticky;
    uint64_t random;
    unsigned count;
    bool fired;
    struct file_log files[FILES_MAX];
    sqlite3_vfs *real;
    sqlite3_vfs vfs;
    sqlite3_io_methods methods;
    sqlite3_io_methods methods_without_shm;
} crash;

/* ----------------------------------------------------------------- what was synced */

static struct file_log *log_of(const char *name)
{
    struct file_log *log = crash.files;
    struct stat info;

    while (log < crash.files + FILES_MAX - 1 && log->name[0] &&
           strcmp(log->name, name) != 0)
        log++;
    if (log->name[0] && strcmp(log->name, name) != 0)
        abort();
    if (!log->name[0]) {
        (void)snprintf(log->name, sizeof log->name, "%s", name);
        log->synced_size = stat(name, &info) == 0 ? info.st_size : 0;
    }
    return log;
}

static void forget(struct file_log *log)
{
    while (log->changed) {
        struct old_sector *next = log->changed->next;

        free(log->changed);
        log->changed = next;
    }
}

static void mark_synced(struct file_log *log)
{
    struct stat info;

    forget(log);
    log->synced_size = stat(log->name, &info) == 0 ? info.st_size : 0;
}

/* Remembers the sectors of a range as they are on the disk, unless it has already. */
static void remember(struct file_log *log, int64_t offset, int64_t size)
{
    int fd = open(log->name, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return;
    for (int64_t at = offset / SECTOR * SECTOR; at < offset + size; at += SECTOR) {
        struct old_sector *old = log->changed;

        while (old && old->offset != at)
            old = old->next;
        if (old)
            continue;
        old = calloc(1, sizeof *old);
        if (!old)
            abort();
        old->offset = at;
        (void)!pread(fd, old->bytes, SECTOR, at);
        old->next = log->changed;
        log->changed = old;
    }
    (void)close(fd);
}

static uint32_t draw(void)
{
    crash.random ^= crash.random << 13;
    crash.random ^= crash.random >> 7;
    crash.random ^= crash.random << 17;
    return (uint32_t)(crash.random >> 20);
}

/* Opens and closes descriptors of its own, which drops SQLite's locks: the process is
 * about to end. */
static void lose_unsynced(void)
{
    /* Seeds 1 and 2 are the extremes: everything lost, everything kept. */
    uint32_t always = crash.random == 1 ? 1 : 0;
    uint32_t never = crash.random == 2 ? 1 : 0;

    for (size_t i = 0; i < FILES_MAX && crash.files[i].name[0]; i++) {
        struct file_log *log = &crash.files[i];
        int fd = log->changed ? open(log->name, O_RDWR | O_CLOEXEC) : -1;
        struct stat info;

        if (fd < 0 || fstat(fd, &info) != 0)
            continue;
        for (struct old_sector *old = log->changed; old; old = old->next) {
            if (never || (!always && (draw() & 1)))
                continue;
            (void)!pwrite(fd, old->bytes, SECTOR, old->offset);
        }
        /* Never longer than it was when it was cut, or than it has become. */
        if (info.st_size > log->synced_size && (always || (!never && draw() % 4 == 0)))
            (void)!ftruncate(fd, log->synced_size);
        else
            (void)!ftruncate(fd, info.st_size);
        (void)close(fd);
    }
}

/* ----------------------------------------------------------------- the n-th operation */

/* Tells whether this operation fails; may not return. */
static bool strikes(bool takes_space)
{
    if (!crash.real)
        return false;
    if (crash.mode == CRASH_NONE) {
        crash.count++;
        return false;
    }
    if (crash.mode == CRASH_FULL && !takes_space)
        return false;
    crash.count++;
    if (crash.count < crash.n || (crash.count > crash.n && !crash.sticky))
        return false;
    crash.fired = true;
    if (crash.mode == CRASH_KILL)
        _exit(CRASH_STATUS);
    if (crash.mode == CRASH_POWER)
        return false;
    errno = crash.mode == CRASH_FULL ? ENOSPC : EIO;
    return true;
}

/* After an operation: a power cut strikes when its effect lies unsynced. */
static void cut_power_if_due(void)
{
    if (crash.mode != CRASH_POWER || !crash.fired)
        return;
    lose_unsynced();
    _exit(CRASH_STATUS);
}

void crash_vfs_cut_power(void)
{
    lose_unsynced();
    _exit(CRASH_STATUS_AT_END);
}

void crash_vfs_arm(enum crash_mode mode, unsigned n, bool sticky, uint64_t seed)
{
    crash.mode = mode;
    crash.n = n;
    crash.sticky = sticky;
    crash.random = seed;
    crash.count = 0;
    crash.fired = false;
}

void crash_vfs_disarm(void)
{
    crash.mode = CRASH_NONE;
}

unsigned crash_vfs_count(void)
{
    return crash.count;
}

bool crash_vfs_fired(void)
{
    return crash.fired;
}

/* ----------------------------------------------------------------- files */

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct crash_file *)file)->real;
}

static struct file_log *log_in(sqlite3_file *file)
{
    return ((struct crash_file *)file)->log;
}

static int on_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int on_read(sqlite3_file *file, void *bytes, int size, sqlite3_int64 offset)
{
    return real_of(file)->pMethods->xRead(real_of(file), bytes, size, offset);
}

static int on_write(sqlite3_file *file, const void *bytes, int size, sqlite3_int64 offset)
{
    int status;

    if (!log_in(file))
        return real_of(file)->pMethods->xWrite(real_of(file), bytes, size, offset);
    if (strikes(true))
        return crash.mode == CRASH_FULL ? SQLITE_FULL : SQLITE_IOERR_WRITE;
    remember(log_in(file), offset, size);
    status = real_of(file)->pMethods->xWrite(real_of(file), bytes, size, offset);
    cut_power_if_due();
    return status;
}

static int on_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct stat info;
    int status;

    if (!log_in(file))
        return real_of(file)->pMethods->xTruncate(real_of(file), size);
    if (strikes(false))
        return SQLITE_IOERR_TRUNCATE;
    if (stat(log_in(file)->name, &info) == 0 && info.st_size > size)
        remember(log_in(file), size, info.st_size - size);
    status = real_of(file)->pMethods->xTruncate(real_of(file), size);
    cut_power_if_due();
    return status;
}

static int on_sync(sqlite3_file *file, int flags)
{
    int status;

    if (!log_in(file))
        return real_of(file)->pMethods->xSync(real_of(file), flags);
    if (strikes(false))
        return SQLITE_IOERR_FSYNC;
    cut_power_if_due();
    status = real_of(file)->pMethods->xSync(real_of(file), flags);
    mark_synced(log_in(file));
    return status;
}

static int on_file_size(sqlite3_file *file, sqlite3_int64 *size)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), size);
}

static int on_lock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xLock(real_of(file), lock);
}

static int on_unlock(sqlite3_file *file, int lock)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), lock);
}

static int on_check_reserved(sqlite3_file *file, int *result)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), result);
}

static int on_control(sqlite3_file *file, int operation, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), operation, argument);
}

static int on_sector_size(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int on_characteristics(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int on_shm_map(sqlite3_file *file, int page, int size, int extend,
                      void volatile **address)
{
    return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, address);
}

static int on_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
    return real_of(file)->pMethods->xShmLock(real_of(file), offset, count, flags);
}

static void on_shm_barrier(sqlite3_file *file)
{
    real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int on_shm_unmap(sqlite3_file *file, int remove_file)
{
    return real_of(file)->pMethods->xShmUnmap(real_of(file), remove_file);
}

/* ----------------------------------------------------------------- names */

static int on_open(sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags,
                   int *ret_flags)
{
    struct crash_file *opened = (struct crash_file *)file;
    int status;

    (void)vfs;
    opened->base.pMethods = NULL;
    opened->real = (sqlite3_file *)(void *)(opened + 1);
    if (name && (flags & SQLITE_OPEN_CREATE) && access(name, F_OK) != 0 && strikes(true))
        return SQLITE_CANTOPEN;
    status = crash.real->xOpen(crash.real, name, opened->real, flags, ret_flags);
    cut_power_if_due();
    if (!opened->real->pMethods)
        return status;
    opened->base.pMethods =
        opened->real->pMethods->iVersion > 1 && opened->real->pMethods->xShmMap
            ? &crash.methods
            : &crash.methods_without_shm;
    opened->log = name ? log_of(name) : NULL;
    return status;
}

static int on_delete(sqlite3_vfs *vfs, const char *name, int sync_dir)
{
    int status;

    (void)vfs;
    if (strikes(false))
        return SQLITE_IOERR_DELETE;
    status = crash.real->xDelete(crash.real, name, sync_dir);
    mark_synced(log_of(name));
    cut_power_if_due();
    return status;
}

void crash_vfs_install(void)
{
    static const sqlite3_io_methods methods = {
        .iVersion = 2,
        .xClose = on_close,
        .xRead = on_read,
        .xWrite = on_write,
        .xTruncate = on_truncate,
        .xSync = on_sync,
        .xFileSize = on_file_size,
        .xLock = on_lock,
        .xUnlock = on_unlock,
        .xCheckReservedLock = on_check_reserved,
        .xFileControl = on_control,
        .xSectorSize = on_sector_size,
        .xDeviceCharacteristics = on_characteristics,
        .xShmMap = on_shm_map,
        .xShmLock = on_shm_lock,
        .xShmBarrier = on_shm_barrier,
        .xShmUnmap = on_shm_unmap,
    };

    crash.real = sqlite3_vfs_find(NULL);
    crash.methods = methods;
    crash.methods_without_shm = methods;
    crash.methods_without_shm.iVersion = 1;
    crash.vfs = *crash.real;
    crash.vfs.zName = "crash";
    crash.vfs.pNext = NULL;
    crash.vfs.szOsFile = (int)sizeof(struct crash_file) + crash.real->szOsFile;
    crash.vfs.xOpen = on_open;
    crash.vfs.xDelete = on_delete;
    (void)sqlite3_vfs_register(&crash.vfs, 1);
}

/* ----------------------------------------------------------------- system calls */

int __real_link(const char *from, const char *to);
int __real_rename(const char *from, const char *to);
int __real_unlink(const char *name);
int __real_fsync(int fd);
ssize_t __real_pwrite(int fd, const void *bytes, size_t size, off_t at);
int __wrap_link(const char *from, const char *to);
int __wrap_rename(const char *from, const char *to);
int __wrap_unlink(const char *name);
int __wrap_fsync(int fd);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t at);

/* The wrapped calls of a process without the VFS pass. */

/* What is known of `from` holds for `to` from now on. */
static void move_log(const char *from, const char *to)
{
    struct file_log *source;
    struct file_log *target;

    if (!crash.real)
        return;
    source = log_of(from);
    target = log_of(to);
    forget(target);
    target->changed = source->changed;
    target->synced_size = source->synced_size;
    source->changed = NULL;
    source->synced_size = 0;
}

int __wrap_link(const char *from, const char *to)
{
    int result = strikes(true) ? -1 : __real_link(from, to);

    if (result == 0)
        move_log(from, to);
    cut_power_if_due();
    return result;
}

int __wrap_rename(const char *from, const char *to)
{
    int result = strikes(true) ? -1 : __real_rename(from, to);

    if (result == 0)
        move_log(from, to);
    cut_power_if_due();
    return result;
}

int __wrap_unlink(const char *name)
{
    int result = strikes(false) ? -1 : __real_unlink(name);

    if (result == 0 && crash.real)
        mark_synced(log_of(name));
    cut_power_if_due();
    return result;
}

int __wrap_fsync(int fd)
{
    char link[64];
    char name[512];
    ssize_t size;
    int result;

    if (strikes(false))
        return -1;
    cut_power_if_due();
    result = __real_fsync(fd);
    (void)snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    size = readlink(link, name, sizeof name - 1);
    if (result == 0 && size > 0 && crash.real) {
        name[size] = '\0';
        mark_synced(log_of(name));
    }
    return result;
}

/* Only files without a name are written to like that, so a power cut has nothing to undo.
 */
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    ssize_t result = strikes(true) ? -1 : __real_pwrite(fd, bytes, size, at);

    cut_power_if_due();
    return result;
}
