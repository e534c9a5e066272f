/*
 * Finding what is ours in a client's account.
 *
 * Keys are ours by their application: OVH tells the application key of each, and the
 * vault has ours. So are keys found that were replaced long ago. In an account that two
 * clients of the vault share, with one application, that would be the other's key as
 * well: there only the keys themselves count, each asked which it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "base/text.h"
#include "core/journal.h"
#include "core/own_access.h"
#include "core/rights.h"
#include "ovh/call.h"
#include "ovh/own.h"

struct psn_own_run psn_own_run_init(struct psn_vault *vault)
{
    return (struct psn_own_run){ .vault = vault, .client = psn_client_init() };
}

void psn_own_run_release(struct psn_own_run *run)
{
    psn_ovh_free(run->ovh);
    free(run->info);
    free(run->items);
    free(run->past.ordered);
    psn_credentials_release(&run->all);
    psn_client_release(&run->client);
    if (run->is_locked)
        psn_vault_unlock_operation(run->vault);
}

/* --- what the journal says --- */

static void forget_order(struct psn_own_past *past, const char *id)
{
    for (size_t i = 0; i < past->ordered_count; i++)
        if (strcmp(past->ordered[i], id) == 0) {
            past->ordered_count--;
            memmove(past->ordered[i], past->ordered[past->ordered_count],
                    sizeof past->ordered[i]);
            return;
        }
}

static enum psn_code remember_order(struct psn_own_past *past, const char *id,
                                    struct psn_error *err)
{
    enum psn_code rc;

    forget_order(past, id);
    rc = PSN_GROW(past->ordered, past->ordered_count, err);
    if (!rc)
        (void)snprintf(past->ordered[past->ordered_count++], sizeof *past->ordered,
                       "%.159s", id);
    return rc;
}

/* A key that was linked since has not been removed by what was ordered before. */
static enum psn_code take_entry(void *arg, const struct psn_journal_entry *entry,
                                struct psn_error *err)
{
    struct psn_own_past *past = arg;

    if (strncmp(entry->event, "ovh.linked", 10) == 0)
        past->last_ordered = past->is_proved = past->is_begun = false;
    else if (strcmp(entry->event, PSN_OWN_PROVED) == 0)
        past->is_proved = true;
    else if (strcmp(entry->event, PSN_OWN_GONE) == 0)
        forget_order(past, entry->subject);
    else if (strcmp(entry->event, PSN_OWN_ORDERED) == 0) {
        past->is_begun = true;
        if (strncmp(entry->text, PSN_OWN_LAST, strlen(PSN_OWN_LAST)) == 0) {
            past->last_ordered = true;
            past->last_is_application =
                strncmp(entry->subject, "api_application:", 16) == 0;
        } else
            return remember_order(past, entry->subject, err);
    }
    return PSN_OK;
}

enum psn_code psn_own_access_is_begun(struct psn_vault *vault, const char *client,
                                      bool *ret_is, struct psn_error *err)
{
    struct psn_own_past past = { 0 };
    enum psn_code rc = psn_journal_each(vault, client, 0, take_entry, &past, err);

    *ret_is = !rc && past.is_begun;
    free(past.ordered);
    return rc;
}

static bool was_ordered(const struct psn_own_run *run, const char *id)
{
    for (size_t i = 0; i < run->past.ordered_count; i++)
        if (strcmp(run->past.ordered[i], id) == 0)
            return true;
    return false;
}

/* --- whose the applications are --- */

static bool has_application(const struct psn_credentials *all,
                            const struct psn_secret *key)
{
    for (size_t use = 0; use < PSN_KEY_USES; use++) {
        const struct psn_secret *one = all->of[use].application_key;
        const struct psn_secret *asked = all->asked[use].credential.application_key;

        if ((one && psn_secret_equal(one, key)) ||
            (asked && psn_secret_equal(asked, key)))
            return true;
    }
    return false;
}

/* One key for two: with it would go what the other client is worked for with. */
static bool is_one_key(const struct psn_credentials *all,
                       const struct psn_credentials *others)
{
    for (size_t i = 0; i < (size_t)PSN_KEY_USES * PSN_KEY_USES; i++) {
        const struct psn_ovh_credential *a = &all->of[i / PSN_KEY_USES];
        const struct psn_ovh_credential *b = &others->of[i % PSN_KEY_USES];

        if ((a->consumer_key && b->consumer_key &&
             psn_secret_equal(a->consumer_key, b->consumer_key)) ||
            (a->client_id && b->client_id &&
             psn_secret_equal(a->client_id, b->client_id)))
            return true;
    }
    return false;
}

static enum psn_code compare_client(void *arg, const char *id, struct psn_error *err)
{
    struct psn_own_run *run = arg;
    PSN_AUTO_RELEASE(psn_credentials) all = { 0 };
    struct psn_client client = psn_client_init();
    bool is_here;
    enum psn_code rc;

    if (strcmp(id, run->client.id) == 0)
        return PSN_OK;
    rc = psn_client_read(run->vault, id, &client, err);
    is_here = !rc && strcasecmp(client.nic, run->client.nic) == 0;
    psn_client_release(&client);
    if (!rc)
        rc = psn_credentials_get(run->vault, id, &all, NULL);
    if (rc == PSN_E_NOT_FOUND)
        return PSN_OK;
    if (rc)
        return psn_fail(err, rc, _("cannot read the API credential of '%s'"), id);
    if (is_one_key(&run->all, &all))
        (void)snprintf(run->same_key, sizeof run->same_key, "%s", id);
    for (size_t i = 0; i < PSN_OWN_APPLICATIONS; i++) {
        struct psn_own_application *ours = &run->applications[i];

        if (!ours->key || !has_application(&all, ours->key))
            continue;
        ours->is_shared = true;
        ours->is_shared_here = ours->is_shared_here || is_here;
    }
    return PSN_OK;
}

static enum psn_code read_vault(struct psn_own_run *run, const char *client,
                                struct psn_error *err)
{
    struct psn_vault *vault = run->vault;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_client_read(vault, client, &run->client, err);
    if (!rc)
        rc = psn_credentials_get(vault, client, &run->all, NULL);
    if (rc == PSN_E_NOT_FOUND && run->client.id[0])
        rc = PSN_OK;
    else if (rc && run->client.id[0])
        rc = psn_fail(err, rc, _("cannot read the API credential of '%s'"), client);
    for (size_t use = 0; use < PSN_KEY_USES; use++) {
        run->applications[2 * use].key = run->all.of[use].application_key;
        run->applications[2 * use + 1].key =
            run->all.asked[use].credential.application_key;
    }
    if (!rc)
        rc = psn_client_ids(vault, compare_client, run, err);
    return psn_vault_end(vault, rc, err);
}

static enum psn_code fail_same_key(const struct psn_own_run *run, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_POLICY,
                   _("the client '%s' has the same key: it would be removed, too"),
                   run->same_key);
    return psn_hint(err, PSN_E_POLICY,
                    _("give him one of his own first: passation ovh link %s --new"),
                    run->same_key);
}

enum psn_code psn_own_access_check_alone(struct psn_vault *vault, const char *client,
                                         struct psn_error *err)
{
    struct psn_own_run run = psn_own_run_init(vault);
    enum psn_code rc = read_vault(&run, client, err);

    if (!rc && run.same_key[0])
        rc = fail_same_key(&run, err);
    psn_own_run_release(&run);
    return rc;
}

/* Of ours, or NULL. */
static const struct psn_own_application *find_application(const struct psn_own_run *run,
                                                          const char *key)
{
    for (size_t i = 0; i < PSN_OWN_APPLICATIONS; i++) {
        const struct psn_secret *ours = run->applications[i].key;

        if (ours && psn_secret_size(ours) == strlen(key) &&
            memcmp(psn_secret_bytes(ours), key, strlen(key)) == 0)
            return &run->applications[i];
    }
    return NULL;
}

/* --- opening --- */

bool psn_own_is_dead(const struct psn_ovh *ovh, bool is_account)
{
    enum psn_ovh_reason reason = psn_ovh_last_reason(ovh);

    return reason == PSN_OVH_REASON_APPLICATION || reason == PSN_OVH_REASON_NO_KEY ||
           reason == PSN_OVH_REASON_KEY_ENDED || reason == PSN_OVH_REASON_KEY_EXPIRED ||
           reason == PSN_OVH_REASON_KEY_REVOKED || reason == PSN_OVH_REASON_TOKEN ||
           (is_account && reason == PSN_OVH_REASON_NONE);
}

/* The second key while its day lasts, or after it if it may have removed itself. */
static enum psn_code choose_actor(struct psn_own_run *run, struct psn_error *err)
{
    bool has_cut = psn_credential_is_whole(&run->all.of[PSN_KEY_CUT]);
    bool lasts = run->client.keys.cut_expires_s > run->vault->world.now_s();

    run->use = has_cut && (lasts || run->past.last_ordered) ? PSN_KEY_CUT : PSN_KEY_WORK;
    if (run->use == PSN_KEY_CUT)
        return PSN_OK;
    if (!psn_credential_is_whole(psn_own_actor(run))) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("the client '%s' is not linked to its OVH account"),
                       run->client.id);
    } else if (psn_ovh_credential_is_account(psn_own_actor(run))) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("what the service account of '%s' may do cannot be asked: it "
                         "may be unable to remove itself"),
                       run->client.id);
    } else {
        return PSN_OK;
    }
    return psn_hint(
        err, PSN_E_POLICY,
        _("ask the owner for a key that may: passation ovh link %s --for cut"),
        run->client.id);
}

/* A key whose day is over is refused in any case: that tells nothing of the application
 * that was to go with it. */
static bool is_proof(const struct psn_own_run *run, bool is_account)
{
    bool lasts = run->use == PSN_KEY_WORK ||
                 run->client.keys.cut_expires_s > run->vault->world.now_s();

    return psn_own_is_dead(run->ovh, is_account) && run->past.last_ordered &&
           (lasts || !run->past.last_is_application ||
            psn_ovh_last_reason(run->ovh) == PSN_OVH_REASON_APPLICATION);
}

/* Which key it is that acts, and whether it lives. */
static enum psn_code ask_actor(struct psn_own_run *run, struct psn_error *err)
{
    bool is_account = psn_ovh_credential_is_account(psn_own_actor(run));
    struct psn_error why = { 0 };
    struct psn_ovh_details details;
    enum psn_code rc;

    if (!is_account) {
        run->info = calloc(1, sizeof *run->info);
        if (!run->info)
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    rc = is_account ? psn_ovh_details(run->ovh, &details, &why)
                    : psn_ovh_key_info(run->ovh, run->info, &why);
    if (rc == PSN_E_REFUSED && is_proof(run, is_account)) {
        run->is_dead = true;
        return PSN_OK;
    }
    if (!rc)
        return PSN_OK;
    if (err)
        *err = why;
    if (rc != PSN_E_REFUSED || !psn_own_is_dead(run->ovh, is_account))
        return rc;
    if (err)
        err->hint[0] = '\0';
    return psn_hint(err, rc,
                    _("whether all of ours is removed is not known; ask the owner for a "
                      "key that may look: passation ovh link %s --for cut"),
                    run->client.id);
}

enum psn_code psn_own_run_open(struct psn_own_run *run, const char *client,
                               struct psn_error *err)
{
    enum psn_code rc = psn_vault_lock_operation(run->vault, "own access", err);

    run->is_locked = rc == PSN_OK;
    if (!rc)
        rc = read_vault(run, client, err);
    if (!rc)
        rc = psn_journal_each(run->vault, client, 0, take_entry, &run->past, err);
    if (!rc && run->past.is_proved)
        return PSN_OK;
    if (!rc && run->same_key[0])
        rc = fail_same_key(run, err);
    if (!rc)
        rc = choose_actor(run, err);
    if (!rc)
        rc = psn_client_open_account(run->vault, &run->client, psn_own_actor(run),
                                     &run->ovh, err);
    return rc ? rc : ask_actor(run, err);
}

/* --- finding --- */

static enum psn_code add(struct psn_own_run *run, const struct psn_own_item *item,
                         struct psn_error *err)
{
    enum psn_code rc;

    for (size_t i = 0; i < run->count; i++)
        if (strcmp(run->items[i].access.id, item->access.id) == 0)
            return PSN_OK;
    rc = PSN_GROW(run->items, run->count, err);
    if (!rc)
        run->items[run->count++] = *item;
    return rc;
}

/* What the account shows: one of ours? */
static bool is_own_key(const struct psn_own_run *run, const struct psn_ovh_own *seen)
{
    const struct psn_own_application *application =
        find_application(run, seen->application_key);

    return was_ordered(run, seen->finding.id) ||
           (application && !application->is_shared_here);
}

static bool is_own_account(const struct psn_own_run *run, const char *client_id)
{
    const struct psn_secret *id = run->all.of[PSN_KEY_WORK].client_id;

    return id && run->use != PSN_KEY_WORK && psn_secret_size(id) == strlen(client_id) &&
           memcmp(psn_secret_bytes(id), client_id, strlen(client_id)) == 0;
}

static bool is_actor(const struct psn_own_run *run, const char *id)
{
    char own[PSN_FINDING_ID_MAX];

    if (!run->info)
        return false;
    (void)snprintf(own, sizeof own, "api_key:%lld", (long long)run->info->credential_id);
    return strcmp(own, id) == 0;
}

static void keep(struct psn_own_item *item, bool is_kept, const char *why)
{
    item->access.is_kept = is_kept;
    if (is_kept)
        (void)snprintf(item->access.detail, sizeof item->access.detail, "%s", why);
}

/* A key that has ended is nobody's access: where it cannot be removed, it may stay. */
static bool is_harmless(const struct psn_own_run *run, const struct psn_ovh_own *seen)
{
    return seen->is_over && run->info &&
           !psn_rights_allow(run->info, seen->finding.method, seen->finding.path);
}

static enum psn_code take_seen(void *arg, const struct psn_ovh_own *seen,
                               struct psn_error *err)
{
    struct psn_own_run *run = arg;
    const struct psn_own_application *application =
        find_application(run, seen->application_key);
    struct psn_own_item item = { .finding = seen->finding };
    bool is_ours;

    item.access.kind = seen->finding.kind;
    (void)snprintf(item.access.id, sizeof item.access.id, "%s", seen->finding.id);
    (void)snprintf(item.access.detail, sizeof item.access.detail, "%s",
                   seen->finding.detail);
    if (seen->finding.kind == PSN_FINDING_API_KEY) {
        is_ours = is_own_key(run, seen) && !is_actor(run, item.access.id);
        keep(&item, is_harmless(run, seen), _("kept: it has ended"));
    } else if (seen->finding.kind == PSN_FINDING_API_APP) {
        is_ours = application != NULL;
        keep(&item, is_ours && application->is_shared,
             _("kept: other clients of the vault use this application"));
    } else {
        is_ours = is_own_account(run, seen->client_id);
        keep(&item, seen->names_others || !seen->finding.method[0],
             _("kept: it names others, too, and nobody of us any more"));
    }
    return is_ours ? add(run, &item, err) : PSN_OK;
}

/* The key for daily work, where its application does not tell that it is ours. One that
 * OVH has ended is no key any more; a refusal for another reason tells nothing. */
static enum psn_code find_daily(struct psn_own_run *run, struct psn_error *err)
{
    PSN_AUTO(psn_ovh) *ovh = NULL;
    PSN_AUTO_FREE struct psn_ovh_key_info *info = calloc(1, sizeof *info);
    const struct psn_ovh_credential *daily = &run->all.of[PSN_KEY_WORK];
    struct psn_own_item item = { .access.kind = PSN_FINDING_API_KEY };
    struct psn_error why = { 0 };
    enum psn_code rc;

    if (!info)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (run->use == PSN_KEY_WORK || !daily->consumer_key)
        return PSN_OK;
    rc = psn_client_open_account(run->vault, &run->client, daily, &ovh, err);
    if (rc)
        return rc;
    rc = psn_ovh_key_info(ovh, info, &why);
    if (rc == PSN_E_REFUSED && psn_own_is_dead(ovh, false))
        return PSN_OK;
    if (rc) {
        if (err)
            *err = why;
        return rc;
    }
    psn_ovh_own_key(info->credential_id, &item.finding);
    (void)snprintf(item.access.id, sizeof item.access.id, "%s", item.finding.id);
    (void)snprintf(item.access.detail, sizeof item.access.detail, "%s",
                   _("the key for daily work"));
    return add(run, &item, err);
}

/* An application of ours in the account goes with the key that acts, if it is that
 * key's; else the key, or the service account. */
static enum psn_code choose_last(struct psn_own_run *run, struct psn_error *err)
{
    struct psn_own_item last = { .access.is_last = true };
    char application[PSN_FINDING_ID_MAX];

    if (run->info)
        (void)snprintf(application, sizeof application, "api_application:%lld",
                       (long long)run->info->application_id);
    for (size_t i = 0; run->info && i < run->count; i++)
        if (!run->items[i].access.is_kept &&
            strcmp(run->items[i].access.id, application) == 0) {
            last = run->items[i];
            last.access.is_last = true;
            memmove(&run->items[i], &run->items[i + 1],
                    (run->count - i - 1) * sizeof *run->items);
            run->count--;
            return add(run, &last, err);
        }
    if (run->info)
        psn_ovh_own_key(run->info->credential_id, &last.finding);
    else
        psn_ovh_own_client((const char *)psn_secret_bytes(psn_own_actor(run)->client_id),
                           &last.finding);
    last.access.kind = last.finding.kind;
    (void)snprintf(last.access.id, sizeof last.access.id, "%s", last.finding.id);
    (void)snprintf(last.access.detail, sizeof last.access.detail, "%s",
                   _("it removes the others, then itself"));
    return add(run, &last, err);
}

enum psn_code psn_own_run_find(struct psn_own_run *run, struct psn_error *err)
{
    bool has_account = psn_ovh_credential_is_account(&run->all.of[PSN_KEY_WORK]) &&
                       run->use != PSN_KEY_WORK;
    enum psn_code rc = find_daily(run, err);

    if (!rc)
        rc = psn_ovh_own_walk(run->ovh, has_account, take_seen, run, err);
    if (rc == PSN_E_REFUSED && psn_ovh_last_reason(run->ovh) == PSN_OVH_REASON_NO_RULE) {
        if (err) {
            err->code = PSN_E_POLICY;
            err->hint[0] = '\0';
        }
        return psn_hint(err, PSN_E_POLICY,
                        _("ask the owner for a key that may: passation ovh link %s --for "
                          "cut"),
                        run->client.id);
    }
    return rc ? rc : choose_last(run, err);
}

/* The key that acts is no step of its own where its application ends it. */
static enum psn_code tell_actor(const struct psn_own_run *run, psn_own_access_fn *each,
                                void *arg, struct psn_error *err)
{
    struct psn_own_access access = { .kind = PSN_FINDING_API_KEY };

    if (!run->info || run->items[run->count - 1].access.kind != PSN_FINDING_API_APP)
        return PSN_OK;
    (void)snprintf(access.id, sizeof access.id, "api_key:%lld",
                   (long long)run->info->credential_id);
    (void)snprintf(access.detail, sizeof access.detail, "%s",
                   _("it removes the others, and goes with its application"));
    return each(arg, &access, err);
}

enum psn_code psn_own_access_list(struct psn_vault *vault, const char *client,
                                  psn_own_access_fn *each, void *arg,
                                  struct psn_error *err)
{
    struct psn_own_run run = psn_own_run_init(vault);
    struct psn_error own = { 0 };
    struct psn_error *at = err ? err : &own;
    enum psn_code rc = psn_own_run_open(&run, client, at);

    if (!rc && run.ovh && !run.is_dead)
        rc = psn_own_run_find(&run, at);
    for (size_t i = 0; !rc && i < run.count; i++) {
        if (i + 1 == run.count)
            rc = tell_actor(&run, each, arg, at);
        if (!rc)
            rc = each(arg, &run.items[i].access, at);
    }
    psn_own_run_release(&run);
    return rc;
}
