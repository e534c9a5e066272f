#ifndef PSN_CORE_INTAKE_H
#define PSN_CORE_INTAKE_H

#include "base/buf.h"
#include "core/vault.h"
#include "passation/client.h"
#include "passation/intake.h"
#include "passation/role.h"

/* Where an entry belongs. Inside a transaction. */
struct psn_intake_place {
    char address[PSN_ADDRESS_TEXT_MAX]; /* "": nowhere, see why */
    char client[PSN_CLIENT_ID_MAX];
    char label[PSN_LABEL_TEXT_MAX]; /* "": it is the mailbox's own */
    bool is_mailbox;
    bool has_role; /* the vault knows the mailbox */
    const char *why;
};

/* The domain that was looked up last, and whose it is: entries of one source mostly lie
 * in one domain. */
struct psn_intake_domain {
    char name[PSN_DOMAIN_NAME_MAX]; /* "": none yet */
    char client[PSN_CLIENT_ID_MAX];
    struct psn_mail_settings servers; /* that the client was given; or "" */
};

/* Looks up whose the domain is, unless it was the last one. E_NOT_FOUND; err is the
 * caller's to fill. */
PSN_MUST_CHECK enum psn_code psn_intake_find_client(struct psn_vault *vault,
                                                    const char *domain,
                                                    struct psn_intake_domain *last);

/* How an entry tells that it is about a mailbox itself; the surest first, so that it
 * counts before the others wherever they stand. */
enum psn_intake_by {
    PSN_INTAKE_BY_TITLE,
    PSN_INTAKE_BY_USER, /* the user name, at a site that is the mailbox's own */
    PSN_INTAKE_BY_NONE, /* it is about something else */
    PSN_INTAKE_BYS,
};
struct psn_intake_mailbox {
    enum psn_intake_by by;
    const char *text; /* the entry's: an address as it stands there; BY_NONE: NULL */
};
PSN_MUST_CHECK enum psn_code psn_intake_find_mailbox(
    struct psn_vault *vault, const struct psn_foreign *entry,
    struct psn_intake_domain *last, struct psn_intake_mailbox *ret_mailbox,
    struct psn_error *err);

/* mailbox: the text of psn_intake_find_mailbox(), or NULL. role: where entries hang that
 * tell no mailbox of their own, in normal form, or "". last: from one entry to the next.
 */
PSN_MUST_CHECK enum psn_code psn_intake_find_place(
    struct psn_vault *vault, const struct psn_foreign *entry, const char *mailbox,
    const char *client, const char *role, struct psn_intake_domain *last,
    struct psn_intake_place *ret_place, struct psn_error *err);

/* The role that intake->role names, or a client's only one; else "". E_NOT_FOUND. */
PSN_MUST_CHECK enum psn_code psn_intake_find_role(struct psn_vault *vault,
                                                  const struct psn_intake *intake,
                                                  char ret_role[PSN_ADDRESS_TEXT_MAX],
                                                  struct psn_error *err);

/* Says what has no place, or is not usable, and what to do about it. */
enum psn_code psn_intake_fail_unplaced(const struct psn_intake_summary *summary,
                                       struct psn_error *err);

/* The folder that an entry lies in. */
const char *psn_intake_last_folder(const char *group);

/* The host of an address on the web, within it; ret_size 0: it has none. */
const char *psn_intake_host_of(const char *url, size_t *ret_size);

/* "text suffix" as a label: plain, without blanks at the ends, cut to what fits. */
void psn_intake_label(const char *text, const char *suffix,
                      char ret_label[PSN_LABEL_TEXT_MAX]);

/* The note of the entry's secret, and what is a secret of its own beside it; both wiped
 * buffers, which are emptied first. */
void psn_intake_make_notes(const struct psn_foreign *entry,
                           const struct psn_intake_place *place, struct psn_buf *open,
                           struct psn_buf *sealed);

/* One of psn_secret_types(). */
bool psn_intake_is_known_type(const char *type);

/* The secrets that entries of this run have had their say about: the next entry with
 * another value is another one's, or a run would never come to an end with --replace. */
struct psn_intake_seen {
    uint64_t *hashes;
    size_t capacity;
    size_t count;
};
void psn_intake_seen_release(struct psn_intake_seen *seen);
bool psn_intake_seen_has(const struct psn_intake_seen *seen, const char *address,
                         const char *label);
/* ret_was_there may be NULL. */
PSN_MUST_CHECK enum psn_code psn_intake_seen_add(struct psn_intake_seen *seen,
                                                 const char *address, const char *label,
                                                 bool *ret_was_there,
                                                 struct psn_error *err);

/* The same user at the same host, or at one that one of them does not tell. */
bool psn_intake_is_same_account(const struct psn_secret_info *a,
                                const struct psn_secret_info *b);

#endif
