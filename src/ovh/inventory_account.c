/*
 * Who may act for the account by the API: keys and their applications, service accounts,
 * users with their tokens, policies, sub-accounts. Some of these are ours; the walk
 * learns which, so that nobody cuts the branch he sits on.
 */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "ovh/inventory_parts.h"

enum {
    SHOWN_MAX = 3, /* rules, actions or addresses in a detail; the others are counted */
};

/* --- what is ours --- */

static enum psn_code learn_key(struct psn_walk_own *own, const json_t *value,
                               struct psn_error *err)
{
    int64_t key = 0;
    int64_t application = 0;
    enum psn_code rc = psn_json_int(value, "credentialId", &key, err);

    if (rc == PSN_OK)
        rc = psn_json_int_or(value, "applicationId", 0, &application, err);
    if (rc)
        return rc;
    (void)snprintf(own->key, sizeof own->key, "%lld", (long long)key);
    (void)snprintf(own->application, sizeof own->application, "%lld",
                   (long long)application);
    return PSN_OK;
}

/* A service account is named by its identity, "urn:…:credential:NIC/oauth2-CLIENT". */
static void learn_client(struct psn_walk_own *own, const json_t *value)
{
    const json_t *identities = json_object_get(value, "identities");

    for (size_t i = 0; i < json_array_size(identities); i++) {
        const char *urn = json_string_value(json_array_get(identities, i));
        const char *client = urn ? strstr(urn, "/oauth2-") : NULL;

        if (!client)
            continue;
        psn_walk_cut(own->identity, sizeof own->identity, urn);
        psn_walk_cut(own->client, sizeof own->client, client + strlen("/oauth2-"));
    }
}

enum psn_code psn_walk_learn_own(struct psn_walk *walk, struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    struct psn_error failure = { 0 };
    enum psn_code rc = psn_ovh_get_at(walk->ovh, "/auth/currentCredential",
                                      PSN_OVH_PARTS(NULL), &value, &failure);

    if (rc == PSN_OK)
        return learn_key(&walk->own, value, err);
    if (rc == PSN_E_REFUSED || rc == PSN_E_NOT_FOUND) {
        failure = (struct psn_error){ 0 };
        rc = psn_ovh_get_at(walk->ovh, "/auth/details", PSN_OVH_PARTS(NULL), &value,
                            &failure);
        if (rc == PSN_OK)
            learn_client(&walk->own, value);
    }
    if (rc == PSN_OK || rc == PSN_E_REFUSED || rc == PSN_E_NOT_FOUND)
        return PSN_OK;
    if (err && err->code == PSN_OK)
        *err = failure;
    return rc;
}

/* --- keys and applications --- */

static void append_date(struct psn_detail *detail, const char *word, int64_t time_s)
{
    psn_detail_add(detail, PSN_OVH_PARTS(", "));
    psn_detail_say(detail, word, PSN_OVH_PARTS(NULL));
    psn_detail_add(detail, PSN_OVH_PARTS(" "));
    if (time_s)
        psn_detail_day(detail, time_s);
    else
        psn_detail_say(detail, N_("never"), PSN_OVH_PARTS(NULL));
}

/* How many of a list a detail does not show. */
static void append_more(struct psn_detail *detail, size_t count)
{
    char number[24];

    if (count <= SHOWN_MAX)
        return;
    (void)snprintf(number, sizeof number, "%zu", count - SHOWN_MAX);
    psn_detail_say(detail, N_(" and %s more"), PSN_OVH_PARTS(number));
}

static enum psn_code append_rules(struct psn_detail *detail, const json_t *rules,
                                  bool *ret_writes, struct psn_error *err)
{
    enum psn_code rc = rules ? psn_json_expect_array(rules, err) : PSN_OK;

    *ret_writes = false;
    for (size_t i = 0; rc == PSN_OK && i < json_array_size(rules); i++) {
        char method[16];
        char path[PSN_WALK_NAME_SIZE];

        rc =
            psn_json_text(json_array_get(rules, i), "method", method, sizeof method, err);
        if (rc == PSN_OK)
            rc = psn_json_text(json_array_get(rules, i), "path", path, sizeof path, err);
        if (rc)
            return rc;
        *ret_writes = *ret_writes || strcmp(method, "GET") != 0;
        if (i == 0)
            psn_detail_say(detail, N_("; "), PSN_OVH_PARTS(NULL));
        if (i < SHOWN_MAX)
            psn_detail_add(detail, PSN_OVH_PARTS(i ? ", " : "", method, " ", path));
    }
    append_more(detail, json_array_size(rules));
    return rc;
}

/* Null: the key may be used from anywhere. */
static enum psn_code append_addresses(struct psn_detail *detail, const json_t *list,
                                      struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (!list || json_is_null(list)) {
        psn_detail_say(detail, N_("; from any address"), PSN_OVH_PARTS(NULL));
        return PSN_OK;
    }
    rc = psn_json_expect_array(list, err);
    for (size_t i = 0; rc == PSN_OK && i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));

        if (i == 0)
            psn_detail_say(detail, N_("; from %s only"),
                           PSN_OVH_PARTS(text ? text : "?"));
        else if (i < SHOWN_MAX)
            psn_detail_add(detail, PSN_OVH_PARTS(", ", text ? text : "?"));
    }
    append_more(detail, json_array_size(list));
    return rc;
}

/* OVH's word for the state of a key or an application, in the reader's language; one that
 * is not known, as it is. */
static void append_status(struct psn_detail *detail, const char *status)
{
    static const struct {
        const char *word;
        const char *text;
    } words[] = {
        { "validated", N_("validated") },
        { "pendingValidation", N_("not validated yet") },
        { "expired", N_("expired") },
        { "refused", N_("refused") },
        { "active", N_("active") },
        { "trusted", N_("trusted") },
        { "inactive", N_("inactive") },
        { "blocked", N_("blocked") },
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].word, status) == 0) {
            psn_detail_say(detail, words[i].text, PSN_OVH_PARTS(NULL));
            return;
        }
    psn_detail_add(detail, PSN_OVH_PARTS(status));
}

/* What the key may do, for the sweep. */
static enum psn_code judge_key(const json_t *value, const char *status,
                               struct psn_finding *finding, struct psn_detail *detail,
                               struct psn_error *err)
{
    bool writes = false;
    bool ended = strcmp(status, "expired") == 0 || strcmp(status, "refused") == 0;
    enum psn_code rc =
        append_rules(detail, json_object_get(value, "rules"), &writes, err);

    if (rc == PSN_OK)
        rc = append_addresses(detail, json_object_get(value, "allowedIPs"), err);
    finding->danger = ended    ? PSN_DANGER_INFO
                      : writes ? PSN_DANGER_DANGER
                               : PSN_DANGER_NOTICE;
    return rc;
}

static enum psn_code take_api_key(const struct psn_walk *walk, const char *domain,
                                  const char *id, const json_t *value,
                                  struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_API_KEY };
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    char status[32];
    char number[24];
    int64_t application = 0;
    int64_t times[3] = { 0, 0, 0 };
    enum psn_code rc = psn_json_text(value, "status", status, sizeof status, err);

    (void)domain;
    if (rc == PSN_OK)
        rc = psn_json_int_or(value, "applicationId", 0, &application, err);
    if (rc == PSN_OK)
        rc = psn_json_time_or_0(value, "creation", &times[0], err);
    if (rc == PSN_OK)
        rc = psn_json_time_or_0(value, "expiration", &times[1], err);
    if (rc == PSN_OK)
        rc = psn_json_time_or_0(value, "lastUse", &times[2], err);
    if (rc)
        return rc;
    psn_walk_cut(finding.subject, sizeof finding.subject, id);
    psn_walk_set_whose(&finding, id);
    finding.since_s = times[0];
    finding.own = strcmp(walk->own.key, id) == 0;
    (void)snprintf(number, sizeof number, "%lld", (long long)application);
    psn_detail_say(&detail, N_("application %s"), PSN_OVH_PARTS(number));
    psn_detail_add(&detail, PSN_OVH_PARTS(", "));
    append_status(&detail, status);
    append_date(&detail, N_("made"), times[0]);
    append_date(&detail, N_("ends"), times[1]);
    append_date(&detail, N_("last used"), times[2]);
    if (walk->is_sweep)
        rc = judge_key(value, status, &finding, &detail, err);
    if (rc == PSN_OK)
        rc = psn_walk_set_removal(&finding, "DELETE", "/me/api/credential/*",
                                  PSN_OVH_PARTS(id), err);
    return rc ? rc : psn_walk_report(walk, &finding, id, NULL, &detail, err);
}

static enum psn_code take_api_application(const struct psn_walk *walk, const char *domain,
                                          const char *id, const json_t *value,
                                          struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_API_APP };
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    char name[PSN_WALK_NAME_SIZE];
    char status[32];
    enum psn_code rc = psn_json_text_or_empty(value, "name", name, sizeof name, err);

    (void)domain;
    if (rc == PSN_OK)
        rc = psn_json_text(value, "status", status, sizeof status, err);
    if (rc == PSN_OK)
        rc = psn_walk_set_removal(&finding, "DELETE", "/me/api/application/*",
                                  PSN_OVH_PARTS(id), err);
    if (rc)
        return rc;
    psn_walk_cut(finding.subject, sizeof finding.subject, id);
    psn_walk_set_whose(&finding, id);
    finding.own = strcmp(walk->own.application, id) == 0;
    finding.danger = strcmp(status, "active") == 0 || strcmp(status, "trusted") == 0
                         ? PSN_DANGER_NOTICE
                         : PSN_DANGER_INFO;
    psn_detail_add(&detail, PSN_OVH_PARTS(name, ", "));
    append_status(&detail, status);
    return psn_walk_report(walk, &finding, id, NULL, &detail, err);
}

/* --- service accounts, users, tokens --- */

/* It can do nothing without a policy, and policies are findings of their own. */
static enum psn_code take_oauth_client(const struct psn_walk *walk, const char *domain,
                                       const char *id, const json_t *value,
                                       struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_OAUTH_CLIENT,
                                   .danger = PSN_DANGER_NOTICE };
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    char name[PSN_WALK_NAME_SIZE];
    char flow[64];
    enum psn_code rc = psn_json_text_or_empty(value, "name", name, sizeof name, err);

    (void)domain;
    if (rc == PSN_OK)
        rc = psn_json_text_or_empty(value, "flow", flow, sizeof flow, err);
    if (rc == PSN_OK)
        rc = psn_json_time_or_0(value, "createdAt", &finding.since_s, err);
    if (rc == PSN_OK)
        rc = psn_walk_set_removal(&finding, "DELETE", "/me/api/oauth2/client/*",
                                  PSN_OVH_PARTS(id), err);
    if (rc)
        return rc;
    psn_walk_cut(finding.subject, sizeof finding.subject, id);
    psn_walk_set_whose(&finding, id);
    finding.own = strcmp(walk->own.client, id) == 0;
    psn_detail_add(&detail, PSN_OVH_PARTS(name, ", ", flow));
    return psn_walk_report(walk, &finding, id, NULL, &detail, err);
}

static enum psn_code take_token(const struct psn_walk *walk, const char *login,
                                const char *name, const json_t *value,
                                struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_IAM_TOKEN,
                                   .danger = PSN_DANGER_DANGER };
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    int64_t end_s = 0;
    int64_t used_s = 0;
    enum psn_code rc = psn_json_time_or_0(value, "creation", &finding.since_s, err);

    if (rc == PSN_OK)
        rc = psn_json_time_or_0(value, "expiresAt", &end_s, err);
    if (rc == PSN_OK)
        rc = psn_json_time_or_0(value, "lastUsed", &used_s, err);
    if (rc == PSN_OK)
        rc = psn_walk_set_removal(&finding, "DELETE", "/me/identity/user/*/token/*",
                                  PSN_OVH_PARTS(login, name), err);
    if (rc)
        return rc;
    psn_walk_cut(finding.subject, sizeof finding.subject, login);
    psn_walk_set_whose(&finding, login);
    psn_detail_add(&detail, PSN_OVH_PARTS(name));
    append_date(&detail, N_("made"), finding.since_s);
    append_date(&detail, N_("ends"), end_s);
    append_date(&detail, N_("last used"), used_s);
    return psn_walk_report(walk, &finding, login, name, &detail, err);
}

static enum psn_code report_user(const struct psn_walk *walk, const char *login,
                                 const json_t *value, struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_IAM_USER };
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    PSN_AUTO_RELEASE(psn_buf) whose = psn_buf_init((size_t)4 * PSN_WALK_NAME_SIZE);
    char email[PSN_WALK_NAME_SIZE];
    char group[PSN_WALK_NAME_SIZE];
    char status[64];
    enum psn_code rc = psn_json_text_or_empty(value, "email", email, sizeof email, err);

    if (rc == PSN_OK)
        rc = psn_json_text_or_empty(value, "group", group, sizeof group, err);
    if (rc == PSN_OK)
        rc = psn_json_text(value, "status", status, sizeof status, err);
    if (rc == PSN_OK)
        rc = psn_json_time_or_0(value, "creation", &finding.since_s, err);
    if (rc == PSN_OK)
        rc = psn_walk_set_removal(&finding, "DELETE", "/me/identity/user/*",
                                  PSN_OVH_PARTS(login), err);
    psn_buf_format(&whose, "%s%s%s", login, email[0] ? " " : "", email);
    if (rc == PSN_OK)
        rc = psn_buf_check(&whose, err);
    if (rc)
        return rc;
    psn_walk_cut(finding.subject, sizeof finding.subject, login);
    psn_walk_set_whose(&finding, psn_buf_str(&whose));
    finding.external = psn_walk_leads_outside(walk, email);
    finding.danger =
        strcmp(status, "DISABLED") == 0 ? PSN_DANGER_NOTICE : PSN_DANGER_DANGER;
    psn_detail_say(&detail, N_("group %s, %s%s%s"),
                   PSN_OVH_PARTS(group, status, email[0] ? ", " : "", email));
    return psn_walk_report(walk, &finding, login, NULL, &detail, err);
}

/* The account itself is listed among its users; its tokens count, it does not. */
static enum psn_code take_user(const struct psn_walk *walk, const char *domain,
                               const char *login, const json_t *value,
                               struct psn_error *err)
{
    char type[32];
    enum psn_code rc = psn_json_text_or_empty(value, "type", type, sizeof type, err);

    (void)domain;
    if (rc == PSN_OK && strcmp(type, "ROOT") != 0)
        rc = report_user(walk, login, value, err);
    return rc ? rc
              : psn_walk_items(walk, login, "/me/identity/user/*/token",
                               "/me/identity/user/*/token/*", take_token, err);
}

/* Neither OVH's pages nor its API remove one. */
static enum psn_code take_sub_account(const struct psn_walk *walk, const char *domain,
                                      const char *id, const json_t *value,
                                      struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_SUB_ACCOUNT,
                                   .danger = PSN_DANGER_NOTICE };
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    char description[PSN_WALK_NAME_SIZE];
    enum psn_code rc = psn_json_text_or_empty(value, "description", description,
                                              sizeof description, err);

    (void)domain;
    if (rc == PSN_OK)
        rc = psn_json_time_or_0(value, "creationDate", &finding.since_s, err);
    if (rc)
        return rc;
    psn_walk_cut(finding.subject, sizeof finding.subject, id);
    psn_walk_set_whose(&finding, id);
    psn_walk_set_obstacle(&finding,
                          N_("OVH has no call that removes a sub-account; ask its "
                             "support, and remove its API keys here"));
    psn_detail_add(&detail, PSN_OVH_PARTS(description));
    return psn_walk_report(walk, &finding, id, NULL, &detail, err);
}

/* --- policies --- */

static enum psn_code add_identities(const struct psn_walk *walk, const json_t *value,
                                    struct psn_finding *finding, struct psn_buf *whose,
                                    struct psn_error *err)
{
    static const char account[] = ":identity:account:";
    const json_t *list = json_object_get(value, "identities");
    enum psn_code rc = psn_json_expect_array(list, err);

    for (size_t i = 0; rc == PSN_OK && i < json_array_size(list); i++) {
        const char *urn = json_string_value(json_array_get(list, i));
        const char *nic = urn ? strstr(urn, account) : NULL;

        if (!urn)
            return psn_fail(err, PSN_E_NETWORK,
                            _("garbage from the server (a list of names that holds "
                              "something else)"));
        psn_buf_format(whose, "%s%s", i ? " " : "", urn);
        finding->own =
            finding->own || (walk->own.identity[0] && !strcmp(urn, walk->own.identity));
        finding->external =
            finding->external ||
            (nic && psn_walk_is_other_account(walk, nic + strlen(account)));
    }
    return rc;
}

static void append_actions(struct psn_detail *detail, const json_t *value)
{
    const json_t *allow = json_object_get(json_object_get(value, "permissions"), "allow");

    for (size_t i = 0; i < json_array_size(allow) && i < SHOWN_MAX; i++) {
        const char *action =
            json_string_value(json_object_get(json_array_get(allow, i), "action"));

        psn_detail_add(detail, PSN_OVH_PARTS(i ? ", " : "", action ? action : "?"));
    }
    append_more(detail, json_array_size(allow));
    if (json_array_size(allow) == 0)
        psn_detail_say(detail, N_("no action"), PSN_OVH_PARTS(NULL));
}

static enum psn_code report_policy(const struct psn_walk *walk, const char *id,
                                   const json_t *value, struct psn_finding *finding,
                                   struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_detail) detail = psn_detail_init();
    bool read_only = false;
    int64_t end_s = 0;
    enum psn_code rc = psn_json_bool(value, "readOnly", &read_only, err);

    if (rc == PSN_OK)
        rc = psn_json_time_or_0(value, "createdAt", &finding->since_s, err);
    if (rc == PSN_OK)
        rc = psn_json_time_or_0(value, "expiredAt", &end_s, err);
    if (rc == PSN_OK)
        rc = psn_walk_set_removal(finding, "DELETE", "/v2/iam/policy/*",
                                  PSN_OVH_PARTS(id), err);
    if (rc)
        return rc;
    finding->danger = end_s && end_s <= psn_clock_now_s() ? PSN_DANGER_INFO
                      : read_only && !finding->external   ? PSN_DANGER_INFO
                                                          : PSN_DANGER_DANGER;
    if (read_only)
        psn_walk_set_obstacle(finding,
                              N_("OVH made this policy and does not let it be removed; "
                                 "remove the user or the account it names"));
    append_actions(&detail, value);
    append_date(&detail, N_("ends"), end_s);
    return psn_walk_report(walk, finding, id, NULL, &detail, err);
}

static enum psn_code take_policy(const struct psn_walk *walk, const json_t *value,
                                 struct psn_error *err)
{
    struct psn_finding finding = { .kind = PSN_FINDING_IAM_POLICY };
    PSN_AUTO_RELEASE(psn_buf) whose = psn_buf_init(PSN_RECORD_MAX);
    char id[PSN_WALK_NAME_SIZE];
    enum psn_code rc = psn_json_text(value, "id", id, sizeof id, err);

    if (rc == PSN_OK)
        rc = psn_json_text(value, "name", finding.subject, sizeof finding.subject, err);
    if (rc == PSN_OK)
        rc = add_identities(walk, value, &finding, &whose, err);
    if (rc == PSN_OK)
        rc = psn_buf_check(&whose, err);
    if (rc)
        return rc;
    psn_walk_set_whose(&finding, psn_buf_str(&whose));
    return report_policy(walk, id, value, &finding, err);
}

static enum psn_code walk_policies(const struct psn_walk *walk, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO_JSON *list = NULL;
    struct psn_error failure = { 0 };
    enum psn_code rc = psn_ovh_path(&path, "/v2/iam/policy", PSN_OVH_PARTS(NULL), err);

    if (rc)
        return rc;
    rc = psn_ovh_get_pages(walk->ovh, &path, &list, &failure);
    if (rc)
        return psn_walk_refused(walk, psn_buf_str(&path), rc, &failure, err);
    for (size_t i = 0; rc == PSN_OK && i < json_array_size(list); i++)
        rc = take_policy(walk, json_array_get(list, i), err);
    return rc ? psn_wrap(err, rc, "%s", psn_buf_str(&path)) : PSN_OK;
}

enum psn_code psn_account_walk(const struct psn_walk *walk, struct psn_error *err)
{
    static const struct {
        const char *list;
        const char *item;
        psn_walk_item_fn *take;
        bool in_sweep_only;
    } parts[] = {
        { "/me/api/application", "/me/api/application/*", take_api_application, false },
        { "/me/api/credential", "/me/api/credential/*", take_api_key, false },
        { "/me/api/oauth2/client", "/me/api/oauth2/client/*", take_oauth_client, true },
        { "/me/identity/user", "/me/identity/user/*", take_user, true },
        { "/me/subAccount", "/me/subAccount/*", take_sub_account, true },
    };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; rc == PSN_OK && i < sizeof parts / sizeof *parts; i++)
        if (walk->is_sweep || !parts[i].in_sweep_only)
            rc = psn_walk_items(walk, NULL, parts[i].list, parts[i].item, parts[i].take,
                                err);
    return rc || !walk->is_sweep ? rc : walk_policies(walk, err);
}
