#include "core/client_domain.h"

#include <string.h>

#include "base/allow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/record.h"
#include "core/role.h"

/* Each domain of a client has a row of its own, so that an address leads to its client by
 * one look-up, and no domain belongs to two. */
enum {
    TAG_CLIENT = 1,
    TAG_MAX = 1,
};

enum psn_code psn_client_of_domain(struct psn_vault *vault, const char *domain,
                                   char ret_id[PSN_CLIENT_ID_MAX], struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    struct psn_record record;
    uint64_t revision = 0;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_DOMAIN, domain, &key, err);

    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_DOMAIN, &key, vault->rows_key, &plain,
                          &revision, err);
    if (!rc && revision == 0) {
        (void)psn_fail(err, PSN_E_NOT_FOUND, _("no client has the domain '%s'"), domain);
        return psn_hint(err, PSN_E_NOT_FOUND,
                        _("add it to one: passation client set ID --add-domain %s"),
                        domain);
    }
    if (!rc)
        rc = psn_record_parse(&plain, TAG_MAX, &record, err);
    if (rc)
        return rc;
    if (!psn_record_text(&record, TAG_CLIENT, ret_id, PSN_CLIENT_ID_MAX))
        return psn_fail(err, PSN_E_INTEGRITY, _("the record of a domain is malformed"));
    return PSN_OK;
}

enum psn_code psn_client_domain_put(struct psn_vault *vault, const char *domain,
                                    const char *id, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    char owner[PSN_CLIENT_ID_MAX];
    bool is_free;
    struct psn_row_key key;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_DOMAIN, domain, &key, err);

    psn_record_begin(&plain);
    psn_record_put_text(&plain, TAG_CLIENT, id);
    if (!rc)
        rc = psn_buf_check(&plain, err);
    if (rc)
        return rc;
    rc = psn_allow(PSN_E_NOT_FOUND, psn_client_of_domain(vault, domain, owner, err),
                   &is_free, err);
    if (rc)
        return rc;
    if (!is_free)
        return psn_fail(err, PSN_E_EXISTS,
                        _("the domain '%s' belongs to the client '%s' already"), domain,
                        owner);
    return psn_row_put(vault, PSN_TABLE_DOMAIN, &key, 1, vault->rows_key, plain.data,
                       plain.size, err);
}

static enum psn_code drop(struct psn_vault *vault, const char *domain,
                          struct psn_error *err)
{
    struct psn_row_key key;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_DOMAIN, domain, &key, err);

    return rc ? rc
              : psn_store_delete(vault->store, PSN_TABLE_DOMAIN, key.bytes, key.size,
                                 err);
}

static bool has_domain(const struct psn_client *client, const char *domain)
{
    for (size_t i = 0; i < client->domain_count; i++)
        if (strcmp(client->domains[i], domain) == 0)
            return true;
    return false;
}

enum psn_code psn_client_domains_put(struct psn_vault *vault,
                                     const struct psn_client *client,
                                     struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < client->domain_count; i++)
        rc = psn_client_domain_put(vault, client->domains[i], client->id, err);
    return rc;
}

enum psn_code psn_client_domains_move(struct psn_vault *vault,
                                      const struct psn_client *old,
                                      const struct psn_client *new, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < old->domain_count; i++) {
        if (has_domain(new, old->domains[i]))
            continue;
        rc = psn_role_check_none(vault, old->domains[i], err);
        if (!rc)
            rc = drop(vault, old->domains[i], err);
    }
    for (size_t i = 0; !rc && i < new->domain_count; i++)
        if (!has_domain(old, new->domains[i]))
            rc = psn_client_domain_put(vault, new->domains[i], new->id, err);
    return rc;
}
