#ifndef PSN_CORE_DEPARTURE_H
#define PSN_CORE_DEPARTURE_H

#include "core/access.h"
#include "core/vault.h"
#include "passation/departure.h"

/* Inside a transaction unless said otherwise. */

/* The event of what lay in the vault when somebody's last slot went, in its clients'
 * chains. */
#define PSN_EVENT_REACHED "slot.reached"

/* Is the access this person's, by his address or one of his names at OVH? */
bool psn_person_owns(const struct psn_person *person, const struct psn_finding *finding);

/* Is it his, and does it let him in: by its owner, or since he could read that key of
 * ours? What OVH cannot remove and does not count as a danger, is no way in. */
bool psn_access_is_his(const struct psn_person *person, const struct psn_access *access);

/* Inside a write: a sweep saw these of a client. What somebody who is leaving could still
 * reset by one of them counts as known to him. */
PSN_MUST_CHECK enum psn_code psn_departure_note_doors(struct psn_vault *vault,
                                                      const char *client,
                                                      struct psn_access_row *rows,
                                                      size_t count,
                                                      struct psn_error *err);

/* What is written down when somebody begins to leave, read back from the journal. */
struct psn_target {
    char client[PSN_CLIENT_ID_MAX];
    char address[PSN_ADDRESS_TEXT_MAX];
    char label[PSN_LABEL_TEXT_MAX];
    uint64_t version;
    bool seen;
};
struct psn_scope {
    struct psn_target *targets;
    size_t target_count;
    char (*clients)[PSN_CLIENT_ID_MAX]; /* that he had to do with */
    size_t client_count;
    struct psn_departure_removed *forgotten; /* clients and mailboxes that were removed */
    size_t forgotten_count;
    struct psn_departure_removed given_up; /* whose knowers are being read */
    struct psn_target *beside; /* address and label of what else went with mailboxes */
    size_t beside_count;
};
void psn_scope_release(struct psn_scope *scope);

/* What a departure would begin with now. */
PSN_MUST_CHECK enum psn_code psn_scope_now(struct psn_vault *vault,
                                           const struct psn_person *person, bool narrow,
                                           struct psn_scope *ret_scope,
                                           struct psn_error *err);
/* Outside a transaction: what this one began with. */
PSN_MUST_CHECK enum psn_code psn_scope_of(struct psn_vault *vault,
                                          const struct psn_person *person,
                                          struct psn_scope *ret_scope,
                                          struct psn_error *err);
/* Inside a write: notes what lies in the vault: when somebody's last slot goes, and when
 * a narrow departure of who has one begins. Which was there is told by versions, not by
 * clocks. */
PSN_MUST_CHECK enum psn_code psn_scope_note_loss(struct psn_vault *vault,
                                                 const char *person,
                                                 struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_scope_note_beginning(struct psn_vault *vault,
                                                      const char *person,
                                                      struct psn_error *err);
/* Could he ever open the vault? */
PSN_MUST_CHECK enum psn_code psn_scope_had_slot(struct psn_vault *vault,
                                                const struct psn_person *person,
                                                bool *ret_had, struct psn_error *err);
/* What lay in the vault when his slot went and is in force; of a narrow departure only
 * what did not when it began. */
PSN_MUST_CHECK enum psn_code psn_scope_lost(struct psn_vault *vault,
                                            const struct psn_person *person,
                                            struct psn_scope *ret_scope,
                                            struct psn_error *err);
/* Inside a transaction: of one client alone. */
PSN_MUST_CHECK enum psn_code psn_scope_began(struct psn_vault *vault, const char *client,
                                             const struct psn_person *person,
                                             struct psn_scope *ret_scope,
                                             struct psn_error *err);
/* Is the mailbox's password in it? */
bool psn_scope_has_password(const struct psn_scope *scope, const char *address);
/* Adds the clients where an access of his was seen since; and, if anything is known to
 * look for, each that is linked. */
PSN_MUST_CHECK enum psn_code psn_scope_add_owned(struct psn_vault *vault,
                                                 const struct psn_person *person,
                                                 struct psn_scope *scope,
                                                 struct psn_error *err);
/* Inside a write: writes it down; with `clients`, who he had to do with, too. */
PSN_MUST_CHECK enum psn_code psn_scope_note(struct psn_vault *vault,
                                            const struct psn_person *person,
                                            const struct psn_scope *scope, bool clients,
                                            struct psn_error *err);

/* E_POLICY: nobody conducts his own departure. */
enum psn_code psn_departure_fail_own(const char *person, struct psn_error *err);

/* Inside a transaction: E_POLICY while somebody who is leaving knows a secret of that
 * client (of one mailbox of his; NULL: of any) that is in force: to remove it from the
 * vault would hide that. */
PSN_MUST_CHECK enum psn_code psn_departure_check_settled(struct psn_vault *vault,
                                                         const char *client,
                                                         const char *address,
                                                         struct psn_error *err);
/* In the vault's chain: what went (subject), and who (text) knew or could read something
 * of it that was in force. An address goes with its client when that is destroyed. */
#define PSN_EVENT_CLIENT_FORGOTTEN "departure.forgotten"
#define PSN_EVENT_ROLE_FORGOTTEN   "role.forgotten"
/* Where it comes back, he may know it: a mailbox's password that is in force no more;
 * with a label, another secret of it, in force or not; "@domain", the passwords of a
 * client that may come back under another id. */
#define PSN_EVENT_KNOWN_BEFORE "role.known-before"
/* Before those: why (text) the mailbox (subject) was given up without being changed. */
#define PSN_EVENT_ROLE_UNCHANGED "role.unchanged"
/* Inside a write: a client, or one mailbox of his (else NULL), is removed; the report of
 * whoever leaves, or does later, will tell. why: each mailbox is given up as it is; or
 * NULL. */
PSN_MUST_CHECK enum psn_code psn_departure_note_removed(struct psn_vault *vault,
                                                        const char *client,
                                                        const char *address,
                                                        const char *why,
                                                        struct psn_error *err);
/* E_INVALID: it is no sentence that a report can hold. */
PSN_MUST_CHECK enum psn_code psn_departure_check_why(const char *why,
                                                     struct psn_error *err);
/* Adds what an entry of the vault's chain tells that was forgotten of a person; of each
 * in the order of the chain. */
PSN_MUST_CHECK enum psn_code psn_scope_add_forgotten(
    struct psn_scope *scope, const char *person, const struct psn_journal_entry *entry,
    struct psn_error *err);
/* Outside a transaction: takes those mailboxes off what was forgotten that are roles
 * again and, being known to him, in the scope, with all else that he knew of them. */
void psn_scope_drop_returned(struct psn_vault *vault, struct psn_scope *scope);
/* Inside a write of `to`: a client that is in `from` is destroyed. Only of who is
 * leaving: nothing else of it stays. */
PSN_MUST_CHECK enum psn_code psn_departure_note_forgotten(struct psn_vault *from,
                                                          struct psn_vault *to,
                                                          const char *client,
                                                          struct psn_error *err);
/* Is there somebody who leaves, or will, and could read the keys of the vault? */
PSN_MUST_CHECK enum psn_code psn_departure_keys_are_known(struct psn_vault *vault,
                                                          bool *ret_known,
                                                          struct psn_error *err);
/* Inside a write: it can be changed after all. For whoever is leaving and knows it, a
 * replacement is made ready. */
PSN_MUST_CHECK enum psn_code psn_departure_note_changeable(struct psn_vault *vault,
                                                           const char *address,
                                                           const char *label,
                                                           struct psn_error *err);
/* Does the access lead to this mailbox? */
bool psn_access_leads_to(const struct psn_finding *finding, const char *address);
/* Takes those of his names off that are mailboxes of the vault: a role's address is
 * nobody's own. Inside a transaction. */
PSN_MUST_CHECK enum psn_code psn_departure_drop_role_names(struct psn_vault *vault,
                                                           struct psn_person *person,
                                                           struct psn_error *err);
/* Inside a write: these ids of a key that is replaced now were in the vault while
 * somebody who leaves could open it. */
PSN_MUST_CHECK enum psn_code psn_departure_note_old_key(struct psn_vault *vault,
                                                        const char *client,
                                                        const char *finding_id,
                                                        enum psn_finding_kind kind,
                                                        struct psn_error *err);

/* Outside a transaction, once, when he cannot open the vault any more: what was set from
 * the beginning of his departure until then was within his reach, too. */
PSN_MUST_CHECK enum psn_code psn_departure_note_slot_gone(struct psn_vault *vault,
                                                          const char *person,
                                                          struct psn_error *err);

PSN_MUST_CHECK enum psn_code psn_departure_read(struct psn_vault *vault,
                                                const char *person,
                                                struct psn_departure *ret_departure,
                                                struct psn_error *err);

#endif
