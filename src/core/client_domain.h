#ifndef PSN_CORE_CLIENT_DOMAIN_H
#define PSN_CORE_CLIENT_DOMAIN_H

#include "core/client.h"

/* The rows that lead from a domain to its client. All inside a write transaction. */

/* Files one domain. E_EXISTS if it belongs to a client. */
PSN_MUST_CHECK enum psn_code psn_client_domain_put(struct psn_vault *vault,
                                                   const char *domain, const char *id,
                                                   struct psn_error *err);
/* Files a new client's domains. E_EXISTS if one belongs to another client. */
PSN_MUST_CHECK enum psn_code psn_client_domains_put(struct psn_vault *vault,
                                                    const struct psn_client *client,
                                                    struct psn_error *err);

/* From the old client's domains to the new one's. E_POLICY if one that goes has roles. */
PSN_MUST_CHECK enum psn_code psn_client_domains_move(struct psn_vault *vault,
                                                     const struct psn_client *old,
                                                     const struct psn_client *new,
                                                     struct psn_error *err);

#endif
