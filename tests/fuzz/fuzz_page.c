#include <string.h>

#include "age/lists.h"
#include "base/file.h"
#include "base/stream.h"
#include "core/opened.h"
#include "crypto/init.h"
#include "fuzz/target.h"

/*
 * A file that somebody sent: a page or an age file, and, behind a line "====", the
 * signature beside it. The linker puts __wrap_psn_file_read() in the place of the file
 * system.
 *
 * A reader who takes the page apart with sed and age, as docs/issue-format.md says, sees
 * the same text, if he sees one.
 */
static const char identity_text[] =
    "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX\n";
static const char beside_line[] = "\n====\n";

static const uint8_t *page;
static size_t page_size;
static const uint8_t *beside; /* NULL: there is none */
static size_t beside_size;

enum psn_code __real_psn_file_read(const char *path, struct psn_buf *buf,
                                   struct psn_error *err);
enum psn_code __wrap_psn_file_read(const char *path, struct psn_buf *buf,
                                   struct psn_error *err);

enum psn_code __wrap_psn_file_read(const char *path, struct psn_buf *buf,
                                   struct psn_error *err)
{
    if (strncmp(path, "issue.html", 10) != 0)
        return __real_psn_file_read(path, buf, err); /* of the target's own main */
    psn_buf_reset(buf);
    if (strcmp(path, "issue.html") == 0) {
        psn_buf_bytes(buf, page, page_size);
        return psn_buf_check(buf, err);
    }
    MUST(strcmp(path, "issue.html.sig") == 0);
    if (!beside)
        return psn_fail(err, PSN_E_NOT_FOUND, "there is none");
    psn_buf_bytes(buf, beside, beside_size);
    return psn_buf_check(buf, err);
}

static enum psn_code agree(void *arg, const char *fingerprint, const char *name,
                           struct psn_error *err)
{
    (void)arg;
    (void)name;
    (void)err;
    MUST(strncmp(fingerprint, "SHA256:", 7) == 0);
    return PSN_OK;
}

static const struct psn_secret *identity(void)
{
    static struct psn_secret *made;

    MUST(!psn_crypto_init(NULL));
    MUST(made || !psn_secret_copy(identity_text, sizeof identity_text - 1, &made, NULL));
    return made;
}

/* sed -n '/^-----BEGIN AGE/,/^-----END AGE/p' */
static void take_apart(struct psn_buf *out)
{
    static const char begin[] = "-----BEGIN AGE";
    static const char finish[] = "-----END AGE";
    const uint8_t *end = page + page_size;
    bool inside = false;

    for (const uint8_t *line = page; line < end;) {
        const uint8_t *newline = memchr(line, '\n', (size_t)(end - line));
        size_t size = (size_t)((newline ? newline + 1 : end) - line);
        const char *mark = inside ? finish : begin;
        bool marked = size >= strlen(mark) && memcmp(line, mark, strlen(mark)) == 0;

        if (inside || marked)
            psn_buf_bytes(out, line, size);
        inside = marked ? !inside : inside;
        line += size;
    }
}

static void compare(const struct psn_opened *opened)
{
    PSN_AUTO_RELEASE(psn_buf) armor = psn_buf_init(1 << 20);
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init_wiped(1 << 20);
    PSN_AUTO(psn_age_identities) *keys = NULL;
    struct psn_sink sink = psn_sink_buf(&text);
    struct psn_stream_memory memory;
    struct psn_source source = psn_source_memory(&memory);

    take_apart(&armor);
    MUST(!psn_age_identities_new(&keys, NULL));
    MUST(!psn_age_identities_add(keys, identity(), NULL));
    memory = (struct psn_stream_memory){ armor.data, armor.size, 0 };
    if (psn_age_decrypt(keys, NULL, &source, &sink, NULL, NULL))
        return;
    MUST(text.size == psn_secret_size(opened->text));
    MUST(memcmp(text.data, psn_secret_bytes(opened->text), text.size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct psn_open_request request = { .path = "issue.html",
                                        .identity = identity(),
                                        .confirm = agree };
    const uint8_t *cut = memmem(bytes, size, beside_line, sizeof beside_line - 1);
    struct psn_opened *opened = NULL;
    struct psn_error err = { 0 };
    enum psn_code rc;

    page = bytes;
    page_size = cut ? (size_t)(cut - bytes) + 1 : size;
    beside = cut ? cut + sizeof beside_line - 1 : NULL;
    beside_size = cut ? (size_t)(bytes + size - beside) : 0;
    rc = psn_open(NULL, &request, &opened, &err);
    MUST(rc == err.code && !rc == !!opened);
    if (!rc) {
        MUST(psn_opened_head(opened)->outer_checked == !!beside);
        if (page_size && page[0] == '<')
            compare(opened);
    }
    psn_opened_free(opened);
    return 0;
}
