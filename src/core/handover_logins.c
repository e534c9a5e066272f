#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "core/handover_blocking.h"
#include "core/journal.h"

/* Whether the client set passwords of his own: what mail servers said of ours since the
 * trousseau was made. */

struct login {
    const struct psn_content *content;
    int64_t first_refused_s; /* since it was accepted last; 0: never */
    int64_t last_refused_s;
};

struct logins {
    struct login *items;
    size_t count;
    int64_t since_s;
};

static int compare_login(const void *key, const void *item)
{
    return strcmp(key, ((const struct login *)item)->content->address);
}

static enum psn_code read_login(void *arg, const struct psn_journal_entry *entry,
                                struct psn_error *err)
{
    struct logins *logins = arg;
    bool refused = strcmp(entry->event, "login.refused") == 0;
    struct login *login;

    (void)err;
    if (entry->time_s < logins->since_s || logins->count == 0 ||
        (!refused && strcmp(entry->event, "login.accepted") != 0))
        return PSN_OK;
    login = bsearch(entry->subject, logins->items, logins->count, sizeof *logins->items,
                    compare_login);
    if (!login || entry->version != login->content->version)
        return PSN_OK;
    if (!refused)
        login->first_refused_s = login->last_refused_s = 0;
    else if (!login->first_refused_s)
        login->first_refused_s = entry->time_s;
    if (refused)
        login->last_refused_s = entry->time_s;
    return PSN_OK;
}

/* Refused twice, further apart than any mail server remembers a refusal. */
static enum psn_code judge_login(struct psn_blocking *blocking, const struct login *login,
                                 struct psn_error *err)
{
    int64_t until_s = login->first_refused_s + blocking->client.limits.login_cache_s;
    struct psn_handover_blocker *blocker;
    enum psn_code rc;

    if (login->first_refused_s && login->last_refused_s >= until_s &&
        login->last_refused_s > login->first_refused_s)
        return PSN_OK;
    rc = psn_blocking_add(blocking, PSN_HANDOVER_OWNED,
                          login->first_refused_s ? PSN_BLOCKER_ONE_ROUND
                                                 : PSN_BLOCKER_STILL_OURS,
                          login->first_refused_s ? PSN_WHO_US : PSN_WHO_CLIENT,
                          login->content->address, "", err);
    if (rc || !login->first_refused_s)
        return rc;
    blocker = &blocking->handover->blockers[blocking->handover->blocker_count - 1];
    blocker->until_s = until_s;
    return PSN_OK;
}

enum psn_code psn_blocking_add_logins(struct psn_blocking *blocking,
                                      struct psn_error *err)
{
    struct logins logins = { .since_s = blocking->handover->issued_s };
    enum psn_code rc = PSN_OK;

    logins.items = calloc(blocking->contents.count + 1, sizeof *logins.items);
    if (!logins.items)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < blocking->contents.count; i++)
        if (!blocking->contents.items[i].label[0])
            logins.items[logins.count++].content = &blocking->contents.items[i];
    if (blocking->handover->confirmed_s)
        rc = psn_journal_each(blocking->vault, blocking->client.id, 0, read_login,
                              &logins, err);
    for (size_t i = 0; !rc && i < logins.count; i++)
        rc = judge_login(blocking, &logins.items[i], err);
    free(logins.items);
    return rc;
}
