#ifndef PSN_CORE_DUE_H
#define PSN_CORE_DUE_H

#include "core/survey.h"
#include "passation/due.h"

struct psn_due_list {
    struct psn_due *items;
    size_t count;
};
void psn_due_list_release(struct psn_due_list *list);

/* Inside a transaction: what is due to a person (NULL: to anybody), in the order of
 * psn_due_each(). ret_left: what those who are leaving know, which their departure's one
 * line stands for; or NULL. */
PSN_MUST_CHECK enum psn_code psn_due_list(
    struct psn_vault *vault, const struct psn_survey *survey, const char *person,
    struct psn_due_list *ret_list, struct psn_due_list *ret_left, struct psn_error *err);

#endif
