#include "core/item.h"

#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "core/counters.h"
#include "core/departure.h"
#include "core/departure_returned.h"
#include "core/exposure.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/recovery.h"
#include "core/version.h"
#include "crypto/generate.h"

/* What hangs on a role beside its own password: what becomes of its values. */

enum psn_code psn_item_begin(struct psn_vault *vault, const char *address,
                             const char *label, char ret_address[PSN_ADDRESS_TEXT_MAX],
                             struct psn_error *err)
{
    enum psn_code rc = psn_role_normalize(address, ret_address, err);

    if (!rc)
        rc = psn_item_check_label(label, err);
    return rc ? rc : psn_vault_begin(vault, PSN_STORE_WRITE, err);
}

static enum psn_code note(struct psn_vault *vault, const struct psn_item *item,
                          const char *event, struct psn_error *err)
{
    return psn_journal_note(vault, item->client,
                            &(struct psn_note){ .event = event,
                                                .subject = item->info.address,
                                                .label = item->info.label,
                                                .version = item->info.version,
                                                .text = item->info.type },
                            err);
}

/* The value that was given becomes the current version, and its giver has seen it. */
static enum psn_code put_value(struct psn_vault *vault, const struct psn_item *item,
                               const struct psn_secret *value, struct psn_error *err)
{
    const struct psn_secret_info *info = &item->info;
    enum psn_code rc = psn_version_put(vault, item->client, info->address, info->label,
                                       info->version, PSN_VERSION_CURRENT, value, err);

    return rc ? rc
              : psn_exposure_put(vault, info->address, info->label, info->version,
                                 PSN_HOW_TYPED, err);
}

/* Whoever has seen the same value before knows it under this number, too. */
static struct psn_coming coming_of(const struct psn_item *item,
                                   const struct psn_secret *value)
{
    return (struct psn_coming){ .client = item->client,
                                .address = item->info.address,
                                .label = item->info.label,
                                .version = item->info.version,
                                .value = value };
}

enum psn_code psn_item_insert(struct psn_vault *vault, const struct psn_secret_info *info,
                              const struct psn_secret *value,
                              struct psn_forgotten_list *forgotten, struct psn_error *err)
{
    struct psn_item item = { .info = *info };
    struct psn_role_row role;
    enum psn_code rc = psn_item_check_free(vault, info, &role, err);

    if (!rc)
        rc = psn_versions_after(vault, 0, &item.info.version, err);
    if (rc)
        return rc;
    (void)snprintf(item.client, sizeof item.client, "%s", role.client);
    item.info.created_s = vault->world.now_s();
    item.info.changed_s = item.info.created_s;
    item.info.hidden = false;
    rc = psn_item_put(vault, &item, err);
    if (!rc)
        rc = put_value(vault, &item, value, err);
    if (!rc && forgotten)
        rc = psn_departure_note_item_returned(vault, &item, forgotten, err);
    return rc ? rc : note(vault, &item, "secret.added", err);
}

/* Of an import, which may hold thousands, only psn_item_set() compares. */
static enum psn_code add(struct psn_vault *vault, const struct psn_secret_info *info,
                         const struct psn_secret *value, enum psn_secret_origin origin,
                         struct psn_error *err)
{
    struct psn_forgotten_list forgotten = { 0 };
    struct psn_item item = { 0 };
    struct psn_coming coming;
    enum psn_code rc = psn_item_insert(
        vault, info, value, origin == PSN_SECRET_GENERATED ? NULL : &forgotten, err);

    psn_forgotten_list_release(&forgotten);
    if (!rc)
        rc = psn_item_read(vault, info->address, info->label, &item, err);
    coming = coming_of(&item, value);
    return rc ? rc : psn_exposure_carry(vault, &coming, err);
}

enum psn_code psn_secret_add(struct psn_vault *vault, const struct psn_secret_info *info,
                             const struct psn_secret *value,
                             enum psn_secret_origin origin, struct psn_error *err)
{
    struct psn_secret_info checked;
    enum psn_code rc = psn_item_check_new(info, &checked, err);

    if (!rc)
        rc = psn_item_check_value(&checked, value, err);
    memset(checked.code_used_s, 0, sizeof checked.code_used_s);
    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    return rc ? rc : psn_vault_end(vault, add(vault, &checked, value, origin, err), err);
}

static enum psn_code change_text(char *field, size_t size, const char *text,
                                 const char *name, struct psn_error *err)
{
    if (!text)
        return PSN_OK;
    if (strlen(text) >= size)
        return psn_fail(err, PSN_E_INVALID, _("%s is too long: at most %zu bytes"), name,
                        size - 1);
    memcpy(field, text, strlen(text) + 1);
    return PSN_OK;
}

static enum psn_code change_fields(struct psn_secret_info *info,
                                   const struct psn_secret_change *change,
                                   struct psn_error *err)
{
    enum psn_code rc =
        change_text(info->type, sizeof info->type, change->type, "--type", err);

    if (!rc)
        rc = change_text(info->user, sizeof info->user, change->user, "--user", err);
    if (!rc)
        rc = change_text(info->url, sizeof info->url, change->url, "--url", err);
    if (!rc)
        rc = change_text(info->note, sizeof info->note, change->note, "--note", err);
    if (!rc)
        rc = change_text(info->expires, sizeof info->expires, change->expires,
                         "--expires", err);
    return rc ? rc : psn_item_check_fields(info, err);
}

static enum psn_code label_version(struct psn_vault *vault, const struct psn_item *item,
                                   uint64_t number, enum psn_version_state state,
                                   struct psn_error *err)
{
    return psn_version_label(vault, item->client, item->info.address, item->info.label,
                             number, state, err);
}

/* A number that no version has: of one that is ready, and one that was given up, too. */
static enum psn_code next_version(struct psn_vault *vault, const struct psn_item *item,
                                  uint64_t *ret_number, struct psn_error *err)
{
    const struct psn_secret_info *info = &item->info;

    return psn_version_next(vault, item->client, info->address, info->label,
                            info->version, ret_number, err);
}

static enum psn_code fail_no_replacement(const struct psn_secret_info *info,
                                         struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("%s, %s: no replacement was made ready"),
                   info->address, info->label);
    return psn_hint(err, PSN_E_NOT_FOUND,
                    _("give the new secret with --secret-fd N, or make one with "
                      "--generate"));
}

/* What somebody who is leaving, or has left, knows of this secret is not replaced by a
 * value that he knows, whichever version it was. */
static enum psn_code check_differs(struct psn_vault *vault, const struct psn_item *item,
                                   const struct psn_exposure_list *known,
                                   struct psn_error *err)
{
    for (size_t i = 0; i < known->count; i++) {
        struct psn_person person = { .departing_s = 0 };
        enum psn_code missing =
            psn_person_read(vault, known->items[i].person, &person, NULL);

        if (!missing && !person.departing_s)
            continue;
        (void)psn_fail(err, PSN_E_POLICY,
                       _("%s, %s: that is a secret which somebody who left knows"),
                       item->info.address, item->info.label);
        return psn_hint(err, PSN_E_POLICY,
                        _("who, and which version: passation who %s; change it where it "
                          "is used, and give the new one"),
                        item->info.address);
    }
    return PSN_OK;
}

/* The current value is superseded by the one that is given, or by the one that was made
 * ready. */
static enum psn_code supersede(struct psn_vault *vault, struct psn_item *item,
                               const struct psn_secret_change *change,
                               struct psn_error *err)
{
    struct psn_secret_info *info = &item->info;
    uint64_t ready = info->replacement;
    uint64_t next = ready;
    enum psn_code rc =
        change->replacement && !ready
            ? fail_no_replacement(info, err)
            : label_version(vault, item, info->version, PSN_VERSION_SUPERSEDED, err);

    if (!rc && !change->replacement)
        rc = next_version(vault, item, &next, err);
    if (rc)
        return rc;
    info->version = next;
    info->replacement = 0;
    info->changed_s = vault->world.now_s();
    info->hidden = false;
    info->unchangeable[0] = info->unchangeable_by[0] = '\0'; /* it was changed */
    memset(info->code_used_s, 0, sizeof info->code_used_s);
    if (change->replacement)
        return label_version(vault, item, ready, PSN_VERSION_CURRENT, err);
    if (ready)
        rc = label_version(vault, item, ready, PSN_VERSION_REFUSED, err);
    return rc ? rc : put_value(vault, item, change->value, err);
}

static enum psn_code set_value(struct psn_vault *vault, struct psn_item *item,
                               const struct psn_secret_change *change,
                               struct psn_error *err)
{
    struct psn_exposure_list known = { 0 };
    struct psn_coming coming = coming_of(item, change->value);
    enum psn_code rc = PSN_OK;

    coming.version = 0; /* it has none yet, so the present one is compared, too */
    if (change->value)
        rc = psn_exposure_list_knowing(vault, &coming, &known, err);
    if (!rc)
        rc = check_differs(vault, item, &known, err);
    if (!rc)
        rc = supersede(vault, item, change, err);
    coming.version = item->info.version;
    if (!rc)
        rc = psn_exposure_put_known(vault, &coming, &known, err);
    psn_exposure_list_release(&known);
    return rc;
}

enum psn_code psn_item_set(struct psn_vault *vault, const char *address,
                           const char *label, const struct psn_secret_change *change,
                           uint64_t *ret_version, struct psn_error *err)
{
    struct psn_item item = { 0 };
    enum psn_code rc = psn_item_read(vault, address, label, &item, err);

    if (!rc)
        rc = change_fields(&item.info, change, err);
    if (rc)
        return rc;
    item.info.hidden = false; /* who changes it wants it */
    rc = psn_item_check_change(vault, &item, change, err);
    if (!rc && (change->value || change->replacement))
        rc = set_value(vault, &item, change, err);
    if (!rc)
        rc = psn_item_call_unchangeable(vault, &item, change->unchangeable, err);
    if (!rc)
        rc = psn_item_put(vault, &item, err);
    if (!rc)
        rc = note(vault, &item, "secret.changed", err);
    if (!rc && change->unchangeable)
        rc = psn_departure_note_changeable(vault, address, label, err);
    if (!rc)
        *ret_version = item.info.version;
    return rc;
}

enum psn_code psn_secret_set(struct psn_vault *vault, const char *address,
                             const char *label, const struct psn_secret_change *change,
                             uint64_t *ret_version, struct psn_error *err)
{
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_item_begin(vault, address, label, normal, err);

    return rc ? rc
              : psn_vault_end(
                    vault, psn_item_set(vault, normal, label, change, ret_version, err),
                    err);
}

/* --- replacements --- */

/* Only whoever runs the service can make another of these. */
static bool is_given_out(const char *type)
{
    static const char *const given[] = { "ovh-api",  "ssh-key", "licence", "plugin",
                                         "recovery", "totp",    "bank",    NULL };

    for (size_t i = 0; given[i]; i++)
        if (strcmp(given[i], type) == 0)
            return true;
    return false;
}

/* Made ready when it was of another type. */
static enum psn_code give_up_replacement(struct psn_vault *vault, struct psn_item *item,
                                         struct psn_error *err)
{
    enum psn_code rc =
        label_version(vault, item, item->info.replacement, PSN_VERSION_REFUSED, err);

    item->info.replacement = 0;
    return rc ? rc : psn_item_put(vault, item, err);
}

enum psn_code psn_item_replace(struct psn_vault *vault, struct psn_item *item,
                               struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_secret_info *info = &item->info;
    uint64_t next = 0;
    enum psn_code rc;

    if (is_given_out(info->type) || info->unchangeable[0])
        return info->replacement ? give_up_replacement(vault, item, err) : PSN_OK;
    rc = psn_generate_password(&value, err);
    if (!rc)
        rc = next_version(vault, item, &next, err);
    if (!rc && info->replacement)
        rc = label_version(vault, item, info->replacement, PSN_VERSION_REFUSED, err);
    info->replacement = next;
    if (!rc)
        rc = psn_version_put(vault, item->client, info->address, info->label,
                             info->replacement, PSN_VERSION_PENDING, value, err);
    if (!rc)
        rc = psn_item_put(vault, item, err);
    return rc ? rc : note(vault, item, "secret.replacement", err);
}

/* Somebody says that it was set nowhere. */
static enum psn_code put_aside(struct psn_vault *vault, const char *address,
                               const char *label, uint64_t *ret_version,
                               struct psn_error *err)
{
    struct psn_item item = { 0 };
    uint64_t ready;
    enum psn_code rc = psn_item_read(vault, address, label, &item, err);

    if (rc)
        return rc;
    ready = item.info.replacement;
    if (!ready)
        return psn_fail(err, PSN_E_NOT_FOUND, _("%s, %s: no replacement was made ready"),
                        item.info.address, item.info.label);
    rc = label_version(vault, &item, ready, PSN_VERSION_SUPERSEDED, err);
    item.info.replacement = 0;
    if (!rc)
        rc = psn_item_put(vault, &item, err);
    if (!rc)
        rc = psn_journal_note(vault, item.client,
                              &(struct psn_note){ .event = "secret.replacement.unused",
                                                  .subject = item.info.address,
                                                  .label = item.info.label,
                                                  .version = ready,
                                                  .text = item.info.type },
                              err);
    if (!rc)
        *ret_version = ready;
    return rc;
}

enum psn_code psn_secret_rm_replacement(struct psn_vault *vault, const char *address,
                                        const char *label, uint64_t *ret_version,
                                        struct psn_error *err)
{
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_item_begin(vault, address, label, normal, err);

    return rc ? rc
              : psn_vault_end(vault, put_aside(vault, normal, label, ret_version, err),
                              err);
}

static enum psn_code hide(struct psn_vault *vault, const char *address, const char *label,
                          struct psn_error *err)
{
    struct psn_item item = { 0 };
    enum psn_code rc = psn_item_read(vault, address, label, &item, err);

    if (rc)
        return rc;
    if (item.info.hidden)
        return psn_item_fail_unknown(address, label, err);
    item.info.hidden = true;
    rc = psn_item_put(vault, &item, err);
    return rc ? rc : note(vault, &item, "secret.hidden", err);
}

enum psn_code psn_secret_rm(struct psn_vault *vault, const char *address,
                            const char *label, struct psn_error *err)
{
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_item_begin(vault, address, label, normal, err);

    return rc ? rc : psn_vault_end(vault, hide(vault, normal, label, err), err);
}
