#include "crypto/generate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "base/auto.h"
#include "base/i18n.h"
#include "base/library.h"
#include "base/text.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

/*
 * randombytes_uniform() rejects instead of taking a remainder, so every draw is even.
 * A password that lacks a class of characters is thrown away whole: to exchange single
 * characters would make some passwords likelier than others.
 */

static const char password_alphabet[] = "ABCDEFGHJKLMNPQRSTUVWXYZ"
                                        "abcdefghijkmnopqrstuvwxyz"
                                        "23456789";

enum {
    PASSWORD_CHARACTERS = sizeof password_alphabet - 1,
    WORDS = 2048,
    WORD_SIZE = 9, /* with the NUL */
    RECOVERY_RANDOM = 26,
    RECOVERY_CHECK = 2,
    RECOVERY_CHARACTERS = RECOVERY_RANDOM + RECOVERY_CHECK,
    RECOVERY_GROUP = 4
};

_Static_assert(PASSWORD_CHARACTERS == 57, "no look-alikes");
_Static_assert(RECOVERY_CHARACTERS + RECOVERY_CHARACTERS / RECOVERY_GROUP - 1 ==
                   PSN_RECOVERY_SIZE,
               "groups joined by hyphens");

/* A hyphen never stands at the end. */
static void draw_password(char *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (i % (PSN_PASSWORD_GROUP + 1) == PSN_PASSWORD_GROUP && i + 1 < size)
            out[i] = '-';
        else
            out[i] = password_alphabet[randombytes_uniform(PASSWORD_CHARACTERS)];
}

/* A new secret is all zero, so that what was drawn ends with NUL. */
static bool has_all_classes(const char *password)
{
    bool upper = false;
    bool lower = false;
    bool digit = false;

    for (const char *at = password; *at; at++) {
        upper = upper || psn_text_is_upper(*at);
        lower = lower || psn_text_is_lower(*at);
        digit = digit || psn_text_is_digit(*at);
    }
    return upper && lower && digit;
}

enum psn_code psn_generate_password_sized(size_t size, struct psn_secret **ret_password,
                                          struct psn_error *err)
{
    PSN_AUTO(psn_secret) *password = NULL;
    enum psn_code rc;
    char *text;

    if (size < PSN_PASSWORD_SIZE_MIN || size > PSN_PASSWORD_SIZE_MAX)
        return psn_fail(err, PSN_E_POLICY,
                        _("a password of %zu characters is not generated: %d to %d are"),
                        size, PSN_PASSWORD_SIZE_MIN, PSN_PASSWORD_SIZE_MAX);
    rc = psn_secret_new(size, &password, err);
    if (rc)
        return rc;
    text = (char *)psn_secret_fill(password);
    do
        draw_password(text, size);
    while (!has_all_classes(text));
    psn_secret_set_size(password, size);
    *ret_password = PSN_TAKE(password);
    return PSN_OK;
}

enum psn_code psn_generate_password(struct psn_secret **ret_password,
                                    struct psn_error *err)
{
    return psn_generate_password_sized(PSN_PASSWORD_SIZE, ret_password, err);
}

/* Rows of equal width instead of pointers, which the loader would have to relocate in
 * every run. */
static const char words_en[WORDS][WORD_SIZE] = {
#include "crypto/words_en.inc"
};
static const char words_fr[WORDS][WORD_SIZE] = {
#include "crypto/words_fr.inc"
};

enum psn_code psn_generate_passphrase(const char *language,
                                      struct psn_secret **ret_passphrase,
                                      struct psn_error *err)
{
    PSN_AUTO(psn_secret) *passphrase = NULL;
    bool french = language && strcmp(language, "fr") == 0;
    enum psn_code rc;

    rc = psn_secret_new(PSN_PASSPHRASE_SIZE_MAX, &passphrase, err);
    for (int i = 0; !rc && i < PSN_PASSPHRASE_WORDS; i++) {
        uint32_t index = randombytes_uniform(WORDS);
        const char *word = french ? words_fr[index] : words_en[index];

        rc = psn_secret_append(passphrase, "-", i > 0 ? 1 : 0, err);
        if (!rc)
            rc = psn_secret_append(passphrase, word, strlen(word), err);
    }
    if (rc)
        return rc;
    *ret_passphrase = PSN_TAKE(passphrase);
    return PSN_OK;
}

/* Douglas Crockford's base32: no I, L, O, U. */
static const char base32_alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* The first ten bits of a hash of the other characters. */
static void recovery_check(const char random[RECOVERY_RANDOM],
                           char ret_check[RECOVERY_CHECK])
{
    static const char label[] = "passation recovery code 1";
    struct psn_part parts[] = { { label, sizeof label - 1 },
                                { random, RECOVERY_RANDOM } };
    uint8_t hash[PSN_HASH_SIZE];

    psn_hash(parts, 2, hash);
    ret_check[0] = base32_alphabet[hash[0] >> 3];
    ret_check[1] = base32_alphabet[(hash[0] & 7U) << 2 | hash[1] >> 6];
    sodium_memzero(hash, sizeof hash);
}

static bool check_fits(const char code[RECOVERY_CHARACTERS])
{
    char check[RECOVERY_CHECK];

    recovery_check(code, check);
    return sodium_memcmp(check, code + RECOVERY_RANDOM, RECOVERY_CHECK) == 0;
}

static enum psn_code group_recovery(const char code[RECOVERY_CHARACTERS],
                                    struct psn_secret **ret_code, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *grouped = NULL;
    enum psn_code rc;

    rc = psn_secret_new(PSN_RECOVERY_SIZE, &grouped, err);
    for (size_t i = 0; !rc && i < RECOVERY_CHARACTERS; i += RECOVERY_GROUP) {
        rc = psn_secret_append(grouped, "-", i > 0 ? 1 : 0, err);
        if (!rc)
            rc = psn_secret_append(grouped, code + i, RECOVERY_GROUP, err);
    }
    if (rc)
        return rc;
    *ret_code = PSN_TAKE(grouped);
    return PSN_OK;
}

enum psn_code psn_generate_recovery(struct psn_secret **ret_code, struct psn_error *err)
{
    char code[RECOVERY_CHARACTERS];
    enum psn_code rc;

    for (size_t i = 0; i < RECOVERY_RANDOM; i++)
        code[i] = base32_alphabet[randombytes_uniform(32)];
    recovery_check(code, code + RECOVERY_RANDOM);
    rc = group_recovery(code, ret_code, err);
    sodium_memzero(code, sizeof code);
    return rc;
}

/* What a person means by a character; 0 if nothing that a code can hold. */
static char meant(char c)
{
    if (psn_text_is_lower(c))
        c = (char)(c - 'a' + 'A');
    if (c == 'O')
        return '0';
    if (c == 'I' || c == 'L')
        return '1';
    if (!c || !strchr(base32_alphabet, c))
        return '\0';
    return c;
}

/* Takes the characters out of what was typed; counts those beyond the end too. An error
 * tells where the wrong character is, never which. */
static enum psn_code pick(const struct psn_secret *typed,
                          char ret_code[RECOVERY_CHARACTERS], struct psn_error *err)
{
    const char *text = (const char *)psn_secret_bytes(typed);
    size_t size = psn_secret_size(typed);
    size_t count = 0;

    for (size_t i = 0; i < size;) {
        size_t gap = psn_text_gap(text + i, size - i);
        char c;

        if (gap) {
            i += gap;
            continue;
        }
        c = meant(text[i++]);
        count++;
        if (!c)
            return psn_fail(err, PSN_E_INVALID,
                            _("character %zu cannot stand in a recovery code"), count);
        if (count <= RECOVERY_CHARACTERS)
            ret_code[count - 1] = c;
    }
    if (count != RECOVERY_CHARACTERS)
        return psn_fail(err, PSN_E_INVALID,
                        _("a recovery code has %d characters, not %zu"),
                        RECOVERY_CHARACTERS, count);
    return PSN_OK;
}

enum psn_code psn_normalize_recovery(const struct psn_secret *typed,
                                     struct psn_secret **ret_code, struct psn_error *err)
{
    char code[RECOVERY_CHARACTERS] = "";
    enum psn_code rc;

    rc = pick(typed, code, err);
    if (!rc && !check_fits(code))
        rc = psn_fail(err, PSN_E_INVALID,
                      _("the recovery code was mistyped: its last two characters do not "
                        "fit the others"));
    if (!rc)
        rc = group_recovery(code, ret_code, err);
    sodium_memzero(code, sizeof code);
    if (rc == PSN_E_INVALID)
        (void)psn_hint(err, rc,
                       _("type the seven groups of four again as they are printed; "
                         "capitals, blanks and hyphens do not matter"));
    return rc;
}

/*
 * The strength of a chosen passphrase is zxcvbn's guess of the guesses. The library is
 * loaded when needed, as it costs every start-up 0.1 ms when linked. It leaves copies of
 * the passphrase on the heap, also reversed and in lower case, without wiping them: so
 * it runs in a child process, whose memory ends with it.
 */
typedef double zxcvbn_match_fn(const char *password, const char *words[], void *info);

enum {
    PASSPHRASE_CHARACTERS_MIN = 12
};

static const double guesses_bits_min = 33.2193; /* log2 of 10^10 */

static zxcvbn_match_fn *load_zxcvbn(void)
{
    static const char *const names[] = {
#ifdef __APPLE__
        "libzxcvbn.0.dylib",
#else
        "libzxcvbn.so.0",
        "libzxcvbn.so",
#endif
        NULL,
    };
    static const struct psn_library_symbol symbol = { "ZxcvbnMatch", 0 };
    zxcvbn_match_fn *match = NULL;

    return psn_library_load(names, &symbol, 1, &match, NULL) ? NULL : match;
}

/* The words that a French webmaster's attacker tries first and zxcvbn's English lists
 * lack. */
static const char *local_words[] = {
    "passation", "coffre", "azertyuiop", "qsdfghjklm", "wxcvbn",    "motdepasse",
    "motdepass", "azerty", "bonjour",    "webmaster",  "technique", "contact",
    "ovh",       "doudou", "marseille",  "soleil",     NULL
};

_Noreturn static void measure_in_child(zxcvbn_match_fn *match, const char *passphrase,
                                       int to_parent)
{
    double bits = match(passphrase, local_words, NULL);
    ssize_t done = write(to_parent, &bits, sizeof bits);

    _exit(done == (ssize_t)sizeof bits ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* What the child wrote, once it has ended. */
static bool await(pid_t child, int from_child, double *ret_bits)
{
    ssize_t got;

    do
        got = read(from_child, ret_bits, sizeof *ret_bits);
    while (got == -1 && errno == EINTR);
    while (waitpid(child, NULL, 0) == -1 && errno == EINTR)
        ;
    return got == (ssize_t)sizeof *ret_bits;
}

static bool measure(zxcvbn_match_fn *match, const struct psn_secret *passphrase,
                    double *ret_bits)
{
    int ends[2];
    bool done;
    pid_t child;

    if (pipe(ends) != 0)
        return false;
    (void)fcntl(ends[0], F_SETFD, FD_CLOEXEC);
    (void)fcntl(ends[1], F_SETFD, FD_CLOEXEC);
    child = fork();
    if (child == 0)
        measure_in_child(match, (const char *)psn_secret_bytes(passphrase), ends[1]);
    (void)close(ends[1]);
    done = child != -1 && await(child, ends[0], ret_bits);
    (void)close(ends[0]);
    return done;
}

static size_t count_characters(const struct psn_secret *text)
{
    const uint8_t *bytes = psn_secret_bytes(text);
    size_t count = 0;

    for (size_t i = 0; i < psn_secret_size(text); i++)
        count += (bytes[i] & 0xc0) != 0x80 ? 1 : 0;
    return count;
}

enum psn_code psn_check_passphrase(const struct psn_secret *passphrase,
                                   struct psn_error *err)
{
    zxcvbn_match_fn *match;
    double bits;

    if (!psn_text_is_utf8((const char *)psn_secret_bytes(passphrase),
                          psn_secret_size(passphrase)))
        return psn_fail(err, PSN_E_POLICY, _("the passphrase is not text in UTF-8"));
    if (count_characters(passphrase) < PASSPHRASE_CHARACTERS_MIN) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("the passphrase has fewer than %d characters"),
                       PASSPHRASE_CHARACTERS_MIN);
        return psn_hint(err, PSN_E_POLICY, _("take the generated passphrase"));
    }
    match = load_zxcvbn();
    if (!match || !measure(match, passphrase, &bits)) {
        (void)psn_fail(err, PSN_E_UNEXPECTED,
                       _("the strength of the passphrase cannot be measured: libzxcvbn "
                         "is missing or does not run"));
        return psn_hint(err, PSN_E_UNEXPECTED,
                        _("take the generated passphrase, or install the library "
                          "(Debian: apt install libzxcvbn0)"));
    }
    if (!(bits >= guesses_bits_min)) {
        (void)psn_fail(err, PSN_E_POLICY, _("the passphrase is too easy to guess"));
        return psn_hint(err, PSN_E_POLICY, _("take the generated passphrase"));
    }
    return PSN_OK;
}
