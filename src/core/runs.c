#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "base/text.h"
#include "core/bulk.h"
#include "core/drift.h"
#include "core/journal.h"
#include "core/version.h"

/*
 * The commands on mailboxes that the vault knows: each selects its rows, looks before it
 * acts, and drives the rotation machine (core/rotation.c) for many at once (core/bulk.c).
 */

/* --- which mailboxes --- */

struct found {
    char address[PSN_ADDRESS_TEXT_MAX];
    char client[PSN_CLIENT_ID_MAX];
};

struct selection {
    bool (*wanted)(const struct psn_role_row *row); /* NULL: all */
    struct found *items;
    size_t count;
    bool hit; /* by any, wanted or not */
};

static enum psn_code collect(void *arg, const struct psn_role_row *row,
                             struct psn_error *err)
{
    struct selection *found = arg;
    struct found *item;
    enum psn_code rc;

    found->hit = true;
    if (found->wanted && !found->wanted(row))
        return PSN_OK;
    rc = PSN_GROW(found->items, found->count, err);
    if (rc)
        return rc;
    item = &found->items[found->count++];
    memcpy(item->address, row->address, sizeof item->address);
    memcpy(item->client, row->client, sizeof item->client);
    return PSN_OK;
}

static int compare(const void *a, const void *b)
{
    return psn_role_order(((const struct found *)a)->address,
                          ((const struct found *)b)->address);
}

/* A mistyped glob changes as little as a mistyped address. All there is may be nothing.
 */
static enum psn_code check_hit(const struct selection *found, const char *glob,
                               struct psn_error *err)
{
    char shown[PSN_ADDRESS_TEXT_MAX];

    if (found->hit || strcmp(glob, "*") == 0)
        return PSN_OK;
    return psn_fail(err, PSN_E_NOT_FOUND, _("no role of the vault fits '%s'"),
                    psn_text_shown(glob, shown, sizeof shown));
}

/* Those of one glob, sorted; of all globs (NULL) every one. */
static enum psn_code select_one(struct psn_vault *vault, const char *const *glob,
                                bool (*wanted)(const struct psn_role_row *row),
                                bool *ret_known, struct psn_queue *queue,
                                struct psn_error *err)
{
    struct selection found = { .wanted = wanted };
    enum psn_code rc = psn_role_scan(vault, glob, glob ? 1 : 0, collect, &found, err);

    if (!rc && glob)
        rc = check_hit(&found, *glob, err);
    if (found.count > 1)
        qsort(found.items, found.count, sizeof *found.items, compare);
    for (size_t i = 0; !rc && i < found.count; i++)
        rc = psn_queue_add(queue, found.items[i].address, found.items[i].client,
                           ret_known, err);
    free(found.items);
    return rc;
}

/* The mailboxes that the globs name, in input order: glob by glob, each one's sorted. */
static enum psn_code select_rows(struct psn_vault *vault, const char *const *globs,
                                 size_t count,
                                 bool (*wanted)(const struct psn_role_row *row),
                                 struct psn_queue *queue, struct psn_error *err)
{
    size_t rounds = count ? count : 1;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < rounds; i++) {
        bool known;

        rc = select_one(vault, count ? globs + i : NULL, wanted, i ? &known : NULL, queue,
                        err);
    }
    return psn_vault_end(vault, rc, err);
}

struct command {
    const char *name; /* what the operation lock says */
    bool (*wanted)(const struct psn_role_row *row);
    psn_bulk_each_fn *each;
    psn_bulk_each_fn *prove;
};

static enum psn_code run_selected(struct psn_vault *vault, const struct command *command,
                                  const char *const *globs, size_t count,
                                  const struct psn_run *run, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_queue) queue = { 0 };
    struct psn_session session;
    struct psn_bulk bulk = { .session = &session,
                             .queue = &queue,
                             .each = command->each,
                             .prove = command->prove };
    enum psn_code rc = psn_session_open(vault, command->name, run, &session, err);

    if (rc)
        return rc;
    rc = select_rows(vault, globs, count, command->wanted, &queue, err);
    if (!rc)
        rc = psn_bulk_run(&bulk, err);
    psn_session_close(&session);
    return rc;
}

/* --- rotate --- */

enum psn_code psn_fail_absent(const struct psn_role_row *row, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("%s does not exist at OVH"), row->address);
    return psn_hint(
        err, PSN_E_NOT_FOUND,
        _("see what is there: passation ovh inventory %s; create it: passation role "
          "add %s"),
        row->client, row->address);
}

enum psn_code psn_rotate_one(struct psn_session *session, struct psn_role_row *row,
                             struct psn_outcome *outcome, struct psn_error *err)
{
    bool exists = false;
    enum psn_code rc = psn_session_detect(session, row, &exists, &outcome->error);
    enum psn_code noted;

    if (!rc && !exists)
        rc = psn_fail_absent(row, &outcome->error);
    noted = psn_session_note_platform(session, row, err);
    if (noted)
        return noted;
    if (!rc && row->rotation.phase == PSN_ROTATION_STABLE)
        rc = psn_session_may_change(session, row, &outcome->error);
    if (rc && row->rotation.phase == PSN_ROTATION_STABLE)
        psn_outcome_fail(outcome, rc);
    else
        psn_rotation_drive(session, row, PSN_ROTATION_EV_START, outcome);
    return PSN_OK;
}

/* Asks whether the old password is refused; how it was changed is known already. */
static enum psn_code prove_one(struct psn_session *session, struct psn_role_row *row,
                               struct psn_outcome *outcome, struct psn_error *err)
{
    (void)err;
    psn_rotation_drive(session, row, PSN_ROTATION_EV_RESUME, outcome);
    return PSN_OK;
}

enum psn_code psn_rotate(struct psn_vault *vault, const char *const *globs, size_t count,
                         const struct psn_run *run, struct psn_error *err)
{
    static const struct command command = { .name = "rotate",
                                            .each = psn_rotate_one,
                                            .prove = prove_one };

    return run_selected(vault, &command, globs, count, run, err);
}

static enum psn_code plan_one(struct psn_session *session, struct psn_role_row *row,
                              struct psn_outcome *outcome, struct psn_error *err)
{
    bool exists = false;
    enum psn_code rc = psn_session_detect(session, row, &exists, &outcome->error);

    (void)err;
    if (!rc && !exists)
        rc = psn_fail_absent(row, &outcome->error);
    if (!rc && row->rotation.phase == PSN_ROTATION_STABLE)
        rc = psn_session_may_change(session, row, &outcome->error);
    if (rc)
        psn_outcome_fail(outcome, rc);
    return PSN_OK;
}

enum psn_code psn_rotate_plan(struct psn_vault *vault, const char *const *globs,
                              size_t count, const struct psn_run *run,
                              struct psn_error *err)
{
    static const struct command command = { .name = "rotate --dry-run",
                                            .each = plan_one };

    return run_selected(vault, &command, globs, count, run, err);
}

/* --- resume --- */

static bool has_work(const struct psn_role_row *row)
{
    return row->rotation.phase != PSN_ROTATION_STABLE ||
           psn_rotation_old_due(&row->rotation);
}

/* It may fail here: the machine looks by itself before it acts. That the mailbox is gone
 * it cannot see, but by a send; it is written with the next state. */
static void look_again(struct psn_session *session, struct psn_role_row *row)
{
    bool exists = false;

    if (psn_session_detect(session, row, &exists, NULL) == PSN_OK)
        psn_drift_set_gone(row, !exists, session->vault->world.now_s());
}

static enum psn_code resume_one(struct psn_session *session, struct psn_role_row *row,
                                struct psn_outcome *outcome, struct psn_error *err)
{
    enum psn_code rc;

    if (row->rotation.phase != PSN_ROTATION_STABLE)
        look_again(session, row);
    rc = psn_session_note_platform(session, row, err);
    if (rc)
        return rc;
    psn_rotation_drive(session, row, PSN_ROTATION_EV_RESUME, outcome);
    return PSN_OK;
}

enum psn_code psn_resume(struct psn_vault *vault, const char *const *globs, size_t count,
                         const struct psn_run *run, struct psn_error *err)
{
    static const struct command command = { .name = "resume",
                                            .wanted = has_work,
                                            .each = resume_one };

    return run_selected(vault, &command, globs, count, run, err);
}

static enum psn_code abandon_row(struct psn_session *session, const char *address,
                                 struct psn_error *err)
{
    struct psn_role_row row;
    struct psn_outcome outcome;
    enum psn_code rc = psn_vault_begin(session->vault, PSN_STORE_READ, err);

    if (!rc)
        rc = psn_vault_end(session->vault,
                           psn_role_read(session->vault, address, &row, err), err);
    if (rc)
        return rc;
    if (row.rotation.phase == PSN_ROTATION_STABLE)
        return psn_fail(err, PSN_E_POLICY, _("%s: nothing is under way"), address);
    outcome = psn_outcome_of(&row);
    psn_rotation_drive(session, &row, PSN_ROTATION_EV_ABANDON, &outcome);
    if (row.rotation.phase == PSN_ROTATION_STABLE && !outcome.error.code)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("%s: the new password may have been sent, so it cannot be given up"),
                   address);
    return psn_hint(err, PSN_E_POLICY, _("finish it: passation resume %s"), address);
}

enum psn_code psn_abandon(struct psn_vault *vault, const char *address,
                          struct psn_error *err)
{
    static const struct psn_run silent = { 0 };
    struct psn_session session;
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_role_normalize(address, normal, err);

    if (!rc)
        rc = psn_session_open(vault, "resume --abandon", &silent, &session, err);
    if (rc)
        return rc;
    rc = abandon_row(&session, normal, err);
    psn_session_close(&session);
    return rc;
}

/* --- verify --- */

static enum psn_code write_verified(struct psn_vault *vault, struct psn_role_row *row,
                                    const struct psn_outcome *outcome,
                                    struct psn_error *err)
{
    bool accepted = outcome->verified;
    int64_t now_s = vault->world.now_s();
    enum psn_code rc;

    if (accepted)
        row->verified_s = now_s;
    else
        psn_rotation_note_refused(&row->rotation, now_s);
    psn_drift_set(&row->outside_s, !accepted || outcome->drifted, now_s);
    if (accepted)
        row->gone_s = row->moved_s = 0;
    rc = psn_role_write(vault, row, err);
    return rc ? rc
              : psn_journal_note(vault, row->client,
                                 &(struct psn_note){ .event = accepted ? "login.accepted"
                                                                       : "login.refused",
                                                     .subject = row->address,
                                                     .version = row->rotation.cur },
                                 err);
}

static enum psn_code read_current(struct psn_vault *vault, const struct psn_role_row *row,
                                  struct psn_secret **ret_value, struct psn_error *err)
{
    struct psn_version version;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    return psn_vault_end(vault,
                         psn_version_get(vault, row->client, row->address, "",
                                         row->rotation.cur, &version, ret_value, err),
                         err);
}

/* Logins that were refused under a clock that was ahead: nobody knows when that was, so
 * the brake counts from now on, and ends. */
static enum psn_code mend_times(struct psn_vault *vault, struct psn_role_row *row,
                                struct psn_error *err)
{
    enum psn_code rc;

    if (!psn_rotation_mend_times(&row->rotation, vault->world.now_s()))
        return PSN_OK;
    rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    return rc ? rc : psn_vault_end(vault, psn_role_write(vault, row, err), err);
}

/* Is there a password to try, and may it be tried now? */
static enum psn_code may_verify(struct psn_session *session, struct psn_role_row *row,
                                struct psn_error *err)
{
    struct psn_account *account;
    struct psn_rotation_policy policy;
    int64_t delay_s;
    enum psn_code rc = psn_session_account(session, row->client, &account, err);

    if (rc)
        return rc;
    if (row->rotation.cur == 0) {
        (void)psn_fail(err, PSN_E_UNFINISHED, _("%s: no password is proved yet"),
                       row->address);
        return psn_hint(err, PSN_E_UNFINISHED, _("go on with: passation resume %s"),
                        row->address);
    }
    rc = mend_times(session->vault, row, err);
    if (!rc)
        rc = psn_session_policy(session->vault, &account->client, row, &policy, err);
    if (rc)
        return rc;
    delay_s = psn_rotation_login_delay_s(&row->rotation, policy.failed_logins_max,
                                         policy.failed_logins_window_s,
                                         session->vault->world.now_s());
    if (delay_s == 0)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_NETWORK, _("%s: too many refused logins lately"),
                   row->address);
    return psn_hint(
        err, PSN_E_NETWORK,
        _("try again in %lld s, so that the mail server does not lock the mailbox"),
        (long long)delay_s);
}

static void explain_refused(const struct psn_role_row *row,
                            const struct psn_outcome *outcome, struct psn_error *err)
{
    char when[PSN_TIME_SIZE];

    if (outcome->drifted)
        (void)psn_fail(
            err, PSN_E_VERIFY,
            _("%s: the mail server refuses the current password; OVH says that "
              "it was changed on %s, after ours"),
            row->address, psn_clock_format(outcome->ovh_changed_s, when));
    else
        (void)psn_fail(err, PSN_E_VERIFY,
                       _("%s: the mail server refuses the current password"),
                       row->address);
    (void)psn_hint(
        err, PSN_E_VERIFY,
        _("it was changed outside, or the server is not up to date yet; set a new one: "
          "passation rotate %s; or, if you are told what it is: passation role adopt %s "
          "--secret-fd N"),
        row->address, row->address);
}

static enum psn_code verify_one(struct psn_session *session, struct psn_role_row *row,
                                struct psn_outcome *outcome, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *password = NULL;
    struct psn_vault *vault = session->vault;
    enum psn_login login;
    enum psn_code rc = may_verify(session, row, &outcome->error);

    outcome->result = PSN_RESULT_UNKNOWN;
    if (rc)
        return PSN_OK;
    rc = read_current(vault, row, &password, err);
    if (rc)
        return rc;
    psn_session_progress(session, row->address, _("logging in"), 0);
    login = psn_session_login(
        session, row, &(struct psn_login_try){ .password = password }, &outcome->error);
    if (login == PSN_LOGIN_NO_ANSWER) {
        (void)psn_wrap(&outcome->error, PSN_E_NETWORK, "%s", row->address);
        return PSN_OK;
    }
    psn_error_clear(&outcome->error);
    outcome->verified = login == PSN_LOGIN_ACCEPTED;
    rc = psn_session_look_for_drift(session, row, outcome, err);
    if (rc)
        return rc;
    outcome->result = outcome->verified ? PSN_RESULT_ACCEPTED : PSN_RESULT_REFUSED;
    if (!outcome->verified)
        explain_refused(row, outcome, &outcome->error);
    rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    return rc ? rc : psn_vault_end(vault, write_verified(vault, row, outcome, err), err);
}

enum psn_code psn_verify(struct psn_vault *vault, const char *const *globs, size_t count,
                         const struct psn_run *run, struct psn_error *err)
{
    static const struct command command = { .name = "verify", .each = verify_one };

    return run_selected(vault, &command, globs, count, run, err);
}
