#include "core/counters.h"

#include "base/i18n.h"
#include "base/limits.h"
#include "core/record.h"

/* The tags are those of an issue where they mean the same. */
enum {
    TAG_SERIAL = 3,
    TAG_WINDOW = 6,
    TAG_WRONG_TRIES = 11,
    TAG_VERSION = 13,
    TAG_MAX = 13,
};

static enum psn_code row_key(struct psn_vault *vault, struct psn_row_key *ret_key,
                             struct psn_error *err)
{
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_ISSUE, "", ret_key, err);

    if (!rc)
        psn_row_key_add_number(ret_key, 0);
    return rc;
}

enum psn_code psn_counters_read(struct psn_vault *vault,
                                struct psn_counters *ret_counters, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_record record;
    struct psn_row_key key;
    enum psn_code rc = row_key(vault, &key, err);

    *ret_counters = (struct psn_counters){ 0 };
    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_ISSUE, &key, vault->rows_key, &plain,
                          &ret_counters->revision, err);
    if (rc || ret_counters->revision == 0)
        return rc;
    rc = psn_record_parse(&plain, TAG_MAX, &record, err);
    if (rc)
        return rc;
    ret_counters->serial = psn_record_number(&record, TAG_SERIAL);
    ret_counters->wrong_tries = psn_record_number(&record, TAG_WRONG_TRIES);
    ret_counters->window_s = (int64_t)psn_record_number(&record, TAG_WINDOW);
    ret_counters->version = psn_record_number(&record, TAG_VERSION);
    /* There are next ones. */
    if (ret_counters->serial >= INT64_MAX || ret_counters->version >= INT64_MAX)
        return psn_fail(err, PSN_E_INTEGRITY, _("a record of the vault is malformed"));
    return PSN_OK;
}

enum psn_code psn_counters_write(struct psn_vault *vault, struct psn_counters *counters,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc = row_key(vault, &key, err);

    psn_record_begin(&plain);
    psn_record_put_number(&plain, TAG_SERIAL, counters->serial);
    psn_record_put_number(&plain, TAG_WINDOW, (uint64_t)counters->window_s);
    psn_record_put_number(&plain, TAG_WRONG_TRIES, counters->wrong_tries);
    psn_record_put_number(&plain, TAG_VERSION, counters->version);
    if (!rc)
        rc = psn_buf_check(&plain, err);
    if (!rc)
        rc = psn_row_put(vault, PSN_TABLE_ISSUE, &key, counters->revision + 1,
                         vault->rows_key, plain.data, plain.size, err);
    if (!rc)
        counters->revision++;
    return rc;
}

/* --- numbers of versions --- */

enum psn_code psn_versions_spent(struct psn_vault *vault, uint64_t *ret_version,
                                 struct psn_error *err)
{
    struct psn_counters counters;
    enum psn_code rc = psn_counters_read(vault, &counters, err);

    *ret_version = counters.version;
    return rc;
}

enum psn_code psn_versions_after(struct psn_vault *vault, uint64_t last,
                                 uint64_t *ret_version, struct psn_error *err)
{
    uint64_t spent;
    enum psn_code rc = psn_versions_spent(vault, &spent, err);

    *ret_version = (last > spent ? last : spent) + 1;
    return rc;
}

enum psn_code psn_versions_keep(struct psn_vault *vault, uint64_t version,
                                struct psn_error *err)
{
    struct psn_counters counters;
    enum psn_code rc = psn_counters_read(vault, &counters, err);

    if (rc || counters.version >= version)
        return rc;
    counters.version = version;
    return psn_counters_write(vault, &counters, err);
}
