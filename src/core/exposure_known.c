#include <stdlib.h>
#include <string.h>

#include "base/i18n.h"
#include "base/limits.h"
#include "core/exposure.h"
#include "core/item.h"

/*
 * What somebody without right knows. Nearly all exposures are of those who have a right,
 * or of passwords that are in force no more, and their rows' keys tell that: the store
 * has verified them. So a row is opened only if its key does not say that it is harmless;
 * one that says nothing is opened as well.
 */

/* --- what PRFs in keys stand for --- */

struct meaning {
    uint8_t prf[PSN_PRF_SIZE]; /* a shorter one is followed by zeros */
    const void *what;          /* NULL: the place is free */
};

struct meanings {
    struct meaning *items; /* by their first bytes, which are random */
    size_t count;
    size_t size; /* a power of two, or 0 */
};

static struct meaning *find_place(const struct meanings *all, const uint8_t *prf)
{
    size_t at;

    memcpy(&at, prf, sizeof at);
    for (at &= all->size - 1; all->items[at].what; at = (at + 1) & (all->size - 1))
        if (memcmp(all->items[at].prf, prf, PSN_PRF_SIZE) == 0)
            break;
    return &all->items[at];
}

static const void *find(const struct meanings *all, const uint8_t *prf, size_t size)
{
    uint8_t padded[PSN_PRF_SIZE] = { 0 };

    if (all->size == 0)
        return NULL;
    memcpy(padded, prf, size);
    return find_place(all, padded)->what;
}

static enum psn_code make_room(struct meanings *all, struct psn_error *err)
{
    struct meanings grown = { .count = all->count };

    if (2 * (all->count + 1) <= all->size)
        return PSN_OK;
    grown.size = all->size ? 2 * all->size : 64;
    grown.items = calloc(grown.size, sizeof *grown.items);
    if (!grown.items)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    for (size_t i = 0; i < all->size; i++)
        if (all->items[i].what)
            *find_place(&grown, all->items[i].prf) = all->items[i];
    free(all->items);
    *all = grown;
    return PSN_OK;
}

static enum psn_code add(struct meanings *all, const uint8_t *prf, size_t size,
                         const void *what, struct psn_error *err)
{
    struct meaning meaning = { .what = what };
    struct meaning *place;
    enum psn_code rc = make_room(all, err);

    if (rc)
        return rc;
    memcpy(meaning.prf, prf, size);
    place = find_place(all, meaning.prf);
    all->count += place->what ? 0 : 1;
    *place = meaning;
    return PSN_OK;
}

/* --- rows --- */

struct known {
    struct psn_vault *vault;
    const struct psn_survey *survey;
    const char *person;
    struct psn_exposure_list *list;
    struct psn_buf plain;
    struct meanings roles;  /* of addresses: struct psn_role_brief */
    struct meanings people; /* of person and way: struct psn_person; as they come by */
    uint8_t none[PSN_PRF_SIZE]; /* of the label of a password */
};

static bool is_dying(const struct psn_role_brief *role, uint64_t version)
{
    return role->undead != 0 && role->undead <= version && version <= role->old;
}

static bool is_in_force(const struct psn_role_brief *role, uint64_t version)
{
    return version == role->cur || version == role->pend || is_dying(role, version);
}

static uint64_t number_at(const uint8_t *bytes)
{
    uint64_t number = 0;

    for (size_t i = 0; i < 8; i++)
        number = number << 8 | bytes[i];
    return number;
}

/* By its key alone. Of another secret its row has to be asked. */
static bool is_harmless(const struct known *known, const struct psn_store_row *row)
{
    const uint8_t *label = row->key + PSN_PRF_SIZE;
    const uint8_t *version = label + PSN_EXPOSURE_PRF;
    const struct psn_role_brief *role;
    const struct psn_person *person;

    if (row->key_size != PSN_EXPOSURE_KEY_SIZE ||
        memcmp(label, known->none, PSN_EXPOSURE_PRF) != 0)
        return false;
    role = find(&known->roles, row->key, PSN_PRF_SIZE);
    if (!role)
        return false;
    if (!is_in_force(role, number_at(version)))
        return true;
    person = find(&known->people, version + 8, PSN_EXPOSURE_PRF);
    return person && ((known->person && strcmp(known->person, person->id) != 0) ||
                      psn_reach_has_right(&known->survey->reach, person->id, role->client,
                                          role->address, ""));
}

/* Whose the end of a key is, for the rows that follow. */
static enum psn_code learn(struct known *known, const struct psn_store_row *row,
                           const char *id, struct psn_error *err)
{
    const struct psn_person *person = psn_reach_person(&known->survey->reach, id);

    if (!person || row->key_size != PSN_EXPOSURE_KEY_SIZE)
        return PSN_OK;
    return add(&known->people, row->key + PSN_EXPOSURE_KEY_SIZE - PSN_EXPOSURE_PRF,
               PSN_EXPOSURE_PRF, person, err);
}

static enum psn_code judge(struct known *known, struct psn_exposure *at,
                           struct psn_error *err)
{
    const struct psn_role_brief *role;

    if (known->person && strcmp(known->person, at->person) != 0)
        return PSN_OK;
    role = psn_survey_role(known->survey, at->address);
    if (!role)
        return psn_role_fail_unknown(at->address, err);
    if (!at->label[0]) {
        at->dying = is_dying(role, at->version);
        at->in_force = is_in_force(role, at->version);
        if (!at->in_force)
            return PSN_OK;
    }
    memcpy(at->client, role->client, sizeof at->client);
    if (psn_reach_has_right(&known->survey->reach, at->person, at->client, at->address,
                            at->label))
        return PSN_OK;
    return psn_exposure_list_add(known->list, at, err);
}

static enum psn_code collect(void *arg, const struct psn_store_row *row,
                             const struct psn_buf *unopened, struct psn_error *err)
{
    struct known *known = arg;
    struct psn_exposure at = { 0 };
    enum psn_code rc;

    (void)unopened;
    if (is_harmless(known, row))
        return PSN_OK;
    rc = psn_row_open(known->vault, PSN_TABLE_EXPOSURE, row, known->vault->rows_key,
                      &known->plain, err);
    if (!rc)
        rc = psn_exposure_decode(&known->plain, &at, err);
    if (!rc)
        rc = learn(known, row, at.person, err);
    return rc ? rc : judge(known, &at, err);
}

static enum psn_code collect_all(struct known *known, struct psn_error *err)
{
    enum psn_code rc =
        psn_vault_prf(known->vault, PSN_TABLE_EXPOSURE, "", known->none, err);

    for (size_t i = 0; !rc && i < known->survey->role_count; i++) {
        const struct psn_role_brief *role = &known->survey->roles[i];
        uint8_t prf[PSN_PRF_SIZE];

        rc = psn_vault_prf(known->vault, PSN_TABLE_EXPOSURE, role->address, prf, err);
        if (!rc)
            rc = add(&known->roles, prf, sizeof prf, role, err);
    }
    return rc ? rc
              : psn_row_each(known->vault, PSN_TABLE_EXPOSURE, NULL, NULL, collect, known,
                             err);
}

/* *item is the one that was read last. */
static enum psn_code judge_item(struct psn_vault *vault, struct psn_exposure *at,
                                struct psn_item *item, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    if (strcmp(item->info.address, at->address) != 0 ||
        strcmp(item->info.label, at->label) != 0)
        rc = psn_item_read(vault, at->address, at->label, item, err);
    if (rc)
        return rc;
    at->in_force = at->version == item->info.version;
    return at->in_force
               ? psn_item_lasts(vault, &item->info, at->person, &at->lasting, err)
               : PSN_OK;
}

/* The list is sorted: one read for each secret. */
static enum psn_code judge_items(struct psn_vault *vault, struct psn_exposure_list *list,
                                 struct psn_error *err)
{
    struct psn_item item = { 0 };
    size_t kept = 0;

    for (size_t i = 0; i < list->count; i++) {
        struct psn_exposure *at = &list->items[i];
        enum psn_code rc = at->label[0] ? judge_item(vault, at, &item, err) : PSN_OK;

        if (rc)
            return rc;
        if (at->in_force)
            list->items[kept++] = *at;
    }
    list->count = kept;
    return PSN_OK;
}

enum psn_code psn_exposure_list_known(struct psn_vault *vault,
                                      const struct psn_survey *survey, const char *person,
                                      struct psn_exposure_list *ret_list,
                                      struct psn_error *err)
{
    struct psn_exposure_list list = { 0 };
    struct known known = { .vault = vault,
                           .survey = survey,
                           .person = person,
                           .list = &list,
                           .plain = psn_buf_init_wiped(PSN_RECORD_MAX) };
    enum psn_code rc = collect_all(&known, err);

    psn_exposure_list_sort(&list);
    if (!rc)
        rc = judge_items(vault, &list, err);
    psn_buf_release(&known.plain);
    free(known.roles.items);
    free(known.people.items);
    if (rc) {
        psn_exposure_list_release(&list);
        return rc;
    }
    *ret_list = list;
    return PSN_OK;
}
