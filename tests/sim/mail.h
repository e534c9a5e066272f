#ifndef SIM_MAIL_H
#define SIM_MAIL_H

#include "call.h"
#include "task.h"

/* The /email/domain family. When a handler runs, the dispatcher (api.c) has found
 * call->domain and call->account, where the path names them. */

/* mail_service.c */
sim_handler sim_mail_domains;
sim_handler sim_mail_domain;
sim_handler sim_mail_service_infos;
sim_handler sim_mail_quota;
sim_handler sim_mail_summary;
sim_handler sim_mail_registered_domains;
sim_handler sim_mail_account_tasks;
sim_handler sim_mail_account_task;
sim_handler sim_mail_redirection_tasks;
sim_handler sim_mail_redirection_task;
sim_handler sim_mail_responder_tasks;
sim_handler sim_mail_responder_task;
sim_handler sim_mail_filter_tasks;
sim_handler sim_mail_filter_task;
sim_handler sim_mail_list_tasks;
sim_handler sim_mail_list_task;
sim_handler sim_mail_all_tasks;
sim_handler sim_mail_all_task;

/* mail_account.c */
sim_handler sim_mail_accounts;
sim_handler sim_mail_create_account;
sim_handler sim_mail_account;
sim_handler sim_mail_edit_account;
sim_handler sim_mail_delete_account;
sim_handler sim_mail_change_password;

/* mail_access.c: who else reaches the mail */
sim_handler sim_mail_delegations;
sim_handler sim_mail_add_delegation;
sim_handler sim_mail_delegation;
sim_handler sim_mail_delete_delegation;
sim_handler sim_mail_acls;
sim_handler sim_mail_add_acl;
sim_handler sim_mail_acl;
sim_handler sim_mail_delete_acl;
sim_handler sim_mail_redirections;
sim_handler sim_mail_add_redirection;
sim_handler sim_mail_redirection;
sim_handler sim_mail_delete_redirection;

/* mail_rule.c: what handles mail by itself */
sim_handler sim_mail_filters;
sim_handler sim_mail_add_filter;
sim_handler sim_mail_filter;
sim_handler sim_mail_delete_filter;
sim_handler sim_mail_responders;
sim_handler sim_mail_add_responder;
sim_handler sim_mail_responder;
sim_handler sim_mail_delete_responder;
sim_handler sim_mail_lists;
sim_handler sim_mail_list;
sim_handler sim_mail_list_moderators;
sim_handler sim_mail_add_moderator;
sim_handler sim_mail_moderator;
sim_handler sim_mail_delete_moderator;
sim_handler sim_mail_list_subscribers;
sim_handler sim_mail_add_subscriber;
sim_handler sim_mail_subscriber;
sim_handler sim_mail_delete_subscriber;

/* Answers with one object of a set, by the argument that names it. */
void sim_mail_answer_one(const struct sim *sim, struct sim_call *call, const json_t *set,
                         const char *argument);
/* Queues a task on what hangs on the domain of the call, and answers with it. */
void sim_mail_answer_task(struct sim *sim, struct sim_call *call, enum sim_task_kind kind,
                          const char *name, const char *target);

/* Names of an object's members that fit a filter (NULL: all). New reference. */
json_t *sim_mail_names(json_t *objects, const char *filter);

#endif
