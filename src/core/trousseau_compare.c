#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/stream.h"
#include "core/opened.h"
#include "core/own_key.h"
#include "core/trousseau.h"
#include "crypto/hash.h"
#include "passation/received.h"
#include "passation/signature.h"

/*
 * A trousseau as the client will have it: read from the disk, opened with the code alone,
 * and held against the vault. Only what was found whole here may be destroyed there.
 */
struct comparison {
    struct psn_trousseau *trousseau;
    const char *folder;
    const struct psn_secret *code;     /* of a trousseau, or … */
    const struct psn_secret *identity; /* … the key of an envelope */
    struct psn_vault_keys keys;
    struct psn_minisign_key minisign;
    uint8_t key[PSN_SIGNATURE_KEY_SIZE];
    size_t seen; /* secrets of a document so far */
};

static enum psn_code differs(const char *name, const char *what, struct psn_error *err)
{
    return psn_fail(err, PSN_E_VERIFY, _("%s: %s is not what the vault has"), name, what);
}

static enum psn_code path_of(const struct comparison *comparison, const char *name,
                             struct psn_buf *path, struct psn_error *err)
{
    psn_buf_format(path, "%s/%s", comparison->folder, name);
    return psn_buf_check(path, err);
}

static enum psn_code read_file(const struct comparison *comparison, const char *name,
                               struct psn_buf *bytes, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_ISSUE_PATH_MAX);
    enum psn_code rc = path_of(comparison, name, &path, err);

    return rc ? rc : psn_file_read(psn_buf_str(&path), bytes, err);
}

/* --- the document, in the age file and in the page --- */

static enum psn_code compare_secret(void *arg, const struct psn_opened_secret *secret,
                                    struct psn_error *err)
{
    struct comparison *comparison = arg;
    const struct psn_trousseau *trousseau = comparison->trousseau;
    const struct psn_trousseau_item *item;

    if (comparison->seen == trousseau->item_count)
        return differs(secret->address, secret->label, err);
    item = &trousseau->items[comparison->seen++];
    if (strcmp(item->content.address, secret->address) != 0 ||
        strcmp(item->content.label, secret->label) != 0 ||
        item->content.version != secret->version ||
        !psn_secret_equal(item->value, secret->value))
        return differs(item->content.address,
                       item->content.label[0] ? item->content.label : _("the password"),
                       err);
    return PSN_OK;
}

static enum psn_code compare_document(struct comparison *comparison, const char *name,
                                      struct psn_error *err)
{
    PSN_AUTO(psn_opened) *opened = NULL;
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_ISSUE_PATH_MAX);
    const struct psn_issue_row *row = &comparison->trousseau->draft.row;
    struct psn_open_request request = { .code = comparison->code,
                                        .identity = comparison->identity,
                                        .issuer = comparison->keys.fingerprint };
    enum psn_code rc = path_of(comparison, name, &path, err);

    request.path = psn_buf_str(&path);
    if (!rc)
        rc = psn_open(NULL, &request, &opened, err);
    if (rc)
        return rc;
    if (psn_opened_head(opened)->serial != row->serial ||
        strcmp(psn_opened_head(opened)->receipt, row->receipt) != 0 ||
        strcmp(psn_opened_head(opened)->client, row->client) != 0)
        return differs(name, _("its number"), err);
    if (!psn_opened_head(opened)->outer_checked)
        return psn_fail(err, PSN_E_VERIFY, _("%s has no signature beside it"), name);
    comparison->seen = 0;
    rc = psn_opened_each(opened, compare_secret, comparison, err);
    return rc || comparison->seen == comparison->trousseau->item_count
               ? rc
               : differs(name, _("the number of secrets"), err);
}

/* --- the file for password managers --- */

static enum psn_code compare_kdbx(struct comparison *comparison, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    const struct psn_trousseau *trousseau = comparison->trousseau;
    enum psn_code rc = read_file(comparison, "trousseau.kdbx", &file, err);

    if (!rc)
        rc = psn_kdbx_verify(file.data, file.size, comparison->code, trousseau->entries,
                             trousseau->item_count, err);
    return rc ? psn_wrap(err, rc, "trousseau.kdbx") : PSN_OK;
}

/* --- signatures --- */

static enum psn_code check_ssh(const struct comparison *comparison, const char *name,
                               const struct psn_buf *file, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(PSN_SIGNATURE_TEXT_MAX);
    char beside[PSN_HANDOVER_TEXT_MAX + 16];
    struct psn_stream_memory memory = { file->data, file->size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    enum psn_code rc;

    (void)snprintf(beside, sizeof beside, "%s.sig", name);
    rc = read_file(comparison, beside, &text, err);
    return rc ? rc
              : psn_sshsig_verify(psn_buf_str(&text), text.size, comparison->key,
                                  "passation-file", &source, err);
}

static enum psn_code check_minisign(const struct comparison *comparison, const char *name,
                                    const struct psn_buf *file, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(PSN_SIGNATURE_TEXT_MAX);
    PSN_AUTO_FREE char *comment = NULL;
    char beside[PSN_HANDOVER_TEXT_MAX + 16];
    struct psn_stream_memory memory = { file->data, file->size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    enum psn_code rc;

    (void)snprintf(beside, sizeof beside, "%s.minisig", name);
    rc = read_file(comparison, beside, &text, err);
    return rc ? rc
              : psn_minisign_verify(psn_buf_str(&text), text.size, &comparison->minisign,
                                    &source, &comment, err);
}

static enum psn_code check_signatures(const struct comparison *comparison,
                                      const char *name, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    enum psn_code rc = read_file(comparison, name, &file, err);

    if (!rc)
        rc = check_ssh(comparison, name, &file, err);
    if (!rc)
        rc = check_minisign(comparison, name, &file, err);
    return rc ? psn_wrap(err, rc, "%s", name) : PSN_OK;
}

/* --- the list of digests --- */

enum {
    SUMS_MAX = 4 * 1024 * 1024,
};

static enum psn_code check_sum(const char *folder, char *line, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(PSN_KDBX_FILE_MAX);
    const struct comparison comparison = { .folder = folder };
    char *name = strchr(line, ' ');
    char sum[65];
    enum psn_code rc;

    if (!name || name - line != 64 || name[1] != ' ' || strstr(name, ".."))
        return psn_fail(err, PSN_E_VERIFY, _("SHA256SUMS is not in its form"));
    *name = '\0';
    name += 2;
    rc = read_file(&comparison, name, &file, err);
    if (rc)
        return rc;
    psn_sha256_hex(&(struct psn_part){ file.data, file.size }, 1, sum);
    return strcmp(sum, line) == 0
               ? PSN_OK
               : psn_fail(err, PSN_E_VERIFY, _("%s is damaged: its digest differs"),
                          name);
}

enum psn_code psn_trousseau_check_sums(const char *folder, size_t *ret_count,
                                       struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) sums = psn_buf_init(SUMS_MAX);
    const struct comparison comparison = { .folder = folder };
    enum psn_code rc = read_file(&comparison, "SHA256SUMS", &sums, err);

    *ret_count = 0;
    if (!rc) {
        psn_buf_u8(&sums, '\0');
        rc = psn_buf_check(&sums, err);
    }
    for (char *line = (char *)sums.data; !rc && *line; ++*ret_count) {
        char *end = strchr(line, '\n');

        if (!end)
            return psn_fail(err, PSN_E_VERIFY, _("SHA256SUMS is not in its form"));
        *end = '\0';
        rc = check_sum(folder, line, err);
        line = end + 1;
    }
    return rc;
}

static enum psn_code check_sums(const struct comparison *comparison,
                                struct psn_error *err)
{
    size_t count = 0;
    enum psn_code rc = psn_trousseau_check_sums(comparison->folder, &count, err);

    /* When it was just made, it is known how many there are. */
    if (!rc && comparison->trousseau->file_count &&
        count + 1 != comparison->trousseau->file_count)
        rc = psn_fail(err, PSN_E_VERIFY, _("SHA256SUMS does not name every file"));
    return rc;
}

/* --- all of it --- */

static enum psn_code read_keys(struct comparison *comparison, struct psn_error *err)
{
    struct psn_vault *vault = comparison->trousseau->vault;
    enum psn_code rc = psn_vault_public_keys(vault, &comparison->keys, err);

    if (!rc)
        rc = psn_minisign_public_parse(comparison->keys.minisign,
                                       strlen(comparison->keys.minisign),
                                       &comparison->minisign, err);
    if (!rc)
        memcpy(comparison->key, comparison->minisign.key, sizeof comparison->key);
    return rc;
}

enum psn_code psn_trousseau_compare(struct psn_trousseau *trousseau, const char *folder,
                                    const struct psn_secret *code, struct psn_error *err)
{
    static const char *const signed_files[] = {
        "trousseau.html",    "trousseau.age",      "trousseau.kdbx", "proces-verbal.html",
        "proces-verbal.txt", "proces-verbal.json", "SHA256SUMS",
    };
    struct comparison comparison = { .trousseau = trousseau,
                                     .folder = folder,
                                     .code = code };
    enum psn_code rc = read_keys(&comparison, err);

    if (!rc)
        rc = compare_document(&comparison, "trousseau.age", err);
    if (!rc)
        rc = compare_document(&comparison, "trousseau.html", err);
    if (!rc)
        rc = compare_kdbx(&comparison, err);
    for (size_t i = 0; !rc && i < sizeof signed_files / sizeof *signed_files; i++)
        rc = check_signatures(&comparison, signed_files[i], err);
    return rc ? rc : check_sums(&comparison, err);
}

enum psn_code psn_trousseau_compare_envelope(struct psn_trousseau *trousseau,
                                             const char *folder,
                                             const struct psn_secret *key,
                                             struct psn_error *err)
{
    static const char *const extensions[] = { "age", "html" };
    struct comparison comparison = { .trousseau = trousseau,
                                     .folder = folder,
                                     .identity = key };
    enum psn_code rc = read_keys(&comparison, err);

    for (size_t i = 0; !rc && i < sizeof extensions / sizeof *extensions; i++) {
        char name[PSN_CLIENT_ID_MAX + 32];

        (void)snprintf(name, sizeof name, "enveloppe-%s.%s", trousseau->client,
                       extensions[i]);
        rc = compare_document(&comparison, name, err);
        if (!rc)
            rc = check_signatures(&comparison, name, err);
    }
    return rc;
}
