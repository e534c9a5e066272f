#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "core/handover.h"
#include "core/item.h"

/* Does the trousseau hold all there is of a client? */

enum psn_code psn_handover_each_item(struct psn_vault *vault,
                                     const struct psn_content_list *contents,
                                     psn_secret_fn *each, void *arg,
                                     struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < contents->count; i++)
        if (!contents->items[i].label[0])
            rc = psn_item_each_all(vault, contents->items[i].address, each, arg, err);
    return rc;
}

static enum psn_code refuse_replacement(void *arg, const struct psn_secret_info *info,
                                        struct psn_error *err)
{
    (void)arg;
    if (!info->replacement)
        return PSN_OK;
    return psn_fail(err, PSN_E_POLICY,
                    _("%s, %s: a new value was made ready, perhaps it is in use, and the "
                      "trousseau does not hold it"),
                    info->address, info->label);
}

static enum psn_code check_issue(struct psn_vault *vault, const char *client,
                                 const struct psn_handover_row *row,
                                 struct psn_error *err)
{
    struct psn_content_list contents = { 0 };
    struct psn_issue_row issue = { 0 };
    enum psn_code rc = psn_handover_contents(vault, client, &contents, err);
    bool is_whole;

    if (!rc)
        rc = psn_handover_issue_row(vault, client, row, &issue, err);
    is_whole = !rc && issue.state == PSN_ISSUE_CONFIRMED;
    for (size_t i = 0; is_whole && i < contents.count; i++)
        is_whole = psn_contents_have(issue.contents, issue.content_count,
                                     contents.items[i].address, contents.items[i].label,
                                     contents.items[i].version);
    psn_issue_row_release(&issue);
    if (!rc)
        rc = psn_handover_each_item(vault, &contents, refuse_replacement, NULL, err);
    free(contents.items);
    return rc || is_whole ? rc
                          : psn_fail(err, PSN_E_POLICY,
                                     _("'%s' was changed while it was closed: the "
                                       "trousseau does not hold everything any more"),
                                     client);
}

enum psn_code psn_handover_check_whole(struct psn_vault *vault, const char *client,
                                       struct psn_error *err)
{
    struct psn_handover_row row = { 0 };
    enum psn_code rc = psn_handover_row_read_open(vault, client, &row, err);

    if (!rc)
        rc = check_issue(vault, client, &row, err);
    return rc ? psn_hint(err, rc,
                         _("nothing was destroyed; see what is left to do: passation "
                           "handover status %s"),
                         client)
              : PSN_OK;
}
