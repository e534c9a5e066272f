#ifndef PSN_TESTS_ISSUE_TEXT_H
#define PSN_TESTS_ISSUE_TEXT_H

#include "core/document.h"

/* An issue's fields as C strings, to be changed one at a time; NULL leaves one out. */
struct issue_text {
    const char *head[PSN_HEAD_FIELDS];
    const char *mailbox[PSN_MAILBOX_FIELDS];
    const char *secret[PSN_SECRET_FIELDS];
    const char *account[PSN_ACCOUNT_FIELDS]; /* of version 2 … */
    const char *file[PSN_FILE_BLOCK_FIELDS];
};

/* Every field there is, with an ordinary value. */
struct issue_text issue_text_full(void);
/* The same of version 2. */
struct issue_text issue_text_trousseau(void);

/* Writes head, account, mailbox, secret, file (each unless its first field is NULL) and
 * end. */
enum psn_code issue_text_write(const struct issue_text *issue,
                               struct psn_secret **ret_text, struct psn_error *err);

/* Writes a parsed document again, field by field: what the parser accepts must come out
 * as it went in, up to the words of the last block, which are the writer's. */
enum psn_code issue_text_rewrite(const struct psn_document *document,
                                 struct psn_secret **ret_text, struct psn_error *err);

/* Writes one block of a kind. */
void issue_text_block(struct psn_document_writer *writer, enum psn_block_kind kind,
                      const struct psn_slice *fields);

/* Where the last block of a text of that size begins. */
size_t issue_text_end(const struct psn_secret *text, size_t size);

#endif
