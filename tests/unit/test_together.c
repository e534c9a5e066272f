#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "base/loop.h"
#include "core/together.h"

/* Transactions of several fibers, over a vault that only counts. */

enum {
    WRITERS_MAX = 40,
};

static struct {
    unsigned begun, committed, rolled_back;
    bool commit_fails, begin_fails;
} vault;

enum psn_code __wrap_psn_vault_begin(struct psn_vault *self, enum psn_store_mode mode,
                                     struct psn_error *err);
enum psn_code __wrap_psn_vault_begin(struct psn_vault *self, enum psn_store_mode mode,
                                     struct psn_error *err)
{
    (void)self;
    assert_int_equal(mode, PSN_STORE_WRITE);
    vault.begun++;
    if (vault.begin_fails)
        return psn_fail(err, PSN_E_BUSY, "busy");
    psn_loop_hold();
    return PSN_OK;
}

enum psn_code __wrap_psn_vault_end(struct psn_vault *self, enum psn_code rc,
                                   struct psn_error *err);
enum psn_code __wrap_psn_vault_end(struct psn_vault *self, enum psn_code rc,
                                   struct psn_error *err)
{
    (void)self;
    psn_loop_release();
    if (!rc && vault.commit_fails)
        rc = psn_fail(err, PSN_E_FULL, "no commit");
    *(rc ? &vault.rolled_back : &vault.committed) += 1;
    return rc;
}

struct writer {
    bool cannot;
    bool is_silent; /* and does not say why */
    unsigned written, undone;
    enum psn_code rc;
    enum psn_code told;
};

static struct {
    struct writer writers[WRITERS_MAX];
    size_t count, begun;
    struct psn_together together;
} stage;

static enum psn_code write_one(void *arg, struct psn_error *err)
{
    struct writer *writer = arg;

    writer->written++;
    if (writer->is_silent)
        return PSN_E_NOT_FOUND;
    return writer->cannot ? psn_fail(err, PSN_E_INVALID, "cannot") : PSN_OK;
}

static void undo_one(void *arg)
{
    ((struct writer *)arg)->undone++;
}

static enum psn_code work(void *arg, void *task, struct psn_error *err)
{
    struct writer *writer = task;
    struct psn_together_part part = { .write = write_one, .undo = undo_one, .arg = task };
    struct psn_error why = { 0 };

    (void)arg;
    (void)err;
    writer->rc = psn_together_write(&stage.together, NULL, &part, &why);
    writer->told = why.code;
    return PSN_OK;
}

static enum psn_loop_next next(void *arg, void **ret_task)
{
    (void)arg;
    if (stage.begun == stage.count)
        return PSN_LOOP_NONE;
    *ret_task = &stage.writers[stage.begun++];
    return PSN_LOOP_TASK;
}

static void run(size_t count)
{
    struct psn_loop_work all = {
        .fibers = count, .calls = 1, .next = next, .each = work
    };

    stage.count = count;
    assert_int_equal(psn_loop_run(&all, NULL), PSN_OK);
}

static int set_up(void **state)
{
    (void)state;
    memset(&vault, 0, sizeof vault);
    memset(&stage, 0, sizeof stage);
    return 0;
}

static void those_that_are_ready_are_one_transaction(void **state)
{
    (void)state;
    run(WRITERS_MAX);
    assert_int_equal(vault.begun, 1);
    assert_int_equal(vault.committed, 1);
    for (size_t i = 0; i < WRITERS_MAX; i++) {
        assert_int_equal(stage.writers[i].rc, PSN_OK);
        assert_int_equal(stage.writers[i].written, 1);
        assert_int_equal(stage.writers[i].undone, 0);
    }
}

static void one_that_cannot_be_written_takes_no_other_with_it(void **state)
{
    (void)state;
    stage.writers[2].cannot = true;
    run(5);
    assert_int_equal(vault.committed, 4);
    assert_int_equal(vault.rolled_back, 2);
    for (size_t i = 0; i < 5; i++) {
        const struct writer *writer = &stage.writers[i];

        assert_int_equal(writer->rc, i == 2 ? PSN_E_INVALID : PSN_OK);
        assert_int_equal(writer->told, writer->rc);
        /* What was rolled back was undone: of what is there, each has been written once.
         */
        assert_int_equal(writer->written - writer->undone, i == 2 ? 0 : 1);
    }
}

static void one_that_fails_without_a_word_is_not_told_that_it_is_written(void **state)
{
    (void)state;
    for (size_t count = 1; count <= 3; count++) {
        (void)set_up(NULL);
        stage.writers[0].is_silent = true;
        run(count);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(stage.writers[i].rc, i == 0 ? PSN_E_NOT_FOUND : PSN_OK);
        assert_int_equal(vault.committed, count - 1);
    }
}

static void a_commit_that_fails_is_not_tried_again(void **state)
{
    (void)state;
    vault.commit_fails = true;
    run(5);
    assert_int_equal(vault.begun, 1);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(stage.writers[i].rc, PSN_E_FULL);
        assert_int_equal(stage.writers[i].told, PSN_E_FULL);
        assert_int_equal(stage.writers[i].undone, 1);
    }
}

static void where_none_can_begin_each_is_told(void **state)
{
    (void)state;
    vault.begin_fails = true;
    run(3);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(stage.writers[i].rc, PSN_E_BUSY);
        assert_int_equal(stage.writers[i].written, 0);
        assert_int_equal(stage.writers[i].undone, 0);
    }
}

static void outside_of_a_loop_each_is_alone(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(work(NULL, &stage.writers[i], NULL), PSN_OK);
    assert_int_equal(vault.committed, 3);
    vault.commit_fails = true;
    assert_int_equal(work(NULL, &stage.writers[3], NULL), PSN_OK);
    assert_int_equal(stage.writers[3].rc, PSN_E_FULL);
    assert_int_equal(stage.writers[3].undone, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(those_that_are_ready_are_one_transaction, set_up),
        cmocka_unit_test_setup(one_that_cannot_be_written_takes_no_other_with_it, set_up),
        cmocka_unit_test_setup(
            one_that_fails_without_a_word_is_not_told_that_it_is_written, set_up),
        cmocka_unit_test_setup(a_commit_that_fails_is_not_tried_again, set_up),
        cmocka_unit_test_setup(where_none_can_begin_each_is_told, set_up),
        cmocka_unit_test_setup(outside_of_a_loop_each_is_alone, set_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
