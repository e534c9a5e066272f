#ifndef PSN_CORE_HANDOVER_H
#define PSN_CORE_HANDOVER_H

#include "core/issue_row.h"
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
    int64_t began_s;
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

/* Has the client confirmed that he has everything? */
PSN_MUST_CHECK enum psn_code psn_handover_is_received(struct psn_vault *vault,
                                                      const char *client,
                                                      bool *ret_is_received,
                                                      struct psn_error *err);
/* Outside a transaction: E_POLICY if the client has confirmed that his passwords are his
 * now: to replace one would lock him out. */
PSN_MUST_CHECK enum psn_code psn_handover_check_ours(struct psn_vault *vault,
                                                     const char *client,
                                                     struct psn_error *err);

/* The trousseau's issue, or E_NOT_FOUND; the caller releases it. */
PSN_MUST_CHECK enum psn_code psn_handover_issue_row(struct psn_vault *vault,
                                                    const char *client,
                                                    const struct psn_handover_row *row,
                                                    struct psn_issue_row *ret_issue,
                                                    struct psn_error *err);

/* Inside a read: every secret of the client that is in force, sorted by address then
 * label. The caller frees the list. */
struct psn_content_list {
    struct psn_content *items;
    size_t count;
};
PSN_MUST_CHECK enum psn_code psn_handover_contents(struct psn_vault *vault,
                                                   const char *client,
                                                   struct psn_content_list *ret_list,
                                                   struct psn_error *err);

/* The client's envelope, and whether it is out of date. E_NOT_FOUND. */
PSN_MUST_CHECK enum psn_code psn_envelope_read(struct psn_vault *vault,
                                               const char *client,
                                               struct psn_envelope *ret_envelope,
                                               struct psn_error *err);

/* Outside a transaction: fills what blocks. */
PSN_MUST_CHECK enum psn_code psn_handover_find_blockers(
    struct psn_vault *vault, const struct psn_handover_row *row,
    struct psn_handover *handover, struct psn_error *err);

#endif
