#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "cli/profile.h"

/*
 * Whose devices hold a mailbox's password: those who may have it and have had it, or are
 * about to get it, and those who had the one before and must not get this one.
 */
struct gathering {
    const struct cli_kit *kit;
    struct cli_kit_people people;
    struct facts {
        bool reaches; /* by a slot or a grant */
        bool by_slot;
        bool owns;
        bool has_seen;   /* some version of it */
        bool saw_lately; /* the present one, or the one before it */
        bool is_due;
        uint64_t serial;
        enum psn_issue_state issue;
    } * facts;
    uint64_t before; /* the version that somebody saw last before the present one */
};

const char *cli_kit_way_name(enum cli_kit_way way)
{
    static const char *const names[] = { "vault",     "due",   "file",
                                         "confirmed", "owner", "none" };

    return names[way];
}

void cli_kit_people_release(struct cli_kit_people *people)
{
    free(people->items);
    *people = (struct cli_kit_people){ 0 };
}

static struct facts *facts_of(struct gathering *all, const char *person)
{
    for (size_t i = 0; i < all->people.count; i++)
        if (strcmp(all->people.items[i].person.id, person) == 0)
            return &all->facts[i];
    return NULL;
}

static enum psn_code add_person(void *arg, const struct psn_person *person,
                                struct psn_error *err)
{
    struct gathering *all = arg;
    enum psn_code rc = PSN_GROW(all->people.items, all->people.count, err);

    if (!rc)
        rc = PSN_GROW(all->facts, all->people.count, err);
    if (rc)
        return rc;
    all->people.items[all->people.count] = (struct cli_kit_person){ .person = *person };
    all->facts[all->people.count++] =
        (struct facts){ .owns = strcmp(all->kit->client.owner, person->id) == 0 &&
                                !person->departing_s };
    return PSN_OK;
}

static enum psn_code note_reach(void *arg, const struct psn_reachable *reachable,
                                struct psn_error *err)
{
    struct facts *facts = reachable->label[0] ? NULL : facts_of(arg, reachable->person);

    (void)err;
    if (!facts)
        return PSN_OK;
    facts->reaches = true;
    facts->by_slot = reachable->by == PSN_REACH_SLOT;
    return PSN_OK;
}

/* Who changed it has it in no device of his by that. */
static bool is_seen(const struct psn_exposure *exposure)
{
    return !exposure->label[0] && exposure->how != PSN_HOW_CREATED &&
           exposure->how != PSN_HOW_REACHED && exposure->how != PSN_HOW_ACCESS &&
           exposure->how != PSN_HOW_RETURNED;
}

static enum psn_code note_before(void *arg, const struct psn_exposure *exposure,
                                 struct psn_error *err)
{
    struct gathering *all = arg;

    (void)err;
    if (is_seen(exposure) && exposure->version < all->kit->role.version &&
        exposure->version > all->before)
        all->before = exposure->version;
    return PSN_OK;
}

static enum psn_code note_seen(void *arg, const struct psn_exposure *exposure,
                               struct psn_error *err)
{
    struct gathering *all = arg;
    struct facts *facts = is_seen(exposure) ? facts_of(all, exposure->person) : NULL;

    (void)err;
    if (!facts)
        return PSN_OK;
    facts->has_seen = true;
    facts->saw_lately = facts->saw_lately || exposure->version >= all->before;
    return PSN_OK;
}

static enum psn_code note_grant(void *arg, const struct psn_grant *grant,
                                struct psn_error *err)
{
    struct facts *facts =
        grant->state == PSN_GRANT_ACTIVE ? facts_of(arg, grant->person) : NULL;

    (void)err;
    if (!facts)
        return PSN_OK;
    facts->is_due = grant->version < grant->current;
    facts->serial = grant->serial;
    return PSN_OK;
}

static enum psn_code note_issue(void *arg, const struct psn_issue *issue,
                                struct psn_error *err)
{
    struct facts *facts = facts_of(arg, issue->person);

    (void)err;
    if (facts && facts->serial && facts->serial == issue->serial)
        facts->issue = issue->state;
    return PSN_OK;
}

static enum psn_code gather(struct cli *cli, struct gathering *all, struct psn_error *err)
{
    const char *address = all->kit->role.address;
    enum psn_code rc = psn_person_each(cli->vault, add_person, all, err);

    if (!rc)
        rc = psn_reachable_each(cli->vault, NULL, address, note_reach, all, err);
    if (!rc)
        rc = psn_exposure_each(cli->vault, NULL, address, note_before, all, err);
    if (!rc)
        rc = psn_exposure_each(cli->vault, NULL, address, note_seen, all, err);
    if (!rc)
        rc = psn_grant_each(cli->vault, NULL, &address, 1, note_grant, all, err);
    return rc ? rc : psn_issue_each(cli->vault, NULL, note_issue, all, err);
}

/* False: he has nothing to do with it. */
static bool judge(const struct facts *facts, struct cli_kit_person *person)
{
    if (!facts->reaches && !facts->owns) {
        person->way = CLI_KIT_NONE;
        return facts->saw_lately;
    }
    if (facts->by_slot) {
        person->way = CLI_KIT_VAULT;
        return facts->has_seen;
    }
    if (!facts->reaches) {
        person->way = CLI_KIT_OWNER;
        return true;
    }
    person->way = CLI_KIT_FILE;
    person->serial = facts->serial;
    if (facts->is_due || !facts->serial)
        person->way = CLI_KIT_DUE;
    else if (facts->issue == PSN_ISSUE_CONFIRMED)
        person->way = CLI_KIT_CONFIRMED;
    return true;
}

static int by_way(const void *a, const void *b)
{
    const struct cli_kit_person *left = a;
    const struct cli_kit_person *right = b;
    bool left_ends = left->way == CLI_KIT_NONE;
    bool right_ends = right->way == CLI_KIT_NONE;

    return left_ends != right_ends ? left_ends - right_ends
                                   : strcmp(left->person.id, right->person.id);
}

enum psn_code cli_kit_people_load(struct cli *cli, const struct cli_kit *kit,
                                  struct cli_kit_people *ret_people,
                                  struct psn_error *err)
{
    struct gathering all = { .kit = kit };
    size_t kept = 0;
    enum psn_code rc = gather(cli, &all, err);

    for (size_t i = 0; !rc && i < all.people.count; i++)
        if (judge(&all.facts[i], &all.people.items[i]))
            all.people.items[kept++] = all.people.items[i];
    all.people.count = kept;
    free(all.facts);
    if (rc) {
        cli_kit_people_release(&all.people);
        return rc;
    }
    if (kept > 1)
        qsort(all.people.items, kept, sizeof *all.people.items, by_way);
    *ret_people = all.people;
    return PSN_OK;
}
