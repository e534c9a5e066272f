#ifndef PSN_CORE_DOCUMENT_H
#define PSN_CORE_DOCUMENT_H

#include <stddef.h>
#include <stdint.h>

#include "crypto/secret.h"
#include "passation/error.h"

/*
 * The text of an issue: docs/issue-format.md. Version 1 is what a grant hands over,
 * version 2 the trousseau that ends a contract. This file is the grammar and nothing
 * else: no key, no vault. Fields are named by the enums below, in the order in which they
 * must stand; tables say which may be left out and what form they have, for writing and
 * reading alike.
 */
enum psn_document_head {
    PSN_HEAD_FORMAT,
    PSN_HEAD_SERIAL,
    PSN_HEAD_ISSUED,
    PSN_HEAD_ISSUER,
    PSN_HEAD_ISSUED_BY,
    PSN_HEAD_REPLY_TO,
    PSN_HEAD_VAULT,
    PSN_HEAD_PERSON,
    PSN_HEAD_NAME,
    PSN_HEAD_RECIPIENT,
    PSN_HEAD_CLIENT,
    PSN_HEAD_CLIENT_NAME,
    PSN_HEAD_RIGHT,
    PSN_HEAD_FROM,
    PSN_HEAD_UNTIL,
    PSN_HEAD_REASON,
    PSN_HEAD_RECEIPT,
    PSN_HEAD_FIELDS,
};

enum psn_document_account {
    PSN_ACCOUNT_NIC,
    PSN_ACCOUNT_DOMAINS,
    PSN_ACCOUNT_PANEL,
    PSN_ACCOUNT_FINGERPRINT_KEY,
    PSN_ACCOUNT_FIELDS,
};

enum psn_document_mailbox {
    PSN_MAILBOX_ADDRESS,
    PSN_MAILBOX_VERSION,
    PSN_MAILBOX_CHANGED,
    PSN_MAILBOX_PROVED,
    PSN_MAILBOX_USER,
    PSN_MAILBOX_PASSWORD,
    PSN_MAILBOX_WEBMAIL,
    PSN_MAILBOX_IMAP,
    PSN_MAILBOX_SMTP,
    PSN_MAILBOX_SELF_CHANGE, /* version 2 */
    PSN_MAILBOX_FIELDS,
};

enum psn_document_secret {
    PSN_SECRET_LABEL,
    PSN_SECRET_OF,
    PSN_SECRET_TYPE,
    PSN_SECRET_VERSION,
    PSN_SECRET_USER,
    PSN_SECRET_URL,
    PSN_SECRET_EXPIRES,
    PSN_SECRET_NOTE,
    PSN_SECRET_VALUE,
    PSN_SECRET_FIELDS,
};

enum psn_document_file {
    PSN_FILE_BLOCK_NAME,
    PSN_FILE_BLOCK_MEDIA,
    PSN_FILE_BLOCK_CONTENT,
    PSN_FILE_BLOCK_FIELDS,
};

/* With their signature. A process may often lock no more than 8 MiB: two whole texts of
 * version 2 (one signed, one read back), two files, and 1 MiB for all else are that. */
enum {
    PSN_DOCUMENT_FIELDS_MAX = PSN_HEAD_FIELDS,
    PSN_DOCUMENT_MAX = 1024 * 1024,            /* of version 1 */
    PSN_DOCUMENT_SECOND_MAX = 3 * 1024 * 1024, /* of version 2 */
    PSN_DOCUMENT_FILE_MAX = 512 * 1024,        /* the content of one file */
};

/* Bytes of a value; size 0: the field is left out. */
struct psn_slice {
    const uint8_t *at;
    size_t size;
};
static inline struct psn_slice psn_slice_of(const char *text)
{
    struct psn_slice slice = { (const uint8_t *)text, 0 };

    while (text[slice.size])
        slice.size++;
    return slice;
}

/* --- writing --- */

/* The text grows in locked memory. Calls in this order: head, whose PSN_HEAD_FORMAT says
 * the version, in version 2 account, then for each mailbox it and its secrets, in version
 * 2 the files, then end; the first failure is kept and returned by end. */
struct psn_document_writer {
    unsigned version;
    struct psn_secret *text;
    enum psn_code failed;
    struct psn_error error;
};
void psn_document_head(struct psn_document_writer *writer,
                       const struct psn_slice fields[PSN_HEAD_FIELDS]);
void psn_document_account(struct psn_document_writer *writer,
                          const struct psn_slice fields[PSN_ACCOUNT_FIELDS]);
void psn_document_mailbox(struct psn_document_writer *writer,
                          const struct psn_slice fields[PSN_MAILBOX_FIELDS]);
void psn_document_secret(struct psn_document_writer *writer,
                         const struct psn_slice fields[PSN_SECRET_FIELDS]);
void psn_document_file(struct psn_document_writer *writer,
                       const struct psn_slice fields[PSN_FILE_BLOCK_FIELDS]);
/* Ends the text before its signature; the caller owns it. The writer is empty then,
 * whatever comes out. */
PSN_MUST_CHECK enum psn_code psn_document_end(struct psn_document_writer *writer,
                                              struct psn_secret **ret_text,
                                              struct psn_error *err);

/* --- reading --- */

enum psn_block_kind {
    PSN_BLOCK_HEAD,
    PSN_BLOCK_ACCOUNT,
    PSN_BLOCK_MAILBOX,
    PSN_BLOCK_SECRET,
    PSN_BLOCK_FILE,
    PSN_BLOCK_END,
};

/* A field as it stands in the text, or absent (at NULL). */
struct psn_field {
    const uint8_t *at; /* after "Name: ", or the first "| " line, or the base64 */
    size_t size;
    enum psn_form {
        PSN_FORM_INLINE,
        PSN_FORM_LINES,
        PSN_FORM_BASE64,
    } form;
};

struct psn_block {
    enum psn_block_kind kind;
    struct psn_field fields[PSN_DOCUMENT_FIELDS_MAX];
};

struct psn_document {
    unsigned version;
    struct psn_block *blocks; /* the head and what follows it; without the end */
    size_t count;
    size_t signed_size; /* bytes before the signature */
};
void psn_document_release(struct psn_document *document);

/* Reads a text with or without its signature; the document borrows it. E_INTEGRITY tells
 * the line. What comes after the End line is not looked at: see signed_size. */
PSN_MUST_CHECK enum psn_code psn_document_parse(const struct psn_secret *text,
                                                struct psn_document *ret_document,
                                                struct psn_error *err);

/* The value of a field in locked memory; empty if it is absent. */
PSN_MUST_CHECK enum psn_code psn_field_secret(const struct psn_field *field,
                                              struct psn_secret **ret_value,
                                              struct psn_error *err);
/* A field of one line as a text; E_INTEGRITY if it does not fit. */
PSN_MUST_CHECK enum psn_code psn_field_text(const struct psn_field *field, char *ret_text,
                                            size_t size, struct psn_error *err);

#endif
