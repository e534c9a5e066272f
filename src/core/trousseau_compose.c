#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/allow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/client.h"
#include "core/trousseau.h"
#include "crypto/hash.h"
#include "crypto/kdf.h"
#include "passation/contact.h"

/* The document of a trousseau: the account, every secret, and files for those who want
 * them in another program. */

/* --- the zones --- */

static enum psn_code take_zone(struct psn_trousseau *trousseau, const char *domain,
                               struct psn_error *err)
{
    struct psn_trousseau_zone *zone = &trousseau->zones[trousseau->zone_count];
    bool is_elsewhere;
    enum psn_code rc =
        psn_allow(PSN_E_NOT_FOUND,
                  psn_contact_zone_file(trousseau->vault, trousseau->client, domain,
                                        &zone->text, err),
                  &is_elsewhere, err);

    if (rc)
        return psn_wrap(err, rc, _("the DNS zone of %s"), domain);
    if (is_elsewhere)
        return PSN_OK;
    (void)snprintf(zone->domain, sizeof zone->domain, "%s", domain);
    trousseau->zone_count++;
    return PSN_OK;
}

enum psn_code psn_trousseau_take_zones(struct psn_trousseau *trousseau,
                                       struct psn_error *err)
{
    struct psn_client client = { 0 };
    enum psn_code rc = psn_client_get(trousseau->vault, trousseau->client, &client, err);

    if (rc)
        return rc;
    trousseau->zones = calloc(client.domain_count + 1, sizeof *trousseau->zones);
    if (!trousseau->zones)
        rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; !rc && client.linked && i < client.domain_count; i++)
        rc = take_zone(trousseau, client.domains[i], err);
    psn_client_release(&client);
    return rc;
}

/* --- the text --- */

static enum psn_code put_account(struct psn_trousseau *trousseau,
                                 struct psn_document_writer *writer,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) domains = psn_buf_init((size_t)2 * PSN_RECORD_MAX);
    const struct psn_client *client = &trousseau->draft.client;
    struct psn_slice fields[PSN_ACCOUNT_FIELDS] = { 0 };
    char key[65];
    enum psn_code rc;

    for (size_t i = 0; i < client->domain_count; i++)
        psn_buf_format(&domains, "%s%s", i ? "\n" : "", client->domains[i]);
    rc = psn_buf_check(&domains, err);
    if (rc)
        return rc;
    fields[PSN_ACCOUNT_NIC] = psn_slice_of(client->nic);
    fields[PSN_ACCOUNT_DOMAINS] = psn_slice_of(psn_buf_str(&domains));
    fields[PSN_ACCOUNT_PANEL] = psn_slice_of("https://www.ovh.com/manager/");
    fields[PSN_ACCOUNT_FINGERPRINT_KEY] =
        psn_slice_of(psn_hex(psn_secret_bytes(trousseau->fingerprint_key), 32, key));
    psn_document_account(writer, fields);
    explicit_bzero(key, sizeof key);
    return PSN_OK;
}

static void put_file(struct psn_document_writer *writer, const char *name,
                     const char *media, const void *bytes, size_t size)
{
    const struct psn_slice fields[PSN_FILE_BLOCK_FIELDS] = {
        [PSN_FILE_BLOCK_NAME] = psn_slice_of(name),
        [PSN_FILE_BLOCK_MEDIA] = psn_slice_of(media),
        [PSN_FILE_BLOCK_CONTENT] = { bytes, size },
    };

    psn_document_file(writer, fields);
}

/* Bitwarden's form is not encrypted, so it lies in the document; in several files where
 * one would be too large for it. */
static enum psn_code put_bitwarden(const struct psn_trousseau *trousseau, size_t from,
                                   size_t count, unsigned *number,
                                   struct psn_document_writer *writer,
                                   struct psn_error *err)
{
    PSN_AUTO(psn_secret) *json = NULL;
    char name[32] = "bitwarden.json";
    enum psn_code rc = psn_bitwarden_write(trousseau->entries + from, count, &json, err);

    if (rc)
        return rc;
    if (psn_secret_size(json) > PSN_DOCUMENT_FILE_MAX && count > 1) {
        size_t half = count / 2;

        psn_secret_free(PSN_TAKE(json));
        rc = put_bitwarden(trousseau, from, half, number, writer, err);
        return rc ? rc
                  : put_bitwarden(trousseau, from + half, count - half, number, writer,
                                  err);
    }
    if (++*number > 1)
        (void)snprintf(name, sizeof name, "bitwarden-%u.json", *number);
    put_file(writer, name, "application/json", psn_secret_bytes(json),
             psn_secret_size(json));
    return PSN_OK;
}

static enum psn_code put_files(struct psn_trousseau *trousseau,
                               struct psn_document_writer *writer, struct psn_error *err)
{
    unsigned number = 0;
    enum psn_code rc =
        put_bitwarden(trousseau, 0, trousseau->item_count, &number, writer, err);

    for (size_t i = 0; !rc && i < trousseau->zone_count; i++) {
        const struct psn_trousseau_zone *zone = &trousseau->zones[i];
        char name[PSN_DOMAIN_NAME_MAX + 8];

        (void)snprintf(name, sizeof name, "%s.zone", zone->domain);
        if (strlen(name) < PSN_HANDOVER_NAME_MAX) /* a longer one lies in the folder */
            put_file(writer, name, "text/dns", zone->text, strlen(zone->text));
    }
    return rc;
}

static enum psn_code write_text(struct psn_trousseau *trousseau, struct psn_error *err)
{
    struct psn_draft *draft = &trousseau->draft;
    struct psn_draft_terms terms = { .from_s = draft->row.created_s };
    struct psn_document_writer writer = { 0 };
    PSN_AUTO(psn_secret) *text = NULL;
    enum psn_code rc = psn_draft_put_head(trousseau->vault, draft, &terms, &writer, err);
    enum psn_code end;

    if (!rc)
        rc = put_account(trousseau, &writer, err);
    if (!rc)
        rc = psn_trousseau_take_items(trousseau, draft->row.contents,
                                      draft->row.content_count, &writer, err);
    if (!rc)
        rc = put_files(trousseau, &writer, err);
    end = psn_document_end(&writer, &text, rc ? NULL : err);
    if (!rc && !end)
        draft->text = PSN_TAKE(text);
    return rc ? rc : end;
}

enum psn_code psn_trousseau_compose(struct psn_trousseau *trousseau, const char *person,
                                    const char *recipient, const char *event,
                                    struct psn_error *err)
{
    struct psn_vault *vault = trousseau->vault;
    struct psn_draft *draft = &trousseau->draft;
    struct psn_content_list contents = { 0 };
    enum psn_code rc;

    trousseau->order = (struct psn_issue_order){ .person = person,
                                                 .client = trousseau->client,
                                                 .format = PSN_ISSUE_HTML };
    draft->order = &trousseau->order;
    draft->own = true;
    rc = psn_draft_begin(vault, draft, err);
    trousseau->order.person = draft->person.id;
    if (!rc && recipient) {
        draft->row.by_code = false;
        draft->person.key_count = 1;
        (void)snprintf(draft->person.keys[0].text, sizeof draft->person.keys[0].text,
                       "%s", recipient);
    }
    if (!rc)
        rc = psn_handover_contents(vault, trousseau->client, &contents, err);
    draft->row.contents = contents.items;
    draft->row.content_count = contents.count;
    if (!rc && contents.count == 0)
        rc = psn_fail(err, PSN_E_POLICY, _("the vault has no secret of '%s' yet"),
                      trousseau->client);
    if (!rc && !psn_issue_row_index(&draft->row))
        rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (!rc)
        rc = psn_kdf_random(&trousseau->fingerprint_key, err);
    if (!rc)
        rc = write_text(trousseau, err);
    return rc ? rc : psn_draft_note(vault, draft, event, err);
}
