#include <string.h>

#include "base/i18n.h"
#include "core/exposure.h"
#include "core/item.h"
#include "core/same_value.h"
#include "core/version.h"

/*
 * A value that comes back. Who has seen it under another number, or beside another secret
 * of the same mailbox, knows it all the same: a new number makes nothing new of it.
 */
struct carrying {
    struct psn_vault *vault;
    const struct psn_coming *coming;
    const struct psn_exposure_list *seen;
    const char *label; /* of the versions that are looked at */
    const char *type;
    struct psn_exposure_list *known;
};

static enum psn_code compare_version(void *arg, const struct psn_version *version,
                                     struct psn_secret *value, struct psn_error *err)
{
    struct carrying *carrying = arg;
    const struct psn_coming *coming = carrying->coming;
    enum psn_code rc = PSN_OK;

    if (!psn_value_is_known_by(carrying->type, value, coming->value) ||
        (version->number == coming->version &&
         strcmp(carrying->label, coming->label) == 0))
        return PSN_OK;
    for (size_t i = 0; !rc && i < carrying->seen->count; i++) {
        const struct psn_exposure *at = &carrying->seen->items[i];

        if (at->version == version->number && strcmp(at->label, carrying->label) == 0)
            rc = psn_exposure_list_add(carrying->known, at, err);
    }
    return rc;
}

static enum psn_code compare_label(void *arg, const struct psn_secret_info *info,
                                   struct psn_error *err)
{
    struct carrying *carrying = arg;
    const struct psn_coming *coming = carrying->coming;

    carrying->label = info->label;
    carrying->type = info->type;
    return psn_version_scan(carrying->vault, coming->client, coming->address, info->label,
                            compare_version, carrying, err);
}

/* The password first, which is under no label. */
static enum psn_code compare_all(struct carrying *carrying, struct psn_error *err)
{
    static const struct psn_secret_info password = { .label = "" };
    enum psn_code rc = compare_label(carrying, &password, err);

    return rc ? rc
              : psn_item_each_all(carrying->vault, carrying->coming->address,
                                  compare_label, carrying, err);
}

enum psn_code psn_exposure_list_knowing(struct psn_vault *vault,
                                        const struct psn_coming *coming,
                                        struct psn_exposure_list *ret_known,
                                        struct psn_error *err)
{
    struct psn_exposure_list seen = { 0 };
    struct psn_exposure_list known = { 0 };
    struct carrying carrying = {
        .vault = vault, .coming = coming, .seen = &seen, .known = &known
    };
    /* Whoever gives the value has seen it anyway. */
    enum psn_code rc = psn_exposure_list_others(vault, coming->address, &seen, err);

    if (!rc && seen.count > 0)
        rc = compare_all(&carrying, err);
    psn_exposure_list_release(&seen);
    if (rc) {
        psn_exposure_list_release(&known);
        return rc;
    }
    *ret_known = known;
    return PSN_OK;
}

enum psn_code psn_exposure_put_known(struct psn_vault *vault,
                                     const struct psn_coming *coming,
                                     const struct psn_exposure_list *known,
                                     struct psn_error *err)
{
    enum psn_code rc = PSN_OK;

    for (size_t i = 0; !rc && i < known->count; i++)
        rc =
            psn_exposure_put_of(vault, known->items[i].person, coming->address,
                                coming->label, coming->version, known->items[i].how, err);
    return rc;
}

enum psn_code psn_exposure_carry(struct psn_vault *vault, const struct psn_coming *coming,
                                 struct psn_error *err)
{
    struct psn_exposure_list known = { 0 };
    enum psn_code rc = psn_exposure_list_knowing(vault, coming, &known, err);

    if (!rc)
        rc = psn_exposure_put_known(vault, coming, &known, err);
    psn_exposure_list_release(&known);
    return rc;
}
