#ifndef PSN_CORE_ROTATION_WRITE_H
#define PSN_CORE_ROTATION_WRITE_H

#include "core/rotation.h"
#include "core/rotation_machine.h"
#include "ovh/mailbox.h"

/* What the rotation of one mailbox makes durable before it acts. */
struct psn_rotation_writing {
    struct psn_session *session;
    struct psn_role_row *row; /* changed; as it was, if it cannot be written */
    const struct psn_mailbox *mailbox;
    const struct psn_password_rules *rules;
    const struct psn_rotation_move *move;
    bool created;
    int64_t ovh_changed_s; /* of the version that is committed, as OVH says */
};

/* After this, and not before, may anybody outside hear of the move. It goes into one
 * transaction with those of other mailboxes that wait (core/together.h). */
PSN_MUST_CHECK enum psn_code psn_rotation_write(
    const struct psn_rotation_writing *writing, struct psn_error *err);

#endif
