#ifndef PASSATION_ENVELOPE_H
#define PASSATION_ENVELOPE_H

#include <stdbool.h>
#include <stdint.h>

#include "passation/client.h"
#include "passation/error.h"
#include "passation/person.h"
#include "passation/secret.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The recovery envelope: from the first day on, the client has what opens everything
 * without us. A key of his own is made, printed on a sheet that goes into a sealed
 * envelope, and kept nowhere else; every secret of the client is encrypted to it, in a
 * page and an age file that are made anew when something changes, without anybody's help,
 * and may lie anywhere. Whoever has both, has everything.
 */
struct psn_envelope {
    char client[PSN_CLIENT_ID_MAX];
    char person[PSN_PERSON_ID_MAX];
    char recipient[PSN_RECIPIENT_TEXT_MAX]; /* age1… */
    char by[PSN_PERSON_ID_MAX]; /* who makes it, while psn_envelope_create() prints; else
                                   "" */
    int64_t created_s;
    int64_t written_s; /* the files, last */
    uint64_t serial;   /* of what is in them */
    char folder[4096];
    bool is_torn;   /* its files were being replaced, and that has not ended */
    bool is_remade; /* by some under a new key: only psn_envelope_create() ends that */
    bool is_stale;  /* the vault has something newer, or something more */
    bool
        is_left; /* whose it is leaves, or lost his slot: psn_envelope_update() refuses */
};

struct psn_envelope_request {
    const char *client;
    const char *person;    /* whose it is; he owns the client's accesses from then on */
    const char *directory; /* where the files go, now and later */
    /* Prints the key: AGE-SECRET-KEY-1… . After the files were written, and opened with
     * it. */
    enum psn_code (*print)(void *arg, const struct psn_envelope *envelope,
                           const struct psn_secret *key, struct psn_error *err);
    void *arg;
};
/* Makes one, in the place of any before. E_NOT_FOUND: client or person; E_POLICY: a
 * person who is leaving, nothing to put into it, or the client is being handed over to
 * somebody else; E_VERIFY: what was read back differs. */
PSN_API PSN_MUST_CHECK enum psn_code psn_envelope_create(
    struct psn_vault *vault, const struct psn_envelope_request *request,
    struct psn_error *err);

/* Writes the files anew. directory NULL: where they were. E_NOT_FOUND: there is none;
 * E_POLICY: a new one was being made, and that was stopped. */
PSN_API PSN_MUST_CHECK enum psn_code psn_envelope_update(struct psn_vault *vault,
                                                         const char *client,
                                                         const char *directory,
                                                         struct psn_error *err);

/* It is kept up to date no more, and its files go, the sheet with the key among them, if
 * they lie where they were written; each is told. What the person has of it still opens
 * what it opened: unless the client is his, all of it is due to be replaced.
 * E_NOT_FOUND: there is none. */
typedef void psn_envelope_file_fn(void *arg, const char *path);
PSN_API PSN_MUST_CHECK enum psn_code psn_envelope_end(struct psn_vault *vault,
                                                      const char *client,
                                                      psn_envelope_file_fn *each,
                                                      void *arg, struct psn_error *err);

/* Every client's, in the order of clients; borrowed for the call. */
typedef enum psn_code psn_envelope_fn(void *arg, const struct psn_envelope *envelope,
                                      struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_envelope_each(struct psn_vault *vault,
                                                       psn_envelope_fn *each, void *arg,
                                                       struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
