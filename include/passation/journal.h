#ifndef PASSATION_JOURNAL_H
#define PASSATION_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/vault.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The journal: what was done, in hash chains; one for the vault, one for each client. An
 * entry holds no secret.
 */
enum {
    PSN_HEAD_SIZE = 32,
    PSN_EVENT_MAX = 33,
    PSN_JOURNAL_TEXT_MAX = 513,
};

struct psn_journal_entry {
    char chain[65];  /* client id, or "" for the vault's own chain */
    uint64_t number; /* from 1 */
    int64_t time_s;
    char actor[PSN_PERSON_ID_MAX]; /* whose slot was in use */
    char event[PSN_EVENT_MAX];     /* a stable word: "role.created", "secret.shown" … */
    char subject[255];             /* address, client id or person; or "" */
    char label[65];                /* of a secret, or "" */
    uint64_t version;              /* or 0 */
    char text[PSN_JOURNAL_TEXT_MAX]; /* more, plain English words or numbers; or "" */
    uint8_t hash[PSN_HEAD_SIZE];
    bool is_shredded; /* the rest of it went with a client whose copies were destroyed */
};
typedef enum psn_code psn_journal_fn(void *arg, const struct psn_journal_entry *entry,
                                     struct psn_error *err);

/* The newest count entries (0: all) of a chain, oldest first. chain NULL: of all chains,
 * each chain after the other, the vault's first. Checked against the chain's head before
 * use. */
PSN_API PSN_MUST_CHECK enum psn_code psn_journal_each(struct psn_vault *vault,
                                                      const char *chain, uint64_t count,
                                                      psn_journal_fn *each, void *arg,
                                                      struct psn_error *err);

struct psn_head {
    char chain[65];
    uint64_t count;
    uint8_t hash[PSN_HEAD_SIZE];
};
/* Checks every row against the state and recomputes every chain from its first entry;
 * calls each for every head. E_INTEGRITY. */
typedef enum psn_code psn_head_fn(void *arg, const struct psn_head *head,
                                  struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_journal_verify(struct psn_vault *vault,
                                                        psn_head_fn *each, void *arg,
                                                        struct psn_error *err);

/*
 * A statement is text that ends with one or more signatures in OpenSSH's form (namespace
 * passation-statement) and tells journal heads, one a line: "Journal: CLIENT COUNT HASH",
 * CLIENT "-" for the vault's own chain. It verifies if the vault's signing key, present
 * or former, made every signature, and every head is an ancestor of the present one.
 * E_INTEGRITY says which is not.
 */
struct psn_statement {
    size_t heads;
    size_t heads_gone; /* of these: of clients whose copies were destroyed, of whose
                          chains only the last head is known */
    size_t signatures;
    char fingerprint[64]; /* of the first signature's key */
    bool by_former_key;   /* that key was replaced since */
};
/* Writes and signs one: `kind` ("departure"), lines "Field: value" of the caller's that
 * name no journal, a text for people (each of its lines behind "| ", so that none can
 * look like a field), the heads. The caller frees *ret_text. */
struct psn_statement_draft {
    const char *kind;
    const char *fields;
    const char *text;
    const struct psn_head *heads; /* chain "": the vault's */
    size_t head_count;
};
PSN_API PSN_MUST_CHECK enum psn_code psn_statement_sign(
    struct psn_vault *vault, const struct psn_statement_draft *draft, char **ret_text,
    struct psn_error *err);

/* The signature of a file by the vault's key, in OpenSSH's form under the namespace
 * passation-file, as it stands beside an issue. The caller frees *ret_text. */
PSN_API PSN_MUST_CHECK enum psn_code psn_file_sign(struct psn_vault *vault,
                                                   const void *bytes, size_t size,
                                                   char **ret_text,
                                                   struct psn_error *err);

PSN_API PSN_MUST_CHECK enum psn_code psn_statement_verify(
    struct psn_vault *vault, const char *text, size_t size,
    struct psn_statement *ret_statement, struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
