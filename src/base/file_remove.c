#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

static void remove_files(int folder)
{
    DIR *stream = fdopendir(folder);
    const struct dirent *entry;

    if (!stream) {
        (void)close(folder);
        return;
    }
    while ((entry = readdir(stream)) != NULL) {
        int inner;

        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(folder, entry->d_name, 0) == 0)
            continue;
        inner = openat(folder, entry->d_name,
                       O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inner < 0)
            continue;
        remove_files(inner);
        (void)unlinkat(folder, entry->d_name, AT_REMOVEDIR);
    }
    (void)closedir(stream);
}

void psn_file_remove_tree(const char *path)
{
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (folder < 0)
        return;
    remove_files(folder);
    (void)rmdir(path);
}
