#include "core/rotation.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "core/client.h"
#include "core/rotation_write.h"
#include "core/version.h"
#include "crypto/hash.h"

/*
 * The loop around the rotation machine. The machine says what must be durable and what to
 * do next; here that is done, and what happened goes back into the machine. No decision
 * is taken here. A kill between any two lines loses nothing but the run's budget:
 *
 *   machine's action   what is written first, in one transaction        then
 *   DO_STORE           new version (pending), the role's state          -
 *   DO_SEND            the role's state (SENDING n)                     the request
 *   DO_COMMIT          labels of both versions, the role's state        -
 *   DO_RETIRE          label of the candidate, the role's state         the end
 *   all others         the role's state if it changed                   the action
 *
 * Every write is a compare-and-swap on the row's revision (R8).
 */
struct job {
    struct psn_session *session;
    struct psn_vault *vault;
    struct psn_role_row *row;
    struct psn_account *account;
    struct psn_mailbox mailbox;
    struct psn_rotation_policy policy;
    struct psn_rotation_run run;
    struct psn_password_rules rules;
    struct psn_error last;    /* why the last request or login did not do */
    struct psn_error refusal; /* what OVH said to the last send, if it did not take it */
    bool committed;
    bool created;
    bool was_known;        /* there was a current password before */
    int64_t ovh_changed_s; /* of the version that is committed, as OVH says */
};

/* After this, and not before, may anybody outside hear of it. */
static enum psn_code persist(struct job *job, const struct psn_rotation_move *move,
                             struct psn_error *err)
{
    return psn_rotation_write(
        &(struct psn_rotation_writing){ .session = job->session,
                                        .row = job->row,
                                        .mailbox = &job->mailbox,
                                        .rules = &job->rules,
                                        .move = move,
                                        .created = job->created,
                                        .ovh_changed_s = job->ovh_changed_s },
        err);
}

/* --- what is done --- */

static enum psn_code read_version(struct job *job, uint64_t version,
                                  struct psn_secret **ret_value, struct psn_error *err)
{
    struct psn_version info;
    enum psn_code rc = psn_vault_begin(job->vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    return psn_vault_end(job->vault,
                         psn_version_get(job->vault, job->row->client, job->row->address,
                                         "", version, &info, ret_value, err),
                         err);
}

static enum psn_rotation_event_kind event_of(enum psn_ovh_outcome outcome)
{
    switch (outcome) {
    case PSN_OVH_NOT_SENT:
        return PSN_ROTATION_EV_NOT_SENT;
    case PSN_OVH_DONE:
        return PSN_ROTATION_EV_OK;
    case PSN_OVH_BAD_REQUEST:
        return PSN_ROTATION_EV_BAD_REQUEST;
    case PSN_OVH_NOT_ALLOWED:
        return PSN_ROTATION_EV_NOT_ALLOWED;
    case PSN_OVH_EXPIRED:
        return PSN_ROTATION_EV_EXPIRED;
    case PSN_OVH_ABSENT:
        return PSN_ROTATION_EV_ABSENT;
    case PSN_OVH_BUSY:
        return PSN_ROTATION_EV_BUSY;
    case PSN_OVH_THROTTLED:
        return PSN_ROTATION_EV_THROTTLED;
    case PSN_OVH_CLOCK:
        return PSN_ROTATION_EV_CLOCK;
    case PSN_OVH_UNKNOWN:
        break;
    }
    return PSN_ROTATION_EV_UNKNOWN;
}

/* A create that OVH refuses may be refused because the mailbox is there. */
static bool is_there(struct job *job)
{
    struct psn_mailbox_info info;

    return psn_mailbox_get(job->account->ovh, &job->mailbox, &info, NULL) == PSN_OK &&
           info.exists;
}

/* The mailbox is not where it was: has it moved? Then the rest is done there. A request
 * that found nothing has done nothing; what was sent before still counts (R7). */
static enum psn_code follow(struct job *job, bool *ret_moved, struct psn_error *err)
{
    struct psn_role_row *row = job->row;
    struct psn_mailbox before = job->mailbox;
    bool exists = false;

    *ret_moved = false;
    psn_directory_forget(job->account->directory);
    if (psn_session_detect(job->session, row, &exists, NULL) || !exists)
        return PSN_OK;
    job->mailbox.backend = row->backend;
    job->mailbox.place = row->place;
    *ret_moved = !psn_mailbox_is_where(&job->mailbox, &before);
    job->rules = row->look.rules;
    return psn_session_note_platform(job->session, row, err);
}

/* Where a new mailbox takes a free slot, two at once would take the same one. */
static void create(struct job *job, const struct psn_secret *password,
                   struct psn_ovh_answer *answer)
{
    bool in_slots = job->mailbox.backend != PSN_BACKEND_EMAIL_DOMAIN;

    if (in_slots)
        psn_gate_enter(&job->account->create_gate);
    psn_mailbox_create(job->account->ovh, &job->mailbox, password, answer, &job->last);
    if (in_slots)
        psn_gate_leave(&job->account->create_gate);
}

static enum psn_code send(struct job *job, const struct psn_rotation_action *action,
                          struct psn_rotation_event *event, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *password = NULL;
    struct psn_ovh_answer answer = { .outcome = PSN_OVH_UNKNOWN, .retry_after_s = -1 };
    bool moved = false;
    enum psn_code rc = read_version(job, action->version, &password, err);

    if (rc)
        return rc;
    psn_session_progress(job->session, job->row->address, _("sending to OVH"), 0);
    psn_error_clear(&job->last);
    if (action->create)
        create(job, password, &answer);
    else
        psn_mailbox_set_password(job->account->ovh, &job->mailbox, password, &answer,
                                 &job->last);
    job->refusal = job->last;
    event->kind = event_of(answer.outcome);
    if (event->kind == PSN_ROTATION_EV_BAD_REQUEST && action->create && is_there(job))
        event->kind = PSN_ROTATION_EV_EXISTS;
    if (event->kind == PSN_ROTATION_EV_ABSENT && !action->create) {
        rc = follow(job, &moved, err);
        if (moved)
            event->kind = PSN_ROTATION_EV_NOT_SENT;
    }
    event->task_id = answer.outcome == PSN_OVH_DONE ? answer.task_id : 0;
    event->retry_after_s = answer.retry_after_s;
    event->wrong_mailbox = answer.wrong_object;
    event->now_s = job->vault->world.now_s();
    return rc;
}

/* The list that counts is that of the service which has the mailbox now. */
static enum psn_code look_at_tasks(struct job *job, struct psn_rotation_event *event,
                                   struct psn_error *err)
{
    size_t count = 0;
    bool absent = false;
    bool moved = false;
    enum psn_code failed;
    enum psn_code rc = PSN_OK;

    psn_session_progress(job->session, job->row->address, _("waiting for OVH's task"), 0);
    event->now_s = job->vault->world.now_s();
    psn_error_clear(&job->last);
    failed =
        psn_mailbox_tasks(job->account->ovh, &job->mailbox, &count, &absent, &job->last);
    if (!failed && absent && !job->row->rotation.create)
        rc = follow(job, &moved, err);
    if (moved)
        failed =
            psn_mailbox_tasks(job->account->ovh, &job->mailbox, &count, NULL, &job->last);
    /* A list that OVH refuses to show will not be shown later: nothing was sent, so it
     * ends here. Once something was sent, a login can still tell. */
    if (!rc && failed == PSN_E_REFUSED &&
        job->row->rotation.phase == PSN_ROTATION_STABLE) {
        *err = job->last;
        return failed;
    }
    if (failed)
        event->kind = PSN_ROTATION_EV_TASKS_UNREADABLE;
    else
        event->kind = count ? PSN_ROTATION_EV_TASK_PENDING : PSN_ROTATION_EV_TASKS_EMPTY;
    return rc;
}

/* What OVH says of the change that a login has proved. Its date stands for ours only if
 * there was one request (a repetition changes it again) and if it has moved since we
 * looked last. */
static void ask_for_date(struct job *job)
{
    struct psn_mailbox_info info = { .exists = false };

    job->ovh_changed_s = 0;
    if (!psn_backend_tells_dates(job->mailbox.backend) || job->row->rotation.sends > 1 ||
        psn_session_stopped(job->session) ||
        psn_mailbox_get(job->account->ovh, &job->mailbox, &info, NULL))
        return;
    if (info.password_changed_s != job->row->look.password_changed_s)
        job->ovh_changed_s = info.password_changed_s;
}

/* One that was refused before, or should be, may be refused again. */
static bool is_doubtful(const struct job *job, const struct psn_rotation_action *action)
{
    return action->kind == PSN_ROTATION_DO_LOGIN_OLD || job->run.looked;
}

static enum psn_code log_in(struct job *job, const struct psn_rotation_action *action,
                            struct psn_rotation_event *event, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *password = NULL;
    struct psn_login_try try = { .doubtful = is_doubtful(job, action),
                                 .ret_asked_s = &event->now_s };
    enum psn_code rc = read_version(job, action->version, &password, err);

    if (rc)
        return rc;
    try.password = password;
    psn_session_progress(job->session, job->row->address, _("logging in"), 0);
    psn_error_clear(&job->last);
    switch (psn_session_login(job->session, job->row, &try, &job->last)) {
    case PSN_LOGIN_ACCEPTED:
        event->kind = PSN_ROTATION_EV_LOGIN_ACCEPTED;
        break;
    case PSN_LOGIN_REFUSED:
        event->kind = PSN_ROTATION_EV_LOGIN_REFUSED;
        break;
    case PSN_LOGIN_NO_ANSWER:
        event->kind = PSN_ROTATION_EV_LOGIN_NO_ANSWER;
        break;
    }
    return PSN_OK;
}

/* Waits in slices, so that a stop is heard. False if one was. */
static bool wait_for(struct job *job, const struct psn_rotation_action *action,
                     struct psn_rotation_event *event)
{
    enum {
        SLICE_MS = 200
    };
    const struct psn_world *world = &job->vault->world;
    int64_t end = world->boot_ms() + action->wait_ms;
    int64_t left = action->wait_ms;

    while (left > 0 && !psn_session_stopped(job->session)) {
        psn_session_progress(job->session, job->row->address,
                             psn_rotation_waiting(action->reason), (left + 999) / 1000);
        world->sleep_ms(left < SLICE_MS ? left : SLICE_MS);
        left = end - world->boot_ms();
    }
    event->kind = PSN_ROTATION_EV_TIMER;
    event->now_s = world->now_s();
    return left <= 0;
}

static enum psn_code perform(struct job *job, const struct psn_rotation_action *action,
                             struct psn_rotation_event *event, bool *ret_stopped,
                             struct psn_error *err)
{
    uint16_t jitter;

    psn_random(&jitter, sizeof jitter);
    *event = (struct psn_rotation_event){ .now_s = job->vault->world.now_s(),
                                          .jitter_permille = jitter % 1001U,
                                          .retry_after_s = -1 };
    switch ((int)action->kind) {
    case PSN_ROTATION_DO_STORE:
        event->kind = PSN_ROTATION_EV_STORED;
        return PSN_OK;
    case PSN_ROTATION_DO_COMMIT:
        job->committed = true;
        event->kind = PSN_ROTATION_EV_COMMITTED;
        event->host_waits = psn_session_login_waits(job->session, job->row);
        return PSN_OK;
    case PSN_ROTATION_DO_SEND:
        return send(job, action, event, err);
    case PSN_ROTATION_DO_SYNC_CLOCK:
        /* The client has read OVH's time again and tried once more before it said so. */
        event->kind = PSN_ROTATION_EV_CLOCK_FAILED;
        return PSN_OK;
    case PSN_ROTATION_DO_LOOK_TASKS:
        return look_at_tasks(job, event, err);
    case PSN_ROTATION_DO_LOGIN_PEND:
    case PSN_ROTATION_DO_LOGIN_CUR:
    case PSN_ROTATION_DO_LOGIN_OLD:
        return log_in(job, action, event, err);
    default:
        assert(action->kind == PSN_ROTATION_DO_WAIT);
        *ret_stopped = !wait_for(job, action, event);
        return PSN_OK;
    }
}

/* --- the loop --- */

/* A stop came while an answer was waited for. What it tells is kept; nothing new is
 * begun.
 */
static enum psn_code record_last(struct job *job, const struct psn_rotation_event *event,
                                 struct psn_error *err)
{
    struct psn_rotation_move move =
        psn_rotation_step(&job->policy, &job->row->rotation, &job->run, event);
    enum psn_code rc;

    if (move.action.kind == PSN_ROTATION_DO_SEND ||
        move.action.kind == PSN_ROTATION_DO_STORE)
        return PSN_OK;
    rc = persist(job, &move, err);
    if (!rc && move.action.kind == PSN_ROTATION_DO_COMMIT)
        job->committed = true;
    return rc;
}

static enum psn_code loop(struct job *job, enum psn_rotation_event_kind first,
                          struct psn_rotation_action *ret_end, struct psn_error *err)
{
    struct psn_rotation_event event = { .kind = first,
                                        .now_s = job->vault->world.now_s(),
                                        .retry_after_s = -1,
                                        .again = job->session->run->again };
    bool stopped = false;

    for (;;) {
        struct psn_rotation_move move =
            psn_rotation_step(&job->policy, &job->row->rotation, &job->run, &event);
        enum psn_code rc;

        if (move.action.kind == PSN_ROTATION_DO_COMMIT)
            ask_for_date(job);
        rc = persist(job, &move, err);
        if (rc)
            return rc;
        job->run = move.run;
        *ret_end = move.action;
        if (psn_rotation_is_end(move.action.kind))
            return PSN_OK;
        rc = perform(job, &move.action, &event, &stopped, err);
        if (rc)
            return rc;
        if (stopped || psn_session_stopped(job->session)) {
            *ret_end = (struct psn_rotation_action){ .kind = PSN_ROTATION_DO_UNFINISHED };
            return stopped ? PSN_OK : record_last(job, &event, err);
        }
    }
}

/* The reason first, then what the request or login said that decided. */
static void explain(const struct job *job, const struct psn_rotation_action *end,
                    struct psn_outcome *outcome)
{
    enum psn_code code = psn_rotation_code(end->reason);
    const char *reason = psn_rotation_explain(end->reason);
    const char *address = job->row->address;
    const struct psn_error *said =
        psn_rotation_is_refusal(end->reason) ? &job->refusal : &job->last;

    if (end->kind == PSN_ROTATION_DO_UNFINISHED && end->reason == PSN_ROTATION_WHY_NONE)
        reason = _("stopped before the end; nothing is lost");
    if (said->message[0] && said->code)
        (void)psn_fail(&outcome->error, code, _("%s: %s (%s)"), address, reason,
                       said->message);
    else
        (void)psn_fail(&outcome->error, code, _("%s: %s"), address, reason);
    psn_rotation_advise(end, address, job->refusal.hint, &outcome->error);
}

static void conclude(const struct job *job, const struct psn_rotation_action *end,
                     struct psn_outcome *outcome)
{
    const struct psn_rotation_state *state = &job->row->rotation;
    struct psn_rotation_action told;

    outcome->version = state->cur;
    outcome->verified = job->committed;
    outcome->old_dead = (enum psn_tristate)state->old_dead;
    outcome->ovh_changed_s = job->row->ovh_changed_s;
    outcome->expires_s = job->row->expires_s;
    if (job->committed)
        outcome->result = job->was_known ? PSN_RESULT_ROTATED
                          : job->created ? PSN_RESULT_CREATED
                                         : PSN_RESULT_ADOPTED;
    else
        outcome->result = PSN_RESULT_UNCHANGED;
    if (end->kind == PSN_ROTATION_DO_DONE || (end->kind == PSN_ROTATION_DO_RETIRE &&
                                              end->reason == PSN_ROTATION_WHY_ABANDONED))
        return;
    if (job->committed) /* only the negative test was cut short */
        return;
    outcome->result =
        state->phase == PSN_ROTATION_STABLE ? PSN_RESULT_FAILED : PSN_RESULT_UNCERTAIN;
    told = *end;
    if (end->kind == PSN_ROTATION_DO_STUCK)
        told.reason = psn_role_reason_of(job->row);
    explain(job, &told, outcome);
}

/* Only the negative test of a stable mailbox does without OVH. */
static enum psn_code prepare(struct job *job, enum psn_rotation_event_kind event,
                             struct psn_error *err)
{
    bool logins_only = event == PSN_ROTATION_EV_RESUME &&
                       job->row->rotation.phase == PSN_ROTATION_STABLE;
    const char *client = job->row->client;
    enum psn_code rc = psn_mailbox_parse(job->row->address, &job->mailbox, err);

    job->mailbox.backend = job->row->backend;
    job->mailbox.place = job->row->place;
    job->rules = job->row->look.done ? job->row->look.rules
                                     : psn_password_rules_default(job->row->backend);
    if (rc)
        return rc;
    rc = logins_only ? psn_session_account(job->session, client, &job->account, err)
                     : psn_session_connect(job->session, client, &job->account, err);
    return rc ? rc
              : psn_session_policy(job->vault, &job->account->client, job->row,
                                   &job->policy, err);
}

void psn_rotation_drive(struct psn_session *session, struct psn_role_row *row,
                        enum psn_rotation_event_kind event, struct psn_outcome *outcome)
{
    struct job job = { .session = session,
                       .vault = session->vault,
                       .row = row,
                       .created = row->rotation.create,
                       .was_known = row->rotation.cur != 0 };
    struct psn_rotation_action end = { .kind = PSN_ROTATION_DO_UNFINISHED };
    enum psn_code rc = prepare(&job, event, &outcome->error);

    if (!rc)
        rc = loop(&job, event, &end, &outcome->error);
    if (!rc) {
        conclude(&job, &end, outcome);
        return;
    }
    outcome->version = row->rotation.cur;
    outcome->old_dead = (enum psn_tristate)row->rotation.old_dead;
    outcome->result = row->rotation.phase == PSN_ROTATION_STABLE ? PSN_RESULT_FAILED
                                                                 : PSN_RESULT_UNCERTAIN;
    (void)psn_wrap(&outcome->error, rc, "%s", row->address);
}
