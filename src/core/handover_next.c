#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "core/client.h"
#include "core/handover.h"
#include "passation/contact.h"

/* What a machine can do for a handover as it stands, stage by stage: the same again is no
 * harm. */

struct working {
    struct psn_vault *vault;
    const char *client;
    const struct psn_handover_run *run;
    enum psn_code rc; /* the first failure, which holds up no other work */
    struct psn_error why;
};

static void keep(struct working *working, enum psn_code rc, const struct psn_error *err)
{
    if (!rc || working->rc)
        return;
    working->rc = rc;
    working->why = *err;
}

static void tell(const struct working *working, enum psn_handover_stage stage)
{
    if (working->run->stage)
        working->run->stage(working->run->arg, stage);
}

/* --- the account --- */

static enum psn_code pass_by(void *arg, const struct psn_access *access,
                             struct psn_error *err)
{
    (void)arg;
    (void)access;
    (void)err;
    return PSN_OK;
}

static void day_of(int64_t time_s, char day[11])
{
    char text[PSN_TIME_SIZE];

    (void)snprintf(day, 11, "%.10s", psn_clock_format(time_s, text));
}

/* When the client's domain names end; one that is registered elsewhere is left out. */
static enum psn_code look_at_dates(struct working *working, struct psn_handover_row *seen,
                                   struct psn_error *err)
{
    struct psn_client client = { 0 };
    enum psn_code rc = psn_client_get(working->vault, working->client, &client, err);

    for (size_t i = 0;
         !rc && i < client.domain_count && seen->date_count < PSN_HANDOVER_KEPT_DATES;
         i++) {
        struct psn_kept_date *date = &seen->dates[seen->date_count];
        struct psn_domain_facts facts = { 0 };
        struct psn_error why = { 0 };
        enum psn_code found = psn_contact_domain_facts(working->vault, working->client,
                                                       client.domains[i], &facts, &why);

        if (found || !facts.expires_s) {
            if (found && found != PSN_E_NOT_FOUND)
                keep(working, found, &why);
            continue;
        }
        (void)snprintf(date->domain, sizeof date->domain, "%s", client.domains[i]);
        day_of(facts.expires_s, date->on);
        date->is_renewed = facts.renews && !facts.is_deleted;
        seen->date_count++;
    }
    psn_client_release(&client);
    return rc;
}

static enum psn_code take_look(void *arg, struct psn_vault *vault,
                               struct psn_handover_row *row, struct psn_error *err)
{
    const struct psn_handover_row *seen = arg;

    (void)err;
    row->looked_s = vault->world.now_s();
    if (row->began_s > row->looked_s) /* the clock was ahead: no password is newer */
        row->began_s = row->looked_s;
    row->date_count = seen->date_count;
    memcpy(row->dates, seen->dates, sizeof row->dates);
    return PSN_OK;
}

static void look(struct working *working)
{
    struct psn_handover_row *seen = calloc(1, sizeof *seen);
    struct psn_error err = { 0 };
    enum psn_code rc =
        seen ? psn_sweep(working->vault, working->client, pass_by, NULL, &err)
             : psn_fail(&err, PSN_E_NOMEM, _("out of memory"));

    if (!rc)
        rc = look_at_dates(working, seen, &err);
    if (!rc)
        rc = psn_handover_change(working->vault, working->client, "handover.looked", NULL,
                                 take_look, seen, &err);
    keep(working, rc, &err);
    free(seen);
}

/* --- mailboxes --- */

struct addresses {
    const char **items; /* borrowed from the handover */
    size_t count;
};

static bool has_before(const struct psn_handover *handover, enum psn_handover_stage stage)
{
    return handover->blocker_count > 0 && handover->blockers[0].stage < stage;
}

static bool is_wanted(const struct psn_handover_blocker *blocker,
                      enum psn_handover_block block, int64_t now_s)
{
    return blocker->block == block && !blocker->label[0] && blocker->until_s <= now_s;
}

/* A password that is set while a leaver has a way in would be known to him again. */
static bool waits_for_door(const struct psn_handover *handover)
{
    for (size_t i = 0; i < handover->blocker_count; i++)
        if (handover->blockers[i].block == PSN_BLOCKER_DOOR)
            return true;
    return false;
}

static enum psn_code select_addresses(const struct psn_handover *handover,
                                      const enum psn_handover_block *blocks,
                                      size_t block_count, int64_t now_s,
                                      struct addresses *addresses, struct psn_error *err)
{
    addresses->count = 0;
    addresses->items = calloc(handover->blocker_count + 1, sizeof *addresses->items);
    if (!addresses->items)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < handover->blocker_count; i++)
        for (size_t j = 0; j < block_count; j++)
            if (is_wanted(&handover->blockers[i], blocks[j], now_s) &&
                (blocks[j] != PSN_BLOCKER_KNOWN || !waits_for_door(handover)))
                addresses->items[addresses->count++] = handover->blockers[i].address;
    return PSN_OK;
}

typedef enum psn_code mailboxes_fn(struct psn_vault *vault, const char *const *globs,
                                   size_t count, const struct psn_run *run,
                                   struct psn_error *err);

static void work_on(struct working *working, enum psn_handover_stage stage,
                    const enum psn_handover_block *blocks, size_t block_count,
                    mailboxes_fn *work)
{
    struct psn_handover handover = { 0 };
    struct addresses addresses = { 0 };
    struct psn_error err = { 0 };
    enum psn_code rc = psn_handover_get(working->vault, working->client, &handover, &err);

    if (!rc && !has_before(&handover, stage)) {
        rc = select_addresses(&handover, blocks, block_count,
                              working->vault->world.now_s(), &addresses, &err);
        if (!rc && addresses.count > 0) {
            tell(working, stage);
            rc = work(working->vault, addresses.items, addresses.count,
                      &working->run->mailboxes, &err);
        }
    }
    /* Refused is what is hoped for when the client has a password of his own. */
    if (rc != PSN_E_VERIFY || stage != PSN_HANDOVER_OWNED)
        keep(working, rc, &err);
    free(addresses.items);
    psn_handover_release(&handover);
}

static void rotate(struct working *working)
{
    static const enum psn_handover_block unfinished[] = { PSN_BLOCKER_UNFINISHED };
    static const enum psn_handover_block old[] = { PSN_BLOCKER_OUTSIDE, PSN_BLOCKER_OLD,
                                                   PSN_BLOCKER_KNOWN };

    work_on(working, PSN_HANDOVER_INVENTORY, unfinished, 1, psn_resume);
    work_on(working, PSN_HANDOVER_ROTATION, old, sizeof old / sizeof *old, psn_rotate);
}

static void ask_mailboxes(struct working *working)
{
    static const enum psn_handover_block known[] = { PSN_BLOCKER_STILL_OURS,
                                                     PSN_BLOCKER_ONE_ROUND };

    work_on(working, PSN_HANDOVER_OWNED, known, 2, psn_verify);
}

/* --- contacts --- */

static enum psn_code pass_change(void *arg, const struct psn_contact_change *change,
                                 struct psn_error *err)
{
    (void)arg;
    (void)change;
    (void)err;
    return PSN_OK;
}

/* Without the key for it there is nothing to follow: nothing was asked for. */
static void follow_contacts(struct working *working)
{
    struct psn_error err = { 0 };
    enum psn_code rc =
        psn_contact_look(working->vault, working->client, pass_change, NULL, &err);

    if (rc != PSN_E_POLICY)
        keep(working, rc, &err);
}

/* A change that was carried out is no way in any more; only a look at the account tells.
 * Where nobody has looked yet, that is not begun here. */
static void look_at_contacts(struct working *working)
{
    struct psn_handover handover = { 0 };
    struct psn_error err = { 0 };
    bool is_left = false;
    enum psn_code rc = psn_handover_get(working->vault, working->client, &handover, &err);

    for (size_t i = 0; !rc && i < handover.blocker_count; i++)
        is_left = is_left || (handover.blockers[i].block == PSN_BLOCKER_CONTACT &&
                              handover.blockers[i].id == 0);
    is_left = is_left && handover.looked_s;
    psn_handover_release(&handover);
    keep(working, rc, &err);
    if (is_left)
        look(working);
}

/* --- all --- */

enum psn_code psn_handover_next(struct psn_vault *vault, const char *client,
                                const struct psn_handover_run *run, struct psn_error *err)
{
    struct working working = { .vault = vault, .client = client, .run = run };
    struct psn_handover handover = { 0 };
    bool keys_gone;
    enum psn_code rc = psn_handover_get(vault, client, &handover, err);

    if (rc)
        return rc;
    keys_gone = handover.keys_gone_s != 0;
    psn_handover_release(&handover);
    if (!keys_gone && !run->follow) {
        tell(&working, PSN_HANDOVER_INVENTORY);
        look(&working);
        rotate(&working);
    }
    if (!keys_gone)
        follow_contacts(&working);
    if (!keys_gone && run->follow)
        look_at_contacts(&working);
    ask_mailboxes(&working);
    if (working.rc && err)
        *err = working.why;
    return working.rc;
}
