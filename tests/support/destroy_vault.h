#ifndef SUPPORT_DESTROY_VAULT_H
#define SUPPORT_DESTROY_VAULT_H

#include "support/rekey_vault.h"

/*
 * The rekey tests' vault, with two clients who have something in every table: "martin",
 * who is to go, and "durand". Whatever is Martin's tells one of destroy_needles[], and
 * nothing of Durand's does.
 */
extern const char *const destroy_needles[]; /* ends with NULL */

/* After rekey_vault_init(). */
void destroy_vault_make(struct rekey_vault *at);
/* Destroys Martin. facts may be NULL. */
enum psn_code destroy_vault_destroy(struct rekey_vault *at, struct psn_vault *vault,
                                    struct psn_destruction *facts);
/* Is Martin there? Is all that Durand has there, and every chain whole? 0, or the line of
 * what is not so. */
bool destroy_vault_has_martin(struct psn_vault *vault);
int destroy_vault_verify(struct psn_vault *vault);

#endif
