#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/i18n.h"
#include "base/unset.h"
#include "crypto/kdf.h"
#include "crypto/seal.h"
#include "crypto/secret.h"
#include "interop/foreign.h"

/*
 * Entries one after the other: a head, the fields' flags, then the password and each text
 * that there is, with its NUL. A process may lock little memory and a file may hold much,
 * so only the block that is being filled, or read, is in clear, in locked memory. The
 * others are boxes under a key that ends with the list: while a person reads and thinks,
 * no password lies about.
 */
enum {
    BLOCK_SIZE = 64 * 1024,
    TEXTS = 10, /* of an entry beside its password and fields */
    IS_SECRET = 1,
    IS_LOST = 2,
};

struct box {
    uint8_t *bytes;
    size_t size;
};

/* Sizes are below PSN_FOREIGN_FILE_MAX. */
struct head {
    uint32_t line;
    uint32_t password_size;
    uint16_t texts; /* bit i: there is text i */
    uint8_t field_count;
    uint8_t note_kind;
};
_Static_assert((int)PSN_FOREIGN_FIELDS_MAX <= UINT8_MAX, "the head holds it");

struct psn_foreign_list {
    struct psn_secret *key;
    struct box *boxes;
    size_t box_count;
    struct psn_secret *open; /* the block that is being filled; or NULL */
    size_t used;             /* of its bytes */
    size_t count;
};

enum psn_code psn_foreign_list_new(struct psn_foreign_list **ret_list,
                                   struct psn_error *err)
{
    struct psn_foreign_list *list = calloc(1, sizeof *list);
    enum psn_code rc;

    if (!list)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_kdf_random(&list->key, err);
    if (rc)
        psn_foreign_list_free(list);
    else
        *ret_list = list;
    return rc;
}

void psn_foreign_list_free(struct psn_foreign_list *list)
{
    if (!list)
        return;
    for (size_t i = 0; i < list->box_count; i++)
        free(list->boxes[i].bytes);
    free(list->boxes);
    psn_secret_free(list->open);
    psn_secret_free(list->key);
    free(list);
}

size_t psn_foreign_list_count(const struct psn_foreign_list *list)
{
    return list->count;
}

/* ---- keeping ---- */

static void texts_of(const struct psn_foreign *entry, const char *texts[TEXTS])
{
    const char *const all[TEXTS] = { entry->group,  entry->title, entry->user,
                                     entry->url,    entry->note,  entry->totp,
                                     entry->type,   entry->used,  entry->expires,
                                     entry->problem };

    memcpy(texts, all, sizeof all);
}

static size_t size_of(const struct psn_foreign *entry)
{
    size_t size = sizeof(struct head) + entry->password_size + 1 + entry->field_count;
    const char *texts[TEXTS];

    texts_of(entry, texts);
    for (size_t i = 0; i < TEXTS; i++)
        size += texts[i][0] ? strlen(texts[i]) + 1 : 0;
    for (size_t i = 0; i < entry->field_count; i++)
        size += strlen(entry->fields[i].name) + strlen(entry->fields[i].value) + 2;
    return size;
}

/* The block that is open becomes a box; it alone knows its place. */
static enum psn_code close_block(struct psn_foreign_list *list, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(4 * (size_t)PSN_FOREIGN_ENTRY_MAX);
    struct box *grown =
        reallocarray(list->boxes, list->box_count + 1, sizeof *list->boxes);
    char *bytes = NULL;
    enum psn_code rc;

    if (!grown)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    list->boxes = grown;
    rc = psn_seal(list->key, &list->box_count, sizeof list->box_count,
                  psn_secret_bytes(list->open), list->used, &box, err);
    grown[list->box_count].size = box.size;
    if (!rc)
        rc = psn_buf_take(&box, &bytes, err);
    if (rc)
        return rc;
    grown[list->box_count++].bytes = (uint8_t *)bytes;
    psn_secret_free(PSN_TAKE(list->open));
    return PSN_OK;
}

/* Room for so many bytes, in the open block or a new one. */
static enum psn_code reserve(struct psn_foreign_list *list, size_t size, char **ret_at,
                             struct psn_error *err)
{
    size_t capacity = size > BLOCK_SIZE ? size : (size_t)BLOCK_SIZE;
    enum psn_code rc = PSN_OK;

    if (list->open && psn_secret_capacity(list->open) - list->used < size)
        rc = close_block(list, err);
    if (!rc && !list->open) {
        list->used = 0;
        rc = psn_secret_new(capacity, &list->open, err);
    }
    if (rc)
        return rc;
    *ret_at = (char *)psn_secret_fill(list->open) + list->used;
    return PSN_OK;
}

static char *put(char *at, const void *bytes, size_t size)
{
    memcpy(at, bytes, size);
    return at + size;
}

static char *put_text(char *at, const char *text)
{
    return put(at, text, strlen(text) + 1);
}

enum psn_code psn_foreign_list_add(void *arg, const struct psn_foreign *entry,
                                   struct psn_error *err)
{
    struct psn_foreign_list *list = arg;
    struct head head = { .line = (uint32_t)entry->line,
                         .password_size = (uint32_t)entry->password_size,
                         .field_count = (uint8_t)entry->field_count,
                         .note_kind = (uint8_t)entry->note_kind };
    const char *texts[TEXTS];
    char *at = NULL;
    enum psn_code rc;

    if (list->count == PSN_FOREIGN_ENTRIES_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("there are more than %d entries"),
                        PSN_FOREIGN_ENTRIES_MAX);
    rc = reserve(list, size_of(entry), &at, err);
    if (rc)
        return rc;
    texts_of(entry, texts);
    for (size_t i = 0; i < TEXTS; i++)
        head.texts |= (uint16_t)((texts[i][0] != '\0') << i);
    at = put(at, &head, sizeof head);
    for (size_t i = 0; i < entry->field_count; i++)
        *at++ = (char)((entry->fields[i].is_secret ? IS_SECRET : 0) |
                       (entry->fields[i].is_lost ? IS_LOST : 0));
    at = put(at, entry->password, entry->password_size);
    at = put_text(at, "");
    for (size_t i = 0; i < TEXTS; i++)
        if (texts[i][0])
            at = put_text(at, texts[i]);
    for (size_t i = 0; i < entry->field_count; i++)
        at = put_text(put_text(at, entry->fields[i].name), entry->fields[i].value);
    list->used = (size_t)(at - (char *)psn_secret_fill(list->open));
    list->count++;
    return PSN_OK;
}

/* ---- giving back ---- */

static const char *take_text(const char **at)
{
    const char *text = *at;

    *at += strlen(text) + 1;
    return text;
}

/* Tells the entry at *at, and moves behind it. */
static enum psn_code tell(const char **at, psn_foreign_fn *each, void *arg,
                          struct psn_error *err)
{
    PSN_UNSET struct psn_foreign_field fields[PSN_FOREIGN_FIELDS_MAX];
    struct psn_foreign entry = { .fields = fields };
    const char **const texts[TEXTS] = { &entry.group,  &entry.title, &entry.user,
                                        &entry.url,    &entry.note,  &entry.totp,
                                        &entry.type,   &entry.used,  &entry.expires,
                                        &entry.problem };
    struct head head;
    const char *flags;

    memcpy(&head, *at, sizeof head);
    flags = *at + sizeof head;
    entry.line = head.line;
    entry.password_size = head.password_size;
    entry.field_count = head.field_count;
    entry.note_kind = (enum psn_foreign_note)head.note_kind;
    entry.password = flags + head.field_count;
    *at = entry.password + head.password_size + 1;
    for (size_t i = 0; i < TEXTS; i++)
        *texts[i] = head.texts >> i & 1 ? take_text(at) : "";
    for (size_t i = 0; i < head.field_count; i++) {
        fields[i].is_secret = (flags[i] & IS_SECRET) != 0;
        fields[i].is_lost = (flags[i] & IS_LOST) != 0;
        fields[i].name = take_text(at);
        fields[i].value = take_text(at);
    }
    return each(arg, &entry, err);
}

static enum psn_code tell_block(const struct psn_secret *block, size_t size,
                                psn_foreign_fn *each, void *arg, struct psn_error *err)
{
    const char *at = (const char *)psn_secret_bytes(block);
    const char *end = at + size;
    enum psn_code rc = PSN_OK;

    while (!rc && at < end)
        rc = tell(&at, each, arg, err);
    return rc;
}

enum psn_code psn_foreign_list_each(const struct psn_foreign_list *list,
                                    psn_foreign_fn *each, void *arg,
                                    struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < list->box_count; i++) {
        PSN_AUTO(psn_secret) *block = NULL;

        rc = psn_unseal_secret(list->key, &i, sizeof i, list->boxes[i].bytes,
                               list->boxes[i].size, &block, err);
        if (!rc)
            rc = tell_block(block, psn_secret_size(block), each, arg, err);
    }
    return rc || !list->open ? rc : tell_block(list->open, list->used, each, arg, err);
}
