/*
 * Makes every allocation and secret page fail in turn, once and from then on, while
 * entries are written as KDBX, read back, written for Bitwarden and read from it, and
 * settings for mail programs. Link with
 * -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=strdup,--wrap=sodium_malloc
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "crypto/init.h"
#include "crypto/secret.h"
#include "interop/kdbx.h"
#include "passation/profile.h"
#include "support/foreign_text.h"
#include "support/record.h"

/* The fault: the call that fails (0: none), and whether all later ones do. */
static size_t fail_at;
static bool fail_on;
static size_t calls;

void *__real_malloc(size_t size);
void *__real_calloc(size_t number, size_t size);
void *__real_realloc(void *memory, size_t size);
char *__real_strdup(const char *text);
void *__real_sodium_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t number, size_t size);
void *__wrap_realloc(void *memory, size_t size);
char *__wrap_strdup(const char *text);
void *__wrap_sodium_malloc(size_t size);

static bool fails(void)
{
    calls++;
    return fail_at && (calls == fail_at || (fail_on && calls > fail_at));
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

void *__wrap_sodium_malloc(size_t size)
{
    return fails() ? NULL : __real_sodium_malloc(size);
}

/* Larger than the pools of secrets: each of these takes pages of its own. */
enum {
    LONG_SIZE = 5000
};

static struct psn_entry entries[3];
static const struct psn_entry_field field = { "IMAP", "imap.mail.ovh.net" };
static struct psn_secret *passwords[3];
static struct psn_secret *passphrase;
static struct psn_buf file;

static int set_up(void **state)
{
    static uint8_t bytes[LONG_SIZE];

    (void)state;
    file = psn_buf_init(PSN_KDBX_FILE_MAX);
    memset(bytes, 'x', sizeof bytes);
    if (psn_crypto_init(NULL) ||
        psn_secret_copy(bytes, sizeof bytes, &passwords[0], NULL) ||
        psn_secret_copy("JBSWY3DPEHPK3PXP", 16, &passwords[1], NULL) ||
        psn_secret_copy("\0\xff", 2, &passwords[2], NULL) ||
        psn_secret_copy("abaisser-bijou", 14, &passphrase, NULL))
        return -1;
    entries[0] = (struct psn_entry){ .group = "a@b.fr",
                                     .title = "a@b.fr",
                                     .password = passwords[0],
                                     .fields = &field,
                                     .field_count = 1,
                                     .id = { 1 } };
    entries[1] =
        (struct psn_entry){ .type = "totp", .password = passwords[1], .id = { 2 } };
    entries[2] = (struct psn_entry){ .password = passwords[2], .id = { 3 } };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (size_t i = 0; i < 3; i++)
        psn_secret_free(passwords[i]);
    psn_secret_free(passphrase);
    psn_buf_release(&file);
    return 0;
}

/* The scenarios -------------------------------------------------------------------- */

/* As psn_kdbx_write() does, but with a derivation that takes no time. */
static enum psn_code write_kdbx(struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) content = psn_buf_init_wiped(PSN_KDBX_FILE_MAX);
    PSN_AUTO(psn_secret) *key = NULL;
    struct psn_kdbx_head head = { .cost = { 1, 8192 } };
    enum psn_code rc = psn_kdbx_content_write("Martin", entries, 3, &content, err);

    psn_buf_reset(&file);
    if (!rc)
        rc = psn_kdbx_key(&head, passphrase, &key, err);
    return rc ? rc : psn_kdbx_seal(&head, key, &content, &file, err);
}

static enum psn_code verify_kdbx(struct psn_error *err)
{
    return psn_kdbx_verify(file.data, file.size, passphrase, entries, 3, err);
}

static enum psn_code write_bitwarden(struct psn_error *err)
{
    struct psn_secret *json = NULL;
    enum psn_code rc = psn_bitwarden_write(entries, 3, &json, err);

    assert_true(rc ? !json : json != NULL);
    psn_secret_free(json);
    return rc;
}

/* An item whose folder was lost on the way is none that was read. */
static enum psn_code read_bitwarden(struct psn_error *err)
{
    static const char text[] =
        "{\"folders\":[{\"id\":\"f\",\"name\":\"F\"}],\"items\":[{\"folderId\":"
        "\"f\",\"type\":1,\"name\":\"S\",\"login\":{\"password\":\"p\"}}]}";
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(1024);
    enum psn_code rc =
        foreign_read(FOREIGN_JSON, text, sizeof text - 1, NULL, 0, &out, err);

    if (!rc)
        assert_string_equal(psn_buf_str(&out), "g=F;t=S;p=p;k=login;\n");
    return rc;
}

static enum psn_code write_profiles(struct psn_error *err)
{
    const struct psn_profile profile = { .address = "a@b.fr",
                                         .imap = { "imap.mail.ovh.net", 993, "SSL/TLS" },
                                         .smtp = { "smtp.mail.ovh.net", 465,
                                                   "SSL/TLS" } };
    PSN_AUTO_FREE char *apple = NULL;
    PSN_AUTO_FREE char *thunderbird = NULL;
    enum psn_code rc = psn_profile_apple(&profile, &apple, err);

    return rc ? rc : psn_profile_autoconfig(&profile, &thunderbird, err);
}

/* The sweep ------------------------------------------------------------------------ */

static size_t sweep(enum psn_code (*scenario)(struct psn_error *err), bool from_then_on)
{
    for (size_t n = 1;; n++) {
        struct psn_error err = { 0 };
        enum psn_code rc;

        calls = 0;
        fail_at = n;
        fail_on = from_then_on;
        rc = scenario(&err);
        fail_at = 0;
        if (calls < n) {
            assert_int_equal(rc, PSN_OK);
            return n - 1;
        }
        assert_int_equal(rc, PSN_E_NOMEM);
        assert_int_equal(err.code, rc);
    }
}

static void sweep_at_least(size_t floor, enum psn_code (*scenario)(struct psn_error *err),
                           bool sticky)
{
    size_t tried = sweep(scenario, sticky);

    record_figure("5.4", "entries", tried, tried);
    assert_true(tried > floor);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    for (int sticky = 0; sticky < 2; sticky++) {
        sweep_at_least(20, write_kdbx, sticky);
        assert_int_equal(write_kdbx(NULL), PSN_OK);
        sweep_at_least(20, verify_kdbx, sticky);
        sweep_at_least(5, write_bitwarden, sticky);
        sweep_at_least(3, read_bitwarden, sticky);
        sweep_at_least(3, write_profiles, sticky);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
