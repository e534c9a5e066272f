#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "core/account_sweep.h"
#include "core/departure_going.h"

/* Steps (1) and (5) of a departure: his doors. */
enum {
    CUT_STEP_MS = 250,
    CUT_STEP_MAX_MS = 4000,
    CUT_PATIENCE_MS = 20 * 1000,
};

static bool is_wanted(const void *arg, const struct psn_access *access)
{
    const struct psn_going *going = arg;
    const struct psn_person *person = &going->person;

    for (size_t i = 0; i < going->refused_count; i++)
        if (strcmp(going->refused[i], access->finding.id) == 0)
            return false;
    return psn_access_is_his(person, access) ||
           (person->departure.all && psn_access_is_pending(access));
}

static enum psn_code note_refused(struct psn_going *going,
                                  const struct psn_finding *finding,
                                  struct psn_error *err)
{
    char(*grown)[PSN_FINDING_ID_MAX] =
        reallocarray(going->refused, going->refused_count + 1, sizeof *grown);

    if (!grown)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    going->refused = grown;
    memcpy(grown[going->refused_count++], finding->id, sizeof *grown);
    return PSN_OK;
}

static enum psn_code tell_cut(void *arg, const char *client,
                              const struct psn_access_cut *cut, struct psn_error *err)
{
    struct psn_going *going = arg;
    enum psn_code rc = PSN_OK;

    going->failed = going->failed || cut->failed;
    going->ordered = going->ordered || (!cut->failed && cut->state == PSN_CUT_UNDER_WAY);
    if (cut->failed && cut->failed->code == PSN_E_REFUSED) {
        (void)snprintf(going->cut_client, sizeof going->cut_client, "%s", client);
        rc = note_refused(going, &cut->access->finding, err);
    }
    if (rc)
        return rc;
    return going->run->cut ? going->run->cut(going->run->arg, client, cut, err) : PSN_OK;
}

void psn_going_tell_blind(void *arg, const char *client, const struct psn_error *why)
{
    struct psn_going *going = arg;

    for (size_t i = 0; i < going->scope.client_count; i++)
        if (strcmp(going->scope.clients[i], client) == 0)
            going->unseen[i] = true;
    if (going->run->blind)
        going->run->blind(going->run->arg, client, why);
}

static enum psn_code collect_door(void *arg, const struct psn_access_row *row,
                                  struct psn_error *err)
{
    struct psn_going *going = arg;
    struct psn_access_row *grown;

    if (row->access.state == PSN_ACCESS_GONE ||
        !psn_access_is_his(&going->person, &row->access))
        return PSN_OK;
    grown = reallocarray(going->doors, going->door_count + 1, sizeof *grown);
    if (!grown)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    going->doors = grown;
    grown[going->door_count++] = *row;
    return PSN_OK;
}

static enum psn_code read_doors(struct psn_going *going, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(going->vault, PSN_STORE_READ, err);

    going->door_count = 0;
    return rc ? rc
              : psn_vault_end(
                    going->vault,
                    psn_access_row_each(going->vault, NULL, collect_door, going, err),
                    err);
}

/* Is there something of his at the client: a secret, or a door? */
static bool concerns(const struct psn_going *going, const char *client)
{
    for (size_t i = 0; i < going->scope.target_count; i++)
        if (strcmp(going->scope.targets[i].client, client) == 0)
            return true;
    for (size_t i = 0; i < going->door_count; i++)
        if (strcmp(going->doors[i].client, client) == 0)
            return true;
    return false;
}

/* Every account is looked at first; then those where something is, or was not seen. */
static enum psn_code choose(struct psn_going *going, bool again,
                            char (**ret_clients)[PSN_CLIENT_ID_MAX], size_t *ret_count,
                            struct psn_error *err)
{
    const struct psn_scope *scope = &going->scope;
    char(*clients)[PSN_CLIENT_ID_MAX] = calloc(scope->client_count + 1, sizeof *clients);
    size_t count = 0;

    if (!clients)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < scope->client_count; i++) {
        if (again && !going->unseen[i] && !concerns(going, scope->clients[i]))
            continue;
        memcpy(clients[count++], scope->clients[i], sizeof *clients);
        going->unseen[i] = false;
    }
    *ret_clients = clients;
    *ret_count = count;
    return PSN_OK;
}

static size_t count_unseen(const struct psn_going *going)
{
    size_t count = 0;

    for (size_t i = 0; i < going->scope.client_count; i++)
        count += going->unseen[i];
    return count;
}

enum psn_code psn_going_sweep(struct psn_going *going, bool again, struct psn_error *err)
{
    struct psn_account_sweep all = { .vault = going->vault,
                                     .jobs = going->run->mailboxes.jobs,
                                     .wanted = is_wanted,
                                     .wanted_arg = going,
                                     .cut = tell_cut,
                                     .blind = psn_going_tell_blind,
                                     .stop = going->run->mailboxes.stop,
                                     .stop_arg = going->run->mailboxes.arg,
                                     .arg = going };
    size_t blind = 0;
    enum psn_code rc = choose(going, again, &all.clients, &all.client_count, err);

    if (!rc)
        rc = psn_account_sweep_run(&all, &blind, err);
    free(all.clients);
    /* A stop keeps some from being looked at, and tells of none. */
    going->blind = count_unseen(going);
    if (blind > going->blind)
        going->blind = blind;
    going->looked = !rc && !psn_going_is_stopped(going);
    return rc ? rc : read_doors(going, err);
}

static bool are_under_way(const struct psn_going *going)
{
    for (size_t i = 0; i < going->door_count; i++)
        if (psn_access_is_followed(&going->doors[i].access))
            return true;
    return false;
}

/* Only the clients where a task is under way. */
static enum psn_code choose_followed(const struct psn_going *going,
                                     char (**ret_clients)[PSN_CLIENT_ID_MAX],
                                     size_t *ret_count, struct psn_error *err)
{
    char(*clients)[PSN_CLIENT_ID_MAX] = calloc(going->door_count + 1, sizeof *clients);
    size_t count = 0;

    if (!clients)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < going->door_count; i++) {
        const struct psn_access_row *door = &going->doors[i];
        bool known = !psn_access_is_followed(&door->access);

        for (size_t j = 0; j < count; j++)
            known = known || strcmp(clients[j], door->client) == 0;
        if (!known)
            memcpy(clients[count++], door->client, sizeof *clients);
    }
    *ret_clients = clients;
    *ret_count = count;
    return PSN_OK;
}

static enum psn_code follow_once(struct psn_going *going, struct psn_error *err)
{
    struct psn_account_sweep follow = { .vault = going->vault, .follows = true };
    size_t blind;
    enum psn_code rc = choose_followed(going, &follow.clients, &follow.client_count, err);

    if (!rc)
        rc = psn_account_sweep_run(&follow, &blind, err);
    free(follow.clients);
    return rc ? rc : read_doors(going, err);
}

enum psn_code psn_going_wait_for_cuts(struct psn_going *going, struct psn_error *err)
{
    int64_t step_ms = CUT_STEP_MS;
    int64_t waited_ms = 0;
    enum psn_code rc = PSN_OK;

    while (!rc && going->ordered && waited_ms < CUT_PATIENCE_MS && are_under_way(going) &&
           !psn_going_is_stopped(going)) {
        going->vault->world.sleep_ms(step_ms);
        waited_ms += step_ms;
        step_ms = step_ms < CUT_STEP_MAX_MS ? 2 * step_ms : CUT_STEP_MAX_MS;
        rc = follow_once(going, err);
    }
    return rc;
}
