#include "core/statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "age/identity.h"
#include "base/allow.h"
#include "base/clock.h"
#include "base/i18n.h"
#include "base/text.h"
#include "core/client.h"
#include "core/destruction.h"
#include "core/journal.h"
#include "core/own_key.h"
#include "crypto/hash.h"
#include "crypto/sign.h"
#include "passation/signature.h"

static const char begin_line[] = "\n-----BEGIN SSH SIGNATURE-----\n";
static const char end_line[] = "-----END SSH SIGNATURE-----\n";
static const char change_line[] = "\nStatement: key rotation\n";
static const char name_space[] = "passation-statement";

enum {
    LINE_MAX_BYTES = 1024,
    SIGNATURES_MAX = 8,
    STATEMENT_TEXT_MAX = 8 * 1024 * 1024,
};

/* --- writing --- */

static enum psn_code put_key(const char *name, const struct psn_secret *seed,
                             struct psn_buf *out, struct psn_error *err)
{
    uint8_t key[PSN_SIGN_PUBLIC_SIZE];
    char ssh[PSN_SSH_KEY_TEXT_MAX];
    char fingerprint[PSN_FINGERPRINT_MAX];
    enum psn_code rc = psn_sign_public(seed, key, err);

    if (rc)
        return rc;
    psn_sign_ssh_text(key, ssh);
    psn_sign_fingerprint(key, fingerprint);
    psn_buf_format(out, "%s-Key: %s\n%s-Fingerprint: %s\n", name, ssh, name, fingerprint);
    return PSN_OK;
}

static enum psn_code put_signature(const struct psn_secret *seed,
                                   const struct psn_buf *text, struct psn_buf *out,
                                   struct psn_error *err)
{
    PSN_AUTO_FREE char *armor = NULL;
    struct psn_stream_memory memory = { text->data, text->size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    enum psn_code rc = psn_sshsig_sign(seed, name_space, &source, &armor, err);

    if (rc)
        return rc;
    psn_buf_text(out, armor);
    return psn_buf_check(out, err);
}

enum psn_code psn_statement_of_change(struct psn_vault *vault,
                                      const struct psn_key_change *change,
                                      struct psn_buf *out, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(PSN_STATEMENT_MAX - 1);
    char id[2 * PSN_VAULT_ID_SIZE + 1];
    char head[2 * PSN_HEAD_SIZE + 1];
    char now[PSN_TIME_SIZE];
    char age[PSN_AGE_RECIPIENT_MAX];
    enum psn_code rc = psn_age_recipient(change->new_scalar, age, err);

    psn_buf_format(&text, "passation-statement 1%sVault: %s\n", change_line,
                   psn_hex(vault->id, sizeof vault->id, id));
    psn_buf_format(&text, "Date: %s\n", psn_clock_format(vault->world.now_s(), now));
    if (!rc)
        rc = put_key("Former", change->old_seed, &text, err);
    if (!rc)
        rc = put_key("New", change->new_seed, &text, err);
    if (rc)
        return rc;
    psn_buf_format(
        &text, "New-Age: %s\nJournal: - %llu %s\n", age,
        (unsigned long long)vault->state.vault_count,
        psn_hex(vault->state.vault_head, sizeof vault->state.vault_head, head));
    rc = psn_buf_check(&text, err);
    if (rc)
        return rc;
    psn_buf_bytes(out, text.data, text.size);
    rc = put_signature(change->old_seed, &text, out, err);
    return rc ? rc : put_signature(change->new_seed, &text, out, err);
}

static enum psn_code read_seed(struct psn_vault *vault, struct psn_secret **ret_seed,
                               struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc : psn_vault_end(vault, psn_own_signing_key(vault, ret_seed, err), err);
}

static void put_lines(const char *lines, struct psn_buf *out)
{
    while (*lines) {
        size_t size = strcspn(lines, "\n");

        psn_buf_text(out, size ? "| " : "|");
        psn_buf_bytes(out, lines, size);
        psn_buf_char(out, '\n');
        lines += size + (lines[size] == '\n');
    }
}

static void put_heads(const struct psn_statement_draft *draft, struct psn_buf *out)
{
    char hash[2 * PSN_HEAD_SIZE + 1];

    for (size_t i = 0; i < draft->head_count; i++)
        psn_buf_format(out, "Journal: %s %llu %s\n",
                       draft->heads[i].chain[0] ? draft->heads[i].chain : "-",
                       (unsigned long long)draft->heads[i].count,
                       psn_hex(draft->heads[i].hash, PSN_HEAD_SIZE, hash));
}

enum psn_code psn_statement_sign(struct psn_vault *vault,
                                 const struct psn_statement_draft *draft, char **ret_text,
                                 struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(STATEMENT_TEXT_MAX);
    PSN_AUTO_RELEASE(psn_buf) out = psn_buf_init(STATEMENT_TEXT_MAX);
    PSN_AUTO(psn_secret) *seed = NULL;
    char id[2 * PSN_VAULT_ID_SIZE + 1];
    char now[PSN_TIME_SIZE];
    enum psn_code rc = read_seed(vault, &seed, err);

    if (rc)
        return rc;
    psn_buf_format(&text, "passation-statement 1\nStatement: %s\nVault: %s\nDate: %s\n",
                   draft->kind, psn_hex(vault->id, sizeof vault->id, id),
                   psn_clock_format(vault->world.now_s(), now));
    psn_buf_text(&text, draft->fields);
    rc = put_key("Signing", seed, &text, err);
    if (rc)
        return rc;
    put_lines(draft->text, &text);
    put_heads(draft, &text);
    rc = psn_buf_check(&text, err);
    if (rc)
        return rc;
    psn_buf_bytes(&out, text.data, text.size);
    rc = put_signature(seed, &text, &out, err);
    return rc ? rc : psn_buf_take(&out, ret_text, err);
}

enum psn_code psn_file_sign(struct psn_vault *vault, const void *bytes, size_t size,
                            char **ret_text, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *seed = NULL;
    struct psn_stream_memory memory = { bytes, size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    enum psn_code rc = read_seed(vault, &seed, err);

    return rc ? rc : psn_sshsig_sign(seed, "passation-file", &source, ret_text, err);
}

/* --- checking --- */

static enum psn_code fail_form(struct psn_error *err)
{
    return psn_fail(err, PSN_E_INTEGRITY,
                    _("this is no signed statement of passation's"));
}

/* What the vault's own journal tells of why a head may be missing. */
struct past {
    const char *client;
    int64_t removed_s;  /* by `client rm`; 0: he was not */
    int64_t restored_s; /* an older backup took the vault's place last; 0: none did */
};

static enum psn_code read_past(void *arg, const struct psn_journal_entry *entry,
                               struct psn_error *err)
{
    struct past *past = arg;

    (void)err;
    if (strcmp(entry->event, "vault.restored-older") == 0)
        past->restored_s = entry->time_s;
    else if (strcmp(entry->event, "client.removed") == 0 &&
             strcmp(entry->subject, past->client) == 0)
        past->removed_s = entry->time_s;
    return PSN_OK;
}

static enum psn_code fail_removed(const struct past *past, struct psn_error *err)
{
    char when[PSN_TIME_SIZE];

    if (!past->removed_s)
        return psn_fail(err, PSN_E_NOT_FOUND, _("no client '%s'"), past->client);
    (void)psn_fail(err, PSN_E_NOT_FOUND,
                   _("the journal of '%s' went with him when he was removed from this "
                     "vault, on %s"),
                   past->client, psn_clock_format(past->removed_s, when));
    return psn_hint(err, PSN_E_NOT_FOUND,
                    _("the statement's signature is good, and nothing contradicts it; "
                      "its heads can be followed in a backup from before"));
}

/* Of a client whose copies were destroyed only the last head is known any more: an
 * earlier one can be neither followed nor denied. He may be here again, with a journal
 * that begins anew. *ret_gone: it is one of these. */
static enum psn_code check_gone(struct psn_vault *vault, const char *client,
                                uint64_t number, const uint8_t hash[PSN_HEAD_SIZE],
                                bool *ret_found, bool *ret_gone, struct psn_error *err)
{
    struct psn_head last;
    enum psn_code rc = psn_destruction_find(vault, client, &last, ret_found, err);

    *ret_gone = !rc && *ret_found &&
                (number < last.count || (number == last.count &&
                                         memcmp(hash, last.hash, sizeof last.hash) == 0));
    return rc;
}

/* It is not said that somebody tampered where it may have been us. */
static enum psn_code fail_missing(struct psn_vault *vault, const char *chain,
                                  uint64_t number, struct psn_error *err)
{
    struct past past = { .client = chain };
    struct psn_head head = { 0 };
    char when[PSN_TIME_SIZE];
    enum psn_code rc = psn_journal_walk(vault, NULL, read_past, &past, err);

    if (rc)
        return rc;
    if (psn_journal_head(vault, strcmp(chain, "-") == 0 ? NULL : chain, &head, NULL))
        head.count = number; /* he was destroyed, and is not here again */
    if (number > head.count)
        (void)psn_fail(
            err, PSN_E_INTEGRITY,
            _("the statement tells of entry %llu of '%s', and the journal here "
              "ends at entry %llu"),
            (unsigned long long)number, chain, (unsigned long long)head.count);
    else
        (void)psn_fail(
            err, PSN_E_INTEGRITY,
            _("the journal does not lead through entry %llu of '%s', which the "
              "statement tells"),
            (unsigned long long)number, chain);
    if (past.restored_s)
        return psn_hint(err, PSN_E_INTEGRITY,
                        _("an older backup was restored here on %s: a statement of the "
                          "time that was lost by it cannot be followed, and its "
                          "signature is good; one from before should be: compare with "
                          "the vault that was set aside"),
                        psn_clock_format(past.restored_s, when));
    return psn_hint(err, PSN_E_INTEGRITY,
                    number > head.count
                        ? _("this vault is an older copy than the one that signed it")
                        : _("this vault is another copy, or its journal was written "
                            "anew"));
}

static enum psn_code check_ancestor(struct psn_vault *vault, const char *chain,
                                    uint64_t number, const uint8_t hash[PSN_HEAD_SIZE],
                                    struct psn_statement *statement,
                                    struct psn_error *err)
{
    struct past past = { .client = chain };
    bool holds = false;
    bool is_missing;
    bool was_destroyed = false;
    bool is_gone = false;
    enum psn_code rc =
        psn_allow(PSN_E_NOT_FOUND,
                  psn_journal_holds(vault, strcmp(chain, "-") == 0 ? NULL : chain, number,
                                    hash, &holds, err),
                  &is_missing, err);

    if (rc || holds)
        return rc;
    rc = check_gone(vault, chain, number, hash, &was_destroyed, &is_gone, err);
    statement->heads_gone += is_gone;
    if (rc || is_gone)
        return rc;
    if (!is_missing || was_destroyed)
        return fail_missing(vault, chain, number, err);
    rc = psn_journal_walk(vault, NULL, read_past, &past, err);
    return rc ? rc : fail_removed(&past, err);
}

/* "CLIENT COUNT HASH", cut up in place. */
static enum psn_code check_head(struct psn_vault *vault, char *value,
                                struct psn_statement *statement, struct psn_error *err)
{
    char *rest = value;
    const char *chain = strsep(&rest, " ");
    const char *count = strsep(&rest, " ");
    uint8_t hash[PSN_HEAD_SIZE];
    uint64_t number;

    if (!count || !rest || !psn_text_parse_u64(count, INT64_MAX, &number) ||
        strlen(rest) != 2 * sizeof hash || !psn_unhex(rest, hash, sizeof hash))
        return fail_form(err);
    return check_ancestor(vault, chain, number, hash, statement, err);
}

static enum psn_code check_vault(const struct psn_vault *vault, const char *value,
                                 struct psn_error *err)
{
    char id[2 * PSN_VAULT_ID_SIZE + 1];

    if (strcmp(value, psn_hex(vault->id, sizeof vault->id, id)) == 0)
        return PSN_OK;
    return psn_fail(err, PSN_E_INTEGRITY, _("the statement is of another vault"));
}

static enum psn_code check_line(struct psn_vault *vault, const char *line, size_t size,
                                struct psn_statement *statement, struct psn_error *err)
{
    char text[LINE_MAX_BYTES];

    if (size >= sizeof text || memchr(line, '\0', size))
        return fail_form(err);
    memcpy(text, line, size);
    text[size] = '\0';
    if (strncmp(text, "Vault: ", 7) == 0)
        return check_vault(vault, text + 7, err);
    if (strncmp(text, "Journal: ", 9) != 0)
        return PSN_OK;
    statement->heads++;
    return check_head(vault, text + 9, statement, err);
}

static enum psn_code check_lines(struct psn_vault *vault, const char *text, size_t size,
                                 struct psn_statement *statement, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t at = 0; !rc && at < size;) {
        const char *end = memchr(text + at, '\n', size - at);

        if (!end)
            return fail_form(err);
        rc = check_line(vault, text + at, (size_t)(end - text) - at, statement, err);
        at = (size_t)(end - text) + 1;
    }
    return rc || statement->heads ? rc : fail_form(err);
}

static enum psn_code check_signer(struct psn_vault *vault,
                                  const uint8_t key[PSN_SIGN_PUBLIC_SIZE],
                                  struct psn_statement *statement, struct psn_error *err)
{
    char fingerprint[PSN_FINGERPRINT_MAX];
    bool is_former = false;
    enum psn_code rc = psn_own_key_known(vault, key, &is_former, err);

    psn_sign_fingerprint(key, fingerprint);
    if (rc == PSN_E_NOT_FOUND) {
        (void)psn_fail(err, PSN_E_INTEGRITY,
                       _("the statement is signed by %s, which is no key of this vault"),
                       fingerprint);
        return psn_hint(err, PSN_E_INTEGRITY, _("see: passation key show"));
    }
    if (rc || statement->signatures++ > 0)
        return rc;
    statement->by_former_key = is_former;
    (void)snprintf(statement->fingerprint, sizeof statement->fingerprint, "%s",
                   fingerprint);
    return PSN_OK;
}

/* Checks the signature at the front of armor[size] over the text, and tells whose it is
 * and where it ends. Whether the key is to be trusted is asked afterwards. */
static enum psn_code check_signature(const char *armor, size_t size, const char *text,
                                     size_t signed_size,
                                     uint8_t ret_key[PSN_SIGN_PUBLIC_SIZE],
                                     size_t *ret_used, struct psn_error *err)
{
    const char *end = memmem(armor, size, end_line, sizeof end_line - 1);
    struct psn_stream_memory memory = { text, signed_size, 0 };
    struct psn_source source = psn_source_memory(&memory);
    enum psn_code rc;

    if (!end)
        return fail_form(err);
    *ret_used = (size_t)(end - armor) + sizeof end_line - 1;
    rc = psn_sshsig_claimed_key(armor, *ret_used, ret_key, err);
    return rc ? rc
              : psn_sshsig_verify(armor, *ret_used, ret_key, name_space, &source, err);
}

/* A change of keys is signed by both, so by a key that is nobody's any more: who has kept
 * that one could name another successor. */
static enum psn_code check_change(struct psn_vault *vault, const char *text, size_t size,
                                  size_t signed_size, struct psn_error *err)
{
    bool known = false;
    enum psn_code rc;

    if (!memmem(text, signed_size, change_line, sizeof change_line - 1))
        return PSN_OK;
    rc = psn_own_key_change_known(vault, text, size, &known, err);
    if (rc || known)
        return rc;
    (void)psn_fail(err, PSN_E_INTEGRITY,
                   _("this change of keys is none that the vault has made"));
    return psn_hint(err, PSN_E_INTEGRITY, _("see: passation key show"));
}

/* Every signature is over the text that stands before the first one. */
static enum psn_code check(struct psn_vault *vault, const char *text, size_t size,
                           struct psn_statement *statement, struct psn_error *err)
{
    const char *first = memmem(text, size, begin_line, sizeof begin_line - 1);
    size_t signed_size = first ? (size_t)(first - text) + 1 : 0;
    enum psn_code rc = first ? PSN_OK : fail_form(err);

    for (size_t at = signed_size; !rc && at < size;) {
        uint8_t key[PSN_SIGN_PUBLIC_SIZE];
        size_t used = 0;

        if (statement->signatures == SIGNATURES_MAX)
            return fail_form(err);
        rc = check_signature(text + at, size - at, text, signed_size, key, &used, err);
        if (!rc)
            rc = check_signer(vault, key, statement, err);
        at += used;
    }
    if (!rc)
        rc = check_lines(vault, text, signed_size, statement, err);
    return rc ? rc : check_change(vault, text, size, signed_size, err);
}

enum psn_code psn_statement_verify(struct psn_vault *vault, const char *text, size_t size,
                                   struct psn_statement *ret_statement,
                                   struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    *ret_statement = (struct psn_statement){ 0 };
    return rc ? rc
              : psn_vault_end(vault, check(vault, text, size, ret_statement, err), err);
}
