#include <stdio.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#ifdef __linux__
#    include <sys/prctl.h>
#endif

#include "base/clock.h"
#include "core/doctor.h"

/* The machine: may memory be locked, does a crash write it down, is the clock right? */

enum {
    LOCKED_LEAST = 1024 * 1024, /* bytes; a run over many mailboxes needs as much */
    CLOCK_SLACK_S = 120,        /* files of a server may have its clock */
    OTHERS_WRITE = 022,
    PATH_SIZE = 4096,
};

static bool can_lock(size_t size)
{
    void *pages =
        /* cppcheck-suppress invalidFunctionArg; -1 goes with MAP_ANONYMOUS */
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    bool locked;

    if (pages == MAP_FAILED)
        return false;
    locked = mlock(pages, size) == 0;
    (void)munmap(pages, size);
    return locked;
}

static void look_at_memory(const struct psn_doctor_options *options)
{
    struct rlimit limit = { 0 };

    if (can_lock(LOCKED_LEAST))
        return;
    (void)getrlimit(RLIMIT_MEMLOCK, &limit);
    PSN_DOCTOR_TELL(options, .code = PSN_DOCTOR_MEMORY_UNLOCKED,
                    .number =
                        limit.rlim_cur == RLIM_INFINITY ? 0 : (int64_t)limit.rlim_cur);
}

/* The program forbids it to itself at its start; here is whether that was kept. */
static void look_at_cores(const struct psn_doctor_options *options)
{
    struct rlimit limit = { 0 };
    bool may_dump = getrlimit(RLIMIT_CORE, &limit) != 0 || limit.rlim_cur != 0;

#ifdef __linux__
    may_dump = may_dump || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0;
#endif
    if (may_dump)
        PSN_DOCTOR_TELL(options, .code = PSN_DOCTOR_CORE_DUMPS);
}

/* A clock behind the vault's last change: dates in the journal go backwards, and grants
 * end late. */
static void look_at_clock(const struct psn_doctor_options *options)
{
    static const char *const tails[] = { "", "-wal" };
    int64_t now_s = psn_clock_now_s();
    int64_t last_s = 0;

    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        char path[PATH_SIZE];
        struct stat info;

        if (snprintf(path, sizeof path, "%s%s", options->vault, tails[i]) <
                (int)sizeof path &&
            stat(path, &info) == 0 && info.st_mtime > last_s)
            last_s = info.st_mtime;
    }
    if (last_s > now_s + CLOCK_SLACK_S)
        PSN_DOCTOR_TELL(options, .code = PSN_DOCTOR_CLOCK_BEHIND,
                        .subject = options->vault, .time_s = last_s,
                        .number = now_s - last_s);
}

/* Whoever writes that file decides who may pose as the server. */
static void look_at_ca(const struct psn_doctor_options *options)
{
    struct stat info;

    if (!options->ca_file)
        return;
    if (stat(options->ca_file, &info) != 0 || !S_ISREG(info.st_mode) ||
        access(options->ca_file, R_OK) != 0)
        PSN_DOCTOR_TELL(options, .code = PSN_DOCTOR_CA_MISSING,
                        .subject = options->ca_file);
    else if ((info.st_mode & OTHERS_WRITE) ||
             (info.st_uid != 0 && info.st_uid != geteuid()))
        PSN_DOCTOR_TELL(options, .code = PSN_DOCTOR_CA_WRITABLE,
                        .subject = options->ca_file,
                        .number = (int64_t)(info.st_mode & 07777));
}

void psn_doctor_machine(const struct psn_doctor_options *options)
{
    look_at_memory(options);
    look_at_cores(options);
    look_at_clock(options);
    look_at_ca(options);
}
