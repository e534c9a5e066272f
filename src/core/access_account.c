#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/i18n.h"
#include "core/access_sweep.h"
#include "core/own_access.h"

/* Opening a client's account, and learning which keys there are ours: his, and those of
 * other clients of the vault in the same account. Taken for somebody else's, one of them
 * would be removed, and the client whose key it is could not be worked for any more. */

void psn_access_account_release(struct psn_access_account *account)
{
    psn_ovh_free(account->ovh);
    psn_ovh_free(account->work);
    psn_names_release(&account->own);
    psn_names_release(&account->elsewhere);
    psn_client_release(&account->client);
}

static enum psn_code add_id(struct psn_names *ids, const char *kind, const char *number,
                            struct psn_error *err)
{
    char id[PSN_FINDING_ID_MAX];

    (void)snprintf(id, sizeof id, "%s:%s", kind, number);
    return psn_names_add(ids, id, err);
}

static enum psn_code add_number(struct psn_names *ids, const char *kind, int64_t number,
                                struct psn_error *err)
{
    char text[32];

    (void)snprintf(text, sizeof text, "%lld", (long long)number);
    return add_id(ids, kind, text, err);
}

/* Asks a key which it is. One that OVH has ended is nobody's; *ret_silent: one that may
 * not be asked about itself. That OVH does not answer is another thing: what is ours must
 * not be taken for somebody else's. */
static enum psn_code add_key(struct psn_ovh *ovh, struct psn_names *ids, bool *ret_silent,
                             struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_ovh_key_info *info = calloc(1, sizeof *info);
    struct psn_error why = { 0 };
    enum psn_code rc;

    *ret_silent = false;
    if (!info)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_ovh_key_info(ovh, info, &why);
    if (rc == PSN_E_REFUSED || rc == PSN_E_NOT_FOUND) {
        *ret_silent = !psn_own_is_dead(ovh, false);
        return PSN_OK;
    }
    if (rc) {
        if (err)
            *err = why;
        return rc;
    }
    rc = add_number(ids, "api_key", info->credential_id, err);
    return rc ? rc : add_number(ids, "api_application", info->application_id, err);
}

/* Service accounts are named by what we know of them ourselves. */
static enum psn_code add_service_account(const struct psn_ovh_credential *credential,
                                         struct psn_names *ids, struct psn_error *err)
{
    return add_id(ids, "oauth_client",
                  (const char *)psn_secret_bytes(credential->client_id), err);
}

static enum psn_code read_credentials(struct psn_vault *vault, const char *client,
                                      struct psn_credentials *all, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(vault, psn_credentials_get(vault, client, all, err), err);
}

/* --- the client's own --- */

static enum psn_code add_own_accounts(struct psn_vault *vault,
                                      struct psn_access_account *account,
                                      struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_credentials) all = { 0 };
    enum psn_code rc = read_credentials(vault, account->client.id, &all, err);

    for (size_t use = 0; !rc && use < PSN_KEY_USES; use++)
        if (psn_ovh_credential_is_account(&all.of[use]))
            rc = add_service_account(&all.of[use], &account->own, err);
    return rc;
}

/* One that may not be asked about itself is known to OVH as the one in use; of two, one
 * is then not known to the other. */
static enum psn_code add_own(struct psn_access_account *account, struct psn_ovh *work,
                             struct psn_error *err)
{
    bool is_silent[PSN_KEY_USES] = { false };
    enum psn_code rc = PSN_OK;

    if (!account->client.keys.is_account)
        rc = add_key(work, &account->own, &is_silent[PSN_KEY_WORK], err);
    if (!rc && account->ovh)
        rc = add_key(account->ovh, &account->own, &is_silent[PSN_KEY_CUT], err);
    account->is_unsure =
        account->ovh && (is_silent[PSN_KEY_WORK] || is_silent[PSN_KEY_CUT]);
    return rc;
}

/* --- other clients in the same account --- */

struct neighbours {
    const struct psn_client *client;
    struct psn_names ids;
};

static enum psn_code take_neighbour(void *arg, const struct psn_client *client,
                                    struct psn_error *err)
{
    struct neighbours *neighbours = arg;

    if (!client->linked || strcmp(client->id, neighbours->client->id) == 0 ||
        strcasecmp(client->nic, neighbours->client->nic) != 0)
        return PSN_OK;
    return psn_names_add(&neighbours->ids, client->id, err);
}

static enum psn_code add_elsewhere(struct psn_vault *vault,
                                   struct psn_access_account *account,
                                   const struct psn_client *client,
                                   const struct psn_ovh_credential *credential,
                                   struct psn_error *err)
{
    PSN_AUTO(psn_ovh) *ovh = NULL;
    bool is_silent = false;
    enum psn_code rc;

    if (!psn_credential_is_whole(credential))
        return PSN_OK;
    if (psn_ovh_credential_is_account(credential))
        return add_service_account(credential, &account->elsewhere, err);
    rc = psn_client_open_account(vault, client, credential, &ovh, err);
    if (!rc)
        rc = add_key(ovh, &account->elsewhere, &is_silent, err);
    account->is_unsure = account->is_unsure || is_silent;
    return rc;
}

static enum psn_code add_neighbour(struct psn_vault *vault,
                                   struct psn_access_account *account, const char *id,
                                   struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_credentials) all = { 0 };
    struct psn_client client = psn_client_init();
    enum psn_code rc = psn_client_get(vault, id, &client, err);

    if (!rc)
        rc = read_credentials(vault, id, &all, err);
    for (size_t use = 0; !rc && use < PSN_KEY_USES; use++)
        rc = add_elsewhere(vault, account, &client, &all.of[use], err);
    psn_client_release(&client);
    return rc ? psn_wrap(err, rc, _("the key of '%s', who has the same OVH account"), id)
              : PSN_OK;
}

static enum psn_code add_neighbours(struct psn_vault *vault,
                                    struct psn_access_account *account,
                                    struct psn_error *err)
{
    struct neighbours neighbours = { .client = &account->client };
    enum psn_code rc = psn_client_each(vault, take_neighbour, &neighbours, err);

    for (size_t i = 0; !rc && i < neighbours.ids.count; i++)
        rc = add_neighbour(vault, account, neighbours.ids.items[i], err);
    psn_names_release(&neighbours.ids);
    return rc;
}

/* The second key sees and removes more; without one, the key for daily work. Each is ours
 * in the eyes of the other. */
enum psn_code psn_access_account_open(struct psn_vault *vault, const char *client,
                                      struct psn_access_account *account,
                                      struct psn_error *err)
{
    PSN_AUTO(psn_ovh) *work = NULL;
    enum psn_code rc = psn_client_get(vault, client, &account->client, err);

    if (!rc)
        rc = psn_client_connect(vault, &account->client, &work, err);
    if (!rc)
        rc = add_own_accounts(vault, account, err);
    if (!rc && account->client.keys.cut_expires_s > vault->world.now_s())
        rc = psn_client_connect_cut(vault, &account->client, &account->ovh, err);
    if (!rc)
        rc = add_own(account, work, err);
    if (!rc)
        rc = add_neighbours(vault, account, err);
    if (rc)
        return rc;
    if (account->ovh)
        account->work = PSN_TAKE(work);
    else
        account->ovh = PSN_TAKE(work);
    return PSN_OK;
}
