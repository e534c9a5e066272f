#include "core/account_sweep.h"

#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/loop.h"

enum {
    CALLS = 16, /* requests at once */
};

struct sweeping {
    const struct psn_account_sweep *sweep;
    size_t next;
    size_t blind;
};

/* One client: was it a cut that failed, or the look? */
struct one {
    const struct psn_account_sweep *sweep;
    const char *client;
    bool looked;
};

static enum psn_code pass_on(void *arg, const struct psn_access_cut *cut,
                             struct psn_error *err)
{
    struct one *one = arg;

    one->looked = true;
    return one->sweep->cut ? one->sweep->cut(one->sweep->arg, one->client, cut, err)
                           : PSN_OK;
}

static enum psn_code ignore(void *arg, const struct psn_access *access,
                            struct psn_error *err)
{
    (void)arg;
    (void)access;
    (void)err;
    return PSN_OK;
}

static enum psn_code look(struct one *one, struct psn_error *err)
{
    const struct psn_account_sweep *sweep = one->sweep;
    struct psn_access_choice choice = { .wanted = sweep->wanted,
                                        .arg = sweep->wanted_arg,
                                        .each = pass_on,
                                        .each_arg = one };

    if (sweep->follows)
        return psn_access_follow(sweep->vault, one->client, err);
    return sweep->wanted ? psn_access_cut_wanted(sweep->vault, one->client, &choice, err)
                         : psn_access_look(sweep->vault, one->client, ignore, NULL, err);
}

/* What goes wrong with the vault ends all; anything else is the client's own. */
static bool is_of_the_vault(enum psn_code rc)
{
    return rc == PSN_E_INTEGRITY || rc == PSN_E_IO || rc == PSN_E_FULL ||
           rc == PSN_E_NOMEM || rc == PSN_E_LOCKED || rc == PSN_E_ROLLED_BACK ||
           rc == PSN_E_FORKED;
}

static enum psn_code do_one(void *arg, void *task, struct psn_error *err)
{
    struct sweeping *sweeping = arg;
    const struct psn_account_sweep *sweep = sweeping->sweep;
    struct one one = { sweep, task, false };
    struct psn_error why = { 0 };
    enum psn_code rc = look(&one, &why);

    if (is_of_the_vault(rc)) {
        if (err)
            *err = why;
        return rc;
    }
    if (rc && !one.looked) {
        sweeping->blind++;
        if (sweep->blind)
            sweep->blind(sweep->arg, one.client, &why);
    }
    return PSN_OK;
}

static enum psn_loop_next next(void *arg, void **ret_task)
{
    struct sweeping *sweeping = arg;

    if (sweeping->next == sweeping->sweep->client_count)
        return PSN_LOOP_NONE;
    *ret_task = sweeping->sweep->clients[sweeping->next++];
    return PSN_LOOP_TASK;
}

static bool is_stopped(void *arg)
{
    const struct psn_account_sweep *sweep = ((const struct sweeping *)arg)->sweep;

    return sweep->stop && sweep->stop(sweep->stop_arg);
}

enum psn_code psn_account_sweep_run(const struct psn_account_sweep *sweep,
                                    size_t *ret_blind, struct psn_error *err)
{
    struct sweeping sweeping = { .sweep = sweep };
    struct psn_loop_work work = { .fibers = sweep->client_count ? sweep->client_count : 1,
                                  .calls = sweep->jobs ? sweep->jobs : CALLS,
                                  .next = next,
                                  .each = do_one,
                                  .stop = is_stopped,
                                  .arg = &sweeping };
    enum psn_code rc;

    if (work.fibers > PSN_LOOP_FIBERS_MAX)
        work.fibers = PSN_LOOP_FIBERS_MAX;
    rc = psn_loop_run(&work, err);
    /* Those that a stop kept from being looked at. */
    *ret_blind = sweeping.blind + (sweep->client_count - sweeping.next);
    return rc;
}

/* --- every client --- */

struct clients {
    char (*ids)[PSN_CLIENT_ID_MAX];
    size_t count;
};

static enum psn_code collect_linked(void *arg, const struct psn_client *client,
                                    struct psn_error *err)
{
    struct clients *clients = arg;
    enum psn_code rc;

    if (!client->linked)
        return PSN_OK;
    rc = PSN_GROW(clients->ids, clients->count, err);
    if (!rc)
        memcpy(clients->ids[clients->count++], client->id, sizeof *clients->ids);
    return rc;
}

enum psn_code psn_sweep_all(struct psn_vault *vault, const struct psn_sweep_all *how,
                            size_t *ret_blind, struct psn_error *err)
{
    struct clients clients = { 0 };
    struct psn_account_sweep sweep = { .vault = vault,
                                       .blind = how->blind,
                                       .stop = how->stop,
                                       .stop_arg = how->arg,
                                       .arg = how->arg };
    enum psn_code rc = psn_client_each(vault, collect_linked, &clients, err);

    sweep.clients = clients.ids;
    sweep.client_count = clients.count;
    if (!rc)
        rc = psn_vault_lock_operation(vault, "sweep", err);
    if (!rc) {
        rc = psn_account_sweep_run(&sweep, ret_blind, err);
        psn_vault_unlock_operation(vault);
    }
    free(clients.ids);
    return rc;
}
