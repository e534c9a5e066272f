/*
 * Changes of contacts and the end of our own access, for the tests against the simulator.
 *
 *     contact_probe VAULT IDENTITY CA CLIENT services | look | history | own | revoke
 *     contact_probe … request NIC          all three contacts, of every service
 *     contact_probe … accept|decline ID    the token comes by standard input
 *     contact_probe … zone|facts DOMAIN
 *
 * One line for each thing, tabs between. Exit status as passation's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "crypto/secret.h"
#include "passation/passation.h"

static struct psn_vault *vault;
static const char *client;
static struct psn_error err;

static enum psn_code print_service(void *arg, const struct psn_contact_service *service,
                                   struct psn_error *at)
{
    (void)arg;
    (void)at;
    printf("%s\t%s\t%s\t%s\t%s\n", psn_contact_kind_name(service->kind), service->name,
           service->admin, service->tech, service->billing);
    return PSN_OK;
}

static enum psn_code print_change(void *arg, const struct psn_contact_change *change,
                                  struct psn_error *at)
{
    (void)arg;
    (void)at;
    printf("%lld\t%s\t%s\t%s\t%s\t%s\n", (long long)change->id,
           psn_contact_kind_name(change->kind), change->service,
           psn_contact_state_name(change->state), change->from, change->to);
    return PSN_OK;
}

static enum psn_code print_own(void *arg, const struct psn_own_access *access,
                               struct psn_error *at)
{
    (void)arg;
    (void)at;
    printf("%s\t%d\t%d\n", access->id, access->is_last, access->is_kept);
    return PSN_OK;
}

static enum psn_code answer(const char *id, bool accept)
{
    PSN_AUTO(psn_secret) *token = NULL;
    char text[128];
    ssize_t size = read(STDIN_FILENO, text, sizeof text);
    enum psn_code rc = psn_secret_copy(text, size > 0 ? (size_t)size : 0, &token, &err);

    return rc ? rc
              : psn_contact_answer(vault, client, strtoll(id, NULL, 10), token, accept,
                                   &err);
}

static enum psn_code request(const char *nic)
{
    const struct psn_contact_wish wish = { .admin = nic, .tech = nic, .billing = nic };

    return psn_contact_request(vault, client, &wish, print_change, NULL, &err);
}

static enum psn_code print_zone(const char *domain)
{
    PSN_AUTO_FREE char *text = NULL;
    enum psn_code rc = psn_contact_zone_file(vault, client, domain, &text, &err);

    if (!rc)
        printf("%s", text);
    return rc;
}

static enum psn_code print_facts(const char *domain)
{
    struct psn_domain_facts facts;
    enum psn_code rc = psn_contact_domain_facts(vault, client, domain, &facts, &err);

    if (!rc)
        printf("%d\t%d\t%s\n", facts.expires_s > 0, facts.renews, facts.status);
    return rc;
}

static enum psn_code end_access(void)
{
    struct psn_own_access_report report;
    enum psn_code rc = psn_own_access_revoke(vault, client, &report, &err);

    if (!rc)
        printf("%zu\t%zu\t%d\t%s\n", report.removed, report.kept, report.was_gone,
               report.proof);
    return rc;
}

static enum psn_code act(const char *word, const char *more)
{
    if (strcmp(word, "services") == 0)
        return psn_contact_services(vault, client, print_service, NULL, &err);
    if (strcmp(word, "look") == 0)
        return psn_contact_look(vault, client, print_change, NULL, &err);
    if (strcmp(word, "history") == 0)
        return psn_contact_history(vault, client, print_change, NULL, &err);
    if (strcmp(word, "own") == 0)
        return psn_own_access_list(vault, client, print_own, NULL, &err);
    if (strcmp(word, "revoke") == 0)
        return end_access();
    if (strcmp(word, "zone") == 0)
        return print_zone(more);
    if (strcmp(word, "facts") == 0)
        return print_facts(more);
    if (strcmp(word, "request") == 0)
        return request(more);
    return answer(more, strcmp(word, "accept") == 0);
}

static enum psn_code open_vault(char **args)
{
    PSN_AUTO_RELEASE(psn_buf) text = psn_buf_init_wiped(4096);
    PSN_AUTO(psn_secret) *identity = NULL;
    const struct psn_vault_options options = { .path = args[0], .ca_file = args[2] };
    struct psn_key key = { .kind = PSN_SLOT_IDENTITY };
    enum psn_code rc = psn_init(&err);

    if (!rc)
        rc = psn_file_read(args[1], &text, &err);
    if (!rc)
        rc = psn_secret_copy(text.data, text.size, &identity, &err);
    key.secret = identity;
    if (!rc)
        rc = psn_vault_open(&options, &vault, &err);
    return rc ? rc : psn_vault_unlock(vault, &key, &err);
}

int main(int argc, char **argv)
{
    enum psn_code rc;

    if (argc < 6) {
        (void)fprintf(stderr, "usage: contact_probe VAULT IDENTITY CA CLIENT WORD …\n");
        return 2;
    }
    client = argv[4];
    rc = open_vault(argv + 1);
    if (!rc)
        rc = act(argv[5], argc > 6 ? argv[6] : "");
    if (rc)
        (void)fprintf(stderr, "%s\n%s\n", err.message, err.hint);
    psn_vault_free(vault);
    return psn_code_exit_status(rc);
}
