#ifndef PSN_CORE_HANDOVER_BLOCKING_H
#define PSN_CORE_HANDOVER_BLOCKING_H

#include "core/handover.h"

/*
 * What keeps a handover from its end, read from the vault each time: a stage is done when
 * nothing of it blocks, whatever was done before or behind its back.
 */
struct psn_blocking {
    struct psn_vault *vault;
    const struct psn_handover_row *row;
    struct psn_handover *handover;
    struct psn_client client;
    struct psn_content_list contents;
    struct psn_issue_row issue; /* the trousseau's; serial 0: none */
    struct psn_content_list received;
};

/* One more, about a mailbox; label "" is its password. */
PSN_MUST_CHECK enum psn_code psn_blocking_add(struct psn_blocking *blocking,
                                              enum psn_handover_stage stage,
                                              enum psn_handover_block block,
                                              enum psn_handover_who who,
                                              const char *address, const char *label,
                                              struct psn_error *err);

/* Outside a transaction: mailboxes that the client has not set a password of his own in,
 * as far as logins tell. */
PSN_MUST_CHECK enum psn_code psn_blocking_add_logins(struct psn_blocking *blocking,
                                                     struct psn_error *err);

#endif
