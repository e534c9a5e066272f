#include "core/own_key.h"

#include <stdio.h>
#include <string.h>

#include "age/identity.h"
#include "base/allow.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/credential_due.h"
#include "core/journal.h"
#include "core/record.h"
#include "core/restored.h"
#include "core/statement.h"
#include "core/unstated.h"

/*
 * Rows of one table: "signing" and "identity" hold 32 bytes each; "former" with a number
 * is a record of what was public of a key that was replaced, "former-identity" with the
 * same number the scalar of its identity. A former signing key itself is gone.
 */
static const char signing_name[] = "signing";
static const char identity_name[] = "identity";
static const char former_name[] = "former";
static const char former_identity_name[] = "former-identity";

const char *const psn_own_key_names[] = { signing_name,      identity_name,
                                          former_name,       former_identity_name,
                                          PSN_DUE_NAME,      PSN_UNSTATED_NAME,
                                          PSN_RESTORED_NAME, NULL };

enum {
    TAG_REPLACED = 1,
    TAG_KEY = 2,
    TAG_AGE = 3,
    TAG_STATEMENT = 4,
    TAG_MAX = 4,
};

/* --- rows --- */

static enum psn_code row_of(struct psn_vault *vault, const char *name, uint64_t number,
                            struct psn_row_key *ret_key, struct psn_error *err)
{
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_OWN_KEY, name, ret_key, err);

    if (!rc && number > 0)
        psn_row_key_add_number(ret_key, number);
    return rc;
}

static enum psn_code put(struct psn_vault *vault, const struct psn_row_key *row_key,
                         uint64_t revision, const struct psn_secret *key,
                         struct psn_error *err)
{
    return psn_row_put(vault, PSN_TABLE_OWN_KEY, row_key, revision, vault->rows_key,
                       psn_secret_bytes(key), psn_secret_size(key), err);
}

static enum psn_code put_new(struct psn_vault *vault, const char *name, uint64_t number,
                             const struct psn_secret *key, struct psn_error *err)
{
    struct psn_row_key row_key;
    enum psn_code rc = row_of(vault, name, number, &row_key, err);

    return rc ? rc : put(vault, &row_key, 1, key, err);
}

static enum psn_code get_numbered(struct psn_vault *vault, const char *name,
                                  uint64_t number, struct psn_secret **ret_key,
                                  uint64_t *ret_revision, struct psn_error *err)
{
    struct psn_row_key row_key;
    enum psn_code rc = row_of(vault, name, number, &row_key, err);

    return rc ? rc
              : psn_row_get_secret(vault, PSN_TABLE_OWN_KEY, &row_key, vault->rows_key,
                                   ret_key, ret_revision, err);
}

static enum psn_code get(struct psn_vault *vault, const char *name,
                         struct psn_secret **ret_key, uint64_t *ret_revision,
                         struct psn_error *err)
{
    return get_numbered(vault, name, 0, ret_key, ret_revision, err);
}

enum psn_code psn_own_keys_make(struct psn_vault *vault, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *seed = NULL;
    PSN_AUTO(psn_secret) *scalar = NULL;
    enum psn_code rc = psn_kdf_random(&seed, err);

    if (!rc)
        rc = psn_age_identity_new(&scalar, err);
    if (!rc)
        rc = put_new(vault, signing_name, 0, seed, err);
    return rc ? rc : put_new(vault, identity_name, 0, scalar, err);
}

enum psn_code psn_own_signing_key(struct psn_vault *vault, struct psn_secret **ret_seed,
                                  struct psn_error *err)
{
    uint64_t revision;

    return get(vault, signing_name, ret_seed, &revision, err);
}

enum psn_code psn_own_identity(struct psn_vault *vault, uint64_t number,
                               struct psn_secret **ret_scalar, struct psn_error *err)
{
    const char *name = number ? former_identity_name : identity_name;
    uint64_t revision;

    return get_numbered(vault, name, number, ret_scalar, &revision, err);
}

/* --- the present ones, for people --- */

static enum psn_code describe(struct psn_vault *vault, struct psn_vault_keys *ret_keys,
                              struct psn_error *err)
{
    PSN_AUTO(psn_secret) *seed = NULL;
    PSN_AUTO(psn_secret) *scalar = NULL;
    uint8_t key[PSN_SIGN_PUBLIC_SIZE];
    enum psn_code rc = psn_own_signing_key(vault, &seed, err);

    if (!rc)
        rc = psn_own_identity(vault, 0, &scalar, err);
    if (!rc)
        rc = psn_sign_public(seed, key, err);
    if (!rc)
        rc = psn_age_recipient(scalar, ret_keys->age, err);
    if (rc)
        return rc;
    psn_sign_ssh_text(key, ret_keys->ssh);
    psn_sign_fingerprint(key, ret_keys->fingerprint);
    psn_sign_minisign_text(key, ret_keys->minisign);
    (void)snprintf(
        ret_keys->allowed_signers, sizeof ret_keys->allowed_signers,
        "%s namespaces=\"passation-issue,passation-file,passation-statement\" %s",
        vault->actor, ret_keys->ssh);
    return PSN_OK;
}

enum psn_code psn_vault_public_keys(struct psn_vault *vault,
                                    struct psn_vault_keys *ret_keys,
                                    struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc : psn_vault_end(vault, describe(vault, ret_keys, err), err);
}

/* --- former ones --- */

struct former {
    uint8_t key[PSN_SIGN_PUBLIC_SIZE];
    int64_t replaced_s;
    char age[PSN_AGE_RECIPIENT_MAX];
    char statement[PSN_STATEMENT_MAX];
};

static enum psn_code read_former(struct psn_vault *vault, uint64_t number,
                                 struct former *ret_former, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key row_key;
    struct psn_record record;
    const uint8_t *key;
    size_t size;
    uint64_t revision;
    enum psn_code rc = row_of(vault, former_name, number, &row_key, err);

    if (!rc)
        rc = psn_row_get(vault, PSN_TABLE_OWN_KEY, &row_key, vault->rows_key, &plain,
                         &revision, err);
    if (!rc)
        rc = psn_record_parse(&plain, TAG_MAX, &record, err);
    if (rc)
        return rc;
    if (!psn_record_bytes(&record, TAG_KEY, &key, &size) ||
        size != sizeof ret_former->key ||
        !psn_record_text(&record, TAG_AGE, ret_former->age, sizeof ret_former->age) ||
        !psn_record_text(&record, TAG_STATEMENT, ret_former->statement,
                         sizeof ret_former->statement))
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("the record of a former key is malformed"));
    memcpy(ret_former->key, key, sizeof ret_former->key);
    ret_former->replaced_s = (int64_t)psn_record_number(&record, TAG_REPLACED);
    return PSN_OK;
}

/* E_NOT_FOUND is the end of the list, and no error. */
static enum psn_code next_former(struct psn_vault *vault, uint64_t number,
                                 struct former *ret_former, bool *ret_found,
                                 struct psn_error *err)
{
    enum psn_code rc = read_former(vault, number, ret_former, err);

    *ret_found = rc == PSN_OK;
    return psn_allow(PSN_E_NOT_FOUND, rc, NULL, err);
}

static enum psn_code list_former(struct psn_vault *vault, psn_former_key_fn *each,
                                 void *arg, struct psn_error *err)
{
    struct former former;
    bool found = true;
    enum psn_code rc = PSN_OK;

    for (uint64_t i = 1; !rc && found; i++) {
        struct psn_former_key shown = { .number = i, .statement = former.statement };

        rc = next_former(vault, i, &former, &found, err);
        if (rc || !found)
            break;
        shown.replaced_s = former.replaced_s;
        psn_sign_fingerprint(former.key, shown.fingerprint);
        psn_sign_ssh_text(former.key, shown.ssh);
        (void)snprintf(shown.age, sizeof shown.age, "%s", former.age);
        rc = each(arg, &shown, err);
    }
    return rc;
}

enum psn_code psn_former_key_each(struct psn_vault *vault, psn_former_key_fn *each,
                                  void *arg, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc : psn_vault_end(vault, list_former(vault, each, arg, err), err);
}

enum psn_code psn_own_key_known(struct psn_vault *vault,
                                const uint8_t key[PSN_SIGN_PUBLIC_SIZE],
                                bool *ret_is_former, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *seed = NULL;
    uint8_t mine[PSN_SIGN_PUBLIC_SIZE];
    struct former former;
    bool found = true;
    enum psn_code rc = psn_own_signing_key(vault, &seed, err);

    *ret_is_former = false;
    if (!rc)
        rc = psn_sign_public(seed, mine, err);
    if (!rc && memcmp(mine, key, sizeof mine) == 0)
        return PSN_OK;
    *ret_is_former = true;
    for (uint64_t i = 1; !rc; i++) {
        rc = next_former(vault, i, &former, &found, err);
        if (!rc && !found)
            return PSN_E_NOT_FOUND;
        if (!rc && memcmp(former.key, key, sizeof former.key) == 0)
            return PSN_OK;
    }
    return rc;
}

enum psn_code psn_own_key_change_known(struct psn_vault *vault, const char *statement,
                                       size_t size, bool *ret_known,
                                       struct psn_error *err)
{
    struct former former;
    bool found = true;
    enum psn_code rc = PSN_OK;

    *ret_known = false;
    for (uint64_t i = 1; !rc && found && !*ret_known; i++) {
        rc = next_former(vault, i, &former, &found, err);
        *ret_known = !rc && found && strlen(former.statement) == size &&
                     memcmp(former.statement, statement, size) == 0;
    }
    return rc;
}

/* --- replacing them --- */

static enum psn_code put_former(struct psn_vault *vault, uint64_t number,
                                const struct psn_key_change *change,
                                const struct psn_buf *statement, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key row_key;
    uint8_t key[PSN_SIGN_PUBLIC_SIZE];
    char age[PSN_AGE_RECIPIENT_MAX];
    enum psn_code rc = psn_sign_public(change->old_seed, key, err);

    if (!rc)
        rc = psn_age_recipient(change->old_scalar, age, err);
    if (!rc)
        rc = row_of(vault, former_name, number, &row_key, err);
    if (rc)
        return rc;
    psn_record_begin(&plain);
    psn_record_put_number(&plain, TAG_REPLACED, (uint64_t)vault->world.now_s());
    psn_record_put_bytes(&plain, TAG_KEY, key, sizeof key);
    psn_record_put_text(&plain, TAG_AGE, age);
    psn_record_put_bytes(&plain, TAG_STATEMENT, statement->data, statement->size);
    rc = psn_buf_check(&plain, err);
    if (!rc)
        rc = psn_row_put(vault, PSN_TABLE_OWN_KEY, &row_key, 1, vault->rows_key,
                         plain.data, plain.size, err);
    return rc ? rc
              : put_new(vault, former_identity_name, number, change->old_scalar, err);
}

static enum psn_code count_former(struct psn_vault *vault, uint64_t *ret_count,
                                  struct psn_error *err)
{
    struct former former;
    bool found = true;
    enum psn_code rc = PSN_OK;

    for (*ret_count = 0; !rc && found; *ret_count += found)
        rc = next_former(vault, *ret_count + 1, &former, &found, err);
    return rc;
}

static enum psn_code replace(struct psn_vault *vault, const char *name, uint64_t revision,
                             const struct psn_secret *key, struct psn_error *err)
{
    struct psn_row_key row_key;
    enum psn_code rc = row_of(vault, name, 0, &row_key, err);

    return rc ? rc : put(vault, &row_key, revision + 1, key, err);
}

static enum psn_code note_change(struct psn_vault *vault,
                                 const struct psn_key_change *change,
                                 struct psn_error *err)
{
    uint8_t key[PSN_SIGN_PUBLIC_SIZE];
    char fingerprint[PSN_FINGERPRINT_MAX];
    enum psn_code rc = psn_sign_public(change->new_seed, key, err);

    if (rc)
        return rc;
    psn_sign_fingerprint(key, fingerprint);
    return psn_journal_note(
        vault, NULL, &(struct psn_note){ .event = "key.rotated", .text = fingerprint },
        err);
}

enum psn_code psn_own_keys_rotate(struct psn_vault *vault, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *old_seed = NULL;
    PSN_AUTO(psn_secret) *old_scalar = NULL;
    PSN_AUTO(psn_secret) *new_seed = NULL;
    PSN_AUTO(psn_secret) *new_scalar = NULL;
    PSN_AUTO_RELEASE(psn_buf) statement = psn_buf_init(PSN_STATEMENT_MAX - 1);
    struct psn_key_change change;
    uint64_t revisions[2];
    uint64_t count = 0;
    enum psn_code rc = get(vault, signing_name, &old_seed, &revisions[0], err);

    if (!rc)
        rc = get(vault, identity_name, &old_scalar, &revisions[1], err);
    if (!rc)
        rc = psn_kdf_random(&new_seed, err);
    if (!rc)
        rc = psn_age_identity_new(&new_scalar, err);
    if (!rc)
        rc = count_former(vault, &count, err);
    change = (struct psn_key_change){ old_seed, old_scalar, new_seed, new_scalar };
    if (!rc)
        rc = psn_statement_of_change(vault, &change, &statement, err);
    if (!rc)
        rc = put_former(vault, count + 1, &change, &statement, err);
    if (!rc)
        rc = replace(vault, signing_name, revisions[0], new_seed, err);
    if (!rc)
        rc = replace(vault, identity_name, revisions[1], new_scalar, err);
    return rc ? rc : note_change(vault, &change, err);
}

enum psn_code psn_key_rotate(struct psn_vault *vault, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc : psn_vault_end(vault, psn_own_keys_rotate(vault, err), err);
}
