#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/vault.h"
#include "crypto/hash.h"
#include "crypto/init.h"
#include "store/store.h"
#include "support/tmpdir.h"
#include "support/vectors.h"

/* The hash tree of docs/vault-format.md: three rows of table 3, two of them in one
 * bucket, hashed by hand and by the store. */

struct fixture {
    struct vectors vectors;
    struct tmpdir dir;
    struct psn_error err;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    tmpdir_make(&f->dir);
    vectors_load(&f->vectors, PSN_TEST_VECTORS "/vault-format.txt");
    assert_int_equal(psn_crypto_init(&f->err), PSN_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    vectors_release(&f->vectors);
    tmpdir_remove(&f->dir);
    free(f);
    return 0;
}

/* Appends a field with its size in `width` bytes before it. */
static void append_field(struct fixture *f, const char *kind, int number, int width,
                         struct psn_buf *out)
{
    uint8_t bytes[64];
    char name[32];
    size_t size;

    (void)snprintf(name, sizeof name, "tree_%s_%d", kind, number);
    size = vectors_get(&f->vectors, name, bytes, sizeof bytes);
    if (width == 2)
        psn_buf_u16(out, (uint16_t)size);
    else
        psn_buf_u32(out, (uint32_t)size);
    psn_buf_bytes(out, bytes, size);
}

static void append_row(struct fixture *f, int number, struct psn_buf *rows)
{
    append_field(f, "key", number, 2, rows);
    psn_buf_u64(rows, 1);
    append_field(f, "clear", number, 4, rows);
    append_field(f, "box", number, 4, rows);
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
        assert_int_equal(psn_store_roots(store, &roots, NULL), PSN_OK);
        vectors_expect(&f->vectors, "tree_root", roots.hash[3], sizeof roots.hash[3]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_tree_hashes_what_the_page_says, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(the_store_grows_the_same_tree_in_any_order,
                                        set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
