#include "core/rotation_write.h"

#include "base/clock.h"
#include "core/exposure.h"
#include "core/journal.h"
#include "core/together.h"
#include "core/version.h"

enum {
    EVIDENCE_MAX = 256
};

static enum psn_code note(const struct psn_rotation_writing *w, const char *event,
                          uint64_t version, const char *text, struct psn_error *err)
{
    return psn_journal_note(w->session->vault, w->row->client,
                            &(struct psn_note){ .event = event,
                                                .subject = w->row->address,
                                                .version = version,
                                                .text = text },
                            err);
}

static enum psn_code label(const struct psn_rotation_writing *w, uint64_t version,
                           enum psn_version_state state, struct psn_error *err)
{
    return psn_version_label(w->session->vault, w->row->client, w->row->address, "",
                             version, state, err);
}

static enum psn_code store_candidate(const struct psn_rotation_writing *w,
                                     const struct psn_rotation_action *action,
                                     struct psn_error *err)
{
    PSN_AUTO(psn_secret) *password = NULL;
    struct psn_role_row *row = w->row;
    enum psn_code rc =
        psn_mailbox_generate_password(w->mailbox, w->rules, &password, err);

    if (!rc)
        rc = psn_version_put(w->session->vault, row->client, row->address, "",
                             action->version, PSN_VERSION_PENDING, password, err);
    if (!rc && action->retired)
        rc = label(w, action->retired, PSN_VERSION_REFUSED, err);
    if (!rc)
        rc = psn_exposure_put(w->session->vault, row->address, "", action->version,
                              PSN_HOW_CREATED, err);
    return rc ? rc : note(w, "password.candidate", action->version, NULL, err);
}

static enum psn_code commit_candidate(const struct psn_rotation_writing *w,
                                      const struct psn_rotation_action *action,
                                      struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(EVIDENCE_MAX);
    char date[PSN_TIME_SIZE];
    struct psn_role_row *row = w->row;
    enum psn_code rc = label(w, action->version, PSN_VERSION_CURRENT, err);

    if (!rc && action->retired)
        rc = label(w, action->retired, PSN_VERSION_SUPERSEDED, err);
    row->changed_s = w->session->vault->world.now_s();
    row->verified_s = row->changed_s;
    row->outside_s = 0;
    row->gone_s = 0;
    row->ovh_changed_s = w->ovh_changed_s;
    row->expires_s = w->rules->max_age_s ? row->changed_s + w->rules->max_age_s : 0;
    if (action->task_id)
        psn_buf_format(&text, "OVH task %lld", (long long)action->task_id);
    if (w->ovh_changed_s)
        psn_buf_format(&text, "%sOVH says changed on %s", text.size ? "; " : "",
                       psn_clock_format(w->ovh_changed_s, date));
    return rc ? rc
              : note(w, w->created ? "mailbox.created" : "password.in-force",
                     action->version, psn_buf_str(&text), err);
}

static enum psn_code write_move(const struct psn_rotation_writing *w,
                                struct psn_error *err)
{
    const struct psn_rotation_move *move = w->move;
    const struct psn_rotation_action *action = &move->action;
    enum psn_code rc = PSN_OK;

    switch ((int)action->kind) {
    case PSN_ROTATION_DO_STORE:
        rc = store_candidate(w, action, err);
        break;
    case PSN_ROTATION_DO_COMMIT:
        rc = commit_candidate(w, action, err);
        break;
    case PSN_ROTATION_DO_RETIRE:
        rc = label(w, action->version, PSN_VERSION_REFUSED, err);
        if (!rc)
            rc = note(w, "password.refused", action->version,
                      psn_rotation_reason_name(action->reason), err);
        break;
    case PSN_ROTATION_DO_SEND:
        rc = note(w, "password.sent", action->version, NULL, err);
        break;
    case PSN_ROTATION_DO_STUCK:
        rc = note(w, "rotation.stuck", move->state.pend,
                  psn_rotation_reason_name(action->reason), err);
        break;
    default:
        break;
    }
    w->row->rotation = move->state;
    return rc ? rc : psn_role_write(w->session->vault, w->row, err);
}

static bool must_write(const struct psn_rotation_move *move)
{
    return move->durable || move->action.kind == PSN_ROTATION_DO_STORE ||
           move->action.kind == PSN_ROTATION_DO_COMMIT ||
           move->action.kind == PSN_ROTATION_DO_RETIRE;
}

/* That an old password is refused is worth a line: a departure is proved by it. */
static enum psn_code note_death(const struct psn_rotation_writing *w,
                                const struct psn_rotation_state *before,
                                struct psn_error *err)
{
    const struct psn_rotation_state *after = &w->row->rotation;
    uint64_t doubted = psn_rotation_undead(before);

    if (doubted == 0 || after->cur != before->cur ||
        psn_rotation_undead(after) == doubted)
        return PSN_OK;
    return note(w, "password.dead", doubted, NULL, err);
}

/* One that waits for its transaction. */
struct pending {
    const struct psn_rotation_writing *w;
    struct psn_role_row before;
};

static enum psn_code write_pending(void *arg, struct psn_error *err)
{
    const struct pending *pending = arg;
    enum psn_code rc = write_move(pending->w, err);

    return rc ? rc : note_death(pending->w, &pending->before.rotation, err);
}

static void undo_pending(void *arg)
{
    const struct pending *pending = arg;

    *pending->w->row = pending->before;
}

enum psn_code psn_rotation_write(const struct psn_rotation_writing *writing,
                                 struct psn_error *err)
{
    struct psn_session *session = writing->session;
    struct pending pending = { .w = writing, .before = *writing->row };
    struct psn_together_part part = { .write = write_pending,
                                      .undo = undo_pending,
                                      .arg = &pending };

    if (!must_write(writing->move))
        return PSN_OK;
    return psn_together_write(&session->together, session->vault, &part, err);
}
