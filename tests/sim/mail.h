#ifndef SIM_MAIL_H
#define SIM_MAIL_H

#include "call.h"

/* The /email/domain family. When a handler runs, the dispatcher (api.c) has found
 * call->domain and call->account, where the path names them. */

/* mail_service.c */
sim_handler sim_mail_domains;
sim_handler sim_mail_domain;
sim_handler sim_mail_service_infos;
sim_handler sim_mail_quota;
sim_handler sim_mail_summary;
sim_handler sim_mail_no_service;
sim_handler sim_mail_registered_domains;
sim_handler sim_mail_registered_infos;
sim_handler sim_mail_account_tasks;
sim_handler sim_mail_account_task;
sim_handler sim_mail_redirection_tasks;
sim_handler sim_mail_redirection_task;
sim_handler sim_mail_all_tasks;
sim_handler sim_mail_all_task;

/* mail_account.c */
sim_handler sim_mail_accounts;
sim_handler sim_mail_create_account;
sim_handler sim_mail_account;
sim_handler sim_mail_edit_account;
sim_handler sim_mail_delete_account;
sim_handler sim_mail_change_password;

/* mail_access.c: who and what else reaches the mail */
sim_handler sim_mail_delegations;
sim_handler sim_mail_add_delegation;
sim_handler sim_mail_delegation;
sim_handler sim_mail_delete_delegation;
sim_handler sim_mail_filters;
sim_handler sim_mail_filter;
sim_handler sim_mail_acls;
sim_handler sim_mail_add_acl;
sim_handler sim_mail_acl;
sim_handler sim_mail_delete_acl;
sim_handler sim_mail_redirections;
sim_handler sim_mail_add_redirection;
sim_handler sim_mail_redirection;
sim_handler sim_mail_delete_redirection;
sim_handler sim_mail_responders;
sim_handler sim_mail_responder;
sim_handler sim_mail_lists;
sim_handler sim_mail_list;
sim_handler sim_mail_list_moderators;
sim_handler sim_mail_list_subscribers;

/* Names of an object's members that fit a filter (NULL: all). New reference. */
json_t *sim_mail_names(json_t *objects, const char *filter);

#endif
