#ifndef PSN_CORE_CHAIN_H
#define PSN_CORE_CHAIN_H

#include "core/journal.h"

/* What the files of the journal share: a chain that was looked up, and its links. Nobody
 * else includes it. All inside a transaction. */
struct psn_chain {
    const char *client;                 /* NULL: the vault's */
    uint8_t id[PSN_STORE_CHAIN_SIZE];   /* where its rows lie */
    uint8_t name[PSN_STORE_CHAIN_SIZE]; /* what is hashed; as a rule the same */
    const struct psn_secret *key;       /* borrowed */
    uint64_t count;
    uint8_t head[PSN_STORE_HASH_SIZE];
    uint64_t revision; /* of the head's row; 0: none yet */
};

/* What an entry's box holds: salt and record, as they were noted; or, when the entry was
 * shredded, another salt and what is left of the record. */
struct psn_chain_box {
    struct psn_buf salted;
    bool is_shredded;
};
struct psn_chain_box psn_chain_box_init(void);
void psn_chain_box_release(struct psn_chain_box *box);

PSN_MUST_CHECK enum psn_code psn_chain_open(struct psn_vault *vault, const char *client,
                                            struct psn_chain *ret_chain,
                                            struct psn_error *err);
/* What the chain's head is from now on, for all that opens the chain. It is written by
 * psn_journal_settle(), once however many notes there were. */
PSN_MUST_CHECK enum psn_code psn_chain_note_head(struct psn_vault *vault,
                                                 const struct psn_chain *chain,
                                                 struct psn_error *err);
/* Writes it now. */
PSN_MUST_CHECK enum psn_code psn_chain_put_head(struct psn_vault *vault,
                                                const struct psn_chain *chain,
                                                struct psn_error *err);

/* The chain's rows go: nothing of it is written any more. */
void psn_chain_forget(struct psn_vault *vault, const struct psn_chain *chain);

PSN_MUST_CHECK enum psn_code psn_chain_encode(const struct psn_vault *vault,
                                              const struct psn_note *note,
                                              struct psn_chain_box *ret_box,
                                              struct psn_error *err);
/* Leaves of an entry when it was, who did it, what kind it is, and the subject ("":
 * none). */
PSN_MUST_CHECK enum psn_code psn_chain_shred(const struct psn_journal_entry *entry,
                                             const char *subject,
                                             struct psn_chain_box *ret_box,
                                             struct psn_error *err);
/* Seals it into entry->box; number and hash of the entry are set. */
PSN_MUST_CHECK enum psn_code psn_chain_seal(const struct psn_vault *vault,
                                            const struct psn_chain *chain,
                                            const struct psn_chain_box *box,
                                            struct psn_store_entry *entry,
                                            struct psn_error *err);
/* Takes `hash` from that of the entry before to that of `number`. */
void psn_chain_link(const struct psn_vault *vault, const struct psn_chain *chain,
                    uint64_t number, const struct psn_chain_box *box,
                    uint8_t hash[PSN_STORE_HASH_SIZE]);

/* Reads and opens an entry. */
PSN_MUST_CHECK enum psn_code psn_chain_entry(
    struct psn_vault *vault, const struct psn_chain *chain, uint64_t number,
    struct psn_store_entry *entry, struct psn_chain_box *ret_box, struct psn_error *err);
/* Takes `hash` from that of the entry before to that of this one; E_INTEGRITY if it is
 * not the one that the entry tells. */
PSN_MUST_CHECK enum psn_code psn_chain_follow(const struct psn_vault *vault,
                                              const struct psn_chain *chain,
                                              const struct psn_store_entry *entry,
                                              const struct psn_chain_box *box,
                                              uint8_t hash[PSN_STORE_HASH_SIZE],
                                              struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_chain_decode(const struct psn_chain *chain,
                                              const struct psn_store_entry *entry,
                                              const struct psn_chain_box *box,
                                              struct psn_journal_entry *out,
                                              struct psn_error *err);
enum psn_code psn_chain_fail(const struct psn_chain *chain, uint64_t number,
                             struct psn_error *err);

#endif
