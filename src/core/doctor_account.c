#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/i18n.h"
#include "core/client.h"
#include "core/doctor.h"
#include "core/journal.h"
#include "core/linking.h"
#include "core/rights.h"
#include "ovh/call.h"

/*
 * The keys for OVH: what the vault says of them, and, unless that is left out, what OVH
 * says: whose they are, what they may do, until when. OVH is only read.
 */
enum {
    CLOCK_SLACK_S =
        60, /* a request may be that slow, and more is a clock that is wrong */
    IDS_MAX = 4 * 1024 * 1024,
    RULES_TEXT_MAX = 8 * 1024,
};

/* One client's account under examination. */
struct account {
    struct psn_vault *vault;
    const struct psn_doctor_options *options;
    struct psn_client client;
    struct psn_ovh *ovh;
    int64_t now_s;
    int64_t expires_s; /* of the key: as the vault has it, or OVH; 0: never */
};

static void skip(const struct account *account, const struct psn_error *why)
{
    psn_doctor_skip(account->options, PSN_DOCTOR_OVH, account->client.id, why->code,
                    why->message);
}

/* A finding about the key, with the page where its owner makes another by hand. */
static void tell_key(const struct account *account, enum psn_doctor_code code,
                     const char *detail, int64_t time_s, size_t number)
{
    PSN_AUTO_RELEASE(psn_buf) page = psn_buf_init(1);
    bool has_page =
        psn_rights_page(&account->client, PSN_KEY_WORK, &page, NULL) == PSN_OK;

    PSN_DOCTOR_TELL(account->options, .code = code, .client = account->client.id,
                    .subject = account->client.nic, .detail = detail,
                    .page = has_page ? psn_buf_str(&page) : NULL, .time_s = time_s,
                    .number = (int64_t)number);
}

/* --- the clock --- */

static void compare_clock(const struct psn_doctor_options *options,
                          struct psn_vault *vault, int64_t ovh_s, const char *host)
{
    int64_t ahead_s = vault->world.now_s() - ovh_s;

    if (ahead_s > CLOCK_SLACK_S || ahead_s < -CLOCK_SLACK_S)
        PSN_DOCTOR_TELL(options, .code = PSN_DOCTOR_CLOCK_OFF, .subject = host,
                        .number = ahead_s);
}

void psn_doctor_clock(struct psn_vault *vault, const struct psn_doctor_options *options)
{
    PSN_AUTO(psn_ovh) *ovh = NULL;
    struct psn_client nobody = psn_client_init();
    struct psn_ovh_credential none = { 0 };
    struct psn_error why = { 0 };
    int64_t time_s = 0;
    enum psn_code rc;

    if (options->offline) {
        psn_doctor_skip(options, PSN_DOCTOR_OVH, NULL, PSN_OK, _("left out (--offline)"));
        return;
    }
    rc = psn_client_open_account(vault, &nobody, &none, &ovh, &why);
    if (!rc)
        rc = psn_ovh_time(ovh, &time_s, &why);
    if (!rc)
        compare_clock(options, vault, time_s, nobody.endpoint);
    else if (ovh && psn_ovh_is_untrusted(ovh))
        PSN_DOCTOR_TELL(options, .code = PSN_DOCTOR_TLS, .detail = why.message);
    else
        psn_doctor_skip(options, PSN_DOCTOR_OVH, NULL, rc, why.message);
    psn_client_release(&nobody);
}

/* --- what OVH says --- */

static void tell_refusal(struct account *account, struct psn_error *why)
{
    enum psn_ovh_reason reason = psn_ovh_last_reason(account->ovh);

    if (reason == PSN_OVH_REASON_NO_RULE)
        tell_key(account, PSN_DOCTOR_RULES_MISSING, "GET /me", 0, 1);
    else if (reason == PSN_OVH_REASON_KEY_EXPIRED)
        account->expires_s = account->client.key_expires_s; /* told with the dates */
    else
        tell_key(account, PSN_DOCTOR_KEY_REFUSED, why->message, 0, 0);
}

/* False after a failure, which was told. */
static bool is_answered(struct account *account, enum psn_code rc, struct psn_error *why)
{
    if (rc == PSN_OK)
        return true;
    if (psn_ovh_is_untrusted(account->ovh))
        PSN_DOCTOR_TELL(account->options, .code = PSN_DOCTOR_TLS,
                        .client = account->client.id, .detail = why->message);
    else if (rc == PSN_E_REFUSED)
        tell_refusal(account, why);
    else
        skip(account, why);
    return false;
}

/* A mailbox of the account's own domain: whoever reads it resets the account's password,
 * and when the mail fails, nobody can. */
static void check_mail(const struct account *account, const char *email)
{
    const char *at = strrchr(email, '@');

    for (size_t i = 0; at && i < account->client.domain_count; i++)
        if (strcasecmp(at + 1, account->client.domains[i]) == 0)
            PSN_DOCTOR_TELL(account->options, .code = PSN_DOCTOR_ACCOUNT_MAIL,
                            .client = account->client.id, .subject = email,
                            .detail = account->client.nic);
}

static void check_owner(const struct account *account, const char *nic)
{
    if (strcasecmp(nic, account->client.nic) != 0)
        tell_key(account, PSN_DOCTOR_KEY_ACCOUNT, nic, 0, 0);
}

static void tell_missing(const struct account *account, const struct psn_link *link)
{
    PSN_AUTO_RELEASE(psn_buf) rules = psn_buf_init(RULES_TEXT_MAX);

    for (size_t i = 0; i < link->missing && i < PSN_LINK_MISSING_MAX; i++)
        psn_buf_format(&rules, "%s%s", i ? ", " : "", link->missing_rules[i]);
    tell_key(account, PSN_DOCTOR_RULES_MISSING,
             rules.failed ? link->missing_rules[0] : psn_buf_str(&rules), 0,
             link->missing);
}

struct acceptance {
    const char *rule;
    bool holds;
};

/* Of the last key that was linked for the daily work. */
static enum psn_code note_link(void *arg, const struct psn_journal_entry *entry,
                               struct psn_error *err)
{
    struct acceptance *acceptance = arg;

    (void)err;
    if (entry->label[0])
        return PSN_OK;
    if (strcmp(entry->event, PSN_EVENT_LINKED) == 0)
        acceptance->holds = false;
    else if (strcmp(entry->event, PSN_EVENT_LINKED_WIDE) == 0)
        acceptance->holds = strcmp(entry->text, acceptance->rule) == 0;
    return PSN_OK;
}

/* --accept-wide was given for this very rule, and that is in the journal. */
static bool is_accepted(const struct account *account, const struct psn_link *link)
{
    struct acceptance acceptance = { link->wide_rule, false };

    return psn_journal_each(account->vault, account->client.id, 0, note_link, &acceptance,
                            NULL) == PSN_OK &&
           acceptance.holds;
}

/* Of a service account nobody can read what it may do. */
static void check_rules(struct account *account)
{
    PSN_AUTO_FREE struct psn_ovh_key_info *info = calloc(1, sizeof *info);
    PSN_AUTO_FREE struct psn_link *link = calloc(1, sizeof *link);
    psn_backend_set backends = 0;
    struct psn_error why = { 0 };
    enum psn_code rc =
        info && link
            ? psn_linking_backends(account->vault, account->client.id, &backends, &why)
            : psn_fail(&why, PSN_E_NOMEM, _("out of memory"));

    if (!rc)
        rc = psn_ovh_key_info(account->ovh, info, &why);
    if (!is_answered(account, rc, &why))
        return;
    assert(info && link);
    account->expires_s = info->expires_s;
    psn_rights_judge(&account->client, PSN_KEY_WORK, backends, info, link);
    if (link->missing > 0)
        tell_missing(account, link);
    if (link->wide && !is_accepted(account, link))
        tell_key(account, PSN_DOCTOR_KEY_WIDE, link->wide_rule, 0, info->rule_count);
}

static void ask_account(struct account *account)
{
    struct psn_ovh_account me;
    struct psn_ovh_details details;
    struct psn_error why = { 0 };
    int64_t time_s = 0;
    enum psn_code rc = psn_ovh_time(account->ovh, &time_s, &why);

    if (!rc)
        compare_clock(account->options, account->vault, time_s, account->client.endpoint);
    if (!is_answered(account, rc, &why))
        return;
    if (account->client.keys.is_account) {
        rc = psn_ovh_details(account->ovh, &details, &why);
        if (!is_answered(account, rc, &why))
            return;
        check_owner(account, details.nic);
    }
    rc = psn_ovh_me(account->ovh, &me, &why);
    if (!is_answered(account, rc, &why))
        return;
    check_owner(account, me.nic);
    check_mail(account, me.email);
    if (!account->client.keys.is_account)
        check_rules(account);
}

/* --- what the vault says --- */

static void check_dates(const struct account *account)
{
    int64_t asked_s = account->client.keys.asked_s[PSN_KEY_WORK];

    if (!account->client.linked && !asked_s)
        PSN_DOCTOR_TELL(account->options, .code = PSN_DOCTOR_CLIENT_UNLINKED,
                        .client = account->client.id);
    if (asked_s)
        PSN_DOCTOR_TELL(account->options, .code = PSN_DOCTOR_KEY_WAITING,
                        .client = account->client.id, .time_s = asked_s);
    if (!account->client.linked || account->expires_s == 0)
        return;
    if (account->expires_s <= account->now_s)
        tell_key(account, PSN_DOCTOR_KEY_EXPIRED, NULL, account->expires_s, 0);
    else if (account->expires_s - account->now_s < PSN_KEY_SOON_S)
        tell_key(account, PSN_DOCTOR_KEY_EXPIRING, NULL, account->expires_s, 0);
}

static void look_at_account(struct account *account)
{
    struct psn_error why = { 0 };

    account->expires_s = account->client.key_expires_s;
    if (account->client.linked && !account->options->offline) {
        if (psn_client_connect(account->vault, &account->client, &account->ovh, &why))
            skip(account, &why);
        else
            ask_account(account);
    }
    check_dates(account);
    psn_ovh_free(PSN_TAKE(account->ovh));
}

/* --- all of them --- */

static enum psn_code collect(void *arg, const struct psn_client *client,
                             struct psn_error *err)
{
    struct psn_buf *ids = arg;

    psn_buf_bytes(ids, client->id, strlen(client->id) + 1);
    return psn_buf_check(ids, err);
}

static enum psn_code tell_known(void *arg, const char *client, struct psn_error *err)
{
    const struct psn_doctor_options *options = arg;

    (void)err;
    PSN_DOCTOR_TELL(options, .code = PSN_DOCTOR_KEY_KNOWN, .client = client);
    return PSN_OK;
}

static void look_at_client(struct psn_vault *vault,
                           const struct psn_doctor_options *options, const char *id)
{
    struct account account = { .vault = vault,
                               .options = options,
                               .client = psn_client_init(),
                               .now_s = vault->world.now_s() };
    struct psn_error why = { 0 };

    if (psn_client_get(vault, id, &account.client, &why))
        psn_doctor_skip(options, PSN_DOCTOR_ACCOUNTS, id, why.code, why.message);
    else
        look_at_account(&account);
    psn_client_release(&account.client);
}

void psn_doctor_accounts(struct psn_vault *vault,
                         const struct psn_doctor_options *options)
{
    PSN_AUTO_RELEASE(psn_buf) ids = psn_buf_init(IDS_MAX);
    struct psn_error why = { 0 };
    struct psn_doctor_options known = *options; /* the walk takes no const */
    enum psn_code rc = psn_client_each(vault, collect, &ids, &why);

    if (!rc)
        rc = psn_due_credential_each(vault, tell_known, &known, &why);
    if (rc)
        psn_doctor_skip(options, PSN_DOCTOR_ACCOUNTS, NULL, rc, why.message);
    if (options->offline)
        psn_doctor_skip(options, PSN_DOCTOR_OVH, NULL, PSN_OK, _("left out (--offline)"));
    for (size_t i = 0; i < ids.size;) {
        const char *id = (const char *)ids.data + i;

        i += strlen(id) + 1;
        if (options->stop && options->stop(options->arg)) {
            psn_doctor_skip(options, PSN_DOCTOR_OVH, id, PSN_E_ABORTED,
                            _("it was stopped"));
            return;
        }
        look_at_client(vault, options, id);
    }
}
