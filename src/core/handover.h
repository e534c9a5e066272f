#ifndef PSN_CORE_HANDOVER_H
#define PSN_CORE_HANDOVER_H

#include "core/issue_row.h"
#include "core/survey.h"
#include "core/vault.h"
#include "passation/envelope.h"
#include "passation/handover.h"

/* What a handover has to remember, in one row under the client's data key. Inside a
 * transaction unless said otherwise. */

/* What the statement tells of the trousseau's files after they were given away. */
enum {
    PSN_HANDOVER_KEPT_FILES = 8,
    PSN_HANDOVER_NAME_MAX = 64,
    PSN_HANDOVER_KEPT_DATES = 64,
};
struct psn_kept_file {
    char name[PSN_HANDOVER_NAME_MAX];
    uint64_t size;
    char sha256[65];
};

struct psn_handover_row {
    char to[PSN_PERSON_ID_MAX];
    char by[PSN_PERSON_ID_MAX];
    char former[PSN_PERSON_ID_MAX]; /* who owned the accesses before; or "" */
    int64_t began_s;
    uint64_t before; /* the last serial of any issue when it began */
    int64_t abandoned_s;
    char contract[PSN_HANDOVER_TEXT_MAX];
    char giver[PSN_HANDOVER_TEXT_MAX];
    char receiver[PSN_HANDOVER_TEXT_MAX];
    char place[PSN_HANDOVER_TEXT_MAX];
    char identity[PSN_HANDOVER_TEXT_MAX];
    struct psn_handover_item items[PSN_HANDOVER_ITEMS];
    int64_t looked_s;
    uint64_t serial; /* of the trousseau that counts; 0: none */
    int64_t issued_s;
    int64_t compared_s;
    char path[4096];
    size_t file_count; /* of its main files */
    struct psn_kept_file files[PSN_HANDOVER_KEPT_FILES];
    int64_t contacts_s;
    int64_t keys_gone_s;
    size_t date_count; /* of its domains, as OVH said at the last look */
    struct psn_kept_date {
        char domain[PSN_DOMAIN_NAME_MAX];
        char on[11];
        bool is_renewed;
    } dates[PSN_HANDOVER_KEPT_DATES];
    uint64_t revision; /* 0: a new one */
};

/* E_NOT_FOUND with advice: there was never one, or (open) none is open. */
PSN_MUST_CHECK enum psn_code psn_handover_row_read(struct psn_vault *vault,
                                                   const char *client,
                                                   struct psn_handover_row *ret_row,
                                                   struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_handover_row_read_open(struct psn_vault *vault,
                                                        const char *client,
                                                        struct psn_handover_row *ret_row,
                                                        struct psn_error *err);
/* Over the one that was read: E_CONFLICT if it was changed since. */
PSN_MUST_CHECK enum psn_code psn_handover_row_write(struct psn_vault *vault,
                                                    const char *client,
                                                    struct psn_handover_row *row,
                                                    struct psn_error *err);

/* Outside a transaction: reads the open row, lets `change` alter it, writes it with the
 * note, all in one. */
typedef enum psn_code psn_handover_change_fn(void *arg, struct psn_vault *vault,
                                             struct psn_handover_row *row,
                                             struct psn_error *err);
PSN_MUST_CHECK enum psn_code psn_handover_change(struct psn_vault *vault,
                                                 const char *client, const char *event,
                                                 const char *text,
                                                 psn_handover_change_fn *change,
                                                 void *arg, struct psn_error *err);

/* The number of an item by its word; PSN_HANDOVER_ITEMS: none. */
size_t psn_handover_item_number(const char *word);

/* Has the client confirmed a trousseau of the handover that is open? It may not hold all
 * of what there is now. */
PSN_MUST_CHECK enum psn_code psn_handover_is_received(struct psn_vault *vault,
                                                      const char *client,
                                                      bool *ret_is_received,
                                                      struct psn_error *err);
/* What he has confirmed, of every trousseau since it began; empty: nothing, or no
 * handover is open. The caller frees the items. */
struct psn_content_list {
    struct psn_content *items;
    size_t count;
};
PSN_MUST_CHECK enum psn_code psn_handover_received(struct psn_vault *vault,
                                                   const char *client,
                                                   struct psn_content_list *ret_list,
                                                   struct psn_error *err);
/* Are all of the contents, in their versions, in the list? */
bool psn_content_list_has_all(const struct psn_content_list *list,
                              const struct psn_content *contents, size_t count);
/* Has the client confirmed to have received all of it? Then it is his to give on. */
PSN_MUST_CHECK enum psn_code psn_handover_has_all(struct psn_vault *vault,
                                                  const char *client,
                                                  const struct psn_content *contents,
                                                  size_t count, bool *ret_has,
                                                  struct psn_error *err);
/* What several clients have confirmed; only those who have something are in it. */
struct psn_received_map {
    struct psn_received *items;
    size_t count;
};
PSN_MUST_CHECK enum psn_code psn_received_map_add(struct psn_vault *vault,
                                                  const char *client,
                                                  struct psn_received_map *map,
                                                  struct psn_error *err);
/* NULL: nothing. Borrowed from the map. */
const struct psn_content_list *psn_received_of(const struct psn_received_map *map,
                                               const char *client);
void psn_received_map_release(struct psn_received_map *map);
/* Is what is in force there among it? Then it is the client's, and not replaced from
 * here. label "": the mailbox's password. leaver (may be NULL): whose departure asks, for
 * whom nothing is his that he himself has received. */
PSN_MUST_CHECK enum psn_code psn_handover_is_theirs(
    struct psn_vault *vault, const char *client, const char *address, const char *label,
    const char *leaver, bool *ret_is_theirs, struct psn_error *err);
/* The same outside a transaction. */
PSN_MUST_CHECK enum psn_code psn_handover_ask_theirs(
    struct psn_vault *vault, const char *client, const char *address, const char *label,
    const char *leaver, bool *ret_is_theirs, struct psn_error *err);
/* Inside a transaction, before an issue counts as received: E_POLICY if it is a trousseau
 * of the handover that is open and a new password is on its way to one of the client's
 * mailboxes, which would change under him. */
PSN_MUST_CHECK enum psn_code psn_handover_check_settled(struct psn_vault *vault,
                                                        const struct psn_issue_row *issue,
                                                        struct psn_error *err);
/* Outside a transaction: E_POLICY if the mailbox's password is the client's. */
PSN_MUST_CHECK enum psn_code psn_handover_check_ours(struct psn_vault *vault,
                                                     const char *client,
                                                     const char *address,
                                                     struct psn_error *err);

/* The trousseau's issue, or E_NOT_FOUND; the caller releases it. */
PSN_MUST_CHECK enum psn_code psn_handover_issue_row(struct psn_vault *vault,
                                                    const char *client,
                                                    const struct psn_handover_row *row,
                                                    struct psn_issue_row *ret_issue,
                                                    struct psn_error *err);

/* It is void from now on, if there is one. */
PSN_MUST_CHECK enum psn_code psn_handover_void_issue(struct psn_vault *vault,
                                                     const char *client,
                                                     const struct psn_handover_row *row,
                                                     struct psn_error *err);

/* Takes the owner out of `client` if nothing makes him one any more: no handover, no
 * envelope, and he is not the client himself, or is leaving. Writes nothing. */
PSN_MUST_CHECK enum psn_code psn_handover_settle_owner(struct psn_vault *vault,
                                                       struct psn_client *client,
                                                       struct psn_error *err);

/* What became of the accesses of the facts. An entry of the client's journal, in their
 * order, may say that we closed one: after an order whose answer was lost it may have
 * been either, and was ours to remove. last_key: "" at the beginning. */
void psn_handover_read_order(struct psn_handover_facts *facts,
                             char last_key[PSN_FINDING_ID_MAX],
                             const struct psn_journal_entry *entry);
/* And contacts that were replaced by a change which was asked for. */
void psn_handover_read_changes(struct psn_handover_facts *facts);
/* Which contact of which service a finding of that kind is, and who it is (from), as a
 * change of it would name them. */
void psn_handover_read_contact(const struct psn_finding *finding,
                               struct psn_handover_contact *ret_contact);

/* Inside a transaction: E_POLICY unless the trousseau was confirmed and holds every
 * secret that is in force, as it is. */
PSN_MUST_CHECK enum psn_code psn_handover_check_whole(struct psn_vault *vault,
                                                      const char *client,
                                                      struct psn_error *err);

/* Inside a read: every secret of the client that is in force, sorted by address then
 * label. The caller frees the list. */
PSN_MUST_CHECK enum psn_code psn_handover_contents(struct psn_vault *vault,
                                                   const char *client,
                                                   struct psn_content_list *ret_list,
                                                   struct psn_error *err);
/* The same for one who asks of many clients. */
PSN_MUST_CHECK enum psn_code psn_handover_contents_in(const struct psn_survey *survey,
                                                      struct psn_vault *vault,
                                                      const char *client,
                                                      struct psn_content_list *ret_list,
                                                      struct psn_error *err);

/* The other secrets of the mailboxes among the contents, hidden ones, too. */
PSN_MUST_CHECK enum psn_code psn_handover_each_item(
    struct psn_vault *vault, const struct psn_content_list *contents, psn_secret_fn *each,
    void *arg, struct psn_error *err);

/* Outside a transaction: the one that was made last, also after its end. E_NOT_FOUND. */
PSN_MUST_CHECK enum psn_code psn_envelope_find(struct psn_vault *vault,
                                               const char *client,
                                               struct psn_envelope *ret_envelope,
                                               struct psn_error *err);
/* Deletes what lies in its folder, the sheet first, and tells each; goes on after one
 * that cannot be deleted, and returns the first failure. */
PSN_MUST_CHECK enum psn_code psn_envelope_remove_files(
    const struct psn_envelope *envelope, psn_envelope_file_fn *each, void *arg,
    size_t *ret_removed, struct psn_error *err);
/* Whose envelope it is. E_NOT_FOUND: none is kept up to date. */
PSN_MUST_CHECK enum psn_code psn_envelope_person(struct psn_vault *vault,
                                                 const char *client,
                                                 char ret_person[PSN_PERSON_ID_MAX],
                                                 struct psn_error *err);
/* The client's envelope as it was last made, also after its end, and whether it is out of
 * date. E_NOT_FOUND. */
PSN_MUST_CHECK enum psn_code psn_envelope_read(struct psn_vault *vault,
                                               const struct psn_survey *survey,
                                               const char *client,
                                               struct psn_envelope *ret_envelope,
                                               struct psn_error *err);

/* Outside a transaction: fills what blocks. */
PSN_MUST_CHECK enum psn_code psn_handover_find_blockers(
    struct psn_vault *vault, const struct psn_handover_row *row,
    struct psn_handover *handover, struct psn_error *err);

#endif
