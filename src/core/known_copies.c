#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/i18n.h"
#include "core/backup.h"
#include "core/doctor.h"
#include "core/journal.h"
#include "core/vault.h"
#include "passation/destruction.h"

/*
 * Where other copies of the vault may lie: the journal names each backup, and the vault's
 * folder is looked through. What was copied by hand to elsewhere nobody here knows.
 */
enum {
    HEAD_SIZE = 72,      /* of a database, up to the application's id … */
    APPLICATION_AT = 68, /* … which stands here, big end first */
};

bool psn_is_a_vault_file(const char *path)
{
    PSN_AUTO_FD int fd = -1;
    uint8_t head[HEAD_SIZE];

    return !psn_file_open(path, &fd, NULL) &&
           read(fd, head, sizeof head) == (ssize_t)sizeof head &&
           memcmp(head, "SQLite format 3", 16) == 0 &&
           memcmp(head + APPLICATION_AT, "PSN1", 4) == 0;
}

struct collecting {
    struct psn_known_copy *copies;
    size_t count;
    size_t room;
    const char *vault;
    bool failed; /* no memory */
};

static void add(struct collecting *at, const char *path, int64_t noted_s)
{
    struct psn_known_copy *copy;

    for (size_t i = 0; i < at->count; i++)
        if (strcmp(at->copies[i].path, path) == 0) {
            if (noted_s > at->copies[i].noted_s)
                at->copies[i].noted_s = noted_s;
            return;
        }
    if (at->count == at->room) {
        size_t room = at->room ? 2 * at->room : 8;
        void *copies = realloc(at->copies, room * sizeof *at->copies);

        at->failed = at->failed || !copies;
        if (!copies)
            return;
        at->copies = copies;
        at->room = room;
    }
    copy = &at->copies[at->count++];
    (void)snprintf(copy->path, sizeof copy->path, "%s", path);
    copy->noted_s = noted_s;
}

static bool is_vault(const struct collecting *at, const char *path)
{
    struct stat vault;
    struct stat info;

    return stat(path, &info) == 0 && stat(at->vault, &vault) == 0 &&
           vault.st_ino == info.st_ino && vault.st_dev == info.st_dev;
}

static enum psn_code note_backup(void *arg, const struct psn_journal_entry *entry,
                                 struct psn_error *err)
{
    struct collecting *at = arg;

    (void)err;
    /* The first event is of earlier versions. */
    if (entry->text[0] && !is_vault(at, entry->text) &&
        (strcmp(entry->event, "vault.backed-up") == 0 ||
         strcmp(entry->event, PSN_BACKUP_CHECKED) == 0))
        add(at, entry->text, entry->time_s);
    return PSN_OK;
}

/* What a crash has left of a log is no database, and holds rows all the same. */
static bool is_log(const struct collecting *at, const char *path)
{
    const char *dash = strrchr(path, '-');
    size_t size = strlen(at->vault);
    bool is_named_so = strncmp(path, at->vault, size) == 0 && path[size] == '.';

    return is_named_so && dash &&
           (strcmp(dash, "-wal") == 0 || strcmp(dash, "-journal") == 0);
}

static void look_at_file(void *arg, const char *path)
{
    struct collecting *at = arg;
    struct stat info;

    if (stat(path, &info) != 0 || info.st_size == 0 || is_vault(at, path))
        return;
    /* One that cannot be read may be anything: it is told as that. */
    if (is_log(at, path) || access(path, R_OK) != 0 || psn_is_a_vault_file(path))
        add(at, path, 0);
}

static int newest_first(const void *a, const void *b)
{
    const struct psn_known_copy *left = a;
    const struct psn_known_copy *right = b;

    if (left->noted_s != right->noted_s)
        return left->noted_s < right->noted_s ? 1 : -1;
    return strcmp(left->path, right->path);
}

enum psn_code psn_known_copies(struct psn_vault *vault,
                               struct psn_known_copy **ret_copies, size_t *ret_count,
                               struct psn_error *err)
{
    PSN_AUTO_FREE char *path = realpath(vault->path, NULL);
    PSN_AUTO_FREE char *folder = path ? psn_file_dir_of(path) : NULL;
    struct collecting at = { .vault = path };
    enum psn_code rc;

    if (!folder)
        return psn_fail(err, PSN_E_IO, _("cannot find the folder of '%s'"), vault->path);
    rc = psn_journal_each(vault, "", 0, note_backup, &at, err);
    if (!rc)
        rc = psn_doctor_each_file(folder, look_at_file, &at, err);
    if (!rc && at.failed)
        rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (rc) {
        free(at.copies);
        return rc;
    }
    if (at.count > 1)
        qsort(at.copies, at.count, sizeof *at.copies, newest_first);
    *ret_copies = at.copies;
    *ret_count = at.count;
    return PSN_OK;
}
