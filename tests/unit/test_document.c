#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/document.h"
#include "crypto/init.h"
#include "support/issue_text.h"

enum {
    TEXT_MAX = 16 * 1024
};

static struct psn_secret *secret_of(const char *bytes, size_t size)
{
    struct psn_secret *secret = NULL;

    assert_int_equal(psn_secret_new(size + 1, &secret, NULL), PSN_OK);
    assert_int_equal(psn_secret_append(secret, bytes, size, NULL), PSN_OK);
    return secret;
}

static void write_text(const struct issue_text *issue, char out[TEXT_MAX])
{
    struct psn_secret *text = NULL;
    struct psn_error err = { 0 };

    assert_int_equal(issue_text_write(issue, &text, &err), PSN_OK);
    assert_true(psn_secret_size(text) < TEXT_MAX);
    memcpy(out, psn_secret_bytes(text), psn_secret_size(text));
    out[psn_secret_size(text)] = '\0';
    psn_secret_free(text);
}

static enum psn_code parse(const char *text, struct psn_error *err)
{
    struct psn_secret *secret = secret_of(text, strlen(text));
    struct psn_document document = { 0 };
    enum psn_code rc = psn_document_parse(secret, &document, err);

    psn_document_release(&document);
    psn_secret_free(secret);
    return rc;
}

/* --- writing --- */

static void a_full_issue_reads_as_the_format_says(void **state)
{
    static const char expected[] =
        "Passation-Issue: 1\n"
        "Serial: 1795892400000\n"
        "Issued: 2026-11-28T15:00:00Z\n"
        "Issuer: SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU\n"
        "Issued-By: Nadia Durand\n"
        "Reply-To: nadia@exemple.fr\n"
        "Vault: 00112233445566778899aabbccddeeff\n"
        "Person: jp\n"
        "Name: Jean-Pierre Martin\n"
        "Recipient: code\n"
        "Client: martin\n"
        "Client-Name: Boulangerie Martin\n"
        "Right: read\n"
        "From: 2026-11-28T15:00:00Z\n"
        "Until: 2027-02-28T22:59:59Z\n"
        "Reason: refonte du site\n"
        "Receipt: 00000-00000-0\n"
        "\n"
        "Mailbox: contact@martin.example\n"
        "Version: 3\n"
        "Changed: 2026-11-28T14:58:12Z\n"
        "Proved: 2026-11-28T14:58:20Z\n"
        "User: contact@martin.example\n"
        "Password: ab2cd-efghi\n"
        "Webmail: https://www.ovhcloud.com/fr/mail/\n"
        "IMAP: imap.mail.ovh.net 993 SSL/TLS\n"
        "SMTP: smtp.mail.ovh.net 587 STARTTLS\n"
        "\n"
        "Secret: stripe\n"
        "Of: contact@martin.example\n"
        "Type: api-key\n"
        "Version: 1\n"
        "User: compta\n"
        "URL: https://dashboard.stripe.com\n"
        "Expires: 2027-01-31\n"
        "Note: une ligne\n"
        "Value: sk_live_1\n"
        "\n"
        "Means:\n";
    struct issue_text issue = issue_text_full();
    char text[TEXT_MAX];

    (void)state;
    write_text(&issue, text);
    assert_memory_equal(text, expected, sizeof expected - 1);
    assert_non_null(strstr(text, "\nEnd: passation-issue 1\n"));
    assert_int_equal(parse(text, NULL), PSN_OK);
}

static void what_may_be_left_out_leaves_no_trace(void **state)
{
    static const size_t head[] = { PSN_HEAD_REPLY_TO, PSN_HEAD_NAME, PSN_HEAD_CLIENT_NAME,
                                   PSN_HEAD_REASON };
    static const size_t mailbox[] = { PSN_MAILBOX_CHANGED, PSN_MAILBOX_PROVED,
                                      PSN_MAILBOX_WEBMAIL, PSN_MAILBOX_IMAP,
                                      PSN_MAILBOX_SMTP };
    static const char *const names[] = { "Reply-To", "\nName", "Client-Name", "Reason",
                                         "Changed",  "Proved", "Webmail",     "IMAP",
                                         "SMTP",     "Secret", "Note" };
    struct issue_text issue = issue_text_full();
    char text[TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof head / sizeof *head; i++)
        issue.head[head[i]] = i % 2 ? NULL : "";
    for (size_t i = 0; i < sizeof mailbox / sizeof *mailbox; i++)
        issue.mailbox[mailbox[i]] = i % 2 ? NULL : "";
    issue.secret[PSN_SECRET_LABEL] = NULL;
    write_text(&issue, text);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        assert_null(strstr(text, names[i]));
    assert_int_equal(parse(text, NULL), PSN_OK);
}

/* Each value of a password in the one form it may have. */
static const struct {
    const char *value;
    size_t size;
    const char *written;
} passwords[] = {
#define VALUE(text) text, sizeof(text) - 1
    { VALUE("simple"), "Password: simple\n" },
    { VALUE("a b: c | d"), "Password: a b: c | d\n" },
    { VALUE("\303\251t\303\251"), "Password: \303\251t\303\251\n" },
    { VALUE("| x"), "Password: | x\n" },
    { VALUE(""), "Password:\n| \n" },
    { VALUE(" lead"), "Password:\n|  lead\n" },
    { VALUE("trail "), "Password:\n| trail \n" },
    { VALUE("two\nlines"), "Password:\n| two\n| lines\n" },
    { VALUE("end\n"), "Password:\n| end\n| \n" },
    { VALUE("\n"), "Password:\n| \n| \n" },
    { VALUE("a\n\nEnd: passation-issue 1\n"),
      "Password:\n| a\n| \n| End: passation-issue 1\n| \n" },
    { VALUE("-----BEGIN AGE ENCRYPTED FILE-----"),
      "Password: -----BEGIN AGE ENCRYPTED FILE-----\n" },
    { VALUE("tab\there"), "Password-Base64: dGFiCWhlcmU=\n" },
    { VALUE("nul\0"), "Password-Base64: bnVsAA==\n" },
    { VALUE("\377\376"), "Password-Base64: //4=\n" },
    { VALUE("\033[2J"), "Password-Base64: G1sySg==\n" },
    { VALUE("c1\302\233"), "Password-Base64: YzHCmw==\n" },
    { VALUE("del\177"), "Password-Base64: ZGVsfw==\n" },
    { VALUE("cr\r\n"), "Password-Base64: Y3INCg==\n" },
    { VALUE("ls\342\200\250x"), "Password-Base64: bHPigKh4\n" },
    { VALUE("ps\342\200\251x"), "Password-Base64: cHPigKl4\n" },
    { VALUE("sur\355\240\200"), "Password-Base64: c3Vy7aCA\n" },
#undef VALUE
};

static struct psn_secret *write_password(const char *bytes, size_t size)
{
    struct issue_text issue = issue_text_full();
    struct psn_document_writer writer = { 0 };
    struct psn_slice fields[PSN_DOCUMENT_FIELDS_MAX] = { 0 };
    struct psn_secret *text = NULL;
    struct psn_error err = { 0 };

    for (size_t i = 0; i < PSN_HEAD_FIELDS; i++)
        fields[i] = psn_slice_of(issue.head[i]);
    psn_document_head(&writer, fields);
    for (size_t i = 0; i < PSN_MAILBOX_SELF_CHANGE; i++)
        fields[i] = psn_slice_of(issue.mailbox[i]);
    fields[PSN_MAILBOX_SELF_CHANGE] = (struct psn_slice){ 0 };
    fields[PSN_MAILBOX_PASSWORD] = (struct psn_slice){ (const uint8_t *)bytes, size };
    psn_document_mailbox(&writer, fields);
    assert_int_equal(psn_document_end(&writer, &text, &err), PSN_OK);
    return text;
}

static void check_comes_back(const struct psn_secret *text, const char *bytes,
                             size_t size)
{
    struct psn_document document = { 0 };
    struct psn_secret *again = NULL;
    struct psn_secret *value = NULL;

    assert_int_equal(psn_document_parse(text, &document, NULL), PSN_OK);
    assert_int_equal(document.signed_size, psn_secret_size(text));
    assert_int_equal(document.count, 2);
    assert_int_equal(
        psn_field_secret(&document.blocks[1].fields[PSN_MAILBOX_PASSWORD], &value, NULL),
        PSN_OK);
    assert_int_equal(psn_secret_size(value), size);
    assert_true(size == 0 || memcmp(psn_secret_bytes(value), bytes, size) == 0);
    assert_int_equal(issue_text_rewrite(&document, &again, NULL), PSN_OK);
    assert_true(psn_secret_equal(again, text));
    psn_secret_free(value);
    psn_secret_free(again);
    psn_document_release(&document);
}

static void every_password_has_one_form_and_comes_back(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof passwords / sizeof *passwords; i++) {
        struct psn_secret *text = write_password(passwords[i].value, passwords[i].size);
        size_t size = strlen(passwords[i].written);

        assert_non_null(memmem(psn_secret_bytes(text), psn_secret_size(text),
                               passwords[i].written, size));
        check_comes_back(text, passwords[i].value, passwords[i].size);
        psn_secret_free(text);
    }
}

static void passwords_of_byte_pairs_of_all_kinds_come_back(void **state)
{
    char bytes[2];

    (void)state;
    for (int first = 0; first < 256; first += 17)
        for (int second = 0; second < 256; second++) {
            struct psn_secret *text;

            bytes[0] = (char)first;
            bytes[1] = (char)second;
            text = write_password(bytes, sizeof bytes);
            check_comes_back(text, bytes, sizeof bytes);
            psn_secret_free(text);
        }
}

static void only_text_that_a_line_can_hold_goes_into_a_line(void **state)
{
    static const char *const bad[] = { "two\nlines", " lead",      "trail ",
                                       "a\tb",       "esc\033[0m", "\302\205",
                                       "\377",       "a\rb",       "ls\342\200\250" };
    static const size_t fields[] = { PSN_HEAD_ISSUED_BY, PSN_HEAD_NAME,
                                     PSN_HEAD_CLIENT_NAME, PSN_HEAD_REASON,
                                     PSN_HEAD_REPLY_TO };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (size_t j = 0; j < sizeof fields / sizeof *fields; j++) {
            struct issue_text issue = issue_text_full();
            struct psn_secret *text = NULL;
            struct psn_error err = { 0 };

            /* A reason may begin or end with a blank: on a line of its own. */
            if (fields[j] == PSN_HEAD_REASON && strchr(bad[i], ' '))
                continue;
            issue.head[fields[j]] = bad[i];
            assert_int_equal(issue_text_write(&issue, &text, &err), PSN_E_INVALID);
            assert_null(text);
            assert_string_not_equal(err.message, "");
        }
}

static void a_note_takes_lines_but_no_control_characters(void **state)
{
    struct issue_text issue = issue_text_full();
    struct psn_secret *secret = NULL;
    char text[TEXT_MAX];

    (void)state;
    issue.secret[PSN_SECRET_NOTE] = "un\n\nEnd: passation-issue 1";
    write_text(&issue, text);
    assert_non_null(strstr(text, "Note:\n| un\n| \n| End: passation-issue 1\nValue: "));
    assert_int_equal(parse(text, NULL), PSN_OK);
    issue.secret[PSN_SECRET_NOTE] = "\033]52;c;AAAA\007";
    assert_int_equal(issue_text_write(&issue, &secret, NULL), PSN_E_INVALID);
}

static void an_issue_stops_at_one_mebibyte(void **state)
{
    enum {
        MANY = 200
    };
    struct issue_text issue = issue_text_full();
    struct psn_document_writer writer = { 0 };
    struct psn_slice fields[PSN_DOCUMENT_FIELDS_MAX] = { 0 };
    static char value[16 * 1024];
    struct psn_secret *text = NULL;
    struct psn_error err = { 0 };

    (void)state;
    memset(value, 'x', sizeof value);
    for (size_t i = 0; i < PSN_HEAD_FIELDS; i++)
        fields[i] = psn_slice_of(issue.head[i]);
    psn_document_head(&writer, fields);
    for (size_t i = 0; i < PSN_MAILBOX_SELF_CHANGE; i++)
        fields[i] = psn_slice_of(issue.mailbox[i]);
    fields[PSN_MAILBOX_SELF_CHANGE] = (struct psn_slice){ 0 };
    fields[PSN_MAILBOX_PASSWORD] =
        (struct psn_slice){ (const uint8_t *)value, sizeof value };
    for (size_t i = 0; i < MANY; i++)
        psn_document_mailbox(&writer, fields);
    assert_int_equal(psn_document_end(&writer, &text, &err), PSN_E_LIMIT);
    assert_null(text);
    assert_null(writer.text);
}

/* --- reading: one change, one verdict --- */

static const struct {
    const char *from;
    const char *to;
} refusals[] = {
    { "Passation-Issue: 1\n", "Passation-Issue: 2\n" },
    { "Passation-Issue: 1\n", "passation-issue: 1\n" },
    { "Passation-Issue: 1\n", "" },
    { "Passation-Issue: 1\n", "\357\273\277Passation-Issue: 1\n" },
    { "Serial: 1795892400000", "Serial: 0" },
    { "Serial: 1795892400000", "Serial: -1" },
    { "Serial: 1795892400000", "Serial: +1" },
    { "Serial: 1795892400000", "Serial: 01" },
    { "Serial: 1795892400000", "Serial: 1e3" },
    { "Serial: 1795892400000", "Serial: 9007199254740992" },
    { "Serial: 1795892400000", "Serial: 99999999999999999999999" },
    { "Serial: 1795892400000", "Serial:1795892400000" },
    { "Serial: 1795892400000", "Serial:  1795892400000" },
    { "Serial: 1795892400000", "Serial: 1795892400000 " },
    { "Serial: 1795892400000", "Serial:\t1795892400000" },
    { "Serial: 1795892400000", "Serial: 1795892400000\r" },
    { "Issued: 2026-11-28T15:00:00Z", "Issued: 2026-11-28 15:00:00Z" },
    { "Issued: 2026-11-28T15:00:00Z", "Issued: 2026-11-28T15:00:00+00:00" },
    { "Issued: 2026-11-28T15:00:00Z", "Issued: 2026-02-30T15:00:00Z" },
    { "Issued: 2026-11-28T15:00:00Z", "Issued: 2026-11-28T24:00:00Z" },
    { "Issued: 2026-11-28T15:00:00Z", "Issued: 2026-11-28T15:00:60Z" },
    { "SHA256:47DEQ", "SHA256:47DE" },
    { "SHA256:47DEQ", "SHA256:47DEQQ" },
    { "SHA256:47DEQ", "MD5:47DEQ" },
    { "SHA256:47DEQ", "SHA256:47=EQ" },
    { "Issued-By: Nadia Durand\n", "" },
    { "Issued-By: Nadia Durand", "Issued-By:" },
    { "Issued-By: Nadia Durand", "Issued-By:\n| Nadia\n| Durand" },
    { "Vault: 00112233", "Vault: 0011223" },
    { "Vault: 00112233", "Vault: 00112233a" },
    { "ddeeff\n", "DDEEFF\n" },
    { "Person: jp", "Person: ../jp" },
    { "Person: jp", "Person: JP" },
    { "Person: jp", "Person: .jp" },
    { "Person: jp", "Person: jp/x" },
    { "Recipient: code", "Recipient: Code" },
    { "Recipient: code", "Recipient: age1qqqq" },
    { "Recipient: code", "Recipient: ssh-rsa AAAA" },
    { "Client: martin\n", "Client: -martin\n" },
    { "Right: read", "Right: write" },
    { "Right: read", "Right: read " },
    { "Right: read\n", "Right: read\nRight: read\n" },
    { "Until: 2027-02-28T22:59:59Z", "Until: None" },
    { "Until: 2027-02-28T22:59:59Z\n", "" },
    { "Reason: refonte du site\n", "Reason: refonte\302\205du site\n" },
    { "Reason: refonte du site\n", "Reason: refonte\342\200\250du site\n" },
    { "Reason: refonte du site\n", "Reason: refonte\377du site\n" },
    { "Reason: refonte du site\n", "Reason: refonte\033[31mdu site\n" },
    { "Reason: refonte du site\n", "Unknown: x\n" },
    { "Receipt: 00000-00000-0", "Receipt: 00000-00000-4" },
    { "Receipt: 00000-00000-0", "Receipt: 0000000000-0" },
    { "Receipt: 00000-00000-0", "Receipt: O0000-00000-3" },
    { "\n\nMailbox", "\nMailbox" },
    { "\n\nMailbox", "\n\n\nMailbox" },
    { "\n\nMailbox", "\n \nMailbox" },
    { "Mailbox: contact@martin.example", "Mailbox: Contact@martin.example" },
    { "Mailbox: contact@martin.example", "Mailbox: contact" },
    { "Mailbox: contact@martin.example", "Mailbox: contact@@martin.example" },
    { "\nVersion: 3\n", "\nVersion: 0\n" },
    { "\nVersion: 3\n", "\n" },
    { "Password: ab2cd-efghi\n", "" },
    { "Password: ab2cd-efghi\n", "Password:\n" },
    { "Password: ab2cd-efghi\n", "Password: \n" },
    { "Password: ab2cd-efghi\n", "Password:\n| ab2cd-efghi\n" },
    { "Password: ab2cd-efghi\n", "Password:\n|\n" },
    { "Password: ab2cd-efghi\n", "Password:\n|x\n" },
    { "Password: ab2cd-efghi\n", "Password-Base64: YWIyY2Q=\n" },
    { "Password: ab2cd-efghi\n", "Password-Base64: //4\n" },
    { "Password: ab2cd-efghi\n", "Password-Base64: //5=\n" },
    { "Password: ab2cd-efghi\n", "Password-Base64: __4=\n" },
    { "Password: ab2cd-efghi\n", "Password-Base64: \n" },
    { "Password: ab2cd-efghi\n", "Password-Base64:\n| //4=\n" },
    { "Webmail: https://", "Webmail: http://" },
    { "Webmail: https://www.", "Webmail: https://x@www." },
    { "/fr/mail/", "/fr/<mail>/" },
    { "/fr/mail/", "/fr/ mail/" },
    { "IMAP: imap.mail.ovh.net 993 SSL/TLS", "IMAP: imap.mail.ovh.net 0 SSL/TLS" },
    { "IMAP: imap.mail.ovh.net 993 SSL/TLS", "IMAP: imap.mail.ovh.net 65536 SSL/TLS" },
    { "IMAP: imap.mail.ovh.net 993 SSL/TLS", "IMAP: imap.mail.ovh.net 0993 SSL/TLS" },
    { "IMAP: imap.mail.ovh.net 993 SSL/TLS", "IMAP: imap.mail.ovh.net 993 none" },
    { "IMAP: imap.mail.ovh.net 993 SSL/TLS", "IMAP: imap_mail 993 SSL/TLS" },
    { "IMAP: imap.mail.ovh.net 993 SSL/TLS", "IMAP: imap.mail.ovh.net 993" },
    { "Secret: stripe", "Secret: " },
    { "Secret: stripe", "Secret:" },
    { "Of: contact@martin.example", "Of: other@martin.example" },
    { "Expires: 2027-01-31", "Expires: 2027-02-31" },
    { "Expires: 2027-01-31", "Expires: 31/01/2027" },
    { "Note: une ligne\n", "Note:\n| une ligne\n" },
    { "Note: une ligne\n", "Note:\n| \n" },
    { "Note: une ligne\n", "Note-Base64: //4=\n" },
    { "Value: sk_live_1\n", "" },
    { "Value: sk_live_1\n", "Value: sk_live_1\nValue: sk_live_1\n" },
    { "Value: sk_live_1\n", "Value: sk_live_1\n| more\n" },
    { "\n\nMeans", "\nMeans" },
    { "End: passation-issue 1\n", "" },
    { "End: passation-issue 1\n", "End: passation-issue 1" },
    { "End: passation-issue 1\n", "End: passation-issue 2\n" },
};

static void replace(const char *text, const char *from, const char *to,
                    char out[TEXT_MAX])
{
    const char *at = strstr(text, from);

    assert_non_null(at);
    assert_true((size_t)snprintf(out, TEXT_MAX, "%.*s%s%s", (int)(at - text), text, to,
                                 at + strlen(from)) < TEXT_MAX);
}

static void each_deviation_is_refused(void **state)
{
    struct issue_text issue = issue_text_full();
    char text[TEXT_MAX];
    char changed[TEXT_MAX];

    (void)state;
    write_text(&issue, text);
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        struct psn_error err = { 0 };

        replace(text, refusals[i].from, refusals[i].to, changed);
        if (parse(changed, &err) != PSN_E_INTEGRITY)
            fail_msg("accepted: '%s' for '%s'", refusals[i].to, refusals[i].from);
        assert_string_not_equal(err.message, "");
    }
}

static void a_refusal_names_the_line(void **state)
{
    struct issue_text issue = issue_text_full();
    char text[TEXT_MAX];
    char changed[TEXT_MAX];
    struct psn_error err = { 0 };

    (void)state;
    write_text(&issue, text);
    replace(text, "\nVersion: 3\n", "\nVersion: x\n", changed);
    assert_int_equal(parse(changed, &err), PSN_E_INTEGRITY);
    assert_non_null(strstr(err.message, "line 20 "));
}

static void a_text_cut_short_anywhere_is_refused(void **state)
{
    struct issue_text issue = issue_text_full();
    char text[TEXT_MAX];

    (void)state;
    write_text(&issue, text);
    for (size_t size = strlen(text) - 1; size > 0; size--) {
        text[size] = '\0';
        assert_int_equal(parse(text, NULL), PSN_E_INTEGRITY);
    }
}

static void a_secret_without_its_mailbox_and_an_empty_issue_are_refused(void **state)
{
    struct issue_text issue = issue_text_full();
    char text[TEXT_MAX];
    char *mailbox;
    char *secret;
    char *means;

    (void)state;
    write_text(&issue, text);
    mailbox = strstr(text, "Mailbox: ");
    secret = strstr(text, "Secret: ");
    memmove(mailbox, secret, strlen(secret) + 1);
    assert_int_equal(parse(text, NULL), PSN_E_INTEGRITY);
    write_text(&issue, text);
    mailbox = strstr(text, "Mailbox: ");
    means = strstr(text, "Means:");
    memmove(mailbox, means, strlen(means) + 1);
    assert_int_equal(parse(text, NULL), PSN_E_INTEGRITY);
}

static void what_stands_there_twice_is_refused_for_that(void **state)
{
    static const struct {
        const char *block;
        const char *why;
    } rows[] = {
        { "\nMailbox: ", "the issue holds one secret twice" },
        { "\nSecret: ", "the issue holds one secret twice" },
        { "\nFile: ", "the issue holds one file twice" },
    };
    struct issue_text issue = issue_text_trousseau();
    char text[TEXT_MAX];
    char changed[TEXT_MAX];

    (void)state;
    write_text(&issue, text);
    assert_int_equal(parse(text, NULL), PSN_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *block = strstr(text, rows[i].block);
        struct psn_error err = { 0 };
        const char *next;

        assert_non_null(block);
        block++;
        next = strstr(block, "\n\n");
        assert_non_null(next);
        next += 2;
        assert_true((size_t)snprintf(changed, TEXT_MAX, "%.*s%s", (int)(next - text),
                                     text, block) < TEXT_MAX);
        assert_int_equal(parse(changed, &err), PSN_E_INTEGRITY);
        assert_string_equal(err.message, rows[i].why);
    }
}

static void what_follows_the_end_is_not_signed_text(void **state)
{
    struct issue_text issue = issue_text_full();
    char text[TEXT_MAX];
    struct psn_secret *secret;
    struct psn_document document = { 0 };
    size_t size;

    (void)state;
    write_text(&issue, text);
    size = strlen(text);
    (void)snprintf(text + size, sizeof text - size, "anything\n");
    secret = secret_of(text, strlen(text));
    assert_int_equal(psn_document_parse(secret, &document, NULL), PSN_OK);
    assert_int_equal(document.signed_size, size);
    psn_document_release(&document);
    psn_secret_free(secret);
}

static void a_text_without_a_head_is_no_issue(void **state)
{
    struct psn_document_writer writer = { 0 };
    struct psn_document document = { 0 };
    struct psn_secret *text = NULL;

    (void)state;
    assert_int_equal(psn_document_end(&writer, &text, NULL), PSN_OK);
    assert_int_equal(psn_document_parse(text, &document, NULL), PSN_E_INTEGRITY);
    psn_secret_free(text);
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_issue_reads_as_the_format_says),
        cmocka_unit_test(what_may_be_left_out_leaves_no_trace),
        cmocka_unit_test(every_password_has_one_form_and_comes_back),
        cmocka_unit_test(passwords_of_byte_pairs_of_all_kinds_come_back),
        cmocka_unit_test(only_text_that_a_line_can_hold_goes_into_a_line),
        cmocka_unit_test(a_note_takes_lines_but_no_control_characters),
        cmocka_unit_test(an_issue_stops_at_one_mebibyte),
        cmocka_unit_test(each_deviation_is_refused),
        cmocka_unit_test(a_refusal_names_the_line),
        cmocka_unit_test(a_text_cut_short_anywhere_is_refused),
        cmocka_unit_test(a_secret_without_its_mailbox_and_an_empty_issue_are_refused),
        cmocka_unit_test(what_stands_there_twice_is_refused_for_that),
        cmocka_unit_test(what_follows_the_end_is_not_signed_text),
        cmocka_unit_test(a_text_without_a_head_is_no_issue),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
