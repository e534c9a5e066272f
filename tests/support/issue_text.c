#include "support/issue_text.h"

#include <string.h>

#include "base/auto.h"

struct issue_text issue_text_full(void)
{
    return (struct issue_text){
        .head = { [PSN_HEAD_FORMAT] = "1",
                  [PSN_HEAD_SERIAL] = "1795892400000",
                  [PSN_HEAD_ISSUED] = "2026-11-28T15:00:00Z",
                  [PSN_HEAD_ISSUER] =
                      "SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU",
                  [PSN_HEAD_ISSUED_BY] = "Nadia Durand",
                  [PSN_HEAD_REPLY_TO] = "nadia@exemple.fr",
                  [PSN_HEAD_VAULT] = "00112233445566778899aabbccddeeff",
                  [PSN_HEAD_PERSON] = "jp",
                  [PSN_HEAD_NAME] = "Jean-Pierre Martin",
                  [PSN_HEAD_RECIPIENT] = "code",
                  [PSN_HEAD_CLIENT] = "martin",
                  [PSN_HEAD_CLIENT_NAME] = "Boulangerie Martin",
                  [PSN_HEAD_RIGHT] = "read",
                  [PSN_HEAD_FROM] = "2026-11-28T15:00:00Z",
                  [PSN_HEAD_UNTIL] = "2027-02-28T22:59:59Z",
                  [PSN_HEAD_REASON] = "refonte du site",
                  [PSN_HEAD_RECEIPT] = "00000-00000-0" },
        .mailbox = { [PSN_MAILBOX_ADDRESS] = "contact@martin.example",
                     [PSN_MAILBOX_VERSION] = "3",
                     [PSN_MAILBOX_CHANGED] = "2026-11-28T14:58:12Z",
                     [PSN_MAILBOX_PROVED] = "2026-11-28T14:58:20Z",
                     [PSN_MAILBOX_USER] = "contact@martin.example",
                     [PSN_MAILBOX_PASSWORD] = "ab2cd-efghi",
                     [PSN_MAILBOX_WEBMAIL] = "https://www.ovhcloud.com/fr/mail/",
                     [PSN_MAILBOX_IMAP] = "imap.mail.ovh.net 993 SSL/TLS",
                     [PSN_MAILBOX_SMTP] = "smtp.mail.ovh.net 587 STARTTLS" },
        .secret = { [PSN_SECRET_LABEL] = "stripe",
                    [PSN_SECRET_OF] = "contact@martin.example",
                    [PSN_SECRET_TYPE] = "api-key",
                    [PSN_SECRET_VERSION] = "1",
                    [PSN_SECRET_USER] = "compta",
                    [PSN_SECRET_URL] = "https://dashboard.stripe.com",
                    [PSN_SECRET_EXPIRES] = "2027-01-31",
                    [PSN_SECRET_NOTE] = "une ligne",
                    [PSN_SECRET_VALUE] = "sk_live_1" },
    };
}

struct issue_text issue_text_trousseau(void)
{
    struct issue_text issue = issue_text_full();

    issue.head[PSN_HEAD_FORMAT] = "2";
    issue.head[PSN_HEAD_RIGHT] = "own";
    issue.head[PSN_HEAD_UNTIL] = "none";
    issue.account[PSN_ACCOUNT_NIC] = "xm000000-ovh";
    issue.account[PSN_ACCOUNT_DOMAINS] = "martin.example\npain.example";
    issue.account[PSN_ACCOUNT_PANEL] = "https://manager.eu.ovhcloud.com/";
    issue.account[PSN_ACCOUNT_FINGERPRINT_KEY] =
        "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
    issue.mailbox[PSN_MAILBOX_SELF_CHANGE] = "webmail";
    issue.file[PSN_FILE_BLOCK_NAME] = "martin.example.zone";
    issue.file[PSN_FILE_BLOCK_MEDIA] = "text/dns";
    issue.file[PSN_FILE_BLOCK_CONTENT] = "$TTL 3600\n@ IN MX 1 mx1.mail.ovh.net.\n";
    return issue;
}

static void slices(const char *const *texts, size_t count, struct psn_slice *out)
{
    for (size_t i = 0; i < count; i++)
        out[i] = texts[i] ? psn_slice_of(texts[i]) : (struct psn_slice){ 0 };
}

void issue_text_block(struct psn_document_writer *writer, enum psn_block_kind kind,
                      const struct psn_slice *fields)
{
    switch (kind) {
    case PSN_BLOCK_HEAD:
        psn_document_head(writer, fields);
        break;
    case PSN_BLOCK_ACCOUNT:
        psn_document_account(writer, fields);
        break;
    case PSN_BLOCK_MAILBOX:
        psn_document_mailbox(writer, fields);
        break;
    case PSN_BLOCK_SECRET:
        psn_document_secret(writer, fields);
        break;
    case PSN_BLOCK_FILE:
        psn_document_file(writer, fields);
        break;
    case PSN_BLOCK_END:
        break;
    }
}

enum psn_code issue_text_write(const struct issue_text *issue,
                               struct psn_secret **ret_text, struct psn_error *err)
{
    const struct {
        enum psn_block_kind kind;
        const char *const *texts;
        size_t count;
    } parts[] = {
        { PSN_BLOCK_HEAD, issue->head, PSN_HEAD_FIELDS },
        { PSN_BLOCK_ACCOUNT, issue->account, PSN_ACCOUNT_FIELDS },
        { PSN_BLOCK_MAILBOX, issue->mailbox, PSN_MAILBOX_FIELDS },
        { PSN_BLOCK_SECRET, issue->secret, PSN_SECRET_FIELDS },
        { PSN_BLOCK_FILE, issue->file, PSN_FILE_BLOCK_FIELDS },
    };
    struct psn_document_writer writer = { 0 };
    struct psn_slice fields[PSN_DOCUMENT_FIELDS_MAX];

    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        slices(parts[i].texts, parts[i].count, fields);
        if (i < 1 || parts[i].texts[0])
            issue_text_block(&writer, parts[i].kind, fields);
    }
    return psn_document_end(&writer, ret_text, err);
}

static enum psn_code rewrite_block(const struct psn_block *block,
                                   struct psn_document_writer *writer,
                                   struct psn_error *err)
{
    struct psn_secret *values[PSN_DOCUMENT_FIELDS_MAX] = { 0 };
    struct psn_slice fields[PSN_DOCUMENT_FIELDS_MAX] = { 0 };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < PSN_DOCUMENT_FIELDS_MAX; i++) {
        if (!block->fields[i].at)
            continue;
        rc = psn_field_secret(&block->fields[i], &values[i], err);
        if (!rc)
            fields[i] = (struct psn_slice){ psn_secret_bytes(values[i]),
                                            psn_secret_size(values[i]) };
    }
    if (!rc)
        issue_text_block(writer, block->kind, fields);
    for (size_t i = 0; i < PSN_DOCUMENT_FIELDS_MAX; i++)
        psn_secret_free(values[i]);
    return rc;
}

enum psn_code issue_text_rewrite(const struct psn_document *document,
                                 struct psn_secret **ret_text, struct psn_error *err)
{
    struct psn_document_writer writer = { 0 };
    PSN_AUTO(psn_secret) *text = NULL;
    enum psn_code rc = PSN_OK;
    enum psn_code end;

    for (size_t i = 0; !rc && i < document->count; i++)
        rc = rewrite_block(&document->blocks[i], &writer, err);
    end = psn_document_end(&writer, &text, rc ? NULL : err);
    if (!rc && !end)
        *ret_text = PSN_TAKE(text);
    return rc ? rc : end;
}

size_t issue_text_end(const struct psn_secret *text, size_t size)
{
    static const char mark[] = "\nMeans:";
    const uint8_t *bytes = psn_secret_bytes(text);
    size_t at = size - (sizeof mark - 1);

    while (at > 1 && memcmp(bytes + at - 1, mark, sizeof mark - 1) != 0)
        at--;
    return at;
}
