/*
 * v2 /zimbra. An account is found by its address and named by an id; a change is a PUT of
 * what it should be, under the checksum of what it was, so that a change by somebody else
 * in between is refused. It is done when resourceStatus is READY and no task is left.
 */
#include "ovh/zimbra.h"

#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "base/wiped.h"

enum {
    NAME_MIN = 2,
    NAME_MAX = 32,
    PASSWORD_MIN = 10,
    PASSWORD_MAX = 64,
    CHECKSUM_SIZE = 256,
    KEPT_MAX = 16 * 1024, /* of an account's other members */
};

/* A place for one account. */
struct slot {
    char id[PSN_ACCOUNT_ID_MAX]; /* "": there is none */
    char offer[32];
};

enum psn_code psn_zimbra_list(struct psn_ovh *ovh, const char *pattern,
                              struct psn_ovh_parts parts, json_t **ret_list,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    enum psn_code rc = psn_ovh_path(&path, pattern, parts, err);

    return rc ? rc : psn_ovh_get_pages(ovh, &path, ret_list, err);
}

/* --- finding --- */

static enum psn_code services(struct psn_ovh *ovh, const char *domain,
                              struct psn_services *list, struct psn_error *err)
{
    PSN_AUTO_JSON *platforms = NULL;
    enum psn_code rc =
        psn_zimbra_list(ovh, "/v2/zimbra/platform", PSN_OVH_PARTS(NULL), &platforms, err);

    (void)domain;
    for (size_t i = 0; !rc && i < json_array_size(platforms); i++) {
        char id[PSN_SERVICE_NAME_MAX];

        rc = psn_json_text(json_array_get(platforms, i), "id", id, sizeof id, err);
        if (!rc && !psn_services_add(list, PSN_BACKEND_ZIMBRA, id))
            rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    return rc;
}

static enum psn_code domains(struct psn_ovh *ovh, const struct psn_service *service,
                             struct psn_names *ret_domains, struct psn_error *err)
{
    PSN_AUTO_JSON *list = NULL;
    enum psn_code rc = psn_zimbra_list(ovh, "/v2/zimbra/platform/*/domain",
                                       PSN_OVH_PARTS(service->place.service), &list, err);

    for (size_t i = 0; !rc && i < json_array_size(list); i++) {
        const json_t *state = json_object_get(json_array_get(list, i), "currentState");
        char name[PSN_DOMAIN_MAX + 1];

        rc = psn_json_text(state, "name", name, sizeof name, err);
        if (!rc)
            rc = psn_names_add(ret_domains, name, err);
    }
    return rc;
}

static enum psn_code describe(struct psn_ovh *ovh, struct psn_service *service,
                              struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    const char *id = service->place.service;
    enum psn_code rc =
        psn_ovh_get_at(ovh, "/v2/zimbra/platform/*", PSN_OVH_PARTS(id), &value, err);

    if (!rc)
        rc = psn_json_text(value, "resourceStatus", service->state, sizeof service->state,
                           err);
    if (!rc && strcmp(service->state, "SUSPENDED") == 0)
        (void)snprintf(service->state, sizeof service->state, "suspended");
    return rc ? psn_wrap(err, rc, _("cannot look at the mail service '%s'"), id) : PSN_OK;
}

/* --- one account --- */

/* OVH's pattern: words of letters and digits, joined by one '-' or '_', in parts that '.'
 * or '+' joins. */
static enum psn_code check_name(const struct psn_mailbox *mailbox, struct psn_error *err)
{
    const char *local = mailbox->local;
    size_t size = strlen(local);
    bool after_letter = false;
    bool sound = true;

    if (size < NAME_MIN || size > NAME_MAX)
        return psn_fail(err, PSN_E_POLICY,
                        _("'%s@%s': OVH wants a name of %d to %d characters"), local,
                        mailbox->domain, NAME_MIN, NAME_MAX);
    for (size_t i = 0; i < size; i++) {
        bool is_alnum = psn_text_is_lower(local[i]) || psn_text_is_digit(local[i]);

        sound = sound && (is_alnum || (after_letter && strchr("-_.+", local[i])));
        after_letter = is_alnum;
    }
    if (!sound || !after_letter)
        return psn_fail(err, PSN_E_POLICY,
                        _("'%s@%s': OVH allows letters and digits in a name, and between "
                          "them one '.', '+', '-' or '_' at a time"),
                        local, mailbox->domain);
    return PSN_OK;
}

/* The account of that address in a list; NULL if there is none. */
static json_t *pick(const json_t *list, const struct psn_mailbox *mailbox)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        json_t *account = json_array_get(list, i);

        if (psn_expect_address(json_object_get(account, "currentState"), "email", mailbox,
                               NULL) == PSN_OK)
            return json_incref(account);
    }
    return NULL;
}

/* Looks by its id where that is known, else by its address. *ret_account stays NULL if it
 * is not there. */
static enum psn_code look(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                          json_t **ret_account, struct psn_error *err)
{
    PSN_AUTO_JSON *list = NULL;
    struct psn_error failure = { 0 };
    const char *platform = mailbox->place.service;
    char address[PSN_ADDRESS_SIZE];
    enum psn_code rc = PSN_E_NOT_FOUND;

    if (mailbox->place.account[0]) {
        rc = psn_ovh_get_at(ovh, "/v2/zimbra/platform/*/account/*",
                            PSN_OVH_PARTS(platform, mailbox->place.account), ret_account,
                            &failure);
        if (!rc)
            return psn_expect_address(json_object_get(*ret_account, "currentState"),
                                      "email", mailbox, err);
    }
    if (rc == PSN_E_NOT_FOUND) {
        psn_error_clear(&failure);
        rc = psn_zimbra_list(
            ovh, "/v2/zimbra/platform/*/account?email=*",
            PSN_OVH_PARTS(platform, psn_mailbox_address(mailbox, address)), &list,
            &failure);
    }
    if (!rc)
        *ret_account = pick(list, mailbox);
    return rc == PSN_OK || rc == PSN_E_NOT_FOUND ? PSN_OK
                                                 : psn_backend_hand_up(&failure, err);
}

static enum psn_code read_account(const json_t *account, struct psn_mailbox_info *info,
                                  struct psn_error *err)
{
    const json_t *state = json_object_get(account, "currentState");
    char status[32];
    enum psn_code rc =
        psn_json_text(account, "id", info->account, sizeof info->account, err);

    if (!rc)
        rc = psn_json_text(account, "resourceStatus", status, sizeof status, err);
    if (!rc)
        rc = psn_json_text_or_empty(state, "description", info->description,
                                    sizeof info->description, err);
    if (rc)
        return rc;
    info->exists = strcmp(status, "DELETING") != 0;
    info->blocked = strcmp(status, "SUSPENDED") == 0 ||
                    json_array_size(json_object_get(state, "detailedStatus")) > 0;
    return PSN_OK;
}

static enum psn_code get(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                         struct psn_mailbox_info *ret_info, struct psn_error *err)
{
    PSN_AUTO_JSON *account = NULL;
    struct psn_mailbox_info info = { .exists = false };
    enum psn_code rc = look(ovh, mailbox, &account, err);

    if (!rc && account)
        rc = read_account(account, &info, err);
    if (rc)
        return psn_wrap(err, rc, _("cannot look at the mailbox '%s@%s'"), mailbox->local,
                        mailbox->domain);
    *ret_info = info;
    return PSN_OK;
}

/* --- changes --- */

/* What the account should be, but for the password: as it is. What is null stays out. An
 * object's text, without its last brace. */
static enum psn_code keep_members(const json_t *account, struct psn_buf *out,
                                  struct psn_error *err)
{
    static const char *const kept[] = {
        "contactInformation", "description", "displayName", "email",
        "firstName",          "hideInGal",   "lastName"
    };
    const json_t *spec = json_object_get(account, "targetSpec");

    psn_buf_text(out, "{");
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        const json_t *value = json_object_get(spec, kept[i]);
        char *text;

        if (!value || json_is_null(value))
            continue;
        text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
        if (!text)
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        psn_buf_format(out, "\"%s\":%s,", kept[i], text);
        psn_wiped_free(text);
    }
    return psn_buf_check(out, err);
}

static enum psn_code build_put(const json_t *account, const struct psn_secret *password,
                               struct psn_secret **ret_body, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) kept = psn_buf_init(KEPT_MAX);
    PSN_AUTO(psn_secret) *body = NULL;
    char checksum[CHECKSUM_SIZE];
    enum psn_code rc = psn_json_text(account, "checksum", checksum, sizeof checksum, err);

    if (!rc)
        rc = keep_members(account, &kept, err);
    if (!rc)
        rc = psn_secret_new(kept.size + 128 +
                                6 * (psn_secret_size(password) + CHECKSUM_SIZE),
                            &body, err);
    if (!rc)
        rc = psn_body_text(body, "{\"checksum\":", err);
    if (!rc)
        rc = psn_body_string(body, checksum, strlen(checksum), err);
    if (!rc)
        rc = psn_body_text(body, ",\"targetSpec\":", err);
    if (!rc)
        rc = psn_body_text(body, psn_buf_str(&kept), err);
    if (!rc)
        rc = psn_body_text(body, "\"password\":", err);
    if (!rc)
        rc = psn_body_string(body, psn_secret_bytes(password), psn_secret_size(password),
                             err);
    if (!rc)
        rc = psn_body_text(body, "}}", err);
    if (!rc)
        *ret_body = PSN_TAKE(body);
    return rc;
}

/* An account of that address; anything else proves nothing. */
static enum psn_code read_answer(const json_t *value, const struct psn_mailbox *mailbox,
                                 struct psn_ovh_answer *answer, struct psn_error *err)
{
    const json_t *spec = json_object_get(value, "targetSpec");
    char id[PSN_ACCOUNT_ID_MAX];
    char email[PSN_ADDRESS_SIZE];
    char address[PSN_ADDRESS_SIZE];
    enum psn_code rc = psn_json_expect_object(value, err);

    if (!rc)
        rc = psn_json_text(value, "id", id, sizeof id, err);
    if (!rc)
        rc = psn_json_text(spec, "email", email, sizeof email, err);
    if (rc || strcasecmp(email, psn_mailbox_address(mailbox, address)) == 0)
        return rc;
    answer->wrong_object = true;
    (void)psn_fail(err, PSN_E_NETWORK,
                   _("the server answers about another mailbox than the one asked "
                     "for"));
    return psn_hint(err, PSN_E_NETWORK,
                    _("look at the mailboxes of the domain: passation ovh inventory "
                      "CLIENT"));
}

static void send(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                 const struct psn_ovh_change *what, struct psn_ovh_answer *answer,
                 struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;

    psn_ovh_send(ovh, what, answer, &value, err);
    if (answer->outcome == PSN_OVH_DONE && read_answer(value, mailbox, answer, err))
        answer->outcome = PSN_OVH_UNKNOWN;
}

static void put_password(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                         const struct psn_secret *password, struct psn_ovh_answer *answer,
                         struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO(psn_secret) *body = NULL;
    PSN_AUTO_JSON *account = NULL;
    struct psn_ovh_change what = {
        .method = "PUT", .path = &path, .hidden = password, .is_repeatable = true
    };
    char id[PSN_ACCOUNT_ID_MAX];

    if (look(ovh, mailbox, &account, err))
        return;
    if (!account) {
        answer->outcome = PSN_OVH_ABSENT;
        (void)psn_fail(err, PSN_E_NOT_FOUND, _("%s@%s does not exist at OVH"),
                       mailbox->local, mailbox->domain);
        return;
    }
    if (psn_json_text(account, "id", id, sizeof id, err) ||
        psn_ovh_path(&path, "/v2/zimbra/platform/*/account/*",
                     PSN_OVH_PARTS(mailbox->place.service, id), err) ||
        build_put(account, password, &body, err))
        return;
    what.body = body;
    send(ovh, mailbox, &what, answer, err);
}

static void set_password(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                         const struct psn_secret *password,
                         struct psn_ovh_answer *ret_answer, struct psn_error *err)
{
    put_password(ovh, mailbox, password, ret_answer, err);
    if (ret_answer->outcome != PSN_OVH_DONE && err)
        (void)psn_wrap(err, err->code, _("cannot change the password of '%s@%s'"),
                       mailbox->local, mailbox->domain);
}

/* The first slot that nobody has. */
static enum psn_code find_slot(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                               struct slot *ret_slot, struct psn_error *err)
{
    PSN_AUTO_JSON *list = NULL;
    enum psn_code rc = psn_zimbra_list(ovh, "/v2/zimbra/platform/*/slot?used=false",
                                       PSN_OVH_PARTS(mailbox->place.service), &list, err);

    *ret_slot = (struct slot){ .id = "" };
    for (size_t i = 0; !rc && i < json_array_size(list) && !ret_slot->id[0]; i++) {
        const json_t *slot = json_array_get(list, i);
        const json_t *state = json_object_get(slot, "currentState");
        char status[32];
        char taken_by[PSN_ACCOUNT_ID_MAX];

        rc = psn_json_text(state, "billingStatus", status, sizeof status, err);
        if (!rc)
            rc = psn_json_text_or_empty(state, "accountId", taken_by, sizeof taken_by,
                                        err);
        if (rc || taken_by[0] || strcmp(status, "OK") != 0)
            continue;
        rc = psn_json_text(state, "offer", ret_slot->offer, sizeof ret_slot->offer, err);
        if (!rc)
            rc = psn_json_text(slot, "id", ret_slot->id, sizeof ret_slot->id, err);
    }
    return rc ? psn_wrap(err, rc, _("cannot look for a free slot of the service '%s'"),
                         mailbox->place.service)
              : PSN_OK;
}

static enum psn_code has_room(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                              bool *ret_room, struct psn_error *err)
{
    struct slot slot;
    enum psn_code rc = find_slot(ovh, mailbox, &slot, err);

    if (!rc)
        *ret_room = slot.id[0] != '\0';
    return rc;
}

static enum psn_code build_post(const struct psn_mailbox *mailbox,
                                const struct slot *slot,
                                const struct psn_secret *password,
                                struct psn_secret **ret_body, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *body = NULL;
    char address[PSN_ADDRESS_SIZE];
    enum psn_code rc = psn_secret_new(
        128 + 6 * (PSN_ADDRESS_SIZE + sizeof *slot + psn_secret_size(password)), &body,
        err);

    (void)psn_mailbox_address(mailbox, address);
    if (!rc)
        rc = psn_body_text(body, "{\"targetSpec\":{\"email\":", err);
    if (!rc)
        rc = psn_body_string(body, address, strlen(address), err);
    if (!rc)
        rc = psn_body_text(body, ",\"offer\":", err);
    if (!rc)
        rc = psn_body_string(body, slot->offer, strlen(slot->offer), err);
    if (!rc)
        rc = psn_body_text(body, ",\"slotId\":", err);
    if (!rc)
        rc = psn_body_string(body, slot->id, strlen(slot->id), err);
    if (!rc)
        rc = psn_body_text(body, ",\"password\":", err);
    if (!rc)
        rc = psn_body_string(body, psn_secret_bytes(password), psn_secret_size(password),
                             err);
    if (!rc)
        rc = psn_body_text(body, "}}", err);
    if (!rc)
        *ret_body = PSN_TAKE(body);
    return rc;
}

/* The slot for it, unless the address is there. Settles the answer if not. */
static bool may_create(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                       struct slot *slot, struct psn_ovh_answer *answer,
                       struct psn_error *err)
{
    PSN_AUTO_JSON *account = NULL;

    if (look(ovh, mailbox, &account, err))
        return false;
    if (account) {
        answer->outcome = PSN_OVH_BAD_REQUEST;
        (void)psn_fail(err, PSN_E_EXISTS, _("%s exists at OVH already"), mailbox->local);
        return false;
    }
    if (find_slot(ovh, mailbox, slot, err))
        return false;
    if (slot->id[0])
        return true;
    answer->outcome = PSN_OVH_EXPIRED;
    (void)psn_fail(err, PSN_E_REFUSED, _("no free slot in the service '%s'"),
                   mailbox->place.service);
    return false;
}

static void create(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                   const struct psn_secret *password, struct psn_ovh_answer *ret_answer,
                   struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO(psn_secret) *body = NULL;
    struct psn_ovh_change what = { .method = "POST", .path = &path, .hidden = password };
    struct slot slot;

    if (may_create(ovh, mailbox, &slot, ret_answer, err) &&
        psn_ovh_path(&path, "/v2/zimbra/platform/*/account",
                     PSN_OVH_PARTS(mailbox->place.service), err) == PSN_OK &&
        build_post(mailbox, &slot, password, &body, err) == PSN_OK) {
        what.body = body;
        send(ovh, mailbox, &what, ret_answer, err);
    }
    if (ret_answer->outcome != PSN_OVH_DONE && err)
        (void)psn_wrap(err, err->code, _("cannot create the mailbox '%s@%s'"),
                       mailbox->local, mailbox->domain);
}

/* --- tasks --- */

/* Whatever is listed but what has failed; and a status that says that OVH works on it. */
static enum psn_code count_tasks(const json_t *account, size_t *ret_count,
                                 struct psn_error *err)
{
    static const char *const working[] = { "CREATING", "UPDATING", "DELETING" };
    const json_t *list = json_object_get(account, "currentTasks");
    char status[32];
    size_t count = 0;
    enum psn_code rc =
        psn_json_text(account, "resourceStatus", status, sizeof status, err);

    if (!rc)
        rc = psn_json_expect_array(list, err);
    for (size_t i = 0; !rc && i < json_array_size(list); i++) {
        const char *task =
            json_string_value(json_object_get(json_array_get(list, i), "status"));

        count += !task || strcmp(task, "ERROR") != 0;
    }
    for (size_t i = 0; !rc && count == 0 && i < sizeof working / sizeof *working; i++)
        count = strcmp(status, working[i]) == 0;
    if (!rc)
        *ret_count = count;
    return rc;
}

static enum psn_code tasks(struct psn_ovh *ovh, const struct psn_mailbox *mailbox,
                           size_t *ret_count, bool *ret_absent, struct psn_error *err)
{
    PSN_AUTO_JSON *account = NULL;
    size_t count = 0;
    enum psn_code rc = look(ovh, mailbox, &account, err);

    if (!rc && account)
        rc = count_tasks(account, &count, err);
    if (rc)
        return psn_wrap(err, rc, _("cannot see what OVH is doing with '%s@%s'"),
                        mailbox->local, mailbox->domain);
    *ret_absent = !account;
    *ret_count = count;
    return PSN_OK;
}

const struct psn_backend_table psn_backend_zimbra = {
    .name = "zimbra",
    .root = "/v2/zimbra/platform",
    .services = services,
    .domains = domains,
    .describe = describe,
    .has_room = has_room,
    .check_name = check_name,
    .rules = { .min = PASSWORD_MIN,
               .max = PASSWORD_MAX,
               .upper = true,
               .digit = true,
               .special = true },
    .get = get,
    .create = create,
    .set_password = set_password,
    .tasks = tasks,
    .walk = psn_zimbra_walk,
};
