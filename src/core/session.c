#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/grow.h"
#include "base/i18n.h"
#include "core/client.h"
#include "core/rotation.h"

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
        psn_directory_free(session->accounts[i]->directory);
        psn_ovh_free(session->accounts[i]->ovh);
        psn_client_release(&session->accounts[i]->client);
        free(session->accounts[i]);
    }
    for (size_t i = 0; i < session->host_count; i++)
        free(session->hosts[i]);
    free(session->accounts);
    free(session->hosts);
    session->accounts = NULL;
    session->hosts = NULL;
    session->account_count = 0;
    session->host_count = 0;
    psn_vault_unlock_operation(session->vault);
}

enum psn_code psn_session_account(struct psn_session *session, const char *client,
                                  struct psn_account **ret_account, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_account *account = NULL;
    enum psn_code rc;

    for (size_t i = 0; i < session->account_count; i++) {
        *ret_account = session->accounts[i];
        if (strcmp((*ret_account)->client.id, client) == 0)
            return PSN_OK;
    }
    rc = PSN_GROW(session->accounts, session->account_count, err);
    if (rc)
        return rc;
    account = calloc(1, sizeof *account);
    if (!account)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    account->create_gate.room = 1;
    rc = psn_client_get(session->vault, client, &account->client, err);
    if (rc)
        return rc;
    session->accounts[session->account_count++] = account;
    *ret_account = PSN_TAKE(account);
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
    struct psn_progress progress = { session->ended, session->count, address, step,
                                     wait_s };

    if (session->run->progress)
        session->run->progress(session->run->arg, &progress);
}

/* --- logins --- */

/* A test's server, given by its URL, is paced by nothing. */
static enum psn_code find_host(struct psn_session *session, const char *url,
                               const char *ca_file, struct psn_host **ret_host,
                               struct psn_error *err)
{
    struct psn_host *host;
    enum psn_code rc;

    for (size_t i = 0; i < session->host_count; i++) {
        *ret_host = session->hosts[i];
        if (strcmp((*ret_host)->url, url) == 0)
            return PSN_OK;
    }
    rc = PSN_GROW(session->hosts, session->host_count, err);
    if (rc)
        return rc;
    host = calloc(1, sizeof *host);
    if (!host)
        return psn_fail(err, PSN_E_NOMEM, _("out of memory"));
    (void)snprintf(host->url, sizeof host->url, "%s", url);
    host->ca_file = ca_file;
    host->pace = psn_pace_init(false);
    session->hosts[session->host_count++] = host;
    *ret_host = host;
    return PSN_OK;
}

static enum psn_code host_of(struct psn_session *session, const struct psn_role_row *row,
                             struct psn_host **ret_host, struct psn_error *err)
{
    struct psn_account *account;
    struct psn_mail_hosts hosts;
    char url[PSN_URL_MAX];
    enum psn_code rc = psn_session_account(session, row->client, &account, err);

    if (rc)
        return rc;
    if (account->client.imap[0]) {
        rc = find_host(session, account->client.imap, session->vault->ca_file, ret_host,
                       err);
        if (!rc)
            (*ret_host)->pace.is_free = true;
        return rc;
    }
    psn_mailbox_hosts(row->backend, account->client.endpoint, row->place.host, &hosts);
    rc = psn_mailbox_imap_url(&hosts, url, sizeof url, err);
    return rc ? rc : find_host(session, url, NULL, ret_host, err);
}

bool psn_session_login_waits(struct psn_session *session, const struct psn_role_row *row)
{
    struct psn_host *host;

    return host_of(session, row, &host, NULL) == PSN_OK &&
           psn_pace_delay_ms(&host->pace, true, session->vault->world.boot_ms()) > 0;
}

/* False if a stop was asked meanwhile. */
static bool wait_for_host(struct psn_session *session, const char *address,
                          struct psn_host *host, bool doubtful)
{
    enum {
        SLICE_MS = 1000
    };
    const struct psn_world *world = &session->vault->world;

    for (;;) {
        int64_t wait_ms = psn_pace_delay_ms(&host->pace, doubtful, world->boot_ms());

        if (wait_ms <= 0)
            return true;
        if (psn_session_stopped(session))
            return false;
        psn_session_progress(session, address, _("waiting for the mail server"), 0);
        world->sleep_ms(wait_ms < SLICE_MS ? wait_ms : SLICE_MS);
    }
}

static enum psn_pace_end end_of(enum psn_login login)
{
    static const enum psn_pace_end ends[] = {
        [PSN_LOGIN_ACCEPTED] = PSN_PACE_ACCEPTED,
        [PSN_LOGIN_REFUSED] = PSN_PACE_REFUSED,
        [PSN_LOGIN_NO_ANSWER] = PSN_PACE_NO_ANSWER,
    };

    return ends[login];
}

enum psn_login psn_session_login(struct psn_session *session,
                                 const struct psn_role_row *row,
                                 const struct psn_login_try *try, struct psn_error *err)
{
    struct psn_vault *vault = session->vault;
    struct psn_host *host;
    enum psn_login login;

    if (host_of(session, row, &host, err))
        return PSN_LOGIN_NO_ANSWER;
    if (!wait_for_host(session, row->address, host, try->doubtful)) {
        (void)psn_fail(err, PSN_E_UNFINISHED, _("stopped before the login"));
        return PSN_LOGIN_NO_ANSWER;
    }
    if (try->ret_asked_s)
        *try->ret_asked_s = vault->world.now_s();
    psn_pace_begin(&host->pace, try->doubtful);
    login = psn_mailbox_login(vault->world.imap, host->url, host->ca_file, row->address,
                              try->password, err);
    psn_pace_end(&host->pace, try->doubtful, end_of(login), vault->world.boot_ms());
    return login;
}
