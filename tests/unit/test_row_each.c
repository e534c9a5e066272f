#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/vault.h"
#include "crypto/init.h"
#include "crypto/seal.h"
#include "support/memory.h"
#include "support/rekey_vault.h"

/* Walks that are long enough for two processors, over a table of rows that this test
 * makes. */

enum {
    ROWS = 1000, /* each with a bucket of its own, nearly always */
    LARGE_ROWS = 40,
    LARGE = 60000,
    MANY = 700, /* in one bucket: more than there is room for at once */
    ROWS_MAX = ROWS + MANY + 20,
};

static const enum psn_table table = PSN_TABLE_TRUST;
static const char canary[] = "fv`sl5w`dl";

static struct {
    bool one_processor, no_thread;
    unsigned threads;
    atomic_bool is_aside; /* a box was opened by another thread than the test's */
    uint8_t bad[PSN_SEAL_NONCE_SIZE]; /* how the box begins that does not open */
    pthread_t tests;
} world;

int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set);
int __wrap_sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
    (void)pid;
    memset(set, 0, size);
    CPU_SET(0, set);
    if (!world.one_processor)
        CPU_SET(1, set);
    return 0;
}

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                          void *(*run)(void *), void *arg)
{
    if (world.no_thread)
        return 11; /* EAGAIN */
    world.threads++;
    return __real_pthread_create(thread, attributes, run, arg);
}

enum psn_code __real_psn_unseal(const struct psn_secret *key, const void *ad,
                                size_t ad_size, const void *box, size_t box_size,
                                struct psn_buf *plain, struct psn_error *err);
enum psn_code __wrap_psn_unseal(const struct psn_secret *key, const void *ad,
                                size_t ad_size, const void *box, size_t box_size,
                                struct psn_buf *plain, struct psn_error *err);
enum psn_code __wrap_psn_unseal(const struct psn_secret *key, const void *ad,
                                size_t ad_size, const void *box, size_t box_size,
                                struct psn_buf *plain, struct psn_error *err)
{
    if (!pthread_equal(pthread_self(), world.tests))
        world.is_aside = true;
    if (memcmp(box, world.bad, sizeof world.bad) == 0)
        return psn_fail(err, PSN_E_INTEGRITY, "no box");
    return __real_psn_unseal(key, ad, ad_size, box, box_size, plain, err);
}

static void put(struct psn_vault *vault, const char *text, size_t i, size_t size)
{
    struct psn_row_key key;
    struct psn_error err = { 0 };
    char *plain = calloc(1, size);

    assert_non_null(plain);
    (void)snprintf(plain, size, "%s %zu ", text, i);
    for (size_t j = 0; j + 1 < sizeof canary; j++)
        plain[strlen(plain)] = (char)(canary[j] ^ 0x5a);
    assert_int_equal(psn_row_key_init(vault, table, text, &key, &err), PSN_OK);
    psn_row_key_add_number(&key, i);
    assert_int_equal(
        psn_row_put(vault, table, &key, 1, vault->rows_key, plain, size, &err), PSN_OK);
    explicit_bzero(plain, size);
    free(plain);
}

static int set_up(void **state)
{
    struct rekey_fixture *f;

    assert_int_equal(psn_crypto_init(NULL), PSN_OK);
    (void)rekey_fixture_set_up(state, rekey_vault_make);
    f = *state;
    assert_int_equal(psn_vault_begin(f->vault, PSN_STORE_WRITE, NULL), PSN_OK);
    for (size_t i = 0; i < ROWS; i++) {
        char text[32];

        (void)snprintf(text, sizeof text, "row %zu", i);
        put(f->vault, text, i, i % (ROWS / LARGE_ROWS) == 0 ? LARGE : 60);
        if (i < MANY)
            put(f->vault, "many", i, 60);
    }
    assert_int_equal(psn_vault_end(f->vault, PSN_OK, NULL), PSN_OK);
    return 0;
}

static int forget(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    world.tests = pthread_self();
    return 0;
}

/* What a walk told: each row's key, revision and plaintext, one after the other. */
struct told {
    struct psn_buf text;
    uint8_t boxes[ROWS_MAX][PSN_SEAL_NONCE_SIZE]; /* how they begin */
    size_t count;
    size_t refuses_at; /* from 1; 0: never */
};

static enum psn_code keep(void *arg, const struct psn_store_row *row,
                          const struct psn_buf *plain, struct psn_error *err)
{
    struct told *told = arg;

    assert_true(told->count < ROWS_MAX && row->box.size > PSN_SEAL_NONCE_SIZE);
    memcpy(told->boxes[told->count], row->box.data, PSN_SEAL_NONCE_SIZE);
    if (++told->count == told->refuses_at)
        return psn_fail(err, PSN_E_POLICY, "enough");
    psn_buf_bytes(&told->text, row->key, row->key_size);
    psn_buf_u64(&told->text, row->revision);
    psn_buf_bytes(&told->text, plain->data, plain->size);
    return psn_buf_check(&told->text, err);
}

static enum psn_code walk(struct rekey_fixture *f, const char *kind, bool opens,
                          struct told *told, struct psn_error *err)
{
    struct psn_row_key prefix;
    enum psn_code rc = psn_vault_begin(f->vault, PSN_STORE_READ, err);

    told->text = psn_buf_init_wiped((size_t)64 * 1024 * 1024);
    told->count = 0;
    if (!rc && kind)
        rc = psn_row_key_init(f->vault, table, kind, &prefix, err);
    assert_int_equal(rc, PSN_OK);
    rc = psn_row_each(f->vault, table, kind ? &prefix : NULL,
                      opens ? f->vault->rows_key : NULL, keep, told, err);
    return psn_vault_end(f->vault, rc, err);
}

static void release(struct told *told)
{
    psn_buf_release(&told->text);
    told->refuses_at = 0;
}

static void assert_same(const struct told *a, const struct told *b)
{
    assert_int_equal(a->count, b->count);
    assert_int_equal(a->text.size, b->text.size);
    assert_memory_equal(a->text.data, b->text.data, a->text.size);
}

static void a_long_walk_tells_the_same_with_one_processor_and_with_two(void **state)
{
    static const char *const kinds[] = { NULL, "many" };
    struct rekey_fixture *f = *state;

    for (size_t i = 0; i < 2; i++) {
        static struct told alone;
        static struct told both;

        world.one_processor = true;
        assert_int_equal(walk(f, kinds[i], true, &alone, NULL), PSN_OK);
        assert_int_equal(world.threads, 0);
        assert_false(world.is_aside);
        world.one_processor = false;
        assert_int_equal(walk(f, kinds[i], true, &both, NULL), PSN_OK);
        assert_same(&alone, &both);
        assert_true(alone.count >= (i == 0 ? ROWS + MANY : MANY));
        /* Rows of one bucket are for one thread. */
        assert_int_equal(world.threads, i == 0 ? 1 : 0);
        world.threads = 0;
        world.is_aside = false;
        release(&alone);
        release(&both);
    }
}

static void a_walk_goes_on_alone_where_no_thread_can_be_begun(void **state)
{
    static struct told alone;
    static struct told both;

    world.no_thread = true;
    assert_int_equal(walk(*state, NULL, true, &alone, NULL), PSN_OK);
    world.no_thread = false;
    assert_int_equal(walk(*state, NULL, true, &both, NULL), PSN_OK);
    assert_int_equal(world.threads, 1);
    assert_same(&alone, &both);
    release(&alone);
    release(&both);
}

static void rows_that_stay_shut_need_no_thread(void **state)
{
    static struct told told;

    assert_int_equal(walk(*state, NULL, false, &told, NULL), PSN_OK);
    assert_true(told.count >= ROWS + MANY);
    assert_int_equal(world.threads, 0);
    release(&told);
}

static void a_box_that_does_not_open_ends_a_walk_behind_the_rows_before_it(void **state)
{
    static const size_t places[] = {
        1, 2, 64, 65, 66, 319, 320, 321, 322, 576, 700, ROWS
    };
    static struct told told;

    static struct told whole;

    assert_int_equal(walk(*state, NULL, true, &whole, NULL), PSN_OK);
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct psn_error err = { 0 };

        memcpy(world.bad, whole.boxes[places[i] - 1], sizeof world.bad);
        assert_int_equal(walk(*state, NULL, true, &told, &err), PSN_E_INTEGRITY);
        assert_int_equal(told.count, places[i] - 1);
        assert_non_null(strstr(err.message, "no box"));
        release(&told);
    }
    release(&whole);
}

static void a_row_that_is_refused_is_the_last_that_is_told(void **state)
{
    static const size_t places[] = {
        1, 64, 65, 66, 320, 321, 322, 700, ROWS, ROWS + MANY
    };
    static struct told told;

    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        struct psn_error err = { 0 };

        told.refuses_at = places[i];
        assert_int_equal(walk(*state, NULL, true, &told, &err), PSN_E_POLICY);
        assert_int_equal(told.count, places[i]);
        assert_string_equal(err.message, "enough");
        release(&told);
    }
}

/* Tells as keep() does, and uses the vault for its own ends. */
struct busy {
    struct told told;
    struct rekey_fixture *f;
    struct told inner;
};

static enum psn_code keep_and_read(void *arg, const struct psn_store_row *row,
                                   const struct psn_buf *plain, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_row) again = psn_store_row_init();
    struct busy *busy = arg;
    struct psn_vault *vault = busy->f->vault;
    enum psn_code rc = keep(&busy->told, row, plain, err);

    if (!rc)
        rc = psn_store_get(vault->store, table, row->key, row->key_size, &again, err);
    if (rc)
        return rc;
    assert_int_equal(again.box.size, row->box.size);
    assert_memory_equal(again.box.data, row->box.data, row->box.size);
    return busy->told.count == ROWS / 2
               ? psn_row_each(vault, table, NULL, vault->rows_key, keep, &busy->inner,
                              err)
               : PSN_OK;
}

static void who_is_told_may_read_and_walk(void **state)
{
    static struct told plain;
    static struct busy busy;
    enum psn_code rc;

    assert_int_equal(walk(*state, NULL, true, &plain, NULL), PSN_OK);
    assert_int_equal(world.threads, 1);
    busy.f = *state;
    busy.told.text = psn_buf_init_wiped(64 * 1024 * 1024);
    busy.inner.text = psn_buf_init_wiped(64 * 1024 * 1024);
    assert_int_equal(psn_vault_begin(busy.f->vault, PSN_STORE_READ, NULL), PSN_OK);
    rc = psn_row_each(busy.f->vault, table, NULL, busy.f->vault->rows_key, keep_and_read,
                      &busy, NULL);
    assert_int_equal(psn_vault_end(busy.f->vault, rc, NULL), PSN_OK);
    assert_int_equal(world.threads, 3);
    assert_same(&busy.told, &plain);
    assert_same(&busy.inner, &plain);
    release(&plain);
    release(&busy.told);
    release(&busy.inner);
}

static void a_long_walk_leaves_no_plaintext_in_memory(void **state)
{
    static struct told told;

    assert_int_equal(walk(*state, NULL, true, &told, NULL), PSN_OK);
    assert_int_equal(world.threads, 1);
    assert_true(memory_count((const unsigned char *)canary, sizeof canary - 1) >= ROWS);
    release(&told);
    assert_int_equal(memory_count((const unsigned char *)canary, sizeof canary - 1), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_long_walk_tells_the_same_with_one_processor_and_with_two,
                               forget),
        cmocka_unit_test_setup(a_walk_goes_on_alone_where_no_thread_can_be_begun, forget),
        cmocka_unit_test_setup(rows_that_stay_shut_need_no_thread, forget),
        cmocka_unit_test_setup(
            a_box_that_does_not_open_ends_a_walk_behind_the_rows_before_it, forget),
        cmocka_unit_test_setup(a_row_that_is_refused_is_the_last_that_is_told, forget),
        cmocka_unit_test_setup(who_is_told_may_read_and_walk, forget),
        cmocka_unit_test_setup(a_long_walk_leaves_no_plaintext_in_memory, forget),
    };

    return cmocka_run_group_tests(tests, set_up, rekey_fixture_tear_down);
}
