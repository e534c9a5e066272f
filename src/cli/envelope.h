#ifndef PSN_CLI_ENVELOPE_H
#define PSN_CLI_ENVELOPE_H

#include "cli/cli.h"

/* Writes FOLDER/enveloppe-CLIENT-cle.html, readable by its owner only: the key as a QR
 * code and in groups of letters, with what to do with it, in French and English, for
 * paper. Without libqrencode, the key in letters alone. */
PSN_MUST_CHECK enum psn_code cli_envelope_sheet(struct cli *cli,
                                                const struct psn_envelope *envelope,
                                                const struct psn_secret *key,
                                                struct psn_error *err);

/* Writes anew what the keys of envelopes open, where the vault has something newer, and
 * says so. The first failure is the result; with `all`, one that needs somebody, since it
 * is a leaver's or was being made under a new key, is a failure, too, else it is passed
 * over. */
PSN_MUST_CHECK enum psn_code cli_envelope_renew(struct cli *cli, bool all,
                                                struct psn_error *err);

#endif
