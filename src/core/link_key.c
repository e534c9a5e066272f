/*
 * Linking a client: a credential that is given, or a consumer key that its owner is asked
 * for.
 *
 * Asking. The key is made at OVH, sealed in the vault, and only then is its URL shown: an
 * owner never approves a key that nobody has. From there on the call may end at any
 * point; the next one finds the key and goes on. The operation lock is held while the key
 * is made and while it is stored as the client's, not while an owner looks for his
 * telephone.
 *
 * Waiting. OVH does not tell a key that waits from one that was refused, has ended, or was
 * revoked: all get INVALID_CREDENTIAL, and one report has INVALID_SIGNATURE instead for a
 * key that waits. So neither ends the wait. What does: the key works; OVH names its state;
 * OVH has forgotten it; the time is up.
 */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/i18n.h"
#include "base/text.h"
#include "core/client.h"
#include "core/journal.h"
#include "core/rights.h"
#include "core/role.h"
#include "ovh/call.h"

enum {
    FIRST_PAUSE_MS = 1000, /* grows by half each time … */
    PAUSE_MAX_MS = 15000,  /* … up to this */
    TICK_MS = 500,         /* how soon a wait hears that it is to stop */
    CUT_DAY_S = 24 * 3600,
    SHOWN_SIZE = 200,
};

struct linking {
    struct psn_vault *vault;
    const struct psn_link_options *options;
    struct psn_client client;
    struct psn_credentials all;            /* as the vault has them */
    struct psn_ovh_credential candidate;   /* what is to be stored */
    bool asked;                            /* it waits, or waited, for the owner */
    bool shown;
    struct psn_link link;
};

static enum psn_key_use use_of(const struct linking *linking)
{
    return linking->options->use;
}

static struct psn_asked_key *asked_key(struct linking *linking)
{
    return &linking->all.asked[use_of(linking)];
}

static void linking_release(struct linking *linking)
{
    psn_client_release(&linking->client);
    psn_credentials_release(&linking->all);
    psn_ovh_credential_release(&linking->candidate);
}

bool psn_client_has_application(const struct psn_client *client, enum psn_key_use use)
{
    (void)use;
    for (size_t i = 0; i < PSN_KEY_USES; i++)
        if (client->keys.asked_s[i])
            return true;
    return client->linked && !client->keys.is_account;
}

enum psn_code psn_client_key_page(struct psn_vault *vault, const char *id,
                                  enum psn_key_use use, char **ret_page,
                                  struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_buf) page = psn_buf_init(1);
    struct psn_client client = psn_client_init();
    enum psn_code rc = psn_client_get(vault, id, &client, err);

    if (!rc)
        rc = psn_rights_page(&client, use, &page, err);
    psn_client_release(&client);
    return rc ? rc : psn_buf_take(&page, ret_page, err);
}

/* --- judging a credential --- */

static enum psn_code check_account(const struct psn_client *client, const char *nic,
                                   struct psn_error *err)
{
    char shown[SHOWN_SIZE];

    if (strcasecmp(nic, client->nic) == 0)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("this key opens the account %s, and client '%s' has %s"),
                   psn_text_shown(nic, shown, sizeof shown), client->id, client->nic);
    return psn_hint(
        err, PSN_E_POLICY,
        _("use the key of the right account, or correct the client: passation client "
          "set %s --nic %s"),
        client->id, shown);
}

static enum psn_code check_width(const struct linking *linking, struct psn_error *err)
{
    const struct psn_link *link = &linking->link;
    char shown[SHOWN_SIZE];

    if (!link->wide || linking->options->accept_wide)
        return PSN_OK;
    (void)psn_fail(err, PSN_E_POLICY,
                   _("the key of '%s' may do more than passation needs: %s"),
                   linking->client.id,
                   psn_text_shown(link->wide_rule, shown, sizeof shown));
    return psn_hint(
        err, PSN_E_POLICY,
        _("make a key with the rules listed in passation-ovh(1), or accept this one "
          "with --accept-wide"));
}

static enum psn_code note_backend(void *arg, const struct psn_role_row *row,
                                  struct psn_error *err)
{
    struct {
        const char *client;
        psn_backend_set *set;
    } *want = arg;

    (void)err;
    if (strcmp(row->client, want->client) == 0)
        *want->set |= 1u << row->backend;
    return PSN_OK;
}

static enum psn_code backends_in_use(struct linking *linking, psn_backend_set *ret_set,
                                     struct psn_error *err)
{
    psn_backend_set set = 0;
    struct {
        const char *client;
        psn_backend_set *set;
    } want = { linking->client.id, &set };
    struct psn_vault *vault = linking->vault;
    enum psn_code rc = psn_vault_begin(vault, PSN_STORE_READ, err);

    if (!rc)
        rc = psn_vault_end(vault, psn_role_scan(vault, NULL, 0, note_backend, &want, err),
                           err);
    *ret_set = set & ~(1u << PSN_BACKEND_NONE);
    return rc;
}

/* A key's state in OVH's words, where OVH tells it. */
static enum psn_code fail_state(const char *status, struct psn_error *err)
{
    if (strcmp(status, "refused") == 0)
        (void)psn_fail(err, PSN_E_REFUSED, _("the owner has refused this key"));
    else if (strcmp(status, "expired") == 0)
        (void)psn_fail(err, PSN_E_REFUSED, _("this key has expired"));
    else
        (void)psn_fail(err, PSN_E_REFUSED, _("the owner has not approved this key yet"));
    return PSN_E_REFUSED;
}

/* Says which of the four ends it was, if OVH is willing to tell. */
static enum psn_code explain_end(struct psn_ovh *ovh, struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_ovh_key_info *info = calloc(1, sizeof *info);
    struct psn_error exact = { 0 };

    if (psn_ovh_last_reason(ovh) != PSN_OVH_REASON_KEY_ENDED || !info ||
        psn_ovh_key_info(ovh, info, NULL) || strcmp(info->status, "validated") == 0)
        return PSN_E_REFUSED;
    (void)fail_state(info->status, &exact);
    (void)psn_hint(&exact, PSN_E_REFUSED,
                   _("make a new one: passation ovh link CLIENT"));
    if (err)
        *err = exact;
    return PSN_E_REFUSED;
}

/* What a service account may not read of the mail is not allowed by any of its policies;
 * it cannot be asked what it may do. */
static enum psn_code probe_account(struct linking *linking, struct psn_ovh *ovh,
                                   struct psn_error *err)
{
    const struct psn_client *client = &linking->client;
    struct psn_link *link = &linking->link;

    for (size_t i = 0; i < client->domain_count; i++) {
        enum psn_backend backend = PSN_BACKEND_NONE;
        struct psn_error cause = { 0 };
        enum psn_code rc = psn_backend_detect(ovh, client->domains[i], &backend, &cause);

        if (rc == PSN_OK || rc == PSN_E_NOT_FOUND)
            continue;
        if (rc != PSN_E_REFUSED || psn_ovh_last_reason(ovh) != PSN_OVH_REASON_NO_RULE) {
            if (err)
                *err = cause;
            return rc;
        }
        if (link->missing < PSN_LINK_MISSING_MAX)
            (void)snprintf(link->missing_rules[link->missing],
                           sizeof link->missing_rules[0], "GET /email/domain/%s",
                           client->domains[i]);
        link->missing++;
    }
    return PSN_OK;
}

static enum psn_code ask_account(struct linking *linking, struct psn_ovh *ovh,
                                 struct psn_error *err)
{
    struct psn_ovh_details details;
    enum psn_code rc = psn_ovh_details(ovh, &details, err);

    if (!rc)
        rc = check_account(&linking->client, details.nic, err);
    if (rc)
        return rc;
    (void)snprintf(linking->link.nic, sizeof linking->link.nic, "%s", details.nic);
    linking->link.is_account = true;
    return probe_account(linking, ovh, err);
}

/* A key that may not even tell its own rules is as good as a wide one. */
static enum psn_code ask_key(struct linking *linking, struct psn_ovh *ovh,
                             struct psn_error *err)
{
    PSN_AUTO_FREE struct psn_ovh_key_info *info = calloc(1, sizeof *info);
    struct psn_link *link = &linking->link;
    psn_backend_set backends = 0;
    struct psn_ovh_account account;
    enum psn_code rc = info ? psn_ovh_me(ovh, &account, err)
                            : psn_fail(err, PSN_E_NOMEM, _("out of memory"));

    if (rc == PSN_E_REFUSED)
        return explain_end(ovh, err);
    if (!rc)
        rc = check_account(&linking->client, account.nic, err);
    if (!rc)
        rc = psn_ovh_key_info(ovh, info, err);
    if (!rc)
        rc = backends_in_use(linking, &backends, err);
    if (rc)
        return rc;
    (void)snprintf(link->nic, sizeof link->nic, "%s", account.nic);
    link->expires_s = info->expires_s;
    link->last_use_s = info->last_use_s;
    psn_rights_judge(&linking->client, use_of(linking), backends, info, link);
    return check_width(linking, err);
}

/* Asks OVH whose the candidate is and what it may do. */
static enum psn_code judge(struct linking *linking, struct psn_error *err)
{
    PSN_AUTO(psn_ovh) *ovh = NULL;
    enum psn_code rc = psn_client_open_account(linking->vault, &linking->client,
                                               &linking->candidate, &ovh, err);

    linking->link = (struct psn_link){ .use = use_of(linking) };
    if (!rc)
        rc = psn_ovh_credential_is_account(&linking->candidate)
                 ? ask_account(linking, ovh, err)
                 : ask_key(linking, ovh, err);
    return rc ? psn_wrap(err, rc, _("cannot link '%s'"), linking->client.id) : PSN_OK;
}

/* --- storing --- */

static void forget_asked(struct linking *linking)
{
    psn_ovh_credential_release(&asked_key(linking)->credential);
    asked_key(linking)->url[0] = '\0';
    linking->client.keys.asked_s[use_of(linking)] = 0;
}

/* The second key ends with its day, whatever the owner has chosen. */
static int64_t end_of_cut(const struct linking *linking)
{
    int64_t day_s = linking->vault->world.now_s() + CUT_DAY_S;
    int64_t end_s = linking->link.expires_s;

    return end_s && end_s < day_s ? end_s : day_s;
}

static enum psn_code put(struct linking *linking, const char *event, const char *text,
                         struct psn_error *err)
{
    struct psn_vault *vault = linking->vault;
    const char *id = linking->client.id;
    enum psn_code rc =
        psn_client_put_keys(vault, &linking->client, &linking->all, err);

    return rc ? rc
              : psn_journal_note(vault, id,
                                 &(struct psn_note){ .event = event,
                                                     .subject = id,
                                                     .label = use_of(linking) ? "cut"
                                                                              : NULL,
                                                     .text = text },
                                 err);
}

/* What is in the vault now, which may have changed since. */
static enum psn_code read_again(struct linking *linking, struct psn_error *err)
{
    struct psn_vault *vault = linking->vault;
    struct psn_client client = psn_client_init();
    enum psn_code rc = psn_client_read(vault, linking->client.id, &client, err);

    if (rc)
        return rc;
    psn_client_release(&linking->client);
    linking->client = client;
    psn_credentials_release(&linking->all);
    linking->all = (struct psn_credentials){ 0 };
    rc = psn_credentials_get(vault, client.id, &linking->all, NULL);
    return rc == PSN_E_NOT_FOUND || rc == PSN_OK
               ? PSN_OK
               : psn_fail(err, rc, _("cannot read the API credential of '%s'"),
                          client.id);
}

/* False if another process has asked for another key since. */
static bool is_the_asked_one(struct linking *linking)
{
    const struct psn_secret *waits = asked_key(linking)->credential.consumer_key;

    return waits && psn_secret_equal(waits, linking->candidate.consumer_key);
}

static enum psn_code write_link(struct linking *linking, struct psn_error *err)
{
    const struct psn_link *link = &linking->link;
    enum psn_key_use use = use_of(linking);
    enum psn_code rc = read_again(linking, err);
    struct psn_client *client = &linking->client;
    struct psn_ovh_credential *place = &linking->all.of[use];

    if (rc)
        return rc;
    if (use == PSN_KEY_WORK) {
        client->linked = true;
        client->key_expires_s = link->expires_s;
        client->keys.is_account = link->is_account;
        client->keys.last_use_s = link->last_use_s;
        client->keys.read_s = linking->vault->world.now_s();
        (void)snprintf(client->linked_nic, sizeof client->linked_nic, "%s", link->nic);
    } else {
        client->keys.cut_expires_s = end_of_cut(linking);
        linking->link.expires_s = client->keys.cut_expires_s;
    }
    if (linking->asked && is_the_asked_one(linking))
        forget_asked(linking);
    psn_ovh_credential_release(place);
    rc = psn_ovh_credential_copy(&linking->candidate, place, err);
    return rc ? rc
              : put(linking, link->wide ? "ovh.linked-wide" : "ovh.linked",
                    link->wide ? link->wide_rule : link->nic, err);
}

static enum psn_code write_asked(struct linking *linking, struct psn_error *err)
{
    return put(linking, "ovh.key-asked", linking->client.nic, err);
}

static enum psn_code write_dropped(struct linking *linking, struct psn_error *err)
{
    enum psn_code rc = read_again(linking, err);

    if (rc)
        return rc;
    forget_asked(linking);
    return put(linking, "ovh.key-refused", linking->client.nic, err);
}

static enum psn_code commit(struct linking *linking,
                            enum psn_code (*write)(struct linking *, struct psn_error *),
                            struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(linking->vault, PSN_STORE_WRITE, err);

    return rc ? rc : psn_vault_end(linking->vault, write(linking, err), err);
}

/* --- asking --- */

static bool same_application(const struct psn_ovh_credential *a,
                             const struct psn_ovh_credential *b)
{
    return a->application_key && b->application_key &&
           psn_secret_equal(a->application_key, b->application_key);
}

/* The application to ask with: the one given, else one that the vault has. */
static enum psn_code find_application(struct linking *linking,
                                      struct psn_ovh_credential *ret_application,
                                      struct psn_error *err)
{
    const struct psn_credentials *all = &linking->all;
    const struct psn_ovh_credential *places[] = {
        &asked_key(linking)->credential,
        &all->of[PSN_KEY_WORK],
        &all->asked[PSN_KEY_WORK].credential,
        &all->of[PSN_KEY_CUT],
    };
    const char *id = linking->client.id;
    enum psn_code rc;

    if (linking->options->pair) {
        rc = psn_ovh_credential_parse_pair(linking->options->pair, false,
                                           ret_application, err);
        return rc ? psn_wrap(err, rc, _("client '%s'"), id) : PSN_OK;
    }
    for (size_t i = 0; i < sizeof places / sizeof *places; i++)
        if (places[i]->application_key)
            return psn_ovh_credential_copy(places[i], ret_application, err);
    (void)psn_fail(err, PSN_E_INVALID, _("client '%s': no API credential was given"), id);
    return psn_hint(err, PSN_E_INVALID,
                    _("give application key and secret as KEY:SECRET with --secret-fd N, "
                      "or a whole credential with --config ovh.conf"));
}

/* Makes a key at OVH that opens nothing yet. */
static enum psn_code request_key(struct linking *linking,
                                 const struct psn_ovh_credential *application,
                                 struct psn_error *err)
{
    PSN_AUTO(psn_ovh) *ovh = NULL;
    PSN_AUTO_RELEASE(psn_rights) rights = { 0 };
    PSN_AUTO_RELEASE(psn_ovh_asked_key) made = { 0 };
    struct psn_asked_key *asked = asked_key(linking);
    enum psn_code rc =
        psn_rights_of(&linking->client, use_of(linking), &rights, err);

    if (!rc)
        rc = psn_client_open_account(linking->vault, &linking->client, application, &ovh,
                                     err);
    if (!rc)
        rc = psn_ovh_ask_key(ovh, rights.rules, rights.count, &made, err);
    if (rc)
        return psn_wrap(err, rc, _("cannot link '%s'"), linking->client.id);
    forget_asked(linking);
    rc = psn_ovh_credential_copy(application, &asked->credential, err);
    if (rc)
        return rc;
    psn_secret_free(asked->credential.consumer_key);
    asked->credential.consumer_key = PSN_TAKE(made.consumer_key);
    memcpy(asked->url, made.url, sizeof asked->url);
    linking->client.keys.asked_s[use_of(linking)] = linking->vault->world.now_s();
    return commit(linking, write_asked, err);
}

static enum psn_code read_now(struct linking *linking, struct psn_error *err)
{
    enum psn_code rc = psn_vault_begin(linking->vault, PSN_STORE_READ, err);

    return rc ? rc : psn_vault_end(linking->vault, read_again(linking, err), err);
}

/* Finds the key that waits, or asks for one. A pair of the same application corrects the
 * secret of a key that waits. */
static enum psn_code need_asked(struct linking *linking, struct psn_error *err)
{
    PSN_AUTO_RELEASE(psn_ovh_credential) application = { 0 };
    struct psn_asked_key *asked = asked_key(linking);
    enum psn_code rc = read_now(linking, err);
    bool waits = linking->client.keys.asked_s[use_of(linking)] &&
                 asked->credential.consumer_key && !linking->options->anew;

    if (!rc && waits && !linking->options->pair)
        return PSN_OK;
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
    return commit(linking, write_asked, err);
}

/* --- waiting --- */

enum look {
    LOOK_APPROVED,
    LOOK_WAITING,
    LOOK_SIGNATURE, /* waiting, or the application secret is wrong */
    LOOK_NETWORK,   /* nobody knows */
    LOOK_ENDED,
};

static enum look judge_look(const struct psn_ovh *ovh, const struct psn_ovh_key_info *info,
                            enum psn_code rc, struct psn_error *err)
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
    (void)fail_state(info->status, err);
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

static enum psn_code show(struct linking *linking, enum look seen, struct psn_error *err)
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
    return options->show(options->arg, asked_key(linking)->url, why, err);
}

static bool is_stopped(const struct linking *linking)
{
    return linking->options->stop && linking->options->stop(linking->options->arg);
}

/* Sleeps in small pieces, with progress. False: the wait is over. */
static bool pause_until(const struct linking *linking, int64_t next_ms, int64_t until_ms)
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

static enum psn_code hint_again(const struct linking *linking, enum psn_code rc,
                                struct psn_error *err)
{
    return psn_hint(err, rc,
                    use_of(linking) == PSN_KEY_CUT
                        ? _("the key is kept; go on waiting for it: passation ovh link %s "
                            "--for cut; ask for another one: --new")
                        : _("the key is kept; go on waiting for it: passation ovh link "
                            "%s; ask for another one: --new"),
                    linking->client.id);
}

/* The wait ends without an answer of the owner's. */
static enum psn_code not_yet(const struct linking *linking, enum look seen,
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
static enum psn_code give_up(struct linking *linking, struct psn_error *err)
{
    struct psn_error dropped = { 0 };
    enum psn_code rc = err->code;

    if (rc == PSN_E_REFUSED && commit(linking, write_dropped, &dropped))
        (void)psn_wrap(err, rc, "%s", dropped.message);
    (void)psn_wrap(err, rc, _("cannot link '%s'"), linking->client.id);
    return psn_hint(err, rc, _("ask the owner again: passation ovh link %s --new"),
                    linking->client.id);
}

static enum psn_code watch(struct linking *linking, struct psn_ovh *ovh,
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
static enum psn_code lock_patiently(struct linking *linking, struct psn_error *err)
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

/* --- the three ways --- */

/* Holds the operation lock, but for the wait. */
static enum psn_code link_by_asking(struct linking *linking, struct psn_error *err)
{
    PSN_AUTO(psn_ovh) *ovh = NULL;
    struct psn_vault *vault = linking->vault;
    enum psn_code rc = need_asked(linking, err);

    psn_vault_unlock_operation(vault);
    linking->asked = true;
    if (!rc)
        rc = psn_ovh_credential_copy(&asked_key(linking)->credential,
                                     &linking->candidate, err);
    if (!rc)
        rc = psn_client_open_account(vault, &linking->client, &linking->candidate, &ovh,
                                     err);
    if (!rc)
        rc = watch(linking, ovh, err);
    return rc ? rc : lock_patiently(linking, err);
}

static enum psn_code take_given(struct linking *linking, struct psn_error *err)
{
    const struct psn_link_options *options = linking->options;
    enum psn_code rc =
        options->config
            ? psn_ovh_credential_parse((const char *)psn_secret_bytes(options->config),
                                       psn_secret_size(options->config),
                                       linking->client.endpoint, &linking->candidate, err)
            : psn_ovh_credential_parse_pair(options->pair, true, &linking->candidate,
                                            err);

    return rc ? psn_wrap(err, rc, _("client '%s'"), linking->client.id) : PSN_OK;
}

static enum psn_code find_candidate(struct linking *linking, struct psn_error *err)
{
    const struct psn_link_options *options = linking->options;
    bool given = options->config || (options->pair && options->is_account);
    enum psn_code rc =
        psn_client_get(linking->vault, linking->client.id, &linking->client, err);

    if (!rc && given)
        rc = take_given(linking, err);
    if (!rc)
        rc = psn_vault_lock_operation(linking->vault, "ovh link", err);
    return rc || given ? rc : link_by_asking(linking, err);
}

enum psn_code psn_client_link(struct psn_vault *vault, const char *id,
                              const struct psn_link_options *options,
                              struct psn_link *ret_link, struct psn_error *err)
{
    PSN_AUTO_RELEASE(linking) linking = { .vault = vault,
                                          .options = options,
                                          .client = psn_client_init() };
    enum psn_code rc;

    (void)snprintf(linking.client.id, sizeof linking.client.id, "%s", id);
    rc = find_candidate(&linking, err);
    if (!rc)
        rc = judge(&linking, err);
    if (!rc)
        rc = commit(&linking, write_link, err);
    psn_vault_unlock_operation(vault);
    if (!rc)
        *ret_link = linking.link;
    return rc;
}
