#include <string.h>

#include "base/text.h"
#include "fuzz/target.h"
#include "ovh/answer.h"
#include "ovh/json.h"

static void read_members(const uint8_t *bytes, size_t size)
{
    PSN_AUTO_JSON *value = NULL;
    char text[64];
    int64_t number;
    bool flag;

    if (psn_json_parse(bytes, size, &value, NULL))
        return;
    if (psn_json_text(value, "domain", text, sizeof text, NULL) == PSN_OK)
        MUST(strlen(text) < sizeof text);
    (void)!psn_json_int(value, "id", &number, NULL);
    (void)!psn_json_bool(value, "isBlocked", &flag, NULL);
    (void)!psn_json_time_or_0(value, "creation", &number, NULL);
    (void)!psn_json_expect_array(value, NULL);
}

/* An answer of OVH, its status in the first two bytes: only 2xx is done, whatever the
 * body says; OVH's words come out plain; what is reported has a code. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct psn_http_response response = { .retry_after_s = -1 };
    struct psn_ovh_verdict verdict;
    struct psn_error err = { 0 };

    if (size < 2)
        return 0;
    response.status = (bytes[0] << 8 | bytes[1]) % 1000;
    response.body = psn_buf_init((size_t)1024 * 1024);
    psn_buf_bytes(&response.body, bytes + 2, size - 2);
    verdict = psn_ovh_judge(&response, NULL);
    MUST((verdict.outcome == PSN_OVH_DONE) ==
         (response.status >= 200 && response.status < 300));
    MUST(psn_text_is_plain(verdict.text, strlen(verdict.text)));
    if (verdict.outcome != PSN_OVH_DONE) {
        MUST(psn_ovh_report(&verdict, "host", "GET", "/me", &err) == err.code);
        MUST(err.code && psn_text_is_plain(err.message, strlen(err.message)));
    }
    read_members(bytes + 2, size - 2);
    psn_buf_release(&response.body);
    return 0;
}
