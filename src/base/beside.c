#include "base/beside.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/i18n.h"

/* Some folders take "VAULT.DB-WAL" for the same name. */
static bool ends_in(const char *path, size_t size, const char *tail)
{
    size_t tail_size = strlen(tail);

    return size > tail_size && strcasecmp(path + size - tail_size, tail) == 0;
}

enum psn_code psn_beside_check_dash(const char *path, struct psn_error *err)
{
    if (strcmp(path, "-") != 0)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_INVALID,
                   _("this goes to a path of its own, not to standard output ('-')"));
    return psn_hint(err, PSN_E_INVALID, _("for a file of that name, write ./-"));
}

enum psn_code psn_beside_check(const char *path, struct psn_error *err)
{
    static const char *const tails[] = { PSN_BESIDE_WAL,     PSN_BESIDE_SHM,
                                         PSN_BESIDE_JOURNAL, PSN_BESIDE_LOCK,
                                         PSN_BESIDE_DRAFT,   PSN_BESIDE_STAGED,
                                         PSN_BESIDE_STAGED_2 };
    size_t size = strlen(path);
    enum psn_code rc = psn_beside_check_dash(path, err);

    if (rc)
        return rc;
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        PSN_AUTO_FREE char *owner = NULL;
        struct stat info;

        if (!ends_in(path, size, tails[i]))
            continue;
        owner = strndup(path, size - strlen(tails[i]));
        if (!owner)
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        if (stat(owner, &info) != 0 || !S_ISREG(info.st_mode))
            continue;
        (void)psn_fail(err, PSN_E_INVALID,
                       _("nothing may be written to '%s': the name belongs to '%s'"),
                       path, owner);
        return psn_hint(err, PSN_E_INVALID, _("give another name"));
    }
    return PSN_OK;
}

enum psn_code psn_beside_check_ordinary(const char *path, struct psn_error *err)
{
    struct stat info;

    if (stat(path, &info) != 0 || S_ISREG(info.st_mode) || S_ISDIR(info.st_mode))
        return PSN_OK;
    (void)psn_fail(err, PSN_E_INVALID,
                   _("'%s' is not a regular file: it is not replaced"), path);
    return psn_hint(err, PSN_E_INVALID, _("give another name"));
}

/* A link is replaced itself, and not what it leads to. */
static bool is_database(const char *path)
{
    static const char mark[] = "SQLite format 3";
    PSN_AUTO_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    char head[sizeof mark];

    return fd >= 0 && read(fd, head, sizeof head) == (ssize_t)sizeof head &&
           memcmp(head, mark, sizeof head) == 0;
}

enum psn_code psn_beside_check_replaced(const char *path, struct psn_error *err)
{
    enum psn_code rc = psn_beside_check_ordinary(path, err);

    if (rc || !is_database(path))
        return rc;
    (void)psn_fail(err, PSN_E_INVALID, _("'%s' is a vault: it is not replaced"), path);
    return psn_hint(err, PSN_E_INVALID, _("give another name"));
}
