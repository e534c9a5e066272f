/* The second MX Plan, Email Pro and Exchange: what is there, and what it asks. */
#include "ovh/email_service.h"

#include <stdio.h>
#include <string.h>

#include "base/allow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"

enum {
    NAME_MIN = 2,
    NAME_MAX = 32,
    PASSWORD_MIN = 9,
    PASSWORD_MAX = 30,
    PASSWORD_MAX_PANEL = 127, /* where a service asks for more than 30 */
    ZIMBRA_MIN = 10,
    ZIMBRA_MAX = 64,
    CLASSES = 3,
    DAY_S = 24 * 3600,
    MINUTE_S = 60,
    TASKS_LOOKED_AT = 3,
};

static const char placeholder[] = "@configureme.me";

static const struct psn_email_family families[PSN_BACKENDS] = {
    [PSN_BACKEND_EMAIL_MXPLAN] = { "/email/mxplan", "/email/mxplan/*", "/account/*/task",
                                   "/account/*/task/*" },
    [PSN_BACKEND_EMAIL_PRO] = { "/email/pro", "/email/pro/*", "/account/*/tasks",
                                "/account/*/tasks/*" },
    [PSN_BACKEND_EMAIL_EXCHANGE] = { "/email/exchange", "/email/exchange/*/service/*",
                                     "/account/*/tasks", "/account/*/tasks/*" },
};

enum psn_code psn_email_path(const struct psn_mailbox *mailbox, const char *suffix,
                             struct psn_ovh_parts parts, struct psn_buf *path,
                             struct psn_error *err)
{
    const struct psn_place *place = &mailbox->place;
    const char *service = families[mailbox->backend].service;
    enum psn_code rc =
        mailbox->backend == PSN_BACKEND_EMAIL_EXCHANGE
            ? psn_ovh_path(path, service,
                           PSN_OVH_PARTS(place->organization, place->service), err)
            : psn_ovh_path(path, service, PSN_OVH_PARTS(place->service), err);

    return rc ? rc : psn_ovh_path(path, suffix, parts, err);
}

enum psn_code psn_email_get(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                            const char *suffix, struct psn_ovh_parts parts,
                            json_t **ret_value, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    enum psn_code rc = psn_email_path(mailbox, suffix, parts, &path, err);

    return rc ? rc : psn_ovh_get(ovh, &path, ret_value, err);
}

/* --- finding --- */

static enum psn_code add_all(const json_t *names, enum psn_backend backend,
                             const char *organization, struct psn_services *list,
                             struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) sorted = { NULL, 0 };
    enum psn_code rc = psn_names_read(names, &sorted, err);

    for (size_t i = 0; !rc && i < sorted.count; i++) {
        struct psn_service *service;

        if (strlen(sorted.items[i]) >= PSN_SERVICE_NAME_MAX)
            return psn_fail(err, PSN_E_NETWORK,
                            _("garbage from the server (a name that cannot be one)"));
        service = psn_services_add(list, backend, sorted.items[i]);
        if (!service)
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        (void)snprintf(service->place.organization, sizeof service->place.organization,
                       "%s", organization);
    }
    return rc;
}

static enum psn_code read_services(struct psn_ovh *ovh, enum psn_backend backend,
                                   struct psn_services *list, struct psn_error *err)
{
    PSN_AUTO_JSON *names = NULL;
    enum psn_code rc =
        psn_ovh_get_at(ovh, families[backend].root, PSN_OVH_PARTS(NULL), &names, err);

    return rc ? rc : add_all(names, backend, "", list, err);
}

static enum psn_code mxplan_services(struct psn_ovh *ovh, const char *domain,
                                     struct psn_services *list, struct psn_error *err)
{
    (void)domain;
    return read_services(ovh, PSN_BACKEND_EMAIL_MXPLAN, list, err);
}

static enum psn_code pro_services(struct psn_ovh *ovh, const char *domain,
                                  struct psn_services *list, struct psn_error *err)
{
    (void)domain;
    return read_services(ovh, PSN_BACKEND_EMAIL_PRO, list, err);
}

static enum psn_code exchange_services(struct psn_ovh *ovh, const char *domain,
                                       struct psn_services *list, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) organizations = { NULL, 0 };
    PSN_AUTO_JSON *names = NULL;
    enum psn_code rc =
        psn_ovh_get_at(ovh, "/email/exchange", PSN_OVH_PARTS(NULL), &names, err);

    (void)domain;
    if (!rc)
        rc = psn_names_read(names, &organizations, err);
    for (size_t i = 0; !rc && i < organizations.count; i++) {
        PSN_AUTO_JSON *services = NULL;

        if (strlen(organizations.items[i]) >= PSN_SERVICE_NAME_MAX)
            return psn_fail(err, PSN_E_NETWORK,
                            _("garbage from the server (a name that cannot be one)"));
        rc = psn_ovh_get_at(ovh, "/email/exchange/*/service",
                            PSN_OVH_PARTS(organizations.items[i]), &services, err);
        if (!rc)
            rc = add_all(services, PSN_BACKEND_EMAIL_EXCHANGE, organizations.items[i],
                         list, err);
    }
    return rc;
}

static struct psn_mailbox mailbox_of(const struct psn_service *service)
{
    return (struct psn_mailbox){ .backend = service->backend, .place = service->place };
}

static enum psn_code domains(struct psn_ovh *ovh, const struct psn_service *service,
                             struct psn_names *ret_domains, struct psn_error *err)
{
    PSN_AUTO_JSON *names = NULL;
    struct psn_mailbox at = mailbox_of(service);
    enum psn_code rc =
        psn_email_get(ovh, &at, "/domain", PSN_OVH_PARTS(NULL), &names, err);

    return rc ? rc : psn_names_read(names, ret_domains, err);
}

/* --- the service's own rules --- */

/* A whole number from 0 on that a long fits in; null is 0. */
static enum psn_code read_number(const json_t *value, const char *name, int64_t unit,
                                 int64_t *ret_number, struct psn_error *err)
{
    int64_t number = 0;
    enum psn_code rc = psn_json_int_or(value, name, 0, &number, err);

    if (!rc && (number < 0 || number > INT32_MAX))
        return psn_fail(err, PSN_E_NETWORK,
                        _("garbage from the server (member '%s' is out of range)"), name);
    if (!rc)
        *ret_number = number * unit;
    return rc;
}

static void set_sizes(struct psn_password_rules *rules, bool is_zimbra, int64_t min)
{
    rules->min = is_zimbra ? ZIMBRA_MIN : PASSWORD_MIN;
    rules->max = is_zimbra ? ZIMBRA_MAX : PASSWORD_MAX;
    if (min > rules->min)
        rules->min = min > UINT16_MAX ? UINT16_MAX : (uint16_t)min;
    if (rules->min > rules->max)
        rules->max = PASSWORD_MAX_PANEL;
    rules->upper = rules->digit = rules->special = is_zimbra;
}

static enum psn_code read_rules(const json_t *value, bool is_zimbra,
                                struct psn_password_rules *rules, struct psn_error *err)
{
    int64_t min = 0;
    int64_t lockout = 0;
    bool complex = false;
    enum psn_code rc = psn_json_bool(value, "complexityEnabled", &complex, err);

    if (!rc)
        rc = read_number(value, "minPasswordLength", 1, &min, err);
    if (!rc)
        rc = read_number(value, "minPasswordAge", DAY_S, &rules->min_age_s, err);
    if (!rc)
        rc = read_number(value, "maxPasswordAge", DAY_S, &rules->max_age_s, err);
    if (!rc)
        rc = read_number(value, "lockoutThreshold", 1, &lockout, err);
    if (!rc)
        rc = read_number(value, "lockoutObservationWindow", MINUTE_S,
                         &rules->lockout_window_s, err);
    if (rc)
        return rc;
    rules->lockout = (uint32_t)lockout;
    rules->classes = complex ? CLASSES : 0;
    rules->no_names = complex;
    set_sizes(rules, is_zimbra, min);
    return PSN_OK;
}

static bool is_host(const char *host)
{
    for (; *host; host++)
        if (!psn_text_is_lower(*host) && !psn_text_is_upper(*host) &&
            !psn_text_is_digit(*host) && *host != '.' && *host != '-')
            return false;
    return true;
}

static enum psn_code read_service(const json_t *value, struct psn_service *service,
                                  struct psn_error *err)
{
    enum psn_code rc =
        psn_json_text(value, "state", service->state, sizeof service->state, err);

    if (!rc)
        rc = psn_json_text_or_empty(value, "offer", service->offer, sizeof service->offer,
                                    err);
    if (!rc)
        rc = psn_json_text_or_empty(value, "hostname", service->place.host,
                                    sizeof service->place.host, err);
    if (!rc && service->backend == PSN_BACKEND_EMAIL_MXPLAN)
        rc = psn_json_bool(value, "isZimbra", &service->place.is_zimbra, err);
    if (!rc)
        rc = read_rules(value, service->place.is_zimbra, &service->rules, err);
    if (!rc && service->place.host[0] && !is_host(service->place.host))
        rc = psn_fail(err, PSN_E_NETWORK,
                      _("garbage from the server (a name that cannot be one)"));
    return rc;
}

static enum psn_code describe(struct psn_ovh *ovh, struct psn_service *service,
                              struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    struct psn_mailbox at = mailbox_of(service);
    const char *name = service->place.service;
    enum psn_code rc = psn_email_get(ovh, &at, "", PSN_OVH_PARTS(NULL), &value, err);

    if (!rc)
        rc = psn_json_expect_object(value, err);
    if (!rc)
        rc = read_service(value, service, err);
    return rc ? psn_wrap(err, rc, _("cannot look at the mail service '%s'"), name)
              : PSN_OK;
}

/* --- one account --- */

static enum psn_code check_name(const struct psn_mailbox *mailbox, struct psn_error *err)
{
    const char *local = mailbox->local;
    size_t size = strlen(local);

    if (size < NAME_MIN || size > NAME_MAX)
        return psn_fail(err, PSN_E_POLICY,
                        _("'%s@%s': OVH wants a name of %d to %d characters"), local,
                        mailbox->domain, NAME_MIN, NAME_MAX);
    for (size_t i = 0; i < size; i++) {
        bool is_alnum = psn_text_is_lower(local[i]) || psn_text_is_digit(local[i]);

        if (!is_alnum && (i == 0 || !strchr(".,-_", local[i])))
            return psn_fail(err, PSN_E_POLICY,
                            _("'%s@%s': OVH allows letters, digits, '.', ',', '-' and "
                              "'_' in a name, which begins with a letter or digit"),
                            local, mailbox->domain);
    }
    return PSN_OK;
}

static enum psn_code read_account(const json_t *value, const struct psn_mailbox *mailbox,
                                  struct psn_mailbox_info *info, struct psn_error *err)
{
    char display[PSN_OVH_TEXT_MAX];
    char sam[PSN_OVH_TEXT_MAX];
    char state[32];
    enum psn_code rc = psn_json_expect_object(value, err);

    if (!rc)
        rc = psn_expect_address(value, "primaryEmailAddress", mailbox, err);
    if (!rc)
        rc = psn_json_text(value, "state", state, sizeof state, err);
    if (!rc)
        rc = psn_json_time_or_0(value, "passwordLastUpdate", &info->password_changed_s,
                                err);
    if (!rc)
        rc = psn_json_text_or_empty(value, "displayName", display, sizeof display, err);
    if (!rc)
        rc = psn_json_text_or_empty(value, "SAMAccountName", sam, sizeof sam, err);
    if (rc)
        return rc;
    info->exists = true;
    info->blocked = strcmp(state, "suspended") == 0 || strcmp(state, "suspending") == 0;
    (void)snprintf(info->description, sizeof info->description, "%s", display);
    (void)snprintf(info->names, sizeof info->names, "%.63s %.63s", display, sam);
    return PSN_OK;
}

enum psn_code psn_email_account(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                                struct psn_mailbox_info *ret_info, struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    struct psn_mailbox_info info = { .exists = false };
    char address[PSN_ADDRESS_SIZE];
    enum psn_code rc =
        psn_email_get(ovh, mailbox, "/account/*",
                      PSN_OVH_PARTS(psn_mailbox_address(mailbox, address)), &value, err);

    if (!rc)
        rc = read_account(value, mailbox, &info, err);
    rc = psn_allow(PSN_E_NOT_FOUND, rc, NULL, err);
    if (rc)
        return psn_wrap(err, rc, _("cannot look at the mailbox '%s@%s'"), mailbox->local,
                        mailbox->domain);
    *ret_info = info;
    return PSN_OK;
}

/* --- free slots --- */

static bool is_free_slot(const char *address)
{
    size_t size = strlen(address);
    size_t end = sizeof placeholder - 1;

    return size > end && strcasecmp(address + size - end, placeholder) == 0;
}

static enum psn_code look_at_slot(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                                  const char *slot, bool *ret_free, bool *ret_busy,
                                  struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    bool is_taken; /* since it was listed */
    bool configured = true;
    int64_t task = 0;
    enum psn_code rc = psn_allow(
        PSN_E_NOT_FOUND,
        psn_email_get(ovh, mailbox, "/account/*", PSN_OVH_PARTS(slot), &value, err),
        &is_taken, err);

    if (!rc && !is_taken)
        rc = psn_json_bool(value, "configured", &configured, err);
    if (!rc && !is_taken)
        rc = psn_json_int_or(value, "taskPendingId", 0, &task, err);
    if (rc || is_taken)
        return rc;
    *ret_busy = *ret_busy || task > 0;
    *ret_free = !configured && task <= 0;
    return PSN_OK;
}

static enum psn_code find_slot(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                               struct psn_email_room *room, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) names = { NULL, 0 };
    PSN_AUTO_JSON *list = NULL;
    enum psn_code rc =
        psn_email_get(ovh, mailbox, "/account", PSN_OVH_PARTS(NULL), &list, err);

    if (!rc)
        rc = psn_names_read(list, &names, err);
    for (size_t i = 0; !rc && !room->slot[0] && i < names.count; i++) {
        bool is_free = false;

        if (!is_free_slot(names.items[i]))
            continue;
        rc = look_at_slot(ovh, mailbox, names.items[i], &is_free, &room->busy, err);
        if (!rc && is_free)
            (void)snprintf(room->slot, sizeof room->slot, "%s", names.items[i]);
    }
    return rc;
}

enum psn_code psn_email_find_room(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                                  struct psn_email_room *ret_room, struct psn_error *err)
{
    struct psn_service service = { .backend = mailbox->backend, .place = mailbox->place };
    enum psn_code rc = PSN_OK;

    *ret_room = (struct psn_email_room){ .busy = false };
    if (mailbox->backend == PSN_BACKEND_EMAIL_EXCHANGE) {
        rc = describe(ovh, &service, err);
        ret_room->by_post = !rc && strcmp(service.offer, "hosted") != 0;
    }
    if (!rc && !ret_room->by_post)
        rc = find_slot(ovh, mailbox, ret_room, err);
    return rc ? psn_wrap(err, rc, _("cannot look for a free slot of the service '%s'"),
                         mailbox->place.service)
              : PSN_OK;
}

static enum psn_code has_room(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                              bool *ret_room, struct psn_error *err)
{
    struct psn_email_room room;
    enum psn_code rc = psn_email_find_room(ovh, mailbox, &room, err);

    if (!rc)
        *ret_room = room.slot[0] || room.busy || room.by_post;
    return rc;
}

/* --- tasks --- */

/* Is one of the newest tasks still to be done? Those that ended stay listed, and one that
 * ended in error or was cancelled is no reason to wait. */
static enum psn_code count_newest(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                                  const struct psn_names *ids, size_t *ret_count,
                                  struct psn_error *err)
{
    size_t first = ids->count > TASKS_LOOKED_AT ? ids->count - TASKS_LOOKED_AT : 0;
    char address[PSN_ADDRESS_SIZE];

    (void)psn_mailbox_address(mailbox, address);
    for (size_t i = first; i < ids->count; i++) {
        PSN_AUTO_JSON *task = NULL;
        bool is_gone;
        char status[32];
        enum psn_code rc =
            psn_allow(PSN_E_NOT_FOUND,
                      psn_email_get(ovh, mailbox, families[mailbox->backend].task,
                                    PSN_OVH_PARTS(address, ids->items[i]), &task, err),
                      &is_gone, err);

        if (is_gone)
            continue;
        if (!rc)
            rc = psn_json_text(task, "status", status, sizeof status, err);
        if (rc)
            return rc;
        *ret_count += strcmp(status, "done") != 0 && strcmp(status, "error") != 0 &&
                      strcmp(status, "cancelled") != 0;
    }
    return PSN_OK;
}

/* The account names its pending task; the list is looked at when it names none. */
static enum psn_code count_tasks(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                                 size_t *ret_count, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) ids = { NULL, 0 };
    PSN_AUTO_JSON *account = NULL;
    PSN_AUTO_JSON *list = NULL;
    char address[PSN_ADDRESS_SIZE];
    int64_t pending = 0;
    enum psn_code rc = psn_email_get(ovh, mailbox, "/account/*",
                                     PSN_OVH_PARTS(psn_mailbox_address(mailbox, address)),
                                     &account, err);

    *ret_count = 0;
    if (!rc)
        rc = psn_expect_address(account, "primaryEmailAddress", mailbox, err);
    if (!rc)
        rc = psn_json_int_or(account, "taskPendingId", 0, &pending, err);
    if (!rc && pending > 0) {
        *ret_count = 1;
        return PSN_OK;
    }
    if (!rc)
        rc = psn_email_get(ovh, mailbox, families[mailbox->backend].tasks,
                           PSN_OVH_PARTS(address), &list, err);
    if (!rc)
        rc = psn_names_read(list, &ids, err);
    return rc ? rc : count_newest(ovh, mailbox, &ids, ret_count, err);
}

static enum psn_code tasks(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                           size_t *ret_count, bool *ret_absent, struct psn_error *err)
{
    size_t count = 0;
    enum psn_code rc = psn_allow(PSN_E_NOT_FOUND, count_tasks(ovh, mailbox, &count, err),
                                 ret_absent, err);

    if (rc)
        return psn_wrap(err, rc, _("cannot see what OVH is doing with '%s@%s'"),
                        mailbox->local, mailbox->domain);
    *ret_count = count;
    return PSN_OK;
}

#define SHARED_COLUMNS                                                             \
    .domains = domains, .describe = describe, .has_room = has_room,                \
    .check_name = check_name, .rules = { .min = ZIMBRA_MIN, .max = PASSWORD_MAX }, \
    .get = psn_email_account, .create = psn_email_create,                          \
    .set_password = psn_email_set_password, .tasks = tasks, .walk = psn_email_walk

const struct psn_backend_table psn_backend_email_mxplan = {
    .name = "email/mxplan",
    .root = "/email/mxplan",
    .services = mxplan_services,
    SHARED_COLUMNS,
};

const struct psn_backend_table psn_backend_email_pro = {
    .name = "email/pro",
    .root = "/email/pro",
    .services = pro_services,
    SHARED_COLUMNS,
};

const struct psn_backend_table psn_backend_email_exchange = {
    .name = "email/exchange",
    .root = "/email/exchange",
    .services = exchange_services,
    SHARED_COLUMNS,
};
