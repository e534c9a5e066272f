#ifndef PSN_CORE_LINKING_H
#define PSN_CORE_LINKING_H

#include "core/client.h"
#include "core/credential.h"
#include "core/rights.h"

/* Events of the client's journal, label "cut" for the second key; the text of the second
 * one is the widest rule, which was accepted. */
#define PSN_EVENT_LINKED      "ovh.linked"
#define PSN_EVENT_LINKED_WIDE "ovh.linked-wide"

/* One linking under way: link_key.c judges and stores, link_wait.c asks the owner and
 * waits. */
struct psn_linking {
    struct psn_vault *vault;
    const struct psn_link_options *options;
    struct psn_client client;
    struct psn_credentials all;          /* as the vault has them */
    struct psn_ovh_credential candidate; /* what is to be stored */
    bool asked;                          /* it waits, or waited, for the owner */
    bool shown;
    struct psn_link link;
    int64_t key_id;     /* of the candidate, as OVH has it; 0: it is no key */
    int64_t old_key_id; /* of the key that is replaced; 0: not known */
};

/* The back-ends that the client's mailboxes have. */
PSN_MUST_CHECK enum psn_code psn_linking_backends(struct psn_vault *vault,
                                                  const char *client,
                                                  psn_backend_set *ret_set,
                                                  struct psn_error *err);

/* The key that waits for the owner's approval. */
static inline struct psn_asked_key *psn_linking_asked(struct psn_linking *linking)
{
    return &linking->all.asked[linking->options->use];
}

/* Inside a transaction: what is in the vault now, which may have changed since. */
PSN_MUST_CHECK enum psn_code psn_linking_read(struct psn_linking *linking,
                                              struct psn_error *err);
/* Inside a write: the keys as they stand in linking, and a note. */
PSN_MUST_CHECK enum psn_code psn_linking_put(struct psn_linking *linking,
                                             const char *event, const char *text,
                                             struct psn_error *err);
void psn_linking_forget_asked(struct psn_linking *linking);
/* Runs `write` in a transaction of its own. */
PSN_MUST_CHECK enum psn_code psn_linking_commit(
    struct psn_linking *linking,
    enum psn_code (*write)(struct psn_linking *, struct psn_error *),
    struct psn_error *err);
/* A key's end in OVH's words, "refused" or "expired"; else it waits. Records E_REFUSED.
 */
enum psn_code psn_linking_fail_state(const char *status, struct psn_error *err);

/* Makes the candidate by asking the owner. The operation lock is held when it begins and,
 * on success, when it ends; not in between. */
PSN_MUST_CHECK enum psn_code psn_linking_ask_owner(struct psn_linking *linking,
                                                   struct psn_error *err);

#endif
