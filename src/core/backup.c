#include "core/backup.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/i18n.h"
#include "base/text.h"
#include "core/client.h"
#include "core/journal.h"
#include "core/role.h"
#include "core/state.h"
#include "core/vault.h"

/* Checking all of a vault, and copying it. */

/* --- check --- */

struct full_check {
    struct psn_vault *vault;
    uint64_t rows;
};

static enum psn_code count_row(void *arg, const struct psn_store_row *row,
                               const struct psn_buf *plain, struct psn_error *err)
{
    struct full_check *check = arg;

    (void)row;
    (void)plain;
    (void)err;
    check->rows++;
    return PSN_OK;
}

static enum psn_code open_role_rows(void *arg, const struct psn_role_row *row,
                                    struct psn_error *err)
{
    struct full_check *check = arg;
    static const enum psn_table tables[] = { PSN_TABLE_SECRET, PSN_TABLE_VERSION };
    const struct psn_secret *data_key;
    enum psn_code rc = psn_client_data_key(check->vault, row->client, &data_key, err);

    check->rows++;
    for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++) {
        struct psn_row_key prefix;

        rc = psn_row_key_init(check->vault, tables[i], row->address, &prefix, err);
        if (!rc)
            rc = psn_row_each(check->vault, tables[i], &prefix, data_key, count_row,
                              check, err);
    }
    return rc ? psn_wrap(err, rc, "%s", row->address) : PSN_OK;
}

static enum psn_code open_credential(void *arg, const char *client, struct psn_error *err)
{
    struct full_check *check = arg;
    const struct psn_secret *data_key;
    struct psn_row_key key;
    enum psn_code rc = psn_client_data_key(check->vault, client, &data_key, err);

    if (!rc)
        rc = psn_row_key_init(check->vault, PSN_TABLE_CREDENTIAL, client, &key, err);
    return rc ? rc
              : psn_row_each(check->vault, PSN_TABLE_CREDENTIAL, &key, data_key,
                             count_row, check, err);
}

/* Rows that lie under the rows key, one table after the other; then what each client has.
 */
static enum psn_code open_all(struct full_check *check, struct psn_error *err)
{
    static const enum psn_table tables[] = {
        PSN_TABLE_SLOT,  PSN_TABLE_PERSON,   PSN_TABLE_CLIENT,  PSN_TABLE_DOMAIN,
        PSN_TABLE_CHAIN, PSN_TABLE_EXPOSURE, PSN_TABLE_OWN_KEY, PSN_TABLE_GRANT,
        PSN_TABLE_ISSUE, PSN_TABLE_TRUST,    PSN_TABLE_ACCESS
    };
    struct psn_vault *vault = check->vault;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++)
        rc = psn_row_each(vault, tables[i], NULL, vault->rows_key, count_row, check, err);
    if (!rc)
        rc = psn_client_ids(vault, open_credential, check, err);
    return rc ? rc : psn_role_scan(vault, NULL, 0, open_role_rows, check, err);
}

static enum psn_code check_all(struct psn_vault *vault, struct psn_vault_check *ret_check,
                               struct psn_error *err)
{
    struct full_check check = { vault, 0 };
    enum psn_code rc = psn_store_check(vault->store, err);

    if (!rc)
        rc = psn_journal_check(vault, NULL, NULL, err);
    if (!rc)
        rc = open_all(&check, err);
    if (!rc)
        *ret_check = (struct psn_vault_check){ .generation = vault->state.generation,
                                               .rows = check.rows,
                                               .entries = vault->state.journal_entries };
    return rc;
}

enum psn_code psn_vault_check(struct psn_vault *vault, struct psn_vault_check *ret_check,
                              struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc : psn_vault_end(vault, check_all(vault, ret_check, err), err);
}

/* --- backup --- */

void psn_backup_drop_empty_log(const char *path)
{
    char log[4096];
    char index[4096];
    struct stat info;

    if (snprintf(log, sizeof log, "%s" PSN_BESIDE_WAL, path) >= (int)sizeof log ||
        snprintf(index, sizeof index, "%s" PSN_BESIDE_SHM, path) >= (int)sizeof index)
        return;
    if (stat(log, &info) == 0 && info.st_size > 0)
        return;
    (void)unlink(log);
    (void)unlink(index);
}

enum psn_code psn_backup_open_copy(const struct psn_vault *vault, const char *path,
                                   struct psn_vault **ret_copy, struct psn_error *err)
{
    struct psn_vault_options options = { .path = path };
    enum psn_code rc = psn_vault_open(&options, ret_copy, err);

    if (rc)
        return rc;
    psn_store_leave_no_log((*ret_copy)->store);
    return psn_vault_unlock_key(*ret_copy, vault->root_key, vault->slot, err);
}

static enum psn_code check_copy(void *arg, const char *path, struct psn_error *err)
{
    PSN_AUTO(psn_vault) *copy = NULL;
    struct psn_vault_check check;
    enum psn_code rc = psn_backup_open_copy(arg, path, &copy, err);

    if (!rc)
        rc = psn_vault_check(copy, &check, err);
    return rc ? psn_wrap(err, rc, _("the backup '%s' does not open"), path) : PSN_OK;
}

static enum psn_code note_backup(struct psn_vault *vault, const char *event,
                                 const char *path, struct psn_error *err)
{
    PSN_AUTO_FREE char *whole = realpath(path, NULL);
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    /* Where it lies, so that the end of a handover can look for it. */
    if (whole && strlen(whole) < PSN_JOURNAL_TEXT_MAX &&
        psn_text_is_plain(whole, strlen(whole)))
        name = whole;

    return rc ? rc
              : psn_vault_end(
                    vault,
                    psn_journal_note(vault, NULL,
                                     &(struct psn_note){ .event = event, .text = name },
                                     err),
                    err);
}

/* What it replaces goes when it is proved good. */
static enum psn_code copy_checked(struct psn_vault *vault, const char *path, bool replace,
                                  struct psn_error *err)
{
    return psn_store_copy_checked(vault->store, path, replace, check_copy, vault, err);
}

/* In place of "nothing was changed". */
static enum psn_code hint_anew(enum psn_code rc, struct psn_error *err)
{
    if (err)
        err->hint[0] = '\0';
    return psn_hint(
        err, rc,
        _("make the backup anew; this one is restored with: passation restore "
          "--accept-older FILE"));
}

/*
 * Only a copy that is there and was opened is noted as one: whoever is killed before has
 * no backup. The note is a change of the vault, though, and a copy without it would be an
 * older vault than the one seen here, which restore refuses. So it is copied once more:
 * killed in between, the file is the first copy, which was checked.
 */
enum psn_code psn_vault_backup(struct psn_vault *vault, const char *path, bool replace,
                               struct psn_error *err)
{
    struct psn_vault_check check;
    enum psn_code rc = psn_beside_check_dash(path, err);

    if (rc)
        return rc;
    rc = psn_vault_check(vault, &check, err);
    if (rc)
        return psn_wrap(err, rc,
                        _("nothing was written, as the vault itself is not whole"));
    if (!replace && access(path, F_OK) == 0)
        return psn_fail(err, PSN_E_EXISTS, _("'%s' exists already"), path);
    rc = copy_checked(vault, path, replace, err);
    if (rc)
        return rc;
    rc = note_backup(vault, PSN_BACKUP_CHECKED, path, err);
    if (rc) {
        (void)psn_wrap(err, rc, _("'%s' is a good copy, but that cannot be noted"), path);
        return hint_anew(rc, err);
    }
    rc = copy_checked(vault, path, true, err);
    if (!rc)
        return PSN_OK;
    /* Whoever asks for the last backup must not take this one for it. */
    PSN_IGNORE(note_backup(vault, "vault.backup-failed", path, NULL));
    (void)psn_wrap(err, rc,
                   _("'%s' is a good copy, but of the state before it was noted"), path);
    return hint_anew(rc, err);
}
