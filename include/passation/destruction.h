#ifndef PASSATION_DESTRUCTION_H
#define PASSATION_DESTRUCTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "passation/client.h"
#include "passation/error.h"
#include "passation/journal.h"
#include "passation/vault.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The end of a handover: our own copies go. The vault is written anew, under the same
 * root key and slots, without a row of the client, and the new file takes its place by
 * rename; then the old file's bytes are written over. Stopped anywhere, the vault is the
 * old one or the new one; stopped between the rename and the end, blocks are left on the
 * disk that no name leads to.
 *
 * What stays is the client's id, in the vault's own journal, with when and by whom he was
 * added and destroyed. Entries of it that name his OVH account or a domain of his are
 * shredded. People stay, with their e-mail addresses; names of theirs at OVH that are his
 * go. What is out of reach: copies under other names, snapshots, flash cells.
 */
enum {
    PSN_DESTRUCTION_STATEMENT_MAX = 401,
};

struct psn_destruction_request {
    const char *client;
    const char *confirm;   /* the id once more */
    const char *statement; /* one line that is noted with it and stays, "sha256 5e…"; at
                              most 400 bytes; or NULL */
    psn_rekey_progress_fn *progress; /* in rows; or NULL */
    void *arg;
    /* Inside the run, in the state of the vault that is written anew and takes its place:
     * whether it may be. Not E_CONFLICT, after which a run begins again. Or NULL. */
    enum psn_code (*check)(struct psn_vault *vault, const char *client,
                           struct psn_error *err);
};

/* Facts, for an attestation. */
struct psn_destruction {
    bool is_done;          /* the client is not in the file any more, also when something
                              failed after that */
    uint64_t rows_removed; /* rows of his that the old file had */
    uint64_t entries_removed;  /* of his journal */
    uint64_t entries_shredded; /* of the vault's, that named him */
    uint64_t chain_count;      /* how far his journal was, as in struct psn_head */
    uint8_t chain_head[PSN_HEAD_SIZE];
    uint64_t file_bytes; /* of the old file, written over */
    uint64_t log_bytes;  /* of its write-ahead log, written over */
    bool is_overwritten; /* nothing is left in either that can be read */
    bool is_shared;      /* the old file has another name: its bytes were left alone */
    int64_t done_s;
};

/* Outside a transaction; the handle goes on with the new file. E_NOT_FOUND; E_POLICY if
 * confirm is not the id; E_INVALID if the statement is no plain line; E_FULL before
 * anything is written if the disk has no room for a second file; E_BUSY while another
 * command has the vault open, or works at OVH. */
PSN_API PSN_MUST_CHECK enum psn_code psn_client_destroy(
    struct psn_vault *vault, const struct psn_destruction_request *request,
    struct psn_destruction *ret_destruction, struct psn_error *err);

/* What the vault remembers of it, oldest first, also after a kill. Borrowed. */
struct psn_destruction_note {
    const char *client;
    const char *actor; /* the person whose slot was in use */
    int64_t done_s;
    uint64_t chain_count;
    uint8_t chain_head[PSN_HEAD_SIZE];
    const char *statement; /* "" if none was given */
};
typedef enum psn_code psn_destruction_fn(void *arg,
                                         const struct psn_destruction_note *note,
                                         struct psn_error *err);
PSN_API PSN_MUST_CHECK enum psn_code psn_destruction_each(struct psn_vault *vault,
                                                          psn_destruction_fn *each,
                                                          void *arg,
                                                          struct psn_error *err);

/* The same for a copy of the vault: a backup, or what a restore has set aside. */
enum psn_scrub_result {
    PSN_SCRUB_REWRITTEN,
    PSN_SCRUB_LACKS,      /* it holds nothing of the client */
    PSN_SCRUB_NOT_OURS,   /* another vault */
    PSN_SCRUB_UNREADABLE, /* another root key opens it, it is damaged, a link, or no vault
                             at all: what is in it is still there */
    PSN_SCRUB_MISSING,
    PSN_SCRUB_HOLDS,  /* of a look alone: it holds the client */
    PSN_SCRUB_UNSEEN, /* the same: it could not be looked at now, somebody holds it, say
                       */
};
PSN_API const char *psn_scrub_result_name(enum psn_scrub_result result);

struct psn_scrub {
    enum psn_scrub_result result;
    struct psn_destruction destruction; /* of one that was rewritten */
    char why[512]; /* what cannot be read, or not now, was refused with */
};
/* request->client need not be in `vault` any more. Ours are E_POLICY, E_INVALID (also if
 * path is the vault itself), E_FULL, E_BUSY and E_IO, and nothing was changed unless
 * ret_scrub->destruction.is_done; all else is a result. */
PSN_API PSN_MUST_CHECK enum psn_code psn_backup_scrub(
    struct psn_vault *vault, const char *path,
    const struct psn_destruction_request *request, struct psn_scrub *ret_scrub,
    struct psn_error *err);

/* What is found there now; no row of it is changed. That it cannot be looked at is a
 * result: one copy must not keep anybody from learning of the others. */
PSN_API PSN_MUST_CHECK enum psn_code psn_backup_look(struct psn_vault *vault,
                                                     const char *path, const char *client,
                                                     struct psn_scrub *ret_scrub,
                                                     struct psn_error *err);

/* A copy that the vault knows of: by its journal, as a backup; or by its own folder, as
 * an older vault, or what a restore or a crash has left. Nobody has looked at it yet. */
enum {
    PSN_COPY_PATH_MAX = 4096,
};
struct psn_known_copy {
    char path[PSN_COPY_PATH_MAX]; /* without a "/": earlier versions noted no folder */
    int64_t noted_s;              /* when it was made; 0: found in the vault's folder */
};
/* Backups first, the newest first, each path once. The caller frees the list. Copies of
 * which nobody told the vault are not in it. */
PSN_API PSN_MUST_CHECK enum psn_code psn_known_copies(struct psn_vault *vault,
                                                      struct psn_known_copy **ret_copies,
                                                      size_t *ret_count,
                                                      struct psn_error *err);

#ifdef __cplusplus
}
#endif

#endif
