#include "core/grant.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/record.h"
#include "core/role.h"

enum {
    TAG_PERSON = 1,
    TAG_ADDRESS = 2,
    TAG_CLIENT = 3,
    TAG_CREATED = 4,
    TAG_FROM = 5,
    TAG_UNTIL = 6,
    TAG_ENDED = 7,
    TAG_REASON = 8,
    TAG_APPROVER = 9,
    TAG_FORMAT = 10,
    TAG_LABELS = 11,
    TAG_SERIAL = 12,
    TAG_ISSUED = 13, /* each: version (8), label, NUL */
    TAG_FOLDER = 14,
    TAG_MAX = 14,
    ADDRESS_PRF = 8,
};

const char *psn_grant_state_name(enum psn_grant_state state)
{
    switch (state) {
    case PSN_GRANT_ACTIVE:
        return "active";
    case PSN_GRANT_EXPIRED:
        return "expired";
    case PSN_GRANT_ENDED:
        return "ended";
    }
    return "unknown";
}

void psn_grant_row_release(struct psn_grant_row *row)
{
    free(row->issued);
    free(row->folder);
    *row = (struct psn_grant_row){ 0 };
}

void psn_grant_briefs_release(struct psn_grant_briefs *briefs)
{
    for (size_t i = 0; i < briefs->count; i++)
        free(briefs->items[i].labels);
    free(briefs->items);
    *briefs = (struct psn_grant_briefs){ 0 };
}

void psn_grant_list_release(struct psn_grant_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        psn_grant_row_release(&list->items[i]);
    free(list->items);
    *list = (struct psn_grant_list){ 0 };
}

static enum psn_grant_state state_at(int64_t until_s, int64_t ended_s, int64_t now_s)
{
    if (ended_s)
        return PSN_GRANT_ENDED;
    return until_s && now_s > until_s ? PSN_GRANT_EXPIRED : PSN_GRANT_ACTIVE;
}

enum psn_grant_state psn_grant_row_state(const struct psn_grant_row *row, int64_t now_s)
{
    return state_at(row->until_s, row->ended_s, now_s);
}

enum psn_grant_state psn_grant_brief_state(const struct psn_grant_brief *brief,
                                           int64_t now_s)
{
    return state_at(brief->until_s, brief->ended_s, now_s);
}

/* --- the row --- */

static enum psn_code row_key(struct psn_vault *vault, const char *person,
                             const char *address, struct psn_row_key *ret_key,
                             struct psn_error *err)
{
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_GRANT, person, ret_key, err);

    return rc ? rc
              : psn_row_key_add_prf(vault, PSN_TABLE_GRANT, address, ADDRESS_PRF, ret_key,
                                    err);
}

static void put_issued(const struct psn_grant_row *row, struct psn_buf *out)
{
    PSN_AUTO_RELEASE(psn_buf) list = psn_buf_init(PSN_ISSUE_RECORD_MAX);

    for (size_t i = 0; i < row->issued_count; i++) {
        psn_buf_u64(&list, row->issued[i].version);
        psn_buf_bytes(&list, row->issued[i].label, strlen(row->issued[i].label) + 1);
    }
    if (list.size)
        psn_record_put_bytes(out, TAG_ISSUED, list.data, list.size);
    if (list.failed)
        out->failed = list.failed;
}

enum psn_code psn_grant_write(struct psn_vault *vault, struct psn_grant_row *row,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_ISSUE_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc = row_key(vault, row->person, row->address, &key, err);

    psn_record_begin(&plain);
    psn_record_put_text(&plain, TAG_PERSON, row->person);
    psn_record_put_text(&plain, TAG_ADDRESS, row->address);
    psn_record_put_text(&plain, TAG_CLIENT, row->client);
    psn_record_put_number(&plain, TAG_CREATED, (uint64_t)row->created_s);
    psn_record_put_number(&plain, TAG_FROM, (uint64_t)row->from_s);
    psn_record_put_number(&plain, TAG_UNTIL, (uint64_t)row->until_s);
    psn_record_put_number(&plain, TAG_ENDED, (uint64_t)row->ended_s);
    psn_record_put_text(&plain, TAG_REASON, row->reason);
    psn_record_put_text(&plain, TAG_APPROVER, row->approver);
    psn_record_put_number(&plain, TAG_FORMAT, (uint64_t)row->format);
    psn_record_put_text(&plain, TAG_LABELS, row->labels);
    psn_record_put_number(&plain, TAG_SERIAL, row->serial);
    put_issued(row, &plain);
    if (row->folder)
        psn_record_put_text(&plain, TAG_FOLDER, row->folder);
    if (!rc)
        rc = psn_buf_check(&plain, err);
    if (!rc)
        rc = psn_row_put(vault, PSN_TABLE_GRANT, &key, row->revision + 1, vault->rows_key,
                         plain.data, plain.size, err);
    if (!rc)
        row->revision++;
    return rc;
}

static bool get_issued(const struct psn_record *record, struct psn_grant_row *row)
{
    const uint8_t *at;
    size_t left;

    (void)psn_record_bytes(record, TAG_ISSUED, &at, &left);
    if (PSN_ROOM(row->issued, left / 9, NULL))
        return false;
    while (left > 8) {
        struct psn_content *content = &row->issued[row->issued_count++];
        const uint8_t *end = memchr(at + 8, '\0', left - 8);
        size_t length = end ? (size_t)(end - at) - 8 : 0;

        if (!end || length >= sizeof content->label)
            return false;
        for (size_t i = 0; i < 8; i++)
            content->version = content->version << 8 | at[i];
        memcpy(content->label, at + 8, length + 1);
        memcpy(content->address, row->address, sizeof content->address);
        at += length + 9;
        left -= length + 9;
    }
    return left == 0;
}

static bool get_folder(const struct psn_record *record, struct psn_grant_row *row,
                       bool *ret_full)
{
    const uint8_t *at;
    size_t size;

    if (!psn_record_bytes(record, TAG_FOLDER, &at, &size))
        return true;
    if (size == 0 || memchr(at, '\0', size))
        return false;
    *ret_full = PSN_ROOM(row->folder, size + 1, NULL) != PSN_OK;
    if (!*ret_full)
        memcpy(row->folder, at, size);
    return !*ret_full;
}

static enum psn_code get_lists(const struct psn_record *record, struct psn_grant_row *row,
                               struct psn_error *err)
{
    bool full = false;

    if (get_issued(record, row) && get_folder(record, row, &full))
        return PSN_OK;
    if (full || !row->issued)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    return psn_fail(err, PSN_E_INTEGRITY, _("the record of a grant is malformed"));
}

static enum psn_code decode(const struct psn_buf *plain, struct psn_grant_row *row,
                            struct psn_error *err)
{
    struct psn_record record;
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    if (rc)
        return rc;
    if (!psn_record_text(&record, TAG_PERSON, row->person, sizeof row->person) ||
        !psn_record_text(&record, TAG_ADDRESS, row->address, sizeof row->address) ||
        !psn_record_text(&record, TAG_CLIENT, row->client, sizeof row->client) ||
        !psn_record_text(&record, TAG_REASON, row->reason, sizeof row->reason) ||
        !psn_record_text(&record, TAG_APPROVER, row->approver, sizeof row->approver) ||
        !psn_record_text(&record, TAG_LABELS, row->labels, sizeof row->labels))
        return psn_fail(err, PSN_E_INTEGRITY, _("the record of a grant is malformed"));
    rc = get_lists(&record, row, err);
    if (rc)
        return rc;
    row->created_s = (int64_t)psn_record_number(&record, TAG_CREATED);
    row->from_s = (int64_t)psn_record_number(&record, TAG_FROM);
    row->until_s = (int64_t)psn_record_number(&record, TAG_UNTIL);
    row->ended_s = (int64_t)psn_record_number(&record, TAG_ENDED);
    row->format = (enum psn_issue_format)psn_record_number(&record, TAG_FORMAT);
    row->serial = psn_record_number(&record, TAG_SERIAL);
    return PSN_OK;
}

enum psn_code psn_grant_read(struct psn_vault *vault, const char *person,
                             const char *address, struct psn_grant_row *ret_row,
                             struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_ISSUE_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc = row_key(vault, person, address, &key, err);

    *ret_row = (struct psn_grant_row){ 0 };
    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_GRANT, &key, vault->rows_key, &plain,
                          &ret_row->revision, err);
    if (!rc && ret_row->revision == 0)
        return PSN_E_NOT_FOUND;
    if (!rc)
        rc = decode(&plain, ret_row, err);
    if (rc)
        psn_grant_row_release(ret_row);
    return rc;
}

static enum psn_code collect(void *arg, const struct psn_store_row *row,
                             const struct psn_buf *plain, struct psn_error *err)
{
    struct psn_grant_list *list = arg;
    enum psn_code rc = PSN_GROW(list->items, list->count, err);

    if (rc)
        return rc;
    list->items[list->count] = (struct psn_grant_row){ .revision = row->revision };
    rc = decode(plain, &list->items[list->count], err);
    list->count++;
    return rc;
}

static int compare(const void *a, const void *b)
{
    const struct psn_grant_row *left = a;
    const struct psn_grant_row *right = b;
    int order = strcmp(left->person, right->person);

    if (!order)
        order = strcmp(left->client, right->client);
    return order ? order : strcmp(left->address, right->address);
}

enum psn_code psn_grant_list(struct psn_vault *vault, const char *person,
                             struct psn_grant_list *ret_list, struct psn_error *err)
{
    struct psn_grant_list list = { 0 };
    struct psn_row_key prefix;
    enum psn_code rc = PSN_OK;

    if (person)
        rc = psn_row_key_init(vault, PSN_TABLE_GRANT, person, &prefix, err);
    if (!rc)
        rc = psn_row_each(vault, PSN_TABLE_GRANT, person ? &prefix : NULL,
                          vault->rows_key, collect, &list, err);
    if (rc) {
        psn_grant_list_release(&list);
        return rc;
    }
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, compare);
    *ret_list = list;
    return PSN_OK;
}

/* --- in brief --- */

static enum psn_code shorten(const struct psn_grant_row *row,
                             struct psn_grant_brief *brief, struct psn_error *err)
{
    *brief = (struct psn_grant_brief){ .format = row->format,
                                       .from_s = row->from_s,
                                       .until_s = row->until_s,
                                       .ended_s = row->ended_s };
    memcpy(brief->person, row->person, sizeof brief->person);
    memcpy(brief->address, row->address, sizeof brief->address);
    memcpy(brief->client, row->client, sizeof brief->client);
    for (size_t i = 0; i < row->issued_count; i++)
        if (!row->issued[i].label[0])
            brief->password = row->issued[i].version;
    if (!row->labels[0])
        return PSN_OK;
    brief->labels = strdup(row->labels);
    return brief->labels ? PSN_OK : psn_fail(err, PSN_E_NOMEM, _("out of memory"));
}

static enum psn_code collect_brief(void *arg, const struct psn_store_row *stored,
                                   const struct psn_buf *plain, struct psn_error *err)
{
    struct psn_grant_briefs *briefs = arg;
    struct psn_grant_row row = { 0 };
    enum psn_code rc = decode(plain, &row, err);

    (void)stored;
    if (!rc)
        rc = PSN_GROW(briefs->items, briefs->count, err);
    if (!rc)
        rc = shorten(&row, &briefs->items[briefs->count++], err);
    psn_grant_row_release(&row);
    return rc;
}

static int compare_briefs(const void *a, const void *b)
{
    const struct psn_grant_brief *left = a;
    const struct psn_grant_brief *right = b;
    int order = strcmp(left->person, right->person);

    if (!order)
        order = strcmp(left->client, right->client);
    return order ? order : strcmp(left->address, right->address);
}

enum psn_code psn_grant_brief_list(struct psn_vault *vault, const char *person,
                                   struct psn_grant_briefs *ret_briefs,
                                   struct psn_error *err)
{
    struct psn_grant_briefs briefs = { 0 };
    struct psn_row_key prefix;
    enum psn_code rc = PSN_OK;

    if (person)
        rc = psn_row_key_init(vault, PSN_TABLE_GRANT, person, &prefix, err);
    if (!rc)
        rc = psn_row_each(vault, PSN_TABLE_GRANT, person ? &prefix : NULL,
                          vault->rows_key, collect_brief, &briefs, err);
    if (rc) {
        psn_grant_briefs_release(&briefs);
        return rc;
    }
    if (briefs.count > 1)
        qsort(briefs.items, briefs.count, sizeof *briefs.items, compare_briefs);
    *ret_briefs = briefs;
    return PSN_OK;
}

/* --- all of an address, or of a vault --- */

enum psn_code psn_grant_delete_of(struct psn_vault *vault, const char *address,
                                  struct psn_error *err)
{
    struct psn_grant_list list = { 0 };
    enum psn_code rc = psn_grant_list(vault, NULL, &list, err);

    for (size_t i = 0; !rc && i < list.count; i++) {
        struct psn_row_key key;

        if (strcmp(list.items[i].address, address) != 0)
            continue;
        rc = row_key(vault, list.items[i].person, address, &key, err);
        if (!rc)
            rc = psn_row_delete_all(vault, PSN_TABLE_GRANT, &key, err);
    }
    psn_grant_list_release(&list);
    return rc;
}

enum psn_code psn_grant_copy(struct psn_vault *from, struct psn_vault *to,
                             uint64_t *ret_count, struct psn_error *err)
{
    struct psn_grant_list list = { 0 };
    enum psn_code rc = psn_grant_list(from, NULL, &list, err);

    for (size_t i = 0; !rc && i < list.count; i++) {
        list.items[i].revision = 0;
        rc = psn_grant_write(to, &list.items[i], err);
    }
    *ret_count = list.count;
    psn_grant_list_release(&list);
    return rc;
}

/* --- what a grant covers --- */

static enum psn_code each_label(struct psn_vault *vault, const char *address,
                                const char *labels, psn_secret_fn *each, void *arg,
                                struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (const char *at = labels; !rc && *at;) {
        size_t size = strcspn(at, "\n");
        char label[PSN_LABEL_TEXT_MAX];
        struct psn_item item = { 0 };

        (void)snprintf(label, sizeof label, "%.*s", (int)size, at);
        rc = psn_item_read(vault, address, label, &item, err);
        if (!rc && !item.info.hidden)
            rc = each(arg, &item.info, err);
        at += size + (at[size] == '\n');
    }
    return rc;
}

enum psn_code psn_grant_each_covered(struct psn_vault *vault, const char *address,
                                     const char *labels, psn_secret_fn *each, void *arg,
                                     struct psn_error *err)
{
    struct psn_item password = { 0 };
    enum psn_code rc = psn_item_read(vault, address, "", &password, err);

    if (rc || password.info.version == 0)
        return rc;
    rc = each(arg, &password.info, err);
    if (rc)
        return rc;
    return strcmp(labels, "*") == 0 ? psn_item_each(vault, address, each, arg, err)
                                    : each_label(vault, address, labels, each, arg, err);
}

struct cover {
    struct psn_content *items;
    size_t count;
};

static enum psn_code cover_one(void *arg, const struct psn_secret_info *info,
                               struct psn_error *err)
{
    struct cover *cover = arg;

    return psn_content_add(&cover->items, &cover->count, info->address, info->label,
                           info->version, err);
}

enum psn_code psn_grant_contents(struct psn_vault *vault, const struct psn_grant_row *row,
                                 struct psn_content **ret_contents, size_t *ret_count,
                                 struct psn_error *err)
{
    struct cover cover = { 0 };
    enum psn_code rc =
        psn_grant_each_covered(vault, row->address, row->labels, cover_one, &cover, err);

    if (rc) {
        free(cover.items);
        return rc;
    }
    *ret_contents = cover.items;
    *ret_count = cover.count;
    return PSN_OK;
}

static bool is_given(const struct psn_grant_row *row, const struct psn_content *content)
{
    bool given = false;

    for (size_t i = 0; !given && i < row->issued_count; i++)
        given = strcmp(row->issued[i].label, content->label) == 0 &&
                row->issued[i].version >= content->version;
    return given;
}

size_t psn_grant_keep_behind(const struct psn_grant_row *row,
                             struct psn_content *contents, size_t count)
{
    size_t kept = 0;

    for (size_t i = 0; i < count; i++)
        if (!is_given(row, &contents[i]))
            contents[kept++] = contents[i];
    return kept;
}

bool psn_grant_is_behind(const struct psn_grant_row *row,
                         const struct psn_content *contents, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!is_given(row, &contents[i]))
            return true;
    return false;
}
