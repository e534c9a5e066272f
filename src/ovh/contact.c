#include "ovh/contact.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/allow.h"
#include "base/i18n.h"
#include "base/text.h"
#include "ovh/backend.h"

const char *const psn_contact_members[PSN_CONTACT_ROLES] = {
    [PSN_CONTACT_ADMIN] = "contactAdmin",
    [PSN_CONTACT_TECH] = "contactTech",
    [PSN_CONTACT_BILLING] = "contactBilling",
};

static const struct {
    const char *word;
    struct psn_contact_place place;
} kinds[PSN_CONTACT_KINDS] = {
    [PSN_CONTACT_MAIL] = { "mail",
                           { .infos = "/email/domain/*/serviceInfos",
                             .change = "/email/domain/*/changeContact" } },
    [PSN_CONTACT_DOMAIN] = { "domain",
                             { .id = "domain",
                               .what = N_("domain name"),
                               .infos = "/domain/*/serviceInfos",
                               .change = "/domain/*/changeContact" } },
    [PSN_CONTACT_ZONE] = { "zone",
                           { .id = "zone",
                             .what = N_("DNS zone"),
                             .infos = "/domain/zone/*/serviceInfos",
                             .change = "/domain/zone/*/changeContact" } },
    [PSN_CONTACT_HOSTING] = { "hosting",
                              { .id = "hosting",
                                .what = N_("web hosting"),
                                .infos = "/hosting/web/*/serviceInfos",
                                .change = "/hosting/web/*/changeContact" } },
    [PSN_CONTACT_PRO] = { "pro",
                          { .id = "pro",
                            .infos = "/email/pro/*/serviceInfos",
                            .change = "/email/pro/*/changeContact" } },
    [PSN_CONTACT_UNKNOWN] = { .word = "service" },
};

static const struct {
    const char *name; /* as OVH has it */
    enum psn_contact_state state;
    bool is_over;
} states[] = {
    /* Those that have not ended stand in the order in which a task goes through them. */
    { "todo", PSN_CONTACT_CHECKING, false },
    { "checkValidity", PSN_CONTACT_CHECKING, false },
    { "validatingByCustomers", PSN_CONTACT_WAITING, false },
    { "doing", PSN_CONTACT_DOING, false },
    { "done", PSN_CONTACT_DONE, true },
    { "refused", PSN_CONTACT_REFUSED, true },
    { "aborted", PSN_CONTACT_ABORTED, true },
    { "error", PSN_CONTACT_FAILED, true },
    { "expired", PSN_CONTACT_EXPIRED, true },
};

enum {
    STATES = sizeof states / sizeof *states,
    TASKS_MAX = 10000,
};

const char *psn_contact_kind_name(enum psn_contact_kind kind)
{
    return (unsigned)kind < PSN_CONTACT_KINDS ? kinds[kind].word : "service";
}

bool psn_contact_is_over(enum psn_contact_state state)
{
    for (size_t i = 0; i < STATES; i++)
        if (states[i].state == state)
            return states[i].is_over;
    return false;
}

const struct psn_contact_place *psn_contact_place_of(enum psn_contact_kind kind)
{
    return &kinds[kind].place;
}

bool psn_contact_is_nic(const char *nic)
{
    size_t length = 0;

    for (; nic[length]; length++)
        if (!psn_text_is_lower(nic[length]) && !psn_text_is_upper(nic[length]) &&
            !psn_text_is_digit(nic[length]) && !strchr("-._@", nic[length]))
            return false;
    return length > 0 && length < PSN_CONTACT_NIC_MAX;
}

static enum psn_code garbage(struct psn_error *err, const char *member)
{
    return psn_fail(err, PSN_E_NETWORK,
                    _("garbage from the server (member '%s' is missing or of a wrong "
                      "kind)"),
                    member);
}

/* --- services --- */

/* A contact may be nobody; a member that is there is an account. */
static enum psn_code read_nic(const json_t *value, const char *member,
                              char nic[PSN_CONTACT_NIC_MAX], struct psn_error *err)
{
    enum psn_code rc =
        psn_json_text_or_empty(value, member, nic, PSN_CONTACT_NIC_MAX, err);

    return !rc && nic[0] && !psn_contact_is_nic(nic) ? garbage(err, member) : rc;
}

static enum psn_code read_service(const json_t *value,
                                  struct psn_contact_service *service,
                                  struct psn_error *err)
{
    char *const nics[PSN_CONTACT_ROLES] = { service->admin, service->tech,
                                            service->billing };
    enum psn_code rc = psn_json_expect_object(value, err);

    for (size_t i = 0; !rc && i < PSN_CONTACT_ROLES; i++)
        rc = read_nic(value, psn_contact_members[i], nics[i], err);
    return rc;
}

enum psn_code psn_ovh_contact_service(struct psn_ovh *ovh, enum psn_contact_kind kind,
                                      const char *name,
                                      struct psn_contact_service *ret_service,
                                      struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    struct psn_contact_service service = { .kind = kind };
    enum psn_code rc;

    if (strlen(name) >= sizeof service.name)
        return psn_fail(err, PSN_E_NETWORK,
                        _("garbage from the server (a name that cannot be one)"));
    (void)snprintf(service.name, sizeof service.name, "%s", name);
    rc = psn_ovh_get_at(ovh, kinds[kind].place.infos, PSN_OVH_PARTS(name), &value, err);
    if (!rc)
        rc = read_service(value, &service, err);
    if (rc)
        return psn_wrap(err, rc, "%s %s", kinds[kind].word, name);
    *ret_service = service;
    return PSN_OK;
}

/* What is not in this account is no service of the client's here. */
static enum psn_code tell(struct psn_ovh *ovh, enum psn_contact_kind kind,
                          const char *name, psn_contact_service_fn *each, void *arg,
                          struct psn_error *err)
{
    struct psn_contact_service service;
    bool is_none;
    enum psn_code rc =
        psn_allow(PSN_E_NOT_FOUND,
                  psn_ovh_contact_service(ovh, kind, name, &service, err), &is_none, err);

    return rc || is_none ? rc : each(arg, &service, err);
}

/* "acme.fr", or below it "www.acme.fr" */
static bool is_of_domains(const struct psn_ovh_contact_scope *scope, const char *name)
{
    size_t length = strlen(name);

    for (size_t i = 0; i < scope->domain_count; i++) {
        size_t tail = strlen(scope->domains[i]);

        if (tail <= length && strcasecmp(name + length - tail, scope->domains[i]) == 0 &&
            (tail == length || name[length - tail - 1] == '.'))
            return true;
    }
    return false;
}

static enum psn_code tell_hostings(struct psn_ovh *ovh,
                                   const struct psn_ovh_contact_scope *scope,
                                   psn_contact_service_fn *each, void *arg,
                                   struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) names = { NULL, 0 };
    PSN_AUTO_JSON *list = NULL;
    enum psn_code rc =
        psn_ovh_get_at(ovh, "/hosting/web", PSN_OVH_PARTS(NULL), &list, err);

    if (!rc)
        rc = psn_names_read(list, &names, err);
    for (size_t i = 0; !rc && i < names.count; i++)
        if (!scope->named_hostings_only || is_of_domains(scope, names.items[i]))
            rc = tell(ovh, PSN_CONTACT_HOSTING, names.items[i], each, arg, err);
    return rc;
}

static bool has_domain(const struct psn_ovh_contact_scope *scope,
                       const struct psn_names *domains)
{
    for (size_t i = 0; i < domains->count; i++)
        for (size_t j = 0; j < scope->domain_count; j++)
            if (strcasecmp(domains->items[i], scope->domains[j]) == 0)
                return true;
    return false;
}

static enum psn_code tell_pro(struct psn_ovh *ovh,
                              const struct psn_ovh_contact_scope *scope,
                              psn_contact_service_fn *each, void *arg,
                              struct psn_error *err)
{
    const struct psn_backend_table *table = psn_backend_table(PSN_BACKEND_EMAIL_PRO);
    PSN_AUTO_RELEASE(psn_services) services = { NULL, 0 };
    bool is_none; /* in this region */
    enum psn_code rc = psn_allow(
        PSN_E_NOT_FOUND, table->services(ovh, NULL, &services, err), &is_none, err);

    if (is_none)
        return PSN_OK;
    for (size_t i = 0; !rc && i < services.count; i++) {
        struct psn_service *service = services.items[i];

        rc = table->domains(ovh, service, &service->domains, err);
        if (!rc && has_domain(scope, &service->domains))
            rc = tell(ovh, PSN_CONTACT_PRO, service->place.service, each, arg, err);
    }
    return rc;
}

enum psn_code psn_ovh_contact_services(struct psn_ovh *ovh,
                                       const struct psn_ovh_contact_scope *scope,
                                       psn_contact_service_fn *each, void *arg,
                                       struct psn_error *err)
{
    static const enum psn_contact_kind of_domain[] = { PSN_CONTACT_DOMAIN,
                                                       PSN_CONTACT_ZONE,
                                                       PSN_CONTACT_MAIL };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; i < scope->domain_count; i++)
        for (size_t k = 0; !rc && k < sizeof of_domain / sizeof *of_domain; k++)
            rc = tell(ovh, of_domain[k], scope->domains[i], each, arg, err);
    if (!rc)
        rc = tell_hostings(ovh, scope, each, arg, err);
    return rc ? rc : tell_pro(ovh, scope, each, arg, err);
}

/* --- changing --- */

static enum psn_code read_ids(const json_t *list, struct psn_contact_ids *ids,
                              struct psn_error *err)
{
    if (!json_is_array(list) || json_array_size(list) > PSN_CONTACT_ROLES)
        return garbage(err, "changeContact");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);

        if (!json_is_integer(item) || json_integer_value(item) <= 0)
            return garbage(err, "changeContact");
        ids->id[ids->count++] = json_integer_value(item);
    }
    return PSN_OK;
}

/* The accounts have been checked: nothing in them has to be escaped. */
static enum psn_code change_body(const char *const to[PSN_CONTACT_ROLES],
                                 struct psn_secret **ret_body, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(512);
    enum psn_code rc;

    for (size_t i = 0; i < PSN_CONTACT_ROLES; i++)
        if (to[i][0])
            psn_buf_format(&text, "%c\"%s\":\"%s\"", text.size ? ',' : '{',
                           psn_contact_members[i], to[i]);
    psn_buf_char(&text, '}');
    rc = psn_buf_check(&text, err);
    return rc ? rc : psn_secret_copy(text.data, text.size, ret_body, err);
}

enum psn_code psn_ovh_contact_change(struct psn_ovh *ovh,
                                     const struct psn_contact_service *service,
                                     const char *const to[PSN_CONTACT_ROLES],
                                     struct psn_ovh_answer *ret_answer,
                                     struct psn_contact_ids *ret_ids,
                                     struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO(psn_secret) *body = NULL;
    PSN_AUTO_JSON *value = NULL;
    struct psn_ovh_change change = { .method = "POST", .path = &path };
    enum psn_code rc = psn_ovh_path(&path, kinds[service->kind].place.change,
                                    PSN_OVH_PARTS(service->name), err);

    *ret_ids = (struct psn_contact_ids){ .count = 0 };
    if (!rc)
        rc = change_body(to, &body, err);
    if (rc)
        return rc;
    change.body = body;
    psn_ovh_send(ovh, &change, ret_answer, &value, err);
    /* What answers nonsense may have done it all the same. */
    if (ret_answer->outcome == PSN_OVH_DONE && read_ids(value, ret_ids, err))
        ret_answer->outcome = PSN_OVH_UNKNOWN;
    return PSN_OK;
}

/* --- tasks --- */

static enum psn_code read_types(const json_t *list, struct psn_contact_change *change,
                                struct psn_error *err)
{
    bool *const flags[PSN_CONTACT_ROLES] = { &change->admin, &change->tech,
                                             &change->billing };

    if (!json_is_array(list) || json_array_size(list) == 0)
        return garbage(err, "contactTypes");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *word = json_string_value(json_array_get(list, i));
        bool known = false;

        for (size_t k = 0; word && k < PSN_CONTACT_ROLES; k++)
            if (strcmp(word, psn_contact_members[k]) == 0)
                known = *flags[k] = true;
        if (!known)
            return garbage(err, "contactTypes");
    }
    return PSN_OK;
}

static enum psn_code read_state(const json_t *value, struct psn_contact_change *change,
                                struct psn_error *err)
{
    char word[32];
    enum psn_code rc = psn_json_text(value, "state", word, sizeof word, err);

    for (size_t i = 0; !rc && i < STATES; i++)
        if (strcmp(states[i].name, word) == 0) {
            change->state = states[i].state;
            return PSN_OK;
        }
    return rc ? rc : garbage(err, "state");
}

static enum psn_code read_sides(const json_t *value, struct psn_contact_change *change,
                                struct psn_error *err)
{
    enum psn_code rc = psn_json_text_or_empty(value, "serviceDomain", change->service,
                                              sizeof change->service, err);

    if (!rc && !psn_text_is_plain(change->service, strlen(change->service)))
        rc = garbage(err, "serviceDomain");
    if (!rc)
        rc = read_nic(value, "fromAccount", change->from, err);
    if (!rc)
        rc = read_nic(value, "toAccount", change->to, err);
    if (!rc && (!change->from[0] || !change->to[0]))
        rc = garbage(err, change->from[0] ? "toAccount" : "fromAccount");
    return rc;
}

static enum psn_code read_task(const json_t *value, int64_t id,
                               struct psn_contact_change *change, struct psn_error *err)
{
    enum psn_code rc = psn_json_expect_object(value, err);

    if (!rc)
        rc = psn_json_int(value, "id", &change->id, err);
    if (!rc && change->id != id)
        rc = garbage(err, "id");
    if (!rc)
        rc = read_types(json_object_get(value, "contactTypes"), change, err);
    if (!rc)
        rc = read_sides(value, change, err);
    if (!rc)
        rc = read_state(value, change, err);
    if (!rc)
        rc = psn_json_time_or_0(value, "dateRequest", &change->asked_s, err);
    if (!rc)
        rc = psn_json_time_or_0(value, "dateDone", &change->done_s, err);
    change->ends_s = change->asked_s ? change->asked_s + PSN_CONTACT_WEEK_S : 0;
    return rc;
}

enum psn_code psn_ovh_contact_task(struct psn_ovh *ovh, int64_t id,
                                   struct psn_contact_change *ret_change,
                                   struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    struct psn_contact_change change = { .kind = PSN_CONTACT_UNKNOWN };
    char number[24];
    enum psn_code rc;

    (void)snprintf(number, sizeof number, "%lld", (long long)id);
    rc = psn_ovh_get_at(ovh, "/me/task/contactChange/*", PSN_OVH_PARTS(number), &value,
                        err);
    if (!rc)
        rc = read_task(value, id, &change, err);
    if (rc)
        return psn_wrap(err, rc, _("change of contacts %s"), number);
    *ret_change = change;
    return PSN_OK;
}

static int compare_ids(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a;
    int64_t right = *(const int64_t *)b;

    return (left > right) - (left < right);
}

/* The numbers of all tasks in one state, behind those that are there. */
static enum psn_code add_ids(struct psn_ovh *ovh, const char *state, int64_t **ids,
                             size_t *count, struct psn_error *err)
{
    PSN_AUTO_JSON *list = NULL;
    int64_t *grown;
    enum psn_code rc = psn_ovh_get_at(ovh, "/me/task/contactChange?state=*",
                                      PSN_OVH_PARTS(state), &list, err);

    if (!rc)
        rc = psn_json_expect_array(list, err);
    if (rc)
        return rc;
    if (*count + json_array_size(list) > TASKS_MAX)
        return psn_fail(err, PSN_E_NETWORK,
                        _("garbage from the server (a list without an end)"));
    grown = reallocarray(*ids, *count + json_array_size(list) + 1, sizeof *grown);
    if (!grown)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    *ids = grown;
    for (size_t i = 0; i < json_array_size(list); i++) {
        if (!json_is_integer(json_array_get(list, i)))
            return garbage(err, "contactChange");
        grown[(*count)++] = json_integer_value(json_array_get(list, i));
    }
    return PSN_OK;
}

/* State by state, in the order in which tasks move: one that moves on meanwhile is seen
 * twice, not missed. */
enum psn_code psn_ovh_contact_open_tasks(struct psn_ovh *ovh, psn_contact_change_fn *each,
                                         void *arg, struct psn_error *err)
{
    PSN_AUTO_FREE int64_t *ids = NULL;
    size_t count = 0;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < STATES && !states[i].is_over; i++)
        rc = add_ids(ovh, states[i].name, &ids, &count, err);
    if (!rc && count > 1)
        qsort(ids, count, sizeof *ids, compare_ids);
    for (size_t i = 0; !rc && i < count; i++) {
        struct psn_contact_change change;
        bool is_gone;

        if (i > 0 && ids[i] == ids[i - 1])
            continue;
        rc = psn_allow(PSN_E_NOT_FOUND, psn_ovh_contact_task(ovh, ids[i], &change, err),
                       &is_gone, err);
        if (!rc && !is_gone)
            rc = each(arg, &change, err);
    }
    return rc;
}

/* --- answering --- */

/* body and hidden: or NULL. */
static enum psn_code post(struct psn_ovh *ovh, const char *pattern, int64_t id,
                          const struct psn_ovh_change *what,
                          struct psn_ovh_answer *ret_answer, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO_JSON *value = NULL;
    const struct psn_ovh_change change = {
        .method = "POST", .path = &path, .body = what->body, .hidden = what->hidden
    };
    char number[24];
    enum psn_code rc;

    (void)snprintf(number, sizeof number, "%lld", (long long)id);
    rc = psn_ovh_path(&path, pattern, PSN_OVH_PARTS(number), err);
    if (!rc)
        psn_ovh_send(ovh, &change, ret_answer, &value, err);
    return rc;
}

enum psn_code psn_ovh_contact_answer(struct psn_ovh *ovh, int64_t id, bool accept,
                                     const struct psn_secret *token,
                                     struct psn_ovh_answer *ret_answer,
                                     struct psn_error *err)
{
    PSN_AUTO(psn_secret) *body = NULL;
    struct psn_ovh_change change = { .hidden = token };
    enum psn_code rc = psn_secret_new(64 + 6 * psn_secret_size(token), &body, err);

    if (!rc)
        rc = psn_body_text(body, "{\"token\":", err);
    if (!rc)
        rc = psn_body_string(body, psn_secret_bytes(token), psn_secret_size(token), err);
    if (!rc)
        rc = psn_body_text(body, "}", err);
    if (rc)
        return rc;
    change.body = body;
    return post(ovh,
                accept ? "/me/task/contactChange/*/accept"
                       : "/me/task/contactChange/*/refuse",
                id, &change, ret_answer, err);
}

enum psn_code psn_ovh_contact_resend(struct psn_ovh *ovh, int64_t id,
                                     struct psn_ovh_answer *ret_answer,
                                     struct psn_error *err)
{
    const struct psn_ovh_change change = { 0 };

    return post(ovh, "/me/task/contactChange/*/resendEmail", id, &change, ret_answer,
                err);
}
