#include "core/rights.h"

#include <stdio.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "base/text.h"

enum {
    DOMAINS_LISTED_MAX = 4, /* a key of more rules cannot be read back */
    PAGE_MAX = 32 * 1024,
};

/* Whose right it is. */
enum family {
    BASE, /* of every key */
    DOMAIN,
    MXPLAN,
    PRO,
    EXCHANGE,
    ZIMBRA,
    AROUND, /* makes the inventory complete; its absence is no failure */
};

enum use {
    WORK = 1u << PSN_KEY_WORK,
    CUT = 1u << PSN_KEY_CUT,
};

/*
 * The rights, also in passation-ovh(1). "{}" stands for each domain of the client, '*'
 * for any characters, as in OVH's own rules: services of the other back-ends have numbers
 * that are not known before the key is. A tree takes two rules, its root and "/ *" below
 * it. Rules on v2 are matched with or without their root, and nothing says which: both
 * are asked for, one is enough.
 */
static const struct right {
    const char *method;
    const char *path;
    unsigned uses;
    enum family family;
    const char *twin; /* another path that does as well, or NULL */
} rights[] = {
    { "GET", "/me", WORK | CUT, BASE, NULL },
    { "GET", "/auth/currentCredential", WORK | CUT, BASE, NULL },
    { "GET", "/email/domain", WORK | CUT, DOMAIN, NULL },
    { "GET", "/email/domain/{}", WORK | CUT, DOMAIN, NULL },
    { "GET", "/email/domain/{}/*", WORK | CUT, DOMAIN, NULL },
    { "POST", "/email/domain/{}/account", WORK, DOMAIN, NULL },
    { "POST", "/email/domain/{}/account/*/changePassword", WORK, DOMAIN, NULL },
    { "GET", "/email/mxplan", WORK | CUT, MXPLAN, NULL },
    { "GET", "/email/mxplan/*", WORK | CUT, MXPLAN, NULL },
    { "PUT", "/email/mxplan/*/account/*", WORK, MXPLAN, NULL },
    { "POST", "/email/mxplan/*/account/*/changePassword", WORK, MXPLAN, NULL },
    { "GET", "/email/pro", WORK | CUT, PRO, NULL },
    { "GET", "/email/pro/*", WORK | CUT, PRO, NULL },
    { "PUT", "/email/pro/*/account/*", WORK, PRO, NULL },
    { "POST", "/email/pro/*/account/*/changePassword", WORK, PRO, NULL },
    { "GET", "/email/exchange", WORK | CUT, EXCHANGE, NULL },
    { "GET", "/email/exchange/*", WORK | CUT, EXCHANGE, NULL },
    { "POST", "/email/exchange/*/service/*/account", WORK, EXCHANGE, NULL },
    { "PUT", "/email/exchange/*/service/*/account/*", WORK, EXCHANGE, NULL },
    { "POST", "/email/exchange/*/service/*/account/*/changePassword", WORK, EXCHANGE,
      NULL },
    { "GET", "/v2/zimbra/platform", WORK | CUT, ZIMBRA, "/zimbra/platform" },
    { "GET", "/v2/zimbra/platform/*", WORK | CUT, ZIMBRA, "/zimbra/platform/*" },
    { "POST", "/v2/zimbra/platform/*/account", WORK, ZIMBRA,
      "/zimbra/platform/*/account" },
    { "PUT", "/v2/zimbra/platform/*/account/*", WORK, ZIMBRA,
      "/zimbra/platform/*/account/*" },
    { "GET", "/me/api/credential", WORK | CUT, AROUND, NULL },
    { "GET", "/me/api/credential/*", WORK | CUT, AROUND, NULL },
    { "GET", "/me/api/application", WORK | CUT, AROUND, NULL },
    { "GET", "/me/api/application/*", WORK | CUT, AROUND, NULL },
    { "GET", "/me/api/oauth2/client", WORK | CUT, AROUND, NULL },
    { "GET", "/me/api/oauth2/client/*", WORK | CUT, AROUND, NULL },
    { "GET", "/domain/{}/serviceInfos", WORK | CUT, AROUND, NULL },

    { "DELETE", "/email/domain/{}/redirection/*", CUT, DOMAIN, NULL },
    { "PUT", "/email/domain/{}/responder/*", CUT, DOMAIN, NULL },
    { "DELETE", "/email/domain/{}/responder/*", CUT, DOMAIN, NULL },
    { "DELETE", "/email/domain/{}/account/*/filter/*", CUT, DOMAIN, NULL },
    { "DELETE", "/email/domain/{}/account/*/delegation/*", CUT, DOMAIN, NULL },
    { "DELETE", "/email/domain/{}/acl/*", CUT, DOMAIN, NULL },
    { "DELETE", "/email/domain/{}/mailingList/*/moderator/*", CUT, DOMAIN, NULL },
    { "DELETE", "/email/domain/{}/mailingList/*/subscriber/*", CUT, DOMAIN, NULL },
    { "PUT", "/email/domain/{}/mailingList/*", CUT, DOMAIN, NULL },
    { "POST", "/email/domain/{}/changeContact", CUT, DOMAIN, NULL },
    { "DELETE", "/email/mxplan/*/account/*/fullAccess/*", CUT, MXPLAN, NULL },
    { "DELETE", "/email/mxplan/*/account/*/sendAs/*", CUT, MXPLAN, NULL },
    { "DELETE", "/email/mxplan/*/account/*/sendOnBehalfTo/*", CUT, MXPLAN, NULL },
    { "DELETE", "/email/mxplan/*/account/*/alias/*", CUT, MXPLAN, NULL },
    { "DELETE", "/email/pro/*/account/*/fullAccess/*", CUT, PRO, NULL },
    { "DELETE", "/email/pro/*/account/*/sendAs/*", CUT, PRO, NULL },
    { "DELETE", "/email/pro/*/account/*/sendOnBehalfTo/*", CUT, PRO, NULL },
    { "DELETE", "/email/pro/*/account/*/alias/*", CUT, PRO, NULL },
    { "POST", "/email/pro/*/changeContact", CUT, PRO, NULL },
    { "DELETE", "/email/exchange/*/service/*/account/*/fullAccess/*", CUT, EXCHANGE,
      NULL },
    { "DELETE", "/email/exchange/*/service/*/account/*/sendAs/*", CUT, EXCHANGE, NULL },
    { "DELETE", "/email/exchange/*/service/*/account/*/sendOnBehalfTo/*", CUT, EXCHANGE,
      NULL },
    { "DELETE", "/email/exchange/*/service/*/account/*/alias/*", CUT, EXCHANGE, NULL },
    { "DELETE", "/v2/zimbra/platform/*/redirection/*", CUT, ZIMBRA,
      "/zimbra/platform/*/redirection/*" },
    { "DELETE", "/v2/zimbra/platform/*/alias/*", CUT, ZIMBRA,
      "/zimbra/platform/*/alias/*" },
    { "POST", "/domain/{}/changeContact", CUT, AROUND, NULL },
    { "GET", "/domain/zone/{}/serviceInfos", CUT, AROUND, NULL },
    { "POST", "/domain/zone/{}/changeContact", CUT, AROUND, NULL },
    { "GET", "/domain/zone/*/record*", CUT, AROUND, NULL },
    { "GET", "/hosting/web", CUT, AROUND, NULL },
    { "GET", "/hosting/web/*/serviceInfos", CUT, AROUND, NULL },
    { "POST", "/hosting/web/*/changeContact", CUT, AROUND, NULL },
    { "GET", "/me/task/contactChange", CUT, AROUND, NULL },
    { "GET", "/me/task/contactChange/*", CUT, AROUND, NULL },
    { "POST", "/me/task/contactChange/*", CUT, AROUND, NULL },
    { "DELETE", "/me/api/credential/*", CUT, BASE, NULL },
    { "DELETE", "/me/api/application/*", CUT, BASE, NULL },
    { "DELETE", "/me/api/oauth2/client/*", CUT, BASE, NULL },
    { "GET", "/me/identity/user", CUT, AROUND, NULL },
    { "GET", "/me/identity/user/*", CUT, AROUND, NULL },
    { "POST", "/me/identity/user/*/disable", CUT, AROUND, NULL },
    { "DELETE", "/me/identity/user/*", CUT, AROUND, NULL },
    { "GET", "/me/subAccount", CUT, AROUND, NULL },
    { "GET", "/me/subAccount/*", CUT, AROUND, NULL },
    { "GET", "/v2/iam/policy", CUT, AROUND, "/iam/policy" },
    { "GET", "/v2/iam/policy/*", CUT, AROUND, "/iam/policy/*" },
    { "DELETE", "/v2/iam/policy/*", CUT, AROUND, "/iam/policy/*" },
    { "POST", "/auth/logout", CUT, BASE, NULL },
};

/* Reading more than is asked for is no danger to a password: such keys are not wide. */
static const struct {
    const char *method;
    const char *path;
} harmless[] = {
    { "GET", "/me*" },          { "GET", "/auth/*" },       { "GET", "/email/*" },
    { "GET", "/domain*" },      { "GET", "/hosting/web*" }, { "GET", "/zimbra*" },
    { "GET", "/v2/zimbra*" },   { "GET", "/iam*" },         { "GET", "/v2/iam*" },
    { "POST", "/auth/logout" },
};

enum {
    RIGHT_COUNT = sizeof rights / sizeof rights[0],
};

void psn_rights_release(struct psn_rights *list)
{
    free(list->rules);
    *list = (struct psn_rights){ 0 };
}

/* --- asking --- */

/* The path with the domain in its place. */
static bool put_path(const char *path, const char *domain, char *out, size_t size)
{
    const char *mark = strstr(path, "{}");
    int length =
        mark ? snprintf(out, size, "%.*s%s%s", (int)(mark - path), path, domain, mark + 2)
             : snprintf(out, size, "%s", path);

    return length >= 0 && (size_t)length < size;
}

static enum psn_code add(struct psn_rights *list, const char *method, const char *path,
                         const char *domain, struct psn_error *err)
{
    struct psn_ovh_rule *rule;
    enum psn_code rc = PSN_GROW(list->rules, list->count, err);

    if (rc)
        return rc;
    rule = &list->rules[list->count];
    (void)snprintf(rule->method, sizeof rule->method, "%s", method);
    if (!put_path(path, domain, rule->path, sizeof rule->path))
        return psn_fail(err, PSN_E_LIMIT, _("the domain '%s' is too long for a rule"),
                        domain);
    list->count++;
    return PSN_OK;
}

static enum psn_code add_for_domains(struct psn_rights *list, const struct right *right,
                                     const struct psn_client *client,
                                     struct psn_error *err)
{
    bool each = client->domain_count <= DOMAINS_LISTED_MAX;
    enum psn_code rc = PSN_OK;

    if (!strstr(right->path, "{}") || !each)
        return add(list, right->method, right->path, "*", err);
    for (size_t i = 0; !rc && i < client->domain_count; i++)
        rc = add(list, right->method, right->path, client->domains[i], err);
    return rc;
}

enum psn_code psn_rights_of(const struct psn_client *client, enum psn_key_use use,
                            struct psn_rights *ret_rights, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_rights) list = { 0 };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < RIGHT_COUNT; i++) {
        if (!(rights[i].uses & 1u << use))
            continue;
        rc = add_for_domains(&list, &rights[i], client, err);
        if (!rc && rights[i].twin)
            rc = add(&list, rights[i].method, rights[i].twin, "*", err);
    }
    if (rc)
        return rc;
    *ret_rights = list;
    list = (struct psn_rights){ 0 };
    return PSN_OK;
}

enum psn_code psn_rights_page(const struct psn_client *client, enum psn_key_use use,
                              struct psn_buf *page, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_rights) list = { 0 };
    char root[PSN_URL_MAX];
    char origin[PSN_URL_MAX];
    bool is_ovh;
    enum psn_code rc =
        psn_ovh_endpoint_root(client->endpoint, root, sizeof root, &is_ovh, err);

    if (!rc)
        rc = psn_ovh_origin(root, origin, sizeof origin, err);
    if (!rc)
        rc = psn_rights_of(client, use, &list, err);
    if (rc)
        return rc;
    *page = psn_buf_init(PAGE_MAX);
    psn_buf_format(page, "%s/createToken/", origin);
    for (size_t i = 0; i < list.count; i++)
        psn_buf_format(page, "%c%s=%s", i ? '&' : '?', list.rules[i].method,
                       list.rules[i].path);
    return psn_buf_check(page, err);
}

/* --- judging --- */

static bool covers(const char *wide_method, const char *wide_path, const char *method,
                   const char *path)
{
    return strcmp(wide_method, method) == 0 && psn_text_glob(wide_path, path);
}

/* A rule for any domain counts as one for the client's: which domains an account has is
 * its owner's affair, and most have only these. */
static bool is_within(enum psn_key_use use, const struct psn_ovh_rule *rule)
{
    char path[sizeof rule->path];

    for (size_t i = 0; i < RIGHT_COUNT; i++) {
        const struct right *right = &rights[i];

        if (!(right->uses & 1u << use))
            continue;
        if (put_path(right->path, "*", path, sizeof path) &&
            covers(right->method, path, rule->method, rule->path))
            return true;
        if (right->twin && covers(right->method, right->twin, rule->method, rule->path))
            return true;
    }
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        if (covers(harmless[i].method, harmless[i].path, rule->method, rule->path))
            return true;
    return false;
}

static bool grants(const struct psn_ovh_key_info *info, const char *method,
                   const char *path)
{
    for (size_t i = 0; i < info->rule_count; i++)
        if (covers(info->rules[i].method, info->rules[i].path, method, path))
            return true;
    return false;
}

bool psn_rights_allow(const struct psn_ovh_key_info *info, const char *method,
                      const char *path)
{
    return grants(info, method, path) ||
           (strncmp(path, "/v2/", 4) == 0 && grants(info, method, path + 3));
}

static void miss(struct psn_link *link, const char *method, const char *path)
{
    if (link->missing < PSN_LINK_MISSING_MAX)
        (void)snprintf(link->missing_rules[link->missing], sizeof link->missing_rules[0],
                       "%s %s", method, path);
    link->missing++;
}

/* The families of the back-ends that are in use. */
static unsigned families_of(psn_backend_set backends)
{
    static const struct {
        enum family family;
        const char *name;
    } names[] = {
        { DOMAIN, "email/domain" },     { MXPLAN, "email/mxplan" }, { PRO, "email/pro" },
        { EXCHANGE, "email/exchange" }, { ZIMBRA, "zimbra" },
    };
    unsigned families = 0;

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        enum psn_backend backend = psn_backend_parse(names[i].name);

        if (backend != PSN_BACKEND_NONE && backends & 1u << backend)
            families |= 1u << names[i].family;
    }
    return families;
}

/* Before there is any mailbox, a key tells by what it may change which families it was
 * made for. */
static unsigned families_meant(const struct psn_client *client, enum psn_key_use use,
                               const struct psn_ovh_key_info *info)
{
    const char *domain = client->domain_count > 0 ? client->domains[0] : "";
    char path[sizeof info->rules[0].path];
    unsigned families = 0;

    for (size_t i = 0; i < RIGHT_COUNT; i++)
        if ((rights[i].uses & 1u << use) && rights[i].family != AROUND &&
            rights[i].family != BASE && strcmp(rights[i].method, "GET") != 0 &&
            put_path(rights[i].path, domain, path, sizeof path) &&
            grants(info, rights[i].method, path))
            families |= 1u << rights[i].family;
    return families ? families : 1u << DOMAIN;
}

static void look_for(const struct psn_client *client, const struct right *right,
                     const struct psn_ovh_key_info *info, struct psn_link *link)
{
    bool for_domains = strstr(right->path, "{}") != NULL;
    size_t count = for_domains ? client->domain_count : 1;
    char path[sizeof info->rules[0].path];

    for (size_t i = 0; i < count; i++) {
        const char *domain = for_domains ? client->domains[i] : "";

        if (put_path(right->path, domain, path, sizeof path) &&
            !grants(info, right->method, path) &&
            !(right->twin && grants(info, right->method, right->twin)))
            miss(link, right->method, path);
    }
}

void psn_rights_judge(const struct psn_client *client, enum psn_key_use use,
                      psn_backend_set backends, const struct psn_ovh_key_info *info,
                      struct psn_link *link)
{
    unsigned families = families_of(backends);
    size_t widest = SIZE_MAX;

    if (!families)
        families = families_meant(client, use, info);
    families |= 1u << BASE;
    link->rules = info->rule_count;
    link->missing = 0;
    /* The shorter a rule's path, the more it opens. */
    for (size_t i = 0; i < info->rule_count; i++) {
        const struct psn_ovh_rule *rule = &info->rules[i];

        if (is_within(use, rule) || strlen(rule->path) >= widest)
            continue;
        widest = strlen(rule->path);
        link->wide = true;
        (void)snprintf(link->wide_rule, sizeof link->wide_rule, "%s %s", rule->method,
                       rule->path);
    }
    for (size_t i = 0; i < RIGHT_COUNT; i++)
        if ((rights[i].uses & 1u << use) && (families & 1u << rights[i].family))
            look_for(client, &rights[i], info, link);
}
