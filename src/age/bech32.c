#include "age/bech32.h"

#include <string.h>

#include <sodium.h>

#include "base/text.h"

static const char alphabet[] = "qpzry9x8gf2tvdw0s3jn54khce6mua7l";

enum {
    CHECKSUM_SIZE = 6,
    VALUES_MAX = PSN_BECH32_SIZE_MAX
};

/* The characters after the prefix, as numbers below 32. */
struct values {
    uint8_t at[VALUES_MAX];
    size_t count;
};

/*
 * The checksum is a BCH code over GF(32): the text, with its prefix spread over two
 * numbers a character (high three bits, a zero, low five bits), is a polynomial whose
 * remainder modulo a generator must be 1. One step takes one number in.
 */
static uint32_t polymod_step(uint32_t remainder, uint8_t value)
{
    static const uint32_t generator[] = { 0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd,
                                          0x2a1462b3 };
    uint32_t top = remainder >> 25;

    remainder = (remainder & 0x1ffffff) << 5 ^ value;
    for (unsigned i = 0; top >> i; i++)
        remainder ^= top >> i & 1 ? generator[i] : 0;
    return remainder;
}

static uint32_t polymod(const char *prefix, const struct values *values)
{
    uint32_t remainder = 1;

    for (const char *c = prefix; *c; c++)
        remainder = polymod_step(remainder, (uint8_t)((unsigned char)*c >> 5));
    remainder = polymod_step(remainder, 0);
    for (const char *c = prefix; *c; c++)
        remainder = polymod_step(remainder, (uint8_t)(*c & 31));
    for (size_t i = 0; i < values->count; i++)
        remainder = polymod_step(remainder, values->at[i]);
    return remainder;
}

static bool is_one_case(const char *text, size_t size)
{
    bool lower = false;
    bool upper = false;

    for (size_t i = 0; i < size; i++) {
        if (text[i] < 33 || text[i] > 126)
            return false;
        lower = lower || psn_text_is_lower(text[i]);
        upper = upper || psn_text_is_upper(text[i]);
    }
    return !(lower && upper);
}

/* Splits, looks the characters up and verifies the checksum, which is then dropped.
 * ret_values is empty. */
static bool read_values(const char *text, size_t size, char ret_prefix[],
                        struct values *ret_values)
{
    char folded[PSN_BECH32_SIZE_MAX + 1];
    const char *one;
    bool valid = true;

    if (size > PSN_BECH32_SIZE_MAX || !is_one_case(text, size))
        return false;
    memcpy(folded, text, size);
    folded[size] = '\0';
    psn_text_lower(folded);
    one = strrchr(folded, '1');
    if (one && one > folded && size - (size_t)(one - folded) > CHECKSUM_SIZE) {
        size_t prefix_size = (size_t)(one - folded);

        memcpy(ret_prefix, folded, prefix_size);
        ret_prefix[prefix_size] = '\0';
        while (*++one) {
            const char *at = strchr(alphabet, *one);

            valid = valid && at;
            at = at ? at : alphabet;
            ret_values->at[ret_values->count++] = (uint8_t)(at - alphabet);
        }
        valid = valid && polymod(ret_prefix, ret_values) == 1;
        ret_values->count -= CHECKSUM_SIZE;
        memcpy(ret_prefix, text, prefix_size);
    } else {
        valid = false;
    }
    sodium_memzero(folded, sizeof folded);
    return valid;
}

/* Five bits into eight. Fewer than five bits may be left over, all zero. */
static bool pack(const struct values *values, struct psn_bech32 *ret)
{
    uint32_t held = 0;
    unsigned bits = 0;

    ret->size = 0;
    for (size_t i = 0; i < values->count; i++) {
        held = (held << 5 | values->at[i]) & 0xfff;
        bits += 5;
        if (bits >= 8) {
            bits -= 8;
            ret->bytes[ret->size++] = (uint8_t)(held >> bits);
        }
    }
    return bits < 5 && (held & ((1U << bits) - 1)) == 0;
}

bool psn_bech32_decode(const char *text, size_t size, struct psn_bech32 *ret)
{
    struct psn_bech32 decoded = { 0 };
    struct values values = { 0 };
    bool valid =
        read_values(text, size, decoded.prefix, &values) && pack(&values, &decoded);

    if (valid)
        *ret = decoded;
    sodium_memzero(&decoded, sizeof decoded);
    sodium_memzero(&values, sizeof values);
    return valid;
}

/* Eight bits into five, the last filled up with zeros, and six zeros in the place of the
 * checksum. */
static void spread(const uint8_t *bytes, size_t size, struct values *ret)
{
    uint32_t held = 0;
    unsigned bits = 0;

    ret->count = 0;
    for (size_t i = 0; i < size; i++) {
        held = (held << 8 | bytes[i]) & 0xfff;
        bits += 8;
        for (; bits >= 5; bits -= 5)
            ret->at[ret->count++] = held >> (bits - 5) & 31;
    }
    if (bits > 0)
        ret->at[ret->count++] = held << (5 - bits) & 31;
    memset(ret->at + ret->count, 0, CHECKSUM_SIZE);
    ret->count += CHECKSUM_SIZE;
}

bool psn_bech32_encode(const char *prefix, const uint8_t *bytes, size_t size, char *out,
                       size_t out_size)
{
    size_t prefix_size = strlen(prefix);
    size_t count = (size * 8 + 4) / 5 + CHECKSUM_SIZE;
    struct values values;
    uint32_t checksum;

    if (prefix_size == 0 || size > PSN_BECH32_BYTES_MAX ||
        prefix_size + 1 + count > PSN_BECH32_SIZE_MAX ||
        prefix_size + 1 + count >= out_size)
        return false;
    spread(bytes, size, &values);
    checksum = polymod(prefix, &values) ^ 1;
    for (unsigned i = 0; i < CHECKSUM_SIZE; i++)
        values.at[count - CHECKSUM_SIZE + i] = checksum >> (25 - 5 * i) & 31;
    memcpy(out, prefix, prefix_size);
    out += prefix_size;
    *out++ = '1';
    for (size_t i = 0; i < count; i++)
        *out++ = alphabet[values.at[i]];
    *out = '\0';
    sodium_memzero(&values, sizeof values);
    return true;
}
