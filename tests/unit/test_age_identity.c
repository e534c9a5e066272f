#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "age/bech32.h"
#include "age/identity.h"
#include "base/file.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "support/command.h"
#include "support/tmpdir.h"

static struct tmpdir dir;

static int set_up(void **state)
{
    (void)state;
    tmpdir_make(&dir);
    return psn_crypto_init(NULL) == PSN_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    tmpdir_remove(&dir);
    return 0;
}

/* Bech32: the vectors of BIP-173 ---------------------------------------------------- */

static void the_valid_strings_of_bip_173_are_read_and_written_back(void **state)
{
    static const char *const rows[] = {
        "A12UEL5L",
        "a12uel5l",
        "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharacters"
        "bio1"
        "tt5tgs",
        "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
        "11qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq"
        "qqqq"
        "c8247j",
        "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
        "?1ezyfcl",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_bech32 decoded;
        char out[PSN_BECH32_SIZE_MAX + 1];

        assert_true(psn_bech32_decode(rows[i], strlen(rows[i]), &decoded));
        if (decoded.prefix[0] == 'A' || decoded.prefix[1] == '\0')
            continue; /* upper case; and 82 zeros that are not whole bytes */
        assert_true(psn_bech32_encode(decoded.prefix, decoded.bytes, decoded.size, out,
                                      sizeof out));
        assert_string_equal(out, rows[i]);
    }
}

static void the_invalid_strings_of_bip_173_are_refused(void **state)
{
    static const char *const rows[] = {
        "\x20"
        "1nwldj5",
        "\x7f"
        "1axkwrx",
        "\x80"
        "1eym55h",
        "an84characterslonghumanreadablepartthatcontainsthenumber1andtheexcludedcharacter"
        "sbio"
        "1569pvx",
        "pzry9x0s0muk",
        "1pzry9x0s0muk",
        "x1b4n0q5v",
        "li1dgmt3",
        "de1lg7wt\xff",
        "A1G7SGD8",
        "10a06t8",
        "1qzzfhee",
        "",
        "1",
        "A12uEL5L",
        "a12UEL5L",
        "a12uel5m",
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_bech32 decoded = { .size = 77 };

        assert_false(psn_bech32_decode(rows[i], strlen(rows[i]), &decoded));
        assert_int_equal(decoded.size, 77);
    }
}

/* Their checksums are right: five bits that are left over, and bits that are not zero. */
static void what_is_left_over_is_less_than_a_character_and_zero(void **state)
{
    static const struct {
        const char *text;
        int size; /* -1: refused */
    } rows[] = {
        { "a12uel5l", 0 },     { "a1qqqd87cq", 1 },    { "a1q3g6mn3", -1 },
        { "a1pv7wwwr", -1 },   { "a1qpamnt9j", -1 },   { "a1qzngxatd", -1 },
        { "a1qqqd87cpp", -1 }, { "a1qqqpkq7t3x", -1 }, { "a1qqqs7hzxe8", 2 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct psn_bech32 decoded = { .size = 77 };

        assert_int_equal(psn_bech32_decode(rows[i].text, strlen(rows[i].text), &decoded),
                         rows[i].size >= 0);
        assert_int_equal(decoded.size, rows[i].size >= 0 ? rows[i].size : 77);
    }
}

/* 'b', 'i', 'o' and '1' are none of the alphabet, and no other spelling of 'q', its
 * first. */
static void a_letter_outside_the_alphabet_stands_for_nothing(void **state)
{
    static const char right[] = "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw";
    struct psn_bech32 decoded;

    (void)state;
    for (const char *c = "bio1"; *c; c++) {
        char text[sizeof right];

        memcpy(text, right, sizeof right);
        text[strcspn(text, "q")] = *c;
        assert_false(psn_bech32_decode(text, strlen(text), &decoded));
        memcpy(text, right, sizeof right);
        text[sizeof right - 4] = *c; /* a q of the checksum */
        assert_false(psn_bech32_decode(text, strlen(text), &decoded));
    }
}

static void a_prefix_has_all_characters_that_are_visible(void **state)
{
    static const char prefix[] = "!~";
    struct psn_bech32 decoded;
    char out[PSN_BECH32_SIZE_MAX + 1];

    (void)state;
    assert_true(psn_bech32_encode(prefix, (const uint8_t[]){ 7 }, 1, out, sizeof out));
    assert_true(psn_bech32_decode(out, strlen(out), &decoded));
    assert_string_equal(decoded.prefix, prefix);
}

static void bytes_of_every_length_come_back(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 50; size++) {
        uint8_t bytes[50];
        struct psn_bech32 decoded;
        char out[PSN_BECH32_SIZE_MAX + 1];

        psn_random(bytes, sizeof bytes);
        assert_true(psn_bech32_encode("x", bytes, size, out, sizeof out));
        assert_true(psn_bech32_decode(out, strlen(out), &decoded));
        assert_int_equal(decoded.size, size);
        assert_memory_equal(decoded.bytes, bytes, size);
        assert_string_equal(decoded.prefix, "x");
        assert_false(psn_bech32_encode("x", bytes, size, out, strlen(out)));
    }
}

static void what_does_not_fit_is_not_written(void **state)
{
    uint8_t bytes[PSN_BECH32_BYTES_MAX + 1] = { 0 };
    char out[200];

    (void)state;
    assert_false(psn_bech32_encode("", bytes, 1, out, sizeof out));
    assert_true(psn_bech32_encode("a", bytes, PSN_BECH32_BYTES_MAX, out, sizeof out));
    assert_false(
        psn_bech32_encode("a", bytes, PSN_BECH32_BYTES_MAX + 1, out, sizeof out));
    assert_false(psn_bech32_encode("abc", bytes, PSN_BECH32_BYTES_MAX, out, sizeof out));
}

/* The checksum finds any one, two, three or four wrong characters; one is tried all. */
static void every_wrong_character_is_found(void **state)
{
    static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";
    struct psn_bech32 decoded;
    char text[PSN_BECH32_SIZE_MAX + 1];
    uint8_t bytes[32];

    (void)state;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)i;
    assert_true(psn_bech32_encode("age", bytes, sizeof bytes, text, sizeof text));
    assert_memory_equal(text, "age1qqqsyqcyq5rqwzqf", 20);
    for (size_t at = 4; text[at]; at++) {
        char kept = text[at];

        for (size_t i = 0; i < 32; i++) {
            text[at] = alphabet[i];
            if (alphabet[i] != kept)
                assert_false(psn_bech32_decode(text, strlen(text), &decoded));
        }
        text[at] = kept;
        assert_false(psn_bech32_decode(text, at, &decoded));
    }
}

/* Identities ------------------------------------------------------------------------ */

static enum psn_code parse(const char *text, struct psn_secret **ret_scalar,
                           struct psn_error *err)
{
    PSN_AUTO(psn_secret) *secret = NULL;

    assert_int_equal(psn_secret_copy(text, strlen(text), &secret, NULL), PSN_OK);
    return psn_age_identity_parse(secret, ret_scalar, err);
}

/* An identity in the form of a file, and its recipient. */
static void make_identity(char *out, size_t size, char recipient[PSN_AGE_RECIPIENT_MAX])
{
    PSN_AUTO(psn_secret) *scalar = NULL;
    PSN_AUTO(psn_secret) *text = NULL;

    assert_int_equal(psn_age_identity_new(&scalar, NULL), PSN_OK);
    assert_int_equal(psn_age_identity_text(scalar, &text, NULL), PSN_OK);
    assert_int_equal(psn_secret_size(text), PSN_AGE_IDENTITY_TEXT_SIZE);
    assert_int_equal(psn_age_recipient(scalar, recipient, NULL), PSN_OK);
    (void)snprintf(out, size, "%s", (const char *)psn_secret_bytes(text));
}

static void an_identity_comes_back_from_its_text(void **state)
{
    (void)state;
    for (int i = 0; i < 50; i++) {
        PSN_AUTO(psn_secret) *scalar = NULL;
        PSN_AUTO(psn_secret) *text = NULL;
        PSN_AUTO(psn_secret) *again = NULL;

        assert_int_equal(psn_age_identity_new(&scalar, NULL), PSN_OK);
        assert_int_equal(psn_age_identity_text(scalar, &text, NULL), PSN_OK);
        assert_int_equal(psn_age_identity_parse(text, &again, NULL), PSN_OK);
        assert_true(psn_secret_equal(scalar, again));
    }
}

static void comments_blank_lines_and_windows_newlines_are_allowed(void **state)
{
    static const char *const forms[] = { "%s", "%s\n", "%s\r\n",
                                         "# created: x\n\n%s\n\n#\n",
                                         "\r\n# c\r\n%s\r\n\r\n" };
    char identity[128] = "";
    char recipient[PSN_AGE_RECIPIENT_MAX];

    (void)state;
    make_identity(identity, sizeof identity, recipient);
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        PSN_AUTO(psn_secret) *scalar = NULL;
        PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init_wiped(1000);
        const char *hole = strstr(forms[i], "%s");
        char found[PSN_AGE_RECIPIENT_MAX];

        psn_buf_bytes(&text, forms[i], (size_t)(hole - forms[i]));
        psn_buf_text(&text, identity);
        psn_buf_text(&text, hole + 2);
        assert_int_equal(parse(psn_buf_str(&text), &scalar, NULL), PSN_OK);
        assert_int_equal(psn_age_recipient(scalar, found, NULL), PSN_OK);
        assert_string_equal(found, recipient);
    }
}

static void none_or_more_than_one_identity_is_refused(void **state)
{
    char identity[128] = "";
    char recipient[PSN_AGE_RECIPIENT_MAX];
    char twice[512];
    struct psn_secret *scalar = NULL;
    struct psn_error none = { 0 };
    struct psn_error many = { 0 };

    (void)state;
    make_identity(identity, sizeof identity, recipient);
    assert_int_equal(parse("", &scalar, NULL), PSN_E_INVALID);
    assert_int_equal(parse("# only a comment\n\n", &scalar, &none), PSN_E_INVALID);
    assert_string_equal(none.message, "there is no age identity");
    assert_true(none.hint[0] != '\0');
    (void)snprintf(twice, sizeof twice, "%s\n# again\n%s\n", identity, identity);
    assert_int_equal(parse(twice, &scalar, &many), PSN_E_INVALID);
    assert_string_equal(many.message, "there is more than one age identity");
    assert_null(scalar);
}

static void a_mistyped_identity_is_told_without_showing_it(void **state)
{
    char identity[128] = "";
    char recipient[PSN_AGE_RECIPIENT_MAX];

    (void)state;
    make_identity(identity, sizeof identity, recipient);
    for (size_t at = 0; identity[at]; at++) {
        char file[256];
        struct psn_secret *scalar = NULL;
        struct psn_error err = { 0 };
        char kept = identity[at];

        identity[at] = kept == 'Q' ? 'P' : 'Q';
        (void)snprintf(file, sizeof file, "# one\n%s\n", identity);
        assert_int_equal(parse(file, &scalar, &err), PSN_E_INVALID);
        assert_int_equal(err.code, PSN_E_INVALID);
        assert_null(scalar);
        assert_non_null(strstr(err.message, "line 2"));
        assert_null(strstr(err.message, "SECRET"));
        identity[at] = kept;
    }
}

/* Groups of six, parted as somebody types them from paper or pastes them. */
static void group(const char *identity, const char *gap, char *out)
{
    for (size_t i = 0; identity[i]; i++) {
        out[0] = identity[i];
        out[1] = '\0';
        if (i % 6 == 5)
            memcpy(out + 1, gap, strlen(gap) + 1);
        out += strlen(out);
    }
}

static void an_identity_may_be_typed_from_paper(void **state)
{
    char identity[128] = "";
    char recipient[PSN_AGE_RECIPIENT_MAX];
    char typed[512];
    PSN_AUTO(psn_secret) *known = NULL;
    static const char *const gaps[] = { "", " ", "  ", "\t", "\302\240", "\342\200\257" };

    (void)state;
    make_identity(identity, sizeof identity, recipient);
    assert_int_equal(parse(identity, &known, NULL), PSN_OK);
    for (size_t i = 0; i < 2 * sizeof gaps / sizeof *gaps; i++) {
        PSN_AUTO(psn_secret) *scalar = NULL;

        group(identity, gaps[i / 2], typed);
        if (i % 2)
            psn_text_lower(typed);
        assert_int_equal(parse(typed, &scalar, NULL), PSN_OK);
        assert_true(psn_secret_equal(scalar, known));
    }
    (void)snprintf(typed, sizeof typed, "%s", identity);
    typed[40] = (char)(typed[40] >= 'A' ? typed[40] - 'A' + 'a' : 'q');
    assert_int_equal(parse(typed, &(struct psn_secret *){ NULL }, NULL), PSN_E_INVALID);
}

static void assert_refused(const char *text)
{
    struct psn_secret *scalar = NULL;

    assert_int_equal(parse(text, &scalar, NULL), PSN_E_INVALID);
    assert_null(scalar);
}

/* An identity that is a byte short, and one of another kind. */
static void encode_others(const char *identity, char shorter[128], char other[128])
{
    (void)psn_bech32_encode("age-secret-key-", (const uint8_t *)identity, 31, shorter,
                            128);
    (void)psn_bech32_encode("age-secret-key-x", (const uint8_t *)identity, 32, other,
                            128);
    for (size_t i = 0; i < 128; i++) {
        shorter[i] = (char)(toupper)((unsigned char)shorter[i]);
        other[i] = (char)(toupper)((unsigned char)other[i]);
    }
}

static void other_kinds_of_keys_are_refused(void **state)
{
    char identity[128] = "";
    char recipient[PSN_AGE_RECIPIENT_MAX];
    char shorter[128] = "";
    char other[128] = "";
    char dashed[130];

    (void)state;
    make_identity(identity, sizeof identity, recipient);
    encode_others(identity, shorter, other);
    (void)snprintf(dashed, sizeof dashed, "-%s", identity);
    {
        const char *const rows[] = {
            recipient,
            shorter,
            other,
            dashed,
            "AGE-PLUGIN-YUBIKEY-1QQPQYQSZQGPQYQS",
            "age-encryption.org/v1",
            "-----BEGIN AGE ENCRYPTED FILE-----",
            "-----BEGIN OPENSSH PRIVATE KEY-----",
            "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            "AGE-SECRET-KEY-1",
            "AGE-SECRET-KEY-",
        };

        for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
            assert_refused(rows[i]);
    }
}

static void a_nul_in_the_file_hides_nothing(void **state)
{
    PSN_AUTO(psn_secret) *file = NULL;
    struct psn_secret *scalar = NULL;
    char identity[128] = "";
    char recipient[PSN_AGE_RECIPIENT_MAX];

    (void)state;
    make_identity(identity, sizeof identity, recipient);
    assert_int_equal(psn_secret_new(300, &file, NULL), PSN_OK);
    assert_int_equal(psn_secret_append(file, identity, strlen(identity), NULL), PSN_OK);
    assert_int_equal(psn_secret_append(file, "\0", 1, NULL), PSN_OK);
    assert_int_equal(psn_age_identity_parse(file, &scalar, NULL), PSN_E_INVALID);
    assert_null(scalar);
}

static void a_scalar_of_another_length_is_refused(void **state)
{
    PSN_AUTO(psn_secret) *scalar = NULL;
    struct psn_secret *text = NULL;
    char recipient[PSN_AGE_RECIPIENT_MAX] = "kept";

    (void)state;
    assert_int_equal(psn_secret_copy("short", 5, &scalar, NULL), PSN_OK);
    assert_int_equal(psn_age_recipient(scalar, recipient, NULL), PSN_E_INVALID);
    assert_string_equal(recipient, "kept");
    assert_int_equal(psn_age_identity_text(scalar, &text, NULL), PSN_E_INVALID);
    assert_null(text);
}

/* Interoperation with age -------------------------------------------------------------
 */

static void what_age_keygen_makes_is_read_with_its_recipient(void **state)
{
    (void)state;
    command_require("age-keygen");
    for (int i = 0; i < 10; i++) {
        PSN_AUTO(psn_secret) *file = NULL;
        PSN_AUTO(psn_secret) *scalar = NULL;
        char name[32];
        char path[TMPDIR_PATH_MAX];
        char out[256];
        char recipient[PSN_AGE_RECIPIENT_MAX];
        const char *const make[] = { "age-keygen", "-o", path, NULL };
        const char *const show[] = { "age-keygen", "-y", path, NULL };

        (void)snprintf(name, sizeof name, "theirs-%d", i);
        (void)tmpdir_path(&dir, name, path);
        assert_int_equal(command_run(make, out, sizeof out), 0);
        assert_int_equal(psn_secret_read_file(path, 4096, &file, NULL), PSN_OK);
        assert_int_equal(psn_age_identity_parse(file, &scalar, NULL), PSN_OK);
        assert_int_equal(psn_age_recipient(scalar, recipient, NULL), PSN_OK);
        assert_int_equal(command_run(show, out, sizeof out), 0);
        out[strcspn(out, "\n")] = '\0';
        assert_string_equal(out, recipient);
    }
}

static void age_keygen_reads_what_is_made_here(void **state)
{
    (void)state;
    command_require("age-keygen");
    for (int i = 0; i < 10; i++) {
        char identity[128] = "";
        char recipient[PSN_AGE_RECIPIENT_MAX];
        char path[TMPDIR_PATH_MAX];
        char out[256];
        const char *const show[] = { "age-keygen", "-y", path, NULL };

        make_identity(identity, sizeof identity, recipient);
        assert_int_equal(psn_file_write(tmpdir_path(&dir, "ours", path), identity,
                                        strlen(identity), PSN_FILE_REPLACE, NULL),
                         PSN_OK);
        assert_int_equal(command_run(show, out, sizeof out), 0);
        out[strcspn(out, "\n")] = '\0';
        assert_string_equal(out, recipient);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_valid_strings_of_bip_173_are_read_and_written_back),
        cmocka_unit_test(the_invalid_strings_of_bip_173_are_refused),
        cmocka_unit_test(what_is_left_over_is_less_than_a_character_and_zero),
        cmocka_unit_test(a_letter_outside_the_alphabet_stands_for_nothing),
        cmocka_unit_test(a_prefix_has_all_characters_that_are_visible),
        cmocka_unit_test(bytes_of_every_length_come_back),
        cmocka_unit_test(what_does_not_fit_is_not_written),
        cmocka_unit_test(every_wrong_character_is_found),
        cmocka_unit_test(an_identity_comes_back_from_its_text),
        cmocka_unit_test(comments_blank_lines_and_windows_newlines_are_allowed),
        cmocka_unit_test(none_or_more_than_one_identity_is_refused),
        cmocka_unit_test(a_mistyped_identity_is_told_without_showing_it),
        cmocka_unit_test(an_identity_may_be_typed_from_paper),
        cmocka_unit_test(other_kinds_of_keys_are_refused),
        cmocka_unit_test(a_nul_in_the_file_hides_nothing),
        cmocka_unit_test(a_scalar_of_another_length_is_refused),
        cmocka_unit_test(what_age_keygen_makes_is_read_with_its_recipient),
        cmocka_unit_test(age_keygen_reads_what_is_made_here),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
