#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "age/identity.h"
#include "core/client.h"
#include "core/credential.h"
#include "core/record.h"
#include "core/role.h"
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
 * drift apart together; and a vault that was made once must open and read for ever.
 */
static const char address[] = "contact@boulangerie-martin.fr";
static const char other_address[] = "technique@boulangerie-martin.fr";
static const char client_id[] = "boulangerie-martin";
static const int64_t made_s = 1767225600;

/* --- fixture: the vectors, a handle with their keys, the frozen vault in a folder --- */

struct fixture {
    struct vectors vectors;
    struct tmpdir dir;
    char path[TMPDIR_PATH_MAX];
    char state_dir[TMPDIR_PATH_MAX];
    struct psn_vault *keys; /* without a store: the keys alone */
    struct psn_vault *vault;
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

static void copy_file(const char *from, const char *to)
{
    struct psn_buf bytes = psn_buf_init(1024 * 1024);
    struct psn_error err = { 0 };

    assert_int_equal(psn_file_read(from, &bytes, &err), PSN_OK);
    assert_int_equal(psn_file_write(to, bytes.data, bytes.size, PSN_FILE_NEW, &err),
                     PSN_OK);
    psn_buf_release(&bytes);
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
    (void)tmpdir_path(&f->dir, "vault.db", f->path);
    (void)tmpdir_path(&f->dir, "state", f->state_dir);
    f->keys = calloc(1, sizeof *f->keys);
    assert_non_null(f->keys);
    f->keys->op_lock = PSN_FILE_LOCK_NONE;
    (void)vectors_get(&f->vectors, "vault_id", f->keys->id, sizeof f->keys->id);
    root_key = secret_vector(f, "root_key");
    assert_int_equal(psn_vault_take_root_key(f->keys, &root_key, &f->err), PSN_OK);
    *state = f;
    return 0;
}

static int set_up_vault(void **state)
{
    char path[TMPDIR_PATH_MAX];
    int rc = set_up(state);
    struct fixture *f = *state;

    copy_file(vector_file("vault-v1.db", path), f->path);
    return rc;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    psn_vault_free(f->vault);
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
    size_t head = 1 + 16 + 1 + 3 * 165;

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
    psn_buf_bytes(&wrap, slot + 45, 120);
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

/* --- the hash tree --- */

static void append_row(struct fixture *f, int number, struct psn_buf *rows)
{
    char name[32];
    struct psn_buf field;

    (void)snprintf(name, sizeof name, "tree_key_%d", number);
    field = buf_vector(f, name);
    psn_buf_u16(rows, (uint16_t)field.size);
    psn_buf_bytes(rows, field.data, field.size);
    psn_buf_u64(rows, 1);
    psn_buf_release(&field);
    (void)snprintf(name, sizeof name, "tree_clear_%d", number);
    field = buf_vector(f, name);
    psn_buf_u32(rows, (uint32_t)field.size);
    psn_buf_bytes(rows, field.data, field.size);
    psn_buf_release(&field);
    (void)snprintf(name, sizeof name, "tree_box_%d", number);
    field = buf_vector(f, name);
    psn_buf_u32(rows, (uint32_t)field.size);
    psn_buf_bytes(rows, field.data, field.size);
    psn_buf_release(&field);
}

static void leaf_hash(uint32_t bucket, uint32_t count, const struct psn_buf *rows,
                      uint8_t ret_hash[PSN_HASH_SIZE])
{
    PSN_AUTO_RELEASE(psn_buf) bytes = psn_buf_init(4096);

    psn_buf_bytes(&bytes, "passation store leaf 1", 23);
    psn_buf_u8(&bytes, 3);
    psn_buf_u32(&bytes, bucket);
    psn_buf_u32(&bytes, count);
    psn_buf_bytes(&bytes, rows->data, rows->size);
    psn_hash(&(struct psn_part){ bytes.data, bytes.size }, 1, ret_hash);
}

/* A node with one child, or two in the order of their numbers. */
static void node_hash(unsigned level, uint32_t index, uint64_t bitmap,
                      const uint8_t *children, size_t count,
                      uint8_t ret_hash[PSN_HASH_SIZE])
{
    PSN_AUTO_RELEASE(psn_buf) bytes = psn_buf_init(4096);

    psn_buf_bytes(&bytes, "passation store node 1", 23);
    psn_buf_u8(&bytes, 3);
    psn_buf_u8(&bytes, (uint8_t)level);
    psn_buf_u32(&bytes, index);
    psn_buf_u64(&bytes, bitmap);
    psn_buf_bytes(&bytes, children, 32 * count);
    psn_hash(&(struct psn_part){ bytes.data, bytes.size }, 1, ret_hash);
}

static void the_tree_hashes_what_the_page_says(void **state)
{
    struct fixture *f = *state;
    PSN_AUTO_RELEASE(psn_buf) rows = psn_buf_init(1024);
    const uint32_t low = 0x123456 >> 6;
    const uint32_t high = 0xffffff >> 6;
    uint8_t hashes[2][32];
    uint8_t root[32];

    append_row(f, 1, &rows);
    append_row(f, 2, &rows);
    leaf_hash(low, 2, &rows, hashes[0]);
    psn_buf_reset(&rows);
    append_row(f, 3, &rows);
    leaf_hash(high, 1, &rows, hashes[1]);
    for (unsigned level = 2; level > 0; level--) {
        unsigned shift = 6 * (3 - level);

        node_hash(level, low >> shift, UINT64_C(1) << (low >> (shift - 6) & 63),
                  hashes[0], 1, hashes[0]);
        node_hash(level, high >> shift, UINT64_C(1) << (high >> (shift - 6) & 63),
                  hashes[1], 1, hashes[1]);
    }
    node_hash(0, 0, UINT64_C(1) << (low >> 12) | UINT64_C(1) << (high >> 12), hashes[0],
              2, root);
    vectors_expect(&f->vectors, "tree_root", root, sizeof root);
}

static void put_row(struct fixture *f, struct psn_store *store, int number)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    uint8_t bytes[64];
    char name[32];

    (void)snprintf(name, sizeof name, "tree_key_%d", number);
    row.key_size = vectors_get(&f->vectors, name, row.key, sizeof row.key);
    row.revision = 1;
    (void)snprintf(name, sizeof name, "tree_clear_%d", number);
    psn_buf_bytes(&row.clear, bytes, vectors_get(&f->vectors, name, bytes, sizeof bytes));
    (void)snprintf(name, sizeof name, "tree_box_%d", number);
    psn_buf_bytes(&row.box, bytes, vectors_get(&f->vectors, name, bytes, sizeof bytes));
    assert_int_equal(psn_store_put(store, 3, &row, &f->err), PSN_OK);
}

static void the_store_grows_the_same_tree_in_any_order(void **state)
{
    static const int orders[2][3] = { { 1, 2, 3 }, { 3, 2, 1 } };
    struct fixture *f = *state;

    for (size_t i = 0; i < 2; i++) {
        PSN_AUTO(psn_store) *store = NULL;
        PSN_AUTO_RELEASE(psn_buf) root_box = psn_buf_init(64);
        struct psn_store_roots roots = { 0 };
        char path[TMPDIR_PATH_MAX];

        (void)tmpdir_path(&f->dir, i ? "b.db" : "a.db", path);
        assert_int_equal(psn_store_create(path, psn_vault_store_hash, &store, &f->err),
                         PSN_OK);
        assert_int_equal(psn_store_begin(store, PSN_STORE_WRITE, &root_box, &f->err),
                         PSN_OK);
        psn_store_trust(store, &roots);
        for (size_t j = 0; j < 3; j++)
            put_row(f, store, orders[i][j]);
        psn_store_roots(store, &roots);
        vectors_expect(&f->vectors, "tree_root", roots.hash[3], sizeof roots.hash[3]);
    }
}

/* --- the frozen vault --- */

static void open_frozen(struct fixture *f)
{
    struct psn_vault_options options = { .path = f->path, .state_dir = f->state_dir };
    struct psn_key key = { .kind = PSN_SLOT_IDENTITY };
    struct psn_secret *identity = NULL;
    char path[TMPDIR_PATH_MAX];

    assert_int_equal(psn_secret_read_file(vector_file("vault-v1.identity", path), 4096,
                                          &identity, &f->err),
                     PSN_OK);
    key.secret = identity;
    assert_int_equal(psn_vault_open(&options, &f->vault, &f->err), PSN_OK);
    assert_int_equal(psn_vault_unlock(f->vault, &key, &f->err), PSN_OK);
    psn_secret_free(identity);
}

static void the_frozen_vault_opens_and_is_whole(void **state)
{
    struct fixture *f = *state;
    struct psn_vault_check check;

    open_frozen(f);
    vectors_expect(&f->vectors, "vault_id", psn_vault_id(f->vault), PSN_VAULT_ID_SIZE);
    assert_int_equal(psn_vault_seen(f->vault), PSN_SEEN_UNKNOWN);
    assert_int_equal(psn_vault_check(f->vault, &check, &f->err), PSN_OK);
    assert_int_equal(check.generation,
                     vectors_number(&f->vectors, "state_generation") + 1);
    assert_int_equal(check.entries,
                     vectors_number(&f->vectors, "state_journal_entries") + 1);
    /* 3 slots, 1 person, 1 client, 2 domains, 1 credential, 2 roles, 1 secret, 5
     * versions, 1 chain, 2 own keys, and the exposures: 4 created, 1 typed, 1 shown */
    assert_int_equal(check.rows, 3 + 1 + 1 + 2 + 1 + 2 + 1 + 5 + 1 + 2 + 6);
}

static void the_frozen_vault_reads_its_client_and_credential(void **state)
{
    struct fixture *f = *state;
    struct psn_ovh_credential credential;
    struct psn_client client;

    open_frozen(f);
    assert_int_equal(psn_client_get(f->vault, client_id, &client, &f->err), PSN_OK);
    assert_string_equal(client.name, "Boulangerie Martin");
    assert_string_equal(client.nic, "xm000000-ovh");
    assert_string_equal(client.endpoint, "ovh-eu");
    assert_int_equal(client.domain_count, 2);
    assert_string_equal(client.domains[1], "pain-martin.fr");
    assert_int_equal(client.limits.rate_per_min, 60);
    assert_int_equal(client.limits.settle_s, 600);
    assert_int_equal(client.limits.login_cache_s, 3660);
    assert_int_equal(client.limits.failed_logins, 3);
    assert_int_equal(client.limits.failed_logins_window_s, 300);
    assert_int_equal(client.created_s, made_s);
    assert_true(client.linked);
    assert_string_equal(client.linked_nic, "xm000000-ovh");
    assert_int_equal(client.key_expires_s, made_s + 86400);
    psn_client_release(&client);
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_READ, &f->err), PSN_OK);
    assert_int_equal(psn_credential_get(f->vault, client_id, &credential, &f->err),
                     PSN_OK);
    assert_int_equal(psn_vault_end(f->vault, PSN_OK, &f->err), PSN_OK);
    assert_string_equal(psn_secret_bytes(credential.application_key), "VectorAppKey0001");
    assert_string_equal(psn_secret_bytes(credential.consumer_key),
                        "VectorConsumerKey000000000000001");
    psn_ovh_credential_release(&credential);
}

static void the_frozen_vault_reads_its_roles(void **state)
{
    struct fixture *f = *state;
    struct psn_role_row row;

    open_frozen(f);
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_READ, &f->err), PSN_OK);
    assert_int_equal(psn_role_read(f->vault, address, &row, &f->err), PSN_OK);
    assert_string_equal(row.client, client_id);
    assert_int_equal(row.backend, PSN_BACKEND_EMAIL_DOMAIN);
    assert_int_equal(row.changed_s, made_s + 60);
    assert_int_equal(row.verified_s, made_s + 60);
    assert_int_equal(row.rotation.phase, PSN_ROTATION_STABLE);
    assert_int_equal(row.rotation.cur, 2);
    assert_int_equal(row.rotation.old, 1);
    assert_int_equal(row.rotation.old_dead, PSN_ROTATION_OLD_DEAD);
    assert_int_equal(row.rotation.silent_since_s, made_s + 40);
    assert_int_equal(row.rotation.failed_s[0], made_s + 50);
    assert_int_equal(row.rotation.failed_s[1], 0);
    assert_int_equal(psn_role_read(f->vault, other_address, &row, &f->err), PSN_OK);
    assert_int_equal(row.rotation.phase, PSN_ROTATION_UNKNOWN);
    assert_int_equal(row.rotation.cur, 1);
    assert_int_equal(row.rotation.pend, 2);
    assert_int_equal(row.rotation.sends, 1);
    assert_int_equal(row.rotation.unanswered, 1);
    assert_int_equal(row.rotation.last_send_s, made_s + 90);
    assert_int_equal(psn_vault_end(f->vault, PSN_OK, &f->err), PSN_OK);
}

static void expect_value(struct fixture *f, const char *whose, const char *label,
                         uint64_t number, const char *expected)
{
    struct psn_secret *value = NULL;
    uint64_t version = 0;

    assert_int_equal(psn_reveal(f->vault, whose, label, number, PSN_HOW_SHOWN, &value,
                                &version, &f->err),
                     PSN_OK);
    assert_string_equal(psn_secret_bytes(value), expected);
    psn_secret_free(value);
}

static void the_frozen_vault_gives_its_passwords_back(void **state)
{
    struct fixture *f = *state;
    struct psn_secret_info info;

    open_frozen(f);
    expect_value(f, address, "", 0, "TuVw6-XyZa7-BcDe8-FgHj9");
    expect_value(f, address, "", 1, "AbCd2-EfGh3-JkMn4-PqRs5");
    expect_value(f, other_address, "", 0, "KmNp2-QrSt3-UvWx4-YzAb5");
    expect_value(f, other_address, "", 2, "CdEf6-GhJk7-MnPq8-RsTu9");
    expect_value(f, address, "stripe", 0, "sk_vector_0123456789");
    assert_int_equal(psn_secret_get(f->vault, address, "stripe", &info, &f->err), PSN_OK);
    assert_string_equal(info.type, "stripe");
    assert_string_equal(info.user, "claire");
    assert_string_equal(info.url, "https://dashboard.stripe.com/");
    assert_string_equal(info.note, "deux lignes\npour voir");
    assert_string_equal(info.expires, "2027-01-31");
    assert_int_equal(info.version, 1);
}

struct events {
    size_t count;
    struct psn_journal_entry entries[32];
};

static enum psn_code collect(void *arg, const struct psn_journal_entry *entry,
                             struct psn_error *err)
{
    struct events *events = arg;

    (void)err;
    assert_in_range(events->count, 0, 31);
    events->entries[events->count++] = *entry;
    return PSN_OK;
}

static void the_frozen_vault_tells_what_was_done(void **state)
{
    static const char *const expected[] = { "person.added",   "slot.added",
                                            "slot.added",     "slot.added",
                                            "vault.created",  "client.added",
                                            "vault.backed-up" };
    struct fixture *f = *state;
    struct events events = { 0 };
    const size_t own = sizeof expected / sizeof *expected;

    open_frozen(f);
    assert_int_equal(psn_journal_each(f->vault, NULL, 0, collect, &events, &f->err),
                     PSN_OK);
    assert_true(events.count > own);
    for (size_t i = 0; i < own; i++)
        assert_string_equal(events.entries[i].event, expected[i]);
    vectors_expect(&f->vectors, "journal_hash", events.entries[0].hash, 32);
    assert_string_equal(events.entries[0].actor, "me");
    assert_int_equal(events.entries[0].time_s, made_s);
    assert_string_equal(events.entries[events.count - 1].chain, client_id);
    assert_string_equal(events.entries[events.count - 1].event, "secret.revealed");
    assert_string_equal(events.entries[events.count - 1].label, "stripe");
}

static void the_frozen_vault_has_its_own_keys(void **state)
{
    struct fixture *f = *state;
    struct psn_vault_keys keys;

    open_frozen(f);
    assert_int_equal(psn_vault_public_keys(f->vault, &keys, &f->err), PSN_OK);
    vectors_expect(&f->vectors, "own_fingerprint", keys.fingerprint,
                   strlen(keys.fingerprint));
    vectors_expect(&f->vectors, "own_recipient", keys.age, strlen(keys.age));
}

/* What is remembered outside of the vault. */
static void the_rollback_record_is_as_the_page_says(void **state)
{
    struct fixture *f = *state;
    PSN_AUTO_RELEASE(psn_buf) record = psn_buf_init(1024);
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(1024);
    PSN_AUTO_RELEASE(psn_buf) expected = psn_buf_init(1024);
    char hex[65];

    open_frozen(f);
    psn_buf_format(&path, "%s/seen-%s", f->state_dir,
                   psn_hex(psn_vault_id(f->vault), PSN_VAULT_ID_SIZE, hex));
    assert_int_equal(psn_file_read(psn_buf_str(&path), &record, &f->err), PSN_OK);
    psn_buf_format(
        &expected, "passation-seen 1\ngeneration %llu\nentries %llu\nhistory %s\n",
        (unsigned long long)vectors_number(&f->vectors, "state_generation") + 1,
        (unsigned long long)vectors_number(&f->vectors, "state_journal_entries") + 1,
        psn_hex(f->vault->state.history, 32, hex));
    assert_string_equal(psn_buf_str(&record), psn_buf_str(&expected));
}

/* A vault of a released version is not only read: it lives on. */
static void the_frozen_vault_can_be_written_and_is_still_whole(void **state)
{
    struct fixture *f = *state;
    struct psn_secret *value = NULL;
    struct psn_secret_change change = { .user = "martin" };
    struct psn_vault_check check;
    uint64_t version = 0;

    open_frozen(f);
    assert_int_equal(psn_secret_copy("sk_next", 7, &value, &f->err), PSN_OK);
    change.value = value;
    assert_int_equal(
        psn_secret_set(f->vault, address, "stripe", &change, &version, &f->err), PSN_OK);
    assert_int_equal(version, 2);
    psn_secret_free(value);
    psn_vault_free(f->vault);
    f->vault = NULL;
    open_frozen(f);
    assert_int_equal(psn_vault_seen(f->vault), PSN_SEEN_SAME);
    expect_value(f, address, "stripe", 0, "sk_next");
    expect_value(f, address, "stripe", 1, "sk_vector_0123456789");
    assert_int_equal(psn_vault_check(f->vault, &check, &f->err), PSN_OK);
}

#define PLAIN(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
#define VAULT(test) cmocka_unit_test_setup_teardown(test, set_up_vault, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PLAIN(the_key_tree_grows_from_the_root_key),
        PLAIN(sub_keys_are_crypto_kdf_with_the_written_contexts),
        PLAIN(row_keys_begin_with_the_prf_of_the_address),
        PLAIN(padding_is_as_the_table_says),
        PLAIN(a_box_opens_with_its_key_and_meaning_alone),
        PLAIN(a_record_is_written_as_it_was),
        PLAIN(a_row_opens_in_its_place_only),
        PLAIN(a_version_is_a_head_and_a_padded_value),
        PLAIN(the_root_box_holds_the_state),
        PLAIN(each_kind_of_slot_gives_the_root_key),
        PLAIN(a_slot_is_bound_to_all_its_fields),
        PLAIN(a_journal_link_hashes_what_the_page_says),
        PLAIN(a_journal_box_is_bound_to_its_hash),
        PLAIN(a_history_link_hashes_what_the_page_says),
        PLAIN(the_last_history_link_hashes_the_state),
        PLAIN(the_tree_hashes_what_the_page_says),
        PLAIN(the_store_grows_the_same_tree_in_any_order),
        VAULT(the_frozen_vault_opens_and_is_whole),
        VAULT(the_frozen_vault_reads_its_client_and_credential),
        VAULT(the_frozen_vault_reads_its_roles),
        VAULT(the_frozen_vault_gives_its_passwords_back),
        VAULT(the_frozen_vault_tells_what_was_done),
        VAULT(the_frozen_vault_has_its_own_keys),
        VAULT(the_rollback_record_is_as_the_page_says),
        VAULT(the_frozen_vault_can_be_written_and_is_still_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
