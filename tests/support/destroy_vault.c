#include "support/destroy_vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/access.h"
#include "core/client.h"
#include "core/credential.h"
#include "core/exposure.h"
#include "core/grant.h"
#include "core/issue_row.h"
#include "core/journal.h"
#include "core/role.h"
#include "core/trust.h"
#include "core/version.h"

const char *const destroy_needles[] = { "domain-of-the-canary.example",
                                        "CANARY-of-the-vault", "xm000000-ovh",
                                        "needle-of-martin", NULL };

struct owner {
    const char *id;
    const char *nic;
    const char *domain;
    const char *secret; /* what every text of his tells */
};
static const struct owner martin = { "martin", "xm000000-ovh",
                                     "domain-of-the-canary.example", "needle-of-martin" };
static const struct owner durand = { "durand", "yd111111-ovh", "durand.example",
                                     "value-of-durand" };

static void address_of(const struct owner *owner, unsigned i,
                       char out[PSN_ADDRESS_TEXT_MAX])
{
    (void)snprintf(out, PSN_ADDRESS_TEXT_MAX, "box%u@%s", i, owner->domain);
}

static enum psn_code secret_of(const struct owner *owner, struct psn_secret **ret_value)
{
    return psn_secret_copy(owner->secret, strlen(owner->secret), ret_value, NULL);
}

/* --- Durand, as rekey_vault has made Martin --- */

static void add_durand(struct psn_vault *vault, struct psn_error *err)
{
    struct psn_client client = psn_client_init();

    (void)snprintf(client.id, sizeof client.id, "%s", durand.id);
    (void)snprintf(client.nic, sizeof client.nic, "%s", durand.nic);
    assert_int_equal(psn_client_add_domain(&client, durand.domain, err), PSN_OK);
    assert_int_equal(psn_client_add(vault, &client, err), PSN_OK);
    psn_client_release(&client);
}

static enum psn_code put_role(struct psn_vault *vault, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_ovh_credential credential = { 0 };
    struct psn_role_row row = { .backend = PSN_BACKEND_EMAIL_DOMAIN,
                                .created_s = 1,
                                .rotation = psn_rotation_state_init(1, false) };
    enum psn_code rc = secret_of(&durand, &value);

    address_of(&durand, 0, row.address);
    (void)snprintf(row.client, sizeof row.client, "%s", durand.id);
    if (!rc)
        rc = psn_role_write(vault, &row, err);
    if (!rc)
        rc = psn_version_put(vault, durand.id, row.address, "", 1, PSN_VERSION_CURRENT,
                             value, err);
    /* A second write of a row: revisions are carried, too. */
    if (!rc)
        rc = psn_role_write(vault, &row, err);
    if (!rc)
        rc = secret_of(&durand, &credential.application_key);
    if (!rc)
        rc = secret_of(&durand, &credential.application_secret);
    if (!rc)
        rc = secret_of(&durand, &credential.consumer_key);
    if (!rc)
        rc = psn_credential_put(vault, durand.id, &credential, err);
    psn_ovh_credential_release(&credential);
    return rc;
}

/* --- what both have --- */

static enum psn_code put_grant(struct psn_vault *vault, const struct owner *owner,
                               struct psn_error *err)
{
    struct psn_grant_row row = { .created_s = 5, .from_s = 5 };

    (void)snprintf(row.person, sizeof row.person, "luc");
    (void)snprintf(row.client, sizeof row.client, "%s", owner->id);
    (void)snprintf(row.reason, sizeof row.reason, "%s", owner->secret);
    address_of(owner, 0, row.address);
    return psn_grant_write(vault, &row, err);
}

static enum psn_code put_issue(struct psn_vault *vault, const struct owner *owner,
                               uint64_t serial, struct psn_error *err)
{
    struct psn_content content = { .version = 1 };
    struct psn_issue_row row = {
        .serial = serial, .created_s = 6, .contents = &content, .content_count = 1
    };

    /* The role of this one is gone since. */
    (void)snprintf(content.address, sizeof content.address, "former@%s", owner->domain);
    (void)snprintf(row.person, sizeof row.person, "luc");
    (void)snprintf(row.client, sizeof row.client, "%s", owner->id);
    (void)snprintf(row.path, sizeof row.path, "/home/jp/%s.age", owner->secret);
    (void)snprintf(row.receipt, sizeof row.receipt, "K7MQ29XWVTA");
    return psn_issue_row_write(vault, &row, err);
}

static enum psn_code put_access(struct psn_vault *vault, const struct owner *owner,
                                struct psn_error *err)
{
    struct psn_access_row row = { .revision = 0 };
    struct psn_finding *finding = &row.access.finding;

    (void)snprintf(row.client, sizeof row.client, "%s", owner->id);
    finding->kind = PSN_FINDING_REDIRECTION;
    (void)snprintf(finding->id, sizeof finding->id, "%s-1", owner->id);
    (void)snprintf(finding->subject, sizeof finding->subject, "%s", owner->secret);
    return psn_access_row_write(vault, &row, err);
}

static enum psn_code put_received(struct psn_vault *vault, const struct owner *owner,
                                  struct psn_error *err)
{
    PSN_AUTO(psn_secret) *text = NULL;
    struct psn_received_row row = { .view = {
                                        .serial = 7, .version = 1, .stored_s = 8 } };
    enum psn_code rc = secret_of(owner, &text);

    (void)snprintf(row.view.issuer, sizeof row.view.issuer, "SHA256:%s", owner->id);
    (void)snprintf(row.view.vault, sizeof row.view.vault, "00");
    address_of(owner, 9, row.view.address);
    if (!rc)
        rc = psn_received_write(vault, &row, err);
    if (!rc)
        rc = psn_received_put_text(vault, &row.view, text, err);
    /* As psn_opened_store() does, in the vault's own chain. */
    return rc ? rc
              : psn_journal_note(vault, NULL,
                                 &(struct psn_note){ .event = "role.received",
                                                     .subject = row.view.address },
                                 err);
}

static enum psn_code put_more(struct psn_vault *vault, const struct owner *owner,
                              uint64_t serial, struct psn_error *err)
{
    char address[PSN_ADDRESS_TEXT_MAX];
    char former[PSN_ADDRESS_TEXT_MAX];
    enum psn_code rc = put_grant(vault, owner, err);

    address_of(owner, 0, address);
    (void)snprintf(former, sizeof former, "former@%s", owner->domain);
    if (!rc)
        rc = put_issue(vault, owner, serial, err);
    if (!rc)
        rc = put_access(vault, owner, err);
    if (!rc)
        rc = put_received(vault, owner, err);
    if (!rc)
        rc = psn_exposure_put_of(vault, "luc", address, "", 1, PSN_HOW_ISSUED, err);
    if (!rc)
        rc = psn_exposure_put_of(vault, "luc", former, "", 1, PSN_HOW_ISSUED, err);
    return rc ? rc
              : psn_journal_note(vault, owner->id,
                                 &(struct psn_note){ .event = "grant.made",
                                                     .subject = address,
                                                     .text = owner->secret },
                                 err);
}

static void add_luc(struct psn_vault *vault, struct psn_error *err)
{
    struct psn_person luc = { .id = "luc", .email = "luc@studio.example" };

    luc.alias_count = 3;
    (void)snprintf(luc.aliases[0], sizeof luc.aliases[0], "%s", martin.nic);
    (void)snprintf(luc.aliases[1], sizeof luc.aliases[1], "lu12345-ovh");
    (void)snprintf(luc.aliases[2], sizeof luc.aliases[2], "luc@%s", martin.domain);
    assert_int_equal(psn_person_add(vault, &luc, err), PSN_OK);
}

void destroy_vault_make(struct rekey_vault *at)
{
    PSN_AUTO(psn_vault) *vault = NULL;
    struct psn_error *err = &at->err;
    enum psn_code rc;

    rekey_vault_make(at);
    vault = rekey_vault_open(at, REKEY_MINE);
    assert_non_null(vault);
    add_luc(vault, err);
    add_durand(vault, err);
    assert_int_equal(psn_vault_begin(vault, PSN_STORE_WRITE, err), PSN_OK);
    rc = put_role(vault, err);
    if (!rc)
        rc = put_more(vault, &martin, 100, err);
    if (!rc)
        rc = put_more(vault, &durand, 101, err);
    assert_int_equal(psn_vault_end(vault, rc, err), PSN_OK);
}

enum psn_code destroy_vault_destroy(struct rekey_vault *at, struct psn_vault *vault,
                                    struct psn_destruction *facts)
{
    struct psn_destruction_request request = { .client = martin.id,
                                               .confirm = martin.id,
                                               .statement = "sha256 5e" };
    struct psn_destruction unused;

    psn_error_clear(&at->err);
    return psn_client_destroy(vault, &request, facts ? facts : &unused, &at->err);
}

bool destroy_vault_has_martin(struct psn_vault *vault)
{
    struct psn_client client = { 0 };
    enum psn_code rc = psn_client_get(vault, martin.id, &client, NULL);

    psn_client_release(&client);
    return rc == PSN_OK;
}

#define CHECK(condition)     \
    do {                     \
        if (!(condition))    \
            return __LINE__; \
    } while (0)

static int verify_rows(struct psn_vault *vault)
{
    PSN_AUTO(psn_secret) *value = NULL;
    PSN_AUTO_RELEASE(psn_ovh_credential) credential = { 0 };
    PSN_AUTO(psn_secret) *text = NULL;
    struct psn_version version;
    struct psn_exposure_list seen = { 0 };
    struct psn_grant_row grant;
    struct psn_access_row access;
    struct psn_received_row received;
    char address[PSN_ADDRESS_TEXT_MAX];

    address_of(&durand, 0, address);
    CHECK(!psn_version_get(vault, durand.id, address, "", 1, &version, &value, NULL));
    CHECK(psn_secret_size(value) == strlen(durand.secret));
    CHECK(memcmp(psn_secret_bytes(value), durand.secret, strlen(durand.secret)) == 0);
    CHECK(!psn_credential_get(vault, durand.id, &credential, NULL));
    CHECK(!psn_grant_read(vault, "luc", address, &grant, NULL));
    psn_grant_row_release(&grant);
    CHECK(!psn_access_row_read(vault, durand.id, "durand-1", &access, NULL));
    CHECK(!psn_exposure_list(vault, "luc", address, &seen, NULL));
    CHECK(seen.count == 1);
    psn_exposure_list_release(&seen);
    address_of(&durand, 9, address);
    CHECK(!psn_received_read(vault, "SHA256:durand", "00", address, &received, NULL));
    CHECK(!psn_received_get_text(vault, &received.view, &text, NULL));
    return 0;
}

int destroy_vault_verify(struct psn_vault *vault)
{
    struct psn_vault_check check;
    int line;

    CHECK(!psn_vault_check(vault, &check, NULL));
    CHECK(!psn_journal_verify(vault, NULL, NULL, NULL));
    CHECK(!psn_vault_begin(vault, PSN_STORE_READ, NULL));
    line = verify_rows(vault);
    CHECK(!psn_vault_end(vault, PSN_OK, NULL));
    return line;
}
