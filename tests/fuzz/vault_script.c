#include "fuzz/vault_script.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "core/client.h"
#include "fuzz/target.h"

enum {
    EDITS_MAX = 24,
    PLAIN_MAX = 64 * 1024,
    SQL_STEPS_MAX = 2000,
};

enum edit {
    EDIT_END, /* of the changes without keys */
    EDIT_SWAP_BOXES,
    EDIT_COPY_BOX,
    EDIT_REPLAY,
    EDIT_DELETE,
    EDIT_REVISION,
    EDIT_BOX_BYTE,
    EDIT_CLEAR,
    EDIT_NODE,
    EDIT_ROOT,
    EDIT_ROOT_REPLAY,
    EDIT_JOURNAL_SWAP,
    EDIT_JOURNAL_DELETE,
    EDIT_JOURNAL_MOVE,
    EDIT_SQL,
    EDIT_FILE,
    EDITS,
};

/* --- the bytes of a script --- */

static unsigned take(struct vault_script *script)
{
    if (script->left == 0)
        return 0;
    script->left--;
    return *script->at++;
}

static unsigned take_wide(struct vault_script *script)
{
    unsigned high = take(script);

    return high << 8 | take(script);
}

/* Some bytes, at most so many, behind their number. */
static const uint8_t *take_bytes(struct vault_script *script, size_t size_max,
                                 size_t *ret_size)
{
    size_t size = size_max > 255 ? take_wide(script) : take(script);
    const uint8_t *bytes = script->at;

    size = size < size_max ? size : size_max;
    size = size < script->left ? size : script->left;
    script->at += size;
    script->left -= size;
    *ret_size = size;
    return bytes;
}

static const struct vault_row *take_row(struct vault_script *script,
                                        const struct vault_image *image)
{
    return &image->rows[take(script) % image->count];
}

/* --- images --- */

static sqlite3 *open_raw(const char *path)
{
    sqlite3 *db = NULL;

    MUST(sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
    return db;
}

static uint8_t *copy_column(sqlite3_stmt *stmt, int column, int *ret_size)
{
    uint8_t *copy;

    *ret_size = sqlite3_column_bytes(stmt, column);
    copy = malloc((size_t)*ret_size + 1);
    MUST(copy);
    if (*ret_size)
        memcpy(copy, sqlite3_column_blob(stmt, column), (size_t)*ret_size);
    return copy;
}

static void add_row(struct vault_image *image, sqlite3_stmt *stmt)
{
    struct vault_row *row;

    image->rows = realloc(image->rows, (image->count + 1) * sizeof *image->rows);
    MUST(image->rows);
    row = &image->rows[image->count++];
    *row = (struct vault_row){ .table = (unsigned)sqlite3_column_int(stmt, 0),
                               .key_size = sqlite3_column_bytes(stmt, 1),
                               .revision = sqlite3_column_int64(stmt, 2) };
    memcpy(row->key, sqlite3_column_blob(stmt, 1), (size_t)row->key_size);
    row->clear = copy_column(stmt, 3, &row->clear_size);
    row->box = copy_column(stmt, 4, &row->box_size);
}

static void read_rows(sqlite3 *db, struct vault_image *image)
{
    sqlite3_stmt *stmt = NULL;

    MUST(sqlite3_prepare_v2(db,
                            "SELECT tab, key, revision, clear, box FROM record "
                            "ORDER BY tab, key",
                            -1, &stmt, NULL) == SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW)
        add_row(image, stmt);
    (void)sqlite3_finalize(stmt);
    MUST(image->count > 0);
}

static void read_bytes(const char *path, struct vault_image *image)
{
    FILE *file = fopen(path, "rb");
    long size;

    MUST(file && fseek(file, 0, SEEK_END) == 0 && (size = ftell(file)) > 0);
    rewind(file);
    image->size = (size_t)size;
    image->bytes = malloc(image->size);
    MUST(image->bytes);
    MUST(fread(image->bytes, 1, image->size, file) == image->size);
    (void)fclose(file);
}

void vault_image_copy(const char *from, const char *to)
{
    struct vault_image file = { .count = 0 };

    read_bytes(from, &file);
    vault_image_restore(&file, to);
    free(file.bytes);
}

void vault_image_read(const char *path, struct vault_image *ret_image)
{
    sqlite3 *db = open_raw(path);

    *ret_image = (struct vault_image){ .count = 0 };
    read_rows(db, ret_image);
    MUST(sqlite3_exec(db, "PRAGMA wal_checkpoint(TRUNCATE)", NULL, NULL, NULL) ==
         SQLITE_OK);
    (void)sqlite3_close(db);
    read_bytes(path, ret_image);
}

void vault_image_restore(const struct vault_image *image, const char *path)
{
    static const char *const suffixes[] = { "-wal", "-shm", "-journal" };
    char beside[512];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    MUST(fd >= 0);
    MUST(write(fd, image->bytes, image->size) == (ssize_t)image->size);
    (void)close(fd);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        (void)snprintf(beside, sizeof beside, "%s%s", path, suffixes[i]);
        (void)unlink(beside);
    }
}

/* --- without keys: rows --- */

/* SQL with blobs and numbers in the places of ?1, ?2 …; what SQLite refuses is no change.
 */
struct bound {
    const void *bytes; /* NULL: a number */
    int size;
    int64_t number;
};

static void run(sqlite3 *db, const char *text, const struct bound *values, int count)
{
    sqlite3_stmt *stmt = NULL;

    if (sqlite3_prepare_v2(db, text, -1, &stmt, NULL) != SQLITE_OK)
        return;
    for (int i = 0; i < count; i++)
        (void)(values[i].bytes ? sqlite3_bind_blob(stmt, i + 1, values[i].bytes,
                                                   values[i].size, SQLITE_STATIC)
                               : sqlite3_bind_int64(stmt, i + 1, values[i].number));
    (void)sqlite3_step(stmt);
    (void)sqlite3_finalize(stmt);
}

static struct bound blob(const void *bytes, int size)
{
    return (struct bound){ size ? bytes : "", size, 0 };
}

static struct bound number(int64_t value)
{
    return (struct bound){ NULL, 0, value };
}

static void set_box(sqlite3 *db, const struct vault_row *row, const void *box, int size)
{
    struct bound values[] = { blob(box, size), number(row->table),
                              blob(row->key, row->key_size) };

    run(db, "UPDATE record SET box = ?1 WHERE tab = ?2 AND key = ?3", values, 3);
}

static void change_byte(struct vault_script *script, sqlite3 *db,
                        const struct vault_row *row)
{
    size_t at = take_wide(script);
    unsigned change = take(script);
    uint8_t *box;

    if (row->box_size == 0)
        return;
    box = malloc((size_t)row->box_size);
    MUST(box);
    memcpy(box, row->box, (size_t)row->box_size);
    box[at % (size_t)row->box_size] ^= (uint8_t)change;
    set_box(db, row, box, change ? row->box_size : (int)(at % (size_t)row->box_size));
    free(box);
}

static void replay(sqlite3 *db, const struct vault_row *old)
{
    struct bound values[] = { number(old->table), blob(old->key, old->key_size),
                              number(old->revision), blob(old->clear, old->clear_size),
                              blob(old->box, old->box_size) };

    run(db, "INSERT OR REPLACE INTO record VALUES (?1, ?2, ?3, ?4, ?5)", values, 5);
}

static int refuse_other_files(void *arg, int action, const char *a, const char *b,
                              const char *c, const char *d)
{
    (void)arg;
    (void)a;
    (void)b;
    (void)c;
    (void)d;
    return action == SQLITE_ATTACH || action == SQLITE_DETACH ? SQLITE_DENY : SQLITE_OK;
}

static int stop(void *arg)
{
    (void)arg;
    return 1;
}

/* Text of SQL that the input brings, in one file and for a short time. */
static void run_text(struct vault_script *script, sqlite3 *db)
{
    size_t size;
    const uint8_t *bytes = take_bytes(script, 4096, &size);
    char *text = malloc(size + 1);

    MUST(text);
    if (size)
        memcpy(text, bytes, size);
    text[size] = '\0';
    (void)sqlite3_set_authorizer(db, refuse_other_files, NULL);
    (void)sqlite3_limit(db, SQLITE_LIMIT_LENGTH, 1 << 20);
    sqlite3_progress_handler(db, SQL_STEPS_MAX, stop, NULL);
    (void)sqlite3_exec(db, text, NULL, NULL, NULL);
    sqlite3_progress_handler(db, 0, NULL, NULL);
    (void)sqlite3_set_authorizer(db, NULL, NULL);
    free(text);
}

static void edit_box(struct vault_script *script, sqlite3 *db, enum edit edit)
{
    const struct vault_row *row = take_row(script, script->now);
    const struct vault_row *other = take_row(script, script->now);
    struct bound of_row[] = { number(row->table), blob(row->key, row->key_size),
                              number(take(script)) };

    if (edit == EDIT_SWAP_BOXES || edit == EDIT_COPY_BOX)
        set_box(db, row, other->box, other->box_size);
    if (edit == EDIT_SWAP_BOXES)
        set_box(db, other, row->box, row->box_size);
    if (edit == EDIT_REPLAY)
        replay(db, take_row(script, script->old));
    if (edit == EDIT_DELETE)
        run(db, "DELETE FROM record WHERE tab = ?1 AND key = ?2", of_row, 2);
    if (edit == EDIT_REVISION)
        run(db, "UPDATE record SET revision = ?3 WHERE tab = ?1 AND key = ?2", of_row, 3);
    if (edit == EDIT_BOX_BYTE)
        change_byte(script, db, row);
    if (edit == EDIT_CLEAR) {
        size_t size;
        const uint8_t *bytes = take_bytes(script, 255, &size);

        of_row[2] = blob(bytes, (int)size);
        run(db, "UPDATE record SET clear = ?3 WHERE tab = ?1 AND key = ?2", of_row, 3);
    }
}

static void edit_state(struct vault_script *script, sqlite3 *db, enum edit edit)
{
    struct bound values[] = { number(take(script)), number(take(script)) };
    size_t size;
    const uint8_t *bytes;

    switch ((int)edit) {
    case EDIT_ROOT:
        values[0] = number(1 + take_wide(script));
        bytes = take_bytes(script, 255, &size);
        values[1] = blob(bytes, (int)size);
        run(db,
            "UPDATE root SET box = CAST(substr(box, 1, ?1 - 1) || ?2 || "
            "substr(box, ?1 + length(?2)) AS BLOB)",
            values, 2);
        break;
    case EDIT_NODE:
        run(db,
            "UPDATE node SET children = (SELECT children FROM node ORDER BY id LIMIT 1 "
            "OFFSET ?2) WHERE id = (SELECT id FROM node ORDER BY id LIMIT 1 OFFSET ?1)",
            values, 2);
        break;
    case EDIT_JOURNAL_SWAP:
        run(db,
            "UPDATE journal SET box = (SELECT box FROM journal ORDER BY chain, number "
            "LIMIT 1 OFFSET ?2) WHERE (chain, number) = (SELECT chain, number FROM "
            "journal ORDER BY chain, number LIMIT 1 OFFSET ?1)",
            values, 2);
        break;
    case EDIT_JOURNAL_DELETE:
        run(db,
            "DELETE FROM journal WHERE (chain, number) = (SELECT chain, number FROM "
            "journal ORDER BY chain, number LIMIT 1 OFFSET ?1)",
            values, 1);
        break;
    default: /* EDIT_JOURNAL_MOVE */
        run(db,
            "UPDATE journal SET number = ?2 WHERE (chain, number) = (SELECT chain, "
            "number FROM journal ORDER BY chain, number LIMIT 1 OFFSET ?1)",
            values, 2);
    }
}

/* --- without keys: bytes --- */

static void patch(struct vault_script *script, const char *path)
{
    size_t at = (size_t)take(script) << 16;
    size_t size;
    const uint8_t *bytes;
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    at |= take_wide(script);
    bytes = take_bytes(script, 255, &size);
    MUST(fd >= 0);
    at %= script->now->size;
    if (size == 0)
        MUST(ftruncate(fd, (off_t)at) == 0);
    else
        MUST(pwrite(fd, bytes, size, (off_t)at) == (ssize_t)size);
    (void)close(fd);
}

/* The root box of the older copy. */
static void replay_root(sqlite3 *db, const char *old_path)
{
    sqlite3_stmt *stmt = NULL;
    sqlite3 *old = open_raw(old_path);

    if (sqlite3_prepare_v2(old, "SELECT box FROM root", -1, &stmt, NULL) == SQLITE_OK &&
        sqlite3_step(stmt) == SQLITE_ROW) {
        struct bound box =
            blob(sqlite3_column_blob(stmt, 0), sqlite3_column_bytes(stmt, 0));

        run(db, "UPDATE root SET box = ?1", &box, 1);
    }
    (void)sqlite3_finalize(stmt);
    (void)sqlite3_close(old);
}

void vault_script_tamper(struct vault_script *script, const char *path)
{
    sqlite3 *db = NULL;
    char old_path[512];
    enum edit edit = EDIT_SQL;

    (void)snprintf(old_path, sizeof old_path, "%s.old", path);
    for (int i = 0; i < EDITS_MAX && script->left > 0 && edit != EDIT_END; i++) {
        edit = take(script) % EDITS;
        if (edit == EDIT_FILE || edit == EDIT_END) {
            /* The bytes are those of a file that nobody has open. */
            (void)sqlite3_close(db);
            db = NULL;
            if (edit == EDIT_FILE)
                patch(script, path);
            continue;
        }
        if (!db) {
            db = open_raw(path);
            (void)sqlite3_exec(db, "PRAGMA synchronous = OFF", NULL, NULL, NULL);
        }
        if (edit <= EDIT_CLEAR)
            edit_box(script, db, edit);
        else if (edit == EDIT_ROOT_REPLAY)
            replay_root(db, old_path);
        else if (edit == EDIT_SQL)
            run_text(script, db);
        else
            edit_state(script, db, edit);
    }
    (void)sqlite3_close(db);
}

/* --- with keys --- */

static size_t read_number(const uint8_t *bytes, size_t size)
{
    size_t value = 0;

    for (size_t i = 0; i < size; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* The record with one of its fields replaced, added or (size 0) left out. */
static void set_field(const struct psn_buf *plain, unsigned tag, const uint8_t *bytes,
                      size_t size, struct psn_buf *out)
{
    size_t at = 1;
    bool done = size == 0;

    psn_buf_bytes(out, plain->data, plain->size ? 1 : 0);
    while (at + 6 <= plain->size) {
        unsigned here = (unsigned)read_number(plain->data + at, 2);
        size_t field = read_number(plain->data + at + 2, 4);

        if (field > plain->size - at - 6)
            break;
        if (!done && here >= tag) {
            psn_buf_u16(out, (uint16_t)tag);
            psn_buf_u32(out, (uint32_t)size);
            psn_buf_bytes(out, bytes, size);
            done = true;
        }
        if (here != tag)
            psn_buf_bytes(out, plain->data + at, 6 + field);
        at += 6 + field;
    }
    if (!done) {
        psn_buf_u16(out, (uint16_t)tag);
        psn_buf_u32(out, (uint32_t)size);
        psn_buf_bytes(out, bytes, size);
    }
}

static void change_plain(struct vault_script *script, const struct psn_buf *plain,
                         struct psn_buf *out)
{
    unsigned how = take(script) % 4;
    size_t at = how ? take_wide(script) % (plain->size + 1) : take(script);
    size_t size;
    const uint8_t *bytes = take_bytes(script, 4096, &size);

    if (how == 0) {
        set_field(plain, (unsigned)at, bytes, size, out);
    } else if (how == 1) { /* instead of all */
        psn_buf_bytes(out, bytes, size);
    } else { /* over what is there, or between */
        size_t over = how == 2 ? size : 0;

        psn_buf_bytes(out, plain->data, at);
        psn_buf_bytes(out, bytes, size);
        if (at + over < plain->size)
            psn_buf_bytes(out, plain->data + at + over, plain->size - at - over);
    }
}

static enum psn_code edit_row(struct vault_script *script, struct psn_vault *vault,
                              const struct vault_row *row, const struct psn_secret *key)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PLAIN_MAX);
    PSN_AUTO_RELEASE(psn_buf) next = psn_buf_init_wiped(PLAIN_MAX);
    struct psn_row_key row_key = { .size = (size_t)row->key_size };
    uint64_t revision = 0;
    enum psn_code rc;

    memcpy(row_key.bytes, row->key, row_key.size);
    rc = psn_row_get(vault, row->table, &row_key, key, &plain, &revision, NULL);
    if (rc)
        return rc;
    change_plain(script, &plain, &next);
    rc = psn_buf_check(&next, NULL);
    return rc ? rc
              : psn_row_put(vault, row->table, &row_key, revision + 1, key,
                            next.data ? next.data : (const uint8_t *)"", next.size, NULL);
}

void vault_script_edit(struct vault_script *script, struct psn_vault *vault,
                       const char *client)
{
    const struct psn_secret *data_key = NULL;

    if (script->left == 0 || psn_vault_begin(vault, PSN_STORE_WRITE, NULL))
        return;
    script->has_insider = true;
    for (int i = 0; i < EDITS_MAX && script->left > 0; i++) {
        const struct vault_row *row = take_row(script, script->now);

        if (edit_row(script, vault, row, vault->rows_key) == PSN_E_INTEGRITY &&
            !psn_client_data_key(vault, client, &data_key, NULL))
            (void)!edit_row(script, vault, row, data_key);
    }
    (void)!psn_vault_end(vault, PSN_OK, NULL);
}
