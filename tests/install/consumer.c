#include <stdio.h>

#include <passation/passation.h>

/* The library's first lines, as another program would write them. */
int main(int argc, char **argv)
{
    struct psn_vault_options options = { .path = argc > 1 ? argv[1] : "none.db" };
    struct psn_vault *vault = NULL;
    struct psn_error err = { 0 };
    enum psn_code rc = psn_init(&err);

    if (rc == PSN_OK)
        rc = psn_vault_open(&options, &vault, &err);
    (void)printf("%s: %s\n", psn_code_word(rc), rc ? err.message : "opened");
    psn_vault_free(vault);
    return psn_code_exit_status(rc);
}
