#include "cli/finding_show.h"

const char *cli_finding_heading(enum psn_finding_kind kind)
{
    switch (kind) {
    case PSN_FINDING_DOMAIN:
        return _("Domains with mail");
    case PSN_FINDING_MAILBOX:
        return _("Mailboxes");
    case PSN_FINDING_CONTACT:
        return _("Contacts of the services");
    case PSN_FINDING_REDIRECTION:
        return _("Redirections");
    case PSN_FINDING_RESPONDER:
        return _("Responders");
    case PSN_FINDING_FILTER:
        return _("Filters");
    case PSN_FINDING_DELEGATION:
        return _("Delegations of mailboxes");
    case PSN_FINDING_ACL:
        return _("Accounts with rights on a domain");
    case PSN_FINDING_MAILING_LIST:
        return _("Mailing lists");
    case PSN_FINDING_API_KEY:
        return _("API keys");
    case PSN_FINDING_API_APP:
        return _("API applications");
    case PSN_FINDING_ACCOUNT_MAIL:
        return _("E-mail address of the OVH account");
    case PSN_FINDING_MODERATOR:
        return _("Moderators of mailing lists outside the domain");
    case PSN_FINDING_SUBSCRIBER:
        return _("Subscribers of mailing lists outside the domain");
    case PSN_FINDING_OAUTH_CLIENT:
        return _("Service accounts (OAuth2)");
    case PSN_FINDING_IAM_USER:
        return _("Users of the OVH account");
    case PSN_FINDING_IAM_TOKEN:
        return _("Tokens of users");
    case PSN_FINDING_IAM_POLICY:
        return _("Policies");
    case PSN_FINDING_SUB_ACCOUNT:
        return _("Sub-accounts");
    case PSN_FINDING_UNREADABLE:
        return _("Not readable with this API key");
    }
    return psn_finding_kind_name(kind);
}
