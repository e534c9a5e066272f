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

/* What a block is told by, among those of its kind: a mailbox by its address, a secret by
 * that and its label. */
struct key {
    enum psn_block_kind kind;
    const struct psn_field *name;
    const struct psn_field *label;
};

static struct key key_of(const struct psn_block *block)
{
    static const struct psn_field none = { 0 };

    switch (block->kind) {
    case PSN_BLOCK_MAILBOX:
        return (struct key){ block->kind, &block->fields[PSN_MAILBOX_ADDRESS], &none };
    case PSN_BLOCK_SECRET:
        return (struct key){ block->kind, &block->fields[PSN_SECRET_OF],
                             &block->fields[PSN_SECRET_LABEL] };
    case PSN_BLOCK_FILE:
        return (struct key){ block->kind, &block->fields[PSN_FILE_BLOCK_NAME], &none };
    case PSN_BLOCK_HEAD:
    case PSN_BLOCK_ACCOUNT:
    case PSN_BLOCK_END:
        break;
    }
    return (struct key){ block->kind, &none, &none };
}

static int compare_blocks(const void *a, const void *b)
{
    struct key left = key_of(*(const struct psn_block *const *)a);
    struct key right = key_of(*(const struct psn_block *const *)b);
    int order = (int)left.kind - (int)right.kind;

    if (!order)
        order = compare_fields(left.name, right.name);
    return order ? order : compare_fields(left.label, right.label);
}

/* No mailbox stands there twice, no label twice for one mailbox, and no file. */
static enum psn_code check_twice(const struct psn_document *document,
                                 struct psn_error *err)
{
    size_t count = document->count - 1;
    PSN_AUTO_FREE const struct psn_block **sorted =
        calloc(count, sizeof(struct psn_block *));

    if (!sorted)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < count; i++)
        sorted[i] = &document->blocks[i + 1];
    qsort(sorted, count, sizeof(struct psn_block *), compare_blocks);
    for (size_t i = 1; i < count; i++)
        if (compare_blocks(&sorted[i - 1], &sorted[i]) == 0)
            return psn_fail(err, PSN_E_INTEGRITY, "%s",
                            sorted[i]->kind == PSN_BLOCK_FILE
                                ? _("the issue holds one file twice")
                                : _("the issue holds one secret twice"));
    return PSN_OK;
}

enum psn_code psn_document_check(const struct psn_document *document,
                                 struct psn_error *err)
{
    if (!ends_after_it_begins(&document->blocks[0]))
        return psn_fail(err, PSN_E_INTEGRITY, _("the issue ends before it begins"));
    return check_twice(document, err);
}
