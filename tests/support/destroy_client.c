#include <stdio.h>
#include <stdlib.h>

#include "passation/passation.h"

/*
 * destroy_client VAULT IDENTITY-FILE STATE-DIR CLIENT: destroys what the vault holds of a
 * client, for the tests that stop it at every system call. Prints what was written over.
 */
int main(int argc, char **argv)
{
    struct psn_vault *vault = NULL;
    struct psn_secret *identity = NULL;
    struct psn_error err = { 0 };
    struct psn_destruction facts = { 0 };
    struct psn_destruction_request request = { 0 };
    struct psn_vault_options options = { 0 };
    struct psn_key key = { .kind = PSN_SLOT_IDENTITY };
    enum psn_code rc;

    if (argc != 5) {
        (void)fprintf(stderr,
                      "usage: destroy_client VAULT IDENTITY-FILE STATE-DIR CLIENT\n");
        return 2;
    }
    options.path = argv[1];
    options.state_dir = argv[3];
    request.client = argv[4];
    request.confirm = argv[4];
    rc = psn_init(&err);
    if (!rc)
        rc = psn_secret_read_file(argv[2], 65536, &identity, &err);
    key.secret = identity;
    if (!rc)
        rc = psn_vault_open(&options, &vault, &err);
    if (!rc)
        rc = psn_vault_unlock(vault, &key, &err);
    if (!rc)
        rc = psn_client_destroy(vault, &request, &facts, &err);
    psn_vault_free(vault);
    psn_secret_free(identity);
    if (rc)
        (void)fprintf(stderr, "destroy_client: %s\n", err.message);
    else
        (void)printf("%llu %llu %d\n", (unsigned long long)facts.file_bytes,
                     (unsigned long long)facts.log_bytes, facts.is_overwritten);
    return rc ? 1 : 0;
}
