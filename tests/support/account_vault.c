#include "support/account_vault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/credential.h"
#include "core/journal.h"

static struct psn_secret *secret(const char *text)
{
    struct psn_secret *made = NULL;

    if (text)
        assert_int_equal(psn_secret_copy(text, strlen(text), &made, NULL), PSN_OK);
    return made;
}

static void fill(struct psn_ovh_credential *credential, const char *application,
                 const char *key)
{
    if (!key)
        return;
    credential->application_key = secret(application);
    credential->application_secret = secret("app-secret");
    credential->consumer_key = secret(key);
}

static void make_client(struct account_vault *v, const char *id, const char *nic)
{
    struct psn_client client = psn_client_init();
    char domain[64];

    (void)snprintf(client.id, sizeof client.id, "%s", id);
    (void)snprintf(client.nic, sizeof client.nic, "%s", nic);
    (void)snprintf(domain, sizeof domain, "%s.example", id);
    assert_int_equal(psn_client_add_domain(&client, domain, &v->err), PSN_OK);
    assert_int_equal(psn_client_add(v->vault, &client, &v->err), PSN_OK);
    psn_client_release(&client);
}

void account_vault_link(struct account_vault *v, const char *client, const char *nic,
                        const struct account_keys *keys)
{
    PSN_AUTO_RELEASE(psn_credentials) all = { 0 };
    struct psn_client facts = psn_client_init();
    enum psn_code rc;

    if (psn_client_get(v->vault, client, &facts, NULL)) {
        make_client(v, client, nic);
        assert_int_equal(psn_client_get(v->vault, client, &facts, &v->err), PSN_OK);
    }
    fill(&all.of[PSN_KEY_WORK], keys->application, keys->daily);
    fill(&all.of[PSN_KEY_CUT],
         keys->cut_application ? keys->cut_application : keys->application, keys->cut);
    all.of[PSN_KEY_WORK].client_id = secret(keys->client_id);
    all.of[PSN_KEY_WORK].client_secret = keys->client_id ? secret("s") : NULL;
    facts.linked = keys->daily || keys->client_id;
    facts.keys = (struct psn_client_keys){ .is_account = keys->client_id != NULL,
                                           .cut_expires_s =
                                               keys->cut ? account.now_s + 86400 : 0 };
    (void)snprintf(facts.linked_nic, sizeof facts.linked_nic, "%s", nic);
    assert_int_equal(psn_vault_begin(v->vault, PSN_STORE_WRITE, &v->err), PSN_OK);
    rc = psn_client_put_keys(v->vault, &facts, &all, &v->err);
    if (!rc)
        rc = psn_journal_note(v->vault, client,
                              &(struct psn_note){ .event = "ovh.linked" }, &v->err);
    assert_int_equal(psn_vault_end(v->vault, rc, &v->err), PSN_OK);
    psn_client_release(&facts);
}

void account_vault_reopen(struct account_vault *v)
{
    psn_vault_free(v->vault);
    v->vault = rekey_vault_open(&v->at, REKEY_MINE);
    assert_non_null(v->vault);
    fake_account_join(v->vault);
    psn_error_clear(&v->err);
}

void account_vault_make(struct account_vault *v, const struct account_keys *keys)
{
    memset(v, 0, sizeof *v);
    tmpdir_make(&v->dir);
    rekey_vault_init(&v->at, v->dir.path);
    rekey_vault_make(&v->at);
    (void)snprintf(v->domain, sizeof v->domain, "%s", rekey_domain);
    account_vault_reopen(v);
    account_vault_link(v, "martin", account.nic, keys);
}

void account_vault_release(struct account_vault *v)
{
    psn_vault_free(v->vault);
    rekey_vault_release(&v->at);
    tmpdir_remove(&v->dir);
}

struct counted {
    const char *event;
    size_t count;
};

static enum psn_code count(void *arg, const struct psn_journal_entry *entry,
                           struct psn_error *err)
{
    struct counted *counted = arg;

    (void)err;
    counted->count += strcmp(entry->event, counted->event) == 0;
    return PSN_OK;
}

size_t account_vault_notes(struct account_vault *v, const char *event)
{
    struct counted counted = { event, 0 };

    assert_int_equal(psn_journal_each(v->vault, "martin", 0, count, &counted, &v->err),
                     PSN_OK);
    return counted.count;
}
