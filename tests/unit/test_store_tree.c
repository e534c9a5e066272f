#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sodium.h>

#include "store/store.h"
#include "support/store_fixture.h"

/*
 * The tree against a model that is written from the format's description alone: an
 * array of rows, and a root worked out from nothing each time.
 */

enum {
    MODEL_MAX = 700
};

struct model_row {
    uint8_t key[PSN_STORE_KEY_MAX];
    size_t key_size;
    uint64_t revision;
    uint8_t clear[48];
    size_t clear_size;
    uint8_t box[96];
    size_t box_size;
};

struct model {
    struct model_row rows[MODEL_MAX];
    size_t count;
    uint64_t random;
};

/* ----------------------------------------------------------------- helpers */

static uint32_t draw(struct model *model, uint32_t below)
{
    model->random ^= model->random << 13;
    model->random ^= model->random >> 7;
    model->random ^= model->random << 17;
    return (uint32_t)(model->random >> 16) % below;
}

static int compare_keys(const struct model_row *a, const struct model_row *b)
{
    size_t common = a->key_size < b->key_size ? a->key_size : b->key_size;
    int order = memcmp(a->key, b->key, common);

    if (order != 0)
        return order;
    return (a->key_size > b->key_size) - (a->key_size < b->key_size);
}

static int compare_rows(const void *a, const void *b)
{
    return compare_keys(a, b);
}

static void append_number(struct psn_buf *buf, uint64_t value, unsigned size)
{
    for (unsigned i = size; i-- > 0;)
        psn_buf_u8(buf, (uint8_t)(value >> (8 * i)));
}

static void hash_buf(const struct psn_buf *buf, uint8_t ret_hash[32])
{
    assert_int_equal(psn_buf_check(buf, NULL), PSN_OK);
    (void)crypto_generichash(ret_hash, 32, buf->data, buf->size, NULL, 0);
}

/* The 18 bits that name the bucket, one by one. */
static uint32_t first_bits(const uint8_t *key, unsigned count)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < count; i++)
        value = value << 1 | (key[i / 8] >> (7 - i % 8) & 1);
    return value;
}

static void naive_leaf(const struct model *model, unsigned table, size_t from, size_t to,
                       uint8_t ret_hash[32])
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(1 << 20);

    psn_buf_bytes(&text, "passation store leaf 1", 23);
    append_number(&text, table, 1);
    append_number(&text, first_bits(model->rows[from].key, 18), 4);
    append_number(&text, to - from, 4);
    for (size_t i = from; i < to; i++) {
        const struct model_row *row = &model->rows[i];

        append_number(&text, row->key_size, 2);
        psn_buf_bytes(&text, row->key, row->key_size);
        append_number(&text, row->revision, 8);
        append_number(&text, row->clear_size, 4);
        psn_buf_bytes(&text, row->clear, row->clear_size);
        append_number(&text, row->box_size, 4);
        psn_buf_bytes(&text, row->box, row->box_size);
    }
    hash_buf(&text, ret_hash);
}

/* The hash of what stands below `bits` bits of path, over the sorted rows from … to. */
static void naive_hash(const struct model *model, unsigned table, unsigned level,
                       size_t from, size_t to, uint8_t ret_hash[32])
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(1 << 20);
    PSN_AUTO_RELEASE(psn_buf) hashes = psn_buf_init(1 << 20);
    uint64_t bitmap = 0;
    size_t at = from;

    if (from == to) {
        memset(ret_hash, 0, 32);
        return;
    }
    if (level == 3) {
        naive_leaf(model, table, from, to, ret_hash);
        return;
    }
    while (at < to) {
        uint32_t child = first_bits(model->rows[at].key, 6 * (level + 1));
        size_t end = at;
        uint8_t hash[32];

        while (end < to && first_bits(model->rows[end].key, 6 * (level + 1)) == child)
            end++;
        naive_hash(model, table, level + 1, at, end, hash);
        psn_buf_bytes(&hashes, hash, 32);
        bitmap |= UINT64_C(1) << (child % 64);
        at = end;
    }
    psn_buf_bytes(&text, "passation store node 1", 23);
    append_number(&text, table, 1);
    append_number(&text, level, 1);
    append_number(&text, first_bits(model->rows[from].key, 6 * level), 4);
    append_number(&text, bitmap, 8);
    psn_buf_bytes(&text, hashes.data, hashes.size);
    hash_buf(&text, ret_hash);
}

static void assert_root(struct psn_store *store, struct model *model, unsigned table)
{
    struct psn_store_roots roots;
    uint8_t expected[32];

    qsort(model->rows, model->count, sizeof *model->rows, compare_rows);
    naive_hash(model, table, 0, 0, model->count, expected);
    assert_int_equal(psn_store_roots(store, &roots, NULL), PSN_OK);
    assert_memory_equal(roots.hash[table], expected, 32);
}

/* Few distinct beginnings, so that buckets, nodes and prefixes are often shared. */
static void draw_key(struct model *model, struct model_row *row)
{
    static const uint8_t starts[] = { 0x00, 0x00, 0x03, 0x04, 0x80, 0xff, 0xff };

    row->key_size = PSN_STORE_KEY_MIN + draw(model, 25);
    for (size_t i = 0; i < row->key_size; i++)
        row->key[i] = (uint8_t)draw(model, 256);
    for (size_t i = 0; i < 3 && draw(model, 8) != 0; i++)
        row->key[i] = starts[draw(model, sizeof starts)];
}

static void draw_content(struct model *model, struct model_row *row)
{
    row->clear_size = draw(model, sizeof row->clear + 1);
    row->box_size = draw(model, sizeof row->box + 1);
    for (size_t i = 0; i < row->clear_size; i++)
        row->clear[i] = (uint8_t)draw(model, 256);
    for (size_t i = 0; i < row->box_size; i++)
        row->box[i] = (uint8_t)draw(model, 256);
}

static void to_store_row(const struct model_row *from, struct psn_store_row *to)
{
    memcpy(to->key, from->key, from->key_size);
    to->key_size = from->key_size;
    to->revision = from->revision;
    psn_buf_reset(&to->clear);
    psn_buf_reset(&to->box);
    psn_buf_bytes(&to->clear, from->clear, from->clear_size);
    psn_buf_bytes(&to->box, from->box, from->box_size);
}

static void assert_same(const struct psn_store_row *row, const struct model_row *expected)
{
    assert_int_equal(row->key_size, expected->key_size);
    assert_memory_equal(row->key, expected->key, expected->key_size);
    assert_int_equal(row->revision, expected->revision);
    assert_int_equal(row->clear.size, expected->clear_size);
    assert_memory_equal(psn_buf_str(&row->clear), expected->clear, expected->clear_size);
    assert_int_equal(row->box.size, expected->box_size);
    assert_memory_equal(psn_buf_str(&row->box), expected->box, expected->box_size);
}

static void insert_one(struct psn_store *store, struct model *model, unsigned table)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct model_row *fresh = &model->rows[model->count];

    if (model->count == MODEL_MAX)
        return;
    memset(fresh, 0, sizeof *fresh);
    draw_key(model, fresh);
    draw_content(model, fresh);
    fresh->revision = 1;
    for (size_t i = 0; i < model->count; i++) {
        if (compare_keys(&model->rows[i], fresh) == 0)
            return;
    }
    to_store_row(fresh, &row);
    assert_int_equal(psn_store_put(store, table, &row, NULL), PSN_OK);
    model->count++;
}

static void replace_one(struct psn_store *store, struct model *model, unsigned table)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct model_row *chosen;

    if (model->count == 0)
        return;
    chosen = &model->rows[draw(model, (uint32_t)model->count)];
    chosen->revision++;
    draw_content(model, chosen);
    to_store_row(chosen, &row);
    assert_int_equal(psn_store_put(store, table, &row, NULL), PSN_OK);
}

static void delete_one(struct psn_store *store, struct model *model, unsigned table)
{
    struct model_row *chosen;

    if (model->count == 0)
        return;
    chosen = &model->rows[draw(model, (uint32_t)model->count)];
    assert_int_equal(psn_store_delete(store, table, chosen->key, chosen->key_size, NULL),
                     PSN_OK);
    *chosen = model->rows[--model->count];
}

/* Scans a prefix of each length of some row's key, and one that nobody has. */
static void assert_scans(struct psn_store *store, struct model *model, unsigned table)
{
    static const size_t sizes[] = { 0, 1, 2, 3, 4, 8, 16, 40 };

    qsort(model->rows, model->count, sizeof *model->rows, compare_rows);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        PSN_AUTO(psn_store_scan) *scan = NULL;
        PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
        struct model_row chosen = { .key_size = PSN_STORE_KEY_MAX };
        bool found = true;

        draw_key(model, &chosen);
        if (model->count > 0 && draw(model, 4) != 0)
            chosen = model->rows[draw(model, (uint32_t)model->count)];
        assert_int_equal(
            psn_store_scan_open(store, table, chosen.key, sizes[i], &scan, NULL), PSN_OK);
        for (size_t k = 0; k < model->count; k++) {
            const struct model_row *expected = &model->rows[k];

            if (expected->key_size < sizes[i] ||
                memcmp(expected->key, chosen.key, sizes[i]) != 0)
                continue;
            assert_int_equal(psn_store_scan_next(scan, &row, &found, NULL), PSN_OK);
            assert_true(found);
            assert_same(&row, expected);
        }
        assert_int_equal(psn_store_scan_next(scan, &row, &found, NULL), PSN_OK);
        assert_false(found);
    }
}

static void assert_gets(struct psn_store *store, struct model *model, unsigned table)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();

    for (size_t i = 0; i < model->count; i++) {
        const struct model_row *expected = &model->rows[i];

        assert_int_equal(
            psn_store_get(store, table, expected->key, expected->key_size, &row, NULL),
            PSN_OK);
        assert_same(&row, expected);
    }
    for (size_t i = 0; i < 50; i++) {
        struct model_row absent = { 0 };

        draw_key(model, &absent);
        absent.key[absent.key_size - 1] ^= 1;
        if (bsearch(&absent, model->rows, model->count, sizeof absent, compare_rows))
            continue;
        assert_int_equal(
            psn_store_get(store, table, absent.key, absent.key_size, &row, NULL),
            PSN_E_NOT_FOUND);
    }
}

/* ----------------------------------------------------------------- tests */

static void random_changes_agree_with_a_model(void **state)
{
    struct store_fixture *at = *state;
    struct psn_store *store = NULL;
    struct model *model = calloc(1, sizeof *model);
    const unsigned table = 11;

    assert_non_null(model);
    model->random = UINT64_C(0x9e3779b97f4a7c15);
    print_message("seed %llx\n", (unsigned long long)model->random);
    store_fixture_make(at->path, 2, 0, 20);
    for (unsigned round = 0; round < 60; round++) {
        unsigned changes = 1 + draw(model, 40);

        assert_int_equal(psn_store_open(at->path, store_fixture_hash, &store, NULL),
                         PSN_OK);
        assert_int_equal(store_fixture_begin(store, PSN_STORE_WRITE, NULL, NULL), PSN_OK);
        while (changes-- > 0) {
            unsigned kind = draw(model, 10);
            /* It grows for a time, then shrinks to nothing, then grows again. */
            unsigned deletes = round % 30 < 20 ? 1 : 8;

            if (kind < deletes)
                delete_one(store, model, table);
            else if (kind < 9)
                insert_one(store, model, table);
            else
                replace_one(store, model, table);
        }
        assert_root(store, model, table);
        assert_gets(store, model, table);
        assert_scans(store, model, table);
        assert_int_equal(psn_store_check(store, NULL), PSN_OK);
        assert_int_equal(store_fixture_commit(store, 2 + round, NULL), PSN_OK);
        psn_store_free(PSN_TAKE(store));
    }
    free(model);
}

static void the_same_rows_have_another_root_in_another_table(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_store_roots roots;

    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &store, NULL),
                     PSN_OK);
    assert_int_equal(store_fixture_begin(store, PSN_STORE_WRITE, NULL, NULL), PSN_OK);
    store_fixture_row(1, 1, &row);
    for (unsigned table = 0; table < PSN_STORE_TABLES; table++)
        assert_int_equal(psn_store_put(store, table, &row, NULL), PSN_OK);
    assert_int_equal(psn_store_roots(store, &roots, NULL), PSN_OK);
    for (unsigned a = 0; a < PSN_STORE_TABLES; a++) {
        for (unsigned b = 0; b < a; b++)
            assert_memory_not_equal(roots.hash[a], roots.hash[b], 32);
    }
    assert_int_equal(store_fixture_commit(store, 1, NULL), PSN_OK);
}

/* The order of changes leaves no trace in the root. */
static void a_root_depends_on_the_rows_alone(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *forward = NULL;
    PSN_AUTO(psn_store) *backward = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_store_roots a;
    struct psn_store_roots b;

    assert_int_equal(psn_store_create(at->path, store_fixture_hash, &forward, NULL),
                     PSN_OK);
    assert_int_equal(psn_store_create(at->other, store_fixture_hash, &backward, NULL),
                     PSN_OK);
    assert_int_equal(store_fixture_begin(forward, PSN_STORE_WRITE, NULL, NULL), PSN_OK);
    assert_int_equal(store_fixture_begin(backward, PSN_STORE_WRITE, NULL, NULL), PSN_OK);
    for (uint64_t i = 0; i < 300; i++) {
        store_fixture_row(i, 1, &row);
        assert_int_equal(psn_store_put(forward, 1, &row, NULL), PSN_OK);
        store_fixture_row(349 - i, 1, &row);
        assert_int_equal(psn_store_put(backward, 1, &row, NULL), PSN_OK);
    }
    for (uint64_t i = 300; i < 350; i++) {
        store_fixture_row(i, 1, &row);
        assert_int_equal(psn_store_delete(backward, 1, row.key, row.key_size, NULL),
                         PSN_OK);
        store_fixture_row(i - 300, 1, &row);
        assert_int_equal(psn_store_put(backward, 1, &row, NULL), PSN_OK);
    }
    assert_int_equal(psn_store_roots(forward, &a, NULL), PSN_OK);
    assert_int_equal(psn_store_roots(backward, &b, NULL), PSN_OK);
    assert_memory_equal(&a, &b, sizeof a);
}

static void the_format_is_frozen(void **state)
{
    struct store_fixture *at = *state;
    PSN_AUTO(psn_store) *store = NULL;
    struct psn_store_roots roots;
    uint8_t schema[PSN_STORE_HASH_SIZE];
    char hex[2 * PSN_STORE_HASH_SIZE + 1];

    store_fixture_make(at->path, 7, 0, 1000);
    assert_int_equal(psn_store_open(at->path, store_fixture_hash, &store, NULL), PSN_OK);
    assert_int_equal(store_fixture_begin(store, PSN_STORE_READ, NULL, NULL), PSN_OK);
    assert_int_equal(psn_store_roots(store, &roots, NULL), PSN_OK);
    (void)sodium_bin2hex(hex, sizeof hex, roots.hash[7], PSN_STORE_HASH_SIZE);
    assert_string_equal(
        hex, "a9c201a2217aa16fbc801bf95f07841355e76d2651766c606b9262886f30fdf1");
    psn_store_schema_hash(store_fixture_hash, schema);
    (void)sodium_bin2hex(hex, sizeof hex, schema, sizeof schema);
    assert_string_equal(
        hex, "54e65b18d33e68c2cbb0318c8f190e2c2e9a084cc083fb84431cf0cb8b78ece3");
}

int main(void)
{
#define CASE(name) \
    cmocka_unit_test_setup_teardown(name, store_fixture_set_up, store_fixture_tear_down)
    static const struct CMUnitTest tests[] = {
        CASE(random_changes_agree_with_a_model),
        CASE(the_same_rows_have_another_root_in_another_table),
        CASE(a_root_depends_on_the_rows_alone),
        CASE(the_format_is_frozen),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
