#include "core/unstated.h"

#include <stdlib.h>
#include <string.h>

#include "base/allow.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/destruction.h"
#include "core/record.h"
#include "passation/client.h"
#include "passation/handover.h"

enum {
    TAG_CLIENTS = 1, /* each: since (u64), id, NUL */
    TAG_MAX = 1,
};

struct unstated {
    char client[PSN_CLIENT_ID_MAX];
    int64_t ended_s;
};

struct list {
    struct unstated *items;
    size_t count;
    uint64_t revision; /* of the row; 0: there is none */
};

static void list_release(struct list *list)
{
    free(list->items);
    *list = (struct list){ 0 };
}

static enum psn_code list_add(struct list *list, const char *client, int64_t ended_s,
                              struct psn_error *err)
{
    struct unstated *item;
    enum psn_code rc = PSN_GROW(list->items, list->count, err);

    if (rc)
        return rc;
    item = &list->items[list->count++];
    *item = (struct unstated){ .ended_s = ended_s };
    memcpy(item->client, client, strnlen(client, sizeof item->client - 1));
    return PSN_OK;
}

static void list_remove(struct list *list, const char *client)
{
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i].client, client) != 0)
            list->items[kept++] = list->items[i];
    list->count = kept;
}

/* --- the row --- */

static enum psn_code decode(const struct psn_buf *plain, struct list *list,
                            struct psn_error *err)
{
    struct psn_record record;
    const uint8_t *at;
    size_t left;
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    if (rc)
        return rc;
    (void)psn_record_bytes(&record, TAG_CLIENTS, &at, &left);
    while (!rc && left > 8) {
        char client[PSN_CLIENT_ID_MAX];
        uint64_t ended_s = 0;

        for (size_t i = 0; i < 8; i++)
            ended_s = ended_s << 8 | at[i];
        at += 8;
        left -= 8;
        if (!psn_record_take_text(&at, &left, client, sizeof client))
            return psn_fail(err, PSN_E_INTEGRITY,
                            _("a record of the vault is malformed"));
        rc = list_add(list, client, (int64_t)ended_s, err);
    }
    return rc;
}

static enum psn_code read_list(struct psn_vault *vault, struct list *list,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc =
        psn_row_key_init(vault, PSN_TABLE_OWN_KEY, PSN_UNSTATED_NAME, &key, err);

    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_OWN_KEY, &key, vault->rows_key, &plain,
                          &list->revision, err);
    return rc || list->revision == 0 ? rc : decode(&plain, list, err);
}

/* More than a record holds are left to the journal: without the row it is asked. */
static enum psn_code write_list(struct psn_vault *vault, const struct list *list,
                                struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) clients = psn_buf_init(PSN_RECORD_MAX);
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc =
        psn_row_key_init(vault, PSN_TABLE_OWN_KEY, PSN_UNSTATED_NAME, &key, err);

    if (rc)
        return rc;
    for (size_t i = 0; i < list->count; i++) {
        psn_buf_u64(&clients, (uint64_t)list->items[i].ended_s);
        psn_buf_bytes(&clients, list->items[i].client, strlen(list->items[i].client) + 1);
    }
    psn_record_begin(&plain);
    if (clients.size > 0)
        psn_record_put_bytes(&plain, TAG_CLIENTS, clients.data, clients.size);
    if (clients.failed == PSN_E_LIMIT || plain.failed == PSN_E_LIMIT)
        return list->revision > 0 ? psn_store_delete(vault->store, PSN_TABLE_OWN_KEY,
                                                     key.bytes, key.size, err)
                                  : PSN_OK;
    rc = psn_buf_check(&clients, err);
    if (!rc)
        rc = psn_buf_check(&plain, err);
    return rc ? rc
              : psn_row_put(vault, PSN_TABLE_OWN_KEY, &key, list->revision + 1,
                            vault->rows_key, plain.data, plain.size, err);
}

enum psn_code psn_unstated_found(struct psn_vault *vault, struct psn_error *err)
{
    return write_list(vault, &(struct list){ 0 }, err);
}

/* What the end of a handover notes with a destruction is its statement's digest. */
static bool has_statement(const char *text)
{
    return strncmp(text, "sha256 ", 7) == 0;
}

enum psn_code psn_unstated_add(struct psn_vault *vault, const char *client,
                               const char *statement, struct psn_error *err)
{
    struct list list = { 0 };
    enum psn_code rc =
        statement && has_statement(statement) ? read_list(vault, &list, err) : PSN_OK;

    if (!rc && list.revision > 0) {
        list_remove(&list, client);
        rc = list_add(&list, client, vault->world.now_s(), err);
        if (!rc)
            rc = write_list(vault, &list, err);
    }
    list_release(&list);
    return rc;
}

enum psn_code psn_unstated_remove(struct psn_vault *vault, const char *client,
                                  struct psn_error *err)
{
    struct list list = { 0 };
    enum psn_code rc = read_list(vault, &list, err);
    size_t count = list.count;

    if (!rc) {
        list_remove(&list, client);
        if (list.count < count)
            rc = write_list(vault, &list, err);
    }
    list_release(&list);
    return rc;
}

/* --- asking --- */

static enum psn_code read_row(struct psn_vault *vault, struct list *list,
                              struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc : psn_vault_end(vault, read_list(vault, list, err), err);
}

static enum psn_code collect(void *arg, const struct psn_destruction_note *note,
                             struct psn_error *err)
{
    return has_statement(note->statement) ? list_add(arg, note->client, note->done_s, err)
                                          : PSN_OK;
}

/* One that is here again is another one. */
static enum psn_code look_if_gone(struct psn_vault *vault, const char *id, bool *ret_gone,
                                  struct psn_error *err)
{
    struct psn_client client = { 0 };
    enum psn_code rc = psn_client_get(vault, id, &client, err);

    psn_client_release(&client);
    return psn_allow(PSN_E_NOT_FOUND, rc, ret_gone, err);
}

static enum psn_code look_if_stated(struct psn_vault *vault, const char *id,
                                    bool *ret_stated, struct psn_error *err)
{
    struct psn_handover_end end = { 0 };
    bool is_none;
    enum psn_code rc = psn_allow(
        PSN_E_NOT_FOUND, psn_handover_end_get(vault, id, &end, err), &is_none, err);

    *ret_stated = is_none || end.stated;
    return rc;
}

enum psn_code psn_handover_unstated_each(struct psn_vault *vault,
                                         psn_handover_unstated_fn *each, void *arg,
                                         struct psn_error *err)
{
    struct list list = { 0 };
    enum psn_code rc = read_row(vault, &list, err);
    bool from_journal = !rc && list.revision == 0;

    if (from_journal)
        rc = psn_destruction_each(vault, collect, &list, err);
    for (size_t i = 0; !rc && i < list.count; i++) {
        const struct unstated *at = &list.items[i];
        bool gone = false;
        bool stated = false;

        rc = look_if_gone(vault, at->client, &gone, err);
        if (!rc && gone && from_journal)
            rc = look_if_stated(vault, at->client, &stated, err);
        if (!rc && gone && !stated)
            rc = each(arg, at->client, at->ended_s, err);
    }
    list_release(&list);
    return rc;
}
