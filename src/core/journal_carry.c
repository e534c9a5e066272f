#include <ctype.h>
#include <string.h>

#include "core/chain.h"

/* A chain carried on in another file of the same vault: under other keys by a rekey,
 * under the same by a destruction. Numbers, hashes and heads stay what they are. */

struct carrying {
    struct psn_vault *from;
    struct psn_vault *to;
    struct psn_chain old;
    struct psn_chain new;
    const struct psn_client *shredded; /* what names him goes; or NULL */
};

/* --- what names a client --- */

static bool is_word_char(char c)
{
    return isalnum((unsigned char)c) || c == '-' || c == '_';
}

/* Does text name the word, not only as a part of another name? A domain counts behind an
 * '@' or a dot, too, and at the end of a sentence. */
static bool names_word(const char *text, const char *word)
{
    size_t length = strlen(word);

    if (length == 0)
        return false;
    for (const char *at = text; (at = strcasestr(at, word)) != NULL; at++) {
        const char *end = at + length;

        if (at > text && is_word_char(at[-1]))
            continue;
        if (is_word_char(*end) || (*end == '.' && is_word_char(end[1])))
            continue;
        return true;
    }
    return false;
}

/* The client's id alone tells whom the vault has had to do with, and may stay. */
static bool names_client(const char *text, const struct psn_client *client)
{
    bool found = false;

    if (strcmp(text, client->id) == 0)
        return false;
    found = names_word(text, client->nic) || names_word(text, client->linked_nic);
    for (size_t i = 0; !found && i < client->domain_count; i++)
        found = names_word(text, client->domains[i]);
    return found;
}

/* Notes of departures hold ids only, and a departure is read back from them. */
static bool is_to_shred(const struct psn_journal_entry *entry,
                        const struct psn_client *client)
{
    static const char departures[] = "departure.";

    if (strncmp(entry->event, departures, sizeof departures - 1) == 0)
        return false;
    return names_client(entry->subject, client) || names_client(entry->label, client) ||
           names_client(entry->text, client);
}

/* --- entries --- */

static enum psn_code shred(const struct carrying *carrying,
                           const struct psn_store_entry *entry, struct psn_chain_box *box,
                           struct psn_error *err)
{
    const struct psn_client *client = carrying->shredded;
    struct psn_journal_entry told;
    enum psn_code rc = psn_chain_decode(&carrying->old, entry, box, &told, err);

    if (rc || box->is_shredded || !is_to_shred(&told, client))
        return rc;
    return psn_chain_shred(&told, names_client(told.subject, client) ? "" : told.subject,
                           box, err);
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
        if (!rc && carrying->shredded)
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
                               const char *client, const struct psn_client *shredded,
                               struct psn_error *err)
{
    struct carrying carrying = { .from = from, .to = to, .shredded = shredded };
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
