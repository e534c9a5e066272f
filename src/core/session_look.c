/* What OVH says of a mailbox before anything is changed: where it is, and the rules. */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "core/client.h"
#include "core/counters.h"
#include "core/drift.h"
#include "core/handover.h"
#include "core/journal.h"
#include "core/rotation.h"

enum {
    DAY_S = 24 * 3600
};

static enum psn_code mailbox_of(const struct psn_role_row *row,
                                struct psn_mailbox *ret_mailbox, struct psn_error *err)
{
    enum psn_code rc = psn_mailbox_parse(row->address, ret_mailbox, err);

    if (!rc) {
        ret_mailbox->backend = row->backend;
        ret_mailbox->place = row->place;
    }
    return rc;
}

/* The oldest goes when there is no room. */
static void push_platform(struct psn_role_row *row, const char *name, int64_t now_s)
{
    struct psn_role_platform *last;

    if (row->platform_count == PSN_ROLE_PLATFORMS_MAX) {
        memmove(row->platforms, row->platforms + 1,
                (PSN_ROLE_PLATFORMS_MAX - 1) * sizeof *row->platforms);
        row->platform_count--;
    }
    last = &row->platforms[row->platform_count++];
    (void)snprintf(last->name, sizeof last->name, "%s", name);
    last->until_s = now_s;
}

/* What was found goes into the row. A platform that was another before is history. */
static void take(struct psn_role_row *row, const struct psn_mailbox *mailbox,
                 const struct psn_password_rules *rules, int64_t now_s)
{
    char before[PSN_PLATFORM_NAME_MAX];
    char now[PSN_PLATFORM_NAME_MAX];

    psn_platform_name(row->backend, &row->place, before);
    psn_platform_name(mailbox->backend, &mailbox->place, now);
    if (row->backend != PSN_BACKEND_NONE && row->revision > 0 &&
        strcmp(before, now) != 0) {
        push_platform(row, before, now_s);
        (void)snprintf(row->look.moved_from, sizeof row->look.moved_from, "%s", before);
    }
    row->backend = mailbox->backend;
    row->place = mailbox->place;
    row->lockout = rules->lockout;
    row->lockout_window_s = rules->lockout_window_s;
    row->look.rules = *rules;
    row->look.done = true;
}

static enum psn_code fail_look(const struct psn_role_row *row, enum psn_code rc,
                               struct psn_error *err)
{
    rc = psn_wrap(err, rc, "%s", row->address);
    if (rc == PSN_E_NETWORK)
        (void)psn_hint(err, rc, _("run the command again in a few minutes"));
    return rc;
}

enum psn_code psn_session_detect(struct psn_session *session, struct psn_role_row *row,
                                 bool *ret_exists, struct psn_error *err)
{
    struct psn_account *account;
    struct psn_mailbox mailbox;
    struct psn_mailbox_info info;
    struct psn_password_rules rules;
    enum psn_code rc = psn_session_connect(session, row->client, &account, err);

    psn_session_progress(session, row->address, _("asking OVH"), 0);
    if (!rc)
        rc = mailbox_of(row, &mailbox, err);
    if (rc)
        return rc;
    rc = psn_directory_find(account->directory, &mailbox, &info, &rules, err);
    if (rc)
        return fail_look(row, rc, err);
    *ret_exists = info.exists;
    row->look.password_changed_s = info.password_changed_s;
    if (info.exists)
        take(row, &mailbox, &rules, session->vault->world.now_s());
    return PSN_OK;
}

enum psn_code psn_session_place(struct psn_session *session, struct psn_role_row *row,
                                struct psn_error *err)
{
    const char *name = session->run->backend;
    enum psn_backend wanted = name ? psn_backend_parse(name) : PSN_BACKEND_NONE;
    struct psn_account *account;
    struct psn_mailbox mailbox;
    struct psn_password_rules rules;
    enum psn_code rc = psn_session_connect(session, row->client, &account, err);

    if (!rc && name && wanted == PSN_BACKEND_NONE)
        rc = psn_fail(err, PSN_E_INVALID, _("'%s' is no mail service of OVH"), name);
    if (!rc)
        rc = mailbox_of(row, &mailbox, err);
    if (rc)
        return rc;
    mailbox.backend = PSN_BACKEND_NONE;
    rc = psn_directory_place(account->directory, wanted, &mailbox, &rules, err);
    if (!rc)
        rc = psn_mailbox_check_name(&mailbox, err);
    if (rc)
        return fail_look(row, rc, err);
    row->backend = PSN_BACKEND_NONE; /* a first place, or one that never came to be */
    take(row, &mailbox, &rules, session->vault->world.now_s());
    return PSN_OK;
}

static enum psn_code write_platform(struct psn_vault *vault, struct psn_role_row *row,
                                    struct psn_error *err)
{
    char now[PSN_PLATFORM_NAME_MAX];
    char text[2 * PSN_PLATFORM_NAME_MAX + 8];
    enum psn_code rc;

    row->moved_s = 0;
    rc = psn_role_write(vault, row, err);
    psn_platform_name(row->backend, &row->place, now);
    (void)snprintf(text, sizeof text, "%s -> %s", row->look.moved_from, now);
    return rc ? rc
              : psn_journal_note(vault, row->client,
                                 &(struct psn_note){ .event = "platform.changed",
                                                     .subject = row->address,
                                                     .version = row->rotation.cur,
                                                     .text = text },
                                 err);
}

enum psn_code psn_session_note_platform(struct psn_session *session,
                                        struct psn_role_row *row, struct psn_error *err)
{
    struct psn_vault *vault = session->vault;
    struct psn_role_row before = *row;
    enum psn_code rc;

    if (!row->look.moved_from[0] || row->revision == 0)
        return PSN_OK;
    rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    if (!rc)
        rc = psn_vault_end(vault, write_platform(vault, row, err), err);
    if (rc)
        *row = before;
    else
        row->look.moved_from[0] = '\0';
    return rc;
}

enum psn_code psn_session_may_change(const struct psn_session *session,
                                     const struct psn_role_row *row,
                                     struct psn_error *err)
{
    const struct psn_password_rules *rules = &row->look.rules;
    int64_t changed_s =
        row->look.password_changed_s ? row->look.password_changed_s : row->changed_s;
    char from[PSN_TIME_SIZE];

    enum psn_code rc =
        psn_handover_check_ours(session->vault, row->client, row->address, err);

    if (rc || !row->look.done)
        return rc;
    if (rules->lockout == 1) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("%s: its service locks a mailbox at the first refused login, so "
                         "that no password can be proved without that risk"),
                       row->address);
        return psn_hint(err, PSN_E_POLICY,
                        _("allow at least two in the security policy of the service, in "
                          "the OVH control panel"));
    }
    if (rules->min_age_s == 0 || changed_s == 0 ||
        changed_s + rules->min_age_s <= session->vault->world.now_s())
        return PSN_OK;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("%s: its service allows no new password before %s (minimum age: "
                     "%lld days)"),
                   row->address, psn_clock_format(changed_s + rules->min_age_s, from),
                   (long long)(rules->min_age_s / DAY_S));
    return psn_hint(err, PSN_E_POLICY,
                    _("change it then, or lower the minimum age in the security policy "
                      "of the service, in the OVH control panel"));
}

enum psn_code psn_session_look_for_drift(struct psn_session *session,
                                         struct psn_role_row *row,
                                         struct psn_outcome *outcome,
                                         struct psn_error *err)
{
    struct psn_account *account;
    bool exists = false;

    /* Where OVH tells no date, only a refusal is worth a look: is it there at all? */
    if ((!psn_backend_tells_dates(row->backend) && outcome->verified) ||
        psn_session_account(session, row->client, &account, NULL) ||
        !account->client.linked || psn_session_detect(session, row, &exists, NULL))
        return PSN_OK;
    psn_drift_set_gone(row, !exists, session->vault->world.now_s());
    if (!exists)
        return PSN_OK;
    outcome->ovh_changed_s = row->look.password_changed_s;
    outcome->drifted = psn_role_has_drifted(row, row->look.password_changed_s);
    return psn_session_note_platform(session, row, err);
}

enum psn_code psn_session_policy(struct psn_vault *vault, const struct psn_client *client,
                                 const struct psn_role_row *row,
                                 struct psn_rotation_policy *ret_policy,
                                 struct psn_error *err)
{
    struct psn_rotation_policy policy = psn_rotation_policy_default();
    enum psn_code rc;

    policy.settle_s = client->limits.settle_s;
    policy.login_cache_s = client->limits.login_cache_s;
    policy.failed_logins_max = client->limits.failed_logins;
    policy.failed_logins_window_s = client->limits.failed_logins_window_s;
    if (row->lockout > 1 && policy.failed_logins_max > row->lockout - 1)
        policy.failed_logins_max = row->lockout - 1;
    if (row->lockout > 0 && policy.failed_logins_window_s < row->lockout_window_s)
        policy.failed_logins_window_s = row->lockout_window_s;
    if (row->lockout == 1)
        policy.failed_logins_max = 1;
    rc = psn_vault_begin(vault, PSN_STORE_READ, err);
    if (!rc)
        rc = psn_vault_end(vault, psn_versions_spent(vault, &policy.spent, err), err);
    *ret_policy = policy;
    return rc;
}
