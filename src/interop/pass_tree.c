#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/file.h"
#include "base/i18n.h"
#include "base/text.h"
#include "crypto/secret.h"
#include "interop/foreign.h"

/* A folder of encrypted files, one an entry, folders in folders. */

struct tree {
    const char *suffix;
    psn_tree_open_fn *open;
    void *open_arg;
    psn_foreign_fn *each;
    void *arg;
    struct psn_error *err;
    struct psn_buf path; /* below the root, "/" between */
    struct psn_foreign_draft draft;
    size_t names; /* of files and folders, so far */
    size_t total; /* bytes of all texts, so far */
    size_t depth;
};

static enum psn_code read_folder(struct tree *tree, int fd);

/* ---- an entry ---- */

static bool ends_with(const char *name, const char *suffix)
{
    size_t size = strlen(name);

    return size > strlen(suffix) && strcmp(name + size - strlen(suffix), suffix) == 0;
}

static void name_entry(struct tree *tree, const char *name)
{
    const char *path = psn_buf_str(&tree->path);
    size_t size = strlen(name);

    if (ends_with(name, tree->suffix))
        size -= strlen(tree->suffix);
    psn_foreign_draft_begin(&tree->draft, 0);
    psn_foreign_draft_put(&tree->draft, PSN_FOREIGN_GROUP, path, strlen(path));
    psn_foreign_draft_put(&tree->draft, PSN_FOREIGN_TITLE, name, size);
}

/* A failure that is this entry's alone. */
static bool is_problem(enum psn_code rc)
{
    return rc == PSN_E_DENIED || rc == PSN_E_INVALID || rc == PSN_E_INTEGRITY ||
           rc == PSN_E_LIMIT;
}

static enum psn_code open_entry(struct tree *tree, int folder, const char *name,
                                struct psn_secret **ret_text, struct psn_error *why)
{
    PSN_AUTO_FD int fd =
        openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    struct stat info;

    if (fd < 0 && errno == ELOOP)
        return psn_fail(why, PSN_E_INVALID, _("it is a link, which is not followed"));
    if (fd < 0 || fstat(fd, &info) != 0)
        return psn_fail(why, psn_file_code(errno), _("cannot read '%s': %s"), name,
                        strerror(errno));
    if (!S_ISREG(info.st_mode))
        return psn_fail(why, PSN_E_INVALID, _("it is not a file"));
    return tree->open(tree->open_arg, fd, name, ret_text, why);
}

static enum psn_code read_entry(struct tree *tree, int folder, const char *name)
{
    PSN_AUTO(psn_secret) *text = NULL;
    struct psn_error why = { 0 };
    enum psn_code rc;

    name_entry(tree, name);
    rc = open_entry(tree, folder, name, &text, &why);
    if (!rc) {
        tree->total += psn_secret_size(text);
        if (tree->total > PSN_FOREIGN_FILE_MAX)
            return psn_fail(tree->err, PSN_E_LIMIT,
                            _("the tree is too large: at most %d MiB"),
                            PSN_FOREIGN_FILE_MAX / (1024 * 1024));
        psn_foreign_read_text(&tree->draft, (const char *)psn_secret_bytes(text),
                              psn_secret_size(text));
    } else if (is_problem(rc)) {
        tree->draft.problem = why.message;
    } else {
        if (tree->err)
            *tree->err = why;
        return rc;
    }
    return psn_foreign_draft_tell(&tree->draft, tree->each, tree->arg, tree->err);
}

/* It may lead to a folder full of entries. */
static enum psn_code tell_link(struct tree *tree, const char *name)
{
    name_entry(tree, name);
    tree->draft.problem = _("it is a link, which is not followed");
    return psn_foreign_draft_tell(&tree->draft, tree->each, tree->arg, tree->err);
}

/* ---- a folder ---- */

static enum psn_code enter(struct tree *tree, int folder, const char *name)
{
    size_t before = tree->path.size;
    int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    enum psn_code rc;

    if (fd < 0)
        return psn_fail(tree->err, psn_file_code(errno), _("cannot read '%s': %s"), name,
                        strerror(errno));
    if (tree->depth == PSN_FOREIGN_DEPTH_MAX) {
        (void)close(fd);
        return psn_fail(tree->err, PSN_E_LIMIT,
                        _("there are too many folders in folders"));
    }
    if (before > 0)
        psn_buf_char(&tree->path, '/');
    psn_buf_text(&tree->path, name);
    tree->depth++;
    rc = psn_buf_check(&tree->path, tree->err);
    if (!rc)
        rc = read_folder(tree, fd);
    else
        (void)close(fd);
    tree->depth--;
    tree->path.size = before;
    if (tree->path.data)
        tree->path.data[before] = '\0';
    return rc;
}

static enum psn_code read_one(struct tree *tree, int folder, const char *name)
{
    struct stat info;

    if (++tree->names > PSN_FOREIGN_TREE_MAX)
        return psn_fail(tree->err, PSN_E_LIMIT, _("the folder holds too many files"));
    if (name[0] == '.' || fstatat(folder, name, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return PSN_OK;
    if (S_ISDIR(info.st_mode))
        return enter(tree, folder, name);
    if (S_ISLNK(info.st_mode))
        return tell_link(tree, name);
    return ends_with(name, tree->suffix) ? read_entry(tree, folder, name) : PSN_OK;
}

static int keep_all(const struct dirent *entry)
{
    (void)entry;
    return 1;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

/* Closes fd. */
static enum psn_code read_folder(struct tree *tree, int fd)
{
    struct dirent **names = NULL;
    int count = scandirat(fd, ".", &names, keep_all, by_bytes);
    enum psn_code rc = PSN_OK;

    if (count < 0)
        rc = psn_fail(tree->err, psn_file_code(errno), _("cannot read the folder: %s"),
                      strerror(errno));
    for (int i = 0; i < count; i++) {
        if (!rc)
            rc = read_one(tree, fd, names[i]->d_name);
        free(names[i]);
    }
    free(names);
    (void)close(fd);
    return rc;
}

enum psn_code psn_tree_read(const char *folder, const char *suffix,
                            psn_tree_open_fn *open_file, void *open_arg,
                            psn_foreign_fn *each, void *arg, struct psn_error *err)
{
    struct tree tree = { .suffix = suffix,
                         .open = open_file,
                         .open_arg = open_arg,
                         .each = each,
                         .arg = arg,
                         .err = err,
                         .path = psn_buf_init(PSN_FOREIGN_ENTRY_MAX / 2),
                         .draft = psn_foreign_draft_init() };
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum psn_code rc;

    if (fd < 0)
        rc = psn_fail(err, psn_file_code(errno), _("cannot read '%s': %s"), folder,
                      strerror(errno));
    else
        rc = read_folder(&tree, fd);
    psn_foreign_draft_release(&tree.draft);
    psn_buf_release(&tree.path);
    return rc;
}
