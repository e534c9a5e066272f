#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/client.h"
#include "core/credential.h"
#include "core/journal.h"
#include "core/role.h"
#include "ovh/inventory.h"

/* The way to a client's OVH account: linking it, opening it, walking it. */

struct rule {
    const char *method;
    const char *path; /* '*' stands for any characters, as in OVH's own rules */
};

/* Without these, something that passation does fails. Also passation-ovh(1). */
static const struct rule needed[] = {
    { "GET", "/me" },
    { "GET", "/auth/currentCredential" },
    { "GET", "/email/domain" },
    { "GET", "/email/domain/*" },
    { "POST", "/email/domain/*/account" },
    { "POST", "/email/domain/*/account/*/changePassword" },
};

/* Beyond these, a key can do more than passation would ever ask of it. */
static const struct rule allowed[] = {
    { "GET", "/me*" },          { "GET", "/auth/*" },       { "GET", "/email/*" },
    { "GET", "/domain*" },      { "GET", "/hosting/web*" }, { "GET", "/zimbra*" },
    { "POST", "/auth/logout" },
};

static bool covers(const struct rule *wide, const char *method, const char *path)
{
    return strcmp(wide->method, method) == 0 && psn_text_glob(wide->path, path);
}

static bool is_within(const struct psn_ovh_rule *rule)
{
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (covers(&needed[i], rule->method, rule->path))
            return true;
    for (size_t i = 0; i < sizeof allowed / sizeof *allowed; i++)
        if (covers(&allowed[i], rule->method, rule->path))
            return true;
    return false;
}

/* The shorter a rule's path, the more it opens. */
static void judge(const struct psn_ovh_key_info *info, struct psn_link *link)
{
    size_t widest = SIZE_MAX;

    link->rules = info->rule_count;
    for (size_t i = 0; i < info->rule_count; i++) {
        const struct psn_ovh_rule *rule = &info->rules[i];

        if (is_within(rule) || strlen(rule->path) >= widest)
            continue;
        widest = strlen(rule->path);
        link->wide = true;
        (void)snprintf(link->wide_rule, sizeof link->wide_rule, "%s %s", rule->method,
                       rule->path);
    }
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
        bool granted = false;

        for (size_t j = 0; j < info->rule_count; j++) {
            struct rule rule = { info->rules[j].method, info->rules[j].path };

            granted = granted || covers(&rule, needed[i].method, needed[i].path);
        }
        if (!granted && link->missing++ == 0)
            (void)snprintf(link->missing_rule, sizeof link->missing_rule, "%s %s",
                           needed[i].method, needed[i].path);
    }
}

const char *psn_client_api_ca(const struct psn_vault *vault,
                              const struct psn_client *client)
{
    char root[PSN_URL_MAX];
    bool is_ovh = true;

    if (psn_ovh_endpoint_root(client->endpoint, root, sizeof root, &is_ovh, NULL) ||
        is_ovh)
        return NULL;
    return vault->ca_file;
}

static enum psn_code open_account(struct psn_vault *vault,
                                  const struct psn_client *client,
                                  const struct psn_ovh_credential *credential,
                                  struct psn_ovh **ret_ovh, struct psn_error *err)
{
    char root[PSN_URL_MAX];
    bool is_ovh;
    struct psn_ovh_options options = { .root = root,
                                       .ca_file = psn_client_api_ca(vault, client),
                                       .rate_per_min = client->limits.rate_per_min,
                                       .clock_ms = vault->world.boot_ms,
                                       .sleep_ms = vault->world.sleep_ms };
    enum psn_code rc =
        psn_ovh_endpoint_root(client->endpoint, root, sizeof root, &is_ovh, err);

    if (!rc)
        rc = psn_vault_http(vault, &options.http, err);
    return rc ? rc : psn_ovh_open(&options, credential, ret_ovh, err);
}

static enum psn_code read_credential(struct psn_vault *vault,
                                     const struct psn_client *client,
                                     struct psn_ovh_credential *ret_credential,
                                     struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(vault,
                              psn_credential_get(vault, client->id, ret_credential, err),
                              err);
}

enum psn_code psn_client_connect(struct psn_vault *vault, const struct psn_client *client,
                                 struct psn_ovh **ret_ovh, struct psn_error *err)
{
    struct psn_ovh_credential credential = { 0 };
    enum psn_code rc;

    if (!client->linked) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("the client '%s' is not linked to its OVH account"), client->id);
        return psn_hint(err, PSN_E_POLICY,
                        _("link it: passation ovh link %s --config ovh.conf"),
                        client->id);
    }
    rc = read_credential(vault, client, &credential, err);
    if (!rc)
        rc = open_account(vault, client, &credential, ret_ovh, err);
    psn_ovh_credential_release(&credential);
    return rc;
}

/* --- linking --- */

static enum psn_code check_account(const struct psn_client *client, const char *nic,
                                   struct psn_error *err)
{
    char shown[128];

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

static enum psn_code check_width(const struct psn_client *client,
                                 const struct psn_link *link, bool accept_wide,
                                 struct psn_error *err)
{
    char shown[200];

    if (!link->wide || accept_wide)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("the key of '%s' may do more than passation needs: %s"), client->id,
                   psn_text_shown(link->wide_rule, shown, sizeof shown));
    return psn_hint(
        err, PSN_E_POLICY,
        _("make a key with the rules listed in passation-ovh(1), or accept this one "
          "with --accept-wide"));
}

/* Asks OVH whose key it is and what it may do. A key that may not even tell its own rules
 * is as good as a wide one. */
static enum psn_code ask(struct psn_vault *vault, const struct psn_client *client,
                         const struct psn_ovh_credential *credential, bool accept_wide,
                         struct psn_link *link, struct psn_error *err)
{
    PSN_AUTO(psn_ovh) *ovh = NULL;
    struct psn_ovh_account account;
    struct psn_ovh_key_info info = { 0 };
    enum psn_code rc = open_account(vault, client, credential, &ovh, err);

    if (!rc)
        rc = psn_ovh_me(ovh, &account, err);
    if (!rc)
        rc = check_account(client, account.nic, err);
    if (!rc)
        rc = psn_ovh_key_info(ovh, &info, err);
    if (rc)
        return psn_wrap(err, rc, _("cannot link '%s'"), client->id);
    (void)snprintf(link->nic, sizeof link->nic, "%s", account.nic);
    link->expires_s = info.expires_s;
    judge(&info, link);
    return check_width(client, link, accept_wide, err);
}

static enum psn_code store_link(struct psn_vault *vault, const char *id,
                                const struct psn_link *link,
                                const struct psn_ovh_credential *credential,
                                struct psn_error *err)
{
    enum psn_code rc = psn_client_put_link(vault, id, link, credential, err);

    return rc ? rc
              : psn_journal_note(
                    vault, id,
                    &(struct psn_note){
                        .event = link->wide ? "ovh.linked-wide" : "ovh.linked",
                        .subject = id,
                        .text = link->wide ? link->wide_rule : link->nic },
                    err);
}

enum psn_code psn_client_link(struct psn_vault *vault, const char *id,
                              const struct psn_secret *config, bool accept_wide,
                              struct psn_link *ret_link, struct psn_error *err)
{
    struct psn_client client = psn_client_init();
    struct psn_ovh_credential credential = { 0 };
    struct psn_link link = { 0 };
    enum psn_code rc = psn_client_get(vault, id, &client, err);

    if (!rc)
        rc = psn_ovh_credential_parse((const char *)psn_secret_bytes(config),
                                      psn_secret_size(config), client.endpoint,
                                      &credential, err);
    if (!rc)
        rc = psn_vault_lock_operation(vault, "ovh link", err);
    if (!rc)
        rc = ask(vault, &client, &credential, accept_wide, &link, err);
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    if (!rc)
        rc = psn_vault_end(vault, store_link(vault, id, &link, &credential, err), err);
    psn_vault_unlock_operation(vault);
    psn_ovh_credential_release(&credential);
    psn_client_release(&client);
    if (!rc)
        *ret_link = link;
    return rc;
}

/* --- inventory --- */

struct inventory {
    struct psn_vault *vault;
    const struct psn_client *client;
    psn_inventory_fn *each;
    void *arg;
    struct psn_buf
        known; /* addresses of the vault, each with a NUL; found ones blanked */
};

static enum psn_code remember(void *arg, const struct psn_role_row *row,
                              struct psn_error *err)
{
    struct inventory *inventory = arg;

    if (strcmp(row->client, inventory->client->id) == 0)
        psn_buf_bytes(&inventory->known, row->address, strlen(row->address) + 1);
    return psn_buf_check(&inventory->known, err);
}

/* Blanks the address in the list of those not yet found. */
static bool tick_off(struct psn_buf *known, const char *address)
{
    for (size_t i = 0; i < known->size;) {
        char *at = (char *)known->data + i;
        size_t length = strlen(at);

        if (strcmp(at, address) == 0) {
            memset(at, ' ', length);
            return true;
        }
        i += length + 1;
    }
    return false;
}

/* Does OVH know of a change that the vault does not? A row that cannot be read now will
 * be said to be broken by others. */
static bool has_drifted(struct inventory *inventory, const char *address,
                        int64_t password_changed_s)
{
    struct psn_role_row row;
    enum psn_code rc;

    if (password_changed_s == 0)
        return false;
    rc = psn_vault_begin(inventory->vault, PSN_STORE_READ, NULL);
    if (!rc)
        rc = psn_vault_end(inventory->vault,
                           psn_role_read(inventory->vault, address, &row, NULL), NULL);
    return !rc && psn_role_has_drifted(&row, password_changed_s);
}

static enum psn_code compare(void *arg, const struct psn_finding *finding,
                             struct psn_error *err)
{
    struct inventory *inventory = arg;
    char address[PSN_ADDRESS_TEXT_MAX];
    enum psn_inventory_state state = PSN_INVENTORY_OTHER;

    if (finding->kind == PSN_FINDING_MAILBOX)
        state = psn_role_normalize(finding->subject, address, NULL) == PSN_OK &&
                        tick_off(&inventory->known, address)
                    ? PSN_INVENTORY_MANAGED
                    : PSN_INVENTORY_FREE;
    if (state == PSN_INVENTORY_MANAGED &&
        has_drifted(inventory, address, finding->changed_s))
        state = PSN_INVENTORY_CHANGED;
    return inventory->each(inventory->arg, finding, state, err);
}

static enum psn_code report_missing(struct inventory *inventory, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < inventory->known.size;) {
        const char *at = (const char *)inventory->known.data + i;
        struct psn_finding finding = { .kind = PSN_FINDING_MAILBOX };

        i += strlen(at) + 1;
        if (at[0] == ' ')
            continue;
        (void)snprintf(finding.id, sizeof finding.id, "mailbox:%.*s", 140, at);
        (void)snprintf(finding.subject, sizeof finding.subject, "%s", at);
        rc = inventory->each(inventory->arg, &finding, PSN_INVENTORY_MISSING, err);
    }
    return rc;
}

static enum psn_code walk_account(struct inventory *inventory, struct psn_ovh *ovh,
                                  struct psn_error *err)
{
    const struct psn_client *client = inventory->client;
    const char *domains[PSN_CLIENT_DOMAINS_MAX];
    enum psn_code rc;

    for (size_t i = 0; i < client->domain_count; i++)
        domains[i] = client->domains[i];
    rc = psn_ovh_inventory(ovh, domains, client->domain_count, compare, inventory, err);
    return rc ? rc : report_missing(inventory, err);
}

static enum psn_code take_inventory(struct inventory *inventory, struct psn_error *err)
{
    PSN_AUTO(psn_ovh) *ovh = NULL;
    struct psn_vault *vault = inventory->vault;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (!rc)
        rc = psn_vault_end(vault, psn_role_scan(vault, NULL, 0, remember, inventory, err),
                           err);
    if (!rc)
        rc = psn_client_connect(vault, inventory->client, &ovh, err);
    return rc ? rc : walk_account(inventory, ovh, err);
}

enum psn_code psn_client_inventory(struct psn_vault *vault, const char *id,
                                   psn_inventory_fn *each, void *arg,
                                   struct psn_error *err)
{
    enum {
        KNOWN_MAX = 64 * 1024 * 1024
    };
    struct psn_client client = psn_client_init();
    struct inventory inventory = { .vault = vault,
                                   .client = &client,
                                   .each = each,
                                   .arg = arg,
                                   .known = psn_buf_init(KNOWN_MAX) };
    enum psn_code rc = psn_client_get(vault, id, &client, err);

    if (!rc)
        rc = psn_vault_lock_operation(vault, "ovh inventory", err);
    if (!rc)
        rc = take_inventory(&inventory, err);
    psn_vault_unlock_operation(vault);
    psn_buf_release(&inventory.known);
    psn_client_release(&client);
    return rc;
}
