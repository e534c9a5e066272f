#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "crypto/generate.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "passation/received.h"
#include "support/tmpdir.h"

static enum psn_code normalize(const char *typed, char *out, size_t size,
                               struct psn_error *err)
{
    struct psn_secret *secret = NULL;
    struct psn_secret *code = NULL;
    enum psn_code rc;

    assert_int_equal(psn_secret_new(strlen(typed) + 1, &secret, NULL), PSN_OK);
    assert_int_equal(psn_secret_append(secret, typed, strlen(typed), NULL), PSN_OK);
    rc = psn_code_normalize(secret, &code, err);
    if (!rc) {
        assert_true(psn_secret_size(code) < size);
        memcpy(out, psn_secret_bytes(code), psn_secret_size(code));
        out[psn_secret_size(code)] = '\0';
    } else {
        assert_null(code);
    }
    psn_secret_free(secret);
    psn_secret_free(code);
    return rc;
}

#define CODE "eclair-abaisser-cafe-ou-foret-hiver-naif-garcon-tot"

static void every_spelling_of_nine_words_has_one_form(void **state)
{
    static const char *const spelled[] = {
        CODE,
        "ECLAIR ABAISSER CAFE OU FORET HIVER NAIF GARCON TOT",
        "\303\251clair abaisser caf\303\251 o\303\271 for\303\252t hiver na\303\257f "
        "gar\303\247on t\303\264t",
        "\303\211CLAIR-\303\200BAISSER-CAF\303\211-O\303\231-FOR\303\212T-HIVER-"
        "NA\303\217F-"
        "GAR\303\207ON-T\303\224T",
        /* decomposed, as some systems store it */
        "e\314\201clair abaisser cafe\314\201 ou\314\200 fore\314\202t hiver "
        "nai\314\210f garc\314\247on to\314\202t",
        /* what a chat or a telephone makes of blanks and hyphens */
        "eclair\342\200\223abaisser\342\200\224cafe\302\240ou\342\200\221foret"
        "\342\200\257hiver\342\200\220naif garcon tot",
        "eclair\tabaisser\r\ncafe\n\nou -- foret. hiver, naif - garcon   tot \n",
    };
    char out[128];

    (void)state;
    for (size_t i = 0; i < sizeof spelled / sizeof *spelled; i++) {
        assert_int_equal(normalize(spelled[i], out, sizeof out, NULL), PSN_OK);
        assert_string_equal(out, CODE);
    }
}

/* A to Z, and each letter that French writes with an accent. */
static void every_letter_of_a_keyboard_is_read(void **state)
{
    static const char words[] = "abcdefghijklmnopqrstuvwxyz a b c d e f g h";
    static const char capitals[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ A B C D E F G H";
    static const char accents[] =
        "\303\240\303\242\303\244\303\245\303\247\303\250\303\251\303\252\303\253\303\256"
        "\303\257\303\264\303\266\303\271\303\273\303\274 a b c d e f g h";
    static const char accented_capitals[] =
        "\303\200\303\202\303\204\303\205\303\207\303\210\303\211\303\212\303\213\303\216"
        "\303\217\303\224\303\226\303\231\303\233\303\234 A B C D E F G H";
    static const char *const bad[] = { "\303\206", "\303\220", "\303\221", "\303\227",
                                       "\303\230", "\303\235", "\303\237", "\303\246",
                                       "\303\261", "\303\270", "\303\275", "\303\277",
                                       "@",        "[",        "`",        "{",
                                       "\302\251" };
    char out[128];

    (void)state;
    assert_int_equal(normalize(words, out, sizeof out, NULL), PSN_OK);
    assert_string_equal(out, "abcdefghijklmnopqrstuvwxyz-a-b-c-d-e-f-g-h");
    assert_int_equal(normalize(capitals, out, sizeof out, NULL), PSN_OK);
    assert_string_equal(out, "abcdefghijklmnopqrstuvwxyz-a-b-c-d-e-f-g-h");
    assert_int_equal(normalize(accents, out, sizeof out, NULL), PSN_OK);
    assert_string_equal(out, "aaaaceeeeiioouuu-a-b-c-d-e-f-g-h");
    assert_int_equal(normalize(accented_capitals, out, sizeof out, NULL), PSN_OK);
    assert_string_equal(out, "aaaaceeeeiioouuu-a-b-c-d-e-f-g-h");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char typed[32];

        (void)snprintf(typed, sizeof typed, "a b c d e f g h i%s", bad[i]);
        assert_int_equal(normalize(typed, out, sizeof out, NULL), PSN_E_INVALID);
    }
}

static void what_is_no_code_is_refused_with_the_number_of_words(void **state)
{
    static const char *const bad[] = {
        "",
        " - - ",
        "one two three four five six seven eight",
        "one two three four five six seven eight nine ten",
        "one two three four five six seven eight nine9",
        "one two three four five six seven eight nin\303\237",
        "one two three four five six seven eight nine\303",
        "one two three four five six seven eight nine\033[A",
        "one_two_three_four_five_six_seven_eight_nine",
    };
    char out[128];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct psn_error err = { 0 };

        assert_int_equal(normalize(bad[i], out, sizeof out, &err), PSN_E_INVALID);
        assert_string_equal(err.message, "this is no code of an issue");
        assert_non_null(strstr(err.hint, "9 words"));
    }
}

/* Though its last byte stands behind the end of what was typed. */
static void a_character_that_the_end_cuts_makes_no_code(void **state)
{
    static const char *const ends[] = { "\303\251", "\314\201", "\302\240",
                                        "\342\200\224" };

    (void)state;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        PSN_AUTO(psn_secret) *typed = NULL;
        PSN_AUTO(psn_secret) *whole = NULL;
        struct psn_secret *cut = NULL;
        size_t size = sizeof CODE - 1 + strlen(ends[i]);

        assert_int_equal(psn_secret_new(size, &typed, NULL), PSN_OK);
        assert_int_equal(psn_secret_append(typed, CODE, sizeof CODE - 1, NULL), PSN_OK);
        assert_int_equal(psn_secret_append(typed, ends[i], strlen(ends[i]), NULL),
                         PSN_OK);
        assert_int_equal(psn_code_normalize(typed, &whole, NULL), PSN_OK);
        psn_secret_set_size(typed, size - 1);
        psn_secret_fill(typed)[size - 1] = (uint8_t)ends[i][strlen(ends[i]) - 1];
        assert_int_equal(psn_code_normalize(typed, &cut, NULL), PSN_E_INVALID);
        assert_null(cut);
    }
}

static void a_generated_code_is_its_own_normal_form(void **state)
{
    static const char *const languages[] = { "fr", "en" };

    (void)state;
    for (int i = 0; i < 200; i++) {
        struct psn_secret *code = NULL;
        struct psn_secret *normal = NULL;

        assert_int_equal(psn_generate_passphrase(languages[i % 2], &code, NULL), PSN_OK);
        assert_int_equal(psn_code_normalize(code, &normal, NULL), PSN_OK);
        assert_true(psn_secret_equal(code, normal));
        psn_secret_free(code);
        psn_secret_free(normal);
    }
}

/* --- without memory --- */

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool without_memory;

void *__wrap_calloc(size_t count, size_t size)
{
    return without_memory ? NULL : __real_calloc(count, size);
}

static void a_code_for_which_there_is_no_memory_is_not_taken_for_one(void **state)
{
    PSN_AUTO(psn_secret) *typed = NULL;
    struct psn_secret *code = NULL;
    enum psn_code rc;

    (void)state;
    assert_int_equal(psn_secret_copy(CODE, strlen(CODE), &typed, NULL), PSN_OK);
    without_memory = true;
    rc = psn_code_normalize(typed, &code, NULL);
    without_memory = false;
    assert_int_equal(rc, PSN_E_NOMEM);
    assert_null(code);
}

/* --- which files open by a code --- */

static void a_page_and_a_file_for_a_passphrase_ask_for_a_code_and_nothing_else(
    void **state)
{
    static const struct {
        const char *content; /* NULL: no file */
        bool asks;
    } rows[] = {
        { "<!DOCTYPE html>\n<html>", true },
        { "<", true },
        { "age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA 18\n", true },
        { "-----BEGIN AGE ENCRYPTED FILE-----\n"
          "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwdCBBQUFBQUFBQUFBQUFBQUFB\n",
          true },
        { "age-encryption.org/v1\n-> scrypts AAAA\n", false },
        { "-----BEGIN AGE ENCRYPTED FILE-----\n"
          "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IHNjcnlwZCBBQUFBQUFBQUFBQUFBQUFB\n",
          false },
        { "age-encryption.org/v1\n-> X25519 AAAA\n", false },
        { "age-encryption.org/v1\n-> ssh-ed25519 AAAA AAAA\n", false },
        { "-----BEGIN AGE ENCRYPTED FILE-----\n"
          "YWdlLWVuY3J5cHRpb24ub3JnL3YxCi0+IFgyNTUxOSBBQUFBQUFBQUFBQUFBQUFB\n",
          false },
        { "Good morning, the code follows <soon>\n", false },
        { "", false },
        { NULL, false },
    };
    struct tmpdir dir;
    char path[TMPDIR_PATH_MAX];

    (void)state;
    tmpdir_make(&dir);
    (void)tmpdir_path(&dir, "issue", path);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *content = rows[i].content;

        if (content)
            assert_int_equal(
                psn_file_write(path, content, strlen(content), PSN_FILE_REPLACE, NULL),
                PSN_OK);
        else
            assert_int_equal(unlink(path), 0);
        assert_int_equal(psn_issue_asks_code(path), rows[i].asks);
    }
    tmpdir_remove(&dir);
}

static int set_up(void **state)
{
    (void)state;
    return psn_crypto_init(NULL) ? -1 : 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_spelling_of_nine_words_has_one_form),
        cmocka_unit_test(every_letter_of_a_keyboard_is_read),
        cmocka_unit_test(what_is_no_code_is_refused_with_the_number_of_words),
        cmocka_unit_test(a_character_that_the_end_cuts_makes_no_code),
        cmocka_unit_test(a_generated_code_is_its_own_normal_form),
        cmocka_unit_test(a_code_for_which_there_is_no_memory_is_not_taken_for_one),
        cmocka_unit_test(
            a_page_and_a_file_for_a_passphrase_ask_for_a_code_and_nothing_else),
    };

    return cmocka_run_group_tests(tests, set_up, NULL);
}
