#ifndef PASSATION_ENTRY_H
#define PASSATION_ENTRY_H

#include <stddef.h>
#include <stdint.h>

#include "passation/error.h"
#include "passation/secret.h"
#include "passation/stream.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Secrets in the forms that other password managers open: KDBX 4 (KeePass, KeePassXC and
 * their kin), which is encrypted, and Bitwarden's JSON, which is not.
 */
enum {
    PSN_ENTRY_ID_SIZE = 16,
    PSN_ENTRY_FIELDS_MAX = 64,
    PSN_ENTRY_TEXT_MAX = 64 * 1024,       /* one text or password, in bytes */
    PSN_KDBX_FILE_MAX = 64 * 1024 * 1024, /* some 30 000 entries */
    PSN_BITWARDEN_MAX = 64 * 1024 * 1024,
};

/* A further field of an entry: shown, not secret. */
struct psn_entry_field {
    const char *name;
    const char *value;
};

/*
 * A secret as those programs see one. All texts are borrowed and UTF-8 without control
 * characters, but that tabs and line ends may be in them; NULL or "" is absent.
 */
struct psn_entry {
    const char *group; /* one level of folder, such as the mailbox */
    const char *title;
    const char *user;
    const struct psn_secret *password; /* any bytes; NULL: none */
    const char *url;
    const char *note;
    const char *expires; /* YYYY-MM-DD, the last day */
    const char *type;    /* as in passation-secret(1), "totp" */
    const struct psn_entry_field *fields;
    size_t field_count;
    uint8_t id[PSN_ENTRY_ID_SIZE]; /* a UUID that stays the entry's own; not all 0 */
    int64_t changed_s;             /* since 1970; 0: unknown */
};

/* What those formats have no place for, or only for text, goes into fields of these
 * names, which the caller's own fields must not take. */
#define PSN_ENTRY_FIELD_TYPE    "Type"
#define PSN_ENTRY_FIELD_EXPIRES "Expires" /* in Bitwarden's JSON */
#define PSN_ENTRY_FIELD_BASE64  "Password (Base64)"
#define PSN_ENTRY_FIELD_OTP     "otp"
#define PSN_ENTRY_FIELD_REMARK  "passation" /* a word to whoever reads the entry */

/* The type of an entry that is no mailbox, though its title is its group's, as a
 * mailbox's is: passation's own have one each where that tells them apart. */
#define PSN_ENTRY_TYPE_SECRET "secret"

/* Fields of an export, which a later import reads: which recovery codes are used, "1
 * TIME, 3 TIME" in RFC 3339; and "yes" if the note may be shown in lists, where it does
 * not look so. */
#define PSN_ENTRY_FIELD_USED      "Used codes"
#define PSN_ENTRY_FIELD_OPEN_NOTE "Open note"

/* ---- KDBX 4 ---- */

/*
 * Writes entries as a KDBX 4.0 file under one passphrase: Argon2id (64 MiB, 3 passes, one
 * lane), ChaCha20, not compressed. name is the database's. A password that is not such
 * text as above is kept in Base64, in a protected field of its own; for the type "totp" a
 * seed in base32 or an otpauth URI is also put where KeePassXC computes codes from it.
 * The sink gets the whole file in one piece, and nothing in clear. E_INVALID if a text is
 * none, a field's name is taken, an id is 0; E_LIMIT; or what the sink says.
 */
PSN_API PSN_MUST_CHECK enum psn_code psn_kdbx_write(const char *name,
                                                    const struct psn_secret *passphrase,
                                                    const struct psn_entry *entries,
                                                    size_t count,
                                                    const struct psn_sink *sink,
                                                    struct psn_error *err);

/* An entry that was read; it and all in it are the reader's, and end with the call.
 * Anything but OK stops the reading and is its result. */
typedef enum psn_code psn_entry_fn(void *arg, const struct psn_entry *entry,
                                   struct psn_error *err);

/*
 * Reads a file in the form that psn_kdbx_write() writes, and no other: KDBX 4.0 or 4.1,
 * Argon2id of one lane with a salt of 16 bytes, at most 1 GiB and 100 passes, ChaCha20
 * for both ciphers, not compressed, the elements that are written. All of it is proved
 * before the first entry is told; absent texts are "". Entries come by group, those
 * without one first, else in the order in which they were given. E_DENIED: another
 * passphrase (or a header that somebody made anew); E_INTEGRITY: damaged or not of this
 * form; E_INVALID: a KDBX file of another kind; E_LIMIT: too dear to open.
 */
PSN_API PSN_MUST_CHECK enum psn_code psn_kdbx_read(const void *bytes, size_t size,
                                                   const struct psn_secret *passphrase,
                                                   psn_entry_fn *each, void *arg,
                                                   struct psn_error *err);

/* Opens such a file and compares it with what ought to be in it, entry by entry.
 * E_VERIFY names the first that differs, is missing or is too many. */
PSN_API PSN_MUST_CHECK enum psn_code psn_kdbx_verify(const void *bytes, size_t size,
                                                     const struct psn_secret *passphrase,
                                                     const struct psn_entry *entries,
                                                     size_t count, struct psn_error *err);

/* ---- Bitwarden ---- */

/*
 * Writes entries as Bitwarden exports and imports them, not encrypted: every password
 * stands in it. Groups become folders, each entry a login; a date of expiry becomes a
 * field, and a password that is not text a hidden field in Base64, with another field
 * that says so. The result, in locked memory, belongs to the caller. E_INVALID, E_LIMIT.
 */
PSN_API PSN_MUST_CHECK enum psn_code psn_bitwarden_write(const struct psn_entry *entries,
                                                         size_t count,
                                                         struct psn_secret **ret_json,
                                                         struct psn_error *err);

/* ---- CSV ---- */

/*
 * Writes entries as CSV (RFC 4180) with the columns of KeePassXC, then Type, Expires,
 * Base64 (a password that is no text), Fields ("name: value", one a line) and Escaped;
 * every password stands in it. A cell
 * that a spreadsheet would take for a formula (it begins with = + - @, tab, CR or ') has
 * a ' in front, and the row's cell Escaped names its column: psn_csv_read() takes it off
 * again. E_INVALID, E_LIMIT, or what the sink says.
 */
PSN_API PSN_MUST_CHECK enum psn_code psn_csv_write(const struct psn_entry *entries,
                                                   size_t count,
                                                   const struct psn_sink *sink,
                                                   struct psn_error *err);

/* ---- a tree of passage ---- */

/*
 * Writes entries into a new folder, as passage keeps them: GROUP/TITLE.age, or TITLE.age
 * for a mailbox whose title is the group's name; each encrypted to the recipients, whom
 * the file .age-recipients repeats (one "age1…" or SSH key a line). The folder appears
 * whole or not at all. E_EXISTS: there is something of that name; E_INVALID; E_IO,
 * E_FULL.
 */
PSN_API PSN_MUST_CHECK enum psn_code psn_passage_write(
    const char *folder, const char *const *recipients, size_t recipient_count,
    const struct psn_entry *entries, size_t count, struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
