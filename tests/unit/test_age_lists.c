#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "age/bech32.h"
#include "age/header.h"
#include "age/identity.h"
#include "age/lists.h"
#include "age/wrap.h"
#include "base/stream.h"
#include "crypto/init.h"
#include "crypto/secret.h"

/* For whom a file is, and who opens it: lists of both kinds, and what is said where they
 * do not meet. */

#define ZEROS_16 "AAAAAAAAAAAAAAAAAAAAAA"
#define ZEROS_32 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define BODY     ZEROS_32 "\n"
#define X25519   "-> X25519 " ZEROS_32 "\n" BODY
/* The share is 9, the point that all begin from. */
#define SOMEBODYS  "-> X25519 CQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n" BODY
#define SSH        "-> ssh-ed25519 AAAAAA " ZEROS_32 "\n" BODY
#define SCRYPT     "-> scrypt " ZEROS_16 " 1\n" BODY
#define HYBRID     "-> mlkem768x25519 @\n" BODY /* @: as many characters as it has */
#define HYBRID_TAG "-> mlkem768p256tag x y\n" BODY

enum {
    HYBRID_SHARE_CHARS = 1494 /* 1120 bytes */
};

static struct psn_secret *phrase;
static struct psn_secret *age_key;
static struct psn_secret *ssh_key; /* its file */
static char recipient[PSN_AGE_RECIPIENT_MAX];
static char ssh_recipient[256];

static struct psn_secret *secret_of(const char *text)
{
    struct psn_secret *secret = NULL;

    assert_int_equal(psn_secret_copy(text, strlen(text), &secret, NULL), PSN_OK);
    return secret;
}

static int set_up(void **state)
{
    PSN_AUTO(psn_secret) *scalar = NULL;
    FILE *file;

    (void)state;
    if (psn_crypto_init(NULL) || psn_age_identity_new(&scalar, NULL) ||
        psn_age_identity_text(scalar, &age_key, NULL) ||
        psn_age_recipient(scalar, recipient, NULL) ||
        psn_secret_read_file(PSN_TEST_VECTORS "/issue/issuer", 4096, &ssh_key, NULL))
        return -1;
    phrase = secret_of("mot de passe");
    file = fopen(PSN_TEST_VECTORS "/issue/issuer.pub", "re");
    if (!file)
        return -1;
    if (!fgets(ssh_recipient, sizeof ssh_recipient, file))
        ssh_recipient[0] = '\0';
    ssh_recipient[strcspn(ssh_recipient, "\n")] = '\0';
    return fclose(file) != 0 || !ssh_recipient[0] ? -1 : 0;
}

static int tear_down(void **state)
{
    (void)state;
    psn_secret_free(phrase);
    psn_secret_free(age_key);
    psn_secret_free(ssh_key);
    return 0;
}

/* --- recipients --- */

static void recipients_of_other_kinds_are_told_apart_from_typing_errors(void **state)
{
    static const uint8_t bytes[PSN_AGE_POINT_SIZE] = { 9 };
    char longer_name[PSN_AGE_RECIPIENT_MAX + 4];
    char shorter[PSN_AGE_RECIPIENT_MAX];
    const struct {
        const char *text;
        enum psn_code code;
    } rows[] = {
        { "age1pq1qqqq", PSN_E_TOO_NEW },
        { "age1tag1qqqq", PSN_E_TOO_NEW },
        { "age1tagpq1qqqq", PSN_E_TOO_NEW },
        { "AGE1QQQQ", PSN_E_INVALID },
        { "age1qqqq", PSN_E_INVALID },
        { longer_name, PSN_E_INVALID },
        { shorter, PSN_E_INVALID },
        { "ssh-ed25519 AAAA", PSN_E_INVALID },
        { recipient, PSN_OK },
        { ssh_recipient, PSN_OK },
    };
    PSN_AUTO(psn_age_recipients) *to = NULL;

    (void)state;
    assert_true(
        psn_bech32_encode("age1x", bytes, sizeof bytes, longer_name, sizeof longer_name));
    assert_true(
        psn_bech32_encode("age", bytes, sizeof bytes - 1, shorter, sizeof shorter));
    assert_int_equal(psn_age_recipients_new(&to, NULL), PSN_OK);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_int_equal(psn_age_recipients_add(to, rows[i].text, NULL), rows[i].code);
}

static void a_file_has_no_more_recipients_than_its_header_has_room_for(void **state)
{
    PSN_AUTO(psn_age_recipients) *to = NULL;

    (void)state;
    assert_int_equal(psn_age_recipients_new(&to, NULL), PSN_OK);
    for (int i = 0; i < PSN_AGE_RECIPIENTS_MAX; i++)
        assert_int_equal(psn_age_recipients_add(to, recipient, NULL), PSN_OK);
    assert_int_equal(psn_age_recipients_add(to, recipient, NULL), PSN_E_LIMIT);
}

static void a_second_passphrase_is_refused_like_any_other_company(void **state)
{
    PSN_AUTO(psn_age_recipients) *to = NULL;

    (void)state;
    assert_int_equal(psn_age_recipients_new(&to, NULL), PSN_OK);
    assert_int_equal(psn_age_recipients_set_passphrase(to, phrase, 1, NULL), PSN_OK);
    assert_int_equal(psn_age_recipients_set_passphrase(to, phrase, 1, NULL),
                     PSN_E_CONFLICT);
}

/* --- identities --- */

static struct psn_age_identities *no_identities(void)
{
    struct psn_age_identities *by = NULL;

    assert_int_equal(psn_age_identities_new(&by, NULL), PSN_OK);
    return by;
}

static enum psn_code add_text(struct psn_age_identities *by, const char *text)
{
    PSN_AUTO(psn_secret) *secret = secret_of(text);

    return psn_age_identities_add(by, secret, NULL);
}

static void no_more_identities_are_tried_than_there_are_places_for(void **state)
{
    PSN_AUTO(psn_age_identities) *by = no_identities();

    (void)state;
    for (int i = 0; i < PSN_AGE_IDENTITIES_MAX; i++)
        assert_int_equal(psn_age_identities_add(by, age_key, NULL), PSN_OK);
    assert_int_equal(psn_age_identities_add(by, age_key, NULL), PSN_E_LIMIT);
    assert_int_equal(psn_age_identities_add(by, ssh_key, NULL), PSN_E_LIMIT);
    assert_int_equal(psn_age_identities_add_passphrase(by, phrase, 1, NULL), PSN_E_LIMIT);
}

static void an_identity_file_without_an_identity_is_refused(void **state)
{
    PSN_AUTO(psn_age_identities) *by = no_identities();

    (void)state;
    assert_int_equal(add_text(by, "# nothing but a comment\n\n"), PSN_E_INVALID);
    assert_int_equal(add_text(by, "AGE-SECRET-KEY-1QQQQ\n"), PSN_E_INVALID);
    assert_int_equal(add_text(by, "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"),
                     PSN_E_INVALID);
    assert_int_equal(psn_age_identities_add_passphrase(by, phrase, 0, NULL),
                     PSN_E_INVALID);
    /* One that cannot be used here is one. */
    assert_int_equal(add_text(by, "# mine\nAGE-SECRET-KEY-PQ-1QQQQ\n"), PSN_OK);
}

static void a_file_for_a_key_of_openssh_opens_with_it_alone(void **state)
{
    PSN_AUTO(psn_age_recipients) *to = NULL;
    PSN_AUTO_RELEASE(psn_buf) file = psn_buf_init(4096);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(4096);
    struct psn_stream_memory memory = { "x", 1, 0 };
    struct psn_source source = psn_source_memory(&memory);
    struct psn_sink sink = psn_sink_buf(&file);

    (void)state;
    assert_int_equal(psn_age_recipients_new(&to, NULL), PSN_OK);
    assert_int_equal(psn_age_recipients_add(to, ssh_recipient, NULL), PSN_OK);
    assert_int_equal(psn_age_encrypt(to, false, &source, &sink, NULL), PSN_OK);
    for (int mine = 0; mine < 2; mine++) {
        PSN_AUTO(psn_age_identities) *by = no_identities();
        enum psn_age_failure failure;

        memory = (struct psn_stream_memory){ file.data, file.size, 0 };
        sink = psn_sink_buf(&out);
        assert_int_equal(psn_age_identities_add(by, mine ? ssh_key : age_key, NULL),
                         PSN_OK);
        assert_int_equal(psn_age_decrypt(by, NULL, &source, &sink, &failure, NULL),
                         mine ? PSN_OK : PSN_E_DENIED);
        assert_int_equal(failure, mine ? PSN_AGE_NO_FAILURE : PSN_AGE_NO_MATCH);
    }
    assert_int_equal(out.size, 1);
}

/* --- where they do not meet --- */

static enum psn_code unwrap(const struct psn_age_identities *by, const char *stanzas,
                            struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(8192);
    PSN_AUTO(psn_secret) *file_key = NULL;
    struct psn_age_header header;

    psn_buf_text(&text, "age-encryption.org/v1\n");
    for (; *stanzas; stanzas++)
        for (int i = 0; i < (*stanzas == '@' ? HYBRID_SHARE_CHARS : 1); i++)
            psn_buf_char(&text, (char)(*stanzas == '@' ? 'A' : *stanzas));
    psn_buf_text(&text, "--- " ZEROS_32 "\n");
    assert_int_equal(psn_age_header_parse(psn_buf_str(&text), text.size, &header, NULL),
                     PSN_OK);
    assert_int_equal(psn_secret_new(16, &file_key, NULL), PSN_OK);
    return psn_age_identities_unwrap(by, &header, file_key, err);
}

static void who_cannot_open_a_file_is_told_why(void **state)
{
    static const struct {
        const char *identities; /* of 'k'ey, 's'sh, 'p'assphrase, 'q'uantum */
        const char *stanzas;
        enum psn_code code;
        const char *says;
    } rows[] = {
        { "k", SOMEBODYS, PSN_E_DENIED, "not for any of these keys" },
        { "s", SSH, PSN_E_DENIED, "not for any of these keys" },
        { "ks", SOMEBODYS SSH, PSN_E_DENIED, "not for any of these keys" },
        { "k", SCRYPT, PSN_E_DENIED, "opens with a passphrase, not with a key" },
        { "p", SCRYPT, PSN_E_DENIED, "the passphrase is not the file's" },
        { "pk", SCRYPT, PSN_E_DENIED, "the passphrase is not the file's" },
        { "kp", SCRYPT, PSN_E_DENIED, "the passphrase is not the file's" },
        { "p", SOMEBODYS, PSN_E_DENIED, "not for any of these keys" },
        { "k", HYBRID, PSN_E_TOO_NEW, "post-quantum" },
        { "k", HYBRID_TAG, PSN_E_TOO_NEW, "post-quantum" },
        { "k", HYBRID SOMEBODYS, PSN_E_DENIED, "not for any of these keys" },
        { "k", SSH HYBRID, PSN_E_DENIED, "not for any of these keys" },
        { "kq", HYBRID SOMEBODYS, PSN_E_TOO_NEW, "post-quantum" },
        { "kq", SOMEBODYS, PSN_E_DENIED, "not for any of these keys" },
        { "k", "-> grease x\n" BODY, PSN_E_DENIED, "not for any of these keys" },
        { "k", X25519, PSN_E_INTEGRITY, "an impossible share" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO(psn_age_identities) *by = no_identities();
        struct psn_error err = { 0 };

        for (const char *kind = rows[i].identities; *kind; kind++)
            assert_int_equal(*kind == 'k'   ? psn_age_identities_add(by, age_key, NULL)
                             : *kind == 's' ? psn_age_identities_add(by, ssh_key, NULL)
                             : *kind == 'p'
                                 ? psn_age_identities_add_passphrase(by, phrase, 1, NULL)
                                 : add_text(by, "AGE-SECRET-KEY-PQ-1QQQQ\n"),
                             PSN_OK);
        assert_int_equal(unwrap(by, rows[i].stanzas, &err), rows[i].code);
        if (!strstr(err.message, rows[i].says))
            fail_msg("row %zu: %s", i, err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recipients_of_other_kinds_are_told_apart_from_typing_errors),
        cmocka_unit_test(a_file_has_no_more_recipients_than_its_header_has_room_for),
        cmocka_unit_test(a_second_passphrase_is_refused_like_any_other_company),
        cmocka_unit_test(no_more_identities_are_tried_than_there_are_places_for),
        cmocka_unit_test(an_identity_file_without_an_identity_is_refused),
        cmocka_unit_test(a_file_for_a_key_of_openssh_opens_with_it_alone),
        cmocka_unit_test(who_cannot_open_a_file_is_told_why),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
