#ifndef SIM_SLOT_ROUTES_H
#define SIM_SLOT_ROUTES_H

#include "family.h"

/*
 * Rows that email/mxplan, pro and exchange have in common. The file that uses them says:
 *
 *   AT       the path of a service           BOX      the path of a mailbox
 *   SERVICE  the parameters of AT            ACCOUNT  the one that BOX adds
 *   TASK     the type of a task              TASKS    what a mailbox's tasks are called
 */
#define SIM_ID(name)                 \
    {                                \
        SIM_PATH, name, "long", true \
    }
#define SIM_TAGS                                                           \
    {                                                                      \
        SIM_QUERY, "iamTags", "map[string][]iam.resource.TagFilter", false \
    }

/* clang-format off */
#define SIM_GRANT_ROUTES(segment, member, model)                                           \
    { "GET", BOX segment, SIM_SIGNED, sim_grant_list, "long[]", { SERVICE, ACCOUNT } },    \
    { "POST", BOX segment, SIM_SIGNED, sim_grant_add, TASK,                                \
      { SERVICE, ACCOUNT, { SIM_BODY, member, "long", true } } },                          \
    { "GET", BOX segment "/{allowedAccountId}", SIM_SIGNED, sim_grant_show, model,         \
      { SERVICE, ACCOUNT, SIM_ID("allowedAccountId") } },                                  \
    { "DELETE", BOX segment "/{allowedAccountId}", SIM_SIGNED, sim_grant_delete, TASK,     \
      { SERVICE, ACCOUNT, SIM_ID("allowedAccountId") } }

#define SIM_ALIAS_ROUTES(model)                                                            \
    { "GET", BOX "/alias", SIM_SIGNED, sim_grant_aliases, "string[]",                      \
      { SERVICE, ACCOUNT } },                                                              \
    { "POST", BOX "/alias", SIM_SIGNED, sim_grant_add_alias, TASK,                         \
      { SERVICE, ACCOUNT, { SIM_BODY, "alias", "string", true } } },                       \
    { "GET", BOX "/alias/{alias}", SIM_SIGNED, sim_grant_alias, model,                     \
      { SERVICE, ACCOUNT, { SIM_PATH, "alias", "string", true } } },                       \
    { "DELETE", BOX "/alias/{alias}", SIM_SIGNED, sim_grant_delete_alias, TASK,            \
      { SERVICE, ACCOUNT, { SIM_PATH, "alias", "string", true } } }

#define SIM_TASK_ROUTES                                                                    \
    { "GET", BOX TASKS, SIM_SIGNED, sim_service_account_tasks, "long[]",                   \
      { SERVICE, ACCOUNT } },                                                              \
    { "GET", BOX TASKS "/{id}", SIM_SIGNED, sim_service_account_task, TASK,                \
      { SERVICE, ACCOUNT, SIM_ID("id") } },                                                \
    { "GET", AT "/task", SIM_SIGNED, sim_service_tasks, "long[]", { SERVICE } },           \
    { "GET", AT "/task/{id}", SIM_SIGNED, sim_service_task, TASK,                          \
      { SERVICE, SIM_ID("id") } }

/* The mailbox itself: what it is when read, and when put. */
#define SIM_ACCOUNT_ROUTES(read, put)                                                      \
    { "GET", BOX, SIM_SIGNED, sim_slot_account, read, { SERVICE, ACCOUNT } },              \
    { "PUT", BOX, SIM_SIGNED, sim_slot_edit, "void",                                       \
      { SERVICE, ACCOUNT, { SIM_BODY, "", put, true } } },                                 \
    { "DELETE", BOX, SIM_SIGNED, sim_slot_delete, TASK, { SERVICE, ACCOUNT } }
/* clang-format on */

#endif
