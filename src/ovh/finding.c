/* The words of findings, and whose they are. */
#include "passation/finding.h"

#include <stddef.h>
#include <string.h>

#include "base/text.h"

const char *psn_finding_kind_name(enum psn_finding_kind kind)
{
    static const char *const names[] = {
        [PSN_FINDING_DOMAIN] = "domain",
        [PSN_FINDING_MAILBOX] = "mailbox",
        [PSN_FINDING_CONTACT] = "contact",
        [PSN_FINDING_REDIRECTION] = "redirection",
        [PSN_FINDING_RESPONDER] = "responder",
        [PSN_FINDING_FILTER] = "filter",
        [PSN_FINDING_DELEGATION] = "delegation",
        [PSN_FINDING_ACL] = "acl",
        [PSN_FINDING_MAILING_LIST] = "mailing_list",
        [PSN_FINDING_API_KEY] = "api_key",
        [PSN_FINDING_API_APP] = "api_application",
        [PSN_FINDING_ACCOUNT_MAIL] = "account_mail",
        [PSN_FINDING_MODERATOR] = "moderator",
        [PSN_FINDING_SUBSCRIBER] = "subscriber",
        [PSN_FINDING_OAUTH_CLIENT] = "oauth_client",
        [PSN_FINDING_IAM_USER] = "iam_user",
        [PSN_FINDING_IAM_TOKEN] = "iam_token",
        [PSN_FINDING_IAM_POLICY] = "iam_policy",
        [PSN_FINDING_SUB_ACCOUNT] = "sub_account",
        [PSN_FINDING_UNREADABLE] = "unreadable",
    };

    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

const char *psn_danger_name(enum psn_danger danger)
{
    static const char *const names[] = {
        [PSN_DANGER_INFO] = "info",
        [PSN_DANGER_NOTICE] = "notice",
        [PSN_DANGER_DANGER] = "danger",
    };

    return (size_t)danger < sizeof names / sizeof *names ? names[danger] : "unknown";
}

const char *psn_cut_state_name(enum psn_cut_state state)
{
    static const char *const names[] = {
        [PSN_CUT_GONE] = "gone",
        [PSN_CUT_UNDER_WAY] = "under_way",
        [PSN_CUT_WAITING] = "waiting",
        [PSN_CUT_IMPOSSIBLE] = "impossible",
    };

    return (size_t)state < sizeof names / sizeof *names ? names[state] : "unknown";
}

/* Is there a border between two names before or behind this character? An address is one
 * name, so '@' is none; "oauth2-" stands before the id of a service account. */
static bool is_border(char c)
{
    return c == '\0' || c == ' ' || c == ':' || c == '/';
}

static bool begins_name(const char *text, const char *at)
{
    static const char prefix[] = "/oauth2-";
    size_t before = (size_t)(at - text);

    return before == 0 || is_border(at[-1]) ||
           (before >= sizeof prefix - 1 &&
            memcmp(at - (sizeof prefix - 1), prefix, sizeof prefix - 1) == 0);
}

bool psn_finding_is_of(const struct psn_finding *finding, const char *name)
{
    const char *at = finding->whose;
    size_t length = strlen(name);

    if (length == 0)
        return false;
    while ((at = strcasestr(at, name)) != NULL) {
        if (begins_name(finding->whose, at) && is_border(at[length]))
            return true;
        at++;
    }
    return false;
}
