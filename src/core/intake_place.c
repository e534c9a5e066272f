#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "core/client.h"
#include "core/intake.h"
#include "core/role.h"

void psn_intake_label(const char *text, const char *suffix,
                      char ret_label[PSN_LABEL_TEXT_MAX])
{
    size_t room = PSN_LABEL_TEXT_MAX - 1 - (suffix[0] ? strlen(suffix) + 1 : 0);
    char base[PSN_LABEL_TEXT_MAX];
    size_t size;

    while (*text == ' ')
        text++;
    (void)snprintf(base, room + 1, "%s", text);
    psn_text_cut_utf8(base);
    psn_text_mask(base);
    for (size = strlen(base); size > 0 && base[size - 1] == ' '; size--)
        base[size - 1] = '\0';
    (void)snprintf(ret_label, PSN_LABEL_TEXT_MAX, "%s%s%s", base,
                   size > 0 && suffix[0] ? " " : "", suffix);
    for (size = strlen(ret_label); size > 0 && ret_label[size - 1] == ' '; size--)
        ret_label[size - 1] = '\0';
}

/* The title, else what tells most. */
static void find_label(const struct psn_foreign *entry, char label[PSN_LABEL_TEXT_MAX])
{
    char host[PSN_LABEL_TEXT_MAX];
    size_t size;
    const char *at = psn_intake_host_of(entry->url, &size);

    psn_intake_label(entry->title, "", label);
    if (label[0])
        return;
    (void)snprintf(host, sizeof host, "%.*s", (int)(size < sizeof host ? size : 0), at);
    psn_intake_label(host[0] ? host : entry->user, "", label);
    if (!label[0])
        psn_intake_label(entry->type[0] ? entry->type : "imported", "", label);
}

/* ---- where that is ---- */

enum psn_code psn_intake_find_client(struct psn_vault *vault, const char *domain,
                                     struct psn_intake_domain *last)
{
    struct psn_client client = psn_client_init();
    enum psn_code rc = PSN_OK;

    if (strcmp(domain, last->name) == 0)
        return PSN_OK;
    last->name[0] = '\0';
    rc = psn_client_of_domain(vault, domain, last->client, NULL);
    if (!rc)
        rc = psn_client_read(vault, last->client, &client, NULL);
    if (!rc) {
        psn_mail_settings_of(PSN_BACKEND_NONE, "", &client, &last->servers);
        (void)snprintf(last->name, sizeof last->name, "%s", domain);
    }
    psn_client_release(&client);
    return rc;
}

/* Tries a text as the address of a mailbox in a known client's domain. */
static enum psn_code try_address(struct psn_vault *vault, const char *text,
                                 const char *client, struct psn_intake_place *place,
                                 struct psn_intake_domain *last, struct psn_error *err)
{
    struct psn_intake_place found = { .why = "" };
    struct psn_role_row role;
    enum psn_code rc;

    if (!strchr(text, '@') || psn_role_normalize(text, found.address, NULL))
        return PSN_OK;
    rc = psn_intake_find_client(vault, strchr(found.address, '@') + 1, last);
    if (rc == PSN_E_NOT_FOUND) {
        place->why = _("no client has its domain");
        return PSN_OK;
    }
    if (!rc)
        memcpy(found.client, last->client, sizeof found.client);
    if (!rc && client && strcmp(client, found.client) != 0) {
        place->why = _("it belongs to another client");
        return PSN_OK;
    }
    if (!rc)
        rc = psn_role_read(vault, found.address, &role, NULL);
    if (rc && rc != PSN_E_NOT_FOUND)
        return psn_fail(err, rc, _("'%s' cannot be read"), found.address);
    found.has_role = rc == PSN_OK;
    *place = found;
    return PSN_OK;
}

/* The same, but only of a mailbox that the vault knows. */
static enum psn_code try_role(struct psn_vault *vault, const char *text,
                              const char *client, struct psn_intake_place *place,
                              struct psn_intake_domain *last, struct psn_error *err)
{
    struct psn_intake_place found = { .why = "" };
    enum psn_code rc = try_address(vault, text, client, &found, last, err);

    if (!rc && found.has_role)
        *place = found;
    else if (!rc && found.address[0])
        place->why = _("its mailbox is not in the vault");
    else if (!rc && found.why[0])
        place->why = found.why;
    return rc;
}

static enum psn_code find_role_of(struct psn_vault *vault,
                                  const struct psn_foreign *entry, const char *client,
                                  const char *role, struct psn_intake_place *place,
                                  struct psn_intake_domain *last, struct psn_error *err)
{
    const char *const texts[] = { psn_intake_last_folder(entry->group), entry->user,
                                  entry->title, role };
    enum psn_code rc = PSN_OK;

    place->why = _("no mailbox is told");
    for (size_t i = 0; !rc && !place->address[0] && i < sizeof texts / sizeof *texts; i++)
        rc = try_role(vault, texts[i], client, place, last, err);
    if (!rc)
        find_label(entry, place->label);
    return rc;
}

enum psn_code psn_intake_find_place(struct psn_vault *vault,
                                    const struct psn_foreign *entry, const char *mailbox,
                                    const char *client, const char *role,
                                    struct psn_intake_domain *last,
                                    struct psn_intake_place *ret_place,
                                    struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    *ret_place = (struct psn_intake_place){ .why = "" };
    if (mailbox)
        rc = try_address(vault, mailbox, client, ret_place, last, err);
    ret_place->is_mailbox = ret_place->address[0] != '\0';
    if (rc || ret_place->is_mailbox)
        return rc;
    return find_role_of(vault, entry, client, role, ret_place, last, err);
}

enum psn_code psn_intake_fail_unplaced(const struct psn_intake_summary *summary,
                                       struct psn_error *err)
{
    size_t unplaced = summary->counts[PSN_INTAKE_UNPLACED];
    size_t unusable = summary->counts[PSN_INTAKE_UNUSABLE];

    if (unplaced == 0) {
        (void)psn_fail(err, PSN_E_NOT_FOUND,
                       PSN_NGETTEXT("%zu entry cannot be used, so nothing is imported",
                                    "%zu entries cannot be used, so nothing is imported",
                                    unusable),
                       unusable);
        return psn_hint(err, PSN_E_NOT_FOUND,
                        _("see why in the list; to import the rest: --skip"));
    }
    (void)psn_fail(err, PSN_E_NOT_FOUND,
                   PSN_NGETTEXT("%zu entry has no place here, so nothing is imported",
                                "%zu entries have no place here, so nothing is imported",
                                unplaced),
                   unplaced);
    return psn_hint(
        err, PSN_E_NOT_FOUND,
        _("say which mailbox they hang on: --role ADDRESS; or leave them out: "
          "--skip"));
}

/* ---- the role for what tells none ---- */

struct only_role {
    const char *client;
    char *address;
    size_t count;
};

static enum psn_code count_role(void *arg, const struct psn_role_row *row,
                                struct psn_error *err)
{
    struct only_role *only = arg;

    (void)err;
    if (strcmp(row->client, only->client) != 0)
        return PSN_OK;
    memcpy(only->address, row->address, sizeof row->address);
    only->count++;
    return PSN_OK;
}

/* "technique" of the client whose first domain is martin.fr: technique@martin.fr. */
static enum psn_code complete(struct psn_vault *vault, const struct psn_intake *intake,
                              char ret_role[PSN_ADDRESS_TEXT_MAX], struct psn_error *err)
{
    struct psn_client client = psn_client_init();
    enum psn_code rc = psn_client_read(vault, intake->client, &client, err);
    char address[PSN_ADDRESS_TEXT_MAX];

    if (!rc && client.domain_count == 0)
        rc = psn_fail(err, PSN_E_NOT_FOUND, _("the client '%s' has no domain"),
                      intake->client);
    if (!rc && snprintf(address, sizeof address, "%s@%s", intake->role,
                        client.domains[0]) >= (int)sizeof address)
        rc = psn_fail(err, PSN_E_INVALID, _("'%s' is too long"), intake->role);
    psn_client_release(&client);
    return rc ? rc : psn_role_normalize(address, ret_role, err);
}

enum psn_code psn_intake_find_role(struct psn_vault *vault,
                                   const struct psn_intake *intake,
                                   char ret_role[PSN_ADDRESS_TEXT_MAX],
                                   struct psn_error *err)
{
    struct only_role only = { .client = intake->client, .address = ret_role };
    struct psn_client client = psn_client_init();
    struct psn_role_row row;
    enum psn_code rc = PSN_OK;

    ret_role[0] = '\0';
    if (intake->client)
        rc = psn_client_read(vault, intake->client, &client, err);
    psn_client_release(&client);
    if (!rc && !intake->role && intake->client) {
        rc = psn_role_scan(vault, NULL, 0, count_role, &only, err);
        if (only.count != 1)
            ret_role[0] = '\0';
        return rc;
    }
    if (rc || !intake->role)
        return rc;
    rc = intake->client && !strchr(intake->role, '@')
             ? complete(vault, intake, ret_role, err)
             : psn_role_normalize(intake->role, ret_role, err);
    if (!rc)
        rc = psn_role_read(vault, ret_role, &row, err);
    if (!rc && intake->client && strcmp(row.client, intake->client) != 0)
        rc = psn_fail(err, PSN_E_INVALID, _("%s belongs to another client than '%s'"),
                      ret_role, intake->client);
    return rc;
}
