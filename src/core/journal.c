#include "core/journal.h"

#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "core/client.h"
#include "core/record.h"
#include "core/state.h"
#include "crypto/hash.h"
#include "crypto/seal.h"

/*
 * Chains. Entry i of a chain is (i, h(i), box), with
 *
 *     h(i) = BLAKE2b-256("passation journal v1", vault, chain, i, h(i-1), salt,
 * plaintext)
 *
 * h(0) is all zero. `chain` is the chain's name: the PRF of the client's id under the
 * root key that it was begun under. After a rekey its rows lie under the new PRF and its
 * head tells the name, so that published heads stay what they are. h lies in clear, so
 * that the chain can be checked after its boxes were destroyed; the salt, inside the box,
 * keeps anyone from guessing a plaintext by its hash. The head of the vault's chain is in
 * the state, each client's in a row; so a chain can be neither cut nor continued by who
 * has not the keys.
 */
enum {
    SALT_SIZE = 16,
    TAG_TIME = 1,
    TAG_ACTOR = 2,
    TAG_EVENT = 3,
    TAG_SUBJECT = 4,
    TAG_LABEL = 5,
    TAG_VERSION = 6,
    TAG_TEXT = 7,
    TAG_MAX = 7,
    TAG_HEAD_COUNT = 1,
    TAG_HEAD_HASH = 2,
    TAG_HEAD_NAME = 3,
    TAG_HEAD_MAX = 3,
};

struct chain {
    const char *client;                 /* NULL: the vault's */
    uint8_t id[PSN_STORE_CHAIN_SIZE];   /* where its rows lie */
    uint8_t name[PSN_STORE_CHAIN_SIZE]; /* what is hashed; as a rule the same */
    const struct psn_secret *key;       /* borrowed */
    uint64_t count;
    uint8_t head[PSN_STORE_HASH_SIZE];
    uint64_t revision; /* of the head's row; 0: none yet */
};

/* --- heads --- */

static const char *text_of(const struct chain *chain)
{
    return chain->client ? chain->client : "";
}

static enum psn_code decode_head(const struct psn_buf *plain, struct chain *chain,
                                 struct psn_error *err)
{
    struct psn_record record;
    const uint8_t *bytes;
    size_t size;
    enum psn_code rc = psn_record_parse(plain, TAG_HEAD_MAX, &record, err);

    if (rc)
        return rc;
    if (psn_record_bytes(&record, TAG_HEAD_NAME, &bytes, &size)) {
        if (size != sizeof chain->name)
            return psn_fail(err, PSN_E_INTEGRITY,
                            _("the head of a journal is malformed"));
        memcpy(chain->name, bytes, sizeof chain->name);
    }
    if (!chain->client)
        return PSN_OK;
    chain->count = psn_record_number(&record, TAG_HEAD_COUNT);
    if (!psn_record_bytes(&record, TAG_HEAD_HASH, &bytes, &size) ||
        size != sizeof chain->head)
        return psn_fail(err, PSN_E_INTEGRITY, _("the head of a journal is malformed"));
    memcpy(chain->head, bytes, sizeof chain->head);
    return PSN_OK;
}

/* The vault's own chain has its head in the state, and a row only for its name. */
static enum psn_code read_head(struct psn_vault *vault, struct chain *chain,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    struct psn_error why = { 0 };
    enum psn_code rc =
        psn_row_key_init(vault, PSN_TABLE_CHAIN, text_of(chain), &key, err);

    if (rc)
        return rc;
    rc = psn_row_get(vault, PSN_TABLE_CHAIN, &key, vault->rows_key, &plain,
                     &chain->revision, &why);
    if (rc == PSN_E_NOT_FOUND)
        return PSN_OK;
    if (!rc)
        rc = decode_head(&plain, chain, &why);
    if (rc)
        return psn_fail(err, rc, _("cannot read the head of the journal of '%s'"),
                        chain->client ? chain->client : vault->path);
    return PSN_OK;
}

static enum psn_code put_head(struct psn_vault *vault, const struct chain *chain,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc;

    psn_record_begin(&plain);
    if (chain->client) {
        psn_record_put_number(&plain, TAG_HEAD_COUNT, chain->count);
        psn_record_put_bytes(&plain, TAG_HEAD_HASH, chain->head, sizeof chain->head);
    }
    if (memcmp(chain->name, chain->id, sizeof chain->id) != 0)
        psn_record_put_bytes(&plain, TAG_HEAD_NAME, chain->name, sizeof chain->name);
    rc = psn_row_key_init(vault, PSN_TABLE_CHAIN, text_of(chain), &key, err);
    if (!rc)
        rc = psn_buf_check(&plain, err);
    return rc ? rc
              : psn_row_put(vault, PSN_TABLE_CHAIN, &key, chain->revision + 1,
                            vault->rows_key, plain.data, plain.size, err);
}

static enum psn_code write_head(struct psn_vault *vault, const struct chain *chain,
                                struct psn_error *err)
{
    vault->state.journal_entries++;
    if (chain->client)
        return put_head(vault, chain, err);
    vault->state.vault_count = chain->count;
    memcpy(vault->state.vault_head, chain->head, sizeof chain->head);
    return PSN_OK;
}

static enum psn_code open_chain(struct psn_vault *vault, const char *client,
                                struct chain *ret_chain, struct psn_error *err)
{
    struct chain chain = { .client = client, .key = vault->journal_key };
    uint8_t prf[PSN_PRF_SIZE];
    enum psn_code rc;

    rc = psn_vault_prf(vault, PSN_TABLE_CHAIN, client ? client : "", prf, err);
    if (rc)
        return rc;
    memcpy(chain.id, prf, sizeof chain.id);
    memcpy(chain.name, prf, sizeof chain.name);
    if (!client) {
        chain.count = vault->state.vault_count;
        memcpy(chain.head, vault->state.vault_head, sizeof chain.head);
    } else {
        rc = psn_client_data_key(vault, client, &chain.key, err);
    }
    if (!rc)
        rc = read_head(vault, &chain, err);
    if (!rc)
        *ret_chain = chain;
    return rc;
}

/* --- links --- */

static void link_hash(const struct psn_vault *vault, const struct chain *chain,
                      uint64_t number, const uint8_t previous[PSN_STORE_HASH_SIZE],
                      const uint8_t *salted, size_t salted_size,
                      uint8_t ret_hash[PSN_STORE_HASH_SIZE])
{
    static const char label[] = "passation journal v1";
    uint8_t index[8];
    struct psn_part parts[] = {
        { label, sizeof label - 1 },         { vault->id, sizeof vault->id },
        { chain->name, sizeof chain->name }, { index, sizeof index },
        { previous, PSN_STORE_HASH_SIZE },   { salted, salted_size }
    };

    for (int i = 0; i < 8; i++)
        index[i] = (uint8_t)(number >> (56 - 8 * i));
    psn_hash(parts, sizeof parts / sizeof *parts, ret_hash);
}

static void entry_ad(const struct psn_vault *vault, const struct chain *chain,
                     uint64_t number, const uint8_t hash[PSN_STORE_HASH_SIZE],
                     struct psn_buf *out)
{
    psn_buf_text(out, "passation journal box v1");
    psn_buf_bytes(out, vault->id, sizeof vault->id);
    psn_buf_bytes(out, chain->name, sizeof chain->name);
    psn_buf_u64(out, number);
    psn_buf_bytes(out, hash, PSN_STORE_HASH_SIZE);
}

static void encode(struct psn_vault *vault, const struct psn_note *note,
                   struct psn_buf *salted)
{
    PSN_AUTO_RELEASE(psn_buf) record = psn_buf_init_wiped(PSN_RECORD_MAX);
    uint8_t salt[SALT_SIZE];

    psn_random(salt, sizeof salt);
    psn_record_begin(&record);
    psn_record_put_number(&record, TAG_TIME, (uint64_t)vault->world.now_s());
    psn_record_put_text(&record, TAG_ACTOR, vault->actor);
    psn_record_put_text(&record, TAG_EVENT, note->event);
    psn_record_put_text(&record, TAG_SUBJECT, note->subject ? note->subject : "");
    psn_record_put_text(&record, TAG_LABEL, note->label ? note->label : "");
    psn_record_put_number(&record, TAG_VERSION, note->version);
    psn_record_put_text(&record, TAG_TEXT, note->text ? note->text : "");
    psn_buf_bytes(salted, salt, sizeof salt);
    psn_buf_bytes(salted, record.data, record.size);
    if (record.failed)
        salted->failed = record.failed;
}

enum psn_code psn_journal_note(struct psn_vault *vault, const char *client,
                               const struct psn_note *note, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    PSN_AUTO_RELEASE(psn_buf) salted = psn_buf_init_wiped(PSN_RECORD_MAX);
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(PSN_RECORD_MAX);
    struct chain chain;
    enum psn_code rc = open_chain(vault, client, &chain, err);

    if (rc)
        return rc;
    encode(vault, note, &salted);
    rc = psn_buf_check(&salted, err);
    if (rc)
        return rc;
    chain.count++;
    link_hash(vault, &chain, chain.count, chain.head, salted.data, salted.size,
              chain.head);
    entry.number = chain.count;
    memcpy(entry.hash, chain.head, sizeof entry.hash);
    entry_ad(vault, &chain, entry.number, entry.hash, &ad);
    rc = psn_buf_check(&ad, err);
    if (!rc)
        rc = psn_seal(chain.key, ad.data, ad.size, salted.data, salted.size, &entry.box,
                      err);
    if (!rc)
        rc = psn_store_journal_append(vault->store, chain.id, &entry, err);
    return rc ? rc : write_head(vault, &chain, err);
}

enum psn_code psn_journal_drop(struct psn_vault *vault, const char *client,
                               struct psn_error *err)
{
    struct chain chain;
    struct psn_row_key key;
    enum psn_code rc = open_chain(vault, client, &chain, err);

    if (!rc)
        rc = psn_store_journal_delete(vault->store, chain.id, err);
    if (!rc)
        rc = psn_row_key_init(vault, PSN_TABLE_CHAIN, client, &key, err);
    if (!rc && chain.revision > 0)
        rc = psn_store_delete(vault->store, PSN_TABLE_CHAIN, key.bytes, key.size, err);
    if (!rc)
        vault->state.journal_entries -= chain.count;
    return rc;
}

/* --- reading --- */

static enum psn_code fail_broken(const struct chain *chain, uint64_t number,
                                 struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_INTEGRITY, _("the journal %s%s is broken at entry %llu"),
                   chain->client ? _("of client ") : _("of the vault"),
                   chain->client ? chain->client : "", (unsigned long long)number);
    return psn_hint(err, PSN_E_INTEGRITY,
                    _("the vault was edited or damaged: restore a backup"));
}

static enum psn_code open_entry(struct psn_vault *vault, const struct chain *chain,
                                uint64_t number, struct psn_store_entry *entry,
                                struct psn_buf *salted, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(PSN_RECORD_MAX);
    enum psn_code rc =
        psn_store_journal_get(vault->store, chain->id, number, entry, NULL);

    if (rc == PSN_E_NOT_FOUND)
        return fail_broken(chain, number, err);
    if (rc)
        return psn_fail(err, rc, _("cannot read the journal of '%s'"), vault->path);
    entry_ad(vault, chain, number, entry->hash, &ad);
    rc = psn_buf_check(&ad, err);
    if (rc)
        return rc;
    rc = psn_unseal(chain->key, ad.data, ad.size, entry->box.data, entry->box.size,
                    salted, NULL);
    if (rc == PSN_E_INTEGRITY || (!rc && salted->size < SALT_SIZE))
        return fail_broken(chain, number, err);
    return rc;
}

static enum psn_code decode(const struct chain *chain,
                            const struct psn_store_entry *entry,
                            const struct psn_buf *salted, struct psn_journal_entry *out,
                            struct psn_error *err)
{
    struct psn_buf plain = { .data = salted->data + SALT_SIZE,
                             .size = salted->size - SALT_SIZE };
    struct psn_record record;
    enum psn_code rc = psn_record_parse(&plain, TAG_MAX, &record, err);

    if (rc)
        return rc;
    *out = (struct psn_journal_entry){ .number = entry->number };
    if (chain->client)
        memcpy(out->chain, chain->client, strnlen(chain->client, sizeof out->chain - 1));
    out->time_s = (int64_t)psn_record_number(&record, TAG_TIME);
    out->version = psn_record_number(&record, TAG_VERSION);
    memcpy(out->hash, entry->hash, sizeof out->hash);
    if (!psn_record_text(&record, TAG_ACTOR, out->actor, sizeof out->actor) ||
        !psn_record_text(&record, TAG_EVENT, out->event, sizeof out->event) ||
        !psn_record_text(&record, TAG_SUBJECT, out->subject, sizeof out->subject) ||
        !psn_record_text(&record, TAG_LABEL, out->label, sizeof out->label) ||
        !psn_record_text(&record, TAG_TEXT, out->text, sizeof out->text))
        return fail_broken(chain, entry->number, err);
    return PSN_OK;
}

/* Walks entries from first to the head, each recomputed from the one before, and shows
 * them to each (NULL: only the check). The hash before `first` is trusted only because
 * the links up to the head hold. */
static enum psn_code walk(struct psn_vault *vault, const struct chain *chain,
                          uint64_t first, psn_journal_fn *each, void *arg,
                          struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    PSN_AUTO_RELEASE(psn_buf) salted = psn_buf_init_wiped(PSN_RECORD_MAX);
    uint8_t hash[PSN_STORE_HASH_SIZE] = { 0 };
    struct psn_journal_entry shown;
    enum psn_code rc = PSN_OK;

    if (first > 1) {
        rc = psn_store_journal_get(vault->store, chain->id, first - 1, &entry, NULL);
        if (rc)
            return fail_broken(chain, first - 1, err);
        memcpy(hash, entry.hash, sizeof hash);
    }
    for (uint64_t i = first; !rc && i <= chain->count; i++) {
        rc = open_entry(vault, chain, i, &entry, &salted, err);
        if (rc)
            return rc;
        link_hash(vault, chain, i, hash, salted.data, salted.size, hash);
        if (memcmp(hash, entry.hash, sizeof hash) != 0)
            return fail_broken(chain, i, err);
        if (each) {
            rc = decode(chain, &entry, &salted, &shown, err);
            if (!rc)
                rc = each(arg, &shown, err);
        }
    }
    if (!rc && memcmp(hash, chain->head, sizeof hash) != 0)
        return fail_broken(chain, chain->count, err);
    return rc;
}

/* Checks the tail before a byte of it is shown, then shows it. */
static enum psn_code show_tail(struct psn_vault *vault, const char *client,
                               uint64_t count, psn_journal_fn *each, void *arg,
                               struct psn_error *err)
{
    struct chain chain;
    uint64_t first;
    enum psn_code rc = open_chain(vault, client, &chain, err);

    if (rc)
        return rc;
    first = count == 0 || count >= chain.count ? 1 : chain.count - count + 1;
    rc = walk(vault, &chain, first, NULL, NULL, err);
    return rc ? rc : walk(vault, &chain, first, each, arg, err);
}

struct all_tails {
    struct psn_vault *vault;
    uint64_t count;
    psn_journal_fn *each;
    void *arg;
};

static enum psn_code show_client_tail(void *arg, const char *client,
                                      struct psn_error *err)
{
    struct all_tails *all = arg;

    return show_tail(all->vault, client, all->count, all->each, all->arg, err);
}

enum psn_code psn_journal_each(struct psn_vault *vault, const char *chain, uint64_t count,
                               psn_journal_fn *each, void *arg, struct psn_error *err)
{
    struct all_tails all = { vault, count, each, arg };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    if (chain) {
        rc = show_tail(vault, chain[0] ? chain : NULL, count, each, arg, err);
    } else {
        rc = show_tail(vault, NULL, count, each, arg, err);
        if (!rc)
            rc = psn_client_ids(vault, show_client_tail, &all, err);
    }
    return psn_vault_end(vault, rc, err);
}

/* --- checking everything --- */

struct verification {
    struct psn_vault *vault;
    psn_head_fn *each;
    void *arg;
    uint64_t entries;
};

static enum psn_code verify_chain(void *arg, const char *client, struct psn_error *err)
{
    struct verification *run = arg;
    struct chain chain;
    struct psn_head head = { 0 };
    enum psn_code rc = open_chain(run->vault, client, &chain, err);

    if (!rc)
        rc = walk(run->vault, &chain, 1, NULL, NULL, err);
    if (rc)
        return rc;
    run->entries += chain.count;
    if (client)
        memcpy(head.chain, client, strnlen(client, sizeof head.chain - 1));
    head.count = chain.count;
    memcpy(head.hash, chain.head, sizeof head.hash);
    return run->each ? run->each(run->arg, &head, err) : PSN_OK;
}

/* Every chain, then the history, then the count of rows: nothing may be left over. */
enum psn_code psn_journal_check(struct psn_vault *vault, psn_head_fn *each, void *arg,
                                struct psn_error *err)
{
    static const uint8_t start[PSN_STORE_HASH_SIZE];
    struct verification run = { vault, each, arg, 0 };
    uint64_t rows = 0;
    bool whole = false;
    enum psn_code rc = verify_chain(&run, NULL, err);

    if (!rc)
        rc = psn_client_ids(vault, verify_chain, &run, err);
    if (!rc)
        rc = psn_state_check_ancestor(vault, 0, start, &whole, err);
    if (!rc && !whole)
        rc = psn_fail(err, PSN_E_INTEGRITY, _("the vault's history is broken"));
    if (!rc)
        rc = psn_store_journal_count(vault->store, &rows, err);
    if (!rc && (run.entries != vault->state.journal_entries ||
                rows != run.entries + vault->state.generation))
        rc = psn_fail(err, PSN_E_INTEGRITY,
                      _("the journal has entries that belong to no chain"));
    return rc;
}

/* --- carrying on in another file --- */

static enum psn_code copy_entry(struct psn_vault *to, const struct chain *chain,
                                struct psn_store_entry *entry,
                                const struct psn_buf *salted, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(PSN_RECORD_MAX);
    enum psn_code rc;

    entry_ad(to, chain, entry->number, entry->hash, &ad);
    rc = psn_buf_check(&ad, err);
    psn_buf_reset(&entry->box);
    if (!rc)
        rc = psn_seal(chain->key, ad.data, ad.size, salted->data, salted->size,
                      &entry->box, err);
    return rc ? rc : psn_store_journal_append(to->store, chain->id, entry, err);
}

static enum psn_code copy_entries(struct psn_vault *from, struct psn_vault *to,
                                  const struct chain *old, const struct chain *new,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    PSN_AUTO_RELEASE(psn_buf) salted = psn_buf_init_wiped(PSN_RECORD_MAX);
    uint8_t hash[PSN_STORE_HASH_SIZE] = { 0 };
    enum psn_code rc = PSN_OK;

    for (uint64_t i = 1; !rc && i <= old->count; i++) {
        rc = open_entry(from, old, i, &entry, &salted, err);
        if (rc)
            return rc;
        link_hash(from, old, i, hash, salted.data, salted.size, hash);
        if (memcmp(hash, entry.hash, sizeof hash) != 0)
            return fail_broken(old, i, err);
        entry.number = i;
        rc = copy_entry(to, new, &entry, &salted, err);
    }
    if (!rc && memcmp(hash, old->head, sizeof hash) != 0)
        return fail_broken(old, old->count, err);
    return rc;
}

enum psn_code psn_journal_copy(struct psn_vault *from, struct psn_vault *to,
                               const char *client, struct psn_error *err)
{
    struct chain old;
    struct chain new;
    enum psn_code rc = open_chain(from, client, &old, err);

    if (!rc)
        rc = open_chain(to, client, &new, err);
    if (rc)
        return rc;
    memcpy(new.name, old.name, sizeof new.name);
    memcpy(new.head, old.head, sizeof new.head);
    new.count = old.count;
    rc = copy_entries(from, to, &old, &new, err);
    if (!rc && (!client || old.revision > 0))
        rc = put_head(to, &new, err);
    if (rc)
        return rc;
    to->state.journal_entries += new.count;
    if (!client) {
        to->state.vault_count = new.count;
        memcpy(to->state.vault_head, new.head, sizeof new.head);
    }
    return PSN_OK;
}

enum psn_code psn_journal_holds(struct psn_vault *vault, const char *client,
                                uint64_t number, const uint8_t hash[PSN_HEAD_SIZE],
                                bool *ret_holds, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    struct chain chain;
    enum psn_code rc = open_chain(vault, client, &chain, err);

    *ret_holds = false;
    if (rc || number == 0 || number > chain.count)
        return rc;
    rc = walk(vault, &chain, 1, NULL, NULL, err);
    if (!rc)
        rc = psn_store_journal_get(vault->store, chain.id, number, &entry, err);
    if (!rc)
        *ret_holds = memcmp(entry.hash, hash, sizeof entry.hash) == 0;
    return rc;
}

enum psn_code psn_journal_verify(struct psn_vault *vault, psn_head_fn *each, void *arg,
                                 struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_store_check(vault->store, err);
    if (!rc)
        rc = psn_journal_check(vault, each, arg, err);
    return psn_vault_end(vault, rc, err);
}
