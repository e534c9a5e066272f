#include "cli/holder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/allow.h"
#include "base/clock.h"
#include "cli/paths.h"

enum {
    PAUSE_MS = 20,
    TRIES = 100,       /* 2 s: until it is said that it does not end … */
    FORCE_TRIES = 200, /* … or, of one that is killed, 4 s */
    KILL_AFTER = 60,   /* of these, a holder may take to end by itself */
    HOST_MAX = 64,
    NAME_MAX_SIZE = 128,
};

/* --- whose lock it is --- */

/* The process that the lock's line names, "pid N, since …"; 0 if none. */
static pid_t named_in(int fd)
{
    char line[64] = "";
    uint64_t pid = 0;
    ssize_t got = pread(fd, line, sizeof line - 1, 0);

    line[got > 0 ? got : 0] = '\0';
    if (strncmp(line, "pid ", 4) != 0)
        return 0;
    line[4 + strcspn(line + 4, ",")] = '\0';
    return psn_text_parse_u64(line + 4, INT32_MAX, &pid) ? (pid_t)pid : 0;
}

/* While the lock is held its holder lives; but on a folder that machines or containers
 * share, the number may be of another's, and of anybody here. */
static bool is_helper(pid_t pid, const char *command)
{
    if (pid <= 1)
        return false;
#ifdef __linux__
    PSN_AUTO_FD int fd = -1;
    char path[64];
    char expected[64];
    char found[64] = "";
    int size = snprintf(expected, sizeof expected, "passation%c%s", '\0', command) + 1;
    ssize_t got;

    (void)snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)pid);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return false;
    got = read(fd, found, sizeof found);
    return got == size && memcmp(found, expected, (size_t)size) == 0;
#else
    (void)command;
    return true;
#endif
}

/* Looks at a lock without taking it or writing into its file. OK: nobody holds it;
 * E_BUSY: *ret_pid does, 0 if that is not known. E_NOT_FOUND: there is no such file. */
static enum psn_code look(const char *path, pid_t *ret_pid, struct psn_error *err)
{
    PSN_AUTO_FD int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    struct stat info;

    *ret_pid = 0;
    if (fd < 0)
        return psn_fail(err, psn_file_code(errno), _("cannot open the lock '%s': %s"),
                        path, strerror(errno));
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode) || info.st_uid != geteuid())
        return psn_fail(err, PSN_E_POLICY, _("'%s' is no lock of yours"), path);
    if (flock(fd, LOCK_SH | LOCK_NB) == 0)
        return PSN_OK;
    if (errno != EWOULDBLOCK)
        return psn_fail(err, PSN_E_IO, _("cannot lock '%s': %s"), path, strerror(errno));
    *ret_pid = named_in(fd);
    return psn_fail(err, PSN_E_BUSY, _("'%s' is held"), path);
}

static enum psn_code does_not_end(const char *path, const struct cli_holder *kind,
                                  pid_t pid, struct psn_error *err)
{
    psn_error_clear(err);
    if (is_helper(pid, kind->command)) {
        (void)psn_fail(err, PSN_E_BUSY, _("process %ld ('passation %s') does not end"),
                       (long)pid, kind->command);
        return psn_hint(err, PSN_E_BUSY, _("end it by hand: kill -KILL %ld"), (long)pid);
    }
    (void)psn_fail(err, PSN_E_BUSY,
                   _("'%s' is held by a process that is not found on this machine"),
                   path);
    return psn_hint(err, PSN_E_BUSY,
                    _("run 'passation lock' on the machine, or in the container, that "
                      "holds it"));
}

static enum psn_code end(const char *path, const struct cli_holder *kind, bool *ret_was,
                         struct psn_error *err)
{
    enum psn_code rc = PSN_E_BUSY;
    bool signalled = false;
    int tries = kind->by_force ? FORCE_TRIES : TRIES;
    pid_t pid = 0;

    for (int i = 0; i < tries; i++) {
        bool is_last = i >= KILL_AFTER && kind->by_force;

        psn_error_clear(err);
        rc = look(path, &pid, err);
        if (rc != PSN_E_BUSY)
            break;
        if ((is_last || !signalled) && is_helper(pid, kind->command))
            signalled = kill(pid, is_last ? SIGKILL : SIGTERM) == 0;
        psn_clock_sleep_ms(PAUSE_MS);
    }
    *ret_was = *ret_was || signalled;
    if (rc == PSN_E_BUSY)
        return does_not_end(path, kind, pid, err);
    if (rc == PSN_E_NOT_FOUND)
        psn_error_clear(err);
    return rc == PSN_E_NOT_FOUND ? PSN_OK : rc;
}

enum psn_code cli_holder_end_at(const char *folder, const struct cli_holder *kind,
                                bool *ret_was, struct psn_error *err)
{
    char path[CLI_PATH_MAX + NAME_MAX_SIZE];

    *ret_was = false;
    (void)snprintf(path, sizeof path, "%s/%s", folder, kind->lock);
    return end(path, kind, ret_was, err);
}

/* --- notes --- */

static bool notes_folder(const struct cli *cli, char out[CLI_PATH_MAX])
{
    return snprintf(out, CLI_PATH_MAX, "%s/helpers", cli->state_dir) < CLI_PATH_MAX;
}

/* What the notes of this machine begin with: the folder may be shared with others. */
static void name_prefix(const struct cli_holder *kind, char out[NAME_MAX_SIZE])
{
    char host[HOST_MAX] = "";

    if (gethostname(host, sizeof host) != 0)
        host[0] = '\0';
    host[sizeof host - 1] = '\0';
    for (char *at = host; *at; at++)
        if (*at == '/' || *at < '!' || *at > '~')
            *at = '_';
    (void)snprintf(out, NAME_MAX_SIZE, "%s-%s-", kind->command, host);
}

static bool own_note(const struct cli *cli, const struct cli_holder *kind,
                     char out[CLI_PATH_MAX + NAME_MAX_SIZE])
{
    char folder[CLI_PATH_MAX];
    char prefix[NAME_MAX_SIZE];

    if (!notes_folder(cli, folder))
        return false;
    name_prefix(kind, prefix);
    return snprintf(out, CLI_PATH_MAX + NAME_MAX_SIZE, "%s/%s%ld.lock", folder, prefix,
                    (long)getpid()) < CLI_PATH_MAX + NAME_MAX_SIZE;
}

void cli_holder_note(const struct cli *cli, const struct cli_holder *kind,
                     struct psn_file_lock *lock)
{
    char folder[CLI_PATH_MAX];
    char path[CLI_PATH_MAX + NAME_MAX_SIZE];

    *lock = PSN_FILE_LOCK_NONE;
    if (!notes_folder(cli, folder) || psn_file_make_dir(folder, NULL) ||
        !own_note(cli, kind, path))
        return;
    PSN_IGNORE(psn_file_lock_soon(path, kind->command, lock, NULL));
}

void cli_holder_forget(const struct cli *cli, const struct cli_holder *kind,
                       struct psn_file_lock *lock)
{
    char path[CLI_PATH_MAX + NAME_MAX_SIZE];

    if (lock->fd >= 0 && own_note(cli, kind, path))
        (void)unlink(path);
    psn_file_unlock(lock);
}

enum psn_code cli_holder_end_noted(const struct cli *cli, const struct cli_holder *kind,
                                   bool *ret_was, struct psn_error *err)
{
    char folder[CLI_PATH_MAX];
    char prefix[NAME_MAX_SIZE];
    struct dirent *entry;
    DIR *notes;
    bool is_none;
    enum psn_code rc;

    *ret_was = false;
    if (!notes_folder(cli, folder))
        return PSN_OK;
    rc = psn_allow(PSN_E_NOT_FOUND, cli_paths_check_private(folder, err), &is_none, err);
    if (rc || is_none)
        return rc;
    notes = opendir(folder);
    if (!notes)
        return psn_fail(err, psn_file_code(errno), _("cannot open folder '%s': %s"),
                        folder, strerror(errno));
    name_prefix(kind, prefix);
    while (!rc && (entry = readdir(notes))) {
        char path[CLI_PATH_MAX + 256];

        if (strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
            continue;
        (void)snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        rc = end(path, kind, ret_was, err);
        if (!rc)
            (void)unlink(path);
    }
    (void)closedir(notes);
    return rc;
}
