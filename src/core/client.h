#ifndef PSN_CORE_CLIENT_H
#define PSN_CORE_CLIENT_H

#include "core/credential.h"
#include "core/vault.h"
#include "ovh/client.h"
#include "passation/client.h"

/* All inside a transaction. */

PSN_MUST_CHECK enum psn_code psn_client_read(struct psn_vault *vault, const char *id,
                                             struct psn_client *ret_client,
                                             struct psn_error *err);

/* The client's data key, borrowed from the handle until another client's is asked for. */
PSN_MUST_CHECK enum psn_code psn_client_data_key(struct psn_vault *vault, const char *id,
                                                 const struct psn_secret **ret_key,
                                                 struct psn_error *err);

/* The client whose domain it is. E_NOT_FOUND. */
PSN_MUST_CHECK enum psn_code psn_client_of_domain(struct psn_vault *vault,
                                                  const char *domain,
                                                  char ret_id[PSN_CLIENT_ID_MAX],
                                                  struct psn_error *err);

/* Every client, in the file's order; borrowed for the call. */
PSN_MUST_CHECK enum psn_code psn_client_scan(struct psn_vault *vault, psn_client_fn *each,
                                             void *arg, struct psn_error *err);
typedef enum psn_code psn_client_id_fn(void *arg, const char *id, struct psn_error *err);
/* Every client's id, in their order. */
PSN_MUST_CHECK enum psn_code psn_client_ids(struct psn_vault *vault,
                                            psn_client_id_fn *each, void *arg,
                                            struct psn_error *err);

/* Inside a write: psn_client_add() of one that was checked. */
PSN_MUST_CHECK enum psn_code psn_client_insert(struct psn_vault *vault,
                                               const struct psn_client *client,
                                               struct psn_error *err);

/* Writes the client, with its domains, into a rekey's new file, under a data key of its
 * own. */
PSN_MUST_CHECK enum psn_code psn_client_copy(struct psn_vault *to,
                                             const struct psn_client *client,
                                             struct psn_error *err);

/* Writes the link's facts and the sealed credential. */
PSN_MUST_CHECK enum psn_code psn_client_put_link(
    struct psn_vault *vault, const char *id, const struct psn_link *link,
    const struct psn_ovh_credential *credential, struct psn_error *err);
/* Writes what `facts` says of the client's link and keys, nothing else of it, and the
 * credentials, if any. */
PSN_MUST_CHECK enum psn_code psn_client_put_keys(struct psn_vault *vault,
                                                 const struct psn_client *facts,
                                                 const struct psn_credentials *all,
                                                 struct psn_error *err);
/* Writes what `facts` says of the client's owner, handover and envelope, nothing else of
 * it. */
PSN_MUST_CHECK enum psn_code psn_client_put_owner(struct psn_vault *vault,
                                                  const struct psn_client *facts,
                                                  struct psn_error *err);
/* Inside a write: one more domain, in normal form. E_EXISTS if it belongs to a client. */
PSN_MUST_CHECK enum psn_code psn_client_put_domain(struct psn_vault *vault,
                                                   const char *id, const char *domain,
                                                   struct psn_error *err);
/* Outside a transaction: opens the OVH account of a linked client. E_POLICY with advice
 * if it is not linked. */
PSN_MUST_CHECK enum psn_code psn_client_connect(struct psn_vault *vault,
                                                const struct psn_client *client,
                                                struct psn_ovh **ret_ovh,
                                                struct psn_error *err);
/* The same with the second key, for cutting accesses and changing contacts. E_POLICY with
 * advice if there is none, or its day is over. */
PSN_MUST_CHECK enum psn_code psn_client_connect_cut(struct psn_vault *vault,
                                                    const struct psn_client *client,
                                                    struct psn_ovh **ret_ovh,
                                                    struct psn_error *err);
/* The same with any credential. */
PSN_MUST_CHECK enum psn_code psn_client_open_account(
    struct psn_vault *vault, const struct psn_client *client,
    const struct psn_ovh_credential *credential, struct psn_ovh **ret_ovh,
    struct psn_error *err);

/* The extra CA that applies to the client's API root, or NULL: never for OVH's own
 * endpoints. */
const char *psn_client_api_ca(const struct psn_vault *vault,
                              const struct psn_client *client);

#endif
