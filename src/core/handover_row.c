#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "core/client.h"
#include "core/handover.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/record.h"
#include "core/role.h"

/*
 * The row lies beside the client's credentials, under the same prefix and the same key:
 * what seals, carries over or destroys those, does it to this, too.
 */
enum {
    ROW_NUMBER = 1, /* behind the client's prefix */

    TAG_TO = 1,
    TAG_BY = 2,
    TAG_BEGAN = 3,
    TAG_ABANDONED = 4,
    TAG_CONTRACT = 5,
    TAG_GIVER = 6,
    TAG_RECEIVER = 7,
    TAG_PLACE = 8,
    TAG_IDENTITY = 9,
    TAG_ITEMS = 10, /* for each: mode (1), when (8), note and a NUL */
    TAG_LOOKED = 11,
    TAG_SERIAL = 12,
    TAG_ISSUED = 13,
    TAG_COMPARED = 14,
    TAG_PATH = 15,
    TAG_FILES = 16, /* for each: size (8), digest and a NUL, name and a NUL */
    TAG_CONTACTS = 17,
    TAG_KEYS_GONE = 18,
    TAG_DATES = 19, /* for each: renewed (1), day and a NUL, domain and a NUL */
    TAG_FORMER = 20,
    TAG_BEFORE = 21,
    TAG_MAX = 21,
};

/* --- the record --- */

static void put_items(const struct psn_handover_row *row, struct psn_buf *out)
{
    PSN_AUTO_RELEASE(psn_buf) items = psn_buf_init(PSN_RECORD_MAX);

    for (size_t i = 0; i < PSN_HANDOVER_ITEMS; i++) {
        psn_buf_u8(&items, (uint8_t)row->items[i].mode);
        psn_buf_u64(&items, (uint64_t)row->items[i].set_s);
        psn_buf_bytes(&items, row->items[i].note, strlen(row->items[i].note) + 1);
    }
    psn_record_put_bytes(out, TAG_ITEMS, items.data, items.size);
    if (items.failed)
        out->failed = items.failed;
}

static void put_files(const struct psn_handover_row *row, struct psn_buf *out)
{
    PSN_AUTO_RELEASE(psn_buf) files = psn_buf_init(PSN_RECORD_MAX);

    for (size_t i = 0; i < row->file_count; i++) {
        psn_buf_u64(&files, row->files[i].size);
        psn_buf_bytes(&files, row->files[i].sha256, strlen(row->files[i].sha256) + 1);
        psn_buf_bytes(&files, row->files[i].name, strlen(row->files[i].name) + 1);
    }
    psn_record_put_bytes(out, TAG_FILES, files.data, files.size);
    if (files.failed)
        out->failed = files.failed;
}

static void put_dates(const struct psn_handover_row *row, struct psn_buf *out)
{
    PSN_AUTO_RELEASE(psn_buf) dates = psn_buf_init(PSN_RECORD_MAX);

    for (size_t i = 0; i < row->date_count; i++) {
        psn_buf_u8(&dates, row->dates[i].is_renewed);
        psn_buf_bytes(&dates, row->dates[i].on, strlen(row->dates[i].on) + 1);
        psn_buf_bytes(&dates, row->dates[i].domain, strlen(row->dates[i].domain) + 1);
    }
    psn_record_put_bytes(out, TAG_DATES, dates.data, dates.size);
    if (dates.failed)
        out->failed = dates.failed;
}

static void encode(const struct psn_handover_row *row, struct psn_buf *out)
{
    psn_record_begin(out);
    psn_record_put_text(out, TAG_TO, row->to);
    psn_record_put_text(out, TAG_BY, row->by);
    psn_record_put_number(out, TAG_BEGAN, (uint64_t)row->began_s);
    psn_record_put_number(out, TAG_ABANDONED, (uint64_t)row->abandoned_s);
    psn_record_put_text(out, TAG_CONTRACT, row->contract);
    psn_record_put_text(out, TAG_GIVER, row->giver);
    psn_record_put_text(out, TAG_RECEIVER, row->receiver);
    psn_record_put_text(out, TAG_PLACE, row->place);
    psn_record_put_text(out, TAG_IDENTITY, row->identity);
    put_items(row, out);
    psn_record_put_number(out, TAG_LOOKED, (uint64_t)row->looked_s);
    psn_record_put_number(out, TAG_SERIAL, row->serial);
    psn_record_put_number(out, TAG_ISSUED, (uint64_t)row->issued_s);
    psn_record_put_number(out, TAG_COMPARED, (uint64_t)row->compared_s);
    psn_record_put_text(out, TAG_PATH, row->path);
    put_files(row, out);
    psn_record_put_number(out, TAG_CONTACTS, (uint64_t)row->contacts_s);
    psn_record_put_number(out, TAG_KEYS_GONE, (uint64_t)row->keys_gone_s);
    put_dates(row, out);
    psn_record_put_text(out, TAG_FORMER, row->former);
    psn_record_put_number(out, TAG_BEFORE, row->before);
}

static uint64_t read_u64(const uint8_t *at)
{
    uint64_t value = 0;

    for (size_t i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return value;
}

static bool take_items(const struct psn_record *record, struct psn_handover_row *row)
{
    const uint8_t *at = NULL;
    size_t left = 0;

    if (!psn_record_bytes(record, TAG_ITEMS, &at, &left))
        return false;
    for (size_t i = 0; i < PSN_HANDOVER_ITEMS; i++) {
        struct psn_handover_item *item = &row->items[i];

        if (left < 9 || at[0] > PSN_HANDOVER_RESERVE)
            return false;
        item->mode = (enum psn_handover_mode)at[0];
        item->set_s = (int64_t)read_u64(at + 1);
        at += 9;
        left -= 9;
        if (!psn_record_take_text(&at, &left, item->note, sizeof item->note))
            return false;
    }
    return left == 0;
}

static bool take_files(const struct psn_record *record, struct psn_handover_row *row)
{
    const uint8_t *at = NULL;
    size_t left = 0;

    (void)psn_record_bytes(record, TAG_FILES, &at, &left);
    for (row->file_count = 0; left > 0; row->file_count++) {
        struct psn_kept_file *file = &row->files[row->file_count];

        if (row->file_count == PSN_HANDOVER_KEPT_FILES || left < 8)
            return false;
        file->size = read_u64(at);
        at += 8;
        left -= 8;
        if (!psn_record_take_text(&at, &left, file->sha256, sizeof file->sha256) ||
            !psn_record_take_text(&at, &left, file->name, sizeof file->name))
            return false;
    }
    return true;
}

static bool take_dates(const struct psn_record *record, struct psn_handover_row *row)
{
    const uint8_t *at = NULL;
    size_t left = 0;

    (void)psn_record_bytes(record, TAG_DATES, &at, &left);
    for (row->date_count = 0; left > 0; row->date_count++) {
        struct psn_kept_date *date = &row->dates[row->date_count];

        if (row->date_count == PSN_HANDOVER_KEPT_DATES || at[0] > 1)
            return false;
        date->is_renewed = at[0] == 1;
        at++;
        left--;
        if (!psn_record_take_text(&at, &left, date->on, sizeof date->on) ||
            !psn_record_take_text(&at, &left, date->domain, sizeof date->domain))
            return false;
    }
    return true;
}

static bool take_texts(const struct psn_record *record, struct psn_handover_row *row)
{
    return psn_record_text(record, TAG_TO, row->to, sizeof row->to) &&
           psn_record_text(record, TAG_BY, row->by, sizeof row->by) &&
           psn_record_text(record, TAG_FORMER, row->former, sizeof row->former) &&
           psn_record_text(record, TAG_CONTRACT, row->contract, sizeof row->contract) &&
           psn_record_text(record, TAG_GIVER, row->giver, sizeof row->giver) &&
           psn_record_text(record, TAG_RECEIVER, row->receiver, sizeof row->receiver) &&
           psn_record_text(record, TAG_PLACE, row->place, sizeof row->place) &&
           psn_record_text(record, TAG_IDENTITY, row->identity, sizeof row->identity) &&
           psn_record_text(record, TAG_PATH, row->path, sizeof row->path);
}

static enum psn_code decode(const struct psn_buf *plain, struct psn_handover_row *row,
                            struct psn_error *err)
{
    struct psn_record record;
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    if (rc)
        return rc;
    *row = (struct psn_handover_row){ 0 };
    if (!take_texts(&record, row) || !take_items(&record, row) ||
        !take_files(&record, row) || !take_dates(&record, row))
        return psn_fail(err, PSN_E_INTEGRITY, _("the record of a handover is malformed"));
    row->began_s = (int64_t)psn_record_number(&record, TAG_BEGAN);
    row->before = psn_record_number(&record, TAG_BEFORE);
    row->abandoned_s = (int64_t)psn_record_number(&record, TAG_ABANDONED);
    row->looked_s = (int64_t)psn_record_number(&record, TAG_LOOKED);
    row->serial = psn_record_number(&record, TAG_SERIAL);
    row->issued_s = (int64_t)psn_record_number(&record, TAG_ISSUED);
    row->compared_s = (int64_t)psn_record_number(&record, TAG_COMPARED);
    row->contacts_s = (int64_t)psn_record_number(&record, TAG_CONTACTS);
    row->keys_gone_s = (int64_t)psn_record_number(&record, TAG_KEYS_GONE);
    return PSN_OK;
}

/* --- the row --- */

static enum psn_code row_key(struct psn_vault *vault, const char *client,
                             struct psn_row_key *ret_key, struct psn_error *err)
{
    enum psn_code rc =
        psn_row_key_init(vault, PSN_TABLE_CREDENTIAL, client, ret_key, err);

    if (!rc)
        psn_row_key_add_number(ret_key, ROW_NUMBER);
    return rc;
}

static enum psn_code fail_none(const char *client, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("no handover of '%s' is open"), client);
    return psn_hint(err, PSN_E_NOT_FOUND,
                    _("begin one: passation handover start %s --to PERSON"), client);
}

enum psn_code psn_handover_row_read(struct psn_vault *vault, const char *client,
                                    struct psn_handover_row *ret_row,
                                    struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    const struct psn_secret *data_key;
    struct psn_row_key key;
    uint64_t revision = 0;
    enum psn_code rc = psn_client_data_key(vault, client, &data_key, err);

    if (!rc)
        rc = row_key(vault, client, &key, err);
    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_CREDENTIAL, &key, data_key, &plain, &revision,
                          err);
    if (!rc && revision == 0)
        return fail_none(client, err);
    if (rc)
        return rc;
    rc = decode(&plain, ret_row, err);
    ret_row->revision = revision;
    return rc;
}

enum psn_code psn_handover_row_read_open(struct psn_vault *vault, const char *client,
                                         struct psn_handover_row *ret_row,
                                         struct psn_error *err)
{
    enum psn_code rc = psn_handover_row_read(vault, client, ret_row, err);

    return !rc && ret_row->abandoned_s ? fail_none(client, err) : rc;
}

enum psn_code psn_handover_row_write(struct psn_vault *vault, const char *client,
                                     struct psn_handover_row *row, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    const struct psn_secret *data_key;
    struct psn_row_key key;
    enum psn_code rc = psn_client_data_key(vault, client, &data_key, err);

    if (!rc)
        rc = row_key(vault, client, &key, err);
    if (rc)
        return rc;
    encode(row, &plain);
    rc = psn_buf_check(&plain, err);
    if (!rc)
        rc = psn_row_put(vault, PSN_TABLE_CREDENTIAL, &key, row->revision + 1, data_key,
                         plain.data, plain.size, err);
    if (!rc)
        row->revision++;
    return rc;
}

static enum psn_code change_row(struct psn_vault *vault, const char *client,
                                const char *event, const char *text,
                                psn_handover_change_fn *change, void *arg,
                                struct psn_error *err)
{
    struct psn_handover_row row;
    enum psn_code rc = psn_handover_row_read_open(vault, client, &row, err);

    if (!rc)
        rc = change(arg, vault, &row, err);
    if (!rc)
        rc = psn_handover_row_write(vault, client, &row, err);
    return rc || !event
               ? rc
               : psn_journal_note(vault, client,
                                  &(struct psn_note){
                                      .event = event, .subject = row.to, .text = text },
                                  err);
}

enum psn_code psn_handover_change(struct psn_vault *vault, const char *client,
                                  const char *event, const char *text,
                                  psn_handover_change_fn *change, void *arg,
                                  struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc
              : psn_vault_end(
                    vault, change_row(vault, client, event, text, change, arg, err), err);
}

/* --- what there is to hand over --- */

struct gathering {
    struct psn_vault *vault;
    const char *client;
    struct psn_content_list *list;
    const char *address;
};

static enum psn_code gather_secret(void *arg, const struct psn_secret_info *info,
                                   struct psn_error *err)
{
    struct gathering *gathering = arg;
    struct psn_content_list *list = gathering->list;

    return info->version ? psn_content_add(&list->items, &list->count, gathering->address,
                                           info->label, info->version, err)
                         : PSN_OK;
}

static enum psn_code gather(struct gathering *gathering, const char *address,
                            uint64_t version, struct psn_error *err)
{
    struct psn_content_list *list = gathering->list;
    enum psn_code rc =
        version ? psn_content_add(&list->items, &list->count, address, "", version, err)
                : PSN_OK;

    gathering->address = address;
    return rc ? rc
              : psn_item_each(gathering->vault, address, gather_secret, gathering, err);
}

static enum psn_code gather_role(void *arg, const struct psn_role_row *row,
                                 struct psn_error *err)
{
    struct gathering *gathering = arg;

    return strcmp(row->client, gathering->client) == 0
               ? gather(gathering, row->address, row->rotation.cur, err)
               : PSN_OK;
}

static int compare_contents(const void *a, const void *b)
{
    const struct psn_content *left = a;
    const struct psn_content *right = b;
    int order = strcmp(left->address, right->address);

    return order ? order : strcmp(left->label, right->label);
}

static enum psn_code end_gathering(struct gathering *gathering, enum psn_code rc,
                                   struct psn_content_list *ret_list)
{
    struct psn_content_list *list = gathering->list;

    if (rc) {
        free(list->items);
        return rc;
    }
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare_contents);
    *ret_list = *list;
    return PSN_OK;
}

enum psn_code psn_handover_contents(struct psn_vault *vault, const char *client,
                                    struct psn_content_list *ret_list,
                                    struct psn_error *err)
{
    struct psn_content_list list = { 0 };
    struct gathering gathering = { vault, client, &list, NULL };

    return end_gathering(&gathering,
                         psn_role_scan(vault, NULL, 0, gather_role, &gathering, err),
                         ret_list);
}

enum psn_code psn_handover_contents_in(const struct psn_survey *survey,
                                       struct psn_vault *vault, const char *client,
                                       struct psn_content_list *ret_list,
                                       struct psn_error *err)
{
    struct psn_content_list list = { 0 };
    struct gathering gathering = { vault, client, &list, NULL };
    size_t count = 0;
    struct psn_role_brief *const *roles = psn_survey_roles_of(survey, client, &count);
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < count; i++)
        rc = gather(&gathering, roles[i]->address, roles[i]->cur, err);
    return end_gathering(&gathering, rc, ret_list);
}

struct finding_issue {
    const char *client;
    uint64_t serial;
    struct psn_issue_row *issue;
    bool found;
};

static enum psn_code find_issue(void *arg, const struct psn_issue_row *row,
                                struct psn_error *err)
{
    struct finding_issue *finding = arg;

    if (row->serial != finding->serial || strcmp(row->client, finding->client) != 0)
        return PSN_OK;
    finding->found = psn_issue_row_copy(row, finding->issue);
    return finding->found ? PSN_OK : psn_fail(err, PSN_E_NOMEM, _("out of memory"));
}

enum psn_code psn_handover_issue_row(struct psn_vault *vault, const char *client,
                                     const struct psn_handover_row *row,
                                     struct psn_issue_row *ret_issue,
                                     struct psn_error *err)
{
    struct finding_issue finding = { client, row->serial, ret_issue, false };
    enum psn_code rc = PSN_OK;

    if (row->serial)
        rc = psn_issue_row_each(vault, row->to, find_issue, &finding, err);
    if (!rc && !finding.found)
        rc = psn_fail(err, PSN_E_NOT_FOUND, _("no trousseau of '%s' was issued"), client);
    return rc;
}

enum psn_code psn_handover_void_issue(struct psn_vault *vault, const char *client,
                                      const struct psn_handover_row *row,
                                      struct psn_error *err)
{
    struct psn_issue_row issue = { 0 };
    struct psn_error why = { 0 };
    enum psn_code rc = psn_handover_issue_row(vault, client, row, &issue, &why);

    if (rc == PSN_E_NOT_FOUND)
        return PSN_OK;
    if (rc)
        return psn_fail(err, rc, "%s", why.message);
    issue.state = PSN_ISSUE_VOID;
    rc = psn_issue_row_write(vault, &issue, err);
    psn_issue_row_release(&issue);
    return rc;
}
