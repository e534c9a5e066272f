#include "support/tmpdir.h"

#include <dirent.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

void tmpdir_make(struct tmpdir *dir)
{
    const char *root = getenv("TMPDIR");
    int length;

    *dir = (struct tmpdir){ 0 };
    length = snprintf(dir->path, sizeof dir->path, "%s/passation-test.XXXXXX",
                      root && *root ? root : "/tmp");
    assert_true(length > 0 && (size_t)length < sizeof dir->path);
    assert_non_null(mkdtemp(dir->path));
}

static int remove_entry(const char *path, const struct stat *info, int kind,
                        struct FTW *where)
{
    (void)info;
    (void)kind;
    (void)where;
    return remove(path);
}

void tmpdir_remove(struct tmpdir *dir)
{
    assert_int_equal(nftw(dir->path, remove_entry, 8, FTW_DEPTH | FTW_PHYS), 0);
}

const char *tmpdir_path(const struct tmpdir *dir, const char *name,
                        char out[TMPDIR_PATH_MAX])
{
    int length = snprintf(out, TMPDIR_PATH_MAX, "%s/%s", dir->path, name);

    assert_true(length > 0 && length < TMPDIR_PATH_MAX);
    return out;
}

size_t tmpdir_count(const struct tmpdir *dir)
{
    DIR *stream = opendir(dir->path);
    size_t count = 0;

    assert_non_null(stream);
    /* cppcheck-suppress readdirCalled; one thread */
    for (struct dirent *entry = readdir(stream); entry; entry = readdir(stream))
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            count++;
    (void)closedir(stream);
    return count;
}
