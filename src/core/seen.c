#include <errno.h>
#include <stdio.h>
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
 *
 * It is outside the vault, so that who puts yesterday's file back does not put it back
 * too. It holds nothing secret and is written after the commit, in a long run once a
 * second and at its end: a crash in between leaves an older record, which is an ancestor
 * of the state.
 */
enum {
    SEEN_FILE_MAX = 512,
    SEEN_PAUSE_MS = 1000,
};

static enum psn_code seen_path(const struct psn_vault *vault, struct psn_buf *path,
                               struct psn_error *err)
{
    char id[2 * PSN_VAULT_ID_SIZE + 1];

    psn_buf_format(path, "%s/seen-%s", vault->state_dir,
                   psn_hex(vault->id, sizeof vault->id, id));
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

static bool parse_seen(char *text, struct psn_seen_state *ret_seen)
{
    char *value;

    return field(&text, "passation-seen", &value) && strcmp(value, "1") == 0 &&
           field(&text, "generation", &value) &&
           psn_text_parse_u64(value, UINT64_MAX, &ret_seen->generation) &&
           field(&text, "entries", &value) &&
           psn_text_parse_u64(value, UINT64_MAX, &ret_seen->entries) &&
           field(&text, "history", &value) &&
           parse_hex(value, ret_seen->history, sizeof ret_seen->history) && *text == '\0';
}

/* A record that is torn, by a power cut perhaps, is no record, and is told. */
static enum psn_code read_seen(const struct psn_vault *vault,
                               struct psn_seen_record *ret_record, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(4096);
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(SEEN_FILE_MAX);
    enum psn_code rc;

    ret_record->found = false;
    ret_record->damaged = false;
    if (!vault->state_dir)
        return PSN_OK;
    rc = seen_path(vault, &path, err);
    if (rc)
        return rc;
    rc = psn_file_read(psn_buf_str(&path), &text, NULL);
    if (rc == PSN_E_NOMEM)
        return psn_fail(err, rc, _("out of memory"));
    if (!rc && text.size > 0)
        ret_record->found = parse_seen((char *)text.data, &ret_record->state);
    ret_record->damaged = rc != PSN_E_NOT_FOUND && !ret_record->found;
    return PSN_OK;
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

static void note_damaged(struct psn_vault *vault)
{
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(4096);

    psn_error_clear(&vault->seen_why);
    if (!seen_path(vault, &path, NULL))
        PSN_IGNORE(
            psn_fail(&vault->seen_why, PSN_E_IO,
                     _("'%s', which tells an older copy of the vault from the newest, "
                       "cannot be read: this one may be older"),
                     psn_buf_str(&path)));
}

enum psn_code psn_seen_read(const struct psn_vault *vault,
                            struct psn_seen_record *ret_record, struct psn_error *err)
{
    return read_seen(vault, ret_record, err);
}

enum psn_code psn_seen_check(struct psn_vault *vault,
                             const struct psn_seen_record *record, struct psn_error *err)
{
    const struct psn_seen_state *seen = &record->state;
    bool ancestor = false;
    enum psn_code rc;

    vault->seen = PSN_SEEN_UNKNOWN;
    if (record->damaged)
        note_damaged(vault);
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

static enum psn_code write_text(const struct psn_vault *vault, const char *path,
                                const struct psn_buf *text, struct psn_error *err)
{
    enum psn_code rc = psn_file_make_dir(vault->state_dir, err);

    if (!rc)
        rc = psn_file_write(path, text->data, text->size, PSN_FILE_HINT, err);
    return rc ? psn_wrap(err, rc,
                         _("an older copy that takes this vault's place will not be "
                           "noticed here"))
              : PSN_OK;
}

static void write_seen(struct psn_vault *vault)
{
    struct psn_error why = { 0 };
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(4096);
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(SEEN_FILE_MAX);
    const struct psn_seen_state *noted = &vault->noted;
    char history[2 * PSN_STORE_HASH_SIZE + 1];

    vault->is_noted = false;
    vault->noted_ms = psn_clock_boot_ms();
    if (!vault->state_dir || seen_path(vault, &path, NULL))
        return;
    psn_buf_format(&text, "passation-seen 1\ngeneration %llu\nentries %llu\nhistory %s\n",
                   (unsigned long long)noted->generation,
                   (unsigned long long)noted->entries,
                   psn_hex(noted->history, sizeof noted->history, history));
    if (!psn_buf_check(&text, NULL) && write_text(vault, psn_buf_str(&path), &text, &why))
        vault->seen_why = why;
}

/* The folder, or the one in which it would be made. */
enum psn_code psn_seen_check_place(const struct psn_vault *vault, struct psn_error *err)
{
    PSN_AUTO_FREE char *folder = vault->state_dir ? strdup(vault->state_dir) : NULL;

    if (vault->state_dir && !folder)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    while (folder && access(folder, W_OK | X_OK) != 0) {
        char *slash = strrchr(folder, '/');

        if (errno != ENOENT || !slash || slash == folder)
            return psn_fail(err, psn_file_code(errno),
                            _("nothing of what was seen can be recorded in '%s': %s"),
                            vault->state_dir, strerror(errno));
        *slash = '\0';
    }
    return PSN_OK;
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
    struct psn_seen_record there;

    if (vault->store && psn_store_has_moved(vault->store))
        return true;
    return !read_seen(vault, &there, NULL) && there.found &&
           there.state.generation > vault->noted.generation;
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
    PSN_AUTO_RELEASE(psn_buf) path = psn_buf_init(4096);
    enum psn_code rc = vault->state_dir ? seen_path(vault, &path, err) : PSN_OK;

    if (rc || !vault->state_dir || unlink(psn_buf_str(&path)) == 0 || errno == ENOENT)
        return rc;
    return psn_fail(err, psn_file_code(errno), _("cannot remove '%s': %s"),
                    psn_buf_str(&path), strerror(errno));
}
