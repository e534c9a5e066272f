/*
 * The end of our own access to a client's account.
 *
 *     keys ▶ policies ▶ service accounts ▶ applications ▶ the key that does it
 *
 * 1. Nothing is ordered before it is certain, by the rules of the key that acts, that it
 *    may carry out every step. So nothing is left behind that nobody may remove.
 * 2. Each order is durable in the journal before OVH hears it, and each end after it was
 *    seen.
 * 3. The last step removes the key that gives the order: its application, if that is ours
 *    alone and lives in the account (one call ends both), else the key. It is ordered
 *    only when all else is gone.
 * 4. A key that OVH refuses is the end only if the journal says that we ordered it, since
 *    the key was linked. Else somebody else removed it, and what it would have removed
 *    may be there.
 *
 * A run that is killed between any two lines is run again; it looks, and goes on.
 */
#include "core/own_access.h"

#include <stdio.h>
#include <string.h>

#include "base/allow.h"
#include "base/i18n.h"
#include "core/credential_due.h"
#include "core/journal.h"
#include "core/rights.h"
#include "ovh/call.h"
#include "ovh/cut.h"
#include "ovh/own.h"

enum {
    PROOF_TRIES = 4,
    FIRST_WAIT_MS = 1000, /* doubles */
};

static enum psn_code note(const struct psn_own_run *run, const char *event,
                          const struct psn_own_item *item, const char *text,
                          struct psn_error *err)
{
    struct psn_vault *vault = run->vault;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    if (rc)
        return rc;
    rc = psn_journal_note(
        vault, run->client.id,
        &(struct psn_note){ .event = event, .subject = item->access.id, .text = text },
        err);
    return psn_vault_end(vault, rc, err);
}

/* --- may it? --- */

/* A key that may not remove itself by its number may log out. */
static bool may_log_out(const struct psn_own_run *run, const struct psn_own_item *item)
{
    return item->access.is_last && item->access.kind == PSN_FINDING_API_KEY &&
           psn_rights_allow(run->info, "POST", "/auth/logout");
}

static bool may(const struct psn_own_run *run, const struct psn_own_item *item)
{
    const struct psn_finding *finding = &item->finding;

    return item->access.is_kept || !run->info ||
           psn_rights_allow(run->info, finding->method, finding->path);
}

static enum psn_code check_rights(const struct psn_own_run *run, struct psn_error *err)
{
    for (size_t i = 0; i < run->count; i++) {
        const struct psn_own_item *item = &run->items[i];

        if (may(run, item) || may_log_out(run, item))
            continue;
        (void)psn_fail(err, PSN_E_POLICY, _("the key has no rule for %s %s"),
                       item->finding.method, item->finding.path);
        return psn_hint(err, PSN_E_POLICY,
                        _("ask the owner for a key that may: passation ovh link %s --for "
                          "cut"),
                        run->client.id);
    }
    return PSN_OK;
}

/* --- one after the other --- */

static enum psn_code remove_one(const struct psn_own_run *run,
                                const struct psn_own_item *item, struct psn_error *err)
{
    struct psn_cut cut = { 0 };
    enum psn_code rc = note(run, PSN_OWN_ORDERED, item, NULL, err);

    if (!rc)
        rc = psn_ovh_cut(run->ovh, &item->finding, &cut, err);
    if (rc)
        return rc;
    if (cut.state != PSN_CUT_GONE) {
        (void)psn_fail(err, PSN_E_UNFINISHED,
                       _("OVH has taken the order to remove '%s', and it was not seen to "
                         "be gone yet"),
                       item->access.id);
        return psn_hint(err, PSN_E_UNFINISHED,
                        _("run the command again in a few minutes"));
    }
    return note(run, PSN_OWN_GONE, item, NULL, err);
}

/* --- the last one --- */

/* Asks OVH something with the key that is to be dead; *ret_dead: it is refused. */
static enum psn_code probe(const struct psn_own_run *run, bool *ret_dead,
                           enum psn_ovh_reason *ret_reason, struct psn_error *err)
{
    PSN_AUTO(psn_ovh) *ovh = NULL;
    PSN_AUTO_FREE struct psn_ovh_key_info *info = calloc(1, sizeof *info);
    struct psn_ovh_details details;
    struct psn_error why = { 0 };
    bool is_account = psn_ovh_credential_is_account(psn_own_actor(run));
    enum psn_code rc = info ? psn_client_open_account(run->vault, &run->client,
                                                      psn_own_actor(run), &ovh, err)
                            : psn_fail(err, PSN_E_NOMEM, _("out of memory"));

    if (rc)
        return rc;
    rc = is_account ? psn_ovh_details(ovh, &details, &why)
                    : psn_ovh_key_info(ovh, info, &why);
    *ret_reason = psn_ovh_last_reason(ovh);
    *ret_dead = rc == PSN_E_REFUSED && psn_own_is_dead(ovh, is_account);
    if (rc == PSN_OK || *ret_dead)
        return PSN_OK;
    if (err)
        *err = why;
    return rc;
}

/* The one row that has the keys: a handover and an envelope, in the same table behind the
 * same prefix, outlive them. */
static enum psn_code delete_keys(struct psn_vault *vault, const char *client,
                                 struct psn_error *err)
{
    struct psn_row_key key;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_CREDENTIAL, client, &key, err);

    return rc ? rc
              : psn_allow(PSN_E_NOT_FOUND,
                          psn_store_delete(vault->store, PSN_TABLE_CREDENTIAL, key.bytes,
                                           key.size, err),
                          NULL, err);
}

/* The keys that are dead are not kept, nor what was asked for and never agreed to; nobody
 * who could read them has to be kept out any more. */
static enum psn_code forget_keys(const struct psn_own_run *run, struct psn_error *err)
{
    struct psn_client facts = run->client;
    struct psn_vault *vault = run->vault;
    enum psn_code rc = delete_keys(vault, run->client.id, err);

    facts.linked = false;
    facts.key_expires_s = 0;
    facts.keys = (struct psn_client_keys){ 0 };
    if (!rc)
        rc = psn_due_settle(vault, run->client.id, err);
    return rc ? rc : psn_client_put_keys(vault, &facts, NULL, err);
}

static enum psn_code end(const struct psn_own_run *run, const char *proof,
                         struct psn_error *err)
{
    struct psn_vault *vault = run->vault;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    if (rc)
        return rc;
    rc = forget_keys(run, err);
    if (!rc)
        rc = psn_journal_note(vault, run->client.id,
                              &(struct psn_note){ .event = PSN_OWN_PROVED,
                                                  .subject = run->client.id,
                                                  .text = proof },
                              err);
    return psn_vault_end(vault, rc, err);
}

static enum psn_code conclude(const struct psn_own_run *run, enum psn_ovh_reason reason,
                              struct psn_own_access_report *report, struct psn_error *err)
{
    (void)snprintf(report->proof, sizeof report->proof, "OVH refuses the %s: %s",
                   psn_ovh_credential_is_account(psn_own_actor(run)) ? "service account"
                                                                     : "key",
                   psn_ovh_reason_word(reason));
    report->proved_s = run->vault->world.now_s();
    return end(run, report->proof, err);
}

/* The order was given; how OVH took it is seen by the key itself. */
static enum psn_code prove(const struct psn_own_run *run, const struct psn_error *why,
                           struct psn_own_access_report *report, struct psn_error *err)
{
    enum psn_ovh_reason reason = PSN_OVH_REASON_NONE;
    bool is_dead = false;
    enum psn_code rc = PSN_OK;

    for (int i = 0; !rc && !is_dead && i < PROOF_TRIES; i++) {
        if (i > 0)
            psn_ovh_pause(run->ovh, (int64_t)FIRST_WAIT_MS << (i - 1));
        rc = probe(run, &is_dead, &reason, err);
        if (why->code)
            break;
    }
    if (rc)
        return rc;
    if (is_dead)
        return conclude(run, reason, report, err);
    if (why->code && err)
        *err = *why;
    else
        (void)psn_fail(err, PSN_E_UNFINISHED,
                       _("OVH has taken the order, and still lets the key in"));
    rc = why->code ? why->code : PSN_E_UNFINISHED;
    return psn_hint(err, rc, _("run the command again in a few minutes"));
}

static enum psn_code remove_last(const struct psn_own_run *run,
                                 const struct psn_own_item *item,
                                 struct psn_own_access_report *report,
                                 struct psn_error *err)
{
    struct psn_ovh_answer answer = { .outcome = PSN_OVH_NOT_SENT };
    struct psn_error why = { 0 };
    enum psn_code rc =
        note(run, PSN_OWN_ORDERED, item, PSN_OWN_LAST "then OVH refuses us", err);

    if (rc)
        return rc;
    rc = may(run, item) ? psn_ovh_own_remove(run->ovh, &item->finding, &answer, &why)
                        : psn_ovh_logout(run->ovh, &answer, &why);
    if (rc || answer.outcome == PSN_OVH_NOT_SENT) {
        if (err)
            *err = why;
        return why.code;
    }
    if (answer.outcome == PSN_OVH_DONE)
        psn_error_clear(&why);
    rc = prove(run, &why, report, err);
    report->removed += rc == PSN_OK;
    return rc;
}

static enum psn_code remove_all(struct psn_own_run *run,
                                struct psn_own_access_report *report,
                                struct psn_error *err)
{
    enum psn_code rc = psn_own_run_find(run, err);

    if (!rc)
        rc = check_rights(run, err);
    for (size_t i = 0; !rc && i < run->count; i++) {
        const struct psn_own_item *item = &run->items[i];

        if (item->access.is_kept) {
            report->kept++;
        } else if (item->access.is_last) {
            rc = remove_last(run, item, report, err);
        } else {
            rc = remove_one(run, item, err);
            report->removed += rc == PSN_OK;
        }
    }
    return rc;
}

/* The key that acted is refused, and we had ordered that. */
static enum psn_code finish(const struct psn_own_run *run,
                            struct psn_own_access_report *report, struct psn_error *err)
{
    return conclude(run, psn_ovh_last_reason(run->ovh), report, err);
}

enum psn_code psn_own_access_revoke(struct psn_vault *vault, const char *client,
                                    struct psn_own_access_report *ret_report,
                                    struct psn_error *err)
{
    struct psn_own_run run = psn_own_run_init(vault);
    struct psn_own_access_report report = { 0 };
    struct psn_error own = { 0 };
    struct psn_error *at = err ? err : &own;
    enum psn_code rc = psn_own_run_open(&run, client, at);

    if (!rc && !run.ovh)
        report.was_gone = true;
    else if (!rc && run.is_dead)
        rc = finish(&run, &report, at);
    else if (!rc)
        rc = remove_all(&run, &report, at);
    psn_own_run_release(&run);
    if (!rc)
        *ret_report = report;
    return rc;
}
