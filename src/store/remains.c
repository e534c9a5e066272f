#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/i18n.h"
#include "store/internal.h"

/*
 * The bytes of a file that has lost its name. Whoever wants them gone has to hold the
 * file open while it still has one, and can then write over them; a kill before that
 * leaves blocks that nothing names and nothing can reach any more.
 *
 * Only what nobody else names is written over: a file with a second name is somebody's
 * backup. What a file system shares or keeps of a block (clones, snapshots, flash cells)
 * is out of reach from here.
 *
 * Closing a descriptor of a database drops every lock that SQLite holds on it in this
 * process. So the database's own is opened when it is locked for us alone, and closed
 * after SQLite's; a log has no locks.
 */
enum {
    CHUNK = 64 * 1024
};

struct psn_remains psn_remains_init(void)
{
    return (struct psn_remains){ .fd = -1 };
}

void psn_remains_release(struct psn_remains *remains)
{
    if (remains->fd >= 0)
        (void)close(remains->fd);
    *remains = psn_remains_init();
}

enum psn_code psn_remains_hold(const char *file, struct psn_remains *ret_remains,
                               struct psn_error *err)
{
    struct psn_remains remains = psn_remains_init();
    struct stat info;

    remains.fd = open(file, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (remains.fd < 0 && errno == ENOENT)
        return PSN_OK;
    if (remains.fd < 0 || fstat(remains.fd, &info) != 0) {
        enum psn_code rc = psn_file_code(errno);

        (void)psn_fail(err, rc, _("cannot open '%s': %s"), file, strerror(errno));
        psn_remains_release(&remains);
        return rc;
    }
    remains.is_shared = info.st_nlink > 1;
    psn_remains_release(ret_remains);
    *ret_remains = remains;
    return PSN_OK;
}

static bool write_chunk(int fd, const uint8_t *bytes, size_t size, off_t at)
{
    for (size_t done = 0; done < size;) {
        ssize_t wrote = pwrite(fd, bytes + done, size - done, at + (off_t)done);

        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote <= 0)
            return false;
        done += (size_t)wrote;
    }
    return true;
}

/* Random bytes, as zeros may become holes. */
static bool fill_random(uint8_t *bytes, size_t size)
{
    for (size_t done = 0; done < size;) {
        ssize_t got = getrandom(bytes + done, size - done, 0);

        if (got < 0 && errno != EINTR)
            return false;
        done += got > 0 ? (size_t)got : 0;
    }
    return true;
}

bool psn_remains_overwrite(struct psn_remains *remains, uint64_t *ret_bytes)
{
    uint8_t chunk[CHUNK];
    struct stat info;

    *ret_bytes = 0;
    if (remains->fd < 0)
        return true;
    if (remains->is_shared || fstat(remains->fd, &info) != 0 || info.st_nlink != 0)
        return false;
    for (off_t at = 0; at < info.st_size; at += CHUNK) {
        size_t size =
            info.st_size - at < CHUNK ? (size_t)(info.st_size - at) : (size_t)CHUNK;

        if (!fill_random(chunk, size) || !write_chunk(remains->fd, chunk, size, at))
            return false;
    }
    if (fsync(remains->fd) != 0)
        return false;
    *ret_bytes = (uint64_t)info.st_size;
    return true;
}
