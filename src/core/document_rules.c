#include "core/document_rules.h"

#include <string.h>

#include "core/document_form.h"

enum {
    MUST = PSN_RULE_MUST,
    LINES = PSN_RULE_LINES,
    BASE64 = PSN_RULE_BASE64,
    SECOND = PSN_RULE_SECOND,
};

static const struct psn_rule head_rules[PSN_HEAD_FIELDS] = {
    [PSN_HEAD_FORMAT] = { "Passation-Issue", MUST, NULL, { "1", "2" } },
    [PSN_HEAD_SERIAL] = { "Serial", MUST, psn_form_is_number, { NULL } },
    [PSN_HEAD_ISSUED] = { "Issued", MUST, psn_form_is_time, { NULL } },
    [PSN_HEAD_ISSUER] = { "Issuer", MUST, psn_form_is_fingerprint, { NULL } },
    [PSN_HEAD_ISSUED_BY] = { "Issued-By", MUST, psn_form_is_word, { NULL } },
    [PSN_HEAD_REPLY_TO] = { "Reply-To", 0, psn_form_is_address, { NULL } },
    [PSN_HEAD_VAULT] = { "Vault", MUST, psn_form_is_vault_id, { NULL } },
    [PSN_HEAD_PERSON] = { "Person", MUST, psn_form_is_id, { NULL } },
    [PSN_HEAD_NAME] = { "Name", 0, psn_form_is_word, { NULL } },
    [PSN_HEAD_RECIPIENT] = { "Recipient", MUST, psn_form_is_recipient, { NULL } },
    [PSN_HEAD_CLIENT] = { "Client", MUST, psn_form_is_id, { NULL } },
    [PSN_HEAD_CLIENT_NAME] = { "Client-Name", 0, psn_form_is_word, { NULL } },
    [PSN_HEAD_RIGHT] = { "Right", MUST, NULL, { "read", "own" } },
    [PSN_HEAD_FROM] = { "From", MUST, psn_form_is_time, { NULL } },
    [PSN_HEAD_UNTIL] = { "Until", MUST, psn_form_is_until, { NULL, "none" } },
    [PSN_HEAD_REASON] = { "Reason", LINES, psn_form_is_text, { NULL } },
    [PSN_HEAD_RECEIPT] = { "Receipt", MUST, psn_form_is_receipt, { NULL } },
};

static const struct psn_rule account_rules[PSN_ACCOUNT_FIELDS] = {
    [PSN_ACCOUNT_NIC] = { "Account", MUST, psn_form_is_word, { NULL } },
    [PSN_ACCOUNT_DOMAINS] = { "Domains", MUST | LINES, psn_form_is_domains, { NULL } },
    [PSN_ACCOUNT_PANEL] = { "Panel", 0, psn_form_is_https, { NULL } },
    [PSN_ACCOUNT_FINGERPRINT_KEY] = { "Fingerprint-Key",
                                      MUST,
                                      psn_form_is_fingerprint_key,
                                      { NULL } },
};

static const struct psn_rule mailbox_rules[PSN_MAILBOX_FIELDS] = {
    [PSN_MAILBOX_ADDRESS] = { "Mailbox", MUST, psn_form_is_address, { NULL } },
    [PSN_MAILBOX_VERSION] = { "Version", MUST, psn_form_is_number, { NULL } },
    [PSN_MAILBOX_CHANGED] = { "Changed", 0, psn_form_is_time, { NULL } },
    [PSN_MAILBOX_PROVED] = { "Proved", 0, psn_form_is_time, { NULL } },
    [PSN_MAILBOX_USER] = { "User", MUST | LINES, psn_form_is_text, { NULL } },
    [PSN_MAILBOX_PASSWORD] = { "Password",
                               MUST | LINES | BASE64,
                               psn_form_is_secret,
                               { NULL } },
    [PSN_MAILBOX_WEBMAIL] = { "Webmail", 0, psn_form_is_https, { NULL } },
    [PSN_MAILBOX_IMAP] = { "IMAP", 0, psn_form_is_server, { NULL } },
    [PSN_MAILBOX_SMTP] = { "SMTP", 0, psn_form_is_server, { NULL } },
    [PSN_MAILBOX_SELF_CHANGE] = { "Self-Change",
                                  SECOND,
                                  psn_form_is_self_change,
                                  { NULL } },
};

static const struct psn_rule secret_rules[PSN_SECRET_FIELDS] = {
    [PSN_SECRET_LABEL] = { "Secret", MUST, psn_form_is_label, { NULL } },
    [PSN_SECRET_OF] = { "Of", MUST, psn_form_is_address, { NULL } },
    [PSN_SECRET_TYPE] = { "Type", MUST, psn_form_is_type, { NULL } },
    [PSN_SECRET_VERSION] = { "Version", MUST, psn_form_is_number, { NULL } },
    [PSN_SECRET_USER] = { "User", LINES, psn_form_is_text, { NULL } },
    [PSN_SECRET_URL] = { "URL", LINES, psn_form_is_text, { NULL } },
    [PSN_SECRET_EXPIRES] = { "Expires", 0, psn_form_is_date, { NULL } },
    [PSN_SECRET_NOTE] = { "Note", LINES, psn_form_is_note, { NULL } },
    [PSN_SECRET_VALUE] = { "Value", MUST | LINES | BASE64, psn_form_is_secret, { NULL } },
};

static const struct psn_rule file_rules[PSN_FILE_BLOCK_FIELDS] = {
    [PSN_FILE_BLOCK_NAME] = { "File", MUST, psn_form_is_id, { NULL } },
    [PSN_FILE_BLOCK_MEDIA] = { "Media", MUST, psn_form_is_media, { NULL } },
    [PSN_FILE_BLOCK_CONTENT] = { "Content", MUST | LINES, psn_form_is_content, { NULL } },
};

static const struct psn_rule end_rules[PSN_END_FIELDS] = {
    [PSN_END_MEANS] = { "Means", MUST | LINES, psn_form_is_means, { NULL } },
    [PSN_END_END] = { "End", MUST, NULL, { "passation-issue 1", "passation-issue 2" } },
};

struct psn_rules psn_rules_of(enum psn_block_kind kind)
{
    static const struct psn_rules blocks[] = {
        [PSN_BLOCK_HEAD] = { head_rules, PSN_HEAD_FIELDS },
        [PSN_BLOCK_ACCOUNT] = { account_rules, PSN_ACCOUNT_FIELDS },
        [PSN_BLOCK_MAILBOX] = { mailbox_rules, PSN_MAILBOX_FIELDS },
        [PSN_BLOCK_SECRET] = { secret_rules, PSN_SECRET_FIELDS },
        [PSN_BLOCK_FILE] = { file_rules, PSN_FILE_BLOCK_FIELDS },
        [PSN_BLOCK_END] = { end_rules, PSN_END_FIELDS },
    };

    return blocks[kind];
}

bool psn_rule_fits(const struct psn_rule *rule, unsigned version, const char *text,
                   size_t size)
{
    const char *exact = rule->exact[version - 1];

    if (exact)
        return size == strlen(exact) && memcmp(text, exact, size) == 0;
    return rule->fits && rule->fits(text, size);
}

const char *psn_rules_means(unsigned version)
{
    static const char *const means[] = {
        "Lecture seule : passation ne laisse pas modifier le coffre. Le mot de passe, "
        "lui, permet de lire, d’envoyer et de supprimer.\n"
        "Read-only: passation lets nobody change the vault. The password itself allows "
        "reading, sending and deleting.",
        "Ces accès sont à vous. Changez vous-même chaque mot de passe : personne d’autre "
        "ne le connaît ensuite. Gardez la page et le code à deux endroits.\n"
        "These accesses are yours. Change each password yourself: then nobody else knows "
        "it. Keep the page and the code in two places.",
    };

    return means[version - 1];
}
