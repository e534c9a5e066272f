#include <stdarg.h>
#include <string.h>

#include "base/text.h"
#include "crypto/base64.h"
#include "crypto/init.h"
#include "crypto/secret.h"
#include "fuzz/target.h"
#include "net/curl.h"
#include "net/imap.h"

/*
 * A whole login, from the greeting on, with what a server says as the input. The linker
 * puts the two functions below in the place of libcurl's loader; the lines are read by
 * the real code (net/tls_line.c).
 *
 * The first byte chooses the password. Each line arrives by itself, unless the next one
 * begins with '&', which is taken away: then both came at once.
 *
 * A verdict is only what is said after the password was sent, and that happens once.
 */
static const char *at;
static const char *end;
static const struct psn_secret *password;
static const char *sent_at; /* where the server was when it got the password */
static size_t sent_count;

static const char user[] = "contact@acme.example";

static bool holds_password(const char *bytes, size_t size)
{
    char plain[64] = "";
    char base64[128];
    size_t plain_size = 1 + sizeof user;

    memcpy(plain + 1, user, sizeof user);
    memcpy(plain + plain_size, psn_secret_bytes(password), psn_secret_size(password));
    plain_size += psn_secret_size(password);
    (void)psn_base64_encode(PSN_BASE64, plain, plain_size, base64);
    return memmem(bytes, size, base64, strlen(base64)) ||
           memmem(bytes, size, psn_secret_bytes(password), psn_secret_size(password));
}

static CURLcode fake_send(CURL *handle, const void *bytes, size_t size, size_t *ret_sent)
{
    (void)handle;
    if (holds_password(bytes, size)) {
        sent_at = at;
        sent_count++;
    }
    *ret_sent = size;
    return CURLE_OK;
}

static CURLcode fake_recv(CURL *handle, void *bytes, size_t size, size_t *ret_received)
{
    char *out = bytes;
    size_t count = 0;

    (void)handle;
    while (at < end && count < size) {
        char c = *at++;

        out[count++] = c;
        if (c == '\n' && (at == end || *at != '&'))
            break;
        if (c == '\n')
            at++;
    }
    *ret_received = count;
    return CURLE_OK;
}

static CURL *fake_init(void)
{
    return &at;
}

static void fake_cleanup(CURL *handle)
{
    (void)handle;
}

static CURLcode fake_setopt(CURL *handle, CURLoption option, ...)
{
    (void)handle;
    (void)option;
    return CURLE_OK;
}

static CURLcode fake_getinfo(CURL *handle, CURLINFO info, ...)
{
    va_list list;

    (void)handle;
    va_start(list, info);
    *va_arg(list, curl_socket_t *) = 0;
    va_end(list);
    return CURLE_OK;
}

static CURLcode fake_perform(CURL *handle)
{
    (void)handle;
    return CURLE_OK;
}

enum psn_code __wrap_psn_curl_load(const struct psn_curl **ret_curl,
                                   struct psn_error *err);
enum psn_code __wrap_psn_curl_secure(const struct psn_curl *curl, CURL *handle,
                                     const char *url, const char *ca_file,
                                     int64_t timeout_ms, struct psn_error *err);

enum psn_code __wrap_psn_curl_load(const struct psn_curl **ret_curl,
                                   struct psn_error *err)
{
    static const struct psn_curl fake = { .easy_init = fake_init,
                                          .easy_cleanup = fake_cleanup,
                                          .setopt = fake_setopt,
                                          .getinfo = fake_getinfo,
                                          .perform = fake_perform,
                                          .send = fake_send,
                                          .recv = fake_recv };

    (void)err;
    *ret_curl = &fake;
    return PSN_OK;
}

enum psn_code __wrap_psn_curl_secure(const struct psn_curl *curl, CURL *handle,
                                     const char *url, const char *ca_file,
                                     int64_t timeout_ms, struct psn_error *err)
{
    (void)curl;
    (void)handle;
    (void)ca_file;
    (void)timeout_ms;
    (void)err;
    MUST(strcmp(url, "https://imap.example:993/") == 0);
    return PSN_OK;
}

/* Is there a line that begins so, in any case of letters? */
static bool has_line(const char *from, const char *start)
{
    size_t size = strlen(start);

    for (const char *line = from; line && (size_t)(end - line) >= size;) {
        line += *line == '&';
        if ((size_t)(end - line) >= size && strncasecmp(line, start, size) == 0)
            return true;
        line = memchr(line, '\n', (size_t)(end - line));
        line = line ? line + 1 : NULL;
    }
    return false;
}

static struct psn_secret *secret(const char *text)
{
    struct psn_secret *made = NULL;

    MUST(!psn_crypto_init(NULL));
    MUST(!psn_secret_copy(text, strlen(text), &made, NULL));
    return made;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static struct psn_secret *passwords[2];
    struct psn_imap_server server = { .url = "imaps://imap.example" };
    struct psn_imap imap = psn_imap_real();
    struct psn_error err = { 0 };
    enum psn_login verdict;

    if (size == 0)
        return 0;
    if (!passwords[0]) {
        passwords[0] = secret("AbCd2-EfGh3-JkMn4-PqRs5");
        passwords[1] = secret("mot-de-passe-accentu\xc3\xa9"); /* goes as a literal */
    }
    at = (const char *)bytes + 1;
    end = (const char *)bytes + size;
    password = passwords[bytes[0] & 1];
    sent_at = NULL;
    sent_count = 0;
    verdict = imap.login(imap.self, &server, user, password, &err);
    MUST(sent_count <= 1);
    MUST(verdict == PSN_LOGIN_NO_ANSWER || sent_at);
    MUST(verdict != PSN_LOGIN_ACCEPTED || has_line(sent_at, "a2 OK"));
    MUST(verdict != PSN_LOGIN_REFUSED || has_line(sent_at, "a2 NO"));
    MUST((verdict == PSN_LOGIN_NO_ANSWER) == (err.code != PSN_OK));
    MUST(psn_text_is_plain(err.message, strlen(err.message)));
    return 0;
}
