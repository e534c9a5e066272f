#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/client.h"
#include "core/handover.h"
#include "core/journal.h"
#include "core/own_access.h"
#include "core/trousseau.h"
#include "crypto/hash.h"
#include "passation/contact.h"
#include "passation/destruction.h"
#include "passation/entry.h"
#include "passation/grant.h"

/*
 * The end. The order is what makes it safe to stop anywhere: our keys at OVH go while
 * everything is still here that is needed to go on; the final statement is on the disk
 * before anything is destroyed; our copies go in one step; what the vault remembers of it
 * is enough for the closing statement.
 */

/* --- whether it may be --- */

static enum psn_code fail_blocked(const struct psn_handover *handover, size_t count,
                                  struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_POLICY,
                   PSN_NGETTEXT("%zu thing keeps the handover of '%s' open",
                                "%zu things keep the handover of '%s' open", count),
                   count, handover->client);
    return psn_hint(err, PSN_E_POLICY,
                    _("nothing was destroyed; see them: passation handover status %s"),
                    handover->client);
}

static enum psn_code check_blockers(struct psn_vault *vault,
                                    const struct psn_handover_close *close,
                                    bool *ret_keys_gone, struct psn_error *err)
{
    struct psn_handover handover = { 0 };
    size_t count = 0;
    enum psn_code rc = psn_handover_get(vault, close->client, &handover, err);

    if (rc)
        return rc;
    for (size_t i = 0; i < handover.blocker_count; i++)
        count += handover.blockers[i].stage < PSN_HANDOVER_CLOSING &&
                 (handover.blockers[i].stage != PSN_HANDOVER_OWNED || !close->unchanged);
    if (count > 0)
        rc = fail_blocked(&handover, count, err);
    *ret_keys_gone = handover.keys_gone_s != 0;
    psn_handover_release(&handover);
    return rc || *ret_keys_gone ? rc
                                : psn_own_access_check_alone(vault, close->client, err);
}

enum psn_code psn_handover_check_closable(struct psn_vault *vault, const char *client,
                                          bool unchanged, struct psn_error *err)
{
    const struct psn_handover_close close = { .client = client, .unchanged = unchanged };
    bool keys_gone;

    return check_blockers(vault, &close, &keys_gone, err);
}

static enum psn_code check_confirm(const struct psn_handover_close *close,
                                   struct psn_error *err)
{
    char shown[128];

    if (close->confirm && strcmp(close->confirm, close->client) == 0)
        return PSN_OK;
    if (close->confirm)
        (void)psn_fail(err, PSN_E_POLICY, _("'%s' is not the client's id, which is '%s'"),
                       psn_text_shown(close->confirm, shown, sizeof shown),
                       close->client);
    else
        (void)psn_fail(
            err, PSN_E_POLICY,
            _("our copies of '%s' are destroyed for good: that is confirmed by the "
              "client's id"),
            close->client);
    return psn_hint(err, PSN_E_POLICY, _("the same command with --confirm %s"),
                    close->client);
}

/* --- the trousseau, if it still lies where it was written --- */

static enum psn_code check_file(const char *folder, const struct psn_kept_file *file,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) bytes = psn_buf_init(PSN_KDBX_FILE_MAX);
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_ISSUE_PATH_MAX);
    char sum[65];
    enum psn_code rc;

    psn_buf_format(&path, "%s/%s", folder, file->name);
    rc = psn_buf_check(&path, err);
    if (!rc)
        rc = psn_file_read(psn_buf_str(&path), &bytes, err);
    if (rc)
        return rc;
    psn_sha256_hex(&(struct psn_part){ bytes.data, bytes.size }, 1, sum);
    if (strcmp(sum, file->sha256) == 0)
        return PSN_OK;
    return psn_fail(err, PSN_E_INTEGRITY, _("%s is not what was issued"),
                    psn_buf_str(&path));
}

/* Those that are kept in the vault, and through the list of digests, which is one of
 * them, all the others. */
static enum psn_code check_folder(const struct psn_handover_row *row,
                                  struct psn_error *err)
{
    size_t count;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < row->file_count; i++)
        rc = check_file(row->path, &row->files[i], err);
    if (!rc)
        rc = psn_trousseau_check_sums(row->path, &count, err);
    if (rc != PSN_E_VERIFY && rc != PSN_E_NOT_FOUND)
        return rc;
    if (err)
        err->code = PSN_E_INTEGRITY;
    return PSN_E_INTEGRITY;
}

static enum psn_code check_trousseau(struct psn_vault *vault, const char *client,
                                     struct psn_error *err)
{
    struct psn_handover_row row = { 0 };
    struct stat info;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (!rc)
        rc = psn_vault_end(vault, psn_handover_row_read_open(vault, client, &row, err),
                           err);
    if (rc)
        return rc;
    if (stat(row.path, &info) != 0)
        return errno == ENOENT || errno == ENOTDIR /* it was given away */
                   ? PSN_OK
                   : psn_fail(err, psn_file_code(errno), _("the folder '%s': %s"),
                              row.path, strerror(errno));
    rc = check_folder(&row, err);
    if (rc)
        return psn_hint(err, rc,
                        _("nothing was destroyed; issue it again, or take the damaged "
                          "folder away if the client has a whole one"));
    return PSN_OK;
}

/* --- our keys --- */

static enum psn_code pass_by(void *arg, const struct psn_access *access,
                             struct psn_error *err)
{
    (void)arg;
    (void)access;
    (void)err;
    return PSN_OK;
}

static enum psn_code note_keys_gone(void *arg, struct psn_vault *vault,
                                    struct psn_handover_row *row, struct psn_error *err)
{
    (void)arg;
    (void)err;
    row->keys_gone_s = vault->world.now_s();
    return PSN_OK;
}

static enum psn_code is_linked(struct psn_vault *vault, const char *id, bool *ret_linked,
                               struct psn_error *err)
{
    struct psn_client client = { 0 };
    enum psn_code rc = psn_client_get(vault, id, &client, err);

    *ret_linked = !rc && client.linked;
    psn_client_release(&client);
    return rc;
}

static enum psn_code revoke_keys(struct psn_vault *vault,
                                 const struct psn_handover_close *close,
                                 struct psn_error *err)
{
    struct psn_own_access_report report;
    bool linked = false;
    enum psn_code rc = is_linked(vault, close->client, &linked, err);

    if (!rc && linked)
        rc = psn_own_access_revoke(vault, close->client, &report, err);
    return rc ? rc
              : psn_handover_change(vault, close->client, "handover.keys-gone", NULL,
                                    note_keys_gone, NULL, err);
}

/* Once more before the keys go: later nobody can look. A run that was killed while they
 * went has looked before it began, and OVH may refuse them now. */
static enum psn_code look_once_more(struct psn_vault *vault, const char *client,
                                    struct psn_error *err)
{
    struct psn_error why = { 0 };
    bool linked = false;
    bool is_begun = false;
    enum psn_code rc = is_linked(vault, client, &linked, err);

    if (!rc && linked)
        rc = psn_own_access_is_begun(vault, client, &is_begun, err);
    if (rc || !linked)
        return rc;
    rc = psn_sweep(vault, client, pass_by, NULL, &why);
    if (rc == PSN_E_REFUSED && is_begun)
        return PSN_OK;
    if (rc && err)
        *err = why;
    return rc;
}

/* --- the statement --- */

static enum psn_code write_statement(struct psn_vault *vault,
                                     const struct psn_handover_close *close,
                                     char digest[65], struct psn_error *err)
{
    struct psn_handover_facts *facts = NULL;
    PSN_AUTO_FREE char *text = NULL;
    enum psn_code rc = psn_handover_facts(vault, close->client, true, &facts, err);

    if (!rc)
        rc = close->state(close->arg, facts, &text, err);
    if (!rc)
        psn_sha256_hex(&(struct psn_part){ text, strlen(text) }, 1, digest);
    psn_handover_facts_free(facts);
    return rc;
}

/* --- what lies beside the vault --- */

static void tell_removed(void *arg, const char *path)
{
    const struct psn_handover_close *close = *(const struct psn_handover_close **)arg;

    if (close->file)
        close->file(close->arg, path, PSN_FATE_DELETED);
}

/* Every trousseau that was issued for the client, the one that counts and those before
 * it, and every file that was issued to anybody else; as the vault remembers them while
 * it has the client. */
struct folders {
    const char *client;
    char **paths; /* owned, each once */
    size_t count;
};

static void folders_release(struct folders *folders)
{
    for (size_t i = 0; i < folders->count; i++)
        free(folders->paths[i]);
    free(folders->paths);
    *folders = (struct folders){ 0 };
}

static enum psn_code take_folder(void *arg, const struct psn_issue *issue,
                                 struct psn_error *err)
{
    struct folders *folders = arg;
    enum psn_code rc;

    if (strcmp(issue->client, folders->client) != 0 || !issue->path[0])
        return PSN_OK;
    for (size_t i = 0; i < folders->count; i++)
        if (strcmp(folders->paths[i], issue->path) == 0) /* written over */
            return PSN_OK;
    rc = PSN_GROW(folders->paths, folders->count, err);
    if (!rc)
        rc = psn_text_keep(issue->path, &folders->paths[folders->count], err);
    folders->count += !rc;
    return rc;
}

/* What was issued to somebody is a file; the envelope's folder is no trousseau. */
static void tell_left(const struct psn_handover_close *close, const char *path)
{
    bool is_trousseau = psn_trousseau_is_folder(path, close->client);
    struct stat info;

    if (close->file && stat(path, &info) == 0 && (is_trousseau || S_ISREG(info.st_mode)))
        close->file(close->arg, path,
                    is_trousseau ? PSN_FATE_UNDER_CODE : PSN_FATE_ISSUED);
}

/* Where the vault remembered that they are, until a moment ago. */
static enum psn_code remove_beside(const struct psn_handover_close *close,
                                   const struct psn_envelope *envelope,
                                   const struct folders *folders, struct psn_error *err)
{
    size_t removed;
    enum psn_code rc = PSN_OK;

    if (envelope->folder[0])
        rc = psn_envelope_remove_files(envelope, tell_removed, &close, &removed, err);
    for (size_t i = 0; i < folders->count; i++)
        tell_left(close, folders->paths[i]);
    return rc;
}

/* --- our copies --- */

static enum psn_code scrub(struct psn_vault *vault,
                           const struct psn_handover_close *close,
                           const struct psn_destruction_request *request,
                           struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; i < close->backup_count; i++) {
        struct psn_scrub scrub = { 0 };
        struct psn_error why = { 0 };
        enum psn_code failed =
            psn_backup_scrub(vault, close->backups[i], request, &scrub, &why);

        if (failed && !rc && err)
            *err = why;
        rc = rc ? rc : failed;
        if (close->backup)
            close->backup(close->arg, close->backups[i], &scrub, failed ? &why : NULL);
    }
    return rc;
}

static enum psn_code destroy_copies(struct psn_vault *vault,
                                    const struct psn_handover_close *close,
                                    const char *digest, const struct folders *folders,
                                    struct psn_error *err)
{
    struct psn_envelope envelope = { 0 };
    struct psn_error why = { 0 };
    char text[80];
    struct psn_destruction done = { 0 };
    struct psn_destruction_request request = { .client = close->client,
                                               .confirm = close->confirm,
                                               .statement = text,
                                               .progress = close->progress,
                                               .arg = close->arg,
                                               .check = psn_handover_check_whole };
    enum psn_code rc;

    (void)snprintf(text, sizeof text, "sha256 %s", digest);
    rc = psn_envelope_find(vault, close->client, &envelope, &why);
    if (rc && rc != PSN_E_NOT_FOUND)
        return psn_fail(err, rc, "%s", why.message);
    rc = psn_client_destroy(vault, &request, &done, err);
    request.check = NULL; /* a backup is as it was that day */
    if (close->destroyed && done.is_done)
        close->destroyed(close->arg, &done);
    if (!rc)
        rc = remove_beside(close, &envelope, folders, err);
    return rc ? rc : scrub(vault, close, &request, err);
}

static enum psn_code destroy(struct psn_vault *vault,
                             const struct psn_handover_close *close, const char *digest,
                             struct psn_error *err)
{
    struct folders folders = { .client = close->client };
    enum psn_code rc = psn_issue_each(vault, NULL, take_folder, &folders, err);

    if (!rc)
        rc = destroy_copies(vault, close, digest, &folders, err);
    folders_release(&folders);
    return rc;
}

/* --- all of it --- */

/* Our copies are destroyed; backups that an earlier run did not come to, or could not
 * open, are not. */
static enum psn_code close_ended(struct psn_vault *vault,
                                 const struct psn_handover_close *close,
                                 const struct psn_handover_end *end,
                                 struct psn_error *err)
{
    const struct psn_destruction_request request = { .client = close->client,
                                                     .confirm = close->confirm,
                                                     .statement = end->text,
                                                     .progress = close->progress,
                                                     .arg = close->arg };
    enum psn_code rc = close->backup_count > 0 ? check_confirm(close, err) : PSN_OK;

    return rc ? rc : scrub(vault, close, &request, err);
}

static enum psn_code close_open(struct psn_vault *vault,
                                const struct psn_handover_close *close,
                                struct psn_error *err)
{
    char digest[65] = "";
    bool keys_gone = false;
    enum psn_code rc = check_blockers(vault, close, &keys_gone, err);

    if (!rc)
        rc = check_confirm(close, err);
    if (!rc)
        rc = check_trousseau(vault, close->client, err);
    if (!rc && !keys_gone) {
        rc = look_once_more(vault, close->client, err);
        if (!rc)
            rc = check_blockers(vault, close, &keys_gone, err);
        if (!rc)
            rc = revoke_keys(vault, close, err);
        /* That took minutes, in which anybody could add a secret. */
        if (!rc)
            rc = check_blockers(vault, close, &keys_gone, err);
    }
    if (!rc)
        rc = write_statement(vault, close, digest, err);
    return rc ? rc : destroy(vault, close, digest, err);
}

enum psn_code psn_handover_close(struct psn_vault *vault,
                                 const struct psn_handover_close *close,
                                 struct psn_error *err)
{
    struct psn_client client = { 0 };
    struct psn_handover_end end;
    struct psn_error why = { 0 };
    enum psn_code rc = psn_client_get(vault, close->client, &client, &why);

    psn_client_release(&client);
    if (!rc)
        return close_open(vault, close, err);
    if (rc == PSN_E_NOT_FOUND && !psn_handover_end_get(vault, close->client, &end, NULL))
        return close_ended(vault, close, &end, err);
    if (err)
        *err = why;
    return rc;
}
