#ifndef PSN_CORE_CLIENT_CHECK_H
#define PSN_CORE_CLIENT_CHECK_H

#include "passation/client.h"

/* Forms. Nothing here reads or writes. */

/* E_INVALID unless it is a domain name of two labels or more; its lower-case form. */
PSN_MUST_CHECK enum psn_code psn_client_check_domain(const char *domain,
                                                     char ret_normal[PSN_DOMAIN_NAME_MAX],
                                                     struct psn_error *err);

/* Checks every field and brings the NIC handle into its normal form. */
PSN_MUST_CHECK enum psn_code psn_client_check(struct psn_client *client,
                                              struct psn_error *err);

#endif
