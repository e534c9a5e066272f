#ifndef PSN_CORE_ISSUE_ROW_H
#define PSN_CORE_ISSUE_ROW_H

#include "core/receipt.h"
#include "core/vault.h"
#include "passation/grant.h"

/* The rows of issues: what was given to whom, with its receipt code. All inside a
 * transaction. */

/* One secret in an issue. */
struct psn_content {
    char address[PSN_ADDRESS_TEXT_MAX];
    char label[PSN_LABEL_TEXT_MAX]; /* "" is the mailbox's password */
    uint64_t version;
};
/* Appends to items, which the caller frees. */
PSN_MUST_CHECK enum psn_code psn_content_add(struct psn_content **items, size_t *count,
                                             const char *address, const char *label,
                                             uint64_t version, struct psn_error *err);
/* Is this version among them? */
bool psn_contents_have(const struct psn_content *contents, size_t count,
                       const char *address, const char *label, uint64_t version);

struct psn_issue_row {
    char person[PSN_PERSON_ID_MAX];
    char client[PSN_CLIENT_ID_MAX];
    uint64_t serial;
    enum psn_issue_format format;
    enum psn_issue_state state;
    int64_t created_s;
    int64_t confirmed_s;
    bool by_code;
    char path[4096];
    char receipt[PSN_RECEIPT_SIZE];
    uint64_t wrong_tries;
    struct psn_content *contents; /* owned */
    size_t content_count;
    const char **addresses; /* owned, borrow from contents; made by row_each and copy */
    size_t address_count;
    uint64_t revision; /* 0: a new one */
};
void psn_issue_row_release(struct psn_issue_row *row);
/* False without memory; *ret is then empty. */
bool psn_issue_row_copy(const struct psn_issue_row *row, struct psn_issue_row *ret);
/* Fills addresses from contents. False without memory. */
bool psn_issue_row_index(struct psn_issue_row *row);

PSN_MUST_CHECK enum psn_code psn_issue_row_write(struct psn_vault *vault,
                                                 struct psn_issue_row *row,
                                                 struct psn_error *err);

/* Of one person (NULL: everybody), in the file's order; the row is borrowed. */
typedef enum psn_code psn_issue_row_fn(void *arg, const struct psn_issue_row *row,
                                       struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_issue_row_each(struct psn_vault *vault,
                                                const char *person,
                                                psn_issue_row_fn *each, void *arg,
                                                struct psn_error *err);

/* Copies all issues and the counters into another vault, for a rekey. */
PSN_MUST_CHECK enum psn_code psn_issue_copy(struct psn_vault *from, struct psn_vault *to,
                                            uint64_t *ret_count, struct psn_error *err);

/* "serial 1795892400000", for the journal. */
void psn_issue_serial_text(uint64_t serial, char ret_text[32]);

/* The public view; borrows from the row. */
struct psn_issue psn_issue_view(const struct psn_issue_row *row);

#endif
