#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "core/client.h"
#include "core/client_check.h"
#include "core/counters.h"
#include "core/departure_returned.h"
#include "core/exposure.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/opened.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/recovery.h"
#include "core/role.h"
#include "core/version.h"
#include "passation/received.h"

/* A trousseau becomes a client of this vault. */

struct taking {
    struct psn_vault *vault;
    const struct psn_opened *opened;
    const struct psn_takeover *takeover;
    struct psn_taken *taken;
    struct psn_forgotten_list forgotten;
    uint64_t first; /* the number of each version that comes in */
};

/* --- the client --- */

static enum psn_code account_field(struct taking *taking, enum psn_document_account field,
                                   char *out, size_t size, struct psn_error *err)
{
    const struct psn_document *document = &taking->opened->document;

    for (size_t i = 0; i < document->count; i++)
        if (document->blocks[i].kind == PSN_BLOCK_ACCOUNT)
            return psn_field_text(&document->blocks[i].fields[field], out, size, err);
    out[0] = '\0';
    return PSN_OK;
}

static enum psn_code add_domains(struct taking *taking, struct psn_client *client,
                                 struct psn_error *err)
{
    const struct psn_document *document = &taking->opened->document;
    PSN_AUTO(psn_secret) *value = NULL;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < document->count; i++)
        if (document->blocks[i].kind == PSN_BLOCK_ACCOUNT && !value)
            rc = psn_field_secret(&document->blocks[i].fields[PSN_ACCOUNT_DOMAINS],
                                  &value, err);
    for (const char *at = value ? (const char *)psn_secret_bytes(value) : "";
         !rc && *at;) {
        size_t size = strcspn(at, "\n");
        char domain[PSN_DOMAIN_NAME_MAX];

        if (size >= sizeof domain)
            return psn_fail(err, PSN_E_INTEGRITY,
                            _("a domain of the trousseau is too long"));
        memcpy(domain, at, size);
        domain[size] = '\0';
        rc = psn_client_add_domain(client, domain, err);
        at += size + (at[size] == '\n');
    }
    return rc;
}

static enum psn_code describe(struct taking *taking, struct psn_client *client,
                              struct psn_error *err)
{
    const struct psn_opened_head *head = psn_opened_head(taking->opened);
    const struct psn_takeover *takeover = taking->takeover;
    const struct {
        const char *from;
        char *to;
        size_t size;
    } texts[] = {
        { takeover->client ? takeover->client : head->client, client->id,
          sizeof client->id },
        { head->client_name, client->name, sizeof client->name },
        { takeover->endpoint ? takeover->endpoint : client->endpoint, client->endpoint,
          sizeof client->endpoint },
        { takeover->imap ? takeover->imap : "", client->imap, sizeof client->imap },
        { takeover->smtp ? takeover->smtp : "", client->smtp, sizeof client->smtp },
    };
    enum psn_code rc =
        account_field(taking, PSN_ACCOUNT_NIC, client->nic, sizeof client->nic, err);

    for (size_t i = 0; !rc && i < sizeof texts / sizeof *texts; i++) {
        char copy[PSN_URL_MAX];

        if (strlen(texts[i].from) >= texts[i].size ||
            strlen(texts[i].from) >= sizeof copy)
            return psn_fail(err, PSN_E_INVALID, _("'%s' is too long"), texts[i].from);
        (void)snprintf(copy, sizeof copy, "%s", texts[i].from);
        (void)snprintf(texts[i].to, texts[i].size, "%s", copy);
    }
    return rc ? rc : add_domains(taking, client, err);
}

static bool has_domain(const struct psn_client *client, const char *domain)
{
    for (size_t i = 0; i < client->domain_count; i++)
        if (strcmp(client->domains[i], domain) == 0)
            return true;
    return false;
}

/* One that is here already must be the same account. */
static enum psn_code check_same(const struct psn_client *here,
                                const struct psn_client *wanted, struct psn_error *err)
{
    if (strcmp(here->nic, wanted->nic) != 0) {
        (void)psn_fail(err, PSN_E_CONFLICT,
                       _("the client '%s' has the OVH account %s here, and %s in the "
                         "trousseau"),
                       here->id, here->nic, wanted->nic);
        return psn_hint(err, PSN_E_CONFLICT, _("take it over under another id: --id ID"));
    }
    for (size_t i = 0; i < wanted->domain_count; i++)
        if (!has_domain(here, wanted->domains[i])) {
            (void)psn_fail(err, PSN_E_CONFLICT, _("the client '%s' lacks the domain %s"),
                           here->id, wanted->domains[i]);
            return psn_hint(err, PSN_E_CONFLICT,
                            _("add it first: passation client set %s --domain %s"),
                            here->id, wanted->domains[i]);
        }
    return PSN_OK;
}

static enum psn_code take_client(struct taking *taking, const struct psn_client *wanted,
                                 struct psn_error *err)
{
    struct psn_client here = { 0 };
    enum psn_code rc = psn_client_read(taking->vault, wanted->id, &here, NULL);

    if (rc == PSN_E_NOT_FOUND)
        return psn_client_insert(taking->vault, wanted, err);
    if (rc)
        return psn_fail(err, rc, _("the client '%s' cannot be read"), wanted->id);
    taking->taken->is_linked = here.linked;
    rc = check_same(&here, wanted, err);
    psn_client_release(&here);
    return rc;
}

/* --- who knows it --- */

/* Whoever opens this vault may have all of it: nothing would be due. */
static enum psn_code check_former(struct psn_vault *vault, const char *person,
                                  struct psn_error *err)
{
    struct psn_reach_map map = { 0 };
    enum psn_code rc = psn_reach_map_load(vault, &map, err);
    bool is_ours = !rc && psn_reach_holds_slot(&map, person);

    psn_reach_map_release(&map);
    if (is_ours)
        return psn_fail(err, PSN_E_POLICY,
                        _("'%s' opens this vault: whoever made the trousseau is somebody "
                          "else"),
                        person);
    return rc;
}

static enum psn_code take_former(struct taking *taking, struct psn_error *err)
{
    const struct psn_opened_head *head = psn_opened_head(taking->opened);
    struct psn_person person = { .kind = PSN_PERSON_PROVIDER };
    enum psn_code rc;

    if (taking->takeover->former)
        (void)snprintf(person.id, sizeof person.id, "%s", taking->takeover->former);
    else
        (void)snprintf(person.id, sizeof person.id, "former-%.57s",
                       taking->taken->client);
    memcpy(taking->taken->former, person.id, sizeof taking->taken->former);
    rc = psn_person_read(taking->vault, person.id, &person, NULL);
    if (rc != PSN_E_NOT_FOUND)
        return rc ? psn_fail(err, rc, _("'%s' cannot be read"), taking->taken->former)
                  : check_former(taking->vault, person.id, err);
    person = (struct psn_person){ .kind = PSN_PERSON_PROVIDER };
    memcpy(person.id, taking->taken->former, sizeof person.id);
    (void)snprintf(person.name, sizeof person.name, "%s", head->issued_by);
    (void)snprintf(person.email, sizeof person.email, "%s", head->reply_to);
    rc = psn_person_check(&person, err);
    return rc ? rc : psn_person_insert(taking->vault, &person, err);
}

/* --- what is in it --- */

static enum psn_code expose(struct taking *taking, const char *address, const char *label,
                            struct psn_error *err)
{
    return psn_exposure_put_of(taking->vault, taking->taken->former, address, label,
                               taking->first, PSN_HOW_REACHED, err);
}

static enum psn_code take_mailbox(struct taking *taking,
                                  const struct psn_opened_secret *secret,
                                  struct psn_error *err)
{
    struct psn_vault *vault = taking->vault;
    struct psn_role_row row = { .created_s = vault->world.now_s() };
    struct psn_role_row known;
    enum psn_code rc = psn_role_normalize(secret->address, row.address, err);

    if (!rc)
        rc = psn_client_of_domain(vault, strchr(row.address, '@') + 1, row.client, err);
    if (rc)
        return rc;
    if (strcmp(row.client, taking->taken->client) != 0)
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("%s is in no domain of the client that the trousseau is about"),
                        row.address);
    rc = psn_role_read(vault, row.address, &known, NULL);
    if (rc != PSN_E_NOT_FOUND)
        return psn_fail(err, rc ? rc : PSN_E_EXISTS,
                        _("the role '%s' is in the vault already"), row.address);
    row.rotation = psn_rotation_state_init(taking->first, false);
    row.changed_s = secret->changed_s ? secret->changed_s : row.created_s;
    taking->taken->roles++;
    rc = psn_role_write(vault, &row, err);
    if (!rc)
        rc = psn_version_put(vault, row.client, row.address, "", taking->first,
                             PSN_VERSION_CURRENT, secret->value, err);
    if (!rc)
        rc = expose(taking, row.address, "", err);
    if (!rc)
        rc = psn_departure_note_returned(vault, &row, &taking->forgotten, err);
    return rc ? rc
              : psn_journal_note(vault, row.client,
                                 &(struct psn_note){ .event = "mailbox.taken-over",
                                                     .subject = row.address,
                                                     .version = taking->first },
                                 err);
}

static bool is_type(const char *type)
{
    for (const char *const *at = psn_secret_types(); *at; at++)
        if (strcmp(*at, type) == 0)
            return true;
    return false;
}

/* It may hang on a role of the client alone: a trousseau says nothing of another's. */
static enum psn_code check_place(struct taking *taking, const char *address,
                                 struct psn_error *err)
{
    struct psn_role_row role;
    enum psn_code rc = psn_role_read(taking->vault, address, &role, err);

    if (rc || strcmp(role.client, taking->taken->client) == 0)
        return rc;
    return psn_fail(err, PSN_E_INTEGRITY,
                    _("%s is in no domain of the client that the trousseau is about"),
                    address);
}

static enum psn_code take_secret(struct taking *taking,
                                 const struct psn_opened_secret *secret,
                                 struct psn_error *err)
{
    struct psn_secret_info info = { 0 };
    enum psn_code rc;

    memcpy(info.address, secret->address, sizeof info.address);
    memcpy(info.label, secret->label, sizeof info.label);
    memcpy(info.user, secret->user, sizeof info.user);
    memcpy(info.url, secret->url, sizeof info.url);
    memcpy(info.note, secret->note, sizeof info.note);
    memcpy(info.expires, secret->expires, sizeof info.expires);
    if (is_type(secret->type))
        memcpy(info.type, secret->type, sizeof info.type);
    psn_recovery_take_marks(&info, psn_opened_head(taking->opened)->issued_s);
    taking->taken->secrets++;
    rc = check_place(taking, info.address, err);
    if (!rc)
        rc = psn_item_check_label(info.label, err);
    if (!rc)
        rc = psn_item_check_fields(&info, err);
    if (!rc)
        rc =
            psn_item_insert(taking->vault, &info, secret->value, &taking->forgotten, err);
    return rc ? rc : expose(taking, info.address, info.label, err);
}

static enum psn_code take_one(void *arg, const struct psn_opened_secret *secret,
                              struct psn_error *err)
{
    struct taking *taking = arg;

    return secret->label[0] ? take_secret(taking, secret, err)
                            : take_mailbox(taking, secret, err);
}

/* --- all of it --- */

static enum psn_code take(struct taking *taking, const struct psn_client *client,
                          struct psn_error *err)
{
    enum psn_code rc = take_client(taking, client, err);

    memcpy(taking->taken->client, client->id, sizeof taking->taken->client);
    if (!rc)
        rc = take_former(taking, err);
    if (!rc)
        rc = psn_versions_after(taking->vault, 0, &taking->first, err);
    if (!rc)
        rc = psn_opened_each(taking->opened, take_one, taking, err);
    return rc ? rc
              : psn_journal_note(
                    taking->vault, taking->taken->client,
                    &(struct psn_note){ .event = "client.taken-over",
                                        .subject = taking->taken->former,
                                        .text = psn_opened_head(taking->opened)->issuer },
                    err);
}

enum psn_code psn_client_import(struct psn_vault *vault, const struct psn_opened *opened,
                                const struct psn_takeover *takeover,
                                struct psn_taken *ret_taken, struct psn_error *err)
{
    struct taking taking = {
        .vault = vault, .opened = opened, .takeover = takeover, .taken = ret_taken
    };
    struct psn_client client = psn_client_init();
    enum psn_code rc = PSN_OK;

    *ret_taken = (struct psn_taken){ 0 };
    if (opened->document.version != 2) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("this is no trousseau: what it holds is to be read only"));
        rc = psn_hint(err, PSN_E_POLICY, _("keep it: passation open FILE --store"));
    }
    if (!rc)
        rc = describe(&taking, &client, err);
    if (!rc)
        rc = psn_client_check(&client, err);
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    if (!rc)
        rc = psn_vault_end(vault, take(&taking, &client, err), err);
    psn_forgotten_list_release(&taking.forgotten);
    psn_client_release(&client);
    return rc;
}
