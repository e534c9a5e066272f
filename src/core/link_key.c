/*
 * Linking a client: a credential that is given, or a consumer key that its owner is asked
 * for (link_wait.c). Whichever it is, OVH says whose it is and what it may do before it
 * is stored.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/allow.h"
#include "base/i18n.h"
#include "base/text.h"
#include "core/access.h"
#include "core/departure.h"
#include "core/journal.h"
#include "core/linking.h"
#include "core/rights.h"
#include "core/role.h"
#include "ovh/call.h"
#include "ovh/directory.h"

enum {
    CUT_DAY_S = 24 * 3600,
    SHOWN_SIZE = 200,
};

static enum psn_key_use use_of(const struct psn_linking *linking)
{
    return linking->options->use;
}

static void psn_linking_release(struct psn_linking *linking)
{
    psn_client_release(&linking->client);
    psn_credentials_release(&linking->all);
    psn_ovh_credential_release(&linking->candidate);
}

bool psn_client_has_application(const struct psn_client *client, enum psn_key_use use)
{
    (void)use;
    for (size_t i = 0; i < PSN_KEY_USES; i++)
        if (client->keys.asked_s[i])
            return true;
    return client->linked && !client->keys.is_account;
}

enum psn_code psn_client_key_page(struct psn_vault *vault, const char *id,
                                  enum psn_key_use use, char **ret_page,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) page = psn_buf_init(1);
    struct psn_client client = psn_client_init();
    enum psn_code rc = psn_client_get(vault, id, &client, err);

    if (!rc)
        rc = psn_rights_page(&client, use, &page, err);
    psn_client_release(&client);
    return rc ? rc : psn_buf_take(&page, ret_page, err);
}

/* --- judging a credential --- */

static enum psn_code check_account(const struct psn_client *client, const char *nic,
                                   struct psn_error *err)
{
    char shown[SHOWN_SIZE];

    if (strcasecmp(nic, client->nic) == 0)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("this key opens the account %s, and client '%s' has %s"),
                   psn_text_shown(nic, shown, sizeof shown), client->id, client->nic);
    return psn_hint(
        err, PSN_E_POLICY,
        _("use the key of the right account, or correct the client: passation client "
          "set %s --nic %s"),
        client->id, shown);
}

static enum psn_code check_width(const struct psn_linking *linking, struct psn_error *err)
{
    const struct psn_link *link = &linking->link;
    char shown[SHOWN_SIZE];

    if (!link->wide || linking->options->accept_wide)
        return PSN_OK;
    (void)psn_fail(
        err, PSN_E_POLICY, _("the key of '%s' may do more than passation needs: %s"),
        linking->client.id, psn_text_shown(link->wide_rule, shown, sizeof shown));
    return psn_hint(
        err, PSN_E_POLICY,
        _("make a key with the rules listed in passation-ovh(1), or accept this one "
          "with --accept-wide"));
}

static enum psn_code note_backend(void *arg, const struct psn_role_row *row,
                                  struct psn_error *err)
{
    struct {
        const char *client;
        psn_backend_set *set;
    } *want = arg;

    (void)err;
    if (strcmp(row->client, want->client) == 0)
        *want->set |= 1u << row->backend;
    return PSN_OK;
}

enum psn_code psn_linking_backends(struct psn_vault *vault, const char *client,
                                   psn_backend_set *ret_set, struct psn_error *err)
{
    psn_backend_set set = 0;
    struct {
        const char *client;
        psn_backend_set *set;
    } want = { client, &set };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (!rc)
        rc = psn_vault_end(vault, psn_role_scan(vault, NULL, 0, note_backend, &want, err),
                           err);
    *ret_set = set & ~(1u << PSN_BACKEND_NONE);
    return rc;
}

/* A key's state in OVH's words, where OVH tells it. */
enum psn_code psn_linking_fail_state(const char *status, struct psn_error *err)
{
    if (strcmp(status, "refused") == 0)
        (void)psn_fail(err, PSN_E_REFUSED, _("the owner has refused this key"));
    else if (strcmp(status, "expired") == 0)
        (void)psn_fail(err, PSN_E_REFUSED, _("this key has expired"));
    else
        (void)psn_fail(err, PSN_E_REFUSED, _("the owner has not approved this key yet"));
    return PSN_E_REFUSED;
}

/* Says which of the four ends it was, if OVH is willing to tell. */
static enum psn_code explain_end(struct psn_ovh *ovh, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_ovh_key_info *info = calloc(1, sizeof *info);
    struct psn_error exact = { 0 };

    if (psn_ovh_last_reason(ovh) != PSN_OVH_REASON_KEY_ENDED || !info ||
        psn_ovh_key_info(ovh, info, NULL) || strcmp(info->status, "validated") == 0)
        return PSN_E_REFUSED;
    (void)psn_linking_fail_state(info->status, &exact);
    (void)psn_hint(&exact, PSN_E_REFUSED, _("make a new one: passation ovh link %s"),
                   psn_ovh_client(ovh));
    if (err)
        *err = exact;
    return PSN_E_REFUSED;
}

/* Is there a service that has the domain and may be read? Each domain is asked for anew,
 * so that the reason for a refusal is its own. */
static enum psn_code probe_domain(struct psn_ovh *ovh, const char *domain,
                                  bool *ret_no_rule, struct psn_error *err)
{
    PSN_AUTO(psn_directory) *directory = NULL;
    struct psn_error cause = { 0 };
    enum psn_code rc = psn_directory_new(ovh, &directory, err);

    *ret_no_rule = false;
    if (rc)
        return rc;
    rc = psn_directory_serves(directory, domain, &cause);
    if (rc == PSN_OK || rc == PSN_E_NOT_FOUND)
        return PSN_OK;
    *ret_no_rule = rc == PSN_E_REFUSED &&
                   psn_directory_refused_for(directory) == PSN_OVH_REASON_NO_RULE;
    if (*ret_no_rule)
        return PSN_OK;
    if (err)
        *err = cause;
    return rc;
}

/* What a service account may not read of the mail is not allowed by any of its policies;
 * it cannot be asked what it may do. */
static enum psn_code probe_account(struct psn_linking *linking, struct psn_ovh *ovh,
                                   struct psn_error *err)
{
    const struct psn_client *client = &linking->client;
    struct psn_link *link = &linking->link;

    for (size_t i = 0; i < client->domain_count; i++) {
        bool no_rule = false;
        enum psn_code rc = probe_domain(ovh, client->domains[i], &no_rule, err);

        if (rc)
            return rc;
        if (!no_rule)
            continue;
        if (link->missing < PSN_LINK_MISSING_MAX)
            (void)snprintf(link->missing_rules[link->missing],
                           sizeof link->missing_rules[0], "GET /email/domain/%s",
                           client->domains[i]);
        link->missing++;
    }
    return PSN_OK;
}

static enum psn_code ask_account(struct psn_linking *linking, struct psn_ovh *ovh,
                                 struct psn_error *err)
{
    struct psn_ovh_details details;
    enum psn_code rc = psn_ovh_details(ovh, &details, err);

    if (!rc)
        rc = check_account(&linking->client, details.nic, err);
    if (rc)
        return rc;
    (void)snprintf(linking->link.nic, sizeof linking->link.nic, "%s", details.nic);
    linking->link.is_account = true;
    return probe_account(linking, ovh, err);
}

/* A key that may not even tell its own rules is as good as a wide one. */
static enum psn_code ask_key(struct psn_linking *linking, struct psn_ovh *ovh,
                             struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_ovh_key_info *info = calloc(1, sizeof *info);
    struct psn_link *link = &linking->link;
    psn_backend_set backends = 0;
    struct psn_ovh_account account;
    enum psn_code rc = info ? psn_ovh_me(ovh, &account, err)
                            : psn_fail(err, PSN_E_NOMEM, _("out of memory"));

    if (rc == PSN_E_REFUSED)
        return explain_end(ovh, err);
    if (!rc)
        rc = check_account(&linking->client, account.nic, err);
    if (!rc)
        rc = psn_ovh_key_info(ovh, info, err);
    if (!rc)
        rc = psn_linking_backends(linking->vault, linking->client.id, &backends, err);
    if (rc)
        return rc;
    (void)snprintf(link->nic, sizeof link->nic, "%s", account.nic);
    link->expires_s = info->expires_s;
    link->last_use_s = info->last_use_s;
    linking->key_id = info->credential_id;
    psn_rights_judge(&linking->client, use_of(linking), backends, info, link);
    return check_width(linking, err);
}

/* Asks OVH whose the candidate is and what it may do. */
static enum psn_code judge(struct psn_linking *linking, struct psn_error *err)
{
    PSN_AUTO(psn_ovh) *ovh = NULL;
    enum psn_code rc = psn_client_open_account(linking->vault, &linking->client,
                                               &linking->candidate, &ovh, err);

    linking->link = (struct psn_link){ .use = use_of(linking) };
    linking->key_id = 0;
    if (!rc)
        rc = psn_ovh_credential_is_account(&linking->candidate)
                 ? ask_account(linking, ovh, err)
                 : ask_key(linking, ovh, err);
    return rc ? psn_wrap(err, rc, _("cannot link '%s'"), linking->client.id) : PSN_OK;
}

/* --- storing --- */

void psn_linking_forget_asked(struct psn_linking *linking)
{
    psn_ovh_credential_release(&psn_linking_asked(linking)->credential);
    psn_linking_asked(linking)->url[0] = '\0';
    linking->client.keys.asked_s[use_of(linking)] = 0;
}

/* The second key ends with its day, whatever the owner has chosen. */
static int64_t end_of_cut(const struct psn_linking *linking)
{
    int64_t day_s = linking->vault->world.now_s() + CUT_DAY_S;
    int64_t end_s = linking->link.expires_s;

    return end_s && end_s < day_s ? end_s : day_s;
}

enum psn_code psn_linking_put(struct psn_linking *linking, const char *event,
                              const char *text, struct psn_error *err)
{
    struct psn_vault *vault = linking->vault;
    const char *id = linking->client.id;
    enum psn_code rc = psn_client_put_keys(vault, &linking->client, &linking->all, err);

    return rc ? rc
              : psn_journal_note(
                    vault, id,
                    &(struct psn_note){ .event = event,
                                        .subject = id,
                                        .label = use_of(linking) ? "cut" : NULL,
                                        .text = text },
                    err);
}

/* What is in the vault now, which may have changed since. */
enum psn_code psn_linking_read(struct psn_linking *linking, struct psn_error *err)
{
    struct psn_vault *vault = linking->vault;
    struct psn_client client = psn_client_init();
    enum psn_code rc = psn_client_read(vault, linking->client.id, &client, err);

    if (rc)
        return rc;
    psn_client_release(&linking->client);
    linking->client = client;
    psn_credentials_release(&linking->all);
    linking->all = (struct psn_credentials){ 0 };
    rc = psn_credentials_get(vault, client.id, &linking->all, NULL);
    return rc == PSN_E_NOT_FOUND || rc == PSN_OK
               ? PSN_OK
               : psn_fail(err, rc, _("cannot read the API credential of '%s'"),
                          client.id);
}

/* False if another process has asked for another key since. */
static bool is_the_asked_one(struct psn_linking *linking)
{
    const struct psn_secret *waits = psn_linking_asked(linking)->credential.consumer_key;

    return waits && psn_secret_equal(waits, linking->candidate.consumer_key);
}

static bool is_same(const struct psn_secret *a, const struct psn_secret *b)
{
    return a && b ? psn_secret_equal(a, b) : a == b;
}

/* Somebody who leaves could read the credential that is replaced, perhaps. */
static enum psn_code note_old(struct psn_linking *linking,
                              const struct psn_ovh_credential *old, struct psn_error *err)
{
    const struct psn_ovh_credential *new = &linking->candidate;
    char id[PSN_FINDING_ID_MAX];

    if (is_same(old->consumer_key, new->consumer_key) &&
        is_same(old->client_id, new->client_id))
        return PSN_OK;
    if (psn_ovh_credential_is_account(old)) {
        (void)snprintf(id, sizeof id, "oauth_client:%s",
                       (const char *)psn_secret_bytes(old->client_id));
        return psn_departure_note_old_key(linking->vault, linking->client.id, id,
                                          PSN_FINDING_OAUTH_CLIENT, err);
    }
    if (linking->old_key_id == 0)
        return PSN_OK;
    (void)snprintf(id, sizeof id, "api_key:%lld", (long long)linking->old_key_id);
    return psn_departure_note_old_key(linking->vault, linking->client.id, id,
                                      PSN_FINDING_API_KEY, err);
}

/* A sweep has seen it while it waited for the owner, and could not tell whose it is. */
static enum psn_code own_up(struct psn_linking *linking, struct psn_error *err)
{
    struct psn_access_row row;
    char id[PSN_FINDING_ID_MAX];
    bool is_unseen = false;
    enum psn_code rc;

    if (linking->key_id == 0)
        return PSN_OK;
    (void)snprintf(id, sizeof id, "api_key:%lld", (long long)linking->key_id);
    rc = psn_allow(PSN_E_NOT_FOUND,
                   psn_access_row_read(linking->vault, linking->client.id, id, &row, err),
                   &is_unseen, err);
    if (rc || is_unseen || row.access.finding.own)
        return rc;
    row.access.finding.own = true;
    return psn_access_row_write(linking->vault, &row, err);
}

static enum psn_code write_link(struct psn_linking *linking, struct psn_error *err)
{
    const struct psn_link *link = &linking->link;
    enum psn_key_use use = use_of(linking);
    enum psn_code rc = psn_linking_read(linking, err);
    struct psn_client *client = &linking->client;
    struct psn_ovh_credential *place = &linking->all.of[use];

    if (rc)
        return rc;
    if (use == PSN_KEY_WORK) {
        client->linked = true;
        client->key_expires_s = link->expires_s;
        client->keys.is_account = link->is_account;
        client->keys.last_use_s = link->last_use_s;
        client->keys.read_s = linking->vault->world.now_s();
        (void)snprintf(client->linked_nic, sizeof client->linked_nic, "%s", link->nic);
    } else {
        client->keys.cut_expires_s = end_of_cut(linking);
        linking->link.expires_s = client->keys.cut_expires_s;
    }
    if (linking->asked && is_the_asked_one(linking))
        psn_linking_forget_asked(linking);
    if (use == PSN_KEY_WORK)
        rc = note_old(linking, place, err);
    psn_ovh_credential_release(place);
    if (!rc)
        rc = psn_ovh_credential_copy(&linking->candidate, place, err);
    if (!rc)
        rc = own_up(linking, err);
    return rc ? rc
              : psn_linking_put(linking,
                                link->wide ? PSN_EVENT_LINKED_WIDE : PSN_EVENT_LINKED,
                                link->wide ? link->wide_rule : link->nic, err);
}

enum psn_code psn_linking_commit(struct psn_linking *linking,
                                 enum psn_code (*write)(struct psn_linking *,
                                                        struct psn_error *),
                                 struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(linking->vault, PSN_STORE_WRITE, err);

    return rc ? rc : psn_vault_end(linking->vault, write(linking, err), err);
}

/* --- the ways --- */

static enum psn_code take_given(struct psn_linking *linking, struct psn_error *err)
{
    const struct psn_link_options *options = linking->options;
    enum psn_code rc =
        options->config
            ? psn_ovh_credential_parse((const char *)psn_secret_bytes(options->config),
                                       psn_secret_size(options->config),
                                       linking->client.endpoint, &linking->candidate, err)
            : psn_ovh_credential_parse_pair(options->pair, true, &linking->candidate,
                                            err);

    return rc ? psn_wrap(err, rc, _("client '%s'"), linking->client.id) : PSN_OK;
}

static enum psn_code find_candidate(struct psn_linking *linking, struct psn_error *err)
{
    const struct psn_link_options *options = linking->options;
    bool given = options->config || (options->pair && options->is_account);
    enum psn_code rc =
        psn_client_get(linking->vault, linking->client.id, &linking->client, err);

    if (!rc && given)
        rc = take_given(linking, err);
    if (!rc)
        rc = psn_vault_lock_operation(linking->vault, "ovh link", err);
    return rc || given ? rc : psn_linking_ask_owner(linking, err);
}

static enum psn_code is_asked_for(struct psn_linking *linking, bool *ret_asked,
                                  struct psn_error *err)
{
    struct psn_vault *vault = linking->vault;
    enum psn_code rc;

    *ret_asked = false;
    if (linking->options->use != PSN_KEY_WORK || !linking->client.linked ||
        linking->client.keys.is_account)
        return PSN_OK;
    rc = psn_vault_begin(vault, PSN_STORE_READ, err);
    return rc ? rc
              : psn_vault_end(vault, psn_departure_keys_are_known(vault, ret_asked, err),
                              err);
}

/* The key that is replaced, if a leaver could read it: which one it is, is asked while it
 * can be asked. One that OVH refuses is dead already. */
static enum psn_code find_old_key(struct psn_linking *linking, struct psn_error *err)
{
    PSN_AUTO(psn_ovh) *ovh = NULL;
    PSN_AUTO_FREE struct psn_ovh_key_info *info = NULL;
    struct psn_error why = { 0 };
    bool asked = false;
    enum psn_code rc = is_asked_for(linking, &asked, err);

    linking->old_key_id = 0;
    if (rc || !asked)
        return rc;
    info = calloc(1, sizeof *info);
    if (!info)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_client_connect(linking->vault, &linking->client, &ovh, err);
    if (!rc)
        rc = psn_ovh_key_info(ovh, info, &why);
    if (!rc)
        linking->old_key_id = info->credential_id;
    if (rc == PSN_E_REFUSED)
        return PSN_OK;
    if (rc && why.code && err)
        *err = why;
    return rc;
}

enum psn_code psn_client_link(struct psn_vault *vault, const char *id,
                              const struct psn_link_options *options,
                              struct psn_link *ret_link, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_linking)
    linking = { .vault = vault, .options = options, .client = psn_client_init() };
    enum psn_code rc;

    (void)snprintf(linking.client.id, sizeof linking.client.id, "%s", id);
    rc = find_candidate(&linking, err);
    if (!rc)
        rc = judge(&linking, err);
    if (!rc)
        rc = find_old_key(&linking, err);
    if (!rc)
        rc = psn_linking_commit(&linking, write_link, err);
    psn_vault_unlock_operation(vault);
    if (!rc)
        *ret_link = linking.link;
    return rc;
}
