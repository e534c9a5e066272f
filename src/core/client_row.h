#ifndef PSN_CORE_CLIENT_ROW_H
#define PSN_CORE_CLIENT_ROW_H

#include "core/client.h"

/* A client's row, for the files that keep clients. All inside a transaction. */

/* Reads the row's plaintext; E_NOT_FOUND with advice. */
PSN_MUST_CHECK enum psn_code psn_client_row_read(struct psn_vault *vault, const char *id,
                                                 struct psn_buf *plain,
                                                 uint64_t *ret_revision,
                                                 struct psn_error *err);

/* What it says; the caller releases the client. */
PSN_MUST_CHECK enum psn_code psn_client_row_decode(const struct psn_buf *plain,
                                                   struct psn_client *client,
                                                   struct psn_error *err);

/* The box of the client's data key in it, borrowed; empty if there is none. */
PSN_MUST_CHECK enum psn_code psn_client_row_key_box(const struct psn_buf *plain,
                                                    const uint8_t **ret_box,
                                                    size_t *ret_size,
                                                    struct psn_error *err);

/* Appends a domain that is in normal form. */
PSN_MUST_CHECK enum psn_code psn_client_row_add_domain(struct psn_client *client,
                                                       const char *domain,
                                                       struct psn_error *err);

/* Writes a row, revision 1 for a new one, with the client's data key in its box. */
PSN_MUST_CHECK enum psn_code psn_client_row_put(struct psn_vault *vault,
                                                const struct psn_client *client,
                                                uint64_t revision, const uint8_t *key_box,
                                                size_t key_box_size,
                                                struct psn_error *err);

#endif
