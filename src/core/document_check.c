#include "core/document_check.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/i18n.h"

/* Times of one form compare as texts; "none" has another. */
static bool ends_after_it_begins(const struct psn_block *head)
{
    const struct psn_field *from = &head->fields[PSN_HEAD_FROM];
    const struct psn_field *until = &head->fields[PSN_HEAD_UNTIL];

    return until->size != from->size || memcmp(until->at, from->at, from->size) > 0;
}

static int compare_fields(const struct psn_field *a, const struct psn_field *b)
{
    size_t size = a->size < b->size ? a->size : b->size;
    int order = size ? memcmp(a->at, b->at, size) : 0;

    return order ? order : (a->size > b->size) - (a->size < b->size);
}

/* By address, then by label; a mailbox itself has none. */
static int compare_blocks(const void *a, const void *b)
{
    const struct psn_block *left = *(const struct psn_block *const *)a;
    const struct psn_block *right = *(const struct psn_block *const *)b;
    static const struct psn_field none = { 0 };
    bool is_left = left->kind == PSN_BLOCK_SECRET;
    bool is_right = right->kind == PSN_BLOCK_SECRET;
    int order =
        compare_fields(&left->fields[is_left ? PSN_SECRET_OF : PSN_MAILBOX_ADDRESS],
                       &right->fields[is_right ? PSN_SECRET_OF : PSN_MAILBOX_ADDRESS]);

    return order ? order
                 : compare_fields(is_left ? &left->fields[PSN_SECRET_LABEL] : &none,
                                  is_right ? &right->fields[PSN_SECRET_LABEL] : &none);
}

/* No mailbox stands there twice, and no label twice for one mailbox. */
static enum psn_code check_twice(const struct psn_document *document,
                                 struct psn_error *err)
{
    size_t count = document->count - 1;
    PSN_AUTO_FREE const struct psn_block **sorted = calloc(count, sizeof(void *));

    if (!sorted)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < count; i++)
        sorted[i] = &document->blocks[i + 1];
    qsort(sorted, count, sizeof *sorted, compare_blocks);
    for (size_t i = 1; i < count; i++)
        if (compare_blocks(&sorted[i - 1], &sorted[i]) == 0)
            return psn_fail(err, PSN_E_INTEGRITY, _("the issue holds one secret twice"));
    return PSN_OK;
}

enum psn_code psn_document_check(const struct psn_document *document,
                                 struct psn_error *err)
{
    if (!ends_after_it_begins(&document->blocks[0]))
        return psn_fail(err, PSN_E_INTEGRITY, _("the issue ends before it begins"));
    return check_twice(document, err);
}
