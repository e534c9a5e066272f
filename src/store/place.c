#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/beside.h"
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
static const char *const beside[] = { PSN_BESIDE_WAL, PSN_BESIDE_SHM,
                                      PSN_BESIDE_JOURNAL };

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

/* --- a sibling: where a database grows until it gets its name --- */

enum {
    RANDOM_DIGITS = 16,
};

/* A name that nobody chooses: what has it may be removed. */
static const char mark[] = ".passation-";

/* "vault.db.passation-0123456789abcdef" beside "vault.db". */
static bool is_sibling(const char *name, const char *base)
{
    size_t size = strlen(base);
    const char *digits = name + size + sizeof mark - 1;

    return strncmp(name, base, size) == 0 &&
           strncmp(name + size, mark, sizeof mark - 1) == 0 &&
           strlen(digits) == RANDOM_DIGITS &&
           strspn(digits, "0123456789abcdef") == RANDOM_DIGITS;
}

/* "vault.db.before-restore-20261129T171943Z" */
static bool is_kept(const char *name, const char *base)
{
    static const char kept[] = ".before-restore-";
    size_t size = strlen(base);

    return strncmp(name, base, size) == 0 &&
           strncmp(name + size, kept, sizeof kept - 1) == 0;
}

/* What a restore calls its copy before that is the vault. */
static bool is_staged(const char *name, const char *base)
{
    size_t size = strlen(base);

    return strncmp(name, base, size) == 0 &&
           (strcmp(name + size, PSN_BESIDE_STAGED) == 0 ||
            strcmp(name + size, PSN_BESIDE_STAGED_2) == 0);
}

/* On NFS and SMB flock() locks bytes, and SQLite would be kept out by ourselves: there
 * nothing is claimed, and so nothing taken for abandoned. */
static bool mixes_locks(int fd)
{
    struct statfs info;

    if (fstatfs(fd, &info) != 0)
        return true;
    switch ((uint32_t)info.f_type) {
    case NFS_SUPER_MAGIC:
    case SMB_SUPER_MAGIC:
    case CIFS_SUPER_MAGIC:
    case 0xfe534d42: /* SMB 2, unnamed there */
        return true;
    default:
        return false;
    }
}

/* Removes what a run that was cut off has left. Nobody was ever told of it, and it is
 * whole nowhere else than under its final name, too. Who still works on one holds its
 * claim. */
static void remove_if_abandoned(const char *sibling)
{
    PSN_AUTO_FD int fd = -1;
    struct stat info;

    if (lstat(sibling, &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != geteuid())
        return;
    /* Named already: opening it would cost SQLite its locks on the other name. */
    if (info.st_nlink == 1) {
        fd = open(sibling, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || mixes_locks(fd) || flock(fd, LOCK_EX | LOCK_NB) != 0)
            return;
    }
    psn_place_remove_beside(sibling);
    (void)unlink(sibling);
}

static void remove_abandoned(const char *file)
{
    PSN_AUTO_FREE char *folder = psn_file_dir_of(file);
    DIR *stream = folder ? opendir(folder) : NULL;
    const char *slash = strrchr(file, '/');
    size_t base = slash ? (size_t)(slash - file) + 1 : 0;
    struct dirent *entry;

    if (!stream)
        return;
    while ((entry = readdir(stream)) != NULL) {
        PSN_AUTO_FREE char *path = NULL;

        if (!is_sibling(entry->d_name, file + base))
            continue;
        path = psn_place_beside(file, entry->d_name + strlen(file + base));
        if (path)
            remove_if_abandoned(path);
    }
    (void)closedir(stream);
}

/* Locked before anybody can have taken it for abandoned, or not ours any more. */
static enum psn_code claim(const char *sibling, int *ret_claim, struct psn_error *err)
{
    int fd = open(sibling, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    struct stat info;
    enum psn_code rc = PSN_OK;

    /* Some file systems know no locks: there nothing is taken for abandoned either. Who
     * has it locked has just taken it for abandoned, and removes it. */
    if (fd >= 0 && !mixes_locks(fd) && flock(fd, LOCK_EX | LOCK_NB) != 0 &&
        errno == EWOULDBLOCK)
        rc = psn_fail(err, PSN_E_BUSY, _("cannot create '%s': %s"), sibling,
                      strerror(EWOULDBLOCK));
    else if (fd < 0 || fstat(fd, &info) != 0 || info.st_nlink == 0)
        rc = psn_fail(err, PSN_E_IO, _("cannot create '%s': %s"), sibling,
                      strerror(fd < 0 ? errno : ENOENT));
    if (rc)
        psn_place_unclaim(&fd);
    else
        *ret_claim = fd;
    return rc;
}

enum psn_code psn_place_sibling(const char *file, char **ret_sibling, int *ret_claim,
                                struct psn_error *err)
{
    PSN_AUTO_FREE char *name = NULL;
    char suffix[sizeof mark + RANDOM_DIGITS];
    uint64_t random;
    enum psn_code rc;

    if (getrandom(&random, sizeof random, 0) != (ssize_t)sizeof random)
        return psn_fail(err, PSN_E_IO, _("no random numbers: %s"), strerror(errno));
    remove_abandoned(file);
    (void)snprintf(suffix, sizeof suffix, "%s%016llx", mark, (unsigned long long)random);
    name = psn_place_beside(file, suffix);
    if (!name)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_place_make(name, err);
    if (rc)
        return rc;
    rc = claim(name, ret_claim, err);
    if (rc) {
        (void)unlink(name);
        return rc;
    }
    *ret_sibling = PSN_TAKE(name);
    return PSN_OK;
}

void psn_place_unclaim(int *claim)
{
    if (*claim >= 0)
        (void)close(*claim);
    *claim = -1;
}

bool psn_place_has_wal(const char *file)
{
    PSN_AUTO_FREE char *wal = psn_place_beside(file, PSN_BESIDE_WAL);
    struct stat info;

    return wal && lstat(wal, &info) == 0 && info.st_size > 0;
}

/* SQLite opens them by their names, waits for who writes a pipe, writes to whatever
 * file it finds there, and takes what is in it for its own. */
enum psn_code psn_place_check_beside(const char *file, struct psn_error *err)
{
    struct stat info;
    struct stat vault;
    bool is_there = lstat(file, &vault) == 0;
    uid_t owner = is_there ? vault.st_uid : geteuid();
    bool is_shared = is_there && (vault.st_mode & S_IWGRP) != 0;

    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        PSN_AUTO_FREE char *name = psn_place_beside(file, beside[i]);

        if (!name)
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        if (lstat(name, &info) != 0 ||
            (S_ISREG(info.st_mode) && info.st_nlink == 1 &&
             (info.st_uid == owner || info.st_uid == geteuid() ||
              (is_shared && info.st_gid == vault.st_gid))))
            continue;
        (void)psn_fail(err, PSN_E_POLICY,
                       _("'%s' is not the vault's own: it was put there"), name);
        return psn_hint(err, PSN_E_POLICY,
                        _("see who can write in that folder, and move it away"));
    }
    return PSN_OK;
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
        return psn_place_check_beside(file, err);
    (void)psn_fail(err, PSN_E_EXISTS,
                   _("'%s-wal' is left over from a vault that was here"), file);
    return psn_hint(err, PSN_E_EXISTS, _("move it away, then try again"));
}

enum psn_code psn_place_publish(const char *sibling, const char *file,
                                struct psn_error *err)
{
    enum psn_code rc;

    if (link(sibling, file) != 0)
        return psn_fail(err, psn_file_code(errno), _("cannot create '%s': %s"), file,
                        strerror(errno));
    (void)unlink(sibling);
    rc = psn_file_sync_dir_of(file, err);
    if (rc) /* it was told to have failed, and nobody was told of the file */
        (void)unlink(file);
    return rc;
}

/* --- second names of the vault's file --- */

static bool is_own_name(const char *name, const char *base)
{
    return is_sibling(name, base) || is_kept(name, base) || is_staged(name, base);
}

/* How many names the file has that we gave it, besides its own; with drop, had. */
static size_t own_second_names(const char *path, const struct stat *vault, bool drop)
{
    PSN_AUTO_FREE char *folder = psn_file_dir_of(path);
    const char *slash = strrchr(path, '/');
    const char *base = slash ? slash + 1 : path;
    DIR *dir = folder ? opendir(folder) : NULL;
    struct dirent *entry;
    size_t count = 0;

    while (dir && (entry = readdir(dir))) {
        struct stat info;

        if (!is_own_name(entry->d_name, base) ||
            fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) != 0 ||
            info.st_ino != vault->st_ino || info.st_dev != vault->st_dev)
            continue;
        count++;
        if (drop)
            (void)unlinkat(dirfd(dir), entry->d_name, 0);
    }
    if (dir)
        (void)closedir(dir);
    return count;
}

void psn_store_drop_second_names(const char *path)
{
    struct stat info;

    if (lstat(path, &info) == 0 && S_ISREG(info.st_mode) && info.st_nlink > 1)
        (void)own_second_names(path, &info, true);
}

/* The names that a restore or a new vault gives are ours, also after a kill, and nobody
 * writes under them. One may go between two looks. */
enum psn_code psn_place_check_names(const char *file, struct psn_error *err)
{
    struct stat info;
    size_t own;

    if (lstat(file, &info) != 0 || info.st_nlink < 2)
        return PSN_OK;
    own = own_second_names(file, &info, false);
    if (lstat(file, &info) != 0 || info.st_nlink <= 1 + own)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_IO,
                   _("'%s' has a second name (a hard link), and is not opened: what is "
                     "written under the one name is lost under the other"),
                   file);
    return psn_hint(
        err, PSN_E_IO,
        _("find it: find / -xdev -samefile VAULT; make the vault a file of its "
          "own: cp -p VAULT VAULT.new && mv VAULT.new VAULT"));
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

enum psn_code psn_place_check_closed(const char *file, struct psn_error *err)
{
    PSN_AUTO_FREE char *wal = psn_place_beside(file, PSN_BESIDE_WAL);
    struct stat info;

    if (!wal)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (lstat(wal, &info) == 0 && info.st_size > 0)
        return psn_fail(err, PSN_E_IO, _("'%s' was not closed"), file);
    return PSN_OK;
}

enum psn_code psn_place_clear_beside(const char *file, struct psn_error *err)
{
    struct stat info;

    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++) {
        PSN_AUTO_FREE char *name = psn_place_beside(file, beside[i]);

        if (!name)
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        (void)unlink(name);
        if (lstat(name, &info) == 0)
            return psn_fail(err, PSN_E_IO, _("cannot remove '%s'"), name);
    }
    return PSN_OK;
}
