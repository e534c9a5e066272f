#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "core/client.h"
#include "core/exposure.h"
#include "core/handover.h"
#include "core/journal.h"
#include "core/past_key.h"
#include "core/person.h"
#include "core/reach.h"

/* Forgetting a person: only when nothing would be forgotten with him that still
 * matters. */

/* Only a mailbox's password is changed by a rotation. */
static enum psn_code fail_known(const struct psn_exposure *seen, const char *id,
                                struct psn_error *err)
{
    char label[4 * PSN_LABEL_TEXT_MAX];

    if (!seen->label[0]) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("'%s' knows the password of %s that is still in force"), id,
                       seen->address);
        return psn_hint(
            err, PSN_E_POLICY,
            _("see all of it: passation who %s; change it: passation rotate %s"), id,
            seen->address);
    }
    if (seen->lasting) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("'%s' knows the secret '%s' of %s, which nobody can change"), id,
                       seen->label, seen->address);
        return psn_hint(err, PSN_E_POLICY,
                        _("the report of his departure is to say so first: passation "
                          "depart %s"),
                        id);
    }
    (void)psn_fail(err, PSN_E_POLICY,
                   _("'%s' knows the secret '%s' of %s that is still in force"), id,
                   seen->label, seen->address);
    return psn_hint(err, PSN_E_POLICY,
                    _("change it where it is used, then: passation secret set %s %s; all "
                      "of it: passation who %s"),
                    seen->address, psn_text_quoted(seen->label, label, sizeof label), id);
}

/* What he could read is known by his mark alone until his departure has begun, and the
 * keys of the API until it is complete. */
static enum psn_code check_slot(const struct psn_reach_map *map,
                                const struct psn_person *person, struct psn_error *err)
{
    if (psn_reach_holds_slot(map, person->id)) {
        (void)psn_fail(err, PSN_E_POLICY, _("'%s' can unlock the vault"), person->id);
        return psn_hint(err, PSN_E_POLICY,
                        _("take the slot away: passation slot rm %s; then: passation "
                          "depart %s"),
                        person->id, person->id);
    }
    if (!person->departure.held_slot || person->departed_s)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("'%s' could unlock the vault, and may know whatever was in it"),
                   person->id);
    return psn_hint(err, PSN_E_POLICY, _("have it replaced first: passation depart %s"),
                    person->id);
}

static enum psn_code check_free(const struct psn_reach_map *map,
                                const struct psn_exposure_list *seen,
                                const struct psn_person *person, struct psn_error *err)
{
    const char *id = person->id;

    for (size_t i = 0; i < map->grants.count; i++)
        if (strcmp(map->grants.items[i].person, id) == 0 &&
            !map->grants.items[i].ended_s) {
            (void)psn_fail(err, PSN_E_POLICY, _("'%s' has a grant for %s"), id,
                           map->grants.items[i].address);
            return psn_hint(err, PSN_E_POLICY, _("end it: passation revoke %s '*'"), id);
        }
    for (size_t i = 0; i < map->owner_count; i++)
        if (strcmp(map->owners[i].person, id) == 0) {
            (void)psn_fail(err, PSN_E_POLICY,
                           _("the accesses of the client '%s' belong to '%s'"),
                           map->owners[i].client, id);
            return psn_hint(
                err, PSN_E_POLICY,
                _("name somebody else: passation handover start %s --to PERSON"),
                map->owners[i].client);
        }
    for (size_t i = 0; i < seen->count; i++) {
        if (seen->items[i].ready) {
            (void)psn_fail(err, PSN_E_POLICY,
                           _("'%s' has seen the new secret that is ready for %s, %s"), id,
                           seen->items[i].address, seen->items[i].label);
            return psn_hint(
                err, PSN_E_POLICY,
                _("his departure makes another one ready: passation depart %s"), id);
        }
        /* What nobody can change was told of who has left, and `who` tells it still. */
        if (seen->items[i].in_force && !(seen->items[i].lasting && person->departed_s))
            return fail_known(&seen->items[i], id, err);
    }
    return PSN_OK;
}

/* Once he has left nothing else holds him: but a handover to him goes nowhere, and an
 * envelope that is his can be renewed for nobody. */
struct receiving {
    struct psn_vault *vault;
    const char *id;
};

static enum psn_code check_envelope(const struct receiving *receiving,
                                    const struct psn_client *client,
                                    struct psn_error *err)
{
    char person[PSN_PERSON_ID_MAX] = "";
    enum psn_code rc = psn_envelope_person(receiving->vault, client->id, person, err);

    if (rc || strcmp(person, receiving->id) != 0)
        return rc;
    (void)psn_fail(err, PSN_E_POLICY, _("the envelope of '%s' is for '%s'"), client->id,
                   receiving->id);
    return psn_hint(err, PSN_E_POLICY, _("end it: passation envelope end %s"),
                    client->id);
}

static enum psn_code check_client(void *arg, const struct psn_client *client,
                                  struct psn_error *err)
{
    const struct receiving *receiving = arg;

    if (client->handover_s && strcmp(client->owner, receiving->id) == 0) {
        (void)psn_fail(err, PSN_E_POLICY, _("'%s' is being handed over to %s"),
                       client->id, receiving->id);
        return psn_hint(err, PSN_E_POLICY,
                        _("give it up first: passation handover abandon %s"), client->id);
    }
    return client->envelope_s ? check_envelope(receiving, client, err) : PSN_OK;
}

static enum psn_code check(struct psn_vault *vault, const struct psn_person *person,
                           struct psn_error *err)
{
    const char *id = person->id;
    struct psn_reach_map map = { 0 };
    struct psn_exposure_list seen = { 0 };
    enum psn_code rc = psn_reach_map_load(vault, &map, err);

    if (!rc)
        rc = psn_exposure_list(vault, id, NULL, &seen, err);
    if (!rc)
        rc = check_slot(&map, person, err);
    if (!rc)
        rc = check_free(&map, &seen, person, err);
    if (!rc)
        rc = psn_client_scan(vault, check_client, &(struct receiving){ vault, id }, err);
    psn_exposure_list_release(&seen);
    psn_reach_map_release(&map);
    return rc;
}

/* By his keys alone is somebody who has left known under another name. */
static enum psn_code keep_keys(struct psn_vault *vault, const struct psn_person *person,
                               struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (!person->departing_s && !person->departure.held_slot)
        return psn_past_key_forget(vault, person->id, err);
    for (size_t i = 0; !rc && i < person->key_count; i++)
        rc = psn_past_key_note(vault, person->keys[i].text, person->id, err);
    return rc;
}

/* Who has left owns nothing any more, and nobody who gets his id later does. */
static enum psn_code disown(void *arg, const char *id, struct psn_error *err)
{
    const struct receiving *leaving = arg;
    struct psn_client client = { 0 };
    enum psn_code rc = psn_client_read(leaving->vault, id, &client, err);

    if (!rc && strcmp(client.owner, leaving->id) == 0) {
        client.owner[0] = '\0';
        rc = psn_client_put_owner(leaving->vault, &client, err);
    }
    psn_client_release(&client);
    return rc;
}

static enum psn_code rm(struct psn_vault *vault, const char *id, struct psn_error *err)
{
    static const enum psn_table tables[] = { PSN_TABLE_PERSON, PSN_TABLE_GRANT,
                                             PSN_TABLE_ISSUE };
    struct psn_person person;
    enum psn_code rc = psn_person_read(vault, id, &person, err);

    if (!rc)
        rc = check(vault, &person, err);
    if (!rc)
        rc = keep_keys(vault, &person, err);
    if (!rc)
        rc = psn_client_ids(vault, disown, &(struct receiving){ vault, id }, err);
    for (size_t i = 0; !rc && i < sizeof tables / sizeof *tables; i++) {
        struct psn_row_key prefix;

        rc = psn_row_key_init(vault, tables[i], id, &prefix, err);
        if (!rc)
            rc = psn_row_delete_all(vault, tables[i], &prefix, err);
    }
    return rc ? rc
              : psn_journal_note(
                    vault, NULL,
                    &(struct psn_note){ .event = "person.removed", .subject = id }, err);
}

enum psn_code psn_person_rm(struct psn_vault *vault, const char *id,
                            struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc : psn_vault_end(vault, rm(vault, id, err), err);
}
