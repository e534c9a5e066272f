#include "core/person.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/document_form.h"
#include "core/exposure.h"
#include "core/id.h"
#include "core/journal.h"
#include "core/recipient.h"
#include "core/record.h"

enum {
    TAG_ID = 1,
    TAG_KIND = 2,
    TAG_NAME = 3,
    TAG_EMAIL = 4,
    TAG_CREATED = 5,
    TAG_KEYS = 6,    /* each: added (8), checked (8), text, NUL */
    TAG_GROUPS = 7,  /* each followed by a NUL */
    TAG_DEVICES = 8, /* each followed by a NUL */
    TAG_DEPARTING = 9,
    TAG_ALIASES = 10, /* each followed by a NUL */
    TAG_DEPARTED = 11,
    TAG_NARROW = 12,
    TAG_ALL = 13,
    TAG_HELD_SLOT = 14,
    TAG_BY = 15,
    TAG_FOLDER = 16,
    TAG_SLOT_GONE = 17,
    TAG_REPORT_DUE = 18,
    TAG_SLOT_LOST = 19,
    TAG_MAX = 19,
    KEY_HEAD = 16,
};

const char *psn_person_kind_name(enum psn_person_kind kind)
{
    switch (kind) {
    case PSN_PERSON_TEAM:
        return "team";
    case PSN_PERSON_PROVIDER:
        return "provider";
    case PSN_PERSON_CLIENT:
        return "client";
    }
    return "unknown";
}

bool psn_person_is_leaving(const struct psn_person *person)
{
    return person->departing_s && (!person->departed_s || person->departure.report_due);
}

const char *psn_person_name(const struct psn_person *person)
{
    return person->name[0] ? person->name : person->id;
}

/* --- checks --- */

enum psn_code psn_person_check_id(const char *id, struct psn_error *err)
{
    char shown[128];

    if (psn_id_is_valid(id))
        return PSN_OK;
    (void)psn_fail(err, PSN_E_INVALID, _("'%s' cannot be a person's id"),
                   psn_text_shown(id, shown, sizeof shown));
    return psn_hint(
        err, PSN_E_INVALID,
        _("use lower-case letters, digits, '.', '_' and '-', at most 64, beginning "
          "with a letter or digit"));
}

static enum psn_code check_words(const struct psn_person *person, struct psn_error *err)
{
    char shown[128];

    for (size_t i = 0; i < person->group_count; i++)
        if (!psn_id_is_valid(person->groups[i]))
            return psn_fail(err, PSN_E_INVALID, _("'%s' cannot be a group's id"),
                            psn_text_shown(person->groups[i], shown, sizeof shown));
    for (size_t i = 0; i < person->device_count; i++)
        if (!person->devices[i][0] ||
            !psn_text_is_plain(person->devices[i], strlen(person->devices[i])))
            return psn_fail(err, PSN_E_INVALID, _("'%s' cannot be the name of a device"),
                            psn_text_shown(person->devices[i], shown, sizeof shown));
    for (size_t i = 0; i < person->alias_count; i++)
        if (!person->aliases[i][0] || strchr(person->aliases[i], ' ') ||
            !psn_text_is_plain(person->aliases[i], strlen(person->aliases[i])))
            return psn_fail(err, PSN_E_INVALID,
                            _("'%s' cannot be an address or account at OVH"),
                            psn_text_shown(person->aliases[i], shown, sizeof shown));
    return PSN_OK;
}

enum psn_code psn_person_check(const struct psn_person *person, struct psn_error *err)
{
    enum psn_code rc = psn_person_check_id(person->id, err);

    if (rc)
        return rc;
    if (!psn_text_is_plain(person->name, strlen(person->name)) ||
        !psn_text_is_plain(person->email, strlen(person->email)))
        return psn_fail(
            err, PSN_E_INVALID,
            _("the name or e-mail of '%s' holds characters that cannot be shown"),
            person->id);
    if (person->name[0] && !psn_form_is_line(person->name, strlen(person->name)))
        return psn_fail(err, PSN_E_INVALID,
                        _("the name of '%s' begins or ends with a blank"), person->id);
    return check_words(person, err);
}

/* --- the row --- */

/* A list of `count` texts, each in `size` bytes. */
static void put_words(struct psn_buf *record, uint16_t tag, const char *words,
                      size_t size, size_t count)
{
    PSN_AUTO_RELEASE(psn_buf) list = psn_buf_init(PSN_RECORD_MAX);

    for (size_t i = 0; i < count; i++)
        psn_buf_bytes(&list, words + i * size, strlen(words + i * size) + 1);
    if (list.size)
        psn_record_put_bytes(record, tag, list.data, list.size);
    if (list.failed)
        record->failed = list.failed;
}

static void put_keys(struct psn_buf *record, const struct psn_person *person)
{
    PSN_AUTO_RELEASE(psn_buf) list = psn_buf_init(PSN_RECORD_MAX);

    for (size_t i = 0; i < person->key_count; i++) {
        const struct psn_person_key *key = &person->keys[i];

        psn_buf_u64(&list, (uint64_t)key->added_s);
        psn_buf_u64(&list, (uint64_t)key->checked_s);
        psn_buf_bytes(&list, key->text, strlen(key->text) + 1);
    }
    if (list.size)
        psn_record_put_bytes(record, TAG_KEYS, list.data, list.size);
    if (list.failed)
        record->failed = list.failed;
}

static void encode(const struct psn_person *person, struct psn_buf *out)
{
    psn_record_begin(out);
    psn_record_put_text(out, TAG_ID, person->id);
    psn_record_put_number(out, TAG_KIND, (uint64_t)person->kind);
    psn_record_put_text(out, TAG_NAME, person->name);
    psn_record_put_text(out, TAG_EMAIL, person->email);
    psn_record_put_number(out, TAG_CREATED, (uint64_t)person->created_s);
    put_keys(out, person);
    put_words(out, TAG_GROUPS, person->groups[0], sizeof *person->groups,
              person->group_count);
    put_words(out, TAG_DEVICES, person->devices[0], sizeof *person->devices,
              person->device_count);
    psn_record_put_number(out, TAG_DEPARTING, (uint64_t)person->departing_s);
    put_words(out, TAG_ALIASES, person->aliases[0], sizeof *person->aliases,
              person->alias_count);
    psn_record_put_number(out, TAG_DEPARTED, (uint64_t)person->departed_s);
    psn_record_put_number(out, TAG_NARROW, person->departure.narrow);
    psn_record_put_number(out, TAG_ALL, person->departure.all);
    psn_record_put_number(out, TAG_HELD_SLOT, person->departure.held_slot);
    psn_record_put_text(out, TAG_BY, person->departure.by);
    psn_record_put_text(out, TAG_FOLDER, person->departure.folder);
    psn_record_put_number(out, TAG_SLOT_GONE, person->departure.slot_gone);
    psn_record_put_number(out, TAG_REPORT_DUE, person->departure.report_due);
    psn_record_put_number(out, TAG_SLOT_LOST, (uint64_t)person->departure.slot_lost_s);
}

/* Room for `max` texts, each in `size` bytes. */
static bool get_words(const struct psn_record *record, uint16_t tag, char *words,
                      size_t size, size_t max, size_t *ret_count)
{
    const uint8_t *at;
    size_t left;

    (void)psn_record_bytes(record, tag, &at, &left);
    while (left > 0) {
        if (*ret_count == max ||
            !psn_record_take_text(&at, &left, words + *ret_count * size, size))
            return false;
        (*ret_count)++;
    }
    return true;
}

static int64_t get_time(const uint8_t *at)
{
    uint64_t value = 0;

    for (size_t i = 0; i < 8; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

static bool get_keys(const struct psn_record *record, struct psn_person *person)
{
    const uint8_t *at;
    size_t left;

    (void)psn_record_bytes(record, TAG_KEYS, &at, &left);
    while (left > 0) {
        struct psn_person_key *key = &person->keys[person->key_count];

        if (person->key_count == PSN_PERSON_KEYS_MAX || left < KEY_HEAD)
            return false;
        key->added_s = get_time(at);
        key->checked_s = get_time(at + 8);
        at += KEY_HEAD;
        left -= KEY_HEAD;
        if (!psn_record_take_text(&at, &left, key->text, sizeof key->text))
            return false;
        person->key_count++;
    }
    return true;
}

static bool get_departure(const struct psn_record *record, struct psn_person *person)
{
    struct psn_departure_terms *terms = &person->departure;

    person->departing_s = (int64_t)psn_record_number(record, TAG_DEPARTING);
    person->departed_s = (int64_t)psn_record_number(record, TAG_DEPARTED);
    terms->narrow = psn_record_number(record, TAG_NARROW) != 0;
    terms->all = psn_record_number(record, TAG_ALL) != 0;
    terms->held_slot = psn_record_number(record, TAG_HELD_SLOT) != 0;
    terms->slot_gone = psn_record_number(record, TAG_SLOT_GONE) != 0;
    terms->report_due = psn_record_number(record, TAG_REPORT_DUE) != 0;
    terms->slot_lost_s = (int64_t)psn_record_number(record, TAG_SLOT_LOST);
    return psn_record_text(record, TAG_BY, terms->by, sizeof terms->by) &&
           psn_record_text(record, TAG_FOLDER, terms->folder, sizeof terms->folder);
}

enum psn_code psn_person_decode(const struct psn_buf *plain, struct psn_person *person,
                                struct psn_error *err)
{
    struct psn_record record;
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    if (rc)
        return rc;
    *person = (struct psn_person){ 0 };
    if (!psn_record_text(&record, TAG_ID, person->id, sizeof person->id) ||
        !psn_record_text(&record, TAG_NAME, person->name, sizeof person->name) ||
        !psn_record_text(&record, TAG_EMAIL, person->email, sizeof person->email) ||
        !get_keys(&record, person) ||
        !get_words(&record, TAG_GROUPS, person->groups[0], sizeof *person->groups,
                   PSN_PERSON_WORDS_MAX, &person->group_count) ||
        !get_words(&record, TAG_DEVICES, person->devices[0], sizeof *person->devices,
                   PSN_PERSON_WORDS_MAX, &person->device_count) ||
        !get_words(&record, TAG_ALIASES, person->aliases[0], sizeof *person->aliases,
                   PSN_PERSON_ALIASES_MAX, &person->alias_count) ||
        !get_departure(&record, person))
        return psn_fail(err, PSN_E_INTEGRITY, _("the record of a person is malformed"));
    person->kind = (enum psn_person_kind)psn_record_number(&record, TAG_KIND);
    person->created_s = (int64_t)psn_record_number(&record, TAG_CREATED);
    return PSN_OK;
}

enum psn_code psn_person_store(struct psn_vault *vault, const struct psn_person *person,
                               uint64_t revision, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_PERSON, person->id, &key, err);

    encode(person, &plain);
    if (!rc)
        rc = psn_buf_check(&plain, err);
    return rc ? rc
              : psn_row_put(vault, PSN_TABLE_PERSON, &key, revision, vault->rows_key,
                            plain.data, plain.size, err);
}

static enum psn_code fail_unknown(const char *id, enum psn_person_kind kind,
                                  struct psn_error *err)
{
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("no person '%s' in the vault"), id);
    return psn_hint(err, PSN_E_NOT_FOUND,
                    _("see them with: passation person ls; add one with: passation "
                      "person add %s --kind %s"),
                    id, psn_person_kind_name(kind));
}

enum psn_code psn_person_load(struct psn_vault *vault, const char *id,
                              struct psn_person *ret_person, uint64_t *ret_revision,
                              struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key key;
    enum psn_code rc = psn_person_check_id(id, err);

    *ret_revision = 0;
    if (!rc)
        rc = psn_row_key_init(vault, PSN_TABLE_PERSON, id, &key, err);
    if (!rc)
        rc = psn_row_find(vault, PSN_TABLE_PERSON, &key, vault->rows_key, &plain,
                          ret_revision, err);
    if (rc)
        return rc;
    if (*ret_revision > 0)
        return psn_person_decode(&plain, ret_person, err);
    return fail_unknown(id, PSN_PERSON_PROVIDER, err);
}

enum psn_code psn_person_read(struct psn_vault *vault, const char *id,
                              struct psn_person *ret_person, struct psn_error *err)
{
    uint64_t revision;

    return psn_person_load(vault, id, ret_person, &revision, err);
}

enum psn_code psn_person_read_owner(struct psn_vault *vault, const char *id,
                                    struct psn_person *ret_person, struct psn_error *err)
{
    struct psn_error why = { 0 };
    enum psn_code rc = psn_person_read(vault, id, ret_person, &why);

    if (rc == PSN_E_NOT_FOUND)
        return fail_unknown(id, PSN_PERSON_CLIENT, err);
    if (rc && err)
        *err = why;
    return rc;
}

static enum psn_code note(struct psn_vault *vault, const char *id, const char *event,
                          const char *text, struct psn_error *err)
{
    return psn_journal_note(
        vault, NULL, &(struct psn_note){ .event = event, .subject = id, .text = text },
        err);
}

enum psn_code psn_person_insert(struct psn_vault *vault, const struct psn_person *person,
                                struct psn_error *err)
{
    struct psn_person row = *person;
    enum psn_code rc = PSN_OK;

    row.created_s = vault->world.now_s();
    for (size_t i = 0; !rc && i < row.key_count; i++) {
        row.keys[i].added_s = row.created_s;
        row.keys[i].checked_s = 0;
        rc = psn_recipient_normalize(person->keys[i].text, row.keys[i].text, err);
    }
    if (!rc)
        rc = psn_person_check_key(vault, &row, err);
    if (!rc)
        rc = psn_person_store(vault, &row, 1, err);
    if (rc == PSN_E_EXISTS) {
        (void)psn_wrap(err, rc, _("person '%s'"), person->id);
        return psn_hint(err, rc, _("change what is known: passation person set %s"),
                        person->id);
    }
    return rc ? rc
              : note(vault, person->id, "person.added",
                     psn_person_kind_name(person->kind), err);
}

/* --- the public face --- */

/* What a forgotten person had seen stays on record under his id. */
static enum psn_code check_unused(struct psn_vault *vault, const char *id,
                                  struct psn_error *err)
{
    struct psn_exposure_list seen = { 0 };
    enum psn_code rc = psn_exposure_list(vault, id, NULL, &seen, err);
    bool used = seen.count > 0;

    psn_exposure_list_release(&seen);
    if (rc || !used)
        return rc;
    (void)psn_fail(err, PSN_E_EXISTS,
                   _("the id '%s' was somebody else's, who has seen secrets"), id);
    return psn_hint(err, PSN_E_EXISTS, _("choose another id"));
}

static enum psn_code add(struct psn_vault *vault, const struct psn_person *person,
                         struct psn_error *err)
{
    struct psn_person known;
    enum psn_code rc = psn_person_read(vault, person->id, &known, NULL);

    if (rc == PSN_E_NOT_FOUND)
        rc = check_unused(vault, person->id, err);
    else if (rc)
        rc = psn_fail(err, rc, _("cannot read the person '%s'"), person->id);
    return rc ? rc : psn_person_insert(vault, person, err);
}

enum psn_code psn_person_add(struct psn_vault *vault, const struct psn_person *person,
                             struct psn_error *err)
{
    enum psn_code rc = psn_person_check(person, err);

    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    return rc ? rc : psn_vault_end(vault, add(vault, person, err), err);
}

enum psn_code psn_person_get(struct psn_vault *vault, const char *id,
                             struct psn_person *ret_person, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(vault, psn_person_read(vault, id, ret_person, err), err);
}

enum psn_code psn_person_get_owner(struct psn_vault *vault, const char *id,
                                   struct psn_person *ret_person, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    return rc ? rc
              : psn_vault_end(vault, psn_person_read_owner(vault, id, ret_person, err),
                              err);
}

static enum psn_code set(struct psn_vault *vault, const struct psn_person *person,
                         struct psn_error *err)
{
    struct psn_person row;
    uint64_t revision;
    enum psn_code rc = psn_person_load(vault, person->id, &row, &revision, err);

    if (rc)
        return rc;
    row.kind = person->kind;
    memcpy(row.name, person->name, sizeof row.name);
    memcpy(row.email, person->email, sizeof row.email);
    row.group_count = person->group_count;
    memcpy(row.groups, person->groups, sizeof row.groups);
    row.device_count = person->device_count;
    memcpy(row.devices, person->devices, sizeof row.devices);
    row.alias_count = person->alias_count;
    memcpy(row.aliases, person->aliases, sizeof row.aliases);
    rc = psn_person_store(vault, &row, revision + 1, err);
    return rc ? rc : note(vault, person->id, "person.changed", NULL, err);
}

enum psn_code psn_person_set(struct psn_vault *vault, const struct psn_person *person,
                             struct psn_error *err)
{
    enum psn_code rc = psn_person_check(person, err);

    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    return rc ? rc : psn_vault_end(vault, set(vault, person, err), err);
}
