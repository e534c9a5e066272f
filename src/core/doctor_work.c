#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/i18n.h"
#include "core/backup.h"
#include "core/client.h"
#include "core/doctor.h"
#include "core/journal.h"
#include "core/slot.h"
#include "passation/due.h"
#include "passation/role.h"

/* Ways in, copies, and what is open. */

enum {
    RECOVERY_FILE_MAX = 256, /* a code and what an editor may have put around it */
    SOON_S = 14 * 24 * 3600,
};

/* --- ways in --- */

struct slots {
    struct psn_vault *vault;
    const struct psn_doctor_options *options;
};

/* A file that holds the recovery code opens the slot: the surest way to know one. */
static void try_file(void *arg, const char *path)
{
    const struct slots *slots = arg;
    PSN_AUTO(psn_secret) *text = NULL;
    PSN_AUTO(psn_secret) *root_key = NULL;
    struct psn_key key = { .kind = PSN_SLOT_RECOVERY };
    uint8_t slot[PSN_SLOT_ID_SIZE];
    struct stat info;

    if (lstat(path, &info) != 0 || info.st_size == 0 ||
        info.st_size > RECOVERY_FILE_MAX ||
        psn_secret_read_file(path, RECOVERY_FILE_MAX, &text, NULL))
        return;
    key.secret = text;
    if (psn_slot_open(slots->vault, &key, &root_key, slot, NULL) == PSN_OK)
        PSN_DOCTOR_TELL(slots->options, .code = PSN_DOCTOR_RECOVERY_BESIDE,
                        .subject = path, .number = (int64_t)(info.st_mode & 07777));
}

static void look_for_codes(struct slots *slots)
{
    PSN_AUTO_FREE char *folder = psn_file_dir_of(slots->options->vault);
    const char *folders[] = { folder, slots->options->state_dir,
                              slots->options->config_dir };
    struct psn_error why = { 0 };

    for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
        if (folders[i] && psn_doctor_each_file(folders[i], try_file, slots, &why))
            psn_doctor_skip(slots->options, PSN_DOCTOR_FILES, NULL, why.code,
                            why.message);
}

/* Known without the key. */
void psn_doctor_slots(struct psn_vault *vault, const struct psn_doctor_options *options)
{
    struct slots slots = { vault, options };

    if (vault->state.slot_count == 1)
        PSN_DOCTOR_TELL(options, .code = PSN_DOCTOR_SLOT_SINGLE, .number = 1);
    if (psn_vault_has_slot(vault, PSN_SLOT_RECOVERY))
        look_for_codes(&slots);
    else
        PSN_DOCTOR_TELL(options, .code = PSN_DOCTOR_SLOT_NO_RECOVERY);
}

/* --- backups --- */

struct moment {
    uint64_t number; /* of the entry; 0: none */
    int64_t time_s;
};

struct copies {
    struct moment backup;   /* the last that succeeded */
    struct moment previous; /* the one before: a failed one is no backup */
    struct moment rekey;
    bool any_client;
};

static enum psn_code note_event(void *arg, const struct psn_journal_entry *entry,
                                struct psn_error *err)
{
    struct copies *copies = arg;
    struct moment moment = { entry->number, entry->time_s };

    (void)err;
    /* The first event is of earlier versions, which wrote it before they made the copy:
     * good but for a kill in between. The second one is of a copy that was there, and had
     * been opened. */
    if (strcmp(entry->event, "vault.backed-up") == 0 ||
        strcmp(entry->event, PSN_BACKUP_CHECKED) == 0) {
        copies->previous = copies->backup;
        copies->backup = moment;
    } else if (strcmp(entry->event, "vault.backup-failed") == 0) {
        copies->backup = copies->previous;
    } else if (strcmp(entry->event, "vault.rekeyed") == 0) {
        copies->rekey = moment;
    }
    return PSN_OK;
}

static enum psn_code note_client(void *arg, const struct psn_client *client,
                                 struct psn_error *err)
{
    struct copies *copies = arg;

    (void)client;
    (void)err;
    copies->any_client = true;
    return PSN_OK;
}

/* An empty vault is made anew in a minute. */
void psn_doctor_backups(struct psn_vault *vault, const struct psn_doctor_options *options)
{
    struct copies copies = { 0 };
    struct psn_error why = { 0 };
    int64_t now_s = vault->world.now_s();
    enum psn_code rc = psn_client_each(vault, note_client, &copies, &why);

    if (!rc)
        rc = psn_journal_each(vault, "", 0, note_event, &copies, &why);
    if (rc)
        psn_doctor_skip(options, PSN_DOCTOR_BACKUPS, NULL, rc, why.message);
    else if (copies.backup.number == 0) {
        if (copies.any_client)
            PSN_DOCTOR_TELL(options, .code = PSN_DOCTOR_BACKUP_NONE);
    } else if (copies.backup.number < copies.rekey.number) {
        PSN_DOCTOR_TELL(options, .code = PSN_DOCTOR_BACKUP_KEYS,
                        .time_s = copies.rekey.time_s);
    } else if (now_s - copies.backup.time_s > options->backup_age_s) {
        PSN_DOCTOR_TELL(options, .code = PSN_DOCTOR_BACKUP_OLD,
                        .time_s = copies.backup.time_s,
                        .number = now_s - copies.backup.time_s);
    }
}

/* --- what is open --- */

struct work {
    const struct psn_doctor_options *options;
    int64_t now_s;
    int64_t due;
};

static enum psn_code note_due(void *arg, const struct psn_due *due, struct psn_error *err)
{
    struct work *work = arg;

    (void)err;
    if (due->kind == PSN_DUE_DEPARTURE)
        PSN_DOCTOR_TELL(work->options, .code = PSN_DOCTOR_DEPARTURE_OPEN,
                        .subject = due->person, .time_s = due->since_s);
    else if (due->kind == PSN_DUE_HANDOVER)
        PSN_DOCTOR_TELL(work->options, .code = PSN_DOCTOR_HANDOVER_OPEN,
                        .client = due->client, .time_s = due->since_s);
    else if (due->kind == PSN_DUE_ENVELOPE)
        PSN_DOCTOR_TELL(work->options, .code = PSN_DOCTOR_ENVELOPE_OLD,
                        .client = due->client, .time_s = due->since_s);
    else if (due->kind == PSN_DUE_ENVELOPE_LEFT)
        PSN_DOCTOR_TELL(work->options, .code = PSN_DOCTOR_ENVELOPE_LEFT,
                        .client = due->client, .subject = due->person,
                        .time_s = due->since_s);
    else if (due->kind == PSN_DUE_ENVELOPE_REMADE)
        PSN_DOCTOR_TELL(work->options, .code = PSN_DOCTOR_ENVELOPE_REMADE,
                        .client = due->client, .subject = due->person,
                        .time_s = due->since_s);
    else
        work->due++;
    return PSN_OK;
}

static enum psn_code note_role(void *arg, const struct psn_role *role,
                               struct psn_error *err)
{
    struct work *work = arg;
    struct psn_doctor_finding finding = { .client = role->client,
                                          .subject = role->address,
                                          .detail = role->reason };

    (void)err;
    if (role->expires_s && role->expires_s < work->now_s + SOON_S)
        PSN_DOCTOR_TELL(work->options, .code = PSN_DOCTOR_PASSWORD_ENDING,
                        .client = role->client, .subject = role->address,
                        .time_s = role->expires_s);
    switch (role->state) {
    case PSN_ROLE_STABLE:
    case PSN_ROLE_RECEIVED:
        return PSN_OK;
    case PSN_ROLE_ROTATING:
    case PSN_ROLE_UNCERTAIN:
        finding.code = PSN_DOCTOR_UNFINISHED;
        work->due--; /* told here, and not as due once more */
        break;
    case PSN_ROLE_STUCK:
    case PSN_ROLE_MISSING:
        finding.code = PSN_DOCTOR_STUCK;
        work->due--;
        break;
    }
    psn_doctor_tell(work->options, &finding);
    return PSN_OK;
}

void psn_doctor_work(struct psn_vault *vault, const struct psn_doctor_options *options)
{
    struct work work = { options, vault->world.now_s(), 0 };
    struct psn_error why = { 0 };
    enum psn_code rc = psn_due_each(vault, NULL, note_due, &work, &why);

    if (!rc)
        rc = psn_role_each(vault, NULL, 0, true, note_role, &work, &why);
    if (rc)
        psn_doctor_skip(options, PSN_DOCTOR_WORK, NULL, rc, why.message);
    else if (work.due > 0)
        PSN_DOCTOR_TELL(options, .code = PSN_DOCTOR_DUE, .number = work.due);
}
