#include "base/i18n.h"
#include "core/role.h"
#include "passation/rotation.h"

/* What the machine's words mean to a person. */

const char *psn_rotation_explain(enum psn_rotation_reason reason)
{
    switch (reason) {
    case PSN_ROTATION_WHY_BOTH_REFUSED:
        return _("the new and the old password are refused: somebody else may have "
                 "changed it");
    case PSN_ROTATION_WHY_KEY:
        return _("OVH does not allow it: the API key is revoked, expired or without the "
                 "right, or the service is suspended or full");
    case PSN_ROTATION_WHY_SERVICE:
        return _("the mail service is expired, suspended or full at OVH");
    case PSN_ROTATION_WHY_ABSENT:
        return _("the mailbox does not exist at OVH");
    case PSN_ROTATION_WHY_CLOCK:
        return _("OVH refuses the time of this machine");
    case PSN_ROTATION_WHY_POLICY:
        return _("OVH refused every new password; the old one still works");
    case PSN_ROTATION_WHY_EXISTS:
        return _("the mailbox exists at OVH already");
    case PSN_ROTATION_WHY_ABANDONED:
        return _("given up before anything was sent");
    case PSN_ROTATION_WHY_NO_CONNECTION:
        return _("OVH could not be reached; nothing was sent");
    case PSN_ROTATION_WHY_NO_LOGIN:
        return _("the mail server gives no answer, so nothing could be proved");
    case PSN_ROTATION_WHY_LOGINS_SPENT:
        return _("no more logins for now, so that the mail server does not lock us out");
    case PSN_ROTATION_WHY_NOT_YET:
        return _("sent, and not in force so far");
    case PSN_ROTATION_WHY_TASK_PENDING:
        return _("OVH's task is still under way");
    case PSN_ROTATION_WHY_NO_TASK_LIST:
        return _("OVH's task list cannot be read");
    case PSN_ROTATION_WHY_BUSY:
        return _("OVH is busy with this mailbox");
    case PSN_ROTATION_WHY_THROTTLED:
        return _("OVH asks to slow down");
    case PSN_ROTATION_WHY_NOT_SILENT:
        return _("an earlier request may still arrive");
    case PSN_ROTATION_WHY_UNPROVED:
        return _("refused; the mail server may still remember an earlier answer");
    case PSN_ROTATION_WHY_MAY_BE_SENT:
        return _("the new password may have been sent, so it cannot be given up");
    case PSN_ROTATION_WHY_NONE:
    case PSN_ROTATION_REASONS:
        break;
    }
    return "";
}

const char *psn_rotation_waiting(enum psn_rotation_reason reason)
{
    switch ((int)reason) {
    case PSN_ROTATION_WHY_THROTTLED:
        return _("waiting: OVH limits the calls");
    case PSN_ROTATION_WHY_NO_CONNECTION:
        return _("waiting: OVH could not be reached");
    case PSN_ROTATION_WHY_BUSY:
        return _("waiting: OVH is busy with this mailbox");
    case PSN_ROTATION_WHY_TASK_PENDING:
        return _("waiting for OVH's task");
    case PSN_ROTATION_WHY_NO_LOGIN:
        return _("waiting for the mail server");
    case PSN_ROTATION_WHY_LOGINS_SPENT:
        return _("waiting, so that the mail server does not lock us out");
    case PSN_ROTATION_WHY_NOT_SILENT:
        return _("waiting: an earlier request may still arrive");
    case PSN_ROTATION_WHY_UNPROVED:
        return _("waiting: the mail server may still remember an earlier answer");
    default:
        return _("waiting until it is in force");
    }
}

const char *psn_result_name(enum psn_result result)
{
    switch (result) {
    case PSN_RESULT_ROTATED:
        return "rotated";
    case PSN_RESULT_CREATED:
        return "created";
    case PSN_RESULT_ADOPTED:
        return "adopted";
    case PSN_RESULT_UNCHANGED:
        return "unchanged";
    case PSN_RESULT_FAILED:
        return "failed";
    case PSN_RESULT_UNCERTAIN:
        return "uncertain";
    case PSN_RESULT_ACCEPTED:
        return "accepted";
    case PSN_RESULT_REFUSED:
        return "refused";
    case PSN_RESULT_UNKNOWN:
        return "unknown";
    }
    return "unknown";
}

enum psn_code psn_rotation_code(enum psn_rotation_reason reason)
{
    switch ((int)reason) {
    case PSN_ROTATION_WHY_KEY:
    case PSN_ROTATION_WHY_SERVICE:
    case PSN_ROTATION_WHY_CLOCK:
        return PSN_E_REFUSED;
    case PSN_ROTATION_WHY_ABSENT:
        return PSN_E_NOT_FOUND;
    case PSN_ROTATION_WHY_POLICY:
        return PSN_E_POLICY;
    case PSN_ROTATION_WHY_EXISTS:
        return PSN_E_EXISTS;
    case PSN_ROTATION_WHY_NO_CONNECTION:
        return PSN_E_NETWORK;
    default:
        return PSN_E_UNFINISHED;
    }
}

bool psn_rotation_is_refusal(enum psn_rotation_reason reason)
{
    return reason == PSN_ROTATION_WHY_KEY || reason == PSN_ROTATION_WHY_SERVICE ||
           reason == PSN_ROTATION_WHY_CLOCK || reason == PSN_ROTATION_WHY_POLICY;
}

void psn_rotation_advise(const struct psn_rotation_action *end, const char *address,
                         const char *refusal_hint, struct psn_error *err)
{
    if (end->kind == PSN_ROTATION_DO_STUCK && end->reason == PSN_ROTATION_WHY_ABSENT)
        (void)psn_hint(err, err->code,
                       _("if it is to stay so: passation role rm %s; once it is there "
                         "again: passation resume %s"),
                       address, address);
    else if (end->kind == PSN_ROTATION_DO_UNFINISHED ||
             end->kind == PSN_ROTATION_DO_STUCK)
        (void)psn_hint(
            err, err->code,
            _("the password that works is in the vault; go on with: passation resume "
              "%s; all that was tried: passation show --versions %s"),
            address, address);
    else if (end->reason == PSN_ROTATION_WHY_EXISTS)
        (void)psn_hint(err, err->code, _("take it over: passation role adopt %s"),
                       address);
    else if (end->reason == PSN_ROTATION_WHY_POLICY)
        (void)psn_hint(err, err->code,
                       _("look at the mailbox in the OVH control panel, then run the "
                         "command again; what was tried: passation show --versions %s"),
                       address);
    else if (psn_rotation_is_refusal(end->reason) && refusal_hint[0])
        (void)psn_hint(err, err->code, "%s", refusal_hint);
}
