#ifndef PASSATION_FOREIGN_H
#define PASSATION_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/secret.h"
#include "passation/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Entries as other password managers keep them: what their exports hold, before any of it
 * is a secret of this vault. The files come from outside: each reader has limits, and
 * tells the line of what it refuses.
 */
enum {
    PSN_FOREIGN_FIELDS_MAX = 64,
    PSN_FOREIGN_ENTRY_MAX = 256 * 1024, /* all texts of one entry, in bytes */
    PSN_FOREIGN_ENTRIES_MAX = 200000,
    PSN_FOREIGN_COLUMNS_MAX = 128,
    PSN_FOREIGN_DEPTH_MAX = 32,               /* folders in folders */
    PSN_FOREIGN_TREE_MAX = 200000,            /* files and folders of a tree */
    PSN_FOREIGN_FILE_MAX = 256 * 1024 * 1024, /* a file, or all of a tree's entries */
};

/* A further field of an entry. */
struct psn_foreign_field {
    const char *name;
    const char *value;
    bool is_secret;
    bool is_lost; /* what of the entry could not be read; its value tells why, translated
                   */
};

/* What is known of an entry's note. */
enum psn_foreign_note {
    PSN_FOREIGN_NOTE_UNTOLD,
    PSN_FOREIGN_NOTE_OPEN,   /* passation wrote it, as what lists may show */
    PSN_FOREIGN_NOTE_SECRET, /* it comes from where all is secret */
};

/*
 * An entry. Texts are borrowed for the call, UTF-8 without control characters other than
 * tab and line end, and "" where there is none; the password may be any bytes.
 */
struct psn_foreign {
    size_t line;       /* of its source, from 1, where it begins; 0: a file of its own */
    const char *group; /* folders, with "/" between */
    const char *title;
    const char *user;
    const char *password; /* password_size bytes and a NUL */
    size_t password_size;
    const char *url;
    const char *note;
    const char *totp;    /* an otpauth URI or a seed in base32 */
    const char *expires; /* YYYY-MM-DD */
    const char *type;    /* a word of its source's, or of passation-secret(1) */
    const char *used;    /* recovery codes, as passation exports them: "1 TIME, 3 TIME" */
    const char *problem; /* why it cannot be used, translated; or "" */
    enum psn_foreign_note note_kind;
    const struct psn_foreign_field *fields;
    size_t field_count;
};

/* Anything but OK stops the reading and is its result. */
typedef enum psn_code psn_foreign_fn(void *arg, const struct psn_foreign *entry,
                                     struct psn_error *err);

/* ---- readers ---- */

/* What a column of a CSV file holds. */
enum psn_foreign_part {
    PSN_FOREIGN_GROUP,
    PSN_FOREIGN_TITLE,
    PSN_FOREIGN_USER,
    PSN_FOREIGN_PASSWORD,
    PSN_FOREIGN_URL,
    PSN_FOREIGN_NOTE,
    PSN_FOREIGN_TOTP,
    PSN_FOREIGN_EXPIRES,
    PSN_FOREIGN_TYPE,
    PSN_FOREIGN_USED,
    PSN_FOREIGN_PARTS,
    PSN_FOREIGN_FIELD = PSN_FOREIGN_PARTS, /* a field named after the column */
    PSN_FOREIGN_SECRET,                    /* the same, and secret */
    PSN_FOREIGN_FIELDS,                    /* "name: value", one a line */
    PSN_FOREIGN_BASE64,                    /* a password that is no text */
    PSN_FOREIGN_ESCAPED,                   /* which columns of the row are escaped */
    PSN_FOREIGN_IGNORED,
};

struct psn_csv_column {
    const char *name; /* as in the header, in any case */
    enum psn_foreign_part part;
};

/*
 * CSV (RFC 4180) in UTF-8, with a header: what each column holds is told by columns, else
 * by the names that Bitwarden, 1Password, KeePass, KeePassXC, browsers and passation
 * itself give them; another one becomes a field. The separator is a comma, a semicolon or
 * a tab, as in the header. E_INVALID: malformed, no password among the columns, a column
 * of the map that is not there; E_LIMIT.
 */
PSN_API PSN_MUST_CHECK enum psn_code psn_csv_read(const struct psn_source *source,
                                                  const struct psn_csv_column *columns,
                                                  size_t column_count,
                                                  psn_foreign_fn *each, void *arg,
                                                  struct psn_error *err);

/* KeePass 2's XML, as KeePass and KeePassXC export it, without history and recycle bin.
 * E_INVALID: malformed, or not that; E_LIMIT. */
PSN_API PSN_MUST_CHECK enum psn_code psn_keepass_xml_read(const struct psn_source *source,
                                                          psn_foreign_fn *each, void *arg,
                                                          struct psn_error *err);

/* Bitwarden's JSON, not encrypted: logins, notes, cards, identities, SSH keys, of a
 * person's own vault or an organization's. E_INVALID; E_LIMIT. */
PSN_API PSN_MUST_CHECK enum psn_code psn_bitwarden_read(const struct psn_source *source,
                                                        psn_foreign_fn *each, void *arg,
                                                        struct psn_error *err);

/* Opens one file of a tree. E_DENIED, E_INVALID, E_INTEGRITY, E_LIMIT: this entry has
 * a problem, and the others are read all the same. */
typedef enum psn_code psn_tree_open_fn(void *arg, int fd, const char *name,
                                       struct psn_secret **ret_text,
                                       struct psn_error *err);

/*
 * A tree as pass and passage keep it: a folder of files NAME.gpg or NAME.age (suffix,
 * with the dot), the password on the first line, "key: value" and free text below. In the
 * order of names; what begins with a dot is passed over, and any other link is an entry
 * with a problem. E_NOT_FOUND, E_IO, E_LIMIT.
 */
PSN_API PSN_MUST_CHECK enum psn_code psn_tree_read(const char *folder, const char *suffix,
                                                   psn_tree_open_fn *open, void *open_arg,
                                                   psn_foreign_fn *each, void *arg,
                                                   struct psn_error *err);

/* ---- entries that are kept ---- */

/* Entries in memory: one block of them is in clear, and locked; the others are sealed
 * under a key that ends with the list. */
struct psn_foreign_list;

PSN_API PSN_MUST_CHECK enum psn_code psn_foreign_list_new(
    struct psn_foreign_list **ret_list, struct psn_error *err);
/* Keeps a copy; list is a struct psn_foreign_list: may be given to a reader. */
PSN_API PSN_MUST_CHECK enum psn_code psn_foreign_list_add(void *list,
                                                          const struct psn_foreign *entry,
                                                          struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_foreign_list_each(
    const struct psn_foreign_list *list, psn_foreign_fn *each, void *arg,
    struct psn_error *err);
PSN_API size_t psn_foreign_list_count(const struct psn_foreign_list *list);
/* Wipes and frees. NULL is fine. */
PSN_API void psn_foreign_list_free(struct psn_foreign_list *list);

#ifdef __cplusplus
}
#endif

#endif
