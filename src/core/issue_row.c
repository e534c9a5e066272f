#include "core/issue_row.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/counters.h"
#include "core/record.h"

enum {
    TAG_PERSON = 1,
    TAG_CLIENT = 2,
    TAG_SERIAL = 3,
    TAG_FORMAT = 4,
    TAG_STATE = 5,
    TAG_CREATED = 6,
    TAG_CONFIRMED = 7,
    TAG_BY_CODE = 8,
    TAG_PATH = 9,
    TAG_RECEIPT = 10,
    TAG_WRONG_TRIES = 11,
    TAG_CONTENTS = 12, /* each: version (8), address, NUL, label, NUL */
    TAG_MAX = 13,      /* of the counters', see counters.c */
};

const char *psn_issue_format_name(enum psn_issue_format format)
{
    return format == PSN_ISSUE_HTML ? "html" : "age";
}

const char *psn_issue_state_name(enum psn_issue_state state)
{
    switch (state) {
    case PSN_ISSUE_PREPARED:
        return "prepared";
    case PSN_ISSUE_WRITTEN:
        return "written";
    case PSN_ISSUE_CONFIRMED:
        return "confirmed";
    case PSN_ISSUE_VOID:
        return "void";
    }
    return "unknown";
}

void psn_issue_serial_text(uint64_t serial, char ret_text[32])
{
    (void)snprintf(ret_text, 32, "serial %llu", (unsigned long long)serial);
}

void psn_issue_row_release(struct psn_issue_row *row)
{
    free(row->contents);
    free(row->addresses);
    *row = (struct psn_issue_row){ 0 };
}

bool psn_issue_row_index(struct psn_issue_row *row)
{
    free(row->addresses);
    row->address_count = 0;
    row->addresses = calloc(row->content_count + 1, sizeof *row->addresses);
    if (!row->addresses)
        return false;
    for (size_t i = 0; i < row->content_count; i++)
        if (!row->contents[i].label[0])
            row->addresses[row->address_count++] = row->contents[i].address;
    return true;
}

enum psn_code psn_content_add(struct psn_content **items, size_t *count,
                              const char *address, const char *label, uint64_t version,
                              struct psn_error *err)
{
    struct psn_content *content;
    enum psn_code rc = PSN_GROW(*items, *count, err);

    if (rc)
        return rc;
    content = &(*items)[(*count)++];
    *content = (struct psn_content){ .version = version };
    (void)psn_text_copy(address, content->address, sizeof content->address);
    (void)psn_text_copy(label, content->label, sizeof content->label);
    return PSN_OK;
}

bool psn_contents_have(const struct psn_content *contents, size_t count,
                       const char *address, const char *label, uint64_t version)
{
    for (size_t i = 0; i < count; i++)
        if (contents[i].version == version && strcmp(contents[i].address, address) == 0 &&
            strcmp(contents[i].label, label) == 0)
            return true;
    return false;
}

bool psn_issue_row_copy(const struct psn_issue_row *row, struct psn_issue_row *ret)
{
    struct psn_issue_row copy = *row;

    copy.addresses = NULL;
    copy.contents = calloc(row->content_count + 1, sizeof *copy.contents);
    if (copy.contents && row->content_count)
        memcpy(copy.contents, row->contents, row->content_count * sizeof *copy.contents);
    if (!copy.contents || !psn_issue_row_index(&copy)) {
        psn_issue_row_release(&copy);
        return false;
    }
    *ret = copy;
    return true;
}

static enum psn_code row_key(struct psn_vault *vault, const char *person, uint64_t serial,
                             struct psn_row_key *ret_key, struct psn_error *err)
{
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_ISSUE, person, ret_key, err);

    if (!rc)
        psn_row_key_add_number(ret_key, serial);
    return rc;
}

static void put_contents(const struct psn_issue_row *row, struct psn_buf *out)
{
    PSN_AUTO_RELEASE(psn_buf) list = psn_buf_init(PSN_ISSUE_RECORD_MAX);

    for (size_t i = 0; i < row->content_count; i++) {
        const struct psn_content *content = &row->contents[i];

        psn_buf_u64(&list, content->version);
        psn_buf_bytes(&list, content->address, strlen(content->address) + 1);
        psn_buf_bytes(&list, content->label, strlen(content->label) + 1);
    }
    psn_record_put_bytes(out, TAG_CONTENTS, list.data, list.size);
    if (list.failed)
        out->failed = list.failed;
}

enum psn_code psn_issue_row_write(struct psn_vault *vault, struct psn_issue_row *row,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_ISSUE_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc = row_key(vault, row->person, row->serial, &key, err);

    psn_record_begin(&plain);
    psn_record_put_text(&plain, TAG_PERSON, row->person);
    psn_record_put_text(&plain, TAG_CLIENT, row->client);
    psn_record_put_number(&plain, TAG_SERIAL, row->serial);
    psn_record_put_number(&plain, TAG_FORMAT, (uint64_t)row->format);
    psn_record_put_number(&plain, TAG_STATE, (uint64_t)row->state);
    psn_record_put_number(&plain, TAG_CREATED, (uint64_t)row->created_s);
    psn_record_put_number(&plain, TAG_CONFIRMED, (uint64_t)row->confirmed_s);
    psn_record_put_number(&plain, TAG_BY_CODE, row->by_code);
    psn_record_put_text(&plain, TAG_PATH, row->path);
    psn_record_put_text(&plain, TAG_RECEIPT, row->receipt);
    psn_record_put_number(&plain, TAG_WRONG_TRIES, row->wrong_tries);
    put_contents(row, &plain);
    if (!rc)
        rc = psn_buf_check(&plain, err);
    if (!rc)
        rc = psn_row_put(vault, PSN_TABLE_ISSUE, &key, row->revision + 1, vault->rows_key,
                         plain.data, plain.size, err);
    if (!rc)
        row->revision++;
    return rc;
}

static bool get_contents(const struct psn_record *record, struct psn_issue_row *row)
{
    const uint8_t *at;
    size_t left;

    (void)psn_record_bytes(record, TAG_CONTENTS, &at, &left);
    row->contents = calloc(left / 10 + 1, sizeof *row->contents);
    if (!row->contents)
        return false;
    while (left >= 8) {
        struct psn_content *content = &row->contents[row->content_count++];

        for (size_t i = 0; i < 8; i++)
            content->version = content->version << 8 | at[i];
        at += 8;
        left -= 8;
        if (!psn_record_take_text(&at, &left, content->address,
                                  sizeof content->address) ||
            !psn_record_take_text(&at, &left, content->label, sizeof content->label))
            return false;
    }
    return left == 0;
}

static enum psn_code decode(const struct psn_buf *plain, struct psn_issue_row *row,
                            struct psn_error *err)
{
    struct psn_record record;
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    if (rc)
        return rc;
    if (!psn_record_text(&record, TAG_PERSON, row->person, sizeof row->person) ||
        !psn_record_text(&record, TAG_CLIENT, row->client, sizeof row->client) ||
        !psn_record_text(&record, TAG_PATH, row->path, sizeof row->path) ||
        !psn_record_text(&record, TAG_RECEIPT, row->receipt, sizeof row->receipt))
        return psn_fail(err, PSN_E_INTEGRITY, _("the record of an issue is malformed"));
    if (!get_contents(&record, row))
        return row->contents ? psn_fail(err, PSN_E_INTEGRITY,
                                        _("the record of an issue is malformed"))
                             : psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (!psn_issue_row_index(row))
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    row->serial = psn_record_number(&record, TAG_SERIAL);
    row->format = (enum psn_issue_format)psn_record_number(&record, TAG_FORMAT);
    row->state = (enum psn_issue_state)psn_record_number(&record, TAG_STATE);
    row->created_s = (int64_t)psn_record_number(&record, TAG_CREATED);
    row->confirmed_s = (int64_t)psn_record_number(&record, TAG_CONFIRMED);
    row->by_code = psn_record_number(&record, TAG_BY_CODE) != 0;
    row->wrong_tries = psn_record_number(&record, TAG_WRONG_TRIES);
    return PSN_OK;
}

struct walk {
    psn_issue_row_fn *each;
    void *arg;
};

static enum psn_code pass_on(void *arg, const struct psn_store_row *row,
                             const struct psn_buf *plain, struct psn_error *err)
{
    struct walk *walk = arg;
    struct psn_issue_row issue = { .revision = row->revision };
    enum psn_code rc = decode(plain, &issue, err);

    if (!rc && issue.person[0]) /* the counter names nobody */
        rc = walk->each(walk->arg, &issue, err);
    psn_issue_row_release(&issue);
    return rc;
}

enum psn_code psn_issue_row_each(struct psn_vault *vault, const char *person,
                                 psn_issue_row_fn *each, void *arg, struct psn_error *err)
{
    struct walk walk = { each, arg };
    struct psn_row_key prefix;
    enum psn_code rc = PSN_OK;

    if (person)
        rc = psn_row_key_init(vault, PSN_TABLE_ISSUE, person, &prefix, err);
    return rc ? rc
              : psn_row_each(vault, PSN_TABLE_ISSUE, person ? &prefix : NULL,
                             vault->rows_key, pass_on, &walk, err);
}

/* --- for a rekey --- */

struct copy {
    struct psn_vault *to;
    uint64_t count;
};

static enum psn_code copy_issue(void *arg, const struct psn_issue_row *row,
                                struct psn_error *err)
{
    struct copy *copy = arg;
    struct psn_issue_row same = *row; /* borrows: not released */

    copy->count++;
    same.revision = 0;
    return psn_issue_row_write(copy->to, &same, err);
}

enum psn_code psn_issue_copy(struct psn_vault *from, struct psn_vault *to,
                             uint64_t *ret_count, struct psn_error *err)
{
    struct copy copy = { .to = to };
    struct psn_counters counters;
    enum psn_code rc = psn_issue_row_each(from, NULL, copy_issue, &copy, err);

    if (!rc)
        rc = psn_counters_read(from, &counters, err);
    if (!rc && counters.revision > 0) {
        counters.revision = 0;
        rc = psn_counters_write(to, &counters, err);
        copy.count++;
    }
    *ret_count = copy.count;
    return rc;
}

/* --- the public view --- */

struct psn_issue psn_issue_view(const struct psn_issue_row *row)
{
    struct psn_issue issue = { .serial = row->serial,
                               .format = row->format,
                               .state = row->state,
                               .created_s = row->created_s,
                               .confirmed_s = row->confirmed_s,
                               .by_code = row->by_code,
                               .address_count = row->address_count,
                               .addresses = row->addresses };

    memcpy(issue.person, row->person, sizeof issue.person);
    memcpy(issue.client, row->client, sizeof issue.client);
    memcpy(issue.path, row->path, sizeof issue.path);
    return issue;
}

struct issue_list {
    struct psn_issue_row *items;
    size_t count;
};

static enum psn_code collect(void *arg, const struct psn_issue_row *row,
                             struct psn_error *err)
{
    struct issue_list *list = arg;
    enum psn_code rc = PSN_GROW(list->items, list->count, err);

    if (rc)
        return rc;
    if (!psn_issue_row_copy(row, &list->items[list->count]))
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    list->count++;
    return PSN_OK;
}

static int compare_serials(const void *a, const void *b)
{
    uint64_t left = ((const struct psn_issue_row *)a)->serial;
    uint64_t right = ((const struct psn_issue_row *)b)->serial;

    return left < right ? -1 : left > right;
}

enum psn_code psn_issue_each(struct psn_vault *vault, const char *person,
                             psn_issue_fn *each, void *arg, struct psn_error *err)
{
    struct issue_list list = { 0 };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc =
        psn_vault_end(vault, psn_issue_row_each(vault, person, collect, &list, err), err);
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, compare_serials);
    for (size_t i = 0; i < list.count; i++) {
        struct psn_issue view = psn_issue_view(&list.items[i]);

        if (!rc)
            rc = each(arg, &view, err);
        psn_issue_row_release(&list.items[i]);
    }
    free(list.items);
    return rc;
}
