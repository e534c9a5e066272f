#ifndef PSN_CLI_END_COPIES_H
#define PSN_CLI_END_COPIES_H

#include "cli/cli.h"

/*
 * What besides the vault holds things of a client whose handover is closed: copies of the
 * vault that were named and those that it knows of, and files of his. Told before on the
 * terminal, looked at again after, and kept for the closing statement.
 */
struct cli_end_copies {
    struct cli *cli;
    struct cli_json *json; /* whose open array gets one object for each copy */
    const struct cli_texts *named;
    struct psn_known_copy *known;
    size_t known_count;
    struct psn_end_copy *items; /* what became of each; owned, with its path */
    size_t count;
    size_t told; /* of them, those that this run did something about, or found changed */
    size_t lost; /* backups that are not where they were written */
    size_t left; /* copies that hold the client still, or may */
    bool failed; /* no memory for one */
};

/* While the client is in the vault: later its journal may not know them any more. */
PSN_MUST_CHECK enum psn_code cli_end_copies_find(struct cli_end_copies *copies,
                                                 struct psn_error *err);
/* Before the question: what holds the client and was not named. */
PSN_MUST_CHECK enum psn_code cli_end_copies_warn(struct cli_end_copies *copies,
                                                 struct psn_error *err);
/* After the destruction: those that an earlier statement named, and those of the vault
 * that are still there. */
PSN_MUST_CHECK enum psn_code cli_end_copies_look(struct cli_end_copies *copies,
                                                 struct psn_error *err);
/* One that was named, as psn_handover_close() tells it. */
void cli_end_copies_add_backup(struct cli_end_copies *copies, const char *path,
                               const struct psn_scrub *scrub,
                               const struct psn_error *failed);
/* A file of the client's: DELETED, UNDER_CODE or ISSUED. */
void cli_end_copies_add_file(struct cli_end_copies *copies, const char *path,
                             enum psn_copy_fate fate);
void cli_end_copies_release(struct cli_end_copies *copies);

#endif
