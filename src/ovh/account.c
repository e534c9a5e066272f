/* The account behind the key, and the key itself. */
#include <string.h>

#include "base/i18n.h"
#include "ovh/call.h"

static enum psn_code read_account(const json_t *value, struct psn_ovh_account *account,
                                  struct psn_error *err)
{
    char first[PSN_OVH_TEXT_MAX];
    char last[PSN_OVH_TEXT_MAX];
    PSN_AUTO_RELEASE(psn_buf) name = psn_buf_init(sizeof account->name - 1);
    enum psn_code rc = psn_json_expect_object(value, err);

    if (rc == PSN_OK)
        rc = psn_json_text(value, "nichandle", account->nic, sizeof account->nic, err);
    if (rc == PSN_OK)
        rc = psn_json_text_or_empty(value, "email", account->email, sizeof account->email,
                                    err);
    if (rc == PSN_OK)
        rc = psn_json_text_or_empty(value, "organisation", account->name,
                                    sizeof account->name, err);
    if (rc == PSN_OK)
        rc = psn_json_text_or_empty(value, "firstname", first, sizeof first, err);
    if (rc == PSN_OK)
        rc = psn_json_text_or_empty(value, "name", last, sizeof last, err);
    if (rc || account->name[0])
        return rc;
    psn_buf_text(&name, first);
    psn_buf_text(&name, first[0] && last[0] ? " " : "");
    psn_buf_text(&name, last);
    rc = psn_buf_check(&name, err);
    if (rc == PSN_OK)
        memcpy(account->name, psn_buf_str(&name), name.size + 1);
    return rc;
}

enum psn_code psn_ovh_me(struct psn_ovh *ovh, struct psn_ovh_account *ret_account,
                         struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    struct psn_ovh_account account = { .nic = "" };
    enum psn_code rc = psn_ovh_get_at(ovh, "/me", PSN_OVH_PARTS(NULL), &value, err);

    if (rc == PSN_OK)
        rc = read_account(value, &account, err);
    if (rc)
        return psn_wrap(err, rc, _("cannot read the OVH account"));
    *ret_account = account;
    return PSN_OK;
}

static enum psn_code read_rules(const json_t *rules, struct psn_ovh_key_info *info,
                                struct psn_error *err)
{
    enum psn_code rc = psn_json_expect_array(rules, err);

    if (rc == PSN_OK && json_array_size(rules) > sizeof info->rules / sizeof *info->rules)
        return psn_fail(err, PSN_E_NETWORK, _("the key has more than %zu rules"),
                        sizeof info->rules / sizeof *info->rules);
    for (size_t i = 0; rc == PSN_OK && i < json_array_size(rules); i++) {
        const json_t *item = json_array_get(rules, i);
        struct psn_ovh_rule *rule = &info->rules[info->rule_count++];

        rc = psn_json_text(item, "method", rule->method, sizeof rule->method, err);
        if (rc == PSN_OK)
            rc = psn_json_text(item, "path", rule->path, sizeof rule->path, err);
    }
    return rc;
}

static enum psn_code read_key_info(const json_t *value, struct psn_ovh_key_info *info,
                                   struct psn_error *err)
{
    enum psn_code rc = psn_json_expect_object(value, err);

    info->rule_count = 0;
    if (rc == PSN_OK)
        rc = psn_json_int(value, "credentialId", &info->credential_id, err);
    if (rc == PSN_OK)
        rc = psn_json_int_or(value, "applicationId", 0, &info->application_id, err);
    if (rc == PSN_OK)
        rc = psn_json_text(value, "status", info->status, sizeof info->status, err);
    if (rc == PSN_OK)
        rc = psn_json_time_or_0(value, "expiration", &info->expires_s, err);
    if (rc == PSN_OK)
        rc = psn_json_time_or_0(value, "lastUse", &info->last_use_s, err);
    return rc ? rc : read_rules(json_object_get(value, "rules"), info, err);
}

enum psn_code psn_ovh_key_info(struct psn_ovh *ovh, struct psn_ovh_key_info *ret_info,
                               struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    PSN_AUTO_FREE struct psn_ovh_key_info *info = calloc(1, sizeof *info);
    enum psn_code rc;

    if (!info)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_ovh_get_at(ovh, "/auth/currentCredential", PSN_OVH_PARTS(NULL), &value, err);
    if (rc == PSN_OK)
        rc = read_key_info(value, info, err);
    if (rc)
        return psn_wrap(err, rc, _("cannot read the rules of the OVH key"));
    *ret_info = *info;
    return PSN_OK;
}

enum psn_code psn_ovh_details(struct psn_ovh *ovh, struct psn_ovh_details *ret_details,
                              struct psn_error *err)
{
    PSN_AUTO_JSON *value = NULL;
    struct psn_ovh_details details = { .nic = "" };
    enum psn_code rc =
        psn_ovh_get_at(ovh, "/auth/details", PSN_OVH_PARTS(NULL), &value, err);

    if (rc == PSN_OK)
        rc = psn_json_expect_object(value, err);
    if (rc == PSN_OK)
        rc = psn_json_text(value, "account", details.nic, sizeof details.nic, err);
    if (rc == PSN_OK)
        rc = psn_json_text(value, "method", details.method, sizeof details.method, err);
    if (rc)
        return psn_wrap(err, rc, _("cannot read whose credential this is"));
    *ret_details = details;
    return PSN_OK;
}
