#include "support/store_tamper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

enum {
    ENTRIES = 12
};

static const uint8_t chain[PSN_STORE_CHAIN_SIZE] = "the vault chain";

/* ----------------------------------------------------------------- fixture */

void tamper_make_row(struct psn_store_row *row, unsigned table, uint64_t i,
                     uint64_t revision)
{
    store_fixture_row(i, revision, row);
    psn_buf_u8(&row->box, (uint8_t)table);
    psn_buf_u8(&row->clear, (uint8_t)table);
    psn_buf_u8(&row->clear, (uint8_t)i);
    if (i >= TAMPER_ROWS - TAMPER_SHARED)
        memset(row->key, 0x55, 8);
}

static void write_generation(struct psn_store *store, uint64_t generation)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();

    assert_int_equal(store_fixture_begin(store, PSN_STORE_WRITE, NULL, NULL), PSN_OK);
    for (unsigned table = 1; table <= 2; table++) {
        for (uint64_t i = 0; i < (table == 1 ? TAMPER_ROWS : TAMPER_ROWS / 2); i++) {
            tamper_make_row(&row, table, i, generation);
            assert_int_equal(psn_store_put(store, table, &row, NULL), PSN_OK);
        }
    }
    for (uint64_t i = 1; i <= ENTRIES / TAMPER_GENERATIONS; i++) {
        entry.number = (generation - 1) * (ENTRIES / TAMPER_GENERATIONS) + i;
        memset(entry.hash, (int)entry.number, sizeof entry.hash);
        psn_buf_reset(&entry.box);
        psn_buf_format(&entry.box, "entry number %u", (unsigned)entry.number);
        assert_int_equal(psn_store_journal_append(store, chain, &entry, NULL), PSN_OK);
    }
    assert_int_equal(store_fixture_commit(store, generation, NULL), PSN_OK);
}

void tamper_sql(const struct tampered *it, const char *text)
{
    int status = sqlite3_exec(it->raw, text, NULL, NULL, NULL);

    if (status != SQLITE_OK)
        print_message("%s: %s\n", text, sqlite3_errmsg(it->raw));
    assert_int_equal(status, SQLITE_OK);
}

/* Keeps the older generations' rows and nodes in a database of the attacker's. */
static void keep_images(const struct tampered *it, unsigned generation)
{
    char text[600];

    (void)snprintf(text, sizeof text,
                   "ATTACH '%s' AS old; CREATE TABLE old.record%u AS SELECT * FROM"
                   " main.record; CREATE TABLE old.node%u AS SELECT * FROM main.node;"
                   "CREATE TABLE old.root%u AS SELECT * FROM main.root; DETACH old",
                   it->at->other, generation, generation, generation);
    tamper_sql(it, text);
}

int tamper_set_up(void **state)
{
    struct tampered *it = calloc(1, sizeof *it);
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(4096);
    void *fixture = NULL;

    assert_non_null(it);
    assert_int_equal(store_fixture_set_up(&fixture), 0);
    it->at = fixture;
    assert_int_equal(psn_store_create(it->at->path, store_fixture_hash, &store, NULL),
                     PSN_OK);
    for (unsigned generation = 1; generation <= TAMPER_GENERATIONS; generation++) {
        write_generation(store, generation);
        if (generation == 1) {
            assert_int_equal(sqlite3_open(it->at->path, &it->raw), SQLITE_OK);
            tamper_sql(it, "PRAGMA synchronous = OFF; PRAGMA writable_schema = ON;"
                           "PRAGMA ignore_check_constraints = ON");
        }
        keep_images(it, generation);
    }
    for (unsigned table = 1; table <= 2; table++) {
        it->counts[table] = table == 1 ? TAMPER_ROWS : TAMPER_ROWS / 2;
        for (uint64_t i = 0; i < it->counts[table]; i++) {
            it->rows[table][i] = psn_store_row_init();
            tamper_make_row(&it->rows[table][i], table, i, TAMPER_GENERATIONS);
        }
    }
    assert_int_equal(psn_store_begin(store, PSN_STORE_READ, &box, NULL), PSN_OK);
    assert_int_equal(box.size, sizeof it->root_box);
    memcpy(it->root_box, box.data, box.size);
    *state = it;
    return 0;
}

int tamper_tear_down(void **state)
{
    struct tampered *it = *state;
    void *fixture = it->at;

    (void)sqlite3_close_v2(it->raw);
    for (unsigned table = 1; table <= 2; table++) {
        for (size_t i = 0; i < it->counts[table]; i++)
            psn_store_row_release(&it->rows[table][i]);
    }
    free(it);
    return store_fixture_tear_down(&fixture);
}

/* ----------------------------------------------------------------- reading it all */

static bool is_same(const struct psn_store_row *a, const struct psn_store_row *b)
{
    return a->key_size == b->key_size && memcmp(a->key, b->key, a->key_size) == 0 &&
           a->revision == b->revision && a->clear.size == b->clear.size &&
           memcmp(psn_buf_str(&a->clear), psn_buf_str(&b->clear), a->clear.size) == 0 &&
           a->box.size == b->box.size &&
           memcmp(psn_buf_str(&a->box), psn_buf_str(&b->box), a->box.size) == 0;
}

static const struct psn_store_row *expected_row(const struct tampered *it, unsigned table,
                                                const uint8_t *key)
{
    for (size_t i = 0; i < it->counts[table]; i++) {
        if (memcmp(it->rows[table][i].key, key, it->rows[table][i].key_size) == 0)
            return &it->rows[table][i];
    }
    return NULL;
}

/* What a read's result means. A failure may only be one of integrity. */
static enum finding judge(enum psn_code rc, bool right)
{
    if (rc == PSN_E_INTEGRITY)
        return FOUND;
    return rc == PSN_OK && right ? HARMLESS : WRONG;
}

static enum finding worse(enum finding a, enum finding b)
{
    if (a == WRONG || b == WRONG)
        return WRONG;
    return a == FOUND || b == FOUND ? FOUND : HARMLESS;
}

enum finding tamper_read_row(const struct tampered *it, struct psn_store *store,
                             unsigned table, size_t i)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    const struct psn_store_row *expected = &it->rows[table][i];
    enum psn_code rc =
        psn_store_get(store, table, expected->key, expected->key_size, &row, NULL);

    return judge(rc, rc == PSN_OK && is_same(&row, expected));
}

static enum finding read_absent(struct psn_store *store)
{
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    enum finding finding = HARMLESS;
    uint8_t key[24];

    for (uint64_t seed = 1000; seed < 1010; seed++) {
        enum psn_code rc;

        store_fixture_key(seed, key);
        rc = psn_store_get(store, 1, key, sizeof key, &row, NULL);
        finding =
            worse(finding, judge(rc == PSN_E_NOT_FOUND ? PSN_OK : rc, rc != PSN_OK));
    }
    return finding;
}

enum finding tamper_read_scan(const struct tampered *it, struct psn_store *store,
                              unsigned table)
{
    PSN_AUTO(psn_store_scan) *scan = NULL;
    PSN_AUTO_RELEASE(psn_store_row) row = psn_store_row_init();
    bool found = true;
    size_t count = 0;
    enum psn_code rc = psn_store_scan_open(store, table, NULL, 0, &scan, NULL);

    while (!rc && found) {
        const struct psn_store_row *expected;

        rc = psn_store_scan_next(scan, &row, &found, NULL);
        if (rc || !found)
            break;
        expected = expected_row(it, table, row.key);
        if (!expected || !is_same(&row, expected))
            return WRONG;
        count++;
    }
    return judge(rc, count == it->counts[table]);
}

/* What the caller's chain would find counts as found. */
static enum finding read_journal(struct psn_store *store)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    uint64_t count = 0;
    enum psn_code rc = psn_store_journal_count(store, &count, NULL);

    if (rc || count != ENTRIES)
        return rc && rc != PSN_E_INTEGRITY ? WRONG : FOUND;
    for (uint64_t i = 1; i <= ENTRIES; i++) {
        char text[40];

        rc = psn_store_journal_get(store, chain, i, &entry, NULL);
        if (rc)
            return rc == PSN_E_INTEGRITY || rc == PSN_E_NOT_FOUND ? FOUND : WRONG;
        (void)snprintf(text, sizeof text, "entry number %u", (unsigned)i);
        if (strcmp(psn_buf_str(&entry.box), text) != 0 || entry.hash[0] != i ||
            memcmp(entry.hash, entry.hash + 1, sizeof entry.hash - 1) != 0)
            return FOUND;
    }
    return HARMLESS;
}

static enum finding read_all(const struct tampered *it, struct psn_store *store)
{
    enum finding finding = read_absent(store);

    for (unsigned table = 1; table <= 2; table++) {
        for (size_t i = 0; i < it->counts[table]; i++)
            finding = worse(finding, tamper_read_row(it, store, table, i));
        finding = worse(finding, tamper_read_scan(it, store, table));
    }
    finding = worse(finding, tamper_read_scan(it, store, 0));
    finding = worse(finding, read_journal(store));
    return worse(finding, judge(psn_store_check(store, NULL), true));
}

/* Opens the vault as its caller would. NULL: the damage was found on the way, as
 * *ret_finding says. */
struct psn_store *tamper_open(const struct tampered *it, enum finding *ret_finding)
{
    PSN_AUTO(psn_store) *store = NULL;
    PSN_AUTO_RELEASE(psn_buf) box = psn_buf_init(1 << 20);
    struct psn_store_roots roots;
    struct psn_error err = { 0 };
    enum psn_code rc = psn_store_open(it->at->path, store_fixture_hash, &store, &err);

    if (!rc)
        rc = psn_store_begin(store, PSN_STORE_WRITE, &box, &err);
    /* A newer format's number is refused for what it says. */
    *ret_finding = rc == PSN_E_TOO_NEW ? FOUND : judge(rc, true);
    if (*ret_finding == WRONG)
        print_message("code %d: %s\n", (int)rc, err.message);
    if (rc || box.size != sizeof it->root_box ||
        memcmp(box.data, it->root_box, box.size) != 0) {
        *ret_finding = rc ? *ret_finding : FOUND; /* the seal does not open */
        return NULL;
    }
    memcpy(roots.hash, it->root_box + 8, sizeof roots.hash);
    psn_store_trust(store, &roots);
    return PSN_TAKE(store);
}

enum finding tamper_examine(const struct tampered *it)
{
    enum finding finding = HARMLESS;
    PSN_AUTO(psn_store) *store = tamper_open(it, &finding);

    return store ? read_all(it, store) : finding;
}

/* The rows in question are refused, and so are the listing of the table and the check. */
bool tamper_is_refused(const struct tampered *it, unsigned table, size_t i)
{
    enum finding finding = HARMLESS;
    PSN_AUTO(psn_store) *store = tamper_open(it, &finding);

    return store && tamper_read_row(it, store, table, i) == FOUND &&
           tamper_read_scan(it, store, table) == FOUND &&
           psn_store_check(store, NULL) == PSN_E_INTEGRITY;
}

/* ----------------------------------------------------------------- SQL by hand */

void tamper_where(const struct psn_store_row *row, unsigned table, char out[120])
{
    int used = snprintf(out, 120, "tab = %u AND key = x'", table);

    for (size_t i = 0; i < row->key_size; i++)
        used += snprintf(out + used, 120 - (size_t)used, "%02x", row->key[i]);
    (void)snprintf(out + used, 120 - (size_t)used, "'");
}

/* The text with `first` for each @ and `second` for each #. */
void tamper_expand(const char *text, const char *first, const char *second, char *out,
                   size_t size)
{
    PSN_AUTO_RELEASE(psn_buf) buf = psn_buf_init(size - 1);

    for (; *text; text++) {
        if (*text == '@')
            psn_buf_text(&buf, first);
        else if (*text == '#')
            psn_buf_text(&buf, second);
        else
            psn_buf_char(&buf, *text);
    }
    assert_int_equal(psn_buf_check(&buf, NULL), PSN_OK);
    memcpy(out, psn_buf_str(&buf), buf.size + 1);
}

void tamper_save(const struct tampered *it)
{
    tamper_sql(it, "CREATE TEMP TABLE r AS SELECT * FROM main.record;"
                   "CREATE TEMP TABLE n AS SELECT * FROM main.node");
}

void tamper_restore(const struct tampered *it)
{
    tamper_sql(
        it,
        "BEGIN; DELETE FROM main.record; INSERT INTO main.record SELECT * FROM temp.r;"
        "DELETE FROM main.node; INSERT INTO main.node SELECT * FROM temp.n; COMMIT");
}

void tamper_assert_intact(const struct tampered *it)
{
    assert_int_equal(tamper_examine(it), HARMLESS);
}

void tamper_close(struct tampered *it)
{
    tamper_sql(it, "PRAGMA wal_checkpoint(TRUNCATE)");
    (void)sqlite3_close_v2(it->raw);
    it->raw = NULL;
}
