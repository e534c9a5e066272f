#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "core/client.h"
#include "core/exposure.h"
#include "core/grant.h"
#include "core/issue_row.h"
#include "core/vault.h"
#include "crypto/init.h"
#include "fuzz/target.h"
#include "fuzz/vault_script.h"
#include "passation/passation.h"
#include "support/fixed_random.h"

/*
 * A whole vault: the frozen one of format 1, with more in it, is changed as the input
 * says (vault_script.h), opened, and used: everything is listed and shown, a rotation is
 * planned, and something is written.
 *
 * Whoever has no keys may make it unreadable. He never gets another secret shown than
 * the one that was kept there, and the journal never verifies with a piece missing.
 * Whoever has keys may write anything; it is read without harm.
 *
 * Time and random numbers are the same in each process, so that a change hits the same
 * byte each time.
 */
static const char client_id[] = "boulangerie-martin";
static const char address[] = "contact@boulangerie-martin.fr";
static const int64_t now_s = 1767312000;

enum {
    SECRETS_MAX = 32,
};

/* What the untouched vault shows. */
static struct known {
    char address[PSN_ADDRESS_TEXT_MAX];
    char label[PSN_LABEL_TEXT_MAX];
    uint64_t version;
    struct psn_secret *value;
} known[SECRETS_MAX];
static size_t known_count;

static struct psn_secret *identity;
static struct vault_image before; /* as it was frozen */
static struct vault_image image;
static char folder[256];
static char path[300];
static uint64_t journal_count; /* of the untouched vault: entries … */
static uint64_t generation;    /* … and state */

int64_t __wrap_psn_clock_now_s(void);

int64_t __wrap_psn_clock_now_s(void)
{
    return now_s;
}

static int64_t fixed_now_s(void)
{
    return now_s;
}

/* --- OVH --- */

/* Has the two mailboxes, and nothing else. */
static enum psn_code answer(void *self, const struct psn_http_request *request,
                            struct psn_http_response *response, struct psn_error *err)
{
    static const struct {
        const char *ending;
        const char *body;
    } known_paths[] = {
        { "/auth/time", "1767312000" },
        { "/email/domain", "[\"boulangerie-martin.fr\"]" },
        { "/email/domain/boulangerie-martin.fr",
          "{\"domain\":\"boulangerie-martin.fr\",\"status\":\"ok\",\"offer\":\"MXPLAN "
          "5\"}" },
        { "/account/contact",
          "{\"accountName\":\"contact\",\"domain\":\"boulangerie-martin.fr\","
          "\"email\":\"contact@boulangerie-martin.fr\",\"isBlocked\":false,\"size\":5,"
          "\"description\":\"\"}" },
        { "/account/technique",
          "{\"accountName\":\"technique\",\"domain\":\"boulangerie-martin.fr\","
          "\"email\":\"technique@boulangerie-martin.fr\",\"isBlocked\":false,\"size\":5,"
          "\"description\":\"\"}" },
    };
    size_t size = strlen(request->url);

    (void)self;
    (void)err;
    MUST(strcmp(request->method, "GET") == 0);
    psn_buf_reset(&response->body);
    response->fate = PSN_HTTP_ANSWERED;
    response->status = 404;
    response->retry_after_s = -1;
    for (size_t i = 0; i < sizeof known_paths / sizeof *known_paths; i++) {
        size_t ending = strlen(known_paths[i].ending);

        if (size < ending ||
            strcmp(request->url + size - ending, known_paths[i].ending) != 0)
            continue;
        response->status = 200;
        psn_buf_text(&response->body, known_paths[i].body);
        return PSN_OK;
    }
    psn_buf_text(&response->body,
                 "{\"class\":\"Client::NotFound\",\"message\":\"not found\"}");
    return PSN_OK;
}

static int64_t boot_ms(void)
{
    return 1000000;
}

static void sleep_ms(int64_t duration_ms)
{
    (void)duration_ms;
}

/* --- the vault --- */

static enum psn_code open_vault(struct psn_vault **ret_vault, struct psn_error *err)
{
    static const struct psn_world world = { .http = { .perform = answer },
                                            .now_s = fixed_now_s,
                                            .boot_ms = boot_ms,
                                            .sleep_ms = sleep_ms };
    struct psn_vault_options options = { .path = path };
    struct psn_key key = { PSN_SLOT_IDENTITY, identity };
    PSN_AUTO(psn_vault) *vault = NULL;
    enum psn_code rc = psn_vault_open(&options, &vault, err);

    if (rc)
        return rc;
    psn_vault_set_world(vault, &world);
    rc = psn_vault_unlock(vault, &key, err);
    if (!rc)
        *ret_vault = PSN_TAKE(vault);
    return rc;
}

static void add_people(struct psn_vault *vault)
{
    struct psn_person jean = { .id = "jean",
                               .kind = PSN_PERSON_PROVIDER,
                               .name = "Jean Petit",
                               .email = "jean@example.org",
                               .group_count = 1,
                               .groups = { "agence" },
                               .device_count = 1,
                               .devices = { "iPhone" },
                               .alias_count = 1,
                               .aliases = { "jp2-ovh" } };
    struct psn_person client = { .id = "martin", .kind = PSN_PERSON_CLIENT };

    MUST(!psn_person_add(vault, &jean, NULL));
    MUST(!psn_person_add(vault, &client, NULL));
}

static void add_secret(struct psn_vault *vault, const char *label, const char *type,
                       const char *text)
{
    struct psn_secret_info info = { .user = "claire" };
    struct psn_secret *value = NULL;

    (void)snprintf(info.address, sizeof info.address, "%s", address);
    (void)snprintf(info.label, sizeof info.label, "%s", label);
    (void)snprintf(info.type, sizeof info.type, "%s", type);
    MUST(!psn_secret_copy(text, strlen(text), &value, NULL));
    MUST(!psn_secret_add(vault, &info, value, PSN_SECRET_GIVEN, NULL));
    psn_secret_free(value);
}

static enum psn_code add_grant(struct psn_vault *vault)
{
    struct psn_content content = { .version = 2 };
    struct psn_grant_row row = { .created_s = now_s,
                                 .from_s = now_s,
                                 .until_s = now_s + 86400,
                                 .reason = "refonte du site",
                                 .labels = "*",
                                 .issued = &content,
                                 .issued_count = 1,
                                 .serial = 7 };
    enum psn_code rc;

    (void)snprintf(row.person, sizeof row.person, "jean");
    (void)snprintf(row.address, sizeof row.address, "%s", address);
    (void)snprintf(row.client, sizeof row.client, "%s", client_id);
    rc = psn_grant_write(vault, &row, NULL);
    return rc ? rc
              : psn_exposure_put_of(vault, "jean", address, "", 2, PSN_HOW_ISSUED, NULL);
}

static void furnish(void)
{
    PSN_AUTO(psn_vault) *vault = NULL;

    MUST(!open_vault(&vault, NULL));
    add_people(vault);
    add_secret(vault, "otp", "totp", "JBSWY3DPEHPK3PXP");
    add_secret(vault, "secours", "recovery", "1111-2222\n3333-4444\n");
    MUST(!psn_vault_begin(vault, PSN_STORE_WRITE, NULL));
    MUST(!psn_vault_end(vault, add_grant(vault), NULL));
}

/* --- looking at everything --- */

static bool is_error(enum psn_code rc, const struct psn_error *err)
{
    return rc == err->code &&
           (!rc || psn_text_is_plain(err->message, strlen(err->message)));
}

#define LOOK(call)                    \
    do {                              \
        struct psn_error err = { 0 }; \
        enum psn_code code_ = (call); \
        MUST(is_error(code_, &err));  \
    } while (0)

/* Defines a callback that looks at what it is told of no further. */
#define SEE(name, what)                                                 \
    static enum psn_code see_##name(void *arg, const struct what *told, \
                                    struct psn_error *err)              \
    {                                                                   \
        (void)arg;                                                      \
        (void)err;                                                      \
        MUST(told);                                                     \
        return PSN_OK;                                                  \
    }

SEE(access, psn_access)
SEE(board, psn_board_row)
SEE(client, psn_client)
SEE(departure, psn_departure)
SEE(destruction, psn_destruction_note)
SEE(due, psn_due)
SEE(envelope, psn_envelope)
SEE(exposure, psn_exposure)
SEE(former_key, psn_former_key)
SEE(grant, psn_grant)
SEE(handover, psn_handover)
SEE(issue, psn_issue)
SEE(issuer, psn_issuer)
SEE(outcome, psn_outcome)
SEE(person, psn_person)
SEE(reachable, psn_reachable)
SEE(received, psn_received)
SEE(role, psn_role)
SEE(slot, psn_slot)

static enum psn_code count_entry(void *arg, const struct psn_journal_entry *entry,
                                 struct psn_error *err)
{
    (void)entry;
    (void)err;
    ++*(uint64_t *)arg;
    return PSN_OK;
}

static enum psn_code see_head(void *arg, const struct psn_head *head,
                              struct psn_error *err)
{
    (void)err;
    *(uint64_t *)arg += head->count;
    return PSN_OK;
}

static void list(struct psn_vault *vault)
{
    struct psn_vault_keys keys;

    LOOK(psn_client_each(vault, see_client, NULL, &err));
    LOOK(psn_person_each(vault, see_person, NULL, &err));
    LOOK(psn_role_each(vault, NULL, 0, true, see_role, NULL, &err));
    LOOK(psn_grant_each(vault, NULL, NULL, 0, see_grant, NULL, &err));
    LOOK(psn_issue_each(vault, NULL, see_issue, NULL, &err));
    LOOK(psn_exposure_each(vault, NULL, NULL, see_exposure, NULL, &err));
    LOOK(psn_reachable_each(vault, NULL, NULL, see_reachable, NULL, &err));
    LOOK(psn_board_each(vault, see_board, NULL, &err));
    LOOK(psn_due_each(vault, NULL, see_due, NULL, &err));
    LOOK(psn_access_each(vault, client_id, see_access, NULL, &err));
    LOOK(psn_handover_each(vault, see_handover, NULL, &err));
    LOOK(psn_envelope_each(vault, see_envelope, NULL, &err));
    LOOK(psn_departure_each(vault, see_departure, NULL, &err));
    LOOK(psn_destruction_each(vault, see_destruction, NULL, &err));
    LOOK(psn_received_each(vault, see_received, NULL, &err));
    LOOK(psn_issuer_each(vault, see_issuer, NULL, &err));
    LOOK(psn_slot_each(vault, see_slot, NULL, &err));
    LOOK(psn_former_key_each(vault, see_former_key, NULL, &err));
    LOOK(psn_vault_public_keys(vault, &keys, &err));
}

/* --- secrets --- */

struct showing {
    struct psn_vault *vault;
    const char *address;
    const char *label;
    bool is_learning; /* the vault is untouched */
    bool is_trusted;  /* nobody with keys has changed it */
};

static void learn(const struct showing *showing, uint64_t version,
                  const struct psn_secret *value)
{
    struct known *one = &known[known_count++];

    MUST(known_count <= SECRETS_MAX);
    (void)snprintf(one->address, sizeof one->address, "%s", showing->address);
    (void)snprintf(one->label, sizeof one->label, "%s", showing->label);
    one->version = version;
    MUST(!psn_secret_copy(psn_secret_bytes(value), psn_secret_size(value), &one->value,
                          NULL));
}

static bool is_known(const struct showing *showing, uint64_t version,
                     const struct psn_secret *value)
{
    for (size_t i = 0; i < known_count; i++)
        if (strcmp(known[i].address, showing->address) == 0 &&
            strcmp(known[i].label, showing->label) == 0 && known[i].version == version)
            return psn_secret_equal(known[i].value, value);
    return false;
}

static enum psn_code see_value(void *arg, const struct psn_version *version,
                               const struct psn_secret *value, struct psn_error *err)
{
    const struct showing *showing = arg;

    (void)err;
    if (showing->is_learning)
        learn(showing, version->number, value);
    else
        MUST(!showing->is_trusted || is_known(showing, version->number, value));
    return PSN_OK;
}

static enum psn_code note_label(void *arg, const struct psn_secret_info *info,
                                struct psn_error *err)
{
    char(*labels)[PSN_LABEL_TEXT_MAX] = arg;

    (void)err;
    for (size_t i = 1; i < 8; i++)
        if (!labels[i][0]) {
            (void)snprintf(labels[i], sizeof labels[i], "%s", info->label);
            break;
        }
    return PSN_OK;
}

static void show_one(struct showing *showing, const char *label)
{
    showing->label = label;
    LOOK(psn_reveal_versions(showing->vault, showing->address, label, PSN_HOW_SHOWN,
                             see_value, showing, &err));
}

static void show(struct showing *showing)
{
    static const char *const addresses[] = { address, "technique@boulangerie-martin.fr" };

    for (size_t i = 0; i < 2; i++) {
        char labels[8][PSN_LABEL_TEXT_MAX] = { "" };

        showing->address = addresses[i];
        LOOK(psn_secret_each(showing->vault, addresses[i], note_label, labels, &err));
        for (size_t label = 0; label < 8 && (label == 0 || labels[label][0]); label++)
            show_one(showing, labels[label]);
    }
}

/* --- the rest --- */

static void plan(struct psn_vault *vault)
{
    static const char *const globs[] = { "*" };
    struct psn_run run = { .done = see_outcome };

    LOOK(psn_rotate_plan(vault, globs, 1, &run, &err));
}

/* The journal, before anything of this run is in it. */
static void read_journal(struct psn_vault *vault, const struct showing *showing)
{
    uint64_t entries = 0;
    uint64_t verified = 0;
    struct psn_vault_check check = { 0 };
    enum psn_code rc;

    LOOK(psn_journal_each(vault, NULL, 0, count_entry, &entries, &err));
    LOOK(rc = psn_journal_verify(vault, see_head, &verified, &err));
    LOOK(psn_vault_check(vault, &check, &err));
    if (showing->is_learning) {
        journal_count = verified;
        generation = check.generation;
    }
    /* An older copy, put back whole, is a whole vault. */
    if (!rc && showing->is_trusted && check.generation == generation)
        MUST(verified == journal_count && entries == verified);
}

static void write_something(struct psn_vault *vault)
{
    struct psn_person person = { .id = "zoe", .name = "Zo\xc3\xa9" };

    LOOK(psn_person_add(vault, &person, &err));
    LOOK(psn_client_each(vault, see_client, NULL, &err));
}

static void ignore_finding(void *arg, const struct psn_doctor_finding *finding)
{
    (void)arg;
    MUST(finding);
}

static void ignore_part(void *arg, enum psn_doctor_part part, const char *client,
                        enum psn_code code, const char *why)
{
    (void)arg;
    (void)part;
    (void)code;
    MUST(client && psn_text_is_plain(why, strlen(why)));
}

/* A damaged vault, as the doctor sees it. */
static void examine(void)
{
    struct psn_vault_options options = { .path = path, .examine = true };
    struct psn_doctor_options doctor = {
        .vault = path, .offline = true, .found = ignore_finding, .unlooked = ignore_part
    };
    struct psn_key key = { PSN_SLOT_IDENTITY, identity };
    PSN_AUTO(psn_vault) *vault = NULL;

    if (psn_vault_open(&options, &vault, NULL))
        return;
    LOOK(psn_vault_unlock(vault, &key, &err));
    psn_doctor_inside(vault, &doctor);
}

static void use(struct showing *showing)
{
    struct psn_vault_check check;
    enum psn_code rc;

    read_journal(showing->vault, showing);
    list(showing->vault);
    show(showing);
    plan(showing->vault);
    write_something(showing->vault);
    show(showing);
    LOOK(rc = psn_vault_check(showing->vault, &check, &err));
    if (rc) {
        psn_vault_free(PSN_TAKE(showing->vault));
        examine();
    }
}

/* --- the process --- */

static void remove_folder(void)
{
    static const char *const endings[] = { "", "-wal", "-shm", ".old", ".lock" };
    char beside[512];

    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        (void)snprintf(beside, sizeof beside, "%s%s", path, endings[i]);
        (void)unlink(beside);
    }
    (void)rmdir(folder);
}

static void make_folder(void)
{
    const char *root = getenv("TMPDIR");

    if (!root || !*root)
        root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    (void)snprintf(folder, sizeof folder, "%s/passation-fuzz.XXXXXX", root);
    MUST(mkdtemp(folder));
    (void)snprintf(path, sizeof path, "%s/vault.db", folder);
    MUST(atexit(remove_folder) == 0);
}

/* Makes the vault, an older copy of it, and learns what it shows. */
static void prepare(void)
{
    struct showing showing = { .is_learning = true };
    char old[512];

    fixed_random_install("fuzz vault 1");
    MUST(!psn_init(NULL));
    make_folder();
    MUST(!psn_secret_read_file(PSN_TEST_VECTORS "/vault-v1.identity", 4096, &identity,
                               NULL));
    (void)snprintf(old, sizeof old, "%s.old", path);
    vault_image_copy(PSN_TEST_VECTORS "/vault-v1.db", old);
    vault_image_read(old, &before);
    vault_image_restore(&before, path);
    furnish();
    vault_image_read(path, &image);
    vault_image_restore(&image, path);
    MUST(!open_vault(&showing.vault, NULL));
    use(&showing);
    MUST(showing.vault && known_count >= 7 && journal_count > 0);
    psn_vault_free(showing.vault);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct vault_script script = { .at = bytes, .left = size };
    struct showing showing = { .is_trusted = true };
    struct psn_error err = { 0 };
    enum psn_code rc;

    if (image.count == 0)
        prepare();
    script.now = &image;
    script.old = &before;
    vault_image_restore(&image, path);
    vault_script_tamper(&script, path);
    rc = open_vault(&showing.vault, &err);
    MUST(is_error(rc, &err));
    if (rc) {
        examine();
        return 0;
    }
    vault_script_edit(&script, showing.vault, client_id);
    showing.is_trusted = !script.has_insider;
    use(&showing);
    psn_vault_free(showing.vault);
    return 0;
}
