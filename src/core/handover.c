#include "core/handover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "core/client.h"
#include "core/counters.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/role.h"

/* Beginning a handover, saying how things are handed over, giving it up; and what it is.
 */

void psn_handover_release(struct psn_handover *handover)
{
    free(handover->blockers);
    handover->blockers = NULL;
    handover->blocker_count = 0;
}

/* --- terms --- */

/* What goes into the statement: one line of plain text. */
static enum psn_code take_term(const char *text, char out[PSN_HANDOVER_TEXT_MAX],
                               struct psn_error *err)
{
    char shown[128];

    if (!text)
        return PSN_OK;
    if (strlen(text) >= PSN_HANDOVER_TEXT_MAX || strchr(text, '\n') ||
        !psn_text_is_plain(text, strlen(text)))
        return psn_fail(err, PSN_E_INVALID,
                        _("'%s' is no line of text of less than %d bytes"),
                        psn_text_shown(text, shown, sizeof shown), PSN_HANDOVER_TEXT_MAX);
    (void)snprintf(out, PSN_HANDOVER_TEXT_MAX, "%s", text);
    return PSN_OK;
}

static enum psn_code take_terms(const struct psn_handover_terms *terms,
                                struct psn_handover_row *row, struct psn_error *err)
{
    enum psn_code rc = take_term(terms->contract, row->contract, err);

    if (!rc)
        rc = take_term(terms->giver, row->giver, err);
    if (!rc)
        rc = take_term(terms->receiver, row->receiver, err);
    if (!rc)
        rc = take_term(terms->place, row->place, err);
    return rc ? rc : take_term(terms->identity, row->identity, err);
}

static enum psn_code check_envelope(struct psn_vault *vault, const char *client,
                                    const char *to, struct psn_error *err)
{
    char person[PSN_PERSON_ID_MAX];
    struct psn_error why = { 0 };
    enum psn_code rc = psn_envelope_person(vault, client, person, &why);

    if (rc == PSN_E_NOT_FOUND || (!rc && strcmp(person, to) == 0))
        return PSN_OK;
    if (rc)
        return psn_fail(err, rc, "%s", why.message);
    (void)psn_fail(err, PSN_E_POLICY,
                   _("the recovery envelope of '%s' opens everything, and is %s's"),
                   client, person);
    return psn_hint(err, PSN_E_POLICY,
                    _("end it first: passation envelope end %s; then hand over to %s, "
                      "who may get one of his own"),
                    client, to);
}

/* What somebody else has is not taken from him by naming another: once he has confirmed
 * it, his passwords are his. */
static enum psn_code drop_issue(struct psn_vault *vault, const char *client,
                                const struct psn_handover_row *row, struct psn_error *err)
{
    bool is_received = false;
    enum psn_code rc = psn_handover_is_received(vault, client, &is_received, err);

    if (!rc && is_received) {
        (void)psn_fail(err, PSN_E_POLICY,
                       _("%s has confirmed the trousseau of '%s': it is handed over to "
                         "nobody else"),
                       row->to, client);
        return psn_hint(err, PSN_E_POLICY,
                        _("give this handover up first: passation handover abandon %s"),
                        client);
    }
    return rc ? rc : psn_handover_void_issue(vault, client, row, err);
}

/* Who is of the team is us: nothing would leave the house. */
static enum psn_code check_receiver(struct psn_vault *vault,
                                    const struct psn_person *person,
                                    struct psn_error *err)
{
    enum psn_code rc;

    if (person->departing_s)
        return psn_fail(err, PSN_E_POLICY, _("%s: nothing is issued to a leaver"),
                        person->id);
    rc = psn_reach_check_slot_kept(vault, person, err);
    if (rc || person->kind != PSN_PERSON_TEAM)
        return rc;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("%s is one of the team: everything is handed over to the client"),
                   person->id);
    return psn_hint(err, PSN_E_POLICY,
                    _("add the client's person: passation person add PERSON --kind "
                      "client; if %s is that: passation person set %s --kind client"),
                    person->id, person->id);
}

/* The trousseau of somebody else does not count for him. */
static enum psn_code take_receiver(struct psn_vault *vault, const char *client,
                                   const char *to, struct psn_handover_row *row,
                                   struct psn_error *err)
{
    struct psn_person person;
    enum psn_code rc;

    if (!to)
        return row->to[0] ? PSN_OK
                          : psn_fail(err, PSN_E_INVALID,
                                     _("a handover needs somebody to hand over to: --to "
                                       "PERSON"));
    rc = psn_person_read_owner(vault, to, &person, err);
    if (!rc)
        rc = check_receiver(vault, &person, err);
    if (rc || strcmp(row->to, to) == 0)
        return rc;
    rc = check_envelope(vault, client, to, err);
    if (!rc && row->serial)
        rc = drop_issue(vault, client, row, err);
    if (rc)
        return rc;
    memcpy(row->to, person.id, sizeof row->to);
    row->serial = 0;
    row->issued_s = row->compared_s = 0;
    row->path[0] = '\0';
    row->file_count = 0;
    return PSN_OK;
}

static enum psn_code begin(struct psn_vault *vault, struct psn_handover_row *row,
                           struct psn_error *err)
{
    struct psn_counters counters;
    uint64_t revision = row->revision;
    enum psn_code rc = psn_counters_read(vault, &counters, err);

    *row = (struct psn_handover_row){ .began_s = vault->world.now_s(),
                                      .before = counters.serial };
    row->revision = revision;
    memcpy(row->by, vault->actor, sizeof row->by);
    return rc;
}

static enum psn_code put_owner(struct psn_vault *vault, const char *id, bool is_new,
                               struct psn_handover_row *row, struct psn_error *err)
{
    struct psn_client client = { 0 };
    enum psn_code rc = psn_client_read(vault, id, &client, err);

    if (is_new)
        memcpy(row->former, client.owner, sizeof row->former);
    memcpy(client.owner, row->to, sizeof client.owner);
    client.handover_s = row->began_s;
    if (!rc)
        rc = psn_client_put_owner(vault, &client, err);
    psn_client_release(&client);
    return rc;
}

static enum psn_code start(struct psn_vault *vault,
                           const struct psn_handover_terms *terms, struct psn_error *err)
{
    struct psn_handover_row row = { 0 };
    struct psn_error cause = { 0 };
    bool is_new = false;
    enum psn_code rc = psn_handover_row_read(vault, terms->client, &row, &cause);

    if (rc && rc != PSN_E_NOT_FOUND) {
        if (err)
            *err = cause;
        return rc;
    }
    is_new = rc || row.abandoned_s;
    rc = is_new ? begin(vault, &row, err) : PSN_OK;
    if (!rc)
        rc = take_receiver(vault, terms->client, terms->to, &row, err);
    if (!rc)
        rc = take_terms(terms, &row, err);
    if (!rc)
        rc = put_owner(vault, terms->client, is_new, &row, err);
    if (!rc)
        rc = psn_handover_row_write(vault, terms->client, &row, err);
    return rc ? rc
              : psn_journal_note(vault, terms->client,
                                 &(struct psn_note){ .event = is_new ? "handover.began"
                                                                     : "handover.changed",
                                                     .subject = row.to },
                                 err);
}

enum psn_code psn_handover_start(struct psn_vault *vault,
                                 const struct psn_handover_terms *terms,
                                 struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc : psn_vault_end(vault, start(vault, terms, err), err);
}

/* --- the checklist --- */

struct setting {
    size_t number;
    enum psn_handover_mode mode;
    const char *note;
};

static enum psn_code set_item(void *arg, struct psn_vault *vault,
                              struct psn_handover_row *row, struct psn_error *err)
{
    const struct setting *setting = arg;
    struct psn_handover_item *item = &row->items[setting->number];

    item->mode = setting->mode;
    item->set_s = setting->mode == PSN_HANDOVER_OPEN ? 0 : vault->world.now_s();
    if (!setting->note && setting->mode == PSN_HANDOVER_OPEN)
        item->note[0] = '\0';
    return take_term(setting->note, item->note, err);
}

enum psn_code psn_handover_item_set(struct psn_vault *vault, const char *client,
                                    const char *word, enum psn_handover_mode mode,
                                    const char *note, struct psn_error *err)
{
    struct setting setting = { psn_handover_item_number(word), mode, note };
    char shown[128];
    char text[PSN_JOURNAL_TEXT_MAX];

    if (setting.number == PSN_HANDOVER_ITEMS) {
        (void)psn_fail(err, PSN_E_NOT_FOUND, _("the checklist has no item '%s'"),
                       psn_text_shown(word, shown, sizeof shown));
        return psn_hint(err, PSN_E_NOT_FOUND, _("see it: passation handover status %s"),
                        client);
    }
    if (mode == PSN_HANDOVER_RESERVE && (!note || !note[0]))
        return psn_fail(err, PSN_E_INVALID,
                        _("a reserve needs the reason why it is not handed over: "
                          "--reserve TEXT"));
    (void)snprintf(text, sizeof text, "%s: %s", word, psn_handover_mode_name(mode));
    return psn_handover_change(vault, client, "handover.item", text, set_item, &setting,
                               err);
}

/* --- giving it up --- */

enum psn_code psn_handover_settle_owner(struct psn_vault *vault,
                                        struct psn_client *client, struct psn_error *err)
{
    struct psn_person person = { 0 };
    struct psn_error why = { 0 };
    enum psn_code rc;

    if (!client->owner[0] || client->handover_s || client->envelope_s)
        return PSN_OK;
    rc = psn_person_read(vault, client->owner, &person, &why);
    if (rc && rc != PSN_E_NOT_FOUND)
        return psn_fail(err, rc, "%s", why.message);
    if (rc || person.kind != PSN_PERSON_CLIENT || person.departing_s)
        client->owner[0] = '\0';
    return PSN_OK;
}

/* An owner by the handover alone is none without it, unless he is the client and has told
 * that he received everything: else it is whose it was before. */
static enum psn_code restore_owner(struct psn_vault *vault, struct psn_client *client,
                                   const struct psn_handover_row *row, bool is_received,
                                   struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (client->envelope_s)
        return PSN_OK;
    if (!is_received)
        client->owner[0] = '\0';
    rc = psn_handover_settle_owner(vault, client, err);
    if (rc || client->owner[0])
        return rc;
    memcpy(client->owner, row->former, sizeof client->owner);
    return psn_handover_settle_owner(vault, client, err);
}

static enum psn_code abandon(void *arg, struct psn_vault *vault,
                             struct psn_handover_row *row, struct psn_error *err)
{
    struct psn_client client = { 0 };
    bool is_received = false;
    enum psn_code rc = psn_handover_is_received(vault, arg, &is_received, err);

    if (!rc)
        rc = psn_client_read(vault, arg, &client, err);
    row->abandoned_s = vault->world.now_s();
    client.handover_s = 0;
    if (!rc)
        rc = restore_owner(vault, &client, row, is_received, err);
    if (!rc)
        rc = psn_client_put_owner(vault, &client, err);
    psn_client_release(&client);
    return rc;
}

enum psn_code psn_handover_abandon(struct psn_vault *vault, const char *client,
                                   const char *reason, struct psn_error *err)
{
    char text[PSN_HANDOVER_TEXT_MAX] = "";
    char id[PSN_CLIENT_ID_MAX];
    enum psn_code rc = take_term(reason, text, err);

    (void)snprintf(id, sizeof id, "%s", client);
    return rc ? rc
              : psn_handover_change(vault, client, "handover.abandoned",
                                    text[0] ? text : NULL, abandon, id, err);
}

/* --- what it is --- */

static void fill(const char *client, const struct psn_handover_row *row,
                 struct psn_handover *handover)
{
    *handover = (struct psn_handover){ .began_s = row->began_s,
                                       .abandoned_s = row->abandoned_s,
                                       .looked_s = row->looked_s,
                                       .serial = row->serial,
                                       .issued_s = row->issued_s,
                                       .compared_s = row->compared_s,
                                       .contacts_s = row->contacts_s,
                                       .keys_gone_s = row->keys_gone_s };
    (void)snprintf(handover->client, sizeof handover->client, "%s", client);
    memcpy(handover->to, row->to, sizeof handover->to);
    memcpy(handover->by, row->by, sizeof handover->by);
    memcpy(handover->contract, row->contract, sizeof handover->contract);
    memcpy(handover->giver, row->giver, sizeof handover->giver);
    memcpy(handover->receiver, row->receiver, sizeof handover->receiver);
    memcpy(handover->place, row->place, sizeof handover->place);
    memcpy(handover->identity, row->identity, sizeof handover->identity);
    memcpy(handover->items, row->items, sizeof handover->items);
    memcpy(handover->path, row->path, sizeof handover->path);
}

/* What passation sees to itself, unless somebody said otherwise. */
static void judge_items(const struct psn_handover_row *row, struct psn_handover *handover)
{
    for (size_t i = 0; i < PSN_HANDOVER_ITEMS; i++) {
        struct psn_handover_item_info info = psn_handover_item_info(i);
        struct psn_handover_item *item = &handover->items[i];
        bool removed =
            strcmp(info.word, "api-keys") == 0 || strcmp(info.word, "copies") == 0;

        if (!info.by_machine || item->mode != PSN_HANDOVER_OPEN)
            continue;
        if (removed)
            item->mode = row->keys_gone_s ? PSN_HANDOVER_REMOVED : PSN_HANDOVER_LAST;
        else if (row->serial)
            item->mode = PSN_HANDOVER_GIVEN;
    }
}

/* A key that was linked since is ours, and not gone. */
static enum psn_code read_state(struct psn_vault *vault, const char *id,
                                struct psn_handover_row *row, struct psn_error *err)
{
    struct psn_client client = { 0 };
    enum psn_code rc = psn_handover_row_read_open(vault, id, row, err);

    if (!rc)
        rc = psn_client_read(vault, id, &client, err);
    if (!rc && client.linked)
        row->keys_gone_s = 0;
    psn_client_release(&client);
    return rc;
}

enum psn_code psn_handover_get(struct psn_vault *vault, const char *client,
                               struct psn_handover *ret_handover, struct psn_error *err)
{
    struct psn_handover_row row = { 0 };
    struct psn_handover handover = { 0 };
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, read_state(vault, client, &row, err), err);
    if (rc)
        return rc;
    fill(client, &row, &handover);
    judge_items(&row, &handover);
    rc = psn_handover_find_blockers(vault, &row, &handover, err);
    if (rc) {
        psn_handover_release(&handover);
        return rc;
    }
    *ret_handover = handover;
    return PSN_OK;
}

struct open_ones {
    char (*clients)[PSN_CLIENT_ID_MAX];
    size_t count;
};

static enum psn_code collect_open(void *arg, const struct psn_client *client,
                                  struct psn_error *err)
{
    struct open_ones *open = arg;
    char(*grown)[PSN_CLIENT_ID_MAX];

    if (!client->handover_s)
        return PSN_OK;
    grown = reallocarray(open->clients, open->count + 1, sizeof *grown);
    if (!grown)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    open->clients = grown;
    memcpy(grown[open->count++], client->id, sizeof *grown);
    return PSN_OK;
}

enum psn_code psn_handover_each(struct psn_vault *vault, psn_handover_fn *each, void *arg,
                                struct psn_error *err)
{
    struct open_ones open = { 0 };
    enum psn_code rc = psn_client_each(vault, collect_open, &open, err);

    for (size_t i = 0; !rc && i < open.count; i++) {
        struct psn_handover handover = { 0 };

        rc = psn_handover_get(vault, open.clients[i], &handover, err);
        if (!rc)
            rc = each(arg, &handover, err);
        psn_handover_release(&handover);
    }
    free(open.clients);
    return rc;
}
