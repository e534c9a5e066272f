#ifndef SIM_SERVICE_H
#define SIM_SERVICE_H

#include <stdbool.h>

#include "call.h"

/*
 * Services of the newer families. In the state:
 *
 *   root.services.{family}/{name}
 *       _family, _key, _name, _org, _nic, _expired, _suspended, _accounts_max
 *       service         the answer of the API
 *       infos           services.Service
 *       domains         {name: answer}; by id in the family zimbra
 *       accounts        {address: mailbox}; by id in the family zimbra
 *       _by_id          {id: mailbox}, not in the family zimbra
 *       _tasks          {id: record}, see work.h
 *       slots, aliases, redirections, organizations    {id: resource}, of zimbra alone
 *
 * A mailbox is the answer of the API with _address, _service (the key above), _front,
 * _history, _created, _blocked, _password_s, _pending and _task_ids (of work.h) and, but
 * for zimbra, _alias {address: date} and one set {id: date} for each grant.
 */
enum sim_family {
    SIM_MXPLAN,
    SIM_PRO,
    SIM_EXCHANGE,
    SIM_ZIMBRA,
    SIM_FAMILIES, /* none of them */
};

/* The family of a word of seeds and orders, or of the beginning of a path. */
enum sim_family sim_service_family(const char *word);
enum sim_family sim_service_family_of_path(const char *path);
const char *sim_service_word(enum sim_family family);
enum sim_family sim_service_family_of(const json_t *service);
bool sim_service_is_zimbra(const json_t *service); /* behind v1 or in v2 */

/* Borrowed, or NULL. */
json_t *sim_service_get(const struct sim *sim, enum sim_family family, const char *name);
json_t *sim_service_of(const struct sim *sim, const json_t *account);

/* Fills call->service and call->account from the path. False: call has its answer. */
bool sim_service_find(const struct sim *sim, struct sim_call *call);

/* The service and the mailbox that any path names, without a call; for faults. */
void sim_service_locate(const struct sim *sim, const char *path, json_t **ret_service,
                        json_t **ret_account);

/* What becomes of a service: its calls are refused, and it says why where it can. */
void sim_service_expire(json_t *service, bool expired);
void sim_service_suspend(json_t *service, bool suspended);

/* Names of the services that the account that signs has in a family. New reference. */
json_t *sim_service_names(const struct sim *sim, const struct sim_call *call,
                          enum sim_family family);

/* Puts a mailbox into its service and the index of addresses, or takes it out of both.
 * Taken out, nobody can log in to it. */
void sim_service_add_account(struct sim *sim, json_t *service, json_t *account);
void sim_service_remove_account(struct sim *sim, json_t *service, json_t *account);
/* Gives a mailbox another address. */
void sim_service_rename(struct sim *sim, json_t *service, json_t *account,
                        const char *address);

/* Handlers that the families share. */
sim_handler sim_service_list;
sim_handler sim_service_show;
sim_handler sim_service_show_infos;
sim_handler sim_service_show_server;
sim_handler sim_service_domains;
sim_handler sim_service_domain;
sim_handler sim_service_tasks;
sim_handler sim_service_task;
sim_handler sim_service_account_tasks;
sim_handler sim_service_account_task;

#endif
