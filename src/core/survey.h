#ifndef PSN_CORE_SURVEY_H
#define PSN_CORE_SURVEY_H

#include "core/reach.h"
#include "core/role.h"

/*
 * What a question about the whole vault reads: clients, mailboxes, grants and people,
 * each table walked once and kept in memory, so that what follows looks nothing up. It is
 * made inside a transaction and is a picture of it; nothing of it is stored.
 */

/* Of a role what such questions ask for: a row is ten times as large. */
struct psn_role_brief {
    char address[PSN_ADDRESS_TEXT_MAX];
    char client[PSN_CLIENT_ID_MAX];
    enum psn_rotation_phase phase;
    enum psn_rotation_reason reason;
    bool old_is_dead;
    uint64_t cur; /* versions, as in the rotation's state */
    uint64_t pend;
    uint64_t old;
    int64_t last_send_s;
    int64_t expires_s;
    int64_t outside_s;
    int64_t gone_s;
    int64_t moved_s;
};

struct psn_survey {
    struct psn_client *clients; /* in the order of ids; owned, with their domains */
    size_t client_count;
    struct psn_role_brief *roles; /* in the order of addresses */
    size_t role_count;
    struct psn_role_brief **by_client; /* the same, by client, then address */
    struct psn_reach_map reach;
};
PSN_MUST_CHECK enum psn_code psn_survey_load(struct psn_vault *vault,
                                             struct psn_survey *ret_survey,
                                             struct psn_error *err);
void psn_survey_release(struct psn_survey *survey);

/* NULL: no such mailbox, or client. */
const struct psn_role_brief *psn_survey_role(const struct psn_survey *survey,
                                             const char *address);
const struct psn_client *psn_survey_client(const struct psn_survey *survey,
                                           const char *id);
/* A client's mailboxes, *ret_count of them. */
struct psn_role_brief *const *psn_survey_roles_of(const struct psn_survey *survey,
                                                  const char *client, size_t *ret_count);

#endif
