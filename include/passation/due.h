#ifndef PASSATION_DUE_H
#define PASSATION_DUE_H

#include <stdint.h>

#include "passation/error.h"
#include "passation/exposure.h"
#include "passation/finding.h"
#include "passation/grant.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * What time and events have made necessary. Nothing is done here: psn_grant_end(),
 * psn_rotate(), psn_outbox() and psn_resume() do it, in that order, and may be repeated.
 */
enum psn_due_kind {
    PSN_DUE_GRANT,     /* a grant's end has passed: end it, then what he saw is due */
    PSN_DUE_ROTATE,    /* a mailbox password in force that somebody without right knows */
    PSN_DUE_SECRET,    /* the same of another secret: a person must change it */
    PSN_DUE_ISSUE,     /* a grant covers something newer than what was issued */
    PSN_DUE_RESUME,    /* a change that was interrupted, or whose old password, known to
                          somebody without right, is not proved refused */
    PSN_DUE_ENVELOPE,  /* a recovery envelope that lacks something: psn_envelope_update()
                        */
    PSN_DUE_DEPARTURE, /* somebody's departure that is not complete: psn_depart() */
    PSN_DUE_RESTORED,  /* an older backup may not know who has left: nothing is issued
                          before psn_outbox_judge() */
    PSN_DUE_LEAVER, /* who could open the vault and cannot any more, and whose departure
                       nobody has begun: psn_departure_begin() */
    PSN_DUE_ENVELOPE_LEFT,   /* a recovery envelope that lacks something, of somebody who
                                leaves: psn_envelope_end(), or one for somebody else */
    PSN_DUE_ENVELOPE_REMADE, /* one that was being made under a new key, which was
                                stopped: psn_envelope_create() again */
    PSN_DUE_HANDOVER, /* a handover that is open: psn_handover_get() says what blocks */
    /* Drift, as the last look at OVH or login has told; a person has to judge. */
    PSN_DUE_OUTSIDE,  /* a password that somebody else has changed */
    PSN_DUE_VANISHED, /* a mailbox that is not at OVH any more */
    PSN_DUE_MOVED,    /* a mailbox on another platform than it was */
    PSN_DUE_APPEARED, /* a mailbox that the vault does not have, new since a sweep */
    PSN_DUE_ACCESS,   /* a persistent access that is new since a sweep */
    PSN_DUE_UNJUDGED, /* accesses that a client's first sweep showed; nobody has judged
                         them yet: one line for all of a client's */
};
PSN_API const char *psn_due_kind_name(enum psn_due_kind kind);

struct psn_due {
    enum psn_due_kind kind;
    char person[PSN_PERSON_ID_MAX]; /* or "" */
    char address[PSN_ADDRESS_TEXT_MAX];
    char client[PSN_CLIENT_ID_MAX];
    char label[PSN_LABEL_TEXT_MAX];
    char access[PSN_FINDING_ID_MAX]; /* of ACCESS; or "" */
    uint64_t version;
    uint64_t count; /* of UNJUDGED: how many; else 0 */
    bool by_code;   /* of ISSUE: it needs a code, which somebody has to pass on */
    int64_t since_s;
};
typedef enum psn_code psn_due_fn(void *arg, const struct psn_due *due,
                                 struct psn_error *err);
/* In the order of kinds, then address, then person; of a mailbox that several know, one
 * line for each of them. person NULL: everybody. */
PSN_API PSN_MUST_CHECK enum psn_code psn_due_each(struct psn_vault *vault,
                                                  const char *person, psn_due_fn *each,
                                                  void *arg, struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
