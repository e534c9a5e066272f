#ifndef PSN_CORE_DOCUMENT_FORM_H
#define PSN_CORE_DOCUMENT_FORM_H

#include <stdbool.h>
#include <stddef.h>

/* What the values of an issue look like (docs/issue-format.md). text need not end with a
 * NUL. */

/* Plain text (psn_text_is_plain) in lines that LF parts. */
bool psn_form_is_lines(const char *text, size_t size);
/* The same, not empty, in one line, without a blank at either end. */
bool psn_form_is_line(const char *text, size_t size);

/* Of a secret or the words about it, in one line or several. */
bool psn_form_is_secret(const char *bytes, size_t size); /* also what is no text */
bool psn_form_is_note(const char *text, size_t size);
bool psn_form_is_means(const char *text, size_t size); /* two lines */
/* 1 to PSN_DOMAINS_MAX lines, a host of two or more labels in each. */
bool psn_form_is_domains(const char *text, size_t size);
bool psn_form_is_content(const char *text, size_t size); /* of a file */

/* All below hold for one line and nothing else. */
bool psn_form_is_text(const char *text, size_t size);
bool psn_form_is_word(const char *text, size_t size);
bool psn_form_is_label(const char *text, size_t size);       /* of a secret */
bool psn_form_is_type(const char *text, size_t size);        /* [a-z0-9-]{1,32} */
bool psn_form_is_number(const char *text, size_t size);      /* 1 to 2^53 - 1 */
bool psn_form_is_time(const char *text, size_t size);        /* RFC 3339, UTC, "Z" */
bool psn_form_is_until(const char *text, size_t size);       /* a time or "none" */
bool psn_form_is_date(const char *text, size_t size);        /* YYYY-MM-DD */
bool psn_form_is_id(const char *text, size_t size);          /* of a person or client */
bool psn_form_is_vault_id(const char *text, size_t size);    /* 32 hex digits */
bool psn_form_is_fingerprint(const char *text, size_t size); /* SHA256:… */
bool psn_form_is_recipient(const char *text, size_t size);   /* a key, or "code" */
bool psn_form_is_receipt(const char *text, size_t size);     /* XXXXX-XXXXX-X */
bool psn_form_is_address(const char *text, size_t size);     /* in normal form */
bool psn_form_is_host(const char *text, size_t size);
bool psn_form_is_https(const char *text, size_t size);
bool psn_form_is_media(const char *text, size_t size);           /* type/subtype */
bool psn_form_is_self_change(const char *text, size_t size);     /* where */
bool psn_form_is_fingerprint_key(const char *text, size_t size); /* 64 hex digits */
bool psn_form_is_server(const char *text, size_t size); /* "host port security" */

#endif
