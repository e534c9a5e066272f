#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/until.h"
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

/* A day that is taken exists: the clocks show it, one second before midnight. A moment
 * comes back as it was written. */
static void check_dates(const char *text)
{
    struct tm local;
    char again[PSN_TIME_SIZE];
    int64_t time_s;
    int64_t second_s;
    int year;
    int month;
    int day;

    if (psn_clock_parse_date(text, &year, &month, &day)) {
        MUST(year >= 0 && year <= 9999 && month >= 1 && month <= 12 && day >= 1 &&
             day <= 31);
        if (cli_until_parse(text, NULL, &time_s, NULL) == PSN_OK) {
            cli_until_local(time_s, &local);
            MUST(local.tm_year + 1900 == year && local.tm_mon + 1 == month &&
                 local.tm_mday == day);
        }
    }
    if (psn_clock_parse(text, &time_s) && time_s >= 0 && time_s < INT64_C(253402300800)) {
        (void)psn_clock_format(time_s, again);
        MUST(psn_clock_parse(again, &second_s) && second_s == time_s);
    }
}

/* Addresses, dates, durations, numbers, endpoints and globs, as typed. */
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
    check_dates(text);
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
