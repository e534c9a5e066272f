#ifndef PSN_CLI_HOLDER_H
#define PSN_CLI_HOLDER_H

#include "base/file.h"
#include "cli/cli.h"

/*
 * The helpers that hold something of a person's: the agent its keys, the cleaner what is
 * on the clipboard. `lock` has to find them whatever XDG_RUNTIME_DIR is where it runs.
 * Each holds a lock that names its process for as long as it lives: one in the folder in
 * which it was started, of which there is one at most, and one of its own, its note, in
 * the state folder, which stays when that other folder is moved or removed.
 */
struct cli_holder {
    const char *command; /* the helper's: "agent" */
    const char *lock;    /* its lock's name in the folder: "agent.lock" */
    bool by_force; /* who does not end on SIGTERM is killed: nothing is lost by it */
};

/* Writes and holds the note of this process, "helpers/COMMAND-HOST-PID.lock" in the state
 * folder. Where it cannot be written there is none; that is no failure. */
void cli_holder_note(const struct cli *cli, const struct cli_holder *kind,
                     struct psn_file_lock *lock);
/* Removes it. */
void cli_holder_forget(const struct cli *cli, const struct cli_holder *kind,
                       struct psn_file_lock *lock);

/* Ends who holds the lock in folder, and waits until it is gone. *ret_was tells if there
 * was one. E_BUSY if it does not end, or is no helper of this machine. */
PSN_MUST_CHECK enum psn_code cli_holder_end_at(const char *folder,
                                               const struct cli_holder *kind,
                                               bool *ret_was, struct psn_error *err);
/* The same for all that left a note in the state folder; notes of the dead go. */
PSN_MUST_CHECK enum psn_code cli_holder_end_noted(const struct cli *cli,
                                                  const struct cli_holder *kind,
                                                  bool *ret_was, struct psn_error *err);

#endif
