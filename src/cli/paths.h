#ifndef PSN_CLI_PATHS_H
#define PSN_CLI_PATHS_H

#include "cli/cli.h"

/* Where things lie: the XDG folders, PASSATION_VAULT. */

/* Fills vault_path (unless an option did), state_dir and vault_options. E_INVALID if
 * nothing says where the home folder is. */
PSN_MUST_CHECK enum psn_code cli_paths_init(struct cli *cli, struct psn_error *err);

/* The folder for the agent's socket: private to this user and checked to be. With make
 * it is created, else E_NOT_FOUND if there is none. E_POLICY if others may enter it. */
PSN_MUST_CHECK enum psn_code cli_paths_run_dir(bool make, char out[CLI_PATH_MAX],
                                               struct psn_error *err);

/* Where an agent of this user may have been started: the folder of the session, and the
 * state folder's, whichever of them would be taken now. None of them needs to be there.
 * Returns how many. */
enum {
    CLI_RUN_PLACES = 2
};
size_t cli_paths_run_places(const struct cli *cli, char out[][CLI_PATH_MAX]);

/* E_NOT_FOUND unless the folder is there, E_POLICY unless it is this user's alone. */
PSN_MUST_CHECK enum psn_code cli_paths_check_private(const char *path,
                                                     struct psn_error *err);

/* Where people keep passation's own settings and identity files; it may not be there. */
PSN_MUST_CHECK enum psn_code cli_paths_config_dir(char out[CLI_PATH_MAX],
                                                  struct psn_error *err);

/* Makes the folder that will hold the file, unless it is there. */
PSN_MUST_CHECK enum psn_code cli_paths_make_parent(const char *path,
                                                   struct psn_error *err);

#endif
