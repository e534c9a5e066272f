#include "core/trust.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/allow.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/journal.h"
#include "core/past_key.h"
#include "core/record.h"

/*
 * Two of the kinds of rows of table TRUST, told apart by their first tag; in table
 * RECEIVED the documents, whose plaintext is the signed text alone and stays in locked
 * memory.
 */
enum {
    TAG_KIND = 1,
    TAG_ISSUER = 2,
    TAG_NAME = 3, /* of the issuer */
    TAG_TIME = 4,
    TAG_VAULT = 5,
    TAG_ADDRESS = 6,
    TAG_CLIENT = 7,
    TAG_SERIAL = 8,
    TAG_VERSION = 9,
    TAG_CHANGED = 10,
    TAG_PROVED = 11,
    TAG_UNTIL = 12,
    TAG_MAX = 12,
    KEY_TEXT_MAX = 512,
};

static enum psn_code fail_malformed(struct psn_error *err)
{
    return psn_fail(err, PSN_E_INTEGRITY,
                    _("the record of something received is malformed"));
}

/* --- issuers --- */

static enum psn_code issuer_key(struct psn_vault *vault, const char *fingerprint,
                                struct psn_row_key *ret_key, struct psn_error *err)
{
    char text[KEY_TEXT_MAX];

    (void)snprintf(text, sizeof text, "issuer %s", fingerprint);
    return psn_row_key_init(vault, PSN_TABLE_TRUST, text, ret_key, err);
}

enum psn_code psn_issuer_is_pinned(struct psn_vault *vault, const char *fingerprint,
                                   bool *ret_pinned, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    uint64_t revision = 0;
    enum psn_code rc = issuer_key(vault, fingerprint, &key, err);

    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_TRUST, &key, vault->rows_key, &plain,
                          &revision, err);
    *ret_pinned = revision > 0;
    return rc;
}

enum psn_code psn_issuer_pin(struct psn_vault *vault, const char *fingerprint,
                             const char *name, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    bool pinned = false;
    enum psn_code rc = psn_issuer_is_pinned(vault, fingerprint, &pinned, err);

    if (rc || pinned)
        return rc;
    rc = issuer_key(vault, fingerprint, &key, err);
    psn_record_begin(&plain);
    psn_record_put_number(&plain, TAG_KIND, PSN_TRUST_ISSUER);
    psn_record_put_text(&plain, TAG_ISSUER, fingerprint);
    psn_record_put_text(&plain, TAG_NAME, name);
    psn_record_put_number(&plain, TAG_TIME, (uint64_t)vault->world.now_s());
    if (!rc)
        rc = psn_buf_check(&plain, err);
    if (!rc)
        rc = psn_row_put(vault, PSN_TABLE_TRUST, &key, 1, vault->rows_key, plain.data,
                         plain.size, err);
    return rc ? rc
              : psn_journal_note(vault, NULL,
                                 &(struct psn_note){ .event = "issuer.pinned",
                                                     .subject = fingerprint,
                                                     .text = name },
                                 err);
}

struct issuer_list {
    struct psn_issuer *items;
    size_t count;
};

static enum psn_code collect_issuer(void *arg, const struct psn_store_row *row,
                                    const struct psn_buf *plain, struct psn_error *err)
{
    struct issuer_list *list = arg;
    struct psn_issuer *issuer;
    struct psn_record record;
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    (void)row;
    if (rc || psn_record_number(&record, TAG_KIND) != PSN_TRUST_ISSUER)
        return rc;
    rc = PSN_GROW(list->items, list->count, err);
    if (rc)
        return rc;
    issuer = &list->items[list->count];
    issuer->pinned_s = (int64_t)psn_record_number(&record, TAG_TIME);
    if (!psn_record_text(&record, TAG_ISSUER, issuer->fingerprint,
                         sizeof issuer->fingerprint) ||
        !psn_record_text(&record, TAG_NAME, issuer->name, sizeof issuer->name))
        return fail_malformed(err);
    list->count++;
    return PSN_OK;
}

static int compare_issuers(const void *a, const void *b)
{
    const struct psn_issuer *left = a;
    const struct psn_issuer *right = b;

    return left->pinned_s < right->pinned_s ? -1 : left->pinned_s > right->pinned_s;
}

enum psn_code psn_issuer_each(struct psn_vault *vault, psn_issuer_fn *each, void *arg,
                              struct psn_error *err)
{
    struct issuer_list list = { 0 };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault,
                       psn_row_each(vault, PSN_TABLE_TRUST, NULL, vault->rows_key,
                                    collect_issuer, &list, err),
                       err);
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, compare_issuers);
    for (size_t i = 0; !rc && i < list.count; i++)
        rc = each(arg, &list.items[i], err);
    free(list.items);
    return rc;
}

/* --- received roles --- */

static enum psn_code role_key(struct psn_vault *vault, const char *issuer,
                              const char *vault_id, const char *address,
                              struct psn_row_key *ret_key, struct psn_error *err)
{
    char text[KEY_TEXT_MAX];

    (void)snprintf(text, sizeof text, "received %s %s %s", issuer, vault_id, address);
    return psn_row_key_init(vault, PSN_TABLE_TRUST, text, ret_key, err);
}

static enum psn_code decode(const struct psn_record *record, struct psn_received *view,
                            struct psn_error *err)
{
    *view = (struct psn_received){
        .serial = psn_record_number(record, TAG_SERIAL),
        .version = psn_record_number(record, TAG_VERSION),
        .stored_s = (int64_t)psn_record_number(record, TAG_TIME),
        .changed_s = (int64_t)psn_record_number(record, TAG_CHANGED),
        .proved_s = (int64_t)psn_record_number(record, TAG_PROVED),
        .until_s = (int64_t)psn_record_number(record, TAG_UNTIL),
    };
    if (!psn_record_text(record, TAG_ISSUER, view->issuer, sizeof view->issuer) ||
        !psn_record_text(record, TAG_NAME, view->issued_by, sizeof view->issued_by) ||
        !psn_record_text(record, TAG_VAULT, view->vault, sizeof view->vault) ||
        !psn_record_text(record, TAG_ADDRESS, view->address, sizeof view->address) ||
        !strchr(view->address, '@') ||
        !psn_record_text(record, TAG_CLIENT, view->client, sizeof view->client))
        return fail_malformed(err);
    return PSN_OK;
}

enum psn_code psn_received_role_key(struct psn_vault *vault,
                                    const struct psn_received *of,
                                    struct psn_row_key *ret_key, struct psn_error *err)
{
    return role_key(vault, of->issuer, of->vault, of->address, ret_key, err);
}

enum psn_code psn_received_read(struct psn_vault *vault, const char *issuer,
                                const char *vault_id, const char *address,
                                struct psn_received_row *ret_row, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_record record;
    struct psn_row_key key;
    enum psn_code rc = role_key(vault, issuer, vault_id, address, &key, err);

    *ret_row = (struct psn_received_row){ 0 };
    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_TRUST, &key, vault->rows_key, &plain,
                          &ret_row->revision, err);
    if (!rc && ret_row->revision == 0)
        return PSN_E_NOT_FOUND;
    if (!rc)
        rc = psn_record_parse(&plain, TAG_MAX, &record, err);
    return rc ? rc : decode(&record, &ret_row->view, err);
}

enum psn_code psn_received_write(struct psn_vault *vault, struct psn_received_row *row,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    const struct psn_received *view = &row->view;
    struct psn_row_key key;
    enum psn_code rc =
        role_key(vault, view->issuer, view->vault, view->address, &key, err);

    psn_record_begin(&plain);
    psn_record_put_number(&plain, TAG_KIND, PSN_TRUST_RECEIVED);
    psn_record_put_text(&plain, TAG_ISSUER, view->issuer);
    psn_record_put_text(&plain, TAG_NAME, view->issued_by);
    psn_record_put_number(&plain, TAG_TIME, (uint64_t)view->stored_s);
    psn_record_put_text(&plain, TAG_VAULT, view->vault);
    psn_record_put_text(&plain, TAG_ADDRESS, view->address);
    psn_record_put_text(&plain, TAG_CLIENT, view->client);
    psn_record_put_number(&plain, TAG_SERIAL, view->serial);
    psn_record_put_number(&plain, TAG_VERSION, view->version);
    psn_record_put_number(&plain, TAG_CHANGED, (uint64_t)view->changed_s);
    psn_record_put_number(&plain, TAG_PROVED, (uint64_t)view->proved_s);
    psn_record_put_number(&plain, TAG_UNTIL, (uint64_t)view->until_s);
    if (!rc)
        rc = psn_buf_check(&plain, err);
    if (!rc)
        rc = psn_row_put(vault, PSN_TABLE_TRUST, &key, row->revision + 1, vault->rows_key,
                         plain.data, plain.size, err);
    if (!rc)
        row->revision++;
    return rc;
}

struct walk {
    psn_received_row_fn *each;
    void *arg;
};

static enum psn_code pass_on(void *arg, const struct psn_store_row *row,
                             const struct psn_buf *plain, struct psn_error *err)
{
    struct walk *walk = arg;
    struct psn_received_row received = { .revision = row->revision };
    struct psn_record record;
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    if (rc || psn_record_number(&record, TAG_KIND) != PSN_TRUST_RECEIVED)
        return rc;
    rc = decode(&record, &received.view, err);
    return rc ? rc : walk->each(walk->arg, &received, err);
}

enum psn_code psn_received_scan(struct psn_vault *vault, psn_received_row_fn *each,
                                void *arg, struct psn_error *err)
{
    struct walk walk = { each, arg };

    return psn_row_each(vault, PSN_TABLE_TRUST, NULL, vault->rows_key, pass_on, &walk,
                        err);
}

/* --- documents --- */

enum psn_code psn_received_text_key(struct psn_vault *vault,
                                    const struct psn_received *of,
                                    struct psn_row_key *ret_key, struct psn_error *err)
{
    char text[KEY_TEXT_MAX];

    (void)snprintf(text, sizeof text, "%s %s %llu", of->issuer, of->vault,
                   (unsigned long long)of->serial);
    return psn_row_key_init(vault, PSN_TABLE_RECEIVED, text, ret_key, err);
}

enum psn_code psn_received_put_text(struct psn_vault *vault,
                                    const struct psn_received *of,
                                    const struct psn_secret *text, struct psn_error *err)
{
    struct psn_row_key key;
    enum psn_code rc = psn_received_text_key(vault, of, &key, err);

    return rc ? rc
              : psn_row_put(vault, PSN_TABLE_RECEIVED, &key, 1, vault->rows_key,
                            psn_secret_bytes(text), psn_secret_size(text), err);
}

enum psn_code psn_received_get_text(struct psn_vault *vault,
                                    const struct psn_received *of,
                                    struct psn_secret **ret_text, struct psn_error *err)
{
    struct psn_row_key key;
    uint64_t revision;
    enum psn_code rc = psn_received_text_key(vault, of, &key, err);

    return rc ? rc
              : psn_row_get_secret(vault, PSN_TABLE_RECEIVED, &key, vault->rows_key,
                                   ret_text, &revision, err);
}

enum psn_code psn_received_drop_text(struct psn_vault *vault,
                                     const struct psn_received *of, struct psn_error *err)
{
    struct psn_row_key key;
    enum psn_code rc = psn_received_text_key(vault, of, &key, err);

    return rc ? rc : psn_row_delete_all(vault, PSN_TABLE_RECEIVED, &key, err);
}

/* --- for a rekey --- */

struct copy {
    struct psn_vault *from;
    struct psn_vault *to;
    uint64_t count;
};

/* Several roles may be of one document, which is copied with the first of them. */
static enum psn_code copy_text(struct copy *copy, const struct psn_received *of,
                               struct psn_error *err)
{
    PSN_AUTO(psn_secret) *text = NULL;
    PSN_AUTO(psn_secret) *known = NULL;
    bool is_new;
    enum psn_code rc = psn_allow(
        PSN_E_NOT_FOUND, psn_received_get_text(copy->to, of, &known, err), &is_new, err);

    if (rc || !is_new)
        return rc;
    rc = psn_received_get_text(copy->from, of, &text, err);
    copy->count++;
    return rc ? rc : psn_received_put_text(copy->to, of, text, err);
}

static enum psn_code copy_received(struct copy *copy, const struct psn_record *record,
                                   struct psn_error *err)
{
    struct psn_received_row row = { .revision = 0 };
    enum psn_code rc = decode(record, &row.view, err);

    if (!rc)
        rc = psn_received_write(copy->to, &row, err);
    return rc ? rc : copy_text(copy, &row.view, err);
}

static enum psn_code copy_past_key(void *arg, const struct psn_past_key *key,
                                   struct psn_error *err)
{
    struct copy *copy = arg;

    copy->count++;
    return psn_past_key_put(copy->to, key, err);
}

static enum psn_code copy_row(void *arg, const struct psn_store_row *row,
                              const struct psn_buf *plain, struct psn_error *err)
{
    struct copy *copy = arg;
    char fingerprint[64];
    struct psn_record record;
    struct psn_row_key key;
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    (void)row;
    if (rc || psn_record_number(&record, TAG_KIND) == PSN_TRUST_PAST_KEY)
        return rc;
    copy->count++;
    if (psn_record_number(&record, TAG_KIND) == PSN_TRUST_RECEIVED)
        return copy_received(copy, &record, err);
    if (!psn_record_text(&record, TAG_ISSUER, fingerprint, sizeof fingerprint))
        return fail_malformed(err);
    rc = issuer_key(copy->to, fingerprint, &key, err);
    return rc ? rc
              : psn_row_put(copy->to, PSN_TABLE_TRUST, &key, 1, copy->to->rows_key,
                            plain->data, plain->size, err);
}

enum psn_code psn_trust_copy(struct psn_vault *from, struct psn_vault *to,
                             uint64_t *ret_count, struct psn_error *err)
{
    struct copy copy = { from, to, 0 };
    enum psn_code rc =
        psn_row_each(from, PSN_TABLE_TRUST, NULL, from->rows_key, copy_row, &copy, err);

    if (!rc)
        rc = psn_past_key_each(from, NULL, copy_past_key, &copy, err);
    *ret_count = copy.count;
    return rc;
}
