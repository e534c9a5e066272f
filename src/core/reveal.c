#include "core/reveal.h"

#include <stdlib.h>
#include <string.h>

#include "base/allow.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "core/client.h"
#include "core/exposure.h"
#include "core/item.h"
#include "core/journal.h"
#include "core/version.h"

/*
 * The one way out for a secret. Whatever shows, copies, prints, exports or issues one
 * comes through here: the exposure and its journal entry are committed and durable before
 * the caller gets a byte. A crash in between leaves one exposure too many, never one too
 * few.
 */
static enum psn_code note_disclosure(struct psn_vault *vault,
                                     const struct psn_disclosure *disclosure,
                                     struct psn_error *err)
{
    const char *person = disclosure->person ? disclosure->person : vault->actor;
    bool issued = disclosure->how == PSN_HOW_ISSUED;
    enum psn_code rc =
        psn_exposure_put_of(vault, person, disclosure->address, disclosure->label,
                            disclosure->version, disclosure->how, err);

    return rc ? rc
              : psn_journal_note(
                    vault, disclosure->client,
                    &(struct psn_note){
                        .event = issued ? "secret.issued" : "secret.revealed",
                        .subject = disclosure->address,
                        .label = disclosure->label,
                        .version = disclosure->version,
                        .text = disclosure->text ? disclosure->text
                                                 : psn_how_name(disclosure->how) },
                    err);
}

enum psn_code psn_disclose(struct psn_vault *vault,
                           const struct psn_disclosure *disclosure,
                           struct psn_secret **ret_value, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_version version;
    enum psn_code rc =
        psn_version_get(vault, disclosure->client, disclosure->address, disclosure->label,
                        disclosure->version, &version, &value, err);

    if (!rc)
        rc = note_disclosure(vault, disclosure, err);
    if (!rc)
        *ret_value = PSN_TAKE(value);
    return rc;
}

static enum psn_code note_exposure(struct psn_vault *vault, const struct psn_item *item,
                                   uint64_t version, enum psn_how how,
                                   struct psn_error *err)
{
    return note_disclosure(vault,
                           &(struct psn_disclosure){ .client = item->client,
                                                     .address = item->info.address,
                                                     .label = item->info.label,
                                                     .version = version,
                                                     .how = how },
                           err);
}

static enum psn_code fail_no_version(const struct psn_item *item, uint64_t version,
                                     struct psn_error *err)
{
    if (version)
        return psn_fail(err, PSN_E_NOT_FOUND, _("%s has no version %llu of this secret"),
                        item->info.address, (unsigned long long)version);
    (void)psn_fail(err, PSN_E_NOT_FOUND, _("no password of '%s' is proved yet"),
                   item->info.address);
    return psn_hint(
        err, PSN_E_NOT_FOUND,
        _("finish what was begun: passation resume %s; all that was tried: passation "
          "show --versions %s"),
        item->info.address, item->info.address);
}

static enum psn_code reveal(struct psn_vault *vault, const char *address,
                            const char *label, uint64_t number, enum psn_how how,
                            struct psn_secret **ret_value, uint64_t *ret_version,
                            struct psn_error *err)
{
    struct psn_item item = { 0 };
    bool is_missing;
    uint64_t wanted;
    enum psn_code rc = psn_item_read(vault, address, label, &item, err);

    if (rc)
        return rc;
    wanted = number ? number : item.info.version;
    if (wanted == 0)
        return fail_no_version(&item, 0, err);
    rc = psn_allow(PSN_E_NOT_FOUND,
                   psn_disclose(vault,
                                &(struct psn_disclosure){ .client = item.client,
                                                          .address = address,
                                                          .label = label,
                                                          .version = wanted,
                                                          .how = how },
                                ret_value, err),
                   &is_missing, err);
    if (is_missing)
        return fail_no_version(&item, wanted, err);
    if (!rc)
        *ret_version = wanted;
    return rc;
}

enum psn_code psn_reveal(struct psn_vault *vault, const char *address, const char *label,
                         uint64_t version, enum psn_how how,
                         struct psn_secret **ret_value, uint64_t *ret_version,
                         struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_role_begin(vault, PSN_STORE_WRITE, address, normal, err);

    if (rc)
        return rc;
    rc = psn_vault_end(
        vault, reveal(vault, normal, label, version, how, &value, ret_version, err), err);
    if (!rc)
        *ret_value = PSN_TAKE(value);
    return rc;
}

/* --- all versions --- */

struct version_list {
    struct psn_version *items;
    struct psn_secret **values; /* NULL where they stay in */
    size_t count;
    const enum psn_how *how; /* they get out, or NULL: they stay in */
};

static enum psn_code collect(void *arg, const struct psn_version *version,
                             struct psn_secret *value, struct psn_error *err)
{
    struct version_list *list = arg;
    enum psn_code rc = PSN_GROW(list->items, list->count, err);

    if (!rc)
        rc = PSN_GROW(list->values, list->count, err);
    if (rc)
        return rc;
    list->values[list->count] = NULL;
    if (list->how)
        rc = psn_secret_copy(psn_secret_bytes(value), psn_secret_size(value),
                             &list->values[list->count], err);
    if (!rc)
        list->items[list->count++] = *version;
    return rc;
}

static void release_list(struct version_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        psn_secret_free(list->values[i]);
    free(list->values);
    free(list->items);
}

static enum psn_code list_inside(struct psn_vault *vault, const char *address,
                                 const char *label, struct version_list *list,
                                 struct psn_error *err)
{
    struct psn_item item = { 0 };
    enum psn_code rc = psn_item_read(vault, address, label, &item, err);

    if (!rc)
        rc = psn_version_scan(vault, item.client, address, label, collect, list, err);
    for (size_t i = 0; !rc && list->how && i < list->count; i++)
        rc = note_exposure(vault, &item, list->items[i].number, *list->how, err);
    return rc;
}

static enum psn_code list_versions(struct psn_vault *vault, const char *address,
                                   const char *label, struct version_list *list,
                                   struct psn_error *err)
{
    char normal[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = psn_role_begin(vault, list->how ? PSN_STORE_WRITE : PSN_STORE_READ,
                                      address, normal, err);

    return rc ? rc
              : psn_vault_end(vault, list_inside(vault, normal, label, list, err), err);
}

enum psn_code psn_version_each(struct psn_vault *vault, const char *address,
                               const char *label, psn_version_fn *each, void *arg,
                               struct psn_error *err)
{
    struct version_list list = { .how = NULL };
    enum psn_code rc = list_versions(vault, address, label, &list, err);

    for (size_t i = list.count; !rc && i > 0; i--)
        rc = each(arg, &list.items[i - 1], err);
    release_list(&list);
    return rc;
}

enum psn_code psn_reveal_versions(struct psn_vault *vault, const char *address,
                                  const char *label, enum psn_how how,
                                  psn_reveal_fn *each, void *arg, struct psn_error *err)
{
    struct version_list list = { .how = &how };
    enum psn_code rc = list_versions(vault, address, label, &list, err);

    for (size_t i = list.count; !rc && i > 0; i--)
        rc = each(arg, &list.items[i - 1], list.values[i - 1], err);
    release_list(&list);
    return rc;
}
