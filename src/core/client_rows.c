#include "core/client_rows.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/allow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/client.h"
#include "core/credential_due.h"
#include "core/exposure.h"
#include "core/grant.h"
#include "core/issue_row.h"
#include "core/journal.h"
#include "core/record.h"
#include "core/role.h"
#include "core/trust.h"

/*
 * Most rows are told by the PRF that their key begins with: of the client's id, of one of
 * his domains, of an address of his. Grants, issues and exposures are opened, since they
 * outlive the role that they are about.
 *
 * An address is his if its domain is, or if a role, grant or issue of his has it; unless
 * the domain is another client's by now.
 */
enum {
    TAG_GRANT_CLIENT = 3,
    TAG_ISSUE_CLIENT = 2,
    TAG_ANY = UINT16_MAX,
    PREFIXES_MAX = 64 * 1024 * 1024,
};

struct psn_client_rows {
    struct psn_vault *vault;
    const struct psn_client *client;
    struct psn_buf prefixes[PSN_TABLE_COUNT]; /* of PSN_PRF_SIZE bytes each, sorted */
};

void psn_client_rows_free(struct psn_client_rows *rows)
{
    if (!rows)
        return;
    for (size_t i = 0; i < PSN_TABLE_COUNT; i++)
        psn_buf_release(&rows->prefixes[i]);
    free(rows);
}

/* --- names --- */

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* A domain counts behind an '@' or a dot, too, and before the dot that ends a sentence.
 */
static bool names_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    if (length == 0)
        return false;
    for (const char *at = text; (at = strcasestr(at, word)) != NULL; at++) {
        const char *end = at + length;

        if (at > text && is_word_char(at[-1]))
            continue;
        if (is_word_char(*end) || (*end == '.' && is_word_char(end[1])))
            continue;
        return true;
    }
    return false;
}

bool psn_client_is_named(const struct psn_client *client, const char *text)
{
    bool found = false;

    if (strcmp(text, client->id) == 0)
        return false;
    found = names_word(text, client->nic) || names_word(text, client->linked_nic);
    for (size_t i = 0; !found && i < client->domain_count; i++)
        found = names_word(text, client->domains[i]);
    return found;
}

static bool has_domain_of(const struct psn_client *client, const char *address)
{
    const char *at = strrchr(address, '@');

    for (size_t i = 0; at && i < client->domain_count; i++)
        if (strcmp(at + 1, client->domains[i]) == 0)
            return true;
    return false;
}

/* --- gathering --- */

static enum psn_code add(struct psn_client_rows *rows, enum psn_table table,
                         const char *text, struct psn_error *err)
{
    uint8_t prf[PSN_PRF_SIZE];
    enum psn_code rc = psn_vault_prf(rows->vault, table, text, prf, err);

    if (rc)
        return rc;
    psn_buf_bytes(&rows->prefixes[table], prf, sizeof prf);
    return psn_buf_check(&rows->prefixes[table], err);
}

static enum psn_code add_client(struct psn_client_rows *rows, struct psn_error *err)
{
    static const enum psn_table tables[] = { PSN_TABLE_ACCESS, PSN_TABLE_CLIENT,
                                             PSN_TABLE_CREDENTIAL, PSN_TABLE_CHAIN };
    const struct psn_client *client = rows->client;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++)
        rc = add(rows, tables[i], client->id, err);
    for (size_t i = 0; !rc && i < client->domain_count; i++)
        rc = add(rows, PSN_TABLE_DOMAIN, client->domains[i], err);
    return rc;
}

static enum psn_code add_role(void *arg, const struct psn_role_row *row,
                              struct psn_error *err)
{
    static const enum psn_table tables[] = { PSN_TABLE_ROLE, PSN_TABLE_SECRET,
                                             PSN_TABLE_VERSION, PSN_TABLE_EXPOSURE };
    struct psn_client_rows *rows = arg;
    enum psn_code rc = PSN_OK;

    if (strcmp(row->client, rows->client->id) != 0)
        return PSN_OK;
    for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++)
        rc = add(rows, tables[i], row->address, err);
    return rc;
}

/* An address that he was granted or issued under once, and whose role may be gone. */
static enum psn_code add_former(struct psn_client_rows *rows, const char *address,
                                struct psn_error *err)
{
    char owner[PSN_CLIENT_ID_MAX];
    const char *at = strrchr(address, '@');
    bool is_nobodys = true;
    enum psn_code rc = PSN_OK;

    if (at)
        rc = psn_allow(PSN_E_NOT_FOUND,
                       psn_client_of_domain(rows->vault, at + 1, owner, err), &is_nobodys,
                       err);
    if (rc || (!is_nobodys && strcmp(owner, rows->client->id) != 0))
        return rc;
    return add(rows, PSN_TABLE_EXPOSURE, address, err);
}

static enum psn_code add_grants(struct psn_client_rows *rows, struct psn_error *err)
{
    struct psn_grant_list list = { 0 };
    enum psn_code rc = psn_grant_list(rows->vault, NULL, &list, err);

    for (size_t i = 0; !rc && i < list.count; i++)
        if (strcmp(list.items[i].client, rows->client->id) == 0)
            rc = add_former(rows, list.items[i].address, err);
    psn_grant_list_release(&list);
    return rc;
}

static enum psn_code add_issue(void *arg, const struct psn_issue_row *row,
                               struct psn_error *err)
{
    struct psn_client_rows *rows = arg;
    enum psn_code rc = PSN_OK;

    if (strcmp(row->client, rows->client->id) != 0)
        return PSN_OK;
    for (size_t i = 0; !rc && i < row->content_count; i++)
        rc = add_former(rows, row->contents[i].address, err);
    return rc;
}

static enum psn_code add_document(void *arg, const struct psn_received_row *row,
                                  struct psn_error *err)
{
    struct psn_client_rows *rows = arg;
    struct psn_row_key key;
    enum psn_code rc = PSN_OK;

    if (!has_domain_of(rows->client, row->view.address))
        return PSN_OK;
    rc = psn_received_text_key(rows->vault, &row->view, &key, err);
    if (rc)
        return rc;
    psn_buf_bytes(&rows->prefixes[PSN_TABLE_RECEIVED], key.bytes, PSN_PRF_SIZE);
    return psn_buf_check(&rows->prefixes[PSN_TABLE_RECEIVED], err);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, PSN_PRF_SIZE);
}

static bool has_prefix(const struct psn_client_rows *rows, enum psn_table table,
                       const uint8_t *key)
{
    const struct psn_buf *prefixes = &rows->prefixes[table];

    return prefixes->size > 0 &&
           bsearch(key, prefixes->data, prefixes->size / PSN_PRF_SIZE, PSN_PRF_SIZE,
                   compare) != NULL;
}

static void sort(struct psn_client_rows *rows, enum psn_table table)
{
    struct psn_buf *prefixes = &rows->prefixes[table];

    if (prefixes->size > 0)
        qsort(prefixes->data, prefixes->size / PSN_PRF_SIZE, PSN_PRF_SIZE, compare);
}

/* A document is signed whole and is about one client of its issuer's: it goes whole. */
static enum psn_code add_received(void *arg, const struct psn_received_row *row,
                                  struct psn_error *err)
{
    struct psn_client_rows *rows = arg;
    struct psn_row_key key;
    enum psn_code rc = psn_received_text_key(rows->vault, &row->view, &key, err);

    if (rc || !has_prefix(rows, PSN_TABLE_RECEIVED, key.bytes))
        return rc;
    rc = psn_received_role_key(rows->vault, &row->view, &key, err);
    if (rc)
        return rc;
    psn_buf_bytes(&rows->prefixes[PSN_TABLE_TRUST], key.bytes, PSN_PRF_SIZE);
    return psn_buf_check(&rows->prefixes[PSN_TABLE_TRUST], err);
}

static enum psn_code gather(struct psn_client_rows *rows, bool received,
                            struct psn_error *err)
{
    enum psn_code rc = add_client(rows, err);

    if (!rc)
        rc = psn_role_scan(rows->vault, NULL, 0, add_role, rows, err);
    if (!rc)
        rc = add_grants(rows, err);
    if (!rc)
        rc = psn_issue_row_each(rows->vault, NULL, add_issue, rows, err);
    if (!rc && received)
        rc = psn_received_scan(rows->vault, add_document, rows, err);
    sort(rows, PSN_TABLE_RECEIVED);
    if (!rc && received)
        rc = psn_received_scan(rows->vault, add_received, rows, err);
    for (size_t i = 0; i < PSN_TABLE_COUNT; i++)
        sort(rows, (enum psn_table)i);
    return rc;
}

enum psn_code psn_client_rows_new(struct psn_vault *vault,
                                  const struct psn_client *client, bool received,
                                  struct psn_client_rows **ret_rows,
                                  struct psn_error *err)
{
    PSN_AUTO(psn_client_rows) *rows = calloc(1, sizeof *rows);
    enum psn_code rc;

    if (!rows)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rows->vault = vault;
    rows->client = client;
    for (size_t i = 0; i < PSN_TABLE_COUNT; i++)
        rows->prefixes[i] = psn_buf_init(PREFIXES_MAX);
    rc = gather(rows, received, err);
    if (!rc)
        *ret_rows = PSN_TAKE(rows);
    return rc;
}

/* --- asking --- */

static enum psn_code has_client(struct psn_client_rows *rows, enum psn_table table,
                                uint16_t tag, const struct psn_store_row *row,
                                bool *ret_have, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_ISSUE_RECORD_MAX);
    char client[PSN_CLIENT_ID_MAX];
    struct psn_record record;
    enum psn_code rc =
        psn_row_open(rows->vault, table, row, rows->vault->rows_key, &plain, err);

    if (!rc)
        rc = psn_record_parse(&plain, TAG_ANY, &record, err);
    if (!rc && !psn_record_text(&record, tag, client, sizeof client))
        rc = psn_fail(err, PSN_E_INTEGRITY, _("the record of a grant is malformed"));
    if (!rc)
        *ret_have = strcmp(client, rows->client->id) == 0;
    return rc;
}

static enum psn_code has_exposure(struct psn_client_rows *rows,
                                  const struct psn_store_row *row, bool *ret_have,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_exposure exposure;
    enum psn_code rc = psn_row_open(rows->vault, PSN_TABLE_EXPOSURE, row,
                                    rows->vault->rows_key, &plain, err);

    if (!rc)
        rc = psn_exposure_decode(&plain, &exposure, err);
    if (!rc)
        *ret_have = has_domain_of(rows->client, exposure.address);
    return rc;
}

enum psn_code psn_client_rows_have(struct psn_client_rows *rows, enum psn_table table,
                                   const struct psn_store_row *row, bool *ret_have,
                                   struct psn_error *err)
{
    *ret_have = has_prefix(rows, table, row->key);
    if (*ret_have)
        return PSN_OK;
    switch (table) {
    case PSN_TABLE_GRANT:
        return has_client(rows, table, TAG_GRANT_CLIENT, row, ret_have, err);
    case PSN_TABLE_ISSUE:
        return has_client(rows, table, TAG_ISSUE_CLIENT, row, ret_have, err);
    case PSN_TABLE_EXPOSURE:
        return has_exposure(rows, row, ret_have, err);
    case PSN_TABLE_ACCESS:
    case PSN_TABLE_SLOT:
    case PSN_TABLE_PERSON:
    case PSN_TABLE_CLIENT:
    case PSN_TABLE_DOMAIN:
    case PSN_TABLE_CREDENTIAL:
    case PSN_TABLE_ROLE:
    case PSN_TABLE_SECRET:
    case PSN_TABLE_VERSION:
    case PSN_TABLE_CHAIN:
    case PSN_TABLE_OWN_KEY:
    case PSN_TABLE_TRUST:
    case PSN_TABLE_RECEIVED:
        break;
    }
    return PSN_OK;
}

/* --- deleting --- */

struct collecting {
    struct psn_client_rows *rows;
    enum psn_table table;
    struct psn_buf keys; /* size byte, bytes … */
};

static enum psn_code collect(void *arg, const struct psn_store_row *row,
                             const struct psn_buf *plain, struct psn_error *err)
{
    struct collecting *list = arg;
    bool have = false;
    enum psn_code rc = psn_client_rows_have(list->rows, list->table, row, &have, err);

    (void)plain;
    if (rc || !have)
        return rc;
    psn_buf_u8(&list->keys, (uint8_t)row->key_size);
    psn_buf_bytes(&list->keys, row->key, row->key_size);
    return psn_buf_check(&list->keys, err);
}

static enum psn_code delete_of(struct psn_client_rows *rows, enum psn_table table,
                               struct psn_error *err)
{
    struct psn_vault *vault = rows->vault;
    struct collecting list = { rows, table, psn_buf_init(PREFIXES_MAX) };
    enum psn_code rc = psn_row_each(vault, table, NULL, NULL, collect, &list, err);

    for (size_t i = 0; !rc && i < list.keys.size; i += 1U + list.keys.data[i])
        rc = psn_store_delete(vault->store, table, list.keys.data + i + 1,
                              list.keys.data[i], err);
    psn_buf_release(&list.keys);
    return rc;
}

enum psn_code psn_client_rows_delete(struct psn_client_rows *rows, struct psn_error *err)
{
    struct psn_vault *vault = rows->vault;
    /* The chain is read with the data key, so it goes while there is one. */
    enum psn_code rc = psn_journal_drop(vault, rows->client->id, err);

    if (!rc)
        rc = psn_due_settle(vault, rows->client->id, err);
    for (size_t i = 0; !rc && i < PSN_TABLE_COUNT; i++)
        rc = delete_of(rows, (enum psn_table)i, err);
    psn_secret_free(PSN_TAKE(vault->client_key));
    vault->client_key_id[0] = '\0';
    return rc;
}
