#ifndef SUPPORT_REKEY_VAULT_H
#define SUPPORT_REKEY_VAULT_H

#include "core/vault.h"
#include "passation/passation.h"
#include "support/tmpdir.h"

/* A small vault with something in every table, three identities, and what a rekey of it
 * must keep. */
enum {
    REKEY_MINE,  /* opens the vault before and after */
    REKEY_PAULS, /* before */
    REKEY_NEW,   /* after */
    REKEY_IDENTITIES,
    REKEY_ROLES = 3,
};

struct rekey_vault {
    char path[TMPDIR_PATH_MAX];
    char state[TMPDIR_PATH_MAX];
    struct psn_vault_options options;
    struct psn_secret *identities[REKEY_IDENTITIES];
    struct psn_error err;
};

/* Names the files under a folder and makes the identities; no vault yet. */
void rekey_vault_init(struct rekey_vault *at, const char *folder);
void rekey_vault_release(struct rekey_vault *at);
/* Makes the vault. */
void rekey_vault_make(struct rekey_vault *at);
struct psn_key rekey_vault_key(const struct rekey_vault *at, int identity);
/* Opened and unlocked, or NULL with at->err. */
struct psn_vault *rekey_vault_open(struct rekey_vault *at, int identity);
/* Rekeys: mine stays, Paul's goes, the new one comes. */
enum psn_code rekey_vault_rekey(struct rekey_vault *at, struct psn_vault *vault,
                                bool *ret_replaced);
/* Is every secret there, and every chain whole? 0, or the line of what is not so. */
int rekey_vault_verify(struct psn_vault *vault);

/* One label at two mailboxes, of which the first has three versions of it; and are these
 * there? */
void rekey_vault_add_versions(struct psn_vault *vault);
int rekey_vault_verify_versions(struct psn_vault *vault);

/* cmocka's set-up, with what makes the vault (rekey_vault_make() or what is built on it),
 * and tear-down; *state is one of these. */
struct rekey_fixture {
    struct tmpdir dir;
    struct rekey_vault at;
    struct psn_vault *vault; /* open for me */
};
int rekey_fixture_set_up(void **state, void (*make)(struct rekey_vault *at));
int rekey_fixture_tear_down(void **state);

/* The passwords' and secrets' common beginning, and the mailboxes'. */
extern const char rekey_canary[];
extern const char rekey_domain[];

#endif
