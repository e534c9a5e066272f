#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "core/exposure.h"
#include "core/grant.h"
#include "core/item.h"
#include "core/role.h"
#include "core/vault.h"
#include "core/version.h"
#include "crypto/generate.h"
#include "passation/passation.h"

/*
 * make_vault VAULT IDENTITY-FILE COUNT [PER-DOMAIN [PEOPLE [SECRETS]]]: a vault with
 * COUNT proved mailboxes (box0@d0.example, box1@d0.example …), for benchmarks. It writes
 * rows the way the library does, in batches, without any network.
 *
 * With PEOPLE (p0, p1 …) each mailbox was made by "me" and issued to one of them by
 * turns, under a grant that is in force and served; of every tenth the grant has been
 * ended, so that he knows it without right. With SECRETS as many others hang on the first
 * mailbox.
 */
enum {
    BATCH = 500,
    EXPOSED_EACH = 10,
};

static void die(const struct psn_error *err)
{
    (void)fprintf(stderr, "make_vault: %s\n", err->message);
    exit(1);
}

static enum psn_code put_role(struct psn_vault *vault, uint64_t index,
                              uint64_t per_domain, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *password = NULL;
    struct psn_role_row row = { .backend = PSN_BACKEND_EMAIL_DOMAIN,
                                .created_s = 1,
                                .changed_s = 1,
                                .verified_s = 1,
                                .rotation = psn_rotation_state_init(1, false) };
    enum psn_code rc;

    (void)snprintf(row.address, sizeof row.address, "box%llu@d%llu.example",
                   (unsigned long long)(index % per_domain),
                   (unsigned long long)(index / per_domain));
    (void)snprintf(row.client, sizeof row.client, "c%llu",
                   (unsigned long long)(index / per_domain));
    rc = psn_generate_password(&password, err);
    if (!rc)
        rc = psn_role_write(vault, &row, err);
    return rc ? rc
              : psn_version_put(vault, row.client, row.address, "", 1,
                                PSN_VERSION_CURRENT, password, err);
}

static enum psn_code put_grant(struct psn_vault *vault, uint64_t index,
                               uint64_t per_domain, uint64_t people,
                               struct psn_error *err)
{
    struct psn_content content = { .version = 1 };
    struct psn_grant_row row = { .created_s = 1,
                                 .from_s = 1,
                                 .ended_s = index % EXPOSED_EACH == 0 ? 2 : 0,
                                 .issued = &content,
                                 .issued_count = 1,
                                 .serial = index + 1 };
    enum psn_code rc;

    (void)snprintf(row.address, sizeof row.address, "box%llu@d%llu.example",
                   (unsigned long long)(index % per_domain),
                   (unsigned long long)(index / per_domain));
    (void)snprintf(row.client, sizeof row.client, "c%llu",
                   (unsigned long long)(index / per_domain));
    (void)snprintf(row.person, sizeof row.person, "p%llu",
                   (unsigned long long)(index % people));
    rc = psn_grant_write(vault, &row, err);
    if (!rc)
        rc = psn_exposure_put_of(vault, "me", row.address, "", 1, PSN_HOW_CREATED, err);
    return rc ? rc
              : psn_exposure_put_of(vault, row.person, row.address, "", 1, PSN_HOW_ISSUED,
                                    err);
}

static void add_people(struct psn_vault *vault, uint64_t people, struct psn_error *err)
{
    for (uint64_t i = 0; i < people; i++) {
        struct psn_person person = { .kind = PSN_PERSON_PROVIDER };

        (void)snprintf(person.id, sizeof person.id, "p%llu", (unsigned long long)i);
        if (psn_person_add(vault, &person, err))
            die(err);
    }
}

static void add_clients(struct psn_vault *vault, uint64_t clients, struct psn_error *err)
{
    for (uint64_t i = 0; i < clients; i++) {
        struct psn_client client = psn_client_init();
        char domain[64];

        (void)snprintf(client.id, sizeof client.id, "c%llu", (unsigned long long)i);
        (void)snprintf(client.nic, sizeof client.nic, "xy000000-ovh");
        (void)snprintf(domain, sizeof domain, "d%llu.example", (unsigned long long)i);
        if (psn_client_add_domain(&client, domain, err) ||
            psn_client_add(vault, &client, err))
            die(err);
        psn_client_release(&client);
    }
}

static void add_roles(struct psn_vault *vault, uint64_t count, uint64_t per_domain,
                      uint64_t people, struct psn_error *err)
{
    for (uint64_t i = 0; i < count;) {
        enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);

        if (rc)
            die(err);
        for (unsigned j = 0; !rc && j < BATCH && i < count; j++, i++) {
            rc = put_role(vault, i, per_domain, err);
            if (!rc && people)
                rc = put_grant(vault, i, per_domain, people, err);
        }
        if (psn_vault_end(vault, rc, err))
            die(err);
    }
}

static void add_secrets(struct psn_vault *vault, uint64_t count, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    enum psn_code rc = psn_generate_password(&value, err);

    if (!rc)
        rc = psn_vault_begin(vault, PSN_STORE_WRITE, err);
    if (rc)
        die(err);
    for (uint64_t i = 0; !rc && i < count; i++) {
        struct psn_secret_info info = { .address = "box0@d0.example", .type = "ftp" };

        (void)snprintf(info.label, sizeof info.label, "secret%llu",
                       (unsigned long long)i);
        rc = psn_item_insert(vault, &info, value, NULL, err);
    }
    if (psn_vault_end(vault, rc, err))
        die(err);
}

int main(int argc, char **argv)
{
    PSN_AUTO(psn_vault) *vault = NULL;
    PSN_AUTO(psn_secret) *identity = NULL;
    struct psn_error err = { 0 };
    struct psn_person person = { .id = "me" };
    struct psn_vault_options options = { 0 };
    struct psn_key key = { .kind = PSN_SLOT_IDENTITY };
    uint64_t count = 0;
    uint64_t per_domain = 100;
    uint64_t people = 0;
    uint64_t secrets = 0;

    if (argc < 4 || !psn_text_parse_u64(argv[3], 10000000, &count) ||
        (argc > 4 &&
         (!psn_text_parse_u64(argv[4], 10000000, &per_domain) || !per_domain)) ||
        (argc > 5 && !psn_text_parse_u64(argv[5], 10000, &people)) ||
        (argc > 6 && !psn_text_parse_u64(argv[6], 1000000, &secrets))) {
        (void)fprintf(stderr, "usage: make_vault VAULT IDENTITY-FILE COUNT [PER-DOMAIN "
                              "[PEOPLE [SECRETS]]]\n");
        return 2;
    }
    options.path = argv[1];
    if (psn_init(&err) || psn_secret_read_file(argv[2], 65536, &identity, &err))
        die(&err);
    key.secret = identity;
    if (psn_vault_create(&options, &person, &key, 1, &vault, &err))
        die(&err);
    add_people(vault, people, &err);
    add_clients(vault, (count + per_domain - 1) / per_domain, &err);
    add_roles(vault, count, per_domain, people, &err);
    add_secrets(vault, secrets, &err);
    return 0;
}
