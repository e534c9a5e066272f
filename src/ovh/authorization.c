#include "ovh/authorization.h"

#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "ovh/call.h"

enum {
    KEY_LENGTH_MAX = 256,
};

void psn_ovh_asked_key_release(struct psn_ovh_asked_key *key)
{
    if (!key)
        return;
    psn_secret_free(key->consumer_key);
    *key = (struct psn_ovh_asked_key){ 0 };
}

static enum psn_code build_body(const struct psn_ovh_rule *rules, size_t count,
                                struct psn_secret **ret_body, struct psn_error *err)
{
    PSN_AUTO_JSON *list = json_array();
    PSN_AUTO_JSON *body = NULL;
    PSN_AUTO(psn_secret) *text = NULL;
    size_t size;
    enum psn_code rc;

    for (size_t i = 0; i < count; i++)
        if (json_array_append_new(list, json_pack("{s:s, s:s}", "method", rules[i].method,
                                                  "path", rules[i].path)) != 0)
            return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    body = json_pack("{s:O}", "accessRules", list);
    size = body ? json_dumpb(body, NULL, 0, JSON_COMPACT) : 0;
    if (size == 0)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_secret_new(size, &text, err);
    if (rc)
        return rc;
    if (json_dumpb(body, (char *)psn_secret_fill(text), size, JSON_COMPACT) != size)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    psn_secret_set_size(text, size);
    *ret_body = PSN_TAKE(text);
    return PSN_OK;
}

static bool is_visible(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static enum psn_code read_key(const json_t *value, struct psn_ovh_asked_key *ret_key,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_ovh_asked_key) key = { 0 };
    const char *secret = json_string_value(json_object_get(value, "consumerKey"));
    enum psn_code rc = psn_json_expect_object(value, err);

    if (!rc)
        rc = psn_json_text(value, "validationUrl", key.url, sizeof key.url, err);
    if (rc)
        return rc;
    /* The owner is going to type his password behind this address. */
    if (strncmp(key.url, "https://", 8) != 0 || !is_visible(key.url))
        return psn_fail(err, PSN_E_NETWORK,
                        _("garbage from the server (an address to agree on that is not "
                          "https)"));
    if (!secret || !*secret || strlen(secret) > KEY_LENGTH_MAX || !is_visible(secret))
        return psn_fail(err, PSN_E_NETWORK, _("garbage from the server (no key)"));
    rc = psn_secret_copy(secret, strlen(secret), &key.consumer_key, err);
    if (rc)
        return rc;
    *ret_key = key;
    key.consumer_key = NULL;
    return PSN_OK;
}

/* This call checks nothing but the application key, and says so in its own words. */
static enum psn_code explain(const struct psn_ovh_answer *answer,
                             const struct psn_error *cause, struct psn_error *err)
{
    if (answer->outcome == PSN_OVH_NOT_ALLOWED && cause->remote == 403) {
        (void)psn_fail(err, PSN_E_REFUSED,
                       _("OVH does not know the application key, or has blocked it"));
        return psn_hint(err, PSN_E_REFUSED,
                        _("check it, or register an application at the createApp page of "
                          "your region; see passation-ovh(1)"));
    }
    if (err && err->code == PSN_OK)
        *err = *cause;
    return cause->code ? cause->code : PSN_E_NETWORK;
}

enum psn_code psn_ovh_ask_key(struct psn_ovh *ovh, const struct psn_ovh_rule *rules,
                              size_t count, struct psn_ovh_asked_key *ret_key,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(PSN_OVH_PATH_MAX);
    PSN_AUTO(psn_secret) *body = NULL;
    PSN_AUTO_JSON *value = NULL;
    struct psn_ovh_change what = { .method = "POST",
                                   .path = &path,
                                   .by_application = true };
    struct psn_ovh_answer answer = { .outcome = PSN_OVH_NOT_SENT };
    struct psn_error cause = { 0 };
    enum psn_code rc =
        psn_ovh_path(&path, "/auth/credential", PSN_OVH_PARTS(NULL), &cause);

    if (!rc)
        rc = build_body(rules, count, &body, &cause);
    if (!rc) {
        what.body = body;
        psn_ovh_send(ovh, &what, &answer, &value, &cause);
        if (answer.outcome == PSN_OVH_DONE)
            rc = read_key(value, ret_key, &cause);
        else
            rc = explain(&answer, &cause, err);
    }
    if (rc && err && err->code == PSN_OK)
        *err = cause;
    return rc ? psn_wrap(err, rc, _("cannot ask for a key")) : PSN_OK;
}
