/*
 * Asking a client's owner for a consumer key.
 *
 * Asking. The key is made at OVH, sealed in the vault, and only then is its URL shown: an
 * owner never approves a key that nobody has. From there on the call may end at any
 * point; the next one finds the key and goes on. The operation lock is held while the key
 * is made and while it is stored as the client's, not while an owner looks for his
 * telephone.
 *
 * Waiting. OVH does not tell a key that waits from one that was refused, has ended, or
 * was revoked: all get INVALID_CREDENTIAL, and one report has INVALID_SIGNATURE instead
 * for a key that waits. So neither ends the wait. What does: the key works; OVH names its
 * state; OVH has forgotten it; the time is up.
 */
#include <stdio.h>
#include <string.h>

#include "base/i18n.h"
#include "core/linking.h"
#include "core/rights.h"
#include "ovh/call.h"

enum {
    FIRST_PAUSE_MS = 1000, /* grows by half each time … */
    PAUSE_MAX_MS = 15000,  /* … up to this */
    TICK_MS = 500,         /* how soon a wait hears that it is to stop */
};

static enum psn_key_use use_of(const struct psn_linking *linking)
{
    return linking->options->use;
}

static enum psn_code write_asked(struct psn_linking *linking, struct psn_error *err)
{
    return psn_linking_put(linking, "ovh.key-asked", linking->client.nic, err);
}

static enum psn_code write_dropped(struct psn_linking *linking, struct psn_error *err)
{
    enum psn_code rc = psn_linking_read(linking, err);

    if (rc)
        return rc;
    psn_linking_forget_asked(linking);
    return psn_linking_put(linking, "ovh.key-refused", linking->client.nic, err);
}

/* --- asking --- */

static bool same_application(const struct psn_ovh_credential *a,
                             const struct psn_ovh_credential *b)
{
    return a->application_key && b->application_key &&
           psn_secret_equal(a->application_key, b->application_key);
}

/* The application to ask with: the one given, else one that the vault has. */
static enum psn_code find_application(struct psn_linking *linking,
                                      struct psn_ovh_credential *ret_application,
                                      struct psn_error *err)
{
    const struct psn_credentials *all = &linking->all;
    const struct psn_ovh_credential *places[] = {
        &psn_linking_asked(linking)->credential,
        &all->of[PSN_KEY_WORK],
        &all->asked[PSN_KEY_WORK].credential,
        &all->of[PSN_KEY_CUT],
    };
    const char *id = linking->client.id;
    enum psn_code rc;

    if (linking->options->pair) {
        rc = psn_ovh_credential_parse_pair(linking->options->pair, false, ret_application,
                                           err);
        return rc ? psn_wrap(err, rc, _("client '%s'"), id) : PSN_OK;
    }
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++)
        if (places[i]->application_key)
            return psn_ovh_credential_copy(places[i], ret_application, err);
    (void)psn_fail(err, PSN_E_INVALID, _("client '%s': no API credential was given"), id);
    return psn_hint(err, PSN_E_INVALID,
                    _("give application key and secret as KEY:SECRET with --secret-fd N, "
                      "or a whole credential with --config ovh.conf"));
}

/* Makes a key at OVH that opens nothing yet. */
static enum psn_code request_key(struct psn_linking *linking,
                                 const struct psn_ovh_credential *application,
                                 struct psn_error *err)
{
    PSN_AUTO(psn_ovh) *ovh = NULL;
    PSN_AUTO_RELEASE(psn_rights) rights = { 0 };
    PSN_AUTO_RELEASE(psn_ovh_asked_key) made = { 0 };
    struct psn_asked_key *asked = psn_linking_asked(linking);
    enum psn_code rc = psn_rights_of(&linking->client, use_of(linking), &rights, err);

    if (!rc)
        rc = psn_client_open_account(linking->vault, &linking->client, application, &ovh,
                                     err);
    if (!rc)
        rc = psn_ovh_ask_key(ovh, rights.rules, rights.count, &made, err);
    if (rc)
        return psn_wrap(err, rc, _("cannot link '%s'"), linking->client.id);
    psn_linking_forget_asked(linking);
    rc = psn_ovh_credential_copy(application, &asked->credential, err);
    if (rc)
        return rc;
    psn_secret_free(asked->credential.consumer_key);
    asked->credential.consumer_key = PSN_TAKE(made.consumer_key);
    memcpy(asked->url, made.url, sizeof asked->url);
    linking->client.keys.asked_s[use_of(linking)] = linking->vault->world.now_s();
    return psn_linking_commit(linking, write_asked, err);
}

static enum psn_code read_now(struct psn_linking *linking, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(linking->vault, PSN_STORE_READ, err);

    return rc ? rc : psn_vault_end(linking->vault, psn_linking_read(linking, err), err);
}

/* No owner is bothered for a key that is there and good. */
static enum psn_code check_not_linked(const struct psn_linking *linking,
                                      struct psn_error *err)
{
    const struct psn_client *client = &linking->client;
    int64_t soon_s = linking->vault->world.now_s() + PSN_KEY_SOON_S;
    bool good = client->key_expires_s == 0 || client->key_expires_s > soon_s;

    if (use_of(linking) != PSN_KEY_WORK || !client->linked || !good ||
        linking->options->anew || linking->options->pair)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_INVALID, _("the client '%s' is linked already"),
                   client->id);
    return psn_hint(err, PSN_E_INVALID,
                    _("ask the owner for a new key all the same: passation ovh link %s "
                      "--new"),
                    client->id);
}

/* Finds the key that waits, or asks for one. A pair of the same application corrects the
 * secret of a key that waits. */
static enum psn_code need_asked(struct psn_linking *linking, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_ovh_credential) application = { 0 };
    struct psn_asked_key *asked = psn_linking_asked(linking);
    enum psn_code rc = read_now(linking, err);
    bool waits = linking->client.keys.asked_s[use_of(linking)] &&
                 asked->credential.consumer_key && !linking->options->anew;

    if (!rc && waits && !linking->options->pair)
        return PSN_OK;
    if (!rc)
        rc = check_not_linked(linking, err);
    if (!rc)
        rc = find_application(linking, &application, err);
    if (rc)
        return rc;
    if (!waits || !same_application(&application, &asked->credential))
        return request_key(linking, &application, err);
    if (psn_secret_equal(application.application_secret,
                         asked->credential.application_secret))
        return PSN_OK;
    psn_secret_free(asked->credential.application_secret);
    asked->credential.application_secret = PSN_TAKE(application.application_secret);
    return psn_linking_commit(linking, write_asked, err);
}

/* --- waiting --- */

enum look {
    LOOK_APPROVED,
    LOOK_WAITING,
    LOOK_SIGNATURE, /* waiting, or the application secret is wrong */
    LOOK_NETWORK,   /* nobody knows */
    LOOK_ENDED,
};

static enum look judge_look(const struct psn_ovh *ovh,
                            const struct psn_ovh_key_info *info, enum psn_code rc,
                            struct psn_error *err)
{
    if (rc == PSN_E_NETWORK || rc == PSN_E_BUSY)
        return LOOK_NETWORK;
    if (rc && rc != PSN_E_REFUSED)
        return LOOK_ENDED;
    if (rc && psn_ovh_last_reason(ovh) == PSN_OVH_REASON_KEY_ENDED)
        return LOOK_WAITING;
    if (rc && psn_ovh_last_reason(ovh) == PSN_OVH_REASON_SIGNATURE)
        return LOOK_SIGNATURE;
    if (rc && psn_ovh_last_reason(ovh) == PSN_OVH_REASON_NO_KEY) {
        psn_error_clear(err);
        (void)psn_fail(err, PSN_E_REFUSED,
                       _("OVH has dropped the request: it was not approved in time, or "
                         "was refused"));
    }
    if (rc)
        return LOOK_ENDED;
    if (strcmp(info->status, "validated") == 0)
        return LOOK_APPROVED;
    if (strcmp(info->status, "refused") != 0 && strcmp(info->status, "expired") != 0)
        return LOOK_WAITING;
    (void)psn_linking_fail_state(info->status, err);
    return LOOK_ENDED;
}

static enum look look(struct psn_ovh *ovh, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_ovh_key_info *info = calloc(1, sizeof *info);

    psn_error_clear(err);
    if (!info) {
        (void)psn_fail(err, PSN_E_NOMEM, _("out of memory"));
        return LOOK_ENDED;
    }
    return judge_look(ovh, info, psn_ovh_key_info(ovh, info, err), err);
}

static enum psn_code show(struct psn_linking *linking, enum look seen,
                          struct psn_error *err)
{
    const struct psn_link_options *options = linking->options;
    const char *why =
        seen == LOOK_SIGNATURE
            ? _("OVH refuses the signature: perhaps since the key is not approved yet, "
                "perhaps since the application secret is wrong")
            : NULL;

    if (linking->shown || !options->show)
        return PSN_OK;
    linking->shown = true;
    return options->show(options->arg, psn_linking_asked(linking)->url, why, err);
}

static bool is_stopped(const struct psn_linking *linking)
{
    return linking->options->stop && linking->options->stop(linking->options->arg);
}

/* Sleeps in small pieces, with progress. False: the wait is over. */
static bool pause_until(const struct psn_linking *linking, int64_t next_ms,
                        int64_t until_ms)
{
    const struct psn_world *world = &linking->vault->world;
    const struct psn_link_options *options = linking->options;
    int64_t now_ms = world->boot_ms();

    if (next_ms > until_ms)
        next_ms = until_ms;
    while (now_ms < next_ms && !is_stopped(linking)) {
        if (options->progress)
            options->progress(options->arg, (until_ms - now_ms + 999) / 1000);
        world->sleep_ms(next_ms - now_ms < TICK_MS ? next_ms - now_ms : TICK_MS);
        now_ms = world->boot_ms();
    }
    return !is_stopped(linking);
}

static enum psn_code hint_again(const struct psn_linking *linking, enum psn_code rc,
                                struct psn_error *err)
{
    return psn_hint(
        err, rc,
        use_of(linking) == PSN_KEY_CUT
            ? _("the key is kept; go on waiting for it: passation ovh link %s "
                "--for cut; ask for another one: --new")
            : _("the key is kept; go on waiting for it: passation ovh link "
                "%s; ask for another one: --new"),
        linking->client.id);
}

/* The wait ends without an answer of the owner's. */
static enum psn_code not_yet(const struct psn_linking *linking, enum look seen,
                             const struct psn_error *cause, struct psn_error *err)
{
    const char *id = linking->client.id;

    if (seen == LOOK_SIGNATURE) {
        (void)psn_fail(err, PSN_E_REFUSED,
                       _("cannot link '%s': OVH refuses the signature: the application "
                         "secret is not that of the application key, or the owner has "
                         "not approved the key yet"),
                       id);
        return psn_hint(err, PSN_E_REFUSED,
                        _("the key is kept; give the right pair with --secret-fd N, or "
                          "go on waiting: passation ovh link %s"),
                        id);
    }
    if (seen == LOOK_NETWORK) {
        if (err)
            *err = *cause;
        (void)psn_wrap(err, cause->code, _("cannot ask whether the owner of '%s' agrees"),
                       id);
        return cause->code;
    }
    if (is_stopped(linking))
        (void)psn_fail(err, PSN_E_UNFINISHED,
                       _("the wait for the owner of '%s' was interrupted"), id);
    else
        (void)psn_fail(err, PSN_E_UNFINISHED,
                       _("the owner of '%s' has not approved the key yet, or has refused "
                         "it"),
                       id);
    return hint_again(linking, PSN_E_UNFINISHED, err);
}

/* The request has come to an end that will not change. */
static enum psn_code give_up(struct psn_linking *linking, struct psn_error *err)
{
    struct psn_error dropped = { 0 };
    enum psn_code rc = err->code;

    if (rc == PSN_E_REFUSED && psn_linking_commit(linking, write_dropped, &dropped))
        (void)psn_wrap(err, rc, "%s", dropped.message);
    (void)psn_wrap(err, rc, _("cannot link '%s'"), linking->client.id);
    return psn_hint(err, rc, _("ask the owner again: passation ovh link %s --new"),
                    linking->client.id);
}

static enum psn_code watch(struct psn_linking *linking, struct psn_ovh *ovh,
                           struct psn_error *err)
{
    const struct psn_world *world = &linking->vault->world;
    int64_t until_ms = world->boot_ms() + linking->options->wait_s * 1000;
    int64_t pause_ms = FIRST_PAUSE_MS;
    struct psn_error cause = { 0 };

    for (;;) {
        enum look seen = look(ovh, &cause);
        enum psn_code rc = PSN_OK;

        if (seen == LOOK_APPROVED)
            return PSN_OK;
        if (seen == LOOK_ENDED) {
            rc = give_up(linking, &cause);
            if (err)
                *err = cause;
            return rc;
        }
        rc = show(linking, seen, err);
        if (rc)
            return rc;
        if (!pause_until(linking, world->boot_ms() + pause_ms, until_ms) ||
            world->boot_ms() >= until_ms)
            return not_yet(linking, seen, &cause, err);
        pause_ms = pause_ms + pause_ms / 2 < PAUSE_MAX_MS ? pause_ms + pause_ms / 2
                                                          : PAUSE_MAX_MS;
    }
}

/* Runs that talk to OVH are let through, and let us through. */
static enum psn_code lock_patiently(struct psn_linking *linking, struct psn_error *err)
{
    const struct psn_world *world = &linking->vault->world;
    int64_t until_ms = world->boot_ms() + linking->options->wait_s * 1000;
    struct psn_error cause = { 0 };
    enum psn_code rc;

    while ((rc = psn_vault_lock_operation(linking->vault, "ovh link", &cause)) ==
               PSN_E_BUSY &&
           world->boot_ms() < until_ms && !is_stopped(linking)) {
        world->sleep_ms(TICK_MS);
        psn_error_clear(&cause);
    }
    if (rc && err)
        *err = cause;
    return rc;
}

enum psn_code psn_linking_ask_owner(struct psn_linking *linking, struct psn_error *err)
{
    PSN_AUTO(psn_ovh) *ovh = NULL;
    struct psn_vault *vault = linking->vault;
    enum psn_code rc = need_asked(linking, err);

    psn_vault_unlock_operation(vault);
    linking->asked = true;
    if (!rc)
        rc = psn_ovh_credential_copy(&psn_linking_asked(linking)->credential,
                                     &linking->candidate, err);
    if (!rc)
        rc = psn_client_open_account(vault, &linking->client, &linking->candidate, &ovh,
                                     err);
    if (!rc)
        rc = watch(linking, ovh, err);
    return rc ? rc : lock_patiently(linking, err);
}
