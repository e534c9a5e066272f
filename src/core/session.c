#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/i18n.h"
#include "core/client.h"
#include "core/rotation.h"

enum {
    REFUSED_PAUSE_MS =
        2000, /* ROTATION.md section 1: per host, one failed login in 2 s */
};

enum psn_code psn_session_open(struct psn_vault *vault, const char *what,
                               const struct psn_run *run, struct psn_session *session,
                               struct psn_error *err)
{
    enum psn_code rc = psn_vault_require_unlocked(vault, err);

    *session = (struct psn_session){ .vault = vault, .run = run };
    return rc ? rc : psn_vault_lock_operation(vault, what, err);
}

void psn_session_close(struct psn_session *session)
{
    for (size_t i = 0; i < session->account_count; i++) {
        psn_directory_free(session->accounts[i].directory);
        psn_ovh_free(session->accounts[i].ovh);
        psn_client_release(&session->accounts[i].client);
    }
    free(session->accounts);
    session->accounts = NULL;
    session->account_count = 0;
    psn_vault_unlock_operation(session->vault);
}

enum psn_code psn_session_account(struct psn_session *session, const char *client,
                                  struct psn_account **ret_account, struct psn_error *err)
{
    struct psn_account *grown;
    struct psn_account *account;
    enum psn_code rc;

    for (size_t i = 0; i < session->account_count; i++) {
        *ret_account = &session->accounts[i];
        if (strcmp(session->accounts[i].client.id, client) == 0)
            return PSN_OK;
    }
    grown = realloc(session->accounts, (session->account_count + 1) * sizeof *grown);
    if (!grown)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    session->accounts = grown;
    account = &grown[session->account_count];
    *account = (struct psn_account){ 0 };
    rc = psn_client_get(session->vault, client, &account->client, err);
    if (rc)
        return rc;
    session->account_count++;
    *ret_account = account;
    return PSN_OK;
}

enum psn_code psn_session_connect(struct psn_session *session, const char *client,
                                  struct psn_account **ret_account, struct psn_error *err)
{
    enum psn_code rc = psn_session_account(session, client, ret_account, err);

    if (!rc && !(*ret_account)->ovh)
        rc = psn_client_connect(session->vault, &(*ret_account)->client,
                                &(*ret_account)->ovh, err);
    if (!rc && !(*ret_account)->directory)
        rc = psn_directory_new((*ret_account)->ovh, &(*ret_account)->directory, err);
    return rc;
}

bool psn_session_stopped(const struct psn_session *session)
{
    return session->run->stop && session->run->stop(session->run->arg);
}

void psn_session_progress(const struct psn_session *session, const char *address,
                          const char *step, int64_t wait_s)
{
    struct psn_progress progress = { session->index, session->count, address, step,
                                     wait_s };

    if (session->run->progress)
        session->run->progress(session->run->arg, &progress);
}

/* OVH's own servers block an address after a few refused logins; a test's server does
 * not. */
static void pause_after_refusal(struct psn_session *session,
                                const struct psn_account *account)
{
    int64_t passed = session->vault->world.boot_ms() - account->refused_ms;

    if (account->client.imap[0] == '\0' && account->refused_ms > 0 &&
        passed < REFUSED_PAUSE_MS)
        session->vault->world.sleep_ms(REFUSED_PAUSE_MS - passed);
}

enum psn_login psn_session_login(struct psn_session *session,
                                 const struct psn_role_row *row,
                                 const struct psn_secret *value, struct psn_error *err)
{
    struct psn_vault *vault = session->vault;
    struct psn_account *account;
    struct psn_mail_hosts hosts;
    char url[PSN_URL_MAX];
    const char *ca_file = NULL;
    enum psn_login login;

    if (psn_session_account(session, row->client, &account, err))
        return PSN_LOGIN_NO_ANSWER;
    if (account->client.imap[0]) {
        (void)snprintf(url, sizeof url, "%s", account->client.imap);
        ca_file = vault->ca_file;
    } else {
        psn_mailbox_hosts(row->backend, account->client.endpoint, row->place.host,
                          &hosts);
        if (psn_mailbox_imap_url(&hosts, url, sizeof url, err))
            return PSN_LOGIN_NO_ANSWER;
    }
    pause_after_refusal(session, account);
    login = psn_mailbox_login(vault->world.imap, url, ca_file, row->address, value, err);
    if (login == PSN_LOGIN_REFUSED)
        account->refused_ms = vault->world.boot_ms();
    return login;
}
