#include <string.h>

#include "base/i18n.h"
#include "core/client.h"
#include "core/client_rows.h"
#include "core/counters.h"
#include "core/departure.h"
#include "core/journal.h"
#include "core/role.h"

/* A client that leaves the vault with all that is his. */

static enum psn_code delete_client(struct psn_vault *vault,
                                   const struct psn_client *client, struct psn_error *err)
{
    PSN_AUTO(psn_client_rows) *rows = NULL;
    enum psn_code rc = psn_versions_retire(vault, client->id, NULL, vault, err);

    if (!rc)
        rc = psn_client_rows_new(vault, client, false, &rows, err);
    if (!rc)
        rc = psn_client_rows_delete(rows, err);
    return rc ? rc
              : psn_journal_note(vault, NULL,
                                 &(struct psn_note){ .event = "client.removed",
                                                     .subject = client->id },
                                 err);
}

static enum psn_code refuse(const char *id, size_t roles, size_t others,
                            struct psn_error *err)
{
    if (others > 0)
        (void)psn_fail(
            err, PSN_E_POLICY,
            PSN_NGETTEXT("the vault holds the passwords of '%s' (mailboxes: %zu) and %zu "
                         "other secret, perhaps the only copies there are",
                         "the vault holds the passwords of '%s' (mailboxes: %zu) and %zu "
                         "other secrets, perhaps the only copies there are",
                         others),
            id, roles, others);
    else
        (void)psn_fail(
            err, PSN_E_POLICY,
            PSN_NGETTEXT("the vault holds the password of %zu mailbox of '%s', perhaps "
                         "the only copy there is",
                         "the vault holds the passwords of %zu mailboxes of '%s', "
                         "perhaps the only copies there are",
                         roles),
            roles, id);
    return psn_hint(err, PSN_E_POLICY,
                    _("if that is what you want: passation client rm %s --confirm %s"),
                    id, id);
}

/* What is given up as it is may come into force, and work, all the same. */
static enum psn_code check_settled(struct psn_vault *vault, const char *id,
                                   const char *unchanged, struct psn_error *err)
{
    enum psn_code rc = psn_role_check_arrived(vault, id, unchanged != NULL, err);

    if (!rc && unchanged)
        return psn_departure_check_why(unchanged, err);
    return rc ? rc : psn_departure_check_settled(vault, id, NULL, err);
}

static enum psn_code rm(struct psn_vault *vault, const char *id, const char *confirm,
                        const char *unchanged, struct psn_error *err)
{
    struct psn_client client;
    size_t roles = 0;
    size_t others = 0;
    enum psn_code rc = psn_client_read(vault, id, &client, err);

    if (rc)
        return rc;
    rc = psn_role_count_of_client(vault, id, &roles, &others, err);
    if (!rc && roles > 0 && (!confirm || strcmp(confirm, id) != 0))
        rc = refuse(id, roles, others, err);
    if (!rc)
        rc = check_settled(vault, id, unchanged, err);
    if (!rc)
        rc = psn_departure_note_removed(vault, id, NULL, unchanged, err);
    if (!rc)
        rc = delete_client(vault, &client, err);
    psn_client_release(&client);
    return rc;
}

enum psn_code psn_client_rm(struct psn_vault *vault, const char *id, const char *confirm,
                            const char *unchanged, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc : psn_vault_end(vault, rm(vault, id, confirm, unchanged, err), err);
}
