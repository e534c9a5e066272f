#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/access.h"
#include "core/client.h"
#include "core/credential.h"
#include "core/exposure.h"
#include "core/grant.h"
#include "core/issue_row.h"
#include "core/journal.h"
#include "core/own_key.h"
#include "core/record.h"
#include "core/rekey.h"
#include "core/role.h"
#include "core/state.h"
#include "core/trust.h"
#include "core/version.h"

/*
 * Every row of one vault, sealed anew in another under other keys.
 *
 * A row's key is a PRF of what it is looked up by, so each table has to say what that is.
 * Rows are counted where they are read; at the end the count must be that of the file, so
 * that a table which nobody thought of here stops the rekey instead of being lost.
 *
 * One row is in memory at a time, secrets in locked memory. Revisions begin anew.
 */
enum {
    TAG_ID = 1,     /* person, client, role: what the row is looked up by */
    TAG_CLIENT = 2, /* role */
    TAG_LABEL = 2,  /* secret */
    TAG_ANY = UINT16_MAX,
    LABEL_PRF = 8,
    PROGRESS_STEP = 64,
};

struct copy {
    struct psn_vault *from;
    struct psn_vault *to;
    psn_rekey_progress_fn *progress;
    void *arg;
    uint64_t rows; /* read from `from` */
    uint64_t total;
};

static void count_row(struct copy *copy)
{
    copy->rows++;
    if (copy->progress && copy->rows % PROGRESS_STEP == 0)
        copy->progress(copy->arg, copy->rows, copy->total);
}

/* --- tables under the rows key, looked up by their first field --- */

static enum psn_code put_by_id(struct copy *copy, enum psn_table table, const char *id,
                               const struct psn_buf *plain, struct psn_error *err)
{
    struct psn_row_key key;
    enum psn_code rc = psn_row_key_init(copy->to, table, id, &key, err);

    return rc ? rc
              : psn_row_put(copy->to, table, &key, 1, copy->to->rows_key, plain->data,
                            plain->size, err);
}

static enum psn_code copy_person(void *arg, const struct psn_store_row *row,
                                 const struct psn_buf *plain, struct psn_error *err)
{
    struct copy *copy = arg;
    char id[PSN_PERSON_ID_MAX];
    struct psn_record record;
    enum psn_code rc = psn_record_parse(plain, TAG_ANY, &record, err);

    (void)row;
    count_row(copy);
    if (!rc && !psn_record_text(&record, TAG_ID, id, sizeof id))
        rc = psn_fail(err, PSN_E_INTEGRITY, _("the record of a person is malformed"));
    return rc ? rc : put_by_id(copy, PSN_TABLE_PERSON, id, plain, err);
}

static enum psn_code copy_exposure(void *arg, const struct psn_store_row *row,
                                   const struct psn_buf *plain, struct psn_error *err)
{
    struct copy *copy = arg;
    struct psn_exposure exposure;
    struct psn_row_key key;
    enum psn_code rc = psn_exposure_decode(plain, &exposure, err);

    (void)row;
    count_row(copy);
    if (!rc)
        rc = psn_exposure_key(copy->to, &exposure, &key, err);
    return rc ? rc
              : psn_row_put(copy->to, PSN_TABLE_EXPOSURE, &key, 1, copy->to->rows_key,
                            plain->data, plain->size, err);
}

/* --- secrets, which stay in locked memory --- */

/* A row, opened, sealed under its new key. */
static enum psn_code move_secret(struct copy *copy, enum psn_table table,
                                 const struct psn_store_row *row,
                                 const struct psn_row_key *new_key,
                                 const struct psn_secret *keys[2], struct psn_error *err)
{
    PSN_AUTO(psn_secret) *plain = NULL;
    enum psn_code rc = psn_row_open_secret(copy->from, table, row, keys[0], &plain, err);

    count_row(copy);
    return rc ? rc
              : psn_row_put(copy->to, table, new_key, 1, keys[1], psn_secret_bytes(plain),
                            psn_secret_size(plain), err);
}

/* The end of a row's key, from a place on, is added to a new one. */
static void add_rest(const struct psn_store_row *row, size_t from,
                     struct psn_row_key *key)
{
    memcpy(key->bytes + key->size, row->key + from, row->key_size - from);
    key->size += row->key_size - from;
}

/* Moves the rows under old_prefix to new_prefix; what follows it in a key stays. */
static enum psn_code copy_secrets(struct copy *copy, enum psn_table table,
                                  const struct psn_row_key *old_prefix,
                                  const struct psn_row_key *new_prefix,
                                  const struct psn_secret *keys[2], struct psn_error *err)
{
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    bool found = true;
    enum psn_code rc = psn_store_scan_open(copy->from->store, table, old_prefix->bytes,
                                           old_prefix->size, &scan, err);

    while (!rc) {
        struct psn_row_key key = *new_prefix;

        rc = psn_store_scan_next(scan, &row, &found, err);
        if (rc || !found)
            break;
        add_rest(&row, old_prefix->size, &key);
        rc = move_secret(copy, table, &row, &key, keys, err);
    }
    return rc;
}

/* The data keys of a client in both vaults. Borrowed. */
static enum psn_code data_keys(struct copy *copy, const char *client,
                               const struct psn_secret *ret_keys[2],
                               struct psn_error *err)
{
    enum psn_code rc = psn_client_data_key(copy->from, client, &ret_keys[0], err);

    return rc ? rc : psn_client_data_key(copy->to, client, &ret_keys[1], err);
}

static enum psn_code prefixes(struct copy *copy, enum psn_table table, const char *text,
                              struct psn_row_key ret_prefixes[2], struct psn_error *err)
{
    enum psn_code rc = psn_row_key_init(copy->from, table, text, &ret_prefixes[0], err);

    return rc ? rc : psn_row_key_init(copy->to, table, text, &ret_prefixes[1], err);
}

/* --- roles, with what hangs on them --- */

/* What a label is in the keys of versions, before and after. */
struct label_move {
    uint8_t old[LABEL_PRF];
    uint8_t new[LABEL_PRF];
};

struct role_copy {
    struct copy *copy;
    const char *address;
    const struct psn_secret *keys[2];
    struct label_move *labels;
    size_t label_count;
};

static enum psn_code add_label(struct role_copy *role, const char *label,
                               struct psn_error *err)
{
    struct psn_row_key old = { .size = 0 };
    struct psn_row_key new = { .size = 0 };
    size_t count = role->label_count;
    enum psn_code rc = psn_row_key_add_prf(role->copy->from, PSN_TABLE_VERSION, label,
                                           LABEL_PRF, &old, err);

    if (!rc)
        rc = psn_row_key_add_prf(role->copy->to, PSN_TABLE_VERSION, label, LABEL_PRF,
                                 &new, err);
    if (!rc)
        rc = PSN_GROW(role->labels, count, err);
    if (rc)
        return rc;
    memcpy(role->labels[count].old, old.bytes, LABEL_PRF);
    memcpy(role->labels[count].new, new.bytes, LABEL_PRF);
    role->label_count++;
    return PSN_OK;
}

static int compare_labels(const void *a, const void *b)
{
    return memcmp(((const struct label_move *)a)->old,
                  ((const struct label_move *)b)->old, LABEL_PRF);
}

static const struct label_move *find_label(const struct role_copy *role,
                                           const struct psn_store_row *row)
{
    struct label_move wanted;

    if (row->key_size < PSN_PRF_SIZE + LABEL_PRF)
        return NULL;
    memcpy(wanted.old, row->key + PSN_PRF_SIZE, LABEL_PRF);
    return bsearch(&wanted, role->labels, role->label_count, sizeof *role->labels,
                   compare_labels);
}

/* The versions of all of a role's secrets, which lie together: they are walked once,
 * however many labels there are. One of a label that the role does not have is left, and
 * the count of rows tells. */
static enum psn_code copy_versions(struct role_copy *role, struct psn_error *err)
{
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    struct psn_row_key prefix[2];
    bool found = true;
    enum psn_code rc =
        prefixes(role->copy, PSN_TABLE_VERSION, role->address, prefix, err);

    qsort(role->labels, role->label_count, sizeof *role->labels, compare_labels);
    if (!rc)
        rc = psn_store_scan_open(role->copy->from->store, PSN_TABLE_VERSION,
                                 prefix[0].bytes, prefix[0].size, &scan, err);
    while (!rc) {
        struct psn_row_key key = prefix[1];
        const struct label_move *label;

        rc = psn_store_scan_next(scan, &row, &found, err);
        if (rc || !found)
            break;
        label = find_label(role, &row);
        if (!label)
            continue;
        memcpy(key.bytes + key.size, label->new, LABEL_PRF);
        key.size += LABEL_PRF;
        add_rest(&row, PSN_PRF_SIZE + LABEL_PRF, &key);
        rc = move_secret(role->copy, PSN_TABLE_VERSION, &row, &key, role->keys, err);
    }
    return rc;
}

static enum psn_code copy_item(void *arg, const struct psn_store_row *row,
                               const struct psn_buf *plain, struct psn_error *err)
{
    struct role_copy *role = arg;
    struct psn_vault *to = role->copy->to;
    char label[PSN_LABEL_MAX + 1];
    struct psn_record record;
    struct psn_row_key key;
    enum psn_code rc = psn_record_parse(plain, TAG_ANY, &record, err);

    (void)row;
    count_row(role->copy);
    if (!rc && !psn_record_text(&record, TAG_LABEL, label, sizeof label))
        rc = psn_fail(err, PSN_E_INTEGRITY, _("the record of a secret is malformed"));
    if (!rc)
        rc = psn_row_key_init(to, PSN_TABLE_SECRET, role->address, &key, err);
    if (!rc)
        rc = psn_row_key_add_prf(to, PSN_TABLE_SECRET, label, LABEL_PRF, &key, err);
    if (!rc)
        rc = psn_row_put(to, PSN_TABLE_SECRET, &key, 1, role->keys[1], plain->data,
                         plain->size, err);
    return rc || !label[0] ? rc : add_label(role, label, err);
}

/* The mailbox's own password has no row of its own. */
static enum psn_code copy_items(struct role_copy *role, struct psn_error *err)
{
    struct psn_row_key items;
    enum psn_code rc = add_label(role, "", err);

    if (!rc)
        rc = psn_row_key_init(role->copy->from, PSN_TABLE_SECRET, role->address, &items,
                              err);
    if (!rc)
        rc = psn_row_each(role->copy->from, PSN_TABLE_SECRET, &items, role->keys[0],
                          copy_item, role, err);
    if (!rc)
        rc = copy_versions(role, err);
    free(role->labels);
    return rc;
}

static enum psn_code copy_role(void *arg, const struct psn_store_row *row,
                               const struct psn_buf *plain, struct psn_error *err)
{
    struct copy *copy = arg;
    char address[PSN_ADDRESS_TEXT_MAX];
    char client[PSN_CLIENT_ID_MAX];
    struct role_copy role = { .copy = copy, .address = address };
    struct psn_record record;
    enum psn_code rc = psn_record_parse(plain, TAG_ANY, &record, err);

    (void)row;
    count_row(copy);
    if (!rc && (!psn_record_text(&record, TAG_ID, address, sizeof address) ||
                !psn_record_text(&record, TAG_CLIENT, client, sizeof client)))
        rc = psn_fail(err, PSN_E_INTEGRITY, _("the record of a role is malformed"));
    if (!rc)
        rc = put_by_id(copy, PSN_TABLE_ROLE, address, plain, err);
    if (!rc)
        rc = data_keys(copy, client, role.keys, err);
    return rc ? rc : copy_items(&role, err);
}

/* --- clients --- */

static enum psn_code copy_client_row(struct copy *copy, const char *id,
                                     struct psn_error *err)
{
    struct psn_client client = { 0 };
    enum psn_code rc = psn_client_read(copy->from, id, &client, err);

    if (rc)
        return rc;
    rc = psn_client_copy(copy->to, &client, err);
    copy->rows += 1 + client.domain_count;
    psn_client_release(&client);
    return rc;
}

static enum psn_code copy_client(void *arg, const char *id, struct psn_error *err)
{
    struct copy *copy = arg;
    const struct psn_secret *keys[2];
    struct psn_row_key prefix[2];
    enum psn_code rc = copy_client_row(copy, id, err);

    if (!rc)
        rc = data_keys(copy, id, keys, err);
    if (!rc)
        rc = prefixes(copy, PSN_TABLE_CREDENTIAL, id, prefix, err);
    if (!rc)
        rc = copy_secrets(copy, PSN_TABLE_CREDENTIAL, &prefix[0], &prefix[1], keys, err);
    return rc ? rc : psn_journal_copy(copy->from, copy->to, id, NULL, err);
}

/* --- the vault's own keys --- */

static enum psn_code copy_own_keys(struct copy *copy, struct psn_error *err)
{
    const struct psn_secret *keys[2] = { copy->from->rows_key, copy->to->rows_key };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && psn_own_key_names[i]; i++) {
        struct psn_row_key prefix[2];

        rc = prefixes(copy, PSN_TABLE_OWN_KEY, psn_own_key_names[i], prefix, err);
        if (!rc)
            rc = copy_secrets(copy, PSN_TABLE_OWN_KEY, &prefix[0], &prefix[1], keys, err);
    }
    return rc;
}

/* --- grants, issues, what was received --- */

static enum psn_code copy_delegation(struct copy *copy, struct psn_error *err)
{
    uint64_t grants = 0;
    uint64_t issues = 0;
    uint64_t trust = 0;
    uint64_t accesses = 0;
    enum psn_code rc = psn_grant_copy(copy->from, copy->to, &grants, err);

    if (!rc)
        rc = psn_issue_copy(copy->from, copy->to, &issues, err);
    if (!rc)
        rc = psn_trust_copy(copy->from, copy->to, &trust, err);
    if (!rc)
        rc = psn_access_row_copy(copy->from, copy->to, &accesses, err);
    copy->rows += grants + issues + trust + accesses;
    return rc;
}

/* --- all of it --- */

static enum psn_code count_only(void *arg, const struct psn_store_row *row,
                                const struct psn_buf *plain, struct psn_error *err)
{
    (void)row;
    (void)plain;
    (void)err;
    count_row(arg);
    return PSN_OK;
}

/* Chain heads and slots are written by others and only counted here. */
static enum psn_code copy_rows(struct copy *copy, struct psn_error *err)
{
    static const struct {
        psn_row_fn *each;
        enum psn_table table;
        bool opened;
    } tables[] = { { copy_person, PSN_TABLE_PERSON, true },
                   { copy_role, PSN_TABLE_ROLE, true },
                   { copy_exposure, PSN_TABLE_EXPOSURE, true },
                   { count_only, PSN_TABLE_CHAIN, false },
                   { count_only, PSN_TABLE_SLOT, false } };
    struct psn_vault *from = copy->from;
    enum psn_code rc = psn_client_ids(from, copy_client, copy, err);

    for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++)
        rc = psn_row_each(from, tables[i].table, NULL,
                          tables[i].opened ? from->rows_key : NULL, tables[i].each, copy,
                          err);
    if (!rc)
        rc = copy_own_keys(copy, err);
    return rc ? rc : copy_delegation(copy, err);
}

enum psn_code psn_rekey_copy(struct psn_vault *from, struct psn_vault *to,
                             psn_rekey_progress_fn *progress, void *arg,
                             struct psn_error *err)
{
    struct copy copy = { from, to, progress, arg, 0, 0 };
    enum psn_code rc = psn_store_row_count(from->store, &copy.total, err);

    if (!rc)
        rc = psn_state_carry_history(from, to, err);
    if (!rc)
        rc = psn_journal_copy(from, to, NULL, NULL, err);
    if (!rc)
        rc = copy_rows(&copy, err);
    if (!rc && copy.rows != copy.total)
        rc = psn_fail(err, PSN_E_UNEXPECTED,
                      _("%llu of the %llu rows of the vault could not be sealed anew"),
                      (unsigned long long)(copy.total - copy.rows),
                      (unsigned long long)copy.total);
    if (!rc && progress)
        progress(arg, copy.rows, copy.total);
    return rc;
}
