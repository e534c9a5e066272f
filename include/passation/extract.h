#ifndef PASSATION_EXTRACT_H
#define PASSATION_EXTRACT_H

#include <stdbool.h>
#include <stddef.h>

#include "passation/entry.h"
#include "passation/error.h"
#include "passation/vault.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * Secrets on their way out of the vault, as entries for psn_kdbx_write() and its kin. The
 * exposure of each, to the person whose slot is in use and to those whom the file is for,
 * is durable before the caller gets any.
 */
struct psn_extract;

enum {
    PSN_EXTRACT_MAX = 15000, /* secrets at once: each is a locked page */
};

/*
 * The secrets in force of clients (by id) and of mailboxes (by address or glob), each
 * name once; count 0: of all. readers: ids of who can open what is made of it, besides.
 * With count_only nothing leaves, and only psn_extract_count() has an answer.
 * E_NOT_FOUND: a name that is nobody's; E_LIMIT. The caller frees it.
 */
PSN_API PSN_MUST_CHECK enum psn_code psn_extract_new(
    struct psn_vault *vault, const char *const *names, size_t count,
    const char *const *readers, size_t reader_count, bool count_only,
    struct psn_extract **ret_extract, struct psn_error *err);
PSN_API void psn_extract_free(struct psn_extract *extract);
PSN_API size_t psn_extract_count(const struct psn_extract *extract);
/* psn_extract_count() entries, borrowed. */
PSN_API const struct psn_entry *psn_extract_entries(const struct psn_extract *extract);

#ifdef __cplusplus
}
#endif

#endif
