#ifndef PSN_CLI_NEW_KEY_H
#define PSN_CLI_NEW_KEY_H

#include "cli/cli.h"

/* Keys for slots to be made. */

/* A passphrase from a descriptor or else a file (-1, NULL: not given), strong enough or
 * E_POLICY. *ret_passphrase stays NULL if neither is given. */
PSN_MUST_CHECK enum psn_code cli_read_new_passphrase(struct cli *cli, int fd,
                                                     const char *path,
                                                     struct psn_secret **ret_passphrase,
                                                     struct psn_error *err);

/* A key for a slot, by the options --new-passphrase-fd and --new-identity-file, or from
 * the terminal. */
struct cli_new_key_options {
    int passphrase_fd;
    const char *identity_file;
};
PSN_MUST_CHECK enum psn_code cli_new_key(struct cli *cli,
                                         const struct cli_new_key_options *options,
                                         enum psn_slot_kind *ret_kind,
                                         struct psn_secret **ret_secret,
                                         struct psn_error *err);

/* Warns if the identity file lies on the disk that the vault is on: who takes the one has
 * the other. */
void cli_warn_identity_place(struct cli *cli, const char *path);

#endif
