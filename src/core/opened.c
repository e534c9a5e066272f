#include "core/opened.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "crypto/sign.h"
#include "passation/signature.h"

/* What a signed document says. */

void psn_opened_free(struct psn_opened *opened)
{
    if (!opened)
        return;
    psn_document_release(&opened->document);
    psn_secret_free(opened->text);
    free(opened);
}

const struct psn_opened_head *psn_opened_head(const struct psn_opened *opened)
{
    return &opened->head;
}

/* --- the signature --- */

/* One armor, as ssh-keygen breaks it: a signature has one spelling. */
static bool is_strict_armor(const char *text, size_t size)
{
    enum {
        COLUMNS = 70
    };
    const char *at = memchr(text, '\n', size);
    const char *end = text + size;
    size_t last = COLUMNS;

    for (at = at ? at + 1 : end; at < end && *at != '-'; at += last + 1) {
        const char *stop = memchr(at, '\n', (size_t)(end - at));

        if (last != COLUMNS || !stop || stop == at || stop - at > COLUMNS)
            return false;
        last = (size_t)(stop - at);
    }
    return !memchr(text, '\r', size);
}

/* The signature must be all that is left, up to the last byte: of the line ends that an
 * armor may have behind it, exactly one. */
static enum psn_code check_signature(const struct psn_opened *opened,
                                     char ret_fingerprint[PSN_FINGERPRINT_MAX],
                                     struct psn_error *err)
{
    const uint8_t *bytes = psn_secret_bytes(opened->text);
    size_t size = psn_secret_size(opened->text);
    size_t signed_size = opened->document.signed_size;
    const char *text = (const char *)bytes + signed_size;
    struct psn_stream_memory memory = { bytes, signed_size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    uint8_t key[PSN_SIGNATURE_KEY_SIZE];
    enum psn_code rc;

    if (size == signed_size)
        return psn_fail(err, PSN_E_INTEGRITY, _("the issue is not signed"));
    if (bytes[size - 1] != '\n' || bytes[size - 2] != '-')
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("something was added behind the end of the issue"));
    if (!is_strict_armor(text, size - signed_size))
        return psn_fail(
            err, PSN_E_INTEGRITY,
            _("the signature inside the issue is not written as it should be"));
    rc = psn_sshsig_claimed_key(text, size - signed_size, key, err);
    if (!rc)
        rc = psn_sshsig_verify(text, size - signed_size, key, "passation-issue", &source,
                               err);
    if (rc)
        return psn_wrap(err, rc, _("the signature inside the issue"));
    psn_sign_fingerprint(key, ret_fingerprint);
    return PSN_OK;
}

/* --- the head --- */

static enum psn_code number(const struct psn_field *field, uint64_t *ret_value,
                            struct psn_error *err)
{
    char text[24];
    enum psn_code rc = psn_field_text(field, text, sizeof text, err);

    if (!rc && text[0] && !psn_text_parse_u64(text, UINT64_MAX, ret_value))
        rc = psn_fail(err, PSN_E_INTEGRITY, _("a number of the issue is malformed"));
    return rc;
}

/* 0 for an absent time and for "none". */
static enum psn_code moment(const struct psn_field *field, int64_t *ret_time_s,
                            struct psn_error *err)
{
    char text[PSN_TIME_SIZE];
    enum psn_code rc = psn_field_text(field, text, sizeof text, err);

    *ret_time_s = 0;
    if (!rc && text[0] && strcmp(text, "none") != 0 && !psn_clock_parse(text, ret_time_s))
        rc = psn_fail(err, PSN_E_INTEGRITY, _("a time of the issue is malformed"));
    return rc;
}

static enum psn_code read_head(struct psn_opened *opened, struct psn_error *err)
{
    const struct psn_field *fields = opened->document.blocks[0].fields;
    struct psn_opened_head *head = &opened->head;
    const struct {
        enum psn_document_head field;
        char *out;
        size_t size;
    } texts[] = {
        { PSN_HEAD_ISSUER, head->issuer, sizeof head->issuer },
        { PSN_HEAD_ISSUED_BY, head->issued_by, sizeof head->issued_by },
        { PSN_HEAD_REPLY_TO, head->reply_to, sizeof head->reply_to },
        { PSN_HEAD_VAULT, head->vault, sizeof head->vault },
        { PSN_HEAD_PERSON, head->person, sizeof head->person },
        { PSN_HEAD_NAME, head->name, sizeof head->name },
        { PSN_HEAD_CLIENT, head->client, sizeof head->client },
        { PSN_HEAD_CLIENT_NAME, head->client_name, sizeof head->client_name },
        { PSN_HEAD_REASON, head->reason, sizeof head->reason },
        { PSN_HEAD_RECEIPT, head->receipt, sizeof head->receipt },
    };
    enum psn_code rc = number(&fields[PSN_HEAD_SERIAL], &head->serial, err);

    head->version = opened->document.version;
    for (size_t i = 0; !rc && i < sizeof texts / sizeof *texts; i++)
        rc = psn_field_text(&fields[texts[i].field], texts[i].out, texts[i].size, err);
    if (!rc)
        rc = moment(&fields[PSN_HEAD_ISSUED], &head->issued_s, err);
    if (!rc)
        rc = moment(&fields[PSN_HEAD_FROM], &head->from_s, err);
    return rc ? rc : moment(&fields[PSN_HEAD_UNTIL], &head->until_s, err);
}

enum psn_code psn_opened_read(struct psn_secret **text, struct psn_opened **ret_opened,
                              struct psn_error *err)
{
    PSN_AUTO(psn_opened) *opened = calloc(1, sizeof *opened);
    char fingerprint[PSN_FINGERPRINT_MAX];
    enum psn_code rc;

    if (!opened) {
        psn_secret_free(*text);
        *text = NULL;
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    opened->text = PSN_TAKE(*text);
    rc = psn_document_parse(opened->text, &opened->document, err);
    if (!rc)
        rc = check_signature(opened, fingerprint, err);
    if (!rc)
        rc = read_head(opened, err);
    if (!rc && strcmp(fingerprint, opened->head.issuer) != 0)
        rc = psn_fail(err, PSN_E_INTEGRITY,
                      _("the issue names another issuer than the one who signed it"));
    if (!rc)
        *ret_opened = PSN_TAKE(opened);
    return rc;
}

/* --- blocks --- */

struct part {
    size_t field;
    char *out;
    size_t size;
};

static enum psn_code read_texts(const struct psn_block *block, const struct part *parts,
                                size_t count, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < count; i++)
        rc = psn_field_text(&block->fields[parts[i].field], parts[i].out, parts[i].size,
                            err);
    return rc;
}

static enum psn_code read_mailbox(const struct psn_block *block,
                                  struct psn_opened_secret *out,
                                  struct psn_secret **ret_value, struct psn_error *err)
{
    const struct part parts[] = {
        { PSN_MAILBOX_ADDRESS, out->address, sizeof out->address },
        { PSN_MAILBOX_USER, out->user, sizeof out->user },
        { PSN_MAILBOX_WEBMAIL, out->url, sizeof out->url },
        { PSN_MAILBOX_IMAP, out->imap, sizeof out->imap },
        { PSN_MAILBOX_SMTP, out->smtp, sizeof out->smtp },
        { PSN_MAILBOX_SELF_CHANGE, out->self_change, sizeof out->self_change },
    };
    enum psn_code rc = read_texts(block, parts, sizeof parts / sizeof *parts, err);

    if (!rc)
        rc = number(&block->fields[PSN_MAILBOX_VERSION], &out->version, err);
    if (!rc)
        rc = moment(&block->fields[PSN_MAILBOX_CHANGED], &out->changed_s, err);
    if (!rc)
        rc = moment(&block->fields[PSN_MAILBOX_PROVED], &out->proved_s, err);
    return rc ? rc
              : psn_field_secret(&block->fields[PSN_MAILBOX_PASSWORD], ret_value, err);
}

static enum psn_code read_note(const struct psn_field *field, char *out, size_t size,
                               struct psn_error *err)
{
    PSN_AUTO(psn_secret) *note = NULL;
    enum psn_code rc = psn_field_secret(field, &note, err);

    if (rc)
        return rc;
    if (psn_secret_size(note) >= size)
        return psn_fail(err, PSN_E_INTEGRITY, _("a field of the issue is too long"));
    memcpy(out, psn_secret_bytes(note), psn_secret_size(note));
    out[psn_secret_size(note)] = '\0';
    return PSN_OK;
}

static enum psn_code read_secret(const struct psn_block *block,
                                 struct psn_opened_secret *out,
                                 struct psn_secret **ret_value, struct psn_error *err)
{
    const struct part parts[] = {
        { PSN_SECRET_OF, out->address, sizeof out->address },
        { PSN_SECRET_LABEL, out->label, sizeof out->label },
        { PSN_SECRET_TYPE, out->type, sizeof out->type },
        { PSN_SECRET_USER, out->user, sizeof out->user },
        { PSN_SECRET_URL, out->url, sizeof out->url },
        { PSN_SECRET_EXPIRES, out->expires, sizeof out->expires },
    };
    enum psn_code rc = read_texts(block, parts, sizeof parts / sizeof *parts, err);

    if (!rc)
        rc = number(&block->fields[PSN_SECRET_VERSION], &out->version, err);
    if (!rc)
        rc = read_note(&block->fields[PSN_SECRET_NOTE], out->note, sizeof out->note, err);
    return rc ? rc : psn_field_secret(&block->fields[PSN_SECRET_VALUE], ret_value, err);
}

enum psn_code psn_opened_block(const struct psn_block *block,
                               struct psn_opened_secret *ret_secret,
                               struct psn_secret **ret_value, struct psn_error *err)
{
    *ret_secret = (struct psn_opened_secret){ 0 };
    return block->kind == PSN_BLOCK_MAILBOX
               ? read_mailbox(block, ret_secret, ret_value, err)
               : read_secret(block, ret_secret, ret_value, err);
}

enum psn_code psn_opened_each(const struct psn_opened *opened, psn_opened_fn *each,
                              void *arg, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 1; !rc && i < opened->document.count; i++) {
        const struct psn_block *block = &opened->document.blocks[i];
        PSN_AUTO(psn_secret) *value = NULL;
        struct psn_opened_secret secret;

        if (block->kind != PSN_BLOCK_MAILBOX && block->kind != PSN_BLOCK_SECRET)
            continue;
        rc = psn_opened_block(block, &secret, &value, err);
        secret.value = value;
        if (!rc)
            rc = each(arg, &secret, err);
    }
    return rc;
}

enum psn_code psn_opened_account(const struct psn_opened *opened,
                                 psn_opened_account_fn *account, void *arg,
                                 struct psn_error *err)
{
    const struct psn_block *block = &opened->document.blocks[1];
    PSN_AUTO(psn_secret) *domains = NULL;
    PSN_AUTO(psn_secret) *key = NULL;
    struct psn_opened_account shown = { 0 };
    const struct part parts[] = {
        { PSN_ACCOUNT_NIC, shown.nic, sizeof shown.nic },
        { PSN_ACCOUNT_PANEL, shown.panel, sizeof shown.panel },
    };
    enum psn_code rc;

    if (opened->document.version != 2)
        return PSN_OK;
    rc = read_texts(block, parts, sizeof parts / sizeof *parts, err);
    if (!rc)
        rc = psn_field_secret(&block->fields[PSN_ACCOUNT_DOMAINS], &domains, err);
    if (!rc)
        rc = psn_field_secret(&block->fields[PSN_ACCOUNT_FINGERPRINT_KEY], &key, err);
    shown.domains = domains;
    shown.fingerprint_key = key;
    return rc ? rc : account(arg, &shown, err);
}

static enum psn_code hand_file(const struct psn_block *block, psn_opened_file_fn *each,
                               void *arg, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *content = NULL;
    struct psn_opened_file file = { 0 };
    const struct part parts[] = {
        { PSN_FILE_BLOCK_NAME, file.name, sizeof file.name },
        { PSN_FILE_BLOCK_MEDIA, file.media, sizeof file.media },
    };
    enum psn_code rc = read_texts(block, parts, sizeof parts / sizeof *parts, err);

    if (!rc)
        rc = psn_field_secret(&block->fields[PSN_FILE_BLOCK_CONTENT], &content, err);
    file.content = content;
    return rc ? rc : each(arg, &file, err);
}

enum psn_code psn_opened_each_file(const struct psn_opened *opened,
                                   psn_opened_file_fn *each, void *arg,
                                   struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 1; !rc && i < opened->document.count; i++)
        if (opened->document.blocks[i].kind == PSN_BLOCK_FILE)
            rc = hand_file(&opened->document.blocks[i], each, arg, err);
    return rc;
}
