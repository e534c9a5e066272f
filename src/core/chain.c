#include "core/chain.h"

#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "core/client.h"
#include "core/record.h"
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
 *
 * A shredded entry keeps its hash and has another box, whose associated data says so: in
 * it is when it was, who did it and what kind it is. Salt and plaintext are gone. That it
 * was shredded is believed since its box opens; its hash, since the next link holds it.
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

/* --- heads --- */

static const char *text_of(const struct psn_chain *chain)
{
    return chain->client ? chain->client : "";
}

static enum psn_code decode_head(const struct psn_buf *plain, struct psn_chain *chain,
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
    /* There is a next number. */
    if (chain->count >= INT64_MAX ||
        !psn_record_bytes(&record, TAG_HEAD_HASH, &bytes, &size) ||
        size != sizeof chain->head)
        return psn_fail(err, PSN_E_INTEGRITY, _("the head of a journal is malformed"));
    memcpy(chain->head, bytes, sizeof chain->head);
    return PSN_OK;
}

/* The vault's own chain has its head in the state, and a row only for its name. */
static enum psn_code read_head(struct psn_vault *vault, struct psn_chain *chain,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc =
        psn_row_key_init(vault, PSN_TABLE_CHAIN, text_of(chain), &key, err);

    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_CHAIN, &key, vault->rows_key, &plain,
                          &chain->revision, err);
    if (!rc && chain->revision > 0)
        rc = decode_head(&plain, chain, err);
    return rc ? psn_wrap(err, rc, _("cannot read the head of the journal of '%s'"),
                         chain->client ? chain->client : vault->path)
              : PSN_OK;
}

enum psn_code psn_chain_put_head(struct psn_vault *vault, const struct psn_chain *chain,
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
    if (!rc)
        rc = psn_row_put(vault, PSN_TABLE_CHAIN, &key, chain->revision + 1,
                         vault->rows_key, plain.data, plain.size, err);
    if (!rc)
        psn_chain_forget(vault, chain);
    return rc;
}

/* --- the head that waits --- */

/* A command that notes much notes most of it in one client's chain: its head is written
 * when another chain is noted in, or at the end of the transaction. */
static bool is_noted(const struct psn_vault *vault, const char *client)
{
    return vault->noted_chain.client[0] && client &&
           strcmp(vault->noted_chain.client, client) == 0;
}

enum psn_code psn_journal_settle(struct psn_vault *vault, struct psn_error *err)
{
    const struct psn_chain_noted noted = vault->noted_chain;
    struct psn_chain chain = { .client = noted.client,
                               .count = noted.count,
                               .revision = noted.revision };

    if (!noted.client[0])
        return PSN_OK;
    memcpy(chain.id, noted.id, sizeof chain.id);
    memcpy(chain.name, noted.name, sizeof chain.name);
    memcpy(chain.head, noted.head, sizeof chain.head);
    return psn_chain_put_head(vault, &chain, err);
}

enum psn_code psn_chain_note_head(struct psn_vault *vault, const struct psn_chain *chain,
                                  struct psn_error *err)
{
    struct psn_chain_noted *noted = &vault->noted_chain;
    enum psn_code rc =
        is_noted(vault, chain->client) ? PSN_OK : psn_journal_settle(vault, err);

    if (rc)
        return rc;
    *noted =
        (struct psn_chain_noted){ .count = chain->count, .revision = chain->revision };
    (void)snprintf(noted->client, sizeof noted->client, "%s", chain->client);
    memcpy(noted->id, chain->id, sizeof noted->id);
    memcpy(noted->name, chain->name, sizeof noted->name);
    memcpy(noted->head, chain->head, sizeof noted->head);
    return PSN_OK;
}

void psn_chain_forget(struct psn_vault *vault, const struct psn_chain *chain)
{
    if (is_noted(vault, chain->client))
        vault->noted_chain.client[0] = '\0';
}

static enum psn_code open_noted(struct psn_vault *vault, struct psn_chain *chain,
                                struct psn_error *err)
{
    const struct psn_chain_noted *noted = &vault->noted_chain;

    chain->count = noted->count;
    chain->revision = noted->revision;
    memcpy(chain->id, noted->id, sizeof chain->id);
    memcpy(chain->name, noted->name, sizeof chain->name);
    memcpy(chain->head, noted->head, sizeof chain->head);
    return psn_client_data_key(vault, chain->client, &chain->key, err);
}

enum psn_code psn_chain_open(struct psn_vault *vault, const char *client,
                             struct psn_chain *ret_chain, struct psn_error *err)
{
    struct psn_chain chain = { .client = client, .key = vault->journal_key };
    uint8_t prf[PSN_PRF_SIZE];
    enum psn_code rc;

    if (is_noted(vault, client)) {
        rc = open_noted(vault, &chain, err);
        if (!rc)
            *ret_chain = chain;
        return rc;
    }
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

void psn_chain_link(const struct psn_vault *vault, const struct psn_chain *chain,
                    uint64_t number, const struct psn_chain_box *box,
                    uint8_t hash[PSN_STORE_HASH_SIZE])
{
    static const char label[] = "passation journal v1";
    uint8_t index[8];
    struct psn_part parts[] = {
        { label, sizeof label - 1 },         { vault->id, sizeof vault->id },
        { chain->name, sizeof chain->name }, { index, sizeof index },
        { hash, PSN_STORE_HASH_SIZE },       { box->salted.data, box->salted.size }
    };
    uint8_t next[PSN_STORE_HASH_SIZE];

    for (int i = 0; i < 8; i++)
        index[i] = (uint8_t)(number >> (56 - 8 * i));
    psn_hash(parts, sizeof parts / sizeof *parts, next);
    memcpy(hash, next, sizeof next);
}

static enum psn_code entry_ad(const struct psn_vault *vault,
                              const struct psn_chain *chain,
                              const struct psn_store_entry *entry, bool is_shredded,
                              struct psn_buf *out, struct psn_error *err)
{
    psn_buf_text(out, is_shredded ? "passation journal shredded v1"
                                  : "passation journal box v1");
    psn_buf_bytes(out, vault->id, sizeof vault->id);
    psn_buf_bytes(out, chain->name, sizeof chain->name);
    psn_buf_u64(out, entry->number);
    psn_buf_bytes(out, entry->hash, PSN_STORE_HASH_SIZE);
    return psn_buf_check(out, err);
}

/* --- boxes --- */

struct psn_chain_box psn_chain_box_init(void)
{
    return (struct psn_chain_box){ .salted = psn_buf_init_wiped(PSN_RECORD_MAX) };
}

void psn_chain_box_release(struct psn_chain_box *box)
{
    psn_buf_release(&box->salted);
}

static enum psn_code encode(int64_t time_s, const char *actor,
                            const struct psn_note *note, struct psn_buf *out,
                            struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) record = psn_buf_init_wiped(PSN_RECORD_MAX);
    uint8_t salt[SALT_SIZE];

    psn_random(salt, sizeof salt);
    psn_record_begin(&record);
    psn_record_put_number(&record, TAG_TIME, (uint64_t)time_s);
    psn_record_put_text(&record, TAG_ACTOR, actor);
    psn_record_put_text(&record, TAG_EVENT, note->event);
    psn_record_put_text(&record, TAG_SUBJECT, note->subject ? note->subject : "");
    psn_record_put_text(&record, TAG_LABEL, note->label ? note->label : "");
    psn_record_put_number(&record, TAG_VERSION, note->version);
    psn_record_put_text(&record, TAG_TEXT, note->text ? note->text : "");
    psn_buf_reset(out);
    psn_buf_bytes(out, salt, sizeof salt);
    psn_buf_bytes(out, record.data, record.size);
    if (record.failed)
        out->failed = record.failed;
    return psn_buf_check(out, err);
}

enum psn_code psn_chain_encode(const struct psn_vault *vault, const struct psn_note *note,
                               struct psn_chain_box *ret_box, struct psn_error *err)
{
    ret_box->is_shredded = false;
    return encode(vault->world.now_s(), vault->actor, note, &ret_box->salted, err);
}

enum psn_code psn_chain_shred(const struct psn_journal_entry *entry, const char *subject,
                              struct psn_chain_box *ret_box, struct psn_error *err)
{
    ret_box->is_shredded = true;
    return encode(entry->time_s, entry->actor,
                  &(struct psn_note){ .event = entry->event, .subject = subject },
                  &ret_box->salted, err);
}

enum psn_code psn_chain_seal(const struct psn_vault *vault, const struct psn_chain *chain,
                             const struct psn_chain_box *box,
                             struct psn_store_entry *entry, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(PSN_RECORD_MAX);
    enum psn_code rc = entry_ad(vault, chain, entry, box->is_shredded, &ad, err);

    psn_buf_reset(&entry->box);
    return rc ? rc
              : psn_seal(chain->key, ad.data, ad.size, box->salted.data, box->salted.size,
                         &entry->box, err);
}

static enum psn_code open_box(const struct psn_vault *vault,
                              const struct psn_chain *chain,
                              const struct psn_store_entry *entry,
                              struct psn_chain_box *box)
{
    PSN_AUTO_RELEASE(psn_buf) ad = psn_buf_init(PSN_RECORD_MAX);
    enum psn_code rc = entry_ad(vault, chain, entry, box->is_shredded, &ad, NULL);

    return rc ? rc
              : psn_unseal(chain->key, ad.data, ad.size, entry->box.data, entry->box.size,
                           &box->salted, NULL);
}

enum psn_code psn_chain_fail(const struct psn_chain *chain, uint64_t number,
                             struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_INTEGRITY, _("the journal %s%s is broken at entry %llu"),
                   chain->client ? _("of client ") : _("of the vault"),
                   chain->client ? chain->client : "", (unsigned long long)number);
    return psn_hint(err, PSN_E_INTEGRITY,
                    _("the vault was edited or damaged: restore a backup"));
}

enum psn_code psn_chain_entry(struct psn_vault *vault, const struct psn_chain *chain,
                              uint64_t number, struct psn_store_entry *entry,
                              struct psn_chain_box *ret_box, struct psn_error *err)
{
    enum psn_code rc =
        psn_store_journal_get(vault->store, chain->id, number, entry, NULL);

    if (rc == PSN_E_NOT_FOUND)
        return psn_chain_fail(chain, number, err);
    if (rc)
        return psn_fail(err, rc, _("cannot read the journal of '%s'"), vault->path);
    ret_box->is_shredded = false;
    rc = open_box(vault, chain, entry, ret_box);
    if (rc == PSN_E_INTEGRITY) {
        ret_box->is_shredded = true;
        rc = open_box(vault, chain, entry, ret_box);
    }
    if (rc == PSN_E_INTEGRITY || (!rc && ret_box->salted.size < SALT_SIZE))
        return psn_chain_fail(chain, number, err);
    return rc ? psn_fail(err, rc, _("out of memory")) : PSN_OK;
}

enum psn_code psn_chain_follow(const struct psn_vault *vault,
                               const struct psn_chain *chain,
                               const struct psn_store_entry *entry,
                               const struct psn_chain_box *box,
                               uint8_t hash[PSN_STORE_HASH_SIZE], struct psn_error *err)
{
    if (box->is_shredded)
        memcpy(hash, entry->hash, PSN_STORE_HASH_SIZE);
    else
        psn_chain_link(vault, chain, entry->number, box, hash);
    if (memcmp(hash, entry->hash, PSN_STORE_HASH_SIZE) != 0)
        return psn_chain_fail(chain, entry->number, err);
    return PSN_OK;
}

enum psn_code psn_chain_decode(const struct psn_chain *chain,
                               const struct psn_store_entry *entry,
                               const struct psn_chain_box *box,
                               struct psn_journal_entry *out, struct psn_error *err)
{
    struct psn_buf plain = { .data = box->salted.data + SALT_SIZE,
                             .size = box->salted.size - SALT_SIZE };
    struct psn_record record;
    enum psn_code rc = psn_record_parse(&plain, TAG_MAX, &record, err);

    if (rc)
        return rc;
    *out = (struct psn_journal_entry){ .number = entry->number,
                                       .is_shredded = box->is_shredded };
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
        return psn_chain_fail(chain, entry->number, err);
    return PSN_OK;
}
