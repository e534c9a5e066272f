#include "core/exposure.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/allow.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "base/limits.h"
#include "base/text.h"
#include "core/item.h"
#include "core/record.h"
#include "core/role.h"

enum {
    TAG_ADDRESS = 1,
    TAG_LABEL = 2,
    TAG_VERSION = 3,
    TAG_PERSON = 4,
    TAG_HOW = 5,
    TAG_TIME = 6,
    TAG_MAX = 6,
};

const char *psn_how_name(enum psn_how how)
{
    switch (how) {
    case PSN_HOW_CREATED:
        return "created";
    case PSN_HOW_TYPED:
        return "typed";
    case PSN_HOW_SHOWN:
        return "shown";
    case PSN_HOW_COPIED:
        return "copied";
    case PSN_HOW_QR:
        return "qr";
    case PSN_HOW_PRINTED:
        return "printed";
    case PSN_HOW_EXPORTED:
        return "exported";
    case PSN_HOW_ISSUED:
        return "issued";
    case PSN_HOW_REACHED:
        return "reached";
    case PSN_HOW_ACCESS:
        return "access";
    case PSN_HOW_RETURNED:
        return "returned";
    }
    return "unknown";
}

/* --- writing --- */

/* The end of a key: whose it is, and how he came to know. */
static enum psn_code add_whose(struct psn_vault *vault, const char *person,
                               enum psn_how how, struct psn_row_key *key,
                               struct psn_error *err)
{
    char whose[PSN_PERSON_ID_MAX + 16];

    (void)snprintf(whose, sizeof whose, "%s %s", person, psn_how_name(how));
    return psn_row_key_add_prf(vault, PSN_TABLE_EXPOSURE, whose, PSN_EXPOSURE_PRF, key,
                               err);
}

/* The beginning of the keys of whoever has seen that version. */
static enum psn_code version_key(struct psn_vault *vault, const char *address,
                                 const char *label, uint64_t version,
                                 struct psn_row_key *ret_key, struct psn_error *err)
{
    enum psn_code rc = psn_row_key_init(vault, PSN_TABLE_EXPOSURE, address, ret_key, err);

    if (!rc)
        rc = psn_row_key_add_prf(vault, PSN_TABLE_EXPOSURE, label, PSN_EXPOSURE_PRF,
                                 ret_key, err);
    if (!rc)
        psn_row_key_add_number(ret_key, version);
    return rc;
}

enum psn_code psn_exposure_key(struct psn_vault *vault,
                               const struct psn_exposure *exposure,
                               struct psn_row_key *ret_key, struct psn_error *err)
{
    enum psn_code rc = version_key(vault, exposure->address, exposure->label,
                                   exposure->version, ret_key, err);

    return rc ? rc : add_whose(vault, exposure->person, exposure->how, ret_key, err);
}

static enum psn_code write_row(struct psn_vault *vault, const struct psn_row_key *key,
                               const struct psn_exposure *exposure, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    enum psn_code rc;

    psn_record_begin(&plain);
    psn_record_put_text(&plain, TAG_ADDRESS, exposure->address);
    psn_record_put_text(&plain, TAG_LABEL, exposure->label);
    psn_record_put_number(&plain, TAG_VERSION, exposure->version);
    psn_record_put_text(&plain, TAG_PERSON, exposure->person);
    psn_record_put_number(&plain, TAG_HOW, (uint64_t)exposure->how);
    psn_record_put_number(&plain, TAG_TIME, (uint64_t)exposure->at_s);
    rc = psn_buf_check(&plain, err);
    return rc ? rc
              : psn_row_put(vault, PSN_TABLE_EXPOSURE, key, 1, vault->rows_key,
                            plain.data, plain.size, err);
}

/* A row that is there already stays: it tells when the person saw the version first. The
 * store finds that out by itself, so nothing is looked up before. */
enum psn_code psn_exposure_put_of(struct psn_vault *vault, const char *person,
                                  const char *address, const char *label,
                                  uint64_t version, enum psn_how how,
                                  struct psn_error *err)
{
    struct psn_exposure exposure = { .version = version,
                                     .how = how,
                                     .at_s = vault->world.now_s() };
    struct psn_row_key key;
    enum psn_code rc;

    (void)psn_text_copy(person, exposure.person, sizeof exposure.person);
    (void)psn_text_copy(address, exposure.address, sizeof exposure.address);
    (void)psn_text_copy(label, exposure.label, sizeof exposure.label);
    rc = psn_exposure_key(vault, &exposure, &key, err);
    if (rc)
        return rc;
    if (strcmp(person, vault->actor) != 0)
        vault->seen_by_actor_alone[0] = '\0';
    return psn_allow(PSN_E_EXISTS, write_row(vault, &key, &exposure, err), NULL, err);
}

enum psn_code psn_exposure_put(struct psn_vault *vault, const char *address,
                               const char *label, uint64_t version, enum psn_how how,
                               struct psn_error *err)
{
    return psn_exposure_put_of(vault, vault->actor, address, label, version, how, err);
}

/* --- reading --- */

/* Whose a row is, its key tells: nobody's that is not asked for is opened. */
struct walk {
    struct psn_vault *vault;
    const char *person;  /* or NULL: anybody */
    bool is_of_others;   /* all but his */
    const char *address; /* or NULL: any */
    const char *label;   /* with a version, or NULL: all */
    uint64_t version;
    uint8_t ends[PSN_HOWS][PSN_EXPOSURE_PRF]; /* of his keys */
    size_t most;
    bool is_cut; /* there are more */
    struct psn_buf plain;
    struct psn_exposure_list list;
};

void psn_exposure_list_release(struct psn_exposure_list *list)
{
    free(list->items);
    *list = (struct psn_exposure_list){ 0 };
}

enum psn_code psn_exposure_decode(const struct psn_buf *plain,
                                  struct psn_exposure *exposure, struct psn_error *err)
{
    struct psn_record record;
    enum psn_code rc = psn_record_parse(plain, TAG_MAX, &record, err);

    if (rc)
        return rc;
    *exposure = (struct psn_exposure){ 0 };
    if (!psn_record_text(&record, TAG_ADDRESS, exposure->address,
                         sizeof exposure->address) ||
        !psn_record_text(&record, TAG_LABEL, exposure->label, sizeof exposure->label) ||
        !psn_record_text(&record, TAG_PERSON, exposure->person, sizeof exposure->person))
        return psn_fail(err, PSN_E_INTEGRITY,
                        _("the record of an exposure is malformed"));
    exposure->version = psn_record_number(&record, TAG_VERSION);
    exposure->how = (enum psn_how)psn_record_number(&record, TAG_HOW);
    exposure->at_s = (int64_t)psn_record_number(&record, TAG_TIME);
    return PSN_OK;
}

enum psn_code psn_exposure_list_add(struct psn_exposure_list *list,
                                    const struct psn_exposure *exposure,
                                    struct psn_error *err)
{
    enum psn_code rc = PSN_GROW(list->items, list->count, err);

    if (!rc)
        list->items[list->count++] = *exposure;
    return rc;
}

static enum psn_code make_ends(struct walk *walk, struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (int how = 0; !rc && walk->person && how < PSN_HOWS; how++) {
        struct psn_row_key end = { .size = 0 };

        rc = add_whose(walk->vault, walk->person, (enum psn_how)how, &end, err);
        if (!rc)
            memcpy(walk->ends[how], end.bytes, PSN_EXPOSURE_PRF);
    }
    return rc;
}

static bool may_be_meant(const struct walk *walk, const struct psn_store_row *row)
{
    if (!walk->person || row->key_size != PSN_EXPOSURE_KEY_SIZE)
        return true;
    for (int how = 0; how < PSN_HOWS; how++)
        if (memcmp(row->key + PSN_EXPOSURE_KEY_SIZE - PSN_EXPOSURE_PRF, walk->ends[how],
                   PSN_EXPOSURE_PRF) == 0)
            return !walk->is_of_others;
    return walk->is_of_others;
}

static bool is_meant(const struct walk *walk, const struct psn_exposure *exposure)
{
    return !walk->person ||
           (strcmp(walk->person, exposure->person) == 0) != walk->is_of_others;
}

static enum psn_code collect(void *arg, const struct psn_store_row *row,
                             const struct psn_buf *unopened, struct psn_error *err)
{
    struct walk *walk = arg;
    struct psn_exposure exposure = { 0 };
    enum psn_code rc;

    (void)unopened;
    if (walk->is_cut || !may_be_meant(walk, row))
        return PSN_OK;
    rc = psn_row_open(walk->vault, PSN_TABLE_EXPOSURE, row, walk->vault->rows_key,
                      &walk->plain, err);
    if (!rc)
        rc = psn_exposure_decode(&walk->plain, &exposure, err);
    if (rc || !is_meant(walk, &exposure))
        return rc;
    walk->is_cut = walk->list.count == walk->most;
    return walk->is_cut ? PSN_OK : psn_exposure_list_add(&walk->list, &exposure, err);
}

static int compare(const void *a, const void *b)
{
    const struct psn_exposure *left = a;
    const struct psn_exposure *right = b;
    int order = strcmp(left->address, right->address);

    if (!order)
        order = strcmp(left->label, right->label);
    if (!order && left->version != right->version)
        order = left->version < right->version ? -1 : 1;
    if (!order)
        order = strcmp(left->person, right->person);
    if (!order && left->at_s != right->at_s)
        order = left->at_s < right->at_s ? -1 : 1;
    return order ? order : (int)left->how - (int)right->how;
}

void psn_exposure_list_sort(struct psn_exposure_list *list)
{
    if (list->count > 1)
        qsort(list->items, list->count, sizeof *list->items, compare);
}

/* Of an entry; the mailbox's own password has no label. */
static enum psn_code judge_item(struct psn_vault *vault,
                                const struct psn_secret_info *info,
                                struct psn_exposure *at, struct psn_error *err)
{
    at->in_force = at->version == info->version;
    at->ready = at->version == info->replacement;
    return at->in_force ? psn_item_lasts(vault, info, at->person, &at->lasting, err)
                        : PSN_OK;
}

static void judge_password(const struct psn_role_row *role, struct psn_exposure *at)
{
    at->in_force = psn_rotation_in_force(&role->rotation, at->version);
    at->dying = psn_rotation_is_dying(&role->rotation, at->version);
    at->outside = role->outside_s;
}

/* Fills what the roles know: one read for each address and label. */
static enum psn_code judge(struct psn_vault *vault, struct psn_exposure_list *list,
                           struct psn_error *err)
{
    struct psn_role_row role = { 0 };
    struct psn_item item = { 0 };
    const struct psn_exposure *last = NULL;

    for (size_t i = 0; i < list->count; i++) {
        struct psn_exposure *at = &list->items[i];
        bool same_role = last && strcmp(last->address, at->address) == 0;
        bool same_item = same_role && strcmp(last->label, at->label) == 0;
        enum psn_code rc = PSN_OK;

        if (!same_role)
            rc = psn_role_read(vault, at->address, &role, err);
        if (!rc && !same_item && at->label[0])
            rc = psn_item_read(vault, at->address, at->label, &item, err);
        if (rc)
            return rc;
        memcpy(at->client, role.client, sizeof at->client);
        if (at->label[0])
            rc = judge_item(vault, &item.info, at, err);
        else
            judge_password(&role, at);
        if (rc)
            return rc;
        last = at;
    }
    return PSN_OK;
}

/* On an error the list is empty. */
static enum psn_code walk_rows(struct walk *walk, struct psn_error *err)
{
    struct psn_row_key prefix;
    enum psn_code rc = make_ends(walk, err);

    walk->plain = psn_buf_init_wiped(PSN_RECORD_MAX);
    if (!rc && walk->label)
        rc = version_key(walk->vault, walk->address, walk->label, walk->version, &prefix,
                         err);
    else if (!rc && walk->address)
        rc = psn_row_key_init(walk->vault, PSN_TABLE_EXPOSURE, walk->address, &prefix,
                              err);
    if (!rc)
        rc = psn_row_each(walk->vault, PSN_TABLE_EXPOSURE, walk->address ? &prefix : NULL,
                          NULL, collect, walk, err);
    psn_buf_release(&walk->plain);
    if (rc)
        psn_exposure_list_release(&walk->list);
    return rc;
}

enum psn_code psn_exposure_list_others(struct psn_vault *vault, const char *address,
                                       struct psn_exposure_list *ret_list,
                                       struct psn_error *err)
{
    struct walk walk = { .vault = vault,
                         .person = vault->actor,
                         .is_of_others = true,
                         .address = address,
                         .most = SIZE_MAX };
    enum psn_code rc = PSN_OK;

    /* An import asks for each of many secrets that hang on one mailbox. */
    if (!address[0] || strcmp(vault->seen_by_actor_alone, address) != 0)
        rc = walk_rows(&walk, err);
    if (rc)
        return rc;
    if (walk.list.count == 0)
        (void)psn_text_copy(address, vault->seen_by_actor_alone,
                            sizeof vault->seen_by_actor_alone);
    *ret_list = walk.list;
    return PSN_OK;
}

/* Sorted and judged, unless there are more than wanted: then the list is empty. */
static enum psn_code list_judged(struct walk *walk, struct psn_error *err)
{
    enum psn_code rc = walk_rows(walk, err);

    psn_exposure_list_sort(&walk->list);
    if (!rc && !walk->is_cut)
        rc = judge(walk->vault, &walk->list, err);
    if (rc || walk->is_cut)
        psn_exposure_list_release(&walk->list);
    return rc;
}

enum psn_code psn_exposure_list(struct psn_vault *vault, const char *person,
                                const char *address, struct psn_exposure_list *ret_list,
                                struct psn_error *err)
{
    struct walk walk = {
        .vault = vault, .person = person, .address = address, .most = SIZE_MAX
    };
    enum psn_code rc = list_judged(&walk, err);

    if (!rc)
        *ret_list = walk.list;
    return rc;
}

enum psn_code psn_exposure_list_few(struct psn_vault *vault, const char *person,
                                    struct psn_exposure_list *ret_list, bool *ret_all,
                                    struct psn_error *err)
{
    struct walk walk = { .vault = vault, .person = person, .most = PSN_EXPOSURE_FEW };
    enum psn_code rc = list_judged(&walk, err);

    if (rc)
        return rc;
    *ret_all = !walk.is_cut;
    *ret_list = walk.list;
    return PSN_OK;
}

/* --- the public view --- */

static enum psn_code list_checked(struct walk *walk, struct psn_error *err)
{
    struct psn_role_row role;
    enum psn_code rc = PSN_OK;

    if (walk->address && !walk->label)
        rc = psn_role_read(walk->vault, walk->address, &role, err);
    return rc ? rc : list_judged(walk, err);
}

static enum psn_code each_of(struct walk walk, psn_exposure_fn *each, void *arg,
                             struct psn_error *err)
{
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = walk.address ? psn_role_begin(walk.vault, PSN_STORE_READ,
                                                     walk.address, normal, err)
                                    : psn_vault_begin(walk.vault, PSN_STORE_READ, err);

    if (rc)
        return rc;
    walk.address = walk.address ? normal : NULL;
    rc = psn_vault_end(walk.vault, list_checked(&walk, err), err);
    for (size_t i = 0; !rc && i < walk.list.count; i++)
        rc = each(arg, &walk.list.items[i], err);
    psn_exposure_list_release(&walk.list);
    return rc;
}

enum psn_code psn_exposure_each(struct psn_vault *vault, const char *person,
                                const char *address, psn_exposure_fn *each, void *arg,
                                struct psn_error *err)
{
    struct walk walk = {
        .vault = vault, .person = person, .address = address, .most = SIZE_MAX
    };

    return each_of(walk, each, arg, err);
}

enum psn_code psn_exposure_each_of(struct psn_vault *vault, const char *address,
                                   const char *label, uint64_t version,
                                   psn_exposure_fn *each, void *arg,
                                   struct psn_error *err)
{
    struct walk walk = { .vault = vault,
                         .address = address,
                         .label = label,
                         .version = version,
                         .most = SIZE_MAX };

    return each_of(walk, each, arg, err);
}

enum psn_code psn_exposure_works(struct psn_vault *vault, const struct psn_exposure *seen,
                                 bool *ret_works, struct psn_error *err)
{
    struct psn_role_row role;
    enum psn_code rc;

    *ret_works = seen->in_force;
    if (!seen->in_force || seen->label[0])
        return PSN_OK;
    rc = psn_role_read(vault, seen->address, &role, err);
    *ret_works = !rc && !role.gone_s;
    return rc;
}

struct collecting {
    struct psn_vault *vault;
    const char *client;
    struct psn_exposure_list *list;
};

static enum psn_code collect_role(void *arg, const struct psn_role_row *row,
                                  struct psn_error *err)
{
    const struct collecting *collecting = arg;
    struct psn_exposure_list seen = { 0 };
    enum psn_code rc;

    if (strcmp(row->client, collecting->client) != 0)
        return PSN_OK;
    rc = psn_exposure_list(collecting->vault, NULL, row->address, &seen, err);
    for (size_t i = 0; !rc && i < seen.count; i++)
        rc = psn_exposure_list_add(collecting->list, &seen.items[i], err);
    psn_exposure_list_release(&seen);
    return rc;
}

enum psn_code psn_exposure_list_of_client(struct psn_vault *vault, const char *client,
                                          struct psn_exposure_list *ret_list,
                                          struct psn_error *err)
{
    struct collecting collecting = { vault, client, ret_list };

    return psn_role_scan(vault, NULL, 0, collect_role, &collecting, err);
}
