#include <string.h>

#include "base/i18n.h"
#include "core/client.h"
#include "core/doctor.h"
#include "core/journal.h"
#include "core/role.h"
#include "core/state.h"

/*
 * What the vault holds: every row against the sealed state, every box, every chain to its
 * head. Unlike psn_vault_check() it goes on after damage, to tell all of it.
 */
struct content {
    struct psn_vault *vault;
    const struct psn_doctor_options *options;
    bool damaged[PSN_TABLE_COUNT]; /* told already */
    uint64_t entries;
    bool chains_hold;
    bool is_sound; /* nothing was told, and nothing left out */
};

/* What lies in a table, in words that stay. */
static const char *table_word(unsigned table)
{
    static const char *const words[PSN_TABLE_COUNT] = {
        [PSN_TABLE_ACCESS] = "accesses",     [PSN_TABLE_SLOT] = "slots",
        [PSN_TABLE_PERSON] = "persons",      [PSN_TABLE_CLIENT] = "clients",
        [PSN_TABLE_DOMAIN] = "domains",      [PSN_TABLE_CREDENTIAL] = "credentials",
        [PSN_TABLE_ROLE] = "roles",          [PSN_TABLE_SECRET] = "secrets",
        [PSN_TABLE_VERSION] = "versions",    [PSN_TABLE_EXPOSURE] = "exposures",
        [PSN_TABLE_CHAIN] = "journal-heads", [PSN_TABLE_OWN_KEY] = "own-keys",
        [PSN_TABLE_GRANT] = "grants",        [PSN_TABLE_ISSUE] = "issues",
        [PSN_TABLE_TRUST] = "issuers",       [PSN_TABLE_RECEIVED] = "received",
    };

    return table < PSN_TABLE_COUNT ? words[table] : "";
}

static void skip(struct content *content, const struct psn_error *why)
{
    content->is_sound = false;
    psn_doctor_skip(content->options, PSN_DOCTOR_CONTENT, NULL, why->code, why->message);
}

static void tell(struct content *content, enum psn_doctor_code code, const char *client,
                 const char *subject, const char *detail)
{
    content->is_sound = false;
    PSN_DOCTOR_TELL(content->options, .code = code, .client = client, .subject = subject,
                    .detail = detail);
}

static void tell_damage(void *arg, enum psn_store_damage kind, unsigned table,
                        uint64_t places, const struct psn_error *why)
{
    struct content *content = arg;

    content->is_sound = false;
    switch (kind) {
    case PSN_STORE_PAGES:
        tell(content, PSN_DOCTOR_VAULT_PAGES, NULL, content->vault->path, why->message);
        break;
    case PSN_STORE_TABLE:
        content->damaged[table] = true;
        PSN_DOCTOR_TELL(content->options, .code = PSN_DOCTOR_ROWS,
                        .subject = table_word(table), .number = (int64_t)places);
        break;
    case PSN_STORE_STRAY:
        PSN_DOCTOR_TELL(content->options, .code = PSN_DOCTOR_ROWS_STRAY,
                        .subject = content->vault->path, .number = (int64_t)places);
        break;
    }
}

/* --- boxes --- */

static enum psn_code pass_row(void *arg, const struct psn_store_row *row,
                              const struct psn_buf *plain, struct psn_error *err)
{
    (void)arg;
    (void)row;
    (void)plain;
    (void)err;
    return PSN_OK;
}

/* A failure is told and left behind; only what no row is to blame for ends the walk. */
static enum psn_code note_box(struct content *content, const char *client,
                              const char *subject, enum psn_code rc,
                              const struct psn_error *why, struct psn_error *err)
{
    if (rc == PSN_OK)
        return PSN_OK;
    if (rc != PSN_E_INTEGRITY && rc != PSN_E_NOT_FOUND) {
        if (err)
            *err = *why;
        return rc;
    }
    tell(content, PSN_DOCTOR_UNOPENABLE, client, subject, why->message);
    return PSN_OK;
}

/* Secrets and versions of one mailbox: damaged rows are named by its address. */
static enum psn_code open_role(void *arg, const struct psn_role_row *row,
                               struct psn_error *err)
{
    static const enum psn_table tables[] = { PSN_TABLE_SECRET, PSN_TABLE_VERSION };
    struct content *content = arg;
    const struct psn_secret *data_key;
    struct psn_error why = { 0 };
    enum psn_code rc = psn_client_data_key(content->vault, row->client, &data_key, &why);

    for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++) {
        struct psn_row_key prefix;

        rc = psn_row_key_init(content->vault, tables[i], row->address, &prefix, &why);
        if (!rc)
            rc = psn_row_each(content->vault, tables[i], &prefix, data_key, pass_row,
                              NULL, &why);
    }
    return note_box(content, row->client, row->address, rc, &why, err);
}

static enum psn_code open_credential(void *arg, const char *client, struct psn_error *err)
{
    struct content *content = arg;
    const struct psn_secret *data_key;
    struct psn_row_key key;
    struct psn_error why = { 0 };
    enum psn_code rc = psn_client_data_key(content->vault, client, &data_key, &why);

    if (!rc)
        rc = psn_row_key_init(content->vault, PSN_TABLE_CREDENTIAL, client, &key, &why);
    if (!rc)
        rc = psn_row_each(content->vault, PSN_TABLE_CREDENTIAL, &key, data_key, pass_row,
                          NULL, &why);
    return note_box(content, client, table_word(PSN_TABLE_CREDENTIAL), rc, &why, err);
}

/* Those whose table is damaged were told; their rows cannot be walked to the end. */
static void open_boxes(struct content *content)
{
    static const enum psn_table tables[] = {
        PSN_TABLE_SLOT,  PSN_TABLE_PERSON,   PSN_TABLE_CLIENT,  PSN_TABLE_DOMAIN,
        PSN_TABLE_CHAIN, PSN_TABLE_EXPOSURE, PSN_TABLE_OWN_KEY, PSN_TABLE_GRANT,
        PSN_TABLE_ISSUE, PSN_TABLE_TRUST,    PSN_TABLE_ACCESS
    };
    struct psn_vault *vault = content->vault;
    struct psn_error why = { 0 };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++) {
        struct psn_error box = { 0 };

        if (content->damaged[tables[i]])
            continue;
        rc = psn_row_each(vault, tables[i], NULL, vault->rows_key, pass_row, NULL, &box);
        rc = note_box(content, NULL, table_word(tables[i]), rc, &box, &why);
    }
    if (!rc && !content->damaged[PSN_TABLE_CLIENT])
        rc = psn_client_ids(vault, open_credential, content, &why);
    if (!rc && !content->damaged[PSN_TABLE_ROLE])
        rc = psn_role_scan(vault, NULL, 0, open_role, content, &why);
    if (rc)
        skip(content, &why);
}

/* --- chains --- */

static enum psn_code check_chain(void *arg, const char *client, struct psn_error *err)
{
    struct content *content = arg;
    struct psn_error why = { 0 };
    struct psn_head head = { 0 };
    enum psn_code rc = psn_journal_check_chain(content->vault, client, &head, &why);

    content->entries += head.count;
    if (rc == PSN_OK)
        return PSN_OK;
    content->chains_hold = false;
    if (rc == PSN_E_INTEGRITY) {
        tell(content, PSN_DOCTOR_JOURNAL, client, NULL, why.message);
        return PSN_OK;
    }
    if (err)
        *err = why;
    return rc;
}

static void check_rest(struct content *content)
{
    struct psn_error why = { 0 };
    enum psn_code rc = psn_journal_check_history(content->vault, &why);

    if (rc == PSN_E_INTEGRITY)
        tell(content, PSN_DOCTOR_HISTORY, NULL, NULL, why.message);
    else if (!rc && content->chains_hold) {
        rc = psn_journal_check_count(content->vault, content->entries, &why);
        if (rc == PSN_E_INTEGRITY)
            tell(content, PSN_DOCTOR_JOURNAL, NULL, NULL, why.message);
    }
    if (rc && rc != PSN_E_INTEGRITY)
        skip(content, &why);
}

static void check_chains(struct content *content)
{
    struct psn_error why = { 0 };
    enum psn_code rc = check_chain(content, NULL, &why);

    if (!rc)
        rc = psn_client_ids(content->vault, check_chain, content, &why);
    if (rc) {
        content->chains_hold = false;
        skip(content, &why);
    }
    check_rest(content);
}

/* --- the rollback record --- */

static void check_seen(struct content *content)
{
    struct psn_error why = { 0 };
    struct psn_vault *vault = content->vault;
    struct psn_seen_record record = { .found = false };
    enum psn_code rc = psn_seen_read(vault, &record, &why);

    if (!rc)
        rc = psn_seen_check(vault, &record, &why);
    if (rc == PSN_E_ROLLED_BACK)
        tell(content, PSN_DOCTOR_VAULT_OLDER, NULL, vault->path, why.message);
    else if (rc == PSN_E_FORKED)
        tell(content, PSN_DOCTOR_VAULT_FORKED, NULL, vault->path, why.message);
    else if (rc) {
        content->is_sound = false;
        psn_doctor_skip(content->options, PSN_DOCTOR_ROLLBACK, NULL, rc, why.message);
    } else if (vault->seen_why.code)
        psn_doctor_skip(content->options, PSN_DOCTOR_ROLLBACK, NULL, vault->seen_why.code,
                        vault->seen_why.message);
    else if ((rc = psn_seen_check_place(vault, &why)))
        psn_doctor_skip(content->options, PSN_DOCTOR_ROLLBACK, NULL, rc, why.message);
    else if (vault->seen == PSN_SEEN_UNKNOWN)
        psn_doctor_skip(content->options, PSN_DOCTOR_ROLLBACK, NULL, PSN_OK,
                        _("this machine has not seen the vault before"));
}

static void examine(struct content *content)
{
    struct psn_error why = { 0 };

    if (psn_store_examine(content->vault->store, tell_damage, content, &why))
        skip(content, &why);
    open_boxes(content);
    content->chains_hold = true;
    check_chains(content);
    check_seen(content);
}

/* SQLite's own structure is all that can be checked without the key. */
static void examine_locked(struct content *content)
{
    struct psn_error why = { 0 };
    enum psn_code rc = psn_store_check_pages(content->vault->store, &why);

    if (rc == PSN_E_INTEGRITY)
        tell_damage(content, PSN_STORE_PAGES, 0, 1, &why);
    else if (rc)
        skip(content, &why);
}

bool psn_doctor_content(struct psn_vault *vault, const struct psn_doctor_options *options)
{
    struct content content = { .vault = vault, .options = options, .is_sound = true };
    struct psn_error why = { 0 };
    enum psn_code rc;

    if (!vault->root_key) {
        examine_locked(&content);
        return false;
    }
    rc = psn_vault_begin(vault, PSN_STORE_READ, &why);
    if (!rc) {
        examine(&content);
        rc = psn_vault_end(vault, PSN_OK, &why);
    }
    if (rc == PSN_E_INTEGRITY)
        tell(&content, PSN_DOCTOR_VAULT_STATE, NULL, vault->path, why.message);
    else if (rc)
        skip(&content, &why);
    return content.is_sound;
}
