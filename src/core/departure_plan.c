#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/account_sweep.h"
#include "core/departure.h"
#include "core/grant.h"
#include "core/handover.h"
#include "core/item.h"
#include "core/person.h"
#include "core/reach.h"
#include "crypto/hash.h"

/* What a departure would do: read from the vault, after a look at OVH. */

enum {
    PLAN_MAX = 16 * 1024 * 1024
};

const char *psn_departure_step_name(enum psn_departure_step step)
{
    switch (step) {
    case PSN_DEPARTURE_END:
        return "end";
    case PSN_DEPARTURE_CUT:
        return "cut";
    case PSN_DEPARTURE_LEAVE:
        return "leave";
    case PSN_DEPARTURE_ROTATE:
        return "rotate";
    case PSN_DEPARTURE_TASK:
        return "task";
    case PSN_DEPARTURE_LASTING:
        return "stays-known";
    case PSN_DEPARTURE_REKEY:
        return "rekey";
    case PSN_DEPARTURE_BLIND:
        return "blind";
    }
    return "unknown";
}

struct planning {
    struct psn_vault *vault;
    const struct psn_departure_request *request;
    struct psn_person person;
    struct psn_scope scope;
    struct psn_grant_list grants;
    bool holds_slot;
    struct psn_error *blind; /* one for each client of the scope; code OK: it was seen */
    psn_departure_item_fn *each;
    void *arg;
};

struct recovery {
    const char *address;
    bool found;
};

static enum psn_code look_at_mail(void *arg, const struct psn_access *access,
                                  struct psn_error *err)
{
    struct recovery *recovery = arg;

    (void)err;
    recovery->found =
        recovery->found || (access->finding.kind == PSN_FINDING_ACCOUNT_MAIL &&
                            access->state != PSN_ACCESS_GONE &&
                            strcmp(access->finding.subject, recovery->address) == 0);
    return PSN_OK;
}

/* By such a mailbox the OVH account itself is got back: its owner must have the new
 * password. */
static bool is_recovery(const struct planning *planning, const struct psn_target *target)
{
    struct recovery recovery = { target->address, false };

    PSN_IGNORE(
        psn_access_each(planning->vault, target->client, look_at_mail, &recovery, NULL));
    return recovery.found;
}

static enum psn_code tell(const struct planning *planning, enum psn_departure_step step,
                          const struct psn_target *target, struct psn_error *err)
{
    struct psn_departure_item item = { .step = step };
    enum psn_code rc = PSN_OK;

    if (target) {
        memcpy(item.client, target->client, sizeof item.client);
        memcpy(item.address, target->address, sizeof item.address);
        memcpy(item.label, target->label, sizeof item.label);
        item.version = target->version;
        item.seen = target->seen;
        item.recovery = step == PSN_DEPARTURE_ROTATE && is_recovery(planning, target);
        if (step == PSN_DEPARTURE_ROTATE || step == PSN_DEPARTURE_TASK)
            rc = psn_handover_ask_theirs(planning->vault, target->client, target->address,
                                         target->label, planning->person.id, &item.handed,
                                         err);
    }
    return rc ? rc : planning->each(planning->arg, &item, err);
}

static enum psn_code tell_grants(const struct planning *planning, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < planning->grants.count; i++) {
        const struct psn_grant_row *row = &planning->grants.items[i];
        struct psn_target target = { .seen = true };

        if (row->ended_s)
            continue;
        memcpy(target.client, row->client, sizeof target.client);
        memcpy(target.address, row->address, sizeof target.address);
        rc = tell(planning, PSN_DEPARTURE_END, &target, err);
    }
    return rc;
}

static enum psn_code tell_passwords(const struct planning *planning,
                                    struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < planning->scope.target_count; i++)
        if (!planning->scope.targets[i].label[0])
            rc = tell(planning, PSN_DEPARTURE_ROTATE, &planning->scope.targets[i], err);
    return rc;
}

static enum psn_code read_stays(const struct planning *planning,
                                const struct psn_target *target, bool *ret_stays,
                                struct psn_error *err)
{
    struct psn_item item = { 0 };
    enum psn_code rc = psn_vault_begin(planning->vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_item_read(planning->vault, target->address, target->label, &item, err);
    if (!rc)
        rc = psn_item_lasts(planning->vault, &item.info, planning->person.id, ret_stays,
                            err);
    return psn_vault_end(planning->vault, rc, err);
}

static enum psn_code tell_secrets(const struct planning *planning, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < planning->scope.target_count; i++) {
        const struct psn_target *target = &planning->scope.targets[i];
        bool stays = false;

        if (!target->label[0])
            continue;
        rc = read_stays(planning, target, &stays, err);
        if (!rc)
            rc = tell(planning, stays ? PSN_DEPARTURE_LASTING : PSN_DEPARTURE_TASK,
                      target, err);
    }
    return rc;
}

/* Accounts answer in any order; a plan has one. */
static void note_blind(void *arg, const char *client, const struct psn_error *why)
{
    const struct planning *planning = arg;

    for (size_t i = 0; i < planning->scope.client_count; i++)
        if (strcmp(planning->scope.clients[i], client) == 0)
            planning->blind[i] = *why;
}

static enum psn_code tell_blind(const struct planning *planning, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < planning->scope.client_count; i++) {
        struct psn_departure_item item = { .step = PSN_DEPARTURE_BLIND,
                                           .why = &planning->blind[i] };

        if (!planning->blind[i].code)
            continue;
        memcpy(item.client, planning->scope.clients[i], sizeof item.client);
        rc = planning->each(planning->arg, &item, err);
    }
    return rc;
}

static enum psn_code look(struct planning *planning, struct psn_error *err)
{
    struct psn_account_sweep sweep = { .vault = planning->vault,
                                       .clients = planning->scope.clients,
                                       .client_count = planning->scope.client_count,
                                       .blind = note_blind,
                                       .arg = planning };
    size_t blind;
    enum psn_code rc;

    planning->blind = calloc(planning->scope.client_count + 1, sizeof *planning->blind);
    if (!planning->blind)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_vault_lock_operation(planning->vault, "depart -n", err);
    if (rc)
        return rc;
    rc = psn_account_sweep_run(&sweep, &blind, err);
    psn_vault_unlock_operation(planning->vault);
    return rc ? rc : tell_blind(planning, err);
}

struct telling {
    const struct planning *planning;
    const char *client;
    enum psn_departure_step step;
};

static enum psn_code tell_access(void *arg, const struct psn_access *access,
                                 struct psn_error *err)
{
    const struct telling *telling = arg;
    const struct planning *planning = telling->planning;
    struct psn_departure_item item = { .step = telling->step, .access = access };
    bool his = psn_access_is_his(&planning->person, access);
    bool pending = psn_access_is_pending(access);
    bool cut = his || (planning->request->all && pending);

    if (access->state == PSN_ACCESS_GONE || (!cut && !pending) ||
        cut != (telling->step == PSN_DEPARTURE_CUT))
        return PSN_OK;
    (void)snprintf(item.client, sizeof item.client, "%s", telling->client);
    return planning->each(planning->arg, &item, err);
}

static enum psn_code tell_accesses(const struct planning *planning,
                                   enum psn_departure_step step, struct psn_error *err)
{
    struct telling telling = { .planning = planning, .step = step };
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < planning->scope.client_count; i++) {
        telling.client = planning->scope.clients[i];
        rc = psn_access_each(planning->vault, telling.client, tell_access, &telling, err);
    }
    return rc;
}

static enum psn_code gather(struct planning *planning, struct psn_error *err)
{
    const struct psn_departure_request *request = planning->request;
    struct psn_vault *vault = planning->vault;
    struct psn_reach_map map = { 0 };
    enum psn_code rc = psn_person_read(vault, request->person, &planning->person, err);

    if (!rc)
        rc = psn_departure_drop_role_names(vault, &planning->person, err);

    if (!rc && planning->person.departing_s) {
        (void)psn_fail(err, PSN_E_CONFLICT, _("'%s' is leaving already"),
                       request->person);
        rc = psn_hint(err, PSN_E_CONFLICT, _("go on with: passation depart %s"),
                      request->person);
    }
    if (!rc)
        rc = psn_reach_map_load(vault, &map, err);
    if (!rc)
        rc = psn_scope_now(vault, &planning->person, request->narrow, &planning->scope,
                           err);
    if (!rc)
        rc = psn_grant_list(vault, request->person, &planning->grants, err);
    planning->holds_slot = !rc && psn_reach_holds_slot(&map, request->person);
    psn_reach_map_release(&map);
    return rc;
}

static enum psn_code plan(struct planning *planning, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(planning->vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_vault_end(planning->vault, gather(planning, err), err);
    if (!rc && planning->holds_slot)
        rc = tell(planning, PSN_DEPARTURE_REKEY, NULL, err);
    if (!rc)
        rc = tell_grants(planning, err);
    if (!rc)
        rc = look(planning, err);
    if (!rc)
        rc = tell_accesses(planning, PSN_DEPARTURE_CUT, err);
    if (!rc)
        rc = tell_accesses(planning, PSN_DEPARTURE_LEAVE, err);
    if (!rc)
        rc = tell_passwords(planning, err);
    return rc ? rc : tell_secrets(planning, err);
}

enum psn_code psn_departure_plan(struct psn_vault *vault,
                                 const struct psn_departure_request *request,
                                 psn_departure_item_fn *each, void *arg,
                                 struct psn_error *err)
{
    struct planning *planning = calloc(1, sizeof *planning);
    enum psn_code rc = planning ? psn_vault_require_unlocked(vault, err)
                                : psn_fail(err, PSN_E_NOMEM, _("out of memory"));

    if (!rc && strcmp(request->person, vault->actor) == 0)
        rc = psn_departure_fail_own(request->person, err);
    if (!rc) {
        *planning = (struct planning){
            .vault = vault, .request = request, .each = each, .arg = arg
        };
        rc = plan(planning, err);
        psn_scope_release(&planning->scope);
        free(planning->blind);
        psn_grant_list_release(&planning->grants);
    }
    free(planning);
    return rc;
}

/* --- as text --- */

static const char first_line[] = "passation-plan 1\n";

static void put_escaped(struct psn_buf *out, const char *name, const char *text)
{
    psn_buf_format(out, " %s=", name);
    psn_text_escape(out, text, strlen(text));
}

static enum psn_code put_item(void *arg, const struct psn_departure_item *item,
                              struct psn_error *err)
{
    struct psn_buf *out = arg;

    psn_buf_format(out, "%s:", psn_departure_step_name(item->step));
    if (item->client[0])
        psn_buf_format(out, " client=%s", item->client);
    if (item->address[0])
        psn_buf_format(out, " address=%s", item->address);
    if (item->version)
        psn_buf_format(out, " version=%llu", (unsigned long long)item->version);
    if (item->handed)
        psn_buf_text(out, " by=client");
    if (item->access) {
        put_escaped(out, "id", item->access->finding.id);
        put_escaped(out, "whose", item->access->finding.whose);
    }
    if (item->label[0])
        put_escaped(out, "label", item->label);
    psn_buf_char(out, '\n');
    return psn_buf_check(out, err);
}

enum psn_code psn_departure_plan_text(struct psn_vault *vault,
                                      const struct psn_departure_request *request,
                                      char **ret_text, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init(PLAN_MAX);
    char id[2 * PSN_VAULT_ID_SIZE + 1];
    enum psn_code rc;

    psn_buf_format(&text, "%sperson: %s\nvault: %s\nscope: %s\nothers: %s\n", first_line,
                   request->person, psn_hex(vault->id, sizeof vault->id, id),
                   request->narrow ? "seen" : "all", request->all ? "cut" : "leave");
    rc = psn_departure_plan(vault, request, put_item, &text, err);
    return rc ? rc : psn_buf_take(&text, ret_text, err);
}

/* The rest of a line "name: value", in `value`. */
static bool take_line(const char **at, const char *end, const char *name, char *value,
                      size_t size)
{
    const char *line_end = memchr(*at, '\n', (size_t)(end - *at));
    size_t length = line_end ? (size_t)(line_end - *at) : 0;
    size_t head = strlen(name);

    if (!line_end || length < head || memcmp(*at, name, head) != 0 ||
        length - head >= size)
        return false;
    memcpy(value, *at + head, length - head);
    value[length - head] = '\0';
    *at = line_end + 1;
    return true;
}

enum psn_code psn_departure_plan_read(const char *text, size_t size, char *ret_person,
                                      struct psn_departure_request *ret_request,
                                      struct psn_error *err)
{
    const char *at = text;
    const char *end = text + size;
    char vault[2 * PSN_VAULT_ID_SIZE + 1];
    char scope[8];
    char others[8];
    char none[1];

    if (!take_line(&at, end, "passation-plan 1", none, sizeof none) ||
        !take_line(&at, end, "person: ", ret_person, PSN_PERSON_ID_MAX) ||
        !take_line(&at, end, "vault: ", vault, sizeof vault) ||
        !take_line(&at, end, "scope: ", scope, sizeof scope) ||
        !take_line(&at, end, "others: ", others, sizeof others))
        return psn_fail(err, PSN_E_INVALID, _("this is no plan of passation's"));
    *ret_request = (struct psn_departure_request){ .person = ret_person,
                                                   .narrow = strcmp(scope, "seen") == 0,
                                                   .all = strcmp(others, "cut") == 0 };
    return PSN_OK;
}
