/*
 * Answering changes of contacts for the linked account. What became of it is read from
 * the task, never concluded: after a lost answer the task has gone on, or the token is to
 * be given again, which does no harm.
 */
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "core/contact.h"
#include "core/journal.h"

/* Is there nothing left to do, since the change has gone where it was to go? */
static bool is_so(const struct psn_contact_change *change, bool accept)
{
    return accept
               ? change->state == PSN_CONTACT_DOING || change->state == PSN_CONTACT_DONE
               : change->state == PSN_CONTACT_REFUSED;
}

static const char *end_text(enum psn_contact_state state)
{
    switch ((int)state) {
    case PSN_CONTACT_DONE:
        return _("done");
    case PSN_CONTACT_REFUSED:
        return _("refused");
    case PSN_CONTACT_ABORTED:
        return _("aborted");
    case PSN_CONTACT_EXPIRED:
        return _("expired");
    default:
        return _("failed at OVH");
    }
}

static enum psn_code check_open(const struct psn_contact_change *change,
                                struct psn_error *err)
{
    long long id = change->id;

    if (psn_contact_is_over(change->state)) {
        (void)psn_fail(err, PSN_E_REFUSED, _("change %lld has ended: %s"), id,
                       end_text(change->state));
        return psn_hint(err, PSN_E_REFUSED, "%s", psn_contact_advice(change));
    }
    if (change->state == PSN_CONTACT_DOING)
        return psn_fail(err, PSN_E_REFUSED, _("both have agreed to change %lld"), id);
    if (change->state == PSN_CONTACT_CHECKING) {
        (void)psn_fail(err, PSN_E_BUSY, _("OVH is still checking change %lld"), id);
        return psn_hint(err, PSN_E_BUSY, "%s", psn_contact_advice(change));
    }
    if (change->from_is_ours || change->to_is_ours)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_REFUSED,
                   _("change %lld is for %s and %s to agree to, each with its own token"),
                   id, change->from, change->to);
    return psn_hint(err, PSN_E_REFUSED,
                    _("they answer under 'My requests' in the OVH control panel"));
}

static enum psn_code read_task(const struct psn_contact_run *run, int64_t id,
                               struct psn_contact_change *ret_change,
                               struct psn_error *err)
{
    const struct psn_contact_change *known = psn_contact_find(&run->known, id);
    enum psn_code rc = psn_ovh_contact_task(run->ovh, id, ret_change, err);

    if (rc)
        return psn_contact_run_explain(run, rc, err);
    if (known) {
        ret_change->kind = known->kind;
        memcpy(ret_change->service, known->service, sizeof ret_change->service);
    }
    psn_contact_run_mark(run, ret_change);
    return PSN_OK;
}

static enum psn_code refuse(const struct psn_contact_run *run,
                            const struct psn_ovh_answer *answer,
                            const struct psn_error *why, struct psn_error *err)
{
    enum psn_ovh_reason reason = psn_ovh_last_reason(run->ovh);
    enum psn_code rc = why->code;

    *err = *why;
    if (answer->outcome == PSN_OVH_BAD_REQUEST || reason == PSN_OVH_REASON_FORBIDDEN) {
        err->hint[0] = '\0';
        (void)psn_hint(err, rc,
                       _("the token has to be the last one that OVH has sent to %s; each "
                         "side has its own, good once. A new one can be asked for"),
                       run->client.linked_nic[0] ? run->client.linked_nic
                                                 : run->client.nic);
        return psn_wrap(err, rc, _("OVH refuses the token"));
    }
    return psn_contact_run_explain(run, rc, err);
}

/* After an answer that was lost. */
static enum psn_code settle(const struct psn_contact_run *run, int64_t id, bool accept,
                            const struct psn_error *why, struct psn_error *err)
{
    struct psn_contact_change now;
    struct psn_error unread = { 0 };

    if (read_task(run, id, &now, &unread) == PSN_OK && is_so(&now, accept))
        return PSN_OK;
    *err = *why;
    if (!err->code)
        err->code = PSN_E_NETWORK;
    err->hint[0] = '\0';
    return psn_hint(err, err->code,
                    _("whether OVH has heard is not known: give the token again, that "
                      "does no harm"));
}

static enum psn_code send(const struct psn_contact_run *run, int64_t id,
                          const struct psn_secret *token, bool accept,
                          struct psn_error *err)
{
    struct psn_ovh_answer answer = { .outcome = PSN_OVH_NOT_SENT };
    struct psn_error why = { 0 };
    enum psn_code rc = psn_ovh_contact_answer(run->ovh, id, accept, token, &answer, &why);

    switch (rc ? PSN_OVH_NOT_SENT : answer.outcome) {
    case PSN_OVH_DONE:
        return PSN_OK;
    case PSN_OVH_UNKNOWN:
    case PSN_OVH_THROTTLED:
        return settle(run, id, accept, &why, err);
    case PSN_OVH_NOT_SENT:
    case PSN_OVH_BUSY:
        *err = why;
        return why.code;
    case PSN_OVH_ABSENT:
    case PSN_OVH_BAD_REQUEST:
    case PSN_OVH_NOT_ALLOWED:
    case PSN_OVH_EXPIRED:
    case PSN_OVH_CLOCK:
        break;
    }
    return refuse(run, &answer, &why, err);
}

static enum psn_code answer_task(const struct psn_contact_run *run, int64_t id,
                                 const struct psn_secret *token, bool accept,
                                 struct psn_error *err)
{
    struct psn_contact_change change;
    enum psn_code rc = read_task(run, id, &change, err);

    if (rc || is_so(&change, accept))
        return rc;
    rc = check_open(&change, err);
    if (!rc)
        rc = send(run, id, token, accept, err);
    return rc ? rc
              : psn_contact_note(run->vault, run->client.id,
                                 accept ? PSN_CONTACT_ACCEPTED : "contact.declined",
                                 &change, err);
}

enum psn_code psn_contact_answer(struct psn_vault *vault, const char *client, int64_t id,
                                 const struct psn_secret *token, bool accept,
                                 struct psn_error *err)
{
    struct psn_error own = { 0 };
    struct psn_error *at = err ? err : &own;
    struct psn_contact_run run = psn_contact_run_init(vault);
    enum psn_code rc = psn_contact_run_open(&run, client, true, at);

    if (!rc)
        rc = answer_task(&run, id, token, accept, at);
    psn_contact_run_release(&run);
    return rc;
}

static enum psn_code resend(const struct psn_contact_run *run, int64_t id,
                            struct psn_error *err)
{
    struct psn_contact_change change;
    struct psn_ovh_answer answer = { .outcome = PSN_OVH_NOT_SENT };
    enum psn_code rc = read_task(run, id, &change, err);

    if (!rc)
        rc = check_open(&change, err);
    if (!rc)
        rc = psn_ovh_contact_resend(run->ovh, id, &answer, err);
    if (rc || answer.outcome == PSN_OVH_DONE)
        return rc;
    if (!err->code)
        err->code = PSN_E_NETWORK;
    return psn_contact_run_explain(run, err->code, err);
}

enum psn_code psn_contact_resend(struct psn_vault *vault, const char *client, int64_t id,
                                 struct psn_error *err)
{
    struct psn_error own = { 0 };
    struct psn_error *at = err ? err : &own;
    struct psn_contact_run run = psn_contact_run_init(vault);
    enum psn_code rc = psn_contact_run_open(&run, client, true, at);

    if (!rc)
        rc = resend(&run, id, at);
    psn_contact_run_release(&run);
    return rc;
}
