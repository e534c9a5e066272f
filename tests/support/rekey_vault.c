#include "support/rekey_vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "core/client.h"
#include "core/credential.h"
#include "core/exposure.h"
#include "core/role.h"
#include "core/version.h"

const char rekey_canary[] = "CANARY-of-the-vault";
const char rekey_domain[] = "domain-of-the-canary.example";

static const char *const texts[REKEY_IDENTITIES] = {
    "AGE-SECRET-KEY-1GT05DEKNZMYRD5S6QDCPZ80WFSLMDN3VHQFK2UEQML2NLZKHCWXQX27TDM\n",
    "AGE-SECRET-KEY-1PG3JSPMLTL23SXX0EY7EJ3AAZVAUAZG5HK5CT3PKFTUXNM3Q2UCQ6MY66Z\n",
};

void rekey_vault_init(struct rekey_vault *at, const char *folder)
{
    memset(at, 0, sizeof *at);
    assert_int_equal(psn_init(&at->err), PSN_OK);
    (void)snprintf(at->path, sizeof at->path, "%s/vault.db", folder);
    (void)snprintf(at->state, sizeof at->state, "%s/state", folder);
    at->options = (struct psn_vault_options){ .path = at->path, .state_dir = at->state };
    for (size_t i = 0; i < REKEY_NEW; i++)
        assert_int_equal(
            psn_secret_copy(texts[i], strlen(texts[i]), &at->identities[i], &at->err),
            PSN_OK);
    assert_int_equal(psn_new_recovery_code(&at->identities[REKEY_NEW], &at->err), PSN_OK);
}

void rekey_vault_release(struct rekey_vault *at)
{
    for (size_t i = 0; i < REKEY_IDENTITIES; i++)
        psn_secret_free(at->identities[i]);
}

struct psn_key rekey_vault_key(const struct rekey_vault *at, int identity)
{
    return (struct psn_key){ identity == REKEY_NEW ? PSN_SLOT_RECOVERY
                                                   : PSN_SLOT_IDENTITY,
                             at->identities[identity] };
}

static void put_client(struct psn_vault *vault, struct psn_error *err)
{
    struct psn_client client = psn_client_init();
    struct psn_ovh_credential credential = { 0 };
    enum psn_code rc;

    (void)snprintf(client.id, sizeof client.id, "martin");
    (void)snprintf(client.nic, sizeof client.nic, "xm000000-ovh");
    assert_int_equal(psn_client_add_domain(&client, rekey_domain, err), PSN_OK);
    assert_int_equal(psn_client_add(vault, &client, err), PSN_OK);
    psn_client_release(&client);
    assert_int_equal(psn_secret_copy(rekey_canary, strlen(rekey_canary),
                                     &credential.application_key, err),
                     PSN_OK);
    assert_int_equal(psn_secret_copy(rekey_canary, strlen(rekey_canary),
                                     &credential.application_secret, err),
                     PSN_OK);
    assert_int_equal(psn_secret_copy(rekey_canary, strlen(rekey_canary),
                                     &credential.consumer_key, err),
                     PSN_OK);
    assert_int_equal(psn_vault_begin(vault, PSN_STORE_WRITE, err), PSN_OK);
    rc = psn_credential_put(vault, "martin", &credential, err);
    assert_int_equal(psn_vault_end(vault, rc, err), PSN_OK);
    psn_ovh_credential_release(&credential);
}

static void address_of(unsigned i, char *out, size_t size)
{
    (void)snprintf(out, size, "box%u@%s", i, rekey_domain);
}

static void value_of(unsigned i, unsigned version, char *out, size_t size)
{
    (void)snprintf(out, size, "%s-%u-%u", rekey_canary, i, version);
}

static enum psn_code put_role(struct psn_vault *vault, unsigned i, struct psn_error *err)
{
    struct psn_role_row row = { .backend = PSN_BACKEND_EMAIL_DOMAIN,
                                .created_s = 1,
                                .rotation = psn_rotation_state_init(1, false) };
    enum psn_code rc;

    address_of(i, row.address, sizeof row.address);
    (void)snprintf(row.client, sizeof row.client, "martin");
    rc = psn_role_write(vault, &row, err);
    for (unsigned version = 1; !rc && version <= 2; version++) {
        PSN_AUTO(psn_secret) *value = NULL;
        char text[64];

        value_of(i, version, text, sizeof text);
        rc = psn_secret_copy(text, strlen(text), &value, err);
        if (!rc)
            rc = psn_version_put(vault, "martin", row.address, "", version,
                                 version == 1 ? PSN_VERSION_CURRENT : PSN_VERSION_PENDING,
                                 value, err);
    }
    return rc ? rc : psn_exposure_put(vault, row.address, "", 1, PSN_HOW_SHOWN, err);
}

static void put_secret(struct psn_vault *vault, struct psn_error *err)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_secret_info info = { .label = "Licence n° 1" };

    (void)snprintf(info.type, sizeof info.type, "licence");
    address_of(0, info.address, sizeof info.address);
    assert_int_equal(psn_secret_copy(rekey_canary, strlen(rekey_canary), &value, err),
                     PSN_OK);
    assert_int_equal(psn_secret_add(vault, &info, value, PSN_SECRET_GIVEN, err), PSN_OK);
}

void rekey_vault_make(struct rekey_vault *at)
{
    PSN_AUTO(psn_vault) *vault = NULL;
    struct psn_person me = { .id = "me" };
    struct psn_key keys[2] = { rekey_vault_key(at, REKEY_MINE),
                               rekey_vault_key(at, REKEY_PAULS) };
    bool is_new = false;

    assert_int_equal(psn_vault_create(&at->options, &me, keys, 1, &vault, &at->err),
                     PSN_OK);
    assert_int_equal(psn_slot_add(vault, "paul", &keys[1], &is_new, &at->err), PSN_OK);
    put_client(vault, &at->err);
    for (unsigned i = 0; i < REKEY_ROLES; i++) {
        enum psn_code rc = psn_vault_begin(vault, PSN_STORE_WRITE, &at->err);

        assert_int_equal(rc, PSN_OK);
        rc = put_role(vault, i, &at->err);
        assert_int_equal(psn_vault_end(vault, rc, &at->err), PSN_OK);
    }
    put_secret(vault, &at->err);
    assert_int_equal(psn_key_rotate(vault, &at->err), PSN_OK);
}

struct psn_vault *rekey_vault_open(struct rekey_vault *at, int identity)
{
    PSN_AUTO(psn_vault) *vault = NULL;
    struct psn_key key = rekey_vault_key(at, identity);

    psn_error_clear(&at->err);
    if (psn_vault_open(&at->options, &vault, &at->err) ||
        psn_vault_unlock(vault, &key, &at->err))
        return NULL;
    return PSN_TAKE(vault);
}

enum psn_code rekey_vault_rekey(struct rekey_vault *at, struct psn_vault *vault,
                                bool *ret_replaced)
{
    uint8_t mine[PSN_SLOT_ID_SIZE];
    struct psn_rekey_slot slots[2] = {
        { .person = "me", .key = rekey_vault_key(at, REKEY_MINE), .from = mine },
        { .person = "me", .key = rekey_vault_key(at, REKEY_NEW) },
    };
    struct psn_rekey rekey = { .slots = slots, .slot_count = 2 };

    memcpy(mine, vault->slot, sizeof mine);
    psn_error_clear(&at->err);
    return psn_vault_rekey(vault, &rekey, ret_replaced, &at->err);
}

#define CHECK(condition)     \
    do {                     \
        if (!(condition))    \
            return __LINE__; \
    } while (0)

static int verify_value(struct psn_vault *vault, unsigned role, const char *label,
                        unsigned number, const char *text)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_version version;
    char address[PSN_ADDRESS_TEXT_MAX];

    address_of(role, address, sizeof address);
    CHECK(!psn_version_get(vault, "martin", address, label, number, &version, &value,
                           NULL));
    CHECK(psn_secret_size(value) == strlen(text));
    CHECK(memcmp(psn_secret_bytes(value), text, strlen(text)) == 0);
    return 0;
}

static int verify_version(struct psn_vault *vault, unsigned i, unsigned number)
{
    char text[64];

    value_of(i, number, text, sizeof text);
    return verify_value(vault, i, "", number, text);
}

static int verify_rows(struct psn_vault *vault)
{
    PSN_AUTO(psn_secret) *value = NULL;
    struct psn_ovh_credential credential = { 0 };
    struct psn_version version;
    char address[PSN_ADDRESS_TEXT_MAX];

    for (unsigned i = 0; i < REKEY_ROLES; i++)
        for (unsigned number = 1; number <= 2; number++) {
            int line = verify_version(vault, i, number);

            if (line)
                return line;
        }
    address_of(0, address, sizeof address);
    CHECK(!psn_version_get(vault, "martin", address, "Licence n° 1", 1, &version, &value,
                           NULL));
    CHECK(!psn_credential_get(vault, "martin", &credential, NULL));
    psn_ovh_credential_release(&credential);
    return 0;
}

/* --- more versions --- */

enum {
    VERSIONS = 3,
    FTP_VALUE = 9 /* in place of a version, in these values */
};

void rekey_vault_add_versions(struct psn_vault *vault)
{
    for (unsigned i = 0; i <= VERSIONS; i++) {
        PSN_AUTO(psn_secret) *value = NULL;
        struct psn_secret_info info = { .label = "ftp", .type = "ftp" };
        struct psn_secret_change change = { 0 };
        bool is_first = i == 0 || i == VERSIONS;
        uint64_t number = 0;
        char text[64];

        address_of(i == VERSIONS, info.address, sizeof info.address);
        value_of(i, FTP_VALUE, text, sizeof text);
        assert_int_equal(psn_secret_copy(text, strlen(text), &value, NULL), PSN_OK);
        change.value = value;
        assert_int_equal(
            is_first
                ? psn_secret_add(vault, &info, value, PSN_SECRET_GIVEN, NULL)
                : psn_secret_set(vault, info.address, info.label, &change, &number, NULL),
            PSN_OK);
    }
}

int rekey_vault_verify_versions(struct psn_vault *vault)
{
    int line = 0;

    CHECK(!psn_vault_begin(vault, PSN_STORE_READ, NULL));
    for (unsigned i = 0; !line && i <= VERSIONS; i++) {
        bool is_other = i == VERSIONS;
        char text[64];

        value_of(i, FTP_VALUE, text, sizeof text);
        line = verify_value(vault, is_other, "ftp", is_other ? 1 : i + 1, text);
    }
    CHECK(!psn_vault_end(vault, PSN_OK, NULL));
    return line;
}

int rekey_vault_verify(struct psn_vault *vault)
{
    struct psn_vault_check check;
    int line;

    CHECK(!psn_vault_check(vault, &check, NULL));
    CHECK(!psn_vault_begin(vault, PSN_STORE_READ, NULL));
    line = verify_rows(vault);
    CHECK(!psn_vault_end(vault, PSN_OK, NULL));
    return line;
}

int rekey_fixture_set_up(void **state, void (*make)(struct rekey_vault *at))
{
    struct rekey_fixture *f = calloc(1, sizeof *f);

    assert_non_null(f);
    tmpdir_make(&f->dir);
    rekey_vault_init(&f->at, f->dir.path);
    make(&f->at);
    f->vault = rekey_vault_open(&f->at, REKEY_MINE);
    assert_non_null(f->vault);
    *state = f;
    return 0;
}

int rekey_fixture_tear_down(void **state)
{
    struct rekey_fixture *f = *state;

    psn_vault_free(f->vault);
    rekey_vault_release(&f->at);
    tmpdir_remove(&f->dir);
    free(f);
    return 0;
}
