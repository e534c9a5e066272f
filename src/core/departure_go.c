#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "core/account_sweep.h"
#include "core/departure_going.h"
#include "core/exposure.h"
#include "core/handover.h"
#include "core/journal.h"
#include "core/person.h"

/*
 * Steps (1) to (5). Each reads from the vault what there is to do, so that a run which
 * was stopped anywhere is gone on with by doing all of them again.
 *
 * A password that he knows only since a door of his was open when it was set, is left
 * until the door is closed: another one would be known to him, too.
 */
enum {
    ROUNDS = 3,
    LOCK_STEP_MS = 200,
    LOCK_PATIENCE_MS = 5 * 60 * 1000,
};

bool psn_going_is_stopped(const struct psn_going *going)
{
    const struct psn_run *run = &going->run->mailboxes;

    return run->stop && run->stop(run->arg);
}

static void tell_stage(const struct psn_going *going, enum psn_departure_stage stage)
{
    if (going->run->stage)
        going->run->stage(going->run->arg, stage);
}

/* --- (2) and (3): passwords --- */

struct known {
    char address[PSN_ADDRESS_TEXT_MAX];
    char client[PSN_CLIENT_ID_MAX];
    bool seen;   /* by himself, not only through a door */
    bool looked; /* not only within his reach */
    bool live;   /* a password that is in force … */
    bool dying;  /* … one that is not proved refused */
};

struct known_list {
    struct known *items;
    size_t count;
};

static void add_exposure(struct known *known, const struct psn_exposure *at)
{
    bool live = at->in_force && !at->dying;

    memcpy(known->address, at->address, sizeof known->address);
    memcpy(known->client, at->client, sizeof known->client);
    known->live = known->live || live;
    known->dying = known->dying || at->dying;
    known->seen = known->seen || (live && at->how != PSN_HOW_ACCESS);
    known->looked =
        known->looked || (at->how != PSN_HOW_ACCESS && at->how != PSN_HOW_REACHED &&
                          at->how != PSN_HOW_RETURNED);
}

/* What he has seen first, then what he could have. */
static int seen_first(const void *a, const void *b)
{
    const struct known *left = a;
    const struct known *right = b;

    return left->looked != right->looked ? right->looked - left->looked
                                         : strcmp(left->address, right->address);
}

static enum psn_code list_known(struct psn_going *going, struct known_list *list,
                                struct psn_error *err)
{
    struct psn_exposure_list seen = { 0 };
    const char *last = "";
    enum psn_code rc = psn_vault_begin(going->vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_vault_end(
        going->vault, psn_exposure_list(going->vault, going->person.id, NULL, &seen, err),
        err);
    list->items = calloc(seen.count + 1, sizeof *list->items);
    if (!rc && !list->items)
        rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; !rc && i < seen.count; i++) {
        const struct psn_exposure *at = &seen.items[i];

        if (at->label[0] || !at->in_force)
            continue;
        list->count += strcmp(last, at->address) != 0;
        add_exposure(&list->items[list->count - 1], at);
        last = at->address;
    }
    psn_exposure_list_release(&seen);
    if (!rc && list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, seen_first);
    return rc;
}

static bool waits_for_door(const struct psn_going *going, const struct known *known)
{
    for (size_t i = 0; !known->seen && i < going->door_count; i++)
        if (strcmp(going->doors[i].client, known->client) == 0 &&
            psn_access_leads_to(&going->doors[i].access.finding, known->address))
            return true;
    return false;
}

typedef enum psn_code run_fn(struct psn_vault *vault, const char *const *globs,
                             size_t count, const struct psn_run *run,
                             struct psn_error *err);

/* A mailbox that fails is no reason to stop: what is left is read afterwards. What the
 * vault itself cannot do, is. */
static enum psn_code work_on(struct psn_going *going, run_fn *run,
                             const char *const *addresses, size_t count,
                             struct psn_error *err)
{
    struct psn_error why = { 0 };
    enum psn_code rc;

    if (count == 0)
        return PSN_OK;
    going->worked += count;
    going->looked = false; /* since that */
    rc = run(going->vault, addresses, count, &going->run->mailboxes, &why);
    if (rc == PSN_E_INTEGRITY || rc == PSN_E_IO || rc == PSN_E_FULL ||
        rc == PSN_E_NOMEM) {
        if (err)
            *err = why;
        return rc;
    }
    going->failed = going->failed || rc;
    return PSN_OK;
}

static enum psn_code rotate(struct psn_going *going, struct psn_error *err)
{
    PSN_AUTO_FREE const char **live = NULL;
    PSN_AUTO_FREE const char **dying = NULL;
    struct known_list list = { 0 };
    size_t live_count = 0;
    size_t dying_count = 0;
    enum psn_code rc = list_known(going, &list, err);

    going->worked = 0;
    live = calloc(list.count + 1, sizeof *live);
    dying = calloc(list.count + 1, sizeof *dying);
    if (!rc && (!live || !dying))
        rc = psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; !rc && i < list.count; i++) {
        const struct known *known = &list.items[i];

        bool theirs = false;

        rc = psn_handover_ask_theirs(going->vault, known->client, known->address, "",
                                     going->person.id, &theirs, err);
        if (known->live && !theirs && !waits_for_door(going, known))
            live[live_count++] = known->address;
        else if (known->dying)
            dying[dying_count++] = known->address;
    }
    if (!rc && live_count + dying_count > 0)
        tell_stage(going, PSN_DEPARTURE_ROTATING);
    if (!rc)
        rc = work_on(going, psn_rotate, live, live_count, err);
    if (!rc && !psn_going_is_stopped(going))
        rc = work_on(going, psn_resume, dying, dying_count, err);
    free(list.items);
    return rc;
}

/* --- (4): those who stay --- */

static enum psn_code deliver(struct psn_going *going, struct psn_error *err)
{
    struct psn_error why = { 0 };
    enum psn_code rc;

    if (!going->run->delivery)
        return PSN_OK;
    going->waiting = 0;
    rc = psn_outbox(going->vault, NULL, going->run->delivery, &going->waiting, &why);
    if (rc == PSN_E_INTEGRITY || rc == PSN_E_NOMEM || rc == PSN_E_ABORTED) {
        if (err)
            *err = why;
        return rc;
    }
    going->failed = going->failed || rc;
    return PSN_OK;
}

/* --- all of it --- */

/* The second look; then again, as long as it finds that something is to be replaced once
 * more. */
static enum psn_code go(struct psn_going *going, struct psn_error *err)
{
    enum psn_code rc;

    tell_stage(going, PSN_DEPARTURE_SWEEPING);
    rc = psn_going_sweep(going, false, err);
    if (!rc)
        rc = psn_going_wait_for_cuts(going, err);
    for (int round = 0; !rc && round < ROUNDS && !psn_going_is_stopped(going); round++) {
        rc = rotate(going, err);
        if (rc || psn_going_is_stopped(going))
            break;
        if (going->worked > 0 || round == 0)
            rc = deliver(going, err);
        if (rc || psn_going_is_stopped(going) || going->failed || going->worked == 0)
            break;
        tell_stage(going, PSN_DEPARTURE_LOOKING_AGAIN);
        rc = psn_going_sweep(going, true, err);
    }
    /* What failed once is not tried again in this run, but looked at. */
    if (!rc && going->failed && going->worked > 0 && !psn_going_is_stopped(going)) {
        tell_stage(going, PSN_DEPARTURE_LOOKING_AGAIN);
        rc = psn_going_sweep(going, true, err);
    }
    return rc;
}

static bool is_over(const struct psn_going *going, const struct psn_departure *departure)
{
    return going->looked && !going->blind && !departure->holds_slot &&
           !departure->rotate && !departure->unproved && !departure->tasks &&
           !departure->accesses && !departure->keys;
}

static enum psn_code conclude_row(struct psn_going *going,
                                  struct psn_departure *departure, struct psn_error *err)
{
    struct psn_vault *vault = going->vault;
    struct psn_person person;
    uint64_t revision = 0;
    enum psn_code rc = psn_person_load(vault, going->person.id, &person, &revision, err);

    if (!rc)
        rc = psn_departure_read(vault, person.id, departure, err);
    if (rc || departure->closed_s || !is_over(going, departure))
        return rc;
    person.departed_s = vault->world.now_s();
    person.departure.report_due = true;
    departure->closed_s = person.departed_s;
    rc = psn_person_store(vault, &person, revision + 1, err);
    return rc ? rc
              : psn_journal_note(vault, NULL,
                                 &(struct psn_note){ .event = "departure.closed",
                                                     .subject = person.id },
                                 err);
}

static enum psn_code fail_slot(const char *person, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_UNFINISHED,
                   _("'%s' can still open the vault: nothing new goes into it before it "
                     "has other keys"),
                   person);
    return psn_hint(err, PSN_E_UNFINISHED,
                    _("passation slot rm %s; then: passation resume"), person);
}

static void put_count(struct psn_buf *text, size_t count, const char *sentence)
{
    char part[PSN_ERROR_MESSAGE_MAX];

    if (count == 0)
        return;
    (void)snprintf(part, sizeof part, "%s%zu %s", text->size ? ", " : "", count,
                   sentence);
    psn_buf_text(text, part);
}

/* "2 passwords to replace, 1 way in still open": what is zero is not said. */
static void put_open(const struct psn_going *going, const struct psn_departure *departure,
                     struct psn_buf *text)
{
    if (departure->accesses)
        put_count(text, departure->rotate,
                  PSN_NGETTEXT("password to replace once no way in is open",
                               "passwords to replace once no way in is open",
                               departure->rotate));
    else
        put_count(text, departure->rotate,
                  PSN_NGETTEXT("password to replace", "passwords to replace",
                               departure->rotate));
    put_count(text, departure->unproved,
              PSN_NGETTEXT("old password not proved refused",
                           "old passwords not proved refused", departure->unproved));
    put_count(
        text, departure->accesses,
        PSN_NGETTEXT("way in still open", "ways in still open", departure->accesses));
    put_count(text, departure->tasks,
              PSN_NGETTEXT("secret to change by hand", "secrets to change by hand",
                           departure->tasks));
    put_count(text, departure->keys,
              PSN_NGETTEXT("API key to replace", "API keys to replace", departure->keys));
    put_count(
        text, going->blind,
        PSN_NGETTEXT("account not looked at", "accounts not looked at", going->blind));
}

/* Is there nothing that another run could do before the client has? */
static bool is_clients(const struct psn_going *going,
                       const struct psn_departure *departure)
{
    return departure->handed > 0 &&
           departure->handed == departure->rotate + departure->tasks &&
           departure->unproved == 0 && departure->accesses == 0 && departure->keys == 0 &&
           !going->cut_client[0] && going->blind == 0;
}

static enum psn_code hint_clients(enum psn_code rc, const struct psn_departure *departure,
                                  struct psn_error *err)
{
    if (departure->ready)
        return psn_hint(err, rc,
                        _("a new value was made ready for what the client has received: "
                          "say whether it is in use, as the report says; then: passation "
                          "resume"));
    return psn_hint(err, rc,
                    _("the client must set what he has received: he is told in the "
                      "handover's statement; what else is left stands in the report"));
}

static enum psn_code fail_open(const struct psn_going *going,
                               const struct psn_departure *departure,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) open = psn_buf_init(PSN_ERROR_MESSAGE_MAX);
    enum psn_code rc;

    put_open(going, departure, &open);
    if (open.size == 0)
        psn_buf_text(&open, _("stopped before the last look"));
    rc = is_clients(going, departure) ? PSN_E_FINDINGS : PSN_E_UNFINISHED;
    (void)psn_fail(err, rc, _("the departure of '%s' is not complete: %s"),
                   departure->person, psn_buf_str(&open));
    if (rc == PSN_E_FINDINGS)
        return hint_clients(rc, departure, err);
    if (departure->keys)
        return psn_hint(err, PSN_E_UNFINISHED,
                        _("passation ovh link %s --new; then: passation resume"),
                        departure->key_client);
    if (going->cut_client[0])
        return psn_hint(err, PSN_E_UNFINISHED,
                        _("ask the owner for a key that may close them: passation ovh "
                          "link %s --for cut; then: passation resume"),
                        going->cut_client);
    return psn_hint(err, PSN_E_UNFINISHED,
                    _("nothing is lost; go on with: passation resume"));
}

static enum psn_code fail_tasks(const struct psn_going *going,
                                const struct psn_departure *departure,
                                struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_FINDINGS,
                   PSN_NGETTEXT("%zu secret that '%s' knows is to be changed by hand",
                                "%zu secrets that '%s' knows are to be changed by hand",
                                departure->tasks),
                   departure->tasks, departure->person);
    if (is_clients(going, departure))
        return hint_clients(PSN_E_FINDINGS, departure, err);
    return psn_hint(err, PSN_E_FINDINGS,
                    _("change it where it is used, as the report says; then: passation "
                      "resume"));
}

static enum psn_code conclude(struct psn_going *going, struct psn_error *err)
{
    struct psn_departure departure = { 0 };
    enum psn_code rc = psn_vault_begin(going->vault, PSN_STORE_WRITE, err);

    if (rc)
        return rc;
    rc = psn_vault_end(going->vault, conclude_row(going, &departure, err), err);
    if (rc || departure.closed_s)
        return rc;
    if (departure.holds_slot)
        return fail_slot(departure.person, err);
    if (departure.rotate || departure.unproved || departure.accesses || departure.keys ||
        going->blind || !departure.tasks)
        return fail_open(going, &departure, err);
    return fail_tasks(going, &departure, err);
}

/* --- beginning and end --- */

static enum psn_code read_person(struct psn_going *going, const char *person,
                                 bool *ret_holds_slot, struct psn_error *err)
{
    struct psn_departure departure;
    enum psn_code rc = psn_vault_begin(going->vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_person_read(going->vault, person, &going->person, err);
    if (!rc)
        rc = psn_departure_drop_role_names(going->vault, &going->person, err);
    if (!rc)
        rc = psn_departure_read(going->vault, person, &departure, err);
    *ret_holds_slot = !rc && departure.holds_slot;
    return psn_vault_end(going->vault, rc, err);
}

/* Another run, of a timer perhaps, is let end. */
static enum psn_code lock_patiently(struct psn_going *going, struct psn_error *err)
{
    int64_t waited_ms = 0;

    for (;;) {
        struct psn_error busy = { 0 };
        enum psn_code rc = psn_vault_lock_operation(going->vault, "depart", &busy);

        if (rc != PSN_E_BUSY || waited_ms >= LOCK_PATIENCE_MS ||
            psn_going_is_stopped(going)) {
            if (rc && err)
                *err = busy;
            return rc;
        }
        going->vault->world.sleep_ms(LOCK_STEP_MS);
        waited_ms += LOCK_STEP_MS;
    }
}

static void release(struct psn_going *going)
{
    psn_scope_release(&going->scope);
    free(going->doors);
    free(going->refused);
    free(going->unseen);
    free(going);
}

struct linked {
    struct psn_going *going;
    size_t count;
};

static enum psn_code keep_if_linked(void *arg, const struct psn_client *client,
                                    struct psn_error *err)
{
    struct linked *linked = arg;
    struct psn_scope *scope = &linked->going->scope;

    (void)err;
    for (size_t i = linked->count; client->linked && i < scope->client_count; i++)
        if (strcmp(scope->clients[i], client->id) == 0) {
            char id[PSN_CLIENT_ID_MAX];

            memcpy(id, scope->clients[i], sizeof id);
            memmove(scope->clients[i], scope->clients[linked->count], sizeof id);
            memcpy(scope->clients[linked->count++], id, sizeof id);
        }
    return PSN_OK;
}

/* An account that was never linked cannot be looked at by anybody, and holds up nothing
 * but the passwords that he knows there. */
static enum psn_code keep_linked(struct psn_going *going, struct psn_error *err)
{
    struct linked linked = { going, 0 };
    enum psn_code rc = psn_client_each(going->vault, keep_if_linked, &linked, err);

    going->scope.client_count = linked.count;
    going->unseen = calloc(linked.count + 1, sizeof *going->unseen);
    return rc || going->unseen ? rc : psn_fail(err, PSN_E_NOMEM, _("out of memory"));
}

/* Finds the scope, and takes the lock. */
static enum psn_code prepare(struct psn_going *going, struct psn_error *err)
{
    struct psn_vault *vault = going->vault;
    enum psn_code rc = psn_scope_of(vault, &going->person, &going->scope, err);

    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_READ, err);
    if (!rc)
        rc = psn_vault_end(
            vault, psn_scope_add_owned(vault, &going->person, &going->scope, err), err);
    if (!rc)
        rc = keep_linked(going, err);
    return rc ? rc : lock_patiently(going, err);
}

static enum psn_code depart(struct psn_going *going, struct psn_error *err)
{
    enum psn_code rc = prepare(going, err);

    if (rc)
        return rc;
    rc = go(going, err);
    psn_vault_unlock_operation(going->vault);
    return rc ? rc : conclude(going, err);
}

/* Which keys of ours he could read is seen while they are in use. Nothing secret is
 * written by a look. */
static enum psn_code look_before(struct psn_going *going, struct psn_error *err)
{
    struct psn_account_sweep look = { .vault = going->vault,
                                      .blind = psn_going_tell_blind,
                                      .stop = going->run->mailboxes.stop,
                                      .stop_arg = going->run->mailboxes.arg,
                                      .arg = going };
    size_t blind;
    enum psn_code rc = prepare(going, err);

    if (rc)
        return rc;
    look.clients = going->scope.clients;
    look.client_count = going->scope.client_count;
    rc = psn_account_sweep_run(&look, &blind, err);
    psn_vault_unlock_operation(going->vault);
    return rc;
}

enum psn_code psn_depart(struct psn_vault *vault, const char *person,
                         const struct psn_departure_run *run, size_t *ret_waiting,
                         struct psn_error *err)
{
    struct psn_going *going = calloc(1, sizeof *going);
    bool holds_slot = false;
    enum psn_code rc;

    if (!going)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    going->vault = vault;
    going->run = run;
    rc = read_person(going, person, &holds_slot, err);
    if (!rc && holds_slot)
        rc = look_before(going, err);
    if (!rc && holds_slot)
        rc = fail_slot(person, err);
    if (!rc && going->person.departure.held_slot && !going->person.departure.slot_gone)
        rc = psn_departure_note_slot_gone(vault, person, err);
    if (!rc)
        rc = depart(going, err);
    *ret_waiting = going->waiting;
    release(going);
    return rc;
}
