#include "cli/finding_show.h"

#include <stdio.h>
#include <string.h>

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

const char *cli_unseen_of(const struct psn_role *role)
{
    if (strcmp(role->backend, "zimbra") == 0)
        return _("filters, shared folders and connected devices, in Zimbra's webmail");
    if (strcmp(role->backend, "email/domain") == 0)
        return _("programs and telephones that are still connected; the webmail's rules");
    return _("rules, forwards and connected devices, in Outlook's webmail (Options)");
}

const char *cli_finding_noun(enum psn_finding_kind kind)
{
    switch (kind) {
    case PSN_FINDING_DOMAIN:
        return _("domain");
    case PSN_FINDING_MAILBOX:
        return _("mailbox");
    case PSN_FINDING_CONTACT:
        return _("contact of a service");
    case PSN_FINDING_REDIRECTION:
        return _("redirection");
    case PSN_FINDING_RESPONDER:
        return _("responder with copy");
    case PSN_FINDING_FILTER:
        return _("filter");
    case PSN_FINDING_DELEGATION:
        return _("delegation of a mailbox");
    case PSN_FINDING_ACL:
        return _("rights on a domain");
    case PSN_FINDING_MAILING_LIST:
        return _("mailing list");
    case PSN_FINDING_API_KEY:
        return _("key of the API");
    case PSN_FINDING_API_APP:
        return _("application of the API");
    case PSN_FINDING_ACCOUNT_MAIL:
        return _("e-mail address of the OVH account");
    case PSN_FINDING_MODERATOR:
        return _("moderator of a list");
    case PSN_FINDING_SUBSCRIBER:
        return _("subscriber of a list");
    case PSN_FINDING_OAUTH_CLIENT:
        return _("service account");
    case PSN_FINDING_IAM_USER:
        return _("user of the account");
    case PSN_FINDING_IAM_TOKEN:
        return _("token of a user");
    case PSN_FINDING_IAM_POLICY:
        return _("policy");
    case PSN_FINDING_SUB_ACCOUNT:
        return _("sub-account");
    case PSN_FINDING_UNREADABLE:
        return _("part that this API key may not read");
    }
    return "";
}

const char *cli_finding_object(const struct psn_finding *finding, char *out, size_t size)
{
    bool told =
        finding->kind == PSN_FINDING_CONTACT || finding->kind == PSN_FINDING_FILTER ||
        finding->kind == PSN_FINDING_DELEGATION || finding->kind == PSN_FINDING_API_KEY ||
        finding->kind == PSN_FINDING_API_APP || finding->kind == PSN_FINDING_OAUTH_CLIENT;
    char detail[PSN_FINDING_TEXT_MAX];

    (void)psn_finding_detail(finding, detail);
    (void)snprintf(out, size, told && detail[0] ? "%s, %s" : "%s", finding->subject,
                   detail);
    return out;
}
