/*
 * Following changes of contacts. OVH's tasks name the service, but not its kind: which
 * zone, domain or mailbox service a task is of is known from the journal alone, where
 * each was noted before OVH heard of it. A task that is in no journal was asked for
 * elsewhere, by a person on OVH's page: it is followed as well, without its kind.
 */
#include <stdio.h>
#include <string.h>

#include "base/allow.h"
#include "base/i18n.h"
#include "core/contact.h"
#include "ovh/zone.h"

/* --- a run --- */

struct psn_contact_run psn_contact_run_init(struct psn_vault *vault)
{
    return (struct psn_contact_run){ .vault = vault, .client = psn_client_init() };
}

void psn_contact_run_release(struct psn_contact_run *run)
{
    psn_ovh_free(run->ovh);
    psn_contact_list_release(&run->known);
    psn_client_release(&run->client);
    if (run->is_locked)
        psn_vault_unlock_operation(run->vault);
}

static enum psn_code compare_account(void *arg, const struct psn_client *client,
                                     struct psn_error *err)
{
    struct psn_contact_run *run = arg;

    (void)err;
    run->is_shared = run->is_shared || (strcmp(client->id, run->client.id) != 0 &&
                                        strcasecmp(client->nic, run->client.nic) == 0);
    return PSN_OK;
}

/* The second key, or, for reading alone, the first. */
static enum psn_code connect(struct psn_contact_run *run, bool to_change,
                             struct psn_error *err)
{
    struct psn_error why = { 0 };
    enum psn_code rc = psn_client_connect_cut(run->vault, &run->client, &run->ovh, &why);

    run->is_daily = rc == PSN_E_POLICY && !to_change && run->client.linked;
    if (run->is_daily)
        return psn_client_connect(run->vault, &run->client, &run->ovh, err);
    if (rc && err)
        *err = why;
    return rc;
}

enum psn_code psn_contact_run_open(struct psn_contact_run *run, const char *client,
                                   bool to_change, struct psn_error *err)
{
    enum psn_code rc = psn_client_get(run->vault, client, &run->client, err);

    if (!rc)
        rc = psn_vault_lock_operation(run->vault, "handover contacts", err);
    run->is_locked = rc == PSN_OK;
    if (!rc)
        rc = psn_client_each(run->vault, compare_account, run, err);
    if (!rc)
        rc = psn_contact_known(run->vault, client, &run->known, err);
    return rc ? rc : connect(run, to_change, err);
}

enum psn_code psn_contact_run_explain(const struct psn_contact_run *run, enum psn_code rc,
                                      struct psn_error *err)
{
    if (rc != PSN_E_REFUSED || !err ||
        psn_ovh_last_reason(run->ovh) != PSN_OVH_REASON_NO_RULE)
        return rc;
    err->hint[0] = '\0';
    (void)psn_hint(err, rc,
                   _("ask the owner for a key that may: passation ovh link %s "
                     "--for cut"),
                   run->client.id);
    if (run->is_daily)
        err->code = PSN_E_POLICY;
    return err->code;
}

enum psn_code psn_contact_run_services(const struct psn_contact_run *run,
                                       psn_contact_service_fn *each, void *arg,
                                       struct psn_error *err)
{
    const char *domains[PSN_CLIENT_DOMAINS_MAX];
    const struct psn_ovh_contact_scope scope = { domains, run->client.domain_count,
                                                 run->is_shared };

    for (size_t i = 0; i < run->client.domain_count; i++)
        domains[i] = run->client.domains[i];
    return psn_ovh_contact_services(run->ovh, &scope, each, arg, err);
}

void psn_contact_run_mark(const struct psn_contact_run *run,
                          struct psn_contact_change *change)
{
    const char *ours =
        run->client.linked_nic[0] ? run->client.linked_nic : run->client.nic;

    change->from_is_ours = strcasecmp(change->from, ours) == 0;
    change->to_is_ours = strcasecmp(change->to, ours) == 0;
}

static struct psn_contact_change *find_asked(const struct psn_contact_run *run,
                                             const struct psn_contact_change *task)
{
    for (size_t i = 0; i < run->known.count; i++)
        if (run->known.items[i].id == 0 &&
            psn_contact_is_same(&run->known.items[i], task))
            return &run->known.items[i];
    return NULL;
}

enum psn_code psn_contact_run_adopt(struct psn_contact_run *run,
                                    struct psn_contact_change *task,
                                    struct psn_error *err)
{
    struct psn_contact_change *asked = find_asked(run, task);
    enum psn_code rc;

    if (!asked)
        return PSN_OK;
    task->kind = asked->kind;
    memcpy(task->service, asked->service, sizeof task->service);
    rc = psn_contact_note(run->vault, run->client.id, PSN_CONTACT_TASK, task, err);
    if (!rc)
        *asked = *task;
    return rc;
}

/* --- services, facts and zones --- */

enum psn_code psn_contact_services(struct psn_vault *vault, const char *client,
                                   psn_contact_service_fn *each, void *arg,
                                   struct psn_error *err)
{
    struct psn_error own = { 0 };
    struct psn_error *at = err ? err : &own;
    struct psn_contact_run run = psn_contact_run_init(vault);
    enum psn_code rc = psn_contact_run_open(&run, client, false, at);

    if (!rc)
        rc = psn_contact_run_explain(&run, psn_contact_run_services(&run, each, arg, at),
                                     at);
    psn_contact_run_release(&run);
    return rc;
}

enum psn_code psn_contact_domain_facts(struct psn_vault *vault, const char *client,
                                       const char *domain,
                                       struct psn_domain_facts *ret_facts,
                                       struct psn_error *err)
{
    struct psn_error own = { 0 };
    struct psn_error *at = err ? err : &own;
    struct psn_contact_run run = psn_contact_run_init(vault);
    enum psn_code rc = psn_contact_run_open(&run, client, false, at);

    if (!rc)
        rc = psn_contact_run_explain(
            &run, psn_ovh_domain_facts(run.ovh, domain, ret_facts, at), at);
    psn_contact_run_release(&run);
    return rc;
}

enum psn_code psn_contact_zone_file(struct psn_vault *vault, const char *client,
                                    const char *domain, char **ret_text,
                                    struct psn_error *err)
{
    enum {
        ZONE_MAX = 4 * 1024 * 1024
    };
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(ZONE_MAX);
    struct psn_error own = { 0 };
    struct psn_error *at = err ? err : &own;
    struct psn_contact_run run = psn_contact_run_init(vault);
    enum psn_code rc = psn_contact_run_open(&run, client, false, at);

    if (!rc)
        rc = psn_contact_run_explain(&run,
                                     psn_ovh_zone_export(run.ovh, domain, &text, at), at);
    if (!rc)
        rc = psn_buf_take(&text, ret_text, at);
    psn_contact_run_release(&run);
    return rc;
}

/* --- following --- */

struct look {
    struct psn_contact_run *run;
    psn_contact_change_fn *each;
    void *arg;
    struct psn_contact_list open; /* at OVH, now */
    struct psn_names services;    /* names of the client's, where they were needed */
    bool has_services;
};

static enum psn_code tell(const struct look *look, struct psn_contact_change *change,
                          struct psn_error *err)
{
    psn_contact_run_mark(look->run, change);
    return look->each(look->arg, change, err);
}

/* Is the account the contact, where the change was to make it one? */
static bool is_in_force(const struct psn_contact_change *change,
                        const struct psn_contact_service *service)
{
    return (!change->admin || strcasecmp(service->admin, change->to) == 0) &&
           (!change->tech || strcasecmp(service->tech, change->to) == 0) &&
           (!change->billing || strcasecmp(service->billing, change->to) == 0);
}

/* OVH lists the task no more: what came of it is seen by the service itself. */
static enum psn_code conclude(const struct look *look, struct psn_contact_change *change,
                              struct psn_error *err)
{
    int64_t now_s = look->run->vault->world.now_s();
    struct psn_contact_service service;
    bool is_gone = true;
    enum psn_code rc = PSN_OK;

    change->done_s = now_s;
    change->state = now_s >= change->ends_s ? PSN_CONTACT_EXPIRED : PSN_CONTACT_ABORTED;
    if (change->kind != PSN_CONTACT_UNKNOWN)
        rc = psn_allow(PSN_E_NOT_FOUND,
                       psn_ovh_contact_service(look->run->ovh, change->kind,
                                               change->service, &service, err),
                       &is_gone, err);
    if (!rc && !is_gone && is_in_force(change, &service))
        change->state = PSN_CONTACT_DONE;
    return rc;
}

/* One of the journal's, as it stands at OVH. */
static enum psn_code follow(const struct look *look, struct psn_contact_change *change,
                            struct psn_error *err)
{
    struct psn_contact_change now;
    bool is_gone;
    enum psn_code rc = psn_allow(
        PSN_E_NOT_FOUND, psn_ovh_contact_task(look->run->ovh, change->id, &now, err),
        &is_gone, err);

    if (is_gone) {
        rc = conclude(look, change, err);
    } else if (!rc) {
        change->state = now.state;
        change->done_s = now.done_s;
        if (psn_contact_is_over(now.state) && !now.done_s)
            change->done_s = look->run->vault->world.now_s();
    }
    if (!rc && psn_contact_is_over(change->state))
        rc = psn_contact_note(look->run->vault, look->run->client.id,
                              psn_contact_event(change->state), change, err);
    return rc ? rc : tell(look, change, err);
}

static enum psn_code keep_name(void *arg, const struct psn_contact_service *service,
                               struct psn_error *err)
{
    return psn_names_add(arg, service->name, err);
}

/* Is the service one of the client's? */
static enum psn_code is_of_client(struct look *look, const char *service, bool *ret_is,
                                  struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    *ret_is = false;
    if (!look->has_services)
        rc = psn_contact_run_services(look->run, keep_name, &look->services, err);
    look->has_services = rc == PSN_OK;
    for (size_t i = 0; !rc && i < look->services.count; i++)
        *ret_is = *ret_is || strcasecmp(look->services.items[i], service) == 0;
    return rc;
}

/* One of OVH's that the journal does not know. */
static enum psn_code meet(struct look *look, struct psn_contact_change *task,
                          struct psn_error *err)
{
    bool is_ours = false;
    enum psn_code rc = psn_contact_run_adopt(look->run, task, err);

    if (rc || task->kind != PSN_CONTACT_UNKNOWN)
        return rc;
    rc = is_of_client(look, task->service, &is_ours, err);
    if (rc || !is_ours)
        return rc;
    rc = psn_contact_note(look->run->vault, look->run->client.id, PSN_CONTACT_TASK, task,
                          err);
    return rc ? rc : psn_contact_append(&look->run->known, task, err);
}

/* Never answered, and nowhere to be found: when a week has passed, nothing comes any
 * more. */
static enum psn_code wait_for(const struct look *look, struct psn_contact_change *asked,
                              struct psn_error *err)
{
    if (look->run->vault->world.now_s() < asked->ends_s)
        return tell(look, asked, err);
    return psn_contact_note(look->run->vault, look->run->client.id, PSN_CONTACT_DROPPED,
                            asked, err);
}

static enum psn_code look_at_all(struct look *look, struct psn_error *err)
{
    enum psn_code rc =
        psn_ovh_contact_open_tasks(look->run->ovh, psn_contact_collect, &look->open, err);

    for (size_t i = 0; !rc && i < look->open.count; i++)
        if (!psn_contact_find(&look->run->known, look->open.items[i].id))
            rc = meet(look, &look->open.items[i], err);
    for (size_t i = 0; !rc && i < look->run->known.count; i++) {
        struct psn_contact_change *change = &look->run->known.items[i];

        if (change->id == 0)
            rc = wait_for(look, change, err);
        else if (!psn_contact_is_over(change->state))
            rc = follow(look, change, err);
    }
    return rc;
}

enum psn_code psn_contact_look(struct psn_vault *vault, const char *client,
                               psn_contact_change_fn *each, void *arg,
                               struct psn_error *err)
{
    struct psn_error own = { 0 };
    struct psn_error *at = err ? err : &own;
    struct psn_contact_run run = psn_contact_run_init(vault);
    struct look look = { .run = &run, .each = each, .arg = arg };
    enum psn_code rc = psn_contact_run_open(&run, client, false, at);

    if (!rc)
        rc = psn_contact_run_explain(&run, look_at_all(&look, at), at);
    psn_contact_list_release(&look.open);
    psn_names_release(&look.services);
    psn_contact_run_release(&run);
    return rc;
}
