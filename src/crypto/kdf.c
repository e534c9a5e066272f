#include "crypto/kdf.h"

#include <assert.h>
#include <string.h>

#include <sodium.h>

#include "base/i18n.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

static const uint32_t passes_min = 3;
static const uint32_t passes_max = 64;
static const uint64_t memory_min_bytes = UINT64_C(256) << 20;
static const uint64_t memory_max_bytes = UINT64_C(4) << 30;

_Static_assert(PSN_KEY_SIZE == crypto_kdf_KEYBYTES, "sub-keys of keys");
_Static_assert(PSN_SALT_SIZE == crypto_pwhash_argon2id_SALTBYTES, "Argon2id's salt");

struct psn_kdf_cost psn_kdf_default_cost(void)
{
    return (struct psn_kdf_cost){ passes_min, memory_min_bytes };
}

/* Argon2 counts KiB: bytes beyond one would be authenticated but have no effect, so a
 * cost with such a rest is not one of ours. */
enum psn_code psn_kdf_check_cost(struct psn_kdf_cost cost, struct psn_error *err)
{
    if (cost.passes < passes_min || cost.memory_bytes < memory_min_bytes)
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("the cost of a passphrase in the vault is below the floor: "
                          "the file was edited"));
    if (cost.passes > passes_max || cost.memory_bytes > memory_max_bytes ||
        cost.memory_bytes % 1024 != 0)
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("the cost of a passphrase in the vault is not possible: "
                          "the file was edited"));
    return PSN_OK;
}

/* Argon2id's working memory is too large to be locked; libsodium gives it back to the
 * system at once. Only the key stays, in locked memory. */
enum psn_code psn_kdf_argon2id(const struct psn_secret *passphrase,
                               const uint8_t salt[PSN_SALT_SIZE],
                               struct psn_kdf_cost cost, struct psn_secret **ret_key,
                               struct psn_error *err)
{
    PSN_AUTO(psn_secret) *key = NULL;
    enum psn_code rc;

    rc = psn_secret_new(PSN_KEY_SIZE, &key, err);
    if (rc)
        return rc;
    if (crypto_pwhash(psn_secret_fill(key), PSN_KEY_SIZE,
                      (const char *)psn_secret_bytes(passphrase),
                      psn_secret_size(passphrase), salt, cost.passes,
                      (size_t)cost.memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
        (void)psn_fail(err, PSN_E_NOMEM, _("unlocking needs %u MiB of free memory"),
                       (unsigned)(cost.memory_bytes >> 20));
        return psn_hint(err, PSN_E_NOMEM, _("close other programs, then try again"));
    }
    psn_secret_set_size(key, PSN_KEY_SIZE);
    *ret_key = PSN_TAKE(key);
    return PSN_OK;
}

enum psn_code psn_kdf_passphrase(const struct psn_secret *passphrase,
                                 const uint8_t salt[PSN_SALT_SIZE],
                                 struct psn_kdf_cost cost, struct psn_secret **ret_key,
                                 struct psn_error *err)
{
    enum psn_code rc = psn_kdf_check_cost(cost, err);

    return rc ? rc : psn_kdf_argon2id(passphrase, salt, cost, ret_key, err);
}

enum psn_code psn_kdf_strong(const struct psn_secret *secret,
                             const uint8_t salt[PSN_SALT_SIZE], const char *label,
                             struct psn_secret **ret_key, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *key = NULL;
    enum psn_code rc;

    rc = psn_secret_new(PSN_KEY_SIZE, &key, err);
    if (rc)
        return rc;
    psn_hkdf_sha256(psn_secret_bytes(secret), psn_secret_size(secret), salt,
                    PSN_SALT_SIZE, label, strlen(label), psn_secret_fill(key),
                    PSN_KEY_SIZE);
    psn_secret_set_size(key, PSN_KEY_SIZE);
    *ret_key = PSN_TAKE(key);
    return PSN_OK;
}

enum psn_code psn_kdf_sub(const struct psn_secret *key, uint64_t id,
                          const char context[8], struct psn_secret **ret_key,
                          struct psn_error *err)
{
    PSN_AUTO(psn_secret) *sub = NULL;
    enum psn_code rc;
    int failed;

    assert(psn_secret_size(key) == PSN_KEY_SIZE);
    rc = psn_secret_new(PSN_KEY_SIZE, &sub, err);
    if (rc)
        return rc;
    failed = crypto_kdf_derive_from_key(psn_secret_fill(sub), PSN_KEY_SIZE, id, context,
                                        psn_secret_bytes(key));
    assert(failed == 0); /* it refuses nothing but sizes */
    (void)failed;
    psn_secret_set_size(sub, PSN_KEY_SIZE);
    *ret_key = PSN_TAKE(sub);
    return PSN_OK;
}

enum psn_code psn_kdf_random(struct psn_secret **ret_key, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *key = NULL;
    enum psn_code rc;

    rc = psn_secret_new(PSN_KEY_SIZE, &key, err);
    if (rc)
        return rc;
    psn_random(psn_secret_fill(key), PSN_KEY_SIZE);
    psn_secret_set_size(key, PSN_KEY_SIZE);
    *ret_key = PSN_TAKE(key);
    return PSN_OK;
}
