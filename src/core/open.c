#include <string.h>

#include "age/identity.h"
#include "age/lists.h"
#include "base/allow.h"
#include "base/file.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/stream.h"
#include "core/opened.h"
#include "core/own_key.h"
#include "core/recipient.h"
#include "core/trust.h"
#include "crypto/sign.h"
#include "crypto/ssh_key.h"
#include "passation/signature.h"

/*
 * From a file to an issue that may be believed. In this order, and nothing is shown
 * before the last step:
 *
 *   1. FILE.sig, if it is there, is a signature of FILE
 *   2. FILE opens with the identity or the code
 *   3. the text is an issue, and the signature inside covers it to the last byte
 *   4. both signatures are by one key
 *   5. it is made out to the identity that opened it
 *   6. the key is trusted: pinned, or named by the user, or confirmed on the terminal
 */
enum {
    WORK_FACTOR_MAX = 18, /* issues are made with 16; more is somebody else's idea */
};

struct opening {
    const struct psn_open_request *request;
    const struct psn_secret *identity; /* the request's, or … */
    struct psn_secret *own;            /* … one of the vault's own */
    struct psn_buf file;
    char outer[PSN_FINGERPRINT_MAX]; /* who signed FILE.sig, or "" */
};

/* --- 1: the signature beside the file --- */

static enum psn_code check_outer(struct opening *opening, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) beside = psn_buf_init(PSN_SIGNATURE_TEXT_MAX);
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_ISSUE_PATH_MAX);
    struct psn_stream_memory memory = { opening->file.data, opening->file.size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    uint8_t key[PSN_SIGN_PUBLIC_SIZE];
    bool is_none;
    enum psn_code rc;

    psn_buf_format(&path, "%s.sig", opening->request->path);
    rc = psn_buf_check(&path, err);
    if (rc)
        return rc;
    rc = psn_allow(PSN_E_NOT_FOUND, psn_file_read(psn_buf_str(&path), &beside, err),
                   &is_none, err);
    if (is_none)
        return PSN_OK;
    if (!rc)
        rc = psn_sshsig_claimed_key(psn_buf_str(&beside), beside.size, key, err);
    if (!rc)
        rc = psn_sshsig_verify(psn_buf_str(&beside), beside.size, key, "passation-file",
                               &source, err);
    if (rc)
        return psn_wrap(err, rc, _("the signature beside the file"));
    psn_sign_fingerprint(key, opening->outer);
    return PSN_OK;
}

/* --- 2: the encryption --- */

/* The lines of a page from BEGIN AGE to END AGE; the whole file otherwise. */
static enum psn_code find_payload(const struct psn_buf *file, struct psn_slice *ret,
                                  struct psn_error *err)
{
    static const char begin[] = "\n-----BEGIN AGE ENCRYPTED FILE-----\n";
    static const char end[] = "\n-----END AGE ENCRYPTED FILE-----\n";
    const uint8_t *from;
    const uint8_t *to;

    *ret = (struct psn_slice){ file->data, file->size };
    if (file->size == 0 || file->data[0] != '<')
        return PSN_OK;
    from = memmem(file->data, file->size, begin, sizeof begin - 1);
    to = from
             ? memmem(from, file->size - (size_t)(from - file->data), end, sizeof end - 1)
             : NULL;
    if (!to ||
        memmem(to, file->size - (size_t)(to - file->data), begin, sizeof begin - 1))
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("this page carries no issue, or more than one"));
    ret->at = from + 1;
    ret->size = (size_t)(to - from) + sizeof end - 2;
    return PSN_OK;
}

struct plain {
    struct psn_secret *text;
};

static enum psn_code keep(void *self, const void *bytes, size_t size,
                          struct psn_error *err)
{
    struct plain *plain = self;

    return psn_secret_append(plain->text, bytes, size, err);
}

static enum psn_code list_keys(const struct opening *opening,
                               struct psn_age_identities **ret_keys,
                               struct psn_error *err)
{
    PSN_AUTO(psn_age_identities) *keys = NULL;
    enum psn_code rc = psn_age_identities_new(&keys, err);

    if (!rc && opening->identity)
        rc = psn_age_identities_add(keys, opening->identity, err);
    if (!rc && opening->request->code)
        rc = psn_age_identities_add_passphrase(keys, opening->request->code,
                                               WORK_FACTOR_MAX, err);
    if (!rc)
        *ret_keys = PSN_TAKE(keys);
    return rc;
}

static enum psn_code decrypt(const struct opening *opening, struct psn_secret **ret_text,
                             struct psn_error *err)
{
    PSN_AUTO(psn_age_identities) *keys = NULL;
    PSN_AUTO(psn_secret) *text = NULL;
    struct plain plain;
    struct psn_sink sink = { keep, &plain };
    struct psn_slice payload;
    struct psn_stream_memory memory;
    struct psn_source source = psn_source_memory(&memory);
    enum psn_code rc = find_payload(&opening->file, &payload, err);

    if (!rc)
        rc = list_keys(opening, &keys, err);
    if (!rc)
        rc = psn_secret_new(payload.size < PSN_DOCUMENT_SECOND_MAX
                                ? payload.size + 1
                                : PSN_DOCUMENT_SECOND_MAX,
                            &text, err);
    if (rc)
        return rc;
    plain.text = text;
    memory = (struct psn_stream_memory){ payload.at, payload.size, 0 };
    rc = psn_age_decrypt(keys, NULL, &source, &sink, NULL, err);
    if (rc == PSN_E_DENIED)
        return psn_hint(err, rc,
                        opening->request->code
                            ? _("compare the code word by word; it belongs to one file "
                                "only")
                            : _("name your key with --identity-file FILE, or unlock the "
                                "vault that it was made out to"));
    if (!rc)
        *ret_text = PSN_TAKE(text);
    return rc;
}

static enum psn_code own_identity(struct psn_vault *vault, uint64_t number,
                                  struct psn_secret **ret_identity, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *scalar = NULL;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (!rc)
        rc = psn_vault_end(vault, psn_own_identity(vault, number, &scalar, err), err);
    return rc ? rc : psn_age_identity_text(scalar, ret_identity, err);
}

static enum psn_code fail_with(enum psn_code rc, const struct psn_error *why,
                               struct psn_error *err)
{
    if (err)
        *err = *why;
    return rc;
}

/* Whoever gave no key has the vault's own: the one in use, then the former ones, since
 * what was made out to one of them is still ours. */
static enum psn_code decrypt_by_own(struct psn_vault *vault, struct opening *opening,
                                    struct psn_secret **ret_text, struct psn_error *err)
{
    struct psn_error first = { 0 };

    for (uint64_t number = 0;; number++) {
        struct psn_error why = { 0 };
        enum psn_code rc;

        psn_secret_free(PSN_TAKE(opening->own));
        rc = own_identity(vault, number, &opening->own, &why);
        if (rc == PSN_E_NOT_FOUND && number > 0)
            return fail_with(PSN_E_DENIED, &first, err);
        if (rc)
            return fail_with(rc, &why, err);
        opening->identity = opening->own;
        rc = decrypt(opening, ret_text, &why);
        if (rc != PSN_E_DENIED)
            return rc ? fail_with(rc, &why, err) : PSN_OK;
        if (number == 0)
            first = why;
    }
}

/* --- 5: for whom --- */

static enum psn_code check_recipient(const struct psn_opened *opened,
                                     const struct opening *opening, struct psn_error *err)
{
    const struct psn_field *field =
        &opened->document.blocks[0].fields[PSN_HEAD_RECIPIENT];
    char named[PSN_RECIPIENT_TEXT_MAX];
    bool ours = false;
    enum psn_code rc = psn_field_text(field, named, sizeof named, err);

    if (!rc && strcmp(named, "code") == 0)
        ours = opening->request->code != NULL;
    else if (!rc && opening->identity)
        rc = psn_recipient_is_of(named, opening->identity, &ours, err);
    if (!rc && !ours)
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("the issue is made out to somebody else: it was passed on, or "
                          "wrapped anew"));
    return rc;
}

/* --- 6: by whom --- */

static enum psn_code is_pinned(struct psn_vault *vault, const char *fingerprint,
                               bool *ret_pinned, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(vault,
                              psn_issuer_is_pinned(vault, fingerprint, ret_pinned, err),
                              err);
}

static enum psn_code pin(struct psn_vault *vault, const struct psn_opened *opened,
                         struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc
              : psn_vault_end(vault,
                              psn_issuer_pin(vault, opened->head.issuer,
                                             opened->head.issued_by, err),
                              err);
}

/* What the user named: a fingerprint, or a key whose fingerprint it is. */
static enum psn_code is_named(const char *issuer, const char *fingerprint,
                              bool *ret_named, struct psn_error *err)
{
    uint8_t key[PSN_SIGN_PUBLIC_SIZE];
    char named[PSN_FINGERPRINT_MAX];

    if (strncmp(issuer, "SHA256:", 7) == 0) {
        *ret_named = strcmp(issuer, fingerprint) == 0;
        return PSN_OK;
    }
    if (psn_ssh_public_parse(issuer, strlen(issuer), key, NULL)) {
        (void)psn_fail(err, PSN_E_INVALID, _("--issuer: this is no key"));
        return psn_hint(err, PSN_E_INVALID,
                        _("give a fingerprint, SHA256:…, or a key, ssh-ed25519 AAAA…"));
    }
    psn_sign_fingerprint(key, named);
    *ret_named = strcmp(named, fingerprint) == 0;
    return PSN_OK;
}

static enum psn_code check_issuer(struct psn_vault *vault, struct psn_opened *opened,
                                  const struct psn_open_request *request,
                                  struct psn_error *err)
{
    const char *fingerprint = opened->head.issuer;
    bool trusted = false;
    enum psn_code rc = PSN_OK;

    if (request->issuer) {
        rc = is_named(request->issuer, fingerprint, &trusted, err);
        if (!rc && !trusted)
            return psn_fail(err, PSN_E_INTEGRITY,
                            _("the issue was signed by %s, not by the issuer you named"),
                            fingerprint);
        return rc || !vault ? rc : pin(vault, opened, err);
    }
    if (vault)
        rc = is_pinned(vault, fingerprint, &trusted, err);
    if (rc || trusted)
        return rc;
    if (!request->confirm) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("the issuer %s is not known here, so nothing is shown"),
                       fingerprint);
        return psn_hint(err, PSN_E_POLICY,
                        _("ask for the fingerprint by telephone, and name it: --issuer "
                          "SHA256:…"));
    }
    rc = request->confirm(request->arg, fingerprint, opened->head.issued_by, err);
    return rc || !vault ? rc : pin(vault, opened, err);
}

/* --- all of it --- */

static enum psn_code open_file(struct psn_vault *vault, struct opening *opening,
                               struct psn_opened **ret_opened, struct psn_error *err)
{
    PSN_AUTO(psn_opened) *opened = NULL;
    PSN_AUTO(psn_secret) *text = NULL;
    bool by_own = vault && !opening->identity && !opening->request->code;
    enum psn_code rc = psn_file_read(opening->request->path, &opening->file, err);

    if (!rc)
        rc = check_outer(opening, err);
    if (!rc)
        rc = by_own ? decrypt_by_own(vault, opening, &text, err)
                    : decrypt(opening, &text, err);
    if (!rc)
        rc = psn_opened_read(&text, &opened, err);
    if (!rc && opening->outer[0] && strcmp(opening->outer, opened->head.issuer) != 0)
        rc = psn_fail(err, PSN_E_INTEGRITY,
                      _("the file and the issue inside were signed by different keys"));
    if (!rc)
        rc = check_recipient(opened, opening, err);
    if (!rc)
        rc = check_issuer(vault, opened, opening->request, err);
    if (rc)
        return rc;
    opened->head.outer_checked = opening->outer[0] != '\0';
    *ret_opened = PSN_TAKE(opened);
    return PSN_OK;
}

enum psn_code psn_open(struct psn_vault *vault, const struct psn_open_request *request,
                       struct psn_opened **ret_opened, struct psn_error *err)
{
    struct opening opening = { .request = request,
                               .identity = request->identity,
                               .file = psn_buf_init(PSN_ISSUE_FILE_MAX) };
    enum psn_code rc = open_file(vault, &opening, ret_opened, err);

    psn_secret_free(opening.own);
    psn_buf_release(&opening.file);
    return rc;
}
