#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "core/state.h"
#include "crypto/hash.h"

/*
 * One small text file per vault:
 *
 *     passation-seen 1
 *     generation 42
 *     entries 97
 *     history 5e…
 *     path /home/sophie/.local/share/passation/vault.db
 *
 * It is outside the vault, so that who puts yesterday's file back does not put it back
 * too. It holds nothing secret and is written after the commit, in a long run once a
 * second and at its end: a crash in between leaves an older record, which is an ancestor
 * of the state. A backup that is restored elsewhere, to be looked at, goes on apart: it
 * has a record of its own, named by its path too, or the vault would be called older.
 */
enum {
    SEEN_PATH_MAX = 4096,
    SEEN_FILE_MAX = 512 + SEEN_PATH_MAX,
    SEEN_PAUSE_MS = 1000,
    PLACE_BYTES = 8,
};

struct record {
    struct psn_seen_state state;
    bool found;
    char place[SEEN_PATH_MAX]; /* "": not noted */
};

/* Absolute; links in it are not followed. "" where that cannot be told. */
static void place_of(const struct psn_vault *vault, char out[SEEN_PATH_MAX])
{
    const char *path = vault->seen_place ? vault->seen_place : vault->path;
    char folder[SEEN_PATH_MAX] = "";

    if (path[0] != '/' && !getcwd(folder, sizeof folder))
        path = "";
    if (snprintf(out, SEEN_PATH_MAX, "%s%s%s", folder, folder[0] ? "/" : "", path) >=
            SEEN_PATH_MAX ||
        strchr(out, '\n'))
        out[0] = '\0';
}

/* apart: of what lies there, and of nothing else. */
static enum psn_code name_record(const struct psn_vault *vault, const char *place,
                                 bool apart, struct psn_buf *path, struct psn_error *err)
{
    const struct psn_part part = { place, strlen(place) };
    uint8_t hash[PSN_HASH_SIZE];
    char id[2 * PSN_VAULT_ID_SIZE + 1];

    psn_buf_format(path, "%s/seen-%s", vault->state_dir,
                   psn_hex(vault->id, sizeof vault->id, id));
    if (apart) {
        psn_hash(&part, 1, hash);
        psn_buf_format(path, "-%s", psn_hex(hash, PLACE_BYTES, id));
    }
    return psn_buf_check(path, err);
}

static bool parse_hex(const char *text, uint8_t *out, size_t size)
{
    for (size_t i = 0; i < 2 * size; i++) {
        char c = text[i];
        int digit = psn_text_is_digit(c)   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                           : -1;

        if (digit < 0)
            return false;
        out[i / 2] = (uint8_t)(i % 2 ? out[i / 2] | digit : digit << 4);
    }
    return text[2 * size] == '\0';
}

/* The value of "NAME value" in a file of one field a line, cut out in place. */
static bool field(char **cursor, const char *name, char **ret_value)
{
    size_t length = strlen(name);
    char *end = strchr(*cursor, '\n');

    if (!end || strncmp(*cursor, name, length) != 0 || (*cursor)[length] != ' ')
        return false;
    *end = '\0';
    *ret_value = *cursor + length + 1;
    *cursor = end + 1;
    return true;
}

static bool parse_seen(char *text, struct record *ret_seen)
{
    char *value;
    char *place = ret_seen->place;
    bool is_read =
        field(&text, "passation-seen", &value) && strcmp(value, "1") == 0 &&
        field(&text, "generation", &value) &&
        psn_text_parse_u64(value, UINT64_MAX, &ret_seen->state.generation) &&
        field(&text, "entries", &value) &&
        psn_text_parse_u64(value, UINT64_MAX, &ret_seen->state.entries) &&
        field(&text, "history", &value) &&
        parse_hex(value, ret_seen->state.history, sizeof ret_seen->state.history);

    if (is_read && field(&text, "path", &value) && strlen(value) < SEEN_PATH_MAX)
        memcpy(place, value, strlen(value) + 1);
    return is_read && *text == '\0';
}

/* A record that is absent or torn by a power cut is no record. One that a disk does not
 * give may be another copy's: nobody writes over it. */
static enum psn_code read_file(const char *path, struct record *ret_record,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(SEEN_FILE_MAX);
    struct psn_error why = { 0 };
    enum psn_code rc = psn_file_read(path, &text, &why);

    *ret_record = (struct record){ .found = false };
    if (rc == PSN_E_NOMEM || rc == PSN_E_IO)
        return psn_fail(err, rc, "%s", why.message);
    if (!rc && text.size > 0)
        ret_record->found = parse_seen((char *)text.data, ret_record);
    return PSN_OK;
}

/* The record of this vault, and its path: the one apart where there is one. */
static enum psn_code find_record(const struct psn_vault *vault, struct psn_buf *path,
                                 struct record *ret_record, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) apart = psn_buf_init(SEEN_PATH_MAX);
    struct record own;
    char place[SEEN_PATH_MAX];
    enum psn_code rc = name_record(vault, "", false, path, err);

    if (!rc)
        rc = read_file(psn_buf_str(path), ret_record, err);
    if (rc)
        return rc;
    place_of(vault, place);
    if (!vault->is_seen_apart &&
        (!ret_record->place[0] || strcmp(ret_record->place, place) == 0))
        return PSN_OK;
    rc = name_record(vault, place, true, &apart, err);
    if (!rc)
        rc = read_file(psn_buf_str(&apart), &own, err);
    if (rc || (!own.found && !vault->is_seen_apart))
        return rc;
    *ret_record = own;
    psn_buf_reset(path);
    psn_buf_text(path, psn_buf_str(&apart));
    return psn_buf_check(path, err);
}

static enum psn_code read_seen(const struct psn_vault *vault,
                               struct psn_seen_state *ret_seen, bool *ret_found,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(SEEN_PATH_MAX);
    struct psn_error why = { 0 };
    struct record record;
    enum psn_code rc;

    *ret_found = false;
    if (!vault->state_dir)
        return PSN_OK;
    rc = find_record(vault, &path, &record, &why);
    if (rc == PSN_E_NOMEM)
        return psn_fail(err, rc, "%s", why.message);
    if (rc) /* not checkable here */
        return PSN_OK;
    *ret_seen = record.state;
    *ret_found = record.found;
    return PSN_OK;
}

enum psn_code psn_seen_place(struct psn_vault *vault, const char *path,
                             struct psn_error *err)
{
    char *copy = strdup(path);

    if (!copy)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    free(vault->seen_place);
    vault->seen_place = copy;
    return PSN_OK;
}

/* Where a disk does not tell, it is there. */
static bool is_gone(const char *path)
{
    return access(path, F_OK) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

enum psn_code psn_seen_part(struct psn_vault *vault, const char *path,
                            struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) general = psn_buf_init(SEEN_PATH_MAX);
    struct record record = { .found = false };
    char place[SEEN_PATH_MAX];
    enum psn_code rc = psn_seen_place(vault, path, err);

    if (rc || !vault->state_dir)
        return rc;
    rc = name_record(vault, "", false, &general, err);
    if (!rc)
        rc = read_file(psn_buf_str(&general), &record, err);
    place_of(vault, place);
    vault->is_seen_apart = !rc && record.place[0] && place[0] &&
                           strcmp(record.place, place) != 0 && !is_gone(record.place);
    return rc;
}

static enum psn_code fail_rolled_back(const struct psn_vault *vault,
                                      const struct psn_seen_state *seen,
                                      struct psn_error *err)
{
    (void)psn_fail(
        err, PSN_E_ROLLED_BACK,
        _("'%s' is an older copy: it is at state %llu, and state %llu was seen here"),
        vault->path, (unsigned long long)vault->state.generation,
        (unsigned long long)seen->generation);
    return psn_hint(
        err, PSN_E_ROLLED_BACK,
        _("find the newer file; if it is lost: passation restore --accept-older FILE, "
          "then passation verify '*'"));
}

enum psn_code psn_seen_read(const struct psn_vault *vault,
                            struct psn_seen_record *ret_record, struct psn_error *err)
{
    return read_seen(vault, &ret_record->state, &ret_record->found, err);
}

enum psn_code psn_seen_check(struct psn_vault *vault,
                             const struct psn_seen_record *record, struct psn_error *err)
{
    const struct psn_seen_state *seen = &record->state;
    bool ancestor = false;
    enum psn_code rc;

    vault->seen = PSN_SEEN_UNKNOWN;
    if (!record->found)
        return PSN_OK;
    if (vault->state.generation < seen->generation)
        return fail_rolled_back(vault, seen, err);
    rc = psn_state_check_ancestor(vault, seen->generation, seen->history, &ancestor, err);
    if (rc)
        return rc;
    if (!ancestor) {
        (void)psn_fail(
            err, PSN_E_FORKED,
            _("'%s' is another copy: it went on from an older state than the one seen "
              "here"),
            vault->path);
        return psn_hint(
            err, PSN_E_FORKED,
            _("two copies of this vault were used; keep the one whose passwords work "
              "(passation verify), and take it over with: passation restore "
              "--accept-older FILE"));
    }
    vault->seen =
        vault->state.generation == seen->generation ? PSN_SEEN_SAME : PSN_SEEN_OLDER;
    return PSN_OK;
}

static void write_seen(struct psn_vault *vault)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(SEEN_PATH_MAX);
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(SEEN_FILE_MAX);
    const struct psn_seen_state *noted = &vault->noted;
    struct record there;
    char history[2 * PSN_STORE_HASH_SIZE + 1];
    char place[SEEN_PATH_MAX];

    vault->is_noted = false;
    vault->noted_ms = psn_clock_boot_ms();
    if (!vault->state_dir || find_record(vault, &path, &there, NULL))
        return;
    psn_buf_format(&text, "passation-seen 1\ngeneration %llu\nentries %llu\nhistory %s\n",
                   (unsigned long long)noted->generation,
                   (unsigned long long)noted->entries,
                   psn_hex(noted->history, sizeof noted->history, history));
    place_of(vault, place);
    if (place[0])
        psn_buf_format(&text, "path %s\n", place);
    if (psn_buf_check(&text, NULL) || psn_file_make_dir(vault->state_dir, NULL))
        return;
    PSN_IGNORE(
        psn_file_write(psn_buf_str(&path), text.data, text.size, PSN_FILE_HINT, NULL));
}

static void note(struct psn_vault *vault)
{
    vault->noted.generation = vault->state.generation;
    vault->noted.entries = vault->state.journal_entries;
    memcpy(vault->noted.history, vault->state.history, sizeof vault->noted.history);
    vault->is_noted = true;
}

void psn_seen_note(struct psn_vault *vault)
{
    note(vault);
    psn_seen_flush_due(vault);
}

void psn_seen_flush_due(struct psn_vault *vault)
{
    if (vault->is_noted && psn_clock_boot_ms() - vault->noted_ms >= SEEN_PAUSE_MS)
        psn_seen_flush(vault);
}

/* Another process may have gone on from there meanwhile, or put an older vault in its
 * place: then its record is the one that counts. */
static bool is_outdated(const struct psn_vault *vault)
{
    struct psn_seen_state there;
    bool found = false;

    if (vault->store && psn_store_has_moved(vault->store))
        return true;
    return !read_seen(vault, &there, &found, NULL) && found &&
           there.generation > vault->noted.generation;
}

void psn_seen_flush(struct psn_vault *vault)
{
    if (!vault->is_noted)
        return;
    if (is_outdated(vault))
        vault->is_noted = false;
    else
        write_seen(vault);
}

void psn_seen_write(struct psn_vault *vault)
{
    note(vault);
    write_seen(vault);
}

enum psn_code psn_seen_forget(const struct psn_vault *vault, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(SEEN_PATH_MAX);
    struct record record;
    enum psn_code rc =
        vault->state_dir ? find_record(vault, &path, &record, err) : PSN_OK;

    if (rc || !vault->state_dir || unlink(psn_buf_str(&path)) == 0 || errno == ENOENT)
        return rc;
    return psn_fail(err, psn_file_code(errno), _("cannot remove '%s': %s"),
                    psn_buf_str(&path), strerror(errno));
}
