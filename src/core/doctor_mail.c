#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/grow.h"
#include "base/i18n.h"
#include "core/client.h"
#include "core/doctor.h"
#include "core/role.h"

/*
 * The mail servers, to which every password of theirs is sent: is each one who it says it
 * is? Each is asked once; nothing is sent to it.
 */
enum {
    LOOK_MS = 10 * 1000,
};

/* What tells the server of a mailbox. */
struct place {
    enum psn_backend backend;
    char client[PSN_CLIENT_ID_MAX];
    char host[PSN_HOST_NAME_MAX];
};

struct servers {
    struct psn_vault *vault;
    const struct psn_doctor_options *options;
    struct place *places;
    size_t place_count;
    char (*asked)[PSN_URL_MAX]; /* of place_count, as many as asked_count */
    size_t asked_count;
};

static bool is_of(const struct place *place, const struct psn_role_row *row)
{
    return place->backend == row->backend && strcmp(place->client, row->client) == 0 &&
           strcmp(place->host, row->place.host) == 0;
}

static enum psn_code note_place(void *arg, const struct psn_role_row *row,
                                struct psn_error *err)
{
    struct servers *servers = arg;
    struct place *place;
    enum psn_code rc;

    if (row->backend == PSN_BACKEND_NONE || row->gone_s)
        return PSN_OK;
    /* Mailboxes of one client mostly follow each other. */
    for (size_t i = servers->place_count; i > 0; i--)
        if (is_of(&servers->places[i - 1], row))
            return PSN_OK;
    rc = PSN_GROW(servers->places, servers->place_count, err);
    if (rc)
        return rc;
    place = &servers->places[servers->place_count++];
    place->backend = row->backend;
    memcpy(place->client, row->client, sizeof place->client);
    memcpy(place->host, row->place.host, sizeof place->host);
    return PSN_OK;
}

/* True once for each. */
static bool is_new(struct servers *servers, const char *url)
{
    for (size_t i = 0; i < servers->asked_count; i++)
        if (strcmp(servers->asked[i], url) == 0)
            return false;
    (void)snprintf(servers->asked[servers->asked_count++], sizeof *servers->asked, "%s",
                   url);
    return true;
}

static void look_at(struct servers *servers, const char *client, const char *url,
                    const char *ca_file)
{
    struct psn_vault *vault = servers->vault;
    struct psn_error why = { 0 };
    bool untrusted = false;
    enum psn_code rc;

    if (!is_new(servers, url))
        return;
    rc = psn_mailbox_look_at_server(vault->world.imap, url, ca_file, LOOK_MS, &untrusted,
                                    &why);
    if (untrusted)
        PSN_DOCTOR_TELL(servers->options, .code = PSN_DOCTOR_TLS, .client = client,
                        .subject = url, .detail = why.message);
    else if (rc)
        psn_doctor_skip(servers->options, PSN_DOCTOR_MAIL, client, rc, why.message);
}

/* The extra CA is for a server that was given, never for OVH's own. */
static void look_at_place(struct servers *servers, const struct place *place)
{
    struct psn_client client = psn_client_init();
    struct psn_error why = { 0 };
    struct psn_mail_hosts hosts;
    char url[PSN_URL_MAX];
    enum psn_code rc = psn_client_get(servers->vault, place->client, &client, &why);

    if (!rc && client.imap[0]) {
        look_at(servers, place->client, client.imap, servers->vault->ca_file);
    } else if (!rc) {
        psn_mailbox_hosts(place->backend, client.endpoint, place->host, &hosts);
        rc = psn_mailbox_imap_url(&hosts, url, sizeof url, &why);
        if (!rc)
            look_at(servers, NULL, url, NULL);
    }
    if (rc) /* none is known, and no login is tried either */
        psn_doctor_skip(servers->options, PSN_DOCTOR_MAIL, place->client,
                        rc == PSN_E_INVALID ? PSN_OK : rc, why.message);
    psn_client_release(&client);
}

static void look_at_all(struct servers *servers)
{
    const struct psn_doctor_options *options = servers->options;

    for (size_t i = 0; i < servers->place_count; i++) {
        if (options->stop && options->stop(options->arg)) {
            psn_doctor_skip(options, PSN_DOCTOR_MAIL, NULL, PSN_E_ABORTED,
                            _("it was stopped"));
            return;
        }
        look_at_place(servers, &servers->places[i]);
    }
}

void psn_doctor_mail(struct psn_vault *vault, const struct psn_doctor_options *options)
{
    struct servers servers = { .vault = vault, .options = options };
    struct psn_error why = { 0 };
    enum psn_code rc;

    if (options->offline) {
        psn_doctor_skip(options, PSN_DOCTOR_MAIL, NULL, PSN_OK,
                        _("left out (--offline)"));
        return;
    }
    rc = psn_vault_begin(vault, PSN_STORE_READ, &why);
    if (!rc)
        rc = psn_vault_end(
            vault, psn_role_scan(vault, NULL, 0, note_place, &servers, &why), &why);
    servers.asked = calloc(servers.place_count + 1, sizeof *servers.asked);
    if (!rc && !servers.asked)
        rc = psn_fail(&why, PSN_E_NOMEM, _("out of memory"));
    if (rc)
        psn_doctor_skip(options, PSN_DOCTOR_MAIL, NULL, rc, why.message);
    else
        look_at_all(&servers);
    free(servers.places);
    free(servers.asked);
}
