/*
 * Makes every allocation of a destruction fail in turn, once and from then on. Each
 * failure is told as E_NOMEM, or is none; the vault is wholly the old one or wholly the
 * new one, as it was told, and opens.
 * Link with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,
 * --wrap=strndup,--wrap=sodium_malloc
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/destroy_vault.h"
#include "support/record.h"
#include "support/store_fixture.h"

enum {
    STEP = 7, /* PSN_CRASH_ALL=1: every allocation */
};

/* The allocation that fails (0: none), and whether all later ones do. */
static size_t fail_at;
static bool fail_on;
static size_t allocations;

void *__real_malloc(size_t size);
void *__real_calloc(size_t number, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__real_sodium_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t number, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);
void *__wrap_sodium_malloc(size_t size);

static bool fails(void)
{
    if (!fail_at)
        return false;
    allocations++;
    return allocations == fail_at || (fail_on && allocations > fail_at);
}

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t number, size_t size)
{
    return fails() ? NULL : __real_calloc(number, size);
}

void *__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t size)
{
    return fails() ? NULL : __real_strndup(text, size);
}

void *__wrap_sodium_malloc(size_t size)
{
    return fails() ? NULL : __real_sodium_malloc(size);
}

static void check_after(struct rekey_vault *at, const struct psn_destruction *facts)
{
    PSN_AUTO(psn_vault) *vault = rekey_vault_open(at, REKEY_MINE);

    assert_non_null(vault);
    assert_int_equal(destroy_vault_has_martin(vault), !facts->is_done);
    assert_int_equal(destroy_vault_verify(vault), 0);
    if (!facts->is_done)
        assert_int_equal(rekey_vault_verify(vault), 0);
}

/* Returns whether there was such an allocation. */
static bool try_once(const struct tmpdir *template, const struct rekey_vault *keys,
                     size_t n, bool sticky)
{
    struct rekey_vault at = *keys;
    struct psn_destruction facts = { 0 };
    struct psn_vault *vault;
    struct tmpdir dir;
    char from[TMPDIR_PATH_MAX];
    char to[TMPDIR_PATH_MAX];
    enum psn_code rc;
    bool fired;

    tmpdir_make(&dir);
    store_fixture_copy_file(tmpdir_path(template, "vault.db", from),
                            tmpdir_path(&dir, "vault.db", to));
    (void)snprintf(at.path, sizeof at.path, "%s", to);
    store_fixture_copy_file(tmpdir_path(template, "vault.db-wal", from),
                            tmpdir_path(&dir, "vault.db-wal", to));
    (void)snprintf(at.state, sizeof at.state, "%s/state", dir.path);
    at.options = (struct psn_vault_options){ .path = at.path, .state_dir = at.state };
    vault = rekey_vault_open(&at, REKEY_MINE);
    assert_non_null(vault);
    allocations = 0;
    fail_on = sticky;
    fail_at = n;
    rc = destroy_vault_destroy(&at, vault, &facts);
    fired = allocations >= n;
    fail_at = 0;
    /* Without memory for its name it is not sure that nothing lies beside the draft. */
    if (rc && rc != PSN_E_NOMEM && (rc != PSN_E_IO || facts.is_done))
        print_message("allocation %zu: %d: %s\n", n, (int)rc, at.err.message);
    assert_true(rc == PSN_OK || rc == PSN_E_NOMEM || (rc == PSN_E_IO && !facts.is_done));
    assert_int_equal(rc, at.err.code);
    assert_true(rc || facts.is_done);
    psn_vault_free(vault);
    check_after(&at, &facts);
    tmpdir_remove(&dir);
    return fired;
}

static void a_destruction_survives_a_lack_of_memory(void **state)
{
    size_t step = getenv("PSN_CRASH_ALL") ? 1 : STEP;
    struct rekey_vault keys;
    struct tmpdir template;
    size_t tried = 0;

    (void)state;
    tmpdir_make(&template);
    rekey_vault_init(&keys, template.path);
    destroy_vault_make(&keys);
    for (int sticky = 0; sticky < 2; sticky++)
        for (size_t n = 1 + (size_t)sticky; try_once(&template, &keys, n, sticky);
             n += step)
            tried++;
    print_message("destruction: %zu allocations failed\n", tried);
    record_figure("5.4", "destruction", tried, tried);
    assert_true(tried > 50);
    rekey_vault_release(&keys);
    tmpdir_remove(&template);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_destruction_survives_a_lack_of_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
