#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/beside.h"
#include "base/file.h"
#include "base/i18n.h"
#include "base/text.h"
#include "store/internal.h"

/*
 * Opening, creating, closing.
 *
 * A file in use must never be taken for another one of the same name, since the WAL
 * beside it is found by name. Three rules keep that true:
 *  1. A vault appears under its name whole (place.c), with WAL already in its header, so
 *     that whoever opens it holds SQLite's shared lock from its first read on; copy.c
 *     replaces a vault only while nobody holds that.
 *  2. After that first read, and once it is in WAL mode (a killed rekey or restore leaves
 *     it without, and its readers without a lock), the name must still lead to the file
 *     that was opened. Until then it may be an old file that was read beside the log of a
 *     new one: what SQLite makes of that, be it damage, says nothing.
 *  3. So it must at the beginning of each transaction (transaction.c).
 */

enum {
    OPEN_TRIES = 5,
    URI_MAX = 16 * 1024, /* PATH_MAX, every byte of it escaped */
};

static enum psn_code store_new(const char *path, psn_store_hash_fn *hash,
                               struct psn_store **ret_store, struct psn_error *err)
{
    PSN_AUTO(psn_store) *store = calloc(1, sizeof *store);
    enum psn_code rc;

    if (!store) {
        (void)psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        return PSN_E_NOMEM;
    }
    store->hash = hash;
    store->claim = -1;
    store->path = strdup(path);
    if (!store->path) {
        (void)psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        return PSN_E_NOMEM;
    }
    rc = psn_tree_new(&store->nodes, err);
    if (!rc)
        rc = psn_cache_new(&store->cache, err);
    if (!rc)
        rc = psn_waiting_new(&store->waiting, err);
    if (!rc)
        rc = psn_place_resolve(path, &store->file, err);
    if (rc)
        return rc;
    *ret_store = PSN_TAKE(store);
    return PSN_OK;
}

/* Only looks: a descriptor of our own would, once closed, drop SQLite's locks. */
static enum psn_code check_regular(const struct psn_store *store, struct psn_error *err)
{
    struct stat info;

    if (lstat(store->file, &info) != 0 && errno == ENOENT) {
        (void)psn_fail(err, PSN_E_NOT_FOUND, _("there is no vault '%s'"), store->path);
        return psn_hint(err, PSN_E_NOT_FOUND, _("make one: passation init"));
    }
    if (lstat(store->file, &info) != 0)
        return psn_fail(err, PSN_E_IO, _("cannot open '%s': %s"), store->path,
                        strerror(errno));
    if (S_ISLNK(info.st_mode))
        return psn_fail(err, PSN_E_IO,
                        _("'%s' is a symbolic link, which is not followed"), store->path);
    if (!S_ISREG(info.st_mode))
        return psn_fail(err, PSN_E_IO, _("'%s' is not a regular file"), store->path);
    return psn_place_check_beside(store->file, err);
}

/* Opens `name` and reads its first page. A result code of SQLite. */
static int attach(struct psn_store *store, const char *name, int flags)
{
    int status = sqlite3_open_v2(name, &store->db,
                                 flags | SQLITE_OPEN_NOFOLLOW | SQLITE_OPEN_NOMUTEX |
                                     SQLITE_OPEN_PRIVATECACHE | SQLITE_OPEN_EXRESCODE,
                                 NULL);

    if (status == SQLITE_OK)
        status = psn_wal_watch(store);
    if (status == SQLITE_OK)
        status = psn_schema_configure(store->db);
    if (status == SQLITE_OK)
        status = sqlite3_exec(store->db, "PRAGMA schema_version", NULL, NULL, NULL);
    return status;
}

void psn_store_disconnect(struct psn_store *store)
{
    assert(store->open_scans == 0); /* else the connection outlives its methods */
    psn_sql_finalize_all(store);
    (void)sqlite3_close_v2(store->db);
    store->db = NULL;
    free(PSN_TAKE(store->wal));
}

/* "file:/home/jp/vault.db?immutable=1", every odd byte escaped. NULL without memory. */
static char *immutable_uri(const char *file)
{
    PSN_AUTO_RELEASE(psn_buf) uri = psn_buf_init(URI_MAX);
    char *text = NULL;

    psn_buf_text(&uri, "file:");
    for (const char *at = file; *at; at++) {
        if (psn_text_is_digit(*at) || psn_text_is_lower(*at) || psn_text_is_upper(*at) ||
            strchr("/-_.", *at))
            psn_buf_char(&uri, *at);
        else
            psn_buf_format(&uri, "%%%02X", (unsigned)(uint8_t)*at);
    }
    psn_buf_text(&uri, "?immutable=1");
    return psn_buf_take(&uri, &text, NULL) ? NULL : text;
}

/* WAL needs its two files beside the vault. Where they can neither be made nor are
 * there, the vault is a single file that nobody here can be writing. */
static int attach_immutable(struct psn_store *store)
{
    PSN_AUTO_FREE char *uri = immutable_uri(store->file);

    if (!uri)
        return SQLITE_NOMEM;
    store->read_only = true;
    return attach(store, uri, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
}

static enum psn_code fail_stuck_wal(const struct psn_store *store, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_IO,
                   _("cannot read the vault '%s': its latest changes lie in '%s-wal', "
                     "and the folder is read-only"),
                   store->path, store->path);
    return psn_hint(err, PSN_E_IO,
                    _("copy both files into a folder of your own, and open that copy"));
}

static bool is_folder_read_only(const char *file)
{
    PSN_AUTO_FREE char *dir = psn_file_dir_of(file);

    return dir && access(dir, W_OK) != 0;
}

static enum psn_code attach_any(struct psn_store *store, struct psn_error *err)
{
    int status = attach(store, store->file, SQLITE_OPEN_READWRITE);
    bool refused =
        (status & 0xff) == SQLITE_CANTOPEN || (status & 0xff) == SQLITE_READONLY;

    if (refused && is_folder_read_only(store->file)) {
        if (psn_place_has_wal(store->file))
            return fail_stuck_wal(store, err);
        psn_store_disconnect(store);
        status = attach_immutable(store);
    }
    if (status != SQLITE_OK)
        return psn_sql_fail(store->db, store->path, status, err);
    if (sqlite3_db_readonly(store->db, "main") == 1)
        store->read_only = true;
    /* SQLite does not write a file whose header says that only a newer one may. */
    if (store->read_only && access(store->file, W_OK) == 0 &&
        !is_folder_read_only(store->file))
        return psn_store_damaged(store, err);
    return PSN_OK;
}

bool psn_store_has_moved(struct psn_store *store)
{
    return store->db && psn_sql_has_moved(store->db);
}

static enum psn_code attach_checked(struct psn_store *store, struct psn_error *err)
{
    enum psn_code rc = attach_any(store, err);

    if (!rc)
        rc = psn_schema_check(store, err);
    return rc || store->read_only ? rc : psn_schema_make_durable(store, err);
}

enum psn_code psn_store_connect(struct psn_store *store, struct psn_error *err)
{
    enum psn_code rc = check_regular(store, err);

    /* In a folder that nobody here writes into, it is a snapshot to be read. */
    if (!rc && !is_folder_read_only(store->file))
        rc = psn_place_check_names(store->file, err);
    for (int i = 0; !rc; i++) {
        rc = attach_checked(store, err);
        if (!psn_store_has_moved(store))
            break;
        if (i == OPEN_TRIES)
            return psn_store_fail_moved(store, err);
        psn_store_disconnect(store);
        store->read_only = false;
        psn_error_clear(err);
        rc = PSN_OK;
    }
    return rc;
}

enum psn_code psn_store_open(const char *path, psn_store_hash_fn *hash,
                             struct psn_store **ret_store, struct psn_error *err)
{
    PSN_AUTO(psn_store) *store = NULL;
    enum psn_code rc = store_new(path, hash, &store, err);

    if (!rc)
        rc = psn_store_connect(store, err);
    if (rc)
        return rc;
    *ret_store = PSN_TAKE(store);
    return PSN_OK;
}

static enum psn_code check_still(const struct psn_store *store, struct psn_error *err)
{
    PSN_AUTO_FREE char *journal = psn_place_beside(store->file, PSN_BESIDE_JOURNAL);

    if (!journal)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    if (psn_place_has_wal(store->file) || access(journal, F_OK) == 0)
        return psn_fail(err, PSN_E_BUSY, _("the latest changes of '%s' lie beside it"),
                        store->path);
    return PSN_OK;
}

enum psn_code psn_store_open_still(const char *path, psn_store_hash_fn *hash,
                                   struct psn_store **ret_store, struct psn_error *err)
{
    PSN_AUTO(psn_store) *store = NULL;
    enum psn_code rc = store_new(path, hash, &store, err);
    int status;

    if (!rc)
        rc = check_regular(store, err);
    if (!rc)
        rc = check_still(store, err);
    if (rc)
        return rc;
    status = attach_immutable(store);
    if (status != SQLITE_OK)
        return psn_sql_fail(store->db, store->path, status, err);
    rc = psn_schema_check(store, err);
    if (!rc)
        *ret_store = PSN_TAKE(store);
    return rc;
}

/* Makes the tables in the empty file store->unborn. */
static enum psn_code conceive(struct psn_store *store, struct psn_error *err)
{
    int status = attach(store, store->unborn, SQLITE_OPEN_READWRITE);

    if (status != SQLITE_OK)
        return psn_sql_fail(store->db, store->path, status, err);
    return psn_schema_create(store, err);
}

enum psn_code psn_store_create(const char *path, psn_store_hash_fn *hash,
                               struct psn_store **ret_store, struct psn_error *err)
{
    PSN_AUTO(psn_store) *store = NULL;
    enum psn_code rc = store_new(path, hash, &store, err);

    assert(rc || store);
    if (!rc)
        rc = psn_beside_check(store->file, err);
    if (!rc)
        rc = psn_place_check_free(store->file, err);
    if (!rc)
        rc = psn_place_sibling(store->file, &store->unborn, &store->claim, err);
    if (!rc)
        rc = conceive(store, err);
    if (rc)
        return rc;
    *ret_store = PSN_TAKE(store);
    return PSN_OK;
}

enum psn_code psn_store_create_draft(const char *path, psn_store_hash_fn *hash,
                                     struct psn_store **ret_store, struct psn_error *err)
{
    PSN_AUTO(psn_store) *store = NULL;
    enum psn_code rc = store_new(path, hash, &store, err);

    assert(rc || store);
    if (!rc)
        rc = psn_place_check_free(store->file, err);
    if (!rc)
        rc = psn_place_make(store->file, err);
    if (rc)
        return rc;
    store->unborn = strdup(store->file);
    if (!store->unborn) {
        psn_place_remove(store->file);
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    }
    rc = conceive(store, err);
    if (rc)
        return rc;
    *ret_store = PSN_TAKE(store);
    return PSN_OK;
}

bool psn_store_is_born(const struct psn_store *store)
{
    return store && !store->unborn;
}

void psn_store_alone(void)
{
    (void)sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
}

void psn_store_keep_log(struct psn_store *store)
{
    store->wrote = false;
}

void psn_store_leave_no_log(struct psn_store *store)
{
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
}

void psn_store_free(struct psn_store *store)
{
    if (!store)
        return;
    assert(store->open_scans == 0);
    psn_store_rollback(store);
    if (store->db && store->wrote && !store->unborn)
        psn_wal_tidy(store);
    psn_store_disconnect(store);
    if (store->unborn)
        psn_place_remove(store->unborn);
    psn_place_unclaim(&store->claim);
    free(store->unborn);
    psn_tree_free(store->nodes);
    psn_leaves_release(&store->leaves);
    psn_cache_free(store->cache);
    psn_waiting_free(store->waiting);
    free(store->file);
    free(store->path);
    free(store);
}
