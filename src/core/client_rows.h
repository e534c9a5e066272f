#ifndef PSN_CORE_CLIENT_ROWS_H
#define PSN_CORE_CLIENT_ROWS_H

#include "core/vault.h"
#include "passation/client.h"

/*
 * Everything that a vault holds about one client, as rows: whatever goes when he goes,
 * and stays out of a file that is to know nothing of him. All inside one transaction.
 */
struct psn_client_rows;

/* client is borrowed. received: also what other issuers have sent of his mailboxes, each
 * of their documents whole. */
PSN_MUST_CHECK enum psn_code psn_client_rows_new(struct psn_vault *vault,
                                                 const struct psn_client *client,
                                                 bool received,
                                                 struct psn_client_rows **ret_rows,
                                                 struct psn_error *err);
void psn_client_rows_free(struct psn_client_rows *rows);
PSN_DEFINE_AUTO(psn_client_rows)

/* Is the row his? */
PSN_MUST_CHECK enum psn_code psn_client_rows_have(struct psn_client_rows *rows,
                                                  enum psn_table table,
                                                  const struct psn_store_row *row,
                                                  bool *ret_have, struct psn_error *err);

/* Inside a write: deletes all of them, his chain with them. */
PSN_MUST_CHECK enum psn_code psn_client_rows_delete(struct psn_client_rows *rows,
                                                    struct psn_error *err);

/* Does the text name the client's OVH account or one of his domains, as a word of its
 * own? His id does not count: it tells only whom the vault has had to do with. */
bool psn_client_is_named(const struct psn_client *client, const char *text);

#endif
