#ifndef PSN_OVH_ZONE_H
#define PSN_OVH_ZONE_H

#include "ovh/client.h"
#include "passation/contact.h"

/* Appends a zone as a file (RFC 1035): $ORIGIN, $TTL, one line for each record, sorted by
 * name, kind and content; no SOA, which is the server's own, and no date: the same bytes
 * for the same records. E_NETWORK names a record that cannot stand in such a file. */
PSN_MUST_CHECK enum psn_code psn_ovh_zone_export(struct psn_ovh *ovh, const char *name,
                                                 struct psn_buf *out,
                                                 struct psn_error *err);

/* GET /domain/{domain}/serviceInfos. E_NOT_FOUND: not registered in this account. */
PSN_MUST_CHECK enum psn_code psn_ovh_domain_facts(struct psn_ovh *ovh, const char *domain,
                                                  struct psn_domain_facts *ret_facts,
                                                  struct psn_error *err);

#endif
