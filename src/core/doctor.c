#include "core/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/i18n.h"

/* The doctor's round: which part is looked at when, and what is said of the others. */

static const struct {
    const char *name;
    enum psn_doctor_severity severity;
} codes[] = {
#define CODE_ROW(name, word, severity) { word, PSN_DOCTOR_##severity },
    PSN_DOCTOR_CODES(CODE_ROW)
#undef CODE_ROW
};

const char *psn_doctor_code_name(enum psn_doctor_code code)
{
    return (size_t)code < sizeof codes / sizeof *codes ? codes[code].name : "unknown";
}

enum psn_doctor_severity psn_doctor_severity_of(enum psn_doctor_code code)
{
    return (size_t)code < sizeof codes / sizeof *codes ? codes[code].severity
                                                       : PSN_DOCTOR_DANGER;
}

const char *psn_doctor_severity_name(enum psn_doctor_severity severity)
{
    switch (severity) {
    case PSN_DOCTOR_DAMAGE:
        return "damage";
    case PSN_DOCTOR_DANGER:
        return "danger";
    case PSN_DOCTOR_ADVICE:
        break;
    }
    return "advice";
}

const char *psn_doctor_part_name(enum psn_doctor_part part)
{
    switch (part) {
    case PSN_DOCTOR_FILES:
        return "files";
    case PSN_DOCTOR_CONTENT:
        return "content";
    case PSN_DOCTOR_ROLLBACK:
        return "rollback";
    case PSN_DOCTOR_BACKUPS:
        return "backups";
    case PSN_DOCTOR_WORK:
        return "work";
    case PSN_DOCTOR_ACCOUNTS:
        return "accounts";
    case PSN_DOCTOR_OVH:
        return "ovh";
    case PSN_DOCTOR_MAIL:
        return "mail";
    }
    return "unknown";
}

void psn_doctor_tell(const struct psn_doctor_options *options,
                     const struct psn_doctor_finding *finding)
{
    struct psn_doctor_finding whole = *finding;

    whole.client = whole.client ? whole.client : "";
    whole.subject = whole.subject ? whole.subject : "";
    whole.detail = whole.detail ? whole.detail : "";
    options->found(options->arg, &whole);
}

void psn_doctor_skip(const struct psn_doctor_options *options, enum psn_doctor_part part,
                     const char *client, enum psn_code code, const char *why)
{
    options->unlooked(options->arg, part, client ? client : "", code, why);
}

enum psn_code psn_doctor_each_file(const char *folder, psn_doctor_file_fn *each,
                                   void *arg, struct psn_error *err)
{
    DIR *dir = opendir(folder);
    const struct dirent *entry;

    if (!dir && errno == ENOENT)
        return PSN_OK;
    if (!dir)
        return psn_fail(err, PSN_E_IO, _("cannot open folder '%s': %s"), folder,
                        strerror(errno));
    while ((entry = readdir(dir)) != NULL) {
        char path[PSN_STORE_CLEAR_MAX];
        struct stat info;

        if (fstatat(dirfd(dir), entry->d_name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
            S_ISREG(info.st_mode) &&
            snprintf(path, sizeof path, "%s/%s", folder, entry->d_name) <
                (int)sizeof path)
            each(arg, path);
    }
    (void)closedir(dir);
    return PSN_OK;
}

void psn_doctor_outside(const struct psn_doctor_options *options)
{
    psn_doctor_files(options);
    psn_doctor_machine(options);
}

static void skip_locked(const struct psn_doctor_options *options)
{
    static const enum psn_doctor_part parts[] = {
        PSN_DOCTOR_CONTENT, PSN_DOCTOR_ROLLBACK, PSN_DOCTOR_BACKUPS,
        PSN_DOCTOR_WORK,    PSN_DOCTOR_ACCOUNTS, PSN_DOCTOR_MAIL
    };

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
        psn_doctor_skip(options, parts[i], NULL, PSN_E_LOCKED, _("the vault is locked"));
}

void psn_doctor_inside(struct psn_vault *vault, const struct psn_doctor_options *options)
{
    bool is_sound = vault && psn_doctor_content(vault, options);

    psn_doctor_copies(is_sound ? vault : NULL, options);
    if (!vault)
        return;
    psn_doctor_slots(vault, options);
    if (!vault->root_key) {
        skip_locked(options);
        psn_doctor_clock(vault, options);
        return;
    }
    psn_doctor_backups(vault, options);
    psn_doctor_work(vault, options);
    psn_doctor_accounts(vault, options);
    psn_doctor_mail(vault, options);
}
