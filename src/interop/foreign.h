#ifndef PSN_INTEROP_FOREIGN_H
#define PSN_INTEROP_FOREIGN_H

#include "base/buf.h"
#include "passation/foreign.h"

/*
 * An entry that a reader puts together: its texts in wiped buffers, told when it is
 * whole.
 *
 *     struct psn_foreign_draft draft = psn_foreign_draft_init();
 *     psn_foreign_draft_begin(&draft, line);
 *     psn_foreign_draft_put(&draft, PSN_FOREIGN_TITLE, text, size);
 *     rc = psn_foreign_draft_tell(&draft, each, arg, err);
 */
struct psn_foreign_draft {
    struct psn_buf texts;
    struct psn_buf note;
    size_t line;
    size_t parts[PSN_FOREIGN_PARTS]; /* where each begins, plus 1; 0: not there */
    size_t password_size;
    size_t names[PSN_FOREIGN_FIELDS_MAX];
    size_t values[PSN_FOREIGN_FIELDS_MAX];
    bool secret[PSN_FOREIGN_FIELDS_MAX];
    bool lost[PSN_FOREIGN_FIELDS_MAX];
    size_t field_count;
    enum psn_foreign_note note_kind;
    const char *problem; /* translated; NULL: none */
};

struct psn_foreign_draft psn_foreign_draft_init(void);
void psn_foreign_draft_release(struct psn_foreign_draft *draft);

/* Forgets the entry before. */
void psn_foreign_draft_begin(struct psn_foreign_draft *draft, size_t line);
/* Sets a part; a note is added to what is there; a second
 * password or seed, if it is another, becomes a secret field; any other part is replaced.
 * What is empty, or cannot be text where text must be, is left out; the latter is a
 * problem. So is a password that refers to another entry; another part is then lost. */
void psn_foreign_draft_put(struct psn_foreign_draft *draft, enum psn_foreign_part part,
                           const void *bytes, size_t size);
/* Adds a field; without a value, nothing. One that sounds secret by its name is secret.
 */
void psn_foreign_draft_field(struct psn_foreign_draft *draft, const char *name,
                             const char *value, size_t size, bool is_secret);
/* Says that something of the entry is not taken: what, and why (translated). */
void psn_foreign_draft_lose(struct psn_foreign_draft *draft, const char *what,
                            const char *why);
/* The text of a part, or "". */
const char *psn_foreign_draft_text(const struct psn_foreign_draft *draft,
                                   enum psn_foreign_part part);
/* A password in Base64 becomes the bytes that it stands for; else it is a problem. */
void psn_foreign_draft_password_base64(struct psn_foreign_draft *draft, const char *text,
                                       size_t size);
PSN_MUST_CHECK enum psn_code psn_foreign_draft_tell(struct psn_foreign_draft *draft,
                                                    psn_foreign_fn *each, void *arg,
                                                    struct psn_error *err);

/* True if a name, or a note, speaks of what nobody else should know: a PIN, a code, the
 * answer to a question. By its words, in English and French: a hint, no proof. */
bool psn_foreign_sounds_secret(const char *text);

/* What a file of a tree says, into a draft that has begun: see psn_tree_read(). */
void psn_foreign_read_text(struct psn_foreign_draft *draft, const char *text,
                           size_t size);

#endif
