#include "ovh/own.h"

#include <stdio.h>
#include <string.h>

#include "base/allow.h"
#include "base/i18n.h"
#include "base/text.h"
#include "ovh/backend.h"
#include "ovh/call.h"
#include "ovh/walk.h"

/* The application of the last key: keys of one application stand together, mostly. */
struct applications {
    int64_t id;
    char key[PSN_OVH_TEXT_MAX];
};

struct own_walk {
    struct psn_ovh *ovh;
    psn_ovh_own_fn *each;
    void *arg;
    struct applications last;
};

/* Ids are numbers, or names that psn_names_read() has taken. */
static enum psn_code set(struct psn_finding *finding, enum psn_finding_kind kind,
                         const char *pattern, const char *id, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(sizeof finding->path - 1);
    enum psn_code rc = psn_ovh_path(&path, pattern, PSN_OVH_PARTS(id), err);

    if (rc)
        return rc;
    finding->kind = kind;
    (void)snprintf(finding->id, sizeof finding->id, "%s:%.100s",
                   psn_finding_kind_name(kind), id);
    (void)snprintf(finding->subject, sizeof finding->subject, "%s", id);
    (void)snprintf(finding->method, sizeof finding->method, "DELETE");
    memcpy(finding->path, psn_buf_str(&path), path.size + 1);
    return PSN_OK;
}

void psn_ovh_own_key(int64_t credential_id, struct psn_finding *ret_finding)
{
    char id[24];

    (void)snprintf(id, sizeof id, "%lld", (long long)credential_id);
    *ret_finding = (struct psn_finding){ .kind = PSN_FINDING_API_KEY };
    PSN_IGNORE(set(ret_finding, PSN_FINDING_API_KEY, "/me/api/credential/*", id, NULL));
}

void psn_ovh_own_client(const char *client_id, struct psn_finding *ret_finding)
{
    *ret_finding = (struct psn_finding){ .kind = PSN_FINDING_OAUTH_CLIENT };
    PSN_IGNORE(set(ret_finding, PSN_FINDING_OAUTH_CLIENT, "/me/api/oauth2/client/*",
                   client_id, NULL));
}

/* Reads one; *ret_value stays NULL if it is gone. */
static enum psn_code look(struct psn_ovh *ovh, const char *pattern, const char *id,
                          json_t **ret_value, struct psn_error *err)
{
    return psn_allow(PSN_E_NOT_FOUND,
                     psn_ovh_get_at(ovh, pattern, PSN_OVH_PARTS(id), ret_value, err),
                     NULL, err);
}

static void set_detail(struct psn_finding *finding, const char *text)
{
    (void)psn_text_shown(text, finding->detail, sizeof finding->detail);
}

/* The application of a key may have been removed, or be one of OVH's own. */
static enum psn_code learn_application(struct own_walk *walk, const char *id,
                                       int64_t application, struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    enum psn_code rc = PSN_OK;

    if (application && application == walk->last.id)
        return PSN_OK;
    walk->last.id = application;
    walk->last.key[0] = '\0';
    rc = look(walk->ovh, "/me/api/credential/*/application", id, &value, err);
    if (!rc && value)
        rc = psn_json_text(value, "applicationKey", walk->last.key, sizeof walk->last.key,
                           err);
    return rc;
}

static enum psn_code take_key(struct own_walk *walk, const char *id, const json_t *value,
                              struct psn_error *err)
{
    struct psn_ovh_own own = { .application_key = "" };
    int64_t application = 0;
    char status[32];
    char detail[96];
    enum psn_code rc = psn_json_int_or(value, "applicationId", 0, &application, err);

    if (!rc)
        rc = psn_json_text(value, "status", status, sizeof status, err);
    if (!rc)
        rc = learn_application(walk, id, application, err);
    if (!rc)
        rc = set(&own.finding, PSN_FINDING_API_KEY, "/me/api/credential/*", id, err);
    if (rc)
        return rc;
    (void)snprintf(own.application_key, sizeof own.application_key, "%s", walk->last.key);
    own.is_over = strcmp(status, "expired") == 0 || strcmp(status, "refused") == 0;
    (void)snprintf(detail, sizeof detail, _("application %lld, %s"),
                   (long long)application, status);
    set_detail(&own.finding, detail);
    return walk->each(walk->arg, &own, err);
}

static enum psn_code take_application(struct own_walk *walk, const char *id,
                                      const json_t *value, struct psn_error *err)
{
    struct psn_ovh_own own = { .application_key = "" };
    char name[PSN_OVH_TEXT_MAX];
    enum psn_code rc = psn_json_text(value, "applicationKey", own.application_key,
                                     sizeof own.application_key, err);

    if (!rc)
        rc = psn_json_text_or_empty(value, "name", name, sizeof name, err);
    if (!rc)
        rc = set(&own.finding, PSN_FINDING_API_APP, "/me/api/application/*", id, err);
    if (rc)
        return rc;
    set_detail(&own.finding, name);
    return walk->each(walk->arg, &own, err);
}

static enum psn_code take_client(struct own_walk *walk, const char *id,
                                 const json_t *value, struct psn_error *err)
{
    struct psn_ovh_own own = { .application_key = "" };
    char name[PSN_OVH_TEXT_MAX];
    enum psn_code rc = psn_json_text_or_empty(value, "name", name, sizeof name, err);

    if (!rc)
        rc = set(&own.finding, PSN_FINDING_OAUTH_CLIENT, "/me/api/oauth2/client/*", id,
                 err);
    if (rc)
        return rc;
    (void)snprintf(own.client_id, sizeof own.client_id, "%s", id);
    set_detail(&own.finding, name);
    return walk->each(walk->arg, &own, err);
}

/* --- policies --- */

/* "urn:…:credential:NIC/oauth2-CLIENT" */
static enum psn_code take_identities(struct own_walk *walk, const json_t *list,
                                     struct psn_ovh_own *own, struct psn_error *err)
{
    static const char mark[] = "/oauth2-";
    enum psn_code rc = psn_json_expect_array(list, err);

    own->names_others = json_array_size(list) > 1;
    for (size_t i = 0; !rc && i < json_array_size(list); i++) {
        const char *urn = json_string_value(json_array_get(list, i));
        const char *client = urn ? strstr(urn, mark) : NULL;

        if (!client || strlen(client) >= sizeof own->client_id)
            continue;
        (void)snprintf(own->client_id, sizeof own->client_id, "%s",
                       client + strlen(mark));
        rc = walk->each(walk->arg, own, err);
    }
    return rc;
}

static enum psn_code take_policy(struct own_walk *walk, const json_t *value,
                                 struct psn_error *err)
{
    struct psn_ovh_own own = { .application_key = "" };
    char id[PSN_WALK_NAME_SIZE];
    char name[PSN_OVH_TEXT_MAX];
    bool read_only = false;
    enum psn_code rc = psn_json_text(value, "id", id, sizeof id, err);

    if (!rc)
        rc = psn_json_text_or_empty(value, "name", name, sizeof name, err);
    if (!rc)
        rc = psn_json_bool(value, "readOnly", &read_only, err);
    if (!rc)
        rc = set(&own.finding, PSN_FINDING_IAM_POLICY, "/v2/iam/policy/*", id, err);
    if (rc)
        return rc;
    if (read_only)
        own.finding.method[0] = '\0';
    set_detail(&own.finding, name);
    return take_identities(walk, json_object_get(value, "identities"), &own, err);
}

static enum psn_code walk_policies(struct own_walk *walk, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO_JSON *list = NULL;
    enum psn_code rc;

    psn_buf_text(&path, "/v2/iam/policy");
    rc = psn_buf_check(&path, err);
    if (!rc)
        rc = psn_ovh_get_pages(walk->ovh, &path, &list, err);
    for (size_t i = 0; !rc && i < json_array_size(list); i++)
        rc = take_policy(walk, json_array_get(list, i), err);
    return rc;
}

/* --- the walk --- */

static enum psn_code walk_items(struct own_walk *walk, const char *list_path,
                                const char *item_pattern,
                                enum psn_code (*take)(struct own_walk *, const char *,
                                                      const json_t *, struct psn_error *),
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_names) names = { NULL, 0 };
    PSN_AUTO_JSON *list = NULL;
    enum psn_code rc =
        psn_ovh_get_at(walk->ovh, list_path, PSN_OVH_PARTS(NULL), &list, err);

    if (!rc)
        rc = psn_names_read(list, &names, err);
    for (size_t i = 0; !rc && i < names.count; i++) {
        PSN_AUTO_JSON *value = NULL;

        rc = look(walk->ovh, item_pattern, names.items[i], &value, err);
        if (!rc && value)
            rc = take(walk, names.items[i], value, err);
    }
    return rc;
}

enum psn_code psn_ovh_own_walk(struct psn_ovh *ovh, bool with_accounts,
                               psn_ovh_own_fn *each, void *arg, struct psn_error *err)
{
    struct own_walk walk = { .ovh = ovh, .each = each, .arg = arg };
    enum psn_code rc =
        walk_items(&walk, "/me/api/credential", "/me/api/credential/*", take_key, err);

    if (!rc && with_accounts)
        rc = walk_policies(&walk, err);
    if (!rc && with_accounts)
        rc = walk_items(&walk, "/me/api/oauth2/client", "/me/api/oauth2/client/*",
                        take_client, err);
    if (!rc)
        rc = walk_items(&walk, "/me/api/application", "/me/api/application/*",
                        take_application, err);
    return rc ? psn_wrap(err, rc, _("the list of our own accesses is not complete"))
              : PSN_OK;
}

/* --- the last step --- */

const char *psn_ovh_reason_word(enum psn_ovh_reason reason)
{
    switch (reason) {
    case PSN_OVH_REASON_APPLICATION:
        return "INVALID_KEY";
    case PSN_OVH_REASON_NO_KEY:
        return "NOT_CREDENTIAL";
    case PSN_OVH_REASON_KEY_ENDED:
    case PSN_OVH_REASON_KEY_EXPIRED:
    case PSN_OVH_REASON_KEY_REVOKED:
        return "INVALID_CREDENTIAL";
    case PSN_OVH_REASON_TOKEN:
    case PSN_OVH_REASON_NONE:
        return "no token";
    case PSN_OVH_REASON_SIGNATURE:
    case PSN_OVH_REASON_NO_RULE:
    case PSN_OVH_REASON_FORBIDDEN:
    case PSN_OVH_REASON_CLOCK:
    case PSN_OVH_REASON_SERVICE:
        break;
    }
    return "refused";
}

static enum psn_code send(struct psn_ovh *ovh, const char *method, const char *path_text,
                          struct psn_ovh_answer *ret_answer, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO_JSON *value = NULL;
    const struct psn_ovh_change change = { .method = method, .path = &path };
    enum psn_code rc;

    psn_buf_text(&path, path_text);
    rc = psn_buf_check(&path, err);
    if (!rc)
        psn_ovh_send(ovh, &change, ret_answer, &value, err);
    return rc;
}

enum psn_code psn_ovh_logout(struct psn_ovh *ovh, struct psn_ovh_answer *ret_answer,
                             struct psn_error *err)
{
    return send(ovh, "POST", "/auth/logout", ret_answer, err);
}

enum psn_code psn_ovh_own_remove(struct psn_ovh *ovh, const struct psn_finding *finding,
                                 struct psn_ovh_answer *ret_answer, struct psn_error *err)
{
    return send(ovh, finding->method, finding->path, ret_answer, err);
}
