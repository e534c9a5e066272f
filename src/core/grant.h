#ifndef PSN_CORE_GRANT_H
#define PSN_CORE_GRANT_H

#include "core/issue_row.h"
#include "core/vault.h"
#include "passation/grant.h"

/* The rows of grants: one for each person and address. All inside a transaction. */
struct psn_grant_row {
    char person[PSN_PERSON_ID_MAX];
    char address[PSN_ADDRESS_TEXT_MAX];
    char client[PSN_CLIENT_ID_MAX];
    int64_t created_s;
    int64_t from_s;
    int64_t until_s;
    int64_t ended_s;
    char reason[PSN_FIELD_MAX];
    char approver[PSN_PERSON_ID_MAX];
    enum psn_issue_format format;
    char labels[PSN_FIELD_MAX]; /* one a line; "*" all; "" none */
    struct psn_content *issued; /* owned: what he was given last */
    size_t issued_count;
    char *folder; /* owned: where its issues go; NULL before the first */
    uint64_t serial;
    uint64_t revision;
};
void psn_grant_row_release(struct psn_grant_row *row);

struct psn_grant_list {
    struct psn_grant_row *items;
    size_t count;
};
void psn_grant_list_release(struct psn_grant_list *list);

/* Of a grant what questions about the whole vault ask for: a row is six times as large.
 */
struct psn_grant_brief {
    char person[PSN_PERSON_ID_MAX];
    char address[PSN_ADDRESS_TEXT_MAX];
    char client[PSN_CLIENT_ID_MAX];
    int64_t from_s;
    int64_t until_s;
    int64_t ended_s;
    enum psn_issue_format format;
    uint64_t password; /* its version that was issued last; 0: none */
    char *labels;      /* owned; NULL: the password alone */
};

struct psn_grant_briefs {
    struct psn_grant_brief *items;
    size_t count;
};
void psn_grant_briefs_release(struct psn_grant_briefs *briefs);

/* E_NOT_FOUND without a message if there is none: *ret is then empty. */
PSN_MUST_CHECK enum psn_code psn_grant_read(struct psn_vault *vault, const char *person,
                                            const char *address,
                                            struct psn_grant_row *ret_row,
                                            struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_grant_write(struct psn_vault *vault,
                                             struct psn_grant_row *row,
                                             struct psn_error *err);
/* Inside a write: deletes everybody's grants for an address. */
PSN_MUST_CHECK enum psn_code psn_grant_delete_of(struct psn_vault *vault,
                                                 const char *address,
                                                 struct psn_error *err);
/* Copies all into another vault, for a rekey. *ret_count: how many. */
PSN_MUST_CHECK enum psn_code psn_grant_copy(struct psn_vault *from, struct psn_vault *to,
                                            uint64_t *ret_count, struct psn_error *err);
/* All of a person (NULL: everybody's), sorted by person, client, address. */
PSN_MUST_CHECK enum psn_code psn_grant_list(struct psn_vault *vault, const char *person,
                                            struct psn_grant_list *ret_list,
                                            struct psn_error *err);
/* The same in brief. */
PSN_MUST_CHECK enum psn_code psn_grant_brief_list(struct psn_vault *vault,
                                                  const char *person,
                                                  struct psn_grant_briefs *ret_briefs,
                                                  struct psn_error *err);

/* Inside a write: ends all of a person's, and voids every issue that was not confirmed.
 */
PSN_MUST_CHECK enum psn_code psn_grant_end_all(struct psn_vault *vault,
                                               const char *person, struct psn_error *err);

enum psn_grant_state psn_grant_row_state(const struct psn_grant_row *row, int64_t now_s);
enum psn_grant_state psn_grant_brief_state(const struct psn_grant_brief *brief,
                                           int64_t now_s);

/* Tells what a grant of this address with these labels covers now: the password, which
 * has no label, and the secrets; nothing while no password is proved. E_NOT_FOUND: a
 * label that nobody has. */
PSN_MUST_CHECK enum psn_code psn_grant_each_covered(struct psn_vault *vault,
                                                    const char *address,
                                                    const char *labels,
                                                    psn_secret_fn *each, void *arg,
                                                    struct psn_error *err);
/* The same in brief; the caller frees *ret_contents. */
PSN_MUST_CHECK enum psn_code psn_grant_contents(struct psn_vault *vault,
                                                const struct psn_grant_row *row,
                                                struct psn_content **ret_contents,
                                                size_t *ret_count, struct psn_error *err);

/* Is something of it newer than what was issued? */
bool psn_grant_is_behind(const struct psn_grant_row *row,
                         const struct psn_content *contents, size_t count);
/* Keeps what is newer than what was issued, in place; returns how many. */
size_t psn_grant_keep_behind(const struct psn_grant_row *row,
                             struct psn_content *contents, size_t count);

#endif
