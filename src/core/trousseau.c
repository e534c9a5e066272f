#include "core/trousseau.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/client.h"
#include "core/journal.h"
#include "crypto/generate.h"

/* Making a trousseau, opening it again, and its receipt. */

/* --- whether it may be made --- */

static enum psn_code fail_blocked(const struct psn_handover *handover,
                                  struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_POLICY,
                   PSN_NGETTEXT("%zu thing has to be done before the trousseau is made",
                                "%zu things have to be done before the trousseau is made",
                                handover->blocker_count),
                   handover->blocker_count);
    return psn_hint(err, PSN_E_POLICY,
                    _("see them: passation handover status %s; do what a machine can: "
                      "passation handover next %s"),
                    handover->client, handover->client);
}

static enum psn_code check_ready(struct psn_vault *vault, const char *client,
                                 struct psn_error *err)
{
    struct psn_handover handover = { 0 };
    enum psn_code rc = psn_handover_get(vault, client, &handover, err);

    if (rc)
        return rc;
    while (handover.blocker_count > 0 &&
           handover.blockers[handover.blocker_count - 1].stage >= PSN_HANDOVER_ISSUE)
        handover.blocker_count--;
    if (handover.blocker_count > 0)
        rc = fail_blocked(&handover, err);
    psn_handover_release(&handover);
    return rc;
}

/* --- the folder --- */

/* "trousseau-CLIENT-SERIAL"; another client's id may begin with this one's. */
static bool is_folder_name(const char *name, const char *client)
{
    static const char head[] = "trousseau-";
    size_t size = strlen(client);
    const char *serial = name + sizeof head + size;

    return strncmp(name, head, sizeof head - 1) == 0 &&
           strncmp(name + sizeof head - 1, client, size) == 0 && serial[-1] == '-' &&
           *serial && serial[strspn(serial, "0123456789")] == '\0';
}

bool psn_trousseau_is_folder(const char *path, const char *client)
{
    const char *slash = strrchr(path, '/');

    return is_folder_name(slash ? slash + 1 : path, client);
}

/* What a run that was killed has left. */
static void remove_left_over(const struct psn_trousseau *trousseau)
{
    DIR *stream = opendir(trousseau->request->directory);
    const struct dirent *entry;

    if (!stream)
        return;
    while ((entry = readdir(stream)) != NULL) {
        char path[PSN_ISSUE_PATH_MAX];

        if (entry->d_name[0] == '.' &&
            is_folder_name(entry->d_name + 1, trousseau->request->client) &&
            snprintf(path, sizeof path, "%s/%s", trousseau->request->directory,
                     entry->d_name) < (int)sizeof path)
            psn_file_remove_tree(path);
    }
    (void)closedir(stream);
}

static enum psn_code make_folder(struct psn_trousseau *trousseau, struct psn_error *err)
{
    PSN_AUTO_FREE char *directory = NULL;
    const struct psn_delivery delivery = { .directory = trousseau->request->directory };
    unsigned long long serial = trousseau->draft.row.serial;
    enum psn_code rc = psn_delivery_folder(&delivery, &directory, err);

    if (rc)
        return rc;
    remove_left_over(trousseau);
    if (snprintf(trousseau->folder, sizeof trousseau->folder, "%s/trousseau-%s-%llu",
                 directory, trousseau->request->client,
                 serial) >= (int)sizeof trousseau->folder - 64 ||
        snprintf(trousseau->partial, sizeof trousseau->partial, "%s/.trousseau-%s-%llu",
                 directory, trousseau->request->client,
                 serial) >= (int)sizeof trousseau->partial)
        return psn_fail(err, PSN_E_INVALID, _("the folder's name is too long"));
    if (mkdir(trousseau->partial, 0700) == 0)
        return PSN_OK;
    return psn_fail(err, psn_file_code(errno), _("the folder '%s': %s"),
                    trousseau->partial, strerror(errno));
}

static int compare_files(const void *a, const void *b)
{
    return strcmp(((const struct psn_handover_file *)a)->name,
                  ((const struct psn_handover_file *)b)->name);
}

static enum psn_code write_sums(struct psn_trousseau *trousseau, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) sums = psn_buf_init(PSN_ISSUE_FILE_MAX);
    enum psn_code rc;

    qsort(trousseau->files, trousseau->file_count, sizeof *trousseau->files,
          compare_files);
    for (size_t i = 0; i < trousseau->file_count; i++)
        psn_buf_format(&sums, "%s  %s\n", trousseau->files[i].sha256,
                       trousseau->files[i].name);
    rc = psn_buf_check(&sums, err);
    return rc ? rc
              : psn_trousseau_put(trousseau, "SHA256SUMS", sums.data, sums.size, false,
                                  true, err);
}

static enum psn_code fail_changed(struct psn_error *err)
{
    return psn_fail(err, PSN_E_CONFLICT,
                    _("the handover was changed while its trousseau was made"));
}

/* The statement is about what is in the trousseau, and both are in the same order. */
static enum psn_code add_fingerprints(const struct psn_trousseau *trousseau,
                                      struct psn_handover_facts *facts,
                                      struct psn_error *err)
{
    if (facts->secret_count != trousseau->item_count)
        return fail_changed(err);
    for (size_t i = 0; i < facts->secret_count; i++) {
        struct psn_handover_secret *secret = &facts->secrets[i];
        const struct psn_content *content = &trousseau->items[i].content;

        if (content->version != secret->version ||
            strcmp(content->address, secret->address) != 0 ||
            strcmp(content->label, secret->label) != 0)
            return fail_changed(err);
        memcpy(secret->fingerprint, trousseau->items[i].fingerprint,
               sizeof secret->fingerprint);
    }
    return PSN_OK;
}

/* The facts with what only this run knows: fingerprints and files. */
/* What was true of the trousseau before this one is not of it: it is whole, and its
 * receipt is still to come. */
static enum psn_code look_afresh(struct psn_handover *handover, struct psn_error *err)
{
    size_t kept = 0;
    enum psn_code rc;

    handover->confirmed_s = 0;
    for (size_t i = 0; i < handover->blocker_count; i++) {
        struct psn_handover_blocker *at = &handover->blockers[i];

        if (at->stage == PSN_HANDOVER_ISSUE || at->stage == PSN_HANDOVER_RECEIPT ||
            at->stage == PSN_HANDOVER_OWNED)
            continue;
        handover->blockers[kept++] = *at;
    }
    handover->blocker_count = kept;
    rc = PSN_GROW(handover->blockers, handover->blocker_count, err);
    if (!rc)
        handover->blockers[handover->blocker_count++] =
            (struct psn_handover_blocker){ .stage = PSN_HANDOVER_RECEIPT,
                                           .block = PSN_BLOCKER_NO_RECEIPT,
                                           .who = PSN_WHO_CLIENT };
    return rc;
}

static enum psn_code add_facts(struct psn_trousseau *trousseau,
                               struct psn_handover_facts *facts, struct psn_error *err)
{
    enum psn_code rc = add_fingerprints(trousseau, facts, err);

    if (rc)
        return rc;
    free(facts->files);
    facts->file_count = 0;
    facts->files = calloc(trousseau->file_count + 1, sizeof *facts->files);
    if (!facts->files)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    qsort(trousseau->files, trousseau->file_count, sizeof *trousseau->files,
          compare_files);
    facts->file_count = trousseau->file_count;
    if (facts->file_count)
        memcpy(facts->files, trousseau->files, facts->file_count * sizeof *facts->files);
    for (size_t i = 0; i < PSN_HANDOVER_ITEMS; i++)
        if (psn_handover_item_info(i).by_machine &&
            facts->handover.items[i].mode == PSN_HANDOVER_OPEN)
            facts->handover.items[i].mode = PSN_HANDOVER_GIVEN;
    facts->handover.serial = trousseau->draft.row.serial;
    facts->handover.issued_s = trousseau->draft.row.created_s;
    return look_afresh(&facts->handover, err);
}

static enum psn_code write_statement(struct psn_trousseau *trousseau,
                                     struct psn_error *err)
{
    struct psn_handover_facts *facts = NULL;
    const struct psn_trousseau_request *request = trousseau->request;
    enum psn_code rc =
        psn_handover_facts(trousseau->vault, request->client, false, &facts, err);

    if (!rc)
        rc = add_facts(trousseau, facts, err);
    if (!rc)
        rc = request->state(request->arg, facts, trousseau, err);
    psn_handover_facts_free(facts);
    return rc;
}

static enum psn_code put_in_place(const struct psn_trousseau *trousseau,
                                  struct psn_error *err)
{
    enum psn_code rc;

    if (rename(trousseau->partial, trousseau->folder) != 0)
        return psn_fail(err, psn_file_code(errno), _("the folder '%s': %s"),
                        trousseau->folder, strerror(errno));
    rc = psn_file_sync_dir_of(trousseau->folder, err);
    if (rc)
        psn_file_remove_tree(trousseau->folder);
    return rc;
}

static enum psn_code write_folder(struct psn_trousseau *trousseau, struct psn_error *err)
{
    enum psn_code rc = make_folder(trousseau, err);

    if (rc)
        return rc;
    rc = psn_trousseau_write(trousseau, err);
    if (!rc)
        rc = write_statement(trousseau, err);
    if (!rc)
        rc = write_sums(trousseau, err);
    if (!rc)
        rc = put_in_place(trousseau, err);
    if (rc)
        psn_file_remove_tree(trousseau->partial);
    return rc;
}

/* --- what is durable afterwards --- */

/* What the statement of the end tells of files that were given away. */
static void keep_files(const struct psn_trousseau *trousseau,
                       struct psn_handover_row *row)
{
    row->file_count = 0;
    for (size_t i = 0;
         i < trousseau->file_count && row->file_count < PSN_HANDOVER_KEPT_FILES; i++) {
        const struct psn_handover_file *from = &trousseau->files[i];
        struct psn_kept_file *file = &row->files[row->file_count];

        if (strchr(from->name, '/') || strlen(from->name) >= sizeof file->name)
            continue;
        (void)snprintf(file->name, sizeof file->name, "%.63s", from->name);
        memcpy(file->sha256, from->sha256, sizeof file->sha256);
        file->size = from->size;
        row->file_count++;
    }
}

static enum psn_code take_trousseau(void *arg, struct psn_vault *vault,
                                    struct psn_handover_row *row, struct psn_error *err)
{
    struct psn_trousseau *trousseau = arg;
    struct psn_draft *draft = &trousseau->draft;
    enum psn_code rc;

    if (strcmp(row->to, draft->person.id) != 0)
        return fail_changed(err);
    rc = psn_handover_void_issue(vault, draft->row.client, row, err);
    draft->row.state = PSN_ISSUE_WRITTEN;
    if (!rc)
        rc = psn_issue_row_write(vault, &draft->row, err);
    row->serial = draft->row.serial;
    row->issued_s = draft->row.created_s;
    row->compared_s = vault->world.now_s();
    memcpy(row->path, trousseau->folder, sizeof row->path);
    keep_files(trousseau, row);
    return rc;
}

static enum psn_code finish(struct psn_trousseau *trousseau, struct psn_error *err)
{
    char serial[32];

    psn_issue_serial_text(trousseau->draft.row.serial, serial);
    return psn_handover_change(trousseau->vault, trousseau->request->client,
                               "trousseau.issued", serial, take_trousseau, trousseau,
                               err);
}

/* --- all of it --- */

static enum psn_code deliver(struct psn_trousseau *trousseau, struct psn_error *err)
{
    struct psn_draft *draft = &trousseau->draft;
    const struct psn_trousseau_request *request = trousseau->request;
    struct psn_issue view;
    enum psn_code rc = psn_generate_passphrase(
        request->language ? request->language : "en", &draft->code, err);

    if (!rc)
        rc = write_folder(trousseau, err);
    if (rc)
        return rc;
    rc = psn_trousseau_compare(trousseau, trousseau->folder, draft->code, err);
    (void)snprintf(draft->row.path, sizeof draft->row.path, "%s", trousseau->folder);
    view = psn_issue_view(&draft->row);
    /* Before it counts as issued: a code that nobody heard would be lost. */
    if (!rc)
        rc = request->tell_code(request->arg, &view, draft->code, err);
    if (!rc)
        rc = finish(trousseau, err);
    if (rc)
        psn_file_remove_tree(trousseau->folder);
    return rc;
}

static enum psn_code compose(struct psn_trousseau *trousseau, struct psn_error *err)
{
    struct psn_handover_row row;
    enum psn_code rc = psn_handover_row_read_open(trousseau->vault,
                                                  trousseau->request->client, &row, err);

    return rc ? rc
              : psn_trousseau_compose(trousseau, row.to, NULL, "trousseau.prepared", err);
}

static enum psn_code make(struct psn_trousseau *trousseau, struct psn_error *err)
{
    struct psn_vault *vault = trousseau->vault;
    enum psn_code rc = psn_trousseau_take_zones(trousseau, err);

    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    if (rc)
        return rc;
    rc = psn_vault_end(vault, compose(trousseau, err), err);
    return rc ? rc : deliver(trousseau, err);
}

enum psn_code psn_handover_issue(struct psn_vault *vault,
                                 const struct psn_trousseau_request *request,
                                 struct psn_error *err)
{
    struct psn_trousseau trousseau = { .vault = vault,
                                       .client = request->client,
                                       .request = request };
    const struct psn_delivery delivery = { .directory = request->directory };
    enum psn_code rc = psn_delivery_check(&delivery, err);

    if (!rc && !request->tell_code)
        rc = psn_fail(err, PSN_E_INVALID,
                      _("a trousseau needs somebody to tell its code"));
    if (!rc)
        rc = check_ready(vault, request->client, err);
    /* One at a time: a second would void the first, whose code was told. */
    if (!rc)
        rc = psn_vault_lock_operation(vault, "handover issue", err);
    if (rc)
        return rc;
    rc = make(&trousseau, err);
    psn_trousseau_release(&trousseau);
    psn_vault_unlock_operation(vault);
    return rc ? psn_wrap(err, rc, _("the trousseau of '%s'"), request->client) : PSN_OK;
}

/* --- opening it again --- */

static enum psn_code load(struct psn_trousseau *trousseau, const char *client,
                          char folder[4096], struct psn_error *err)
{
    struct psn_vault *vault = trousseau->vault;
    struct psn_draft *draft = &trousseau->draft;
    struct psn_handover_row row;
    enum psn_code rc = psn_handover_row_read_open(vault, client, &row, err);

    if (!rc)
        rc = psn_client_read(vault, client, &draft->client, err);
    if (!rc)
        rc = psn_handover_issue_row(vault, client, &row, &draft->row, err);
    if (!rc)
        rc = psn_trousseau_take_items(trousseau, draft->row.contents,
                                      draft->row.content_count, NULL, err);
    memcpy(folder, row.path, sizeof row.path);
    return rc;
}

static enum psn_code take_comparison(void *arg, struct psn_vault *vault,
                                     struct psn_handover_row *row, struct psn_error *err)
{
    const struct psn_trousseau *trousseau = arg;

    if (row->serial != trousseau->draft.row.serial)
        return psn_fail(err, PSN_E_CONFLICT, _("another trousseau was issued meanwhile"));
    row->compared_s = vault->world.now_s();
    return PSN_OK;
}

enum psn_code psn_handover_compare(struct psn_vault *vault, const char *client,
                                   const char *directory, const struct psn_secret *code,
                                   struct psn_error *err)
{
    struct psn_trousseau trousseau = { .vault = vault };
    char folder[4096] = "";
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, load(&trousseau, client, folder, err), err);
    if (!rc)
        rc = psn_trousseau_compare(&trousseau, directory ? directory : folder, code, err);
    if (!rc)
        rc = psn_handover_change(vault, client, "trousseau.compared", NULL,
                                 take_comparison, &trousseau, err);
    psn_trousseau_release(&trousseau);
    return rc ? psn_wrap(err, rc, _("the trousseau of '%s'"), client) : PSN_OK;
}

enum psn_code psn_handover_confirm(struct psn_vault *vault, const char *client,
                                   const char *code, struct psn_error *err)
{
    struct psn_handover handover = { 0 };
    struct psn_issue issue;
    enum psn_code rc = psn_handover_get(vault, client, &handover, err);

    if (!rc && !handover.serial)
        rc = psn_fail(err, PSN_E_POLICY, _("no trousseau of '%s' was issued"), client);
    psn_handover_release(&handover);
    return rc ? rc : psn_receipt_check(vault, handover.serial, code, &issue, err);
}
