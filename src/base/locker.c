#include "base/locker.h"

#ifdef __linux__

#    include <stdio.h>
#    include <stdlib.h>
#    include <string.h>
#    include <sys/stat.h>
#    include <sys/sysmacros.h>
#    include <unistd.h>

#    include "base/file.h"
#    include "base/i18n.h"
#    include "base/text.h"

enum {
    LOCKS_MAX = 1024 * 1024, /* of a machine with ten thousand of them */
    WORDS = 6,
};

/* The words of a line of /proc/locks, proc(5), after its number: "POSIX ADVISORY READ
 * 4711 00:1b:4534 0 EOF", where device and inode are hexadecimal and decimal. */
enum {
    KIND,
    MANNER,
    ACCESS,
    PID,
    FILE_ID,
    FROM
};

static bool split(char *line, char *words[WORDS])
{
    char *at = strchr(line, ':');

    for (size_t i = 0; at && i < WORDS; i++) {
        at++;
        at += strspn(at, " ");
        words[i] = at;
        at = strchr(at, ' ');
        if (at)
            *at = '\0';
    }
    return at != NULL;
}

static bool is_wanted(char *const words[WORDS], const char *file, bool writing)
{
    return strcmp(words[KIND], "POSIX") == 0 && strcmp(words[FILE_ID], file) == 0 &&
           (!writing || strcmp(words[ACCESS], "WRITE") == 0);
}

static void describe(const char *pid, char text[PSN_LOCKER_MAX])
{
    PSN_AUTO_RELEASE(psn_buf) name = psn_buf_init(PSN_LOCKER_MAX);
    char path[PSN_LOCKER_MAX];
    char shown[PSN_LOCKER_MAX];

    (void)snprintf(path, sizeof path, "/proc/%.16s/comm", pid);
    if (psn_file_read(path, &name, NULL) || name.size == 0)
        psn_buf_text(&name, "?");
    (void)snprintf(shown, sizeof shown, "%.*s", (int)strcspn(psn_buf_str(&name), "\n"),
                   psn_buf_str(&name));
    (void)snprintf(text, PSN_LOCKER_MAX, _("%.24s, process %.16s"),
                   psn_text_is_plain(shown, strlen(shown)) ? shown : "?", pid);
}

static bool find(char *lines, const char *file, bool writing, char text[PSN_LOCKER_MAX])
{
    for (char *line = lines, *next; line; line = next) {
        char *words[WORDS];
        uint64_t pid = 0;

        next = strchr(line, '\n');
        if (next)
            *next++ = '\0';
        if (!split(line, words) || !is_wanted(words, file, writing) ||
            !psn_text_parse_u64(words[PID], INT32_MAX, &pid) || pid == 0 ||
            pid == (uint64_t)getpid())
            continue;
        describe(words[PID], text);
        return true;
    }
    return false;
}

bool psn_locker_of(const char *path, bool writing, char ret_text[PSN_LOCKER_MAX])
{
    PSN_AUTO_RELEASE(psn_buf) locks = psn_buf_init(LOCKS_MAX);
    char file[PSN_LOCKER_MAX];
    struct stat info;

    ret_text[0] = '\0';
    if (lstat(path, &info) != 0 || psn_file_read("/proc/locks", &locks, NULL))
        return false;
    (void)snprintf(file, sizeof file, "%02x:%02x:%llu", major(info.st_dev),
                   minor(info.st_dev), (unsigned long long)info.st_ino);
    psn_buf_char(&locks, '\0');
    return !locks.failed && find((char *)locks.data, file, writing, ret_text);
}

#else

bool psn_locker_of(const char *path, bool writing, char ret_text[PSN_LOCKER_MAX])
{
    (void)path;
    (void)writing;
    ret_text[0] = '\0';
    return false;
}

#endif
