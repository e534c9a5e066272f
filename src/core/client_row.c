#include "core/client_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/record.h"

/*
 * A client's row is sealed under the rows key and carries the client's data key, wrapped
 * once more, so that listing clients opens no data key. Secrets, versions, credential and
 * journal of a client are sealed under its data key: deleting that key closes them all.
 */
enum {
    TAG_ID = 1,
    TAG_NAME = 2,
    TAG_NIC = 3,
    TAG_ENDPOINT = 4,
    TAG_IMAP = 5,
    TAG_SMTP = 6,
    TAG_RATE = 7,
    TAG_SETTLE = 8,
    TAG_LOGIN_CACHE = 9,
    TAG_FAILED = 10,
    TAG_FAILED_WINDOW = 11,
    TAG_DOMAINS = 12, /* each followed by a NUL */
    TAG_CREATED = 13,
    TAG_LINKED = 14,
    TAG_LINKED_NIC = 15,
    TAG_KEY_EXPIRES = 16,
    TAG_DATA_KEY = 17, /* a box under the wrap key */
    TAG_LAST_USE = 18,
    TAG_KEY_READ = 19,
    TAG_IS_ACCOUNT = 20,
    TAG_CUT_EXPIRES = 21,
    TAG_ASKED = 22,
    TAG_ASKED_CUT = 23,
    TAG_OWNER = 24,
    TAG_HANDOVER = 25, /* when it began */
    TAG_ENVELOPE = 26, /* when it was made */
    TAG_MAX = 26,
};

void psn_client_release(struct psn_client *client)
{
    free(client->domains);
    client->domains = NULL;
    client->domain_count = 0;
}

enum psn_code psn_client_row_add_domain(struct psn_client *client, const char *domain,
                                        struct psn_error *err)
{
    char(*grown)[PSN_DOMAIN_NAME_MAX];

    if (client->domain_count == PSN_CLIENT_DOMAINS_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("a client has at most %d domains"),
                        PSN_CLIENT_DOMAINS_MAX);
    grown = realloc(client->domains, (client->domain_count + 1) * sizeof *grown);
    if (!grown)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    client->domains = grown;
    (void)snprintf(grown[client->domain_count], sizeof *grown, "%s", domain);
    client->domain_count++;
    return PSN_OK;
}

static void encode_keys(const struct psn_client_keys *keys, struct psn_buf *out)
{
    psn_record_put_number(out, TAG_LAST_USE, (uint64_t)keys->last_use_s);
    psn_record_put_number(out, TAG_KEY_READ, (uint64_t)keys->read_s);
    psn_record_put_number(out, TAG_IS_ACCOUNT, keys->is_account);
    psn_record_put_number(out, TAG_CUT_EXPIRES, (uint64_t)keys->cut_expires_s);
    psn_record_put_number(out, TAG_ASKED, (uint64_t)keys->asked_s[PSN_KEY_WORK]);
    psn_record_put_number(out, TAG_ASKED_CUT, (uint64_t)keys->asked_s[PSN_KEY_CUT]);
}

static struct psn_client_keys decode_keys(const struct psn_record *record)
{
    return (struct psn_client_keys){
        .last_use_s = (int64_t)psn_record_number(record, TAG_LAST_USE),
        .read_s = (int64_t)psn_record_number(record, TAG_KEY_READ),
        .is_account = psn_record_number(record, TAG_IS_ACCOUNT) != 0,
        .cut_expires_s = (int64_t)psn_record_number(record, TAG_CUT_EXPIRES),
        .asked_s = { (int64_t)psn_record_number(record, TAG_ASKED),
                     (int64_t)psn_record_number(record, TAG_ASKED_CUT) },
    };
}

static void encode(const struct psn_client *client, const uint8_t *key_box,
                   size_t key_box_size, struct psn_buf *out)
{
    PSN_AUTO_RELEASE(psn_buf) domains = psn_buf_init(PSN_RECORD_MAX);

    for (size_t i = 0; i < client->domain_count; i++)
        psn_buf_bytes(&domains, client->domains[i], strlen(client->domains[i]) + 1);
    psn_record_begin(out);
    psn_record_put_text(out, TAG_ID, client->id);
    psn_record_put_text(out, TAG_NAME, client->name);
    psn_record_put_text(out, TAG_NIC, client->nic);
    psn_record_put_text(out, TAG_ENDPOINT, client->endpoint);
    psn_record_put_text(out, TAG_IMAP, client->imap);
    psn_record_put_text(out, TAG_SMTP, client->smtp);
    psn_record_put_number(out, TAG_RATE, client->limits.rate_per_min);
    psn_record_put_number(out, TAG_SETTLE, (uint64_t)client->limits.settle_s);
    psn_record_put_number(out, TAG_LOGIN_CACHE, (uint64_t)client->limits.login_cache_s);
    psn_record_put_number(out, TAG_FAILED, client->limits.failed_logins);
    psn_record_put_number(out, TAG_FAILED_WINDOW,
                          (uint64_t)client->limits.failed_logins_window_s);
    psn_record_put_bytes(out, TAG_DOMAINS, domains.data, domains.size);
    psn_record_put_number(out, TAG_CREATED, (uint64_t)client->created_s);
    psn_record_put_number(out, TAG_LINKED, client->linked);
    psn_record_put_text(out, TAG_LINKED_NIC, client->linked_nic);
    psn_record_put_number(out, TAG_KEY_EXPIRES, (uint64_t)client->key_expires_s);
    psn_record_put_bytes(out, TAG_DATA_KEY, key_box, key_box_size);
    encode_keys(&client->keys, out);
    psn_record_put_text(out, TAG_OWNER, client->owner);
    psn_record_put_number(out, TAG_HANDOVER, (uint64_t)client->handover_s);
    psn_record_put_number(out, TAG_ENVELOPE, (uint64_t)client->envelope_s);
    if (domains.failed)
        out->failed = domains.failed;
}

static enum psn_code decode_domains(const struct psn_record *record,
                                    struct psn_client *client, struct psn_error *err)
{
    const uint8_t *bytes;
    size_t size;
    enum psn_code rc = PSN_OK;

    (void)psn_record_bytes(record, TAG_DOMAINS, &bytes, &size);
    for (size_t i = 0; !rc && i < size;) {
        size_t length = strnlen((const char *)bytes + i, size - i);

        if (i + length == size || length >= PSN_DOMAIN_NAME_MAX)
            return psn_fail(err, PSN_E_INTEGRITY,
                            _("the record of a client is malformed"));
        rc = psn_client_row_add_domain(client, (const char *)bytes + i, err);
        i += length + 1;
    }
    return rc;
}

enum psn_code psn_client_row_decode(const struct psn_buf *plain,
                                    struct psn_client *client, struct psn_error *err)
{
    struct psn_record record;
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    if (rc)
        return rc;
    *client = (struct psn_client){ 0 };
    if (!psn_record_text(&record, TAG_ID, client->id, sizeof client->id) ||
        !psn_record_text(&record, TAG_NAME, client->name, sizeof client->name) ||
        !psn_record_text(&record, TAG_NIC, client->nic, sizeof client->nic) ||
        !psn_record_text(&record, TAG_ENDPOINT, client->endpoint,
                         sizeof client->endpoint) ||
        !psn_record_text(&record, TAG_IMAP, client->imap, sizeof client->imap) ||
        !psn_record_text(&record, TAG_SMTP, client->smtp, sizeof client->smtp) ||
        !psn_record_text(&record, TAG_LINKED_NIC, client->linked_nic,
                         sizeof client->linked_nic) ||
        !psn_record_text(&record, TAG_OWNER, client->owner, sizeof client->owner))
        return psn_fail(err, PSN_E_INTEGRITY, _("the record of a client is malformed"));
    client->limits.rate_per_min = (uint32_t)psn_record_number(&record, TAG_RATE);
    client->limits.settle_s = (int64_t)psn_record_number(&record, TAG_SETTLE);
    client->limits.login_cache_s = (int64_t)psn_record_number(&record, TAG_LOGIN_CACHE);
    client->limits.failed_logins = (uint32_t)psn_record_number(&record, TAG_FAILED);
    client->limits.failed_logins_window_s =
        (int64_t)psn_record_number(&record, TAG_FAILED_WINDOW);
    client->created_s = (int64_t)psn_record_number(&record, TAG_CREATED);
    client->linked = psn_record_number(&record, TAG_LINKED) != 0;
    client->key_expires_s = (int64_t)psn_record_number(&record, TAG_KEY_EXPIRES);
    client->keys = decode_keys(&record);
    client->handover_s = (int64_t)psn_record_number(&record, TAG_HANDOVER);
    client->envelope_s = (int64_t)psn_record_number(&record, TAG_ENVELOPE);
    rc = decode_domains(&record, client, err);
    if (rc)
        psn_client_release(client);
    return rc;
}

static enum psn_code fail_unknown(const char *id, struct psn_error *err)
{
    char shown[128];

    (void)psn_fail(err, PSN_E_NOT_FOUND, _("no client '%s'"),
                   psn_text_shown(id, shown, sizeof shown));
    return psn_hint(err, PSN_E_NOT_FOUND, _("see them with: passation client ls"));
}

enum psn_code psn_client_row_read(struct psn_vault *vault, const char *id,
                                  struct psn_buf *plain, uint64_t *ret_revision,
                                  struct psn_error *err)
{
    struct psn_row_key key;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_CLIENT, id, &key, err);

    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_CLIENT, &key, vault->rows_key, plain,
                          ret_revision, err);
    return rc || *ret_revision > 0 ? rc : fail_unknown(id, err);
}

enum psn_code psn_client_row_put(struct psn_vault *vault, const struct psn_client *client,
                                 uint64_t revision, const uint8_t *key_box,
                                 size_t key_box_size, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_CLIENT, client->id, &key, err);

    encode(client, key_box, key_box_size, &plain);
    if (!rc)
        rc = psn_buf_check(&plain, err);
    if (!rc)
        rc = psn_row_put(vault, PSN_TABLE_CLIENT, &key, revision, vault->rows_key,
                         plain.data, plain.size, err);
    return rc;
}

enum psn_code psn_client_row_key_box(const struct psn_buf *plain, const uint8_t **ret_box,
                                     size_t *ret_size, struct psn_error *err)
{
    struct psn_record record;
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    if (!rc)
        (void)psn_record_bytes(&record, TAG_DATA_KEY, ret_box, ret_size);
    return rc;
}
