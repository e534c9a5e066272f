#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/client.h"
#include "core/exposure.h"
#include "core/grant.h"
#include "core/handover.h"
#include "core/item.h"
#include "core/person.h"
#include "core/role.h"
#include "passation/due.h"
#include "passation/exposure.h"
#include "passation/person.h"
#include "support/rekey_vault.h"
#include "support/tmpdir.h"

/*
 * What is asked of one person is read another way than what is asked of all: of vaults
 * that chance made, both must say the same of each.
 */
enum {
    ROUNDS = 12,
    PEOPLE = 7, /* p0 … p6; the last one has seen more than a few */
    CLIENTS = 3,
    ROLES = 12,
    SIGHTS = 40,
    PERSONS = PEOPLE + 2, /* and "me", "paul", who hold slots */
};

struct world {
    struct tmpdir dir;
    struct rekey_vault at;
    struct psn_vault *vault;
    uint32_t seed;
};

/* Numerical Recipes' generator: the same vaults on each machine. */
static unsigned chance(struct world *world, unsigned below)
{
    world->seed = world->seed * 1664525U + 1013904223U;
    return (world->seed >> 16) % below;
}

static void role_address(unsigned role, char out[PSN_ADDRESS_TEXT_MAX])
{
    (void)snprintf(out, PSN_ADDRESS_TEXT_MAX, "r%u@d%u.example", role, role % CLIENTS);
}

static void person_id(unsigned person, char out[PSN_PERSON_ID_MAX])
{
    if (person < PEOPLE)
        (void)snprintf(out, PSN_PERSON_ID_MAX, "p%u", person);
    else
        (void)snprintf(out, PSN_PERSON_ID_MAX, "%s", person == PEOPLE ? "me" : "paul");
}

static void add_clients(struct world *world)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct psn_client client = psn_client_init();
        char domain[32];

        (void)snprintf(client.id, sizeof client.id, "c%u", i);
        (void)snprintf(client.nic, sizeof client.nic, "xm000000-ovh");
        (void)snprintf(domain, sizeof domain, "d%u.example", i);
        assert_int_equal(psn_client_add_domain(&client, domain, NULL), PSN_OK);
        assert_int_equal(psn_client_add(world->vault, &client, NULL), PSN_OK);
        psn_client_release(&client);
    }
}

static enum psn_code add_people(struct world *world)
{
    enum psn_code rc = PSN_OK;

    for (unsigned i = 0; !rc && i < PEOPLE; i++) {
        struct psn_person person = { .kind = PSN_PERSON_PROVIDER };

        person_id(i, person.id);
        person.departing_s = chance(world, 6) == 0 ? 5 : 0;
        person.departed_s = person.departing_s && chance(world, 2) ? 6 : 0;
        rc = psn_person_insert(world->vault, &person, NULL);
    }
    return rc;
}

static enum psn_code add_role(struct world *world, unsigned i)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_secret_info info = { .label = "stripe" };
    struct psn_role_row row = { .backend = PSN_BACKEND_EMAIL_DOMAIN, .created_s = 1 };
    enum psn_code rc;

    role_address(i, row.address);
    memcpy(info.address, row.address, sizeof info.address);
    (void)snprintf(row.client, sizeof row.client, "c%u", i % CLIENTS);
    row.rotation = psn_rotation_state_init(2 + chance(world, 2), false);
    row.rotation.old = row.rotation.cur - 1;
    row.rotation.old_dead =
        chance(world, 2) ? PSN_ROTATION_OLD_DEAD : PSN_ROTATION_OLD_UNASKED;
    if (chance(world, 3) == 0) {
        row.rotation.pend = ++row.rotation.last;
        row.rotation.candidates = 1;
        row.rotation.phase = PSN_ROTATION_INTENT;
    }
    rc = psn_role_write(world->vault, &row, NULL);
    if (!rc)
        rc = psn_secret_copy("value", 5, &value, NULL);
    return rc ? rc : psn_item_insert(world->vault, &info, value, NULL, NULL);
}

static enum psn_code add_grant(struct world *world, unsigned person, unsigned role)
{
    struct psn_content content = { .version = 1 + chance(world, 4) };
    struct psn_grant_row row = { .created_s = 1,
                                 .from_s = 1,
                                 .until_s = chance(world, 4) == 0 ? 2 : 0,
                                 .ended_s = chance(world, 3) == 0 ? 2 : 0,
                                 .issued = &content,
                                 .issued_count = chance(world, 4) ? 1 : 0,
                                 .serial = 1 };
    const char *labels[] = { "", "*", "stripe" };
    enum psn_code rc;

    person_id(person, row.person);
    role_address(role, row.address);
    (void)snprintf(row.client, sizeof row.client, "c%u", role % CLIENTS);
    (void)snprintf(row.labels, sizeof row.labels, "%s", labels[chance(world, 3)]);
    rc = psn_grant_write(world->vault, &row, NULL);
    return rc;
}

static enum psn_code add_sight(struct world *world, unsigned person)
{
    char id[PSN_PERSON_ID_MAX];
    char address[PSN_ADDRESS_TEXT_MAX];
    const char *label = chance(world, 3) ? "" : "stripe";

    person_id(person, id);
    role_address(chance(world, ROLES), address);
    return psn_exposure_put_of(world->vault, id, address, label, 1 + chance(world, 4),
                               (enum psn_how)chance(world, PSN_HOWS), NULL);
}

/* Every way to know every version of everything. */
static enum psn_code add_all_sights(struct world *world, unsigned person)
{
    char id[PSN_PERSON_ID_MAX];
    enum psn_code rc = PSN_OK;

    person_id(person, id);
    for (unsigned i = 0; !rc && i < ROLES * 4 * (PSN_HOWS); i++) {
        char address[PSN_ADDRESS_TEXT_MAX];

        role_address(i % ROLES, address);
        rc = psn_exposure_put_of(world->vault, id, address, "", 1 + i / ROLES % 4,
                                 (enum psn_how)(i / ROLES / 4), NULL);
    }
    return rc;
}

/* c0 belongs to p0; c1 is p1's, who has confirmed its trousseau, or has not. */
static enum psn_code add_owners(struct world *world)
{
    struct psn_content content = { .address = "r1@d1.example", .version = 1 };
    struct psn_client owned = { .id = "c0", .owner = "p0" };
    struct psn_client received = { .id = "c1", .owner = "p1", .handover_s = 7 };
    struct psn_handover_row row = { .to = "p1", .began_s = 7, .serial = 9 };
    struct psn_issue_row issue = {
        .person = "p1",
        .client = "c1",
        .serial = 9,
        .state = chance(world, 2) ? PSN_ISSUE_CONFIRMED : PSN_ISSUE_WRITTEN,
        .created_s = 7,
        .contents = &content,
        .content_count = 1,
    };
    enum psn_code rc = psn_client_put_owner(world->vault, &owned, NULL);

    if (!rc)
        rc = psn_client_put_owner(world->vault, &received, NULL);
    if (!rc)
        rc = psn_handover_row_write(world->vault, "c1", &row, NULL);
    return rc ? rc : psn_issue_row_write(world->vault, &issue, NULL);
}

static enum psn_code fill(struct world *world)
{
    enum psn_code rc = add_people(world);

    for (unsigned i = 0; !rc && i < ROLES; i++)
        rc = add_role(world, i);
    for (unsigned i = 0; !rc && i < PERSONS * ROLES; i++)
        if (chance(world, 4) == 0)
            rc = add_grant(world, i % PERSONS, i / PERSONS);
    for (unsigned i = 0; !rc && i < SIGHTS; i++)
        rc = add_sight(world, chance(world, PERSONS));
    if (!rc)
        rc = add_all_sights(world, PEOPLE - 1);
    return rc ? rc : add_owners(world);
}

static void make_world(struct world *world, uint32_t seed)
{
    *world = (struct world){ .seed = seed };
    tmpdir_make(&world->dir);
    rekey_vault_init(&world->at, world->dir.path);
    rekey_vault_make(&world->at);
    world->vault = rekey_vault_open(&world->at, REKEY_MINE);
    assert_non_null(world->vault);
    add_clients(world);
    assert_int_equal(psn_vault_begin(world->vault, PSN_STORE_WRITE, NULL), PSN_OK);
    assert_int_equal(psn_vault_end(world->vault, fill(world), NULL), PSN_OK);
}

static void release_world(struct world *world)
{
    psn_vault_free(world->vault);
    rekey_vault_release(&world->at);
    tmpdir_remove(&world->dir);
}

/* --- both ways --- */

struct lines {
    const char *person; /* NULL: everybody's */
    char *text;
    size_t count;
};

static void add_line(struct lines *lines, const char *line)
{
    char *grown = NULL;

    assert_true(asprintf(&grown, "%s%s\n", lines->text ? lines->text : "", line) > 0);
    free(lines->text);
    lines->text = grown;
    lines->count++;
}

static enum psn_code note_due(void *arg, const struct psn_due *due, struct psn_error *err)
{
    struct lines *lines = arg;
    char line[1024];

    (void)err;
    if (due->kind == PSN_DUE_HANDOVER || due->kind == PSN_DUE_ENVELOPE ||
        (lines->person && strcmp(lines->person, due->person) != 0))
        return PSN_OK;
    (void)snprintf(line, sizeof line, "%s %s %s %s %s %llu %lld",
                   psn_due_kind_name(due->kind), due->person, due->client, due->address,
                   due->label, (unsigned long long)due->version, (long long)due->since_s);
    add_line(lines, line);
    return PSN_OK;
}

static enum psn_code note_reachable(void *arg, const struct psn_reachable *reachable,
                                    struct psn_error *err)
{
    struct lines *lines = arg;
    char line[1024];

    (void)err;
    if (lines->person && strcmp(lines->person, reachable->person) != 0)
        return PSN_OK;
    (void)snprintf(line, sizeof line, "%s %s %s %d", reachable->person,
                   reachable->address, reachable->label, (int)reachable->by);
    add_line(lines, line);
    return PSN_OK;
}

static enum psn_code note_seen(void *arg, const struct psn_exposure *seen,
                               struct psn_error *err)
{
    struct lines *lines = arg;
    char line[1024];

    (void)err;
    if (lines->person && strcmp(lines->person, seen->person) != 0)
        return PSN_OK;
    (void)snprintf(line, sizeof line, "%s %s %s %s %llu %s %d %d", seen->person,
                   seen->client, seen->address, seen->label,
                   (unsigned long long)seen->version, psn_how_name(seen->how),
                   seen->in_force, seen->dying);
    add_line(lines, line);
    return PSN_OK;
}

static void assert_same(struct lines *wanted, struct lines *found, size_t *ret_total)
{
    assert_string_equal(found->text ? found->text : "", wanted->text ? wanted->text : "");
    *ret_total += found->count;
    free(wanted->text);
    free(found->text);
}

static void compare_due(struct world *world, const char *person, size_t *ret_total)
{
    struct lines wanted = { .person = person };
    struct lines found = { 0 };

    assert_int_equal(psn_due_each(world->vault, NULL, note_due, &wanted, NULL), PSN_OK);
    assert_int_equal(psn_due_each(world->vault, person, note_due, &found, NULL), PSN_OK);
    assert_same(&wanted, &found, ret_total);
}

static void compare_reachable(struct world *world, const char *person,
                              const char *address, size_t *ret_total)
{
    struct lines wanted = { .person = person };
    struct lines found = { 0 };

    assert_int_equal(
        psn_reachable_each(world->vault, NULL, address, note_reachable, &wanted, NULL),
        PSN_OK);
    assert_int_equal(
        psn_reachable_each(world->vault, person, address, note_reachable, &found, NULL),
        PSN_OK);
    assert_same(&wanted, &found, ret_total);
}

static void compare_seen(struct world *world, const char *person, size_t *ret_total)
{
    struct lines wanted = { .person = person };
    struct lines found = { 0 };

    assert_int_equal(
        psn_exposure_each(world->vault, NULL, NULL, note_seen, &wanted, NULL), PSN_OK);
    assert_int_equal(
        psn_exposure_each(world->vault, person, NULL, note_seen, &found, NULL), PSN_OK);
    assert_same(&wanted, &found, ret_total);
}

static void what_is_asked_of_one_is_what_all_of_the_vault_says_of_him(void **state)
{
    size_t due = 0;
    size_t reachable = 0;
    size_t seen = 0;

    (void)state;
    for (uint32_t round = 1; round <= ROUNDS; round++) {
        struct world world;

        make_world(&world, round);
        for (unsigned i = 0; i < PERSONS; i++) {
            char id[PSN_PERSON_ID_MAX];

            person_id(i, id);
            compare_due(&world, id, &due);
            compare_reachable(&world, id, NULL, &reachable);
            compare_reachable(&world, id, "r4@d1.example", &reachable);
            compare_seen(&world, id, &seen);
        }
        release_world(&world);
    }
    assert_true(due > 50 * ROUNDS / 2 && reachable > 50 * ROUNDS && seen > 100 * ROUNDS);
}

/* One who has seen a few is told without the rest, one who has seen much by a survey. */
static void few_are_listed_and_many_are_not(void **state)
{
    struct world world;
    struct psn_exposure_list all = { 0 };
    struct psn_exposure_list few = { 0 };
    bool is_all = false;

    (void)state;
    make_world(&world, 1);
    assert_int_equal(psn_vault_begin(world.vault, PSN_STORE_READ, NULL), PSN_OK);
    assert_int_equal(psn_exposure_list(world.vault, "p6", NULL, &all, NULL), PSN_OK);
    assert_true(all.count > PSN_EXPOSURE_FEW);
    assert_int_equal(psn_exposure_list_few(world.vault, "p6", &few, &is_all, NULL),
                     PSN_OK);
    assert_false(is_all);
    assert_int_equal(few.count, 0);
    psn_exposure_list_release(&all);
    assert_int_equal(psn_exposure_list(world.vault, "p2", NULL, &all, NULL), PSN_OK);
    assert_int_equal(psn_exposure_list_few(world.vault, "p2", &few, &is_all, NULL),
                     PSN_OK);
    assert_true(is_all);
    assert_true(few.count > 0);
    assert_int_equal(few.count, all.count);
    psn_exposure_list_release(&all);
    psn_exposure_list_release(&few);
    assert_int_equal(psn_vault_end(world.vault, PSN_OK, NULL), PSN_OK);
    release_world(&world);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_asked_of_one_is_what_all_of_the_vault_says_of_him),
        cmocka_unit_test(few_are_listed_and_many_are_not),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
