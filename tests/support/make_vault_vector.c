#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <passation/passation.h>
#include <sodium.h>

#include "age/identity.h"
#include "core/client.h"
#include "core/credential.h"
#include "core/exposure.h"
#include "core/journal.h"
#include "core/record.h"
#include "core/role.h"
#include "core/state.h"
#include "core/vault.h"
#include "core/version.h"
#include "crypto/generate.h"
#include "crypto/hash.h"
#include "crypto/seal.h"
#include "support/fixed_random.h"

/*
 * Makes the frozen vault and the vectors of docs/vault-format.md:
 *
 *     make_vault_vector DIR      writes DIR/vault-v1.db, vault-v1.identity and
 *                                vault-format.txt
 *
 * The clock stands still (the linker puts __wrap_psn_clock_now_s() in its place) and the
 * random numbers come from a fixed stream, so that a second run writes the same bytes: a
 * difference is a change of the format. Any failure ends the program.
 */
static const char address[] = "contact@boulangerie-martin.fr";
static const char other_address[] = "technique@boulangerie-martin.fr";
static const char client_id[] = "boulangerie-martin";
static const char passphrase_text[] = "neuf-mots-pour-le-vecteur-du-format";
static const int64_t now_s = 1767225600; /* 2026-01-01T00:00:00Z */

static struct psn_error err;
static FILE *vectors;

int64_t __wrap_psn_clock_now_s(void);

int64_t __wrap_psn_clock_now_s(void)
{
    return now_s;
}

/* --- output --- */

static void must(enum psn_code rc)
{
    if (rc == PSN_OK)
        return;
    (void)fprintf(stderr, "make_vault_vector: %s\n", err.message);
    exit(1);
}

static void put(const char *name, const void *bytes, size_t size)
{
    const uint8_t *at = bytes;

    (void)fprintf(vectors, "%s = ", name);
    for (size_t i = 0; i < size; i++)
        (void)fprintf(vectors, "%02x", at[i]);
    (void)fprintf(vectors, "\n");
}

static void put_secret(const char *name, const struct psn_secret *secret)
{
    put(name, psn_secret_bytes(secret), psn_secret_size(secret));
}

static void put_number(const char *name, uint64_t number)
{
    (void)fprintf(vectors, "%s = %016llx\n", name, (unsigned long long)number);
}

static struct psn_secret *secret_of(const char *text)
{
    struct psn_secret *secret = NULL;

    must(psn_secret_copy(text, strlen(text), &secret, &err));
    return secret;
}

/* --- what the vault holds --- */

static void add_client(struct psn_vault *vault)
{
    struct psn_client client = psn_client_init();

    (void)snprintf(client.id, sizeof client.id, "%s", client_id);
    (void)snprintf(client.name, sizeof client.name, "Boulangerie Martin");
    (void)snprintf(client.nic, sizeof client.nic, "xm000000-ovh");
    must(psn_client_add_domain(&client, "boulangerie-martin.fr", &err));
    must(psn_client_add_domain(&client, "pain-martin.fr", &err));
    must(psn_client_add(vault, &client, &err));
    psn_client_release(&client);
}

static enum psn_code link_client(struct psn_vault *vault)
{
    struct psn_link link = { .nic = "xm000000-ovh", .expires_s = now_s + 86400 };
    struct psn_ovh_credential credential = {
        .application_key = secret_of("VectorAppKey0001"),
        .application_secret = secret_of("VectorAppSecret00000000000000001"),
        .consumer_key = secret_of("VectorConsumerKey000000000000001"),
    };
    enum psn_code rc = psn_client_put_link(vault, client_id, &link, &credential, &err);

    psn_ovh_credential_release(&credential);
    return rc;
}

static enum psn_code put_version(struct psn_vault *vault, const char *whose,
                                 uint64_t number, enum psn_version_state state,
                                 const char *value)
{
    struct psn_secret *secret = secret_of(value);
    enum psn_code rc =
        psn_version_put(vault, client_id, whose, "", number, state, secret, &err);

    if (!rc)
        rc = psn_exposure_put(vault, whose, "", number, PSN_HOW_CREATED, &err);
    psn_secret_free(secret);
    return rc;
}

/* One mailbox at rest after a rotation, one in the middle of one. */
static enum psn_code put_roles(struct psn_vault *vault)
{
    struct psn_role_row rest = { .backend = PSN_BACKEND_EMAIL_DOMAIN,
                                 .created_s = now_s,
                                 .changed_s = now_s + 60,
                                 .verified_s = now_s + 60,
                                 .rotation = { .phase = PSN_ROTATION_STABLE,
                                               .old_dead = PSN_ROTATION_OLD_DEAD,
                                               .cur = 2,
                                               .last = 2,
                                               .old = 1,
                                               .last_send_s = now_s + 30,
                                               .silent_since_s = now_s + 40,
                                               .failed_s = { now_s + 50 } } };
    struct psn_role_row busy = { .backend = PSN_BACKEND_EMAIL_DOMAIN,
                                 .created_s = now_s,
                                 .rotation = { .phase = PSN_ROTATION_UNKNOWN,
                                               .cur = 1,
                                               .pend = 2,
                                               .last = 2,
                                               .candidates = 1,
                                               .sends = 1,
                                               .unanswered = 1,
                                               .last_send_s = now_s + 90 } };
    enum psn_code rc;

    (void)snprintf(rest.address, sizeof rest.address, "%s", address);
    (void)snprintf(rest.client, sizeof rest.client, "%s", client_id);
    (void)snprintf(busy.address, sizeof busy.address, "%s", other_address);
    (void)snprintf(busy.client, sizeof busy.client, "%s", client_id);
    rc = psn_role_write(vault, &rest, &err);
    if (!rc)
        rc = psn_role_write(vault, &busy, &err);
    if (!rc)
        rc = put_version(vault, address, 1, PSN_VERSION_SUPERSEDED,
                         "AbCd2-EfGh3-JkMn4-PqRs5");
    if (!rc)
        rc = put_version(vault, address, 2, PSN_VERSION_CURRENT,
                         "TuVw6-XyZa7-BcDe8-FgHj9");
    if (!rc)
        rc = put_version(vault, other_address, 1, PSN_VERSION_CURRENT,
                         "KmNp2-QrSt3-UvWx4-YzAb5");
    if (!rc)
        rc = put_version(vault, other_address, 2, PSN_VERSION_PENDING,
                         "CdEf6-GhJk7-MnPq8-RsTu9");
    return rc;
}

static void add_secret(struct psn_vault *vault)
{
    struct psn_secret_info info = { .label = "stripe",
                                    .type = "stripe",
                                    .user = "claire",
                                    .url = "https://dashboard.stripe.com/",
                                    .note = "deux lignes\npour voir",
                                    .expires = "2027-01-31" };
    struct psn_secret *value = secret_of("sk_vector_0123456789");
    struct psn_secret *shown = NULL;
    uint64_t version;

    (void)snprintf(info.address, sizeof info.address, "%s", address);
    must(psn_secret_add(vault, &info, value, PSN_SECRET_GIVEN, &err));
    must(psn_reveal(vault, address, "stripe", 0, PSN_HOW_SHOWN, &shown, &version, &err));
    psn_secret_free(shown);
    psn_secret_free(value);
}

static void furnish(struct psn_vault *vault)
{
    add_client(vault);
    must(psn_vault_begin(vault, PSN_STORE_WRITE, &err));
    must(psn_vault_end(vault, link_client(vault), &err));
    must(psn_vault_begin(vault, PSN_STORE_WRITE, &err));
    must(psn_vault_end(vault, put_roles(vault), &err));
    add_secret(vault);
}

/* --- the vectors --- */

static void put_keys(struct psn_vault *vault)
{
    struct psn_row_key key;

    (void)fprintf(vectors, "\n# the key tree\n");
    put("vault_id", vault->id, sizeof vault->id);
    put_secret("root_key", vault->root_key);
    put("key_id", vault->key_id, sizeof vault->key_id);
    put_secret("state_key", vault->state_key);
    put_secret("rows_key", vault->rows_key);
    put_secret("index_master", vault->index_master);
    put_secret("wrap_key", vault->wrap_key);
    put_secret("journal_key", vault->journal_key);
    must(psn_row_key_init(vault, PSN_TABLE_ROLE, address, &key, &err));
    put_secret("index_key_6", vault->index_keys[PSN_TABLE_ROLE]);
    (void)fprintf(vectors, "# %s in table 6\n", address);
    put("role_row_key", key.bytes, key.size);
    must(psn_row_key_init(vault, PSN_TABLE_VERSION, address, &key, &err));
    must(psn_row_key_add_prf(vault, PSN_TABLE_VERSION, "", 8, &key, &err));
    psn_row_key_add_number(&key, 2);
    (void)fprintf(vectors, "# version 2 of its password in table 8\n");
    put("version_row_key", key.bytes, key.size);
}

static void put_padding(void)
{
    static const size_t sizes[] = { 0,    1,    62,   63,   64,   127,   128,   500,
                                    959,  960,  1022, 1023, 1024, 1087,  1088,  2047,
                                    2048, 4095, 4096, 5000, 9999, 16384, 60000, 65535 };

    (void)fprintf(vectors, "\n# padded_N: the size of N bytes after padding\n");
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char name[32];

        (void)snprintf(name, sizeof name, "padded_%zu", sizes[i]);
        put_number(name, psn_seal_padded_size(sizes[i]));
    }
}

static void put_box(void)
{
    static const char ad[] = "what the box stands for";
    static const char plain[] = "four mailboxes and a vault";
    struct psn_secret *key = NULL;
    struct psn_buf box = psn_buf_init(4096);

    must(psn_kdf_random(&key, &err));
    must(psn_seal(key, ad, sizeof ad - 1, plain, sizeof plain - 1, &box, &err));
    (void)fprintf(vectors, "\n# a box\n");
    put_secret("box_key", key);
    put("box_ad", ad, sizeof ad - 1);
    put("box_plain", plain, sizeof plain - 1);
    put("box", box.data, box.size);
    psn_buf_release(&box);
    psn_secret_free(key);
}

static void put_record(void)
{
    struct psn_buf record = psn_buf_init(4096);

    psn_record_begin(&record);
    psn_record_put_text(&record, 1, "lea");
    psn_record_put_number(&record, 2, 0);
    psn_record_put_text(&record, 3, "");
    psn_record_put_number(&record, 4, UINT64_C(0x0102030405060708));
    psn_record_put_bytes(&record, 5, "\0\xff", 2);
    (void)fprintf(vectors,
                  "\n# a record: 1 \"lea\", 2 zero, 3 empty, 4 a number, 5 two bytes\n");
    put("record", record.data, record.size);
    psn_buf_release(&record);
}

static void put_row(struct psn_vault *vault, const char *name, enum psn_table table,
                    const struct psn_row_key *key)
{
    struct psn_store_row row = psn_store_row_init();
    char line[64];

    must(psn_store_get(vault->store, table, key->bytes, key->size, &row, &err));
    (void)snprintf(line, sizeof line, "%s_key", name);
    put(line, row.key, row.key_size);
    (void)snprintf(line, sizeof line, "%s_revision", name);
    put_number(line, row.revision);
    (void)snprintf(line, sizeof line, "%s_box", name);
    put(line, row.box.data, row.box.size);
    psn_store_row_release(&row);
}

static void put_rows(struct psn_vault *vault)
{
    const struct psn_secret *data_key;
    struct psn_secret *plain = NULL;
    struct psn_row_key key;
    uint64_t revision;

    (void)fprintf(vectors, "\n# the row of the person \"me\", table 2, rows key\n");
    must(psn_row_key_init(vault, PSN_TABLE_PERSON, "me", &key, &err));
    put_row(vault, "person_row", PSN_TABLE_PERSON, &key);
    must(psn_row_get_secret(vault, PSN_TABLE_PERSON, &key, vault->rows_key, &plain,
                            &revision, &err));
    put_secret("person_plain", plain);
    psn_secret_free(plain);
    (void)fprintf(vectors, "\n# version 2 of %s, table 8, the client's data key\n",
                  address);
    must(psn_client_data_key(vault, client_id, &data_key, &err));
    put_secret("client_data_key", data_key);
    must(psn_row_key_init(vault, PSN_TABLE_VERSION, address, &key, &err));
    must(psn_row_key_add_prf(vault, PSN_TABLE_VERSION, "", 8, &key, &err));
    psn_row_key_add_number(&key, 2);
    put_row(vault, "version_row", PSN_TABLE_VERSION, &key);
    must(psn_row_get_secret(vault, PSN_TABLE_VERSION, &key, data_key, &plain, &revision,
                            &err));
    put_secret("version_plain", plain);
    psn_secret_free(plain);
}

static void put_journal(struct psn_vault *vault)
{
    struct psn_store_entry entry = psn_store_entry_init();
    struct psn_buf salted = psn_buf_init_wiped(4096);
    struct psn_buf ad = psn_buf_init(4096);
    uint8_t chain[PSN_PRF_SIZE];

    must(psn_vault_prf(vault, PSN_TABLE_CHAIN, "", chain, &err));
    must(psn_store_journal_get(vault->store, chain, 1, &entry, &err));
    psn_buf_text(&ad, "passation journal box v1");
    psn_buf_bytes(&ad, vault->id, sizeof vault->id);
    psn_buf_bytes(&ad, chain, sizeof chain);
    psn_buf_u64(&ad, 1);
    psn_buf_bytes(&ad, entry.hash, sizeof entry.hash);
    must(psn_unseal(vault->journal_key, ad.data, ad.size, entry.box.data, entry.box.size,
                    &salted, &err));
    (void)fprintf(vectors, "\n# the first entry of the vault's own journal\n");
    put("journal_chain", chain, sizeof chain);
    put("journal_box", entry.box.data, entry.box.size);
    put("journal_salt", salted.data, 16);
    put("journal_plain", salted.data + 16, salted.size - 16);
    put("journal_hash", entry.hash, sizeof entry.hash);
    psn_store_entry_release(&entry);
    psn_buf_release(&salted);
    psn_buf_release(&ad);
}

static void put_history(struct psn_vault *vault)
{
    struct psn_store_entry entry = psn_store_entry_init();

    (void)fprintf(vectors, "\n# the first two links of the history\n");
    must(psn_store_journal_get(vault->store, psn_history_chain, 1, &entry, &err));
    put("history_1_digest", entry.box.data, entry.box.size);
    put("history_1_hash", entry.hash, sizeof entry.hash);
    must(psn_store_journal_get(vault->store, psn_history_chain, 2, &entry, &err));
    put("history_2_digest", entry.box.data, entry.box.size);
    put("history_2_hash", entry.hash, sizeof entry.hash);
    (void)fprintf(vectors, "# the link of the state below\n");
    must(psn_store_journal_get(vault->store, psn_history_chain, vault->state.generation,
                               &entry, &err));
    put("state_digest", entry.box.data, entry.box.size);
    psn_store_entry_release(&entry);
}

static void put_own_keys(struct psn_vault *vault)
{
    struct psn_vault_keys keys;

    must(psn_vault_public_keys(vault, &keys, &err));
    (void)fprintf(vectors, "\n# the vault's own public keys: %s, %s\n", keys.fingerprint,
                  keys.age);
    put("own_fingerprint", keys.fingerprint, strlen(keys.fingerprint));
    put("own_recipient", keys.age, strlen(keys.age));
}

static void put_state(struct psn_vault *vault)
{
    struct psn_buf box = psn_buf_init_wiped(16 * 1024);
    const struct psn_state *state = &vault->state;
    uint8_t schema[PSN_STORE_HASH_SIZE];

    must(psn_state_seal(vault, state, &box, &err));
    psn_store_schema_hash(psn_vault_store_hash, schema);
    (void)fprintf(vectors, "\n# a root box and what it holds\n");
    put("root_box", box.data, box.size);
    put_number("state_generation", state->generation);
    put_number("state_journal_entries", state->journal_entries);
    put_number("state_vault_count", state->vault_count);
    put("state_vault_head", state->vault_head, sizeof state->vault_head);
    put("state_history", state->history, sizeof state->history);
    put("schema_hash", schema, sizeof schema);
    put("state_roots", state->roots.hash, sizeof state->roots.hash);
    psn_buf_release(&box);
}

/* --- the hash tree: three rows, two of them in one bucket --- */

static void put_tree_row(struct psn_store *store, int number,
                         const struct psn_store_row *row)
{
    char name[32];

    must(psn_store_put(store, 3, row, &err));
    (void)snprintf(name, sizeof name, "tree_key_%d", number);
    put(name, row->key, row->key_size);
    (void)snprintf(name, sizeof name, "tree_clear_%d", number);
    put(name, row->clear.data, row->clear.size);
    (void)snprintf(name, sizeof name, "tree_box_%d", number);
    put(name, row->box.data, row->box.size);
}

static void put_tree(const char *path)
{
    static const uint8_t heads[3][4] = { { 0x12, 0x34, 0x56, 0x01 },
                                         { 0x12, 0x34, 0x57, 0x00 },
                                         { 0xff, 0xff, 0xff, 0xff } };
    struct psn_store *store = NULL;
    struct psn_store_roots roots = { 0 };
    struct psn_buf root_box = psn_buf_init(64);

    (void)fprintf(vectors, "\n# a tree over three rows of table 3, each at revision 1\n");
    must(psn_store_create(path, psn_vault_store_hash, &store, &err));
    must(psn_store_begin(store, PSN_STORE_WRITE, &root_box, &err));
    psn_store_trust(store, &roots);
    for (int i = 0; i < 3; i++) {
        struct psn_store_row row = psn_store_row_init();

        row.key_size = i == 1 ? 24 : 16;
        row.revision = 1;
        randombytes_buf(row.key, row.key_size);
        memcpy(row.key, heads[i], sizeof heads[i]);
        psn_buf_text(&row.clear, i == 2 ? "clear" : "");
        psn_buf_format(&row.box, "box %d", i + 1);
        put_tree_row(store, i + 1, &row);
        psn_store_row_release(&row);
    }
    must(psn_store_roots(store, &roots, &err));
    put("tree_root", roots.hash[3], sizeof roots.hash[3]);
    psn_store_free(store);
    psn_buf_release(&root_box);
}

static void put_all(struct psn_vault *vault)
{
    put_keys(vault);
    put_padding();
    put_box();
    put_record();
    must(psn_vault_begin(vault, PSN_STORE_READ, &err));
    put_rows(vault);
    put_journal(vault);
    put_history(vault);
    put_state(vault);
    must(psn_vault_end(vault, PSN_OK, &err));
    put_own_keys(vault);
}

/* --- files --- */

static const char *in_dir(const char *dir, const char *name)
{
    static char path[4096];

    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    return path;
}

static struct psn_secret *write_identity(const char *dir)
{
    struct psn_buf file = psn_buf_init_wiped(1024);
    struct psn_secret *scalar = NULL;
    struct psn_secret *text = NULL;
    struct psn_secret *content = NULL;
    char recipient[PSN_AGE_RECIPIENT_MAX];

    must(psn_age_identity_new(&scalar, &err));
    must(psn_age_identity_text(scalar, &text, &err));
    must(psn_age_recipient(scalar, recipient, &err));
    psn_buf_format(&file, "# the identity of a test vector: it protects nothing\n");
    psn_buf_format(&file, "# public key: %s\n", recipient);
    psn_buf_bytes(&file, psn_secret_bytes(text), psn_secret_size(text));
    psn_buf_char(&file, '\n');
    must(psn_file_write(in_dir(dir, "vault-v1.identity"), file.data, file.size,
                        PSN_FILE_REPLACE, &err));
    must(psn_secret_copy(file.data, file.size, &content, &err));
    put_secret("identity_scalar", scalar);
    psn_buf_release(&file);
    psn_secret_free(scalar);
    psn_secret_free(text);
    return content;
}

static struct psn_vault *make_vault(const char *dir, const char *path)
{
    static const struct psn_person me = { .id = "me",
                                          .name = "Nadia",
                                          .email = "nadia@example.org" };
    struct psn_vault_options options = { .path = path };
    struct psn_secret *identity = write_identity(dir);
    struct psn_secret *passphrase = secret_of(passphrase_text);
    struct psn_secret *recovery = NULL;
    struct psn_vault *vault = NULL;

    must(psn_generate_recovery(&recovery, &err));
    put_secret("recovery_code", recovery);
    put_secret("passphrase", passphrase);
    must(psn_vault_create(&options, &me,
                          (struct psn_key[]){ { PSN_SLOT_IDENTITY, identity },
                                              { PSN_SLOT_RECOVERY, recovery },
                                              { PSN_SLOT_PASSPHRASE, passphrase } },
                          3, &vault, &err));
    psn_secret_free(identity);
    psn_secret_free(recovery);
    psn_secret_free(passphrase);
    return vault;
}

static void remove_database(const char *path, bool whole)
{
    static const char *const tails[] = { "-wal", "-shm", "" };
    char file[4200];

    for (size_t i = 0; i < (whole ? 3U : 2U); i++) {
        (void)snprintf(file, sizeof file, "%s%s", path, tails[i]);
        (void)unlink(file);
    }
}

int main(int argc, char **argv)
{
    char scratch[4000];
    char path[4096];
    char tree_path[4096];
    struct psn_vault *vault;

    (void)snprintf(scratch, sizeof scratch, "%s/scratch.XXXXXX",
                   argc == 2 ? argv[1] : "");
    if (argc != 2 || !mkdtemp(scratch)) {
        (void)fprintf(stderr, "usage: make_vault_vector DIR\n");
        return 2;
    }
    fixed_random_install("passation vault vectors");
    must(psn_init(&err));
    vectors = fopen(in_dir(argv[1], "vault-format.txt"), "w");
    if (!vectors) {
        (void)fprintf(stderr, "make_vault_vector: cannot write in '%s'\n", argv[1]);
        return 1;
    }
    (void)fprintf(vectors,
                  "# Vectors of docs/vault-format.md, format 1, taken from vault-v1.db.\n"
                  "# Made by scripts/update-vectors; nothing here protects anything.\n"
                  "\n# the three ways in\n");
    (void)snprintf(path, sizeof path, "%s/vault.db", scratch);
    (void)snprintf(tree_path, sizeof tree_path, "%s/tree.db", scratch);
    vault = make_vault(argv[1], path);
    furnish(vault);
    put_all(vault);
    put_tree(tree_path);
    must(psn_vault_backup(vault, in_dir(argv[1], "vault-v1.db"), true, &err));
    psn_vault_free(vault);
    if (fclose(vectors) != 0 || chmod(in_dir(argv[1], "vault-v1.db"), 0644) != 0 ||
        chmod(in_dir(argv[1], "vault-v1.identity"), 0644) != 0)
        return 1;
    remove_database(in_dir(argv[1], "vault-v1.db"), false);
    remove_database(path, true);
    remove_database(tree_path, true);
    return rmdir(scratch) == 0 ? 0 : 1;
}
