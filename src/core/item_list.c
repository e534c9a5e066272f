#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "core/client.h"
#include "core/item.h"
#include "core/recovery.h"

/*
 * The secrets of a mailbox, in the order of their labels. They are kept as their rows
 * are: some hundred bytes each, where what is told of one has room for 7 KiB.
 */
enum {
    ROWS_MAX = 1024 * 1024 * 1024
};

struct kept {
    size_t at; /* in the rows: the record, then the label and its NUL */
    size_t size;
    const char *label; /* as soon as all of them are there */
    bool has_codes;
    size_t code_count;
};

struct item_list {
    struct psn_buf rows;
    struct kept *items;
    size_t count;
    bool hidden_too;
    struct psn_secret_info info; /* of the one at hand */
};

static struct item_list item_list_init(bool hidden_too)
{
    return (struct item_list){ .rows = psn_buf_init_wiped(ROWS_MAX),
                               .hidden_too = hidden_too };
}

static void item_list_release(struct item_list *list)
{
    psn_buf_release(&list->rows);
    free(list->items);
}

static enum psn_code unpack(struct item_list *list, const struct kept *item,
                            struct psn_error *err)
{
    const struct psn_buf record = { .data = list->rows.data + item->at,
                                    .size = item->size };
    enum psn_code rc = psn_item_decode(&record, &list->info, err);

    list->info.code_count = item->code_count;
    return rc;
}

static enum psn_code collect(void *arg, const struct psn_store_row *row,
                             const struct psn_buf *plain, struct psn_error *err)
{
    struct item_list *list = arg;
    const struct psn_secret_info *info = &list->info;
    struct kept item = { .at = list->rows.size, .size = plain->size };
    enum psn_code rc = psn_item_decode(plain, &list->info, err);

    (void)row;
    if (rc || (info->hidden && !list->hidden_too))
        return rc;
    rc = PSN_GROW(list->items, list->count, err);
    if (rc)
        return rc;
    item.has_codes = strcmp(info->type, "recovery") == 0;
    list->items[list->count++] = item;
    psn_buf_bytes(&list->rows, plain->data, plain->size);
    psn_buf_bytes(&list->rows, info->label, strlen(info->label) + 1);
    return psn_buf_check(&list->rows, err);
}

/* Of recovery codes the value has to be read. */
static enum psn_code count_codes(struct psn_vault *vault, const char *client,
                                 struct item_list *list, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < list->count; i++) {
        struct kept *item = &list->items[i];

        if (!item->has_codes)
            continue;
        rc = unpack(list, item, err);
        if (!rc)
            rc = psn_recovery_count(vault, client, &list->info, err);
        item->code_count = list->info.code_count;
    }
    return rc;
}

static int compare_labels(const void *a, const void *b)
{
    return strcmp(((const struct kept *)a)->label, ((const struct kept *)b)->label);
}

static void sort(struct item_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        struct kept *item = &list->items[i];

        item->label = psn_buf_str(&list->rows) + item->at + item->size;
    }
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare_labels);
}

static enum psn_code list_items(struct psn_vault *vault, const char *address,
                                struct item_list *list, struct psn_error *err)
{
    const struct psn_secret *data_key;
    struct psn_role_row role;
    struct psn_row_key prefix;
    enum psn_code rc = psn_role_read(vault, address, &role, err);

    if (!rc)
        rc = psn_client_data_key(vault, role.client, &data_key, err);
    if (!rc)
        rc = psn_row_key_init(vault, PSN_TABLE_SECRET, address, &prefix, err);
    if (!rc)
        rc = psn_row_each(vault, PSN_TABLE_SECRET, &prefix, data_key, collect, list, err);
    if (!rc)
        rc = count_codes(vault, role.client, list, err);
    if (!rc)
        sort(list);
    return rc;
}

static enum psn_code tell(struct item_list *list, psn_secret_fn *each, void *arg,
                          struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < list->count; i++) {
        rc = unpack(list, &list->items[i], err);
        if (!rc)
            rc = each(arg, &list->info, err);
    }
    return rc;
}

static enum psn_code each_item(struct psn_vault *vault, const char *address,
                               bool hidden_too, psn_secret_fn *each, void *arg,
                               struct psn_error *err)
{
    struct item_list list = item_list_init(hidden_too);
    enum psn_code rc = list_items(vault, address, &list, err);

    if (!rc)
        rc = tell(&list, each, arg, err);
    item_list_release(&list);
    return rc;
}

enum psn_code psn_item_each(struct psn_vault *vault, const char *address,
                            psn_secret_fn *each, void *arg, struct psn_error *err)
{
    return each_item(vault, address, false, each, arg, err);
}

enum psn_code psn_item_each_all(struct psn_vault *vault, const char *address,
                                psn_secret_fn *each, void *arg, struct psn_error *err)
{
    return each_item(vault, address, true, each, arg, err);
}

enum psn_code psn_secret_each(struct psn_vault *vault, const char *address,
                              psn_secret_fn *each, void *arg, struct psn_error *err)
{
    char normal[PSN_ADDRESS_TEXT_MAX];
    struct item_list list = item_list_init(false);
    enum psn_code rc = psn_role_begin(vault, PSN_STORE_READ, address, normal, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, list_items(vault, normal, &list, err), err);
    if (!rc)
        rc = tell(&list, each, arg, err);
    item_list_release(&list);
    return rc;
}
