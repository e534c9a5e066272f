#include "base/allow.h"
#include "core/restored_part.h"
#include "core/role.h"
#include "core/version.h"

/*
 * Two states of which neither goes on from the other: both were used, so that one number
 * may be two values, and only a login tells which password works. Nothing of one is
 * thrown away for the other.
 */

/* --- how the versions of one secret lie to each other --- */

struct relating {
    const struct psn_carrying *at;
    const char *client;
    const char *address;
    const char *label;
    struct psn_restored_relation *relation;
};

static enum psn_code relate_there(void *arg, const struct psn_version *version,
                                  struct psn_secret *value, struct psn_error *err)
{
    const struct relating *of = arg;
    PSN_AUTO(psn_secret) *known = NULL;
    struct psn_version here;
    bool is_new;
    enum psn_code rc =
        psn_allow(PSN_E_NOT_FOUND,
                  psn_version_get(of->at->to, of->client, of->address, of->label,
                                  version->number, &here, &known, err),
                  &is_new, err);

    if (rc)
        return rc;
    if (is_new)
        of->relation->only_there++;
    else if (psn_secret_equal(known, value))
        of->relation->same++;
    else
        of->relation->other++;
    return PSN_OK;
}

static enum psn_code count(void *arg, const struct psn_version *version,
                           struct psn_secret *value, struct psn_error *err)
{
    (void)version;
    (void)value;
    (void)err;
    ++*(size_t *)arg;
    return PSN_OK;
}

enum psn_code psn_restored_relate(const struct psn_carrying *at, const char *client,
                                  const char *address, const char *label,
                                  struct psn_restored_relation *ret_relation,
                                  struct psn_error *err)
{
    struct relating of = { at, client, address, label, ret_relation };
    size_t here = 0;
    enum psn_code rc;

    *ret_relation = (struct psn_restored_relation){ 0 };
    rc = psn_version_scan(at->from, client, address, label, relate_there, &of, err);
    if (!rc)
        rc = psn_version_scan(at->to, client, address, label, count, &here, err);
    if (!rc)
        ret_relation->only_here = here - ret_relation->same - ret_relation->other;
    return rc;
}

bool psn_restored_goes_on(const struct psn_restored_relation *relation,
                          const struct psn_role_row *there,
                          const struct psn_role_row *here)
{
    return relation->only_there > 0 && relation->other == 0 && relation->only_here == 0 &&
           there->rotation.cur >= here->rotation.cur &&
           there->rotation.cur >= here->rotation.pend &&
           there->verified_s >= here->verified_s;
}

/* --- passwords that are only there --- */

struct keeping {
    const struct psn_carrying *at;
    const struct psn_role_row *here;
    uint64_t next; /* free in both */
};

struct looking {
    const struct psn_secret *value;
    bool found;
};

static enum psn_code look(void *arg, const struct psn_version *version,
                          struct psn_secret *value, struct psn_error *err)
{
    struct looking *looking = arg;

    (void)version;
    (void)err;
    looking->found = looking->found || psn_secret_equal(value, looking->value);
    return PSN_OK;
}

/* Who has seen it is known by its number: it stays, where no value here ever had it. */
static enum psn_code keep(void *arg, const struct psn_version *version,
                          struct psn_secret *value, struct psn_error *err)
{
    struct keeping *of = arg;
    const struct psn_role_row *here = of->here;
    struct psn_version kept = *version;
    struct looking looking = { .value = value };
    enum psn_code rc = psn_version_scan(of->at->to, here->client, here->address, "", look,
                                        &looking, err);

    if (rc || looking.found)
        return rc;
    if (kept.number <= here->rotation.last)
        kept.number = of->next++;
    kept.state = PSN_VERSION_SUPERSEDED;
    return psn_version_carry(of->at->to, here->client, here->address, "", &kept, value,
                             err);
}

/* While a rotation is under way its candidate is the newest number: the values are in the
 * file that is kept, then, and nowhere else. */
enum psn_code psn_restored_keep_passwords(const struct psn_carrying *at,
                                          const struct psn_role_row *there,
                                          const struct psn_role_row *here,
                                          struct psn_error *err)
{
    struct psn_role_row row = *here;
    uint64_t last = here->rotation.last > there->rotation.last ? here->rotation.last
                                                               : there->rotation.last;
    struct keeping of = { at, here, last + 1 };
    enum psn_code rc;

    if (here->rotation.phase != PSN_ROTATION_STABLE)
        return PSN_OK;
    rc = psn_version_scan(at->from, there->client, there->address, "", keep, &of, err);
    row.rotation.last = of.next - 1;
    return rc ? rc : psn_role_write(at->to, &row, err);
}
