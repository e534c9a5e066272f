#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "core/client.h"
#include "core/departure.h"
#include "core/exposure.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/role.h"

/*
 * Clients and mailboxes that leave the vault, and with them who knows what of them. The
 * report of a departure tells of what goes before, or goes all the same
 * (departure_settled.c), that nobody knows whether it works; and of what is given up,
 * since nobody can change it any more, why it was not changed.
 */

enum {
    ADDRESSES_MAX = 64 * 1024 * 1024,
};

static enum psn_code note_event(struct psn_vault *vault, const char *event,
                                const char *subject, const char *person,
                                struct psn_error *err)
{
    return psn_journal_note(
        vault, NULL,
        &(struct psn_note){ .event = event, .subject = subject, .text = person }, err);
}

static enum psn_code note(struct psn_vault *vault, const char *client,
                          const char *address, const char *person, struct psn_error *err)
{
    return address ? note_event(vault, PSN_EVENT_ROLE_FORGOTTEN, address, person, err)
                   : note_event(vault, PSN_EVENT_CLIENT_FORGOTTEN, client, person, err);
}

static enum psn_code knows_of(struct psn_vault *vault,
                              const struct psn_exposure_list *seen, const char *client,
                              const char *person, bool *ret_knows, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    *ret_knows = false;
    for (size_t i = 0; !rc && !*ret_knows && i < seen->count; i++)
        if (strcmp(seen->items[i].client, client) == 0 &&
            strcmp(seen->items[i].person, person) == 0)
            rc = psn_exposure_works(vault, &seen->items[i], ret_knows, err);
    return rc;
}

static bool has_seen_password(const struct psn_exposure_list *seen, const char *client,
                              const char *person)
{
    for (size_t i = 0; i < seen->count; i++)
        if (!seen->items[i].label[0] && strcmp(seen->items[i].client, client) == 0 &&
            strcmp(seen->items[i].person, person) == 0)
            return true;
    return false;
}

static enum psn_code note_item(void *arg, const struct psn_secret_info *info,
                               struct psn_error *err)
{
    bool *has_items = arg;

    (void)info;
    (void)err;
    *has_items = true;
    return PSN_OK;
}

/* Of a mailbox that is gone at OVH, only what else hangs on it works on. */
static enum psn_code may_work(struct psn_vault *vault, const char *address,
                              bool *ret_works, struct psn_error *err)
{
    struct psn_role_row role;
    enum psn_code rc;

    *ret_works = true;
    if (!address)
        return PSN_OK;
    rc = psn_role_read(vault, address, &role, err);
    if (rc || !role.gone_s)
        return rc;
    *ret_works = false;
    return psn_item_each_all(vault, address, note_item, ret_works, err);
}

/* A client, or one mailbox of his, and all that is to be known of who knows it. */
struct going {
    struct psn_vault *vault;
    const char *client;
    const char *address;           /* or NULL: all of his */
    bool works;                    /* something of it may be in force */
    bool with_labels;              /* what else hangs on it is to be noted */
    struct psn_exposure_list seen; /* by anybody */
    struct psn_exposure_list held; /* the address and label of all that hangs on it */
    struct psn_person *people;
    size_t count;
    bool *forgotten;  /* of the people: he is noted as knowing something in force */
    bool *could_read; /* of the people: all of it */
};

static void release_going(struct going *going)
{
    psn_exposure_list_release(&going->seen);
    psn_exposure_list_release(&going->held);
    free(going->people);
    free(going->forgotten);
    free(going->could_read);
}

static enum psn_code hold_item(void *arg, const struct psn_secret_info *info,
                               struct psn_error *err)
{
    struct going *going = arg;
    struct psn_exposure held = { 0 };

    memcpy(held.address, info->address, sizeof held.address);
    memcpy(held.label, info->label, sizeof held.label);
    return psn_exposure_list_add(&going->held, &held, err);
}

static enum psn_code hold_role(void *arg, const struct psn_role_row *row,
                               struct psn_error *err)
{
    struct going *going = arg;

    return strcmp(row->client, going->client) == 0
               ? psn_item_each_all(going->vault, row->address, hold_item, going, err)
               : PSN_OK;
}

/* Who can open the vault could read it, whether he looked or not. */
static enum psn_code find_readers(struct going *going, struct psn_error *err)
{
    struct psn_reach_map map = { 0 };
    enum psn_code rc = psn_person_list(going->vault, &going->people, &going->count, err);

    if (rc)
        return rc;
    going->forgotten = calloc(going->count + 1, sizeof *going->forgotten);
    going->could_read = calloc(going->count + 1, sizeof *going->could_read);
    if (!going->forgotten || !going->could_read)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_reach_map_load(going->vault, &map, err);
    for (size_t i = 0; !rc && i < going->count; i++) {
        const struct psn_person *person = &going->people[i];

        going->could_read[i] =
            going->works && (psn_reach_holds_slot(&map, person->id) ||
                             (person->departure.held_slot && !person->departing_s));
    }
    psn_reach_map_release(&map);
    return rc;
}

static enum psn_code load_going(struct going *going, struct psn_error *err)
{
    enum psn_code rc = may_work(going->vault, going->address, &going->works, err);

    if (!rc)
        rc = going->address ? psn_exposure_list(going->vault, NULL, going->address,
                                                &going->seen, err)
                            : psn_exposure_list_of_client(going->vault, going->client,
                                                          &going->seen, err);
    if (!rc)
        rc = find_readers(going, err);
    if (rc || !going->with_labels)
        return rc;
    return going->address
               ? psn_item_each_all(going->vault, going->address, hold_item, going, err)
               : psn_role_scan(going->vault, NULL, 0, hold_role, going, err);
}

/* One behind the other: a report reads why it was given up of all who follow. */
static enum psn_code note_forgotten(struct going *going, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < going->count; i++) {
        const char *person = going->people[i].id;
        bool knows = false;

        rc = knows_of(going->vault, &going->seen, going->client, person, &knows, err);
        going->forgotten[i] = going->works && (knows || going->could_read[i]);
        if (!rc && going->forgotten[i])
            rc = note(going->vault, going->client, going->address, person, err);
    }
    return rc;
}

/* The client may come back under another id. */
static enum psn_code note_domains(struct going *going, const char *person,
                                  struct psn_error *err)
{
    struct psn_client client = { 0 };
    enum psn_code rc = psn_client_read(going->vault, going->client, &client, err);

    for (size_t i = 0; !rc && i < client.domain_count; i++) {
        char subject[1 + PSN_DOMAIN_NAME_MAX];

        (void)snprintf(subject, sizeof subject, "@%s", client.domains[i]);
        rc = note_event(going->vault, PSN_EVENT_KNOWN_BEFORE, subject, person, err);
    }
    psn_client_release(&client);
    return rc;
}

static enum psn_code note_password(struct going *going, size_t at, struct psn_error *err)
{
    const char *person = going->people[at].id;

    if (!going->forgotten[at] && !has_seen_password(&going->seen, going->client, person))
        return PSN_OK;
    if (!going->address)
        return note_domains(going, person, err);
    return going->forgotten[at] ? PSN_OK
                                : note_event(going->vault, PSN_EVENT_KNOWN_BEFORE,
                                             going->address, person, err);
}

/* Each label once, of whichever version: they stand beside each other. */
static enum psn_code note_labels(struct going *going, size_t at, struct psn_error *err)
{
    const char *person = going->people[at].id;
    const struct psn_exposure_list *list =
        going->could_read[at] ? &going->held : &going->seen;
    const struct psn_exposure *last = NULL;
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < list->count; i++) {
        const struct psn_exposure *known = &list->items[i];

        if (!known->label[0] ||
            (!going->could_read[at] && strcmp(known->person, person) != 0) ||
            (last && strcmp(last->address, known->address) == 0 &&
             strcmp(last->label, known->label) == 0))
            continue;
        last = known;
        rc = psn_journal_note(going->vault, NULL,
                              &(struct psn_note){ .event = PSN_EVENT_KNOWN_BEFORE,
                                                  .subject = known->address,
                                                  .label = known->label,
                                                  .text = person },
                              err);
    }
    return rc;
}

static enum psn_code note_known_before(struct going *going, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < going->count; i++) {
        rc = note_password(going, i, err);
        if (!rc && going->with_labels)
            rc = note_labels(going, i, err);
    }
    return rc;
}

static enum psn_code note_unchanged(struct psn_vault *vault, const char *address,
                                    const char *why, struct psn_error *err)
{
    return psn_journal_note(vault, NULL,
                            &(struct psn_note){ .event = PSN_EVENT_ROLE_UNCHANGED,
                                                .subject = address,
                                                .text = why },
                            err);
}

static enum psn_code note_one(struct psn_vault *vault, const char *client,
                              const char *address, const char *why, struct psn_error *err)
{
    /* Of a client that is given up, each mailbox has been here already. */
    struct going going = { .vault = vault,
                           .client = client,
                           .address = address,
                           .with_labels = address || !why };
    enum psn_code rc = load_going(&going, err);

    if (!rc && address && going.works && why)
        rc = note_unchanged(vault, address, why, err);
    if (!rc)
        rc = note_forgotten(&going, err);
    if (!rc)
        rc = note_known_before(&going, err);
    release_going(&going);
    return rc;
}

struct addresses {
    const char *client;
    struct psn_buf texts; /* each with its NUL */
};

static enum psn_code collect_address(void *arg, const struct psn_role_row *row,
                                     struct psn_error *err)
{
    struct addresses *addresses = arg;

    if (strcmp(row->client, addresses->client) != 0)
        return PSN_OK;
    psn_buf_bytes(&addresses->texts, row->address, strlen(row->address) + 1);
    return psn_buf_check(&addresses->texts, err);
}

/* What is given up is named, mailbox by mailbox. */
static enum psn_code note_each(struct psn_vault *vault, const char *client,
                               const char *why, struct psn_error *err)
{
    struct addresses addresses = { client, psn_buf_init(ADDRESSES_MAX) };
    enum psn_code rc = psn_role_scan(vault, NULL, 0, collect_address, &addresses, err);
    const char *at = psn_buf_str(&addresses.texts);

    for (size_t i = 0; !rc && i < addresses.texts.size; i += strlen(at + i) + 1)
        rc = note_one(vault, client, at + i, why, err);
    psn_buf_release(&addresses.texts);
    return rc;
}

enum psn_code psn_departure_note_removed(struct psn_vault *vault, const char *client,
                                         const char *address, const char *why,
                                         struct psn_error *err)
{
    enum psn_code rc = !address && why ? note_each(vault, client, why, err) : PSN_OK;

    return rc ? rc : note_one(vault, client, address, why, err);
}

enum psn_code psn_departure_check_why(const char *why, struct psn_error *err)
{
    if (!why[strspn(why, " ")] || strlen(why) >= PSN_JOURNAL_TEXT_MAX ||
        !psn_text_is_plain(why, strlen(why)))
        return psn_fail(err, PSN_E_INVALID,
                        _("why nothing is changed is to be said in a sentence: it is "
                          "empty, too long, or cannot be shown"));
    return PSN_OK;
}

enum psn_code psn_departure_note_forgotten(struct psn_vault *from, struct psn_vault *to,
                                           const char *client, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *people = NULL;
    size_t count = 0;
    enum psn_code rc = psn_person_list(from, &people, &count, err);

    for (size_t i = 0; !rc && i < count; i++) {
        struct psn_exposure_list seen = { 0 };
        bool knows = false;

        if (!people[i].departing_s || people[i].departed_s)
            continue;
        rc = psn_exposure_list(from, people[i].id, NULL, &seen, err);
        if (!rc)
            rc = knows_of(from, &seen, client, people[i].id, &knows, err);
        psn_exposure_list_release(&seen);
        if (!rc && knows)
            rc = note(to, client, NULL, people[i].id, err);
    }
    return rc;
}
