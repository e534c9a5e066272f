#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/client.h"
#include "core/credential.h"
#include "core/journal.h"
#include "core/key_rate.h"
#include "core/role.h"
#include "ovh/inventory.h"

/* The way to a client's OVH account: opening it, walking it. Linking is in link_key.c. */

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

static enum psn_code open_with(struct psn_vault *vault, const struct psn_client *client,
                               struct psn_ovh_options options,
                               const struct psn_ovh_credential *credential,
                               struct psn_ovh **ret_ovh, struct psn_error *err)
{
    char root[PSN_URL_MAX];
    bool is_ovh;
    enum psn_code rc =
        psn_ovh_endpoint_root(client->endpoint, root, sizeof root, &is_ovh, err);

    options.root = root;
    options.client = client->id;
    options.ca_file = psn_client_api_ca(vault, client);
    options.rate_per_min = client->limits.rate_per_min;
    options.clock_ms = vault->world.boot_ms;
    options.sleep_ms = vault->world.sleep_ms;
    if (!rc)
        rc = psn_vault_http(vault, &options.http, err);
    return rc ? rc : psn_ovh_open(&options, credential, ret_ovh, err);
}

enum psn_code psn_client_open_account(struct psn_vault *vault,
                                      const struct psn_client *client,
                                      const struct psn_ovh_credential *credential,
                                      struct psn_ovh **ret_ovh, struct psn_error *err)
{
    struct psn_ovh_options options = { 0 };

    return open_with(vault, client, options, credential, ret_ovh, err);
}

static enum psn_code read_credentials(struct psn_vault *vault,
                                      const struct psn_client *client,
                                      struct psn_credentials *ret_all,
                                      struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(vault, psn_credentials_get(vault, client->id, ret_all, err),
                              err);
}

enum psn_code psn_client_connect(struct psn_vault *vault, const struct psn_client *client,
                                 struct psn_ovh **ret_ovh, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_credentials) all = { 0 };
    struct psn_ovh_options options = { .key_known = !client->keys.is_account,
                                       .key_expires_s = client->key_expires_s,
                                       .rate = psn_key_rate(vault, client->id,
                                                            PSN_KEY_WORK) };
    enum psn_code rc;

    if (!client->linked) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("the client '%s' is not linked to its OVH account"), client->id);
        return psn_hint(err, PSN_E_POLICY,
                        client->keys.asked_s[PSN_KEY_WORK]
                            ? _("its key waits for the owner's approval: passation ovh "
                                "link %s")
                            : _("link it: passation ovh link %s"),
                        client->id);
    }
    rc = read_credentials(vault, client, &all, err);
    return rc ? rc
              : open_with(vault, client, options, &all.of[PSN_KEY_WORK], ret_ovh, err);
}

enum psn_code psn_client_connect_cut(struct psn_vault *vault,
                                     const struct psn_client *client,
                                     struct psn_ovh **ret_ovh, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_credentials) all = { 0 };
    int64_t until_s = client->keys.cut_expires_s;
    struct psn_ovh_options options = { .key_known = true,
                                       .key_expires_s = until_s,
                                       .rate =
                                           psn_key_rate(vault, client->id, PSN_KEY_CUT) };
    enum psn_code rc;

    if (until_s == 0 || vault->world.now_s() >= until_s) {
        (void)psn_fail(err, PSN_E_POLICY,
                       until_s ? _("the day of the second key of '%s' is over")
                               : _("'%s' has no key for cutting accesses"),
                       client->id);
        return psn_hint(err, PSN_E_POLICY,
                        _("ask the owner for one: passation ovh link %s --for cut"),
                        client->id);
    }
    rc = read_credentials(vault, client, &all, err);
    options.key_known = !psn_ovh_credential_is_account(&all.of[PSN_KEY_CUT]);
    return rc ? rc
              : open_with(vault, client, options, &all.of[PSN_KEY_CUT], ret_ovh, err);
}

/* What OVH says of the key now, for `status`. Nobody waits for it: a key that may not be
 * asked about is as it was. */
static void refresh_facts(struct psn_vault *vault, struct psn_client *client,
                          struct psn_ovh *ovh)
{
    PSN_AUTO_FREE struct psn_ovh_key_info *info = calloc(1, sizeof *info);

    if (!info || client->keys.is_account || psn_ovh_key_info(ovh, info, NULL))
        return;
    client->key_expires_s = info->expires_s;
    client->keys.last_use_s = info->last_use_s;
    client->keys.read_s = vault->world.now_s();
    if (psn_vault_begin(vault, PSN_STORE_WRITE, NULL) == PSN_OK)
        PSN_IGNORE(psn_vault_end(vault, psn_client_put_keys(vault, client, NULL, NULL),
                                 NULL)); /* told again at the next inventory */
}

/* --- inventory --- */

struct inventory {
    struct psn_vault *vault;
    struct psn_client *client;
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
    if (!rc)
        refresh_facts(vault, inventory->client, ovh);
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
    if (rc == PSN_E_NETWORK)
        (void)psn_hint(err, rc, _("run the command again in a few minutes"));
    return rc ? psn_wrap(err, rc, "%s", id) : PSN_OK;
}
