#include "cli/rekey_plan.h"

#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "cli/new_key.h"

enum {
    TRIES = 3,
    ID_SHOWN = 8, /* digits of an id that are shown, and needed to name it */
};

const char *cli_slot_kind_shown(enum psn_slot_kind kind)
{
    switch (kind) {
    case PSN_SLOT_PASSPHRASE:
        return _("passphrase");
    case PSN_SLOT_RECOVERY:
        return _("recovery code");
    case PSN_SLOT_IDENTITY:
        return _("identity file");
    }
    return "";
}

static const char *id_text(const uint8_t id[PSN_SLOT_ID_SIZE],
                           char out[2 * PSN_SLOT_ID_SIZE + 1])
{
    for (size_t i = 0; i < PSN_SLOT_ID_SIZE; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", id[i]);
    return out;
}

const char *cli_slot_described(const struct psn_slot *slot, char *out, size_t size)
{
    char id[2 * PSN_SLOT_ID_SIZE + 1];

    (void)snprintf(out, size, "%s, %s, %.*s", slot->person,
                   cli_slot_kind_shown(slot->kind), ID_SHOWN, id_text(slot->id, id));
    return out;
}

/* --- the keys at hand --- */

static enum psn_code add_key(struct cli_rekey_plan *plan, enum psn_slot_kind kind,
                             struct psn_secret **secret, struct psn_error *err)
{
    if (plan->key_count == CLI_KEYS_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("too many keys are given"));
    plan->secrets[plan->key_count] = *secret;
    plan->keys[plan->key_count++] = (struct psn_key){ kind, *secret };
    *secret = NULL;
    return PSN_OK;
}

static enum psn_code add_identity(struct cli_rekey_plan *plan, const char *path,
                                  struct psn_error *err)
{
    PSN_AUTO(psn_secret) *secret = NULL;
    enum psn_code rc = cli_read_identity(plan->cli, path, &secret, err);

    return rc ? rc : add_key(plan, PSN_SLOT_IDENTITY, &secret, err);
}

static enum psn_code add_descriptor(struct cli_rekey_plan *plan, enum psn_slot_kind kind,
                                    int fd, const char *prompt, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *secret = NULL;
    enum psn_code rc = PSN_OK;

    if (fd >= 0)
        rc = cli_read_secret(plan->cli, fd, prompt, &secret, err);
    return rc || !secret ? rc : add_key(plan, kind, &secret, err);
}

/* Here every key counts, where other commands take one. */
static enum psn_code read_keys(struct cli_rekey_plan *plan, struct psn_error *err)
{
    struct cli *cli = plan->cli;
    const struct cli_texts *more = &plan->options->keep_identities;
    enum psn_code rc = add_descriptor(plan, PSN_SLOT_PASSPHRASE,
                                      cli->unlock.passphrase_fd, _("Passphrase: "), err);

    if (!rc && cli->unlock.passphrase_file) {
        PSN_AUTO(psn_secret) *secret = NULL;

        rc = psn_secret_read_file(cli->unlock.passphrase_file, PSN_SECRET_MAX, &secret,
                                  err);
        if (!rc)
            rc = add_key(plan, PSN_SLOT_PASSPHRASE, &secret, err);
    }
    if (!rc)
        rc = add_descriptor(plan, PSN_SLOT_RECOVERY, cli->unlock.recovery_fd,
                            _("Recovery code: "), err);
    if (!rc && cli->unlock.identity_file)
        rc = add_identity(plan, cli->unlock.identity_file, err);
    for (size_t i = 0; !rc && i < more->count; i++)
        rc = add_identity(plan, more->items[i], err);
    return rc;
}

/* The agent's key does not say what made it, so something must be typed again. */
static enum psn_code ask_key(struct cli_rekey_plan *plan, struct psn_error *err)
{
    struct cli *cli = plan->cli;
    enum psn_code rc = PSN_E_DENIED;

    if (!cli_has_terminal(cli) || !psn_vault_has_slot(cli->vault, PSN_SLOT_PASSPHRASE)) {
        (void)psn_fail(err, PSN_E_LOCKED,
                       _("new keys need a passphrase, an identity or a recovery code; "
                         "the agent's key is not enough"));
        return psn_hint(err, PSN_E_LOCKED,
                        _("give --passphrase-fd N or --identity-file FILE"));
    }
    for (int i = 0; rc == PSN_E_DENIED && i < TRIES; i++) {
        PSN_AUTO(psn_secret) *typed = NULL;

        if (i > 0)
            cli_note(cli, _("That is not the passphrase."));
        psn_error_clear(err);
        rc = cli_ask_secret(cli, _("Passphrase: "), PSN_SECRET_MAX, &typed, err);
        if (!rc)
            rc = psn_vault_unlock(cli->vault,
                                  &(struct psn_key){ PSN_SLOT_PASSPHRASE, typed }, err);
        if (!rc)
            rc = add_key(plan, PSN_SLOT_PASSPHRASE, &typed, err);
    }
    return rc;
}

static enum psn_code unlock(struct cli_rekey_plan *plan, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *root_key = NULL;
    struct psn_vault *vault = plan->cli->vault;
    enum psn_code rc = plan->key_count ? psn_vault_unlock(vault, &plan->keys[0], err)
                                       : ask_key(plan, err);

    if (!rc)
        rc = psn_vault_export_key(vault, &root_key, plan->opens[0], err);
    for (size_t i = 1; !rc && i < plan->key_count; i++)
        rc = psn_slot_find(vault, &plan->keys[i], plan->opens[i], err);
    return rc;
}

/* --- the slots --- */

static enum psn_code read_slot(void *arg, const struct psn_slot *slot,
                               struct psn_error *err)
{
    struct cli_rekey_plan *plan = arg;
    struct cli_planned_slot *planned = &plan->slots[plan->slot_count];

    if (plan->slot_count == CLI_SLOTS_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("the vault has too many slots"));
    *planned = (struct cli_planned_slot){ .slot = *slot };
    for (size_t i = 0; i < plan->key_count; i++) {
        if (memcmp(plan->opens[i], slot->id, sizeof slot->id) != 0)
            continue;
        planned->fate = CLI_FATE_KEPT;
        planned->key = i;
    }
    if (slot->in_use)
        plan->in_use = plan->slot_count;
    plan->slot_count++;
    return PSN_OK;
}

enum psn_code cli_rekey_read_slots(struct cli_rekey_plan *plan, struct psn_error *err)
{
    plan->slot_count = 0;
    return psn_slot_each(plan->cli->vault, read_slot, plan, err);
}

enum psn_code cli_rekey_open(struct cli *cli, const struct cli_rekey_options *options,
                             struct cli_rekey_plan *plan, struct psn_error *err)
{
    enum psn_code rc;

    *plan = (struct cli_rekey_plan){ .cli = cli, .options = options };
    cli_warn_unlocked_memory(cli);
    rc = read_keys(plan, err);
    if (!rc)
        rc = unlock(plan, err);
    if (!rc)
        rc = cli_rekey_read_slots(plan, err);
    for (size_t i = 0; !rc && i < options->drop.count; i++)
        rc = cli_rekey_drop(plan, options->drop.items[i], err);
    return rc;
}

void cli_rekey_close(struct cli_rekey_plan *plan)
{
    for (size_t i = 0; i < plan->key_count; i++)
        psn_secret_free(plan->secrets[i]);
    plan->key_count = 0;
    psn_secret_free(plan->recovery);
    plan->recovery = NULL;
}

static bool selects(const char *selector, const struct psn_slot *slot)
{
    char id[2 * PSN_SLOT_ID_SIZE + 1];
    size_t person = strlen(slot->person);

    if (strncmp(selector, slot->person, person) == 0 &&
        (selector[person] == '\0' ||
         (selector[person] == ':' &&
          strcmp(selector + person + 1, psn_slot_kind_name(slot->kind)) == 0)))
        return true;
    return strlen(selector) >= ID_SHOWN &&
           strncmp(id_text(slot->id, id), selector, strlen(selector)) == 0;
}

enum psn_code cli_rekey_select(struct cli_rekey_plan *plan, const char *selector,
                               cli_slot_each_fn *each, void *arg, struct psn_error *err)
{
    bool found = false;

    for (size_t i = 0; i < plan->slot_count; i++) {
        if (!selects(selector, &plan->slots[i].slot))
            continue;
        found = true;
        each(plan, i, arg);
    }
    if (found)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("no slot is '%s'"), CLI_SHOWN(selector));
    return psn_hint(err, PSN_E_NOT_FOUND, _("see: passation slot ls"));
}

static void mark_dropped(struct cli_rekey_plan *plan, size_t index, void *arg)
{
    (void)arg;
    plan->slots[index].fate = CLI_FATE_DROPPED;
    plan->slots[index].named = true;
}

enum psn_code cli_rekey_drop(struct cli_rekey_plan *plan, const char *selector,
                             struct psn_error *err)
{
    return cli_rekey_select(plan, selector, mark_dropped, NULL, err);
}

enum psn_code cli_rekey_change(struct cli_rekey_plan *plan, size_t slot,
                               enum psn_slot_kind kind, struct psn_secret **secret,
                               struct psn_error *err)
{
    enum psn_code rc = add_key(plan, kind, secret, err);

    if (rc)
        return rc;
    plan->slots[slot].fate = CLI_FATE_CHANGED;
    plan->slots[slot].key = plan->key_count - 1;
    return PSN_OK;
}
