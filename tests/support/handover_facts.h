#ifndef PSN_TEST_HANDOVER_FACTS_H
#define PSN_TEST_HANDOVER_FACTS_H

#include <passation/passation.h>

/*
 * The facts of a plausible handover: a bakery with five mailboxes on three back-ends, a
 * few other secrets, reserves, contacts that wait, accesses of every state, people who
 * stay. hostile: every text holds what markup, a style sheet, a terminal or a shell could
 * obey.
 */
struct psn_handover_facts *test_handover_facts(bool hostile);
void test_handover_facts_free(struct psn_handover_facts *facts);

struct psn_handover_end test_handover_end(bool hostile);

/* What no text may show as it is. */
extern const char test_hostile_text[];

#endif
