#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "base/file.h"
#include "crypto/init.h"
#include "crypto/kdf.h"
#include "crypto/secret.h"
#include "crypto/sign.h"
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

static void unhex(const char *hex, uint8_t *out, size_t size)
{
    size_t done = 0;

    assert_int_equal(sodium_hex2bin(out, size, hex, strlen(hex), NULL, &done, NULL), 0);
    assert_int_equal(done, size);
}

/* RFC 8032 7.1, TEST 1 and TEST 2 --------------------------------------------------- */

static void signatures_are_those_of_rfc_8032(void **state)
{
    static const struct {
        const char *seed;
        const char *key;
        const char *message;
        size_t size;
        const char *signature;
    } rows[] = {
        { "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
          "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "", 0,
          "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33b"
          "ac"
          "c61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b" },
        { "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
          "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "\x72", 1,
          "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e1599"
          "6e"
          "458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        PSN_AUTO(psn_secret) *seed = NULL;
        uint8_t bytes[PSN_SIGN_SIZE];
        uint8_t expected[PSN_SIGN_SIZE];
        uint8_t key[PSN_SIGN_PUBLIC_SIZE];

        unhex(rows[i].seed, bytes, PSN_SIGN_SEED_SIZE);
        assert_int_equal(psn_secret_copy(bytes, PSN_SIGN_SEED_SIZE, &seed, NULL), PSN_OK);
        unhex(rows[i].key, expected, sizeof key);
        assert_int_equal(psn_sign_public(seed, key, NULL), PSN_OK);
        assert_memory_equal(key, expected, sizeof key);
        unhex(rows[i].signature, expected, sizeof expected);
        assert_int_equal(psn_sign(seed, rows[i].message, rows[i].size, bytes, NULL),
                         PSN_OK);
        assert_memory_equal(bytes, expected, sizeof bytes);
        assert_int_equal(psn_sign_verify(key, rows[i].message, rows[i].size, bytes, NULL),
                         PSN_OK);
    }
}

static void a_changed_message_signature_or_key_does_not_verify(void **state)
{
    PSN_AUTO(psn_secret) *seed = NULL;
    uint8_t message[] = "remise 1795491840000";
    uint8_t signature[PSN_SIGN_SIZE];
    uint8_t key[PSN_SIGN_PUBLIC_SIZE];
    struct {
        uint8_t *bytes;
        size_t size;
    } parts[] = { { message, sizeof message },
                  { signature, sizeof signature },
                  { key, sizeof key } };

    (void)state;
    assert_int_equal(psn_kdf_random(&seed, NULL), PSN_OK);
    assert_int_equal(psn_sign_public(seed, key, NULL), PSN_OK);
    assert_int_equal(psn_sign(seed, message, sizeof message, signature, NULL), PSN_OK);
    for (size_t part = 0; part < 3; part++) {
        for (size_t bit = 0; bit < 8 * parts[part].size; bit++) {
            struct psn_error err = { 0 };

            parts[part].bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
            assert_int_equal(
                psn_sign_verify(key, message, sizeof message, signature, &err),
                PSN_E_INTEGRITY);
            assert_int_equal(err.code, PSN_E_INTEGRITY);
            parts[part].bytes[bit / 8] ^= (uint8_t)(1U << bit % 8);
        }
    }
    assert_int_equal(psn_sign_verify(key, message, sizeof message - 1, signature, NULL),
                     PSN_E_INTEGRITY);
    assert_int_equal(psn_sign_verify(key, message, sizeof message, signature, NULL),
                     PSN_OK);
}

/* All of small order: a signature by one would be nobody's. */
static void keys_of_small_order_sign_nothing(void **state)
{
    static const uint8_t last[] = { 0x00, 0x01, 0x80 };
    uint8_t signature[PSN_SIGN_SIZE] = { 1 };

    (void)state;
    for (size_t i = 0; i < sizeof last; i++) {
        uint8_t key[PSN_SIGN_PUBLIC_SIZE] = { last[i] == 0x01 ? 1 : 0 };

        key[31] = last[i] == 0x80 ? 0x80 : 0;
        assert_int_equal(psn_sign_verify(key, "", 0, signature, NULL), PSN_E_INTEGRITY);
    }
}

static void a_seed_of_another_length_is_refused(void **state)
{
    PSN_AUTO(psn_secret) *seed = NULL;
    uint8_t signature[PSN_SIGN_SIZE] = { 9 };
    struct psn_error err = { 0 };

    (void)state;
    assert_int_equal(psn_secret_copy("short", 5, &seed, NULL), PSN_OK);
    assert_int_equal(psn_sign(seed, "", 0, signature, &err), PSN_E_INVALID);
    assert_int_equal(err.code, PSN_E_INVALID);
    assert_int_equal(psn_sign_public(seed, signature, NULL), PSN_E_INVALID);
    assert_int_equal(signature[0], 9);
}

/* Forms ----------------------------------------------------------------------------- */

static void write_file(const char *name, const void *bytes, size_t size,
                       char path[TMPDIR_PATH_MAX])
{
    assert_int_equal(psn_file_write(tmpdir_path(&dir, name, path), bytes, size,
                                    PSN_FILE_REPLACE, NULL),
                     PSN_OK);
}

static void the_ssh_forms_have_their_fixed_beginning(void **state)
{
    uint8_t key[PSN_SIGN_PUBLIC_SIZE] = { 0 };
    char text[PSN_SSH_KEY_TEXT_MAX];
    char fingerprint[PSN_FINGERPRINT_MAX];

    (void)state;
    psn_sign_ssh_text(key, text);
    assert_string_equal(text, "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAAAAAAAAAAAAAAAAAAAA"
                              "AAAAAAAAAAAAAAAAAAAAAA");
    psn_sign_fingerprint(key, fingerprint);
    assert_int_equal(strlen(fingerprint), 7 + 43);
    assert_memory_equal(fingerprint, "SHA256:", 7);
}

static void ssh_keygen_prints_the_same_fingerprint(void **state)
{
    (void)state;
    command_require("ssh-keygen");
    for (int i = 0; i < 10; i++) {
        PSN_AUTO(psn_secret) *seed = NULL;
        uint8_t key[PSN_SIGN_PUBLIC_SIZE];
        char text[PSN_SSH_KEY_TEXT_MAX];
        char fingerprint[PSN_FINGERPRINT_MAX];
        char path[TMPDIR_PATH_MAX];
        char out[512];
        char expected[128];
        const char *const argv[] = { "ssh-keygen", "-lf", path, NULL };

        assert_int_equal(psn_kdf_random(&seed, NULL), PSN_OK);
        assert_int_equal(psn_sign_public(seed, key, NULL), PSN_OK);
        psn_sign_ssh_text(key, text);
        psn_sign_fingerprint(key, fingerprint);
        write_file("key.pub", text, strlen(text), path);
        assert_int_equal(command_run(argv, out, sizeof out), 0);
        (void)snprintf(expected, sizeof expected, "256 %s ", fingerprint);
        assert_memory_equal(out, expected, strlen(expected));
    }
}

static void the_minisign_form_names_algorithm_id_and_key(void **state)
{
    uint8_t key[PSN_SIGN_PUBLIC_SIZE];
    uint8_t blob[64];
    uint8_t id[32];
    char text[PSN_MINISIGN_KEY_TEXT_MAX];
    size_t size;

    (void)state;
    memset(key, 0x42, sizeof key);
    psn_sign_minisign_text(key, text);
    assert_int_equal(sodium_base642bin(blob, sizeof blob, text, strlen(text), NULL, &size,
                                       NULL, sodium_base64_VARIANT_ORIGINAL),
                     0);
    assert_int_equal(size, 42);
    assert_memory_equal(blob, "Ed", 2);
    (void)crypto_generichash(id, sizeof id, key, sizeof key, NULL, 0);
    assert_memory_equal(blob + 2, id, 8);
    assert_memory_equal(blob + 10, key, sizeof key);
}

/* A signature in minisign's form, made here: minisign takes it with the printed key. */
static void minisign_verifies_with_the_printed_key(void **state)
{
    static const char message[] = "procès-verbal de remise\n";
    static const char comment[] = "passation";
    PSN_AUTO(psn_secret) *seed = NULL;
    uint8_t key[PSN_SIGN_PUBLIC_SIZE];
    uint8_t blob[128];
    uint8_t bound[PSN_SIGN_SIZE + sizeof comment - 1];
    char text[PSN_MINISIGN_KEY_TEXT_MAX];
    char first[128];
    char second[128];
    char file[512];
    char path[TMPDIR_PATH_MAX];
    char signature_path[TMPDIR_PATH_MAX];
    char out[256];
    const char *const argv[] = { "minisign", "-V", "-m", path, "-P", text, NULL };
    size_t size;
    int length;

    (void)state;
    command_require("minisign");
    assert_int_equal(psn_kdf_random(&seed, NULL), PSN_OK);
    assert_int_equal(psn_sign_public(seed, key, NULL), PSN_OK);
    psn_sign_minisign_text(key, text);
    assert_int_equal(sodium_base642bin(blob, sizeof blob, text, strlen(text), NULL, &size,
                                       NULL, sodium_base64_VARIANT_ORIGINAL),
                     0);
    assert_int_equal(psn_sign(seed, message, sizeof message - 1, blob + 10, NULL),
                     PSN_OK);
    memcpy(bound, blob + 10, PSN_SIGN_SIZE);
    memcpy(bound + PSN_SIGN_SIZE, comment, sizeof comment - 1);
    (void)sodium_bin2base64(first, sizeof first, blob, 10 + PSN_SIGN_SIZE,
                            sodium_base64_VARIANT_ORIGINAL);
    assert_int_equal(psn_sign(seed, bound, sizeof bound, blob, NULL), PSN_OK);
    (void)sodium_bin2base64(second, sizeof second, blob, PSN_SIGN_SIZE,
                            sodium_base64_VARIANT_ORIGINAL);
    length =
        snprintf(file, sizeof file, "untrusted comment: x\n%s\ntrusted comment: %s\n%s\n",
                 first, comment, second);
    write_file("act", message, sizeof message - 1, path);
    write_file("act.minisig", file, (size_t)length, signature_path);
    assert_int_equal(command_run(argv, out, sizeof out), 0);
    write_file("act", message, sizeof message - 2, path);
    assert_int_not_equal(command_run(argv, out, sizeof out), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_are_those_of_rfc_8032),
        cmocka_unit_test(a_changed_message_signature_or_key_does_not_verify),
        cmocka_unit_test(keys_of_small_order_sign_nothing),
        cmocka_unit_test(a_seed_of_another_length_is_refused),
        cmocka_unit_test(the_ssh_forms_have_their_fixed_beginning),
        cmocka_unit_test(ssh_keygen_prints_the_same_fingerprint),
        cmocka_unit_test(the_minisign_form_names_algorithm_id_and_key),
        cmocka_unit_test(minisign_verifies_with_the_printed_key),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
