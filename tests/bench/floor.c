/*
 * The smallest program that does what a vault does, with libsodium and SQLite and nothing
 * else: what passation is held against. Each secret is one row, whose key is a keyed hash
 * of its name and whose box is name and value under XChaCha20-Poly1305. It writes as
 * durably (a log, synced with each commit). There is no state that is authenticated, no
 * journal, no history, no version, no terminal, no message: what these cost is the
 * difference.
 *
 *     floor start                          the libraries, and nothing
 *     floor make DB KEY COUNT              a new DB with COUNT secrets, under a new key
 * in KEY floor get DB KEY NAME                one value floor list DB KEY all names, each
 * from its box floor add DB KEY NAME                one more; its value on standard input
 *     floor share DB KEY NAME PERSON FILE  a row that says so, and the value sealed in
 * FILE floor revoke DB KEY NAME PERSON      the row goes floor import DB KEY lines
 * NAME,VALUE on standard input, in one commit floor rows DB COUNT KEY BOX          COUNT
 * rows of KEY and BOX random bytes, in one commit: SQLite alone
 *
 * The key is 32 bytes in a file, as passation has it from its agent. Says nothing of
 * errors but where they are: bench.py makes no input that has any.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <sqlite3.h>

enum {
    NAME_MAX_SIZE = 320,
    VALUE_MAX_SIZE = 1024,
    ID_SIZE = 16,
    KEY_SIZE = crypto_aead_xchacha20poly1305_ietf_KEYBYTES,
    NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES,
    PAD = 64, /* as passation pads */
    PLAIN_MAX = NAME_MAX_SIZE + VALUE_MAX_SIZE + PAD,
    BOX_MAX = NONCE_SIZE + PLAIN_MAX + TAG_SIZE,
};

static const char schema[] =
    "CREATE TABLE secret (id BLOB NOT NULL PRIMARY KEY, box BLOB NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE shared (id BLOB NOT NULL PRIMARY KEY, box BLOB NOT NULL)"
    " STRICT, WITHOUT ROWID";

static sqlite3 *db;
static uint8_t key[KEY_SIZE];

static void check(int is_good, const char *where)
{
    if (is_good)
        return;
    (void)fprintf(stderr, "floor: %s: %s\n", where, db ? sqlite3_errmsg(db) : "");
    exit(1);
}

static void run(const char *sql)
{
    check(sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK, sql);
}

static void open_db(const char *path)
{
    check(sqlite3_open(path, &db) == SQLITE_OK, path);
    /* As passation does: closing copies no log. */
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    run("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = "
        "ON");
}

static void read_key(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    check(fd >= 0 && read(fd, key, KEY_SIZE) == KEY_SIZE, path);
    (void)close(fd);
}

static sqlite3_stmt *prepare(const char *sql)
{
    sqlite3_stmt *stmt = NULL;

    check(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL) == SQLITE_OK, sql);
    return stmt;
}

static void id_of(const char *name, const char *more, uint8_t id[ID_SIZE])
{
    crypto_generichash_state state;

    (void)crypto_generichash_init(&state, key, KEY_SIZE, ID_SIZE);
    (void)crypto_generichash_update(&state, (const uint8_t *)name, strlen(name) + 1);
    (void)crypto_generichash_update(&state, (const uint8_t *)more, strlen(more));
    (void)crypto_generichash_final(&state, id, ID_SIZE);
}

/* The box of "NAME\0VALUE", bound to its row. */
static int seal(const uint8_t id[ID_SIZE], const char *name, const char *value,
                uint8_t box[BOX_MAX])
{
    uint8_t plain[PLAIN_MAX] = { 0 };
    size_t name_size = strlen(name) + 1;
    size_t value_size = strnlen(value, PLAIN_MAX);
    size_t size = 0;

    check(name_size <= NAME_MAX_SIZE && value_size <= VALUE_MAX_SIZE, "sizes");
    memcpy(plain, name, name_size);
    memcpy(plain + name_size, value, value_size);
    (void)sodium_pad(&size, plain, name_size + value_size, PAD, PLAIN_MAX);
    randombytes_buf(box, NONCE_SIZE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(box + NONCE_SIZE, NULL, plain, size,
                                                     id, ID_SIZE, NULL, box, key);
    sodium_memzero(plain, sizeof plain);
    return (int)(NONCE_SIZE + size + TAG_SIZE);
}

/* The plain text of a row: its name, with a NUL, then its value, with one. */
static const char *unseal(sqlite3_stmt *row, char plain[PLAIN_MAX + 1])
{
    const uint8_t *id = sqlite3_column_blob(row, 0);
    const uint8_t *box = sqlite3_column_blob(row, 1);
    size_t size = (size_t)sqlite3_column_bytes(row, 1);

    check(size >= NONCE_SIZE + TAG_SIZE && size <= BOX_MAX, "box");
    check(crypto_aead_xchacha20poly1305_ietf_decrypt((uint8_t *)plain, NULL, NULL,
                                                     box + NONCE_SIZE, size - NONCE_SIZE,
                                                     id, ID_SIZE, box, key) == 0,
          "unseal");
    size -= NONCE_SIZE + TAG_SIZE;
    check(sodium_unpad(&size, (const uint8_t *)plain, size, PAD) == 0, "padding");
    plain[size] = '\0';
    return plain + strlen(plain) + 1;
}

static void put(sqlite3_stmt *stmt, const char *name, const char *more, const char *value)
{
    uint8_t id[ID_SIZE];
    uint8_t box[BOX_MAX];

    id_of(name, more, id);
    (void)sqlite3_bind_blob(stmt, 1, id, ID_SIZE, SQLITE_STATIC);
    (void)sqlite3_bind_blob(stmt, 2, box, seal(id, name, value, box), SQLITE_STATIC);
    check(sqlite3_step(stmt) == SQLITE_DONE, "put");
    (void)sqlite3_reset(stmt);
}

static void find(const char *name, char plain[PLAIN_MAX + 1], const char **ret_value)
{
    sqlite3_stmt *stmt = prepare("SELECT id, box FROM secret WHERE id = ?");
    uint8_t id[ID_SIZE];

    id_of(name, "", id);
    (void)sqlite3_bind_blob(stmt, 1, id, ID_SIZE, SQLITE_STATIC);
    check(sqlite3_step(stmt) == SQLITE_ROW, "no such name");
    *ret_value = unseal(stmt, plain);
    (void)sqlite3_finalize(stmt);
}

static void make(const char *key_path, const char *count)
{
    int fd = open(key_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    sqlite3_stmt *stmt;
    unsigned long rows = strtoul(count, NULL, 10);

    randombytes_buf(key, KEY_SIZE);
    check(fd >= 0 && write(fd, key, KEY_SIZE) == KEY_SIZE && close(fd) == 0, key_path);
    run("BEGIN");
    run(schema);
    stmt = prepare("INSERT INTO secret VALUES (?, ?)");
    for (unsigned long i = 0; i < rows; i++) {
        char name[64];
        char value[32];
        uint8_t bytes[12];

        (void)snprintf(name, sizeof name, "box%lu@d%lu.example", i % 100, i / 100);
        randombytes_buf(bytes, sizeof bytes);
        put(stmt, name, "", sodium_bin2hex(value, sizeof value, bytes, sizeof bytes));
    }
    (void)sqlite3_finalize(stmt);
    run("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
}

static void get(const char *name)
{
    char plain[PLAIN_MAX + 1];
    const char *value;

    find(name, plain, &value);
    (void)puts(value);
    sodium_memzero(plain, sizeof plain);
}

/* A row of its own each time: those who read are not few. */
static void note(const char *name)
{
    uint8_t bytes[ID_SIZE];
    char when[2 * ID_SIZE + 1];

    randombytes_buf(bytes, sizeof bytes);
    run("BEGIN IMMEDIATE");
    put(prepare("INSERT INTO shared VALUES (?, ?)"), name,
        sodium_bin2hex(when, sizeof when, bytes, sizeof bytes), "read");
    run("COMMIT");
    get(name);
}

static void list(void)
{
    sqlite3_stmt *stmt = prepare("SELECT id, box FROM secret");
    char plain[PLAIN_MAX + 1];

    while (sqlite3_step(stmt) == SQLITE_ROW) {
        (void)unseal(stmt, plain);
        (void)puts(plain);
    }
    (void)sqlite3_finalize(stmt);
}

static void add(const char *name)
{
    char value[VALUE_MAX_SIZE];

    check(fgets(value, sizeof value, stdin) != NULL, "no value");
    value[strcspn(value, "\n")] = '\0';
    run("BEGIN IMMEDIATE");
    put(prepare("INSERT INTO secret VALUES (?, ?)"), name, "", value);
    run("COMMIT");
}

/* Anybody's key will do: the work is the same. */
static void write_sealed(const char *path, const char *value)
{
    uint8_t public[crypto_box_PUBLICKEYBYTES];
    uint8_t secret[crypto_box_SECRETKEYBYTES];
    uint8_t sealed[VALUE_MAX_SIZE + crypto_box_SEALBYTES];
    size_t size = strlen(value) + crypto_box_SEALBYTES;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    (void)crypto_box_keypair(public, secret);
    (void)crypto_box_seal(sealed, (const uint8_t *)value, strlen(value), public);
    check(fd >= 0 && write(fd, sealed, size) == (ssize_t)size && fsync(fd) == 0, path);
    (void)close(fd);
}

static void share(const char *name, const char *person, const char *path)
{
    char plain[PLAIN_MAX + 1];
    const char *value;

    run("BEGIN IMMEDIATE");
    find(name, plain, &value);
    put(prepare("INSERT INTO shared VALUES (?, ?)"), name, person, person);
    run("COMMIT");
    write_sealed(path, value);
}

static void end_share(const char *name, const char *person)
{
    sqlite3_stmt *stmt;
    uint8_t id[ID_SIZE];

    id_of(name, person, id);
    run("BEGIN IMMEDIATE");
    stmt = prepare("DELETE FROM shared WHERE id = ?");
    (void)sqlite3_bind_blob(stmt, 1, id, ID_SIZE, SQLITE_STATIC);
    check(sqlite3_step(stmt) == SQLITE_DONE && sqlite3_changes(db) == 1, "revoke");
    run("COMMIT");
}

static void import(void)
{
    sqlite3_stmt *stmt;
    char line[NAME_MAX_SIZE + VALUE_MAX_SIZE];

    run("BEGIN IMMEDIATE");
    stmt = prepare("INSERT INTO secret VALUES (?, ?)");
    while (fgets(line, sizeof line, stdin)) {
        char *value = strchr(line, ',');

        check(value != NULL, "line");
        *value++ = '\0';
        value[strcspn(value, "\n")] = '\0';
        put(stmt, line, "", value);
    }
    run("COMMIT");
}

static void insert_rows(unsigned long count, int key_size, int box_size)
{
    sqlite3_stmt *stmt;
    static uint8_t bytes[8192];

    check(key_size > 0 && box_size > 0 && key_size + box_size <= (int)sizeof bytes,
          "sizes");
    run("BEGIN");
    run(schema);
    stmt = prepare("INSERT INTO secret VALUES (?, ?)");
    randombytes_buf(bytes, sizeof bytes);
    for (unsigned long i = 0; i < count; i++) {
        (void)crypto_generichash(bytes, 16, (const uint8_t *)&i, sizeof i, NULL, 0);
        (void)sqlite3_bind_blob(stmt, 1, bytes, key_size, SQLITE_STATIC);
        (void)sqlite3_bind_blob(stmt, 2, bytes + key_size, box_size, SQLITE_STATIC);
        check(sqlite3_step(stmt) == SQLITE_DONE, "row");
        (void)sqlite3_reset(stmt);
    }
    run("COMMIT");
}

static int derive(unsigned long long passes, size_t memory)
{
    static const uint8_t salt[crypto_pwhash_SALTBYTES];

    return crypto_pwhash(key, sizeof key, "passphrase", 10, salt, passes, memory,
                         crypto_pwhash_ALG_ARGON2ID13) == 0
               ? 0
               : 1;
}

static int with_key(const char *verb, int argc, char **argv)
{
    read_key(argv[3]);
    if (strcmp(verb, "get") == 0 && argc == 5)
        get(argv[4]);
    else if (strcmp(verb, "note") == 0 && argc == 5)
        note(argv[4]);
    else if (strcmp(verb, "list") == 0 && argc == 4)
        list();
    else if (strcmp(verb, "add") == 0 && argc == 5)
        add(argv[4]);
    else if (strcmp(verb, "share") == 0 && argc == 7)
        share(argv[4], argv[5], argv[6]);
    else if (strcmp(verb, "revoke") == 0 && argc == 6)
        end_share(argv[4], argv[5]);
    else if (strcmp(verb, "import") == 0 && argc == 4)
        import();
    else
        return 2;
    return 0;
}

int main(int argc, char **argv)
{
    const char *verb = argc > 1 ? argv[1] : "";
    int rc = 0;

    if (sodium_init() < 0 || sqlite3_initialize() != SQLITE_OK)
        return 1;
    if (argc == 4 && strcmp(verb, "kdf") == 0)
        return derive(strtoull(argv[2], NULL, 10), strtoul(argv[3], NULL, 10));
    if (argc < 4)
        return strcmp(verb, "start") == 0 ? 0 : 2;
    (void)umask(077);
    open_db(argv[2]);
    if (strcmp(verb, "make") == 0 && argc == 5)
        make(argv[3], argv[4]);
    else if (strcmp(verb, "rows") == 0 && argc == 6)
        insert_rows(strtoul(argv[3], NULL, 10), (int)strtol(argv[4], NULL, 10),
                    (int)strtol(argv[5], NULL, 10));
    else
        rc = with_key(verb, argc, argv);
    check(sqlite3_close_v2(db) == SQLITE_OK, "close");
    return rc;
}
