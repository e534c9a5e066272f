#include "support/draws.h"

#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "core/receipt.h"
#include "crypto/generate.h"
#include "crypto/secret.h"
#include "ovh/mailbox.h"

static const char alphabet[] = "ABCDEFGHJKLMNPQRSTUVWXYZ"
                               "abcdefghijkmnopqrstuvwxyz"
                               "23456789";
static const char base32[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
static const char words_en[DRAW_SYMBOLS_MAX][9] = {
#include "crypto/words_en.inc"
};
static const char words_fr[DRAW_SYMBOLS_MAX][9] = {
#include "crypto/words_fr.inc"
};

/* The sizes: what is usual; the least and the most; the next ones up, for rules that ask
 * for 24 and for 30 characters; and what the rules of a whole back-end come to. */
enum kind {
    USUAL,
    LEAST,
    LONGER,
    LONG,
    BY_RULES,
    ENGLISH,
    FRENCH,
    RECOVERY,
    RECEIPT,
};

const struct draw_policy draw_policies[] = {
    [USUAL] = { "password", 20, DRAW_ALPHABET, 0, true, 70 },
    [LEAST] = { "password-14", 12, DRAW_ALPHABET, 0, true, 15 },
    [LONGER] = { "password-29", 25, DRAW_ALPHABET, 0, true, 10 },
    [LONG] = { "password-64", 54, DRAW_ALPHABET, 0, true, 4 },
    [BY_RULES] = { "password-by-rules", 20, DRAW_ALPHABET, 0, true, 10 },
    [ENGLISH] = { "passphrase-en", 9, 2048, 0, false, 8 },
    [FRENCH] = { "passphrase-fr", 9, 2048, 0, false, 8 },
    [RECOVERY] = { "recovery-code", 26, 32, 2, false, 12 },
    [RECEIPT] = { "receipt-code", 10, 32, 1, false, 10 },
};
const size_t draw_policy_count = sizeof draw_policies / sizeof *draw_policies;

static _Noreturn void die(const struct draw_policy *policy, const char *what)
{
    (void)fprintf(stderr, "%s: %s\n", policy->name, what);
    exit(1);
}

static enum kind kind_of(const struct draw_policy *policy)
{
    return (enum kind)(policy - draw_policies);
}

static size_t columns(const struct draw_policy *policy)
{
    return policy->positions + policy->checks;
}

double draw_bits(const struct draw_policy *policy)
{
    return (double)policy->positions * log2((double)policy->symbols);
}

/* --- one draw --- */

static enum psn_code draw(enum kind kind, struct psn_secret **ret_secret)
{
    static const struct psn_mailbox mailbox = { .backend = PSN_BACKEND_EMAIL_EXCHANGE,
                                                .local = "contact",
                                                .domain = "acme.example" };
    struct psn_password_rules rules;
    char receipt[PSN_RECEIPT_SIZE];

    switch (kind) {
    case LEAST:
        return psn_generate_password_sized(PSN_PASSWORD_SIZE_MIN, ret_secret, NULL);
    case LONGER:
        return psn_generate_password_sized(29, ret_secret, NULL);
    case LONG:
        return psn_generate_password_sized(64, ret_secret, NULL);
    case BY_RULES:
        rules = psn_password_rules_default(mailbox.backend);
        return psn_mailbox_generate_password(&mailbox, &rules, ret_secret, NULL);
    case ENGLISH:
        return psn_generate_passphrase("en", ret_secret, NULL);
    case FRENCH:
        return psn_generate_passphrase("fr", ret_secret, NULL);
    case RECOVERY:
        return psn_generate_recovery(ret_secret, NULL);
    case RECEIPT:
        psn_receipt_new(receipt);
        return psn_secret_copy(receipt, sizeof receipt - 1, ret_secret, NULL);
    case USUAL:
        break;
    }
    return psn_generate_password(ret_secret, NULL);
}

/* --- what was drawn --- */

/* Symbols by character; -1: none. */
static int16_t symbol_of[2][256];

static void fill_symbols(void)
{
    memset(symbol_of, -1, sizeof symbol_of);
    for (size_t i = 0; alphabet[i]; i++)
        symbol_of[0][(uint8_t)alphabet[i]] = (int16_t)i;
    for (size_t i = 0; base32[i]; i++)
        symbol_of[1][(uint8_t)base32[i]] = (int16_t)i;
}

/* Characters in groups joined by '-'; one never stands at the end. */
static bool read_characters(const char *text, size_t size, size_t group,
                            const int16_t *symbols, uint16_t *out, size_t out_size)
{
    size_t count = 0;

    for (size_t i = 0; i < size; i++) {
        int symbol = symbols[(uint8_t)text[i]];

        if (i % (group + 1) == group && i + 1 < size) {
            if (text[i] != '-')
                return false;
            continue;
        }
        if (symbol < 0 || count == out_size)
            return false;
        out[count++] = (uint16_t)symbol;
    }
    return count == out_size;
}

static int compare_word(const void *word, const void *entry)
{
    return strcmp(word, entry);
}

static bool read_words(const char *text, const char (*list)[9], uint16_t *out,
                       size_t out_size)
{
    for (size_t i = 0; i < out_size; i++) {
        size_t size = strcspn(text, "-");
        char word[9] = "";
        const char(*found)[9];

        if (size == 0 || size >= sizeof word ||
            text[size] != (i + 1 < out_size ? '-' : '\0'))
            return false;
        memcpy(word, text, size);
        found = bsearch(word, list, DRAW_SYMBOLS_MAX, sizeof *list, compare_word);
        if (!found)
            return false;
        out[i] = (uint16_t)(found - list);
        text += size + 1;
    }
    return true;
}

static bool read_symbols(enum kind kind, const char *text, size_t size, uint16_t *out)
{
    size_t count = columns(&draw_policies[kind]);

    switch (kind) {
    case ENGLISH:
        return read_words(text, words_en, out, count);
    case FRENCH:
        return read_words(text, words_fr, out, count);
    case RECOVERY:
        return read_characters(text, size, 4, symbol_of[1], out, count);
    case RECEIPT: /* ABCDE-FGHIJ-K */
        return read_characters(text, size - 2, 5, symbol_of[1], out, count - 1) &&
               text[size - 2] == '-' && symbol_of[1][(uint8_t)text[size - 1]] >= 0 &&
               (out[count - 1] = (uint16_t)symbol_of[1][(uint8_t)text[size - 1]], true);
    case USUAL:
    case LEAST:
    case LONGER:
    case LONG:
    case BY_RULES:
        break;
    }
    return read_characters(text, size, PSN_PASSWORD_GROUP, symbol_of[0], out, count);
}

/* --- counting --- */

size_t draw_pair_cells(const struct draw_policy *policy)
{
    return policy->symbols <= 64
               ? (columns(policy) - 1) * policy->symbols * policy->symbols
               : 0;
}

void draw_tally_init(struct draw_tally *tally, const struct draw_policy *policy)
{
    *tally = (struct draw_tally){ .count = 0 };
    tally->at = calloc(columns(policy) * policy->symbols, sizeof *tally->at);
    tally->pairs = calloc(draw_pair_cells(policy) + 1, sizeof *tally->pairs);
    if (!tally->at || !tally->pairs)
        die(policy, "out of memory");
}

void draw_tally_release(struct draw_tally *tally)
{
    free(tally->at);
    free(tally->pairs);
}

static bool count_classes(struct draw_tally *tally, const uint16_t *symbols, size_t count)
{
    size_t has[DRAW_CLASSES] = { 0 };

    for (size_t i = 0; i < count; i++)
        has[symbols[i] < DRAW_UPPER ? 0 : symbols[i] < DRAW_UPPER + DRAW_LOWER ? 1 : 2]++;
    for (size_t i = 0; i < DRAW_CLASSES; i++)
        tally->classes[i][has[i]]++;
    return has[0] && has[1] && has[2];
}

static void count_one(const struct draw_policy *policy, struct draw_tally *tally,
                      const struct psn_secret *secret)
{
    uint16_t symbols[DRAW_POSITIONS_MAX] = { 0 };
    size_t count = columns(policy);
    size_t all = policy->symbols;

    if (!read_symbols(kind_of(policy), (const char *)psn_secret_bytes(secret),
                      psn_secret_size(secret), symbols))
        die(policy, "one has another form than it must have");
    if (policy->has_classes && !count_classes(tally, symbols, count))
        die(policy, "one lacks a class of characters");
    for (size_t i = 0; i < count; i++) {
        tally->at[i * all + symbols[i]]++;
        if (i > 0 && all <= 64)
            tally->pairs[((i - 1) * all + symbols[i - 1]) * all + symbols[i]]++;
    }
    tally->count++;
}

/* --- chunks --- */

/* Under a key that is no secret: only equality counts. */
static uint64_t hash_of(const struct psn_secret *secret)
{
    static const uint8_t key[crypto_shorthash_KEYBYTES];
    uint8_t bytes[crypto_shorthash_BYTES];
    uint64_t hash;

    crypto_shorthash(bytes, psn_secret_bytes(secret), psn_secret_size(secret), key);
    memcpy(&hash, bytes, sizeof hash);
    return hash;
}

static int compare_hash(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return left < right ? -1 : left > right;
}

/* A chunk: the count, the tally's three tables, the hashes, all as they lie in memory. */
static size_t table_cells(const struct draw_policy *policy)
{
    return 1 + columns(policy) * policy->symbols + draw_pair_cells(policy) +
           (size_t)DRAW_CLASSES * (DRAW_POSITIONS_MAX + 1);
}

static bool write_chunk(const struct draw_policy *policy, const char *path,
                        const struct draw_tally *tally, const uint64_t *hashes)
{
    char beside[520];
    FILE *file;
    bool good;

    (void)snprintf(beside, sizeof beside, "%s.new", path);
    file = fopen(beside, "wb");
    if (!file)
        return false;
    good = fwrite(&tally->count, sizeof tally->count, 1, file) == 1 &&
           fwrite(tally->at, sizeof *tally->at, columns(policy) * policy->symbols,
                  file) == columns(policy) * policy->symbols &&
           fwrite(tally->pairs, sizeof *tally->pairs, draw_pair_cells(policy), file) ==
               draw_pair_cells(policy) &&
           fwrite(tally->classes, sizeof tally->classes, 1, file) == 1 &&
           fwrite(hashes, sizeof *hashes, tally->count, file) == tally->count;
    good = fflush(file) == 0 && fsync(fileno(file)) == 0 && good;
    return fclose(file) == 0 && good && rename(beside, path) == 0;
}

void draw_chunk(const struct draw_policy *policy, uint64_t count, const char *path)
{
    uint64_t *hashes = malloc((count + 1) * sizeof *hashes);
    struct draw_tally tally;

    if (!hashes)
        die(policy, "out of memory");
    fill_symbols();
    draw_tally_init(&tally, policy);
    while (tally.count < count) {
        PSN_AUTO(psn_secret) *secret = NULL;

        if (draw(kind_of(policy), &secret))
            die(policy, "nothing is generated");
        hashes[tally.count] = hash_of(secret);
        count_one(policy, &tally, secret);
    }
    qsort(hashes, count, sizeof *hashes, compare_hash);
    if (!write_chunk(policy, path, &tally, hashes))
        die(policy, "cannot write a chunk");
    draw_tally_release(&tally);
    free(hashes);
}

/* The whole file, mapped; NULL if there is none. */
static uint64_t *map(const struct draw_policy *policy, const char *path, size_t *ret_size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat info;
    void *bytes;

    if (fd < 0)
        return NULL;
    if (fstat(fd, &info) != 0 || info.st_size < (off_t)sizeof(uint64_t))
        die(policy, "a chunk is damaged");
    bytes = mmap(NULL, (size_t)info.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    (void)close(fd);
    if (bytes == MAP_FAILED)
        die(policy, "a chunk cannot be read");
    *ret_size = (size_t)info.st_size;
    if (*ret_size !=
        (table_cells(policy) + ((const uint64_t *)bytes)[0]) * sizeof(uint64_t))
        die(policy, "a chunk is damaged");
    return bytes;
}

static const uint64_t *add(uint64_t *to, const uint64_t *from, size_t count)
{
    for (size_t i = 0; i < count; i++)
        to[i] += from[i];
    return from + count;
}

bool draw_chunk_add(const struct draw_policy *policy, const char *path,
                    struct draw_tally *tally)
{
    size_t size;
    uint64_t *cells = map(policy, path, &size);
    const uint64_t *from = cells;

    if (!cells)
        return false;
    from = add(&tally->count, from, 1);
    from = add(tally->at, from, columns(policy) * policy->symbols);
    from = add(tally->pairs, from, draw_pair_cells(policy));
    (void)add(&tally->classes[0][0], from,
              (size_t)DRAW_CLASSES * (DRAW_POSITIONS_MAX + 1));
    (void)munmap(cells, size);
    return true;
}

struct cursor {
    uint64_t *bytes;
    size_t size;
    const uint64_t *at;
    const uint64_t *end;
};

/* The smallest hash that is left, which its cursor then has passed. */
static bool next_hash(struct cursor *cursors, size_t count, uint64_t *ret_hash)
{
    struct cursor *least = NULL;

    for (size_t i = 0; i < count; i++)
        if (cursors[i].at < cursors[i].end && (!least || *cursors[i].at < *least->at))
            least = &cursors[i];
    if (!least)
        return false;
    *ret_hash = *least->at++;
    return true;
}

uint64_t draw_repeats(const struct draw_policy *policy, char (*paths)[512], size_t count)
{
    struct cursor *cursors = calloc(count + 1, sizeof *cursors);
    uint64_t repeats = 0;
    uint64_t before = 0;
    uint64_t hash;
    bool has_before = false;

    if (!cursors)
        die(policy, "out of memory");
    for (size_t i = 0; i < count; i++) {
        cursors[i].bytes = map(policy, paths[i], &cursors[i].size);
        if (!cursors[i].bytes)
            die(policy, "a chunk is gone");
        cursors[i].at = cursors[i].bytes + table_cells(policy);
        cursors[i].end = cursors[i].at + cursors[i].bytes[0];
    }
    while (next_hash(cursors, count, &hash)) {
        repeats += has_before && hash == before;
        before = hash;
        has_before = true;
    }
    for (size_t i = 0; i < count; i++)
        (void)munmap(cursors[i].bytes, cursors[i].size);
    free(cursors);
    return repeats;
}
