#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/i18n.h"
#include "store/internal.h"

/*
 * Where database files lie and how they get there. A database is whole or absent: it is
 * made under a random name beside its place, and named when it is done.
 *
 * A WAL belongs to its database by name alone. One that is left over from another
 * database would be taken for the new one's and ruin it, so a place with such a leftover
 * is not free, and nothing that might be the last copy of something is deleted here
 * unasked.
 */
static const char *const beside[] = { "-wal", "-shm", "-journal" };

char *psn_place_beside(const char *file, const char *suffix)
{
    size_t size = strlen(file) + strlen(suffix) + 1;
    char *name = malloc(size);

    if (name)
        (void)snprintf(name, size, "%s%s", file, suffix);
    return name;
}

enum psn_code psn_place_resolve(const char *path, char **ret_file, struct psn_error *err)
{
    PSN_AUTO_FREE char *dir = psn_file_dir_of(path);
    PSN_AUTO_FREE char *real = NULL;
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    size_t size;
    char *file;

    if (!dir)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (!base[0] || strcmp(base, ".") == 0 || strcmp(base, "..") == 0)
        return psn_fail(err, PSN_E_INVALID, _("'%s' is not the name of a file"), path);
    real = realpath(dir, NULL);
    if (!real)
        return psn_fail(err, psn_file_code(errno), _("cannot open the folder '%s': %s"),
                        dir, strerror(errno));
    size = strlen(real) + strlen(base) + 2;
    file = malloc(size);
    if (!file)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    (void)snprintf(file, size, "%s/%s", strcmp(real, "/") == 0 ? "" : real, base);
    *ret_file = file;
    return PSN_OK;
}

enum psn_code psn_place_make(const char *file, struct psn_error *err)
{
    int fd = open(file, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    /* A umask can only have taken rights away: SQLite must be able to open it again. */
    if (fd < 0 || fchmod(fd, 0600) != 0) {
        enum psn_code code = psn_file_code(errno);

        (void)psn_fail(err, code, _("cannot create '%s': %s"), file, strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
            (void)unlink(file);
        }
        return code;
    }
    (void)close(fd);
    return PSN_OK;
}

enum psn_code psn_place_sibling(const char *file, char **ret_sibling,
                                struct psn_error *err)
{
    PSN_AUTO_FREE char *name = NULL;
    char suffix[18];
    uint64_t random;
    enum psn_code rc;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return psn_fail(err, PSN_E_IO, _("no random numbers: %s"), strerror(errno));
    (void)snprintf(suffix, sizeof suffix, ".%016llx", (unsigned long long)random);
    name = psn_place_beside(file, suffix);
    if (!name)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_place_make(name, err);
    if (rc)
        return rc;
    *ret_sibling = PSN_TAKE(name);
    return PSN_OK;
}

bool psn_place_has_wal(const char *file)
{
    PSN_AUTO_FREE char *wal = psn_place_beside(file, "-wal");
    struct stat info;

    return wal && lstat(wal, &info) == 0 && info.st_size > 0;
}

enum psn_code psn_place_check_free(const char *file, struct psn_error *err)
{
    struct stat info;

    if (lstat(file, &info) == 0)
        return psn_fail(err, PSN_E_EXISTS, _("'%s' exists already"), file);
    if (errno != ENOENT)
        return psn_fail(err, psn_file_code(errno), _("cannot open '%s': %s"), file,
                        strerror(errno));
    if (!psn_place_has_wal(file))
        return PSN_OK;
    (void)psn_fail(err, PSN_E_EXISTS,
                   _("'%s-wal' is left over from a vault that was here"), file);
    return psn_hint(err, PSN_E_EXISTS, _("move it away, then try again"));
}

enum psn_code psn_place_publish(const char *sibling, const char *file,
                                struct psn_error *err)
{
    if (link(sibling, file) != 0)
        return psn_fail(err, psn_file_code(errno), _("cannot create '%s': %s"), file,
                        strerror(errno));
    (void)unlink(sibling);
    return psn_file_sync_dir_of(file, err);
}

void psn_place_remove_beside(const char *file)
{
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        PSN_AUTO_FREE char *name = psn_place_beside(file, beside[i]);

        if (name)
            (void)unlink(name);
    }
}

void psn_place_remove(const char *file)
{
    (void)unlink(file);
    psn_place_remove_beside(file);
}

bool psn_place_has_beside(const char *file)
{
    bool found = false;

    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        PSN_AUTO_FREE char *name = psn_place_beside(file, beside[i]);
        struct stat info;

        found = found || !name || lstat(name, &info) == 0;
    }
    return found;
}
