#ifndef PSN_CORE_SURVEY_H
#define PSN_CORE_SURVEY_H

#include "core/reach.h"
#include "core/role.h"

/*
 * What a question about the whole vault reads: clients, mailboxes, grants and people,
 * each table walked once and kept in memory, so that what follows looks nothing up. It is
 * made inside a transaction and is a picture of it; nothing of it is stored.
 */

/* Of a client and of a role what such questions ask for: a row is several times as
 * large. */
struct psn_client_brief {
    char id[PSN_CLIENT_ID_MAX];
    char name[PSN_NAME_MAX];
    char owner[PSN_PERSON_ID_MAX];
    bool linked;
    int64_t key_expires_s;
    struct psn_client_keys keys;
    int64_t handover_s;
    int64_t envelope_s;
};

struct psn_role_brief {
    char address[PSN_ADDRESS_TEXT_MAX];
    char client[PSN_CLIENT_ID_MAX];
    enum psn_rotation_phase phase;
    enum psn_rotation_reason reason;
    bool old_is_alive; /* a login with an old one was accepted */
    uint64_t cur;      /* versions, as in the rotation's state */
    uint64_t pend;
    uint64_t old;
    uint64_t undead;
    int64_t last_send_s;
    int64_t expires_s;
    int64_t outside_s;
    int64_t gone_s;
    int64_t moved_s;
};

struct psn_survey {
    struct psn_client_brief *clients; /* in the order of ids */
    size_t client_count;
    struct psn_role_brief *roles; /* in the order of addresses */
    size_t role_count;
    struct psn_role_brief **by_client; /* the same, by client, then address */
    uint32_t *table;                   /* of roles by a hash of the address: index + 1 */
    size_t table_size;                 /* a power of two; more than role_count */
    struct psn_reach_map reach;
};
PSN_MUST_CHECK enum psn_code psn_survey_load(struct psn_vault *vault,
                                             struct psn_survey *ret_survey,
                                             struct psn_error *err);
void psn_survey_release(struct psn_survey *survey);
/* Of it what concerns one person alone, each row looked up: his grants with their
 * mailboxes, and the clients of these and of what he has seen that is in force. */
struct psn_exposure_list;
PSN_MUST_CHECK enum psn_code psn_survey_load_of(struct psn_vault *vault,
                                                const char *person,
                                                const struct psn_exposure_list *seen,
                                                struct psn_survey *ret_survey,
                                                struct psn_error *err);

/* NULL: no such mailbox. */
const struct psn_role_brief *psn_survey_role(const struct psn_survey *survey,
                                             const char *address);
/* A client's mailboxes, *ret_count of them. */
struct psn_role_brief *const *psn_survey_roles_of(const struct psn_survey *survey,
                                                  const char *client, size_t *ret_count);

#endif
