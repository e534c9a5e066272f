#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/handover.h"
#include "passation/contact.h"

/* What became of the accesses that a handover's looks had found. */

static void each_contact_has_the_number_of_its_own_change(void **state)
{
    static const struct {
        const char *id;
        const char *service;
        int64_t task; /* 0: of another contact, or not done */
        bool tech;
        enum psn_contact_state state;
    } rows[] = {
        { "contact:domain/acme.fr:admin", "domain acme.fr", 0, true, PSN_CONTACT_DONE },
        { "contact:domain/acme.fr:tech", "domain acme.fr", 71, true, PSN_CONTACT_DONE },
        { "contact:zone/acme.fr:tech", "zone acme.fr", 72, true, PSN_CONTACT_DONE },
        { "contact:zone/acme.fr:billing", "zone acme.fr", 73, false, PSN_CONTACT_DONE },
        { "contact:acme.fr:tech", "mail acme.fr", 74, true, PSN_CONTACT_DONE },
        { "contact:hosting/acme.fr:tech", "hosting acme.fr", 0, true,
          PSN_CONTACT_REFUSED },
    };
    enum {
        COUNT = sizeof rows / sizeof *rows
    };
    struct psn_access accesses[COUNT] = { 0 };
    struct psn_handover_contact contacts[COUNT] = { 0 };
    struct psn_handover_facts facts = { .accesses = accesses,
                                        .access_count = COUNT,
                                        .contacts = contacts };

    (void)state;
    for (size_t i = 0; i < COUNT; i++) {
        struct psn_access *access = &accesses[i];
        struct psn_handover_contact *change = &contacts[facts.contact_count];

        access->finding.kind = PSN_FINDING_CONTACT;
        access->state = PSN_ACCESS_GONE;
        (void)snprintf(access->finding.id, sizeof access->finding.id, "%s", rows[i].id);
        (void)snprintf(access->finding.subject, sizeof access->finding.subject,
                       "acme.fr");
        (void)snprintf(access->finding.whose, sizeof access->finding.whose, "AB1-ovh");
        if (!rows[i].task && rows[i].state == PSN_CONTACT_DONE)
            continue;
        facts.contact_count++;
        (void)snprintf(change->service, sizeof change->service, "%s", rows[i].service);
        (void)snprintf(change->state, sizeof change->state, "%s",
                       psn_contact_state_name(rows[i].state));
        (void)snprintf(change->from, sizeof change->from, "ab1-ovh");
        change->task = rows[i].task;
        change->tech = rows[i].tech;
        change->billing = !rows[i].tech;
        change->at_s = 1795917420 + (int64_t)i;
    }
    psn_handover_read_changes(&facts);
    for (size_t i = 0; i < COUNT; i++) {
        assert_int_equal(accesses[i].task, rows[i].task);
        assert_int_equal(accesses[i].ordered_s,
                         rows[i].task ? 1795917420 + (int64_t)i : 0);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_contact_has_the_number_of_its_own_change),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
