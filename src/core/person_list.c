#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "base/text.h"
#include "core/person.h"

struct person_list {
    struct psn_person *items;
    size_t count;
};

static enum psn_code collect(void *arg, const struct psn_store_row *row,
                             const struct psn_buf *plain, struct psn_error *err)
{
    struct person_list *list = arg;
    enum psn_code rc = PSN_GROW(list->items, list->count, err);

    (void)row;
    return rc ? rc : psn_person_decode(plain, &list->items[list->count++], err);
}

static int compare_ids(const void *a, const void *b)
{
    return strcmp(((const struct psn_person *)a)->id, ((const struct psn_person *)b)->id);
}

static enum psn_code read_all(struct psn_vault *vault, struct person_list *ret_list,
                              struct psn_error *err)
{
    struct person_list list = { 0 };
    enum psn_code rc =
        psn_row_each(vault, PSN_TABLE_PERSON, NULL, vault->rows_key, collect, &list, err);

    if (rc) {
        free(list.items);
        return rc;
    }
    if (list.count > 1)
        qsort(list.items, list.count, sizeof *list.items, compare_ids);
    *ret_list = list;
    return PSN_OK;
}

/* Who issues to many asks again and again: the root of the table's tree tells for sure
 * whether what was read is still true. */
enum psn_code psn_person_known(struct psn_vault *vault,
                               const struct psn_person **ret_people, size_t *ret_count,
                               struct psn_error *err)
{
    struct psn_people_known *known = &vault->people;
    uint8_t root[PSN_STORE_HASH_SIZE];
    struct person_list list = { 0 };
    enum psn_code rc = psn_row_root(vault, PSN_TABLE_PERSON, root, err);

    if (!rc && (!known->items || memcmp(known->root, root, sizeof root) != 0)) {
        rc = read_all(vault, &list, err);
        if (rc)
            return rc;
        free(known->items);
        known->items = list.items;
        known->count = list.count;
        memcpy(known->root, root, sizeof root);
    }
    *ret_people = known->items;
    *ret_count = known->items ? known->count : 0;
    return rc;
}

enum psn_code psn_person_list(struct psn_vault *vault, struct psn_person **ret_people,
                              size_t *ret_count, struct psn_error *err)
{
    const struct psn_person *known = NULL;
    enum psn_code rc = psn_person_known(vault, &known, ret_count, err);

    *ret_people = NULL;
    if (rc || *ret_count == 0)
        return rc;
    *ret_people = malloc(*ret_count * sizeof **ret_people);
    if (!*ret_people)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    memcpy(*ret_people, known, *ret_count * sizeof **ret_people);
    return PSN_OK;
}

enum psn_code psn_person_each(struct psn_vault *vault, psn_person_fn *each, void *arg,
                              struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *people = NULL;
    size_t count = 0;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    rc = psn_vault_end(vault, psn_person_list(vault, &people, &count, err), err);
    for (size_t i = 0; !rc && i < count; i++)
        rc = each(arg, &people[i], err);
    return rc;
}

static bool is_member(const struct psn_person *person, const char *group)
{
    for (size_t i = 0; i < person->group_count; i++)
        if (strcmp(person->groups[i], group) == 0)
            return true;
    return false;
}

static enum psn_code select_group(struct psn_vault *vault, const char *group,
                                  struct psn_person **ret_people, size_t *ret_count,
                                  struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *people = NULL;
    char shown[128];
    size_t count = 0;
    size_t kept = 0;
    enum psn_code rc = psn_person_list(vault, &people, &count, err);

    for (size_t i = 0; !rc && i < count; i++)
        if (is_member(&people[i], group))
            people[kept++] = people[i];
    if (rc)
        return rc;
    if (kept == 0) {
        (void)psn_fail(err, PSN_E_NOT_FOUND, _("nobody is in the group '@%s'"),
                       psn_text_shown(group, shown, sizeof shown));
        return psn_hint(err, PSN_E_NOT_FOUND,
                        _("put people into it with: passation person set ID --group %s"),
                        shown);
    }
    *ret_people = people;
    people = NULL;
    *ret_count = kept;
    return PSN_OK;
}

enum psn_code psn_person_select(struct psn_vault *vault, const char *who,
                                struct psn_person **ret_people, size_t *ret_count,
                                struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *person = NULL;
    enum psn_code rc;

    if (who[0] == '@')
        return select_group(vault, who + 1, ret_people, ret_count, err);
    person = malloc(sizeof *person);
    if (!person)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    rc = psn_person_read(vault, who, person, err);
    if (rc)
        return rc;
    *ret_people = person;
    person = NULL;
    *ret_count = 1;
    return PSN_OK;
}
