#ifndef PSN_OVH_EMAIL_DOMAIN_H
#define PSN_OVH_EMAIL_DOMAIN_H

#include "ovh/directory.h"

/* All that lies on one domain of the first MX Plan (ovh/inventory_domain.c): contacts,
 * mailboxes, filters, delegations, redirections, responders, rights, lists. */
PSN_MUST_CHECK enum psn_code psn_email_domain_walk(const struct psn_walk *walk,
                                                   const struct psn_service *service,
                                                   struct psn_error *err);
/* Its mailing lists (ovh/inventory_list.c). */
PSN_MUST_CHECK enum psn_code psn_email_domain_walk_lists(const struct psn_walk *walk,
                                                         const char *domain,
                                                         struct psn_error *err);

#endif
