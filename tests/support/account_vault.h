#ifndef SUPPORT_ACCOUNT_VAULT_H
#define SUPPORT_ACCOUNT_VAULT_H

#include "core/client.h"
#include "support/fake_account.h"
#include "support/rekey_vault.h"

/* A small vault whose client "martin" is linked to the fake account. */
struct account_vault {
    struct tmpdir dir;
    struct rekey_vault at;
    struct psn_vault *vault;
    char domain[64]; /* the client's */
    struct psn_error err;
};

/* The keys of a client: texts, or NULL for none. */
struct account_keys {
    const char *application; /* of both keys */
    const char *daily;
    const char *cut;
    const char *cut_application; /* if it is another one */
    const char *client_id;       /* a service account for daily work instead */
};

void account_vault_make(struct account_vault *v, const struct account_keys *keys);
void account_vault_release(struct account_vault *v);
/* As after a kill: the vault is opened anew. */
void account_vault_reopen(struct account_vault *v);
/* Links a client (made if it is not there) with these keys. */
void account_vault_link(struct account_vault *v, const char *client, const char *nic,
                        const struct account_keys *keys);
/* How many notes of that event the journal of the client has. */
size_t account_vault_notes(struct account_vault *v, const char *event);

#endif
