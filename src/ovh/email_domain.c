/*
 * /email/domain, the first MX Plan. A change answers a TaskPop, which has no state: only
 * its end can be seen (the id is gone), never how it ended.
 */
#include "ovh/email_domain.h"

#include <stdio.h>
#include <string.h>

#include "base/allow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "ovh/backend.h"

enum {
    NAME_MIN = 2,
    NAME_MAX = 32,
    PASSWORD_MIN = 9,
    PASSWORD_MAX = 30,
};

/* There is one service for each domain, of the same name. */
static enum psn_code services(struct psn_ovh *ovh, const char *domain,
                              struct psn_services *list, struct psn_error *err)
{
    struct psn_service *service;

    (void)ovh;
    if (!domain)
        return PSN_OK;
    service = psn_services_add(list, PSN_BACKEND_EMAIL_DOMAIN, "");
    if (!service)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    service->has_domains = true;
    return psn_names_add(&service->domains, domain, err);
}

static enum psn_code domains(struct psn_ovh *ovh, const struct psn_service *service,
                             struct psn_names *ret_domains, struct psn_error *err)
{
    (void)ovh;
    return psn_names_add(ret_domains, service->domains.items[0], err);
}

static enum psn_code read_service(const json_t *value, const char *domain,
                                  struct psn_service *service, struct psn_error *err)
{
    char named[PSN_OVH_TEXT_MAX];
    enum psn_code rc = psn_json_text(value, "domain", named, sizeof named, err);

    if (rc == PSN_OK)
        rc = psn_json_text_or_empty(value, "status", service->state,
                                    sizeof service->state, err);
    if (rc == PSN_OK)
        rc = psn_json_text_or_empty(value, "offer", service->offer, sizeof service->offer,
                                    err);
    if (rc == PSN_OK)
        rc = psn_json_text_or_empty(value, "migratedMXPlanServiceName", service->moved_to,
                                    sizeof service->moved_to, err);
    if (rc == PSN_OK && strcasecmp(named, domain) != 0)
        rc = psn_fail(err, PSN_E_NETWORK,
                      _("garbage from the server (it speaks of another domain)"));
    return rc;
}

/* E_NOT_FOUND: the domain has no such service. */
static enum psn_code describe(struct psn_ovh *ovh, struct psn_service *service,
                              struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    const char *domain = service->domains.items[0];
    struct psn_error failure = { 0 };
    enum psn_code rc =
        psn_ovh_get_at(ovh, "/email/domain/*", PSN_OVH_PARTS(domain), &value, &failure);

    if (rc == PSN_OK)
        rc = read_service(value, domain, service, &failure);
    if (rc == PSN_OK && strcmp(service->state, "close") == 0) {
        rc = psn_fail(&failure, PSN_E_REFUSED,
                      _("the mail service of '%s' is closed at OVH"), domain);
        (void)psn_hint(&failure, rc,
                       _("its owner has to renew it in the OVH control panel"));
    }
    if (rc == PSN_OK)
        return PSN_OK;
    (void)psn_backend_hand_up(&failure, err);
    if (rc != PSN_E_NETWORK) /* that says enough */
        return rc;
    return psn_wrap(err, rc, _("cannot find the mail service of '%s'"), domain);
}

static enum psn_code has_room(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                              bool *ret_room, struct psn_error *err)
{
    (void)ovh;
    (void)mailbox;
    (void)err;
    *ret_room = true; /* OVH counts, and says so when a mailbox is one too many */
    return PSN_OK;
}

/* OVH's pattern ^\w+[\w.-]+\w*$, 2 to 32 characters, in lower case. */
static enum psn_code check_name(const struct psn_mailbox *mailbox, struct psn_error *err)
{
    const char *local = mailbox->local;
    size_t size = strlen(local);

    if (size < NAME_MIN || size > NAME_MAX)
        return psn_fail(err, PSN_E_POLICY,
                        _("'%s@%s': OVH wants a name of %d to %d characters"), local,
                        mailbox->domain, NAME_MIN, NAME_MAX);
    for (size_t i = 0; i < size; i++) {
        bool is_word =
            psn_text_is_lower(local[i]) || psn_text_is_digit(local[i]) || local[i] == '_';

        if (!is_word && (i == 0 || (local[i] != '.' && local[i] != '-')))
            return psn_fail(err, PSN_E_POLICY,
                            _("'%s@%s': OVH allows letters, digits, '_', '.' and '-' in "
                              "a name, and the first one must be no '.' or '-'"),
                            local, mailbox->domain);
    }
    return PSN_OK;
}

/* Do the two names in the answer say this mailbox? */
static enum psn_code is_about(const json_t *value, const char *name_member,
                              const struct psn_mailbox *mailbox, bool *ret_same,
                              struct psn_error *err)
{
    char name[PSN_OVH_TEXT_MAX];
    char domain[PSN_OVH_TEXT_MAX];
    enum psn_code rc = psn_json_text(value, name_member, name, sizeof name, err);

    if (rc == PSN_OK)
        rc = psn_json_text(value, "domain", domain, sizeof domain, err);
    if (rc)
        return rc;
    psn_text_lower(name);
    psn_text_lower(domain);
    *ret_same = strcmp(name, mailbox->local) == 0 && strcmp(domain, mailbox->domain) == 0;
    return PSN_OK;
}

static enum psn_code read_info(const json_t *value, const struct psn_mailbox *mailbox,
                               struct psn_mailbox_info *info, struct psn_error *err)
{
    bool same = false;
    enum psn_code rc = psn_json_expect_object(value, err);

    if (rc == PSN_OK)
        rc = is_about(value, "accountName", mailbox, &same, err);
    if (rc == PSN_OK && !same)
        return psn_fail(err, PSN_E_NETWORK,
                        _("garbage from the server (it speaks of another mailbox)"));
    if (rc == PSN_OK)
        rc = psn_json_bool(value, "isBlocked", &info->blocked, err);
    if (rc == PSN_OK)
        rc = psn_json_int_or(value, "size", 0, &info->size_bytes, err);
    if (rc == PSN_OK)
        rc = psn_json_text_or_empty(value, "description", info->description,
                                    sizeof info->description, err);
    info->exists = true;
    return rc;
}

static enum psn_code get(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                         struct psn_mailbox_info *ret_info, struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    struct psn_mailbox_info info = { .exists = false };
    enum psn_code rc =
        psn_ovh_get_at(ovh, "/email/domain/*/account/*",
                       PSN_OVH_PARTS(mailbox->domain, mailbox->local), &value, err);

    if (rc == PSN_OK)
        rc = read_info(value, mailbox, &info, err);
    rc = psn_allow(PSN_E_NOT_FOUND, rc, NULL, err);
    if (rc)
        return psn_wrap(err, rc, _("cannot look at the mailbox '%s@%s'"), mailbox->local,
                        mailbox->domain);
    *ret_info = info;
    return PSN_OK;
}

/* {"accountName":"…","password":"…"}, or the password alone. */
static enum psn_code build_body(const struct psn_mailbox *mailbox, bool is_new,
                                const struct psn_secret *password,
                                struct psn_secret **ret_body, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *body = NULL;
    size_t local_size = strlen(mailbox->local);
    enum psn_code rc =
        psn_secret_new(64 + 6 * (local_size + psn_secret_size(password)), &body, err);

    if (rc == PSN_OK && is_new) {
        rc = psn_body_text(body, "{\"accountName\":", err);
        if (rc == PSN_OK)
            rc = psn_body_string(body, mailbox->local, local_size, err);
        if (rc == PSN_OK)
            rc = psn_body_text(body, ",\"password\":", err);
    } else if (rc == PSN_OK) {
        rc = psn_body_text(body, "{\"password\":", err);
    }
    if (rc == PSN_OK)
        rc = psn_body_string(body, psn_secret_bytes(password), psn_secret_size(password),
                             err);
    if (rc == PSN_OK)
        rc = psn_body_text(body, "}", err);
    if (rc == PSN_OK)
        *ret_body = PSN_TAKE(body);
    return rc;
}

/* A TaskPop that names the mailbox asked for; anything else proves nothing. */
static enum psn_code read_task(const json_t *value, const struct psn_mailbox *mailbox,
                               struct psn_ovh_answer *answer, struct psn_error *err)
{
    bool same = false;
    int64_t id = 0;
    enum psn_code rc = psn_json_expect_object(value, err);

    if (rc == PSN_OK)
        rc = is_about(value, "name", mailbox, &same, err);
    if (rc == PSN_OK)
        rc = psn_json_int(value, "id", &id, err);
    if (rc)
        return rc;
    if (!same) {
        answer->wrong_object = true;
        (void)psn_fail(err, PSN_E_NETWORK,
                       _("the server answers about another mailbox than the one asked "
                         "for"));
        return psn_hint(err, PSN_E_NETWORK,
                        _("look at the mailboxes of the domain: passation ovh inventory "
                          "CLIENT"));
    }
    if (id <= 0)
        return psn_fail(err, PSN_E_NETWORK,
                        _("garbage from the server (a task without number)"));
    answer->task_id = id;
    return PSN_OK;
}

/* Sends a change that carries a password and answers a task: a new mailbox, or a new
 * password for one. */
static void change(struct psn_ovh *ovh, const struct psn_mailbox *mailbox, bool is_new,
                   const struct psn_secret *password, struct psn_ovh_answer *answer,
                   struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO(psn_secret) *body = NULL;
    PSN_AUTO_JSON *value = NULL;
    struct psn_ovh_change what = {
        .method = "POST", .path = &path, .hidden = password, .is_repeatable = !is_new
    };
    enum psn_code rc = psn_ovh_path(&path,
                                    is_new ? "/email/domain/*/account"
                                           : "/email/domain/*/account/*/changePassword",
                                    PSN_OVH_PARTS(mailbox->domain, mailbox->local), err);

    if (rc == PSN_OK)
        rc = build_body(mailbox, is_new, password, &body, err);
    if (rc)
        return;
    what.body = body;
    psn_ovh_send(ovh, &what, answer, &value, err);
    if (answer->outcome == PSN_OVH_DONE && read_task(value, mailbox, answer, err))
        answer->outcome = PSN_OVH_UNKNOWN;
}

static void create(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                   const struct psn_secret *password, struct psn_ovh_answer *ret_answer,
                   struct psn_error *err)
{
    change(ovh, mailbox, true, password, ret_answer, err);
    if (ret_answer->outcome != PSN_OVH_DONE && err)
        (void)psn_wrap(err, err->code, _("cannot create the mailbox '%s@%s'"),
                       mailbox->local, mailbox->domain);
}

static void set_password(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                         const struct psn_secret *password,
                         struct psn_ovh_answer *ret_answer, struct psn_error *err)
{
    change(ovh, mailbox, false, password, ret_answer, err);
    if (ret_answer->outcome != PSN_OVH_DONE && err)
        (void)psn_wrap(err, err->code, _("cannot change the password of '%s@%s'"),
                       mailbox->local, mailbox->domain);
}

/* '_' stands for any character in OVH's filters: then each task is looked at. */
static enum psn_code is_own_task(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                                 int64_t id, bool *ret_own, struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    bool is_done; /* since it was listed */
    char number[24];
    enum psn_code rc;

    *ret_own = true;
    if (!strchr(mailbox->local, '_'))
        return PSN_OK;
    (void)snprintf(number, sizeof number, "%lld", (long long)id);
    rc = psn_ovh_get_at(ovh, "/email/domain/*/task/account/*",
                        PSN_OVH_PARTS(mailbox->domain, number), &value, err);
    if (rc == PSN_OK)
        rc = is_about(value, "name", mailbox, ret_own, err);
    rc = psn_allow(PSN_E_NOT_FOUND, rc, &is_done, err);
    *ret_own = *ret_own && !is_done;
    return rc;
}

static enum psn_code count_tasks(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                                 const json_t *ids, size_t *ret_count,
                                 struct psn_error *err)
{
    size_t count = 0;
    enum psn_code rc = psn_json_expect_array(ids, err);

    for (size_t i = 0; rc == PSN_OK && i < json_array_size(ids); i++) {
        const json_t *id = json_array_get(ids, i);
        bool own = false;

        if (!json_is_integer(id))
            return psn_fail(err, PSN_E_NETWORK,
                            _("garbage from the server (a task without number)"));
        rc = is_own_task(ovh, mailbox, json_integer_value(id), &own, err);
        count += own;
    }
    if (rc == PSN_OK)
        *ret_count = count;
    return rc;
}

static enum psn_code tasks(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                           size_t *ret_count, bool *ret_absent, struct psn_error *err)
{
    PSN_AUTO_JSON *ids = NULL;
    bool is_none;
    enum psn_code rc = psn_allow(
        PSN_E_NOT_FOUND,
        psn_ovh_get_at(ovh, "/email/domain/*/task/account?name=*",
                       PSN_OVH_PARTS(mailbox->domain, mailbox->local), &ids, err),
        &is_none, err);

    if (is_none) {
        *ret_count = 0;
        *ret_absent = true;
        return PSN_OK;
    }
    if (rc == PSN_OK)
        rc = count_tasks(ovh, mailbox, ids, ret_count, err);
    return rc ? psn_wrap(err, rc, _("cannot see what OVH is doing with '%s@%s'"),
                         mailbox->local, mailbox->domain)
              : PSN_OK;
}

const struct psn_backend_table psn_backend_email_domain = {
    .name = "email/domain",
    .root = "/email/domain",
    .services = services,
    .domains = domains,
    .describe = describe,
    .has_room = has_room,
    .check_name = check_name,
    .rules = { .min = PASSWORD_MIN, .max = PASSWORD_MAX, .blanks = true },
    .get = get,
    .create = create,
    .set_password = set_password,
    .tasks = tasks,
    .walk = psn_email_domain_walk,
};
