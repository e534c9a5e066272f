#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "fuzz/target.h"
#include "ovh/credential.h"
#include "ovh/mailbox.h"

/* An address that is taken is in its normal form, and stays itself. */
static void check_address(const char *text)
{
    struct psn_mailbox mailbox;
    struct psn_mailbox again;
    char whole[sizeof mailbox.local + sizeof mailbox.domain];

    if (psn_mailbox_parse(text, &mailbox, NULL))
        return;
    (void)snprintf(whole, sizeof whole, "%s@%s", mailbox.local, mailbox.domain);
    MUST(strcasecmp(whole, text) == 0);
    MUST(psn_mailbox_parse(whole, &again, NULL) == PSN_OK);
    MUST(strcmp(mailbox.local, again.local) == 0 &&
         strcmp(mailbox.domain, again.domain) == 0);
}

/* Addresses, durations, numbers, endpoints and globs, as typed. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char *text = malloc(size + 1);
    char root[256];
    uint64_t number;
    int64_t seconds;
    bool is_ovh;

    MUST(text);
    if (size)
        memcpy(text, bytes, size);
    text[size] = '\0';
    check_address(text);
    if (psn_text_parse_duration(text, 1000, &seconds))
        MUST(seconds >= 0 && seconds <= 1000);
    if (psn_text_parse_u64(text, 77, &number))
        MUST(number <= 77);
    if (psn_ovh_endpoint_root(text, root, sizeof root, &is_ovh, NULL) == PSN_OK)
        MUST(strncmp(root, "https://", 8) == 0);
    if (size < 64 && !strpbrk(text, "*?"))
        MUST(psn_text_glob(text, text));
    free(text);
    return 0;
}
