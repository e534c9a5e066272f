#include "passation/due.h"

/* Stable words, never translated. */

const char *psn_due_kind_name(enum psn_due_kind kind)
{
    switch (kind) {
    case PSN_DUE_GRANT:
        return "grant";
    case PSN_DUE_ROTATE:
        return "rotate";
    case PSN_DUE_SECRET:
        return "secret";
    case PSN_DUE_ISSUE:
        return "issue";
    case PSN_DUE_RESUME:
        return "resume";
    case PSN_DUE_ENVELOPE:
        return "envelope";
    case PSN_DUE_DEPARTURE:
        return "departure";
    case PSN_DUE_RESTORED:
        return "restored";
    case PSN_DUE_LEAVER:
        return "leaver";
    case PSN_DUE_ENVELOPE_LEFT:
        return "envelope_left";
    case PSN_DUE_ENVELOPE_REMADE:
        return "envelope_remade";
    case PSN_DUE_HANDOVER:
        return "handover";
    case PSN_DUE_OUTSIDE:
        return "changed_outside";
    case PSN_DUE_VANISHED:
        return "vanished";
    case PSN_DUE_MOVED:
        return "moved";
    case PSN_DUE_APPEARED:
        return "appeared";
    case PSN_DUE_ACCESS:
        return "access";
    case PSN_DUE_UNJUDGED:
        return "unjudged";
    }
    return "unknown";
}
