#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/text.h"
#include "core/journal.h"
#include "core/past_key.h"
#include "core/person.h"
#include "core/reach.h"
#include "core/recipient.h"
#include "crypto/sign.h"

/* The public keys of a person; the first one is in use. */

/* --- a key that several people have --- */

static bool has_key(const struct psn_person *person, const char *text)
{
    for (size_t i = 0; i < person->key_count; i++)
        if (strcmp(person->keys[i].text, text) == 0)
            return true;
    return false;
}

bool psn_person_shares_key(const struct psn_person *a, const struct psn_person *b)
{
    for (size_t i = 0; i < a->key_count; i++)
        if (has_key(b, a->keys[i].text))
            return true;
    return false;
}

static enum psn_code fail_leavers_key(const struct psn_person *person, const char *leaver,
                                      struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_POLICY,
                   _("the key of '%s' is also that of '%s', who is leaving, or "
                     "has left"),
                   person->id, leaver);
    return psn_hint(err, PSN_E_POLICY,
                    _("ask for another key; if '%s' has one already: passation "
                      "person key %s --add FILE"),
                    person->id, person->id);
}

static enum psn_code tell_others(struct psn_vault *vault, const char *id,
                                 const char *text, psn_person_fn *each, void *arg,
                                 struct psn_error *err)
{
    const struct psn_person *people = NULL;
    size_t count = 0;
    enum psn_code rc = psn_person_known(vault, &people, &count, err);

    for (size_t i = 0; !rc && i < count; i++)
        if (strcmp(people[i].id, id) != 0 && has_key(&people[i], text))
            rc = each(arg, &people[i], err);
    return rc;
}

enum psn_code psn_person_key_others(struct psn_vault *vault, const char *id,
                                    const char *text, psn_person_fn *each, void *arg,
                                    struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(vault, tell_others(vault, id, text, each, arg, err), err);
}

struct checking {
    const struct psn_person *person; /* who may not be in the vault yet */
    const struct psn_person *people;
    size_t count;
};

/* Who had it and is in the vault no more, had left. */
static enum psn_code check_past(void *arg, const struct psn_past_key *key,
                                struct psn_error *err)
{
    const struct checking *checking = arg;
    size_t i = 0;

    while (i < checking->count && strcmp(checking->people[i].id, key->person) != 0)
        i++;
    if (i < checking->count && (!checking->people[i].departing_s ||
                                strcmp(key->person, checking->person->id) == 0))
        return PSN_OK;
    return fail_leavers_key(checking->person, key->person, err);
}

/* Who lost his slot counts as somebody who leaves. */
static enum psn_code check_sharer(struct psn_vault *vault,
                                  const struct psn_person *person,
                                  const struct psn_person *other, struct psn_error *err)
{
    bool lost = false;
    enum psn_code rc = psn_reach_lost_slot(vault, other, &lost, err);

    if (rc || (!lost && !other->departing_s))
        return rc;
    return fail_leavers_key(person, other->id, err);
}

enum psn_code psn_person_check_key(struct psn_vault *vault,
                                   const struct psn_person *person, struct psn_error *err)
{
    struct checking checking = { .person = person };
    enum psn_code rc;

    if (person->key_count == 0)
        return PSN_OK;
    rc = psn_person_known(vault, &checking.people, &checking.count, err);
    for (size_t i = 0; !rc && i < checking.count; i++)
        if (strcmp(checking.people[i].id, person->id) != 0 &&
            has_key(&checking.people[i], person->keys[0].text))
            rc = check_sharer(vault, person, &checking.people[i], err);
    return rc ? rc
              : psn_past_key_each(vault, person->keys[0].text, check_past, &checking,
                                  err);
}

/* --- changes --- */

typedef enum psn_code change_fn(struct psn_person *person, const char *text,
                                int64_t now_s, struct psn_error *err);

static size_t find(const struct psn_person *person, const char *which)
{
    char normal[PSN_RECIPIENT_TEXT_MAX];
    bool is_key = psn_recipient_normalize(which, normal, NULL) == PSN_OK;

    for (size_t i = 0; i < person->key_count; i++) {
        char fingerprint[PSN_PHONE_FINGERPRINT_MAX];

        psn_person_key_fingerprint(person->keys[i].text, fingerprint);
        if ((is_key && strcmp(person->keys[i].text, normal) == 0) ||
            strcmp(fingerprint, which) == 0)
            return i;
    }
    return person->key_count;
}

static enum psn_code fail_no_key(const struct psn_person *person, struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("'%s' has no such key"), person->id);
    return psn_hint(err, PSN_E_NOT_FOUND, _("see them with: passation person show %s"),
                    person->id);
}

/* Whoever leaves with a key that was taken off before, has it still. */
static enum psn_code note_past(struct psn_vault *vault, const struct psn_person *before,
                               const struct psn_person *after, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < before->key_count; i++)
        if (!has_key(after, before->keys[i].text))
            rc = psn_past_key_note(vault, before->keys[i].text, before->id, err);
    return rc;
}

static void take_out(struct psn_person *person, size_t at)
{
    memmove(&person->keys[at], &person->keys[at + 1],
            (person->key_count - at - 1) * sizeof *person->keys);
    person->key_count--;
}

static enum psn_code add_key(struct psn_person *person, const char *text, int64_t now_s,
                             struct psn_error *err)
{
    struct psn_person_key key = { .added_s = now_s };
    size_t at = find(person, text);
    enum psn_code rc = psn_recipient_normalize(text, key.text, err);

    if (rc)
        return rc;
    if (at < person->key_count) {
        key = person->keys[at];
        take_out(person, at);
    }
    if (person->key_count == PSN_PERSON_KEYS_MAX)
        return psn_fail(err, PSN_E_LIMIT, _("'%s' has %d keys already"), person->id,
                        PSN_PERSON_KEYS_MAX);
    memmove(&person->keys[1], &person->keys[0], person->key_count * sizeof *person->keys);
    person->keys[0] = key;
    person->key_count++;
    return PSN_OK;
}

static enum psn_code rm_key(struct psn_person *person, const char *which, int64_t now_s,
                            struct psn_error *err)
{
    size_t at = find(person, which);

    (void)now_s;
    if (at == person->key_count)
        return fail_no_key(person, err);
    take_out(person, at);
    return PSN_OK;
}

static enum psn_code check_key(struct psn_person *person, const char *which,
                               int64_t now_s, struct psn_error *err)
{
    size_t at = find(person, which);

    if (at == person->key_count)
        return fail_no_key(person, err);
    person->keys[at].checked_s = now_s;
    return PSN_OK;
}

static enum psn_code change(struct psn_vault *vault, const char *id, const char *text,
                            change_fn *apply, const char *event, struct psn_error *err)
{
    struct psn_person before;
    struct psn_person person;
    uint64_t revision;
    enum psn_code rc = psn_person_load(vault, id, &before, &revision, err);

    if (rc)
        return rc;
    person = before;
    rc = apply(&person, text, vault->world.now_s(), err);
    if (!rc && apply == add_key)
        rc = psn_person_check_key(vault, &person, err);
    if (!rc)
        rc = note_past(vault, &before, &person, err);
    if (!rc)
        rc = psn_person_store(vault, &person, revision + 1, err);
    return rc ? rc
              : psn_journal_note(vault, NULL,
                                 &(struct psn_note){ .event = event,
                                                     .subject = id,
                                                     .text = person.key_count
                                                                 ? person.keys[0].text
                                                                 : NULL },
                                 err);
}

static enum psn_code run(struct psn_vault *vault, const char *id, const char *text,
                         change_fn *apply, const char *event, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

    return rc ? rc
              : psn_vault_end(vault, change(vault, id, text, apply, event, err), err);
}

enum psn_code psn_person_key_add(struct psn_vault *vault, const char *id,
                                 const char *text, struct psn_error *err)
{
    return run(vault, id, text, add_key, "person.key-added", err);
}

enum psn_code psn_person_key_rm(struct psn_vault *vault, const char *id,
                                const char *which, struct psn_error *err)
{
    return run(vault, id, which, rm_key, "person.key-removed", err);
}

enum psn_code psn_person_key_check(struct psn_vault *vault, const char *id,
                                   const char *which, struct psn_error *err)
{
    return run(vault, id, which, check_key, "person.key-checked", err);
}
