#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/due_list.h"
#include "cli/new_key.h"
#include "cli/rekey_plan.h"

enum {
    DESCRIBED = 192,
    CLIENTS_MAX = 16 * 1024 * 1024,
};

static bool stays(const struct cli_planned_slot *planned)
{
    return planned->fate == CLI_FATE_KEPT || planned->fate == CLI_FATE_CHANGED;
}

/* --- the recovery code --- */

static bool makes_recovery(const struct cli_rekey_plan *plan)
{
    return plan->options->recovery_out || cli_has_terminal(plan->cli);
}

/* A new code takes the place of the one that the same person had. */
static void plan_recovery(struct cli_rekey_plan *plan)
{
    const char *person = plan->slots[plan->in_use].slot.person;

    if (!makes_recovery(plan))
        return;
    for (size_t i = 0; i < plan->slot_count; i++) {
        struct cli_planned_slot *planned = &plan->slots[i];

        if (planned->slot.kind == PSN_SLOT_RECOVERY && !planned->named &&
            planned->fate != CLI_FATE_CHANGED &&
            strcmp(planned->slot.person, person) == 0)
            planned->fate = CLI_FATE_REPLACED;
    }
}

/* Before anything is written: whatever happens then, the code is with its owner. */
static enum psn_code make_recovery(struct cli_rekey_plan *plan, struct psn_error *err)
{
    const char *path = plan->options->recovery_out;
    enum psn_code rc;

    if (!makes_recovery(plan))
        return PSN_OK;
    rc = psn_new_recovery_code(&plan->recovery, err);
    if (!rc && path)
        rc = cli_write_recovery(path, plan->recovery, err);
    else if (!rc)
        rc = cli_tell_secret(plan->cli,
                             _("The new recovery code, shown this once. It holds as soon "
                               "as this command has ended well; write it down:"),
                             plan->recovery, err);
    return rc;
}

/* --- what goes, and whether that is meant --- */

static size_t count_going(const struct cli_rekey_plan *plan, bool unnamed_only)
{
    size_t count = 0;

    for (size_t i = 0; i < plan->slot_count; i++)
        count += plan->slots[i].fate == CLI_FATE_DROPPED &&
                 !(unnamed_only && plan->slots[i].named);
    return count;
}

/* Who has no way in any more: the next such person from *at on, or NULL. */
static const char *next_leaver(const struct cli_rekey_plan *plan, size_t *at)
{
    for (; *at < plan->slot_count; (*at)++) {
        const char *person = plan->slots[*at].slot.person;
        bool keeps = false;
        bool told = false;

        for (size_t i = 0; i < plan->slot_count; i++) {
            bool is_his = strcmp(plan->slots[i].slot.person, person) == 0;

            keeps = keeps || (is_his && (stays(&plan->slots[i]) ||
                                         (i == plan->in_use && makes_recovery(plan))));
            told = told || (is_his && i < *at);
        }
        if (!keeps && !told)
            return plan->slots[(*at)++].slot.person;
    }
    return NULL;
}

static bool is_for_leaver(const struct cli_rekey_plan *plan)
{
    size_t at = 0;

    return plan->options->leaver || next_leaver(plan, &at);
}

static void name_going(const struct cli_rekey_plan *plan)
{
    size_t at = 0;

    cli_note(plan->cli, _("These ways in will open the vault no more:"));
    for (size_t i = 0; i < plan->slot_count; i++) {
        char text[DESCRIBED];

        if (plan->slots[i].fate == CLI_FATE_DROPPED)
            cli_note(plan->cli, "  %s",
                     cli_slot_described(&plan->slots[i].slot, text, sizeof text));
    }
    for (const char *person = next_leaver(plan, &at); person;
         person = next_leaver(plan, &at))
        cli_note(plan->cli,
                 _("%s has no other, and counts as somebody who leaves: the signing key "
                   "and the age identity are new, too."),
                 CLI_SHOWN(person));
}

static enum psn_code fail_unnamed(const struct cli_rekey_plan *plan,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) names = psn_buf_init(PSN_ERROR_HINT_MAX);

    for (size_t i = 0; i < plan->slot_count; i++) {
        const struct psn_slot *slot = &plan->slots[i].slot;

        if (plan->slots[i].fate == CLI_FATE_DROPPED && !plan->slots[i].named)
            psn_buf_format(&names, " --drop %s:%s", slot->person,
                           psn_slot_kind_name(slot->kind));
    }
    (void)psn_fail(err, PSN_E_INVALID,
                   _("ways in would be lost, as their keys are not at hand, and there is "
                     "nobody to ask"));
    return psn_hint(err, PSN_E_INVALID, _("give their keys, or let them go:%s"),
                    names.failed ? "" : psn_buf_str(&names));
}

static enum psn_code check_some_stay(const struct cli_rekey_plan *plan,
                                     struct psn_error *err)
{
    for (size_t i = 0; i < plan->slot_count; i++)
        if (stays(&plan->slots[i]))
            return PSN_OK;
    (void)psn_fail(err, PSN_E_INVALID, _("a vault needs at least one way to unlock it"));
    return psn_hint(err, PSN_E_INVALID,
                    _("give the key of a slot that stays: --passphrase-fd N, "
                      "--identity-file FILE"));
}

static enum psn_code ask(const struct cli_rekey_plan *plan, struct psn_error *err)
{
    enum psn_code rc = check_some_stay(plan, err);

    if (rc || count_going(plan, false) == 0)
        return rc;
    name_going(plan);
    if (!cli_has_terminal(plan->cli))
        return count_going(plan, true) ? fail_unnamed(plan, err) : PSN_OK;
    return cli_confirm(plan->cli, err, _("Give the vault new keys without them?"));
}

/* --- doing it --- */

struct display {
    struct cli_progress *progress;
};

static void show_progress(void *arg, uint64_t done, uint64_t total)
{
    struct display *display = arg;

    cli_progress_update(display->progress,
                        &(struct psn_progress){ .ended = done,
                                                .count = total,
                                                .address = _("new keys"),
                                                .step = _("sealing every row anew") });
}

static size_t fill_slots(const struct cli_rekey_plan *plan,
                         struct psn_rekey_slot out[CLI_KEYS_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < plan->slot_count; i++) {
        const struct cli_planned_slot *planned = &plan->slots[i];

        if (stays(planned))
            out[count++] = (struct psn_rekey_slot){ .person = planned->slot.person,
                                                    .key = plan->keys[planned->key],
                                                    .from = planned->slot.id,
                                                    .is_changed = planned->fate ==
                                                                  CLI_FATE_CHANGED };
    }
    if (plan->recovery)
        out[count++] =
            (struct psn_rekey_slot){ .person = plan->slots[plan->in_use].slot.person,
                                     .key = { PSN_SLOT_RECOVERY, plan->recovery } };
    return count;
}

/* Is it a slot of who runs this? An agent may have been unlocked by who loses his. */
static bool is_own(const struct cli_rekey_plan *plan,
                   const uint8_t slot[PSN_SLOT_ID_SIZE])
{
    const char *me = plan->slots[plan->in_use].slot.person;

    for (size_t i = 0; i < plan->slot_count; i++)
        if (memcmp(plan->slots[i].slot.id, slot, PSN_SLOT_ID_SIZE) == 0)
            return strcmp(plan->slots[i].slot.person, me) == 0;
    return false;
}

/* An agent that held the old key gets the new one, for as long as it had it. */
static void renew_agent(const struct cli_rekey_plan *plan)
{
    struct cli *cli = plan->cli;
    PSN_AUTO(psn_secret) *old = NULL;
    PSN_AUTO(psn_secret) *key = NULL;
    uint8_t held[PSN_SLOT_ID_SIZE];
    uint8_t slot[PSN_SLOT_ID_SIZE];

    if (cli_agent_get(psn_vault_id(cli->vault), &old, held, NULL))
        return;
    if (!is_own(plan, held) || psn_vault_export_key(cli->vault, &key, slot, NULL) ||
        cli_agent_put(psn_vault_id(cli->vault), key, slot, 0, 0, NULL))
        cli_note(cli, _("The agent's key is the old one: passation unlock"));
}

static enum psn_code rekey(struct cli_rekey_plan *plan, struct psn_error *err)
{
    struct psn_rekey_slot slots[CLI_KEYS_MAX];
    struct display display = { cli_progress_new(plan->cli) };
    struct psn_rekey request = { .slots = slots,
                                 .slot_count = fill_slots(plan, slots),
                                 .for_leaver = is_for_leaver(plan),
                                 .progress = show_progress,
                                 .arg = &display };
    enum psn_code rc = psn_vault_rekey(plan->cli->vault, &request, &plan->replaced, err);

    cli_progress_free(display.progress);
    if (!rc)
        renew_agent(plan);
    /* Its code opens nothing. */
    if (rc && !plan->replaced && plan->recovery && plan->options->recovery_out)
        (void)unlink(plan->options->recovery_out);
    return rc;
}

/* --- telling --- */

static void tell_slots(const struct cli_rekey_plan *plan)
{
    cli_print(plan->cli, "%s\n", _("These open it:"));
    for (size_t i = 0; i < plan->slot_count; i++) {
        if (stays(&plan->slots[i]))
            cli_print(plan->cli, "  %s, %s\n", plan->slots[i].slot.person,
                      cli_slot_kind_shown(plan->keys[plan->slots[i].key].kind));
    }
    if (plan->recovery)
        cli_print(plan->cli, "  %s, %s\n", plan->slots[plan->in_use].slot.person,
                  _("a new recovery code"));
    else
        cli_warn(plan->cli,
                 _("no new recovery code was made, since there is no terminal to show it "
                   "on and no --recovery-out"));
}

static void tell_old_copies(const struct cli_rekey_plan *plan)
{
    cli_note(plan->cli,
             _("Copies of the vault from before, backups among them, stay open to every "
               "way in of that time: make a new backup, then destroy the old ones. What "
               "somebody has read stays read: passation rotate changes it at OVH."));
}

static void tell_leavers(const struct cli_rekey_plan *plan)
{
    size_t at = 0;

    for (const char *person = next_leaver(plan, &at); person;
         person = next_leaver(plan, &at))
        cli_due_tell_leaver(plan->cli, person);
}

static void put_leavers(struct cli_json *json, const struct cli_rekey_plan *plan)
{
    size_t at = 0;

    cli_json_open(json, "left", '[');
    for (const char *person = next_leaver(plan, &at); person;
         person = next_leaver(plan, &at))
        cli_json_text(json, NULL, person);
    cli_json_close(json, ']');
}

static void put_slot(struct cli_json *json, const struct psn_slot *slot,
                     enum psn_slot_kind kind)
{
    cli_json_open(json, NULL, '{');
    cli_json_text(json, "person", slot->person);
    cli_json_text(json, "kind", psn_slot_kind_name(kind));
    cli_json_close(json, '}');
}

static enum psn_code add_due(void *arg, const char *client, struct psn_error *err)
{
    (void)err;
    cli_json_text(arg, NULL, client);
    return PSN_OK;
}

static enum psn_code print_json(const struct cli_rekey_plan *plan, struct psn_error *err)
{
    PSN_AUTO_RELEASE(cli_json) json = cli_json_init();
    struct psn_vault_keys keys;
    enum psn_code rc = psn_vault_public_keys(plan->cli->vault, &keys, err);

    cli_json_open(&json, NULL, '{');
    cli_json_bool(&json, "rekeyed", true);
    cli_json_open(&json, "kept", '[');
    for (size_t i = 0; i < plan->slot_count; i++)
        if (stays(&plan->slots[i]))
            put_slot(&json, &plan->slots[i].slot, plan->keys[plan->slots[i].key].kind);
    cli_json_close(&json, ']');
    cli_json_open(&json, "removed", '[');
    for (size_t i = 0; i < plan->slot_count; i++)
        if (!stays(&plan->slots[i]))
            put_slot(&json, &plan->slots[i].slot, plan->slots[i].slot.kind);
    cli_json_close(&json, ']');
    put_leavers(&json, plan);
    cli_json_bool(&json, "new_recovery_code", plan->recovery != NULL);
    cli_json_text(&json, "fingerprint", keys.fingerprint);
    cli_json_open(&json, "due", '[');
    if (!rc)
        rc = psn_due_credential_each(plan->cli->vault, add_due, &json, err);
    cli_json_close(&json, ']');
    cli_json_close(&json, '}');
    return rc ? rc : cli_json_print(plan->cli, &json, err);
}

static enum psn_code tell(const struct cli_rekey_plan *plan, const char *done,
                          struct psn_error *err)
{
    if (!plan->cli->json) {
        cli_print(plan->cli, "%s\n", done);
        tell_slots(plan);
    }
    tell_old_copies(plan);
    tell_leavers(plan);
    return plan->cli->json ? print_json(plan, err) : PSN_OK;
}

/* --- what a leaver may know at OVH --- */

struct due_list {
    struct psn_buf clients; /* each with a NUL */
    size_t count;
};

static enum psn_code add_client(void *arg, const char *client, struct psn_error *err)
{
    struct due_list *list = arg;

    list->count++;
    psn_buf_bytes(&list->clients, client, strlen(client) + 1);
    return psn_buf_check(&list->clients, err);
}

static void print_due(const struct cli *cli, const struct due_list *list)
{
    const char *client = (const char *)list->clients.data;

    if (list->count > 0)
        cli_note(cli, _("Who has left may know these API credentials. Replace each, and "
                        "delete the old one in OVH's manager:"));
    for (size_t i = 0; i < list->count; i++) {
        cli_note(cli, "  passation ovh link %s --new", client);
        client += strlen(client) + 1;
    }
}

static enum psn_code fail_due(const struct due_list *list, struct psn_error *err)
{
    if (list->count == 0)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_FINDINGS,
                   _("OVH credentials are still to be replaced: %zu"), list->count);
    return psn_hint(err, PSN_E_FINDINGS, _("see what is left: passation rekey --due"));
}

enum psn_code cli_rekey_due(struct cli *cli, struct psn_error *err)
{
    struct due_list list = { psn_buf_init(CLIENTS_MAX), 0 };
    enum psn_code rc = psn_due_credential_each(cli->vault, add_client, &list, err);

    if (!rc) {
        print_due(cli, &list);
        rc = fail_due(&list, err);
    }
    psn_buf_release(&list.clients);
    return rc;
}

/* All is read before it is said that it went well. */
static enum psn_code conclude(const struct cli_rekey_plan *plan, const char *done,
                              struct psn_error *err)
{
    struct due_list list = { psn_buf_init(CLIENTS_MAX), 0 };
    enum psn_code rc = PSN_OK;

    if (is_for_leaver(plan))
        rc = psn_due_credential_each(plan->cli->vault, add_client, &list, err);
    if (!rc)
        rc = tell(plan, done, err);
    if (!rc)
        print_due(plan->cli, &list);
    if (!rc && plan->options->leaver)
        rc = fail_due(&list, err);
    psn_buf_release(&list.clients);
    return rc;
}

enum psn_code cli_rekey_run(struct cli_rekey_plan *plan, const char *done,
                            struct psn_error *err)
{
    enum psn_code rc;

    plan_recovery(plan);
    rc = ask(plan, err);
    if (!rc)
        rc = make_recovery(plan, err);
    if (!rc)
        rc = rekey(plan, err);
    return rc ? rc : conclude(plan, done, err);
}
