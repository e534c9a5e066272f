#include <string.h>

#include "core/chain.h"
#include "core/client_rows.h"
#include "core/destruction.h"

/* A chain carried on in another file of the same vault: under other keys by a rekey,
 * under the same by a destruction. Numbers, hashes and heads stay what they are. */

struct carrying {
    struct psn_vault *from;
    struct psn_vault *to;
    struct psn_chain old;
    struct psn_chain new;
    struct psn_shredding *shredding; /* or NULL */
};

/* Notes of departures hold ids only, and a departure is read back from them; so is a
 * destruction, whose text was given to stay. */
static bool is_to_shred(const struct psn_journal_entry *entry,
                        const struct psn_client *client)
{
    static const char departures[] = "departure.";

    if (strncmp(entry->event, departures, sizeof departures - 1) == 0 ||
        strcmp(entry->event, PSN_EVENT_DESTROYED) == 0)
        return false;
    return psn_client_is_named(client, entry->subject) ||
           psn_client_is_named(client, entry->label) ||
           psn_client_is_named(client, entry->text);
}

/* --- entries --- */

static enum psn_code shred(const struct carrying *carrying,
                           const struct psn_store_entry *entry, struct psn_chain_box *box,
                           struct psn_error *err)
{
    const struct psn_client *client = carrying->shredding->client;
    struct psn_journal_entry told;
    enum psn_code rc = psn_chain_decode(&carrying->old, entry, box, &told, err);

    if (rc || box->is_shredded || !is_to_shred(&told, client))
        return rc;
    carrying->shredding->count++;
    return psn_chain_shred(
        &told, psn_client_is_named(client, told.subject) ? "" : told.subject, box, err);
}

static enum psn_code copy_entries(struct carrying *carrying, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_store_entry) entry = psn_store_entry_init();
    PSN_AUTO_RELEASE(psn_chain_box) box = psn_chain_box_init();
    const struct psn_chain *old = &carrying->old;
    const struct psn_chain *new = &carrying->new;
    uint8_t hash[PSN_STORE_HASH_SIZE] = { 0 };
    enum psn_code rc = PSN_OK;

    for (uint64_t i = 1; !rc && i <= old->count; i++) {
        rc = psn_chain_entry(carrying->from, old, i, &entry, &box, err);
        if (!rc)
            rc = psn_chain_follow(carrying->from, old, &entry, &box, hash, err);
        if (!rc && carrying->shredding)
            rc = shred(carrying, &entry, &box, err);
        if (!rc)
            rc = psn_chain_seal(carrying->to, new, &box, &entry, err);
        if (!rc)
            rc = psn_store_journal_append(carrying->to->store, new->id, &entry, err);
    }
    if (!rc && memcmp(hash, old->head, sizeof hash) != 0)
        return psn_chain_fail(old, old->count, err);
    return rc;
}

enum psn_code psn_journal_copy(struct psn_vault *from, struct psn_vault *to,
                               const char *client, struct psn_shredding *shredding,
                               struct psn_error *err)
{
    struct carrying carrying = { .from = from, .to = to, .shredding = shredding };
    struct psn_chain *new = &carrying.new;
    enum psn_code rc = psn_chain_open(from, client, &carrying.old, err);

    if (!rc)
        rc = psn_chain_open(to, client, new, err);
    if (rc)
        return rc;
    memcpy(new->name, carrying.old.name, sizeof new->name);
    memcpy(new->head, carrying.old.head, sizeof new->head);
    new->count = carrying.old.count;
    rc = copy_entries(&carrying, err);
    if (!rc && (carrying.old.revision > 0 ||
                (!client && memcmp(new->name, new->id, sizeof new->id) != 0)))
        rc = psn_chain_put_head(to, new, err);
    if (rc)
        return rc;
    to->state.journal_entries += new->count;
    if (!client) {
        to->state.vault_count = new->count;
        memcpy(to->state.vault_head, new->head, sizeof new->head);
    }
    return PSN_OK;
}

enum psn_code psn_journal_head(struct psn_vault *vault, const char *client,
                               struct psn_head *ret_head, struct psn_error *err)
{
    struct psn_chain chain;
    enum psn_code rc = psn_chain_open(vault, client, &chain, err);

    if (rc)
        return rc;
    *ret_head = (struct psn_head){ .count = chain.count };
    if (client)
        memcpy(ret_head->chain, client, strnlen(client, sizeof ret_head->chain - 1));
    memcpy(ret_head->hash, chain.head, sizeof ret_head->hash);
    return PSN_OK;
}
