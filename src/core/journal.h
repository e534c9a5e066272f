#ifndef PSN_CORE_JOURNAL_H
#define PSN_CORE_JOURNAL_H

#include "core/vault.h"
#include "passation/client.h"
#include "passation/journal.h"

/* What is noted; members that are NULL are left out. Texts are plain English words, names
 * or numbers, never secrets. */
struct psn_note {
    const char *event; /* a stable word, "role.created" */
    const char *subject;
    const char *label;
    uint64_t version;
    const char *text;
};

/* Inside a write: appends to the client's chain, or to the vault's (client NULL). It
 * becomes durable with what it tells of, in the same transaction. */
PSN_MUST_CHECK enum psn_code psn_journal_note(struct psn_vault *vault, const char *client,
                                              const struct psn_note *note,
                                              struct psn_error *err);

/* At the end of a write: the head of a chain that was noted in is written once, however
 * many notes there were. */
PSN_MUST_CHECK enum psn_code psn_journal_settle(struct psn_vault *vault,
                                                struct psn_error *err);

/* Inside a write: deletes a client's chain with its head. */
PSN_MUST_CHECK enum psn_code psn_journal_drop(struct psn_vault *vault, const char *client,
                                              struct psn_error *err);

/* Whose names go when a chain is copied, and how many entries had one. */
struct psn_shredding {
    const struct psn_client *client;
    uint64_t count;
};
/* Inside a read or write of `from` and a write of `to`, a new file of the same vault,
 * which has the client's row already: seals the chain anew there. Its entries, hashes and
 * heads stay what they are. shredding (or NULL): of entries that name the client's OVH
 * account or a domain of his, only their kind, their date and by whom they are. */
PSN_MUST_CHECK enum psn_code psn_journal_copy(struct psn_vault *from,
                                              struct psn_vault *to, const char *client,
                                              struct psn_shredding *shredding,
                                              struct psn_error *err);
/* Inside a transaction: psn_journal_each() of one chain, all of it. */
PSN_MUST_CHECK enum psn_code psn_journal_walk(struct psn_vault *vault, const char *client,
                                              psn_journal_fn *each, void *arg,
                                              struct psn_error *err);
/* Inside a transaction: how far the chain is. */
PSN_MUST_CHECK enum psn_code psn_journal_head(struct psn_vault *vault, const char *client,
                                              struct psn_head *ret_head,
                                              struct psn_error *err);

/* Inside a transaction: is the hash that of the chain's entry `number`? The chain is
 * checked whole before it is believed. */
PSN_MUST_CHECK enum psn_code psn_journal_holds(struct psn_vault *vault,
                                               const char *client, uint64_t number,
                                               const uint8_t hash[PSN_HEAD_SIZE],
                                               bool *ret_holds, struct psn_error *err);

/* Inside a transaction: recomputes all chains and the history, and that no row is left
 * over. */
PSN_MUST_CHECK enum psn_code psn_journal_check(struct psn_vault *vault, psn_head_fn *each,
                                               void *arg, struct psn_error *err);
/* Its parts: one chain (client NULL: the vault's) from its first entry to its head; the
 * history; and that all chains together, of so many entries, are all there is. */
PSN_MUST_CHECK enum psn_code psn_journal_check_chain(struct psn_vault *vault,
                                                     const char *client,
                                                     struct psn_head *ret_head,
                                                     struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_journal_check_history(struct psn_vault *vault,
                                                       struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_journal_check_count(struct psn_vault *vault,
                                                     uint64_t entries,
                                                     struct psn_error *err);

#endif
