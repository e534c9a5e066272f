#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/file.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/backup.h"
#include "core/doctor.h"

/*
 * The vault's file and what lies around it, before the vault is opened: opening makes
 * files of its own, and takes in what a crash has left. Files that may hold a key are
 * looked into; nothing of what they hold is kept or shown.
 */
enum {
    PATH_SIZE = 4096,
    MODE_MASK = 07777,
    OTHERS = 077,
    OTHERS_WRITE = 022,
    RANDOM_DIGITS = 16, /* of a name that psn_file_write() makes up */
};

struct around {
    const struct psn_doctor_options *options;
    struct stat vault; /* st_ino 0: there is none */
    const char *base;  /* the vault's name in its folder */
    bool in_folder;    /* else in another one, where only keys matter */
    bool is_used;      /* another process is at work: what it makes is no leftover */
};

static void tell(const struct around *around, enum psn_doctor_code code, const char *path,
                 int64_t number)
{
    PSN_DOCTOR_TELL(around->options, .code = code, .subject = path, .number = number);
}

static int64_t mode_of(const struct stat *info)
{
    return (int64_t)(info->st_mode & MODE_MASK);
}

static bool is_ours(const struct stat *info)
{
    return info->st_uid == geteuid();
}

/* --- the vault's file, and those that SQLite and we make beside it --- */

static void look_at_vault(const struct around *around)
{
    const char *path = around->options->vault;
    const struct stat *info = &around->vault;

    if (!S_ISREG(info->st_mode))
        return; /* opening it will say so */
    if (info->st_mode & OTHERS)
        tell(around, PSN_DOCTOR_VAULT_MODE, path, mode_of(info));
    if (!is_ours(info))
        tell(around, PSN_DOCTOR_VAULT_OWNER, path, (int64_t)info->st_uid);
    if (!(info->st_mode & S_IWUSR))
        tell(around, PSN_DOCTOR_VAULT_READ_ONLY, path, mode_of(info));
    if (info->st_nlink > 1)
        tell(around, PSN_DOCTOR_VAULT_LINKED, path, (int64_t)info->st_nlink);
}

static void look_beside(const struct around *around)
{
    static const char *const tails[] = { PSN_BESIDE_WAL, PSN_BESIDE_SHM,
                                         PSN_BESIDE_LOCK };
    const char *vault = around->options->vault;

    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        char path[PATH_SIZE];
        struct stat info;

        if (snprintf(path, sizeof path, "%s%s", vault, tails[i]) >= (int)sizeof path ||
            lstat(path, &info) != 0)
            continue;
        if (!S_ISREG(info.st_mode) || (info.st_mode & OTHERS) || !is_ours(&info))
            tell(around, PSN_DOCTOR_SIDE_MODE, path, mode_of(&info));
    }
}

/* --- the folder's files --- */

/* "….0123456789abcdef", or the names under which a vault is written anew. */
bool psn_doctor_is_leftover(const char *tail)
{
    static const char *const names[] = { PSN_BESIDE_STAGED, PSN_BESIDE_DRAFT,
                                         PSN_BESIDE_JOURNAL };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strncmp(tail, names[i], strlen(names[i])) == 0)
            return true;
    return tail[0] == '.' && strlen(tail) == 1 + RANDOM_DIGITS &&
           strspn(tail + 1, "0123456789abcdef") == RANDOM_DIGITS;
}

/* True for an age-keygen file: comments, then the key at a line's begin. */
static bool holds_identity(const char *text)
{
    static const char mark[] = "AGE-SECRET-KEY-1";

    for (const char *at = strstr(text, mark); at; at = strstr(at + 1, mark))
        if (at == text || at[-1] == '\n')
            return true;
    return false;
}

static bool is_key_in_use(const struct around *around, const struct stat *info)
{
    struct stat key;

    return around->options->key_file && stat(around->options->key_file, &key) == 0 &&
           key.st_dev == info->st_dev && key.st_ino == info->st_ino;
}

/* The first bytes tell a copy of a vault from an identity file, which is wiped. */
static void look_into(const struct around *around, const char *path,
                      const struct stat *info)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init_wiped(PSN_KEY_FILE_MAX);

    if (around->in_folder && psn_is_a_vault_file(path))
        return; /* doctor_copies.c tells of it */
    if (info->st_size > PSN_KEY_FILE_MAX || psn_file_read(path, &text, NULL) ||
        !text.data || !holds_identity(psn_buf_str(&text)))
        return;
    if (around->in_folder || (info->st_mode & OTHERS))
        tell(around, PSN_DOCTOR_IDENTITY_BESIDE, path, mode_of(info));
    else if (info->st_dev == around->vault.st_dev && !is_key_in_use(around, info))
        tell(around, PSN_DOCTOR_IDENTITY_ON_DISK, path, mode_of(info));
}

static void look_at_file(void *arg, const char *path)
{
    const struct around *around = arg;
    const char *name = strrchr(path, '/') + 1;
    size_t length = strlen(around->base);
    bool of_vault = around->in_folder && strncmp(name, around->base, length) == 0;
    struct stat info;

    if (lstat(path, &info) != 0 || info.st_ino == around->vault.st_ino)
        return;
    if (strcmp(name, "ovh.conf") == 0)
        tell(around, PSN_DOCTOR_OVH_CONFIG, path, mode_of(&info));
    else if (of_vault && psn_doctor_is_leftover(name + length)) {
        if (!around->is_used)
            PSN_DOCTOR_TELL(around->options, .code = PSN_DOCTOR_LEFTOVER, .subject = path,
                            .time_s = info.st_mtime);
    } else if (!of_vault || (strcmp(name + length, PSN_BESIDE_WAL) != 0 &&
                             strcmp(name + length, PSN_BESIDE_SHM) != 0 &&
                             strcmp(name + length, PSN_BESIDE_LOCK) != 0))
        look_into(around, path, &info);
}

static void look_at_files(struct around *around, const char *folder)
{
    struct psn_error why = { 0 };

    if (psn_doctor_each_file(folder, look_at_file, around, &why))
        psn_doctor_skip(around->options, PSN_DOCTOR_FILES, NULL, why.code, why.message);
}

/* Held by a run, a rekey or a restore. */
static bool is_locked(const char *vault)
{
    PSN_AUTO_FD int fd = -1;
    char path[PATH_SIZE];

    if (snprintf(path, sizeof path, "%s" PSN_BESIDE_LOCK, vault) >= (int)sizeof path)
        return false;
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

/* --- folders --- */

static void look_at_folder(struct around *around)
{
    PSN_AUTO_FREE char *folder = psn_file_dir_of(around->options->vault);
    const char *slash = strrchr(around->options->vault, '/');
    struct stat info;

    around->base = slash ? slash + 1 : around->options->vault;
    if (!folder || stat(folder, &info) != 0)
        return;
    if ((info.st_mode & OTHERS_WRITE) || (!is_ours(&info) && info.st_uid != 0))
        tell(around, PSN_DOCTOR_FOLDER_WRITABLE, folder, mode_of(&info));
    else if (info.st_mode & OTHERS)
        tell(around, PSN_DOCTOR_FOLDER_READABLE, folder, mode_of(&info));
    around->in_folder = true;
    around->is_used = is_locked(around->options->vault);
    look_at_files(around, folder);
    around->in_folder = false;
}

static bool is_same_folder(const char *a, const char *vault)
{
    PSN_AUTO_FREE char *folder = psn_file_dir_of(vault);
    struct stat one;
    struct stat two;

    return folder && stat(a, &one) == 0 && stat(folder, &two) == 0 &&
           one.st_dev == two.st_dev && one.st_ino == two.st_ino;
}

static void look_at_other_folders(struct around *around)
{
    const struct psn_doctor_options *options = around->options;
    const char *others[] = { options->state_dir, options->config_dir };
    struct stat info;

    if (options->state_dir && lstat(options->state_dir, &info) == 0 &&
        (!S_ISDIR(info.st_mode) || (info.st_mode & OTHERS) || !is_ours(&info)))
        tell(around, PSN_DOCTOR_STATE_MODE, options->state_dir, mode_of(&info));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i] && !is_same_folder(others[i], options->vault))
            look_at_files(around, others[i]);
}

/* The file that unlocks, where OVH's own tools keep their keys, the agent's door. */
static void look_at_keys(const struct around *around)
{
    const struct psn_doctor_options *options = around->options;
    char path[PATH_SIZE];
    struct stat info;

    if (options->key_file && stat(options->key_file, &info) == 0) {
        if (info.st_mode & OTHERS)
            tell(around, PSN_DOCTOR_KEY_FILE_MODE, options->key_file, mode_of(&info));
        if (options->key_is_identity && info.st_dev == around->vault.st_dev)
            tell(around, PSN_DOCTOR_IDENTITY_ON_DISK, options->key_file, mode_of(&info));
    }
    if (options->home &&
        snprintf(path, sizeof path, "%s/.ovh.conf", options->home) < (int)sizeof path &&
        lstat(path, &info) == 0)
        tell(around, PSN_DOCTOR_OVH_CONFIG, path, mode_of(&info));
}

static void look_at_agent(const struct around *around)
{
    const struct psn_doctor_options *options = around->options;
    char path[PATH_SIZE];
    struct stat info;

    if (!options->run_dir || lstat(options->run_dir, &info) != 0)
        return;
    if (!S_ISDIR(info.st_mode) || (info.st_mode & OTHERS) || !is_ours(&info))
        tell(around, PSN_DOCTOR_AGENT_FOLDER, options->run_dir, mode_of(&info));
    if (snprintf(path, sizeof path, "%s/agent.sock", options->run_dir) <
            (int)sizeof path &&
        lstat(path, &info) == 0 &&
        (!S_ISSOCK(info.st_mode) || (info.st_mode & OTHERS) || !is_ours(&info)))
        tell(around, PSN_DOCTOR_AGENT_SOCKET, path, mode_of(&info));
}

void psn_doctor_files(const struct psn_doctor_options *options)
{
    struct around around = { .options = options };

    if (lstat(options->vault, &around.vault) != 0)
        return; /* opening it will say so */
    look_at_vault(&around);
    look_beside(&around);
    look_at_folder(&around);
    look_at_other_folders(&around);
    look_at_keys(&around);
    look_at_agent(&around);
}
