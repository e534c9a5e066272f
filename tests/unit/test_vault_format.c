#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/record.h"
#include "core/slot.h"
#include "core/state.h"
#include "core/vault.h"
#include "crypto/hash.h"
#include "crypto/seal.h"
#include "passation/passation.h"
#include "support/tmpdir.h"
#include "support/vectors.h"

/*
 * docs/vault-format.md held against the code, by the vectors of tests/vectors. What the
 * page writes as a layout is put together here by hand, so that code and page cannot
 * drift apart together.
 */
static const char address[] = "contact@boulangerie-martin.fr";
static const int64_t made_s = 1767225600;

/* --- fixture: the vectors, and a handle with their keys --- */

struct fixture {
    struct vectors vectors;
    struct tmpdir dir;
    struct psn_vault *keys; /* without a store: the keys alone */
    struct psn_error err;
};

static const char *vector_file(const char *name, char out[TMPDIR_PATH_MAX])
{
    int length = snprintf(out, TMPDIR_PATH_MAX, "%s/%s", PSN_TEST_VECTORS, name);

    assert_true(length > 0 && length < TMPDIR_PATH_MAX);
    return out;
}

static struct psn_secret *secret_vector(struct fixture *f, const char *name)
{
    struct psn_secret *secret = NULL;
    uint8_t bytes[4096];
    size_t size = vectors_get(&f->vectors, name, bytes, sizeof bytes);

    assert_int_equal(psn_secret_copy(bytes, size, &secret, &f->err), PSN_OK);
    return secret;
}

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct psn_secret *root_key;
    char path[TMPDIR_PATH_MAX];

    assert_non_null(f);
    tmpdir_make(&f->dir);
    vectors_load(&f->vectors, vector_file("vault-format.txt", path));
    assert_int_equal(psn_init(&f->err), PSN_OK);
    f->keys = calloc(1, sizeof *f->keys);
    assert_non_null(f->keys);
    f->keys->op_lock = PSN_FILE_LOCK_NONE;
    (void)vectors_get(&f->vectors, "vault_id", f->keys->id, sizeof f->keys->id);
    root_key = secret_vector(f, "root_key");
    assert_int_equal(psn_vault_take_root_key(f->keys, &root_key, &f->err), PSN_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    psn_vault_free(f->keys);
    vectors_release(&f->vectors);
    tmpdir_remove(&f->dir);
    free(f);
    return 0;
}

static void expect_secret(struct fixture *f, const char *name,
                          const struct psn_secret *secret)
{
    vectors_expect(&f->vectors, name, psn_secret_bytes(secret), psn_secret_size(secret));
}

static struct psn_buf buf_vector(struct fixture *f, const char *name)
{
    struct psn_buf buf = psn_buf_init(16 * 1024);
    uint8_t bytes[16 * 1024];
    size_t size = vectors_get(&f->vectors, name, bytes, sizeof bytes);

    psn_buf_bytes(&buf, bytes, size);
    assert_int_equal(psn_buf_check(&buf, &f->err), PSN_OK);
    return buf;
}

/* Opens a box by hand: the page's associated data, the library's cipher. */
static void expect_opens(struct fixture *f, const struct psn_secret *key,
                         const struct psn_buf *ad, const struct psn_buf *box,
                         const char *plain_name)
{
    struct psn_secret *plain = NULL;

    assert_int_equal(
        psn_unseal_secret(key, ad->data, ad->size, box->data, box->size, &plain, &f->err),
        PSN_OK);
    expect_secret(f, plain_name, plain);
    psn_secret_free(plain);
}

/* --- keys and look-ups --- */

static void the_key_tree_grows_from_the_root_key(void **state)
{
    struct fixture *f = *state;

    vectors_expect(&f->vectors, "key_id", f->keys->key_id, sizeof f->keys->key_id);
    expect_secret(f, "state_key", f->keys->state_key);
    expect_secret(f, "rows_key", f->keys->rows_key);
    expect_secret(f, "index_master", f->keys->index_master);
    expect_secret(f, "wrap_key", f->keys->wrap_key);
    expect_secret(f, "journal_key", f->keys->journal_key);
}

static void sub_keys_are_crypto_kdf_with_the_written_contexts(void **state)
{
    static const struct {
        uint64_t id;
        const char *name;
    } subs[] = {
        { 1, "state_key" }, { 2, "rows_key" },    { 3, "index_master" },
        { 4, "wrap_key" },  { 5, "journal_key" },
    };
    struct fixture *f = *state;
    struct psn_secret *sub = NULL;

    for (size_t i = 0; i < sizeof subs / sizeof *subs; i++) {
        assert_int_equal(
            psn_kdf_sub(f->keys->root_key, subs[i].id, "psnvault", &sub, &f->err),
            PSN_OK);
        expect_secret(f, subs[i].name, sub);
        psn_secret_free(sub);
    }
    assert_int_equal(psn_kdf_sub(f->keys->index_master, 6, "psnindex", &sub, &f->err),
                     PSN_OK);
    expect_secret(f, "index_key_6", sub);
    psn_secret_free(sub);
}

static void row_keys_begin_with_the_prf_of_the_address(void **state)
{
    struct fixture *f = *state;
    struct psn_part part = { address, sizeof address - 1 };
    struct psn_row_key key;
    uint8_t prf[PSN_HASH_SIZE];

    assert_int_equal(psn_row_key_init(f->keys, PSN_TABLE_ROLE, address, &key, &f->err),
                     PSN_OK);
    vectors_expect(&f->vectors, "role_row_key", key.bytes, key.size);
    psn_hash_keyed(f->keys->index_keys[PSN_TABLE_ROLE], &part, 1, prf);
    vectors_expect(&f->vectors, "role_row_key", prf, 16);
    assert_int_equal(psn_row_key_init(f->keys, PSN_TABLE_VERSION, address, &key, &f->err),
                     PSN_OK);
    assert_int_equal(
        psn_row_key_add_prf(f->keys, PSN_TABLE_VERSION, "", 8, &key, &f->err), PSN_OK);
    psn_row_key_add_number(&key, 2);
    vectors_expect(&f->vectors, "version_row_key", key.bytes, key.size);
}

/* --- boxes and records --- */

static void padding_is_as_the_table_says(void **state)
{
    static const size_t sizes[] = { 0,    1,    62,   63,   64,   127,   128,   500,
                                    959,  960,  1022, 1023, 1024, 1087,  1088,  2047,
                                    2048, 4095, 4096, 5000, 9999, 16384, 60000, 65535 };
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "padded_%zu", sizes[i]);
        assert_int_equal(psn_seal_padded_size(sizes[i]),
                         vectors_number(&f->vectors, name));
    }
}

static void a_box_opens_with_its_key_and_meaning_alone(void **state)
{
    struct fixture *f = *state;
    struct psn_secret *key = secret_vector(f, "box_key");
    PSN_AUTO_RELEASE(psn_buf) ad = buf_vector(f, "box_ad");
    PSN_AUTO_RELEASE(psn_buf) box = buf_vector(f, "box");
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(256);

    expect_opens(f, key, &ad, &box, "box_plain");
    assert_int_equal(box.size, 24 + 64 + 16);
    ad.data[0] ^= 1;
    assert_int_equal(
        psn_unseal(key, ad.data, ad.size, box.data, box.size, &plain, &f->err),
        PSN_E_INTEGRITY);
    psn_secret_free(key);
}

static void a_record_is_written_as_it_was(void **state)
{
    struct fixture *f = *state;
    PSN_AUTO_RELEASE(psn_buf) written = psn_buf_init(256);
    PSN_AUTO_RELEASE(psn_buf) known = buf_vector(f, "record");
    struct psn_record record;
    char text[8];

    psn_record_begin(&written);
    psn_record_put_text(&written, 1, "lea");
    psn_record_put_number(&written, 2, 0);
    psn_record_put_text(&written, 3, "");
    psn_record_put_number(&written, 4, UINT64_C(0x0102030405060708));
    psn_record_put_bytes(&written, 5, "\0\xff", 2);
    vectors_expect(&f->vectors, "record", written.data, written.size);
    assert_int_equal(psn_record_parse(&known, 5, &record, &f->err), PSN_OK);
    assert_true(psn_record_text(&record, 1, text, sizeof text));
    assert_string_equal(text, "lea");
    assert_int_equal(psn_record_number(&record, 4), UINT64_C(0x0102030405060708));
    assert_int_equal(psn_record_parse(&known, 4, &record, &f->err), PSN_E_TOO_NEW);
}

/* An earlier version wrote the last field of some roles before others. */
static void a_records_fields_are_read_in_any_order_and_none_twice(void **state)
{
    struct fixture *f = *state;
    PSN_AUTO_RELEASE(psn_buf) written = psn_buf_init(256);
    struct psn_record record;

    psn_record_begin(&written);
    psn_record_put_number(&written, 37, 3);
    psn_record_put_number(&written, 34, 1);
    psn_record_put_number(&written, 36, 2);
    assert_int_equal(psn_record_parse(&written, 37, &record, &f->err), PSN_OK);
    assert_int_equal(psn_record_number(&record, 34), 1);
    assert_int_equal(psn_record_number(&record, 36), 2);
    assert_int_equal(psn_record_number(&record, 37), 3);
    psn_record_put_number(&written, 34, 1);
    assert_int_equal(psn_record_parse(&written, 37, &record, &f->err), PSN_E_INTEGRITY);
    psn_record_begin(&written);
    psn_record_put_number(&written, 0, 1);
    assert_int_equal(psn_record_parse(&written, 37, &record, &f->err), PSN_E_INTEGRITY);
}

/* The associated data of a row, written down from the page. */
static void row_ad(struct fixture *f, uint8_t table, const char *name,
                   struct psn_buf *out)
{
    char line[64];
    uint8_t key[PSN_STORE_KEY_MAX];
    size_t key_size;

    (void)snprintf(line, sizeof line, "%s_key", name);
    key_size = vectors_get(&f->vectors, line, key, sizeof key);
    (void)snprintf(line, sizeof line, "%s_revision", name);
    psn_buf_text(out, "passation row v1");
    psn_buf_bytes(out, f->keys->id, 16);
    psn_buf_bytes(out, f->keys->key_id, 8);
    psn_buf_u8(out, table);
    psn_buf_u8(out, (uint8_t)key_size);
    psn_buf_bytes(out, key, key_size);
    psn_buf_u64(out, vectors_number(&f->vectors, line));
    psn_buf_u32(out, 0);
}

static void a_row_opens_in_its_place_only(void **state)
{
    struct fixture *f = *state;
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(512);
    PSN_AUTO_RELEASE(psn_buf) box = buf_vector(f, "person_row_box");
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(1024);
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();

    row_ad(f, PSN_TABLE_PERSON, "person_row", &ad);
    expect_opens(f, f->keys->rows_key, &ad, &box, "person_plain");
    row.key_size = vectors_get(&f->vectors, "person_row_key", row.key, sizeof row.key);
    row.revision = vectors_number(&f->vectors, "person_row_revision");
    psn_buf_bytes(&row.box, box.data, box.size);
    assert_int_equal(
        psn_row_open(f->keys, PSN_TABLE_PERSON, &row, f->keys->rows_key, &plain, &f->err),
        PSN_OK);
    vectors_expect(&f->vectors, "person_plain", plain.data, plain.size);
    assert_int_equal(
        psn_row_open(f->keys, PSN_TABLE_CLIENT, &row, f->keys->rows_key, &plain, &f->err),
        PSN_E_INTEGRITY);
    row.revision++;
    assert_int_equal(
        psn_row_open(f->keys, PSN_TABLE_PERSON, &row, f->keys->rows_key, &plain, NULL),
        PSN_E_INTEGRITY);
}

static void a_version_is_a_head_and_a_padded_value(void **state)
{
    static const char value[] = "TuVw6-XyZa7-BcDe8-FgHj9";
    struct fixture *f = *state;
    struct psn_secret *key = secret_vector(f, "client_data_key");
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(512);
    PSN_AUTO_RELEASE(psn_buf) box = buf_vector(f, "version_row_box");
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init(256);

    row_ad(f, PSN_TABLE_VERSION, "version_row", &ad);
    expect_opens(f, key, &ad, &box, "version_plain");
    psn_buf_u8(&plain, 1);
    psn_buf_u8(&plain, PSN_VERSION_CURRENT);
    psn_buf_u64(&plain, (uint64_t)made_s);
    psn_buf_u32(&plain, sizeof value - 1);
    psn_buf_text(&plain, value);
    (void)psn_buf_reserve(&plain, 64 - (sizeof value - 1));
    vectors_expect(&f->vectors, "version_plain", plain.data, plain.size);
    psn_secret_free(key);
}

/* --- the root box --- */

static void the_root_box_holds_the_state(void **state)
{
    struct fixture *f = *state;
    PSN_AUTO_RELEASE(psn_buf) box = buf_vector(f, "root_box");
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(4096);
    struct psn_secret *plain = NULL;
    struct psn_state opened;
    const uint8_t *at;
    size_t head = 1 + 16 + 1 + 3 * 149;

    assert_int_equal(psn_state_open(f->keys, &box, &opened, &f->err), PSN_OK);
    assert_int_equal(opened.slot_count, 3);
    assert_int_equal(opened.generation, vectors_number(&f->vectors, "state_generation"));
    vectors_expect(&f->vectors, "state_roots", opened.roots.hash,
                   sizeof opened.roots.hash);
    psn_buf_text(&ad, "passation state v1");
    psn_buf_bytes(&ad, f->keys->key_id, 8);
    psn_buf_bytes(&ad, box.data, head);
    assert_int_equal(psn_unseal_secret(f->keys->state_key, ad.data, ad.size,
                                       box.data + head, box.size - head, &plain, &f->err),
                     PSN_OK);
    assert_int_equal(psn_secret_size(plain), 3 * 8 + 3 * 32 + 16 * 32);
    at = psn_secret_bytes(plain);
    vectors_expect(&f->vectors, "state_generation", at, 8);
    vectors_expect(&f->vectors, "state_journal_entries", at + 8, 8);
    vectors_expect(&f->vectors, "state_vault_count", at + 16, 8);
    vectors_expect(&f->vectors, "state_vault_head", at + 24, 32);
    vectors_expect(&f->vectors, "state_history", at + 56, 32);
    vectors_expect(&f->vectors, "schema_hash", at + 88, 32);
    vectors_expect(&f->vectors, "state_roots", at + 120, 512);
    psn_secret_free(plain);
}

static void expect_root_key(struct fixture *f, enum psn_slot_kind kind,
                            struct psn_secret *secret, size_t number)
{
    struct psn_secret *root_key = NULL;
    uint8_t slot[PSN_SLOT_ID_SIZE];

    assert_int_equal(psn_slot_open(f->keys, &(struct psn_key){ kind, secret }, &root_key,
                                   slot, &f->err),
                     PSN_OK);
    expect_secret(f, "root_key", root_key);
    assert_memory_equal(slot, f->keys->state.slots[number].id, sizeof slot);
    psn_secret_free(root_key);
    psn_secret_free(secret);
}

static void each_kind_of_slot_gives_the_root_key(void **state)
{
    struct fixture *f = *state;
    PSN_AUTO_RELEASE(psn_buf) box = buf_vector(f, "root_box");
    struct psn_secret *identity = NULL;
    uint8_t id[PSN_VAULT_ID_SIZE];
    char path[TMPDIR_PATH_MAX];

    assert_int_equal(psn_state_read_head(&box, id, &f->keys->state, &f->err), PSN_OK);
    vectors_expect(&f->vectors, "vault_id", id, sizeof id);
    assert_int_equal(psn_secret_read_file(vector_file("vault-v1.identity", path), 4096,
                                          &identity, &f->err),
                     PSN_OK);
    expect_root_key(f, PSN_SLOT_IDENTITY, identity, 0);
    expect_root_key(f, PSN_SLOT_RECOVERY, secret_vector(f, "recovery_code"), 1);
    expect_root_key(f, PSN_SLOT_PASSPHRASE, secret_vector(f, "passphrase"), 2);
}

/* The wrap of the identity's slot by the page: HKDF, then a box over the whole slot. */
static void a_slot_is_bound_to_all_its_fields(void **state)
{
    static const char label[] = "passation identity slot v1";
    struct fixture *f = *state;
    PSN_AUTO_RELEASE(psn_buf) root_box = buf_vector(f, "root_box");
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(256);
    PSN_AUTO_RELEASE(psn_buf) wrap = psn_buf_init(256);
    const uint8_t *slot = root_box.data + 18;
    struct psn_secret *key = NULL;
    uint8_t scalar[32];
    uint8_t bytes[32];

    (void)vectors_get(&f->vectors, "identity_scalar", scalar, sizeof scalar);
    psn_hkdf_sha256(scalar, sizeof scalar, slot + 29, 16, label, sizeof label - 1, bytes,
                    sizeof bytes);
    assert_int_equal(psn_secret_copy(bytes, sizeof bytes, &key, &f->err), PSN_OK);
    psn_buf_text(&ad, "passation slot v1");
    psn_buf_bytes(&ad, f->keys->id, 16);
    psn_buf_bytes(&ad, slot, 16 + 1 + 4 + 8 + 16);
    psn_buf_bytes(&wrap, slot + 45, 104);
    expect_opens(f, key, &ad, &wrap, "root_key");
    psn_secret_free(key);
}

/* --- chains --- */

static void number_bytes(uint64_t number, uint8_t out[8])
{
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(number >> (56 - 8 * i));
}

static void a_journal_link_hashes_what_the_page_says(void **state)
{
    struct fixture *f = *state;
    PSN_AUTO_RELEASE(psn_buf) chain = buf_vector(f, "journal_chain");
    PSN_AUTO_RELEASE(psn_buf) salt = buf_vector(f, "journal_salt");
    PSN_AUTO_RELEASE(psn_buf) plain = buf_vector(f, "journal_plain");
    uint8_t number[8];
    uint8_t zero[32] = { 0 };
    uint8_t hash[PSN_HASH_SIZE];
    uint8_t prf[PSN_PRF_SIZE];
    struct psn_part parts[] = {
        { "passation journal v1", 20 }, { f->keys->id, 16 },   { chain.data, 16 },
        { number, sizeof number },      { zero, sizeof zero }, { salt.data, 16 },
        { plain.data, plain.size }
    };

    number_bytes(1, number);
    psn_hash(parts, sizeof parts / sizeof *parts, hash);
    vectors_expect(&f->vectors, "journal_hash", hash, sizeof hash);
    assert_int_equal(psn_vault_prf(f->keys, PSN_TABLE_CHAIN, "", prf, &f->err), PSN_OK);
    vectors_expect(&f->vectors, "journal_chain", prf, sizeof prf);
}

static void a_journal_box_is_bound_to_its_hash(void **state)
{
    struct fixture *f = *state;
    PSN_AUTO_RELEASE(psn_buf) chain = buf_vector(f, "journal_chain");
    PSN_AUTO_RELEASE(psn_buf) hash = buf_vector(f, "journal_hash");
    PSN_AUTO_RELEASE(psn_buf) box = buf_vector(f, "journal_box");
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(256);
    struct psn_secret *salted = NULL;

    psn_buf_text(&ad, "passation journal box v1");
    psn_buf_bytes(&ad, f->keys->id, 16);
    psn_buf_bytes(&ad, chain.data, 16);
    psn_buf_u64(&ad, 1);
    psn_buf_bytes(&ad, hash.data, 32);
    assert_int_equal(psn_unseal_secret(f->keys->journal_key, ad.data, ad.size, box.data,
                                       box.size, &salted, &f->err),
                     PSN_OK);
    vectors_expect(&f->vectors, "journal_salt", psn_secret_bytes(salted), 16);
    vectors_expect(&f->vectors, "journal_plain", psn_secret_bytes(salted) + 16,
                   psn_secret_size(salted) - 16);
    psn_secret_free(salted);
}

static void a_history_link_hashes_what_the_page_says(void **state)
{
    struct fixture *f = *state;
    PSN_AUTO_RELEASE(psn_buf) first = buf_vector(f, "history_1_hash");
    PSN_AUTO_RELEASE(psn_buf) digest = buf_vector(f, "history_2_digest");
    uint8_t number[8];
    uint8_t hash[PSN_HASH_SIZE];
    struct psn_part parts[] = { { "passation history v1", 20 },
                                { f->keys->id, 16 },
                                { number, sizeof number },
                                { first.data, 32 },
                                { digest.data, 32 } };

    number_bytes(2, number);
    psn_hash(parts, sizeof parts / sizeof *parts, hash);
    vectors_expect(&f->vectors, "history_2_hash", hash, sizeof hash);
}

static void the_last_history_link_hashes_the_state(void **state)
{
    struct fixture *f = *state;
    PSN_AUTO_RELEASE(psn_buf) box = buf_vector(f, "root_box");
    struct psn_state opened;
    uint8_t numbers[16];
    uint8_t digest[PSN_HASH_SIZE];
    struct psn_part parts[] = { { "passation state digest v1", 25 },
                                { numbers, sizeof numbers },
                                { opened.vault_head, 32 },
                                { opened.roots.hash, sizeof opened.roots.hash } };

    assert_int_equal(psn_state_open(f->keys, &box, &opened, &f->err), PSN_OK);
    number_bytes(opened.journal_entries, numbers);
    number_bytes(opened.vault_count, numbers + 8);
    psn_hash(parts, sizeof parts / sizeof *parts, digest);
    vectors_expect(&f->vectors, "state_digest", digest, sizeof digest);
}

#define VECTOR(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        VECTOR(the_key_tree_grows_from_the_root_key),
        VECTOR(sub_keys_are_crypto_kdf_with_the_written_contexts),
        VECTOR(row_keys_begin_with_the_prf_of_the_address),
        VECTOR(padding_is_as_the_table_says),
        VECTOR(a_box_opens_with_its_key_and_meaning_alone),
        VECTOR(a_record_is_written_as_it_was),
        VECTOR(a_records_fields_are_read_in_any_order_and_none_twice),
        VECTOR(a_row_opens_in_its_place_only),
        VECTOR(a_version_is_a_head_and_a_padded_value),
        VECTOR(the_root_box_holds_the_state),
        VECTOR(each_kind_of_slot_gives_the_root_key),
        VECTOR(a_slot_is_bound_to_all_its_fields),
        VECTOR(a_journal_link_hashes_what_the_page_says),
        VECTOR(a_journal_box_is_bound_to_its_hash),
        VECTOR(a_history_link_hashes_what_the_page_says),
        VECTOR(the_last_history_link_hashes_the_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
