#include <string.h>

#include "base/allow.h"
#include "base/text.h"
#include "core/client.h"
#include "core/counters.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/restored_part.h"
#include "core/role.h"
#include "core/version.h"

struct role_carrying {
    const struct psn_carrying *at;
    const struct psn_role_row *role; /* there */
    const char *label;
};

/* --- secrets --- */

static enum psn_code carry_version(void *arg, const struct psn_version *version,
                                   struct psn_secret *value, struct psn_error *err)
{
    const struct role_carrying *carrying = arg;

    return psn_version_carry(carrying->at->to, carrying->role->client,
                             carrying->role->address, carrying->label, version, value,
                             err);
}

static enum psn_code carry_versions(struct role_carrying *carrying, const char *label,
                                    struct psn_error *err)
{
    carrying->label = label;
    return psn_version_scan(carrying->at->from, carrying->role->client,
                            carrying->role->address, label, carry_version, carrying, err);
}

static enum psn_code note(const struct role_carrying *carrying, const char *event,
                          const char *label, uint64_t version, struct psn_error *err)
{
    return psn_journal_note(carrying->at->to, carrying->role->client,
                            &(struct psn_note){ .event = event,
                                                .subject = carrying->role->address,
                                                .label = label,
                                                .version = version },
                            err);
}

static uint64_t newest(const struct psn_secret_info *info)
{
    return info->version > info->replacement ? info->version : info->replacement;
}

/* Of two that went on apart: a value that both have changed is told, and the higher
 * number counts. */
static enum psn_code compare_item(const struct role_carrying *carrying,
                                  const struct psn_item *there, struct psn_error *err)
{
    const struct psn_carrying *at = carrying->at;
    struct psn_restored_relation relation;
    enum psn_code rc;

    if (at->is_later)
        return PSN_OK;
    rc = psn_restored_relate(at, carrying->role->client, there->info.address,
                             there->info.label, &relation, err);
    if (rc)
        return rc;
    at->carried->secrets_apart +=
        relation.other > 0 || (relation.only_there > 0 && relation.only_here > 0);
    return PSN_OK;
}

/* What was noted of it since (a code that is used up) is taken, too; but not that it was
 * removed, which an older copy is there to undo. */
static enum psn_code carry_item(void *arg, const struct psn_secret_info *info,
                                struct psn_error *err)
{
    struct role_carrying *carrying = arg;
    const struct psn_carrying *at = carrying->at;
    struct psn_item there;
    struct psn_item here = { .revision = 0 };
    bool is_newer;
    enum psn_code rc = psn_item_read_of(at->from, carrying->role->client, info->address,
                                        info->label, &there, err);

    if (!rc)
        rc = psn_allow(PSN_E_NOT_FOUND,
                       psn_item_read_of(at->to, carrying->role->client, info->address,
                                        info->label, &here, err),
                       NULL, err);
    if (!rc && here.revision)
        rc = compare_item(carrying, &there, err);
    if (rc)
        return rc;
    is_newer = newest(&here.info) < newest(&there.info);
    if (!is_newer && !(at->is_later && here.revision < there.revision))
        return PSN_OK;
    rc = carry_versions(carrying, info->label, err);
    if (here.revision)
        there.info.hidden = there.info.hidden && here.info.hidden;
    there.revision = here.revision;
    if (!rc)
        rc = psn_item_put(at->to, &there, err);
    if (rc || !is_newer)
        return rc;
    at->carried->secrets += !there.info.hidden;
    return note(carrying, "secret.taken-over", info->label, there.info.version, err);
}

/* --- passwords --- */

/* The row and its versions belong together, whatever a rotation was about to do. */
static enum psn_code carry_password(struct role_carrying *carrying, uint64_t revision,
                                    struct psn_error *err)
{
    struct psn_role_row row = *carrying->role;
    enum psn_code rc = carry_versions(carrying, "", err);

    row.revision = revision;
    return rc ? rc : psn_role_write(carrying->at->to, &row, err);
}

static enum psn_code take_password(struct role_carrying *carrying,
                                   const struct psn_role_row *here, struct psn_error *err)
{
    const struct psn_role_row *there = carrying->role;
    enum psn_code rc = carry_password(carrying, here->revision, err);

    if (rc || here->rotation.last >= there->rotation.last)
        return rc;
    carrying->at->carried->passwords++;
    return note(carrying, "password.taken-over", NULL, there->rotation.cur, err);
}

/* Which of two that were both changed is in force, only a login tells. */
static enum psn_code carry_apart(struct role_carrying *carrying,
                                 const struct psn_role_row *here, struct psn_error *err)
{
    const struct psn_carrying *at = carrying->at;
    const struct psn_role_row *there = carrying->role;
    struct psn_restored_relation relation;
    enum psn_code rc =
        psn_restored_relate(at, there->client, there->address, "", &relation, err);

    if (rc || (relation.other == 0 && relation.only_there == 0))
        return rc;
    if (psn_restored_goes_on(&relation, there, here))
        return take_password(carrying, here, err);
    at->carried->passwords_apart++;
    return psn_restored_keep_passwords(at, there, here, err);
}

static enum psn_code carry_known(struct role_carrying *carrying,
                                 const struct psn_role_row *here, struct psn_error *err)
{
    const struct psn_carrying *at = carrying->at;
    const struct psn_role_row *there = carrying->role;
    /* Numbers of one that was removed and came again begin after those of before. */
    bool is_again = here->created_s != there->created_s;

    if (strcmp(here->client, there->client) != 0 ||
        (is_again && (!at->is_later || here->rotation.last >= there->rotation.cur))) {
        at->carried->mailboxes_left++;
        return PSN_OK;
    }
    if (!at->is_later)
        return carry_apart(carrying, here, err);
    if (here->revision >= there->revision && here->rotation.last >= there->rotation.last)
        return PSN_OK;
    return take_password(carrying, here, err);
}

/* A domain that the client has only there comes with the mailbox. *ret_free: it is his,
 * or nobody's. */
static enum psn_code take_domain(const struct role_carrying *carrying, bool *ret_free,
                                 struct psn_error *err)
{
    struct psn_vault *to = carrying->at->to;
    const char *domain = strchr(carrying->role->address, '@');
    char owner[PSN_CLIENT_ID_MAX];
    bool is_nobodys;
    bool is_gone = false;
    enum psn_code rc;

    *ret_free = false;
    if (!domain)
        return PSN_OK;
    rc = psn_allow(PSN_E_NOT_FOUND, psn_client_of_domain(to, domain + 1, owner, err),
                   &is_nobodys, err);
    if (is_nobodys)
        rc = psn_allow(PSN_E_NOT_FOUND,
                       psn_client_put_domain(to, carrying->role->client, domain + 1, err),
                       &is_gone, err);
    *ret_free =
        !rc && !is_gone && (is_nobodys || strcmp(owner, carrying->role->client) == 0);
    return rc;
}

static enum psn_code carry_new(struct role_carrying *carrying, struct psn_error *err)
{
    const struct psn_carrying *at = carrying->at;
    bool is_free = false;
    enum psn_code rc = take_domain(carrying, &is_free, err);

    if (rc)
        return rc;
    if (!is_free) {
        at->carried->mailboxes_left++;
        return PSN_OK;
    }
    at->carried->mailboxes++;
    rc = carry_password(carrying, 0, err);
    return rc ? rc
              : note(carrying, "role.taken-over", NULL, carrying->role->rotation.cur,
                     err);
}

static enum psn_code carry_role(void *arg, const struct psn_role_row *there,
                                struct psn_error *err)
{
    const struct psn_carrying *at = arg;
    struct role_carrying carrying = { at, there, NULL };
    size_t left = at->carried->mailboxes_left;
    struct psn_role_row here;
    bool is_new;
    enum psn_code rc = psn_allow(
        PSN_E_NOT_FOUND, psn_role_read(at->to, there->address, &here, err), &is_new, err);

    if (is_new)
        rc = carry_new(&carrying, err);
    else if (!rc)
        rc = carry_known(&carrying, &here, err);
    return rc || at->carried->mailboxes_left > left
               ? rc
               : psn_item_each_all(at->from, there->address, carry_item, &carrying, err);
}

/* What was used up there nobody here knows. */
static enum psn_code spend(const struct psn_carrying *at, struct psn_error *err)
{
    uint64_t spent = 0;
    enum psn_code rc = psn_versions_spent(at->from, &spent, err);

    if (!rc)
        rc = psn_versions_keep(at->to, spent, err);
    return rc ? rc : psn_versions_retire(at->from, NULL, NULL, at->to, err);
}

enum psn_code psn_restored_roles(struct psn_carrying *at, struct psn_error *err)
{
    enum psn_code rc = psn_role_scan(at->from, NULL, 0, carry_role, at, err);

    return rc ? rc : spend(at, err);
}
