#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/i18n.h"
#include "core/client.h"
#include "core/item.h"
#include "core/recovery.h"
#include "core/reveal.h"
#include "core/role.h"
#include "core/trousseau.h"
#include "core/version.h"
#include "crypto/hash.h"
#include "interop/foreign.h"

/* What a trousseau holds, in the forms that its files want. */

static void release_item(struct psn_trousseau_item *item)
{
    psn_secret_free(item->value);
    free(item->used);
}

void psn_trousseau_release(struct psn_trousseau *trousseau)
{
    for (size_t i = 0; i < trousseau->item_count; i++)
        release_item(&trousseau->items[i]);
    for (size_t i = 0; i < trousseau->zone_count; i++)
        free(trousseau->zones[i].text);
    free(trousseau->items);
    free(trousseau->entries);
    free(trousseau->zones);
    free(trousseau->files);
    psn_secret_free(trousseau->fingerprint_key);
    psn_draft_release(&trousseau->draft);
    *trousseau = (struct psn_trousseau){ 0 };
}

/* --- facts beside the value --- */

static void add_server(struct psn_trousseau_item *item, const char *name,
                       const char *host, unsigned port, const char *security)
{
    char *text = item->field_texts[item->field_count];

    if (!host[0])
        return;
    (void)snprintf(text, PSN_SERVER_MAX, "%s %u %s", host, port, security);
    item->fields[item->field_count++] = (struct psn_entry_field){ name, text };
}

static enum psn_code read_mailbox(struct psn_trousseau *trousseau,
                                  struct psn_trousseau_item *item, struct psn_error *err)
{
    struct psn_role_row role;
    enum psn_code rc = psn_role_read(trousseau->vault, item->content.address, &role, err);

    if (rc)
        return rc;
    psn_mail_settings_of(role.backend, role.place.host, &trousseau->draft.client,
                         &item->mail);
    item->backend = role.backend;
    item->changed_s = role.changed_s;
    (void)snprintf(item->title, sizeof item->title, "%s", item->content.address);
    add_server(item, "IMAP", item->mail.imap_host, item->mail.imap_port,
               item->mail.imap_security);
    add_server(item, "SMTP", item->mail.smtp_host, item->mail.smtp_port,
               item->mail.smtp_security);
    return PSN_OK;
}

/* What an import needs to make the same secret of it again. */
static enum psn_code add_own_fields(struct psn_trousseau_item *item, bool is_export,
                                    struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) used = psn_buf_init(PSN_ENTRY_TEXT_MAX);
    enum psn_code rc = PSN_OK;

    psn_recovery_put_used(&used, &item->info);
    if (used.size > 0) {
        rc = psn_buf_take(&used, &item->used, err);
        item->fields[item->field_count++] =
            (struct psn_entry_field){ PSN_ENTRY_FIELD_USED, item->used };
    }
    if (is_export && psn_foreign_sounds_secret(item->info.note))
        item->fields[item->field_count++] =
            (struct psn_entry_field){ PSN_ENTRY_FIELD_OPEN_NOTE, "yes" };
    return rc;
}

static enum psn_code read_item(struct psn_trousseau *trousseau,
                               struct psn_trousseau_item *item, struct psn_error *err)
{
    struct psn_item row = { 0 };
    enum psn_code rc = psn_item_read(trousseau->vault, item->content.address,
                                     item->content.label, &row, err);

    if (rc)
        return rc;
    item->info = row.info;
    rc = add_own_fields(item, trousseau->is_export, err);
    if (!trousseau->is_export)
        psn_recovery_tell_marks(&item->info);
    if (rc)
        return rc;
    item->changed_s = row.info.changed_s;
    (void)snprintf(item->title, sizeof item->title, "%s", item->content.label);
    return PSN_OK;
}

/* HMAC-SHA-256 of address LF label LF value: neither side can later claim that another
 * password was handed over, and nobody without the key can try one. */
static void take_fingerprint(const struct psn_trousseau *trousseau,
                             struct psn_trousseau_item *item)
{
    const struct psn_part parts[] = {
        { item->content.address, strlen(item->content.address) },
        { "\n", 1 },
        { item->content.label, strlen(item->content.label) },
        { "\n", 1 },
        { psn_secret_bytes(item->value), psn_secret_size(item->value) },
    };
    uint8_t mac[PSN_HMAC_SIZE];

    psn_hmac_sha256(psn_secret_bytes(trousseau->fingerprint_key),
                    psn_secret_size(trousseau->fingerprint_key), parts,
                    sizeof parts / sizeof *parts, mac);
    (void)psn_hex(mac, sizeof mac, item->fingerprint);
}

/* --- as other programs see it --- */

/* The same secret has the same id in every trousseau of this vault. */
static void make_id(const struct psn_trousseau *trousseau,
                    const struct psn_content *content, uint8_t id[PSN_ENTRY_ID_SIZE])
{
    static const char label[] = "passation entry 1";
    const struct psn_part parts[] = {
        { label, sizeof label },
        { trousseau->vault->id, sizeof trousseau->vault->id },
        { content->address, strlen(content->address) + 1 },
        { content->label, strlen(content->label) + 1 },
    };
    uint8_t hash[PSN_HASH_SIZE];

    psn_hash(parts, sizeof parts / sizeof *parts, hash);
    memcpy(id, hash, PSN_ENTRY_ID_SIZE);
}

/* A label may be the mailbox's own address. */
static const char *type_of(const struct psn_trousseau_item *item)
{
    if (!item->content.label[0])
        return "mailbox";
    if (!item->info.type[0] &&
        strcasecmp(item->content.label, item->content.address) == 0)
        return PSN_ENTRY_TYPE_SECRET;
    return item->info.type;
}

static struct psn_entry entry_of(const struct psn_trousseau *trousseau,
                                 const struct psn_trousseau_item *item)
{
    bool is_mailbox = !item->content.label[0];
    struct psn_entry entry = {
        .group = item->content.address,
        .title = item->title,
        .user = is_mailbox ? item->content.address : item->info.user,
        .password = item->value,
        .url = is_mailbox ? item->mail.webmail : item->info.url,
        .note = item->info.note,
        .expires = item->info.expires,
        .type = type_of(item),
        .fields = item->fields,
        .field_count = item->field_count,
        .changed_s = item->changed_s,
    };

    make_id(trousseau, &item->content, entry.id);
    return entry;
}

/* --- all of them --- */

static enum psn_code take_value(struct psn_trousseau *trousseau,
                                struct psn_trousseau_item *item,
                                struct psn_document_writer *writer, struct psn_error *err)
{
    struct psn_version version;

    if (writer)
        return psn_draft_put_content(trousseau->vault, &trousseau->draft, &item->content,
                                     &item->info, writer, &item->value, err);
    if (trousseau->is_export)
        return psn_disclose(
            trousseau->vault,
            &(struct psn_disclosure){ .client = trousseau->draft.client.id,
                                      .address = item->content.address,
                                      .label = item->content.label,
                                      .version = item->content.version,
                                      .how = PSN_HOW_EXPORTED },
            &item->value, err);
    return psn_version_get(trousseau->vault, trousseau->draft.client.id,
                           item->content.address, item->content.label,
                           item->content.version, &version, &item->value, err);
}

enum psn_code psn_trousseau_take_items(struct psn_trousseau *trousseau,
                                       const struct psn_content *contents, size_t count,
                                       struct psn_document_writer *writer,
                                       struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    trousseau->items = calloc(count + 1, sizeof *trousseau->items);
    trousseau->entries = calloc(count + 1, sizeof *trousseau->entries);
    if (!trousseau->items || !trousseau->entries)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; !rc && i < count; i++) {
        struct psn_trousseau_item *item = &trousseau->items[trousseau->item_count++];

        item->content = contents[i];
        rc = contents[i].label[0] ? read_item(trousseau, item, err)
                                  : read_mailbox(trousseau, item, err);
        if (!rc)
            rc = take_value(trousseau, item, writer, err);
        if (!rc && trousseau->fingerprint_key)
            take_fingerprint(trousseau, item);
        if (!rc)
            trousseau->entries[i] = entry_of(trousseau, item);
    }
    return rc;
}
