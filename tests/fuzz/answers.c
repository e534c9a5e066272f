#include "fuzz/answers.h"

#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "crypto/init.h"
#include "fuzz/target.h"

enum {
    NOW_S = 1700000000,
};

static const char root[] = "https://api.example/1.0";

struct answers answers;
static int64_t clock_ms;

static int64_t now_ms(void)
{
    return clock_ms;
}

static void sleep_ms(int64_t duration_ms)
{
    MUST(duration_ms > 0);
    clock_ms += duration_ms;
}

/* Takes the next line, or tells that there is none. */
static bool take_line(const char **ret_line, size_t *ret_size)
{
    const char *newline;

    if (answers.at == answers.end)
        return false;
    newline = memchr(answers.at, '\n', (size_t)(answers.end - answers.at));
    *ret_line = answers.at;
    *ret_size = (size_t)((newline ? newline : answers.end) - answers.at);
    answers.at = newline ? newline + 1 : answers.end;
    return true;
}

static bool answer(struct psn_http_response *response)
{
    const char *line;
    size_t size;

    if (!take_line(&line, &size) || size < 4 || !psn_text_is_digit(line[0]) ||
        !psn_text_is_digit(line[1]) || !psn_text_is_digit(line[2]) ||
        (line[3] != ' ' && line[3] != '>'))
        return false;
    response->status = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    if (line[3] == '>')
        (void)snprintf(response->cursor_next, sizeof response->cursor_next, "page-%zu",
                       answers.reads);
    psn_buf_bytes(&response->body, line + 4, size - 4);
    return psn_buf_check(&response->body, NULL) == PSN_OK;
}

static enum psn_code perform(void *self, const struct psn_http_request *request,
                             struct psn_http_response *response, struct psn_error *err)
{
    (void)self;
    psn_buf_reset(&response->body);
    response->retry_after_s = -1;
    response->cursor_next[0] = '\0';
    response->fate = PSN_HTTP_ANSWERED;
    MUST(strncmp(request->url, "https://api.example/", 20) == 0);
    if (!answers.is_time_asked && strcmp(request->url + 20, "1.0/auth/time") == 0) {
        response->status = 200;
        psn_buf_format(&response->body, "%d", NOW_S);
        return PSN_OK;
    }
    if (strcmp(request->method, "GET") == 0)
        answers.reads++;
    else
        answers.changes++;
    if (answer(response))
        return PSN_OK;
    response->fate = PSN_HTTP_NOT_SENT;
    response->final = true;
    return psn_fail(err, PSN_E_NETWORK, "no more answers");
}

struct psn_http answers_port(void)
{
    return (struct psn_http){ .perform = perform };
}

static struct psn_secret *secret(const char *text)
{
    struct psn_secret *made = NULL;

    MUST(!psn_secret_copy(text, strlen(text), &made, NULL));
    return made;
}

const struct psn_ovh_credential *answers_service_account(void)
{
    static struct psn_ovh_credential account;

    if (!account.client_id) {
        account.client_id = secret("client-id");
        account.client_secret = secret("client-secret");
    }
    return &account;
}

struct psn_ovh *answers_open(const uint8_t *bytes, size_t size)
{
    static struct psn_ovh_credential keys;
    struct psn_ovh_options options = {
        .root = root, .http = answers_port(), .clock_ms = now_ms, .sleep_ms = sleep_ms
    };
    struct psn_ovh *ovh = NULL;

    MUST(!psn_crypto_init(NULL));
    if (!keys.application_key) {
        keys.application_key = secret("app-key");
        keys.application_secret = secret("app-secret");
        keys.consumer_key = secret("consumer-key");
    }
    clock_ms = 1000000;
    answers =
        (struct answers){ .at = (const char *)bytes, .end = (const char *)bytes + size };
    MUST(!psn_ovh_open(&options, &keys, &ovh, NULL));
    return ovh;
}

void answers_close(struct psn_ovh *ovh)
{
    psn_ovh_free(ovh);
}
