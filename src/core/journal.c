#include "core/journal.h"

#include <string.h>

#include "base/i18n.h"
#include "core/chain.h"
#include "core/client.h"
#include "core/state.h"

/* The journal as it is used: noted, read, checked. What a chain is: chain.c. */

static enum psn_code write_head(struct psn_vault *vault, const struct psn_chain *chain,
                                struct psn_error *err)
{
    vault->state.journal_entries++;
    if (chain->client)
        return psn_chain_note_head(vault, chain, err);
    vault->state.vault_count = chain->count;
    memcpy(vault->state.vault_head, chain->head, sizeof chain->head);
    return PSN_OK;
}

enum psn_code psn_journal_note(struct psn_vault *vault, const char *client,
                               const struct psn_note *note, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    PSN_AUTO_RELEASE(psn_chain_box) box = psn_chain_box_init();
    struct psn_chain chain;
    enum psn_code rc = psn_chain_open(vault, client, &chain, err);

    if (!rc)
        rc = psn_chain_encode(vault, note, &box, err);
    if (rc)
        return rc;
    chain.count++;
    psn_chain_link(vault, &chain, chain.count, &box, chain.head);
    entry.number = chain.count;
    memcpy(entry.hash, chain.head, sizeof entry.hash);
    rc = psn_chain_seal(vault, &chain, &box, &entry, err);
    if (!rc)
        rc = psn_store_journal_append(vault->store, chain.id, &entry, err);
    return rc ? rc : write_head(vault, &chain, err);
}

enum psn_code psn_journal_drop(struct psn_vault *vault, const char *client,
                               struct psn_error *err)
{
    struct psn_chain chain;
    struct psn_row_key key;
    enum psn_code rc = psn_chain_open(vault, client, &chain, err);

    if (!rc)
        rc = psn_store_journal_delete(vault->store, chain.id, err);
    if (!rc)
        rc = psn_row_key_init(vault, PSN_TABLE_CHAIN, client, &key, err);
    if (!rc && chain.revision > 0)
        rc = psn_store_delete(vault->store, PSN_TABLE_CHAIN, key.bytes, key.size, err);
    if (rc)
        return rc;
    psn_chain_forget(vault, &chain);
    vault->state.journal_entries -= chain.count;
    return PSN_OK;
}

/* --- reading --- */

/* Walks entries from first to the head, each recomputed from the one before, and shows
 * them to each (NULL: only the check). The hash before `first` is trusted only because
 * the links up to the head hold. */
static enum psn_code show(const struct psn_chain *chain,
                          const struct psn_store_entry *entry,
                          const struct psn_chain_box *box, psn_journal_fn *each,
                          void *arg, struct psn_error *err)
{
    struct psn_journal_entry shown;
    enum psn_code rc = psn_chain_decode(chain, entry, box, &shown, err);

    return rc ? rc : each(arg, &shown, err);
}

static enum psn_code walk(struct psn_vault *vault, const struct psn_chain *chain,
                          uint64_t first, psn_journal_fn *each, void *arg,
                          struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    PSN_AUTO_RELEASE(psn_chain_box) box = psn_chain_box_init();
    uint8_t hash[PSN_STORE_HASH_SIZE] = { 0 };
    enum psn_code rc = PSN_OK;

    if (first > 1) {
        rc = psn_store_journal_get(vault->store, chain->id, first - 1, &entry, NULL);
        if (rc)
            return psn_chain_fail(chain, first - 1, err);
        memcpy(hash, entry.hash, sizeof hash);
    }
    for (uint64_t i = first; !rc && i <= chain->count; i++) {
        rc = psn_chain_entry(vault, chain, i, &entry, &box, err);
        if (!rc)
            rc = psn_chain_follow(vault, chain, &entry, &box, hash, err);
        if (!rc && each)
            rc = show(chain, &entry, &box, each, arg, err);
    }
    if (!rc && memcmp(hash, chain->head, sizeof hash) != 0)
        return psn_chain_fail(chain, chain->count, err);
    return rc;
}

/* Checks the tail before a byte of it is shown, then shows it. */
static enum psn_code show_tail(struct psn_vault *vault, const char *client,
                               uint64_t count, psn_journal_fn *each, void *arg,
                               struct psn_error *err)
{
    struct psn_chain chain;
    uint64_t first;
    enum psn_code rc = psn_chain_open(vault, client, &chain, err);

    if (rc)
        return rc;
    first = count == 0 || count >= chain.count ? 1 : chain.count - count + 1;
    rc = walk(vault, &chain, first, NULL, NULL, err);
    return rc ? rc : walk(vault, &chain, first, each, arg, err);
}

enum psn_code psn_journal_walk(struct psn_vault *vault, const char *client,
                               psn_journal_fn *each, void *arg, struct psn_error *err)
{
    return show_tail(vault, client, 0, each, arg, err);
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

enum psn_code psn_journal_check_chain(struct psn_vault *vault, const char *client,
                                      struct psn_head *ret_head, struct psn_error *err)
{
    struct psn_chain chain;
    struct psn_head head = { 0 };
    enum psn_code rc = psn_chain_open(vault, client, &chain, err);

    if (!rc)
        rc = walk(vault, &chain, 1, NULL, NULL, err);
    if (rc)
        return rc;
    if (client)
        memcpy(head.chain, client, strnlen(client, sizeof head.chain - 1));
    head.count = chain.count;
    memcpy(head.hash, chain.head, sizeof head.hash);
    *ret_head = head;
    return PSN_OK;
}

static enum psn_code verify_chain(void *arg, const char *client, struct psn_error *err)
{
    struct verification *run = arg;
    struct psn_head head;
    enum psn_code rc = psn_journal_check_chain(run->vault, client, &head, err);

    if (rc)
        return rc;
    run->entries += head.count;
    return run->each ? run->each(run->arg, &head, err) : PSN_OK;
}

enum psn_code psn_journal_check_history(struct psn_vault *vault, struct psn_error *err)
{
    static const uint8_t start[PSN_STORE_HASH_SIZE];
    bool whole = false;
    enum psn_code rc = psn_state_check_ancestor(vault, 0, start, &whole, err);

    if (!rc && !whole)
        rc = psn_fail(err, PSN_E_INTEGRITY, _("the vault's history is broken"));
    return rc;
}

enum psn_code psn_journal_check_count(struct psn_vault *vault, uint64_t entries,
                                      struct psn_error *err)
{
    uint64_t rows = 0;
    enum psn_code rc = psn_store_journal_count(vault->store, &rows, err);

    if (!rc && (entries != vault->state.journal_entries ||
                rows != entries + vault->state.generation))
        rc = psn_fail(err, PSN_E_INTEGRITY,
                      _("the journal has entries that belong to no chain"));
    return rc;
}

/* Every chain, then the history, then the count of rows: nothing may be left over. */
enum psn_code psn_journal_check(struct psn_vault *vault, psn_head_fn *each, void *arg,
                                struct psn_error *err)
{
    struct verification run = { vault, each, arg, 0 };
    enum psn_code rc = verify_chain(&run, NULL, err);

    if (!rc)
        rc = psn_client_ids(vault, verify_chain, &run, err);
    if (!rc)
        rc = psn_journal_check_history(vault, err);
    return rc ? rc : psn_journal_check_count(vault, run.entries, err);
}

enum psn_code psn_journal_holds(struct psn_vault *vault, const char *client,
                                uint64_t number, const uint8_t hash[PSN_HEAD_SIZE],
                                bool *ret_holds, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    struct psn_chain chain;
    enum psn_code rc = psn_chain_open(vault, client, &chain, err);

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
