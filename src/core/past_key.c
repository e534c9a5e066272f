#include "core/past_key.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/allow.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "core/record.h"
#include "core/trust.h"

/* A row for each key and person, in table TRUST, whose rows are told apart by their first
 * tag: what is held of others, besides the people themselves. */
enum {
    TAG_KIND = 1,
    TAG_TEXT = 2,
    TAG_PERSON = 3,
    TAG_TIME = 4,
    TAG_ANY = UINT16_MAX, /* of the other kinds of rows */
    PERSON_PRF = 8,
};

static enum psn_code key_prefix(struct psn_vault *vault, const char *text,
                                struct psn_row_key *ret_key, struct psn_error *err)
{
    char name[PSN_RECIPIENT_TEXT_MAX + 16];

    (void)snprintf(name, sizeof name, "past-key %s", text);
    return psn_row_key_init(vault, PSN_TABLE_TRUST, name, ret_key, err);
}

static enum psn_code row_key(struct psn_vault *vault, const struct psn_past_key *key,
                             struct psn_row_key *ret_key, struct psn_error *err)
{
    enum psn_code rc = key_prefix(vault, key->text, ret_key, err);

    return rc ? rc
              : psn_row_key_add_prf(vault, PSN_TABLE_TRUST, key->person, PERSON_PRF,
                                    ret_key, err);
}

enum psn_code psn_past_key_put(struct psn_vault *vault, const struct psn_past_key *key,
                               struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    struct psn_row_key at;
    enum psn_code rc = row_key(vault, key, &at, err);

    if (rc)
        return rc;
    psn_record_begin(&plain);
    psn_record_put_number(&plain, TAG_KIND, PSN_TRUST_PAST_KEY);
    psn_record_put_text(&plain, TAG_TEXT, key->text);
    psn_record_put_text(&plain, TAG_PERSON, key->person);
    psn_record_put_number(&plain, TAG_TIME, (uint64_t)key->noted_s);
    rc = psn_buf_check(&plain, err);
    return rc ? rc
              : psn_allow(PSN_E_EXISTS,
                          psn_row_put(vault, PSN_TABLE_TRUST, &at, 1, vault->rows_key,
                                      plain.data, plain.size, err),
                          NULL, err);
}

enum psn_code psn_past_key_note(struct psn_vault *vault, const char *text,
                                const char *person, struct psn_error *err)
{
    struct psn_past_key key = { .noted_s = vault->world.now_s() };

    (void)snprintf(key.text, sizeof key.text, "%s", text);
    (void)snprintf(key.person, sizeof key.person, "%s", person);
    return psn_past_key_put(vault, &key, err);
}

/* --- reading --- */

struct walk {
    psn_past_key_fn *each;
    void *arg;
};

static enum psn_code pass_on(void *arg, const struct psn_store_row *row,
                             const struct psn_buf *plain, struct psn_error *err)
{
    const struct walk *walk = arg;
    struct psn_past_key key;
    struct psn_record record;
    enum psn_code rc = psn_record_parse(plain, TAG_ANY, &record, err);

    (void)row;
    if (rc || psn_record_number(&record, TAG_KIND) != PSN_TRUST_PAST_KEY)
        return rc;
    if (!psn_record_text(&record, TAG_TEXT, key.text, sizeof key.text) ||
        !psn_record_text(&record, TAG_PERSON, key.person, sizeof key.person))
        return psn_fail(err, PSN_E_INTEGRITY, _("the record of a key is malformed"));
    key.noted_s = (int64_t)psn_record_number(&record, TAG_TIME);
    return walk->each(walk->arg, &key, err);
}

enum psn_code psn_past_key_each(struct psn_vault *vault, const char *text,
                                psn_past_key_fn *each, void *arg, struct psn_error *err)
{
    struct walk walk = { each, arg };
    struct psn_row_key prefix;
    enum psn_code rc = text ? key_prefix(vault, text, &prefix, err) : PSN_OK;

    return rc ? rc
              : psn_row_each(vault, PSN_TABLE_TRUST, text ? &prefix : NULL,
                             vault->rows_key, pass_on, &walk, err);
}

/* --- forgetting --- */

struct owned {
    const char *person;
    struct psn_past_key *items;
    size_t count;
};

static enum psn_code collect(void *arg, const struct psn_past_key *key,
                             struct psn_error *err)
{
    struct owned *owned = arg;
    enum psn_code rc;

    if (strcmp(key->person, owned->person) != 0)
        return PSN_OK;
    rc = PSN_GROW(owned->items, owned->count, err);
    if (!rc)
        owned->items[owned->count++] = *key;
    return rc;
}

enum psn_code psn_past_key_forget(struct psn_vault *vault, const char *person,
                                  struct psn_error *err)
{
    struct owned owned = { .person = person };
    enum psn_code rc = psn_past_key_each(vault, NULL, collect, &owned, err);

    for (size_t i = 0; !rc && i < owned.count; i++) {
        struct psn_row_key key;

        rc = row_key(vault, &owned.items[i], &key, err);
        if (!rc)
            rc = psn_row_delete_all(vault, PSN_TABLE_TRUST, &key, err);
    }
    free(owned.items);
    return rc;
}
