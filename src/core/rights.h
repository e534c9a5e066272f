#ifndef PSN_CORE_RIGHTS_H
#define PSN_CORE_RIGHTS_H

#include "base/buf.h"
#include "core/client.h"
#include "ovh/mailbox.h"

/*
 * What a client's API key has to be allowed to do: one table, from which keys are asked
 * for, and against which the rules that a key really has are held. No I/O.
 */

/* The back-ends that a client's mailboxes have, as bits (1u << enum psn_backend): what
 * those need, a key must have; what others would need is asked for as well, since a
 * mailbox may change its platform, but not missed. */
typedef uint32_t psn_backend_set;

struct psn_rights {
    struct psn_ovh_rule *rules;
    size_t count;
};
void psn_rights_release(struct psn_rights *list);

/* The rules to ask for. With many domains they stand with '*' in place of each. */
PSN_MUST_CHECK enum psn_code psn_rights_of(const struct psn_client *client,
                                           enum psn_key_use use,
                                           struct psn_rights *ret_rights,
                                           struct psn_error *err);

/* Sets the members of link that tell how the rules of a key differ from what is needed.
 */
void psn_rights_judge(const struct psn_client *client, enum psn_key_use use,
                      psn_backend_set backends, const struct psn_ovh_key_info *info,
                      struct psn_link *link);

/* Do the rules of a key allow a call? A path of v2 may stand in them without its root. */
bool psn_rights_allow(const struct psn_ovh_key_info *info, const char *method,
                      const char *path);

/* The page where the owner makes such a key by hand, the rules filled in. */
PSN_MUST_CHECK enum psn_code psn_rights_page(const struct psn_client *client,
                                             enum psn_key_use use, struct psn_buf *page,
                                             struct psn_error *err);

#endif
