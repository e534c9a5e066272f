#ifndef PSN_CORE_ISSUE_H
#define PSN_CORE_ISSUE_H

#include "core/document.h"
#include "core/grant.h"

/*
 * Making one issue, in three steps that a crash may part:
 *
 *     compose   one transaction: serial, exposures, journal, the row "prepared", the text
 *     write     signature, encryption, the two files, the code told
 *     finish    one transaction: the row "written", the grants no longer due
 *
 * Killed before the last one, the grants are still due, and the next outbox makes the
 * issue again with a new serial and code; the person has one exposure too many.
 */
struct psn_issue_order {
    const char *person;
    const char *client;
    enum psn_issue_format format;
    const char *const *addresses; /* of that client, under active grants */
    size_t address_count;
};

/* Inside a write: voids the unconfirmed issues of a person that hold one of the
 * mailboxes. One that is being made now is never finished. */
PSN_MUST_CHECK enum psn_code psn_issue_void(struct psn_vault *vault, const char *person,
                                            const char *const *addresses, size_t count,
                                            struct psn_error *err);

/* E_CONFLICT: a grant ended meanwhile, and the files are gone again. */
PSN_MUST_CHECK enum psn_code psn_issue_make(struct psn_vault *vault,
                                            const struct psn_issue_order *order,
                                            const struct psn_delivery *delivery,
                                            struct psn_error *err);

/* Is there a folder for the issues, to be written in? */
PSN_MUST_CHECK enum psn_code psn_delivery_check(const struct psn_delivery *delivery,
                                                struct psn_error *err);
/* Its whole name, for whoever finishes this and stands elsewhere; the caller frees it. */
PSN_MUST_CHECK enum psn_code psn_delivery_folder(const struct psn_delivery *delivery,
                                                 char **ret_folder,
                                                 struct psn_error *err);

/* Whether an issue goes by a code, not by a key. */
bool psn_issue_by_code(const struct psn_person *person, enum psn_issue_format format);

/* What the steps share. */
struct psn_draft {
    const struct psn_issue_order *order;
    bool own; /* a trousseau: version 2 of the document */
    struct psn_person person;
    struct psn_client client;
    struct psn_issue_row row;
    char fingerprint[64];
    struct psn_secret *seed; /* of the signing key */
    struct psn_secret *text; /* the document, before its signature */
    struct psn_secret *code; /* NULL: encrypted to a key */
};
void psn_draft_release(struct psn_draft *draft);

/* What the head of a document tells beside. */
struct psn_draft_terms {
    int64_t from_s;
    int64_t until_s; /* 0: none */
    char reason[PSN_FIELD_MAX];
};

/* Inside a write, in this order: the person, a serial and the key; the head, each content
 * with its exposure (info: what it says of a secret that is no mailbox's password;
 * ret_value: the value, too, or NULL), what belongs behind them; the
 * row with a journal entry. */
PSN_MUST_CHECK enum psn_code psn_draft_begin(struct psn_vault *vault,
                                             struct psn_draft *draft,
                                             struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_draft_put_head(struct psn_vault *vault,
                                                struct psn_draft *draft,
                                                const struct psn_draft_terms *terms,
                                                struct psn_document_writer *writer,
                                                struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_draft_put_content(struct psn_vault *vault,
                                                   const struct psn_draft *draft,
                                                   const struct psn_content *content,
                                                   const struct psn_secret_info *info,
                                                   struct psn_document_writer *writer,
                                                   struct psn_secret **ret_value,
                                                   struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_draft_note(struct psn_vault *vault,
                                            struct psn_draft *draft, const char *event,
                                            struct psn_error *err);
/* All of it, of an issue under grants. */
PSN_MUST_CHECK enum psn_code psn_draft_compose(struct psn_vault *vault,
                                               struct psn_draft *draft,
                                               struct psn_error *err);

/* The hint of what failed because a grant ended: not that its issue is due. */
enum psn_code psn_draft_hint_ended(enum psn_code code, struct psn_error *err);

/* The document with its signature, encrypted. armor: for the page. */
PSN_MUST_CHECK enum psn_code psn_draft_encrypt(const struct psn_draft *draft, bool armor,
                                               struct psn_buf *out,
                                               struct psn_error *err);

#endif
