#ifndef PSN_CORE_STATE_H
#define PSN_CORE_STATE_H

#include "core/vault.h"

/*
 * The root box:
 *
 *     format (1) || vault id (16) || slots (1) || slots x 149 bytes || box of the state
 *
 * The clear part is the box's associated data, so that a slot cannot be changed, added or
 * removed without the state key. docs/vault-format.md has it byte by byte.
 */

/* Reads the clear part: vault id and slots. E_INTEGRITY if it is malformed, E_TOO_NEW if
 * of a later format. */
PSN_MUST_CHECK enum psn_code psn_state_read_head(const struct psn_buf *root_box,
                                                 uint8_t ret_id[PSN_VAULT_ID_SIZE],
                                                 struct psn_state *ret_state,
                                                 struct psn_error *err);

/* Opens the root box with the state key. E_DENIED if the key is not of this vault. */
PSN_MUST_CHECK enum psn_code psn_state_open(const struct psn_vault *vault,
                                            const struct psn_buf *root_box,
                                            struct psn_state *ret_state,
                                            struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_state_seal(const struct psn_vault *vault,
                                            const struct psn_state *state,
                                            struct psn_buf *ret_root_box,
                                            struct psn_error *err);

/*
 * The history is a hash chain over all states so far, one link a commit, kept in the
 * store as (generation, hash, digest). It lets a record of any earlier generation be
 * recognized as an ancestor of this one, or not: then somebody went on from another copy.
 */

/* Closes the open transaction's state: next generation, one more link, appended. */
PSN_MUST_CHECK enum psn_code psn_state_advance(struct psn_vault *vault,
                                               struct psn_error *err);

/* Inside a transaction of `from` and the founding write of `to`, a new file of the same
 * vault: the history, which is in clear, goes on there. */
PSN_MUST_CHECK enum psn_code psn_state_carry_history(struct psn_vault *from,
                                                     struct psn_vault *to,
                                                     struct psn_error *err);

/* Is (generation, head) in the history of the open transaction's state? Recomputed from
 * there up to the sealed head, so that an edited row cannot pretend it. */
PSN_MUST_CHECK enum psn_code psn_state_check_ancestor(
    struct psn_vault *vault, uint64_t generation, const uint8_t head[PSN_STORE_HASH_SIZE],
    bool *ret_is_ancestor, struct psn_error *err);

extern const uint8_t psn_history_chain[PSN_STORE_CHAIN_SIZE];

/* The rollback record: what this user last saw of the vault, outside of it. */

/* What was seen of the vault, read before the transaction in which it is compared:
 * another process commits first and writes its record then, so what a record tells of is
 * in every transaction that begins after it was read. */
struct psn_seen_record {
    struct psn_seen_state state;
    bool found;
    bool
        damaged; /* there is one, and it cannot be read: it counts as none, and is told */
};
PSN_MUST_CHECK enum psn_code psn_seen_read(const struct psn_vault *vault,
                                           struct psn_seen_record *ret_record,
                                           struct psn_error *err);
/* Compares inside a transaction: E_ROLLED_BACK, E_FORKED, or vault->seen is set. */
PSN_MUST_CHECK enum psn_code psn_seen_check(struct psn_vault *vault,
                                            const struct psn_seen_record *record,
                                            struct psn_error *err);

/* Remembers vault->state, after its commit: in the file at once, or, if there were others
 * within a second before, with the next transaction after that second, or at the end. A
 * record that cannot be written is no failure of the command: the next one compares with
 * an older state, which is still an ancestor. vault->seen_why keeps it. */
void psn_seen_note(struct psn_vault *vault);
/* Writes what was noted and is not written yet, unless the record is of a later state or
 * the vault was replaced; the other one only if it is time. */
void psn_seen_flush(struct psn_vault *vault);
void psn_seen_flush_due(struct psn_vault *vault);
/* Writes the record over any other: the user has said that this state is to count. */
void psn_seen_write(struct psn_vault *vault);
/* Whether a record could be written, without doing it. E_IO, E_FULL, E_NOMEM. */
PSN_MUST_CHECK enum psn_code psn_seen_check_place(const struct psn_vault *vault,
                                                  struct psn_error *err);
/* Takes the record away, for a moment in which either of two states may be found. */
PSN_MUST_CHECK enum psn_code psn_seen_forget(const struct psn_vault *vault,
                                             struct psn_error *err);

#endif
