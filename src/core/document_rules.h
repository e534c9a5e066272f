#ifndef PSN_CORE_DOCUMENT_RULES_H
#define PSN_CORE_DOCUMENT_RULES_H

#include <stdbool.h>

#include "core/document.h"

/*
 * One block, one table, for both versions, for writing and reading alike. A rule says how
 * a field is called, whether it must be there, in which forms it may stand, and what its
 * value looks like.
 */
enum {
    PSN_RULE_MUST = 1u << 0,
    PSN_RULE_LINES = 1u << 1,  /* may be in "| " lines */
    PSN_RULE_BASE64 = 1u << 2, /* may be Name-Base64 */
    PSN_RULE_SECOND = 1u << 3, /* version 1 does not know it */
};

struct psn_rule {
    const char *name;
    unsigned flags;
    bool (*fits)(const char *text, size_t size); /* of the value, whatever its form */
    const char *exact[2]; /* of a version: exactly this value, and fits is not asked */
};

enum {
    PSN_END_MEANS,
    PSN_END_END,
    PSN_END_FIELDS,
};

struct psn_rules {
    const struct psn_rule *rules;
    size_t count;
};
struct psn_rules psn_rules_of(enum psn_block_kind kind);

bool psn_rule_fits(const struct psn_rule *rule, unsigned version, const char *text,
                   size_t size);

/* What the Means field says, in French and in English: a person reads it who did not
 * choose our language. */
const char *psn_rules_means(unsigned version);

#endif
