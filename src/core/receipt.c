#include "core/receipt.h"

#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "core/counters.h"
#include "core/handover.h"
#include "core/issue_row.h"
#include "core/journal.h"
#include "crypto/hash.h"

enum {
    DIGITS = 10,
    GROUP = 5,
    TRIES_PER_ISSUE = 5,
    TRIES_PER_WINDOW = 20, /* without a serial, for the whole vault */
    WINDOW_S = 3600,
};

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/* The digits as a polynomial over GF(2^5) modulo x^5 + x^2 + 1, at x: every wrong digit
 * shows, and every two that changed places. */
static char check_digit(const char digits[DIGITS])
{
    enum {
        OVERFLOW_BIT = 0x20,
        MODULUS = 0x25
    };
    unsigned sum = 0;

    for (size_t i = 0; i < DIGITS; i++) {
        sum = (sum ^ (unsigned)(strchr(alphabet, digits[i]) - alphabet)) << 1;
        if (sum & OVERFLOW_BIT)
            sum ^= MODULUS;
    }
    return alphabet[sum];
}

static void format(const char digits[DIGITS], char out[PSN_RECEIPT_SIZE])
{
    memcpy(out, digits, GROUP);
    out[GROUP] = '-';
    memcpy(out + GROUP + 1, digits + GROUP, GROUP);
    out[2 * GROUP + 1] = '-';
    out[2 * GROUP + 2] = check_digit(digits);
    out[2 * GROUP + 3] = '\0';
}

void psn_receipt_new(char ret_code[PSN_RECEIPT_SIZE])
{
    uint8_t random[DIGITS];
    char digits[DIGITS];

    psn_random(random, sizeof random);
    for (size_t i = 0; i < DIGITS; i++)
        digits[i] = alphabet[random[i] & 31U];
    format(digits, ret_code);
}

/* The digit that a character stands for, or NUL. */
static char digit_of(char c)
{
    if (psn_text_is_lower(c))
        c = (char)(c - 'a' + 'A');
    if (c == 'O')
        c = '0';
    if (c == 'I' || c == 'L')
        c = '1';
    return (char)(c && strchr(alphabet, c) ? c : '\0');
}

enum psn_code psn_receipt_normalize(const char *typed, char ret_code[PSN_RECEIPT_SIZE],
                                    struct psn_error *err)
{
    char digits[DIGITS + 1] = { 0 };
    size_t count = 0;

    for (const char *at = typed; *at; at++) {
        char digit = digit_of(*at);

        if (*at == ' ' || *at == '-')
            continue;
        if (!digit || count == sizeof digits)
            return psn_fail(err, PSN_E_INVALID, _("this is no receipt code"));
        digits[count++] = digit;
    }
    if (count != sizeof digits || digits[DIGITS] != check_digit(digits)) {
        (void)psn_fail(err, PSN_E_INVALID, _("this receipt code is mistyped"));
        return psn_hint(err, PSN_E_INVALID,
                        _("it has 11 letters and digits, as in K7MQ2-9XWVT-A; ask for "
                          "it again"));
    }
    format(digits, ret_code);
    return PSN_OK;
}

/* --- checking one --- */

struct search {
    uint64_t serial; /* 0: any */
    const char *code;
    struct psn_issue_row found;
    bool known; /* an issue of that serial was seen */
};

static enum psn_code compare(void *arg, const struct psn_issue_row *row,
                             struct psn_error *err)
{
    struct search *search = arg;
    bool same = strcmp(row->receipt, search->code) == 0;

    if (search->serial ? row->serial != search->serial : !same)
        return PSN_OK;
    psn_issue_row_release(&search->found);
    search->known = psn_issue_row_copy(row, &search->found);
    return search->known ? PSN_OK : psn_fail(err, PSN_E_NOMEM, _("out of memory"));
}

static enum psn_code fail_wrong(struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_VERIFY, _("this receipt code fits no issue"));
    return psn_hint(
        err, PSN_E_VERIFY,
        _("read it again with whoever opened it: on a page it stands below 'Say that it "
          "has arrived', in an age file in the line Receipt"));
}

static enum psn_code fail_spent(struct psn_error *err, bool whole_vault)
{
    if (whole_vault) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("twenty wrong receipt codes within an hour: no more are tried"));
        return psn_hint(err, PSN_E_POLICY,
                        _("name the issue: passation receipt check SERIAL CODE"));
    }
    (void)psn_fail(err, PSN_E_POLICY,
                   _("five wrong codes were tried for this issue: it cannot be confirmed "
                     "any more"));
    return psn_hint(err, PSN_E_POLICY,
                    _("grant the role again: the new issue has a new receipt code"));
}

/* Counts a wrong try; the count is committed although the command fails. */
static enum psn_code count_wrong(struct psn_vault *vault, struct search *search,
                                 struct psn_counters *counters, bool *ret_commit,
                                 struct psn_error *err)
{
    enum psn_code rc;

    if (search->serial) {
        search->found.wrong_tries++;
        rc = psn_issue_row_write(vault, &search->found, err);
    } else {
        counters->wrong_tries++;
        rc = psn_counters_write(vault, counters, err);
    }
    *ret_commit = rc == PSN_OK;
    return rc ? rc : fail_wrong(err);
}

static enum psn_code confirm(struct psn_vault *vault, struct psn_issue_row *row,
                             struct psn_error *err)
{
    char text[32];
    enum psn_code rc;

    if (row->confirmed_s)
        return PSN_OK;
    rc = psn_handover_check_settled(vault, row, err);
    if (rc)
        return rc;
    if (row->state != PSN_ISSUE_VOID) /* it came late: void it stays */
        row->state = PSN_ISSUE_CONFIRMED;
    row->confirmed_s = vault->world.now_s();
    psn_issue_serial_text(row->serial, text);
    rc = psn_issue_row_write(vault, row, err);
    return rc ? rc
              : psn_journal_note(vault, row->client,
                                 &(struct psn_note){ .event = "issue.confirmed",
                                                     .subject = row->person,
                                                     .text = text },
                                 err);
}

static enum psn_code check(struct psn_vault *vault, struct search *search,
                           bool *ret_commit, struct psn_error *err)
{
    struct psn_counters counters;
    int64_t now_s = vault->world.now_s();
    bool right;
    enum psn_code rc = psn_counters_read(vault, &counters, err);

    if (!rc)
        rc = psn_issue_row_each(vault, NULL, compare, search, err);
    if (rc)
        return rc;
    if (now_s - counters.window_s >= WINDOW_S || now_s < counters.window_s) {
        counters.window_s = now_s;
        counters.wrong_tries = 0;
    }
    if (search->serial && !search->known)
        return psn_fail(err, PSN_E_NOT_FOUND, _("no issue has this serial"));
    right = search->known && strcmp(search->found.receipt, search->code) == 0;
    if (right && search->found.confirmed_s) /* it tells nothing that is not known */
        return PSN_OK;
    if (search->serial && search->found.wrong_tries >= TRIES_PER_ISSUE)
        return fail_spent(err, false);
    if (!search->serial && counters.wrong_tries >= TRIES_PER_WINDOW)
        return fail_spent(err, true);
    if (!right)
        return count_wrong(vault, search, &counters, ret_commit, err);
    if (search->found.wrong_tries >= TRIES_PER_ISSUE)
        return fail_spent(err, false);
    return confirm(vault, &search->found, err);
}

enum psn_code psn_receipt_check(struct psn_vault *vault, uint64_t serial,
                                const char *code, struct psn_issue *ret_issue,
                                struct psn_error *err)
{
    char normal[PSN_RECEIPT_SIZE];
    struct search search = { .serial = serial, .code = normal };
    struct psn_error verdict = { 0 };
    bool commit = false;
    enum psn_code rc = psn_receipt_normalize(code, normal, err);
    enum psn_code end;

    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    if (rc)
        return rc;
    rc = check(vault, &search, &commit, &verdict);
    end = psn_vault_end(vault, commit ? PSN_OK : rc, err);
    /* A wrong try that could not be counted gets no answer. */
    if (rc && (!commit || !end) && err)
        *err = verdict;
    if (!rc && !end) {
        *ret_issue = psn_issue_view(&search.found);
        ret_issue->addresses = NULL;
        ret_issue->address_count = 0;
    }
    psn_issue_row_release(&search.found);
    return end ? end : rc;
}
