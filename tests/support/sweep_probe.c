/*
 * Sweeps an account and cuts in it, for the tests against the simulator.
 *
 *     sweep_probe ROOT CA CONFIG DOMAIN            lists
 *     sweep_probe ROOT CA CONFIG DOMAIN ID…        cuts these, one after the other
 *
 * One line for each finding, and one for each cut (tabs between):
 *     ID DANGER OWN WHOSE SINCE METHOD PATH
 *     ID STATE TASK
 *     ID EXIT_STATUS MESSAGE
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "crypto/init.h"
#include "ovh/cut.h"
#include "ovh/inventory.h"

enum {
    FINDINGS_MAX = 500,
    CONFIG_MAX = 4096,
};

static struct psn_finding findings[FINDINGS_MAX];
static size_t count;

static enum psn_code keep(void *arg, const struct psn_finding *finding,
                          struct psn_error *err)
{
    (void)arg;
    if (count == FINDINGS_MAX)
        return psn_fail(err, PSN_E_LIMIT, "too many findings");
    findings[count++] = *finding;
    return PSN_OK;
}

static enum psn_code open_account(char **args, struct psn_http http,
                                  struct psn_ovh **ret_ovh, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) config = psn_buf_init_wiped(CONFIG_MAX);
    PSN_AUTO_RELEASE(psn_ovh_credential) credential = { 0 };
    struct psn_ovh_options options = { .root = args[0],
                                       .ca_file = args[1],
                                       .http = http };
    enum psn_code rc = psn_file_read(args[2], &config, err);

    if (rc == PSN_OK)
        rc = psn_ovh_credential_parse(psn_buf_str(&config), config.size, args[0],
                                      &credential, err);
    return rc ? rc : psn_ovh_open(&options, &credential, ret_ovh, err);
}

static void print_all(void)
{
    for (size_t i = 0; i < count; i++)
        printf("%s\t%s\t%d\t%s\t%lld\t%s\t%s\n", findings[i].id,
               psn_danger_name(findings[i].danger), findings[i].own, findings[i].whose,
               (long long)findings[i].since_s, findings[i].method, findings[i].path);
}

static void cut(struct psn_ovh *ovh, const char *id)
{
    for (size_t i = 0; i < count; i++) {
        struct psn_error err = { 0 };
        struct psn_cut done;

        if (strcmp(findings[i].id, id) != 0)
            continue;
        if (psn_ovh_cut(ovh, &findings[i], &done, &err))
            printf("%s\t%d\t%s\n", id, psn_code_exit_status(err.code), err.message);
        else
            printf("%s\t%s\t%lld\n", id, psn_cut_state_name(done.state),
                   (long long)done.task_id);
        return;
    }
    printf("%s\tno such finding\t\n", id);
}

int main(int argc, char **argv)
{
    PSN_AUTO(psn_http_client) *client = NULL;
    PSN_AUTO(psn_ovh) *ovh = NULL;
    struct psn_error err = { 0 };

    if (argc < 5) {
        (void)fprintf(stderr, "usage: sweep_probe ROOT CA CONFIG DOMAIN [ID…]\n");
        return 2;
    }
    const char *const domains[] = { argv[4] };
    const struct psn_sweep_options options = { .domains = domains, .domain_count = 1 };
    if (psn_crypto_init(&err) || psn_http_client_new(&client, &err) ||
        open_account(argv + 1, psn_http_client_port(client), &ovh, &err) ||
        psn_ovh_sweep(ovh, &options, keep, NULL, &err)) {
        (void)fprintf(stderr, "%s\n", err.message);
        return psn_code_exit_status(err.code);
    }
    if (argc == 5)
        print_all();
    for (int i = 5; i < argc; i++)
        cut(ovh, argv[i]);
    return 0;
}
