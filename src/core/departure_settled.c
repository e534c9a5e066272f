#include <string.h>

#include "base/i18n.h"
#include "core/departure.h"
#include "core/exposure.h"
#include "core/person.h"

/*
 * What must not be forgotten: what somebody who is leaving knows stays in the vault until
 * it is replaced.
 */

static const struct psn_person *find_leaver(const struct psn_person *people, size_t count,
                                            const char *id)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(people[i].id, id) == 0)
            return people[i].departing_s && !people[i].departed_s ? &people[i] : NULL;
    return NULL;
}

/* address NULL: the whole client is to go. */
static enum psn_code check_seen(struct psn_vault *vault, const char *person,
                                const char *address, const struct psn_exposure *seen,
                                struct psn_error *err)
{
    bool works = false;
    enum psn_code rc = psn_exposure_works(vault, seen, &works, err);

    if (rc || !works)
        return rc;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("'%s' is leaving and knows a secret of %s that is in force: "
                     "forgotten here, it would still work at OVH"),
                   person, seen->address);
    return address
               ? psn_hint(err, PSN_E_POLICY,
                          _("finish that first: passation resume; if it can never be: "
                            "passation role rm %s --confirm %s --unchanged 'WHY'"),
                          address, address)
               : psn_hint(err, PSN_E_POLICY,
                          _("finish that first: passation resume; if it can never be: "
                            "passation client rm %s --confirm %s --unchanged 'WHY'"),
                          seen->client, seen->client);
}

enum psn_code psn_departure_check_settled(struct psn_vault *vault, const char *client,
                                          const char *address, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_person *people = NULL;
    struct psn_exposure_list seen = { 0 };
    size_t count = 0;
    enum psn_code rc = psn_person_list(vault, &people, &count, err);

    if (!rc)
        rc = address ? psn_exposure_list(vault, NULL, address, &seen, err)
                     : psn_exposure_list_of_client(vault, client, &seen, err);
    for (size_t i = 0; !rc && i < seen.count; i++) {
        const struct psn_exposure *at = &seen.items[i];
        const struct psn_person *leaver = find_leaver(people, count, at->person);

        if (leaver)
            rc = check_seen(vault, leaver->id, address, at, err);
    }
    psn_exposure_list_release(&seen);
    return rc;
}
