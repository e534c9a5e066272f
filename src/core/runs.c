#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "core/client.h"
#include "core/journal.h"
#include "core/rotation.h"
#include "core/version.h"

/*
 * The commands on mailboxes at OVH: each picks its rows, looks before it acts, drives the
 * rotation machine (core/rotation.c) mailbox by mailbox, and reports each as it ends.
 */
struct row_list {
    struct psn_role_row *items;
    size_t count;
    size_t capacity;
};

struct tally {
    enum psn_code first; /* of the first failure, in input order */
    struct psn_error error;
    bool unfinished;
};

static enum psn_code append(struct row_list *list, const struct psn_role_row *row,
                            struct psn_error *err)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity ? 2 * list->capacity : 8;
        struct psn_role_row *grown = realloc(list->items, capacity * sizeof *grown);

        if (!grown)
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        list->items = grown;
        list->capacity = capacity;
    }
    list->items[list->count++] = *row;
    return PSN_OK;
}

static enum psn_code collect(void *arg, const struct psn_role_row *row,
                             struct psn_error *err)
{
    return append(arg, row, err);
}

static int compare_rows(const void *a, const void *b)
{
    const char *left = ((const struct psn_role_row *)a)->address;
    const char *right = ((const struct psn_role_row *)b)->address;
    int order = strcmp(strchr(left, '@'), strchr(right, '@'));

    return order ? order : strcmp(left, right);
}

/* The rows that the globs name, in input order: glob by glob, each one's rows sorted. */
static enum psn_code select_rows(struct psn_vault *vault, const char *const *globs,
                                 size_t count, struct row_list *list,
                                 struct psn_error *err)
{
    size_t rounds = count ? count : 1;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < rounds; i++) {
        struct row_list found = { 0 };

        rc = psn_role_scan(vault, globs + i, count ? 1 : 0, collect, &found, err);
        if (found.count > 1)
            qsort(found.items, found.count, sizeof *found.items, compare_rows);
        for (size_t j = 0; !rc && j < found.count; j++) {
            bool known = false;

            for (size_t k = 0; k < list->count && !known; k++)
                known = strcmp(list->items[k].address, found.items[j].address) == 0;
            if (!known)
                rc = append(list, &found.items[j], err);
        }
        free(found.items);
    }
    return psn_vault_end(vault, rc, err);
}

static struct psn_outcome new_outcome(const struct psn_role_row *row)
{
    struct psn_outcome outcome = { .result = PSN_RESULT_UNCHANGED,
                                   .version = row->rotation.cur,
                                   .old_dead =
                                       (enum psn_tristate)row->rotation.old_dead };

    (void)snprintf(outcome.address, sizeof outcome.address, "%s", row->address);
    return outcome;
}

static enum psn_code report(struct psn_session *session, struct tally *tally,
                            const struct psn_outcome *outcome, struct psn_error *err)
{
    if (outcome->error.code && !tally->first) {
        tally->first = outcome->error.code;
        tally->error = outcome->error;
    }
    if (outcome->result == PSN_RESULT_UNCERTAIN)
        tally->unfinished = true;
    return session->run->done ? session->run->done(session->run->arg, outcome, err)
                              : PSN_OK;
}

/* The run's own result: unfinished work first, else the first failure. */
static enum psn_code sum_up(const struct psn_session *session, const struct tally *tally,
                            struct psn_error *err)
{
    if (tally->unfinished || psn_session_stopped(session)) {
        (void)psn_fail(err, PSN_E_UNFINISHED, _("some mailboxes are not finished"));
        return psn_hint(err, PSN_E_UNFINISHED,
                        _("nothing is lost; go on with: passation resume"));
    }
    if (tally->first && err)
        *err = tally->error;
    return tally->first;
}

static void fail_outcome(struct psn_outcome *outcome, enum psn_code rc)
{
    outcome->result = PSN_RESULT_FAILED;
    if (!outcome->error.code)
        outcome->error.code = rc;
}

typedef enum psn_code row_fn(struct psn_session *session, struct psn_role_row *row,
                             struct psn_outcome *outcome, struct psn_error *err);

/* Goes through the rows. A row's own failure is in its outcome; what `each` returns
 * stops. */
static enum psn_code go_through(struct psn_session *session, struct row_list *list,
                                row_fn *each, struct psn_error *err)
{
    struct tally tally = { 0 };
    enum psn_code rc = PSN_OK;

    session->count = list->count;
    for (size_t i = 0; !rc && i < list->count && !psn_session_stopped(session); i++) {
        struct psn_outcome outcome = new_outcome(&list->items[i]);

        session->index = i;
        rc = each(session, &list->items[i], &outcome, err);
        if (!rc)
            rc = report(session, &tally, &outcome, err);
    }
    return rc ? rc : sum_up(session, &tally, err);
}

/* --- create and adopt --- */

/* The client of the address's domain, and that the role is not there yet (or was never in
 * force, so that it may be tried again). */
static enum psn_code new_row(struct psn_vault *vault, const char *address, bool create,
                             struct psn_role_row *row, struct psn_error *err)
{
    struct psn_mailbox mailbox;
    struct psn_error cause = { 0 };
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_role_normalize(address, normal, err);

    if (!rc)
        rc = psn_mailbox_parse(normal, &mailbox, err);
    if (rc)
        return rc;
    *row = (struct psn_role_row){ 0 };
    rc = psn_client_of_domain(vault, mailbox.domain, row->client, &cause);
    if (rc == PSN_E_NOT_FOUND) {
        (void)psn_fail(err, PSN_E_INVALID, _("%s: no client has the domain '%s'"), normal,
                       mailbox.domain);
        return psn_hint(
            err, PSN_E_INVALID,
            _("add the domain to its client: passation client set ID --domain %s"),
            mailbox.domain);
    }
    if (!rc)
        rc = psn_role_read(vault, normal, row, &cause);
    if (rc == PSN_OK &&
        (row->rotation.cur || row->rotation.phase != PSN_ROTATION_STABLE)) {
        (void)psn_fail(err, PSN_E_EXISTS, _("the role '%s' is in the vault already"),
                       normal);
        return psn_hint(
            err, PSN_E_EXISTS,
            _("change its password: passation rotate %s; finish what was begun: "
              "passation resume %s"),
            normal, normal);
    }
    if (rc == PSN_E_NOT_FOUND) {
        (void)snprintf(row->address, sizeof row->address, "%s", normal);
        row->created_s = vault->world.now_s();
        row->rotation = psn_rotation_state_init(0, create);
        return PSN_OK;
    }
    if (rc && err)
        *err = cause;
    row->rotation.create = create;
    return rc;
}

static enum psn_code new_rows(struct psn_vault *vault, const char *const *addresses,
                              size_t count, bool create, struct row_list *list,
                              struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    for (size_t i = 0; !rc && i < count; i++) {
        struct psn_mailbox mailbox;
        struct psn_role_row row;

        rc = new_row(vault, addresses[i], create, &row, err);
        if (!rc && create) {
            PSN_IGNORE(psn_mailbox_parse(row.address, &mailbox, NULL));
            rc = psn_mailbox_check_any_name(&mailbox, err);
        }
        for (size_t j = 0; !rc && j < list->count; j++)
            if (strcmp(list->items[j].address, row.address) == 0)
                rc = psn_fail(err, PSN_E_INVALID, _("'%s' is named twice"), row.address);
        if (!rc)
            rc = append(list, &row, err);
    }
    return psn_vault_end(vault, rc, err);
}

static enum psn_code create_one(struct psn_session *session, struct psn_role_row *row,
                                struct psn_outcome *outcome, struct psn_error *err)
{
    bool exists = false;
    enum psn_code rc = psn_session_detect(session, row, &exists, &outcome->error);

    (void)err;
    if (!rc && exists) {
        rc = psn_fail(&outcome->error, PSN_E_EXISTS, _("%s exists at OVH already"),
                      row->address);
        (void)psn_hint(&outcome->error, rc, _("take it over: passation role adopt %s"),
                       row->address);
    }
    if (!rc)
        rc = psn_session_place(session, row, &outcome->error);
    if (rc)
        fail_outcome(outcome, rc);
    else
        psn_rotation_drive(session, row, PSN_ROTATION_EV_START, outcome);
    return PSN_OK;
}

static enum psn_code fail_absent(const struct psn_role_row *row, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("%s does not exist at OVH"), row->address);
    return psn_hint(
        err, PSN_E_NOT_FOUND,
        _("see what is there: passation ovh inventory %s; create it: passation role "
          "add %s"),
        row->client, row->address);
}

static enum psn_code rotate_one(struct psn_session *session, struct psn_role_row *row,
                                struct psn_outcome *outcome, struct psn_error *err)
{
    bool exists = false;
    enum psn_code rc = psn_session_detect(session, row, &exists, &outcome->error);
    enum psn_code noted;

    if (!rc && !exists)
        rc = fail_absent(row, &outcome->error);
    noted = psn_session_note_platform(session, row, err);
    if (noted)
        return noted;
    if (!rc && row->rotation.phase == PSN_ROTATION_STABLE)
        rc = psn_session_may_change(session, row, &outcome->error);
    if (rc && row->rotation.phase == PSN_ROTATION_STABLE)
        fail_outcome(outcome, rc);
    else
        psn_rotation_drive(session, row, PSN_ROTATION_EV_START, outcome);
    return PSN_OK;
}

/* Lists, locks, runs, unlocks. */
static enum psn_code run_new(struct psn_vault *vault, const char *const *addresses,
                             size_t count, bool create, const struct psn_run *run,
                             row_fn *each, const char *what, struct psn_error *err)
{
    struct psn_session session;
    struct row_list list = { 0 };
    enum psn_code rc = psn_session_open(vault, what, run, &session, err);

    if (rc)
        return rc;
    rc = new_rows(vault, addresses, count, create, &list, err);
    if (!rc)
        rc = go_through(&session, &list, each, err);
    free(list.items);
    psn_session_close(&session);
    return rc;
}

enum psn_code psn_roles_create(struct psn_vault *vault, const char *const *addresses,
                               size_t count, const struct psn_run *run,
                               struct psn_error *err)
{
    return run_new(vault, addresses, count, true, run, create_one, "role add", err);
}

/* --- adopt with a known password --- */

static enum psn_code store_known(struct psn_vault *vault, struct psn_role_row *row,
                                 const struct psn_secret *known, struct psn_error *err)
{
    enum psn_code rc;

    row->rotation = psn_rotation_state_init(row->rotation.last + 1, false);
    row->changed_s = vault->world.now_s();
    row->verified_s = row->changed_s;
    row->ovh_changed_s = row->look.password_changed_s;
    rc = psn_role_write(vault, row, err);
    if (!rc)
        rc = psn_version_put(vault, row->client, row->address, "", row->rotation.cur,
                             PSN_VERSION_CURRENT, known, err);
    if (!rc)
        rc = psn_exposure_put(vault, row->address, "", row->rotation.cur, PSN_HOW_TYPED,
                              err);
    return rc ? rc
              : psn_journal_note(vault, row->client,
                                 &(struct psn_note){ .event = "mailbox.adopted",
                                                     .subject = row->address,
                                                     .version = row->rotation.cur,
                                                     .text = "with its known password" },
                                 err);
}

/* The back-end is a bonus here: the login is the proof, and needs no API. */
static void detect_if_linked(struct psn_session *session, struct psn_role_row *row)
{
    struct psn_account *account;
    bool exists;

    if (psn_session_account(session, row->client, &account, NULL) == PSN_OK &&
        account->client.linked)
        PSN_IGNORE(psn_session_detect(session, row, &exists, NULL));
}

static enum psn_code adopt_known(struct psn_session *session, struct psn_role_row *row,
                                 const struct psn_secret *known,
                                 struct psn_outcome *outcome)
{
    struct psn_vault *vault = session->vault;
    struct psn_error *err = &outcome->error;
    enum psn_login login;
    enum psn_code rc;

    detect_if_linked(session, row);
    login = psn_session_login(session, row, known, err);
    if (login == PSN_LOGIN_NO_ANSWER)
        return psn_wrap(err, PSN_E_NETWORK, _("%s: this password could not be checked"),
                        row->address);
    if (login == PSN_LOGIN_REFUSED) {
        psn_error_clear(err);
        (void)psn_fail(err, PSN_E_VERIFY, _("%s: the mail server refuses this password"),
                       row->address);
        return psn_hint(
            err, PSN_E_VERIFY,
            _("check it, or take the mailbox over with a new one: passation role "
              "adopt %s"),
            row->address);
    }
    psn_error_clear(err);
    rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    if (!rc)
        rc = psn_vault_end(vault, store_known(vault, row, known, err), err);
    if (rc)
        return psn_wrap(err, rc, "%s", row->address);
    outcome->result = PSN_RESULT_ADOPTED;
    outcome->version = row->rotation.cur;
    outcome->verified = true;
    return PSN_OK;
}

static enum psn_code run_known(struct psn_vault *vault, const char *address,
                               const struct psn_secret *known, const struct psn_run *run,
                               struct psn_error *err)
{
    struct psn_session session;
    struct row_list list = { 0 };
    struct tally tally = { 0 };
    struct psn_outcome outcome;
    enum psn_code rc = psn_session_open(vault, "role adopt", run, &session, err);

    if (rc)
        return rc;
    rc = new_rows(vault, &address, 1, false, &list, err);
    if (!rc) {
        session.count = 1;
        outcome = new_outcome(&list.items[0]);
        rc = adopt_known(&session, &list.items[0], known, &outcome);
        if (rc)
            fail_outcome(&outcome, rc);
        rc = report(&session, &tally, &outcome, err);
    }
    if (!rc)
        rc = sum_up(&session, &tally, err);
    free(list.items);
    psn_session_close(&session);
    return rc;
}

enum psn_code psn_roles_adopt(struct psn_vault *vault, const char *const *addresses,
                              size_t count, const struct psn_secret *known,
                              const struct psn_run *run, struct psn_error *err)
{
    if (!known)
        return run_new(vault, addresses, count, false, run, rotate_one, "role adopt",
                       err);
    if (count != 1)
        return psn_fail(err, PSN_E_INVALID, _("a known password goes with one address"));
    return run_known(vault, addresses[0], known, run, err);
}

/* --- rotate, plan, resume, verify --- */

static enum psn_code run_selected(struct psn_vault *vault, const char *const *globs,
                                  size_t count, const struct psn_run *run, row_fn *each,
                                  bool (*wanted)(const struct psn_role_row *row),
                                  const char *what, struct psn_error *err)
{
    struct psn_session session;
    struct row_list list = { 0 };
    size_t kept = 0;
    enum psn_code rc = psn_session_open(vault, what, run, &session, err);

    if (rc)
        return rc;
    rc = select_rows(vault, globs, count, &list, err);
    for (size_t i = 0; i < list.count; i++)
        if (!wanted || wanted(&list.items[i]))
            list.items[kept++] = list.items[i];
    list.count = kept;
    if (!rc)
        rc = go_through(&session, &list, each, err);
    free(list.items);
    psn_session_close(&session);
    return rc;
}

enum psn_code psn_rotate(struct psn_vault *vault, const char *const *globs, size_t count,
                         const struct psn_run *run, struct psn_error *err)
{
    return run_selected(vault, globs, count, run, rotate_one, NULL, "rotate", err);
}

static enum psn_code plan_one(struct psn_session *session, struct psn_role_row *row,
                              struct psn_outcome *outcome, struct psn_error *err)
{
    bool exists = false;
    enum psn_code rc = psn_session_detect(session, row, &exists, &outcome->error);

    (void)err;
    if (!rc && !exists)
        rc = fail_absent(row, &outcome->error);
    if (!rc && row->rotation.phase == PSN_ROTATION_STABLE)
        rc = psn_session_may_change(session, row, &outcome->error);
    if (rc)
        fail_outcome(outcome, rc);
    return PSN_OK;
}

enum psn_code psn_rotate_plan(struct psn_vault *vault, const char *const *globs,
                              size_t count, const struct psn_run *run,
                              struct psn_error *err)
{
    return run_selected(vault, globs, count, run, plan_one, NULL, "rotate --dry-run",
                        err);
}

static bool has_work(const struct psn_role_row *row)
{
    return row->rotation.phase != PSN_ROTATION_STABLE ||
           psn_rotation_old_due(&row->rotation);
}

static enum psn_code resume_one(struct psn_session *session, struct psn_role_row *row,
                                struct psn_outcome *outcome, struct psn_error *err)
{
    bool exists;
    enum psn_code rc;

    /* A look at the platform may fail here: the machine looks by itself before it acts.
     */
    if (row->rotation.phase != PSN_ROTATION_STABLE)
        PSN_IGNORE(psn_session_detect(session, row, &exists, NULL));
    rc = psn_session_note_platform(session, row, err);
    if (rc)
        return rc;
    psn_rotation_drive(session, row, PSN_ROTATION_EV_RESUME, outcome);
    return PSN_OK;
}

enum psn_code psn_resume(struct psn_vault *vault, const char *const *globs, size_t count,
                         const struct psn_run *run, struct psn_error *err)
{
    return run_selected(vault, globs, count, run, resume_one, has_work, "resume", err);
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
    outcome = new_outcome(&row);
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
                                    bool accepted, struct psn_error *err)
{
    enum psn_code rc;

    if (accepted)
        row->verified_s = vault->world.now_s();
    else
        psn_rotation_note_refused(&row->rotation, vault->world.now_s());
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

/* Is there a password to try, and may it be tried now? */
static enum psn_code may_verify(struct psn_session *session,
                                const struct psn_role_row *row, struct psn_error *err)
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
    policy = psn_session_policy(&account->client, row);
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
          "passation rotate %s"),
        row->address);
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
    login = psn_session_login(session, row, password, &outcome->error);
    if (login == PSN_LOGIN_NO_ANSWER) {
        (void)psn_wrap(&outcome->error, PSN_E_NETWORK, "%s", row->address);
        return PSN_OK;
    }
    psn_error_clear(&outcome->error);
    rc = psn_session_look_for_drift(session, row, outcome, err);
    if (rc)
        return rc;
    outcome->verified = login == PSN_LOGIN_ACCEPTED;
    outcome->result = outcome->verified ? PSN_RESULT_ACCEPTED : PSN_RESULT_REFUSED;
    if (!outcome->verified)
        explain_refused(row, outcome, &outcome->error);
    rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    return rc ? rc
              : psn_vault_end(vault, write_verified(vault, row, outcome->verified, err),
                              err);
}

enum psn_code psn_verify(struct psn_vault *vault, const char *const *globs, size_t count,
                         const struct psn_run *run, struct psn_error *err)
{
    return run_selected(vault, globs, count, run, verify_one, NULL, "verify", err);
}
